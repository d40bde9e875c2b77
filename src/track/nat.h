/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat.h: how many unrelated HELO names came from each internal address in the last window. Hosts of strangers that
 * come through a NAT, a container's bridge or a proxy all have the address of that box, but names of their own.
 *
 * Keys are single addresses, of IPv6, too: a /64 holds a whole office. Only the site's own addresses come here, so strangers can't fill
 * the table.
 *
 * Who may call: session.
 * Threads: any; see harvest.h, which does the counting.
 * Memory:  bounded, under 1 MB; of too many addresses those with the fewest names are forgotten.
 */
#ifndef MXW_SRC_TRACK_NAT_H
#define MXW_SRC_TRACK_NAT_H

#include "src/base/base.h"

typedef struct mxw__nat mxw__nat_t;

mxw_status_t mxw__nat_new(mxw__nat_t **ret_nat);
void mxw__nat_free(mxw__nat_t *nat);

/* Notes a name at the time `now_ms` (monotonic). */
void mxw__nat_add(mxw__nat_t *nat, const struct mxw_ip *client, const char *name, int64_t now_ms, uint64_t window_ms);
/* Exact up to 32. */
uint64_t mxw__nat_count(mxw__nat_t *nat, const struct mxw_ip *client, int64_t now_ms, uint64_t window_ms);

#endif
