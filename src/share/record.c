/* SPDX-License-Identifier: BSD-2-Clause */
/* A record as arguments of the script that merges, and back from what a script gives. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/share/thread.h"

#define DAY_MS INT64_C(86400000)

/* What is removed must be heard of by everybody, also by a host that was away for some days. */
#define GONE_MS (7 * DAY_MS)
#define LIFETIME_MAX_MS (400 * DAY_MS)

void mxw__share_name(const mxw__share_t *share, size_t state, const char *key, char ret_name[MXW__SHARE_KEY_MAX])
{
	const char *sort = share->states[state].sort->name;

	if (key)
		snprintf(ret_name, MXW__SHARE_KEY_MAX, "%s%s:%s", share->settings->prefix, sort, key);
	else
		snprintf(ret_name, MXW__SHARE_KEY_MAX, "%schanges:%s", share->settings->prefix, sort);
}

const char *mxw__share_key_in(const mxw__share_t *share, size_t state, const char *name)
{
	char start[MXW__SHARE_KEY_MAX];

	mxw__share_name(share, state, "", start);
	return strncmp(name, start, strlen(start)) == 0 ? name + strlen(start) : NULL;
}

/* ---- out ---- */

static const char *merge_name(mxw__merge_t merge)
{
	static const char *const names[] = {
		[MXW__MERGE_ADD] = "add", [MXW__MERGE_COUNT] = "count", [MXW__MERGE_MAX] = "max", [MXW__MERGE_MIN] = "min",
		[MXW__MERGE_BITS] = "bits",
		[MXW__MERGE_TIME] = "time", [MXW__MERGE_RESET] = "reset", [MXW__MERGE_LATEST] = "latest",
	};
	return names[merge];
}

static char *room(struct mxw__share_args *args)
{
	return args->text[args->nused++];
}

static void add(struct mxw__share_args *args, const char *word)
{
	args->v[args->n++] = word;
}

static void add_number(struct mxw__share_args *args, int64_t number)
{
	char *text = room(args);

	snprintf(text, sizeof args->text[0], "%lld", (long long)number);
	add(args, text);
}

static void add_value(struct mxw__share_args *args, double value)
{
	char *text = room(args);

	snprintf(text, sizeof args->text[0], "%.17g", isfinite(value) ? value : 0);
	add(args, text);
}

static int64_t lifetime(const struct mxw__state_record *r, int64_t wall_ms)
{
	int64_t left = r->expires_ms > wall_ms ? r->expires_ms - wall_ms : 1;

	if (r->is_gone && left < GONE_MS)
		left = GONE_MS;
	return left > LIFETIME_MAX_MS ? LIFETIME_MAX_MS : left;
}

size_t mxw__share_record_args(const mxw__share_t *share, const struct mxw__share_push *push, struct mxw__share_args *args)
{
	const struct mxw__state_sort *sort = share->states[push->state].sort;
	const struct mxw__state_record *r = &push->record;
	int64_t wall_ms = mxw__share_wall_ms(share);

	args->n = args->nused = 0;
	mxw__share_name(share, push->state, r->key, args->name);
	add(args, args->name);
	if (sort->is_eager) {
		mxw__share_name(share, push->state, NULL, args->index);
		add(args, args->index);
	}
	size_t nkeys = args->n;
	add_number(args, (int64_t)r->half_life_ms);
	add_number(args, wall_ms > r->at_ms ? wall_ms - r->at_ms : 0);
	add_number(args, lifetime(r, wall_ms));
	add(args, share->id);
	add_number(args, (int64_t)push->number);
	add(args, r->is_gone ? "1" : "0");
	snprintf(args->words, sizeof args->words, "%s", sort->has_text ? r->text : "");
	add(args, args->words);
	for (size_t i = 0; i < sort->nfields && !r->is_gone; i++) {
		if (sort->fields[i].is_local)
			continue;
		add(args, merge_name(sort->fields[i].merge));
		add(args, sort->fields[i].name);
		add_value(args, r->values[i]);
	}
	return nkeys;
}

/* ---- in ---- */

/* What is out of all range would be none of ours. */
static double number_of(const redisReply *reply)
{
	char *end;
	double v = strtod(reply->str, &end);

	return *end == '\0' && isfinite(v) && fabs(v) < 1e18 ? v : 0;
}

static bool is_text(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING;
}

static const redisReply *find(const redisReply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < pairs->elements; i += 2)
		if (is_text(pairs->element[i]) && is_text(pairs->element[i + 1]) && strcmp(pairs->element[i]->str, name) == 0)
			return pairs->element[i + 1];
	return NULL;
}

static double value_of(const redisReply *pairs, const struct mxw__state_field *field, long long now, int64_t wall_ms)
{
	char name[64];

	snprintf(name, sizeof name, "f:%s", field->name);
	const redisReply *found = find(pairs, name);

	if (!found)
		return field->merge == MXW__MERGE_MIN ? (double)wall_ms : 0;
	double v = number_of(found);
	return field->merge == MXW__MERGE_TIME && v > 0 ? v - (double)now + (double)wall_ms : v;
}

bool mxw__share_record_read(const mxw__share_t *share, size_t state, const char *key, long long now, const redisReply *pairs,
			    struct mxw__state_record *ret_record)
{
	const struct mxw__state_sort *sort = share->states[state].sort;
	struct mxw__state_record *r = ret_record;
	int64_t wall_ms = mxw__share_wall_ms(share);

	if (pairs->type != REDIS_REPLY_ARRAY || pairs->elements < 2)
		return false;
	memset(r, 0, sizeof *r);
	snprintf(r->key, sizeof r->key, "%s", key);
	const redisReply *at = find(pairs, "at"), *ex = find(pairs, "ex"), *hl = find(pairs, "hl"), *text = find(pairs, "text");
	double age = at ? (double)now - number_of(at) : 0, left = ex ? number_of(ex) - (double)now : 0;
	r->at_ms = wall_ms - (age > 0 ? (int64_t)age : 0);
	r->expires_ms = wall_ms + (left > 0 ? (int64_t)left : 0);
	r->half_life_ms = hl && number_of(hl) > 0 ? (uint64_t)number_of(hl) : 0;
	r->is_gone = find(pairs, "gone") != NULL;
	for (size_t i = 0; i < sort->nfields; i++)
		r->values[i] = sort->fields[i].is_local ? 0 : value_of(pairs, &sort->fields[i], now, wall_ms);
	if (sort->has_text && text)
		mxw__state_copy_text(r->text, sizeof r->text, text->str, text->len);
	return true;
}
