/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h: what is asked through the control socket, and answered. A request is one line of words, the first of which names the
 * command; the answer is lines of NAME=WORD pairs, and at last "ok" or "error" with a word that says why. See mxwardctl(8).
 *
 * Threads: any; what is asked goes to the library's functions, which lock for themselves.
 * Memory:  an answer is bounded by the text's `max`.
 */
#ifndef MXW_MILTER_COMMAND_H
#define MXW_MILTER_COMMAND_H

#include <mxward/track.h>

#include "milter/log.h"
#include "milter/words.h"

struct mwd_command_env {
	mxw_engine_t *engine;
	mwd_log_t *log;   /* is told of changes; may be NULL */
	const char *by;   /* who asks: a name without blanks */
};

/* Does what the line says, which is taken apart for it, and writes the answer. */
void mwd_command_run(const struct mwd_command_env *env, char *line, struct mwd_text *answer);

#endif
