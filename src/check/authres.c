/* SPDX-License-Identifier: BSD-2-Clause */
/* authres.c: Authentication-Results fields that claim to be ours, and those of others. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/authres.h"
#include "src/check/check.h"

enum {
	/* Far more than any MTA lets through; the default policy refuses such a message long before. */
	REMOVED_MAX = 16384,
	/* Of others; each costs the MTA a search through the whole header. */
	FOREIGN_MAX = 1000,
	/* What is kept of fields that get another name; what is beyond goes without one. */
	RENAMED_FIELD_BYTES = 16 * 1024,
	RENAMED_BYTES = 64 * 1024
};

#define NAME "Authentication-Results"

/* Room for one more; grows at powers of two, so that one forged field costs one small allocation. */
static struct mxw__authres_removal *add_removal(struct mxw__envelope *env)
{
	size_t n = env->nremoved_authres;

	if (n == REMOVED_MAX)
		return NULL;
	if ((n & (n - 1)) == 0) {
		void *more = realloc(env->authres, (n ? 2 * n : 1) * sizeof *env->authres);
		if (!more)
			return NULL;
		env->authres = more;
	}
	env->nremoved_authres++;
	return &env->authres[n];
}

/* The value without CR: an MTA makes the line ends of its own. NULL where it is too long to be kept. */
static char *copy_value(struct mxw__envelope *env, const char *value)
{
	size_t len = strlen(value), n = 0;

	if (len > RENAMED_FIELD_BYTES || len > RENAMED_BYTES - env->renamed_bytes)
		return NULL;
	char *copy = malloc(len + 1);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (value[i] != '\r')
			copy[n++] = value[i];
	copy[n] = '\0';
	env->renamed_bytes += len;
	return copy;
}

static void take_out(struct mxw__envelope *env, const char *new_value)
{
	struct mxw__authres_removal *removal = add_removal(env);

	if (!removal) {
		env->has_lost_authres = true;
		return;
	}
	removal->index = env->nauthres;
	removal->position = env->nfields;
	removal->value = new_value ? copy_value(env, new_value) : NULL;
}

/* With the blanks that may stand before the colon (RFC 5322 section 4.5.8): Postfix counts such a field like any other. */
static bool is_authres(const char *name)
{
	size_t len = strlen(name);

	while (len && mxw__ascii_isspace(name[len - 1]))
		len--;
	return len == strlen(NAME) && mxw__ascii_ncasecmp(name, NAME, len) == 0;
}

/*
 * Whoever the client is, only we write our name. A client from outside must not claim another host of this site either, for
 * programs that trust them all.
 */
static bool is_forged(const struct mxw__check_ctx *ctx, mxw__arena_t *scratch, const char *value)
{
	const struct mxw__strings *names = &ctx->conf->helo_names;

	if (mxw__authres_is_forged(scratch, value, ctx->conf->authserv_id))
		return true;
	for (size_t i = 0; i < names->n && ctx->env->client_class == MXW__CLIENT_OUTSIDE; i++)
		if (mxw__authres_is_of(scratch, value, names->v[i]))
			return true;
	return false;
}

static void header(struct mxw__check_ctx *ctx, const char *name, const char *value)
{
	struct mxw__envelope *env = ctx->env;

	env->nfields++;
	if (!is_authres(name))
		return;
	mxw__arena_t *scratch = mxw__arena_new(8192);
	env->nauthres++;
	if (!scratch) {
		env->has_lost_authres = true;
	} else if (is_forged(ctx, scratch, value)) {
		env->nforged_authres++;
		take_out(env, NULL);
	} else if (ctx->conf->auth.foreign_results != MXW__FOREIGN_KEEP) {
		if (env->nremoved_authres - env->nforged_authres == FOREIGN_MAX)
			env->has_lost_authres = true;
		else
			take_out(env, ctx->conf->auth.foreign_results == MXW__FOREIGN_RENAME ? value : NULL);
	}
	mxw__arena_free(scratch);
}

static void run(struct mxw__check_ctx *ctx)
{
	mxw_facts_set_number(ctx->facts, MXW__FACT_AUTHRES_FORGED, ctx->env->nforged_authres);
}

static void reset(struct mxw__check_ctx *ctx)
{
	struct mxw__envelope *env = ctx->env;

	for (size_t i = 0; i < env->nremoved_authres; i++)
		free(env->authres[i].value);
	free(env->authres);
	env->authres = NULL;
	env->nremoved_authres = env->nforged_authres = env->renamed_bytes = 0;
	env->nfields = env->nauthres = 0;
	env->has_lost_authres = false;
}

static const mxw_fact_id_t facts[] = {MXW__FACT_AUTHRES_FORGED};

const struct mxw__check mxw__check_authres = {
	.name = "authres",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.run = run,
	.header = header,
	.reset = reset,
};
