/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "src/directory/ldap_pool.h"

struct name {
	char *host;
	char port[8];
	int code;
	struct addrinfo *found;
};

static void release_name(void *data)
{
	struct name *name = data;

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

static void resolve_name(void *data)
{
	struct name *name = data;
	struct addrinfo *found = NULL;

	name->code = ask(name->host, name->port, AI_ADDRCONFIG, &found);
	/* A machine with nothing but a loopback interface has no address of any family to configure for. */
	if (name->code != 0)
		name->code = ask(name->host, name->port, 0, &found);
	name->found = name->code == 0 ? found : NULL;
}

static mxw__job_t *start(mxw__jobs_t *jobs, const char *host, const char *port, struct name **ret_name)
{
	struct name *name = calloc(1, sizeof *name);

	if (!name)
		return NULL;
	snprintf(name->port, sizeof name->port, "%s", port);
	name->host = strdup(host);
	if (!name->host) {
		free(name);
		return NULL;
	}
	*ret_name = name;
	return mxw__job_start(jobs, resolve_name, release_name, name);
}

struct addrinfo *mxw__ldap_resolve(struct mxw__ldap_link *link, const char *host, int port, int64_t deadline_ms,
				   struct mxw__ldap_failure *ret_failure)
{
	struct addrinfo *found = NULL;
	struct name *name;
	char number[8];

	snprintf(number, sizeof number, "%d", port);
	if (ask(host, number, AI_NUMERICHOST, &found) == 0)
		return found;
	mxw__job_t *job = start(link->jobs, host, number, &name);
	if (!job) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_LOCAL_ERROR,
			       "the host name can't be resolved: too many look-ups of it hang", NULL);
		return NULL;
	}
	int64_t left;
	while (!mxw__job_is_done(job) && !mxw__ldap_link_is_cancelled(link) &&
	       (left = deadline_ms - mxw__ldap_now_ms()) > 0)
		mxw__ldap_link_wait(link, mxw__job_fd(job), POLLIN, left);
	if (!mxw__job_is_done(job)) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_TIMEOUT, "the host name was not resolved in time",
			       NULL);
	} else if (name->code != 0) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, LDAP_CONNECT_ERROR, gai_strerror(name->code), NULL);
	} else {
		found = name->found;
		name->found = NULL;
	}
	mxw__job_unref(job);
	return found;
}
