/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "src/track/table_parts.h"

enum {
	WAYS = MXW__TABLE_WAYS,
	SETS_MIN = 16,        /* of a shard, before there is another one: with few sets they fill unevenly */
	WALK_SLOTS = 1024,    /* looked at under one lock */
	WALK_ENTRIES = 32,    /* copied under one lock */
	HUGE_PAGE = 2 << 20,
	LARGE = 80 << 20      /* bytes, from which on large pages are asked for: more than the default */
};

/* ---- making it ---- */

void mxw__table_configure(mxw__table_t *table, const struct mxw__table_options *options)
{
	atomic_store(&table->half_life_ms, options->half_life_ms);
	atomic_store(&table->history_half_life_ms, options->history_half_life_ms);
	atomic_store(&table->credit, options->credit);
}

enum { SLOT_BYTES = sizeof(struct mxw__entry) + sizeof(struct mxw__owner) + sizeof(uint16_t) };

static size_t marks_bytes(const mxw__table_t *t)
{
	return mxw__table_words(t) * sizeof(uint64_t);
}

static size_t shard_bytes(const mxw__table_t *t)
{
	return mxw__table_shard_slots(t) * SLOT_BYTES + MXW__MARKS * marks_bytes(t);
}

/* As many as both bounds allow; at least one set. */
static void measure(mxw__table_t *t, const struct mxw__table_options *options)
{
	size_t sets = options->max_entries / WAYS;

	t->nshards = MXW__TABLE_SHARDS;
	while (t->nshards > 1 && sets / t->nshards < SETS_MIN)
		t->nshards /= 2;
	t->nsets = sets / t->nshards;
	size_t fixed = sizeof *t + t->nshards * (sizeof(struct mxw__shard) + MXW__MARKS * sizeof(uint64_t));
	size_t set_bytes = WAYS * SLOT_BYTES + MXW__MARKS;
	if (options->max_bytes && fixed + t->nshards * t->nsets * set_bytes > options->max_bytes)
		t->nsets = options->max_bytes > fixed ? (options->max_bytes - fixed) / set_bytes / t->nshards : 0;
	if (t->nsets > MXW__TABLE_SETS_MAX)
		t->nsets = MXW__TABLE_SETS_MAX;
	if (t->nsets == 0)
		t->nsets = 1;
	t->bytes = sizeof *t + t->nshards * (sizeof(struct mxw__shard) + shard_bytes(t));
}

/*
 * Entries are left as the system gives them, and take no memory before they are used: nobody looks at one without a tag. A large table
 * is put on large pages where the system has them: each look-up goes to another page, and small ones must be looked for themselves.
 */
static bool get_memory(mxw__table_t *t)
{
	size_t bytes, align = t->bytes > LARGE ? (size_t)HUGE_PAGE : 2 * (size_t)MXW__TABLE_LINE;

	if (!mxw__mul_size(t->nshards, shard_bytes(t), &bytes))
		return false;
	bytes = (bytes + align - 1) / align * align;
	t->memory = aligned_alloc(align, bytes);
	t->shards = aligned_alloc(MXW__TABLE_LINE, t->nshards * sizeof *t->shards);
	if (!t->memory || !t->shards)
		return false;
#ifdef MADV_HUGEPAGE
	if (align == HUGE_PAGE)
		madvise(t->memory, bytes, MADV_HUGEPAGE);
#endif
	return true;
}

static void *cut(char **memory, size_t bytes)
{
	char *p = *memory;

	*memory += bytes;
	return p;
}

/* It is held for some hundred nanoseconds: to look again for so long costs less than to sleep and be woken, where the system can do that. */
static void make_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
	pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
}

/* All of a sort side by side, so that each is aligned as it needs. */
static void make_shards(mxw__table_t *t)
{
	char *memory = t->memory;
	size_t slots = mxw__table_shard_slots(t);

	memset(t->shards, 0, t->nshards * sizeof *t->shards);
	for (size_t i = 0; i < t->nshards; i++)
		t->shards[i].entries = cut(&memory, slots * sizeof(struct mxw__entry));
	for (size_t i = 0; i < t->nshards; i++)
		t->shards[i].owners = cut(&memory, slots * sizeof(struct mxw__owner));
	char *zeroed = memory;
	for (size_t i = 0; i < t->nshards; i++) {
		make_mutex(&t->shards[i].mutex);
		t->shards[i].tags = cut(&memory, slots * sizeof(uint16_t));
		for (size_t m = 0; m < MXW__MARKS; m++)
			t->shards[i].marks[m] = cut(&memory, marks_bytes(t));
	}
	memset(zeroed, 0, (size_t)(memory - zeroed));
}

mxw_status_t mxw__table_new(const struct mxw__table_options *options, mxw__table_t **ret_table)
{
	mxw__table_t *t = calloc(1, sizeof *t);

	if (!t)
		return MXW_ERR_NOMEM;
	measure(t, options);
	t->clock = *options->clock;
	mxw__hashkey_random(&t->hashkey);
	mxw__table_configure(t, options);
	if (!get_memory(t)) {
		free(t->memory);
		free(t->shards);
		free(t);
		return MXW_ERR_NOMEM;
	}
	make_shards(t);
	*ret_table = t;
	return MXW_OK;
}

void mxw__table_free(mxw__table_t *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->nshards; i++)
		pthread_mutex_destroy(&table->shards[i].mutex);
	free(table->memory);
	free(table->shards);
	free(table);
}

/* ---- what happens ---- */

/*
 * Before something happens to an entry. Within some seconds (a thousandth of the half-life) the numbers stay as they are, and what is
 * added counts as added when they were made: they are floats, and many small steps would round away what should decay.
 */
static void touch(const mxw__table_t *t, struct mxw__entry *e, int64_t now_ms)
{
	int32_t now_s = mxw__table_seconds(now_ms);

	if (now_ms - e->at_ms > (int64_t)(atomic_load_explicit(&t->half_life_ms, memory_order_relaxed) / 1024))
		mxw__table_age(t, e, now_ms);
	if (now_s > e->last_s)
		e->last_s = now_s;
}

static size_t need_locked(mxw__table_t *t, const struct mxw__place *at, const struct mxw__key *key, int64_t now_ms)
{
	size_t slot = mxw__table_find_locked(at);

	if (slot != SIZE_MAX) {
		touch(t, &at->shard->entries[slot], now_ms);
		return slot;
	}
	int32_t now_s = mxw__table_seconds(now_ms);
	struct mxw__pair fresh = {.entry = {.at_ms = now_ms, .first_s = now_s, .last_s = now_s}, .owner = {.key = *key}};
	slot = mxw__table_admit_locked(t, at, &fresh, true, now_ms);
	mxw__table_mark_locked(at->shard, slot, MXW__MARK_SCORE);
	return slot;
}

void mxw__table_add_unshared(struct mxw__entry *e, mxw__event_t event, double times)
{
	if (event == MXW__EVENT_UNKNOWN_RCPT || event == MXW__EVENT_REJECTED_RCPT)
		e->unshared_unknown = (uint8_t)fmin(e->unshared_unknown + fmax(times, 0), UINT8_MAX);
	else if (event == MXW__EVENT_ACCEPTED_RCPT)
		e->unshared_accepted = (uint16_t)fmin(e->unshared_accepted + fmax(times, 0), UINT16_MAX);
}

/* What a count comes to, decaying, if so many come each second for good: they are as many as in half-life / ln 2. */
static bool is_flood(const mxw__table_t *t, double count)
{
	double half_life_s = (double)atomic_load_explicit(&t->half_life_ms, memory_order_relaxed) / 1000;

	return count * M_LN2 >= MXW__TABLE_FLOOD_PER_S * half_life_s;
}

static float within(const mxw__table_t *t, const struct mxw__entry *e, mxw__event_t event, double points, double most)
{
	double room = most - (double)e->score;

	if (points <= 0 || points <= room || ((size_t)event < MXW__EVENT_COUNT && is_flood(t, (double)e->counts[event])))
		return (float)points;
	return room > 0 ? (float)room : 0;
}

/* `points` become those that were added; the score after it. */
static double add(mxw__table_t *table, const struct mxw__key *key, mxw__event_t event, double times, double *points, double most,
		  int64_t now_ms)
{
	if (key->kind == MXW__KEY_NONE)
		return *points = 0;
	struct mxw__place at;
	mxw__table_place(table, key, &at);
	float floor = -(float)atomic_load_explicit(&table->credit, memory_order_relaxed);
	pthread_mutex_lock(&at.shard->mutex);
	size_t slot = need_locked(table, &at, key, now_ms);
	struct mxw__entry *e = &at.shard->entries[slot];
	float added = within(table, e, event, *points, most), after = e->score + added;
	/* Credit that is there already is not lost by a good event. */
	if (added < 0 && after < floor)
		after = e->score < floor ? e->score : floor;
	e->unshared_score += after - e->score;
	e->score = after;
	*points = (double)added;
	if ((size_t)event < MXW__EVENT_COUNT)
		e->counts[event] += (float)times;
	mxw__table_add_unshared(e, event, times);
	mxw__table_mark_locked(at.shard, slot, MXW__MARK_DISK);
	mxw__table_mark_locked(at.shard, slot, MXW__MARK_SCORE);
	pthread_mutex_unlock(&at.shard->mutex);
	return (double)after;
}

double mxw__table_add(mxw__table_t *table, const struct mxw__key *key, mxw__event_t event, double times, double points,
		      int64_t now_ms)
{
	return add(table, key, event, times, &points, (double)INFINITY, now_ms);
}

double mxw__table_add_within(mxw__table_t *table, const struct mxw__key *key, mxw__event_t event, double times, double points,
			     double most, int64_t now_ms)
{
	add(table, key, event, times, &points, most, now_ms);
	return points;
}

void mxw__table_add_good(mxw__table_t *table, const struct mxw__key *key, double amount, int64_t now_ms)
{
	if (key->kind == MXW__KEY_NONE)
		return;
	struct mxw__place at;
	mxw__table_place(table, key, &at);
	pthread_mutex_lock(&at.shard->mutex);
	size_t slot = need_locked(table, &at, key, now_ms);
	struct mxw__entry *e = &at.shard->entries[slot];
	e->good += (float)amount;
	e->unshared_good += (float)amount;
	mxw__table_mark_locked(at.shard, slot, MXW__MARK_DISK);
	mxw__table_mark_locked(at.shard, slot, MXW__MARK_GOOD);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void stand(const mxw__table_t *t, const struct mxw__pair *pair, int64_t now_ms, struct mxw__standing *ret_standing)
{
	const struct mxw__entry *e = &pair->entry;
	double left = (double)mxw__table_left_of_score(t, e, now_ms), left_good = (double)mxw__table_left_of_good(t, e, now_ms);

	*ret_standing = (struct mxw__standing){pair->owner.key, (double)e->score * left, (double)e->good * left_good,
					       (int64_t)e->first_s * 1000, (int64_t)e->last_s * 1000, {0}};
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		ret_standing->counts[i] = (double)e->counts[i] * left;
}

double mxw__table_score(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms)
{
	double score = 0;

	if (key->kind == MXW__KEY_NONE)
		return 0;
	struct mxw__place at;
	mxw__table_place(table, key, &at);
	pthread_mutex_lock(&at.shard->mutex);
	size_t slot = mxw__table_find_locked(&at);
	if (slot != SIZE_MAX) {
		const struct mxw__entry *e = &at.shard->entries[slot];
		score = (double)(e->score * mxw__table_left_of_score(table, e, now_ms));
	}
	pthread_mutex_unlock(&at.shard->mutex);
	return score;
}

bool mxw__table_get(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms, struct mxw__standing *ret_standing)
{
	struct mxw__pair pair;

	*ret_standing = (struct mxw__standing){.key = *key};
	if (key->kind == MXW__KEY_NONE)
		return false;
	struct mxw__place at;
	mxw__table_place(table, key, &at);
	pthread_mutex_lock(&at.shard->mutex);
	size_t slot = mxw__table_find_locked(&at);
	if (slot != SIZE_MAX)
		pair = (struct mxw__pair){at.shard->entries[slot], at.shard->owners[slot]};
	pthread_mutex_unlock(&at.shard->mutex);
	if (slot != SIZE_MAX)
		stand(table, &pair, now_ms, ret_standing);
	return slot != SIZE_MAX;
}

/* ---- forgiving ---- */

void mxw__table_reset(struct mxw__entry *e)
{
	e->score = e->unshared_score = 0;
	e->unshared_unknown = 0;
	e->unshared_accepted = 0;
	memset(e->counts, 0, sizeof e->counts);
}

bool mxw__table_forgive(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms)
{
	if (key->kind == MXW__KEY_NONE)
		return false;
	struct mxw__place at;
	mxw__table_place(table, key, &at);
	int64_t wall_ms = table->clock.wall_ms(table->clock.ctx);
	pthread_mutex_lock(&at.shard->mutex);
	size_t slot = mxw__table_find_locked(&at);
	if (slot != SIZE_MAX) {
		int64_t *reset_ms = &at.shard->owners[slot].reset_ms;
		mxw__table_age(table, &at.shard->entries[slot], now_ms);
		mxw__table_reset(&at.shard->entries[slot]);
		/* It must grow, even if the wall clock was set back: that is how others know of it. */
		*reset_ms = wall_ms > *reset_ms ? wall_ms : *reset_ms + 1;
		mxw__table_mark_locked(at.shard, slot, MXW__MARK_DISK);
		mxw__table_mark_locked(at.shard, slot, MXW__MARK_SCORE);
	}
	pthread_mutex_unlock(&at.shard->mutex);
	return slot != SIZE_MAX;
}

/* ---- all of them ---- */

/* Copies what there is of the next slots of one shard; what is done with them is done without the lock. */
static size_t copy_some(mxw__table_t *t, uint64_t *cursor, struct mxw__pair *ret_pairs, size_t max)
{
	size_t per_shard = mxw__table_shard_slots(t), slot = *cursor % per_shard, n = 0;
	struct mxw__shard *shard = &t->shards[*cursor / per_shard];
	size_t end = per_shard - slot < WALK_SLOTS ? per_shard : slot + WALK_SLOTS;

	*cursor -= slot;
	pthread_mutex_lock(&shard->mutex);
	for (; slot < end && n < max; slot++)
		if (shard->tags[slot])
			ret_pairs[n++] = (struct mxw__pair){shard->entries[slot], shard->owners[slot]};
	pthread_mutex_unlock(&shard->mutex);
	*cursor += slot;
	return n;
}

size_t mxw__table_walk(mxw__table_t *table, uint64_t *cursor, int64_t now_ms, struct mxw__standing *ret_standings, size_t max)
{
	uint64_t end = (uint64_t)table->nshards * mxw__table_shard_slots(table);
	struct mxw__pair some[WALK_ENTRIES];
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
