/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glue.h: libmilter's callbacks, and nothing behind them.
 *
 * Threads: libmilter calls from any of its threads; callbacks of one connection come one at a time, each
 *          perhaps on another thread. A connection's state lies behind smfi_getpriv() only.
 * Memory:  one struct per connection, linked into the gate, freed by xxfi_close or by mwd_glue_end_all().
 * Errors:  every callback answers with a definite status. Callbacks may come in any order, from a peer
 *          that is broken or hostile: a connection is made when the first one comes. Without memory the
 *          answer is "try again", never a refusal.
 */
#ifndef MXW_MILTER_GLUE_H
#define MXW_MILTER_GLUE_H

#include <stdatomic.h>

#include <mxward/session.h>

#include "milter/gate.h"
#include "milter/kick.h"
#include "milter/log.h"
#include "milter/macros.h"

/* What the callbacks work with. One per process, since libmilter has one filter per process. */
struct mwd_glue {
	mxw_engine_t *engine;
	mwd_log_t *log;
	mwd_gate_t gate;
	struct mwd_kicker kicker;
	struct mwd_lacks lacks;
	atomic_uint max_sessions; /* 0: no limit */
	atomic_size_t frame_bytes;
	/* Of all negotiations so far; for connections that begin without one (SMFIC_QUIT_NC). */
	atomic_uint common_needs;
	atomic_ulong last_actions;
	atomic_ulong last_steps;
	_Atomic int64_t full_said_ms;
};

void mwd_glue_init(struct mwd_glue *glue, mwd_log_t *log);
void mwd_glue_fini(struct mwd_glue *glue);
/* Takes limits from the configuration in force. */
void mwd_glue_configure(struct mwd_glue *glue, const struct mxw_daemon_settings *settings);
/* smfi_register(). The glue must live as long as the process serves. */
bool mwd_glue_register(struct mwd_glue *glue);
/* Frees every connection. The gate must be closed and no callback in progress. */
void mwd_glue_end_all(struct mwd_glue *glue);

#endif
