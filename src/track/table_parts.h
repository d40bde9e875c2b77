/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_parts.h: the insides of the table, for table.c (what happens to entries), table_slots.c (where they stand)
 * and table_state.c (the way to the disk and other hosts).
 *
 * A shard is an array of sets with WAYS slots each. A key has two sets of one shard that it may stand in, so 16 slots; in each of
 * the two, one slot is its home. Whoever comes takes a free home, also from one who has none there; so more than four in five stand at
 * home, and both homes are fetched from memory at once, before it is known whether the key is there. Of the others a tag of 16 bits from
 * the key's hash says where they are; 0 is a free slot's. What is needed for a score, an event or an eviction lies in two cache lines;
 * the key itself lies elsewhere, since its hash, which nobody outside can foresee, is as good.
 *
 * Who may call: table.c, table_slots.c, table_state.c.
 * Threads: one mutex for each shard; functions whose names end in _locked want that of the place they are given.
 */
#ifndef MXW_SRC_TRACK_TABLE_PARTS_H
#define MXW_SRC_TRACK_TABLE_PARTS_H

#include <stdatomic.h>

#include "src/track/table.h"

enum {
	MXW__TABLE_WAYS = 8,
	MXW__TABLE_SHARDS = 64,
	MXW__TABLE_SETS_MAX = 1 << 21, /* of a shard: as many bits has the hash to spare for each of two */
	MXW__TABLE_LINE = 64           /* octets that come from memory at once */
};

/* Who is to be told of a change: a bit for each slot. */
typedef enum mxw__table_mark {
	MXW__MARK_DISK,
	MXW__MARK_SCORE, /* other hosts: score and times */
	MXW__MARK_GOOD,  /* other hosts: good history */
	MXW__MARKS
} mxw__table_mark_t;

/* In the table it begins where a line does; a copy of it may stand anywhere. */
struct mxw__entry {
	uint64_t hash;
	int64_t at_ms;                       /* that the numbers hold for */
	int32_t first_s, last_s;             /* monotonic, in seconds; below 0: before the machine was started */
	float score, good;
	float unshared_score, unshared_good; /* of these, what other hosts have not been told */
	float counts[MXW__EVENT_COUNT];
	bool is_merged;                      /* numbers from disk or other hosts are contained already */
	/* Of counts, what other hosts have not been told, in the room that is left: rather too little than too much. */
	uint8_t unshared_unknown;            /* recipients, rejected ones among them */
	uint16_t unshared_accepted;
};

/* The rest of an entry. */
struct mxw__owner {
	int64_t reset_ms;                    /* wall time of the last forgiving; 0: never */
	struct mxw__key key;
};
_Static_assert(sizeof(struct mxw__entry) == 2 * MXW__TABLE_LINE && sizeof(struct mxw__owner) <= MXW__TABLE_LINE,
	       "at most 200 bytes for an entry, tag and marks included");

/* A copy of both, to be looked at without the lock. */
struct mxw__pair {
	struct mxw__entry entry;
	struct mxw__owner owner;
};

struct mxw__shard {
	_Alignas(MXW__TABLE_LINE) pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	/* Apart from the lock, which takes its line from the other processors each time: these are read by all, before they lock. */
	_Alignas(MXW__TABLE_LINE) struct mxw__entry *entries;
	struct mxw__owner *owners;
	uint16_t *tags;
	uint64_t *marks[MXW__MARKS];
	size_t next[MXW__MARKS]; /* the word of marks where a reader goes on */
	uint64_t used, evictions;
};

struct mxw__table {
	struct mxw__hashkey hashkey;  /* immutable, as the next */
	struct mxw_clock clock;
	size_t nshards, nsets;        /* sets of a shard */
	size_t bytes;
	char *memory;                 /* of all shards */
	_Atomic uint64_t half_life_ms, history_half_life_ms, credit;
	atomic_uint next_shard[MXW__MARKS];
	struct mxw__shard *shards;
};

/* Where a key may stand. */
struct mxw__place {
	struct mxw__shard *shard;
	uint64_t hash;
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
float mxw__table_left_of_score(const mxw__table_t *t, const struct mxw__entry *e, int64_t now_ms);
float mxw__table_left_of_good(const mxw__table_t *t, const struct mxw__entry *e, int64_t now_ms);

void mxw__table_place(const mxw__table_t *t, const struct mxw__key *key, struct mxw__place *ret_place);
/* The slot; SIZE_MAX: it is not there. */
size_t mxw__table_find_locked(const struct mxw__place *at);
/* A slot for a key that is not there, filled with `pair`. SIZE_MAX: all that stand there are worth more, and `must` is false. */
size_t mxw__table_admit_locked(mxw__table_t *t, const struct mxw__place *at, const struct mxw__pair *pair, bool must, int64_t now_ms);
void mxw__table_mark_locked(struct mxw__shard *shard, size_t slot, mxw__table_mark_t mark);
/* Makes the numbers hold for `now_ms`, if that is later than what they hold for. */
void mxw__table_age(const mxw__table_t *t, struct mxw__entry *e, int64_t now_ms);
/* What other hosts are to be told of counts grows by `times`. */
void mxw__table_add_unshared(struct mxw__entry *e, mxw__event_t event, double times);
/* Score and counts begin at 0. */
void mxw__table_reset(struct mxw__entry *e);
int32_t mxw__table_seconds(int64_t ms);

#endif
