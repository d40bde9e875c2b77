/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of a list. The first octet says what the list may have. What is read as an entry must be written in a form that is read as the same
 * entry, be found in a set by what it stands for, and hold no text that could break a line of the log or of the disk.
 */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/source.h"
#include "src/lists/set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_form(const struct mxw__list_line *line)
{
	char again[MXW__LIST_ENTRY_MAX], text[MXW__LIST_TIME_MAX];
	struct mxw__list_key key;
	int64_t ms;

	assert(!mxw__list_entry_parse(line->entry, strlen(line->entry), MXW__LIST_ANY, &key, again));
	assert(strcmp(again, line->entry) == 0);
	assert(key.len == line->key.len && memcmp(key.data, line->key.data, key.len) == 0);
	assert(mxw__list_text_is_good(line->author, MXW__LIST_AUTHOR_MAX) && mxw__list_text_is_good(line->reason, MXW__LIST_REASON_MAX));
	mxw__list_time_format(line->until_ms, text);
	assert(line->until_ms >= 0);
	if (*text && line->until_ms >= 1000)
		assert(mxw__list_time_parse(text, strlen(text), &ms) && ms == line->until_ms);
}

static void check_set(mxw__list_set_t *set, const struct mxw__list_line *line)
{
	struct mxw_network network;

	if (mxw__list_set_add(set, line, 1, NULL) != MXW_OK)
		return;
	const struct mxw__list_item *item = mxw__list_set_get(set, &line->key);
	assert(item && strcmp(item->entry, line->entry) == 0);
	if (line->until_ms)
		return;
	if (line->key.data[0] == MXW__LIST_KEY_NAME)
		assert(mxw__list_set_find_name(set, line->entry, 0));
	else if (line->key.data[0] <= MXW__LIST_KEY_IPV6 && mxw_network_parse(line->entry, &network) == MXW_OK)
		assert(mxw__list_set_find_ip(set, &network.ip, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mxw__list_kind_t kind = size ? (mxw__list_kind_t)(data[0] % 3) : MXW__LIST_ANY;
	size_t len = size ? size - 1 : 0, n;
	char *text = malloc(len + 1), complaint[MXW__LIST_COMPLAINT_MAX], *rest = text, *from;
	mxw__list_set_t *set = mxw__list_set_new(50);
	struct mxw__list_line line;

	if (!text || !set)
		abort();
	memcpy(text, size ? data + 1 : data, len);
	for (unsigned i = 0; i < 100 && (from = mxw__next_line(&rest, text + len, &n)); i++) {
		if (!mxw__list_line_parse(from, n, kind, &line, complaint))
			continue;
		assert(!*complaint);
		check_form(&line);
		check_set(set, &line);
	}
	mxw__list_set_unref(set);
	free(text);
	return 0;
}
