/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prvs.h: a tag in an envelope sender that only its maker can make: prvs=KDDDSSSSSS=local@domain. K is the number of a key, DDD the day
 * on which the tag expires, in days since 1970 modulo 1000, SSSSSS the first three octets, in hexadecimal, of an HMAC-SHA1 of
 * KDDD and the address without the tag. The address is taken in lower case, in the form in which addresses are compared: MTAs
 * change the case of what they bounce to.
 *
 * Who may call: session.
 * Threads: no state.
 * Errors:  any octets: what is no tag is none.
 * Standards: draft-levine-smtp-batv-01 sections 2 and 4 (Bounce Address Tag Validation), RFC 2104.
 */
#ifndef MXW_SRC_MAIL_PRVS_H
#define MXW_SRC_MAIL_PRVS_H

#include "src/base/base.h"

/* "prvs=KDDDSSSSSS=" */
#define MXW__PRVS_LEN 16
/* RFC 5321 section 4.5.3.1.1: with more than this in a local part others may refuse it. */
#define MXW__PRVS_LOCAL_MAX (64 - MXW__PRVS_LEN)

struct mxw__prvs {
	char key_number;       /* '0' to '9' */
	unsigned day;          /* 0 to 999 */
	unsigned char mac[3];
	const char *local;     /* what is behind the tag; points into what was parsed */
};

/* Reads a local part, without quotes. False: there is no tag before it, or nothing behind. */
bool mxw__prvs_parse(const char *local, struct mxw__prvs *ret_prvs);

typedef enum mxw__prvs_state {
	MXW__PRVS_NONE,        /* there is no tag */
	MXW__PRVS_VALID,
	MXW__PRVS_EXPIRED,     /* one of ours, of a day that is over */
	MXW__PRVS_AHEAD,       /* one of ours, of a day too far ahead: the clock is wrong now, or was then (or it expired years ago) */
	MXW__PRVS_FORGED       /* none of the keys has made it */
} mxw__prvs_state_t;

/* `address` is the whole address without the tag; `today` in days since 1970. All keys are tried, whatever number the tag has. */
mxw__prvs_state_t mxw__prvs_verify(const struct mxw__prvs *prvs, const char *address, const char *const *keys, size_t nkeys,
				   uint64_t today);

/* Writes the tagged local part. False if it does not fit, or cannot be made. */
bool mxw__prvs_write(char *out, size_t size, const char *local, const char *address, const char *key, uint64_t expires);

#endif
