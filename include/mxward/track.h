/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track.h: what an engine remembers of clients and accounts, for those who look after it: to list and inspect it, to forgive, to
 * report what was seen elsewhere, to suspend accounts, to keep lists, and figures. mxwardctl(8) is made of it.
 *
 * Threads: every function may be called from any thread while the engine lives.
 * Memory:  results are copied into the caller's structs; what a `visit` function is given is borrowed for the call. No lock is held
 *          while one runs.
 * Errors:  MXW_ERR_INVALID: a name is none, or nothing is known under it; MXW_ERR_LIMIT; MXW_ERR_NOMEM. `err` says more, and may
 *          be NULL.
 * Time:    wall time in milliseconds since 1970.
 * Deadlines: nothing here waits for a disk or a network. Changes reach the disk as `tracker save-interval` says, and other hosts as
 *          they are shared.
 */
#ifndef MXWARD_TRACK_H
#define MXWARD_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mxward/session.h>
#include <mxward/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- scores ---- */

#define MXW_TRACK_KEY_MAX 80
#define MXW_TRACK_EVENTS_MAX 48

/* How often something has happened, halved with each half-life that has passed since. */
struct mxw_track_count {
	const char *event; /* "unknown-recipient": the option's name in the section `tracker`. Static. */
	double times;
	bool is_good;      /* it takes points away */
};

/* What is known of one key. */
struct mxw_track_entry {
	size_t size;                 /* in, for mxw_track_find(): sizeof(struct mxw_track_entry) */
	char key[MXW_TRACK_KEY_MAX]; /* "192.0.2.1", "2001:db8::/64", "192.0.2.0/24", "helo:NAME", "domain:NAME", "user:NAME" */
	const char *kind;            /* "address", "network", "wide", "helo", "domain", "user". Static. */
	double score;                /* points; below 0: credit */
	double good;                 /* good history: accepted messages with aligned passes */
	int64_t first_seen_ms, last_seen_ms;
	size_t ncounts;
	struct mxw_track_count counts[MXW_TRACK_EVENTS_MAX]; /* of those that are not over, the most frequent first */
};

/* Zero takes all. */
struct mxw_track_filter {
	size_t size;                 /* sizeof(struct mxw_track_filter) */
	const char *kind;            /* NULL or "": all kinds */
	bool has_min_score;
	double min_score;
	size_t limit;                /* 0: 100; 10000 at most */
};

/*
 * The keys of the highest scores, in that order. Goes through all that is remembered, a bit at a time. MXW_ERR_INVALID: there is
 * no such kind.
 */
mxw_status_t mxw_track_list(mxw_engine_t *engine, const struct mxw_track_filter *filter,
			    void (*visit)(void *ctx, const struct mxw_track_entry *entry), void *ctx, struct mxw_error *err);
/* One of them. MXW_ERR_INVALID: `key` is none, or nothing is known of it. A bare IPv6 address is its /64. */
mxw_status_t mxw_track_find(mxw_engine_t *engine, const char *key, struct mxw_track_entry *ret_entry, struct mxw_error *err);
/*
 * Score and counts of a key begin at 0 again, here and on every host that shares, as do its guesses and what it has used up of
 * limits and, of a user or inside host, of outgoing quotas; its good history stays, and an account that is suspended stays so.
 * MXW_ERR_INVALID: `key` is none, or has none of these.
 */
mxw_status_t mxw_track_forgive(mxw_engine_t *engine, const char *key, struct mxw_error *err);
/* What else may decide about a client. */
struct mxw_track_details {
	size_t size;                 /* in: sizeof(struct mxw_track_details) */
	/*
	 * Of an address: how many different recipients that do not exist it, and its network, have tried within harvest-window; of an IPv4 /24 or
	 * an IPv6 /48 the second alone.
	 */
	uint64_t guesses, network_guesses;
	/* It has tried again as mail servers do, by its network, or by its domain or HELO name where SPF passes, and is not greylisted. */
	bool is_greylist_known;
	/* It is an account that may not send: a user, or a host inside. */
	bool is_suspended;
};
/* MXW_ERR_INVALID: `key` is none. */
mxw_status_t mxw_track_find_details(mxw_engine_t *engine, const char *key, struct mxw_track_details *ret_details, struct mxw_error *err);

/* What a limit of the section `rates`, or a quota of the section `outbound`, has counted of a key. */
struct mxw_track_limit {
	const char *name;             /* the limit's; "outbound": it is a quota */
	const char *what;             /* what it counts: "messages", "sessions" ... Static. */
	char key[MXW_TRACK_KEY_MAX];  /* whom it counts: the key that was asked for, a network of it, or "site" */
	/* How many count at this moment, and how many may: at once, where there is a burst. Of "unknown-share" both are percent. */
	double used, max;
	bool is_full;                 /* one more would be over it */
	/* Wall time from which on one more will not be; 0: it is not full, that depends on others, or it is a quota. */
	int64_t free_ms;
};

/*
 * All limits that concern a key, in the order in which they are written: those that count such keys, those that count the networks
 * of an address, and those of the whole site. They are for clients of some classes only; which one a client is of is not known here.
 * Then the quotas of a user or a host inside, unless it is exempt.
 * MXW_ERR_INVALID: `key` is none.
 */
mxw_status_t mxw_track_limits(mxw_engine_t *engine, const char *key, void (*visit)(void *ctx, const struct mxw_track_limit *limit),
			      void *ctx, struct mxw_error *err);
/*
 * Something was seen elsewhere, `times` times (1 to 1000): "auth-failure", "spam", "reported". Its points go to the key, and, if
 * that is an address, to its networks. They count against strangers only, whoever is reported. MXW_ERR_INVALID: `key` or `event` is
 * none, or such keys are not kept.
 */
mxw_status_t mxw_track_report(mxw_engine_t *engine, const char *key, const char *event, unsigned times, struct mxw_error *err);

/* ---- suspended accounts ---- */

struct mxw_account {
	char key[MXW_TRACK_KEY_MAX];  /* "user:anna", or the address of an inside host */
	int64_t since_ms;
	int64_t until_ms;             /* 0: until it is undone */
	const char *author, *reason;
};

/*
 * Suspends a user or an inside host, for `for_ms` milliseconds (0: until it is undone). A bare name that is no address is a
 * user's. MXW_ERR_LIMIT: there are too many.
 */
mxw_status_t mxw_account_suspend(mxw_engine_t *engine, const char *account, uint64_t for_ms, const char *author, const char *reason,
				 struct mxw_error *err);
/* Undoes it, here and on every host that shares. MXW_ERR_INVALID: it is not suspended. */
mxw_status_t mxw_account_resume(mxw_engine_t *engine, const char *account, const char *author, struct mxw_error *err);
/* All that are suspended, in no order. */
mxw_status_t mxw_account_each(mxw_engine_t *engine, void (*visit)(void *ctx, const struct mxw_account *account), void *ctx,
			      struct mxw_error *err);

/* ---- local lists ---- */

struct mxw_list_entry {
	const char *list;             /* the section's name */
	const char *entry;
	int64_t added_ms;             /* 0: it stands in the list's file */
	int64_t until_ms;             /* 0: for good */
	const char *author, *reason;
	unsigned line;                /* of the file; 0: it was added while running */
};

/*
 * Adds an entry to a list of the configuration, or writes it anew, for `for_ms` milliseconds (0: for good). MXW_ERR_INVALID:
 * there is no such list, or that is no entry for it; MXW_ERR_LIMIT: it is full.
 */
mxw_status_t mxw_list_add(mxw_engine_t *engine, const char *list, const char *entry, uint64_t for_ms, const char *author,
			  const char *reason, struct mxw_error *err);
/* MXW_ERR_INVALID: there is no such list or entry, or it stands in the file, and is to be removed there. */
mxw_status_t mxw_list_remove(mxw_engine_t *engine, const char *list, const char *entry, struct mxw_error *err);
/* All entries in force, those of files first; of one list, or with NULL or "" of all. MXW_ERR_INVALID: there is no such list. */
mxw_status_t mxw_list_each(mxw_engine_t *engine, const char *list, void (*visit)(void *ctx, const struct mxw_list_entry *entry),
			   void *ctx, struct mxw_error *err);

/*
 * The entry of each list by which it has an address, "helo:NAME" or "domain:NAME"; other keys are on none. MXW_ERR_INVALID: `key` is
 * none.
 */
mxw_status_t mxw_list_find(mxw_engine_t *engine, const char *key, void (*visit)(void *ctx, const struct mxw_list_entry *entry), void *ctx,
			   struct mxw_error *err);

/* ---- figures ---- */

/*
 * The engine's counters and sizes: `group` is what they are of ("tracker", "store", "resolver" ...), `name` which one. There will
 * be more of them; those that there are keep their names.
 */
void mxw_engine_each_figure(mxw_engine_t *engine, void (*visit)(void *ctx, const char *group, const char *name, uint64_t value),
			    void *ctx);

#ifdef __cplusplus
}
#endif
#endif
