/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory type "sqlite": a query of an SQLite database; a row is a recipient.
 *
 * A few threads with a connection each take questions from one queue, since reading a file may take as long as the disk
 * likes; who asks waits until the deadline and then leaves the question to the thread, which ends it (sql.h). A
 * thread that is stuck in the kernel is left behind when the source is closed: what threads use is counted, and nothing
 * of it is the configuration's.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "src/directory/source.h"
#include "src/sql/sql.h"

enum { WAITING_MAX = 4096, CLOSE_MS = 2000, TELL_MS = 60000 };

struct question {
	STAILQ_ENTRY(question) in_queue;
	char *addr, *user, *domain; /* behind the struct */
	struct mxw__sql_limit limit;
	atomic_bool is_given_up;
	pthread_cond_t done;
	/* under lock */
	unsigned refs;              /* who asks, and the queue or a thread */
	bool is_done;
	mxw_outcome_t outcome;
	char reason[MXW__SQL_REASON_MAX];
	char class[MXW__RCPT_CLASS_MAX + 1];
	bool is_class_odd;
};

/* What the threads share. */
struct pool {
	char *path, *query;
	bool takes_class;
	pthread_mutex_t lock;
	pthread_cond_t work, gone;
	/* under lock */
	STAILQ_HEAD(, question) queue;
	unsigned nwaiting;
	unsigned nthreads;
	bool is_closed;
	unsigned refs;              /* the source, and each thread */
};

struct sqlite_source {
	struct pool *pool;
	struct mxw__noticer noticer;
	const struct mxw_clock *clock;
	int64_t timeout_ms;
	pthread_mutex_t lock;
	bool is_failing;            /* as was told last */
	int64_t told_ms;
	atomic_bool has_told_class;
};

/* ---- questions ---- */

static struct question *new_question(const struct mxw__address *address, int64_t deadline_ms)
{
	const char *addr = address->key_text ? address->key_text : address->text;
	const char *user = address->key_local ? address->key_local : address->local;
	size_t alen = strlen(addr) + 1, ulen = strlen(user) + 1, dlen = strlen(address->domain) + 1;
	struct question *q = calloc(1, sizeof *q + alen + ulen + dlen);

	if (!q || mxw__cond_init(&q->done) != 0) {
		free(q);
		return NULL;
	}
	q->addr = memcpy((char *)(q + 1), addr, alen);
	q->user = memcpy(q->addr + alen, user, ulen);
	q->domain = memcpy(q->user + ulen, address->domain, dlen);
	atomic_init(&q->is_given_up, false);
	q->limit = (struct mxw__sql_limit){.deadline_ms = deadline_ms, .is_cancelled = &q->is_given_up};
	q->refs = 2;
	return q;
}

static void unref_question_locked(struct question *q)
{
	if (--q->refs > 0)
		return;
	pthread_cond_destroy(&q->done);
	free(q);
}

static void finish_locked(struct question *q, mxw_outcome_t outcome, const char *reason)
{
	q->outcome = outcome;
	if (reason)
		strcpy(q->reason, reason);
	q->is_done = true;
	pthread_cond_signal(&q->done);
	unref_question_locked(q);
}

/* ---- threads ---- */

static void free_pool(struct pool *pool)
{
	pthread_mutex_destroy(&pool->lock);
	pthread_cond_destroy(&pool->work);
	pthread_cond_destroy(&pool->gone);
	free(pool->path);
	free(pool->query);
	free(pool);
}

static void unref_pool(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	bool is_last = --pool->refs == 0;
	pthread_mutex_unlock(&pool->lock);
	if (is_last)
		free_pool(pool);
}

/* A class that rules can compare with and logs can show. */
static bool is_class(const char *text, size_t len)
{
	if (len == 0 || len > MXW__RCPT_CLASS_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static void answer(struct pool *pool, mxw__sql_t *sql, struct question *q)
{
	const struct mxw__sql_values values = {q->addr, q->user, q->domain};
	char reason[MXW__SQL_REASON_MAX] = "", text[MXW__RCPT_CLASS_MAX + 1] = "";
	size_t len = 0;
	mxw_outcome_t outcome = MXW_TEMPORARY;

	/* Those that nobody waits for any more are not worth the disk's time. */
	if (!atomic_load(&q->is_given_up))
		outcome = mxw__sql_ask(sql, &values, &q->limit, text, sizeof text, &len, reason);
	pthread_mutex_lock(&pool->lock);
	if (outcome == MXW_FOUND && pool->takes_class && is_class(text, len))
		memcpy(q->class, text, len + 1);
	else
		q->is_class_odd = outcome == MXW_FOUND && pool->takes_class && len > 0;
	finish_locked(q, outcome, reason);
	pthread_mutex_unlock(&pool->lock);
}

/* NULL: the pool is closed. */
static struct question *next_question(struct pool *pool)
{
	struct question *q = NULL;

	pthread_mutex_lock(&pool->lock);
	while (!pool->is_closed && !(q = STAILQ_FIRST(&pool->queue)))
		pthread_cond_wait(&pool->work, &pool->lock);
	if (pool->is_closed)
		q = NULL;
	if (q) {
		STAILQ_REMOVE_HEAD(&pool->queue, in_queue);
		pool->nwaiting--;
	}
	pthread_mutex_unlock(&pool->lock);
	return q;
}

static void *thread_main(void *arg)
{
	struct pool *pool = arg;
	struct question *q;
	mxw__sql_t *sql = mxw__sql_new(pool->path, pool->query);

	while ((q = next_question(pool))) {
		if (sql) {
			answer(pool, sql, q);
			continue;
		}
		pthread_mutex_lock(&pool->lock);
		finish_locked(q, MXW_TEMPORARY, "out of memory");
		pthread_mutex_unlock(&pool->lock);
		sql = mxw__sql_new(pool->path, pool->query);
	}
	mxw__sql_free(sql);
	pthread_mutex_lock(&pool->lock);
	pool->nthreads--;
	pthread_cond_signal(&pool->gone);
	pthread_mutex_unlock(&pool->lock);
	unref_pool(pool);
	return NULL;
}

static struct pool *new_pool(const struct mxw__directory_conf *conf)
{
	struct pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	mxw__cond_init(&pool->work);
	mxw__cond_init(&pool->gone);
	STAILQ_INIT(&pool->queue);
	pool->refs = 1;
	pool->takes_class = conf->class_column;
	pool->path = strdup(conf->database);
	pool->query = strdup(conf->query);
	if (pool->path && pool->query)
		return pool;
	free_pool(pool);
	return NULL;
}

static mxw_status_t start_threads(struct pool *pool, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		pthread_t thread;
		pthread_mutex_lock(&pool->lock);
		pool->refs++;
		pool->nthreads++;
		pthread_mutex_unlock(&pool->lock);
		if (mxw__quiet_thread(&thread, thread_main, pool) == 0) {
			pthread_detach(thread);
			continue;
		}
		pthread_mutex_lock(&pool->lock);
		pool->nthreads--;
		pool->refs--;
		pthread_mutex_unlock(&pool->lock);
		return MXW_ERR_SYSTEM;
	}
	return MXW_OK;
}

/* Nobody asks any more: what is left in the queue was given up. */
static void close_pool(struct pool *pool)
{
	int64_t end = mxw__now_ms(mxw_clock_system()) + CLOSE_MS;
	struct question *q;

	pthread_mutex_lock(&pool->lock);
	pool->is_closed = true;
	while ((q = STAILQ_FIRST(&pool->queue))) {
		STAILQ_REMOVE_HEAD(&pool->queue, in_queue);
		finish_locked(q, MXW_TEMPORARY, NULL);
	}
	pthread_cond_broadcast(&pool->work);
	for (int64_t left = CLOSE_MS; pool->nthreads > 0 && left > 0; left = end - mxw__now_ms(mxw_clock_system()))
		mxw__cond_wait_ms(&pool->gone, &pool->lock, left);
	pthread_mutex_unlock(&pool->lock);
	unref_pool(pool);
}

/* ---- the source ---- */

static void sqlite_close(void *self)
{
	struct sqlite_source *source = self;

	if (source->pool)
		close_pool(source->pool);
	pthread_mutex_destroy(&source->lock);
	free(source);
}

static mxw_status_t sqlite_open(const struct mxw__directory_env *env, void **ret_self, struct mxw_error *err)
{
	struct sqlite_source *source = calloc(1, sizeof *source);

	if (!source)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	source->noticer = (struct mxw__noticer){env->notice, env->notice_ctx, env->conf->name, "directory"};
	source->clock = env->clock;
	source->timeout_ms = (int64_t)env->conf->timeout_ms;
	atomic_init(&source->has_told_class, false);
	pthread_mutex_init(&source->lock, NULL);
	source->pool = new_pool(env->conf);
	mxw_status_t status = source->pool ? start_threads(source->pool, env->conf->connections) : MXW_ERR_NOMEM;
	if (status != MXW_OK) {
		sqlite_close(source);
		return mxw__fail(err, status, "%s: %s", env->conf->database, mxw_status_name(status));
	}
	*ret_self = source;
	return MXW_OK;
}

/* That it fails, and that it answers again, each once a minute at most. */
static void tell_health(struct sqlite_source *source, const struct mxw__rcpt_result *result)
{
	bool is_bad = result->outcome == MXW_TEMPORARY || result->outcome == MXW_MISCONFIGURED, tell = false;
	int64_t now = mxw__now_ms(source->clock);

	pthread_mutex_lock(&source->lock);
	if (is_bad != source->is_failing && (source->told_ms == 0 || now - source->told_ms >= TELL_MS || !is_bad)) {
		source->is_failing = is_bad;
		if (is_bad)
			source->told_ms = now;
		tell = true;
	}
	pthread_mutex_unlock(&source->lock);
	if (tell && is_bad)
		mxw__noticef(&source->noticer, true, "%s", result->reason);
	else if (tell)
		mxw__noticef(&source->noticer, false, "the database answers again");
}

static bool enqueue(struct pool *pool, struct question *q)
{
	pthread_mutex_lock(&pool->lock);
	bool has_room = pool->nwaiting < WAITING_MAX;
	if (has_room) {
		STAILQ_INSERT_TAIL(&pool->queue, q, in_queue);
		pool->nwaiting++;
		pthread_cond_signal(&pool->work);
	} else {
		q->refs = 1;
		unref_question_locked(q);
	}
	pthread_mutex_unlock(&pool->lock);
	return has_room;
}

/* Takes the answer, or gives the question up. */
static void await(struct sqlite_source *source, struct question *q, struct mxw__rcpt_result *ret_result)
{
	struct pool *pool = source->pool;
	int64_t left;
	bool is_odd;

	pthread_mutex_lock(&pool->lock);
	while (!q->is_done && (left = q->limit.deadline_ms - mxw__now_ms(mxw_clock_system())) > 0)
		mxw__cond_wait_ms(&q->done, &pool->lock, left);
	if (q->is_done) {
		mxw__rcpt_answerf(ret_result, q->outcome, "%s", q->reason);
		memcpy(ret_result->settings.class, q->class, sizeof q->class);
	} else {
		atomic_store(&q->is_given_up, true);
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "the database did not answer in time");
	}
	is_odd = q->is_done && q->is_class_odd;
	unref_question_locked(q);
	pthread_mutex_unlock(&pool->lock);
	if (is_odd && !atomic_exchange(&source->has_told_class, true))
		mxw__noticef(&source->noticer, false, "the first column of a row is not used as a class: 1 to %d printable "
			     "ASCII characters were expected", MXW__RCPT_CLASS_MAX);
}

static void sqlite_lookup(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	struct sqlite_source *source = self;
	int64_t left = query->deadline_ms - mxw__now_ms(source->clock);

	if (left > source->timeout_ms)
		left = source->timeout_ms;
	if (left <= 0) {
		/* Which says nothing of the database. */
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "no time was left to ask the database");
		return;
	}
	struct question *q = new_question(query->address, mxw__now_ms(mxw_clock_system()) + left);
	if (!q) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "out of memory");
		return;
	}
	if (enqueue(source->pool, q))
		await(source, q, ret_result);
	else
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "too many look-ups are waiting for the database");
	tell_health(source, ret_result);
}

const struct mxw__directory_ops mxw__directory_sqlite = {
	.type = "sqlite",
	.is_remote = true,
	.open = sqlite_open,
	.lookup = sqlite_lookup,
	.close = sqlite_close,
};
