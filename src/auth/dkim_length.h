/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_length.h: how long a body is after canonicalization, for what an l= leaves out.
 *
 * libopendkim hashes as far as l= goes and does not say whether there was more.
 *
 * Who may call: dkim.c, tests.
 * Threads: no state but the caller's.
 * Memory:  a few words.
 * Standards: RFC 6376 sections 3.4.3 to 3.4.5.
 */
#ifndef MXW_SRC_AUTH_DKIM_LENGTH_H
#define MXW_SRC_AUTH_DKIM_LENGTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero at the beginning. */
struct mxw__dkim_length {
	uint64_t simple, relaxed;             /* octets so far */
	uint64_t simple_kept, relaxed_kept;   /* without the empty lines at the end, and without the last line's CRLF */
	bool has_cr;                          /* the last octet, not counted yet */
	bool has_blank;                       /* relaxed: blanks that count as one unless the line ends */
};

void mxw__dkim_length_add(struct mxw__dkim_length *length, const unsigned char *data, size_t len);

/*
 * Octets of the canonical body, by what is known so far: it only grows. An empty body has 0 in both forms, although
 * "simple" would add a CRLF: there is nothing in it that l= could leave out.
 */
uint64_t mxw__dkim_length_get(const struct mxw__dkim_length *length, bool is_relaxed);

#endif
