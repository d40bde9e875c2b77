/* SPDX-License-Identifier: BSD-2-Clause */
/* Pairs that were seen lately (seen.h), and a harvest that is spread over many clients (spread.h). */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "src/track/seen.h"
#include "src/track/spread.h"
#include "t/fakes/suite.h"

enum { WINDOW = 3600 * 1000, PAIRS = 4096 };

static mxw__seen_t *seen;
static mxw__spread_t *spread;

static void setup(void)
{
	ck_assert_int_eq(mxw__seen_new(PAIRS, &seen), MXW_OK);
	ck_assert_int_eq(mxw__spread_new(&spread), MXW_OK);
}

static void teardown(void)
{
	mxw__seen_free(seen);
	mxw__spread_free(spread);
}

static bool see(const char *key, const char *thing, int64_t now_ms)
{
	return mxw__seen_add(seen, key, strlen(key), mxw__seen_hash(seen, thing, strlen(thing)), now_ms, WINDOW);
}

START_TEST(a_pair_is_new_once_in_a_window)
{
	ck_assert(see("a", "x", 0));
	ck_assert(!see("a", "x", 1000));
	ck_assert(see("a", "y", 1000));
	ck_assert(see("b", "x", 1000));
	ck_assert(!see("a", "x", WINDOW - 1000));
	/* Not put off by being seen again. */
	ck_assert(see("a", "x", WINDOW));
	ck_assert(!see("a", "x", WINDOW + 1000));
}
END_TEST

START_TEST(what_is_forgotten_is_new)
{
	ck_assert(see("a", "x", 5000));
	ck_assert(see("a", "y", 5000));
	mxw__seen_forget(seen, "a", 1, mxw__seen_hash(seen, "x", 1));
	mxw__seen_forget(seen, "a", 1, mxw__seen_hash(seen, "z", 1));
	ck_assert(see("a", "x", 5000));
	ck_assert(!see("a", "y", 5000));
}
END_TEST

START_TEST(too_many_pairs_push_out_the_oldest)
{
	char thing[16];
	unsigned left = 0;

	for (int i = 0; i < 10 * PAIRS; i++) {
		snprintf(thing, sizeof thing, "%d", i);
		ck_assert(see("a", thing, i));
	}
	for (int i = 10 * PAIRS - PAIRS / 4; i < 10 * PAIRS; i++) {
		snprintf(thing, sizeof thing, "%d", i);
		left += !see("a", thing, 10 * PAIRS);
	}
	ck_assert_uint_gt(left, PAIRS / 4 - PAIRS / 40);
}
END_TEST

static void guess(unsigned network, unsigned rcpt, int64_t now_ms)
{
	char text[32];

	snprintf(text, sizeof text, "x%u@example.net", rcpt);
	mxw__spread_try(spread, now_ms, WINDOW);
	mxw__spread_guess(spread, &network, sizeof network, text, now_ms, WINDOW);
}

static struct mxw__spread_counts counts(int64_t now_ms)
{
	struct mxw__spread_counts c;

	mxw__spread_count(spread, now_ms, WINDOW, &c);
	return c;
}

START_TEST(different_guesses_and_networks_are_counted)
{
	ck_assert_uint_eq(counts(0).guesses, 0);
	ck_assert_uint_eq(counts(0).share, 0);
	for (unsigned i = 0; i < 60; i++)
		guess(i % 6, i % 20, i);
	ck_assert_uint_eq(counts(60).guesses, 20);
	ck_assert_uint_eq(counts(60).networks, 6);
	ck_assert_uint_eq(counts(60).share, 100);
	for (unsigned i = 0; i < 180; i++)
		mxw__spread_try(spread, 60, WINDOW);
	ck_assert_uint_eq(counts(60).share, 25);
	/* Two windows later: the counts are over, the share stays what it was until there is something new. */
	ck_assert_uint_eq(counts(2 * WINDOW).guesses, 0);
	ck_assert_uint_eq(counts(2 * WINDOW).networks, 0);
	ck_assert_uint_eq(counts(2 * WINDOW).share, 25);
	/* Time that goes back changes nothing. */
	guess(1, 1, 0);
	ck_assert_uint_le(counts(2 * WINDOW).share, 30);
}
END_TEST

START_TEST(who_goes_on_counts_with_some_guesses)
{
	char text[16];

	for (unsigned i = 0; i < 500; i++) {
		snprintf(text, sizeof text, "%u", i);
		mxw__spread_guess_more(spread, i % 2 ? "a" : "b", 1, text, i, WINDOW);
	}
	ck_assert_uint_eq(counts(500).guesses, 20);
	ck_assert_uint_eq(counts(500).networks, 2);
	ck_assert_uint_eq(counts(500).share, 100);
	/* Of all that was tried it is as much, however much it is. */
	for (unsigned i = 0; i < 20; i++)
		mxw__spread_try(spread, 500, WINDOW);
	ck_assert_uint_eq(counts(500).share, 50);
	ck_assert_uint_eq(counts(2 * WINDOW).guesses, 0);
}
END_TEST

static void *work(void *arg)
{
	unsigned thread = (unsigned)(uintptr_t)arg;
	char key[16], thing[16];

	for (unsigned i = 0; i < 5000; i++) {
		snprintf(key, sizeof key, "%u", i % 7);
		snprintf(thing, sizeof thing, "%u", i);
		see(key, thing, i);
		mxw__seen_forget(seen, key, strlen(key), mxw__seen_hash(seen, thing, strlen(thing)));
		guess(thread, i, i);
		mxw__spread_guess_more(spread, "x", 1, thing, i, WINDOW);
		counts(i);
	}
	return NULL;
}

START_TEST(threads_share_it)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(counts(5000).networks, 5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("seen");
	TCase *tc = tcase_create("seen");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_pair_is_new_once_in_a_window);
	tcase_add_test(tc, what_is_forgotten_is_new);
	tcase_add_test(tc, too_many_pairs_push_out_the_oldest);
	tcase_add_test(tc, different_guesses_and_networks_are_counted);
	tcase_add_test(tc, who_goes_on_counts_with_some_guesses);
	tcase_add_test(tc, threads_share_it);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
