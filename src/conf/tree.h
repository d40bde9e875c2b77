/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h: mxward.conf as a tree of entries with their positions, before anybody asked what they mean.
 *
 * Who may call: conf only.
 * Threads: one reader has one owner.
 * Memory:  nodes and texts lie in the reader's arena and live as long as it.
 * Errors:  every mistake becomes a complaint; reading goes on after it.
 */
#ifndef MXW_SRC_CONF_TREE_H
#define MXW_SRC_CONF_TREE_H

#include "src/conf/conf.h"
#include "src/policy/policy.h"

/* ---- complaints ---- */

struct mxw__complaints;

/* Room for all complaints of one run, up to a bound. NULL when memory is gone. */
struct mxw__complaints *mxw__complaints_new(void);
void mxw__complaints_free(struct mxw__complaints *complaints);
void mxw__complain(struct mxw__complaints *complaints, const struct mxw__pos *pos, const char *fmt, ...) MXW_PRINTF(3, 4);
/* What is told and stops nothing. */
void mxw__warn(struct mxw__complaints *complaints, const struct mxw__pos *pos, const char *fmt, ...) MXW_PRINTF(3, 4);
/* Warnings are none. */
bool mxw__complaints_any(const struct mxw__complaints *complaints);
/* Hands them out: files in the order in which they were first complained of, each from top to bottom. */
void mxw__complaints_tell(struct mxw__complaints *complaints, mxw_complain_fn complain, void *ctx);

/* ---- the tree ---- */

/* A value of an entry. */
struct mxw__arg {
	const char *text;
	struct mxw__pos pos;
	bool is_quoted;
	struct mxw__arg *next;
};

/* Part of a condition. */
struct mxw__cond {
	enum { MXW__COND_COMPARE, MXW__COND_IS, MXW__COND_NOT, MXW__COND_AND, MXW__COND_OR } kind;
	unsigned depth;
	struct mxw__arg *fact;          /* compare, is */
	mxw__op_t op;
	struct mxw__arg *values;
	struct mxw__cond *first, *last, *next;
};

/* An entry or section. */
struct mxw__node {
	const char *name;               /* NULL: here was a mistake of syntax */
	struct mxw__pos pos;
	struct mxw__arg *args;
	bool is_section;
	struct mxw__cond *when;         /* of the entry `when` */
	struct mxw__node *first, *last; /* of a section */
	struct mxw__node *next;
};

/* ---- reading ---- */

struct mxw__reader {
	mxw__arena_t *arena;
	struct mxw__complaints *complaints;
	bool out_of_memory;
	unsigned nfiles;
};

/*
 * Reads a file and what it includes, each in the place of its `include`. NULL if memory is gone or `path` itself can't
 * be read (MXW_ERR_SYSTEM in ret_status then).
 */
struct mxw__node *mxw__read_file(struct mxw__reader *reader, const char *path, mxw_status_t *ret_status);
/* The same from memory; included files are looked for in the working directory. */
struct mxw__node *mxw__read_text(struct mxw__reader *reader, const char *name, const char *text, size_t len,
				 mxw_status_t *ret_status);

/* `path` as seen from the file `from`: absolute as it is, else below that file's directory. NULL without memory. */
char *mxw__path_from(mxw__arena_t *arena, const char *from, const char *path);

#endif
