/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/share/thread.h"

enum {
	IDLE_MS = 60 * 60 * 1000,
	PAUSE_MAX_MS = 30 * 1000,
	STEADY_MS = 5 * 1000,       /* a server that was there for so long may be tried again at once */
	LOOK_BACK_MS = 60 * 1000,   /* after a failover: is the first one back? */
	TELL_MS = 60 * 1000,        /* a server that comes and goes is not told each time */
	STOP_MS = 300,              /* for the last push */
};

int64_t mxw__share_steady_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

int64_t mxw__share_wall_ms(const mxw__share_t *share)
{
	return share->clock.wall_ms(share->clock.ctx);
}

void mxw__share_wake(mxw__share_t *share)
{
	uint64_t one = 1;
	/* It can only fail when the counter is full: then the wake-up is there already. */
	MXW_UNUSED ssize_t n = write(share->wake_fd, &one, sizeof one);
}

bool mxw__share_is_stopping(void *share)
{
	return atomic_load(&((mxw__share_t *)share)->is_stopping);
}

bool mxw__share_set_looking_up(void *arg, bool is_looking_up)
{
	mxw__share_t *share = arg;

	pthread_mutex_lock(&share->mutex);
	bool goes_on = !mxw__share_is_stopping(share);
	share->is_looking_up = is_looking_up && goes_on;
	pthread_mutex_unlock(&share->mutex);
	return goes_on;
}

/* `tls` may be NULL. */
static bool connect_to(mxw__share_t *share, struct mxw__link *link, size_t server, SSL_CTX *tls, int64_t deadline_ms)
{
	const struct mxw__link_owner owner = {mxw__share_is_stopping, mxw__share_set_looking_up, share};

	return mxw__link_connect(link, &share->settings->servers[server], tls, deadline_ms, &owner);
}

/* ---- commands and replies ---- */

bool mxw__share_eval(mxw__share_t *share, mxw__share_script_t script, size_t nkeys, size_t argc, const char *const *argv)
{
	const char *words[3 + MXW__SHARE_ARGS_MAX];
	size_t lens[3 + MXW__SHARE_ARGS_MAX];
	char number[16];

	snprintf(number, sizeof number, "%zu", nkeys);
	words[0] = "EVALSHA";
	words[1] = share->sha[script];
	words[2] = number;
	memcpy(words + 3, argv, argc * sizeof *argv);
	for (size_t i = 0; i < argc + 3; i++)
		lens[i] = strlen(words[i]);
	return mxw__link_command(&share->link, argc + 3, words, lens);
}

bool mxw__share_expect(mxw__share_t *share, struct mxw__share_expected expected)
{
	if (share->ring_n == MXW__SHARE_RING) {
		snprintf(share->link.why, sizeof share->link.why, "too many commands without an answer");
		return false;
	}
	expected.sent_ms = mxw__share_steady_ms();
	share->ring[(share->ring_first + share->ring_n++) % MXW__SHARE_RING] = expected;
	share->nsent++;
	return true;
}

static struct mxw__share_expected take_expected(mxw__share_t *share)
{
	struct mxw__share_expected e = share->ring[share->ring_first];

	share->ring_first = (share->ring_first + 1) % MXW__SHARE_RING;
	share->ring_n--;
	share->nanswered++;
	return e;
}

static bool refuse(mxw__share_t *share, const redisReply *reply)
{
	snprintf(share->link.why, sizeof share->link.why, "it refuses: %.150s", reply->str);
	return false;
}

/* A refusal concerns everything, and leaves a push where it is: it was not done. */
static bool hear(mxw__share_t *share, const redisReply *reply)
{
	if (share->ring_n == 0) {
		snprintf(share->link.why, sizeof share->link.why, "it sends what nobody asked for");
		return false;
	}
	if (mxw__share_is_refusal(reply))
		return refuse(share, reply);
	struct mxw__share_expected e = take_expected(share);
	if (mxw__share_steady_ms() - e.sent_ms <= share->settings->wait_ms)
		atomic_store(&share->is_prompt, true);
	switch (e.kind) {
	case MXW__EXPECT_PUSH:
		mxw__share_on_push(share, e.index, reply);
		return true;
	case MXW__EXPECT_WISH:
		mxw__share_on_wish(share, e.wish, reply);
		return true;
	case MXW__EXPECT_CHANGES:
		return mxw__share_on_changes(share, e.index, reply);
	default:
		return mxw__share_on_probe(share, reply);
	}
}

static bool has_to_end(const mxw__share_t *share)
{
	return atomic_load(&share->is_stopping) && mxw__share_steady_ms() >= share->stop_at_ms;
}

/* Some servers always have another reply: the end does not wait for all of them. */
static bool hear_all(mxw__share_t *share)
{
	while (!has_to_end(share)) {
		redisReply *reply;
		if (!mxw__link_next(&share->link, &reply))
			return false;
		if (!reply)
			return true;
		bool is_ok = hear(share, reply);
		freeReplyObject(reply);
		if (!is_ok)
			return false;
	}
	return true;
}

/* ---- telling ---- */

static void tell(mxw__share_t *share, const char *text)
{
	share->told_ms = mxw__share_steady_ms();
	if (share->notice)
		share->notice(share->notice_ctx, text);
}

static bool may_tell(const mxw__share_t *share)
{
	return !share->told_ms || mxw__share_steady_ms() - share->told_ms >= TELL_MS;
}

static void tell_away(mxw__share_t *share)
{
	char text[600];

	/* That a connection was lost says little; what keeps it away since then does, and is told as well, once. */
	if (share->is_told_away ? share->is_told_why || strcmp(share->told_why, share->link.why) == 0 : !may_tell(share))
		return;
	snprintf(text, sizeof text, "Redis %s: %s; until it is back nothing is shared with other hosts, and all is decided by what is known here",
		 share->settings->servers[share->current].text, share->link.why);
	share->is_told_why = share->is_told_away;
	share->is_told_away = true;
	snprintf(share->told_why, sizeof share->told_why, "%s", share->link.why);
	tell(share, text);
}

static void tell_up(mxw__share_t *share)
{
	const char *server = share->settings->servers[share->current].text;
	char text[600];

	if (share->is_told_away) {
		snprintf(text, sizeof text, "Redis %s is back after %lld s; sharing goes on", server,
			 (long long)(mxw__share_steady_ms() - share->away_since_ms) / 1000);
		tell(share, text);
	} else if (*share->told_server && strcmp(share->told_server, server) != 0 && may_tell(share)) {
		snprintf(text, sizeof text, "sharing goes on with Redis %s instead of %s", server, share->told_server);
		tell(share, text);
	}
	share->is_told_away = share->is_told_why = false;
	snprintf(share->told_server, sizeof share->told_server, "%s", server);
}

/* ---- up and down ---- */

static void set_up(mxw__share_t *share, bool is_up)
{
	pthread_mutex_lock(&share->mutex);
	atomic_store(&share->is_up, is_up);
	snprintf(share->server, sizeof share->server, "%.255s", share->settings->servers[share->current].text);
	pthread_mutex_unlock(&share->mutex);
}

/* Nobody waits any longer for what was asked; what was pushed stays in the batch. */
static void go_down(mxw__share_t *share)
{
	if (atomic_load(&share->is_up))
		share->away_since_ms = mxw__share_steady_ms();
	set_up(share, false);
	mxw__link_close(&share->link);
	while (share->ring_n) {
		struct mxw__share_expected e = take_expected(share);
		if (e.kind == MXW__EXPECT_WISH)
			mxw__share_end_wish(share, e.wish);
	}
	pthread_mutex_lock(&share->mutex);
	struct mxw__share_wish *first = share->first;
	share->first = NULL;
	share->last = &share->first;
	share->nwishes = 0;
	pthread_mutex_unlock(&share->mutex);
	while (first) {
		struct mxw__share_wish *wish = first;
		first = wish->next;
		mxw__share_end_wish(share, wish);
	}
}

static void go_up(mxw__share_t *share)
{
	int64_t now_ms = mxw__share_steady_ms();

	share->tried = 0;
	share->up_since_ms = now_ms;
	share->next_push_ms = now_ms;
	share->look_back_ms = now_ms + LOOK_BACK_MS;
	/* A round that was under way is not over: what it was to flush the next one will. */
	share->is_in_round = false;
	pthread_mutex_lock(&share->mutex);
	share->round_flushes = share->flushes_done;
	pthread_mutex_unlock(&share->mutex);
	mxw__share_read_all_again(share);
	atomic_store(&share->is_prompt, true);
	set_up(share, true);
	tell_up(share);
}

static void use_next_server(mxw__share_t *share)
{
	share->current = (share->current + 1) % share->settings->nservers;
}

static void pause_some(mxw__share_t *share)
{
	share->retry_at_ms = mxw__share_steady_ms() + share->pause_ms;
	share->pause_ms = share->pause_ms * 2 < PAUSE_MAX_MS ? share->pause_ms * 2 : PAUSE_MAX_MS;
}

/* The next one is tried at once, unless this is what happened a moment ago as well. */
static void lose(mxw__share_t *share)
{
	int64_t now_ms = mxw__share_steady_ms();

	atomic_fetch_add(&share->failed, 1);
	go_down(share);
	share->retry_at_ms = now_ms;
	if (now_ms - share->up_since_ms >= STEADY_MS) {
		share->pause_ms = share->settings->retry_ms;
	} else {
		tell_away(share);
		pause_some(share);
	}
	use_next_server(share);
}

static bool try_server(mxw__share_t *share)
{
	const struct mxw__share_settings *s = share->settings;
	const struct mxw__link_server *server = &s->servers[share->current];
	int64_t deadline_ms = mxw__share_steady_ms() + s->connect_timeout_ms;

	if (s->wants_tls && !s->tls && server->port) {
		snprintf(share->link.why, sizeof share->link.why, "%s", s->why_no_tls);
		return false;
	}
	return connect_to(share, &share->link, share->current, s->tls, deadline_ms) && mxw__share_greet(share, deadline_ms);
}

static void connect_some(mxw__share_t *share)
{
	if (try_server(share)) {
		go_up(share);
		if (!mxw__share_push_again(share))
			lose(share);
		return;
	}
	if (mxw__share_is_stopping(share))
		return;
	atomic_fetch_add(&share->failed, 1);
	go_down(share);
	if (++share->tried >= share->settings->nservers) {
		share->tried = 0;
		tell_away(share);
		pause_some(share);
	}
	use_next_server(share);
}

/* Hosts that went to different servers for a moment come together again at the first. True: it took some time. */
static bool look_back(mxw__share_t *share)
{
	struct mxw__link probe;
	int64_t now_ms = mxw__share_steady_ms();

	if (share->current == 0 || now_ms < share->look_back_ms)
		return false;
	share->look_back_ms = now_ms + LOOK_BACK_MS;
	/* No session waits while this one does. */
	atomic_store(&share->is_prompt, false);
	mxw__link_init(&probe, share->wake_fd);
	bool is_there = connect_to(share, &probe, 0, NULL, now_ms + share->settings->timeout_ms);
	mxw__link_close(&probe);
	if (is_there) {
		go_down(share);
		share->current = 0;
		share->retry_at_ms = now_ms;
	}
	return true;
}

/* ---- going round ---- */

static bool is_too_late(mxw__share_t *share)
{
	if (!share->ring_n || mxw__share_steady_ms() - share->ring[share->ring_first].sent_ms <= share->settings->timeout_ms)
		return false;
	snprintf(share->link.why, sizeof share->link.why, "no answer within %lld ms", (long long)share->settings->timeout_ms);
	return true;
}

static int64_t time_to_wait(mxw__share_t *share)
{
	int64_t due_ms = share->next_push_ms;

	if (mxw__share_is_pushing(share))
		due_ms = INT64_MAX;
	else if (share->is_in_round || mxw__share_is_flush_wanted(share))
		due_ms = 0;
	if (share->ring_n && share->ring[share->ring_first].sent_ms + share->settings->timeout_ms + 1 < due_ms)
		due_ms = share->ring[share->ring_first].sent_ms + share->settings->timeout_ms + 1;
	return due_ms - mxw__share_steady_ms();
}

static bool serve(mxw__share_t *share)
{
	bool is_ok = mxw__share_pull(share) && mxw__share_push(share) && mxw__link_work(&share->link) && hear_all(share) &&
		     !is_too_late(share);

	if (is_ok)
		mxw__share_end_flush(share);
	else
		lose(share);
	return is_ok;
}

/* Where a connection was waited for, the wake-up was taken there: then there may be something to do. */
static void serve_and_wait(mxw__share_t *share)
{
	if (serve(share) && !look_back(share))
		mxw__link_wait(&share->link, time_to_wait(share));
}

static void adopt_settings(mxw__share_t *share)
{
	pthread_mutex_lock(&share->mutex);
	struct mxw__share_settings *next = share->next_settings;
	share->next_settings = NULL;
	pthread_mutex_unlock(&share->mutex);
	if (!next)
		return;
	if (share->settings && share->settings->nservers)
		go_down(share);
	mxw__share_settings_free(share->settings);
	share->settings = next;
	share->current = 0;
	memset(share->own_epochs, 0, sizeof share->own_epochs);
	share->tried = 0;
	share->pause_ms = next->retry_ms;
	share->retry_at_ms = 0;
	share->away_since_ms = mxw__share_steady_ms();
	atomic_store(&share->wait_ms, next->wait_ms);
}

static void step(mxw__share_t *share)
{
	int64_t now_ms = mxw__share_steady_ms();

	adopt_settings(share);
	if (!share->settings->nservers) {
		mxw__link_wait(&share->link, IDLE_MS);
	} else if (mxw__link_is_open(&share->link)) {
		serve_and_wait(share);
	} else if (now_ms < share->retry_at_ms) {
		tell_away(share);
		mxw__link_wait(&share->link, share->retry_at_ms - now_ms);
	} else {
		connect_some(share);
	}
}

static bool is_flushed(mxw__share_t *share)
{
	pthread_mutex_lock(&share->mutex);
	bool is = share->flushes_wanted == share->flushes_done;
	pthread_mutex_unlock(&share->mutex);
	return is;
}

static void push_the_last(mxw__share_t *share)
{
	share->stop_at_ms = mxw__share_steady_ms() + STOP_MS;
	pthread_mutex_lock(&share->mutex);
	share->flushes_wanted++;
	pthread_mutex_unlock(&share->mutex);
	while (serve(share) && !is_flushed(share) && !has_to_end(share)) {
		int64_t left_ms = share->stop_at_ms - mxw__share_steady_ms(), wait_ms = time_to_wait(share);
		mxw__link_wait(&share->link, wait_ms < left_ms ? wait_ms : left_ms);
	}
}

static void finish(mxw__share_t *share)
{
	if (mxw__link_is_open(&share->link))
		push_the_last(share);
	if (share->settings && share->settings->nservers)
		go_down(share);
	mxw__share_give_back(share);
}

void *mxw__share_main(void *arg)
{
	mxw__share_t *share = arg;
	/* Numbers have a point in them, whatever the program's language. */
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

	if (c_locale)
		uselocale(c_locale);
	while (!mxw__share_is_stopping(share))
		step(share);
	/* From here on no name is looked up, and it is not abandoned any more. */
	pthread_mutex_lock(&share->mutex);
	bool is_abandoned = share->is_abandoned;
	pthread_mutex_unlock(&share->mutex);
	/* Of what others have, nothing is there any more if they did not wait for this. */
	if (!is_abandoned)
		finish(share);
	if (c_locale) {
		uselocale(LC_GLOBAL_LOCALE);
		freelocale(c_locale);
	}
	pthread_mutex_lock(&share->mutex);
	share->has_stopped = true;
	pthread_cond_broadcast(&share->changed);
	pthread_mutex_unlock(&share->mutex);
	if (is_abandoned)
		mxw__share_destroy(share);
	return NULL;
}
