/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * part.h: a part of the engine that remembers something across sessions: scores, limits, the greylist, accounts. Each is one file (or a
 * few) that ends in one const struct; parts.c names them all.
 *
 * A step of a session walks through them like this. `before` is called when what the client said is known and all checks have run but the
 * one that looks for the recipient: what is counted and stated here can't depend on whether the recipient exists, and
 * holds for concealed recipients as well. `after` is called when all checks have run, and not for concealed recipients, of which nothing may be
 * told. Then the policy decides, and `decided` hears of it. `message` is called once for a message that came to its end,
 * with the final verdict; `aborted` once for one that did not; `close` when the session ends.
 *
 * Threads: calls of one session never overlap; those of the engine (make, configure, free) neither. What sessions share locks for itself.
 * Deadlines: no call waits for a disk or a network, but for `before` of the part that shares, which waits some milliseconds at most.
 */
#ifndef MXW_SRC_SESSION_PART_H
#define MXW_SRC_SESSION_PART_H

#include <mxward/session.h>

#include "src/conf/conf.h"
#include "src/track/state.h"

struct mxw__wants;

struct mxw__part {
	const char *name;
	/* Of the engine. Any of these may be NULL. */
	mxw_status_t (*make)(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err);
	void (*configure)(mxw_engine_t *engine, const struct mxw_conf *conf); /* after a reload */
	void (*free)(mxw_engine_t *engine);
	/* The sorts of state it has, for those who keep and share them; returns how many. */
	size_t (*states)(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max);
	/* Of the session. */
	/* Names the shared records that its `before` and `after` of this stage will look at (share.h); is called before them, where there is sharing. */
	void (*wants)(mxw_session_t *s, mxw_stage_t stage, struct mxw__wants *wants);
	void (*before)(mxw_session_t *s, mxw_stage_t stage);
	void (*after)(mxw_session_t *s, mxw_stage_t stage);
	void (*decided)(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict);
	void (*message)(mxw_session_t *s, const struct mxw_verdict *verdict);
	void (*aborted)(mxw_session_t *s);
	void (*close)(mxw_session_t *s);
};

/* share.c: asks other hosts for what they know, before anybody looks at it. */
extern const struct mxw__part mxw__part_share;
/* track.c: events, scores, good history, guesses. */
extern const struct mxw__part mxw__part_track;
/* backup.c: who came to a backup MX without having tried the primary. */
extern const struct mxw__part mxw__part_backup;
/* rates.c: limits on what clients do in a time. */
extern const struct mxw__part mxw__part_rates;
/* outbound.c: quotas of authenticated users and inside hosts; suspended accounts. */
extern const struct mxw__part mxw__part_outbound;
/* lists.c: local lists with expiry. */
extern const struct mxw__part mxw__part_lists;
/* greylist.c */
extern const struct mxw__part mxw__part_greylist;
/* greylist_client.c: who is known by his address alone, and is patient or has been writing for days. */
extern const struct mxw__part mxw__part_greylist_client;
/* bounce.c: bounces to addresses that our own mail was sent with. */
extern const struct mxw__part mxw__part_bounce;
/* store.c: keeps the state of all the others on disk. */
extern const struct mxw__part mxw__part_store;

/* In the order in which they are called; NULL-terminated. They are made in this order, and freed in the reverse one. */
extern const struct mxw__part *const mxw__parts[];

mxw_status_t mxw__parts_make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err);
void mxw__parts_configure(mxw_engine_t *engine, const struct mxw_conf *conf);
void mxw__parts_free(mxw_engine_t *engine);
/* All sorts of state there are. To be called by `make` of a part that stands behind those that have them. */
size_t mxw__parts_states(mxw_engine_t *engine, struct mxw__state ret_states[MXW__STATE_SORTS_MAX]);

void mxw__parts_before(mxw_session_t *s, mxw_stage_t stage);
void mxw__parts_after(mxw_session_t *s, mxw_stage_t stage);
void mxw__parts_decided(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict);
void mxw__parts_message(mxw_session_t *s, const struct mxw_verdict *verdict);
void mxw__parts_aborted(mxw_session_t *s);
void mxw__parts_close(mxw_session_t *s);

#endif
