/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notifier.h: tells a person that an account was suspended: by a command, by a mail, or both.
 *
 * A notice waits in a queue of NOTICES_MAX; one thread, which begins with the first, sends one after the other. The command is run
 * without a shell, as its own process group, with nothing but standard input; if it has not ended in time, the group is
 * killed. The mail goes to an SMTP server with the null sender: nothing comes back. sendmail(8) would need a privilege that the
 * daemon's unit takes away.
 *
 * Who may call: session.
 * Threads: send from any; it only queues. The notice function is called on the notifier's thread.
 * Memory:  a queued notice holds a reference on the configuration it goes by.
 * Errors:  what goes wrong is told by the notice function, and not tried again.
 * Standards: RFC 5321 (SMTP), RFC 5322, RFC 3834 (Auto-Submitted).
 */
#ifndef MXW_SRC_SESSION_NOTIFIER_H
#define MXW_SRC_SESSION_NOTIFIER_H

#include <stdatomic.h>

#include "src/conf/conf.h"
#include "src/track/accounts.h"

typedef struct mxw__notifier mxw__notifier_t;

struct mxw__notice {
	struct mxw__account account;
};

mxw_status_t mxw__notifier_new(void (*complain)(void *ctx, const char *text), void *ctx, mxw__notifier_t **ret_notifier);
/* What waits is dropped, and what runs is ended. NULL is allowed. */
void mxw__notifier_free(mxw__notifier_t *notifier);
/* False: too many wait, or there is no thread to be had. */
bool mxw__notifier_send(mxw__notifier_t *notifier, mxw_conf_t *conf, const struct mxw__notice *notice);
/* Waits until nothing waits or runs, at most `timeout_ms` of real time. */
bool mxw__notifier_flush(mxw__notifier_t *notifier, unsigned timeout_ms);

/* ---- what its thread does; `is_cancelled` ends it early ---- */

enum { MXW__NOTICE_TEXT_MAX = 1000 };

/* What is told, in lines that end in LF; printable ASCII. */
void mxw__notice_text(const struct mxw_conf *conf, const struct mxw__notice *notice, char ret_text[MXW__NOTICE_TEXT_MAX]);
/* False, and why not. */
bool mxw__notice_run(const struct mxw_conf *conf, const struct mxw__notice *notice, const atomic_bool *is_cancelled, char *ret_why,
		     size_t size);
bool mxw__notice_mail(const struct mxw_conf *conf, const struct mxw__notice *notice, const atomic_bool *is_cancelled, char *ret_why,
		      size_t size);

#endif
