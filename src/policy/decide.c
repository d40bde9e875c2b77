/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first rule that holds decides. A rule whose condition is undetermined might hold: as long as all that could
 * have come out is the same, the missing fact does not matter; where it matters, the mail is deferred.
 */
#include "config.h"

#include "src/policy/rules.h"

/* RFC 7208 section 8.6 has this code for SPF; it fits every directory and DNS that can't be asked. */
#define UNDETERMINED_REPLY "451 4.4.3 Temporarily unable to check, try again later ({session})"

#define BIT(action) (1u << MXW_ACTION_##action)

/*
 * For each action that stands: which actions an earlier undetermined rule may have without making a difference that
 * matters. To defer loses nothing and always stands. A client that is sure to be cut off may be, whichever refusal
 * came before; but no 5xx stands where a 4xx or acceptance might have been due, and nothing is accepted or thrown away that
 * might have been refused. Nothing decided (continue) is what an accept rule comes to as well.
 */
static const unsigned harmless[] = {
	[MXW_ACTION_CONTINUE] = BIT(ACCEPT),
	[MXW_ACTION_ACCEPT] = BIT(ACCEPT),
	[MXW_ACTION_DEFER] = ~0u,
	[MXW_ACTION_REJECT] = BIT(REJECT),
	[MXW_ACTION_DISCONNECT] = BIT(DEFER) | BIT(REJECT) | BIT(DISCONNECT) | BIT(CONCEAL),
	[MXW_ACTION_DISCARD] = BIT(DISCARD),
	[MXW_ACTION_CONCEAL] = BIT(CONCEAL),
	[MXW_ACTION_GREYLIST] = ~0u,
	[MXW_ACTION_HOLD] = BIT(HOLD),
};

static unsigned harmless_to(const struct mxw__compiled_rule *decided)
{
	mxw_action_t action = decided ? decided->rule.action : MXW_ACTION_CONTINUE;

	/* To conceal with a 4xx reply is to defer. */
	if (action == MXW_ACTION_CONCEAL && !mxw__reply_is_late(decided->rule.reply))
		action = MXW_ACTION_DEFER;
	return harmless[action];
}

/* The first undetermined rule of each action. */
struct pending {
	const struct mxw__compiled_rule *rules[MXW_ARRAY_LEN(harmless)];
	const struct mxw__compiled_rule *first[MXW_ARRAY_LEN(harmless)];
	size_t n;
};

static void add_pending(struct pending *pending, const struct mxw__compiled_rule *c)
{
	mxw_action_t action = c->rule.action;

	if (pending->rules[action])
		return;
	pending->rules[action] = c;
	pending->first[pending->n++] = c;
}

static void observe(struct mxw_decision *decision, const struct mxw__rule *rule)
{
	if (decision->nobserved < MXW_OBSERVED_MAX) {
		decision->observed[decision->nobserved].rule = rule->name;
		decision->observed[decision->nobserved].action = rule->action;
	}
	decision->nobserved++;
}

static void take(struct mxw_decision *decision, const struct mxw__compiled_rule *c, const mxw_facts_t *facts)
{
	decision->action = c->rule.action;
	decision->rule = c->rule.name;
	decision->file = c->rule.file;
	decision->line = c->rule.line;
	decision->reply = c->rule.reply;
	if (c->condition)
		mxw__expr_explain(c->condition, facts, decision);
}

/* A rule that does not decide. */
static void note(struct mxw_decision *decision, const struct mxw__rule *rule)
{
	if (rule->action == MXW_ACTION_TAG && decision->ntags < MXW_TAGS_MAX) {
		decision->tags[decision->ntags].rule = rule->name;
		decision->tags[decision->ntags++].field = rule->reply;
	} else if (rule->delay_ms > decision->delay_ms) {
		decision->delay_ms = rule->delay_ms;
		decision->delay_rule = rule->name;
	}
}

/* The rule that decides, if any, against those that might have. */
static void settle(struct mxw_decision *decision, const struct mxw__compiled_rule *decided, const struct pending *pending,
		   const mxw_facts_t *facts)
{
	mxw_action_t action = decided ? decided->rule.action : MXW_ACTION_CONTINUE;

	for (size_t i = 0; i < pending->n; i++) {
		const struct mxw__compiled_rule *c = pending->first[i];
		if (c->rule.action != action)
			decision->is_undetermined = action != MXW_ACTION_CONTINUE || c->rule.action != MXW_ACTION_ACCEPT;
		if (harmless_to(decided) >> c->rule.action & 1)
			continue;
		take(decision, c, facts);
		decision->action = MXW_ACTION_DEFER;
		decision->reply = UNDETERMINED_REPLY;
		decision->is_undetermined = true;
		return;
	}
	if (decided)
		take(decision, decided, facts);
}

bool mxw__policy_conceals(const mxw_policy_t *policy, const mxw_facts_t *facts)
{
	for (size_t i = 0; policy->may_conceal && i < policy->nrules; i++) {
		const struct mxw__compiled_rule *c = &policy->rules[i];
		mxw_action_t action = c->rule.action;
		if (!(c->tried >> MXW_STAGE_RCPT & 1) || c->rule.observe || c->tells_existence)
			continue;
		if (action != MXW_ACTION_CONCEAL && action != MXW_ACTION_ACCEPT)
			continue;
		if (!c->condition || mxw__expr_eval(c->condition, facts) == MXW__TRUE)
			return action == MXW_ACTION_CONCEAL;
	}
	return false;
}

bool mxw__policy_hangs_on(const mxw_policy_t *policy, mxw_stage_t stage, const mxw_facts_t *facts, mxw_fact_id_t fact)
{
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct mxw__compiled_rule *c = &policy->rules[i];
		if (!(c->tried >> stage & 1))
			continue;
		if (!mxw__fact_bits_has(&c->facts, fact) && !mxw__fact_bits_has(&c->reply_facts, fact))
			continue;
		if (!c->condition || mxw__expr_eval(c->condition, facts) != MXW__FALSE)
			return true;
	}
	return false;
}

/* Does the rule stand aside for one recipient, since it is concealed or since it is not? */
static bool is_passed_over(const struct mxw__compiled_rule *c, bool is_concealed, mxw__tri_t value)
{
	if (is_concealed)
		return c->tells_existence;
	return c->rule.action == MXW_ACTION_CONCEAL && !c->rule.observe && value == MXW__TRUE;
}

void mxw__policy_decide_as(const mxw_policy_t *policy, mxw_stage_t stage, const mxw_facts_t *facts, bool is_concealed,
			   struct mxw_decision *ret_decision)
{
	const struct mxw__compiled_rule *decided = NULL;
	struct pending pending = {0};

	*ret_decision = (struct mxw_decision){.action = MXW_ACTION_CONTINUE};
	for (size_t i = 0; i < policy->nrules && !decided; i++) {
		const struct mxw__compiled_rule *c = &policy->rules[i];
		bool is_tried = c->tried >> stage & 1, may_be_pending = c->pending >> stage & 1;
		if (!is_tried && !may_be_pending)
			continue;
		mxw__tri_t value = c->condition ? mxw__expr_eval(c->condition, facts) : MXW__TRUE;
		if (is_passed_over(c, is_concealed, value))
			continue;
		if (value == MXW__UNKNOWN && may_be_pending)
			add_pending(&pending, c);
		else if (value == MXW__TRUE && is_tried && c->rule.observe)
			observe(ret_decision, &c->rule);
		else if (value == MXW__TRUE && is_tried && !mxw__action_is_final(c->rule.action))
			note(ret_decision, &c->rule);
		else if (value == MXW__TRUE && is_tried)
			decided = c;
	}
	settle(ret_decision, decided, &pending, facts);
}

void mxw_policy_decide(const mxw_policy_t *policy, mxw_stage_t stage, const mxw_facts_t *facts,
		       struct mxw_decision *ret_decision)
{
	bool is_concealed = stage == MXW_STAGE_RCPT && mxw__policy_conceals(policy, facts);

	mxw__policy_decide_as(policy, stage, facts, is_concealed, ret_decision);
}
