/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notices.h: keeps what a source says of its health, for a test to look at.
 *
 * Threads: may be told and read from any thread.
 */
#ifndef MXW_T_FAKES_NOTICES_H
#define MXW_T_FAKES_NOTICES_H

#include <pthread.h>
#include <stdbool.h>

#include "src/base/base.h"

struct notices {
	pthread_mutex_t lock;
	struct mxw__buf text; /* one line each, "error: " or "warning: " in front */
	unsigned count;
};

void notices_init(struct notices *notices);
void notices_fini(struct notices *notices);
/* A mxw__notice_fn. */
void notices_take(void *ctx, bool is_error, const char *text);
unsigned notices_count(struct notices *notices);
/* Of those, how often `part` is in them: others may be told at any time. */
unsigned notices_count_of(struct notices *notices, const char *part);
bool notices_have(struct notices *notices, const char *part);
/* How often `part` was told. */
unsigned notices_count_of(struct notices *notices, const char *part);
void notices_clear(struct notices *notices);

#endif
