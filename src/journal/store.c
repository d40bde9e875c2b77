/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/journal/store.h"
#include "src/journal/store_db.h"
#include "src/sql/writer.h"

enum {
	PATH_ROOM = 4096,
	BATCH_MAX = 512,             /* records, of about 1 KB; each batch waits for the disk once */
	RETRY_MS = 10 * 1000,
	STOP_MS = 3 * 1000,
	LOAD_MS = 1000,
	TRIM_MS = 60 * 1000,         /* between two rounds through a table */
	TRIM_STEPS = 5,              /* of a round, at one time */
};

/* A sort, and where we are with it. The writer's own, but for `state`. */
struct kept {
	struct mxw__state state;
	char load_cursor[MXW__STATE_KEY_MAX];
	bool is_loaded;
	int64_t generation;          /* of rows that are written */
	int64_t oldest;              /* that is still wanted */
	uint64_t rows;               /* no fewer than there are */
	uint64_t bound;              /* 0: the one that all have */
	char trim_cursor[MXW__STATE_KEY_MAX];
	int64_t trimmed_ms;
};

struct mxw__store {
	struct mxw__store_env env;
	struct mxw_clock clock;
	char path[PATH_ROOM];
	bool is_on;                  /* there is a writer */
	mxw__writer_t *writer;
	_Atomic uint64_t max_rows, loaded, written, failures;
	pthread_mutex_t mutex;       /* guards is_loaded; a leaf */
	pthread_cond_t has_loaded;
	bool is_loaded;
	/* Held while a sort is called, so that none is once they may be gone. Their own locks are the only ones taken under it. */
	pthread_mutex_t sorts_mutex;
	bool is_left;                /* they may be gone */
	/* The writer's own. */
	mxw__store_db_t *db;
	size_t n;
	struct kept kept[MXW__STATE_SORTS_MAX];
	struct mxw__state_record *batch;
};

static int64_t wall_ms(const mxw__store_t *store)
{
	return store->clock.wall_ms(store->clock.ctx);
}

/* ---- those who remember ---- */

static size_t take(mxw__store_t *store, const struct mxw__state *state)
{
	pthread_mutex_lock(&store->sorts_mutex);
	size_t n = store->is_left ? 0 : state->sort->take(state->store, MXW__STATE_DISK, store->batch, BATCH_MAX);
	pthread_mutex_unlock(&store->sorts_mutex);
	return n;
}

static void give_back(mxw__store_t *store, const struct mxw__state *state, size_t n)
{
	pthread_mutex_lock(&store->sorts_mutex);
	for (size_t i = 0; i < n && !store->is_left; i++)
		state->sort->give_back(state->store, MXW__STATE_DISK, &store->batch[i]);
	pthread_mutex_unlock(&store->sorts_mutex);
}

static void mark_all(mxw__store_t *store, const struct mxw__state *state)
{
	pthread_mutex_lock(&store->sorts_mutex);
	if (!store->is_left)
		state->sort->mark_all(state->store, MXW__STATE_DISK);
	pthread_mutex_unlock(&store->sorts_mutex);
}

struct loading {
	mxw__store_t *store;
	struct kept *kept;
	int64_t now_ms;
};

static void put(void *ctx, const struct mxw__state_record *record)
{
	const struct loading *loading = ctx;
	mxw__store_t *store = loading->store;
	const struct mxw__state *state = &loading->kept->state;

	loading->kept->rows++;
	if (record->expires_ms <= loading->now_ms)
		return;
	pthread_mutex_lock(&store->sorts_mutex);
	if (!store->is_left)
		state->sort->put(state->store, MXW__STATE_DISK, record);
	pthread_mutex_unlock(&store->sorts_mutex);
	atomic_fetch_add(&store->loaded, 1);
}

/* ---- the file ---- */

static void tell_loss(void *ctx, struct mxw__buf *text)
{
	(void)ctx;
	mxw__buf_adds(text, "what is remembered of clients lasts until mxward is stopped, if that is not mended");
}

static void close_db(void *ctx)
{
	mxw__store_t *store = ctx;

	mxw__store_db_close(store->db);
	store->db = NULL;
}

/* What was in a file that is set aside is gone from the disk: all that we know is to be written into the next one. */
static void fail(mxw__store_t *store, mxw__db_status_t status, const char *why)
{
	atomic_fetch_add(&store->failures, 1);
	if (!mxw__writer_fail(store->writer, status, why))
		return;
	for (size_t i = 0; i < store->n; i++) {
		struct kept *kept = &store->kept[i];
		kept->is_loaded = true;
		kept->rows = 0;
		kept->trim_cursor[0] = '\0';
		mark_all(store, &kept->state);
	}
}

static void fail_with_reason(mxw__store_t *store, mxw__db_status_t status)
{
	fail(store, status, mxw__store_db_reason(store->db));
}

static bool open_db(mxw__store_t *store)
{
	struct mxw__state states[MXW__STATE_SORTS_MAX];
	char reason[MXW__DB_REASON_MAX];

	if (store->db)
		return true;
	for (size_t i = 0; i < store->n; i++)
		states[i] = store->kept[i].state;
	mxw__db_status_t status =
		mxw__store_db_open(store->path, states, store->n, mxw__writer_cancelled(store->writer), &store->db, reason);
	if (status == MXW__DB_DONE)
		return true;
	store->db = NULL;
	fail(store, status, reason);
	return false;
}

/* ---- reading ---- */

static bool load_sort(mxw__store_t *store, size_t i)
{
	struct kept *kept = &store->kept[i];
	struct loading loading = {store, kept, wall_ms(store)};

	for (bool is_more = true; is_more && !kept->is_loaded;) {
		if (mxw__writer_is_cancelled(store->writer) || !open_db(store))
			return false;
		mxw__db_status_t status =
			mxw__store_db_read(store->db, i, kept->load_cursor, &kept->generation, put, &loading, &is_more);
		if (status != MXW__DB_DONE) {
			fail_with_reason(store, status);
			return false;
		}
		kept->is_loaded = !is_more;
	}
	return true;
}

static bool is_read(const mxw__store_t *store)
{
	bool is_read = true;

	for (size_t i = 0; i < store->n; i++)
		is_read = is_read && store->kept[i].is_loaded;
	return is_read;
}

static bool read_all(mxw__store_t *store)
{
	bool is_done = true;

	for (size_t i = 0; i < store->n && is_done; i++)
		is_done = load_sort(store, i);
	return is_done;
}

/* At the start. Where there is no file, none is made for this. */
static bool load(mxw__store_t *store)
{
	if (!is_read(store) && mxw__db_exists(store->path) && !read_all(store))
		return false;
	pthread_mutex_lock(&store->mutex);
	store->is_loaded = true;
	pthread_cond_broadcast(&store->has_loaded);
	pthread_mutex_unlock(&store->mutex);
	return true;
}

/* ---- writing ---- */

static bool write_batch(mxw__store_t *store, size_t i, size_t n)
{
	struct kept *kept = &store->kept[i];

	if (!open_db(store)) {
		give_back(store, &kept->state, n);
		return false;
	}
	mxw__db_status_t status = mxw__store_db_begin(store->db);
	for (size_t k = 0; k < n && status == MXW__DB_DONE; k++)
		status = mxw__store_db_write(store->db, i, &store->batch[k], kept->generation);
	status = mxw__store_db_end(store->db, status);
	if (status != MXW__DB_DONE) {
		give_back(store, &kept->state, n);
		fail_with_reason(store, status);
		return false;
	}
	mxw__writer_succeed(store->writer);
	kept->rows += n;
	atomic_fetch_add(&store->written, n);
	return true;
}

/*
 * Nothing is written before all is read: a client that is met meanwhile would lose what was known of it. Where there was no file at the start,
 * one is made and read now: what is written into it must not be taken for what was known before.
 */
static bool take_to_write(mxw__store_t *store, size_t i, size_t *ret_n)
{
	*ret_n = take(store, &store->kept[i].state);
	if (*ret_n == 0 || is_read(store))
		return true;
	give_back(store, &store->kept[i].state, *ret_n);
	if (!read_all(store))
		return false;
	*ret_n = take(store, &store->kept[i].state);
	return true;
}

/* So many, and no more: what changes faster than the disk takes it is for the next time. `ret_is_all` (may be NULL): nothing was left. */
static bool write_sort(mxw__store_t *store, size_t i, uint64_t max, bool *ret_is_all)
{
	uint64_t left = max + BATCH_MAX;
	size_t n = BATCH_MAX;

	for (; n == BATCH_MAX && left >= n; left -= n) {
		if (!take_to_write(store, i, &n) || (n && !write_batch(store, i, n)))
			return false;
	}
	if (ret_is_all)
		*ret_is_all = n < BATCH_MAX;
	return true;
}

/* ---- removing ---- */

/* Has all that is known written anew if there may be too many rows; what was not is no longer wanted. */
static bool bound_rows(mxw__store_t *store, size_t i)
{
	struct kept *kept = &store->kept[i];
	uint64_t max_rows = atomic_load(&store->max_rows), bound = kept->bound ? kept->bound : max_rows;
	bool is_all;
	int64_t count;

	if (kept->rows <= bound)
		return true;
	mxw__db_status_t status = mxw__store_db_count(store->db, i, &count);
	if (status != MXW__DB_DONE) {
		fail_with_reason(store, status);
		return false;
	}
	kept->rows = (uint64_t)count;
	if (kept->rows <= bound)
		return true;
	kept->generation++;
	mark_all(store, &kept->state);
	if (!write_sort(store, i, 4 * (kept->rows + max_rows), &is_all))
		return false;
	/* What is known and was not written must not go. */
	if (!is_all) {
		kept->bound = 2 * kept->rows;
		return true;
	}
	kept->oldest = kept->generation;
	kept->trim_cursor[0] = '\0';
	kept->trimmed_ms = INT64_MIN;
	return true;
}

/* After a round that ended: who still has more than the bound knows of so many. */
static bool end_round(mxw__store_t *store, size_t i, bool was_bounding)
{
	struct kept *kept = &store->kept[i];
	int64_t count;

	kept->trim_cursor[0] = '\0';
	kept->trimmed_ms = mxw__now_ms(&store->clock);
	if (!was_bounding)
		return true;
	mxw__db_status_t status = mxw__store_db_count(store->db, i, &count);
	if (status != MXW__DB_DONE) {
		fail_with_reason(store, status);
		return false;
	}
	kept->rows = (uint64_t)count;
	kept->bound = kept->rows > atomic_load(&store->max_rows) ? 2 * kept->rows : 0;
	return true;
}

static bool trim_sort(mxw__store_t *store, size_t i, bool is_flush)
{
	struct kept *kept = &store->kept[i];
	bool was_bounding = kept->trimmed_ms == INT64_MIN;
	bool is_more = true;

	if (is_flush)
		kept->trim_cursor[0] = '\0';
	else if (!was_bounding && mxw__now_ms(&store->clock) - kept->trimmed_ms < TRIM_MS)
		return true;
	for (int k = 0; is_more && (is_flush || k < TRIM_STEPS); k++) {
		if (mxw__writer_is_cancelled(store->writer))
			return false;
		mxw__db_status_t status =
			mxw__store_db_trim(store->db, i, kept->trim_cursor, wall_ms(store), kept->oldest, &is_more);
		if (status != MXW__DB_DONE) {
			fail_with_reason(store, status);
			return false;
		}
	}
	return is_more || end_round(store, i, was_bounding);
}

/* ---- the work ---- */

/* The file was closed after a failure, and somebody removed it since: all that we know is to be in the next one. */
static void begin_anew_if_removed(mxw__store_t *store)
{
	if (store->db || mxw__db_exists(store->path))
		return;
	for (size_t i = 0; i < store->n; i++) {
		struct kept *kept = &store->kept[i];
		kept->rows = 0;
		kept->trim_cursor[0] = '\0';
		if (kept->is_loaded || kept->load_cursor[0])
			mark_all(store, &kept->state);
	}
}

static bool work(void *ctx, bool is_flush)
{
	mxw__store_t *store = ctx;

	begin_anew_if_removed(store);
	bool is_done = load(store);

	for (size_t i = 0; i < store->n && is_done; i++)
		is_done = write_sort(store, i, 2 * atomic_load(&store->max_rows), NULL);
	/* Where nothing was ever kept, there is no file. */
	for (size_t i = 0; i < store->n && is_done && store->db; i++)
		is_done = bound_rows(store, i) && trim_sort(store, i, is_flush);
	return is_done;
}

/* ---- life ---- */

static void destroy(mxw__store_t *store)
{
	free(store->batch);
	pthread_cond_destroy(&store->has_loaded);
	pthread_mutex_destroy(&store->mutex);
	pthread_mutex_destroy(&store->sorts_mutex);
	free(store);
}

static void copy_states(mxw__store_t *store, const struct mxw__state *states, size_t n)
{
	for (size_t i = 0; i < n && store->n < MXW__STATE_SORTS_MAX; i++)
		if (states[i].sort->is_kept)
			store->kept[store->n++] = (struct kept){.state = states[i]};
}

/* False without memory; without a thread nothing is kept. */
static bool start(mxw__store_t *store)
{
	const struct mxw__store_env *env = &store->env;

	store->batch = mxw__calloc(BATCH_MAX, sizeof *store->batch);
	store->writer = mxw__writer_new(&(struct mxw__writer_options){
		.path = store->path,
		.clock = &store->clock,
		.notice = env->notice,
		.notice_ctx = env->notice_ctx,
		.work = work,
		.close = close_db,
		.tell_loss = tell_loss,
		.ctx = store,
		.idle_ms = (unsigned)env->interval_ms,
		.retry_ms = env->retry_ms ? env->retry_ms : RETRY_MS,
		.stop_ms = env->stop_ms ? env->stop_ms : STOP_MS,
	});
	if (!store->batch || !store->writer) {
		mxw__writer_free(store->writer);
		return false;
	}
	mxw__writer_wake(store->writer, 0);
	store->is_on = mxw__writer_start(store->writer);
	return true;
}

static void wait_until_loaded(mxw__store_t *store)
{
	int64_t end_ms = mxw__now_ms(mxw_clock_system()) + (store->env.load_ms ? store->env.load_ms : LOAD_MS);

	pthread_mutex_lock(&store->mutex);
	for (int64_t now_ms; !store->is_loaded && (now_ms = mxw__now_ms(mxw_clock_system())) < end_ms;)
		mxw__cond_wait_ms(&store->has_loaded, &store->mutex, end_ms - now_ms);
	pthread_mutex_unlock(&store->mutex);
}

mxw_status_t mxw__store_new(const struct mxw__store_env *env, const struct mxw__state *states, size_t n, mxw__store_t **ret_store)
{
	mxw__store_t *store = mxw__calloc(1, sizeof *store);

	if (!store)
		return MXW_ERR_NOMEM;
	store->env = *env;
	store->clock = *env->clock;
	atomic_init(&store->max_rows, env->max_rows);
	pthread_mutex_init(&store->mutex, NULL);
	pthread_mutex_init(&store->sorts_mutex, NULL);
	mxw__cond_init(&store->has_loaded);
	copy_states(store, states, n);
	bool is_on = env->state_dir && !env->is_read_only && store->n &&
		     snprintf(store->path, sizeof store->path, "%s/tracker.db", env->state_dir) < (int)sizeof store->path;
	if (is_on && !start(store)) {
		destroy(store);
		return MXW_ERR_NOMEM;
	}
	if (store->is_on)
		wait_until_loaded(store);
	*ret_store = store;
	return MXW_OK;
}

void mxw__store_free(mxw__store_t *store)
{
	if (!store)
		return;
	if (mxw__writer_free(store->writer)) {
		destroy(store);
		return;
	}
	/* The writer does not come back, and keeps all that is its own. */
	pthread_mutex_lock(&store->sorts_mutex);
	store->is_left = true;
	pthread_mutex_unlock(&store->sorts_mutex);
}

void mxw__store_configure(mxw__store_t *store, uint64_t interval_ms, uint64_t max_rows)
{
	atomic_store(&store->max_rows, max_rows);
	if (store->is_on)
		mxw__writer_set_idle(store->writer, (unsigned)interval_ms);
}

void mxw__store_wake(mxw__store_t *store)
{
	if (store->is_on)
		mxw__writer_wake(store->writer, 0);
}

bool mxw__store_flush(mxw__store_t *store, unsigned timeout_ms)
{
	return !store->is_on || mxw__writer_flush(store->writer, timeout_ms);
}

static bool is_loaded(mxw__store_t *store)
{
	pthread_mutex_lock(&store->mutex);
	bool is_loaded = store->is_loaded;
	pthread_mutex_unlock(&store->mutex);
	return is_loaded;
}

bool mxw__store_has_loaded(mxw__store_t *store)
{
	return !store->is_on || is_loaded(store);
}

void mxw__store_get_stats(mxw__store_t *store, struct mxw__store_stats *ret_stats)
{
	*ret_stats = (struct mxw__store_stats){
		.is_on = store->is_on,
		.is_loaded = is_loaded(store),
		.loaded = atomic_load(&store->loaded),
		.written = atomic_load(&store->written),
		.failures = atomic_load(&store->failures),
	};
}
