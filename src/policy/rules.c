/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules into a policy: at which stages each is tried, and which facts each stage needs. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/policy/rules.h"

enum { POLICY_BYTES_MAX = 16 << 20, RULES_MAX = 4096, NAME_LEN_MAX = 64 };

#define STAGE(s) (1u << MXW_STAGE_##s)
#define ALL_STAGES ((1u << MXW_STAGE_COUNT) - 1)

/* A rule that throws a message away must have seen the whole of what it is about: never one recipient. */
#define DISCARD_STAGES (STAGE(MAIL) | STAGE(DATA) | STAGE(EOM))

/* One that tags: there must be a message. */
#define TAG_STAGES (STAGE(MAIL) | STAGE(RCPT) | STAGE(DATA) | STAGE(EOM))

static const char *const action_names[] = {
	[MXW_ACTION_CONTINUE] = "continue",
	[MXW_ACTION_ACCEPT] = "accept",
	[MXW_ACTION_DEFER] = "defer",
	[MXW_ACTION_REJECT] = "reject",
	[MXW_ACTION_DISCONNECT] = "disconnect",
	[MXW_ACTION_DISCARD] = "discard",
	[MXW_ACTION_CONCEAL] = "conceal",
	[MXW_ACTION_GREYLIST] = "greylist",
	[MXW_ACTION_HOLD] = "hold",
	[MXW_ACTION_TARPIT] = "tarpit",
	[MXW_ACTION_TAG] = "tag",
};

const char *mxw_action_name(mxw_action_t action)
{
	return (size_t)action < MXW_ARRAY_LEN(action_names) ? action_names[action] : "unknown";
}

bool mxw__action_is_final(mxw_action_t action)
{
	return action != MXW_ACTION_TARPIT && action != MXW_ACTION_TAG;
}

mxw_status_t mxw__policy_builder_new(mxw__policy_builder_t **ret_builder)
{
	mxw__policy_builder_t *b = calloc(1, sizeof *b);

	if (!b)
		return MXW_ERR_NOMEM;
	b->arena = mxw__arena_new(POLICY_BYTES_MAX);
	if (!b->arena) {
		free(b);
		return MXW_ERR_NOMEM;
	}
	*ret_builder = b;
	return MXW_OK;
}

void mxw__policy_builder_free(mxw__policy_builder_t *builder)
{
	if (!builder)
		return;
	mxw__arena_free(builder->arena);
	free(builder->rules);
	free(builder);
}

/* ---- stages ---- */

static unsigned from_stage_on(mxw_stage_t stage)
{
	return ALL_STAGES & ~((1u << stage) - 1);
}

/* The stages at which every fact of the set can be known. `ret_why` is the fact that is known last. */
static unsigned possible_stages(const struct mxw__fact_bits *facts, mxw_fact_id_t *ret_why)
{
	unsigned stages = ALL_STAGES;
	mxw_stage_t latest = MXW_STAGE_CONNECT;

	*ret_why = MXW_FACT_NONE;
	for (mxw_fact_id_t id = 0; id < MXW__FACT_COUNT; id++) {
		if (!mxw__fact_bits_has(facts, id))
			continue;
		stages &= from_stage_on(mxw__fact_table[id].stage);
		if (mxw__fact_table[id].scope == MXW_SCOPE_RCPT)
			stages &= STAGE(RCPT);
		if (*ret_why == MXW_FACT_NONE || mxw__fact_table[id].stage > latest) {
			latest = mxw__fact_table[id].stage;
			*ret_why = id;
		}
	}
	return stages;
}

static mxw_fact_id_t rcpt_fact(const struct mxw__fact_bits *facts)
{
	for (mxw_fact_id_t id = 0; id < MXW__FACT_COUNT; id++)
		if (mxw__fact_bits_has(facts, id) && mxw__fact_table[id].scope == MXW_SCOPE_RCPT)
			return id;
	return MXW_FACT_NONE;
}

static mxw_status_t complain_at(unsigned at, unsigned possible, const struct mxw__compiled_rule *c, mxw_fact_id_t why,
				struct mxw_error *err)
{
	unsigned wrong = at & ~possible;
	mxw_fact_id_t rcpt = rcpt_fact(&c->facts);
	mxw_stage_t stage = MXW_STAGE_CONNECT;

	while (!(wrong >> stage & 1))
		stage++;
	if (rcpt != MXW_FACT_NONE && stage > MXW_STAGE_RCPT)
		return mxw__fail(err, MXW_ERR_CONF, "can't be tried at %s: '%s' is about one recipient and known at rcpt only",
				 mxw_stage_name(stage), mxw__fact_table[rcpt].name);
	if (why != MXW_FACT_NONE && stage < mxw__fact_table[why].stage)
		return mxw__fail(err, MXW_ERR_CONF, "can't be tried at %s: '%s' is known from %s on",
				 mxw_stage_name(stage), mxw__fact_table[why].name,
				 mxw_stage_name(mxw__fact_table[why].stage));
	if (c->rule.action == MXW_ACTION_CONCEAL)
		return mxw__fail(err, MXW_ERR_CONF, "can't be tried at %s: 'conceal' answers recipients, at rcpt only",
				 mxw_stage_name(stage));
	if (c->rule.action == MXW_ACTION_HOLD)
		return mxw__fail(err, MXW_ERR_CONF, "can't be tried at %s: 'hold' takes a whole message, at eom only",
				 mxw_stage_name(stage));
	if (c->rule.action == MXW_ACTION_TAG)
		return mxw__fail(err, MXW_ERR_CONF, "can't be tried at %s: 'tag' is for a message, at mail, rcpt, data or eom",
				 mxw_stage_name(stage));
	return mxw__fail(err, MXW_ERR_CONF, "can't be tried at %s: 'discard' takes a whole message, at mail, data or eom",
			 mxw_stage_name(stage));
}

/*
 * An accept rule lets a session (connect, helo) or message (mail, data) pass at later stages too. One that is tried
 * at an early stage only and was undetermined there is still in the way of a later refusal.
 */
static unsigned pending_stages(const struct mxw__compiled_rule *c)
{
	unsigned stages = c->tried;

	/* Nobody is delayed or tagged out of doubt. */
	if (c->rule.observe || c->rule.skip_if_unknown || c->rule.action == MXW_ACTION_GREYLIST ||
	    !mxw__action_is_final(c->rule.action))
		return 0;
	if (c->rule.action != MXW_ACTION_ACCEPT)
		return stages;
	for (mxw_stage_t s = MXW_STAGE_CONNECT; s <= MXW_STAGE_DATA; s++)
		if (c->tried >> s & 1 && s != MXW_STAGE_RCPT)
			stages |= from_stage_on(s);
	return stages;
}

static mxw_fact_id_t existence_fact(const struct mxw__compiled_rule *c)
{
	for (mxw_fact_id_t id = 0; id < MXW__FACT_COUNT; id++)
		if (mxw__fact_tells_existence(id) &&
		    (mxw__fact_bits_has(&c->facts, id) || mxw__fact_bits_has(&c->reply_facts, id)))
			return id;
	return MXW_FACT_NONE;
}

/* What a concealing rule may be about, and when it is tried. */
static mxw_status_t limit_conceal(const struct mxw__compiled_rule *c, mxw_fact_id_t why, unsigned *possible,
				  struct mxw_error *err)
{
	mxw_fact_id_t existence = existence_fact(c);

	if (existence != MXW_FACT_NONE)
		return mxw__fail(err, MXW_ERR_CONF,
				 "'conceal' can't hang on '%s', which depends on whether the recipient exists",
				 mxw__fact_table[existence].name);
	if (!(*possible & STAGE(RCPT)))
		return mxw__fail(err, MXW_ERR_CONF,
				 "'conceal' answers recipients, at rcpt only, and can't hang on '%s', known from %s on",
				 mxw__fact_table[why].name, mxw_stage_name(mxw__fact_table[why].stage));
	*possible = STAGE(RCPT);
	return MXW_OK;
}

static mxw_status_t set_stages(struct mxw__compiled_rule *c, struct mxw_error *err)
{
	mxw_fact_id_t why;
	unsigned possible = possible_stages(&c->facts, &why);

	if (!possible)
		return mxw__fail(err, MXW_ERR_CONF,
				 "can never be tried: '%s' is about one recipient and known at rcpt only, '%s' from %s on",
				 mxw__fact_table[rcpt_fact(&c->facts)].name, mxw__fact_table[why].name,
				 mxw_stage_name(mxw__fact_table[why].stage));
	if (c->rule.action == MXW_ACTION_DISCARD || c->rule.action == MXW_ACTION_HOLD) {
		unsigned whole = c->rule.action == MXW_ACTION_HOLD ? STAGE(EOM) : DISCARD_STAGES;
		if (!(possible & whole))
			return mxw__fail(err, MXW_ERR_CONF,
					 "'%s' takes a whole message and can't hang on '%s', which is about one recipient",
					 mxw_action_name(c->rule.action), mxw__fact_table[rcpt_fact(&c->facts)].name);
		possible &= whole;
	}
	if (c->rule.action == MXW_ACTION_TAG)
		possible &= TAG_STAGES;
	if (c->rule.action == MXW_ACTION_CONCEAL) {
		mxw_status_t status = limit_conceal(c, why, &possible, err);
		if (status != MXW_OK)
			return status;
	}
	if (c->rule.at_stages & ~possible)
		return complain_at(c->rule.at_stages, possible, c, why, err);
	/* Where most is known of the message; what is known of recipients was known before. */
	if (c->rule.action == MXW_ACTION_TAG && !c->rule.at_stages)
		possible &= possible & STAGE(EOM) ? STAGE(EOM) : STAGE(RCPT);
	c->tried = c->rule.at_stages ? c->rule.at_stages : possible;
	c->pending = pending_stages(c);
	c->tells_existence = existence_fact(c) != MXW_FACT_NONE;
	return MXW_OK;
}

/* ---- adding ---- */

static bool name_is_valid(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!mxw__ascii_isalnum(name[i]) && !strchr("-_.", name[i]))
			return false;
	return len > 0 && len <= NAME_LEN_MAX;
}

static mxw_status_t check_argument(const mxw__policy_builder_t *b, const struct mxw__rule *rule, struct mxw_error *err)
{
	size_t ntags = 0;

	if (rule->action == MXW_ACTION_TARPIT && (!rule->delay_ms || rule->delay_ms > MXW__TARPIT_MAX_MS))
		return mxw__fail(err, MXW_ERR_CONF, "'tarpit' needs a duration from 1ms to %ds", MXW__TARPIT_MAX_MS / 1000);
	if (rule->action != MXW_ACTION_TAG)
		return rule->reply ? mxw__reply_check(rule->action, rule->reply, err) : MXW_OK;
	if (!rule->reply)
		return mxw__fail(err, MXW_ERR_CONF, "'tag' needs a header field: \"NAME: VALUE\"");
	for (size_t i = 0; i < b->nrules; i++)
		ntags += b->rules[i].rule.action == MXW_ACTION_TAG;
	if (ntags == MXW_TAGS_MAX)
		return mxw__fail(err, MXW_ERR_LIMIT, "more than %d rules that tag", MXW_TAGS_MAX);
	return mxw__tag_check(rule->reply, err);
}

static mxw_status_t check_rule(const mxw__policy_builder_t *b, const struct mxw__rule *rule, struct mxw_error *err)
{
	if (!name_is_valid(rule->name))
		return mxw__fail(err, MXW_ERR_CONF,
				 "a rule's name has 1 to %d letters, digits, '-', '_' and '.'", NAME_LEN_MAX);
	if (b->nrules == RULES_MAX)
		return mxw__fail(err, MXW_ERR_LIMIT, "more than %d rules", RULES_MAX);
	for (size_t i = 0; i < b->nrules; i++) {
		const struct mxw__rule *other = &b->rules[i].rule;
		if (strcmp(other->name, rule->name) == 0)
			return mxw__fail(err, MXW_ERR_CONF, "there is a rule '%s' already, at %s:%u", rule->name,
					 other->file, other->line);
	}
	if (rule->action == MXW_ACTION_CONTINUE)
		return mxw__fail(err, MXW_ERR_CONF,
				 "has no action; accept, defer, reject, disconnect, discard, conceal, greylist, hold, tarpit or "
				 "tag was expected");
	if (rule->when && rule->when->depth > MXW__EXPR_DEPTH_MAX)
		return mxw__fail(err, MXW_ERR_CONF, "the condition is nested deeper than %d levels", MXW__EXPR_DEPTH_MAX);
	return check_argument(b, rule, err);
}

static bool grow(mxw__policy_builder_t *b)
{
	if (b->nrules < b->cap)
		return true;
	size_t cap = b->cap ? b->cap * 2 : 32;
	struct mxw__compiled_rule *rules = realloc(b->rules, cap * sizeof *rules);
	if (!rules)
		return false;
	b->rules = rules;
	b->cap = cap;
	return true;
}

mxw_status_t mxw__policy_builder_add(mxw__policy_builder_t *builder, const struct mxw__rule *rule, struct mxw_error *err)
{
	struct mxw__compiled_rule c = {.rule = *rule, .condition = rule->when};
	mxw_status_t status = check_rule(builder, rule, err);

	if (status != MXW_OK)
		return status;
	if (rule->action == MXW_ACTION_GREYLIST) {
		c.condition = mxw__expr_and_greylisted(builder, rule->when);
		if (!c.condition)
			return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	}
	if (c.condition)
		mxw__expr_facts(c.condition, &c.facts);
	if (rule->reply)
		mxw__reply_facts(rule->reply, &c.reply_facts);
	status = set_stages(&c, err);
	if (status != MXW_OK)
		return status;
	c.rule.name = mxw__arena_strdup(builder->arena, rule->name);
	c.rule.file = mxw__arena_strdup(builder->arena, rule->file ? rule->file : "");
	c.rule.reply = rule->reply ? mxw__arena_strdup(builder->arena, rule->reply) : NULL;
	if (!c.rule.name || !c.rule.file || (rule->reply && !c.rule.reply) || !grow(builder))
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	builder->rules[builder->nrules++] = c;
	return MXW_OK;
}

/* ---- the policy ---- */

/* False without memory. */
static bool add_tag_name(mxw_policy_t *policy, const struct mxw__compiled_rule *c)
{
	if (c->rule.action != MXW_ACTION_TAG || c->rule.observe)
		return true;
	policy->ntags++;
	const char *name = mxw__tag_name(policy->arena, c->rule.reply);
	for (size_t i = 0; name && i < policy->ntag_names; i++)
		if (mxw__ascii_casecmp(policy->tag_names[i], name) == 0)
			return true;
	if (name)
		policy->tag_names[policy->ntag_names++] = name;
	return name != NULL;
}

static void add_needs(mxw_policy_t *policy, const struct mxw__compiled_rule *c)
{
	if (c->rule.action == MXW_ACTION_CONCEAL && !c->rule.observe)
		policy->may_conceal = true;
	if (c->rule.action == MXW_ACTION_HOLD && !c->rule.observe)
		policy->may_hold = true;
	for (unsigned s = 0; s < MXW_STAGE_COUNT; s++) {
		if (!(c->tried >> s & 1))
			continue;
		policy->has_stage[s] = true;
		for (size_t i = 0; i < MXW__FACT_BITS; i++)
			policy->needs[s].v[i] |= c->facts.v[i] | c->reply_facts.v[i];
	}
}

mxw_status_t mxw__policy_builder_finish(mxw__policy_builder_t *builder, mxw_policy_t **ret_policy)
{
	mxw_policy_t *policy = calloc(1, sizeof *policy);
	struct mxw__compiled_rule *rules =
		mxw__arena_alloc(builder->arena, (builder->nrules ? builder->nrules : 1) * sizeof *rules);

	if (!policy || !rules) {
		free(policy);
		mxw__policy_builder_free(builder);
		return MXW_ERR_NOMEM;
	}
	if (builder->nrules)
		memcpy(rules, builder->rules, builder->nrules * sizeof *rules);
	atomic_init(&policy->refs, 1);
	policy->nrules = builder->nrules;
	policy->rules = rules;
	policy->arena = builder->arena;
	builder->arena = NULL;
	mxw__policy_builder_free(builder);
	for (size_t i = 0; i < policy->nrules; i++) {
		add_needs(policy, &policy->rules[i]);
		if (!add_tag_name(policy, &policy->rules[i])) {
			mxw_policy_unref(policy);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_policy = policy;
	return MXW_OK;
}

mxw_policy_t *mxw_policy_ref(mxw_policy_t *policy)
{
	atomic_fetch_add_explicit(&policy->refs, 1, memory_order_relaxed);
	return policy;
}

void mxw_policy_unref(mxw_policy_t *policy)
{
	if (!policy || atomic_fetch_sub_explicit(&policy->refs, 1, memory_order_acq_rel) != 1)
		return;
	mxw__arena_free(policy->arena);
	free(policy);
}

bool mxw__policy_may_conceal(const mxw_policy_t *policy)
{
	return policy->may_conceal;
}

size_t mxw__policy_ntags(const mxw_policy_t *policy)
{
	return policy->ntags;
}

bool mxw__policy_may_hold(const mxw_policy_t *policy)
{
	return policy->may_hold;
}

const char *const *mxw__policy_tag_names(const mxw_policy_t *policy, size_t *ret_n)
{
	*ret_n = policy->ntag_names;
	return policy->tag_names;
}

bool mxw_policy_needs(const mxw_policy_t *policy, mxw_stage_t stage, mxw_fact_id_t fact)
{
	return (size_t)stage < MXW_STAGE_COUNT && mxw__fact_bits_has(&policy->needs[stage], fact);
}

bool mxw_policy_has_stage(const mxw_policy_t *policy, mxw_stage_t stage)
{
	return (size_t)stage < MXW_STAGE_COUNT && policy->has_stage[stage];
}
