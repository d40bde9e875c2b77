/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules.h: what a compiled policy looks like inside.
 *
 * Who may call: policy only.
 * Threads: immutable once mxw__policy_builder_finish() handed the policy out; the count is atomic.
 * Memory:  expressions, rules and strings lie in the policy's arena.
 */
#ifndef MXW_SRC_POLICY_RULES_H
#define MXW_SRC_POLICY_RULES_H

#include <stdatomic.h>

#include "src/policy/fact_set.h"
#include "src/policy/policy.h"

/* Kleene's three values: `and` is the smaller, `or` the larger, `not` what is left to two. */
typedef enum mxw__tri { MXW__FALSE = 0, MXW__UNKNOWN = 1, MXW__TRUE = 2 } mxw__tri_t;

typedef enum mxw__expr_kind { MXW__EXPR_COMPARE, MXW__EXPR_NOT, MXW__EXPR_AND, MXW__EXPR_OR } mxw__expr_kind_t;

/* Nested deeper than this, a condition is refused: evaluation recurses, on the small stacks of a milter's threads. */
enum { MXW__EXPR_DEPTH_MAX = 32 };

struct mxw__expr {
	mxw__expr_kind_t kind;
	unsigned depth;
	/* MXW__EXPR_COMPARE */
	mxw_fact_id_t fact;
	mxw__op_t op;
	bool is_bare;               /* a YESNO fact alone */
	size_t nvalues;
	const char *const *values;  /* as written */
	uint64_t words;             /* a bit for each word named */
	const uint64_t *numbers;
	const struct mxw_network *networks;
	/* The others: a list of children, one for `not`. */
	struct mxw__expr *first, *last, *next;
};

enum { MXW__FACT_BITS = (MXW__FACT_COUNT + 63) / 64 };

struct mxw__fact_bits {
	uint64_t v[MXW__FACT_BITS];
};

static inline void mxw__fact_bits_add(struct mxw__fact_bits *bits, mxw_fact_id_t id)
{
	bits->v[id / 64] |= (uint64_t)1 << (id % 64);
}

static inline bool mxw__fact_bits_has(const struct mxw__fact_bits *bits, mxw_fact_id_t id)
{
	return id < MXW__FACT_COUNT && (bits->v[id / 64] >> (id % 64) & 1);
}

/* A rule with what follows from its condition. */
struct mxw__compiled_rule {
	struct mxw__rule rule;
	mxw__expr_t *condition;     /* what is tried: `rule.when` and what the action asks besides; NULL: always */
	unsigned tried;             /* bit per stage at which it is tried */
	unsigned pending;           /* bit per stage at which, being undetermined, it still counts; see decide.c */
	struct mxw__fact_bits facts;       /* named in the condition */
	struct mxw__fact_bits reply_facts; /* named in the reply */
	bool tells_existence;       /* the condition or reply names a fact that depends on whether the recipient exists */
};

struct mxw_policy {
	atomic_uint refs;
	mxw__arena_t *arena;
	size_t nrules;
	const struct mxw__compiled_rule *rules;
	struct mxw__fact_bits needs[MXW_STAGE_COUNT];
	bool has_stage[MXW_STAGE_COUNT];
	bool may_conceal;           /* there is a concealing rule that does not only observe */
	bool may_hold;              /* the same of one that holds messages */
	size_t ntags;
	size_t ntag_names;
	const char *tag_names[MXW_TAGS_MAX];
};

struct mxw__policy_builder {
	mxw__arena_t *arena;
	size_t nrules;
	size_t cap;
	struct mxw__compiled_rule *rules;
};

mxw__tri_t mxw__expr_eval(const struct mxw__expr *expr, const mxw_facts_t *facts);
/* Adds the facts that gave the expression the value it has. */
void mxw__expr_explain(const struct mxw__expr *expr, const mxw_facts_t *facts, struct mxw_decision *decision);
/* Adds every fact the expression names. */
void mxw__expr_facts(const struct mxw__expr *expr, struct mxw__fact_bits *bits);
void mxw__expr_dump(const struct mxw__expr *expr, FILE *out);
const char *mxw__op_name(mxw__op_t op);

/* What a condition is, and that the fact `greylist` says "not yet". NULL without memory. */
mxw__expr_t *mxw__expr_and_greylisted(mxw__policy_builder_t *builder, mxw__expr_t *when);

/* The texts of replies and tags: printable ASCII, each {name} a variable or fact. */
mxw_status_t mxw__text_check(const char *text, struct mxw_error *err);
/* With values filled in, made safe, and at most `max` octets in all. */
void mxw__text_expand(const char *text, const mxw_facts_t *facts, const struct mxw__reply_vars *vars, size_t max,
		      struct mxw__buf *ret_buf);
/* Adds every fact that a reply template names. */
void mxw__reply_facts(const char *reply, struct mxw__fact_bits *bits);

#endif
