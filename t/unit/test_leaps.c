/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/track/leaps.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/suite.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define YEARS (INT64_C(900) * DAY)  /* a calm that is as long as anybody asks for */

static struct fake_clock fake;
static mxw__leaps_t *leaps;

static void start(void)
{
	leaps = mxw__leaps_new(&fake.clock);
	ck_assert_ptr_nonnull(leaps);
	mxw__leaps_keep(leaps, true);
}

static void setup(void)
{
	fake_clock_init(&fake);
	start();
}

static void teardown(void)
{
	mxw__leaps_free(leaps);
}

static int64_t calm(void)
{
	return (int64_t)mxw__leaps_calm_ms(leaps);
}

static bool take(struct mxw__state_record *ret_record)
{
	return mxw__leaps_sort.take(leaps, MXW__STATE_DISK, ret_record, 1) == 1;
}

/* Stops it and starts it again, so much later by the wall clock; the monotonic one begins anew, as after a boot. */
static void restart_after(int64_t ms)
{
	struct mxw__state_record record;

	ck_assert(take(&record));
	ck_assert_int_gt(record.expires_ms, atomic_load(&fake.wall_ms) + YEARS);
	mxw__leaps_free(leaps);
	atomic_fetch_add(&fake.wall_ms, ms);
	atomic_store(&fake.mono_ms, 20000);
	start();
	mxw__leaps_sort.put(leaps, MXW__STATE_DISK, &record);
}

static void set_clock(int64_t ms)
{
	atomic_fetch_add(&fake.wall_ms, ms);
}

START_TEST(a_clock_of_which_nothing_is_known_has_gone_evenly)
{
	ck_assert_int_gt(calm(), YEARS);
	fake_clock_advance(&fake, 30 * DAY);
	ck_assert_int_gt(calm(), YEARS);
}
END_TEST

START_TEST(a_clock_that_is_set_by_half_a_day_has_leapt)
{
	static const int64_t by[] = {12 * HOUR, -12 * HOUR, 365 * DAY, -365 * DAY};

	set_clock(11 * HOUR);
	ck_assert_int_gt(calm(), YEARS);
	set_clock(-22 * HOUR);
	ck_assert_int_gt(calm(), YEARS);
	set_clock(11 * HOUR);
	for (size_t i = 0; i < MXW_ARRAY_LEN(by); i++) {
		set_clock(by[i]);
		ck_assert_int_eq(calm(), 0);
		fake_clock_advance(&fake, 3 * HOUR);
		ck_assert_int_eq(calm(), 3 * HOUR);
	}
}
END_TEST

START_TEST(small_steps_add_up)
{
	set_clock(7 * HOUR);
	ck_assert_int_gt(calm(), YEARS);
	set_clock(7 * HOUR);
	ck_assert_int_eq(calm(), 0);
}
END_TEST

START_TEST(a_short_stop_is_none)
{
	restart_after(5 * 60 * 1000);
	ck_assert_int_gt(calm(), YEARS);
	restart_after(-11 * HOUR);
	ck_assert_int_gt(calm(), YEARS);
}
END_TEST

START_TEST(what_happened_over_a_long_stop_is_not_known)
{
	static const int64_t by[] = {12 * HOUR, -12 * HOUR, 21 * DAY, 365 * DAY, -20000 * DAY, 20000 * DAY};

	for (size_t i = 0; i < MXW_ARRAY_LEN(by); i++) {
		restart_after(by[i]);
		ck_assert_int_eq(calm(), 0);
		fake_clock_advance(&fake, DAY);
		ck_assert_int_eq(calm(), DAY);
	}
}
END_TEST

START_TEST(a_leap_is_remembered_over_a_stop_which_adds_no_running_time)
{
	set_clock(365 * DAY);
	ck_assert_int_eq(calm(), 0);
	fake_clock_advance(&fake, 2 * DAY);
	restart_after(6 * HOUR);
	ck_assert_int_eq(calm(), 2 * DAY);
	fake_clock_advance(&fake, DAY);
	ck_assert_int_eq(calm(), 3 * DAY);
	/* Nobody has asked since it leapt. */
	set_clock(-365 * DAY);
	restart_after(0);
	ck_assert_int_eq(calm(), 0);
}
END_TEST

START_TEST(what_comes_late_from_the_disk_undoes_no_leap_of_this_run)
{
	struct mxw__state_record record;

	ck_assert(take(&record));
	mxw__leaps_free(leaps);
	start();
	fake_clock_advance(&fake, HOUR);
	set_clock(30 * DAY);
	ck_assert_int_eq(calm(), 0);
	mxw__leaps_sort.put(leaps, MXW__STATE_DISK, &record);
	ck_assert_int_eq(calm(), 0);
	/* Nor is one made of the time that it took. */
	mxw__leaps_free(leaps);
	set_clock(-30 * DAY - HOUR);
	start();
	fake_clock_advance(&fake, 20 * HOUR);
	mxw__leaps_sort.put(leaps, MXW__STATE_DISK, &record);
	ck_assert_int_gt(calm(), YEARS);
}
END_TEST

START_TEST(the_disk_is_written_now_and_then_and_where_it_is_asked_for)
{
	struct mxw__state_record record;

	ck_assert(take(&record));
	ck_assert_str_eq(record.key, "wall");
	ck_assert(!take(&record));
	fake_clock_advance(&fake, 9 * 60000);
	ck_assert(!take(&record));
	fake_clock_advance(&fake, 60000);
	ck_assert(take(&record));
	/* A leap at once, and what was not written again. */
	set_clock(DAY);
	ck_assert(take(&record));
	ck_assert(!take(&record));
	mxw__leaps_sort.give_back(leaps, MXW__STATE_DISK, &record);
	ck_assert(take(&record));
	mxw__leaps_sort.mark_all(leaps, MXW__STATE_DISK);
	ck_assert(take(&record));
	ck_assert_uint_eq(mxw__leaps_sort.take(leaps, MXW__STATE_SHARE, &record, 1), 0);
	mxw__leaps_keep(leaps, false);
	fake_clock_advance(&fake, DAY);
	ck_assert(!take(&record));
}
END_TEST

START_TEST(a_record_of_anything_is_harmless)
{
	static const double odd[] = {-9007199254740992.0, -1, 0, 1, 9007199254740992.0};

	for (size_t i = 0; i < MXW_ARRAY_LEN(odd); i++) {
		for (size_t k = 0; k < MXW_ARRAY_LEN(odd); k++) {
			struct mxw__state_record record = {.key = "wall", .values = {odd[i], odd[k]}};
			mxw__leaps_sort.put(leaps, MXW__STATE_DISK, &record);
			ck_assert_int_ge(calm(), 0);
		}
	}
	ck_assert_int_eq(calm(), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("leaps");
	TCase *tc = tcase_create("leaps");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_clock_of_which_nothing_is_known_has_gone_evenly);
	tcase_add_test(tc, a_clock_that_is_set_by_half_a_day_has_leapt);
	tcase_add_test(tc, small_steps_add_up);
	tcase_add_test(tc, a_short_stop_is_none);
	tcase_add_test(tc, what_happened_over_a_long_stop_is_not_known);
	tcase_add_test(tc, a_leap_is_remembered_over_a_stop_which_adds_no_running_time);
	tcase_add_test(tc, what_comes_late_from_the_disk_undoes_no_leap_of_this_run);
	tcase_add_test(tc, the_disk_is_written_now_and_then_and_where_it_is_asked_for);
	tcase_add_test(tc, a_record_of_anything_is_harmless);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
