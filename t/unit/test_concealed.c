/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups beside a session, of directories that take as long as they are told to: how many there are, what they are given, what ends them. */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include <mxward/track.h>

#include "src/directory/directory.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

static void look_up_slowly(mxw__directories_t *directories, const struct mxw__domain_conf *domain, const struct mxw__rcpt_query *query,
			   struct mxw__rcpt_result *ret_result);
#define mxw__directories_lookup look_up_slowly
#include "src/session/concealed.c"
#undef mxw__directories_lookup

enum { LIMIT = 3, PATIENCE_MS = 20000 };

static struct scratch scratch;
static mxw_engine_t *engine;
static struct {
	atomic_bool is_held;
	atomic_uint asked, ended, respelt;
} directory;

static void look_up_slowly(mxw__directories_t *directories, const struct mxw__domain_conf *domain, const struct mxw__rcpt_query *query,
			   struct mxw__rcpt_result *ret_result)
{
	const struct mxw__address *address = query->address;

	(void)directories;
	(void)domain;
	atomic_fetch_add(&directory.asked, 1);
	atomic_fetch_add(&directory.respelt, address->domain_utf8 != address->domain);
	while (atomic_load(&directory.is_held))
		usleep(1000);
	ret_result->outcome = MXW_FOUND;
	atomic_fetch_add(&directory.ended, 1);
}

static void setup(void)
{
	scratch_init(&scratch);
	char *people = scratch_path(&scratch, "people"), text[2048];
	struct mxw_engine_options options = {.size = sizeof options, .state_dir = scratch.dir};
	mxw_conf_t *conf;

	scratch_replace(people, "known@file.example\n");
	snprintf(text, sizeof text,
		 "authserv-id mx.example.net\nresolver { forward none }\nspf { enabled no }\ndkim { enabled no }\n"
		 "limits { concealed-sessions %d }\ntimeouts { concealed-reply 100ms }\ntracker { save-interval 1h }\n"
		 "directory people {\n type file\n path \"%s\"\n}\ndomain file.example { recipients people }\n"
		 "rule hide { when client.address in 192.0.2.1\n conceal \"550 5.7.1 No mail from you\"\n}\n", LIMIT, people);
	free(people);
	atomic_init(&directory.is_held, false);
	atomic_init(&directory.asked, 0);
	atomic_init(&directory.ended, 0);
	atomic_init(&directory.respelt, 0);
	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &conf), MXW_OK);
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
}

static void teardown(void)
{
	mxw_engine_free(engine);
	scratch_fini(&scratch);
}

static mxw_session_t *begin(void)
{
	struct mxw_connect_info info = {.client_name = "unknown"};
	struct mxw_verdict v;
	mxw_session_t *s;

	mxw_ip_parse("192.0.2.1", &info.client);
	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, "probe.example", &v);
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = "<a@probe.example>"}, &v);
	return s;
}

static void probe(mxw_session_t *s)
{
	unsigned before = s->record.concealed;
	struct mxw_verdict v;

	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = "<known@file.example>"}, &v);
	ck_assert_uint_eq(s->record.concealed, before + 1);
}

static unsigned count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void wait_until_ended(unsigned n)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(&directory.ended) < n; i++)
		usleep(1000);
	ck_assert_uint_eq(atomic_load(&directory.ended), n);
}

START_TEST(a_look_up_that_is_over_leaves_nothing_behind)
{
	mxw_session_t *s = begin();
	unsigned before = count_descriptors();

	for (unsigned n = 1; n <= 20; n++) {
		probe(s);
		wait_until_ended(n);
	}
	/* The last one's. */
	ck_assert_uint_le(count_descriptors(), before + 1);
	mxw_session_abort(s);
	ck_assert_uint_eq(count_descriptors(), before);
	mxw_session_free(s);
	ck_assert_uint_eq(atomic_load(&directory.asked), 20);
}
END_TEST

START_TEST(it_is_given_the_address_as_it_was)
{
	mxw_session_t *s = begin();

	probe(s);
	wait_until_ended(1);
	mxw_session_free(s);
	ck_assert_uint_eq(atomic_load(&directory.respelt), 0);
}
END_TEST

START_TEST(those_that_take_too_long_are_bounded)
{
	mxw_session_t *sessions[2 * LIMIT];

	atomic_store(&directory.is_held, true);
	for (size_t i = 0; i < MXW_ARRAY_LEN(sessions); i++) {
		sessions[i] = begin();
		/* One of a session, whatever it asks for. */
		probe(sessions[i]);
		probe(sessions[i]);
	}
	for (int i = 0; i < PATIENCE_MS && atomic_load(&directory.asked) < LIMIT; i++)
		usleep(1000);
	ck_assert_uint_eq(atomic_load(&directory.asked), LIMIT);
	ck_assert_uint_eq(atomic_load(&engine->concealed_lookups), LIMIT);
	atomic_store(&directory.is_held, false);
	for (size_t i = 0; i < MXW_ARRAY_LEN(sessions); i++)
		mxw_session_free(sessions[i]);
	ck_assert_uint_eq(atomic_load(&engine->concealed_lookups), 0);
	/* And there is room again. */
	mxw_session_t *s = begin();
	probe(s);
	mxw_session_free(s);
	ck_assert_uint_eq(atomic_load(&directory.asked), LIMIT + 1);
}
END_TEST

static bool is_saved(void)
{
	char *path = scratch_path(&scratch, "tracker.db");
	bool is_there = access(path, F_OK) == 0;

	free(path);
	return is_there;
}

/* A disk that does not answer, say. */
START_TEST(one_that_does_not_end_holds_nobody_up)
{
	struct mxw_error err;

	atomic_store(&directory.is_held, true);
	mxw_session_t *sessions[LIMIT];
	for (size_t i = 0; i < LIMIT; i++) {
		sessions[i] = begin();
		probe(sessions[i]);
	}
	struct mxw__snapshot *left = sessions[0]->snapshot;
	/* All of them take the time of one. */
	int64_t began_ms = mxw__now_ms(mxw_clock_system());
	for (size_t i = 0; i < LIMIT; i++)
		mxw_session_free(sessions[i]);
	int64_t took_ms = mxw__now_ms(mxw_clock_system()) - began_ms;
	ck_assert_int_ge(took_ms, END_MS);
	ck_assert_int_lt(took_ms, LIMIT * END_MS);
	ck_assert_int_eq(mxw_track_report(engine, "192.0.2.1", "reported", 1, &err), MXW_OK);
	ck_assert(!is_saved());
	/* What the engine has stays, and what it knows is on the disk. */
	mxw_engine_free(engine);
	ck_assert(is_saved());
	ck_assert_uint_eq(atomic_load(&directory.ended), 0);
	atomic_store(&directory.is_held, false);
	for (int i = 0; i < PATIENCE_MS && atomic_load(&engine->concealed_lookups) > 0; i++)
		usleep(1000);
	ck_assert_uint_eq(atomic_load(&engine->concealed_lookups), 0);
	/* Now it can go. */
	for (size_t i = 0; i < LIMIT; i++)
		mxw__snapshot_unref(left);
	atomic_store(&engine->is_left, false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("concealed");
	TCase *tc = tcase_create("concealed");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_look_up_that_is_over_leaves_nothing_behind);
	tcase_add_test(tc, it_is_given_the_address_as_it_was);
	tcase_add_test(tc, those_that_take_too_long_are_bounded);
	tcase_add_test(tc, one_that_does_not_end_holds_nobody_up);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
