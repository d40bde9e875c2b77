/* SPDX-License-Identifier: BSD-2-Clause */
/* address.c: where to listen, and whether that is possible. */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "milter/listener.h"

static int parse_unix(const char *spec, const char *path, struct mwd_address *ret, struct mwd_problem *problem)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&ret->sa;
	size_t len = strlen(path);

	if (len == 0)
		return mwd_problem_set(problem, EX_CONFIG, "socket %s: the path is missing", spec);
	if (len >= sizeof sun->sun_path)
		return mwd_problem_set(problem, EX_CONFIG, "socket %s: the path is longer than %zu bytes", spec,
				       sizeof sun->sun_path - 1);
	memset(&ret->sa, 0, sizeof ret->sa);
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, len + 1);
	ret->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	ret->path = sun->sun_path;
	return 0;
}

static int parse_inet(const char *spec, int family, const char *rest, struct mwd_address *ret,
		      struct mwd_problem *problem)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *list = NULL;
	char port[64];
	char host[256] = "";
	const char *at = strchr(rest, '@');
	size_t port_len = at ? (size_t)(at - rest) : strlen(rest);

	if (port_len == 0 || port_len >= sizeof port)
		return mwd_problem_set(problem, EX_CONFIG, "socket %s: expected port@host", spec);
	memcpy(port, rest, port_len);
	port[port_len] = '\0';
	if (at) {
		size_t len = strlen(++at);
		if (len >= 2 && at[0] == '[' && at[len - 1] == ']') {
			at++;
			len -= 2;
			hints.ai_flags |= AI_NUMERICHOST;
		}
		if (len == 0 || len >= sizeof host)
			return mwd_problem_set(problem, EX_CONFIG, "socket %s: expected port@host", spec);
		memcpy(host, at, len);
		host[len] = '\0';
	}
	int rc = getaddrinfo(host[0] ? host : NULL, port, &hints, &list);
	if (rc != 0)
		return mwd_problem_set(problem, rc == EAI_AGAIN ? EX_TEMPFAIL : EX_CONFIG, "socket %s: %s", spec,
				       gai_strerror(rc));
	memset(&ret->sa, 0, sizeof ret->sa);
	memcpy(&ret->sa, list->ai_addr, list->ai_addrlen);
	ret->len = list->ai_addrlen;
	ret->path = NULL;
	freeaddrinfo(list);
	return 0;
}

int mwd_address_parse(const char *spec, struct mwd_address *ret_address, struct mwd_problem *problem)
{
	const char *colon = strchr(spec, ':');
	size_t len = colon ? (size_t)(colon - spec) : 0;

	if (!colon)
		return parse_unix(spec, spec, ret_address, problem);
	if ((len == 4 && strncasecmp(spec, "unix", 4) == 0) || (len == 5 && strncasecmp(spec, "local", 5) == 0))
		return parse_unix(spec, colon + 1, ret_address, problem);
	if (len == 4 && strncasecmp(spec, "inet", 4) == 0)
		return parse_inet(spec, AF_INET, colon + 1, ret_address, problem);
	if (len == 5 && strncasecmp(spec, "inet6", 5) == 0)
		return parse_inet(spec, AF_INET6, colon + 1, ret_address, problem);
	return mwd_problem_set(problem, EX_CONFIG,
			       "socket %s: expected unix:PATH, inet:PORT@HOST or inet6:PORT@HOST", spec);
}

/* Errors that go away by themselves, or when another process ends. */
static int exit_code_of(int error)
{
	switch (error) {
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case EAGAIN:
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case ENOSPC:
		return EX_TEMPFAIL;
	default:
		return EX_CONFIG;
	}
}

/* The file is there: is it a socket that a process listens on, or one that was left behind? */
static int check_file(const struct mwd_address *address, struct mwd_problem *problem)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return mwd_problem_set(problem, EX_TEMPFAIL, "socket: %s", strerror(errno));
	int rc = connect(fd, (const struct sockaddr *)&address->sa, address->len);
	int error = rc == 0 ? 0 : errno;
	close(fd);
	if (error == 0 || error == EAGAIN)
		return mwd_problem_set(problem, EX_TEMPFAIL,
				       "socket %s: in use, another process listens on it", address->path);
	if (error != ECONNREFUSED)
		return mwd_problem_set(problem, EX_CONFIG, "socket %s: %s", address->path, strerror(error));
	if (unlink(address->path) != 0 && errno != ENOENT)
		return mwd_problem_set(problem, EX_CONFIG, "socket %s: can't remove what a former process left: %s",
				       address->path, strerror(errno));
	return 0;
}

static int check_unix(const struct mwd_address *address, struct mwd_problem *problem)
{
	struct stat st;
	char dir[sizeof(struct sockaddr_un)];

	snprintf(dir, sizeof dir, "%s", address->path);
	char *slash = strrchr(dir, '/');
	if (!slash)
		snprintf(dir, sizeof dir, ".");
	else
		slash[slash == dir ? 1 : 0] = '\0';
	if (stat(dir, &st) != 0)
		return mwd_problem_set(problem, EX_CONFIG, "socket %s: directory %s: %s", address->path, dir,
				       strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return mwd_problem_set(problem, EX_CONFIG, "socket %s: %s is not a directory", address->path, dir);
	if (lstat(address->path, &st) != 0) {
		if (errno == ENOENT)
			return 0;
		return mwd_problem_set(problem, EX_CONFIG, "socket %s: %s", address->path, strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return mwd_problem_set(problem, EX_CONFIG, "socket %s: exists and is no socket", address->path);
	return check_file(address, problem);
}

/* libmilter says to syslog alone why it can't bind: find it out ourselves. */
static int try_to_bind(const char *spec, const struct mwd_address *address, struct mwd_problem *problem)
{
	int on = 1;
	int fd = socket(address->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return mwd_problem_set(problem, errno == EAFNOSUPPORT ? EX_CONFIG : EX_TEMPFAIL, "socket %s: %s", spec,
				       strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	int rc = bind(fd, (const struct sockaddr *)&address->sa, address->len);
	/* Two sockets with SO_REUSEADDR may be bound to one address; only one of them may listen. */
	if (rc == 0 && !address->path)
		rc = listen(fd, 1);
	int error = errno;
	close(fd);
	if (rc == 0 && address->path)
		unlink(address->path);
	if (rc == 0)
		return 0;
	return mwd_problem_set(problem, exit_code_of(error), "socket %s: %s", spec,
			       error == EADDRINUSE ? "in use, another process listens on it" : strerror(error));
}

int mwd_listener_check(const char *spec, struct mwd_problem *problem)
{
	struct mwd_address address;
	int rc = mwd_address_parse(spec, &address, problem);

	if (rc == 0 && address.path)
		rc = check_unix(&address, problem);
	if (rc == 0)
		rc = try_to_bind(spec, &address, problem);
	return rc;
}
