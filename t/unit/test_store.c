/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/journal/store.h"
#include "src/session/engine.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/notices.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

enum { HOUR_MS = 60 * 60 * 1000, WAIT_MS = 20000, TOYS = 3000 };
#define DAY_MS (24 * (int64_t)HOUR_MS)
#define NOW_MS (INT64_C(1767225600) * 1000)

static struct scratch scratch;
static struct fake_clock fake;
static struct notices notices;
static char *path;

static void setup(void)
{
	scratch_init(&scratch);
	fake_clock_init(&fake);
	notices_init(&notices);
	path = scratch_path(&scratch, "tracker.db");
}

static void teardown(void)
{
	free(path);
	notices_fini(&notices);
	scratch_fini(&scratch);
}

/* ---- a toy that remembers; Check's assertions are for one thread ---- */

struct toy {
	pthread_mutex_t mutex;
	struct toy_entry {
		char key[40];
		double a, b;
		char text[40];
		int64_t expires_ms;
		bool is_changed, is_gone;
	} entries[TOYS];
	size_t n;
};

static struct toy_entry *toy_need(struct toy *toy, const char *key)
{
	for (size_t i = 0; i < toy->n; i++)
		if (strcmp(toy->entries[i].key, key) == 0)
			return &toy->entries[i];
	if (toy->n == TOYS)
		abort();
	struct toy_entry *e = &toy->entries[toy->n++];
	*e = (struct toy_entry){.expires_ms = NOW_MS + 1000 * DAY_MS};
	snprintf(e->key, sizeof e->key, "%s", key);
	return e;
}

static size_t toy_take(void *store, mxw__state_reader_t reader, struct mxw__state_record *records, size_t max)
{
	struct toy *toy = store;
	size_t n = 0;

	if (reader != MXW__STATE_DISK)
		abort();
	pthread_mutex_lock(&toy->mutex);
	for (size_t i = 0; i < toy->n && n < max; i++) {
		struct toy_entry *e = &toy->entries[i];
		if (!e->is_changed)
			continue;
		struct mxw__state_record *r = &records[n++];
		*r = (struct mxw__state_record){.at_ms = NOW_MS, .expires_ms = e->expires_ms, .half_life_ms = 1000,
						.is_gone = e->is_gone, .values = {e->a, e->b}};
		snprintf(r->key, sizeof r->key, "%s", e->key);
		snprintf(r->text, sizeof r->text, "%s", e->text);
		e->is_changed = false;
	}
	pthread_mutex_unlock(&toy->mutex);
	return n;
}

static void toy_put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	struct toy *toy = store;

	if (reader != MXW__STATE_DISK)
		abort();
	pthread_mutex_lock(&toy->mutex);
	struct toy_entry *e = toy_need(toy, record->key);
	e->a = record->values[0] > e->a ? record->values[0] : e->a;
	e->b = record->values[1];
	e->expires_ms = record->expires_ms;
	snprintf(e->text, sizeof e->text, "%.39s", record->text);
	pthread_mutex_unlock(&toy->mutex);
}

static void toy_give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	struct toy *toy = store;

	(void)reader;
	pthread_mutex_lock(&toy->mutex);
	toy_need(toy, record->key)->is_changed = true;
	pthread_mutex_unlock(&toy->mutex);
}

static void toy_mark_all(void *store, mxw__state_reader_t reader)
{
	struct toy *toy = store;

	(void)reader;
	pthread_mutex_lock(&toy->mutex);
	for (size_t i = 0; i < toy->n; i++)
		toy->entries[i].is_changed = true;
	pthread_mutex_unlock(&toy->mutex);
}

static const struct mxw__state_field toy_fields[] = {
	{"a", MXW__MERGE_ADD, false},
	{"order", MXW__MERGE_MAX, false}, /* a word of SQL's */
};

static const struct mxw__state_sort toy_sort = {
	.name = "group", /* likewise */
	.nfields = 2,
	.fields = toy_fields,
	.has_text = true,
	.is_kept = true,
	.take = toy_take,
	.put = toy_put,
	.give_back = toy_give_back,
	.mark_all = toy_mark_all,
};

static struct toy *toy_new(void)
{
	struct toy *toy = calloc(1, sizeof *toy);

	pthread_mutex_init(&toy->mutex, NULL);
	return toy;
}

static void toy_free(struct toy *toy)
{
	pthread_mutex_destroy(&toy->mutex);
	free(toy);
}

static void toy_set(struct toy *toy, const char *key, double a, const char *text)
{
	pthread_mutex_lock(&toy->mutex);
	struct toy_entry *e = toy_need(toy, key);
	e->a = a;
	e->is_changed = true;
	snprintf(e->text, sizeof e->text, "%s", text);
	pthread_mutex_unlock(&toy->mutex);
}

static void toy_set_many(struct toy *toy, int from, int to)
{
	char key[40];

	for (int i = from; i < to; i++) {
		snprintf(key, sizeof key, "k%05d", i);
		toy_set(toy, key, i, "x");
	}
}

/* ---- the store, and what is in the file ---- */

static struct mxw__store_env an_env(void)
{
	return (struct mxw__store_env){
		.state_dir = scratch.dir,
		.clock = &fake.clock,
		.notice = notices_take,
		.notice_ctx = &notices,
		.interval_ms = HOUR_MS,
		.max_rows = 100000,
		.retry_ms = 20,
		.stop_ms = WAIT_MS,
		.load_ms = WAIT_MS,
	};
}

static mxw__store_t *make_with(const struct mxw__store_env *env, const struct mxw__state_sort *sort, void *memory)
{
	struct mxw__state state = {sort, memory};
	mxw__store_t *store;

	ck_assert_int_eq(mxw__store_new(env, &state, 1, &store), MXW_OK);
	/* What follows the reading has ended, so that a test's changes are written when it says so. */
	(void)mxw__store_flush(store, WAIT_MS);
	return store;
}

static mxw__store_t *make(const struct mxw__store_env *env, struct toy *toy)
{
	return make_with(env, &toy_sort, toy);
}

/* The first row's columns, separated by '|'. */
static char *ask(const char *sql)
{
	struct mxw__buf text;
	sqlite3_stmt *stmt;
	sqlite3 *db;

	mxw__buf_init(&text, 10000);
	ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
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

#define CK_ASK(sql, wanted) \
	do { \
		char *got_ = ask(sql); \
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

static uint64_t failures_of(mxw__store_t *store)
{
	struct mxw__store_stats stats;

	mxw__store_get_stats(store, &stats);
	return stats.failures;
}

START_TEST(a_record_comes_back_as_it_was)
{
	struct mxw__store_env env = an_env();
	struct mxw__store_stats stats;
	struct toy *toy = toy_new(), *next = toy_new();
	struct stat st;
	mxw__store_t *store = make(&env, toy);

	/* Without anything to keep there is no file. */
	ck_assert(mxw__store_flush(store, WAIT_MS));
	ck_assert_int_ne(access(path, F_OK), 0);
	toy_set(toy, "user:a'b\"c", 1.25, "it's \"x\" -- ;");
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT key, at, half_life, a, \"order\", text FROM \"group\"", "user:a'b\"c|1767225600000|1000|1.25|0|it's \"x\" -- ;");
	CK_ASK("PRAGMA user_version", "1");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	/* What was written is not read as if it had been there before. */
	toy_set(toy, "user:b", 1, "");
	ck_assert(mxw__store_flush(store, WAIT_MS));
	mxw__store_get_stats(store, &stats);
	ck_assert(stats.is_on && stats.is_loaded);
	ck_assert_uint_eq(stats.written, 2);
	ck_assert_uint_eq(stats.loaded, 0);
	run_sql("DELETE FROM \"group\" WHERE key = 'user:b'");
	mxw__store_free(store);
	store = make(&env, next);
	ck_assert_uint_eq(next->n, 1);
	ck_assert_str_eq(next->entries[0].key, "user:a'b\"c");
	ck_assert_double_eq(next->entries[0].a, 1.25);
	ck_assert_str_eq(next->entries[0].text, "it's \"x\" -- ;");
	mxw__store_get_stats(store, &stats);
	ck_assert_uint_eq(stats.loaded, 1);
	mxw__store_free(store);
	ck_assert_uint_eq(notices_count(&notices), 0);
	toy_free(toy);
	toy_free(next);
}
END_TEST

/* Its directory was mounted late, say: what is in it is read before anything is written. */
START_TEST(a_file_that_comes_after_the_start_is_read)
{
	struct mxw__store_env env = an_env();
	struct mxw__store_stats stats;
	struct toy *toy = toy_new(), *late = toy_new();
	mxw__store_t *store = make(&env, toy);
	char *elsewhere = scratch_path(&scratch, "elsewhere.db");

	toy_set(toy, "user:a", 7, "x");
	toy_set(toy, "user:b", 1, "x");
	mxw__store_free(store);
	ck_assert_int_eq(rename(path, elsewhere), 0);
	store = make(&env, late);
	ck_assert_int_eq(rename(elsewhere, path), 0);
	toy_set(late, "user:a", 2, "x");
	ck_assert(mxw__store_flush(store, WAIT_MS));
	mxw__store_get_stats(store, &stats);
	ck_assert_uint_eq(stats.loaded, 2);
	CK_ASK("SELECT group_concat(key || '=' || a, ' ') FROM \"group\"", "user:a=7 user:b=1");
	mxw__store_free(store);
	free(elsewhere);
	toy_free(toy);
	toy_free(late);
}
END_TEST

START_TEST(what_has_changed_is_written_at_the_end)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new(), *next = toy_new();
	mxw__store_t *store = make(&env, toy);

	toy_set_many(toy, 0, 2500);
	mxw__store_free(store);
	CK_ASK("SELECT count(*), sum(a) FROM \"group\"", "2500|3123750");
	char *wal = scratch_path(&scratch, "tracker.db-wal");
	ck_assert_int_ne(access(wal, F_OK), 0);
	free(wal);
	store = make(&env, next);
	ck_assert_uint_eq(next->n, 2500);
	mxw__store_free(store);
	toy_free(toy);
	toy_free(next);
}
END_TEST

START_TEST(what_was_removed_goes_from_the_file)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();
	mxw__store_t *store = make(&env, toy);

	toy_set_many(toy, 0, 3);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	toy_set(toy, "k00001", 0, "");
	toy->entries[1].is_gone = true;
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT group_concat(key) FROM \"group\"", "k00000,k00002");
	mxw__store_free(store);
	toy_free(toy);
}
END_TEST

START_TEST(nothing_is_kept_without_a_place_for_it)
{
	struct mxw__store_env env = an_env();
	struct mxw__store_stats stats;
	struct toy *toy = toy_new();

	env.state_dir = _i ? scratch.dir : NULL;
	env.is_read_only = _i;
	mxw__store_t *store = make(&env, toy);
	toy_set(toy, "k", 1, "");
	ck_assert(mxw__store_flush(store, WAIT_MS));
	mxw__store_configure(store, 1000, 1000);
	mxw__store_get_stats(store, &stats);
	ck_assert(!stats.is_on);
	mxw__store_free(store);
	mxw__store_free(NULL);
	ck_assert_int_ne(access(path, F_OK), 0);
	toy_free(toy);
}
END_TEST

START_TEST(it_is_written_every_so_often)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();
	mxw__store_t *store = make(&env, toy);

	mxw__store_configure(store, 10, 1000);
	for (int round = 0; round < 2; round++) {
		toy_set_many(toy, round, round + 1);
		struct mxw__store_stats stats = {0};
		for (int i = 0; i < WAIT_MS && stats.written < (uint64_t)round + 1; i++) {
			usleep(1000);
			mxw__store_get_stats(store, &stats);
		}
		ck_assert_uint_eq(stats.written, (uint64_t)round + 1);
	}
	mxw__store_free(store);
	toy_free(toy);
}
END_TEST

START_TEST(what_has_expired_goes)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new(), *next = toy_new();
	mxw__store_t *store = make(&env, toy);

	toy_set_many(toy, 0, 2800);
	for (int i = 0; i < 2500; i++)
		toy->entries[i].expires_ms = NOW_MS + 1000;
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT count(*) FROM \"group\"", "2800");
	fake_clock_advance(&fake, 1000);
	/* A start leaves it out. */
	mxw__store_free(store);
	store = make(&env, next);
	ck_assert_uint_eq(next->n, 300);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT count(*), min(key) FROM \"group\"", "300|k02500");
	CK_ASK("SELECT page_count < 25 FROM pragma_page_count", "1");
	mxw__store_free(store);
	toy_free(toy);
	toy_free(next);
}
END_TEST

/* What was pushed out of memory goes from the file when there is too much of it, and only then. */
START_TEST(rows_are_bounded)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new(), *next = toy_new();

	env.max_rows = 100;
	mxw__store_t *store = make(&env, toy);
	for (int i = 0; i < 10; i++) {
		pthread_mutex_lock(&toy->mutex);
		toy->n = 0;
		pthread_mutex_unlock(&toy->mutex);
		toy_set_many(toy, 45 * i, 45 * (i + 1));
		ck_assert(mxw__store_flush(store, WAIT_MS));
	}
	CK_ASK("SELECT count(*) <= 100, max(key) FROM \"group\"", "1|k00449");
	CK_ASK("SELECT count(*) FROM \"group\" WHERE key >= 'k00405'", "45");
	mxw__store_free(store);
	/* The next start goes on where this one was. */
	store = make(&env, next);
	toy_set_many(next, 500, 600);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT count(*) FROM \"group\" WHERE key >= 'k00405'", "145");
	/* More than the bound is known: it stays. */
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT count(*) >= 145 FROM \"group\"", "1");
	/* So does much more than is written in one turn. */
	toy_set_many(next, 0, 3000);
	for (int i = 0; i < 10; i++)
		ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT count(*) FROM \"group\"", "3000");
	mxw__store_free(store);
	toy_free(toy);
	toy_free(next);
}
END_TEST

/* A directory stands where the file should be: nothing can be written, until it is gone. */
START_TEST(what_could_not_be_written_is_tried_again)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();

	env.load_ms = 1;
	ck_assert_int_eq(mkdir(path, 0700), 0);
	mxw__store_t *store = make(&env, toy);
	toy_set_many(toy, 0, 600);
	ck_assert(!mxw__store_flush(store, WAIT_MS));
	ck_assert(!mxw__store_flush(store, WAIT_MS));
	ck_assert_uint_ge(failures_of(store), 2);
	/* One word in an hour. */
	ck_assert_uint_eq(notices_count(&notices), 1);
	ck_assert(notices_have(&notices, "can't be written"));
	fake_clock_advance(&fake, HOUR_MS);
	ck_assert(!mxw__store_flush(store, WAIT_MS));
	ck_assert_uint_eq(notices_count(&notices), 2);
	/* And one when it is over, which may be as soon as the directory is gone. */
	fake_clock_advance(&fake, 5000);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	ck_assert_uint_eq(notices_count(&notices), 3);
	ck_assert(notices_have(&notices, "tracker.db is written again, after 3605 s"));
	CK_ASK("SELECT count(*) FROM \"group\"", "600");
	mxw__store_free(store);
	toy_free(toy);
	ck_assert_uint_eq(notices_count(&notices), 3);
}
END_TEST

static void remove_file(void)
{
	ck_assert_int_eq(unlink(path), 0);
}

/* As it was some time ago, and all that is in memory is newer. */
static void restore_older(void)
{
	char *copy = scratch_path(&scratch, "copy");

	ck_assert_int_eq(rename(path, copy), 0);
	run_sql("CREATE TABLE \"group\" (key TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID; DROP TABLE \"group\"");
	free(copy);
}

static void (*const removals[])(void) = {remove_file, restore_older};

/* What is open goes on being written, and nobody will ever read it. */
START_TEST(a_file_that_somebody_has_removed_is_written_anew)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();
	mxw__store_t *store = make(&env, toy);

	toy_set_many(toy, 0, 600);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT count(*) FROM \"group\"", "600");
	removals[_i]();
	toy_set_many(toy, 600, 601);
	mxw__store_flush(store, WAIT_MS);
	ck_assert(notices_have(&notices, "tracker.db was removed or replaced by somebody; another one is begun"));
	ck_assert(mxw__store_flush(store, WAIT_MS));
	ck_assert_uint_eq(notices_count(&notices), 1);
	CK_ASK("SELECT count(*) FROM \"group\"", "601");
	mxw__store_free(store);
	toy_free(toy);
}
END_TEST

/* The last that the daemon does before it ends. */
START_TEST(a_file_that_was_removed_is_written_anew_at_the_end)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();
	mxw__store_t *store = make(&env, toy);

	toy_set_many(toy, 0, 600);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	removals[_i]();
	toy_set_many(toy, 600, 601);
	mxw__store_free(store);
	CK_ASK("SELECT count(*) FROM \"group\"", "601");
	toy_free(toy);
}
END_TEST

START_TEST(what_has_the_place_of_a_removed_file_and_is_none_is_set_aside)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();
	mxw__store_t *store = make(&env, toy);
	char *bad = scratch_path(&scratch, "tracker.db.bad");

	toy_set_many(toy, 0, 600);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	ck_assert_int_eq(unlink(path), 0);
	scratch_replace(path, "This is no database, but a letter that somebody has put here.\n");
	toy_set_many(toy, 600, 601);
	for (int i = 0; i < 3 && !mxw__store_flush(store, WAIT_MS); i++)
		;
	CK_ASK("SELECT count(*) FROM \"group\"", "601");
	ck_assert_int_eq(access(bad, F_OK), 0);
	mxw__store_free(store);
	free(bad);
	toy_free(toy);
}
END_TEST

/* Without a word, what is not on the disk at the end would be missed only when it is needed. */
START_TEST(what_can_not_be_written_at_the_end_is_said)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();

	env.load_ms = 1;
	ck_assert_int_eq(mkdir(path, 0700), 0);
	mxw__store_t *store = make(&env, toy);
	toy_set_many(toy, 0, 600);
	ck_assert(!mxw__store_flush(store, WAIT_MS));
	ck_assert_uint_eq(notices_count(&notices), 1);
	mxw__store_free(store);
	ck_assert(notices_have(&notices, "what was not written before is lost"));
	toy_free(toy);
}
END_TEST

/* Soon after it was well again there is another word, and not after each time. */
START_TEST(of_a_disk_that_comes_and_goes_some_words_are_said)
{
	static const unsigned counts[] = {2, 3, 5}; /* one of them is that the file was removed */
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();

	env.load_ms = 1;
	ck_assert_int_eq(mkdir(path, 0700), 0);
	mxw__store_t *store = make(&env, toy);
	for (size_t i = 0; i < MXW_ARRAY_LEN(counts); i++) {
		toy_set_many(toy, 0, 10);
		/* What the first fails for may be that the file is gone, and that no other can be made is seen a moment later. */
		ck_assert(!mxw__store_flush(store, WAIT_MS));
		ck_assert(!mxw__store_flush(store, WAIT_MS));
		ck_assert_int_eq(rmdir(path), 0);
		ck_assert(mxw__store_flush(store, WAIT_MS));
		ck_assert_uint_eq(notices_count(&notices), counts[i]);
		remove_file();
		ck_assert_int_eq(mkdir(path, 0700), 0);
		fake_clock_advance(&fake, (int64_t)i * 6 * 60 * 1000);
	}
	mxw__store_free(store);
	toy_free(toy);
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

static void make_with_another_table(void)
{
	run_sql("CREATE TABLE \"group\" (x, text); PRAGMA user_version=1");
}

/* A good one, with its second half gone. */
static void make_broken(void)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();
	mxw__store_t *store = make(&env, toy);
	struct stat st;

	toy_set_many(toy, 0, 2500);
	mxw__store_free(store);
	toy_free(toy);
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
	{"with another table", make_with_another_table},
	{"cut short", make_broken},
};

START_TEST(a_damaged_file_is_set_aside)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();

	damages[_i].make();
	/* What is known already is written into the new one. */
	toy_set(toy, "known", 7, "");
	toy->entries[0].is_changed = false;
	mxw__store_t *store = make(&env, toy);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT a FROM \"group\" WHERE key = 'known'", "7");
	CK_ASK("PRAGMA integrity_check", "ok");
	char *bad = scratch_path(&scratch, "tracker.db.bad");
	ck_assert_msg(access(bad, F_OK) == 0, "%s", damages[_i].what);
	free(bad);
	ck_assert_uint_eq(notices_count(&notices), 1);
	ck_assert(notices_have(&notices, "set aside as tracker.db.bad"));
	mxw__store_free(store);
	toy_free(toy);
}
END_TEST

START_TEST(damage_while_it_runs_loses_nothing)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();
	mxw__store_t *store = make(&env, toy);

	toy_set_many(toy, 0, 500);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	run_sql("DROP TABLE \"group\"");
	toy_set_many(toy, 500, 501);
	if (!mxw__store_flush(store, WAIT_MS))
		ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT count(*) FROM \"group\"", "501");
	mxw__store_free(store);
	toy_free(toy);
}
END_TEST

START_TEST(a_full_disk_loses_nothing_but_time)
{
	struct mxw__store_env env = an_env();
	struct rlimit before, small;
	struct toy *toy = toy_new();

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 48 * 1024;
	mxw__store_t *store = make(&env, toy);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	toy_set_many(toy, 0, 2500);
	bool is_done = mxw__store_flush(store, WAIT_MS);
	ck_assert(!mxw__store_flush(store, WAIT_MS));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert(!is_done);
	/* Some of it may have been written; it is over when all is, which may be by now. */
	ck_assert_uint_eq(notices_count_of(&notices, "can't be written"), 1);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	ck_assert_uint_eq(notices_count_of(&notices, "is written again"), 1);
	ck_assert_uint_eq(notices_count(&notices), 2);
	CK_ASK("SELECT count(*) FROM \"group\"", "2500");
	CK_ASK("PRAGMA integrity_check", "ok");
	mxw__store_free(store);
	toy_free(toy);
}
END_TEST

/* While it could not be written somebody removed it, to make room. */
START_TEST(a_file_that_is_removed_while_it_is_closed_is_written_anew)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct mxw__store_env env = an_env();
	struct rlimit before, small;
	struct toy *toy = toy_new();

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 4096;
	/* Only a flush tries again. */
	env.retry_ms = HOUR_MS;
	mxw__store_t *store = make(&env, toy);
	toy_set(toy, "old", 1, "x");
	ck_assert(mxw__store_flush(store, WAIT_MS));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	toy_set(toy, "new", 1, "x");
	bool is_done = mxw__store_flush(store, WAIT_MS);
	for (size_t i = 0; i < MXW_ARRAY_LEN(suffixes); i++) {
		char name[PATH_MAX];
		snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		unlink(name);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert(!is_done);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT group_concat(key) FROM \"group\"", "new,old");
	mxw__store_free(store);
	toy_free(toy);
}
END_TEST

/* What anybody may have written there is read without harm. */
START_TEST(strange_rows_are_survived)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new(), *next = toy_new();
	mxw__store_t *store = make(&env, toy);

	toy_set(toy, "good", 1, "t");
	mxw__store_free(store);
	run_sql("INSERT INTO \"group\" (key, expires, a, text) VALUES"
		"('',9e15,1,''), (x'00ff',9e15,1,''), ('nul'||char(0)||'x',9e15,1,''), ('inf',9e15,9e999,'a'||char(10)||'b'),"
		"('neg',9e15,-9e999,''), ('number',9e15,'no number',''), (CAST(zeroblob(4000) AS TEXT),9e15,1,''),"
		"(replace(hex(zeroblob(200)),'0','k'),9e15,1,''), ('b l\xc3\xa4nk',9e15,1,''), ('old',-5,1,''),"
		"('far',9223372036854775807,1e300,hex(zeroblob(500)))");
	store = make(&env, next);
	for (size_t i = 0; i < next->n; i++) {
		ck_assert(next->entries[i].a >= 0 && next->entries[i].a <= 9007199254740992.0);
		ck_assert(strcmp(next->entries[i].key, "old") != 0);
	}
	ck_assert_str_eq(next->entries[0].key, "b?l??nk");
	ck_assert_uint_eq(next->n, 7);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	mxw__store_free(store);
	ck_assert_uint_eq(notices_count(&notices), 0);
	toy_free(toy);
	toy_free(next);
}
END_TEST

START_TEST(a_sort_may_get_another_field)
{
	struct mxw__store_env env = an_env();
	struct mxw__state_sort former = toy_sort;
	struct toy *toy = toy_new(), *next = toy_new(), *third = toy_new();

	former.nfields = 1;
	former.has_text = false;
	mxw__store_t *store = make_with(&env, &former, toy);
	toy_set(toy, "k", 5, "");
	mxw__store_free(store);
	store = make(&env, next);
	ck_assert_uint_eq(next->n, 1);
	ck_assert_double_eq(next->entries[0].a, 5);
	ck_assert_double_eq(next->entries[0].b, 0);
	toy_set(next, "new", 6, "text");
	mxw__store_free(store);
	CK_ASK("SELECT a, \"order\", text FROM \"group\" WHERE key = 'new'", "6|0|text");
	/* An older program leaves alone what it does not know. */
	store = make_with(&env, &former, third);
	ck_assert_uint_eq(third->n, 2);
	toy_set(third, "k", 9, "");
	mxw__store_free(store);
	CK_ASK("SELECT a FROM \"group\" WHERE key = 'k'", "9");
	CK_ASK("SELECT text FROM \"group\" WHERE key = 'new'", "text");
	ck_assert_uint_eq(notices_count(&notices), 0);
	toy_free(toy);
	toy_free(next);
	toy_free(third);
}
END_TEST

START_TEST(two_processes_may_share_it)
{
	struct mxw__store_env env = an_env();
	struct toy *one_toy = toy_new(), *other_toy = toy_new();
	mxw__store_t *one = make(&env, one_toy), *other = make(&env, other_toy);

	for (int i = 0; i < 5; i++) {
		toy_set_many(one_toy, 100 * i, 100 * (i + 1));
		toy_set_many(other_toy, 1000 + 100 * i, 1000 + 100 * (i + 1));
		mxw__store_configure(one, HOUR_MS + i, 100000);
		ck_assert(mxw__store_flush(one, WAIT_MS));
		ck_assert(mxw__store_flush(other, WAIT_MS));
	}
	CK_ASK("SELECT count(*) FROM \"group\"", "1000");
	mxw__store_free(one);
	toy_set_many(other_toy, 2000, 2001);
	mxw__store_free(other);
	CK_ASK("SELECT count(*) FROM \"group\"", "1001");
	ck_assert_uint_eq(notices_count(&notices), 0);
	toy_free(one_toy);
	toy_free(other_toy);
}
END_TEST

/* Somebody holds the lock for ever: the end waits for it, then for the writer to let it be, and neither for ever. */
START_TEST(the_end_is_bounded_in_time)
{
	enum { STOP_MS = 1500 };
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();
	sqlite3 *db;

	env.stop_ms = STOP_MS;
	mxw__store_t *store = make(&env, toy);
	toy_set(toy, "k", 1, "");
	ck_assert(mxw__store_flush(store, WAIT_MS));
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	toy_set(toy, "l", 1, "");
	int64_t began_ms = mxw__now_ms(mxw_clock_system());
	mxw__store_free(store);
	ck_assert_int_lt(mxw__now_ms(mxw_clock_system()) - began_ms, 2 * STOP_MS);
	/* Asked while the lock is held: a writer that was late, and left there, can't write it now. */
	CK_ASK("SELECT count(*) FROM \"group\"", "1");
	sqlite3_close(db);
	toy_free(toy);
}
END_TEST

/* ---- a process that is killed ---- */

/*
 * What the machine adds to the interval: a thread that sleeps as long as the store, and writes as little, says how much longer it took at
 * most, and for how long it is overdue now.
 */
struct measure {
	_Atomic int64_t began_ms, late_ms;
};

enum { INTERVAL_MS = 200 };

static void *measure_main(void *arg)
{
	struct measure *measure = arg;
	char *name = scratch_path(&scratch, "measure");
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	for (;;) {
		char page[4096] = {0};
		atomic_store(&measure->began_ms, mxw__now_ms(mxw_clock_system()));
		usleep(INTERVAL_MS * 1000);
		if (pwrite(fd, page, sizeof page, 0) != sizeof page || fsync(fd) != 0)
			_exit(1);
		int64_t late_ms = mxw__now_ms(mxw_clock_system()) - atomic_load(&measure->began_ms) - INTERVAL_MS;
		if (late_ms > atomic_load(&measure->late_ms))
			atomic_store(&measure->late_ms, late_ms);
	}
	return NULL;
}

static int64_t measured_ms(struct measure *measure, int64_t now_ms)
{
	int64_t overdue_ms = now_ms - atomic_load(&measure->began_ms) - INTERVAL_MS, late_ms = atomic_load(&measure->late_ms);

	return overdue_ms > late_ms ? overdue_ms : late_ms;
}

struct stamp {
	int64_t at_ms, late_ms;
};

/* The child writes one key after another, each 10 ms, and says when; it is saved every 200 ms. */
static void write_until_killed(int fd)
{
	static struct measure measure;
	pthread_t thread;
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();

	env.interval_ms = INTERVAL_MS;
	env.clock = mxw_clock_system();
	make(&env, toy);
	atomic_store(&measure.began_ms, mxw__now_ms(mxw_clock_system()));
	if (pthread_create(&thread, NULL, measure_main, &measure) != 0)
		_exit(1);
	for (int i = 0; i < TOYS - 1; i++) {
		toy_set_many(toy, i, i + 1);
		struct stamp stamp = {.at_ms = mxw__now_ms(mxw_clock_system())};
		stamp.late_ms = measured_ms(&measure, stamp.at_ms);
		if (write(fd, &stamp, sizeof stamp) != sizeof stamp)
			break;
		usleep(10000);
	}
	_exit(0);
}

/* How long ago that was told which is not there, but for what the machine added; whatever was told longer ago than that is there. */
static int64_t lost_ms(void)
{
	struct mxw__store_env env = an_env();
	struct toy *toy = toy_new();
	struct stamp stamps[TOYS];
	int pipe_fds[2], n = 0;

	ck_assert_int_eq(pipe(pipe_fds), 0);
	pid_t child = fork();
	if (child == 0)
		write_until_killed(pipe_fds[1]);
	close(pipe_fds[1]);
	for (; n < TOYS && read(pipe_fds[0], &stamps[n], sizeof stamps[n]) == sizeof stamps[n]; n++)
		if (n == 99)
			kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipe_fds[0]);
	ck_assert_int_ge(n, 100);
	mxw__store_t *store = make(&env, toy);
	size_t kept = toy->n;
	mxw__store_free(store);
	ck_assert_uint_eq(notices_count(&notices), 0);
	toy_free(toy);
	unlink(path);
	return kept < (size_t)n ? stamps[n - 1].at_ms - stamps[kept].at_ms - stamps[n - 1].late_ms : 0;
}

/* 200 ms, and as much time again to write it; the disk may take more now and then without the measure's being late as well, but not each time. */
START_TEST(a_kill_loses_no_more_than_the_interval)
{
	int64_t lost = INT64_MAX;

	for (int i = 0; i < 5 && lost > 600; i++)
		lost = lost_ms();
	ck_assert_int_le(lost, 600);
}
END_TEST

/* ---- the real table ---- */

static mxw__table_t *make_table(void)
{
	struct mxw__table_options options = {.max_entries = 5000, .half_life_ms = HOUR_MS, .history_half_life_ms = 14 * (uint64_t)DAY_MS,
					     .credit = 50, .clock = &fake.clock};
	mxw__table_t *table;

	ck_assert_int_eq(mxw__table_new(&options, &table), MXW_OK);
	return table;
}

static double score_of(mxw__table_t *table, const char *text)
{
	struct mxw__key key;

	ck_assert(mxw__key_parse(text, &key));
	return mxw__table_score(table, &key, mxw__now_ms(&fake.clock));
}

/* How far the wall clock is moved while nobody is there, and what is left of a score of 80 at a half-life of one hour. */
static const struct {
	int64_t gone_ms;
	double score;
} pauses[] = {
	{0, 80}, {HOUR_MS, 40}, {2 * HOUR_MS, 20}, {-5 * DAY_MS, 80}, {100 * DAY_MS, 0},
};

START_TEST(scores_come_back_decayed)
{
	struct mxw__store_env env = an_env();
	mxw__table_t *table = make_table();
	struct mxw__standing standing;
	struct mxw__key key;
	mxw__store_t *store = make_with(&env, &mxw__table_sort, table);

	ck_assert(mxw__key_parse("2001:db8:1:2::/64", &key));
	mxw__table_add(table, &key, MXW__EVENT_UNKNOWN_RCPT, 8, 80, mxw__now_ms(&fake.clock));
	mxw__table_add_good(table, &key, 3, mxw__now_ms(&fake.clock));
	mxw__store_free(store);
	mxw__table_free(table);
	CK_ASK("SELECT key, score, good, n_unknown_recipient FROM score", "2001:db8:1:2::/64|80|3|8");
	atomic_fetch_add(&fake.wall_ms, pauses[_i].gone_ms);
	table = make_table();
	store = make_with(&env, &mxw__table_sort, table);
	ck_assert_double_eq_tol(score_of(table, "2001:db8:1:2::/64"), pauses[_i].score, 0.01);
	mxw__table_get(table, &key, mxw__now_ms(&fake.clock), &standing);
	ck_assert_double_eq_tol(standing.counts[MXW__EVENT_UNKNOWN_RCPT], pauses[_i].score / 10, 0.01);
	mxw__store_free(store);
	mxw__table_free(table);
}
END_TEST

/* The file is there only since it was written for the first time. */
START_TEST(what_was_written_is_not_read_back)
{
	struct mxw__store_env env = an_env();
	struct mxw__store_stats stats;
	mxw__table_t *table = make_table();
	struct mxw__key key;
	mxw__store_t *store = make_with(&env, &mxw__table_sort, table);

	ck_assert(mxw__key_parse("192.0.2.1", &key));
	mxw__table_add(table, &key, MXW__EVENT_SPAM, 1, 20, mxw__now_ms(&fake.clock));
	for (int i = 0; i < 3; i++) {
		ck_assert(mxw__store_flush(store, WAIT_MS));
		ck_assert_double_eq_tol(score_of(table, "192.0.2.1"), 20, 0.01);
	}
	mxw__store_get_stats(store, &stats);
	ck_assert_uint_eq(stats.loaded, 0);
	mxw__store_free(store);
	mxw__table_free(table);
}
END_TEST

/* ---- the engine ---- */

static mxw_engine_t *make_engine(mxw_conf_t *conf)
{
	struct mxw_engine_options options = {.size = sizeof options, .clock = &fake.clock, .state_dir = scratch.dir};
	mxw_engine_t *engine;
	struct mxw_error err = {0};

	ck_assert_msg(mxw_engine_new(conf, &options, &engine, &err) == MXW_OK, "%s", err.text);
	return engine;
}

START_TEST(an_engine_remembers_what_its_predecessor_knew)
{
	mxw_conf_t *conf = NULL;
	struct mxw__key key;

	ck_assert_int_eq(mxw_conf_load_text("test.conf", "", NULL, NULL, &conf), MXW_OK);
	mxw_engine_t *engine = make_engine(conf);
	ck_assert(mxw__key_parse("192.0.2.1", &key));
	mxw__table_add(engine->table, &key, MXW__EVENT_SPAM, 1, 15, mxw__now_ms(&fake.clock));
	/* An engine does not wait long for a busy disk: at its end there is little left to write, and at the beginning it is not waited for. */
	ck_assert(mxw__store_flush(engine->store, WAIT_MS));
	mxw__table_add(engine->table, &key, MXW__EVENT_SPAM, 1, 5, mxw__now_ms(&fake.clock));
	mxw_engine_free(engine);
	engine = make_engine(conf);
	ck_assert(mxw__store_flush(engine->store, WAIT_MS));
	ck_assert_double_eq_tol(score_of(engine->table, "192.0.2.1"), 20, 0.01);
	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	mxw_engine_free(engine);
	mxw_conf_unref(conf);
}
END_TEST

static bool is_name(const char *name)
{
	return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0';
}

/* They stand in SQL as they are. */
START_TEST(the_names_of_all_sorts_may_be_those_of_tables_and_columns)
{
	static const char *const taken[] = {"key", "at", "expires", "half_life", "generation", "text"};
	struct mxw__state states[MXW__STATE_SORTS_MAX];
	mxw_conf_t *conf = NULL;

	ck_assert_int_eq(mxw_conf_load_text("test.conf", "", NULL, NULL, &conf), MXW_OK);
	mxw_engine_t *engine = make_engine(conf);
	size_t n = mxw__parts_states(engine, states);
	ck_assert_uint_gt(n, 0);
	for (size_t i = 0; i < n; i++) {
		const struct mxw__state_sort *sort = states[i].sort;
		ck_assert_msg(is_name(sort->name), "%s", sort->name);
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(sort->name, states[k].sort->name);
		ck_assert_uint_le(sort->nfields, MXW__STATE_FIELDS_MAX);
		for (size_t f = 0; f < sort->nfields; f++) {
			ck_assert_msg(is_name(sort->fields[f].name), "%s.%s", sort->name, sort->fields[f].name);
			for (size_t k = 0; k < f; k++)
				ck_assert_str_ne(sort->fields[f].name, sort->fields[k].name);
			for (size_t k = 0; k < MXW_ARRAY_LEN(taken); k++)
				ck_assert_msg(strcmp(sort->fields[f].name, taken[k]) != 0, "%s.%s", sort->name, taken[k]);
		}
	}
	mxw_engine_free(engine);
	mxw_conf_unref(conf);
}
END_TEST

/* ---- threads ---- */

struct worker {
	struct toy *toy;
	int from;
};

static void *set_many(void *arg)
{
	const struct worker *worker = arg;

	toy_set_many(worker->toy, worker->from, worker->from + 500);
	return NULL;
}

START_TEST(changes_while_it_writes_are_written_too)
{
	enum { THREADS = 4 };
	struct mxw__store_env env = an_env();
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	struct toy *toy = toy_new();

	env.interval_ms = 1;
	mxw__store_t *store = make(&env, toy);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){toy, i * 500};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, set_many, &workers[i]), 0);
	}
	for (unsigned i = 0; i < 20; i++)
		mxw__store_configure(store, 1 + i % 3, 100000);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert(mxw__store_flush(store, WAIT_MS));
	CK_ASK("SELECT count(*) FROM \"group\"", "2000");
	mxw__store_free(store);
	toy_free(toy);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_record_comes_back_as_it_was);
	tcase_add_test(tc, a_file_that_comes_after_the_start_is_read);
	tcase_add_test(tc, what_has_changed_is_written_at_the_end);
	tcase_add_test(tc, what_was_removed_goes_from_the_file);
	tcase_add_loop_test(tc, nothing_is_kept_without_a_place_for_it, 0, 2);
	tcase_add_test(tc, it_is_written_every_so_often);
	tcase_add_test(tc, what_has_expired_goes);
	tcase_add_test(tc, rows_are_bounded);
	tcase_add_test(tc, what_could_not_be_written_is_tried_again);
	tcase_add_test(tc, what_can_not_be_written_at_the_end_is_said);
	tcase_add_test(tc, of_a_disk_that_comes_and_goes_some_words_are_said);
	tcase_add_loop_test(tc, a_file_that_somebody_has_removed_is_written_anew, 0, MXW_ARRAY_LEN(removals));
	tcase_add_loop_test(tc, a_file_that_was_removed_is_written_anew_at_the_end, 0, MXW_ARRAY_LEN(removals));
	tcase_add_test(tc, what_has_the_place_of_a_removed_file_and_is_none_is_set_aside);
	tcase_add_loop_test(tc, a_damaged_file_is_set_aside, 0, MXW_ARRAY_LEN(damages));
	tcase_add_test(tc, damage_while_it_runs_loses_nothing);
	tcase_add_test(tc, a_full_disk_loses_nothing_but_time);
	tcase_add_test(tc, a_file_that_is_removed_while_it_is_closed_is_written_anew);
	tcase_add_test(tc, strange_rows_are_survived);
	tcase_add_test(tc, a_sort_may_get_another_field);
	tcase_add_test(tc, two_processes_may_share_it);
	tcase_add_test(tc, the_end_is_bounded_in_time);
	tcase_add_test(tc, a_kill_loses_no_more_than_the_interval);
	tcase_add_loop_test(tc, scores_come_back_decayed, 0, MXW_ARRAY_LEN(pauses));
	tcase_add_test(tc, what_was_written_is_not_read_back);
	tcase_add_test(tc, an_engine_remembers_what_its_predecessor_knew);
	tcase_add_test(tc, the_names_of_all_sorts_may_be_those_of_tables_and_columns);
	tcase_add_test(tc, changes_while_it_writes_are_written_too);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
