/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "src/directory/source.h"

struct mxw__jobs {
	atomic_uint refs;
	atomic_uint running;
	unsigned max;
};

struct mxw__job {
	atomic_uint refs;
	mxw__jobs_t *jobs;
	void (*run)(void *data);
	void (*release)(void *data);
	void *data;
	int done_fd;
	atomic_bool is_done;
};

mxw__jobs_t *mxw__jobs_new(unsigned max)
{
	mxw__jobs_t *jobs = calloc(1, sizeof *jobs);

	if (!jobs)
		return NULL;
	atomic_init(&jobs->refs, 1);
	jobs->max = max;
	return jobs;
}

void mxw__jobs_unref(mxw__jobs_t *jobs)
{
	if (jobs && atomic_fetch_sub(&jobs->refs, 1) == 1)
		free(jobs);
}

void mxw__job_unref(mxw__job_t *job)
{
	if (atomic_fetch_sub(&job->refs, 1) != 1)
		return;
	job->release(job->data);
	mxw__jobs_unref(job->jobs);
	close(job->done_fd);
	free(job);
}

static void *job_main(void *arg)
{
	mxw__job_t *job = arg;
	uint64_t one = 1;

	job->run(job->data);
	atomic_fetch_sub(&job->jobs->running, 1);
	atomic_store(&job->is_done, true);
	MXW_UNUSED ssize_t n = write(job->done_fd, &one, sizeof one);
	mxw__job_unref(job);
	return NULL;
}

static mxw__job_t *new_job(mxw__jobs_t *jobs, void (*run)(void *data), void (*release)(void *data), void *data)
{
	mxw__job_t *job = calloc(1, sizeof *job);

	if (!job)
		return NULL;
	job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (job->done_fd < 0) {
		free(job);
		return NULL;
	}
	atomic_init(&job->refs, 2);
	job->run = run;
	job->release = release;
	job->data = data;
	job->jobs = jobs;
	atomic_fetch_add(&jobs->refs, 1);
	return job;
}

mxw__job_t *mxw__job_start(mxw__jobs_t *jobs, void (*run)(void *data), void (*release)(void *data), void *data)
{
	pthread_t thread;
	mxw__job_t *job = NULL;

	if (atomic_fetch_add(&jobs->running, 1) < jobs->max)
		job = new_job(jobs, run, release, data);
	if (!job) {
		atomic_fetch_sub(&jobs->running, 1);
		release(data);
		return NULL;
	}
	if (mxw__quiet_thread(&thread, job_main, job) != 0) {
		atomic_fetch_sub(&jobs->running, 1);
		atomic_store(&job->refs, 1);
		mxw__job_unref(job);
		return NULL;
	}
	pthread_detach(thread);
	return job;
}

int mxw__job_fd(const mxw__job_t *job)
{
	return job->done_fd;
}

bool mxw__job_is_done(mxw__job_t *job)
{
	return atomic_load(&job->is_done);
}

bool mxw__job_wait(mxw__job_t *job, int64_t timeout_ms)
{
	int64_t end = mxw__now_ms(mxw_clock_system()) + timeout_ms;

	while (!mxw__job_is_done(job)) {
		struct pollfd fd = {.fd = job->done_fd, .events = POLLIN};
		int64_t left = end - mxw__now_ms(mxw_clock_system());
		if (left <= 0)
			break;
		poll(&fd, 1, left < 3600000 ? (int)left : 3600000);
	}
	return mxw__job_is_done(job);
}
