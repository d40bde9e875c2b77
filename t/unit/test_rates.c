/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/opens.h"
#include "src/track/rates.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/suite.h"

static struct fake_clock fake;
static mxw__rates_t *rates;

static const char *const names[] = {"a", "b"};

static mxw__rates_t *make(void)
{
	mxw__rates_t *r;

	ck_assert_int_eq(mxw__rates_new(1024, &fake.clock, &r), MXW_OK);
	ck_assert_int_eq(mxw__rates_configure(r, names, MXW_ARRAY_LEN(names)), MXW_OK);
	return r;
}

static void setup(void)
{
	fake_clock_init(&fake);
	rates = make();
}

static void teardown(void)
{
	mxw__rates_free(rates);
}

static int64_t now(void)
{
	return mxw__now_ms(&fake.clock);
}

static struct mxw__rate rate(const char *name, uint64_t count, uint64_t window_ms, uint64_t burst)
{
	return (struct mxw__rate){mxw__rate_id(name), count, window_ms, burst};
}

static struct mxw__key numbered(uint32_t n)
{
	struct mxw_ip ip = {.family = 4, .bytes = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};

	return mxw__key_of_ip(MXW__KEY_ADDRESS, &ip);
}

/* How many pass at once. */
static unsigned at_once(mxw__rates_t *r, const struct mxw__rate *of, const struct mxw__key *key, int64_t now_ms)
{
	unsigned n = 0;

	while (n < 100000 && mxw__rates_take(r, of, key, 1, now_ms))
		n++;
	return n;
}

static const struct {
	uint64_t count, window_ms, burst;
} shapes[] = {
	{60, 60000, 60}, {7, 60000, 7}, {1, 1000, 1}, {3, 86400000, 1}, {1000, 3600000, 50000}, {1000000, 1000, 9}, {11, 13000, 1100},
};

START_TEST(a_whole_burst_passes_at_once_and_then_the_rate)
{
	struct mxw__rate r = rate("a", shapes[_i].count, shapes[_i].window_ms, shapes[_i].burst);
	struct mxw__key key = numbered(1);
	unsigned n = 0;

	ck_assert_uint_eq(at_once(rates, &r, &key, 5000), r.burst);
	ck_assert(!mxw__rates_has_room(rates, &r, &key, 5000));
	/* Ten windows, in steps of a hundredth, or a millisecond. */
	int64_t step = (int64_t)(r.window_ms / 100 ? r.window_ms / 100 : 1);
	for (int64_t t = 5000; t <= 5000 + 10 * (int64_t)r.window_ms; t += step)
		n += at_once(rates, &r, &key, t);
	ck_assert_uint_ge(n, 10 * r.count - (r.burst < r.count / 50 ? 10 * r.count : 1));
	ck_assert_uint_le(n, 10 * r.count);
	/* Who waits has the burst again. */
	ck_assert_uint_eq(at_once(rates, &r, &key, INT64_C(1) << 40), r.burst);
}
END_TEST

/* The bucket, in so many words: it leaks, and takes what fits. Exact, in nanoseconds times the count. */
struct bucket {
	__int128 level, room, leak_per_ms, drop;
	int64_t at_ms;
};

static bool pour(struct bucket *b, uint64_t n, int64_t now_ms)
{
	if (now_ms > b->at_ms) {
		b->level -= b->leak_per_ms * (now_ms - b->at_ms);
		b->level = b->level > 0 ? b->level : 0;
		b->at_ms = now_ms;
	}
	if (b->level + b->drop * n > b->room)
		return false;
	b->level += b->drop * n;
	return true;
}

START_TEST(it_is_the_leaky_bucket)
{
	/* Rates whose span is a whole number of nanoseconds, so that both are exact. */
	static const uint64_t counts[] = {1, 2, 5, 10, 50, 100};
	unsigned seed = (unsigned)_i + 1, passed = 0, refused = 0;
	struct mxw__rate r = rate("a", counts[(size_t)_i % MXW_ARRAY_LEN(counts)], 1000u * (1u + (unsigned)_i % 7), 1u + (unsigned)_i % 20);
	struct mxw__key key = numbered((uint32_t)_i);
	struct bucket b = {.room = (__int128)r.burst * r.window_ms, .leak_per_ms = r.count, .drop = r.window_ms};
	int64_t t = 1000;

	for (int i = 0; i < 5000; i++) {
		uint64_t n = 1 + (uint64_t)rand_r(&seed) % 3;
		t += rand_r(&seed) % (int)(r.window_ms / r.count + 2);
		bool expected = pour(&b, n, t);
		ck_assert_msg(mxw__rates_take(rates, &r, &key, n, t) == expected, "step %d", i);
		passed += expected;
		refused += !expected;
	}
	ck_assert_uint_gt(passed, 0);
	ck_assert_uint_gt(refused + r.burst, 10);
}
END_TEST

START_TEST(time_that_goes_back_gives_nothing_away)
{
	struct mxw__rate r = rate("a", 10, 10000, 10);
	struct mxw__key key = numbered(1);

	ck_assert_uint_eq(at_once(rates, &r, &key, 100000), 10);
	ck_assert_uint_eq(at_once(rates, &r, &key, 1000), 0);
	ck_assert_uint_eq(at_once(rates, &r, &key, 100000), 0);
	ck_assert_uint_eq(at_once(rates, &r, &key, 103000), 3);
}
END_TEST

START_TEST(keys_and_limits_do_not_mix)
{
	struct mxw__rate a = rate("a", 5, 1000, 5), b = rate("b", 5, 1000, 5);
	struct mxw__key one = numbered(1), two = numbered(2), none = {0};

	ck_assert_uint_eq(at_once(rates, &a, &one, 0), 5);
	ck_assert_uint_eq(at_once(rates, &a, &two, 0), 5);
	ck_assert_uint_eq(at_once(rates, &a, &none, 0), 5);
	ck_assert_uint_eq(at_once(rates, &b, &one, 0), 5);
	ck_assert_uint_eq(at_once(rates, &b, &none, 0), 5);
}
END_TEST

START_TEST(what_has_happened_counts_up_to_twice_the_burst)
{
	struct mxw__rate r = rate("a", 100, 10000, 200);
	struct mxw__key key = numbered(1);

	ck_assert_double_eq_tol(mxw__rates_charge(rates, &r, &key, 150, 0), 150, 0.001);
	ck_assert(mxw__rates_has_room(rates, &r, &key, 0));
	ck_assert_double_eq_tol(mxw__rates_charge(rates, &r, &key, UINT64_MAX, 0), 400, 0.001);
	ck_assert(!mxw__rates_has_room(rates, &r, &key, 19000));
	ck_assert(mxw__rates_has_room(rates, &r, &key, 20200));
	ck_assert_double_eq_tol(mxw__rates_level(rates, &r, &key, 30000), 100, 0.001);
	ck_assert_double_eq_tol(mxw__rates_level(rates, &r, &key, 90000), 0, 0.001);
}
END_TEST

START_TEST(a_smaller_rate_after_a_reload_does_not_lock_out_for_long)
{
	struct mxw__rate large = rate("a", 10, 86400000, 1000), small = rate("a", 10, 60000, 10);
	struct mxw__key key = numbered(1);

	ck_assert_uint_eq(at_once(rates, &large, &key, 0), 1000);
	ck_assert(!mxw__rates_take(rates, &small, &key, 1, 0));
	ck_assert_int_eq(mxw__rates_configure(rates, names, 1), MXW_OK);
	ck_assert(!mxw__rates_take(rates, &small, &key, 1, 1000));
	/* What others have is forgotten when they go. */
	ck_assert_int_eq(mxw__rates_configure(rates, names + 1, 1), MXW_OK);
	ck_assert(mxw__rates_take(rates, &small, &key, 1, 1000));
}
END_TEST

START_TEST(a_flood_of_keys_neither_grows_the_table_nor_frees_who_is_over)
{
	struct mxw__rate r = rate("a", 10, 100000, 10);
	struct mxw__key offender = numbered(1);
	struct mxw__rates_stats stats;

	at_once(rates, &r, &offender, 0);
	for (uint32_t i = 100; i < 100100; i++) {
		struct mxw__key key = numbered(i);
		mxw__rates_take(rates, &r, &key, 1, 0);
	}
	mxw__rates_get_stats(rates, &stats);
	ck_assert_uint_le(stats.entries, stats.max_entries);
	ck_assert_uint_le(stats.max_entries, 1024);
	ck_assert_uint_gt(stats.evictions, 90000);
	ck_assert(!mxw__rates_take(rates, &r, &offender, 1, 0));
}
END_TEST

static atomic_uint passed;

static void *take_many(void *arg)
{
	struct mxw__rate r = rate("a", 1000, 3600000, 5000);

	for (int i = 0; i < 4000; i++)
		if (mxw__rates_take(rates, &r, arg, 1, 0))
			atomic_fetch_add(&passed, 1);
	return NULL;
}

START_TEST(threads_together_get_the_burst_and_no_more)
{
	struct mxw__key key = numbered(1);
	pthread_t threads[4];

	atomic_store(&passed, 0);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_many, &key), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&passed), 5000);
}
END_TEST

/* ---- as state ---- */

static const struct mxw__state_sort *const sort = &mxw__rates_sort;

static bool take_one(mxw__rates_t *r, mxw__state_reader_t reader, struct mxw__state_record *record)
{
	return sort->take(r, reader, record, 1) == 1;
}

START_TEST(a_wall_clock_that_was_set_back_by_a_year_puts_nobody_off_for_a_year)
{
	struct mxw__rate r = rate("a", 10, 100000, 10);
	struct mxw__key key = numbered(0xc0000201);
	struct mxw__state_record record;

	ck_assert_uint_eq(at_once(rates, &r, &key, now()), 10);
	ck_assert(take_one(rates, MXW__STATE_DISK, &record));
	mxw__rates_t *other = make();
	atomic_fetch_sub(&fake.wall_ms, INT64_C(365) * 86400000);
	sort->put(other, MXW__STATE_DISK, &record);
	ck_assert_uint_eq(at_once(other, &r, &key, now()), 0);
	fake_clock_advance(&fake, 200000);
	ck_assert_uint_eq(at_once(other, &r, &key, now()), 10);
	mxw__rates_free(other);
}
END_TEST

/* From 10 in 10 days to 10 in 100 s: who was over the old limit is not for days over the new one. */
START_TEST(a_limit_that_was_changed_holds_as_it_is_now)
{
	struct mxw__rate was = rate("a", 10, INT64_C(864000000), 10), is = rate("a", 10, 100000, 10);
	struct mxw__key key = numbered(0xc0000201);

	ck_assert_uint_eq(at_once(rates, &was, &key, now()), 10);
	ck_assert_int_eq(mxw__rates_configure(rates, names, MXW_ARRAY_LEN(names)), MXW_OK);
	ck_assert_uint_eq(at_once(rates, &is, &key, now()), 0);
	fake_clock_advance(&fake, 200000);
	ck_assert_uint_eq(at_once(rates, &is, &key, now()), 10);
}
END_TEST

START_TEST(what_was_used_up_survives_a_restart)
{
	struct mxw__rate r = rate("a", 10, 100000, 10);
	struct mxw__key key = numbered(0xc0000201), none = {0};
	struct mxw__state_record records[4];

	ck_assert_uint_eq(at_once(rates, &r, &key, now()), 10);
	mxw__rates_take(rates, &r, &none, 3, now());
	size_t n = sort->take(rates, MXW__STATE_DISK, records, MXW_ARRAY_LEN(records));
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(sort->take(rates, MXW__STATE_DISK, records + 2, 1), 0);
	ck_assert(strcmp(records[0].key, "a:192.0.2.1") == 0 || strcmp(records[1].key, "a:192.0.2.1") == 0);
	ck_assert(strcmp(records[0].key, "a:site") == 0 || strcmp(records[1].key, "a:site") == 0);
	/* The machine was down for 30 s, and its monotonic clock begins anew. */
	mxw__rates_t *other = make();
	fake_clock_advance(&fake, 30000);
	atomic_store(&fake.mono_ms, 7);
	for (size_t i = 0; i < n; i++)
		sort->put(other, MXW__STATE_DISK, &records[i]);
	ck_assert_uint_eq(at_once(other, &r, &key, now()), 3);
	ck_assert_uint_eq(at_once(other, &r, &none, now()), 10);
	mxw__rates_free(other);
}
END_TEST

/* What the shared store does with MXW__MERGE_TIME. */
static void share(double *tat_ms, const struct mxw__state_record *record)
{
	double wall_ms = (double)fake.clock.wall_ms(fake.clock.ctx);

	*tat_ms = (*tat_ms > wall_ms ? *tat_ms : wall_ms) + record->values[0];
}

START_TEST(hosts_that_share_count_together)
{
	struct mxw__rate r = rate("a", 100, 100000, 100);
	struct mxw__key key = numbered(1);
	struct mxw__state_record record;
	mxw__rates_t *other = make();
	double sum = 0;

	mxw__rates_take(rates, &r, &key, 30, now());
	mxw__rates_take(other, &r, &key, 50, now());
	ck_assert(take_one(rates, MXW__STATE_SHARE, &record));
	share(&sum, &record);
	ck_assert(take_one(other, MXW__STATE_SHARE, &record));
	/* Did not get there, and is taken again. */
	sort->give_back(other, MXW__STATE_SHARE, &record);
	ck_assert(take_one(other, MXW__STATE_SHARE, &record));
	share(&sum, &record);
	/* Counted after it was taken: comes on top of what comes back. */
	mxw__rates_take(rates, &r, &key, 5, now());
	record.values[0] = sum;
	sort->put(rates, MXW__STATE_SHARE, &record);
	sort->put(other, MXW__STATE_SHARE, &record);
	ck_assert_double_eq_tol(mxw__rates_level(rates, &r, &key, now()), 85, 0.01);
	ck_assert_double_eq_tol(mxw__rates_level(other, &r, &key, now()), 80, 0.01);
	mxw__rates_free(other);
}
END_TEST

START_TEST(forgiving_reaches_all_and_what_was_before_does_not_come_back)
{
	struct mxw__rate r = rate("a", 100, 100000, 100);
	struct mxw__key key = numbered(1);
	struct mxw__state_record before, after;
	mxw__rates_t *other = make();

	mxw__rates_take(rates, &r, &key, 80, now());
	ck_assert(take_one(rates, MXW__STATE_DISK, &before));
	sort->put(other, MXW__STATE_SHARE, &before);
	ck_assert_double_eq_tol(mxw__rates_level(other, &r, &key, now()), 80, 0.01);
	mxw__rates_forgive(rates, &r, &key, now());
	ck_assert(mxw__rates_level(rates, &r, &key, now()) < 0.01);
	ck_assert(take_one(rates, MXW__STATE_DISK, &after));
	sort->put(other, MXW__STATE_SHARE, &after);
	sort->put(rates, MXW__STATE_SHARE, &before);
	ck_assert(mxw__rates_level(rates, &r, &key, now()) < 0.01);
	ck_assert(mxw__rates_level(other, &r, &key, now()) < 0.01);
	mxw__rates_free(other);
}
END_TEST

START_TEST(all_that_changed_is_taken_once)
{
	struct mxw__rate r = rate("b", 100, 100000, 100);
	struct mxw__state_record records[7];
	size_t n, sum = 0;

	/* So few that none is pushed out. */
	for (uint32_t i = 0; i < 50; i++) {
		struct mxw__key key = numbered(i);
		mxw__rates_take(rates, &r, &key, 1, now());
	}
	while ((n = sort->take(rates, MXW__STATE_SHARE, records, MXW_ARRAY_LEN(records))) > 0)
		sum += n;
	ck_assert_uint_eq(sum, 50);
	sort->mark_all(rates, MXW__STATE_SHARE);
	while ((n = sort->take(rates, MXW__STATE_SHARE, records, MXW_ARRAY_LEN(records))) > 0)
		for (sum += n; n > 0; n--)
			ck_assert_double_eq_tol(records[n - 1].values[0], 1000, 0.01);
	ck_assert_uint_eq(sum, 100);
}
END_TEST

START_TEST(a_record_that_is_none_is_passed_over)
{
	static const char *const keys[] = {"", ":", "a", "a:", ":site", "c:site", "a:nothing", "a:192.0.2.0/23"};
	struct mxw__state_record record = {.values = {1e15, 0}};
	struct mxw__rates_stats stats;

	for (size_t i = 0; i < MXW_ARRAY_LEN(keys); i++) {
		snprintf(record.key, sizeof record.key, "%s", keys[i]);
		sort->put(rates, MXW__STATE_DISK, &record);
		sort->give_back(rates, MXW__STATE_DISK, &record);
	}
	mxw__rates_get_stats(rates, &stats);
	ck_assert_uint_eq(stats.entries, 0);
}
END_TEST

/* ---- what is open at one time ---- */

START_TEST(only_so_many_are_open_and_each_that_ends_makes_room)
{
	struct mxw__key one = numbered(1), two = numbered(2), none = {0};
	struct mxw__open *held[3], *other, *refused;
	mxw__opens_t *opens;

	ck_assert_int_eq(mxw__opens_new(&opens), MXW_OK);
	for (size_t i = 0; i < 3; i++)
		ck_assert(mxw__opens_enter(opens, 1, &one, 3, &held[i]));
	ck_assert(!mxw__opens_enter(opens, 1, &one, 3, &refused));
	ck_assert_ptr_null(refused);
	ck_assert(mxw__opens_enter(opens, 1, &two, 3, &other));
	ck_assert_uint_eq(mxw__opens_count(opens, 1, &one), 3);
	ck_assert_uint_eq(mxw__opens_count(opens, 1, &two), 1);
	ck_assert_uint_eq(mxw__opens_count(opens, 2, &one), 0);
	ck_assert_uint_eq(mxw__opens_count(opens, 1, &none), 0);
	mxw__opens_leave(opens, held[1]);
	ck_assert(mxw__opens_enter(opens, 1, &one, 3, &held[1]));
	for (size_t i = 0; i < 3; i++)
		mxw__opens_leave(opens, held[i]);
	mxw__opens_leave(opens, other);
	mxw__opens_leave(opens, NULL);
	ck_assert_uint_eq(mxw__opens_count(opens, 1, &one), 0);
	mxw__opens_free(opens);
}
END_TEST

static mxw__opens_t *shared_opens;
static atomic_uint open_now, most_open;

static void *come_and_go(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		struct mxw__open *open;
		if (!mxw__opens_enter(shared_opens, 1, arg, 2, &open))
			continue;
		unsigned n = atomic_fetch_add(&open_now, 1) + 1, most = atomic_load(&most_open);
		while (n > most && !atomic_compare_exchange_weak(&most_open, &most, n))
			;
		atomic_fetch_sub(&open_now, 1);
		mxw__opens_leave(shared_opens, open);
	}
	return NULL;
}

START_TEST(threads_never_have_more_open_than_they_may)
{
	struct mxw__key key = numbered(1);
	pthread_t threads[4];

	ck_assert_int_eq(mxw__opens_new(&shared_opens), MXW_OK);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, &key), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_le(atomic_load(&most_open), 2);
	ck_assert_uint_eq(mxw__opens_count(shared_opens, 1, &key), 0);
	mxw__opens_free(shared_opens);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rates");
	TCase *tc = tcase_create("rates");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_whole_burst_passes_at_once_and_then_the_rate, 0, MXW_ARRAY_LEN(shapes));
	tcase_add_loop_test(tc, it_is_the_leaky_bucket, 0, 60);
	tcase_add_test(tc, time_that_goes_back_gives_nothing_away);
	tcase_add_test(tc, keys_and_limits_do_not_mix);
	tcase_add_test(tc, what_has_happened_counts_up_to_twice_the_burst);
	tcase_add_test(tc, a_smaller_rate_after_a_reload_does_not_lock_out_for_long);
	tcase_add_test(tc, a_flood_of_keys_neither_grows_the_table_nor_frees_who_is_over);
	tcase_add_test(tc, threads_together_get_the_burst_and_no_more);
	suite_add_tcase(s, tc);
	tc = tcase_create("state");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_used_up_survives_a_restart);
	tcase_add_test(tc, a_limit_that_was_changed_holds_as_it_is_now);
	tcase_add_test(tc, a_wall_clock_that_was_set_back_by_a_year_puts_nobody_off_for_a_year);
	tcase_add_test(tc, hosts_that_share_count_together);
	tcase_add_test(tc, forgiving_reaches_all_and_what_was_before_does_not_come_back);
	tcase_add_test(tc, all_that_changed_is_taken_once);
	tcase_add_test(tc, a_record_that_is_none_is_passed_over);
	suite_add_tcase(s, tc);
	tc = tcase_create("opens");
	tcase_add_test(tc, only_so_many_are_open_and_each_that_ends_makes_room);
	tcase_add_test(tc, threads_never_have_more_open_than_they_may);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
