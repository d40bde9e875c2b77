/* SPDX-License-Identifier: BSD-2-Clause */
/* Making conditions: every mistake is found here, so that evaluation can't fail. */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "src/policy/rules.h"

enum { VALUES_MAX = 4096, PATTERN_MAX = 256 };

static const char *const op_names[] = {
	[MXW__OP_EQ] = "=", [MXW__OP_NE] = "!=", [MXW__OP_LT] = "<", [MXW__OP_LE] = "<=",
	[MXW__OP_GT] = ">", [MXW__OP_GE] = ">=", [MXW__OP_IN] = "in", [MXW__OP_MATCHES] = "matches",
};

const char *mxw__op_name(mxw__op_t op)
{
	return op_names[op];
}

/* What each type of fact can be compared by. */
static const struct {
	const char *name;
	unsigned ops;
	const char *expected;
} types[] = {
#define BIT(op) (1u << MXW__OP_##op)
	[MXW_FACT_WORD] = {"a word", BIT(EQ) | BIT(NE) | BIT(IN), "'=', '!=' or 'in'"},
	[MXW_FACT_TEXT] = {"a text", BIT(EQ) | BIT(NE) | BIT(IN) | BIT(MATCHES), "'=', '!=', 'in' or 'matches'"},
	[MXW_FACT_NUMBER] = {"a number", BIT(EQ) | BIT(NE) | BIT(IN) | BIT(LT) | BIT(LE) | BIT(GT) | BIT(GE),
		"'=', '!=', '<', '<=', '>', '>=' or 'in'"},
	[MXW_FACT_ADDRESS] = {"an address", BIT(EQ) | BIT(NE) | BIT(IN), "'=', '!=' or 'in'"},
	[MXW_FACT_YESNO] = {"yes or no", BIT(EQ) | BIT(NE), "'=' or '!='"},
#undef BIT
};

static mxw_fact_id_t find_fact(const char *name, struct mxw_error *err)
{
	mxw_fact_id_t id = mxw_fact_find(name);
	const char *near = NULL;
	unsigned best = UINT_MAX;

	if (id != MXW_FACT_NONE)
		return id;
	for (id = 0; id < MXW__FACT_COUNT; id++)
		if (mxw__name_is_nearer(name, mxw__fact_table[id].name, &best))
			near = mxw__fact_table[id].name;
	if (near)
		mxw__fail(err, MXW_ERR_CONF, "there is no fact '%s'; did you mean '%s'?", name, near);
	else
		mxw__fail(err, MXW_ERR_CONF, "there is no fact '%s'; mxward.conf(5) lists them", name);
	return MXW_FACT_NONE;
}

static struct mxw__expr *new_expr(mxw__policy_builder_t *builder, mxw__expr_kind_t kind)
{
	struct mxw__expr *e = mxw__arena_alloc(builder->arena, sizeof *e);

	if (e) {
		e->kind = kind;
		e->depth = 1;
	}
	return e;
}

static bool set_word(struct mxw__expr *e, const struct mxw_fact_info *info, const char *value, struct mxw_error *err)
{
	const char *words = mxw__fact_words(info);
	unsigned index = mxw__word_index(words, value);

	if (index == MXW__NO_WORD) {
		mxw__fail(err, MXW_ERR_CONF, "'%s' is never '%s'; it is one of: %s", info->name, value, words);
		return false;
	}
	e->words |= (uint64_t)1 << index;
	return true;
}

static bool set_words(struct mxw__expr *e, const struct mxw_fact_info *info, struct mxw_error *err)
{
	for (size_t i = 0; i < e->nvalues; i++)
		if (!set_word(e, info, e->values[i], err))
			return false;
	return true;
}

static bool set_numbers(mxw__arena_t *arena, struct mxw__expr *e, const struct mxw_fact_info *info,
			struct mxw_error *err)
{
	uint64_t *numbers = mxw__arena_alloc(arena, e->nvalues * sizeof *numbers);

	if (!numbers)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory") == MXW_OK;
	for (size_t i = 0; i < e->nvalues; i++) {
		if (!mxw__parse_size(e->values[i], &numbers[i])) {
			mxw__fail(err, MXW_ERR_CONF, "'%s' is a number; '%s' is none (K, M and G may follow the digits)",
				  info->name, e->values[i]);
			return false;
		}
	}
	e->numbers = numbers;
	return true;
}

static bool set_networks(mxw__arena_t *arena, struct mxw__expr *e, const struct mxw_fact_info *info,
			 struct mxw_error *err)
{
	struct mxw_network *networks = mxw__arena_alloc(arena, e->nvalues * sizeof *networks);

	if (!networks)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory") == MXW_OK;
	for (size_t i = 0; i < e->nvalues; i++) {
		if (mxw_network_parse(e->values[i], &networks[i]) != MXW_OK) {
			mxw__fail(err, MXW_ERR_CONF,
				  "'%s' is an address; '%s' is no address and no network (192.0.2.0/24, 2001:db8::/32)",
				  info->name, e->values[i]);
			return false;
		}
	}
	e->networks = networks;
	return true;
}

static bool check_texts(const struct mxw__expr *e, struct mxw_error *err)
{
	for (size_t i = 0; i < e->nvalues; i++) {
		if (strlen(e->values[i]) > PATTERN_MAX) {
			mxw__fail(err, MXW_ERR_CONF, "a text to compare with has at most %d octets", PATTERN_MAX);
			return false;
		}
	}
	return true;
}

static bool copy_values(mxw__arena_t *arena, struct mxw__expr *e, const char *const *values, size_t nvalues,
			struct mxw_error *err)
{
	const char **copy = nvalues <= VALUES_MAX ? mxw__arena_alloc(arena, nvalues * sizeof *copy) : NULL;
	bool ok = copy != NULL;

	for (size_t i = 0; ok && i < nvalues; i++)
		ok = (copy[i] = mxw__arena_strdup(arena, values[i])) != NULL;
	if (!ok) {
		mxw__fail(err, MXW_ERR_LIMIT, "too many values in one comparison, or out of memory");
		return false;
	}
	e->values = copy;
	e->nvalues = nvalues;
	return true;
}

static bool set_values(mxw__arena_t *arena, struct mxw__expr *e, const struct mxw_fact_info *info,
		       struct mxw_error *err)
{
	switch (info->type) {
	case MXW_FACT_WORD:
	case MXW_FACT_YESNO:
		return set_words(e, info, err);
	case MXW_FACT_NUMBER:
		return set_numbers(arena, e, info, err);
	case MXW_FACT_ADDRESS:
		return set_networks(arena, e, info, err);
	case MXW_FACT_TEXT:
		return check_texts(e, err);
	}
	return false;
}

mxw__expr_t *mxw__expr_compare(mxw__policy_builder_t *builder, const char *fact, mxw__op_t op,
			       const char *const *values, size_t nvalues, struct mxw_error *err)
{
	mxw_fact_id_t id = find_fact(fact, err);

	if (id == MXW_FACT_NONE)
		return NULL;
	const struct mxw_fact_info *info = &mxw__fact_table[id];
	if (!(types[info->type].ops >> op & 1)) {
		mxw__fail(err, MXW_ERR_CONF, "'%s' is %s and can't be compared with '%s'; %s was expected", fact,
			  types[info->type].name, op_names[op], types[info->type].expected);
		return NULL;
	}
	if (nvalues == 0 || (nvalues > 1 && op != MXW__OP_IN)) {
		mxw__fail(err, MXW_ERR_CONF, "'%s' takes %s", op_names[op],
			  op == MXW__OP_IN ? "at least one value" : "one value; several go with 'in'");
		return NULL;
	}
	struct mxw__expr *e = new_expr(builder, MXW__EXPR_COMPARE);
	if (!e) {
		mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
		return NULL;
	}
	e->fact = id;
	e->op = op;
	if (!copy_values(builder->arena, e, values, nvalues, err) || !set_values(builder->arena, e, info, err))
		return NULL;
	return e;
}

mxw__expr_t *mxw__expr_is(mxw__policy_builder_t *builder, const char *fact, struct mxw_error *err)
{
	static const char *const yes[] = {"yes"};
	mxw_fact_id_t id = find_fact(fact, err);

	if (id == MXW_FACT_NONE)
		return NULL;
	const struct mxw_fact_info *info = &mxw__fact_table[id];
	if (info->type != MXW_FACT_YESNO) {
		mxw__fail(err, MXW_ERR_CONF, "'%s' is %s: after it %s and a value were expected", fact,
			  types[info->type].name, types[info->type].expected);
		return NULL;
	}
	mxw__expr_t *e = mxw__expr_compare(builder, fact, MXW__OP_EQ, yes, 1, err);
	if (e)
		e->is_bare = true;
	return e;
}

static void append(struct mxw__expr *parent, struct mxw__expr *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	if (child->depth + 1 > parent->depth)
		parent->depth = child->depth + 1;
}

mxw__expr_t *mxw__expr_not(mxw__policy_builder_t *builder, mxw__expr_t *a)
{
	struct mxw__expr *e = a ? new_expr(builder, MXW__EXPR_NOT) : NULL;

	if (e)
		append(e, a);
	return e;
}

/* "a and b and c" is one node with three children: a long chain is not deep. */
static struct mxw__expr *join(mxw__policy_builder_t *builder, mxw__expr_kind_t kind, struct mxw__expr *a,
			      struct mxw__expr *b)
{
	if (!a || !b)
		return NULL;
	if (a->kind == kind) {
		append(a, b);
		return a;
	}
	struct mxw__expr *e = new_expr(builder, kind);
	if (e) {
		append(e, a);
		append(e, b);
	}
	return e;
}

mxw__expr_t *mxw__expr_and(mxw__policy_builder_t *builder, mxw__expr_t *a, mxw__expr_t *b)
{
	return join(builder, MXW__EXPR_AND, a, b);
}

mxw__expr_t *mxw__expr_or(mxw__policy_builder_t *builder, mxw__expr_t *a, mxw__expr_t *b)
{
	return join(builder, MXW__EXPR_OR, a, b);
}

/* A node of its own, so that the condition stays what was written. */
mxw__expr_t *mxw__expr_and_greylisted(mxw__policy_builder_t *builder, mxw__expr_t *when)
{
	static const char *const not_yet[] = {"new", "waiting"};
	struct mxw_error err;
	mxw__expr_t *greylisted = mxw__expr_compare(builder, "greylist", MXW__OP_IN, not_yet, MXW_ARRAY_LEN(not_yet), &err);
	struct mxw__expr *e = when && greylisted ? new_expr(builder, MXW__EXPR_AND) : NULL;

	if (!when)
		return greylisted;
	if (e) {
		append(e, when);
		append(e, greylisted);
	}
	return e;
}
