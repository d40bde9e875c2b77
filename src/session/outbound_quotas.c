/* SPDX-License-Identifier: BSD-2-Clause */
/* outbound_quotas.c: which quotas an account has, and how far they are used up: for its sessions, and for who looks after it. */
#include "config.h"

#include <string.h>

#include "src/session/engine.h"
#include "src/session/outbound.h"
#include "src/session/rates.h"

/* ---- which ---- */

/* Of a user, however the name is written. */
static bool is_named(const struct mxw__outbound_account *a, const char *user)
{
	struct mxw__key key = mxw__key_of_name(MXW__KEY_USER, user);

	return memcmp(&key, a->who, sizeof key) == 0;
}

bool mxw__outbound_is_exempt(const struct mxw__outbound_account *a)
{
	bool is_user = a->who->kind == MXW__KEY_USER;

	for (size_t i = 0; is_user && i < a->conf->exempt.n; i++)
		if (is_named(a, a->conf->exempt.v[i]))
			return true;
	for (size_t i = 0; !is_user && i < a->conf->nexempt_networks; i++)
		if (mxw_network_contains(&a->conf->exempt_networks[i], a->client))
			return true;
	return false;
}

/* The first row that fits, or what is for all. */
struct mxw__rate_conf mxw__outbound_quota(const struct mxw__outbound_account *a, mxw__quota_t what)
{
	bool is_user = a->who->kind == MXW__KEY_USER;

	for (size_t i = 0; i < a->conf->nrows; i++) {
		const struct mxw__quota_row *row = &a->conf->rows[i];
		if (row->what != what || !row->user == is_user)
			continue;
		if (row->user ? is_named(a, row->user) : mxw_network_contains(&row->network, a->client))
			return row->rate;
	}
	return is_user ? a->conf->user_quotas[what] : a->conf->host_quotas[what];
}

struct mxw__rate mxw__outbound_bucket(const struct mxw__rate_conf *quota, mxw__quota_t what)
{
	const char *name = what == MXW__QUOTA_MESSAGES ? MXW__OUTBOUND_RATE_MESSAGES : MXW__OUTBOUND_RATE_RCPTS;

	/* It is charged up to twice the burst: more than the last stage takes. */
	return (struct mxw__rate){mxw__rate_id(name), quota->count, quota->window_ms, 2 * quota->count};
}

char mxw__outbound_kind(mxw__quota_t what)
{
	return what == MXW__QUOTA_NETWORKS ? 'n' : 'r';
}

/* ---- how far ---- */

/* In percent of recipients. */
static double unknown_share(const struct mxw__outbound_account *a)
{
	struct mxw__standing standing;

	mxw__table_get(a->engine->outbound->shares, a->who, mxw__now_ms(&a->engine->clock), &standing);
	double failed = standing.score, taken = standing.good > 0 ? standing.good : 0;
	/* What has just been counted as the last of so many has not decayed by more than this. */
	if (failed + 0.5 < (double)a->conf->unknown_min)
		return 0;
	return 100 * failed / (failed + taken);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

double mxw__outbound_used(const struct mxw__outbound_account *a, mxw__quota_t what, const struct mxw__rate_conf *quota)
{
	struct mxw__outbound_counted key = {(uint64_t)what, *a->who};
	struct mxw__rate rate;
	int64_t now_ms = mxw__now_ms(&a->engine->clock);

	if (!quota->count)
		return 0;
	switch (what) {
	case MXW__QUOTA_MESSAGES:
	case MXW__QUOTA_RCPTS:
		rate = mxw__outbound_bucket(quota, what);
		return mxw__rates_level(a->engine->rates, &rate, a->who, now_ms);
	case MXW__QUOTA_DIFFERENT_RCPTS:
	case MXW__QUOTA_NETWORKS:
		return (double)larger(mxw__distinct_count(a->engine->outbound->different, &key, sizeof key, now_ms, quota->window_ms),
				      mxw__unions_count(a->engine->outbound->all, a->who, mxw__outbound_kind(what),
							quota->window_ms));
	default:
		return unknown_share(a);
	}
}
