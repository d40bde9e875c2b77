/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc_store.h: the record of each DMARC evaluation, kept for aggregate reports.
 *
 * A record goes like this: a session hands it over, a queue takes a copy, one thread writes what is queued into
 * STATE_DIR/dmarc.db, in batches, and removes there, in small steps, what is too old or too much. Mail never waits for
 * any of it: where the queue is full a record is dropped and counted. What could not be written stays in the queue and is
 * tried again; a file that is damaged is set aside, and another one begun.
 *
 * Of persons nothing is kept but the client's address and the domains of the envelope's addresses.
 *
 * Who may call: session.
 * Threads: add, configure, flush and the statistics from any thread. The mutex is a leaf, held for a few instructions; no disk
 *          is touched under it. The database is the writer's alone.
 * Memory:  a bounded queue of records of a bounded size.
 * Errors:  trouble with the disk is one notice in each hour, and never an error.
 * Standards: RFC 9990 (what reports want to know).
 */
#ifndef MXW_SRC_JOURNAL_DMARC_STORE_H
#define MXW_SRC_JOURNAL_DMARC_STORE_H

#include "src/base/base.h"

enum { MXW__DMARC_KEPT_SIGNATURES = 16, MXW__DMARC_KEPT_TEXT_MAX = 1024 };

struct mxw__dmarc_kept_signature {
	const char *domain, *selector; /* d=, s= */
	const char *result;
	bool is_aligned;
};

/* An evaluation. Texts may be NULL: then they are "". They are kept as printable ASCII, so long and no longer. */
struct mxw__dmarc_evaluation {
	int64_t at_s;               /* time of day */
	const char *session;
	const char *source;         /* the client's address */
	const char *author_domain;  /* of the From field */
	/* As published. */
	const char *policy_domain;  /* whose record it is */
	const char *p, *sp, *np;    /* "": not there, as for the next two */
	const char *fo, *rua;
	const char *adkim, *aspf;   /* "r" or "s" */
	bool is_testing;
	/* As found. */
	const char *result;         /* "pass", "fail", ... */
	bool dkim_aligned, spf_aligned; /* passes, and is aligned */
	const char *disposition;    /* "none", "quarantine" or "reject" */
	const char *override;       /* why it is another than the owner asks for; "" if it is not */
	const char *spf_domain, *spf_scope, *spf_result; /* "": was not checked */
	const char *envelope_from;  /* the sender's domain */
	const char *envelope_to;    /* the recipients' domains, separated by blanks */
	size_t nsignatures;         /* so many are kept at most: MXW__DMARC_KEPT_SIGNATURES */
	const struct mxw__dmarc_kept_signature *signatures;
};

typedef struct mxw__dmarc_store mxw__dmarc_store_t;

struct mxw__dmarc_store_env {
	const char *state_dir;      /* NULL: nothing is kept, add does nothing */
	bool is_read_only;          /* likewise */
	const struct mxw_clock *clock;
	void (*notice)(void *ctx, bool is_error, const char *text); /* may be NULL; on the writer's thread */
	void *notice_ctx;
	uint64_t keep_ms;           /* 0: nothing is kept, and what there is is removed */
	uint64_t max_evaluations;
	/* 0: as it should be outside of tests. */
	size_t queue_max;
	unsigned batch_ms;          /* how long a record may wait for others */
	unsigned retry_ms;          /* pause after a failure */
	unsigned stop_ms;           /* how long the end may wait for the disk */
};

/* `env` is copied; what it points to must outlive the store. MXW_ERR_NOMEM. */
mxw_status_t mxw__dmarc_store_new(const struct mxw__dmarc_store_env *env, mxw__dmarc_store_t **ret_store);
/* Writes what is queued, within a bound of time. NULL is allowed. */
void mxw__dmarc_store_free(mxw__dmarc_store_t *store);
void mxw__dmarc_store_configure(mxw__dmarc_store_t *store, uint64_t keep_ms, uint64_t max_evaluations);

/* Are records kept at all? */
bool mxw__dmarc_store_is_on(const mxw__dmarc_store_t *store);
/* Takes a copy. False: it was dropped, or nothing is kept. Never waits. */
bool mxw__dmarc_store_add(mxw__dmarc_store_t *store, const struct mxw__dmarc_evaluation *evaluation);

/* Has what is queued written and what is too old removed now. True: it is done, within `timeout_ms` of real time. */
bool mxw__dmarc_store_flush(mxw__dmarc_store_t *store, unsigned timeout_ms);

struct mxw__dmarc_store_stats {
	uint64_t written, dropped;
	size_t queued;
};
void mxw__dmarc_store_get_stats(mxw__dmarc_store_t *store, struct mxw__dmarc_store_stats *ret_stats);

#endif
