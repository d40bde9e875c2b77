/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/greylist.h"

enum {
	SHARDS = 64,  /* a power of two */
	WAYS = 8,     /* slots one id may stand in: the candidates for eviction */
	PASSES_MAX = 1000,
	KEEP_MS = 3600 * 1000 /* for less, that it was seen again is not worth writing down */
};

typedef enum kind { KIND_NONE, KIND_ATTEMPT, KIND_IDENTITY } kind_t;

struct entry {
	uint8_t id[MXW__GREYLIST_ID];
	int64_t first_ms, last_ms;
	uint16_t passes;       /* of an attempt: 1, if it has passed and its message was taken */
	uint8_t kind;
	uint8_t changed;       /* a bit for each reader of state */
};

/* A shard is an open table of sets with WAYS slots each; an id lives in the set its hash names. */
struct shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	struct entry *entries;
	uint64_t used, evictions;
	uint64_t nchanged[MXW__STATE_READERS];
	size_t next[MXW__STATE_READERS]; /* where a reader goes on looking */
};

struct mxw__greylist {
	struct mxw__hashkey hashkey;  /* immutable, as the next */
	struct mxw_clock clock;
	size_t nsets;
	_Atomic uint64_t delay_ms, retry_window_ms, known_for_ms, known_after_ms, auto_allow;
	atomic_uint next_shard[MXW__STATE_READERS];
	struct shard shards[SHARDS];
};

void mxw__greylist_configure(mxw__greylist_t *greylist, const struct mxw__greylist_options *options)
{
	atomic_store(&greylist->delay_ms, options->delay_ms);
	atomic_store(&greylist->retry_window_ms, options->retry_window_ms);
	atomic_store(&greylist->known_for_ms, options->known_for_ms);
	atomic_store(&greylist->known_after_ms, options->known_after_ms);
	atomic_store(&greylist->auto_allow, options->auto_allow);
}

mxw_status_t mxw__greylist_new(const struct mxw__greylist_options *options, mxw__greylist_t **ret_greylist)
{
	mxw__greylist_t *g = calloc(1, sizeof *g);

	if (!g)
		return MXW_ERR_NOMEM;
	g->nsets = options->max_entries / ((size_t)SHARDS * WAYS);
	g->nsets = g->nsets ? g->nsets : 1;
	g->clock = *options->clock;
	mxw__hashkey_random(&g->hashkey);
	mxw__greylist_configure(g, options);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&g->shards[i].mutex, NULL);
	for (size_t i = 0; i < SHARDS; i++) {
		size_t n;
		struct shard *shard = &g->shards[i];
		shard->entries = mxw__mul_size(g->nsets, WAYS, &n) ? mxw__calloc(n, sizeof *shard->entries) : NULL;
		if (!shard->entries) {
			mxw__greylist_free(g);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_greylist = g;
	return MXW_OK;
}

void mxw__greylist_free(mxw__greylist_t *greylist)
{
	if (!greylist)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_destroy(&greylist->shards[i].mutex);
		free(greylist->shards[i].entries);
	}
	free(greylist);
}

const char *mxw__greylist_answer_name(mxw__greylist_answer_t answer)
{
	static const char *const names[] = {"new", "waiting", "passed", "known"};

	return names[answer];
}

/* ---- ids ---- */

static const char *const prefixes[] = {[KIND_NONE] = "", [KIND_ATTEMPT] = "try:", [KIND_IDENTITY] = "known:"};

static void make_key(kind_t kind, const uint8_t id[MXW__GREYLIST_ID], char *ret_key, size_t size)
{
	int len = snprintf(ret_key, size, "%s", prefixes[kind]);

	for (size_t i = 0; i < MXW__GREYLIST_ID; i++)
		len += snprintf(ret_key + len, size - (size_t)len, "%02x", id[i]);
}

void mxw__greylist_keys(const struct mxw__greylist_attempt *attempt, char ret_identity[MXW__GREYLIST_KEY_MAX],
			char ret_attempt[MXW__GREYLIST_KEY_MAX])
{
	make_key(KIND_IDENTITY, attempt->identity, ret_identity, MXW__GREYLIST_KEY_MAX);
	make_key(KIND_ATTEMPT, attempt->attempt, ret_attempt, MXW__GREYLIST_KEY_MAX);
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static kind_t parse_key(const char *key, uint8_t ret_id[MXW__GREYLIST_ID])
{
	kind_t kind = strncmp(key, prefixes[KIND_ATTEMPT], 4) == 0 ? KIND_ATTEMPT : KIND_IDENTITY;
	size_t skip = strlen(prefixes[kind]);

	if (strncmp(key, prefixes[kind], skip) != 0 || strlen(key) != skip + 2 * (size_t)MXW__GREYLIST_ID)
		return KIND_NONE;
	for (size_t i = 0; i < MXW__GREYLIST_ID; i++) {
		int high = nibble(key[skip + 2 * i]), low = nibble(key[skip + 2 * i + 1]);
		if (high < 0 || low < 0)
			return KIND_NONE;
		ret_id[i] = (uint8_t)(high << 4 | low);
	}
	return kind;
}

/* ---- finding ---- */

struct place {
	struct shard *shard;
	struct entry *set;
	const uint8_t *id;
	kind_t kind;
};

/* By a key of our own: ids are known to everybody, and sets must not be. */
static struct place find_set(mxw__greylist_t *g, kind_t kind, const uint8_t id[MXW__GREYLIST_ID])
{
	uint64_t h = mxw__hash(&g->hashkey, id, MXW__GREYLIST_ID);
	struct shard *shard = &g->shards[h % SHARDS];

	return (struct place){shard, shard->entries + (h / SHARDS) % g->nsets * WAYS, id, kind};
}

static bool is_over(const mxw__greylist_t *g, const struct entry *e, int64_t now_ms)
{
	if (e->kind == KIND_IDENTITY || e->passes)
		return now_ms - e->last_ms > (int64_t)atomic_load(&g->known_for_ms);
	return now_ms - e->first_ms > (int64_t)atomic_load(&g->retry_window_ms);
}

/* NULL if there is none, or none that still counts. */
static struct entry *find_locked(const mxw__greylist_t *g, const struct place *at, int64_t now_ms)
{
	for (size_t i = 0; i < WAYS; i++) {
		struct entry *e = &at->set[i];
		if (e->kind == at->kind && memcmp(e->id, at->id, sizeof e->id) == 0)
			return is_over(g, e, now_ms) ? NULL : e;
	}
	return NULL;
}

static void mark_locked(struct shard *shard, struct entry *e, mxw__state_reader_t reader)
{
	if (!(e->changed >> reader & 1))
		shard->nchanged[reader]++;
	e->changed |= (uint8_t)(1u << reader);
}

static void mark_both_locked(struct shard *shard, struct entry *e)
{
	mark_locked(shard, e, MXW__STATE_DISK);
	mark_locked(shard, e, MXW__STATE_SHARE);
}

static bool is_worth_less(const mxw__greylist_t *g, const struct entry *a, const struct entry *b, int64_t now_ms)
{
	bool a_is_over = is_over(g, a, now_ms), b_is_over = is_over(g, b, now_ms);

	if (a_is_over != b_is_over)
		return a_is_over;
	return a->kind != b->kind ? a->kind == KIND_ATTEMPT : a->last_ms < b->last_ms;
}

/* The slot where it was before, a free one of the set, or the one that is least worth keeping. */
static struct entry *take_slot_locked(const mxw__greylist_t *g, const struct place *at, int64_t now_ms)
{
	struct entry *least = NULL;

	for (size_t i = 0; i < WAYS; i++)
		if (at->set[i].kind == at->kind && memcmp(at->set[i].id, at->id, MXW__GREYLIST_ID) == 0)
			least = &at->set[i];
	for (size_t i = 0; i < WAYS && !least; i++)
		if (at->set[i].kind == KIND_NONE)
			least = &at->set[i];
	if (least) {
		at->shard->used += least->kind == KIND_NONE;
	} else {
		least = at->set;
		for (size_t i = 1; i < WAYS; i++)
			if (is_worth_less(g, &at->set[i], least, now_ms))
				least = &at->set[i];
		at->shard->evictions += !is_over(g, least, now_ms);
	}
	for (unsigned r = 0; r < MXW__STATE_READERS; r++)
		at->shard->nchanged[r] -= least->changed >> r & 1;
	return least;
}

static struct entry *need_locked(const mxw__greylist_t *g, const struct place *at, int64_t now_ms)
{
	struct entry *e = find_locked(g, at, now_ms);

	if (e)
		return e;
	e = take_slot_locked(g, at, now_ms);
	*e = (struct entry){.kind = (uint8_t)at->kind, .first_ms = now_ms, .last_ms = now_ms};
	memcpy(e->id, at->id, sizeof e->id);
	mark_both_locked(at->shard, e);
	return e;
}

static void touch(struct entry *e, int64_t now_ms)
{
	if (now_ms > e->last_ms)
		e->last_ms = now_ms;
}

/* ---- what happens ---- */

static bool is_known(mxw__greylist_t *g, const uint8_t id[MXW__GREYLIST_ID], int64_t now_ms)
{
	struct place at = find_set(g, KIND_IDENTITY, id);
	uint64_t need = atomic_load(&g->auto_allow), after_ms = atomic_load(&g->known_after_ms);

	pthread_mutex_lock(&at.shard->mutex);
	const struct entry *e = find_locked(g, &at, now_ms);
	bool known = e && ((need && e->passes >= need) || (after_ms && now_ms - e->first_ms >= (int64_t)after_ms));
	pthread_mutex_unlock(&at.shard->mutex);
	return known;
}

static int64_t delay_of(mxw__greylist_t *g, const struct mxw__greylist_attempt *attempt)
{
	return (int64_t)(attempt->delay_ms ? attempt->delay_ms : atomic_load(&g->delay_ms));
}

static mxw__greylist_answer_t look_at_attempt(mxw__greylist_t *g, const struct mxw__greylist_attempt *attempt, int64_t now_ms)
{
	mxw__greylist_answer_t answer = MXW__GREYLIST_NEW;
	struct place at = find_set(g, KIND_ATTEMPT, attempt->attempt);

	pthread_mutex_lock(&at.shard->mutex);
	const struct entry *e = find_locked(g, &at, now_ms);
	if (e && (e->passes || now_ms - e->first_ms >= delay_of(g, attempt)))
		answer = MXW__GREYLIST_PASSED;
	else if (e)
		answer = MXW__GREYLIST_WAITING;
	pthread_mutex_unlock(&at.shard->mutex);
	return answer;
}

mxw__greylist_answer_t mxw__greylist_look(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *attempt, int64_t now_ms)
{
	return is_known(greylist, attempt->identity, now_ms) ? MXW__GREYLIST_KNOWN : look_at_attempt(greylist, attempt, now_ms);
}

bool mxw__greylist_has_waited(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *attempt, int64_t now_ms)
{
	return look_at_attempt(greylist, attempt, now_ms) == MXW__GREYLIST_PASSED;
}

void mxw__greylist_put_off(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *attempt, int64_t now_ms)
{
	struct place at = find_set(greylist, KIND_ATTEMPT, attempt->attempt);

	pthread_mutex_lock(&at.shard->mutex);
	touch(need_locked(greylist, &at, now_ms), now_ms);
	pthread_mutex_unlock(&at.shard->mutex);
}

/* True if it had passed just now, for the first time. */
static bool take_attempt(mxw__greylist_t *g, const struct mxw__greylist_attempt *attempt, int64_t now_ms)
{
	struct place at = find_set(g, KIND_ATTEMPT, attempt->attempt);
	bool is_first = false;

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(g, &at, now_ms);
	if (e && (e->passes || now_ms - e->first_ms >= delay_of(g, attempt))) {
		is_first = !e->passes;
		e->passes = 1;
		touch(e, now_ms);
		mark_both_locked(at.shard, e);
	}
	pthread_mutex_unlock(&at.shard->mutex);
	return is_first;
}

void mxw__greylist_taken(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *attempt, int64_t now_ms)
{
	bool has_passed = take_attempt(greylist, attempt, now_ms);
	struct place at = find_set(greylist, KIND_IDENTITY, attempt->identity);

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = need_locked(greylist, &at, now_ms);
	if (has_passed || now_ms - e->last_ms >= KEEP_MS)
		mark_both_locked(at.shard, e);
	e->passes = (uint16_t)(e->passes + (has_passed && e->passes < PASSES_MAX));
	touch(e, now_ms);
	pthread_mutex_unlock(&at.shard->mutex);
}

bool mxw__greylist_is_old(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *identity, int64_t now_ms)
{
	struct place at = find_set(greylist, KIND_IDENTITY, identity->identity);
	int64_t after_ms = (int64_t)atomic_load(&greylist->known_after_ms);

	pthread_mutex_lock(&at.shard->mutex);
	const struct entry *e = find_locked(greylist, &at, now_ms);
	bool is_old = e && after_ms && now_ms - e->first_ms >= after_ms;
	pthread_mutex_unlock(&at.shard->mutex);
	return is_old;
}

void mxw__greylist_mark(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *identity, int64_t now_ms)
{
	struct place at = find_set(greylist, KIND_IDENTITY, identity->identity);

	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = need_locked(greylist, &at, now_ms);
	touch(e, now_ms);
	mark_both_locked(at.shard, e);
	pthread_mutex_unlock(&at.shard->mutex);
}

/* INT64_MIN: never, or too long ago. */
static int64_t marked_at(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *identity, int64_t now_ms)
{
	struct place at = find_set(greylist, KIND_IDENTITY, identity->identity);

	pthread_mutex_lock(&at.shard->mutex);
	const struct entry *e = find_locked(greylist, &at, now_ms);
	bool has = e && now_ms - e->last_ms <= (int64_t)atomic_load(&greylist->retry_window_ms);
	int64_t last_ms = has ? e->last_ms : INT64_MIN;
	pthread_mutex_unlock(&at.shard->mutex);
	return last_ms;
}

bool mxw__greylist_has_mark(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *identity, int64_t now_ms)
{
	return marked_at(greylist, identity, now_ms) != INT64_MIN;
}

bool mxw__greylist_has_mark_after(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *identity,
				  const struct mxw__greylist_attempt *end, int64_t now_ms)
{
	return marked_at(greylist, identity, now_ms) > marked_at(greylist, end, now_ms);
}

void mxw__greylist_get_stats(mxw__greylist_t *greylist, struct mxw__greylist_stats *ret_stats)
{
	struct mxw__greylist_stats stats = {.max_entries = (uint64_t)SHARDS * greylist->nsets * WAYS};

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &greylist->shards[i];
		pthread_mutex_lock(&shard->mutex);
		stats.entries += shard->used;
		stats.evictions += shard->evictions;
		pthread_mutex_unlock(&shard->mutex);
	}
	stats.bytes = sizeof *greylist + (size_t)stats.max_entries * sizeof(struct entry);
	*ret_stats = stats;
}

/* ---- as state ---- */

enum { FIELD_FIRST, FIELD_LAST, FIELD_PASSES };

static void describe(const mxw__greylist_t *g, const struct entry *e, struct mxw__state_record *r)
{
	int64_t now_ms = mxw__now_ms(&g->clock), wall_ms = g->clock.wall_ms(g->clock.ctx);
	bool is_long = e->kind == KIND_IDENTITY || e->passes;
	int64_t left_ms = is_long ? e->last_ms + (int64_t)atomic_load(&g->known_for_ms) - now_ms
				  : e->first_ms + (int64_t)atomic_load(&g->retry_window_ms) - now_ms;

	memset(r, 0, sizeof *r);
	make_key((kind_t)e->kind, e->id, r->key, sizeof r->key);
	r->at_ms = wall_ms;
	r->expires_ms = wall_ms + left_ms;
	r->values[FIELD_FIRST] = (double)(wall_ms - (now_ms - e->first_ms));
	r->values[FIELD_LAST] = (double)(wall_ms - (now_ms - e->last_ms));
	r->values[FIELD_PASSES] = e->passes;
}

static size_t take_of_shard(mxw__greylist_t *g, struct shard *shard, mxw__state_reader_t reader, struct mxw__state_record *records,
			    size_t max)
{
	size_t per_shard = g->nsets * WAYS, n = 0;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 0; i < per_shard && n < max && shard->nchanged[reader]; i++) {
		struct entry *e = &shard->entries[shard->next[reader]];
		shard->next[reader] = (shard->next[reader] + 1) % per_shard;
		if (!(e->changed >> reader & 1))
			continue;
		e->changed &= (uint8_t)~(1u << reader);
		shard->nchanged[reader]--;
		describe(g, e, &records[n++]);
	}
	pthread_mutex_unlock(&shard->mutex);
	return n;
}

static size_t take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	mxw__greylist_t *g = store;
	size_t n = 0;

	for (size_t i = 0; i < SHARDS && n < max; i++) {
		unsigned at = atomic_fetch_add(&g->next_shard[reader], 1);
		n += take_of_shard(g, &g->shards[at % SHARDS], reader, ret_records + n, max - n);
	}
	return n;
}

/* A clock that was set back makes nothing younger than now. */
static int64_t monotonic(const mxw__greylist_t *g, double then_ms)
{
	int64_t gone = g->clock.wall_ms(g->clock.ctx) - (int64_t)then_ms;

	return mxw__now_ms(&g->clock) - (gone > 0 ? gone : 0);
}

/*
 * One that is over by its own times, though the common store still has it, is passed over: a host whose clock is behind has begun it, and
 * whatever we do about the attempt would be over as soon as it is told.
 */
static void put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *r)
{
	mxw__greylist_t *g = store;
	uint8_t id[MXW__GREYLIST_ID];
	kind_t kind = parse_key(r->key, id);
	int64_t now_ms = mxw__now_ms(&g->clock);
	int64_t first_ms = monotonic(g, r->values[FIELD_FIRST]), last_ms = monotonic(g, r->values[FIELD_LAST]);
	struct entry in = {.kind = (uint8_t)kind, .first_ms = first_ms, .last_ms = last_ms, .passes = r->values[FIELD_PASSES] >= 1};

	if (kind == KIND_NONE || r->is_gone || r->expires_ms <= g->clock.wall_ms(g->clock.ctx) || is_over(g, &in, now_ms))
		return;
	struct place at = find_set(g, kind, id);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(g, &at, now_ms);
	if (!e) {
		e = take_slot_locked(g, &at, now_ms);
		*e = (struct entry){.kind = (uint8_t)kind, .first_ms = first_ms, .last_ms = last_ms};
		memcpy(e->id, id, sizeof e->id);
	}
	if (first_ms < e->first_ms)
		e->first_ms = first_ms;
	touch(e, last_ms);
	if (r->values[FIELD_PASSES] > e->passes)
		e->passes = r->values[FIELD_PASSES] < PASSES_MAX ? (uint16_t)r->values[FIELD_PASSES] : PASSES_MAX;
	if (reader == MXW__STATE_SHARE)
		mark_locked(at.shard, e, MXW__STATE_DISK);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__greylist_t *g = store;
	uint8_t id[MXW__GREYLIST_ID];
	kind_t kind = parse_key(record->key, id);
	struct place at = find_set(g, kind, id);

	if (kind == KIND_NONE)
		return;
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(g, &at, mxw__now_ms(&g->clock));
	if (e)
		mark_locked(at.shard, e, reader);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void mark_all(void *store, mxw__state_reader_t reader)
{
	mxw__greylist_t *g = store;

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &g->shards[i];
		pthread_mutex_lock(&shard->mutex);
		for (size_t k = 0; k < g->nsets * WAYS; k++)
			if (shard->entries[k].kind != KIND_NONE)
				mark_locked(shard, &shard->entries[k], reader);
		pthread_mutex_unlock(&shard->mutex);
	}
}

static const struct mxw__state_field fields[] = {
	[FIELD_FIRST] = {"first", MXW__MERGE_MIN, false},
	[FIELD_LAST] = {"last", MXW__MERGE_MAX, false},
	[FIELD_PASSES] = {"passes", MXW__MERGE_MAX, false},
};

const struct mxw__state_sort mxw__greylist_sort = {
	.name = "greylist",
	.nfields = MXW_ARRAY_LEN(fields),
	.fields = fields,
	.is_kept = true,
	.is_shared = true,
	.take = take,
	.put = put,
	.give_back = give_back,
	.mark_all = mark_all,
};
