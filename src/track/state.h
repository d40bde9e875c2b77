/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state.h: the form in which what is remembered goes to the disk and to other hosts, and comes back.
 *
 * Each thing that remembers (scores, limits, greylist, suspended accounts ...) is a *sort* of state: it describes its fields,
 * says what has changed, and takes in what is known elsewhere. Those who keep (store.h) and share (share.h) know nothing of what the fields
 * mean, only how they are merged:
 *
 *    ADD     a number that decays by its half-life (of the record), to which each host adds what it has seen
 *    COUNT   the same of what can't be fewer than none: two hosts may both take away what they know of
 *    MAX, MIN    the larger, the smaller one
 *    BITS    a set of 32 bits, as a number: those of both, but for those of who has not heard of a RESET
 *    TIME    the theoretical arrival time of a rate (GCRA), in milliseconds of wall time: the larger of it and now, and then what is added
 *    RESET   a wall time; where it grows, all ADD, COUNT, BITS and TIME fields of the record begin at 0 again: how forgiving reaches everybody
 *    LATEST  of the record that was written last, as is the text: at_ms of a record with such a field says when that was
 *
 * To the disk (reader STATE_DISK) a record carries each value as it is. To other hosts (STATE_SHARE) ADD, COUNT and TIME carry what was added since
 * the record was last taken by that reader; the other kinds carry the value. What comes back (put) is always a whole value: from disk
 * what was written; from other hosts the sum of all, in which what was taken before is contained.
 *
 * Threads: take() and put() from any thread; they lock for a short time and never wait for anything.
 * Time:    records carry wall time, since they outlive the machine's uptime; whoever takes one in turns it into monotonic time, and
 *          an age below 0 (the clock was set back) into 0.
 */
#ifndef MXW_SRC_TRACK_STATE_H
#define MXW_SRC_TRACK_STATE_H

#include "src/base/base.h"

typedef enum mxw__merge {
	MXW__MERGE_ADD,
	MXW__MERGE_COUNT,
	MXW__MERGE_MAX,
	MXW__MERGE_MIN,
	MXW__MERGE_BITS,
	MXW__MERGE_TIME,
	MXW__MERGE_RESET,
	MXW__MERGE_LATEST
} mxw__merge_t;

enum {
	MXW__STATE_FIELDS_MAX = 48,
	MXW__STATE_KEY_MAX = 256,   /* printable ASCII without blanks */
	MXW__STATE_TEXT_MAX = 256,  /* of one line, see mxw__state_copy_text() */
	MXW__STATE_SORTS_MAX = 16
};

typedef enum mxw__state_reader { MXW__STATE_DISK, MXW__STATE_SHARE, MXW__STATE_READERS } mxw__state_reader_t;

struct mxw__state_field {
	const char *name;           /* [a-z_0-9]: a column's name on disk, a field's in Redis */
	mxw__merge_t merge;
	bool is_local;              /* not for other hosts */
};

struct mxw__state_record {
	char key[MXW__STATE_KEY_MAX];
	int64_t at_ms;              /* wall time that the values hold for */
	int64_t expires_ms;         /* wall time from which on nobody needs it */
	uint64_t half_life_ms;      /* of ADD fields; 0: they do not decay */
	bool is_gone;               /* it was removed here: it is to be removed there */
	double values[MXW__STATE_FIELDS_MAX];
	char text[MXW__STATE_TEXT_MAX]; /* for people: a reason, an author */
};

struct mxw__state_sort {
	const char *name;           /* [a-z]: "score": a table's name on disk, a part of the key in Redis */
	size_t nfields;
	const struct mxw__state_field *fields;
	bool has_text;
	bool is_kept, is_shared;
	bool is_eager;              /* shared, and each change matters on every host at once, asked for or not: it is fetched by all */
	/*
	 * Up to `max` records that have changed since this reader took them last; fewer than `max`: there are no more for now. What was
	 * taken counts as handed over, unless mark() says otherwise.
	 */
	size_t (*take)(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max);
	/* Something known elsewhere. */
	void (*put)(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record);
	/* What was taken did not get there (the disk was full, the connection was lost): it is to be taken again. */
	void (*give_back)(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record);
	/*
	 * All of it is to be taken by this reader once more, as after a file was set aside. To other hosts ADD, COUNT and TIME carry the whole values then, as
	 * if nobody had been told of them: for when their common store has lost what it had, and on one host only, else they add up.
	 */
	void (*mark_all)(void *store, mxw__state_reader_t reader);
};

/* A sort with the memory that holds it. */
struct mxw__state {
	const struct mxw__state_sort *sort;
	void *store;
};

/* As people may see it: printable, in UTF-8, on one line; what is no such character becomes '?', what is too much is left out. */
void mxw__state_copy_text(char *ret_text, size_t size, const char *text, size_t len);

#endif
