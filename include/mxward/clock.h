/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.h: where time comes from.
 *
 * Everything in libmxward that needs the time asks a clock that was handed to it, so that a test
 * can move time by hand. Deadlines are points on the monotonic scale, in milliseconds.
 *
 * Threads: all functions may be called from any thread at any time.
 */
#ifndef MXWARD_CLOCK_H
#define MXWARD_CLOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mxw_clock {
	/* Milliseconds on a scale that never jumps. */
	int64_t (*monotonic_ms)(void *ctx);
	/* Milliseconds since 1970-01-01 UTC; follows corrections of the system's clock. */
	int64_t (*wall_ms)(void *ctx);
	void *ctx;
	/*
	 * Returns when monotonic_ms() has come to this time, at once if it has passed. NULL: this clock can't be waited on;
	 * what would have waited goes on without.
	 */
	void (*sleep_until_ms)(void *ctx, int64_t monotonic_ms);
};

/* The system's clock. Static. */
const struct mxw_clock *mxw_clock_system(void);

#ifdef __cplusplus
}
#endif
#endif
