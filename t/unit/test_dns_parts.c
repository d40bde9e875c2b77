/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the resolver one by one, on a fake clock: cache, open questions, what libunbound's results mean. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>

#include "src/dns/dns.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/suite.h"

static const struct mxw__dns_lifetimes ceilings = {MXW__DNS_POSITIVE_MAX_S, MXW__DNS_NEGATIVE_MAX_S,
						   MXW__DNS_FAILURE_MAX_S};
static struct fake_clock fake;
static mxw__dns_cache_t *cache;

static int64_t now(void)
{
	return mxw__now_ms(&fake.clock);
}

/* Spread over shards and buckets as real hashes are. */
static struct mxw__dns_key key_of(const char *name, uint16_t type)
{
	static const struct mxw__hashkey hashkey = {1, 2};

	return (struct mxw__dns_key){name, type, mxw__hash(&hashkey, name, strlen(name)) + type};
}

static mxw_dns_answer_t *answer_of_size(size_t nbytes, uint32_t ttl_s)
{
	mxw_dns_answer_t *answer = mxw_dns_answer_new(MXW_NOT_FOUND, 0, 0, nbytes, NULL, NULL);

	ck_assert_ptr_nonnull(answer);
	answer->ttl_s = ttl_s;
	return answer;
}

static void put(const char *name, size_t nbytes, uint32_t ttl_s)
{
	struct mxw__dns_key key = key_of(name, MXW_DNS_A);
	mxw_dns_answer_t *answer = answer_of_size(nbytes, ttl_s);

	mxw__dns_cache_put(cache, &key, answer);
	mxw_dns_answer_unref(answer);
}

static bool has(const char *name, uint16_t type)
{
	struct mxw__dns_key key = key_of(name, type);
	mxw_dns_answer_t *answer = mxw__dns_cache_get(cache, &key);

	mxw_dns_answer_unref(answer);
	return answer != NULL;
}

static void setup(void)
{
	fake_clock_init(&fake);
	cache = mxw__dns_cache_new(100, &ceilings, &fake.clock);
	ck_assert_ptr_nonnull(cache);
}

static void teardown(void)
{
	mxw__dns_cache_free(cache);
}

/* ---- the cache ---- */

static const struct {
	mxw_outcome_t outcome;
	uint32_t ttl_s, lifetime_s;
} lifetimes[] = {
	{MXW_FOUND, 0, 1},        {MXW_FOUND, 60, 60},        {MXW_FOUND, UINT32_MAX, 3600},
	{MXW_NOT_FOUND, 0, 5},    {MXW_NOT_FOUND, 60, 60},    {MXW_NOT_FOUND, 86400, 900},
	{MXW_TEMPORARY, 0, 5},    {MXW_TEMPORARY, 20, 20},    {MXW_TEMPORARY, 3600, 30},
};

START_TEST(lifetimes_have_floors_and_ceilings)
{
	ck_assert_uint_eq(mxw__dns_lifetime_s(&ceilings, lifetimes[_i].outcome, lifetimes[_i].ttl_s), lifetimes[_i].lifetime_s);
}
END_TEST

START_TEST(an_entry_is_for_its_name_and_type_and_time)
{
	put("a.example", 10, 60);
	ck_assert(has("a.example", MXW_DNS_A));
	ck_assert(!has("a.example", MXW_DNS_MX));
	ck_assert(!has("b.example", MXW_DNS_A));
	fake_clock_advance(&fake, 59999);
	ck_assert(has("a.example", MXW_DNS_A));
	fake_clock_advance(&fake, 1);
	ck_assert(!has("a.example", MXW_DNS_A));
	ck_assert_uint_eq(mxw__dns_cache_count(cache), 0);
}
END_TEST

static void put_failure(const char *name)
{
	struct mxw__dns_key key = key_of(name, MXW_DNS_A);
	mxw_dns_answer_t *answer = mxw__dns_answer_empty(MXW_TEMPORARY, 2, MXW__DNS_FAILURE_MIN_S);

	mxw__dns_cache_put(cache, &key, answer);
	mxw_dns_answer_unref(answer);
}

START_TEST(what_keeps_failing_is_asked_less_often)
{
	static const int kept_s[] = {5, 10, 20, 30, 30};

	for (size_t i = 0; i < MXW_ARRAY_LEN(kept_s); i++) {
		put_failure("a.example");
		fake_clock_advance(&fake, kept_s[i] * 1000 - 1);
		ck_assert_msg(has("a.example", MXW_DNS_A), "%d s", kept_s[i]);
		fake_clock_advance(&fake, 1);
		ck_assert_msg(!has("a.example", MXW_DNS_A), "%d s", kept_s[i]);
	}
	/* Long after, or after an answer, it is a first failure again. */
	fake_clock_advance(&fake, 30001);
	put_failure("a.example");
	fake_clock_advance(&fake, 5000);
	ck_assert(!has("a.example", MXW_DNS_A));
	put_failure("a.example");
	put("a.example", 10, 60);
	put_failure("a.example");
	fake_clock_advance(&fake, 5000);
	ck_assert(!has("a.example", MXW_DNS_A));
}
END_TEST

START_TEST(ceilings_can_be_set)
{
	static const struct mxw__dns_lifetimes set = {86400, 10, 2};

	ck_assert_uint_eq(mxw__dns_lifetime_s(&set, MXW_FOUND, UINT32_MAX), 86400);
	ck_assert_uint_eq(mxw__dns_lifetime_s(&set, MXW_NOT_FOUND, 60), 10);
	/* A floor is the stronger. */
	ck_assert_uint_eq(mxw__dns_lifetime_s(&set, MXW_TEMPORARY, 60), 5);
}
END_TEST

START_TEST(the_least_recently_used_goes_first)
{
	char name[32];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		put(name, 10, 60);
	}
	ck_assert(has("n0.example", MXW_DNS_A));
	put("new.example", 10, 60);
	ck_assert_uint_eq(mxw__dns_cache_count(cache), 100);
	ck_assert(has("n0.example", MXW_DNS_A));
	ck_assert(!has("n1.example", MXW_DNS_A));
	ck_assert(has("n2.example", MXW_DNS_A));
	ck_assert(has("new.example", MXW_DNS_A));
}
END_TEST

START_TEST(large_answers_count_for_what_they_are)
{
	char name[32];

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		put(name, 20000, 60);
	}
	/* 100 entries of 1 KB are room for five of these. */
	ck_assert_uint_le(mxw__dns_cache_count(cache), 5);
	ck_assert_uint_ge(mxw__dns_cache_count(cache), 4);
	ck_assert(has("n49.example", MXW_DNS_A));
	/* What would throw out everything else is not kept at all. */
	put("huge.example", 60000, 60);
	ck_assert(!has("huge.example", MXW_DNS_A));
	ck_assert(has("n49.example", MXW_DNS_A));
}
END_TEST

START_TEST(a_newer_answer_takes_the_place_of_the_older)
{
	struct mxw__dns_key key = key_of("a.example", MXW_DNS_A);

	put("a.example", 10, 60);
	put("a.example", 10, 120);
	ck_assert_uint_eq(mxw__dns_cache_count(cache), 1);
	mxw_dns_answer_t *answer = mxw__dns_cache_get(cache, &key);
	ck_assert_uint_eq(answer->ttl_s, 120);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(many_shards_keep_within_the_bound)
{
	char name[32];
	mxw__dns_cache_t *small = cache;

	cache = mxw__dns_cache_new(2000, &ceilings, &fake.clock);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		put(name, 10, 60);
	}
	ck_assert_uint_le(mxw__dns_cache_count(cache), 2000);
	ck_assert_uint_ge(mxw__dns_cache_count(cache), 1900);
	mxw__dns_cache_free(cache);
	cache = small;
}
END_TEST

/* ---- open questions ---- */

static const struct mxw__hashkey zone_hashkey = {3, 4};

static mxw__dns_budgets_t *budgets;

static mxw__inflight_t *make_inflight(unsigned max_open)
{
	budgets = mxw__dns_budgets_new(&(struct mxw__dns_budgets_options){0}, &zone_hashkey);
	return mxw__inflight_new(&(struct mxw__inflight_options){
		.max_open = max_open, .timeout_ms = 3000, .lifetimes = ceilings, .cache = cache, .budgets = budgets,
		.clock = &fake.clock, .hashkey = zone_hashkey});
}

static void free_inflight(mxw__inflight_t *inflight)
{
	mxw__inflight_free(inflight);
	mxw__dns_budgets_free(budgets);
}

static mxw__inflight_begin_t begin(mxw__inflight_t *inflight, const char *name, struct mxw_dns_budget *budget,
				   mxw__dns_question_t **ret_question)
{
	struct mxw__dns_key key = key_of(name, MXW_DNS_A);
	mxw_dns_answer_t *answer = NULL;
	mxw__dns_refusal_t why;
	mxw__inflight_begin_t result = mxw__inflight_begin(inflight, &key, budget, ret_question, &answer, &why);

	mxw_dns_answer_unref(answer);
	return result;
}

START_TEST(a_question_is_begun_once_and_answered_for_all)
{
	mxw__inflight_t *inflight = make_inflight(10);
	struct mxw_dns_budget budget = {.limit = 1};
	mxw__dns_question_t *first, *second, *third;

	ck_assert_int_eq(begin(inflight, "a.example", &budget, &first), MXW__BEGIN_NEW);
	ck_assert_int_eq(begin(inflight, "a.example", &budget, &second), MXW__BEGIN_JOINED);
	ck_assert_ptr_eq(first, second);
	ck_assert_int_eq(begin(inflight, "b.example", &budget, &third), MXW__BEGIN_REFUSED);
	ck_assert_uint_eq(budget.asked, 1);
	ck_assert_uint_eq(mxw__inflight_open(inflight), 1);
	mxw__inflight_leave(second);
	mxw__inflight_pending(first)->done(mxw__inflight_pending(first), answer_of_size(1, 60));
	ck_assert_uint_eq(mxw__inflight_open(inflight), 0);
	mxw_dns_answer_t *answer = mxw__inflight_wait(first, now() + 1);
	ck_assert_int_eq(answer->outcome, MXW_NOT_FOUND);
	mxw_dns_answer_unref(answer);
	ck_assert_int_eq(begin(inflight, "a.example", &budget, &third), MXW__BEGIN_CACHED);
	free_inflight(inflight);
}
END_TEST

START_TEST(a_question_that_was_lost_is_asked_anew)
{
	mxw__inflight_t *inflight = make_inflight(10);
	mxw__dns_question_t *lost, *again;

	ck_assert_int_eq(begin(inflight, "a.example", NULL, &lost), MXW__BEGIN_NEW);
	mxw__inflight_leave(lost);
	fake_clock_advance(&fake, 60000);
	ck_assert_int_eq(begin(inflight, "a.example", NULL, &again), MXW__BEGIN_JOINED);
	/* Too old to be waited for. */
	ck_assert_ptr_null(mxw__inflight_wait(again, now() + 1000));
	fake_clock_advance(&fake, 120000);
	ck_assert_int_eq(begin(inflight, "a.example", NULL, &again), MXW__BEGIN_NEW);
	ck_assert_ptr_ne(lost, again);
	ck_assert_uint_eq(mxw__inflight_open(inflight), 2);
	/* Should it be answered after all, nobody is hurt. */
	mxw__inflight_finish(lost, answer_of_size(1, 1));
	ck_assert_uint_eq(mxw__inflight_open(inflight), 1);
	mxw__inflight_leave(again);
	free_inflight(inflight);
}
END_TEST

static const struct {
	const char *what, *before, *after; /* around the number of the question */
	unsigned begun;             /* of 60, with room for 80 in all and 20 for a zone */
} zones[] = {
	{"one domain", "n", ".a.b.example.org", 20},
	{"a domain each", "www.n", ".org", 60},
	{"one /16 reverse", "", ".7.2.10.in-addr.arpa", 20},
	{"a /16 reverse each", "1.2.", ".10.in-addr.arpa", 60},
	{"one /32 of IPv6", "", ".0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", 20},
};

START_TEST(each_zone_has_its_cap)
{
	mxw__inflight_t *inflight = make_inflight(80);
	mxw__dns_question_t *question;
	char name[100];
	unsigned begun = 0;

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "%s%d%s", zones[_i].before, i, zones[_i].after);
		if (begin(inflight, name, NULL, &question) != MXW__BEGIN_NEW)
			continue;
		begun++;
		mxw__inflight_leave(question);
	}
	ck_assert_msg(begun == zones[_i].begun, "%s: %u", zones[_i].what, begun);
	free_inflight(inflight);
}
END_TEST

/* ---- budgets ---- */

static const struct {
	const char *name, *zone;
} zone_names[] = {
	{"www.example.com", "example.com"},
	{"a.b.c.d.example.com", "example.com"},
	{"example.com", "example.com"},
	{"sel._domainkey.example.co.uk", "example.co.uk"},
	{"_dmarc.co.uk", "_dmarc.co.uk"},
	{"co.uk", "co.uk"},
	{"com", "com"},
	{"", ""},
	{"www.n5", "www.n5"},
	{"a.www.n5", "www.n5"},
	{"a.someone.ddns.net", "ddns.net"}, /* one operator's servers, whoever has the names */
	{"www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"},
	{"4.3.2.10.in-addr.arpa", "2.10.in-addr.arpa"},
	{"10.in-addr.arpa", "10.in-addr.arpa"},
	{"f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.8.b.d.0.1.0.0.2.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"},
	{"a\\046b.example.com", "example.com"},
};

START_TEST(a_zone_is_what_one_operator_answers_for)
{
	ck_assert_str_eq(mxw__dns_zone(zone_names[_i].name), zone_names[_i].zone);
}
END_TEST

static mxw__dns_budgets_t *make_budgets(unsigned zone_rate, unsigned zone_burst, unsigned client_rate, unsigned client_burst)
{
	static const char *const unlimited[] = {"DNSBL.example.", "no..name"};

	mxw__dns_budgets_t *made = mxw__dns_budgets_new(&(struct mxw__dns_budgets_options){
		.zone = {zone_rate, zone_burst}, .client = {client_rate, client_burst}, .unlimited = unlimited,
		.nunlimited = MXW_ARRAY_LEN(unlimited)}, &zone_hashkey);
	ck_assert_ptr_nonnull(made);
	return made;
}

static mxw__dns_refusal_t charge(mxw__dns_budgets_t *all, const char *name, const char *client)
{
	const char *zone = mxw__dns_zone(name);
	struct mxw_ip ip = {0};

	if (client)
		ck_assert_int_eq(mxw_ip_parse(client, &ip), MXW_OK);
	return mxw__dns_budgets_take(all, name, mxw__hash(&zone_hashkey, zone, strlen(zone)), &ip, now());
}

/* How many of `n` questions are allowed now. Their numbers stand for a '#' in `name` and `client`. */
static unsigned allowed(mxw__dns_budgets_t *all, unsigned n, const char *name, const char *client)
{
	char name_text[128], client_text[128];
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++) {
		const char *at = strchr(name, '#'), *client_at = client ? strchr(client, '#') : NULL;
		snprintf(name_text, sizeof(name_text), at ? "%.*s%u%s" : "%.*s", at ? (int)(at - name) : 127, name, i,
			 at ? at + 1 : "");
		if (client)
			snprintf(client_text, sizeof(client_text), client_at ? "%.*s%x%s" : "%.*s",
				 client_at ? (int)(client_at - client) : 127, client, i, client_at ? client_at + 1 : "");
		sum += charge(all, name_text, client ? client_text : NULL) == MXW__REFUSED_NOT;
	}
	return sum;
}

static const struct {
	const char *what, *name, *client;
	unsigned at_once, after_a_second; /* of 1000, with 100 and then 10 for a zone, 200 and then 20 for a client */
} shares[] = {
	{"names of one zone", "n#.flood.example.com", NULL, 100, 10},
	{"one name", "example.com", NULL, 100, 10},
	{"zones below a registry's suffix", "www.n#.co.uk", NULL, 1000, 1000},
	{"a client and many zones", "www.n#.co.uk", "192.0.2.1", 200, 20},
	{"clients", "www.n#.co.uk", "2001:db8:#::1", 1000, 1000},
	{"addresses of one /64", "www.n#.co.uk", "2001:db8::#:1", 200, 20},
	{"a client and one zone", "n#.example.com", "192.0.2.1", 100, 10},
	{"many clients and one zone", "n#.example.com", "2001:db8:#::1", 100, 10},
	{"an unlimited zone", "n#.dnsbl.example", NULL, 1000, 1000},
	{"an unlimited zone and one client", "n#.dnsbl.example", "192.0.2.1", 200, 20},
	{"beside an unlimited zone", "n#.xdnsbl.example", NULL, 100, 10},
};

START_TEST(rates_hold_for_clients_and_zones)
{
	mxw__dns_budgets_t *all = make_budgets(10, 100, 20, 200);

	ck_assert_uint_eq(allowed(all, 1000, shares[_i].name, shares[_i].client), shares[_i].at_once);
	fake_clock_advance(&fake, 1000);
	ck_assert_uint_eq(allowed(all, 1000, shares[_i].name, shares[_i].client), shares[_i].after_a_second);
	/* No more than the burst, however long nothing was asked. */
	fake_clock_advance(&fake, 3600000);
	ck_assert_uint_eq(allowed(all, 1000, shares[_i].name, shares[_i].client), shares[_i].at_once);
	mxw__dns_budgets_free(all);
}
END_TEST

START_TEST(a_refused_question_costs_nothing)
{
	mxw__dns_budgets_t *all = make_budgets(10, 100, 20, 200);

	ck_assert_uint_eq(allowed(all, 10000, "n#.example.com", "192.0.2.1"), 100);
	/* The zone was empty, not the client: its other half is still there, and then it is the client's turn. */
	ck_assert_int_eq(charge(all, "x.example.com", "192.0.2.1"), MXW__REFUSED_ZONE);
	ck_assert_uint_eq(allowed(all, 1000, "www.n#.co.uk", "192.0.2.1"), 100);
	ck_assert_int_eq(charge(all, "www.example.org", "192.0.2.1"), MXW__REFUSED_CLIENT);
	ck_assert_uint_eq(allowed(all, 1000, "n#.example.org", NULL), 100);
	mxw__dns_budgets_free(all);
}
END_TEST

START_TEST(a_rate_of_nothing_is_no_limit)
{
	mxw__dns_budgets_t *all = make_budgets(0, 0, 0, 0);

	ck_assert_uint_eq(allowed(all, 10000, "n#.example.com", "192.0.2.1"), 10000);
	mxw__dns_budgets_free(all);
	all = make_budgets(1, 0, 0, 0);
	ck_assert_uint_eq(allowed(all, 10000, "n#.example.com", "192.0.2.1"), 1);
	mxw__dns_budgets_free(all);
}
END_TEST

START_TEST(zones_beside_floods_have_their_tokens)
{
	mxw__dns_budgets_t *all = make_budgets(10, 20, 0, 0);
	char name[64];

	for (unsigned zone = 0; zone < 200; zone++) {
		snprintf(name, sizeof(name), "n#.flood%u.example", zone);
		allowed(all, 1000, name, NULL);
	}
	/* Of 8192 places 200 are taken in each of two rows: one zone in 1700 shares both. */
	ck_assert_uint_ge(allowed(all, 1000, "www.n#.com", NULL), 990);
	mxw__dns_budgets_free(all);
}
END_TEST

static char noticed[2000];
static unsigned nnoticed;

static void on_notice(void *ctx, const char *text)
{
	snprintf(noticed, sizeof(noticed), "%s", text);
	nnoticed++;
}

START_TEST(what_is_over_is_told_once_a_minute)
{
	mxw__dns_budgets_t *all = mxw__dns_budgets_new(&(struct mxw__dns_budgets_options){
		.zone = {50, 500}, .client = {100, 1000}, .notice = on_notice}, &zone_hashkey);
	struct mxw_ip client;

	nnoticed = 0;
	ck_assert_int_eq(mxw_ip_parse("2001:db8::1", &client), MXW_OK);
	for (int i = 0; i < 100; i++)
		mxw__dns_budgets_note(all, MXW__REFUSED_ZONE, "n.flood.example.com", &client, now());
	ck_assert_uint_eq(nnoticed, 1);
	ck_assert_ptr_nonnull(strstr(noticed, "zone example.com: over its budget of 50 "));
	fake_clock_advance(&fake, 60000);
	mxw__dns_budgets_note(all, MXW__REFUSED_ZONE, "n.flood.example.com", NULL, now());
	ck_assert_uint_eq(nnoticed, 2);
	ck_assert_ptr_nonnull(strstr(noticed, "100 were not asked"));
	mxw__dns_budgets_note(all, MXW__REFUSED_CLIENT, "n.flood.example.com", &client, now());
	ck_assert_ptr_nonnull(strstr(noticed, "client 2001:db8::1: over its budget of 100 "));
	mxw__dns_budgets_note(all, MXW__REFUSED_CAP, "n.flood.example.com", &client, now());
	ck_assert_ptr_nonnull(strstr(noticed, "unanswered"));
	mxw__dns_budgets_note(all, MXW__REFUSED_SESSION, "n.flood.example.com", &client, now());
	ck_assert_uint_eq(nnoticed, 4);
	ck_assert_uint_eq(mxw__dns_budgets_refused(all, MXW__REFUSED_ZONE), 101);
	ck_assert_uint_eq(mxw__dns_budgets_refused(all, MXW__REFUSED_SESSION), 1);
	mxw__dns_budgets_free(all);
}
END_TEST

/* ---- libunbound's results ---- */

static char address[] = "\300\0\2\1";

static const struct {
	const char *what;
	int error;
	struct ub_result result;
	bool has_data;
	mxw_outcome_t outcome;
	int rcode;
	bool is_secure, is_bogus;
	uint32_t ttl_s;
} results[] = {
	{"data", 0, {.havedata = 1, .ttl = 60}, true, MXW_FOUND, 0, false, false, 60},
	{"secure data", 0, {.havedata = 1, .ttl = 60, .secure = 1}, true, MXW_FOUND, 0, true, false, 60},
	{"bogus with data", 0, {.havedata = 1, .ttl = 60, .bogus = 1}, true, MXW_TEMPORARY, 2, false, true, 5},
	{"bogus without", 0, {.rcode = 2, .bogus = 1}, false, MXW_TEMPORARY, 2, false, true, 5},
	{"no data", 0, {.ttl = 30}, false, MXW_NOT_FOUND, 0, false, false, 30},
	{"no name", 0, {.rcode = 3, .nxdomain = 1, .ttl = 30, .secure = 1}, false, MXW_NOT_FOUND, 3, true, false, 30},
	{"server failure", 0, {.rcode = 2}, false, MXW_TEMPORARY, 2, false, false, 5},
	{"refused", 0, {.rcode = 5}, false, MXW_TEMPORARY, 2, false, false, 5},
	{"negative ttl", 0, {.havedata = 1, .ttl = -1}, true, MXW_FOUND, 0, false, false, 1},
	{"error", UB_SERVFAIL, {0}, false, MXW_TEMPORARY, 2, false, false, 5},
};

START_TEST(results_become_answers)
{
	char *data[2] = {results[_i].has_data ? address : NULL, NULL};
	int len[2] = {4, 0};
	struct ub_result result = results[_i].result;

	result.data = data;
	result.len = len;
	result.qtype = MXW_DNS_A;
	mxw_dns_answer_t *answer = mxw__unbound_answer(results[_i].error, results[_i].error ? NULL : &result, &ceilings);
	ck_assert_msg(answer->outcome == results[_i].outcome, "%s", results[_i].what);
	ck_assert_int_eq(answer->rcode, results[_i].rcode);
	ck_assert_int_eq(answer->is_secure, results[_i].is_secure);
	ck_assert_int_eq(answer->is_bogus, results[_i].is_bogus);
	ck_assert_uint_eq(answer->ttl_s, results[_i].ttl_s);
	mxw_dns_answer_unref(answer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_parts");
	TCase *tcase = tcase_create("parts");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, lifetimes_have_floors_and_ceilings, 0, MXW_ARRAY_LEN(lifetimes));
	tcase_add_test(tcase, an_entry_is_for_its_name_and_type_and_time);
	tcase_add_test(tcase, what_keeps_failing_is_asked_less_often);
	tcase_add_test(tcase, ceilings_can_be_set);
	tcase_add_test(tcase, the_least_recently_used_goes_first);
	tcase_add_test(tcase, large_answers_count_for_what_they_are);
	tcase_add_test(tcase, a_newer_answer_takes_the_place_of_the_older);
	tcase_add_test(tcase, many_shards_keep_within_the_bound);
	tcase_add_test(tcase, a_question_is_begun_once_and_answered_for_all);
	tcase_add_test(tcase, a_question_that_was_lost_is_asked_anew);
	tcase_add_loop_test(tcase, each_zone_has_its_cap, 0, MXW_ARRAY_LEN(zones));
	tcase_add_loop_test(tcase, a_zone_is_what_one_operator_answers_for, 0, MXW_ARRAY_LEN(zone_names));
	tcase_add_loop_test(tcase, rates_hold_for_clients_and_zones, 0, MXW_ARRAY_LEN(shares));
	tcase_add_test(tcase, a_refused_question_costs_nothing);
	tcase_add_test(tcase, a_rate_of_nothing_is_no_limit);
	tcase_add_test(tcase, zones_beside_floods_have_their_tokens);
	tcase_add_test(tcase, what_is_over_is_told_once_a_minute);
	tcase_add_loop_test(tcase, results_become_answers, 0, MXW_ARRAY_LEN(results));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
