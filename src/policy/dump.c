/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules back into the syntax of mxward.conf. */
#include "config.h"

#include <string.h>

#include "src/policy/rules.h"

/* Characters that a bare word may have wherever it stands. */
static bool is_plain(const char *s)
{
	static const char *const keywords[] = {"and", "or", "not", "in", "matches", "when", "include"};

	if (!*s)
		return false;
	for (size_t i = 0; i < MXW_ARRAY_LEN(keywords); i++)
		if (strcmp(s, keywords[i]) == 0)
			return false;
	for (const char *p = s; *p; p++)
		if (!mxw__ascii_isalnum(*p) && !strchr("-_.:/@+*?%,[]", *p))
			return false;
	return true;
}

void mxw__word_dump(const char *word, FILE *out)
{
	if (is_plain(word)) {
		fputs(word, out);
		return;
	}
	fputc('"', out);
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			fputc('\\', out);
		fputc(*word, out);
	}
	fputc('"', out);
}

static void dump_compare(const struct mxw__expr *e, FILE *out)
{
	fputs(mxw__fact_table[e->fact].name, out);
	if (e->is_bare)
		return;
	fprintf(out, " %s", mxw__op_name(e->op));
	for (size_t i = 0; i < e->nvalues; i++) {
		fputc(' ', out);
		mxw__word_dump(e->values[i], out);
	}
}

/* Parentheses only where they are needed: `not` binds closest, then `and`, then `or`. */
static void dump_child(const struct mxw__expr *parent, const struct mxw__expr *child, FILE *out)
{
	bool needs = child->kind == MXW__EXPR_OR ? parent->kind != MXW__EXPR_OR :
		     child->kind == MXW__EXPR_AND ? parent->kind == MXW__EXPR_NOT : false;

	if (needs)
		fputc('(', out);
	mxw__expr_dump(child, out);
	if (needs)
		fputc(')', out);
}

void mxw__expr_dump(const struct mxw__expr *expr, FILE *out)
{
	if (expr->kind == MXW__EXPR_COMPARE) {
		dump_compare(expr, out);
		return;
	}
	if (expr->kind == MXW__EXPR_NOT)
		fputs("not ", out);
	for (const struct mxw__expr *c = expr->first; c; c = c->next) {
		if (c != expr->first)
			fputs(expr->kind == MXW__EXPR_AND ? " and " : " or ", out);
		dump_child(expr, c, out);
	}
}

static void dump_rule(const struct mxw__rule *rule, FILE *out)
{
	fprintf(out, "rule %s%s {\n", rule->name, rule->observe ? " observe" : "");
	if (rule->at_stages) {
		fputs("\tat", out);
		for (mxw_stage_t s = MXW_STAGE_CONNECT; s < MXW_STAGE_COUNT; s++)
			if (rule->at_stages >> s & 1)
				fprintf(out, " %s", mxw_stage_name(s));
		fputc('\n', out);
	}
	if (rule->when) {
		fputs("\twhen ", out);
		mxw__expr_dump(rule->when, out);
		fputc('\n', out);
	}
	if (rule->skip_if_unknown)
		fputs("\tif-unknown skip\n", out);
	fprintf(out, "\t%s", mxw_action_name(rule->action));
	if (rule->delay_ms)
		fprintf(out, rule->delay_ms % 1000 ? " %ums" : " %us", rule->delay_ms % 1000 ? rule->delay_ms : rule->delay_ms / 1000);
	if (rule->reply) {
		fputc(' ', out);
		mxw__word_dump(rule->reply, out);
	}
	fputs("\n}\n", out);
}

void mxw__policy_dump(const mxw_policy_t *policy, FILE *out)
{
	for (size_t i = 0; i < policy->nrules; i++)
		dump_rule(&policy->rules[i].rule, out);
}
