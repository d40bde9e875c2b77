/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reply.h: a verdict in libmilter's words.
 *
 * Threads: mwd_reply_prepare() has no state; mwd_reply_send() within a callback.
 * Standards: RFC 5321 section 4.5.3.1.5 (length of a reply line), RFC 3463.
 */
#ifndef MXW_MILTER_REPLY_H
#define MXW_MILTER_REPLY_H

#include <libmilter/mfapi.h>
#include <mxward/session.h>

#include "milter/mwd.h"

/* A reply line is 512 octets with its codes and CRLF; '%' is written twice. */
#define MWD_REPLY_LINE 480

struct mwd_reply {
	sfsistat status;
	char code[4];      /* "" : no text of ours, the MTA's own reply */
	char enhanced[12]; /* "" : none */
	char line[2][2 * MWD_REPLY_LINE + 1]; /* the second is "" if there is one only */
};

/* `may_discard`: the step belongs to a message. */
void mwd_reply_prepare(const struct mxw_verdict *verdict, bool may_discard, struct mwd_reply *ret_reply);

/* Hands code and text to libmilter and returns what the callback has to return. */
sfsistat mwd_reply_send(SMFICTX *ctx, const struct mxw_verdict *verdict, bool may_discard);

#endif
