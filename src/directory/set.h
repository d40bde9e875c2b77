/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * set.h: what is behind mxw__directories_t, for the files that it is spread over.
 *
 * Who may call: directory.c, domains.c, probe.c, kept.c, refresh.c.
 * Threads: immutable once made, but for atomics; each source says what it locks.
 */
#ifndef MXW_SRC_DIRECTORY_SET_H
#define MXW_SRC_DIRECTORY_SET_H

#include <stdatomic.h>

#include "src/directory/cache.h"
#include "src/directory/copy.h"
#include "src/directory/source.h"

/* refresh.c: asks again in the background. */
typedef struct mxw__refresher mxw__refresher_t;

struct mxw__opened {
	const struct mxw__directory_ops *ops;
	struct mxw__directory_env env;
	const char **domains; /* the array that env.domains borrows */
	void *self;
	mxw__copy_t *copy; /* NULL: it has none */
	/* Of a source that could not be opened: what it answers. */
	struct mxw__rcpt_result failure;
	/* Its answers are kept, for so long and under these keys. */
	bool is_kept;
	struct mxw__rcpt_lifetimes lifetimes;
	struct mxw__rcpt_cache_keys keys;
	_Atomic int64_t failed_at_ms; /* when it last could not answer, INT64_MIN: it can */
	_Atomic int64_t probed_at_ms; /* when it was last asked in the background while it could not */
};

struct mxw__directories {
	const struct mxw_conf *conf;
	struct mxw__directories_env env;
	mxw__names_t *domains; /* the names and hosts of all domain sections; domains.c knows what their numbers mean */
	bool has_wildcards;    /* ".example.net" among them */
	size_t ndomain_files;
	struct mxw__domain_file *domain_files;
	size_t nsources;       /* those opened so far, in the order of conf->directories */
	struct mxw__opened *sources;
	mxw__refresher_t *refresher; /* NULL: nothing is kept, or no thread was to be had */
};

/* domains.c */
mxw_status_t mxw__domains_init(mxw__directories_t *directories, struct mxw_error *err);
void mxw__domains_fini(mxw__directories_t *directories);
/* What a name is to us. */
struct mxw__domain_match {
	const struct mxw__domain_conf *conf;
	bool is_host; /* its recipients are those of the section's first name */
	bool is_below; /* it is not named itself */
};
/*
 * `domain` in the form of struct mxw__address. MXW_TEMPORARY: a list that might have it was never readable; its section is
 * matched.
 */
mxw_outcome_t mxw__directories_match(const mxw__directories_t *directories, const char *domain,
				     struct mxw__domain_match *ret_match);
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

/* The source itself, without what is kept of it. */
void mxw__source_ask(const struct mxw__opened *source, const struct mxw__rcpt_query *query,
		     struct mxw__rcpt_result *ret_one);

/* ---- kept.c: answers of a source that are kept ---- */

void mxw__kept_init(struct mxw__opened *source, mxw__rcpt_cache_t *cache);

/* One question on its way. */
struct mxw__kept {
	struct mxw__rcpt_cache_key key;
	mxw__rcpt_state_t state;
	struct mxw__rcpt_known known; /* unless nothing is kept */
	bool is_background;
	bool is_late; /* there was no time left to ask */
};
/*
 * True: answered by what is kept. Starts a question in the background where one is due. Else the source has to be asked,
 * and mxw__kept_learn() to be told what it said.
 */
bool mxw__kept_answer(mxw__directories_t *directories, struct mxw__opened *source, const struct mxw__rcpt_query *query,
		      struct mxw__kept *ret_kept, struct mxw__rcpt_result *ret_one);
/* Keeps what the source said; where it could not answer, what it said before takes the place of `one`. */
void mxw__kept_learn(mxw__directories_t *directories, struct mxw__opened *source, const struct mxw__rcpt_query *query,
		     const struct mxw__kept *kept, struct mxw__rcpt_result *one);

/* ---- refresh.c ---- */

/* NULL: no memory or no thread. `directories` must outlive it, with its sources. */
mxw__refresher_t *mxw__refresher_new(mxw__directories_t *directories);
/* Ends within about a second, whatever the sources do. NULL is allowed. */
void mxw__refresher_free(mxw__refresher_t *refresher);
/* Asks again, if nobody does already and there is room to wait. */
void mxw__refresher_add(mxw__refresher_t *refresher, struct mxw__opened *source, struct mxw__rcpt_cache_key key,
			const struct mxw__address *address);

#endif
