/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/unions.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/suite.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

enum { ENTRIES = 4000, RECORDS = 64 };

static struct fake_clock fake;
static mxw__unions_t *a, *b; /* two hosts, or one before and after a restart */
static struct mxw__key anna, bert;

static mxw__unions_t *make(void)
{
	mxw__unions_t *u = NULL;

	ck_assert_int_eq(mxw__unions_new(&fake.clock, ENTRIES, &u), MXW_OK);
	return u;
}

static void setup(void)
{
	fake_clock_init(&fake);
	a = make();
	b = make();
	anna = mxw__key_of_name(MXW__KEY_USER, "anna");
	bert = mxw__key_of_name(MXW__KEY_USER, "bert");
}

static void teardown(void)
{
	mxw__unions_free(a);
	mxw__unions_free(b);
}

/* Recipients number `first` to `last`. */
static void add(mxw__unions_t *u, const struct mxw__key *who, unsigned first, unsigned last)
{
	char rcpt[40];

	for (unsigned i = first; i <= last; i++) {
		snprintf(rcpt, sizeof rcpt, "to%u@far.example", i);
		mxw__unions_add(u, who, 'r', rcpt, DAY);
	}
}

static unsigned count(mxw__unions_t *u, const struct mxw__key *who)
{
	return (unsigned)mxw__unions_count(u, who, 'r', DAY);
}

/* What `from` has to say to that reader goes to `to`; returns how many records. */
static size_t carry(mxw__unions_t *from, mxw__unions_t *to, mxw__state_reader_t reader)
{
	static struct mxw__state_record records[RECORDS];
	size_t all = 0, n;

	do {
		n = mxw__unions_sort.take(from, reader, records, RECORDS);
		for (size_t i = 0; i < n; i++)
			mxw__unions_sort.put(to, reader, &records[i]);
		all += n;
	} while (n == RECORDS);
	return all;
}

START_TEST(a_few_are_counted_to_one_or_two)
{
	ck_assert_uint_eq(count(a, &anna), 0);
	add(a, &anna, 1, 1);
	add(a, &anna, 1, 1);
	ck_assert_uint_eq(count(a, &anna), 1);
	mxw__unions_add(a, &anna, 'r', "TO1@Far.example", DAY);
	ck_assert_uint_eq(count(a, &anna), 1);
	for (unsigned n = 2; n <= 30; n++) {
		add(a, &anna, n, n);
		ck_assert_uint_le(count(a, &anna), n);
		ck_assert_uint_ge(count(a, &anna) + 3, n);
	}
	/* Other accounts, kinds and windows have their own. */
	ck_assert_uint_eq(count(a, &bert), 0);
	ck_assert_uint_eq(mxw__unions_count(a, &anna, 'n', DAY), 0);
	ck_assert_uint_eq(mxw__unions_count(a, &anna, 'r', HOUR), 0);
}
END_TEST

START_TEST(many_are_counted_to_some_percent)
{
	static const unsigned sizes[] = {100, 500, 1000};
	unsigned last = 0;

	for (size_t i = 0; i < MXW_ARRAY_LEN(sizes); i++) {
		add(a, &anna, last + 1, sizes[i]);
		last = sizes[i];
		ck_assert_uint_ge(count(a, &anna), last - last / 8);
		ck_assert_uint_le(count(a, &anna), last + last / 8);
	}
}
END_TEST

START_TEST(two_hosts_count_together_and_nothing_twice)
{
	add(a, &anna, 1, 15);
	add(b, &anna, 10, 24);
	ck_assert_uint_eq(carry(a, b, MXW__STATE_SHARE), 1);
	unsigned n = count(b, &anna);
	ck_assert_uint_ge(n, 22);
	ck_assert_uint_le(n, 24);
	carry(b, a, MXW__STATE_SHARE);
	ck_assert_uint_eq(count(a, &anna), n);
	/* Told again, it stays the same; and nobody tells back what he has heard. */
	ck_assert_uint_eq(carry(a, b, MXW__STATE_SHARE), 0);
	mxw__unions_sort.mark_all(a, MXW__STATE_SHARE);
	ck_assert_uint_eq(carry(a, b, MXW__STATE_SHARE), 1);
	ck_assert_uint_eq(count(b, &anna), n);
	ck_assert_uint_eq(carry(b, a, MXW__STATE_SHARE), 0);
}
END_TEST

START_TEST(a_restart_forgets_nothing)
{
	add(a, &anna, 1, 700);
	add(a, &bert, 1, 5);
	unsigned n = count(a, &anna);
	ck_assert_uint_eq(carry(a, b, MXW__STATE_DISK), 2);
	ck_assert_uint_eq(count(b, &anna), n);
	ck_assert_uint_eq(count(b, &bert), count(a, &bert));
	add(b, &anna, 1, 700);
	ck_assert_uint_eq(count(b, &anna), n);
	/* What was on disk the others may not have heard. */
	mxw__unions_t *c = make();
	ck_assert_uint_eq(carry(b, c, MXW__STATE_SHARE), 2);
	ck_assert_uint_eq(count(c, &anna), n);
	mxw__unions_free(c);
}
END_TEST

START_TEST(nothing_older_than_the_window_counts)
{
	for (unsigned hour = 0; hour < 24; hour++) {
		add(a, &anna, 1 + hour, 1 + hour);
		fake_clock_advance(&fake, HOUR);
	}
	unsigned n = count(a, &anna);
	ck_assert_uint_ge(n, 15);
	ck_assert_uint_le(n, 24);
	fake_clock_advance(&fake, 18 * HOUR);
	ck_assert_uint_le(count(a, &anna), 6);
	fake_clock_advance(&fake, 6 * HOUR);
	ck_assert_uint_eq(count(a, &anna), 0);
	/* Nor does it come back from the disk. */
	carry(a, b, MXW__STATE_DISK);
	ck_assert_uint_eq(count(b, &anna), 0);
}
END_TEST

START_TEST(a_clock_that_is_set_makes_nothing_count_longer)
{
	add(a, &anna, 1, 20);
	atomic_fetch_add(&fake.wall_ms, 365 * DAY);
	ck_assert_uint_eq(count(a, &anna), 0);
	atomic_fetch_sub(&fake.wall_ms, 365 * DAY);
	ck_assert_uint_gt(count(a, &anna), 0);
	atomic_fetch_sub(&fake.wall_ms, 365 * DAY);
	ck_assert_uint_eq(count(a, &anna), 0);
}
END_TEST

START_TEST(forgetting_reaches_everybody)
{
	add(a, &anna, 1, 20);
	add(a, &bert, 1, 20);
	mxw__unions_add(a, &anna, 'n', "192.0.2.0/24", HOUR);
	carry(a, b, MXW__STATE_SHARE);
	carry(a, b, MXW__STATE_DISK);
	mxw__unions_forget(a, &anna);
	ck_assert_uint_eq(count(a, &anna), 0);
	ck_assert_uint_eq(mxw__unions_count(a, &anna, 'n', HOUR), 0);
	ck_assert_uint_gt(count(a, &bert), 17);
	ck_assert_uint_gt(count(b, &anna), 17);
	ck_assert_uint_eq(carry(a, b, MXW__STATE_SHARE), 2);
	ck_assert_uint_eq(count(b, &anna), 0);
	/* On disk there is nothing left of what was seen. */
	struct mxw__state_record records[4];
	ck_assert_uint_eq(mxw__unions_sort.take(a, MXW__STATE_DISK, records, 4), 2);
	for (size_t i = 0; i < 2 * 16; i++)
		ck_assert(records[i / 16].values[i % 16] == 0);
	/* And it begins anew. */
	add(a, &anna, 1, 3);
	carry(a, b, MXW__STATE_SHARE);
	ck_assert_uint_eq(count(b, &anna), count(a, &anna));
	ck_assert_uint_gt(count(b, &anna), 1);
}
END_TEST

/* B was away, and comes back with what it had, from the disk or of its own; or A is started anew with what was on its disk before. */
static void hear(void *ctx, const struct mxw__key *who, char kind)
{
	unsigned *heard = ctx;

	ck_assert_mem_eq(who, &anna, sizeof anna);
	ck_assert_int_eq(kind, 'r');
	(*heard)++;
}

/* The record of the next quarter comes hours after the others: by then there may be new things. */
START_TEST(a_forgetting_is_heard_of_once)
{
	static struct mxw__state_record records[RECORDS];
	unsigned heard = 0;

	mxw__unions_on_forget(b, hear, &heard);
	add(a, &anna, 1, 20);
	add(a, &bert, 1, 20);
	carry(a, b, MXW__STATE_SHARE);
	ck_assert_uint_eq(heard, 0);
	ck_assert(mxw__unions_forget_kind(a, &anna, 'r', DAY));
	size_t n = mxw__unions_sort.take(a, MXW__STATE_SHARE, records, RECORDS);
	ck_assert_uint_gt(n, 1);
	for (size_t i = 0; i < n; i++) {
		mxw__unions_sort.put(b, MXW__STATE_SHARE, &records[i]);
		ck_assert_uint_eq(heard, 1);
	}
	ck_assert_uint_eq(count(b, &anna), 0);
	fake_clock_advance(&fake, 1);
	mxw__unions_forget_kind(a, &anna, 'r', DAY);
	carry(a, b, MXW__STATE_SHARE);
	ck_assert_uint_eq(heard, 2);
}
END_TEST

START_TEST(who_has_not_heard_of_a_forgetting_does_not_undo_it)
{
	mxw__unions_t *old = make();

	add(a, &anna, 1, 20);
	carry(a, b, MXW__STATE_SHARE);
	carry(a, old, MXW__STATE_DISK);
	mxw__unions_forget(a, &anna);
	add(a, &anna, 30, 31);
	add(b, &anna, 40, 40);
	unsigned n = count(a, &anna);
	carry(b, a, MXW__STATE_SHARE);
	mxw__unions_sort.mark_all(old, MXW__STATE_SHARE);
	carry(old, a, MXW__STATE_SHARE);
	ck_assert_uint_eq(count(a, &anna), n);
	mxw__unions_sort.mark_all(old, MXW__STATE_DISK);
	carry(old, a, MXW__STATE_DISK);
	ck_assert_uint_eq(count(a, &anna), n);
	carry(a, b, MXW__STATE_SHARE);
	ck_assert_uint_eq(count(b, &anna), n);
	/* Nor does a restart. */
	mxw__unions_t *c = make();
	carry(a, c, MXW__STATE_DISK);
	carry(old, c, MXW__STATE_SHARE);
	ck_assert_uint_eq(count(c, &anna), n);
	/* Again, by a clock that was set back meanwhile. */
	atomic_fetch_sub(&fake.wall_ms, HOUR / 2);
	mxw__unions_forget(b, &anna);
	carry(b, a, MXW__STATE_SHARE);
	ck_assert_uint_eq(count(a, &anna), 0);
	mxw__unions_free(c);
	mxw__unions_free(old);
}
END_TEST

START_TEST(what_did_not_get_there_is_taken_again)
{
	struct mxw__state_record record;

	add(a, &anna, 1, 20);
	ck_assert_uint_eq(mxw__unions_sort.take(a, MXW__STATE_DISK, &record, 1), 1);
	ck_assert_str_eq(record.key, "r:21600:81816:user:anna");
	ck_assert_int_eq(record.expires_ms, (81816 + 4) * 6 * HOUR);
	ck_assert(!record.is_gone);
	ck_assert_uint_eq(mxw__unions_sort.take(a, MXW__STATE_DISK, &record, 1), 0);
	mxw__unions_sort.give_back(a, MXW__STATE_DISK, &record);
	ck_assert_uint_eq(mxw__unions_sort.take(a, MXW__STATE_DISK, &record, 1), 1);
	/* One that is seen again changes nothing. */
	add(a, &anna, 1, 20);
	ck_assert_uint_eq(mxw__unions_sort.take(a, MXW__STATE_DISK, &record, 1), 0);
	char key[MXW__STATE_KEY_MAX];
	mxw__unions_record_key(a, &anna, 'r', DAY, 0, key);
	ck_assert_str_eq(key, record.key);
	mxw__unions_record_key(a, &anna, 'r', DAY, 3, key);
	ck_assert_str_eq(key, "r:21600:81813:user:anna");
	mxw__unions_record_key(a, &anna, 'r', 30000, 0, key);
	ck_assert_str_eq(key, "");
}
END_TEST

START_TEST(a_record_that_is_none_is_passed_over)
{
	static const char *const keys[] = {
		"", "r", "r:", "r:21600", "r:21600:81816", "r:21600:81816:", "r:0:81816:user:anna", "R:21600:81816:user:anna",
		"r:21600:-1:user:anna", "r:21600:81816:nobody", "r:99999999999999999999:81816:user:anna", "r: 21600:81816:user:anna",
		"r:21600:99999999999999999999:user:anna", "rr:21600:81816:user:anna", "r:21600:0:user:anna",
		/* Long after the next quarter, and where milliseconds would not fit. */
		"r:21600:81818:user:anna", "r:21600:50000000:user:anna", "r:31622400:1099511627775:user:anna",
	};
	struct mxw__state_record record;

	for (size_t i = 0; i < MXW_ARRAY_LEN(keys); i++) {
		record = (struct mxw__state_record){.values = {1, 2, 3}};
		snprintf(record.key, sizeof record.key, "%s", keys[i]);
		mxw__unions_sort.put(a, MXW__STATE_SHARE, &record);
		mxw__unions_sort.give_back(a, MXW__STATE_SHARE, &record);
		ck_assert_uint_eq(mxw__unions_sort.take(a, MXW__STATE_DISK, &record, 1), 0);
	}
	record = (struct mxw__state_record){.key = "r:21600:81816:user:anna", .values = {-1, 1e300, 4294967296.0, 0.5, 3}};
	mxw__unions_sort.put(a, MXW__STATE_SHARE, &record);
	ck_assert_uint_eq(count(a, &anna), 2);
}
END_TEST

START_TEST(a_flood_of_accounts_pushes_out_the_smallest)
{
	char name[40];

	add(a, &anna, 1, 100);
	for (unsigned i = 0; i < 20 * ENTRIES; i++) {
		snprintf(name, sizeof name, "user%u", i);
		struct mxw__key who = mxw__key_of_name(MXW__KEY_USER, name);
		add(a, &who, 1, 2);
	}
	ck_assert_uint_gt(count(a, &anna), 80);
	ck_assert_uint_le(carry(a, b, MXW__STATE_DISK), ENTRIES);
	ck_assert_uint_eq(carry(a, b, MXW__STATE_DISK), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("unions");
	TCase *tc = tcase_create("unions");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_few_are_counted_to_one_or_two);
	tcase_add_test(tc, many_are_counted_to_some_percent);
	tcase_add_test(tc, two_hosts_count_together_and_nothing_twice);
	tcase_add_test(tc, a_restart_forgets_nothing);
	tcase_add_test(tc, nothing_older_than_the_window_counts);
	tcase_add_test(tc, a_clock_that_is_set_makes_nothing_count_longer);
	tcase_add_test(tc, forgetting_reaches_everybody);
	tcase_add_test(tc, a_forgetting_is_heard_of_once);
	tcase_add_test(tc, who_has_not_heard_of_a_forgetting_does_not_undo_it);
	tcase_add_test(tc, what_did_not_get_there_is_taken_again);
	tcase_add_test(tc, a_record_that_is_none_is_passed_over);
	tcase_add_test(tc, a_flood_of_accounts_pushes_out_the_smallest);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
