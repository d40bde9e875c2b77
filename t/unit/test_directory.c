/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/directory/source.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/notices.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

static struct scratch scratch;
static struct fake_clock fake;
static struct notices notices;

static void set_up(void)
{
	scratch_init(&scratch);
	fake_clock_init(&fake);
	notices_init(&notices);
}

static void tear_down(void)
{
	notices_fini(&notices);
	scratch_fini(&scratch);
}

/* "local@domain" or "local", as the parser of envelopes would hand it over. */
static struct mxw__address address(const char *text, char *store, size_t size)
{
	snprintf(store, size, "%s", text);
	char *at = strrchr(store, '@');
	struct mxw__address a = {.text = text, .local = store, .domain = at ? at + 1 : ""};
	if (at)
		*at = '\0';
	return a;
}

static struct mxw__rcpt_result ask(const struct mxw__directory_ops *ops, void *self, const char *text)
{
	char store[2000];
	struct mxw__address a = address(text, store, sizeof store);
	struct mxw__rcpt_query query = {.address = &a, .deadline_ms = mxw__now_ms(&fake.clock) + 20000};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};

	ops->lookup(self, &query, &result);
	return result;
}

static void *open_source(const struct mxw__directory_conf *conf, const struct mxw__directory_ops *ops)
{
	void *self = NULL;
	struct mxw_error err;

	struct mxw__directory_env env = {.conf = conf, .clock = &fake.clock, .notice = notices_take, .notice_ctx = &notices};
	ck_assert_int_eq(ops->open(&env, &self, &err), MXW_OK);
	return self;
}

/* ---- file ---- */

static const char address_file[] =
	"# recipients\n"
	"\n"
	"info@example.net\n"
	"  Mixed.Case@Example.NET   # a comment\n"
	"postmaster\r\n"
	"@example.org\n"
	"\"john smith\"@example.net\n"
	"\"a@b\"@example.net\n"
	"c#d@example.net\n"
	"\"#e\"@example.net\n"
	"dot@final.example.\n"
	"lit@[192.0.2.1]\n"
	"j\xc3\xb6rg@example.net\n"
	"last@example.net";

static const struct {
	const char *who;
	mxw_outcome_t outcome;
} in_file[] = {
	{"info@example.net", MXW_FOUND},
	{"INFO@example.net", MXW_FOUND},
	{"mixed.case@example.net", MXW_FOUND},
	{"info@example.com", MXW_NOT_FOUND},
	{"inf@example.net", MXW_NOT_FOUND},
	{"infoo@example.net", MXW_NOT_FOUND},
	{"info", MXW_NOT_FOUND},
	{"postmaster@example.net", MXW_FOUND},
	{"Postmaster@other.example", MXW_FOUND},
	{"postmaster", MXW_FOUND},
	{"anybody@example.org", MXW_FOUND},
	{"anybody@sub.example.org", MXW_NOT_FOUND},
	{"john smith@example.net", MXW_FOUND},
	{"a@b@example.net", MXW_FOUND},
	{"a@b", MXW_NOT_FOUND},
	{"c#d@example.net", MXW_FOUND},
	{"c@example.net", MXW_NOT_FOUND},
	{"#e@example.net", MXW_FOUND},
	{"dot@final.example", MXW_FOUND},
	{"lit@[192.0.2.1]", MXW_FOUND},
	{"j\xc3\xb6rg@example.net", MXW_FOUND},
	{"last@example.net", MXW_FOUND},
	{"recipients", MXW_NOT_FOUND},
	{"@example.net", MXW_NOT_FOUND},
	{"", MXW_NOT_FOUND},
	{"@", MXW_NOT_FOUND},
	{"*@example.net", MXW_NOT_FOUND},
};

START_TEST(a_file_finds_addresses_local_parts_and_domains)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};

	scratch_replace(path, address_file);
	void *self = open_source(&conf, &mxw__directory_file);
	for (size_t i = 0; i < MXW_ARRAY_LEN(in_file); i++) {
		struct mxw__rcpt_result r = ask(&mxw__directory_file, self, in_file[i].who);
		ck_assert_msg(r.outcome == in_file[i].outcome, "%s: %s", in_file[i].who,
			      mxw_outcome_name(r.outcome));
	}
	ck_assert_uint_eq(notices_count(&notices), 0);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(an_address_longer_than_any_entry_is_not_found)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};
	char who[1000];

	/* 320 octets, the longest entry; then the same with more behind it. */
	memset(who, 'x', sizeof who);
	memcpy(who + 64, "@", 1);
	for (size_t i = 68; i < sizeof who; i += 4)
		who[i] = '.';
	who[320] = '\0';
	scratch_replace(path, who);
	void *self = open_source(&conf, &mxw__directory_file);
	ck_assert_int_eq(ask(&mxw__directory_file, self, who).outcome, MXW_FOUND);
	who[320] = 'x';
	who[998] = '\0';
	ck_assert_int_eq(ask(&mxw__directory_file, self, who).outcome, MXW_NOT_FOUND);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

static const char *const bad_lines[] = {
	"a b@example.net", "a@example.net b@example.net", "a@", "a@b@c", "a@.example.net", "a@example..net",
	"\"open@example.net", "\"\"@example.net", "a\x01@example.net", "<a@example.net>", "a@exam ple.net", "@", "a@[x y]",
	"\"x\"y@example.net", "a,b@example.net", "a@[192.0.2.1", "user: value",
};

START_TEST(a_bad_line_is_told_with_its_number_and_the_rest_is_used)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};
	char text[200], where[200];

	snprintf(text, sizeof text, "before@example.net\n%s\nafter@example.net\n", bad_lines[_i]);
	snprintf(where, sizeof where, "warning: directory staff: %s:2: ", path);
	scratch_replace(path, text);
	void *self = open_source(&conf, &mxw__directory_file);
	ck_assert_msg(notices_have(&notices, where), "%s: %s", bad_lines[_i], mxw__buf_str(&notices.text));
	ck_assert_int_eq(ask(&mxw__directory_file, self, "before@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "after@example.net").outcome, MXW_FOUND);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(a_nul_in_a_file_hides_nothing_behind_it)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};
	static const char text[] = "a\0b@example.net\nok@example.net\n";

	scratch_write(path, text, sizeof text - 1);
	void *self = open_source(&conf, &mxw__directory_file);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "ok@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "a").outcome, MXW_NOT_FOUND);
	ck_assert_uint_eq(notices_count(&notices), 2);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(many_bad_lines_are_not_told_one_by_one)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};
	struct mxw__buf text;

	mxw__buf_init(&text, 100000);
	for (int i = 0; i < 5000; i++)
		mxw__buf_adds(&text, "no address\n");
	scratch_replace(path, mxw__buf_str(&text));
	mxw__buf_fini(&text);
	void *self = open_source(&conf, &mxw__directory_file);
	ck_assert_uint_le(notices_count(&notices), 12);
	ck_assert(notices_have(&notices, "5000 lines ignored"));
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(a_replaced_file_is_read_again_within_a_second)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};

	scratch_replace(path, "one@example.net\n");
	void *self = open_source(&conf, &mxw__directory_file);
	scratch_replace(path, "two@example.net\n");
	ck_assert_int_eq(ask(&mxw__directory_file, self, "one@example.net").outcome, MXW_FOUND);
	fake_clock_advance(&fake, 999);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_NOT_FOUND);
	fake_clock_advance(&fake, 1);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "one@example.net").outcome, MXW_NOT_FOUND);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

/* Writes in place, as of the fake clock's time. */
static void write_in_place(const char *path, const char *text)
{
	int64_t now = fake.clock.wall_ms(fake.clock.ctx);
	struct timespec t = {(time_t)(now / 1000), (long)(now % 1000) * 1000000L};

	scratch_write(path, text, strlen(text));
	ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[]){t, t}, 0), 0);
}

START_TEST(a_file_that_is_being_written_makes_nobody_unknown)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};

	write_in_place(path, "one@example.net\ntwo@example.net\n");
	fake_clock_advance(&fake, 60000);
	void *self = open_source(&conf, &mxw__directory_file);
	fake_clock_advance(&fake, 5000);
	write_in_place(path, ""); /* an editor has opened it for writing */
	fake_clock_advance(&fake, 10);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "three@example.net").outcome, MXW_TEMPORARY);
	write_in_place(path, "one@example.net\nthree@example.net\n");
	fake_clock_advance(&fake, 2000);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "three@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_NOT_FOUND);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(a_file_that_is_being_written_at_the_start_makes_nobody_unknown)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};

	write_in_place(path, "one@example.net\n");
	fake_clock_advance(&fake, 300);
	void *self = open_source(&conf, &mxw__directory_file);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "one@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_TEMPORARY);
	/* The same file a second later, and it was all. */
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_NOT_FOUND);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(a_file_that_was_emptied_makes_nobody_unknown_while_its_writer_thinks)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};

	write_in_place(path, "one@example.net\n");
	fake_clock_advance(&fake, 60000);
	void *self = open_source(&conf, &mxw__directory_file);
	write_in_place(path, ""); /* program > file */
	for (int s = 0; s < 8; s++) {
		fake_clock_advance(&fake, 1000);
		ck_assert_int_eq(ask(&mxw__directory_file, self, "one@example.net").outcome, MXW_FOUND);
		ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_TEMPORARY);
	}
	write_in_place(path, "two@example.net\n");
	fake_clock_advance(&fake, 2000);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_FOUND);
	/* One that stays empty is meant. */
	fake_clock_advance(&fake, 60000);
	write_in_place(path, "");
	for (int s = 0; s < 20; s++) {
		fake_clock_advance(&fake, 1000);
		ask(&mxw__directory_file, self, "two@example.net");
	}
	ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_NOT_FOUND);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(a_file_written_without_pause_is_read_in_the_end)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};
	int looks = 0;

	write_in_place(path, "one@example.net\n");
	void *self = open_source(&conf, &mxw__directory_file);
	mxw_outcome_t outcome;
	do {
		fake_clock_advance(&fake, 1000);
		write_in_place(path, looks % 2 ? "new@example.net\n" : "new@example.net\n\n");
		outcome = ask(&mxw__directory_file, self, "new@example.net").outcome;
		ck_assert_int_ne(outcome, MXW_NOT_FOUND);
	} while (outcome != MXW_FOUND && ++looks < 100);
	ck_assert_int_eq(outcome, MXW_FOUND);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(a_file_that_vanishes_keeps_its_last_content_and_is_told_once)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};

	scratch_replace(path, "one@example.net\n");
	void *self = open_source(&conf, &mxw__directory_file);
	ck_assert_int_eq(unlink(path), 0);
	for (int i = 0; i < 5; i++) {
		fake_clock_advance(&fake, 1000);
		ck_assert_int_eq(ask(&mxw__directory_file, self, "one@example.net").outcome, MXW_FOUND);
		ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_NOT_FOUND);
	}
	ck_assert_uint_eq(notices_count(&notices), 1);
	ck_assert(notices_have(&notices, path));
	scratch_replace(path, "two@example.net\n");
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "two@example.net").outcome, MXW_FOUND);
	ck_assert_uint_eq(notices_count(&notices), 2);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(a_file_that_was_never_there_is_temporary)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};
	void *self = open_source(&conf, &mxw__directory_file);

	for (int i = 0; i < 3; i++) {
		struct mxw__rcpt_result r = ask(&mxw__directory_file, self, "one@example.net");
		ck_assert_int_eq(r.outcome, MXW_TEMPORARY);
		ck_assert_ptr_nonnull(strstr(r.reason, path));
		fake_clock_advance(&fake, 1000);
	}
	ck_assert_uint_eq(notices_count(&notices), 1);
	ck_assert(notices_have(&notices, "error: directory staff: "));
	scratch_replace(path, "one@example.net\n");
	ck_assert_int_eq(ask(&mxw__directory_file, self, "one@example.net").outcome, MXW_FOUND);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(a_fifo_or_a_directory_in_place_of_a_file_does_not_block)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	void *self = open_source(&conf, &mxw__directory_file);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "one@example.net").outcome, MXW_TEMPORARY);
	mxw__directory_file.close(self);
	conf.path = scratch.dir;
	self = open_source(&conf, &mxw__directory_file);
	ck_assert_int_eq(ask(&mxw__directory_file, self, "one@example.net").outcome, MXW_TEMPORARY);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

START_TEST(a_hundred_thousand_addresses_are_all_found)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};
	struct mxw__buf text;
	char who[64];

	mxw__buf_init(&text, 10000000);
	for (int i = 0; i < 100000; i++)
		mxw__buf_addf(&text, "user%d@example.net\n", i);
	scratch_replace(path, mxw__buf_str(&text));
	mxw__buf_fini(&text);
	void *self = open_source(&conf, &mxw__directory_file);
	for (int i = 0; i < 100000; i += 7) {
		snprintf(who, sizeof who, "user%d@example.net", i);
		ck_assert_int_eq(ask(&mxw__directory_file, self, who).outcome, MXW_FOUND);
	}
	ck_assert_int_eq(ask(&mxw__directory_file, self, "user100000@example.net").outcome, MXW_NOT_FOUND);
	mxw__directory_file.close(self);
	free(path);
}
END_TEST

struct reader {
	void *self;
	atomic_bool stop;
	atomic_uint wrong;
	atomic_uint asked;
};

static void *read_on(void *arg)
{
	struct reader *reader = arg;

	while (!atomic_load(&reader->stop)) {
		if (ask(&mxw__directory_file, reader->self, "always@example.net").outcome != MXW_FOUND)
			atomic_fetch_add(&reader->wrong, 1);
		if (ask(&mxw__directory_file, reader->self, "never@example.net").outcome == MXW_FOUND)
			atomic_fetch_add(&reader->wrong, 1);
		atomic_fetch_add(&reader->asked, 1);
		fake_clock_advance(&fake, 100);
	}
	return NULL;
}

START_TEST(threads_look_up_while_the_file_is_replaced)
{
	char *path = scratch_path(&scratch, "recipients");
	struct mxw__directory_conf conf = {.name = "staff", .type = MXW__DIRECTORY_FILE, .path = path};
	struct reader reader = {.stop = false};
	pthread_t threads[4];
	char text[200];

	scratch_replace(path, "always@example.net\n");
	reader.self = open_source(&conf, &mxw__directory_file);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_on, &reader), 0);
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "other%d@example.net\nalways@example.net\n", i);
		scratch_replace(path, text);
	}
	while (atomic_load(&reader.asked) < 1000)
		sched_yield();
	atomic_store(&reader.stop, true);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&reader.wrong), 0);
	mxw__directory_file.close(reader.self);
	free(path);
}
END_TEST

/* ---- system ---- */

static const char aliases[] =
	"# aliases\n"
	"postmaster: root\n"
	"Upper.Case:\troot\n"
	"\"john smith\" : root\n"
	"\"quo\\\"te\": root\n"
	"list: :include:/etc/list,\n"
	"\tinner: not-a-name,\n"
	"   other\n"
	"pipe: \"|/usr/bin/x: y\"\n"
	"late:\n"
	"\troot\n"
	"empty:\n"
	"# a comment between\n"
	"owner-list:root\n"
	"no colon here\n"
	"   : continuation of it\n"
	"user@example.net: root\n"
	"bare\n"
	"j\xc3\x9crgen: root\n"
	"last: root";

static const char passwd[] =
	"root:x:0:0:root:/root:/bin/bash\n"
	"alice:x:1000:1000:Alice:/home/alice:/bin/bash\n"
	"Bob:x:1001:1001::/home/bob:/bin/sh\n"
	"+::::::\n"
	"broken\n"
	"nouid:x:abc:1:::\n";

static const struct {
	const char *who;
	mxw_outcome_t outcome;
} in_system[] = {
	{"postmaster@example.net", MXW_FOUND},
	{"POSTMASTER", MXW_FOUND},
	{"upper.case@example.net", MXW_FOUND},
	{"john smith@example.net", MXW_FOUND},
	{"quo\"te@example.net", MXW_FOUND},
	{"list@example.net", MXW_FOUND},
	{"inner@example.net", MXW_NOT_FOUND},
	{"other@example.net", MXW_NOT_FOUND},
	{"pipe@example.net", MXW_FOUND},
	{"late@example.net", MXW_FOUND},
	{"empty@example.net", MXW_NOT_FOUND},
	{"owner-list@example.net", MXW_FOUND},
	{"no@example.net", MXW_NOT_FOUND},
	{"user@example.net", MXW_NOT_FOUND},
	{"bare@example.net", MXW_NOT_FOUND},
	{"last@example.net", MXW_FOUND},
	{"alice@example.net", MXW_FOUND},
	{"ALICE@example.net", MXW_FOUND},
	{"bob@example.net", MXW_FOUND},
	{"root@example.net", MXW_NOT_FOUND}, /* below min-uid */
	{"+@example.net", MXW_NOT_FOUND},
	{"broken@example.net", MXW_NOT_FOUND},
	{"nouid@example.net", MXW_NOT_FOUND},
	{"@example.net", MXW_NOT_FOUND},
	{"j\xc3\xbcrgen@example.net", MXW_FOUND},
	{"ju\xcc\x88RGEN@example.net", MXW_FOUND},
	{"jurgen@example.net", MXW_NOT_FOUND},
};

START_TEST(system_finds_aliases_and_users)
{
	char *passwd_path = scratch_path(&scratch, "passwd"), *aliases_path = scratch_path(&scratch, "aliases");
	struct mxw__directory_conf conf = {.name = "sys", .type = MXW__DIRECTORY_SYSTEM, .passwd_file = passwd_path,
					   .aliases_files = {1, (const char *const[]){aliases_path}}, .min_uid = 1000};

	scratch_replace(passwd_path, passwd);
	scratch_replace(aliases_path, aliases);
	void *self = open_source(&conf, &mxw__directory_system);
	for (size_t i = 0; i < MXW_ARRAY_LEN(in_system); i++) {
		struct mxw__rcpt_result r = ask(&mxw__directory_system, self, in_system[i].who);
		ck_assert_msg(r.outcome == in_system[i].outcome, "%s: %s", in_system[i].who,
			      mxw_outcome_name(r.outcome));
	}
	ck_assert(notices_have(&notices, "aliases:12: an alias without a value"));
	ck_assert(notices_have(&notices, "aliases:15: "));
	ck_assert(notices_have(&notices, "aliases:17: "));
	ck_assert(notices_have(&notices, "aliases:18: "));
	ck_assert(notices_have(&notices, "passwd:4: "));
	ck_assert(notices_have(&notices, "passwd:5: "));
	ck_assert(notices_have(&notices, "passwd:6: "));
	mxw__directory_system.close(self);
	free(passwd_path);
	free(aliases_path);
}
END_TEST

START_TEST(system_looks_into_every_aliases_file)
{
	char *one = scratch_path(&scratch, "aliases"), *two = scratch_path(&scratch, "majordomo");
	char *passwd_path = scratch_path(&scratch, "passwd");
	const char *const paths[] = {one, two};
	struct mxw__directory_conf conf = {.name = "sys", .type = MXW__DIRECTORY_SYSTEM, .passwd_file = passwd_path,
					   .aliases_files = {2, paths}};

	scratch_replace(passwd_path, passwd);
	scratch_replace(one, "first: root\n");
	scratch_replace(two, "second: root\n");
	void *self = open_source(&conf, &mxw__directory_system);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "first@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "second@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "alice@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "third@example.net").outcome, MXW_NOT_FOUND);
	mxw__directory_system.close(self);
	/* One that can't be read may have had the name. */
	ck_assert_int_eq(unlink(one), 0);
	self = open_source(&conf, &mxw__directory_system);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "second@example.net").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "third@example.net").outcome, MXW_TEMPORARY);
	mxw__directory_system.close(self);
	free(one);
	free(two);
	free(passwd_path);
}
END_TEST

START_TEST(system_is_temporary_when_one_of_its_files_cannot_be_read)
{
	char *passwd_path = scratch_path(&scratch, "passwd"), *aliases_path = scratch_path(&scratch, "aliases");
	struct mxw__directory_conf conf = {.name = "sys", .type = MXW__DIRECTORY_SYSTEM, .passwd_file = passwd_path,
					   .aliases_files = {1, (const char *const[]){aliases_path}}};

	scratch_replace(passwd_path, passwd);
	void *self = open_source(&conf, &mxw__directory_system);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "alice").outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "nobody-here").outcome, MXW_TEMPORARY);
	scratch_replace(aliases_path, "x: y\n");
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "nobody-here").outcome, MXW_NOT_FOUND);
	mxw__directory_system.close(self);
	free(passwd_path);
	free(aliases_path);
}
END_TEST

START_TEST(system_asks_the_machine_for_its_users)
{
	struct mxw__directory_conf conf = {.name = "sys", .type = MXW__DIRECTORY_SYSTEM, .passwd_file = "",
					   .aliases_files = {1, (const char *const[]){""}}};
	struct passwd *me = getpwuid(0);
	void *self = open_source(&conf, &mxw__directory_system);

	ck_assert_ptr_nonnull(me);
	ck_assert_int_eq(ask(&mxw__directory_system, self, me->pw_name).outcome, MXW_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "no-such-user-mxw").outcome, MXW_NOT_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "root:x:0").outcome, MXW_NOT_FOUND);
	ck_assert_int_eq(ask(&mxw__directory_system, self, "../root").outcome, MXW_NOT_FOUND);
	mxw__directory_system.close(self);
}
END_TEST

/* ---- calls without a deadline ---- */

struct hanging {
	int until_fd;
	atomic_uint *released;
};

static void hang(void *data)
{
	struct hanging *hanging = data;
	char c;

	while (read(hanging->until_fd, &c, 1) < 0)
		;
}

static void release_hanging(void *data)
{
	struct hanging *hanging = data;

	atomic_fetch_add(hanging->released, 1);
	free(hanging);
}

START_TEST(a_call_that_hangs_is_left_behind_and_hanging_ones_are_limited)
{
	mxw__jobs_t *jobs = mxw__jobs_new(2);
	atomic_uint released = 0;
	mxw__job_t *running[3];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	for (int i = 0; i < 3; i++) {
		struct hanging *hanging = malloc(sizeof *hanging);
		ck_assert_ptr_nonnull(hanging);
		*hanging = (struct hanging){fds[0], &released};
		running[i] = mxw__job_start(jobs, hang, release_hanging, hanging);
	}
	ck_assert_ptr_null(running[2]);
	ck_assert_uint_eq(atomic_load(&released), 1);
	ck_assert(!mxw__job_wait(running[0], 10));
	mxw__job_unref(running[0]);
	mxw__jobs_unref(jobs);
	ck_assert_uint_eq(atomic_load(&released), 1);
	close(fds[1]);
	ck_assert(mxw__job_wait(running[1], 10000));
	mxw__job_unref(running[1]);
	for (int i = 0; i < 1000 && atomic_load(&released) < 3; i++)
		usleep(10000);
	ck_assert_uint_eq(atomic_load(&released), 3);
	close(fds[0]);
}
END_TEST

/* ---- the set ---- */

static const struct {
	mxw_outcome_t a, b, all;
} merges[] = {
	{MXW_NOT_FOUND, MXW_NOT_FOUND, MXW_NOT_FOUND},
	{MXW_NOT_FOUND, MXW_FOUND, MXW_FOUND},
	{MXW_TEMPORARY, MXW_FOUND, MXW_FOUND},
	{MXW_MISCONFIGURED, MXW_FOUND, MXW_FOUND},
	{MXW_NOT_FOUND, MXW_TEMPORARY, MXW_TEMPORARY},
	{MXW_TEMPORARY, MXW_NOT_FOUND, MXW_TEMPORARY},
	{MXW_MISCONFIGURED, MXW_NOT_FOUND, MXW_MISCONFIGURED},
	{MXW_NOT_FOUND, MXW_MISCONFIGURED, MXW_MISCONFIGURED},
	{MXW_TEMPORARY, MXW_MISCONFIGURED, MXW_TEMPORARY},
	{MXW_MISCONFIGURED, MXW_TEMPORARY, MXW_TEMPORARY},
};

START_TEST(not_found_needs_every_source)
{
	struct mxw__rcpt_result all = {.outcome = MXW_NOT_FOUND}, a = {.source = "a"}, b = {.source = "b"};

	mxw__rcpt_answerf(&a, merges[_i].a, "why a");
	mxw__rcpt_answerf(&b, merges[_i].b, "why b");
	mxw__rcpt_merge(&all, &a);
	mxw__rcpt_merge(&all, &b);
	ck_assert_int_eq(all.outcome, merges[_i].all);
	ck_assert_str_eq(all.source, merges[_i].all == merges[_i].a ? "a" : "b");
	ck_assert_str_eq(all.reason, merges[_i].all == merges[_i].a ? "why a" : "why b");
}
END_TEST

struct site {
	struct mxw__directory_conf dirs[3];
	size_t order[3];
	struct mxw__domain_conf domains[2];
	struct mxw_conf conf;
};

static void make_site(struct site *site, const char *one, const char *two, const char *missing)
{
	static const char *const names1[] = {"example.net", "example.org"};
	static const char *const names2[] = {"example.com"};

	*site = (struct site){
		.dirs = {{.name = "one", .type = MXW__DIRECTORY_FILE, .path = one},
			 {.name = "two", .type = MXW__DIRECTORY_FILE, .path = two},
			 {.name = "missing", .type = MXW__DIRECTORY_FILE, .path = missing}},
		.order = {2, 0, 1},
	};
	site->domains[0] = (struct mxw__domain_conf){.names = {2, names1}, .nrecipients = 2, .recipients = &site->order[1]};
	site->domains[1] = (struct mxw__domain_conf){.names = {1, names2}, .nrecipients = 3, .recipients = site->order};
	site->conf.ndirectories = 3;
	site->conf.directories = site->dirs;
	site->conf.ndomains = 2;
	site->conf.domains = site->domains;
}

static struct mxw__rcpt_result ask_set(mxw__directories_t *set, const char *text)
{
	char store[2000];
	struct mxw__address a = address(text, store, sizeof store);
	struct mxw__rcpt_query query = {.address = &a, .deadline_ms = mxw__now_ms(&fake.clock) + 20000};
	struct mxw__rcpt_result result;

	mxw__directories_lookup(set, mxw__directories_domain(set, a.domain), &query, &result);
	return result;
}

START_TEST(a_set_knows_its_domains_and_asks_in_their_order)
{
	char *one = scratch_path(&scratch, "one"), *two = scratch_path(&scratch, "two");
	char *missing = scratch_path(&scratch, "missing");
	struct site site;
	mxw__directories_t *set = NULL;
	struct mxw__directories_env env = {.clock = &fake.clock, .notice = notices_take, .notice_ctx = &notices};
	struct mxw_error err;

	scratch_replace(one, "a\n");
	scratch_replace(two, "a\nb\n");
	make_site(&site, one, two, missing);
	ck_assert_int_eq(mxw__directories_new(&site.conf, &env, &set, &err), MXW_OK);
	ck_assert_ptr_eq(mxw__directories_domain(set, "example.org"), &site.domains[0]);
	ck_assert_ptr_eq(mxw__directories_domain(set, "example.com"), &site.domains[1]);
	ck_assert_ptr_null(mxw__directories_domain(set, "sub.example.com"));
	ck_assert_ptr_null(mxw__directories_domain(set, ""));

	struct mxw__rcpt_result r = ask_set(set, "a@example.net");
	ck_assert_int_eq(r.outcome, MXW_FOUND);
	ck_assert_str_eq(r.source, "one");
	r = ask_set(set, "b@example.net");
	ck_assert_int_eq(r.outcome, MXW_FOUND);
	ck_assert_str_eq(r.source, "two");
	ck_assert_int_eq(ask_set(set, "c@example.net").outcome, MXW_NOT_FOUND);
	/* With a source that can't answer, the known are found and the unknown are not refused. */
	ck_assert_int_eq(ask_set(set, "b@example.com").outcome, MXW_FOUND);
	r = ask_set(set, "c@example.com");
	ck_assert_int_eq(r.outcome, MXW_TEMPORARY);
	ck_assert_str_eq(r.source, "missing");
	mxw__directories_free(set);
	free(one);
	free(two);
	free(missing);
}
END_TEST

START_TEST(a_domain_without_a_directory_refuses_nobody)
{
	static const char *const names[] = {"example.net"};
	struct mxw__domain_conf domain = {.names = {1, names}};
	struct mxw_conf conf = {.ndomains = 1, .domains = &domain};
	mxw__directories_t *set = NULL;
	struct mxw__directories_env env = {.clock = &fake.clock, .notice = notices_take, .notice_ctx = &notices};
	struct mxw_error err;

	ck_assert_int_eq(mxw__directories_new(&conf, &env, &set, &err), MXW_OK);
	ck_assert_int_eq(ask_set(set, "a@example.net").outcome, MXW_MISCONFIGURED);
	mxw__directories_free(set);
	mxw__directories_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("directory");
	TCase *file = tcase_create("file");
	TCase *sys = tcase_create("system");
	TCase *set = tcase_create("set");

	tcase_add_checked_fixture(file, set_up, tear_down);
	tcase_add_test(file, a_file_finds_addresses_local_parts_and_domains);
	tcase_add_test(file, an_address_longer_than_any_entry_is_not_found);
	tcase_add_loop_test(file, a_bad_line_is_told_with_its_number_and_the_rest_is_used, 0,
			    MXW_ARRAY_LEN(bad_lines));
	tcase_add_test(file, a_nul_in_a_file_hides_nothing_behind_it);
	tcase_add_test(file, many_bad_lines_are_not_told_one_by_one);
	tcase_add_test(file, a_replaced_file_is_read_again_within_a_second);
	tcase_add_test(file, a_file_that_is_being_written_makes_nobody_unknown);
	tcase_add_test(file, a_file_that_is_being_written_at_the_start_makes_nobody_unknown);
	tcase_add_test(file, a_file_that_was_emptied_makes_nobody_unknown_while_its_writer_thinks);
	tcase_add_test(file, a_file_written_without_pause_is_read_in_the_end);
	tcase_add_test(file, a_file_that_vanishes_keeps_its_last_content_and_is_told_once);
	tcase_add_test(file, a_file_that_was_never_there_is_temporary);
	tcase_add_test(file, a_fifo_or_a_directory_in_place_of_a_file_does_not_block);
	tcase_add_test(file, a_hundred_thousand_addresses_are_all_found);
	tcase_add_test(file, threads_look_up_while_the_file_is_replaced);
	suite_add_tcase(s, file);

	tcase_add_checked_fixture(sys, set_up, tear_down);
	tcase_add_test(sys, system_finds_aliases_and_users);
	tcase_add_test(sys, system_looks_into_every_aliases_file);
	tcase_add_test(sys, system_is_temporary_when_one_of_its_files_cannot_be_read);
	tcase_add_test(sys, system_asks_the_machine_for_its_users);
	tcase_add_test(sys, a_call_that_hangs_is_left_behind_and_hanging_ones_are_limited);
	suite_add_tcase(s, sys);

	tcase_add_checked_fixture(set, set_up, tear_down);
	tcase_add_loop_test(set, not_found_needs_every_source, 0, MXW_ARRAY_LEN(merges));
	tcase_add_test(set, a_set_knows_its_domains_and_asks_in_their_order);
	tcase_add_test(set, a_domain_without_a_directory_refuses_nobody);
	suite_add_tcase(s, set);
	return run_suite(s);
}
