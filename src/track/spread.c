/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/sketch.h"
#include "src/track/spread.h"

/* For so many guesses at most, each window, stands a network that is seen by itself. */
enum { PLACES = 10 };

struct mxw__spread {
	struct mxw__hashkey key;  /* immutable */
	pthread_mutex_t mutex;    /* guards the rest; a leaf in the lock order */
	struct mxw__sketch guesses, networks;
	double tried, unknown;    /* as of at_ms */
	int64_t at_ms;
	bool has_begun;
};

mxw_status_t mxw__spread_new(mxw__spread_t **ret_spread)
{
	mxw__spread_t *spread = calloc(1, sizeof *spread);

	if (!spread)
		return MXW_ERR_NOMEM;
	mxw__hashkey_random(&spread->key);
	pthread_mutex_init(&spread->mutex, NULL);
	*ret_spread = spread;
	return MXW_OK;
}

void mxw__spread_free(mxw__spread_t *spread)
{
	if (!spread)
		return;
	pthread_mutex_destroy(&spread->mutex);
	free(spread);
}

static void age_locked(mxw__spread_t *s, int64_t now_ms, uint64_t window_ms)
{
	if (!s->has_begun) {
		mxw__sketch_init(&s->guesses, now_ms);
		mxw__sketch_init(&s->networks, now_ms);
		s->has_begun = true;
		s->at_ms = now_ms;
	}
	if (now_ms <= s->at_ms)
		return;
	double left = exp2(-(double)(now_ms - s->at_ms) / (double)window_ms);
	s->tried *= left;
	s->unknown *= left;
	s->at_ms = now_ms;
}

void mxw__spread_try(mxw__spread_t *spread, int64_t now_ms, uint64_t window_ms)
{
	pthread_mutex_lock(&spread->mutex);
	age_locked(spread, now_ms, window_ms);
	spread->tried++;
	pthread_mutex_unlock(&spread->mutex);
}

void mxw__spread_guess(mxw__spread_t *spread, const void *network, size_t network_len, const char *rcpt, int64_t now_ms,
		       uint64_t window_ms)
{
	uint32_t net = (uint32_t)mxw__hash(&spread->key, network, network_len);
	uint32_t guess = (uint32_t)mxw__hash(&spread->key, rcpt, strlen(rcpt));

	pthread_mutex_lock(&spread->mutex);
	age_locked(spread, now_ms, window_ms);
	spread->unknown++;
	mxw__sketch_add(&spread->networks, net, now_ms, window_ms);
	mxw__sketch_add(&spread->guesses, guess, now_ms, window_ms);
	pthread_mutex_unlock(&spread->mutex);
}

void mxw__spread_guess_more(mxw__spread_t *spread, const void *network, size_t network_len, const char *rcpt, int64_t now_ms,
			    uint64_t window_ms)
{
	uint32_t place[] = {(uint32_t)mxw__hash(&spread->key, network, network_len),
			    (uint32_t)mxw__hash(&spread->key, rcpt, strlen(rcpt)) % PLACES};

	pthread_mutex_lock(&spread->mutex);
	age_locked(spread, now_ms, window_ms);
	mxw__sketch_add(&spread->networks, place[0], now_ms, window_ms);
	if (mxw__sketch_add(&spread->guesses, (uint32_t)mxw__hash(&spread->key, place, sizeof place), now_ms, window_ms)) {
		spread->tried++;
		spread->unknown++;
	}
	pthread_mutex_unlock(&spread->mutex);
}

void mxw__spread_count(mxw__spread_t *spread, int64_t now_ms, uint64_t window_ms, struct mxw__spread_counts *ret_counts)
{
	struct mxw__spread_counts counts;

	pthread_mutex_lock(&spread->mutex);
	age_locked(spread, now_ms, window_ms);
	counts.guesses = mxw__sketch_count(&spread->guesses, now_ms, window_ms);
	counts.networks = mxw__sketch_count(&spread->networks, now_ms, window_ms);
	double share = spread->tried > 0 ? 100 * spread->unknown / spread->tried : 0;
	counts.share = share > 100 ? 100 : (unsigned)(share + 0.5);
	pthread_mutex_unlock(&spread->mutex);
	*ret_counts = counts;
}
