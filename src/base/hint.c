/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "src/base/base.h"

enum { NAME_MAX_LEN = 63 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

/* Damerau's distance with adjacent swaps ("optimal string alignment"), three rows at a time. */
unsigned mxw__name_distance(const char *a, const char *b)
{
	unsigned rows[3][NAME_MAX_LEN + 1];
	unsigned *before = rows[0], *prev = rows[1], *cur = rows[2];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
		return UINT_MAX;
	for (size_t j = 0; j <= lb; j++)
		prev[j] = before[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned differ = mxw__ascii_lower(a[i - 1]) != mxw__ascii_lower(b[j - 1]);
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + differ);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < cur[j])
				cur[j] = before[j - 2] + 1;
		}
		unsigned *spare = before;
		before = prev;
		prev = cur;
		cur = spare;
	}
	return prev[lb];
}

bool mxw__name_is_nearer(const char *a, const char *b, unsigned *best)
{
	unsigned d = mxw__name_distance(a, b);
	size_t len = strlen(a);
	unsigned near = len <= 3 ? 1 : len <= 8 ? 2 : 3;

	if (d > near || d >= *best)
		return false;
	*best = d;
	return true;
}
