/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbound.c: quotas of authenticated users and inside hosts.
 *
 * A quota is a bucket that leaks (rates.h), a number of different things in a window (distinct.h), or a share. How far it is used up, in
 * percent, says the stage; the message goes by the furthest of all quotas, and by the furthest that it has had itself. What is beyond a
 * quota is counted all the same, up to the suspension: that is how one stage follows the other.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/session/outbound.h"
#include "src/session/part.h"
#include "src/share/share.h"

/* Of an account, recipients and networks of each quarter. */
enum { ACCOUNTS = 10000, UNIONS = 2 * MXW__UNIONS_QUARTERS * ACCOUNTS, SHARE_HALF_LIFE_MS = 6 * 3600000 };

static const char *const stage_words[] = {"ok", "warn", "slow", "hold", "suspended"};

/* ---- the engine's ---- */

static void notice(void *ctx, const char *text)
{
	struct mxw__buf line;

	mxw__buf_init(&line, 1000);
	mxw__buf_adds(&line, "event=outbound text=");
	mxw__buf_add_logvalue(&line, text, strlen(text), 400);
	mxw__engine_log(ctx, MXW_LEVEL_WARNING, mxw__buf_str(&line));
	mxw__buf_fini(&line);
}

/* Another host has let the account's quotas begin anew. */
static void forget_own(void *ctx, const struct mxw__key *who, char kind)
{
	static const mxw__quota_t different[] = {MXW__QUOTA_DIFFERENT_RCPTS, MXW__QUOTA_NETWORKS};

	for (size_t i = 0; i < MXW_ARRAY_LEN(different); i++) {
		struct mxw__outbound_counted key = {(uint64_t)different[i], *who};
		if (mxw__outbound_kind(different[i]) == kind)
			mxw__distinct_forget(ctx, &key, sizeof key);
	}
}

static mxw_status_t make_all(mxw_engine_t *engine)
{
	struct mxw__table_options shares = {.max_entries = ACCOUNTS, .half_life_ms = SHARE_HALF_LIFE_MS,
					    .history_half_life_ms = SHARE_HALF_LIFE_MS, .clock = &engine->clock};
	mxw_status_t status = mxw__accounts_new(&engine->clock, &engine->accounts);

	engine->outbound = status == MXW_OK ? calloc(1, sizeof *engine->outbound) : NULL;
	if (!engine->outbound)
		return MXW_ERR_NOMEM;
	status = mxw__distinct_new(2 * ACCOUNTS, &engine->outbound->different);
	if (status == MXW_OK)
		status = mxw__unions_new(&engine->clock, UNIONS, &engine->outbound->all);
	if (status == MXW_OK)
		mxw__unions_on_forget(engine->outbound->all, forget_own, engine->outbound->different);
	if (status == MXW_OK)
		status = mxw__table_new(&shares, &engine->outbound->shares);
	if (status == MXW_OK)
		status = mxw__notifier_new(notice, engine, &engine->outbound->notifier);
	return status;
}

static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	mxw_status_t status = make_all(engine);

	return status == MXW_OK ? status : mxw__fail(err, status, "out of memory");
}

static void free_all(mxw_engine_t *engine)
{
	mxw__accounts_free(engine->accounts);
	if (!engine->outbound)
		return;
	mxw__notifier_free(engine->outbound->notifier);
	mxw__distinct_free(engine->outbound->different);
	mxw__unions_free(engine->outbound->all);
	mxw__table_free(engine->outbound->shares);
	free(engine->outbound);
}

static size_t states(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max)
{
	const struct mxw__state all[] = {
		{&mxw__accounts_sort, engine->accounts},
		{&mxw__table_failed_sort, engine->outbound->shares},
		{&mxw__table_taken_sort, engine->outbound->shares},
		{&mxw__unions_sort, engine->outbound->all},
	};

	if (max < MXW_ARRAY_LEN(all))
		return 0;
	memcpy(ret_states, all, sizeof all);
	return MXW_ARRAY_LEN(all);
}

/* ---- who ---- */

/* kind NONE: somebody else. No relay, whoever logs in there: it brings what many have sent. */
static struct mxw__key find_who(const mxw_session_t *s)
{
	bool is_relay = s->env.client_class == MXW__CLIENT_RELAY;

	if (!is_relay && *s->env.auth_user)
		return mxw__key_of_name(MXW__KEY_USER, s->env.auth_user);
	if (s->env.client_class == MXW__CLIENT_INTERNAL)
		return mxw__key_of_ip(MXW__KEY_ADDRESS, &s->env.client);
	return (struct mxw__key){0};
}

static bool is_user(const mxw_session_t *s)
{
	return s->outbound.who.kind == MXW__KEY_USER;
}

static struct mxw__outbound_account account_of(const mxw_session_t *s)
{
	return (struct mxw__outbound_account){s->engine, &s->snapshot->conf->outbound, &s->outbound.who, &s->env.client};
}

static bool is_exempt(const mxw_session_t *s)
{
	struct mxw__outbound_account account = account_of(s);

	return mxw__outbound_is_exempt(&account);
}

static struct mxw__rate_conf quota_of(const mxw_session_t *s, mxw__quota_t what)
{
	struct mxw__outbound_account account = account_of(s);

	return mxw__outbound_quota(&account, what);
}

/* ---- counting ---- */

static void charge(mxw_session_t *s, mxw__quota_t what)
{
	struct mxw__rate_conf quota = quota_of(s, what);
	struct mxw__rate rate = mxw__outbound_bucket(&quota, what);

	if (quota.count)
		mxw__rates_charge(s->engine->rates, &rate, &s->outbound.who, 1, mxw__now_ms(&s->engine->clock));
}

static void add_different(mxw_session_t *s, mxw__quota_t what, const char *thing)
{
	struct mxw__rate_conf quota = quota_of(s, what);
	struct mxw__outbound_counted key = {(uint64_t)what, s->outbound.who};
	mxw__distinct_t *different = s->engine->outbound->different;

	if (!quota.count)
		return;
	mxw__distinct_add(different, &key, sizeof key, (uint32_t)mxw__distinct_hash(different, thing),
			  mxw__now_ms(&s->engine->clock), quota.window_ms);
	mxw__unions_add(s->engine->outbound->all, &s->outbound.who, mxw__outbound_kind(what), thing, quota.window_ms);
}

/* IPv4 /24; of IPv6 a /48, which is what one site or provider's customer has. */
static void add_network(mxw_session_t *s)
{
	struct mxw__key network = mxw__key_of_ip(s->env.client.family == 6 ? MXW__KEY_WIDE : MXW__KEY_NETWORK, &s->env.client);
	char text[MXW__KEY_TEXT_MAX];

	if (network.kind != MXW__KEY_NONE)
		add_different(s, MXW__QUOTA_NETWORKS, mxw__key_text(&network, text));
}

static void count(mxw_session_t *s, mxw_stage_t stage)
{
	if (stage == MXW_STAGE_MAIL) {
		charge(s, MXW__QUOTA_MESSAGES);
		if (is_user(s))
			add_network(s);
	} else if (stage == MXW_STAGE_RCPT) {
		charge(s, MXW__QUOTA_RCPTS);
		add_different(s, MXW__QUOTA_DIFFERENT_RCPTS, s->env.rcpt_is_valid ? s->env.rcpt.key_text : s->env.rcpt_path);
	}
}

static void count_fate(mxw_session_t *s, bool has_failed)
{
	mxw__table_t *shares = s->engine->outbound->shares;
	int64_t now_ms = mxw__now_ms(&s->engine->clock);

	if (has_failed)
		mxw__table_add(shares, &s->outbound.who, MXW__EVENT_UNKNOWN_RCPT, 1, 1, now_ms);
	else
		mxw__table_add_good(shares, &s->outbound.who, 1, now_ms);
}

/* ---- how far it has gone ---- */

static mxw__outbound_stage_t stage_of(const mxw_session_t *s, double percent)
{
	const struct mxw__outbound_conf *o = &s->snapshot->conf->outbound;
	int stage = MXW__OUTBOUND_SUSPENDED;

	/* A bucket's level is less than whole by some nanoseconds. */
	while (stage > MXW__OUTBOUND_OK && (!o->percent[stage] || percent + 0.001 < (double)o->percent[stage]))
		stage--;
	if (!is_user(s) && stage > (int)o->host_stage)
		stage = (int)o->host_stage;
	return (mxw__outbound_stage_t)stage;
}

/* "messages 400, quota 200/1h" */
static void describe(char *ret_text, size_t size, mxw__quota_t what, double used, const struct mxw__rate_conf *quota)
{
	if (what == MXW__QUOTA_UNKNOWN_SHARE)
		snprintf(ret_text, size, "%s %.0f%%, quota %" PRIu64 "%%", mxw__quota_name(what), used, quota->count);
	else
		snprintf(ret_text, size, "%s %.0f, quota %" PRIu64 " in %" PRIu64 "s", mxw__quota_name(what), used, quota->count,
			 quota->window_ms / 1000);
}

static void add_account(struct mxw__buf *line, const struct mxw__key *who)
{
	char account[MXW__KEY_TEXT_MAX];

	mxw__key_text(who, account);
	mxw__buf_adds(line, " account=");
	mxw__buf_add_logvalue(line, account, strlen(account), sizeof account);
}

/* Once an hour for each account and stage. */
static void log_stage(mxw_session_t *s, mxw__outbound_stage_t stage, const char *reason)
{
	char account[MXW__KEY_TEXT_MAX], key[MXW__KEY_TEXT_MAX + 40];
	struct mxw__buf line;

	snprintf(key, sizeof key, "outbound %s %s", stage_words[stage], mxw__key_text(&s->outbound.who, account));
	mxw__buf_init(&line, 1000);
	mxw__buf_adds(&line, "event=outbound");
	add_account(&line, &s->outbound.who);
	mxw__buf_addf(&line, " outbound=%s reason=\"%s\" session=%s", stage_words[stage], reason, s->id);
	mxw__engine_warn(s->engine, key, mxw__buf_str(&line));
	mxw__buf_fini(&line);
}

static void evaluate(mxw_session_t *s)
{
	struct mxw__outbound_session *out = &s->outbound;
	struct mxw__outbound_account account = account_of(s);
	char reason[MXW__ACCOUNT_REASON_MAX];

	for (int i = 0; i < MXW__QUOTA_KINDS; i++) {
		mxw__quota_t what = (mxw__quota_t)i;
		struct mxw__rate_conf quota = quota_of(s, what);
		double n = mxw__outbound_used(&account, what, &quota);
		mxw__outbound_stage_t stage = quota.count ? stage_of(s, 100 * n / (double)quota.count) : MXW__OUTBOUND_OK;
		if (stage == MXW__OUTBOUND_OK)
			continue;
		out->passed |= 1u << i;
		describe(reason, sizeof reason, what, n, &quota);
		if (stage > out->stage && (stage < MXW__OUTBOUND_SUSPENDED || s->snapshot->conf->observe))
			log_stage(s, stage, reason);
		if (stage > out->stage)
			out->stage = stage;
		/* Where nothing is refused, nobody is suspended. */
		if (stage == MXW__OUTBOUND_SUSPENDED && !s->snapshot->conf->observe) {
			mxw__outbound_suspend_by_quota(s->engine, s->snapshot->conf, &out->who, reason);
			return;
		}
	}
}

static void state(mxw_session_t *s)
{
	mxw_facts_set(s->facts, MXW__FACT_OUTBOUND, stage_words[s->outbound.stage]);
	if (mxw_facts_has(s->facts, MXW__FACT_OUTBOUND_QUOTA))
		mxw__facts_forget(s->facts, MXW__FACT_OUTBOUND_QUOTA);
	for (int i = 0; i < MXW__QUOTA_KINDS; i++)
		if (s->outbound.passed >> i & 1)
			mxw_facts_set(s->facts, MXW__FACT_OUTBOUND_QUOTA, mxw__quota_name((mxw__quota_t)i));
}

/* What other hosts have counted of the account. */
static void wants(mxw_session_t *s, mxw_stage_t stage, struct mxw__wants *wants)
{
	static const char *const rates[] = {MXW__OUTBOUND_RATE_MESSAGES, MXW__OUTBOUND_RATE_RCPTS};
	static const mxw__quota_t different[] = {MXW__QUOTA_DIFFERENT_RCPTS, MXW__QUOTA_NETWORKS};
	char key[MXW__STATE_KEY_MAX];

	if (stage != MXW_STAGE_MAIL || !s->snapshot->conf->outbound.enabled)
		return;
	s->outbound = (struct mxw__outbound_session){.who = find_who(s)};
	if (s->outbound.who.kind == MXW__KEY_NONE || is_exempt(s))
		return;
	for (size_t i = 0; i < MXW_ARRAY_LEN(rates); i++) {
		mxw__rates_record_key(rates[i], &s->outbound.who, key);
		mxw__wants_add(wants, &mxw__rates_sort, key);
	}
	mxw__wants_add(wants, &mxw__table_failed_sort, mxw__key_text(&s->outbound.who, key));
	mxw__wants_add(wants, &mxw__table_taken_sort, key);
	for (size_t i = 0; i < MXW_ARRAY_LEN(different); i++) {
		struct mxw__rate_conf quota = quota_of(s, different[i]);
		for (unsigned back = 0; quota.count && back < MXW__UNIONS_QUARTERS; back++) {
			mxw__unions_record_key(s->engine->outbound->all, &s->outbound.who, mxw__outbound_kind(different[i]),
					       quota.window_ms, back, key);
			mxw__wants_add(wants, &mxw__unions_sort, key);
		}
	}
}

static bool is_counted(const mxw_session_t *s)
{
	return s->outbound.who.kind != MXW__KEY_NONE && s->outbound.stage < MXW__OUTBOUND_SUSPENDED &&
	       s->snapshot->conf->outbound.enabled && !is_exempt(s);
}

static void before(mxw_session_t *s, mxw_stage_t stage)
{
	if (stage < MXW_STAGE_MAIL)
		return;
	if (stage == MXW_STAGE_MAIL)
		s->outbound = (struct mxw__outbound_session){.who = find_who(s)};
	if (s->outbound.who.kind == MXW__KEY_NONE)
		return;
	/* By another session, another host, or by hand. */
	if (mxw__accounts_find(s->engine->accounts, &s->outbound.who, NULL))
		s->outbound.stage = MXW__OUTBOUND_SUSPENDED;
	if (is_counted(s)) {
		count(s, stage);
		evaluate(s);
	}
	state(s);
}

static void after(mxw_session_t *s, mxw_stage_t stage)
{
	const char *rcpt = mxw_facts_get(s->facts, MXW__FACT_RCPT);
	bool is_deferred = s->env.rcpt_refused_by_mta && s->env.rcpt_deferred_by_mta;

	if (stage == MXW_STAGE_RCPT && !is_deferred && is_counted(s))
		count_fate(s, s->env.rcpt_refused_by_mta || (rcpt && strcmp(rcpt, "unknown") == 0));
}

const struct mxw__part mxw__part_outbound = {
	.name = "outbound",
	.make = make,
	.free = free_all,
	.states = states,
	.wants = wants,
	.before = before,
	.after = after,
};
