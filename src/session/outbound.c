/* SPDX-License-Identifier: BSD-2-Clause */
/* outbound.c: quotas of authenticated users and inside hosts; suspended accounts. */
#include "config.h"

#include <string.h>

#include "src/session/engine.h"
#include "src/session/outbound.h"
#include "src/session/part.h"

/* ---- the engine's ---- */

static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	mxw_status_t status = mxw__accounts_new(&engine->clock, &engine->accounts);

	return status == MXW_OK ? status : mxw__fail(err, status, "out of memory");
}

static void free_all(mxw_engine_t *engine)
{
	mxw__accounts_free(engine->accounts);
}

static size_t states(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max)
{
	if (max < 1)
		return 0;
	ret_states[0] = (struct mxw__state){&mxw__accounts_sort, engine->accounts};
	return 1;
}

/* ---- by hand ---- */

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

mxw_status_t mxw__outbound_suspend(mxw_engine_t *engine, const char *user, const char *reason, const char *author, int64_t until_ms)
{
	int64_t wall_ms = engine->clock.wall_ms(engine->clock.ctx);
	struct mxw__key key;

	if (!parse_account(user, &key) || (until_ms && until_ms <= wall_ms))
		return MXW_ERR_INVALID;
	mxw_status_t status = mxw__accounts_suspend(engine->accounts, &key, reason, author,
						    until_ms ? (uint64_t)(until_ms - wall_ms) : 0, NULL);
	if (status == MXW_OK)
		log_account(engine, "suspended", &key, author, reason);
	return status;
}

bool mxw__outbound_resume(mxw_engine_t *engine, const char *user, const char *author)
{
	struct mxw__key key;

	if (!parse_account(user, &key) || !mxw__accounts_resume(engine->accounts, &key, author))
		return false;
	log_account(engine, "resumed", &key, author, NULL);
	return true;
}

bool mxw__outbound_each(mxw_engine_t *engine, void (*visit)(void *ctx, const struct mxw__account *account), void *ctx)
{
	return mxw__accounts_each(engine->accounts, visit, ctx);
}

const struct mxw__part mxw__part_outbound = {
	.name = "outbound",
	.make = make,
	.free = free_all,
	.states = states,
};
