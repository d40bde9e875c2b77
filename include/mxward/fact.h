/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fact.h: what checks have established.
 *
 * A fact is a name with a value. Which facts exist, with type, the stage from which on they can be
 * known and their meaning, is one table (src/policy/fact_table.c); mxward.conf(5) lists the same.
 * A fact that was asked for but could not be established is stated as *unavailable* and may carry
 * the word that says so (spf=temperror); a fact that nobody stated is absent.
 *
 * Threads: a set of facts has one owner at a time. The table is immutable.
 * Memory:  a set keeps its strings in itself and is bounded by its limits.
 */
#ifndef MXWARD_FACT_H
#define MXWARD_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mxward/net.h>
#include <mxward/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The steps of an SMTP conversation at which a policy decides, in their order. */
typedef enum mxw_stage {
	MXW_STAGE_CONNECT = 0,
	MXW_STAGE_HELO,
	MXW_STAGE_MAIL,
	MXW_STAGE_RCPT,
	MXW_STAGE_DATA,
	MXW_STAGE_EOM,
	MXW_STAGE_COUNT
} mxw_stage_t;

/* "connect", "helo", "mail", "rcpt", "data", "eom". Static. */
const char *mxw_stage_name(mxw_stage_t stage);

typedef enum mxw_fact_type {
	MXW_FACT_WORD,    /* one word of a fixed list */
	MXW_FACT_TEXT,    /* what a peer sent, as it came; compared without case */
	MXW_FACT_NUMBER,  /* a non-negative whole number */
	MXW_FACT_ADDRESS, /* an IP address; may be compared with networks */
	MXW_FACT_YESNO
} mxw_fact_type_t;

/* How long a fact stays: a new recipient, message or session clears those of its scope. */
typedef enum mxw_fact_scope {
	MXW_SCOPE_SESSION,
	MXW_SCOPE_MESSAGE,
	MXW_SCOPE_RCPT
} mxw_fact_scope_t;

/* Index into the table. */
typedef unsigned mxw_fact_id_t;
#define MXW_FACT_NONE ((mxw_fact_id_t)-1)

struct mxw_fact_info {
	const char *name;
	mxw_fact_type_t type;
	mxw_stage_t stage;         /* known from here on, at the earliest */
	mxw_fact_scope_t scope;
	bool is_multi;             /* may be stated several times; a condition holds if one value satisfies it */
	const char *words;         /* MXW_FACT_WORD: the words, separated by blanks */
	const char *meaning;       /* one line, ends without a full stop */
};

size_t mxw_fact_count(void);
/* NULL if there is no such fact. */
const struct mxw_fact_info *mxw_fact_info(mxw_fact_id_t id);
/* MXW_FACT_NONE if there is no fact of that name. */
mxw_fact_id_t mxw_fact_find(const char *name);

typedef struct mxw_facts mxw_facts_t;

/* `max_facts` and `max_bytes` bound the set; a statement beyond them is refused with MXW_ERR_LIMIT. */
mxw_status_t mxw_facts_new(size_t max_facts, size_t max_bytes, mxw_facts_t **ret_facts);
void mxw_facts_free(mxw_facts_t *facts);

/*
 * State a fact. A fact that is not is_multi replaces its earlier value. The text form serves words, texts
 * and "yes"/"no". Errors: MXW_ERR_USAGE (value does not fit the type), MXW_ERR_LIMIT, MXW_ERR_NOMEM. After the latter
 * two the fact counts as unavailable, and what it said before is gone: a policy must not decide as if it were absent.
 */
mxw_status_t mxw_facts_set(mxw_facts_t *facts, mxw_fact_id_t id, const char *value);
mxw_status_t mxw_facts_set_number(mxw_facts_t *facts, mxw_fact_id_t id, uint64_t value);
mxw_status_t mxw_facts_set_ip(mxw_facts_t *facts, mxw_fact_id_t id, const struct mxw_ip *ip);
/*
 * States that the fact could not be established. `word` (may be NULL) is the value it then shows. Of a text that may be stated
 * several times it is the one value that is in doubt: all others are compared as if nothing were missing.
 */
mxw_status_t mxw_facts_set_unavailable(mxw_facts_t *facts, mxw_fact_id_t id, const char *word);

/* Forget every fact of that scope and of the narrower ones. */
void mxw_facts_clear(mxw_facts_t *facts, mxw_fact_scope_t scope);

bool mxw_facts_has(const mxw_facts_t *facts, mxw_fact_id_t id);
bool mxw_facts_is_unavailable(const mxw_facts_t *facts, mxw_fact_id_t id);
/* The value as text, of the first statement if there are several; NULL if absent, "" if unavailable without a word.
 * Borrowed until the set changes. */
const char *mxw_facts_get(const mxw_facts_t *facts, mxw_fact_id_t id);
uint64_t mxw_facts_get_number(const mxw_facts_t *facts, mxw_fact_id_t id);

/* Calls `visit` for each statement in the order they were made; a number stated again keeps its place. */
void mxw_facts_each(const mxw_facts_t *facts,
		    void (*visit)(void *ctx, mxw_fact_id_t id, const char *value, bool is_unavailable),
		    void *ctx);

#ifdef __cplusplus
}
#endif
#endif
