/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys as people type them and as others store them; and the same octets as a name that a client gave. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_key(const struct mxw__key *key)
{
	char text[MXW__KEY_TEXT_MAX];
	struct mxw__key back;

	assert(key->kind > MXW__KEY_NONE && key->kind < MXW__KEY_KINDS && key->len > 0 && key->len <= MXW__KEY_DATA);
	for (size_t i = key->len; i < MXW__KEY_DATA; i++)
		assert(key->data[i] == 0);
	mxw__key_text(key, text);
	assert(strlen(text) < MXW__KEY_TEXT_MAX);
	for (const char *c = text; *c; c++)
		assert(*c > ' ' && *c < 0x7f);
	assert(mxw__key_parse(text, &back) && memcmp(&back, key, sizeof back) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mxw__key key;
	char *s = malloc(size + 1);

	if (!s)
		abort();
	if (size)
		memcpy(s, data, size);
	s[size] = '\0';
	if (mxw__key_parse(s, &key))
		check_key(&key);
	for (mxw__key_kind_t kind = MXW__KEY_HELO; kind < MXW__KEY_KINDS; kind++) {
		key = mxw__key_of_name(kind, s);
		if (key.kind != MXW__KEY_NONE)
			check_key(&key);
	}
	free(s);
	return 0;
}
