/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What has changed here goes to Redis, one batch after the other: the next is taken when all of the one before are answered. The batch is kept
 * over a lost connection, and sent again with the same numbers.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/share/thread.h"

static bool send_one(mxw__share_t *share, size_t index)
{
	struct mxw__share_args args;
	size_t nkeys = mxw__share_record_args(share, &share->batch[index], &args);

	return mxw__share_eval(share, MXW__SCRIPT_MERGE, nkeys, args.n, args.v) &&
	       mxw__share_expect(share, (struct mxw__share_expected){.kind = MXW__EXPECT_PUSH, .index = index});
}

static bool send_batch(mxw__share_t *share)
{
	for (size_t i = 0; i < share->nbatch; i++)
		if (!share->batch[i].is_over && !send_one(share, i))
			return false;
	return true;
}

bool mxw__share_push_again(mxw__share_t *share)
{
	return send_batch(share);
}

/* As much as there is room for, each sort beginning in turn. */
static void fill_batch(mxw__share_t *share)
{
	size_t first = share->next_state++;

	share->nbatch = share->nover = 0;
	for (size_t i = 0; i < share->nstates && share->nbatch < MXW__SHARE_BATCH; i++) {
		size_t state = (first + i) % share->nstates;
		const struct mxw__state *s = &share->states[state];
		size_t n = s->sort->take(s->store, MXW__STATE_SHARE, share->taken, MXW__SHARE_BATCH - share->nbatch);
		for (size_t k = 0; k < n; k++)
			share->batch[share->nbatch++] = (struct mxw__share_push){state, ++share->number, false, share->taken[k]};
	}
}

static void begin_round(mxw__share_t *share)
{
	pthread_mutex_lock(&share->mutex);
	share->round_flushes = share->flushes_wanted;
	pthread_mutex_unlock(&share->mutex);
	share->is_in_round = true;
	share->next_push_ms = mxw__share_steady_ms() + share->settings->push_interval_ms;
}

/* What else was sent in it may be without a reply. */
static void end_round(mxw__share_t *share)
{
	share->nbatch = share->nover = 0;
	share->is_in_round = false;
	share->round_end = share->nsent;
}

bool mxw__share_is_pushing(const mxw__share_t *share)
{
	return share->nover < share->nbatch || share->nanswered < share->round_end;
}

bool mxw__share_is_flush_wanted(mxw__share_t *share)
{
	pthread_mutex_lock(&share->mutex);
	bool is_wanted = share->flushes_wanted != share->round_flushes;
	pthread_mutex_unlock(&share->mutex);
	return is_wanted;
}

void mxw__share_end_flush(mxw__share_t *share)
{
	if (share->is_in_round || share->nanswered < share->round_end)
		return;
	pthread_mutex_lock(&share->mutex);
	if (share->flushes_done != share->round_flushes) {
		share->flushes_done = share->round_flushes;
		pthread_cond_broadcast(&share->changed);
	}
	pthread_mutex_unlock(&share->mutex);
}

bool mxw__share_push(mxw__share_t *share)
{
	if (mxw__share_is_pushing(share))
		return true;
	/* A batch that was not full was the last of the round: what changes all the time does not keep it going. */
	if (share->is_in_round && share->nbatch && share->nbatch < MXW__SHARE_BATCH)
		end_round(share);
	/* Who waits for a round hears of it before there is another, or might wait for that one as well, and so on. */
	mxw__share_end_flush(share);
	if (mxw__share_is_pushing(share))
		return true;
	if (!share->is_in_round) {
		if (!mxw__share_is_flush_wanted(share) && mxw__share_steady_ms() < share->next_push_ms)
			return true;
		begin_round(share);
		if (!mxw__share_send_probe(share) || !mxw__share_ask_changes(share))
			return false;
	}
	fill_batch(share);
	if (!share->nbatch)
		end_round(share);
	return send_batch(share);
}

static void put_merged(mxw__share_t *share, const struct mxw__share_push *push, const redisReply *reply)
{
	const struct mxw__state *s = &share->states[push->state];
	struct mxw__state_record record;

	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_INTEGER &&
	    mxw__share_record_read(share, push->state, push->record.key, reply->element[0]->integer, reply->element[1], &record))
		s->sort->put(s->store, MXW__STATE_SHARE, &record);
}

void mxw__share_on_push(mxw__share_t *share, size_t index, const redisReply *reply)
{
	struct mxw__share_push *push = &share->batch[index];

	push->is_over = true;
	share->nover++;
	/* Not the server's fault but the record's: somebody has something else under that name. It would fail again. */
	atomic_fetch_add(reply->type == REDIS_REPLY_ERROR ? &share->dropped : &share->pushed, 1);
	put_merged(share, push, reply);
}

/* A sum that several hosts know would be added up: only one of them may tell it again. */
static bool is_sum(const struct mxw__state_sort *sort)
{
	for (size_t i = 0; i < sort->nfields; i++) {
		mxw__merge_t merge = sort->fields[i].merge;
		if (!sort->fields[i].is_local && (merge == MXW__MERGE_ADD || merge == MXW__MERGE_COUNT || merge == MXW__MERGE_TIME))
			return true;
	}
	return false;
}

void mxw__share_mark_all(mxw__share_t *share, bool with_sums)
{
	for (size_t i = 0; i < share->nstates; i++)
		if (share->states[i].sort->mark_all && (with_sums || !is_sum(share->states[i].sort)))
			share->states[i].sort->mark_all(share->states[i].store, MXW__STATE_SHARE);
}

void mxw__share_give_back(mxw__share_t *share)
{
	for (size_t i = 0; i < share->nbatch; i++) {
		const struct mxw__state *s = &share->states[share->batch[i].state];
		if (!share->batch[i].is_over && s->sort->give_back)
			s->sort->give_back(s->store, MXW__STATE_SHARE, &share->batch[i].record);
	}
	share->nbatch = share->nover = 0;
}
