/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener.h: the socket on which the MTA finds us.
 *
 * libmilter opens it and keeps its descriptor for itself. It has no way to stop accepting, and when
 * descriptors run out it turns accept(2) into a busy loop. So there is a second, quiet listener that nobody
 * knows; dup2() puts the one or the other under libmilter's descriptor:
 *
 *    pause   the quiet one; whoever connects waits in the backlog of the real one, which we hold
 *    resume  the real one again
 *    retire  the quiet one for good; the real one is closed and a unix socket's file removed, so that the
 *            MTA turns elsewhere and a successor may start while we serve what we have
 *
 * A kick (kick.h) connects to whichever is under libmilter's descriptor.
 *
 * Threads: check and open before there are any; pause, resume, retire and kick from any thread, under one
 *          lock that is held for system calls that do not block.
 * Errors:  sysexits codes: 75 where trying again may help, 78 where a person has to change something.
 */
#ifndef MXW_MILTER_LISTENER_H
#define MXW_MILTER_LISTENER_H

#include <pthread.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "milter/mwd.h"

/* Where it listens, read from "unix:/path", "inet:port@host", "inet6:port@host". */
struct mwd_address {
	struct sockaddr_storage sa;
	socklen_t len;
	const char *path; /* unix: points into `sa`; NULL otherwise */
};

struct mwd_listener {
	pthread_mutex_t lock;
	int slot;  /* libmilter's descriptor */
	int real;  /* our duplicate of the real listener */
	int quiet; /* the other one */
	struct mwd_address real_address; /* what to connect to */
	struct mwd_address quiet_address;
	dev_t dev; /* of the unix socket's file */
	ino_t ino;
	bool has_file;
	bool is_paused;
	bool is_retired;
};

struct mwd_listener_options {
	const char *spec;
	mode_t mode; /* of a unix socket */
	uid_t uid;   /* owner of a unix socket's file, (uid_t)-1: leave */
	gid_t gid;
};

/* 0 or an exit code. Host names are looked up. */
int mwd_address_parse(const char *spec, struct mwd_address *ret_address, struct mwd_problem *problem);

/*
 * Finds out why listening there would fail, and removes a unix socket's file that nobody listens on.
 * 0 or an exit code with a message that names the path or address.
 */
int mwd_listener_check(const char *spec, struct mwd_problem *problem);

/* Has libmilter open the socket and finds its descriptor. smfi_register() must have been called. */
int mwd_listener_open(const struct mwd_listener_options *options, struct mwd_listener *ret_listener,
		      struct mwd_problem *problem);
void mwd_listener_pause(struct mwd_listener *listener);
void mwd_listener_resume(struct mwd_listener *listener);
void mwd_listener_retire(struct mwd_listener *listener);

/* Opens and closes up to `n` connections to libmilter; returns how many it got. */
unsigned mwd_listener_kick(struct mwd_listener *listener, unsigned n);

#endif
