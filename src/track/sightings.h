/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sightings.h: who was seen at the primary mail server lately, by address, network and name, and whether that is up: what a backup
 * has to know to say of a client that it has not tried the primary.
 *
 * The primary is up if somebody came to it within `alive`, on and on for some time: who tried it in vain while it was down comes to
 * the backup up to some minutes after it has returned. What may have been forgotten, because too many were seen, is not
 * known not to have been there.
 *
 * Who may call: session.
 * Threads: any; the table is sharded, each shard has one mutex, held for the look-up only; what is known of the primary has another.
 *          No two are held at once.
 * Memory:  88 bytes for each entry, allocated at once and touched when needed.
 * Time:    `now_ms` is monotonic.
 */
#ifndef MXW_SRC_TRACK_SIGHTINGS_H
#define MXW_SRC_TRACK_SIGHTINGS_H

#include "src/base/base.h"
#include "src/track/key.h"
#include "src/track/state.h"

typedef struct mxw__sightings mxw__sightings_t;

struct mxw__sightings_options {
	size_t max_entries;
	uint64_t window_ms;            /* for which somebody counts as seen */
	uint64_t alive_ms;             /* after the last one came the primary counts as up */
	const struct mxw_clock *clock; /* for records of state, and for nothing else; copied */
};

enum {
	MXW__SIGHTINGS_SETTLE_MS = 600000 /* the longest that a client tries one server before it takes the next, and as much again */
};
#define MXW__SIGHTINGS_PRIMARY "primary" /* the key of its record; the others have those of key.h */

/* MXW_ERR_NOMEM. */
mxw_status_t mxw__sightings_new(const struct mxw__sightings_options *options, mxw__sightings_t **ret_sightings);
void mxw__sightings_free(mxw__sightings_t *sightings);
/* Other times; the bound stays as it was made. */
void mxw__sightings_configure(mxw__sightings_t *sightings, const struct mxw__sightings_options *options);

/* It came to the primary. Nothing for a key of kind NONE. */
void mxw__sightings_see(mxw__sightings_t *sightings, const struct mxw__key *key, int64_t now_ms);
bool mxw__sightings_has(mxw__sightings_t *sightings, const struct mxw__key *key, int64_t now_ms);

/* Somebody came to the primary: it is up. */
void mxw__sightings_mark_primary(mxw__sightings_t *sightings, int64_t now_ms);
/* Somebody was sent away from it unseen: until it has settled again, nothing is known of who tried it. */
void mxw__sightings_turned_away(mxw__sightings_t *sightings, int64_t now_ms);
/* It is up, and has been for so long that whoever tried it was seen, and is still known. No: or it is not known. */
bool mxw__sightings_primary_is_up(mxw__sightings_t *sightings, int64_t now_ms);

/* As a sort of state, "sighting": fields seen and, of the primary, since. */
extern const struct mxw__state_sort mxw__sightings_sort;

#endif
