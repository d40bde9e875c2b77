/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "src/dns/dns.h"

enum { DEFAULT_TIMEOUT_MS = 3000, DEFAULT_MAX_OPEN = 2000, DEFAULT_CACHE_ENTRIES = 20000 };

/* ---- any resolver ---- */

void mxw_resolver_init(mxw_resolver_t *resolver, const struct mxw_resolver_ops *ops)
{
	resolver->ops = ops;
	resolver->refs = 1;
}

mxw_resolver_t *mxw_resolver_ref(mxw_resolver_t *resolver)
{
	__atomic_fetch_add(&resolver->refs, 1, __ATOMIC_RELAXED);
	return resolver;
}

void mxw_resolver_unref(mxw_resolver_t *resolver)
{
	if (resolver && __atomic_fetch_sub(&resolver->refs, 1, __ATOMIC_ACQ_REL) == 1)
		resolver->ops->destroy(resolver);
}

mxw_dns_answer_t *mxw_resolver_ask(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
				   int64_t deadline_ms, struct mxw_dns_budget *budget)
{
	return resolver->ops->ask(resolver, name, type, deadline_ms, budget);
}

void mxw_resolver_prefetch(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
			   struct mxw_dns_budget *budget)
{
	resolver->ops->prefetch(resolver, name, type, budget);
}

mxw_dns_answer_t *mxw_resolver_peek(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type)
{
	return resolver->ops->peek(resolver, name, type);
}

/* ---- the one on libunbound ---- */

/* Immutable but for the counters; the parts have their own locks. */
struct real {
	mxw_resolver_t resolver; /* first */
	const struct mxw_clock *clock;
	bool is_local_only;
	struct mxw__hashkey hashkey;
	mxw__localdata_t *local;
	mxw__dns_cache_t *cache;
	mxw__inflight_t *inflight;
	mxw__unbound_t *unbound; /* NULL when is_local_only */
	_Atomic uint64_t asked, cache_hits, coalesced, sent, timeouts, over_budget;
};

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* What can be said without asking anybody; otherwise NULL, and `ret_key` is what to ask. `text` keeps its name. */
static mxw_dns_answer_t *answer_at_once(struct real *real, const char *name, enum mxw_dns_type type,
					char text[MXW__DNS_TEXT_MAX], struct mxw__dns_key *ret_key)
{
	count(&real->asked);
	if (!mxw__dns_name_normalise(name, text))
		return mxw__dns_answer_static(MXW__DNS_NO_SUCH_NAME);
	mxw_dns_answer_t *answer = mxw__localdata_find(real->local, text, (uint16_t)type, real->is_local_only, text);
	if (answer)
		return answer;
	/* The type goes over the NUL for the time of hashing. */
	size_t len = strlen(text);
	text[len] = (char)type;
	uint64_t hash = mxw__hash(&real->hashkey, text, len + 1);
	text[len] = '\0';
	*ret_key = (struct mxw__dns_key){text, (uint16_t)type, hash};
	answer = mxw__dns_cache_get(real->cache, ret_key);
	if (answer)
		count(&real->cache_hits);
	return answer;
}

/* Joins or sends the question. Returns an answer where there is nothing to wait for. */
static mxw_dns_answer_t *begin(struct real *real, const struct mxw__dns_key *key, struct mxw_dns_budget *budget,
			       mxw__dns_question_t **ret_question)
{
	mxw_dns_answer_t *answer = NULL;

	switch (mxw__inflight_begin(real->inflight, key, budget, ret_question, &answer)) {
	case MXW__BEGIN_CACHED:
		count(&real->cache_hits);
		return answer;
	case MXW__BEGIN_REFUSED:
		count(&real->over_budget);
		return mxw__dns_answer_static(MXW__DNS_OVER_BUDGET);
	case MXW__BEGIN_NO_MEMORY:
		return mxw__dns_answer_static(MXW__DNS_NO_MEMORY);
	case MXW__BEGIN_JOINED:
		count(&real->coalesced);
		return NULL;
	case MXW__BEGIN_NEW:
		break;
	}
	count(&real->sent);
	if (!mxw__unbound_send(real->unbound, key, mxw__inflight_pending(*ret_question)))
		mxw__inflight_finish(*ret_question, mxw__dns_answer_empty(
			MXW_TEMPORARY, 2, mxw__dns_lifetime_s(MXW_TEMPORARY, 0)));
	return NULL;
}

static mxw_dns_answer_t *real_ask(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
				  int64_t deadline_ms, struct mxw_dns_budget *budget)
{
	struct real *real = (struct real *)(void *)resolver;
	char text[MXW__DNS_TEXT_MAX];
	struct mxw__dns_key key;
	mxw__dns_question_t *question;
	mxw_dns_answer_t *answer = answer_at_once(real, name, type, text, &key);

	if (answer)
		return answer;
	/* Who has no time left causes no traffic either. */
	if (deadline_ms > mxw__now_ms(real->clock)) {
		answer = begin(real, &key, budget, &question);
		if (!answer)
			answer = mxw__inflight_wait(question, deadline_ms);
	}
	if (answer)
		return answer;
	count(&real->timeouts);
	return mxw__dns_answer_static(MXW__DNS_TIMED_OUT);
}

static void real_prefetch(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type,
			  struct mxw_dns_budget *budget)
{
	struct real *real = (struct real *)(void *)resolver;
	char text[MXW__DNS_TEXT_MAX];
	struct mxw__dns_key key;
	mxw__dns_question_t *question;
	mxw_dns_answer_t *answer = answer_at_once(real, name, type, text, &key);

	if (!answer) {
		answer = begin(real, &key, budget, &question);
		if (!answer)
			mxw__inflight_leave(question);
	}
	mxw_dns_answer_unref(answer);
}

static mxw_dns_answer_t *real_peek(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type)
{
	char text[MXW__DNS_TEXT_MAX];
	struct mxw__dns_key key;

	return answer_at_once((struct real *)(void *)resolver, name, type, text, &key);
}

static void real_destroy(mxw_resolver_t *resolver)
{
	struct real *real = (struct real *)(void *)resolver;

	/* First the threads that could still answer, then what they would have answered. */
	mxw__unbound_free(real->unbound);
	mxw__inflight_free(real->inflight);
	mxw__dns_cache_free(real->cache);
	mxw__localdata_free(real->local);
	free(real);
}

static const struct mxw_resolver_ops real_ops = {real_ask, real_prefetch, real_peek, real_destroy};

static mxw_status_t make_parts(struct real *real, const struct mxw_resolver_options *options, struct mxw_error *err)
{
	unsigned max_open = options->max_open ? options->max_open : DEFAULT_MAX_OPEN;
	unsigned capacity = mxw__unbound_capacity();
	unsigned timeout_ms = options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
	unsigned entries = options->cache_entries ? options->cache_entries : DEFAULT_CACHE_ENTRIES;
	mxw_status_t status = MXW_OK;

	mxw__hashkey_random(&real->hashkey);
	real->clock = options->clock ? options->clock : mxw_clock_system();
	real->is_local_only = options->local_only;
	real->local = mxw__localdata_new();
	real->cache = mxw__dns_cache_new(entries, real->clock);
	if (real->cache)
		real->inflight = mxw__inflight_new(max_open < capacity ? max_open : capacity, timeout_ms, real->cache,
						   real->clock, &real->hashkey);
	if (!real->local || !real->inflight)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	for (size_t i = 0; status == MXW_OK && i < options->nlocal_data; i++)
		status = mxw__localdata_load(real->local, options->local_data[i], err);
	if (status == MXW_OK && !real->is_local_only)
		status = mxw__unbound_new(options, &real->unbound, err);
	return status;
}

mxw_status_t mxw_resolver_new(const struct mxw_resolver_options *options, mxw_resolver_t **ret_resolver,
			      struct mxw_error *err)
{
	/* A caller compiled against an older header knows fewer options; what it does not know is 0. */
	struct mxw_resolver_options known = {0};

	if (options->size == 0 || options->size > sizeof(known))
		return mxw__fail(err, MXW_ERR_USAGE, "struct mxw_resolver_options of an unknown size");
	memcpy(&known, options, options->size);
	struct real *real = calloc(1, sizeof(*real));
	if (!real)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	mxw_resolver_init(&real->resolver, &real_ops);
	mxw_status_t status = make_parts(real, &known, err);
	if (status != MXW_OK) {
		real_destroy(&real->resolver);
		return status;
	}
	*ret_resolver = &real->resolver;
	return MXW_OK;
}

void mxw_resolver_get_stats(mxw_resolver_t *resolver, struct mxw_resolver_stats *ret_stats)
{
	struct real *real = (struct real *)(void *)resolver;

	*ret_stats = (struct mxw_resolver_stats){0};
	if (resolver->ops != &real_ops)
		return;
	ret_stats->asked = atomic_load_explicit(&real->asked, memory_order_relaxed);
	ret_stats->cache_hits = atomic_load_explicit(&real->cache_hits, memory_order_relaxed);
	ret_stats->coalesced = atomic_load_explicit(&real->coalesced, memory_order_relaxed);
	ret_stats->sent = atomic_load_explicit(&real->sent, memory_order_relaxed);
	ret_stats->timeouts = atomic_load_explicit(&real->timeouts, memory_order_relaxed);
	ret_stats->over_budget = atomic_load_explicit(&real->over_budget, memory_order_relaxed);
	ret_stats->failures = mxw__inflight_failures(real->inflight);
	ret_stats->open = mxw__inflight_open(real->inflight);
}
