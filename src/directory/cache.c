/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/directory/cache.h"

enum { WAYS = 16, WEAK_WAYS = WAYS / 2 };

/* What an entry is. */
enum {
	FOUND = 1,
	UNVERIFIABLE = 2,
	DOUBTFUL = 4, /* may be older than it says */
	CLAIMED = 8,  /* somebody is asking again */
};

struct entry {
	uint64_t b;
	int64_t at_ms; /* when the source said so, monotonic; may lie before the system's start */
	struct mxw__rcpt_settings settings;
	uint8_t kind;
};

/* A look-up reads two cache lines of tags and one entry. */
struct set {
	uint64_t tags[WAYS]; /* key.a; 0: free */
	struct entry entries[WAYS];
};

struct shard {
	_Alignas(64) pthread_mutex_t mutex; /* guards the rest; a leaf */
	struct set *sets;
	size_t nsets;
	size_t entries, known_good;
	bool has_changed;
	uint64_t events[MXW__RCPT_EVENTS];
};

struct mxw__rcpt_cache {
	struct shard shards[MXW__RCPT_SHARDS];
	struct mxw__rcpt_cache_secret secret; /* immutable */
};

/* ---- making and ending ---- */

static size_t sets_for(size_t max_entries)
{
	size_t n = max_entries / ((size_t)MXW__RCPT_SHARDS * WAYS);

	return n ? n : 1;
}

mxw__rcpt_cache_t *mxw__rcpt_cache_new(size_t max_entries, const struct mxw__rcpt_cache_secret *secret)
{
	mxw__rcpt_cache_t *cache = aligned_alloc(_Alignof(struct mxw__rcpt_cache), sizeof *cache);

	if (!cache)
		return NULL;
	memset(cache, 0, sizeof *cache);
	if (secret) {
		cache->secret = *secret;
	} else {
		mxw__hashkey_random(&cache->secret.keys[0]);
		mxw__hashkey_random(&cache->secret.keys[1]);
		mxw__hashkey_random(&cache->secret.seal);
	}
	bool has_failed = false;
	for (size_t i = 0; i < MXW__RCPT_SHARDS; i++) {
		struct shard *shard = &cache->shards[i];
		pthread_mutex_init(&shard->mutex, NULL);
		shard->nsets = sets_for(max_entries);
		shard->sets = mxw__calloc(shard->nsets, sizeof *shard->sets);
		has_failed |= !shard->sets;
	}
	if (has_failed) {
		mxw__rcpt_cache_free(cache);
		return NULL;
	}
	return cache;
}

void mxw__rcpt_cache_free(mxw__rcpt_cache_t *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < MXW__RCPT_SHARDS; i++) {
		pthread_mutex_destroy(&cache->shards[i].mutex);
		free(cache->shards[i].sets);
	}
	mxw__wipe(&cache->secret, sizeof cache->secret);
	free(cache);
}

/* ---- keys ---- */

static uint64_t derive(const struct mxw__hashkey *key, uint64_t id, uint64_t which)
{
	uint64_t words[2] = {id, which};
	return mxw__hash(key, words, sizeof words);
}

void mxw__rcpt_cache_keys(const mxw__rcpt_cache_t *cache, uint64_t id, struct mxw__rcpt_cache_keys *ret_keys)
{
	for (int i = 0; i < 2; i++) {
		ret_keys->keys[i].k0 = derive(&cache->secret.keys[i], id, 0);
		ret_keys->keys[i].k1 = derive(&cache->secret.keys[i], id, 1);
	}
}

struct mxw__rcpt_cache_key mxw__rcpt_cache_key(const struct mxw__rcpt_cache_keys *keys, const char *address)
{
	size_t len = strlen(address);
	uint64_t a = mxw__hash(&keys->keys[0], address, len);

	/* 0 is a free slot. */
	return (struct mxw__rcpt_cache_key){a ? a : 1, mxw__hash(&keys->keys[1], address, len)};
}

const struct mxw__rcpt_cache_secret *mxw__rcpt_cache_secret(const mxw__rcpt_cache_t *cache)
{
	return &cache->secret;
}

/* ---- the table ---- */

static struct shard *shard_of(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key)
{
	return &cache->shards[key.a % MXW__RCPT_SHARDS];
}

static struct set *set_of(struct set *sets, size_t nsets, uint64_t a)
{
	return &sets[(a >> 32) * (uint64_t)nsets >> 32];
}

/* The slot of this key in its set, or -1. */
static int find_way(const struct set *set, struct mxw__rcpt_cache_key key)
{
	for (int i = 0; i < WAYS; i++)
		if (set->tags[i] == key.a && set->entries[i].b == key.b)
			return i;
	return -1;
}

static struct entry *find_locked(struct shard *shard, struct mxw__rcpt_cache_key key)
{
	struct set *set = set_of(shard->sets, shard->nsets, key.a);
	int way = find_way(set, key);

	return way < 0 ? NULL : &set->entries[way];
}

static bool is_good(uint8_t kind)
{
	return (kind & FOUND) && !(kind & UNVERIFIABLE);
}

static void set_free_locked(struct shard *shard, struct mxw__rcpt_cache_key key)
{
	struct set *set = set_of(shard->sets, shard->nsets, key.a);
	int way = find_way(set, key);

	if (way < 0)
		return;
	shard->entries--;
	shard->known_good -= is_good(set->entries[way].kind);
	set->tags[way] = 0;
	memset(&set->entries[way], 0, sizeof set->entries[way]);
	shard->has_changed = true;
}

/* Where a new entry may stand in a set; -1: nowhere. cache.h says who makes room for whom. */
static int choose_way(const struct set *set, bool good)
{
	int vacant = -1, weak = -1, oldest = -1;
	unsigned nweak = 0;

	for (int i = 0; i < WAYS; i++) {
		const struct entry *e = &set->entries[i];
		if (!set->tags[i]) {
			vacant = i;
		} else if (!is_good(e->kind)) {
			nweak++;
			if (weak < 0 || e->at_ms < set->entries[weak].at_ms)
				weak = i;
		} else if (oldest < 0 || e->at_ms < set->entries[oldest].at_ms) {
			oldest = i;
		}
	}
	if (good)
		return vacant >= 0 ? vacant : weak >= 0 ? weak : oldest;
	return vacant >= 0 && nweak < WEAK_WAYS ? vacant : weak;
}

/* Puts an entry that is not there yet. */
static void insert_locked(struct shard *shard, uint64_t a, const struct entry *entry)
{
	struct set *set = set_of(shard->sets, shard->nsets, a);
	bool good = is_good(entry->kind);
	int way = choose_way(set, good);

	if (way < 0)
		return;
	if (set->tags[way]) {
		bool was_good = is_good(set->entries[way].kind);
		shard->entries--;
		shard->known_good -= was_good;
		shard->events[MXW__RCPT_EVICTED] += was_good;
	}
	set->tags[way] = a;
	set->entries[way] = *entry;
	shard->entries++;
	shard->known_good += good;
	shard->has_changed = true;
}

mxw_status_t mxw__rcpt_cache_resize(mxw__rcpt_cache_t *cache, size_t max_entries)
{
	size_t nsets = sets_for(max_entries);

	for (size_t i = 0; i < MXW__RCPT_SHARDS; i++) {
		struct shard *shard = &cache->shards[i];
		struct set *fresh = mxw__calloc(nsets, sizeof *fresh);
		if (!fresh)
			return MXW_ERR_NOMEM;
		pthread_mutex_lock(&shard->mutex);
		struct set *old = shard->sets;
		size_t nold = shard->nsets;
		if (nold != nsets) {
			shard->sets = fresh;
			shard->nsets = nsets;
			shard->entries = shard->known_good = 0;
			for (size_t s = 0; s < nold * WAYS; s++)
				if (old[s / WAYS].tags[s % WAYS])
					insert_locked(shard, old[s / WAYS].tags[s % WAYS], &old[s / WAYS].entries[s % WAYS]);
		}
		pthread_mutex_unlock(&shard->mutex);
		free(nold != nsets ? old : fresh);
	}
	return MXW_OK;
}

/* ---- asking ---- */

/* Who is switched off is refused, and may be in use again: that is asked as often as for who is unknown. */
static uint64_t life_of(const struct entry *e, const struct mxw__rcpt_lifetimes *lifetimes)
{
	bool is_refused = !is_good(e->kind) || (e->settings.is_disabled && lifetimes->negative_ms < lifetimes->positive_ms);

	return is_refused ? lifetimes->negative_ms : lifetimes->positive_ms;
}

static mxw__rcpt_state_t judge(const struct entry *e, int64_t now_ms, const struct mxw__rcpt_lifetimes *lifetimes,
			       struct mxw__rcpt_known *known)
{
	bool good = is_good(e->kind);
	uint64_t age = now_ms > e->at_ms ? (uint64_t)(now_ms - e->at_ms) : 0;
	uint64_t life = life_of(e, lifetimes);
	bool is_fresh = age < life && !(e->kind & DOUBTFUL);

	if (!is_fresh && !(good && age < lifetimes->stale_ms))
		return MXW__RCPT_NOT_KEPT;
	known->is_found = (e->kind & FOUND) != 0;
	known->is_unverifiable = (e->kind & UNVERIFIABLE) != 0;
	known->is_due = is_fresh && good && age >= life - life / 4 && !(e->kind & CLAIMED);
	known->age_ms = (int64_t)age;
	known->settings = e->settings;
	return is_fresh ? MXW__RCPT_FRESH : MXW__RCPT_STALE;
}

mxw__rcpt_state_t mxw__rcpt_cache_get(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key, int64_t now_ms,
				      const struct mxw__rcpt_lifetimes *lifetimes, struct mxw__rcpt_known *ret_known)
{
	struct shard *shard = shard_of(cache, key);

	pthread_mutex_lock(&shard->mutex);
	const struct entry *e = find_locked(shard, key);
	mxw__rcpt_state_t state = e ? judge(e, now_ms, lifetimes, ret_known) : MXW__RCPT_NOT_KEPT;
	shard->events[state == MXW__RCPT_FRESH ? MXW__RCPT_HIT : MXW__RCPT_MISS]++;
	pthread_mutex_unlock(&shard->mutex);
	return state;
}

/* ---- keeping ---- */

static bool may_be_kept(const struct mxw__rcpt_lifetimes *lifetimes, bool good)
{
	return good ? lifetimes->positive_ms > 0 || lifetimes->stale_ms > 0 : lifetimes->negative_ms > 0;
}

/* "Can't tell" is no news of a recipient that is known good and may still be called so. */
static bool outweighs(const struct entry *old, const struct entry *e, const struct mxw__rcpt_lifetimes *lifetimes)
{
	struct mxw__rcpt_known known;

	return (e->kind & UNVERIFIABLE) && is_good(old->kind) &&
	       judge(old, e->at_ms, lifetimes, &known) != MXW__RCPT_NOT_KEPT;
}

void mxw__rcpt_cache_put(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key, int64_t now_ms,
			 const struct mxw__rcpt_lifetimes *lifetimes, const struct mxw__rcpt_result *result)
{
	struct shard *shard = shard_of(cache, key);
	bool is_found = result->outcome == MXW_FOUND;
	struct entry e = {.b = key.b, .at_ms = now_ms};

	e.kind = (uint8_t)((is_found ? FOUND : 0) | (is_found && result->is_unverifiable ? UNVERIFIABLE : 0));
	if (is_good(e.kind))
		e.settings = result->settings;
	pthread_mutex_lock(&shard->mutex);
	struct entry *old = find_locked(shard, key);
	if (old && outweighs(old, &e, lifetimes)) {
		old->kind &= (uint8_t)~CLAIMED;
	} else if (old && may_be_kept(lifetimes, is_good(e.kind)) && is_good(old->kind) == is_good(e.kind)) {
		*old = e;
		shard->has_changed = true;
	} else {
		/* Another kind of answer has to find its place among those of its kind. */
		set_free_locked(shard, key);
		if (may_be_kept(lifetimes, is_good(e.kind)))
			insert_locked(shard, key.a, &e);
	}
	pthread_mutex_unlock(&shard->mutex);
}

static bool set_claimed(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key, bool is_claimed)
{
	struct shard *shard = shard_of(cache, key);

	pthread_mutex_lock(&shard->mutex);
	struct entry *e = find_locked(shard, key);
	bool has_changed = e && ((e->kind & CLAIMED) != 0) != is_claimed;
	if (has_changed)
		e->kind ^= CLAIMED;
	pthread_mutex_unlock(&shard->mutex);
	return has_changed;
}

bool mxw__rcpt_cache_claim(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key)
{
	return set_claimed(cache, key, true);
}

void mxw__rcpt_cache_release(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key)
{
	set_claimed(cache, key, false);
}

bool mxw__rcpt_cache_forget(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key)
{
	struct shard *shard = shard_of(cache, key);

	pthread_mutex_lock(&shard->mutex);
	bool was_there = find_locked(shard, key) != NULL;
	set_free_locked(shard, key);
	pthread_mutex_unlock(&shard->mutex);
	return was_there;
}

size_t mxw__rcpt_cache_clear(mxw__rcpt_cache_t *cache)
{
	size_t n = 0;

	for (size_t i = 0; i < MXW__RCPT_SHARDS; i++) {
		struct shard *shard = &cache->shards[i];
		pthread_mutex_lock(&shard->mutex);
		n += shard->entries;
		shard->has_changed |= shard->entries > 0;
		shard->entries = shard->known_good = 0;
		memset(shard->sets, 0, shard->nsets * sizeof *shard->sets);
		pthread_mutex_unlock(&shard->mutex);
	}
	return n;
}

/* ---- figures ---- */

void mxw__rcpt_cache_count(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key, mxw__rcpt_event_t event)
{
	struct shard *shard = shard_of(cache, key);

	pthread_mutex_lock(&shard->mutex);
	shard->events[event]++;
	pthread_mutex_unlock(&shard->mutex);
}

void mxw__rcpt_cache_get_stats(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_stats *ret_stats)
{
	struct mxw__rcpt_cache_stats stats = {.bytes = sizeof *cache};

	for (size_t i = 0; i < MXW__RCPT_SHARDS; i++) {
		struct shard *shard = &cache->shards[i];
		pthread_mutex_lock(&shard->mutex);
		for (size_t e = 0; e < MXW__RCPT_EVENTS; e++)
			stats.events[e] += shard->events[e];
		stats.max_entries += shard->nsets * WAYS;
		stats.bytes += shard->nsets * sizeof *shard->sets;
		stats.entries += shard->entries;
		stats.known_good += shard->known_good;
		pthread_mutex_unlock(&shard->mutex);
	}
	*ret_stats = stats;
}

/* ---- in and out ---- */

bool mxw__rcpt_cache_has_changed(mxw__rcpt_cache_t *cache)
{
	bool has_changed = false;

	for (size_t i = 0; i < MXW__RCPT_SHARDS; i++) {
		struct shard *shard = &cache->shards[i];
		pthread_mutex_lock(&shard->mutex);
		has_changed |= shard->has_changed;
		shard->has_changed = false;
		pthread_mutex_unlock(&shard->mutex);
	}
	return has_changed;
}

size_t mxw__rcpt_cache_shard_max(mxw__rcpt_cache_t *cache)
{
	size_t max = 0;

	for (size_t i = 0; i < MXW__RCPT_SHARDS; i++) {
		struct shard *shard = &cache->shards[i];
		pthread_mutex_lock(&shard->mutex);
		max = shard->nsets * WAYS > max ? shard->nsets * WAYS : max;
		pthread_mutex_unlock(&shard->mutex);
	}
	return max;
}

static void to_record(const struct set *set, size_t way, int64_t now_ms, struct mxw__rcpt_record *record)
{
	const struct entry *e = &set->entries[way];

	/* Padding, too: it is written. */
	memset(record, 0, sizeof *record);
	record->a = set->tags[way];
	record->b = e->b;
	record->age_ms = now_ms > e->at_ms ? now_ms - e->at_ms : 0;
	record->settings = e->settings;
	record->kind = (uint8_t)(e->kind & ~CLAIMED);
}

size_t mxw__rcpt_cache_copy(mxw__rcpt_cache_t *cache, unsigned shard_index, int64_t now_ms, struct mxw__rcpt_record *records,
			    size_t max)
{
	struct shard *shard = &cache->shards[shard_index];
	size_t n = 0;

	pthread_mutex_lock(&shard->mutex);
	for (size_t s = 0; s < shard->nsets && n < max; s++)
		for (size_t way = 0; way < WAYS && n < max; way++)
			if (shard->sets[s].tags[way])
				to_record(&shard->sets[s], way, now_ms, &records[n++]);
	pthread_mutex_unlock(&shard->mutex);
	return n;
}

bool mxw__rcpt_cache_take(mxw__rcpt_cache_t *cache, const struct mxw__rcpt_record *record, int64_t now_ms, bool is_doubtful)
{
	struct mxw__rcpt_cache_key key = {record->a, record->b};
	struct entry e = {.b = record->b, .settings = record->settings};

	if (!record->a || record->age_ms < 0 || record->age_ms > INT64_MAX / 4 ||
	    (record->kind & ~(FOUND | UNVERIFIABLE | DOUBTFUL)))
		return false;
	e.settings.class[MXW__RCPT_CLASS_MAX] = '\0';
	e.at_ms = now_ms - record->age_ms;
	e.kind = (uint8_t)(record->kind | (is_doubtful ? DOUBTFUL : 0));
	struct shard *shard = shard_of(cache, key);
	pthread_mutex_lock(&shard->mutex);
	if (!find_locked(shard, key))
		insert_locked(shard, key.a, &e);
	pthread_mutex_unlock(&shard->mutex);
	return true;
}
