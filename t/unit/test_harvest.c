/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pthread.h>
#include <stdio.h>

#include "src/track/harvest.h"
#include "src/track/sketch.h"
#include "t/fakes/suite.h"

enum { WINDOW = 3600 * 1000 };

static mxw__harvest_t *harvest;

static void setup(void)
{
	ck_assert_int_eq(mxw__harvest_new(1024, &harvest), MXW_OK);
}

static void teardown(void)
{
	mxw__harvest_free(harvest);
}

static struct mxw_ip ip(const char *text)
{
	struct mxw_ip addr;

	ck_assert_int_eq(mxw_ip_parse(text, &addr), MXW_OK);
	return addr;
}

static struct mxw__harvest_counts counts(const char *client, int64_t now_ms)
{
	struct mxw_ip addr = ip(client);
	struct mxw__harvest_counts c;

	mxw__harvest_count(harvest, &addr, now_ms, WINDOW, &c);
	return c;
}

static bool guess(const char *client, const char *prefix, unsigned n, int64_t now_ms)
{
	struct mxw_ip addr = ip(client);
	char rcpt[80];

	snprintf(rcpt, sizeof rcpt, "%s%u@example.net", prefix, n);
	return mxw__harvest_add(harvest, &addr, rcpt, now_ms, WINDOW);
}

START_TEST(the_same_address_counts_once)
{
	ck_assert(guess("192.0.2.1", "dead", 1, 0));
	for (int i = 1; i < 100; i++)
		ck_assert(!guess("192.0.2.1", i % 2 ? "DEAD" : "dead", 1, i));
	ck_assert_uint_eq(counts("192.0.2.1", 100).client, 1);
	ck_assert_uint_eq(counts("192.0.2.1", 100).network, 1);
	ck_assert_uint_eq(counts("192.0.2.1", 100).site, 1);
	ck_assert(guess("192.0.2.1", "dead", 2, 100));
	ck_assert_uint_eq(counts("192.0.2.1", 100).client, 2);
}
END_TEST

static const struct {
	const char *one, *other;
	bool same_client, same_network;
} pairs[] = {
	{"192.0.2.1", "192.0.2.1", true, true},
	{"192.0.2.1", "192.0.2.2", false, true},
	{"192.0.2.1", "192.0.3.1", false, false},
	{"192.0.2.0", "192.0.2.1", false, true},
	{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true, true},
	{"2001:db8:1:2::1", "2001:db8:1:3::1", false, true},
	{"2001:db8:1:2::1", "2001:db8:2:2::1", false, false},
	{"192.0.2.1", "c000:201::1", false, false},
};

START_TEST(a_client_is_an_address_or_64_its_network_24_or_48)
{
	guess(pairs[_i].one, "x", 1, 0);
	struct mxw__harvest_counts c = counts(pairs[_i].other, 0);
	ck_assert_uint_eq(c.client, pairs[_i].same_client);
	ck_assert_uint_eq(c.network, pairs[_i].same_network);
	ck_assert_uint_eq(c.site, 1);
	/* The same guess by the other one is no new one for what they share. */
	ck_assert(guess(pairs[_i].other, "x", 1, 0) != pairs[_i].same_client);
	ck_assert_uint_eq(counts(pairs[_i].other, 0).network, 1);
	ck_assert_uint_eq(counts(pairs[_i].other, 0).site, 1);
}
END_TEST

START_TEST(a_client_without_address_guesses_nothing)
{
	struct mxw_ip none = {0};
	struct mxw__harvest_counts c;

	ck_assert(!mxw__harvest_add(harvest, &none, "x@example.net", 0, WINDOW));
	mxw__harvest_count(harvest, &none, 0, WINDOW, &c);
	ck_assert_uint_eq(c.client + c.network + c.site, 0);
}
END_TEST

START_TEST(a_few_are_counted_exactly)
{
	for (unsigned n = 1; n <= MXW__SKETCH_FEW; n++) {
		ck_assert(guess("192.0.2.1", "few", n, n));
		ck_assert_uint_eq(counts("192.0.2.1", n).client, n);
	}
}
END_TEST

static double error_of(uint64_t estimate, unsigned n)
{
	double e = ((double)estimate - n) / n;
	return e < 0 ? -e : e;
}

/* One in 30,000 of a normal distribution lies beyond four standard deviations; each of these bounds is further away. */
static const struct {
	unsigned n;
	double client, site;
} sizes[] = {
	{33, 0.25, 0.05}, {50, 0.22, 0.05}, {100, 0.18, 0.03}, {500, 0.16, 0.02}, {1000, 0.25, 0.02}, {2000, 0.4, 0.02},
};

START_TEST(many_are_counted_within_some_percent)
{
	for (unsigned n = 0; n < sizes[_i].n; n++)
		guess("192.0.2.1", "many", n, n);
	struct mxw__harvest_counts c = counts("192.0.2.1", sizes[_i].n);
	ck_assert_double_lt(error_of(c.client, sizes[_i].n), sizes[_i].client);
	ck_assert_uint_eq(c.network, c.client);
	ck_assert_double_lt(error_of(c.site, sizes[_i].n), sizes[_i].site);
}
END_TEST

/* What the manual page says of typical errors: the mean over a hundred sketches. */
START_TEST(the_typical_error_is_what_the_manual_says)
{
	double sum = 0;

	for (unsigned k = 0; k < 100; k++) {
		struct mxw__sketch sketch;
		mxw__sketch_init(&sketch, 0);
		for (unsigned n = 0; n < 1000; n++)
			mxw__sketch_add(&sketch, (uint32_t)mxw__random_u64(), 0, WINDOW);
		sum += error_of(mxw__sketch_count(&sketch, 0, WINDOW), 1000);
	}
	/* 3.6 % are to be expected. */
	ck_assert_double_lt(sum / 100, 0.06);
}
END_TEST

START_TEST(a_large_site_is_counted_within_two_percent)
{
	char client[40];

	for (unsigned n = 0; n < 100000; n++) {
		if (n % 50 == 0)
			snprintf(client, sizeof client, "10.%u.%u.1", n / 50 / 200, n / 50 % 200);
		guess(client, "site", n, n);
	}
	ck_assert_double_lt(error_of(counts("10.0.0.1", 100000).site, 100000), 0.02);
}
END_TEST

START_TEST(a_flood_of_guesses_ends_at_a_bound)
{
	for (unsigned n = 0; n < 20000; n++)
		guess("192.0.2.1", "flood", n, 0);
	ck_assert_uint_ge(counts("192.0.2.1", 0).client, 3000);
	ck_assert_uint_le(counts("192.0.2.1", 0).client, 3600);
}
END_TEST

START_TEST(what_is_older_than_the_window_is_forgotten)
{
	const unsigned sizes_to_try[] = {10, 200};

	for (size_t i = 0; i < MXW_ARRAY_LEN(sizes_to_try); i++) {
		const char *client = i ? "192.0.2.1" : "198.51.100.1";
		int64_t start = (int64_t)i * 10 * WINDOW;
		for (unsigned n = 0; n < sizes_to_try[i]; n++)
			guess(client, "old", n, start + n);
		uint64_t all = counts(client, start + 1000).client;
		ck_assert_double_lt(error_of(all, sizes_to_try[i]), 0.2);
		ck_assert_uint_eq(counts(client, start + WINDOW * 3 / 4).client, all);
		ck_assert_uint_eq(counts(client, start + WINDOW + 1000).client, 0);
		ck_assert_uint_eq(counts(client, start + WINDOW + 1000).network, 0);
		ck_assert_uint_eq(counts(client, start + WINDOW + 1000).site, 0);
		/* And may be guessed anew. */
		ck_assert(guess(client, "old", 1, start + WINDOW + 1000));
		ck_assert_uint_eq(counts(client, start + WINDOW + 1000).client, 1);
	}
}
END_TEST

START_TEST(the_window_moves_on_by_quarters)
{
	/* 100 in each tenth of the window, for three windows: about a window's worth is counted at any time. */
	for (unsigned n = 0; n < 3000; n++) {
		int64_t now = (int64_t)n * (WINDOW / 1000);
		guess("192.0.2.1", "steady", n, now);
		if (n < 1000)
			continue;
		ck_assert_uint_gt(counts("192.0.2.1", now).client, 550);
		ck_assert_uint_lt(counts("192.0.2.1", now).client, 1300);
		ck_assert_uint_gt(counts("192.0.2.1", now).site, 700);
		ck_assert_uint_lt(counts("192.0.2.1", now).site, 1030);
	}
}
END_TEST

START_TEST(a_guess_repeated_stays_in_the_window)
{
	for (int i = 0; i < 20; i++) {
		ck_assert(guess("192.0.2.1", "again", 1, (int64_t)i * WINDOW / 2) == (i == 0));
		ck_assert_uint_eq(counts("192.0.2.1", (int64_t)i * WINDOW / 2).client, 1);
	}
}
END_TEST

START_TEST(time_that_goes_back_changes_nothing)
{
	for (unsigned n = 0; n < 50; n++)
		guess("192.0.2.1", "t", n, 1000000 - (int64_t)n * 1000);
	ck_assert_double_lt(error_of(counts("192.0.2.1", 0).client, 50), 0.25);
	ck_assert_double_lt(error_of(counts("192.0.2.1", 1000000).client, 50), 0.25);
}
END_TEST

START_TEST(another_window_may_come_with_a_reload)
{
	struct mxw_ip a = ip("192.0.2.1");
	struct mxw__harvest_counts c;

	for (unsigned n = 0; n < 100; n++)
		guess("192.0.2.1", "r", n, 0);
	mxw__harvest_count(harvest, &a, 120000, 60000, &c);
	ck_assert_uint_eq(c.client + c.network + c.site, 0);
	mxw__harvest_count(harvest, &a, 120000, 10 * (uint64_t)WINDOW, &c);
	ck_assert_double_lt(error_of(c.client, 100), 0.2);
}
END_TEST

START_TEST(under_pressure_those_who_guess_most_are_kept)
{
	struct mxw__harvest_stats stats;
	char client[40];

	for (unsigned n = 0; n < 20; n++)
		guess("203.0.113.9", "keep", n, 0);
	for (unsigned n = 0; n < 20000; n++) {
		snprintf(client, sizeof client, "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
		guess(client, "one", n, 1);
	}
	mxw__harvest_get_stats(harvest, &stats);
	ck_assert_uint_le(stats.entries, 1024);
	ck_assert_uint_gt(stats.evictions, 0);
	ck_assert_uint_eq(counts("203.0.113.9", 1).client, 20);
	ck_assert_uint_eq(counts("203.0.113.9", 1).network, 20);
}
END_TEST

enum { THREADS = 4, EACH = 2000 };

static void *hammer(void *arg)
{
	unsigned *me = arg;
	char client[40];

	for (unsigned n = 0; n < EACH; n++) {
		snprintf(client, sizeof client, "192.0.%u.%u", *me, n % 7);
		guess(client, "thread", n % 100, n);
		counts("192.0.2.1", n);
	}
	return NULL;
}

START_TEST(threads_share_it)
{
	pthread_t threads[THREADS];
	unsigned ids[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		ids[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, &ids[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_double_lt(error_of(counts("192.0.2.1", EACH).site, 100), 0.03);
	ck_assert_double_lt(error_of(counts("192.0.2.1", EACH).network, 100), 0.2);
}
END_TEST

/* ... and goes on doing so when the first guesses are out of the window, but never with more. */
START_TEST(a_client_counts_a_little_for_its_network_as_long_as_it_goes_on)
{
	char rcpt[32];
	struct mxw_ip a, b;

	ck_assert_int_eq(mxw_ip_parse("192.0.2.1", &a), MXW_OK);
	ck_assert_int_eq(mxw_ip_parse("192.0.2.2", &b), MXW_OK);
	for (int i = 0; i < 200; i++) {
		int64_t now_ms = i * (WINDOW / 20);
		snprintf(rcpt, sizeof rcpt, "a%d@example.net", i);
		if (i < 2)
			mxw__harvest_add(harvest, &a, rcpt, now_ms, WINDOW);
		else
			mxw__harvest_add_alone(harvest, &a, rcpt, now_ms, WINDOW);
		ck_assert_uint_le(counts("192.0.2.9", now_ms).network, 4);
		if (i >= 4)
			ck_assert_uint_ge(counts("192.0.2.9", now_ms).network, 2);
		if (i >= 4)
			ck_assert_uint_ge(counts("192.0.2.1", now_ms).client, 5);
	}
	/* What somebody else there has tried as well is the same guess. */
	int64_t now_ms = 200 * (WINDOW / 20);
	mxw__harvest_add(harvest, &b, "x@example.net", now_ms, WINDOW);
	mxw__harvest_add(harvest, &b, "y@example.net", now_ms, WINDOW);
	uint64_t before = counts("192.0.2.9", now_ms).network;
	mxw__harvest_add_alone(harvest, &b, "x@example.net", now_ms, WINDOW);
	ck_assert_uint_eq(counts("192.0.2.9", now_ms).network, before);
	mxw__harvest_add_alone(harvest, &b, "z@example.net", now_ms, WINDOW);
	ck_assert_uint_eq(counts("192.0.2.9", now_ms).network, before + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("harvest");
	TCase *tc = tcase_create("harvest");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_same_address_counts_once);
	tcase_add_loop_test(tc, a_client_is_an_address_or_64_its_network_24_or_48, 0, MXW_ARRAY_LEN(pairs));
	tcase_add_test(tc, a_client_without_address_guesses_nothing);
	tcase_add_test(tc, a_few_are_counted_exactly);
	tcase_add_loop_test(tc, many_are_counted_within_some_percent, 0, MXW_ARRAY_LEN(sizes));
	tcase_add_test(tc, the_typical_error_is_what_the_manual_says);
	tcase_add_test(tc, a_large_site_is_counted_within_two_percent);
	tcase_add_test(tc, a_flood_of_guesses_ends_at_a_bound);
	tcase_add_test(tc, what_is_older_than_the_window_is_forgotten);
	tcase_add_test(tc, the_window_moves_on_by_quarters);
	tcase_add_test(tc, a_guess_repeated_stays_in_the_window);
	tcase_add_test(tc, time_that_goes_back_changes_nothing);
	tcase_add_test(tc, another_window_may_come_with_a_reload);
	tcase_add_test(tc, under_pressure_those_who_guess_most_are_kept);
	tcase_add_test(tc, threads_share_it);
	tcase_add_test(tc, a_client_counts_a_little_for_its_network_as_long_as_it_goes_on);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
