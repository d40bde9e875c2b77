/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/journal/dmarc_copy.h"
#include "src/journal/dmarc_db.h"

enum {
	PATH_ROOM = 4096,
	QUEUE_MAX = 4096,            /* some MB */
	BATCH_MAX = 256,
	BATCH_MS = 1000,
	RETRY_MS = 10 * 1000,
	STOP_MS = 3 * 1000,
	TRIM_MS = 60 * 1000,         /* how often it is looked for what is too old */
	TRIM_STEPS = 20,             /* at one time */
	NOTICE_MS = 60 * 60 * 1000,
};

struct mxw__dmarc_store {
	struct mxw__dmarc_store_env env;
	struct mxw_clock clock;
	char path[PATH_ROOM];
	bool has_thread;
	pthread_t thread;
	atomic_bool is_cancelled;    /* the end does not wait any longer */
	pthread_mutex_t mutex;       /* guards what follows; a leaf */
	pthread_cond_t wake, done;
	bool is_stopping, has_stopped;
	uint64_t keep_ms, max_evaluations;
	unsigned flushes_wanted, flushes_done;
	bool is_flushed;             /* the last flush has done all there was to do */
	uint64_t written, dropped;
	struct mxw__dmarc_evaluation **queue; /* a ring */
	size_t first, n;
	/* The writer's own. */
	mxw__dmarc_db_t *db;
	bool is_pausing;             /* after a failure */
	bool was_damaged;            /* and nothing could be written since */
	bool is_removed;             /* nothing is to be kept, and the file is gone */
	bool has_complained;
	int64_t complained_ms, trimmed_ms;
	uint64_t dropped_told;
};

/* ---- adding ---- */

bool mxw__dmarc_store_is_on(const mxw__dmarc_store_t *store)
{
	mxw__dmarc_store_t *self = (mxw__dmarc_store_t *)(uintptr_t)store;

	if (!self->has_thread)
		return false;
	pthread_mutex_lock(&self->mutex);
	bool is_on = self->keep_ms > 0;
	pthread_mutex_unlock(&self->mutex);
	return is_on;
}

static bool push_locked(mxw__dmarc_store_t *store, struct mxw__dmarc_evaluation *e)
{
	if (store->keep_ms == 0)
		return false;
	if (!e || store->n == store->env.queue_max) {
		store->dropped++;
		return false;
	}
	store->queue[(store->first + store->n++) % store->env.queue_max] = e;
	/* The first of a batch, and the last. */
	if (store->n == 1 || store->n == BATCH_MAX)
		pthread_cond_signal(&store->wake);
	return true;
}

bool mxw__dmarc_store_add(mxw__dmarc_store_t *store, const struct mxw__dmarc_evaluation *evaluation)
{
	if (!store->has_thread)
		return false;
	struct mxw__dmarc_evaluation *copy = mxw__dmarc_evaluation_copy(evaluation);
	pthread_mutex_lock(&store->mutex);
	bool is_taken = push_locked(store, copy);
	pthread_mutex_unlock(&store->mutex);
	if (!is_taken)
		free(copy);
	return is_taken;
}

/* ---- telling ---- */

static bool is_quiet(const mxw__dmarc_store_t *store, int64_t now_ms)
{
	return !store->env.notice || atomic_load(&store->is_cancelled) ||
	       (store->has_complained && now_ms - store->complained_ms < NOTICE_MS);
}

/* Once in an hour, whatever happens in it. */
static void complain(mxw__dmarc_store_t *store, const char *what, const char *why)
{
	int64_t now_ms = mxw__now_ms(&store->clock);
	char text[PATH_ROOM + 400];

	if (is_quiet(store, now_ms))
		return;
	pthread_mutex_lock(&store->mutex);
	uint64_t dropped = store->dropped;
	pthread_mutex_unlock(&store->mutex);
	snprintf(text, sizeof text, "%s %s%s%s; records of DMARC evaluations lost so far: %llu", store->path, what, *why ? ": " : "",
		 why, (unsigned long long)dropped);
	store->env.notice(store->env.notice_ctx, false, text);
	store->has_complained = true;
	store->complained_ms = now_ms;
	store->dropped_told = dropped;
}

/* ---- the writer ---- */

static void close_db(mxw__dmarc_store_t *store)
{
	mxw__dmarc_db_close(store->db);
	store->db = NULL;
}

/* A file that is damaged twice without a record written in between is not set aside again at once. */
static void fail(mxw__dmarc_store_t *store, mxw__db_status_t status, const char *why)
{
	char reason[MXW__DB_REASON_MAX];

	snprintf(reason, sizeof reason, "%s", why);
	close_db(store);
	store->is_pausing = true;
	if (status != MXW__DB_DAMAGED || store->was_damaged) {
		complain(store, "can't be written", reason);
		return;
	}
	store->was_damaged = true;
	if (mxw__db_set_aside(store->path)) {
		store->is_pausing = false;
		complain(store, "is damaged, and set aside as dmarc.db.bad", reason);
	} else {
		complain(store, "is damaged, and can't be set aside", strerror(errno));
	}
}

static bool open_db(mxw__dmarc_store_t *store)
{
	char reason[MXW__DB_REASON_MAX];

	if (store->db)
		return true;
	mxw__db_status_t status = mxw__dmarc_db_open(store->path, &store->is_cancelled, &store->db, reason);
	if (status == MXW__DB_DONE)
		return true;
	store->db = NULL;
	fail(store, status, reason);
	return false;
}

/* Looks at the first of the queue; they stay in it. */
static size_t peek(mxw__dmarc_store_t *store, const struct mxw__dmarc_evaluation *batch[BATCH_MAX])
{
	pthread_mutex_lock(&store->mutex);
	size_t n = store->n < BATCH_MAX ? store->n : BATCH_MAX;
	for (size_t i = 0; i < n; i++)
		batch[i] = store->queue[(store->first + i) % store->env.queue_max];
	pthread_mutex_unlock(&store->mutex);
	return n;
}

/* Takes the first `n` out of the queue. */
static void pop(mxw__dmarc_store_t *store, const struct mxw__dmarc_evaluation *const *batch, size_t n, bool is_written)
{
	pthread_mutex_lock(&store->mutex);
	store->first = (store->first + n) % store->env.queue_max;
	store->n -= n;
	if (is_written)
		store->written += n;
	pthread_mutex_unlock(&store->mutex);
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)batch[i]);
}

static bool write_queue(mxw__dmarc_store_t *store)
{
	const struct mxw__dmarc_evaluation *batch[BATCH_MAX];

	for (size_t n; (n = peek(store, batch)) > 0;) {
		if (atomic_load(&store->is_cancelled) || !open_db(store))
			return false;
		mxw__db_status_t status = mxw__dmarc_db_write(store->db, batch, n);
		if (status != MXW__DB_DONE) {
			fail(store, status, mxw__dmarc_db_reason(store->db));
			return false;
		}
		store->was_damaged = false;
		pop(store, batch, n, true);
	}
	return true;
}

/* Some steps of what is to be removed. Without a database there is nothing; an old one is opened for it. */
static bool trim(mxw__dmarc_store_t *store, uint64_t keep_ms, uint64_t max)
{
	int64_t oldest_s = (store->clock.wall_ms(store->clock.ctx) - (int64_t)keep_ms) / 1000;
	bool is_more = true;

	if (!store->db && !mxw__db_exists(store->path))
		return true;
	for (int i = 0; i < TRIM_STEPS && is_more; i++) {
		if (atomic_load(&store->is_cancelled) || !open_db(store))
			return false;
		mxw__db_status_t status = mxw__dmarc_db_trim(store->db, oldest_s, max, &is_more);
		if (status != MXW__DB_DONE) {
			fail(store, status, mxw__dmarc_db_reason(store->db));
			return false;
		}
	}
	/* What is left is done in the next round. */
	if (!is_more)
		store->trimmed_ms = mxw__now_ms(&store->clock);
	return true;
}

/* What was queued before it was switched off, and the file. */
static void remove_all(mxw__dmarc_store_t *store)
{
	const struct mxw__dmarc_evaluation *batch[BATCH_MAX];

	for (size_t n; (n = peek(store, batch)) > 0;)
		pop(store, batch, n, false);
	close_db(store);
	if (!store->is_removed)
		mxw__db_remove(store->path);
	store->is_removed = true;
}

/* True: there is nothing left to do. */
static bool work(mxw__dmarc_store_t *store, uint64_t keep_ms, uint64_t max, bool is_flush)
{
	store->is_pausing = false;
	if (keep_ms == 0) {
		remove_all(store);
		return true;
	}
	store->is_removed = false;
	bool is_done = write_queue(store);
	if (is_done && (is_flush || mxw__now_ms(&store->clock) - store->trimmed_ms >= TRIM_MS))
		is_done = trim(store, keep_ms, max);
	pthread_mutex_lock(&store->mutex);
	bool is_told = store->dropped == store->dropped_told;
	pthread_mutex_unlock(&store->mutex);
	if (!is_told)
		complain(store, "is written too slowly", "");
	return is_done;
}

/* Waits for something to do: for a record, and then for others that may go with it, until the file is to be looked at, or
 * after a failure until it may be tried again. */
static void wait_locked(mxw__dmarc_store_t *store)
{
	const struct mxw__dmarc_store_env *env = &store->env;

	if (store->is_pausing) {
		mxw__cond_wait_ms(&store->wake, &store->mutex, env->retry_ms);
		return;
	}
	if (store->n == 0)
		mxw__cond_wait_ms(&store->wake, &store->mutex, TRIM_MS);
	if (store->n && store->n < BATCH_MAX && !store->is_stopping && store->flushes_wanted == store->flushes_done)
		mxw__cond_wait_ms(&store->wake, &store->mutex, env->batch_ms);
}

static void *writer_main(void *arg)
{
	mxw__dmarc_store_t *store = arg;
	bool is_stopping = false;

	pthread_mutex_lock(&store->mutex);
	while (!is_stopping) {
		if (!store->is_stopping && store->flushes_wanted == store->flushes_done)
			wait_locked(store);
		is_stopping = store->is_stopping;
		unsigned flushes = store->flushes_wanted;
		bool is_flush = flushes != store->flushes_done;
		uint64_t keep_ms = store->keep_ms, max = store->max_evaluations;
		pthread_mutex_unlock(&store->mutex);
		bool is_done = work(store, keep_ms, max, is_flush);
		pthread_mutex_lock(&store->mutex);
		store->is_flushed = is_done;
		store->flushes_done = flushes;
		pthread_cond_broadcast(&store->done);
	}
	pthread_mutex_unlock(&store->mutex);
	/* The log is written back into the file, and removed. */
	close_db(store);
	pthread_mutex_lock(&store->mutex);
	store->has_stopped = true;
	pthread_cond_broadcast(&store->done);
	pthread_mutex_unlock(&store->mutex);
	return NULL;
}

/* ---- life ---- */

static void destroy(mxw__dmarc_store_t *store)
{
	for (; store->n; store->n--, store->first++)
		free(store->queue[store->first % store->env.queue_max]);
	free(store->queue);
	pthread_cond_destroy(&store->wake);
	pthread_cond_destroy(&store->done);
	pthread_mutex_destroy(&store->mutex);
	free(store);
}

static void set_defaults(struct mxw__dmarc_store_env *env)
{
	env->queue_max = env->queue_max ? env->queue_max : QUEUE_MAX;
	env->batch_ms = env->batch_ms ? env->batch_ms : BATCH_MS;
	env->retry_ms = env->retry_ms ? env->retry_ms : RETRY_MS;
	env->stop_ms = env->stop_ms ? env->stop_ms : STOP_MS;
}

mxw_status_t mxw__dmarc_store_new(const struct mxw__dmarc_store_env *env, mxw__dmarc_store_t **ret_store)
{
	mxw__dmarc_store_t *store = mxw__calloc(1, sizeof *store);

	if (!store)
		return MXW_ERR_NOMEM;
	store->env = *env;
	set_defaults(&store->env);
	store->clock = *env->clock;
	store->keep_ms = env->keep_ms;
	store->max_evaluations = env->max_evaluations;
	/* It is looked for old ones as soon as there is something to do. */
	store->trimmed_ms = mxw__now_ms(&store->clock) - TRIM_MS;
	atomic_init(&store->is_cancelled, false);
	pthread_mutex_init(&store->mutex, NULL);
	mxw__cond_init(&store->wake);
	mxw__cond_init(&store->done);
	store->queue = mxw__calloc(store->env.queue_max, sizeof *store->queue);
	bool is_on = env->state_dir && !env->is_read_only &&
		     snprintf(store->path, sizeof store->path, "%s/dmarc.db", env->state_dir) < (int)sizeof store->path;
	if (!store->queue) {
		destroy(store);
		return MXW_ERR_NOMEM;
	}
	if (is_on)
		store->has_thread = mxw__quiet_thread(&store->thread, writer_main, store) == 0;
	if (is_on && !store->has_thread)
		complain(store, "is not written", "no thread to be had");
	*ret_store = store;
	return MXW_OK;
}

static void wait_for_end_locked(mxw__dmarc_store_t *store)
{
	int64_t end_ms = mxw__now_ms(mxw_clock_system()) + store->env.stop_ms;

	for (int64_t now_ms; !store->has_stopped && (now_ms = mxw__now_ms(mxw_clock_system())) < end_ms;)
		mxw__cond_wait_ms(&store->done, &store->mutex, end_ms - now_ms);
}

void mxw__dmarc_store_free(mxw__dmarc_store_t *store)
{
	bool has_stopped = true;

	if (!store)
		return;
	if (store->has_thread) {
		pthread_mutex_lock(&store->mutex);
		store->is_stopping = true;
		pthread_cond_signal(&store->wake);
		wait_for_end_locked(store);
		/* What goes on is ended, and gets as much time again. */
		atomic_store(&store->is_cancelled, true);
		wait_for_end_locked(store);
		has_stopped = store->has_stopped;
		pthread_mutex_unlock(&store->mutex);
	}
	/* A disk that does not answer keeps its thread in the system's hands: it is left there, with all that is its own. */
	if (!has_stopped) {
		pthread_detach(store->thread);
		return;
	}
	if (store->has_thread)
		pthread_join(store->thread, NULL);
	destroy(store);
}

void mxw__dmarc_store_configure(mxw__dmarc_store_t *store, uint64_t keep_ms, uint64_t max_evaluations)
{
	pthread_mutex_lock(&store->mutex);
	store->keep_ms = keep_ms;
	store->max_evaluations = max_evaluations;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->mutex);
}

bool mxw__dmarc_store_flush(mxw__dmarc_store_t *store, unsigned timeout_ms)
{
	int64_t end_ms = mxw__now_ms(mxw_clock_system()) + timeout_ms;

	if (!store->has_thread)
		return true;
	pthread_mutex_lock(&store->mutex);
	unsigned wanted = ++store->flushes_wanted;
	pthread_cond_signal(&store->wake);
	for (int64_t now_ms; (int)(store->flushes_done - wanted) < 0 && (now_ms = mxw__now_ms(mxw_clock_system())) < end_ms;)
		mxw__cond_wait_ms(&store->done, &store->mutex, end_ms - now_ms);
	bool is_done = (int)(store->flushes_done - wanted) >= 0 && store->is_flushed;
	pthread_mutex_unlock(&store->mutex);
	return is_done;
}

void mxw__dmarc_store_get_stats(mxw__dmarc_store_t *store, struct mxw__dmarc_store_stats *ret_stats)
{
	pthread_mutex_lock(&store->mutex);
	*ret_stats = (struct mxw__dmarc_store_stats){store->written, store->dropped, store->n};
	pthread_mutex_unlock(&store->mutex);
}
