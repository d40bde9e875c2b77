/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h: an ordered list of rules, compiled once, and the pure function that decides by it.
 *
 * mxw_policy_decide() looks at nothing but its arguments: no clock, no look-up, no global. The same
 * policy, stage and facts always give the same decision; explain and rehearsal rest on that.
 *
 * Conditions have three values. A comparison with an *unavailable* fact is neither true nor false, but for the word
 * it shows (spf = temperror); `not`, `and` and `or` follow Kleene's logic. A comparison with an *absent* fact is false.
 * A rule whose condition is undetermined does not hold, but might have: unless what is decided without it comes to the
 * same, the decision is to defer (a rule may say `if-unknown skip` instead). So no message is refused
 * for good, and none accepted or discarded, where the missing fact could have changed that.
 *
 * Threads: a policy is immutable after it was made and counted.
 */
#ifndef MXWARD_POLICY_H
#define MXWARD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mxward/fact.h>
#include <mxward/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum mxw_action {
	MXW_ACTION_CONTINUE = 0, /* no rule decided: go on */
	MXW_ACTION_ACCEPT,       /* no further rule for this session, message or recipient */
	MXW_ACTION_DEFER,        /* 4xx */
	MXW_ACTION_REJECT,       /* 5xx */
	MXW_ACTION_DISCONNECT,   /* 421 and the session ends */
	MXW_ACTION_DISCARD,      /* accept the message and throw it away; only where an administrator wrote it */
	MXW_ACTION_CONCEAL,      /* the same reply for every recipient, whether it exists or not; see below */
	MXW_ACTION_GREYLIST,     /* defer, where the greylist has not seen the sender try again properly */
	MXW_ACTION_HOLD,         /* accept the message, into the MTA's quarantine */
	/* These do not decide: rules after them are tried as if they were not there. */
	MXW_ACTION_TARPIT,       /* the reply comes later */
	MXW_ACTION_TAG           /* the message gets a header field if it goes on */
} mxw_action_t;

/* "continue", "accept", "defer", "reject", "disconnect", "discard", "conceal", "greylist", "hold", "tarpit", "tag". Static. */
const char *mxw_action_name(mxw_action_t action);

typedef struct mxw_policy mxw_policy_t;

#define MXW_OBSERVED_MAX 8
#define MXW_DECISIVE_MAX 16
#define MXW_TAGS_MAX 32 /* rules that tag, of one policy */

/* What a policy decided, in terms of the policy. Pointers are borrowed from the policy. */
struct mxw_decision {
	mxw_action_t action;
	const char *rule;      /* NULL for MXW_ACTION_CONTINUE */
	const char *file;
	unsigned line;
	const char *reply;     /* template: "550 5.1.1 <{rcpt}>: no such recipient here" */
	bool is_undetermined;  /* a fact was missing that could have changed the verdict */
	/* The facts the rule's condition stood on. */
	size_t nfacts;
	mxw_fact_id_t facts[MXW_DECISIVE_MAX];
	/* Rules marked `observe` that would have decided, in order; more than fit are counted only. */
	size_t nobserved;
	struct {
		const char *rule;
		mxw_action_t action;
	} observed[MXW_OBSERVED_MAX];
	/* The longest delay of the tarpit rules that hold and stand before the one that decided; 0 and NULL: none. */
	unsigned delay_ms;
	const char *delay_rule;
	/* Tag rules that hold and stand before the one that decided. */
	size_t ntags;
	struct {
		const char *rule;
		const char *field;     /* template: "X-Spam-Score: {client.score}" */
	} tags[MXW_TAGS_MAX];
};

/*
 * Greylisting. A rule with this action holds only where the fact `greylist` is `new` or `waiting` as well. Out of doubt it delays
 * nothing: undetermined, it is passed over. So are the rules that tag, and those that delay.
 *
 * Concealing. A rule with this action is tried at RCPT and names no fact that depends on whether the recipient
 * exists. When the condition of the first such rule holds (and no accept rule before it does), every rule that names such a fact
 * is passed over, those before it too: what is decided then can't depend on it. With a 4xx reply each recipient is
 * put off with it; with a 5xx reply each is accepted, and the message refused at its end. When the reply is given is
 * the session's affair: after a fixed time.
 *
 * Decides at a stage. A rule is tried from the first stage on at which every fact it names can be known
 * (or only at the stages its `at` line names); rules on recipients are tried at RCPT only.
 */
void mxw_policy_decide(const mxw_policy_t *policy, mxw_stage_t stage, const mxw_facts_t *facts,
		       struct mxw_decision *ret_decision);

/* Does any rule that is tried at this stage name this fact? */
bool mxw_policy_needs(const mxw_policy_t *policy, mxw_stage_t stage, mxw_fact_id_t fact);
/* Is any rule tried at this stage? */
bool mxw_policy_has_stage(const mxw_policy_t *policy, mxw_stage_t stage);

mxw_policy_t *mxw_policy_ref(mxw_policy_t *policy);
void mxw_policy_unref(mxw_policy_t *policy);

#ifdef __cplusplus
}
#endif
#endif
