/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * macros.h: the MTA's macros, of sendmail and of Postfix, any of which may be missing.
 *
 * Threads: within a callback; what was said once is remembered with atomics.
 */
#ifndef MXW_MILTER_MACROS_H
#define MXW_MILTER_MACROS_H

#include <stdatomic.h>

#include <libmilter/mfapi.h>
#include <mxward/session.h>

#include "milter/log.h"

/* The macros without which something is switched off. */
typedef enum mwd_lack {
	MWD_LACK_LISTENER,  /* {daemon_name} and {daemon_port} */
	MWD_LACK_RESOLVE,   /* {client_resolve} and _ */
	MWD_LACK_QUEUE_ID,  /* i, by the end of a message */
	MWD_LACK_MAILER,    /* {rcpt_mailer} */
	MWD_LACK_SYMLIST,   /* the MTA can't be asked for macros */
	MWD_LACK_EDITS,     /* the MTA does not let us change header fields */
	MWD_LACK_QUARANTINE, /* the MTA does not let us hold messages */
	MWD_LACK_ENVELOPE,  /* the MTA does not let us change sender and recipients */
	MWD_LACK_COUNT
} mwd_lack_t;

struct mwd_lacks {
	atomic_bool is_said[MWD_LACK_COUNT];
};

/* Says in the log which feature that switches off, once for each. */
void mwd_lack_note(struct mwd_lacks *lacks, mwd_log_t *log, mwd_lack_t lack);

/* Asks the MTA for the macros that are read here; within xxfi_negotiate. */
void mwd_macros_request(SMFICTX *ctx);

/* NULL if there is none or it is empty. Borrowed until the next step. */
const char *mwd_macro(SMFICTX *ctx, const char *name);

/* By what it calls itself; no, where it does not say. */
bool mwd_macros_is_postfix(SMFICTX *ctx);

/* What xxfi_connect and macros say about the client. Strings are borrowed for the callback. */
void mwd_macros_connect(SMFICTX *ctx, const char *hostname, const struct sockaddr *sa, struct mwd_lacks *lacks,
			mwd_log_t *log, struct mxw_connect_info *ret_info);

/* Has the MTA refused this recipient, and for good? */
void mwd_macros_refused_rcpt(SMFICTX *ctx, struct mwd_lacks *lacks, mwd_log_t *log, struct mxw_rcpt_info *ret_info);

#endif
