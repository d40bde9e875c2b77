/* SPDX-License-Identifier: BSD-2-Clause */
/* content.c: sizes, and what the body should not have. */
#include "config.h"

#include "src/check/check.h"

/* The whole body is not asked for unless a rule wants to know. */
static bool wants_smuggled(const struct mxw__check_ctx *ctx)
{
	return mxw_policy_needs(ctx->conf->policy, MXW_STAGE_EOM, MXW__FACT_BODY_SMUGGLED);
}

static void run(struct mxw__check_ctx *ctx)
{
	const struct mxw__envelope *env = ctx->env;

	mxw_facts_set_number(ctx->facts, MXW__FACT_HEADER_SIZE, env->header_bytes);
	mxw_facts_set(ctx->facts, MXW__FACT_HEADER_OVERFLOW, env->header_is_too_large ? "yes" : "no");
	mxw_facts_set_number(ctx->facts, MXW__FACT_MESSAGE_SIZE, env->header_bytes + env->body_bytes);
	/* Otherwise the body may not have come, or not all of it. */
	if (wants_smuggled(ctx))
		mxw_facts_set(ctx->facts, MXW__FACT_BODY_SMUGGLED, ctx->smuggle.is_found ? "yes" : "no");
}

static bool body(struct mxw__check_ctx *ctx, const unsigned char *data, size_t len)
{
	return wants_smuggled(ctx) && !mxw__smuggle_scan(&ctx->smuggle, data, len);
}

static void reset(struct mxw__check_ctx *ctx)
{
	ctx->smuggle = (struct mxw__smuggle){0};
}

static const mxw_fact_id_t facts[] = {MXW__FACT_HEADER_SIZE, MXW__FACT_HEADER_OVERFLOW, MXW__FACT_MESSAGE_SIZE,
				      MXW__FACT_BODY_SMUGGLED};

const struct mxw__check mxw__check_content = {
	.name = "content",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.run = run,
	.body = body,
	.reset = reset,
};
