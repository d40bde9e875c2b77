/* SPDX-License-Identifier: BSD-2-Clause */
/* The offline copy of one directory: its beginning, its thread, its end. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/copy_inside.h"

enum { FIRST_SPREAD_MS = 2000, RETRY_MS = 10000, TOUCH_MS = 300000, CLOCK_SLACK_MS = 60000 };

/* Something up to `max`, so that several hosts do not ask at one time. */
static int64_t some_of(int64_t max)
{
	return max > 0 ? (int64_t)(mxw__random_u64() % (uint64_t)max) : 0;
}

/* Leaves a mark of the time, which a clock that is set back can't be before. */
static void touch(mxw__copy_t *copy)
{
	int64_t now = mxw__copy_wall_ms(copy);

	if (copy->env->is_read_only)
		return;
	if (copy->in_use.map && !copy->in_use.is_clock_suspect && now > mxw__copy_map_seen(copy->in_use.map))
		mxw__copy_map_touch(copy->in_use.map, now);
}

/* ---- start ---- */

static void add_text(struct mxw__buf *buf, const char *name, const char *text)
{
	mxw__buf_addf(buf, "%s=%zu:%s\n", name, text ? strlen(text) : 0, text ? text : "");
}

static void add_texts(struct mxw__buf *buf, const char *name, const struct mxw__strings *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		add_text(buf, name, texts->v[i]);
}

/* What the list depends on; not how the directory is reached: a server put in the place of a dead one has the same. */
static bool make_print(mxw__copy_t *copy)
{
	const struct mxw__directory_conf *conf = copy->env->conf;
	unsigned char hash[32];
	struct mxw__buf buf;

	mxw__buf_init(&buf, 16 * 1024 * 1024);
	add_text(&buf, "type", copy->ops->type);
	add_text(&buf, "path", conf->path);
	add_texts(&buf, "base", &conf->bases);
	add_text(&buf, "scope", conf->scope);
	add_text(&buf, "filter", conf->copy_filter);
	add_texts(&buf, "address", &conf->address_attributes);
	add_text(&buf, "class", conf->class_attribute);
	add_text(&buf, "internal-only", conf->internal_only_attribute);
	add_text(&buf, "disabled", conf->disabled_attribute);
	if (mxw__copy_has_domain_bases(conf))
		add_texts(&buf, "domain", &copy->env->domains);
	bool ok = !buf.failed && mxw__copy_hmac(copy->keys.settings, mxw__buf_str(&buf), buf.len, hash);
	mxw__buf_fini(&buf);
	if (ok)
		memcpy(copy->print, hash, sizeof copy->print);
	return ok;
}

static void set_aside(const mxw__copy_t *copy, const char *why)
{
	char aside[MXW__COPY_PATH_SIZE + 16];

	snprintf(aside, sizeof aside, "%s.damaged", copy->path);
	if (!copy->env->is_read_only && rename(copy->path, aside) == 0)
		mxw__noticef(&copy->noticer, true, "the offline copy is not used: %.200s; it was renamed to %.200s", why, aside);
	else
		mxw__noticef(&copy->noticer, true, "the offline copy is not used: %.200s", why);
}

static void load_file(mxw__copy_t *copy)
{
	struct mxw__copy_in_use list = {.since_ms = mxw__copy_mono_ms(copy)};
	struct mxw_error err = {0};
	int64_t now = mxw__copy_wall_ms(copy);

	mxw_status_t status = mxw__copy_map_open(copy->path, &copy->keys, &list.map, &err);
	if (status == MXW_ERR_INVALID)
		set_aside(copy, err.text);
	else if (status != MXW_OK)
		mxw__noticef(&copy->noticer, true, "the offline copy is not used: %s", err.text);
	if (status != MXW_OK || !list.map)
		return;
	const struct mxw__copy_head *head = &mxw__copy_map_view(list.map)->head;
	if (memcmp(head->print, copy->print, sizeof copy->print) != 0) {
		set_aside(copy, "it was made with other settings of this directory");
		mxw__copy_map_unref(list.map);
		return;
	}
	list.age_ms = now > head->completed_ms ? now - head->completed_ms : 0;
	list.is_clock_suspect = now < head->completed_ms - CLOCK_SLACK_MS ||
				now < mxw__copy_map_seen(list.map) - CLOCK_SLACK_MS;
	if (list.is_clock_suspect)
		mxw__noticef(&copy->noticer, false, "the clock is before the time the offline copy was last in use: until the "
			     "next list it does not say that an address is absent");
	mxw__copy_put_in_use(copy, &list);
}

bool mxw__copy_get_ready(mxw__copy_t *copy, struct mxw_error *ret_err)
{
	if (copy->is_ready)
		return true;
	if (!copy->env->state_dir || !*copy->env->state_dir) {
		mxw__fail(ret_err, MXW_ERR_CONF, "there is no state-dir to keep it in");
		return false;
	}
	if (mxw__copy_keys_load(copy->env->state_dir, copy->env->is_read_only, &copy->keys, ret_err) != MXW_OK)
		return false;
	if (!make_print(copy)) {
		mxw__fail(ret_err, MXW_ERR_NOMEM, "out of memory");
		return false;
	}
	if (!copy->env->is_read_only)
		mxw__copy_file_tidy(copy->path);
	load_file(copy);
	copy->is_ready = true;
	return true;
}

void mxw__copy_complain(mxw__copy_t *copy, const char *why)
{
	if (strncmp(copy->told, why, sizeof copy->told - 1) != 0)
		mxw__noticef(&copy->noticer, true, "the offline copy can't be made: %s", why);
	snprintf(copy->told, sizeof copy->told, "%.199s", why);
}

/* The directory's name, with all that has a meaning in a path written as %XX. */
static bool make_path(mxw__copy_t *copy)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, sizeof copy->path - 16);
	mxw__buf_addf(&buf, "%s/copy-", copy->env->state_dir ? copy->env->state_dir : "");
	for (const char *p = copy->env->conf->name; *p; p++)
		if (mxw__ascii_isalnum(*p) || *p == '-' || *p == '_')
			mxw__buf_addc(&buf, *p);
		else
			mxw__buf_addf(&buf, "%%%02x", (unsigned)(unsigned char)*p);
	bool ok = !buf.failed;
	snprintf(copy->path, sizeof copy->path, "%s", mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
	return ok;
}

/* ---- the thread ---- */

static void plan_next(mxw__copy_t *copy, mxw__copy_pull_t pull)
{
	int64_t interval = (int64_t)copy->env->conf->copy_interval_ms, pause = RETRY_MS;

	copy->failures = pull == MXW__COPY_FAILED ? copy->failures + 1 : 0;
	for (unsigned i = 1; i < copy->failures && pause < interval; i++)
		pause *= 2;
	/* A doubtful list is not tried sooner: what is being restored takes its time. */
	if (pull != MXW__COPY_FAILED || pause > interval)
		pause = interval;
	copy->due_ms = mxw__copy_mono_ms(copy) + pause - some_of(pause / 10);
}

static void plan_first(mxw__copy_t *copy)
{
	int64_t interval = (int64_t)copy->env->conf->copy_interval_ms, left = 0;

	if (copy->in_use.map && !copy->in_use.is_clock_suspect && copy->in_use.age_ms < interval)
		left = interval - copy->in_use.age_ms;
	copy->due_ms = mxw__copy_mono_ms(copy) + left + some_of(FIRST_SPREAD_MS);
}

int64_t mxw__copy_pause(mxw__copy_t *copy)
{
	int64_t left = copy->due_ms - mxw__copy_mono_ms(copy);

	return left > 0 ? left : 0;
}

static void *copy_main(void *arg)
{
	mxw__copy_t *copy = arg;

	pthread_mutex_lock(&copy->lock);
	while (!copy->is_stopping) {
		int64_t left = mxw__copy_pause(copy);
		if (left > 0)
			mxw__cond_wait_ms(&copy->changed, &copy->lock, left < TOUCH_MS ? left : TOUCH_MS);
		bool is_due = left == 0 && !copy->is_stopping;
		pthread_mutex_unlock(&copy->lock);
		if (is_due)
			plan_next(copy, mxw__copy_pull(copy));
		touch(copy);
		pthread_mutex_lock(&copy->lock);
	}
	pthread_mutex_unlock(&copy->lock);
	return NULL;
}

mxw_status_t mxw__copy_start(mxw__copy_t *copy, struct mxw_error *err)
{
	int rc = mxw__quiet_thread(&copy->thread, copy_main, copy);

	if (rc != 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "no thread: %s", strerror(rc));
	copy->has_thread = true;
	return MXW_OK;
}

mxw_status_t mxw__copy_new(const struct mxw__directory_env *env, const struct mxw__directory_ops *ops, void *self,
			   mxw__copy_t **ret_copy, struct mxw_error *err)
{
	mxw__copy_t *copy = calloc(1, sizeof *copy);
	struct mxw_error why = {0};

	if (!copy)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	copy->env = env;
	copy->ops = ops;
	copy->self = self;
	copy->noticer = (struct mxw__noticer){env->notice, env->notice_ctx, env->conf->name, "directory"};
	int rc = pthread_mutex_init(&copy->lock, NULL);
	if (rc == 0 && (rc = mxw__cond_init(&copy->changed)) != 0)
		pthread_mutex_destroy(&copy->lock);
	if (rc != 0 || !make_path(copy)) {
		free(copy);
		return mxw__fail(err, MXW_ERR_SYSTEM, "no offline copy: %s", rc ? strerror(rc) : "the name is too long");
	}
	if (!mxw__copy_get_ready(copy, &why))
		mxw__copy_complain(copy, why.text);
	plan_first(copy);
	*ret_copy = copy;
	return MXW_OK;
}

void mxw__copy_free(mxw__copy_t *copy)
{
	if (!copy)
		return;
	pthread_mutex_lock(&copy->lock);
	copy->is_stopping = true;
	pthread_cond_broadcast(&copy->changed);
	pthread_mutex_unlock(&copy->lock);
	if (copy->ops->interrupt && copy->self)
		copy->ops->interrupt(copy->self);
	if (copy->has_thread)
		pthread_join(copy->thread, NULL);
	touch(copy);
	mxw__copy_map_unref(copy->in_use.map);
	mxw__wipe(&copy->keys, sizeof copy->keys);
	pthread_cond_destroy(&copy->changed);
	pthread_mutex_destroy(&copy->lock);
	free(copy);
}
