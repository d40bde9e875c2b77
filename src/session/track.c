/* SPDX-License-Identifier: BSD-2-Clause */
/* track.c: what a session does is noted on the accounts of those who do it, and what is known of them is stated. */
#include "config.h"

#include <string.h>

#include "src/session/engine.h"

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
	if (status != MXW_OK)
		return mxw__fail(err, status, "no memory for tracker harvest-entries %llu",
				 (unsigned long long)tc->harvest_entries);
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
	mxw__nat_free(engine->nat);
}

static size_t states(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max)
{
	if (max < 1)
		return 0;
	ret_states[0] = (struct mxw__state){&mxw__table_sort, engine->table};
	return 1;
}

/* ---- whose account ---- */

/* Its behaviour counts. */
static bool is_tracked(const mxw_session_t *s)
{
	return s->snapshot->conf->tracker.enabled && mxw__session_is_stranger(s);
}

/* NULL: nobody whose behaviour counts. */
static void add_points(mxw_session_t *s, const struct mxw_ip *who, mxw__event_t event)
{
	const struct mxw__tracker_conf *tc = &s->snapshot->conf->tracker;

	if (!who || !tc->weights[event])
		return;
	struct mxw__key key = mxw__key_of_ip(MXW__KEY_ADDRESS, who);
	mxw__table_add(s->engine->table, &key, event, 1, (double)tc->weights[event], mxw__now_ms(&s->engine->clock));
}

void mxw__track_event(mxw_session_t *s, mxw__event_t event)
{
	add_points(s, is_tracked(s) ? &s->env.client : NULL, event);
}

/* On whose account a message goes: the client's, or that of whom a relay of ours has it from; never the relay's. */
static const struct mxw_ip *who_sent(const mxw_session_t *s)
{
	if (is_tracked(s))
		return &s->env.client;
	bool is_relayed = s->snapshot->conf->tracker.enabled && s->env.client_class == MXW__CLIENT_RELAY;
	return is_relayed && s->env.origin.family ? &s->env.origin : NULL;
}

static bool fact_is(const mxw_session_t *s, mxw_fact_id_t fact, const char *word)
{
	const char *value = mxw_facts_get(s->facts, fact);
	return value && strcmp(value, word) == 0;
}

bool mxw__track_guess(mxw_session_t *s)
{
	if (!is_tracked(s))
		return false;
	return mxw__harvest_add(s->engine->harvest, &s->env.client,
				s->env.rcpt_is_valid ? s->env.rcpt.key_text : s->env.rcpt_path,
				mxw__now_ms(&s->engine->clock), s->snapshot->conf->tracker.harvest_window_ms);
}

/* ---- what is stated ---- */

static uint64_t score_of(mxw_session_t *s, const struct mxw_ip *who)
{
	struct mxw__key key = mxw__key_of_ip(MXW__KEY_ADDRESS, who);
	double score = mxw__table_score(s->engine->table, &key, mxw__now_ms(&s->engine->clock));

	return score > 0 ? (uint64_t)(score + 0.5) : 0;
}

static void state_counts(mxw_session_t *s)
{
	const struct mxw__tracker_conf *tc = &s->snapshot->conf->tracker;
	struct mxw__harvest_counts guesses = {0};
	uint64_t score = 0;

	if (is_tracked(s)) {
		score = score_of(s, &s->env.client);
		mxw__harvest_count(s->engine->harvest, &s->env.client, mxw__now_ms(&s->engine->clock), tc->harvest_window_ms,
				   &guesses);
	}
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_SCORE, score);
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_UNKNOWN_RCPTS, guesses.client);
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_NETWORK_UNKNOWN_RCPTS, guesses.network);
	mxw_facts_set_number(s->facts, MXW__FACT_SITE_UNKNOWN_RCPTS, guesses.site);
	mxw_facts_set_number(s->facts, MXW__FACT_SESSION_UNKNOWN_COMMANDS, s->unknown_commands);
	mxw_facts_set_number(s->facts, MXW__FACT_SESSION_ABORTS, s->aborts);
	mxw_facts_set_number(s->facts, MXW__FACT_SESSION_MESSAGES, s->messages);
}

/* Points of whoever answers for the message; not known where a relay does not say who that is. */
static void state_origin_score(mxw_session_t *s)
{
	const struct mxw_ip *who = who_sent(s);

	if (s->env.client_class == MXW__CLIENT_RELAY && !s->env.origin.family)
		return;
	mxw_facts_set_number(s->facts, MXW__FACT_ORIGIN_SCORE, who ? score_of(s, who) : 0);
}

static void before(mxw_session_t *s, mxw_stage_t stage)
{
	state_counts(s);
}

/* ---- what this stage's facts say of the client's behaviour ---- */

static void feed(mxw_session_t *s, mxw_stage_t stage)
{
	/* Not before MAIL: only then is it known whether the client has authenticated, and a user's computer may well go by
	 * an address that is inside here as well. */
	if (stage >= MXW_STAGE_MAIL && !s->helo_forged_counted && fact_is(s, MXW__FACT_HELO_FORGED, "yes")) {
		s->helo_forged_counted = true;
		mxw__track_event(s, MXW__EVENT_HELO_FORGED);
	}
	if (stage != MXW_STAGE_RCPT)
		return;
	/* One dead address, repeated by an honest server, counts once. */
	if (s->env.rcpt_refused_by_mta && !s->env.rcpt_deferred_by_mta) {
		if (mxw__track_guess(s))
			mxw__track_event(s, MXW__EVENT_REJECTED_RCPT);
	} else if (fact_is(s, MXW__FACT_RCPT, "unknown") && mxw__track_guess(s)) {
		mxw__track_event(s, MXW__EVENT_UNKNOWN_RCPT);
	}
}

static void after(mxw_session_t *s, mxw_stage_t stage)
{
	feed(s, stage);
	state_counts(s);
	if (stage == MXW_STAGE_EOM)
		state_origin_score(s);
}

/*
 * A forwarder breaks SPF and leaves a signature whole: that is no abuse, however much of it there is. The signature must speak for
 * the author or the sender; one of anybody's own says nothing. A DMARC pass beside an SPF failure stands on such a one.
 */
static void feed_spf(mxw_session_t *s)
{
	if (fact_is(s, MXW__FACT_SPF, "fail") && !fact_is(s, MXW__FACT_DKIM_ALIGNED, "yes") &&
	    !mxw_facts_is_unavailable(s->facts, MXW__FACT_DKIM_ALIGNED) && !fact_is(s, MXW__FACT_CLIENT_FORWARDER, "yes"))
		add_points(s, who_sent(s), MXW__EVENT_SPF_FAIL);
}

static void message(mxw_session_t *s, const struct mxw_verdict *verdict)
{
	feed_spf(s);
}

/* A client whose message or recipients were refused does right to give up; but that it was refused may say something. */
static void aborted(mxw_session_t *s)
{
	if (mxw__is_refusal(s->record.refusal.decided))
		feed_spf(s);
}

const struct mxw__part mxw__part_track = {
	.name = "track",
	.make = make,
	.configure = configure,
	.free = free_all,
	.states = states,
	.before = before,
	.after = after,
	.message = message,
	.aborted = aborted,
};
