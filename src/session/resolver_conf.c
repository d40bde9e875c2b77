/* SPDX-License-Identifier: BSD-2-Clause */
/* resolver_conf.c: what the section resolver means to the resolver, and whether two configurations mean the same. */
#include "config.h"

#include <string.h>

#include "src/session/engine.h"

/* Every client is looked for in the block lists: their zones have no limit. */
static const char **unlimited_zones(const struct mxw_conf *conf, size_t *ret_n)
{
	const struct mxw__strings *own = &conf->resolver.unlimited_zones;
	const char **zones = mxw__calloc(own->n + conf->ndnsbls + 1, sizeof *zones);

	for (size_t i = 0; zones && i < own->n; i++)
		zones[i] = own->v[i];
	for (size_t i = 0; zones && i < conf->ndnsbls; i++)
		zones[own->n + i] = conf->dnsbls[i].zone;
	*ret_n = own->n + conf->ndnsbls;
	return zones;
}

const char **mxw__resolver_options_of(const struct mxw_conf *conf, struct mxw_resolver_options *ret_options)
{
	const struct mxw__resolver_conf *rc = &conf->resolver;

	*ret_options = (struct mxw_resolver_options){
		.size = sizeof *ret_options,
		.forward = rc->forward.v,
		.nforward = rc->forward.n,
		.from_root = rc->from_root,
		.local_only = rc->local_only,
		.local_data = rc->local_data.v,
		.nlocal_data = rc->local_data.n,
		.timeout_ms = (unsigned)rc->timeout_ms,
		.max_open = (unsigned)rc->max_open,
		.cache_entries = (unsigned)rc->cache_entries,
		.client_rate = (unsigned)rc->client_rate,
		.client_burst = (unsigned)rc->client_burst,
		.zone_rate = (unsigned)rc->zone_rate,
		.zone_burst = (unsigned)rc->zone_burst,
		.positive_max_s = (unsigned)(rc->positive_max_ms / 1000),
		.negative_max_s = (unsigned)(rc->negative_max_ms / 1000),
		.failure_max_s = (unsigned)(rc->failure_max_ms / 1000),
		.trust_anchor_file = *rc->trust_anchor_file ? rc->trust_anchor_file : NULL,
	};
	const char **zones = unlimited_zones(conf, &ret_options->nunlimited_zones);
	ret_options->unlimited_zones = zones;
	return zones;
}

static bool same_strings(const struct mxw__strings *a, const struct mxw__strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

static bool same_limits(const struct mxw__resolver_conf *a, const struct mxw__resolver_conf *b)
{
	return a->timeout_ms == b->timeout_ms && a->max_open == b->max_open && a->cache_entries == b->cache_entries &&
	       a->client_rate == b->client_rate && a->client_burst == b->client_burst && a->zone_rate == b->zone_rate &&
	       a->zone_burst == b->zone_burst && same_strings(&a->unlimited_zones, &b->unlimited_zones) &&
	       a->positive_max_ms == b->positive_max_ms && a->negative_max_ms == b->negative_max_ms &&
	       a->failure_max_ms == b->failure_max_ms;
}

/* Files may have changed on disk, so a resolver that has read some is made anew with every reload. */
static bool has_files(const struct mxw__resolver_conf *conf)
{
	return conf->local_data.n > 0 || *conf->trust_anchor_file;
}

static bool same_dnsbls(const struct mxw_conf *a, const struct mxw_conf *b)
{
	if (a->ndnsbls != b->ndnsbls)
		return false;
	for (size_t i = 0; i < a->ndnsbls; i++)
		if (strcmp(a->dnsbls[i].zone, b->dnsbls[i].zone) != 0)
			return false;
	return true;
}

bool mxw__same_resolver(const struct mxw_conf *conf_a, const struct mxw_conf *conf_b)
{
	const struct mxw__resolver_conf *a = &conf_a->resolver, *b = &conf_b->resolver;

	return same_dnsbls(conf_a, conf_b) && same_strings(&a->forward, &b->forward) && !has_files(a) && !has_files(b) &&
	       a->from_root == b->from_root && a->local_only == b->local_only && same_limits(a, b);
}
