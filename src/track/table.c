/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/table.h"

enum {
	SHARDS = 64,  /* a power of two */
	WAYS = 8,     /* slots one key may stand in: the candidates for eviction */
	WALK_STEP = 64
};

/* A slot is free while its key's kind is NONE. */
struct entry {
	struct mxw__key key;
	int64_t at_ms;         /* that the numbers hold for */
	int64_t first_ms, last_ms;
	int64_t reset_ms;      /* wall time of the last forgiving; 0: never */
	double score, good;
	double unshared_score, unshared_good; /* of these, what other hosts have not been told */
	double counts[MXW__EVENT_COUNT];
	uint8_t changed;       /* a bit for each reader of state */
};

/* A shard is an open table of sets with WAYS slots each; a key lives in the set its hash names. */
struct shard {
	pthread_mutex_t mutex; /* guards the rest; a leaf in the lock order */
	struct entry *entries;
	uint64_t used, evictions;
	uint64_t nchanged[MXW__STATE_READERS];
	size_t next[MXW__STATE_READERS]; /* where a reader goes on looking */
};

struct mxw__table {
	struct mxw__hashkey hashkey;  /* immutable, as the next */
	struct mxw_clock clock;
	size_t nsets;
	_Atomic uint64_t half_life_ms, history_half_life_ms, credit;
	atomic_uint next_shard[MXW__STATE_READERS];
	struct shard shards[SHARDS];
};

void mxw__table_configure(mxw__table_t *table, const struct mxw__table_options *options)
{
	atomic_store(&table->half_life_ms, options->half_life_ms);
	atomic_store(&table->history_half_life_ms, options->history_half_life_ms);
	atomic_store(&table->credit, options->credit);
}

static size_t count_sets(const struct mxw__table_options *options)
{
	size_t max = options->max_entries;

	if (options->max_bytes && options->max_bytes / sizeof(struct entry) < max)
		max = options->max_bytes / sizeof(struct entry);
	size_t nsets = max / ((size_t)SHARDS * WAYS);
	return nsets ? nsets : 1;
}

mxw_status_t mxw__table_new(const struct mxw__table_options *options, mxw__table_t **ret_table)
{
	mxw__table_t *t = calloc(1, sizeof *t);

	if (!t)
		return MXW_ERR_NOMEM;
	t->nsets = count_sets(options);
	t->clock = *options->clock;
	mxw__hashkey_random(&t->hashkey);
	mxw__table_configure(t, options);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&t->shards[i].mutex, NULL);
	for (size_t i = 0; i < SHARDS; i++) {
		size_t n;
		struct shard *shard = &t->shards[i];
		shard->entries = mxw__mul_size(t->nsets, WAYS, &n) ? mxw__calloc(n, sizeof *shard->entries) : NULL;
		if (!shard->entries) {
			mxw__table_free(t);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_table = t;
	return MXW_OK;
}

void mxw__table_free(mxw__table_t *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_destroy(&table->shards[i].mutex);
		free(table->shards[i].entries);
	}
	free(table);
}

/* ---- time ---- */

static double left_of(int64_t gone_ms, uint64_t half_life_ms)
{
	if (gone_ms <= 0)
		return 1;
	return half_life_ms ? exp2(-(double)gone_ms / (double)half_life_ms) : 0;
}

struct decay {
	double score, good;
};

static struct decay decay_of(const mxw__table_t *t, const struct entry *e, int64_t now_ms)
{
	return (struct decay){left_of(now_ms - e->at_ms, atomic_load(&t->half_life_ms)),
			      left_of(now_ms - e->at_ms, atomic_load(&t->history_half_life_ms))};
}

static void age(const mxw__table_t *t, struct entry *e, int64_t now_ms)
{
	struct decay d = decay_of(t, e, now_ms);

	e->score *= d.score;
	e->unshared_score *= d.score;
	e->good *= d.good;
	e->unshared_good *= d.good;
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		e->counts[i] *= d.score;
	if (now_ms > e->at_ms)
		e->at_ms = now_ms;
	if (now_ms > e->last_ms)
		e->last_ms = now_ms;
}

/* ---- finding ---- */

struct place {
	struct shard *shard;
	struct entry *set;
};

static struct place find_set(mxw__table_t *t, const struct mxw__key *key)
{
	uint64_t h = mxw__hash(&t->hashkey, key, 2u + key->len);
	struct shard *shard = &t->shards[h % SHARDS];

	return (struct place){shard, shard->entries + (h / SHARDS) % t->nsets * WAYS};
}

static struct entry *find_locked(const struct place *at, const struct mxw__key *key)
{
	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(&at->set[i].key, key, sizeof *key) == 0)
			return &at->set[i];
	return NULL;
}

/* How much an entry is worth keeping: what it has done either way, as far as it is not long ago. */
static double worth(const mxw__table_t *t, const struct entry *e, int64_t now_ms)
{
	struct decay d = decay_of(t, e, now_ms);

	return fabs(e->score) * d.score + e->good * d.good;
}

/* A free slot of the set, or the one that is least worth keeping. */
static struct entry *take_slot_locked(const mxw__table_t *t, const struct place *at, int64_t now_ms)
{
	struct entry *least = NULL;
	double least_worth = 0;

	for (size_t i = 0; i < WAYS; i++) {
		struct entry *e = &at->set[i];
		if (e->key.kind == MXW__KEY_NONE) {
			at->shard->used++;
			return e;
		}
		double w = worth(t, e, now_ms);
		if (!least || w < least_worth || (w == least_worth && e->last_ms < least->last_ms)) {
			least = e;
			least_worth = w;
		}
	}
	at->shard->evictions++;
	for (unsigned r = 0; r < MXW__STATE_READERS; r++)
		at->shard->nchanged[r] -= least->changed >> r & 1;
	return least;
}

static struct entry *need_locked(const mxw__table_t *t, const struct place *at, const struct mxw__key *key, int64_t now_ms)
{
	struct entry *e = find_locked(at, key);

	if (!e) {
		e = take_slot_locked(t, at, now_ms);
		*e = (struct entry){.key = *key, .at_ms = now_ms, .first_ms = now_ms, .last_ms = now_ms};
	}
	return e;
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

/* ---- what happens ---- */

double mxw__table_add(mxw__table_t *table, const struct mxw__key *key, mxw__event_t event, double times, double points,
		      int64_t now_ms)
{
	if (key->kind == MXW__KEY_NONE)
		return 0;
	struct place at = find_set(table, key);
	double floor = -(double)atomic_load(&table->credit);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = need_locked(table, &at, key, now_ms);
	age(table, e, now_ms);
	double after = e->score + points;
	/* Credit that is there already is not lost by a good event. */
	if (points < 0 && after < floor)
		after = e->score < floor ? e->score : floor;
	e->unshared_score += (after - e->score);
	e->score = after;
	if ((size_t)event < MXW__EVENT_COUNT)
		e->counts[event] += times;
	mark_both_locked(at.shard, e);
	pthread_mutex_unlock(&at.shard->mutex);
	return after;
}

void mxw__table_add_good(mxw__table_t *table, const struct mxw__key *key, double amount, int64_t now_ms)
{
	if (key->kind == MXW__KEY_NONE)
		return;
	struct place at = find_set(table, key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = need_locked(table, &at, key, now_ms);
	age(table, e, now_ms);
	e->good += amount;
	e->unshared_good += amount;
	mark_both_locked(at.shard, e);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void stand(const mxw__table_t *t, const struct entry *e, int64_t now_ms, struct mxw__standing *ret_standing)
{
	struct decay d = decay_of(t, e, now_ms);

	*ret_standing = (struct mxw__standing){e->key, e->score * d.score, e->good * d.good, e->first_ms, e->last_ms, {0}};
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		ret_standing->counts[i] = e->counts[i] * d.score;
}

double mxw__table_score(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms)
{
	double score = 0;

	if (key->kind == MXW__KEY_NONE)
		return 0;
	struct place at = find_set(table, key);
	pthread_mutex_lock(&at.shard->mutex);
	const struct entry *e = find_locked(&at, key);
	if (e)
		score = e->score * decay_of(table, e, now_ms).score;
	pthread_mutex_unlock(&at.shard->mutex);
	return score;
}

bool mxw__table_get(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms, struct mxw__standing *ret_standing)
{
	struct place at = find_set(table, key);

	*ret_standing = (struct mxw__standing){.key = *key};
	if (key->kind == MXW__KEY_NONE)
		return false;
	pthread_mutex_lock(&at.shard->mutex);
	const struct entry *e = find_locked(&at, key);
	if (e)
		stand(table, e, now_ms, ret_standing);
	pthread_mutex_unlock(&at.shard->mutex);
	return e != NULL;
}

static void reset(struct entry *e, int64_t wall_ms)
{
	e->score = e->unshared_score = 0;
	memset(e->counts, 0, sizeof e->counts);
	e->reset_ms = wall_ms;
}

bool mxw__table_forgive(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms)
{
	struct place at = find_set(table, key);
	int64_t wall_ms = table->clock.wall_ms(table->clock.ctx);

	if (key->kind == MXW__KEY_NONE)
		return false;
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(&at, key);
	if (e) {
		age(table, e, now_ms);
		reset(e, wall_ms);
		mark_both_locked(at.shard, e);
	}
	pthread_mutex_unlock(&at.shard->mutex);
	return e != NULL;
}

size_t mxw__table_walk(mxw__table_t *table, uint64_t *cursor, int64_t now_ms, struct mxw__standing *ret_standings, size_t max)
{
	size_t per_shard = table->nsets * WAYS, n = 0;

	while (n < max && *cursor < (uint64_t)SHARDS * per_shard) {
		struct shard *shard = &table->shards[*cursor / per_shard];
		pthread_mutex_lock(&shard->mutex);
		for (size_t i = 0; i < WALK_STEP && n < max; i++) {
			const struct entry *e = &shard->entries[*cursor % per_shard];
			if (e->key.kind != MXW__KEY_NONE)
				stand(table, e, now_ms, &ret_standings[n++]);
			if (++*cursor % per_shard == 0)
				break;
		}
		pthread_mutex_unlock(&shard->mutex);
	}
	return n;
}

void mxw__table_get_stats(mxw__table_t *table, struct mxw__table_stats *ret_stats)
{
	struct mxw__table_stats stats = {.max_entries = (uint64_t)SHARDS * table->nsets * WAYS};

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &table->shards[i];
		pthread_mutex_lock(&shard->mutex);
		stats.entries += shard->used;
		stats.evictions += shard->evictions;
		pthread_mutex_unlock(&shard->mutex);
	}
	stats.bytes = sizeof *table + (size_t)stats.max_entries * sizeof(struct entry);
	*ret_stats = stats;
}

/* ---- as state ---- */

enum { FIELD_SCORE, FIELD_GOOD, FIELD_FIRST, FIELD_LAST, FIELD_RESET, FIELD_COUNTS };

/* Half-lives after which nothing is left of a number. */
enum { LIVES = 10 };

static int64_t lifetime(const mxw__table_t *t, const struct entry *e)
{
	uint64_t half_life = e->good > 0 ? atomic_load(&t->history_half_life_ms) : atomic_load(&t->half_life_ms);

	return (int64_t)half_life * LIVES;
}

static void describe(const mxw__table_t *t, mxw__state_reader_t reader, struct entry *e, struct mxw__state_record *r)
{
	int64_t now_ms = mxw__now_ms(&t->clock), wall_ms = t->clock.wall_ms(t->clock.ctx), last_ms = e->last_ms;
	char text[MXW__KEY_TEXT_MAX];

	age(t, e, now_ms);
	e->last_ms = last_ms;
	memset(r, 0, sizeof *r);
	snprintf(r->key, sizeof r->key, "%s", mxw__key_text(&e->key, text));
	r->at_ms = wall_ms;
	r->expires_ms = wall_ms + lifetime(t, e);
	r->half_life_ms = atomic_load(&t->half_life_ms);
	r->values[FIELD_SCORE] = reader == MXW__STATE_SHARE ? e->unshared_score : e->score;
	r->values[FIELD_GOOD] = reader == MXW__STATE_SHARE ? e->unshared_good : e->good;
	r->values[FIELD_FIRST] = (double)(wall_ms - (now_ms - e->first_ms));
	r->values[FIELD_LAST] = (double)(wall_ms - (now_ms - e->last_ms));
	r->values[FIELD_RESET] = (double)e->reset_ms;
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		r->values[FIELD_COUNTS + i] = e->counts[i];
	if (reader == MXW__STATE_SHARE)
		e->unshared_score = e->unshared_good = 0;
}

static size_t take_of_shard(mxw__table_t *t, struct shard *shard, mxw__state_reader_t reader, struct mxw__state_record *records,
			    size_t max)
{
	size_t per_shard = t->nsets * WAYS, n = 0;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 0; i < per_shard && n < max && shard->nchanged[reader]; i++) {
		struct entry *e = &shard->entries[shard->next[reader]];
		shard->next[reader] = (shard->next[reader] + 1) % per_shard;
		if (!(e->changed >> reader & 1))
			continue;
		e->changed &= (uint8_t)~(1u << reader);
		shard->nchanged[reader]--;
		describe(t, reader, e, &records[n++]);
	}
	pthread_mutex_unlock(&shard->mutex);
	return n;
}

static size_t take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	mxw__table_t *t = store;
	size_t n = 0;

	for (size_t i = 0; i < SHARDS && n < max; i++) {
		unsigned at = atomic_fetch_add(&t->next_shard[reader], 1);
		n += take_of_shard(t, &t->shards[at % SHARDS], reader, ret_records + n, max - n);
	}
	return n;
}

static int64_t monotonic(const mxw__table_t *t, double then_ms)
{
	int64_t gone = t->clock.wall_ms(t->clock.ctx) - (int64_t)then_ms;

	return mxw__now_ms(&t->clock) - (gone > 0 ? gone : 0);
}

static void put_locked(const mxw__table_t *t, mxw__state_reader_t reader, struct entry *e, const struct mxw__state_record *r)
{
	int64_t wall_ms = t->clock.wall_ms(t->clock.ctx);
	double left = left_of(wall_ms - r->at_ms, atomic_load(&t->half_life_ms));
	double left_good = left_of(wall_ms - r->at_ms, atomic_load(&t->history_half_life_ms));
	double score = r->values[FIELD_SCORE] * left + e->unshared_score, good = r->values[FIELD_GOOD] * left_good + e->unshared_good;
	int64_t first_ms = monotonic(t, r->values[FIELD_FIRST]), last_ms = monotonic(t, r->values[FIELD_LAST]);

	if ((int64_t)r->values[FIELD_RESET] > e->reset_ms)
		reset(e, (int64_t)r->values[FIELD_RESET]);
	if (score > e->score)
		e->score = score;
	if (good > e->good)
		e->good = good;
	if (first_ms < e->first_ms)
		e->first_ms = first_ms;
	if (last_ms > e->last_ms)
		e->last_ms = last_ms;
	for (size_t i = 0; i < MXW__EVENT_COUNT && reader == MXW__STATE_DISK; i++)
		if (r->values[FIELD_COUNTS + i] * left > e->counts[i])
			e->counts[i] = (r->values[FIELD_COUNTS + i] * left);
}

static void put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__table_t *t = store;
	struct mxw__key key;
	int64_t now_ms = mxw__now_ms(&t->clock);

	if (!mxw__key_parse(record->key, &key))
		return;
	struct place at = find_set(t, &key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(&at, &key);
	if (!e) {
		e = need_locked(t, &at, &key, now_ms);
		e->last_ms = monotonic(t, record->values[FIELD_LAST]);
	}
	int64_t last_ms = e->last_ms;
	age(t, e, now_ms);
	e->last_ms = last_ms;
	put_locked(t, reader, e, record);
	if (reader == MXW__STATE_SHARE)
		mark_locked(at.shard, e, MXW__STATE_DISK);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__table_t *t = store;
	struct mxw__key key;

	if (!mxw__key_parse(record->key, &key))
		return;
	struct place at = find_set(t, &key);
	pthread_mutex_lock(&at.shard->mutex);
	struct entry *e = find_locked(&at, &key);
	if (e) {
		mark_locked(at.shard, e, reader);
		if (reader == MXW__STATE_SHARE) {
			e->unshared_score += record->values[FIELD_SCORE];
			e->unshared_good += record->values[FIELD_GOOD];
		}
	}
	pthread_mutex_unlock(&at.shard->mutex);
}

static void mark_all(void *store, mxw__state_reader_t reader)
{
	mxw__table_t *t = store;
	size_t per_shard = t->nsets * WAYS;

	for (size_t s = 0; s < SHARDS; s++) {
		struct shard *shard = &t->shards[s];
		pthread_mutex_lock(&shard->mutex);
		for (size_t i = 0; i < per_shard; i++)
			if (shard->entries[i].key.kind != MXW__KEY_NONE)
				mark_locked(shard, &shard->entries[i], reader);
		pthread_mutex_unlock(&shard->mutex);
	}
}

#define COUNT(name) {"n_" name, MXW__MERGE_ADD, true}
static const struct mxw__state_field fields[] = {
	[FIELD_SCORE] = {"score", MXW__MERGE_ADD, false},
	[FIELD_GOOD] = {"good", MXW__MERGE_ADD, false},
	[FIELD_FIRST] = {"first", MXW__MERGE_MIN, false},
	[FIELD_LAST] = {"last", MXW__MERGE_MAX, false},
	[FIELD_RESET] = {"reset", MXW__MERGE_RESET, false},
	[FIELD_COUNTS + MXW__EVENT_UNKNOWN_RCPT] = COUNT("unknown_recipient"),
	[FIELD_COUNTS + MXW__EVENT_REJECTED_RCPT] = COUNT("rejected_recipient"),
	[FIELD_COUNTS + MXW__EVENT_TRAP_RCPT] = COUNT("trap_recipient"),
	[FIELD_COUNTS + MXW__EVENT_RELAY_ATTEMPT] = COUNT("relay_attempt"),
	[FIELD_COUNTS + MXW__EVENT_UNKNOWN_COMMAND] = COUNT("unknown_command"),
	[FIELD_COUNTS + MXW__EVENT_ABORT] = COUNT("abort"),
	[FIELD_COUNTS + MXW__EVENT_NO_MESSAGE] = COUNT("no_message"),
	[FIELD_COUNTS + MXW__EVENT_HELO_FORGED] = COUNT("helo_forged"),
	[FIELD_COUNTS + MXW__EVENT_OWN_DOMAIN_FORGED] = COUNT("own_domain_forged"),
	[FIELD_COUNTS + MXW__EVENT_SPF_FAIL] = COUNT("spf_fail"),
	[FIELD_COUNTS + MXW__EVENT_DMARC_FAIL] = COUNT("dmarc_fail"),
	[FIELD_COUNTS + MXW__EVENT_FROM_BAD] = COUNT("from_bad"),
	[FIELD_COUNTS + MXW__EVENT_LISTED] = COUNT("listed"),
	[FIELD_COUNTS + MXW__EVENT_OVER_LIMIT] = COUNT("over_limit"),
	[FIELD_COUNTS + MXW__EVENT_BACKUP_FIRST] = COUNT("backup_first"),
	[FIELD_COUNTS + MXW__EVENT_BOUNCE_FORGED] = COUNT("bounce_forged"),
	[FIELD_COUNTS + MXW__EVENT_AUTH_FAILURE] = COUNT("auth_failure"),
	[FIELD_COUNTS + MXW__EVENT_SPAM] = COUNT("spam"),
	[FIELD_COUNTS + MXW__EVENT_REPORTED] = COUNT("reported"),
	[FIELD_COUNTS + MXW__EVENT_ACCEPTED_RCPT] = COUNT("accepted_recipient"),
	[FIELD_COUNTS + MXW__EVENT_ALIGNED_MESSAGE] = COUNT("aligned_message"),
};
_Static_assert(MXW_ARRAY_LEN(fields) == FIELD_COUNTS + MXW__EVENT_COUNT, "a field for each event");
_Static_assert(MXW_ARRAY_LEN(fields) <= MXW__STATE_FIELDS_MAX, "room for each field");

const struct mxw__state_sort mxw__table_sort = {
	.name = "score",
	.nfields = MXW_ARRAY_LEN(fields),
	.fields = fields,
	.is_kept = true,
	.is_shared = true,
	.take = take,
	.put = put,
	.give_back = give_back,
	.mark_all = mark_all,
};
