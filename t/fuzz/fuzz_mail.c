/* SPDX-License-Identifier: BSD-2-Clause */
/* The parsers of src/mail: the first octet says which one reads the rest. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/authres.h"
#include "src/mail/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The forms of a name lead to each other, and to nothing else. */
static void fuzz_domain(const char *s)
{
	char ascii[MXW__DOMAIN_MAX + 1], again[MXW__DOMAIN_MAX + 1], utf8[MXW__DOMAIN_MAX + 1];

	if (mxw__domain_pattern_to_ascii(s, strlen(s), ascii) == MXW_OK)
		assert(mxw__domain_pattern_to_ascii(ascii, strlen(ascii), again) == MXW_OK && strcmp(ascii, again) == 0);
	if (mxw__domain_to_ascii(s, strlen(s), ascii) != MXW_OK)
		return;
	for (const char *p = ascii; *p; p++)
		assert((unsigned char)*p > ' ' && (unsigned char)*p < 0x7f && *p != '@');
	assert(mxw__domain_to_ascii(ascii, strlen(ascii), again) == MXW_OK && strcmp(ascii, again) == 0);
	if (!mxw__domain_to_utf8(ascii, utf8))
		return;
	assert(mxw__utf8_is_clean(utf8) && strcmp(ascii, utf8) != 0);
	assert(mxw__domain_to_ascii(utf8, strlen(utf8), again) == MXW_OK && strcmp(ascii, again) == 0);
}

static void fuzz_address(mxw__arena_t *arena, const char *s)
{
	struct mxw__address a, b;

	fuzz_domain(s);
	if (mxw__address_parse(arena, s, &a) != MXW_OK)
		return;
	for (const char *p = a.text; *p; p++)
		assert((unsigned char)*p >= ' ' && *p != 0x7f);
	assert(strlen(a.local) <= MXW__LOCAL_MAX && strlen(a.domain) <= MXW__DOMAIN_MAX);
	assert(strlen(a.key_local) <= MXW__LOCAL_MAX && strlen(a.domain_utf8) <= MXW__DOMAIN_MAX);
	if (a.is_null)
		return;
	/* What is written is the same address again, and its own form for comparison. */
	assert(mxw__address_parse(arena, a.text, &b) == MXW_OK);
	assert(strcmp(a.local, b.local) == 0 && strcmp(a.domain, b.domain) == 0 && strcmp(a.key_text, b.key_text) == 0);
	assert(mxw__address_parse(arena, a.key_text, &b) == MXW_OK && strcmp(a.key_local, b.key_local) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mxw__arena_t *arena = mxw__arena_new(1 << 20);
	struct mxw_ip ip;

	if (size == 0 || !arena) {
		mxw__arena_free(arena);
		return 0;
	}
	/* An exact copy, so that a read beyond the end is seen. */
	char *s = malloc(size);
	if (!s)
		abort();
	memcpy(s, data + 1, size - 1);
	s[size - 1] = '\0';
	switch (data[0] % 4) {
	case 0:
		fuzz_address(arena, s);
		break;
	case 1:
		mxw__helo_classify(s, &ip);
		break;
	case 2:
		mxw__taglist_get(arena, s, size - 1, "d");
		break;
	case 3:
		mxw__authres_is_forged(arena, s, "mx.example.net");
		break;
	}
	free(s);
	mxw__arena_free(arena);
	return 0;
}
