/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guessed.h: the guesses of clients and networks as all hosts have seen them together, over restarts. What one host sees for itself, by
 * a secret hash and more exactly, is in harvest.h; the larger of both numbers is what counts.
 *
 * Of a network there are two sets (unions.h): what was guessed, and places. Each client has up to four places there, the same ones on each
 * host, and fills as many as it has guessed recipients. The number of a network is the smaller of both: one client alone makes it four
 * at most, at whatever hosts it guesses at one time, and what many clients there have tried, each once, is one.
 *
 * Who may call: session.
 * Threads: any, as unions.h.
 * Memory:  bounded by max_entries, 153 bytes each: of each client that guesses one for each quarter of the window, of its network two.
 * Accuracy: see unions.h; never more than what was guessed, up to 32. Hosts must have the same window, and clocks that agree to a quarter of it.
 */
#ifndef MXW_SRC_TRACK_GUESSED_H
#define MXW_SRC_TRACK_GUESSED_H

#include "src/base/base.h"
#include "src/track/harvest.h"
#include "src/track/state.h"

typedef struct mxw__guessed mxw__guessed_t;

/* `clock` is copied; `own` is borrowed: what another host forgives is forgiven there, too. MXW_ERR_NOMEM. */
mxw_status_t mxw__guessed_new(const struct mxw_clock *clock, size_t max_entries, mxw__harvest_t *own, mxw__guessed_t **ret_guessed);
void mxw__guessed_free(mxw__guessed_t *guessed);

/* Notes a guess, of a client that has guessed so many, as far as this host knows by itself. A client without an address guesses nothing. */
void mxw__guessed_add(mxw__guessed_t *guessed, const struct mxw_ip *client, const char *rcpt, uint64_t known, uint64_t window_ms);
/* Makes the counts of client and network what all hosts have seen, where that is more. */
void mxw__guessed_raise(mxw__guessed_t *guessed, const struct mxw_ip *client, uint64_t window_ms, struct mxw__harvest_counts *counts);
/* An address, or a network that guesses are counted for, has guessed nothing, here and on every host that shares. False: nor had it here. */
bool mxw__guessed_forgive(mxw__guessed_t *guessed, const struct mxw__key *key, uint64_t window_ms);

/* The records that the counts stand on: so many for each quarter of the window. */
enum { MXW__GUESSED_RECORDS = 3 };
/* The key of one of them, of the quarter so many quarters back, less than MXW__UNIONS_QUARTERS. "" if there is none. */
void mxw__guessed_record_key(const mxw__guessed_t *guessed, const struct mxw_ip *client, unsigned number, unsigned back, uint64_t window_ms,
			     char ret_key[MXW__STATE_KEY_MAX]);
/* Its sort of state, "guessed": kinds g, what was guessed, and p, places, as unions.h has them. */
struct mxw__state mxw__guessed_state(mxw__guessed_t *guessed);

#endif
