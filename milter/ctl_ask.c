/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "milter/ctl.h"

enum { ANSWER_MAX = 32 * 1024 * 1024, PATIENCE_MS = 10000, RETRY_MS = 50 };

static int complain(int exit_code, const char *path, const char *why)
{
	fprintf(stderr, "mxwardctl: %s: %s\n", path, why);
	return exit_code;
}

/* Where more ask at one time than the daemon takes, connecting is tried again. */
static int connect_to(const char *path, int64_t end_ms)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	while (connect(fd, (struct sockaddr *)&sun, sizeof sun) != 0) {
		int error = errno;
		if ((error != EAGAIN && error != EINTR) || mwd_now_ms() >= end_ms) {
			close(fd);
			errno = error;
			return -1;
		}
		poll(NULL, 0, RETRY_MS);
	}
	return fd;
}

static bool wait_for(int fd, short events, int64_t end_ms)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int64_t left_ms = end_ms - mwd_now_ms();

	return left_ms > 0 && poll(&pfd, 1, (int)left_ms) > 0;
}

static bool say(int fd, const char *line, int64_t end_ms)
{
	size_t len = strlen(line);

	while (len > 0) {
		ssize_t n = send(fd, line, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n < 0 && !wait_for(fd, POLLOUT, end_ms))
			return false;
		if (n > 0) {
			line += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool take(int fd, struct mwd_text *answer, int64_t end_ms)
{
	char part[16384];

	for (;;) {
		ssize_t n = recv(fd, part, sizeof part, 0);
		if (n == 0)
			return !answer->failed;
		if (n > 0)
			mwd_text_add(answer, part, (size_t)n);
		else if ((errno != EAGAIN && errno != EINTR) || !wait_for(fd, POLLIN, end_ms))
			return false;
	}
}

static int exit_code_of_connect(int error)
{
	if (error == EACCES || error == EPERM)
		return EX_NOPERM;
	return error == EAGAIN || error == EMFILE || error == ENFILE ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

/* The last line says how it went; it is taken off. */
static int judge(const char *path, struct mwd_text *answer)
{
	char *words[MWD_WORDS_MAX];

	if (answer->len == 0 || answer->data[answer->len - 1] != '\n' || strlen(answer->data) != answer->len)
		return complain(EX_PROTOCOL, path, "the answer is not whole");
	answer->data[--answer->len] = '\0';
	char *newline = strrchr(answer->data, '\n');
	char *last = newline ? newline + 1 : answer->data;
	int n = mwd_words_split(last, words);
	bool is_ok = n == 1 && strcmp(words[0], "ok") == 0;
	if (n == 2 && strcmp(words[0], "error") == 0) {
		fprintf(stderr, "mxwardctl: ");
		for (const char *s = words[1]; *s; s++)
			fputc(*s >= ' ' && *s < 0x7f ? *s : '?', stderr);
		fputc('\n', stderr);
		return EX_DATAERR;
	}
	*last = '\0';
	return is_ok ? 0 : complain(EX_PROTOCOL, path, "that is no answer");
}

int mwd_ctl_ask(const char *socket_path, const char *line, struct mwd_text *ret_answer)
{
	int64_t end_ms = mwd_now_ms() + PATIENCE_MS;

	mwd_text_init(ret_answer, ANSWER_MAX);
	if (strlen(socket_path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return complain(EX_USAGE, socket_path, "the path is too long");
	int fd = connect_to(socket_path, end_ms);
	if (fd < 0)
		return complain(exit_code_of_connect(errno), socket_path, errno == ECONNREFUSED || errno == ENOENT
				? "mxward is not running, or listens elsewhere" : strerror(errno));
	bool is_done = say(fd, line, end_ms) && take(fd, ret_answer, end_ms);
	close(fd);
	if (!is_done) {
		mwd_text_fini(ret_answer);
		return complain(EX_TEMPFAIL, socket_path, "no answer");
	}
	int rc = judge(socket_path, ret_answer);
	if (rc != 0)
		mwd_text_fini(ret_answer);
	return rc;
}
