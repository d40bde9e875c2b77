/* SPDX-License-Identifier: BSD-2-Clause */
/* Who was seen at the primary, and whether that is up. */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "src/track/sightings.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/suite.h"

enum { MINUTE = 60000, WINDOW = 60 * MINUTE, ALIVE = 2 * MINUTE, ENTRIES = 1024, ALL = 4096 };

static struct fake_clock fake;
static mxw__sightings_t *here, *there;
static struct mxw__state_record records[ALL];

static mxw__sightings_t *make(void)
{
	struct mxw__sightings_options options = {ENTRIES, WINDOW, ALIVE, &fake.clock};
	mxw__sightings_t *s;

	ck_assert_int_eq(mxw__sightings_new(&options, &s), MXW_OK);
	return s;
}

static void setup(void)
{
	fake_clock_init(&fake);
	here = make();
	there = make();
}

static void teardown(void)
{
	mxw__sightings_free(here);
	mxw__sightings_free(there);
}

static int64_t now(void)
{
	return mxw__now_ms(&fake.clock);
}

static struct mxw__key key(const char *text)
{
	struct mxw__key k;

	ck_assert(mxw__key_parse(text, &k));
	return k;
}

static void see(mxw__sightings_t *s, const char *text)
{
	struct mxw__key k = key(text);

	mxw__sightings_see(s, &k, now());
}

static bool has(mxw__sightings_t *s, const char *text)
{
	struct mxw__key k = key(text);

	return mxw__sightings_has(s, &k, now());
}

/* Clients come to it each minute. */
static void be_up(mxw__sightings_t *s, unsigned minutes)
{
	for (unsigned i = 0; i < minutes; i++) {
		mxw__sightings_mark_primary(s, now());
		fake_clock_advance(&fake, MINUTE);
	}
}

/* What has changed, as it goes to the other host or to the disk. */
static size_t carry(mxw__state_reader_t reader)
{
	size_t n = mxw__sightings_sort.take(here, reader, records, ALL);

	for (size_t i = 0; i < n; i++)
		mxw__sightings_sort.put(there, reader, &records[i]);
	return n;
}

START_TEST(who_was_seen_is_known_for_the_window)
{
	ck_assert(!has(here, "192.0.2.1"));
	see(here, "192.0.2.1");
	see(here, "helo:example.org");
	fake_clock_advance(&fake, WINDOW / 2);
	see(here, "helo:example.org");
	fake_clock_advance(&fake, WINDOW / 2 - 1);
	ck_assert(has(here, "192.0.2.1"));
	ck_assert(!has(here, "192.0.2.2"));
	ck_assert(!has(here, "192.0.2.0/24"));
	fake_clock_advance(&fake, 1);
	ck_assert(!has(here, "192.0.2.1"));
	ck_assert(has(here, "helo:example.org"));
	mxw__sightings_see(here, &(struct mxw__key){0}, now());
	ck_assert(!mxw__sightings_has(here, &(struct mxw__key){0}, now()));
}
END_TEST

START_TEST(the_primary_is_up_when_it_has_been_for_a_while)
{
	ck_assert(!mxw__sightings_primary_is_up(here, now()));
	be_up(here, 9);
	ck_assert(!mxw__sightings_primary_is_up(here, now()));
	be_up(here, 2);
	ck_assert(mxw__sightings_primary_is_up(here, now()));
	fake_clock_advance(&fake, ALIVE - MINUTE);
	ck_assert(mxw__sightings_primary_is_up(here, now()));
	fake_clock_advance(&fake, 1);
	ck_assert(!mxw__sightings_primary_is_up(here, now()));
	/* It comes back, and has to settle. */
	be_up(here, 9);
	ck_assert(!mxw__sightings_primary_is_up(here, now()));
	be_up(here, 2);
	ck_assert(mxw__sightings_primary_is_up(here, now()));
	/* A client was sent away unseen. */
	mxw__sightings_turned_away(here, now());
	ck_assert(!mxw__sightings_primary_is_up(here, now()));
	be_up(here, 11);
	ck_assert(mxw__sightings_primary_is_up(here, now()));
}
END_TEST

START_TEST(another_host_learns_of_both)
{
	mxw__state_reader_t reader = _i ? MXW__STATE_SHARE : MXW__STATE_DISK;

	be_up(here, 12);
	see(here, "192.0.2.1");
	see(here, "2001:db8:1:2::/64");
	see(here, "domain:example.org");
	ck_assert_uint_eq(carry(reader), 4);
	ck_assert_uint_eq(carry(reader), 0);
	ck_assert(mxw__sightings_primary_is_up(there, now()));
	ck_assert(has(there, "192.0.2.1"));
	ck_assert(has(there, "2001:db8:1:2::9"));
	ck_assert(has(there, "domain:example.org"));
	ck_assert(!has(there, "192.0.2.2"));
	/* Nothing more came of the primary: it is not known to be up for long. */
	fake_clock_advance(&fake, ALIVE);
	ck_assert(!mxw__sightings_primary_is_up(there, now()));
	be_up(here, 1);
	ck_assert_uint_eq(carry(reader), 1);
	ck_assert(!mxw__sightings_primary_is_up(there, now()));
	fake_clock_advance(&fake, WINDOW);
	ck_assert(!has(there, "192.0.2.1"));
}
END_TEST

START_TEST(what_is_seen_again_and_again_is_told_now_and_then)
{
	see(here, "192.0.2.1");
	ck_assert_uint_eq(carry(MXW__STATE_SHARE), 1);
	for (int i = 0; i < 100; i++) {
		fake_clock_advance(&fake, 1000);
		see(here, "192.0.2.1");
	}
	ck_assert_uint_eq(carry(MXW__STATE_SHARE), 0);
	fake_clock_advance(&fake, WINDOW / 12);
	see(here, "192.0.2.1");
	ck_assert_uint_eq(carry(MXW__STATE_SHARE), 1);
	fake_clock_advance(&fake, WINDOW - 1);
	ck_assert(has(there, "192.0.2.1"));
}
END_TEST

START_TEST(what_did_not_get_there_is_taken_again)
{
	be_up(here, 1);
	see(here, "192.0.2.1");
	size_t n = mxw__sightings_sort.take(here, MXW__STATE_DISK, records, ALL);
	ck_assert_uint_eq(n, 2);
	for (size_t i = 0; i < n; i++)
		mxw__sightings_sort.give_back(here, MXW__STATE_DISK, &records[i]);
	ck_assert_uint_eq(carry(MXW__STATE_DISK), 2);
	mxw__sightings_sort.mark_all(here, MXW__STATE_DISK);
	ck_assert_uint_eq(mxw__sightings_sort.take(here, MXW__STATE_DISK, records, 1), 1);
	ck_assert_uint_eq(carry(MXW__STATE_DISK), 1);
}
END_TEST

START_TEST(what_is_no_sighting_changes_nothing)
{
	static const char *const keys[] = {"", "192.0.2", "primaries", "helo:", "192.0.2.0/25"};
	struct mxw__state_record r = {.expires_ms = INT64_MAX};

	for (size_t i = 0; i < MXW_ARRAY_LEN(keys); i++) {
		snprintf(r.key, sizeof r.key, "%s", keys[i]);
		mxw__sightings_sort.put(there, MXW__STATE_SHARE, &r);
		mxw__sightings_sort.give_back(there, MXW__STATE_SHARE, &r);
	}
	snprintf(r.key, sizeof r.key, "192.0.2.1");
	r.values[0] = (double)fake.clock.wall_ms(fake.clock.ctx) + 1e9; /* of a clock that goes ahead: now */
	mxw__sightings_sort.put(there, MXW__STATE_SHARE, &r);
	ck_assert(has(there, "192.0.2.1"));
	fake_clock_advance(&fake, WINDOW);
	ck_assert(!has(there, "192.0.2.1"));
	r.expires_ms = 1;
	mxw__sightings_sort.put(there, MXW__STATE_SHARE, &r);
	ck_assert(!has(there, "192.0.2.1"));
	ck_assert(!mxw__sightings_primary_is_up(there, now()));
}
END_TEST

START_TEST(where_some_had_to_be_forgotten_nothing_is_known)
{
	char text[32];

	be_up(here, 12);
	ck_assert(mxw__sightings_primary_is_up(here, now()));
	for (unsigned i = 0; i < 2 * ENTRIES; i++) {
		snprintf(text, sizeof text, "198.18.%u.%u", i >> 8, i & 255);
		see(here, text);
	}
	ck_assert(!mxw__sightings_primary_is_up(here, now()));
	be_up(here, 11);
	ck_assert(mxw__sightings_primary_is_up(here, now()));
}
END_TEST

static void *work(void *arg)
{
	struct mxw__state_record some[16];
	char text[32];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(text, sizeof text, "198.18.%u.%u", i >> 8 & 7, i & 255);
		see(here, text);
		mxw__sightings_mark_primary(here, now());
		has(here, text);
		mxw__sightings_primary_is_up(here, now());
		if (i % 50 == 0) {
			size_t n = mxw__sightings_sort.take(here, MXW__STATE_SHARE, some, MXW_ARRAY_LEN(some));
			for (size_t k = 0; k < n; k++)
				mxw__sightings_sort.put(here, MXW__STATE_SHARE, &some[k]);
			mxw__sightings_sort.mark_all(here, MXW__STATE_DISK);
		}
	}
	return NULL;
}

START_TEST(threads_share_it)
{
	pthread_t threads[4];

	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	/* (Of the others some had to make room.) */
	see(here, "203.0.113.1");
	ck_assert(has(here, "203.0.113.1"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sightings");
	TCase *tc = tcase_create("sightings");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, who_was_seen_is_known_for_the_window);
	tcase_add_test(tc, the_primary_is_up_when_it_has_been_for_a_while);
	tcase_add_loop_test(tc, another_host_learns_of_both, 0, 2);
	tcase_add_test(tc, what_is_seen_again_and_again_is_told_now_and_then);
	tcase_add_test(tc, what_did_not_get_there_is_taken_again);
	tcase_add_test(tc, what_is_no_sighting_changes_nothing);
	tcase_add_test(tc, where_some_had_to_be_forgotten_nothing_is_known);
	tcase_add_test(tc, threads_share_it);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
