/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of a list, and the times in it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/lists/entry.h"

/* ---- times ---- */

enum { DAY_S = 24 * 60 * 60 };

/* Days since 1970-01-01 (Gregorian): timegm() is in no standard. */
static int64_t days_of(int year, int month, int day)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t y = year - (month <= 2); /* of leap days, those before this March */

	return (year - 1970) * INT64_C(365) + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400) + before[month - 1] +
	       day - 1;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

/* The figures of `text`, where `form` has '0', as numbers; every other character must be the same. */
static bool read_form(const char *text, const char *form, int *ret_numbers)
{
	bool in_number = false;

	for (; *form; form++, text++) {
		if (*form != '0') {
			if (*text != *form)
				return false;
			ret_numbers += in_number;
			in_number = false;
			continue;
		}
		if (!mxw__ascii_isdigit(*text))
			return false;
		*ret_numbers = (in_number ? *ret_numbers * 10 : 0) + (*text - '0');
		in_number = true;
	}
	return *text == '\0';
}

bool mxw__list_time_parse(const char *text, size_t len, int64_t *ret_ms)
{
	char copy[32];
	int n[6] = {0};
	int64_t seconds = DAY_S;

	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (strlen(copy) != len)
		return false;
	if (read_form(copy, "0000-00-00T00:00:00Z", n))
		seconds = n[3] * 3600 + n[4] * 60 + n[5];
	else if (!read_form(copy, "0000-00-00", n))
		return false;
	if (n[0] < 1970 || n[1] < 1 || n[1] > 12 || n[2] < 1 || n[2] > days_in(n[0], n[1]) || n[3] > 23 || n[4] > 59 || n[5] > 60)
		return false;
	int64_t ms = (days_of(n[0], n[1], n[2]) * DAY_S + seconds) * 1000;
	/* 0 is for ever. */
	*ret_ms = ms ? ms : 1;
	return true;
}

char *mxw__list_time_format(int64_t ms, char ret_text[MXW__LIST_TIME_MAX])
{
	int64_t days = ms / 1000 / DAY_S;
	int s = (int)(ms / 1000 % DAY_S), year = 1970, month = 1;

	ret_text[0] = '\0';
	if (ms <= 0 || days > days_of(9999, 12, 31))
		return ret_text;
	year += (int)(days / 366);
	while (days_of(year + 1, 1, 1) <= days)
		year++;
	while (month < 12 && days_of(year, month + 1, 1) <= days)
		month++;
	snprintf(ret_text, MXW__LIST_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, (int)(days - days_of(year, month, 1)) + 1, s / 3600,
		 s / 60 % 60, s % 60);
	return ret_text;
}

/* ---- lines ---- */

static size_t skip_blanks(const char *s, size_t len, size_t i)
{
	while (i < len && mxw__ascii_isspace(s[i]))
		i++;
	return i;
}

static size_t word_end(const char *s, size_t len, size_t i)
{
	while (i < len && !mxw__ascii_isspace(s[i]))
		i++;
	return i;
}

/* The value at `*i`, a word or a text in quotes, in which a backslash takes the next character as it is. False: it is none, or too long. */
static bool read_value(const char *s, size_t len, size_t *i, char *ret_value, size_t size)
{
	bool is_quoted = *i < len && s[*i] == '"';
	size_t n = 0;

	for (*i += is_quoted; *i < len; (*i)++) {
		char c = s[*i];
		if (is_quoted ? c == '"' : mxw__ascii_isspace(c))
			break;
		if (is_quoted && c == '\\' && *i + 1 < len)
			c = s[++*i];
		if (c == '\0' || n + 1 >= size)
			return false;
		ret_value[n++] = c;
	}
	ret_value[n] = '\0';
	if (!is_quoted)
		return n > 0;
	if (*i >= len)
		return false;
	++*i;
	return *i >= len || mxw__ascii_isspace(s[*i]);
}

static bool is_key(const char *s, size_t len, const char *key)
{
	return len == strlen(key) && memcmp(s, key, len) == 0;
}

static bool complain(char *ret_complaint, const char *what)
{
	snprintf(ret_complaint, MXW__LIST_COMPLAINT_MAX, "%s", what);
	return false;
}

/* One "key=value". */
static bool read_pair(const char *s, size_t len, size_t *i, struct mxw__list_line *l, char *ret_complaint)
{
	const char *key = s + *i, *equals = memchr(key, '=', word_end(s, len, *i) - *i);
	char value[MXW__LIST_REASON_MAX];

	if (!equals)
		return complain(ret_complaint, "until=, by= or reason= was expected behind the entry");
	size_t key_len = (size_t)(equals - key);
	*i += key_len + 1;
	if (!read_value(s, len, i, value, sizeof value) || !mxw__list_text_is_good(value, sizeof value))
		return complain(ret_complaint, "a value is empty, too long, has no closing quote, or is not UTF-8");
	if (is_key(key, key_len, "until"))
		return mxw__list_time_parse(value, strlen(value), &l->until_ms) ||
		       complain(ret_complaint, "until= takes 2026-12-31 or 2026-12-31T18:00:00Z, in UTC");
	if (is_key(key, key_len, "reason")) {
		memcpy(l->reason, value, sizeof value);
		return true;
	}
	if (!is_key(key, key_len, "by"))
		return complain(ret_complaint, "unknown key; until=, by= or reason= was expected");
	if (strlen(value) >= sizeof l->author)
		return complain(ret_complaint, "the name behind by= is too long");
	snprintf(l->author, sizeof l->author, "%.*s", (int)sizeof l->author - 1, value);
	return true;
}

bool mxw__list_line_parse(const char *line, size_t len, mxw__list_kind_t kind, struct mxw__list_line *ret_line,
			  char ret_complaint[MXW__LIST_COMPLAINT_MAX])
{
	size_t from = skip_blanks(line, len, 0), i = word_end(line, len, from);

	*ret_line = (struct mxw__list_line){0};
	ret_complaint[0] = '\0';
	if (from == i || line[from] == '#')
		return false;
	const char *fault = mxw__list_entry_parse(line + from, i - from, kind, &ret_line->key, ret_line->entry);
	if (fault) {
		int shown = i - from < 40 ? (int)(i - from) : 40;
		snprintf(ret_complaint, MXW__LIST_COMPLAINT_MAX, "'%.*s' %s", shown, line + from, fault);
		return false;
	}
	while ((i = skip_blanks(line, len, i)) < len && line[i] != '#')
		if (!read_pair(line, len, &i, ret_line, ret_complaint))
			return false;
	return true;
}
