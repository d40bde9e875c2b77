/* SPDX-License-Identifier: BSD-2-Clause */
/* store.c: keeps what all the other parts remember on disk. */
#include "config.h"

#include "src/journal/store.h"
#include "src/session/engine.h"

/* Rows of a table beyond those that may be known: they go when they expire, or when there are so many. */
enum { ROWS_PER_ENTRY = 2 };

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* One bound for the tables of all sorts: so that what the largest of them has in memory can be written anew in one go. */
static uint64_t max_rows(const struct mxw_conf *conf)
{
	uint64_t n = larger(larger(conf->tracker.max_entries, conf->tracker.sightings),
			    larger(conf->greylist.max_entries, conf->rates.max_entries)), nlisted = 0;

	for (size_t i = 0; i < conf->nlists; i++)
		nlisted += conf->lists[i].max_entries;
	return larger(n, nlisted) * ROWS_PER_ENTRY;
}

static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	struct mxw__state states[MXW__STATE_SORTS_MAX];
	size_t n = mxw__parts_states(engine, states);
	struct mxw__store_env env = {
		.state_dir = engine->state_dir,
		.is_read_only = engine->state_is_read_only,
		.clock = &engine->clock,
		.notice = mxw__engine_notice_tracker,
		.notice_ctx = engine,
		.interval_ms = conf->tracker.save_interval_ms,
		.max_rows = max_rows(conf),
	};
	mxw_status_t status = mxw__store_new(&env, states, n, &engine->store);

	return status == MXW_OK ? status : mxw__fail(err, status, "out of memory");
}

static void configure(mxw_engine_t *engine, const struct mxw_conf *conf)
{
	mxw__store_configure(engine->store, conf->tracker.save_interval_ms, max_rows(conf));
}

static void free_store(mxw_engine_t *engine)
{
	mxw__store_free(engine->store);
}

const struct mxw__part mxw__part_store = {
	.name = "store",
	.make = make,
	.configure = configure,
	.free = free_store,
};
