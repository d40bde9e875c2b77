/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milter/words.h"

/* ---- writing ---- */

void mwd_text_init(struct mwd_text *text, size_t max)
{
	*text = (struct mwd_text){.max = max};
}

void mwd_text_fini(struct mwd_text *text)
{
	free(text->data);
	*text = (struct mwd_text){0};
}

static bool make_room(struct mwd_text *text, size_t len)
{
	size_t cap = text->cap ? text->cap : 256;

	if (text->failed || len > text->max || text->len > text->max - len)
		return false;
	while (cap <= text->len + len)
		cap *= 2;
	if (cap == text->cap)
		return true;
	char *data = realloc(text->data, cap);
	if (!data)
		return false;
	text->data = data;
	text->cap = cap;
	return true;
}

void mwd_text_add(struct mwd_text *text, const char *data, size_t len)
{
	if (!make_room(text, len)) {
		text->failed = true;
		return;
	}
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void mwd_text_addf(struct mwd_text *text, const char *fmt, ...)
{
	char part[1024];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(part, sizeof part, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof part)
		text->failed = true;
	else
		mwd_text_add(text, part, (size_t)n);
}

static bool is_printable(char c)
{
	return c >= ' ' && c < 0x7f;
}

static bool is_bare(const char *word)
{
	for (const char *s = word; *s; s++)
		if (!is_printable(*s) || strchr(" \"\\=", *s))
			return false;
	return *word != '\0';
}

void mwd_text_add_word(struct mwd_text *text, const char *word)
{
	if (is_bare(word)) {
		mwd_text_add(text, word, strlen(word));
		return;
	}
	mwd_text_add(text, "\"", 1);
	for (const char *s = word; *s; s++) {
		if (*s == '"' || *s == '\\')
			mwd_text_addf(text, "\\%c", *s);
		else if (is_printable(*s))
			mwd_text_add(text, s, 1);
		else
			mwd_text_addf(text, "\\x%02x", (unsigned char)*s);
	}
	mwd_text_add(text, "\"", 1);
}

void mwd_text_add_pair(struct mwd_text *text, const char *name, const char *word)
{
	bool is_first = text->len == 0 || text->data[text->len - 1] == '\n';

	mwd_text_addf(text, "%s%s=", is_first ? "" : " ", name);
	mwd_text_add_word(text, word);
}

/* ---- reading ---- */

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* One character behind a backslash; moves on behind it. -1: there is none. */
static int read_escape(const char **at)
{
	const char *s = *at;

	if (*s == '"' || *s == '\\') {
		*at = s + 1;
		return *s;
	}
	int high = *s == 'x' ? hex_value(s[1]) : -1;
	int low = high >= 0 ? hex_value(s[2]) : -1;
	if (low < 0 || high + low == 0)
		return -1;
	*at = s + 3;
	return high * 16 + low;
}

/* What stands in quotes, without them; moves on behind them. It never gets longer, so it is written where it stood. */
static bool read_quoted(const char **at, char **to)
{
	const char *s = *at + 1;

	while (*s && *s != '"') {
		int c = *s;
		if (!is_printable(*s))
			return false;
		s++;
		if (c == '\\' && (c = read_escape(&s)) < 0)
			return false;
		*(*to)++ = (char)c;
	}
	*at = s + 1;
	return *s == '"';
}

static bool read_word(const char **at, char **to)
{
	while (**at && **at != ' ') {
		if (**at == '"') {
			if (!read_quoted(at, to))
				return false;
		} else if (is_printable(**at)) {
			*(*to)++ = *(*at)++;
		} else {
			return false;
		}
	}
	return true;
}

int mwd_words_split(char *line, char *ret_words[MWD_WORDS_MAX])
{
	const char *at = line;
	char *to = line;
	int n = 0;

	for (;;) {
		at += strspn(at, " ");
		if (!*at)
			return n;
		if (n == MWD_WORDS_MAX)
			return -1;
		ret_words[n++] = to;
		if (!read_word(&at, &to))
			return -1;
		/* The blank behind it, or the end, has its place. */
		bool is_last = !*at;
		at += !is_last;
		*to++ = '\0';
		if (is_last)
			return n;
	}
}
