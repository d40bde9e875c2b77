/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lists.h: the lists that the postmaster keeps: sections `list` with their files, and what is added to them while running.
 *
 * What is added while running belongs to a list by its name; it is kept on disk and shared as the sort of state "listed", key
 * LIST/ENTRY, and one that is removed stays for a while as such, so that the others hear of it.
 *
 * Who may call: session, and the public interface behind mxwardctl.
 * Threads: any. One mutex, a leaf, guards what was added while running; nobody waits for a disk under it.
 * Memory:  bounded by max-entries of each list, for its file and for what is added.
 */
#ifndef MXW_SRC_SESSION_LISTS_H
#define MXW_SRC_SESSION_LISTS_H

#include <mxward/session.h>

#include "src/lists/file.h"
#include "src/track/state.h"

enum { MXW__LISTS_ADDED_MAX = 2 * MXW__LISTS_MAX };

/* Texts are borrowed for the call only; "" where there is none. */
struct mxw__list_view {
	const char *list;
	const char *entry;
	int64_t added_ms;              /* wall time; 0: it stands in a file */
	int64_t until_ms;              /* wall time; 0: for good */
	const char *author, *reason;
	unsigned line;                 /* of the file; 0: added while running */
};

/*
 * Adds an entry, or writes it anew. `until_ms` is a wall time, 0 for good; `author` and `reason` may be NULL.
 * MXW_ERR_INVALID: there is no such list, or that is no entry, or no text, for it; MXW_ERR_LIMIT: it is full; MXW_ERR_NOMEM.
 */
mxw_status_t mxw__lists_add(mxw_engine_t *engine, const char *list, const char *entry, int64_t until_ms, const char *author,
			    const char *reason, struct mxw_error *err);
/* MXW_ERR_INVALID: there is no such list or entry, or it stands in the file and is to be removed there. */
mxw_status_t mxw__lists_remove(mxw_engine_t *engine, const char *list, const char *entry, struct mxw_error *err);
/* All entries in force, those of files first. No lock is held while `visit` runs. */
void mxw__lists_each(mxw_engine_t *engine, void (*visit)(void *ctx, const struct mxw__list_view *view), void *ctx);
/* The section of a list; NULL, with `err` filled in. `conf` must outlive it. */
const struct mxw__list_conf *mxw__lists_section(const mxw_conf_t *conf, const char *list, struct mxw_error *err);

/* What is looked for: any of these may be NULL. */
struct mxw__sought {
	const struct mxw_ip *ip;
	const char *name;              /* in A-labels */
	const char *mailbox;
};
/* The entry of each list, if any, by which it has that. No lock is held while `visit` runs. */
void mxw__lists_each_with(mxw_engine_t *engine, const struct mxw__sought *what,
			  void (*visit)(void *ctx, const struct mxw__list_view *view), void *ctx);

/* ---- for lists.c, lists_change.c, lists_show.c and lists_state.c ---- */

/* Chains and entries that are looked at under one lock: a session may wait for it. */
enum { MXW__LISTS_STEP = 256 };

/* What was added to one list while running. */
struct mxw__added_list {
	char name[65];
	size_t max;
	mxw__list_set_t *set;
	size_t next[MXW__STATE_READERS]; /* the chain at which what each reader takes goes on */
	uint64_t nwritten;
	int64_t soonest_ms;            /* wall time before which none of it is done with */
};

/* The files of one configuration. */
struct mxw__list_files {
	atomic_uint refs;
	size_t n;
	mxw__list_file_t *files[MXW__LISTS_MAX]; /* in the order of the sections; NULL: it has none */
};

struct mxw__lists {
	struct mxw_clock clock;
	void (*notice)(void *ctx, bool is_error, const char *text);
	void *notice_ctx;
	pthread_mutex_t mutex;         /* guards the rest; a leaf */
	struct mxw__list_files *files;
	size_t nadded;
	struct mxw__added_list added[MXW__LISTS_ADDED_MAX];
	size_t nchanged[MXW__STATE_READERS];
	size_t most_work;              /* the most chains and entries that were looked at under one lock; and all */
	uint64_t work;
	atomic_bool has_any;           /* was anything ever added? */
};

/* So many chains and entries were looked at since the mutex was taken; for tests. */
static inline void mxw__lists_note_work_locked(struct mxw__lists *lists, size_t seen)
{
	lists->work += seen;
	if (seen > lists->most_work)
		lists->most_work = seen;
}

/* A reference to the files in use. */
struct mxw__list_files *mxw__list_files_ref(struct mxw__lists *lists);
void mxw__list_files_unref(struct mxw__list_files *files);
/* That of a section; NULL: it has none, or another. */
mxw__list_file_t *mxw__list_files_find(const struct mxw__list_files *files, const struct mxw__list_conf *conf);
/* An entry of a set that has it and has not expired; NULL: none. */
const struct mxw__list_item *mxw__lists_find(const mxw__list_set_t *set, const struct mxw__sought *what, int64_t wall_ms);

/* The list of that name; made, for at most `max` entries, if `max` is not 0. NULL: there is none, or no memory or room. */
struct mxw__added_list *mxw__lists_find_locked(struct mxw__lists *lists, const char *name, size_t max);
/* Makes those of the sections, with their bounds. */
void mxw__lists_know_sections(struct mxw__lists *lists, const struct mxw_conf *conf);
/* The wall time until which an entry, or the word that it was removed, is of use. */
int64_t mxw__lists_needed_until(const struct mxw__list_item *item);
/* If the list of that name is full and lacks `key`: takes out, in steps, what nobody needs any more. Takes the mutex itself. */
void mxw__lists_make_room(struct mxw__lists *lists, const char *name, const struct mxw__list_key *key);
/* Writes an entry anew. MXW_ERR_LIMIT, MXW_ERR_NOMEM. */
mxw_status_t mxw__lists_write_locked(struct mxw__lists *lists, struct mxw__added_list *list, const struct mxw__list_line *line,
				     int64_t at_ms, bool is_removed, unsigned changed);

extern const struct mxw__state_sort mxw__lists_sort;

#endif
