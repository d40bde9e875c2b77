/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * accounts.h: accounts that are suspended: users and inside hosts, by whom, since when, why, and until when.
 *
 * One that was lifted is remembered for some days, so that every other host, and the disk, learns of it.
 *
 * Who may call: session, store, and the public interface behind mxwardctl.
 * Threads: any; one mutex, held for the look-up only, and not even that while nobody is suspended.
 * Memory:  about 500 bytes for each account, at most MXW__ACCOUNTS_MAX; of too many, the one lifted or expired longest ago
 *          goes, and never one that is suspended.
 * Time:    an expiry is counted on the monotonic clock, so that a clock that jumps lifts nothing.
 */
#ifndef MXW_SRC_TRACK_ACCOUNTS_H
#define MXW_SRC_TRACK_ACCOUNTS_H

#include "src/base/base.h"
#include "src/track/key.h"
#include "src/track/state.h"

typedef struct mxw__accounts mxw__accounts_t;

enum { MXW__ACCOUNTS_MAX = 10000, MXW__ACCOUNT_AUTHOR_MAX = 64, MXW__ACCOUNT_REASON_MAX = 160 };

struct mxw__account {
	struct mxw__key key;     /* of kind USER or ADDRESS */
	int64_t since_ms;        /* wall time */
	int64_t until_ms;        /* wall time; 0: until it is undone */
	char author[MXW__ACCOUNT_AUTHOR_MAX]; /* printable ASCII without blanks, as the next but for those */
	char reason[MXW__ACCOUNT_REASON_MAX];
};

/* `clock` is copied. */
mxw_status_t mxw__accounts_new(const struct mxw_clock *clock, mxw__accounts_t **ret_accounts);
void mxw__accounts_free(mxw__accounts_t *accounts);

/*
 * Suspends for `for_ms` (0: until it is undone). What of author and reason is no printable ASCII becomes '?'. `ret_is_new` (may be NULL):
 * it was not suspended before; if it was, this is what holds now. MXW_ERR_USAGE for a key of another kind, MXW_ERR_LIMIT,
 * MXW_ERR_NOMEM.
 */
mxw_status_t mxw__accounts_suspend(mxw__accounts_t *accounts, const struct mxw__key *key, const char *reason, const char *author,
				   uint64_t for_ms, bool *ret_is_new);
/* False if it was not suspended. */
bool mxw__accounts_resume(mxw__accounts_t *accounts, const struct mxw__key *key, const char *author);
/* `ret_account` may be NULL. */
bool mxw__accounts_find(mxw__accounts_t *accounts, const struct mxw__key *key, struct mxw__account *ret_account);
/* Those that are suspended, in no order; `visit` is called without a lock. False without memory. */
bool mxw__accounts_each(mxw__accounts_t *accounts, void (*visit)(void *ctx, const struct mxw__account *account), void *ctx);

/* As a sort of state, "account": fields since, until, lifted; the text is the author, a blank and the reason. */
extern const struct mxw__state_sort mxw__accounts_sort;

#endif
