/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_verifier.h: a message under verification, as dkim.c feeds it and dkim_judge.c judges it.
 *
 * Who may call: these two.
 * Threads: a verifier has one owner at a time.
 */
#ifndef MXW_SRC_AUTH_DKIM_VERIFIER_H
#define MXW_SRC_AUTH_DKIM_VERIFIER_H

#include <sys/types.h>

#include <opendkim/dkim.h>

#include "src/auth/dkim_length.h"
#include "src/auth/dkim_sig.h"

struct mxw__dkim_lib {
	DKIM_LIB *lib;
	struct mxw__dkim_options options;
};

/* A signature beside what is reported of it. */
struct mxw__dkim_entry {
	struct mxw__dkim_signature_info info;
	DKIM_SIGINFO *handle;  /* NULL: not judged by libopendkim */
	bool is_judged;        /* libopendkim has it in its list */
	bool is_malformed;     /* in libopendkim's eyes */
	char *key;             /* for libopendkim; NULL: none that can be used, and the result says why */
};

struct mxw__dkim {
	const struct mxw__dkim_lib *lib;
	mxw_resolver_t *resolver;
	struct mxw_dns_budget *budget;
	DKIM *dkim;
	char id[64];
	int64_t deadline_ms;
	struct mxw__dkim_signature *reports; /* max_signatures, and one for all that are beyond */
	struct mxw__dkim_entry *sigs;              /* beside the first of `reports` */
	unsigned nsigs;                      /* examined */
	unsigned nbeyond;
	unsigned nwithheld;                  /* fields that libopendkim does not see */
	unsigned nfields;                    /* that libopendkim has */
	unsigned nsingletons[MXW__DKIM_SINGLETONS]; /* fields of each name; From is the first */
	struct mxw__dkim_length length;      /* of the body, if a signature has l= */
	int64_t max_length;                  /* the largest l=; -1 if none has one */
	bool is_active;                      /* there is something to judge */
	bool is_hashed;                      /* libopendkim needs no more of the body */
	bool is_past_headers;
	bool is_finished;
	bool has_failed;                     /* memory */
	bool has_body;
	char last[2];                        /* octets of the body */
	mxw__dkim_result_t result;
};

void mxw__dkim_set_result(struct mxw__dkim_signature *sig, mxw__dkim_result_t result, const char *reason);

/* At the end of the message: asks for the key of a signature. False: it has its result. */
bool mxw__dkim_load_key(struct mxw__dkim *self, struct mxw__dkim_entry *entry);

/* libopendkim wants the key of a signature: it gets what was loaded. */
DKIM_CBSTAT mxw__dkim_on_key_lookup(DKIM *dkim, DKIM_SIGINFO *handle, unsigned char *buf, size_t size);

/* After dkim_eom(): what has become of a signature. */
void mxw__dkim_judge(const struct mxw__dkim *self, struct mxw__dkim_entry *entry);

#endif
