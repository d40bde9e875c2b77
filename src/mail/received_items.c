/* SPDX-License-Identifier: BSD-2-Clause */
/* received_items.c: a Received field cut into words, comments and what stands in angle brackets. */
#include "config.h"

#include <string.h>

#include "src/mail/received.h"

enum { DEPTH_MAX = 8 };

static struct mxw__item make_item(mxw__item_kind_t kind, const char *s, const char *end)
{
	return (struct mxw__item){kind, {s, (size_t)(end - s)}};
}

/*
 * A backslash quotes nothing: MTAs write none, and a client's must not hide a parenthesis. One before a parenthesis may have been
 * meant to.
 */
static struct mxw__item read_comment(const char **s)
{
	const char *begin = *s + 1;
	unsigned depth = 1;
	const char *p = begin;

	for (; *p; p++) {
		if ((*p == '(' || *p == ')') && p[-1] == '\\')
			break;
		if (*p == '(' && ++depth > DEPTH_MAX)
			break;
		if (*p == ')' && --depth == 0) {
			*s = p + 1;
			return make_item(MXW__ITEM_COMMENT, begin, p);
		}
	}
	return make_item(MXW__ITEM_BAD, begin, p);
}

/*
 * Exim has the sender in a comment as it came, and "a) (b"@example.net is a sender. So this one ends with ">)"; a second
 * '<' before that would be another address, and what lies between perhaps the server's own words.
 */
static struct mxw__item read_sender(const char **s, size_t skip)
{
	const char *begin = *s + 1;
	const char *address = begin + skip;
	const char *end = strstr(address, ">)");

	if (!end || memchr(address, '<', (size_t)(end - address)))
		return make_item(MXW__ITEM_BAD, begin, address);
	*s = end + 2;
	return make_item(MXW__ITEM_COMMENT, begin, end + 1);
}

/* An address, of the recipient for one. It must not run over what lies between it and the next bracket. */
static struct mxw__item read_angle(const char **s)
{
	const char *begin = *s + 1;
	const char *p = begin;

	while (*p && !strchr("<>() \t\r\n;", *p))
		p++;
	if (*p != '>')
		return make_item(MXW__ITEM_BAD, begin, p);
	*s = p + 1;
	return make_item(MXW__ITEM_ANGLE, begin, p);
}

static bool is_word_char(char c)
{
	return c && !strchr("()<>;\"\\", c) && !mxw__ascii_isspace(c);
}

struct mxw__item mxw__item_next(const char **s)
{
	static const char sender[] = "(envelope-from <";

	while (mxw__ascii_isspace(**s))
		(*s)++;
	const char *p = *s;
	switch (*p) {
	case '\0':
		return make_item(MXW__ITEM_END, p, p);
	case '(':
		return strncmp(p, sender, sizeof sender - 1) == 0 ? read_sender(s, sizeof sender - 2) : read_comment(s);
	case '<':
		return read_angle(s);
	case ';':
		(*s)++;
		return make_item(MXW__ITEM_SEMICOLON, p, p);
	default:
		while (is_word_char(**s))
			(*s)++;
		return make_item(*s == p ? MXW__ITEM_BAD : MXW__ITEM_WORD, p, *s);
	}
}

bool mxw__item_is_word(const struct mxw__item *item, const char *word)
{
	return item->kind == MXW__ITEM_WORD && mxw__span_is(item->text, word);
}
