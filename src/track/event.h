/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event.h: what a client may do that is remembered of it. Each has a weight in the section `tracker`, under the same name: points that
 * it adds to the score, or, for good events, takes away.
 */
#ifndef MXW_SRC_TRACK_EVENT_H
#define MXW_SRC_TRACK_EVENT_H

#include <stdbool.h>

typedef enum mxw__event {
	MXW__EVENT_UNKNOWN_RCPT,
	MXW__EVENT_REJECTED_RCPT,      /* by the MTA itself */
	MXW__EVENT_TRAP_RCPT,
	MXW__EVENT_RELAY_ATTEMPT,
	MXW__EVENT_UNKNOWN_COMMAND,
	MXW__EVENT_ABORT,              /* RSET, or a message given up before its end */
	MXW__EVENT_NO_MESSAGE,         /* a session that never came to MAIL */
	MXW__EVENT_HELO_FORGED,
	MXW__EVENT_OWN_DOMAIN_FORGED,
	MXW__EVENT_SPF_FAIL,
	MXW__EVENT_DMARC_FAIL,
	MXW__EVENT_FROM_BAD,
	MXW__EVENT_LISTED,             /* on block lists; the lists have points of their own */
	MXW__EVENT_OVER_LIMIT,
	MXW__EVENT_BACKUP_FIRST,
	MXW__EVENT_BOUNCE_FORGED,
	/* From outside, by mxwardctl report. */
	MXW__EVENT_AUTH_FAILURE,
	MXW__EVENT_SPAM,
	MXW__EVENT_REPORTED,
	/* Good ones. */
	MXW__EVENT_ACCEPTED_RCPT,
	MXW__EVENT_ALIGNED_MESSAGE,
	MXW__EVENT_COUNT
} mxw__event_t;

/* "unknown-recipient": the option's name. Static. */
const char *mxw__event_name(mxw__event_t event);
/* False if there is none of that name. */
bool mxw__event_find(const char *name, mxw__event_t *ret_event);
/* It takes points away. */
bool mxw__event_is_good(mxw__event_t event);
/* It may be reported from outside. */
bool mxw__event_is_reportable(mxw__event_t event);

#endif
