/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions about recipients that come from no session. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxward/recipient.h>

#include "src/mail/mail.h"
#include "src/session/engine.h"

/* An address in all its forms. */
enum { ADDRESS_BYTES = 64 * 1024 };

const char *mxw_recipient_origin_name(mxw_recipient_origin_t origin)
{
	return mxw__rcpt_origin_word((mxw__rcpt_origin_t)origin);
}

const char *mxw_recipient_copy_name(mxw_recipient_copy_t copy)
{
	return mxw__rcpt_copy_word((mxw__rcpt_copy_t)copy);
}

/* An address on its way into the set of directories in force. */
struct question {
	struct mxw__snapshot *snapshot;
	mxw__arena_t *arena;
	struct mxw__address address;
	const struct mxw__domain_conf *domain; /* NULL: not ours, or no address */
	bool is_valid;
	bool is_domain_known; /* false: a list of domains that might have it can't be read */
};

static mxw_status_t question_init(struct question *q, mxw_engine_t *engine, const char *text, struct mxw_error *err)
{
	*q = (struct question){.arena = mxw__arena_new(ADDRESS_BYTES)};
	if (!q->arena)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	mxw_status_t status = mxw__address_parse(q->arena, text, &q->address);
	if (status == MXW_ERR_NOMEM) {
		mxw__arena_free(q->arena);
		return mxw__fail(err, status, "out of memory");
	}
	q->is_valid = status == MXW_OK && !q->address.is_null;
	q->snapshot = mxw__engine_snapshot(engine);
	q->is_domain_known = !q->is_valid || mxw__directories_domain_of(q->snapshot->directories, &q->address, &q->domain) !=
						     MXW_TEMPORARY;
	if (q->domain && (q->domain->nrecipients == 0 || !q->is_domain_known))
		q->domain = NULL;
	return MXW_OK;
}

static void question_fini(struct question *q)
{
	mxw__snapshot_unref(q->snapshot);
	mxw__arena_free(q->arena);
}

static void copy_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "");
}

static void copy_answer(struct mxw_recipient_answer *to, const struct mxw__rcpt_result *result, const char *address)
{
	*to = (struct mxw_recipient_answer){
		.outcome = result->outcome,
		.is_unverifiable = result->is_unverifiable,
		.origin = (mxw_recipient_origin_t)result->origin,
		.copy = (mxw_recipient_copy_t)result->copy,
		.age_ms = result->age_ms,
		.is_disabled = result->settings.is_disabled,
		.is_internal_only = result->settings.is_internal_only,
	};
	copy_text(to->policy_class, sizeof to->policy_class, result->settings.class);
	copy_text(to->directory, sizeof to->directory, result->source);
	copy_text(to->address, sizeof to->address, address);
	copy_text(to->reason, sizeof to->reason, result->reason);
}

static void note_answer(void *ctx, const struct mxw__rcpt_query *query, const struct mxw__rcpt_result *one)
{
	struct mxw_recipient *r = ctx;

	if (r->nasked < MXW_RECIPIENT_ASKED_MAX)
		copy_answer(&r->asked[r->nasked], one, query->address->text);
	r->nasked++;
}

/* No directory is asked. */
static void say_none_asked(const struct question *q, const char *text, struct mxw_recipient *r)
{
	r->word = !q->is_valid ? "invalid" : q->is_domain_known ? "foreign" : "unavailable";
	r->answer.outcome = q->is_domain_known ? MXW_NOT_FOUND : MXW_TEMPORARY;
	copy_text(r->answer.address, sizeof r->answer.address, q->is_valid ? q->address.text : text);
	if (!q->is_domain_known)
		copy_text(r->answer.reason, sizeof r->answer.reason, "a list of domains can't be read");
}

/* Under which address it was found: the last one that the deciding directory found. */
static const char *found_address(const struct mxw_recipient *r, const struct mxw__rcpt_result *result)
{
	size_t n = r->nasked < MXW_RECIPIENT_ASKED_MAX ? r->nasked : MXW_RECIPIENT_ASKED_MAX;

	while (n-- > 0) {
		const struct mxw_recipient_answer *a = &r->asked[n];
		if (result->outcome == MXW_FOUND && a->outcome == MXW_FOUND &&
		    a->is_unverifiable == result->is_unverifiable && strcmp(a->directory, result->source) == 0)
			return a->address;
	}
	return NULL;
}

/* Options of an older caller end earlier. */
static struct mxw_lookup_options complete(const struct mxw_lookup_options *options)
{
	struct mxw_lookup_options all = {0};

	if (options)
		memcpy(&all, options, options->size < sizeof all ? options->size : sizeof all);
	return all;
}

static void look_up(mxw_engine_t *engine, const struct question *q, const struct mxw_lookup_options *options,
		    struct mxw_recipient *r)
{
	uint64_t budget_ms = options->timeout_ms ? options->timeout_ms : q->snapshot->conf->timeouts.before_data_ms;
	struct mxw__rcpt_query query = {
		.address = &q->address,
		.deadline_ms = mxw__now_ms(&engine->clock) + (int64_t)budget_ms,
		.asking = options->ignores_cache ? MXW__ASK_SOURCE : MXW__ASK_ANY,
		.told = note_answer,
		.told_ctx = r,
	};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY, .source = ""};

	mxw__directories_lookup(q->snapshot->directories, q->domain, &query, &result);
	r->word = mxw__rcpt_outcome_word(&result);
	const char *found = found_address(r, &result);
	copy_answer(&r->answer, &result, found ? found : q->address.text);
}

mxw_status_t mxw_engine_lookup(mxw_engine_t *engine, const char *address, const struct mxw_lookup_options *options,
			       struct mxw_recipient *ret_recipient, struct mxw_error *err)
{
	struct mxw_lookup_options all = complete(options);
	struct question q;
	mxw_status_t status = question_init(&q, engine, address, err);

	if (status != MXW_OK)
		return status;
	memset(ret_recipient, 0, sizeof *ret_recipient);
	if (q.domain)
		look_up(engine, &q, &all, ret_recipient);
	else
		say_none_asked(&q, address, ret_recipient);
	question_fini(&q);
	return MXW_OK;
}

static void count_forgotten(void *ctx, const struct mxw__rcpt_query *query, const struct mxw__rcpt_result *one)
{
	size_t *n = ctx;

	*n += one->origin == MXW__ORIGIN_CACHE;
}

static mxw_status_t flush_one(mxw_engine_t *engine, const char *address, size_t *n, struct mxw_error *err)
{
	struct question q;
	mxw_status_t status = question_init(&q, engine, address, err);
	struct mxw__rcpt_result result;

	if (status != MXW_OK)
		return status;
	struct mxw__rcpt_query query = {
		.address = &q.address,
		.deadline_ms = mxw__now_ms(&engine->clock),
		.asking = MXW__ASK_FORGET,
		.told = count_forgotten,
		.told_ctx = n,
	};
	if (q.domain)
		mxw__directories_lookup(q.snapshot->directories, q.domain, &query, &result);
	question_fini(&q);
	return MXW_OK;
}

mxw_status_t mxw_engine_flush_recipients(mxw_engine_t *engine, const char *address, size_t *ret_n,
					 struct mxw_error *err)
{
	size_t n = 0;
	mxw_status_t status = MXW_OK;

	if (address)
		status = flush_one(engine, address, &n, err);
	else
		n = mxw__rcpt_cache_clear(mxw__rcpt_keeper_cache(engine->keeper));
	if (status != MXW_OK)
		return status;
	/* A crash must not bring back what somebody wanted forgotten. */
	mxw__rcpt_keeper_save_soon(engine->keeper);
	if (ret_n)
		*ret_n = n;
	return MXW_OK;
}

void mxw_engine_recipient_stats(mxw_engine_t *engine, struct mxw_recipient_stats *ret_stats)
{
	struct mxw__rcpt_cache_stats s;
	size_t size = ret_stats->size;

	mxw__rcpt_cache_get_stats(mxw__rcpt_keeper_cache(engine->keeper), &s);
	struct mxw_recipient_stats stats = {
		.size = size,
		.hits = s.events[MXW__RCPT_HIT],
		.misses = s.events[MXW__RCPT_MISS],
		.stale = s.events[MXW__RCPT_GAVE_STALE],
		.refreshed = s.events[MXW__RCPT_REFRESHED],
		.refreshes_failed = s.events[MXW__RCPT_REFRESH_FAILED],
		.refreshes_dropped = s.events[MXW__RCPT_REFRESH_DROPPED],
		.evicted = s.events[MXW__RCPT_EVICTED],
		.entries = s.entries,
		.known_good = s.known_good,
		.max_entries = s.max_entries,
		.bytes = s.bytes,
	};
	memcpy(ret_stats, &stats, size < sizeof stats ? size : sizeof stats);
}
