/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * concealed.c: concealed recipients are looked for beside the session.
 *
 * The thread that gives the reply only sleeps from what is decided to the reply's time, whoever is asked for. Had it anything to do once
 * the look-up has an answer, or is given up, then where a machine has more to do than it can, the reply would come when that has had its
 * turn: and the time would tell what the reply does not.
 */
#include "config.h"

#include <stdlib.h>

#include "src/directory/source.h"
#include "src/session/engine.h"

enum { ADDRESS_BYTES = 16 * 1024, WAIT_MS = 60000, END_MS = 3000 };

/* The look-up of a session that goes on; there is one at a time, and one that ends before the session does. */
struct mxw__concealed {
	/* of the session */
	mxw__job_t *job;
	bool is_past;           /* of a message before */
	/* of the job, until it is done */
	mxw_engine_t *engine;
	mxw__directories_t *directories;
	const struct mxw__domain_conf *domain;
	mxw__arena_t *arena;
	struct mxw__address address;
	int64_t deadline_ms;
	bool is_found;
};

static void look_up(void *data)
{
	struct mxw__concealed *c = data;
	struct mxw__rcpt_query query = {.address = &c->address, .deadline_ms = c->deadline_ms};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY, .source = ""};

	mxw__directories_lookup(c->directories, c->domain, &query, &result);
	c->is_found = result.outcome == MXW_FOUND && !result.is_unverifiable;
	atomic_fetch_sub(&c->engine->concealed_lookups, 1);
}

static void release(void *data)
{
	struct mxw__concealed *c = data;

	mxw__arena_free(c->arena);
	free(c);
}

/* The session's own lasts only as long as the step. What is the same text there is so here (mail.h). False: no memory. */
static bool copy_address(mxw__arena_t *arena, struct mxw__address *address)
{
	const struct mxw__address was = *address;
	const char *const old[] = {was.text, was.local, was.domain, was.domain_utf8, was.key_local, was.key_text};
	const char **const texts[] = {&address->text,	     &address->local,	  &address->domain,
				      &address->domain_utf8, &address->key_local, &address->key_text};

	for (size_t i = 0; i < MXW_ARRAY_LEN(texts); i++) {
		size_t first = 0;
		while (old[first] != old[i])
			first++;
		if (first < i)
			*texts[i] = *texts[first];
		else if (old[i] && !(*texts[i] = mxw__arena_strdup(arena, old[i])))
			return false;
	}
	return true;
}

static struct mxw__concealed *new_look_up(const mxw_session_t *s)
{
	struct mxw__concealed *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->engine = s->engine;
	c->directories = s->snapshot->directories;
	c->domain = s->env.rcpt_domain;
	c->address = s->env.rcpt;
	c->deadline_ms = s->ctx.deadline_ms;
	c->arena = mxw__arena_new(ADDRESS_BYTES);
	if (c->arena && copy_address(c->arena, &c->address))
		return c;
	release(c);
	return NULL;
}

/* NULL: short of resources. Nobody is told; the log tells what was found. */
static mxw__job_t *start_job(mxw_engine_t *engine, struct mxw__concealed *c, uint64_t max)
{
	mxw__job_t *job = NULL;

	if (atomic_fetch_add(&engine->concealed_lookups, 1) < max)
		job = mxw__job_start(engine->jobs, look_up, release, c);
	else
		release(c);
	if (!job)
		atomic_fetch_sub(&engine->concealed_lookups, 1);
	return job;
}

void mxw__concealed_look_up(mxw_session_t *s)
{
	const struct mxw__envelope *env = &s->env;

	if (!env->rcpt_is_valid || !env->rcpt_domain_is_known || !env->rcpt_domain || env->rcpt_domain->nrecipients == 0)
		return;
	mxw__concealed_count(s);
	/* One that goes on beyond its time: there is no other beside it. */
	struct mxw__concealed *c = s->concealed ? NULL : new_look_up(s);
	mxw__job_t *job = c ? start_job(s->engine, c, s->snapshot->conf->limits.concealed_sessions) : NULL;
	if (!job)
		return;
	c->job = job;
	s->concealed = c;
}

/* By a clock that leaps, made for tests, no time has passed since it began. */
static bool is_done(const mxw_session_t *s, const struct mxw__concealed *c)
{
	bool is_real = s->engine->clock.monotonic_ms == mxw_clock_system()->monotonic_ms;

	return mxw__job_wait(c->job, is_real ? 0 : WAIT_MS);
}

void mxw__concealed_count(mxw_session_t *s)
{
	struct mxw__concealed *c = s->concealed;

	if (!c || !is_done(s, c))
		return;
	s->concealed = NULL;
	s->record.concealed_found += c->is_found && !c->is_past;
	mxw__job_unref(c->job);
}

void mxw__concealed_end_message(mxw_session_t *s)
{
	if (s->concealed)
		s->concealed->is_past = true;
}

bool mxw__concealed_end(mxw_session_t *s)
{
	struct mxw__concealed *c = s->concealed;

	if (!c)
		return true;
	/* Where one does not end others do not either: the end of many sessions is to take no longer than that of one. */
	bool is_over = mxw__job_wait(c->job, atomic_load(&s->engine->is_left) ? 0 : END_MS);
	s->concealed = NULL;
	mxw__job_unref(c->job);
	return is_over;
}
