/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/rates_parts.h"

uint64_t mxw__rate_id(const char *name)
{
	static const struct mxw__hashkey fixed = {0x6d78776172642072, 0x617465206e616d65};
	uint64_t id = mxw__hash(&fixed, name, strlen(name));

	return id ? id : 1;
}

/* ---- life ---- */

mxw_status_t mxw__rates_new(size_t max_entries, const struct mxw_clock *clock, mxw__rates_t **ret_rates)
{
	mxw__rates_t *r = calloc(1, sizeof *r);

	if (!r)
		return MXW_ERR_NOMEM;
	r->nsets = max_entries / ((size_t)MXW__RATE_SHARDS * MXW__RATE_WAYS);
	if (r->nsets == 0)
		r->nsets = 1;
	r->clock = *clock;
	mxw__hashkey_random(&r->hashkey);
	pthread_mutex_init(&r->names_mutex, NULL);
	for (size_t i = 0; i < MXW__RATE_SHARDS; i++)
		pthread_mutex_init(&r->shards[i].mutex, NULL);
	for (size_t i = 0; i < MXW__RATE_SHARDS; i++) {
		size_t n;
		struct mxw__rate_shard *shard = &r->shards[i];
		shard->entries = mxw__mul_size(r->nsets, MXW__RATE_WAYS, &n) ? mxw__calloc(n, sizeof *shard->entries) : NULL;
		if (!shard->entries) {
			mxw__rates_free(r);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_rates = r;
	return MXW_OK;
}

void mxw__rates_free(mxw__rates_t *rates)
{
	if (!rates)
		return;
	for (size_t i = 0; i < MXW__RATE_SHARDS; i++) {
		pthread_mutex_destroy(&rates->shards[i].mutex);
		free(rates->shards[i].entries);
	}
	pthread_mutex_destroy(&rates->names_mutex);
	free(rates->names);
	free(rates);
}

bool mxw__rates_has_name(const struct mxw__rate_name *names, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].id == id)
			return true;
	return false;
}

static void unmark_locked(struct mxw__rate_shard *shard, struct mxw__rate_entry *e)
{
	for (unsigned r = 0; r < MXW__STATE_READERS; r++)
		shard->nchanged[r] -= e->changed >> r & 1;
	e->changed = 0;
}

static void drop_others(mxw__rates_t *rates, const struct mxw__rate_name *names, size_t n)
{
	for (size_t s = 0; s < MXW__RATE_SHARDS; s++) {
		struct mxw__rate_shard *shard = &rates->shards[s];
		pthread_mutex_lock(&shard->mutex);
		for (size_t i = 0; shard->used && i < rates->nsets * MXW__RATE_WAYS; i++) {
			struct mxw__rate_entry *e = &shard->entries[i];
			e->is_of_others = true;
			if (!e->id || mxw__rates_has_name(names, n, e->id))
				continue;
			unmark_locked(shard, e);
			*e = (struct mxw__rate_entry){0};
			shard->used--;
		}
		pthread_mutex_unlock(&shard->mutex);
	}
}

mxw_status_t mxw__rates_configure(mxw__rates_t *rates, const char *const *names, size_t n)
{
	struct mxw__rate_name *fresh = mxw__calloc(n + 1, sizeof *fresh);

	if (!fresh)
		return MXW_ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		fresh[i].id = mxw__rate_id(names[i]);
		snprintf(fresh[i].text, sizeof fresh[i].text, "%s", names[i]);
	}
	drop_others(rates, fresh, n);
	pthread_mutex_lock(&rates->names_mutex);
	struct mxw__rate_name *old = rates->names;
	rates->names = fresh;
	rates->nnames = n;
	pthread_mutex_unlock(&rates->names_mutex);
	free(old);
	return MXW_OK;
}

/* ---- finding ---- */

struct mxw__rate_place mxw__rates_find_set(mxw__rates_t *r, uint64_t id, const struct mxw__key *key)
{
	struct {
		uint64_t id;
		struct mxw__key key;
	} both = {id, *key};
	uint64_t h = mxw__hash(&r->hashkey, &both, sizeof both);
	struct mxw__rate_shard *shard = &r->shards[h % MXW__RATE_SHARDS];

	return (struct mxw__rate_place){shard, shard->entries + (h / MXW__RATE_SHARDS) % r->nsets * MXW__RATE_WAYS};
}

struct mxw__rate_entry *mxw__rates_find_locked(const struct mxw__rate_place *at, uint64_t id, const struct mxw__key *key)
{
	for (size_t i = 0; i < MXW__RATE_WAYS; i++)
		if (at->set[i].id == id && memcmp(&at->set[i].key, key, sizeof *key) == 0)
			return &at->set[i];
	return NULL;
}

/* A free slot of the set, or the one whose time comes first. */
struct mxw__rate_entry *mxw__rates_need_locked(const struct mxw__rate_place *at, uint64_t id, const struct mxw__key *key, int64_t now_ns)
{
	struct mxw__rate_entry *e = mxw__rates_find_locked(at, id, key), *first = NULL;

	if (e)
		return e;
	for (size_t i = 0; i < MXW__RATE_WAYS; i++) {
		e = &at->set[i];
		if (!e->id) {
			at->shard->used++;
			first = e;
			break;
		}
		if (!first || e->tat_ns < first->tat_ns)
			first = e;
	}
	at->shard->evictions += first->id && first->tat_ns > now_ns;
	unmark_locked(at->shard, first);
	*first = (struct mxw__rate_entry){.id = id, .key = *key};
	return first;
}

void mxw__rates_mark_locked(struct mxw__rate_shard *shard, struct mxw__rate_entry *e, mxw__state_reader_t reader)
{
	if (!(e->changed >> reader & 1))
		shard->nchanged[reader]++;
	e->changed |= (uint8_t)(1u << reader);
}

/* ---- counting ---- */

/* In which `n` leave the bucket. Rounded down, so that a whole burst fits. */
static int64_t span_ns(const struct mxw__rate *rate, uint64_t n)
{
	double ns = (double)n * (double)rate->window_ms * (double)MXW__NS_PER_MS / (double)rate->count;

	return ns < 1 ? 1 : ns > 4e18 ? INT64_C(4000000000000000000) : (int64_t)ns;
}

/*
 * How far ahead the entry's time lies. A rate that was changed, or a clock that was set back while we were away, may have left it further
 * ahead than this rate ever brings it: it is moved to where it comes nearer, or it would be over the limit for as long as that.
 */
static int64_t ahead_ns(const struct mxw__rate *rate, struct mxw__rate_entry *e, int64_t now_ns)
{
	int64_t most = 2 * span_ns(rate, rate->burst);

	if (!e || e->tat_ns <= now_ns)
		return 0;
	if (e->is_of_others && e->tat_ns - now_ns > most)
		e->tat_ns = now_ns + most;
	return e->tat_ns - now_ns < most ? e->tat_ns - now_ns : most;
}

static void add_locked(const struct mxw__rate_place *at, struct mxw__rate_entry *e, int64_t ahead, int64_t add, int64_t now_ns)
{
	e->tat_ns = now_ns + ahead + add;
	e->unshared_ns += add;
	mxw__rates_mark_locked(at->shard, e, MXW__STATE_DISK);
	mxw__rates_mark_locked(at->shard, e, MXW__STATE_SHARE);
}

bool mxw__rates_take(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, uint64_t n, int64_t now_ms)
{
	struct mxw__rate_place at = mxw__rates_find_set(rates, rate->id, key);
	int64_t now_ns = now_ms * MXW__NS_PER_MS, add = span_ns(rate, n);

	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__rate_entry *e = mxw__rates_find_locked(&at, rate->id, key);
	int64_t ahead = ahead_ns(rate, e, now_ns);
	bool has_room = ahead + add <= span_ns(rate, rate->burst);
	if (has_room)
		add_locked(&at, e ? e : mxw__rates_need_locked(&at, rate->id, key, now_ns), ahead, add, now_ns);
	pthread_mutex_unlock(&at.shard->mutex);
	return has_room;
}

/* How far ahead the key's time lies. */
static int64_t look_ns(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms)
{
	struct mxw__rate_place at = mxw__rates_find_set(rates, rate->id, key);

	pthread_mutex_lock(&at.shard->mutex);
	int64_t ahead = ahead_ns(rate, mxw__rates_find_locked(&at, rate->id, key), now_ms * MXW__NS_PER_MS);
	pthread_mutex_unlock(&at.shard->mutex);
	return ahead;
}

bool mxw__rates_has_room(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms)
{
	return look_ns(rates, rate, key, now_ms) + span_ns(rate, 1) <= span_ns(rate, rate->burst);
}

static double level(const struct mxw__rate *rate, int64_t ahead_ns)
{
	return (double)ahead_ns * (double)rate->count / ((double)rate->window_ms * (double)MXW__NS_PER_MS);
}

double mxw__rates_charge(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, uint64_t n, int64_t now_ms)
{
	struct mxw__rate_place at = mxw__rates_find_set(rates, rate->id, key);
	int64_t now_ns = now_ms * MXW__NS_PER_MS, add = span_ns(rate, n), most = 2 * span_ns(rate, rate->burst);

	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__rate_entry *e = mxw__rates_need_locked(&at, rate->id, key, now_ns);
	int64_t ahead = ahead_ns(rate, e, now_ns);
	if (add > most - ahead)
		add = most - ahead;
	add_locked(&at, e, ahead, add, now_ns);
	pthread_mutex_unlock(&at.shard->mutex);
	return level(rate, ahead + add);
}

double mxw__rates_level(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms)
{
	return level(rate, look_ns(rates, rate, key, now_ms));
}

void mxw__rates_reset(struct mxw__rate_entry *e, int64_t now_ns, int64_t wall_ms)
{
	e->tat_ns = now_ns;
	e->unshared_ns = 0;
	e->reset_ms = wall_ms;
}

void mxw__rates_forgive(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms)
{
	struct mxw__rate_place at = mxw__rates_find_set(rates, rate->id, key);
	int64_t wall_ms = rates->clock.wall_ms(rates->clock.ctx);

	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__rate_entry *e = mxw__rates_need_locked(&at, rate->id, key, now_ms * MXW__NS_PER_MS);
	mxw__rates_reset(e, now_ms * MXW__NS_PER_MS, wall_ms);
	mxw__rates_mark_locked(at.shard, e, MXW__STATE_DISK);
	mxw__rates_mark_locked(at.shard, e, MXW__STATE_SHARE);
	pthread_mutex_unlock(&at.shard->mutex);
}

void mxw__rates_get_stats(mxw__rates_t *rates, struct mxw__rates_stats *ret_stats)
{
	struct mxw__rates_stats stats = {.max_entries = (uint64_t)MXW__RATE_SHARDS * rates->nsets * MXW__RATE_WAYS};

	for (size_t i = 0; i < MXW__RATE_SHARDS; i++) {
		struct mxw__rate_shard *shard = &rates->shards[i];
		pthread_mutex_lock(&shard->mutex);
		stats.entries += shard->used;
		stats.evictions += shard->evictions;
		pthread_mutex_unlock(&shard->mutex);
	}
	stats.bytes = sizeof *rates + (size_t)stats.max_entries * sizeof(struct mxw__rate_entry);
	*ret_stats = stats;
}
