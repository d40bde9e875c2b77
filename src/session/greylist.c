/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * greylist.c: what the greylist says of the current recipient, and, at the end, of the message.
 *
 * Nothing is put off here: that is what rules are for, and they are to name a reason to suspect the client beside the fact. Where
 * no such reason holds, nothing is looked up and nothing remembered.
 *
 * Who the client is: the domain for which SPF passes, or, at the end, which has signed; else its network. A pass by the term `all`
 * says of nobody that he belongs to the domain. Each attempt is remembered under all that the client is, so that one whose SPF
 * could not be checked the first time is still the same the second time.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/share/share.h"

/* ---- the engine's ---- */

static struct mxw__greylist_options options_of(const mxw_engine_t *engine, const struct mxw__greylist_conf *conf)
{
	return (struct mxw__greylist_options){
		.max_entries = (size_t)conf->max_entries,
		.delay_ms = conf->delay_ms,
		.retry_window_ms = conf->retry_window_ms,
		.known_for_ms = conf->known_for_ms,
		.known_after_ms = conf->known_after_ms,
		.auto_allow = conf->auto_allow,
		.clock = &engine->clock,
	};
}

static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	struct mxw__greylist_options options = options_of(engine, &conf->greylist);
	mxw_status_t status = mxw__greylist_new(&options, &engine->greylist);

	if (status != MXW_OK)
		return mxw__fail(err, status, "no memory for greylist max-entries %llu",
				 (unsigned long long)conf->greylist.max_entries);
	return MXW_OK;
}

static void configure(mxw_engine_t *engine, const struct mxw_conf *conf)
{
	struct mxw__greylist_options options = options_of(engine, &conf->greylist);

	mxw__greylist_configure(engine->greylist, &options);
}

static void free_all(mxw_engine_t *engine)
{
	mxw__greylist_free(engine->greylist);
}

static size_t states(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max)
{
	if (max < 1)
		return 0;
	ret_states[0] = (struct mxw__state){&mxw__greylist_sort, engine->greylist};
	return 1;
}

/* ---- who it is ---- */

static bool fact_is(const mxw_session_t *s, mxw_fact_id_t fact, const char *word)
{
	const char *value = mxw_facts_get(s->facts, fact);
	return value && strcmp(value, word) == 0;
}

/* Mail programs do not try again as servers do: where users log in, nobody is put off for being new. */
bool mxw__greylist_is_subject(const mxw_session_t *s)
{
	return mxw__session_is_stranger(s) && s->env.client.family && !fact_is(s, MXW__FACT_LISTENER, "submission") &&
	       !fact_is(s, MXW__FACT_LISTENER, "submissions");
}

static void add_identity(mxw_session_t *s, const char *kind, const char *name, const char *rcpt)
{
	struct mxw__greylisting *g = &s->greylisting;
	const char *sender = s->env.sender_is_valid ? s->env.sender.text : s->env.sender_path;
	char identity[MXW__DOMAIN_MAX + 16];

	if (!*name || g->n == MXW__GREYLIST_IDENTITIES)
		return;
	snprintf(identity, sizeof identity, "%s:%s", kind, name);
	if (!g->n)
		mxw_facts_set(s->facts, MXW__FACT_GREYLIST_IDENTITY, kind);
	mxw__greylist_attempt_make(identity, sender, rcpt, &g->attempts[g->n++]);
}

/* A signature that speaks for the author or the sender, whoever the client is. */
static void add_signature(mxw_session_t *s, const char *rcpt)
{
	const struct mxw__auth_results *res = &s->results;
	char org[MXW__DOMAIN_MAX + 1];

	if (!res->has_dkim || !fact_is(s, MXW__FACT_DKIM_ALIGNED, "yes"))
		return;
	for (size_t i = 0; i < res->nsignatures; i++) {
		const struct mxw__dkim_signature *sig = &res->signatures[i];
		if (sig->result != MXW__DKIM_PASS || (sig->is_length_limited && !s->snapshot->conf->auth.dkim_trust_length))
			continue;
		if (!mxw__same_org_domain(sig->domain, s->env.from.domain) &&
		    !mxw__same_org_domain(sig->domain, s->env.sender.domain))
			continue;
		mxw__org_domain(sig->domain, org);
		add_identity(s, "signature", org, rcpt);
		return;
	}
}

bool mxw__greylist_has_domain(const mxw_session_t *s)
{
	return fact_is(s, MXW__FACT_SPF, "pass") && !fact_is(s, MXW__FACT_SPF_MECHANISM, "all");
}

/* The sender's domain, or, of a null sender, the HELO name: whatever SPF has passed. */
static void add_spf(mxw_session_t *s, const char *rcpt)
{
	bool is_null = s->env.sender.is_null;
	char org[MXW__DOMAIN_MAX + 1];

	if (!mxw__greylist_has_domain(s))
		return;
	mxw__org_domain(is_null ? s->env.helo : s->env.sender.domain, org);
	add_identity(s, is_null ? "helo" : "domain", org, rcpt);
}

static void add_network(mxw_session_t *s, const char *rcpt)
{
	struct mxw__key key = mxw__key_of_ip(MXW__KEY_NETWORK, &s->env.client);
	char text[MXW__KEY_TEXT_MAX];

	add_identity(s, "network", mxw__key_text(&key, text), rcpt);
}

/* ---- what is stated ---- */

static void forget(mxw_session_t *s)
{
	mxw__facts_forget(s->facts, MXW__FACT_GREYLIST);
	mxw__facts_forget(s->facts, MXW__FACT_GREYLIST_IDENTITY);
	s->greylisting.is_stated = false;
	s->greylisting.n = 0;
}

/* Only if a rule whose other conditions hold hangs on it: SPF would have to be waited for. */
static bool is_wanted(mxw_session_t *s, mxw_stage_t stage)
{
	const mxw_policy_t *policy = s->snapshot->conf->policy;

	if (!mxw_policy_needs(policy, stage, MXW__FACT_GREYLIST) && !mxw_policy_needs(policy, stage, MXW__FACT_GREYLIST_IDENTITY))
		return false;
	mxw_facts_set_unavailable(s->facts, MXW__FACT_GREYLIST, NULL);
	mxw_facts_set_unavailable(s->facts, MXW__FACT_GREYLIST_IDENTITY, NULL);
	bool hangs = mxw__policy_hangs_on(policy, stage, s->facts, MXW__FACT_GREYLIST) ||
		     mxw__policy_hangs_on(policy, stage, s->facts, MXW__FACT_GREYLIST_IDENTITY);
	forget(s);
	return hangs;
}

/* Where it came the last time may have been another host. */
static void ask_others(mxw_session_t *s)
{
	struct mxw__greylisting *g = &s->greylisting;
	char identity[MXW__GREYLIST_KEY_MAX], attempt[MXW__GREYLIST_KEY_MAX];
	struct mxw__wants wants;

	wants.n = 0;
	for (size_t i = 0; i < g->n; i++) {
		mxw__greylist_keys(&g->attempts[i], identity, attempt);
		mxw__wants_add(&wants, &mxw__greylist_sort, identity);
		mxw__wants_add(&wants, &mxw__greylist_sort, attempt);
	}
	mxw__session_want(s, &wants);
}

static void state_answer(mxw_session_t *s)
{
	struct mxw__greylisting *g = &s->greylisting;
	mxw__greylist_answer_t best = MXW__GREYLIST_NEW;

	for (size_t i = 0; i < g->n; i++) {
		mxw__greylist_answer_t one =
			mxw__greylist_look(s->engine->greylist, &g->attempts[i], mxw__now_ms(&s->engine->clock));
		best = one > best ? one : best;
	}
	mxw_facts_set(s->facts, MXW__FACT_GREYLIST, mxw__greylist_answer_name(best));
	g->is_stated = true;
}

static void before(mxw_session_t *s, mxw_stage_t stage)
{
	struct mxw__greylisting *g = &s->greylisting;
	const char *rcpt = g->rcpt;

	if (stage == MXW_STAGE_MAIL)
		g->rcpt = NULL;
	if (stage < MXW_STAGE_RCPT)
		return;
	forget(s);
	if (stage == MXW_STAGE_RCPT && s->env.rcpt_refused_by_mta)
		return;
	if (stage == MXW_STAGE_RCPT)
		rcpt = s->env.rcpt_is_valid ? s->env.rcpt.key_text : s->env.rcpt_path;
	if (!rcpt || !mxw__greylist_is_subject(s) || !is_wanted(s, stage))
		return;
	mxw__stage_need_check(s, stage, &mxw__check_spf);
	if (stage == MXW_STAGE_EOM)
		add_signature(s, rcpt);
	add_spf(s, rcpt);
	add_network(s, rcpt);
	ask_others(s);
	state_answer(s);
}

/* ---- what has become of it ---- */

static void decided(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict)
{
	struct mxw__greylisting *g = &s->greylisting;
	bool is_put_off = mxw__is_refusal(verdict->decided) && verdict->code >= 400 && verdict->code < 500;

	if (stage < MXW_STAGE_RCPT)
		return;
	for (size_t i = 0; g->is_stated && is_put_off && i < g->n; i++)
		mxw__greylist_put_off(s->engine->greylist, &g->attempts[i], mxw__now_ms(&s->engine->clock));
	/* The message as a whole stands for this one. */
	if (stage == MXW_STAGE_RCPT && !g->rcpt && !mxw__is_refusal(verdict->decided) && !s->env.rcpt_refused_by_mta) {
		g->rcpt = mxw__arena_strdup(s->message_arena, s->env.rcpt_is_valid ? s->env.rcpt.key_text : s->env.rcpt_path);
		g->taken = g->attempts[0];
		g->has_taken = g->is_stated;
	}
}

/* Mail that was never put off makes known as well, in time; as what it would be looked for at RCPT. */
static void add_first(mxw_session_t *s)
{
	s->greylisting.n = 0;
	add_spf(s, "");
	if (!s->greylisting.n)
		add_network(s, "");
}

/* Only the best identity counts as known from now on: not the network as well, in which others live. */
static void message(mxw_session_t *s, const struct mxw_verdict *verdict)
{
	struct mxw__greylisting *g = &s->greylisting;
	bool is_taken = !mxw__is_refusal(verdict->decided) && g->rcpt && mxw__greylist_is_subject(s) &&
			mxw_policy_needs(s->snapshot->conf->policy, MXW_STAGE_RCPT, MXW__FACT_GREYLIST);
	int64_t now_ms = mxw__now_ms(&s->engine->clock);

	if (is_taken && g->is_stated)
		mxw__greylist_taken(s->engine->greylist, &g->attempts[0], now_ms);
	if (is_taken && g->has_taken)
		mxw__greylist_taken(s->engine->greylist, &g->taken, now_ms);
	if (is_taken && !g->is_stated && !g->has_taken) {
		add_first(s);
		mxw__greylist_taken(s->engine->greylist, &g->attempts[0], now_ms);
	}
	forget(s);
	*g = (struct mxw__greylisting){0};
}

static void aborted(mxw_session_t *s)
{
	s->greylisting = (struct mxw__greylisting){0};
}

const struct mxw__part mxw__part_greylist = {
	.name = "greylist",
	.make = make,
	.configure = configure,
	.free = free_all,
	.states = states,
	.before = before,
	.decided = decided,
	.message = message,
	.aborted = aborted,
};
