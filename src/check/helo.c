/* SPDX-License-Identifier: BSD-2-Clause */
/* helo.c: what the client calls itself, and whether that can be true. */
#include "config.h"

#include <string.h>

#include "src/check/check.h"

static bool is_our_name(const struct mxw__check_ctx *ctx, const char *helo)
{
	char name[MXW__DOMAIN_MAX + 1];

	/* In U-labels it is no valid HELO, but none the less ours. */
	if (mxw__domain_to_ascii(helo, strlen(helo), name) != MXW_OK)
		return false;
	for (size_t i = 0; i < ctx->conf->helo_names.n; i++)
		if (mxw__ascii_casecmp(ctx->conf->helo_names.v[i], name) == 0)
			return true;
	return mxw__directories_has_name(ctx->directories, name);
}

static bool is_our_address(const struct mxw_conf *conf, const struct mxw_ip *ip)
{
	for (size_t i = 0; i < conf->internal.n; i++)
		if (mxw_network_contains(&conf->internal.v[i], ip))
			return true;
	return false;
}

/* Only a stranger can forge: our own hosts may well call themselves by our names. */
static bool is_forged(const struct mxw__check_ctx *ctx)
{
	const struct mxw__envelope *env = ctx->env;

	if (env->client_class != MXW__CLIENT_OUTSIDE)
		return false;
	if (env->helo_ip.family && is_our_address(ctx->conf, &env->helo_ip))
		return true;
	return is_our_name(ctx, env->helo);
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
