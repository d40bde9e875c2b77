/* SPDX-License-Identifier: BSD-2-Clause */
/* What a condition is worth for a set of facts, and which facts made it so. */
#include "config.h"

#include "src/policy/rules.h"

static mxw__tri_t tri(bool b)
{
	return b ? MXW__TRUE : MXW__FALSE;
}

/* `*` any octets, `?` one. The last star is the only one worth going back to, so the work is bounded by the product. */
static bool glob(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern && (*pattern == '?' || mxw__ascii_lower(*pattern) == mxw__ascii_lower(*text))) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool word_is(const struct mxw__expr *e, const struct mxw__fact_value *v)
{
	return v->word < 64 && (e->words >> v->word & 1);
}

static bool is_one_of(const struct mxw__expr *e, const mxw_facts_t *facts, const struct mxw__fact_value *v)
{
	for (size_t i = 0; i < e->nvalues; i++) {
		if (e->numbers ? e->numbers[i] == v->number :
		    e->networks ? mxw_network_contains(&e->networks[i], &v->ip) :
		    mxw__ascii_casecmp(e->values[i], mxw__fact_text(facts, v)) == 0)
			return true;
	}
	return false;
}

static bool equals(const struct mxw__expr *e, const mxw_facts_t *facts, const struct mxw__fact_value *v)
{
	return e->words ? word_is(e, v) : is_one_of(e, facts, v);
}

/*
 * Of an unavailable fact nothing is known but the word that says why: "spf = temperror" is true of spf=?temperror and
 * "spf != temperror" false; every other comparison may still go either way.
 */
static mxw__tri_t compare_unavailable(const struct mxw__expr *e, const struct mxw__fact_value *v)
{
	if (!word_is(e, v))
		return MXW__UNKNOWN;
	return tri(e->op != MXW__OP_NE);
}

static mxw__tri_t compare_one(const struct mxw__expr *e, const mxw_facts_t *facts, const struct mxw__fact_value *v);

/*
 * Of a text that may be stated several times, one that is unavailable says which value it would be: client.dnsbl=?zen leaves open
 * whether "zen" is among them, and nothing else.
 */
static bool names_its_value(const struct mxw__expr *e, const struct mxw__fact_value *v)
{
	const struct mxw_fact_info *info = &mxw__fact_table[e->fact];

	return v->is_unavailable && v->len && info->is_multi && info->type == MXW_FACT_TEXT;
}

static mxw__tri_t compare_named(const struct mxw__expr *e, const mxw_facts_t *facts, const struct mxw__fact_value *v)
{
	struct mxw__fact_value stated = *v;

	stated.is_unavailable = false;
	return compare_one(e, facts, &stated) == MXW__TRUE ? MXW__UNKNOWN : MXW__FALSE;
}

static mxw__tri_t compare_one(const struct mxw__expr *e, const mxw_facts_t *facts, const struct mxw__fact_value *v)
{
	if (names_its_value(e, v))
		return compare_named(e, facts, v);
	if (v->is_unavailable)
		return compare_unavailable(e, v);
	switch (e->op) {
	case MXW__OP_EQ:
	case MXW__OP_IN:
		return tri(equals(e, facts, v));
	case MXW__OP_NE:
		return tri(!equals(e, facts, v));
	case MXW__OP_LT:
		return tri(v->number < e->numbers[0]);
	case MXW__OP_LE:
		return tri(v->number <= e->numbers[0]);
	case MXW__OP_GT:
		return tri(v->number > e->numbers[0]);
	case MXW__OP_GE:
		return tri(v->number >= e->numbers[0]);
	case MXW__OP_MATCHES:
		return tri(glob(e->values[0], mxw__fact_text(facts, v)));
	}
	return MXW__FALSE;
}

/* The best of all statements on the fact; false if there is none. One that was lost might have been any. */
static mxw__tri_t compare(const struct mxw__expr *e, const mxw_facts_t *facts)
{
	mxw__tri_t best = facts->lost[e->fact] ? MXW__UNKNOWN : MXW__FALSE;

	for (size_t i = mxw__facts_index(facts, e->fact, 0); i < facts->n && best != MXW__TRUE;
	     i = mxw__facts_index(facts, e->fact, i + 1)) {
		mxw__tri_t one = compare_one(e, facts, &facts->values[i]);
		if (one > best)
			best = one;
	}
	return best;
}

mxw__tri_t mxw__expr_eval(const struct mxw__expr *expr, const mxw_facts_t *facts)
{
	mxw__tri_t value;

	switch (expr->kind) {
	case MXW__EXPR_COMPARE:
		return compare(expr, facts);
	case MXW__EXPR_NOT:
		return (mxw__tri_t)(MXW__TRUE - mxw__expr_eval(expr->first, facts));
	case MXW__EXPR_AND:
		value = MXW__TRUE;
		for (const struct mxw__expr *c = expr->first; c && value != MXW__FALSE; c = c->next) {
			mxw__tri_t one = mxw__expr_eval(c, facts);
			value = one < value ? one : value;
		}
		return value;
	case MXW__EXPR_OR:
		value = MXW__FALSE;
		for (const struct mxw__expr *c = expr->first; c && value != MXW__TRUE; c = c->next) {
			mxw__tri_t one = mxw__expr_eval(c, facts);
			value = one > value ? one : value;
		}
		return value;
	}
	return MXW__FALSE;
}

static void add_fact(struct mxw_decision *decision, mxw_fact_id_t id)
{
	for (size_t i = 0; i < decision->nfacts; i++)
		if (decision->facts[i] == id)
			return;
	if (decision->nfacts < MXW_DECISIVE_MAX)
		decision->facts[decision->nfacts++] = id;
}

/*
 * One true part makes an `or` true and one false part an `and` false: the first is named. Otherwise all parts that
 * have the value of the whole carry it together.
 */
void mxw__expr_explain(const struct mxw__expr *expr, const mxw_facts_t *facts, struct mxw_decision *decision)
{
	if (expr->kind == MXW__EXPR_COMPARE) {
		add_fact(decision, expr->fact);
		return;
	}
	if (expr->kind == MXW__EXPR_NOT) {
		mxw__expr_explain(expr->first, facts, decision);
		return;
	}
	mxw__tri_t value = mxw__expr_eval(expr, facts);
	bool one_is_enough = value == (expr->kind == MXW__EXPR_AND ? MXW__FALSE : MXW__TRUE);
	for (const struct mxw__expr *c = expr->first; c; c = c->next) {
		if (mxw__expr_eval(c, facts) != value)
			continue;
		mxw__expr_explain(c, facts, decision);
		if (one_is_enough)
			return;
	}
}

void mxw__expr_facts(const struct mxw__expr *expr, struct mxw__fact_bits *bits)
{
	if (expr->kind == MXW__EXPR_COMPARE)
		mxw__fact_bits_add(bits, expr->fact);
	for (const struct mxw__expr *c = expr->first; c; c = c->next)
		mxw__expr_facts(c, bits);
}
