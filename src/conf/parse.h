/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.h: what lexer and grammar share while they read one file.
 *
 * Who may call: lexer.l, grammar.y and read.c.
 */
#ifndef MXW_SRC_CONF_PARSE_H
#define MXW_SRC_CONF_PARSE_H

#include "src/conf/tree.h"

enum { MXW__SECTION_DEPTH_MAX = 16, MXW__SHOWN_TOKEN_MAX = 40 };

/* What stood before, as far as it matters for the ends of lines. */
enum mxw__before { MXW__BEFORE_LINE, MXW__BEFORE_VALUE };

struct mxw__list {
	struct mxw__node *first, *last;
};

struct mxw__parse {
	struct mxw__reader *reader;
	const char *file;
	struct mxw__node *root;
	/* lexer */
	unsigned line, column;          /* of what comes next */
	enum mxw__before before;
	unsigned depth;                 /* of open sections */
	struct mxw__pos open[MXW__SECTION_DEPTH_MAX];
	const char *open_name[MXW__SECTION_DEPTH_MAX];
	const char *line_name;          /* first word of the line */
	struct mxw__pos line_pos;
	unsigned parens;                /* open in a condition */
	struct mxw__pos paren;
	bool is_skipping;               /* what is left of a line with a mistake */
	bool is_told;                   /* the next mistake of syntax has been complained of already */
	char shown[MXW__SHOWN_TOKEN_MAX + 4]; /* the last token, for complaints */
};

/* Reads `text` into `parse->root`. The text has no NUL and is UTF-8. */
void mxw__parse_text(struct mxw__parse *parse, const char *text, size_t len);

/* ---- for the grammar's actions: NULL when memory is gone, with reader->out_of_memory set ---- */

struct mxw__node *mxw__node_new(struct mxw__parse *parse, const struct mxw__arg *name);
struct mxw__cond *mxw__cond_compare(struct mxw__parse *parse, struct mxw__arg *fact, mxw__op_t op, struct mxw__arg *values);
struct mxw__cond *mxw__cond_is(struct mxw__parse *parse, struct mxw__arg *fact);
struct mxw__cond *mxw__cond_not(struct mxw__parse *parse, struct mxw__cond *a);
struct mxw__cond *mxw__cond_join(struct mxw__parse *parse, bool is_and, struct mxw__cond *a, struct mxw__cond *b);

#endif
