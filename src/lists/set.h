/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * set.h: a set of entries of one list, by which an address or a name is found at once: one look-up for each length of prefix that
 * the set has, and for each label of a name.
 *
 * Who may call: lists, session.
 * Threads: none of its own: a set that is filled and then only read may be read by many.
 * Memory:  counted references; bounded by `max`.
 */
#ifndef MXW_SRC_LISTS_SET_H
#define MXW_SRC_LISTS_SET_H

#include "src/lists/entry.h"

typedef struct mxw__list_set mxw__list_set_t;

/* An entry of a set; texts are the set's. */
struct mxw__list_item {
	struct mxw__list_item *next; /* the set's own, as the next */
	uint64_t hash;
	const char *entry, *author, *reason;
	int64_t until_ms;
	unsigned line;               /* of the file; 0: added while running */
	/* Of those that were added while running, for other hosts and the disk (state.h). */
	bool is_removed;             /* it does not count any more; kept to tell others */
	uint8_t changed;             /* a bit for each reader */
	int64_t at_ms;               /* wall time when it was written */
	uint16_t key_len;
	uint8_t key[];               /* and the texts behind it */
};

/* NULL without memory. */
mxw__list_set_t *mxw__list_set_new(size_t max);
mxw__list_set_t *mxw__list_set_ref(mxw__list_set_t *set);
void mxw__list_set_unref(mxw__list_set_t *set);

/* Adds an entry, in the place of the same one that is there. `ret_item` may be NULL. MXW_ERR_LIMIT: there are `max`; MXW_ERR_NOMEM. */
mxw_status_t mxw__list_set_add(mxw__list_set_t *set, const struct mxw__list_line *line, unsigned number,
			       struct mxw__list_item **ret_item);
struct mxw__list_item *mxw__list_set_get(mxw__list_set_t *set, const struct mxw__list_key *key);
void mxw__list_set_remove(mxw__list_set_t *set, struct mxw__list_item *item);
size_t mxw__list_set_count(const mxw__list_set_t *set);

/* Of several entries that fit and have not expired, the narrowest; NULL: none. */
const struct mxw__list_item *mxw__list_set_find_ip(const mxw__list_set_t *set, const struct mxw_ip *ip, int64_t wall_ms);
/* `name` in A-labels, without a final dot. */
const struct mxw__list_item *mxw__list_set_find_name(const mxw__list_set_t *set, const char *name, int64_t wall_ms);
/* `address` as struct mxw__address has it for comparison; its domain is not looked at. */
const struct mxw__list_item *mxw__list_set_find_mailbox(const mxw__list_set_t *set, const char *address, int64_t wall_ms);

/* The next of all from `*cursor` (0: the first); NULL: that was all. What is added meanwhile is seen or not. */
struct mxw__list_item *mxw__list_set_next(mxw__list_set_t *set, size_t *cursor, struct mxw__list_item *after);

/*
 * For walks in steps, between which the set may change: the first entry of chain `at` (< nchains), the rest by `next`; NULL: there is
 * none. An entry moves only to a chain behind the present last one, so a walk from the first to what is then the last misses none; it may
 * see one twice. Chains hold about one entry each.
 */
struct mxw__list_item *mxw__list_set_chain(mxw__list_set_t *set, size_t at);
size_t mxw__list_set_nchains(const mxw__list_set_t *set);

#endif
