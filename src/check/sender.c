/* SPDX-License-Identifier: BSD-2-Clause */
/* sender.c: the envelope sender and who stands behind it. */
#include "config.h"

#include "src/check/check.h"

static const char *syntax_word(const struct mxw__envelope *env)
{
	if (!env->sender_is_valid)
		return "invalid";
	if (env->sender.is_null)
		return "null";
	return *env->sender.domain ? "mailbox" : "bare";
}

static void run(struct mxw__check_ctx *ctx)
{
	const struct mxw__envelope *env = ctx->env;

	mxw_facts_set(ctx->facts, MXW__FACT_AUTH, *env->auth_user ? "yes" : "no");
	if (*env->auth_user)
		mxw_facts_set(ctx->facts, MXW__FACT_AUTH_USER, env->auth_user);
	mxw_facts_set(ctx->facts, MXW__FACT_TLS, *env->tls_version ? "yes" : "no");
	mxw_facts_set(ctx->facts, MXW__FACT_SENDER, env->sender_is_valid ? env->sender.text : env->sender_path);
	mxw_facts_set(ctx->facts, MXW__FACT_SENDER_SYNTAX, syntax_word(env));
	if (!env->sender_is_valid || env->sender.is_null)
		return;
	if (*env->sender.domain)
		mxw_facts_set(ctx->facts, MXW__FACT_SENDER_DOMAIN, env->sender.domain);
	const struct mxw__domain_conf *domain;
	switch (mxw__directories_domain_of(ctx->directories, &env->sender, &domain)) {
	case MXW_FOUND:
		/* A bare postmaster is anybody's. */
		mxw_facts_set(ctx->facts, MXW__FACT_SENDER_OURS, *env->sender.domain ? "yes" : "no");
		break;
	case MXW_NOT_FOUND:
		mxw_facts_set(ctx->facts, MXW__FACT_SENDER_OURS, "no");
		break;
	case MXW_TEMPORARY:
	case MXW_MISCONFIGURED:
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_SENDER_OURS, "unavailable");
		break;
	}
}

static const mxw_fact_id_t facts[] = {
	MXW__FACT_AUTH, MXW__FACT_AUTH_USER, MXW__FACT_TLS, MXW__FACT_SENDER, MXW__FACT_SENDER_DOMAIN,
	MXW__FACT_SENDER_SYNTAX, MXW__FACT_SENDER_OURS,
};

const struct mxw__check mxw__check_sender = {
	.name = "sender",
	.stage = MXW_STAGE_MAIL,
	.scope = MXW_SCOPE_MESSAGE,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.run = run,
};
