/* SPDX-License-Identifier: BSD-2-Clause */
/* lists_state.c: what is added to lists while running: writing, removing, and the form in which it is kept and shared. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/session/lists.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
/* How long others may take to hear that an entry was removed, and what stands for "for good" where a time is needed. */
#define REMOVED_MS (30 * DAY_MS)
#define FOREVER_MS (36500 * DAY_MS)

enum { FIELD_UNTIL, FIELD_ADDED, FIELD_REMOVED, FIELDS, FOREIGN_MAX = 10000, ALL_READERS = (1 << MXW__STATE_READERS) - 1 };

static int64_t wall_ms(const struct mxw__lists *lists)
{
	return lists->clock.wall_ms(lists->clock.ctx);
}

struct mxw__added_list *mxw__lists_find_locked(struct mxw__lists *lists, const char *name, size_t max)
{
	for (size_t i = 0; i < lists->nadded; i++) {
		struct mxw__added_list *list = &lists->added[i];
		if (strcmp(list->name, name) == 0)
			return list;
	}
	struct mxw__added_list *list = &lists->added[lists->nadded];
	if (!max || lists->nadded == MXW__LISTS_ADDED_MAX || strlen(name) >= sizeof list->name)
		return NULL;
	*list = (struct mxw__added_list){.max = max, .set = mxw__list_set_new(SIZE_MAX)};
	if (!list->set)
		return NULL;
	snprintf(list->name, sizeof list->name, "%s", name);
	lists->nadded++;
	return list;
}

/* Before anything comes from the disk, so that each section has its own bound; lists of other names have room as long as they hold anything. */
void mxw__lists_know_sections(struct mxw__lists *lists, const struct mxw_conf *conf)
{
	pthread_mutex_lock(&lists->mutex);
	for (size_t i = lists->nadded; i-- > 0;) {
		if (mxw__list_set_count(lists->added[i].set))
			continue;
		mxw__list_set_unref(lists->added[i].set);
		lists->added[i] = lists->added[--lists->nadded];
	}
	for (size_t i = 0; i < conf->nlists; i++) {
		struct mxw__added_list *list = mxw__lists_find_locked(lists, conf->lists[i].name, (size_t)conf->lists[i].max_entries);
		if (list)
			list->max = (size_t)conf->lists[i].max_entries;
	}
	pthread_mutex_unlock(&lists->mutex);
}

/* ---- writing ---- */

static void uncount(struct mxw__lists *lists, const struct mxw__list_item *item)
{
	for (int r = 0; r < MXW__STATE_READERS; r++)
		lists->nchanged[r] -= item->changed >> r & 1;
}

static int64_t needed_until(const struct mxw__list_item *item)
{
	int64_t until = item->until_ms ? item->until_ms : item->at_ms + FOREVER_MS;

	return item->is_removed && item->at_ms + REMOVED_MS < until ? item->at_ms + REMOVED_MS : until;
}

/* Room is made by what nobody needs any more. */
static void purge_locked(struct mxw__lists *lists, struct mxw__added_list *list)
{
	struct mxw__list_item *item, *after = NULL;
	int64_t now = wall_ms(lists);
	size_t cursor = 0;

	for (item = mxw__list_set_next(list->set, &cursor, NULL); item; item = after) {
		after = mxw__list_set_next(list->set, &cursor, item);
		if (needed_until(item) > now)
			continue;
		uncount(lists, item);
		mxw__list_set_remove(list->set, item);
	}
}

mxw_status_t mxw__lists_write_locked(struct mxw__lists *lists, struct mxw__added_list *list, const struct mxw__list_line *line,
				     int64_t at_ms, bool is_removed, unsigned changed)
{
	struct mxw__list_item *item = mxw__list_set_get(list->set, &line->key);

	if (!item && mxw__list_set_count(list->set) >= list->max)
		purge_locked(lists, list);
	if (!item && mxw__list_set_count(list->set) >= list->max)
		return MXW_ERR_LIMIT;
	if (item)
		uncount(lists, item);
	mxw_status_t status = mxw__list_set_add(list->set, line, 0, &item);
	if (status != MXW_OK) {
		for (int r = 0; item && r < MXW__STATE_READERS; r++)
			lists->nchanged[r] += item->changed >> r & 1;
		return status;
	}
	item->at_ms = at_ms;
	item->is_removed = is_removed;
	item->changed = (uint8_t)changed;
	for (int r = 0; r < MXW__STATE_READERS; r++)
		lists->nchanged[r] += changed >> r & 1;
	atomic_store(&lists->has_any, true);
	return MXW_OK;
}

/* Later than what holds, also if that was written by a clock that is ahead: or it would come back from where the later one holds. */
static int64_t time_of_writing(const struct mxw__lists *lists, const struct mxw__list_item *item)
{
	int64_t now = wall_ms(lists);

	return item && item->at_ms >= now ? item->at_ms + 1 : now;
}

/* The section; NULL, with `err` filled in. `conf` must outlive it. */
static const struct mxw__list_conf *find_section(const mxw_conf_t *conf, const char *list, struct mxw_error *err)
{
	for (size_t i = 0; i < conf->nlists; i++)
		if (strcmp(conf->lists[i].name, list) == 0)
			return &conf->lists[i];
	mxw__fail(err, MXW_ERR_INVALID, "there is no list '%.64s'; it needs a section 'list' in the configuration", list);
	return NULL;
}

static mxw_status_t make_line(const struct mxw__list_conf *section, const char *entry, struct mxw__list_line *line,
			      struct mxw_error *err)
{
	const char *fault = mxw__list_entry_parse(entry, strlen(entry), section->kind, &line->key, line->entry);

	if (fault)
		return mxw__fail(err, MXW_ERR_INVALID, "'%.100s' %s", entry, fault);
	for (const char *s = line->entry; *s; s++)
		if (*s <= ' ' || *s > '~')
			return mxw__fail(err, MXW_ERR_INVALID, "'%.100s' is not ASCII", entry);
	if (strlen(section->name) + 1 + strlen(line->entry) >= MXW__STATE_KEY_MAX)
		return mxw__fail(err, MXW_ERR_INVALID, "'%.100s' is too long", entry);
	return MXW_OK;
}

static mxw_status_t take_text(char *to, size_t size, const char *text, const char *what, struct mxw_error *err)
{
	text = text ? text : "";
	if (!mxw__list_text_is_good(text, size))
		return mxw__fail(err, MXW_ERR_INVALID, "the %s is not UTF-8 without controls, or has more than %zu octets", what, size - 1);
	snprintf(to, size, "%s", text);
	return MXW_OK;
}

mxw_status_t mxw__lists_add(mxw_engine_t *engine, const char *list, const char *entry, int64_t until_ms, const char *author,
			    const char *reason, struct mxw_error *err)
{
	struct mxw__lists *lists = engine->lists;
	mxw_conf_t *conf = mxw_engine_conf(engine);
	const struct mxw__list_conf *section = find_section(conf, list, err);
	struct mxw__list_line line = {.until_ms = until_ms > 0 ? until_ms : 0};
	mxw_status_t status = section ? make_line(section, entry, &line, err) : MXW_ERR_INVALID;

	if (status == MXW_OK)
		status = take_text(line.author, sizeof line.author, author, "author", err);
	if (status == MXW_OK)
		status = take_text(line.reason, sizeof line.reason, reason, "reason", err);
	if (status == MXW_OK) {
		pthread_mutex_lock(&lists->mutex);
		struct mxw__added_list *added = mxw__lists_find_locked(lists, list, (size_t)section->max_entries);
		const struct mxw__list_item *item = added ? mxw__list_set_get(added->set, &line.key) : NULL;
		int64_t at_ms = time_of_writing(lists, item);
		status = added ? mxw__lists_write_locked(lists, added, &line, at_ms, false, ALL_READERS) : MXW_ERR_LIMIT;
		pthread_mutex_unlock(&lists->mutex);
		if (status != MXW_OK)
			mxw__fail(err, status, "list %s: %s", list, status == MXW_ERR_LIMIT ? "it has max-entries already" :
									     mxw_status_name(status));
	}
	mxw_conf_unref(conf);
	return status;
}

mxw_status_t mxw__lists_remove(mxw_engine_t *engine, const char *list, const char *entry, struct mxw_error *err)
{
	struct mxw__lists *lists = engine->lists;
	mxw_conf_t *conf = mxw_engine_conf(engine);
	const struct mxw__list_conf *section = find_section(conf, list, err);
	struct mxw__list_line line = {0};
	mxw_status_t status = section ? make_line(section, entry, &line, err) : MXW_ERR_INVALID;

	if (status == MXW_OK) {
		pthread_mutex_lock(&lists->mutex);
		struct mxw__added_list *added = mxw__lists_find_locked(lists, list, 0);
		struct mxw__list_item *item = added ? mxw__list_set_get(added->set, &line.key) : NULL;
		if (item && !item->is_removed)
			status = mxw__lists_write_locked(lists, added, &line, time_of_writing(lists, item), true, ALL_READERS);
		else
			status = mxw__fail(err, MXW_ERR_INVALID, "'%.100s' was not added to list %s%s%s", line.entry, list,
					   section->file[0] ? "; if it stands there, it is in " : "", section->file);
		pthread_mutex_unlock(&lists->mutex);
	}
	mxw_conf_unref(conf);
	return status;
}

/* ---- as state ---- */

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
	*r = (struct mxw__state_record){.at_ms = item->at_ms, .expires_ms = needed_until(item)};
	snprintf(r->key, sizeof r->key, "%s/%s", list->name, item->entry);
	r->values[FIELD_UNTIL] = (double)item->until_ms;
	r->values[FIELD_ADDED] = (double)item->at_ms;
	r->values[FIELD_REMOVED] = item->is_removed;
	size_t n = write_text(r->text, 0, item->author, true);
	r->text[n++] = ' ';
	write_text(r->text, n, item->reason, false);
}

static size_t take_of_list(struct mxw__lists *lists, const struct mxw__added_list *list, mxw__state_reader_t reader,
			   struct mxw__state_record *ret_records, size_t max)
{
	struct mxw__list_item *item = NULL;
	size_t cursor = 0, n = 0;

	while (n < max && lists->nchanged[reader] && (item = mxw__list_set_next(list->set, &cursor, item))) {
		if (!(item->changed >> reader & 1))
			continue;
		item->changed = (uint8_t)(item->changed & ~(1u << reader));
		lists->nchanged[reader]--;
		make_record(list, item, &ret_records[n++]);
	}
	return n;
}

static size_t take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	struct mxw__lists *lists = store;
	size_t n = 0;

	pthread_mutex_lock(&lists->mutex);
	for (size_t i = 0; i < lists->nadded && n < max; i++)
		n += take_of_list(lists, &lists->added[i], reader, ret_records + n, max - n);
	pthread_mutex_unlock(&lists->mutex);
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

static void mark_all(void *store, mxw__state_reader_t reader)
{
	struct mxw__lists *lists = store;

	pthread_mutex_lock(&lists->mutex);
	for (size_t i = 0; i < lists->nadded; i++) {
		struct mxw__list_item *item = NULL;
		size_t cursor = 0;
		while ((item = mxw__list_set_next(lists->added[i].set, &cursor, item)))
			mark(lists, reader, item);
	}
	pthread_mutex_unlock(&lists->mutex);
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
