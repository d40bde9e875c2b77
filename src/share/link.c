/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/share/link.h"

enum { READ_ROOM = 16 * 1024, READS_AT_ONCE = 16 };

static bool fail(struct mxw__link *link, const char *why)
{
	snprintf(link->why, sizeof link->why, "%s", why);
	return false;
}

static int64_t steady_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

void mxw__link_init(struct mxw__link *link, int wake_fd)
{
	*link = (struct mxw__link){.wake_fd = wake_fd, .fd = -1};
	mxw__buf_init(&link->out, MXW__LINK_OUT_MAX);
}

void mxw__link_close(struct mxw__link *link)
{
	mxw__link_tls_end(link);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	if (link->reader)
		redisReaderFree(link->reader);
	link->reader = NULL;
	mxw__buf_fini(&link->out);
	mxw__buf_init(&link->out, MXW__LINK_OUT_MAX);
	link->nsent = 0;
	link->want_events = 0;
}

/* ---- what hiredis makes of replies ---- */

#if HIREDIS_MAJOR >= 1
typedef size_t mxw__array_len_t;
#else
typedef int mxw__array_len_t;
#endif

/* It would take a peer's word for how many elements there will be, and get the memory for them all. */
static void *create_array(const redisReadTask *task, mxw__array_len_t len)
{
	struct mxw__link *link = task->privdata;
	size_t n = (size_t)len;

	if (n > MXW__LINK_ELEMENTS_MAX - link->nelements)
		return NULL;
	link->nelements += n;
	return link->default_functions->createArray(task, len);
}

static bool make_reader(struct mxw__link *link)
{
	link->reader = redisReaderCreate();
	if (!link->reader)
		return fail(link, "out of memory");
	link->default_functions = link->reader->fn;
	link->functions = *link->reader->fn;
	link->functions.createArray = create_array;
	link->reader->fn = &link->functions;
	link->reader->privdata = link;
	link->nelements = 0;
	return true;
}

/* ---- connecting ---- */

static void take_wake_up(const struct mxw__link *link)
{
	uint64_t count;
	MXW_UNUSED ssize_t n = read(link->wake_fd, &count, sizeof count);
}

static void poll_both(struct mxw__link *link, short events, int64_t timeout_ms)
{
	struct pollfd fds[2] = {{.fd = link->wake_fd, .events = POLLIN}, {.fd = link->fd, .events = events}};
	int timeout = timeout_ms < 0 ? 0 : timeout_ms > 3600000 ? 3600000 : (int)timeout_ms;

	if (poll(fds, link->fd >= 0 ? 2 : 1, timeout) > 0 && fds[0].revents)
		take_wake_up(link);
}

struct attempt {
	int64_t deadline_ms;
	const struct mxw__link_owner *owner;
};

/* Until the socket is ready for `events`; false: it is too late. */
static bool wait_ready(struct mxw__link *link, const struct attempt *attempt, short events)
{
	for (;;) {
		struct pollfd fd = {.fd = link->fd, .events = events};
		if (poll(&fd, 1, 0) > 0)
			return true;
		int64_t left = attempt->deadline_ms - steady_ms();
		if (left <= 0 || attempt->owner->is_cancelled(attempt->owner->ctx))
			return fail(link, "no connection in time");
		poll_both(link, events, left);
	}
}

static bool connect_to(struct mxw__link *link, const struct attempt *attempt, const struct sockaddr *address, socklen_t len)
{
	int code = 0;
	socklen_t size = sizeof code;

	link->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (link->fd < 0)
		return fail(link, strerror(errno));
	if (connect(link->fd, address, len) != 0) {
		if (errno != EINPROGRESS)
			return fail(link, strerror(errno));
		if (!wait_ready(link, attempt, POLLOUT))
			return false;
		if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0 || code)
			return fail(link, strerror(code ? code : errno));
	}
	return true;
}

static bool connect_path(struct mxw__link *link, const struct attempt *attempt, const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	snprintf(sun.sun_path, sizeof sun.sun_path, "%.107s", path);
	return connect_to(link, attempt, (const struct sockaddr *)&sun, sizeof sun);
}

/* NULL: link->why says why. */
static struct addrinfo *look_up(struct mxw__link *link, const struct mxw__link_owner *owner, const struct mxw__link_server *server)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
	char port[8];

	snprintf(port, sizeof port, "%u", server->port);
	if (!owner->set_looking_up(owner->ctx, true)) {
		fail(link, "no connection in time");
		return NULL;
	}
	int rc = getaddrinfo(server->host, port, &hints, &list);
	bool goes_on = owner->set_looking_up(owner->ctx, false);
	if (rc == 0 && goes_on)
		return list;
	if (rc == 0)
		freeaddrinfo(list);
	fail(link, goes_on ? gai_strerror(rc) : "no connection in time");
	return NULL;
}

static bool connect_host(struct mxw__link *link, const struct attempt *attempt, const struct mxw__link_server *server)
{
	struct addrinfo *list = look_up(link, attempt->owner, server);
	unsigned naddresses = 0;
	int on = 1;
	bool is_ok = false;

	if (!list)
		return false;
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
		naddresses++;
	for (const struct addrinfo *ai = list; ai && !is_ok; ai = ai->ai_next, naddresses--) {
		/* One address that answers nothing leaves time for the others. */
		int64_t now = steady_ms();
		struct attempt part = *attempt;
		part.deadline_ms = now + (attempt->deadline_ms - now) / naddresses;
		mxw__link_close(link);
		is_ok = connect_to(link, &part, ai->ai_addr, ai->ai_addrlen);
	}
	freeaddrinfo(list);
	if (is_ok)
		setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return is_ok;
}

static bool start_tls(struct mxw__link *link, const struct attempt *attempt, SSL_CTX *tls, const char *host)
{
	if (!mxw__link_tls_begin(link, tls, host))
		return false;
	for (int rc; (rc = mxw__link_tls_shake(link)) != 1;)
		if (rc < 0 || !wait_ready(link, attempt, link->want_events ? link->want_events : POLLIN))
			return false;
	return true;
}

bool mxw__link_connect(struct mxw__link *link, const struct mxw__link_server *server, SSL_CTX *tls, int64_t deadline_ms,
		       const struct mxw__link_owner *owner)
{
	struct attempt attempt = {deadline_ms, owner};

	mxw__link_close(link);
	bool is_ok = server->port ? connect_host(link, &attempt, server) : connect_path(link, &attempt, server->host);
	if (is_ok && tls && server->port)
		is_ok = start_tls(link, &attempt, tls, server->host);
	is_ok = is_ok && make_reader(link);
	if (!is_ok)
		mxw__link_close(link);
	return is_ok;
}

/* ---- speaking ---- */

bool mxw__link_command(struct mxw__link *link, size_t argc, const char *const *argv, const size_t *lens)
{
	char *text = NULL;
	/* hiredis declares both arrays of pointers to be changed, and changes neither. */
	long long len = redisFormatCommandArgv(&text, (int)argc, (const char **)(uintptr_t)argv, lens);

	if (len < 0)
		return fail(link, "out of memory");
	mxw__buf_add(&link->out, text, (size_t)len);
	/* There may be a password in it. */
	mxw__wipe(text, (size_t)len);
	redisFreeCommand(text);
	return !link->out.failed || fail(link, "too much waits to be sent");
}

void mxw__link_wait(struct mxw__link *link, int64_t timeout_ms)
{
	bool has_output = link->nsent < link->out.len;

	poll_both(link, (short)(POLLIN | (has_output ? POLLOUT : 0) | link->want_events), timeout_ms);
}

static bool is_again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static bool send_some(struct mxw__link *link)
{
	while (link->nsent < link->out.len) {
		const char *data = link->out.data + link->nsent;
		size_t len = link->out.len - link->nsent;
		ssize_t n = link->ssl ? mxw__link_tls_write(link, data, len) : send(link->fd, data, len, MSG_NOSIGNAL);
		if (n < 0)
			return is_again() || fail(link, "the connection was lost");
		link->nsent += (size_t)n;
	}
	if (link->out.len)
		mxw__wipe(link->out.data, link->out.len);
	mxw__buf_clear(&link->out);
	link->nsent = 0;
	return true;
}

static bool read_some(struct mxw__link *link)
{
	char data[READ_ROOM];

	link->want_events = 0;
	for (int i = 0; i < READS_AT_ONCE; i++) {
		ssize_t n = link->ssl ? mxw__link_tls_read(link, data, sizeof data) : recv(link->fd, data, sizeof data, 0);
		if (n < 0 && is_again())
			return true;
		if (n <= 0)
			return fail(link, "the connection was lost");
		if (link->reader->len - link->reader->pos > MXW__LINK_REPLY_MAX)
			return fail(link, "it sends more than was asked for");
		if (redisReaderFeed(link->reader, data, (size_t)n) != REDIS_OK)
			return fail(link, "out of memory");
		if ((size_t)n < sizeof data && !link->ssl)
			return true;
	}
	return true;
}

bool mxw__link_work(struct mxw__link *link)
{
	return send_some(link) && read_some(link);
}

bool mxw__link_next(struct mxw__link *link, redisReply **ret_reply)
{
	void *reply = NULL;

	if (redisReaderGetReply(link->reader, &reply) != REDIS_OK)
		return fail(link, "what it sends is no Redis protocol, or too much");
	if (reply)
		link->nelements = 0;
	*ret_reply = reply;
	return true;
}
