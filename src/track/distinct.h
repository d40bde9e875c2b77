/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * distinct.h: how many different things each of many keys has shown in the last window: recipients guessed by a client, networks that a
 * user came from, HELO names of an address.
 *
 * Who may call: session, track.
 * Threads: any; the table is sharded, each shard has one mutex, held for the look-up only; nothing else is locked under it.
 * Memory:  bounded by max_entries, about 350 bytes each; under pressure the entry least worth keeping of a few
 *          candidates (fewest things in the window, then the one that has been quiet for longest) goes.
 * Accuracy: see sketch.h; exact up to 32, within some percent up to 2000, at most about 3500.
 */
#ifndef MXW_SRC_TRACK_DISTINCT_H
#define MXW_SRC_TRACK_DISTINCT_H

#include "src/base/base.h"

typedef struct mxw__distinct mxw__distinct_t;

struct mxw__distinct_stats {
	uint64_t entries;
	uint64_t evictions;
};

mxw_status_t mxw__distinct_new(size_t max_entries, mxw__distinct_t **ret_distinct);
void mxw__distinct_free(mxw__distinct_t *distinct);

/*
 * Notes a thing, by its hash, of which every bit must be as good as chance, under a key of any octets, at the time `now_ms`
 * (monotonic). True if it is new: it was not seen in the window before. (With hundreds of them: now and then a new
 * one is taken for an old one.)
 */
bool mxw__distinct_add(mxw__distinct_t *distinct, const void *key, size_t key_len, uint32_t hash, int64_t now_ms,
		       uint64_t window_ms);
/* Was it seen in the window? Notes nothing. */
bool mxw__distinct_has(mxw__distinct_t *distinct, const void *key, size_t key_len, uint32_t hash, int64_t now_ms,
		       uint64_t window_ms);
uint64_t mxw__distinct_count(mxw__distinct_t *distinct, const void *key, size_t key_len, int64_t now_ms, uint64_t window_ms);
/* False: nothing was known of it. */
bool mxw__distinct_forget(mxw__distinct_t *distinct, const void *key, size_t key_len);
void mxw__distinct_get_stats(mxw__distinct_t *distinct, struct mxw__distinct_stats *ret_stats);
/* A hash of a thing's text for the above, keyed, so that nobody outside can aim at collisions. ASCII case does not count. */
uint64_t mxw__distinct_hash(const mxw__distinct_t *distinct, const char *text);

#endif
