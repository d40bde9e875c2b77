/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/sql/writer.h"

enum {
	NOTICE_MS = 60 * 60 * 1000,
	RELAPSE_MS = 5 * 60 * 1000, /* the same after it was said that all is well again */
	NOTICE_TEXT_MAX = 5000
};

/* What is said once in a time. */
struct word {
	bool is_said;
	int64_t said_ms;
};

struct mxw__writer {
	struct mxw__writer_options options;
	struct mxw_clock clock;
	bool has_thread;
	pthread_t thread;
	atomic_bool is_cancelled;
	pthread_mutex_t mutex;       /* guards what follows; a leaf */
	pthread_cond_t wake, done;
	bool is_stopping, has_stopped;
	unsigned idle_ms;
	int64_t wanted_ms;           /* when work is wanted; of the real clock, like the next ones */
	int64_t idle_until_ms, pause_until_ms;
	unsigned flushes_wanted, flushes_done;
	bool is_flushed;             /* the last flush has done all there was to do */
	/* The thread's own. */
	bool is_pausing;             /* after a failure */
	unsigned pause_ms;
	bool was_damaged, was_gone;  /* and nothing could be written since */
	struct word complained;      /* that something is not written */
	struct word replaced;        /* that another file was begun */
	bool is_told;                /* that it can't be written; the end of it is to be told as well */
	bool has_written;            /* since the last failure */
	bool is_well_again;          /* and that was told */
	bool is_last;                /* the last work before the end: what can't be written now is lost */
	int64_t told_ms;             /* that it can't be */
};

static int64_t real_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

/* ---- telling ---- */

/* `text` has what there is to be said. */
static void say(mxw__writer_t *writer, struct mxw__buf *text)
{
	writer->options.notice(writer->options.notice_ctx, false, mxw__buf_str(text));
	mxw__buf_fini(text);
}

/* False: nobody listens, or it was said not long ago. */
static bool may_say(mxw__writer_t *writer, struct word *word, int64_t again_ms)
{
	int64_t now_ms = mxw__now_ms(&writer->clock);

	if (!writer->options.notice || atomic_load(&writer->is_cancelled) || (word->is_said && now_ms - word->said_ms < again_ms))
		return false;
	*word = (struct word){true, now_ms};
	return true;
}

static bool complain(mxw__writer_t *writer, const char *what, const char *why)
{
	struct mxw__buf text;

	if (!may_say(writer, &writer->complained, writer->is_well_again ? RELAPSE_MS : NOTICE_MS))
		return false;
	mxw__buf_init(&text, NOTICE_TEXT_MAX);
	mxw__buf_addf(&text, "%s %s%s%s; ", writer->options.path, what, *why ? ": " : "", why);
	writer->options.tell_loss(writer->options.ctx, &text);
	say(writer, &text);
	writer->is_well_again = false;
	return true;
}

void mxw__writer_complain(mxw__writer_t *writer, const char *what, const char *why)
{
	complain(writer, what, why);
}

static void tell_failure(mxw__writer_t *writer, const char *what, const char *why)
{
	struct word last = {0};
	struct mxw__buf text;

	if (writer->is_last) {
		if (!may_say(writer, &last, 0))
			return;
		mxw__buf_init(&text, NOTICE_TEXT_MAX);
		mxw__buf_addf(&text, "%s %s: %s; what was not written before is lost", writer->options.path, what, why);
		say(writer, &text);
	} else if (complain(writer, what, why) && !writer->is_told) {
		writer->is_told = true;
		writer->told_ms = writer->complained.said_ms;
	}
}

static void tell_replaced(mxw__writer_t *writer, const char *what, const char *why)
{
	struct mxw__buf text;

	if (!may_say(writer, &writer->replaced, NOTICE_MS))
		return;
	mxw__buf_init(&text, NOTICE_TEXT_MAX);
	mxw__buf_addf(&text, "%s %s%s%s; another one is begun", writer->options.path, what, *why ? ": " : "", why);
	say(writer, &text);
}

static void tell_end(mxw__writer_t *writer)
{
	struct word end = {0};
	struct mxw__buf text;

	if (!writer->is_told || !writer->has_written || !may_say(writer, &end, 0))
		return;
	mxw__buf_init(&text, NOTICE_TEXT_MAX);
	mxw__buf_addf(&text, "%s is written again, after %lld s", writer->options.path, (long long)(end.said_ms - writer->told_ms) / 1000);
	say(writer, &text);
	writer->is_told = false;
	writer->is_well_again = true;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A file that is damaged twice without anything written in between is not set aside again at once. */
bool mxw__writer_fail(mxw__writer_t *writer, mxw__db_status_t status, const char *why)
{
	char reason[MXW__DB_REASON_MAX], what[128];

	snprintf(reason, sizeof reason, "%s", why);
	writer->options.close(writer->options.ctx);
	writer->is_pausing = true;
	writer->has_written = false;
	writer->pause_ms = writer->options.retry_ms;
	if (status == MXW__DB_GONE) {
		writer->pause_ms = writer->was_gone ? writer->options.retry_ms : 0;
		writer->was_gone = true;
		tell_replaced(writer, reason, "");
		return true;
	}
	if (status != MXW__DB_DAMAGED || writer->was_damaged) {
		tell_failure(writer, "can't be written", reason);
		return false;
	}
	writer->was_damaged = true;
	if (!mxw__db_set_aside(writer->options.path)) {
		tell_failure(writer, "is damaged, and can't be set aside", strerror(errno));
		return false;
	}
	writer->pause_ms = 0;
	snprintf(what, sizeof what, "is damaged, and set aside as %.80s.bad", name_of(writer->options.path));
	tell_replaced(writer, what, reason);
	return true;
}

void mxw__writer_succeed(mxw__writer_t *writer)
{
	writer->was_damaged = writer->was_gone = false;
	writer->has_written = true;
}

const atomic_bool *mxw__writer_cancelled(const mxw__writer_t *writer)
{
	return &writer->is_cancelled;
}

bool mxw__writer_is_cancelled(const mxw__writer_t *writer)
{
	return atomic_load(&writer->is_cancelled);
}

/* ---- the thread ---- */

static int64_t due_locked(const mxw__writer_t *writer)
{
	if (writer->is_stopping || writer->flushes_wanted != writer->flushes_done)
		return INT64_MIN;
	if (writer->pause_until_ms)
		return writer->pause_until_ms;
	return writer->wanted_ms < writer->idle_until_ms ? writer->wanted_ms : writer->idle_until_ms;
}

static void wait_locked(mxw__writer_t *writer)
{
	for (int64_t due_ms, now_ms; (due_ms = due_locked(writer)) > (now_ms = real_ms());)
		mxw__cond_wait_ms(&writer->wake, &writer->mutex, due_ms - now_ms);
	writer->wanted_ms = INT64_MAX;
}

static void run_once_locked(mxw__writer_t *writer)
{
	unsigned flushes = writer->flushes_wanted;
	bool is_flush = flushes != writer->flushes_done;

	pthread_mutex_unlock(&writer->mutex);
	writer->is_pausing = false;
	bool is_done = writer->options.work(writer->options.ctx, is_flush);
	if (is_done)
		tell_end(writer);
	pthread_mutex_lock(&writer->mutex);
	int64_t now_ms = real_ms();
	writer->idle_until_ms = now_ms + writer->idle_ms;
	writer->pause_until_ms = writer->is_pausing ? now_ms + writer->pause_ms : 0;
	/* Who waits for a flush may look after other work was done, or not. */
	if (is_flush)
		writer->is_flushed = is_done;
	writer->flushes_done = flushes;
	pthread_cond_broadcast(&writer->done);
}

static void *writer_main(void *arg)
{
	mxw__writer_t *writer = arg;
	bool is_stopping = false;

	pthread_mutex_lock(&writer->mutex);
	while (!is_stopping) {
		wait_locked(writer);
		is_stopping = writer->is_last = writer->is_stopping;
		run_once_locked(writer);
		/* Another file is to be begun at once, at the end as well: one for a file that was removed, one for what had its name. */
		for (int i = 0; i < 2 && is_stopping && writer->is_pausing && writer->pause_ms == 0; i++)
			run_once_locked(writer);
	}
	pthread_mutex_unlock(&writer->mutex);
	/* The log is written back into the file, and removed. */
	writer->options.close(writer->options.ctx);
	pthread_mutex_lock(&writer->mutex);
	writer->has_stopped = true;
	pthread_cond_broadcast(&writer->done);
	pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

/* ---- from outside ---- */

void mxw__writer_wake(mxw__writer_t *writer, unsigned within_ms)
{
	int64_t wanted_ms = real_ms() + within_ms;

	pthread_mutex_lock(&writer->mutex);
	if (wanted_ms < writer->wanted_ms) {
		writer->wanted_ms = wanted_ms;
		pthread_cond_signal(&writer->wake);
	}
	pthread_mutex_unlock(&writer->mutex);
}

void mxw__writer_set_idle(mxw__writer_t *writer, unsigned idle_ms)
{
	pthread_mutex_lock(&writer->mutex);
	if (writer->idle_ms != idle_ms) {
		writer->idle_ms = idle_ms;
		writer->idle_until_ms = real_ms() + idle_ms;
		pthread_cond_signal(&writer->wake);
	}
	pthread_mutex_unlock(&writer->mutex);
}

bool mxw__writer_flush(mxw__writer_t *writer, unsigned timeout_ms)
{
	int64_t end_ms = real_ms() + timeout_ms;

	pthread_mutex_lock(&writer->mutex);
	unsigned wanted = ++writer->flushes_wanted;
	pthread_cond_signal(&writer->wake);
	for (int64_t now_ms; (int)(writer->flushes_done - wanted) < 0 && (now_ms = real_ms()) < end_ms;)
		mxw__cond_wait_ms(&writer->done, &writer->mutex, end_ms - now_ms);
	bool is_done = (int)(writer->flushes_done - wanted) >= 0 && writer->is_flushed;
	pthread_mutex_unlock(&writer->mutex);
	return is_done;
}

/* ---- life ---- */

mxw__writer_t *mxw__writer_new(const struct mxw__writer_options *options)
{
	mxw__writer_t *writer = mxw__calloc(1, sizeof *writer);

	if (!writer)
		return NULL;
	writer->options = *options;
	writer->clock = *options->clock;
	writer->idle_ms = options->idle_ms;
	writer->wanted_ms = INT64_MAX;
	writer->idle_until_ms = real_ms() + options->idle_ms;
	atomic_init(&writer->is_cancelled, false);
	pthread_mutex_init(&writer->mutex, NULL);
	mxw__cond_init(&writer->wake);
	mxw__cond_init(&writer->done);
	return writer;
}

bool mxw__writer_start(mxw__writer_t *writer)
{
	writer->has_thread = mxw__quiet_thread(&writer->thread, writer_main, writer) == 0;
	if (!writer->has_thread)
		mxw__writer_complain(writer, "is not written", "no thread to be had");
	return writer->has_thread;
}

static void wait_for_end_locked(mxw__writer_t *writer)
{
	int64_t end_ms = real_ms() + writer->options.stop_ms;

	for (int64_t now_ms; !writer->has_stopped && (now_ms = real_ms()) < end_ms;)
		mxw__cond_wait_ms(&writer->done, &writer->mutex, end_ms - now_ms);
}

static bool stop(mxw__writer_t *writer)
{
	pthread_mutex_lock(&writer->mutex);
	writer->is_stopping = true;
	pthread_cond_signal(&writer->wake);
	wait_for_end_locked(writer);
	/* What goes on is ended, and gets as much time again. */
	atomic_store(&writer->is_cancelled, true);
	wait_for_end_locked(writer);
	bool has_stopped = writer->has_stopped;
	pthread_mutex_unlock(&writer->mutex);
	return has_stopped;
}

bool mxw__writer_free(mxw__writer_t *writer)
{
	if (!writer)
		return true;
	/* A disk that does not answer keeps its thread in the system's hands. */
	if (writer->has_thread && !stop(writer)) {
		pthread_detach(writer->thread);
		return false;
	}
	if (writer->has_thread)
		pthread_join(writer->thread, NULL);
	pthread_cond_destroy(&writer->wake);
	pthread_cond_destroy(&writer->done);
	pthread_mutex_destroy(&writer->mutex);
	free(writer);
	return true;
}
