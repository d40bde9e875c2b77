/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/dns/dns.h"

enum { SHARDS_MAX = 16, SHARD_ENTRIES_MIN = 64 };

struct entry {
	struct entry *next;         /* in its bucket */
	struct entry *newer, *older; /* by use */
	uint64_t hash;
	int64_t expires_ms;
	uint32_t lifetime_s;
	mxw_dns_answer_t *answer;
	size_t size;
	uint16_t type;
	char name[];
};

struct shard {
	pthread_mutex_t lock;
	struct entry **buckets;
	size_t nbuckets; /* a power of two */
	struct entry *newest, *oldest;
	size_t n, max, bytes, max_bytes;
};

struct mxw__dns_cache {
	struct mxw__dns_lifetimes lifetimes;
	const struct mxw_clock *clock;
	size_t nshards; /* a power of two */
	struct shard shards[];
};

static uint32_t clamp(uint32_t value, uint32_t min, uint32_t max)
{
	return value < min || max < min ? min : value > max ? max : value;
}

uint32_t mxw__dns_lifetime_s(const struct mxw__dns_lifetimes *lifetimes, mxw_outcome_t outcome, uint32_t ttl_s)
{
	switch (outcome) {
	case MXW_FOUND:
		return clamp(ttl_s, MXW__DNS_POSITIVE_MIN_S, lifetimes->positive_max_s);
	case MXW_NOT_FOUND:
		return clamp(ttl_s, MXW__DNS_NEGATIVE_MIN_S, lifetimes->negative_max_s);
	default:
		return clamp(ttl_s, MXW__DNS_FAILURE_MIN_S, lifetimes->failure_max_s);
	}
}

static bool shard_init(struct shard *shard, size_t max)
{
	shard->max = max;
	shard->max_bytes = max * MXW__DNS_CACHE_BYTES_PER_ENTRY;
	shard->nbuckets = 16;
	while (shard->nbuckets < max)
		shard->nbuckets *= 2;
	shard->buckets = mxw__calloc(shard->nbuckets, sizeof(struct entry *));
	pthread_mutex_init(&shard->lock, NULL);
	return shard->buckets != NULL;
}

mxw__dns_cache_t *mxw__dns_cache_new(unsigned max_entries, const struct mxw__dns_lifetimes *lifetimes,
				     const struct mxw_clock *clock)
{
	size_t nshards = SHARDS_MAX;
	bool ok = true;

	/* A shard of a few entries would throw out what is needed while others are empty. */
	while (nshards > 1 && max_entries / nshards < SHARD_ENTRIES_MIN)
		nshards /= 2;
	mxw__dns_cache_t *cache = calloc(1, sizeof(*cache) + nshards * sizeof(struct shard));
	if (!cache)
		return NULL;
	cache->lifetimes = *lifetimes;
	cache->clock = clock;
	cache->nshards = nshards;
	for (size_t i = 0; i < nshards; i++)
		ok = shard_init(&cache->shards[i], max_entries / nshards) && ok;
	if (!ok) {
		mxw__dns_cache_free(cache);
		return NULL;
	}
	return cache;
}

static struct shard *shard_of(mxw__dns_cache_t *cache, uint64_t hash)
{
	/* Not the bits that choose the bucket. */
	return &cache->shards[(hash >> 48) & (cache->nshards - 1)];
}

static struct entry **find_locked(struct shard *shard, const struct mxw__dns_key *key)
{
	struct entry **at = &shard->buckets[key->hash & (shard->nbuckets - 1)];

	while (*at && ((*at)->hash != key->hash || (*at)->type != key->type || strcmp((*at)->name, key->name) != 0))
		at = &(*at)->next;
	return at;
}

static void unlink_use_locked(struct shard *shard, struct entry *entry)
{
	*(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
}

static void link_use_locked(struct shard *shard, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = shard->newest;
	*(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
	shard->newest = entry;
}

static void remove_locked(struct shard *shard, struct entry **at)
{
	struct entry *entry = *at;

	*at = entry->next;
	unlink_use_locked(shard, entry);
	shard->n--;
	shard->bytes -= entry->size;
	mxw_dns_answer_unref(entry->answer);
	free(entry);
}

static void remove_oldest_locked(struct shard *shard)
{
	struct entry **at = &shard->buckets[shard->oldest->hash & (shard->nbuckets - 1)];

	while (*at != shard->oldest)
		at = &(*at)->next;
	remove_locked(shard, at);
}

void mxw__dns_cache_free(mxw__dns_cache_t *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->nshards; i++) {
		struct shard *shard = &cache->shards[i];
		while (shard->oldest)
			remove_oldest_locked(shard);
		free(shard->buckets);
		pthread_mutex_destroy(&shard->lock);
	}
	free(cache);
}

mxw_dns_answer_t *mxw__dns_cache_get(mxw__dns_cache_t *cache, const struct mxw__dns_key *key)
{
	struct shard *shard = shard_of(cache, key->hash);
	int64_t now = mxw__now_ms(cache->clock);
	mxw_dns_answer_t *answer = NULL;

	pthread_mutex_lock(&shard->lock);
	struct entry **at = find_locked(shard, key);
	if (*at && (*at)->expires_ms <= now) {
		/* The next failure is to know of it. */
		if ((*at)->answer->outcome != MXW_TEMPORARY)
			remove_locked(shard, at);
	} else if (*at) {
		unlink_use_locked(shard, *at);
		link_use_locked(shard, *at);
		answer = mxw_dns_answer_ref((*at)->answer);
	}
	pthread_mutex_unlock(&shard->lock);
	return answer;
}

/* RFC 2308 section 7: what keeps failing is asked less and less often. A failure of long ago does not count. */
static void lengthen(const struct mxw__dns_lifetimes *lifetimes, struct entry *entry, const struct entry *former, int64_t now)
{
	if (entry->answer->outcome != MXW_TEMPORARY || former->answer->outcome != MXW_TEMPORARY ||
	    now - former->expires_ms > (int64_t)lifetimes->failure_max_s * 1000)
		return;
	entry->lifetime_s = mxw__dns_lifetime_s(lifetimes, MXW_TEMPORARY, former->lifetime_s * 2);
}

void mxw__dns_cache_put(mxw__dns_cache_t *cache, const struct mxw__dns_key *key, mxw_dns_answer_t *answer)
{
	struct shard *shard = shard_of(cache, key->hash);
	size_t name_size = strlen(key->name) + 1;
	struct entry *entry = calloc(1, sizeof(*entry) + name_size);

	if (!entry)
		return;
	memcpy(entry->name, key->name, name_size);
	entry->type = key->type;
	entry->hash = key->hash;
	entry->size = sizeof(*entry) + name_size + mxw__dns_answer_size(answer);
	int64_t now = mxw__now_ms(cache->clock);
	entry->lifetime_s = answer->ttl_s;
	if (entry->size > shard->max_bytes / 2 || shard->max == 0) {
		free(entry);
		return;
	}
	entry->answer = mxw_dns_answer_ref(answer);
	pthread_mutex_lock(&shard->lock);
	struct entry **at = find_locked(shard, key);
	if (*at) {
		lengthen(&cache->lifetimes, entry, *at, now);
		remove_locked(shard, at);
	}
	entry->expires_ms = now + (int64_t)entry->lifetime_s * 1000;
	while (shard->n > 0 && (shard->n >= shard->max || shard->bytes + entry->size > shard->max_bytes))
		remove_oldest_locked(shard);
	at = &shard->buckets[key->hash & (shard->nbuckets - 1)];
	entry->next = *at;
	*at = entry;
	link_use_locked(shard, entry);
	shard->n++;
	shard->bytes += entry->size;
	pthread_mutex_unlock(&shard->lock);
}

unsigned mxw__dns_cache_count(mxw__dns_cache_t *cache)
{
	size_t n = 0;

	for (size_t i = 0; i < cache->nshards; i++) {
		pthread_mutex_lock(&cache->shards[i].lock);
		n += cache->shards[i].n;
		pthread_mutex_unlock(&cache->shards[i].lock);
	}
	return (unsigned)n;
}
