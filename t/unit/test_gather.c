/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions asked together are waited for together, and only once. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/base/base.h"
#include "src/check/gather.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

static struct fake_clock test_clock;
static fake_resolver_t *fake;
static struct mxw_dns_budget budget;
static struct mxw__gather gather;

static void setup(void)
{
	fake_clock_init(&test_clock);
	fake = fake_resolver_new(&test_clock);
	budget = (struct mxw_dns_budget){0};
	mxw__gather_init(&gather, &fake->resolver, &budget);
	fake_resolver_script(fake,
			     "a.example A 192.0.2.1\n"
			     "b.example A 192.0.2.2\n"
			     "*.example ANY !delay=50ms\n"
			     "dead.example ANY !timeout\n"
			     "sick.example ANY !servfail\n"
			     "full.example ANY !overbudget\n");
}

static void teardown(void)
{
	mxw__gather_fini(&gather);
	mxw_resolver_unref(&fake->resolver);
}

static int64_t now(void)
{
	return mxw__now_ms(&test_clock.clock);
}

static void expect_unknown(const char *name)
{
	ck_assert_ptr_null(mxw__gather_ask(&gather, name, MXW_DNS_A));
}

static void expect(const char *name, mxw_outcome_t outcome)
{
	mxw_dns_answer_t *answer = mxw__gather_ask(&gather, name, MXW_DNS_A);

	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(answer->outcome, outcome);
	mxw_dns_answer_unref(answer);
}

START_TEST(questions_are_waited_for_together)
{
	int64_t began = now();

	expect_unknown("a.example");
	expect_unknown("b.example");
	expect_unknown("none.example");
	ck_assert_int_eq(now(), began);
	ck_assert(mxw__gather_wait(&gather, began + 1000));
	ck_assert_int_eq(now(), began + 50);
	expect("a.example", MXW_FOUND);
	expect("b.example", MXW_FOUND);
	expect("none.example", MXW_NOT_FOUND);
	ck_assert(!mxw__gather_wait(&gather, began + 1000));
	ck_assert_uint_eq(fake_resolver_total_sent(fake), 3);
}
END_TEST

START_TEST(a_question_is_asked_once)
{
	expect_unknown("a.example");
	expect_unknown("a.example");
	ck_assert(mxw__gather_wait(&gather, now() + 1000));
	ck_assert_uint_eq(fake_resolver_asks(fake, "a.example", MXW_DNS_A), 1);
	ck_assert_uint_eq(budget.asked, 1);
}
END_TEST

START_TEST(what_another_asked_is_seen_as_it_comes)
{
	mxw_resolver_prefetch(&fake->resolver, "a.example", MXW_DNS_A, NULL);
	expect_unknown("a.example");
	fake_clock_advance(&test_clock, 50);
	mxw__gather_fini(&gather);
	expect("a.example", MXW_FOUND);
	ck_assert(!mxw__gather_wait(&gather, now() + 1000));
}
END_TEST

/* No answer is one, too: whoever walks on must not ask for it again and again. */
START_TEST(failures_end_the_waiting)
{
	int64_t began = now();

	expect_unknown("dead.example");
	expect_unknown("sick.example");
	expect_unknown("full.example");
	ck_assert(mxw__gather_wait(&gather, began + 300));
	ck_assert_int_eq(now(), began + 300);
	expect("dead.example", MXW_TEMPORARY);
	expect("sick.example", MXW_TEMPORARY);
	expect("full.example", MXW_TEMPORARY);
	ck_assert(!mxw__gather_wait(&gather, began + 300));
}
END_TEST

START_TEST(a_hint_is_not_waited_for)
{
	int64_t began = now();

	ck_assert_ptr_null(mxw__gather_hint(&gather, "dead.example", MXW_DNS_A));
	ck_assert_ptr_null(mxw__gather_hint(&gather, "b.example", MXW_DNS_A));
	ck_assert(!mxw__gather_wait(&gather, began + 1000));
	expect_unknown("a.example");
	ck_assert(mxw__gather_wait(&gather, began + 1000));
	ck_assert_int_eq(now(), began + 50);
	/* It was under way meanwhile, and is here. */
	mxw_dns_answer_t *answer = mxw__gather_hint(&gather, "b.example", MXW_DNS_A);
	ck_assert_ptr_nonnull(answer);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(there_are_only_so_many)
{
	char name[64];

	for (int i = 0; i < 2 * MXW__GATHER_MAX; i++) {
		snprintf(name, sizeof name, "n%d.example", i);
		expect_unknown(name);
	}
	ck_assert_uint_eq(gather.n, MXW__GATHER_MAX);
	ck_assert(mxw__gather_wait(&gather, now() + 1000));
}
END_TEST

START_TEST(a_name_that_is_too_long_is_left_to_who_wants_it)
{
	char name[400];

	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	/* No such name can exist: that is known at once. */
	expect(name, MXW_NOT_FOUND);
	/* 250 octets on the wire, a thousand in text. */
	name[0] = '\0';
	for (int i = 0; i < 90; i++)
		strcat(name, i % 45 == 44 ? "\\001." : "\\001");
	expect_unknown(name);
	ck_assert(!mxw__gather_wait(&gather, now() + 1000));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gather");
	TCase *tcase = tcase_create("gather");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, questions_are_waited_for_together);
	tcase_add_test(tcase, a_question_is_asked_once);
	tcase_add_test(tcase, what_another_asked_is_seen_as_it_comes);
	tcase_add_test(tcase, failures_end_the_waiting);
	tcase_add_test(tcase, a_hint_is_not_waited_for);
	tcase_add_test(tcase, there_are_only_so_many);
	tcase_add_test(tcase, a_name_that_is_too_long_is_left_to_who_wants_it);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
