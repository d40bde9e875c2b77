/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lists_state.c: the form in which what is added to lists while running is kept and shared.
 *
 * Sessions wait for the mutex: what goes through all entries does so in steps, and lets go of it in between.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/session/lists.h"

enum { FIELD_UNTIL, FIELD_ADDED, FIELD_REMOVED, FIELDS, FOREIGN_MAX = 10000, ALL_READERS = (1 << MXW__STATE_READERS) - 1 };

enum { COPIED = 16 };                  /* records under one lock */

static const struct mxw__state_field fields[FIELDS] = {
	[FIELD_UNTIL] = {"until", MXW__MERGE_LATEST, false},
	[FIELD_ADDED] = {"added", MXW__MERGE_LATEST, false},
	[FIELD_REMOVED] = {"removed", MXW__MERGE_LATEST, false},
};

/* Author and reason with a blank between; %XX for what is no printable ASCII. What does not fit is left out at the end. */
static size_t write_text(char *to, size_t n, const char *text, bool is_word)
{
	for (const unsigned char *s = (const unsigned char *)text; *s && n + 4 < MXW__STATE_TEXT_MAX; s++) {
		bool is_plain = *s > ' ' && *s <= '~' && *s != '%';
		if (is_plain || (*s == ' ' && !is_word))
			to[n++] = (char)*s;
		else
			n += (size_t)snprintf(to + n, MXW__STATE_TEXT_MAX - n, "%%%02X", *s);
	}
	to[n] = '\0';
	return n;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *read_text(const char *from, bool is_word, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && !(is_word && *from == ' '); from++) {
		char c = *from;
		if (c == '%' && hex(from[1]) >= 0 && hex(from[2]) >= 0) {
			c = (char)(hex(from[1]) * 16 + hex(from[2]));
			from += 2;
		}
		if (n + 1 < size)
			to[n++] = c;
	}
	to[n] = '\0';
	if (!mxw__list_text_is_good(to, size))
		to[0] = '\0';
	return *from ? from + 1 : from;
}

static void make_record(const struct mxw__added_list *list, const struct mxw__list_item *item, struct mxw__state_record *r)
{
	*r = (struct mxw__state_record){.at_ms = item->at_ms, .expires_ms = mxw__lists_needed_until(item)};
	snprintf(r->key, sizeof r->key, "%s/%s", list->name, item->entry);
	r->values[FIELD_UNTIL] = (double)item->until_ms;
	r->values[FIELD_ADDED] = (double)item->at_ms;
	r->values[FIELD_REMOVED] = item->is_removed;
	size_t n = write_text(r->text, 0, item->author, true);
	r->text[n++] = ' ';
	write_text(r->text, n, item->reason, false);
}

/*
 * Some changed entries of a list, from where the last step ended. `chains` are left of a round through it; a chain is left behind when
 * nothing in it is changed.
 */
static size_t take_some_locked(struct mxw__lists *lists, struct mxw__added_list *list, mxw__state_reader_t reader, size_t *chains,
			       struct mxw__state_record *ret_records, size_t max)
{
	size_t n = 0, seen = 0;

	while (*chains && lists->nchanged[reader] && n < max && seen < MXW__LISTS_STEP) {
		size_t at = list->next[reader] % mxw__list_set_nchains(list->set);
		struct mxw__list_item *item = mxw__list_set_chain(list->set, at);
		for (seen++; item && n < max; item = item->next, seen++) {
			if (!(item->changed >> reader & 1))
				continue;
			item->changed = (uint8_t)(item->changed & ~(1u << reader));
			lists->nchanged[reader]--;
			make_record(list, item, &ret_records[n++]);
		}
		if (item)
			break;
		list->next[reader] = at + 1;
		--*chains;
	}
	mxw__lists_note_work_locked(lists, seen);
	return n;
}

/* One step; false: this list is through, or there is none. */
static bool take_step(struct mxw__lists *lists, size_t i, mxw__state_reader_t reader, size_t *chains, struct mxw__state_record *ret_records,
		      size_t max, size_t *n)
{
	size_t room = max - *n < COPIED ? max - *n : COPIED;

	pthread_mutex_lock(&lists->mutex);
	bool goes_on = i < lists->nadded && lists->nchanged[reader] && room;
	if (goes_on) {
		size_t nchains = mxw__list_set_nchains(lists->added[i].set);
		*chains = *chains < nchains ? *chains : nchains;
		*n += take_some_locked(lists, &lists->added[i], reader, chains, ret_records + *n, room);
		goes_on = *chains > 0;
	}
	pthread_mutex_unlock(&lists->mutex);
	return goes_on;
}

static size_t take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	struct mxw__lists *lists = store;
	size_t n = 0;

	for (size_t i = 0; i < MXW__LISTS_ADDED_MAX; i++) {
		size_t chains = SIZE_MAX;
		while (take_step(lists, i, reader, &chains, ret_records, max, &n))
			;
	}
	return n;
}

/* False: it is no record of ours. */
static bool read_record(const struct mxw__state_record *record, char *ret_list, size_t size, struct mxw__list_line *line)
{
	const char *slash = strchr(record->key, '/');
	size_t len = slash ? (size_t)(slash - record->key) : 0;

	if (len == 0 || len >= size ||
	    mxw__list_entry_parse(slash + 1, strlen(slash + 1), MXW__LIST_ANY, &line->key, line->entry))
		return false;
	memcpy(ret_list, record->key, len);
	ret_list[len] = '\0';
	double until = record->values[FIELD_UNTIL];
	line->until_ms = until > 0 && until < 9e15 ? (int64_t)until : 0;
	const char *reason = read_text(record->text, true, line->author, sizeof line->author);
	read_text(reason, false, line->reason, sizeof line->reason);
	return true;
}

/* Of two that were written, the later one holds. The other reader is to hear of it. */
static void put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	struct mxw__lists *lists = store;
	struct mxw__list_line line = {0};
	char name[65];

	if (record->is_gone || !read_record(record, name, sizeof name, &line))
		return;
	double at = record->values[FIELD_ADDED];
	int64_t at_ms = at > 0 && at < 9e15 ? (int64_t)at : record->at_ms;
	mxw__lists_make_room(lists, name, &line.key);
	pthread_mutex_lock(&lists->mutex);
	struct mxw__added_list *list = mxw__lists_find_locked(lists, name, FOREIGN_MAX);
	struct mxw__list_item *item = list ? mxw__list_set_get(list->set, &line.key) : NULL;
	if (list && (!item || item->at_ms < at_ms))
		mxw__lists_write_locked(lists, list, &line, at_ms, record->values[FIELD_REMOVED] != 0,
					(unsigned)ALL_READERS & ~(1u << reader));
	pthread_mutex_unlock(&lists->mutex);
}

static void mark(struct mxw__lists *lists, mxw__state_reader_t reader, struct mxw__list_item *item)
{
	if (item->changed >> reader & 1)
		return;
	item->changed = (uint8_t)(item->changed | 1u << reader);
	lists->nchanged[reader]++;
}

static void give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	struct mxw__lists *lists = store;
	struct mxw__list_line line = {0};
	char name[65];

	if (!read_record(record, name, sizeof name, &line))
		return;
	pthread_mutex_lock(&lists->mutex);
	struct mxw__added_list *list = mxw__lists_find_locked(lists, name, 0);
	struct mxw__list_item *item = list ? mxw__list_set_get(list->set, &line.key) : NULL;
	if (item)
		mark(lists, reader, item);
	pthread_mutex_unlock(&lists->mutex);
}

/* From chain `*at` on; false: that was the last step of this list, or there is none. */
static bool mark_step(struct mxw__lists *lists, size_t i, mxw__state_reader_t reader, size_t *at)
{
	size_t seen = 0;

	pthread_mutex_lock(&lists->mutex);
	mxw__list_set_t *set = i < lists->nadded ? lists->added[i].set : NULL;
	for (; set && *at < mxw__list_set_nchains(set) && seen < MXW__LISTS_STEP; ++*at, seen++)
		for (struct mxw__list_item *item = mxw__list_set_chain(set, *at); item; item = item->next, seen++)
			mark(lists, reader, item);
	mxw__lists_note_work_locked(lists, seen);
	bool goes_on = set && *at < mxw__list_set_nchains(set);
	pthread_mutex_unlock(&lists->mutex);
	return goes_on;
}

static void mark_all(void *store, mxw__state_reader_t reader)
{
	for (size_t i = 0; i < MXW__LISTS_ADDED_MAX; i++) {
		size_t at = 0;
		while (mark_step(store, i, reader, &at))
			;
	}
}

const struct mxw__state_sort mxw__lists_sort = {
	.name = "listed",
	.nfields = FIELDS,
	.fields = fields,
	.has_text = true,
	.is_kept = true,
	.is_shared = true,
	.is_eager = true,
	.take = take,
	.put = put,
	.give_back = give_back,
	.mark_all = mark_all,
};
