/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache.h: what directories have said of recipients, for all threads. It tells fresh answers, and answers that are
 * too old to be given while the source can be asked, but good enough while it can't: stale while error.
 *
 * Its entries lie in sets of 16, in 64 shards. A key is 128 bits of two keyed hashes over the address, under hash keys
 * that follow from the settings of the directory: it holds no address, and a directory whose settings change
 * does not see what was said under others. When a set is full, a negative answer takes the place of a negative one (at
 * most half of a set is negative) and never that of a recipient that is known; a known one takes the place of the oldest
 * negative one first, then of the oldest. So a flood of invented addresses pushes out nothing but invented addresses.
 *
 * Who may call: directory, session (to make and end it, statistics, flushing).
 * Threads: any function from any thread, but for new and free. Each shard has a mutex, a leaf in the lock order; nothing
 *          that waits happens under it.
 * Memory:  64 octets for each entry, from the start (the system gives it as it is used).
 */
#ifndef MXW_SRC_DIRECTORY_CACHE_H
#define MXW_SRC_DIRECTORY_CACHE_H

#include "src/directory/directory.h"

/* Secrets: who has them can try addresses against what was kept. */
struct mxw__rcpt_cache_secret {
	struct mxw__hashkey keys[2]; /* of addresses */
	struct mxw__hashkey seal;    /* of what lies on disk */
};

/* The hash keys of one directory. */
struct mxw__rcpt_cache_keys {
	struct mxw__hashkey keys[2];
};

struct mxw__rcpt_cache_key {
	uint64_t a, b;
};

/* How long an answer is good. 0: not at all. */
struct mxw__rcpt_lifetimes {
	uint64_t positive_ms; /* "found" is given without asking again */
	uint64_t negative_ms; /* "not found", "can't tell", and "found, but disabled", likewise */
	uint64_t stale_ms;    /* "found" is given while the source can't answer */
};

typedef enum mxw__rcpt_state {
	MXW__RCPT_NOT_KEPT,
	MXW__RCPT_FRESH,
	MXW__RCPT_STALE   /* known good, too old to be given if the source can answer */
} mxw__rcpt_state_t;

struct mxw__rcpt_known {
	bool is_found;
	bool is_unverifiable;
	bool is_due;      /* fresh, but in the last quarter of its life, and nobody is asking again yet */
	int64_t age_ms;
	struct mxw__rcpt_settings settings;
};

/* NULL: no memory. `secret` NULL: one of its own. */
mxw__rcpt_cache_t *mxw__rcpt_cache_new(size_t max_entries, const struct mxw__rcpt_cache_secret *secret);
void mxw__rcpt_cache_free(mxw__rcpt_cache_t *cache);
/* Goes over to another bound and keeps what it can. MXW_ERR_NOMEM: some or all of it stays as it was. */
mxw_status_t mxw__rcpt_cache_resize(mxw__rcpt_cache_t *cache, size_t max_entries);

/* `id` stands for the settings of a directory (mxw__directory_conf.answers_id). */
void mxw__rcpt_cache_keys(const mxw__rcpt_cache_t *cache, uint64_t id, struct mxw__rcpt_cache_keys *ret_keys);
struct mxw__rcpt_cache_key mxw__rcpt_cache_key(const struct mxw__rcpt_cache_keys *keys, const char *address);

/* Counts a hit or a miss. `ret_known` is filled in unless nothing is kept that may be used. */
mxw__rcpt_state_t mxw__rcpt_cache_get(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key, int64_t now_ms,
				      const struct mxw__rcpt_lifetimes *lifetimes, struct mxw__rcpt_known *ret_known);
/*
 * Keeps an answer of the source: found or not found. One that may not be kept makes the cache forget, but "can't
 * tell" takes nothing from a known good recipient.
 */
void mxw__rcpt_cache_put(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key, int64_t now_ms,
			 const struct mxw__rcpt_lifetimes *lifetimes, const struct mxw__rcpt_result *result);
/* True if nobody else was asking again for this entry: then the caller is, until the next put or release. */
bool mxw__rcpt_cache_claim(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key);
void mxw__rcpt_cache_release(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key);

/* Forgets one (true if it was there) or all. */
bool mxw__rcpt_cache_forget(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key);
size_t mxw__rcpt_cache_clear(mxw__rcpt_cache_t *cache);

typedef enum mxw__rcpt_event {
	MXW__RCPT_HIT,
	MXW__RCPT_MISS,
	MXW__RCPT_GAVE_STALE,
	MXW__RCPT_REFRESHED,       /* asked again ahead of need */
	MXW__RCPT_REFRESH_FAILED,
	MXW__RCPT_REFRESH_DROPPED, /* no room to wait */
	MXW__RCPT_EVICTED,         /* a known good one, for lack of room */
	MXW__RCPT_EVENTS
} mxw__rcpt_event_t;
/* What get() does not count itself. */
void mxw__rcpt_cache_count(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_key key, mxw__rcpt_event_t event);

struct mxw__rcpt_cache_stats {
	uint64_t events[MXW__RCPT_EVENTS];
	size_t max_entries, entries, known_good;
	size_t bytes;
};
void mxw__rcpt_cache_get_stats(mxw__rcpt_cache_t *cache, struct mxw__rcpt_cache_stats *ret_stats);

/* ---- cache_file.c: the cache with what is kept of it on disk ---- */

/*
 * STATE_DIR/recipients.cache is written at an interval and at the end, beside and renamed. The secret is in another
 * file, recipients.key: who gets hold of the first alone can't try addresses against it. A file that is damaged or not
 * ours is set aside; a disk that is full costs persistence, and one notice.
 */
typedef struct mxw__rcpt_keeper mxw__rcpt_keeper_t;

struct mxw__rcpt_keeper_env {
	const char *state_dir;         /* NULL: nothing is kept on disk */
	bool is_read_only;             /* what is on disk is read and left alone */
	const struct mxw_clock *clock;
	mxw__notice_fn notice;         /* may be NULL */
	void *notice_ctx;
	size_t max_entries;
	uint64_t save_interval_ms;
};
/* Makes the cache, fills it with what was kept and starts a thread that writes. `env` is copied, what it points to must
 * outlive the keeper. MXW_ERR_NOMEM; any trouble with the disk is a notice. */
mxw_status_t mxw__rcpt_keeper_new(const struct mxw__rcpt_keeper_env *env, mxw__rcpt_keeper_t **ret_keeper);
/* Writes what has changed; the cache ends with it. NULL is allowed. */
void mxw__rcpt_keeper_free(mxw__rcpt_keeper_t *keeper);
mxw__rcpt_cache_t *mxw__rcpt_keeper_cache(mxw__rcpt_keeper_t *keeper);
mxw_status_t mxw__rcpt_keeper_configure(mxw__rcpt_keeper_t *keeper, size_t max_entries, uint64_t save_interval_ms);
/* Has what has changed written now instead of at the interval; does not wait for it. */
void mxw__rcpt_keeper_save_soon(mxw__rcpt_keeper_t *keeper);

/* ---- what cache_file.c is given ---- */

/* An entry away from its table, as it lies on disk. */
struct mxw__rcpt_record {
	uint64_t a, b;
	int64_t age_ms;
	struct mxw__rcpt_settings settings;
	uint8_t kind;       /* opaque */
};

enum { MXW__RCPT_SHARDS = 64 };
const struct mxw__rcpt_cache_secret *mxw__rcpt_cache_secret(const mxw__rcpt_cache_t *cache);
/* Has anything been put or forgotten since it was last asked? */
bool mxw__rcpt_cache_has_changed(mxw__rcpt_cache_t *cache);
/* Copies one shard out. Returns how many there are, `max` at most. */
size_t mxw__rcpt_cache_copy(mxw__rcpt_cache_t *cache, unsigned shard, int64_t now_ms, struct mxw__rcpt_record *records,
			    size_t max);
/* Room for as many is enough for mxw__rcpt_cache_copy(), as long as nobody resizes. */
size_t mxw__rcpt_cache_shard_max(mxw__rcpt_cache_t *cache);
/* Takes an entry in as it was. `is_doubtful`: its age may be more than it says, it is never fresh. False: it makes no
 * sense. */
bool mxw__rcpt_cache_take(mxw__rcpt_cache_t *cache, const struct mxw__rcpt_record *record, int64_t now_ms, bool is_doubtful);

#endif
