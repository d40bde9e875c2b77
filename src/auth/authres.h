/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authres.h: composing our Authentication-Results field and finding those that forge it.
 *
 * The field is read by programs that trust it. What comes from a peer stands in it as a token, or as a quoted string, or, where
 * neither can hold it, not at all: never changed, since another name would be somebody else's. A domain is in A-labels
 * where it has them. Octets beyond ASCII stand only in the field of a message that is internationalised itself (SMTPUTF8).
 *
 * Who may call: check (authres.c), session (edits.c).
 * Threads: no state.
 * Memory:  the field has at most some 20 KB, whatever peers say; signatures that do not fit are left out.
 * Standards: RFC 8601, RFC 8616 (internationalised mail), RFC 6008 (header.b), RFC 8617 section 6 (arc), RFC 9989 (dmarc), and
 *          the registry of email authentication parameters that they made.
 */
#ifndef MXW_SRC_AUTH_AUTHRES_H
#define MXW_SRC_AUTH_AUTHRES_H

#include "src/auth/dkim.h"
#include "src/auth/spf.h"
#include "src/base/base.h"

/* Texts are "" or NULL where there is nothing; results are the words of the standard, NULL for a method that was not applied. */
struct mxw__authres_input {
	const char *authserv_id;
	bool is_utf8;                /* the message is internationalised */
	const char *auth_user;       /* of a client that has authenticated */
	const char *iprev;
	const char *client;          /* the client's address as text */
	bool has_spf;
	mxw__spf_result_t spf;
	const char *spf_reason;
	const char *sender;          /* MAIL FROM as smtp.mailfrom; without one smtp.helo is given */
	bool has_spf_helo;
	mxw__spf_result_t spf_helo;
	const char *spf_helo_reason;
	const char *helo;
	bool has_dkim;               /* with no signatures: dkim=none */
	const struct mxw__dkim_signature *signatures;
	size_t nsignatures;
	const char *dmarc;
	const char *dmarc_reason;
	const char *author_domain;   /* of the From field */
	const char *dmarc_policy;    /* that applies */
	const char *dmarc_p;         /* the p= of the record */
	const char *dmarc_domain;    /* whose record it is; told if it is not the author's own */
	const char *arc;
	const char *arc_sealer;      /* the last one */
};

/* The field's value: begins with a blank, lines folded by "\n\t". NULL only without memory. */
char *mxw__authres_compose(mxw__arena_t *arena, const struct mxw__authres_input *input);

/* Must this Authentication-Results field that came from outside be removed? True if its authserv-id is ours or below
 * it, case, comments and quotes aside, or can't be read. */
bool mxw__authres_is_forged(mxw__arena_t *scratch, const char *value, const char *authserv_id);

/* Is its authserv-id this name of a host? */
bool mxw__authres_is_of(mxw__arena_t *scratch, const char *value, const char *name);

#endif
