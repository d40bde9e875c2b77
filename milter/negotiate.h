/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * negotiate.h: what to ask of the MTA, as a pure function of what is needed and what is offered.
 *
 * A step nobody needs is not sent, a step that can't give a verdict is not answered, so that each message costs as
 * few round trips as the policy allows.
 *
 * Threads: no state.
 */
#ifndef MXW_MILTER_NEGOTIATE_H
#define MXW_MILTER_NEGOTIATE_H

#include <mxward/session.h>

#include "milter/mwd.h"

struct mwd_terms {
	unsigned long actions; /* SMFIF_* */
	unsigned long steps;   /* SMFIP_* */
};

/* `offered` is what the MTA offers, the no-reply steps that libmilter makes up for it included. */
struct mwd_terms mwd_negotiate(const struct mxw_needs *needs, const struct mwd_terms *offered);

/* May header fields be changed under these terms? */
bool mwd_terms_allow_edits(const struct mwd_terms *terms);

/* What the session may ask of the MTA under these terms. */
void mwd_terms_abilities(const struct mwd_terms *terms, struct mxw_abilities *ret_abilities);

/* The needs as bits, so that they can be compared. Rejected recipients are left out: they are of use, not needed. */
unsigned mwd_needs_bits(const struct mxw_needs *needs);

#endif
