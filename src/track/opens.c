/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/track/opens.h"

enum { SHARDS = 16, BUCKETS = 256 };

struct mxw__open {
	struct mxw__open *next;
	uint64_t id;
	struct mxw__key key;
	uint64_t count;
	uint64_t hash;
};

struct shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf */
	struct mxw__open *buckets[BUCKETS];
};

struct mxw__opens {
	struct mxw__hashkey hashkey; /* immutable */
	struct shard shards[SHARDS];
};

mxw_status_t mxw__opens_new(mxw__opens_t **ret_opens)
{
	mxw__opens_t *o = calloc(1, sizeof *o);

	if (!o)
		return MXW_ERR_NOMEM;
	mxw__hashkey_random(&o->hashkey);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&o->shards[i].mutex, NULL);
	*ret_opens = o;
	return MXW_OK;
}

void mxw__opens_free(mxw__opens_t *opens)
{
	if (!opens)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&opens->shards[i].mutex);
	free(opens);
}

static uint64_t hash_of(const mxw__opens_t *o, uint64_t id, const struct mxw__key *key)
{
	struct {
		uint64_t id;
		struct mxw__key key;
	} both = {id, *key};

	return mxw__hash(&o->hashkey, &both, sizeof both);
}

static struct mxw__open **bucket_of(struct shard *shard, uint64_t hash)
{
	return &shard->buckets[hash / SHARDS % BUCKETS];
}

static struct mxw__open *find_locked(struct shard *shard, uint64_t hash, uint64_t id, const struct mxw__key *key)
{
	struct mxw__open *open = *bucket_of(shard, hash);

	while (open && (open->id != id || memcmp(&open->key, key, sizeof *key) != 0))
		open = open->next;
	return open;
}

static struct mxw__open *add_locked(struct shard *shard, uint64_t hash, uint64_t id, const struct mxw__key *key)
{
	struct mxw__open *open = calloc(1, sizeof *open), **bucket = bucket_of(shard, hash);

	if (!open)
		return NULL;
	*open = (struct mxw__open){*bucket, id, *key, 0, hash};
	*bucket = open;
	return open;
}

bool mxw__opens_enter(mxw__opens_t *opens, uint64_t id, const struct mxw__key *key, uint64_t max, struct mxw__open **ret_open)
{
	uint64_t hash = hash_of(opens, id, key);
	struct shard *shard = &opens->shards[hash % SHARDS];

	*ret_open = NULL;
	pthread_mutex_lock(&shard->mutex);
	struct mxw__open *open = find_locked(shard, hash, id, key);
	bool has_room = open ? open->count < max : max > 0;
	if (!open && has_room)
		open = add_locked(shard, hash, id, key);
	if (open && has_room) {
		open->count++;
		*ret_open = open;
	}
	pthread_mutex_unlock(&shard->mutex);
	return has_room;
}

void mxw__opens_leave(mxw__opens_t *opens, struct mxw__open *open)
{
	if (!open)
		return;
	struct shard *shard = &opens->shards[open->hash % SHARDS];
	pthread_mutex_lock(&shard->mutex);
	bool is_last = --open->count == 0;
	for (struct mxw__open **at = bucket_of(shard, open->hash); is_last && *at; at = &(*at)->next) {
		if (*at == open) {
			*at = open->next;
			break;
		}
	}
	pthread_mutex_unlock(&shard->mutex);
	if (is_last)
		free(open);
}

uint64_t mxw__opens_count(mxw__opens_t *opens, uint64_t id, const struct mxw__key *key)
{
	uint64_t hash = hash_of(opens, id, key);
	struct shard *shard = &opens->shards[hash % SHARDS];

	pthread_mutex_lock(&shard->mutex);
	const struct mxw__open *open = find_locked(shard, hash, id, key);
	uint64_t n = open ? open->count : 0;
	pthread_mutex_unlock(&shard->mutex);
	return n;
}
