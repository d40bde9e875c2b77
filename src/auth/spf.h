/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf.h: SPF with libspf2 for the evaluation, behind our own strict record parser and on our resolver.
 *
 * libspf2 never sees a record, a name or a macro of a peer, only records of our own making (spf_record.h):
 * one TXT record could crash the process otherwise.
 *
 *	spf.c         drives libspf2
 *	spf_eval.c    the look-ups of the terms, and their limits
 *	spf_explain.c what the domain has to say about a fail
 *	spf_gather.c  asks early for what an evaluation will ask
 *	spf_survey.c  how much a record lets pass
 *	spf_received.c the Received-SPF field
 *	spf_record.c  reads records, spf_macro.c expands macros
 *
 * Who may call: check (spf.c).
 * Threads: no shared state; each evaluation has a libspf2 server of its own, so that the look-up hook knows
 *          its deadline and budget without thread-local state.
 * Errors:  every result of RFC 7208 section 2.6; a time-out is temperror, never a verdict.
 * Standards: RFC 7208.
 */
#ifndef MXW_SRC_AUTH_SPF_H
#define MXW_SRC_AUTH_SPF_H

#include <mxward/dns.h>

#include "src/base/base.h"
#include "src/check/gather.h"

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
	bool wants_explanation;  /* of a fail; costs one more question then */
};

enum {
	MXW__SPF_EXPLANATION_MAX = 255,    /* octets kept of the text */
	MXW__SPF_EXPLANATION_WAIT_MS = 1000 /* it is worth no longer wait */
};

struct mxw__spf_answer {
	mxw__spf_result_t result;
	/*
	 * The client's reverse names failed, a ptr term or macro was passed over as sections 5.5 and 7.3 want it, and with an
	 * answer the result might be another. It is the standard's, but proves nothing against the sender.
	 */
	bool is_unsure;
	char reason[128];        /* for permerror and temperror; no peer data beyond printable ASCII */
	/* "all", "include", "ip4", ... of the identity's record or what that redirects to; "default" if no mechanism matched.
	 * Static. NULL where no record gave the result. */
	const char *mechanism;
	/* What the domain has to say about a fail; printable ASCII. "" if it says nothing, or nothing sound, or in time. */
	char explanation[MXW__SPF_EXPLANATION_MAX + 1];
};

/* check_host() of RFC 7208 section 4. */
void mxw__spf_check(const struct mxw__spf_query *query, struct mxw__spf_answer *ret_answer);

/*
 * Asks for what mxw__spf_check() would ask, as far as that is known by the answers so far: all terms of a record at one
 * time, those of the records they include, and nothing beyond a term that matches in any case. Waits for nothing; the
 * query's resolver, budget and deadline are not looked at. What can't be foreseen, names made of the macro p, is left
 * to the evaluation. False: nothing is under way, so that there is no more to ask for.
 */
bool mxw__spf_gather(const struct mxw__spf_query *query, struct mxw__gather *gather);

/* What a record lets pass, whoever the client is. */
struct mxw__spf_survey {
	/*
	 * Addresses for which the result is pass: IPv4 addresses, and IPv6 networks of 48 bits, which is what one site gets where
	 * IPv4 gives it an address. Ranges that overlap count once; UINT64_MAX is "or more". Names of a and mx count as the
	 * networks that their addresses are known to be in, one address if none is known; ptr and exists as nothing.
	 */
	uint64_t breadth;
	/* An include, redirect, a, mx or exists term names a domain that nobody has registered. */
	bool is_dangling;
};

/*
 * Follows the includes and redirects of the domain's record. MXW_NOT_FOUND: there is no record, or it is malformed.
 * MXW_TEMPORARY: some record could not be had. The addresses of names are taken from what is known, never asked for.
 */
mxw_outcome_t mxw__spf_survey(const struct mxw__spf_query *query, struct mxw__spf_survey *ret_survey);
/* Asks for what mxw__spf_survey() would ask. False: as above. */
bool mxw__spf_survey_gather(const struct mxw__spf_query *query, struct mxw__gather *gather);

struct mxw__received_spf_input {
	const struct mxw__spf_answer *answer;
	const char *receiver;    /* our name */
	const struct mxw_ip *client;
	const char *helo;        /* of the client, as the next */
	const char *sender;      /* envelope sender; "": the answer is about the HELO name */
};

/*
 * The value of a Received-SPF field, folded, its first blank included. What peers wrote stands in quotes, or not at all if it has
 * anything but printable ASCII. NULL without memory.
 */
char *mxw__received_spf_compose(mxw__arena_t *arena, const struct mxw__received_spf_input *input);

#endif
