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
	mxw__dns_budgets_t *budgets;
	mxw__inflight_t *inflight;
	mxw__unbound_t *unbound; /* NULL when is_local_only */
	_Atomic uint64_t asked, cache_hits, coalesced, sent, timeouts;
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
	mxw__dns_refusal_t why = MXW__REFUSED_NOT;

	switch (mxw__inflight_begin(real->inflight, key, budget, ret_question, &answer, &why)) {
	case MXW__BEGIN_CACHED:
		count(&real->cache_hits);
		return answer;
	case MXW__BEGIN_REFUSED:
		mxw__dns_budgets_note(real->budgets, why, key->name, budget ? &budget->client : NULL,
				      mxw__now_ms(real->clock));
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
	struct mxw__dns_pending *pending = mxw__inflight_pending(*ret_question);
	if (!mxw__unbound_send(real->unbound, key, pending))
		mxw__inflight_finish(*ret_question, mxw__dns_answer_empty(
			MXW_TEMPORARY, 2, mxw__dns_lifetime_s(pending->lifetimes, MXW_TEMPORARY, 0)));
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
	mxw__dns_budgets_free(real->budgets);
	mxw__dns_cache_free(real->cache);
	mxw__localdata_free(real->local);
	free(real);
}

static const struct mxw_resolver_ops real_ops = {real_ask, real_prefetch, real_peek, real_destroy};

static unsigned or_default(unsigned value, unsigned deflt)
{
	return value ? value : deflt;
}

/* What has a lock each. False without memory. */
static bool make_shared(struct real *real, const struct mxw_resolver_options *options)
{
	struct mxw__dns_budgets_options budgets = {
		.zone = {options->zone_rate, options->zone_burst},
		.client = {options->client_rate, options->client_burst},
		.unlimited = options->unlimited_zones,
		.nunlimited = options->nunlimited_zones,
		.notice = options->notice,
		.notice_ctx = options->notice_ctx,
	};
	struct mxw__inflight_options inflight = {
		.max_open = or_default(options->max_open, DEFAULT_MAX_OPEN),
		.timeout_ms = or_default(options->timeout_ms, DEFAULT_TIMEOUT_MS),
		.lifetimes = {or_default(options->positive_max_s, MXW__DNS_POSITIVE_MAX_S),
			      or_default(options->negative_max_s, MXW__DNS_NEGATIVE_MAX_S),
			      or_default(options->failure_max_s, MXW__DNS_FAILURE_MAX_S)},
		.clock = real->clock,
		.hashkey = real->hashkey,
	};
	unsigned capacity = mxw__unbound_capacity();

	if (inflight.max_open > capacity)
		inflight.max_open = capacity;
	real->cache = mxw__dns_cache_new(or_default(options->cache_entries, DEFAULT_CACHE_ENTRIES), &inflight.lifetimes,
					 real->clock);
	real->budgets = mxw__dns_budgets_new(&budgets, &real->hashkey);
	inflight.cache = real->cache;
	inflight.budgets = real->budgets;
	if (real->cache && real->budgets)
		real->inflight = mxw__inflight_new(&inflight);
	return real->inflight != NULL;
}

static mxw_status_t make_parts(struct real *real, const struct mxw_resolver_options *options, struct mxw_error *err)
{
	mxw_status_t status = MXW_OK;

	mxw__hashkey_random(&real->hashkey);
	real->clock = options->clock ? options->clock : mxw_clock_system();
	real->is_local_only = options->local_only;
	real->local = mxw__localdata_new();
	if (!make_shared(real, options) || !real->local)
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

static uint64_t value_of(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void fill_stats(struct real *real, struct mxw_resolver_stats *stats)
{
	stats->asked = value_of(&real->asked);
	stats->cache_hits = value_of(&real->cache_hits);
	stats->coalesced = value_of(&real->coalesced);
	stats->sent = value_of(&real->sent);
	stats->timeouts = value_of(&real->timeouts);
	stats->over_session = mxw__dns_budgets_refused(real->budgets, MXW__REFUSED_SESSION);
	stats->over_client = mxw__dns_budgets_refused(real->budgets, MXW__REFUSED_CLIENT);
	stats->over_zone = mxw__dns_budgets_refused(real->budgets, MXW__REFUSED_ZONE);
	stats->over_cap = mxw__dns_budgets_refused(real->budgets, MXW__REFUSED_CAP);
	stats->over_budget = stats->over_session + stats->over_client + stats->over_zone + stats->over_cap;
	stats->failures = mxw__inflight_failures(real->inflight);
	stats->bogus = mxw__inflight_bogus(real->inflight);
	stats->open = mxw__inflight_open(real->inflight);
}

void mxw_resolver_get_stats(mxw_resolver_t *resolver, struct mxw_resolver_stats *ret_stats)
{
	struct mxw_resolver_stats stats = {0};
	size_t size = ret_stats->size;

	if (resolver->ops == &real_ops)
		fill_stats((struct real *)(void *)resolver, &stats);
	stats.size = size;
	/* A caller may know fewer counters, or more. */
	memset(ret_stats, 0, size);
	memcpy(ret_stats, &stats, size < sizeof(stats) ? size : sizeof(stats));
}
