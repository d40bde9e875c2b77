/* SPDX-License-Identifier: BSD-2-Clause */
/* authres.c: Authentication-Results fields that claim to be ours. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/authres.h"
#include "src/check/check.h"

/* Far more than any MTA lets through; the default policy refuses such a message long before. */
enum { FORGED_MAX = 16384 };

#define NAME "Authentication-Results"

static bool is_enabled(const struct mxw_conf *conf)
{
	return conf->auth.add_results;
}

static void remember(struct mxw__envelope *env, unsigned index)
{
	size_t n = env->nforged_authres;

	/* Grows at powers of two, so that one forged field costs one small allocation. */
	if (n == FORGED_MAX) {
		env->has_lost_authres = true;
		return;
	}
	if ((n & (n - 1)) == 0) {
		unsigned *more = realloc(env->forged_authres, (n ? 2 * n : 1) * sizeof *more);
		if (!more) {
			env->has_lost_authres = true;
			return;
		}
		env->forged_authres = more;
	}
	env->forged_authres[n] = index;
	env->nforged_authres++;
}

/* With the blanks that may stand before the colon (RFC 5322 section 4.5.8): Postfix counts such a field like any other. */
static bool is_authres(const char *name)
{
	size_t len = strlen(name);

	while (len && mxw__ascii_isspace(name[len - 1]))
		len--;
	return len == strlen(NAME) && mxw__ascii_ncasecmp(name, NAME, len) == 0;
}

static void header(struct mxw__check_ctx *ctx, const char *name, const char *value)
{
	struct mxw__envelope *env = ctx->env;

	if (!is_authres(name))
		return;
	mxw__arena_t *scratch = mxw__arena_new(8192);
	env->nauthres++;
	if (!scratch)
		env->has_lost_authres = true;
	else if (mxw__authres_is_forged(scratch, value, ctx->conf->authserv_id))
		remember(env, env->nauthres);
	mxw__arena_free(scratch);
}

static void run(struct mxw__check_ctx *ctx)
{
	mxw_facts_set_number(ctx->facts, MXW__FACT_AUTHRES_FORGED, ctx->env->nforged_authres);
}

static void reset(struct mxw__check_ctx *ctx)
{
	free(ctx->env->forged_authres);
	ctx->env->forged_authres = NULL;
	ctx->env->nforged_authres = 0;
	ctx->env->nauthres = 0;
	ctx->env->has_lost_authres = false;
}

static const mxw_fact_id_t facts[] = {MXW__FACT_AUTHRES_FORGED};

const struct mxw__check mxw__check_authres = {
	.name = "authres",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.is_enabled = is_enabled,
	.run = run,
	.header = header,
	.reset = reset,
};
