/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "src/sql/sql.h"

/* How many steps of SQLite's machine may pass until the time is looked at: some 10 microseconds. */
enum { STEPS = 1000, BUSY_WAIT_MS = 20 };

struct mxw__sql {
	char *path;
	char *query;
	sqlite3 *db;          /* NULL: not open */
	sqlite3_stmt *stmt;
	dev_t dev;            /* of the file that is open */
	ino_t ino;
	const struct mxw__sql_limit *limit; /* while something runs */
};

/* ---- limits ---- */

static bool is_over(const struct mxw__sql *sql)
{
	return !sql->limit || (sql->limit->is_cancelled && atomic_load(sql->limit->is_cancelled)) ||
	       mxw__now_ms(mxw_clock_system()) >= sql->limit->deadline_ms;
}

/* Not 0: the statement ends with SQLITE_INTERRUPT. */
static int on_progress(void *ctx)
{
	return is_over(ctx);
}

/* Somebody writes. 0: no longer waited for. */
static int on_busy(void *ctx, int count)
{
	struct timespec pause = {0, (count < BUSY_WAIT_MS ? count + 1 : BUSY_WAIT_MS) * 1000000L};

	if (is_over(ctx))
		return 0;
	nanosleep(&pause, NULL);
	return 1;
}

/* What is needed to read, and nothing else: no PRAGMA, no ATTACH, no change of any kind. */
static int authorize(MXW_UNUSED void *ctx, int action, MXW_UNUSED const char *a, const char *b, MXW_UNUSED const char *db,
		     MXW_UNUSED const char *trigger)
{
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return b && sqlite3_stricmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

/* ---- errors ---- */

/* A message of SQLite's or of the system's, which may hold parts of the query and names in the schema, on one line. */
static mxw_outcome_t fail(mxw_outcome_t outcome, const char *what, char *ret_reason)
{
	snprintf(ret_reason, MXW__SQL_REASON_MAX, "%s", what);
	for (char *s = ret_reason; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			*s = '?';
	return outcome;
}

/* A code that is neither SQLITE_ROW nor SQLITE_DONE, with the text that goes with it. */
static mxw_outcome_t judge(int code, const char *text, char *ret_reason)
{
	switch (code & 0xff) {
	case SQLITE_INTERRUPT:
		return fail(MXW_TEMPORARY, "the query was not answered in time", ret_reason);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fail(MXW_TEMPORARY, "the database is locked", ret_reason);
	case SQLITE_ERROR:     /* no such table, a fault in the query */
	case SQLITE_AUTH:
	case SQLITE_MISUSE:
	case SQLITE_RANGE:
	case SQLITE_NOTADB:
		return fail(MXW_MISCONFIGURED, text, ret_reason);
	default:
		return fail(MXW_TEMPORARY, text, ret_reason);
	}
}

/* While no value is bound the message has nothing of a client's. */
static const char *message(const struct mxw__sql *sql, int code)
{
	return sql->db ? sqlite3_errmsg(sql->db) : sqlite3_errstr(code);
}

/* ---- opening ---- */

mxw__sql_t *mxw__sql_new(const char *path, const char *query)
{
	mxw__sql_t *sql = calloc(1, sizeof *sql);

	if (!sql)
		return NULL;
	sql->path = strdup(path);
	sql->query = strdup(query);
	if (!sql->path || !sql->query) {
		mxw__sql_free(sql);
		return NULL;
	}
	return sql;
}

static void close_db(mxw__sql_t *sql)
{
	sqlite3_finalize(sql->stmt);
	sql->stmt = NULL;
	sqlite3_close(sql->db);
	sql->db = NULL;
}

void mxw__sql_free(mxw__sql_t *sql)
{
	if (!sql)
		return;
	close_db(sql);
	free(sql->path);
	free(sql->query);
	free(sql);
}

static int open_db(mxw__sql_t *sql)
{
	static const int off[] = {
		SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER,
		SQLITE_DBCONFIG_WRITABLE_SCHEMA, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
		/* A name in double quotes that does not exist is a fault, not a text. */
		SQLITE_DBCONFIG_DQS_DML,
	};
	int code = sqlite3_open_v2(sql->path, &sql->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

	if (code != SQLITE_OK)
		return code;
	sqlite3_extended_result_codes(sql->db, 1);
	for (size_t i = 0; i < MXW_ARRAY_LEN(off); i++)
		sqlite3_db_config(sql->db, off[i], 0, NULL);
	sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_limit(sql->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_progress_handler(sql->db, STEPS, on_progress, sql);
	sqlite3_busy_handler(sql->db, on_busy, sql);
	/* A mapped file that is cut short would end the process; what is sorted stays in memory. */
	code = sqlite3_exec(sql->db, "PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY", NULL, NULL, NULL);
	sqlite3_set_authorizer(sql->db, authorize, sql);
	return code;
}

/* What the statement is, now that it is one. NULL: a question. */
static const char *statement_fault(sqlite3_stmt *stmt, const char *tail)
{
	static const char *const known[] = {":addr", ":user", ":domain"};
	int n = sqlite3_bind_parameter_count(stmt);

	if (!stmt || !sqlite3_stmt_readonly(stmt) || sqlite3_stmt_isexplain(stmt) || sqlite3_column_count(stmt) < 1)
		return "the query is no SELECT";
	if (*mxw__sql_skip_blanks(tail))
		return "something follows the query";
	if (n < 1)
		return "the query has none of the parameters :addr, :user and :domain";
	for (int i = 1; i <= n; i++) {
		const char *name = sqlite3_bind_parameter_name(stmt, i);
		size_t k = 0;
		while (k < MXW_ARRAY_LEN(known) && (!name || strcmp(name, known[k]) != 0))
			k++;
		if (k == MXW_ARRAY_LEN(known))
			return "the query has other parameters than :addr, :user and :domain";
	}
	return NULL;
}

static mxw_outcome_t prepare(mxw__sql_t *sql, char *ret_reason)
{
	const char *tail = "";
	int code = sqlite3_prepare_v3(sql->db, sql->query, -1, SQLITE_PREPARE_PERSISTENT, &sql->stmt, &tail);

	if (code != SQLITE_OK)
		return judge(code, message(sql, code), ret_reason);
	const char *fault = statement_fault(sql->stmt, tail);
	return fault ? fail(MXW_MISCONFIGURED, fault, ret_reason) : MXW_FOUND;
}

/* Is what is open still what has this name? */
static mxw_outcome_t look_at_file(mxw__sql_t *sql, bool *ret_is_same, char *ret_reason)
{
	struct stat st;

	if (stat(sql->path, &st) != 0)
		return fail(MXW_TEMPORARY, strerror(errno), ret_reason);
	/* A FIFO would keep us waiting for its writer. */
	if (!S_ISREG(st.st_mode))
		return fail(MXW_MISCONFIGURED, "is no regular file", ret_reason);
	*ret_is_same = sql->db && st.st_dev == sql->dev && st.st_ino == sql->ino;
	sql->dev = st.st_dev;
	sql->ino = st.st_ino;
	return MXW_FOUND;
}

static mxw_outcome_t make_ready(mxw__sql_t *sql, char *ret_reason)
{
	bool is_same = false;
	mxw_outcome_t outcome = look_at_file(sql, &is_same, ret_reason);

	if (outcome == MXW_FOUND && is_same)
		return outcome;
	close_db(sql);
	if (outcome != MXW_FOUND)
		return outcome;
	if (!sqlite3_threadsafe())
		return fail(MXW_MISCONFIGURED, "this SQLite was built without threads", ret_reason);
	/* Replaced between the two: the next look sees it, since the name then has another file. */
	int code = open_db(sql);
	outcome = code == SQLITE_OK ? prepare(sql, ret_reason) : judge(code, message(sql, code), ret_reason);
	if (outcome != MXW_FOUND)
		close_db(sql);
	return outcome;
}

mxw_outcome_t mxw__sql_ready(mxw__sql_t *sql, const struct mxw__sql_limit *limit, char ret_reason[MXW__SQL_REASON_MAX])
{
	sql->limit = limit;
	mxw_outcome_t outcome = make_ready(sql, ret_reason);
	sql->limit = NULL;
	return outcome;
}

/* ---- asking ---- */

static int bind(sqlite3_stmt *stmt, const char *name, const char *value)
{
	int i = sqlite3_bind_parameter_index(stmt, name);

	return i ? sqlite3_bind_text(stmt, i, value, -1, SQLITE_STATIC) : SQLITE_OK;
}

static void read_text(sqlite3_stmt *stmt, char *ret_text, size_t size, size_t *ret_len)
{
	ret_text[0] = '\0';
	*ret_len = 0;
	if (sqlite3_column_type(stmt, 0) != SQLITE_TEXT)
		return;
	const unsigned char *text = sqlite3_column_text(stmt, 0);
	size_t len = text ? (size_t)sqlite3_column_bytes(stmt, 0) : 0;
	size_t n = len < size ? len : size - 1;
	if (n)
		memcpy(ret_text, text, n);
	ret_text[n] = '\0';
	*ret_len = len;
}

static int step(mxw__sql_t *sql, const struct mxw__sql_values *values)
{
	int code = bind(sql->stmt, ":addr", values->addr);

	if (code == SQLITE_OK)
		code = bind(sql->stmt, ":user", values->user);
	if (code == SQLITE_OK)
		code = bind(sql->stmt, ":domain", values->domain);
	return code == SQLITE_OK ? sqlite3_step(sql->stmt) : code;
}

mxw_outcome_t mxw__sql_ask(mxw__sql_t *sql, const struct mxw__sql_values *values, const struct mxw__sql_limit *limit,
			   char *ret_text, size_t size, size_t *ret_len, char ret_reason[MXW__SQL_REASON_MAX])
{
	mxw_outcome_t outcome;

	sql->limit = limit;
	outcome = make_ready(sql, ret_reason);
	if (outcome == MXW_FOUND) {
		int code = step(sql, values);
		if (code == SQLITE_ROW)
			read_text(sql->stmt, ret_text, size, ret_len);
		else
			outcome = code == SQLITE_DONE ? MXW_NOT_FOUND : judge(code, sqlite3_errstr(code), ret_reason);
		/* Ends the read, so that no writer waits for us. */
		sqlite3_reset(sql->stmt);
		sqlite3_clear_bindings(sql->stmt);
		/* It may be the connection that is at fault. */
		if (outcome == MXW_MISCONFIGURED ||
		    (outcome == MXW_TEMPORARY && (code & 0xff) != SQLITE_INTERRUPT && (code & 0xff) != SQLITE_BUSY))
			close_db(sql);
	}
	sql->limit = NULL;
	return outcome;
}
