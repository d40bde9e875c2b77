/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edits.c: what is changed in the header of a message that goes on: fields that claim to be ours are taken out, those of others get
 * another name if that is wanted, and ours go on top.
 */
#include "config.h"

#include <stdlib.h>

#include "src/auth/authres.h"
#include "src/session/bounce.h"
#include "src/session/engine.h"

enum {
	EDITS_BYTES = 64 * 1024,
	INSERTS_MAX = 4 /* fields of ours */
};

#define RESULTS "Authentication-Results"
#define ORIGINAL_RESULTS "X-Original-Authentication-Results"

void mxw__edits_free(mxw_session_t *s)
{
	free(s->edits);
	s->edits = NULL;
	mxw__arena_free(s->edits_arena);
	s->edits_arena = NULL;
}

/* Highest first, so that an index still means what it meant when it was counted. */
static size_t remove_fields(mxw_session_t *s)
{
	size_t n = 0;

	for (size_t i = s->env.nremoved_authres; i > 0; i--) {
		const struct mxw__authres_removal *r = &s->env.authres[i - 1];
		s->edits[n++] = (struct mxw_edit){MXW_EDIT_DELETE_HEADER, RESULTS, NULL, r->index, NULL};
		if (r->value)
			s->edits[n++] = (struct mxw_edit){MXW_EDIT_INSERT_HEADER, ORIGINAL_RESULTS, r->value, r->position, NULL};
	}
	return n;
}

/* The HELO name that goes with the address that SPF was asked of. */
static const char *helo(const struct mxw__envelope *env)
{
	return env->client_class == MXW__CLIENT_RELAY ? env->origin_helo : env->helo;
}

static char *compose(mxw_session_t *s)
{
	const struct mxw__envelope *env = &s->env;
	const struct mxw__auth_results *results = &s->results;
	bool has_record = results->has_dmarc && results->dmarc.has_record;
	struct mxw__authres_input input = {
		.authserv_id = s->snapshot->conf->authserv_id,
		.is_utf8 = env->is_utf8,
		.auth_user = env->auth_user,
		.iprev = results->has_iprev ? mxw__iprev_result_name(results->iprev) : NULL,
		.client = env->client_text,
		.has_spf = results->has_spf,
		.spf = results->spf.result,
		.spf_reason = results->spf.reason,
		.sender = env->sender.text,
		.has_spf_helo = results->has_spf_helo,
		.spf_helo = results->spf_helo.result,
		.spf_helo_reason = results->spf_helo.reason,
		.helo = helo(env),
		.has_dkim = results->has_dkim,
		.signatures = results->signatures,
		.nsignatures = results->nsignatures,
		.dmarc = results->has_dmarc ? mxw__dmarc_result_name(results->dmarc.result) : NULL,
		.dmarc_reason = results->dmarc.reason,
		.author_domain = results->dmarc.author_domain,
		.dmarc_policy = has_record && !results->dmarc.is_policy_unknown ? mxw__dmarc_policy_name(results->dmarc.policy) : NULL,
		.dmarc_p = has_record ? mxw__dmarc_policy_name(results->dmarc.published.p) : NULL,
		.dmarc_domain = results->dmarc.policy_domain,
		.arc = results->has_arc ? results->arc : NULL,
		.arc_sealer = results->arc_sealer,
	};

	return mxw__authres_compose(s->edits_arena, &input);
}

/* Each on top of those before. */
static void insert(mxw_session_t *s, size_t *n, const char *name, const char *value)
{
	s->edits[(*n)++] = (struct mxw_edit){MXW_EDIT_INSERT_HEADER, name, value, 0, NULL};
}

/* False without memory. */
static bool insert_received_spf(mxw_session_t *s, size_t *n)
{
	const struct mxw__envelope *env = &s->env;
	const struct mxw__received_spf_input input = {
		.answer = &s->results.spf,
		.receiver = s->snapshot->conf->authserv_id,
		.client = &env->origin,
		.helo = helo(env),
		.sender = env->sender.text,
	};

	if (!s->snapshot->conf->auth.spf_add_received || !s->results.has_spf)
		return true;
	const char *value = mxw__received_spf_compose(s->edits_arena, &input);
	if (value)
		insert(s, n, "Received-SPF", value);
	return value != NULL;
}

static bool insert_results(mxw_session_t *s, size_t *n)
{
	if (!s->snapshot->conf->auth.add_results)
		return true;
	const char *value = compose(s);
	if (value)
		insert(s, n, RESULTS, value);
	return value != NULL;
}

bool mxw__edits_make(mxw_session_t *s, const struct mxw_edit **ret_edits, size_t *ret_n)
{
	mxw__edits_free(s);
	s->edits = mxw__calloc(2 * s->env.nremoved_authres + mxw__tags_nedits(s) + mxw__bounce_nedits(s) + INSERTS_MAX, sizeof *s->edits);
	s->edits_arena = mxw__arena_new(EDITS_BYTES);
	if (!s->edits || !s->edits_arena || s->env.has_lost_authres)
		return false;
	size_t n = remove_fields(s);
	if (!mxw__bounce_edit(s, s->edits, &n) || !mxw__tags_edit(s, s->edits, &n) || !insert_received_spf(s, &n) || !insert_results(s, &n))
		return false;
	*ret_edits = s->edits;
	*ret_n = n;
	return true;
}
