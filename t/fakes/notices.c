/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "t/fakes/notices.h"

void notices_init(struct notices *notices)
{
	pthread_mutex_init(&notices->lock, NULL);
	mxw__buf_init(&notices->text, 1 << 20);
	notices->count = 0;
}

void notices_fini(struct notices *notices)
{
	mxw__buf_fini(&notices->text);
	pthread_mutex_destroy(&notices->lock);
}

void notices_take(void *ctx, bool is_error, const char *text)
{
	struct notices *notices = ctx;

	pthread_mutex_lock(&notices->lock);
	mxw__buf_addf(&notices->text, "%s: %s\n", is_error ? "error" : "warning", text);
	notices->count++;
	pthread_mutex_unlock(&notices->lock);
}

unsigned notices_count(struct notices *notices)
{
	pthread_mutex_lock(&notices->lock);
	unsigned count = notices->count;
	pthread_mutex_unlock(&notices->lock);
	return count;
}

bool notices_have(struct notices *notices, const char *part)
{
	pthread_mutex_lock(&notices->lock);
	bool found = strstr(mxw__buf_str(&notices->text), part) != NULL;
	pthread_mutex_unlock(&notices->lock);
	return found;
}

unsigned notices_count_of(struct notices *notices, const char *part)
{
	unsigned count = 0;

	pthread_mutex_lock(&notices->lock);
	for (const char *at = mxw__buf_str(&notices->text); (at = strstr(at, part)); at += strlen(part))
		count++;
	pthread_mutex_unlock(&notices->lock);
	return count;
}

void notices_clear(struct notices *notices)
{
	pthread_mutex_lock(&notices->lock);
	mxw__buf_clear(&notices->text);
	notices->count = 0;
	pthread_mutex_unlock(&notices->lock);
}
