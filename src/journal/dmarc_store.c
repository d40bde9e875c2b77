/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/journal/dmarc_copy.h"
#include "src/journal/dmarc_db.h"
#include "src/sql/writer.h"

enum {
	PATH_ROOM = 4096,
	QUEUE_MAX = 4096,            /* some MB */
	BATCH_MAX = 256,
	BATCH_MS = 1000,
	RETRY_MS = 10 * 1000,
	STOP_MS = 3 * 1000,
	TRIM_MS = 60 * 1000,         /* how often it is looked for what is too old */
	TRIM_STEPS = 20,             /* at one time */
};

struct mxw__dmarc_store {
	struct mxw__dmarc_store_env env;
	struct mxw_clock clock;
	char path[PATH_ROOM];
	bool is_on;                  /* there is a writer */
	mxw__writer_t *writer;
	pthread_mutex_t mutex;       /* guards what follows; a leaf */
	uint64_t keep_ms, max_evaluations;
	uint64_t written, dropped;
	struct mxw__dmarc_evaluation **queue; /* a ring */
	size_t first, n;
	/* The writer's own. */
	mxw__dmarc_db_t *db;
	bool is_removed;             /* nothing is to be kept, and the file is gone */
	int64_t trimmed_ms;
	uint64_t dropped_told;
};

/* ---- adding ---- */

bool mxw__dmarc_store_is_on(const mxw__dmarc_store_t *store)
{
	mxw__dmarc_store_t *self = (mxw__dmarc_store_t *)(uintptr_t)store;

	if (!self->is_on)
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
	return true;
}

bool mxw__dmarc_store_add(mxw__dmarc_store_t *store, const struct mxw__dmarc_evaluation *evaluation)
{
	if (!store->is_on)
		return false;
	struct mxw__dmarc_evaluation *copy = mxw__dmarc_evaluation_copy(evaluation);
	pthread_mutex_lock(&store->mutex);
	bool is_taken = push_locked(store, copy);
	size_t n = store->n;
	pthread_mutex_unlock(&store->mutex);
	if (!is_taken)
		free(copy);
	else if (n == 1) /* it waits for others that may go with it */
		mxw__writer_wake(store->writer, store->env.batch_ms);
	else if (n == BATCH_MAX)
		mxw__writer_wake(store->writer, 0);
	return is_taken;
}

/* ---- the writer ---- */

static void tell_loss(void *ctx, struct mxw__buf *text)
{
	mxw__dmarc_store_t *store = ctx;

	pthread_mutex_lock(&store->mutex);
	store->dropped_told = store->dropped;
	pthread_mutex_unlock(&store->mutex);
	mxw__buf_addf(text, "records of DMARC evaluations lost so far: %llu", (unsigned long long)store->dropped_told);
}

static void close_db(void *ctx)
{
	mxw__dmarc_store_t *store = ctx;

	mxw__dmarc_db_close(store->db);
	store->db = NULL;
}

static bool open_db(mxw__dmarc_store_t *store)
{
	char reason[MXW__DB_REASON_MAX];

	if (store->db)
		return true;
	mxw__db_status_t status = mxw__dmarc_db_open(store->path, mxw__writer_cancelled(store->writer), &store->db, reason);
	if (status == MXW__DB_DONE)
		return true;
	store->db = NULL;
	mxw__writer_fail(store->writer, status, reason);
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
		if (mxw__writer_is_cancelled(store->writer) || !open_db(store))
			return false;
		mxw__db_status_t status = mxw__dmarc_db_write(store->db, batch, n);
		if (status != MXW__DB_DONE) {
			mxw__writer_fail(store->writer, status, mxw__dmarc_db_reason(store->db));
			return false;
		}
		mxw__writer_succeed(store->writer);
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
		if (mxw__writer_is_cancelled(store->writer) || !open_db(store))
			return false;
		mxw__db_status_t status = mxw__dmarc_db_trim(store->db, oldest_s, max, &is_more);
		if (status != MXW__DB_DONE) {
			mxw__writer_fail(store->writer, status, mxw__dmarc_db_reason(store->db));
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

static bool work(void *ctx, bool is_flush)
{
	mxw__dmarc_store_t *store = ctx;

	pthread_mutex_lock(&store->mutex);
	uint64_t keep_ms = store->keep_ms, max = store->max_evaluations;
	pthread_mutex_unlock(&store->mutex);
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
		mxw__writer_complain(store->writer, "is written too slowly", "");
	return is_done;
}

/* ---- life ---- */

static void destroy(mxw__dmarc_store_t *store)
{
	for (; store->n; store->n--, store->first++)
		free(store->queue[store->first % store->env.queue_max]);
	free(store->queue);
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

/* False without memory; without a thread nothing is kept. */
static bool start(mxw__dmarc_store_t *store)
{
	const struct mxw__dmarc_store_env *env = &store->env;

	store->writer = mxw__writer_new(&(struct mxw__writer_options){
		.path = store->path,
		.clock = &store->clock,
		.notice = env->notice,
		.notice_ctx = env->notice_ctx,
		.work = work,
		.close = close_db,
		.tell_loss = tell_loss,
		.ctx = store,
		.idle_ms = TRIM_MS,
		.retry_ms = env->retry_ms,
		.stop_ms = env->stop_ms,
	});
	store->is_on = store->writer && mxw__writer_start(store->writer);
	return store->writer != NULL;
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
	pthread_mutex_init(&store->mutex, NULL);
	store->queue = mxw__calloc(store->env.queue_max, sizeof *store->queue);
	bool is_on = env->state_dir && !env->is_read_only &&
		     snprintf(store->path, sizeof store->path, "%s/dmarc.db", env->state_dir) < (int)sizeof store->path;
	if (!store->queue) {
		destroy(store);
		return MXW_ERR_NOMEM;
	}
	if (is_on && !start(store)) {
		destroy(store);
		return MXW_ERR_NOMEM;
	}
	*ret_store = store;
	return MXW_OK;
}

void mxw__dmarc_store_free(mxw__dmarc_store_t *store)
{
	/* A writer that does not come back keeps all that is its own. */
	if (store && mxw__writer_free(store->writer))
		destroy(store);
}

void mxw__dmarc_store_configure(mxw__dmarc_store_t *store, uint64_t keep_ms, uint64_t max_evaluations)
{
	pthread_mutex_lock(&store->mutex);
	store->keep_ms = keep_ms;
	store->max_evaluations = max_evaluations;
	pthread_mutex_unlock(&store->mutex);
	if (store->is_on)
		mxw__writer_wake(store->writer, 0);
}

bool mxw__dmarc_store_flush(mxw__dmarc_store_t *store, unsigned timeout_ms)
{
	return !store->is_on || mxw__writer_flush(store->writer, timeout_ms);
}

void mxw__dmarc_store_get_stats(mxw__dmarc_store_t *store, struct mxw__dmarc_store_stats *ret_stats)
{
	pthread_mutex_lock(&store->mutex);
	*ret_stats = (struct mxw__dmarc_store_stats){store->written, store->dropped, store->n};
	pthread_mutex_unlock(&store->mutex);
}
