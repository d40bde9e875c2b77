/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rates.h: what a session remembers of the limits of the section `rates`. A bit stands for a limit, by its number in the
 * configuration of the session.
 *
 * Who may call: session.
 */
#ifndef MXW_SRC_SESSION_RATES_H
#define MXW_SRC_SESSION_RATES_H

#include <mxward/session.h>

#include "src/conf/conf.h"
#include "src/track/opens.h"
#include "src/track/rates.h"

struct mxw__rates_session {
	uint64_t counted;       /* limits of connections and sessions that have counted this one */
	uint64_t over;          /* of these, those that were passed */
	uint64_t message_over;  /* limits that the current message has passed */
	uint64_t noted;         /* limits whose passing was noted as an event of the client's */
	size_t nheld;
	struct {
		unsigned limit;
		struct mxw__open *open;
	} held[MXW__SESSION_LIMITS_MAX]; /* limits of sessions, to be given back */
};

/* What a limit has counted of a key (of kind NONE: the whole site); see struct mxw_track_limit. */
struct mxw__limit_use {
	double used, max;
	bool is_full;
	int64_t free_in_ms;            /* 0: it is not full, or nobody knows */
};
struct mxw__limit_use mxw__rates_use(mxw_engine_t *engine, const struct mxw__limit_conf *limit, const struct mxw__key *key);

/* What a key has used up of all limits that are counted by such keys is forgotten, but for sessions. False: there was nothing. */
bool mxw__rates_forgive_key(mxw_engine_t *engine, const struct mxw__key *key);

/* The quotas of outbound.c have rates of their own, by names that no limit can have. */
#define MXW__OUTBOUND_RATE_MESSAGES "+messages"
#define MXW__OUTBOUND_RATE_RCPTS "+recipients"

#endif
