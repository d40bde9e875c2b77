/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mwd.h: what the files of the daemon share.
 *
 * The daemon is the library's first customer: it includes public headers only. libmilter exports about two
 * hundred names of sendmail's, so everything here is static or starts with mwd_, and nothing is exported.
 *
 *    main.c       options, -t, -T
 *    run.c        start, serve, drain, stop, in that order
 *    listener.c   the socket: who else has it, mode, group, pause and resume under libmilter's feet
 *    glue.c       libmilter's callbacks; conn.c, negotiate.c, macros.c and reply.c are its parts
 *    shim.c       what of libmilter must not be called as it is
 *    gate.c       which callbacks run, and which connections there are
 *    kick.c       makes libmilter's worker pool grow when its workers block
 *    fdguard.c    keeps libmilter from spinning when descriptors run out
 *    control.c    the socket of mxwardctl; command.c, words.c: what is asked there, and answered
 *    log.c, signals.c, privs.c, daemonize.c, notify.c   the process
 */
#ifndef MXW_MILTER_MWD_H
#define MXW_MILTER_MWD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MWD_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define MWD_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Why the daemon can't start, and how it has to exit (sysexits.h). */
struct mwd_problem {
	int exit_code;
	char text[768];
};

/* Fills in the problem and returns its exit code, never 0. */
int mwd_problem_set(struct mwd_problem *problem, int exit_code, const char *fmt, ...) MWD_PRINTF(3, 4);

/* Milliseconds on a scale that never jumps. */
int64_t mwd_now_ms(void);

#endif
