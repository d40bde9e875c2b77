/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc.c: DMARC of the author's domain, and what is seen of lists and forwarders that break it.
 *
 * What signatures speak for is wanted even where DMARC itself is switched off: it excuses a failure of SPF.
 */
#include "config.h"

#include <string.h>

#include "src/check/check.h"

static bool is_enabled(const struct mxw_conf *conf)
{
	return conf->dmarc.enabled || conf->auth.dkim_enabled;
}

bool mxw__has_identities(const struct mxw__check_ctx *ctx)
{
	const struct mxw__envelope *env = ctx->env;

	if (env->client_class != MXW__CLIENT_RELAY)
		return mxw__is_stranger(env);
	/* A relay takes mail of our own hosts, too. */
	return env->origin.family && !*env->auth_user && !mxw__in_networks(&ctx->conf->internal, &env->origin) &&
	       !mxw__in_networks(&ctx->conf->relays, &env->origin);
}

const char *mxw__spf_domain(const struct mxw__envelope *env)
{
	if (!env->sender_is_valid || env->sender.is_literal)
		return NULL;
	const char *helo = env->client_class == MXW__CLIENT_RELAY ? env->origin_helo : env->helo;
	const char *domain = env->sender.is_null ? helo : env->sender.domain;
	return domain && *domain ? domain : NULL;
}

/* ---- what speaks for a domain ---- */

bool mxw__dkim_counts(const struct mxw__check_ctx *ctx, const struct mxw__dkim_signature *signature)
{
	return signature->result == MXW__DKIM_PASS &&
	       (!signature->is_length_limited || ctx->conf->auth.dkim_trust_length) && *signature->domain;
}

static struct mxw__dmarc_dns dns_of(const struct mxw__check_ctx *ctx)
{
	return (struct mxw__dmarc_dns){.resolver = ctx->resolver, .budget = ctx->budget, .deadline_ms = ctx->deadline_ms};
}

static mxw__dmarc_tri_t passes(const struct mxw__check_ctx *ctx, const struct mxw__dkim_signature *signature)
{
	if (signature->result == MXW__DKIM_TEMPERROR)
		return MXW__DMARC_MAYBE;
	return mxw__dkim_counts(ctx, signature) ? MXW__DMARC_YES : MXW__DMARC_NO;
}

static mxw__dmarc_tri_t lesser(mxw__dmarc_tri_t a, mxw__dmarc_tri_t b)
{
	return a < b ? a : b;
}

mxw__dmarc_tri_t mxw__dkim_speaks_for(const struct mxw__check_ctx *ctx, const char *domain)
{
	const struct mxw__auth_results *res = ctx->results;
	struct mxw__dmarc_dns dns = dns_of(ctx);
	mxw__dmarc_tri_t best = MXW__DMARC_NO;

	if (!domain || !*domain || !ctx->conf->auth.dkim_enabled)
		return MXW__DMARC_NO;
	if (!res->has_dkim)
		return MXW__DMARC_MAYBE;
	for (size_t i = 0; i < res->nsignatures && best != MXW__DMARC_YES; i++) {
		mxw__dmarc_tri_t one = passes(ctx, &res->signatures[i]);
		if (one > best && *res->signatures[i].domain)
			one = lesser(one, mxw__dmarc_same_organisation(domain, res->signatures[i].domain, &dns));
		if (one > best)
			best = one;
	}
	return best;
}

static mxw__dmarc_tri_t spf_passes(const struct mxw__auth_results *res)
{
	if (!res->has_spf)
		return MXW__DMARC_NO;
	if (res->spf.result == MXW__SPF_TEMPERROR)
		return MXW__DMARC_MAYBE;
	if (res->spf.result == MXW__SPF_PASS)
		return MXW__DMARC_YES;
	return res->spf.is_unsure ? MXW__DMARC_MAYBE : MXW__DMARC_NO;
}

mxw__dmarc_tri_t mxw__spf_speaks_for(const struct mxw__check_ctx *ctx, const char *domain)
{
	mxw__dmarc_tri_t result = spf_passes(ctx->results);
	const char *spf_domain = mxw__spf_domain(ctx->env);
	struct mxw__dmarc_dns dns = dns_of(ctx);

	if (result == MXW__DMARC_NO || !spf_domain || !domain)
		return MXW__DMARC_NO;
	return lesser(result, mxw__dmarc_same_organisation(domain, spf_domain, &dns));
}

/* ---- the query ---- */

/* Two fields or several authors are no reason to look at none (RFC 9989 section 11.5). */
static void add_authors(const struct mxw__from *from, struct mxw__dmarc_query *query)
{
	if (*from->domain) {
		query->authors[query->nauthors++] = from->domain;
		return;
	}
	for (size_t i = 0; i < from->ndomains && query->nauthors < MXW__DMARC_AUTHORS_MAX; i++)
		query->authors[query->nauthors++] = from->domains[i];
	query->has_more_authors = from->ndomains > query->nauthors;
}

static void add_signature(struct mxw__dmarc_query *query, const char *domain, mxw__dmarc_tri_t passes)
{
	for (size_t i = 0; i < query->ndkim; i++) {
		if (mxw__ascii_casecmp(query->dkim[i].domain, domain) == 0) {
			if (passes > query->dkim[i].passes)
				query->dkim[i].passes = passes;
			return;
		}
	}
	if (query->ndkim < MXW__DMARC_SIGNATURES_MAX)
		query->dkim[query->ndkim++] = (struct mxw__dmarc_identifier){domain, passes};
	else
		query->is_dkim_unknown |= passes != MXW__DMARC_NO;
}

static void init_query(const struct mxw__check_ctx *ctx, struct mxw__dmarc_query *query)
{
	*query = (struct mxw__dmarc_query){.dns = dns_of(ctx)};
	add_authors(&ctx->env->from, query);
	query->spf = (struct mxw__dmarc_identifier){mxw__spf_domain(ctx->env), spf_passes(ctx->results)};
	query->is_incomplete = !ctx->conf->auth.spf_enabled || !ctx->conf->auth.dkim_enabled;
}

/* ---- asking early ---- */

/* The domains that signatures claim, before any is verified. */
static void add_claimed(const struct mxw__check_ctx *ctx, mxw__arena_t *scratch, struct mxw__dmarc_query *query)
{
	uint64_t left = ctx->conf->limits.signatures;

	for (const struct mxw__field *f = ctx->env->fields; f && left; f = f->next) {
		if (mxw__ascii_casecmp(f->name, "DKIM-Signature") != 0)
			continue;
		left--;
		char *domain = mxw__taglist_get(scratch, f->value, strlen(f->value), "d");
		if (domain && query->ndkim < MXW__DMARC_SIGNATURES_MAX)
			add_signature(query, domain, MXW__DMARC_MAYBE);
	}
}

/* Whom a signature may speak for beside DMARC: the sender, if not the author; and the author, where DMARC is switched off. */
static void gather_organisations(const struct mxw__check_ctx *ctx, const struct mxw__dmarc_query *query)
{
	const char *author = query->nauthors ? query->authors[0] : "", *sender = query->spf.domain;

	for (size_t i = 0; i < query->ndkim; i++) {
		const char *domain = query->dkim[i].domain;
		if (!ctx->conf->dmarc.enabled)
			mxw__dmarc_gather_organisations(author, domain, &query->dns);
		if (sender && !ctx->env->sender.is_null && !mxw__same_org_domain(author, domain))
			mxw__dmarc_gather_organisations(sender, domain, &query->dns);
	}
}

static void gather(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	struct mxw__dmarc_query query;

	if (stage < MXW_STAGE_EOM || !mxw__has_identities(ctx))
		return;
	init_query(ctx, &query);
	query.dns.gather = gather;
	if (!ctx->results->has_spf && ctx->conf->auth.spf_enabled)
		query.spf.passes = MXW__DMARC_MAYBE;
	mxw__arena_t *scratch = mxw__arena_new(65536);
	if (scratch && ctx->env->has_signature)
		add_claimed(ctx, scratch, &query);
	if (ctx->conf->dmarc.enabled)
		mxw__dmarc_gather(&query);
	gather_organisations(ctx, &query);
	mxw__arena_free(scratch);
}

/* ---- facts ---- */

/* Says what is known of a fact: its word, or that nothing is. */
static void state(mxw_facts_t *facts, mxw_fact_id_t fact, bool is_unknown, const char *value)
{
	if (is_unknown)
		mxw_facts_set_unavailable(facts, fact, NULL);
	else if (value)
		mxw_facts_set(facts, fact, value);
}

static void state_dmarc(mxw_facts_t *facts, const struct mxw__dmarc_answer *a)
{
	const char *word = mxw__dmarc_result_name(a->result);
	bool is_record_unknown = a->is_policy_unknown && !a->has_record;

	if (a->result == MXW__DMARC_TEMPERROR)
		mxw_facts_set_unavailable(facts, MXW__FACT_DMARC, word);
	else
		mxw_facts_set(facts, MXW__FACT_DMARC, word);
	state(facts, MXW__FACT_DMARC_POLICY, a->is_policy_unknown, a->has_record ? mxw__dmarc_policy_name(a->policy) : NULL);
	state(facts, MXW__FACT_DMARC_DOMAIN, is_record_unknown, a->has_record ? a->policy_domain : NULL);
	state(facts, MXW__FACT_DMARC_TESTING, is_record_unknown, !a->has_record ? NULL : a->is_testing ? "yes" : "no");
	if (a->spf_aligned)
		mxw_facts_set(facts, MXW__FACT_DMARC_ALIGNED, "spf");
	if (a->dkim_aligned)
		mxw_facts_set(facts, MXW__FACT_DMARC_ALIGNED, "dkim");
	if (a->is_alignment_unknown)
		mxw_facts_set_unavailable(facts, MXW__FACT_DMARC_ALIGNED, NULL);
}

static void state_tri(mxw_facts_t *facts, mxw_fact_id_t fact, mxw__dmarc_tri_t value)
{
	state(facts, fact, value == MXW__DMARC_MAYBE, value == MXW__DMARC_YES ? "yes" : "no");
}

/* One that speaks for the author, or, where SPF is about the sender, for the sender. */
static mxw__dmarc_tri_t is_dkim_aligned(const struct mxw__check_ctx *ctx)
{
	mxw__dmarc_tri_t best = MXW__DMARC_NO;
	struct mxw__dmarc_query query;

	init_query(ctx, &query);
	/* Of several authors each one must be spoken for. */
	for (size_t i = 0; i < query.nauthors && !query.has_more_authors; i++) {
		mxw__dmarc_tri_t one = mxw__dkim_speaks_for(ctx, query.authors[i]);
		best = i == 0 ? one : lesser(best, one);
	}
	if (best != MXW__DMARC_YES && !ctx->env->sender.is_null && query.spf.domain) {
		mxw__dmarc_tri_t sender = mxw__dkim_speaks_for(ctx, query.spf.domain);
		if (sender > best)
			best = sender;
	}
	return best;
}

/* Of an altered message it is known who signed it, if the key was to be had. */
static mxw__dmarc_tri_t is_dkim_altered(const struct mxw__check_ctx *ctx)
{
	const struct mxw__auth_results *res = ctx->results;
	const char *author = ctx->env->from.domain;
	mxw__dmarc_tri_t best = MXW__DMARC_NO;

	if (!*author)
		return MXW__DMARC_NO;
	if (!res->has_dkim)
		return MXW__DMARC_MAYBE;
	for (size_t i = 0; i < res->nsignatures; i++) {
		const struct mxw__dkim_signature *sig = &res->signatures[i];
		mxw__dmarc_tri_t one = sig->is_altered                           ? MXW__DMARC_YES
				       : sig->result == MXW__DKIM_TEMPERROR ? MXW__DMARC_MAYBE
									    : MXW__DMARC_NO;
		/* For a list's sake: by the Public Suffix List alone, without a wait. */
		if (one > best && (!*sig->domain || mxw__same_org_domain(author, sig->domain)))
			best = one;
	}
	return best;
}

/* RFC 2919 section 3: the identifier stands in <>, behind a phrase. */
static void state_list_id(struct mxw__check_ctx *ctx)
{
	for (const struct mxw__field *f = ctx->env->fields; f; f = f->next) {
		if (mxw__ascii_casecmp(f->name, "List-Id") != 0)
			continue;
		const char *open = strrchr(f->value, '<');
		const char *id = open ? open + 1 : f->value + strspn(f->value, " \t\r\n");
		size_t len = strcspn(id, open ? ">" : " \t\r\n");
		char *text = len && len <= MXW__DOMAIN_MAX ? mxw__arena_strndup(ctx->message_arena, id, len) : NULL;
		if (text)
			mxw_facts_set(ctx->facts, MXW__FACT_MESSAGE_LIST_ID, text);
		else if (len && len <= MXW__DOMAIN_MAX)
			mxw_facts_set_unavailable(ctx->facts, MXW__FACT_MESSAGE_LIST_ID, NULL);
		return;
	}
	if (ctx->env->header_overflow)
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_MESSAGE_LIST_ID, NULL);
}

static void evaluate(struct mxw__check_ctx *ctx)
{
	struct mxw__auth_results *res = ctx->results;
	struct mxw__dmarc_query query;

	init_query(ctx, &query);
	query.is_dkim_unknown = ctx->conf->auth.dkim_enabled && !res->has_dkim;
	for (size_t i = 0; i < res->nsignatures; i++) {
		const struct mxw__dkim_signature *sig = &res->signatures[i];
		/* Those beyond the limit are one entry without a domain: any of them may be the author's. */
		if (*sig->domain)
			add_signature(&query, sig->domain, passes(ctx, sig));
		else
			query.is_dkim_unknown |= passes(ctx, sig) == MXW__DMARC_MAYBE;
	}
	mxw__dmarc_evaluate(&query, &res->dmarc);
	/* For want of memory, which is over soon. */
	if (ctx->env->from.is_unknown)
		res->dmarc = (struct mxw__dmarc_answer){.result = MXW__DMARC_TEMPERROR,
							.is_policy_unknown = true,
							.is_alignment_unknown = true,
							.reason = "From could not be read"};
	res->has_dmarc = true;
	state_dmarc(ctx->facts, &res->dmarc);
}

static void run(struct mxw__check_ctx *ctx)
{
	if (!mxw__has_identities(ctx))
		return;
	if (ctx->conf->dmarc.enabled)
		evaluate(ctx);
	if (ctx->conf->auth.dkim_enabled) {
		state_tri(ctx->facts, MXW__FACT_DKIM_ALIGNED, is_dkim_aligned(ctx));
		state_tri(ctx->facts, MXW__FACT_DKIM_ALTERED, is_dkim_altered(ctx));
	}
	state_list_id(ctx);
}

static const mxw_fact_id_t facts[] = {
	MXW__FACT_MESSAGE_LIST_ID, MXW__FACT_DKIM_ALIGNED, MXW__FACT_DKIM_ALTERED,  MXW__FACT_DMARC,
	MXW__FACT_DMARC_POLICY,    MXW__FACT_DMARC_DOMAIN, MXW__FACT_DMARC_TESTING, MXW__FACT_DMARC_ALIGNED,
};

static const struct mxw__check *const needs[] = {&mxw__check_spf, &mxw__check_dkim, NULL};

const struct mxw__check mxw__check_dmarc = {
	.name = "dmarc",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.needs = needs,
	.is_enabled = is_enabled,
	.gather = gather,
	.run = run,
};
