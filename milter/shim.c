/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shim.c: two functions that libmilter calls through its symbol table, where the program's come first.
 *
 * mi_rd_cmd() is libmilter's own and reads a packet. A packet of macros holds names and values in turn; libmilter
 * keeps it unseen, and smfi_getsymval() later steps through it two by two until it meets a NULL. With a
 * name that has no value it steps over the end: ten octets of a peer kill the daemon, and no callback sees
 * them. So a packet of macros that is no list of pairs is reported as a broken connection.
 *
 * sigwait() is libc's. libmilter has a thread that takes SIGHUP, SIGTERM and SIGINT with it and then stops for good.
 * The main thread is to have these (signals.h), and mostly has, but when a signal comes just as that thread begins to
 * wait either may get it: one stop in a hundred took five seconds and counted as a failure. Nobody
 * else in this process waits for signals.
 *
 * Where a libmilter binds its functions at link time the first is never called, and all is as it was.
 *
 * Threads: both from any of libmilter's.
 */
#include "config.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "milter/mwd.h"

/* Any command below the first valid one, a blank, ends the connection; this is libmilter's "unknown error". */
#define BROKEN '\6'

typedef char *(*read_fn)(int sd, struct timeval *timeout, char *cmd, size_t *rlen, char *name);

#pragma GCC visibility push(default)
char *mi_rd_cmd(int sd, struct timeval *timeout, char *cmd, size_t *rlen, char *name);
int sigwait(const sigset_t *set, int *sig);
#pragma GCC visibility pop

/* One octet says which command the macros are for; what follows are strings, each with its NUL. */
static bool is_pairs(const char *data, size_t len)
{
	size_t nstrings = 0;

	if (len < 2)
		return len == 1;
	for (size_t i = 1; i < len; i++)
		nstrings += data[i] == '\0';
	return data[len - 1] == '\0' && nstrings % 2 == 0;
}

char *mi_rd_cmd(int sd, struct timeval *timeout, char *cmd, size_t *rlen, char *name)
{
	static _Atomic(read_fn) libmilters;
	read_fn next = libmilters;

	if (!next) {
		/* POSIX promises that dlsym()'s object pointer may hold a function's. */
		*(void **)&next = dlsym(RTLD_NEXT, "mi_rd_cmd");
		libmilters = next;
	}
	char *data = next(sd, timeout, cmd, rlen, name);
	if (data && *cmd == SMFIC_MACRO && !is_pairs(data, *rlen)) {
		free(data);
		*cmd = BROKEN;
		*rlen = 0;
		return NULL;
	}
	return data;
}

int sigwait(const sigset_t *set, int *sig)
{
	for (;;)
		pause();
}
