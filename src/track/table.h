/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h: what is known of each address, network, HELO name, sender's domain and user: a score that decays, how often each
 * kind of event has happened (decaying as well), when it was seen first and last, and its good history.
 *
 * Bad events add points, good ones take some away; a score does not fall below minus `credit`. Score and counts are halved for each
 * half-life gone by, the good history for each history half-life; that is done when an entry is touched or read, nothing has to run in
 * the background.
 *
 * Who may call: session, share, store, and the public interface behind mxwardctl.
 * Threads: any; the table is sharded, each shard has one mutex, held for the look-up or for the copying of 32 entries. Nothing else is
 *          locked under it.
 * Memory:  bounded by max_entries and max_bytes, all included: 195 bytes for each entry. Under pressure the entry least worth keeping
 *          of 16 candidates goes: first of all one that has come and gone within half a half-life and has no good history, then the one
 *          with the lowest score and least history. So one-time addresses push out one another, and nobody who persists.
 * Time:    `now_ms` is monotonic; a time before the last change counts as that time. First and last seen are kept to the second.
 */
#ifndef MXW_SRC_TRACK_TABLE_H
#define MXW_SRC_TRACK_TABLE_H

#include "src/base/base.h"
#include "src/track/event.h"
#include "src/track/key.h"
#include "src/track/state.h"

typedef struct mxw__table mxw__table_t;

struct mxw__table_options {
	size_t max_entries;
	size_t max_bytes;              /* 0: as many as max_entries take */
	uint64_t half_life_ms;
	uint64_t history_half_life_ms;
	uint64_t credit;
	const struct mxw_clock *clock; /* for records of state, and for nothing else; copied */
};

/* What is known of one key at one time. */
struct mxw__standing {
	struct mxw__key key;
	double score;                  /* may be negative: credit */
	double good;                   /* accepted messages with aligned passes */
	int64_t first_ms, last_ms;     /* monotonic; may be negative for what was known before the start */
	double counts[MXW__EVENT_COUNT];
};

struct mxw__table_stats {
	uint64_t entries, max_entries;
	uint64_t evictions;
	size_t bytes;                  /* all that the table takes */
};

/* MXW_ERR_NOMEM. */
mxw_status_t mxw__table_new(const struct mxw__table_options *options, mxw__table_t **ret_table);
void mxw__table_free(mxw__table_t *table);
/* Other half-lives and credit; the bounds stay as they were made. */
void mxw__table_configure(mxw__table_t *table, const struct mxw__table_options *options);

/* Notes that an event has happened `times` times, and adds `points` (negative: takes away). Returns the score after it; 0 for a key of
 * kind NONE, of which nothing is remembered. */
double mxw__table_add(mxw__table_t *table, const struct mxw__key *key, mxw__event_t event, double times, double points,
		      int64_t now_ms);
/* The same, but these points do not bring a score beyond `most`, unless there are a great many of the event: a flood. Returns how many of
 * them were added. */
double mxw__table_add_within(mxw__table_t *table, const struct mxw__key *key, mxw__event_t event, double times, double points,
			     double most, int64_t now_ms);
/* In each second, for as long as the half-life, or more of them for a shorter time. */
#define MXW__TABLE_FLOOD_PER_S 2.0
/* Adds to the good history. */
void mxw__table_add_good(mxw__table_t *table, const struct mxw__key *key, double amount, int64_t now_ms);
/* The score now; 0 for what is not known. */
double mxw__table_score(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms);
/* False, and all zero but the key, for what is not known. */
bool mxw__table_get(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms, struct mxw__standing *ret_standing);

/* Score and counts begin at 0 again, here and on every host that shares; good history stays. False: it was not known. */
bool mxw__table_forgive(mxw__table_t *table, const struct mxw__key *key, int64_t now_ms);

/*
 * Goes through all: up to `max` entries from `cursor` on (0: the beginning), which is moved on; returns how many. 0: that was all.
 * What changes meanwhile is seen or not. Holds a lock only for some entries at a time.
 */
size_t mxw__table_walk(mxw__table_t *table, uint64_t *cursor, int64_t now_ms, struct mxw__standing *ret_standings, size_t max);

void mxw__table_get_stats(mxw__table_t *table, struct mxw__table_stats *ret_stats);

/* The table as a sort of state, "score": fields score, good, first, last, reset and one for each event. */
extern const struct mxw__state_sort mxw__table_sort;
/* Its good history for other hosts, "good", which decays more slowly and is not forgiven; the disk has it from the above. */
extern const struct mxw__state_sort mxw__table_good_sort;
/* The same of a table of recipients that failed (its score) and did not (its good history): "failed" and "taken". */
extern const struct mxw__state_sort mxw__table_failed_sort, mxw__table_taken_sort;

#endif
