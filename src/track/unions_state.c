/* SPDX-License-Identifier: BSD-2-Clause */
/* unions_state.c: different things of accounts as a sort of state, for the disk and for other hosts. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/track/unions_parts.h"

enum { FIELD_RESET = MXW__UNION_WORDS, FIELDS };
enum { COPIED = 32 }; /* entries under one lock */
/* No time of ours comes near it. */
#define END_S (UINT64_C(1) << 40)

static bool read_key(const char *key, struct mxw__union_name *ret_name)
{
	unsigned long long quarter_s, number;
	char *end;

	memset(ret_name, 0, sizeof *ret_name);
	if (key[0] < 'a' || key[0] > 'z' || key[1] != ':' || !mxw__ascii_isdigit(key[2]))
		return false;
	quarter_s = strtoull(key + 2, &end, 10);
	if (*end != ':' || !mxw__ascii_isdigit(end[1]) || quarter_s < MXW__UNION_WINDOW_MIN_MS / MXW__UNIONS_QUARTERS / 1000 ||
	    quarter_s > MXW__UNION_QUARTER_MAX_S)
		return false;
	number = strtoull(end + 1, &end, 10);
	ret_name->kind = (uint32_t)(unsigned char)key[0];
	ret_name->quarter_s = (uint32_t)quarter_s;
	ret_name->number = (int64_t)number;
	return *end == ':' && number < END_S / quarter_s && mxw__key_parse(end + 1, &ret_name->who);
}

static void describe(const mxw__unions_t *u, const struct mxw__union_entry *e, struct mxw__state_record *r)
{
	memset(r, 0, sizeof *r);
	mxw__unions_write_key(&e->name, r->key);
	r->at_ms = mxw__unions_wall_ms(u);
	r->expires_ms = mxw__unions_expires_ms(&e->name);
	for (size_t i = 0; i < MXW__UNION_WORDS; i++)
		r->values[i] = (double)e->bits[i];
	r->values[FIELD_RESET] = (double)e->reset_ms;
}

/* Copies, so that the lock is held for some instructions only. `left` are those of the shard that are still to be looked at. */
static size_t copy_changed(struct mxw__union_shard *shard, size_t nentries, mxw__state_reader_t reader, size_t *left,
			   struct mxw__union_entry *ret_entries, size_t max)
{
	size_t n = 0, seen = 0;

	pthread_mutex_lock(&shard->mutex);
	for (; *left && n < max && seen < MXW__UNION_STEP && shard->nchanged[reader]; --*left, seen++) {
		struct mxw__union_entry *e = &shard->entries[shard->next[reader]];
		shard->next[reader] = (shard->next[reader] + 1) % nentries;
		if (!(e->changed >> reader & 1))
			continue;
		mxw__unions_unmark_locked(shard, e, reader);
		ret_entries[n++] = *e;
	}
	if (!shard->nchanged[reader])
		*left = 0;
	pthread_mutex_unlock(&shard->mutex);
	return n;
}

static size_t take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	mxw__unions_t *u = store;
	struct mxw__union_entry entries[COPIED];
	size_t n = 0, nentries = u->nsets * MXW__UNION_WAYS;

	for (size_t i = 0; i < MXW__UNION_SHARDS && n < max; i++) {
		struct mxw__union_shard *shard = &u->shards[atomic_fetch_add(&u->next_shard[reader], 1) % MXW__UNION_SHARDS];
		for (size_t left = nentries; left && n < max;) {
			size_t room = max - n < COPIED ? max - n : COPIED;
			size_t got = copy_changed(shard, nentries, reader, &left, entries, room);
			for (size_t k = 0; k < got; k++)
				describe(u, &entries[k], &ret_records[n++]);
		}
	}
	return n;
}

/* What comes from elsewhere may be any number. */
static uint32_t bits_of(double value)
{
	return value >= 1 && value <= (double)UINT32_MAX ? (uint32_t)value : 0;
}

static int64_t time_of(double value)
{
	return value > 0 && value < 1e15 ? (int64_t)value : 0;
}

/* True: it is another one now. What was seen before a forgetting that either side knows of does not count. */
static bool merge(struct mxw__union_entry *e, const struct mxw__state_record *record)
{
	int64_t reset_ms = time_of(record->values[FIELD_RESET]);
	bool is_reset = reset_ms > e->reset_ms, is_new = is_reset;

	for (size_t i = 0; i < MXW__UNION_WORDS && reset_ms >= e->reset_ms; i++) {
		uint32_t bits = (is_reset ? 0 : e->bits[i]) | bits_of(record->values[i]);
		is_new |= bits != e->bits[i];
		e->bits[i] = bits;
	}
	if (is_reset)
		e->reset_ms = reset_ms;
	return is_new;
}

/* Each quarter's record tells of a forgetting; that of the next one, which was made for hosts whose clocks are ahead, comes much later. */
static bool is_known_locked(mxw__unions_t *u, const struct mxw__union_name *name, int64_t reset_ms)
{
	struct mxw__union_name other = *name;
	bool is_known = false;

	for (int i = -MXW__UNIONS_QUARTERS; i <= MXW__UNIONS_QUARTERS && !is_known; i++) {
		other.number = name->number + i;
		/* All of one account's are in one shard. */
		struct mxw__union_place at = mxw__unions_place(u, &other);
		const struct mxw__union_entry *e = mxw__unions_find_locked(&at, &other);
		is_known = e && e->reset_ms >= reset_ms;
	}
	return is_known;
}

static void put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__unions_t *u = store;
	int64_t now_ms = mxw__unions_wall_ms(u);
	struct mxw__union_name name;

	if (record->is_gone || !read_key(record->key, &name) || mxw__unions_is_dead(&name, now_ms))
		return;
	struct mxw__union_place at = mxw__unions_place(u, &name);
	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__union_entry *e = mxw__unions_need_locked(&at, &name, now_ms);
	int64_t reset_ms = time_of(record->values[FIELD_RESET]);
	bool is_news = reset_ms > e->reset_ms && u->heard && !is_known_locked(u, &name, reset_ms);
	/* What came from one side the other is to learn. */
	if (merge(e, record))
		mxw__unions_mark_locked(at.shard, e, reader == MXW__STATE_DISK ? MXW__STATE_SHARE : MXW__STATE_DISK);
	pthread_mutex_unlock(&at.shard->mutex);
	if (is_news)
		u->heard(u->heard_ctx, &name.who, (char)name.kind);
}

static void give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__unions_t *u = store;
	struct mxw__union_name name;

	if (!read_key(record->key, &name))
		return;
	struct mxw__union_place at = mxw__unions_place(u, &name);
	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__union_entry *e = mxw__unions_find_locked(&at, &name);
	if (e)
		mxw__unions_mark_locked(at.shard, e, reader);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void mark_all(void *store, mxw__state_reader_t reader)
{
	struct mxw__union_step step;

	for (size_t at = 0; mxw__unions_step(store, &at, &step);) {
		pthread_mutex_lock(&step.shard->mutex);
		for (struct mxw__union_entry *e = step.first; e < step.end; e++)
			if (e->name.quarter_s)
				mxw__unions_mark_locked(step.shard, e, reader);
		pthread_mutex_unlock(&step.shard->mutex);
	}
}

#define FIELD(name) {name, MXW__MERGE_BITS, false}
static const struct mxw__state_field fields[FIELDS] = {
	FIELD("b0"), FIELD("b1"), FIELD("b2"), FIELD("b3"), FIELD("b4"), FIELD("b5"), FIELD("b6"), FIELD("b7"),
	FIELD("b8"), FIELD("b9"), FIELD("b10"), FIELD("b11"), FIELD("b12"), FIELD("b13"), FIELD("b14"), FIELD("b15"),
	[FIELD_RESET] = {"reset", MXW__MERGE_RESET, false},
};

#define SORT(sort_name) \
	{ \
		.name = (sort_name), .nfields = FIELDS, .fields = fields, .is_kept = true, .is_shared = true, \
		.take = take, .put = put, .give_back = give_back, .mark_all = mark_all, \
	}
const struct mxw__state_sort mxw__unions_sort = SORT("different");
const struct mxw__state_sort mxw__unions_guessed_sort = SORT("guessed");
