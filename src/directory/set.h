/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * set.h: what is behind mxw__directories_t, for the files that it is spread over.
 *
 * Who may call: directory.c, domains.c, probe.c.
 * Threads: immutable once made; each source says what it locks.
 */
#ifndef MXW_SRC_DIRECTORY_SET_H
#define MXW_SRC_DIRECTORY_SET_H

#include "src/directory/source.h"

struct mxw__opened {
	const struct mxw__directory_ops *ops;
	struct mxw__directory_env env;
	const char **domains; /* the array that env.domains borrows */
	void *self;
	/* Of a source that could not be opened: what it answers. */
	struct mxw__rcpt_result failure;
};

struct mxw__directories {
	const struct mxw_conf *conf;
	struct mxw__directories_env env;
	mxw__names_t *domains; /* name to index into conf->domains */
	size_t nsources;       /* those opened so far, in the order of conf->directories */
	struct mxw__opened *sources;
};

/* domains.c */
mxw_status_t mxw__domains_init(mxw__directories_t *directories, struct mxw_error *err);
void mxw__domains_fini(mxw__directories_t *directories);
/* The names of all domain sections that ask directory number `index`. To be freed with free(): the array only. NULL: no
 * memory. */
const char **mxw__domains_of_directory(const struct mxw_conf *conf, size_t index, size_t *ret_n);

/*
 * Asks the directories of a domain for one address, as it is. The first that finds decides. Not found needs every one
 * of them to have answered "not found"; one that could not answer makes it temporary (or misconfigured), one that can't
 * tell makes it unverifiable.
 */
void mxw__directories_ask(mxw__directories_t *directories, const struct mxw__domain_conf *domain,
			  const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result);

#endif
