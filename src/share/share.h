/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * share.h: what is remembered here, shared with the other hosts of the site through Redis.
 *
 * One thread holds one connection, on which all is pipelined. Every push interval it takes what has changed of each sort of state
 * (state.h) and sends it; a script in Redis merges it with what others have sent, in one step, and gives back the sum, which is put in
 * here. A session that is about to look at some keys names them (want) and waits some milliseconds, for all of them together; what comes
 * later is put in when it comes. Sorts of which every change matters everywhere (state.h: is_eager) have an index of changes in Redis, from
 * which the thread fetches what is new, and everything when it connects.
 *
 * When an answer is late, no session waits until answers are in time again. When none comes within the timeout, or the connection fails, the
 * next server is tried; meanwhile what has changed here stays marked as changed, and goes when there is a server again. A push whose
 * answer was lost is sent once more with the same number, by which the script knows it: nothing counts twice. A Redis that has lost its data
 * gets all that can be told twice without harm; sums are not told again, since several hosts hold the same sum.
 *
 * Ages and lifetimes go over the wire, not times of day: Redis' clock is the one that counts, and those of the hosts may differ.
 *
 * Who may call: session.
 * Threads: any, for all but new and free. One mutex, a leaf, held for some instructions; it guards what sessions and the thread hand to each
 *          other. The connection is the thread's alone. Nothing is sent, put or taken under the mutex.
 * Memory:  bounded: so many wishes, so many keys asked lately, one batch, replies of a bounded size.
 * Errors:  trouble is a notice when it begins and when it ends, and a counter; never an error.
 * Security: keys and values are arguments of commands, never parts of their text. What comes from Redis is believed as far as it is in
 *          range: whoever can write there could clear or blame anybody.
 */
#ifndef MXW_SRC_SHARE_SHARE_H
#define MXW_SRC_SHARE_SHARE_H

#include "src/base/base.h"
#include "src/conf/conf.h"
#include "src/track/state.h"

typedef struct mxw__share mxw__share_t;

struct mxw__share_env {
	const struct mxw_clock *clock;
	void (*notice)(void *ctx, const char *text); /* a warning; may be NULL; on the thread */
	void *notice_ctx;
	const struct mxw__state *states;             /* copied; those that are not shared are left out */
	size_t nstates;
};

/* `conf` is copied, secrets and all. Without servers there is no thread, and the rest does nothing. MXW_ERR_NOMEM. */
mxw_status_t mxw__share_new(const struct mxw__share_env *env, const struct mxw__redis_conf *conf, mxw__share_t **ret_share);
/* Sends what has changed, within a short time. NULL is allowed. The states must live until it returns. */
void mxw__share_free(mxw__share_t *share);
/* Other settings. Without memory the former ones stay: MXW_ERR_NOMEM. */
mxw_status_t mxw__share_configure(mxw__share_t *share, const struct mxw__redis_conf *conf);

/* The keys that one step of a session will look at: at MAIL those of all limits, of quotas, and some more. */
enum { MXW__WANTS_MAX = MXW__LIMITS_MAX + 32 };
struct mxw__wants {
	size_t n;
	struct mxw__want {
		const struct mxw__state_sort *sort;
		char key[MXW__STATE_KEY_MAX];
	} v[MXW__WANTS_MAX];
};
/* Names one; what is beyond the bound, or no key, is left out. */
void mxw__wants_add(struct mxw__wants *wants, const struct mxw__state_sort *sort, const char *key);

/*
 * Asks for those that were not asked for lately, and waits for the answers, not longer than `wait` of the settings. True: what other hosts know
 * is there. False: it may come later, or not.
 *
 * `spent_us` (may be NULL) is what one session has waited in all, but for what each answer in time takes: it begins at 0, and is never more than
 * `wait`; whoever has spent it does not wait.
 */
bool mxw__share_want(mxw__share_t *share, const struct mxw__wants *wants, int64_t *spent_us);

struct mxw__share_stats {
	bool is_on;                  /* there are servers in the settings */
	bool is_up;
	char server[256];            /* in use, or tried last; "" before */
	uint64_t pushed, pulled;     /* records */
	uint64_t late;               /* times a session did not get its answer in time */
	uint64_t longest_us;         /* the longest that one waited */
	uint64_t failed;             /* times a server was lost, could not be reached or refused a command */
	uint64_t dropped;            /* wishes and records given up: too many at once, or no use trying again */
};
void mxw__share_get_stats(mxw__share_t *share, struct mxw__share_stats *ret_stats);

/* Has all that has changed pushed, and answered, now. True: it is, within `timeout_ms` of real time. */
bool mxw__share_flush(mxw__share_t *share, unsigned timeout_ms);

#endif
