/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authres_read.h: what an Authentication-Results field says.
 *
 * Who may call: auth, check.
 * Threads: no state.
 * Memory:  texts are in the caller's arena; so many results, and properties of each, and no more.
 * Errors:  MXW_ERR_INVALID for what does not have the syntax; MXW_ERR_LIMIT, MXW_ERR_NOMEM.
 * Standards: RFC 8601 section 2.2, RFC 8617 section 4.1.1 (ARC-Authentication-Results), RFC 6532.
 */
#ifndef MXW_SRC_MAIL_AUTHRES_READ_H
#define MXW_SRC_MAIL_AUTHRES_READ_H

#include "src/base/base.h"

enum {
	MXW__AUTHRES_ITEMS_MAX = 128,
	MXW__AUTHRES_PROPERTIES_MAX = 32
};

/* smtp.mailfrom=anna@example.net: names in lower case, the value without its quotes. */
struct mxw__authres_property {
	const char *type, *name, *value;
};

/* dkim=pass reason="..." header.d=example.net */
struct mxw__authres_item {
	const char *method; /* lower case, as `result` is */
	const char *result;
	const char *reason; /* "" if none is given */
	size_t nproperties;
	struct mxw__authres_property *properties;
};

struct mxw__authres {
	unsigned instance;  /* i= of an ARC-Authentication-Results field */
	const char *id;     /* the authserv-id, lower case, quotes taken off */
	size_t nitems;      /* 0: none */
	struct mxw__authres_item *items;
};

/* How a field is to be read. */
enum {
	MXW__AUTHRES_ARC = 1 << 0,   /* it is an ARC-Authentication-Results field: i=N; comes first */
	/* As the standard has it, to the letter. Without this, what follows a result may be anything up to the next semicolon that
	 * is not in quotes or a comment: large sites write things like action=none there. */
	MXW__AUTHRES_STRICT = 1 << 1
};

/* Reads a field's value: what stands after the colon. */
mxw_status_t mxw__authres_read(mxw__arena_t *arena, const char *value, size_t len, unsigned flags,
			       struct mxw__authres *ret_authres);

/*
 * The result of one method, lower case: "pass". NULL if the field can't be read, does not have the method (a name in lower
 * case), or has it several times and with different results.
 */
const char *mxw__authres_result(mxw__arena_t *arena, const char *value, size_t len, unsigned flags, const char *method);

/*
 * The authserv-id alone, as it is above, whatever else there is. MXW_ERR_INVALID when none can be read, or something other than a
 * version, a semicolon or the end follows it: a caller that removes forgeries must treat that as suspicious.
 */
mxw_status_t mxw__authres_id(mxw__arena_t *arena, const char *value, size_t len, const char **ret_id);

/* ---- parts of the syntax, for those who read or write such fields ---- */

/* Skips blanks, line ends and comments (RFC 5322 CFWS). NULL for a comment that does not end. */
const char *mxw__cfws_skip(const char *s, const char *end);
/* May the octet stand in a token of RFC 2045, or, beyond ASCII, of RFC 6532? */
bool mxw__is_token_char(char c);
/* May it stand in an atom of RFC 5322, or, beyond ASCII, of RFC 6532? */
bool mxw__is_atom_char(char c);

#endif
