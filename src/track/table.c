/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/table_parts.h"

enum {
	WAYS = MXW__TABLE_WAYS,
	SETS_MIN = 16,        /* of a shard, before there is another one: with few sets they fill unevenly */
	WALK_SLOTS = 1024,    /* looked at under one lock */
	WALK_ENTRIES = 32     /* copied under one lock */
};

/* The hash gives 6 bits for the shard, 16 for the tag, 21 for each of the two sets. */
enum { SHARD_BITS = 6, TAG_BITS = 16, SET_BITS = 21 };
_Static_assert(MXW__TABLE_SHARDS == 1 << SHARD_BITS && SHARD_BITS + TAG_BITS + 2 * SET_BITS == 64, "each bit of the hash once");

/* ---- making it ---- */

void mxw__table_configure(mxw__table_t *table, const struct mxw__table_options *options)
{
	atomic_store(&table->half_life_ms, options->half_life_ms);
	atomic_store(&table->history_half_life_ms, options->history_half_life_ms);
	atomic_store(&table->credit, options->credit);
}

static size_t shard_bytes(const mxw__table_t *t)
{
	size_t slots = mxw__table_shard_slots(t);

	return sizeof(struct mxw__shard) + slots * (sizeof(struct mxw__entry) + sizeof(uint16_t)) +
	       MXW__MARKS * mxw__table_words(t) * sizeof(uint64_t);
}

/* As many as both bounds allow; at least one set. */
static void measure(mxw__table_t *t, const struct mxw__table_options *options)
{
	size_t sets = options->max_entries / WAYS;

	t->nshards = MXW__TABLE_SHARDS;
	while (t->nshards > 1 && sets / t->nshards < SETS_MIN)
		t->nshards /= 2;
	t->nsets = sets / t->nshards;
	if (t->nsets > (size_t)1 << SET_BITS)
		t->nsets = (size_t)1 << SET_BITS;
	if (options->max_bytes) {
		size_t set_bytes = WAYS * (sizeof(struct mxw__entry) + sizeof(uint16_t)) + MXW__MARKS;
		size_t fixed = t->nshards * (sizeof(struct mxw__shard) + MXW__MARKS * sizeof(uint64_t)) + sizeof *t;
		size_t room = options->max_bytes > fixed ? (options->max_bytes - fixed) / t->nshards / set_bytes : 0;
		if (room < t->nsets)
			t->nsets = room;
	}
	if (t->nsets == 0)
		t->nsets = 1;
	t->bytes = sizeof *t + t->nshards * shard_bytes(t);
}

/* Entries are left as the system gives them, and take no memory before they are used: nobody looks at one without a tag. */
static bool make_shard(const mxw__table_t *t, struct mxw__shard *shard)
{
	size_t slots = mxw__table_shard_slots(t), bytes;

	shard->tags = mxw__calloc(slots, sizeof *shard->tags);
	shard->entries = mxw__mul_size(slots, sizeof *shard->entries, &bytes) ? aligned_alloc(MXW__TABLE_LINE, bytes) : NULL;
	bool is_ok = shard->tags && shard->entries;
	for (size_t m = 0; m < MXW__MARKS; m++) {
		shard->marks[m] = mxw__calloc(mxw__table_words(t), sizeof *shard->marks[m]);
		is_ok &= shard->marks[m] != NULL;
	}
	return is_ok;
}

mxw_status_t mxw__table_new(const struct mxw__table_options *options, mxw__table_t **ret_table)
{
	mxw__table_t *t = calloc(1, sizeof *t);
	bool is_ok;

	if (!t)
		return MXW_ERR_NOMEM;
	measure(t, options);
	t->clock = *options->clock;
	mxw__hashkey_random(&t->hashkey);
	mxw__table_configure(t, options);
	t->shards = aligned_alloc(MXW__TABLE_LINE, t->nshards * sizeof *t->shards);
	is_ok = t->shards != NULL;
	for (size_t i = 0; is_ok && i < t->nshards; i++) {
		memset(&t->shards[i], 0, sizeof t->shards[i]);
		pthread_mutex_init(&t->shards[i].mutex, NULL);
	}
	for (size_t i = 0; is_ok && i < t->nshards; i++)
		is_ok = make_shard(t, &t->shards[i]);
	if (!is_ok) {
		mxw__table_free(t);
		return MXW_ERR_NOMEM;
	}
	*ret_table = t;
	return MXW_OK;
}

void mxw__table_free(mxw__table_t *table)
{
	if (!table)
		return;
	for (size_t i = 0; table->shards && i < table->nshards; i++) {
		struct mxw__shard *shard = &table->shards[i];
		pthread_mutex_destroy(&shard->mutex);
		free(shard->tags);
		free(shard->entries);
		for (size_t m = 0; m < MXW__MARKS; m++)
			free(shard->marks[m]);
	}
	free(table->shards);
	free(table);
}

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

static float left_of_score(const mxw__table_t *t, const struct mxw__entry *e, int64_t now_ms)
{
	return mxw__table_left(now_ms - e->at_ms, atomic_load_explicit(&t->half_life_ms, memory_order_relaxed));
}

static float left_of_good(const mxw__table_t *t, const struct mxw__entry *e, int64_t now_ms)
{
	return mxw__table_left(now_ms - e->at_ms, atomic_load_explicit(&t->history_half_life_ms, memory_order_relaxed));
}

void mxw__table_age(const mxw__table_t *t, struct mxw__entry *e, int64_t now_ms)
{
	if (now_ms <= e->at_ms)
		return;
	float score = left_of_score(t, e, now_ms);
	e->score *= score;
	e->unshared_score *= score;
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		e->counts[i] *= score;
	/* Of most there is none. */
	if (e->good > 0) {
		float good = left_of_good(t, e, now_ms);
		e->good *= good;
		e->unshared_good *= good;
	}
	e->at_ms = now_ms;
}

/*
 * Before something happens to an entry. Within some seconds (a thousandth of the half-life) the numbers stay as they are, and what is added
 * counts as added when they were made: they are floats, and many small steps would round away what should decay.
 */
static void touch(const mxw__table_t *t, struct mxw__entry *e, int64_t now_ms)
{
	int32_t now_s = mxw__table_seconds(now_ms);

	if (now_ms - e->at_ms > (int64_t)(atomic_load_explicit(&t->half_life_ms, memory_order_relaxed) / 1024))
		mxw__table_age(t, e, now_ms);
	if (now_s > e->last_s)
		e->last_s = now_s;
}

/* ---- finding ---- */

struct mxw__place mxw__table_place(const mxw__table_t *t, const struct mxw__key *key)
{
	uint64_t h = mxw__hash(&t->hashkey, key, offsetof(struct mxw__key, data) + key->len);
	struct mxw__place at = {.shard = &t->shards[h & (t->nshards - 1)], .tag = (uint16_t)(h >> SHARD_BITS)};

	/* 0 is a free slot's. */
	at.tag += at.tag == 0;
	h >>= SHARD_BITS + TAG_BITS;
	at.sets[0] = (h & ((1u << SET_BITS) - 1)) * t->nsets >> SET_BITS;
	at.sets[1] = (h >> SET_BITS) * t->nsets >> SET_BITS;
	for (size_t i = 0; i < 2; i++) {
		at.sets[i] *= WAYS;
		__builtin_prefetch(at.shard->tags + at.sets[i]);
	}
	return at;
}

static bool is_key(const struct mxw__entry *e, const struct mxw__key *key)
{
	return memcmp(&e->key, key, offsetof(struct mxw__key, data) + key->len) == 0;
}

/* All of a slot's lines at once: one after the other they would be waited for in turn. */
static void prefetch_entry(const struct mxw__entry *e)
{
	for (size_t i = 0; i < sizeof *e; i += MXW__TABLE_LINE)
		__builtin_prefetch((const char *)e + i, 1);
}

struct mxw__entry *mxw__table_find_locked(const struct mxw__place *at, const struct mxw__key *key)
{
	for (size_t s = 0; s < 2; s++) {
		for (size_t i = at->sets[s]; i < at->sets[s] + WAYS; i++) {
			if (at->shard->tags[i] != at->tag)
				continue;
			prefetch_entry(&at->shard->entries[i]);
			if (is_key(&at->shard->entries[i], key))
				return &at->shard->entries[i];
		}
	}
	return NULL;
}

/* ---- what goes when there is no room ---- */

enum {
	ESTABLISHED = 1000000, /* more than any score */
	GOOD_POINTS = 20,      /* what one accepted aligned message is worth, in points */
	SPAN_POINTS = 10,      /* what a half-life between first and last seen is worth */
	SPAN_MAX = 24
};

/*
 * How much an entry is worth keeping. Whoever has come for longer than half a half-life, or has sent good mail, is established: before such
 * a one goes, all candidates go that have come and gone, however many points each of them got. Having been here decays as good history
 * does, so nobody is established for ever. Among equals the score counts, bad or good, and what is known of them.
 */
static float worth(const mxw__table_t *t, const struct mxw__entry *e, int64_t now_ms)
{
	float kept = left_of_good(t, e, now_ms);
	float half_life_s = (float)atomic_load_explicit(&t->half_life_ms, memory_order_relaxed) / 1000;
	float span = e->last_s > e->first_s ? ((float)e->last_s - (float)e->first_s) / half_life_s : 0;
	float history = (span < SPAN_MAX ? span : SPAN_MAX) * kept, good = e->good * kept;

	return fabsf(e->score) * left_of_score(t, e, now_ms) + GOOD_POINTS * good + SPAN_POINTS * history +
	       (history + good >= 0.5f ? ESTABLISHED : 0);
}

static size_t count_free(const uint16_t *tags)
{
	size_t n = 0;

	for (size_t i = 0; i < WAYS; i++)
		n += tags[i] == 0;
	return n;
}

/* SIZE_MAX: there is none. */
static size_t find_free_locked(const struct mxw__place *at)
{
	const uint16_t *tags = at->shard->tags;
	size_t free0 = count_free(tags + at->sets[0]), free1 = count_free(tags + at->sets[1]);
	size_t set = at->sets[free1 > free0];

	for (size_t i = set; i < set + WAYS; i++)
		if (tags[i] == 0)
			return i;
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

struct mxw__entry *mxw__table_admit_locked(mxw__table_t *t, const struct mxw__place *at, const struct mxw__entry *entry, bool must,
					   int64_t now_ms)
{
	size_t slot = find_free_locked(at);
	float least;

	if (slot == SIZE_MAX) {
		slot = find_least_locked(t, at, now_ms, &least);
		if (!must && worth(t, entry, now_ms) <= least)
			return NULL;
		evict_locked(at->shard, slot);
	}
	at->shard->used++;
	at->shard->tags[slot] = at->tag;
	at->shard->entries[slot] = *entry;
	return &at->shard->entries[slot];
}

static struct mxw__entry *need_locked(mxw__table_t *t, const struct mxw__place *at, const struct mxw__key *key, int64_t now_ms)
{
	struct mxw__entry *e = mxw__table_find_locked(at, key);

	if (e) {
		touch(t, e, now_ms);
		return e;
	}
	int32_t now_s = mxw__table_seconds(now_ms);
	struct mxw__entry fresh = {.key = *key, .at_ms = now_ms, .first_s = now_s, .last_s = now_s};
	e = mxw__table_admit_locked(t, at, &fresh, true, now_ms);
	mxw__table_mark_locked(at->shard, e, MXW__MARK_SCORE);
	return e;
}

void mxw__table_mark_locked(struct mxw__shard *shard, const struct mxw__entry *e, mxw__table_mark_t mark)
{
	size_t slot = (size_t)(e - shard->entries);

	shard->marks[mark][slot / 64] |= UINT64_C(1) << slot % 64;
}

/* ---- what happens ---- */

double mxw__table_add(mxw__table_t *table, const struct mxw__key *key, mxw__event_t event, double times, double points,
		      int64_t now_ms)
{
	if (key->kind == MXW__KEY_NONE)
		return 0;
	struct mxw__place at = mxw__table_place(table, key);
	float floor = -(float)atomic_load_explicit(&table->credit, memory_order_relaxed);
	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__entry *e = need_locked(table, &at, key, now_ms);
	float after = e->score + (float)points;
	/* Credit that is there already is not lost by a good event. */
	if (points < 0 && after < floor)
		after = e->score < floor ? e->score : floor;
	e->unshared_score += after - e->score;
	e->score = after;
	if ((size_t)event < MXW__EVENT_COUNT)
		e->counts[event] += (float)times;
	mxw__table_mark_locked(at.shard, e, MXW__MARK_DISK);
	mxw__table_mark_locked(at.shard, e, MXW__MARK_SCORE);
	pthread_mutex_unlock(&at.shard->mutex);
	return (double)after;
}

void mxw__table_add_good(mxw__table_t *table, const struct mxw__key *key, double amount, int64_t now_ms)
{
	if (key->kind == MXW__KEY_NONE)
		return;
	struct mxw__place at = mxw__table_place(table, key);
	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__entry *e = need_locked(table, &at, key, now_ms);
	e->good += (float)amount;
	e->unshared_good += (float)amount;
	mxw__table_mark_locked(at.shard, e, MXW__MARK_DISK);
	mxw__table_mark_locked(at.shard, e, MXW__MARK_GOOD);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void stand(const mxw__table_t *t, const struct mxw__entry *e, int64_t now_ms, struct mxw__standing *ret_standing)
{
	double left = (double)left_of_score(t, e, now_ms), left_good = (double)left_of_good(t, e, now_ms);

	*ret_standing = (struct mxw__standing){e->key, (double)e->score * left, (double)e->good * left_good,
					       (int64_t)e->first_s * 1000, (int64_t)e->last_s * 1000, {0}};
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		ret_standing->counts[i] = (double)e->counts[i] * left;
}

double mxw__table_score(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms)
{
	double score = 0;

	if (key->kind == MXW__KEY_NONE)
		return 0;
	struct mxw__place at = mxw__table_place(table, key);
	pthread_mutex_lock(&at.shard->mutex);
	const struct mxw__entry *e = mxw__table_find_locked(&at, key);
	if (e)
		score = (double)(e->score * left_of_score(table, e, now_ms));
	pthread_mutex_unlock(&at.shard->mutex);
	return score;
}

bool mxw__table_get(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms, struct mxw__standing *ret_standing)
{
	*ret_standing = (struct mxw__standing){.key = *key};
	if (key->kind == MXW__KEY_NONE)
		return false;
	struct mxw__place at = mxw__table_place(table, key);
	pthread_mutex_lock(&at.shard->mutex);
	const struct mxw__entry *e = mxw__table_find_locked(&at, key);
	if (e)
		stand(table, e, now_ms, ret_standing);
	pthread_mutex_unlock(&at.shard->mutex);
	return e != NULL;
}

/* ---- forgiving ---- */

void mxw__table_reset(struct mxw__entry *e, int64_t wall_ms)
{
	e->score = e->unshared_score = 0;
	memset(e->counts, 0, sizeof e->counts);
	e->reset_ms = wall_ms;
}

bool mxw__table_forgive(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms)
{
	if (key->kind == MXW__KEY_NONE)
		return false;
	struct mxw__place at = mxw__table_place(table, key);
	int64_t wall_ms = table->clock.wall_ms(table->clock.ctx);
	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__entry *e = mxw__table_find_locked(&at, key);
	if (e) {
		mxw__table_age(table, e, now_ms);
		/* It must grow, even if the wall clock was set back: that is how others know of it. */
		mxw__table_reset(e, wall_ms > e->reset_ms ? wall_ms : e->reset_ms + 1);
		mxw__table_mark_locked(at.shard, e, MXW__MARK_DISK);
		mxw__table_mark_locked(at.shard, e, MXW__MARK_SCORE);
	}
	pthread_mutex_unlock(&at.shard->mutex);
	return e != NULL;
}

/* ---- all of them ---- */

/* Copies what there is of the next slots of one shard; what is done with them is done without the lock. */
static size_t copy_some(mxw__table_t *t, uint64_t *cursor, struct mxw__entry *ret_entries, size_t max)
{
	size_t per_shard = mxw__table_shard_slots(t), slot = *cursor % per_shard, n = 0;
	struct mxw__shard *shard = &t->shards[*cursor / per_shard];
	size_t end = per_shard - slot < WALK_SLOTS ? per_shard : slot + WALK_SLOTS;

	*cursor -= slot;
	pthread_mutex_lock(&shard->mutex);
	for (; slot < end && n < max; slot++)
		if (shard->tags[slot])
			ret_entries[n++] = shard->entries[slot];
	pthread_mutex_unlock(&shard->mutex);
	*cursor += slot;
	return n;
}

size_t mxw__table_walk(mxw__table_t *table, uint64_t *cursor, int64_t now_ms, struct mxw__standing *ret_standings, size_t max)
{
	uint64_t end = (uint64_t)table->nshards * mxw__table_shard_slots(table);
	struct mxw__entry some[WALK_ENTRIES];
	size_t n = 0;

	while (n < max && *cursor < end) {
		size_t k = copy_some(table, cursor, some, max - n < WALK_ENTRIES ? max - n : WALK_ENTRIES);
		for (size_t i = 0; i < k; i++)
			stand(table, &some[i], now_ms, &ret_standings[n++]);
	}
	return n;
}

void mxw__table_get_stats(mxw__table_t *table, struct mxw__table_stats *ret_stats)
{
	struct mxw__table_stats stats = {.max_entries = (uint64_t)table->nshards * mxw__table_shard_slots(table),
					 .bytes = table->bytes};

	for (size_t i = 0; i < table->nshards; i++) {
		struct mxw__shard *shard = &table->shards[i];
		pthread_mutex_lock(&shard->mutex);
		stats.entries += shard->used;
		stats.evictions += shard->evictions;
		pthread_mutex_unlock(&shard->mutex);
	}
	*ret_stats = stats;
}
