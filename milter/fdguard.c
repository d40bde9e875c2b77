/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "milter/fdguard.h"

#define SPARE_MIN 16   /* fewer: pause */
#define SPARE_ENOUGH 32 /* as many: resume */
#define LOOK_MS 200
#define LOOK_PAUSED_MS 50

unsigned long mwd_fdguard_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	rlim_t soft = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : soft;
}

/* Taking them is the only look at the limit that is exact, and it is cheap. */
bool mwd_fdguard_has_free(unsigned n)
{
	int fds[SPARE_ENOUGH];
	unsigned got = 0;

	if (n > SPARE_ENOUGH)
		n = SPARE_ENOUGH;
	while (got < n) {
		int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			break;
		fds[got++] = fd;
	}
	for (unsigned i = 0; i < got; i++)
		close(fds[i]);
	return got == n;
}

/* Sleeps; false when the guard has to end. */
static bool sleep_ms(struct mwd_fdguard *guard, int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += (long)ms * 1000000L;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&guard->lock);
	while (!guard->is_stopping)
		if (pthread_cond_timedwait(&guard->stop, &guard->lock, &ts) == ETIMEDOUT)
			break;
	bool goes_on = !guard->is_stopping;
	pthread_mutex_unlock(&guard->lock);
	return goes_on;
}

static void *watch(void *arg)
{
	struct mwd_fdguard *guard = arg;
	bool is_low = false;
	int64_t last_said_ms = 0;

	while (sleep_ms(guard, is_low ? LOOK_PAUSED_MS : LOOK_MS)) {
		bool was_low = is_low;
		is_low = !mwd_fdguard_has_free(is_low ? SPARE_ENOUGH : SPARE_MIN);
		if (is_low && !was_low) {
			mwd_listener_pause(guard->listener);
			/* Under siege this comes and goes: once a minute is enough to be told. */
			if (last_said_ms == 0 || mwd_now_ms() - last_said_ms > 60000) {
				last_said_ms = mwd_now_ms();
				mwd_logf(guard->log, MXW_LEVEL_WARNING,
					 "descriptors: fewer than %d are left, new connections wait; raise the limit "
					 "(LimitNOFILE=) or lower sessions", SPARE_MIN);
			}
		} else if (!is_low && was_low) {
			mwd_listener_resume(guard->listener);
		}
	}
	return NULL;
}

bool mwd_fdguard_start(struct mwd_fdguard *guard, struct mwd_listener *listener, mwd_log_t *log)
{
	pthread_condattr_t attr;

	guard->listener = listener;
	guard->log = log;
	pthread_mutex_init(&guard->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&guard->stop, &attr);
	pthread_condattr_destroy(&attr);
	guard->has_thread = pthread_create(&guard->thread, NULL, watch, guard) == 0;
	return guard->has_thread;
}

void mwd_fdguard_stop(struct mwd_fdguard *guard)
{
	if (!guard->has_thread)
		return;
	pthread_mutex_lock(&guard->lock);
	guard->is_stopping = true;
	pthread_cond_signal(&guard->stop);
	pthread_mutex_unlock(&guard->lock);
	pthread_join(guard->thread, NULL);
	guard->has_thread = false;
}
