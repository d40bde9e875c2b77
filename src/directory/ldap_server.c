/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which servers answer. One that failed is set aside and tried by a thread of its own: after retry_ms, then
 * after pauses twice as long each time, up to a minute. While no server answers at all the pauses are
 * no longer than half a second, so that the return of one is soon seen; a server that refuses what the configuration
 * says (a wrong password) is not asked that often, since asking may lock the account.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/ldap_pool.h"

enum { PAUSE_MAX_MS = 60000, PAUSE_DOWN_MS = 500, STABLE_MS = 60000 };

struct mxw__ldap_server *mxw__ldap_best_server_locked(struct mxw__ldap *ldap)
{
	for (size_t i = 0; i < ldap->nservers; i++)
		if (!ldap->servers[i].is_failed)
			return &ldap->servers[i];
	return NULL;
}

static struct mxw__ldap_server *nth_good_locked(struct mxw__ldap *ldap, size_t n)
{
	for (size_t i = 0; i < ldap->nservers; i++)
		if (!ldap->servers[i].is_failed && n-- == 0)
			return &ldap->servers[i];
	return NULL;
}

struct mxw__ldap_server *mxw__ldap_server_for_locked(struct mxw__ldap *ldap, size_t index)
{
	size_t ngood = 0;

	if (!ldap->conf->spread)
		return mxw__ldap_best_server_locked(ldap);
	/* One server each; those of a failed one share the others, which keep what they have. */
	if (!ldap->servers[index % ldap->nservers].is_failed)
		return &ldap->servers[index % ldap->nservers];
	for (size_t i = 0; i < ldap->nservers; i++)
		ngood += !ldap->servers[i].is_failed;
	return ngood ? nth_good_locked(ldap, index / ldap->nservers % ngood) : NULL;
}

mxw_outcome_t mxw__ldap_down_locked(const struct mxw__ldap *ldap, char *ret_reason, size_t size)
{
	const struct mxw__ldap_server *worst = &ldap->servers[0];

	/* One server that may come back by itself makes it temporary. */
	for (size_t i = 0; i < ldap->nservers; i++)
		if (ldap->servers[i].failure.outcome == MXW_TEMPORARY) {
			worst = &ldap->servers[i];
			break;
		}
	snprintf(ret_reason, size, "%.60s: %.80s", worst->uri, worst->failure.text);
	return worst->failure.outcome;
}

/* Longer after a failure than before, unless it had been good for a while. */
static void lengthen_pause_locked(struct mxw__ldap_server *server, int64_t now)
{
	int64_t first = (int64_t)server->ldap->conf->retry_ms;

	if (server->pause_ms == 0 || (!server->is_failed && now - server->good_ms >= STABLE_MS))
		server->pause_ms = first > 0 ? first : 1;
	else
		server->pause_ms *= 2;
	if (server->pause_ms > PAUSE_MAX_MS)
		server->pause_ms = PAUSE_MAX_MS;
}

/* True if this is news. */
static bool note_failure_locked(struct mxw__ldap_server *server, const struct mxw__ldap_failure *failure)
{
	int64_t now = mxw__ldap_now_ms();
	bool is_news = !server->is_failed || server->failure.outcome != failure->outcome ||
		       server->failure.code != failure->code;

	lengthen_pause_locked(server, now);
	server->is_failed = true;
	server->failure = *failure;
	server->tried_ms = now;
	pthread_cond_broadcast(&server->ldap->changed);
	return is_news;
}

static void wake_conns_locked(struct mxw__ldap *ldap)
{
	for (size_t i = 0; i < ldap->nconns; i++)
		mxw__ldap_link_wake(&ldap->conns[i].link);
}

void mxw__ldap_server_failed(struct mxw__ldap_server *server, const struct mxw__ldap_failure *failure, bool is_silent)
{
	struct mxw__ldap *ldap = server->ldap;

	pthread_mutex_lock(&ldap->lock);
	/* A connection that was told to stop has not failed; another one may have said the same already. */
	bool is_news = !ldap->is_stopping && !server->is_failed && note_failure_locked(server, failure);
	if (is_news && is_silent) {
		server->is_silent = true;
		server->tried_ms -= server->pause_ms;
		wake_conns_locked(ldap);
	}
	bool is_down = !mxw__ldap_best_server_locked(ldap);
	if (is_down)
		mxw__ldap_fail_pending_locked(ldap);
	pthread_mutex_unlock(&ldap->lock);
	if (is_news)
		mxw__noticef(&ldap->noticer, is_down || failure->outcome == MXW_MISCONFIGURED, "%s: %s%s%s%s",
			     server->uri, failure->text, *failure->detail ? " " : "", failure->detail,
			     is_down ? "; no server is left" : "");
}

static void note_good_locked(struct mxw__ldap_server *server)
{
	server->is_failed = false;
	server->is_silent = false;
	server->good_ms = mxw__ldap_now_ms();
	wake_conns_locked(server->ldap);
}

static const char *base_to_probe(const struct mxw__directory_conf *conf)
{
	for (size_t i = 0; i < conf->bases.n; i++)
		if (!strchr(conf->bases.v[i], '{'))
			return conf->bases.v[i];
	return "";
}

/* A server may take our bind and yet have nothing behind it: the base is asked for as well. */
static bool probe_base(struct mxw__ldap_server *server, struct mxw__ldap_failure *ret_failure)
{
	const struct mxw__directory_conf *conf = server->ldap->conf;
	struct timeval tv = {(time_t)(conf->timeout_ms / 1000), (suseconds_t)(conf->timeout_ms % 1000) * 1000};
	char none[] = LDAP_NO_ATTRS;
	char *attrs[] = {none, NULL};
	int msgid;

	int rc = ldap_search_ext(server->probe_link.ld, base_to_probe(conf), LDAP_SCOPE_BASE,
				 "(objectClass=*)", attrs, 1, NULL, NULL, &tv, 1, &msgid);
	if (rc != LDAP_SUCCESS) {
		mxw__ldap_fail(ret_failure, MXW_TEMPORARY, rc, ldap_err2string(rc), NULL);
		return false;
	}
	rc = mxw__ldap_link_result(&server->probe_link, msgid,
				   mxw__ldap_now_ms() + (int64_t)conf->timeout_ms, ret_failure);
	return rc >= 0 && rc != LDAP_BUSY && rc != LDAP_UNAVAILABLE;
}

static void probe(struct mxw__ldap_server *server)
{
	struct mxw__ldap *ldap = server->ldap;
	struct mxw__ldap_failure failure = {.outcome = MXW_TEMPORARY};
	bool is_good = mxw__ldap_link_open(&server->probe_link, ldap->conf, server->uri, server->url, &failure);

	if (is_good) {
		is_good = probe_base(server, &failure);
		mxw__ldap_link_close(&server->probe_link, !is_good);
	}
	pthread_mutex_lock(&ldap->lock);
	bool is_news = true;
	if (is_good)
		note_good_locked(server);
	else
		is_news = note_failure_locked(server, &failure);
	bool is_told = is_news && !ldap->is_stopping;
	pthread_mutex_unlock(&ldap->lock);
	if (is_told && is_good)
		mxw__noticef(&ldap->noticer, false, "%s: answers again", server->uri);
	else if (is_told)
		mxw__noticef(&ldap->noticer, failure.outcome == MXW_MISCONFIGURED, "%s: %s%s%s", server->uri,
			     failure.text, *failure.detail ? " " : "", failure.detail);
}

static int64_t pause_left_locked(struct mxw__ldap_server *server)
{
	int64_t pause = server->pause_ms;

	if (server->failure.outcome == MXW_TEMPORARY && pause > PAUSE_DOWN_MS &&
	    !mxw__ldap_best_server_locked(server->ldap))
		pause = PAUSE_DOWN_MS;
	return server->tried_ms + pause - mxw__ldap_now_ms();
}

static void *prober_main(void *arg)
{
	struct mxw__ldap_server *server = arg;
	struct mxw__ldap *ldap = server->ldap;

	pthread_mutex_lock(&ldap->lock);
	while (!ldap->is_stopping) {
		int64_t left = server->is_failed ? pause_left_locked(server) : 0;
		if (!server->is_failed) {
			pthread_cond_wait(&ldap->changed, &ldap->lock);
		} else if (left > 0) {
			mxw__cond_wait_ms(&ldap->changed, &ldap->lock, left);
		} else {
			pthread_mutex_unlock(&ldap->lock);
			probe(server);
			pthread_mutex_lock(&ldap->lock);
		}
	}
	pthread_mutex_unlock(&ldap->lock);
	return NULL;
}

/* ---- start and end ---- */

static mxw_status_t check_url(const struct mxw__directory_conf *conf, const char *uri, LDAPURLDesc **ret_url,
			      struct mxw_error *err)
{
	LDAPURLDesc *url = NULL;

	if (ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS)
		return mxw__fail(err, MXW_ERR_CONF, "%s: ldap://HOST, ldaps://HOST or ldapi://PATH was expected", uri);
	bool is_plain = strcmp(url->lud_scheme, "ldap") == 0;
	if (conf->starttls && !is_plain) {
		ldap_free_urldesc(url);
		return mxw__fail(err, MXW_ERR_CONF, "%s: starttls goes with ldap:// only", uri);
	}
	*ret_url = url;
	return MXW_OK;
}

mxw_status_t mxw__ldap_servers_init(struct mxw__ldap *ldap, struct mxw_error *err)
{
	const struct mxw__strings *uris = &ldap->conf->uris;

	if (uris->n == 0)
		return mxw__fail(err, MXW_ERR_CONF, "no uri is given");
	ldap->servers = mxw__calloc(uris->n, sizeof *ldap->servers);
	if (!ldap->servers)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < uris->n; i++) {
		struct mxw__ldap_server *server = &ldap->servers[i];
		mxw_status_t status = check_url(ldap->conf, uris->v[i], &server->url, err);
		if (status != MXW_OK)
			return status;
		status = mxw__ldap_link_init(&server->probe_link, ldap->jobs, err);
		if (status != MXW_OK) {
			ldap_free_urldesc(server->url);
			return status;
		}
		server->ldap = ldap;
		server->uri = uris->v[i];
		server->rank = i;
		ldap->nservers++;
	}
	return MXW_OK;
}

mxw_status_t mxw__ldap_servers_start(struct mxw__ldap *ldap, struct mxw_error *err)
{
	for (size_t i = 0; i < ldap->nservers; i++) {
		struct mxw__ldap_server *server = &ldap->servers[i];
		int rc = mxw__quiet_thread(&server->prober, prober_main, server);
		if (rc != 0)
			return mxw__fail(err, MXW_ERR_SYSTEM, "no thread: %s", strerror(rc));
		server->has_prober = true;
	}
	return MXW_OK;
}

void mxw__ldap_servers_fini(struct mxw__ldap *ldap)
{
	for (size_t i = 0; i < ldap->nservers; i++) {
		struct mxw__ldap_server *server = &ldap->servers[i];
		if (server->has_prober)
			pthread_join(server->prober, NULL);
		mxw__ldap_link_fini(&server->probe_link);
		ldap_free_urldesc(server->url);
	}
	free(ldap->servers);
}
