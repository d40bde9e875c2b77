/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * from_parts.h: what the two readings of the From field share.
 *
 * Who may call: the files from*.c of this folder.
 * Threads: no state.
 * Memory:  fixed sizes; the caller's stack.
 */
#ifndef MXW_SRC_MAIL_FROM_PARTS_H
#define MXW_SRC_MAIL_FROM_PARTS_H

#include "src/mail/from.h"

/* Domains, once each. */
struct mxw__from_domains {
	size_t n;
	size_t ntries;          /* of adding one: each costs some time */
	bool is_over;           /* there are more, and what they are is not known */
	bool has_several_orgs;  /* of different organisational domains */
	char names[MXW__FROM_DOMAINS][MXW__DOMAIN_MAX + 1];
	char org[MXW__DOMAIN_MAX + 1]; /* of the first */
};

/* What one reading has found in one field, or in all of them. */
struct mxw__from_reading {
	unsigned flaws;
	bool is_short;          /* of memory */
	size_t nmailboxes;      /* strict: all of them */
	size_t naddresses;      /* strict: different ones; lenient: those that stand in no brackets */
	size_t nangles;         /* lenient: those that do */
	struct mxw__from_domains domains;
	/* The first address, or the one that most would take; "" if there is none that can be written. */
	char address[MXW__ADDRESS_MAX + 1];
	char domain[MXW__DOMAIN_MAX + 1];
};

/* Adds a domain as it stands in a field; false if it is none. `ret_name`, the form in which it is compared, may be NULL. */
bool mxw__from_add_domain(struct mxw__from_reading *reading, const char *name, size_t len, char *ret_name);

/* A part of the field. */
struct mxw__from_span {
	const char *s, *end;
};

/*
 * The name that begins at `s`: an address literal, or all octets that could be in a name, as far as one can be long. One
 * octet more shows that it is none.
 */
struct mxw__from_span mxw__from_domain_at(const char *s, const char *end);
/* mxw__from_add_domain() without the dots that some write behind it. */
bool mxw__from_add_span(struct mxw__from_reading *reading, struct mxw__from_span d, char *ret_name);
/* Whatever looks like an address, anywhere, up to a limit. */
void mxw__from_take_anything(const char *s, size_t len, struct mxw__from_reading *reading);
/* Octets that may stand in a name of a domain, or in a word with its dots; beyond ASCII all. */
bool mxw__from_is_domain_octet(unsigned char c);
bool mxw__from_is_word_octet(unsigned char c);

/* RFC 5322 with its obsolete forms. False if the field does not have this syntax, and the reading is not to be used but for its flaws. */
bool mxw__from_read_strictly(const char *value, size_t len, struct mxw__from_reading *reading);

/* All that a program might take. */
void mxw__from_read_leniently(const char *value, size_t len, struct mxw__from_reading *reading);

/* Does it show an address of an organisational domain other than `org`, anywhere? */
bool mxw__from_shows_other(const char *value, size_t len, const char *org);

/*
 * The encoded words (RFC 2047) of `text` replaced by what they stand for, octet for octet: only what looks like ASCII
 * in the end is of interest. False if there are none.
 */
bool mxw__from_decode_words(const char *text, size_t len, struct mxw__buf *out);

/* An octet that may stand in an atom; beyond ASCII by RFC 6532. */
bool mxw__from_is_atext(unsigned char c);

#endif
