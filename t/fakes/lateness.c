/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/base/base.h"
#include "t/fakes/lateness.h"

enum { TICK_MS = 5 };

struct sleeper {
	pthread_t thread;
	pthread_mutex_t lock;
	bool is_stopping;
	int64_t due_ms;  /* when it should be awake */
	int64_t lost_ms; /* by how much it was late, all in all */
};
static struct sleeper sleepers[LATENESS_THREADS];

static int64_t now_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

/* A clock of milliseconds is one late in any case. */
static int64_t late_at(const struct sleeper *sleeper, int64_t at_ms)
{
	return at_ms > sleeper->due_ms + 1 ? at_ms - sleeper->due_ms - 1 : 0;
}

static void *sleep_on(void *arg)
{
	struct sleeper *sleeper = arg;
	bool is_stopping = false;

	while (!is_stopping) {
		poll(NULL, 0, TICK_MS);
		pthread_mutex_lock(&sleeper->lock);
		int64_t now = now_ms();
		sleeper->lost_ms += late_at(sleeper, now);
		sleeper->due_ms = now + TICK_MS;
		is_stopping = sleeper->is_stopping;
		pthread_mutex_unlock(&sleeper->lock);
	}
	return NULL;
}

void lateness_start(void)
{
	for (size_t i = 0; i < LATENESS_THREADS; i++) {
		sleepers[i] = (struct sleeper){.due_ms = now_ms() + TICK_MS};
		if (pthread_mutex_init(&sleepers[i].lock, NULL) != 0 ||
		    pthread_create(&sleepers[i].thread, NULL, sleep_on, &sleepers[i]) != 0) {
			perror("lateness");
			exit(EXIT_FAILURE);
		}
	}
}

void lateness_stop(void)
{
	for (size_t i = 0; i < LATENESS_THREADS; i++) {
		pthread_mutex_lock(&sleepers[i].lock);
		sleepers[i].is_stopping = true;
		pthread_mutex_unlock(&sleepers[i].lock);
		pthread_join(sleepers[i].thread, NULL);
		pthread_mutex_destroy(&sleepers[i].lock);
	}
}

/* With what it is late at this moment. */
static int64_t lost_until(struct sleeper *sleeper, int64_t at_ms)
{
	pthread_mutex_lock(&sleeper->lock);
	int64_t lost = sleeper->lost_ms + late_at(sleeper, at_ms);
	pthread_mutex_unlock(&sleeper->lock);
	return lost;
}

struct lateness_mark lateness_mark(void)
{
	struct lateness_mark mark = {.at_ms = now_ms()};

	for (size_t i = 0; i < LATENESS_THREADS; i++)
		mark.lost_ms[i] = lost_until(&sleepers[i], mark.at_ms);
	return mark;
}

int64_t lateness_took_ms(const struct lateness_mark *mark)
{
	int64_t now = now_ms(), most = 0;

	for (size_t i = 0; i < LATENESS_THREADS; i++) {
		int64_t lost = lost_until(&sleepers[i], now) - mark->lost_ms[i];
		if (lost > most)
			most = lost;
	}
	return now - mark->at_ms > most ? now - mark->at_ms - most : 0;
}
