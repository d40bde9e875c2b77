/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unions_parts.h: how unions.c keeps what it knows, for it and unions_state.c.
 *
 * Who may call: unions*.c only.
 */
#ifndef MXW_SRC_TRACK_UNIONS_PARTS_H
#define MXW_SRC_TRACK_UNIONS_PARTS_H

#include <stdatomic.h>

#include "src/track/unions.h"

enum {
	MXW__UNION_SHARDS = 16,     /* a power of two */
	MXW__UNION_WAYS = 8,        /* slots one quarter may stand in: the candidates for eviction */
	MXW__UNION_STEP = 256,      /* entries that are looked at under one lock: sessions wait for it */
	MXW__UNION_WORDS = 16,      /* of 32 bits */
	MXW__UNION_WINDOW_MIN_MS = 60000,
	MXW__UNION_QUARTER_MAX_S = 366 * 86400
};

/* What names a quarter of an account; compared octet by octet. */
struct mxw__union_name {
	struct mxw__key who;
	uint32_t quarter_s;   /* 0: the slot is free */
	uint32_t kind;
	int64_t number;       /* of quarters since 1970 */
};

struct mxw__union_entry {
	struct mxw__union_name name;
	uint8_t changed;      /* a bit for each reader of state */
	uint32_t bits[MXW__UNION_WORDS];
	int64_t reset_ms;     /* wall time at which it was forgotten last, or 0 */
};

struct mxw__union_shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	struct mxw__union_entry *entries;
	uint8_t *tags;         /* of each entry some bits of its hash, 0 while it is free: most that are looked for are not there */
	size_t nchanged[MXW__STATE_READERS];
	size_t next[MXW__STATE_READERS]; /* where a reader goes on looking */
};

struct mxw__unions {
	struct mxw__hashkey hashkey; /* immutable, as the next ones */
	struct mxw_clock clock;
	size_t nsets;
	void (*heard)(void *ctx, const struct mxw__key *who, char kind);
	void *heard_ctx;
	atomic_uint next_shard[MXW__STATE_READERS];
	struct mxw__union_shard shards[MXW__UNION_SHARDS];
};

/* Where a quarter may stand. All quarters of an account and kind are in one shard. */
struct mxw__union_place {
	struct mxw__union_shard *shard;
	struct mxw__union_entry *set;
	uint8_t *tags; /* of the set */
	uint8_t tag;   /* its own */
};

/* A step through all entries of all shards, from `*at` (0: the first) on; false: it is over. */
struct mxw__union_step {
	struct mxw__union_shard *shard;
	struct mxw__union_entry *first, *end;
};
bool mxw__unions_step(mxw__unions_t *unions, size_t *at, struct mxw__union_step *ret_step);

int64_t mxw__unions_wall_ms(const mxw__unions_t *unions);
/* Wall time from which on nothing of that quarter counts. */
int64_t mxw__unions_expires_ms(const struct mxw__union_name *name);
/* It is over, or so far ahead that a clock must be wrong, ours or that of who wrote it. */
bool mxw__unions_is_dead(const struct mxw__union_name *name, int64_t now_ms);
unsigned mxw__unions_ones(const uint32_t bits[MXW__UNION_WORDS]);
struct mxw__union_place mxw__unions_place(mxw__unions_t *unions, const struct mxw__union_name *name);
struct mxw__union_entry *mxw__unions_find_locked(const struct mxw__union_place *at, const struct mxw__union_name *name);
/* The same; makes one if there is none, in the place of another where it must. */
struct mxw__union_entry *mxw__unions_need_locked(const struct mxw__union_place *at, const struct mxw__union_name *name, int64_t now_ms);
void mxw__unions_mark_locked(struct mxw__union_shard *shard, struct mxw__union_entry *e, mxw__state_reader_t reader);
void mxw__unions_unmark_locked(struct mxw__union_shard *shard, struct mxw__union_entry *e, mxw__state_reader_t reader);
void mxw__unions_write_key(const struct mxw__union_name *name, char ret_key[MXW__STATE_KEY_MAX]);

#endif
