/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/mail/mail.h"

/* Copies without folding blanks at both ends and without CR and LF inside. */
static char *copy_unfolded(mxw__arena_t *arena, const char *s, size_t len)
{
	while (len && mxw__ascii_isspace(*s)) {
		s++;
		len--;
	}
	while (len && mxw__ascii_isspace(s[len - 1]))
		len--;
	char *copy = mxw__arena_alloc(arena, len + 1);
	if (!copy)
		return NULL;
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		/* A fold is CRLF (or LF) and the blanks after it: all of it goes (RFC 6376 section 3.2). */
		if (s[i] == '\r' || s[i] == '\n') {
			while (i + 1 < len && mxw__ascii_isspace(s[i + 1]))
				i++;
			continue;
		}
		copy[n++] = s[i];
	}
	copy[n] = '\0';
	return copy;
}

size_t mxw__tag_trim(const char **s, size_t len)
{
	while (len && mxw__ascii_isspace(**s)) {
		(*s)++;
		len--;
	}
	while (len && mxw__ascii_isspace((*s)[len - 1]))
		len--;
	return len;
}

bool mxw__is_tag_name(const char *s, size_t len)
{
	if (len == 0 || !mxw__ascii_isalnum(s[0]) || mxw__ascii_isdigit(s[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!mxw__ascii_isalnum(s[i]) && s[i] != '_')
			return false;
	return true;
}

char *mxw__taglist_get(mxw__arena_t *arena, const char *list, size_t len, const char *tag)
{
	size_t want = strlen(tag);
	const char *found = NULL;
	size_t found_len = 0;
	const char *end = list + len;

	while (list < end) {
		const char *semi = memchr(list, ';', (size_t)(end - list));
		size_t part = (size_t)((semi ? semi : end) - list);
		const char *eq = memchr(list, '=', part);
		const char *name = list;
		if (!eq) {
			/* Only blanks may follow the last semicolon. */
			if (mxw__tag_trim(&name, part) != 0 || semi)
				return NULL;
		} else {
			size_t name_len = mxw__tag_trim(&name, (size_t)(eq - list));
			if (!mxw__is_tag_name(name, name_len))
				return NULL;
			if (name_len == want && memcmp(name, tag, want) == 0) {
				/* RFC 6376 section 3.2: a tag that occurs twice makes the whole list invalid. */
				if (found)
					return NULL;
				found = eq + 1;
				found_len = part - (size_t)(eq + 1 - list);
			}
		}
		if (!semi)
			break;
		list = semi + 1;
	}
	return found ? copy_unfolded(arena, found, found_len) : NULL;
}
