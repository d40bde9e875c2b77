/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hold.c: replies that come later than they could: those of concealed recipients at a fixed time, those that a tarpit delays.
 *
 * A reply that waits keeps a thread here and a process of the MTA's, so only so many may; each kind has a limit of its own, or whoever
 * is held in the one could make the other's replies come at once, and see by that which recipients exist.
 */
#include "config.h"

#include "src/session/engine.h"

enum {
	/* sendmail waits ten seconds for the answer to a step before the end of the message. */
	STEP_MAX_MS = 8000,
	/* A tarpit is looked at so often, whether it is to end before its time. */
	SLICE_MS = 250
};

/* False where no more may wait, or if the clock can't be waited on. */
static bool begin(mxw_session_t *s, atomic_uint *count, uint64_t max, int64_t until_ms)
{
	if (!s->engine->clock.sleep_until_ms)
		return false;
	if (s->hold_count) {
		if (until_ms > s->hold_until_ms)
			s->hold_until_ms = until_ms;
		return true;
	}
	if (atomic_fetch_add(count, 1) >= max) {
		atomic_fetch_sub(count, 1);
		return false;
	}
	s->hold_count = count;
	s->hold_until_ms = until_ms;
	return true;
}

bool mxw__hold_concealed(mxw_session_t *s)
{
	const struct mxw_conf *conf = s->snapshot->conf;

	return begin(s, &s->engine->concealed_sessions, conf->limits.concealed_sessions,
		     s->step_began_ms + (int64_t)conf->timeouts.concealed_reply_ms);
}

/* What the step may take in all. */
static int64_t patience_ms(const mxw_session_t *s, mxw_stage_t stage)
{
	const struct mxw__timeouts_conf *timeouts = &s->snapshot->conf->timeouts;

	if (stage == MXW_STAGE_EOM)
		return (int64_t)timeouts->end_of_message_ms;
	return timeouts->before_data_ms < STEP_MAX_MS ? (int64_t)timeouts->before_data_ms : STEP_MAX_MS;
}

void mxw__hold_delayed(mxw_session_t *s, mxw_stage_t stage, const struct mxw_decision *decision, struct mxw_verdict *verdict)
{
	/* A concealed reply has its time from the beginning of the step, whatever was done since, and is due then without any delay. */
	int64_t now_ms = mxw__now_ms(&s->engine->clock), from_ms = s->hold_count ? s->step_began_ms : now_ms;
	int64_t due_ms = now_ms > s->hold_until_ms ? now_ms : s->hold_until_ms;
	int64_t until_ms = from_ms + (int64_t)decision->delay_ms;
	int64_t latest_ms = s->step_began_ms + patience_ms(s, stage);

	if (!decision->delay_ms)
		return;
	if (s->snapshot->conf->observe) {
		mxw__note_observed(s, decision->delay_rule, MXW_ACTION_TARPIT);
		return;
	}
	until_ms = until_ms < latest_ms ? until_ms : latest_ms;
	if (until_ms <= due_ms || atomic_load(&s->engine->is_hurried) ||
	    !begin(s, &s->engine->held_sessions, s->snapshot->conf->limits.held_sessions, until_ms))
		return;
	verdict->delay_ms = (unsigned)(until_ms - due_ms);
	s->record.tarpit_ms += verdict->delay_ms;
	s->record.tarpit_rule = decision->delay_rule;
}

static void sleep_until(mxw_session_t *s, int64_t until_ms)
{
	s->engine->clock.sleep_until_ms(s->engine->clock.ctx, until_ms);
}

/* In slices: the process may want to end. */
static void sleep_in_tarpit(mxw_session_t *s)
{
	int64_t now_ms = mxw__now_ms(&s->engine->clock);

	while (now_ms < s->hold_until_ms && !atomic_load(&s->engine->is_hurried)) {
		int64_t next_ms = now_ms + SLICE_MS;
		sleep_until(s, next_ms < s->hold_until_ms ? next_ms : s->hold_until_ms);
		now_ms = mxw__now_ms(&s->engine->clock);
	}
}

void mxw__hold_drop(mxw_session_t *s)
{
	if (s->hold_count)
		atomic_fetch_sub(s->hold_count, 1);
	s->hold_count = NULL;
	s->hold_until_ms = 0;
}

void mxw__hold(mxw_session_t *s)
{
	if (!s->hold_count)
		return;
	if (s->hold_count == &s->engine->held_sessions)
		sleep_in_tarpit(s);
	else
		sleep_until(s, s->hold_until_ms);
	mxw__hold_drop(s);
}

void mxw_engine_hurry(mxw_engine_t *engine)
{
	atomic_store(&engine->is_hurried, true);
}
