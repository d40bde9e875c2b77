/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * greylist.h: who has tried to deliver what, and who has shown that he tries again as a mail server does.
 *
 * An *attempt* is an identity, a sender and a recipient. The first one is remembered; if it comes again after the delay and within the
 * retry window it has passed. An identity of which enough attempts have passed is *known*, for so long after it was last seen; and so is one
 * from which mail was taken some days ago already, without its having been put off.
 * Identity is what the caller takes the client to be: a domain that a check vouches for, so that the pool of addresses of a large
 * sender is one, or else its network.
 *
 * Who may call: session, share, store.
 * Threads: any; the table is sharded, each shard has one mutex, held for the look-up only. Nothing else is locked under it.
 * Memory:  bounded by max_entries, 40 bytes each; of a few candidates the one least worth keeping goes: attempts before identities,
 *          then what has not been seen for longest. A flood of attempts pushes out attempts. Addresses are not kept, only digests.
 * Time:    `now_ms` is monotonic; records of state carry wall time (state.h).
 */
#ifndef MXW_SRC_TRACK_GREYLIST_H
#define MXW_SRC_TRACK_GREYLIST_H

#include "src/base/base.h"
#include "src/track/state.h"

typedef struct mxw__greylist mxw__greylist_t;

struct mxw__greylist_options {
	size_t max_entries;
	uint64_t delay_ms;             /* earlier it is no retry */
	uint64_t retry_window_ms;      /* so long after the first attempt it is one */
	uint64_t known_for_ms;         /* after it was seen last */
	uint64_t known_after_ms;       /* its first message was taken so long ago; 0: that makes nobody known */
	uint64_t auto_allow;           /* so many different attempts must have passed to be known; 0: nobody ever is */
	const struct mxw_clock *clock; /* for records of state, and for nothing else; copied */
};

typedef enum mxw__greylist_answer {
	MXW__GREYLIST_NEW,
	MXW__GREYLIST_WAITING,
	MXW__GREYLIST_PASSED,
	MXW__GREYLIST_KNOWN
} mxw__greylist_answer_t;
/* "new", "waiting", ... Static. */
const char *mxw__greylist_answer_name(mxw__greylist_answer_t answer);

enum { MXW__GREYLIST_ID = 16, MXW__GREYLIST_KEY_MAX = 48 };
/* Digests, the same on every host. */
struct mxw__greylist_attempt {
	uint8_t identity[MXW__GREYLIST_ID];
	uint8_t attempt[MXW__GREYLIST_ID];
	uint64_t delay_ms;             /* earlier it is no retry; 0: as the options say */
};

/* MXW_ERR_NOMEM. */
mxw_status_t mxw__greylist_new(const struct mxw__greylist_options *options, mxw__greylist_t **ret_greylist);
void mxw__greylist_free(mxw__greylist_t *greylist);
/* Other times; the bound stays as it was made. */
void mxw__greylist_configure(mxw__greylist_t *greylist, const struct mxw__greylist_options *options);

/*
 * `identity` is any text ("domain:example.org"). ASCII case does not count. Each run of digits in the sender's local part counts as one: so a
 * sender that is made anew for each message (VERP, BATV, SRS) is the same.
 */
void mxw__greylist_attempt_make(const char *identity, const char *sender, const char *rcpt, struct mxw__greylist_attempt *ret_attempt);
mxw__greylist_answer_t mxw__greylist_look(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *attempt, int64_t now_ms);
/* It was made, and put off. */
void mxw__greylist_put_off(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *attempt, int64_t now_ms);
/* Its message was taken, with or without having been put off. What had passed counts for the identity, once. */
void mxw__greylist_taken(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *attempt, int64_t now_ms);

/* The attempt has passed by itself, whether the identity is known or not. */
bool mxw__greylist_has_waited(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *attempt, int64_t now_ms);
/* Mail of the identity was taken long enough ago to be known by that. */
bool mxw__greylist_is_old(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *identity, int64_t now_ms);
/* The identity did something just now, whatever that is: a mark on it. */
void mxw__greylist_mark(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *identity, int64_t now_ms);
/* It was marked, and since then no more time has gone by than attempts are remembered for. */
bool mxw__greylist_has_mark(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *identity, int64_t now_ms);
/* The same, unless `end`, another mark, is as late. */
bool mxw__greylist_has_mark_after(mxw__greylist_t *greylist, const struct mxw__greylist_attempt *identity,
				  const struct mxw__greylist_attempt *end, int64_t now_ms);

/* Under which keys it goes to other hosts. */
void mxw__greylist_keys(const struct mxw__greylist_attempt *attempt, char ret_identity[MXW__GREYLIST_KEY_MAX],
			char ret_attempt[MXW__GREYLIST_KEY_MAX]);

struct mxw__greylist_stats {
	uint64_t entries, max_entries, evictions;
	size_t bytes;
};
void mxw__greylist_get_stats(mxw__greylist_t *greylist, struct mxw__greylist_stats *ret_stats);

/* A sort of state, "greylist": fields first, last, passes. Keys are "try:" or "known:" and a digest. */
extern const struct mxw__state_sort mxw__greylist_sort;

#endif
