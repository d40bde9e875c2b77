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

enum { LOCAL_MAX = 320, PASSWD_BUF = 1024, PASSWD_BUF_MAX = 1024 * 1024 };

struct system_source {
	struct mxw__noticer noticer;
	uint64_t min_uid;
	mxw__watch_t *passwd;  /* NULL: the system's own look-up */
	mxw__watch_t *aliases; /* NULL: none */
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

static void lookup_user(const struct system_source *source, const char *local, const char *lower,
			struct mxw__rcpt_result *ret_result)
{
	bool is_user = false;

	mxw__rcpt_answer(ret_result, MXW_NOT_FOUND);
	if (!may_be_user(lower))
		return;
	int rc = ask_system(lower, source->min_uid, &is_user);
	if (!is_user && strcmp(local, lower) != 0) {
		int rc2 = ask_system(local, source->min_uid, &is_user);
		rc = rc2 ? rc2 : rc;
	}
	if (is_user)
		mxw__rcpt_answer(ret_result, MXW_FOUND);
	else if (rc != 0)
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "the system's users can't be looked up: %s",
				  strerror(rc));
}

/* ---- the source ---- */

static void system_close(void *self)
{
	struct system_source *source = self;

	mxw__watch_free(source->passwd);
	mxw__watch_free(source->aliases);
	free(source);
}

static mxw_status_t system_open(const struct mxw__directory_conf *conf, const struct mxw_clock *clock,
				mxw__notice_fn notice, void *notice_ctx, void **ret_self, struct mxw_error *err)
{
	struct system_source *source = calloc(1, sizeof *source);
	mxw_status_t status = MXW_OK;

	if (!source)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	source->noticer = (struct mxw__noticer){notice, notice_ctx, conf->name};
	source->min_uid = conf->min_uid;
	if (conf->passwd_file && *conf->passwd_file)
		status = mxw__watch_new(conf->passwd_file, clock, &source->noticer, mxw__parse_passwd_file,
					&source->min_uid, &source->passwd);
	if (status == MXW_OK && conf->aliases_file && *conf->aliases_file)
		status = mxw__watch_new(conf->aliases_file, clock, &source->noticer, mxw__parse_aliases_file, NULL,
					&source->aliases);
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
	memcpy(lower, local, strlen(local) + 1);
	mxw__ascii_lower_str(lower);
	if (source->aliases) {
		mxw__watch_lookup(source->aliases, (const char *const[]){lower}, 1, &one);
		mxw__rcpt_merge(ret_result, &one);
	}
	if (ret_result->outcome == MXW_FOUND)
		return;
	if (source->passwd)
		mxw__watch_lookup(source->passwd, (const char *const[]){lower}, 1, &one);
	else
		lookup_user(source, local, lower, &one);
	mxw__rcpt_merge(ret_result, &one);
}

const struct mxw__directory_ops mxw__directory_system = {
	.type = "system",
	.open = system_open,
	.lookup = system_lookup,
	.close = system_close,
};
