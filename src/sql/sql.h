/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sql.h: one question, asked again and again, of an SQLite database that others write.
 *
 * The file is opened for reading only. The question is prepared once, may only select, and gets its values as bound
 * parameters; the schema is not trusted with more than innocuous functions, nothing else can be attached or loaded. Every
 * step ends at a deadline, waits for locks among them. A file that was replaced is opened again.
 *
 * Who may call: conf (to try a query), directory (sqlite.c).
 * Threads: a question belongs to one thread at a time; its `is_cancelled` may be set from any thread.
 * Memory:  strings are copied where they are kept.
 * Errors:  the outcomes of a look-up: what waiting or repair may mend is MXW_TEMPORARY, what is wrong with the query, the
 *          schema or the kind of file is MXW_MISCONFIGURED.
 */
#ifndef MXW_SRC_SQL_SQL_H
#define MXW_SRC_SQL_SQL_H

#include <stdatomic.h>

#include "src/base/base.h"

typedef struct mxw__sql mxw__sql_t;

enum { MXW__SQL_REASON_MAX = 160, MXW__SQL_QUERY_MAX = 4096 };

/* The parameters that a query may have. */
struct mxw__sql_values {
	const char *addr;   /* :addr */
	const char *user;   /* :user */
	const char *domain; /* :domain */
};

/* Until when, in milliseconds of real time (mxw_clock_system()), and whether somebody still wants to know. */
struct mxw__sql_limit {
	int64_t deadline_ms;
	const atomic_bool *is_cancelled;
};

/*
 * What is wrong with a query as a text: it must be one SELECT (or WITH), have one of the parameters above and no
 * other. NULL: nothing is, as far as can be told without the database. `ret_at` is where.
 */
const char *mxw__sql_query_fault(const char *query, const char **ret_at);

/* What follows blanks and comments. */
const char *mxw__sql_skip_blanks(const char *s);

/* Keeps path and query; the file is not touched. NULL: no memory. */
mxw__sql_t *mxw__sql_new(const char *path, const char *query);
void mxw__sql_free(mxw__sql_t *sql);

/* Opens the file and prepares the query, if that is to be done. MXW_FOUND: it is ready. */
mxw_outcome_t mxw__sql_ready(mxw__sql_t *sql, const struct mxw__sql_limit *limit, char ret_reason[MXW__SQL_REASON_MAX]);
/*
 * MXW_FOUND: there is a row; the text of its first column goes to `ret_text` (cut, "" for what is no text). `ret_len` is
 * its whole length.
 */
mxw_outcome_t mxw__sql_ask(mxw__sql_t *sql, const struct mxw__sql_values *values, const struct mxw__sql_limit *limit,
			   char *ret_text, size_t size, size_t *ret_len, char ret_reason[MXW__SQL_REASON_MAX]);

#endif
