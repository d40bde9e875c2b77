/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h: how rules are made into a policy, and how a decision becomes the words of a reply.
 *
 * The grammar of mxward.conf builds expressions and rules with these calls; default_policy.conf, compiled in as
 * text, is read by the same grammar.
 *
 * Who may call: conf (making), session (deciding, replies).
 * Threads: a policy is immutable once it was handed out.
 * Memory:  expressions and strings belong to the builder's arena, which the policy takes over.
 */
#ifndef MXW_SRC_POLICY_POLICY_H
#define MXW_SRC_POLICY_POLICY_H

#include <stdio.h>

#include <mxward/policy.h>
#include <mxward/session.h>

#include "src/base/base.h"

typedef enum mxw__op {
	MXW__OP_EQ, MXW__OP_NE, MXW__OP_LT, MXW__OP_LE, MXW__OP_GT, MXW__OP_GE, MXW__OP_IN, MXW__OP_MATCHES
} mxw__op_t;

typedef struct mxw__expr mxw__expr_t;
typedef struct mxw__policy_builder mxw__policy_builder_t;

mxw_status_t mxw__policy_builder_new(mxw__policy_builder_t **ret_builder);
void mxw__policy_builder_free(mxw__policy_builder_t *builder);

/*
 * One comparison; checks that the fact exists, that the operator suits its type and the values its words. `in` takes several
 * values (networks for an address); `matches` one pattern with * and ?. On a mistake NULL, with the reason in `err`
 * (text only) and a hint at the nearest name.
 */
mxw__expr_t *mxw__expr_compare(mxw__policy_builder_t *builder, const char *fact, mxw__op_t op,
			       const char *const *values, size_t nvalues, struct mxw_error *err);
/* A YESNO fact alone: "when helo.forged". */
mxw__expr_t *mxw__expr_is(mxw__policy_builder_t *builder, const char *fact, struct mxw_error *err);
mxw__expr_t *mxw__expr_not(mxw__policy_builder_t *builder, mxw__expr_t *a);
mxw__expr_t *mxw__expr_and(mxw__policy_builder_t *builder, mxw__expr_t *a, mxw__expr_t *b);
mxw__expr_t *mxw__expr_or(mxw__policy_builder_t *builder, mxw__expr_t *a, mxw__expr_t *b);

/* Longer than this no MTA waits for a reply that is not the last. */
enum { MXW__TARPIT_MAX_MS = 60000 };

struct mxw__rule {
	const char *name;
	const char *file;
	unsigned line;
	bool observe;
	bool skip_if_unknown;  /* if-unknown skip */
	unsigned at_stages;    /* bit per mxw_stage_t; 0: from the first possible one on */
	mxw__expr_t *when;     /* NULL: always */
	mxw_action_t action;
	const char *reply;     /* NULL: the action's default; of a tag: the field */
	unsigned delay_ms;     /* of a tarpit */
};

/* Appends a rule. Checks reply code against action (reject: 5xx, defer: 4xx, disconnect: 421), its enhanced code's
 * class, that every {name} in the reply is a variable or fact, and that the stages named can know the facts. */
mxw_status_t mxw__policy_builder_add(mxw__policy_builder_t *builder, const struct mxw__rule *rule, struct mxw_error *err);
/* Turns the builder (which is used up) into a policy. */
mxw_status_t mxw__policy_builder_finish(mxw__policy_builder_t *builder, mxw_policy_t **ret_policy);

/* Does it end the search for a rule that decides? */
bool mxw__action_is_final(mxw_action_t action);

/* How many rules tag. */
size_t mxw__policy_ntags(const mxw_policy_t *policy);
/* Is there any rule that holds messages, and does not only observe? */
bool mxw__policy_may_hold(const mxw_policy_t *policy);
/* The names of the fields that tag rules add, each once; those that only observe add none. At most MXW_TAGS_MAX. */
const char *const *mxw__policy_tag_names(const mxw_policy_t *policy, size_t *ret_n);
/* Is there any rule that conceals, and does not only observe? */
bool mxw__policy_may_conceal(const mxw_policy_t *policy);
/*
 * Is the recipient to be concealed? For RCPT; facts that tell whether it exists are not looked at. mxw_policy_decide()
 * asks this first and goes on accordingly; a session asks before it looks for the recipient, and then decides
 * with the answer it got: concealing rules are passed over if it was no, those on existence if it was yes.
 */
bool mxw__policy_conceals(const mxw_policy_t *policy, const mxw_facts_t *facts);
void mxw__policy_decide_as(const mxw_policy_t *policy, mxw_stage_t stage, const mxw_facts_t *facts, bool is_concealed,
			   struct mxw_decision *ret_decision);
/*
 * Does it matter at this stage what a fact is, of which nothing is known yet? No, if every rule that names it is false whatever it is. To be
 * asked with the fact stated as unavailable, and every other one that is not known yet.
 */
bool mxw__policy_hangs_on(const mxw_policy_t *policy, mxw_stage_t stage, const mxw_facts_t *facts, mxw_fact_id_t fact);
/* Is it the reply of a concealing rule that is given at the end of the message? */
bool mxw__reply_is_late(const char *reply);

/* The part of that check that is about the reply alone; `reply` is not NULL. */
mxw_status_t mxw__reply_check(mxw_action_t action, const char *reply, struct mxw_error *err);

/* ---- tag.c ---- */

/* "NAME: VALUE": a name that programs do not live by, and a value that may be filled in. */
mxw_status_t mxw__tag_check(const char *field, struct mxw_error *err);
/* Its name, in `arena`; NULL without memory. */
const char *mxw__tag_name(mxw__arena_t *arena, const char *field);
/* Room that name and value of one take at most. */
enum { MXW__TAG_BYTES = 768 };
/* The value, filled in as in a reply, after a blank and folded with "\n\t"; NULL without memory. */
struct mxw__reply_vars;
const char *mxw__tag_value(mxw__arena_t *arena, const char *field, const mxw_facts_t *facts, const struct mxw__reply_vars *vars);

/* Writes the rules in the syntax of mxward.conf, in force order. */
void mxw__policy_dump(const mxw_policy_t *policy, FILE *out);
/* Writes a value so that it reads back as it is: quoted where it has to be. */
void mxw__word_dump(const char *word, FILE *out);

/* What stands for {client}, {helo}, {sender}, {rcpt} and {session} in a reply; NULL shows as "". */
struct mxw__reply_vars {
	const char *client, *helo, *sender, *rcpt, *session;
};

/*
 * Makes the reply: code, enhanced code and text from the decision's template, variables and facts filled in, made
 * safe (printable ASCII, bounded per value and in all). Fills action, code, enhanced, text, rule, file, line and facts.
 */
void mxw__reply_make(const struct mxw_decision *decision, const mxw_facts_t *facts, const struct mxw__reply_vars *vars,
		     struct mxw_verdict *ret_verdict);

/* "spf=fail dkim=?temperror auth=-": the facts a decision stood on, escaped as in the log; '?' marks one that is
 * unavailable, '-' one that nobody stated. What does not fit into `buf` is left out whole. */
void mxw__decision_facts(const struct mxw_decision *decision, const mxw_facts_t *facts, struct mxw__buf *buf);

#endif
