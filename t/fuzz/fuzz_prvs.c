/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags of envelope senders. What is written is read, and is valid. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/mail/prvs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {"a key that nobody knows", "and another one"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An exact copy, so that a read beyond the end is seen. */
	char *s = malloc(size + 1), *tagged = malloc(size + MXW__PRVS_LEN + 1);
	struct mxw__prvs prvs, again;

	if (!s || !tagged)
		abort();
	memcpy(s, data, size);
	s[size] = '\0';
	if (mxw__prvs_parse(s, &prvs)) {
		assert(prvs.day < 1000 && prvs.key_number >= '0' && prvs.key_number <= '9' && prvs.local == s + MXW__PRVS_LEN && *prvs.local);
		/* 24 bits are met by chance: that it is forged can't be asserted. */
		assert(mxw__prvs_verify(&prvs, prvs.local, keys, 2, size) != MXW__PRVS_NONE);
	}
	if (*s && mxw__prvs_write(tagged, size + MXW__PRVS_LEN + 1, s, s, keys[1], size)) {
		assert(mxw__prvs_parse(tagged, &again) && strcmp(again.local, s) == 0);
		assert(mxw__prvs_verify(&again, s, keys, 2, size) == MXW__PRVS_VALID);
	}
	free(s);
	free(tagged);
	return 0;
}
