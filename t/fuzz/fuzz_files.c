/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address files of every form, aliases and passwd: the first octet says which, the rest is the file. What is read has
 * keys that a look-up can find and numbers that mean something, and what a key was made of gives the same key again.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/directory/file_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t min_uid = 1;

static mxw_status_t parse(unsigned form, struct mxw__reading *reading, char *text, size_t len, mxw__names_t *names)
{
	static const mxw__watch_parse_fn parsers[] = {
		mxw__parse_plain_file, mxw__parse_postfix_map, mxw__parse_postfix_access, mxw__parse_virtusertable,
		mxw__parse_access, mxw__parse_aliases_file, mxw__parse_passwd_file,
	};

	reading->ctx = (void *)(uintptr_t)&min_uid;
	return parsers[form % MXW_ARRAY_LEN(parsers)](reading, text, len, names);
}

/* An address as a client may send it, of what stands in a line. */
static void look_up(unsigned form, const mxw__names_t *names, char *line)
{
	static char nothing[] = "";
	char *at = strchr(line, '@');
	struct mxw__address a = {.text = line, .local = line, .domain = at ? at + 1 : nothing};
	mxw__file_meaning_t meaning = MXW__FILE_SILENT;

	if (at)
		*at = '\0';
	if (form % 7 <= MXW__FILE_ACCESS &&
	    mxw__file_find((mxw__file_format_t)(form % 7), names, &a, &meaning) && (unsigned)meaning > MXW__FILE_SILENT)
		abort();
	if (at)
		*at = '@';
}

/* A key is canonical: written as an entry it is read as itself. */
static void check_key(const char *s, size_t len)
{
	char key[MXW__FILE_KEY_MAX], again[MXW__FILE_KEY_MAX];

	if (mxw__file_key_read(s, len, key) || strpbrk(key, "\"\\ (),:;<>[]") || strchr(key, '@') != strrchr(key, '@'))
		return;
	const char *entry = key + 1;
	char catch_all[MXW__FILE_KEY_MAX + 1] = "@";
	if (*key == MXW__FILE_CATCH_ALL) {
		strcpy(catch_all + 1, entry);
		entry = catch_all;
	}
	if (*key == MXW__FILE_LOCAL && strchr(entry, '@'))
		return;
	if (mxw__file_key_read(entry, strlen(entry), again) || strcmp(key, again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mxw__noticer noticer = {.name = "fuzz", .what = "directory"};
	struct mxw__reading reading = {.noticer = &noticer, .path = "fuzz"};
	mxw__names_t *names = mxw__names_new();
	unsigned form = size ? data[0] : 0;
	size_t len = size ? size - 1 : 0, n;
	char *text = malloc(len + 1), *copy = malloc(len + 1);

	if (!names || !text || !copy)
		abort();
	memcpy(text, size ? data + 1 : data, len);
	memcpy(copy, text, len);
	text[len] = copy[len] = '\0';
	if (parse(form, &reading, text, len, names) != MXW_OK)
		abort();
	char *rest = copy, *line;
	for (unsigned i = 0; i < 100 && (line = mxw__next_line(&rest, copy + len, &n)); i++) {
		char *whole = strndup(line, n);
		if (!whole)
			abort();
		check_key(whole, strlen(whole));
		look_up(form, names, whole);
		free(whole);
	}
	free(text);
	free(copy);
	mxw__names_unref(names);
	return 0;
}
