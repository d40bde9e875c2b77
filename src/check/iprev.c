/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iprev.c: the client's name by reverse DNS, and whether the name's addresses lead back to the client (RFC 8601 section 2.7.3).
 * Asked for clients from outside: a private network's reverse names say nothing, and need not be asked for.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/check/check.h"

/* As SPF has it (RFC 7208 section 4.6.4); nobody needs more. */
enum { NAMES_MAX = 10 };

struct finding {
	bool is_pending;           /* an answer is under way */
	mxw__iprev_result_t result;
	const char *name;          /* borrowed from `answer`; "" if none is confirmed */
	mxw_dns_answer_t *answer;  /* the reverse names */
};

const char *mxw__iprev_result_name(mxw__iprev_result_t result)
{
	static const char *const names[] = {
		[MXW__IPREV_PASS] = "pass",
		[MXW__IPREV_FAIL] = "fail",
		[MXW__IPREV_TEMPERROR] = "temperror",
		[MXW__IPREV_PERMERROR] = "permerror",
	};

	return names[result];
}

/* For the walk that gathers, and for the one that wants to know. */
static mxw_dns_answer_t *look_up(struct mxw__check_ctx *ctx, struct mxw__gather *gather, const char *name,
				 enum mxw_dns_type type)
{
	if (gather)
		return mxw__gather_ask(gather, name, type);
	return mxw_resolver_ask(ctx->resolver, name, type, ctx->deadline_ms, ctx->budget);
}

static bool has_address(const mxw_dns_answer_t *answer, const struct mxw_ip *ip)
{
	size_t len = ip->family == 4 ? 4 : 16;

	for (size_t i = 0; i < answer->nrecords; i++)
		if (answer->records[i].len == len && memcmp(answer->records[i].data, ip->bytes, len) == 0)
			return true;
	return false;
}

/* Of several names the first in the alphabet, since the DNS gives them in any order. */
static void check_name(struct mxw__check_ctx *ctx, struct mxw__gather *gather, const char *name, struct finding *found)
{
	const struct mxw_ip *client = &ctx->env->client;
	enum mxw_dns_type type = client->family == 4 ? MXW_DNS_A : MXW_DNS_AAAA;

	if (!mxw__domain_is_valid(name))
		return;
	mxw_dns_answer_t *answer = look_up(ctx, gather, name, type);
	if (!answer)
		found->is_pending = true;
	else if (has_address(answer, client) && (!*found->name || strcmp(name, found->name) < 0))
		found->name = name;
	else if (answer->outcome == MXW_TEMPORARY || answer->outcome == MXW_MISCONFIGURED)
		found->result = MXW__IPREV_TEMPERROR;
	mxw_dns_answer_unref(answer);
}

static void find(struct mxw__check_ctx *ctx, struct mxw__gather *gather, struct finding *found)
{
	char reverse[MXW__REVERSE_NAME_MAX];

	*found = (struct finding){.result = MXW__IPREV_FAIL, .name = ""};
	found->answer = look_up(ctx, gather, mxw__ip_reverse_name(&ctx->env->client, reverse), MXW_DNS_PTR);
	if (!found->answer) {
		found->is_pending = true;
		return;
	}
	if (found->answer->outcome != MXW_FOUND) {
		found->result = found->answer->outcome == MXW_NOT_FOUND ? MXW__IPREV_PERMERROR : MXW__IPREV_TEMPERROR;
		return;
	}
	for (size_t i = 0; i < found->answer->nrecords && i < NAMES_MAX; i++)
		check_name(ctx, gather, found->answer->records[i].name, found);
	if (*found->name)
		found->result = MXW__IPREV_PASS;
}

static bool is_asked_for(const struct mxw__envelope *env)
{
	return env->client_class == MXW__CLIENT_OUTSIDE && env->client.family != 0;
}

static void gather(struct mxw__check_ctx *ctx, MXW_UNUSED mxw_stage_t stage, struct mxw__gather *gather)
{
	struct finding found;

	if (!is_asked_for(ctx->env))
		return;
	find(ctx, gather, &found);
	mxw_dns_answer_unref(found.answer);
}

static void run(struct mxw__check_ctx *ctx)
{
	struct mxw__auth_results *results = ctx->results;
	struct finding found;

	if (!is_asked_for(ctx->env))
		return;
	find(ctx, NULL, &found);
	const char *word = mxw__iprev_result_name(found.result);
	results->has_iprev = true;
	results->iprev = found.result;
	snprintf(results->iprev_name, sizeof results->iprev_name, "%s", found.name);
	if (found.result == MXW__IPREV_TEMPERROR) {
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_IPREV, word);
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_IPREV_NAME, NULL);
	} else {
		mxw_facts_set(ctx->facts, MXW__FACT_IPREV, word);
		if (*found.name)
			mxw_facts_set(ctx->facts, MXW__FACT_IPREV_NAME, found.name);
	}
	mxw_dns_answer_unref(found.answer);
}

static const mxw_fact_id_t facts[] = {MXW__FACT_IPREV, MXW__FACT_IPREV_NAME};

static bool is_enabled(const struct mxw_conf *conf)
{
	return conf->auth.add_results || mxw__rules_name(conf, facts, MXW_ARRAY_LEN(facts)) ||
	       mxw__check_iprev_dnsbl.is_enabled(conf);
}

const struct mxw__check mxw__check_iprev = {
	.name = "iprev",
	.stage = MXW_STAGE_CONNECT,
	.scope = MXW_SCOPE_SESSION,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.is_enabled = is_enabled,
	.gather = gather,
	.run = run,
};
