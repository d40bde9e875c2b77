/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "t/fakes/scratch.h"

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

void scratch_init(struct scratch *scratch)
{
	const char *tmp = getenv("TMPDIR");

	/* Names of unix sockets are short: a long TMPDIR does not do. */
	if (!tmp || !*tmp || strlen(tmp) > 30)
		tmp = "/tmp";
	snprintf(scratch->dir, sizeof scratch->dir, "%s/mxw-test-XXXXXX", tmp);
	if (!mkdtemp(scratch->dir))
		die(scratch->dir);
	/* Servers that give root up must be able to walk through. */
	if (chmod(scratch->dir, 0755) != 0)
		die(scratch->dir);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void scratch_fini(struct scratch *scratch)
{
	nftw(scratch->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

char *scratch_path(const struct scratch *scratch, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", scratch->dir, name) < 0)
		die("asprintf");
	return path;
}

void scratch_write(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd) != 0)
		die(path);
}

void scratch_replace(const char *path, const char *text)
{
	char *fresh = NULL;

	if (asprintf(&fresh, "%s.new", path) < 0)
		die("asprintf");
	scratch_write(fresh, text, strlen(text));
	struct timespec then = {time(NULL) - 60, 0};
	if (utimensat(AT_FDCWD, fresh, (struct timespec[]){then, then}, 0) != 0)
		die(path);
	if (rename(fresh, path) != 0)
		die(path);
	free(fresh);
}
