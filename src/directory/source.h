/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h: what the sources of this folder share: notices, results, calls without a deadline, sets of names,
 * files that are re-read.
 *
 * Who may call: src/directory; src/lists, which re-reads files as well; src/session, which has calls made beside it.
 * Threads: names are immutable once filled and counted; a watched file may be asked from any thread and
 *          says below what it locks; the rest has no state.
 * Memory:  mxw__names_ref()/unref(); a watch belongs to its source.
 */
#ifndef MXW_SRC_DIRECTORY_SOURCE_H
#define MXW_SRC_DIRECTORY_SOURCE_H

#include <netdb.h>

#include "src/directory/directory.h"

/* ---- notices and results ---- */

/* Every notice begins with "WHAT NAME: ": "directory people: ". */
struct mxw__noticer {
	mxw__notice_fn fn; /* may be NULL: nobody listens */
	void *ctx;
	const char *name;
	const char *what;
};
void mxw__noticef(const struct mxw__noticer *noticer, bool is_error, const char *fmt, ...) MXW_PRINTF(3, 4);

/* Sets outcome and reason, leaves `source` alone. */
void mxw__rcpt_answer(struct mxw__rcpt_result *result, mxw_outcome_t outcome);
void mxw__rcpt_answerf(struct mxw__rcpt_result *result, mxw_outcome_t outcome, const char *fmt, ...)
	MXW_PRINTF(3, 4);
/*
 * Adds the answer of one more source to what is known: found wins, then temporary, then misconfigured, then
 * refused, then unverifiable; what is left is not found by all. Start with MXW_NOT_FOUND.
 * Absent by their copies (MXW__COPY_ABSENT) is only what each of them, or its copy, does not have.
 */
void mxw__rcpt_merge(struct mxw__rcpt_result *all, const struct mxw__rcpt_result *one);

/* Adds one more entry, or answer, of the same recipient: disabled if all are, internal-only if one is, the first class. */
void mxw__rcpt_settings_add(struct mxw__rcpt_settings *all, const struct mxw__rcpt_settings *one);

/* ---- calls without a deadline ---- */

/*
 * getpwnam_r() and getaddrinfo() take as long as they like. Each such call gets a thread, which is left behind if
 * nobody can wait for it any longer; at most `max` of them run at one time, so that a name service that hangs
 * can't use up all threads.
 */
typedef struct mxw__jobs mxw__jobs_t;
typedef struct mxw__job mxw__job_t;
/* NULL: no memory. Ends with the last job. */
mxw__jobs_t *mxw__jobs_new(unsigned max);
void mxw__jobs_unref(mxw__jobs_t *jobs);
/* Runs `run(data)` on a thread that takes no signals. `data` is the job's from now on, until `release(data)`;
 * after a failure too. NULL: no thread, memory or descriptor, or `max` are running. */
mxw__job_t *mxw__job_start(mxw__jobs_t *jobs, void (*run)(void *data), void (*release)(void *data), void *data);
/* Becomes readable when the job is done. */
int mxw__job_fd(const mxw__job_t *job);
/* When it is done what `run` has written may be read. */
bool mxw__job_is_done(mxw__job_t *job);
/* Waits for it; returns mxw__job_is_done(). */
bool mxw__job_wait(mxw__job_t *job, int64_t timeout_ms);
/* `release` is called by the last of the two, who asked and who runs. */
void mxw__job_unref(mxw__job_t *job);

/* ---- host names ---- */

/* The addresses of a host, being looked up. */
typedef struct mxw__resolving mxw__resolving_t;
/* NULL with `ret_found`: it was an address in figures. NULL without: no thread, memory or descriptor, or too many run. */
mxw__resolving_t *mxw__resolving_start(mxw__jobs_t *jobs, const char *host, unsigned port, struct addrinfo **ret_found);
/* Becomes readable when it is done. */
int mxw__resolving_fd(const mxw__resolving_t *name);
bool mxw__resolving_is_done(mxw__resolving_t *name);
/* Lets go of it, done or not. To be freed with freeaddrinfo(); NULL: `ret_why` says why (static). */
struct addrinfo *mxw__resolving_end(mxw__resolving_t *name, const char **ret_why);

/* ---- names ---- */

/* A set of strings, each with a number. Filled by one thread, then read by many. */
typedef struct mxw__names mxw__names_t;
mxw__names_t *mxw__names_new(void);
mxw__names_t *mxw__names_ref(mxw__names_t *names);
void mxw__names_unref(mxw__names_t *names);
/* A name that is there already keeps its number. Errors: MXW_ERR_NOMEM, MXW_ERR_LIMIT (4 GB, a name over 64 KB). */
mxw_status_t mxw__names_add(mxw__names_t *names, const char *name, size_t len, uint32_t number);
/* `ret_number` may be NULL. */
bool mxw__names_find(const mxw__names_t *names, const char *name, size_t len, uint32_t *ret_number);
size_t mxw__names_count(const mxw__names_t *names);

/* ---- files that are read again when they change ---- */

enum { MXW__WATCH_FILE_MAX = 64 * 1024 * 1024 };

/* A file being read; lines that can't be used are told, the first few one by one. */
struct mxw__reading {
	const struct mxw__noticer *noticer;
	const char *path;
	void *ctx;            /* as given to mxw__watch_new() */
	unsigned long nbad;
};
void mxw__reading_bad_line(struct mxw__reading *reading, unsigned long line, const char *what);

/* Cuts the next line off `*rest` (NULL when there is none left); NULs stay where they are. */
char *mxw__next_line(char **rest, const char *end, size_t *ret_len);

/* Fills `names` from `data`, which it may change. Fails only without memory. */
typedef mxw_status_t (*mxw__watch_parse_fn)(struct mxw__reading *reading, char *data, size_t len,
					    mxw__names_t *names);

/* What is made of a file that is no set of names: a content that is counted, and immutable once it was made. */
struct mxw__watch_ops {
	/* NULL: no memory. `data` may be changed. */
	void *(*parse)(struct mxw__reading *reading, char *data, size_t len);
	void (*ref)(void *content);
	void (*unref)(void *content); /* takes NULL */
	size_t (*count)(const void *content);
	const char *without;  /* what it means that the file could never be read: "nobody can be looked up there" */
};

typedef struct mxw__watch mxw__watch_t;
/* `path`, `clock` and `noticer` must outlive the watch. Reads the file; one that can't be read is told and tried
 * again. */
mxw_status_t mxw__watch_new(const char *path, const struct mxw_clock *clock, const struct mxw__noticer *noticer,
			    mxw__watch_parse_fn parse, void *ctx, mxw__watch_t **ret_watch);
/* The same for another content than names; `ops` must outlive the watch, too. */
mxw_status_t mxw__watch_new_of(const char *path, const struct mxw_clock *clock, const struct mxw__noticer *noticer,
			       const struct mxw__watch_ops *ops, void *ctx, mxw__watch_t **ret_watch);
void mxw__watch_free(mxw__watch_t *watch);
/* The newest content of a file that was opened so; as mxw__watch_content() below, and to be given back with its `unref`. */
void *mxw__watch_get(mxw__watch_t *watch, bool *ret_is_settling);
/*
 * Looks a name up in the newest content. At most once a second, and by one caller only, the file is
 * looked at first; the others go on with the content they have. No disk is touched under the lock.
 * MXW_TEMPORARY: the file was never readable, or somebody is writing it in place and the name is not
 * in what was read last.
 */
void mxw__watch_lookup(mxw__watch_t *watch, const char *const *keys, size_t nkeys,
		       struct mxw__rcpt_result *ret_result);

/*
 * The newest content, looked at as above, to be given back with mxw__names_unref(); NULL: it was never readable. While
 * somebody is writing the file it is what was read last, and `ret_is_settling` (may be NULL) is set.
 */
mxw__names_t *mxw__watch_content(mxw__watch_t *watch, bool *ret_is_settling);

/* Parsers, one per file format; those of address files are in file_form.h. */
mxw_status_t mxw__parse_aliases_file(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names);
/* `reading->ctx` points to the smallest uid (uint64_t). */
mxw_status_t mxw__parse_passwd_file(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names);

#endif
