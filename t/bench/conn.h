/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.h: one SMTP session as the MTA tells it to the milter, as a state machine without any waiting in it.
 *
 * mload_conn_advance() writes packets into `out` until a reply is needed; mload_conn_receive() takes replies
 * from `in` and says when the session may go on. The load client (load.h) moves the octets.
 *
 * An MTA's manners are kept: steps the milter does not want are left out, no reply is expected where the milter
 * said that none will come, macros come before their step with the names the milter asked for (Postfix sends
 * macros with each header field and body part, too), frames and leading blanks are as negotiated.
 *
 * Threads: one owner.
 * Memory:  scenario and result are borrowed.
 */
#ifndef MXW_T_BENCH_CONN_H
#define MXW_T_BENCH_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "t/bench/proto.h"
#include "t/bench/scenario.h"
#include "t/bench/stats.h"

struct mload_conn {
	struct mload_buf in, out;
	struct mload_negotiated nego;
	const struct mload_row *row;
	struct mload_result *result;
	uint32_t offered_actions, offered_steps;
	unsigned session;        /* its number */
	unsigned messages_left;
	unsigned message_number; /* over all sessions: session * messages + n */
	enum mload_step step;    /* the next to be sent, or the one a reply is awaited for */
	size_t index;            /* recipient, header field, or offset in the body */
	unsigned accepted_rcpts;
	int outcome;             /* of the transaction, so far */
	bool is_open;            /* in a transaction */
	bool is_waiting;         /* for a reply */
	bool has_queue_id;
	bool skips[MLOAD_END];   /* the milter wants no more of these in this message */
	uint64_t sent_us;
};

/* Starts session number `session` of `row`. The buffers are kept from earlier use. */
void mload_conn_start(struct mload_conn *conn, const struct mload_row *row, unsigned session, unsigned messages);
void mload_conn_fini(struct mload_conn *conn);

typedef enum mload_advance {
	MLOAD_ADVANCE_WAIT,  /* a reply is awaited */
	MLOAD_ADVANCE_PAUSE, /* the client has come to a command of its own; call again to send it */
	MLOAD_ADVANCE_END    /* over: QUIT is in the buffer */
} mload_advance_t;

/* Writes what comes next. `may_pause`: stop before the next command of the client. */
mload_advance_t mload_conn_advance(struct mload_conn *conn, bool may_pause, uint64_t now_us);

/* Takes replies. 1: the awaited reply has come; 0: not yet; -1: the protocol was broken. */
int mload_conn_receive(struct mload_conn *conn, uint64_t now_us);

/* Counts an error; the first one is kept as text. */
void mload_conn_fail(struct mload_conn *conn, const char *what);

#endif
