/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <signal.h>

#include "src/base/base.h"

int mxw__quiet_thread(pthread_t *ret_thread, void *(*run)(void *), void *arg)
{
	sigset_t all, before;

	/* SIGPIPE among them: writing to a socket that was closed must not end the process. */
	sigfillset(&all);
	int rc = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (rc != 0)
		return rc;
	rc = pthread_create(ret_thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
