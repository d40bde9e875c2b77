/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxward/track.h>

#include "src/session/engine.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/suite.h"

enum { HOUR_MS = 60 * 60 * 1000 };
#define NOW_MS (INT64_C(1767225600) * 1000)

static struct fake_clock fake;
static mxw_engine_t *engine;
static struct mxw__buf seen;
static struct mxw_error err;

static void setup(void)
{
	struct mxw_engine_options options = {.size = sizeof options, .clock = &fake.clock};
	mxw_conf_t *conf = NULL;

	fake_clock_init(&fake);
	mxw__buf_init(&seen, 1 << 20);
	ck_assert_int_eq(mxw_conf_load_text("test.conf", "networks { relays 198.51.100.1\n }\nlist bad {\n kind addresses\n }\n"
					    "rates { limit three connections per address 3/1h\n }\n", NULL, NULL, &conf), MXW_OK);
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, &err), MXW_OK);
	mxw_conf_unref(conf);
}

static void teardown(void)
{
	mxw_engine_free(engine);
	mxw__buf_fini(&seen);
}

static struct mxw_track_entry find(const char *key)
{
	struct mxw_track_entry entry = {.size = sizeof entry};

	ck_assert_msg(mxw_track_find(engine, key, &entry, &err) == MXW_OK, "%s: %s", key, err.text);
	return entry;
}

static void note_key(void *ctx, const struct mxw_track_entry *entry)
{
	mxw__buf_addf(ctx, "%s=%.0f ", entry->key, entry->score);
}

static const char *list(struct mxw_track_filter filter)
{
	mxw__buf_clear(&seen);
	filter.size = sizeof filter;
	ck_assert_int_eq(mxw_track_list(engine, &filter, note_key, &seen, &err), MXW_OK);
	return mxw__buf_str(&seen);
}

START_TEST(a_report_raises_the_score)
{
	struct mxw_track_entry entry;

	ck_assert_int_eq(mxw_track_report(engine, "192.0.2.1", "auth-failure", 3, &err), MXW_OK);
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(mxw_track_report(engine, "192.0.2.1", "spam", 1, &err), MXW_OK);
	entry = find("192.0.2.1");
	ck_assert_str_eq(entry.kind, "address");
	ck_assert_str_eq(entry.key, "192.0.2.1");
	ck_assert_double_eq_tol(entry.score, 50, 0.1);
	ck_assert_uint_eq(entry.ncounts, 2);
	ck_assert_str_eq(entry.counts[0].event, "auth-failure");
	ck_assert_double_eq_tol(entry.counts[0].times, 3, 0.01);
	ck_assert(!entry.counts[0].is_good);
	ck_assert_str_eq(entry.counts[1].event, "spam");
	ck_assert_int_eq(entry.first_seen_ms, NOW_MS);
	ck_assert_int_eq(entry.last_seen_ms, NOW_MS + 1000);
	/* What it has done is on its network's account, too. */
	ck_assert_double_gt(find("192.0.2.0/24").score, 0);
	fake_clock_advance(&fake, HOUR_MS);
	ck_assert_double_eq_tol(find("192.0.2.1").score, 25, 0.1);
}
END_TEST

static const struct {
	const char *key, *event;
	unsigned times;
} bad_reports[] = {
	{"", "spam", 1},
	{"nonsense", "spam", 1},
	{"192.0.2.1 ", "spam", 1},
	{"192.0.2.1", "", 1},
	{"192.0.2.1", "unknown-recipient", 1},
	{"192.0.2.1", "aligned-message", 1},
	{"192.0.2.1", "spam", 0},
	{"192.0.2.1", "spam", 1001},
};

START_TEST(a_report_that_makes_no_sense_is_refused)
{
	struct mxw_track_entry entry = {.size = sizeof entry};

	err.text[0] = '\0';
	ck_assert_int_eq(mxw_track_report(engine, bad_reports[_i].key, bad_reports[_i].event, bad_reports[_i].times, &err),
			 MXW_ERR_INVALID);
	ck_assert_str_ne(err.text, "");
	ck_assert_int_eq(mxw_track_report(engine, bad_reports[_i].key, bad_reports[_i].event, bad_reports[_i].times, NULL),
			 MXW_ERR_INVALID);
	ck_assert_int_eq(mxw_track_find(engine, "192.0.2.1", &entry, NULL), MXW_ERR_INVALID);
}
END_TEST

START_TEST(forgiving_lets_it_begin_anew)
{
	ck_assert_int_eq(mxw_track_report(engine, "2001:db8::1", "spam", 5, &err), MXW_OK);
	ck_assert_double_gt(find("2001:db8::/64").score, 0);
	ck_assert_int_eq(mxw_track_forgive(engine, "2001:db8::1", &err), MXW_OK);
	ck_assert_double_eq(find("2001:db8::/64").score, 0);
	ck_assert_uint_eq(find("2001:db8::/64").ncounts, 0);
	ck_assert_int_eq(mxw_track_forgive(engine, "192.0.2.77", &err), MXW_ERR_INVALID);
	ck_assert_str_eq(err.text, "nothing is known of it");
	ck_assert_int_eq(mxw_track_forgive(engine, "x", &err), MXW_ERR_INVALID);
}
END_TEST

/* What follows it otherwise: guesses are counted apart, as is what limits count. */
START_TEST(forgiving_covers_guesses_and_limits)
{
	const struct mxw__limit_conf *limit = &engine->current->conf->rates.limits[0];
	int64_t now_ms = mxw__now_ms(&fake.clock);
	struct mxw__harvest_counts counts;
	struct mxw__key key;
	struct mxw_ip ip;

	ck_assert_int_eq(mxw_ip_parse("192.0.2.1", &ip), MXW_OK);
	ck_assert(mxw__key_parse("192.0.2.1", &key));
	ck_assert(mxw__harvest_add(engine->harvest, &ip, "a@example.net", now_ms, HOUR_MS));
	ck_assert(mxw__rates_take(engine->rates, &limit->rate, &key, 3, now_ms));
	ck_assert(!mxw__rates_has_room(engine->rates, &limit->rate, &key, now_ms));
	ck_assert_int_eq(mxw_track_report(engine, "192.0.2.1", "spam", 1, &err), MXW_OK);
	ck_assert_int_eq(mxw_track_forgive(engine, "192.0.2.1", &err), MXW_OK);
	mxw__harvest_count(engine->harvest, &ip, now_ms, HOUR_MS, &counts);
	ck_assert_uint_eq(counts.client, 0);
	ck_assert_uint_eq(counts.network, 1);
	ck_assert(mxw__rates_has_room(engine->rates, &limit->rate, &key, now_ms));
	/* The network is forgiven by itself. */
	ck_assert_int_eq(mxw_track_forgive(engine, "192.0.2.0/24", &err), MXW_OK);
	mxw__harvest_count(engine->harvest, &ip, now_ms, HOUR_MS, &counts);
	ck_assert_uint_eq(counts.network, 0);
	/* So is who has guessed, where that makes no points. */
	ck_assert_int_eq(mxw_ip_parse("198.51.100.9", &ip), MXW_OK);
	ck_assert(mxw__harvest_add(engine->harvest, &ip, "a@example.net", now_ms, HOUR_MS));
	ck_assert_int_eq(mxw_track_forgive(engine, "198.51.100.9", &err), MXW_OK);
	ck_assert_int_eq(mxw_track_forgive(engine, "198.51.100.9", &err), MXW_ERR_INVALID);
	/* A host inside has limits, and no score. */
	ck_assert(mxw__key_parse("10.0.0.1", &key));
	ck_assert(mxw__rates_take(engine->rates, &limit->rate, &key, 3, now_ms));
	ck_assert_int_eq(mxw_track_forgive(engine, "10.0.0.1", &err), MXW_OK);
	ck_assert(mxw__rates_has_room(engine->rates, &limit->rate, &key, now_ms));
	ck_assert_int_eq(mxw_track_forgive(engine, "10.0.0.1", &err), MXW_ERR_INVALID);
}
END_TEST

START_TEST(the_highest_scores_come_first)
{
	char key[40];

	ck_assert_str_eq(list((struct mxw_track_filter){0}), "");
	for (unsigned i = 0; i < 200; i++) {
		snprintf(key, sizeof key, "203.0.%u.7", (i * 7) % 200);
		ck_assert_int_eq(mxw_track_report(engine, key, "reported", 1 + (i * 7) % 200, &err), MXW_OK);
	}
	ck_assert_int_eq(mxw_track_report(engine, "helo:mx.example.org", "reported", 500, &err), MXW_OK);
	ck_assert_str_eq(list((struct mxw_track_filter){.kind = "address", .limit = 3}),
			 "203.0.199.7=2000 203.0.198.7=1990 203.0.197.7=1980 ");
	ck_assert_str_eq(list((struct mxw_track_filter){.limit = 1}), "helo:mx.example.org=5000 ");
	ck_assert_str_eq(list((struct mxw_track_filter){.kind = "address", .has_min_score = true, .min_score = 1985}),
			 "203.0.199.7=2000 203.0.198.7=1990 ");
	ck_assert_str_eq(list((struct mxw_track_filter){.kind = "user"}), "");
	size_t n = 0;
	for (const char *s = list((struct mxw_track_filter){.kind = "address", .limit = 1000000}); *s; s++)
		n += *s == ' ';
	ck_assert_uint_eq(n, 200);
	struct mxw_track_filter filter = {.size = sizeof filter, .kind = "nonsense"};
	ck_assert_int_eq(mxw_track_list(engine, &filter, note_key, &seen, &err), MXW_ERR_INVALID);
}
END_TEST

/* A program that was built when the struct was shorter. */
START_TEST(no_more_is_written_than_the_caller_has_room_for)
{
	struct mxw_track_entry entry;

	ck_assert_int_eq(mxw_track_report(engine, "192.0.2.1", "spam", 1, &err), MXW_OK);
	memset(&entry, 0x5a, sizeof entry);
	entry.size = offsetof(struct mxw_track_entry, ncounts);
	ck_assert_int_eq(mxw_track_find(engine, "192.0.2.1", &entry, &err), MXW_OK);
	ck_assert_double_eq_tol(entry.score, 20, 0.1);
	ck_assert_uint_eq(entry.ncounts, (size_t)0x5a5a5a5a5a5a5a5a);
}
END_TEST

static void note_account(void *ctx, const struct mxw_account *account)
{
	mxw__buf_addf(ctx, "%s|%lld|%lld|%s|%s ", account->key, (long long)(account->since_ms - NOW_MS),
		      account->until_ms ? (long long)(account->until_ms - NOW_MS) : 0, account->author, account->reason);
}

static const char *accounts(void)
{
	mxw__buf_clear(&seen);
	ck_assert_int_eq(mxw_account_each(engine, note_account, &seen, &err), MXW_OK);
	return mxw__buf_str(&seen);
}

START_TEST(accounts_are_suspended_and_resumed)
{
	ck_assert_str_eq(accounts(), "");
	ck_assert_int_eq(mxw_account_suspend(engine, "anna", 0, "root", "sends spam", &err), MXW_OK);
	ck_assert_str_eq(accounts(), "user:anna|0|0|root|sends spam ");
	ck_assert_int_eq(mxw_account_suspend(engine, "user:anna", HOUR_MS, NULL, NULL, &err), MXW_OK);
	ck_assert_ptr_nonnull(strstr(accounts(), "user:anna|0|3600000|"));
	ck_assert_int_eq(mxw_account_resume(engine, "anna", "root", &err), MXW_OK);
	ck_assert_str_eq(accounts(), "");
	ck_assert_int_eq(mxw_account_resume(engine, "anna", NULL, &err), MXW_ERR_INVALID);
	ck_assert_str_eq(err.text, "it is not suspended");
	ck_assert_int_eq(mxw_account_suspend(engine, "", 0, "root", "", &err), MXW_ERR_INVALID);
}
END_TEST

static void note_entry(void *ctx, const struct mxw_list_entry *entry)
{
	mxw__buf_addf(ctx, "%s|%s|%lld|%s|%s|%u ", entry->list, entry->entry,
		      entry->until_ms ? (long long)(entry->until_ms - NOW_MS) : 0, entry->author, entry->reason, entry->line);
}

static const char *entries(void)
{
	mxw__buf_clear(&seen);
	ck_assert_int_eq(mxw_list_each(engine, NULL, note_entry, &seen, &err), MXW_OK);
	return mxw__buf_str(&seen);
}

START_TEST(entries_are_added_and_removed)
{
	ck_assert_int_eq(mxw_list_add(engine, "bad", "192.0.2.0/24", HOUR_MS, "root", "a reason", &err), MXW_OK);
	ck_assert_str_eq(entries(), "bad|192.0.2.0/24|3600000|root|a reason|0 ");
	ck_assert_int_eq(mxw_list_add(engine, "nonsense", "192.0.2.0/24", 0, "root", "", &err), MXW_ERR_INVALID);
	ck_assert_int_eq(mxw_list_each(engine, "nonsense", note_entry, &seen, &err), MXW_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "there is no list 'nonsense'"));
	ck_assert_int_eq(mxw_list_add(engine, "bad", "no address", 0, "root", "", &err), MXW_ERR_INVALID);
	ck_assert_int_eq(mxw_list_remove(engine, "bad", "192.0.2.0/24", &err), MXW_OK);
	ck_assert_str_eq(entries(), "");
	ck_assert_int_eq(mxw_list_remove(engine, "bad", "192.0.2.0/24", &err), MXW_ERR_INVALID);
}
END_TEST

static void note_figure(void *ctx, const char *group, const char *name, uint64_t value)
{
	mxw__buf_addf(ctx, "%s.%s=%llu\n", group, name, (unsigned long long)value);
}

START_TEST(figures_have_names_of_their_own)
{
	const char *const wanted[] = {"tracker.entries=2\n", "tracker.evictions=0\n", "store.written=0\n", "store.failures=0\n", "share.on=0\n",
				      "rates.evictions=0\n", "dmarc.dropped=0\n", "recipients.hits=0\n", "resolver.sent=0\n", "accounts.suspended=1\n"};

	ck_assert_int_eq(mxw_track_report(engine, "192.0.2.1", "spam", 1, &err), MXW_OK);
	ck_assert_int_eq(mxw_account_suspend(engine, "anna", 0, NULL, NULL, &err), MXW_OK);
	mxw_engine_each_figure(engine, note_figure, &seen);
	for (size_t i = 0; i < MXW_ARRAY_LEN(wanted); i++)
		ck_assert_msg(strstr(mxw__buf_str(&seen), wanted[i]) != NULL, "%s in %s", wanted[i], mxw__buf_str(&seen));
}
END_TEST

static void note_listing(void *ctx, const struct mxw_list_entry *entry)
{
	mxw__buf_addf(ctx, "%s=%s ", entry->list, entry->entry);
}

static const char *lists_with(const char *key)
{
	mxw__buf_clear(&seen);
	ck_assert_msg(mxw_list_find(engine, key, note_listing, &seen, &err) == MXW_OK, "%s: %s", key, err.text);
	return mxw__buf_str(&seen);
}

START_TEST(the_lists_that_have_a_key_are_found)
{
	ck_assert_int_eq(mxw_list_add(engine, "bad", "2001:db8::7", 0, NULL, NULL, &err), MXW_OK);
	ck_assert_int_eq(mxw_list_add(engine, "bad", "192.0.2.0/24", 1000, NULL, NULL, &err), MXW_OK);
	ck_assert_str_eq(lists_with("2001:db8::7"), "bad=2001:db8::7 ");
	ck_assert_str_eq(lists_with("2001:db8::8"), "");
	ck_assert_str_eq(lists_with("192.0.2.7"), "bad=192.0.2.0/24 ");
	ck_assert_str_eq(lists_with("helo:a.example"), "");
	ck_assert_str_eq(lists_with("user:anna"), "");
	fake_clock_advance(&fake, 1000);
	ck_assert_str_eq(lists_with("192.0.2.7"), "");
	ck_assert_int_eq(mxw_list_find(engine, "", note_listing, &seen, &err), MXW_ERR_INVALID);
	ck_assert_int_eq(mxw_list_find(engine, "1.2.3", note_listing, &seen, &err), MXW_ERR_INVALID);
}
END_TEST

static struct mxw_track_details details_of(const char *key)
{
	struct mxw_track_details details = {.size = sizeof details};

	ck_assert_msg(mxw_track_find_details(engine, key, &details, &err) == MXW_OK, "%s: %s", key, err.text);
	return details;
}

/* Tries again as a mail server does, often enough. */
static void make_known(const char *identity)
{
	struct mxw__greylist_attempt attempt;
	char sender[32];

	for (int i = 0; i < 10; i++) {
		snprintf(sender, sizeof sender, "%c@a.example", 'a' + i);
		mxw__greylist_attempt_make(identity, sender, "x@y.example", &attempt);
		mxw__greylist_put_off(engine->greylist, &attempt, mxw__now_ms(&fake.clock));
		fake_clock_advance(&fake, HOUR_MS);
		mxw__greylist_taken(engine->greylist, &attempt, mxw__now_ms(&fake.clock));
	}
}

START_TEST(guesses_and_the_greylist_are_told_as_well)
{
	struct mxw_ip ip;

	make_known("network:192.0.2.0/24");
	make_known("domain:a.example");
	ck_assert_int_eq(mxw_ip_parse("192.0.2.7", &ip), MXW_OK);
	mxw__harvest_add(engine->harvest, &ip, "one@example.net", mxw__now_ms(&fake.clock), HOUR_MS);
	mxw__harvest_add(engine->harvest, &ip, "two@example.net", mxw__now_ms(&fake.clock), HOUR_MS);
	ck_assert_uint_eq(details_of("192.0.2.7").guesses, 2);
	ck_assert_uint_eq(details_of("192.0.2.7").network_guesses, 2);
	ck_assert_uint_eq(details_of("192.0.2.8").guesses, 0);
	ck_assert_uint_eq(details_of("192.0.2.8").network_guesses, 2);
	ck_assert_uint_eq(details_of("192.0.2.0/24").guesses, 0);
	ck_assert_uint_eq(details_of("192.0.2.0/24").network_guesses, 2);
	ck_assert_int_eq(mxw_ip_parse("2001:db8:1:2::7", &ip), MXW_OK);
	mxw__harvest_add(engine->harvest, &ip, "one@example.net", mxw__now_ms(&fake.clock), HOUR_MS);
	ck_assert_uint_eq(details_of("2001:db8:1::/48").network_guesses, 1);
	ck_assert_uint_eq(details_of("2001:db8:1::/56").network_guesses, 0);
	ck_assert_uint_eq(details_of("user:anna").network_guesses, 0);
	ck_assert(details_of("192.0.2.8").is_greylist_known);
	ck_assert(details_of("192.0.2.0/24").is_greylist_known);
	ck_assert(!details_of("192.0.3.8").is_greylist_known);
	ck_assert(details_of("domain:mail.a.example").is_greylist_known);
	ck_assert(!details_of("helo:mail.a.example").is_greylist_known);
	ck_assert(!details_of("user:anna").is_greylist_known);
	ck_assert(!details_of("2001:db8::/48").is_greylist_known);
	ck_assert(!details_of("user:anna").is_suspended);
	ck_assert_int_eq(mxw_account_suspend(engine, "anna", 0, "a", "b", &err), MXW_OK);
	ck_assert(details_of("user:Anna").is_suspended);
	ck_assert(!details_of("helo:anna").is_suspended);
	struct mxw_track_details details = {.size = sizeof details};
	ck_assert_int_eq(mxw_track_find_details(engine, "nonsense", &details, &err), MXW_ERR_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("track_api");
	TCase *tc = tcase_create("track_api");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_report_raises_the_score);
	tcase_add_loop_test(tc, a_report_that_makes_no_sense_is_refused, 0, MXW_ARRAY_LEN(bad_reports));
	tcase_add_test(tc, forgiving_lets_it_begin_anew);
	tcase_add_test(tc, forgiving_covers_guesses_and_limits);
	tcase_add_test(tc, the_highest_scores_come_first);
	tcase_add_test(tc, no_more_is_written_than_the_caller_has_room_for);
	tcase_add_test(tc, accounts_are_suspended_and_resumed);
	tcase_add_test(tc, entries_are_added_and_removed);
	tcase_add_test(tc, figures_have_names_of_their_own);
	tcase_add_test(tc, the_lists_that_have_a_key_are_found);
	tcase_add_test(tc, guesses_and_the_greylist_are_told_as_well);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
