/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals.h: HUP, TERM and INT as bytes in a pipe, read by the main thread.
 *
 * libmilter has a thread that waits for the same signals and stops at any of them, SIGHUP included; shim.c lets
 * it wait for ever. The main thread never blocks them, not even while a handler runs (SA_NODEFER), and every
 * other thread is started with all blocked. smfi_main() runs in a thread of its own.
 *
 * Threads: mwd_signals_init() and mwd_signals_wait() in the main thread; mwd_signals_tell() in any.
 */
#ifndef MXW_MILTER_SIGNALS_H
#define MXW_MILTER_SIGNALS_H

#include <signal.h>

#include "milter/mwd.h"

typedef enum mwd_event {
	MWD_EVENT_NONE,    /* the time is over */
	MWD_EVENT_RELOAD,  /* SIGHUP */
	MWD_EVENT_STOP,    /* SIGTERM, SIGINT */
	MWD_EVENT_FAILED   /* smfi_main() came back */
} mwd_event_t;

bool mwd_signals_init(void);
/* Waits for the next event, at most `timeout_ms`; -1: for ever. */
mwd_event_t mwd_signals_wait(int timeout_ms);
/* Puts an event in from another thread. */
void mwd_signals_tell(mwd_event_t event);

/* For threads that are to get no signal: blocks all, and puts back what was. */
void mwd_signals_block(sigset_t *ret_old_mask);
void mwd_signals_unblock(const sigset_t *old_mask);

#endif
