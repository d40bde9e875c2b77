/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unions.h: how many different things an account has shown in the last window, on all hosts together and over restarts: recipients of a user,
 * networks that he came from; recipients that a client guessed (guessed.h).
 *
 * What each host has seen in a quarter of the window, by the time of day, is a bitmap of 512 bits; those of several hosts are merged by
 * bitwise or, and none of them can count a thing twice. The bits of the last four quarters give an estimate by linear counting (sketch.h):
 * exact to a few of some dozens, within some percent up to 1000 and more; never more than what was seen, up to 32. Nothing older than the
 * window counts; of what was seen before its last three quarters some is forgotten already.
 *
 * That all hosts agree on the bits takes a hash that is no secret: whoever chooses things with one bit shows few, as far as hosts tell each
 * other. What one host counts for itself (distinct.h), it counts with a secret hash, and that remains the least.
 *
 * Who may call: session.
 * Threads: any; the table is sharded, each shard has one mutex, held for the look-up, or for a walk over some hundred entries; nothing
 *          else is locked under it.
 * Memory:  bounded by max_entries, 153 bytes each, one for each account, kind and quarter; under pressure, of 8 candidates one that has
 *          expired goes, else the one with the fewest bits.
 * Time:    quarters are of the time of day, since hosts must agree on them. A clock that is set makes what was before it count no more, or
 *          not yet; it never makes anything count longer.
 */
#ifndef MXW_SRC_TRACK_UNIONS_H
#define MXW_SRC_TRACK_UNIONS_H

#include "src/base/base.h"
#include "src/track/key.h"
#include "src/track/state.h"

typedef struct mxw__unions mxw__unions_t;

enum { MXW__UNIONS_QUARTERS = 4 };

/* `clock` is copied. MXW_ERR_NOMEM. */
mxw_status_t mxw__unions_new(const struct mxw_clock *clock, size_t max_entries, mxw__unions_t **ret_unions);
void mxw__unions_free(mxw__unions_t *unions);

/*
 * `heard` is called with each kind of an account that another host, or what was kept, says has begun anew: who counts the same for himself forgets it, too.
 * More than once, it may be; on the thread that puts, without a lock. To be said before anything is put.
 */
void mxw__unions_on_forget(mxw__unions_t *unions, void (*heard)(void *ctx, const struct mxw__key *who, char kind), void *ctx);

/* Notes a thing of that kind, 'a' to 'z'. Case does not count in it (ASCII). A window of less than a minute is nothing to tell others of. */
void mxw__unions_add(mxw__unions_t *unions, const struct mxw__key *who, char kind, const char *thing, uint64_t window_ms);
/* Different ones in the window. */
uint64_t mxw__unions_count(mxw__unions_t *unions, const struct mxw__key *who, char kind, uint64_t window_ms);
/* All kinds begin anew, here and on every host that shares, whatever a host that was away still has of before. */
void mxw__unions_forget(mxw__unions_t *unions, const struct mxw__key *who);
/*
 * One kind begins anew, of which this host need not know anything itself, so that those who do forget it. False: there was nothing here. This costs no
 * walk through all of them.
 */
bool mxw__unions_forget_kind(mxw__unions_t *unions, const struct mxw__key *who, char kind, uint64_t window_ms);
/* The key of the record of the quarter so many quarters back, less than MXW__UNIONS_QUARTERS. "" if there is none. */
void mxw__unions_record_key(const mxw__unions_t *unions, const struct mxw__key *who, char kind, uint64_t window_ms, unsigned back,
			    char ret_key[MXW__STATE_KEY_MAX]);

/*
 * As a sort of state, "different": fields b0 to b15, 32 bits each, and reset, the wall time of the last forgetting; the key is the kind, the
 * quarter's length in seconds, its number since 1970 and the account, as r:21600:81801:user:anna.
 */
extern const struct mxw__state_sort mxw__unions_sort;
/* The same as "guessed", for one that is kept beside it. */
extern const struct mxw__state_sort mxw__unions_guessed_sort;

#endif
