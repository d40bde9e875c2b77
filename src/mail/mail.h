/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mail.h: reading what stands in envelopes and header fields. Pure functions on peer data.
 *
 * Who may call: auth, check, conf, directory, session.
 * Threads: no state.
 * Memory:  results are in the caller's arena or point into the input.
 * Errors:  MXW_ERR_INVALID for what does not have the syntax, MXW_ERR_LIMIT / MXW_ERR_NOMEM from the arena.
 *          Any octets, NUL included where a length is given, any length: never more than linear work.
 * Standards: RFC 5321 section 4.1.2 (paths), RFC 6531 (SMTPUTF8), RFC 5890 and 5891 (IDNA2008), UTS 46,
 *          RFC 5322 section 2.2 (fields), RFC 6376 section 3.2 (tag lists).
 */
#ifndef MXW_SRC_MAIL_MAIL_H
#define MXW_SRC_MAIL_MAIL_H

#include "src/base/base.h"

enum { MXW__LOCAL_MAX = 255, MXW__DOMAIN_MAX = 255, MXW__ADDRESS_MAX = 2 + 2 * MXW__LOCAL_MAX + 1 + MXW__DOMAIN_MAX };

/* A mailbox of the envelope. */
struct mxw__address {
	bool is_null;         /* <> */
	const char *text;     /* local@domain: the local part as it came, in quotes only where it needs them; `domain` */
	const char *local;    /* local part, quotes and backslashes removed */
	/*
	 * In A-labels, lower case, no final dot; "" for a bare local part (<postmaster>); "[192.0.2.1]" and "[ipv6:2001:db8::1]"
	 * for a literal, one text for each address. A name in UTF-8 that has no A-labels stays what it is.
	 */
	const char *domain;
	const char *domain_utf8; /* in U-labels; the same pointer, or NULL, where that is no other */
	/* For comparison: `local` as mxw__local_canonical() makes it, and the whole with it; the same pointers, or NULL, where
	 * that is no other. */
	const char *key_local, *key_text;
	bool is_literal;      /* the domain is an address literal */
	bool is_utf8;         /* `text` has octets beyond ASCII */
};

/*
 * Reads a path as the MTAs hand it over: with or without <>, with or without a source route (which is dropped).
 * MXW_ERR_INVALID for anything else, with control characters, or over 255 + 255 octets. A domain beyond ASCII that has no
 * A-label is let through as it is if it is UTF-8: others may know it.
 * MXW_ERR_LIMIT or MXW_ERR_NOMEM say nothing about the path.
 */
mxw_status_t mxw__address_parse(mxw__arena_t *arena, const char *path, struct mxw__address *ret_address);

/*
 * Writes local@domain, the local part in quotes (RFC 5321 section 4.1.2) where it needs them. False, with "" written,
 * if it does not fit in `size`.
 */
bool mxw__address_write(char *out, size_t size, const char *local, const char *domain);
/* Can the local part stand without quotes? Dots may be anywhere. */
bool mxw__local_is_plain(const char *local);

/* ---- names beyond ASCII: idn.c ---- */

/*
 * One form for each domain: A-labels (RFC 5890, by the mapping of UTS 46), lower case, without a final dot; a literal as
 * in struct mxw__address. A name in ASCII is never looked at more closely than by mxw__domain_is_valid(): old A-labels
 * that IDNA2008 no longer allows stay what they are. MXW_ERR_INVALID for what is no domain name, or has no A-label;
 * MXW_ERR_NOMEM.
 */
mxw_status_t mxw__domain_to_ascii(const char *name, size_t len, char ret_name[MXW__DOMAIN_MAX + 1]);
/* The same for "*.example.net", which stands for every name below, too. */
mxw_status_t mxw__domain_pattern_to_ascii(const char *name, size_t len, char ret_name[MXW__DOMAIN_MAX + 1]);
/* The U-labels of a name in the form above. False if there are none, or if they do not lead back to it. */
bool mxw__domain_to_utf8(const char *name, char ret_name[MXW__DOMAIN_MAX + 1]);
/* Well-formed UTF-8 (ASCII is) without controls beyond ASCII. */
bool mxw__utf8_is_clean(const char *s);
/*
 * One form for what people take for the same local part: lower case, in UTF-8 composed (NFC), since keyboards and
 * systems differ in how they put an accent on a letter. Not folded any further: "straße" and "strasse" are two
 * mailboxes. What is no UTF-8, or would get too long, has its ASCII letters in lower case. Returns the length. What is
 * longer than MXW__LOCAL_MAX is cut.
 */
size_t mxw__local_canonical(const char *local, size_t len, char ret_local[MXW__LOCAL_MAX + 1]);

/* ---- who runs a domain: orgdomain.c ---- */

/* Reads the Public Suffix List, once for the process: the one of the system if it is newer than the one built into libpsl. The
 * functions below do it if nobody has; whoever may not wait for a disk calls it before. */
void mxw__org_domain_load(void);
/*
 * The registrable domain by the Public Suffix List: example.co.uk for mx.example.co.uk; a public suffix, a single label, an
 * address or a literal is its own. In A-labels and lower case, without a final dot, whatever form `domain` has; what is no
 * name at all comes back as it is, and "" if it is too long. It is a list that people keep: DMARC goes by the DNS
 * (src/auth/dmarc.h) and by this only where the DNS does not say.
 */
void mxw__org_domain(const char *domain, char ret_domain[MXW__DOMAIN_MAX + 1]);
/* Is its last label one that the list has? "printer.lan" and "x.local" are nobody's. */
bool mxw__has_public_suffix(const char *domain);
bool mxw__same_org_domain(const char *a, const char *b);
/*
 * The part of `domain` that one operator's name servers answer for: the label below the registry's suffix and that suffix. Suffixes
 * that companies offer below their own names (ddns.net, github.io) are not looked at: all names there are asked for at the
 * company's servers. A name that has no such part is its own. `domain` as above, of any length; the result points into it.
 */
const char *mxw__operator_domain(const char *domain);

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

/* A header field of a message. */
struct mxw__field {
	struct mxw__field *next; /* further down */
	const char *name;
	const char *value;       /* as in the message after the colon */
};

/* The value of a tag in a tag list ("v=1; a=rsa-sha256; d=example.net"), without surrounding blanks and with
 * folding blanks removed; NULL if absent or the list is malformed. */
char *mxw__taglist_get(mxw__arena_t *arena, const char *list, size_t len, const char *tag);

/* For those who read a list as a whole: moves `*s` behind the blanks before it, and returns the length without those behind it. */
size_t mxw__tag_trim(const char **s, size_t len);
/* ALPHA followed by alphanumerics and underscores. */
bool mxw__is_tag_name(const char *s, size_t len);

#endif
