/* SPDX-License-Identifier: BSD-2-Clause */
/* manage.c: what the engine remembers of clients and accounts, for those who look after it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxward/track.h>

#include "src/session/engine.h"
#include "src/session/outbound.h"
#include "src/session/rates.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 10000, WALK_STEP = 64 };

/* Of what is halved again and again, this is nothing any more. */
static const double shown_min = 0.05;

/* ---- one key ---- */

static int64_t wall_of(mxw_engine_t *engine, int64_t then_ms)
{
	return engine->clock.wall_ms(engine->clock.ctx) - (mxw__now_ms(&engine->clock) - then_ms);
}

static int compare_counts(const void *a, const void *b)
{
	const struct mxw_track_count *x = a, *y = b;

	return x->times > y->times ? -1 : x->times < y->times;
}

static void describe(mxw_engine_t *engine, const struct mxw__standing *standing, struct mxw_track_entry *ret_entry)
{
	struct mxw_track_entry *e = ret_entry;

	*e = (struct mxw_track_entry){
		.size = sizeof *e,
		.kind = mxw__key_kind_name((mxw__key_kind_t)standing->key.kind),
		.score = standing->score,
		.good = standing->good,
		.first_seen_ms = wall_of(engine, standing->first_ms),
		.last_seen_ms = wall_of(engine, standing->last_ms),
	};
	mxw__key_text(&standing->key, e->key);
	for (int i = 0; i < MXW__EVENT_COUNT; i++) {
		mxw__event_t event = (mxw__event_t)i;
		if (standing->counts[i] >= shown_min)
			e->counts[e->ncounts++] =
				(struct mxw_track_count){mxw__event_name(event), standing->counts[i], mxw__event_is_good(event)};
	}
	qsort(e->counts, e->ncounts, sizeof *e->counts, compare_counts);
}
_Static_assert((int)MXW__KEY_TEXT_MAX <= MXW_TRACK_KEY_MAX, "room for each key");
_Static_assert((int)MXW__EVENT_COUNT <= MXW_TRACK_EVENTS_MAX, "room for each event");

static mxw_status_t parse_key(const char *text, struct mxw__key *ret_key, struct mxw_error *err)
{
	return mxw__key_parse(text, ret_key) ? MXW_OK : mxw__fail(err, MXW_ERR_INVALID, "that is no key, such as 192.0.2.1, 192.0.2.0/24, helo:NAME, domain:NAME or user:NAME");
}

mxw_status_t mxw_track_find(mxw_engine_t *engine, const char *key, struct mxw_track_entry *ret_entry, struct mxw_error *err)
{
	size_t size = ret_entry->size < sizeof *ret_entry ? ret_entry->size : sizeof *ret_entry;
	struct mxw__standing standing;
	struct mxw_track_entry entry;
	struct mxw__key k;
	mxw_status_t status = parse_key(key, &k, err);

	if (status != MXW_OK)
		return status;
	if (!mxw__table_get(engine->table, &k, mxw__now_ms(&engine->clock), &standing))
		return mxw__fail(err, MXW_ERR_INVALID, "nothing is known of it");
	describe(engine, &standing, &entry);
	entry.size = ret_entry->size;
	memcpy(ret_entry, &entry, size);
	return MXW_OK;
}

static struct mxw_ip address_of(const struct mxw__key *key)
{
	struct mxw_ip ip = {.family = key->data[0]};

	memcpy(ip.bytes, key->data + 1, key->len - 1u);
	return ip;
}

/* As greylist.c names it. False: such keys are none there. */
static bool greylist_identity(const struct mxw__key *key, char *ret_identity, size_t size)
{
	char text[MXW__KEY_TEXT_MAX], org[MXW__DOMAIN_MAX + 1];
	struct mxw__key network = *key;

	if (key->kind == MXW__KEY_HELO || key->kind == MXW__KEY_DOMAIN) {
		mxw__org_domain(strchr(mxw__key_text(key, text), ':') + 1, org);
		snprintf(ret_identity, size, "%s:%s", mxw__key_kind_name((mxw__key_kind_t)key->kind), org);
		return true;
	}
	if (key->kind == MXW__KEY_ADDRESS) {
		struct mxw_ip ip = address_of(key);
		network = mxw__key_of_ip(MXW__KEY_NETWORK, &ip);
	}
	snprintf(ret_identity, size, "network:%s", mxw__key_text(&network, text));
	return network.kind == MXW__KEY_NETWORK;
}

/* An address, or a network that guesses are counted for (harvest.h). */
static bool has_guesses(const struct mxw__key *key)
{
	return key->kind == MXW__KEY_ADDRESS || (key->kind == MXW__KEY_NETWORK && key->data[0] == 4) || key->kind == MXW__KEY_WIDE;
}

mxw_status_t mxw_track_find_details(mxw_engine_t *engine, const char *key, struct mxw_track_details *ret_details, struct mxw_error *err)
{
	size_t size = ret_details->size < sizeof *ret_details ? ret_details->size : sizeof *ret_details;
	struct mxw_track_details details = {.size = ret_details->size};
	char identity[MXW__DOMAIN_MAX + 16];
	struct mxw__greylist_attempt attempt;
	struct mxw__harvest_counts guesses;
	struct mxw__key k;
	mxw_status_t status = parse_key(key, &k, err);

	if (status != MXW_OK)
		return status;
	int64_t now_ms = mxw__now_ms(&engine->clock);
	if (has_guesses(&k)) {
		struct mxw__snapshot *snap = mxw__engine_snapshot(engine);
		struct mxw_ip ip = address_of(&k);
		mxw__track_guesses(engine, &ip, snap->conf->tracker.harvest_window_ms, &guesses);
		details.guesses = k.kind == MXW__KEY_ADDRESS ? guesses.client : 0;
		details.network_guesses = guesses.network;
		mxw__snapshot_unref(snap);
	}
	if (greylist_identity(&k, identity, sizeof identity)) {
		mxw__greylist_attempt_make(identity, "", "", &attempt);
		details.is_greylist_known = mxw__greylist_look(engine->greylist, &attempt, now_ms) == MXW__GREYLIST_KNOWN;
	}
	details.is_suspended = mxw__accounts_find(engine->accounts, &k, NULL);
	memcpy(ret_details, &details, size);
	return MXW_OK;
}

/* The key by which a limit counts what concerns `key`. False: it does not. */
static bool find_limited(const struct mxw__limit_conf *limit, const struct mxw__key *key, struct mxw__key *ret_key)
{
	*ret_key = *key;
	if (limit->key == (mxw__key_kind_t)key->kind)
		return true;
	*ret_key = (struct mxw__key){0};
	if (limit->key == MXW__KEY_NONE)
		return true;
	if (limit->key > MXW__KEY_WIDE || key->kind >= (uint8_t)limit->key)
		return false;
	struct mxw_ip ip = address_of(key);
	*ret_key = mxw__key_of_ip(limit->key, &ip);
	return ret_key->kind != MXW__KEY_NONE;
}

/* A user, or a host inside, as outbound.c has it. */
static bool has_quotas(const struct mxw__snapshot *snap, const struct mxw__key *key, struct mxw_ip *ret_client)
{
	*ret_client = (struct mxw_ip){0};
	if (!snap->conf->outbound.enabled)
		return false;
	if (key->kind == MXW__KEY_ADDRESS)
		*ret_client = address_of(key);
	return key->kind == MXW__KEY_USER ||
	       (key->kind == MXW__KEY_ADDRESS && mxw__client_classify(snap->conf, ret_client) == MXW__CLIENT_INTERNAL);
}

static void visit_quotas(const struct mxw__outbound_account *account, void (*visit)(void *ctx, const struct mxw_track_limit *limit),
			 void *ctx)
{
	for (int i = 0; i < MXW__QUOTA_KINDS; i++) {
		mxw__quota_t what = (mxw__quota_t)i;
		struct mxw__rate_conf quota = mxw__outbound_quota(account, what);
		if (!quota.count)
			continue;
		double used = mxw__outbound_used(account, what, &quota);
		struct mxw_track_limit view = {.name = "outbound", .what = mxw__quota_name(what), .used = used, .max = (double)quota.count,
					       .is_full = used + (what == MXW__QUOTA_UNKNOWN_SHARE ? 0 : 1) > (double)quota.count};
		mxw__key_text(account->who, view.key);
		visit(ctx, &view);
	}
}

mxw_status_t mxw_track_limits(mxw_engine_t *engine, const char *key, void (*visit)(void *ctx, const struct mxw_track_limit *limit),
			      void *ctx, struct mxw_error *err)
{
	struct mxw__key k, by;
	mxw_status_t status = parse_key(key, &k, err);

	if (status != MXW_OK)
		return status;
	struct mxw__snapshot *snap = mxw__engine_snapshot(engine);
	for (size_t i = 0; i < snap->conf->rates.nlimits; i++) {
		const struct mxw__limit_conf *limit = &snap->conf->rates.limits[i];
		if (!find_limited(limit, &k, &by))
			continue;
		struct mxw__limit_use use = mxw__rates_use(engine, limit, &by);
		struct mxw_track_limit view = {.name = limit->name, .what = mxw__limited_name(limit->what), .key = "site", .used = use.used,
					       .max = use.max, .is_full = use.is_full};
		if (by.kind != MXW__KEY_NONE)
			mxw__key_text(&by, view.key);
		if (use.free_in_ms)
			view.free_ms = engine->clock.wall_ms(engine->clock.ctx) + use.free_in_ms;
		visit(ctx, &view);
	}
	struct mxw_ip client;
	struct mxw__outbound_account account = {engine, &snap->conf->outbound, &k, &client};
	if (has_quotas(snap, &k, &client) && !mxw__outbound_is_exempt(&account))
		visit_quotas(&account, visit, ctx);
	mxw__snapshot_unref(snap);
	return MXW_OK;
}

/* Of an account that sends. It stays suspended if it is: that is undone by mxw_account_resume(). */
static bool forgive_quotas(mxw_engine_t *engine, const struct mxw__key *key)
{
	struct mxw__standing sent;

	if (!mxw__table_get(engine->outbound->shares, key, mxw__now_ms(&engine->clock), &sent) || sent.score + sent.good <= 0)
		return false;
	mxw__outbound_forget(engine, key);
	return true;
}

mxw_status_t mxw_track_forgive(mxw_engine_t *engine, const char *key, struct mxw_error *err)
{
	struct mxw__key k;
	mxw_status_t status = parse_key(key, &k, err);

	if (status != MXW_OK)
		return status;
	/* What has used up a limit or quota, or has guessed, need not have a score. */
	bool is_known = mxw__rates_forgive_key(engine, &k);
	is_known |= forgive_quotas(engine, &k);
	is_known |= mxw__track_forgive_guesses(engine, &k);
	is_known |= mxw__greylist_forgive(engine, &k);
	if (!mxw__table_forgive(engine->table, &k, mxw__now_ms(&engine->clock)) && !is_known)
		return mxw__fail(err, MXW_ERR_INVALID, "nothing is known of it");
	return MXW_OK;
}

mxw_status_t mxw_track_report(mxw_engine_t *engine, const char *key, const char *event, unsigned times, struct mxw_error *err)
{
	mxw__event_t e;

	if (!mxw__event_find(event, &e) || !mxw__event_is_reportable(e))
		return mxw__fail(err, MXW_ERR_INVALID, "there is no such event to be reported");
	return mxw__track_report(engine, key, e, times, err);
}

/* ---- the highest scores ---- */

/* A heap: the lowest of those that were found is in front. */
struct best {
	struct mxw__standing *found;
	size_t n, max;
};

static bool is_lower(const struct mxw__standing *a, const struct mxw__standing *b)
{
	return a->score < b->score || (a->score == b->score && a->last_ms < b->last_ms);
}

static void swap(struct mxw__standing *a, struct mxw__standing *b)
{
	struct mxw__standing c = *a;

	*a = *b;
	*b = c;
}

static void sink(struct best *best, size_t at)
{
	for (size_t child; (child = 2 * at + 1) < best->n; at = child) {
		if (child + 1 < best->n && is_lower(&best->found[child + 1], &best->found[child]))
			child++;
		if (!is_lower(&best->found[child], &best->found[at]))
			return;
		swap(&best->found[child], &best->found[at]);
	}
}

static void rise(struct best *best, size_t at)
{
	for (; at > 0 && is_lower(&best->found[at], &best->found[(at - 1) / 2]); at = (at - 1) / 2)
		swap(&best->found[at], &best->found[(at - 1) / 2]);
}

static void offer(struct best *best, const struct mxw__standing *standing)
{
	if (best->n < best->max) {
		best->found[best->n++] = *standing;
		rise(best, best->n - 1);
	} else if (is_lower(&best->found[0], standing)) {
		best->found[0] = *standing;
		sink(best, 0);
	}
}

static int compare_standings(const void *a, const void *b)
{
	return is_lower(a, b) ? 1 : is_lower(b, a) ? -1 : 0;
}

static bool find_kind(const char *name, mxw__key_kind_t *ret_kind)
{
	*ret_kind = MXW__KEY_NONE;
	for (int i = MXW__KEY_NONE + 1; i < MXW__KEY_KINDS && name && *name; i++)
		if (strcmp(name, mxw__key_kind_name((mxw__key_kind_t)i)) == 0)
			*ret_kind = (mxw__key_kind_t)i;
	return !name || !*name || *ret_kind != MXW__KEY_NONE;
}

static void gather(mxw_engine_t *engine, const struct mxw_track_filter *filter, mxw__key_kind_t kind, struct mxw__standing *step,
		   struct best *best)
{
	uint64_t cursor = 0;

	for (size_t n; (n = mxw__table_walk(engine->table, &cursor, mxw__now_ms(&engine->clock), step, WALK_STEP)) > 0;)
		for (size_t i = 0; i < n; i++)
			if ((kind == MXW__KEY_NONE || step[i].key.kind == (uint8_t)kind) &&
			    (!filter->has_min_score || step[i].score >= filter->min_score))
				offer(best, &step[i]);
}

mxw_status_t mxw_track_list(mxw_engine_t *engine, const struct mxw_track_filter *filter,
			    void (*visit)(void *ctx, const struct mxw_track_entry *entry), void *ctx, struct mxw_error *err)
{
	struct best best = {.max = filter->limit ? filter->limit < LIMIT_MAX ? filter->limit : LIMIT_MAX : LIMIT_DEFAULT};
	mxw__key_kind_t kind;
	struct mxw_track_entry entry;

	if (!find_kind(filter->kind, &kind))
		return mxw__fail(err, MXW_ERR_INVALID, "there is no such kind of keys");
	best.found = mxw__calloc(best.max + WALK_STEP, sizeof *best.found);
	if (!best.found)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	gather(engine, filter, kind, best.found + best.max, &best);
	qsort(best.found, best.n, sizeof *best.found, compare_standings);
	for (size_t i = 0; i < best.n; i++) {
		describe(engine, &best.found[i], &entry);
		visit(ctx, &entry);
	}
	free(best.found);
	return MXW_OK;
}

/* ---- accounts ---- */

mxw_status_t mxw_account_suspend(mxw_engine_t *engine, const char *account, uint64_t for_ms, const char *author, const char *reason,
				 struct mxw_error *err)
{
	int64_t until_ms = for_ms ? engine->clock.wall_ms(engine->clock.ctx) + (int64_t)for_ms : 0;
	mxw_status_t status = mxw__outbound_suspend(engine, account, reason ? reason : "", author ? author : "", until_ms);

	switch (status) {
	case MXW_OK:
		return status;
	case MXW_ERR_LIMIT:
		return mxw__fail(err, status, "too many accounts are suspended");
	case MXW_ERR_NOMEM:
		return mxw__fail(err, status, "out of memory");
	default:
		return mxw__fail(err, MXW_ERR_INVALID, "that is no account");
	}
}

mxw_status_t mxw_account_resume(mxw_engine_t *engine, const char *account, const char *author, struct mxw_error *err)
{
	if (mxw__outbound_resume(engine, account, author ? author : ""))
		return MXW_OK;
	return mxw__fail(err, MXW_ERR_INVALID, "it is not suspended");
}

struct account_visit {
	void (*visit)(void *ctx, const struct mxw_account *account);
	void *ctx;
};

static void visit_account(void *ctx, const struct mxw__account *account)
{
	const struct account_visit *v = ctx;
	struct mxw_account view = {.since_ms = account->since_ms, .until_ms = account->until_ms, .author = account->author,
				   .reason = account->reason};

	mxw__key_text(&account->key, view.key);
	v->visit(v->ctx, &view);
}

mxw_status_t mxw_account_each(mxw_engine_t *engine, void (*visit)(void *ctx, const struct mxw_account *account), void *ctx,
			      struct mxw_error *err)
{
	struct account_visit v = {visit, ctx};

	return mxw__outbound_each(engine, visit_account, &v) ? MXW_OK : mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
}
