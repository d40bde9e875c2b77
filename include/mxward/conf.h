/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf.h: mxward.conf, read and checked as a whole.
 *
 * Threads: a configuration is immutable after it was loaded and counted.
 * Errors:  loading goes on after a mistake, so that one run says all of them, each through `complain`
 *          with file, line and column and what was expected.
 */
#ifndef MXWARD_CONF_H
#define MXWARD_CONF_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include <mxward/policy.h>
#include <mxward/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mxw_conf mxw_conf_t;

/* Is called once for each complaint; `error` is borrowed for the call. MXW_OK as status is a warning. */
typedef void (*mxw_complain_fn)(void *ctx, const struct mxw_error *error);

/*
 * Reads the file at `path` and what it includes. Secret files it names are looked at (mode, readable)
 * and read; nothing on the network is touched.
 * Errors: MXW_ERR_CONF after at least one complaint, MXW_ERR_SYSTEM (the file can't be read), MXW_ERR_NOMEM.
 */
mxw_status_t mxw_conf_load(const char *path, mxw_complain_fn complain, void *ctx, mxw_conf_t **ret_conf);

/* The same from memory; `name` stands for the file name. Includes are relative to the working directory. */
mxw_status_t mxw_conf_load_text(const char *name, const char *text, mxw_complain_fn complain, void *ctx,
				mxw_conf_t **ret_conf);

mxw_conf_t *mxw_conf_ref(mxw_conf_t *conf);
void mxw_conf_unref(mxw_conf_t *conf);

/* Writes the settings in force, defaults and rules included, in the syntax of mxward.conf. Secrets are not written. */
mxw_status_t mxw_conf_dump(const mxw_conf_t *conf, FILE *out);

/* The compiled rules, the built-in ones included. Borrowed. */
mxw_policy_t *mxw_conf_policy(const mxw_conf_t *conf);

/* What only the daemon needs. Strings are borrowed from the configuration; "" or -1 where nothing is set. */
struct mxw_daemon_settings {
	const char *socket;          /* libmilter's form: "unix:/path", "inet:port@host", "inet6:port@host" */
	mode_t socket_mode;
	const char *socket_group;
	const char *user;            /* to run as */
	const char *pid_file;
	const char *state_dir;
	const char *syslog_facility;
	const char *log_level;       /* "error", "warning", "info", "debug" */
	unsigned max_sessions;
	unsigned header_frame_bytes; /* the largest header field the milter protocol has to carry */
	unsigned drain_timeout_ms;   /* how long a stop waits for sessions to end */
	const char *control_socket;  /* "unix:/path" or "none" */
	mode_t control_mode;
	const char *control_group;
};
const struct mxw_daemon_settings *mxw_conf_daemon(const mxw_conf_t *conf);

/* For the manual pages' test: calls `visit` for every option of every section ("" is the top level). */
void mxw_conf_each_option(void (*visit)(void *ctx, const char *section, const char *option, const char *deflt),
			  void *ctx);

#ifdef __cplusplus
}
#endif
#endif
