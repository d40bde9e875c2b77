/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/session/engine.h"
#include "src/session/track.h"

/* So many networks at least: fewer are harvesters whom their own numbers give away. */
enum { HARVEST_NETWORKS = 5, HARVEST_SHARE = 20 };

/* So much good for each guess beyond a few. */
#define GOOD_PER_GUESS 4
#define GUESSES_FREE 3

static int64_t now_of(const mxw_session_t *s)
{
	return mxw__now_ms(&s->engine->clock);
}

static uint64_t shown(double number)
{
	return number > 0 ? (uint64_t)(number + 0.5) : 0;
}

static double score_of(const mxw_session_t *s, struct mxw__key key)
{
	key = mxw__track_key(s, key);
	return mxw__table_score(s->engine->table, &key, now_of(s));
}

static void standing_of(const mxw_session_t *s, struct mxw__key key, struct mxw__standing *ret_standing)
{
	key = mxw__track_key(s, key);
	mxw__table_get(s->engine->table, &key, now_of(s), ret_standing);
}

bool mxw__track_has_history(const mxw_session_t *s, const struct mxw_ip *client)
{
	struct mxw__key key = mxw__track_widest(s, client);
	struct mxw__standing standing;

	standing_of(s, key.kind != MXW__KEY_NONE ? key : mxw__key_of_ip(MXW__KEY_ADDRESS, client), &standing);
	/* Who also guesses has no history to stand on: messages to a few known people are soon sent. */
	return standing.good >= MXW__TRACK_GOOD_ENOUGH &&
	       standing.good >= GOOD_PER_GUESS * (standing.counts[MXW__EVENT_UNKNOWN_RCPT] - GUESSES_FREE);
}

/* Percent of the recipients tried that do not exist. What was accepted and is still to be delivered counts as delivered. */
static uint64_t unknown_share(const mxw_session_t *s, const struct mxw__standing *standing)
{
	const struct mxw__session_track *t = &s->track;
	double unknown = standing->counts[MXW__EVENT_UNKNOWN_RCPT] + standing->counts[MXW__EVENT_REJECTED_RCPT];
	double accepted = standing->counts[MXW__EVENT_ACCEPTED_RCPT];

	for (size_t i = 0; i < t->credited.n; i++)
		if (memcmp(&t->credited.keys[i], &standing->key, sizeof standing->key) == 0)
			accepted += t->counted[i];
	/* What is left of one that was tried days ago is no share of anything. */
	return unknown < 0.5 ? 0 : shown(100 * unknown / (unknown + accepted));
}

/* The most of its networks. There are four times as many hosts to a /48 as a /24 can have, and many times as many sites. */
static uint64_t network_score(const mxw_session_t *s, const struct mxw_ip *client)
{
	double near = score_of(s, mxw__key_of_ip(MXW__KEY_NETWORK, client));
	double wide = score_of(s, mxw__key_of_ip(MXW__KEY_WIDE, client)) / 2;

	return shown(near > wide ? near : wide);
}

static void state_client(mxw_session_t *s)
{
	const struct mxw__tracker_conf *tc = &s->snapshot->conf->tracker;
	struct mxw__harvest_counts guesses = {0};
	struct mxw__standing client = {0}, network = {0};
	uint64_t wider = 0;

	if (mxw__track_is_tracked(s)) {
		standing_of(s, mxw__key_of_ip(MXW__KEY_ADDRESS, &s->env.client), &client);
		standing_of(s, mxw__track_widest(s, &s->env.client), &network);
		wider = network_score(s, &s->env.client);
		mxw__track_guesses(s->engine, &s->env.client, tc->harvest_window_ms, &guesses);
	}
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_SCORE, shown(client.score));
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_GOOD, shown(client.good));
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_UNKNOWN_SHARE, unknown_share(s, &client));
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_NETWORK_SCORE, wider);
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_NETWORK_GOOD, shown(network.good));
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_NETWORK_UNKNOWN_SHARE, unknown_share(s, &network));
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_UNKNOWN_RCPTS, guesses.client);
	mxw_facts_set_number(s->facts, MXW__FACT_CLIENT_NETWORK_UNKNOWN_RCPTS, guesses.network);
	mxw_facts_set_number(s->facts, MXW__FACT_SITE_UNKNOWN_RCPTS, guesses.site);
}

static void state_site(mxw_session_t *s)
{
	const struct mxw__tracker_conf *tc = &s->snapshot->conf->tracker;
	struct mxw__spread_counts counts = {0};

	if (tc->enabled && tc->site_harvest)
		mxw__spread_count(s->engine->spread, now_of(s), tc->harvest_window_ms, &counts);
	bool is_harvested = tc->site_harvest && counts.guesses >= tc->site_harvest && counts.networks >= HARVEST_NETWORKS &&
			    counts.share >= HARVEST_SHARE;
	mxw_facts_set(s->facts, MXW__FACT_SITE_HARVESTED, is_harvested ? "yes" : "no");
}

static void state_names(mxw_session_t *s, mxw_stage_t stage)
{
	bool is_enabled = s->snapshot->conf->tracker.enabled;
	struct mxw__key domain = mxw__track_domain(s);
	bool is_tracked = mxw__track_is_tracked(s);

	if (stage >= MXW_STAGE_HELO)
		mxw_facts_set_number(s->facts, MXW__FACT_HELO_SCORE,
				     is_tracked ? shown(score_of(s, mxw__key_of_name(MXW__KEY_HELO, s->env.helo))) : 0);
	if (stage < MXW_STAGE_MAIL)
		return;
	if (*s->env.auth_user)
		mxw_facts_set_number(s->facts, MXW__FACT_AUTH_SCORE,
				     is_enabled ? shown(score_of(s, mxw__key_of_name(MXW__KEY_USER, s->env.auth_user))) : 0);
	if (mxw_facts_is_unavailable(s->facts, MXW__FACT_SPF) && is_enabled)
		mxw_facts_set_unavailable(s->facts, MXW__FACT_SENDER_DOMAIN_SCORE, NULL);
	else if (domain.kind != MXW__KEY_NONE)
		mxw_facts_set_number(s->facts, MXW__FACT_SENDER_DOMAIN_SCORE, shown(score_of(s, domain)));
}

bool mxw__track_wants_domain(mxw_session_t *s)
{
	const mxw_policy_t *policy = s->snapshot->conf->policy;

	if (!mxw__track_is_tracked(s) || mxw_facts_has(s->facts, MXW__FACT_SPF) ||
	    !mxw_policy_needs(policy, MXW_STAGE_RCPT, MXW__FACT_SENDER_DOMAIN_SCORE))
		return false;
	mxw_facts_set_unavailable(s->facts, MXW__FACT_SENDER_DOMAIN_SCORE, NULL);
	bool hangs = mxw__policy_hangs_on(policy, MXW_STAGE_RCPT, s->facts, MXW__FACT_SENDER_DOMAIN_SCORE);
	mxw__facts_forget(s->facts, MXW__FACT_SENDER_DOMAIN_SCORE);
	return hangs;
}

/* Points of whoever answers for the message; not known where a relay does not say who that is. */
static void state_origin_score(mxw_session_t *s)
{
	const struct mxw_ip *who = NULL;

	if (mxw__track_is_tracked(s))
		who = &s->env.client;
	else if (s->env.client_class == MXW__CLIENT_RELAY && !s->env.origin.family)
		return;
	else if (mxw__track_is_relayed(s))
		who = &s->env.origin;
	mxw_facts_set_number(s->facts, MXW__FACT_ORIGIN_SCORE, who ? shown(score_of(s, mxw__key_of_ip(MXW__KEY_ADDRESS, who))) : 0);
}

/* ---- traps ---- */

static bool is_named_trap(const mxw_session_t *s)
{
	const struct mxw__strings *traps = &s->snapshot->conf->tracker.traps;
	const struct mxw__address *rcpt = &s->env.rcpt;
	const struct mxw__domain_conf *section = s->env.rcpt_domain;

	if (!s->env.rcpt_is_valid)
		return false;
	const char *delimiters = section && section->delimiters ? section->delimiters : "";
	size_t len = strlen(rcpt->local), base = *rcpt->local ? 1 + strcspn(rcpt->local + 1, delimiters) : 0;
	for (size_t i = 0; i < traps->n; i++) {
		const char *at = strrchr(traps->v[i], '@');
		size_t n = (size_t)(at - traps->v[i]);
		if (strcmp(at + 1, rcpt->domain) != 0)
			continue;
		if (n == 0 || ((n == len || n == base) && mxw__ascii_ncasecmp(rcpt->local, traps->v[i], n) == 0))
			return true;
	}
	return false;
}

/* By our own word, or the directory's: that comes when it was asked, and for concealed recipients not at all. */
void mxw__track_state_trap(mxw_session_t *s)
{
	const char *class = mxw_facts_get(s->facts, MXW__FACT_RCPT_CLASS);

	mxw_facts_set(s->facts, MXW__FACT_RCPT_TRAP, is_named_trap(s) || (class && strcmp(class, "trap") == 0) ? "yes" : "no");
}

void mxw__track_state(mxw_session_t *s, mxw_stage_t stage)
{
	state_client(s);
	state_site(s);
	state_names(s, stage);
	mxw_facts_set_number(s->facts, MXW__FACT_SESSION_UNKNOWN_COMMANDS, s->unknown_commands);
	mxw_facts_set_number(s->facts, MXW__FACT_SESSION_ABORTS, s->aborts);
	mxw_facts_set_number(s->facts, MXW__FACT_SESSION_MESSAGES, s->messages);
	if (stage == MXW_STAGE_RCPT)
		mxw__track_state_trap(s);
	if (stage == MXW_STAGE_EOM)
		state_origin_score(s);
}
