/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

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

/* ---- a million addresses ---- */

enum { ADDRESSES = 1000000, PLACES = 50000, KNOWN = 1000, BEHIND = 1000, OFFENDER = 10, HOST = 11, FLOOD = 12 };

static struct mxw__key numbered(uint8_t net, uint32_t i)
{
	struct mxw_ip a = {.family = 4, .bytes = {net, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};

	return mxw__key_of_ip(MXW__KEY_ADDRESS, &a);
}

/* `events` of each address, 10 points each, with those of a thousand others between them, in one half-life. */
static void flood(mxw__table_t *t, unsigned events, int64_t from_ms)
{
	for (uint32_t i = 0; i < ADDRESSES + events * BEHIND; i++) {
		int64_t now_ms = from_ms + (int64_t)i * HALF_LIFE / ADDRESSES;
		for (uint32_t e = 0; e < events; e++) {
			if (i < e * BEHIND || i - e * BEHIND >= ADDRESSES)
				continue;
			struct mxw__key k = numbered(FLOOD, i - e * BEHIND);
			mxw__table_add(t, &k, MXW__EVENT_UNKNOWN_RCPT, 1, 10, now_ms);
		}
	}
}

/* How many of them are as they were. */
static unsigned count_intact(mxw__table_t *t, uint8_t net, double wanted_score, double wanted_good, int64_t now_ms)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < KNOWN; i++) {
		struct mxw__key k = numbered(net, i);
		struct mxw__standing standing;
		n += mxw__table_get(t, &k, now_ms, &standing) && fabs(standing.score - wanted_score) < 0.01 + wanted_score / 100 &&
		     fabs(standing.good - wanted_good) < 0.01 + wanted_good / 100;
	}
	return n;
}

static const struct {
	unsigned events;
	int64_t lives; /* half-lives that the known have been quiet for when it begins */
} floods[] = {{1, 0}, {3, 0}, {3, 5}};

/*
 * The offenders have come twice within a half-life and then been quiet, so that each address of the flood has more points than they; the
 * good hosts have sent two messages.
 */
START_TEST(a_million_addresses_push_out_neither_offenders_nor_good_hosts)
{
	struct mxw__table_options options = {.max_entries = PLACES, .half_life_ms = HALF_LIFE, .credit = 50,
					     .history_half_life_ms = 300 * HALF_LIFE, .clock = mxw_clock_system()};
	int64_t began = (floods[_i].lives + 1) * HALF_LIFE, ended = began + HALF_LIFE + floods[_i].events * HALF_LIFE * BEHIND / ADDRESSES;
	struct mxw__table_stats before, after;
	mxw__table_t *t;

	ck_assert_int_eq(mxw__table_new(&options, &t), MXW_OK);
	mxw__table_get_stats(t, &before);
	for (uint32_t i = 0; i < KNOWN; i++) {
		struct mxw__key offender = numbered(OFFENDER, i), host = numbered(HOST, i);
		mxw__table_add(t, &offender, MXW__EVENT_SPAM, 1, 40, 0);
		mxw__table_add(t, &offender, MXW__EVENT_SPAM, 1, 40, HALF_LIFE);
		mxw__table_add_good(t, &host, 2, HALF_LIFE);
	}
	flood(t, floods[_i].events, began);
	mxw__table_get_stats(t, &after);
	ck_assert_uint_le(after.entries, PLACES);
	ck_assert_uint_gt(after.entries, PLACES * 98 / 100);
	ck_assert_uint_eq(after.bytes, before.bytes);
	ck_assert_uint_le(after.bytes, (size_t)200 * after.entries);
	unsigned offenders = count_intact(t, OFFENDER, 60 * exp2(-(double)(ended - HALF_LIFE) / HALF_LIFE), 0, ended);
	unsigned hosts = count_intact(t, HOST, 0, 2 * exp2(-(double)(ended - HALF_LIFE) / HALF_LIFE / 300), ended);
	printf("%u events of each of %u addresses: %llu entries, %.1f bytes each; of %u each, %u offenders and %u good hosts are intact\n",
	       floods[_i].events, (unsigned)ADDRESSES, (unsigned long long)after.entries, (double)after.bytes / (double)after.entries,
	       (unsigned)KNOWN, offenders, hosts);
	ck_assert_uint_eq(offenders, KNOWN);
	ck_assert_uint_eq(hosts, KNOWN);
	mxw__table_free(t);
}
END_TEST

/* Among those that only pass by, the worst is kept. */
START_TEST(of_newcomers_the_one_with_most_points_stays)
{
	struct mxw__key worst = numbered(OFFENDER, 1);

	mxw__table_add(table, &worst, MXW__EVENT_SPAM, 1, 50, 0);
	for (uint32_t i = 0; i < 100000; i++) {
		struct mxw__key k = numbered(FLOOD, i);
		mxw__table_add(table, &k, MXW__EVENT_UNKNOWN_RCPT, 1, 10, i / 100);
	}
	ck_assert_double_gt(mxw__table_score(table, &worst, 1000), 49);
}
END_TEST

/* Nobody is established for ever. */
START_TEST(who_has_been_away_for_long_makes_room)
{
	struct mxw__key old = numbered(OFFENDER, 1);
	const int64_t later = 100 * 10 * (int64_t)HALF_LIFE;

	mxw__table_add(table, &old, MXW__EVENT_SPAM, 1, 50, 0);
	mxw__table_add(table, &old, MXW__EVENT_SPAM, 1, 50, 5 * HALF_LIFE);
	for (uint32_t i = 0; i < 100000; i++) {
		struct mxw__key k = numbered(FLOOD, i);
		mxw__table_add(table, &k, MXW__EVENT_UNKNOWN_RCPT, 1, 10, later + i);
	}
	struct mxw__standing standing;
	ck_assert(!mxw__table_get(table, &old, later, &standing));
}
END_TEST

static const struct {
	size_t max_entries, max_bytes;
} bounds[] = {{1000, 0}, {1000, 1 << 20}, {200000, 1 << 20}, {200000, 64 << 20}, {1000000, 0}, {50000, 1}, {1, 0}, {12345, 0}};

START_TEST(both_bounds_hold)
{
	struct mxw__table_options options = {.max_entries = bounds[_i].max_entries, .max_bytes = bounds[_i].max_bytes,
					     .half_life_ms = HALF_LIFE, .clock = mxw_clock_system()};
	struct mxw__table_stats stats;
	mxw__table_t *t;

	ck_assert_int_eq(mxw__table_new(&options, &t), MXW_OK);
	mxw__table_get_stats(t, &stats);
	/* One set of slots is the least that there can be. */
	ck_assert_uint_le(stats.max_entries, bounds[_i].max_entries > 8 ? bounds[_i].max_entries : 8);
	ck_assert(!bounds[_i].max_bytes || stats.bytes <= bounds[_i].max_bytes || stats.max_entries == 8 * 64);
	if (!bounds[_i].max_bytes && bounds[_i].max_entries >= 1000) {
		ck_assert_uint_gt(stats.max_entries, bounds[_i].max_entries * 95 / 100);
		ck_assert_uint_le(stats.bytes, 200 * stats.max_entries);
	}
	struct mxw__key k = numbered(HOST, 1);
	ck_assert_double_gt(mxw__table_add(t, &k, MXW__EVENT_SPAM, 1, 5, 0), 4.9);
	mxw__table_free(t);
}
END_TEST

/* ---- one entry ---- */

START_TEST(events_are_counted_by_kind_and_decay)
{
	struct mxw__key a = key("192.0.2.1");
	struct mxw__standing standing;

	for (int i = 0; i < MXW__EVENT_COUNT; i++)
		mxw__table_add(table, &a, (mxw__event_t)i, i, 0, 1000);
	/* Many small steps, each less than what a float can tell apart. */
	for (int i = 0; i < HALF_LIFE; i++)
		mxw__table_add(table, &a, MXW__EVENT_COUNT, 0, 0, 1000 + i);
	ck_assert(mxw__table_get(table, &a, 1000 + HALF_LIFE, &standing));
	for (int i = 0; i < MXW__EVENT_COUNT; i++)
		ck_assert_double_eq_tol(standing.counts[i], i / 2.0, 0.002 * i + 1e-9);
	ck_assert_int_eq(standing.first_ms, 1000);
	ck_assert_int_eq(standing.last_ms, HALF_LIFE);
}
END_TEST

START_TEST(one_event_shows_as_one)
{
	struct mxw__key a = key("192.0.2.1");
	struct mxw__standing standing;

	mxw__table_add(table, &a, MXW__EVENT_SPAM, 1, 10, 1000);
	ck_assert(mxw__table_get(table, &a, 1000 + HALF_LIFE / 100, &standing));
	ck_assert_double_eq_tol(standing.counts[MXW__EVENT_SPAM], 1, 0.01);
	ck_assert_double_eq_tol(standing.score, 10, 0.1);
}
END_TEST

START_TEST(good_history_decays_with_its_own_half_life)
{
	struct mxw__key a = key("192.0.2.1");
	struct mxw__standing standing;

	mxw__table_add_good(table, &a, 8, 0);
	mxw__table_add(table, &a, MXW__EVENT_ABORT, 1, 8, 0);
	ck_assert(mxw__table_get(table, &a, 10 * HALF_LIFE, &standing));
	ck_assert_double_eq_tol(standing.good, 4, 1e-4);
	ck_assert_double_eq_tol(standing.score, 8 / 1024.0, 1e-4);
}
END_TEST

START_TEST(points_within_a_bound_do_not_bring_a_score_beyond_it)
{
	struct mxw__key a = key("192.0.2.1"), none = {0};
	struct mxw__standing standing;

	ck_assert_double_eq_tol(mxw__table_add_within(table, &a, MXW__EVENT_ABORT, 1, 10, 15, 0), 10, 1e-4);
	ck_assert_double_eq_tol(mxw__table_add_within(table, &a, MXW__EVENT_ABORT, 1, 10, 15, 0), 5, 1e-4);
	ck_assert_double_eq_tol(mxw__table_add_within(table, &a, MXW__EVENT_ABORT, 1, 10, 15, 0), 0, 1e-4);
	ck_assert_double_eq_tol(mxw__table_add(table, &a, MXW__EVENT_SPAM, 1, 20, 0), 35, 1e-4);
	/* What is beyond already stays. */
	ck_assert_double_eq_tol(mxw__table_add_within(table, &a, MXW__EVENT_ABORT, 1, 10, 15, 0), 0, 1e-4);
	ck_assert_double_eq_tol(mxw__table_score(table, &a, 0), 35, 1e-4);
	ck_assert(mxw__table_get(table, &a, 0, &standing));
	ck_assert_double_eq_tol(standing.counts[MXW__EVENT_ABORT], 4, 1e-4);
	/* Credit is used up first. */
	mxw__table_add(table, &a, MXW__EVENT_ALIGNED_MESSAGE, 1, -40, 0);
	ck_assert_double_eq_tol(mxw__table_add_within(table, &a, MXW__EVENT_ABORT, 1, 30, 15, 0), 20, 1e-4);
	ck_assert_double_eq(mxw__table_add_within(table, &none, MXW__EVENT_ABORT, 1, 30, 15, 0), 0);
}
END_TEST

START_TEST(a_flood_goes_beyond_its_bound)
{
	struct mxw__key a = key("192.0.2.1");

	/* As many as two each second come to, decaying. */
	double flood = 2 * (double)HALF_LIFE / 1000 / 0.693147;

	mxw__table_add_within(table, &a, MXW__EVENT_ABORT, flood - 1, 20, 15, 0);
	ck_assert_double_eq_tol(mxw__table_add_within(table, &a, MXW__EVENT_ABORT, 1, 10, 15, 0), 0, 1e-4);
	ck_assert_double_eq_tol(mxw__table_add_within(table, &a, MXW__EVENT_NO_MESSAGE, 1, 10, 15, 0), 0, 1e-4);
	ck_assert_double_eq_tol(mxw__table_add_within(table, &a, MXW__EVENT_ABORT, 1, 10, 15, 0), 10, 1e-4);
}
END_TEST

START_TEST(good_events_lower_a_score_to_the_credit_and_no_further)
{
	struct mxw__key a = key("192.0.2.1");

	mxw__table_add(table, &a, MXW__EVENT_ABORT, 1, 20, 0);
	ck_assert_double_eq_tol(mxw__table_add(table, &a, MXW__EVENT_ALIGNED_MESSAGE, 1, -30, 0), -10, 1e-4);
	ck_assert_double_eq_tol(mxw__table_add(table, &a, MXW__EVENT_ALIGNED_MESSAGE, 1, -300, 0), -50, 1e-4);
	struct mxw__table_options less = {.half_life_ms = HALF_LIFE, .history_half_life_ms = HALF_LIFE, .credit = 10};
	mxw__table_configure(table, &less);
	ck_assert_double_eq_tol(mxw__table_add(table, &a, MXW__EVENT_ALIGNED_MESSAGE, 1, -1, 0), -50, 1e-4);
	ck_assert_double_eq_tol(mxw__table_add(table, &a, MXW__EVENT_ABORT, 1, 45, 0), -5, 1e-4);
}
END_TEST

START_TEST(forgiving_leaves_good_history)
{
	struct mxw__key a = key("192.0.2.1"), other = key("192.0.2.2");
	struct mxw__standing standing;

	mxw__table_add(table, &a, MXW__EVENT_ABORT, 1, 20, 1000);
	mxw__table_add_good(table, &a, 3, 1000);
	ck_assert(!mxw__table_forgive(table, &other, 1000));
	ck_assert(mxw__table_forgive(table, &a, 1000));
	ck_assert(mxw__table_get(table, &a, 1000, &standing));
	ck_assert_double_eq_tol(standing.score + standing.counts[MXW__EVENT_ABORT], 0, 1e-9);
	ck_assert_double_eq_tol(standing.good, 3, 1e-4);
}
END_TEST

START_TEST(a_walk_sees_each_entry_once)
{
	enum { N = 700, STEP = 7 };
	struct mxw__standing standings[STEP];
	bool seen[N] = {false};
	uint64_t cursor = 0;
	size_t n, all = 0;

	for (uint32_t i = 0; i < N; i++) {
		struct mxw__key k = numbered(HOST, i);
		mxw__table_add(table, &k, MXW__EVENT_ABORT, 1, i, 0);
	}
	while ((n = mxw__table_walk(table, &cursor, 0, standings, STEP)) > 0) {
		for (size_t i = 0; i < n; i++) {
			size_t at = (size_t)(standings[i].score + 0.5);
			ck_assert_uint_lt(at, N);
			ck_assert(!seen[at]);
			seen[at] = true;
		}
		all += n;
	}
	struct mxw__table_stats stats;
	mxw__table_get_stats(table, &stats);
	ck_assert_uint_eq(all, stats.entries);
	ck_assert_uint_eq(stats.entries + stats.evictions, N);
}
END_TEST

/* ---- threads ---- */

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

enum { WORKERS = 4, ROUNDS = 4000, KEYS = 3000 };

/* Everything that can be done to a table at once; the sanitizers judge. */
static void *use_all(void *arg)
{
	static const struct mxw__state_sort *const sorts[] = {&mxw__table_sort, &mxw__table_good_sort};
	uint64_t random = *(unsigned *)arg + 1, cursor = 0;
	struct mxw__state_record *records = calloc(20, sizeof *records);
	struct mxw__standing standings[20];

	for (int64_t i = 0; records && i < ROUNDS; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		struct mxw__key k = numbered(HOST, (uint32_t)(random >> 33) % KEYS);
		const struct mxw__state_sort *sort = sorts[random >> 20 & 1];
		mxw__state_reader_t reader = random >> 21 & 1 ? MXW__STATE_DISK : MXW__STATE_SHARE;
		mxw__table_add(table, &k, (mxw__event_t)(random >> 40 & 15), 1, 10, i);
		mxw__table_add_good(table, &k, 1, i);
		mxw__table_get(table, &k, i, &standings[0]);
		if (i % 16 == 0 && mxw__table_walk(table, &cursor, i, standings, 20) == 0)
			cursor = 0;
		size_t n = i % 16 == 1 ? sort->take(table, reader, records, 20) : 0;
		for (size_t r = 0; r < n; r++)
			(r % 2 ? sort->put : sort->give_back)(table, reader, &records[r]);
		if (i % 64 == 2)
			mxw__table_forgive(table, &k, i);
		if (i % 1024 == 3)
			sort->mark_all(table, reader);
	}
	free(records);
	return NULL;
}

START_TEST(threads_may_do_everything_at_once)
{
	pthread_t threads[WORKERS];
	unsigned ids[WORKERS];
	struct mxw__table_stats stats;

	for (unsigned i = 0; i < WORKERS; i++) {
		ids[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use_all, &ids[i]), 0);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	mxw__table_get_stats(table, &stats);
	ck_assert_uint_gt(stats.entries, 900);
	ck_assert_uint_le(stats.entries, 1024);
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
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_million_addresses_push_out_neither_offenders_nor_good_hosts, 0, MXW_ARRAY_LEN(floods));
	tcase_add_test(tc, of_newcomers_the_one_with_most_points_stays);
	tcase_add_test(tc, who_has_been_away_for_long_makes_room);
	tcase_add_loop_test(tc, both_bounds_hold, 0, MXW_ARRAY_LEN(bounds));
	tcase_add_test(tc, events_are_counted_by_kind_and_decay);
	tcase_add_test(tc, one_event_shows_as_one);
	tcase_add_test(tc, good_history_decays_with_its_own_half_life);
	tcase_add_test(tc, points_within_a_bound_do_not_bring_a_score_beyond_it);
	tcase_add_test(tc, a_flood_goes_beyond_its_bound);
	tcase_add_test(tc, good_events_lower_a_score_to_the_credit_and_no_further);
	tcase_add_test(tc, forgiving_leaves_good_history);
	tcase_add_test(tc, a_walk_sees_each_entry_once);
	tcase_add_test(tc, no_event_is_lost_between_threads);
	tcase_add_test(tc, threads_may_do_everything_at_once);
	tcase_add_test(tc, a_client_without_an_address_has_no_score);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
