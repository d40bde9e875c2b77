/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/directory/ldap_pool.h"

/* Shared by who asks and the thread that does it; the last of the two frees it. */
struct job {
	atomic_uint refs;
	char *host;
	char port[8];
	int done_fd;
	atomic_bool is_done;
	int code;
	struct addrinfo *found;
};

static void job_unref(struct job *job)
{
	if (atomic_fetch_sub(&job->refs, 1) != 1)
		return;
	if (job->found)
		freeaddrinfo(job->found);
	if (job->done_fd >= 0)
		close(job->done_fd);
	free(job->host);
	free(job);
}

static int ask(const char *host, const char *port, int flags, struct addrinfo **ret_found)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

	return getaddrinfo(host, port, &hints, ret_found);
}

static void *run_job(void *arg)
{
	struct job *job = arg;
	struct addrinfo *found = NULL;

	job->code = ask(job->host, job->port, AI_ADDRCONFIG, &found);
	/* A machine with nothing but a loopback interface has no address of any family to configure for. */
	if (job->code != 0)
		job->code = ask(job->host, job->port, 0, &found);
	job->found = job->code == 0 ? found : NULL;
	atomic_store(&job->is_done, true);
	uint64_t one = 1;
	MXW_UNUSED ssize_t n = write(job->done_fd, &one, sizeof one);
	job_unref(job);
	return NULL;
}

static struct job *start_job(const char *host, int port)
{
	struct job *job = calloc(1, sizeof *job);
	pthread_t thread;

	if (!job)
		return NULL;
	atomic_init(&job->refs, 2);
	snprintf(job->port, sizeof job->port, "%d", port);
	job->host = strdup(host);
	job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!job->host || job->done_fd < 0 || mxw__ldap_thread(&thread, run_job, job) != 0) {
		atomic_store(&job->refs, 1);
		job_unref(job);
		return NULL;
	}
	pthread_detach(thread);
	return job;
}

struct addrinfo *mxw__ldap_resolve(struct mxw__ldap_link *link, const char *host, int port, int64_t deadline_ms,
				   struct mxw__ldap_failure *ret_failure)
{
	struct addrinfo *found = NULL;
	char number[8];

	snprintf(number, sizeof number, "%d", port);
	if (ask(host, number, AI_NUMERICHOST, &found) == 0)
		return found;
	struct job *job = start_job(host, port);
	if (!job) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_LOCAL_ERROR, "out of threads or descriptors", NULL);
		return NULL;
	}
	int64_t left;
	while (!atomic_load(&job->is_done) && !mxw__ldap_link_is_cancelled(link) &&
	       (left = deadline_ms - mxw__ldap_now_ms()) > 0)
		mxw__ldap_link_wait(link, job->done_fd, POLLIN, left);
	if (!atomic_load(&job->is_done)) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_TIMEOUT, "the host name was not resolved in time", NULL);
	} else if (job->code != 0) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_CONNECT_ERROR, gai_strerror(job->code), NULL);
	} else {
		found = job->found;
		job->found = NULL;
	}
	job_unref(job);
	return found;
}
