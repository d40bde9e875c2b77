/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h: the socket on which mxwardctl(8) finds the daemon.
 *
 * One thread serves it: a connection says one line, gets its answer, and is closed. There are few at a time, each for some
 * seconds at most, so that none keeps the others out for long; who comes on top waits to be accepted. Mail never waits for any of
 * it. Who may connect is a matter of the socket's mode; who did is asked of the kernel, and logged with each change.
 *
 * Threads: open and start before sessions are served, stop once, from the main thread.
 * Errors:  a socket that can't be had is no reason not to serve: the problem is for a warning.
 */
#ifndef MXW_MILTER_CONTROL_H
#define MXW_MILTER_CONTROL_H

#include <sys/types.h>

#include <mxward/session.h>

#include "milter/log.h"

typedef struct mwd_control mwd_control_t;

struct mwd_control_options {
	const char *spec;      /* "unix:/path" */
	mode_t mode;
	const char *group;     /* of the socket's file; "" or NULL: leave */
	mxw_engine_t *engine;
	mwd_log_t *log;
};

/* 0, or an exit code. A socket's group that can't be given to it is a warning in the log. */
int mwd_control_start(const struct mwd_control_options *options, mwd_control_t **ret_control, struct mwd_problem *problem);
/*
 * Ends what is asked, removes the socket's file if it is still ours. False: the thread does not come back within some seconds, since
 * the system does not say who a user is; it is left there, and the engine must be, too. NULL is allowed.
 */
bool mwd_control_stop(mwd_control_t *control);

#endif
