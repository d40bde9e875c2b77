/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc_record.h: reading a DMARC policy record. Pure functions on what a stranger's DNS says.
 *
 * Who may call: auth (dmarc_walk.c).
 * Threads: no state.
 * Memory:  none is allocated. Any octets, NUL included, any length: linear work.
 * Standards: RFC 9989 sections 4.7, 4.8 and 4.10.1.
 */
#ifndef MXW_SRC_AUTH_DMARC_RECORD_H
#define MXW_SRC_AUTH_DMARC_RECORD_H

#include "src/auth/dmarc.h"

typedef enum mxw__dmarc_psd {
	MXW__DMARC_PSD_UNKNOWN = 0, /* psd=u, the default */
	MXW__DMARC_PSD_YES,
	MXW__DMARC_PSD_NO
} mxw__dmarc_psd_t;

typedef enum mxw__dmarc_use {
	MXW__DMARC_USE_POLICY = 0, /* it says what is asked for */
	MXW__DMARC_USE_NONE,       /* no p= and nobody to report to: no DMARC processing is asked for */
	MXW__DMARC_USE_BROKEN      /* p=, sp= or np= can't be read, and there is nobody to report to */
} mxw__dmarc_use_t;

struct mxw__dmarc_record {
	struct mxw__dmarc_published published;
	mxw__dmarc_psd_t psd;
	/* Whatever it is, the record marks a place in the tree. */
	mxw__dmarc_use_t use;
};

/* Does it begin as a DMARC record does: "v=DMARC1", then the end or a semicolon? All others are as if they were not there. */
bool mxw__dmarc_record_is_dmarc(const uint8_t *text, size_t len);

/* Reads a record. False, with nothing written, for what is none. */
bool mxw__dmarc_record_parse(const uint8_t *text, size_t len, struct mxw__dmarc_record *ret_record);

#endif
