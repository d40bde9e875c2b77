/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harvest.h: how many different recipients that do not exist were guessed in the last window: by each client (an IPv4 address
 * or IPv6 /64), by its network (IPv4 /24, IPv6 /48) and by everybody.
 *
 * The same address guessed again counts once. Recipients are kept as keyed hashes of their lower-case form: nobody outside can
 * aim at collisions, and the table is no list of addresses.
 *
 * Who may call: session.
 * Threads: any; the table is sharded, each shard has one mutex, as has the count of the whole site; they are held for
 *          the look-up only, one at a time, and nothing else is locked under them.
 * Memory:  bounded by max_entries, about 350 bytes each; under pressure the entry least worth keeping of a few
 *          candidates (fewest guesses in the window, then the one that has been quiet for longest) goes. The site takes
 *          40 KiB.
 * Accuracy: see sketch.h; exact up to 32 for clients and networks, within some percent up to 2000, at most about 3500. The
 *          site: within one percent up to 100,000.
 */
#ifndef MXW_SRC_TRACK_HARVEST_H
#define MXW_SRC_TRACK_HARVEST_H

#include "src/base/base.h"
#include "src/track/key.h"

typedef struct mxw__harvest mxw__harvest_t;

struct mxw__harvest_counts {
	uint64_t client;
	uint64_t network;
	uint64_t site;
};

struct mxw__harvest_stats {
	uint64_t entries;
	uint64_t evictions;
};

mxw_status_t mxw__harvest_new(size_t max_entries, mxw__harvest_t **ret_harvest);
void mxw__harvest_free(mxw__harvest_t *harvest);

/*
 * Notes a guess at the time `now_ms` (monotonic). True if it is new: this client did not guess that address in the window
 * before. (A client with hundreds of them: now and then a new one is taken for an old one.) A client
 * without an address guesses nothing.
 */
bool mxw__harvest_add(mxw__harvest_t *harvest, const struct mxw_ip *client, const char *address, int64_t now_ms,
		      uint64_t window_ms);
/*
 * The same of a client with two guesses or more in the window: for its network it counts with two more at most, whatever it guesses, and with
 * these for as long as it goes on. One client must not make its neighbours suspect.
 */
bool mxw__harvest_add_alone(mxw__harvest_t *harvest, const struct mxw_ip *client, const char *address, int64_t now_ms,
			    uint64_t window_ms);
void mxw__harvest_count(mxw__harvest_t *harvest, const struct mxw_ip *client, int64_t now_ms, uint64_t window_ms,
			struct mxw__harvest_counts *ret_counts);
/* An address, or a network that guesses are counted for, has guessed nothing; the site's count stays. False: it had not. */
bool mxw__harvest_forgive(mxw__harvest_t *harvest, const struct mxw__key *key);
void mxw__harvest_get_stats(mxw__harvest_t *harvest, struct mxw__harvest_stats *ret_stats);

#endif
