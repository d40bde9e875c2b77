/* SPDX-License-Identifier: BSD-2-Clause */
/* Host names of servers: getaddrinfo() takes as long as it likes, so each name is looked up by a job. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "src/directory/source.h"

struct mxw__resolving {
	char *host;
	char port[8];
	int code;
	struct addrinfo *found;
	mxw__job_t *job; /* of who asks; the rest is the job's until it is done */
};

static void release(void *data)
{
	mxw__resolving_t *name = data;

	if (name->found)
		freeaddrinfo(name->found);
	free(name->host);
	free(name);
}

static int ask(const char *host, const char *port, int flags, struct addrinfo **ret_found)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

	return getaddrinfo(host, port, &hints, ret_found);
}

static void resolve(void *data)
{
	mxw__resolving_t *name = data;
	struct addrinfo *found = NULL;

	name->code = ask(name->host, name->port, AI_ADDRCONFIG, &found);
	/* A machine with nothing but a loopback interface has no address of any family to configure for. */
	if (name->code != 0)
		name->code = ask(name->host, name->port, 0, &found);
	name->found = name->code == 0 ? found : NULL;
}

mxw__resolving_t *mxw__resolving_start(mxw__jobs_t *jobs, const char *host, unsigned port, struct addrinfo **ret_found)
{
	mxw__resolving_t *name = calloc(1, sizeof *name);

	*ret_found = NULL;
	if (!name)
		return NULL;
	snprintf(name->port, sizeof name->port, "%u", port);
	name->host = strdup(host);
	if (!name->host || ask(host, name->port, AI_NUMERICHOST, ret_found) == 0) {
		release(name);
		return NULL;
	}
	mxw__job_t *job = mxw__job_start(jobs, resolve, release, name);
	if (!job)
		return NULL;
	name->job = job;
	return name;
}

int mxw__resolving_fd(const mxw__resolving_t *name)
{
	return mxw__job_fd(name->job);
}

bool mxw__resolving_is_done(mxw__resolving_t *name)
{
	return mxw__job_is_done(name->job);
}

struct addrinfo *mxw__resolving_end(mxw__resolving_t *name, const char **ret_why)
{
	struct addrinfo *found = NULL;

	if (!mxw__job_is_done(name->job)) {
		*ret_why = "the host name was not resolved in time";
	} else if (name->code != 0) {
		*ret_why = gai_strerror(name->code);
	} else {
		found = name->found;
		name->found = NULL;
	}
	mxw__job_unref(name->job);
	return found;
}
