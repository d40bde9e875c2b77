/* SPDX-License-Identifier: BSD-2-Clause */
/* content.c: sizes. */
#include "config.h"

#include "src/check/check.h"

static void run(struct mxw__check_ctx *ctx)
{
	const struct mxw__envelope *env = ctx->env;

	mxw_facts_set_number(ctx->facts, MXW__FACT_HEADER_SIZE, env->header_bytes);
	mxw_facts_set(ctx->facts, MXW__FACT_HEADER_OVERFLOW, env->header_is_too_large ? "yes" : "no");
	mxw_facts_set_number(ctx->facts, MXW__FACT_MESSAGE_SIZE, env->header_bytes + env->body_bytes);
}

static const mxw_fact_id_t facts[] = {MXW__FACT_HEADER_SIZE, MXW__FACT_HEADER_OVERFLOW, MXW__FACT_MESSAGE_SIZE};

const struct mxw__check mxw__check_content = {
	.name = "content",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.run = run,
};
