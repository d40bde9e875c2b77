/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arc_verify.h: key records and signatures, by OpenSSL.
 *
 * Who may call: arc.c.
 * Threads: no state.
 * Standards: RFC 6376 section 3.6.1, RFC 8301, RFC 8463.
 */
#ifndef MXW_SRC_AUTH_ARC_VERIFY_H
#define MXW_SRC_AUTH_ARC_VERIFY_H

#include <mxward/dns.h>

#include "src/auth/arc_canon.h"

/* Decodes base64 without blanks. False: it is none, or more than `size` octets. */
bool mxw__base64_decode(const char *text, unsigned char *ret_data, size_t size, size_t *ret_len);

/*
 * MXW_FOUND: `signature` (base64) is one of `hash`, by a key among `records` that may be used for mail and for `algorithm`,
 * "rsa-sha256" or "ed25519-sha256". MXW_NOT_FOUND: it is none. MXW_TEMPORARY: there is no memory to tell.
 */
mxw_outcome_t mxw__arc_verify(const mxw_dns_answer_t *records, const char *algorithm, unsigned min_key_bits,
			      const unsigned char hash[MXW__SHA256_SIZE], const char *signature);

#endif
