/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * share.c: asks other hosts for what they know of those whom a step of the session is about, before anybody looks at it. Keys of scores
 * are named here; each other part names its own.
 */
#include "config.h"

#include <string.h>

#include "src/session/engine.h"
#include "src/share/share.h"

static void notice(void *ctx, const char *text)
{
	struct mxw__buf line;

	mxw__buf_init(&line, 1024);
	mxw__buf_adds(&line, "event=share text=");
	mxw__buf_add_logvalue(&line, text, strlen(text), 800);
	mxw__engine_log(ctx, MXW_LEVEL_WARNING, mxw__buf_str(&line));
	mxw__buf_fini(&line);
}

static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	struct mxw__state states[MXW__STATE_SORTS_MAX];
	struct mxw__share_env env = {
		.clock = &engine->clock,
		.notice = notice,
		.notice_ctx = engine,
		.states = states,
		.nstates = mxw__parts_states(engine, states),
	};
	mxw_status_t status = mxw__share_new(&env, &conf->redis, &engine->share);

	return status == MXW_OK ? status : mxw__fail(err, status, "sharing through Redis can't begin: no memory, or no thread to be had");
}

static void configure(mxw_engine_t *engine, const struct mxw_conf *conf)
{
	if (mxw__share_configure(engine->share, &conf->redis) != MXW_OK)
		notice(engine, "no memory, or no thread to be had, for the new settings; sharing goes on as before");
}

static void free_all(mxw_engine_t *engine)
{
	if (engine->share)
		mxw__report_share(engine);
	mxw__share_free(engine->share);
}

static void want_score(mxw_session_t *s, struct mxw__wants *wants, struct mxw__key key)
{
	char text[MXW__KEY_TEXT_MAX];

	if (!(s->snapshot->conf->tracker.key_kinds >> key.kind & 1))
		return;
	mxw__wants_add(wants, &mxw__table_sort, mxw__key_text(&key, text));
	mxw__wants_add(wants, &mxw__table_good_sort, text);
}

/* Only strangers are judged by what was done before; of others there is nothing to be known. */
static void want_scores(mxw_session_t *s, mxw_stage_t stage, struct mxw__wants *wants)
{
	const struct mxw__envelope *env = &s->env;

	if (stage == MXW_STAGE_MAIL && *env->auth_user)
		want_score(s, wants, mxw__key_of_name(MXW__KEY_USER, env->auth_user));
	if (!mxw__session_is_stranger(s))
		return;
	if (stage == MXW_STAGE_CONNECT)
		for (mxw__key_kind_t kind = MXW__KEY_ADDRESS; kind <= MXW__KEY_WIDE; kind++)
			want_score(s, wants, mxw__key_of_ip(kind, &env->client));
	if (stage == MXW_STAGE_HELO)
		want_score(s, wants, mxw__key_of_name(MXW__KEY_HELO, env->helo));
	if (stage == MXW_STAGE_MAIL && env->sender_is_valid)
		want_score(s, wants, mxw__key_of_name(MXW__KEY_DOMAIN, env->sender.domain));
}

static void before(mxw_session_t *s, mxw_stage_t stage)
{
	struct mxw__wants wants;

	if (!s->snapshot->conf->redis.servers.n)
		return;
	wants.n = 0;
	if (s->snapshot->conf->tracker.enabled)
		want_scores(s, stage, &wants);
	for (size_t i = 0; mxw__parts[i]; i++)
		if (mxw__parts[i]->wants)
			mxw__parts[i]->wants(s, stage, &wants);
	mxw__session_want(s, &wants);
}

void mxw__session_want(mxw_session_t *s, const struct mxw__wants *wants)
{
	mxw__share_want(s->engine->share, wants, &s->share_spent_us);
}

const struct mxw__part mxw__part_share = {
	.name = "share",
	.make = make,
	.configure = configure,
	.free = free_all,
	.before = before,
};
