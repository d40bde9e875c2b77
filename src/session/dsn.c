/* SPDX-License-Identifier: BSD-2-Clause */
/* dsn.c: what a sender wants to be told of a recipient, in the words in which it said so (RFC 3461). */
#include "config.h"

#include <string.h>

#include "src/session/bounce.h"
#include "src/session/engine.h"

/* ORCPT has 500 octets at most (RFC 3461 section 4.2), behind its name. */
enum { PARAM_MAX = 506 };

static const char *const names[] = {"NOTIFY=", "ORCPT="};

/* The MTA has checked it; it must not become two words, or another line. */
static bool is_named(const char *param, const char *name)
{
	if (mxw__ascii_ncasecmp(param, name, strlen(name)) != 0 || strlen(param) > PARAM_MAX)
		return false;
	for (const char *s = param; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static const char *find(const char *const *params, const char *name)
{
	for (; params && *params; params++)
		if (is_named(*params, name))
			return *params;
	return NULL;
}

const char *mxw__dsn_params(mxw__arena_t *arena, const char *const *params)
{
	const char *notify = find(params, names[0]), *orcpt = find(params, names[1]);

	if (!notify && !orcpt)
		return "";
	return mxw__arena_printf(arena, "%s%s%s", notify ? notify : "", notify && orcpt ? " " : "", orcpt ? orcpt : "");
}
