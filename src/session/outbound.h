/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbound.h: suspending accounts by hand, and seeing which are.
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

#include "src/base/base.h"
#include "src/track/accounts.h"

/*
 * Suspends until `until_ms` (wall time; 0: until it is undone); logged, and no notice is sent. One that is suspended already gets
 * this reason and end. MXW_ERR_INVALID: `user` names none, or `until_ms` has passed; MXW_ERR_LIMIT: too many are; MXW_ERR_NOMEM.
 */
mxw_status_t mxw__outbound_suspend(mxw_engine_t *engine, const char *user, const char *reason, const char *author, int64_t until_ms);
/* Lifts a suspension, here and on every host that shares. False: it was not suspended. Its quotas begin anew. */
bool mxw__outbound_resume(mxw_engine_t *engine, const char *user, const char *author);
/* Those that are suspended, in no order; `visit` is called without a lock. False without memory. */
bool mxw__outbound_each(mxw_engine_t *engine, void (*visit)(void *ctx, const struct mxw__account *account), void *ctx);

#endif
