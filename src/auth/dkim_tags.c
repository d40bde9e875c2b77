/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/auth/dkim_tags.h"
#include "src/mail/mail.h"

static const char *const tag_names[NTAGS] = {
	"v", "a", "b", "bh", "c", "d", "h", "i", "k", "l", "p", "q", "s", "t", "x",
};

static int find_tag(const char *name, size_t len)
{
	for (int i = 0; i < NTAGS; i++) {
		if (strlen(tag_names[i]) == len && !mxw__ascii_ncasecmp(tag_names[i], name, len))
			return i;
	}
	return -1;
}

/* Keeps a value, blanks removed. False for octets that can't stand in any tag we use, or without room. */
static bool keep_value(struct mxw__dkim_tags *tags, int tag, const char *value, size_t len)
{
	char *to = tags->buf + tags->used;

	if (len >= sizeof(tags->buf) - tags->used)
		return false;
	tags->value[tag] = to;
	for (size_t i = 0; i < len; i++) {
		if (mxw__ascii_isspace(value[i]))
			continue;
		if (value[i] < 0x21 || value[i] > 0x7e) {
			tags->is_beyond_ascii = (unsigned char)value[i] >= 0x80;
			return false;
		}
		*to++ = value[i];
	}
	*to++ = '\0';
	tags->used = (size_t)(to - tags->buf);
	return true;
}

/* None of those, either, may be there twice; and nobody needs so many. */
static bool note_unknown(struct mxw__dkim_tags *tags, const char *name, size_t len)
{
	for (unsigned i = 0; i < tags->nunknown; i++) {
		if (tags->unknown_len[i] == len && !memcmp(tags->unknown[i], name, len))
			return false;
	}
	if (tags->nunknown == MXW__DKIM_MAX_UNKNOWN)
		return false;
	tags->unknown[tags->nunknown] = name;
	tags->unknown_len[tags->nunknown++] = len;
	return true;
}

/* One "name=value". A tag given twice makes the list invalid, also in another case: libopendkim would mix them up. */
static bool read_tag(struct mxw__dkim_tags *tags, const char *text, size_t len)
{
	const char *eq = memchr(text, '=', len);
	const char *name = text;

	if (!eq)
		return false;
	size_t name_len = mxw__tag_trim(&name, (size_t)(eq - text));
	if (!mxw__is_tag_name(name, name_len))
		return false;
	int tag = find_tag(name, name_len);
	if (tags->first == NTAGS)
		tags->first = tag;
	/* It blanks out what follows "b=" when it hashes the field, wherever that stands, and nothing after "b =". */
	if ((eq[-1] == 'b') != (tag == TAG_B))
		tags->is_odd = true;
	if (tag < 0)
		return note_unknown(tags, name, name_len);
	if (tags->value[tag] || memcmp(name, tag_names[tag], name_len) != 0)
		return false;
	return keep_value(tags, tag, eq + 1, len - (size_t)(eq + 1 - text));
}

bool mxw__dkim_tags_read(struct mxw__dkim_tags *tags, const char *text, size_t len)
{
	const char *end = text + len;

	memset(tags->value, 0, sizeof(tags->value));
	tags->first = NTAGS;
	tags->nunknown = 0;
	tags->is_odd = tags->is_beyond_ascii = false;
	tags->used = 0;
	while (text < end) {
		const char *semi = memchr(text, ';', (size_t)(end - text));
		size_t n = (size_t)((semi ? semi : end) - text);
		const char *inside = text;
		/* Only the last tag may be missing, after a final semicolon. */
		if (!mxw__tag_trim(&inside, n))
			return !semi;
		if (!read_tag(tags, text, n))
			return false;
		text += n + 1;
	}
	return true;
}

bool mxw__dkim_list_has(const char *list, const char *word)
{
	size_t wanted = strlen(word);

	for (;; list++) {
		size_t len = strcspn(list, ":");
		if (len == wanted && !mxw__ascii_ncasecmp(list, word, len))
			return true;
		list += len;
		if (!*list)
			return false;
	}
}

bool mxw__dkim_is_base64(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	size_t pad = strspn(s + n, "=");

	return n && pad <= 2 && !s[n + pad];
}
