/* SPDX-License-Identifier: BSD-2-Clause */
/* authres.c: Authentication-Results fields that claim to be ours. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/authres.h"
#include "src/check/check.h"

/* Far more than any MTA lets through; the default policy refuses such a message long before. */
enum { FORGED_MAX = 16384 };

static bool is_enabled(const struct mxw_conf *conf)
{
	return conf->auth.add_results;
}

static void remember(struct mxw__envelope *env, unsigned index)
{
	size_t n = env->nforged_authres;

	/* Grows at powers of two, so that one forged field costs one small allocation. */
	if (n == FORGED_MAX)
		return;
	if ((n & (n - 1)) == 0) {
		unsigned *more = realloc(env->forged_authres, (n ? 2 * n : 1) * sizeof *more);
		if (!more)
			return;
		env->forged_authres = more;
	}
	env->forged_authres[n] = index;
	env->nforged_authres++;
}

static void header(struct mxw__check_ctx *ctx, const char *name, const char *value)
{
	if (mxw__ascii_casecmp(name, "Authentication-Results") != 0)
		return;
	mxw__arena_t *scratch = mxw__arena_new(8192);
	ctx->env->nauthres++;
	if (!scratch || mxw__authres_is_forged(scratch, value, ctx->conf->authserv_id))
		remember(ctx->env, ctx->env->nauthres);
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
