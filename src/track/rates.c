/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/rates.h"

enum {
	SHARDS = 64,  /* a power of two */
	WAYS = 8      /* slots one key may stand in: the candidates for eviction */
};
#define NS_PER_MS INT64_C(1000000)
/* How long a forgiving is told. */
#define TOLD_MS INT64_C(86400000)

/* A slot is free while its id is 0. */
struct entry {
	uint64_t id;
	struct mxw__key key;
	int64_t tat_ns;        /* theoretical arrival time, monotonic */
	int64_t unshared_ns;   /* of it, what other hosts have not been told */
	int64_t reset_ms;      /* wall time of the last forgiving; 0: never */
	uint8_t changed;       /* a bit for each reader of state */
};

struct shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	struct entry *entries;
	uint64_t used, evictions;
	uint64_t nchanged[MXW__STATE_READERS];
	size_t next[MXW__STATE_READERS]; /* where a reader goes on looking */
};

struct name {
	uint64_t id;
	char text[MXW__RATE_NAME_MAX];
};

struct mxw__rates {
	struct mxw__hashkey hashkey;  /* immutable, as the next two */
	struct mxw_clock clock;
	size_t nsets;
	atomic_uint next_shard[MXW__STATE_READERS];
	pthread_mutex_t names_mutex;  /* guards the next two; no other is taken under it */
	struct name *names;
	size_t nnames;
	struct shard shards[SHARDS];
};

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
	r->nsets = max_entries / ((size_t)SHARDS * WAYS);
	if (r->nsets == 0)
		r->nsets = 1;
	r->clock = *clock;
	mxw__hashkey_random(&r->hashkey);
	pthread_mutex_init(&r->names_mutex, NULL);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&r->shards[i].mutex, NULL);
	for (size_t i = 0; i < SHARDS; i++) {
		size_t n;
		struct shard *shard = &r->shards[i];
		shard->entries = mxw__mul_size(r->nsets, WAYS, &n) ? mxw__calloc(n, sizeof *shard->entries) : NULL;
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
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_destroy(&rates->shards[i].mutex);
		free(rates->shards[i].entries);
	}
	pthread_mutex_destroy(&rates->names_mutex);
	free(rates->names);
	free(rates);
}

static bool has_name(const struct name *names, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].id == id)
			return true;
	return false;
}

static void unmark_locked(struct shard *shard, struct entry *e)
{
	for (unsigned r = 0; r < MXW__STATE_READERS; r++)
		shard->nchanged[r] -= e->changed >> r & 1;
	e->changed = 0;
}

static void drop_others(mxw__rates_t *rates, const struct name *names, size_t n)
{
	for (size_t s = 0; s < SHARDS; s++) {
		struct shard *shard = &rates->shards[s];
		pthread_mutex_lock(&shard->mutex);
		for (size_t i = 0; shard->used && i < rates->nsets * WAYS; i++) {
			struct entry *e = &shard->entries[i];
			if (!e->id || has_name(names, n, e->id))
				continue;
			unmark_locked(shard, e);
			*e = (struct entry){0};
			shard->used--;
		}
		pthread_mutex_unlock(&shard->mutex);
	}
}

mxw_status_t mxw__rates_configure(mxw__rates_t *rates, const char *const *names, size_t n)
{
	struct name *fresh = mxw__calloc(n + 1, sizeof *fresh);

	if (!fresh)
		return MXW_ERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		fresh[i].id = mxw__rate_id(names[i]);
		snprintf(fresh[i].text, sizeof fresh[i].text, "%s", names[i]);
	}
	drop_others(rates, fresh, n);
	pthread_mutex_lock(&rates->names_mutex);
	struct name *old = rates->names;
	rates->names = fresh;
	rates->nnames = n;
	pthread_mutex_unlock(&rates->names_mutex);
	free(old);
	return MXW_OK;
}

/* ---- finding ---- */

struct place {
	struct shard *shard;
	struct entry *set;
};

static struct place find_set(mxw__rates_t *r, uint64_t id, const struct mxw__key *key)
{
	struct {
		uint64_t id;
		struct mxw__key key;
	} both = {id, *key};
	uint64_t h = mxw__hash(&r->hashkey, &both, sizeof both);
	struct shard *shard = &r->shards[h % SHARDS];

	return (struct place){shard, shard->entries + (h / SHARDS) % r->nsets * WAYS};
}

static struct entry *find_locked(const struct place *at, uint64_t id, const struct mxw__key *key)
{
	for (size_t i = 0; i < WAYS; i++)
		if (at->set[i].id == id && memcmp(&at->set[i].key, key, sizeof *key) == 0)
			return &at->set[i];
	return NULL;
}

/* A free slot of the set, or the one whose time comes first. */
static struct entry *need_locked(const struct place *at, uint64_t id, const struct mxw__key *key, int64_t now_ns)
{
	struct entry *e = find_locked(at, id, key), *first = NULL;

	if (e)
		return e;
	for (size_t i = 0; i < WAYS; i++) {
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
	*first = (struct entry){.id = id, .key = *key};
	return first;
}

static void mark_locked(struct shard *shard, struct entry *e, mxw__state_reader_t reader)
{
	if (!(e->changed >> reader & 1))
		shard->nchanged[reader]++;
	e->changed |= (uint8_t)(1u << reader);
}

/* ---- counting ---- */

/* In which `n` leave the bucket. Rounded down, so that a whole burst fits. */
static int64_t span_ns(const struct mxw__rate *rate, uint64_t n)
{
	double ns = (double)n * (double)rate->window_ms * (double)NS_PER_MS / (double)rate->count;

	return ns < 1 ? 1 : ns > 4e18 ? INT64_C(4000000000000000000) : (int64_t)ns;
}

/*
 * How far ahead the entry's time lies. A rate that was changed, or a clock that was set back while we were away, may have left
 * it further ahead than this rate ever brings it.
 */
static int64_t ahead_ns(const struct mxw__rate *rate, const struct entry *e, int64_t now_ns)
{
	int64_t ahead = e && e->tat_ns > now_ns ? e->tat_ns - now_ns : 0, most = 2 * span_ns(rate, rate->burst);

	return ahead < most ? ahead : most;
}

static void add_locked(const struct place *at, struct entry *e, int64_t ahead, int64_t add, int64_t now_ns)
{
	e->tat_ns = now_ns + ahead + add;
	e->unshared_ns += add;
	mark_locked(at->shard, e, MXW__STATE_DISK);
	mark_locked(at->shard, e, MXW__STATE_SHARE);
}

bool mxw__rates_take(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, uint64_t n, int64_t now_ms)
{
	struct place at = find_set(rates, rate->id, key);
	int64_t now_ns = now_ms * NS_PER_MS, add = span_ns(rate, n);

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(&at, rate->id, key);
	int64_t ahead = ahead_ns(rate, e, now_ns);
	bool has_room = ahead + add <= span_ns(rate, rate->burst);
	if (has_room)
		add_locked(&at, e ? e : need_locked(&at, rate->id, key, now_ns), ahead, add, now_ns);
	pthread_mutex_unlock(&at.shard->mutex);
	return has_room;
}

/* How far ahead the key's time lies. */
static int64_t look_ns(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms)
{
	struct place at = find_set(rates, rate->id, key);

	pthread_mutex_lock(&at.shard->mutex);
	int64_t ahead = ahead_ns(rate, find_locked(&at, rate->id, key), now_ms * NS_PER_MS);
	pthread_mutex_unlock(&at.shard->mutex);
	return ahead;
}

bool mxw__rates_has_room(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms)
{
	return look_ns(rates, rate, key, now_ms) + span_ns(rate, 1) <= span_ns(rate, rate->burst);
}

static double level(const struct mxw__rate *rate, int64_t ahead_ns)
{
	return (double)ahead_ns * (double)rate->count / ((double)rate->window_ms * (double)NS_PER_MS);
}

double mxw__rates_charge(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, uint64_t n, int64_t now_ms)
{
	struct place at = find_set(rates, rate->id, key);
	int64_t now_ns = now_ms * NS_PER_MS, add = span_ns(rate, n), most = 2 * span_ns(rate, rate->burst);

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = need_locked(&at, rate->id, key, now_ns);
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

static void reset(struct entry *e, int64_t now_ns, int64_t wall_ms)
{
	e->tat_ns = now_ns;
	e->unshared_ns = 0;
	e->reset_ms = wall_ms;
}

void mxw__rates_forgive(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms)
{
	struct place at = find_set(rates, rate->id, key);
	int64_t wall_ms = rates->clock.wall_ms(rates->clock.ctx);

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = need_locked(&at, rate->id, key, now_ms * NS_PER_MS);
	reset(e, now_ms * NS_PER_MS, wall_ms);
	mark_locked(at.shard, e, MXW__STATE_DISK);
	mark_locked(at.shard, e, MXW__STATE_SHARE);
	pthread_mutex_unlock(&at.shard->mutex);
}

void mxw__rates_get_stats(mxw__rates_t *rates, struct mxw__rates_stats *ret_stats)
{
	struct mxw__rates_stats stats = {.max_entries = (uint64_t)SHARDS * rates->nsets * WAYS};

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &rates->shards[i];
		pthread_mutex_lock(&shard->mutex);
		stats.entries += shard->used;
		stats.evictions += shard->evictions;
		pthread_mutex_unlock(&shard->mutex);
	}
	stats.bytes = sizeof *rates + (size_t)stats.max_entries * sizeof(struct entry);
	*ret_stats = stats;
}

/* ---- as state ---- */

enum { FIELD_TAT, FIELD_RESET };
static const char site[] = "site";

void mxw__rates_record_key(const char *name, const struct mxw__key *key, char ret_key[MXW__STATE_KEY_MAX])
{
	char text[MXW__KEY_TEXT_MAX];

	mxw__key_text(key, text);
	snprintf(ret_key, MXW__STATE_KEY_MAX, "%s:%s", name, *text ? text : site);
}

/* False for a rate that there is no more. */
static bool put_key(mxw__rates_t *r, const struct entry *e, struct mxw__state_record *ret_record)
{
	bool is_known = false;

	pthread_mutex_lock(&r->names_mutex);
	for (size_t i = 0; i < r->nnames && !is_known; i++) {
		is_known = r->names[i].id == e->id;
		if (is_known)
			mxw__rates_record_key(r->names[i].text, &e->key, ret_record->key);
	}
	pthread_mutex_unlock(&r->names_mutex);
	return is_known;
}

/* Before it, `record->key` holds nothing; the entry is a copy, and no lock is held. */
static bool describe(mxw__rates_t *r, mxw__state_reader_t reader, const struct entry *e, struct mxw__state_record *record)
{
	int64_t now_ns = mxw__now_ms(&r->clock) * NS_PER_MS, wall_ms = r->clock.wall_ms(r->clock.ctx);
	double ahead_ms = e->tat_ns > now_ns ? (double)(e->tat_ns - now_ns) / (double)NS_PER_MS : 0;
	int64_t told_ms = e->reset_ms ? e->reset_ms + TOLD_MS : 0;

	memset(record, 0, sizeof *record);
	record->at_ms = wall_ms;
	record->expires_ms = wall_ms + (int64_t)ahead_ms + 1;
	if (record->expires_ms < told_ms)
		record->expires_ms = told_ms;
	record->values[FIELD_TAT] = reader == MXW__STATE_SHARE ? (double)e->unshared_ns / (double)NS_PER_MS : (double)wall_ms + ahead_ms;
	record->values[FIELD_RESET] = (double)e->reset_ms;
	return put_key(r, e, record);
}

/* Copies, so that no other lock is taken under the shard's. */
static size_t copy_changed(struct shard *shard, size_t nentries, mxw__state_reader_t reader, struct entry *ret_entries, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 0; i < nentries && n < max && shard->nchanged[reader]; i++) {
		struct entry *e = &shard->entries[shard->next[reader]];
		shard->next[reader] = (shard->next[reader] + 1) % nentries;
		if (!(e->changed >> reader & 1))
			continue;
		e->changed &= (uint8_t)~(1u << reader);
		shard->nchanged[reader]--;
		ret_entries[n++] = *e;
		if (reader == MXW__STATE_SHARE)
			e->unshared_ns = 0;
	}
	pthread_mutex_unlock(&shard->mutex);
	return n;
}

static size_t take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	enum { STEP = 32 };
	mxw__rates_t *r = store;
	struct entry entries[STEP];
	size_t n = 0, idle = 0;

	while (n < max && idle < SHARDS) {
		unsigned at = atomic_load(&r->next_shard[reader]);
		size_t room = max - n < STEP ? max - n : STEP;
		size_t got = copy_changed(&r->shards[at % SHARDS], r->nsets * WAYS, reader, entries, room);
		for (size_t i = 0; i < got; i++)
			n += describe(r, reader, &entries[i], &ret_records[n]);
		/* A shard that has more is gone on with. */
		if (got < room)
			atomic_fetch_add(&r->next_shard[reader], 1);
		idle = got ? 0 : idle + 1;
	}
	return n;
}

/* The rate and the key that a record's key names. */
static bool parse_key(mxw__rates_t *r, const char *text, uint64_t *ret_id, struct mxw__key *ret_key)
{
	size_t len = strcspn(text, ":");
	char name[MXW__RATE_NAME_MAX];
	struct mxw__key none = {0};

	if (!text[len] || len == 0 || len >= sizeof name)
		return false;
	snprintf(name, sizeof name, "%.*s", (int)len, text);
	*ret_id = mxw__rate_id(name);
	*ret_key = none;
	if (strcmp(text + len + 1, site) != 0 && !mxw__key_parse(text + len + 1, ret_key))
		return false;
	pthread_mutex_lock(&r->names_mutex);
	bool is_known = has_name(r->names, r->nnames, *ret_id);
	pthread_mutex_unlock(&r->names_mutex);
	return is_known;
}

static void put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__rates_t *r = store;
	int64_t now_ns = mxw__now_ms(&r->clock) * NS_PER_MS, wall_ms = r->clock.wall_ms(r->clock.ctx);
	int64_t reset_ms = (int64_t)record->values[FIELD_RESET];
	double ahead_ms = record->values[FIELD_TAT] - (double)wall_ms;
	struct mxw__key key;
	uint64_t id;

	if (record->is_gone || !parse_key(r, record->key, &id, &key) || !(ahead_ms < 1e12) || (!(ahead_ms > 0) && reset_ms == 0))
		return;
	struct place at = find_set(r, id, &key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = need_locked(&at, id, &key, now_ns);
	if (reset_ms > e->reset_ms)
		reset(e, now_ns, reset_ms);
	int64_t tat_ns = now_ns + (ahead_ms > 0 ? (int64_t)(ahead_ms * (double)NS_PER_MS) : 0);
	tat_ns += reader == MXW__STATE_SHARE ? e->unshared_ns : 0;
	/* What was counted before we forgave it does not come back. */
	if (reset_ms == e->reset_ms && tat_ns > e->tat_ns)
		e->tat_ns = tat_ns;
	if (reader == MXW__STATE_SHARE)
		mark_locked(at.shard, e, MXW__STATE_DISK);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__rates_t *r = store;
	struct mxw__key key;
	uint64_t id;

	if (!parse_key(r, record->key, &id, &key))
		return;
	struct place at = find_set(r, id, &key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(&at, id, &key);
	if (e) {
		mark_locked(at.shard, e, reader);
		if (reader == MXW__STATE_SHARE)
			e->unshared_ns += (int64_t)(record->values[FIELD_TAT] * (double)NS_PER_MS);
	}
	pthread_mutex_unlock(&at.shard->mutex);
}

static void mark_all(void *store, mxw__state_reader_t reader)
{
	mxw__rates_t *r = store;
	int64_t now_ns = mxw__now_ms(&r->clock) * NS_PER_MS;

	for (size_t s = 0; s < SHARDS; s++) {
		struct shard *shard = &r->shards[s];
		pthread_mutex_lock(&shard->mutex);
		for (size_t i = 0; i < r->nsets * WAYS; i++) {
			struct entry *e = &shard->entries[i];
			if (!e->id)
				continue;
			mark_locked(shard, e, reader);
			if (reader == MXW__STATE_SHARE)
				e->unshared_ns = e->tat_ns > now_ns ? e->tat_ns - now_ns : 0;
		}
		pthread_mutex_unlock(&shard->mutex);
	}
}

static const struct mxw__state_field fields[] = {
	[FIELD_TAT] = {"tat", MXW__MERGE_TIME, false},
	[FIELD_RESET] = {"reset", MXW__MERGE_RESET, false},
};

const struct mxw__state_sort mxw__rates_sort = {
	.name = "rate",
	.nfields = MXW_ARRAY_LEN(fields),
	.fields = fields,
	.is_kept = true,
	.is_shared = true,
	.take = take,
	.put = put,
	.give_back = give_back,
	.mark_all = mark_all,
};
