/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fact_set.h: how a set of facts keeps its statements, for the evaluation of rules.
 *
 * Who may call: policy only.
 * Threads: as mxw_facts_t.
 * Memory:  texts lie one after the other in one pool; a statement knows its offset, so that the pool may move.
 */
#ifndef MXW_SRC_POLICY_FACT_SET_H
#define MXW_SRC_POLICY_FACT_SET_H

#include "src/base/base.h"
#include "src/policy/facts.h"

/* No word: a text, a number, or unavailable without a word. */
#define MXW__NO_WORD 0xffu

/* One statement. */
struct mxw__fact_value {
	mxw_fact_id_t id;
	bool is_unavailable;
	uint8_t word;          /* index into the words of the table; YESNO: 0 no, 1 yes */
	size_t offset;         /* of the text in the pool, NUL-terminated */
	size_t len;
	uint64_t number;
	struct mxw_ip ip;
};

struct mxw_facts {
	size_t max_facts;
	size_t max_bytes;
	size_t n;
	size_t cap;
	struct mxw__fact_value *values;
	char *pool;
	size_t pool_len;       /* in use, with gaps */
	size_t pool_cap;
	size_t live;           /* in use, without gaps */
	/* Facts of which a statement was refused, for a bound or for memory: whatever they were, nothing is known of them. */
	bool lost[MXW__FACT_COUNT];
};

/* The index of the first statement on `id` at or after `from`; facts->n if there is none. */
static inline size_t mxw__facts_index(const struct mxw_facts *facts, mxw_fact_id_t id, size_t from)
{
	while (from < facts->n && facts->values[from].id != id)
		from++;
	return from;
}

static inline const char *mxw__fact_text(const struct mxw_facts *facts, const struct mxw__fact_value *value)
{
	return facts->pool + value->offset;
}

/* The number of a word in a list of words separated by blanks, MXW__NO_WORD if it is not among them. */
unsigned mxw__word_index(const char *words, const char *word);
/* The words that fit a fact: its own, "no yes" for MXW_FACT_YESNO, NULL if it takes any text. */
const char *mxw__fact_words(const struct mxw_fact_info *info);

#endif
