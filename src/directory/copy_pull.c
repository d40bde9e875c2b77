/* SPDX-License-Identifier: BSD-2-Clause */
/* One listing of a directory for its offline copy: is the list to be believed, and what is done with it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/directory/copy_inside.h"

struct listing {
	mxw__copy_t *copy;
	mxw__copy_list_t *list;
	const char *why; /* it was stopped; NULL: it was not */
};

static bool visit(void *ctx, const char *address, size_t len, const struct mxw__rcpt_settings *settings)
{
	struct listing *listing = ctx;

	return mxw__copy_list_add(listing->list, address, len, settings, &listing->why);
}

static bool may_stop(void *ctx)
{
	struct listing *listing = ctx;

	pthread_mutex_lock(&listing->copy->lock);
	bool is_stopping = listing->copy->is_stopping;
	pthread_mutex_unlock(&listing->copy->lock);
	return is_stopping;
}

static bool is_near(uint64_t a, uint64_t b)
{
	uint64_t more = a > b ? a : b, less = a > b ? b : a;

	return more - less <= more / 10;
}

/* What the list before had not, and this one has not either; what both have counts for less as time goes by. */
static void carry_over(mxw__copy_t *copy, struct mxw__copy_in_use *next)
{
	pthread_mutex_lock(&copy->lock);
	struct mxw__copy_in_use before = copy->in_use;
	pthread_mutex_unlock(&copy->lock);
	struct mxw__rcpt_settings settings;

	next->agreed = before.agreed / 2;
	for (size_t i = 0; i < before.nmissed; i++)
		if (!mxw__copy_view_find(mxw__copy_map_view(next->map), before.missed[i], &settings))
			memcpy(next->missed[next->nmissed++], before.missed[i], MXW__COPY_HASH_SIZE);
	if (before.nmissed > 0)
		next->disagreed = before.disagreed / 2 * next->nmissed / before.nmissed + next->nmissed;
}

/* Writes a list and puts it in use. */
static bool use(mxw__copy_t *copy, const struct mxw__copy_content *content, int64_t age_ms, bool is_clock_suspect)
{
	struct mxw__copy_in_use next = {.since_ms = mxw__copy_mono_ms(copy), .age_ms = age_ms, .is_clock_suspect = is_clock_suspect};
	struct mxw_error err = {0};

	if (mxw__copy_file_write(copy->path, &copy->keys, content, &next.map, &err) != MXW_OK) {
		mxw__copy_complain(copy, err.text);
		return false;
	}
	mxw__copy_map_touch(next.map, is_clock_suspect ? mxw__copy_map_seen(copy->in_use.map) : mxw__copy_wall_ms(copy));
	carry_over(copy, &next);
	mxw__copy_put_in_use(copy, &next);
	return true;
}

static bool was_partial(mxw__copy_t *copy)
{
	pthread_mutex_lock(&copy->lock);
	struct mxw__copy_in_use before = copy->in_use;
	pthread_mutex_unlock(&copy->lock);
	return before.map && mxw__copy_is_partial(&before);
}

/* The list there is stays, and with it the word that it is in doubt. */
static bool keep_in_doubt(mxw__copy_t *copy, uint64_t count, uint32_t doubts)
{
	const struct mxw__copy_view *view = mxw__copy_map_view(copy->in_use.map);
	struct mxw__copy_settings *settings = calloc(1, sizeof *settings);
	struct mxw__copy_content content = {.head = view->head, .settings = settings, .records = view->records};

	if (doubts == 1)
		mxw__noticef(&copy->noticer, true, "the list has %llu addresses, the one before had %llu: it is not used until "
			     "%llu of them in a row agree, and no address is taken for absent",
			     (unsigned long long)count, (unsigned long long)view->head.count,
			     (unsigned long long)copy->env->conf->copy_confirmations);
	content.head.is_partial = was_partial(copy);
	content.head.doubts = doubts;
	content.head.doubt_count = count;
	bool ok = settings && mxw__copy_map_is_whole(copy->in_use.map);
	if (ok)
		mxw__copy_view_settings(view, settings);
	if (ok)
		ok = use(copy, &content, mxw__copy_age_of(copy, &copy->in_use), copy->in_use.is_clock_suspect);
	free(settings);
	return ok;
}

static mxw__copy_pull_t judge(mxw__copy_t *copy, const mxw__copy_list_t *list)
{
	struct mxw__copy_content content = {
		.head = {.completed_ms = mxw__copy_wall_ms(copy), .count = mxw__copy_list_count(list), .is_partial = was_partial(copy)},
		.settings = mxw__copy_list_settings(list),
		.records = mxw__copy_list_records(list),
	};
	const struct mxw__copy_head *before = copy->in_use.map ? &mxw__copy_map_view(copy->in_use.map)->head : NULL;
	uint64_t count = content.head.count;

	if (count == 0) {
		/* As good as always a missing right to read. */
		mxw__copy_complain(copy, "the list is empty");
		return MXW__COPY_FAILED;
	}
	bool is_short = before && count < before->count / 2 + before->count % 2;
	uint32_t doubts = !is_short ? 0 : before->doubts > 0 && is_near(count, before->doubt_count) ? before->doubts + 1 : 1;
	if (is_short && doubts < copy->env->conf->copy_confirmations)
		return keep_in_doubt(copy, count, doubts) ? MXW__COPY_DOUBTED : MXW__COPY_FAILED;
	bool was_doubted = before && before->doubts > 0;
	memcpy(content.head.print, copy->print, sizeof copy->print);
	if (!use(copy, &content, 0, false))
		return MXW__COPY_FAILED;
	if (was_doubted || *copy->told)
		mxw__noticef(&copy->noticer, false, "the offline copy is up to date again, with %llu addresses",
			     (unsigned long long)count);
	copy->told[0] = '\0';
	return MXW__COPY_USED;
}

mxw__copy_pull_t mxw__copy_pull(mxw__copy_t *copy)
{
	struct listing listing = {.copy = copy};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
	struct mxw_error err = {0};
	mxw__copy_pull_t pull = MXW__COPY_FAILED;

	if (!mxw__copy_get_ready(copy, &err)) {
		mxw__copy_complain(copy, err.text);
		return MXW__COPY_FAILED;
	}
	listing.list = mxw__copy_list_new(&copy->keys, copy->env->conf->copy_max_addresses);
	if (!listing.list) {
		mxw__copy_complain(copy, "out of memory");
		return MXW__COPY_FAILED;
	}
	copy->ops->enumerate(copy->self, visit, may_stop, &listing, &result);
	bool is_stopping = may_stop(&listing);
	if (listing.why) {
		mxw__copy_complain(copy, listing.why);
	} else if (result.outcome != MXW_FOUND && !is_stopping) {
		mxw__copy_complain(copy, *result.reason ? result.reason : "the list is not complete");
	} else if (result.outcome == MXW_FOUND) {
		mxw__copy_list_finish(listing.list);
		pull = judge(copy, listing.list);
	}
	mxw__copy_list_free(listing.list);
	return pull;
}
