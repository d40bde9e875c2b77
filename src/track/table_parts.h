/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_parts.h: the insides of the table, for table.c (what happens to entries) and table_state.c (the way to the disk and other hosts).
 *
 * A shard is an array of sets with WAYS slots each. A key has two sets of one shard that it may stand in, so 16 slots; a new
 * one goes into the set with more room, which keeps sets evenly full. Each slot has a tag of 16 bits from the key's hash, 0 for a free slot;
 * the tags of a set lie side by side in one cache line, so an entry is looked at only if it is (nearly always) the right one.
 *
 * Who may call: table*.c.
 * Threads: one mutex for each shard; functions whose names end in _locked want that of the place they are given.
 */
#ifndef MXW_SRC_TRACK_TABLE_PARTS_H
#define MXW_SRC_TRACK_TABLE_PARTS_H

#include <stdatomic.h>

#include "src/track/table.h"

enum { MXW__TABLE_WAYS = 8, MXW__TABLE_SHARDS = 64, MXW__TABLE_LINE = 64 };

/* Who is to be told of a change: a bit for each slot. */
typedef enum mxw__table_mark {
	MXW__MARK_DISK,
	MXW__MARK_SCORE, /* other hosts: score and times */
	MXW__MARK_GOOD,  /* other hosts: good history */
	MXW__MARKS
} mxw__table_mark_t;

/* Three cache lines; what decides an eviction, and the key of an address, lie in the first. */
struct mxw__entry {
	_Alignas(MXW__TABLE_LINE) int64_t at_ms; /* that the numbers hold for */
	int64_t reset_ms;                        /* wall time of the last forgiving; 0: never */
	int32_t first_s, last_s;                 /* monotonic, in seconds; below 0: before the machine was started */
	float score, good;
	float unshared_score, unshared_good;     /* of these, what other hosts have not been told */
	struct mxw__key key;
	float counts[MXW__EVENT_COUNT];
	bool is_merged;                          /* numbers from disk or other hosts are contained already */
};
_Static_assert(sizeof(struct mxw__entry) == 3 * MXW__TABLE_LINE, "at most 200 bytes for an entry, tag and marks included");

struct mxw__shard {
	_Alignas(MXW__TABLE_LINE) pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	uint16_t *tags;
	struct mxw__entry *entries;
	uint64_t *marks[MXW__MARKS];
	size_t next[MXW__MARKS]; /* the word of marks where a reader goes on */
	uint64_t used, evictions;
};

struct mxw__table {
	struct mxw__hashkey hashkey;  /* immutable, as the next */
	struct mxw_clock clock;
	size_t nshards, nsets;        /* sets of a shard */
	size_t bytes;
	_Atomic uint64_t half_life_ms, history_half_life_ms, credit;
	atomic_uint next_shard[MXW__MARKS];
	struct mxw__shard *shards;
};

/* Where a key may stand. */
struct mxw__place {
	struct mxw__shard *shard;
	size_t sets[2];               /* the first slot of each */
	uint16_t tag;
};

static inline size_t mxw__table_shard_slots(const mxw__table_t *t)
{
	return t->nsets * MXW__TABLE_WAYS;
}

static inline size_t mxw__table_words(const mxw__table_t *t)
{
	return (mxw__table_shard_slots(t) + 63) / 64;
}

/* What is left of a number after a time; all of it if the time went back. */
float mxw__table_left(int64_t gone_ms, uint64_t half_life_ms);

struct mxw__place mxw__table_place(const mxw__table_t *t, const struct mxw__key *key);
struct mxw__entry *mxw__table_find_locked(const struct mxw__place *at, const struct mxw__key *key);
/* A slot for a key that is not there, filled with `entry`. NULL: all that stand there are worth more, and `must` is false. */
struct mxw__entry *mxw__table_admit_locked(mxw__table_t *t, const struct mxw__place *at, const struct mxw__entry *entry, bool must,
					   int64_t now_ms);
void mxw__table_mark_locked(struct mxw__shard *shard, const struct mxw__entry *e, mxw__table_mark_t mark);
/* Makes the numbers hold for `now_ms`, if that is later than what they hold for. */
void mxw__table_age(const mxw__table_t *t, struct mxw__entry *e, int64_t now_ms);
void mxw__table_reset(struct mxw__entry *e, int64_t wall_ms);
int32_t mxw__table_seconds(int64_t ms);

#endif
