/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory type "call-ahead": a recipient exists when the mail store behind us accepts it. callahead.h says how.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/callahead.h"

enum { QUESTIONS_MAX = 4096, CONNECTIONS_MAX = 64, RESOLVING_MAX = 64, TOLD_EVERY_MS = 60000, PATH_MAX_LEN = 900 };

int64_t mxw__call_now_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

/* ---- questions ---- */

static void free_question(struct mxw__call_question *q)
{
	pthread_cond_destroy(&q->done);
	free(q->path);
	free(q->domain);
	free(q);
}

void mxw__call_finish_locked(struct mxw__call *call, struct mxw__call_question *q, const struct mxw__call_answer *answer)
{
	q->is_done = true;
	q->answer = *answer;
	LIST_REMOVE(q, in_table);
	call->nquestions--;
	if (q->waiters == 0)
		free_question(q);
	else
		pthread_cond_broadcast(&q->done);
}

static void finish_text_locked(struct mxw__call *call, struct mxw__call_question *q, mxw_outcome_t outcome,
			       const char *reason)
{
	struct mxw__call_answer answer = {.outcome = outcome};

	snprintf(answer.reason, sizeof answer.reason, "%s", reason);
	mxw__call_finish_locked(call, q, &answer);
}

/* One that is connected rather than one that has to connect first. */
static void wake_one_locked(struct mxw__call *call)
{
	struct mxw__call_conn *best = NULL;

	for (size_t i = 0; i < call->nconns; i++) {
		struct mxw__call_conn *conn = &call->conns[i];
		if (conn->is_idle && (!best || (conn->is_open && !best->is_open)))
			best = conn;
	}
	if (!best)
		return;
	best->is_idle = false;
	mxw__call_link_wake(&best->link);
}

void mxw__call_dispatch_locked(struct mxw__call *call, struct mxw__call_question *q)
{
	char reason[160];

	if (call->is_stopping) {
		finish_text_locked(call, q, MXW_TEMPORARY, "the directory is being closed");
	} else if (q->waiters == 0) {
		finish_text_locked(call, q, MXW_TEMPORARY, "");
	} else if (!mxw__call_best_host_locked(call)) {
		mxw_outcome_t outcome = mxw__call_down_locked(call, reason, sizeof reason);
		finish_text_locked(call, q, outcome, reason);
	} else {
		q->is_queued = true;
		TAILQ_INSERT_TAIL(&call->queue, q, in_queue);
		wake_one_locked(call);
	}
}

void mxw__call_fail_queue_locked(struct mxw__call *call)
{
	struct mxw__call_question *q;
	char reason[160];
	mxw_outcome_t outcome = mxw__call_down_locked(call, reason, sizeof reason);

	while ((q = TAILQ_FIRST(&call->queue))) {
		TAILQ_REMOVE(&call->queue, q, in_queue);
		q->is_queued = false;
		finish_text_locked(call, q, outcome, reason);
	}
}

static struct mxw__call_question *new_question(uint64_t hash, char *path, const struct mxw__address *address)
{
	struct mxw__call_question *q = calloc(1, sizeof *q);

	if (!q)
		return NULL;
	q->domain = strdup(address->domain);
	if (!q->domain || mxw__cond_init(&q->done) != 0) {
		free(q->domain);
		free(q);
		return NULL;
	}
	q->hash = hash;
	q->path = path;
	for (const char *s = path; *s; s++)
		q->is_utf8 |= (unsigned char)*s >= 0x80;
	return q;
}

/* The question in flight that asks the same, or a new one; takes the path over either way. NULL: no memory. */
static struct mxw__call_question *join_locked(struct mxw__call *call, char *path, const struct mxw__address *address)
{
	uint64_t hash = mxw__hash(&call->key, path, strlen(path));
	struct mxw__call_bucket *bucket = &call->table[hash % MXW__CALL_TABLE];
	struct mxw__call_question *q;

	LIST_FOREACH(q, bucket, in_table)
		if (q->hash == hash && strcmp(q->path, path) == 0) {
			free(path);
			q->waiters++;
			return q;
		}
	q = new_question(hash, path, address);
	if (!q) {
		free(path);
		return NULL;
	}
	q->waiters = 1;
	LIST_INSERT_HEAD(bucket, q, in_table);
	call->nquestions++;
	mxw__call_dispatch_locked(call, q);
	return q;
}

static void take_answer(const struct mxw__call_answer *answer, struct mxw__rcpt_result *ret_result)
{
	mxw__rcpt_answerf(ret_result, answer->outcome, "%s", answer->reason);
	ret_result->is_unverifiable = answer->is_unverifiable;
	ret_result->settings.is_disabled = answer->is_disabled;
	ret_result->settings.is_internal_only = answer->is_internal_only;
}

/* Waits for the answer, at most until `end_ms` (real time), and lets go of the question. */
static void await_locked(struct mxw__call *call, struct mxw__call_question *q, int64_t end_ms,
			 struct mxw__rcpt_result *ret_result)
{
	while (!q->is_done) {
		int64_t left = end_ms - mxw__call_now_ms();
		if (left <= 0)
			break;
		mxw__cond_wait_ms(&q->done, &call->lock, left);
	}
	q->waiters--;
	if (q->is_done) {
		take_answer(&q->answer, ret_result);
		if (q->waiters == 0)
			free_question(q);
		return;
	}
	mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "no answer before the deadline");
	/* What a connection has taken is left to it. */
	if (q->waiters == 0 && q->is_queued) {
		TAILQ_REMOVE(&call->queue, q, in_queue);
		finish_text_locked(call, q, MXW_TEMPORARY, "");
	}
}

void mxw__call_complain(struct mxw__call *call, const struct mxw__call_host *host, bool is_error,
			const struct mxw__call_reply *reply, const char *what)
{
	int64_t now = mxw__call_now_ms();
	unsigned code = ((reply->code * 1000 + reply->enhanced[1]) * 1000 + reply->enhanced[2]) * 2 + is_error;
	struct mxw__call_failure failure;
	bool was_told = false;

	pthread_mutex_lock(&call->lock);
	for (size_t i = 0; i < MXW__CALL_TOLD; i++)
		if (call->told[i].told_ms && call->told[i].code == code && now - call->told[i].told_ms < TOLD_EVERY_MS)
			was_told = true;
	if (!was_told) {
		call->told[call->next_told].code = code;
		call->told[call->next_told].told_ms = now;
		call->next_told = (call->next_told + 1) % MXW__CALL_TOLD;
	}
	pthread_mutex_unlock(&call->lock);
	if (was_told)
		return;
	mxw__call_fail(&failure, MXW_TEMPORARY, reply, "%s", "");
	mxw__noticef(&call->noticer, is_error, "%s: %s %s", host->text, failure.detail, what);
}

/* ---- the source ---- */

static char *path_of(const struct mxw__address *address)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, PATH_MAX_LEN);
	if (mxw__call_add_path(&buf, address->local, address->domain))
		return mxw__buf_take(&buf);
	mxw__buf_fini(&buf);
	return NULL;
}

/* The time that is left for a look-up; 0: none. */
static int64_t time_left(const struct mxw__call *call, const struct mxw__rcpt_query *query)
{
	int64_t left = query->deadline_ms - mxw__now_ms(call->clock);
	int64_t most = (int64_t)(call->conf->connect_timeout_ms + call->conf->timeout_ms);

	return left <= 0 ? 0 : left < most ? left : most;
}

static void call_lookup(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	struct mxw__call *call = self;
	int64_t left = time_left(call, query);

	/* "@example.net", of a domain with catch-all, is no recipient: what a mail store takes for every address, it takes for
	 * the address itself. */
	if (!*query->address->local) {
		mxw__rcpt_answer(ret_result, MXW_NOT_FOUND);
		return;
	}
	if (left == 0) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "no time was left");
		return;
	}
	char *path = path_of(query->address);
	if (!path) {
		/* No refusal can be had for what can't be asked. */
		mxw__rcpt_answerf(ret_result, MXW_MISCONFIGURED, "the address can't be written in an SMTP command");
		return;
	}
	int64_t end_ms = mxw__call_now_ms() + left;

	pthread_mutex_lock(&call->lock);
	if (call->nquestions >= QUESTIONS_MAX) {
		free(path);
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "too many look-ups are waiting");
	} else {
		struct mxw__call_question *q = join_locked(call, path, query->address);
		if (q)
			await_locked(call, q, end_ms, ret_result);
		else
			mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "out of memory");
	}
	pthread_mutex_unlock(&call->lock);
}

static void call_close(void *self)
{
	struct mxw__call *call = self;
	struct mxw__call_question *q;

	pthread_mutex_lock(&call->lock);
	call->is_stopping = true;
	while ((q = TAILQ_FIRST(&call->queue))) {
		TAILQ_REMOVE(&call->queue, q, in_queue);
		q->is_queued = false;
		finish_text_locked(call, q, MXW_TEMPORARY, "the directory is being closed");
	}
	pthread_cond_broadcast(&call->changed);
	pthread_mutex_unlock(&call->lock);
	for (size_t i = 0; i < call->nconns; i++)
		mxw__call_link_cancel(&call->conns[i].link);
	for (size_t i = 0; i < call->nhosts; i++)
		mxw__call_link_cancel(&call->hosts[i].probe_link);
	for (size_t i = 0; i < call->nconns; i++) {
		if (call->conns[i].has_thread)
			pthread_join(call->conns[i].thread, NULL);
		mxw__call_link_fini(&call->conns[i].link);
	}
	mxw__call_hosts_fini(call);
	free(call->conns);
	mxw__call_trusts_free(call->trusts);
	SSL_CTX_free(call->tls);
	mxw__jobs_unref(call->jobs);
	pthread_cond_destroy(&call->changed);
	pthread_mutex_destroy(&call->lock);
	free(call);
}

static mxw_status_t make_conns(struct mxw__call *call, struct mxw_error *err)
{
	size_t n = call->conf->connections;

	if (n < 1 || n > CONNECTIONS_MAX)
		n = n < 1 ? 1 : CONNECTIONS_MAX;
	call->conns = mxw__calloc(n, sizeof *call->conns);
	if (!call->conns)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		mxw_status_t status = mxw__call_link_init(&call->conns[i].link, call->jobs, err);
		if (status != MXW_OK)
			return status;
		call->conns[i].call = call;
		/* Its thread need not run yet to be given a question. */
		call->conns[i].is_idle = true;
		call->nconns++;
	}
	return MXW_OK;
}

static mxw_status_t init_locks(struct mxw__call *call, struct mxw_error *err)
{
	int rc = pthread_mutex_init(&call->lock, NULL);

	if (rc == 0) {
		rc = mxw__cond_init(&call->changed);
		if (rc != 0)
			pthread_mutex_destroy(&call->lock);
	}
	return rc == 0 ? MXW_OK : mxw__fail(err, MXW_ERR_SYSTEM, "no lock: %s", strerror(rc));
}

/* Threads are started last: until then there is nothing that runs. */
static mxw_status_t prepare(struct mxw__call *call, struct mxw_error *err)
{
	call->jobs = mxw__jobs_new(RESOLVING_MAX);
	call->trusts = mxw__call_trusts_new();
	if (!call->jobs || !call->trusts)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	mxw_status_t status = mxw__call_tls_new(call->conf, &call->tls, err);
	if (status == MXW_OK)
		status = mxw__call_hosts_init(call, err);
	if (status == MXW_OK)
		status = make_conns(call, err);
	if (status == MXW_OK)
		status = mxw__call_hosts_start(call, err);
	for (size_t i = 0; i < call->nconns && status == MXW_OK; i++)
		status = mxw__call_conn_start(&call->conns[i], err);
	return status;
}

static mxw_status_t call_open(const struct mxw__directory_env *env, void **ret_self, struct mxw_error *err)
{
	struct mxw__call *call = calloc(1, sizeof *call);

	if (!call)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	call->conf = env->conf;
	call->clock = env->clock;
	atomic_init(&call->idle_ms, MXW__CALL_IDLE_MS);
	call->noticer = (struct mxw__noticer){env->notice, env->notice_ctx, env->conf->name, "directory"};
	mxw__hashkey_random(&call->key);
	TAILQ_INIT(&call->queue);
	mxw_status_t status = init_locks(call, err);
	if (status != MXW_OK) {
		free(call);
		return status;
	}
	status = prepare(call, err);
	if (status != MXW_OK) {
		call_close(call);
		return status;
	}
	*ret_self = call;
	return MXW_OK;
}

const struct mxw__directory_ops mxw__directory_call_ahead = {
	.type = "call-ahead",
	.is_remote = true,
	.ignores_text = true,
	.open = call_open,
	.lookup = call_lookup,
	.close = call_close,
};
