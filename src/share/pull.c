/* SPDX-License-Identifier: BSD-2-Clause */
/* What other hosts know: keys that a session is about to look at, and all changes of sorts that every host has whole. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/share/thread.h"

/* So often an index is read from its beginning, in case the clock of Redis was set back and something was missed. */
enum { FULL_MS = 10 * 60 * 1000 };

static void put(mxw__share_t *share, size_t state, const char *key, long long now, const redisReply *pairs)
{
	const struct mxw__state *s = &share->states[state];
	struct mxw__state_record record;

	if (!mxw__share_record_read(share, state, key, now, pairs, &record))
		return;
	s->sort->put(s->store, MXW__STATE_SHARE, &record);
	atomic_fetch_add(&share->pulled, 1);
}

/* Redis' time, with which each reply begins. */
static bool read_now(const redisReply *reply, size_t min_elements, long long *ret_now)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < min_elements || reply->element[0]->type != REDIS_REPLY_INTEGER)
		return false;
	*ret_now = reply->element[0]->integer;
	return true;
}

/* ---- what sessions want ---- */

static bool send_wish(mxw__share_t *share, struct mxw__share_wish *wish)
{
	char names[MXW__WANTS_MAX][MXW__SHARE_KEY_MAX];
	const char *argv[MXW__WANTS_MAX];

	for (size_t i = 0; i < wish->n; i++) {
		mxw__share_name(share, wish->keys[i].state, wish->keys[i].key, names[i]);
		argv[i] = names[i];
	}
	if (mxw__share_eval(share, MXW__SCRIPT_FETCH, wish->n, wish->n, argv) &&
	    mxw__share_expect(share, (struct mxw__share_expected){.kind = MXW__EXPECT_WISH, .wish = wish}))
		return true;
	mxw__share_end_wish(share, wish);
	return false;
}

bool mxw__share_pull(mxw__share_t *share)
{
	bool is_ok = true;

	/* Then they wait where they are counted. */
	if (share->ring_n > MXW__SHARE_RING / 2)
		return true;
	pthread_mutex_lock(&share->mutex);
	struct mxw__share_wish *first = share->first;
	share->first = NULL;
	share->last = &share->first;
	share->nwishes = 0;
	pthread_mutex_unlock(&share->mutex);
	while (first) {
		struct mxw__share_wish *wish = first;
		first = wish->next;
		if (is_ok)
			is_ok = send_wish(share, wish);
		else
			mxw__share_end_wish(share, wish);
	}
	return is_ok;
}

void mxw__share_on_wish(mxw__share_t *share, struct mxw__share_wish *wish, const redisReply *reply)
{
	long long now;

	if (read_now(reply, wish->n + 1, &now))
		for (size_t i = 0; i < wish->n; i++)
			put(share, wish->keys[i].state, wish->keys[i].key, now, reply->element[i + 1]);
	mxw__share_end_wish(share, wish);
}

/* ---- changes ---- */

static bool ask(mxw__share_t *share, size_t state)
{
	struct mxw__share_reading *r = &share->readings[state];
	char name[MXW__SHARE_KEY_MAX], from[32], offset[16], count[16];
	const char *argv[] = {name, from, offset, count};

	mxw__share_name(share, state, NULL, name);
	snprintf(from, sizeof from, "%lld", r->from);
	snprintf(offset, sizeof offset, "%u", r->offset);
	snprintf(count, sizeof count, "%d", MXW__SHARE_CHANGES);
	r->is_asked = true;
	return mxw__share_eval(share, MXW__SCRIPT_CHANGES, 1, MXW_ARRAY_LEN(argv), argv) &&
	       mxw__share_expect(share, (struct mxw__share_expected){.kind = MXW__EXPECT_CHANGES, .index = state});
}

void mxw__share_read_all_again(mxw__share_t *share)
{
	memset(share->readings, 0, sizeof share->readings);
	share->full_at_ms = mxw__share_steady_ms() + FULL_MS;
}

bool mxw__share_ask_changes(mxw__share_t *share)
{
	bool is_ok = true;

	if (mxw__share_steady_ms() >= share->full_at_ms)
		mxw__share_read_all_again(share);
	for (size_t i = 0; i < share->nstates && is_ok; i++)
		if (share->states[i].sort->is_eager && !share->readings[i].is_asked)
			is_ok = ask(share, i);
	return is_ok;
}

static void put_change(mxw__share_t *share, size_t state, long long now, const redisReply *name, const redisReply *pairs)
{
	const char *key = name->type == REDIS_REPLY_STRING ? mxw__share_key_in(share, state, name->str) : NULL;
	size_t len = key ? strlen(key) : 0;

	for (size_t i = 0; i < len; i++)
		if (key[i] <= ' ' || key[i] >= 0x7f)
			len = 0;
	if (len && len < MXW__STATE_KEY_MAX)
		put(share, state, key, now, pairs);
}

/* What was written since the first question is of another time: the next reading begins there. What goes on at the end of an index that is
 * being read moves to its end, and is found there. */
bool mxw__share_on_changes(mxw__share_t *share, size_t state, const redisReply *reply)
{
	struct mxw__share_reading *r = &share->readings[state];
	long long now;

	r->is_asked = false;
	if (!read_now(reply, 2, &now) || reply->element[1]->type != REDIS_REPLY_INTEGER)
		return true;
	for (size_t i = 2; i + 1 < reply->elements; i += 2)
		put_change(share, state, now, reply->element[i], reply->element[i + 1]);
	if (r->offset == 0)
		r->next_from = now;
	if (reply->element[1]->integer < MXW__SHARE_CHANGES) {
		r->offset = 0;
		r->from = r->next_from;
		return true;
	}
	r->offset += (unsigned)(reply->elements - 2) / 2;
	return ask(share, state);
}
