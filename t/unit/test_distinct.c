/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "src/track/distinct.h"
#include "t/fakes/suite.h"

enum { WINDOW = 3600 * 1000 };

static mxw__distinct_t *distinct;

static void setup(void)
{
	ck_assert_int_eq(mxw__distinct_new(1024, &distinct), MXW_OK);
}

static void teardown(void)
{
	mxw__distinct_free(distinct);
}

static bool add(const char *key, const char *thing, int64_t now_ms)
{
	return mxw__distinct_add(distinct, key, strlen(key), (uint32_t)mxw__distinct_hash(distinct, thing), now_ms, WINDOW);
}

static uint64_t count(const char *key, int64_t now_ms)
{
	return mxw__distinct_count(distinct, key, strlen(key), now_ms, WINDOW);
}

static uint64_t count_entries(void)
{
	struct mxw__distinct_stats stats;

	mxw__distinct_get_stats(distinct, &stats);
	return stats.entries;
}

START_TEST(each_key_counts_its_own_things_once_each)
{
	ck_assert_uint_eq(count("anna", 0), 0);
	ck_assert(add("anna", "one", 0));
	ck_assert(!add("anna", "ONE", 1));
	ck_assert(add("anna", "two", 2));
	ck_assert(add("ann", "one", 3));
	ck_assert(add("", "one", 3));
	ck_assert_uint_eq(count("anna", 3), 2);
	ck_assert_uint_eq(count("ann", 3), 1);
	ck_assert_uint_eq(count("", 3), 1);
	ck_assert_uint_eq(count_entries(), 3);
}
END_TEST

START_TEST(keys_are_any_octets)
{
	const uint8_t keys[][4] = {{0, 0, 0, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}, {255, 255, 255, 255}};

	for (size_t i = 0; i < MXW_ARRAY_LEN(keys); i++)
		for (size_t len = 0; len <= sizeof keys[i]; len++)
			mxw__distinct_add(distinct, keys[i], len, 7, 0, WINDOW);
	/* The empty one; 0, 1, 255; 0.0, 1.0, 255.255; and so on: the second begins as the first does. */
	ck_assert_uint_eq(count_entries(), 1 + 3 + 3 + 3 + 4);
}
END_TEST

START_TEST(what_is_forgotten_begins_anew_and_leaves_the_others)
{
	add("anna", "one", 0);
	add("anna", "two", 0);
	add("bert", "one", 0);
	mxw__distinct_forget(distinct, "anna", 4);
	mxw__distinct_forget(distinct, "nobody", 6);
	ck_assert_uint_eq(count("anna", 0), 0);
	ck_assert_uint_eq(count("bert", 0), 1);
	ck_assert_uint_eq(count_entries(), 1);
	ck_assert(add("anna", "one", 1));
	ck_assert_uint_eq(count("anna", 1), 1);
	ck_assert_uint_eq(count_entries(), 2);
}
END_TEST

START_TEST(a_key_that_was_quiet_for_a_window_has_nothing)
{
	for (int i = 0; i < 100; i++) {
		char thing[20];
		snprintf(thing, sizeof thing, "%d", i);
		add(i < 50 ? "anna" : "bert", thing, i);
	}
	ck_assert_uint_gt(count("anna", 100), 40);
	ck_assert_uint_eq(count("anna", WINDOW + 100), 0);
	ck_assert(add("anna", "1", WINDOW + 100));
	ck_assert_uint_eq(count("anna", WINDOW + 100), 1);
}
END_TEST

START_TEST(under_pressure_the_keys_with_most_are_kept)
{
	struct mxw__distinct_stats stats;
	char text[20];

	for (int i = 0; i < 5; i++) {
		snprintf(text, sizeof text, "%d", i);
		add("keep", text, 0);
	}
	for (int i = 0; i < 50000; i++) {
		snprintf(text, sizeof text, "k%d", i);
		add(text, "one", 1);
		add(text, "two", 1);
	}
	ck_assert_uint_eq(count("keep", 1), 5);
	mxw__distinct_get_stats(distinct, &stats);
	ck_assert_uint_le(stats.entries, 1024);
	ck_assert_uint_eq(stats.entries + stats.evictions, 50001);
}
END_TEST

START_TEST(the_smallest_has_room_for_some)
{
	mxw__distinct_t *small;

	ck_assert_int_eq(mxw__distinct_new(1, &small), MXW_OK);
	ck_assert(mxw__distinct_add(small, "a", 1, 1, 0, WINDOW));
	ck_assert_uint_eq(mxw__distinct_count(small, "a", 1, 0, WINDOW), 1);
	mxw__distinct_free(small);
	mxw__distinct_free(NULL);
}
END_TEST

static void *hammer(void *arg)
{
	char key[20], thing[20];

	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof key, "k%d", i % 50);
		snprintf(thing, sizeof thing, "%d", i % 20);
		add(key, thing, i);
		count("k0", i);
		if (i % 100 == 99)
			mxw__distinct_forget(distinct, arg, 4);
	}
	return NULL;
}

START_TEST(threads_share_it)
{
	pthread_t threads[4];
	char key[] = "k100";

	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, key), 0);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(count_entries(), 50);
	/* Of 50 keys and 20 things, each key meets every tenth. */
	ck_assert_uint_eq(count("k0", 3000), 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("distinct");
	TCase *tc = tcase_create("distinct");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, each_key_counts_its_own_things_once_each);
	tcase_add_test(tc, keys_are_any_octets);
	tcase_add_test(tc, what_is_forgotten_begins_anew_and_leaves_the_others);
	tcase_add_test(tc, a_key_that_was_quiet_for_a_window_has_nothing);
	tcase_add_test(tc, under_pressure_the_keys_with_most_are_kept);
	tcase_add_test(tc, the_smallest_has_room_for_some);
	tcase_add_test(tc, threads_share_it);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
