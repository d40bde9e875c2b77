/* SPDX-License-Identifier: BSD-2-Clause */
/* notice_mail.c: sends a notice by SMTP to notice-server. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "src/session/notifier.h"

enum { HOST_MAX = 256, LINE_MAX_BYTES = 1000, STEP_MS = 100, SMTP_PORT = 25 };

struct talk {
	int fd;
	int64_t end_ms;
	const atomic_bool *is_cancelled;
	char line[LINE_MAX_BYTES];  /* what came and was not taken yet */
	size_t len;
};

static bool is_over(const struct talk *t)
{
	return atomic_load(t->is_cancelled) || mxw__now_ms(mxw_clock_system()) >= t->end_ms;
}

static bool wait_for(const struct talk *t, short events)
{
	struct pollfd p = {.fd = t->fd, .events = events};

	while (!is_over(t)) {
		int n = poll(&p, 1, STEP_MS);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

static bool connect_one(struct talk *t, const struct addrinfo *ai)
{
	int error = 0;
	socklen_t len = sizeof error;

	t->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0)
		return false;
	if (connect(t->fd, ai->ai_addr, ai->ai_addrlen) == 0 ||
	    (errno == EINPROGRESS && wait_for(t, POLLOUT) && getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0))
		return true;
	close(t->fd);
	t->fd = -1;
	return false;
}

static bool connect_to(struct talk *t, const char *server)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
	char host[HOST_MAX], service[8];
	uint16_t port;

	if (!mxw__host_port_parse(server, SMTP_PORT, host, sizeof host, &port))
		return false;
	snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(host, service, &hints, &list) != 0)
		return false;
	for (const struct addrinfo *ai = list; ai && t->fd < 0 && !is_over(t); ai = ai->ai_next)
		connect_one(t, ai);
	freeaddrinfo(list);
	return t->fd >= 0;
}

static bool send_all(struct talk *t, const char *text)
{
	for (size_t len = strlen(text); len > 0;) {
		ssize_t n = send(t->fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno != EAGAIN || !wait_for(t, POLLOUT)))
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* The next line of a reply, without its end. */
static bool read_line(struct talk *t, char ret_line[LINE_MAX_BYTES])
{
	for (;;) {
		const char *end = memchr(t->line, '\n', t->len);
		if (end) {
			size_t n = (size_t)(end - t->line) + 1;
			memcpy(ret_line, t->line, n - 1);
			ret_line[n - 1] = '\0';
			t->len -= n;
			memmove(t->line, t->line + n, t->len);
			return true;
		}
		if (t->len == sizeof t->line || !wait_for(t, POLLIN))
			return false;
		ssize_t n = recv(t->fd, t->line + t->len, sizeof t->line - t->len, 0);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return false;
		t->len += n > 0 ? (size_t)n : 0;
	}
}

/* Says something, if there is something to say, and takes the reply, of which `digit` is to be the first. */
static bool step(struct talk *t, const char *command, char digit, char *ret_why, size_t size)
{
	char line[LINE_MAX_BYTES];
	int lines = 0;

	snprintf(ret_why, size, "the server does not answer");
	if (command && !send_all(t, command))
		return false;
	do {
		if (!read_line(t, line) || strlen(line) < 3 || ++lines > 100)
			return false;
	} while (line[3] == '-');
	if (line[0] == digit)
		return true;
	struct mxw__buf why;
	mxw__buf_init(&why, size - 1);
	mxw__buf_adds(&why, "the server says ");
	mxw__buf_add_reply(&why, line, 120);
	snprintf(ret_why, size, "%s", mxw__buf_str(&why));
	mxw__buf_fini(&why);
	return false;
}

/* Lines end in CRLF; none of ours begins with a dot. */
static void add_body(struct mxw__buf *mail, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			mxw__buf_addc(mail, '\r');
		/* us-ascii, see compose(). */
		mxw__buf_addc(mail, (unsigned char)*text < 0x80 ? *text : '?');
	}
}

static void compose(struct mxw__buf *mail, const struct mxw_conf *conf, const struct mxw__notice *notice)
{
	char text[MXW__NOTICE_TEXT_MAX], date[60], account[MXW__KEY_TEXT_MAX];
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) || strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm) == 0)
		snprintf(date, sizeof date, "Thu, 1 Jan 1970 00:00:00 +0000");
	mxw__buf_addf(mail, "From: mxward <%s>\r\nTo: <%s>\r\n", conf->outbound.notice_mail, conf->outbound.notice_mail);
	mxw__buf_addf(mail, "Subject: %s is suspended\r\n", mxw__key_text(&notice->account.key, account));
	mxw__buf_addf(mail, "Date: %s\r\nMessage-ID: <%016" PRIx64 ".mxward@%s>\r\n", date, mxw__random_u64(), conf->authserv_id);
	mxw__buf_adds(mail, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n");
	mxw__notice_text(conf, notice, text);
	add_body(mail, text);
	mxw__buf_adds(mail, ".\r\n");
}

static bool converse(struct talk *t, const struct mxw_conf *conf, const struct mxw__notice *notice, char *ret_why, size_t size)
{
	char helo[300], rcpt[400];
	struct mxw__buf mail;

	snprintf(helo, sizeof helo, "HELO %.255s\r\n", conf->authserv_id);
	snprintf(rcpt, sizeof rcpt, "RCPT TO:<%.350s>\r\n", conf->outbound.notice_mail);
	mxw__buf_init(&mail, 8000);
	compose(&mail, conf, notice);
	bool ok = step(t, NULL, '2', ret_why, size) && step(t, helo, '2', ret_why, size) && step(t, "MAIL FROM:<>\r\n", '2', ret_why, size) &&
		  step(t, rcpt, '2', ret_why, size) && step(t, "DATA\r\n", '3', ret_why, size) &&
		  step(t, mxw__buf_str(&mail), '2', ret_why, size);
	mxw__buf_fini(&mail);
	/* What comes of it does not matter any more. */
	if (ok)
		send_all(t, "QUIT\r\n");
	return ok;
}

bool mxw__notice_mail(const struct mxw_conf *conf, const struct mxw__notice *notice, const atomic_bool *is_cancelled, char *ret_why,
		      size_t size)
{
	struct talk t = {.fd = -1, .end_ms = mxw__now_ms(mxw_clock_system()) + (int64_t)conf->outbound.notice_timeout_ms,
			 .is_cancelled = is_cancelled};

	if (!connect_to(&t, conf->outbound.notice_server)) {
		snprintf(ret_why, size, "no connection to %s", conf->outbound.notice_server);
		return false;
	}
	bool ok = converse(&t, conf, notice, ret_why, size);
	close(t.fd);
	return ok;
}
