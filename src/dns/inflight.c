/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "src/dns/dns.h"

enum {
	SHARDS = 16,
	BUCKETS = 64,
	ZONES = 1024,
	ZONE_OPEN_MIN = 16,
	/* libunbound gives up after some twenty seconds; what it has not answered by now it has lost. */
	LOST_MS = 120000
};

struct mxw__dns_question {
	struct mxw__dns_pending pending; /* first */
	mxw__inflight_t *owner;
	struct mxw__dns_question *next;  /* in its bucket, or among the lost */
	/* Guarded by the shard's lock; one reference is libunbound's. */
	unsigned refs;
	bool is_lost;
	mxw_dns_answer_t *answer;
	pthread_cond_t answered;
	int64_t begun_ms;
	uint64_t zone_hash;
	struct mxw__dns_key key;
	char name[];
};

struct shard {
	pthread_mutex_t lock;
	mxw__dns_question_t *buckets[BUCKETS];
	mxw__dns_question_t *lost;
};

struct mxw__inflight {
	unsigned max_open, max_zone_open;
	int64_t timeout_ms;
	struct mxw__dns_lifetimes lifetimes;
	mxw__dns_cache_t *cache;
	mxw__dns_budgets_t *budgets;
	const struct mxw_clock *clock;
	struct mxw__hashkey hashkey;
	_Atomic unsigned open;
	_Atomic uint64_t failures, bogus;
	_Atomic unsigned zone_open[ZONES]; /* by the zone's hash; two zones that share a number share a cap */
	struct shard shards[SHARDS];
};

mxw__inflight_t *mxw__inflight_new(const struct mxw__inflight_options *options)
{
	mxw__inflight_t *inflight = calloc(1, sizeof(*inflight));
	unsigned quarter = options->max_open / 4;

	if (!inflight)
		return NULL;
	inflight->max_open = options->max_open;
	inflight->max_zone_open = quarter > ZONE_OPEN_MIN ? quarter : ZONE_OPEN_MIN;
	inflight->timeout_ms = options->timeout_ms;
	inflight->lifetimes = options->lifetimes;
	inflight->cache = options->cache;
	inflight->budgets = options->budgets;
	inflight->clock = options->clock;
	inflight->hashkey = options->hashkey;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&inflight->shards[i].lock, NULL);
	return inflight;
}

static void question_free(mxw__dns_question_t *question)
{
	pthread_cond_destroy(&question->answered);
	mxw_dns_answer_unref(question->answer);
	free(question);
}

static void free_list(mxw__dns_question_t *list)
{
	mxw__dns_question_t *next;

	for (; list; list = next) {
		next = list->next;
		question_free(list);
	}
}

void mxw__inflight_free(mxw__inflight_t *inflight)
{
	if (!inflight)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &inflight->shards[i];
		for (size_t b = 0; b < BUCKETS; b++)
			free_list(shard->buckets[b]);
		free_list(shard->lost);
		pthread_mutex_destroy(&shard->lock);
	}
	free(inflight);
}

static struct shard *shard_of(mxw__inflight_t *inflight, uint64_t hash)
{
	return &inflight->shards[(hash >> 40) % SHARDS];
}

static mxw__dns_question_t **bucket_of(struct shard *shard, uint64_t hash)
{
	return &shard->buckets[hash % BUCKETS];
}

/* Takes a place if there is one. */
static bool take(_Atomic unsigned *count, unsigned max)
{
	if (atomic_fetch_add(count, 1) < max)
		return true;
	atomic_fetch_sub(count, 1);
	return false;
}

static void discharge(mxw__inflight_t *inflight, uint64_t zone_hash)
{
	atomic_fetch_sub(&inflight->zone_open[zone_hash % ZONES], 1);
	atomic_fetch_sub(&inflight->open, 1);
}

/* Takes from all budgets, or from none. */
static mxw__dns_refusal_t charge(mxw__inflight_t *inflight, const mxw__dns_question_t *question,
				 struct mxw_dns_budget *budget)
{
	if (budget && budget->limit && budget->asked >= budget->limit)
		return MXW__REFUSED_SESSION;
	if (!take(&inflight->open, inflight->max_open))
		return MXW__REFUSED_CAP;
	if (!take(&inflight->zone_open[question->zone_hash % ZONES], inflight->max_zone_open)) {
		atomic_fetch_sub(&inflight->open, 1);
		return MXW__REFUSED_CAP;
	}
	mxw__dns_refusal_t why = mxw__dns_budgets_take(inflight->budgets, question->name, question->zone_hash,
						       budget ? &budget->client : NULL, question->begun_ms);
	if (why != MXW__REFUSED_NOT)
		discharge(inflight, question->zone_hash);
	else if (budget)
		budget->asked++;
	return why;
}

static void on_done(struct mxw__dns_pending *pending, mxw_dns_answer_t *answer)
{
	mxw__inflight_finish((mxw__dns_question_t *)(void *)pending, answer);
}

static mxw__dns_question_t *question_new(mxw__inflight_t *inflight, const struct mxw__dns_key *key)
{
	size_t name_size = strlen(key->name) + 1;
	mxw__dns_question_t *question = calloc(1, sizeof(*question) + name_size);

	if (!question)
		return NULL;
	if (mxw__cond_init(&question->answered) != 0) {
		free(question);
		return NULL;
	}
	question->pending = (struct mxw__dns_pending){on_done, &inflight->lifetimes};
	question->owner = inflight;
	question->refs = 2; /* libunbound's and the caller's */
	question->begun_ms = mxw__now_ms(inflight->clock);
	const char *zone = mxw__dns_zone(key->name);
	question->zone_hash = mxw__hash(&inflight->hashkey, zone, strlen(zone));
	memcpy(question->name, key->name, name_size);
	question->key = (struct mxw__dns_key){question->name, key->type, key->hash};
	return question;
}

static mxw__dns_question_t **find_locked(struct shard *shard, const struct mxw__dns_key *key)
{
	mxw__dns_question_t **at = bucket_of(shard, key->hash);

	while (*at && ((*at)->key.hash != key->hash || (*at)->key.type != key->type ||
		       strcmp((*at)->key.name, key->name) != 0))
		at = &(*at)->next;
	return at;
}

/* Puts aside a question that libunbound has forgotten, so that it can be asked anew. */
static void lose_locked(struct shard *shard, mxw__dns_question_t **at)
{
	mxw__dns_question_t *question = *at;

	*at = question->next;
	question->next = shard->lost;
	shard->lost = question;
	question->is_lost = true;
}

mxw__inflight_begin_t mxw__inflight_begin(mxw__inflight_t *inflight, const struct mxw__dns_key *key,
					  struct mxw_dns_budget *budget, mxw__dns_question_t **ret_question,
					  mxw_dns_answer_t **ret_answer, mxw__dns_refusal_t *ret_why)
{
	struct shard *shard = shard_of(inflight, key->hash);
	mxw__inflight_begin_t result = MXW__BEGIN_NEW;
	/* Made before the lock is taken; given back where it was not needed. */
	mxw__dns_question_t *made = question_new(inflight, key);
	int64_t now = mxw__now_ms(inflight->clock);

	pthread_mutex_lock(&shard->lock);
	mxw__dns_question_t **at = find_locked(shard, key);
	if (*at && now - (*at)->begun_ms > LOST_MS + inflight->timeout_ms) {
		lose_locked(shard, at);
		at = find_locked(shard, key);
	}
	if (*at) {
		(*at)->refs++;
		*ret_question = *at;
		result = MXW__BEGIN_JOINED;
	} else if ((*ret_answer = mxw__dns_cache_get(inflight->cache, key))) {
		/* finish() fills the cache first: what is in neither place was never asked, or has expired. */
		result = MXW__BEGIN_CACHED;
	} else if (!made) {
		result = MXW__BEGIN_NO_MEMORY;
	} else if ((*ret_why = charge(inflight, made, budget)) != MXW__REFUSED_NOT) {
		result = MXW__BEGIN_REFUSED;
	} else {
		*at = made;
		*ret_question = made;
	}
	pthread_mutex_unlock(&shard->lock);
	if (made && result != MXW__BEGIN_NEW)
		question_free(made);
	return result;
}

struct mxw__dns_pending *mxw__inflight_pending(mxw__dns_question_t *question)
{
	return &question->pending;
}

static void unlink_locked(struct shard *shard, mxw__dns_question_t *question)
{
	mxw__dns_question_t **at = question->is_lost ? &shard->lost : bucket_of(shard, question->key.hash);

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
}

void mxw__inflight_finish(mxw__dns_question_t *question, mxw_dns_answer_t *answer)
{
	mxw__inflight_t *inflight = question->owner;
	struct shard *shard = shard_of(inflight, question->key.hash);

	if (answer->outcome == MXW_TEMPORARY)
		atomic_fetch_add_explicit(&inflight->failures, 1, memory_order_relaxed);
	if (answer->is_bogus)
		atomic_fetch_add_explicit(&inflight->bogus, 1, memory_order_relaxed);
	mxw__dns_cache_put(inflight->cache, &question->key, answer);
	pthread_mutex_lock(&shard->lock);
	unlink_locked(shard, question);
	discharge(inflight, question->zone_hash);
	question->answer = answer;
	bool is_last = --question->refs == 0;
	if (!is_last)
		pthread_cond_broadcast(&question->answered);
	pthread_mutex_unlock(&shard->lock);
	if (is_last)
		question_free(question);
}

mxw_dns_answer_t *mxw__inflight_wait(mxw__dns_question_t *question, int64_t deadline_ms)
{
	mxw__inflight_t *inflight = question->owner;
	struct shard *shard = shard_of(inflight, question->key.hash);
	mxw_dns_answer_t *answer = NULL;
	int64_t until = question->begun_ms + inflight->timeout_ms;

	if (deadline_ms < until)
		until = deadline_ms;
	pthread_mutex_lock(&shard->lock);
	while (!question->answer) {
		int64_t left = until - mxw__now_ms(inflight->clock);
		/* Real time counts as well, since a clock made for tests may stand still. */
		if (left <= 0 || mxw__cond_wait_ms(&question->answered, &shard->lock, left) == ETIMEDOUT)
			break;
	}
	if (question->answer)
		answer = mxw_dns_answer_ref(question->answer);
	bool is_last = --question->refs == 0;
	pthread_mutex_unlock(&shard->lock);
	if (is_last)
		question_free(question);
	return answer;
}

void mxw__inflight_leave(mxw__dns_question_t *question)
{
	struct shard *shard = shard_of(question->owner, question->key.hash);

	pthread_mutex_lock(&shard->lock);
	bool is_last = --question->refs == 0;
	pthread_mutex_unlock(&shard->lock);
	if (is_last)
		question_free(question);
}

unsigned mxw__inflight_open(const mxw__inflight_t *inflight)
{
	return atomic_load_explicit(&inflight->open, memory_order_relaxed);
}

uint64_t mxw__inflight_failures(const mxw__inflight_t *inflight)
{
	return atomic_load_explicit(&inflight->failures, memory_order_relaxed);
}

uint64_t mxw__inflight_bogus(const mxw__inflight_t *inflight)
{
	return atomic_load_explicit(&inflight->bogus, memory_order_relaxed);
}
