/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "milter/listener.h"

/* As many as the kernel lets us: a burst must wait in the backlog, not be refused. */
#define BACKLOG 4096

/* A start finds few descriptors open; libmilter's is among the lowest. */
#define SCAN_MAX 4096

static bool is_listening(int fd)
{
	int value = 0;
	socklen_t len = sizeof value;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 && value != 0;
}

/* Finds a descriptor that listens now and is not marked in `before`. -1: none. */
static int find_listening(const bool *before, bool *ret_listening)
{
	int found = -1;

	for (int fd = 0; fd < SCAN_MAX; fd++) {
		bool yes = is_listening(fd);
		if (ret_listening)
			ret_listening[fd] = yes;
		if (yes && before && !before[fd] && found < 0)
			found = fd;
	}
	return found;
}

static bool set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* Whoever listens on every address is reached on the loopback one. */
static void make_connectable(struct mwd_address *address)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&address->sa;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&address->sa;

	address->path = NULL;
	if (address->sa.ss_family == AF_INET && sin->sin_addr.s_addr == htonl(INADDR_ANY))
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (address->sa.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&sin6->sin6_addr))
		sin6->sin6_addr = in6addr_loopback;
	else if (address->sa.ss_family == AF_UNIX)
		address->path = ((struct sockaddr_un *)&address->sa)->sun_path;
}

static bool get_address(int fd, struct mwd_address *ret)
{
	memset(ret, 0, sizeof *ret);
	ret->len = sizeof ret->sa;
	if (getsockname(fd, (struct sockaddr *)&ret->sa, &ret->len) != 0)
		return false;
	make_connectable(ret);
	return true;
}

/* A listener that nobody knows: an abstract unix name or a loopback port that the kernel chooses. */
static int open_quiet(sa_family_t family, struct mwd_address *ret_address)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa_family_t);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	sa.ss_family = family;
	if (family == AF_INET) {
		((struct sockaddr_in *)&sa)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		len = sizeof(struct sockaddr_in);
	} else if (family == AF_INET6) {
		((struct sockaddr_in6 *)&sa)->sin6_addr = in6addr_loopback;
		len = sizeof(struct sockaddr_in6);
	}
	if (bind(fd, (struct sockaddr *)&sa, len) != 0 || listen(fd, BACKLOG) != 0 || !get_address(fd, ret_address)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_by_libmilter(const struct mwd_listener_options *options, int *ret_slot, struct mwd_problem *problem)
{
	bool *before = calloc(SCAN_MAX, sizeof *before);
	char *spec = strdup(options->spec); /* smfi_setconn() takes no const */
	int rc = 0;

	if (!before || !spec) {
		rc = mwd_problem_set(problem, EX_TEMPFAIL, "out of memory");
		goto done;
	}
	find_listening(NULL, before);
	/* The file gets its mode when it is made: a chmod() afterwards would leave a moment in between. */
	mode_t old = umask((mode_t)~options->mode & 0777);
	bool is_open = smfi_setconn(spec) == MI_SUCCESS && smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
		       smfi_opensocket(false) == MI_SUCCESS;
	umask(old);
	*ret_slot = is_open ? find_listening(before, NULL) : -1;
	if (*ret_slot < 0)
		rc = mwd_problem_set(problem, EX_TEMPFAIL, "socket %s: libmilter can't open it, see the system log",
				     options->spec);
done:
	free(before);
	free(spec);
	return rc;
}

/* Group and owner of the socket's file; lchown() since the directory may belong to the unprivileged user. */
static int set_owner(const struct mwd_listener_options *options, const char *path, struct mwd_problem *problem)
{
	if (options->uid == (uid_t)-1 && options->gid == (gid_t)-1)
		return 0;
	if (lchown(path, options->uid, options->gid) == 0)
		return 0;
	return mwd_problem_set(problem, EX_CONFIG, "socket %s: can't give it to user %ld, group %ld: %s", path,
			       (long)options->uid, (long)options->gid, strerror(errno));
}

int mwd_listener_open(const struct mwd_listener_options *options, struct mwd_listener *ret_listener,
		      struct mwd_problem *problem)
{
	struct mwd_listener *l = ret_listener;
	struct stat st;
	int rc = mwd_listener_check(options->spec, problem);

	if (rc != 0)
		return rc;
	memset(l, 0, sizeof *l);
	pthread_mutex_init(&l->lock, NULL);
	rc = open_by_libmilter(options, &l->slot, problem);
	if (rc != 0)
		return rc;
	l->real = fcntl(l->slot, F_DUPFD_CLOEXEC, 0);
	if (l->real < 0 || !get_address(l->real, &l->real_address) || !set_nonblocking(l->slot))
		return mwd_problem_set(problem, EX_TEMPFAIL, "socket %s: %s", options->spec, strerror(errno));
	l->quiet = open_quiet(l->real_address.sa.ss_family, &l->quiet_address);
	if (l->quiet < 0)
		return mwd_problem_set(problem, EX_TEMPFAIL, "socket %s: the second listener: %s", options->spec,
				       strerror(errno));
	const char *path = l->real_address.path;
	if (!path)
		return 0;
	if (lstat(path, &st) == 0) {
		l->has_file = true;
		l->dev = st.st_dev;
		l->ino = st.st_ino;
	}
	return set_owner(options, path, problem);
}

static bool kick_once(const struct mwd_address *address)
{
	int fd = socket(address->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return false;
	int rc = connect(fd, (const struct sockaddr *)&address->sa, address->len);
	bool is_under_way = rc == 0 || errno == EINPROGRESS;
	close(fd);
	return is_under_way;
}

/*
 * Puts another listener under libmilter's descriptor. libmilter may be in poll() on the former one, for five
 * seconds to come, and poll() holds on to the open file: a connection to that one wakes it.
 */
static bool swap_in(struct mwd_listener *l, int fd, const struct mwd_address *former)
{
	if (dup3(fd, l->slot, O_CLOEXEC) < 0)
		return false;
	kick_once(former);
	return true;
}

void mwd_listener_pause(struct mwd_listener *l)
{
	pthread_mutex_lock(&l->lock);
	if (!l->is_paused && !l->is_retired)
		l->is_paused = swap_in(l, l->quiet, &l->real_address);
	pthread_mutex_unlock(&l->lock);
}

void mwd_listener_resume(struct mwd_listener *l)
{
	pthread_mutex_lock(&l->lock);
	if (l->is_paused && !l->is_retired)
		l->is_paused = !swap_in(l, l->real, &l->quiet_address);
	pthread_mutex_unlock(&l->lock);
}

/* Only the file that we made: a successor may have put its own there. */
static void remove_file(const struct mwd_listener *l)
{
	struct stat st;
	const char *path = l->real_address.path;

	if (l->has_file && lstat(path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(path);
}

void mwd_listener_retire(struct mwd_listener *l)
{
	pthread_mutex_lock(&l->lock);
	if (!l->is_retired) {
		if (!l->is_paused)
			swap_in(l, l->quiet, &l->real_address);
		remove_file(l);
		close(l->real);
		l->real = -1;
		l->is_retired = true;
	}
	pthread_mutex_unlock(&l->lock);
}

unsigned mwd_listener_kick(struct mwd_listener *l, unsigned n)
{
	struct mwd_address address;
	unsigned done = 0;

	pthread_mutex_lock(&l->lock);
	address = l->is_paused || l->is_retired ? l->quiet_address : l->real_address;
	pthread_mutex_unlock(&l->lock);
	while (done < n && kick_once(&address))
		done++;
	return done;
}
