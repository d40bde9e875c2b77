/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rates.h: how much of something each of many keys may do in a time: the generic cell rate algorithm (ITU-T I.371), which is a leaky
 * bucket in one number.
 *
 * A rate of 60/1m lets one pass each second, and `burst` at once after a while without any. All that is kept of a key is the theoretical
 * arrival time: the time at which its bucket will be empty. What is over the limit is not counted, so that who goes on as
 * fast as before still gets the rate, and who waits gets the burst again.
 *
 * Who may call: session, store, share.
 * Threads: any; the table is sharded, each shard has one mutex, held for the look-up only. Nothing else is locked under it.
 * Memory:  bounded by max_entries, 104 bytes each; under pressure the one of a few candidates whose time comes first goes. One whose
 *          time has come is worth nothing: so one-time keys push out one another, and nobody who is over a limit.
 * Time:    `now_ms` is monotonic; a time before the last one only makes waiting longer by as much.
 */
#ifndef MXW_SRC_TRACK_RATES_H
#define MXW_SRC_TRACK_RATES_H

#include "src/base/base.h"
#include "src/track/key.h"
#include "src/track/state.h"

typedef struct mxw__rates mxw__rates_t;

enum { MXW__RATE_NAME_MAX = 80 };

struct mxw__rate {
	uint64_t id;        /* mxw__rate_id() of its name */
	uint64_t count;     /* in `window_ms`; both over 0 */
	uint64_t window_ms;
	uint64_t burst;     /* at once */
};

/* The same on every host and after each start. */
uint64_t mxw__rate_id(const char *name);

/* `clock` is copied, and serves for records of state only. */
mxw_status_t mxw__rates_new(size_t max_entries, const struct mxw_clock *clock, mxw__rates_t **ret_rates);
void mxw__rates_free(mxw__rates_t *rates);
/* Which rates there are, by their names; what is known of others is forgotten. MXW_ERR_NOMEM: all is as it was. */
mxw_status_t mxw__rates_configure(mxw__rates_t *rates, const char *const *names, size_t n);

/*
 * One more, or `n`, of key `key`; a key of kind NONE stands for all together. True: within the limit, and counted. False: over it, and
 * not counted.
 */
bool mxw__rates_take(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, uint64_t n, int64_t now_ms);
/* Would one more be within the limit? Counts nothing. */
bool mxw__rates_has_room(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms);
/*
 * Counts what has happened already, also beyond the limit, up to twice the burst. Returns how many are in the bucket now: 0 to
 * twice the burst.
 */
double mxw__rates_charge(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, uint64_t n, int64_t now_ms);
/* How many are in the bucket. */
double mxw__rates_level(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms);
/* The key begins anew, here and on every host that shares. */
void mxw__rates_forgive(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms);

/* The key of the record in which others have it. */
void mxw__rates_record_key(const char *name, const struct mxw__key *key, char ret_key[MXW__STATE_KEY_MAX]);

struct mxw__rates_stats {
	uint64_t entries, max_entries;
	uint64_t evictions;   /* of entries whose time had not come */
	size_t bytes;
};
void mxw__rates_get_stats(mxw__rates_t *rates, struct mxw__rates_stats *ret_stats);

/* As a sort of state, "rate": fields tat and reset. A record's key is the rate's name, ':' and the key's text or "site". */
extern const struct mxw__state_sort mxw__rates_sort;

#endif
