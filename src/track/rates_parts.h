/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rates_parts.h: how rates.c keeps what it knows, for it and rates_state.c.
 *
 * Who may call: rates*.c only.
 */
#ifndef MXW_SRC_TRACK_RATES_PARTS_H
#define MXW_SRC_TRACK_RATES_PARTS_H

#include <stdatomic.h>

#include "src/track/rates.h"

enum {
	MXW__RATE_SHARDS = 64,  /* a power of two */
	MXW__RATE_WAYS = 8      /* slots one key may stand in: the candidates for eviction */
};
#define MXW__NS_PER_MS INT64_C(1000000)

/* A slot is free while its id is 0. */
struct mxw__rate_entry {
	uint64_t id;
	struct mxw__key key;
	int64_t tat_ns;        /* theoretical arrival time, monotonic */
	int64_t unshared_ns;   /* of it, what other hosts have not been told */
	int64_t reset_ms;      /* wall time of the last forgiving; 0: never */
	uint8_t changed;       /* a bit for each reader of state */
	bool is_of_others;     /* its time comes from elsewhere, or from before a reload: by another clock, or for another rate */
};

struct mxw__rate_shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	struct mxw__rate_entry *entries;
	uint64_t used, evictions;
	uint64_t nchanged[MXW__STATE_READERS];
	size_t next[MXW__STATE_READERS]; /* where a reader goes on looking */
};

struct mxw__rate_name {
	uint64_t id;
	char text[MXW__RATE_NAME_MAX];
};

struct mxw__rates {
	struct mxw__hashkey hashkey;  /* immutable, as the next two */
	struct mxw_clock clock;
	size_t nsets;
	atomic_uint next_shard[MXW__STATE_READERS];
	pthread_mutex_t names_mutex;  /* guards the next two; no other is taken under it */
	struct mxw__rate_name *names;
	size_t nnames;
	struct mxw__rate_shard shards[MXW__RATE_SHARDS];
};

/* Where a key of a rate may stand. */
struct mxw__rate_place {
	struct mxw__rate_shard *shard;
	struct mxw__rate_entry *set;
};

struct mxw__rate_place mxw__rates_find_set(mxw__rates_t *rates, uint64_t id, const struct mxw__key *key);
struct mxw__rate_entry *mxw__rates_find_locked(const struct mxw__rate_place *at, uint64_t id, const struct mxw__key *key);
/* The same; makes one if there is none, in the place of another where it must. */
struct mxw__rate_entry *mxw__rates_need_locked(const struct mxw__rate_place *at, uint64_t id, const struct mxw__key *key, int64_t now_ns);
void mxw__rates_mark_locked(struct mxw__rate_shard *shard, struct mxw__rate_entry *e, mxw__state_reader_t reader);
/* It begins anew. */
void mxw__rates_reset(struct mxw__rate_entry *e, int64_t now_ns, int64_t wall_ms);
bool mxw__rates_has_name(const struct mxw__rate_name *names, size_t n, uint64_t id);

#endif
