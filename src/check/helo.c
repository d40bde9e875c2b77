/* SPDX-License-Identifier: BSD-2-Clause */
/* helo.c: what the client calls itself, and whether that can be true. */
#include "config.h"

#include <string.h>

#include "src/check/check.h"

/* Only a stranger can forge: our own hosts may well call themselves by our names. */
static bool is_forged(const struct mxw__check_ctx *ctx)
{
	const struct mxw__envelope *env = ctx->env;

	if (env->client_class != MXW__CLIENT_OUTSIDE)
		return false;
	if (env->helo_ip.family && mxw__in_networks(&ctx->conf->internal, &env->helo_ip))
		return true;
	return mxw__is_our_name(ctx, env->helo);
}

static void run(struct mxw__check_ctx *ctx)
{
	static const char *const syntax_words[] = {
		[MXW__HELO_DOMAIN] = "domain",
		[MXW__HELO_SINGLE_LABEL] = "single-label",
		[MXW__HELO_LITERAL] = "literal",
		[MXW__HELO_BARE_ADDRESS] = "bare-address",
		[MXW__HELO_INVALID] = "invalid",
	};
	struct mxw__envelope *env = ctx->env;

	env->helo_kind = mxw__helo_classify(env->helo, &env->helo_ip);
	mxw_facts_set(ctx->facts, MXW__FACT_HELO, env->helo);
	mxw_facts_set(ctx->facts, MXW__FACT_HELO_SYNTAX, syntax_words[env->helo_kind]);
	mxw_facts_set(ctx->facts, MXW__FACT_HELO_FORGED, is_forged(ctx) ? "yes" : "no");
}

static const mxw_fact_id_t facts[] = {MXW__FACT_HELO, MXW__FACT_HELO_SYNTAX, MXW__FACT_HELO_FORGED};

const struct mxw__check mxw__check_helo = {
	.name = "helo",
	.stage = MXW_STAGE_HELO,
	.scope = MXW_SCOPE_SESSION,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.run = run,
};
