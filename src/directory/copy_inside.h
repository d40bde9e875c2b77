/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy_inside.h: what the offline copy of a directory consists of.
 *
 * copy.c begins and ends it and has its thread; copy_pull.c makes one list; copy_use.c is asked by look-ups.
 *
 * Who may call: copy.c, copy_pull.c, copy_use.c.
 * Threads: `lock` guards what is marked so; nothing is read, written or searched under it. All else belongs to the
 *          copy's thread once that runs.
 * Memory:  a map is counted; who takes one out of `in_use` under the lock holds it until he lets go.
 */
#ifndef MXW_SRC_DIRECTORY_COPY_INSIDE_H
#define MXW_SRC_DIRECTORY_COPY_INSIDE_H

#include "src/directory/copy.h"

enum { MXW__COPY_MISSED_MAX = 16, MXW__COPY_PATH_SIZE = 4096 };

/* A list in use, and what tells its age. */
struct mxw__copy_in_use {
	mxw__copy_map_t *map;  /* NULL: there is none */
	int64_t since_ms;      /* monotonic: when it came into use */
	int64_t age_ms;        /* what it was then */
	bool is_clock_suspect; /* how old it is can't be known */
	/* What the directory has found since: */
	uint64_t agreed;       /* so often what the list has */
	uint64_t disagreed;    /* so often what it has not */
	size_t nmissed;        /* the first few different addresses of these */
	unsigned char missed[MXW__COPY_MISSED_MAX][MXW__COPY_HASH_SIZE];
};

struct mxw__copy {
	const struct mxw__directory_env *env;
	const struct mxw__directory_ops *ops;
	void *self;
	struct mxw__noticer noticer;
	char path[MXW__COPY_PATH_SIZE];
	/* of the thread, after mxw__copy_start() */
	bool is_ready;       /* key and file have been looked at */
	struct mxw__copy_keys keys;
	unsigned char print[MXW__COPY_PRINT_SIZE];
	unsigned failures;   /* one after the other */
	char told[200];
	int64_t due_ms;      /* monotonic */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under lock */
	bool is_stopping;
	struct mxw__copy_in_use in_use; /* changed by the thread alone, but for what the directory has found */
};

/* ---- copy.c ---- */

/* Loads key and file. False: `ret_err` says why there can't be a copy yet. */
bool mxw__copy_get_ready(mxw__copy_t *copy, struct mxw_error *ret_err);
/* Tells it, unless that was the last thing told. */
void mxw__copy_complain(mxw__copy_t *copy, const char *why);

/* ---- copy_use.c ---- */

int64_t mxw__copy_wall_ms(const mxw__copy_t *copy);
int64_t mxw__copy_mono_ms(const mxw__copy_t *copy);
/* By both clocks, whichever says more: one does not run while the machine sleeps, the other can be set back. */
int64_t mxw__copy_age_of(const mxw__copy_t *copy, const struct mxw__copy_in_use *list);
/* Nothing is known of a list that was partial until the directory finds something. */
bool mxw__copy_is_partial(const struct mxw__copy_in_use *list);
/* Takes the place of the list before, which is let go of. Takes the lock. */
void mxw__copy_put_in_use(mxw__copy_t *copy, const struct mxw__copy_in_use *list);
bool mxw__copy_has_domain_bases(const struct mxw__directory_conf *conf);

#endif
