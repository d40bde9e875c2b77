/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/share/thread.h"

/* For how long an answer is good enough. */
enum { FRESH_MS = 1000, WAYS = 4 };

void mxw__share_asked_init(struct mxw__share_asked *asked)
{
	memset(asked, 0, sizeof *asked);
	mxw__hashkey_random(&asked->hashkey);
}

bool mxw__share_asked_note(struct mxw__share_asked *asked, size_t state, const char *key, int64_t now_ms)
{
	char data[MXW__STATE_KEY_MAX + 1];
	size_t len = strnlen(key, MXW__STATE_KEY_MAX - 1);

	data[0] = (char)state;
	memcpy(data + 1, key, len);
	/* 0 is a free slot. */
	uint64_t hash = mxw__hash(&asked->hashkey, data, len + 1) | 1;
	size_t first = hash / 2 % (MXW__SHARE_ASKED / WAYS) * WAYS, oldest = first;
	for (size_t i = first; i < first + WAYS; i++) {
		if (asked->slots[i].hash == hash) {
			bool is_fresh = now_ms - asked->slots[i].at_ms < FRESH_MS && now_ms >= asked->slots[i].at_ms;
			if (!is_fresh)
				asked->slots[i].at_ms = now_ms;
			return !is_fresh;
		}
		if (!asked->slots[i].hash || (asked->slots[oldest].hash && asked->slots[i].at_ms < asked->slots[oldest].at_ms))
			oldest = i;
	}
	asked->slots[oldest].hash = hash;
	asked->slots[oldest].at_ms = now_ms;
	return true;
}
