/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread of one connection. Its handle is touched by nobody else.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/ldap_pool.h"

/* Closed this soon after it was made and before it answered anything, that many times in a row: the server fails. */
enum { SHORT_LIFE_MS = 1000, SHORT_LIVES_MAX = 6, SHORT_LIFE_PAUSE_MS = 20, LOST_BINDS_MAX = 2 };

enum { RESULTS_AT_ONCE = 256 };

/* Once more after a lost connection, and again should that one have been dropped at the same time. */
enum { SENDS_MAX = 3 };

typedef enum serve_end { END_STOP, END_MOVE, END_LOST, END_SILENT } serve_end_t;

/* ---- questions of this connection ---- */

static struct mxw__ldap_question *find_sent(struct mxw__ldap_conn *conn, int msgid)
{
	struct mxw__ldap_question *q;

	LIST_FOREACH(q, &conn->ids[(unsigned)msgid % MXW__LDAP_ID_BUCKETS], in_ids)
		if (q->msgid == msgid)
			return q;
	return NULL;
}

static void forget_sent(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q)
{
	TAILQ_REMOVE(&conn->sent, q, in_queue);
	LIST_REMOVE(q, in_ids);
	conn->nsent--;
}

static void finish_sent(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q, mxw_outcome_t outcome,
			const char *reason)
{
	forget_sent(conn, q);
	pthread_mutex_lock(&conn->ldap->lock);
	mxw__ldap_finish_locked(conn->ldap, q, outcome, reason);
	pthread_mutex_unlock(&conn->ldap->lock);
}

/* Back to be sent once more, by this connection or another one. */
static void give_back_locked(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q)
{
	char reason[160];

	conn->load--;
	q->conn = NULL;
	q->state = MXW__LDAP_QUEUED;
	if (q->sends < SENDS_MAX && q->waiters > 0) {
		mxw__ldap_dispatch_locked(conn->ldap, q);
		return;
	}
	snprintf(reason, sizeof reason, "%.60s: the connection was lost", conn->server->uri);
	mxw__ldap_finish_locked(conn->ldap, q, MXW_TEMPORARY, reason);
}

static void hand_on_queue_locked(struct mxw__ldap_conn *conn)
{
	struct mxw__ldap_question *q;

	while ((q = TAILQ_FIRST(&conn->queue))) {
		TAILQ_REMOVE(&conn->queue, q, in_queue);
		conn->load--;
		q->conn = NULL;
		mxw__ldap_dispatch_locked(conn->ldap, q);
	}
}

/* ---- sending ---- */

static bool send_question(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q)
{
	const struct mxw__directory_conf *conf = conn->ldap->conf;
	struct timeval tv = {(time_t)((conf->timeout_ms + 999) / 1000), 0};
	/* libldap's prototype lacks const. */
	char **attributes = (char **)(uintptr_t)conn->ldap->attributes;
	struct mxw__ldap_failure failure;

	q->nentries = 0;
	q->settings = (struct mxw__rcpt_settings){0};
	q->is_elsewhere = false;
	q->sent_ms = mxw__ldap_now_ms();
	int rc = ldap_search_ext(conn->link.ld, q->base, conn->ldap->scope, q->filter, attributes, 0, NULL, NULL, &tv,
				 conn->ldap->size_limit, &q->msgid);
	/* Found from the sent list either way; -1 is no message id. */
	if (rc != LDAP_SUCCESS)
		q->msgid = -1;
	TAILQ_INSERT_TAIL(&conn->sent, q, in_queue);
	LIST_INSERT_HEAD(&conn->ids[(unsigned)q->msgid % MXW__LDAP_ID_BUCKETS], q, in_ids);
	conn->nsent++;
	if (rc == LDAP_SUCCESS)
		return true;
	/* Busy is libldap's word for a socket that takes nothing more. */
	if (rc == LDAP_SERVER_DOWN || rc == LDAP_CONNECT_ERROR || rc == LDAP_BUSY)
		return false;
	/* The question can't be asked: libldap does not like the filter, or memory is gone. */
	mxw__ldap_fail(&failure, mxw__ldap_judge_search(rc, 0, false), rc, ldap_err2string(rc), NULL);
	failure.base = q->base_template;
	mxw__ldap_complain(conn->ldap, &failure, conn->server->uri);
	finish_sent(conn, q, failure.outcome, failure.text);
	return true;
}

/* Sends what is queued. False: the connection is lost. */
static bool send_queue(struct mxw__ldap_conn *conn)
{
	struct mxw__ldap_queue todo = TAILQ_HEAD_INITIALIZER(todo);
	struct mxw__ldap_question *q;
	unsigned room = conn->nsent < MXW__LDAP_IN_FLIGHT_MAX ? MXW__LDAP_IN_FLIGHT_MAX - conn->nsent : 0;

	pthread_mutex_lock(&conn->ldap->lock);
	for (; room > 0 && (q = TAILQ_FIRST(&conn->queue)); room--) {
		TAILQ_REMOVE(&conn->queue, q, in_queue);
		q->state = MXW__LDAP_SENT;
		q->sends++;
		TAILQ_INSERT_TAIL(&todo, q, in_queue);
	}
	pthread_mutex_unlock(&conn->ldap->lock);

	bool ok = true;
	while (ok && (q = TAILQ_FIRST(&todo))) {
		TAILQ_REMOVE(&todo, q, in_queue);
		ok = send_question(conn, q);
	}
	if (ok)
		return true;
	pthread_mutex_lock(&conn->ldap->lock);
	while ((q = TAILQ_FIRST(&todo))) {
		TAILQ_REMOVE(&todo, q, in_queue);
		give_back_locked(conn, q);
	}
	pthread_mutex_unlock(&conn->ldap->lock);
	return false;
}

/* ---- receiving ---- */

static void take_reference(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q, LDAPMessage *msg)
{
	char **urls = NULL;

	if (ldap_parse_reference(conn->link.ld, msg, &urls, NULL, 0) != LDAP_SUCCESS || !urls) {
		q->is_elsewhere = true;
		return;
	}
	for (size_t i = 0; urls[i]; i++)
		if (mxw__ldap_reference_counts(urls[i]))
			q->is_elsewhere = true;
	ber_memvfree((void **)urls);
}

static void take_entry(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q, LDAPMessage *msg)
{
	struct mxw__rcpt_settings settings;

	q->nentries++;
	if (conn->ldap->size_limit == 1)
		return;
	mxw__ldap_read_settings(conn->ldap, conn->link.ld, msg, &settings);
	if (q->nentries == 1)
		q->settings = settings;
	else
		mxw__rcpt_settings_add(&q->settings, &settings);
}

static void take_result(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q, LDAPMessage *msg)
{
	struct mxw__ldap_failure failure;
	char reason[160];
	char *diagnostic = NULL;
	int code = LDAP_OTHER;

	if (ldap_parse_result(conn->link.ld, msg, &code, NULL, &diagnostic, NULL, NULL, 0) != LDAP_SUCCESS)
		code = LDAP_OTHER;
	mxw_outcome_t outcome = mxw__ldap_judge_search(code, q->nentries, q->is_elsewhere);
	if (outcome == MXW_FOUND || outcome == MXW_NOT_FOUND) {
		/* An entry that was not seen may be in use. */
		if (code != LDAP_SUCCESS || q->is_elsewhere)
			q->settings.is_disabled = false;
		ldap_memfree(diagnostic);
		finish_sent(conn, q, outcome, "");
		return;
	}
	const char *text = ldap_err2string(code);
	if (code == LDAP_SUCCESS)
		text = "part of the base is on another server, which is not asked";
	else if (code == LDAP_NO_SUCH_OBJECT)
		text = "the base does not exist";
	mxw__ldap_fail(&failure, outcome, code, text, diagnostic);
	failure.base = q->base_template;
	ldap_memfree(diagnostic);
	mxw__ldap_complain(conn->ldap, &failure, conn->server->uri);
	snprintf(reason, sizeof reason, "%.60s: %.90s", conn->server->uri, failure.text);
	finish_sent(conn, q, outcome, reason);
}

static void take_message(struct mxw__ldap_conn *conn, int type, LDAPMessage *msg)
{
	/* Without one: the answer to a question that was given up. */
	struct mxw__ldap_question *q = find_sent(conn, ldap_msgid(msg));

	if (!q)
		return;
	if (type == LDAP_RES_SEARCH_ENTRY)
		take_entry(conn, q, msg);
	else if (type == LDAP_RES_SEARCH_REFERENCE)
		take_reference(conn, q, msg);
	else if (type == LDAP_RES_SEARCH_RESULT)
		take_result(conn, q, msg);
}

/* Reads what has come. False: the connection is lost. `ret_more`: there may be more, do not wait for it. */
static bool receive(struct mxw__ldap_conn *conn, bool *ret_more)
{
	*ret_more = false;
	for (int i = 0; i < RESULTS_AT_ONCE; i++) {
		struct timeval now = {0, 0};
		LDAPMessage *msg = NULL;
		int type = ldap_result(conn->link.ld, LDAP_RES_ANY, LDAP_MSG_ONE, &now, &msg);
		if (type < 0)
			return false;
		if (type == 0)
			return true;
		conn->heard_ms = mxw__ldap_now_ms();
		conn->has_answered = true;
		take_message(conn, type, msg);
		ldap_msgfree(msg);
	}
	*ret_more = true;
	return true;
}

/* Answers what has waited too long. False: the server has said nothing at all since the first of them was sent. */
static bool expire(struct mxw__ldap_conn *conn)
{
	const struct mxw__directory_conf *conf = conn->ldap->conf;
	int64_t too_old = mxw__ldap_now_ms() - (int64_t)conf->timeout_ms;
	struct mxw__ldap_question *q;
	char reason[160];

	while ((q = TAILQ_FIRST(&conn->sent)) && q->sent_ms <= too_old) {
		if (conn->heard_ms < q->sent_ms)
			return false;
		ldap_abandon_ext(conn->link.ld, q->msgid, NULL, NULL);
		snprintf(reason, sizeof reason, "%.60s: no answer within %llu ms", conn->server->uri,
			 (unsigned long long)conf->timeout_ms);
		finish_sent(conn, q, MXW_TEMPORARY, reason);
	}
	return true;
}

/* ---- the life of a connection ---- */

static int64_t wait_ms(const struct mxw__ldap_conn *conn)
{
	const struct mxw__ldap_question *oldest = TAILQ_FIRST(&conn->sent);

	if (!oldest)
		return -1;
	int64_t left = oldest->sent_ms + (int64_t)conn->ldap->conf->timeout_ms - mxw__ldap_now_ms();
	return left > 0 ? left : 0;
}

/* What the others want of us. True: go on. */
static bool look_around(struct mxw__ldap_conn *conn, serve_end_t *ret_end)
{
	struct mxw__ldap *ldap = conn->ldap;
	bool go_on = true;

	pthread_mutex_lock(&ldap->lock);
	if (ldap->is_stopping) {
		*ret_end = END_STOP;
		go_on = false;
	} else {
		/* A server further in front is back, or ours says nothing any more: what is in flight is waited for,
		 * then we move. */
		struct mxw__ldap_server *best = mxw__ldap_server_for_locked(ldap, (size_t)(conn - ldap->conns));
		bool is_leaving = conn->server->is_silent ||
				  (best && (ldap->conf->spread ? best != conn->server : best->rank < conn->server->rank));
		if (is_leaving && conn->is_ready) {
			conn->is_ready = false;
			ldap->nready--;
			hand_on_queue_locked(conn);
		} else if (!is_leaving && !conn->is_ready) {
			conn->is_ready = true;
			ldap->nready++;
		}
		*ret_end = END_MOVE;
		go_on = !is_leaving || conn->nsent > 0;
	}
	pthread_mutex_unlock(&ldap->lock);
	return go_on;
}

static serve_end_t serve(struct mxw__ldap_conn *conn)
{
	serve_end_t end;
	bool more = false;

	while (look_around(conn, &end)) {
		if (!send_queue(conn))
			return END_LOST;
		bool has_come = mxw__ldap_link_wait(&conn->link, conn->link.fd, POLLIN, more ? 0 : wait_ms(conn));
		if ((has_come || more) && !receive(conn, &more))
			return END_LOST;
		if (!expire(conn))
			return END_SILENT;
	}
	return end;
}

/* Takes what was pending while there was no connection. */
static void begin(struct mxw__ldap_conn *conn)
{
	struct mxw__ldap *ldap = conn->ldap;
	struct mxw__ldap_question *q;

	conn->heard_ms = mxw__ldap_now_ms();
	conn->has_answered = false;
	pthread_mutex_lock(&ldap->lock);
	conn->is_ready = true;
	ldap->nready++;
	struct mxw__ldap_queue waiting = TAILQ_HEAD_INITIALIZER(waiting);
	TAILQ_CONCAT(&waiting, &ldap->pending, in_queue);
	while ((q = TAILQ_FIRST(&waiting))) {
		TAILQ_REMOVE(&waiting, q, in_queue);
		mxw__ldap_dispatch_locked(ldap, q);
	}
	pthread_mutex_unlock(&ldap->lock);
}

static void finish(struct mxw__ldap_conn *conn)
{
	struct mxw__ldap *ldap = conn->ldap;
	struct mxw__ldap_question *q;

	pthread_mutex_lock(&ldap->lock);
	if (conn->is_ready) {
		conn->is_ready = false;
		ldap->nready--;
	}
	hand_on_queue_locked(conn);
	while ((q = TAILQ_FIRST(&conn->sent))) {
		forget_sent(conn, q);
		give_back_locked(conn, q);
	}
	pthread_mutex_unlock(&ldap->lock);
}

static void live(struct mxw__ldap_conn *conn)
{
	struct mxw__ldap_failure failure = {.outcome = MXW_TEMPORARY};
	int64_t opened_ms = mxw__ldap_now_ms();
	char text[120];

	begin(conn);
	serve_end_t end = serve(conn);
	bool is_lost = end == END_LOST || end == END_SILENT;
	bool is_short = end == END_LOST && !conn->has_answered && mxw__ldap_now_ms() - opened_ms < SHORT_LIFE_MS;
	if (!is_short)
		conn->short_lives = 0;
	else if (conn->short_lives < SHORT_LIVES_MAX)
		conn->short_lives++;
	if (end == END_SILENT) {
		snprintf(text, sizeof text, "no answer within %llu ms",
			 (unsigned long long)conn->ldap->conf->timeout_ms);
		mxw__ldap_fail(&failure, MXW_TEMPORARY, LDAP_TIMEOUT, text, NULL);
		mxw__ldap_server_failed(conn->server, &failure, true);
	} else if (conn->short_lives >= SHORT_LIVES_MAX) {
		mxw__ldap_fail(&failure, MXW_TEMPORARY, LDAP_SERVER_DOWN, "closes connections at once", NULL);
		mxw__ldap_server_failed(conn->server, &failure, false);
	}
	finish(conn);
	mxw__ldap_link_close(&conn->link, is_lost);
	/* Once is nothing: servers drop idle connections when they like. */
	if (conn->short_lives > 1)
		mxw__ldap_link_wait(&conn->link, -1, 0, SHORT_LIFE_PAUSE_MS * conn->short_lives);
}

/* The server to connect to; waits for one. NULL: the directory is being closed. */
static struct mxw__ldap_server *next_server(struct mxw__ldap_conn *conn)
{
	for (;;) {
		pthread_mutex_lock(&conn->ldap->lock);
		bool is_stopping = conn->ldap->is_stopping;
		struct mxw__ldap_server *server =
			mxw__ldap_server_for_locked(conn->ldap, (size_t)(conn - conn->ldap->conns));
		pthread_mutex_unlock(&conn->ldap->lock);
		if (is_stopping)
			return NULL;
		if (server)
			return server;
		mxw__ldap_link_wait(&conn->link, -1, 0, -1);
	}
}

static void *conn_main(void *arg)
{
	struct mxw__ldap_conn *conn = arg;
	const struct mxw__directory_conf *conf = conn->ldap->conf;

	while ((conn->server = next_server(conn))) {
		struct mxw__ldap_failure failure = {.outcome = MXW_TEMPORARY};
		if (mxw__ldap_link_open(&conn->link, conf, conn->server->uri, conn->server->url, &failure)) {
			live(conn);
		} else if (failure.code == LDAP_SERVER_DOWN && conn->short_lives < LOST_BINDS_MAX) {
			/* Accepted, then closed: it drops what has not bound yet, or is just ending. */
			conn->short_lives++;
		} else {
			mxw__ldap_server_failed(conn->server, &failure, false);
		}
	}
	return NULL;
}

mxw_status_t mxw__ldap_conn_start(struct mxw__ldap_conn *conn, struct mxw_error *err)
{
	int rc = mxw__quiet_thread(&conn->thread, conn_main, conn);

	if (rc != 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "no thread: %s", strerror(rc));
	conn->has_thread = true;
	return MXW_OK;
}
