/* SPDX-License-Identifier: BSD-2-Clause */
/* Directory type "sqlite" on real databases: what is found, what runs, and what is not waited for. */
#include "config.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/directory/source.h"
#include "src/sql/sql.h"
#include "t/fakes/notices.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

/* Much longer than anything here takes, much shorter than a test's time limit. */
enum { PATIENCE_MS = 20000, SHORT_MS = 300 };

static struct scratch scratch;
static struct notices notices;
static char *path;
static void *source;
static struct mxw__directory_conf conf;

static const char schema[] =
	"CREATE TABLE mailboxes (address TEXT PRIMARY KEY, class TEXT, size INTEGER);"
	"INSERT INTO mailboxes VALUES ('anna@example.net', 'staff', 1), ('john smith@example.net', NULL, 2),"
	" ('j\xc3\xb6rg@example.net', 'J\xc3\xb6rg', 3), ('number@example.net', 7, 4), ('none@example.net', '', 5),"
	" ('long@example.net', '12345678901234567890123456789012', 6),"
	" ('exact@example.net', '1234567890123456789012345678901', 7), ('line@example.net', 'a' || char(10) || 'b', 8),"
	" ('''@example.net', 'quote', 9);"
	"CREATE TABLE domains (name TEXT PRIMARY KEY);"
	"INSERT INTO domains VALUES ('catchall.example');";

static void run_sql(const char *file, const char *sql)
{
	sqlite3 *db;
	char *text = NULL;

	ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
	int code = sqlite3_exec(db, sql, NULL, NULL, &text);
	ck_assert_msg(code == SQLITE_OK, "%s", text);
	sqlite3_close(db);
}

static void set_up(void)
{
	scratch_init(&scratch);
	notices_init(&notices);
	path = scratch_path(&scratch, "mail.sqlite");
	run_sql(path, schema);
	source = NULL;
	conf = (struct mxw__directory_conf){.name = "staff", .type = MXW__DIRECTORY_SQLITE, .database = path,
		.query = "SELECT class FROM mailboxes WHERE address = :addr", .class_column = true, .connections = 2,
		.timeout_ms = PATIENCE_MS};
}

static void close_source(void)
{
	if (source)
		mxw__directory_sqlite.close(source);
	source = NULL;
}

static void tear_down(void)
{
	close_source();
	free(path);
	notices_fini(&notices);
	scratch_fini(&scratch);
}

static void open_source(void)
{
	struct mxw__directory_env env = {
		.conf = &conf, .clock = mxw_clock_system(), .notice = notices_take, .notice_ctx = &notices};
	struct mxw_error err;

	ck_assert_int_eq(mxw__directory_sqlite.open(&env, &source, &err), MXW_OK);
}

static struct mxw__rcpt_result ask_within(const char *text, int64_t ms)
{
	char store[2000];

	snprintf(store, sizeof store, "%s", text);
	char *at = strrchr(store, '@');
	if (at)
		*at = '\0';
	struct mxw__address a = {.text = text, .local = store, .domain = at ? at + 1 : ""};
	struct mxw__rcpt_query query = {.address = &a, .deadline_ms = mxw__now_ms(mxw_clock_system()) + ms};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
	mxw__directory_sqlite.lookup(source, &query, &result);
	return result;
}

static mxw_outcome_t ask(const char *text)
{
	return ask_within(text, PATIENCE_MS).outcome;
}

/* ---- answers ---- */

static const struct {
	const char *who;
	mxw_outcome_t outcome;
	const char *class;
} rows[] = {
	{"anna@example.net", MXW_FOUND, "staff"},
	{"john smith@example.net", MXW_FOUND, ""},
	{"j\xc3\xb6rg@example.net", MXW_FOUND, ""},
	{"number@example.net", MXW_FOUND, "7"},
	{"none@example.net", MXW_FOUND, ""},
	{"long@example.net", MXW_FOUND, ""},
	{"exact@example.net", MXW_FOUND, "1234567890123456789012345678901"},
	{"line@example.net", MXW_FOUND, ""},
	{"'@example.net", MXW_FOUND, "quote"},
	{"nobody@example.net", MXW_NOT_FOUND, ""},
	{"anna@example.org", MXW_NOT_FOUND, ""},
	{"anna", MXW_NOT_FOUND, ""},
	{"", MXW_NOT_FOUND, ""},
	{"' OR 1=1 --@example.net", MXW_NOT_FOUND, ""},
	{"x' OR '1'='1@example.net", MXW_NOT_FOUND, ""},
	{"%@example.net", MXW_NOT_FOUND, ""},
	{"_nna@example.net", MXW_NOT_FOUND, ""},
	{"'; DROP TABLE mailboxes; --@example.net", MXW_NOT_FOUND, ""},
	{":addr", MXW_NOT_FOUND, ""},
	{"\" OR 1=1 --@example.net", MXW_NOT_FOUND, ""},
};

START_TEST(a_row_is_a_recipient_and_its_first_column_may_be_the_class)
{
	open_source();
	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		struct mxw__rcpt_result r = ask_within(rows[i].who, PATIENCE_MS);
		ck_assert_msg(r.outcome == rows[i].outcome, "%s: %s %s", rows[i].who, mxw_outcome_name(r.outcome), r.reason);
		ck_assert_msg(strcmp(r.settings.class, rows[i].class) == 0, "%s: '%s'", rows[i].who, r.settings.class);
		ck_assert_int_eq(r.settings.is_disabled || r.settings.is_internal_only || r.is_unverifiable, 0);
	}
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
	/* What can't be a class is told once. */
	ck_assert_uint_eq(notices_count(&notices), 1);
	ck_assert(notices_have(&notices, "warning: directory staff: the first column"));
}
END_TEST

START_TEST(without_class_column_the_value_is_not_looked_at)
{
	conf.class_column = false;
	open_source();
	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++)
		ck_assert_str_eq(ask_within(rows[i].who, PATIENCE_MS).settings.class, "");
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

static const struct {
	const char *query;
	const char *who;
	mxw_outcome_t outcome;
} queries[] = {
	{"SELECT 1 FROM mailboxes WHERE address = :user || '@' || :domain;", "anna@example.net", MXW_FOUND},
	{"SELECT 1 FROM mailboxes WHERE address = :user || '@' || :domain", "anna@example.org", MXW_NOT_FOUND},
	{"SELECT 1 FROM domains WHERE name = :domain", "any@catchall.example", MXW_FOUND},
	{"SELECT 1 FROM mailboxes WHERE address = :addr UNION SELECT 1 FROM domains WHERE name = :domain", "x@catchall.example",
	 MXW_FOUND},
	{"-- ours\nSELECT NULL FROM mailboxes WHERE address = :addr /* one */ ; -- end", "anna@example.net", MXW_FOUND},
	{"WITH RECURSIVE up(d) AS (SELECT :domain UNION SELECT substr(d, instr(d, '.') + 1) FROM up WHERE d LIKE '%.%') "
	 "SELECT 1 FROM domains, up WHERE name = d", "x@a.b.catchall.example", MXW_FOUND},
	{"SELECT 1 FROM mailboxes WHERE address = :addr COLLATE NOCASE", "ANNA@Example.NET", MXW_FOUND},
	{"SELECT 1 FROM mailboxes WHERE address = :addr ORDER BY size LIMIT 1", "anna@example.net", MXW_FOUND},
};

START_TEST(queries_of_many_kinds_are_answered)
{
	conf.query = queries[_i].query;
	open_source();
	const char *at;
	ck_assert_ptr_null(mxw__sql_query_fault(conf.query, &at));
	struct mxw__rcpt_result r = ask_within(queries[_i].who, PATIENCE_MS);
	ck_assert_msg(r.outcome == queries[_i].outcome, "%s: %s", r.reason, conf.query);
}
END_TEST

/* Even if the check of the text were passed. */
static const char *const harmful[] = {
	"DELETE FROM mailboxes WHERE address = :addr",
	"WITH x(a) AS (SELECT :addr) INSERT INTO domains SELECT a FROM x",
	"UPDATE mailboxes SET size = 0 WHERE address <> :addr RETURNING 1",
	"INSERT INTO domains VALUES (:addr) RETURNING name",
	"DROP TABLE domains",
	"ATTACH DATABASE :addr AS other",
	"PRAGMA journal_mode = WAL",
	"SELECT 1 FROM pragma_table_info('domains') WHERE name = :addr",
	"SELECT load_extension(:addr)",
	"SELECT 1 FROM domains; DELETE FROM domains",
	"EXPLAIN SELECT 1 FROM domains WHERE name = :addr",
	"SELECT 1 FROM domains WHERE name = ?1",
	"SELECT 1 FROM domains WHERE name = :other",
	"SELECT 1 FROM domains",
	"SELECT 1 FROM nowhere WHERE name = :addr",
	"SELECT nothing FROM domains WHERE name = :addr",
	"SELECT \"nothing\" FROM domains WHERE name = :addr",
	"SELECT FROM WHERE :addr",
	"SELECT no_such_function(:addr)",
	"",
};

START_TEST(nothing_but_a_select_with_these_parameters_runs)
{
	struct stat before, after;

	ck_assert_int_eq(stat(path, &before), 0);
	conf.query = harmful[_i];
	open_source();
	struct mxw__rcpt_result r = ask_within("anna@example.net", PATIENCE_MS);
	ck_assert_msg(r.outcome == MXW_MISCONFIGURED, "%s: %s: %s", conf.query, mxw_outcome_name(r.outcome), r.reason);
	ck_assert_str_ne(r.reason, "");
	ck_assert(notices_have(&notices, r.reason));
	close_source();
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	conf.query = "SELECT count(*) FROM mailboxes, domains HAVING count(*) = 9 AND :addr IS NOT NULL";
	open_source();
	ck_assert_int_eq(ask("x"), MXW_FOUND);
}
END_TEST

/* ---- queries as texts ---- */

static const struct {
	const char *query;
	const char *fault; /* part of it; NULL: none */
} texts[] = {
	{"SELECT 1 FROM t WHERE a = :addr", NULL},
	{"select 1 where :user=:domain", NULL},
	{"SELECT a$b, [c:d], `?`, 'x''?', \"y\"\"?\" FROM t WHERE a = :addr", NULL},
	{"SELECT 1 - -1 / 2 -- ?\n, :addr", NULL},
	{"SELECT :addr;", NULL},
	{"SELECT :addr; -- that is all", NULL},
	{"SELECT 1", "the same for every recipient"},
	{"SELECT ':addr'", "the same for every recipient"},
	{"SELECT 1 -- :addr", "the same for every recipient"},
	{"SELECTS :addr", "does not begin with SELECT"},
	{"VALUES (:addr)", "does not begin with SELECT"},
	{"", "does not begin with SELECT"},
	{"SELECT :addr; SELECT 1", "follows the query"},
	{"SELECT :addr, ?", "is no parameter"},
	{"SELECT :addr, @user", "is no parameter"},
	{"SELECT :addr, $user", "is no parameter"},
	{"SELECT :addr, #1", "is no parameter"},
	{"SELECT :addrs", "is no parameter"},
	{"SELECT :addr::x", "is no parameter"},
	{"SELECT :ADDR", "is no parameter"},
	{"SELECT :addr, 'open", "has no end"},
	{"SELECT :addr /* open", "has no end"},
	{"SELECT :addr, [open", "has no end"},
};

START_TEST(a_query_is_checked_without_its_database)
{
	const char *at = NULL;
	const char *fault = mxw__sql_query_fault(texts[_i].query, &at);

	if (texts[_i].fault)
		ck_assert_msg(fault && strstr(fault, texts[_i].fault), "%s: %s", texts[_i].query, fault ? fault : "none");
	else
		ck_assert_msg(!fault, "%s: %s at %s", texts[_i].query, fault, at);
	ck_assert_ptr_nonnull(at);
}
END_TEST

/* ---- what does not answer ---- */

static int64_t since(int64_t start)
{
	return mxw__now_ms(mxw_clock_system()) - start;
}

START_TEST(a_writer_who_holds_the_lock_is_waited_for_until_the_deadline)
{
	sqlite3 *writer;

	open_source();
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
	ck_assert_int_eq(sqlite3_open(path, &writer), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(writer, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	int64_t start = mxw__now_ms(mxw_clock_system());
	struct mxw__rcpt_result r = ask_within("anna@example.net", SHORT_MS);
	int64_t took = since(start);
	ck_assert_int_eq(r.outcome, MXW_TEMPORARY);
	ck_assert_int_ge(took, SHORT_MS - 100);
	ck_assert_int_lt(took, PATIENCE_MS / 2);
	ck_assert_int_eq(ask_within("nobody@example.net", SHORT_MS).outcome, MXW_TEMPORARY);
	ck_assert(notices_have(&notices, "error: directory staff: the database "));
	ck_assert_int_eq(sqlite3_exec(writer, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
	ck_assert_int_eq(ask("nobody@example.net"), MXW_NOT_FOUND);
	ck_assert(notices_have(&notices, "the database answers again"));
	ck_assert_uint_eq(notices_count(&notices), 2);
	sqlite3_close(writer);
}
END_TEST

static void *let_go(void *writer)
{
	struct timespec pause = {0, 200 * 1000000L};

	nanosleep(&pause, NULL);
	sqlite3_exec(writer, "COMMIT", NULL, NULL, NULL);
	return NULL;
}

START_TEST(a_lock_that_is_let_go_in_time_costs_only_time)
{
	sqlite3 *writer;
	pthread_t thread;

	open_source();
	ck_assert_int_eq(sqlite3_open(path, &writer), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(writer, "BEGIN EXCLUSIVE; INSERT INTO mailboxes VALUES ('new@example.net', 'n', 1)", NULL,
				      NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(pthread_create(&thread, NULL, let_go, writer), 0);
	ck_assert_int_eq(ask("new@example.net"), MXW_FOUND);
	pthread_join(thread, NULL);
	sqlite3_close(writer);
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

/* Nobody is kept from writing by connections that wait for questions. */
START_TEST(a_writer_is_not_kept_waiting)
{
	open_source();
	for (int i = 0; i < 20; i++) {
		char sql[100];
		ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
		snprintf(sql, sizeof sql, "INSERT INTO mailboxes VALUES ('w%d@example.net', 'n', 1)", i);
		run_sql(path, sql);
		snprintf(sql, sizeof sql, "w%d@example.net", i);
		ck_assert_int_eq(ask(sql), MXW_FOUND);
	}
}
END_TEST

static const char endless[] =
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE :addr <> 'anna@example.net' AND "
	"i < 0 UNION ALL SELECT 1 WHERE :user = 'anna'";

START_TEST(a_query_without_end_is_ended_at_the_deadline)
{
	conf.query = endless;
	conf.connections = 1;
	open_source();
	int64_t start = mxw__now_ms(mxw_clock_system());
	struct mxw__rcpt_result r = ask_within("nobody@example.net", SHORT_MS);
	ck_assert_int_eq(r.outcome, MXW_TEMPORARY);
	ck_assert_int_lt(since(start), PATIENCE_MS / 2);
	/* The one thread is free again: it is not the deadline that answers. */
	conf.timeout_ms = SHORT_MS;
	start = mxw__now_ms(mxw_clock_system());
	r = ask_within("other@example.net", SHORT_MS);
	ck_assert_int_eq(r.outcome, MXW_TEMPORARY);
	close_source();
	ck_assert_int_lt(since(start), PATIENCE_MS / 2);
}
END_TEST

START_TEST(the_timeout_of_the_directory_holds_where_the_session_would_wait)
{
	conf.query = endless;
	conf.timeout_ms = SHORT_MS;
	open_source();
	int64_t start = mxw__now_ms(mxw_clock_system());
	ck_assert_int_eq(ask("nobody@example.net"), MXW_TEMPORARY);
	ck_assert_int_lt(since(start), PATIENCE_MS / 2);
}
END_TEST

START_TEST(a_deadline_that_has_passed_is_not_waited_for)
{
	open_source();
	struct mxw__rcpt_result r = ask_within("nobody@example.net", -5000);
	ck_assert_int_eq(r.outcome, MXW_TEMPORARY);
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
}
END_TEST

/* ---- files ---- */

START_TEST(a_database_that_was_replaced_is_opened_again)
{
	char *beside = scratch_path(&scratch, "new.sqlite");

	open_source();
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
	run_sql(beside, "CREATE TABLE mailboxes (address, class); INSERT INTO mailboxes VALUES ('berta@example.net', 'b')");
	ck_assert_int_eq(rename(beside, path), 0);
	ck_assert_int_eq(ask("berta@example.net"), MXW_FOUND);
	ck_assert_int_eq(ask("anna@example.net"), MXW_NOT_FOUND);
	free(beside);
}
END_TEST

START_TEST(a_database_that_is_missing_makes_nobody_unknown)
{
	char *aside = scratch_path(&scratch, "aside.sqlite");

	open_source();
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
	ck_assert_int_eq(rename(path, aside), 0);
	struct mxw__rcpt_result r = ask_within("nobody@example.net", PATIENCE_MS);
	ck_assert_int_eq(r.outcome, MXW_TEMPORARY);
	ck_assert_str_eq(r.reason, "No such file or directory");
	ck_assert_int_eq(ask("anna@example.net"), MXW_TEMPORARY);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(rename(aside, path), 0);
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
	ck_assert_uint_eq(notices_count(&notices), 2);
	free(aside);
}
END_TEST

/* Octets 100 and on are the first page of the schema; the ones before say what the file is. */
static void spoil(size_t from, size_t n)
{
	FILE *f = fopen(path, "r+b");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fseek(f, (long)from, SEEK_SET), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_ne(fputc(0xa5, f), EOF);
	fclose(f);
}

START_TEST(a_damaged_database_makes_nobody_unknown)
{
	spoil(100, 4000);
	open_source();
	struct mxw__rcpt_result r = ask_within("nobody@example.net", PATIENCE_MS);
	ck_assert_msg(r.outcome == MXW_TEMPORARY || r.outcome == MXW_MISCONFIGURED, "%s", r.reason);
	ck_assert(strstr(r.reason, "malformed"));
	spoil(0, 100);
	ck_assert_int_eq(ask("anna@example.net"), MXW_MISCONFIGURED);
	ck_assert_int_eq(unlink(path), 0);
	run_sql(path, schema);
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
}
END_TEST

START_TEST(a_table_that_is_dropped_is_a_misconfiguration_until_it_is_back)
{
	open_source();
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
	run_sql(path, "ALTER TABLE mailboxes RENAME TO other");
	ck_assert_int_eq(ask("anna@example.net"), MXW_MISCONFIGURED);
	struct mxw__rcpt_result r = ask_within("nobody@example.net", PATIENCE_MS);
	ck_assert_int_eq(r.outcome, MXW_MISCONFIGURED);
	run_sql(path, "ALTER TABLE other RENAME TO mailboxes");
	ck_assert_int_eq(ask("anna@example.net"), MXW_FOUND);
	ck_assert_int_eq(ask("nobody@example.net"), MXW_NOT_FOUND);
}
END_TEST

START_TEST(a_fifo_in_place_of_the_database_does_not_block)
{
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	open_source();
	ck_assert_int_eq(ask("anna@example.net"), MXW_MISCONFIGURED);
}
END_TEST

/* What fails because of what a client sent does not repeat it. */
START_TEST(a_reason_has_nothing_of_the_address)
{
	conf.query = "SELECT json_extract('{}', :addr)";
	open_source();
	struct mxw__rcpt_result r = ask_within("$sp<a>m@example.net", PATIENCE_MS);
	ck_assert_int_ne(r.outcome, MXW_NOT_FOUND);
	ck_assert_ptr_null(strstr(r.reason, "m@example"));
	ck_assert(!notices_have(&notices, "m@example"));
}
END_TEST

/* ---- threads ---- */

enum { ASKERS = 16, QUESTIONS = 200 };

static void *ask_on(void *arg)
{
	atomic_uint *nbad = arg;

	for (int i = 0; i < QUESTIONS; i++) {
		mxw_outcome_t found = ask("anna@example.net"), missing = ask("nobody@example.net");
		if (found != MXW_FOUND || missing != MXW_NOT_FOUND)
			atomic_fetch_add(nbad, 1);
	}
	return NULL;
}

START_TEST(many_threads_ask_while_the_database_is_replaced)
{
	pthread_t threads[ASKERS];
	atomic_uint nbad = 0;

	open_source();
	for (int i = 0; i < ASKERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_on, &nbad), 0);
	for (int i = 0; i < 20; i++) {
		char *beside = scratch_path(&scratch, "next.sqlite");
		run_sql(beside, schema);
		ck_assert_int_eq(rename(beside, path), 0);
		free(beside);
	}
	for (int i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&nbad), 0);
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

static void *give_up(void *arg)
{
	(void)arg;
	ck_assert_int_eq(ask_within("nobody@example.net", SHORT_MS).outcome, MXW_TEMPORARY);
	return NULL;
}

START_TEST(what_is_given_up_in_the_queue_is_not_worked_off)
{
	pthread_t threads[ASKERS];

	conf.query = endless;
	conf.connections = 1;
	open_source();
	for (int i = 0; i < ASKERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, give_up, NULL), 0);
	for (int i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	/* Were each of them run for its whole time, close() would have to wait for more than it does. */
	int64_t start = mxw__now_ms(mxw_clock_system());
	close_source();
	ck_assert_int_lt(since(start), PATIENCE_MS / 2);
	ck_assert_uint_eq(notices_count(&notices), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sqlite");
	TCase *tc = tcase_create("sqlite");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_row_is_a_recipient_and_its_first_column_may_be_the_class);
	tcase_add_test(tc, without_class_column_the_value_is_not_looked_at);
	tcase_add_loop_test(tc, queries_of_many_kinds_are_answered, 0, MXW_ARRAY_LEN(queries));
	tcase_add_loop_test(tc, nothing_but_a_select_with_these_parameters_runs, 0, MXW_ARRAY_LEN(harmful));
	tcase_add_loop_test(tc, a_query_is_checked_without_its_database, 0, MXW_ARRAY_LEN(texts));
	tcase_add_test(tc, a_writer_who_holds_the_lock_is_waited_for_until_the_deadline);
	tcase_add_test(tc, a_lock_that_is_let_go_in_time_costs_only_time);
	tcase_add_test(tc, a_writer_is_not_kept_waiting);
	tcase_add_test(tc, a_query_without_end_is_ended_at_the_deadline);
	tcase_add_test(tc, the_timeout_of_the_directory_holds_where_the_session_would_wait);
	tcase_add_test(tc, a_deadline_that_has_passed_is_not_waited_for);
	tcase_add_test(tc, a_database_that_was_replaced_is_opened_again);
	tcase_add_test(tc, a_database_that_is_missing_makes_nobody_unknown);
	tcase_add_test(tc, a_damaged_database_makes_nobody_unknown);
	tcase_add_test(tc, a_table_that_is_dropped_is_a_misconfiguration_until_it_is_back);
	tcase_add_test(tc, a_fifo_in_place_of_the_database_does_not_block);
	tcase_add_test(tc, a_reason_has_nothing_of_the_address);
	tcase_add_test(tc, many_threads_ask_while_the_database_is_replaced);
	tcase_add_test(tc, what_is_given_up_in_the_queue_is_not_worked_off);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
