/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to one SMTP server: octets out, replies in. The socket never blocks; each wait has a deadline and is
 * ended by mxw__call_link_cancel().
 */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/directory/callahead.h"

mxw_status_t mxw__call_link_init(struct mxw__call_link *link, mxw__jobs_t *jobs, struct mxw_error *err)
{
	memset(link, 0, sizeof *link);
	link->jobs = jobs;
	link->fd = -1;
	atomic_init(&link->is_cancelled, false);
	link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (link->wake_fd < 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "eventfd: %s", strerror(errno));
	return MXW_OK;
}

void mxw__call_link_fini(struct mxw__call_link *link)
{
	mxw__call_link_close(link);
	close(link->wake_fd);
}

void mxw__call_link_wake(struct mxw__call_link *link)
{
	uint64_t one = 1;
	/* It can only fail when the counter is full: then the wake-up is there already. */
	MXW_UNUSED ssize_t n = write(link->wake_fd, &one, sizeof one);
}

void mxw__call_link_cancel(struct mxw__call_link *link)
{
	atomic_store(&link->is_cancelled, true);
	mxw__call_link_wake(link);
}

bool mxw__call_link_wait(struct mxw__call_link *link, int fd, short events, int64_t deadline_ms)
{
	struct pollfd fds[2] = {{.fd = link->wake_fd, .events = POLLIN}, {.fd = fd, .events = events}};
	int64_t left = deadline_ms - mxw__call_now_ms();
	int timeout = left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;

	if (atomic_load(&link->is_cancelled) || poll(fds, fd >= 0 ? 2 : 1, timeout) <= 0)
		return false;
	if (fds[0].revents) {
		uint64_t count;
		MXW_UNUSED ssize_t n = read(link->wake_fd, &count, sizeof count);
	}
	return fd >= 0 && fds[1].revents != 0;
}

bool mxw__call_link_wait_io(struct mxw__call_link *link, int fd, short events, int64_t deadline_ms)
{
	while (!atomic_load(&link->is_cancelled)) {
		if (mxw__call_link_wait(link, fd, events, deadline_ms))
			return true;
		if (mxw__call_now_ms() >= deadline_ms)
			return false;
	}
	return false;
}

/* ---- names ---- */

/* NULL: `ret_failure` says why. To be freed with freeaddrinfo(). */
static struct addrinfo *resolve(struct mxw__call_link *link, const char *host, unsigned port, int64_t deadline_ms,
				struct mxw__call_failure *ret_failure)
{
	const char *why = "the host name can't be resolved: too many look-ups of it hang";
	struct addrinfo *found;
	mxw__resolving_t *name = mxw__resolving_start(link->jobs, host, port, &found);

	if (found)
		return found;
	if (name) {
		mxw__call_link_wait_io(link, mxw__resolving_fd(name), POLLIN, deadline_ms);
		found = mxw__resolving_end(name, &why);
	}
	if (!found)
		mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "%s", why);
	return found;
}

/* ---- connecting ---- */

/* Returns 0 or an errno. */
static int connect_within(struct mxw__call_link *link, int fd, const struct addrinfo *ai, int64_t deadline_ms)
{
	int code = 0;
	socklen_t size = sizeof code;

	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (!mxw__call_link_wait_io(link, fd, POLLOUT, deadline_ms))
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

/* A connected socket, or -1 and errno. */
static int open_socket(struct mxw__call_link *link, const struct addrinfo *ai, int64_t deadline_ms)
{
	int on = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	int rc = connect_within(link, fd, ai, deadline_ms);
	if (rc == 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		return fd;
	}
	close(fd);
	errno = rc;
	return -1;
}

bool mxw__call_link_connect(struct mxw__call_link *link, const char *host, unsigned port, int64_t deadline_ms,
			    struct mxw__call_failure *ret_failure)
{
	struct addrinfo *found = resolve(link, host, port, deadline_ms, ret_failure);
	unsigned naddresses = 0;

	if (!found)
		return false;
	for (const struct addrinfo *ai = found; ai; ai = ai->ai_next)
		naddresses++;
	for (const struct addrinfo *ai = found; ai && link->fd < 0; ai = ai->ai_next, naddresses--) {
		/* One address that answers nothing leaves time for the others. */
		int64_t now = mxw__call_now_ms();
		link->fd = open_socket(link, ai, now + (deadline_ms - now) / naddresses);
	}
	int rc = errno;
	freeaddrinfo(found);
	link->in_start = link->in_end = 0;
	link->is_in_step = false;
	link->has_smtputf8 = link->in_transaction = link->is_utf8 = false;
	link->nrcpts = link->ntransactions = link->nrefused = 0;
	return link->fd >= 0 || mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "%s", strerror(rc));
}

void mxw__call_link_close(struct mxw__call_link *link)
{
	static const char quit[] = "QUIT\r\n";
	short events;

	if (link->fd < 0)
		return;
	if (link->is_in_step && link->ssl)
		mxw__call_tls_write(link, quit, sizeof quit - 1, &events);
	else if (link->is_in_step)
		send(link->fd, quit, sizeof quit - 1, MSG_NOSIGNAL);
	mxw__call_tls_end(link);
	shutdown(link->fd, SHUT_WR);
	close(link->fd);
	link->fd = -1;
	link->is_in_step = false;
}

/* ---- speaking ---- */

static ssize_t write_some(struct mxw__call_link *link, const char *data, size_t len, short *ret_events)
{
	if (link->ssl)
		return mxw__call_tls_write(link, data, len, ret_events);
	ssize_t n = send(link->fd, data, len, MSG_NOSIGNAL);
	*ret_events = n < 0 && (errno == EAGAIN || errno == EINTR) ? POLLOUT : 0;
	return n;
}

static ssize_t read_some(struct mxw__call_link *link, char *data, size_t len, short *ret_events)
{
	if (link->ssl)
		return mxw__call_tls_read(link, data, len, ret_events);
	ssize_t n = recv(link->fd, data, len, 0);
	*ret_events = n < 0 && (errno == EAGAIN || errno == EINTR) ? POLLIN : 0;
	return n;
}

bool mxw__call_link_is_quiet(struct mxw__call_link *link)
{
	short events = 0;

	if (link->in_start != link->in_end)
		return false;
	return read_some(link, link->in, sizeof link->in, &events) <= 0 && events;
}

bool mxw__call_link_send(struct mxw__call_link *link, const char *data, size_t len, int64_t deadline_ms,
			 struct mxw__call_failure *ret_failure)
{
	link->is_in_step = false;
	while (len > 0) {
		short events = 0;
		ssize_t n = write_some(link, data, len, &events);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (!events) {
			return mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "the connection was lost");
		} else if (!mxw__call_link_wait_io(link, link->fd, events, deadline_ms)) {
			return mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "takes nothing more");
		}
	}
	return true;
}

/* Waits for more octets and puts them into the empty buffer. */
static bool fill(struct mxw__call_link *link, int64_t deadline_ms, struct mxw__call_failure *ret_failure)
{
	for (;;) {
		short events = 0;
		ssize_t n = read_some(link, link->in, sizeof link->in, &events);
		if (n > 0) {
			link->in_start = 0;
			link->in_end = (size_t)n;
			return true;
		}
		if (!events)
			return mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "the connection was lost");
		if (!mxw__call_link_wait_io(link, link->fd, events, deadline_ms))
			return mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "no answer in time");
	}
}

bool mxw__call_link_reply(struct mxw__call_link *link, int64_t deadline_ms, struct mxw__call_reply *ret_reply,
			  struct mxw__call_failure *ret_failure)
{
	struct mxw__call_reader reader;
	mxw__call_read_t state = MXW__CALL_MORE;
	size_t used;

	mxw__call_reader_init(&reader);
	while (state == MXW__CALL_MORE) {
		/* Whoever sends a line now and then has no more time than who sends none. */
		if (mxw__call_now_ms() > deadline_ms)
			return mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "no answer in time");
		if (link->in_start == link->in_end && !fill(link, deadline_ms, ret_failure))
			return false;
		state = mxw__call_reader_feed(&reader, link->in + link->in_start, link->in_end - link->in_start, &used);
		link->in_start += used;
	}
	if (state == MXW__CALL_GARBAGE)
		return mxw__call_fail(ret_failure, MXW_TEMPORARY, NULL, "its reply is no SMTP");
	*ret_reply = reader.reply;
	link->is_in_step = true;
	return true;
}
