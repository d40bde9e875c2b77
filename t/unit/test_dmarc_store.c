/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/journal/dmarc_store.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/notices.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, WAIT_MS = 20000, NOW_S = 1767225600 };

static struct scratch scratch;
static struct fake_clock fake;
static struct notices notices;
static char *path;

static void setup(void)
{
	scratch_init(&scratch);
	fake_clock_init(&fake);
	notices_init(&notices);
	path = scratch_path(&scratch, "dmarc.db");
}

static void teardown(void)
{
	free(path);
	notices_fini(&notices);
	scratch_fini(&scratch);
}

static struct mxw__dmarc_store_env an_env(void)
{
	return (struct mxw__dmarc_store_env){
		.state_dir = scratch.dir,
		.clock = &fake.clock,
		.notice = notices_take,
		.notice_ctx = &notices,
		.keep_ms = 2 * DAY_MS,
		.max_evaluations = 1000,
		.batch_ms = 1,
		.retry_ms = 20,
		.stop_ms = WAIT_MS,
	};
}

static mxw__dmarc_store_t *make(const struct mxw__dmarc_store_env *env)
{
	mxw__dmarc_store_t *store;

	ck_assert_int_eq(mxw__dmarc_store_new(env, &store), MXW_OK);
	return store;
}

static bool add_at(mxw__dmarc_store_t *store, const char *session, int64_t at_s)
{
	static const struct mxw__dmarc_kept_signature signatures[] = {
		{"list.example", "s1", "pass", false},
		{"a.example", "s2", "fail", true},
	};

	return mxw__dmarc_store_add(store, &(struct mxw__dmarc_evaluation){
		.at_s = at_s,
		.session = session,
		.source = "192.0.2.1",
		.author_domain = "sub.a.example",
		.policy_domain = "a.example",
		.p = "reject",
		.sp = "quarantine",
		.adkim = "r",
		.aspf = "s",
		.fo = "1:d",
		.rua = "mailto:r@a.example,mailto:s@b.example!10m",
		.result = "fail",
		.spf_aligned = true,
		.disposition = "none",
		.override = "local_policy",
		.spf_domain = "a.ex'ample\x80\n",
		.spf_scope = "mfrom",
		.spf_result = "pass",
		.envelope_from = "a.example",
		.envelope_to = "b.example c.example",
		.nsignatures = 2,
		.signatures = signatures,
	});
}

static bool add(mxw__dmarc_store_t *store, const char *session)
{
	return add_at(store, session, NOW_S);
}

/* The first row's columns, separated by '|'. */
static char *ask(const char *file, const char *sql)
{
	struct mxw__buf text;
	sqlite3_stmt *stmt;
	sqlite3 *db;

	mxw__buf_init(&text, 10000);
	ck_assert_int_eq(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *value = (const char *)sqlite3_column_text(stmt, i);
			mxw__buf_addf(&text, "%s%s", i ? "|" : "", value ? value : "NULL");
		}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return mxw__buf_take(&text);
}

#define CK_ASK(file, sql, wanted) \
	do { \
		char *got_ = ask(file, sql); \
		ck_assert_str_eq(got_ ? got_ : "", wanted); \
		free(got_); \
	} while (0)

static void run_sql(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
	sqlite3_close(db);
}

START_TEST(a_record_is_kept_whole)
{
	struct mxw__dmarc_store_env env = an_env();
	struct mxw__dmarc_store_stats stats;
	struct stat st;
	mxw__dmarc_store_t *store = make(&env);

	ck_assert(mxw__dmarc_store_is_on(store));
	ck_assert(add(store, "S1"));
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	CK_ASK(path, "SELECT * FROM evaluation",
	       "1|1767225600|S1|192.0.2.1|sub.a.example|a.example|reject|quarantine||r|s|0|1:d|"
	       "mailto:r@a.example,mailto:s@b.example!10m|fail|0|1|none|local_policy|a.ex'ample??|mfrom|pass|a.example|"
	       "b.example c.example");
	CK_ASK(path, "SELECT group_concat(evaluation || n || domain || selector || result || aligned, ' ') FROM signature",
	       "11list.examples1pass0 12a.examples2fail1");
	CK_ASK(path, "PRAGMA user_version", "1");
	CK_ASK(path, "PRAGMA journal_mode", "wal");
	CK_ASK(path, "PRAGMA auto_vacuum", "2");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	mxw__dmarc_store_get_stats(store, &stats);
	ck_assert_uint_eq(stats.written, 1);
	ck_assert_uint_eq(stats.dropped, 0);
	ck_assert_uint_eq(stats.queued, 0);
	mxw__dmarc_store_free(store);
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

START_TEST(what_is_queued_is_written_at_the_end)
{
	struct mxw__dmarc_store_env env = an_env();
	mxw__dmarc_store_t *store;

	env.batch_ms = 60000;
	store = make(&env);
	for (int i = 0; i < 700; i++)
		ck_assert(add(store, "S"));
	mxw__dmarc_store_free(store);
	CK_ASK(path, "SELECT count(*) FROM evaluation", "700");
	/* The log is in the file, so that it can be copied alone. */
	char *wal = scratch_path(&scratch, "dmarc.db-wal");
	ck_assert_int_ne(access(wal, F_OK), 0);
	free(wal);
}
END_TEST

START_TEST(nothing_is_kept_without_a_place_for_it)
{
	struct mxw__dmarc_store_env env = an_env();
	mxw__dmarc_store_t *store;

	env.state_dir = _i ? scratch.dir : NULL;
	env.is_read_only = _i;
	store = make(&env);
	ck_assert(!mxw__dmarc_store_is_on(store));
	ck_assert(!add(store, "S"));
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	mxw__dmarc_store_free(store);
	mxw__dmarc_store_free(NULL);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

START_TEST(old_records_go)
{
	struct mxw__dmarc_store_env env = an_env();
	mxw__dmarc_store_t *store;

	env.max_evaluations = 100000;
	store = make(&env);
	for (int i = 0; i < 1300; i++)
		ck_assert(add_at(store, "old", NOW_S - 2 * 24 * 3600 - 1));
	for (int i = 0; i < 10; i++)
		ck_assert(add_at(store, "new", NOW_S - 2 * 24 * 3600));
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	CK_ASK(path, "SELECT count(*), min(session) FROM evaluation", "10|new");
	CK_ASK(path, "SELECT count(*) FROM signature", "20");
	CK_ASK(path, "SELECT page_count < 200 FROM pragma_page_count", "1");
	/* A restart looks, too. */
	mxw__dmarc_store_free(store);
	atomic_fetch_add(&fake.wall_ms, 1000);
	store = make(&env);
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	CK_ASK(path, "SELECT count(*) FROM evaluation", "0");
	mxw__dmarc_store_free(store);
}
END_TEST

START_TEST(no_more_than_the_limit_are_kept)
{
	struct mxw__dmarc_store_env env = an_env();
	mxw__dmarc_store_t *store;

	env.max_evaluations = 100;
	store = make(&env);
	for (int i = 0; i < 1500; i++)
		ck_assert(add_at(store, "S", NOW_S - 1500 + i));
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	CK_ASK(path, "SELECT count(*), max(at) - min(at) FROM evaluation", "100|99");
	CK_ASK(path, "SELECT count(*) FROM signature", "200");
	/* The limit is lowered while it runs. */
	mxw__dmarc_store_configure(store, env.keep_ms, 10);
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	CK_ASK(path, "SELECT count(*) FROM evaluation", "10");
	mxw__dmarc_store_free(store);
}
END_TEST

START_TEST(keeping_none_removes_what_there_is)
{
	struct mxw__dmarc_store_env env = an_env();
	mxw__dmarc_store_t *store = make(&env);

	ck_assert(add(store, "S"));
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	mxw__dmarc_store_configure(store, 0, 100);
	ck_assert(!mxw__dmarc_store_is_on(store));
	ck_assert(!add(store, "S"));
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	ck_assert_int_ne(access(path, F_OK), 0);
	/* And on again. */
	mxw__dmarc_store_configure(store, DAY_MS, 100);
	ck_assert(add(store, "T"));
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	CK_ASK(path, "SELECT count(*), session FROM evaluation", "1|T");
	mxw__dmarc_store_free(store);
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

/* A directory stands where the file should be: nothing can be written, until it is gone. */
START_TEST(what_could_not_be_written_is_tried_again)
{
	struct mxw__dmarc_store_env env = an_env();
	struct mxw__dmarc_store_stats stats;
	mxw__dmarc_store_t *store;

	env.queue_max = 5;
	ck_assert_int_eq(mkdir(path, 0700), 0);
	store = make(&env);
	for (int i = 0; i < 5; i++)
		ck_assert(add(store, "S"));
	ck_assert(!add(store, "one too many"));
	ck_assert(!mxw__dmarc_store_flush(store, WAIT_MS));
	ck_assert(!mxw__dmarc_store_flush(store, WAIT_MS));
	/* One word in an hour. */
	ck_assert_uint_eq(notices_count(&notices), 1);
	ck_assert(notices_have(&notices, "can't be written"));
	fake_clock_advance(&fake, 3600 * 1000);
	ck_assert(!mxw__dmarc_store_flush(store, WAIT_MS));
	ck_assert_uint_eq(notices_count(&notices), 2);
	ck_assert(notices_have(&notices, "lost so far: 1"));
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	CK_ASK(path, "SELECT count(*) FROM evaluation", "5");
	mxw__dmarc_store_get_stats(store, &stats);
	ck_assert_uint_eq(stats.written, 5);
	ck_assert_uint_eq(stats.dropped, 1);
	mxw__dmarc_store_free(store);
}
END_TEST

static void write_junk(void)
{
	static const char junk[] = "This is no database. It never was one, and there is enough of it to be looked at by SQLite, "
				   "which wants a hundred octets of header.";
	scratch_write(path, junk, sizeof junk - 1);
}

static void make_of_another_version(void)
{
	run_sql("CREATE TABLE x (y); PRAGMA user_version=77");
}

static void make_of_another_program(void)
{
	run_sql("CREATE TABLE x (y)");
}

static void make_without_its_tables(void)
{
	run_sql("CREATE TABLE x (y); PRAGMA user_version=1");
}

/* A good one, with its second half gone. */
static void make_broken(void)
{
	struct mxw__dmarc_store_env env = an_env();
	mxw__dmarc_store_t *store = make(&env);
	struct stat st;

	for (int i = 0; i < 500; i++)
		ck_assert(add(store, "S"));
	mxw__dmarc_store_free(store);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size / 8192 * 4096), 0);
}

static const struct {
	const char *what;
	void (*make)(void);
} damages[] = {
	{"junk", write_junk},
	{"another version", make_of_another_version},
	{"another program's", make_of_another_program},
	{"without its tables", make_without_its_tables},
	{"cut short", make_broken},
};

START_TEST(a_damaged_file_is_set_aside)
{
	struct mxw__dmarc_store_env env = an_env();
	mxw__dmarc_store_t *store;

	damages[_i].make();
	store = make(&env);
	ck_assert(add(store, "S"));
	/* The first try finds it. */
	if (!mxw__dmarc_store_flush(store, WAIT_MS))
		ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	CK_ASK(path, "SELECT count(*) FROM evaluation", "1");
	char *bad = scratch_path(&scratch, "dmarc.db.bad");
	ck_assert_msg(access(bad, F_OK) == 0, "%s", damages[_i].what);
	free(bad);
	ck_assert_uint_eq(notices_count(&notices), 1);
	ck_assert(notices_have(&notices, "set aside as dmarc.db.bad"));
	mxw__dmarc_store_free(store);
}
END_TEST

START_TEST(a_full_disk_loses_records_and_nothing_else)
{
	struct mxw__dmarc_store_env env = an_env();
	struct mxw__dmarc_store_stats stats;
	struct rlimit before, small;
	mxw__dmarc_store_t *store;

	signal(SIGXFSZ, SIG_IGN);
	env.queue_max = 300;
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 64 * 1024;
	store = make(&env);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 1000; i++) {
		add(store, "S");
		if (i % 100 == 0)
			mxw__dmarc_store_flush(store, WAIT_MS);
	}
	bool is_done = mxw__dmarc_store_flush(store, WAIT_MS);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert(!is_done);
	/* From here on it may be written again at any time, and that is told; it may also have been, a few of them, while there was no room for all. */
	ck_assert_uint_eq(notices_count_of(&notices, "can't be written"), 1);
	mxw__dmarc_store_get_stats(store, &stats);
	ck_assert_uint_gt(stats.dropped, 0);
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	ck_assert_uint_eq(notices_count_of(&notices, "can't be written"), 1);
	ck_assert_uint_eq(notices_count_of(&notices, "is written again"), 1);
	ck_assert_uint_eq(notices_count(&notices), 2);
	ck_assert(add(store, "again"));
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	CK_ASK(path, "SELECT count(*) FROM evaluation WHERE session = 'again'", "1");
	CK_ASK(path, "PRAGMA integrity_check", "ok");
	mxw__dmarc_store_free(store);
}
END_TEST

START_TEST(two_processes_may_share_it)
{
	struct mxw__dmarc_store_env env = an_env();
	mxw__dmarc_store_t *one = make(&env), *other = make(&env);

	for (int i = 0; i < 200; i++) {
		ck_assert(add(one, "one"));
		ck_assert(add(other, "other"));
	}
	ck_assert(mxw__dmarc_store_flush(one, WAIT_MS));
	ck_assert(mxw__dmarc_store_flush(other, WAIT_MS));
	CK_ASK(path, "SELECT count(*) FROM evaluation", "400");
	CK_ASK(path, "SELECT count(*) FROM signature", "800");
	mxw__dmarc_store_free(one);
	ck_assert(add(other, "other"));
	mxw__dmarc_store_free(other);
	CK_ASK(path, "SELECT count(*) FROM evaluation", "401");
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

/* Somebody holds the lock for ever: the end waits for it, then for the writer to let it be, and neither for ever. */
START_TEST(the_end_is_bounded_in_time)
{
	enum { STOP_MS = 1500 };
	struct mxw__dmarc_store_env env = an_env();
	mxw__dmarc_store_t *store;
	sqlite3 *db;

	env.stop_ms = STOP_MS;
	store = make(&env);
	ck_assert(add(store, "S"));
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	ck_assert(add(store, "T"));
	int64_t began_ms = mxw__now_ms(mxw_clock_system());
	mxw__dmarc_store_free(store);
	ck_assert_int_lt(mxw__now_ms(mxw_clock_system()) - began_ms, 2 * STOP_MS);
	/* Asked while the lock is held: a writer that was late, and left there, can't write it now. */
	CK_ASK(path, "SELECT count(*) FROM evaluation", "1");
	sqlite3_close(db);
}
END_TEST

enum { THREADS = 4, EACH = 500 };

static void *add_many(void *arg)
{
	for (int i = 0; i < EACH; i++)
		add(arg, "S");
	return NULL;
}

START_TEST(many_threads_add_while_it_is_configured)
{
	struct mxw__dmarc_store_env env = an_env();
	struct mxw__dmarc_store_stats stats;
	pthread_t threads[THREADS];
	mxw__dmarc_store_t *store;

	env.max_evaluations = 100000;
	env.queue_max = 200;
	store = make(&env);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, store), 0);
	for (int i = 0; i < 20; i++)
		mxw__dmarc_store_configure(store, env.keep_ms, 100000 + (uint64_t)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert(mxw__dmarc_store_flush(store, WAIT_MS));
	mxw__dmarc_store_get_stats(store, &stats);
	ck_assert_uint_eq(stats.written + stats.dropped, THREADS * EACH);
	mxw__dmarc_store_free(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dmarc_store");
	TCase *tc = tcase_create("dmarc_store");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_record_is_kept_whole);
	tcase_add_test(tc, what_is_queued_is_written_at_the_end);
	tcase_add_loop_test(tc, nothing_is_kept_without_a_place_for_it, 0, 2);
	tcase_add_test(tc, old_records_go);
	tcase_add_test(tc, no_more_than_the_limit_are_kept);
	tcase_add_test(tc, keeping_none_removes_what_there_is);
	tcase_add_test(tc, what_could_not_be_written_is_tried_again);
	tcase_add_loop_test(tc, a_damaged_file_is_set_aside, 0, MXW_ARRAY_LEN(damages));
	tcase_add_test(tc, a_full_disk_loses_records_and_nothing_else);
	tcase_add_test(tc, two_processes_may_share_it);
	tcase_add_test(tc, the_end_is_bounded_in_time);
	tcase_add_test(tc, many_threads_add_while_it_is_configured);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
