/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that is read again when it changed. Readers hold a counted content, a set of names most often, and never wait for the disk.
 *
 * A file that is replaced (written beside, then renamed: another inode) is read at once. One that is written
 * in place may be half there when we look, and what is missing from it would be refused as unknown:
 * while its last change is younger than a second its old content stays, and a name that is not in
 * there is "temporary", not "not found". A writer who never pauses is taken as he is after some looks, and so is
 * an empty file: "program > file" makes it empty, however long the program then needs. At the very first look there is
 * no old content: one that is so young is read, what is in there is found, and what is not is "temporary" until the
 * next look.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/directory/source.h"

enum { CHECK_MS = 1000, SETTLE_MS = 1000, SETTLE_LOOKS = 10 };

struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct mxw__watch {
	const char *path;
	const struct mxw_clock *clock;
	const struct mxw__noticer *noticer;
	const struct mxw__watch_ops *ops;
	mxw__watch_parse_fn parse; /* of a set of names */
	void *ctx;

	pthread_mutex_t lock;  /* a leaf: nothing else is locked, read or told under it */
	void *content;         /* NULL: never read */
	bool is_settling;
	bool is_checking;      /* one caller is looking at the file; what follows "loaded" is his */
	int64_t checked_ms;

	struct stamp loaded;   /* of `content` */
	unsigned settle_looks;
	bool is_told;          /* that it can't be read */
};

static struct stamp make_stamp(const struct stat *st)
{
	return (struct stamp){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

static bool time_equal(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && time_equal(a->mtime, b->mtime) &&
	       time_equal(a->ctime, b->ctime);
}

static mxw_status_t take_stamp(const char *path, struct stamp *ret_stamp, struct mxw_error *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "%s: %s", path, strerror(errno));
	/* A FIFO would keep us waiting for its writer. */
	if (!S_ISREG(st.st_mode))
		return mxw__fail(err, MXW_ERR_SYSTEM, "%s: is no regular file", path);
	*ret_stamp = make_stamp(&st);
	return MXW_OK;
}

/* ---- names as a content ---- */

static void *parse_names(struct mxw__reading *reading, char *data, size_t len)
{
	mxw__watch_t *watch = reading->ctx;
	mxw__names_t *names = mxw__names_new();

	reading->ctx = watch->ctx;
	if (names && watch->parse(reading, data, len, names) == MXW_OK)
		return names;
	mxw__names_unref(names);
	return NULL;
}

static void ref_names(void *names)
{
	mxw__names_ref(names);
}

static void unref_names(void *names)
{
	mxw__names_unref(names);
}

static size_t count_names(const void *names)
{
	return mxw__names_count(names);
}

static const struct mxw__watch_ops names_ops = {
	.parse = parse_names,
	.ref = ref_names,
	.unref = unref_names,
	.count = count_names,
	.without = "nobody can be looked up there",
};

/* ---- reading ---- */

static mxw_status_t read_content(mxw__watch_t *watch, void **ret_content, struct mxw_error *err)
{
	void *ctx = watch->ops == &names_ops ? watch : watch->ctx;
	struct mxw__reading reading = {.noticer = watch->noticer, .path = watch->path, .ctx = ctx};
	char *data = NULL;
	size_t len = 0;
	mxw_status_t status = mxw__file_read(watch->path, MXW__WATCH_FILE_MAX, &data, &len, err);

	if (status != MXW_OK)
		return status;
	void *content = watch->ops->parse(&reading, data, len);
	free(data);
	if (!content)
		return mxw__fail(err, MXW_ERR_NOMEM, "%s: %s", watch->path, mxw_status_name(MXW_ERR_NOMEM));
	if (reading.nbad > 0)
		mxw__noticef(watch->noticer, false, "%s: %zu entries read, %lu lines ignored", watch->path,
			     watch->ops->count(content), reading.nbad);
	*ret_content = content;
	return MXW_OK;
}

static void publish(mxw__watch_t *watch, void *content, bool is_settling)
{
	pthread_mutex_lock(&watch->lock);
	void *old = NULL;
	if (content) {
		old = watch->content;
		watch->content = content;
	}
	watch->is_settling = is_settling;
	pthread_mutex_unlock(&watch->lock);
	watch->ops->unref(old);
}

static void tell_failure(mxw__watch_t *watch, const struct mxw_error *err)
{
	if (!watch->is_told)
		mxw__noticef(watch->noticer, !watch->content, "%s; %s", err->text,
			     watch->content ? "what was read last stays in use" : watch->ops->without);
	watch->is_told = true;
}

static bool is_young(const mxw__watch_t *watch, const struct stamp *stamp)
{
	int64_t changed_ms = (int64_t)stamp->mtime.tv_sec * 1000 + stamp->mtime.tv_nsec / 1000000;
	int64_t age = watch->clock->wall_ms(watch->clock->ctx) - changed_ms;

	return age > -SETTLE_MS && age < SETTLE_MS;
}

/* Is somebody in the middle of writing it? */
static bool is_being_written(mxw__watch_t *watch, const struct stamp *now)
{
	if (!watch->content || now->ino != watch->loaded.ino || now->dev != watch->loaded.dev)
		return false;
	bool is_emptied = now->size == 0 && watch->ops->count(watch->content) > 0;
	return (is_young(watch, now) || is_emptied) && ++watch->settle_looks < SETTLE_LOOKS;
}

/* By the one caller who set is_checking; he alone changes `content`, so he may read it without the lock. */
static void check_file(mxw__watch_t *watch)
{
	struct mxw_error err;
	struct stamp before, after;
	void *content = NULL;

	if (take_stamp(watch->path, &before, &err) != MXW_OK) {
		tell_failure(watch, &err);
		publish(watch, NULL, false);
		return;
	}
	if (watch->content && !watch->is_told && stamp_equal(&before, &watch->loaded)) {
		watch->settle_looks = 0;
		publish(watch, NULL, false);
		return;
	}
	if (is_being_written(watch, &before)) {
		publish(watch, NULL, true);
		return;
	}
	if (read_content(watch, &content, &err) != MXW_OK) {
		tell_failure(watch, &err);
		publish(watch, NULL, false);
		return;
	}
	if (watch->is_told)
		mxw__noticef(watch->noticer, false, "%s: read again, %zu entries", watch->path,
			     watch->ops->count(content));
	watch->is_told = false;
	watch->settle_looks = 0;
	/* Changed while it was read, or perhaps about to be: the next look must find it changed. */
	bool is_whole = take_stamp(watch->path, &after, NULL) == MXW_OK && stamp_equal(&before, &after) &&
			(watch->content || !is_young(watch, &before));
	watch->loaded = is_whole ? before : (struct stamp){.dev = before.dev, .ino = before.ino};
	publish(watch, content, !is_whole);
}

void *mxw__watch_get(mxw__watch_t *watch, bool *ret_is_settling)
{
	int64_t now = mxw__now_ms(watch->clock);

	pthread_mutex_lock(&watch->lock);
	bool mine = !watch->is_checking && now - watch->checked_ms >= CHECK_MS;
	if (mine) {
		watch->is_checking = true;
		watch->checked_ms = now;
	}
	pthread_mutex_unlock(&watch->lock);
	if (mine)
		check_file(watch);

	pthread_mutex_lock(&watch->lock);
	if (mine)
		watch->is_checking = false;
	void *content = watch->content;
	if (content)
		watch->ops->ref(content);
	if (ret_is_settling)
		*ret_is_settling = watch->is_settling;
	pthread_mutex_unlock(&watch->lock);
	return content;
}

mxw__names_t *mxw__watch_content(mxw__watch_t *watch, bool *ret_is_settling)
{
	return mxw__watch_get(watch, ret_is_settling);
}

void mxw__watch_lookup(mxw__watch_t *watch, const char *const *keys, size_t nkeys,
		       struct mxw__rcpt_result *ret_result)
{
	bool is_settling;
	mxw__names_t *names = mxw__watch_content(watch, &is_settling);

	if (!names) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "%s can't be read", watch->path);
		return;
	}
	bool is_found = false;
	for (size_t i = 0; i < nkeys && !is_found; i++)
		is_found = mxw__names_find(names, keys[i], strlen(keys[i]), NULL);
	mxw__names_unref(names);
	if (is_found)
		mxw__rcpt_answer(ret_result, MXW_FOUND);
	else if (is_settling)
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "%s is being written", watch->path);
	else
		mxw__rcpt_answer(ret_result, MXW_NOT_FOUND);
}

/* The first look at the file; frees `watch` where it fails. */
static mxw_status_t open_watch(mxw__watch_t *watch, mxw__watch_t **ret_watch)
{
	if (pthread_mutex_init(&watch->lock, NULL) != 0) {
		free(watch);
		return MXW_ERR_SYSTEM;
	}
	watch->checked_ms = mxw__now_ms(watch->clock);
	check_file(watch);
	*ret_watch = watch;
	return MXW_OK;
}

static mxw__watch_t *make_watch(const char *path, const struct mxw_clock *clock, const struct mxw__noticer *noticer,
				const struct mxw__watch_ops *ops, void *ctx)
{
	mxw__watch_t *watch = calloc(1, sizeof *watch);

	if (!watch)
		return NULL;
	watch->path = path;
	watch->clock = clock;
	watch->noticer = noticer;
	watch->ops = ops;
	watch->ctx = ctx;
	return watch;
}

mxw_status_t mxw__watch_new_of(const char *path, const struct mxw_clock *clock, const struct mxw__noticer *noticer,
			       const struct mxw__watch_ops *ops, void *ctx, mxw__watch_t **ret_watch)
{
	mxw__watch_t *watch = make_watch(path, clock, noticer, ops, ctx);

	return watch ? open_watch(watch, ret_watch) : MXW_ERR_NOMEM;
}

mxw_status_t mxw__watch_new(const char *path, const struct mxw_clock *clock, const struct mxw__noticer *noticer,
			    mxw__watch_parse_fn parse, void *ctx, mxw__watch_t **ret_watch)
{
	mxw__watch_t *watch = make_watch(path, clock, noticer, &names_ops, ctx);

	if (!watch)
		return MXW_ERR_NOMEM;
	watch->parse = parse;
	return open_watch(watch, ret_watch);
}

void mxw__watch_free(mxw__watch_t *watch)
{
	if (!watch)
		return;
	pthread_mutex_destroy(&watch->lock);
	watch->ops->unref(watch->content);
	free(watch);
}
