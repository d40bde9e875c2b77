/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "milter/process.h"

static int find_group(const char *name, gid_t *ret_gid, struct mwd_problem *problem)
{
	char *end;
	errno = 0;
	const struct group *gr = getgrnam(name);

	if (gr) {
		*ret_gid = gr->gr_gid;
		return 0;
	}
	unsigned long gid = strtoul(name, &end, 10);
	if (end != name && *end == '\0' && gid < (gid_t)-1) {
		*ret_gid = (gid_t)gid;
		return 0;
	}
	return mwd_problem_set(problem, EX_CONFIG, "socket-group %s: there is no such group", name);
}

int mwd_privs_find(const char *user, const char *socket_group, struct mwd_identity *ret_identity,
		   struct mwd_problem *problem)
{
	struct mwd_identity *id = ret_identity;

	*id = (struct mwd_identity){(uid_t)-1, (gid_t)-1, (gid_t)-1};
	if (user && *user) {
		const struct passwd *pw = getpwnam(user);
		if (!pw)
			return mwd_problem_set(problem, EX_CONFIG, "user %s: there is no such user", user);
		id->uid = pw->pw_uid;
		id->gid = pw->pw_gid;
	}
	if (socket_group && *socket_group)
		return find_group(socket_group, &id->socket_gid, problem);
	return 0;
}

int mwd_privs_drop(const char *user, const struct mwd_identity *id, struct mwd_problem *problem)
{
	if (id->uid == (uid_t)-1 || geteuid() == id->uid)
		return 0;
	if (geteuid() != 0)
		return mwd_problem_set(problem, EX_CONFIG, "user %s: only root can become another user", user);
	if (initgroups(user, id->gid) != 0 || setresgid(id->gid, id->gid, id->gid) != 0 ||
	    setresuid(id->uid, id->uid, id->uid) != 0)
		return mwd_problem_set(problem, EX_OSERR, "user %s: %s", user, strerror(errno));
	if (id->uid != 0 && setuid(0) == 0)
		return mwd_problem_set(problem, EX_SOFTWARE, "user %s: root was not given away", user);
	return 0;
}

void mwd_privs_harden(void)
{
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	/* The leak check of a sanitizer build is a debugger of the same user. */
#ifndef MXW_WITH_ASAN
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int mwd_state_dir_check(const char *path, struct mwd_problem *problem)
{
	char name[4096];

	if (!path || !*path)
		return 0;
	if (snprintf(name, sizeof name, "%s/.writable-XXXXXX", path) >= (int)sizeof name)
		return mwd_problem_set(problem, EX_CONFIG, "state-dir %s: the path is too long", path);
	/* access(2) knows neither full disks nor read-only mounts as they are met later. */
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0) {
		bool may_pass = errno == ENOSPC || errno == EDQUOT || errno == EMFILE || errno == ENFILE || errno == EIO;
		return mwd_problem_set(problem, may_pass ? EX_TEMPFAIL : EX_CONFIG, "state-dir %s: not writable: %s",
				       path, strerror(errno));
	}
	close(fd);
	unlink(name);
	return 0;
}
