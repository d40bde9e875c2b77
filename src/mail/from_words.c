/* SPDX-License-Identifier: BSD-2-Clause */
/* from_words.c: encoded words (RFC 2047), as far as they may hide what looks like an address. */
#include "config.h"

#include <string.h>

#include "src/mail/from_parts.h"

enum { CHARSET_MAX = 64 };

struct encoded_word {
	char encoding;                  /* 'b' or 'q' */
	const char *text, *end;         /* `end` is at "?=" */
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = mxw__ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int base64(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(alphabet, c) : NULL;

	return p ? (int)(p - alphabet) : -1;
}

/* UTF-16 has a NUL beside each octet of ASCII; in other charsets there is none. */
static void add(struct mxw__buf *out, unsigned octet)
{
	if (octet & 0xff)
		mxw__buf_addc(out, (char)(octet & 0xff));
}

static void decode_q(const char *s, const char *end, struct mxw__buf *out)
{
	for (; s < end; s++) {
		if (*s == '=' && end - s > 2 && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			add(out, (unsigned)hex(s[1]) << 4 | (unsigned)hex(s[2]));
			s += 2;
		} else {
			mxw__buf_addc(out, *s == '_' ? ' ' : *s);
		}
	}
}

static void decode_b(const char *s, const char *end, struct mxw__buf *out)
{
	uint32_t bits = 0;
	unsigned n = 0;

	for (; s < end; s++) {
		int v = base64(*s);
		if (v < 0)
			continue;
		bits = bits << 6 | (uint32_t)v;
		n += 6;
		if (n >= 8) {
			n -= 8;
			add(out, bits >> n);
		}
	}
}

/*
 * Is one at `s`? Its text ends at the next question mark, so that no octet is looked at more than twice. Blanks in it are
 * against the standard, and programs decode it all the same.
 */
static bool word_at(const char *s, const char *end, struct encoded_word *ret)
{
	const char *p = s + 2, *limit = (size_t)(end - p) > CHARSET_MAX ? p + CHARSET_MAX : end;

	while (p < limit && *p != '?' && *p > ' ')
		p++;
	if (p == s + 2 || end - p < 5 || p[0] != '?' || p[2] != '?')
		return false;
	ret->encoding = mxw__ascii_lower(p[1]);
	ret->text = p + 3;
	ret->end = memchr(ret->text, '?', (size_t)(end - ret->text));
	return (ret->encoding == 'b' || ret->encoding == 'q') && ret->end && end - ret->end > 1 && ret->end[1] == '=';
}

bool mxw__from_decode_words(const char *text, size_t len, struct mxw__buf *out)
{
	const char *s = text, *end = text + len;
	bool has_any = false;

	while (s < end && !out->failed) {
		struct encoded_word word;
		if (end - s < 2 || s[0] != '=' || s[1] != '?' || !word_at(s, end, &word)) {
			mxw__buf_addc(out, *s++);
			continue;
		}
		has_any = true;
		if (word.encoding == 'b')
			decode_b(word.text, word.end, out);
		else
			decode_q(word.text, word.end, out);
		s = word.end + 2;
		/* Blanks between two of them are not shown. */
		const char *next = s;
		while (next < end && mxw__ascii_isspace(*next))
			next++;
		if (end - next > 1 && next[0] == '=' && next[1] == '?')
			s = next;
	}
	return has_any && !out->failed;
}
