/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arc.h: the ARC chain of a message. libopendkim knows none, so canonicalization and signatures are our own here, by
 * OpenSSL's.
 *
 * A chain goes like this. mxw__arc_last_sealer() says who has sealed last; only if that is somebody the administrator
 * trusts, a verifier is made. mxw__arc_walk() goes through the seals, the last one first: its key is that of a domain that is
 * trusted, and no other key is asked for before this seal is found good, so that nobody else can make us ask. The body
 * is streamed in between. mxw__arc_finish() says what it all comes to.
 *
 * Who may call: check (arc.c).
 * Threads: a verifier has one owner at a time, on any thread.
 * Memory:  the fields are borrowed for the verifier's life; of the body only a hash is kept. At most 50 sets.
 * Errors:  a key that can't be had is temperror, never fail.
 * Standards: RFC 8617, RFC 6376 sections 3.4, 3.6.1 and 3.7, RFC 8301, RFC 8463.
 */
#ifndef MXW_SRC_AUTH_ARC_H
#define MXW_SRC_AUTH_ARC_H

#include <mxward/dns.h>

#include "src/mail/mail.h"

typedef enum mxw__arc_result {
	MXW__ARC_NONE = 0,    /* there is no chain */
	MXW__ARC_PASS,
	MXW__ARC_FAIL,        /* also: incomplete, out of order, or its last sealer says that it was broken */
	MXW__ARC_TEMPERROR
} mxw__arc_result_t;

/* "none", "pass", ... Static. */
const char *mxw__arc_result_name(mxw__arc_result_t result);

/* d= of the seal with the highest instance, lower case. MXW_NOT_FOUND: there is no seal that can be read. MXW_TEMPORARY: no
 * memory to look. */
mxw_outcome_t mxw__arc_last_sealer(const struct mxw__field *fields, char ret_domain[MXW__DOMAIN_MAX + 1]);

typedef struct mxw__arc mxw__arc_t;

struct mxw__arc_options {
	unsigned min_key_bits; /* of RSA keys */
	int64_t now_s;         /* the time of day */
};

/* Reads the sets. `fields` is the whole header, in the message's order. */
mxw_status_t mxw__arc_new(const struct mxw__field *fields, const struct mxw__arc_options *options, mxw__arc_t **ret_arc);
void mxw__arc_free(mxw__arc_t *arc);

/* The TXT records of a name, with a reference for the caller; NULL: they have been asked for and have not come yet. */
typedef mxw_dns_answer_t *(*mxw__arc_ask_fn)(void *ctx, const char *name);

/* Goes on as far as keys are known. False: not all of them are. */
bool mxw__arc_walk(mxw__arc_t *arc, mxw__arc_ask_fn ask, void *ctx);

/* False: no (further) part of the body is needed. */
bool mxw__arc_wants_body(const mxw__arc_t *arc);
bool mxw__arc_body(mxw__arc_t *arc, const unsigned char *data, size_t len);

/* To be called when the walk is at its end; before, temperror. */
mxw__arc_result_t mxw__arc_finish(mxw__arc_t *arc);

/* The result of a method as the last sealer's ARC-Authentication-Results field has it, lower case; NULL: it has none, or more
 * than one. Borrowed for the verifier's life. */
const char *mxw__arc_says(mxw__arc_t *arc, const char *method);

#endif
