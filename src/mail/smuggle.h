/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smuggle.h: what is left of a smuggled message in the body that carried it.
 *
 * Two servers that disagree on which line ends belong to the final dot (LF.LF, CR.CRLF, and so on) see one message and two: to the one
 * the second message, with its envelope, is part of the first one's body. Such a body has a line of one dot, by any
 * of these line ends, and right behind it the commands of the second: EHLO, HELO, RSET or NOOP maybe, MAIL FROM and RCPT TO.
 * A body that shows such a dialogue with the server's replies has them in between; a patch has a sign before each line.
 *
 * Who may call: check.
 * Threads: no state but the caller's.
 * Memory:  constant, whatever the lines are.
 * Standards: RFC 5321 sections 2.3.8 and 4.1.1.4; CVE-2023-51764, CVE-2023-51765, CVE-2023-51766.
 */
#ifndef MXW_SRC_MAIL_SMUGGLE_H
#define MXW_SRC_MAIL_SMUGGLE_H

#include "src/base/base.h"

enum { MXW__SMUGGLE_WORD = 10 }; /* octets of "mail from:", the longest */

/* All zero at the start of a body. */
struct mxw__smuggle {
	bool is_found;
	bool is_in_line;      /* the octet before was no line end */
	enum { MXW__SMUGGLE_TEXT = 0, MXW__SMUGGLE_DOT, MXW__SMUGGLE_LINE, MXW__SMUGGLE_REST } state;
	bool has_mail;
	unsigned char len;
	char word[MXW__SMUGGLE_WORD];
};

/* The next piece of the body, cut anywhere. True once a residue was found; then the rest need not be given. */
bool mxw__smuggle_scan(struct mxw__smuggle *smuggle, const unsigned char *data, size_t len);

#endif
