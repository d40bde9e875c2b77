/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile.h: an MTA gone mad: any order of steps, broken and oversized packets, connections cut anywhere.
 *
 * Threads: no state but the caller's.
 */
#ifndef MXW_T_BENCH_HOSTILE_H
#define MXW_T_BENCH_HOSTILE_H

#include <stdint.h>

#include "t/bench/proto.h"
#include "t/bench/scenario.h"

/* How the session ends after its packets were sent. */
enum mload_hostile_end {
	MLOAD_HOSTILE_CUT,   /* at once, replies unread */
	MLOAD_HOSTILE_WAIT,  /* says nothing more and waits for the milter to close */
	MLOAD_HOSTILE_LINGER /* is silent for a while with everything open, then cuts */
};

/* Writes a whole session into `out`, other for each `state`. */
enum mload_hostile_end mload_hostile_fill(struct mload_buf *out, const struct mload_row *row, uint64_t *state);

#endif
