/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf.h: SPF with libspf2 for the evaluation, behind our own strict record parser and on our resolver.
 *
 * libspf2 never sees a record, a name or a macro of a peer, only records of our own making (spf_record.h):
 * one TXT record could crash the process otherwise.
 *
 * Who may call: check (spf.c, helo.c).
 * Threads: no shared state; each evaluation has a libspf2 server of its own, so that the look-up hook knows
 *          its deadline and budget without thread-local state.
 * Errors:  every result of RFC 7208 section 2.6; a time-out is temperror, never a verdict.
 * Standards: RFC 7208.
 */
#ifndef MXW_SRC_AUTH_SPF_H
#define MXW_SRC_AUTH_SPF_H

#include <mxward/dns.h>

#include "src/base/base.h"

typedef enum mxw__spf_result {
	MXW__SPF_NONE = 0,
	MXW__SPF_NEUTRAL,
	MXW__SPF_PASS,
	MXW__SPF_FAIL,
	MXW__SPF_SOFTFAIL,
	MXW__SPF_TEMPERROR,
	MXW__SPF_PERMERROR
} mxw__spf_result_t;

/* "none", "neutral", ... Static. */
const char *mxw__spf_result_name(mxw__spf_result_t result);

struct mxw__spf_query {
	struct mxw_ip client;
	const char *helo;        /* for the macro h */
	const char *local;       /* local part; "postmaster" for the HELO identity */
	const char *domain;      /* the identity's domain: of MAIL FROM, or the HELO name */
	const char *receiver;    /* for the macro r: our host name */
	mxw_resolver_t *resolver;
	struct mxw_dns_budget *budget;
	int64_t deadline_ms;
	const struct mxw_clock *clock;
};

struct mxw__spf_answer {
	mxw__spf_result_t result;
	char reason[128];        /* for permerror and temperror; no peer data beyond printable ASCII */
};

/* check_host() of RFC 7208 section 4. */
void mxw__spf_check(const struct mxw__spf_query *query, struct mxw__spf_answer *ret_answer);

#endif
