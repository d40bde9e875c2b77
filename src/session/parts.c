/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "src/session/engine.h"
#include "src/session/part.h"

/* Sharing comes first, so that the others see what came; but it, and keeping, are made last, when there is something to share and keep. */
const struct mxw__part *const mxw__parts[] = {
	&mxw__part_track,
	&mxw__part_backup,
	&mxw__part_rates,
	&mxw__part_outbound,
	&mxw__part_lists,
	&mxw__part_bounce,
	&mxw__part_greylist,
	&mxw__part_greylist_client,
	&mxw__part_store,
	&mxw__part_share,
	NULL,
};

mxw_status_t mxw__parts_make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	mxw_status_t status = MXW_OK;

	for (size_t i = 0; mxw__parts[i] && status == MXW_OK; i++)
		if (mxw__parts[i]->make)
			status = mxw__parts[i]->make(engine, conf, err);
	return status;
}

void mxw__parts_configure(mxw_engine_t *engine, const struct mxw_conf *conf)
{
	for (size_t i = 0; mxw__parts[i]; i++)
		if (mxw__parts[i]->configure)
			mxw__parts[i]->configure(engine, conf);
}

void mxw__parts_free(mxw_engine_t *engine)
{
	size_t n = 0;

	while (mxw__parts[n])
		n++;
	while (n-- > 0)
		if (mxw__parts[n]->free)
			mxw__parts[n]->free(engine);
}

size_t mxw__parts_states(mxw_engine_t *engine, struct mxw__state ret_states[MXW__STATE_SORTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; mxw__parts[i]; i++)
		if (mxw__parts[i]->states)
			n += mxw__parts[i]->states(engine, ret_states + n, MXW__STATE_SORTS_MAX - n);
	return n;
}

void mxw__parts_before(mxw_session_t *s, mxw_stage_t stage)
{
	if (mxw__part_share.before)
		mxw__part_share.before(s, stage);
	for (size_t i = 0; mxw__parts[i]; i++)
		if (mxw__parts[i]->before && mxw__parts[i] != &mxw__part_share)
			mxw__parts[i]->before(s, stage);
}

void mxw__parts_after(mxw_session_t *s, mxw_stage_t stage)
{
	for (size_t i = 0; mxw__parts[i]; i++)
		if (mxw__parts[i]->after)
			mxw__parts[i]->after(s, stage);
}

void mxw__parts_decided(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict)
{
	for (size_t i = 0; mxw__parts[i]; i++)
		if (mxw__parts[i]->decided)
			mxw__parts[i]->decided(s, stage, verdict);
}

void mxw__parts_message(mxw_session_t *s, const struct mxw_verdict *verdict)
{
	for (size_t i = 0; mxw__parts[i]; i++)
		if (mxw__parts[i]->message)
			mxw__parts[i]->message(s, verdict);
}

void mxw__parts_aborted(mxw_session_t *s)
{
	for (size_t i = 0; mxw__parts[i]; i++)
		if (mxw__parts[i]->aborted)
			mxw__parts[i]->aborted(s);
}

void mxw__parts_close(mxw_session_t *s)
{
	for (size_t i = 0; mxw__parts[i]; i++)
		if (mxw__parts[i]->close)
			mxw__parts[i]->close(s);
}
