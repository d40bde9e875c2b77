/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "t/fakes/fake_clock.h"

static int64_t read_mono(void *ctx)
{
	struct fake_clock *fake = ctx;
	return atomic_load(&fake->mono_ms);
}

static int64_t read_wall(void *ctx)
{
	struct fake_clock *fake = ctx;
	return atomic_load(&fake->wall_ms);
}

static void sleep_until(void *ctx, int64_t monotonic_ms)
{
	struct fake_clock *fake = ctx;
	int64_t now = atomic_load(&fake->mono_ms);

	while (now < monotonic_ms) {
		if (!atomic_compare_exchange_weak(&fake->mono_ms, &now, monotonic_ms))
			continue;
		atomic_fetch_add(&fake->wall_ms, monotonic_ms - now);
		return;
	}
}

void fake_clock_init(struct fake_clock *fake)
{
	fake->clock = (struct mxw_clock){read_mono, read_wall, fake, sleep_until};
	atomic_init(&fake->mono_ms, 1000000);
	atomic_init(&fake->wall_ms, INT64_C(1767225600000));
}

void fake_clock_advance(struct fake_clock *fake, int64_t ms)
{
	atomic_fetch_add(&fake->mono_ms, ms);
	atomic_fetch_add(&fake->wall_ms, ms);
}
