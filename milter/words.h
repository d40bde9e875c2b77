/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.h: lines of words, as mxwardctl and the daemon exchange them. A word is bare, or stands in double quotes with \" \\ and
 * \xHH, as values in the log do; NAME="..." is one word, too.
 *
 * Threads: no state.
 * Memory:  a text is bounded by `max`; after a failure it keeps what it had, and `failed` stays set.
 */
#ifndef MXW_MILTER_WORDS_H
#define MXW_MILTER_WORDS_H

#include "milter/mwd.h"

enum { MWD_WORDS_MAX = 16 };

struct mwd_text {
	char *data; /* NULL, or NUL-terminated */
	size_t len, cap, max;
	bool failed;
};
void mwd_text_init(struct mwd_text *text, size_t max);
void mwd_text_fini(struct mwd_text *text);
void mwd_text_add(struct mwd_text *text, const char *data, size_t len);
void mwd_text_addf(struct mwd_text *text, const char *fmt, ...) MWD_PRINTF(2, 3);
/* A word of a line: quoted, if it needs that. */
void mwd_text_add_word(struct mwd_text *text, const char *word);
/* " NAME=WORD", without the blank in front at the beginning of a line. */
void mwd_text_add_pair(struct mwd_text *text, const char *name, const char *word);

/*
 * Takes a line without its newline apart, in place. Returns how many words it has, 0 for none; -1: there are more than
 * MWD_WORDS_MAX, quotes that do not end, or characters that are no printable ASCII outside of \xHH, or \x00.
 */
int mwd_words_split(char *line, char *ret_words[MWD_WORDS_MAX]);

#endif
