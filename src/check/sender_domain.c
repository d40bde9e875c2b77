/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sender_domain.c: where an answer to the sender, a bounce for one, would go (RFC 5321 section 5.1): to the hosts of its MX
 * records, to the domain's own addresses for want of any, or, by a null MX (RFC 7505) or addresses that lead nowhere, to nobody.
 *
 * Few questions for most: the MX records, then the IPv4 addresses of the first host. Only if none of these can be reached from
 * anywhere are the others looked at.
 */
#include "config.h"

#include <string.h>

#include "src/check/check.h"

enum { HOSTS_MAX = 10 };

typedef enum word { MX, ADDRESS, NONE, NULL_MX, LOOPBACK, PRIVATE, OURS } word_t;

static const char *const words[] = {
	[MX] = "mx",           [ADDRESS] = "address", [NONE] = "none", [NULL_MX] = "null-mx",
	[LOOPBACK] = "loopback", [PRIVATE] = "private", [OURS] = "ours",
};

/* A walk over the DNS, to ask for what will be wanted or to find out. */
struct walk {
	struct mxw__check_ctx *ctx;
	struct mxw__gather *gather; /* NULL: to find out */
	/* What was seen: */
	bool is_pending;            /* an answer is under way */
	bool is_unknown;            /* one could not be had */
	bool has_public, has_loopback, has_private, has_ours;
};

static mxw_dns_answer_t *look_up(struct walk *walk, const char *name, enum mxw_dns_type type)
{
	const struct mxw__check_ctx *ctx = walk->ctx;
	mxw_dns_answer_t *answer = walk->gather ? mxw__gather_ask(walk->gather, name, type)
						: mxw_resolver_ask(ctx->resolver, name, type, ctx->deadline_ms, ctx->budget);

	if (!answer)
		walk->is_pending = true;
	else if (answer->outcome == MXW_TEMPORARY || answer->outcome == MXW_MISCONFIGURED)
		walk->is_unknown = true;
	return answer;
}

static void note_address(struct walk *walk, const struct mxw_dns_rr *rr)
{
	struct mxw_ip ip;

	if (!mxw__ip_from_bytes(rr->data, rr->len, &ip))
		return;
	mxw__ip_reach_t reach = mxw__ip_reach(&ip);
	if (reach == MXW__IP_LOOPBACK)
		walk->has_loopback = true;
	else if (reach == MXW__IP_PRIVATE)
		walk->has_private = true;
	else if (mxw__in_networks(&walk->ctx->conf->internal, &ip))
		walk->has_ours = true;
	else
		walk->has_public = true;
}

static void look_at_addresses(struct walk *walk, const char *host, enum mxw_dns_type type)
{
	mxw_dns_answer_t *answer = look_up(walk, host, type);

	for (size_t i = 0; answer && i < answer->nrecords; i++)
		note_address(walk, &answer->records[i]);
	mxw_dns_answer_unref(answer);
}

/* If the best host can be reached at its IPv4 address, as most can, no more is to be known. */
static void look_at_hosts(struct walk *walk, const struct mxw_dns_rr *const *hosts, size_t n)
{
	if (n == 0)
		return;
	look_at_addresses(walk, hosts[0]->name, MXW_DNS_A);
	if (walk->has_public || walk->is_pending)
		return;
	look_at_addresses(walk, hosts[0]->name, MXW_DNS_AAAA);
	for (size_t i = 1; i < n; i++) {
		look_at_addresses(walk, hosts[i]->name, MXW_DNS_A);
		look_at_addresses(walk, hosts[i]->name, MXW_DNS_AAAA);
	}
}

/* The usable hosts, best first; those that are us are noted only. */
static size_t sort_hosts(struct walk *walk, const mxw_dns_answer_t *mx, const struct mxw_dns_rr **ret_hosts)
{
	size_t n = 0;

	for (size_t i = 0; i < mx->nrecords; i++) {
		const struct mxw_dns_rr *rr = &mx->records[i];
		if (!mxw__domain_is_valid(rr->name))
			continue;
		if (mxw__is_our_name(walk->ctx, rr->name)) {
			walk->has_ours = true;
			continue;
		}
		size_t at = n < HOSTS_MAX ? n++ : HOSTS_MAX;
		for (; at > 0 && ret_hosts[at - 1]->preference > rr->preference; at--)
			if (at < HOSTS_MAX)
				ret_hosts[at] = ret_hosts[at - 1];
		if (at < HOSTS_MAX)
			ret_hosts[at] = rr;
	}
	return n;
}

/* What it comes to where it all leads nowhere; the least suspicious first. */
static word_t judge(const struct walk *walk, word_t if_public)
{
	if (walk->has_public)
		return if_public;
	if (walk->has_ours)
		return OURS;
	if (walk->has_private)
		return PRIVATE;
	return walk->has_loopback ? LOOPBACK : NONE;
}

static word_t look_at_mx(struct walk *walk, const mxw_dns_answer_t *mx)
{
	const struct mxw_dns_rr *hosts[HOSTS_MAX];

	/* Beside others the root is no null MX, but a host that can't be. */
	if (mx->nrecords == 1 && !*mx->records[0].name)
		return NULL_MX;
	look_at_hosts(walk, hosts, sort_hosts(walk, mx, hosts));
	/* Those that were not looked at may well be reached. */
	return mx->nrecords > HOSTS_MAX ? MX : judge(walk, MX);
}

static word_t find(struct walk *walk)
{
	const char *domain = walk->ctx->env->sender.domain;
	mxw_dns_answer_t *mx = look_up(walk, domain, MXW_DNS_MX);
	word_t word = NONE;

	if (mx && mx->outcome == MXW_FOUND) {
		word = look_at_mx(walk, mx);
	} else if (mx && mx->outcome == MXW_NOT_FOUND && mx->rcode == 0) {
		look_at_addresses(walk, domain, MXW_DNS_A);
		look_at_addresses(walk, domain, MXW_DNS_AAAA);
		word = judge(walk, ADDRESS);
	}
	mxw_dns_answer_unref(mx);
	return word;
}

/* A domain of ours is where it is; a literal leads where it says; a name beyond ASCII without A-labels is in no DNS. */
static bool is_asked_for(const struct mxw__check_ctx *ctx)
{
	const struct mxw__envelope *env = ctx->env;
	const char *ours = mxw_facts_get(ctx->facts, MXW__FACT_SENDER_OURS);

	return mxw__is_stranger(env) && env->sender_is_valid && !env->sender.is_null && !env->sender.is_literal &&
	       mxw__domain_is_valid(env->sender.domain) && !(ours && strcmp(ours, "yes") == 0);
}

static void gather(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	struct walk walk = {.ctx = ctx, .gather = gather};

	if (stage >= MXW_STAGE_MAIL && is_asked_for(ctx))
		find(&walk);
}

static void run(struct mxw__check_ctx *ctx)
{
	struct walk walk = {.ctx = ctx};

	if (!is_asked_for(ctx))
		return;
	word_t word = find(&walk);
	/* What could not be had might have led somewhere. */
	if (walk.is_unknown && word != MX && word != ADDRESS)
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_SENDER_MX, NULL);
	else
		mxw_facts_set(ctx->facts, MXW__FACT_SENDER_MX, words[word]);
}

static const mxw_fact_id_t facts[] = {MXW__FACT_SENDER_MX};

static bool is_enabled(const struct mxw_conf *conf)
{
	return mxw__rules_name(conf, facts, MXW_ARRAY_LEN(facts));
}

const struct mxw__check mxw__check_sender_domain = {
	.name = "sender-domain",
	.stage = MXW_STAGE_MAIL,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.is_enabled = is_enabled,
	.gather = gather,
	.run = run,
};
