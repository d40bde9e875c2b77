/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread of one connection: takes a question, asks it, answers it, takes the next. It connects when there is a
 * question and hangs up when there has been none for a while.
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/callahead.h"

/* Lost connections for one question, and questions in a row without an answer before the host is set aside. */
enum { TRIES_MAX = 2, UNANSWERED_MAX = 4 };

typedef enum asked { ASKED_ANSWERED, ASKED_LOST, ASKED_HOST_FAILED } asked_t;

/* One question on its way. */
struct asking {
	struct mxw__call_conn *conn;
	struct mxw__call_question *q;
	int64_t deadline_ms;
	struct mxw__call_answer answer;
	struct mxw__call_failure failure; /* unless ASKED_ANSWERED */
};

/* ---- answers ---- */

static asked_t answer(struct asking *a, mxw_outcome_t outcome)
{
	a->answer.outcome = outcome;
	return ASKED_ANSWERED;
}

/* An answer that is none: why, with the numbers of the reply and no word of it. */
static asked_t answer_code(struct asking *a, mxw_outcome_t outcome, const struct mxw__call_reply *reply, const char *what)
{
	const struct mxw__call_host *host = a->conn->host;
	char code[32];

	snprintf(a->answer.reason, sizeof a->answer.reason, "%.60s: %s %s", host->text, mxw__call_code_text(reply, code),
		 what);
	mxw__call_complain(a->conn->call, host, outcome == MXW_MISCONFIGURED, reply, what);
	return answer(a, outcome);
}

static asked_t answer_unverifiable(struct asking *a)
{
	a->answer.is_unverifiable = true;
	return answer(a, MXW_FOUND);
}

/* ---- asking ---- */

static asked_t begin(struct asking *a)
{
	struct mxw__call_link *link = &a->conn->link;
	bool is_lost;

	if (mxw__call_begin(link, a->q->is_utf8, a->deadline_ms, &is_lost, &a->failure))
		return ASKED_ANSWERED;
	return is_lost ? ASKED_LOST : ASKED_HOST_FAILED;
}

/* Sends RCPT for what stands between < and >; in a new transaction if this one has enough recipients, or the host says so. */
static asked_t ask_path(struct asking *a, const char *path, struct mxw__call_reply *ret_reply,
			mxw__call_verdict_t *ret_verdict)
{
	struct mxw__call_link *link = &a->conn->link;

	for (;;) {
		if (!link->in_transaction || link->is_utf8 != a->q->is_utf8 || link->nrcpts >= MXW__CALL_RCPTS_MAX) {
			asked_t begun = begin(a);
			if (begun != ASKED_ANSWERED)
				return begun;
		}
		if (!mxw__call_command(link, a->deadline_ms, ret_reply, &a->failure, "RCPT TO:<%s>", path))
			return ASKED_LOST;
		*ret_verdict = mxw__call_judge_rcpt(ret_reply);
		if (++link->nrcpts > 1 && *ret_verdict == MXW__CALL_TOO_MANY) {
			link->nrcpts = MXW__CALL_RCPTS_MAX;
			continue;
		}
		if (ret_reply->code / 100 == 5)
			link->nrefused++;
		if (*ret_verdict != MXW__CALL_CLOSING)
			return ASKED_ANSWERED;
		mxw__call_fail(&a->failure, MXW_TEMPORARY, ret_reply, "closes the connection");
		return ASKED_LOST;
	}
}

/* A mailbox that nobody has. No character in it separates sub-addresses anywhere. */
#define UNLIKELY "mxwardprobe"

static void make_unlikely(char *path, size_t size, const char *domain)
{
	snprintf(path, size, UNLIKELY "%016llx@%s", (unsigned long long)mxw__random_u64(), domain);
}

static mxw__call_trust_t get_trust(const struct asking *a)
{
	struct mxw__call *call = a->conn->call;

	pthread_mutex_lock(&call->lock);
	mxw__call_trust_t trust = mxw__call_trusts_get(call->trusts, a->conn->host->rank, a->q->domain,
						       mxw__now_ms(call->clock));
	pthread_mutex_unlock(&call->lock);
	return trust;
}

static void set_trust(const struct asking *a, mxw__call_trust_t trust)
{
	struct mxw__call *call = a->conn->call;

	pthread_mutex_lock(&call->lock);
	mxw__call_trusts_set(call->trusts, a->conn->host->rank, a->q->domain, trust, mxw__now_ms(call->clock));
	pthread_mutex_unlock(&call->lock);
}

/* What a host makes of a recipient that can't exist. */
static mxw__call_trust_t judge_unlikely(mxw__call_verdict_t verdict)
{
	switch (verdict) {
	case MXW__CALL_ACCEPTED:
	case MXW__CALL_CANT_TELL:
		return MXW__CALL_ACCEPTS_ALL;
	case MXW__CALL_UNKNOWN:
	case MXW__CALL_DOUBTFUL:
	case MXW__CALL_REFUSES_US:
		/* For whatever reason: it is treated otherwise than the one that was accepted. */
		return MXW__CALL_REFUSES_SOME;
	default:
		return MXW__CALL_UNDECIDED;
	}
}

/* The recipient was accepted: does that mean anything? */
static asked_t check_accepted(struct asking *a)
{
	struct mxw__call_conn *conn = a->conn;
	struct mxw__call_reply reply;
	mxw__call_verdict_t verdict;
	char path[320], what[200];

	if (!conn->call->conf->accept_all_check)
		return answer(a, MXW_FOUND);
	mxw__call_trust_t trust = get_trust(a);
	if (trust == MXW__CALL_NOT_TRIED) {
		make_unlikely(path, sizeof path, a->q->domain);
		asked_t asked = ask_path(a, path, &reply, &verdict);
		if (asked != ASKED_ANSWERED)
			return asked;
		trust = judge_unlikely(verdict);
		set_trust(a, trust);
		snprintf(what, sizeof what, "to anybody: it takes every recipient of %.100s, who exists can't be told",
			 a->q->domain);
		if (trust == MXW__CALL_ACCEPTS_ALL)
			mxw__call_complain(conn->call, conn->host, false, &reply, what);
	}
	return trust == MXW__CALL_REFUSES_SOME ? answer(a, MXW_FOUND) : answer_unverifiable(a);
}

/* ---- other recipients to compare a refusal with ---- */

/*
 * Is this one treated like everybody, as far as can be told? Hosts that refuse us often spare postmaster and abuse, with
 * a detail or without one.
 */
static bool is_ordinary(const char *path)
{
	static const char *const roles[] = {"postmaster", "abuse"};

	for (size_t i = 0; i < MXW_ARRAY_LEN(roles); i++) {
		size_t len = strlen(roles[i]);
		if (mxw__ascii_ncasecmp(path, roles[i], len) == 0 && !mxw__ascii_isalnum(path[len]))
			return false;
	}
	return *path && *path != '"' && mxw__ascii_ncasecmp(path, UNLIKELY, strlen(UNLIKELY)) != 0;
}

/* One beyond ASCII could not be asked again in every transaction. */
static void remember_accepted(const struct asking *a)
{
	struct mxw__call *call = a->conn->call;

	if (a->q->is_utf8 || !is_ordinary(a->q->path))
		return;
	pthread_mutex_lock(&call->lock);
	mxw__call_trusts_accept(call->trusts, a->conn->host->rank, a->q->domain, a->q->path);
	pthread_mutex_unlock(&call->lock);
}

static bool get_accepted(const struct asking *a, char ret_path[MXW__CALL_ACCEPTED_MAX + 1])
{
	struct mxw__call *call = a->conn->call;

	pthread_mutex_lock(&call->lock);
	bool is_known = mxw__call_trusts_accepted(call->trusts, a->conn->host->rank, a->q->domain, ret_path);
	pthread_mutex_unlock(&call->lock);
	return is_known;
}

/* The one that was accepted before is not now: it may be gone, or we are refused. */
static asked_t forget_accepted(struct asking *a, const char *path, const struct mxw__call_reply *reply)
{
	struct mxw__call *call = a->conn->call;

	pthread_mutex_lock(&call->lock);
	mxw__call_trusts_forget(call->trusts, a->conn->host->rank, a->q->domain, path);
	pthread_mutex_unlock(&call->lock);
	return answer_code(a, MXW_TEMPORARY, reply,
			   "to one whom it accepted before: does it refuse us? If not, set reference-recipient");
}

/*
 * Refused by a code that does not say whether the mailbox or we are meant. It is the mailbox if the same host, asked
 * the same way right after it, accepts another, ordinary one of the same domain.
 */
static asked_t check_refused(struct asking *a, const struct mxw__call_reply *refusal)
{
	const char *configured = a->conn->call->conf->reference_recipient;
	bool is_configured = configured && is_ordinary(configured);
	struct mxw__call_reply reply;
	mxw__call_verdict_t verdict;
	char path[MXW__CALL_ACCEPTED_MAX + 1];

	if (is_configured)
		snprintf(path, sizeof path, "%.64s@%.253s", configured, a->q->domain);
	else if (!get_accepted(a, path))
		return answer_code(a, MXW_TEMPORARY, refusal,
				   "to a recipient, or to us? Nobody is known yet to compare: set reference-recipient");
	if (mxw__ascii_casecmp(path, a->q->path) == 0)
		return is_configured ? answer_code(a, MXW_MISCONFIGURED, refusal, "to the reference recipient")
				     : forget_accepted(a, path, refusal);
	asked_t asked = ask_path(a, path, &reply, &verdict);
	if (asked != ASKED_ANSWERED)
		return asked;
	switch (verdict) {
	case MXW__CALL_ACCEPTED:
		return answer(a, MXW_NOT_FOUND);
	case MXW__CALL_LATER:
	case MXW__CALL_TOO_MANY:
		return answer_code(a, MXW_TEMPORARY, &reply, "to the reference recipient");
	default:
		if (!is_configured)
			return forget_accepted(a, path, &reply);
		return answer_code(a, MXW_MISCONFIGURED, refusal,
				   "to a recipient, and to the reference recipient no better: does it refuse us?");
	}
}

/* ---- one question ---- */

static asked_t ask(struct asking *a)
{
	struct mxw__call_reply reply;
	mxw__call_verdict_t verdict;

	/* It could not be written in a command that this host understands. */
	if (a->q->is_utf8 && !a->conn->link.has_smtputf8)
		return answer_unverifiable(a);
	asked_t asked = ask_path(a, a->q->path, &reply, &verdict);
	if (asked != ASKED_ANSWERED)
		return asked;
	switch (verdict) {
	case MXW__CALL_ACCEPTED:
		remember_accepted(a);
		return check_accepted(a);
	case MXW__CALL_DISABLED:
		a->answer.is_disabled = true;
		return answer(a, MXW_FOUND);
	case MXW__CALL_INTERNAL:
		a->answer.is_internal_only = true;
		return answer(a, MXW_FOUND);
	case MXW__CALL_EXISTS:
		return answer(a, MXW_FOUND);
	case MXW__CALL_CANT_TELL:
		return answer_unverifiable(a);
	case MXW__CALL_UNKNOWN:
		return answer(a, MXW_NOT_FOUND);
	case MXW__CALL_DOUBTFUL:
		return check_refused(a, &reply);
	case MXW__CALL_REFUSES_US:
		return answer_code(a, MXW_MISCONFIGURED, &reply, "to RCPT: does it refuse us?");
	case MXW__CALL_LATER:
	case MXW__CALL_TOO_MANY:
	case MXW__CALL_CLOSING:
		break;
	}
	return answer_code(a, MXW_TEMPORARY, &reply, "to RCPT");
}

/* ---- the connection ---- */

static void hang_up(struct mxw__call_conn *conn)
{
	mxw__call_link_close(&conn->link);
	conn->host = NULL;
	pthread_mutex_lock(&conn->call->lock);
	conn->is_open = false;
	pthread_mutex_unlock(&conn->call->lock);
}

/* A connection to the best host, the one there is or a new one. False: that host was set aside, or there is none. */
static bool connect_best(struct mxw__call_conn *conn)
{
	struct mxw__call *call = conn->call;
	struct mxw__call_link *link = &conn->link;
	struct mxw__call_failure failure = {.outcome = MXW_TEMPORARY};

	pthread_mutex_lock(&call->lock);
	struct mxw__call_host *best = mxw__call_best_host_locked(call);
	pthread_mutex_unlock(&call->lock);
	if (conn->host && (conn->host != best || link->nrefused >= MXW__CALL_REFUSALS_MAX ||
			   link->ntransactions >= MXW__CALL_TRANSACTIONS_MAX ||
			   !mxw__call_link_is_quiet(link)))
		hang_up(conn);
	if (!best || conn->host)
		return best != NULL;
	if (!mxw__call_open(link, best, &failure)) {
		mxw__call_host_failed(best, &failure);
		return false;
	}
	conn->host = best;
	pthread_mutex_lock(&call->lock);
	conn->is_open = true;
	pthread_mutex_unlock(&call->lock);
	return true;
}

static void give_back(struct mxw__call *call, struct mxw__call_question *q)
{
	pthread_mutex_lock(&call->lock);
	mxw__call_dispatch_locked(call, q);
	pthread_mutex_unlock(&call->lock);
}

/* Counts the questions that a host leaves unanswered; sets it aside when they are too many. */
static void note_lost(struct mxw__call_conn *conn, const struct mxw__call_failure *failure)
{
	pthread_mutex_lock(&conn->call->lock);
	bool is_enough = ++conn->host->unanswered >= UNANSWERED_MAX;
	pthread_mutex_unlock(&conn->call->lock);
	if (is_enough)
		mxw__call_host_failed(conn->host, failure);
}

static void finish(struct mxw__call_conn *conn, struct mxw__call_question *q, const struct mxw__call_answer *result,
		   bool is_heard)
{
	pthread_mutex_lock(&conn->call->lock);
	if (is_heard)
		conn->host->unanswered = 0;
	/* Who is told asks at once for the next one: it need not go to another connection. */
	conn->is_idle = true;
	mxw__call_finish_locked(conn->call, q, result);
	pthread_mutex_unlock(&conn->call->lock);
}

static void serve(struct mxw__call_conn *conn, struct mxw__call_question *q)
{
	struct asking a = {.conn = conn, .q = q, .failure = {.outcome = MXW_TEMPORARY}};

	if (!connect_best(conn)) {
		/* To the next host, or answered because there is none. */
		give_back(conn->call, q);
		return;
	}
	a.deadline_ms = mxw__call_now_ms() + (int64_t)conn->call->conf->timeout_ms;
	switch (ask(&a)) {
	case ASKED_ANSWERED:
		finish(conn, q, &a.answer, true);
		return;
	case ASKED_HOST_FAILED:
		mxw__call_host_failed(conn->host, &a.failure);
		hang_up(conn);
		give_back(conn->call, q);
		return;
	case ASKED_LOST:
		break;
	}
	note_lost(conn, &a.failure);
	bool is_late = mxw__call_now_ms() >= a.deadline_ms;
	snprintf(a.answer.reason, sizeof a.answer.reason, "%.60s: %.90s", conn->host->text, a.failure.text);
	/* Nothing may be left of what was half said. */
	hang_up(conn);
	a.answer.outcome = MXW_TEMPORARY;
	if (++q->tries < TRIES_MAX && !is_late)
		give_back(conn->call, q);
	else
		finish(conn, q, &a.answer, false);
}

/* ---- waiting for questions ---- */

static struct mxw__call_question *take(struct mxw__call_conn *conn, bool *ret_is_stopping)
{
	struct mxw__call *call = conn->call;

	pthread_mutex_lock(&call->lock);
	struct mxw__call_question *q = TAILQ_FIRST(&call->queue);
	if (q) {
		TAILQ_REMOVE(&call->queue, q, in_queue);
		q->is_queued = false;
	}
	conn->is_idle = !q;
	*ret_is_stopping = call->is_stopping;
	pthread_mutex_unlock(&call->lock);
	return q;
}

static void *conn_main(void *arg)
{
	struct mxw__call_conn *conn = arg;
	int64_t idle_ms = 0;
	bool is_stopping = false;

	/* A thread that starts late must not take what another one, which may be connected, was woken for. */
	mxw__call_link_wait(&conn->link, -1, 0, INT64_MAX / 2);
	while (!is_stopping) {
		struct mxw__call_question *q = take(conn, &is_stopping);
		if (q) {
			serve(conn, q);
			idle_ms = mxw__call_now_ms() + atomic_load(&conn->call->idle_ms);
		} else if (!is_stopping) {
			bool has_come = mxw__call_link_wait(&conn->link, conn->link.fd, POLLIN,
							    conn->host ? idle_ms : INT64_MAX / 2);
			/* The host has hung up, or it is time to. */
			if (conn->host && (has_come || mxw__call_now_ms() >= idle_ms))
				hang_up(conn);
		}
	}
	hang_up(conn);
	return NULL;
}

mxw_status_t mxw__call_conn_start(struct mxw__call_conn *conn, struct mxw_error *err)
{
	int rc = mxw__quiet_thread(&conn->thread, conn_main, conn);

	if (rc != 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "no thread: %s", strerror(rc));
	conn->has_thread = true;
	return MXW_OK;
}
