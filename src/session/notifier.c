/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/session/notifier.h"

enum { NOTICES_MAX = 32 };

struct waiting {
	struct mxw__notice notice;
	mxw_conf_t *conf;
};

struct mxw__notifier {
	void (*complain)(void *ctx, const char *text); /* immutable, as the next */
	void *ctx;
	atomic_bool is_cancelled;
	pthread_mutex_t mutex;         /* guards the rest; a leaf */
	pthread_cond_t cond;           /* of the queue */
	pthread_t thread;
	bool has_thread, is_busy;
	size_t n;
	struct waiting queue[NOTICES_MAX];
};

mxw_status_t mxw__notifier_new(void (*complain)(void *ctx, const char *text), void *ctx, mxw__notifier_t **ret_notifier)
{
	mxw__notifier_t *n = calloc(1, sizeof *n);

	if (!n)
		return MXW_ERR_NOMEM;
	n->complain = complain;
	n->ctx = ctx;
	pthread_mutex_init(&n->mutex, NULL);
	mxw__cond_init(&n->cond);
	*ret_notifier = n;
	return MXW_OK;
}

static void drop(struct waiting *w)
{
	mxw_conf_unref(w->conf);
}

void mxw__notifier_free(mxw__notifier_t *notifier)
{
	if (!notifier)
		return;
	pthread_mutex_lock(&notifier->mutex);
	atomic_store(&notifier->is_cancelled, true);
	pthread_cond_broadcast(&notifier->cond);
	bool has_thread = notifier->has_thread;
	pthread_mutex_unlock(&notifier->mutex);
	if (has_thread)
		pthread_join(notifier->thread, NULL);
	for (size_t i = 0; i < notifier->n; i++)
		drop(&notifier->queue[i]);
	pthread_cond_destroy(&notifier->cond);
	pthread_mutex_destroy(&notifier->mutex);
	free(notifier);
}

/* ---- the thread ---- */

static void complain(mxw__notifier_t *n, const char *what, const struct mxw__notice *notice, const char *why)
{
	char account[MXW__KEY_TEXT_MAX];
	struct mxw__buf text;

	mxw__buf_init(&text, 600);
	mxw__buf_addf(&text, "%s: nobody was told that %s is suspended: %s", what, mxw__key_text(&notice->account.key, account), why);
	n->complain(n->ctx, mxw__buf_str(&text));
	mxw__buf_fini(&text);
}

static void send_one(mxw__notifier_t *n, const struct waiting *w)
{
	char why[200] = "";

	if (w->conf->outbound.notice_command.n && !mxw__notice_run(w->conf, &w->notice, &n->is_cancelled, why, sizeof why))
		complain(n, "notice-command", &w->notice, why);
	if (w->conf->outbound.notice_mail[0] && !mxw__notice_mail(w->conf, &w->notice, &n->is_cancelled, why, sizeof why))
		complain(n, "notice-mail", &w->notice, why);
}

static void *run(void *arg)
{
	mxw__notifier_t *n = arg;

	pthread_mutex_lock(&n->mutex);
	while (!atomic_load(&n->is_cancelled)) {
		if (n->n == 0) {
			pthread_cond_wait(&n->cond, &n->mutex);
			continue;
		}
		struct waiting w = n->queue[0];
		memmove(&n->queue[0], &n->queue[1], --n->n * sizeof n->queue[0]);
		n->is_busy = true;
		pthread_mutex_unlock(&n->mutex);
		send_one(n, &w);
		drop(&w);
		pthread_mutex_lock(&n->mutex);
		n->is_busy = false;
		pthread_cond_broadcast(&n->cond);
	}
	pthread_mutex_unlock(&n->mutex);
	return NULL;
}

bool mxw__notifier_send(mxw__notifier_t *notifier, mxw_conf_t *conf, const struct mxw__notice *notice)
{
	mxw__notifier_t *n = notifier;

	pthread_mutex_lock(&n->mutex);
	bool has_room = n->n < NOTICES_MAX && !atomic_load(&n->is_cancelled);
	if (has_room && !n->has_thread)
		n->has_thread = has_room = mxw__quiet_thread(&n->thread, run, n) == 0;
	if (has_room) {
		n->queue[n->n++] = (struct waiting){*notice, mxw_conf_ref(conf)};
		pthread_cond_broadcast(&n->cond);
	}
	pthread_mutex_unlock(&n->mutex);
	return has_room;
}

bool mxw__notifier_flush(mxw__notifier_t *notifier, unsigned timeout_ms)
{
	bool is_in_time = true;

	pthread_mutex_lock(&notifier->mutex);
	while ((notifier->n || notifier->is_busy) && is_in_time)
		is_in_time = mxw__cond_wait_ms(&notifier->cond, &notifier->mutex, timeout_ms) == 0;
	pthread_mutex_unlock(&notifier->mutex);
	return is_in_time;
}

/* ---- what is told ---- */

static void put_time(int64_t wall_ms, char ret_text[40])
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(ret_text, 40, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(ret_text, 40, "%" PRId64, wall_ms / 1000);
}

void mxw__notice_text(const struct mxw_conf *conf, const struct mxw__notice *notice, char ret_text[MXW__NOTICE_TEXT_MAX])
{
	const struct mxw__account *a = &notice->account;
	char account[MXW__KEY_TEXT_MAX], since[40], until[40] = "it is undone";

	put_time(a->since_ms, since);
	if (a->until_ms)
		put_time(a->until_ms, until);
	snprintf(ret_text, MXW__NOTICE_TEXT_MAX,
		 "%s may not send mail any more.\n\n"
		 "Reason:  %s\nBy:      %s\nSince:   %s\nUntil:   %s\nHost:    %s\n\n"
		 "If the account was misused, change its password first. Then\n\n"
		 "    mxwardctl resume %s\n\n"
		 "lets it send again, on all hosts that share their state.\n",
		 mxw__key_text(&a->key, account), a->reason, a->author, since, until, conf->authserv_id, account);
}
