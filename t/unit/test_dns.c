/* SPDX-License-Identifier: BSD-2-Clause */
/* The resolver on libunbound, forwarding to a DNS server of the test's own on 127.0.0.1. */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/base/base.h"
#include "t/fakes/dnsd.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/lateness.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

/* Generous where an answer is expected: the machine may be busy. */
enum { LONG_MS = 20000, SLACK_MS = 200, DEAD = 2000, GOOD = 50 };
/* A busy machine may be late now and then, but not each time. */
enum { TRIES = 4 };

#define S240 \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" \
	"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static const char zone[] =
	"$ORIGIN example.\n"
	"$TTL 60\n"
	"www A 192.0.2.1\n"
	"www A 192.0.2.2\n"
	"www AAAA 2001:db8::1\n"
	"@ MX 10 Mail\n"
	"@ MX 0 .\n"
	"@ NS ns\n"
	"@ SOA ns host 1 2 3 4 5\n"
	"txt TXT \"v=spf1 \" \"-all\"\n"
	"nul TXT \"a\\000b\"\n"
	"big TXT " S240 " " S240 " " S240 " " S240 " " S240 " " S240 " " S240 " " S240 " " S240 " " S240 " " S240 " " S240
	" end\n"
	"alias1 CNAME alias2\n"
	"alias2 CNAME www\n"
	"dangling CNAME nosuch\n"
	"strange PTR a\\.b\\200\n"
	"slow A 192.0.2.3\n"
	"slow A !delay=300ms\n"
	"*.slow A 192.0.2.3\n"
	"*.slow A !delay=300ms\n"
	"tc TXT \"over tcp\"\n"
	"tc TXT !truncate\n"
	"sick A !servfail\n"
	"shut A !refuse\n"
	"loop A !loop\n"
	"cut A 192.0.2.4\n"
	"cut A !cut\n"
	"junk A 192.0.2.5\n"
	"junk A !junk\n"
	"dead A !drop\n"
	"*.dead ANY !drop\n"
	"*.dead.other. ANY !drop\n"
	"*.good A 192.0.2.6\n"
	"*.x.test. A 192.0.2.7\n"
	"1.2.0.10.in-addr.arpa. PTR inside.example.\n";

static dnsd_t *server;
static mxw_resolver_t *resolver;

static int64_t now(void)
{
	return mxw__now_ms(mxw_clock_system());
}

static mxw_resolver_t *make_resolver(struct mxw_resolver_options options)
{
	const char *forward = dnsd_address(server);
	struct mxw_error err = {0};
	mxw_resolver_t *made = NULL;

	options.size = sizeof(options);
	/* Where a test says nothing of it, an answer is expected. */
	if (!options.timeout_ms)
		options.timeout_ms = LONG_MS;
	if (!options.local_only) {
		options.forward = &forward;
		options.nforward = 1;
	}
	ck_assert_msg(mxw_resolver_new(&options, &made, &err) == MXW_OK, "%s", err.text);
	return made;
}

static void setup(void)
{
	server = dnsd_start(zone);
	resolver = make_resolver((struct mxw_resolver_options){0});
}

static void teardown(void)
{
	mxw_resolver_unref(resolver);
	dnsd_stop(server);
}

static mxw_dns_answer_t *ask_within(const char *name, enum mxw_dns_type type, int64_t ms)
{
	return mxw_resolver_ask(resolver, name, type, now() + ms, NULL);
}

static mxw_dns_answer_t *ask(const char *name, enum mxw_dns_type type)
{
	return ask_within(name, type, LONG_MS);
}

/* Waits until nothing is open, so that what came late has arrived. */
static void wait_until_idle(void)
{
	struct mxw_resolver_stats stats = {.size = sizeof(stats)};
	int64_t give_up = now() + 60000;

	do {
		struct timespec pause = {0, 5000000};
		nanosleep(&pause, NULL);
		mxw_resolver_get_stats(resolver, &stats);
	} while (stats.open > 0 && now() < give_up);
	ck_assert_uint_eq(stats.open, 0);
}

static struct mxw_resolver_stats get_stats(void)
{
	struct mxw_resolver_stats stats = {.size = sizeof(stats)};

	mxw_resolver_get_stats(resolver, &stats);
	return stats;
}

/* ---- what is answered ---- */

static const struct {
	const char *name;
	enum mxw_dns_type type;
	mxw_outcome_t outcome;
	int rcode;
	size_t n;
} answers[] = {
	{"www.example", MXW_DNS_A, MXW_FOUND, 0, 2},
	{"WWW.Example.", MXW_DNS_AAAA, MXW_FOUND, 0, 1},
	{"example", MXW_DNS_MX, MXW_FOUND, 0, 2},
	{"example", MXW_DNS_NS, MXW_FOUND, 0, 1},
	{"example", MXW_DNS_SOA, MXW_FOUND, 0, 1},
	{"example", MXW_DNS_TXT, MXW_NOT_FOUND, 0, 0},
	{"nosuch.example", MXW_DNS_A, MXW_NOT_FOUND, 3, 0},
	{"alias1.example", MXW_DNS_A, MXW_FOUND, 0, 2},
	{"alias1.example", MXW_DNS_CNAME, MXW_FOUND, 0, 1},
	{"dangling.example", MXW_DNS_A, MXW_NOT_FOUND, 3, 0},
	{"tc.example", MXW_DNS_TXT, MXW_FOUND, 0, 1},
	{"sick.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"shut.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"loop.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"cut.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"junk.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"a..example", MXW_DNS_A, MXW_NOT_FOUND, 3, 0},
	{"a.x.test", MXW_DNS_A, MXW_FOUND, 0, 1},
	{"1.2.0.10.in-addr.arpa", MXW_DNS_PTR, MXW_FOUND, 0, 1},
};

START_TEST(each_outcome_is_told_from_the_others)
{
	mxw_dns_answer_t *answer = ask(answers[_i].name, answers[_i].type);

	ck_assert_msg(answer->outcome == answers[_i].outcome, "%s: %s", answers[_i].name,
		      mxw_outcome_name(answer->outcome));
	ck_assert_int_eq(answer->rcode, answers[_i].rcode);
	ck_assert_uint_eq(answer->nrecords, answers[_i].n);
	ck_assert(!answer->is_bogus && !answer->is_secure && !answer->is_over_budget);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(records_arrive_whole)
{
	mxw_dns_answer_t *answer = ask("txt.example", MXW_DNS_TXT);

	ck_assert_uint_eq(answer->records[0].len, 11);
	ck_assert_mem_eq(answer->records[0].data, "v=spf1 -all", 12);
	ck_assert_uint_eq(answer->ttl_s, 60);
	mxw_dns_answer_unref(answer);
	answer = ask("nul.example", MXW_DNS_TXT);
	ck_assert_uint_eq(answer->records[0].len, 3);
	ck_assert_mem_eq(answer->records[0].data, "a\0b", 3);
	mxw_dns_answer_unref(answer);
	answer = ask("big.example", MXW_DNS_TXT);
	ck_assert_uint_eq(answer->records[0].len, 12 * (sizeof(S240) - 1) + 3);
	ck_assert_str_eq((const char *)answer->records[0].data + 12 * (sizeof(S240) - 1), "end");
	mxw_dns_answer_unref(answer);
	answer = ask("example", MXW_DNS_MX);
	size_t null_mx = answer->records[0].preference == 0 ? 0 : 1;
	ck_assert_str_eq(answer->records[null_mx].name, "");
	ck_assert_str_eq(answer->records[1 - null_mx].name, "mail.example");
	ck_assert_uint_eq(answer->records[1 - null_mx].preference, 10);
	mxw_dns_answer_unref(answer);
	answer = ask("strange.example", MXW_DNS_PTR);
	ck_assert_str_eq(answer->records[0].name, "a\\046b\\200.example");
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(names_that_cannot_exist_are_not_asked)
{
	mxw_dns_answer_unref(ask("a..b", MXW_DNS_A));
	ck_assert_uint_eq(dnsd_queries(server, NULL, 0), 0);
	ck_assert_uint_eq(get_stats().sent, 0);
}
END_TEST

/* ---- asking once ---- */

static const char *const kept[] = {"www.example", "nosuch.example", "txt.example", "sick.example"};

START_TEST(answers_of_each_kind_are_kept)
{
	mxw_dns_answer_t *first = ask(kept[_i], MXW_DNS_A);
	unsigned queries = dnsd_queries(server, NULL, 0);
	mxw_dns_answer_t *second = ask_within(kept[_i], MXW_DNS_A, -1);

	ck_assert_uint_ge(queries, 1);
	ck_assert_ptr_eq(first, second);
	ck_assert_uint_eq(dnsd_queries(server, NULL, 0), queries);
	ck_assert_uint_eq(get_stats().cache_hits, 1);
	mxw_dns_answer_unref(first);
	mxw_dns_answer_unref(second);
}
END_TEST

static void *ask_slow(void *arg)
{
	mxw_dns_answer_t *answer = ask("slow.example", MXW_DNS_A);
	bool ok = answer->outcome == MXW_FOUND;

	mxw_dns_answer_unref(answer);
	return ok ? arg : NULL;
}

START_TEST(equal_questions_in_flight_are_asked_once)
{
	pthread_t threads[16];
	void *result;

	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_slow, server), 0);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &result);
		ck_assert_ptr_nonnull(result);
	}
	/* What is sent is handed to libunbound, which asks again should the server not come to answer for a while. */
	ck_assert_uint_ge(dnsd_queries(server, "slow.example", MXW_DNS_A), 1);
	struct mxw_resolver_stats stats = get_stats();
	ck_assert_uint_eq(stats.sent, 1);
	ck_assert_uint_eq(stats.asked, 16);
	ck_assert_uint_eq(stats.coalesced + stats.cache_hits, 15);
}
END_TEST

START_TEST(a_prefetch_hides_the_latency)
{
	mxw_resolver_prefetch(resolver, "slow.example", MXW_DNS_A, NULL);
	wait_until_idle();
	/* Who has no time left is not made to wait. */
	mxw_dns_answer_t *answer = ask_within("slow.example", MXW_DNS_A, -1);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	mxw_dns_answer_unref(answer);
	ck_assert_uint_eq(get_stats().sent, 1);
}
END_TEST

START_TEST(lifetimes_follow_the_resolvers_clock)
{
	struct fake_clock fake;
	static const struct {
		const char *name;
		int64_t ms;
	} rows[] = {{"www.example", 60000}, {"nosuch.example", 60000}, {"sick.example", 5000}};

	fake_clock_init(&fake);
	mxw_resolver_unref(resolver);
	resolver = make_resolver((struct mxw_resolver_options){.clock = &fake.clock});
	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		uint64_t sent = get_stats().sent;
		for (int round = 0; round < 3; round++) {
			int64_t deadline = mxw__now_ms(&fake.clock) + LONG_MS;
			mxw_dns_answer_unref(mxw_resolver_ask(resolver, rows[i].name, MXW_DNS_A, deadline, NULL));
			ck_assert_uint_eq(get_stats().sent, sent + (round == 2 ? 2 : 1));
			fake_clock_advance(&fake, round == 0 ? rows[i].ms - 1 : 1);
		}
	}
}
END_TEST

START_TEST(ceilings_of_lifetimes_can_be_set)
{
	static const struct {
		const char *name;
		uint32_t ttl_s;
	} rows[] = {{"www.example", 10}, {"nosuch.example", 7}, {"txt.example", 7}, {"sick.example", 5}};

	mxw_resolver_unref(resolver);
	resolver = make_resolver((struct mxw_resolver_options){.positive_max_s = 10, .negative_max_s = 7, .failure_max_s = 300});
	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		mxw_dns_answer_t *answer = ask(rows[i].name, MXW_DNS_A);
		ck_assert_msg(answer->ttl_s == rows[i].ttl_s, "%s: %u s", rows[i].name, answer->ttl_s);
		mxw_dns_answer_unref(answer);
	}
}
END_TEST

/* ---- time ---- */

START_TEST(a_silent_server_costs_no_more_than_the_deadline)
{
	int64_t took = INT64_MAX;
	unsigned tries = 0;
	char name[64];

	while (took > 300 + SLACK_MS && tries < TRIES) {
		snprintf(name, sizeof(name), "n%u.dead.example", tries++);
		int64_t start = now();
		mxw_dns_answer_t *answer = ask_within(name, MXW_DNS_A, 300);
		took = now() - start;
		ck_assert_int_eq(answer->outcome, MXW_TEMPORARY);
		mxw_dns_answer_unref(answer);
	}
	ck_assert_int_ge(took, 299);
	ck_assert_int_le(took, 300 + SLACK_MS);
	ck_assert_uint_eq(get_stats().timeouts, tries);
}
END_TEST

/* How long a look-up with much time takes to fail. */
static int64_t time_of_none(const char *name)
{
	int64_t start = now();
	mxw_dns_answer_t *answer = ask_within(name, MXW_DNS_A, 60000);

	ck_assert_int_eq(answer->outcome, MXW_TEMPORARY);
	mxw_dns_answer_unref(answer);
	return now() - start;
}

START_TEST(nobody_waits_beyond_the_resolvers_timeout)
{
	mxw_resolver_unref(resolver);
	resolver = make_resolver((struct mxw_resolver_options){.timeout_ms = 300});
	bool is_in_time = false;
	unsigned tries = 0;
	char name[64];
	while (!is_in_time && tries < TRIES) {
		snprintf(name, sizeof(name), "n%u.dead.example", tries++);
		/* The second joins what is too old already. */
		int64_t first = time_of_none(name), second = time_of_none(name);
		is_in_time = first <= 300 + SLACK_MS && second <= SLACK_MS;
	}
	ck_assert(is_in_time);
	ck_assert_uint_eq(get_stats().sent, tries);
}
END_TEST

START_TEST(who_gives_up_does_not_spoil_it_for_others)
{
	mxw_dns_answer_t *answer = NULL;
	unsigned tries = 0;
	char name[64];

	/* Where the machine stands still for so long the answer may be there before who asks goes on. */
	while (tries < 5 && (!answer || answer->outcome == MXW_FOUND)) {
		mxw_dns_answer_unref(answer);
		snprintf(name, sizeof(name), "n%u.slow.example", tries++);
		int64_t start = now();
		answer = ask_within(name, MXW_DNS_A, 50);
		ck_assert(answer->outcome == MXW_TEMPORARY || now() - start >= 299);
	}
	ck_assert_int_eq(answer->outcome, MXW_TEMPORARY);
	mxw_dns_answer_unref(answer);
	answer = ask(name, MXW_DNS_A);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	mxw_dns_answer_unref(answer);
	ck_assert_uint_eq(get_stats().sent, tries);
}
END_TEST

START_TEST(a_deadline_that_has_passed_sends_nothing)
{
	mxw_dns_answer_t *answer = ask_within("www.example", MXW_DNS_A, -1);

	ck_assert_int_eq(answer->outcome, MXW_TEMPORARY);
	ck_assert_uint_eq(get_stats().sent, 0);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(dead_zones_do_not_delay_the_others)
{
	char name[64];
	int64_t worst = 0;

	mxw_resolver_unref(resolver);
	resolver = make_resolver((struct mxw_resolver_options){.max_open = 4 * DEAD});
	for (int i = 0; i < DEAD; i++) {
		snprintf(name, sizeof(name), "n%d.dead.%s", i, i % 2 ? "example" : "other");
		mxw_resolver_prefetch(resolver, name, MXW_DNS_A, NULL);
	}
	ck_assert_uint_eq(get_stats().open, DEAD);
	lateness_start();
	for (int i = 0; i < GOOD; i++) {
		snprintf(name, sizeof(name), "n%d.good.third", i);
		struct lateness_mark start = lateness_mark();
		mxw_dns_answer_t *answer = ask(name, MXW_DNS_A);
		ck_assert_int_eq(answer->outcome, MXW_NOT_FOUND);
		mxw_dns_answer_unref(answer);
		if (lateness_took_ms(&start) > worst)
			worst = lateness_took_ms(&start);
	}
	lateness_stop();
	ck_assert_msg(worst < 1500, "%d ms", (int)worst);
}
END_TEST

START_TEST(the_server_is_believed_again_as_soon_as_it_answers)
{
	char name[64];

	dnsd_set_silent(server, true);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%d.good.example", i);
		mxw_resolver_prefetch(resolver, name, MXW_DNS_A, NULL);
	}
	wait_until_idle();
	ck_assert_uint_eq(get_stats().failures, 20);
	dnsd_set_silent(server, false);
	mxw_dns_answer_t *answer = ask("n99.good.example", MXW_DNS_A);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	mxw_dns_answer_unref(answer);
}
END_TEST

/* ---- limits ---- */

START_TEST(the_budget_counts_what_is_sent)
{
	struct mxw_dns_budget budget = {.limit = 2};
	static const struct {
		const char *name;
		bool is_over;
		unsigned asked;
	} rows[] = {
		{"www.example", false, 1}, {"www.example", false, 1}, {"nosuch.example", false, 2},
		{"txt.example", true, 2},  {"www.example", false, 2}, {"a..b", false, 2},
	};

	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		mxw_dns_answer_t *answer = mxw_resolver_ask(resolver, rows[i].name, MXW_DNS_A, now() + LONG_MS, &budget);
		ck_assert_int_eq(answer->is_over_budget, rows[i].is_over);
		ck_assert(!rows[i].is_over || answer->outcome == MXW_TEMPORARY);
		ck_assert_uint_eq(budget.asked, rows[i].asked);
		mxw_dns_answer_unref(answer);
	}
	ck_assert_uint_eq(get_stats().over_budget, 1);
	ck_assert_uint_eq(get_stats().over_session, 1);
	/* Who asked early and asks again to wait pays once. */
	budget = (struct mxw_dns_budget){.limit = 1};
	mxw_resolver_prefetch(resolver, "slow.example", MXW_DNS_A, &budget);
	mxw_dns_answer_t *answer = mxw_resolver_ask(resolver, "slow.example", MXW_DNS_A, now() + LONG_MS, &budget);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	ck_assert_uint_eq(budget.asked, 1);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(open_questions_are_capped)
{
	char name[64];

	mxw_resolver_unref(resolver);
	resolver = make_resolver((struct mxw_resolver_options){.max_open = 4});
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "n%d.dead.example", i);
		mxw_resolver_prefetch(resolver, name, MXW_DNS_A, NULL);
	}
	mxw_dns_answer_t *answer = ask("www.example", MXW_DNS_A);
	ck_assert(answer->is_over_budget);
	ck_assert_int_eq(answer->outcome, MXW_TEMPORARY);
	mxw_dns_answer_unref(answer);
	ck_assert_uint_eq(get_stats().open, 4);
	/* It is the cap that refused, not a memory of it. */
	wait_until_idle();
	answer = ask("www.example", MXW_DNS_A);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(descriptors_bound_what_may_be_open)
{
	struct rlimit before, few;
	char name[64];

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){200, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	mxw_resolver_unref(resolver);
	resolver = make_resolver((struct mxw_resolver_options){.max_open = 2000});
	setrlimit(RLIMIT_NOFILE, &before);
	dnsd_set_silent(server, true);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "www.n%d", i);
		mxw_resolver_prefetch(resolver, name, MXW_DNS_A, NULL);
	}
	ck_assert_uint_eq(get_stats().open, 100);
	ck_assert_uint_eq(get_stats().over_budget, 100);
}
END_TEST

START_TEST(one_zone_cannot_use_up_the_share_of_all)
{
	char name[64];

	mxw_resolver_unref(resolver);
	resolver = make_resolver((struct mxw_resolver_options){.max_open = 100});
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d.b.dead.example", i);
		mxw_resolver_prefetch(resolver, name, MXW_DNS_A, NULL);
	}
	ck_assert_uint_eq(get_stats().open, 25);
	ck_assert_uint_eq(get_stats().over_cap, 75);
	mxw_dns_answer_t *answer = ask("a.x.test", MXW_DNS_A);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	mxw_dns_answer_unref(answer);
}
END_TEST

static void remember(void *ctx, const char *text)
{
	snprintf(ctx, 400, "%s", text);
}

START_TEST(a_zone_gets_no_more_than_its_rate)
{
	static const char *const unlimited[] = {"unlimited.third"};
	char name[64], text[400] = "";
	struct fake_clock fake;

	fake_clock_init(&fake);
	mxw_resolver_unref(resolver);
	resolver = make_resolver((struct mxw_resolver_options){
		.clock = &fake.clock, .zone_rate = 2, .zone_burst = 5, .unlimited_zones = unlimited, .nunlimited_zones = 1,
		.notice = remember, .notice_ctx = text});
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 20; i++) {
			snprintf(name, sizeof(name), "r%dn%d.good.example", round, i);
			mxw_resolver_prefetch(resolver, name, MXW_DNS_A, NULL);
		}
		wait_until_idle();
		ck_assert_uint_eq(get_stats().over_zone, round == 0 ? 15 : 33);
		fake_clock_advance(&fake, 1000);
	}
	ck_assert_uint_eq(get_stats().sent, 7);
	ck_assert_uint_eq(get_stats().over_budget, 33);
	ck_assert_msg(strncmp(text, "zone good.example: ", 19) == 0, "%s", text);
	/* What is known costs nothing, and that something was refused is not remembered. */
	int64_t deadline = mxw__now_ms(&fake.clock) + LONG_MS;
	mxw_dns_answer_unref(mxw_resolver_ask(resolver, "r0n19.good.example", MXW_DNS_A, deadline, NULL));
	mxw_dns_answer_t *answer = mxw_resolver_ask(resolver, "r0n1.good.example", MXW_DNS_A, deadline, NULL);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	mxw_dns_answer_unref(answer);
	ck_assert_uint_eq(get_stats().over_zone, 33);
	/* Others are not in its way. */
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%d.unlimited.third", i);
		mxw_dns_answer_unref(mxw_resolver_ask(resolver, name, MXW_DNS_A, deadline, NULL));
	}
	ck_assert_uint_eq(get_stats().over_zone, 33);
}
END_TEST

START_TEST(a_client_causes_no_more_than_its_rate)
{
	struct mxw_dns_budget budgets[2] = {{.limit = 50}, {0}};
	struct fake_clock fake;
	char name[64];

	fake_clock_init(&fake);
	mxw_resolver_unref(resolver);
	resolver = make_resolver((struct mxw_resolver_options){.client_rate = 1, .client_burst = 5, .clock = &fake.clock});
	int64_t deadline = mxw__now_ms(&fake.clock) + LONG_MS;
	ck_assert_int_eq(mxw_ip_parse("192.0.2.1", &budgets[0].client), MXW_OK);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "www.n%d", i);
		mxw_dns_answer_t *answer = mxw_resolver_ask(resolver, name, MXW_DNS_A, deadline, &budgets[0]);
		ck_assert_int_eq(answer->is_over_budget, i >= 5);
		mxw_dns_answer_unref(answer);
	}
	/* What was not asked is not on the session's account either. */
	ck_assert_uint_eq(budgets[0].asked, 5);
	ck_assert_uint_eq(get_stats().over_client, 3);
	mxw_dns_answer_t *answer = mxw_resolver_ask(resolver, "www.n9", MXW_DNS_A, deadline, &budgets[1]);
	ck_assert(!answer->is_over_budget);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(callers_may_know_fewer_counters)
{
	struct mxw_resolver_stats stats = {.size = offsetof(struct mxw_resolver_stats, cache_hits), .cache_hits = 7};

	mxw_dns_answer_unref(ask("a..b", MXW_DNS_A));
	mxw_resolver_get_stats(resolver, &stats);
	ck_assert_uint_eq(stats.asked, 1);
	ck_assert_uint_eq(stats.cache_hits, 7);
}
END_TEST

/* ---- local data ---- */

static char *write_file(const char *text)
{
	static char path[] = "/tmp/mxw-dns-XXXXXX";
	strcpy(path, "/tmp/mxw-dns-XXXXXX");
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

static const struct {
	const char *name;
	enum mxw_dns_type type;
	bool local_only;
	mxw_outcome_t outcome;
	int rcode;
	unsigned queries;
} local_rows[] = {
	{"here.test", MXW_DNS_A, false, MXW_FOUND, 0, 0},
	{"here.test", MXW_DNS_TXT, false, MXW_NOT_FOUND, 0, 0},
	{"www.example", MXW_DNS_A, false, MXW_FOUND, 0, 1},
	{"far.test", MXW_DNS_A, false, MXW_FOUND, 0, 1},
	{"near.test", MXW_DNS_A, false, MXW_FOUND, 0, 0},
	{"1.0.168.192.in-addr.arpa", MXW_DNS_PTR, false, MXW_FOUND, 0, 0},
	{"here.test", MXW_DNS_A, true, MXW_FOUND, 0, 0},
	{"www.example", MXW_DNS_A, true, MXW_NOT_FOUND, 3, 0},
	{"far.test", MXW_DNS_A, true, MXW_NOT_FOUND, 3, 0},
	{"localhost", MXW_DNS_A, true, MXW_NOT_FOUND, 3, 0},
};

START_TEST(local_data_is_answered_without_asking)
{
	const char *path = write_file("here.test A 192.0.2.9\nfar.test CNAME www.example\nnear.test CNAME here.test\n"
				      "1.0.168.192.in-addr.arpa PTR here.test\n");
	struct mxw_resolver_options options = {.local_data = &path, .nlocal_data = 1,
					       .local_only = local_rows[_i].local_only};

	mxw_resolver_unref(resolver);
	resolver = make_resolver(options);
	mxw_dns_answer_t *answer = ask(local_rows[_i].name, local_rows[_i].type);
	ck_assert_int_eq(answer->outcome, local_rows[_i].outcome);
	ck_assert_int_eq(answer->rcode, local_rows[_i].rcode);
	/* libunbound asks again should the server not come to answer for a while. */
	ck_assert_int_eq(dnsd_queries(server, NULL, 0) > 0, local_rows[_i].queries > 0);
	ck_assert_uint_eq(get_stats().sent, local_rows[_i].queries);
	mxw_dns_answer_unref(answer);
	unlink(path);
}
END_TEST

static const struct {
	const char *what, *forward, *local_text;
	mxw_status_t status;
	unsigned line;
	const char *part;
} bad_options[] = {
	{"no address", "ns.example.org", NULL, MXW_ERR_CONF, 0, "\"ns.example.org\" is no address"},
	{"port 0", "192.0.2.1@0", NULL, MXW_ERR_CONF, 0, "is no address"},
	{"port too large", "192.0.2.1@65536", NULL, MXW_ERR_CONF, 0, "is no address"},
	{"empty port", "192.0.2.1@", NULL, MXW_ERR_CONF, 0, "is no address"},
	{"empty", "", NULL, MXW_ERR_CONF, 0, "is no address"},
	{"malformed local data", NULL, "a A 192.0.2.1\nb A x\n", MXW_ERR_CONF, 2, "not an IPv4 address"},
};

START_TEST(wrong_options_are_named)
{
	const char *path = bad_options[_i].local_text ? write_file(bad_options[_i].local_text) : NULL;
	struct mxw_resolver_options options = {.size = sizeof(options)};
	struct mxw_error err = {0};
	mxw_resolver_t *made = NULL;

	if (bad_options[_i].forward) {
		options.forward = &bad_options[_i].forward;
		options.nforward = 1;
	}
	if (path) {
		options.local_data = &path;
		options.nlocal_data = 1;
	}
	ck_assert_msg(mxw_resolver_new(&options, &made, &err) == bad_options[_i].status, "%s", bad_options[_i].what);
	ck_assert_ptr_null(made);
	ck_assert_uint_eq(err.line, bad_options[_i].line);
	ck_assert_msg(strstr(err.text, bad_options[_i].part), "%s", err.text);
	if (path) {
		ck_assert_str_eq(err.file, path);
		unlink(path);
	}
}
END_TEST

START_TEST(an_unreadable_file_of_local_data_is_named)
{
	const char *path = "/nonexistent/zone";
	struct mxw_resolver_options options = {.size = sizeof(options), .local_data = &path, .nlocal_data = 1};
	struct mxw_error err = {0};
	mxw_resolver_t *made = NULL;

	ck_assert_int_eq(mxw_resolver_new(&options, &made, &err), MXW_ERR_CONF);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	options.size = sizeof(options) + 1;
	ck_assert_int_eq(mxw_resolver_new(&options, &made, &err), MXW_ERR_USAGE);
}
END_TEST

/* ---- life ---- */

START_TEST(it_can_be_let_go_with_questions_open)
{
	char name[64];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d.dead.example", i);
		mxw_resolver_prefetch(resolver, name, MXW_DNS_A, NULL);
	}
	mxw_resolver_prefetch(resolver, "slow.example", MXW_DNS_A, NULL);
	mxw_resolver_unref(mxw_resolver_ref(resolver));
	/* The slow one may have been answered by now. */
	ck_assert_uint_ge(get_stats().open, 100);
	int64_t start = now();
	mxw_resolver_unref(resolver);
	resolver = NULL;
	ck_assert_int_lt(now() - start, 2000);
}
END_TEST

START_TEST(system_and_root_resolvers_can_be_made)
{
	for (int i = 0; i < 2; i++) {
		struct mxw_resolver_options options = {.size = sizeof(options), .from_root = i == 1};
		struct mxw_error err = {0};
		mxw_resolver_t *made = NULL;
		ck_assert_msg(mxw_resolver_new(&options, &made, &err) == MXW_OK, "%s", err.text);
		mxw_resolver_unref(made);
	}
}
END_TEST

START_TEST(other_implementations_have_no_counters)
{
	struct fake_clock fake_time;
	struct mxw_resolver_stats stats = {.size = sizeof(stats), .asked = 7};

	fake_clock_init(&fake_time);
	fake_resolver_t *fake = fake_resolver_new(&fake_time);
	mxw_resolver_get_stats(&fake->resolver, &stats);
	ck_assert_uint_eq(stats.asked, 0);
	mxw_resolver_unref(&fake->resolver);
}
END_TEST

/* Many threads, many kinds of question at one time: for the sanitizers, and that none of them is mixed up. */
static void *ask_many(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg, wrong = 0;
	char name[64];

	for (int i = 0; i < 300; i++) {
		seed = seed * 1103515245u + 12345u;
		unsigned pick = (seed >> 16) % 100;
		const char *zone_name = pick % 4 == 0 ? "nosuch" : "good";
		snprintf(name, sizeof(name), "n%u.%s.example", pick, zone_name);
		if (pick % 7 == 0)
			mxw_resolver_prefetch(resolver, name, MXW_DNS_A, NULL);
		mxw_dns_answer_t *answer = ask(name, MXW_DNS_A);
		if (answer->outcome != (pick % 4 == 0 ? MXW_NOT_FOUND : MXW_FOUND))
			wrong++;
		mxw_dns_answer_unref(answer);
	}
	return (void *)(uintptr_t)wrong;
}

START_TEST(many_threads_get_their_own_answers)
{
	pthread_t threads[8];
	void *wrong;

	mxw_resolver_unref(resolver);
	/* A small cache, so that answers are thrown out under the askers. */
	resolver = make_resolver((struct mxw_resolver_options){.cache_entries = 30});
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_many, (void *)(uintptr_t)(i + 1)), 0);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &wrong);
		ck_assert_uint_eq((uintptr_t)wrong, 0);
	}
}
END_TEST

static void add_limits(Suite *suite)
{
	TCase *tcase = tcase_create("limits and local data");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, the_budget_counts_what_is_sent);
	tcase_add_test(tcase, open_questions_are_capped);
	tcase_add_test(tcase, descriptors_bound_what_may_be_open);
	tcase_add_test(tcase, one_zone_cannot_use_up_the_share_of_all);
	tcase_add_test(tcase, a_zone_gets_no_more_than_its_rate);
	tcase_add_test(tcase, a_client_causes_no_more_than_its_rate);
	tcase_add_test(tcase, callers_may_know_fewer_counters);
	tcase_add_loop_test(tcase, local_data_is_answered_without_asking, 0, MXW_ARRAY_LEN(local_rows));
	tcase_add_loop_test(tcase, wrong_options_are_named, 0, MXW_ARRAY_LEN(bad_options));
	tcase_add_test(tcase, an_unreadable_file_of_local_data_is_named);
	tcase_add_test(tcase, it_can_be_let_go_with_questions_open);
	tcase_add_test(tcase, system_and_root_resolvers_can_be_made);
	tcase_add_test(tcase, other_implementations_have_no_counters);
	tcase_add_test(tcase, many_threads_get_their_own_answers);
	suite_add_tcase(suite, tcase);
}

/* Each open question takes a socket; the usual 1024 descriptors are too few for the largest test. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(void)
{
	raise_limit();
	Suite *suite = suite_create("dns");
	TCase *tcase = tcase_create("answers");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, each_outcome_is_told_from_the_others, 0, MXW_ARRAY_LEN(answers));
	tcase_add_test(tcase, records_arrive_whole);
	tcase_add_test(tcase, names_that_cannot_exist_are_not_asked);
	tcase_add_loop_test(tcase, answers_of_each_kind_are_kept, 0, MXW_ARRAY_LEN(kept));
	tcase_add_test(tcase, equal_questions_in_flight_are_asked_once);
	tcase_add_test(tcase, a_prefetch_hides_the_latency);
	tcase_add_test(tcase, lifetimes_follow_the_resolvers_clock);
	tcase_add_test(tcase, ceilings_of_lifetimes_can_be_set);
	tcase_add_test(tcase, a_silent_server_costs_no_more_than_the_deadline);
	tcase_add_test(tcase, nobody_waits_beyond_the_resolvers_timeout);
	tcase_add_test(tcase, who_gives_up_does_not_spoil_it_for_others);
	tcase_add_test(tcase, a_deadline_that_has_passed_sends_nothing);
	tcase_add_test(tcase, dead_zones_do_not_delay_the_others);
	tcase_add_test(tcase, the_server_is_believed_again_as_soon_as_it_answers);
	suite_add_tcase(suite, tcase);
	add_limits(suite);
	return run_suite(suite);
}
