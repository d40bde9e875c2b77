/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/track/leaps.h"

#define LEAP_MS (INT64_C(12) * 3600000)
/* How old what is on disk may be: well below a leap. */
#define KEEP_MS (INT64_C(10) * 60000)
/* Nothing that we date is good for so long. */
#define LONG_MS (INT64_C(1000) * 86400000)
/* A clock that is ahead by decades must not make the record one that has expired. */
#define NEVER_MS (INT64_C(1) << 52)

static const char record_key[] = "wall";

struct mxw__leaps {
	struct mxw_clock clock;
	int64_t began_ms, began_wall_ms;  /* monotonic and wall time of the start; immutable */
	pthread_mutex_t mutex;            /* guards the rest; a leaf */
	int64_t offset_ms;                /* of the wall clock to the monotonic one, since the last leap */
	int64_t leapt_ms;                 /* when that was, monotonic; may lie before the start */
	int64_t kept_ms;                  /* when a record was taken last, monotonic */
	bool is_kept, is_due;             /* one is to be taken at all, and at once */
};

static int64_t wall_ms(const mxw__leaps_t *leaps)
{
	return leaps->clock.wall_ms(leaps->clock.ctx);
}

static bool is_leap(int64_t by_ms)
{
	return by_ms >= LEAP_MS || by_ms <= -LEAP_MS;
}

mxw__leaps_t *mxw__leaps_new(const struct mxw_clock *clock)
{
	mxw__leaps_t *leaps = calloc(1, sizeof *leaps);

	if (!leaps)
		return NULL;
	if (pthread_mutex_init(&leaps->mutex, NULL) != 0) {
		free(leaps);
		return NULL;
	}
	leaps->clock = *clock;
	leaps->began_ms = mxw__now_ms(clock);
	leaps->began_wall_ms = wall_ms(leaps);
	leaps->offset_ms = leaps->began_wall_ms - leaps->began_ms;
	leaps->leapt_ms = leaps->began_ms - LONG_MS;
	leaps->is_due = true;
	return leaps;
}

void mxw__leaps_free(mxw__leaps_t *leaps)
{
	if (!leaps)
		return;
	pthread_mutex_destroy(&leaps->mutex);
	free(leaps);
}

void mxw__leaps_keep(mxw__leaps_t *leaps, bool is_kept)
{
	pthread_mutex_lock(&leaps->mutex);
	leaps->is_kept = is_kept;
	pthread_mutex_unlock(&leaps->mutex);
}

/* Gives the monotonic time. */
static int64_t look_locked(mxw__leaps_t *leaps)
{
	int64_t now_ms = mxw__now_ms(&leaps->clock), offset_ms = wall_ms(leaps) - now_ms;

	if (is_leap(offset_ms - leaps->offset_ms)) {
		leaps->offset_ms = offset_ms;
		leaps->leapt_ms = now_ms;
		leaps->is_due = true;
	}
	return now_ms;
}

static int64_t calm_locked(const mxw__leaps_t *leaps, int64_t now_ms)
{
	int64_t calm_ms = now_ms - leaps->leapt_ms;

	return calm_ms < 0 ? 0 : calm_ms > LONG_MS ? LONG_MS : calm_ms;
}

uint64_t mxw__leaps_calm_ms(mxw__leaps_t *leaps)
{
	pthread_mutex_lock(&leaps->mutex);
	int64_t calm_ms = calm_locked(leaps, look_locked(leaps));
	pthread_mutex_unlock(&leaps->mutex);
	return (uint64_t)calm_ms;
}

/* ---- as state ---- */

enum { FIELD_SEEN, FIELD_CALM };

static size_t take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	mxw__leaps_t *leaps = store;
	int64_t calm_ms = 0;

	if (reader != MXW__STATE_DISK || max == 0)
		return 0;
	pthread_mutex_lock(&leaps->mutex);
	int64_t now_ms = look_locked(leaps);
	bool is_taken = leaps->is_kept && (leaps->is_due || now_ms - leaps->kept_ms >= KEEP_MS);
	if (is_taken) {
		calm_ms = calm_locked(leaps, now_ms);
		leaps->kept_ms = now_ms;
		leaps->is_due = false;
	}
	pthread_mutex_unlock(&leaps->mutex);
	if (!is_taken)
		return 0;
	memset(ret_records, 0, sizeof *ret_records);
	memcpy(ret_records->key, record_key, sizeof record_key);
	ret_records->at_ms = wall_ms(leaps);
	ret_records->expires_ms = NEVER_MS;
	ret_records->values[FIELD_SEEN] = (double)ret_records->at_ms;
	ret_records->values[FIELD_CALM] = (double)calm_ms;
	return 1;
}

static void put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	mxw__leaps_t *leaps = store;
	int64_t seen_ms = (int64_t)record->values[FIELD_SEEN], calm_ms = (int64_t)record->values[FIELD_CALM];

	if (reader != MXW__STATE_DISK || record->is_gone || strcmp(record->key, record_key) != 0)
		return;
	calm_ms = is_leap(leaps->began_wall_ms - seen_ms) || calm_ms < 0 ? 0 : calm_ms > LONG_MS ? LONG_MS : calm_ms;
	pthread_mutex_lock(&leaps->mutex);
	if (leaps->began_ms - calm_ms > leaps->leapt_ms)
		leaps->leapt_ms = leaps->began_ms - calm_ms;
	pthread_mutex_unlock(&leaps->mutex);
}

static void mark_all(void *store, mxw__state_reader_t reader)
{
	mxw__leaps_t *leaps = store;

	if (reader != MXW__STATE_DISK)
		return;
	pthread_mutex_lock(&leaps->mutex);
	leaps->is_due = true;
	pthread_mutex_unlock(&leaps->mutex);
}

static void give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	(void)record;
	mark_all(store, reader);
}

static const struct mxw__state_field fields[] = {
	[FIELD_SEEN] = {"seen", MXW__MERGE_LATEST, true},
	[FIELD_CALM] = {"calm", MXW__MERGE_LATEST, true},
};

const struct mxw__state_sort mxw__leaps_sort = {
	.name = "clock",
	.nfields = MXW_ARRAY_LEN(fields),
	.fields = fields,
	.is_kept = true,
	.take = take,
	.put = put,
	.give_back = give_back,
	.mark_all = mark_all,
};
