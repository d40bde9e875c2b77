/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <math.h>
#include <string.h>

#include "src/track/sketch.h"

enum { BITS = MXW__SKETCH_WORDS * 64 };

/* ---- slices ---- */

void mxw__slices_init(struct mxw__slices *slices)
{
	for (size_t i = 0; i < MXW__SKETCH_SLICES; i++)
		slices->began_ms[i] = -1;
	slices->newest = 0;
}

/* A time before the last one counts as that one. */
static uint64_t age(int64_t then_ms, int64_t now_ms)
{
	return now_ms > then_ms ? (uint64_t)(now_ms - then_ms) : 0;
}

unsigned mxw__slices_live(const struct mxw__slices *slices, int64_t now_ms, uint64_t window_ms)
{
	unsigned live = 0;

	for (unsigned i = 0; i < MXW__SKETCH_SLICES; i++)
		if (slices->began_ms[i] >= 0 && age(slices->began_ms[i], now_ms) < window_ms)
			live |= 1u << i;
	return live;
}

bool mxw__slices_turn(struct mxw__slices *slices, int64_t now_ms, uint64_t window_ms)
{
	int64_t began = slices->began_ms[slices->newest];

	if (began >= 0 && age(began, now_ms) < window_ms / MXW__SKETCH_SLICES)
		return false;
	slices->newest = (slices->newest + 1) % MXW__SKETCH_SLICES;
	slices->began_ms[slices->newest] = now_ms;
	return true;
}

uint64_t mxw__bits_estimate(uint64_t ones, uint64_t size)
{
	/* With no bit left there is no telling: half a bit is as good a guess as any, and more than with one left. */
	double zeros = ones < size ? (double)(size - ones) : 0.5;

	return (uint64_t)((double)size * log((double)size / zeros) + 0.5);
}

/* ---- a few, one by one ---- */

static uint32_t seconds(const struct mxw__sketch *s, int64_t now_ms)
{
	return (uint32_t)(age(s->epoch_ms, now_ms) / 1000);
}

static bool few_is_live(const struct mxw__sketch *s, size_t i, int64_t now_ms, uint64_t window_ms)
{
	return age(s->epoch_ms + (int64_t)s->few[i].at_s * 1000, now_ms) < window_ms;
}

static void drop_old(struct mxw__sketch *s, int64_t now_ms, uint64_t window_ms)
{
	uint16_t n = 0;

	for (size_t i = 0; i < s->nfew; i++)
		if (few_is_live(s, i, now_ms, window_ms))
			s->few[n++] = s->few[i];
	s->nfew = n;
}

void mxw__sketch_init(struct mxw__sketch *sketch, int64_t now_ms)
{
	memset(sketch, 0, sizeof *sketch);
	mxw__slices_init(&sketch->slices);
	sketch->epoch_ms = now_ms;
}

static void set_bit(uint64_t *bits, uint32_t hash)
{
	bits[hash % BITS / 64] |= UINT64_C(1) << hash % 64;
}

/* A slice begins with the oldest of what it holds, so that nothing counts for longer than the window. */
static void become_many(struct mxw__sketch *s, int64_t now_ms, uint64_t window_ms)
{
	struct mxw__sketch old = *s;
	uint64_t quarter = window_ms / MXW__SKETCH_SLICES;

	mxw__sketch_init(s, old.epoch_ms);
	s->is_many = true;
	s->slices.newest = MXW__SKETCH_SLICES - 1;
	for (size_t i = 0; i < old.nfew; i++) {
		int64_t at = old.epoch_ms + (int64_t)old.few[i].at_s * 1000;
		uint64_t back = age(at, now_ms) / (quarter ? quarter : 1);
		unsigned slice = back < MXW__SKETCH_SLICES ? MXW__SKETCH_SLICES - 1 - (unsigned)back : 0;
		set_bit(s->bits[slice], old.few[i].hash);
		if (s->slices.began_ms[slice] < 0 || at < s->slices.began_ms[slice])
			s->slices.began_ms[slice] = at;
	}
}

/* True if there was room, or it was there already. */
static bool add_few(struct mxw__sketch *s, uint32_t hash, int64_t now_ms, uint64_t window_ms, bool *ret_new)
{
	drop_old(s, now_ms, window_ms);
	*ret_new = false;
	for (size_t i = 0; i < s->nfew; i++) {
		if (s->few[i].hash != hash)
			continue;
		s->few[i].at_s = seconds(s, now_ms);
		return true;
	}
	*ret_new = true;
	if (s->nfew == MXW__SKETCH_FEW)
		return false;
	s->few[s->nfew].hash = hash;
	s->few[s->nfew++].at_s = seconds(s, now_ms);
	return true;
}

/* ---- many, in bitmaps ---- */

static void merge(const struct mxw__sketch *s, int64_t now_ms, uint64_t window_ms, uint64_t any[MXW__SKETCH_WORDS])
{
	unsigned live = mxw__slices_live(&s->slices, now_ms, window_ms);

	memset(any, 0, MXW__SKETCH_WORDS * sizeof any[0]);
	for (unsigned i = 0; i < MXW__SKETCH_SLICES; i++)
		for (size_t w = 0; live >> i & 1 && w < MXW__SKETCH_WORDS; w++)
			any[w] |= s->bits[i][w];
}

bool mxw__sketch_add(struct mxw__sketch *sketch, uint32_t hash, int64_t now_ms, uint64_t window_ms)
{
	uint64_t any[MXW__SKETCH_WORDS];
	bool is_new;

	if (sketch->is_many && !mxw__slices_live(&sketch->slices, now_ms, window_ms))
		mxw__sketch_init(sketch, now_ms);
	if (!sketch->is_many) {
		if (add_few(sketch, hash, now_ms, window_ms, &is_new))
			return is_new;
		become_many(sketch, now_ms, window_ms);
	}
	merge(sketch, now_ms, window_ms, any);
	is_new = !(any[hash % BITS / 64] >> hash % 64 & 1);
	if (mxw__slices_turn(&sketch->slices, now_ms, window_ms))
		memset(sketch->bits[sketch->slices.newest], 0, sizeof sketch->bits[0]);
	set_bit(sketch->bits[sketch->slices.newest], hash);
	return is_new;
}

bool mxw__sketch_has(const struct mxw__sketch *sketch, uint32_t hash, int64_t now_ms, uint64_t window_ms)
{
	uint64_t any[MXW__SKETCH_WORDS];
	bool has = false;

	if (!sketch->is_many) {
		for (size_t i = 0; i < sketch->nfew; i++)
			has |= sketch->few[i].hash == hash && few_is_live(sketch, i, now_ms, window_ms);
		return has;
	}
	merge(sketch, now_ms, window_ms, any);
	return any[hash % BITS / 64] >> hash % 64 & 1;
}

uint64_t mxw__sketch_count(const struct mxw__sketch *sketch, int64_t now_ms, uint64_t window_ms)
{
	uint64_t any[MXW__SKETCH_WORDS], ones = 0;

	if (!sketch->is_many) {
		for (size_t i = 0; i < sketch->nfew; i++)
			ones += few_is_live(sketch, i, now_ms, window_ms);
		return ones;
	}
	merge(sketch, now_ms, window_ms, any);
	for (size_t w = 0; w < MXW__SKETCH_WORDS; w++)
		ones += (uint64_t)__builtin_popcountll(any[w]);
	return mxw__bits_estimate(ones, BITS);
}
