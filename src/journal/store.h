/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store.h: keeps what is remembered (src/track/state.h) in STATE_DIR/tracker.db.
 *
 * At the start each sort gets what was kept of it: one thread reads the file, and the start waits a second for it; what takes
 * longer is done while sessions go on, to whom records are added as they come. After that the same thread writes what has
 * changed, every so often, in transactions, and removes in small steps what has expired. The end writes what is left.
 *
 * What could not be written goes back to those who remember, and is tried again; a file that is damaged is set aside, and
 * all of what is known is written into a new one. Where a table grows beyond its bound, all that is known is written anew, and
 * what is known no longer is removed from it.
 *
 * Who may call: session.
 * Threads: configure, flush and the statistics from any thread. take() and put() of the sorts are called on the store's own, with
 *          no lock held but one of the store's.
 * Memory:  one batch of records. The sorts' memory must outlive the store.
 * Errors:  trouble with the disk is one notice in each hour, and never an error.
 */
#ifndef MXW_SRC_JOURNAL_STORE_H
#define MXW_SRC_JOURNAL_STORE_H

#include "src/base/base.h"
#include "src/track/state.h"

typedef struct mxw__store mxw__store_t;

struct mxw__store_env {
	const char *state_dir;      /* NULL: nothing is kept */
	bool is_read_only;          /* likewise */
	const struct mxw_clock *clock;
	void (*notice)(void *ctx, bool is_error, const char *text); /* may be NULL; on the store's thread */
	void *notice_ctx;
	uint64_t interval_ms;       /* between two times of writing */
	uint64_t max_rows;          /* of one table, beyond which it is looked for what is not known any more */
	/* 0: as it should be outside of tests. */
	unsigned retry_ms;          /* pause after a failure */
	unsigned stop_ms;           /* how long the end may wait for the disk */
	unsigned load_ms;           /* how long the start may wait for it */
};

/* `env` and `states` are copied; what they point to must outlive the store. MXW_ERR_NOMEM. */
mxw_status_t mxw__store_new(const struct mxw__store_env *env, const struct mxw__state *states, size_t n, mxw__store_t **ret_store);
/* Writes what has changed, within a bound of time; the sorts are not called any more after it. NULL is allowed. */
void mxw__store_free(mxw__store_t *store);
void mxw__store_configure(mxw__store_t *store, uint64_t interval_ms, uint64_t max_rows);

/* What has changed is written soon, and not only when its time has come. */
void mxw__store_wake(mxw__store_t *store);
/* Has what has changed written and what has expired removed now. True: it is done, within `timeout_ms` of real time. */
bool mxw__store_flush(mxw__store_t *store, unsigned timeout_ms);

/* All that is on disk has been put in, or nothing is kept there. Not while the disk does not answer. */
bool mxw__store_has_loaded(mxw__store_t *store);

struct mxw__store_stats {
	bool is_on, is_loaded;
	uint64_t loaded, written;   /* rows */
	uint64_t failures;          /* times that it could not be written or read */
};
void mxw__store_get_stats(mxw__store_t *store, struct mxw__store_stats *ret_stats);

#endif
