/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory.h: where recipients are looked up. Each source (file.c, system.c, ldap*.c) ends in one const
 * struct of callbacks; directory.c names them all.
 *
 * Who may call: check (recipient.c), session (to make and end a set).
 * Threads: a look-up may come from any thread at any time; each source says what it locks. No network or disk
 *          call happens under a lock. A set has threads of its own: make it after the process has forked.
 * Memory:  a set belongs to the snapshot and ends with it; results are the caller's struct.
 * Errors:  the four outcomes. A source that can't be opened becomes one that answers MXW_TEMPORARY or
 *          MXW_MISCONFIGURED to every question and goes on trying: the daemon serves on with less.
 */
#ifndef MXW_SRC_DIRECTORY_DIRECTORY_H
#define MXW_SRC_DIRECTORY_DIRECTORY_H

#include "src/base/base.h"
#include "src/conf/conf.h"
#include "src/mail/mail.h"

typedef struct mxw__directories mxw__directories_t;

/* How a source speaks of its own health: "directory staff: ldap1...: Can't contact LDAP server". Rate-limited by the
 * callee (a change of state is told once). Same levels and rules as mxw_engine_options.log. */
typedef void (*mxw__notice_fn)(void *ctx, bool is_error, const char *text);

struct mxw__rcpt_query {
	const struct mxw__address *address;
	int64_t deadline_ms; /* monotonic, on `clock` */
};

struct mxw__rcpt_result {
	mxw_outcome_t outcome;
	const char *source;  /* the directory's name that decided; borrowed from the configuration */
	char reason[160];    /* for a temporary failure or misconfiguration: one line, no secret, no peer data */
};

struct mxw__directory_ops {
	const char *type;
	/* Makes the source; must not touch the network. `ret_self` is handed to the other two. */
	mxw_status_t (*open)(const struct mxw__directory_conf *conf, const struct mxw_clock *clock,
			     mxw__notice_fn notice, void *notice_ctx, void **ret_self, struct mxw_error *err);
	void (*lookup)(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result);
	void (*close)(void *self);
};

extern const struct mxw__directory_ops mxw__directory_file;
extern const struct mxw__directory_ops mxw__directory_system;
extern const struct mxw__directory_ops mxw__directory_ldap;

/* Opens every directory of the configuration, which must outlive the set. */
mxw_status_t mxw__directories_new(const struct mxw_conf *conf, const struct mxw_clock *clock, mxw__notice_fn notice,
				  void *notice_ctx, mxw__directories_t **ret_directories, struct mxw_error *err);
void mxw__directories_free(mxw__directories_t *directories);

/* The domain section that serves this domain, or NULL: not ours. `domain` is lower case. */
const struct mxw__domain_conf *mxw__directories_domain(const mxw__directories_t *directories, const char *domain);

/*
 * Asks the directories of a domain in their order. The first that finds decides. Not found needs every one of
 * them to have answered "not found"; one that could not answer makes it temporary (or misconfigured).
 * An address that is not found as it is, and has one of the domain's delimiters, is asked for again without what
 * follows it. postmaster and abuse are found, unless the domain says that they are to be looked up.
 */
void mxw__directories_lookup(mxw__directories_t *directories, const struct mxw__domain_conf *domain,
			     const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result);

#endif
