/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/sql/db.h"

enum { STATEMENTS_MAX = 128, STEPS = 10000, BUSY_TRIES = 100, PATH_ROOM = 4096 };

struct mxw__db_statement {
	struct mxw__db *db;
	sqlite3_stmt *stmt;
	bool is_short; /* a parameter could not be copied */
};

struct mxw__db {
	sqlite3 *handle;
	const atomic_bool *is_cancelled;
	char *path;
	dev_t dev;
	ino_t ino;
	ino_t log_ino;   /* of PATH-wal, after the last commit; 0: there was none */
	bool is_watched; /* on this file system a file has one number as long as it is there */
	size_t nstatements;
	struct mxw__db_statement statements[STATEMENTS_MAX];
	char reason[MXW__DB_REASON_MAX];
};

/* ---- errors and limits ---- */

static bool is_cancelled(const struct mxw__db *db)
{
	return db->is_cancelled && atomic_load(db->is_cancelled);
}

static int on_progress(void *ctx)
{
	return is_cancelled(ctx);
}

/* Another process writes, or somebody looks at the file in a way that keeps us out. Some 5 s at most. */
static int on_busy(void *ctx, int count)
{
	struct timespec pause = {0, 50 * 1000000L};

	if (count >= BUSY_TRIES || is_cancelled(ctx))
		return 0;
	nanosleep(&pause, NULL);
	return 1;
}

/* What a message of SQLite's or the system's says may have parts of names, but is one printable line here. */
static void set_reason(char reason[MXW__DB_REASON_MAX], const char *text)
{
	snprintf(reason, MXW__DB_REASON_MAX, "%s", text);
	for (char *s = reason; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			*s = '?';
}

static mxw__db_status_t judge(struct mxw__db *db, int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return MXW__DB_DONE;
	default:
		break;
	}
	set_reason(db->reason, sqlite3_errmsg(db->handle));
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return MXW__DB_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* no such table: it is not what we made */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return MXW__DB_DAMAGED;
	default:
		return MXW__DB_FAILED;
	}
}

const char *mxw__db_reason(const mxw__db_t *db)
{
	return db->reason;
}

/* ---- opening ---- */

/* SQLite would make it readable to others. An empty file is a database without anything in it. */
static bool make_file(const char *path, struct stat *ret_st, char reason[MXW__DB_REASON_MAX])
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0) {
		set_reason(reason, strerror(errno));
		return false;
	}
	bool is_regular = fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode);
	close(fd);
	if (!is_regular)
		set_reason(reason, "is no regular file");
	return is_regular;
}

mxw__db_status_t mxw__db_exec(mxw__db_t *db, const char *sql)
{
	return judge(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static mxw__db_status_t read_number(struct mxw__db *db, const char *sql, int64_t *ret_number)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	*ret_number = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	mxw__db_status_t status = judge(db, code);
	sqlite3_finalize(stmt);
	return status;
}

/* Looks what is in the file, and makes what should be. */
static mxw__db_status_t make_schema(struct mxw__db *db, const struct mxw__db_options *options)
{
	int64_t version, nobjects;
	char begin[80];
	mxw__db_status_t status = read_number(db, "PRAGMA user_version", &version);

	if (status == MXW__DB_DONE)
		status = read_number(db, "SELECT count(*) FROM sqlite_schema", &nobjects);
	if (status != MXW__DB_DONE || version == options->version)
		return status;
	if (version != 0 || nobjects != 0) {
		set_reason(db->reason, "it is of another version, or of another program");
		return MXW__DB_DAMAGED;
	}
	snprintf(begin, sizeof begin, "BEGIN IMMEDIATE; PRAGMA user_version=%d", options->version);
	status = mxw__db_exec(db, begin);
	if (status == MXW__DB_DONE)
		status = mxw__db_exec(db, options->schema);
	return mxw__db_end(db, status);
}

static mxw__db_status_t set_up(struct mxw__db *db)
{
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_handler(db->handle, on_busy, db);
	sqlite3_progress_handler(db->handle, STEPS, on_progress, db);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
	/* A mapped file that is cut short would end the process. auto_vacuum must be said before there is anything. */
	return mxw__db_exec(db, "PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA auto_vacuum=INCREMENTAL;"
				"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=4194304;"
				"PRAGMA cache_size=-2000");
}

/* Else it is open, and goes on being written although nobody will ever read it. A file that can't be looked at may be there. */
static bool is_there(const struct mxw__db *db)
{
	struct stat st;

	if (stat(db->path, &st) != 0)
		return errno != ENOENT && errno != ENOTDIR;
	return st.st_dev == db->dev && st.st_ino == db->ino;
}

mxw__db_status_t mxw__db_open(const struct mxw__db_options *options, mxw__db_t **ret_db, char ret_reason[MXW__DB_REASON_MAX])
{
	struct stat st;

	if (!make_file(options->path, &st, ret_reason))
		return MXW__DB_FAILED;
	struct mxw__db *db = mxw__calloc(1, sizeof *db);
	if (!db || !(db->path = strdup(options->path))) {
		free(db);
		set_reason(ret_reason, "out of memory");
		return MXW__DB_FAILED;
	}
	db->dev = st.st_dev;
	db->ino = st.st_ino;
	db->is_cancelled = options->is_cancelled;
	mxw__db_status_t status =
		judge(db, sqlite3_open_v2(options->path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	if (status == MXW__DB_DONE)
		status = set_up(db);
	if (status == MXW__DB_DONE)
		status = make_schema(db, options);
	if (status == MXW__DB_DONE) {
		db->is_watched = is_there(db);
		*ret_db = db;
		return status;
	}
	memcpy(ret_reason, db->reason, sizeof db->reason);
	mxw__db_close(db);
	return status;
}

void mxw__db_close(mxw__db_t *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->nstatements; i++)
		sqlite3_finalize(db->statements[i].stmt);
	sqlite3_close(db->handle);
	free(db->path);
	free(db);
}

/* ---- transactions ---- */

static void remove_beside(const char *path, const char *suffix)
{
	char name[PATH_ROOM];

	if (snprintf(name, sizeof name, "%s%s", path, suffix) < (int)sizeof name)
		unlink(name);
}

static void remove_log(const char *path)
{
	remove_beside(path, "-wal");
	remove_beside(path, "-shm");
}

static ino_t log_of(const struct mxw__db *db)
{
	char name[PATH_ROOM];
	struct stat st;

	return snprintf(name, sizeof name, "%s-wal", db->path) < (int)sizeof name && stat(name, &st) == 0 ? st.st_ino : 0;
}

mxw__db_status_t mxw__db_begin(mxw__db_t *db)
{
	if (!db->is_watched || is_there(db))
		return mxw__db_exec(db, "BEGIN IMMEDIATE");
	set_reason(db->reason, "was removed or replaced by somebody");
	/* SQLite leaves our log there, and would write it into whatever has the name now. */
	if (db->log_ino && log_of(db) == db->log_ino)
		remove_log(db->path);
	return MXW__DB_GONE;
}

mxw__db_status_t mxw__db_end(mxw__db_t *db, mxw__db_status_t status)
{
	if (status == MXW__DB_DONE)
		status = mxw__db_exec(db, "COMMIT");
	if (status == MXW__DB_DONE)
		db->log_ino = log_of(db);
	if (status != MXW__DB_DONE && !sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

/* ---- statements ---- */

mxw__db_status_t mxw__db_prepare(mxw__db_t *db, const char *sql, mxw__db_statement_t **ret_statement)
{
	struct mxw__db_statement *statement = &db->statements[db->nstatements];

	if (db->nstatements == STATEMENTS_MAX) {
		set_reason(db->reason, "too many statements");
		return MXW__DB_FAILED;
	}
	int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->stmt, NULL);
	if (code == SQLITE_OK) {
		statement->db = db;
		db->nstatements++;
		*ret_statement = statement;
	}
	return judge(db, code);
}

void mxw__db_bind_text(mxw__db_statement_t *statement, int i, const char *text)
{
	statement->is_short |= sqlite3_bind_text(statement->stmt, i, text, -1, SQLITE_TRANSIENT) != SQLITE_OK;
}

void mxw__db_bind_number(mxw__db_statement_t *statement, int i, int64_t number)
{
	sqlite3_bind_int64(statement->stmt, i, number);
}

void mxw__db_bind_real(mxw__db_statement_t *statement, int i, double number)
{
	sqlite3_bind_double(statement->stmt, i, isfinite(number) ? number : 0);
}

void mxw__db_reset(mxw__db_statement_t *statement)
{
	sqlite3_reset(statement->stmt);
	sqlite3_clear_bindings(statement->stmt);
}

mxw__db_status_t mxw__db_step(mxw__db_statement_t *statement, bool *ret_is_row)
{
	int code = statement->is_short ? SQLITE_NOMEM : sqlite3_step(statement->stmt);

	statement->is_short = false;
	*ret_is_row = code == SQLITE_ROW;
	mxw__db_status_t status = judge(statement->db, code);
	if (code != SQLITE_ROW)
		mxw__db_reset(statement);
	return status;
}

const char *mxw__db_text(mxw__db_statement_t *statement, int i)
{
	const unsigned char *text = sqlite3_column_text(statement->stmt, i);

	return text ? (const char *)text : "";
}

int64_t mxw__db_int(mxw__db_statement_t *statement, int i)
{
	return sqlite3_column_int64(statement->stmt, i);
}

double mxw__db_real(mxw__db_statement_t *statement, int i)
{
	return sqlite3_column_double(statement->stmt, i);
}

static mxw__db_status_t run(mxw__db_statement_t *statement, int64_t *ret_number)
{
	int code = statement->is_short ? SQLITE_NOMEM : sqlite3_step(statement->stmt);

	statement->is_short = false;
	if (ret_number)
		*ret_number = code == SQLITE_ROW ? sqlite3_column_int64(statement->stmt, 0) : 0;
	while (code == SQLITE_ROW)
		code = sqlite3_step(statement->stmt);
	mxw__db_status_t status = judge(statement->db, code);
	mxw__db_reset(statement);
	return status;
}

mxw__db_status_t mxw__db_run(mxw__db_statement_t *statement)
{
	return run(statement, NULL);
}

mxw__db_status_t mxw__db_number(mxw__db_statement_t *statement, int64_t *ret_number)
{
	return run(statement, ret_number);
}

int64_t mxw__db_changes(const mxw__db_t *db)
{
	return sqlite3_changes(db->handle);
}

int64_t mxw__db_last_id(const mxw__db_t *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

/* ---- files ---- */

bool mxw__db_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool mxw__db_set_aside(const char *path)
{
	char bad[PATH_ROOM];

	if (snprintf(bad, sizeof bad, "%s.bad", path) >= (int)sizeof bad) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (rename(path, bad) != 0)
		return false;
	remove_log(path);
	return true;
}

void mxw__db_remove(const char *path)
{
	remove_beside(path, "");
	remove_log(path);
}
