/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_eval.h: one evaluation of check_host(): its records, its limits, and the look-ups of its terms.
 *
 * spf.c drives libspf2 and translates between its tokens and the terms; spf_eval.c knows the DNS and the limits and
 * does not know libspf2.
 *
 * Who may call: spf.c.
 * Threads: an evaluation belongs to the thread that makes it.
 * Errors:  what ends an evaluation (temperror, permerror, none) is decided once, with its reason: whoever sees
 *          `is_decided` stops.
 * Standards: RFC 7208 sections 4.4 to 4.6, 5 and 7.
 */
#ifndef MXW_SRC_AUTH_SPF_EVAL_H
#define MXW_SRC_AUTH_SPF_EVAL_H

#include "src/auth/spf.h"
#include "src/auth/spf_record.h"

enum {
	MXW__SPF_MAX_VOID = 2,   /* look-ups without an answer, section 4.6.4 */
	MXW__SPF_MAX_HOSTS = 10, /* names of an mx or ptr term, section 4.6.4 */
	MXW__SPF_MAX_FRAMES = MXW__SPF_MAX_TERMS + 1
};

/* One record in evaluation: the first, and one for each include and redirect. */
struct mxw__spf_frame {
	struct mxw__spf_record record;
	char domain[MXW__SPF_MAX_NAME + 1];
	mxw_dns_answer_t *txt;  /* keeps the text that `record` points to */
};

struct mxw__spf_eval {
	const struct mxw__spf_query *query;
	struct mxw__spf_answer *answer;
	bool is_decided;
	unsigned nterms;        /* terms that caused look-ups */
	unsigned nvoid;
	char local[MXW__SPF_MAX_VALUE / 2];
	char domain[MXW__SPF_MAX_NAME + 1];
	char helo[MXW__SPF_MAX_NAME + 1];
	struct mxw__spf_frame frames[MXW__SPF_MAX_FRAMES];
	unsigned nframes;
	mxw_dns_answer_t *mx;   /* of the mx term in evaluation */
	mxw_dns_answer_t *ptr;  /* names of the client, once somebody wanted them */
	bool is_validated[MXW__SPF_MAX_HOSTS];
};

/* Decides the result; later calls change nothing. Octets of the reason that are no printable ASCII become '?'. */
void mxw__spf_decide(struct mxw__spf_eval *eval, mxw__spf_result_t result, const char *fmt, ...) MXW_PRINTF(3, 4);

/* Looks up, selects and reads the record of `domain`; `is_first` is the one of the identity. NULL: it is decided. */
struct mxw__spf_frame *mxw__spf_open_frame(struct mxw__spf_eval *eval, const char *domain, bool is_first);
void mxw__spf_eval_fini(struct mxw__spf_eval *eval);

/* The domain a term means. `ret_name` has room for MXW__SPF_MAX_NAME + 1 octets. */
void mxw__spf_term_domain(struct mxw__spf_eval *eval, const struct mxw__spf_frame *frame,
			  const struct mxw__spf_term *term, char *ret_name);
/* Counts a term that causes look-ups; false: over the limit, which is decided then. */
bool mxw__spf_count_term(struct mxw__spf_eval *eval);

/* Addresses of the client's family. NULL: it is decided. The caller lets go of the answer. */
mxw_dns_answer_t *mxw__spf_ask_addresses(struct mxw__spf_eval *eval, const char *name, bool counts_void);
/* The mail exchangers of a term's domain, kept in eval->mx; false: it is decided. */
bool mxw__spf_ask_mx(struct mxw__spf_eval *eval, const char *domain);
/* Does a term that libspf2 sees as "exists" hold? False also when it is decided. */
bool mxw__spf_term_holds(struct mxw__spf_eval *eval, const struct mxw__spf_frame *frame, const struct mxw__spf_term *term);

#endif
