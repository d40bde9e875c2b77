/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/base/base.h"

char mxw__ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool mxw__ascii_isdigit(char c)
{
	return c >= '0' && c <= '9';
}

bool mxw__ascii_isalnum(char c)
{
	char l = mxw__ascii_lower(c);
	return mxw__ascii_isdigit(c) || (l >= 'a' && l <= 'z');
}

bool mxw__ascii_isspace(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int mxw__ascii_ncasecmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)mxw__ascii_lower(a[i]);
		unsigned char y = (unsigned char)mxw__ascii_lower(b[i]);
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return 0;
	}
	return 0;
}

int mxw__ascii_casecmp(const char *a, const char *b)
{
	return mxw__ascii_ncasecmp(a, b, SIZE_MAX);
}

void mxw__ascii_lower_str(char *s)
{
	for (; *s; s++)
		*s = mxw__ascii_lower(*s);
}

bool mxw__domain_is_below(const char *host, const char *domain)
{
	size_t h = strlen(host), d = strlen(domain);

	if (h < d || mxw__ascii_casecmp(host + (h - d), domain) != 0)
		return false;
	return h == d || host[h - d - 1] == '.';
}
