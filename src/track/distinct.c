/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/track/distinct.h"
#include "src/track/sketch.h"

enum {
	SHARDS = 16,         /* a power of two */
	WAYS = 8,            /* slots one key may stand in: the candidates for eviction */
	TEXT_MAX = 1024
};

/* A slot is free while its key is 0. */
struct entry {
	uint64_t key[2];
	int64_t last_ms;
	struct mxw__sketch sketch;
};

/* A shard is an open table of sets with WAYS slots each; a key lives in the set its hash names. */
struct shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	struct entry *entries;
	size_t nsets;
	uint64_t used;
	uint64_t evictions;
};

struct mxw__distinct {
	struct mxw__hashkey keys[2], text_key; /* immutable */
	struct shard shards[SHARDS];
};

mxw_status_t mxw__distinct_new(size_t max_entries, mxw__distinct_t **ret_distinct)
{
	mxw__distinct_t *d = calloc(1, sizeof *d);

	if (!d)
		return MXW_ERR_NOMEM;
	size_t nsets = max_entries / ((size_t)SHARDS * WAYS);
	if (nsets == 0)
		nsets = 1;
	mxw__hashkey_random(&d->keys[0]);
	mxw__hashkey_random(&d->keys[1]);
	mxw__hashkey_random(&d->text_key);
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &d->shards[i];
		size_t n;
		pthread_mutex_init(&shard->mutex, NULL);
		shard->nsets = nsets;
		shard->entries = mxw__mul_size(nsets, WAYS, &n) ? mxw__calloc(n, sizeof *shard->entries) : NULL;
		if (!shard->entries) {
			mxw__distinct_free(d);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_distinct = d;
	return MXW_OK;
}

void mxw__distinct_free(mxw__distinct_t *distinct)
{
	if (!distinct)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		/* Shards after the one whose allocation failed were never made. */
		if (distinct->shards[i].nsets)
			pthread_mutex_destroy(&distinct->shards[i].mutex);
		free(distinct->shards[i].entries);
	}
	free(distinct);
}

struct place {
	uint64_t key[2];
	struct shard *shard;
	struct entry *set;
};

static struct place find_set(mxw__distinct_t *d, const void *key, size_t len)
{
	struct place at = {{mxw__hash(&d->keys[0], key, len), mxw__hash(&d->keys[1], key, len) | 1}, NULL, NULL};

	at.shard = &d->shards[at.key[0] % SHARDS];
	at.set = at.shard->entries + (at.key[0] / SHARDS) % at.shard->nsets * WAYS;
	return at;
}

static struct entry *find_locked(const struct place *at)
{
	for (size_t i = 0; i < WAYS; i++)
		if (at->set[i].key[0] == at->key[0] && at->set[i].key[1] == at->key[1])
			return &at->set[i];
	return NULL;
}

/* A free slot of the set, or the one that is least worth keeping. */
static struct entry *take_slot_locked(const struct place *at, int64_t now_ms, uint64_t window_ms)
{
	struct entry *least = NULL;
	uint64_t least_count = 0;

	for (size_t i = 0; i < WAYS; i++) {
		struct entry *e = &at->set[i];
		if (!e->key[1]) {
			at->shard->used++;
			return e;
		}
		uint64_t count = mxw__sketch_count(&e->sketch, now_ms, window_ms);
		if (!least || count < least_count || (count == least_count && e->last_ms < least->last_ms)) {
			least = e;
			least_count = count;
		}
	}
	at->shard->evictions++;
	return least;
}

bool mxw__distinct_add(mxw__distinct_t *distinct, const void *key, size_t key_len, uint32_t hash, int64_t now_ms,
		       uint64_t window_ms)
{
	struct place at = find_set(distinct, key, key_len);

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(&at);
	if (!e) {
		e = take_slot_locked(&at, now_ms, window_ms);
		e->key[0] = at.key[0];
		e->key[1] = at.key[1];
		e->last_ms = now_ms;
		mxw__sketch_init(&e->sketch, now_ms);
	}
	if (now_ms > e->last_ms)
		e->last_ms = now_ms;
	bool is_new = mxw__sketch_add(&e->sketch, hash, now_ms, window_ms);
	pthread_mutex_unlock(&at.shard->mutex);
	return is_new;
}

bool mxw__distinct_has(mxw__distinct_t *distinct, const void *key, size_t key_len, uint32_t hash, int64_t now_ms,
		       uint64_t window_ms)
{
	struct place at = find_set(distinct, key, key_len);

	pthread_mutex_lock(&at.shard->mutex);
	const struct entry *e = find_locked(&at);
	bool has = e && mxw__sketch_has(&e->sketch, hash, now_ms, window_ms);
	pthread_mutex_unlock(&at.shard->mutex);
	return has;
}

uint64_t mxw__distinct_count(mxw__distinct_t *distinct, const void *key, size_t key_len, int64_t now_ms, uint64_t window_ms)
{
	struct place at = find_set(distinct, key, key_len);

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(&at);
	uint64_t n = e ? mxw__sketch_count(&e->sketch, now_ms, window_ms) : 0;
	pthread_mutex_unlock(&at.shard->mutex);
	return n;
}

bool mxw__distinct_forget(mxw__distinct_t *distinct, const void *key, size_t key_len)
{
	struct place at = find_set(distinct, key, key_len);

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(&at);
	bool was_there = e != NULL;
	if (was_there) {
		*e = (struct entry){0};
		at.shard->used--;
	}
	pthread_mutex_unlock(&at.shard->mutex);
	return was_there;
}

uint64_t mxw__distinct_hash(const mxw__distinct_t *distinct, const char *text)
{
	char lower[TEXT_MAX];
	size_t len = 0;

	for (; text[len] && len < sizeof lower; len++)
		lower[len] = mxw__ascii_lower(text[len]);
	return mxw__hash(&distinct->text_key, lower, len);
}

void mxw__distinct_get_stats(mxw__distinct_t *distinct, struct mxw__distinct_stats *ret_stats)
{
	struct mxw__distinct_stats stats = {0};

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &distinct->shards[i];
		pthread_mutex_lock(&shard->mutex);
		stats.entries += shard->used;
		stats.evictions += shard->evictions;
		pthread_mutex_unlock(&shard->mutex);
	}
	*ret_stats = stats;
}
