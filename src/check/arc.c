/* SPDX-License-Identifier: BSD-2-Clause */
/* arc.c: the ARC chain of a message, if somebody we trust has sealed it last. */
#include "config.h"

#include <string.h>

#include "src/check/check.h"

static bool is_enabled(const struct mxw_conf *conf)
{
	return conf->dmarc.arc_sealers.n > 0;
}

static bool is_trusted(const struct mxw_conf *conf, const char *domain)
{
	for (size_t i = 0; i < conf->dmarc.arc_sealers.n; i++)
		if (strcmp(conf->dmarc.arc_sealers.v[i], domain) == 0)
			return true;
	return false;
}

/* Not if only a part of the header was kept: what is missing can't be told from what was not there. */
static void end_of_headers(struct mxw__check_ctx *ctx)
{
	const struct mxw__envelope *env = ctx->env;
	struct mxw__arc_options options = {
		.min_key_bits = (unsigned)ctx->conf->auth.dkim_min_key_bits,
		.now_s = ctx->clock->wall_ms(ctx->clock->ctx) / 1000,
	};
	char *sealer = ctx->results->arc_sealer;

	if (ctx->arc || env->header_overflow)
		return;
	mxw_outcome_t outcome = mxw__arc_last_sealer(env->fields, sealer);
	if (outcome == MXW_FOUND && is_trusted(ctx->conf, sealer))
		ctx->arc_is_short = mxw__arc_new(env->fields, &options, &ctx->arc) != MXW_OK;
	else
		ctx->arc_is_short = outcome == MXW_TEMPORARY;
}

static mxw_dns_answer_t *ask_early(void *gather, const char *name)
{
	return mxw__gather_ask(gather, name, MXW_DNS_TXT);
}

static void gather(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	if (stage == MXW_STAGE_EOM && ctx->arc)
		mxw__arc_walk(ctx->arc, ask_early, gather);
}

static bool body(struct mxw__check_ctx *ctx, const unsigned char *data, size_t len)
{
	return ctx->arc && mxw__arc_body(ctx->arc, data, len);
}

static mxw_dns_answer_t *ask_now(void *arg, const char *name)
{
	struct mxw__check_ctx *ctx = arg;
	return mxw_resolver_ask(ctx->resolver, name, MXW_DNS_TXT, ctx->deadline_ms, ctx->budget);
}

/* What the sealer says is said by somebody only if the chain is whole. Some write results of their own invention. */
static void state_pass(struct mxw__check_ctx *ctx)
{
	static const char *const known[] = {"none", "pass", "fail", "temperror", "permerror"};
	const char *result = mxw__arc_says(ctx->arc, "dmarc");

	mxw_facts_set(ctx->facts, MXW__FACT_ARC_SEALER, ctx->results->arc_sealer);
	for (size_t i = 0; result && i < MXW_ARRAY_LEN(known); i++)
		if (strcmp(result, known[i]) == 0)
			mxw_facts_set(ctx->facts, MXW__FACT_ARC_DMARC, known[i]);
}

static void run(struct mxw__check_ctx *ctx)
{
	mxw__arc_result_t result = MXW__ARC_TEMPERROR;

	if (!ctx->arc && !ctx->arc_is_short)
		return;
	if (ctx->arc) {
		mxw__arc_walk(ctx->arc, ask_now, ctx);
		result = mxw__arc_finish(ctx->arc);
	}
	const char *word = mxw__arc_result_name(result);
	ctx->results->has_arc = true;
	ctx->results->arc = word;
	if (result != MXW__ARC_TEMPERROR) {
		mxw_facts_set(ctx->facts, MXW__FACT_ARC, word);
	} else {
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_ARC, word);
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_ARC_SEALER, NULL);
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_ARC_DMARC, NULL);
	}
	if (result == MXW__ARC_PASS)
		state_pass(ctx);
}

static void reset(struct mxw__check_ctx *ctx)
{
	mxw__arc_free(ctx->arc);
	ctx->arc = NULL;
	ctx->arc_is_short = false;
}

static const mxw_fact_id_t facts[] = {MXW__FACT_ARC, MXW__FACT_ARC_SEALER, MXW__FACT_ARC_DMARC};

const struct mxw__check mxw__check_arc = {
	.name = "arc",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.is_enabled = is_enabled,
	.gather = gather,
	.run = run,
	.end_of_headers = end_of_headers,
	.body = body,
	.reset = reset,
};
