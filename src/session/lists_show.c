/* SPDX-License-Identifier: BSD-2-Clause */
/* lists_show.c: what is on the lists, for people: all of it, or what holds one client. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/session/lists.h"

enum { COPIED = 32 };                  /* chains and entries under one lock */

static void show(const char *list, const struct mxw__list_item *item, int64_t wall_ms,
		 void (*visit)(void *ctx, const struct mxw__list_view *view), void *ctx)
{
	struct mxw__list_view view = {list, item->entry, item->at_ms, item->until_ms, item->author, item->reason, item->line};

	if (!item->is_removed && (!item->until_ms || wall_ms < item->until_ms))
		visit(ctx, &view);
}

static void each_of_file(mxw__list_file_t *file, const char *list, int64_t wall_ms,
			 void (*visit)(void *ctx, const struct mxw__list_view *view), void *ctx)
{
	mxw__list_set_t *set = file ? mxw__list_file_content(file) : NULL;
	struct mxw__list_item *item = NULL;
	size_t cursor = 0;

	while (set && (item = mxw__list_set_next(set, &cursor, item)))
		show(list, item, wall_ms, visit, ctx);
	mxw__list_set_unref(set);
}

static void copy_item(const struct mxw__list_item *item, mxw__list_set_t *copy)
{
	struct mxw__list_line line = {.until_ms = item->until_ms};
	struct mxw__list_item *new_item;

	line.key.len = item->key_len;
	memcpy(line.key.data, item->key, item->key_len);
	snprintf(line.entry, sizeof line.entry, "%s", item->entry);
	snprintf(line.author, sizeof line.author, "%s", item->author);
	snprintf(line.reason, sizeof line.reason, "%s", item->reason);
	if (!item->is_removed && mxw__list_set_add(copy, &line, 0, &new_item) == MXW_OK)
		new_item->at_ms = item->at_ms;
}

/* From chain `*at` on; false: that was the last step, or there is no such list. */
static bool copy_step(struct mxw__lists *lists, const char *list, size_t *at, mxw__list_set_t *copy)
{
	size_t seen = 0;

	pthread_mutex_lock(&lists->mutex);
	struct mxw__added_list *added = mxw__lists_find_locked(lists, list, 0);
	for (; added && *at < mxw__list_set_nchains(added->set) && seen < COPIED; ++*at, seen++)
		for (const struct mxw__list_item *item = mxw__list_set_chain(added->set, *at); item; item = item->next, seen++)
			copy_item(item, copy);
	mxw__lists_note_work_locked(lists, seen);
	bool goes_on = added && *at < mxw__list_set_nchains(added->set);
	pthread_mutex_unlock(&lists->mutex);
	return goes_on;
}

/* A copy, made in steps, so that nothing is locked while somebody looks; without memory the rest is not shown. */
static mxw__list_set_t *copy_added(struct mxw__lists *lists, const char *list)
{
	mxw__list_set_t *copy = mxw__list_set_new(SIZE_MAX);
	size_t at = 0;

	while (copy && copy_step(lists, list, &at, copy))
		;
	return copy;
}

void mxw__lists_each(mxw_engine_t *engine, void (*visit)(void *ctx, const struct mxw__list_view *view), void *ctx)
{
	struct mxw__lists *lists = engine->lists;
	mxw_conf_t *conf = mxw_engine_conf(engine);
	struct mxw__list_files *files = mxw__list_files_ref(lists);
	int64_t wall_ms = lists->clock.wall_ms(lists->clock.ctx);

	for (size_t i = 0; i < conf->nlists; i++)
		each_of_file(mxw__list_files_find(files, &conf->lists[i]), conf->lists[i].name, wall_ms, visit, ctx);
	mxw__list_files_unref(files);
	for (size_t i = 0; i < conf->nlists; i++) {
		mxw__list_set_t *set = copy_added(lists, conf->lists[i].name);
		struct mxw__list_item *item = NULL;
		size_t cursor = 0;
		while (set && (item = mxw__list_set_next(set, &cursor, item)))
			show(conf->lists[i].name, item, wall_ms, visit, ctx);
		mxw__list_set_unref(set);
	}
	mxw_conf_unref(conf);
}

/* ---- one ---- */

static void copy_found(struct mxw__lists *lists, const char *list, const struct mxw__sought *what, int64_t wall_ms, mxw__list_set_t *copy)
{
	pthread_mutex_lock(&lists->mutex);
	const struct mxw__added_list *added = mxw__lists_find_locked(lists, list, 0);
	const struct mxw__list_item *item = added ? mxw__lists_find(added->set, what, wall_ms) : NULL;
	if (item)
		copy_item(item, copy);
	pthread_mutex_unlock(&lists->mutex);
}

/* As sessions do it: what was added first. */
static void find_one(struct mxw__lists *lists, mxw__list_file_t *file, const char *list, const struct mxw__sought *what,
		     void (*visit)(void *ctx, const struct mxw__list_view *view), void *ctx)
{
	int64_t wall_ms = lists->clock.wall_ms(lists->clock.ctx);
	mxw__list_set_t *found = mxw__list_set_new(1), *content = file ? mxw__list_file_content(file) : NULL;
	const struct mxw__list_item *item = NULL;

	if (found) {
		copy_found(lists, list, what, wall_ms, found);
		item = mxw__lists_find(found, what, wall_ms);
	}
	if (!item && content)
		item = mxw__lists_find(content, what, wall_ms);
	if (item)
		show(list, item, wall_ms, visit, ctx);
	mxw__list_set_unref(found);
	mxw__list_set_unref(content);
}

void mxw__lists_each_with(mxw_engine_t *engine, const struct mxw__sought *what,
			  void (*visit)(void *ctx, const struct mxw__list_view *view), void *ctx)
{
	mxw_conf_t *conf = mxw_engine_conf(engine);
	struct mxw__list_files *files = mxw__list_files_ref(engine->lists);

	for (size_t i = 0; i < conf->nlists; i++)
		find_one(engine->lists, mxw__list_files_find(files, &conf->lists[i]), conf->lists[i].name, what, visit, ctx);
	mxw__list_files_unref(files);
	mxw_conf_unref(conf);
}
