/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own_domain.c: a stranger in our own name.
 *
 * MAIL FROM and From are looked at each for itself: a sender of the stranger's own, which of course passes, says nothing for an
 * author of ours. Whether a domain belongs to us is decided by the domain sections alone, exactly; what lies below is somebody's
 * whom we may not know.
 */
#include "config.h"

#include <string.h>

#include "src/check/check.h"

static bool is_enabled(const struct mxw_conf *conf)
{
	return conf->auth.spf_enabled || conf->auth.dkim_enabled;
}

/* Is the domain of that fact ours? */
static mxw__dmarc_tri_t is_ours(const struct mxw__check_ctx *ctx, mxw_fact_id_t fact)
{
	const char *value = mxw_facts_get(ctx->facts, fact);

	if (mxw_facts_is_unavailable(ctx->facts, fact))
		return MXW__DMARC_MAYBE;
	return value && strcmp(value, "yes") == 0 ? MXW__DMARC_YES : MXW__DMARC_NO;
}

/* Does SPF or a signature speak for it? */
static mxw__dmarc_tri_t is_spoken_for(const struct mxw__check_ctx *ctx, const char *domain)
{
	mxw__dmarc_tri_t spf = mxw__spf_speaks_for(ctx, domain);

	if (spf == MXW__DMARC_YES)
		return spf;
	mxw__dmarc_tri_t dkim = mxw__dkim_speaks_for(ctx, domain);
	return spf > dkim ? spf : dkim;
}

/* Ours, and nobody speaks for it. */
static mxw__dmarc_tri_t is_forged(mxw__dmarc_tri_t ours, mxw__dmarc_tri_t spoken_for)
{
	mxw__dmarc_tri_t silent = (mxw__dmarc_tri_t)(MXW__DMARC_YES - spoken_for);

	return ours < silent ? ours : silent;
}

static mxw__dmarc_tri_t is_author_forged(const struct mxw__check_ctx *ctx)
{
	const struct mxw__from *from = &ctx->env->from;
	mxw__dmarc_tri_t ours = is_ours(ctx, MXW__FACT_FROM_OURS);

	if (ours == MXW__DMARC_NO)
		return ours;
	/* Who names more than one author speaks for none of them. */
	if (!*from->domain)
		return ours;
	return is_forged(ours, is_spoken_for(ctx, from->domain));
}

static mxw__dmarc_tri_t is_sender_forged(const struct mxw__check_ctx *ctx)
{
	mxw__dmarc_tri_t ours = is_ours(ctx, MXW__FACT_SENDER_OURS);

	if (ours == MXW__DMARC_NO)
		return ours;
	return is_forged(ours, is_spoken_for(ctx, ctx->env->sender.domain));
}

static void run(struct mxw__check_ctx *ctx)
{
	if (!mxw__has_identities(ctx))
		return;
	mxw__dmarc_tri_t author = is_author_forged(ctx);
	mxw__dmarc_tri_t sender = author == MXW__DMARC_YES ? author : is_sender_forged(ctx);
	mxw__dmarc_tri_t forged = author > sender ? author : sender;

	if (forged == MXW__DMARC_MAYBE)
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_OWN_DOMAIN_FORGED, NULL);
	else
		mxw_facts_set(ctx->facts, MXW__FACT_OWN_DOMAIN_FORGED, forged == MXW__DMARC_YES ? "yes" : "no");
}

static const mxw_fact_id_t facts[] = {MXW__FACT_OWN_DOMAIN_FORGED};

static const struct mxw__check *const needs[] = {&mxw__check_spf, &mxw__check_dkim, &mxw__check_dmarc, NULL};

const struct mxw__check mxw__check_own_domain = {
	.name = "own-domain",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.needs = needs,
	.is_enabled = is_enabled,
	.run = run,
};
