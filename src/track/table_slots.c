/* SPDX-License-Identifier: BSD-2-Clause */
/* table_slots.c: which slot a key stands in, who goes when there is no room, and what time leaves of an entry. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "src/track/table_parts.h"

enum { WAYS = MXW__TABLE_WAYS };

/* The hash gives 6 bits for the shard, 16 for the tag, 21 for each of the two sets. */
enum { SHARD_BITS = 6, TAG_BITS = 16, SET_BITS = 21 };
_Static_assert(MXW__TABLE_SHARDS == 1 << SHARD_BITS && MXW__TABLE_SETS_MAX == 1 << SET_BITS, "enough bits");
_Static_assert(SHARD_BITS + TAG_BITS + 2 * SET_BITS == 64, "each bit of the hash once");

/* ---- time ---- */

float mxw__table_left(int64_t gone_ms, uint64_t half_life_ms)
{
	if (gone_ms <= 0)
		return 1;
	return half_life_ms ? exp2f((float)(-(double)gone_ms / (double)half_life_ms)) : 0;
}

/* Rounded down. */
int32_t mxw__table_seconds(int64_t ms)
{
	int64_t s = ms / 1000 - (ms % 1000 < 0);

	return s > INT32_MAX ? INT32_MAX : s < INT32_MIN ? INT32_MIN : (int32_t)s;
}

float mxw__table_left_of_score(const mxw__table_t *t, const struct mxw__entry *e, int64_t now_ms)
{
	return mxw__table_left(now_ms - e->at_ms, atomic_load_explicit(&t->half_life_ms, memory_order_relaxed));
}

float mxw__table_left_of_good(const mxw__table_t *t, const struct mxw__entry *e, int64_t now_ms)
{
	return mxw__table_left(now_ms - e->at_ms, atomic_load_explicit(&t->history_half_life_ms, memory_order_relaxed));
}

void mxw__table_age(const mxw__table_t *t, struct mxw__entry *e, int64_t now_ms)
{
	if (now_ms <= e->at_ms)
		return;
	float score = mxw__table_left_of_score(t, e, now_ms);
	e->score *= score;
	e->unshared_score *= score;
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		e->counts[i] *= score;
	if (e->unshared_unknown || e->unshared_accepted) {
		e->unshared_unknown = (uint8_t)lroundf((float)e->unshared_unknown * score);
		e->unshared_accepted = (uint16_t)lroundf((float)e->unshared_accepted * score);
	}
	/* Of most there is none. */
	if (e->good > 0) {
		float good = mxw__table_left_of_good(t, e, now_ms);
		e->good *= good;
		e->unshared_good *= good;
	}
	e->at_ms = now_ms;
}

/* ---- finding ---- */

/* All of a slot's lines at once: one after the other they would be waited for in turn. */
static void prefetch_entry(const struct mxw__entry *e)
{
	for (size_t i = 0; i < sizeof *e; i += MXW__TABLE_LINE)
		__builtin_prefetch((const char *)e + i, 1);
}

/* The slot of a set where a key is looked for first, before it is known whether it is there. */
static size_t home_of(size_t set, uint16_t tag)
{
	return set + tag % WAYS;
}

void mxw__table_place(const mxw__table_t *t, const struct mxw__key *key, struct mxw__place *ret_place)
{
	/* In whole words: what is not used is 0. */
	uint64_t h = mxw__hash(&t->hashkey, key, (offsetof(struct mxw__key, data) + key->len + 7) / 8 * 8);
	const struct mxw__shard *shard = &t->shards[h & (t->nshards - 1)];
	uint16_t tag = (uint16_t)(h >> SHARD_BITS);
	size_t first = (h >> (SHARD_BITS + TAG_BITS) & ((1u << SET_BITS) - 1)) * t->nsets >> SET_BITS;
	size_t second = (h >> (SHARD_BITS + TAG_BITS + SET_BITS)) * t->nsets >> SET_BITS;

	/* 0 is a free slot's. */
	tag += tag == 0;
	first *= WAYS;
	second *= WAYS;
	prefetch_entry(&shard->entries[home_of(first, tag)]);
	prefetch_entry(&shard->entries[home_of(second, tag)]);
	__builtin_prefetch(shard->tags + first);
	__builtin_prefetch(shard->tags + second);
	ret_place->shard = &t->shards[h & (t->nshards - 1)];
	ret_place->hash = h;
	ret_place->sets[0] = first;
	ret_place->sets[1] = second;
	ret_place->tag = tag;
}

/* A bit for each slot of a set that has the tag: without branches, whose outcome nobody could foretell. */
static unsigned tagged(const uint16_t *tags, uint16_t tag)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < WAYS; i++)
		bits |= (unsigned)(tags[i] == tag) << i;
	return bits;
}

/* Most are at home, and known by the hash that was fetched with them; only for the others the tags are waited for. */
size_t mxw__table_find_locked(const struct mxw__place *at)
{
	const struct mxw__shard *shard = at->shard;

	for (size_t s = 0; s < 2; s++) {
		size_t home = home_of(at->sets[s], at->tag);
		if (shard->tags[home] == at->tag && shard->entries[home].hash == at->hash)
			return home;
	}
	unsigned bits = tagged(shard->tags + at->sets[0], at->tag) | tagged(shard->tags + at->sets[1], at->tag) << WAYS;
	for (; bits; bits &= bits - 1) {
		unsigned i = (unsigned)__builtin_ctz(bits);
		size_t slot = at->sets[i / WAYS] + i % WAYS;
		if (shard->entries[slot].hash == at->hash)
			return slot;
	}
	return SIZE_MAX;
}

/* ---- what goes when there is no room ---- */

enum {
	ESTABLISHED = 1000000, /* more than any score */
	GOOD_POINTS = 20,      /* what one accepted aligned message is worth, in points */
	SPAN_POINTS = 10,      /* what a half-life between first and last seen is worth */
	SPAN_MAX = 24
};

/*
 * How much an entry is worth keeping. Whoever has come for longer than half a half-life, or has sent good mail, is established: before
 * such a one goes, all candidates go that have come and gone, however many points each of them got. Having been here decays as good
 * history does, so nobody is established for ever. Among equals the score counts, bad or good, and what is known of them.
 */
static float worth(const mxw__table_t *t, const struct mxw__entry *e, int64_t now_ms)
{
	float kept = mxw__table_left_of_good(t, e, now_ms);
	float half_life_s = (float)atomic_load_explicit(&t->half_life_ms, memory_order_relaxed) / 1000;
	float span = e->last_s > e->first_s ? ((float)e->last_s - (float)e->first_s) / half_life_s : 0;
	float history = (span < SPAN_MAX ? span : SPAN_MAX) * kept, good = e->good * kept;

	return fabsf(e->score) * mxw__table_left_of_score(t, e, now_ms) + GOOD_POINTS * good + SPAN_POINTS * history +
	       (history + good >= 0.5f ? ESTABLISHED : 0);
}

static size_t count_free(const uint16_t *tags)
{
	size_t n = 0;

	for (size_t i = 0; i < WAYS; i++)
		n += tags[i] == 0;
	return n;
}

/* What stands in a slot goes to another one of the same set. */
static void move_locked(struct mxw__shard *shard, size_t from, size_t to)
{
	shard->entries[to] = shard->entries[from];
	shard->owners[to] = shard->owners[from];
	shard->tags[to] = shard->tags[from];
	for (size_t m = 0; m < MXW__MARKS; m++) {
		uint64_t bit = shard->marks[m][from / 64] >> from % 64 & 1;
		shard->marks[m][from / 64] &= ~(UINT64_C(1) << from % 64);
		shard->marks[m][to / 64] |= bit << to % 64;
	}
}

/*
 * SIZE_MAX: there is none. The home in either set, if one is free; else the set with more room, where whoever stands in this one's home
 * and has another makes room.
 */
static size_t find_free_locked(const struct mxw__place *at)
{
	uint16_t *tags = at->shard->tags;
	size_t set = at->sets[count_free(tags + at->sets[1]) > count_free(tags + at->sets[0])];

	for (size_t i = 0; i < 2; i++)
		if (tags[home_of(at->sets[i], at->tag)] == 0)
			return home_of(at->sets[i], at->tag);
	for (size_t i = set; i < set + WAYS; i++) {
		if (tags[i])
			continue;
		size_t home = home_of(set, at->tag);
		if (home_of(set, tags[home]) == home)
			return i;
		move_locked(at->shard, home, i);
		return home;
	}
	return SIZE_MAX;
}

/* Of equals the one that has not changed for longest. */
static size_t find_least_locked(const mxw__table_t *t, const struct mxw__place *at, int64_t now_ms, float *ret_worth)
{
	const struct mxw__entry *entries = at->shard->entries;
	size_t least = at->sets[0];

	for (size_t i = 0; i < (size_t)2 * WAYS; i++)
		__builtin_prefetch(&entries[at->sets[i / WAYS] + i % WAYS]);
	*ret_worth = worth(t, &entries[least], now_ms);
	for (size_t i = 1; i < (size_t)2 * WAYS; i++) {
		size_t slot = at->sets[i / WAYS] + i % WAYS;
		float w = worth(t, &entries[slot], now_ms);
		if (w < *ret_worth || (w <= *ret_worth && entries[slot].at_ms < entries[least].at_ms)) {
			*ret_worth = w;
			least = slot;
		}
	}
	return least;
}

static void evict_locked(struct mxw__shard *shard, size_t slot)
{
	shard->evictions++;
	shard->used--;
	for (size_t m = 0; m < MXW__MARKS; m++)
		shard->marks[m][slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

size_t mxw__table_admit_locked(mxw__table_t *t, const struct mxw__place *at, const struct mxw__pair *pair, bool must, int64_t now_ms)
{
	size_t slot = find_free_locked(at);
	float least;

	if (slot == SIZE_MAX) {
		slot = find_least_locked(t, at, now_ms, &least);
		if (!must && worth(t, &pair->entry, now_ms) <= least)
			return SIZE_MAX;
		evict_locked(at->shard, slot);
	}
	at->shard->used++;
	at->shard->tags[slot] = at->tag;
	at->shard->entries[slot] = pair->entry;
	at->shard->entries[slot].hash = at->hash;
	at->shard->owners[slot] = pair->owner;
	return slot;
}

void mxw__table_mark_locked(struct mxw__shard *shard, size_t slot, mxw__table_mark_t mark)
{
	uint64_t *word = &shard->marks[mark][slot / 64], bit = UINT64_C(1) << slot % 64;

	/* What is set already is only read: a write would take the line from the other processors each time. */
	if (!(*word & bit))
		*word |= bit;
}
