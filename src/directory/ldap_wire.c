/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is spoken over an open connection, by whoever holds its handle: questions are sent, what comes is read, and those
 * that have their answer are told.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/ldap_pool.h"

enum { RESULTS_AT_ONCE = 256 };

/* ---- questions of this connection ---- */

static struct mxw__ldap_question *find_sent(struct mxw__ldap_conn *conn, int msgid)
{
	struct mxw__ldap_question *q;

	LIST_FOREACH(q, &conn->ids[(unsigned)msgid % MXW__LDAP_ID_BUCKETS], in_ids)
		if (q->msgid == msgid)
			return q;
	return NULL;
}

void mxw__ldap_conn_forget(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q)
{
	TAILQ_REMOVE(&conn->sent, q, in_queue);
	LIST_REMOVE(q, in_ids);
	conn->nsent--;
}

void mxw__ldap_conn_settle(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q, mxw_outcome_t outcome,
			   const char *reason)
{
	mxw__ldap_conn_forget(conn, q);
	q->outcome = outcome;
	snprintf(q->reason, sizeof q->reason, "%s", reason);
	TAILQ_INSERT_TAIL(&conn->settled, q, in_queue);
}

void mxw__ldap_conn_flush(struct mxw__ldap_conn *conn, bool is_thread)
{
	struct mxw__ldap_question *q;

	if (TAILQ_EMPTY(&conn->settled))
		return;
	pthread_mutex_lock(&conn->ldap->lock);
	if (is_thread)
		conn->is_asleep = false;
	TAILQ_FOREACH(q, &conn->settled, in_queue)
		mxw__ldap_retire_locked(conn->ldap, q);
	pthread_mutex_unlock(&conn->ldap->lock);
	while ((q = TAILQ_FIRST(&conn->settled))) {
		TAILQ_REMOVE(&conn->settled, q, in_queue);
		mxw__ldap_answer(q);
	}
}

/* ---- sending ---- */

bool mxw__ldap_conn_send(struct mxw__ldap_conn *conn, struct mxw__ldap_question *q)
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
	mxw__ldap_conn_settle(conn, q, failure.outcome, failure.text);
	return true;
}

bool mxw__ldap_conn_has_room(const struct mxw__ldap_conn *conn)
{
	struct pollfd room = {.fd = conn->link.fd, .events = POLLOUT};

	/* What was answered was read. */
	if (conn->nsent == 0)
		return true;
	return poll(&room, 1, 0) == 1 && (room.revents & POLLOUT);
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
		mxw__ldap_conn_settle(conn, q, outcome, "");
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
	mxw__ldap_conn_settle(conn, q, outcome, reason);
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

bool mxw__ldap_conn_receive(struct mxw__ldap_conn *conn, bool *ret_more)
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
