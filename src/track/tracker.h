/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracker.h: what each client has done, as one score that decays.
 *
 * A key is an IPv4 address or an IPv6 /64. The score is kept as a number and the time of its last change; reading it
 * halves it for each half-life gone by, so nothing has to run in the background.
 *
 * Who may call: session.
 * Threads: any; the table is sharded, each shard has one mutex, held for the look-up only. Nothing else is locked under it.
 * Memory:  bounded by max_entries; under pressure the entry least worth keeping of a few candidates (lowest score now) goes.
 */
#ifndef MXW_SRC_TRACK_TRACKER_H
#define MXW_SRC_TRACK_TRACKER_H

#include "src/base/base.h"

typedef struct mxw__tracker mxw__tracker_t;

struct mxw__tracker_stats {
	uint64_t entries;
	uint64_t evictions;
};

mxw_status_t mxw__tracker_new(size_t max_entries, mxw__tracker_t **ret_tracker);
void mxw__tracker_free(mxw__tracker_t *tracker);

/* Adds points at the time `now_ms` (monotonic; a time before the last change counts as that time). Returns the score after it. */
uint64_t mxw__tracker_add(mxw__tracker_t *tracker, const struct mxw_ip *client, uint64_t points, int64_t now_ms,
			  uint64_t half_life_ms);
/* The score now; 0 for a client that is not known. */
uint64_t mxw__tracker_score(mxw__tracker_t *tracker, const struct mxw_ip *client, int64_t now_ms, uint64_t half_life_ms);
void mxw__tracker_get_stats(mxw__tracker_t *tracker, struct mxw__tracker_stats *ret_stats);

#endif
