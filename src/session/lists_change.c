/* SPDX-License-Identifier: BSD-2-Clause */
/* lists_change.c: what is added to lists while running: writing, removing, and what nobody needs any more. */
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

enum { ALL_READERS = (1 << MXW__STATE_READERS) - 1 };

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
	*list = (struct mxw__added_list){.max = max, .set = mxw__list_set_new(SIZE_MAX), .soonest_ms = INT64_MAX};
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

int64_t mxw__lists_needed_until(const struct mxw__list_item *item)
{
	int64_t until = item->until_ms ? item->until_ms : item->at_ms + FOREVER_MS;

	return item->is_removed && item->at_ms + REMOVED_MS < until ? item->at_ms + REMOVED_MS : until;
}

/* Some chains of the round in which room is made by what nobody needs any more. `soonest_ms`: when the first of the rest is not needed. */
static void purge_some_locked(struct mxw__lists *lists, struct mxw__added_list *list, size_t *chain, int64_t now, int64_t *soonest_ms)
{
	size_t seen = 0;

	for (; *chain < mxw__list_set_nchains(list->set) && seen < MXW__LISTS_STEP; ++*chain, seen++) {
		struct mxw__list_item *item = mxw__list_set_chain(list->set, *chain), *after;
		for (; item; item = after, seen++) {
			after = item->next;
			if (mxw__lists_needed_until(item) > now) {
				*soonest_ms = mxw__lists_needed_until(item) < *soonest_ms ? mxw__lists_needed_until(item) : *soonest_ms;
				continue;
			}
			uncount(lists, item);
			mxw__list_set_remove(list->set, item);
		}
	}
	mxw__lists_note_work_locked(lists, seen);
}

/* The list, if it has no room for this one, and any of it may be done with. */
static struct mxw__added_list *find_full_locked(struct mxw__lists *lists, const char *name, const struct mxw__list_key *key, int64_t now)
{
	struct mxw__added_list *list = mxw__lists_find_locked(lists, name, 0);
	bool is_full = list && mxw__list_set_count(list->set) >= list->max && !mxw__list_set_get(list->set, key);

	return is_full && now >= list->soonest_ms ? list : NULL;
}

/* A round that has begun goes through all, so that the next ones find room at once. */
void mxw__lists_make_room(struct mxw__lists *lists, const char *name, const struct mxw__list_key *key)
{
	int64_t now = wall_ms(lists), soonest_ms = INT64_MAX;
	uint64_t nwritten = 0;
	bool goes_on = true;

	for (size_t chain = 0; goes_on;) {
		pthread_mutex_lock(&lists->mutex);
		struct mxw__added_list *list =
			chain ? mxw__lists_find_locked(lists, name, 0) : find_full_locked(lists, name, key, now);
		goes_on = list;
		if (list) {
			nwritten = chain ? nwritten : list->nwritten;
			purge_some_locked(lists, list, &chain, now, &soonest_ms);
			goes_on = chain < mxw__list_set_nchains(list->set);
			if (!goes_on && list->nwritten == nwritten)
				list->soonest_ms = soonest_ms;
		}
		pthread_mutex_unlock(&lists->mutex);
	}
}

mxw_status_t mxw__lists_write_locked(struct mxw__lists *lists, struct mxw__added_list *list, const struct mxw__list_line *line,
				     int64_t at_ms, bool is_removed, unsigned changed)
{
	struct mxw__list_item *item = mxw__list_set_get(list->set, &line->key);

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
	list->nwritten++;
	if (mxw__lists_needed_until(item) < list->soonest_ms)
		list->soonest_ms = mxw__lists_needed_until(item);
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

const struct mxw__list_conf *mxw__lists_section(const mxw_conf_t *conf, const char *list, struct mxw_error *err)
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
	const struct mxw__list_conf *section = mxw__lists_section(conf, list, err);
	struct mxw__list_line line = {.until_ms = until_ms > 0 ? until_ms : 0};
	mxw_status_t status = section ? make_line(section, entry, &line, err) : MXW_ERR_INVALID;

	if (status == MXW_OK)
		status = take_text(line.author, sizeof line.author, author, "author", err);
	if (status == MXW_OK)
		status = take_text(line.reason, sizeof line.reason, reason, "reason", err);
	if (status == MXW_OK) {
		mxw__lists_make_room(lists, list, &line.key);
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
	const struct mxw__list_conf *section = mxw__lists_section(conf, list, err);
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
