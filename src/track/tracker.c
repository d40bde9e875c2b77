/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/tracker.h"

enum {
	SHARDS = 16, /* a power of two */
	WAYS = 8     /* slots one key may stand in: the candidates for eviction */
};

/* A slot is free while its score is 0 and its time is 0. */
struct entry {
	uint64_t key[2];
	double score;
	int64_t at_ms;
	uint8_t family;
};

/* A shard is an open table of sets with WAYS slots each; a key lives in the set its hash names. */
struct shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	struct entry *entries;
	size_t nsets;
	uint64_t used;
	uint64_t evictions;
};

struct mxw__tracker {
	struct mxw__hashkey hashkey; /* immutable */
	struct shard shards[SHARDS];
};

mxw_status_t mxw__tracker_new(size_t max_entries, mxw__tracker_t **ret_tracker)
{
	mxw__tracker_t *t = calloc(1, sizeof *t);

	if (!t)
		return MXW_ERR_NOMEM;
	size_t nsets = max_entries / ((size_t)SHARDS * WAYS);
	if (nsets == 0)
		nsets = 1;
	mxw__hashkey_random(&t->hashkey);
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &t->shards[i];
		size_t n;
		pthread_mutex_init(&shard->mutex, NULL);
		shard->nsets = nsets;
		shard->entries = mxw__mul_size(nsets, WAYS, &n) ? mxw__calloc(n, sizeof *shard->entries) : NULL;
		if (!shard->entries) {
			mxw__tracker_free(t);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_tracker = t;
	return MXW_OK;
}

void mxw__tracker_free(mxw__tracker_t *tracker)
{
	if (!tracker)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		/* Shards after the one whose allocation failed were never made. */
		if (tracker->shards[i].nsets)
			pthread_mutex_destroy(&tracker->shards[i].mutex);
		free(tracker->shards[i].entries);
	}
	free(tracker);
}

/* IPv4 by address; IPv6 by /64, since a host has all of that to choose from. */
static void make_key(const struct mxw_ip *client, uint64_t key[2])
{
	key[0] = 0;
	key[1] = client->family;
	memcpy(key, client->bytes, client->family == 4 ? 4 : 8);
}

static double decayed(const struct entry *e, int64_t now_ms, uint64_t half_life_ms)
{
	int64_t gone = now_ms - e->at_ms;

	if (gone <= 0 || e->score <= 0)
		return e->score;
	return half_life_ms ? e->score * exp2(-(double)gone / (double)half_life_ms) : 0;
}

struct place {
	struct shard *shard;
	struct entry *set;
};

static struct place find_set(mxw__tracker_t *t, const uint64_t key[2])
{
	uint64_t h = mxw__hash(&t->hashkey, key, 2 * sizeof key[0]);
	struct shard *shard = &t->shards[h % SHARDS];

	return (struct place){shard, shard->entries + (h / SHARDS) % shard->nsets * WAYS};
}

static struct entry *find_locked(struct entry *set, const uint64_t key[2])
{
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].family && set[i].key[0] == key[0] && set[i].key[1] == key[1])
			return &set[i];
	return NULL;
}

/* A free slot of the set, or the one whose score is the lowest now. */
static struct entry *take_slot_locked(struct place at, int64_t now_ms, uint64_t half_life_ms)
{
	struct entry *least = NULL;
	double least_score = 0;

	for (size_t i = 0; i < WAYS; i++) {
		struct entry *e = &at.set[i];
		if (!e->family) {
			at.shard->used++;
			return e;
		}
		double score = decayed(e, now_ms, half_life_ms);
		if (!least || score < least_score) {
			least = e;
			least_score = score;
		}
	}
	at.shard->evictions++;
	return least;
}

uint64_t mxw__tracker_add(mxw__tracker_t *tracker, const struct mxw_ip *client, uint64_t points, int64_t now_ms,
			  uint64_t half_life_ms)
{
	uint64_t key[2];

	if (!client->family)
		return 0;
	make_key(client, key);
	struct place at = find_set(tracker, key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(at.set, key);
	if (!e) {
		e = take_slot_locked(at, now_ms, half_life_ms);
		*e = (struct entry){{key[0], key[1]}, 0, now_ms, client->family};
	}
	e->score = decayed(e, now_ms, half_life_ms) + (double)points;
	if (now_ms > e->at_ms)
		e->at_ms = now_ms;
	double score = e->score;
	pthread_mutex_unlock(&at.shard->mutex);
	return (uint64_t)(score + 0.5);
}

uint64_t mxw__tracker_score(mxw__tracker_t *tracker, const struct mxw_ip *client, int64_t now_ms, uint64_t half_life_ms)
{
	uint64_t key[2];
	double score = 0;

	if (!client->family)
		return 0;
	make_key(client, key);
	struct place at = find_set(tracker, key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(at.set, key);
	if (e)
		score = decayed(e, now_ms, half_life_ms);
	pthread_mutex_unlock(&at.shard->mutex);
	return (uint64_t)(score + 0.5);
}

void mxw__tracker_get_stats(mxw__tracker_t *tracker, struct mxw__tracker_stats *ret_stats)
{
	struct mxw__tracker_stats stats = {0};

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &tracker->shards[i];
		pthread_mutex_lock(&shard->mutex);
		stats.entries += shard->used;
		stats.evictions += shard->evictions;
		pthread_mutex_unlock(&shard->mutex);
	}
	*ret_stats = stats;
}
