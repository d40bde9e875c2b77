/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that the control socket is told, and that mxwardctl is answered. What was read can be written, and is then read as the same. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "milter/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(char **words, int n)
{
	char *again[MWD_WORDS_MAX];
	struct mwd_text text;

	mwd_text_init(&text, 1 << 20);
	for (int i = 0; i < n; i++) {
		mwd_text_add_word(&text, words[i]);
		mwd_text_add(&text, " ", 1);
	}
	assert(!text.failed);
	for (size_t i = 0; i < text.len; i++)
		assert(text.data[i] >= ' ' && text.data[i] < 0x7f);
	if (text.data)
		assert(mwd_words_split(text.data, again) == n);
	for (int i = 0; i < n; i++)
		assert(strcmp(again[i], words[i]) == 0);
	mwd_text_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *words[MWD_WORDS_MAX], *line = malloc(size + 1);

	if (!line)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	size_t len = strlen(line);
	int n = mwd_words_split(line, words);
	assert(n >= -1 && n <= MWD_WORDS_MAX);
	for (int i = 0; i < n; i++)
		assert(words[i] >= line && words[i] + strlen(words[i]) <= line + len);
	if (n > 0)
		check_words(words, n);
	free(line);
	return 0;
}
