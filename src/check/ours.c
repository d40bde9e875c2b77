/* SPDX-License-Identifier: BSD-2-Clause */
/* ours.c: what is this site's own, as more than one check has to know. */
#include "config.h"

#include <string.h>

#include "src/check/check.h"

bool mxw__in_networks(const struct mxw__networks *networks, const struct mxw_ip *ip)
{
	for (size_t i = 0; i < networks->n; i++)
		if (mxw_network_contains(&networks->v[i], ip))
			return true;
	return false;
}

bool mxw__is_our_name(const struct mxw__check_ctx *ctx, const char *name)
{
	char ascii[MXW__DOMAIN_MAX + 1];

	if (mxw__domain_to_ascii(name, strlen(name), ascii) != MXW_OK)
		return false;
	for (size_t i = 0; i < ctx->conf->helo_names.n; i++)
		if (mxw__ascii_casecmp(ctx->conf->helo_names.v[i], ascii) == 0)
			return true;
	return mxw__directories_has_name(ctx->directories, ascii);
}
