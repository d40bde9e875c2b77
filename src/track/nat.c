/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>

#include "src/track/distinct.h"
#include "src/track/nat.h"

enum { ENTRIES = 1024 };

struct mxw__nat {
	mxw__distinct_t *names;
};

mxw_status_t mxw__nat_new(mxw__nat_t **ret_nat)
{
	mxw__nat_t *nat = calloc(1, sizeof *nat);

	if (!nat)
		return MXW_ERR_NOMEM;
	if (mxw__distinct_new(ENTRIES, &nat->names) != MXW_OK) {
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
	mxw__distinct_free(nat->names);
	free(nat);
}

void mxw__nat_add(mxw__nat_t *nat, const struct mxw_ip *client, const char *name, int64_t now_ms, uint64_t window_ms)
{
	mxw__distinct_add(nat->names, client, sizeof *client, (uint32_t)mxw__distinct_hash(nat->names, name), now_ms, window_ms);
}

uint64_t mxw__nat_count(mxw__nat_t *nat, const struct mxw_ip *client, int64_t now_ms, uint64_t window_ms)
{
	return mxw__distinct_count(nat->names, client, sizeof *client, now_ms, window_ms);
}
