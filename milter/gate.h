/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.h: which callbacks are in progress and since when, and which connections there are.
 *
 * Every callback enters and leaves. kick.c asks how many have been in progress for long; a stop closes the
 * gate, waits for those inside, and then owns every connection.
 *
 * Threads: all functions from any thread. One lock, innermost: nothing else is taken or waited for under it.
 * Memory:  a call is a variable of the callback's; connections are linked by a member of theirs.
 */
#ifndef MXW_MILTER_GATE_H
#define MXW_MILTER_GATE_H

#include <pthread.h>

#include "milter/mwd.h"

struct mwd_link {
	struct mwd_link *next;
	struct mwd_link *prev;
};

/* One callback in progress. */
struct mwd_call {
	struct mwd_link link; /* first member; the oldest call is at the head */
	int64_t since_ms;
};

typedef struct mwd_gate {
	pthread_mutex_t lock;
	pthread_cond_t began; /* a call began while the watcher slept */
	struct mwd_link calls;
	struct mwd_link conns;
	unsigned ncalls;
	unsigned nconns;
	bool is_closed;
	bool watcher_sleeps;
	bool is_stopping; /* the watcher has to end */
} mwd_gate_t;

void mwd_gate_init(mwd_gate_t *gate);
void mwd_gate_fini(mwd_gate_t *gate);

/* False: the gate is closed, nothing behind it may be touched any more. */
bool mwd_gate_enter(mwd_gate_t *gate, struct mwd_call *call);
void mwd_gate_leave(mwd_gate_t *gate, struct mwd_call *call);
/* Lets nobody in from now on. */
void mwd_gate_close(mwd_gate_t *gate);
unsigned mwd_gate_ncalls(mwd_gate_t *gate);
/* How many calls have been in progress for `ms` or longer; counts no further than `max`. */
unsigned mwd_gate_nblocked(mwd_gate_t *gate, int64_t ms, unsigned max);

/* Connections. Adding never fails; false says that there were `max` already (0: no limit). */
bool mwd_gate_add_conn(mwd_gate_t *gate, struct mwd_link *conn, unsigned max);
void mwd_gate_remove_conn(mwd_gate_t *gate, struct mwd_link *conn);
unsigned mwd_gate_nconns(mwd_gate_t *gate);
/* Takes one out, NULL if there is none. For use when the gate is closed and empty. */
struct mwd_link *mwd_gate_take_conn(mwd_gate_t *gate);

/*
 * For the one watcher: sleeps `ms`, or, when `until_call` is set and no call is in progress, until one
 * begins. Returns false when it has to end.
 */
bool mwd_gate_watch(mwd_gate_t *gate, int ms, bool until_call);
void mwd_gate_stop_watcher(mwd_gate_t *gate);

#endif
