/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_record.h: what an SPF record says, read strictly, and the macros in it.
 *
 * Nothing a peer wrote is handed on to libspf2: it gets a record of our own making, whose domain names are tokens
 * that stand for terms of the record read here. What the tokens mean is answered by the look-up hook in spf.c. That
 * keeps libspf2's macro expansion (which takes a letter too many from names with fewer parts than asked for), its silent
 * cut of a record at 511 compiled octets and its fixed buffers away from peer data.
 *
 * Who may call: spf.c, tests.
 * Threads: no state.
 * Memory:  a record points into the text it was read from.
 * Errors:  MXW_ERR_INVALID is permerror; the text says why, in printable ASCII.
 * Standards: RFC 7208 sections 4.6, 5, 6, 7 and 12.
 */
#ifndef MXW_SRC_AUTH_SPF_RECORD_H
#define MXW_SRC_AUTH_SPF_RECORD_H

#include "src/base/base.h"

/* A longer record is permerror: RFC 7208 section 3.4 wants them to fit into 512 octets of DNS. */
#define MXW__SPF_MAX_RECORD 16384
/* Terms that cause look-ups, over the whole evaluation (section 4.6.4). */
#define MXW__SPF_MAX_TERMS 10
/* What one macro's value may measure; a longer one is cut at the right. */
#define MXW__SPF_MAX_VALUE 511
/* The longest domain name in text form. */
#define MXW__SPF_MAX_NAME 253

typedef enum mxw__spf_kind {
	MXW__SPF_ALL = 0, /* also an ip4 or ip6 that holds for this client */
	MXW__SPF_INCLUDE,
	MXW__SPF_A,
	MXW__SPF_MX,
	MXW__SPF_PTR,
	MXW__SPF_EXISTS,
	MXW__SPF_REDIRECT
} mxw__spf_kind_t;

struct mxw__spf_term {
	mxw__spf_kind_t kind;
	const char *name; /* of the mechanism or modifier, in lower case; static */
	char qualifier;   /* one of + - ~ ? */
	uint8_t bits;     /* a and mx: the prefix length for the client's family, 0 to 32 or 128 */
	uint8_t bits4, bits6; /* the same for each family */
	const char *spec; /* the domain-spec, macros and all; "" for the current domain */
	size_t spec_len;
};

/*
 * The part of a record that counts for one client, in order: ip4 and ip6 terms are settled, and nothing stands
 * after the first term that holds in any case or after one term more than may cause look-ups.
 */
struct mxw__spf_record {
	struct mxw__spf_term terms[MXW__SPF_MAX_TERMS + 2];
	size_t nterms;
	const char *exp; /* the domain-spec of the explanation */
	size_t exp_len;  /* 0: there is none */
};

/* Who wants to know each network of ip4 and ip6 terms, those of after a match included. */
struct mxw__spf_networks {
	void (*add)(void *ctx, const struct mxw_ip *ip, unsigned bits, char qualifier);
	void *ctx;
};

/* Does a TXT record (octets, NUL possible) say that it is an SPF record? Section 4.5. */
bool mxw__spf_record_is_spf(const uint8_t *data, size_t len);

/* Reads the whole record; the syntax of every term counts, also of those that are left out. */
mxw_status_t mxw__spf_record_parse(const uint8_t *data, size_t len, const struct mxw_ip *client,
				   struct mxw__spf_record *ret_record, struct mxw_error *err);

/*
 * The same for nobody in particular: the terms are those of a client whom no ip4 and ip6 term names, and these go to
 * `networks`. What was added of a record that then proves to be malformed has to be taken back by the caller.
 */
mxw_status_t mxw__spf_record_survey(const uint8_t *data, size_t len, const struct mxw__spf_networks *networks,
				    struct mxw__spf_record *ret_record, struct mxw_error *err);

/* Do the first `bits` bits agree? */
bool mxw__spf_prefix_holds(const uint8_t *a, const uint8_t *b, unsigned bits);

/*
 * Writes the record for libspf2. Term i of record `frame` gets the name "t<i>.f<frame>.x". The name "e.f<frame>.x" is
 * looked up when none of the terms that need look-ups matched: libspf2 does not tell which one did. (Where there is a
 * redirect, that is looked up itself.)
 */
void mxw__spf_record_write(const struct mxw__spf_record *record, unsigned frame, uint8_t family, struct mxw__buf *buf);

/* ---- macros, section 7 ---- */

struct mxw__spf_macros {
	const char *local;     /* l */
	const char *domain;    /* o: the domain of the identity */
	const char *helo;      /* h */
	const char *current;   /* d: the domain whose record is evaluated */
	struct mxw_ip client;  /* i, v, c */
	const char *receiver;  /* r */
	int64_t now_s;         /* t: seconds since 1970 */
	bool is_explanation;   /* hexadecimal digits are upper case there, as in other implementations; the RFC does not say */
	/* p: a validated name of the client, or "unknown". May ask the DNS. */
	const char *(*validated)(void *ctx, const char *current);
	void *ctx;
};

/* Is it a domain-spec of section 12? */
bool mxw__spf_domain_spec_is_valid(const char *text, size_t len);
/* Is it a macro-string of section 12? The letters c, r and t are allowed. */
bool mxw__spf_macro_string_is_valid(const char *text, size_t len);
/* Does it need the DNS to be expanded? */
bool mxw__spf_has_ptr_macro(const char *text, size_t len);

/*
 * Expands a valid domain-spec to the name to ask for, without its final dot. A name over 253 octets loses labels at its
 * left (section 7.3). `ret_name` has room for MXW__SPF_MAX_NAME + 1 octets.
 */
void mxw__spf_expand(const struct mxw__spf_macros *macros, const char *spec, size_t len, char *ret_name);

/* Is it an explain-string of section 12: macro strings and blanks? Anything that is no printable ASCII is not. */
bool mxw__spf_explanation_is_valid(const char *text, size_t len);
/*
 * Expands one that is. What macros bring in of octets that are no printable ASCII become '?'; a text that does not fit
 * in `size` is cut and ends in "...". False without memory.
 */
bool mxw__spf_expand_explanation(const struct mxw__spf_macros *macros, const char *text, size_t len, char *ret_text,
				 size_t size);

#endif
