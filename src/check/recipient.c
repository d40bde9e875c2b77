/* SPDX-License-Identifier: BSD-2-Clause */
/* recipient.c: one recipient: what it is, and what the directories say of it. */
#include "config.h"

#include "src/check/check.h"

static void run_recipient(struct mxw__check_ctx *ctx)
{
	struct mxw__envelope *env = ctx->env;

	mxw_facts_set(ctx->facts, MXW__FACT_RCPT_MTA, env->rcpt_refused_by_mta ? "rejected" : "accepted");
	mxw_facts_set(ctx->facts, MXW__FACT_RCPT_ADDRESS, env->rcpt_is_valid ? env->rcpt.text : env->rcpt_path);
	if (!env->rcpt_is_valid) {
		mxw_facts_set(ctx->facts, MXW__FACT_RCPT_OURS, "no");
		return;
	}
	mxw_facts_set(ctx->facts, MXW__FACT_RCPT_DOMAIN, env->rcpt.domain);
	mxw_outcome_t outcome = mxw__directories_domain_of(ctx->directories, &env->rcpt, &env->rcpt_domain);
	env->rcpt_domain_is_known = outcome != MXW_TEMPORARY;
	if (env->rcpt_domain_is_known)
		mxw_facts_set(ctx->facts, MXW__FACT_RCPT_OURS, env->rcpt_domain ? "yes" : "no");
	else
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_RCPT_OURS, "unavailable");
	if (env->rcpt_domain)
		mxw_facts_set(ctx->facts, MXW__FACT_RCPT_ON_FAILURE,
			      env->rcpt_domain->on_failure == MXW__ON_FAILURE_ACCEPT ? "accept" : "defer");
}

/* Beside the outcome: how it came about, and what the directory says of a recipient that exists. */
static void state_details(mxw_facts_t *facts, const struct mxw__rcpt_result *result)
{
	if (result->source && *result->source)
		mxw_facts_set(facts, MXW__FACT_RCPT_SOURCE, result->source);
	if (result->copy != MXW__COPY_NONE)
		mxw_facts_set(facts, MXW__FACT_RCPT_COPY, mxw__rcpt_copy_word(result->copy));
	if (result->outcome != MXW_FOUND && result->outcome != MXW_NOT_FOUND)
		return;
	mxw_facts_set(facts, MXW__FACT_RCPT_ORIGIN, mxw__rcpt_origin_word(result->origin));
	if (result->outcome != MXW_FOUND || result->is_unverifiable)
		return;
	mxw_facts_set(facts, MXW__FACT_RCPT_DISABLED, result->settings.is_disabled ? "yes" : "no");
	mxw_facts_set(facts, MXW__FACT_RCPT_INTERNAL_ONLY, result->settings.is_internal_only ? "yes" : "no");
	if (*result->settings.class)
		mxw_facts_set(facts, MXW__FACT_RCPT_CLASS, result->settings.class);
}

/* The four outcomes and their words. Without an answer the fact is unavailable: "not rcpt = found" must not become true. */
static void state_outcome(mxw_facts_t *facts, const struct mxw__rcpt_result *result)
{
	const char *word = mxw__rcpt_outcome_word(result);

	if (result->outcome == MXW_FOUND || result->outcome == MXW_NOT_FOUND)
		mxw_facts_set(facts, MXW__FACT_RCPT, word);
	else
		mxw_facts_set_unavailable(facts, MXW__FACT_RCPT, word);
}

static void run_directory(struct mxw__check_ctx *ctx)
{
	struct mxw__envelope *env = ctx->env;
	struct mxw__rcpt_query query = {.address = &env->rcpt, .deadline_ms = ctx->deadline_ms};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY, .source = ""};

	if (!env->rcpt_is_valid) {
		mxw_facts_set(ctx->facts, MXW__FACT_RCPT, "invalid");
		return;
	}
	/* What the MTA has refused needs no answer, and a domain without directories gives none. */
	if (!env->rcpt_domain || env->rcpt_domain->nrecipients == 0) {
		mxw_facts_set(ctx->facts, MXW__FACT_RCPT, "foreign");
		return;
	}
	if (env->rcpt_refused_by_mta)
		return;
	if (!env->rcpt_domain_is_known) {
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_RCPT, "unavailable");
		return;
	}
	mxw__directories_lookup(ctx->directories, env->rcpt_domain, &query, &result);
	state_outcome(ctx->facts, &result);
	state_details(ctx->facts, &result);
}

static const mxw_fact_id_t recipient_facts[] = {
	MXW__FACT_RCPT_ADDRESS, MXW__FACT_RCPT_DOMAIN, MXW__FACT_RCPT_OURS, MXW__FACT_RCPT_ON_FAILURE, MXW__FACT_RCPT_MTA,
};
static const mxw_fact_id_t directory_facts[] = {
	MXW__FACT_RCPT, MXW__FACT_RCPT_SOURCE, MXW__FACT_RCPT_ORIGIN, MXW__FACT_RCPT_COPY,
	MXW__FACT_RCPT_CLASS, MXW__FACT_RCPT_DISABLED, MXW__FACT_RCPT_INTERNAL_ONLY,
};

const struct mxw__check mxw__check_recipient = {
	.name = "recipient",
	.stage = MXW_STAGE_RCPT,
	.scope = MXW_SCOPE_RCPT,
	.nfacts = MXW_ARRAY_LEN(recipient_facts),
	.facts = recipient_facts,
	.run = run_recipient,
};

const struct mxw__check mxw__check_directory = {
	.name = "directory",
	.stage = MXW_STAGE_RCPT,
	.scope = MXW_SCOPE_RCPT,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(directory_facts),
	.facts = directory_facts,
	.run = run_directory,
};
