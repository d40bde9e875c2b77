/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/track/state.h"

/* What turns the direction of writing round, or begins a line, would make a text look like another one. */
static bool is_harmless(uint32_t c)
{
	return c >= 0xa0 && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff) && c != 0x200e && c != 0x200f &&
	       !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff;
}

/* Octets of the character in UTF-8 that begins here; 0: none that may be shown does. */
static size_t char_len(const char *text, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)text;

	if (s[0] < 0x80)
		return s[0] >= ' ' && s[0] != 0x7f;
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	uint32_t c = s[0] & (0x7fu >> n);
	if (s[0] < 0xc0 || s[0] > 0xf7 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	return c >= least[n] && is_harmless(c) ? n : 0;
}

void mxw__state_copy_text(char *ret_text, size_t size, const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0, k; i < len; i += k ? k : 1) {
		k = char_len(text + i, len - i);
		if (n + (k ? k : 1) >= size)
			break;
		if (k)
			memcpy(ret_text + n, text + i, k);
		else
			ret_text[n] = '?';
		n += k ? k : 1;
	}
	ret_text[n] = '\0';
}
