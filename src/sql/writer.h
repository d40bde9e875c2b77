/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.h: a thread that writes into one database file, behind the backs of those who have something to keep.
 *
 * Its owner says what the work is; the writer says when, and looks after what goes wrong. Trouble with the disk is one notice in
 * each hour, a pause, and another notice when it is over; a file that is damaged is set aside, and work begins again at once; the end waits for the disk so long
 * and no longer.
 *
 * Who may call: journal.
 * Threads: `work` and `close` run on the writer's thread, one at a time; mxw__writer_fail(), _succeed() and _complain() are to be
 *          called from there. The rest from any thread. The mutex is a leaf, and held for a few instructions.
 * Memory:  path and notice_ctx must outlive the writer.
 */
#ifndef MXW_SRC_SQL_WRITER_H
#define MXW_SRC_SQL_WRITER_H

#include "src/sql/db.h"

typedef struct mxw__writer mxw__writer_t;

struct mxw__writer_options {
	const char *path;           /* of the database */
	const struct mxw_clock *clock;  /* of notices; copied */
	void (*notice)(void *ctx, bool is_error, const char *text); /* may be NULL; on the writer's thread */
	void *notice_ctx;
	/* Does what there is to do; true if nothing of it is left. Is to stop early once mxw__writer_is_cancelled(). */
	bool (*work)(void *ctx, bool is_flush);
	/* Closes the database, if it is open. */
	void (*close)(void *ctx);
	/* What a notice says of the consequences. */
	void (*tell_loss)(void *ctx, struct mxw__buf *text);
	void *ctx;
	unsigned idle_ms;           /* work begins so long after it ended, if nobody wakes it before */
	unsigned retry_ms;          /* the same after a failure, whoever wakes it */
	unsigned stop_ms;           /* how long the end may wait for the disk; twice, if need be */
};

/* NULL without memory. */
mxw__writer_t *mxw__writer_new(const struct mxw__writer_options *options);
/* Begins, after idle_ms. False, after a notice: there is no thread to be had. */
bool mxw__writer_start(mxw__writer_t *writer);
/*
 * Has the work done once more, closes the database and ends the thread. False: the disk does not answer. Then thread and writer are
 * left there, and what `ctx` points to must be, too. NULL is allowed.
 */
bool mxw__writer_free(mxw__writer_t *writer);

/* Work is to begin within so much of real time. */
void mxw__writer_wake(mxw__writer_t *writer, unsigned within_ms);
void mxw__writer_set_idle(mxw__writer_t *writer, unsigned idle_ms);
/* Has the work done now. True: it is all done, within `timeout_ms` of real time. */
bool mxw__writer_flush(mxw__writer_t *writer, unsigned timeout_ms);

/* The end does not wait any longer. For mxw__db_options; it lives as long as the writer. */
const atomic_bool *mxw__writer_cancelled(const mxw__writer_t *writer);
bool mxw__writer_is_cancelled(const mxw__writer_t *writer);
/* Something was not done: closes the database; a damaged file is set aside, unless nothing could be written since the last one was. Returns
 * whether it was, or is gone: what was in it is to be written into another one. */
bool mxw__writer_fail(mxw__writer_t *writer, mxw__db_status_t status, const char *why);
/* Something was written. */
void mxw__writer_succeed(mxw__writer_t *writer);
/* Once in an hour, whatever happens in it; or some minutes after it was told that all is well again. */
void mxw__writer_complain(mxw__writer_t *writer, const char *what, const char *why);

#endif
