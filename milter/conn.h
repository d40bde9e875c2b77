/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.h: what is kept for one of libmilter's connections.
 *
 * Threads: one owner at a time, the callback in progress, on any thread.
 * Memory:  behind smfi_getpriv() and linked into the gate; mwd_conn_free() wants it unlinked.
 */
#ifndef MXW_MILTER_CONN_H
#define MXW_MILTER_CONN_H

#include "milter/glue.h"
#include "milter/negotiate.h"

/* Why a connection has no session. */
typedef enum mwd_refusal {
	MWD_REFUSAL_NONE,
	MWD_REFUSAL_FULL,  /* there are as many sessions as may be */
	MWD_REFUSAL_NOMEM,
	MWD_REFUSAL_STALE  /* negotiated for a configuration that needed less */
} mwd_refusal_t;

struct mwd_conn {
	struct mwd_link link; /* first member */
	mxw_session_t *session; /* NULL: see `refusal` */
	mwd_refusal_t refusal;
	struct mwd_terms terms;
	bool has_queue_id;
};

/* NULL when memory is gone; a connection without a session otherwise, where it gets none. */
struct mwd_conn *mwd_conn_new(struct mwd_glue *glue, SMFICTX *ctx);

/*
 * For a connection that has not negotiated: the peer is broken or hostile, or the MTA uses the connection for
 * another session (SMFIC_QUIT_NC). Then the terms are those made for the session before, and if the
 * configuration has changed they may leave out what this one needs: a body that is not sent would make good
 * signatures fail. Such a session is put off.
 */
struct mwd_conn *mwd_conn_unnegotiated(struct mwd_glue *glue, SMFICTX *ctx);

void mwd_conn_free(struct mwd_conn *conn);
void mwd_conn_needs(const struct mwd_conn *conn, struct mxw_needs *ret_needs);
/* Keeps the terms for connections that come without a negotiation. */
void mwd_conn_remember(struct mwd_glue *glue, const struct mwd_conn *conn, const struct mxw_needs *needs);

#endif
