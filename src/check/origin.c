/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * origin.c: who stands behind a trusted relay: the client that it wrote down in its Received field.
 *
 * The topmost field that we are shown is the client's own: a mail server keeps the one it adds itself from its milters. If the client is a
 * relay of ours, its word counts, and if that names another relay of ours, the next field is that one's, and so on. A relay's
 * loopback address is the relay itself (a content filter on it), and as good. The first field that can't be read ends it:
 * what is below may be anybody's.
 *
 * Where the relay says that its client had logged in, or that it was a host inside, there is no address whose
 * reputation or right to send says anything: then there is no origin, as for our own users.
 */
#include "config.h"

#include <string.h>

#include "src/check/check.h"
#include "src/mail/received.h"

enum { HOPS_MAX = 10 };

static void settle(struct mxw__check_ctx *ctx, mxw__origin_t origin)
{
	ctx->origin.is_over = true;
	ctx->origin.origin = origin;
}

/* The client that the relay had it from, if it is one whose behaviour counts. */
static void take(struct mxw__check_ctx *ctx, const struct mxw__received *r, mxw__client_class_t class)
{
	struct mxw__envelope *env = ctx->env;
	const char *helo = mxw__arena_strdup(ctx->message_arena, r->helo);
	const char *name = mxw__arena_strdup(ctx->message_arena, r->name);

	ctx->origin.address = r->address;
	if (r->is_authenticated) {
		settle(ctx, MXW__ORIGIN_USER);
		return;
	}
	if (class == MXW__CLIENT_INTERNAL) {
		settle(ctx, MXW__ORIGIN_INTERNAL);
		return;
	}
	env->origin = r->address;
	env->origin_helo = helo ? helo : "";
	env->origin_name = name ? name : "";
	settle(ctx, MXW__ORIGIN_RECEIVED);
}

static void header(struct mxw__check_ctx *ctx, const char *name, const char *value)
{
	struct mxw__received r;

	if (ctx->env->client_class != MXW__CLIENT_RELAY || ctx->origin.is_over || mxw__ascii_casecmp(name, "Received") != 0)
		return;
	if (ctx->env->header_overflow || ++ctx->origin.hops > HOPS_MAX) {
		settle(ctx, MXW__ORIGIN_UNREADABLE);
		return;
	}
	mxw__received_parse(value, &r);
	if (r.kind == MXW__RECEIVED_QUEUE)
		return;
	if (r.kind == MXW__RECEIVED_UNREADABLE) {
		settle(ctx, MXW__ORIGIN_UNREADABLE);
		return;
	}
	mxw__client_class_t class = mxw__client_classify(ctx->conf, &r.address);
	if (class != MXW__CLIENT_RELAY && mxw__ip_reach(&r.address) != MXW__IP_LOOPBACK)
		take(ctx, &r, class);
}

static void run(struct mxw__check_ctx *ctx)
{
	static const char *const words[] = {
		[MXW__ORIGIN_UNREADABLE] = "unreadable",
		[MXW__ORIGIN_RECEIVED] = "received",
		[MXW__ORIGIN_INTERNAL] = "internal",
		[MXW__ORIGIN_USER] = "user",
	};
	const struct mxw__envelope *env = ctx->env;

	if (env->client_class != MXW__CLIENT_RELAY) {
		mxw_facts_set(ctx->facts, MXW__FACT_ORIGIN, "client");
		if (env->client.family)
			mxw_facts_set_ip(ctx->facts, MXW__FACT_ORIGIN_ADDRESS, &env->client);
		return;
	}
	mxw_facts_set(ctx->facts, MXW__FACT_ORIGIN, words[ctx->origin.origin]);
	if (ctx->origin.address.family)
		mxw_facts_set_ip(ctx->facts, MXW__FACT_ORIGIN_ADDRESS, &ctx->origin.address);
}

static void reset(struct mxw__check_ctx *ctx)
{
	ctx->origin = (struct mxw__origin_walk){0};
}

static const mxw_fact_id_t facts[] = {MXW__FACT_ORIGIN, MXW__FACT_ORIGIN_ADDRESS};

const struct mxw__check mxw__check_origin = {
	.name = "origin",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.run = run,
	.header = header,
	.reset = reset,
};
