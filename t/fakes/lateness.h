/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lateness.h: how much time the machine takes from threads that want nothing but to be woken, for tests of what has to be
 * done in time: what is late because nobody had a processor is not the fault of what is tested.
 *
 * Threads: some of its own, each of which sleeps for a moment and looks how late it is. Any thread may ask.
 */
#ifndef MXW_T_FAKES_LATENESS_H
#define MXW_T_FAKES_LATENESS_H

#include <stdint.h>

enum { LATENESS_THREADS = 4 };

/* A moment. */
struct lateness_mark {
	int64_t at_ms;
	int64_t lost_ms[LATENESS_THREADS];
};

/* Ends the test program when they can't be started. */
void lateness_start(void);
void lateness_stop(void);
struct lateness_mark lateness_mark(void);
/* What has passed since then, without what the machine took from the one of the threads that lost most. */
int64_t lateness_took_ms(const struct lateness_mark *mark);

#endif
