/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pthread.h>
#include <stdio.h>

#include "src/track/table.h"
#include "t/fakes/suite.h"

enum { HALF_LIFE = 60000 };

static mxw__table_t *table;

static void setup(void)
{
	struct mxw__table_options options = {.max_entries = 1024, .half_life_ms = HALF_LIFE, .history_half_life_ms = 10 * HALF_LIFE,
					     .credit = 50, .clock = mxw_clock_system()};

	ck_assert_int_eq(mxw__table_new(&options, &table), MXW_OK);
}

static void teardown(void)
{
	mxw__table_free(table);
}

static struct mxw__key key(const char *text)
{
	struct mxw_ip addr;

	ck_assert_int_eq(mxw_ip_parse(text, &addr), MXW_OK);
	return mxw__key_of_ip(MXW__KEY_ADDRESS, &addr);
}

static uint64_t add(const struct mxw__key *k, double points, int64_t now_ms)
{
	return (uint64_t)(mxw__table_add(table, k, MXW__EVENT_ABORT, 1, points, now_ms) + 0.5);
}

static uint64_t score(const struct mxw__key *k, int64_t now_ms)
{
	return (uint64_t)(mxw__table_score(table, k, now_ms) + 0.5);
}

START_TEST(a_score_halves_with_each_half_life)
{
	struct mxw__key a = key("192.0.2.1");

	ck_assert_uint_eq(score(&a, 0), 0);
	ck_assert_uint_eq(add(&a, 80, 1000), 80);
	ck_assert_uint_eq(score(&a, 1000 + HALF_LIFE), 40);
	ck_assert_uint_eq(score(&a, 1000 + 3 * HALF_LIFE), 10);
	ck_assert_uint_eq(add(&a, 5, 1000 + 3 * HALF_LIFE), 15);
	ck_assert_uint_eq(score(&a, 1000 + 100 * (int64_t)HALF_LIFE), 0);
}
END_TEST

START_TEST(time_that_goes_back_changes_nothing)
{
	struct mxw__key a = key("192.0.2.1");

	add(&a, 64, 500000);
	ck_assert_uint_eq(score(&a, 0), 64);
	ck_assert_uint_eq(add(&a, 1, 0), 65);
	ck_assert_uint_eq(score(&a, 500000 + HALF_LIFE), 33);
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
	struct mxw__key one = key(pairs[_i].one), other = key(pairs[_i].other);

	add(&one, 7, 0);
	ck_assert_uint_eq(score(&other, 0), pairs[_i].same ? 7 : 0);
}
END_TEST

START_TEST(a_flood_of_addresses_neither_grows_the_table_nor_clears_an_offender)
{
	struct mxw__key offender = key("192.0.2.1");
	struct mxw_ip a = {.family = 4};
	struct mxw__table_stats stats;

	add(&offender, 100, 0);
	for (uint32_t i = 0; i < 100000; i++) {
		a.bytes[0] = 10;
		a.bytes[1] = (uint8_t)(i >> 16);
		a.bytes[2] = (uint8_t)(i >> 8);
		a.bytes[3] = (uint8_t)i;
		struct mxw__key k = mxw__key_of_ip(MXW__KEY_ADDRESS, &a);
		add(&k, 5, 0);
	}
	mxw__table_get_stats(table, &stats);
	ck_assert_uint_le(stats.entries, 1024);
	ck_assert_uint_gt(stats.evictions, 90000);
	ck_assert_uint_eq(score(&offender, 0), 100);
}
END_TEST

static void *add_many(void *arg)
{
	struct mxw__key *a = arg;

	for (int i = 0; i < 10000; i++)
		add(a, 1, 0);
	return NULL;
}

START_TEST(no_event_is_lost_between_threads)
{
	struct mxw__key a = key("192.0.2.1");
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, &a), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(score(&a, 0), 40000);
}
END_TEST

START_TEST(a_client_without_an_address_has_no_score)
{
	struct mxw__key none = {0};

	ck_assert_uint_eq(add(&none, 50, 0), 0);
	ck_assert_uint_eq(score(&none, 0), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("table");

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
