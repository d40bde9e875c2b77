/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <time.h>

#include "milter/gate.h"

static void list_init(struct mwd_link *list)
{
	list->next = list;
	list->prev = list;
}

static void list_append(struct mwd_link *list, struct mwd_link *link)
{
	link->next = list;
	link->prev = list->prev;
	list->prev->next = link;
	list->prev = link;
}

static void list_remove(struct mwd_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
}

void mwd_gate_init(mwd_gate_t *gate)
{
	pthread_condattr_t attr;

	*gate = (mwd_gate_t){0};
	pthread_mutex_init(&gate->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&gate->began, &attr);
	pthread_condattr_destroy(&attr);
	list_init(&gate->calls);
	list_init(&gate->conns);
}

void mwd_gate_fini(mwd_gate_t *gate)
{
	pthread_mutex_destroy(&gate->lock);
	pthread_cond_destroy(&gate->began);
}

bool mwd_gate_enter(mwd_gate_t *gate, struct mwd_call *call)
{
	call->since_ms = mwd_now_ms();
	pthread_mutex_lock(&gate->lock);
	bool may_enter = !gate->is_closed;
	if (may_enter) {
		list_append(&gate->calls, &call->link);
		gate->ncalls++;
		if (gate->watcher_sleeps)
			pthread_cond_signal(&gate->began);
	}
	pthread_mutex_unlock(&gate->lock);
	return may_enter;
}

void mwd_gate_leave(mwd_gate_t *gate, struct mwd_call *call)
{
	pthread_mutex_lock(&gate->lock);
	list_remove(&call->link);
	gate->ncalls--;
	pthread_mutex_unlock(&gate->lock);
}

void mwd_gate_close(mwd_gate_t *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->is_closed = true;
	pthread_mutex_unlock(&gate->lock);
}

unsigned mwd_gate_ncalls(mwd_gate_t *gate)
{
	pthread_mutex_lock(&gate->lock);
	unsigned n = gate->ncalls;
	pthread_mutex_unlock(&gate->lock);
	return n;
}

unsigned mwd_gate_nblocked(mwd_gate_t *gate, int64_t ms, unsigned max)
{
	int64_t before = mwd_now_ms() - ms;
	unsigned n = 0;

	pthread_mutex_lock(&gate->lock);
	for (struct mwd_link *l = gate->calls.next; l != &gate->calls && n < max; l = l->next, n++)
		if (((struct mwd_call *)l)->since_ms > before)
			break;
	pthread_mutex_unlock(&gate->lock);
	return n;
}

bool mwd_gate_add_conn(mwd_gate_t *gate, struct mwd_link *conn, unsigned max)
{
	pthread_mutex_lock(&gate->lock);
	bool has_room = max == 0 || gate->nconns < max;
	list_append(&gate->conns, conn);
	gate->nconns++;
	pthread_mutex_unlock(&gate->lock);
	return has_room;
}

void mwd_gate_remove_conn(mwd_gate_t *gate, struct mwd_link *conn)
{
	pthread_mutex_lock(&gate->lock);
	list_remove(conn);
	gate->nconns--;
	pthread_mutex_unlock(&gate->lock);
}

unsigned mwd_gate_nconns(mwd_gate_t *gate)
{
	pthread_mutex_lock(&gate->lock);
	unsigned n = gate->nconns;
	pthread_mutex_unlock(&gate->lock);
	return n;
}

struct mwd_link *mwd_gate_take_conn(mwd_gate_t *gate)
{
	struct mwd_link *conn = NULL;

	pthread_mutex_lock(&gate->lock);
	if (gate->conns.next != &gate->conns) {
		conn = gate->conns.next;
		list_remove(conn);
		gate->nconns--;
	}
	pthread_mutex_unlock(&gate->lock);
	return conn;
}

bool mwd_gate_watch(mwd_gate_t *gate, int ms, bool until_call)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&gate->lock);
	if (until_call) {
		gate->watcher_sleeps = true;
		while (gate->ncalls == 0 && !gate->is_stopping)
			pthread_cond_wait(&gate->began, &gate->lock);
		gate->watcher_sleeps = false;
	} else {
		/* Nobody signals now but mwd_gate_stop_watcher(): this is a sleep that can be ended. */
		while (!gate->is_stopping)
			if (pthread_cond_timedwait(&gate->began, &gate->lock, &ts) == ETIMEDOUT)
				break;
	}
	bool goes_on = !gate->is_stopping;
	pthread_mutex_unlock(&gate->lock);
	return goes_on;
}

void mwd_gate_stop_watcher(mwd_gate_t *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->is_stopping = true;
	pthread_cond_broadcast(&gate->began);
	pthread_mutex_unlock(&gate->lock);
}
