/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>

#include <mxward/clock.h>

#include "milter/mwd.h"

int mwd_problem_set(struct mwd_problem *problem, int exit_code, const char *fmt, ...)
{
	va_list ap;

	problem->exit_code = exit_code;
	va_start(ap, fmt);
	vsnprintf(problem->text, sizeof problem->text, fmt, ap);
	va_end(ap);
	return exit_code;
}

int64_t mwd_now_ms(void)
{
	const struct mxw_clock *clock = mxw_clock_system();

	return clock->monotonic_ms(clock->ctx);
}
