/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seen.h: was this pair seen in the last window? A key and a thing, such as a client and a recipient that it wrote to. Exact, but for
 * pairs that had to make room.
 *
 * Who may call: session.
 * Threads: any; the set is sharded, each shard has one mutex, held for the look-up only; nothing else is locked under it.
 * Memory:  12 bytes for each pair, allocated at once and touched when needed. Where there are too many, those seen longest ago go.
 */
#ifndef MXW_SRC_TRACK_SEEN_H
#define MXW_SRC_TRACK_SEEN_H

#include "src/base/base.h"

typedef struct mxw__seen mxw__seen_t;

/* MXW_ERR_NOMEM. */
mxw_status_t mxw__seen_new(size_t max_pairs, mxw__seen_t **ret_seen);
void mxw__seen_free(mxw__seen_t *seen);

/* A keyed hash, so that nobody outside can aim at collisions. */
uint64_t mxw__seen_hash(const mxw__seen_t *seen, const void *thing, size_t len);
/* Notes a pair at the time `now_ms` (monotonic). True if it was not seen in the window before. */
bool mxw__seen_add(mxw__seen_t *seen, const void *key, size_t key_len, uint64_t thing, int64_t now_ms, uint64_t window_ms);
/* As if it had never been seen. */
void mxw__seen_forget(mxw__seen_t *seen, const void *key, size_t key_len, uint64_t thing);

#endif
