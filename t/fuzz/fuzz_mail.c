/* SPDX-License-Identifier: BSD-2-Clause */
/* The parsers of src/mail: the first octet says which one reads the rest. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/authres.h"
#include "src/mail/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_address(mxw__arena_t *arena, const char *s)
{
	struct mxw__address a;

	if (mxw__address_parse(arena, s, &a) != MXW_OK)
		return;
	for (const char *p = a.text; *p; p++)
		assert((unsigned char)*p >= ' ' && *p != 0x7f);
	assert(strlen(a.local) <= 64 && strlen(a.domain) <= 255);
}

static void fuzz_value(const char *s)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, 4096);
	mxw__buf_add_authres_value(&buf, s, 320);
	for (size_t i = 0; i < buf.len; i++)
		assert((unsigned char)buf.data[i] >= ' ' && (unsigned char)buf.data[i] < 0x7f);
	mxw__buf_fini(&buf);
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
	switch (data[0] % 5) {
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
	case 4:
		fuzz_value(s);
		break;
	}
	free(s);
	mxw__arena_free(arena);
	return 0;
}
