/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <time.h>

#include "src/base/base.h"

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_monotonic(void *ctx)
{
	return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_wall(void *ctx)
{
	return read_ms(CLOCK_REALTIME);
}

/* To an absolute time: what was done before does not show in when it ends. */
static void system_sleep_until(void *ctx, int64_t monotonic_ms)
{
	struct timespec ts = {.tv_sec = (time_t)(monotonic_ms / 1000), .tv_nsec = (long)(monotonic_ms % 1000) * 1000000L};

	(void)ctx;
	if (monotonic_ms <= 0)
		return;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

const struct mxw_clock *mxw_clock_system(void)
{
	static const struct mxw_clock system_clock = {system_monotonic, system_wall, NULL, system_sleep_until};
	return &system_clock;
}

int mxw__cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);

	if (rc != 0)
		return rc;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	rc = pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
	return rc;
}

int mxw__cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (ms > 0) {
		ts.tv_sec += (time_t)(ms / 1000);
		ts.tv_nsec += (long)(ms % 1000) * 1000000L;
		if (ts.tv_nsec >= 1000000000L) {
			ts.tv_sec++;
			ts.tv_nsec -= 1000000000L;
		}
	}
	return pthread_cond_timedwait(cond, mutex, &ts);
}
