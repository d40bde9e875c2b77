/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which hosts answer. One that failed is set aside and tried by a thread of its own: after retry_ms, then after pauses
 * twice as long each time, up to a minute. While no host answers at all the pauses are no longer than a second, so
 * that the return of one is soon seen; a host that refuses us is not tried that often.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/callahead.h"

enum { PAUSE_MAX_MS = 60000, PAUSE_DOWN_MS = 1000, STABLE_MS = 60000, PLAIN_MS = 600000, SMTP_PORT = 25 };

struct mxw__call_host *mxw__call_best_host_locked(struct mxw__call *call)
{
	for (size_t i = 0; i < call->nhosts; i++)
		if (!call->hosts[i].is_failed)
			return &call->hosts[i];
	return NULL;
}

mxw_outcome_t mxw__call_down_locked(const struct mxw__call *call, char *ret_reason, size_t size)
{
	const struct mxw__call_host *worst = &call->hosts[0];

	/* One host that may come back by itself makes it temporary. */
	for (size_t i = 0; i < call->nhosts; i++)
		if (call->hosts[i].failure.outcome == MXW_TEMPORARY) {
			worst = &call->hosts[i];
			break;
		}
	snprintf(ret_reason, size, "%.60s: %.90s", worst->text, worst->failure.text);
	return worst->failure.outcome;
}

/* Longer after a failure than before, unless it had been good for a while. */
static void lengthen_pause_locked(struct mxw__call_host *host, int64_t now)
{
	int64_t first = (int64_t)host->call->conf->retry_ms;

	if (host->pause_ms == 0 || (!host->is_failed && now - host->good_ms >= STABLE_MS))
		host->pause_ms = first > 0 ? first : 1;
	else
		host->pause_ms *= 2;
	if (host->pause_ms > PAUSE_MAX_MS)
		host->pause_ms = PAUSE_MAX_MS;
}

/* True if this is news. */
static bool note_failure_locked(struct mxw__call_host *host, const struct mxw__call_failure *failure)
{
	int64_t now = mxw__call_now_ms();
	bool is_news = !host->is_failed || host->failure.outcome != failure->outcome ||
		       strcmp(host->failure.text, failure->text) != 0;

	lengthen_pause_locked(host, now);
	host->is_failed = true;
	host->failure = *failure;
	host->tried_ms = now;
	host->unanswered = 0;
	pthread_cond_broadcast(&host->call->changed);
	return is_news;
}

void mxw__call_host_failed(struct mxw__call_host *host, const struct mxw__call_failure *failure)
{
	struct mxw__call *call = host->call;
	bool is_tls = failure->is_tls && call->conf->tls == MXW__TLS_OPPORTUNISTIC, is_news;

	pthread_mutex_lock(&call->lock);
	if (is_tls) {
		/* It is not set aside, but connected to again at once. */
		is_news = !call->is_stopping && mxw__call_now_ms() >= host->plain_until_ms;
		host->plain_until_ms = mxw__call_now_ms() + PLAIN_MS;
	} else {
		/* A connection that was told to stop has not failed; another one may have said the same already. */
		is_news = !call->is_stopping && !host->is_failed && note_failure_locked(host, failure);
	}
	bool is_down = !mxw__call_best_host_locked(call);
	if (is_down)
		mxw__call_fail_queue_locked(call);
	pthread_mutex_unlock(&call->lock);
	if (is_news)
		mxw__noticef(&call->noticer, is_down || failure->outcome == MXW_MISCONFIGURED, "%s: %s%s%s%s", host->text,
			     failure->text, *failure->detail ? ": " : "", failure->detail,
			     is_tls ? "; it is asked without TLS" : is_down ? "; no host is left" : "");
}

/* ---- trying one that failed ---- */

static void probe(struct mxw__call_host *host)
{
	struct mxw__call *call = host->call;
	struct mxw__call_failure failure = {.outcome = MXW_TEMPORARY};
	bool is_lost;
	bool is_good = mxw__call_open(&host->probe_link, host, &failure);

	if (!is_good && failure.is_tls && call->conf->tls == MXW__TLS_OPPORTUNISTIC) {
		mxw__call_host_failed(host, &failure);
		is_good = mxw__call_open(&host->probe_link, host, &failure);
	}
	if (is_good) {
		/* It may greet everybody and yet not let us ask. */
		is_good = mxw__call_begin(&host->probe_link, false,
					  mxw__call_now_ms() + (int64_t)call->conf->timeout_ms, &is_lost, &failure);
		mxw__call_link_close(&host->probe_link);
	}
	pthread_mutex_lock(&call->lock);
	bool is_news = true;
	if (is_good) {
		host->is_failed = false;
		host->good_ms = mxw__call_now_ms();
	} else {
		is_news = note_failure_locked(host, &failure);
	}
	bool is_told = is_news && !call->is_stopping;
	pthread_mutex_unlock(&call->lock);
	if (is_told && is_good)
		mxw__noticef(&call->noticer, false, "%s: answers again", host->text);
	else if (is_told)
		mxw__noticef(&call->noticer, failure.outcome == MXW_MISCONFIGURED, "%s: %s%s%s", host->text, failure.text,
			     *failure.detail ? ": " : "", failure.detail);
}

static int64_t pause_left_locked(struct mxw__call_host *host)
{
	int64_t pause = host->pause_ms;

	if (host->failure.outcome == MXW_TEMPORARY && pause > PAUSE_DOWN_MS && !mxw__call_best_host_locked(host->call))
		pause = PAUSE_DOWN_MS;
	return host->tried_ms + pause - mxw__call_now_ms();
}

static void *prober_main(void *arg)
{
	struct mxw__call_host *host = arg;
	struct mxw__call *call = host->call;

	pthread_mutex_lock(&call->lock);
	while (!call->is_stopping) {
		int64_t left = host->is_failed ? pause_left_locked(host) : 0;
		if (!host->is_failed) {
			pthread_cond_wait(&call->changed, &call->lock);
		} else if (left > 0) {
			mxw__cond_wait_ms(&call->changed, &call->lock, left);
		} else {
			pthread_mutex_unlock(&call->lock);
			probe(host);
			pthread_mutex_lock(&call->lock);
		}
	}
	pthread_mutex_unlock(&call->lock);
	return NULL;
}

/* ---- start and end ---- */

mxw_status_t mxw__call_hosts_init(struct mxw__call *call, struct mxw_error *err)
{
	const struct mxw__strings *hosts = &call->conf->hosts;

	if (hosts->n == 0)
		return mxw__fail(err, MXW_ERR_CONF, "no host is given");
	if (hosts->n > MXW__CALL_HOSTS_MAX)
		return mxw__fail(err, MXW_ERR_CONF, "more than %d hosts are given", MXW__CALL_HOSTS_MAX);
	call->hosts = mxw__calloc(hosts->n, sizeof *call->hosts);
	if (!call->hosts)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < hosts->n; i++) {
		struct mxw__call_host *host = &call->hosts[i];
		if (!mxw__host_port_parse(hosts->v[i], SMTP_PORT, host->name, sizeof host->name, &host->port))
			return mxw__fail(err, MXW_ERR_CONF, "%.100s: a host, or host:port, was expected", hosts->v[i]);
		mxw_status_t status = mxw__call_link_init(&host->probe_link, call->jobs, err);
		if (status != MXW_OK)
			return status;
		host->call = call;
		host->text = hosts->v[i];
		host->rank = i;
		call->nhosts++;
	}
	return MXW_OK;
}

mxw_status_t mxw__call_hosts_start(struct mxw__call *call, struct mxw_error *err)
{
	for (size_t i = 0; i < call->nhosts; i++) {
		struct mxw__call_host *host = &call->hosts[i];
		int rc = mxw__quiet_thread(&host->prober, prober_main, host);
		if (rc != 0)
			return mxw__fail(err, MXW_ERR_SYSTEM, "no thread: %s", strerror(rc));
		host->has_prober = true;
	}
	return MXW_OK;
}

void mxw__call_hosts_fini(struct mxw__call *call)
{
	for (size_t i = 0; i < call->nhosts; i++) {
		struct mxw__call_host *host = &call->hosts[i];
		if (host->has_prober)
			pthread_join(host->prober, NULL);
		mxw__call_link_fini(&host->probe_link);
	}
	free(call->hosts);
}
