/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/sketch.h"
#include "src/track/unions_parts.h"

enum {
	BITS = MXW__UNION_WORDS * 32,
	FEW = 32   /* up to so many there are as many things as bits, or more */
};

/* The same on every host. */
static const struct mxw__hashkey agreed = {UINT64_C(0x6d787761726420), UINT64_C(0x646966666572)};

mxw_status_t mxw__unions_new(const struct mxw_clock *clock, size_t max_entries, mxw__unions_t **ret_unions)
{
	mxw__unions_t *u = calloc(1, sizeof *u);

	if (!u)
		return MXW_ERR_NOMEM;
	u->clock = *clock;
	u->nsets = max_entries / ((size_t)MXW__UNION_SHARDS * MXW__UNION_WAYS);
	if (u->nsets == 0)
		u->nsets = 1;
	mxw__hashkey_random(&u->hashkey);
	for (size_t i = 0; i < MXW__UNION_SHARDS; i++)
		pthread_mutex_init(&u->shards[i].mutex, NULL);
	for (size_t i = 0; i < MXW__UNION_SHARDS; i++) {
		u->shards[i].entries = mxw__calloc(u->nsets, MXW__UNION_WAYS * sizeof(struct mxw__union_entry));
		u->shards[i].tags = mxw__calloc(u->nsets, MXW__UNION_WAYS);
		if (!u->shards[i].entries || !u->shards[i].tags) {
			mxw__unions_free(u);
			return MXW_ERR_NOMEM;
		}
	}
	*ret_unions = u;
	return MXW_OK;
}

void mxw__unions_free(mxw__unions_t *unions)
{
	if (!unions)
		return;
	for (size_t i = 0; i < MXW__UNION_SHARDS; i++) {
		pthread_mutex_destroy(&unions->shards[i].mutex);
		free(unions->shards[i].entries);
		free(unions->shards[i].tags);
	}
	free(unions);
}

void mxw__unions_on_forget(mxw__unions_t *unions, void (*heard)(void *ctx, const struct mxw__key *who, char kind), void *ctx)
{
	unions->heard = heard;
	unions->heard_ctx = ctx;
}

/* ---- names ---- */

int64_t mxw__unions_wall_ms(const mxw__unions_t *u)
{
	return u->clock.wall_ms(u->clock.ctx);
}

/* False: it is not counted here. */
static bool name_of(const mxw__unions_t *u, const struct mxw__key *who, char kind, uint64_t window_ms, unsigned back,
		    struct mxw__union_name *ret_name)
{
	uint64_t quarter_s = window_ms / MXW__UNIONS_QUARTERS / 1000;

	if (window_ms < MXW__UNION_WINDOW_MIN_MS || quarter_s > MXW__UNION_QUARTER_MAX_S || who->kind == MXW__KEY_NONE)
		return false;
	memset(ret_name, 0, sizeof *ret_name);
	ret_name->who = *who;
	ret_name->quarter_s = (uint32_t)quarter_s;
	ret_name->kind = (uint32_t)(unsigned char)kind;
	ret_name->number = mxw__unions_wall_ms(u) / 1000 / (int64_t)quarter_s - (int64_t)back;
	return true;
}

int64_t mxw__unions_expires_ms(const struct mxw__union_name *name)
{
	return (name->number + MXW__UNIONS_QUARTERS) * (int64_t)name->quarter_s * 1000;
}

bool mxw__unions_is_dead(const struct mxw__union_name *name, int64_t now_ms)
{
	int64_t quarter_ms = (int64_t)name->quarter_s * 1000;

	return mxw__unions_expires_ms(name) <= now_ms || name->number > now_ms / quarter_ms + 1;
}

void mxw__unions_write_key(const struct mxw__union_name *name, char ret_key[MXW__STATE_KEY_MAX])
{
	char text[MXW__KEY_TEXT_MAX];

	snprintf(ret_key, MXW__STATE_KEY_MAX, "%c:%" PRIu32 ":%" PRId64 ":%s", (int)name->kind, name->quarter_s, name->number,
		 mxw__key_text(&name->who, text));
}

void mxw__unions_record_key(const mxw__unions_t *unions, const struct mxw__key *who, char kind, uint64_t window_ms, unsigned back,
			    char ret_key[MXW__STATE_KEY_MAX])
{
	struct mxw__union_name name;

	ret_key[0] = '\0';
	if (name_of(unions, who, kind, window_ms, back, &name))
		mxw__unions_write_key(&name, ret_key);
}

/* ---- entries ---- */

/* Of all quarters of an account and kind. */
static uint64_t hash_account(const mxw__unions_t *u, const struct mxw__union_name *name)
{
	return mxw__hash(&u->hashkey, name, offsetof(struct mxw__union_name, number));
}

/* Each quarter has a set of its own, which nobody can foretell from those before. */
static struct mxw__union_place place_of(mxw__unions_t *u, uint64_t account, int64_t number)
{
	struct mxw__union_shard *shard = &u->shards[account % MXW__UNION_SHARDS];
	uint64_t hash = account / MXW__UNION_SHARDS + (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15);

	hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
	hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
	size_t first = (hash >> 8) % u->nsets * MXW__UNION_WAYS;
	return (struct mxw__union_place){shard, shard->entries + first, shard->tags + first, (uint8_t)(hash | 1)};
}

struct mxw__union_place mxw__unions_place(mxw__unions_t *u, const struct mxw__union_name *name)
{
	return place_of(u, hash_account(u, name), name->number);
}

struct mxw__union_entry *mxw__unions_find_locked(const struct mxw__union_place *at, const struct mxw__union_name *name)
{
	for (size_t i = 0; i < MXW__UNION_WAYS; i++)
		if (at->tags[i] == at->tag && memcmp(&at->set[i].name, name, sizeof *name) == 0)
			return &at->set[i];
	return NULL;
}

unsigned mxw__unions_ones(const uint32_t bits[MXW__UNION_WORDS])
{
	unsigned ones = 0;

	for (size_t i = 0; i < MXW__UNION_WORDS; i++)
		ones += (unsigned)__builtin_popcount(bits[i]);
	return ones;
}

void mxw__unions_mark_locked(struct mxw__union_shard *shard, struct mxw__union_entry *e, mxw__state_reader_t reader)
{
	if (!(e->changed >> reader & 1))
		shard->nchanged[reader]++;
	e->changed |= (uint8_t)(1u << reader);
}

void mxw__unions_unmark_locked(struct mxw__union_shard *shard, struct mxw__union_entry *e, mxw__state_reader_t reader)
{
	if (e->changed >> reader & 1)
		shard->nchanged[reader]--;
	e->changed &= (uint8_t)~(1u << reader);
}

/* Makes one if there is none, in the place of another where it must. */
struct mxw__union_entry *mxw__unions_need_locked(const struct mxw__union_place *at, const struct mxw__union_name *name, int64_t now_ms)
{
	struct mxw__union_entry *e = mxw__unions_find_locked(at, name), *least = NULL;
	unsigned least_worth = 0;

	for (size_t i = 0; !e && i < MXW__UNION_WAYS; i++) {
		struct mxw__union_entry *other = &at->set[i];
		unsigned worth = !other->name.quarter_s || mxw__unions_is_dead(&other->name, now_ms) ? 0 : 1 + mxw__unions_ones(other->bits);
		if (!least || worth < least_worth) {
			least = other;
			least_worth = worth;
		}
	}
	if (e)
		return e;
	for (int reader = 0; reader < MXW__STATE_READERS; reader++)
		mxw__unions_unmark_locked(at->shard, least, (mxw__state_reader_t)reader);
	memset(least, 0, sizeof *least);
	least->name = *name;
	at->tags[least - at->set] = at->tag;
	return least;
}

/* ---- counting ---- */

/* Which bit is another one for each account, so that no thing has a bit that it shares with many. */
static unsigned bit_of(const struct mxw__key *who, const char *thing)
{
	char lower[1024];
	size_t len = 0;

	for (; thing[len] && len < sizeof lower; len++)
		lower[len] = mxw__ascii_lower(thing[len]);
	uint64_t parts[2] = {mxw__hash(&agreed, who, sizeof *who), mxw__hash(&agreed, lower, len)};
	return (unsigned)(mxw__hash(&agreed, parts, sizeof parts) % BITS);
}

void mxw__unions_add(mxw__unions_t *unions, const struct mxw__key *who, char kind, const char *thing, uint64_t window_ms)
{
	unsigned bit = bit_of(who, thing);
	struct mxw__union_name name;

	if (!name_of(unions, who, kind, window_ms, 0, &name))
		return;
	struct mxw__union_place at = mxw__unions_place(unions, &name);
	pthread_mutex_lock(&at.shard->mutex);
	struct mxw__union_entry *e = mxw__unions_need_locked(&at, &name, mxw__unions_wall_ms(unions));
	if (!(e->bits[bit / 32] >> bit % 32 & 1)) {
		e->bits[bit / 32] |= UINT32_C(1) << bit % 32;
		mxw__unions_mark_locked(at.shard, e, MXW__STATE_DISK);
		mxw__unions_mark_locked(at.shard, e, MXW__STATE_SHARE);
	}
	pthread_mutex_unlock(&at.shard->mutex);
}

uint64_t mxw__unions_count(mxw__unions_t *unions, const struct mxw__key *who, char kind, uint64_t window_ms)
{
	uint32_t any[MXW__UNION_WORDS] = {0};
	struct mxw__union_name name;

	if (!name_of(unions, who, kind, window_ms, 0, &name))
		return 0;
	uint64_t account = hash_account(unions, &name);
	struct mxw__union_shard *shard = place_of(unions, account, name.number).shard;
	pthread_mutex_lock(&shard->mutex);
	for (unsigned back = 0; back < MXW__UNIONS_QUARTERS; back++, name.number--) {
		struct mxw__union_place at = place_of(unions, account, name.number);
		const struct mxw__union_entry *e = mxw__unions_find_locked(&at, &name);
		for (size_t i = 0; e && i < MXW__UNION_WORDS; i++)
			any[i] |= e->bits[i];
	}
	pthread_mutex_unlock(&shard->mutex);
	unsigned ones = mxw__unions_ones(any);
	return ones <= FEW ? ones : mxw__bits_estimate(ones, BITS);
}

bool mxw__unions_step(mxw__unions_t *u, size_t *at, struct mxw__union_step *ret_step)
{
	size_t slots = u->nsets * MXW__UNION_WAYS, slot = *at % slots, n = slots - slot < MXW__UNION_STEP ? slots - slot : MXW__UNION_STEP;

	if (*at / slots >= MXW__UNION_SHARDS)
		return false;
	struct mxw__union_shard *shard = &u->shards[*at / slots];
	*ret_step = (struct mxw__union_step){shard, shard->entries + slot, shard->entries + slot + n};
	*at += n;
	return true;
}

static bool forget_locked(struct mxw__union_shard *shard, struct mxw__union_entry *e, int64_t now_ms)
{
	bool had_any = mxw__unions_ones(e->bits) > 0;

	memset(e->bits, 0, sizeof e->bits);
	/* It must grow, even if the clock was set back: that is how others know of it. */
	e->reset_ms = now_ms > e->reset_ms ? now_ms : e->reset_ms + 1;
	mxw__unions_mark_locked(shard, e, MXW__STATE_DISK);
	mxw__unions_mark_locked(shard, e, MXW__STATE_SHARE);
	return had_any;
}

void mxw__unions_forget(mxw__unions_t *unions, const struct mxw__key *who)
{
	int64_t now_ms = mxw__unions_wall_ms(unions);
	struct mxw__union_step step;

	for (size_t at = 0; mxw__unions_step(unions, &at, &step);) {
		pthread_mutex_lock(&step.shard->mutex);
		for (struct mxw__union_entry *e = step.first; e < step.end; e++)
			if (e->name.quarter_s && memcmp(&e->name.who, who, sizeof *who) == 0)
				forget_locked(step.shard, e, now_ms);
		pthread_mutex_unlock(&step.shard->mutex);
	}
}

bool mxw__unions_forget_kind(mxw__unions_t *unions, const struct mxw__key *who, char kind, uint64_t window_ms)
{
	int64_t now_ms = mxw__unions_wall_ms(unions);
	struct mxw__union_name name;
	bool had_any = false;

	if (!name_of(unions, who, kind, window_ms, 0, &name))
		return false;
	/* A host whose clock is ahead may be at the next one. */
	name.number++;
	for (unsigned i = 0; i <= MXW__UNIONS_QUARTERS; i++, name.number--) {
		struct mxw__union_place at = mxw__unions_place(unions, &name);
		pthread_mutex_lock(&at.shard->mutex);
		had_any |= forget_locked(at.shard, mxw__unions_need_locked(&at, &name, now_ms), now_ms);
		pthread_mutex_unlock(&at.shard->mutex);
	}
	return had_any;
}
