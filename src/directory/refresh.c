/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions in the background: a bounded queue and a few threads. Each question has one second, so that the end of a set
 * waits for no server that hangs.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/directory/set.h"

enum { THREADS = 4, QUEUE_MAX = 512, QUESTION_MS = 1000 };

struct job {
	struct job *next;
	struct mxw__opened *source;
	struct mxw__rcpt_cache_key key;
	struct mxw__address address; /* its strings are in `text` */
	char text[];
};

struct mxw__refresher {
	mxw__directories_t *directories;
	pthread_mutex_t mutex; /* guards the rest but the threads; a leaf */
	pthread_cond_t wake;
	bool is_stopping;
	struct job *first, **last;
	size_t njobs;
	unsigned nthreads;
	pthread_t threads[THREADS];
};

static struct job *new_job(struct mxw__opened *source, struct mxw__rcpt_cache_key key, const struct mxw__address *address)
{
	/* The forms for comparison are the asker's. The other form of the domain is not: a source may ask for it. */
	const char *other = address->domain_utf8 ? address->domain_utf8 : address->domain;
	size_t text = strlen(address->text) + 1, local = strlen(address->local) + 1, domain = strlen(address->domain) + 1,
	       utf8 = strlen(other) + 1;
	struct job *job = malloc(sizeof *job + text + local + domain + utf8);

	if (!job)
		return NULL;
	*job = (struct job){.source = source, .key = key, .address = *address};
	job->address.text = memcpy(job->text, address->text, text);
	job->address.local = memcpy(job->text + text, address->local, local);
	job->address.domain = memcpy(job->text + text + local, address->domain, domain);
	job->address.domain_utf8 = memcpy(job->text + text + local + domain, other, utf8);
	job->address.key_local = job->address.key_text = NULL;
	return job;
}

static bool append(mxw__refresher_t *refresher, struct job *job)
{
	pthread_mutex_lock(&refresher->mutex);
	bool has_room = !refresher->is_stopping && refresher->njobs < QUEUE_MAX;
	if (has_room) {
		*refresher->last = job;
		refresher->last = &job->next;
		refresher->njobs++;
		pthread_cond_signal(&refresher->wake);
	}
	pthread_mutex_unlock(&refresher->mutex);
	return has_room;
}

void mxw__refresher_add(mxw__refresher_t *refresher, struct mxw__opened *source, struct mxw__rcpt_cache_key key,
			const struct mxw__address *address)
{
	if (!refresher)
		return;
	mxw__rcpt_cache_t *cache = refresher->directories->env.cache;
	if (!mxw__rcpt_cache_claim(cache, key))
		return;
	struct job *job = new_job(source, key, address);
	if (job && append(refresher, job))
		return;
	free(job);
	mxw__rcpt_cache_release(cache, key);
	mxw__rcpt_cache_count(cache, key, MXW__RCPT_REFRESH_DROPPED);
}

/* The next question, or NULL at the end. */
static struct job *take(mxw__refresher_t *refresher)
{
	struct job *job = NULL;

	pthread_mutex_lock(&refresher->mutex);
	while (!refresher->is_stopping && !refresher->first)
		pthread_cond_wait(&refresher->wake, &refresher->mutex);
	if (!refresher->is_stopping) {
		job = refresher->first;
		refresher->first = job->next;
		if (!refresher->first)
			refresher->last = &refresher->first;
		refresher->njobs--;
	}
	pthread_mutex_unlock(&refresher->mutex);
	return job;
}

static void run(mxw__refresher_t *refresher, struct job *job)
{
	mxw__directories_t *directories = refresher->directories;
	struct mxw__rcpt_query query = {
		.address = &job->address,
		.deadline_ms = mxw__now_ms(directories->env.clock) + QUESTION_MS,
	};
	struct mxw__kept kept = {.key = job->key, .state = MXW__RCPT_NOT_KEPT, .is_background = true};
	struct mxw__rcpt_result one;

	mxw__source_ask(job->source, &query, &one);
	mxw__kept_learn(directories, job->source, &query, &kept, &one);
	bool is_answered = one.outcome == MXW_FOUND || one.outcome == MXW_NOT_FOUND;
	mxw__rcpt_cache_count(directories->env.cache, job->key,
			      is_answered ? MXW__RCPT_REFRESHED : MXW__RCPT_REFRESH_FAILED);
	mxw__rcpt_cache_release(directories->env.cache, job->key);
}

static void *refresher_main(void *arg)
{
	mxw__refresher_t *refresher = arg;
	struct job *job;

	while ((job = take(refresher))) {
		run(refresher, job);
		free(job);
	}
	return NULL;
}

mxw__refresher_t *mxw__refresher_new(mxw__directories_t *directories)
{
	mxw__refresher_t *refresher = calloc(1, sizeof *refresher);

	if (!refresher)
		return NULL;
	refresher->directories = directories;
	refresher->last = &refresher->first;
	pthread_mutex_init(&refresher->mutex, NULL);
	pthread_cond_init(&refresher->wake, NULL);
	while (refresher->nthreads < THREADS &&
	       mxw__quiet_thread(&refresher->threads[refresher->nthreads], refresher_main, refresher) == 0)
		refresher->nthreads++;
	if (refresher->nthreads > 0)
		return refresher;
	mxw__refresher_free(refresher);
	return NULL;
}

void mxw__refresher_free(mxw__refresher_t *refresher)
{
	struct job *job;

	if (!refresher)
		return;
	pthread_mutex_lock(&refresher->mutex);
	refresher->is_stopping = true;
	pthread_cond_broadcast(&refresher->wake);
	pthread_mutex_unlock(&refresher->mutex);
	for (unsigned i = 0; i < refresher->nthreads; i++)
		pthread_join(refresher->threads[i], NULL);
	while ((job = refresher->first)) {
		refresher->first = job->next;
		mxw__rcpt_cache_release(refresher->directories->env.cache, job->key);
		free(job);
	}
	pthread_cond_destroy(&refresher->wake);
	pthread_mutex_destroy(&refresher->mutex);
	free(refresher);
}
