/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/mail/smuggle.h"

/* NUL is passed over wherever it stands: some servers drop it, and then the line is another. */
static bool is_line_end(unsigned char c)
{
	return c == '\r' || c == '\n';
}

static bool starts_with(const struct mxw__smuggle *s, const char *word)
{
	size_t len = strlen(word);

	return s->len >= len && memcmp(s->word, word, len) == 0;
}

/* Could what there is of the word still become one of these? */
static bool is_start_of_command(const struct mxw__smuggle *s)
{
	static const char *const commands[] = {"mail from:", "rcpt to:", "ehlo", "helo", "rset", "noop"};

	for (size_t i = 0; i < MXW_ARRAY_LEN(commands); i++) {
		size_t len = strlen(commands[i]);
		if (memcmp(s->word, commands[i], s->len < len ? s->len : len) == 0)
			return true;
	}
	return s->len == 1 && s->word[0] == '.';
}

/* A line is over, or as much of it as is of interest. */
static void end_line(struct mxw__smuggle *s)
{
	s->state = MXW__SMUGGLE_TEXT;
	if (s->len == 1 && s->word[0] == '.')
		s->has_mail = false;
	else if (starts_with(s, "mail from:"))
		s->has_mail = true;
	else if (!starts_with(s, "ehlo") && !starts_with(s, "helo") && !starts_with(s, "rset") && !starts_with(s, "noop"))
		return;
	s->state = MXW__SMUGGLE_LINE;
	s->len = 0;
}

/* A line that may be a command. Empty ones are the other half of a line end, or there to mislead. */
static void take_in_line(struct mxw__smuggle *s, unsigned char c)
{
	if (is_line_end(c)) {
		if (s->state == MXW__SMUGGLE_REST || s->len > 0)
			end_line(s);
		return;
	}
	if (c == '\0' || s->state == MXW__SMUGGLE_REST)
		return;
	if (s->len == MXW__SMUGGLE_WORD) {
		s->state = MXW__SMUGGLE_REST;
		return;
	}
	s->word[s->len++] = mxw__ascii_lower((char)c);
	if (starts_with(s, "rcpt to:"))
		s->is_found = s->has_mail;
	if (!is_start_of_command(s))
		s->state = MXW__SMUGGLE_TEXT;
}

static void begin_lines(struct mxw__smuggle *s)
{
	s->state = MXW__SMUGGLE_LINE;
	s->has_mail = false;
	s->len = 0;
}

/* In text, only dots are of interest. Returns the next octet to look at. */
static const unsigned char *find_dot(struct mxw__smuggle *s, const unsigned char *p, const unsigned char *end)
{
	const unsigned char *dot = memchr(p, '.', (size_t)(end - p));
	const unsigned char *before = dot ? dot : end;

	/* The last octet before it that is not NUL; there may be none in this piece. */
	while (before > p && before[-1] == '\0')
		before--;
	if (before > p)
		s->is_in_line = !is_line_end(before[-1]);
	if (!dot)
		return end;
	if (!s->is_in_line)
		s->state = MXW__SMUGGLE_DOT;
	s->is_in_line = true;
	return dot + 1;
}

bool mxw__smuggle_scan(struct mxw__smuggle *s, const unsigned char *data, size_t len)
{
	const unsigned char *p = data, *end = data + len;

	while (p < end && !s->is_found) {
		if (s->state == MXW__SMUGGLE_TEXT) {
			p = find_dot(s, p, end);
			continue;
		}
		unsigned char c = *p++;
		if (c != '\0')
			s->is_in_line = !is_line_end(c);
		if (s->state != MXW__SMUGGLE_DOT)
			take_in_line(s, c);
		else if (is_line_end(c))
			begin_lines(s);
		else if (c != '\0' && c != ' ' && c != '\t')
			s->state = MXW__SMUGGLE_TEXT;
	}
	return s->is_found;
}
