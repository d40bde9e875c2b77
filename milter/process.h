/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process.h: what makes a process a daemon: background, user, files, and word to systemd.
 *
 * Threads: from the main thread. mwd_daemonize() and mwd_privs_drop() before there are others.
 * Errors:  0 or a sysexits code, with a message that names the path or name.
 */
#ifndef MXW_MILTER_PROCESS_H
#define MXW_MILTER_PROCESS_H

#include <sys/types.h>

#include "milter/mwd.h"

/* ---- daemonize.c ---- */

/*
 * Goes on in a child, in the background. The parent waits until the child calls mwd_daemonize_ready() or ends,
 * and ends itself with the child's exit code: who starts the daemon knows whether it came up.
 */
int mwd_daemonize(int *ret_ready_fd, struct mwd_problem *problem);
void mwd_daemonize_ready(int ready_fd);

/* Writes our process id; "" is no file. An old file is replaced, a symbolic link is not followed. */
int mwd_pid_file_write(const char *path, struct mwd_problem *problem);
/* Removes it if it still holds our process id. */
void mwd_pid_file_remove(const char *path);

/* ---- privs.c ---- */

struct mwd_identity {
	uid_t uid; /* (uid_t)-1: stay who we are */
	gid_t gid;
	gid_t socket_gid; /* (gid_t)-1: no group named */
};

/* Looks user and group up; "" is none. */
int mwd_privs_find(const char *user, const char *socket_group, struct mwd_identity *ret_identity,
		   struct mwd_problem *problem);
/* Gives root away for good; does nothing if we are not root or no user is named. */
int mwd_privs_drop(const char *user, const struct mwd_identity *identity, struct mwd_problem *problem);
/* No core files and no debugger of the same user: the process knows passwords. */
void mwd_privs_harden(void);
/* Can files be made there? "" is no directory. */
int mwd_state_dir_check(const char *path, struct mwd_problem *problem);

/* ---- notify.c ---- */

/* Tells systemd, if it wants to know (sd_notify(3)): "READY=1", "STOPPING=1"... */
void mwd_notify(const char *state);
/* The same for a reload, which carries the time. */
void mwd_notify_reloading(void);

#endif
