/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arc_canon.h: header fields and bodies in the form that is hashed, and the hashing.
 *
 * Who may call: arc.c, arc_sets.c, arc_verify.c, tests.
 * Threads: a hash has one owner at a time.
 * Standards: RFC 6376 section 3.4.
 */
#ifndef MXW_SRC_AUTH_ARC_CANON_H
#define MXW_SRC_AUTH_ARC_CANON_H

#include <openssl/evp.h>

#include "src/mail/mail.h"

enum { MXW__SHA256_SIZE = 32 };

/* SHA-256 of what is added, through a small buffer. */
struct mxw__digest {
	EVP_MD_CTX *md;      /* NULL: no memory, or OpenSSL refused */
	size_t n;
	unsigned char buf[1024];
};
void mxw__digest_init(struct mxw__digest *digest);
void mxw__digest_fini(struct mxw__digest *digest);
void mxw__digest_add(struct mxw__digest *digest, const void *data, size_t len);
/* False: there is none. */
bool mxw__digest_final(struct mxw__digest *digest, unsigned char ret_hash[MXW__SHA256_SIZE]);

/* A body under way. Line ends are CRLF; lone ones are octets like any other. */
struct mxw__body_hash {
	struct mxw__digest digest;
	bool is_relaxed;
	bool has_cr, has_blank, has_content;
	uint64_t nlines;     /* line ends that are held back: they may be the last */
};
void mxw__body_hash_init(struct mxw__body_hash *body, bool is_relaxed);
void mxw__body_hash_add(struct mxw__body_hash *body, const unsigned char *data, size_t len);
bool mxw__body_hash_final(struct mxw__body_hash *body, unsigned char ret_hash[MXW__SHA256_SIZE]);

/* Adds a field. `is_last`: without its line end, and with an empty b= tag: a signature's own. */
void mxw__canon_field(struct mxw__digest *digest, const struct mxw__field *field, bool is_relaxed, bool is_last);

#endif
