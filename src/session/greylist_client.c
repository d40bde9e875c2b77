/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * greylist_client.c: an honest server that shows no domain, in a network whose other hosts guess recipients.
 *
 * It can't be told from them but by what its own address has done: it has been sending for days, or it tries the same again for longer
 * than who guesses waits for an answer. Both are what the greylist remembers, here of the address (an IPv6 /64) alone, whoever the
 * sender is. Rules that put off by network are to spare who has passed or is known.
 *
 * What one address can learn by that is bounded, however patient it is, for whom it names as the sender and whether many do it together:
 * who was told of a recipient that does not exist neither passes nor is known for as long as attempts are remembered. Of who was
 * known, this counts only where he is known in spite of his network, and one such mistake in that time is everybody's. Who has nothing
 * to show but patience has these mistakes in common with his IPv4 /24 or IPv6 /32, and so has, from the second on, who is known since
 * then only: there is many an address in them that somebody patient could go on with. After a day an IPv4 address is heard all
 * the same. Where recipients are concealed nobody is told of any, and nothing is counted.
 *
 * What counts are marks in the greylist ("mistaken:", "mistaken-again:"), which outlive a restart and go to other hosts with it. Who is
 * forgiven has another mark ("forgiven:"): those before it do not count any more, wherever they are.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/share/share.h"

enum { LONG_MS = 24 * 3600 * 1000 };

static mxw__greylist_t *greylist_of(const mxw_session_t *s)
{
	return s->engine->greylist;
}

static int64_t now_of(const mxw_session_t *s)
{
	return mxw__now_ms(&s->engine->clock);
}

static bool is_used(const mxw_session_t *s)
{
	return mxw__greylist_is_subject(s) && mxw_policy_needs(s->snapshot->conf->policy, MXW_STAGE_RCPT, MXW__FACT_GREYLIST_CLIENT);
}

/* ---- whose ---- */

static void make(const mxw_session_t *s, const char *what, const char *sender, const char *rcpt, struct mxw__greylist_attempt *ret_attempt)
{
	struct mxw__key key = mxw__key_of_ip(MXW__KEY_ADDRESS, &s->env.client);
	char text[MXW__KEY_TEXT_MAX], identity[MXW__KEY_TEXT_MAX + 24];

	snprintf(identity, sizeof identity, "%s:%s", what, mxw__key_text(&key, text));
	mxw__greylist_attempt_make(identity, sender, rcpt, ret_attempt);
	ret_attempt->delay_ms = s->snapshot->conf->greylist.client_delay_ms;
}

/* What a patient client has in common with the other addresses that somebody who has it can have as well. */
static void make_wide(const mxw_session_t *s, const char *what, struct mxw__greylist_attempt *ret_attempt)
{
	struct mxw_ip ip = {.family = s->env.client.family};
	char text[MXW_IP_TEXT_MAX], identity[MXW_IP_TEXT_MAX + 24];
	size_t n = ip.family == 4 ? 3 : 4;

	memcpy(ip.bytes, s->env.client.bytes, n);
	snprintf(identity, sizeof identity, "%s:%s/%zu", what, mxw_ip_format(&ip, text), 8 * n);
	mxw__greylist_attempt_make(identity, "", "", ret_attempt);
}

static const char *rcpt_of(const mxw_session_t *s)
{
	return s->env.rcpt_is_valid ? s->env.rcpt.key_text : s->env.rcpt_path;
}

static void make_attempt(const mxw_session_t *s, const char *rcpt, struct mxw__greylist_attempt *ret_attempt)
{
	make(s, "address", s->env.sender_is_valid ? s->env.sender.text : s->env.sender_path, rcpt, ret_attempt);
}

/* ---- mistakes ---- */

/* The first ones, and the end of what there was before. */
enum { ONCE, AGAIN, WIDE_ONCE, WIDE_AGAIN, FORGIVEN, WIDE_FORGIVEN, MISTAKES };

static void make_mistakes(const mxw_session_t *s, struct mxw__greylist_attempt ret_mistakes[MISTAKES])
{
	make(s, "mistaken", "", "", &ret_mistakes[ONCE]);
	make(s, "mistaken-again", "", "", &ret_mistakes[AGAIN]);
	make_wide(s, "mistaken", &ret_mistakes[WIDE_ONCE]);
	make_wide(s, "mistaken-again", &ret_mistakes[WIDE_AGAIN]);
	make(s, "forgiven", "", "", &ret_mistakes[FORGIVEN]);
	make_wide(s, "forgiven", &ret_mistakes[WIDE_FORGIVEN]);
}

static bool has(const mxw_session_t *s, const struct mxw__greylist_attempt mistakes[MISTAKES], unsigned which)
{
	const struct mxw__greylist_attempt *end = &mistakes[which >= WIDE_ONCE ? WIDE_FORGIVEN : FORGIVEN];

	return mxw__greylist_has_mark_after(greylist_of(s), &mistakes[which], end, now_of(s));
}

static void mark(const mxw_session_t *s, const struct mxw__greylist_attempt mistakes[MISTAKES], unsigned once)
{
	unsigned again = once + 1;

	mxw__greylist_mark(greylist_of(s), &mistakes[has(s, mistakes, once) ? again : once], now_of(s));
}

bool mxw__greylist_forgive(mxw_engine_t *engine, const struct mxw__key *key)
{
	static const char *const marks[] = {"mistaken", "mistaken-again"};
	char text[MXW__KEY_TEXT_MAX], identity[MXW__KEY_TEXT_MAX + 24];
	struct mxw__greylist_attempt mistake, end;
	int64_t now_ms = mxw__now_ms(&engine->clock);
	bool has_any = false;

	if (key->kind > MXW__KEY_WIDE)
		return false;
	mxw__key_text(key, text);
	snprintf(identity, sizeof identity, "forgiven:%s", text);
	mxw__greylist_attempt_make(identity, "", "", &end);
	for (size_t i = 0; i < MXW_ARRAY_LEN(marks); i++) {
		snprintf(identity, sizeof identity, "%s:%s", marks[i], text);
		mxw__greylist_attempt_make(identity, "", "", &mistake);
		has_any |= mxw__greylist_has_mark_after(engine->greylist, &mistake, &end, now_ms);
	}
	/* On another host, which has not told this one yet, there may be some. */
	if (has_any || engine->share)
		mxw__greylist_mark(engine->greylist, &end, now_ms);
	return has_any;
}

/* The client was told that the recipient does not exist. One that it tries again and again is one mistake. */
static void note_mistake(const mxw_session_t *s)
{
	const struct mxw__greylist_client *c = &s->greylist_client;
	struct mxw__greylist_attempt mistakes[MISTAKES], attempt;

	make(s, "mistake", "", rcpt_of(s), &attempt);
	if (mxw__greylist_look(greylist_of(s), &attempt, now_of(s)) != MXW__GREYLIST_NEW)
		return;
	mxw__greylist_put_off(greylist_of(s), &attempt, now_of(s));
	make_mistakes(s, mistakes);
	if (c->is_stated && c->answer >= MXW__GREYLIST_PASSED && !mxw__greylist_is_old(greylist_of(s), &c->attempt, now_of(s)))
		mark(s, mistakes, WIDE_ONCE);
	mark(s, mistakes, ONCE);
}

/* ---- what is stated ---- */

static bool is_wanted(mxw_session_t *s)
{
	const mxw_policy_t *policy = s->snapshot->conf->policy;

	mxw_facts_set_unavailable(s->facts, MXW__FACT_GREYLIST_CLIENT, NULL);
	bool hangs = mxw__policy_hangs_on(policy, MXW_STAGE_RCPT, s->facts, MXW__FACT_GREYLIST_CLIENT);
	mxw__facts_forget(s->facts, MXW__FACT_GREYLIST_CLIENT);
	return hangs;
}

static void ask_others(mxw_session_t *s, const struct mxw__greylist_attempt mistakes[MISTAKES])
{
	char identity[MXW__GREYLIST_KEY_MAX], attempt[MXW__GREYLIST_KEY_MAX];
	struct mxw__wants wants;

	wants.n = 0;
	mxw__greylist_keys(&s->greylist_client.attempt, identity, attempt);
	mxw__wants_add(&wants, &mxw__greylist_sort, identity);
	mxw__wants_add(&wants, &mxw__greylist_sort, attempt);
	for (size_t i = 0; i < MISTAKES; i++) {
		mxw__greylist_keys(&mistakes[i], identity, attempt);
		mxw__wants_add(&wants, &mxw__greylist_sort, identity);
	}
	mxw__session_want(s, &wants);
}

/* So long that who lives among patient harvesters is not kept out for ever. There are not so many addresses of IPv4. */
static bool has_waited_long(const mxw_session_t *s)
{
	struct mxw__greylist_attempt attempt = s->greylist_client.attempt;

	attempt.delay_ms = LONG_MS;
	return s->env.client.family == 4 && mxw__greylist_has_waited(greylist_of(s), &attempt, now_of(s));
}

static mxw__greylist_answer_t answer_of(const mxw_session_t *s, const struct mxw__greylist_attempt mistakes[MISTAKES])
{
	mxw__greylist_answer_t answer = mxw__greylist_look(greylist_of(s), &s->greylist_client.attempt, now_of(s));

	if (answer < MXW__GREYLIST_PASSED)
		return answer;
	bool is_known = answer == MXW__GREYLIST_KNOWN;
	if (has(s, mistakes, is_known ? AGAIN : ONCE))
		return MXW__GREYLIST_WAITING;
	if (mxw__greylist_is_old(greylist_of(s), &s->greylist_client.attempt, now_of(s)))
		return answer;
	return has(s, mistakes, is_known ? WIDE_AGAIN : WIDE_ONCE) && !has_waited_long(s) ? MXW__GREYLIST_WAITING : answer;
}

static void before(mxw_session_t *s, mxw_stage_t stage)
{
	struct mxw__greylist_client *c = &s->greylist_client;
	struct mxw__greylist_attempt mistakes[MISTAKES];

	c->is_stated = false;
	if (stage >= MXW_STAGE_RCPT)
		mxw__facts_forget(s->facts, MXW__FACT_GREYLIST_CLIENT);
	if (stage == MXW_STAGE_MAIL)
		c->has_taken = false;
	if (stage != MXW_STAGE_RCPT || s->env.rcpt_refused_by_mta || !is_used(s) || !is_wanted(s))
		return;
	make_attempt(s, rcpt_of(s), &c->attempt);
	make_mistakes(s, mistakes);
	ask_others(s, mistakes);
	c->answer = answer_of(s, mistakes);
	c->is_stated = true;
	mxw_facts_set(s->facts, MXW__FACT_GREYLIST_CLIENT, mxw__greylist_answer_name(c->answer));
}

/* ---- what has become of it ---- */

/* By a rule, or by the MTA; of domains that are not ours it says nothing. */
static bool is_told(const mxw_session_t *s, const struct mxw_verdict *verdict)
{
	const char *rcpt = mxw_facts_get(s->facts, MXW__FACT_RCPT);

	if (s->env.rcpt_refused_by_mta)
		return !s->env.rcpt_deferred_by_mta && s->env.rcpt_domain;
	return verdict->decided == MXW_ACTION_REJECT && rcpt && strcmp(rcpt, "unknown") == 0 &&
	       !mxw_facts_is_unavailable(s->facts, MXW__FACT_RCPT);
}

/* Sending for days, in spite of a mistake now and then: those count where its network makes it suspect. */
static bool is_above_it(const mxw_session_t *s)
{
	struct mxw__greylist_attempt attempt;

	if (s->greylist_client.is_stated)
		return false;
	make_attempt(s, rcpt_of(s), &attempt);
	return mxw__greylist_is_old(greylist_of(s), &attempt, now_of(s));
}

static void decided(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict)
{
	struct mxw__greylist_client *c = &s->greylist_client;

	if (stage != MXW_STAGE_RCPT || !is_used(s))
		return;
	if (is_told(s, verdict) && !is_above_it(s)) {
		note_mistake(s);
	} else if (mxw__is_refusal(verdict->decided)) {
		if (c->is_stated && verdict->code >= 400 && verdict->code < 500)
			mxw__greylist_put_off(greylist_of(s), &c->attempt, now_of(s));
	} else if (!c->has_taken && !s->env.rcpt_refused_by_mta) {
		make_attempt(s, rcpt_of(s), &c->taken);
		c->has_taken = true;
	}
}

/* Who shows a domain is known by that. */
static void message(mxw_session_t *s, const struct mxw_verdict *verdict)
{
	struct mxw__greylist_client *c = &s->greylist_client;

	if (c->has_taken && !mxw__is_refusal(verdict->decided) && is_used(s) && !mxw__greylist_has_domain(s))
		mxw__greylist_taken(greylist_of(s), &c->taken, now_of(s));
	*c = (struct mxw__greylist_client){0};
}

static void aborted(mxw_session_t *s)
{
	s->greylist_client = (struct mxw__greylist_client){0};
}

const struct mxw__part mxw__part_greylist_client = {
	.name = "greylist-client",
	.before = before,
	.decided = decided,
	.message = message,
	.aborted = aborted,
};
