/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/source.h"
#include "src/lists/file.h"

struct mxw__list_file {
	atomic_uint refs;
	char *path, *name;
	mxw__list_kind_t kind;
	size_t max;
	struct mxw__noticer noticer;
	mxw__watch_t *watch;     /* NULL while it is read for the first time */
};

/* Whoever has loaded the configuration was told of the lines that were bad then; the first reading only counts them. */
static void tell_bad_line(struct mxw__reading *reading, unsigned number, const char *what)
{
	const mxw__list_file_t *file = reading->ctx;

	if (file->watch)
		mxw__reading_bad_line(reading, number, what);
	else
		reading->nbad++;
}

static void *parse(struct mxw__reading *reading, char *data, size_t len)
{
	const mxw__list_file_t *file = reading->ctx;
	mxw__list_set_t *set = mxw__list_set_new(file->max);
	char *rest = data, *text, complaint[MXW__LIST_COMPLAINT_MAX];
	struct mxw__list_line line;
	mxw_status_t status = set ? MXW_OK : MXW_ERR_NOMEM;
	size_t n;

	for (unsigned number = 1; status != MXW_ERR_NOMEM && (text = mxw__next_line(&rest, data + len, &n)); number++) {
		if (!mxw__list_line_parse(text, n, file->kind, &line, complaint)) {
			if (*complaint)
				tell_bad_line(reading, number, complaint);
			continue;
		}
		status = mxw__list_set_add(set, &line, number, NULL);
		if (status == MXW_ERR_LIMIT)
			tell_bad_line(reading, number, "more entries than max-entries");
	}
	if (status != MXW_ERR_NOMEM)
		return set;
	mxw__list_set_unref(set);
	return NULL;
}

static void ref_content(void *set)
{
	mxw__list_set_ref(set);
}

static void unref_content(void *set)
{
	mxw__list_set_unref(set);
}

static size_t count_content(const void *set)
{
	return mxw__list_set_count(set);
}

static const struct mxw__watch_ops ops = {
	.parse = parse,
	.ref = ref_content,
	.unref = unref_content,
	.count = count_content,
	.without = "what is on it is not known",
};

mxw_status_t mxw__list_file_new(const struct mxw__list_conf *conf, const struct mxw_clock *clock,
				void (*notice)(void *ctx, bool is_error, const char *text), void *notice_ctx,
				mxw__list_file_t **ret_file)
{
	mxw__list_file_t *file = calloc(1, sizeof *file);

	if (!file)
		return MXW_ERR_NOMEM;
	atomic_init(&file->refs, 1);
	file->path = strdup(conf->file);
	file->name = strdup(conf->name);
	file->kind = conf->kind;
	file->max = (size_t)conf->max_entries;
	file->noticer = (struct mxw__noticer){notice, notice_ctx, file->name, "list"};
	mxw_status_t status = file->path && file->name ? MXW_OK : MXW_ERR_NOMEM;
	if (status == MXW_OK)
		status = mxw__watch_new_of(file->path, clock, &file->noticer, &ops, file, &file->watch);
	if (status != MXW_OK) {
		mxw__list_file_unref(file);
		return status;
	}
	*ret_file = file;
	return MXW_OK;
}

mxw__list_file_t *mxw__list_file_ref(mxw__list_file_t *file)
{
	atomic_fetch_add(&file->refs, 1);
	return file;
}

void mxw__list_file_unref(mxw__list_file_t *file)
{
	if (!file || atomic_fetch_sub(&file->refs, 1) != 1)
		return;
	mxw__watch_free(file->watch);
	free(file->path);
	free(file->name);
	free(file);
}

bool mxw__list_file_is_of(const mxw__list_file_t *file, const struct mxw__list_conf *conf)
{
	return strcmp(file->path, conf->file) == 0 && strcmp(file->name, conf->name) == 0 && file->kind == conf->kind &&
	       file->max == conf->max_entries;
}

mxw__list_set_t *mxw__list_file_content(mxw__list_file_t *file)
{
	return mxw__watch_get(file->watch, NULL);
}

void mxw__list_file_check(const struct mxw__list_conf *conf, void (*complain)(void *ctx, unsigned line, const char *what), void *ctx)
{
	char *data, *rest, *text, complaint[MXW__LIST_COMPLAINT_MAX];
	struct mxw__list_line line;
	size_t len, n, entries = 0;

	if (mxw__file_read(conf->file, MXW__WATCH_FILE_MAX, &data, &len, NULL) != MXW_OK)
		return;
	rest = data;
	for (unsigned number = 1; (text = mxw__next_line(&rest, data + len, &n)); number++) {
		if (mxw__list_line_parse(text, n, conf->kind, &line, complaint) && ++entries == conf->max_entries + 1)
			complain(ctx, number, "more entries than max-entries");
		else if (*complaint)
			complain(ctx, number, complaint);
	}
	free(data);
}
