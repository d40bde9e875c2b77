/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * from.h: who the author of a message is, as the From field says it, or as a program might take it.
 *
 * Two readings: a strict one by RFC 5322 (from_strict.c), and a lenient one that takes whatever a mail program might take for the
 * address (from_lenient.c). Where they name different organisational domains the field is ambiguous: one program checks the
 * one author, another shows the other.
 *
 * The border. An address is one that a program might take if it stands
 *   - in angle brackets, any of them, also those that only appear to somebody who does not know comments, backslashes, or
 *     quotes that are never closed, or who decodes encoded words before looking for brackets;
 *   - without quotes, whatever is before or behind it ("a@x <b@y>", "Anna a@x <b@y>", "a@x, <b@y>", "<a@x> b@y");
 *   - in a quoted string or an encoded word that is all of an entry of the list, or behind a pair of brackets;
 *   - in a source route, in a quoted local part, or before or behind another @ of the same address.
 * It is not one in a quoted string or an encoded word before the brackets, or in a comment: lists and ticket systems write such
 * names in honest mail, and programs show them as names. That they show the address of somebody else is the flaw "name", for
 * rules to make something of. Nor is it one where nobody's domain is named ("me@home <b@y>"), or where several words and a blank
 * stand before the @ ("Sales Team @ Example.net <b@y>").
 * What is against the syntax, but is read in one way only ("Doe, Anna <a@x>", "Anna <a@x", 'Anna "<a@x>'), is valid with a flaw.
 *
 * Who may call: check (from.c).
 * Threads: no state.
 * Memory:  texts are in the caller's arena; what is needed while reading is freed at once. Work is linear in the input.
 * Errors:  MXW_ERR_NOMEM, MXW_ERR_LIMIT (of the arena): nothing is known of the field then.
 * Standards: RFC 5322 sections 3.4, 3.6.2 and 4.4, RFC 6854 (groups), RFC 6532, RFC 2047, RFC 9989 section 5.3.1. The
 *          disagreements are those of Chen, Paxson and Jiang, "Composition Kills", USENIX Security 2020, and CVE-2023-27043.
 */
#ifndef MXW_SRC_MAIL_FROM_H
#define MXW_SRC_MAIL_FROM_H

#include "src/mail/mail.h"

typedef enum mxw__from_kind {
	MXW__FROM_VALID = 0,   /* one author, or several of one domain */
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
	MXW__FROM_ROUTE = 1 << 9,      /* a source route, or "user%host" or "host!user" in the local part */
	MXW__FROM_LONG = 1 << 10,
	MXW__FROM_LINE_ENDS = 1 << 11, /* bare CR or LF, or a fold that is none */
	MXW__FROM_UTF8 = 1 << 12,      /* octets beyond ASCII that are no UTF-8 */
	MXW__FROM_SYNTAX = 1 << 13,
	MXW__FROM_NAME = 1 << 14       /* the display name or a comment shows an address of another organisational domain */
};

enum {
	MXW__FROM_DOMAINS = 8,
	MXW__FROM_FIELDS = 16,         /* more of them are several in any case */
	MXW__FROM_LONG_OCTETS = 2048,  /* of a field, for the flaw */
	MXW__FROM_OCTETS = 1 << 20     /* of all fields: what is longer is ambiguous without a look */
};

struct mxw__from {
	bool is_unknown;       /* memory was short: the rest says nothing */
	mxw__from_kind_t kind;
	unsigned flaws;
	/*
	 * Of a valid field; else "". Several addresses of one domain have a domain and no address, and so has one whose local part
	 * nobody could write to.
	 */
	const char *address;   /* the domain in A-labels */
	const char *domain;    /* lower case, A-labels */
	/* Every domain that a reading finds, once each; for the question whether one of them is ours. */
	size_t ndomains;
	const char *domains[MXW__FROM_DOMAINS];
};

/* The values of all From fields, in their order, as they came: with folds and all. */
mxw_status_t mxw__from_read(mxw__arena_t *arena, const char *const *values, size_t n, struct mxw__from *ret_from);
/* There were more fields than MXW__FROM_FIELDS, and these are what `from` says. */
void mxw__from_too_many(struct mxw__from *from);

#endif
