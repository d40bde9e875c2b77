/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gather.h: DNS questions that are asked together and waited for together.
 *
 * A check's `gather` walks the way its `run` will walk, as far as answers are known, and asks for what it would want next,
 * all at once: the records of three includes are under way at one time, and so are those of SPF, DKIM and DMARC. It is
 * called at every stage, so that what is asked at one can be followed up at the next without waiting. Where a stage
 * needs facts, the questions of all checks that state them are waited for in one go, the checks walk on with the answers, and so
 * on until none of them asks for more. The wait is as long as the longest chain, not as all of them together.
 *
 * Who may call: check, session, auth.
 * Threads: one owner.
 * Memory:  bounded: so many questions, of so many rounds.
 */
#ifndef MXW_SRC_CHECK_GATHER_H
#define MXW_SRC_CHECK_GATHER_H

#include <mxward/dns.h>

enum {
	MXW__GATHER_MAX = 192,  /* questions */
	MXW__GATHER_ROUNDS = 16
};

struct mxw__gather_question;

struct mxw__gather {
	mxw_resolver_t *resolver;
	struct mxw_dns_budget *budget;
	struct mxw__gather_question *questions; /* malloc'ed */
	size_t n, nwaited;
};

void mxw__gather_init(struct mxw__gather *gather, mxw_resolver_t *resolver, struct mxw_dns_budget *budget);
void mxw__gather_fini(struct mxw__gather *gather);

/*
 * The answer, with a reference for the caller, whatever its outcome; NULL if it is not known yet: then it has been asked for,
 * and the caller goes on with what else it will want.
 */
mxw_dns_answer_t *mxw__gather_ask(struct mxw__gather *gather, const char *name, enum mxw_dns_type type);

/* The same for what may not be wanted in the end: it is asked for, and not waited for. */
mxw_dns_answer_t *mxw__gather_hint(struct mxw__gather *gather, const char *name, enum mxw_dns_type type);

/* Waits for all that was asked for, hints left out, since the last call. False: that was nothing. */
bool mxw__gather_wait(struct mxw__gather *gather, int64_t deadline_ms);

#endif
