/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions: who asks joins one, a connection gets it, whoever has the answer ends it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/ldap_pool.h"

static void unref_question(struct mxw__ldap_question *q)
{
	if (atomic_fetch_sub_explicit(&q->refs, 1, memory_order_acq_rel) != 1)
		return;
	pthread_cond_destroy(&q->done);
	pthread_mutex_destroy(&q->wait_lock);
	free(q->base);
	free(q->filter);
	free(q);
}

void mxw__ldap_retire_locked(struct mxw__ldap *ldap, struct mxw__ldap_question *q)
{
	if (q->conn)
		q->conn->load--;
	q->conn = NULL;
	q->state = MXW__LDAP_DONE;
	LIST_REMOVE(q, in_table);
	ldap->nquestions--;
}

void mxw__ldap_answer(struct mxw__ldap_question *q)
{
	pthread_mutex_lock(&q->wait_lock);
	q->is_answered = true;
	pthread_mutex_unlock(&q->wait_lock);
	pthread_cond_broadcast(&q->done);
	unref_question(q);
}

bool mxw__ldap_is_answered(struct mxw__ldap_question *q)
{
	pthread_mutex_lock(&q->wait_lock);
	bool is_answered = q->is_answered;
	pthread_mutex_unlock(&q->wait_lock);
	return is_answered;
}

void mxw__ldap_finish_locked(struct mxw__ldap *ldap, struct mxw__ldap_question *q, mxw_outcome_t outcome,
			     const char *reason)
{
	q->outcome = outcome;
	snprintf(q->reason, sizeof q->reason, "%s", reason);
	mxw__ldap_retire_locked(ldap, q);
	mxw__ldap_answer(q);
}

struct mxw__ldap_conn *mxw__ldap_best_conn_locked(struct mxw__ldap *ldap)
{
	struct mxw__ldap_conn *best = NULL;

	for (size_t i = 0; i < ldap->nconns; i++) {
		struct mxw__ldap_conn *conn = &ldap->conns[i];
		if (conn->is_ready && (!best || conn->load < best->load))
			best = conn;
	}
	return best;
}

void mxw__ldap_dispatch_locked(struct mxw__ldap *ldap, struct mxw__ldap_question *q)
{
	struct mxw__ldap_conn *best = mxw__ldap_best_conn_locked(ldap);
	char reason[160];

	if (best) {
		q->conn = best;
		best->load++;
		TAILQ_INSERT_TAIL(&best->queue, q, in_queue);
		if (best->is_asleep)
			mxw__ldap_link_wake(&best->link);
		best->is_asleep = false;
	} else if (ldap->is_stopping) {
		mxw__ldap_finish_locked(ldap, q, MXW_TEMPORARY, "the directory is being closed");
	} else if (!mxw__ldap_best_server_locked(ldap)) {
		mxw_outcome_t outcome = mxw__ldap_down_locked(ldap, reason, sizeof reason);
		mxw__ldap_finish_locked(ldap, q, outcome, reason);
	} else {
		TAILQ_INSERT_TAIL(&ldap->pending, q, in_queue);
	}
}

void mxw__ldap_fail_pending_locked(struct mxw__ldap *ldap)
{
	struct mxw__ldap_question *q;
	char reason[160];
	mxw_outcome_t outcome = mxw__ldap_down_locked(ldap, reason, sizeof reason);

	while ((q = TAILQ_FIRST(&ldap->pending))) {
		TAILQ_REMOVE(&ldap->pending, q, in_queue);
		mxw__ldap_finish_locked(ldap, q, outcome, reason);
	}
}

static struct mxw__ldap_question *new_question(uint64_t hash, const char *base_template, char *base, char *filter)
{
	struct mxw__ldap_question *q = calloc(1, sizeof *q);

	if (!q)
		return NULL;
	if (pthread_mutex_init(&q->wait_lock, NULL) != 0) {
		free(q);
		return NULL;
	}
	if (mxw__cond_init(&q->done) != 0) {
		pthread_mutex_destroy(&q->wait_lock);
		free(q);
		return NULL;
	}
	atomic_init(&q->refs, 2);
	q->hash = hash;
	q->base_template = base_template;
	q->base = base;
	q->filter = filter;
	return q;
}

struct mxw__ldap_question *mxw__ldap_join_locked(struct mxw__ldap *ldap, const char *base_template, char *base,
						 char *filter, struct mxw__ldap_conn **ret_conn)
{
	uint64_t hash = mxw__hash(&ldap->key, filter, strlen(filter)) ^ mxw__hash(&ldap->key, base, strlen(base));
	struct mxw__ldap_bucket *bucket = &ldap->table[hash % MXW__LDAP_TABLE];
	struct mxw__ldap_question *q;

	*ret_conn = NULL;
	LIST_FOREACH(q, bucket, in_table)
		if (q->hash == hash && strcmp(q->filter, filter) == 0 && strcmp(q->base, base) == 0) {
			free(base);
			free(filter);
			q->waiters++;
			atomic_fetch_add_explicit(&q->refs, 1, memory_order_relaxed);
			return q;
		}
	q = new_question(hash, base_template, base, filter);
	if (!q) {
		free(base);
		free(filter);
		return NULL;
	}
	q->waiters = 1;
	LIST_INSERT_HEAD(bucket, q, in_table);
	ldap->nquestions++;
	struct mxw__ldap_conn *conn = mxw__ldap_best_conn_locked(ldap);
	if (conn && mxw__ldap_direct_claim_locked(conn, q))
		*ret_conn = conn;
	else
		mxw__ldap_dispatch_locked(ldap, q);
	return q;
}

static bool wait_answer(struct mxw__ldap_question *q, int64_t end_ms)
{
	int64_t left;

	pthread_mutex_lock(&q->wait_lock);
	while (!q->is_answered && (left = end_ms - mxw__ldap_now_ms()) > 0)
		mxw__cond_wait_ms(&q->done, &q->wait_lock, left);
	bool is_answered = q->is_answered;
	pthread_mutex_unlock(&q->wait_lock);
	return is_answered;
}

/* Nobody may be left who waits. False: it was answered just now. */
static bool give_up(struct mxw__ldap *ldap, struct mxw__ldap_question *q)
{
	pthread_mutex_lock(&ldap->lock);
	bool is_done = q->state == MXW__LDAP_DONE;
	/* What was sent is left to its connection, which learns from it whether the server still answers. */
	if (!is_done && --q->waiters == 0 && q->state == MXW__LDAP_QUEUED) {
		TAILQ_REMOVE(q->conn ? &q->conn->queue : &ldap->pending, q, in_queue);
		mxw__ldap_finish_locked(ldap, q, MXW_TEMPORARY, "");
	}
	pthread_mutex_unlock(&ldap->lock);
	return !is_done;
}

static void take_answer(const struct mxw__ldap_question *q, struct mxw__rcpt_result *ret_result)
{
	mxw__rcpt_answerf(ret_result, q->outcome, "%s", q->reason);
	if (q->outcome == MXW_FOUND)
		ret_result->settings = q->settings;
}

void mxw__ldap_await(struct mxw__ldap *ldap, struct mxw__ldap_question *q, int64_t end_ms,
		     struct mxw__rcpt_result *ret_result)
{
	if (!wait_answer(q, end_ms) && give_up(ldap, q))
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "no answer before the deadline");
	else
		take_answer(q, ret_result);
	unref_question(q);
}
