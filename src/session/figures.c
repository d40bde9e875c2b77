/* SPDX-License-Identifier: BSD-2-Clause */
/* figures.c: the engine's counters and sizes. */
#include "config.h"

#include <mxward/recipient.h>
#include <mxward/track.h>

#include "src/journal/store.h"
#include "src/session/engine.h"
#include "src/session/outbound.h"
#include "src/share/share.h"
#include "src/track/greylist.h"
#include "src/track/rates.h"

struct figures {
	void (*visit)(void *ctx, const char *group, const char *name, uint64_t value);
	void *ctx;
	const char *group;
};

static void say(const struct figures *f, const char *name, uint64_t value)
{
	f->visit(f->ctx, f->group, name, value);
}

static void say_tracker(struct figures *f, mxw_engine_t *engine)
{
	struct mxw__harvest_stats harvest;
	struct mxw__table_stats stats;

	f->group = "tracker";
	mxw__table_get_stats(engine->table, &stats);
	say(f, "entries", stats.entries);
	say(f, "max-entries", stats.max_entries);
	say(f, "evictions", stats.evictions);
	say(f, "bytes", stats.bytes);
	mxw__harvest_get_stats(engine->harvest, &harvest);
	say(f, "harvest-entries", harvest.entries);
	say(f, "harvest-evictions", harvest.evictions);
}

static void count_account(void *ctx, const struct mxw__account *account)
{
	(void)account;
	++*(uint64_t *)ctx;
}

static void say_accounts(struct figures *f, mxw_engine_t *engine)
{
	uint64_t n = 0;

	f->group = "accounts";
	mxw__outbound_each(engine, count_account, &n);
	say(f, "suspended", n);
}

static void say_greylist(struct figures *f, mxw_engine_t *engine)
{
	struct mxw__greylist_stats stats;

	f->group = "greylist";
	mxw__greylist_get_stats(engine->greylist, &stats);
	say(f, "entries", stats.entries);
	say(f, "max-entries", stats.max_entries);
	say(f, "evictions", stats.evictions);
	say(f, "bytes", stats.bytes);
}

static void say_rates(struct figures *f, mxw_engine_t *engine)
{
	struct mxw__rates_stats stats;

	f->group = "rates";
	mxw__rates_get_stats(engine->rates, &stats);
	say(f, "entries", stats.entries);
	say(f, "max-entries", stats.max_entries);
	say(f, "evictions", stats.evictions);
	say(f, "bytes", stats.bytes);
}

static void say_share(struct figures *f, mxw_engine_t *engine)
{
	struct mxw__share_stats stats = {0};

	f->group = "share";
	mxw__share_get_stats(engine->share, &stats);
	say(f, "on", stats.is_on);
	say(f, "up", stats.is_up);
	say(f, "pushed", stats.pushed);
	say(f, "pulled", stats.pulled);
	say(f, "late", stats.late);
	say(f, "longest-us", stats.longest_us);
	say(f, "failed", stats.failed);
	say(f, "dropped", stats.dropped);
}

static void say_store(struct figures *f, mxw_engine_t *engine)
{
	struct mxw__store_stats stats;

	f->group = "store";
	mxw__store_get_stats(engine->store, &stats);
	say(f, "on", stats.is_on);
	say(f, "is-loaded", stats.is_loaded);
	say(f, "loaded", stats.loaded);
	say(f, "written", stats.written);
	say(f, "failures", stats.failures);
}

static void say_dmarc(struct figures *f, mxw_engine_t *engine)
{
	struct mxw__dmarc_store_stats stats;

	f->group = "dmarc";
	mxw__dmarc_store_get_stats(engine->dmarc_store, &stats);
	say(f, "on", mxw__dmarc_store_is_on(engine->dmarc_store));
	say(f, "written", stats.written);
	say(f, "dropped", stats.dropped);
	say(f, "queued", stats.queued);
}

static void say_recipients(struct figures *f, mxw_engine_t *engine)
{
	struct mxw_recipient_stats stats = {.size = sizeof stats};

	f->group = "recipients";
	mxw_engine_recipient_stats(engine, &stats);
	say(f, "hits", stats.hits);
	say(f, "misses", stats.misses);
	say(f, "stale", stats.stale);
	say(f, "refreshed", stats.refreshed);
	say(f, "refreshes-failed", stats.refreshes_failed);
	say(f, "refreshes-dropped", stats.refreshes_dropped);
	say(f, "evicted", stats.evicted);
	say(f, "entries", stats.entries);
	say(f, "known-good", stats.known_good);
	say(f, "max-entries", stats.max_entries);
	say(f, "bytes", stats.bytes);
}

static void say_resolver(struct figures *f, mxw_engine_t *engine)
{
	struct mxw_resolver_stats stats = {.size = sizeof stats};
	struct mxw__snapshot *snapshot = mxw__engine_snapshot(engine);

	f->group = "resolver";
	mxw_resolver_get_stats(snapshot->resolver, &stats);
	mxw__snapshot_unref(snapshot);
	say(f, "asked", stats.asked);
	say(f, "cached", stats.cache_hits);
	say(f, "joined", stats.coalesced);
	say(f, "sent", stats.sent);
	say(f, "timeouts", stats.timeouts);
	say(f, "failed", stats.failures);
	say(f, "bogus", stats.bogus);
	say(f, "over-session", stats.over_session);
	say(f, "over-client", stats.over_client);
	say(f, "over-zone", stats.over_zone);
	say(f, "over-cap", stats.over_cap);
}

void mxw_engine_each_figure(mxw_engine_t *engine, void (*visit)(void *ctx, const char *group, const char *name, uint64_t value),
			    void *ctx)
{
	struct figures f = {.visit = visit, .ctx = ctx};

	say_tracker(&f, engine);
	say_accounts(&f, engine);
	say_greylist(&f, engine);
	say_rates(&f, engine);
	say_share(&f, engine);
	say_store(&f, engine);
	say_dmarc(&f, engine);
	say_recipients(&f, engine);
	say_resolver(&f, engine);
}
