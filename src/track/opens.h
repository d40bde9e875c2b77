/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opens.h: how many of something each of many keys has open at one time: sessions. Counted exactly: each one that is entered is left.
 *
 * Who may call: session.
 * Threads: any; the table is sharded, each shard has one mutex, held for the look-up only. Nothing else is locked under it.
 * Memory:  about 100 bytes for each key that has any open; so it is bounded by what is open.
 */
#ifndef MXW_SRC_TRACK_OPENS_H
#define MXW_SRC_TRACK_OPENS_H

#include "src/base/base.h"
#include "src/track/key.h"

typedef struct mxw__opens mxw__opens_t;
/* What those that are open under one key share. */
struct mxw__open;

mxw_status_t mxw__opens_new(mxw__opens_t **ret_opens);
/* All must have been left. */
void mxw__opens_free(mxw__opens_t *opens);

/*
 * One more under a limit's id and a key (of kind NONE: all together). False: there are `max` already, and this one is not counted. True:
 * `ret_open` is to be given to mxw__opens_leave(), and NULL if there was no memory to count it.
 */
bool mxw__opens_enter(mxw__opens_t *opens, uint64_t id, const struct mxw__key *key, uint64_t max, struct mxw__open **ret_open);
/* NULL is allowed. */
void mxw__opens_leave(mxw__opens_t *opens, struct mxw__open *open);
uint64_t mxw__opens_count(mxw__opens_t *opens, uint64_t id, const struct mxw__key *key);

#endif
