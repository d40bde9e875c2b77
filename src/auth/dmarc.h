/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc.h: DMARC: records, the tree walk, alignment, and what it all comes to.
 *
 * Who may call: check (dmarc.c).
 * Threads: no shared state.
 * Errors:  a record that can't be looked up is temperror, never fail.
 * Standards: RFC 9989.
 */
#ifndef MXW_SRC_AUTH_DMARC_H
#define MXW_SRC_AUTH_DMARC_H

#include "src/mail/mail.h"

typedef enum mxw__dmarc_result {
	MXW__DMARC_NONE = 0,
	MXW__DMARC_PASS,
	MXW__DMARC_FAIL,
	MXW__DMARC_TEMPERROR,
	MXW__DMARC_PERMERROR
} mxw__dmarc_result_t;
/* "none", "pass", ... Static. */
const char *mxw__dmarc_result_name(mxw__dmarc_result_t result);

typedef enum mxw__dmarc_policy {
	MXW__DMARC_POLICY_NONE = 0,
	MXW__DMARC_POLICY_QUARANTINE,
	MXW__DMARC_POLICY_REJECT
} mxw__dmarc_policy_t;
/* "none", "quarantine", "reject". Static. */
const char *mxw__dmarc_policy_name(mxw__dmarc_policy_t policy);

/* The tags of the record, or what they are by default: for the record of the evaluation that is kept. */
struct mxw__dmarc_published {
	mxw__dmarc_policy_t p, sp, np;
	bool has_sp, has_np;                      /* no: they are as p (np: as sp) */
	bool is_adkim_strict, is_aspf_strict;
	bool is_testing;                          /* t=y */
	char fo[16];                              /* as it stands there, blanks aside; "" if absent */
	char rua[512];                            /* likewise, cut after the last whole URI that fits; printable ASCII */
};

/* What an evaluation came to. */
struct mxw__dmarc_answer {
	mxw__dmarc_result_t result;
	bool has_record;
	mxw__dmarc_policy_t policy;               /* that applies to this domain: of p, sp and np, after t */
	bool is_testing;                          /* t=y */
	struct mxw__dmarc_published published;     /* with a record */
	bool spf_aligned, dkim_aligned;           /* passes, and is aligned */
	char author_domain[MXW__DOMAIN_MAX + 1];
	char policy_domain[MXW__DOMAIN_MAX + 1];  /* whose record applies; "" without one */
	char org_domain[MXW__DOMAIN_MAX + 1];     /* of the author's domain; "" if it is not known */
	char reason[96];                          /* of an error; printable ASCII */
};

#endif
