/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory type "system": the machine's users and its aliases(5). Only the local part counts.
 *
 * getpwnam_r() says "no such user" with 0 and a NULL result, and only so: what it returns beside 0, ENOENT and
 * ESRCH included, glibc passes on from a name service that could not be asked.
 */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/source.h"

enum { LOCAL_MAX = MXW__LOCAL_MAX, PASSWD_BUF = 1024, PASSWD_BUF_MAX = 1024 * 1024, ASKING_MAX = 64 };

struct system_source {
	struct mxw__noticer noticer;
	const struct mxw_clock *clock;
	uint64_t min_uid;
	mxw__jobs_t *jobs;     /* users being asked for */
	mxw__watch_t *passwd;  /* NULL: the system's own look-up */
	size_t naliases;
	mxw__watch_t **aliases;
};

/* ---- users ---- */

/* getpwnam_r() with a buffer that grows. Returns its code; `ret_is_user` is set with 0. */
static int ask_system(const char *name, uint64_t min_uid, bool *ret_is_user)
{
	for (size_t size = PASSWD_BUF; size <= PASSWD_BUF_MAX; size *= 4) {
		struct passwd pw, *found = NULL;
		char *buf = malloc(size);
		if (!buf)
			return ENOMEM;
		int rc;
		do
			rc = getpwnam_r(name, &pw, buf, size, &found);
		while (rc == EINTR);
		if (rc == 0)
			*ret_is_user = found && pw.pw_uid >= min_uid;
		free(buf);
		if (rc != ERANGE)
			return rc;
	}
	return ERANGE;
}

/* Names that no user has are not given to name services, which may read more into them. */
static bool may_be_user(const char *name)
{
	if (!*name || *name == '-' || *name == '+' || strlen(name) > 255)
		return false;
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if (*p < ' ' || *p == 0x7f || *p == ':' || *p == '/' || *p == ',')
			return false;
	return true;
}

/* A name in one or two spellings, and what became of it. Outlives the source if the name service hangs. */
struct user {
	char local[LOCAL_MAX + 1];
	char lower[LOCAL_MAX + 1];
	uint64_t min_uid;
	bool is_user;
	int code;
};

static void ask_for_user(void *data)
{
	struct user *user = data;

	user->code = ask_system(user->lower, user->min_uid, &user->is_user);
	if (!user->is_user && strcmp(user->local, user->lower) != 0) {
		int code = ask_system(user->local, user->min_uid, &user->is_user);
		user->code = code ? code : user->code;
	}
}

static void lookup_user(const struct system_source *source, const char *local, const char *lower,
			int64_t deadline_ms, struct mxw__rcpt_result *ret_result)
{
	mxw__rcpt_answer(ret_result, MXW_NOT_FOUND);
	if (!may_be_user(lower))
		return;
	struct user *user = calloc(1, sizeof *user);
	if (!user) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "out of memory");
		return;
	}
	memcpy(user->local, local, strlen(local) + 1);
	memcpy(user->lower, lower, strlen(lower) + 1);
	user->min_uid = source->min_uid;
	mxw__job_t *job = mxw__job_start(source->jobs, ask_for_user, free, user);
	if (!job) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "too many look-ups of the system's users are waiting");
		return;
	}
	if (!mxw__job_wait(job, deadline_ms - mxw__now_ms(source->clock)))
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "the system's users were not looked up in time");
	else if (user->is_user)
		mxw__rcpt_answer(ret_result, MXW_FOUND);
	else if (user->code != 0)
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "the system's users can't be looked up: %s",
				  strerror(user->code));
	mxw__job_unref(job);
}

/* ---- the source ---- */

static void system_close(void *self)
{
	struct system_source *source = self;

	mxw__watch_free(source->passwd);
	for (size_t i = 0; i < source->naliases; i++)
		mxw__watch_free(source->aliases[i]);
	free(source->aliases);
	mxw__jobs_unref(source->jobs);
	free(source);
}

static mxw_status_t open_aliases(struct system_source *source, const struct mxw__strings *paths)
{
	source->aliases = mxw__calloc(paths->n, sizeof(mxw__watch_t *));
	if (!source->aliases)
		return MXW_ERR_NOMEM;
	for (size_t i = 0; i < paths->n; i++) {
		if (!*paths->v[i])
			continue;
		mxw_status_t status = mxw__watch_new(paths->v[i], source->clock, &source->noticer, mxw__parse_aliases_file,
						     NULL, &source->aliases[source->naliases]);
		if (status != MXW_OK)
			return status;
		source->naliases++;
	}
	return MXW_OK;
}

static mxw_status_t system_open(const struct mxw__directory_env *env, void **ret_self, struct mxw_error *err)
{
	const struct mxw__directory_conf *conf = env->conf;
	struct system_source *source = calloc(1, sizeof *source);
	mxw_status_t status = MXW_OK;

	if (!source)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	source->noticer = (struct mxw__noticer){env->notice, env->notice_ctx, conf->name, "directory"};
	source->clock = env->clock;
	source->min_uid = conf->min_uid;
	source->jobs = mxw__jobs_new(ASKING_MAX);
	if (!source->jobs)
		status = MXW_ERR_NOMEM;
	if (status == MXW_OK && conf->passwd_file && *conf->passwd_file)
		status = mxw__watch_new(conf->passwd_file, env->clock, &source->noticer, mxw__parse_passwd_file,
					&source->min_uid, &source->passwd);
	if (status == MXW_OK)
		status = open_aliases(source, &conf->aliases_files);
	if (status != MXW_OK) {
		system_close(source);
		return mxw__fail(err, status, "%s", mxw_status_name(status));
	}
	*ret_self = source;
	return MXW_OK;
}

static void system_lookup(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	struct system_source *source = self;
	const char *local = query->address->local;
	char lower[LOCAL_MAX + 1];
	struct mxw__rcpt_result one = *ret_result;

	mxw__rcpt_answer(ret_result, MXW_NOT_FOUND);
	if (strlen(local) > LOCAL_MAX)
		return;
	mxw__local_canonical(local, strlen(local), lower);
	for (size_t i = 0; i < source->naliases && ret_result->outcome != MXW_FOUND; i++) {
		mxw__watch_lookup(source->aliases[i], (const char *const[]){lower}, 1, &one);
		mxw__rcpt_merge(ret_result, &one);
	}
	if (ret_result->outcome == MXW_FOUND)
		return;
	if (source->passwd)
		mxw__watch_lookup(source->passwd, (const char *const[]){lower}, 1, &one);
	else
		lookup_user(source, local, lower, query->deadline_ms, &one);
	mxw__rcpt_merge(ret_result, &one);
}

const struct mxw__directory_ops mxw__directory_system = {
	.type = "system",
	.ignores_text = true,
	.open = system_open,
	.lookup = system_lookup,
	.close = system_close,
};
