/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spread.h: is the site harvested by many at once, each of whom guesses so little that it shows nowhere else? Counted is what comes
 * from networks of which no good is known: how many different recipients that do not exist they have tried in the last window,
 * from how many networks, and how much of all that they tried this is.
 *
 * Who may call: session.
 * Threads: any; one mutex, held for the counting only.
 * Memory:  5 KiB.
 */
#ifndef MXW_SRC_TRACK_SPREAD_H
#define MXW_SRC_TRACK_SPREAD_H

#include "src/base/base.h"

typedef struct mxw__spread mxw__spread_t;

struct mxw__spread_counts {
	uint64_t guesses;  /* different ones, as exact as sketch.h says */
	uint64_t networks; /* that guessed */
	unsigned share;    /* percent of the recipients tried that do not exist, each counted as it decays by half in a window */
};

mxw_status_t mxw__spread_new(mxw__spread_t **ret_spread);
void mxw__spread_free(mxw__spread_t *spread);

/* A recipient was tried, whatever it is; times are monotonic. */
void mxw__spread_try(mxw__spread_t *spread, int64_t now_ms, uint64_t window_ms);
/* It does not exist. Text and network are octets of any kind. */
void mxw__spread_guess(mxw__spread_t *spread, const void *network, size_t network_len, const char *rcpt, int64_t now_ms,
		       uint64_t window_ms);
/*
 * The same, of a network or client that guesses so much that it is seen by itself: as long as it goes on it counts with some guesses, no
 * more, whatever it tries.
 */
void mxw__spread_guess_more(mxw__spread_t *spread, const void *network, size_t network_len, const char *rcpt, int64_t now_ms,
			    uint64_t window_ms);
void mxw__spread_count(mxw__spread_t *spread, int64_t now_ms, uint64_t window_ms, struct mxw__spread_counts *ret_counts);

#endif
