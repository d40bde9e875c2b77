/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "milter/command.h"
#include "milter/control.h"
#include "milter/listener.h"
#include "milter/signals.h"

enum {
	CONNS_MAX = 8,
	BACKLOG = 64,
	LINE_MAX_OCTETS = 4096,
	ANSWER_MAX = 16 * 1024 * 1024,
	ASK_MS = 5000,               /* to say the line */
	TAKE_MS = 10000,             /* to take the answer */
	STOP_S = 3,
	NO_FILES_MS = 200,           /* pause when there are no descriptors to be had */
	NAME_MAX_OCTETS = 64,
};

struct conn {
	int fd;
	int64_t until_ms;
	char line[LINE_MAX_OCTETS];
	size_t len;
	bool is_answered;
	struct mwd_text answer;
	size_t sent;
};

struct mwd_control {
	mxw_engine_t *engine;
	mwd_log_t *log;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t dev; /* of the socket's file */
	ino_t ino;
	int fd;
	int wake_fd; /* readable: stop */
	bool has_thread;
	pthread_t thread;
	/* The thread's own. */
	int64_t no_files_until_ms;
	size_t nconns;
	struct conn *conns[CONNS_MAX];
};

/* ---- connections ---- */

static void conn_free(struct conn *conn)
{
	close(conn->fd);
	mwd_text_fini(&conn->answer);
	free(conn);
}

static void accept_one(struct mwd_control *self)
{
	int fd = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			self->no_files_until_ms = mwd_now_ms() + NO_FILES_MS;
		return;
	}
	struct conn *conn = calloc(1, sizeof *conn);
	if (!conn) {
		close(fd);
		return;
	}
	conn->fd = fd;
	conn->until_ms = mwd_now_ms() + ASK_MS;
	mwd_text_init(&conn->answer, ANSWER_MAX);
	self->conns[self->nconns++] = conn;
}

/* The user at the other end, by name if there is one. */
static void name_peer(int fd, char ret_name[NAME_MAX_OCTETS])
{
	struct ucred cred;
	socklen_t len = sizeof cred;
	struct passwd pw, *found = NULL;
	char buffer[4096];

	snprintf(ret_name, NAME_MAX_OCTETS, "unknown");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return;
	if (getpwuid_r(cred.uid, &pw, buffer, sizeof buffer, &found) == 0 && found && *found->pw_name)
		snprintf(ret_name, NAME_MAX_OCTETS, "%s", found->pw_name);
	else
		snprintf(ret_name, NAME_MAX_OCTETS, "uid:%lu", (unsigned long)cred.uid);
}

static void answer(struct mwd_control *self, struct conn *conn)
{
	char by[NAME_MAX_OCTETS];
	struct mwd_command_env env = {.engine = self->engine, .log = self->log, .by = by};

	name_peer(conn->fd, by);
	mwd_command_run(&env, conn->line, &conn->answer);
	conn->is_answered = true;
	conn->until_ms = mwd_now_ms() + TAKE_MS;
}

/* False: the connection is over. */
static bool read_line(struct mwd_control *self, struct conn *conn)
{
	ssize_t n = read(conn->fd, conn->line + conn->len, sizeof conn->line - conn->len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	conn->len += (size_t)n;
	char *end = memchr(conn->line, '\n', conn->len);
	if (!end)
		return conn->len < sizeof conn->line;
	*end = '\0';
	/* An octet of zero would hide what follows it. */
	if (strlen(conn->line) != (size_t)(end - conn->line))
		return false;
	answer(self, conn);
	return true;
}

static bool write_answer(struct conn *conn)
{
	ssize_t n = send(conn->fd, conn->answer.data + conn->sent, conn->answer.len - conn->sent, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	conn->sent += (size_t)n;
	return conn->sent < conn->answer.len;
}

static bool serve(struct mwd_control *self, struct conn *conn, short events)
{
	if (mwd_now_ms() >= conn->until_ms)
		return false;
	if (!events)
		return true;
	if (!conn->is_answered && !read_line(self, conn))
		return false;
	/* Nothing could be put down as an answer: memory is gone. */
	return !conn->is_answered || (conn->answer.data && write_answer(conn));
}

/* ---- the thread ---- */

static int next_timeout(const struct mwd_control *self, bool is_accepting)
{
	int64_t now_ms = mwd_now_ms(), until_ms = is_accepting ? INT64_MAX : self->no_files_until_ms;

	if (self->nconns == CONNS_MAX)
		until_ms = INT64_MAX;
	for (size_t i = 0; i < self->nconns; i++)
		if (self->conns[i]->until_ms < until_ms)
			until_ms = self->conns[i]->until_ms;
	if (until_ms == INT64_MAX)
		return -1;
	return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

static void serve_all(struct mwd_control *self, const struct pollfd *fds)
{
	size_t n = self->nconns;

	self->nconns = 0;
	for (size_t i = 0; i < n; i++) {
		if (serve(self, self->conns[i], fds[i].revents))
			self->conns[self->nconns++] = self->conns[i];
		else
			conn_free(self->conns[i]);
	}
}

static void *control_main(void *arg)
{
	struct mwd_control *self = arg;
	struct pollfd fds[2 + CONNS_MAX];

	for (;;) {
		bool is_accepting = self->nconns < CONNS_MAX && mwd_now_ms() >= self->no_files_until_ms;
		fds[0] = (struct pollfd){.fd = self->wake_fd, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = is_accepting ? self->fd : -1, .events = POLLIN};
		for (size_t i = 0; i < self->nconns; i++)
			fds[2 + i] = (struct pollfd){.fd = self->conns[i]->fd,
						     .events = self->conns[i]->is_answered ? POLLOUT : POLLIN};
		if (poll(fds, (nfds_t)(2 + self->nconns), next_timeout(self, is_accepting)) < 0)
			continue;
		if (fds[0].revents)
			return NULL;
		serve_all(self, fds + 2);
		if (fds[1].revents && self->nconns < CONNS_MAX)
			accept_one(self);
	}
}

/* ---- life ---- */

static void set_group(const struct mwd_control_options *options, const struct mwd_control *self)
{
	const struct group *group = getgrnam(options->group);
	const char *why = group ? NULL : "there is no such group";

	if (group && lchown(self->path, (uid_t)-1, group->gr_gid) != 0)
		why = strerror(errno);
	if (why)
		mwd_logf(options->log, MXW_LEVEL_WARNING, "control-group %s: %s", options->group, why);
}

/* The process's umask lets nobody but its user connect before the mode is set. */
static int open_socket(struct mwd_control *self, const struct mwd_control_options *options, struct mwd_problem *problem)
{
	struct mwd_address address;
	struct stat st;
	int rc = mwd_listener_check(options->spec, problem);

	if (rc == 0)
		rc = mwd_address_parse(options->spec, &address, problem);
	if (rc != 0)
		return rc;
	if (!address.path)
		return mwd_problem_set(problem, EX_CONFIG, "control-socket %s: is no unix socket", options->spec);
	snprintf(self->path, sizeof self->path, "%s", address.path);
	self->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (self->fd < 0 || self->wake_fd < 0 || bind(self->fd, (const struct sockaddr *)&address.sa, address.len) != 0 ||
	    lstat(self->path, &st) != 0)
		return mwd_problem_set(problem, EX_TEMPFAIL, "control-socket %s: %s", options->spec, strerror(errno));
	self->dev = st.st_dev;
	self->ino = st.st_ino;
	if (options->group && *options->group)
		set_group(options, self);
	if (chmod(self->path, options->mode) != 0 || listen(self->fd, BACKLOG) != 0)
		return mwd_problem_set(problem, EX_TEMPFAIL, "control-socket %s: %s", options->spec, strerror(errno));
	return 0;
}

int mwd_control_start(const struct mwd_control_options *options, mwd_control_t **ret_control, struct mwd_problem *problem)
{
	struct mwd_control *self = calloc(1, sizeof *self);
	sigset_t old;

	if (!self)
		return mwd_problem_set(problem, EX_TEMPFAIL, "control-socket: out of memory");
	self->engine = options->engine;
	self->log = options->log;
	self->fd = self->wake_fd = -1;
	int rc = open_socket(self, options, problem);
	if (rc == 0) {
		mwd_signals_block(&old);
		self->has_thread = pthread_create(&self->thread, NULL, control_main, self) == 0;
		mwd_signals_unblock(&old);
		if (!self->has_thread)
			rc = mwd_problem_set(problem, EX_TEMPFAIL, "control-socket: no thread to be had");
	}
	if (rc != 0) {
		mwd_control_stop(self);
		return rc;
	}
	*ret_control = self;
	return 0;
}

/* Only the one that we made: a successor may have put its own there. */
static void remove_file(const struct mwd_control *self)
{
	struct stat st;

	if (self->ino && lstat(self->path, &st) == 0 && st.st_dev == self->dev && st.st_ino == self->ino)
		unlink(self->path);
}

static bool end_thread(struct mwd_control *self)
{
	struct timespec until;
	uint64_t one = 1;

	if (!self->has_thread)
		return true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_S;
	return write(self->wake_fd, &one, sizeof one) == sizeof one && pthread_timedjoin_np(self->thread, NULL, &until) == 0;
}

bool mwd_control_stop(mwd_control_t *control)
{
	if (!control)
		return true;
	remove_file(control);
	if (!end_thread(control))
		return false;
	for (size_t i = 0; i < control->nconns; i++)
		conn_free(control->conns[i]);
	if (control->fd >= 0)
		close(control->fd);
	if (control->wake_fd >= 0)
		close(control->wake_fd);
	free(control);
	return true;
}
