/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail.h: reading what stands in envelopes and header fields. Pure functions on peer data.
 *
 * Who may call: auth, check, directory, session.
 * Threads: no state.
 * Memory:  results are in the caller's arena or point into the input.
 * Errors:  MXW_ERR_INVALID for what does not have the syntax, MXW_ERR_LIMIT / MXW_ERR_NOMEM from the arena.
 *          Any octets, NUL included where a length is given, any length: never more than linear work.
 * Standards: RFC 5321 section 4.1.2 (paths), RFC 6531 (SMTPUTF8), RFC 5322 section 2.2 (fields), RFC 8601 (Authentication-Results),
 *          RFC 6376 section 3.2 (tag lists).
 */
#ifndef MXW_SRC_MAIL_MAIL_H
#define MXW_SRC_MAIL_MAIL_H

#include "src/base/base.h"

/* A mailbox of the envelope. */
struct mxw__address {
	bool is_null;         /* <> */
	const char *text;     /* local@domain: the local part as it came, unquoted where the quotes were not needed; the domain lower case */
	const char *local;    /* local part, quotes and backslashes removed */
	const char *domain;   /* lower case, no final dot; "" for a bare local part (<postmaster>); "[192.0.2.1]" for a literal */
	bool is_literal;      /* the domain is an address literal */
	bool is_utf8;         /* has octets beyond ASCII */
};

/*
 * Reads a path as the MTAs hand it over: with or without <>, with or without a source route (which is dropped).
 * MXW_ERR_INVALID for anything else, with control characters, or over 255 + 255 octets.
 * MXW_ERR_LIMIT or MXW_ERR_NOMEM say nothing about the path.
 */
mxw_status_t mxw__address_parse(mxw__arena_t *arena, const char *path, struct mxw__address *ret_address);

/* What a HELO or EHLO argument is. */
typedef enum mxw__helo_kind {
	MXW__HELO_DOMAIN,       /* a domain name with at least one dot */
	MXW__HELO_SINGLE_LABEL, /* "localhost", "WIN-1234" */
	MXW__HELO_LITERAL,      /* [192.0.2.1], [IPv6:...] */
	MXW__HELO_BARE_ADDRESS, /* 192.0.2.1 without brackets: no valid argument */
	MXW__HELO_INVALID
} mxw__helo_kind_t;
/* `ret_ip` gets the address of a literal or bare address, family 0 otherwise. */
mxw__helo_kind_t mxw__helo_classify(const char *helo, struct mxw_ip *ret_ip);
/* Is it a domain name in LDH form (underscores allowed), labels 1 to 63, at most 253? A final dot is allowed. */
bool mxw__domain_is_valid(const char *name);

/* The value of a tag in a tag list ("v=1; a=rsa-sha256; d=example.net"), without surrounding blanks and with
 * folding blanks removed; NULL if absent or the list is malformed. */
char *mxw__taglist_get(mxw__arena_t *arena, const char *list, size_t len, const char *tag);

/*
 * The authserv-id of an Authentication-Results field (RFC 8601 section 2.2), comments and quotes taken off,
 * lower case. MXW_ERR_INVALID when none can be read: a caller that removes forgeries must treat that as suspicious.
 */
mxw_status_t mxw__authres_id(mxw__arena_t *arena, const char *value, size_t len, char **ret_id);

/* Appends a value in the syntax of RFC 8601/2045: a token as it is, else a quoted-string; octets that can't stand in one are
 * replaced by '?'. At most `max` octets. */
void mxw__buf_add_authres_value(struct mxw__buf *buf, const char *value, size_t max);

#endif
