/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/track/seen.h"

enum {
	SHARDS = 16, /* a power of two */
	WAYS = 8     /* slots one pair may stand in */
};

/* Slots are free while their time is 0. In two arrays, since one of structs would be a third larger. */
struct shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	uint64_t *pairs;
	uint32_t *at_s;        /* of the monotonic clock, and one more */
};

struct mxw__seen {
	struct mxw__hashkey thing_key, pair_key; /* immutable, as nsets */
	size_t nsets;
	struct shard shards[SHARDS];
};

mxw_status_t mxw__seen_new(size_t max_pairs, mxw__seen_t **ret_seen)
{
	mxw__seen_t *seen = calloc(1, sizeof *seen);

	if (!seen)
		return MXW_ERR_NOMEM;
	seen->nsets = max_pairs / ((size_t)SHARDS * WAYS);
	if (seen->nsets == 0)
		seen->nsets = 1;
	mxw__hashkey_random(&seen->thing_key);
	mxw__hashkey_random(&seen->pair_key);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&seen->shards[i].mutex, NULL);
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &seen->shards[i];
		shard->pairs = mxw__calloc(seen->nsets, WAYS * sizeof *shard->pairs);
		shard->at_s = mxw__calloc(seen->nsets, WAYS * sizeof *shard->at_s);
		if (!shard->pairs || !shard->at_s) {
			mxw__seen_free(seen);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_seen = seen;
	return MXW_OK;
}

void mxw__seen_free(mxw__seen_t *seen)
{
	if (!seen)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_destroy(&seen->shards[i].mutex);
		free(seen->shards[i].pairs);
		free(seen->shards[i].at_s);
	}
	free(seen);
}

uint64_t mxw__seen_hash(const mxw__seen_t *seen, const void *thing, size_t len)
{
	return mxw__hash(&seen->thing_key, thing, len);
}

struct place {
	uint64_t pair;
	struct shard *shard;
	size_t first;
};

static struct place find(mxw__seen_t *seen, const void *key, size_t key_len, uint64_t thing)
{
	uint64_t parts[2] = {mxw__hash(&seen->pair_key, key, key_len), thing};
	struct place at = {.pair = mxw__hash(&seen->pair_key, parts, sizeof parts)};

	at.shard = &seen->shards[at.pair % SHARDS];
	at.first = (at.pair / SHARDS) % seen->nsets * WAYS;
	return at;
}

/* Its slot; for one that is not there a free one, or that of the pair seen longest ago. */
static size_t slot_locked(const struct place *at, bool *ret_is_there)
{
	size_t oldest = at->first;

	for (size_t i = at->first; i < at->first + WAYS; i++) {
		if (at->shard->at_s[i] && at->shard->pairs[i] == at->pair) {
			*ret_is_there = true;
			return i;
		}
		if (at->shard->at_s[i] < at->shard->at_s[oldest])
			oldest = i;
	}
	*ret_is_there = false;
	return oldest;
}

bool mxw__seen_add(mxw__seen_t *seen, const void *key, size_t key_len, uint64_t thing, int64_t now_ms, uint64_t window_ms)
{
	struct place at = find(seen, key, key_len, thing);
	uint32_t now_s = (uint32_t)(now_ms / 1000 + 1);
	bool is_there;

	pthread_mutex_lock(&at.shard->mutex);
	size_t i = slot_locked(&at, &is_there);
	bool is_new = !is_there || now_s - at.shard->at_s[i] >= window_ms / 1000;
	/* Of one that is seen again and again the window begins anew only when it is over. */
	if (is_new) {
		at.shard->pairs[i] = at.pair;
		at.shard->at_s[i] = now_s;
	}
	pthread_mutex_unlock(&at.shard->mutex);
	return is_new;
}

void mxw__seen_forget(mxw__seen_t *seen, const void *key, size_t key_len, uint64_t thing)
{
	struct place at = find(seen, key, key_len, thing);
	bool is_there;

	pthread_mutex_lock(&at.shard->mutex);
	size_t i = slot_locked(&at, &is_there);
	if (is_there)
		at.shard->at_s[i] = 0;
	pthread_mutex_unlock(&at.shard->mutex);
}
