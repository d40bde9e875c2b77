/* SPDX-License-Identifier: BSD-2-Clause */
/* dkim.c: the DKIM signatures of a message. */
#include "config.h"

#include "src/check/check.h"

static bool is_enabled(const struct mxw_conf *conf)
{
	return conf->auth.dkim_enabled;
}

static void header(struct mxw__check_ctx *ctx, const char *name, const char *value)
{
	if (mxw__ascii_casecmp(name, "DKIM-Signature") != 0)
		return;
	ctx->env->has_signature = true;
	/* Signatures beyond the limit are not examined: nobody will want their keys. */
	if (++ctx->env->nsignatures > ctx->conf->limits.signatures)
		return;
	mxw__dkim_prefetch_key(ctx->dkim_lib, ctx->resolver, ctx->budget, value);
}

/* Only a message that has a signature and whose header was kept whole costs a verifier. */
static void end_of_headers(struct mxw__check_ctx *ctx)
{
	const struct mxw__envelope *env = ctx->env;

	if (!env->has_signature || env->header_overflow || ctx->dkim)
		return;
	if (mxw__dkim_new(ctx->dkim_lib, ctx->session_id, ctx->resolver, ctx->budget, &ctx->dkim) != MXW_OK)
		return;
	for (const struct mxw__field *f = env->fields; f; f = f->next) {
		if (mxw__dkim_header(ctx->dkim, f->name, f->value) != MXW_OK) {
			mxw__dkim_free(ctx->dkim);
			ctx->dkim = NULL;
			return;
		}
	}
	ctx->dkim_wants_body = mxw__dkim_end_of_headers(ctx->dkim);
}

static void gather_keys(struct mxw__check_ctx *ctx, mxw_stage_t stage MXW_UNUSED, struct mxw__gather *gather)
{
	if (ctx->dkim)
		mxw__dkim_gather(ctx->dkim, gather);
}

static bool body(struct mxw__check_ctx *ctx, const unsigned char *data, size_t len)
{
	if (ctx->dkim && ctx->dkim_wants_body)
		ctx->dkim_wants_body = mxw__dkim_body(ctx->dkim, data, len);
	return ctx->dkim_wants_body;
}

static void state_result(struct mxw__check_ctx *ctx, mxw__dkim_result_t result)
{
	const char *word = mxw__dkim_result_name(result);

	/* A key that did not come says nothing about the message: it must not look like a result. */
	if (result == MXW__DKIM_TEMPERROR)
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_DKIM, word);
	else
		mxw_facts_set(ctx->facts, MXW__FACT_DKIM, word);
}

/* Nothing is known of the signatures, or not of all. */
static void set_unavailable(struct mxw__check_ctx *ctx)
{
	mxw_facts_set_unavailable(ctx->facts, MXW__FACT_DKIM_DOMAIN, NULL);
	mxw_facts_set_unavailable(ctx->facts, MXW__FACT_DKIM_UNCOVERED, NULL);
}

/* What a signature that passes says, and what it leaves out. */
static void state_pass(struct mxw__check_ctx *ctx, const struct mxw__dkim_signature *sig, uint32_t *uncovered)
{
	/* Anybody may have written what follows the signed part: the domain does not speak for the message. */
	if (!sig->is_length_limited || ctx->conf->auth.dkim_trust_length)
		mxw_facts_set(ctx->facts, MXW__FACT_DKIM_DOMAIN, sig->domain);
	for (unsigned i = 0; i < MXW__DKIM_SINGLETONS; i++) {
		uint32_t bit = UINT32_C(1) << i;
		if (!(sig->uncovered & ~*uncovered & bit))
			continue;
		*uncovered |= bit;
		mxw_facts_set(ctx->facts, MXW__FACT_DKIM_UNCOVERED, mxw__dkim_singleton_name(i));
	}
}

static void state_signatures(struct mxw__check_ctx *ctx, const struct mxw__auth_results *res)
{
	bool is_limited = false, is_unknown = false;
	uint32_t uncovered = 0;

	mxw_facts_set_number(ctx->facts, MXW__FACT_DKIM_SIGNATURES, res->nsignatures);
	for (size_t i = 0; i < res->nsignatures; i++) {
		const struct mxw__dkim_signature *sig = &res->signatures[i];
		is_limited |= sig->is_length_limited;
		is_unknown |= sig->result == MXW__DKIM_TEMPERROR;
		if (sig->result == MXW__DKIM_PASS)
			state_pass(ctx, sig, &uncovered);
	}
	if (is_unknown)
		set_unavailable(ctx);
	if (is_unknown && !is_limited)
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_DKIM_LENGTH_LIMITED, NULL);
	else
		mxw_facts_set(ctx->facts, MXW__FACT_DKIM_LENGTH_LIMITED, is_limited ? "yes" : "no");
}

static void run(struct mxw__check_ctx *ctx)
{
	struct mxw__auth_results *res = ctx->results;

	if (!ctx->dkim) {
		/* A signature that nobody looked at is not "none": nothing is known of it. */
		state_result(ctx, ctx->env->has_signature || ctx->env->header_overflow ? MXW__DKIM_TEMPERROR
										      : MXW__DKIM_NONE);
		res->has_dkim = !ctx->env->has_signature && !ctx->env->header_overflow;
		if (!res->has_dkim) {
			set_unavailable(ctx);
			mxw_facts_set_unavailable(ctx->facts, MXW__FACT_DKIM_LENGTH_LIMITED, NULL);
		}
		return;
	}
	mxw__dkim_result_t result =
		mxw__dkim_finish(ctx->dkim, ctx->deadline_ms, &res->signatures, &res->nsignatures);
	res->has_dkim = true;
	state_result(ctx, result);
	state_signatures(ctx, res);
}

static void reset(struct mxw__check_ctx *ctx)
{
	mxw__dkim_free(ctx->dkim);
	ctx->dkim = NULL;
	ctx->dkim_wants_body = false;
}

static const mxw_fact_id_t facts[] = {MXW__FACT_DKIM, MXW__FACT_DKIM_DOMAIN, MXW__FACT_DKIM_SIGNATURES,
				      MXW__FACT_DKIM_UNCOVERED, MXW__FACT_DKIM_LENGTH_LIMITED};

const struct mxw__check mxw__check_dkim = {
	.name = "dkim",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.is_enabled = is_enabled,
	.gather = gather_keys,
	.run = run,
	.header = header,
	.end_of_headers = end_of_headers,
	.body = body,
	.reset = reset,
};
