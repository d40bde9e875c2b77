/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim.h: DKIM with libopendkim in a wrapper that judges each signature by itself.
 *
 * Who may call: check (dkim.c).
 * Threads: a library handle is shared read-only; a verifier has one owner at a time, on any thread.
 * Memory:  a verifier keeps the header fields until the end of the header (the caller bounds them) and streams the body.
 *          At most max_signatures are handed to libopendkim, those that dkim_sig.h lets pass.
 * Errors:  a key that can't be looked up is temperror for that signature, never fail.
 * Standards: RFC 6376, RFC 8301 (no rsa-sha1, key sizes), RFC 8463 (ed25519-sha256).
 */
#ifndef MXW_SRC_AUTH_DKIM_H
#define MXW_SRC_AUTH_DKIM_H

#include <mxward/dns.h>

#include "src/base/base.h"
#include "src/check/gather.h"

typedef enum mxw__dkim_result {
	MXW__DKIM_NONE = 0,
	MXW__DKIM_PASS,
	MXW__DKIM_FAIL,      /* altered, or expired */
	MXW__DKIM_POLICY,    /* verifies, but we do not accept it: rsa-sha1, a short key */
	MXW__DKIM_NEUTRAL,   /* can't be judged: syntax, too large, beyond the limit of signatures */
	MXW__DKIM_TEMPERROR,
	MXW__DKIM_PERMERROR  /* no key, revoked, malformed key */
} mxw__dkim_result_t;

const char *mxw__dkim_result_name(mxw__dkim_result_t result);

typedef struct mxw__dkim_lib mxw__dkim_lib_t;
typedef struct mxw__dkim mxw__dkim_t;

struct mxw__dkim_options {
	unsigned max_signatures;
	unsigned min_key_bits;
	bool ignore_testing; /* a signature whose key has t=y is neutral, also if it verifies */
	const struct mxw_clock *clock;
};

/* One per snapshot. */
mxw_status_t mxw__dkim_lib_new(const struct mxw__dkim_options *options, mxw__dkim_lib_t **ret_lib, struct mxw_error *err);
void mxw__dkim_lib_free(mxw__dkim_lib_t *lib);

/* One per message that has at least one DKIM-Signature. `id` is for libopendkim's own messages. */
mxw_status_t mxw__dkim_new(mxw__dkim_lib_t *lib, const char *id, mxw_resolver_t *resolver, struct mxw_dns_budget *budget,
			   mxw__dkim_t **ret_dkim);
void mxw__dkim_free(mxw__dkim_t *dkim);

/* Starts the look-up of the key a DKIM-Signature field names, as soon as the field has been read: if its signature will be
 * evaluated. Pure otherwise. */
void mxw__dkim_prefetch_key(const mxw__dkim_lib_t *lib, mxw_resolver_t *resolver, struct mxw_dns_budget *budget,
			    const char *value);

/* In the message's order: every field, the end of the header, the body. `value` as mxw_session_header() has it. */
mxw_status_t mxw__dkim_header(mxw__dkim_t *dkim, const char *name, const char *value);
/* False: nothing of the body is needed. The fields are not looked at any more. */
bool mxw__dkim_end_of_headers(mxw__dkim_t *dkim);
/* From the end of the header on: asks for all keys at once. Cheap when called again. */
void mxw__dkim_gather(const mxw__dkim_t *dkim, struct mxw__gather *gather);
/* False: no further part of the body is needed. */
bool mxw__dkim_body(mxw__dkim_t *dkim, const unsigned char *data, size_t len);

/* Fields that a message has once at most, and that a reader is shown one of: bits of `uncovered`, from 0. */
enum { MXW__DKIM_SINGLETONS = 17 };
/* In lower case; NULL from MXW__DKIM_SINGLETONS on. Static. */
const char *mxw__dkim_singleton_name(unsigned i);

struct mxw__dkim_signature {
	mxw__dkim_result_t result;
	char domain[254];      /* d=, lower case, "" if unreadable */
	char selector[254];    /* s= */
	char algorithm[24];    /* a= */
	char b8[9];            /* first eight characters of b=, for header.b; "" if unreadable */
	char identity[320];    /* i= */
	bool is_testing;       /* t=y in the key */
	bool is_altered;       /* the key is good, and the header or the body is not what was signed; not for is_testing */
	bool is_header_whole;  /* of one that is altered: only the body is, which proves that the signer made the header */
	bool is_length_limited; /* passes only because l= leaves the end of the body out */
	uint32_t uncovered;    /* passes, and covers some of these fields but not all */
	char reason[96];       /* printable ASCII; not empty unless pass, and for a pass that l= limits */
};

/* Fetches keys, judges. `ret_signatures` is borrowed until mxw__dkim_free(), in the message's order; signatures beyond the
 * limit are reported by one entry at the end, without a domain. The overall result: pass if one passes,
 * else temperror, fail, policy, neutral, permerror in this order of precedence. Those whose key is in test mode do not count
 * unless they pass. */
mxw__dkim_result_t mxw__dkim_finish(mxw__dkim_t *dkim, int64_t deadline_ms,
				    const struct mxw__dkim_signature **ret_signatures, size_t *ret_n);

#endif
