/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authres.h: composing our Authentication-Results field and finding those that forge it.
 *
 * Who may call: check (authres.c).
 * Threads: no state.
 * Standards: RFC 8601.
 */
#ifndef MXW_SRC_AUTH_AUTHRES_H
#define MXW_SRC_AUTH_AUTHRES_H

#include "src/auth/dkim.h"
#include "src/auth/spf.h"
#include "src/base/base.h"

struct mxw__authres_input {
	const char *authserv_id;
	const char *auth_user;       /* "" if not authenticated */
	bool has_spf;
	mxw__spf_result_t spf;
	const char *spf_reason;
	const char *sender;          /* MAIL FROM as smtp.mailfrom; "" for the null sender: then smtp.helo is given */
	bool has_spf_helo;
	mxw__spf_result_t spf_helo;
	const char *helo;
	bool has_dkim;               /* with no signatures: dkim=none */
	const struct mxw__dkim_signature *signatures;
	size_t nsignatures;
};

/* The field's value: begins with a blank, lines folded by "\n\t", every value of a peer quoted or made safe. NULL only without memory. */
char *mxw__authres_compose(mxw__arena_t *arena, const struct mxw__authres_input *input);

/* Must this Authentication-Results field that came from outside be removed? True if its authserv-id is ours or below
 * it, case, comments and quotes aside, or can't be read. */
bool mxw__authres_is_forged(mxw__arena_t *scratch, const char *value, const char *authserv_id);

#endif
