/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf.c: SPF of the HELO name and of the envelope sender, and what the sender's record is worth. Only strangers are asked
 * for it, and those whose mail a relay of ours took: at the end of the header, when it is known who they are.
 */
#include "config.h"

#include <stdio.h>

#include "src/check/check.h"

static bool is_enabled(const struct mxw_conf *conf)
{
	return conf->auth.spf_enabled;
}

static struct mxw__spf_query new_query(const struct mxw__check_ctx *ctx, const struct mxw_ip *client, const char *helo)
{
	return (struct mxw__spf_query){
		.client = *client,
		.helo = helo,
		.local = "postmaster",
		.domain = helo,
		.receiver = ctx->conf->authserv_id,
		.resolver = ctx->resolver,
		.budget = ctx->budget,
		.deadline_ms = ctx->deadline_ms,
		.clock = ctx->clock,
	};
}

/* A time-out says nothing about the sender: it must not look like a result. */
static void state_result(struct mxw__check_ctx *ctx, mxw_fact_id_t fact, const struct mxw__spf_answer *answer)
{
	bool is_unknown = answer->result == MXW__SPF_TEMPERROR || (answer->is_unsure && answer->result != MXW__SPF_PASS);

	if (is_unknown)
		mxw_facts_set_unavailable(ctx->facts, fact, mxw__spf_result_name(MXW__SPF_TEMPERROR));
	else
		mxw_facts_set(ctx->facts, fact, mxw__spf_result_name(answer->result));
}

/* ---- the HELO name ---- */

static bool has_helo_identity(const struct mxw__envelope *env)
{
	return env->client_class == MXW__CLIENT_OUTSIDE && env->helo_kind == MXW__HELO_DOMAIN;
}

static void gather_helo(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	if (stage < MXW_STAGE_HELO || !has_helo_identity(ctx->env))
		return;
	struct mxw__spf_query query = new_query(ctx, &ctx->env->client, ctx->env->helo);
	mxw__spf_gather(&query, gather);
}

static void run_helo(struct mxw__check_ctx *ctx)
{
	if (!has_helo_identity(ctx->env))
		return;
	struct mxw__spf_query query = new_query(ctx, &ctx->env->client, ctx->env->helo);
	mxw__spf_check(&query, &ctx->results->spf_helo);
	ctx->results->has_spf_helo = true;
	state_result(ctx, MXW__FACT_SPF_HELO, &ctx->results->spf_helo);
}

/* ---- the sender ---- */

/* Is the sender somebody else's to vouch for? */
static bool is_from_outside(const struct mxw__envelope *env)
{
	if (env->client_class == MXW__CLIENT_RELAY)
		return !*env->auth_user && env->origin.family;
	return mxw__is_stranger(env);
}

/* RFC 7208 section 2.4: with a null sender the HELO name stands for the domain. False: nobody is to be asked about. */
static bool mail_query(const struct mxw__check_ctx *ctx, struct mxw__spf_query *ret_query)
{
	const struct mxw__envelope *env = ctx->env;
	const struct mxw__address *sender = &env->sender;
	bool is_relayed = env->client_class == MXW__CLIENT_RELAY;
	const char *helo = is_relayed ? env->origin_helo : env->helo;
	const mxw_fact_id_t explanation[] = {MXW__FACT_SPF_EXPLANATION};
	struct mxw_ip ip;

	if (!is_from_outside(env) || !env->sender_is_valid || sender->is_literal)
		return false;
	*ret_query = new_query(ctx, &env->origin, helo);
	ret_query->wants_explanation = mxw__rules_name(ctx->conf, explanation, 1);
	if (sender->is_null)
		return mxw__helo_classify(helo, &ip) == MXW__HELO_DOMAIN;
	ret_query->local = sender->local;
	ret_query->domain = sender->domain;
	return *sender->domain != '\0';
}

/* Whose mail a relay took is known when the header has been read. */
static bool is_mail_due(const struct mxw__check_ctx *ctx, mxw_stage_t stage)
{
	return stage == MXW_STAGE_EOM || ctx->env->client_class != MXW__CLIENT_RELAY;
}

static void gather_mail(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	struct mxw__spf_query query;

	if (!ctx->spf_is_gathered && stage >= MXW_STAGE_MAIL && is_mail_due(ctx, stage) && mail_query(ctx, &query))
		ctx->spf_is_gathered = !mxw__spf_gather(&query, gather);
}

/* Never without the name of who says it: it must not pass for our own words (RFC 7208 section 8.4). */
static void state_explanation(struct mxw__check_ctx *ctx, const char *domain, const struct mxw__spf_answer *answer)
{
	char text[MXW__DOMAIN_MAX + MXW__SPF_EXPLANATION_MAX + 16];

	if (!answer->explanation[0])
		return;
	snprintf(text, sizeof(text), "%s explains: %s", domain, answer->explanation);
	mxw_facts_set(ctx->facts, MXW__FACT_SPF_EXPLANATION, text);
}

static void run_mail(struct mxw__check_ctx *ctx)
{
	struct mxw__spf_answer *answer = &ctx->results->spf;
	struct mxw__spf_query query;

	if (!mail_query(ctx, &query))
		return;
	mxw__spf_check(&query, answer);
	ctx->results->has_spf = true;
	state_result(ctx, MXW__FACT_SPF, answer);
	if (answer->mechanism)
		mxw_facts_set(ctx->facts, MXW__FACT_SPF_MECHANISM, answer->mechanism);
	state_explanation(ctx, query.domain, answer);
}

/* ---- the sender's record ---- */

static const mxw_fact_id_t record_facts[] = {MXW__FACT_SPF_BREADTH, MXW__FACT_SPF_OVER_BROAD, MXW__FACT_SPF_DANGLING};

/* Records beyond those that the result needs are asked for only where a rule makes something of them. */
static bool is_record_wanted(const struct mxw_conf *conf)
{
	return conf->auth.spf_enabled && mxw__rules_name(conf, record_facts, MXW_ARRAY_LEN(record_facts));
}

static void gather_record(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	struct mxw__spf_query query;

	if (!ctx->spf_record_is_gathered && stage >= MXW_STAGE_MAIL && is_mail_due(ctx, stage) && mail_query(ctx, &query))
		ctx->spf_record_is_gathered = !mxw__spf_survey_gather(&query, gather);
}

/* A message may have thousands of recipients, and each is a stage at which checks gather. */
static void reset(struct mxw__check_ctx *ctx)
{
	ctx->spf_is_gathered = ctx->spf_record_is_gathered = false;
}

static void run_record(struct mxw__check_ctx *ctx)
{
	struct mxw__spf_query query;
	struct mxw__spf_survey survey;

	if (!mail_query(ctx, &query))
		return;
	mxw_outcome_t outcome = mxw__spf_survey(&query, &survey);
	if (outcome == MXW_FOUND) {
		mxw_facts_set_number(ctx->facts, MXW__FACT_SPF_BREADTH, survey.breadth);
		mxw_facts_set(ctx->facts, MXW__FACT_SPF_OVER_BROAD,
			      survey.breadth > ctx->conf->auth.spf_broad_limit ? "yes" : "no");
		mxw_facts_set(ctx->facts, MXW__FACT_SPF_DANGLING, survey.is_dangling ? "yes" : "no");
	} else if (outcome == MXW_TEMPORARY) {
		for (size_t i = 0; i < MXW_ARRAY_LEN(record_facts); i++)
			mxw_facts_set_unavailable(ctx->facts, record_facts[i], NULL);
	}
}

static const mxw_fact_id_t helo_facts[] = {MXW__FACT_SPF_HELO};
static const mxw_fact_id_t mail_facts[] = {MXW__FACT_SPF, MXW__FACT_SPF_MECHANISM, MXW__FACT_SPF_EXPLANATION};

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
	.is_due = is_mail_due,
	.run = run_mail,
	.reset = reset,
};

/* After "spf", whose answers tell it the addresses of names. */
const struct mxw__check mxw__check_spf_record = {
	.name = "spf-record",
	.stage = MXW_STAGE_MAIL,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(record_facts),
	.facts = record_facts,
	.is_enabled = is_record_wanted,
	.gather = gather_record,
	.is_due = is_mail_due,
	.run = run_record,
};
