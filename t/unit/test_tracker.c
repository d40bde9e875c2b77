/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pthread.h>
#include <stdio.h>

#include "src/track/tracker.h"
#include "t/fakes/suite.h"

enum { HALF_LIFE = 60000 };

static mxw__tracker_t *tracker;

static void setup(void)
{
	ck_assert_int_eq(mxw__tracker_new(1024, &tracker), MXW_OK);
}

static void teardown(void)
{
	mxw__tracker_free(tracker);
}

static struct mxw_ip ip(const char *text)
{
	struct mxw_ip addr;

	ck_assert_int_eq(mxw_ip_parse(text, &addr), MXW_OK);
	return addr;
}

START_TEST(a_score_halves_with_each_half_life)
{
	struct mxw_ip a = ip("192.0.2.1");

	ck_assert_uint_eq(mxw__tracker_score(tracker, &a, 0, HALF_LIFE), 0);
	ck_assert_uint_eq(mxw__tracker_add(tracker, &a, 80, 1000, HALF_LIFE), 80);
	ck_assert_uint_eq(mxw__tracker_score(tracker, &a, 1000 + HALF_LIFE, HALF_LIFE), 40);
	ck_assert_uint_eq(mxw__tracker_score(tracker, &a, 1000 + 3 * HALF_LIFE, HALF_LIFE), 10);
	ck_assert_uint_eq(mxw__tracker_add(tracker, &a, 5, 1000 + 3 * HALF_LIFE, HALF_LIFE), 15);
	ck_assert_uint_eq(mxw__tracker_score(tracker, &a, 1000 + 100 * (int64_t)HALF_LIFE, HALF_LIFE), 0);
}
END_TEST

START_TEST(time_that_goes_back_changes_nothing)
{
	struct mxw_ip a = ip("192.0.2.1");

	mxw__tracker_add(tracker, &a, 64, 500000, HALF_LIFE);
	ck_assert_uint_eq(mxw__tracker_score(tracker, &a, 0, HALF_LIFE), 64);
	ck_assert_uint_eq(mxw__tracker_add(tracker, &a, 1, 0, HALF_LIFE), 65);
	ck_assert_uint_eq(mxw__tracker_score(tracker, &a, 500000 + HALF_LIFE, HALF_LIFE), 33);
}
END_TEST

static const struct {
	const char *one, *other;
	bool same;
} pairs[] = {
	{"192.0.2.1", "192.0.2.1", true},
	{"192.0.2.1", "192.0.2.2", false},
	{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
	{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
	{"32.1.13.184", "2001:db8::1", false},
	{"::ffff:192.0.2.1", "192.0.2.1", true},
};

START_TEST(clients_are_told_apart_by_address_or_64)
{
	struct mxw_ip one = ip(pairs[_i].one), other = ip(pairs[_i].other);

	mxw__tracker_add(tracker, &one, 7, 0, HALF_LIFE);
	ck_assert_uint_eq(mxw__tracker_score(tracker, &other, 0, HALF_LIFE), pairs[_i].same ? 7 : 0);
}
END_TEST

START_TEST(a_flood_of_addresses_neither_grows_the_table_nor_clears_an_offender)
{
	struct mxw_ip offender = ip("192.0.2.1");
	struct mxw_ip a = {.family = 4};
	struct mxw__tracker_stats stats;

	mxw__tracker_add(tracker, &offender, 100, 0, HALF_LIFE);
	for (uint32_t i = 0; i < 100000; i++) {
		a.bytes[0] = 10;
		a.bytes[1] = (uint8_t)(i >> 16);
		a.bytes[2] = (uint8_t)(i >> 8);
		a.bytes[3] = (uint8_t)i;
		mxw__tracker_add(tracker, &a, 5, 0, HALF_LIFE);
	}
	mxw__tracker_get_stats(tracker, &stats);
	ck_assert_uint_le(stats.entries, 1024);
	ck_assert_uint_gt(stats.evictions, 90000);
	ck_assert_uint_eq(mxw__tracker_score(tracker, &offender, 0, HALF_LIFE), 100);
}
END_TEST

static void *add_many(void *arg)
{
	struct mxw_ip *a = arg;

	for (int i = 0; i < 10000; i++)
		mxw__tracker_add(tracker, a, 1, 0, HALF_LIFE);
	return NULL;
}

START_TEST(no_event_is_lost_between_threads)
{
	struct mxw_ip a = ip("192.0.2.1");
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, &a), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(mxw__tracker_score(tracker, &a, 0, HALF_LIFE), 40000);
}
END_TEST

START_TEST(a_client_without_an_address_has_no_score)
{
	struct mxw_ip none = {0};

	ck_assert_uint_eq(mxw__tracker_add(tracker, &none, 50, 0, HALF_LIFE), 0);
	ck_assert_uint_eq(mxw__tracker_score(tracker, &none, 0, HALF_LIFE), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tracker");
	TCase *tc = tcase_create("tracker");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_score_halves_with_each_half_life);
	tcase_add_test(tc, time_that_goes_back_changes_nothing);
	tcase_add_loop_test(tc, clients_are_told_apart_by_address_or_64, 0, MXW_ARRAY_LEN(pairs));
	tcase_add_test(tc, a_flood_of_addresses_neither_grows_the_table_nor_clears_an_offender);
	tcase_add_test(tc, no_event_is_lost_between_threads);
	tcase_add_test(tc, a_client_without_an_address_has_no_score);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
