/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kick.h: makes libmilter's worker pool grow when its workers block.
 *
 * Debian's libmilter has a pool of workers. A session with input is given to an "idle" worker, but a worker
 * counts as idle until it wakes, so a burst of sessions is queued on the two that are there. If their callbacks
 * then wait, for DNS say, everybody waits: 200 sessions of one second took 100 s. Nothing in libmilter looks at
 * that queue again but a worker that has finished.
 *
 * Any new connection makes libmilter start a worker if none is idle, and a worker that has finished with its
 * connection looks into the queue. So while callbacks are blocked this thread opens and closes connections to our
 * own socket. A kick was worth it if the worker that served it took up a session within WORTH_MS; then the
 * next batch is twice as large, else it is one, after a pause that doubles. A libmilter that starts a thread for
 * each connection makes no kick worth it, and is left alone but for a few each second while callbacks block.
 *
 * Threads: one, which sleeps while no callback is in progress. mwd_kick_served() and mwd_kick_working() are
 *          called by libmilter's threads from glue.c.
 */
#ifndef MXW_MILTER_KICK_H
#define MXW_MILTER_KICK_H

#include <stdatomic.h>

#include "milter/gate.h"
#include "milter/listener.h"

struct mwd_kicker {
	mwd_gate_t *gate;
	struct mwd_listener *listener;
	pthread_t thread;
	bool has_thread;
	_Atomic uint64_t sent;   /* connections opened */
	_Atomic uint64_t served; /* connections that ended without having said a word */
	_Atomic uint64_t worth;  /* of these, whose worker then took up a session */
};

/* False: no thread could be started; bursts are served slowly then. */
bool mwd_kicker_start(struct mwd_kicker *kicker, mwd_gate_t *gate, struct mwd_listener *listener);
void mwd_kicker_stop(struct mwd_kicker *kicker);

/* A connection ended that never negotiated: it was a kick, or somebody looking whether we are there. */
void mwd_kick_served(struct mwd_kicker *kicker);
/* This thread begins a callback. */
void mwd_kick_working(struct mwd_kicker *kicker);

#endif
