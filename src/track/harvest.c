/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/track/harvest.h"
#include "src/track/sketch.h"

enum {
	SHARDS = 16,         /* a power of two */
	WAYS = 8,            /* slots one key may stand in: the candidates for eviction */
	SITE_WORDS = 1024,   /* of 64 bits, for one slice */
	SITE_BITS = SITE_WORDS * 64,
	ADDRESS_MAX = 1024
};

/* A slot is free while the second half of its key, which has the kind, is 0. */
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

/* The whole site: bitmaps only. `any` has the bits of the slices in `live`, and is made anew when one of them falls out. */
struct site {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	struct mxw__slices slices;
	unsigned live;
	uint64_t ones;         /* in any */
	uint64_t any[SITE_WORDS];
	uint64_t bits[MXW__SKETCH_SLICES][SITE_WORDS];
};

struct mxw__harvest {
	struct mxw__hashkey key, address_key; /* immutable */
	struct shard shards[SHARDS];
	struct site site;
};

mxw_status_t mxw__harvest_new(size_t max_entries, mxw__harvest_t **ret_harvest)
{
	mxw__harvest_t *h = calloc(1, sizeof *h);

	if (!h)
		return MXW_ERR_NOMEM;
	size_t nsets = max_entries / ((size_t)SHARDS * WAYS);
	if (nsets == 0)
		nsets = 1;
	mxw__hashkey_random(&h->key);
	mxw__hashkey_random(&h->address_key);
	pthread_mutex_init(&h->site.mutex, NULL);
	mxw__slices_init(&h->site.slices);
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &h->shards[i];
		size_t n;
		pthread_mutex_init(&shard->mutex, NULL);
		shard->nsets = nsets;
		shard->entries = mxw__mul_size(nsets, WAYS, &n) ? mxw__calloc(n, sizeof *shard->entries) : NULL;
		if (!shard->entries) {
			mxw__harvest_free(h);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_harvest = h;
	return MXW_OK;
}

void mxw__harvest_free(mxw__harvest_t *harvest)
{
	if (!harvest)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		/* Shards after the one whose allocation failed were never made. */
		if (harvest->shards[i].nsets)
			pthread_mutex_destroy(&harvest->shards[i].mutex);
		free(harvest->shards[i].entries);
	}
	pthread_mutex_destroy(&harvest->site.mutex);
	free(harvest);
}

/* ---- clients and networks ---- */

/* The first octets of an address, and how many they are. */
static void make_key(const struct mxw_ip *client, bool is_network, uint64_t key[2])
{
	size_t n = client->family == 4 ? (is_network ? 3 : 4) : (is_network ? 6 : 8);

	key[0] = 0;
	key[1] = (uint64_t)client->family << 8 | n;
	memcpy(key, client->bytes, n);
}

struct place {
	struct shard *shard;
	struct entry *set;
};

static struct place find_set(mxw__harvest_t *harvest, const uint64_t key[2])
{
	uint64_t h = mxw__hash(&harvest->key, key, 2 * sizeof key[0]);
	struct shard *shard = &harvest->shards[h % SHARDS];

	return (struct place){shard, shard->entries + (h / SHARDS) % shard->nsets * WAYS};
}

static struct entry *find_locked(struct entry *set, const uint64_t key[2])
{
	for (size_t i = 0; i < WAYS; i++)
		if (set[i].key[0] == key[0] && set[i].key[1] == key[1])
			return &set[i];
	return NULL;
}

/* A free slot of the set, or the one that is least worth keeping. */
static struct entry *take_slot_locked(struct place at, int64_t now_ms, uint64_t window_ms)
{
	struct entry *least = NULL;
	uint64_t least_count = 0;

	for (size_t i = 0; i < WAYS; i++) {
		struct entry *e = &at.set[i];
		if (!e->key[1]) {
			at.shard->used++;
			return e;
		}
		uint64_t count = mxw__sketch_count(&e->sketch, now_ms, window_ms);
		if (!least || count < least_count || (count == least_count && e->last_ms < least->last_ms)) {
			least = e;
			least_count = count;
		}
	}
	at.shard->evictions++;
	return least;
}

static bool add(mxw__harvest_t *harvest, const uint64_t key[2], uint32_t hash, int64_t now_ms, uint64_t window_ms)
{
	struct place at = find_set(harvest, key);

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(at.set, key);
	if (!e) {
		e = take_slot_locked(at, now_ms, window_ms);
		e->key[0] = key[0];
		e->key[1] = key[1];
		mxw__sketch_init(&e->sketch, now_ms);
	}
	e->last_ms = now_ms;
	bool is_new = mxw__sketch_add(&e->sketch, hash, now_ms, window_ms);
	pthread_mutex_unlock(&at.shard->mutex);
	return is_new;
}

static uint64_t count(mxw__harvest_t *harvest, const uint64_t key[2], int64_t now_ms, uint64_t window_ms)
{
	struct place at = find_set(harvest, key);
	uint64_t n = 0;

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(at.set, key);
	if (e)
		n = mxw__sketch_count(&e->sketch, now_ms, window_ms);
	pthread_mutex_unlock(&at.shard->mutex);
	return n;
}

/* ---- the site ---- */

static void refresh_locked(struct site *site, int64_t now_ms, uint64_t window_ms)
{
	unsigned live = mxw__slices_live(&site->slices, now_ms, window_ms);

	if (live == site->live)
		return;
	site->live = live;
	site->ones = 0;
	for (size_t w = 0; w < SITE_WORDS; w++) {
		site->any[w] = 0;
		for (unsigned i = 0; i < MXW__SKETCH_SLICES; i++)
			if (live >> i & 1)
				site->any[w] |= site->bits[i][w];
		site->ones += (uint64_t)__builtin_popcountll(site->any[w]);
	}
}

static void add_to_site(struct site *site, uint32_t hash, int64_t now_ms, uint64_t window_ms)
{
	size_t w = hash % SITE_BITS / 64;
	uint64_t bit = UINT64_C(1) << hash % 64;

	pthread_mutex_lock(&site->mutex);
	if (mxw__slices_turn(&site->slices, now_ms, window_ms)) {
		memset(site->bits[site->slices.newest], 0, sizeof site->bits[0]);
		site->live = 0;
	}
	refresh_locked(site, now_ms, window_ms);
	site->bits[site->slices.newest][w] |= bit;
	if (!(site->any[w] & bit)) {
		site->any[w] |= bit;
		site->ones++;
	}
	pthread_mutex_unlock(&site->mutex);
}

static uint64_t count_site(struct site *site, int64_t now_ms, uint64_t window_ms)
{
	pthread_mutex_lock(&site->mutex);
	refresh_locked(site, now_ms, window_ms);
	uint64_t ones = site->ones;
	pthread_mutex_unlock(&site->mutex);
	return mxw__bits_estimate(ones, SITE_BITS);
}

/* ---- all of them ---- */

bool mxw__harvest_add(mxw__harvest_t *harvest, const struct mxw_ip *client, const char *address, int64_t now_ms,
		      uint64_t window_ms)
{
	char lower[ADDRESS_MAX];
	size_t len = 0;
	uint64_t key[2];

	if (!client->family)
		return false;
	for (; address[len] && len < sizeof lower; len++)
		lower[len] = mxw__ascii_lower(address[len]);
	uint64_t hash = mxw__hash(&harvest->address_key, lower, len);
	make_key(client, false, key);
	bool is_new = add(harvest, key, (uint32_t)hash, now_ms, window_ms);
	make_key(client, true, key);
	add(harvest, key, (uint32_t)hash, now_ms, window_ms);
	/* Other bits of it than those above. */
	add_to_site(&harvest->site, (uint32_t)(hash >> 32), now_ms, window_ms);
	return is_new;
}

void mxw__harvest_count(mxw__harvest_t *harvest, const struct mxw_ip *client, int64_t now_ms, uint64_t window_ms,
			struct mxw__harvest_counts *ret_counts)
{
	uint64_t key[2];

	*ret_counts = (struct mxw__harvest_counts){.site = count_site(&harvest->site, now_ms, window_ms)};
	if (!client->family)
		return;
	make_key(client, false, key);
	ret_counts->client = count(harvest, key, now_ms, window_ms);
	make_key(client, true, key);
	ret_counts->network = count(harvest, key, now_ms, window_ms);
}

void mxw__harvest_get_stats(mxw__harvest_t *harvest, struct mxw__harvest_stats *ret_stats)
{
	struct mxw__harvest_stats stats = {0};

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &harvest->shards[i];
		pthread_mutex_lock(&shard->mutex);
		stats.entries += shard->used;
		stats.evictions += shard->evictions;
		pthread_mutex_unlock(&shard->mutex);
	}
	*ret_stats = stats;
}
