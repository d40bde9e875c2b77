/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdguard.h: descriptors are a limited good.
 *
 * When accept(2) fails for want of a descriptor libmilter tries again at once, and again: a core is lost
 * until somebody hangs up. The guard looks a few times a second whether SPARE_MIN descriptors are to be
 * had. If not, it pauses the listener, and resumes it when there are enough again; whoever connects meanwhile
 * waits in the backlog. The spare ones serve kicks, the resolver and files.
 *
 * Threads: one of its own.
 */
#ifndef MXW_MILTER_FDGUARD_H
#define MXW_MILTER_FDGUARD_H

#include "milter/listener.h"
#include "milter/log.h"

struct mwd_fdguard {
	struct mwd_listener *listener;
	mwd_log_t *log;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool has_thread;
	bool is_stopping;
};

/* Raises the soft limit of descriptors to the hard one; returns what is in force then. */
unsigned long mwd_fdguard_raise_limit(void);

/* Can `n` descriptors be had just now? */
bool mwd_fdguard_has_free(unsigned n);

bool mwd_fdguard_start(struct mwd_fdguard *guard, struct mwd_listener *listener, mwd_log_t *log);
void mwd_fdguard_stop(struct mwd_fdguard *guard);

#endif
