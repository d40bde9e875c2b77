/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of a source's answers, and when it is good enough. A fresh answer is given without asking. One in
 * the last quarter of its life is given and asked for again in the background, so that what is in use never runs
 * out. When the source can't answer, a recipient that is known good stays so for a time; and for some seconds after
 * it could not, nobody waits for it to fail again.
 */
#include "config.h"

#include "src/directory/set.h"

enum {
	FAILING_MS = 5000, /* so long a source is taken to be unwell after a failure */
	PROBE_MS = 100     /* so often it is asked in the background then */
};

void mxw__kept_init(struct mxw__opened *source, mxw__rcpt_cache_t *cache)
{
	const struct mxw__directory_conf *conf = source->env.conf;

	source->lifetimes = (struct mxw__rcpt_lifetimes){conf->positive_lifetime_ms, conf->negative_lifetime_ms,
							 conf->stale_lifetime_ms};
	source->is_kept = cache && source->ops->is_remote &&
			  (conf->positive_lifetime_ms || conf->negative_lifetime_ms || conf->stale_lifetime_ms);
	if (source->is_kept)
		mxw__rcpt_cache_keys(cache, conf->answers_id, &source->keys);
	atomic_init(&source->failed_at_ms, INT64_MIN);
	atomic_init(&source->probed_at_ms, INT64_MIN);
}

static bool is_failing(struct mxw__opened *source, int64_t now_ms)
{
	int64_t at = atomic_load_explicit(&source->failed_at_ms, memory_order_relaxed);

	return at != INT64_MIN && now_ms - at < FAILING_MS;
}

/* One of all callers, every PROBE_MS. */
static bool may_probe(struct mxw__opened *source, int64_t now_ms)
{
	int64_t at = atomic_load_explicit(&source->probed_at_ms, memory_order_relaxed);

	return (at == INT64_MIN || now_ms - at >= PROBE_MS) &&
	       atomic_compare_exchange_strong(&source->probed_at_ms, &at, now_ms);
}

static void give(const struct mxw__opened *source, const struct mxw__rcpt_known *known, mxw__rcpt_origin_t origin,
		 struct mxw__rcpt_result *ret_one)
{
	*ret_one = (struct mxw__rcpt_result){
		.outcome = known->is_found ? MXW_FOUND : MXW_NOT_FOUND,
		.is_unverifiable = known->is_unverifiable,
		.origin = origin,
		.age_ms = known->age_ms,
		.settings = known->settings,
		.source = source->env.conf->name,
	};
}

static void forget(mxw__directories_t *directories, struct mxw__opened *source, struct mxw__rcpt_cache_key key,
		   struct mxw__rcpt_result *ret_one)
{
	bool was_there = source->is_kept && mxw__rcpt_cache_forget(directories->env.cache, key);

	*ret_one = (struct mxw__rcpt_result){
		.outcome = MXW_NOT_FOUND,
		.origin = was_there ? MXW__ORIGIN_CACHE : MXW__ORIGIN_LIVE,
		.source = source->env.conf->name,
	};
}

/* Fresh, or stale and the source was unwell a moment ago. */
static bool answer(mxw__directories_t *directories, struct mxw__opened *source, const struct mxw__rcpt_query *query,
		   const struct mxw__kept *kept, int64_t now_ms, struct mxw__rcpt_result *ret_one)
{
	bool is_fresh = kept->state == MXW__RCPT_FRESH;

	if (kept->state == MXW__RCPT_NOT_KEPT || (!is_fresh && !is_failing(source, now_ms)))
		return false;
	give(source, &kept->known, is_fresh ? MXW__ORIGIN_CACHE : MXW__ORIGIN_STALE, ret_one);
	if (!is_fresh)
		mxw__rcpt_cache_count(directories->env.cache, kept->key, MXW__RCPT_GAVE_STALE);
	if ((!is_fresh || kept->known.is_due) && (!is_failing(source, now_ms) || may_probe(source, now_ms)))
		mxw__refresher_add(directories->refresher, source, kept->key, query->address);
	return true;
}

bool mxw__kept_answer(mxw__directories_t *directories, struct mxw__opened *source, const struct mxw__rcpt_query *query,
		      struct mxw__kept *ret_kept, struct mxw__rcpt_result *ret_one)
{
	int64_t now_ms;

	*ret_kept = (struct mxw__kept){.state = MXW__RCPT_NOT_KEPT};
	if (source->is_kept)
		ret_kept->key = mxw__rcpt_cache_key(&source->keys, query->address->text);
	if (query->asking == MXW__ASK_FORGET) {
		forget(directories, source, ret_kept->key, ret_one);
		return true;
	}
	if (!source->is_kept)
		return false;
	now_ms = mxw__now_ms(directories->env.clock);
	ret_kept->is_late = now_ms >= query->deadline_ms;
	if (query->asking == MXW__ASK_SOURCE)
		return false;
	ret_kept->state = mxw__rcpt_cache_get(directories->env.cache, ret_kept->key, now_ms, &source->lifetimes,
					      &ret_kept->known);
	return answer(directories, source, query, ret_kept, now_ms, ret_one);
}

/*
 * A background question has little time: that it took too long makes no source unwell, but keeps one so. That a client's
 * other checks took all the time there was says nothing of the source.
 */
static void note_failure(struct mxw__opened *source, const struct mxw__rcpt_query *query, const struct mxw__kept *kept,
			 int64_t now_ms)
{
	if (kept->is_late)
		return;
	if (!kept->is_background || now_ms < query->deadline_ms || atomic_load(&source->failed_at_ms) != INT64_MIN)
		atomic_store(&source->failed_at_ms, now_ms);
}

void mxw__kept_learn(mxw__directories_t *directories, struct mxw__opened *source, const struct mxw__rcpt_query *query,
		     const struct mxw__kept *kept, struct mxw__rcpt_result *one)
{
	if (!source->is_kept)
		return;
	int64_t now_ms = mxw__now_ms(directories->env.clock);
	if (one->outcome == MXW_FOUND || one->outcome == MXW_NOT_FOUND) {
		if (atomic_load_explicit(&source->failed_at_ms, memory_order_relaxed) != INT64_MIN)
			atomic_store(&source->failed_at_ms, INT64_MIN);
		mxw__rcpt_cache_put(directories->env.cache, kept->key, now_ms, &source->lifetimes, one);
		return;
	}
	note_failure(source, query, kept, now_ms);
	if (kept->state != MXW__RCPT_STALE)
		return;
	give(source, &kept->known, MXW__ORIGIN_STALE, one);
	mxw__rcpt_cache_count(directories->env.cache, kept->key, MXW__RCPT_GAVE_STALE);
}
