/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "milter/signals.h"

/* A handler gets no argument. Written once, before there is a handler. */
static int event_pipe[2] = {-1, -1};

void mwd_signals_tell(mwd_event_t event)
{
	char byte = (char)event;
	ssize_t n;

	/* A full pipe holds thousands of events that nobody has looked at: one more says nothing new. */
	do
		n = write(event_pipe[1], &byte, 1);
	while (n < 0 && errno == EINTR);
}

static void on_signal(int signo)
{
	int saved = errno;

	mwd_signals_tell(signo == SIGHUP ? MWD_EVENT_RELOAD : MWD_EVENT_STOP);
	errno = saved;
}

bool mwd_signals_init(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER | SA_RESTART};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t ours;

	if (pipe2(event_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	sigemptyset(&action.sa_mask);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	/* Whoever started us may have them blocked. */
	sigemptyset(&ours);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	return pthread_sigmask(SIG_UNBLOCK, &ours, NULL) == 0;
}

mwd_event_t mwd_signals_wait(int timeout_ms)
{
	struct pollfd pfd = {.fd = event_pipe[0], .events = POLLIN};
	int64_t until = mwd_now_ms() + timeout_ms;
	char byte;

	for (;;) {
		if (read(event_pipe[0], &byte, 1) == 1)
			return (mwd_event_t)byte;
		int64_t left = timeout_ms < 0 ? -1 : until - mwd_now_ms();
		if (timeout_ms >= 0 && left <= 0)
			return MWD_EVENT_NONE;
		if (poll(&pfd, 1, (int)left) < 0 && errno != EINTR)
			return MWD_EVENT_FAILED;
	}
}

void mwd_signals_block(sigset_t *ret_old_mask)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, ret_old_mask);
}

void mwd_signals_unblock(const sigset_t *old_mask)
{
	pthread_sigmask(SIG_SETMASK, old_mask, NULL);
}
