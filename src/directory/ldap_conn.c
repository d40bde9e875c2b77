/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread of one connection.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/ldap_pool.h"

/* Closed this soon after it was made and before it answered anything, that many times in a row: the server fails. */
enum { SHORT_LIFE_MS = 1000, SHORT_LIVES_MAX = 6, SHORT_LIFE_PAUSE_MS = 20, LOST_BINDS_MAX = 2 };

/* Once more after a lost connection, and again should that one have been dropped at the same time. */
enum { SENDS_MAX = 3 };

typedef enum serve_end { END_STOP, END_MOVE, END_LOST, END_SILENT } serve_end_t;

/* ---- questions of this connection ---- */

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

/* Takes from the queue what there is room for. */
static void take_queue_locked(struct mxw__ldap_conn *conn, struct mxw__ldap_queue *todo)
{
	struct mxw__ldap_question *q;
	unsigned room = conn->nsent < MXW__LDAP_IN_FLIGHT_MAX ? MXW__LDAP_IN_FLIGHT_MAX - conn->nsent : 0;

	for (; room > 0 && (q = TAILQ_FIRST(&conn->queue)); room--) {
		TAILQ_REMOVE(&conn->queue, q, in_queue);
		q->state = MXW__LDAP_SENT;
		q->sends++;
		TAILQ_INSERT_TAIL(todo, q, in_queue);
	}
}

typedef enum sending { SENT_ALL, SENT_SOME, SENT_LOST } sending_t;

/* Sends what there is room for; the rest goes back to the queue. */
static sending_t send_all(struct mxw__ldap_conn *conn, struct mxw__ldap_queue *todo)
{
	struct mxw__ldap_question *q;
	sending_t sending = SENT_ALL;

	while (sending == SENT_ALL && (q = TAILQ_FIRST(todo))) {
		if (!mxw__ldap_conn_has_room(conn)) {
			sending = SENT_SOME;
			break;
		}
		TAILQ_REMOVE(todo, q, in_queue);
		if (!mxw__ldap_conn_send(conn, q))
			sending = SENT_LOST;
	}
	if (TAILQ_EMPTY(todo))
		return sending;
	pthread_mutex_lock(&conn->ldap->lock);
	while ((q = TAILQ_LAST(todo, mxw__ldap_queue))) {
		TAILQ_REMOVE(todo, q, in_queue);
		q->state = MXW__LDAP_QUEUED;
		q->sends--;
		TAILQ_INSERT_HEAD(&conn->queue, q, in_queue);
	}
	pthread_mutex_unlock(&conn->ldap->lock);
	return sending;
}

/* ---- the life of a connection ---- */

/* Answers what has waited too long. False: the server has said nothing at all since the first of them was sent. */
static bool expire(struct mxw__ldap_conn *conn)
{
	const struct mxw__directory_conf *conf = conn->ldap->conf;
	int64_t too_old = mxw__ldap_now_ms() - (int64_t)conf->timeout_ms;
	struct mxw__ldap_question *q;
	char reason[160];

	while ((q = TAILQ_FIRST(&conn->sent)) && q->sent_ms <= too_old) {
		/* What it said in the same millisecond it said before, or it has been silent for as long all the same. */
		if (conn->heard_ms <= q->sent_ms)
			return false;
		ldap_abandon_ext(conn->link.ld, q->msgid, NULL, NULL);
		snprintf(reason, sizeof reason, "%.60s: no answer within %llu ms", conn->server->uri,
			 (unsigned long long)conf->timeout_ms);
		mxw__ldap_conn_settle(conn, q, MXW_TEMPORARY, reason);
	}
	return true;
}

/* How long to sleep when nothing is to be sent; < 0: until somebody wakes us. */
static int64_t wait_ms(const struct mxw__ldap_conn *conn, bool is_light)
{
	const struct mxw__ldap_question *oldest = TAILQ_FIRST(&conn->sent);
	int64_t timeout = (int64_t)conn->ldap->conf->timeout_ms;

	if (!oldest)
		return is_light ? timeout : -1;
	int64_t left = oldest->sent_ms + timeout - mxw__ldap_now_ms();
	return left > 0 ? left : 0;
}

/*
 * What the others want of us: what is to be sent, or to stop. With nothing to be sent they will have to wake us, unless
 * they send themselves: only while the sleep `is_light`, since then we are awake when that has to expire. True: go on.
 */
static bool look_around(struct mxw__ldap_conn *conn, bool is_light, struct mxw__ldap_queue *ret_todo,
			serve_end_t *ret_end)
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
		conn->is_leaving = is_leaving;
		go_on = !is_leaving || conn->nsent > 0;
		take_queue_locked(conn, ret_todo);
		conn->is_asleep = TAILQ_EMPTY(ret_todo);
		conn->is_light = is_light;
	}
	pthread_mutex_unlock(&ldap->lock);
	return go_on;
}

/*
 * Waits without the handle for what is to be done next; true: something has come. While nothing is in flight we
 * only want to know if the server goes away: so a look-up that reads its answer itself does not wake us.
 */
static bool wait_for_work(struct mxw__ldap_conn *conn, bool wants_room, int64_t timeout_ms)
{
	short events = wants_room ? POLLOUT : 0;
	int fd = conn->is_led && !wants_room ? -1 : conn->link.fd;

	if (!conn->is_led)
		events |= conn->nsent > 0 ? POLLIN : POLLRDHUP;
	conn->was_led = conn->is_led;
	conn->is_deaf = fd < 0;
	pthread_mutex_unlock(&conn->handle);
	bool is_ready = mxw__ldap_link_wait(&conn->link, fd, events, timeout_ms);
	pthread_mutex_lock(&conn->handle);
	conn->is_deaf = false;
	return is_ready && !conn->is_led;
}

/* The handle is the caller's. */
static serve_end_t serve_on(struct mxw__ldap_conn *conn)
{
	struct mxw__ldap_queue todo = TAILQ_HEAD_INITIALIZER(todo);
	serve_end_t end;
	bool more = false, is_light = true;

	while (look_around(conn, is_light, &todo, &end)) {
		bool is_busy = more || !TAILQ_EMPTY(&todo);
		sending_t sending = send_all(conn, &todo);
		if (sending == SENT_LOST)
			return END_LOST;
		if (sending == SENT_SOME)
			is_busy = more;
		bool has_come = wait_for_work(conn, sending == SENT_SOME, is_busy ? 0 : wait_ms(conn, is_light));
		/* After a while in which nobody asked anything, we sleep until we are woken. */
		is_light = has_come || is_busy || conn->nsent > 0 || conn->was_led;
		if (conn->is_lost || ((has_come || more) && !mxw__ldap_conn_receive(conn, &more)))
			return END_LOST;
		if (!expire(conn))
			return END_SILENT;
		mxw__ldap_conn_flush(conn, true);
	}
	return end;
}

static serve_end_t serve(struct mxw__ldap_conn *conn)
{
	pthread_mutex_lock(&conn->handle);
	conn->heard_ms = mxw__ldap_now_ms();
	conn->has_answered = false;
	conn->is_lost = false;
	conn->is_open = true;
	serve_end_t end = serve_on(conn);
	mxw__ldap_direct_end(conn);
	mxw__ldap_conn_flush(conn, true);
	pthread_mutex_unlock(&conn->handle);
	return end;
}

/* Takes what was pending while there was no connection. */
static void begin(struct mxw__ldap_conn *conn)
{
	struct mxw__ldap *ldap = conn->ldap;
	struct mxw__ldap_question *q;

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

	/* is_open is false: nobody else takes the handle any more. Locked all the same, to have seen what they did. */
	pthread_mutex_lock(&conn->handle);
	pthread_mutex_lock(&ldap->lock);
	if (conn->is_ready) {
		conn->is_ready = false;
		ldap->nready--;
	}
	conn->is_asleep = false;
	hand_on_queue_locked(conn);
	while ((q = TAILQ_FIRST(&conn->sent))) {
		mxw__ldap_conn_forget(conn, q);
		give_back_locked(conn, q);
	}
	pthread_mutex_unlock(&ldap->lock);
	pthread_mutex_unlock(&conn->handle);
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
