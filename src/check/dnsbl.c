/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnsbl.c: lists of addresses in the DNS that have the client, or whom a relay had the message from.
 *
 * A list is asked for the address, last part first, and answers with codes in 127.0.0.0/8, or that there is no such name. Anything
 * else is the list's own trouble and says nothing about the address: codes of 127.255.255.0/24 (its server does not talk
 * to us), addresses elsewhere (the domain was sold, or a resolver makes up answers).
 *
 * A list that has died often lists everything, and one whose data are gone lists nothing. So each has two addresses that it must, and
 * must not have (RFC 5782 section 5). They are asked for along with the client; since the resolver remembers the
 * answers, that is once in a while only, and a list that does not know them is passed over until they say otherwise.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/check/check.h"

enum { NAME_MAX_BYTES = 256, ERRORS_FIRST = 0x7fffff00, TOO_MUCH = 0x7f0000ff, REFUSED = 0x7f000001 };

/* Lists know nothing of them, and need not hear of them. */
static const struct mxw_network unasked[] = {
	{{4, {10}}, 8}, {{4, {127}}, 8}, {{4, {169, 254}}, 16}, {{4, {172, 16}}, 12}, {{4, {192, 168}}, 16},
	{{4, {100, 64}}, 10}, {{6, {[15] = 1}}, 128}, {{6, {0xfc}}, 7}, {{6, {0xfe, 0x80}}, 10},
};

static bool is_asked(const struct mxw__dnsbl_conf *list, const struct mxw_ip *ip)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(unasked); i++)
		if (mxw_network_contains(&unasked[i], ip))
			return false;
	if (ip->family == 4)
		return list->addresses != MXW__DNSBL_IPV6;
	return ip->family == 6 && list->addresses != MXW__DNSBL_IPV4;
}

static void make_name(const struct mxw__dnsbl_conf *list, const struct mxw_ip *ip, char ret_name[NAME_MAX_BYTES])
{
	char reversed[MXW__IP_REVERSED_MAX];

	snprintf(ret_name, NAME_MAX_BYTES, "%s.%s", mxw__ip_reversed(ip, reversed), list->zone);
}

/* 127.0.0.2 must be listed, 127.0.0.1 must not; in a list of IPv6 addresses they are ::FFFF:7F00:2 and ::FFFF:7F00:1. */
static struct mxw_ip test_point(const struct mxw__dnsbl_conf *list, uint8_t last)
{
	if (list->addresses == MXW__DNSBL_IPV6)
		return (struct mxw_ip){6, {[10] = 0xff, 0xff, 127, 0, 0, last}};
	return (struct mxw_ip){4, {127, 0, 0, last}};
}

/* ---- what a list answers ---- */

typedef enum mxw__listing { NOT_LISTED, LISTED, UNKNOWN } mxw__listing_t;

static void complain(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list, const char *what)
{
	char key[128], line[512];

	snprintf(key, sizeof key, "dnsbl:%s:%.20s", list->name, what);
	snprintf(line, sizeof line, "event=dnsbl list=%s zone=%s text=\"%s\"", list->name, list->zone, what);
	ctx->warn(ctx->warn_ctx, key, line);
}

static bool is_code(const struct mxw__dnsbl_conf *list, uint32_t code)
{
	for (size_t i = 0; i < list->nranges; i++)
		if (code >= list->ranges[i].first && code <= list->ranges[i].last)
			return true;
	return false;
}

/* NULL: an answer of a list that works. */
static const char *find_trouble(const struct mxw__dnsbl_conf *list, const mxw_dns_answer_t *answer)
{
	for (size_t i = 0; i < answer->nrecords; i++) {
		const struct mxw_dns_rr *rr = &answer->records[i];
		if (rr->len != 4)
			continue;
		uint32_t code = (uint32_t)rr->data[0] << 24 | (uint32_t)rr->data[1] << 16 | (uint32_t)rr->data[2] << 8 | rr->data[3];
		if (rr->data[0] != 127)
			return "its answers are no codes of a list: is the zone right, and does a resolver make up answers?";
		if (code >= ERRORS_FIRST)
			return "it answers with an error code: it does not serve this resolver (a public one, or too many questions)";
		if ((code == TOO_MUCH || code == REFUSED) && !is_code(list, code))
			return "it refuses this resolver: its answers are 127.0.0.1 or 127.0.0.255";
	}
	return NULL;
}

static mxw__listing_t judge(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list, const mxw_dns_answer_t *answer,
			    bool any_code)
{
	if (answer->outcome != MXW_FOUND)
		return answer->outcome == MXW_NOT_FOUND ? NOT_LISTED : UNKNOWN;
	const char *trouble = find_trouble(list, answer);
	if (trouble) {
		complain(ctx, list, trouble);
		return UNKNOWN;
	}
	for (size_t i = 0; i < answer->nrecords; i++) {
		const uint8_t *d = answer->records[i].data;
		if (answer->records[i].len == 4 && (any_code || is_code(list, (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 |
									       (uint32_t)d[2] << 8 | d[3])))
			return LISTED;
	}
	return NOT_LISTED;
}

static mxw__listing_t ask(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list, const struct mxw_ip *ip, bool any_code)
{
	char name[NAME_MAX_BYTES];

	make_name(list, ip, name);
	mxw_dns_answer_t *answer = mxw_resolver_ask(ctx->resolver, name, MXW_DNS_A, ctx->deadline_ms, ctx->budget);
	mxw__listing_t listing = judge(ctx, list, answer, any_code);
	mxw_dns_answer_unref(answer);
	return listing;
}

/* ---- is it a list at all? ---- */

/* What is known of a test point without waiting. */
static mxw__listing_t peek(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list, const struct mxw_ip *ip)
{
	char name[NAME_MAX_BYTES];

	make_name(list, ip, name);
	mxw_dns_answer_t *answer = mxw_resolver_peek(ctx->resolver, name, MXW_DNS_A);
	mxw__listing_t listing = answer ? judge(ctx, list, answer, true) : UNKNOWN;
	mxw_dns_answer_unref(answer);
	return listing;
}

typedef enum mxw__health { SOUND, DEAD, UNTESTED } mxw__health_t;

/* Waits for the answers only where they matter: a client that is not listed is not, whatever the list is worth. */
static mxw__health_t test(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list, bool may_wait)
{
	struct mxw_ip present = test_point(list, 2), absent = test_point(list, 1);

	if (!list->check_test_points)
		return SOUND;
	mxw__listing_t has = may_wait ? ask(ctx, list, &present, true) : peek(ctx, list, &present);
	mxw__listing_t lacks = may_wait ? ask(ctx, list, &absent, true) : peek(ctx, list, &absent);
	if (lacks == LISTED) {
		complain(ctx, list, "it lists 127.0.0.1, and so perhaps everything: it is not used for now");
		return DEAD;
	}
	if (has == NOT_LISTED) {
		complain(ctx, list, "it does not list its test address 127.0.0.2: it is not used for now");
		return DEAD;
	}
	return has == LISTED && lacks == NOT_LISTED ? SOUND : UNTESTED;
}

/* ---- the check ---- */

static void gather_lists(struct mxw__check_ctx *ctx, const struct mxw_ip *ip, struct mxw__gather *gather)
{
	char name[NAME_MAX_BYTES];

	for (size_t i = 0; i < ctx->conf->ndnsbls; i++) {
		const struct mxw__dnsbl_conf *list = &ctx->conf->dnsbls[i];
		if (!is_asked(list, ip))
			continue;
		make_name(list, ip, name);
		mxw_dns_answer_unref(mxw__gather_ask(gather, name, MXW_DNS_A));
		for (uint8_t last = 1; last <= 2 && list->check_test_points; last++) {
			struct mxw_ip point = test_point(list, last);
			make_name(list, &point, name);
			mxw_resolver_prefetch(ctx->resolver, name, MXW_DNS_A, ctx->budget);
		}
	}
}

static mxw__listing_t look_up(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list, const struct mxw_ip *ip)
{
	mxw__listing_t listing = ask(ctx, list, ip, false);
	mxw__health_t health = test(ctx, list, listing == LISTED);

	if (listing == NOT_LISTED || health == DEAD)
		return NOT_LISTED;
	return health == SOUND ? listing : UNKNOWN;
}

/* Those that have it first: a reply shows the first. */
static void state(struct mxw__check_ctx *ctx, const struct mxw_ip *ip, mxw_fact_id_t fact)
{
	uint32_t unknown = 0;

	for (size_t i = 0; i < ctx->conf->ndnsbls; i++) {
		const struct mxw__dnsbl_conf *list = &ctx->conf->dnsbls[i];
		mxw__listing_t listing = is_asked(list, ip) ? look_up(ctx, list, ip) : NOT_LISTED;
		if (listing == LISTED)
			mxw_facts_set(ctx->facts, fact, list->name);
		else if (listing == UNKNOWN)
			unknown |= UINT32_C(1) << i;
	}
	for (size_t i = 0; i < ctx->conf->ndnsbls; i++)
		if (unknown >> i & 1)
			mxw_facts_set_unavailable(ctx->facts, fact, ctx->conf->dnsbls[i].name);
}

_Static_assert(MXW__DNSBLS_MAX <= 32, "one bit per list");

static const mxw_fact_id_t client_facts[] = {MXW__FACT_CLIENT_DNSBL};
static const mxw_fact_id_t origin_facts[] = {MXW__FACT_ORIGIN_DNSBL};

/* No list is asked that no rule goes by. */
static bool client_is_enabled(const struct mxw_conf *conf)
{
	return conf->ndnsbls && mxw__rules_name(conf, client_facts, MXW_ARRAY_LEN(client_facts));
}

static void gather_client(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	if (ctx->env->client_class == MXW__CLIENT_OUTSIDE)
		gather_lists(ctx, &ctx->env->client, gather);
}

static void run_client(struct mxw__check_ctx *ctx)
{
	if (ctx->env->client_class == MXW__CLIENT_OUTSIDE)
		state(ctx, &ctx->env->client, MXW__FACT_CLIENT_DNSBL);
}

static bool origin_is_enabled(const struct mxw_conf *conf)
{
	return conf->ndnsbls && mxw__rules_name(conf, origin_facts, MXW_ARRAY_LEN(origin_facts));
}

/* Family 0 where none counts. */
static struct mxw_ip origin(const struct mxw__envelope *env)
{
	bool counts = env->client_class == MXW__CLIENT_OUTSIDE || env->client_class == MXW__CLIENT_RELAY;

	return counts ? env->origin : (struct mxw_ip){0};
}

/* A relay's is known when its Received field has come. */
static void gather_origin(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	struct mxw_ip ip = origin(ctx->env);

	if (stage == MXW_STAGE_EOM)
		gather_lists(ctx, &ip, gather);
}

static void run_origin(struct mxw__check_ctx *ctx)
{
	struct mxw_ip ip = origin(ctx->env);

	state(ctx, &ip, MXW__FACT_ORIGIN_DNSBL);
}

const struct mxw__check mxw__check_client_dnsbl = {
	.name = "client-dnsbl",
	.stage = MXW_STAGE_CONNECT,
	.scope = MXW_SCOPE_SESSION,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(client_facts),
	.facts = client_facts,
	.is_enabled = client_is_enabled,
	.gather = gather_client,
	.run = run_client,
};

const struct mxw__check mxw__check_origin_dnsbl = {
	.name = "origin-dnsbl",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = MXW_ARRAY_LEN(origin_facts),
	.facts = origin_facts,
	.is_enabled = origin_is_enabled,
	.gather = gather_origin,
	.run = run_origin,
};
