/* SPDX-License-Identifier: BSD-2-Clause */
/* outbound_accounts.c: accounts that are suspended, by a quota or by hand. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/journal/store.h"
#include "src/session/engine.h"
#include "src/session/outbound.h"

static bool parse_account(const char *user, struct mxw__key *ret_key)
{
	struct mxw__key key;

	if (!mxw__key_parse(user, &key))
		key = mxw__key_of_name(MXW__KEY_USER, user);
	*ret_key = key;
	return key.kind == MXW__KEY_USER || key.kind == MXW__KEY_ADDRESS;
}

static void log_account(mxw_engine_t *engine, const char *event, const struct mxw__key *key, const char *author, const char *reason)
{
	char account[MXW__KEY_TEXT_MAX];
	struct mxw__buf line;

	mxw__buf_init(&line, 2000);
	mxw__buf_addf(&line, "event=%s account=", event);
	mxw__key_text(key, account);
	mxw__buf_add_logvalue(&line, account, strlen(account), sizeof account);
	mxw__buf_adds(&line, " author=");
	mxw__buf_add_logvalue(&line, author, strlen(author), MXW__ACCOUNT_AUTHOR_MAX);
	if (reason) {
		mxw__buf_adds(&line, " reason=");
		mxw__buf_add_logvalue(&line, reason, strlen(reason), MXW__ACCOUNT_REASON_MAX);
	}
	mxw__engine_log(engine, MXW_LEVEL_WARNING, mxw__buf_str(&line));
	mxw__buf_fini(&line);
}

/* Who is suspended stays so when the power goes off now, not in some seconds. */
static void keep_soon(mxw_engine_t *engine)
{
	if (engine->store)
		mxw__store_wake(engine->store);
}

/* Other hosts hear of the recipients that did not fail as of so many fewer. */
static void forget_shares(mxw__table_t *shares, const struct mxw__key *who, int64_t now_ms)
{
	struct mxw__standing standing;

	mxw__table_forgive(shares, who, now_ms);
	if (mxw__table_get(shares, who, now_ms, &standing) && standing.good > 0)
		mxw__table_add_good(shares, who, -standing.good, now_ms);
}

void mxw__outbound_forget(mxw_engine_t *engine, const struct mxw__key *who)
{
	static const char *const names[] = {MXW__OUTBOUND_RATE_MESSAGES, MXW__OUTBOUND_RATE_RCPTS};
	static const mxw__quota_t different[] = {MXW__QUOTA_DIFFERENT_RCPTS, MXW__QUOTA_NETWORKS};
	int64_t now_ms = mxw__now_ms(&engine->clock);

	for (size_t i = 0; i < MXW_ARRAY_LEN(names); i++) {
		struct mxw__rate rate = {mxw__rate_id(names[i]), 1, 1, 1};
		mxw__rates_forgive(engine->rates, &rate, who, now_ms);
	}
	for (size_t i = 0; i < MXW_ARRAY_LEN(different); i++) {
		struct mxw__outbound_counted key = {(uint64_t)different[i], *who};
		mxw__distinct_forget(engine->outbound->different, &key, sizeof key);
	}
	mxw__unions_forget(engine->outbound->all, who);
	forget_shares(engine->outbound->shares, who, now_ms);
}

static void tell(mxw_engine_t *engine, mxw_conf_t *conf, const struct mxw__key *who)
{
	struct mxw__notice notice = {0};

	if (!mxw__accounts_find(engine->accounts, who, &notice.account))
		return;
	if ((conf->outbound.notice_command.n || conf->outbound.notice_mail[0]) && !mxw__notifier_send(engine->outbound->notifier, conf, &notice))
		mxw__engine_warn(engine, "notifier", "event=outbound text=\"too many notices wait: one is left out\"");
}

void mxw__outbound_suspend_by_quota(mxw_engine_t *engine, mxw_conf_t *conf, const struct mxw__key *who, const char *reason)
{
	bool is_new = false;
	mxw_status_t status = mxw__accounts_suspend(engine->accounts, who, reason, "mxward", conf->outbound.suspend_for_ms, &is_new);

	if (status != MXW_OK) {
		mxw__engine_warn(engine, "accounts", "event=outbound text=\"an account can't be remembered as suspended: there are too many\"");
		return;
	}
	if (!is_new)
		return;
	log_account(engine, "suspended", who, "mxward", reason);
	keep_soon(engine);
	/* Nothing is counted while it is suspended; what was before must not suspend it again when that is over. */
	mxw__outbound_forget(engine, who);
	tell(engine, conf, who);
}

mxw_status_t mxw__outbound_suspend(mxw_engine_t *engine, const char *user, const char *reason, const char *author, int64_t until_ms)
{
	int64_t wall_ms = engine->clock.wall_ms(engine->clock.ctx);
	struct mxw__key key;

	if (!parse_account(user, &key) || (until_ms && until_ms <= wall_ms))
		return MXW_ERR_INVALID;
	mxw_status_t status = mxw__accounts_suspend(engine->accounts, &key, reason, author,
						    until_ms ? (uint64_t)(until_ms - wall_ms) : 0, NULL);
	if (status == MXW_OK) {
		log_account(engine, "suspended", &key, author, reason);
		keep_soon(engine);
	}
	return status;
}

bool mxw__outbound_resume(mxw_engine_t *engine, const char *user, const char *author)
{
	struct mxw__key key;

	if (!parse_account(user, &key) || !mxw__accounts_resume(engine->accounts, &key, author))
		return false;
	mxw__outbound_forget(engine, &key);
	log_account(engine, "resumed", &key, author, NULL);
	keep_soon(engine);
	return true;
}

bool mxw__outbound_each(mxw_engine_t *engine, void (*visit)(void *ctx, const struct mxw__account *account), void *ctx)
{
	return mxw__accounts_each(engine->accounts, visit, ctx);
}
