/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc_db.h: the database of DMARC evaluations. Its tables are described in mxward(8).
 *
 * Who may call: dmarc_store.c.
 * Threads: one at a time.
 */
#ifndef MXW_SRC_JOURNAL_DMARC_DB_H
#define MXW_SRC_JOURNAL_DMARC_DB_H

#include "src/journal/dmarc_store.h"
#include "src/sql/db.h"

enum { MXW__DMARC_DB_STEP = 500 }; /* rows removed at one time */

typedef struct mxw__dmarc_db mxw__dmarc_db_t;

mxw__db_status_t mxw__dmarc_db_open(const char *path, const atomic_bool *is_cancelled, mxw__dmarc_db_t **ret_db,
				    char ret_reason[MXW__DB_REASON_MAX]);
void mxw__dmarc_db_close(mxw__dmarc_db_t *db);

/* All of them, or none. */
mxw__db_status_t mxw__dmarc_db_write(mxw__dmarc_db_t *db, const struct mxw__dmarc_evaluation *const *evaluations, size_t n);
/* One step: removes some that are older than `oldest_s`, or, if there are none, some of the oldest beyond `max`. */
mxw__db_status_t mxw__dmarc_db_trim(mxw__dmarc_db_t *db, int64_t oldest_s, uint64_t max, bool *ret_is_more);

/* Why the last of these has failed. */
const char *mxw__dmarc_db_reason(const mxw__dmarc_db_t *db);

#endif
