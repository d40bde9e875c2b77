/* SPDX-License-Identifier: BSD-2-Clause */
/* track_guesses.c: recipients that do not exist, as clients and their networks try them, here and at the other hosts. */
#include "config.h"

#include "src/session/engine.h"
#include "src/session/track.h"
#include "src/share/share.h"
#include "src/track/unions.h"

/*
 * Different ones in a window: so many of one network count for the site, and so many of one client; the first few of a client count for its
 * network as they are, the others with two more at most, or its other hosts would become suspect by one alone.
 */
enum { SPREAD_GUESSES = 10, CLIENT_GUESSES = 4, FIRST_GUESSES = 2 };

static uint64_t window_of(const mxw_session_t *s)
{
	return s->snapshot->conf->tracker.harvest_window_ms;
}

void mxw__track_guesses(mxw_engine_t *engine, const struct mxw_ip *client, uint64_t window_ms, struct mxw__harvest_counts *ret_counts)
{
	mxw__harvest_count(engine->harvest, client, mxw__now_ms(&engine->clock), window_ms, ret_counts);
	mxw__guessed_raise(engine->guessed, client, window_ms, ret_counts);
}

/*
 * Not of one whose network is known for good, nor of one that guesses so much that it is seen by itself: one harvester alone must not make the
 * site look like harvested by many.
 */
bool mxw__track_is_of_spread(mxw_session_t *s, const struct mxw_ip *client)
{
	struct mxw__harvest_counts counts;

	mxw__track_guesses(s->engine, client, window_of(s), &counts);
	return counts.client < CLIENT_GUESSES && counts.network < SPREAD_GUESSES && !mxw__track_has_history(s, client);
}

static void note_spread(mxw_session_t *s, const struct mxw_ip *client, const char *rcpt, int64_t now_ms)
{
	struct mxw__key network = mxw__track_widest(s, client);

	if (network.kind == MXW__KEY_NONE)
		network = mxw__key_of_ip(MXW__KEY_ADDRESS, client);
	if (mxw__track_is_of_spread(s, client))
		mxw__spread_guess(s->engine->spread, &network, sizeof network, rcpt, now_ms, window_of(s));
	else if (!mxw__track_has_history(s, client))
		mxw__spread_guess_more(s->engine->spread, &network, sizeof network, rcpt, now_ms, window_of(s));
}

bool mxw__track_guess_of(mxw_session_t *s, const struct mxw_ip *client, const char *rcpt)
{
	mxw_engine_t *engine = s->engine;
	int64_t now_ms = mxw__now_ms(&engine->clock);
	struct mxw__harvest_counts counts;
	bool is_new;

	mxw__track_guesses(engine, client, window_of(s), &counts);
	note_spread(s, client, rcpt, now_ms);
	if (counts.client >= FIRST_GUESSES)
		is_new = mxw__harvest_add_alone(engine->harvest, client, rcpt, now_ms, window_of(s));
	else
		is_new = mxw__harvest_add(engine->harvest, client, rcpt, now_ms, window_of(s));
	mxw__harvest_count(engine->harvest, client, now_ms, window_of(s), &counts);
	mxw__guessed_add(engine->guessed, client, rcpt, counts.client, window_of(s));
	return is_new;
}

bool mxw__track_forgive_guesses(mxw_engine_t *engine, const struct mxw__key *key)
{
	struct mxw__snapshot *snap = mxw__engine_snapshot(engine);
	bool is_known = mxw__harvest_forgive(engine->harvest, key);

	is_known |= mxw__guessed_forgive(engine->guessed, key, snap->conf->tracker.harvest_window_ms);
	mxw__snapshot_unref(snap);
	return is_known;
}

/*
 * Once for the session, and, where that was a while ago, again before its guesses are counted: of what was before the last quarter there is no
 * more to be heard then.
 */
void mxw__track_wants(mxw_session_t *s, mxw_stage_t stage, struct mxw__wants *wants)
{
	unsigned quarters = stage == MXW_STAGE_CONNECT ? MXW__UNIONS_QUARTERS : stage == MXW_STAGE_RCPT ? 2 : 0;
	char key[MXW__STATE_KEY_MAX];

	if (!mxw__track_is_tracked(s))
		return;
	for (unsigned back = 0; back < quarters; back++)
		for (unsigned i = 0; i < MXW__GUESSED_RECORDS; i++) {
			mxw__guessed_record_key(s->engine->guessed, &s->env.client, i, back, window_of(s), key);
			mxw__wants_add(wants, &mxw__unions_guessed_sort, key);
		}
}
