/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_clock.h: a clock that stands still until a test moves it, or somebody sleeps on it: then it jumps there.
 *
 * Threads: may be read and moved from any thread.
 */
#ifndef MXW_T_FAKES_FAKE_CLOCK_H
#define MXW_T_FAKES_FAKE_CLOCK_H

#include <stdatomic.h>

#include <mxward/clock.h>

struct fake_clock {
	struct mxw_clock clock; /* hand out &fake.clock */
	_Atomic int64_t mono_ms;
	_Atomic int64_t wall_ms;
};

/* Starts at monotonic 1,000,000 ms and 2026-01-01 00:00:00 UTC. */
void fake_clock_init(struct fake_clock *fake);
void fake_clock_advance(struct fake_clock *fake, int64_t ms);

#endif
