/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h: lines to syslog or standard error.
 *
 * Before mwd_log_start() a line is written by the caller. After it lines go through a bounded queue to one
 * writer thread, since syslog(3) waits for as long as the reader of its socket is stuck, and no mail may wait
 * with it. Lines that do not fit are dropped and counted, and the count is logged.
 *
 * Threads: mwd_log_line() and mwd_logf() from any thread; the others from the main thread.
 * Memory:  at most MWD_LOG_QUEUE lines wait.
 */
#ifndef MXW_MILTER_LOG_H
#define MXW_MILTER_LOG_H

#include <mxward/session.h>

#include "milter/mwd.h"

#define MWD_LOG_QUEUE 8192

typedef struct mwd_log mwd_log_t;

/* To standard error, to syslog, or to both (a daemon that is still starting). NULL when memory is gone. */
mwd_log_t *mwd_log_open(bool to_stderr, bool to_syslog);
/* The terminal is given back: from now on to syslog alone. Before mwd_log_start(). */
void mwd_log_leave_stderr(mwd_log_t *log);
/* Takes level and syslog facility from their names; "" and unknown names leave the default (info, mail). */
void mwd_log_configure(mwd_log_t *log, const char *level, const char *facility);
/* Starts the writer thread. False: lines go on being written by their callers. */
bool mwd_log_start(mwd_log_t *log);
/* Writes what waits, for at most `timeout_ms`, and ends the writer. NULL is allowed. */
void mwd_log_close(mwd_log_t *log, int timeout_ms);

void mwd_log_line(mwd_log_t *log, mxw_level_t level, const char *line);
void mwd_logf(mwd_log_t *log, mxw_level_t level, const char *fmt, ...) MWD_PRINTF(3, 4);

#endif
