/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/track/harvest.h"
#include "src/track/nat.h"

enum { ENTRIES = 2048 }; /* two for each address */

struct mxw__nat {
	struct mxw__hashkey key; /* immutable */
	mxw__harvest_t *names;
};

mxw_status_t mxw__nat_new(mxw__nat_t **ret_nat)
{
	mxw__nat_t *nat = calloc(1, sizeof *nat);

	if (!nat)
		return MXW_ERR_NOMEM;
	mxw__hashkey_random(&nat->key);
	if (mxw__harvest_new(ENTRIES, &nat->names) != MXW_OK) {
		free(nat);
		return MXW_ERR_NOMEM;
	}
	*ret_nat = nat;
	return MXW_OK;
}

void mxw__nat_free(mxw__nat_t *nat)
{
	if (!nat)
		return;
	mxw__harvest_free(nat->names);
	free(nat);
}

/* The first half of an IPv6 address is what harvest.c goes by: the whole of it is put in there. */
static struct mxw_ip whole(const mxw__nat_t *nat, const struct mxw_ip *client)
{
	struct mxw_ip ip = *client;

	if (ip.family == 6) {
		uint64_t hash = mxw__hash(&nat->key, client->bytes, sizeof client->bytes);
		memcpy(ip.bytes, &hash, sizeof hash);
	}
	return ip;
}

void mxw__nat_add(mxw__nat_t *nat, const struct mxw_ip *client, const char *name, int64_t now_ms, uint64_t window_ms)
{
	struct mxw_ip ip = whole(nat, client);

	mxw__harvest_add(nat->names, &ip, name, now_ms, window_ms);
}

uint64_t mxw__nat_count(mxw__nat_t *nat, const struct mxw_ip *client, int64_t now_ms, uint64_t window_ms)
{
	struct mxw_ip ip = whole(nat, client);
	struct mxw__harvest_counts counts;

	mxw__harvest_count(nat->names, &ip, now_ms, window_ms, &counts);
	return counts.client;
}
