/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame.c: packets of macros that libmilter would trip over are not let in.
 *
 * A packet of macros holds names and values in turn. libmilter keeps what it gets, and smfi_getsymval()
 * then steps through it two by two until it meets a NULL: with a name that has no value it steps over
 * the end, and a peer has killed the daemon with ten octets. No callback sees the packet.
 *
 * libmilter reads packets with mi_rd_cmd(), which the shared library calls through its symbol table, as it
 * does with every global function of its own; the definition here comes first. It hands on to libmilter's,
 * and reports a packet of macros that is no list of pairs as a broken connection. Where the library binds its own functions
 * at link time this one is never called, and all is as it was.
 */
#include "config.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>

#include <libmilter/mfapi.h>

#include "milter/mwd.h"

/* Any command below the first valid one, a blank, ends the connection (libmilter: "unknown error"). */
#define BROKEN '\6'

typedef char *(*read_fn)(int sd, struct timeval *timeout, char *cmd, size_t *rlen, char *name);

__attribute__((visibility("default"))) char *mi_rd_cmd(int sd, struct timeval *timeout, char *cmd, size_t *rlen,
							char *name);

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
	static _Atomic(read_fn) real;
	read_fn next = real;

	if (!next) {
		/* dlsym() gives an object pointer where POSIX promises that it may hold a function's. */
		*(void **)&next = dlsym(RTLD_NEXT, "mi_rd_cmd");
		real = next;
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
