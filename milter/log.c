/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "milter/log.h"

struct line {
	struct line *next;
	mxw_level_t level;
	char text[];
};

struct mwd_log {
	bool to_stderr;
	bool to_syslog;
	bool with_priority; /* standard error is the journal: it reads "<6>" */
	pthread_mutex_t lock; /* guards what follows; innermost, nothing is taken or waited for under it */
	pthread_cond_t work;
	pthread_cond_t done;
	mxw_level_t level;
	int facility;
	struct line *head;
	struct line **tail;
	unsigned nlines;
	unsigned long ndropped;
	bool is_running;
	bool is_stopping;
	pthread_t writer;
};

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{"mail", LOG_MAIL},     {"daemon", LOG_DAEMON}, {"user", LOG_USER},     {"auth", LOG_AUTH},
	{"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
	{"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
};

static const struct {
	const char *name;
	const char *prefix;
	int priority;
} levels[] = {
	[MXW_LEVEL_ERROR] = {"error", "error: ", LOG_ERR},
	[MXW_LEVEL_WARNING] = {"warning", "warning: ", LOG_WARNING},
	[MXW_LEVEL_INFO] = {"info", "", LOG_INFO},
	[MXW_LEVEL_DEBUG] = {"debug", "debug: ", LOG_DEBUG},
};

mwd_log_t *mwd_log_open(bool to_stderr, bool to_syslog)
{
	mwd_log_t *log = calloc(1, sizeof *log);
	pthread_condattr_t attr;

	if (!log)
		return NULL;
	log->to_stderr = to_stderr;
	log->to_syslog = to_syslog;
	log->with_priority = to_stderr && getenv("JOURNAL_STREAM") != NULL;
	log->level = MXW_LEVEL_INFO;
	log->facility = LOG_MAIL;
	log->tail = &log->head;
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->work, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&log->done, &attr);
	pthread_condattr_destroy(&attr);
	/* libmilter speaks to syslog in any case: its lines get our name. */
	openlog("mxward", LOG_PID, LOG_MAIL);
	return log;
}

void mwd_log_leave_stderr(mwd_log_t *log)
{
	log->to_stderr = false;
	log->to_syslog = true;
}

void mwd_log_configure(mwd_log_t *log, const char *level, const char *facility)
{
	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < MWD_ARRAY_LEN(levels); i++)
		if (strcmp(levels[i].name, level) == 0)
			log->level = (mxw_level_t)i;
	for (size_t i = 0; i < MWD_ARRAY_LEN(facilities); i++)
		if (strcmp(facilities[i].name, facility) == 0)
			log->facility = facilities[i].facility;
	pthread_mutex_unlock(&log->lock);
}

/* One write() per line, so that lines of several processes on one terminal or pipe do not mix. */
static void write_stderr(const mwd_log_t *log, mxw_level_t level, const char *text)
{
	size_t size = strlen(text) + 64;
	char *buf = malloc(size);
	char priority[8] = "";

	if (!buf)
		return;
	if (log->with_priority)
		snprintf(priority, sizeof priority, "<%d>", levels[level].priority);
	int n = snprintf(buf, size, "%smxward: %s%s\n", priority, levels[level].prefix, text);
	for (char *p = buf; n > 0;) {
		ssize_t w = write(STDERR_FILENO, p, (size_t)n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			break;
		p += w;
		n -= (int)w;
	}
	free(buf);
}

static void emit(const mwd_log_t *log, mxw_level_t level, int facility, const char *text)
{
	if (log->to_stderr)
		write_stderr(log, level, text);
	if (log->to_syslog)
		syslog(facility | levels[level].priority, "%s%s", levels[level].prefix, text);
}

static struct line *take_line_locked(mwd_log_t *log)
{
	struct line *line = log->head;

	log->head = line->next;
	if (!log->head)
		log->tail = &log->head;
	log->nlines--;
	return line;
}

static void *write_lines(void *arg)
{
	mwd_log_t *log = arg;

	pthread_mutex_lock(&log->lock);
	for (;;) {
		while (!log->head && !log->is_stopping)
			pthread_cond_wait(&log->work, &log->lock);
		if (!log->head)
			break;
		struct line *line = take_line_locked(log);
		unsigned long dropped = log->ndropped;
		int facility = log->facility;
		log->ndropped = 0;
		pthread_mutex_unlock(&log->lock);
		emit(log, line->level, facility, line->text);
		free(line);
		if (dropped > 0) {
			char text[80];
			snprintf(text, sizeof text, "log: %lu lines dropped, the log can't keep up", dropped);
			emit(log, MXW_LEVEL_WARNING, facility, text);
		}
		pthread_mutex_lock(&log->lock);
	}
	log->is_running = false;
	pthread_cond_signal(&log->done);
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

bool mwd_log_start(mwd_log_t *log)
{
	/* The engine's threads may speak already. */
	pthread_mutex_lock(&log->lock);
	bool is_running = pthread_create(&log->writer, NULL, write_lines, log) == 0;
	log->is_running = is_running;
	pthread_mutex_unlock(&log->lock);
	return is_running;
}

void mwd_log_close(mwd_log_t *log, int timeout_ms)
{
	struct timespec until;

	if (!log)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&log->lock);
	bool was_running = log->is_running;
	log->is_stopping = true;
	pthread_cond_signal(&log->work);
	while (log->is_running)
		if (pthread_cond_timedwait(&log->done, &log->lock, &until) == ETIMEDOUT)
			break;
	bool is_stuck = log->is_running;
	pthread_mutex_unlock(&log->lock);
	/* A writer that hangs in syslog() still uses the queue: then the end of the process takes both. */
	if (is_stuck)
		return;
	if (was_running)
		pthread_join(log->writer, NULL);
	pthread_mutex_destroy(&log->lock);
	pthread_cond_destroy(&log->work);
	pthread_cond_destroy(&log->done);
	free(log);
}

void mwd_log_line(mwd_log_t *log, mxw_level_t level, const char *text)
{
	size_t len = strlen(text);
	bool is_queued = false;

	if ((size_t)level >= MWD_ARRAY_LEN(levels))
		level = MXW_LEVEL_ERROR;
	pthread_mutex_lock(&log->lock);
	bool is_wanted = level <= log->level;
	bool is_running = log->is_running;
	int facility = log->facility;
	pthread_mutex_unlock(&log->lock);
	if (!is_wanted)
		return;
	if (!is_running) {
		emit(log, level, facility, text);
		return;
	}
	struct line *line = malloc(sizeof *line + len + 1);
	if (line) {
		line->next = NULL;
		line->level = level;
		memcpy(line->text, text, len + 1);
	}
	pthread_mutex_lock(&log->lock);
	if (line && log->nlines < MWD_LOG_QUEUE && log->is_running) {
		*log->tail = line;
		log->tail = &line->next;
		log->nlines++;
		is_queued = true;
		pthread_cond_signal(&log->work);
	} else {
		log->ndropped++;
	}
	pthread_mutex_unlock(&log->lock);
	if (!is_queued)
		free(line);
}

void mwd_logf(mwd_log_t *log, mxw_level_t level, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	mwd_log_line(log, level, text);
}
