/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_state.c: the table as two sorts of state. "score" has all to the disk, and to other hosts score, times and how many recipients
 * there were that do and do not exist, whoever said so; "good" has the good history to other hosts: it decays with a half-life of its own, and
 * forgiving leaves it alone.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/track/table_parts.h"

enum { FIELD_SCORE, FIELD_GOOD, FIELD_FIRST, FIELD_LAST, FIELD_RESET, FIELD_COUNTS };

enum { FIELD_UNKNOWN = FIELD_COUNTS + MXW__EVENT_UNKNOWN_RCPT, FIELD_ACCEPTED = FIELD_COUNTS + MXW__EVENT_ACCEPTED_RCPT };

enum {
	LIVES = 10,        /* half-lives after which nothing is left of a number */
	COPIED = 32,       /* entries under one lock */
	WORDS = 1024,      /* of marks, looked at under one lock */
	MARKED = 4096,     /* slots, under one lock */
	SCORE_MAX = 1000000000
};

#define COUNT(name) {"n_" name, MXW__MERGE_ADD, true}
static const struct mxw__state_field score_fields[] = {
	[FIELD_SCORE] = {"score", MXW__MERGE_ADD, false},
	/* To other hosts it goes as the sort "good". */
	[FIELD_GOOD] = {"good", MXW__MERGE_ADD, true},
	[FIELD_FIRST] = {"first", MXW__MERGE_MIN, false},
	[FIELD_LAST] = {"last", MXW__MERGE_MAX, false},
	[FIELD_RESET] = {"reset", MXW__MERGE_RESET, false},
	[FIELD_UNKNOWN] = {"n_unknown_recipient", MXW__MERGE_ADD, false},
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
	[FIELD_ACCEPTED] = {"n_accepted_recipient", MXW__MERGE_ADD, false},
	[FIELD_COUNTS + MXW__EVENT_ALIGNED_MESSAGE] = COUNT("aligned_message"),
};
_Static_assert(MXW_ARRAY_LEN(score_fields) == FIELD_COUNTS + MXW__EVENT_COUNT, "a field for each event");
_Static_assert(MXW_ARRAY_LEN(score_fields) <= MXW__STATE_FIELDS_MAX, "room for each field");

/* The same moment on both clocks, for a whole batch. */
struct moment {
	int64_t now_ms, wall_ms;
};

static struct moment moment_of(const mxw__table_t *t)
{
	return (struct moment){mxw__now_ms(&t->clock), t->clock.wall_ms(t->clock.ctx)};
}

static uint64_t half_life_of(const mxw__table_t *t, mxw__table_mark_t mark)
{
	return mark == MXW__MARK_GOOD ? atomic_load(&t->history_half_life_ms) : atomic_load(&t->half_life_ms);
}

static float unknown_of(const struct mxw__entry *e)
{
	return e->counts[MXW__EVENT_UNKNOWN_RCPT] + e->counts[MXW__EVENT_REJECTED_RCPT];
}

/* ---- what has changed ---- */

/* A copy of what this reader is to get; what other hosts get with it counts as handed over. */
static void hand_over_locked(struct mxw__shard *shard, size_t slot, mxw__table_mark_t mark, struct mxw__pair *ret_copy)
{
	struct mxw__entry *e = &shard->entries[slot];

	*ret_copy = (struct mxw__pair){*e, shard->owners[slot]};
	if (mark == MXW__MARK_SCORE) {
		e->unshared_score = 0;
		e->unshared_unknown = 0;
		e->unshared_accepted = 0;
	}
	if (mark == MXW__MARK_GOOD)
		e->unshared_good = 0;
}

/*
 * Some marked entries of a shard. `words` are left of a round through it, which goes on where the last one ended; a word is left behind
 * when nothing in it is marked.
 */
static size_t take_some(mxw__table_t *t, struct mxw__shard *shard, mxw__table_mark_t mark, size_t *words, struct mxw__pair *ret_copies,
			size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 0; i < WORDS && *words && n < max;) {
		uint64_t *word = &shard->marks[mark][shard->next[mark]];
		if (!*word) {
			shard->next[mark] = (shard->next[mark] + 1) % mxw__table_words(t);
			--*words;
			i++;
			continue;
		}
		size_t slot = shard->next[mark] * 64 + (size_t)__builtin_ctzll(*word);
		*word &= *word - 1;
		hand_over_locked(shard, slot, mark, &ret_copies[n++]);
	}
	pthread_mutex_unlock(&shard->mutex);
	return n;
}

static double at_least(double n, double least)
{
	return n > least ? n : least;
}

/* For how long a number is of any use. */
static int64_t lifetime(const mxw__table_t *t, const struct mxw__entry *e, mxw__table_mark_t mark)
{
	double score = mark == MXW__MARK_GOOD ? 0 : at_least(log2(fabs((double)e->score) + 1) + 5, LIVES);
	double good = mark == MXW__MARK_SCORE || e->good <= 0 ? 0 : log2((double)e->good + 1) + 5;

	return (int64_t)at_least(score * (double)atomic_load(&t->half_life_ms), good * (double)atomic_load(&t->history_half_life_ms));
}

static void describe(const mxw__table_t *t, mxw__table_mark_t mark, const struct mxw__pair *copy, const struct moment *m,
		     struct mxw__state_record *r)
{
	struct mxw__entry e = copy->entry;
	char text[MXW__KEY_TEXT_MAX];

	mxw__table_age(t, &e, m->now_ms);
	memset(r, 0, sizeof *r);
	snprintf(r->key, sizeof r->key, "%s", mxw__key_text(&copy->owner.key, text));
	r->at_ms = m->wall_ms;
	r->expires_ms = m->wall_ms + lifetime(t, &e, mark);
	r->half_life_ms = half_life_of(t, mark);
	if (mark == MXW__MARK_GOOD) {
		r->values[0] = (double)e.unshared_good;
		return;
	}
	r->values[FIELD_SCORE] = (double)(mark == MXW__MARK_SCORE ? e.unshared_score : e.score);
	r->values[FIELD_GOOD] = (double)e.good;
	r->values[FIELD_FIRST] = (double)(m->wall_ms - (m->now_ms - (int64_t)e.first_s * 1000));
	r->values[FIELD_LAST] = (double)(m->wall_ms - (m->now_ms - (int64_t)e.last_s * 1000));
	r->values[FIELD_RESET] = (double)copy->owner.reset_ms;
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		r->values[FIELD_COUNTS + i] = (double)e.counts[i];
	if (mark == MXW__MARK_SCORE) {
		r->values[FIELD_UNKNOWN] = e.unshared_unknown;
		r->values[FIELD_ACCEPTED] = e.unshared_accepted;
	}
}

static size_t take(mxw__table_t *t, mxw__table_mark_t mark, struct mxw__state_record *ret_records, size_t max)
{
	struct mxw__pair copies[COPIED];
	struct moment m = moment_of(t);
	size_t n = 0;

	for (size_t i = 0; i < t->nshards && n < max; i++) {
		struct mxw__shard *shard = &t->shards[atomic_fetch_add(&t->next_shard[mark], 1) % t->nshards];
		for (size_t words = mxw__table_words(t); words && n < max;) {
			size_t k = take_some(t, shard, mark, &words, copies, max - n < COPIED ? max - n : COPIED);
			for (size_t c = 0; c < k; c++)
				describe(t, mark, &copies[c], &m, &ret_records[n++]);
		}
	}
	return n;
}

static void tell_again(struct mxw__entry *e, mxw__table_mark_t mark)
{
	if (mark == MXW__MARK_GOOD)
		e->unshared_good = e->good;
	if (mark != MXW__MARK_SCORE)
		return;
	e->unshared_score = e->score;
	e->unshared_unknown = 0;
	e->unshared_accepted = 0;
	mxw__table_add_unshared(e, MXW__EVENT_UNKNOWN_RCPT, (double)unknown_of(e));
	mxw__table_add_unshared(e, MXW__EVENT_ACCEPTED_RCPT, (double)e->counts[MXW__EVENT_ACCEPTED_RCPT]);
}

static void mark_all(mxw__table_t *t, mxw__table_mark_t mark)
{
	size_t slots = mxw__table_shard_slots(t);

	for (size_t at = 0; at < t->nshards * slots;) {
		struct mxw__shard *shard = &t->shards[at / slots];
		pthread_mutex_lock(&shard->mutex);
		for (size_t i = 0; i < MARKED; i++) {
			struct mxw__entry *e = &shard->entries[at % slots];
			if (shard->tags[at % slots]) {
				mxw__table_mark_locked(shard, at % slots, mark);
				tell_again(e, mark);
			}
			if (++at % slots == 0)
				break;
		}
		pthread_mutex_unlock(&shard->mutex);
	}
}

/* ---- what is known elsewhere ---- */

/* A record may come from a damaged file or a store that others write to: any number at all. */
static float number(double value, double least)
{
	return (float)(value > least ? value < SCORE_MAX ? value : SCORE_MAX : value <= least ? least : 0);
}

static int64_t wall_time(double value)
{
	return value > 0 && value < 1e15 ? (int64_t)value : 0;
}

/* What lies in the future by the wall clock is now. */
static int32_t seconds_of(double value, const struct moment *m)
{
	int64_t gone = m->wall_ms - wall_time(value);

	return mxw__table_seconds(m->now_ms - (gone > 0 ? gone : 0));
}

/* The record's age: it was written at_ms; -1e15 and the like are as old as the hills. */
static float left_of(const struct mxw__state_record *r, uint64_t half_life_ms, const struct moment *m)
{
	return mxw__table_left(m->wall_ms - wall_time((double)r->at_ms), half_life_ms);
}

static bool pair_of(const mxw__table_t *t, const struct mxw__state_record *r, const struct moment *m, struct mxw__pair *ret_pair)
{
	float left = left_of(r, half_life_of(t, MXW__MARK_SCORE), m), left_good = left_of(r, half_life_of(t, MXW__MARK_GOOD), m);
	struct mxw__pair in = {.entry = {.at_ms = m->now_ms, .is_merged = true}};

	if (!mxw__key_parse(r->key, &in.owner.key))
		return false;
	in.entry.score = number(r->values[FIELD_SCORE], -SCORE_MAX) * left;
	in.entry.good = number(r->values[FIELD_GOOD], 0) * left_good;
	in.entry.first_s = seconds_of(r->values[FIELD_FIRST], m);
	in.entry.last_s = seconds_of(r->values[FIELD_LAST], m);
	in.owner.reset_ms = wall_time(r->values[FIELD_RESET]);
	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		in.entry.counts[i] = number(r->values[FIELD_COUNTS + i], 0) * left;
	*ret_pair = in;
	return true;
}

static void merge_times(struct mxw__entry *e, const struct mxw__entry *in)
{
	if (in->first_s < e->first_s)
		e->first_s = in->first_s;
	if (in->last_s > e->last_s)
		e->last_s = in->last_s;
}

/* The sum of all hosts contains all but what they have not been told; one from before a forgiving that was done here says nothing. */
static void merge_shared(struct mxw__entry *e, struct mxw__owner *owner, const struct mxw__pair *in)
{
	if (in->owner.reset_ms < owner->reset_ms)
		return;
	if (in->owner.reset_ms > owner->reset_ms)
		mxw__table_reset(e);
	owner->reset_ms = in->owner.reset_ms;
	e->score = in->entry.score + e->unshared_score;
	/* Elsewhere nobody says which of them the MTA rejected. What was not told for want of room is known here all the same. */
	float *unknown = &e->counts[MXW__EVENT_UNKNOWN_RCPT], *accepted = &e->counts[MXW__EVENT_ACCEPTED_RCPT];
	float all = in->entry.counts[MXW__EVENT_UNKNOWN_RCPT] + (float)e->unshared_unknown;
	*unknown = fmaxf(*unknown, all - e->counts[MXW__EVENT_REJECTED_RCPT]);
	*accepted = fmaxf(*accepted, in->entry.counts[MXW__EVENT_ACCEPTED_RCPT] + (float)e->unshared_accepted);
}

/*
 * What was written before the start, where something has come meanwhile: if that came from here, both count; if other hosts have said
 * what they know, they know of what was written, too.
 */
static void merge_kept(struct mxw__entry *e, struct mxw__owner *owner, const struct mxw__pair *in)
{
	float own = e->is_merged ? 0 : 1;

	if (in->owner.reset_ms >= owner->reset_ms) {
		e->score = fmaxf(own * e->score + in->entry.score, e->is_merged ? e->score : -SCORE_MAX);
		for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
			e->counts[i] = fmaxf(own * e->counts[i] + in->entry.counts[i], e->counts[i]);
		owner->reset_ms = in->owner.reset_ms;
	}
	e->good = fmaxf(own * e->good + in->entry.good, e->good);
}

static void score_put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__table_t *t = store;
	struct moment m = moment_of(t);
	struct mxw__pair in;

	if (!pair_of(t, record, &m, &in))
		return;
	if (reader == MXW__STATE_SHARE)
		in.entry.good = 0;
	for (size_t i = 0; reader == MXW__STATE_SHARE && i < MXW__EVENT_COUNT; i++)
		if (score_fields[FIELD_COUNTS + i].is_local)
			in.entry.counts[i] = 0;
	struct mxw__place at;
	mxw__table_place(t, &in.owner.key, &at);
	pthread_mutex_lock(&at.shard->mutex);
	size_t slot = mxw__table_find_locked(&at);
	if (slot == SIZE_MAX) {
		slot = mxw__table_admit_locked(t, &at, &in, false, m.now_ms);
	} else {
		struct mxw__entry *e = &at.shard->entries[slot];
		mxw__table_age(t, e, m.now_ms);
		merge_times(e, &in.entry);
		(reader == MXW__STATE_SHARE ? merge_shared : merge_kept)(e, &at.shard->owners[slot], &in);
		e->is_merged = true;
	}
	if (slot != SIZE_MAX && reader == MXW__STATE_SHARE)
		mxw__table_mark_locked(at.shard, slot, MXW__MARK_DISK);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void put_good(mxw__table_t *t, const struct mxw__state_record *record)
{
	struct moment m = moment_of(t);
	int32_t now_s = mxw__table_seconds(m.now_ms);
	struct mxw__pair in = {.entry = {.at_ms = m.now_ms, .first_s = now_s, .last_s = now_s, .is_merged = true}};

	if (!mxw__key_parse(record->key, &in.owner.key))
		return;
	in.entry.good = number(record->values[0], 0) * left_of(record, half_life_of(t, MXW__MARK_GOOD), &m);
	struct mxw__place at;
	mxw__table_place(t, &in.owner.key, &at);
	pthread_mutex_lock(&at.shard->mutex);
	size_t slot = mxw__table_find_locked(&at);
	if (slot == SIZE_MAX) {
		slot = mxw__table_admit_locked(t, &at, &in, false, m.now_ms);
	} else {
		struct mxw__entry *e = &at.shard->entries[slot];
		mxw__table_age(t, e, m.now_ms);
		e->good = in.entry.good + e->unshared_good;
		e->is_merged = true;
	}
	if (slot != SIZE_MAX)
		mxw__table_mark_locked(at.shard, slot, MXW__MARK_DISK);
	pthread_mutex_unlock(&at.shard->mutex);
}

/* What was added before a forgiving is not to be told any more. */
static void give_back(mxw__table_t *t, mxw__table_mark_t mark, const struct mxw__state_record *record)
{
	struct moment m = moment_of(t);
	struct mxw__key key;

	if (!mxw__key_parse(record->key, &key))
		return;
	float amount = number(record->values[0], -SCORE_MAX) * left_of(record, half_life_of(t, mark), &m);
	struct mxw__place at;
	mxw__table_place(t, &key, &at);
	pthread_mutex_lock(&at.shard->mutex);
	size_t slot = mxw__table_find_locked(&at);
	if (slot != SIZE_MAX) {
		struct mxw__entry *e = &at.shard->entries[slot];
		mxw__table_mark_locked(at.shard, slot, mark);
		mxw__table_age(t, e, m.now_ms);
		if (mark == MXW__MARK_SCORE && wall_time(record->values[FIELD_RESET]) >= at.shard->owners[slot].reset_ms) {
			e->unshared_score += amount;
			mxw__table_add_unshared(e, MXW__EVENT_UNKNOWN_RCPT, record->values[FIELD_UNKNOWN]);
			mxw__table_add_unshared(e, MXW__EVENT_ACCEPTED_RCPT, record->values[FIELD_ACCEPTED]);
		}
		if (mark == MXW__MARK_GOOD)
			e->unshared_good += amount;
	}
	pthread_mutex_unlock(&at.shard->mutex);
}

/* ---- the sorts ---- */

static mxw__table_mark_t mark_of(mxw__state_reader_t reader)
{
	return reader == MXW__STATE_DISK ? MXW__MARK_DISK : MXW__MARK_SCORE;
}

static size_t score_take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	return take(store, mark_of(reader), ret_records, max);
}

static void score_give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	give_back(store, mark_of(reader), record);
}

static void score_mark_all(void *store, mxw__state_reader_t reader)
{
	mark_all(store, mark_of(reader));
}

#define SCORE_SORT(sort_name) \
	{ \
		.name = (sort_name), .nfields = MXW_ARRAY_LEN(score_fields), .fields = score_fields, .is_kept = true, .is_shared = true, \
		.take = score_take, .put = score_put, .give_back = score_give_back, .mark_all = score_mark_all, \
	}
const struct mxw__state_sort mxw__table_sort = SCORE_SORT("score");
const struct mxw__state_sort mxw__table_failed_sort = SCORE_SORT("failed");

/* It is shared only: the disk has it with the score, and there is nothing to be taken for it here. */
static size_t good_take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	return reader == MXW__STATE_SHARE ? take(store, MXW__MARK_GOOD, ret_records, max) : 0;
}

static void good_put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	if (reader == MXW__STATE_SHARE)
		put_good(store, record);
}

static void good_give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	if (reader == MXW__STATE_SHARE)
		give_back(store, MXW__MARK_GOOD, record);
}

static void good_mark_all(void *store, mxw__state_reader_t reader)
{
	if (reader == MXW__STATE_SHARE)
		mark_all(store, MXW__MARK_GOOD);
}

static const struct mxw__state_field good_fields[] = {{"good", MXW__MERGE_COUNT, false}};

#define GOOD_SORT(sort_name) \
	{ \
		.name = (sort_name), .nfields = MXW_ARRAY_LEN(good_fields), .fields = good_fields, .is_shared = true, \
		.take = good_take, .put = good_put, .give_back = good_give_back, .mark_all = good_mark_all, \
	}
const struct mxw__state_sort mxw__table_good_sort = GOOD_SORT("good");
const struct mxw__state_sort mxw__table_taken_sort = GOOD_SORT("taken");
