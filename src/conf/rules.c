/* SPDX-License-Identifier: BSD-2-Clause */
/* `rule` sections into the policy: the administrator's rules in their order, then the built-in ones that are left. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/conf/build.h"
#include "src/mail/mail.h"
#include "src/policy/fact_set.h"
#include "src/policy/rules.h"

typedef enum rule_mode { MODE_NONE, MODE_ENFORCE, MODE_OBSERVE, MODE_OFF } rule_mode_t;

/* The rule that is being read. */
struct reading {
	struct mxw__build *build;
	mxw__policy_builder_t *builder;
	const struct mxw__node *node;
	struct mxw__rule rule;
	const struct mxw__node *when, *at, *if_unknown, *action;
	bool names_dnsbl;       /* goes by a list in the DNS */
	bool is_bad;            /* has been complained of: nothing more is said of the whole */
};

static void complain(struct reading *r, const struct mxw__pos *pos, const char *text)
{
	mxw__complain(r->build->values.complaints, pos, "%s", text);
	r->is_bad = true;
}

static bool is_rule(const struct mxw__node *node)
{
	return node->name && strcmp(node->name, "rule") == 0;
}

static const char *rule_name(const struct mxw__node *node)
{
	return node->args ? node->args->text : "";
}

static rule_mode_t rule_mode(const struct mxw__node *node)
{
	const struct mxw__arg *arg = node->args ? node->args->next : NULL;

	if (!arg)
		return MODE_NONE;
	return strcmp(arg->text, "observe") == 0 ? MODE_OBSERVE : strcmp(arg->text, "off") == 0 ? MODE_OFF : MODE_ENFORCE;
}

/* ---- conditions ---- */

static mxw__expr_t *make_expr(struct reading *r, const struct mxw__cond *cond);

/* Facts have domains in A-labels: a value for one of them may be written in U-labels. NULL: no memory. */
static const char *fact_value(struct reading *r, const char *fact, const char *value)
{
	static const char *const with_domain[] = {"sender", "sender.domain", "rcpt.address", "rcpt.domain", "dkim.domain"};
	const char *at = strrchr(value, '@'), *domain = at ? at + 1 : value;
	char name[MXW__DOMAIN_MAX + 1];
	bool is_utf8 = false, has_domain = false;

	for (const char *s = domain; *s; s++)
		is_utf8 |= (unsigned char)*s >= 0x80;
	for (size_t i = 0; is_utf8 && i < MXW_ARRAY_LEN(with_domain); i++)
		has_domain |= strcmp(fact, with_domain[i]) == 0;
	if (!has_domain || mxw__domain_pattern_to_ascii(domain, strlen(domain), name) != MXW_OK)
		return value;
	return mxw__arena_printf(r->build->values.arena, "%.*s%s", (int)(domain - value), value, name);
}

static mxw__expr_t *make_compare(struct reading *r, const struct mxw__cond *cond)
{
	const char **values;
	struct mxw_error err;
	size_t n = 0, i = 0;
	mxw__expr_t *e = NULL;

	r->is_bad |= !mxw__check_list_names(r->build, cond);
	r->names_dnsbl |= strstr(cond->fact->text, ".dnsbl") != NULL;
	for (const struct mxw__arg *arg = cond->values; arg; arg = arg->next)
		n++;
	values = mxw__calloc(n, sizeof *values);
	if (!values) {
		r->build->values.out_of_memory = true;
		return NULL;
	}
	for (const struct mxw__arg *arg = cond->values; arg; arg = arg->next) {
		values[i] = fact_value(r, cond->fact->text, arg->text);
		if (!values[i++]) {
			r->build->values.out_of_memory = true;
			free(values);
			return NULL;
		}
	}
	e = cond->kind == MXW__COND_IS ? mxw__expr_is(r->builder, cond->fact->text, &err) :
		mxw__expr_compare(r->builder, cond->fact->text, cond->op, values, n, &err);
	free(values);
	if (!e)
		complain(r, &cond->fact->pos, err.text);
	return e;
}

/* After a mistake in one part the others are looked at too. */
static mxw__expr_t *make_joined(struct reading *r, const struct mxw__cond *cond)
{
	mxw__expr_t *whole = NULL;
	bool ok = true;

	for (const struct mxw__cond *c = cond->first; c; c = c->next) {
		mxw__expr_t *part = make_expr(r, c);
		ok = ok && part;
		if (!ok || !whole)
			whole = part;
		else
			whole = cond->kind == MXW__COND_AND ? mxw__expr_and(r->builder, whole, part) :
							      mxw__expr_or(r->builder, whole, part);
		ok = ok && whole;
	}
	return ok ? whole : NULL;
}

static mxw__expr_t *make_expr(struct reading *r, const struct mxw__cond *cond)
{
	switch (cond->kind) {
	case MXW__COND_COMPARE:
	case MXW__COND_IS:
		return make_compare(r, cond);
	case MXW__COND_NOT: {
		mxw__expr_t *a = make_expr(r, cond->first);
		return a ? mxw__expr_not(r->builder, a) : NULL;
	}
	case MXW__COND_AND:
	case MXW__COND_OR:
		return make_joined(r, cond);
	}
	return NULL;
}

static void read_when(struct reading *r)
{
	if (!r->when)
		return;
	if (!r->when->when) {
		complain(r, &r->when->pos, "a condition was expected after 'when'");
		return;
	}
	if (r->when->when->depth > MXW__EXPR_DEPTH_MAX) {
		char text[80];
		snprintf(text, sizeof text, "the condition is nested deeper than %d levels", MXW__EXPR_DEPTH_MAX);
		complain(r, &r->when->pos, text);
		return;
	}
	r->rule.when = make_expr(r, r->when->when);
	if (!r->rule.when)
		r->is_bad = true;
}

/* ---- entries ---- */

static mxw_action_t action_of(const char *name)
{
	for (mxw_action_t a = MXW_ACTION_ACCEPT; a <= MXW_ACTION_TAG; a++)
		if (strcmp(mxw_action_name(a), name) == 0)
			return a;
	return MXW_ACTION_CONTINUE;
}

static void read_at(struct reading *r)
{
	if (r->at && !r->at->args)
		complain(r, &r->at->pos, "'at' needs one or more of: connect helo mail rcpt data eom");
	for (const struct mxw__arg *arg = r->at ? r->at->args : NULL; arg; arg = arg->next) {
		mxw_stage_t s = MXW_STAGE_CONNECT;
		while (s < MXW_STAGE_COUNT && strcmp(mxw_stage_name(s), arg->text) != 0)
			s++;
		if (s < MXW_STAGE_COUNT) {
			r->rule.at_stages |= 1u << s;
			continue;
		}
		char text[160];
		snprintf(text, sizeof text, "'%.60s' is no stage; connect, helo, mail, rcpt, data or eom was expected", arg->text);
		complain(r, &arg->pos, text);
	}
}

static void read_if_unknown(struct reading *r)
{
	const struct mxw__arg *arg = r->if_unknown ? r->if_unknown->args : NULL;

	if (!r->if_unknown)
		return;
	if (arg && !arg->next && (strcmp(arg->text, "defer") == 0 || strcmp(arg->text, "skip") == 0))
		r->rule.skip_if_unknown = strcmp(arg->text, "skip") == 0;
	else
		complain(r, arg ? &arg->pos : &r->if_unknown->pos, "'if-unknown' takes one word: defer or skip");
}

static void read_delay(struct reading *r, const struct mxw__arg *arg)
{
	uint64_t ms;

	if (mxw__parse_duration(arg->text, &ms) && ms > 0 && ms <= MXW__TARPIT_MAX_MS)
		r->rule.delay_ms = (unsigned)ms;
	else
		complain(r, &arg->pos, "'tarpit' takes a duration with its unit, up to 60s: 5s");
}

static void read_action(struct reading *r)
{
	const struct mxw__arg *arg = r->action ? r->action->args : NULL;
	struct mxw_error err;

	if (!r->action)
		return;
	r->rule.action = action_of(r->action->name);
	if (!arg)
		return;
	if (arg->next) {
		complain(r, &arg->next->pos, r->rule.action == MXW_ACTION_TARPIT ? "'tarpit' takes one duration" :
			 r->rule.action == MXW_ACTION_TAG ? "a header field is one value: put it in quotes" :
			 "a reply is one value: put it in quotes");
		return;
	}
	if (r->rule.action == MXW_ACTION_TARPIT) {
		read_delay(r, arg);
		return;
	}
	mxw_status_t status = r->rule.action == MXW_ACTION_TAG ? mxw__tag_check(arg->text, &err) :
								 mxw__reply_check(r->rule.action, arg->text, &err);
	if (status != MXW_OK)
		complain(r, &arg->pos, err.text);
	else if (arg->text[0])
		r->rule.reply = arg->text;
}

/* Sorts the entries of the section; each may be given once. */
static void sort_entry(struct reading *r, const struct mxw__node *node)
{
	struct mxw__complaints *complaints = r->build->values.complaints;
	bool is_action = action_of(node->name) != MXW_ACTION_CONTINUE;
	const struct mxw__node **slot = strcmp(node->name, "when") == 0 ? &r->when :
					strcmp(node->name, "at") == 0 ? &r->at :
					strcmp(node->name, "if-unknown") == 0 ? &r->if_unknown :
					is_action ? &r->action : NULL;

	if (!slot) {
		mxw__complain_unknown_key(complaints, &mxw__sections[MXW__SECTION_RULE], node);
		r->is_bad = true;
	} else if (node->is_section) {
		complain(r, &node->pos, "unexpected section inside of a rule");
	} else if (*slot && is_action) {
		mxw__complain(complaints, &node->pos, "a rule has one action; '%s' stands at line %u already", (*slot)->name,
			      (*slot)->pos.line);
		r->is_bad = true;
	} else if (*slot) {
		mxw__complain(complaints, &node->pos, "'%s' has been given already, at line %u", node->name, (*slot)->pos.line);
		r->is_bad = true;
	} else {
		*slot = node;
	}
}

/* Which line a complaint about the whole rule is for. */
static const struct mxw__pos *blame(const struct reading *r, const struct mxw_error *err)
{
	if (r->at && strncmp(err->text, "can't be tried", 14) == 0)
		return &r->at->pos;
	if (r->when && strncmp(err->text, "can never be tried", 18) == 0)
		return &r->when->pos;
	return &r->node->args->pos;
}

/* Reads a rule with a body and adds it to the builder. */
static void read_rule(struct mxw__build *b, mxw__policy_builder_t *builder, const struct mxw__node *node, bool observe)
{
	struct reading r = {.build = b, .builder = builder, .node = node};
	struct mxw_error err;

	if (!node->args)
		return;
	r.rule = (struct mxw__rule){.name = rule_name(node), .file = node->pos.file, .line = node->pos.line, .observe = observe};
	for (const struct mxw__node *e = node->first; e; e = e->next) {
		if (e->name)
			sort_entry(&r, e);
		else
			r.is_bad = true;
	}
	read_when(&r);
	read_at(&r);
	read_if_unknown(&r);
	read_action(&r);
	if (r.is_bad)
		return;
	mxw_status_t status = mxw__policy_builder_add(builder, &r.rule, &err);
	if (status == MXW_ERR_NOMEM)
		b->values.out_of_memory = true;
	else if (status != MXW_OK)
		mxw__complain(b->values.complaints, blame(&r, &err), "rule '%s': %s", r.rule.name, err.text);
	else if (r.names_dnsbl && !r.if_unknown)
		mxw__warn(b->values.complaints, &node->pos,
			  "rule '%s' goes by a list in the DNS: while that is away, mail is put off; 'if-unknown skip' lets it go on", r.rule.name);
}

/* ---- the administrator's and the built-in ones ---- */

static const struct mxw__node *find_rule(const struct mxw__node *root, const char *name)
{
	for (const struct mxw__node *node = root->first; node; node = node->next)
		if (is_rule(node) && strcmp(rule_name(node), name) == 0)
			return node;
	return NULL;
}

static void check_mode(struct mxw__build *b, const struct mxw__node *node)
{
	const struct mxw__arg *arg = node->args ? node->args->next : NULL;

	if (arg && mxw__word_index("enforce observe off", arg->text) == MXW__NO_WORD)
		mxw__complain(b->values.complaints, &arg->pos, "'%s' is no mode of a rule; enforce, observe or off was expected",
			      arg->text);
}

/* "rule NAME observe", without a body: about a built-in rule. */
static void check_bodyless(struct mxw__build *b, const struct mxw__node *node)
{
	const char *near = NULL;
	unsigned best = UINT_MAX;

	if (!node->args || !node->args->next) {
		mxw__complain(b->values.complaints, &node->pos,
			      "a rule needs a body { ... }, or a mode (enforce, observe, off) if it is a built-in one");
		return;
	}
	if (find_rule(b->builtin, rule_name(node)))
		return;
	for (const struct mxw__node *n = b->builtin->first; n; n = n->next)
		if (is_rule(n) && mxw__name_is_nearer(rule_name(node), rule_name(n), &best))
			near = rule_name(n);
	mxw__complain(b->values.complaints, &node->args->pos, "there is no built-in rule '%s'%s%s%s", rule_name(node),
		      near ? "; did you mean '" : "; a rule of your own needs a body { ... }", near ? near : "",
		      near ? "'?" : "");
}

static void check_first(struct mxw__build *b, const struct mxw__node *node)
{
	const struct mxw__node *first = find_rule(b->root, rule_name(node));

	if (first != node && node->args)
		mxw__complain(b->values.complaints, &node->args->pos, "rule '%s' has been given already, at %s:%u",
			      rule_name(node), first->pos.file, first->pos.line);
}

/* A rule that is off is checked like any other, and then forgotten. */
static void read_off(struct mxw__build *b, const struct mxw__node *node)
{
	mxw__policy_builder_t *scratch;

	if (mxw__policy_builder_new(&scratch) != MXW_OK) {
		b->values.out_of_memory = true;
		return;
	}
	read_rule(b, scratch, node, false);
	mxw__policy_builder_free(scratch);
}

static void read_own(struct mxw__build *b, mxw__policy_builder_t *builder)
{
	for (const struct mxw__node *node = b->root->first; node; node = node->next) {
		if (!is_rule(node))
			continue;
		check_mode(b, node);
		check_first(b, node);
		if (!node->is_section)
			check_bodyless(b, node);
		else if (rule_mode(node) == MODE_OFF)
			read_off(b, node);
		else if (find_rule(b->root, rule_name(node)) == node)
			read_rule(b, builder, node, rule_mode(node) == MODE_OBSERVE);
	}
}

static void read_builtin(struct mxw__build *b, mxw__policy_builder_t *builder, const char **off, size_t *noff)
{
	for (const struct mxw__node *node = b->builtin->first; node; node = node->next) {
		if (!is_rule(node))
			continue;
		const struct mxw__node *own = find_rule(b->root, rule_name(node));
		rule_mode_t mode = own ? rule_mode(own) : MODE_NONE;
		if (mode != MODE_OFF && own && own->is_section)
			continue;
		if (mode == MODE_NONE)
			mode = rule_mode(node);
		if (mode == MODE_OFF) {
			off[(*noff)++] = rule_name(node);
			read_off(b, node);
			continue;
		}
		read_rule(b, builder, node, mode == MODE_OBSERVE);
	}
}

void mxw__build_rules(struct mxw__build *build)
{
	mxw__policy_builder_t *builder;
	size_t n = 0, noff = 0;

	for (const struct mxw__node *node = build->builtin->first; node; node = node->next)
		n++;
	const char **off = mxw__arena_alloc(build->values.arena, (n + 1) * sizeof *off);
	if (!off || mxw__policy_builder_new(&builder) != MXW_OK) {
		build->values.out_of_memory = true;
		return;
	}
	read_own(build, builder);
	read_builtin(build, builder, off, &noff);
	build->conf->priv->off_rules = (struct mxw__strings){noff, off};
	if (mxw__policy_builder_finish(builder, &build->conf->policy) != MXW_OK)
		build->values.out_of_memory = true;
}
