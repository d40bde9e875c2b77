/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h: the daemon from start to end.
 *
 * Order of the start: configuration, background, descriptors, socket, process id file, user, configuration again
 * as that user (what SIGHUP will be able to read), state directory, engine, threads, control socket, "ready". Order of the end:
 * control socket, listener, connections (up to drain-timeout), gate, engine, files, log.
 *
 * Threads: the main thread runs this and takes the signals; smfi_main(), kicker and guard have one each.
 */
#ifndef MXW_MILTER_RUN_H
#define MXW_MILTER_RUN_H

#include <mxward/conf.h>

#include "milter/mwd.h"

struct mwd_options {
	const char *conf_path; /* absolute */
	bool is_foreground;
};

/* Serves until it is told to stop; returns the exit code. */
int mwd_run(const struct mwd_options *options);

/* Writes a complaint about the configuration as "file:line:column: text". */
void mwd_format_complaint(const struct mxw_error *error, char *ret_text, size_t size);

#endif
