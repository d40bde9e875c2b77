/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/track/accounts.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/suite.h"

static struct fake_clock fake;
static mxw__accounts_t *accounts;

static void setup(void)
{
	fake_clock_init(&fake);
	ck_assert_int_eq(mxw__accounts_new(&fake.clock, &accounts), MXW_OK);
}

static void teardown(void)
{
	mxw__accounts_free(accounts);
}

static struct mxw__key user(const char *name)
{
	return mxw__key_of_name(MXW__KEY_USER, name);
}

static bool suspend(const char *name, uint64_t for_ms)
{
	struct mxw__key key = user(name);
	bool is_new = false;

	ck_assert_int_eq(mxw__accounts_suspend(accounts, &key, "too many messages", "mxward", for_ms, &is_new), MXW_OK);
	return is_new;
}

static bool is_suspended(mxw__accounts_t *a, const char *name)
{
	struct mxw__key key = user(name);

	return mxw__accounts_find(a, &key, NULL);
}

static bool resume(const char *name)
{
	struct mxw__key key = user(name);

	return mxw__accounts_resume(accounts, &key, "postmaster");
}

START_TEST(one_is_suspended_until_it_is_undone)
{
	struct mxw__account account;
	struct mxw__key key = user("anna");

	ck_assert(!is_suspended(accounts, "anna"));
	ck_assert(suspend("anna", 0));
	ck_assert(!suspend("anna", 0));
	ck_assert(!is_suspended(accounts, "berta"));
	fake_clock_advance(&fake, INT64_C(400) * 86400000);
	ck_assert(mxw__accounts_find(accounts, &key, &account));
	ck_assert_str_eq(account.reason, "too many messages");
	ck_assert_str_eq(account.author, "mxward");
	ck_assert_int_eq(account.until_ms, 0);
	ck_assert(resume("anna"));
	ck_assert(!resume("anna"));
	ck_assert(!is_suspended(accounts, "anna"));
	ck_assert(suspend("anna", 0));
}
END_TEST

START_TEST(one_expires_by_the_monotonic_clock)
{
	suspend("anna", 60000);
	/* The wall clock jumps by a year. */
	atomic_fetch_add(&fake.wall_ms, INT64_C(365) * 86400000);
	ck_assert(is_suspended(accounts, "anna"));
	fake_clock_advance(&fake, 59999);
	ck_assert(is_suspended(accounts, "anna"));
	fake_clock_advance(&fake, 1);
	ck_assert(!is_suspended(accounts, "anna"));
	ck_assert(suspend("anna", 60000));
}
END_TEST

/* A host whose clock is a year ahead; the record comes with what is left of its life by the common store's clock. */
START_TEST(a_suspension_ends_in_time_also_where_the_clock_of_the_host_that_made_it_is_wrong)
{
	struct mxw__state_record record;
	mxw__accounts_t *other;

	suspend("anna", 60000);
	ck_assert_uint_eq(mxw__accounts_sort.take(accounts, MXW__STATE_SHARE, &record, 1), 1);
	record.values[0] += 365 * 86400000.0;
	record.values[1] += 365 * 86400000.0;
	ck_assert_int_eq(mxw__accounts_new(&fake.clock, &other), MXW_OK);
	mxw__accounts_sort.put(other, MXW__STATE_SHARE, &record);
	ck_assert(is_suspended(other, "anna"));
	fake_clock_advance(&fake, 60000);
	ck_assert(!is_suspended(other, "anna"));
	mxw__accounts_free(other);
}
END_TEST

START_TEST(other_kinds_of_keys_have_no_account)
{
	struct mxw__key key = mxw__key_of_name(MXW__KEY_DOMAIN, "example.org"), none = {0};

	ck_assert_int_eq(mxw__accounts_suspend(accounts, &key, "x", "y", 0, NULL), MXW_ERR_USAGE);
	ck_assert_int_eq(mxw__accounts_suspend(accounts, &none, "x", "y", 0, NULL), MXW_ERR_USAGE);
}
END_TEST

static void count(void *ctx, const struct mxw__account *account)
{
	++*(size_t *)ctx;
	/* What is visited may be changed. */
	mxw__accounts_resume(accounts, &account->key, "postmaster");
}

START_TEST(too_many_push_out_those_that_were_lifted_and_none_that_are_not)
{
	struct mxw__key key = user("one more");
	char name[32];
	size_t n = 0;

	for (unsigned i = 0; i < MXW__ACCOUNTS_MAX; i++) {
		snprintf(name, sizeof name, "user%u", i);
		suspend(name, 0);
	}
	ck_assert_int_eq(mxw__accounts_suspend(accounts, &key, "x", "y", 0, NULL), MXW_ERR_LIMIT);
	ck_assert(is_suspended(accounts, "user0"));
	ck_assert(resume("user17"));
	ck_assert_int_eq(mxw__accounts_suspend(accounts, &key, "x", "y", 0, NULL), MXW_OK);
	ck_assert(mxw__accounts_each(accounts, count, &n));
	ck_assert_uint_eq(n, MXW__ACCOUNTS_MAX);
	ck_assert(!is_suspended(accounts, "user0"));
}
END_TEST

/* ---- on disk and on other hosts ---- */

static size_t take(mxw__accounts_t *a, mxw__state_reader_t reader, struct mxw__state_record *record)
{
	return mxw__accounts_sort.take(a, reader, record, 1);
}

START_TEST(what_changed_is_taken_once_by_each_and_comes_back_the_same)
{
	struct mxw__state_record record;
	struct mxw__account account;
	struct mxw__key key = user("anna");
	mxw__accounts_t *other;

	ck_assert_uint_eq(take(accounts, MXW__STATE_DISK, &record), 0);
	suspend("anna", 60000);
	ck_assert_uint_eq(take(accounts, MXW__STATE_SHARE, &record), 1);
	ck_assert_uint_eq(take(accounts, MXW__STATE_DISK, &record), 1);
	ck_assert_uint_eq(take(accounts, MXW__STATE_DISK, &record), 0);
	mxw__accounts_sort.give_back(accounts, MXW__STATE_DISK, &record);
	ck_assert_uint_eq(take(accounts, MXW__STATE_DISK, &record), 1);
	ck_assert_str_eq(record.key, "user:anna");
	ck_assert_str_eq(record.text, "mxward too many messages");
	fake_clock_advance(&fake, 20000);
	ck_assert_int_eq(mxw__accounts_new(&fake.clock, &other), MXW_OK);
	mxw__accounts_sort.put(other, MXW__STATE_DISK, &record);
	ck_assert(mxw__accounts_find(other, &key, &account));
	ck_assert_str_eq(account.author, "mxward");
	ck_assert_str_eq(account.reason, "too many messages");
	fake_clock_advance(&fake, 40000);
	ck_assert(!is_suspended(other, "anna"));
	mxw__accounts_free(other);
}
END_TEST

START_TEST(the_latest_word_holds_wherever_it_was_said)
{
	struct mxw__state_record suspended, lifted;

	suspend("anna", 0);
	ck_assert_uint_eq(take(accounts, MXW__STATE_SHARE, &suspended), 1);
	fake_clock_advance(&fake, 1000);
	ck_assert(resume("anna"));
	ck_assert_uint_eq(take(accounts, MXW__STATE_SHARE, &lifted), 1);
	/* An older record changes nothing, in whatever order they come. */
	mxw__accounts_sort.put(accounts, MXW__STATE_SHARE, &suspended);
	ck_assert(!is_suspended(accounts, "anna"));
	mxw__accounts_t *other;
	ck_assert_int_eq(mxw__accounts_new(&fake.clock, &other), MXW_OK);
	mxw__accounts_sort.put(other, MXW__STATE_SHARE, &suspended);
	ck_assert(is_suspended(other, "anna"));
	mxw__accounts_sort.put(other, MXW__STATE_SHARE, &lifted);
	ck_assert(!is_suspended(other, "anna"));
	/* What came from elsewhere goes to the disk here, and not back. */
	ck_assert_uint_eq(take(other, MXW__STATE_SHARE, &lifted), 0);
	ck_assert_uint_eq(take(other, MXW__STATE_DISK, &lifted), 1);
	mxw__accounts_sort.mark_all(other, MXW__STATE_SHARE);
	ck_assert_uint_eq(take(other, MXW__STATE_SHARE, &lifted), 1);
	mxw__accounts_free(other);
}
END_TEST

START_TEST(a_record_that_is_none_is_passed_over)
{
	struct mxw__state_record record = {.at_ms = 1};
	static const char *const keys[] = {"", "user:", "helo:x", "192.0.2.0/24", "no key"};

	for (size_t i = 0; i < MXW_ARRAY_LEN(keys); i++) {
		snprintf(record.key, sizeof record.key, "%s", keys[i]);
		mxw__accounts_sort.put(accounts, MXW__STATE_DISK, &record);
	}
	ck_assert_uint_eq(take(accounts, MXW__STATE_SHARE, &record), 0);
}
END_TEST

static const struct {
	const char *text, *kept;
} texts[] = {
	{"", ""},
	{"too many messages", "too many messages"},
	{"Pa\xc3\x9fwort", "Pa\xc3\x9fwort"},
	{"\xe5\xaf\x86\xe7\xa0\x81 \xf0\x9f\x94\x91", "\xe5\xaf\x86\xe7\xa0\x81 \xf0\x9f\x94\x91"},
	{"a\nb\x1b[2J\x7f", "a?b?[2J?"},
	/* A control beyond ASCII, one that turns writing round, and no UTF-8: cut short, overlong, a surrogate, too large. */
	{"\xc2\x9b", "??"},
	{"\xe2\x80\xae", "???"},
	{"a\xc3", "a?"},
	{"\xc0\xaf", "??"},
	{"\xed\xa0\x80", "???"},
	{"\xf4\x90\x80\x80", "????"},
	{"\xff\xfe", "??"},
	/* Cut where a character ends. */
	{"0123456789012345678901234567890", "0123456789012345678901234567890"},
	{"01234567890123456789012345678901", "0123456789012345678901234567890"},
	{"012345678901234567890123456789\xc3\x9f", "012345678901234567890123456789"},
};

START_TEST(a_text_is_kept_as_people_may_see_it)
{
	char kept[32];

	mxw__state_copy_text(kept, sizeof kept, texts[_i].text, strlen(texts[_i].text));
	ck_assert_str_eq(kept, texts[_i].kept);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("accounts");
	TCase *tc = tcase_create("accounts");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_is_suspended_until_it_is_undone);
	tcase_add_test(tc, one_expires_by_the_monotonic_clock);
	tcase_add_test(tc, other_kinds_of_keys_have_no_account);
	tcase_add_test(tc, a_suspension_ends_in_time_also_where_the_clock_of_the_host_that_made_it_is_wrong);
	tcase_add_test(tc, too_many_push_out_those_that_were_lifted_and_none_that_are_not);
	tcase_add_test(tc, what_changed_is_taken_once_by_each_and_comes_back_the_same);
	tcase_add_test(tc, the_latest_word_holds_wherever_it_was_said);
	tcase_add_test(tc, a_record_that_is_none_is_passed_over);
	tcase_add_loop_test(tc, a_text_is_kept_as_people_may_see_it, 0, MXW_ARRAY_LEN(texts));
	suite_add_tcase(s, tc);
	return run_suite(s);
}
