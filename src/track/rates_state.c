/* SPDX-License-Identifier: BSD-2-Clause */
/* rates_state.c: rates as a sort of state, for the disk and for other hosts. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/track/rates_parts.h"

/* How long a forgiving is told. */
#define TOLD_MS INT64_C(86400000)

enum { FIELD_TAT, FIELD_RESET };
static const char site[] = "site";

void mxw__rates_record_key(const char *name, const struct mxw__key *key, char ret_key[MXW__STATE_KEY_MAX])
{
	char text[MXW__KEY_TEXT_MAX];

	mxw__key_text(key, text);
	snprintf(ret_key, MXW__STATE_KEY_MAX, "%s:%s", name, *text ? text : site);
}

/* False for a rate that there is no more. */
static bool put_key(mxw__rates_t *r, const struct mxw__rate_entry *e, struct mxw__state_record *ret_record)
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
static bool describe(mxw__rates_t *r, mxw__state_reader_t reader, const struct mxw__rate_entry *e, struct mxw__state_record *record)
{
	int64_t now_ns = mxw__now_ms(&r->clock) * MXW__NS_PER_MS, wall_ms = r->clock.wall_ms(r->clock.ctx);
	double ahead_ms = e->tat_ns > now_ns ? (double)(e->tat_ns - now_ns) / (double)MXW__NS_PER_MS : 0;
	int64_t told_ms = e->reset_ms ? e->reset_ms + TOLD_MS : 0;

	memset(record, 0, sizeof *record);
	record->at_ms = wall_ms;
	record->expires_ms = wall_ms + (int64_t)ahead_ms + 1;
	if (record->expires_ms < told_ms)
		record->expires_ms = told_ms;
	double unshared_ms = (double)e->unshared_ns / (double)MXW__NS_PER_MS;
	record->values[FIELD_TAT] = reader == MXW__STATE_SHARE ? unshared_ms : (double)wall_ms + ahead_ms;
	record->values[FIELD_RESET] = (double)e->reset_ms;
	return put_key(r, e, record);
}

/* Copies, so that no other lock is taken under the shard's. */
static size_t copy_changed(struct mxw__rate_shard *shard, size_t nentries, mxw__state_reader_t reader, struct mxw__rate_entry *ret_entries, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 0; i < nentries && n < max && shard->nchanged[reader]; i++) {
		struct mxw__rate_entry *e = &shard->entries[shard->next[reader]];
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
	struct mxw__rate_entry entries[STEP];
	size_t n = 0, idle = 0;

	while (n < max && idle < MXW__RATE_SHARDS) {
		unsigned at = atomic_load(&r->next_shard[reader]);
		size_t room = max - n < STEP ? max - n : STEP;
		size_t got = copy_changed(&r->shards[at % MXW__RATE_SHARDS], r->nsets * MXW__RATE_WAYS, reader, entries, room);
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
	bool is_known = mxw__rates_has_name(r->names, r->nnames, *ret_id);
	pthread_mutex_unlock(&r->names_mutex);
	return is_known;
}

static void put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__rates_t *r = store;
	int64_t now_ns = mxw__now_ms(&r->clock) * MXW__NS_PER_MS, wall_ms = r->clock.wall_ms(r->clock.ctx);
	int64_t reset_ms = (int64_t)record->values[FIELD_RESET];
	double ahead_ms = record->values[FIELD_TAT] - (double)wall_ms;
	struct mxw__key key;
	uint64_t id;

	if (record->is_gone || !parse_key(r, record->key, &id, &key) || !(ahead_ms < 1e12) || (!(ahead_ms > 0) && reset_ms == 0))
		return;
	struct mxw__rate_place at = mxw__rates_find_set(r, id, &key);
	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__rate_entry *e = mxw__rates_need_locked(&at, id, &key, now_ns);
	if (reset_ms > e->reset_ms)
		mxw__rates_reset(e, now_ns, reset_ms);
	int64_t tat_ns = now_ns + (ahead_ms > 0 ? (int64_t)(ahead_ms * (double)MXW__NS_PER_MS) : 0);
	tat_ns += reader == MXW__STATE_SHARE ? e->unshared_ns : 0;
	/* What was counted before we forgave it does not come back. */
	if (reset_ms == e->reset_ms && tat_ns > e->tat_ns) {
		e->tat_ns = tat_ns;
		e->is_of_others = true;
	}
	if (reader == MXW__STATE_SHARE)
		mxw__rates_mark_locked(at.shard, e, MXW__STATE_DISK);
	pthread_mutex_unlock(&at.shard->mutex);
}

static void give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__rates_t *r = store;
	struct mxw__key key;
	uint64_t id;

	if (!parse_key(r, record->key, &id, &key))
		return;
	struct mxw__rate_place at = mxw__rates_find_set(r, id, &key);
	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__rate_entry *e = mxw__rates_find_locked(&at, id, &key);
	if (e) {
		mxw__rates_mark_locked(at.shard, e, reader);
		if (reader == MXW__STATE_SHARE)
			e->unshared_ns += (int64_t)(record->values[FIELD_TAT] * (double)MXW__NS_PER_MS);
	}
	pthread_mutex_unlock(&at.shard->mutex);
}

static void mark_all(void *store, mxw__state_reader_t reader)
{
	mxw__rates_t *r = store;
	int64_t now_ns = mxw__now_ms(&r->clock) * MXW__NS_PER_MS;

	for (size_t s = 0; s < MXW__RATE_SHARDS; s++) {
		struct mxw__rate_shard *shard = &r->shards[s];
		pthread_mutex_lock(&shard->mutex);
		for (size_t i = 0; i < r->nsets * MXW__RATE_WAYS; i++) {
			struct mxw__rate_entry *e = &shard->entries[i];
			if (!e->id)
				continue;
			mxw__rates_mark_locked(shard, e, reader);
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
