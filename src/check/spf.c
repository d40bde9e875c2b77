/* SPDX-License-Identifier: BSD-2-Clause */
/* spf.c: SPF of the HELO name and of the envelope sender. Only strangers are asked for it. */
#include "config.h"

#include "src/check/check.h"

static bool is_enabled(const struct mxw_conf *conf)
{
	return conf->auth.spf_enabled;
}

static bool has_helo_identity(const struct mxw__envelope *env)
{
	return env->client_class == MXW__CLIENT_OUTSIDE && env->helo_kind == MXW__HELO_DOMAIN;
}

/* RFC 7208 section 2.4: with a null sender the HELO name stands for the domain. */
static bool has_mail_identity(const struct mxw__envelope *env)
{
	if (!mxw__is_stranger(env) || !env->sender_is_valid || env->sender.is_literal)
		return false;
	return env->sender.is_null ? env->helo_kind == MXW__HELO_DOMAIN : *env->sender.domain != '\0';
}

static void evaluate(struct mxw__check_ctx *ctx, const char *local, const char *domain, mxw_fact_id_t fact,
		     struct mxw__spf_answer *ret_answer)
{
	struct mxw__spf_query query = {
		.client = ctx->env->client,
		.helo = ctx->env->helo,
		.local = local,
		.domain = domain,
		.receiver = ctx->conf->authserv_id,
		.resolver = ctx->resolver,
		.budget = ctx->budget,
		.deadline_ms = ctx->deadline_ms,
		.clock = ctx->clock,
	};

	mxw__spf_check(&query, ret_answer);
	const char *word = mxw__spf_result_name(ret_answer->result);
	/* A time-out says nothing about the sender: it must not look like a result. */
	if (ret_answer->result == MXW__SPF_TEMPERROR)
		mxw_facts_set_unavailable(ctx->facts, fact, word);
	else
		mxw_facts_set(ctx->facts, fact, word);
}

static void gather_helo(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	if (stage >= MXW_STAGE_HELO && has_helo_identity(ctx->env))
		mxw_dns_answer_unref(mxw__gather_ask(gather, ctx->env->helo, MXW_DNS_TXT));
}

static void run_helo(struct mxw__check_ctx *ctx)
{
	if (!has_helo_identity(ctx->env))
		return;
	evaluate(ctx, "postmaster", ctx->env->helo, MXW__FACT_SPF_HELO, &ctx->results->spf_helo);
	ctx->results->has_spf_helo = true;
}

static void gather_mail(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	if (stage >= MXW_STAGE_MAIL && has_mail_identity(ctx->env) && !ctx->env->sender.is_null)
		mxw_dns_answer_unref(mxw__gather_ask(gather, ctx->env->sender.domain, MXW_DNS_TXT));
}

static void run_mail(struct mxw__check_ctx *ctx)
{
	const struct mxw__address *sender = &ctx->env->sender;

	if (!has_mail_identity(ctx->env))
		return;
	if (sender->is_null)
		evaluate(ctx, "postmaster", ctx->env->helo, MXW__FACT_SPF, &ctx->results->spf);
	else
		evaluate(ctx, sender->local, sender->domain, MXW__FACT_SPF, &ctx->results->spf);
	ctx->results->has_spf = true;
}

static const mxw_fact_id_t helo_facts[] = {MXW__FACT_SPF_HELO};
static const mxw_fact_id_t mail_facts[] = {MXW__FACT_SPF};

const struct mxw__check mxw__check_spf_helo = {
	.name = "spf-helo",
	.stage = MXW_STAGE_HELO,
	.scope = MXW_SCOPE_SESSION,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(helo_facts),
	.facts = helo_facts,
	.is_enabled = is_enabled,
	.gather = gather_helo,
	.run = run_helo,
};

const struct mxw__check mxw__check_spf = {
	.name = "spf",
	.stage = MXW_STAGE_MAIL,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(mail_facts),
	.facts = mail_facts,
	.is_enabled = is_enabled,
	.gather = gather_mail,
	.run = run_mail,
};
