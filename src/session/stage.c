/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/session/engine.h"

enum { HOLD_MARGIN_MS = 50 };

void mxw__stage_begin(mxw_session_t *s)
{
	s->step_began_ms = mxw__now_ms(&s->engine->clock);
}

/* A check may want to see more of the session first; at the end there is no more to come. */
static bool is_due(const mxw_session_t *s, size_t c, mxw_stage_t stage)
{
	const struct mxw__check *check = mxw__check_list[c];

	return check->stage <= stage && (check->scope != MXW_SCOPE_RCPT || stage == MXW_STAGE_RCPT) &&
	       (!check->is_due || check->is_due(&s->ctx, stage));
}

/* One step of every check: those of `waited` into the one, the others into the other. */
static void gather_step(mxw_session_t *s, mxw_stage_t stage, uint32_t waited, struct mxw__gather *wanted,
			struct mxw__gather *others)
{
	for (size_t c = 0; mxw__check_list[c]; c++) {
		uint32_t bit = UINT32_C(1) << c;
		if ((s->snapshot->enabled & bit) && !(s->done & bit) && mxw__check_list[c]->gather)
			mxw__check_list[c]->gather(&s->ctx, stage, waited & bit ? wanted : others);
	}
}

bool mxw__session_is_stranger(const mxw_session_t *s)
{
	return mxw__is_stranger(&s->env) && !s->has_authenticated;
}

/* Waits for what the checks of `waited` will ask when they run. */
static void gather_for(mxw_session_t *s, mxw_stage_t stage, uint32_t waited)
{
	struct mxw__gather wanted, others;

	/* A relay brings what many have sent, and who is known answers for it elsewhere: the rate is for strangers. */
	s->budget.client = mxw__session_is_stranger(s) ? s->env.client : (struct mxw_ip){0};
	mxw__gather_init(&wanted, s->snapshot->resolver, &s->budget);
	mxw__gather_init(&others, s->snapshot->resolver, &s->budget);
	for (int i = 0; i < MXW__GATHER_ROUNDS; i++) {
		gather_step(s, stage, waited, &wanted, &others);
		if (!waited || !mxw__gather_wait(&wanted, s->ctx.deadline_ms))
			break;
	}
	mxw__gather_fini(&wanted);
	mxw__gather_fini(&others);
}

void mxw__stage_gather(mxw_session_t *s, mxw_stage_t stage)
{
	gather_for(s, stage, 0);
}

static void run_check(mxw_session_t *s, size_t c)
{
	const struct mxw__check *check = mxw__check_list[c];

	s->done |= UINT32_C(1) << c;
	if (check->run)
		check->run(&s->ctx);
}

/* Is it to run at this stage? Cheap checks at their own, lazy ones when a rule of this stage names one of their facts. */
static bool is_wanted(const mxw_session_t *s, size_t c, mxw_stage_t stage)
{
	uint32_t bit = UINT32_C(1) << c;

	return (s->snapshot->enabled & bit) && !(s->done & bit) && is_due(s, c, stage) &&
	       (!mxw__check_list[c]->is_lazy || (s->snapshot->wanted[stage] & bit));
}

/*
 * A rule may name a fact of an earlier stage, so every stage looks at all checks up to its own. One check may be left for
 * later. Those that cost no wait come first: what they state says what the others have to ask.
 */
static void run_checks(mxw_session_t *s, mxw_stage_t stage, const struct mxw__check *but)
{
	uint32_t lazy = 0;

	for (size_t c = 0; mxw__check_list[c]; c++) {
		if (mxw__check_list[c] == but || !is_wanted(s, c, stage))
			continue;
		if (mxw__check_list[c]->is_lazy)
			lazy |= UINT32_C(1) << c;
		else
			run_check(s, c);
	}
	gather_for(s, stage, lazy);
	for (size_t c = 0; lazy && mxw__check_list[c]; c++)
		if (lazy & (UINT32_C(1) << c))
			run_check(s, c);
}

static size_t index_of(const struct mxw__check *check)
{
	size_t c = 0;

	while (mxw__check_list[c] && mxw__check_list[c] != check)
		c++;
	return c;
}

void mxw__stage_need_check(mxw_session_t *s, mxw_stage_t stage, const struct mxw__check *check)
{
	size_t c = index_of(check);
	uint32_t bit = UINT32_C(1) << c;
	if (!mxw__check_list[c] || !(s->snapshot->enabled & bit) || (s->done & bit) || !is_due(s, c, stage))
		return;
	gather_for(s, stage, bit);
	run_check(s, c);
}

void mxw__stage_finish_checks(mxw_session_t *s)
{
	uint32_t left = 0;

	for (size_t c = 0; mxw__check_list[c]; c++) {
		uint32_t bit = UINT32_C(1) << c;
		if ((s->snapshot->enabled & bit) && !(s->done & bit) && mxw__check_list[c]->scope != MXW_SCOPE_RCPT)
			left |= bit;
	}
	gather_for(s, MXW_STAGE_EOM, left);
	for (size_t c = 0; left && mxw__check_list[c]; c++)
		if (left & (UINT32_C(1) << c))
			run_check(s, c);
}

void mxw__note_observed(mxw_session_t *s, const char *rule, mxw_action_t action)
{
	struct mxw__message_record *r = &s->record;

	for (size_t i = 0; i < r->nobserved; i++)
		if (r->observed[i].rule == rule)
			return;
	if (r->nobserved < MXW_OBSERVED_MAX) {
		r->observed[r->nobserved].rule = rule;
		r->observed[r->nobserved++].action = action;
	}
}

/* `accept` holds for what it was decided about: the session, the message, or this recipient only. */
static void remember_accept(mxw_session_t *s, mxw_stage_t stage)
{
	if (stage < MXW_STAGE_MAIL)
		s->session_accepted = true;
	else if (stage != MXW_STAGE_RCPT)
		s->message_accepted = true;
}

/* To the client it is a deferral now, or a refusal at the end of the message. */
static void conceal_reply(struct mxw__message_record *r, struct mxw_verdict *v)
{
	if (v->code < 500) {
		v->action = MXW_ACTION_DEFER;
		return;
	}
	if (r->late.decided == MXW_ACTION_CONTINUE) {
		r->late = *v;
		r->late.action = r->late.decided = MXW_ACTION_REJECT;
	}
	v->action = MXW_ACTION_CONTINUE;
	v->code = 0;
	v->enhanced[0] = v->text[0] = '\0';
}

static void make_verdict(mxw_session_t *s, const struct mxw_decision *decision, struct mxw_verdict *v)
{
	struct mxw__reply_vars vars = {
		.client = s->env.client_text,
		.helo = s->env.helo,
		.sender = s->env.sender_is_valid ? s->env.sender.text : s->env.sender_path,
		.rcpt = s->env.rcpt_is_valid ? s->env.rcpt.text : s->env.rcpt_path,
		.session = s->id,
	};

	mxw__reply_make(decision, s->facts, &vars, v);
	snprintf(v->session, sizeof v->session, "%s", s->id);
	v->decided = v->action;
	if (v->action == MXW_ACTION_CONCEAL)
		conceal_reply(&s->record, v);
	if (v->action == MXW_ACTION_GREYLIST)
		v->action = MXW_ACTION_DEFER;
	if (s->snapshot->conf->observe)
		v->action = MXW_ACTION_CONTINUE;
	if (v->action == MXW_ACTION_HOLD && !s->abilities.quarantines)
		mxw__stage_defer(s, 451, "4.7.1", "Temporarily refused, try again later", decision->rule, v);
	/* A recipient that is not taken is none of the message's. */
	if (!mxw__is_refusal(v->action) && !s->env.rcpt_refused_by_mta)
		mxw__tags_note(s, decision, &vars);
}

void mxw__stage_defer(const mxw_session_t *s, int code, const char *enhanced, const char *text, const char *rule,
		      struct mxw_verdict *ret_verdict)
{
	struct mxw_verdict *v = ret_verdict;

	*v = (struct mxw_verdict){.action = MXW_ACTION_DEFER, .decided = MXW_ACTION_DEFER, .code = code, .rule = rule};
	snprintf(v->enhanced, sizeof v->enhanced, "%s", enhanced);
	snprintf(v->text, sizeof v->text, "%s", text);
	snprintf(v->session, sizeof v->session, "%s", s->id);
	if (s->snapshot->conf->observe)
		v->action = MXW_ACTION_CONTINUE;
}

void mxw__stage_defer_short(const mxw_session_t *s, struct mxw_verdict *ret_verdict)
{
	mxw__stage_defer(s, 451, "4.3.2", "Short of resources, try again later", "short-of-memory", ret_verdict);
}

static bool is_short(const mxw_session_t *s)
{
	return s->is_short[MXW_SCOPE_SESSION] || s->is_short[MXW_SCOPE_MESSAGE] || s->is_short[MXW_SCOPE_RCPT];
}

static void finish(mxw_session_t *s, mxw_stage_t stage, const struct mxw_decision *decision, struct mxw_verdict *v)
{
	for (size_t i = 0; i < decision->nobserved && i < MXW_OBSERVED_MAX; i++)
		mxw__note_observed(s, decision->observed[i].rule, decision->observed[i].action);
	if (decision->action == MXW_ACTION_ACCEPT)
		remember_accept(s, stage);
	make_verdict(s, decision, v);
}

/* ---- concealing ---- */

/*
 * Asked before the recipient is looked for, so that its existence has no part in the answer. What the MTA has refused
 * itself is no secret any more. `ret_is_counted`: mxw__parts_before() was called.
 */
static bool is_to_be_concealed(mxw_session_t *s, bool *ret_is_counted)
{
	const mxw_policy_t *policy = s->snapshot->conf->policy;

	*ret_is_counted = false;
	if (!mxw__policy_may_conceal(policy) || s->session_accepted || s->message_accepted || s->env.rcpt_refused_by_mta)
		return false;
	run_checks(s, MXW_STAGE_RCPT, &mxw__check_directory);
	mxw__parts_before(s, MXW_STAGE_RCPT);
	*ret_is_counted = true;
	return mxw__policy_conceals(policy, s->facts);
}

/*
 * What is decided, said and counted is settled before the recipient is looked for, and what is found is told to the log
 * alone: every recipient of ours that is tried counts as one that does not exist, and none adds points. The look-up is made beside
 * the session, and ends some time before the reply is due. Without a hold, or when it is over, there is none: it would show in the time.
 */
static void conceal_rcpt(mxw_session_t *s, struct mxw_decision *decision, struct mxw_verdict *ret_verdict)
{
	const struct mxw_conf *conf = s->snapshot->conf;
	int64_t margin_ms = (int64_t)conf->timeouts.concealed_reply_ms / 4;

	mxw__policy_decide_as(conf->policy, MXW_STAGE_RCPT, s->facts, true, decision);
	finish(s, MXW_STAGE_RCPT, decision, ret_verdict);
	s->record.concealed++;
	if (conf->observe) {
		run_checks(s, MXW_STAGE_RCPT, NULL);
		mxw__parts_after(s, MXW_STAGE_RCPT);
		return;
	}
	if (s->env.rcpt_domain)
		mxw__track_concealed(s);
	if (!mxw__hold_concealed(s))
		return;
	s->ctx.deadline_ms = s->hold_until_ms - (margin_ms < HOLD_MARGIN_MS ? margin_ms : HOLD_MARGIN_MS);
	/* Another check, SPF for one, may have taken all the time there was. */
	if (mxw__now_ms(&s->engine->clock) < s->ctx.deadline_ms && is_wanted(s, index_of(&mxw__check_directory), MXW_STAGE_RCPT))
		mxw__concealed_look_up(s);
}

void mxw__stage_decide(mxw_session_t *s, mxw_stage_t stage, struct mxw_verdict *ret_verdict)
{
	const struct mxw_conf *conf = s->snapshot->conf;
	uint64_t budget = stage == MXW_STAGE_EOM ? conf->timeouts.end_of_message_ms : conf->timeouts.before_data_ms;
	struct mxw_decision decision = {.action = MXW_ACTION_CONTINUE};
	bool is_counted = false;

	if (is_short(s)) {
		mxw__stage_defer_short(s, ret_verdict);
		return;
	}
	s->ctx.deadline_ms = s->step_began_ms + (int64_t)budget;
	if (stage == MXW_STAGE_RCPT && is_to_be_concealed(s, &is_counted)) {
		conceal_rcpt(s, &decision, ret_verdict);
		mxw__hold_delayed(s, stage, &decision, ret_verdict);
		mxw__parts_decided(s, stage, ret_verdict);
		return;
	}
	run_checks(s, stage, NULL);
	if (!is_counted)
		mxw__parts_before(s, stage);
	mxw__parts_after(s, stage);
	mxw__nat_watch(s, stage);
	if (!s->session_accepted && !s->message_accepted)
		mxw__policy_decide_as(conf->policy, stage, s->facts, false, &decision);
	finish(s, stage, &decision, ret_verdict);
	mxw__hold_delayed(s, stage, &decision, ret_verdict);
	mxw__parts_decided(s, stage, ret_verdict);
}

void mxw__stage_clear(mxw_session_t *s, mxw_fact_scope_t scope)
{
	mxw_facts_clear(s->facts, scope);
	for (int i = scope; i <= MXW_SCOPE_RCPT; i++)
		s->is_short[i] = false;
	for (size_t c = 0; mxw__check_list[c]; c++)
		if (mxw__check_list[c]->scope >= scope)
			s->done &= ~(UINT32_C(1) << c);
}
