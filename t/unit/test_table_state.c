/* SPDX-License-Identifier: BSD-2-Clause */
/* The table on its way to the disk and to other hosts. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/table.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/suite.h"

enum { HALF_LIFE = 60000, HOUR = 3600000 };

static struct fake_clock clock_a, clock_b;
static mxw__table_t *a, *b;

static mxw__table_t *make(struct fake_clock *fake)
{
	struct mxw__table_options options = {.max_entries = 4096, .half_life_ms = HALF_LIFE, .history_half_life_ms = 100 * HALF_LIFE,
					     .credit = 50, .clock = &fake->clock};
	mxw__table_t *t;

	ck_assert_int_eq(mxw__table_new(&options, &t), MXW_OK);
	return t;
}

/* ---- a common store, as state.h says what one does ---- */

enum { STORED_MAX = 64, RECORDS = 3 };

struct stored {
	const struct mxw__state_sort *sort;
	struct mxw__state_record record;
};

static struct stored stored[STORED_MAX];
static size_t nstored;

static void setup(void)
{
	fake_clock_init(&clock_a);
	fake_clock_init(&clock_b);
	/* Another host, started at another time. */
	clock_b.mono_ms += 5 * HOUR;
	a = make(&clock_a);
	b = make(&clock_b);
	nstored = 0;
}

static void teardown(void)
{
	mxw__table_free(a);
	mxw__table_free(b);
}

static struct stored *find_stored(const struct mxw__state_sort *sort, const char *key)
{
	for (size_t i = 0; i < nstored; i++)
		if (stored[i].sort == sort && strcmp(stored[i].record.key, key) == 0)
			return &stored[i];
	return NULL;
}

static void add_up(const struct mxw__state_sort *sort, struct mxw__state_record *into, const struct mxw__state_record *r)
{
	double left = exp2(-(double)(r->at_ms - into->at_ms) / (double)r->half_life_ms);
	bool is_reset = false;

	for (size_t i = 0; i < sort->nfields; i++)
		is_reset |= sort->fields[i].merge == MXW__MERGE_RESET && r->values[i] > into->values[i];
	for (size_t i = 0; i < sort->nfields; i++) {
		double *v = &into->values[i];
		switch (sort->fields[i].merge) {
		case MXW__MERGE_ADD:
			*v = (is_reset ? 0 : *v * left) + r->values[i];
			break;
		case MXW__MERGE_COUNT:
			*v = fmax(0, *v * left + r->values[i]);
			break;
		case MXW__MERGE_MIN:
			*v = fmin(*v, r->values[i]);
			break;
		case MXW__MERGE_MAX:
		case MXW__MERGE_RESET:
			*v = fmax(*v, r->values[i]);
			break;
		default:
			ck_abort_msg("the table has no such field");
		}
		/* Nobody else is told of it. */
		if (sort->fields[i].is_local)
			*v = (double)NAN;
	}
	into->at_ms = r->at_ms;
}

static void merge(const struct mxw__state_sort *sort, const struct mxw__state_record *r)
{
	struct stored *s = find_stored(sort, r->key);

	if (s) {
		add_up(sort, &s->record, r);
		return;
	}
	ck_assert_uint_lt(nstored, STORED_MAX);
	stored[nstored++] = (struct stored){sort, *r};
}

static const struct mxw__state_sort *const sorts[] = {&mxw__table_sort, &mxw__table_good_sort};

static void push(mxw__table_t *t)
{
	static struct mxw__state_record records[RECORDS];

	for (size_t i = 0; i < MXW_ARRAY_LEN(sorts); i++)
		for (size_t n = RECORDS; n == RECORDS;) {
			n = sorts[i]->take(t, MXW__STATE_SHARE, records, RECORDS);
			for (size_t r = 0; r < n; r++)
				merge(sorts[i], &records[r]);
		}
}

static void pull(mxw__table_t *t)
{
	for (size_t i = 0; i < nstored; i++)
		stored[i].sort->put(t, MXW__STATE_SHARE, &stored[i].record);
}

static void share(void)
{
	push(a);
	push(b);
	pull(a);
	pull(b);
}

static void advance(int64_t ms)
{
	fake_clock_advance(&clock_a, ms);
	fake_clock_advance(&clock_b, ms);
}

/* ---- */

static struct mxw__key key(const char *text)
{
	struct mxw__key k;

	ck_assert(mxw__key_parse(text, &k));
	return k;
}

static int64_t now_of(const mxw__table_t *t)
{
	return t == a ? clock_a.mono_ms : clock_b.mono_ms;
}

static void add(mxw__table_t *t, const char *who, double points)
{
	struct mxw__key k = key(who);

	mxw__table_add(t, &k, points < 0 ? MXW__EVENT_ACCEPTED_RCPT : MXW__EVENT_SPAM, 1, points, now_of(t));
}

static void add_good(mxw__table_t *t, const char *who, double amount)
{
	struct mxw__key k = key(who);

	mxw__table_add_good(t, &k, amount, now_of(t));
}

static struct mxw__standing get(mxw__table_t *t, const char *who)
{
	struct mxw__key k = key(who);
	struct mxw__standing standing;

	mxw__table_get(t, &k, now_of(t), &standing);
	return standing;
}

static void check_score(mxw__table_t *t, const char *who, double wanted)
{
	ck_assert_double_eq_tol(get(t, who).score, wanted, 0.001 + fabs(wanted) / 500);
}

static size_t take_all(mxw__table_t *t, const struct mxw__state_sort *sort, mxw__state_reader_t reader, struct mxw__state_record *records,
		       size_t max)
{
	size_t n = sort->take(t, reader, records, max);

	ck_assert_uint_lt(n, max);
	return n;
}

/* ---- the disk ---- */

static const char *const everybody[] = {"192.0.2.1", "192.0.2.0/24", "2001:db8::/64", "2001:db8::/56", "2001:db8::/48",
					"helo:mx.example.org", "domain:example.org", "user:anna@example.org"};

enum { DISK = 100 };
static struct mxw__state_record disk[DISK];

static size_t save(mxw__table_t *t)
{
	return take_all(t, &mxw__table_sort, MXW__STATE_DISK, disk, DISK);
}

static void load(mxw__table_t *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mxw__table_sort.put(t, MXW__STATE_DISK, &disk[i]);
}

static void fill(mxw__table_t *t)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(everybody); i++) {
		add(t, everybody[i], 10.0 * (double)i - 5);
		add_good(t, everybody[i], (double)i);
	}
}

START_TEST(what_was_written_is_known_after_the_next_start)
{
	fill(a);
	advance(HALF_LIFE);
	fill(a);
	size_t n = save(a);
	ck_assert_uint_eq(n, MXW_ARRAY_LEN(everybody));
	/* Down for a while. */
	advance(HALF_LIFE);
	load(b, n);
	for (size_t i = 0; i < n; i++) {
		struct mxw__standing was = get(a, everybody[i]), is = get(b, everybody[i]);
		ck_assert_double_eq_tol(is.score, was.score, 0.01);
		ck_assert_double_eq_tol(is.good, was.good, 0.01);
		for (size_t e = 0; e < MXW__EVENT_COUNT; e++)
			ck_assert_double_eq_tol(is.counts[e], was.counts[e], 0.01);
		ck_assert_int_le(llabs((now_of(b) - is.first_ms) - (now_of(a) - was.first_ms)), 1000);
		ck_assert_int_le(llabs((now_of(b) - is.last_ms) - (now_of(a) - was.last_ms)), 1000);
	}
	/* It need not be written again, nor told to others. */
	ck_assert_uint_eq(save(b), 0);
	ck_assert_uint_eq(take_all(b, &mxw__table_sort, MXW__STATE_SHARE, disk, DISK), 0);
}
END_TEST

START_TEST(what_came_before_the_file_was_read_counts_as_well)
{
	add(a, "192.0.2.1", 20);
	add_good(a, "192.0.2.1", 2);
	size_t n = save(a);
	add(b, "192.0.2.1", 5);
	add_good(b, "192.0.2.1", 1);
	load(b, n);
	check_score(b, "192.0.2.1", 25);
	ck_assert_double_eq_tol(get(b, "192.0.2.1").good, 3, 0.01);
	ck_assert_double_eq_tol(get(b, "192.0.2.1").counts[MXW__EVENT_SPAM], 2, 0.01);
	/* And only once. */
	load(b, n);
	check_score(b, "192.0.2.1", 25);
}
END_TEST

START_TEST(only_what_has_changed_is_taken_and_each_reader_takes_for_itself)
{
	fill(a);
	ck_assert_uint_eq(save(a), MXW_ARRAY_LEN(everybody));
	ck_assert_uint_eq(save(a), 0);
	add(a, "192.0.2.1", 1);
	ck_assert_uint_eq(save(a), 1);
	ck_assert_str_eq(disk[0].key, "192.0.2.1");
	ck_assert_uint_eq(take_all(a, &mxw__table_sort, MXW__STATE_SHARE, disk, DISK), MXW_ARRAY_LEN(everybody));
	mxw__table_sort.mark_all(a, MXW__STATE_DISK);
	ck_assert_uint_eq(save(a), MXW_ARRAY_LEN(everybody));
	ck_assert_uint_eq(take_all(a, &mxw__table_sort, MXW__STATE_SHARE, disk, DISK), 0);
}
END_TEST

START_TEST(what_could_not_be_written_is_taken_again_as_it_is_then)
{
	add(a, "192.0.2.1", 10);
	ck_assert_uint_eq(save(a), 1);
	struct mxw__state_record lost = disk[0];
	add(a, "192.0.2.1", 10);
	mxw__table_sort.give_back(a, MXW__STATE_DISK, &lost);
	ck_assert_uint_eq(save(a), 1);
	ck_assert_double_eq_tol(disk[0].values[0], 20, 0.01);
}
END_TEST

/* ---- the clocks ---- */

static const struct {
	int64_t jump_ms; /* of the wall clock, between writing and reading */
	double left;
} jumps[] = {{0, 1}, {-1000 * (int64_t)HOUR, 1}, {HALF_LIFE, 0.5}, {1000 * (int64_t)HOUR, 0}};

START_TEST(at_the_start_things_are_as_old_as_the_wall_clock_says)
{
	add(a, "192.0.2.1", 40);
	size_t n = save(a);
	clock_b.wall_ms += jumps[_i].jump_ms;
	load(b, n);
	check_score(b, "192.0.2.1", 40 * jumps[_i].left);
	struct mxw__standing s = get(b, "192.0.2.1");
	int64_t gone = jumps[_i].jump_ms > 0 ? jumps[_i].jump_ms : 0;
	ck_assert_int_le(llabs(now_of(b) - s.last_ms - gone), 1000);
	ck_assert_int_le(s.last_ms, now_of(b));
}
END_TEST

START_TEST(a_wall_clock_that_jumps_while_running_changes_nothing)
{
	add(a, "192.0.2.1", 40);
	add_good(a, "192.0.2.1", 4);
	clock_a.wall_ms += jumps[_i].jump_ms;
	check_score(a, "192.0.2.1", 40);
	ck_assert_uint_eq(save(a), 1);
	ck_assert_double_eq_tol(disk[0].values[0], 40, 0.01);
	add(a, "192.0.2.1", 0);
	check_score(a, "192.0.2.1", 40);
	ck_assert_double_eq_tol(get(a, "192.0.2.1").good, 4, 0.01);
	/* Of two forgivings the second is later, whatever the clock says. */
	struct mxw__key k = key("192.0.2.1");
	clock_a.wall_ms -= jumps[_i].jump_ms;
	mxw__table_forgive(a, &k, now_of(a));
	save(a);
	double reset = disk[0].values[4];
	clock_a.wall_ms += jumps[_i].jump_ms;
	mxw__table_forgive(a, &k, now_of(a));
	save(a);
	ck_assert(disk[0].values[4] > reset);
}
END_TEST

static const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1e300, -1e300, -1};

START_TEST(a_damaged_record_does_no_harm)
{
	struct mxw__state_record r;

	add(a, "192.0.2.1", 1);
	ck_assert_uint_eq(save(a), 1);
	r = disk[0];
	for (size_t i = 0; i < MXW__STATE_FIELDS_MAX; i++)
		r.values[i] = odd[_i];
	for (size_t i = 0; i < 4; i++) {
		r.at_ms = (const int64_t[]){0, INT64_MAX, INT64_MIN, -1}[i];
		snprintf(r.key, sizeof r.key, "192.0.2.%zu", i + 1);
		for (unsigned reader = 0; reader < MXW__STATE_READERS; reader++) {
			mxw__table_sort.put(a, reader, &r);
			mxw__table_good_sort.put(a, reader, &r);
			mxw__table_sort.give_back(a, reader, &r);
			mxw__table_good_sort.give_back(a, reader, &r);
		}
		struct mxw__standing s = get(a, r.key);
		ck_assert(isfinite(s.score) && isfinite(s.good) && s.good >= 0);
		for (size_t e = 0; e < MXW__EVENT_COUNT; e++)
			ck_assert(isfinite(s.counts[e]) && s.counts[e] >= 0);
		ck_assert_int_le(s.first_ms, now_of(a));
	}
	snprintf(r.key, sizeof r.key, "no key at all");
	mxw__table_sort.put(a, MXW__STATE_DISK, &r);
	mxw__table_sort.give_back(a, MXW__STATE_DISK, &r);
}
END_TEST

/* ---- other hosts ---- */

START_TEST(hosts_that_share_come_to_the_sum)
{
	add(a, "192.0.2.1", 10);
	add(b, "192.0.2.1", 30);
	add(b, "helo:only.b", 7);
	share();
	check_score(a, "192.0.2.1", 40);
	check_score(b, "192.0.2.1", 40);
	check_score(a, "helo:only.b", 7);
	for (int i = 0; i < 10; i++) {
		advance(HALF_LIFE / 10);
		add(a, "192.0.2.1", 1);
		add(b, "192.0.2.1", -3);
		share();
		share();
	}
	ck_assert_double_eq_tol(get(a, "192.0.2.1").score, get(b, "192.0.2.1").score, 0.01);
	/* 40 a half-life ago; -2 for each tenth of it. */
	double wanted = 20;
	for (int i = 0; i < 10; i++)
		wanted -= 2 * exp2(-i / 10.0);
	check_score(a, "192.0.2.1", wanted);
}
END_TEST

START_TEST(good_history_is_shared_with_its_own_half_life)
{
	add_good(a, "192.0.2.1", 2);
	add_good(b, "192.0.2.1", 3);
	share();
	ck_assert_double_eq_tol(get(a, "192.0.2.1").good, 5, 0.01);
	advance(100 * HALF_LIFE);
	add_good(b, "192.0.2.1", 1);
	share();
	ck_assert_double_eq_tol(get(a, "192.0.2.1").good, 3.5, 0.01);
	ck_assert_double_eq_tol(get(b, "192.0.2.1").good, 3.5, 0.01);
}
END_TEST

START_TEST(what_others_have_not_been_told_is_not_lost_when_they_tell_theirs)
{
	add(a, "192.0.2.1", 10);
	add(b, "192.0.2.1", 30);
	push(b);
	pull(a);
	check_score(a, "192.0.2.1", 40);
	share();
	check_score(b, "192.0.2.1", 40);
	check_score(a, "192.0.2.1", 40);
}
END_TEST

static void tried(mxw__table_t *t, const char *who, unsigned unknown, unsigned rejected, unsigned accepted)
{
	struct mxw__key k = key(who);

	mxw__table_add(t, &k, MXW__EVENT_UNKNOWN_RCPT, unknown, 0, now_of(t));
	mxw__table_add(t, &k, MXW__EVENT_REJECTED_RCPT, rejected, 0, now_of(t));
	mxw__table_add(t, &k, MXW__EVENT_ACCEPTED_RCPT, accepted, 0, now_of(t));
}

/* Rejected ones are unknown to those who hear of them. */
static void check_tried(mxw__table_t *t, const char *who, double unknown, double accepted)
{
	struct mxw__standing is = get(t, who);

	ck_assert_double_eq_tol(is.counts[MXW__EVENT_UNKNOWN_RCPT] + is.counts[MXW__EVENT_REJECTED_RCPT], unknown, 0.01 + unknown / 200);
	ck_assert_double_eq_tol(is.counts[MXW__EVENT_ACCEPTED_RCPT], accepted, 0.01 + accepted / 200);
}

/* Or one that brings its good mail to one host and dead addresses to another would be all bad there. */
START_TEST(how_many_recipients_do_and_do_not_exist_is_shared)
{
	struct mxw__key k = key("192.0.2.1");

	tried(a, "192.0.2.1", 3, 2, 40);
	share();
	check_tried(b, "192.0.2.1", 5, 40);
	check_tried(a, "192.0.2.1", 5, 40);
	tried(b, "192.0.2.1", 1, 4, 10);
	tried(a, "192.0.2.1", 1, 0, 0);
	check_tried(b, "192.0.2.1", 10, 50);
	for (int i = 0; i < 3; i++)
		share();
	check_tried(a, "192.0.2.1", 11, 50);
	check_tried(b, "192.0.2.1", 11, 50);
	/* Events of other kinds are each host's own. */
	add(a, "192.0.2.1", 1);
	share();
	ck_assert_double_eq_tol(get(b, "192.0.2.1").counts[MXW__EVENT_SPAM], 0, 0.001);
	advance(HALF_LIFE);
	share();
	check_tried(a, "192.0.2.1", 5.5, 25);
	check_tried(b, "192.0.2.1", 5.5, 25);
	ck_assert(mxw__table_forgive(a, &k, now_of(a)));
	share();
	check_tried(a, "192.0.2.1", 0, 0);
	check_tried(b, "192.0.2.1", 0, 0);
}
END_TEST

/* There is room to tell of some hundreds at a time. */
START_TEST(more_recipients_than_can_be_told_at_a_time_are_known_where_they_were_tried)
{
	tried(a, "192.0.2.1", 300, 300, 70000);
	share();
	check_tried(a, "192.0.2.1", 600, 70000);
	check_tried(b, "192.0.2.1", 255, 65535);
	tried(a, "192.0.2.1", 10, 0, 10);
	share();
	check_tried(a, "192.0.2.1", 610, 70010);
	check_tried(b, "192.0.2.1", 265, 65545);
}
END_TEST

START_TEST(what_was_given_back_counts_once)
{
	static struct mxw__state_record lost[RECORDS];

	add(a, "192.0.2.1", 10);
	tried(a, "192.0.2.1", 3, 2, 7);
	add_good(a, "192.0.2.1", 2);
	for (int i = 0; i < 3; i++)
		for (size_t s = 0; s < MXW_ARRAY_LEN(sorts); s++) {
			ck_assert_uint_eq(take_all(a, sorts[s], MXW__STATE_SHARE, lost, RECORDS), 1);
			ck_assert_double_eq_tol(lost[0].values[0], s == 0 ? 10 : 2, 0.01);
			sorts[s]->give_back(a, MXW__STATE_SHARE, &lost[0]);
		}
	share();
	share();
	check_score(a, "192.0.2.1", 10);
	check_score(b, "192.0.2.1", 10);
	check_tried(a, "192.0.2.1", 5, 7);
	check_tried(b, "192.0.2.1", 5, 7);
	ck_assert_double_eq_tol(get(b, "192.0.2.1").good, 2, 0.01);
}
END_TEST

START_TEST(forgiving_reaches_the_other_host_and_leaves_its_good_history)
{
	struct mxw__key k = key("192.0.2.1");

	add(a, "192.0.2.1", 10);
	add(b, "192.0.2.1", 30);
	add_good(b, "192.0.2.1", 5);
	share();
	advance(1000);
	add(b, "192.0.2.1", 8);
	ck_assert(mxw__table_forgive(a, &k, now_of(a)));
	/* What is known elsewhere from before does not bring it back. */
	pull(a);
	check_score(a, "192.0.2.1", 0);
	push(b);
	push(a);
	pull(a);
	pull(b);
	check_score(a, "192.0.2.1", 0);
	check_score(b, "192.0.2.1", 0);
	ck_assert_double_eq_tol(get(b, "192.0.2.1").counts[MXW__EVENT_SPAM], 0, 0.001);
	ck_assert_double_eq_tol(get(a, "192.0.2.1").good, 5, 0.01);
	ck_assert_double_eq_tol(get(b, "192.0.2.1").good, 5, 0.01);
	advance(1000);
	add(b, "192.0.2.1", 4);
	share();
	check_score(a, "192.0.2.1", 4);
	check_score(b, "192.0.2.1", 4);
}
END_TEST

START_TEST(what_was_lost_before_a_forgiving_stays_lost)
{
	static struct mxw__state_record lost[RECORDS];
	struct mxw__key k = key("192.0.2.1");

	add(a, "192.0.2.1", 10);
	ck_assert_uint_eq(take_all(a, &mxw__table_sort, MXW__STATE_SHARE, lost, RECORDS), 1);
	advance(1000);
	mxw__table_forgive(a, &k, now_of(a));
	mxw__table_sort.give_back(a, MXW__STATE_SHARE, &lost[0]);
	share();
	check_score(a, "192.0.2.1", 0);
	check_score(b, "192.0.2.1", 0);
}
END_TEST

/* As when the common store has been started anew, empty. */
START_TEST(one_host_can_tell_everything_again)
{
	add(a, "192.0.2.1", 10);
	add(b, "192.0.2.1", 30);
	add_good(b, "192.0.2.1", 3);
	share();
	nstored = 0;
	for (size_t i = 0; i < MXW_ARRAY_LEN(sorts); i++)
		sorts[i]->mark_all(a, MXW__STATE_SHARE);
	share();
	check_score(a, "192.0.2.1", 40);
	check_score(b, "192.0.2.1", 40);
	ck_assert_double_eq_tol(get(b, "192.0.2.1").good, 3, 0.01);
}
END_TEST

START_TEST(what_comes_from_elsewhere_pushes_out_nobody_worth_more)
{
	struct mxw__table_stats stats;
	struct mxw__state_record r;

	add(b, "192.0.2.1", 5);
	ck_assert_uint_eq(take_all(b, &mxw__table_sort, MXW__STATE_SHARE, disk, DISK), 1);
	r = disk[0];
	for (unsigned i = 0; i < 20000; i++) {
		char who[40];
		snprintf(who, sizeof who, "10.1.%u.%u", i >> 8, i & 255);
		add(a, who, 20);
	}
	mxw__table_get_stats(a, &stats);
	uint64_t evictions = stats.evictions;
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(r.key, sizeof r.key, "10.2.%u.%u", i >> 8, i & 255);
		mxw__table_sort.put(a, MXW__STATE_SHARE, &r);
	}
	mxw__table_get_stats(a, &stats);
	ck_assert_uint_eq(stats.evictions, evictions);
}
END_TEST

START_TEST(a_record_lives_as_long_as_there_is_something_in_it)
{
	add(a, "192.0.2.1", 10);
	add_good(a, "192.0.2.2", 3);
	ck_assert_uint_eq(save(a), 2);
	for (size_t i = 0; i < 2; i++) {
		int64_t lives = disk[i].expires_ms - clock_a.wall_ms;
		bool is_good = strcmp(disk[i].key, "192.0.2.2") == 0;
		ck_assert_int_ge(lives, (is_good ? 500 : 10) * (int64_t)HALF_LIFE);
		ck_assert_int_le(lives, (is_good ? 1000 : 20) * (int64_t)HALF_LIFE);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("table as state");
	TCase *tc = tcase_create("table as state");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_written_is_known_after_the_next_start);
	tcase_add_test(tc, what_came_before_the_file_was_read_counts_as_well);
	tcase_add_test(tc, only_what_has_changed_is_taken_and_each_reader_takes_for_itself);
	tcase_add_test(tc, what_could_not_be_written_is_taken_again_as_it_is_then);
	tcase_add_loop_test(tc, at_the_start_things_are_as_old_as_the_wall_clock_says, 0, MXW_ARRAY_LEN(jumps));
	tcase_add_loop_test(tc, a_wall_clock_that_jumps_while_running_changes_nothing, 0, MXW_ARRAY_LEN(jumps));
	tcase_add_loop_test(tc, a_damaged_record_does_no_harm, 0, MXW_ARRAY_LEN(odd));
	tcase_add_test(tc, hosts_that_share_come_to_the_sum);
	tcase_add_test(tc, good_history_is_shared_with_its_own_half_life);
	tcase_add_test(tc, what_others_have_not_been_told_is_not_lost_when_they_tell_theirs);
	tcase_add_test(tc, how_many_recipients_do_and_do_not_exist_is_shared);
	tcase_add_test(tc, more_recipients_than_can_be_told_at_a_time_are_known_where_they_were_tried);
	tcase_add_test(tc, what_was_given_back_counts_once);
	tcase_add_test(tc, forgiving_reaches_the_other_host_and_leaves_its_good_history);
	tcase_add_test(tc, what_was_lost_before_a_forgiving_stays_lost);
	tcase_add_test(tc, one_host_can_tell_everything_again);
	tcase_add_test(tc, what_comes_from_elsewhere_pushes_out_nobody_worth_more);
	tcase_add_test(tc, a_record_lives_as_long_as_there_is_something_in_it);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
