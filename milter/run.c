/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <libmilter/mfapi.h>
#include <mxward/mxward.h>

#include "milter/control.h"
#include "milter/fdguard.h"
#include "milter/glue.h"
#include "milter/process.h"
#include "milter/run.h"
#include "milter/signals.h"

/* libunbound, libspf2 and OpenSSL need some tens of KB; thousands of threads at 8 MB each need room. */
#if defined(MXW_WITH_ASAN) || defined(MXW_WITH_TSAN)
#define STACK_BYTES (4 * 1024 * 1024)
#else
#define STACK_BYTES (512 * 1024)
#endif

/* How long callbacks that are in progress may go on once the time to drain is over. */
#define LAST_CALLS_MS 2000
#define DEFAULT_SOCKET_MODE 0660
/* Descriptors beside those of sessions: the resolver, directories, files. */
#define FILES_BESIDES 128

struct server {
	const struct mwd_options *options;
	mwd_log_t *log;
	struct mwd_glue glue;
	struct mwd_listener listener;
	struct mwd_fdguard fdguard;
	mwd_control_t *control; /* NULL: there is none */
	pthread_t milter;
	mxw_engine_t *engine;
	mxw_conf_t *start_conf; /* settings that need a restart are compared with these */
	int ready_fd;           /* -1: in the foreground */
	bool has_pid_file;
	unsigned long max_files; /* limit of descriptors */
};

/* ---- configuration ---- */

void mwd_format_complaint(const struct mxw_error *error, char *ret_text, size_t size)
{
	char where[MXW_ERROR_FILE_MAX + 32] = "";
	const char *kind = error->status == MXW_OK ? "warning: " : "";

	if (error->file[0] && error->line > 0)
		snprintf(where, sizeof where, "%s:%u:%u: ", error->file, error->line, error->column);
	else if (error->file[0])
		snprintf(where, sizeof where, "%s: ", error->file);
	snprintf(ret_text, size, "%s%s%s", where, kind, error->text);
}

static void log_complaint(void *ctx, const struct mxw_error *error)
{
	struct server *server = ctx;
	char text[MXW_ERROR_TEXT_MAX + MXW_ERROR_FILE_MAX + 64];

	mwd_format_complaint(error, text, sizeof text);
	mwd_log_line(server->log, error->status == MXW_OK ? MXW_LEVEL_WARNING : MXW_LEVEL_ERROR, text);
}

static mxw_conf_t *load(struct server *server, mxw_status_t *ret_status)
{
	mxw_conf_t *conf = NULL;

	*ret_status = mxw_conf_load(server->options->conf_path, log_complaint, server, &conf);
	return *ret_status == MXW_OK ? conf : NULL;
}

static int exit_code_of(mxw_status_t status)
{
	return status == MXW_ERR_NOMEM ? EX_TEMPFAIL : EX_CONFIG;
}

static void note_if_changed(struct server *server, const char *option, const char *old, const char *new)
{
	if (strcmp(old ? old : "", new ? new : "") != 0)
		mwd_logf(server->log, MXW_LEVEL_WARNING, "%s: the change takes effect after a restart", option);
}

static void apply(struct server *server, const mxw_conf_t *conf)
{
	const struct mxw_daemon_settings *new = mxw_conf_daemon(conf);

	mwd_log_configure(server->log, new->log_level, new->syslog_facility);
	mwd_glue_configure(&server->glue, new);
	if (server->max_files < new->max_sessions + FILES_BESIDES)
		mwd_logf(server->log, MXW_LEVEL_WARNING,
			 "descriptors: the limit of %lu is low for %u sessions, raise it (LimitNOFILE=) or lower sessions",
			 server->max_files, new->max_sessions);
}

static void reload(struct server *server)
{
	const struct mxw_daemon_settings *old = mxw_conf_daemon(server->start_conf);
	struct mxw_error err = {0};
	mxw_status_t status;
	mxw_conf_t *conf = load(server, &status);

	if (conf)
		status = mxw_engine_reload(server->engine, conf, &err);
	if (status != MXW_OK) {
		if (conf)
			log_complaint(server, &err);
		mwd_logf(server->log, MXW_LEVEL_ERROR, "reload: %s was not taken, the former configuration stays in force",
			 server->options->conf_path);
		mxw_conf_unref(conf);
		return;
	}
	const struct mxw_daemon_settings *new = mxw_conf_daemon(conf);
	apply(server, conf);
	note_if_changed(server, "socket", old->socket, new->socket);
	note_if_changed(server, "socket-group", old->socket_group, new->socket_group);
	note_if_changed(server, "control-socket", old->control_socket, new->control_socket);
	note_if_changed(server, "control-group", old->control_group, new->control_group);
	note_if_changed(server, "user", old->user, new->user);
	note_if_changed(server, "pid-file", old->pid_file, new->pid_file);
	note_if_changed(server, "state-dir", old->state_dir, new->state_dir);
	if (old->socket_mode != new->socket_mode)
		note_if_changed(server, "socket-mode", "old", "new");
	if (old->control_mode != new->control_mode)
		note_if_changed(server, "control-mode", "old", "new");
	mwd_logf(server->log, MXW_LEVEL_INFO, "reload: %s is in force for new sessions", server->options->conf_path);
	mxw_conf_unref(conf);
}

/* ---- start ---- */

static void log_for_engine(void *ctx, mxw_level_t level, const char *line)
{
	mwd_log_line(ctx, level, line);
}

static int start_engine(struct server *server, mxw_conf_t *conf, struct mwd_problem *problem)
{
	struct mxw_engine_options options = {
		.size = sizeof options,
		.log = log_for_engine,
		.log_ctx = server->log,
		.state_dir = mxw_conf_daemon(conf)->state_dir,
	};
	struct mxw_error err = {0};
	mxw_status_t status = mxw_engine_new(conf, &options, &server->engine, &err);
	char text[MXW_ERROR_TEXT_MAX + MXW_ERROR_FILE_MAX + 64];

	if (status != MXW_OK) {
		mwd_format_complaint(&err, text, sizeof text);
		return mwd_problem_set(problem, status == MXW_ERR_CONF ? EX_CONFIG : EX_TEMPFAIL, "%s",
				       text[0] ? text : mxw_status_name(status));
	}
	server->glue.engine = server->engine;
	return 0;
}

static int open_socket(struct server *server, const struct mxw_daemon_settings *settings,
		       const struct mwd_identity *identity, struct mwd_problem *problem)
{
	struct mwd_listener_options options = {
		.spec = settings->socket,
		.mode = settings->socket_mode == (mode_t)-1 ? DEFAULT_SOCKET_MODE : settings->socket_mode,
		.uid = geteuid() == 0 ? identity->uid : (uid_t)-1,
		.gid = identity->socket_gid,
	};

	if (options.gid == (gid_t)-1 && geteuid() == 0)
		options.gid = identity->gid;
	if (!settings->socket || !*settings->socket)
		return mwd_problem_set(problem, EX_CONFIG, "%s: socket is not set", server->options->conf_path);
	if (!mwd_glue_register(&server->glue))
		return mwd_problem_set(problem, EX_SOFTWARE, "libmilter does not take our callbacks");
	return mwd_listener_open(&options, &server->listener, problem);
}

/* What has to be done as root, then as the user we serve as. */
static int become(struct server *server, const struct mxw_daemon_settings *settings, struct mwd_problem *problem)
{
	struct mwd_identity identity;
	int rc = mwd_privs_find(settings->user, settings->socket_group, &identity, problem);

	if (rc == 0)
		rc = open_socket(server, settings, &identity, problem);
	if (rc == 0)
		rc = mwd_pid_file_write(settings->pid_file, problem);
	server->has_pid_file = rc == 0;
	if (rc == 0)
		rc = mwd_privs_drop(settings->user, &identity, problem);
	mwd_privs_harden();
	if (rc == 0)
		rc = mwd_state_dir_check(settings->state_dir, problem);
	return rc;
}

static void *run_milter(void *arg)
{
	(void)smfi_main();
	mwd_signals_tell(MWD_EVENT_FAILED);
	return NULL;
}

static int start_threads(struct server *server, struct mwd_problem *problem)
{
	sigset_t old;

	mwd_signals_block(&old);
	int rc = pthread_create(&server->milter, NULL, run_milter, server);
	if (rc == 0 && (!mwd_kicker_start(&server->glue.kicker, &server->glue.gate, &server->listener) ||
			!mwd_fdguard_start(&server->fdguard, &server->listener, server->log)))
		rc = EAGAIN;
	mwd_signals_unblock(&old);
	if (rc != 0)
		return mwd_problem_set(problem, EX_TEMPFAIL, "can't start a thread: %s", strerror(rc));
	return 0;
}

/* Mail does not depend on it. */
static void start_control(struct server *server, const struct mxw_daemon_settings *settings)
{
	struct mwd_control_options options = {
		.spec = settings->control_socket,
		.mode = settings->control_mode,
		.group = settings->control_group,
		.engine = server->engine,
		.log = server->log,
	};
	struct mwd_problem problem = {0};

	if (strcmp(settings->control_socket, "none") != 0 && mwd_control_start(&options, &server->control, &problem) != 0)
		mwd_logf(server->log, MXW_LEVEL_WARNING, "control: %s; mxwardctl can't be used", problem.text);
}

static void set_stack_size(void)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, STACK_BYTES) == 0)
		pthread_setattr_default_np(&attr);
	pthread_attr_destroy(&attr);
}

/* The log's writer and the engine's threads are to get no signal. */
static int start_serving(struct server *server, mxw_conf_t *conf, struct mwd_problem *problem)
{
	sigset_t old;

	set_stack_size();
	if (!mwd_signals_init())
		return mwd_problem_set(problem, EX_OSERR, "signals: %s", strerror(errno));
	mwd_signals_block(&old);
	int rc = start_engine(server, conf, problem);
	mwd_signals_unblock(&old);
	if (rc != 0)
		return rc;
	if (server->ready_fd >= 0)
		mwd_log_leave_stderr(server->log);
	mwd_signals_block(&old);
	mwd_log_start(server->log);
	mwd_signals_unblock(&old);
	rc = start_threads(server, problem);
	if (rc == 0)
		start_control(server, mxw_conf_daemon(conf));
	if (rc == 0 && server->ready_fd >= 0)
		mwd_daemonize_ready(server->ready_fd);
	return rc;
}

static int start(struct server *server, struct mwd_problem *problem)
{
	mxw_status_t status;
	uid_t uid = geteuid();
	int rc;

	server->start_conf = load(server, &status);
	if (!server->start_conf)
		return mwd_problem_set(problem, exit_code_of(status), "%s: not usable, see above",
				       server->options->conf_path);
	apply(server, server->start_conf);
	rc = become(server, mxw_conf_daemon(server->start_conf), problem);
	if (rc == 0 && geteuid() != uid) {
		mxw_conf_t *conf = load(server, &status);
		if (!conf)
			return mwd_problem_set(problem, exit_code_of(status),
					       "%s: not usable for the user that mxward runs as, see above",
					       server->options->conf_path);
		mxw_conf_unref(server->start_conf);
		server->start_conf = conf;
	}
	if (rc == 0)
		rc = start_serving(server, server->start_conf, problem);
	return rc;
}

/* ---- end ---- */

static unsigned drain_timeout(struct server *server)
{
	mxw_conf_t *conf = mxw_engine_conf(server->engine);
	unsigned ms = mxw_conf_daemon(conf)->drain_timeout_ms;

	mxw_conf_unref(conf);
	return ms;
}

/* Waits until every connection has ended, the time is over or somebody is impatient. */
static void drain(struct server *server)
{
	int64_t until = mwd_now_ms() + drain_timeout(server);
	unsigned n = mwd_gate_nconns(&server->glue.gate);

	if (n > 0)
		mwd_logf(server->log, MXW_LEVEL_INFO, "stop: waiting for %u sessions to end", n);
	while (mwd_gate_nconns(&server->glue.gate) > 0 && mwd_now_ms() < until)
		if (mwd_signals_wait(20) == MWD_EVENT_STOP)
			return;
}

/* Nobody comes in any more; true if nobody is left inside. */
static bool close_gate(struct server *server)
{
	int64_t until = mwd_now_ms() + LAST_CALLS_MS;

	mwd_gate_close(&server->glue.gate);
	while (mwd_gate_ncalls(&server->glue.gate) > 0) {
		if (mwd_now_ms() >= until || mwd_signals_wait(5) == MWD_EVENT_STOP)
			return mwd_gate_ncalls(&server->glue.gate) == 0;
	}
	return true;
}

static void remove_pid_file(struct server *server)
{
	if (server->has_pid_file)
		mwd_pid_file_remove(mxw_conf_daemon(server->start_conf)->pid_file);
}

/*
 * libmilter's threads live as long as the process; exit() would run its destructors, and OpenSSL's, under their feet.
 * Only the leak check of a sanitizer build needs it.
 */
static _Noreturn void leave(bool is_empty, int exit_code)
{
#ifdef MXW_WITH_ASAN
	if (is_empty)
		exit(exit_code);
#endif
	_exit(exit_code);
}

/*
 * smfi_stop() is not called: it lets go of the sessions at once, smfi_main() takes up to five seconds to come
 * back, and then removes whatever socket has the name of ours, a successor's too.
 */
static _Noreturn void stop(struct server *server, int exit_code)
{
	mwd_notify("STOPPING=1");
	mxw_engine_hurry(server->engine);
	mwd_fdguard_stop(&server->fdguard);
	bool is_control_gone = mwd_control_stop(server->control);
	mwd_listener_retire(&server->listener);
	drain(server);
	bool is_empty = close_gate(server) && is_control_gone;
	mwd_kicker_stop(&server->glue.kicker);
	unsigned cut_off = mwd_gate_nconns(&server->glue.gate);
	if (cut_off > 0)
		mwd_logf(server->log, MXW_LEVEL_WARNING, "stop: %u sessions are cut off, their MTAs will try again",
			 cut_off);
	remove_pid_file(server);
	if (is_empty) {
		mwd_glue_end_all(&server->glue);
		mxw_engine_free(server->engine);
		mxw_conf_unref(server->start_conf);
	}
	mwd_logf(server->log, MXW_LEVEL_INFO, "stop: done");
	mwd_log_close(server->log, 1000);
	leave(is_empty, exit_code);
}

static _Noreturn void serve(struct server *server)
{
	for (;;) {
		switch (mwd_signals_wait(-1)) {
		case MWD_EVENT_RELOAD:
			mwd_notify_reloading();
			reload(server);
			mwd_notify("READY=1");
			break;
		case MWD_EVENT_STOP:
			stop(server, EX_OK);
		case MWD_EVENT_FAILED:
			mwd_logf(server->log, MXW_LEVEL_ERROR, "libmilter gave up, see the system log");
			stop(server, EX_TEMPFAIL);
		case MWD_EVENT_NONE:
			break;
		}
	}
}

static void give_up(struct server *server, const struct mwd_problem *problem)
{
	mwd_log_line(server->log, MXW_LEVEL_ERROR, problem->text);
	if (server->listener.real > 0)
		mwd_listener_retire(&server->listener);
	if (server->start_conf)
		remove_pid_file(server);
	mxw_engine_free(server->engine);
	mxw_conf_unref(server->start_conf);
	mwd_log_close(server->log, 1000);
}

int mwd_run(const struct mwd_options *options)
{
	static struct server server; /* libmilter's threads may outlive main() by a moment */
	struct mwd_problem problem = {0};
	int rc = 0;

	server.options = options;
	server.ready_fd = -1;
	/* Until mwd_signals_init() there is nothing to be read again, and a reload must never end the process. */
	signal(SIGHUP, SIG_IGN);
	umask(027);
	if (!options->is_foreground)
		rc = mwd_daemonize(&server.ready_fd, &problem);
	server.log = mwd_log_open(true, !options->is_foreground);
	if (!server.log)
		return EX_OSERR;
	mwd_glue_init(&server.glue, server.log);
	server.max_files = mwd_fdguard_raise_limit();
	if (rc == 0)
		rc = start(&server, &problem);
	if (rc != 0) {
		give_up(&server, &problem);
		return rc;
	}
	mwd_logf(server.log, MXW_LEVEL_INFO, "ready version=%s socket=%s", mxw_version(),
		 mxw_conf_daemon(server.start_conf)->socket);
	mwd_notify("READY=1");
	serve(&server);
}
