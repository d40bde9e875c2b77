/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/distinct.h"
#include "src/track/harvest.h"
#include "src/track/sketch.h"

enum {
	SITE_WORDS = 1024,   /* of 64 bits, for one slice */
	SITE_BITS = SITE_WORDS * 64
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
	mxw__distinct_t *guesses;
	struct site site;
};

mxw_status_t mxw__harvest_new(size_t max_entries, mxw__harvest_t **ret_harvest)
{
	mxw__harvest_t *h = calloc(1, sizeof *h);

	if (!h)
		return MXW_ERR_NOMEM;
	if (mxw__distinct_new(max_entries, &h->guesses) != MXW_OK) {
		free(h);
		return MXW_ERR_NOMEM;
	}
	pthread_mutex_init(&h->site.mutex, NULL);
	mxw__slices_init(&h->site.slices);
	*ret_harvest = h;
	return MXW_OK;
}

void mxw__harvest_free(mxw__harvest_t *harvest)
{
	if (!harvest)
		return;
	mxw__distinct_free(harvest->guesses);
	pthread_mutex_destroy(&harvest->site.mutex);
	free(harvest);
}

/* ---- clients and networks ---- */

enum { KEY_BYTES = 10 };

/* Family, how many octets of the address count, and these. */
static void make_key(const struct mxw_ip *client, bool is_network, uint8_t key[KEY_BYTES])
{
	size_t n = client->family == 4 ? (is_network ? 3 : 4) : (is_network ? 6 : 8);

	memset(key, 0, KEY_BYTES);
	key[0] = client->family;
	key[1] = (uint8_t)n;
	memcpy(key + 2, client->bytes, n);
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

/* One of two that a client has in its network; no recipient is called like that. */
static uint32_t hash_place(const mxw__harvest_t *harvest, const uint8_t client_key[KEY_BYTES], unsigned number)
{
	char text[2 * KEY_BYTES + 16];
	int len = snprintf(text, sizeof text, "place %u ", number);

	for (size_t i = 0; i < KEY_BYTES; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, "%02x", client_key[i]);
	return (uint32_t)mxw__distinct_hash(harvest->guesses, text);
}

/*
 * Of a client that has guessed before. What its network has tried already is the same guess; what it has not is one of two places that
 * are filled one after the other, and kept for as long as the client goes on.
 */
static void add_to_network(mxw__harvest_t *harvest, const struct mxw_ip *client, uint32_t hash, int64_t now_ms, uint64_t window_ms)
{
	uint8_t network[KEY_BYTES], own[KEY_BYTES];

	make_key(client, false, own);
	make_key(client, true, network);
	uint64_t before = mxw__distinct_count(harvest->guesses, own, sizeof own, now_ms, window_ms);
	bool is_there = mxw__distinct_has(harvest->guesses, network, sizeof network, hash, now_ms, window_ms);
	if (is_there)
		mxw__distinct_add(harvest->guesses, network, sizeof network, hash, now_ms, window_ms);
	for (unsigned i = 0; i < 2; i++)
		if (before >= 4 || (!is_there && i == (before == 3)))
			mxw__distinct_add(harvest->guesses, network, sizeof network, hash_place(harvest, own, i), now_ms, window_ms);
}

static bool add(mxw__harvest_t *harvest, const struct mxw_ip *client, bool is_alone, const char *address, int64_t now_ms,
		uint64_t window_ms)
{
	uint8_t key[KEY_BYTES];

	if (!client->family)
		return false;
	uint64_t hash = mxw__distinct_hash(harvest->guesses, address);
	make_key(client, false, key);
	if (is_alone)
		add_to_network(harvest, client, (uint32_t)hash, now_ms, window_ms);
	bool is_new = mxw__distinct_add(harvest->guesses, key, sizeof key, (uint32_t)hash, now_ms, window_ms);
	make_key(client, true, key);
	if (!is_alone)
		mxw__distinct_add(harvest->guesses, key, sizeof key, (uint32_t)hash, now_ms, window_ms);
	/* Other bits of it than those above. */
	add_to_site(&harvest->site, (uint32_t)(hash >> 32), now_ms, window_ms);
	return is_new;
}

bool mxw__harvest_forgive(mxw__harvest_t *harvest, const struct mxw__key *key)
{
	uint8_t octets[KEY_BYTES] = {key->data[0], (uint8_t)(key->len - 1)};

	if (key->kind != MXW__KEY_ADDRESS && key->kind != MXW__KEY_NETWORK && key->kind != MXW__KEY_WIDE)
		return false;
	if (key->len < 1 || key->len - 1 > KEY_BYTES - 2)
		return false;
	memcpy(octets + 2, key->data + 1, key->len - 1u);
	return mxw__distinct_forget(harvest->guesses, octets, sizeof octets);
}

bool mxw__harvest_add(mxw__harvest_t *harvest, const struct mxw_ip *client, const char *address, int64_t now_ms,
		      uint64_t window_ms)
{
	return add(harvest, client, false, address, now_ms, window_ms);
}

bool mxw__harvest_add_alone(mxw__harvest_t *harvest, const struct mxw_ip *client, const char *address, int64_t now_ms,
			    uint64_t window_ms)
{
	return add(harvest, client, true, address, now_ms, window_ms);
}

void mxw__harvest_count(mxw__harvest_t *harvest, const struct mxw_ip *client, int64_t now_ms, uint64_t window_ms,
			struct mxw__harvest_counts *ret_counts)
{
	uint8_t key[KEY_BYTES];

	*ret_counts = (struct mxw__harvest_counts){.site = count_site(&harvest->site, now_ms, window_ms)};
	if (!client->family)
		return;
	make_key(client, false, key);
	ret_counts->client = mxw__distinct_count(harvest->guesses, key, sizeof key, now_ms, window_ms);
	make_key(client, true, key);
	ret_counts->network = mxw__distinct_count(harvest->guesses, key, sizeof key, now_ms, window_ms);
}

void mxw__harvest_get_stats(mxw__harvest_t *harvest, struct mxw__harvest_stats *ret_stats)
{
	struct mxw__distinct_stats stats;

	mxw__distinct_get_stats(harvest->guesses, &stats);
	*ret_stats = (struct mxw__harvest_stats){stats.entries, stats.evictions};
}
