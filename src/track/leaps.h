/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leaps.h: for how long the wall clock has gone evenly, so that one knows what a day it gives is worth.
 *
 * A leap is half a day or more by which the wall clock is elsewhere than what went by says: while mxward runs, the monotonic clock says that;
 * over a stop nothing does, so what lies between the last time that is on disk and the start counts as one, the clock that lost its battery and the
 * machine that was off for a week alike. Which of the times before and after is the right one, nobody knows.
 *
 * What carries a date of ours, good for so long and no longer, and is out of date by a clock that has gone evenly for that long, is out of date
 * by any clock: it was made after the last leap, or is that old.
 *
 * Who may call: session.
 * Threads: any; one mutex, a leaf, held for some instructions.
 * Time:    running time is that of the monotonic clock while mxward runs; a stop adds nothing.
 */
#ifndef MXW_SRC_TRACK_LEAPS_H
#define MXW_SRC_TRACK_LEAPS_H

#include "src/base/base.h"
#include "src/track/state.h"

typedef struct mxw__leaps mxw__leaps_t;

/* No leap is known of, until the disk says otherwise. `clock` is copied. NULL without memory. */
mxw__leaps_t *mxw__leaps_new(const struct mxw_clock *clock);
void mxw__leaps_free(mxw__leaps_t *leaps);
/* Is the time to be kept on disk? Not at first: where nobody asks, no disk is woken for it. */
void mxw__leaps_keep(mxw__leaps_t *leaps, bool is_kept);
/* Running time since the last leap, in milliseconds; of a clock of which none is known, as long as anybody could ask for. Looks at the clocks. */
uint64_t mxw__leaps_calm_ms(mxw__leaps_t *leaps);

/* As a sort of state, "clock", with one record, "wall": fields seen (wall time) and calm (running time since the last leap, by then). */
extern const struct mxw__state_sort mxw__leaps_sort;

#endif
