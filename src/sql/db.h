/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * db.h: a database file of our own, for what is kept and can be asked by others: written by one thread, in transactions, with
 * a write-ahead log, so that readers and the writer don't wait for each other.
 *
 * Who may call: journal.
 * Threads: a database and its statements belong to one thread at a time; `is_cancelled` may be set from any thread.
 * Memory:  strings are copied.
 * Errors:  kinds that are never mixed: done, busy (somebody else writes), damaged (the file is no database, or not ours: it
 *          should be set aside), gone (another file has its name by now, or none: what is open is lost), failed (the disk is full, not writable, ...: later may be better).
 */
#ifndef MXW_SRC_SQL_DB_H
#define MXW_SRC_SQL_DB_H

#include <stdatomic.h>

#include "src/base/base.h"

typedef enum mxw__db_status {
	MXW__DB_DONE,
	MXW__DB_BUSY,
	MXW__DB_DAMAGED,
	MXW__DB_GONE,
	MXW__DB_FAILED
} mxw__db_status_t;

typedef struct mxw__db mxw__db_t;
typedef struct mxw__db_statement mxw__db_statement_t;

enum { MXW__DB_REASON_MAX = 160 };

struct mxw__db_options {
	const char *path;
	const char *schema;              /* statements that make it, in a file that has nothing yet */
	int version;                     /* of the schema: PRAGMA user_version. Another one is MXW__DB_DAMAGED */
	const atomic_bool *is_cancelled; /* true: what is under way ends soon, as failed */
};

/*
 * Opens the file, which must be a regular one; makes it, with mode 0600, if there is none. The reason of anything but
 * MXW__DB_DONE is one printable line.
 */
mxw__db_status_t mxw__db_open(const struct mxw__db_options *options, mxw__db_t **ret_db, char ret_reason[MXW__DB_REASON_MAX]);
/* Ends its statements, too. NULL is allowed. */
void mxw__db_close(mxw__db_t *db);

/* One or several statements without parameters. */
mxw__db_status_t mxw__db_exec(mxw__db_t *db, const char *sql);
/* A transaction that writes. MXW__DB_GONE: see above. */
mxw__db_status_t mxw__db_begin(mxw__db_t *db);
/* Commits what was done since then if `status` is MXW__DB_DONE, else takes it back. The first thing that failed. */
mxw__db_status_t mxw__db_end(mxw__db_t *db, mxw__db_status_t status);
/* At most 128 for one database. */
mxw__db_status_t mxw__db_prepare(mxw__db_t *db, const char *sql, mxw__db_statement_t **ret_statement);
/* Parameters count from 1. Texts are UTF-8 where possible; NULL is NULL. */
void mxw__db_bind_text(mxw__db_statement_t *statement, int i, const char *text);
void mxw__db_bind_number(mxw__db_statement_t *statement, int i, int64_t number);
/* What is no finite number is 0. */
void mxw__db_bind_real(mxw__db_statement_t *statement, int i, double number);
/* Runs it to its end, and forgets the parameters. */
mxw__db_status_t mxw__db_run(mxw__db_statement_t *statement);
/* The same for a query: the first column of its first row, 0 if there is none. */
mxw__db_status_t mxw__db_number(mxw__db_statement_t *statement, int64_t *ret_number);
/*
 * The next row of a query, and false for `ret_is_row` when there was none left; then, and after a failure, it begins anew and forgets
 * its parameters. A query that is left before its end is to be reset.
 */
mxw__db_status_t mxw__db_step(mxw__db_statement_t *statement, bool *ret_is_row);
void mxw__db_reset(mxw__db_statement_t *statement);
/* Columns of that row; they count from 0. Text is "" for NULL, and borrowed until the next step. */
const char *mxw__db_text(mxw__db_statement_t *statement, int i);
int64_t mxw__db_int(mxw__db_statement_t *statement, int i);
double mxw__db_real(mxw__db_statement_t *statement, int i);
/* Rows that the last insert, update or delete has touched; the id of the last row inserted. */
int64_t mxw__db_changes(const mxw__db_t *db);
int64_t mxw__db_last_id(const mxw__db_t *db);
/* Why the last call did not do it: one printable line. Borrowed until the next. */
const char *mxw__db_reason(const mxw__db_t *db);

bool mxw__db_exists(const char *path);
/* Renames the file to PATH.bad and removes its log. False: that can't be done; errno says why. */
bool mxw__db_set_aside(const char *path);
/* Removes the file and its log. */
void mxw__db_remove(const char *path);

#endif
