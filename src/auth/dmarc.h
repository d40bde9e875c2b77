/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc.h: DMARC: records, the tree walk, alignment, and what it all comes to.
 *
 * dmarc_record.c reads records, dmarc_walk.c finds them and says which domains belong together, dmarc.c evaluates.
 *
 * What could not be looked up may be anything: a step of a tree walk without an answer may have a record or none. Each
 * conclusion is drawn only if it holds whatever the answer would have been; so a pass that no record could take away is one, and
 * nothing becomes fail or none for want of an answer.
 *
 * Who may call: check (dmarc.c, owndomain.c).
 * Threads: no shared state.
 * Memory:  on the stack alone.
 * Errors:  a record that can't be looked up is temperror, never fail.
 * Standards: RFC 9989.
 */
#ifndef MXW_SRC_AUTH_DMARC_H
#define MXW_SRC_AUTH_DMARC_H

#include <mxward/dns.h>

#include "src/check/gather.h"
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
	bool is_policy_unknown;                   /* temporarily; also where only np= depends on it */
	bool is_testing;                          /* t=y */
	struct mxw__dmarc_published published;     /* with a record */
	/* Passes, and is aligned. Of an equal domain that is known even where the record is not: it is aligned by any. */
	bool spf_aligned, dkim_aligned;
	bool is_alignment_unknown;                /* there may be more */
	char author_domain[MXW__DOMAIN_MAX + 1];
	char policy_domain[MXW__DOMAIN_MAX + 1];  /* whose record applies; "" without one */
	char org_domain[MXW__DOMAIN_MAX + 1];     /* of the author's domain; "" if it is not known */
	char reason[96];                          /* of an error; printable ASCII */
};

/* Whether something holds, as far as it is known. The lesser one of two is their conjunction, the greater one their disjunction. */
typedef enum mxw__dmarc_tri {
	MXW__DMARC_NO = 0,
	MXW__DMARC_MAYBE,
	MXW__DMARC_YES
} mxw__dmarc_tri_t;

/* How records are asked for. */
struct mxw__dmarc_dns {
	mxw_resolver_t *resolver;
	struct mxw_dns_budget *budget;
	int64_t deadline_ms;
	struct mxw__gather *gather;               /* else NULL: ask for what is not known, and do not wait */
};

/* A domain that SPF or a DKIM signature may speak for. Any spelling; U-labels are read. */
struct mxw__dmarc_identifier {
	const char *domain;
	mxw__dmarc_tri_t passes;
};

enum {
	MXW__DMARC_AUTHORS_MAX = 4, /* RFC 9989 section 11.5 wants a limit */
	MXW__DMARC_SIGNATURES_MAX = 16
};

struct mxw__dmarc_query {
	/* Domains in From; one, unless somebody tries a trick. */
	const char *authors[MXW__DMARC_AUTHORS_MAX];
	size_t nauthors;
	bool has_more_authors;
	struct mxw__dmarc_identifier spf;         /* of MAIL FROM, or the HELO name for a null sender; domain NULL: there is none */
	struct mxw__dmarc_identifier dkim[MXW__DMARC_SIGNATURES_MAX];
	size_t ndkim;
	bool is_dkim_unknown;                     /* there are signatures that could not be looked at */
	bool is_incomplete;                       /* SPF or DKIM is switched off: nothing can be said to fail */
	struct mxw__dmarc_dns dns;
};

/*
 * Asks for all that an evaluation may need, as far as can be told by now: the names of the author's tree walk at one time, those of
 * the others as far as relaxed alignment could need them, and the author's domain if np= depends on it. Does not wait. Cheap when called
 * again. With dns.gather.
 */
void mxw__dmarc_gather(const struct mxw__dmarc_query *query);

/*
 * Evaluates. With several authors each is evaluated, and the worst answer is given (RFC 9989 section 11.5). Without any, or with one that is no
 * domain name, no record can apply.
 */
void mxw__dmarc_evaluate(const struct mxw__dmarc_query *query, struct mxw__dmarc_answer *ret_answer);

/*
 * Does one organisation run both domains, for purposes beyond DMARC? As relaxed alignment; where the DNS has no DMARC record for
 * either, as the Public Suffix List says; and never across what is a public suffix there.
 */
mxw__dmarc_tri_t mxw__dmarc_same_organisation(const char *a, const char *b, const struct mxw__dmarc_dns *dns);
/* Asks for all that this may need, as mxw__dmarc_gather(). */
void mxw__dmarc_gather_organisations(const char *a, const char *b, const struct mxw__dmarc_dns *dns);

#endif
