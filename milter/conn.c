/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "milter/conn.h"

static void note_full(struct mwd_glue *glue)
{
	int64_t now = mwd_now_ms();
	int64_t said = atomic_load(&glue->full_said_ms);

	if ((said == 0 || now - said > 60000) && atomic_compare_exchange_strong(&glue->full_said_ms, &said, now))
		mwd_logf(glue->log, MXW_LEVEL_WARNING, "sessions: the limit of %u is reached, further ones get 421",
			 atomic_load(&glue->max_sessions));
}

struct mwd_conn *mwd_conn_new(struct mwd_glue *glue, SMFICTX *ctx)
{
	struct mwd_conn *conn = calloc(1, sizeof *conn);

	if (!conn)
		return NULL;
	if (smfi_setpriv(ctx, conn) != MI_SUCCESS) {
		free(conn);
		return NULL;
	}
	if (!mwd_gate_add_conn(&glue->gate, &conn->link, atomic_load(&glue->max_sessions))) {
		conn->refusal = MWD_REFUSAL_FULL;
		note_full(glue);
		mxw_engine_turned_away(glue->engine);
	} else if (mxw_session_new(glue->engine, &conn->session) != MXW_OK) {
		conn->session = NULL;
		conn->refusal = MWD_REFUSAL_NOMEM;
		mxw_engine_turned_away(glue->engine);
	}
	return conn;
}

void mwd_conn_free(struct mwd_conn *conn)
{
	mxw_session_free(conn->session);
	free(conn);
}

/* One that gets no session needs just to be told so at once. */
void mwd_conn_needs(const struct mwd_conn *conn, struct mxw_needs *ret_needs)
{
	memset(ret_needs, 0, sizeof *ret_needs);
	if (conn->session)
		mxw_session_needs(conn->session, ret_needs);
	else
		ret_needs->replies_connect = true;
}

static void set_abilities(const struct mwd_conn *conn)
{
	struct mxw_abilities abilities;

	mwd_terms_abilities(&conn->terms, &abilities);
	mxw_session_abilities(conn->session, &abilities);
}

void mwd_conn_remember(struct mwd_glue *glue, const struct mwd_conn *conn, const struct mxw_needs *needs)
{
	set_abilities(conn);
	atomic_fetch_and(&glue->common_needs, mwd_needs_bits(needs));
	atomic_store(&glue->last_actions, conn->terms.actions);
	atomic_store(&glue->last_steps, conn->terms.steps);
}

struct mwd_conn *mwd_conn_unnegotiated(struct mwd_glue *glue, SMFICTX *ctx)
{
	struct mwd_conn *conn = mwd_conn_new(glue, ctx);
	struct mxw_needs needs;

	if (!conn || !conn->session)
		return conn;
	conn->terms.actions = atomic_load(&glue->last_actions);
	conn->terms.steps = atomic_load(&glue->last_steps);
	mxw_session_needs(conn->session, &needs);
	if (mwd_needs_bits(&needs) & ~atomic_load(&glue->common_needs)) {
		mxw_session_free(conn->session);
		conn->session = NULL;
		conn->refusal = MWD_REFUSAL_STALE;
	} else {
		set_abilities(conn);
	}
	return conn;
}
