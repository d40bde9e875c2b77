/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sketch.h: how many different things were seen in the last window, in a fixed and small room.
 *
 * A few are kept one by one, with the time each was last seen: their number is exact. More of them become bits in bitmaps,
 * one for each quarter of the window; their number is estimated from the bits of all quarters that are still inside of it
 * (linear counting: Whang, Vander-Zanden and Taylor 1990). Nothing older than the window ever counts; of what was seen
 * before its last three quarters some may be forgotten already.
 *
 * Who may call: track only.
 * Threads: none of its own; the owner locks.
 */
#ifndef MXW_SRC_TRACK_SKETCH_H
#define MXW_SRC_TRACK_SKETCH_H

#include "src/base/base.h"

enum {
	MXW__SKETCH_SLICES = 4,
	MXW__SKETCH_WORDS = 8,   /* of 64 bits, for one slice */
	MXW__SKETCH_FEW = 32     /* counted exactly; they fill the room of the bitmaps */
};

/* When each slice was begun, in milliseconds; negative: it is empty. */
struct mxw__slices {
	int64_t began_ms[MXW__SKETCH_SLICES];
	unsigned newest;
};

struct mxw__sketch {
	struct mxw__slices slices;
	int64_t epoch_ms;        /* of the times of the few */
	uint16_t nfew;
	bool is_many;
	union {
		struct {
			uint32_t hash;
			uint32_t at_s;
		} few[MXW__SKETCH_FEW];
		uint64_t bits[MXW__SKETCH_SLICES][MXW__SKETCH_WORDS];
	};
};

void mxw__sketch_init(struct mxw__sketch *sketch, int64_t now_ms);
/* Notes one by its hash, of which every bit must be as good as chance. True if it was not seen in the window before. */
bool mxw__sketch_add(struct mxw__sketch *sketch, uint32_t hash, int64_t now_ms, uint64_t window_ms);
/* Was it seen in the window? (With hundreds of them: now and then one is taken for another.) */
bool mxw__sketch_has(const struct mxw__sketch *sketch, uint32_t hash, int64_t now_ms, uint64_t window_ms);
uint64_t mxw__sketch_count(const struct mxw__sketch *sketch, int64_t now_ms, uint64_t window_ms);

/* ---- the parts of it, for a larger one ---- */

void mxw__slices_init(struct mxw__slices *slices);
/* One bit for each slice that lies in the window. */
unsigned mxw__slices_live(const struct mxw__slices *slices, int64_t now_ms, uint64_t window_ms);
/* Begins a new slice if it is time for one; true if `newest` is to be cleared by the caller. */
bool mxw__slices_turn(struct mxw__slices *slices, int64_t now_ms, uint64_t window_ms);
/* What `ones` of `size` bits stand for. */
uint64_t mxw__bits_estimate(uint64_t ones, uint64_t size);

#endif
