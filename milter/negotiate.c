/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <libmilter/mfapi.h>

#include "milter/negotiate.h"

#define EDITS (SMFIF_ADDHDRS | SMFIF_CHGHDRS)

bool mwd_terms_allow_edits(const struct mwd_terms *terms)
{
	return (terms->actions & EDITS) == EDITS;
}

/* The steps that are not to be sent. Connect and end of message come always. */
static unsigned long unneeded(const struct mxw_needs *needs)
{
	unsigned long steps = 0;

	if (!needs->helo)
		steps |= SMFIP_NOHELO;
	if (!needs->mail)
		steps |= SMFIP_NOMAIL;
	if (!needs->rcpt)
		steps |= SMFIP_NORCPT;
	if (!needs->data)
		steps |= SMFIP_NODATA;
	if (!needs->unknown)
		steps |= SMFIP_NOUNKNOWN;
	if (!needs->header)
		steps |= SMFIP_NOHDRS | SMFIP_NOEOH;
	if (!needs->body)
		steps |= SMFIP_NOBODY;
	return steps;
}

/*
 * The steps that get no answer. The body's are answered: SMFIS_SKIP may save megabytes, and libmilter never
 * calls xxfi_eom if the last piece of a body comes with the end of the message and gets no answer.
 */
static unsigned long unanswered(const struct mxw_needs *needs)
{
	unsigned long steps = SMFIP_NR_EOH;

	if (!needs->replies_connect)
		steps |= SMFIP_NR_CONN;
	if (!needs->replies_helo)
		steps |= SMFIP_NR_HELO;
	if (!needs->replies_header)
		steps |= SMFIP_NR_HDR;
	return steps;
}

static unsigned long envelope_actions(const struct mxw_needs *needs)
{
	unsigned long actions = 0;

	if (needs->quarantines)
		actions |= SMFIF_QUARANTINE;
	if (needs->changes_sender)
		actions |= SMFIF_CHGFROM;
	if (needs->changes_rcpts)
		actions |= SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT;
	return actions;
}

void mwd_terms_abilities(const struct mwd_terms *terms, struct mxw_abilities *ret_abilities)
{
	ret_abilities->quarantines = terms->actions & SMFIF_QUARANTINE;
	ret_abilities->changes_sender = terms->actions & SMFIF_CHGFROM;
	ret_abilities->changes_rcpts = (terms->actions & SMFIF_ADDRCPT) && (terms->actions & SMFIF_DELRCPT);
}

struct mwd_terms mwd_negotiate(const struct mxw_needs *needs, const struct mwd_terms *offered)
{
	struct mwd_terms terms;
	unsigned long steps = unneeded(needs) | unanswered(needs) | SMFIP_HDR_LEADSPC;

	if (needs->body)
		steps |= SMFIP_SKIP;
	if (needs->rejected_rcpt)
		steps |= SMFIP_RCPT_REJ;
	terms.steps = steps & offered->steps;
	terms.actions = SMFIF_SETSYMLIST & offered->actions;
	/* One without the other is of no use: results are added where forged ones can be removed. */
	if (needs->edits_headers && mwd_terms_allow_edits(offered))
		terms.actions |= EDITS;
	terms.actions |= envelope_actions(needs) & offered->actions;
	return terms;
}

unsigned mwd_needs_bits(const struct mxw_needs *n)
{
	const bool bits[] = {n->helo,	     n->mail,	       n->rcpt,		n->data,	  n->unknown,	    n->header,
			     n->body, n->edits_headers, n->replies_connect, n->replies_helo, n->replies_header,
			     n->quarantines, n->changes_sender, n->changes_rcpts};
	unsigned value = 0;

	for (unsigned i = 0; i < MWD_ARRAY_LEN(bits); i++)
		value |= bits[i] ? 1u << i : 0;
	return value;
}
