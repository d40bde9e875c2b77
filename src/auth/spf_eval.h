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

/* Who is asked about, in the forms that terms and macros want. */
struct mxw__spf_identity {
	struct mxw_ip client;   /* an IPv4 address seen through IPv6 is an IPv4 address */
	char local[MXW__SPF_MAX_VALUE / 2];
	char domain[MXW__SPF_MAX_NAME + 1];
	char helo[MXW__SPF_MAX_NAME + 1];
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
	struct mxw__spf_identity who;
	struct mxw__spf_frame frames[MXW__SPF_MAX_FRAMES];
	unsigned nframes;
	/* The record that gives the result: the first, or what that redirects to. It has come to `matched`, NULL: past all. */
	const struct mxw__spf_frame *root;
	const struct mxw__spf_term *matched;
	mxw_dns_answer_t *mx;   /* of the mx term in evaluation */
	mxw_dns_answer_t *ptr;  /* names of the client, once somebody wanted them */
	bool is_validated[MXW__SPF_MAX_HOSTS];
	bool has_skipped;       /* names of the client that a server failed to give */
};

/* NULL, or why the result is "none" without a look (section 4.3). */
const char *mxw__spf_identity_init(struct mxw__spf_identity *who, const struct mxw__spf_query *query);
/* A domain for the resolver: a backslash that a macro brought in stands for itself. `ret_text`: 2 * MXW__SPF_MAX_NAME + 1. */
const char *mxw__spf_escape(const char *name, char *ret_text);
/* The one record of section 4.5. NULL: none, or `*ret_several`. */
const struct mxw_dns_rr *mxw__spf_select(const mxw_dns_answer_t *txt, bool *ret_several);

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

/* Everything but what macros of an explanation may want; `validated` is for the caller to set. */
struct mxw__spf_macros mxw__spf_macros_of(const struct mxw__spf_identity *who, const char *current);
/* The domain a term means, as mxw__spf_term_domain() says it. */
void mxw__spf_expand_term(const struct mxw__spf_macros *macros, const struct mxw__spf_term *term, char *ret_name);
/* The same macros with all an evaluation knows: p may ask the DNS. */
struct mxw__spf_macros mxw__spf_eval_macros(struct mxw__spf_eval *eval, const struct mxw__spf_frame *frame);
/* Sets the explanation of the answer if the root record has one that can be had. The result stays what it is. */
void mxw__spf_explain(struct mxw__spf_eval *eval);

#endif
