/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "src/share/thread.h"

enum {
	END_MS = 1500,  /* how long the end waits for a thread that looks up a name */
	FREE_US = 1000, /* what an answer in time may take, again and again */
};

/* ---- wishes ---- */

void mxw__wants_add(struct mxw__wants *wants, const struct mxw__state_sort *sort, const char *key)
{
	size_t len = strlen(key);

	if (wants->n == MXW__WANTS_MAX || len == 0 || len >= MXW__STATE_KEY_MAX)
		return;
	wants->v[wants->n].sort = sort;
	memcpy(wants->v[wants->n].key, key, len + 1);
	wants->n++;
}

static void unref_locked(struct mxw__share_wish *wish)
{
	if (--wish->refs)
		return;
	pthread_cond_destroy(&wish->done);
	free(wish);
}

void mxw__share_end_wish(mxw__share_t *share, struct mxw__share_wish *wish)
{
	pthread_mutex_lock(&share->mutex);
	wish->is_done = true;
	pthread_cond_signal(&wish->done);
	unref_locked(wish);
	pthread_mutex_unlock(&share->mutex);
}

static struct mxw__share_wish *wish_new(size_t nkeys)
{
	struct mxw__share_wish *wish = malloc(sizeof *wish + nkeys * sizeof wish->keys[0]);

	if (!wish)
		return NULL;
	*wish = (struct mxw__share_wish){.refs = 2};
	mxw__cond_init(&wish->done);
	return wish;
}

static bool find_state(const mxw__share_t *share, const struct mxw__state_sort *sort, size_t *ret_state)
{
	for (size_t i = 0; i < share->nstates; i++) {
		if (share->states[i].sort == sort) {
			*ret_state = i;
			return true;
		}
	}
	return false;
}

static void add_keys_locked(mxw__share_t *share, struct mxw__share_wish *wish, const struct mxw__wants *wants)
{
	int64_t now_ms = mxw__now_ms(&share->clock);

	for (size_t i = 0; i < wants->n; i++) {
		size_t state;
		if (!find_state(share, wants->v[i].sort, &state) ||
		    !mxw__share_asked_note(&share->asked, state, wants->v[i].key, now_ms))
			continue;
		wish->keys[wish->n].state = state;
		snprintf(wish->keys[wish->n++].key, MXW__STATE_KEY_MAX, "%s", wants->v[i].key);
	}
}

/* The thread has it from here on. False: it is not taken. */
static bool hand_over_locked(mxw__share_t *share, struct mxw__share_wish *wish)
{
	if (!atomic_load(&share->is_up) || share->nwishes == MXW__SHARE_WISHES_MAX) {
		atomic_fetch_add(&share->dropped, 1);
		return false;
	}
	*share->last = wish;
	share->last = &wish->next;
	share->nwishes++;
	return true;
}

static int64_t steady_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void note_longest(mxw__share_t *share, int64_t us)
{
	uint64_t longest_us = atomic_load(&share->longest_us);

	while ((uint64_t)us > longest_us && !atomic_compare_exchange_weak(&share->longest_us, &longest_us, (uint64_t)us))
		;
}

/* Who comes after one that waited in vain does not wait, until an answer comes in time again; the same session does not at all. */
static bool wait_locked(mxw__share_t *share, struct mxw__share_wish *wish, int64_t *spent_us)
{
	int64_t wait_us = atomic_load(&share->wait_ms) * 1000, begin_us = steady_us(), now_us = begin_us;
	int64_t end_us = begin_us + wait_us - (spent_us ? *spent_us : 0);

	if (end_us <= begin_us || !atomic_load(&share->is_prompt))
		return wish->is_done;
	while (!wish->is_done && now_us < end_us) {
		mxw__cond_wait_ms(&wish->done, &share->mutex, (end_us - now_us + 999) / 1000);
		now_us = steady_us();
	}
	note_longest(share, now_us - begin_us);
	if (spent_us && now_us - begin_us > FREE_US)
		*spent_us += now_us - begin_us - FREE_US;
	if (wish->is_done)
		return true;
	atomic_store(&share->is_prompt, false);
	atomic_fetch_add(&share->late, 1);
	if (spent_us)
		*spent_us = wait_us;
	return false;
}

bool mxw__share_want(mxw__share_t *share, const struct mxw__wants *wants, int64_t *spent_us)
{
	if (!share || !wants->n || !atomic_load(&share->is_up))
		return false;
	struct mxw__share_wish *wish = wish_new(wants->n);
	if (!wish)
		return false;
	pthread_mutex_lock(&share->mutex);
	add_keys_locked(share, wish, wants);
	bool is_known = wish->n == 0, is_taken = !is_known && hand_over_locked(share, wish);
	if (!is_taken)
		wish->refs--;
	pthread_mutex_unlock(&share->mutex);
	if (is_taken)
		mxw__share_wake(share);
	pthread_mutex_lock(&share->mutex);
	if (is_taken)
		is_known = wait_locked(share, wish, spent_us);
	unref_locked(wish);
	pthread_mutex_unlock(&share->mutex);
	return is_known;
}

/* ---- for those who ask how it goes ---- */

void mxw__share_get_stats(mxw__share_t *share, struct mxw__share_stats *ret_stats)
{
	*ret_stats = (struct mxw__share_stats){
		.is_up = atomic_load(&share->is_up),
		.pushed = atomic_load(&share->pushed),
		.pulled = atomic_load(&share->pulled),
		.late = atomic_load(&share->late),
		.longest_us = atomic_load(&share->longest_us),
		.failed = atomic_load(&share->failed),
		.dropped = atomic_load(&share->dropped),
	};
	pthread_mutex_lock(&share->mutex);
	ret_stats->is_on = share->is_on;
	memcpy(ret_stats->server, share->server, sizeof ret_stats->server);
	pthread_mutex_unlock(&share->mutex);
}

bool mxw__share_flush(mxw__share_t *share, unsigned timeout_ms)
{
	int64_t end_ms = mxw__share_steady_ms() + timeout_ms;

	if (!share->has_thread)
		return false;
	pthread_mutex_lock(&share->mutex);
	unsigned wanted = ++share->flushes_wanted;
	pthread_mutex_unlock(&share->mutex);
	mxw__share_wake(share);
	pthread_mutex_lock(&share->mutex);
	for (int64_t now_ms; (int)(share->flushes_done - wanted) < 0 && (now_ms = mxw__share_steady_ms()) < end_ms;)
		mxw__cond_wait_ms(&share->changed, &share->mutex, end_ms - now_ms);
	bool is_done = (int)(share->flushes_done - wanted) >= 0;
	pthread_mutex_unlock(&share->mutex);
	return is_done;
}

/* ---- life ---- */

void mxw__share_destroy(mxw__share_t *share)
{
	mxw__share_settings_free(share->next_settings);
	mxw__share_settings_free(share->settings);
	mxw__link_close(&share->link);
	if (share->wake_fd >= 0)
		close(share->wake_fd);
	pthread_cond_destroy(&share->changed);
	pthread_mutex_destroy(&share->mutex);
	free(share);
}

static void copy_states(mxw__share_t *share, const struct mxw__share_env *env)
{
	for (size_t i = 0; i < env->nstates && share->nstates < MXW__STATE_SORTS_MAX; i++)
		if (env->states[i].sort->is_shared)
			share->states[share->nstates++] = env->states[i];
}

mxw_status_t mxw__share_new(const struct mxw__share_env *env, const struct mxw__redis_conf *conf, mxw__share_t **ret_share)
{
	mxw__share_t *share = mxw__calloc(1, sizeof *share);

	if (!share)
		return MXW_ERR_NOMEM;
	share->clock = *env->clock;
	share->notice = env->notice;
	share->notice_ctx = env->notice_ctx;
	copy_states(share, env);
	snprintf(share->id, sizeof share->id, "%016llx", (unsigned long long)mxw__random_u64());
	mxw__share_asked_init(&share->asked);
	pthread_mutex_init(&share->mutex, NULL);
	mxw__cond_init(&share->changed);
	share->last = &share->first;
	share->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	mxw__link_init(&share->link, share->wake_fd);
	mxw_status_t status = share->wake_fd < 0 ? MXW_ERR_SYSTEM : mxw__share_configure(share, conf);
	if (status != MXW_OK) {
		mxw__share_destroy(share);
		return status;
	}
	*ret_share = share;
	return MXW_OK;
}

mxw_status_t mxw__share_configure(mxw__share_t *share, const struct mxw__redis_conf *conf)
{
	struct mxw__share_settings *next = mxw__share_settings_new(conf);

	if (!next)
		return MXW_ERR_NOMEM;
	pthread_mutex_lock(&share->mutex);
	struct mxw__share_settings *unused = share->next_settings;
	share->next_settings = next;
	share->is_on = next->nservers > 0;
	bool needs_thread = share->is_on && !share->has_thread;
	pthread_mutex_unlock(&share->mutex);
	mxw__share_settings_free(unused);
	if (needs_thread)
		share->has_thread = mxw__quiet_thread(&share->thread, mxw__share_main, share) == 0;
	mxw__share_wake(share);
	return needs_thread && !share->has_thread ? MXW_ERR_SYSTEM : MXW_OK;
}

/*
 * A thread that outlives its owner may outlive main(). exit() ends OpenSSL whoever uses it, so what is OpenSSL's does not stay with the thread, which
 * touches none of it while it looks up a name.
 */
static void abandon_locked(mxw__share_t *share)
{
	mxw__link_tls_end(&share->link);
	mxw__share_settings_end_tls(share->settings);
	mxw__share_settings_end_tls(share->next_settings);
	share->is_abandoned = true;
	pthread_detach(share->thread);
}

/*
 * The thread may be in the hands of the system's resolver: then it is left there, and ends itself, and what is its own, when it comes back.
 * Wherever else it is it has the states in hand, and is waited for; nothing there takes long.
 */
static bool end_thread(mxw__share_t *share)
{
	int64_t end_ms = mxw__share_steady_ms() + END_MS, now_ms;

	atomic_store(&share->is_stopping, true);
	mxw__share_wake(share);
	pthread_mutex_lock(&share->mutex);
	while (!share->has_stopped && share->is_looking_up && (now_ms = mxw__share_steady_ms()) < end_ms)
		mxw__cond_wait_ms(&share->changed, &share->mutex, end_ms - now_ms);
	if (share->is_looking_up)
		abandon_locked(share);
	while (!share->has_stopped && !share->is_abandoned)
		pthread_cond_wait(&share->changed, &share->mutex);
	bool has_stopped = share->has_stopped;
	pthread_mutex_unlock(&share->mutex);
	if (has_stopped)
		pthread_join(share->thread, NULL);
	return has_stopped;
}

void mxw__share_free(mxw__share_t *share)
{
	if (share && (!share->has_thread || end_thread(share)))
		mxw__share_destroy(share);
}
