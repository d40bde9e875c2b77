/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/sightings.h"

enum {
	SHARDS = 16,     /* a power of two */
	WAYS = 8,        /* slots one key may stand in: the candidates for eviction */
	TELL_PARTS = 12, /* of the window, after which an entry that is seen again is told again */
	ALIVE_PARTS = 12 /* the same of the primary's */
};

/* A slot is free while its key's kind is NONE. */
struct entry {
	struct mxw__key key;
	int64_t seen_ms, told_ms;
	uint8_t changed;       /* a bit for each reader of state */
};

struct shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	struct entry *entries;
	uint64_t nchanged[MXW__STATE_READERS];
	size_t next[MXW__STATE_READERS]; /* where a reader goes on looking */
};

struct primary {
	pthread_mutex_t mutex; /* guards the rest; a leaf, too */
	bool is_known;
	int64_t seen_ms, since_ms, told_ms;
	uint8_t changed;
};

struct mxw__sightings {
	struct mxw__hashkey hashkey;  /* immutable, as the next two */
	struct mxw_clock clock;
	size_t nsets;
	_Atomic uint64_t window_ms, alive_ms;
	_Atomic int64_t lost_ms;      /* when the latest one that had to make room was seen; INT64_MIN: none */
	struct primary primary;
	struct shard shards[SHARDS];
};

void mxw__sightings_configure(mxw__sightings_t *sightings, const struct mxw__sightings_options *options)
{
	atomic_store(&sightings->window_ms, options->window_ms);
	atomic_store(&sightings->alive_ms, options->alive_ms);
}

mxw_status_t mxw__sightings_new(const struct mxw__sightings_options *options, mxw__sightings_t **ret_sightings)
{
	mxw__sightings_t *s = calloc(1, sizeof *s);

	if (!s)
		return MXW_ERR_NOMEM;
	s->nsets = options->max_entries / ((size_t)SHARDS * WAYS);
	s->nsets = s->nsets ? s->nsets : 1;
	s->clock = *options->clock;
	mxw__hashkey_random(&s->hashkey);
	mxw__sightings_configure(s, options);
	atomic_init(&s->lost_ms, INT64_MIN);
	pthread_mutex_init(&s->primary.mutex, NULL);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&s->shards[i].mutex, NULL);
	for (size_t i = 0; i < SHARDS; i++) {
		s->shards[i].entries = mxw__calloc(s->nsets, WAYS * sizeof(struct entry));
		if (!s->shards[i].entries) {
			mxw__sightings_free(s);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_sightings = s;
	return MXW_OK;
}

void mxw__sightings_free(mxw__sightings_t *sightings)
{
	if (!sightings)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_destroy(&sightings->shards[i].mutex);
		free(sightings->shards[i].entries);
	}
	pthread_mutex_destroy(&sightings->primary.mutex);
	free(sightings);
}

/* ---- finding ---- */

struct place {
	struct shard *shard;
	struct entry *set;
};

static struct place find_set(mxw__sightings_t *s, const struct mxw__key *key)
{
	uint64_t h = mxw__hash(&s->hashkey, key, 2u + key->len);
	struct shard *shard = &s->shards[h % SHARDS];

	return (struct place){shard, shard->entries + (h / SHARDS) % s->nsets * WAYS};
}

static struct entry *find_locked(const struct place *at, const struct mxw__key *key)
{
	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(&at->set[i].key, key, sizeof *key) == 0)
			return &at->set[i];
	return NULL;
}

/* Its slot, a free one, or that of whoever was seen longest ago. */
static struct entry *need_locked(mxw__sightings_t *s, const struct place *at, const struct mxw__key *key, int64_t seen_ms)
{
	struct entry *e = find_locked(at, key);

	if (e)
		return e;
	for (size_t i = 0; i < WAYS; i++) {
		struct entry *one = &at->set[i];
		if (!e || (e->key.kind != MXW__KEY_NONE && (one->key.kind == MXW__KEY_NONE || one->seen_ms < e->seen_ms)))
			e = one;
	}
	if (e->key.kind != MXW__KEY_NONE && e->seen_ms > atomic_load(&s->lost_ms))
		atomic_store(&s->lost_ms, e->seen_ms);
	for (unsigned r = 0; r < MXW__STATE_READERS; r++)
		at->shard->nchanged[r] -= e->changed >> r & 1;
	*e = (struct entry){.key = *key, .seen_ms = seen_ms, .told_ms = seen_ms - (int64_t)UINT32_MAX};
	return e;
}

static void mark_locked(struct shard *shard, struct entry *e, mxw__state_reader_t reader)
{
	if (!(e->changed >> reader & 1))
		shard->nchanged[reader]++;
	e->changed |= (uint8_t)(1u << reader);
}

/* ---- what happens ---- */

void mxw__sightings_see(mxw__sightings_t *sightings, const struct mxw__key *key, int64_t now_ms)
{
	if (key->kind == MXW__KEY_NONE)
		return;
	struct place at = find_set(sightings, key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = need_locked(sightings, &at, key, now_ms);
	if (now_ms > e->seen_ms)
		e->seen_ms = now_ms;
	if (now_ms - e->told_ms >= (int64_t)(atomic_load(&sightings->window_ms) / TELL_PARTS)) {
		e->told_ms = now_ms;
		mark_locked(at.shard, e, MXW__STATE_DISK);
		mark_locked(at.shard, e, MXW__STATE_SHARE);
	}
	pthread_mutex_unlock(&at.shard->mutex);
}

bool mxw__sightings_has(mxw__sightings_t *sightings, const struct mxw__key *key, int64_t now_ms)
{
	int64_t window_ms = (int64_t)atomic_load(&sightings->window_ms);

	if (key->kind == MXW__KEY_NONE)
		return false;
	struct place at = find_set(sightings, key);
	pthread_mutex_lock(&at.shard->mutex);
	const struct entry *e = find_locked(&at, key);
	bool has = e && now_ms - e->seen_ms < window_ms;
	pthread_mutex_unlock(&at.shard->mutex);
	return has;
}

/* Seen after a pause: it was down, or nothing was known of it. */
static void see_primary_locked(const mxw__sightings_t *s, struct primary *p, int64_t seen_ms)
{
	bool was_away = !p->is_known || seen_ms - p->seen_ms > (int64_t)atomic_load(&s->alive_ms);

	if (was_away)
		p->since_ms = seen_ms;
	if (!p->is_known || seen_ms > p->seen_ms)
		p->seen_ms = seen_ms;
	p->is_known = true;
}

static void mark_primary_locked(struct primary *p, int64_t now_ms)
{
	p->told_ms = now_ms;
	p->changed = (1u << MXW__STATE_DISK) | (1u << MXW__STATE_SHARE);
}

void mxw__sightings_mark_primary(mxw__sightings_t *sightings, int64_t now_ms)
{
	struct primary *p = &sightings->primary;

	pthread_mutex_lock(&p->mutex);
	bool is_first = !p->is_known;
	see_primary_locked(sightings, p, now_ms);
	if (is_first || now_ms - p->told_ms >= (int64_t)(atomic_load(&sightings->alive_ms) / ALIVE_PARTS))
		mark_primary_locked(p, now_ms);
	pthread_mutex_unlock(&p->mutex);
}

void mxw__sightings_turned_away(mxw__sightings_t *sightings, int64_t now_ms)
{
	struct primary *p = &sightings->primary;

	pthread_mutex_lock(&p->mutex);
	if (p->is_known && now_ms > p->since_ms) {
		p->since_ms = now_ms;
		mark_primary_locked(p, now_ms);
	}
	pthread_mutex_unlock(&p->mutex);
}

bool mxw__sightings_primary_is_up(mxw__sightings_t *sightings, int64_t now_ms)
{
	struct primary *p = &sightings->primary;
	int64_t settled_ms = now_ms - MXW__SIGHTINGS_SETTLE_MS;

	/* (Of two that had to make room at once the earlier one may stand there: the difference is some instructions.) */
	if (atomic_load(&sightings->lost_ms) > settled_ms)
		return false;
	pthread_mutex_lock(&p->mutex);
	bool is_up = p->is_known && now_ms - p->seen_ms <= (int64_t)atomic_load(&sightings->alive_ms) &&
		     p->since_ms <= settled_ms;
	pthread_mutex_unlock(&p->mutex);
	return is_up;
}

/* ---- as state ---- */

enum { FIELD_SEEN, FIELD_SINCE };

static double wall(const mxw__sightings_t *s, int64_t then_ms)
{
	return (double)(s->clock.wall_ms(s->clock.ctx) - (mxw__now_ms(&s->clock) - then_ms));
}

/* A clock that was set back makes nothing younger than now. */
static int64_t monotonic(const mxw__sightings_t *s, double then_ms)
{
	int64_t gone = s->clock.wall_ms(s->clock.ctx) - (int64_t)then_ms;

	return mxw__now_ms(&s->clock) - (gone > 0 ? gone : 0);
}

static void describe(const mxw__sightings_t *s, const char *key, int64_t seen_ms, int64_t since_ms, struct mxw__state_record *r)
{
	memset(r, 0, sizeof *r);
	snprintf(r->key, sizeof r->key, "%s", key);
	r->at_ms = s->clock.wall_ms(s->clock.ctx);
	r->values[FIELD_SEEN] = wall(s, seen_ms);
	r->values[FIELD_SINCE] = wall(s, since_ms);
	r->expires_ms = (int64_t)r->values[FIELD_SEEN] + (int64_t)atomic_load(&s->window_ms);
}

static bool take_primary(mxw__sightings_t *s, mxw__state_reader_t reader, struct mxw__state_record *record)
{
	struct primary *p = &s->primary;

	pthread_mutex_lock(&p->mutex);
	bool is_changed = p->changed >> reader & 1;
	if (is_changed)
		describe(s, MXW__SIGHTINGS_PRIMARY, p->seen_ms, p->since_ms, record);
	p->changed &= (uint8_t)~(1u << reader);
	pthread_mutex_unlock(&p->mutex);
	return is_changed;
}

static size_t take_of_shard(mxw__sightings_t *s, struct shard *shard, mxw__state_reader_t reader,
			    struct mxw__state_record *records, size_t max)
{
	size_t per_shard = s->nsets * WAYS, n = 0;
	char text[MXW__KEY_TEXT_MAX];

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 0; i < per_shard && n < max && shard->nchanged[reader]; i++) {
		struct entry *e = &shard->entries[shard->next[reader]];
		shard->next[reader] = (shard->next[reader] + 1) % per_shard;
		if (!(e->changed >> reader & 1))
			continue;
		e->changed &= (uint8_t)~(1u << reader);
		shard->nchanged[reader]--;
		describe(s, mxw__key_text(&e->key, text), e->seen_ms, e->seen_ms, &records[n++]);
	}
	pthread_mutex_unlock(&shard->mutex);
	return n;
}

static size_t take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	mxw__sightings_t *s = store;
	size_t n = max > 0 ? take_primary(s, reader, ret_records) : 0;

	for (size_t i = 0; i < SHARDS && n < max; i++)
		n += take_of_shard(s, &s->shards[i], reader, ret_records + n, max - n);
	return n;
}

/* Since when it is up, its own host knows best; here at most that is known which came. */
static void put_primary(mxw__sightings_t *s, mxw__state_reader_t reader, const struct mxw__state_record *r)
{
	struct primary *p = &s->primary;
	int64_t seen_ms = monotonic(s, r->values[FIELD_SEEN]), since_ms = monotonic(s, r->values[FIELD_SINCE]);

	pthread_mutex_lock(&p->mutex);
	if (!p->is_known || seen_ms >= p->seen_ms) {
		p->is_known = true;
		p->seen_ms = seen_ms;
		p->since_ms = since_ms < seen_ms ? since_ms : seen_ms;
		if (reader == MXW__STATE_SHARE)
			p->changed |= 1u << MXW__STATE_DISK;
	}
	pthread_mutex_unlock(&p->mutex);
}

static void put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__sightings_t *s = store;
	int64_t seen_ms = monotonic(s, record->values[FIELD_SEEN]);
	struct mxw__key key;

	if (record->is_gone || record->expires_ms <= s->clock.wall_ms(s->clock.ctx))
		return;
	if (strcmp(record->key, MXW__SIGHTINGS_PRIMARY) == 0) {
		put_primary(s, reader, record);
		return;
	}
	if (!mxw__key_parse(record->key, &key))
		return;
	struct place at = find_set(s, &key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = need_locked(s, &at, &key, seen_ms);
	if (seen_ms > e->seen_ms)
		e->seen_ms = seen_ms;
	if (reader == MXW__STATE_SHARE)
		mark_locked(at.shard, e, MXW__STATE_DISK);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__sightings_t *s = store;
	struct mxw__key key;

	if (strcmp(record->key, MXW__SIGHTINGS_PRIMARY) == 0) {
		pthread_mutex_lock(&s->primary.mutex);
		s->primary.changed |= (uint8_t)(1u << reader);
		pthread_mutex_unlock(&s->primary.mutex);
		return;
	}
	if (!mxw__key_parse(record->key, &key))
		return;
	struct place at = find_set(s, &key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(&at, &key);
	if (e)
		mark_locked(at.shard, e, reader);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void mark_all(void *store, mxw__state_reader_t reader)
{
	mxw__sightings_t *s = store;

	pthread_mutex_lock(&s->primary.mutex);
	if (s->primary.is_known)
		s->primary.changed |= (uint8_t)(1u << reader);
	pthread_mutex_unlock(&s->primary.mutex);
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &s->shards[i];
		pthread_mutex_lock(&shard->mutex);
		for (size_t k = 0; k < s->nsets * WAYS; k++)
			if (shard->entries[k].key.kind != MXW__KEY_NONE)
				mark_locked(shard, &shard->entries[k], reader);
		pthread_mutex_unlock(&shard->mutex);
	}
}

static const struct mxw__state_field fields[] = {
	[FIELD_SEEN] = {"seen", MXW__MERGE_MAX, false},
	[FIELD_SINCE] = {"since", MXW__MERGE_LATEST, false},
};

const struct mxw__state_sort mxw__sightings_sort = {
	.name = "sighting",
	.nfields = MXW_ARRAY_LEN(fields),
	.fields = fields,
	.is_kept = true,
	.is_shared = true,
	.take = take,
	.put = put,
	.give_back = give_back,
	.mark_all = mark_all,
};
