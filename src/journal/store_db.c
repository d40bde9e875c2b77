/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/journal/store_db.h"

enum { SCHEMA_VERSION = 1, VACUUM_PAGES = 256, SQL_MAX = 16 * 1024 };
/* Beyond this a double does not know each integer. No time and no count of ours comes near it. */
static const double number_max = 9007199254740992.0;

struct table {
	const struct mxw__state_sort *sort; /* NULL: it is not kept */
	mxw__db_statement_t *write, *remove, *read, *last, *trim, *count;
};

struct mxw__store_db {
	mxw__db_t *db;
	size_t n;
	struct table tables[MXW__STATE_SORTS_MAX];
	struct mxw__state_record record; /* room to read one */
};

/* ---- tables and columns; their names are our own, [a-z_0-9] ---- */

static void add_fields(struct mxw__buf *sql, const struct mxw__state_sort *sort)
{
	for (size_t i = 0; i < sort->nfields; i++)
		mxw__buf_addf(sql, ", \"%s\"", sort->fields[i].name);
	if (sort->has_text)
		mxw__buf_adds(sql, ", text");
}

/* Prepares or runs what `sql` holds, and frees it. */
static mxw__db_status_t use(mxw__db_t *db, struct mxw__buf *sql, mxw__db_statement_t **ret_statement)
{
	mxw__db_status_t status = MXW__DB_FAILED;

	if (!sql->failed && ret_statement)
		status = mxw__db_prepare(db, mxw__buf_str(sql), ret_statement);
	else if (!sql->failed)
		status = mxw__db_exec(db, mxw__buf_str(sql));
	mxw__buf_fini(sql);
	return status;
}

/* Two processes may make it at one time. NUMERIC: whole numbers are kept, and shown, as such. */
static mxw__db_status_t make_table(mxw__db_t *db, const struct mxw__state_sort *sort)
{
	struct mxw__buf sql;

	mxw__buf_init(&sql, SQL_MAX);
	mxw__buf_addf(&sql,
		      "CREATE TABLE IF NOT EXISTS \"%s\" (key TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL DEFAULT 0,"
		      " expires INTEGER NOT NULL DEFAULT 0, half_life INTEGER NOT NULL DEFAULT 0,"
		      " generation INTEGER NOT NULL DEFAULT 0", sort->name);
	for (size_t i = 0; i < sort->nfields; i++)
		mxw__buf_addf(&sql, ", \"%s\" NUMERIC NOT NULL DEFAULT 0", sort->fields[i].name);
	if (sort->has_text)
		mxw__buf_adds(&sql, ", text TEXT NOT NULL DEFAULT ''");
	mxw__buf_adds(&sql, ") WITHOUT ROWID");
	return use(db, &sql, NULL);
}

static mxw__db_status_t need_column(mxw__db_t *db, mxw__db_statement_t *find, const char *table, const char *column,
				    const char *type)
{
	struct mxw__buf sql;
	int64_t is_there;

	mxw__db_bind_text(find, 1, table);
	mxw__db_bind_text(find, 2, column);
	mxw__db_status_t status = mxw__db_number(find, &is_there);
	if (status != MXW__DB_DONE || is_there)
		return status;
	mxw__buf_init(&sql, SQL_MAX);
	mxw__buf_addf(&sql, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s", table, column, type);
	return use(db, &sql, NULL);
}

static mxw__db_status_t need_columns(mxw__db_t *db, mxw__db_statement_t *find, const struct mxw__state_sort *sort)
{
	mxw__db_status_t status = MXW__DB_DONE;

	for (size_t i = 0; i < sort->nfields && status == MXW__DB_DONE; i++)
		status = need_column(db, find, sort->name, sort->fields[i].name, "NUMERIC NOT NULL DEFAULT 0");
	if (status == MXW__DB_DONE && sort->has_text)
		status = need_column(db, find, sort->name, "text", "TEXT NOT NULL DEFAULT ''");
	return status;
}

static mxw__db_status_t make_tables(struct mxw__store_db *self)
{
	mxw__db_statement_t *find;
	mxw__db_status_t status = mxw__db_prepare(self->db, "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2", &find);

	if (status == MXW__DB_DONE)
		status = mxw__db_begin(self->db);
	for (size_t i = 0; i < self->n && status == MXW__DB_DONE; i++) {
		if (!self->tables[i].sort)
			continue;
		status = make_table(self->db, self->tables[i].sort);
		if (status == MXW__DB_DONE)
			status = need_columns(self->db, find, self->tables[i].sort);
	}
	return mxw__db_end(self->db, status);
}

/* ---- statements ---- */

static mxw__db_status_t prepare_write(mxw__db_t *db, struct table *table)
{
	const struct mxw__state_sort *sort = table->sort;
	struct mxw__buf sql;

	mxw__buf_init(&sql, SQL_MAX);
	mxw__buf_addf(&sql, "REPLACE INTO \"%s\" (key, at, expires, half_life, generation", sort->name);
	add_fields(&sql, sort);
	mxw__buf_adds(&sql, ") VALUES (?, ?, ?, ?, ?");
	for (size_t i = 0; i < sort->nfields + sort->has_text; i++)
		mxw__buf_adds(&sql, ", ?");
	mxw__buf_adds(&sql, ")");
	return use(db, &sql, &table->write);
}

/* A key that is longer than any of ours, or no text, is of somebody else. */
static mxw__db_status_t prepare_read(mxw__db_t *db, struct table *table)
{
	struct mxw__buf sql;

	mxw__buf_init(&sql, SQL_MAX);
	mxw__buf_adds(&sql, "SELECT key, at, expires, half_life, generation");
	add_fields(&sql, table->sort);
	mxw__buf_addf(&sql, " FROM \"%s\" WHERE key > ?1 AND typeof(key) = 'text' AND length(key) < %d ORDER BY key LIMIT %d",
		      table->sort->name, MXW__STATE_KEY_MAX, MXW__STORE_DB_STEP);
	return use(db, &sql, &table->read);
}

static mxw__db_status_t prepare_other(mxw__db_t *db, struct table *table)
{
	const struct {
		const char *before, *behind;
		mxw__db_statement_t **statement;
	} wanted[] = {
		{"DELETE FROM", "WHERE key = ?1", &table->remove},
		{"DELETE FROM", "WHERE key > ?1 AND key <= ?2 AND (expires <= ?3 OR generation < ?4)", &table->trim},
		{"SELECT max(key), count(*) FROM (SELECT key FROM", "WHERE key > ?1 ORDER BY key LIMIT ?2)", &table->last},
		{"SELECT count(*) FROM", "", &table->count},
	};
	mxw__db_status_t status = MXW__DB_DONE;
	struct mxw__buf sql;

	for (size_t i = 0; i < MXW_ARRAY_LEN(wanted) && status == MXW__DB_DONE; i++) {
		mxw__buf_init(&sql, SQL_MAX);
		mxw__buf_addf(&sql, "%s \"%s\" %s", wanted[i].before, table->sort->name, wanted[i].behind);
		status = use(db, &sql, wanted[i].statement);
	}
	return status;
}

static mxw__db_status_t prepare(struct mxw__store_db *self)
{
	mxw__db_status_t status = MXW__DB_DONE;

	for (size_t i = 0; i < self->n && status == MXW__DB_DONE; i++) {
		struct table *table = &self->tables[i];
		if (!table->sort)
			continue;
		status = prepare_write(self->db, table);
		if (status == MXW__DB_DONE)
			status = prepare_read(self->db, table);
		if (status == MXW__DB_DONE)
			status = prepare_other(self->db, table);
	}
	return status;
}

mxw__db_status_t mxw__store_db_open(const char *path, const struct mxw__state *states, size_t n, const atomic_bool *is_cancelled,
				    mxw__store_db_t **ret_db, char ret_reason[MXW__DB_REASON_MAX])
{
	struct mxw__db_options options = {.path = path, .schema = "", .version = SCHEMA_VERSION, .is_cancelled = is_cancelled};
	struct mxw__store_db *self = mxw__calloc(1, sizeof *self);

	if (!self) {
		snprintf(ret_reason, MXW__DB_REASON_MAX, "out of memory");
		return MXW__DB_FAILED;
	}
	self->n = n < MXW__STATE_SORTS_MAX ? n : MXW__STATE_SORTS_MAX;
	for (size_t i = 0; i < self->n; i++)
		self->tables[i].sort = states[i].sort->is_kept ? states[i].sort : NULL;
	mxw__db_status_t status = mxw__db_open(&options, &self->db, ret_reason);
	if (status != MXW__DB_DONE) {
		free(self);
		return status;
	}
	/*
	 * A machine that loses power is to lose no more than a process that is killed. Rows change here and there in the file: each page is to
	 * be written back once for many of them.
	 */
	status = mxw__db_exec(self->db, "PRAGMA synchronous=FULL; PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=4000");
	if (status == MXW__DB_DONE)
		status = make_tables(self);
	if (status == MXW__DB_DONE)
		status = prepare(self);
	if (status == MXW__DB_DONE) {
		*ret_db = self;
		return status;
	}
	snprintf(ret_reason, MXW__DB_REASON_MAX, "%s", mxw__db_reason(self->db));
	mxw__store_db_close(self);
	return status;
}

void mxw__store_db_close(mxw__store_db_t *db)
{
	if (!db)
		return;
	mxw__db_close(db->db);
	free(db);
}

const char *mxw__store_db_reason(const mxw__store_db_t *db)
{
	return mxw__db_reason(db->db);
}

/* ---- writing ---- */

mxw__db_status_t mxw__store_db_begin(mxw__store_db_t *db)
{
	return mxw__db_begin(db->db);
}

mxw__db_status_t mxw__store_db_end(mxw__store_db_t *db, mxw__db_status_t status)
{
	return mxw__db_end(db->db, status);
}

mxw__db_status_t mxw__store_db_write(mxw__store_db_t *db, size_t sort, const struct mxw__state_record *record, int64_t generation)
{
	const struct table *table = &db->tables[sort];
	mxw__db_statement_t *s = record->is_gone ? table->remove : table->write;
	int at = 1;

	mxw__db_bind_text(s, at++, record->key);
	if (record->is_gone)
		return mxw__db_run(s);
	mxw__db_bind_number(s, at++, record->at_ms);
	mxw__db_bind_number(s, at++, record->expires_ms);
	mxw__db_bind_number(s, at++, (int64_t)record->half_life_ms);
	mxw__db_bind_number(s, at++, generation);
	for (size_t i = 0; i < table->sort->nfields; i++)
		mxw__db_bind_real(s, at++, record->values[i]);
	if (table->sort->has_text)
		mxw__db_bind_text(s, at, record->text);
	return mxw__db_run(s);
}

/* ---- reading: what is in a file may be anything ---- */

/* False: it is too long, or empty. What is not printable becomes '?', as does a blank. */
static bool copy_key(char *to, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n >= size)
		return false;
	for (size_t i = 0; i <= n; i++) {
		bool is_good = (text[i] > ' ' && text[i] < 0x7f) || i == n;
		to[i] = is_good ? text[i] : '?';
	}
	return n > 0;
}

static bool copy_text(char *to, size_t size, const char *text)
{
	mxw__state_copy_text(to, size, text, strlen(text));
	return *to && strlen(text) < size;
}

static double in_range(double number)
{
	if (!isfinite(number))
		return 0;
	return number > number_max ? number_max : number < -number_max ? -number_max : number;
}

static int64_t time_in_range(int64_t ms)
{
	return ms < 0 ? 0 : ms > (int64_t)number_max ? (int64_t)number_max : ms;
}

/* False: it is no record of ours. */
static bool read_row(const struct table *table, struct mxw__state_record *r, int64_t *ret_generation)
{
	mxw__db_statement_t *s = table->read;
	int at = 0;

	memset(r, 0, sizeof *r);
	if (!copy_key(r->key, sizeof r->key, mxw__db_text(s, at++)))
		return false;
	r->at_ms = time_in_range(mxw__db_int(s, at++));
	r->expires_ms = time_in_range(mxw__db_int(s, at++));
	r->half_life_ms = (uint64_t)time_in_range(mxw__db_int(s, at++));
	*ret_generation = time_in_range(mxw__db_int(s, at++));
	for (size_t i = 0; i < table->sort->nfields; i++)
		r->values[i] = in_range(mxw__db_real(s, at++));
	if (table->sort->has_text && !copy_text(r->text, sizeof r->text, mxw__db_text(s, at)))
		r->text[0] = '\0';
	return true;
}

mxw__db_status_t mxw__store_db_read(mxw__store_db_t *db, size_t sort, char cursor[MXW__STATE_KEY_MAX], int64_t *generation,
				    void (*take)(void *ctx, const struct mxw__state_record *record), void *ctx, bool *ret_is_more)
{
	const struct table *table = &db->tables[sort];
	char before[MXW__STATE_KEY_MAX];
	mxw__db_status_t status;
	int64_t row_generation;
	bool is_row;
	int n = 0;

	memcpy(before, cursor, sizeof before);
	mxw__db_bind_text(table->read, 1, cursor);
	while ((status = mxw__db_step(table->read, &is_row)) == MXW__DB_DONE && is_row) {
		n++;
		snprintf(cursor, MXW__STATE_KEY_MAX, "%s", mxw__db_text(table->read, 0));
		if (!read_row(table, &db->record, &row_generation))
			continue;
		if (row_generation > *generation)
			*generation = row_generation;
		take(ctx, &db->record);
	}
	/* Keys that are not ours may be such that the way does not lead on. */
	*ret_is_more = n == MXW__STORE_DB_STEP && strcmp(cursor, before) > 0;
	return status;
}

/* ---- removing ---- */

static mxw__db_status_t find_last(const struct table *table, const char *cursor, char ret_last[MXW__STATE_KEY_MAX], int64_t *ret_n)
{
	bool is_row;

	mxw__db_bind_text(table->last, 1, cursor);
	mxw__db_bind_number(table->last, 2, MXW__STORE_DB_STEP);
	mxw__db_status_t status = mxw__db_step(table->last, &is_row);
	*ret_n = 0;
	if (status != MXW__DB_DONE || !is_row)
		return status;
	snprintf(ret_last, MXW__STATE_KEY_MAX, "%s", mxw__db_text(table->last, 0));
	*ret_n = mxw__db_int(table->last, 1);
	mxw__db_reset(table->last);
	return status;
}

mxw__db_status_t mxw__store_db_trim(mxw__store_db_t *db, size_t sort, char cursor[MXW__STATE_KEY_MAX], int64_t now_ms, int64_t oldest,
				    bool *ret_is_more)
{
	const struct table *table = &db->tables[sort];
	char last[MXW__STATE_KEY_MAX], vacuum[48];
	int64_t n;
	mxw__db_status_t status = find_last(table, cursor, last, &n);

	*ret_is_more = false;
	if (status != MXW__DB_DONE || n == 0)
		return status;
	mxw__db_bind_text(table->trim, 1, cursor);
	mxw__db_bind_text(table->trim, 2, last);
	mxw__db_bind_number(table->trim, 3, now_ms);
	mxw__db_bind_number(table->trim, 4, oldest);
	status = mxw__db_run(table->trim);
	snprintf(vacuum, sizeof vacuum, "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
	if (status == MXW__DB_DONE && mxw__db_changes(db->db) > 0)
		status = mxw__db_exec(db->db, vacuum);
	*ret_is_more = n == MXW__STORE_DB_STEP && strcmp(last, cursor) > 0;
	memcpy(cursor, last, sizeof last);
	return status;
}

mxw__db_status_t mxw__store_db_count(mxw__store_db_t *db, size_t sort, int64_t *ret_count)
{
	return mxw__db_number(db->tables[sort].count, ret_count);
}
