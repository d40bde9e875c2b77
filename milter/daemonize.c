/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "milter/process.h"

static _Noreturn void wait_for_child(pid_t child, int fd)
{
	char byte;
	int status;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EX_OK);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EX_SOFTWARE);
}

int mwd_daemonize(int *ret_ready_fd, struct mwd_problem *problem)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return mwd_problem_set(problem, EX_OSERR, "pipe: %s", strerror(errno));
	pid_t child = fork();
	if (child < 0)
		return mwd_problem_set(problem, EX_OSERR, "fork: %s", strerror(errno));
	if (child > 0) {
		close(fds[1]);
		wait_for_child(child, fds[0]);
	}
	close(fds[0]);
	setsid();
	*ret_ready_fd = fds[1];
	return 0;
}

void mwd_daemonize_ready(int ready_fd)
{
	char byte = 0;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		for (int fd = 0; fd <= 2; fd++)
			dup2(null, fd);
		if (null > 2)
			close(null);
	}
	if (chdir("/") != 0 || write(ready_fd, &byte, 1) != 1)
		return; /* the parent sees the end of the pipe at the latest when we end */
	close(ready_fd);
}

int mwd_pid_file_write(const char *path, struct mwd_problem *problem)
{
	char text[32];

	if (!path || !*path)
		return 0;
	/* A file of this name is removed first: whatever it is, a link or another's file, it stays untouched. */
	if (unlink(path) != 0 && errno != ENOENT)
		return mwd_problem_set(problem, EX_CONFIG, "pid-file %s: %s", path, strerror(errno));
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return mwd_problem_set(problem, EX_CONFIG, "pid-file %s: %s", path, strerror(errno));
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	bool is_written = write(fd, text, (size_t)n) == n && fchmod(fd, 0644) == 0;
	int error = errno;
	close(fd);
	if (is_written)
		return 0;
	return mwd_problem_set(problem, EX_TEMPFAIL, "pid-file %s: %s", path, strerror(error));
}

void mwd_pid_file_remove(const char *path)
{
	char text[32] = "";

	if (!path || !*path)
		return;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n > 0 && strtol(text, NULL, 10) == (long)getpid())
		unlink(path);
}
