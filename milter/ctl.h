/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ctl.h: what the files of mxwardctl share.
 *
 *    ctl.c        options and commands
 *    ctl_ask.c    finds the daemon, says a line, takes the answer
 *    ctl_show.c   what was answered, for people and as JSON
 *
 * Nothing that was ever said by a client reaches the terminal but as printable ASCII.
 */
#ifndef MXW_MILTER_CTL_H
#define MXW_MILTER_CTL_H

#include "milter/words.h"

/* How a value is shown. */
typedef enum mwd_column_form {
	MWD_COLUMN_TEXT,
	MWD_COLUMN_NUMBER,
	MWD_COLUMN_PAST,  /* a time: "3m ago", "-" for 0; a number of milliseconds in JSON */
	MWD_COLUMN_FUTURE,/* "in 3m"; "for good" for 0 */
	MWD_COLUMN_FREE   /* the same; "-" for 0 */
} mwd_column_form_t;

struct mwd_column {
	const char *name;   /* in the answer, and in JSON */
	const char *title;  /* NULL: in JSON only */
	mwd_column_form_t form;
};

/* Asks, with a deadline; `ret_answer` is to be freed with mwd_text_fini(). 0 or an exit code, after a word on standard error. */
int mwd_ctl_ask(const char *socket_path, const char *line, struct mwd_text *ret_answer);

/* Records of the answer that have the first column as a table with aligned columns, or as an array of objects. `columns` end with a name of NULL. */
void mwd_ctl_show_table(const char *answer, const struct mwd_column *columns, bool is_json, int64_t now_ms);
/* The answer to "show": one key, what it did how often, what it has used up of limits, and which lists have it. */
void mwd_ctl_show_entry(const char *answer, bool is_json, int64_t now_ms);
/* The answer to "stats": group.name and the value; as JSON, an object of objects. */
void mwd_ctl_show_stats(const char *answer, bool is_json);

#endif
