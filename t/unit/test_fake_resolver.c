/* SPDX-License-Identifier: BSD-2-Clause */
/* The tests of others stand on this double: it must keep the promises of <mxward/dns.h>. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/base.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

static struct fake_clock test_clock;
static fake_resolver_t *fake;

static void setup(void)
{
	fake_clock_init(&test_clock);
	fake = fake_resolver_new(&test_clock);
	fake_resolver_script(fake,
			     "example.org MX 10 mail.example.org\n"
			     "slow.example.org TXT \"late\"\n"
			     "slow.example.org TXT !delay=1500ms\n"
			     "dead.example.org ANY !timeout\n"
			     "*.below.example.org ANY !timeout\n"
			     "sick.example.org MX !servfail\n"
			     "sick.example.org MX !delay=2s\n"
			     "bad.example.org A 192.0.2.1\n"
			     "bad.example.org A !bogus\n"
			     "full.example.org A !overbudget\n");
}

static void teardown(void)
{
	mxw_resolver_unref(&fake->resolver);
}

static int64_t now(void)
{
	return mxw__now_ms(&test_clock.clock);
}

static const struct {
	const char *name;
	enum mxw_dns_type type;
	int64_t budget_ms;
	mxw_outcome_t outcome;
	int rcode;
	int64_t took_ms;
} rows[] = {
	{"Example.Org.", MXW_DNS_MX, 5000, MXW_FOUND, 0, 0},
	{"example.org", MXW_DNS_TXT, 5000, MXW_NOT_FOUND, 0, 0},
	{"nosuch.example.org", MXW_DNS_A, 5000, MXW_NOT_FOUND, 3, 0},
	{"a..b", MXW_DNS_A, 5000, MXW_NOT_FOUND, 3, 0},
	{"slow.example.org", MXW_DNS_TXT, 5000, MXW_FOUND, 0, 1500},
	{"slow.example.org", MXW_DNS_TXT, 1000, MXW_TEMPORARY, 2, 1000},
	{"slow.example.org", MXW_DNS_A, 5000, MXW_NOT_FOUND, 0, 0},
	{"dead.example.org", MXW_DNS_A, 5000, MXW_TEMPORARY, 2, 5000},
	{"x.below.example.org", MXW_DNS_MX, 700, MXW_TEMPORARY, 2, 700},
	{"below.example.org", MXW_DNS_MX, 700, MXW_NOT_FOUND, 3, 0},
	{"sick.example.org", MXW_DNS_MX, 5000, MXW_TEMPORARY, 2, 2000},
	{"bad.example.org", MXW_DNS_A, 5000, MXW_TEMPORARY, 2, 0},
	{"full.example.org", MXW_DNS_A, 5000, MXW_TEMPORARY, 2, 0},
};

START_TEST(answers_come_as_scripted)
{
	int64_t start = now();
	mxw_dns_answer_t *answer = mxw_resolver_ask(&fake->resolver, rows[_i].name, rows[_i].type,
						    start + rows[_i].budget_ms, NULL);

	ck_assert_int_eq(answer->outcome, rows[_i].outcome);
	ck_assert_int_eq(answer->rcode, rows[_i].rcode);
	ck_assert_int_eq(now() - start, rows[_i].took_ms);
	ck_assert_int_eq(answer->is_bogus, strncmp(rows[_i].name, "bad", 3) == 0);
	ck_assert_int_eq(answer->is_over_budget, strncmp(rows[_i].name, "full", 4) == 0);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(a_prefetch_hides_the_delay)
{
	mxw_resolver_prefetch(&fake->resolver, "slow.example.org", MXW_DNS_TXT, NULL);
	ck_assert_int_eq(now(), 1000000);
	fake_clock_advance(&test_clock, 1200);
	mxw_dns_answer_t *answer = mxw_resolver_ask(&fake->resolver, "slow.example.org", MXW_DNS_TXT, now() + 5000, NULL);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	ck_assert_int_eq(now(), 1001500);
	mxw_dns_answer_unref(answer);
	/* The answer has been kept. */
	mxw_dns_answer_unref(mxw_resolver_ask(&fake->resolver, "slow.example.org", MXW_DNS_TXT, now() + 5000, NULL));
	ck_assert_int_eq(now(), 1001500);
	ck_assert_uint_eq(fake_resolver_asks(fake, "SLOW.example.org", MXW_DNS_TXT), 2);
	ck_assert_uint_eq(fake_resolver_sent(fake, "slow.example.org", 0), 1);
	ck_assert_uint_eq(fake_resolver_total_asks(fake), 2);
	ck_assert_uint_eq(fake_resolver_total_sent(fake), 1);
}
END_TEST

START_TEST(the_budget_counts_different_questions)
{
	struct mxw_dns_budget budget = {.limit = 2};
	static const char *const names[] = {"a.example", "a.example", "b.example", "c.example"};

	for (size_t i = 0; i < MXW_ARRAY_LEN(names); i++) {
		mxw_dns_answer_t *answer = mxw_resolver_ask(&fake->resolver, names[i], MXW_DNS_A, now(), &budget);
		ck_assert_int_eq(answer->is_over_budget, i == 3);
		mxw_dns_answer_unref(answer);
	}
	ck_assert_uint_eq(budget.asked, 2);
}
END_TEST

static bool is_over(const char *name, const char *client)
{
	struct mxw_dns_budget budget = {0};

	if (client)
		ck_assert_int_eq(mxw_ip_parse(client, &budget.client), MXW_OK);
	mxw_resolver_prefetch(&fake->resolver, name, MXW_DNS_A, &budget);
	mxw_dns_answer_t *answer = mxw_resolver_ask(&fake->resolver, name, MXW_DNS_A, now() + 1000, &budget);
	bool over = answer->is_over_budget;
	ck_assert_uint_eq(budget.asked, over ? 0 : 1);
	ck_assert(!over || answer->outcome == MXW_TEMPORARY);
	mxw_dns_answer_unref(answer);
	return over;
}

START_TEST(zones_and_clients_have_scripted_budgets)
{
	fake_resolver_script(fake, "*.flood.example ANY !budget=2\n* A !client-budget=3\n");
	ck_assert(!is_over("a.flood.example", "192.0.2.1"));
	ck_assert(!is_over("b.flood.example", "192.0.2.1"));
	ck_assert(is_over("c.flood.example", "192.0.2.1"));
	ck_assert(is_over("c.flood.example", NULL));
	ck_assert(!is_over("flood.example", "192.0.2.1"));
	ck_assert(is_over("x.example", "192.0.2.1"));
	ck_assert(!is_over("x.example", "192.0.2.2"));
	ck_assert(!is_over("y.example", NULL));
	ck_assert_uint_eq(fake_resolver_sent(fake, "c.flood.example", 0), 0);
}
END_TEST

START_TEST(answers_are_secure_where_scripted)
{
	static const struct {
		const char *name;
		bool is_secure;
	} secure_rows[] = {
		{"example.org", false}, {"safe.example.org", true}, {"none.safe.example.org", true}, {"sick.example.org", false},
	};

	fake_resolver_script(fake, "safe.example.org MX 10 mail.example.org\nsafe.example.org ANY !secure\n"
				   "*.safe.example.org ANY !secure\nsick.example.org ANY !secure\n");
	for (size_t i = 0; i < MXW_ARRAY_LEN(secure_rows); i++) {
		mxw_dns_answer_t *answer = mxw_resolver_ask(&fake->resolver, secure_rows[i].name, MXW_DNS_MX, now() + 5000, NULL);
		ck_assert_msg(answer->is_secure == secure_rows[i].is_secure, "%s", secure_rows[i].name);
		mxw_dns_answer_unref(answer);
	}
}
END_TEST

START_TEST(a_malformed_line_is_refused_with_its_place)
{
	struct mxw_error err = {0};

	ck_assert_int_eq(fake_resolver_add(fake, "x.t", "a A 192.0.2.1\nb TXT !never\n", &err), MXW_ERR_CONF);
	ck_assert_str_eq(err.file, "x.t");
	ck_assert_uint_eq(err.line, 2);
	ck_assert_ptr_nonnull(strstr(err.text, "unknown behaviour"));
}
END_TEST

START_TEST(reset_forgets_everything)
{
	fake_resolver_reset(fake);
	mxw_dns_answer_t *answer = mxw_resolver_ask(&fake->resolver, "dead.example.org", MXW_DNS_A, now() + 9, NULL);
	ck_assert_int_eq(answer->rcode, 3);
	mxw_dns_answer_unref(answer);
	ck_assert_uint_eq(fake_resolver_total_asks(fake), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fake_resolver");
	TCase *tcase = tcase_create("fake_resolver");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, answers_come_as_scripted, 0, MXW_ARRAY_LEN(rows));
	tcase_add_test(tcase, a_prefetch_hides_the_delay);
	tcase_add_test(tcase, the_budget_counts_different_questions);
	tcase_add_test(tcase, zones_and_clients_have_scripted_budgets);
	tcase_add_test(tcase, answers_are_secure_where_scripted);
	tcase_add_test(tcase, a_malformed_line_is_refused_with_its_place);
	tcase_add_test(tcase, reset_forgets_everything);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
