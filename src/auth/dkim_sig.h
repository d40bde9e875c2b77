/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_sig.h: DKIM-Signature fields (dkim_sig.c) and key records (dkim_key.c), read strictly before libopendkim sees them.
 *
 * libopendkim does not look at q=, takes rsa-sha1, matches tag names without case and lets the last of two win, cuts
 * h= at 4,096 octets, and reads past the end of an i= that ends within an escape. Only fields that pass here reach it.
 *
 * Who may call: dkim.c, tests.
 * Threads: no state.
 * Memory:  plain structs and buffers of the caller.
 * Standards: RFC 6376 sections 3.2, 3.5 and 3.6.1, RFC 8301, RFC 8463.
 */
#ifndef MXW_SRC_AUTH_DKIM_SIG_H
#define MXW_SRC_AUTH_DKIM_SIG_H

#include "src/auth/dkim.h"

enum {
	MXW__DKIM_MAX_FIELD = 32768, /* octets of a DKIM-Signature field's value */
	MXW__DKIM_MAX_H = 4000,      /* octets of h= */
	MXW__DKIM_MAX_NAMES = 256,   /* names in h= */
	MXW__DKIM_MAX_KEY = 1024,    /* octets of a key record, as libopendkim has room for it: RSA keys of more than 4,096 bits have it */
	MXW__DKIM_MAX_MATCHES = 4000000, /* fields of the header, times names in all h=: some 15 ms of libopendkim */
	MXW__DKIM_FUTURE_S = 300     /* how far a signer's clock may be ahead */
};

struct mxw__dkim_signature_info {
	struct mxw__dkim_signature *sig; /* domain, selector, algorithm, b8, identity are filled in as far as readable */
	bool covers_signatures;          /* h= has dkim-signature */
	unsigned nnames;                 /* in h= */
	bool is_subdomain;               /* the domain of i= is below d= */
	bool is_relaxed;                 /* the body's canonicalization */
	int64_t length;                  /* l=; -1 if there is none */
	uint16_t named[MXW__DKIM_SINGLETONS]; /* how often h= has each */
};

/* The number of a singleton's name, -1 for other fields. */
int mxw__dkim_find_singleton(const char *name, size_t len);

/*
 * Reads a field. True: libopendkim may judge it. False: `info->sig` has the result and the reason. `now_s` is the time of day.
 */
bool mxw__dkim_read_signature(const char *value, size_t len, int64_t now_s, struct mxw__dkim_signature_info *info);

/* What a selector's records come to for one signature. */
struct mxw__dkim_key {
	mxw__dkim_result_t result; /* MXW__DKIM_NONE: it may be used; else what it makes of the signature */
	const char *reason;        /* static */
	bool is_testing;           /* t=y */
};

/*
 * Finds a key for the signature among the TXT records of its selector and writes what libopendkim needs of it into `ret_text`
 * (`size` octets). Of several records the first that can be used counts (RFC 6376 section 3.6.2.2 leaves it open).
 */
struct mxw__dkim_key mxw__dkim_read_key(const mxw_dns_answer_t *answer, const struct mxw__dkim_signature_info *info,
					char *ret_text, size_t size);

/* Copies peer data: lower case if wanted, '?' for all but printable ASCII, cut at `size`. */
void mxw__dkim_copy(char *ret, size_t size, const char *text, size_t len, bool is_lowered);

#endif
