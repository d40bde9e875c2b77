/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * from.h: who the author of a message is, as the From field says it, or as a program might take it.
 *
 * Two readings: a strict one by RFC 5322, and a lenient one that takes what mail programs would show. Where they name
 * different organisational domains the field is ambiguous.
 *
 * Who may call: check (from.c).
 * Threads: no state.
 * Memory:  texts are in the caller's arena.
 * Standards: RFC 5322 sections 3.4 and 3.6.2, RFC 6854 (groups), RFC 6532, RFC 2047, RFC 9989 section 4.
 */
#ifndef MXW_SRC_MAIL_FROM_H
#define MXW_SRC_MAIL_FROM_H

#include "src/mail/mail.h"

typedef enum mxw__from_kind {
	MXW__FROM_VALID = 0,   /* one author */
	MXW__FROM_MISSING,
	MXW__FROM_INVALID,     /* no author that could be read */
	MXW__FROM_SEVERAL,     /* several addresses, or several fields, of different domains */
	MXW__FROM_AMBIGUOUS    /* the readings differ */
} mxw__from_kind_t;

/* Bits of struct mxw__from.flaws, in the order of the words of the fact from.flaw. */
enum {
	MXW__FROM_REPEATED = 1 << 0,   /* several From fields */
	MXW__FROM_EMPTY = 1 << 1,
	MXW__FROM_GROUP = 1 << 2,
	MXW__FROM_ADDRESSES = 1 << 3,  /* several addresses */
	MXW__FROM_ENCODED = 1 << 4,    /* an encoded word where an address stands, or one that hides an address */
	MXW__FROM_CONTROL = 1 << 5,    /* NUL and other controls */
	MXW__FROM_QUOTES = 1 << 6,     /* not balanced */
	MXW__FROM_BRACKETS = 1 << 7,
	MXW__FROM_COMMENT = 1 << 8,    /* within an address, or not balanced */
	MXW__FROM_ROUTE = 1 << 9,
	MXW__FROM_LONG = 1 << 10,
	MXW__FROM_LINE_ENDS = 1 << 11, /* bare CR or LF, or a fold that is none */
	MXW__FROM_UTF8 = 1 << 12,      /* octets beyond ASCII that are no UTF-8 */
	MXW__FROM_SYNTAX = 1 << 13
};

struct mxw__from {
	mxw__from_kind_t kind;
	unsigned flaws;
	/* Where there is exactly one author (several addresses of one domain have a domain, and no address); else "". */
	const char *address;   /* the domain in A-labels */
	const char *domain;    /* lower case, A-labels */
	/* Every domain that a reading finds, once each; for the question whether one of them is ours. */
	size_t ndomains;
	const char *domains[8];
};

#endif
