/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/base/base.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000}, {NULL, 0},
};

static const struct unit sizes[] = {
	{"", 1}, {"K", 1024}, {"M", 1048576}, {"G", 1073741824}, {NULL, 0},
};

/* Reads leading digits; returns what follows them, or NULL. */
static const char *read_digits(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!mxw__ascii_isdigit(*s))
		return NULL;
	for (; mxw__ascii_isdigit(*s); s++) {
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return NULL;
	}
	*ret = v;
	return s;
}

static bool parse_unit(const char *s, const struct unit *units, uint64_t *ret)
{
	uint64_t v;
	const char *rest = read_digits(s, &v);

	if (!rest)
		return false;
	for (; units->name; units++)
		if (strcmp(rest, units->name) == 0)
			return !__builtin_mul_overflow(v, units->factor, ret);
	return false;
}

bool mxw__parse_u64(const char *s, uint64_t *ret)
{
	uint64_t v;
	const char *rest = read_digits(s, &v);

	if (!rest || *rest)
		return false;
	*ret = v;
	return true;
}

bool mxw__parse_duration(const char *s, uint64_t *ret_ms)
{
	if (strcmp(s, "0") == 0) {
		*ret_ms = 0;
		return true;
	}
	return parse_unit(s, durations, ret_ms);
}

bool mxw__parse_size(const char *s, uint64_t *ret)
{
	return parse_unit(s, sizes, ret);
}

bool mxw__parse_rate(const char *s, bool is_size, uint64_t *ret_count, uint64_t *ret_window_ms)
{
	enum { NUMBER_MAX = 31 };
	size_t len = strcspn(s, "/");
	char number[NUMBER_MAX + 1];

	if (!s[len] || len > NUMBER_MAX)
		return false;
	memcpy(number, s, len);
	number[len] = '\0';
	return (is_size ? mxw__parse_size(number, ret_count) : mxw__parse_u64(number, ret_count)) &&
	       mxw__parse_duration(s + len + 1, ret_window_ms);
}
