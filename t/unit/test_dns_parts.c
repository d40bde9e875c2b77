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
	cache = mxw__dns_cache_new(100, &fake.clock);
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
	ck_assert_uint_eq(mxw__dns_lifetime_s(lifetimes[_i].outcome, lifetimes[_i].ttl_s), lifetimes[_i].lifetime_s);
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

	cache = mxw__dns_cache_new(2000, &fake.clock);
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

static mxw__inflight_begin_t begin(mxw__inflight_t *inflight, const char *name, struct mxw_dns_budget *budget,
				   mxw__dns_question_t **ret_question)
{
	struct mxw__dns_key key = key_of(name, MXW_DNS_A);
	mxw_dns_answer_t *answer = NULL;
	mxw__inflight_begin_t result = mxw__inflight_begin(inflight, &key, budget, ret_question, &answer);

	mxw_dns_answer_unref(answer);
	return result;
}

START_TEST(a_question_is_begun_once_and_answered_for_all)
{
	mxw__inflight_t *inflight = mxw__inflight_new(10, 3000, cache, &fake.clock, &zone_hashkey);
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
	mxw__inflight_free(inflight);
}
END_TEST

START_TEST(a_question_that_was_lost_is_asked_anew)
{
	mxw__inflight_t *inflight = mxw__inflight_new(10, 3000, cache, &fake.clock, &zone_hashkey);
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
	mxw__inflight_free(inflight);
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
	mxw__inflight_t *inflight = mxw__inflight_new(80, 3000, cache, &fake.clock, &zone_hashkey);
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
	mxw__inflight_free(inflight);
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
	mxw_dns_answer_t *answer = mxw__unbound_answer(results[_i].error, results[_i].error ? NULL : &result);
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
	tcase_add_test(tcase, the_least_recently_used_goes_first);
	tcase_add_test(tcase, large_answers_count_for_what_they_are);
	tcase_add_test(tcase, a_newer_answer_takes_the_place_of_the_older);
	tcase_add_test(tcase, many_shards_keep_within_the_bound);
	tcase_add_test(tcase, a_question_is_begun_once_and_answered_for_all);
	tcase_add_test(tcase, a_question_that_was_lost_is_asked_anew);
	tcase_add_loop_test(tcase, each_zone_has_its_cap, 0, MXW_ARRAY_LEN(zones));
	tcase_add_loop_test(tcase, results_become_answers, 0, MXW_ARRAY_LEN(results));
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
