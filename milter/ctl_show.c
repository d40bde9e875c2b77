/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "milter/ctl.h"

enum { LINE_ROOM = 8192, CELL_ROOM = 4096, COLUMNS_MAX = 12 };

/* One line of the answer. */
struct record {
	char line[LINE_ROOM];
	char *words[MWD_WORDS_MAX];
	int n;
};

/* Takes the next line; moves on. False: there is none. */
static bool next_record(const char **at, struct record *ret_record)
{
	struct record *r = ret_record;
	size_t len = strcspn(*at, "\n");

	if (!**at)
		return false;
	snprintf(r->line, sizeof r->line, "%.*s", (int)(len < sizeof r->line ? len : sizeof r->line - 1), *at);
	*at += len + ((*at)[len] == '\n');
	r->n = mwd_words_split(r->line, r->words);
	return true;
}

/* The value of NAME=VALUE; NULL if there is none. */
static const char *find_value(const struct record *r, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < r->n; i++)
		if (strncmp(r->words[i], name, len) == 0 && r->words[i][len] == '=')
			return r->words[i] + len + 1;
	return NULL;
}

/* "" if there is none. */
static const char *value_of(const struct record *r, const char *name)
{
	const char *value = find_value(r, name);

	return value ? value : "";
}

/* The next record that is of a table: it has the first column. */
static bool next_of(const char **at, const struct mwd_column *columns, struct record *ret_record)
{
	while (next_record(at, ret_record))
		if (find_value(ret_record, columns->name))
			return true;
	return false;
}

/* ---- for people ---- */

/* Octets of the character that begins here and may be shown in the user's locale; 0: none does. `ret_columns` it takes. */
static size_t shown_len(const char *text, size_t *ret_columns)
{
	mbstate_t state = {0};
	wchar_t c;
	size_t n = mbrtowc(&c, text, strlen(text), &state);
	/* What turns the direction of writing round would make a line look like another one. */
	bool turns = n <= MB_LEN_MAX && ((c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069));
	int columns = n > 0 && n <= MB_LEN_MAX && !turns && iswprint((wint_t)c) ? wcwidth(c) : -1;

	*ret_columns = columns < 0 ? 0 : (size_t)columns;
	return columns < 0 ? 0 : n;
}

static size_t width_of(const char *text)
{
	size_t width = 0, columns;

	for (size_t n; *text && (n = shown_len(text, &columns)) > 0; text += n)
		width += columns;
	return width;
}

static void copy_printable(char cell[CELL_ROOM], const char *text)
{
	size_t n = 0, columns;

	for (size_t len; *text && n < CELL_ROOM - MB_LEN_MAX - 5; text += len ? len : 1) {
		len = shown_len(text, &columns);
		if (len)
			memcpy(cell + n, text, len);
		n += len ? len : (size_t)snprintf(cell + n, 5, "\\x%02x", (unsigned char)*text);
	}
	cell[n] = '\0';
}

/*
 * "3m": the largest unit. Rounded down for what has passed; to the nearest for what is to come, or what was just asked for 7 days would
 * end in 6.
 */
static void format_span(char *cell, size_t size, int64_t ms, bool is_past)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {
		{INT64_C(86400000), "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"},
	};

	for (size_t i = 0; i < MWD_ARRAY_LEN(units); i++)
		if (ms >= units[i].ms) {
			snprintf(cell, size, "%lld%s", (long long)((ms + (is_past ? 0 : units[i].ms / 2)) / units[i].ms), units[i].unit);
			return;
		}
	snprintf(cell, size, "0s");
}

static void format_time(char cell[CELL_ROOM], const char *value, mwd_column_form_t form, int64_t now_ms)
{
	int64_t ms = strtoll(value, NULL, 10);
	bool is_past = form == MWD_COLUMN_PAST;
	int64_t span_ms = is_past ? now_ms - ms : ms - now_ms;
	char span[32];

	if (ms == 0) {
		snprintf(cell, CELL_ROOM, "%s", form == MWD_COLUMN_FUTURE ? "for good" : "-");
		return;
	}
	format_span(span, sizeof span, span_ms, is_past);
	snprintf(cell, CELL_ROOM, is_past ? "%s ago" : "in %s", span);
}

static void format_cell(char cell[CELL_ROOM], const struct record *r, const struct mwd_column *column, int64_t now_ms)
{
	const char *value = value_of(r, column->name);

	if (column->form == MWD_COLUMN_PAST || column->form == MWD_COLUMN_FUTURE || column->form == MWD_COLUMN_FREE)
		format_time(cell, value, column->form, now_ms);
	else
		copy_printable(cell, *value ? value : "-");
}

static size_t measure(const char *answer, const struct mwd_column *columns, const struct mwd_column *column, int64_t now_ms)
{
	static struct record record;
	static char cell[CELL_ROOM];
	size_t width = strlen(column->title);

	while (next_of(&answer, columns, &record)) {
		format_cell(cell, &record, column, now_ms);
		size_t len = width_of(cell);
		width = len > width ? len : width;
	}
	return width;
}

static void print_cell(const char *cell, size_t width, const struct mwd_column *column, bool is_last)
{
	int missing = (int)width - (int)width_of(cell);

	/* By columns of the screen: a letter may have several octets. */
	if (column->form == MWD_COLUMN_NUMBER)
		printf("%*s%s", missing, "", cell);
	else
		printf("%s%*s", cell, is_last ? 0 : missing, "");
	fputs(is_last ? "\n" : "  ", stdout);
}

static bool has_any(const char *answer, const struct mwd_column *columns)
{
	static struct record record;

	return next_of(&answer, columns, &record);
}

static void show_for_people(const char *answer, const struct mwd_column *columns, int64_t now_ms)
{
	static struct record record;
	static char cell[CELL_ROOM];
	const struct mwd_column *shown[COLUMNS_MAX];
	size_t widths[COLUMNS_MAX], n = 0;

	for (const struct mwd_column *column = columns; column->name; column++)
		if (column->title && n < COLUMNS_MAX) {
			widths[n] = measure(answer, columns, column, now_ms);
			shown[n++] = column;
		}
	for (size_t i = 0; i < n && has_any(answer, columns); i++)
		print_cell(shown[i]->title, widths[i], shown[i], i + 1 == n);
	while (next_of(&answer, columns, &record))
		for (size_t i = 0; i < n; i++) {
			format_cell(cell, &record, shown[i], now_ms);
			print_cell(cell, widths[i], shown[i], i + 1 == n);
		}
}

/* ---- JSON ---- */

static void print_json_text(const char *text)
{
	size_t columns;

	putchar('"');
	for (size_t len; *text; text += len ? len : 1) {
		len = shown_len(text, &columns);
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if (len)
			fwrite(text, 1, len, stdout);
		else
			printf("\\u%04x", (unsigned char)*text);
	}
	putchar('"');
}

/* A number as the daemon writes them, which is one of JSON's as well. */
static bool is_number(const char *text)
{
	text += *text == '-';
	size_t digits = strspn(text, "0123456789");
	text += digits;
	if (digits && *text == '.' && strspn(text + 1, "0123456789") == strlen(text + 1))
		return text[1] != '\0';
	return digits && !*text;
}

static void print_json_value(const struct record *r, const struct mwd_column *column)
{
	const char *value = value_of(r, column->name);

	printf("\"%s\": ", column->name);
	if (column->form != MWD_COLUMN_TEXT && is_number(value))
		fputs(value, stdout);
	else
		print_json_text(value);
}

static void print_json_fields(const struct record *r, const struct mwd_column *columns)
{
	for (const struct mwd_column *column = columns; column->name; column++) {
		if (column != columns)
			fputs(", ", stdout);
		print_json_value(r, column);
	}
}

static void print_json_objects(const char *answer, const struct mwd_column *columns, const char *indent)
{
	static struct record record;
	bool is_first = true;

	putchar('[');
	while (next_of(&answer, columns, &record)) {
		printf("%s\n%s{", is_first ? "" : ",", indent);
		print_json_fields(&record, columns);
		putchar('}');
		is_first = false;
	}
	fputs(is_first ? "]" : "\n]", stdout);
}

void mwd_ctl_show_table(const char *answer, const struct mwd_column *columns, bool is_json, int64_t now_ms)
{
	if (!is_json) {
		show_for_people(answer, columns, now_ms);
		return;
	}
	print_json_objects(answer, columns, "  ");
	putchar('\n');
}

/* ---- one key ---- */

static const struct mwd_column entry_columns[] = {
	{"key", "key", MWD_COLUMN_TEXT},
	{"kind", "kind", MWD_COLUMN_TEXT},
	{"score", "score", MWD_COLUMN_NUMBER},
	{"good", "good history", MWD_COLUMN_NUMBER},
	{"first-seen", "first seen", MWD_COLUMN_PAST},
	{"last-seen", "last seen", MWD_COLUMN_PAST},
	{"guesses", "guesses", MWD_COLUMN_NUMBER},
	{"network-guesses", "network's", MWD_COLUMN_NUMBER},
	{"greylist", "greylist", MWD_COLUMN_TEXT},
	{"suspended", "suspended", MWD_COLUMN_TEXT},
	{NULL, NULL, MWD_COLUMN_TEXT},
};

static const struct mwd_column event_columns[] = {
	{"event", "event", MWD_COLUMN_TEXT},
	{"times", "times", MWD_COLUMN_NUMBER},
	{"good", NULL, MWD_COLUMN_TEXT},
	{NULL, NULL, MWD_COLUMN_TEXT},
};

static const struct mwd_column limit_columns[] = {
	{"limit", "limit", MWD_COLUMN_TEXT},
	{"what", "counts", MWD_COLUMN_TEXT},
	{"of", "of", MWD_COLUMN_TEXT},
	{"used", "used", MWD_COLUMN_NUMBER},
	{"max", "at most", MWD_COLUMN_NUMBER},
	{"full", "full", MWD_COLUMN_TEXT},
	{"free", "free again", MWD_COLUMN_FREE},
	{NULL, NULL, MWD_COLUMN_TEXT},
};

static const struct mwd_column listed_columns[] = {
	{"list", "list", MWD_COLUMN_TEXT},
	{"entry", "entry", MWD_COLUMN_TEXT},
	{"added", "added", MWD_COLUMN_PAST},
	{"until", "ends", MWD_COLUMN_FUTURE},
	{"by", "by", MWD_COLUMN_TEXT},
	{"line", NULL, MWD_COLUMN_NUMBER},
	{"reason", "reason", MWD_COLUMN_TEXT},
	{NULL, NULL, MWD_COLUMN_TEXT},
};

static void show_part(const char *answer, const struct mwd_column *columns, int64_t now_ms)
{
	if (has_any(answer, columns))
		putchar('\n');
	show_for_people(answer, columns, now_ms);
}

void mwd_ctl_show_entry(const char *answer, bool is_json, int64_t now_ms)
{
	static struct record record;
	static char cell[CELL_ROOM];

	if (!next_record(&answer, &record))
		return;
	if (is_json) {
		putchar('{');
		print_json_fields(&record, entry_columns);
		fputs(", \"events\": ", stdout);
		print_json_objects(answer, event_columns, "  ");
		fputs(", \"limits\": ", stdout);
		print_json_objects(answer, limit_columns, "  ");
		fputs(", \"lists\": ", stdout);
		print_json_objects(answer, listed_columns, "  ");
		fputs("}\n", stdout);
		return;
	}
	for (const struct mwd_column *column = entry_columns; column->name; column++) {
		format_cell(cell, &record, column, now_ms);
		printf("%-13s %s\n", column->title, cell);
	}
	show_part(answer, event_columns, now_ms);
	show_part(answer, limit_columns, now_ms);
	show_part(answer, listed_columns, now_ms);
}

/* ---- figures ---- */

void mwd_ctl_show_stats(const char *answer, bool is_json)
{
	static struct record record;
	char group[64] = "";

	if (is_json)
		putchar('{');
	while (next_record(&answer, &record)) {
		const char *now = value_of(&record, "group"), *value = value_of(&record, "value");
		bool is_new = strcmp(now, group) != 0;
		if (!is_json) {
			printf("%s.%s %s\n", now, value_of(&record, "name"), value);
			continue;
		}
		if (is_new)
			printf("%s\n  \"%s\": {", *group ? "}," : "", now);
		printf("%s\"%s\": %s", is_new ? "" : ", ", value_of(&record, "name"), is_number(value) ? value : "0");
		snprintf(group, sizeof group, "%s", now);
	}
	if (is_json)
		fputs(*group ? "}\n}\n" : "}\n", stdout);
}
