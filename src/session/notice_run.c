/* SPDX-License-Identifier: BSD-2-Clause */
/* notice_run.c: runs notice-command. Nothing of what is told can become part of a command: it goes in as environment and input. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/session/notifier.h"

enum { VARIABLES = 8, VARIABLE_MAX = 300, ARGS_MAX = 64, POLL_MS = 10 };

struct environment {
	char texts[VARIABLES][VARIABLE_MAX];
	char *list[VARIABLES + 1];
};

static void fill(struct environment *env, const struct mxw_conf *conf, const struct mxw__account *a)
{
	char account[MXW__KEY_TEXT_MAX];
	size_t n = 0;

	mxw__key_text(&a->key, account);
	snprintf(env->texts[n++], VARIABLE_MAX, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	snprintf(env->texts[n++], VARIABLE_MAX, "LC_ALL=C");
	snprintf(env->texts[n++], VARIABLE_MAX, "MXWARD_ACCOUNT=%s", account);
	snprintf(env->texts[n++], VARIABLE_MAX, "MXWARD_REASON=%s", a->reason);
	snprintf(env->texts[n++], VARIABLE_MAX, "MXWARD_AUTHOR=%s", a->author);
	snprintf(env->texts[n++], VARIABLE_MAX, "MXWARD_SINCE=%" PRId64, a->since_ms / 1000);
	snprintf(env->texts[n++], VARIABLE_MAX, "MXWARD_UNTIL=%" PRId64, a->until_ms / 1000);
	snprintf(env->texts[n++], VARIABLE_MAX, "MXWARD_HOST=%.250s", conf->authserv_id);
	for (size_t i = 0; i < n; i++)
		env->list[i] = env->texts[i];
	env->list[n] = NULL;
}

/* Signals as a program expects them: this thread takes none. */
static int prepare(posix_spawnattr_t *attr, posix_spawn_file_actions_t *actions, int input)
{
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	rc = posix_spawnattr_setsigmask(attr, &none);
	rc = rc ? rc : posix_spawnattr_setsigdefault(attr, &all);
	rc = rc ? rc : posix_spawnattr_setpgroup(attr, 0);
	rc = rc ? rc : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
	rc = rc ? rc : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	rc = rc ? rc : posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
	rc = rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
	return rc;
}

static int spawn(const struct mxw_conf *conf, const struct mxw__account *account, int input, pid_t *ret_pid)
{
	const struct mxw__strings *command = &conf->outbound.notice_command;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	struct environment env;
	char *argv[ARGS_MAX + 1] = {0};

	for (size_t i = 0; i < command->n && i < ARGS_MAX; i++)
		argv[i] = (char *)(uintptr_t)command->v[i];
	fill(&env, conf, account);
	int rc = posix_spawn_file_actions_init(&actions);
	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attr);
	if (rc == 0) {
		rc = prepare(&attr, &actions, input);
		rc = rc ? rc : posix_spawn(ret_pid, argv[0], &actions, &attr, argv, env.list);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* False: it had not ended in time, and was killed. */
static bool wait_for(pid_t pid, uint64_t timeout_ms, const atomic_bool *is_cancelled, int *ret_status)
{
	static const struct timespec pause = {0, POLL_MS * 1000000};
	int64_t end_ms = mxw__now_ms(mxw_clock_system()) + (int64_t)timeout_ms;
	bool is_over = false;

	/* Looked at once more when the time is up: it may have ended while this thread was put off. */
	for (;;) {
		bool is_last = atomic_load(is_cancelled) || mxw__now_ms(mxw_clock_system()) >= end_ms;
		pid_t got = waitpid(pid, ret_status, WNOHANG);
		is_over = got == pid || (got < 0 && errno != EINTR);
		if (is_over || is_last)
			break;
		nanosleep(&pause, NULL);
	}
	/* What it has left behind goes with it. */
	kill(-pid, SIGKILL);
	while (!is_over && waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return is_over;
}

static bool judge(bool is_over, int status, char *ret_why, size_t size)
{
	if (!is_over)
		snprintf(ret_why, size, "it did not end in time");
	else if (WIFSIGNALED(status))
		snprintf(ret_why, size, "it ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(ret_why, size, "it ended with status %d", WEXITSTATUS(status));
	return is_over && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool mxw__notice_run(const struct mxw_conf *conf, const struct mxw__notice *notice, const atomic_bool *is_cancelled, char *ret_why,
		     size_t size)
{
	char text[MXW__NOTICE_TEXT_MAX];
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		snprintf(ret_why, size, "no pipe: errno %d", errno);
		return false;
	}
	/* It fits into the pipe: nobody waits for the program to read. */
	mxw__notice_text(conf, notice, text);
	bool is_written = mxw__write_all(ends[1], text, strlen(text));
	close(ends[1]);
	int rc = is_written ? spawn(conf, &notice->account, ends[0], &pid) : EPIPE;
	close(ends[0]);
	if (rc != 0) {
		snprintf(ret_why, size, "%s can't be run: errno %d", conf->outbound.notice_command.v[0], rc);
		return false;
	}
	bool is_over = wait_for(pid, conf->outbound.notice_timeout_ms, is_cancelled, &status);
	return judge(is_over, status, ret_why, size);
}
