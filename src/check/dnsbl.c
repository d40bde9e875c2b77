/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnsbl.c: lists in the DNS that have the client, whom a relay had the message from, the client's name, its HELO name, or the
 * sender's domain. dnsbl.h says how a list is asked.
 *
 * A list says who is listed, by which of its results, and how many points that makes. What a list did not answer is unknown for the
 * conditions that name it. The points of such a list count as none: a sum that is too low refuses nobody; but without a list of the
 * welcome, which has points to take away, the sum is not known.
 *
 * The test points are asked for along with the client, too; since the resolver remembers the answers, that is once in a while only. So
 * a list that goes bad is found out with the first client that it has, and not when its next probe is due.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/check/check.h"
#include "src/check/dnsbl.h"

/* What is stated of one subject. */
struct stated {
	mxw_fact_id_t lists, results, points;
};

static const mxw_fact_id_t client_facts[] = {
	MXW__FACT_CLIENT_DNSBL, MXW__FACT_CLIENT_DNSBL_RESULT, MXW__FACT_CLIENT_DNSBL_POINTS};
static const mxw_fact_id_t origin_facts[] = {
	MXW__FACT_ORIGIN_DNSBL, MXW__FACT_ORIGIN_DNSBL_RESULT, MXW__FACT_ORIGIN_DNSBL_POINTS};
static const mxw_fact_id_t iprev_facts[] = {
	MXW__FACT_IPREV_DNSBL, MXW__FACT_IPREV_DNSBL_RESULT, MXW__FACT_IPREV_DNSBL_POINTS};
static const mxw_fact_id_t helo_facts[] = {
	MXW__FACT_HELO_DNSBL, MXW__FACT_HELO_DNSBL_RESULT, MXW__FACT_HELO_DNSBL_POINTS};
static const mxw_fact_id_t sender_facts[] = {
	MXW__FACT_SENDER_DNSBL, MXW__FACT_SENDER_DNSBL_RESULT, MXW__FACT_SENDER_DNSBL_POINTS};
enum { FACTS = 3 };

/* ---- one list ---- */

static void complain(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list, const char *what)
{
	char key[128], line[512];

	snprintf(key, sizeof key, "dnsbl:%s:%.20s", list->name, what);
	snprintf(line, sizeof line, "event=dnsbl list=%s zone=%s text=\"%s\"", list->name, list->zone, what);
	ctx->warn(ctx->warn_ctx, key, line);
}

static mxw_dns_answer_t *ask(const struct mxw__check_ctx *ctx, const char *name)
{
	return mxw_resolver_ask(ctx->resolver, name, MXW_DNS_A, ctx->deadline_ms, ctx->budget);
}

/* What is over a budget was not asked, and says nothing of the list. */
static void note_health(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list, const char *name,
			const mxw_dns_answer_t *answer)
{
	bool is_answered = answer->outcome == MXW_FOUND || answer->outcome == MXW_NOT_FOUND;

	if (is_answered || !answer->is_over_budget)
		mxw__dnsbl_health_note(ctx->dnsbl_health, list, name, is_answered);
}

/* Waits for the answers only where they matter: a client that is not listed is not, whatever the list is worth. */
static mxw__dnsbl_state_t test(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list, bool may_wait)
{
	char present[MXW__DNSBL_NAME_MAX], absent[MXW__DNSBL_NAME_MAX];
	const char *why;

	if (!list->check_test_points)
		return MXW__DNSBL_SOUND;
	mxw__dnsbl_test_name(list, true, present);
	mxw__dnsbl_test_name(list, false, absent);
	mxw_dns_answer_t *has = may_wait ? ask(ctx, present) : mxw_resolver_peek(ctx->resolver, present, MXW_DNS_A);
	mxw_dns_answer_t *lacks = may_wait ? ask(ctx, absent) : mxw_resolver_peek(ctx->resolver, absent, MXW_DNS_A);
	mxw__dnsbl_state_t state = mxw__dnsbl_test(list, has, lacks, &why);
	mxw_dns_answer_unref(has);
	mxw_dns_answer_unref(lacks);
	if (state == MXW__DNSBL_SICK)
		mxw__dnsbl_health_set(ctx->dnsbl_health, list, state, why);
	return state;
}

static struct mxw__dnsbl_finding look_up(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list,
					 const struct mxw__dnsbl_subject *subject)
{
	struct mxw__dnsbl_finding nothing = {.listing = MXW__DNSBL_NOT_LISTED};
	char name[MXW__DNSBL_NAME_MAX];

	if (!mxw__dnsbl_name(list, subject, name))
		return nothing;
	mxw_dns_answer_t *answer = ask(ctx, name);
	struct mxw__dnsbl_finding finding = mxw__dnsbl_judge(list, answer);
	note_health(ctx, list, name, answer);
	mxw_dns_answer_unref(answer);
	if (finding.trouble)
		complain(ctx, list, finding.trouble);
	mxw__dnsbl_state_t state = test(ctx, list, finding.listing == MXW__DNSBL_LISTED);
	if (state == MXW__DNSBL_SICK)
		return nothing;
	if (finding.listing == MXW__DNSBL_LISTED && state != MXW__DNSBL_SOUND)
		finding.listing = MXW__DNSBL_UNKNOWN;
	return finding;
}

/* ---- all lists ---- */

static bool has_kind(const struct mxw__dnsbl_conf *list, const struct mxw__dnsbl_subject *subject)
{
	return (list->kind == MXW__DNSBL_OF_DOMAINS) == (subject->domain != NULL) && mxw__dnsbl_has_subject(list, subject);
}

/* Asked for, and not waited for. Lists that are set aside are not. */
static void gather_lists(struct mxw__check_ctx *ctx, const struct mxw__dnsbl_subject *subject, struct mxw__gather *gather)
{
	char name[MXW__DNSBL_NAME_MAX];

	for (size_t i = 0; i < ctx->conf->ndnsbls; i++) {
		const struct mxw__dnsbl_conf *list = &ctx->conf->dnsbls[i];
		if (!has_kind(list, subject) || !mxw__dnsbl_name(list, subject, name))
			continue;
		mxw__dnsbl_state_t state = mxw__dnsbl_health_of(ctx->dnsbl_health, list);
		if (state == MXW__DNSBL_AWAY)
			mxw__dnsbl_health_skip(ctx->dnsbl_health, list, name);
		if (state == MXW__DNSBL_SICK || state == MXW__DNSBL_AWAY)
			continue;
		mxw_dns_answer_unref(mxw__gather_ask(gather, name, MXW_DNS_A));
		for (int present = 0; present < 2 && list->check_test_points; present++) {
			mxw__dnsbl_test_name(list, present, name);
			mxw_resolver_prefetch(ctx->resolver, name, MXW_DNS_A, ctx->budget);
		}
	}
}

static void state_results(mxw_facts_t *facts, mxw_fact_id_t fact, const struct mxw__dnsbl_conf *list,
			  const struct mxw__dnsbl_finding *finding)
{
	for (size_t i = 0; i < list->nresults; i++) {
		if (finding->listing == MXW__DNSBL_UNKNOWN)
			mxw_facts_set_unavailable(facts, fact, list->results[i].value);
		else if (finding->results >> i & 1)
			mxw_facts_set(facts, fact, list->results[i].value);
	}
}

static struct mxw__dnsbl_finding find(const struct mxw__check_ctx *ctx, const struct mxw__dnsbl_conf *list,
				      const struct mxw__dnsbl_subject *subject, bool *is_sum_unknown)
{
	struct mxw__dnsbl_finding finding = {.listing = MXW__DNSBL_NOT_LISTED};
	mxw__dnsbl_state_t state = mxw__dnsbl_health_of(ctx->dnsbl_health, list);

	if (state == MXW__DNSBL_AWAY)
		finding.listing = MXW__DNSBL_UNKNOWN;
	else if (state != MXW__DNSBL_SICK)
		finding = look_up(ctx, list, subject);
	bool is_missing = finding.listing == MXW__DNSBL_UNKNOWN || state == MXW__DNSBL_SICK ||
			  mxw__dnsbl_health_of(ctx->dnsbl_health, list) == MXW__DNSBL_SICK;
	*is_sum_unknown |= is_missing && list->least_points < 0;
	return finding;
}

/* Below 0 there is nothing: a sum that could only be lowered is 0 whatever is missing. */
static void state_sum(mxw_facts_t *facts, mxw_fact_id_t fact, int sum, bool is_unknown)
{
	if (is_unknown && sum > 0)
		mxw_facts_set_unavailable(facts, fact, NULL);
	else
		mxw_facts_set_number(facts, fact, sum > 0 ? (uint64_t)sum : 0);
}

/* Those that have it first: a reply shows the first. */
static void state(struct mxw__check_ctx *ctx, const struct mxw__dnsbl_subject *subject, const mxw_fact_id_t facts[FACTS])
{
	const struct stated stated = {facts[0], facts[1], facts[2]};
	struct mxw__dnsbl_finding findings[MXW__DNSBLS_MAX] = {{0}};
	bool is_sum_unknown = false;
	int sum = 0;

	for (size_t i = 0; i < ctx->conf->ndnsbls; i++) {
		const struct mxw__dnsbl_conf *list = &ctx->conf->dnsbls[i];
		if (!has_kind(list, subject))
			continue;
		findings[i] = find(ctx, list, subject, &is_sum_unknown);
		if (findings[i].listing != MXW__DNSBL_LISTED)
			continue;
		sum += findings[i].points;
		mxw_facts_set(ctx->facts, stated.lists, list->name);
		state_results(ctx->facts, stated.results, list, &findings[i]);
	}
	for (size_t i = 0; i < ctx->conf->ndnsbls; i++) {
		if (findings[i].listing != MXW__DNSBL_UNKNOWN)
			continue;
		mxw_facts_set_unavailable(ctx->facts, stated.lists, ctx->conf->dnsbls[i].name);
		state_results(ctx->facts, stated.results, &ctx->conf->dnsbls[i], &findings[i]);
	}
	state_sum(ctx->facts, stated.points, sum, is_sum_unknown);
}

static bool has_lists(const struct mxw_conf *conf, mxw__dnsbl_kind_t kind)
{
	for (size_t i = 0; i < conf->ndnsbls; i++)
		if (conf->dnsbls[i].kind == kind)
			return true;
	return false;
}

bool mxw__dnsbl_feeds_tracker(const struct mxw_conf *conf, mxw__dnsbl_kind_t kind)
{
	if (!conf->tracker.enabled || !conf->tracker.weights[MXW__EVENT_LISTED])
		return false;
	for (size_t i = 0; i < conf->ndnsbls; i++) {
		const struct mxw__dnsbl_conf *list = &conf->dnsbls[i];
		bool has_points = list->points > 0;
		for (size_t r = 0; r < list->nresults; r++)
			has_points |= list->results[r].points > 0;
		if (list->kind == kind && has_points)
			return true;
	}
	return false;
}

/* ---- the client ---- */

/* No list is asked that no rule goes by, unless it has points for the tracker. */
static bool client_is_enabled(const struct mxw_conf *conf)
{
	return has_lists(conf, MXW__DNSBL_OF_ADDRESSES) &&
	       (mxw__rules_name(conf, client_facts, FACTS) || mxw__dnsbl_feeds_tracker(conf, MXW__DNSBL_OF_ADDRESSES));
}

static void gather_client(struct mxw__check_ctx *ctx, MXW_UNUSED mxw_stage_t stage, struct mxw__gather *gather)
{
	struct mxw__dnsbl_subject subject = {.ip = ctx->env->client};

	if (ctx->env->client_class == MXW__CLIENT_OUTSIDE)
		gather_lists(ctx, &subject, gather);
}

static void run_client(struct mxw__check_ctx *ctx)
{
	struct mxw__dnsbl_subject subject = {.ip = ctx->env->client};

	if (ctx->env->client_class == MXW__CLIENT_OUTSIDE)
		state(ctx, &subject, client_facts);
}

/* ---- behind a relay ---- */

static bool origin_is_enabled(const struct mxw_conf *conf)
{
	return has_lists(conf, MXW__DNSBL_OF_ADDRESSES) && mxw__rules_name(conf, origin_facts, FACTS);
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
	struct mxw__dnsbl_subject subject = {.ip = origin(ctx->env)};

	if (stage == MXW_STAGE_EOM)
		gather_lists(ctx, &subject, gather);
}

static void run_origin(struct mxw__check_ctx *ctx)
{
	struct mxw__dnsbl_subject subject = {.ip = origin(ctx->env)};

	state(ctx, &subject, origin_facts);
}

/* ---- names ---- */

/* A stranger's that is not one of ours, in the form in which it is asked for; NULL: nobody's. */
static const char *foreign_name(const struct mxw__check_ctx *ctx, const char *name, char ret_name[MXW__DOMAIN_MAX + 1])
{
	if (ctx->env->client_class != MXW__CLIENT_OUTSIDE || !*name || *name == '[' ||
	    mxw__domain_to_ascii(name, strlen(name), ret_name) != MXW_OK || mxw__is_our_name(ctx, ret_name))
		return NULL;
	return ret_name;
}

/* Asks for a name, or, without `gather`, states what is found. */
static void go(struct mxw__check_ctx *ctx, const char *name, const mxw_fact_id_t facts[FACTS], struct mxw__gather *gather)
{
	char ascii[MXW__DOMAIN_MAX + 1];
	struct mxw__dnsbl_subject subject = {.domain = foreign_name(ctx, name, ascii)};

	if (!subject.domain)
		return;
	if (gather)
		gather_lists(ctx, &subject, gather);
	else
		state(ctx, &subject, facts);
}

static bool helo_is_enabled(const struct mxw_conf *conf)
{
	return has_lists(conf, MXW__DNSBL_OF_DOMAINS) &&
	       (mxw__rules_name(conf, helo_facts, FACTS) || mxw__dnsbl_feeds_tracker(conf, MXW__DNSBL_OF_DOMAINS));
}

static void gather_helo(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	if (stage >= MXW_STAGE_HELO)
		go(ctx, ctx->env->helo, helo_facts, gather);
}

static void run_helo(struct mxw__check_ctx *ctx)
{
	go(ctx, ctx->env->helo, helo_facts, NULL);
}

static bool iprev_is_enabled(const struct mxw_conf *conf)
{
	return has_lists(conf, MXW__DNSBL_OF_DOMAINS) &&
	       (mxw__rules_name(conf, iprev_facts, FACTS) || mxw__dnsbl_feeds_tracker(conf, MXW__DNSBL_OF_DOMAINS));
}

/* The name that the MTA has verified is the same most often, and known at once; what counts is the one that the check iprev confirms. */
static void gather_iprev(struct mxw__check_ctx *ctx, MXW_UNUSED mxw_stage_t stage, struct mxw__gather *gather)
{
	const char *confirmed = ctx->results->has_iprev ? ctx->results->iprev_name : ctx->env->client_name;

	go(ctx, confirmed, iprev_facts, gather);
}

/* Without an answer to who it is, none of the lists is known not to have it. */
static void run_iprev(struct mxw__check_ctx *ctx)
{
	if (ctx->results->has_iprev && ctx->results->iprev == MXW__IPREV_TEMPERROR && !*ctx->results->iprev_name) {
		for (size_t i = 0; i < FACTS; i++)
			mxw_facts_set_unavailable(ctx->facts, iprev_facts[i], NULL);
		return;
	}
	go(ctx, ctx->results->iprev_name, iprev_facts, NULL);
}

static bool sender_is_enabled(const struct mxw_conf *conf)
{
	return has_lists(conf, MXW__DNSBL_OF_DOMAINS) && mxw__rules_name(conf, sender_facts, FACTS);
}

/* Of whoever logs in it is no stranger's. */
static const char *sender_domain(const struct mxw__envelope *env)
{
	bool has_domain = mxw__is_stranger(env) && env->sender_is_valid && !env->sender.is_null && !env->sender.is_literal;

	return has_domain ? env->sender.domain : "";
}

static void gather_sender(struct mxw__check_ctx *ctx, mxw_stage_t stage, struct mxw__gather *gather)
{
	if (stage >= MXW_STAGE_MAIL)
		go(ctx, sender_domain(ctx->env), sender_facts, gather);
}

static void run_sender(struct mxw__check_ctx *ctx)
{
	go(ctx, sender_domain(ctx->env), sender_facts, NULL);
}

/* ---- the checks ---- */

const struct mxw__check mxw__check_client_dnsbl = {
	.name = "client-dnsbl",
	.stage = MXW_STAGE_CONNECT,
	.scope = MXW_SCOPE_SESSION,
	.is_lazy = true,
	.nfacts = FACTS,
	.facts = client_facts,
	.is_enabled = client_is_enabled,
	.gather = gather_client,
	.run = run_client,
};

static const struct mxw__check *const needs_iprev[] = {&mxw__check_iprev, NULL};

const struct mxw__check mxw__check_iprev_dnsbl = {
	.name = "iprev-dnsbl",
	.stage = MXW_STAGE_CONNECT,
	.scope = MXW_SCOPE_SESSION,
	.is_lazy = true,
	.nfacts = FACTS,
	.facts = iprev_facts,
	.needs = needs_iprev,
	.is_enabled = iprev_is_enabled,
	.gather = gather_iprev,
	.run = run_iprev,
};

const struct mxw__check mxw__check_helo_dnsbl = {
	.name = "helo-dnsbl",
	.stage = MXW_STAGE_HELO,
	.scope = MXW_SCOPE_SESSION,
	.is_lazy = true,
	.nfacts = FACTS,
	.facts = helo_facts,
	.is_enabled = helo_is_enabled,
	.gather = gather_helo,
	.run = run_helo,
};

const struct mxw__check mxw__check_sender_dnsbl = {
	.name = "sender-dnsbl",
	.stage = MXW_STAGE_MAIL,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = FACTS,
	.facts = sender_facts,
	.is_enabled = sender_is_enabled,
	.gather = gather_sender,
	.run = run_sender,
};

const struct mxw__check mxw__check_origin_dnsbl = {
	.name = "origin-dnsbl",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.is_lazy = true,
	.nfacts = FACTS,
	.facts = origin_facts,
	.is_enabled = origin_is_enabled,
	.gather = gather_origin,
	.run = run_origin,
};
