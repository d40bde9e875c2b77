/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/journal/dmarc_db.h"

enum { SCHEMA_VERSION = 1, VACUUM_PAGES = 256 };

/* IF NOT EXISTS: two processes may make it at one time. */
static const char schema[] =
	"CREATE TABLE IF NOT EXISTS evaluation ("
	" id INTEGER PRIMARY KEY,"
	" at INTEGER NOT NULL,"
	" session TEXT NOT NULL,"
	" source TEXT NOT NULL,"
	" author_domain TEXT NOT NULL,"
	" policy_domain TEXT NOT NULL,"
	" p TEXT NOT NULL,"
	" sp TEXT NOT NULL,"
	" np TEXT NOT NULL,"
	" adkim TEXT NOT NULL,"
	" aspf TEXT NOT NULL,"
	" testing INTEGER NOT NULL,"
	" fo TEXT NOT NULL,"
	" rua TEXT NOT NULL,"
	" result TEXT NOT NULL,"
	" dkim_aligned INTEGER NOT NULL,"
	" spf_aligned INTEGER NOT NULL,"
	" disposition TEXT NOT NULL,"
	" override TEXT NOT NULL,"
	" spf_domain TEXT NOT NULL,"
	" spf_scope TEXT NOT NULL,"
	" spf_result TEXT NOT NULL,"
	" envelope_from TEXT NOT NULL,"
	" envelope_to TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS signature ("
	" evaluation INTEGER NOT NULL,"
	" n INTEGER NOT NULL,"
	" domain TEXT NOT NULL,"
	" selector TEXT NOT NULL,"
	" result TEXT NOT NULL,"
	" aligned INTEGER NOT NULL,"
	" PRIMARY KEY (evaluation, n)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS evaluation_at ON evaluation (at)";

#define OLDEST "(SELECT id FROM evaluation WHERE at < ?1 ORDER BY at, id LIMIT ?2)"

struct mxw__dmarc_db {
	mxw__db_t *db;
	mxw__db_statement_t *insert, *insert_signature, *delete, *delete_signatures, *count;
};

static mxw__db_status_t prepare(struct mxw__dmarc_db *self)
{
	const struct {
		const char *sql;
		mxw__db_statement_t **statement;
	} wanted[] = {
		{"INSERT INTO evaluation (at, session, source, author_domain, policy_domain, p, sp, np, adkim, aspf, testing, fo,"
		 " rua, result, dkim_aligned, spf_aligned, disposition, override, spf_domain, spf_scope, spf_result,"
		 " envelope_from, envelope_to)"
		 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &self->insert},
		{"INSERT INTO signature (evaluation, n, domain, selector, result, aligned) VALUES (?, ?, ?, ?, ?, ?)",
		 &self->insert_signature},
		{"DELETE FROM evaluation WHERE id IN " OLDEST, &self->delete},
		{"DELETE FROM signature WHERE evaluation IN " OLDEST, &self->delete_signatures},
		{"SELECT count(*) FROM evaluation", &self->count},
	};
	mxw__db_status_t status = MXW__DB_DONE;

	for (size_t i = 0; i < MXW_ARRAY_LEN(wanted) && status == MXW__DB_DONE; i++)
		status = mxw__db_prepare(self->db, wanted[i].sql, wanted[i].statement);
	return status;
}

mxw__db_status_t mxw__dmarc_db_open(const char *path, const atomic_bool *is_cancelled, mxw__dmarc_db_t **ret_db,
				    char ret_reason[MXW__DB_REASON_MAX])
{
	struct mxw__db_options options = {.path = path, .schema = schema, .version = SCHEMA_VERSION, .is_cancelled = is_cancelled};
	struct mxw__dmarc_db *self = mxw__calloc(1, sizeof *self);

	if (!self) {
		snprintf(ret_reason, MXW__DB_REASON_MAX, "out of memory");
		return MXW__DB_FAILED;
	}
	mxw__db_status_t status = mxw__db_open(&options, &self->db, ret_reason);
	if (status == MXW__DB_DONE && (status = prepare(self)) != MXW__DB_DONE)
		snprintf(ret_reason, MXW__DB_REASON_MAX, "%s", mxw__db_reason(self->db));
	if (status != MXW__DB_DONE) {
		mxw__dmarc_db_close(self);
		return status;
	}
	*ret_db = self;
	return status;
}

void mxw__dmarc_db_close(mxw__dmarc_db_t *self)
{
	if (!self)
		return;
	mxw__db_close(self->db);
	free(self);
}

const char *mxw__dmarc_db_reason(const mxw__dmarc_db_t *self)
{
	return mxw__db_reason(self->db);
}

/* ---- writing ---- */

static void bind_texts(mxw__db_statement_t *statement, int *at, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mxw__db_bind_text(statement, (*at)++, texts[i] ? texts[i] : "");
}

#define TEXTS(...) (const char *const[]){__VA_ARGS__}, MXW_ARRAY_LEN(((const char *const[]){__VA_ARGS__}))

static mxw__db_status_t write_evaluation(struct mxw__dmarc_db *self, const struct mxw__dmarc_evaluation *e)
{
	mxw__db_statement_t *s = self->insert;
	int at = 1;

	mxw__db_bind_number(s, at++, e->at_s);
	bind_texts(s, &at, TEXTS(e->session, e->source, e->author_domain, e->policy_domain, e->p, e->sp, e->np, e->adkim, e->aspf));
	mxw__db_bind_number(s, at++, e->is_testing);
	bind_texts(s, &at, TEXTS(e->fo, e->rua, e->result));
	mxw__db_bind_number(s, at++, e->dkim_aligned);
	mxw__db_bind_number(s, at++, e->spf_aligned);
	bind_texts(s, &at, TEXTS(e->disposition, e->override, e->spf_domain, e->spf_scope, e->spf_result, e->envelope_from,
				 e->envelope_to));
	return mxw__db_run(s);
}

static mxw__db_status_t write_signature(struct mxw__dmarc_db *self, int64_t id, size_t n,
					const struct mxw__dmarc_kept_signature *signature)
{
	mxw__db_statement_t *s = self->insert_signature;
	int at = 1;

	mxw__db_bind_number(s, at++, id);
	mxw__db_bind_number(s, at++, (int64_t)n);
	bind_texts(s, &at, TEXTS(signature->domain, signature->selector, signature->result));
	mxw__db_bind_number(s, at++, signature->is_aligned);
	return mxw__db_run(s);
}

static mxw__db_status_t write_one(struct mxw__dmarc_db *self, const struct mxw__dmarc_evaluation *e)
{
	mxw__db_status_t status = write_evaluation(self, e);
	int64_t id = mxw__db_last_id(self->db);

	for (size_t i = 0; i < e->nsignatures && status == MXW__DB_DONE; i++)
		status = write_signature(self, id, i + 1, &e->signatures[i]);
	return status;
}

mxw__db_status_t mxw__dmarc_db_write(mxw__dmarc_db_t *self, const struct mxw__dmarc_evaluation *const *evaluations, size_t n)
{
	mxw__db_status_t status = mxw__db_begin(self->db);

	for (size_t i = 0; i < n && status == MXW__DB_DONE; i++)
		status = write_one(self, evaluations[i]);
	return mxw__db_end(self->db, status);
}

/* ---- removing ---- */

static mxw__db_status_t remove_oldest(struct mxw__dmarc_db *self, int64_t before_s, int64_t n, int64_t *ret_removed)
{
	mxw__db_statement_t *const statements[] = {self->delete_signatures, self->delete};
	mxw__db_status_t status = mxw__db_begin(self->db);

	for (size_t i = 0; i < MXW_ARRAY_LEN(statements) && status == MXW__DB_DONE; i++) {
		mxw__db_bind_number(statements[i], 1, before_s);
		mxw__db_bind_number(statements[i], 2, n);
		status = mxw__db_run(statements[i]);
	}
	*ret_removed = status == MXW__DB_DONE ? mxw__db_changes(self->db) : 0;
	return mxw__db_end(self->db, status);
}

mxw__db_status_t mxw__dmarc_db_trim(mxw__dmarc_db_t *self, int64_t oldest_s, uint64_t max, bool *ret_is_more)
{
	char vacuum[48];
	int64_t removed, count = 0, excess = 0;
	mxw__db_status_t status = remove_oldest(self, oldest_s, MXW__DMARC_DB_STEP, &removed);

	if (status == MXW__DB_DONE && removed == 0)
		status = mxw__db_number(self->count, &count);
	if (status == MXW__DB_DONE && count > (int64_t)max) {
		excess = count - (int64_t)max;
		status = remove_oldest(self, INT64_MAX, excess < MXW__DMARC_DB_STEP ? excess : MXW__DMARC_DB_STEP, &removed);
	}
	snprintf(vacuum, sizeof vacuum, "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
	if (status == MXW__DB_DONE && removed)
		status = mxw__db_exec(self->db, vacuum);
	*ret_is_more = status == MXW__DB_DONE && (removed == MXW__DMARC_DB_STEP || excess > removed);
	return status;
}
