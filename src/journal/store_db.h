/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_db.h: the database of what is remembered: one table for each sort of state, with one row for each key and one column for each
 * field. The tables are described in mxward(8).
 *
 * A sort that has got another field gets another column; columns that are not known are left alone. Each row says in which
 * generation it was written: once all of a sort has been written anew, what is of a former one can go.
 *
 * Who may call: store.c.
 * Threads: one at a time.
 */
#ifndef MXW_SRC_JOURNAL_STORE_DB_H
#define MXW_SRC_JOURNAL_STORE_DB_H

#include "src/sql/db.h"
#include "src/track/state.h"

enum { MXW__STORE_DB_STEP = 1000 }; /* rows read or removed at one time */

typedef struct mxw__store_db mxw__store_db_t;

/* `states` are copied; those that are not kept have no table. */
mxw__db_status_t mxw__store_db_open(const char *path, const struct mxw__state *states, size_t n, const atomic_bool *is_cancelled,
				    mxw__store_db_t **ret_db, char ret_reason[MXW__DB_REASON_MAX]);
void mxw__store_db_close(mxw__store_db_t *db);

/* Between begin and end, all of what is written or nothing. */
mxw__db_status_t mxw__store_db_begin(mxw__store_db_t *db);
mxw__db_status_t mxw__store_db_write(mxw__store_db_t *db, size_t sort, const struct mxw__state_record *record, int64_t generation);
mxw__db_status_t mxw__store_db_end(mxw__store_db_t *db, mxw__db_status_t status);

/*
 * Up to MXW__STORE_DB_STEP rows behind the key `cursor` ("" is the beginning), in their order, to `take`; moves it on. The greatest
 * generation of them goes to `generation`, if it is greater. False for `ret_is_more`: that was all.
 */
mxw__db_status_t mxw__store_db_read(mxw__store_db_t *db, size_t sort, char cursor[MXW__STATE_KEY_MAX], int64_t *generation,
				    void (*take)(void *ctx, const struct mxw__state_record *record), void *ctx, bool *ret_is_more);

/* The same way through the table: removes rows that nobody needs from `now_ms` on, and those of generations before `oldest`. */
mxw__db_status_t mxw__store_db_trim(mxw__store_db_t *db, size_t sort, char cursor[MXW__STATE_KEY_MAX], int64_t now_ms, int64_t oldest,
				    bool *ret_is_more);

mxw__db_status_t mxw__store_db_count(mxw__store_db_t *db, size_t sort, int64_t *ret_count);

/* Why the last of these has failed. */
const char *mxw__store_db_reason(const mxw__store_db_t *db);

#endif
