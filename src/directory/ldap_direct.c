/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A look-up that sends its question itself, and reads the answer if there is no other in flight.
 *
 * Who asks alone sends and reads as a program with a connection of its own would. As soon as it has its answer
 * it lets go; if by then others are in flight, the thread reads on, until none is left.
 */
#include "config.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "src/directory/ldap_pool.h"

/* What is longer is left to the thread: it may have to wait for room. */
enum { TEXT_MAX = 2048 };

bool mxw__ldap_direct_claim_locked(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q)
{
	if (!conn->is_asleep || !conn->is_light || strlen(q->filter) + strlen(q->base) > TEXT_MAX ||
	    pthread_mutex_trylock(&conn->handle) != 0)
		return false;
	if (!conn->is_open || conn->is_lost || conn->nsent >= MXW__LDAP_IN_FLIGHT_MAX) {
		pthread_mutex_unlock(&conn->handle);
		return false;
	}
	q->conn = conn;
	q->state = MXW__LDAP_SENT;
	q->sends++;
	conn->load++;
	return true;
}

/* The handle is ours, and given away only to wait. */
static void lead(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q, int64_t end_ms)
{
	int64_t left;
	bool more = false;

	conn->is_led = conn->was_led = true;
	/* It may have turned out to be one that can't be asked. */
	mxw__ldap_conn_flush(conn, false);
	while (conn->is_open && !conn->is_lost && !mxw__ldap_is_answered(q) &&
	       (left = end_ms - mxw__ldap_now_ms()) > 0) {
		struct pollfd come = {.fd = conn->link.fd, .events = POLLIN};
		pthread_mutex_unlock(&conn->handle);
		/* The descriptor stays what it is: before it is closed our end is waited for. */
		bool has_come = poll(&come, 1, more ? 0 : (int)left) > 0;
		pthread_mutex_lock(&conn->handle);
		if ((has_come || more) && conn->is_open && !mxw__ldap_conn_receive(conn, &more))
			conn->is_lost = true;
		mxw__ldap_conn_flush(conn, false);
	}
	conn->is_led = false;
	pthread_cond_signal(&conn->led_no_more);
}

/* The socket has no room. */
static void leave_in_queue(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q)
{
	pthread_mutex_lock(&conn->ldap->lock);
	q->state = MXW__LDAP_QUEUED;
	q->sends--;
	TAILQ_INSERT_TAIL(&conn->queue, q, in_queue);
	pthread_mutex_unlock(&conn->ldap->lock);
}

/* libldap writes to sockets as to files: a server that has gone would end a program that does not expect that. */
static void block_pipe(sigset_t *ret_old)
{
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, ret_old);
}

static void unblock_pipe(const sigset_t *old, bool is_lost)
{
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (is_lost)
		sigtimedwait(&pipe, NULL, &(struct timespec){0, 0});
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

void mxw__ldap_direct_ask(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q, int64_t end_ms)
{
	bool was_idle = conn->nsent == 0 && !conn->is_led, is_woken = false;
	sigset_t old;

	block_pipe(&old);
	if (!mxw__ldap_conn_has_room(conn)) {
		leave_in_queue(conn, q);
		is_woken = true;
	} else if (!mxw__ldap_conn_send(conn, q)) {
		conn->is_lost = true;
	} else if (was_idle && end_ms > 0) {
		lead(conn, q, end_ms);
		is_woken = conn->nsent > 0 || conn->is_leaving || conn->is_deaf;
	} else {
		is_woken = was_idle;
	}
	bool is_lost = conn->is_lost;
	is_woken |= is_lost || !TAILQ_EMPTY(&conn->settled);
	pthread_mutex_unlock(&conn->handle);
	if (is_woken)
		mxw__ldap_link_wake(&conn->link);
	unblock_pipe(&old, is_lost);
}

void mxw__ldap_direct_end(struct mxw__ldap_conn *conn)
{
	conn->is_open = false;
	if (conn->is_led)
		shutdown(conn->link.fd, SHUT_RDWR);
	while (conn->is_led)
		pthread_cond_wait(&conn->led_no_more, &conn->handle);
}
