/* SPDX-License-Identifier: BSD-2-Clause */
/* warn.c: what a person should look at is told once an hour, however often it is seen. */
#include "config.h"

#include <string.h>

#include "src/session/engine.h"

enum { HOUR_MS = 60 * 60 * 1000 };

/* The slot of the key, or the one that was told longest ago. NULL: it was told within the hour. */
static struct mxw__told *find_locked(struct mxw__warnings *w, uint64_t key, int64_t now_ms)
{
	struct mxw__told *oldest = &w->told[0];

	for (size_t i = 0; i < MXW_ARRAY_LEN(w->told); i++) {
		struct mxw__told *t = &w->told[i];
		if (t->is_used && t->key == key)
			return now_ms - t->at_ms < HOUR_MS ? NULL : t;
		if (!t->is_used || (oldest->is_used && t->at_ms < oldest->at_ms))
			oldest = t;
	}
	return oldest;
}

void mxw__engine_warn(void *engine, const char *key, const char *line)
{
	mxw_engine_t *e = engine;
	int64_t now_ms = mxw__now_ms(&e->clock);
	uint64_t hash = mxw__hash(&e->id_key, key, strlen(key));

	pthread_mutex_lock(&e->warnings.mutex);
	struct mxw__told *t = find_locked(&e->warnings, hash, now_ms);
	if (t)
		*t = (struct mxw__told){hash, now_ms, true};
	pthread_mutex_unlock(&e->warnings.mutex);
	if (t)
		mxw__engine_log(e, MXW_LEVEL_WARNING, line);
}
