/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbound.h: quotas of those who send from inside, and accounts that are suspended, by them or by hand.
 *
 *    outbound.c            the part: who is counted, what is counted, how far a message has gone
 *    outbound_quotas.c     which quotas an account has, how far they are used up
 *    outbound_accounts.c   suspending, lifting, seeing which are; the log and the notice of it
 *    notifier.c            tells a person, on a thread of its own
 *
 * An account is that of a user, by the name that the MTA gives, or of a host of `networks internal`, by its address. Where it is
 * named by text, that is the text of its key (src/track/key.h), "user:anna" or "192.0.2.7"; a bare name that is no address is a user's.
 *
 * Who may call: session, and the public interface behind mxwardctl.
 * Threads: any.
 */
#ifndef MXW_SRC_SESSION_OUTBOUND_H
#define MXW_SRC_SESSION_OUTBOUND_H

#include <mxward/session.h>

#include "src/conf/conf.h"
#include "src/session/notifier.h"
#include "src/track/accounts.h"
#include "src/track/distinct.h"
#include "src/track/rates.h"
#include "src/track/table.h"
#include "src/track/unions.h"

/* The engine's. */
struct mxw__outbound {
	mxw__distinct_t *different; /* recipients and networks of each account, as this host has seen them since its start */
	mxw__unions_t *all;         /* the same of all hosts and over restarts, less exactly */
	mxw__table_t *shares;       /* how many recipients failed (score) and did not (good history), decaying */
	mxw__notifier_t *notifier;
};

/* One that has quotas, for the time of a call; all borrowed. */
struct mxw__outbound_account {
	mxw_engine_t *engine;
	const struct mxw__outbound_conf *conf;
	const struct mxw__key *who;
	const struct mxw_ip *client; /* where it comes from; of a user it is not looked at */
};

/* What a session remembers of its message. */
struct mxw__outbound_session {
	struct mxw__key who;        /* of kind NONE: nobody who has quotas */
	mxw__outbound_stage_t stage;
	unsigned passed;            /* 1 << mxw__quota_t: those that are past the first stage */
};

/*
 * Suspends until `until_ms` (wall time; 0: until it is undone); logged, and no notice is sent. One that is suspended already gets
 * this reason and end. MXW_ERR_INVALID: `user` names none, or `until_ms` has passed; MXW_ERR_LIMIT: too many are; MXW_ERR_NOMEM.
 */
mxw_status_t mxw__outbound_suspend(mxw_engine_t *engine, const char *user, const char *reason, const char *author, int64_t until_ms);
/* Lifts a suspension, here and on every host that shares. False: it was not suspended. Its quotas begin anew. */
bool mxw__outbound_resume(mxw_engine_t *engine, const char *user, const char *author);
/* Those that are suspended, in no order; `visit` is called without a lock. False without memory. */
bool mxw__outbound_each(mxw_engine_t *engine, void (*visit)(void *ctx, const struct mxw__account *account), void *ctx);

/* ---- between the files ---- */

/* Suspends whose quota was passed, tells a person, and lets the quotas begin anew. */
void mxw__outbound_suspend_by_quota(mxw_engine_t *engine, mxw_conf_t *conf, const struct mxw__key *who, const char *reason);
/* What was counted of the account is forgotten. */
void mxw__outbound_forget(mxw_engine_t *engine, const struct mxw__key *who);

/* Under which different things of an account are counted. */
struct mxw__outbound_counted {
	uint64_t quota;
	struct mxw__key who;
};

/* The kind of a quota's different things (unions.h). */
char mxw__outbound_kind(mxw__quota_t what);
/* What the messages or recipients of an account are counted in. */
struct mxw__rate mxw__outbound_bucket(const struct mxw__rate_conf *quota, mxw__quota_t what);

/* ---- quotas ---- */

bool mxw__outbound_is_exempt(const struct mxw__outbound_account *a);
/* count 0: there is no such quota. */
struct mxw__rate_conf mxw__outbound_quota(const struct mxw__outbound_account *a, mxw__quota_t what);
/* How many count now, or the share in percent; 0 if there is no such quota. */
double mxw__outbound_used(const struct mxw__outbound_account *a, mxw__quota_t what, const struct mxw__rate_conf *quota);

#endif
