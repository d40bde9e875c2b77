/* SPDX-License-Identifier: BSD-2-Clause */
/* track.c: what a session does is noted on the accounts of those who do it, and what is known of them is stated; see track.h. */
#include "config.h"

#include "src/session/engine.h"
#include "src/session/track.h"

/* Accounts of strangers, three or four of each client, with the different recipients that each has reached in a window. */
enum { SEEN_PAIRS = 262144 };

/* Of a client or network, about as many as it has quarters of the window in which it guesses, and sets. */
enum { GUESSED_PER_ENTRY = 4 };

/* ---- the engine's ---- */

static struct mxw__table_options options_of(const mxw_engine_t *engine, const struct mxw__tracker_conf *conf)
{
	return (struct mxw__table_options){
		.max_entries = (size_t)conf->max_entries,
		.max_bytes = (size_t)conf->max_bytes,
		.half_life_ms = conf->half_life_ms,
		.history_half_life_ms = conf->history_half_life_ms,
		.credit = conf->credit,
		.clock = &engine->clock,
	};
}

/* What is remembered of clients; it outlives every configuration. */
static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	const struct mxw__tracker_conf *tc = &conf->tracker;
	struct mxw__table_options options = options_of(engine, tc);
	mxw_status_t status = mxw__table_new(&options, &engine->table);

	if (status != MXW_OK)
		return mxw__fail(err, status, "no memory for tracker max-entries %llu", (unsigned long long)tc->max_entries);
	status = mxw__harvest_new((size_t)tc->harvest_entries, &engine->harvest);
	if (status == MXW_OK)
		status = mxw__guessed_new(&engine->clock, GUESSED_PER_ENTRY * (size_t)tc->harvest_entries, engine->harvest, &engine->guessed);
	if (status != MXW_OK)
		return mxw__fail(err, status, "no memory for tracker harvest-entries %llu",
				 (unsigned long long)tc->harvest_entries);
	if (mxw__spread_new(&engine->spread) != MXW_OK || mxw__seen_new(SEEN_PAIRS, &engine->seen) != MXW_OK)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	if (mxw__nat_new(&engine->nat) != MXW_OK)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	return MXW_OK;
}

static void configure(mxw_engine_t *engine, const struct mxw_conf *conf)
{
	struct mxw__table_options options = options_of(engine, &conf->tracker);

	mxw__table_configure(engine->table, &options);
}

static void free_all(mxw_engine_t *engine)
{
	mxw__table_free(engine->table);
	mxw__harvest_free(engine->harvest);
	mxw__guessed_free(engine->guessed);
	mxw__spread_free(engine->spread);
	mxw__seen_free(engine->seen);
	mxw__nat_free(engine->nat);
}

static size_t states(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max)
{
	if (max < 3)
		return 0;
	ret_states[0] = (struct mxw__state){&mxw__table_sort, engine->table};
	ret_states[1] = (struct mxw__state){&mxw__table_good_sort, engine->table};
	ret_states[2] = mxw__guessed_state(engine->guessed);
	return 3;
}

/* ---- the session's ---- */

static void before(mxw_session_t *s, mxw_stage_t stage)
{
	mxw__track_state(s, stage);
	if (stage == MXW_STAGE_RCPT && mxw__track_wants_domain(s)) {
		mxw__stage_need_check(s, stage, &mxw__check_spf);
		mxw__track_state(s, stage);
	}
}

static void after(mxw_session_t *s, mxw_stage_t stage)
{
	/* The directory has said by now what it has to say of the recipient. */
	if (stage == MXW_STAGE_RCPT)
		mxw__track_state_trap(s);
	mxw__track_feed(s, stage);
	mxw__track_state(s, stage);
}

const struct mxw__part mxw__part_track = {
	.name = "track",
	.make = make,
	.configure = configure,
	.free = free_all,
	.states = states,
	.wants = mxw__track_wants,
	.before = before,
	.after = after,
	.decided = mxw__track_decided,
	.message = mxw__track_message,
	.aborted = mxw__track_aborted,
	.close = mxw__track_close,
};
