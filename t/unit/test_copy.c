/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The offline copy of a directory: a source whose list is written by the test, a clock that is moved by hand, and files that
 * are damaged in every way.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/directory/copy.h"
#include "src/directory/set.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/notices.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

enum { HOUR = 3600 * 1000, DAY = 24 * HOUR };

/* ---- a directory that lists what it is told ---- */

static struct {
	size_t from, n;            /* user<from>@example.net .. */
	const char *const *extra;  /* more addresses, up to NULL */
	struct mxw__rcpt_settings extra_settings;
	size_t fails_after;        /* so many, then it breaks off; SIZE_MAX: never */
	mxw_outcome_t fails_with;
	atomic_uint lists;
	atomic_bool hangs;         /* until it is interrupted */
	atomic_bool is_interrupted;
} fake;

static void fake_lookup(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	(void)self;
	(void)query;
	mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "it is gone");
}

static void fake_enumerate(void *self, mxw__rcpt_visit_fn visit, bool (*may_stop)(void *ctx), void *ctx,
			   struct mxw__rcpt_result *ret_result)
{
	struct mxw__rcpt_settings none = {0};
	char address[64];

	(void)self;
	atomic_fetch_add(&fake.lists, 1);
	while (atomic_load(&fake.hangs) && !atomic_load(&fake.is_interrupted))
		poll(NULL, 0, 5);
	for (size_t i = 0; i < fake.n; i++) {
		if (i >= fake.fails_after || (i % 100 == 0 && may_stop(ctx)))
			goto failed;
		int len = snprintf(address, sizeof address, "user%zu@example.net", fake.from + i);
		if (!visit(ctx, address, (size_t)len, &none))
			goto failed;
	}
	for (const char *const *e = fake.extra; e && *e; e++)
		if (!visit(ctx, *e, strlen(*e), &fake.extra_settings))
			goto failed;
	if (atomic_load(&fake.is_interrupted))
		goto failed;
	mxw__rcpt_answer(ret_result, MXW_FOUND);
	return;
failed:
	mxw__rcpt_answerf(ret_result, fake.fails_with, "the list broke off");
}

static void fake_interrupt(void *self)
{
	(void)self;
	atomic_store(&fake.is_interrupted, true);
}

static const struct mxw__directory_ops fake_ops = {
	.type = "fake",
	.is_remote = true,
	.lookup = fake_lookup,
	.enumerate = fake_enumerate,
	.interrupt = fake_interrupt,
};

/* ---- one copy ---- */

static struct scratch scratch;
static struct fake_clock fake_time;
static struct notices notices;
static struct mxw__directory_conf conf;
static struct mxw__directory_env env;
static mxw__copy_t *copy;
static char *path, *key_path;
static const char *base;

static void set_up(void)
{
	scratch_init(&scratch);
	fake_clock_init(&fake_time);
	notices_init(&notices);
	memset(&fake, 0, sizeof fake);
	base = "dc=example,dc=net";
	fake.n = 100;
	fake.fails_after = SIZE_MAX;
	fake.fails_with = MXW_TEMPORARY;
	conf = (struct mxw__directory_conf){
		.name = "staff",
		.type = MXW__DIRECTORY_LDAP,
		.bases = {1, &base},
		.copy_filter = "(mail=*)",
		.filter = "(mail={addr})",
		.scope = "sub",
		.path = "",
		.offline_copy = true,
		.copy_interval_ms = HOUR,
		.copy_max_age_ms = DAY,
		.copy_max_addresses = 5000000,
		.copy_confirmations = 3,
	};
	env = (struct mxw__directory_env){
		.conf = &conf,
		.clock = &fake_time.clock,
		.notice = notices_take,
		.notice_ctx = &notices,
		.state_dir = scratch.dir,
	};
	path = scratch_path(&scratch, "copy-staff");
	key_path = scratch_path(&scratch, "copy.key");
	copy = NULL;
}

static void tear_down(void)
{
	mxw__copy_free(copy);
	notices_fini(&notices);
	scratch_fini(&scratch);
	free(path);
	free(key_path);
}

static void open_copy(void)
{
	struct mxw_error err = {0};

	atomic_store(&fake.is_interrupted, false);
	mxw_status_t status = mxw__copy_new(&env, &fake_ops, &fake, &copy, &err);
	ck_assert_msg(status == MXW_OK, "%s", err.text);
}

static void close_copy(void)
{
	mxw__copy_free(copy);
	copy = NULL;
}

static void reopen(void)
{
	close_copy();
	open_copy();
}

static void pull(mxw__copy_pull_t expected)
{
	mxw__copy_pull_t got = mxw__copy_pull(copy);

	ck_assert_msg(got == expected, "%d instead of %d: %s", (int)got, (int)expected, mxw__buf_str(&notices.text));
}

static struct mxw__rcpt_result consult(const char *text)
{
	struct mxw__address address = {.text = text, .local = "", .domain = ""};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY, .reason = "it is gone"};

	mxw__copy_consult(copy, &address, &result);
	return result;
}

static void expect(const char *text, mxw_outcome_t outcome, mxw__rcpt_copy_t says)
{
	struct mxw__rcpt_result result = consult(text);

	ck_assert_msg(result.outcome == outcome && result.copy == says, "%s: outcome %d, copy %d", text, (int)result.outcome,
		      (int)result.copy);
	ck_assert_int_eq(result.origin, outcome == MXW_FOUND ? MXW__ORIGIN_COPY : MXW__ORIGIN_LIVE);
}

static void expect_known(const char *text)
{
	expect(text, MXW_FOUND, MXW__COPY_KNOWN);
}

static void expect_absent(const char *text)
{
	expect(text, MXW_TEMPORARY, MXW__COPY_ABSENT);
}

static void expect_old(const char *text)
{
	expect(text, MXW_TEMPORARY, MXW__COPY_OLD);
}

static void expect_nothing(const char *text)
{
	expect(text, MXW_TEMPORARY, MXW__COPY_NONE);
}

static char *read_file(const char *name, size_t *ret_len)
{
	struct mxw_error err = {0};
	char *data;

	ck_assert_msg(mxw__file_read(name, 1 << 30, &data, ret_len, &err) == MXW_OK, "%s", err.text);
	return data;
}

/* How many files of the state directory have this in their names. */
static unsigned count_files(const char *part)
{
	DIR *dir = opendir(scratch.dir);
	struct dirent *entry;
	unsigned n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += strstr(entry->d_name, part) != NULL;
	closedir(dir);
	return n;
}

/* ---- what it says ---- */

START_TEST(without_a_list_it_says_nothing)
{
	open_copy();
	expect_nothing("user1@example.net");
	mxw__copy_consult(NULL, NULL, NULL);
}
END_TEST

START_TEST(who_is_in_it_is_found_and_who_is_not_stays_unanswered)
{
	open_copy();
	pull(MXW__COPY_USED);
	for (int i = 0; i < 100; i++) {
		char text[64];
		snprintf(text, sizeof text, "user%d@example.net", i);
		expect_known(text);
	}
	expect_absent("user100@example.net");
	expect_absent("user1@example.com");
	expect_absent("");
	fake_clock_advance(&fake_time, 5000);
	ck_assert_int_eq(consult("user1@example.net").age_ms, 5000);
	ck_assert_str_eq(consult("user100@example.net").reason, "it is gone");
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

START_TEST(a_directory_that_is_misconfigured_is_stood_in_for_too)
{
	struct mxw__address address = {.text = "user1@example.net"}, other = {.text = "nobody@example.net"};
	struct mxw__rcpt_result result = {.outcome = MXW_MISCONFIGURED}, absent = {.outcome = MXW_MISCONFIGURED};

	open_copy();
	pull(MXW__COPY_USED);
	mxw__copy_consult(copy, &address, &result);
	ck_assert_int_eq(result.outcome, MXW_FOUND);
	mxw__copy_consult(copy, &other, &absent);
	ck_assert_int_eq(absent.outcome, MXW_MISCONFIGURED);
	ck_assert_int_eq(absent.copy, MXW__COPY_ABSENT);
}
END_TEST

static const struct {
	const char *listed, *asked;
	bool is_known;
} forms[] = {
	{"Anna@Example.NET", "anna@example.net", true},
	{"anna@example.net", "ANNA@example.net", true},
	{"\"anna berg\"@example.net", "\"anna berg\"@example.net", true},
	{"\"anna\"@example.net", "anna@example.net", true},
	{"(p) \"q\"@example.net", "\"(p) \\\"q\\\"\"@example.net", true},
	{"a@b@example.net", "\"a@b\"@example.net", true},
	{"anna@b\xc3\xbc" "cher.example", "anna@xn--bcher-kva.example", true},
	{"@example.net", "@example.net", true},
	{"@b\xc3\xbc" "cher.example", "@xn--bcher-kva.example", true},
	{"anna@example.net", "anna@example.org", false},
	{"anna@example.net", "ann@example.net", false},
	{"anna", "anna@anywhere.example", true},
	{"Anna Berg", "\"anna berg\"@anywhere.example", true},
	{"a@b.example", "\"a@b.example\"@anywhere.example", false},
	{"anna", "ann@anywhere.example", false},
	{"not an@add ress", "\"not an\"@address", false},
};

START_TEST(addresses_are_known_in_the_form_that_look_ups_use)
{
	const char *extra[] = {forms[_i].listed, NULL};
	mxw__arena_t *arena = mxw__arena_new(65536);
	struct mxw__address asked;

	fake.n = 1;
	fake.extra = extra;
	open_copy();
	pull(MXW__COPY_USED);
	/* A catch-all is looked up as what is no path. */
	if (forms[_i].asked[0] == '@')
		asked = (struct mxw__address){.text = forms[_i].asked, .local = "", .domain = "example.net"};
	else
		ck_assert_int_eq(mxw__address_parse(arena, forms[_i].asked, &asked), MXW_OK);
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
	mxw__copy_consult(copy, &asked, &result);
	ck_assert_int_eq(result.copy, forms[_i].is_known ? MXW__COPY_KNOWN : MXW__COPY_ABSENT);
	mxw__arena_free(arena);
}
END_TEST

START_TEST(nobody_is_absent_in_a_domain_that_was_not_listed)
{
	static const char *const domains[] = {"example.com", "example.net"};
	struct mxw__address listed = {.text = "x@example.net", .domain = "example.net"};
	struct mxw__address other = {.text = "x@example.org", .domain = "example.org"};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};

	base = "ou={domain},dc=example";
	env.domains = (struct mxw__strings){2, domains};
	open_copy();
	pull(MXW__COPY_USED);
	mxw__copy_consult(copy, &listed, &result);
	ck_assert_int_eq(result.copy, MXW__COPY_ABSENT);
	mxw__copy_consult(copy, &other, &result);
	ck_assert_int_eq(result.copy, MXW__COPY_OLD);
}
END_TEST

START_TEST(settings_are_kept)
{
	const char *extra[] = {"boss@example.net", NULL};

	fake.extra = extra;
	fake.extra_settings = (struct mxw__rcpt_settings){.is_disabled = true, .is_internal_only = true, .class = "vip guest"};
	open_copy();
	pull(MXW__COPY_USED);
	reopen();
	struct mxw__rcpt_result boss = consult("boss@example.net"), user = consult("user3@example.net");
	ck_assert_int_eq(boss.outcome, MXW_FOUND);
	ck_assert(boss.settings.is_disabled && boss.settings.is_internal_only);
	ck_assert_str_eq(boss.settings.class, "vip guest");
	ck_assert(!user.settings.is_disabled && !user.settings.is_internal_only);
	ck_assert_str_eq(user.settings.class, "");
}
END_TEST

START_TEST(an_address_that_comes_twice_has_the_settings_of_both)
{
	const char *extra[] = {"USER7@example.net", NULL};

	fake.extra = extra;
	fake.extra_settings = (struct mxw__rcpt_settings){.is_disabled = true, .is_internal_only = true, .class = "staff"};
	open_copy();
	pull(MXW__COPY_USED);
	struct mxw__rcpt_result result = consult("user7@example.net");
	ck_assert_int_eq(result.outcome, MXW_FOUND);
	ck_assert(!result.settings.is_disabled && result.settings.is_internal_only);
	ck_assert_str_eq(result.settings.class, "staff");
}
END_TEST

START_TEST(it_is_there_again_after_a_restart)
{
	open_copy();
	pull(MXW__COPY_USED);
	fake_clock_advance(&fake_time, HOUR);
	reopen();
	expect_known("user99@example.net");
	expect_absent("user100@example.net");
	ck_assert_int_eq(consult("user99@example.net").age_ms, HOUR);
	ck_assert_uint_eq(atomic_load(&fake.lists), 1);
}
END_TEST

START_TEST(a_new_list_takes_the_place_of_the_one_before)
{
	open_copy();
	pull(MXW__COPY_USED);
	fake.from = 50;
	pull(MXW__COPY_USED);
	expect_absent("user0@example.net");
	expect_known("user149@example.net");
	ck_assert_uint_eq(count_files("copy-staff"), 1);
}
END_TEST

/* ---- how old ---- */

START_TEST(an_old_copy_knows_but_does_not_deny)
{
	open_copy();
	pull(MXW__COPY_USED);
	fake_clock_advance(&fake_time, DAY);
	expect_absent("nobody@example.net");
	fake_clock_advance(&fake_time, 1);
	expect_old("nobody@example.net");
	expect_known("user1@example.net");
	reopen();
	expect_old("nobody@example.net");
	expect_known("user1@example.net");
}
END_TEST

START_TEST(a_clock_that_is_set_back_makes_no_copy_young)
{
	open_copy();
	pull(MXW__COPY_USED);
	fake_clock_advance(&fake_time, 3 * DAY);
	fake_time.wall_ms -= 3 * DAY;
	expect_old("nobody@example.net");
	fake_time.wall_ms -= 10 * (int64_t)DAY;
	expect_old("nobody@example.net");
	expect_known("user1@example.net");
}
END_TEST

START_TEST(a_clock_that_was_set_back_before_the_start_is_noticed)
{
	open_copy();
	pull(MXW__COPY_USED);
	fake_clock_advance(&fake_time, 3 * (int64_t)DAY);
	close_copy();
	/* An hour after the list, says the clock; but somebody has been here later than that. */
	fake_time.wall_ms -= 3 * (int64_t)DAY - HOUR;
	open_copy();
	expect_old("nobody@example.net");
	expect_known("user1@example.net");
	ck_assert(notices_have(&notices, "the clock is before"));
	/* And before the list. */
	close_copy();
	fake_time.wall_ms -= DAY;
	open_copy();
	expect_old("nobody@example.net");
	pull(MXW__COPY_USED);
	expect_absent("nobody@example.net");
}
END_TEST

START_TEST(a_list_from_the_future_is_not_young)
{
	open_copy();
	fake_time.wall_ms += 10 * (int64_t)DAY;
	pull(MXW__COPY_USED);
	close_copy();
	fake_time.wall_ms -= 10 * (int64_t)DAY;
	open_copy();
	expect_old("nobody@example.net");
	ck_assert_int_ge(consult("nobody@example.net").age_ms, 0);
}
END_TEST

/* ---- lists that say nothing ---- */

static const struct {
	const char *what;
	size_t n, fails_after;
	mxw_outcome_t fails_with;
	const char *notice;
} failures[] = {
	{"at once", 100, 0, MXW_TEMPORARY, "the list broke off"},
	{"midway", 100, 60, MXW_TEMPORARY, "the list broke off"},
	{"at the last", 100, 99, MXW_TEMPORARY, "the list broke off"},
	{"misconfigured", 100, 60, MXW_MISCONFIGURED, "the list broke off"},
	{"not found is no list", 100, 60, MXW_NOT_FOUND, "the list broke off"},
	{"empty", 0, SIZE_MAX, MXW_TEMPORARY, "the list is empty"},
	{"more than allowed", 1001, SIZE_MAX, MXW_TEMPORARY, "copy-max-addresses"},
};

START_TEST(a_list_that_is_not_complete_changes_nothing)
{
	conf.copy_max_addresses = 1000;
	open_copy();
	pull(MXW__COPY_USED);
	fake.n = failures[_i].n;
	fake.from = 1000;
	fake.fails_after = failures[_i].fails_after;
	fake.fails_with = failures[_i].fails_with;
	pull(MXW__COPY_FAILED);
	expect_known("user1@example.net");
	expect_absent("user1000@example.net");
	ck_assert(notices_have(&notices, failures[_i].notice));
	/* Told once. */
	pull(MXW__COPY_FAILED);
	ck_assert_uint_eq(notices_count(&notices), 1);
	reopen();
	expect_known("user1@example.net");
	fake.n = 100;
	fake.fails_after = SIZE_MAX;
	pull(MXW__COPY_USED);
	expect_known("user1000@example.net");
}
END_TEST

START_TEST(an_empty_first_list_is_none)
{
	fake.n = 0;
	open_copy();
	pull(MXW__COPY_FAILED);
	pull(MXW__COPY_FAILED);
	pull(MXW__COPY_FAILED);
	expect_nothing("user1@example.net");
}
END_TEST

START_TEST(a_list_half_as_long_is_used_and_a_shorter_one_is_not)
{
	open_copy();
	pull(MXW__COPY_USED);
	fake.n = 50;
	pull(MXW__COPY_USED);
	expect_absent("user50@example.net");
	fake.n = 24;
	pull(MXW__COPY_DOUBTED);
	/* Nobody is taken for absent, and nobody is lost. */
	expect_known("user49@example.net");
	expect_old("user50@example.net");
	ck_assert(notices_have(&notices, "the list has 24 addresses, the one before had 50"));
	/* Nor after a restart. */
	reopen();
	expect_old("user50@example.net");
	expect_known("user49@example.net");
	fake.n = 50;
	pull(MXW__COPY_USED);
	expect_absent("user50@example.net");
	ck_assert(notices_have(&notices, "up to date again, with 50"));
}
END_TEST

START_TEST(short_lists_that_agree_are_believed_in_the_end)
{
	open_copy();
	pull(MXW__COPY_USED);
	fake.n = 40;
	pull(MXW__COPY_DOUBTED);
	fake.n = 41;
	reopen();
	pull(MXW__COPY_DOUBTED);
	expect_known("user99@example.net");
	fake.n = 40;
	pull(MXW__COPY_USED);
	expect_absent("user99@example.net");
	expect_known("user39@example.net");
}
END_TEST

START_TEST(short_lists_that_grow_do_not_agree)
{
	fake.n = 1000;
	open_copy();
	pull(MXW__COPY_USED);
	for (size_t n = 1; n < 500; n *= 2) {
		fake.n = n;
		pull(MXW__COPY_DOUBTED);
		expect_old("nobody@example.net");
		expect_known("user999@example.net");
	}
	fake.n = 1000;
	pull(MXW__COPY_USED);
	expect_absent("nobody@example.net");
}
END_TEST

START_TEST(a_doubtful_list_does_not_make_the_one_before_younger)
{
	open_copy();
	pull(MXW__COPY_USED);
	fake_clock_advance(&fake_time, 3 * (int64_t)DAY);
	fake.n = 10;
	pull(MXW__COPY_DOUBTED);
	ck_assert_int_eq(consult("user1@example.net").age_ms, 3 * (int64_t)DAY);
	reopen();
	ck_assert_int_eq(consult("user1@example.net").age_ms, 3 * (int64_t)DAY);
}
END_TEST

START_TEST(too_many_kinds_of_settings_are_no_list)
{
	mxw__copy_list_t *list;
	struct mxw__copy_keys keys;
	unsigned char secret[MXW__COPY_KEY_SIZE] = {1};
	struct mxw__rcpt_settings settings = {0};
	const char *why = NULL;
	char address[64];

	mxw__copy_keys_derive(secret, &keys);
	list = mxw__copy_list_new(&keys, 1000);
	for (int i = 0; i < MXW__COPY_SETTINGS_MAX; i++) {
		snprintf(settings.class, sizeof settings.class, "c%d", i);
		int len = snprintf(address, sizeof address, "u%d@example.net", i);
		ck_assert(mxw__copy_list_add(list, address, (size_t)len, &settings, &why));
	}
	snprintf(settings.class, sizeof settings.class, "one more");
	ck_assert(!mxw__copy_list_add(list, "x@example.net", 13, &settings, &why));
	ck_assert(strstr(why, "255"));
	mxw__copy_list_free(list);
}
END_TEST

/* ---- the file ---- */

START_TEST(no_address_is_in_the_file_and_nobody_else_reads_it)
{
	struct stat st;
	size_t len, key_len;

	open_copy();
	pull(MXW__COPY_USED);
	char *data = read_file(path, &len), *key = read_file(key_path, &key_len);
	ck_assert_uint_eq(len, 64 + 40 + 100 * 16 + 32);
	for (size_t i = 0; i + 4 <= len; i++)
		ck_assert(memcmp(data + i, "user", 4) != 0 && memcmp(data + i, "exam", 4) != 0);
	ck_assert_uint_eq(key_len, MXW__COPY_KEY_SIZE);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(key_path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	free(data);
	free(key);
}
END_TEST

START_TEST(another_key_makes_other_hashes)
{
	size_t len;

	open_copy();
	pull(MXW__COPY_USED);
	char *before = read_file(path, &len);
	close_copy();
	unlink(key_path);
	open_copy();
	expect_nothing("user1@example.net");
	ck_assert(notices_have(&notices, "made with another key"));
	pull(MXW__COPY_USED);
	char *after = read_file(path, &len);
	for (size_t i = 104; i + 16 + 32 <= len; i += 16)
		for (size_t j = 104; j + 16 + 32 <= len; j += 16)
			ck_assert(memcmp(before + i, after + j, 15) != 0);
	free(before);
	free(after);
}
END_TEST

START_TEST(a_key_that_others_can_read_is_not_used)
{
	open_copy();
	pull(MXW__COPY_USED);
	close_copy();
	ck_assert_int_eq(chmod(key_path, 0640), 0);
	open_copy();
	expect_nothing("user1@example.net");
	pull(MXW__COPY_FAILED);
	ck_assert(notices_have(&notices, "must be a file of mode 0600"));
	/* When it is put right the list is there again. */
	ck_assert_int_eq(chmod(key_path, 0600), 0);
	fake.fails_after = 0;
	pull(MXW__COPY_FAILED);
	expect_known("user1@example.net");
}
END_TEST

START_TEST(a_key_of_the_wrong_length_is_not_used)
{
	static const size_t sizes[] = {0, 31, 33};
	size_t size = sizes[_i];
	char bytes[64] = {0};

	scratch_write(key_path, bytes, size);
	ck_assert_int_eq(chmod(key_path, 0600), 0);
	open_copy();
	pull(MXW__COPY_FAILED);
	ck_assert(notices_have(&notices, "is no key"));
}
END_TEST

START_TEST(without_a_place_for_it_there_is_no_copy)
{
	env.state_dir = _i ? "/nowhere/at/all" : NULL;
	open_copy();
	pull(MXW__COPY_FAILED);
	expect_nothing("user1@example.net");
	ck_assert_uint_eq(notices_count(&notices), 1);
}
END_TEST

START_TEST(a_name_of_a_directory_can_t_lead_out_of_the_state_dir)
{
	conf.name = "../a b/c";
	open_copy();
	pull(MXW__COPY_USED);
	ck_assert_uint_eq(count_files("copy-%2e%2e%2fa%20b%2fc"), 1);
}
END_TEST

START_TEST(a_copy_made_with_other_settings_is_set_aside)
{
	open_copy();
	pull(MXW__COPY_USED);
	close_copy();
	base = "dc=example,dc=org";
	open_copy();
	expect_nothing("user1@example.net");
	ck_assert(notices_have(&notices, "other settings"));
	ck_assert_uint_eq(count_files("copy-staff.damaged"), 1);
}
END_TEST

START_TEST(a_server_more_or_less_does_not_make_it_another_directory)
{
	const char *uris[] = {"ldap://one", "ldap://two"};

	open_copy();
	pull(MXW__COPY_USED);
	close_copy();
	conf.uris = (struct mxw__strings){2, uris};
	conf.timeout_ms = 1;
	open_copy();
	expect_known("user1@example.net");
}
END_TEST

START_TEST(the_copy_of_a_later_configuration_is_not_overwritten)
{
	const char *other_base = "dc=example,dc=org";
	struct mxw__directory_conf other_conf = conf;
	struct mxw__directory_env other_env = env;
	mxw__copy_t *later = NULL;
	struct mxw_error err = {0};

	open_copy();
	pull(MXW__COPY_USED);
	other_conf.bases.v = &other_base;
	other_env.conf = &other_conf;
	ck_assert_int_eq(mxw__copy_new(&other_env, &fake_ops, &fake, &later, &err), MXW_OK);
	ck_assert_int_eq(mxw__copy_pull(later), MXW__COPY_USED);
	mxw__copy_free(later);
	atomic_store(&fake.is_interrupted, false);
	/* The one before, which some sessions still have, goes on for itself. */
	fake.from = 1;
	pull(MXW__COPY_USED);
	expect_known("user100@example.net");
	close_copy();
	notices_clear(&notices);
	base = "dc=example,dc=org";
	open_copy();
	expect_known("user0@example.net");
	expect_absent("user100@example.net");
	ck_assert_uint_eq(notices_count(&notices), 0);
	ck_assert_uint_eq(count_files(".new-"), 0);
}
END_TEST

START_TEST(what_a_crash_left_is_removed_and_what_is_being_written_is_not)
{
	char *old = scratch_path(&scratch, "copy-staff.new-abcdef"), *young = scratch_path(&scratch, "copy-staff.new-ghijkl");
	char *other = scratch_path(&scratch, "copy-staffing");
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	scratch_write(old, "x", 1);
	scratch_write(young, "x", 1);
	scratch_write(other, "x", 1);
	ck_assert_int_eq(utimensat(AT_FDCWD, old, times, 0), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, other, times, 0), 0);
	open_copy();
	ck_assert_int_ne(access(old, F_OK), 0);
	ck_assert_int_eq(access(young, F_OK), 0);
	ck_assert_int_eq(access(other, F_OK), 0);
	free(old);
	free(young);
	free(other);
}
END_TEST

/* Whatever is wrong with it: it is not used, it is kept, and it is told. */
static void expect_damaged(const char *data, size_t len, const char *what, size_t where)
{
	struct mxw_error err = {0};
	mxw__copy_map_t *map = NULL;
	struct mxw__copy_keys keys;

	scratch_write(path, data, len);
	ck_assert_int_eq(mxw__copy_keys_load(scratch.dir, false, &keys, &err), MXW_OK);
	mxw_status_t status = mxw__copy_map_open(path, &keys, &map, &err);
	ck_assert_msg(status == MXW_ERR_INVALID, "%s at %zu: %d", what, where, (int)status);
	ck_assert_ptr_null(map);
}

START_TEST(a_damaged_file_is_not_used)
{
	size_t len;

	fake.n = 20;
	open_copy();
	pull(MXW__COPY_USED);
	char *data = read_file(path, &len);
	for (size_t cut = 0; cut < len; cut++)
		expect_damaged(data, cut, "cut", cut);
	for (size_t bit = 0; bit < len * 8; bit++) {
		data[bit / 8] ^= (char)(1 << bit % 8);
		expect_damaged(data, len, "bit", bit);
		data[bit / 8] ^= (char)(1 << bit % 8);
	}
	char *longer = calloc(1, len + 16);
	memcpy(longer, data, len);
	expect_damaged(longer, len + 16, "longer", len + 16);
	/* And to be sure that it was the damage. */
	scratch_write(path, data, len);
	reopen();
	expect_known("user1@example.net");
	free(longer);
	free(data);
}
END_TEST

START_TEST(a_damaged_file_is_set_aside_and_told)
{
	open_copy();
	pull(MXW__COPY_USED);
	close_copy();
	ck_assert_int_eq(truncate(path, 500), 0);
	open_copy();
	expect_nothing("user1@example.net");
	ck_assert(notices_have(&notices, "the length is wrong"));
	ck_assert_uint_eq(count_files("copy-staff.damaged"), 1);
	pull(MXW__COPY_USED);
	expect_known("user1@example.net");
	ck_assert_uint_eq(count_files("copy-staff.damaged"), 1);
}
END_TEST

START_TEST(what_is_no_file_is_not_used)
{
	ck_assert_int_eq(_i == 0 ? mkdir(path, 0700) : _i == 1 ? mkfifo(path, 0600) : symlink("/etc/passwd", path), 0);
	open_copy();
	expect_nothing("user1@example.net");
	ck_assert_uint_eq(notices_count(&notices), 1);
}
END_TEST

START_TEST(a_file_cut_short_while_it_is_in_use_ends_nothing)
{
	open_copy();
	pull(MXW__COPY_USED);
	ck_assert_int_eq(truncate(path, 0), 0);
	expect_nothing("user1@example.net");
	expect_nothing("nobody@example.net");
	/* Nor does a short list then, which would keep what is gone. */
	fake.n = 10;
	pull(MXW__COPY_FAILED);
	expect_nothing("user1@example.net");
	fake.n = 100;
	pull(MXW__COPY_USED);
	expect_known("user1@example.net");
}
END_TEST

START_TEST(the_sealed_file_of_somebody_who_has_the_key_is_looked_at_too)
{
	static const struct {
		size_t at;
		unsigned char value;
		const char *why;
	} rows[] = {
		{64 + 8, 'x', "settings"},  {64, 7, "settings"},           {64 + 2, 1, "settings"},  {64 + 8, 0x80, "settings"},
		{64 + 39, 1, "settings"},   {104 + 15, 1, "not in order"}, {104 + 16, 0, "not in order"},
	};
	struct mxw__copy_view view;
	struct mxw__copy_keys keys;
	struct mxw_error err = {0};
	size_t len;

	open_copy();
	pull(MXW__COPY_USED);
	ck_assert_int_eq(mxw__copy_keys_load(scratch.dir, false, &keys, &err), MXW_OK);
	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		unsigned char *data = (unsigned char *)read_file(path, &len);
		data[rows[i].at] = rows[i].value;
		/* Order: the second is made equal to the first. */
		if (rows[i].at == 104 + 16)
			memcpy(data + 104 + 16, data + 104, 16);
		ck_assert(mxw__copy_hmac(keys.file, data, len - 32, data + len - 32));
		mxw_status_t status = mxw__copy_view(data, len, &keys, &view, &err);
		/* A class may be anything printable. */
		if (i == 0)
			ck_assert_int_eq(status, MXW_OK);
		else
			ck_assert_msg(status == MXW_ERR_INVALID && strstr(err.text, rows[i].why), "%zu: %s", i, err.text);
		free(data);
	}
}
END_TEST

START_TEST(a_list_of_many_is_found_to_the_last)
{
	fake.n = 200000;
	open_copy();
	pull(MXW__COPY_USED);
	for (int i = 0; i < 200000; i += 97) {
		char text[64];
		snprintf(text, sizeof text, "user%d@example.net", i);
		expect_known(text);
		snprintf(text, sizeof text, "guess%d@example.net", i);
		expect_absent(text);
	}
}
END_TEST

/* ---- what belongs to another process ---- */

START_TEST(what_belongs_to_another_process_is_read_and_left_alone)
{
	char *left = scratch_path(&scratch, "copy-staff.new-abcdef");
	struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct stat before, after;

	env.is_read_only = true;
	open_copy();
	expect_nothing("user1@example.net");
	ck_assert_int_ne(access(key_path, F_OK), 0);
	close_copy();
	env.is_read_only = false;
	open_copy();
	pull(MXW__COPY_USED);
	close_copy();
	scratch_write(left, "x", 1);
	ck_assert_int_eq(utimensat(AT_FDCWD, left, times, 0), 0);
	ck_assert_int_eq(stat(path, &before), 0);
	fake_clock_advance(&fake_time, HOUR);
	env.is_read_only = true;
	open_copy();
	expect_known("user1@example.net");
	expect_absent("nobody@example.net");
	close_copy();
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert(before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	ck_assert_int_eq(access(left, F_OK), 0);
	/* Nor is a damaged one renamed. */
	ck_assert_int_eq(truncate(path, 500), 0);
	open_copy();
	expect_nothing("user1@example.net");
	ck_assert_uint_eq(count_files("damaged"), 0);
	free(left);
}
END_TEST

/* ---- what the directory finds itself ---- */

static void found(const char *name, int first, int n)
{
	for (int i = first; i < first + n; i++) {
		char text[64];
		snprintf(text, sizeof text, "%s%d@example.net", name, i);
		mxw__copy_compare(copy, &(struct mxw__address){.text = text, .local = "", .domain = "example.net"});
	}
}

START_TEST(a_list_without_what_is_found_denies_nobody)
{
	open_copy();
	found("other", 0, 3);
	pull(MXW__COPY_USED);
	/* One or two are new since the list was made, and one is one however often. */
	found("other", 0, 2);
	found("other", 0, 2);
	expect_absent("nobody@example.net");
	ck_assert_uint_eq(notices_count(&notices), 0);
	found("other", 2, 30);
	expect_old("nobody@example.net");
	expect_known("user1@example.net");
	ck_assert(notices_have(&notices, "are not in the offline copy"));
	ck_assert_uint_eq(notices_count(&notices), 1);
	/* Another list of that kind changes nothing, nor does a restart. */
	pull(MXW__COPY_USED);
	expect_old("nobody@example.net");
	reopen();
	expect_old("nobody@example.net");
	pull(MXW__COPY_USED);
	expect_old("nobody@example.net");
	expect_known("user1@example.net");
	/* Until it is seen that it has what is found. */
	found("user", 0, 5);
	expect_absent("nobody@example.net");
}
END_TEST

START_TEST(a_list_that_has_got_what_was_missed_denies_again)
{
	const char *extra[] = {"other0@example.net", "other1@example.net", "other2@example.net", "other3@example.net", NULL};

	open_copy();
	pull(MXW__COPY_USED);
	found("other", 0, 4);
	expect_old("nobody@example.net");
	fake.extra = extra;
	pull(MXW__COPY_USED);
	found("user", 0, 1);
	expect_absent("nobody@example.net");
}
END_TEST

START_TEST(a_few_new_ones_among_many_do_not_matter)
{
	open_copy();
	pull(MXW__COPY_USED);
	found("user", 0, 60);
	found("other", 0, 5);
	expect_absent("nobody@example.net");
	found("other", 5, 5);
	expect_old("nobody@example.net");
	/* Nor do many, if they are few among very many; and the other way round. */
	for (int i = 0; i < 20; i++)
		found("user", 0, 100);
	expect_absent("nobody@example.net");
	for (int i = 0; i < 20; i++)
		found("other", 0, 100);
	expect_old("nobody@example.net");
}
END_TEST

/* ---- the thread ---- */

static bool comes_true(bool (*is)(void))
{
	for (int i = 0; i < 2000; i++) {
		if (is())
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

static bool knows_user_1(void)
{
	return consult("user1@example.net").outcome == MXW_FOUND;
}

static bool is_listing(void)
{
	return atomic_load(&fake.lists) > 0;
}

START_TEST(the_first_list_comes_soon_and_the_next_after_the_interval)
{
	struct mxw_error err = {0};

	env.clock = mxw_clock_system();
	open_copy();
	ck_assert_int_le(mxw__copy_pause(copy), 2000);
	ck_assert_int_eq(mxw__copy_start(copy, &err), MXW_OK);
	ck_assert(comes_true(knows_user_1));
	close_copy();
	open_copy();
	ck_assert_int_gt(mxw__copy_pause(copy), HOUR / 2);
	ck_assert_int_le(mxw__copy_pause(copy), HOUR + 2000);
}
END_TEST

START_TEST(closing_ends_a_list_that_hangs)
{
	struct mxw_error err = {0};
	int64_t start = mxw__now_ms(mxw_clock_system());

	atomic_store(&fake.hangs, true);
	env.clock = mxw_clock_system();
	open_copy();
	ck_assert_int_eq(mxw__copy_start(copy, &err), MXW_OK);
	ck_assert(comes_true(is_listing));
	close_copy();
	ck_assert_int_lt(mxw__now_ms(mxw_clock_system()) - start, 15000);
	/* To be stopped is no failure. */
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

/* ---- look-ups while lists change ---- */

static atomic_bool is_over;
static atomic_uint wrong;

static void *ask_all_the_time(void *arg)
{
	(void)arg;
	/* user50 to user99 are in every list, nobody in none. */
	for (unsigned i = 0; !atomic_load(&is_over); i++) {
		char text[64];
		snprintf(text, sizeof text, "user%u@example.net", 50 + i % 50);
		mxw__copy_compare(copy, &(struct mxw__address){.text = text, .local = "", .domain = ""});
		if (consult(text).outcome != MXW_FOUND || consult("nobody@example.net").outcome != MXW_TEMPORARY)
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

START_TEST(look_ups_go_on_while_lists_are_changed)
{
	pthread_t threads[3];

	atomic_store(&is_over, false);
	atomic_store(&wrong, 0);
	open_copy();
	pull(MXW__COPY_USED);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_all_the_time, NULL), 0);
	for (size_t i = 0; i < 60; i++) {
		fake.from = i % 2 ? 50 : 0;
		fake.n = i % 20 == 19 ? 20 : 100;
		pull(fake.n == 20 ? MXW__COPY_DOUBTED : MXW__COPY_USED);
	}
	atomic_store(&is_over, true);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

/* ---- several directories ---- */

static const struct {
	const char *what;
	struct mxw__rcpt_result one, two;
	mxw_outcome_t outcome;
	mxw__rcpt_copy_t copy;
} merges[] = {
	{"both copies do not have it", {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT},
	 {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT}, MXW_TEMPORARY, MXW__COPY_ABSENT},
	{"one copy and one directory do not have it", {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT},
	 {.outcome = MXW_NOT_FOUND}, MXW_TEMPORARY, MXW__COPY_ABSENT},
	{"the same the other way round", {.outcome = MXW_NOT_FOUND}, {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT},
	 MXW_TEMPORARY, MXW__COPY_ABSENT},
	{"the other one has no copy", {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT}, {.outcome = MXW_TEMPORARY},
	 MXW_TEMPORARY, MXW__COPY_NONE},
	{"the first one has no copy", {.outcome = MXW_TEMPORARY}, {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT},
	 MXW_TEMPORARY, MXW__COPY_NONE},
	{"the other copy is old", {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT},
	 {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_OLD}, MXW_TEMPORARY, MXW__COPY_OLD},
	{"the other is misconfigured", {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT}, {.outcome = MXW_MISCONFIGURED},
	 MXW_TEMPORARY, MXW__COPY_NONE},
	{"the other takes every address", {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT},
	 {.outcome = MXW_FOUND, .is_unverifiable = true}, MXW_TEMPORARY, MXW__COPY_NONE},
	{"the other has it", {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT}, {.outcome = MXW_FOUND}, MXW_FOUND,
	 MXW__COPY_NONE},
	{"the other's copy has it", {.outcome = MXW_TEMPORARY, .copy = MXW__COPY_ABSENT},
	 {.outcome = MXW_FOUND, .copy = MXW__COPY_KNOWN}, MXW_FOUND, MXW__COPY_KNOWN},
};

START_TEST(absent_is_what_none_of_several_has)
{
	struct mxw__rcpt_result all = {.outcome = MXW_NOT_FOUND}, one = merges[_i].one, two = merges[_i].two;

	one.source = "one";
	two.source = "two";
	mxw__rcpt_merge(&all, &one);
	mxw__rcpt_merge(&all, &two);
	ck_assert_msg(all.outcome == merges[_i].outcome && all.copy == merges[_i].copy, "%s: outcome %d, copy %d",
		      merges[_i].what, (int)all.outcome, (int)all.copy);
}
END_TEST

static void add_file_tests(TCase *tc)
{
	tcase_add_test(tc, no_address_is_in_the_file_and_nobody_else_reads_it);
	tcase_add_test(tc, another_key_makes_other_hashes);
	tcase_add_test(tc, a_key_that_others_can_read_is_not_used);
	tcase_add_loop_test(tc, a_key_of_the_wrong_length_is_not_used, 0, 3);
	tcase_add_loop_test(tc, without_a_place_for_it_there_is_no_copy, 0, 2);
	tcase_add_test(tc, a_name_of_a_directory_can_t_lead_out_of_the_state_dir);
	tcase_add_test(tc, a_copy_made_with_other_settings_is_set_aside);
	tcase_add_test(tc, a_server_more_or_less_does_not_make_it_another_directory);
	tcase_add_test(tc, the_copy_of_a_later_configuration_is_not_overwritten);
	tcase_add_test(tc, what_a_crash_left_is_removed_and_what_is_being_written_is_not);
	tcase_add_test(tc, a_damaged_file_is_not_used);
	tcase_add_test(tc, a_damaged_file_is_set_aside_and_told);
	tcase_add_loop_test(tc, what_is_no_file_is_not_used, 0, 3);
	tcase_add_test(tc, a_file_cut_short_while_it_is_in_use_ends_nothing);
	tcase_add_test(tc, the_sealed_file_of_somebody_who_has_the_key_is_looked_at_too);
	tcase_add_test(tc, a_list_of_many_is_found_to_the_last);
}

static void add_list_tests(TCase *tc)
{
	tcase_add_loop_test(tc, a_list_that_is_not_complete_changes_nothing, 0, MXW_ARRAY_LEN(failures));
	tcase_add_test(tc, an_empty_first_list_is_none);
	tcase_add_test(tc, a_list_half_as_long_is_used_and_a_shorter_one_is_not);
	tcase_add_test(tc, short_lists_that_agree_are_believed_in_the_end);
	tcase_add_test(tc, short_lists_that_grow_do_not_agree);
	tcase_add_test(tc, a_doubtful_list_does_not_make_the_one_before_younger);
	tcase_add_test(tc, too_many_kinds_of_settings_are_no_list);
}

int main(void)
{
	Suite *suite = suite_create("copy");
	TCase *tc = tcase_create("copy");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, without_a_list_it_says_nothing);
	tcase_add_test(tc, who_is_in_it_is_found_and_who_is_not_stays_unanswered);
	tcase_add_test(tc, a_directory_that_is_misconfigured_is_stood_in_for_too);
	tcase_add_loop_test(tc, addresses_are_known_in_the_form_that_look_ups_use, 0, MXW_ARRAY_LEN(forms));
	tcase_add_test(tc, nobody_is_absent_in_a_domain_that_was_not_listed);
	tcase_add_test(tc, settings_are_kept);
	tcase_add_test(tc, an_address_that_comes_twice_has_the_settings_of_both);
	tcase_add_test(tc, it_is_there_again_after_a_restart);
	tcase_add_test(tc, a_new_list_takes_the_place_of_the_one_before);
	tcase_add_test(tc, an_old_copy_knows_but_does_not_deny);
	tcase_add_test(tc, a_clock_that_is_set_back_makes_no_copy_young);
	tcase_add_test(tc, a_clock_that_was_set_back_before_the_start_is_noticed);
	tcase_add_test(tc, a_list_from_the_future_is_not_young);
	add_list_tests(tc);
	add_file_tests(tc);
	tcase_add_test(tc, what_belongs_to_another_process_is_read_and_left_alone);
	tcase_add_test(tc, a_list_without_what_is_found_denies_nobody);
	tcase_add_test(tc, a_list_that_has_got_what_was_missed_denies_again);
	tcase_add_test(tc, a_few_new_ones_among_many_do_not_matter);
	tcase_add_test(tc, the_first_list_comes_soon_and_the_next_after_the_interval);
	tcase_add_test(tc, closing_ends_a_list_that_hangs);
	tcase_add_test(tc, look_ups_go_on_while_lists_are_changed);
	tcase_add_loop_test(tc, absent_is_what_none_of_several_has, 0, MXW_ARRAY_LEN(merges));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
