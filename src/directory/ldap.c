/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory type "ldap": a recipient exists when a search for it finds an entry. ldap_pool.h says how.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/ldap_pool.h"

enum { TEXT_MAX = 16384, QUESTIONS_MAX = 8192, CONNECTIONS_MAX = 64, RESOLVING_MAX = 64, TOLD_EVERY_MS = 60000 };

int64_t mxw__ldap_now_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

void mxw__ldap_complain(struct mxw__ldap *ldap, const struct mxw__ldap_failure *failure, const char *uri)
{
	const char *base = failure->base ? failure->base : ldap->conf->bases.v[0];
	int64_t now = mxw__ldap_now_ms();
	bool was_told = false;

	pthread_mutex_lock(&ldap->lock);
	for (size_t i = 0; i < MXW__LDAP_TOLD; i++)
		if (ldap->told[i].told_ms && ldap->told[i].code == failure->code && ldap->told[i].base == base &&
		    now - ldap->told[i].told_ms < TOLD_EVERY_MS)
			was_told = true;
	if (!was_told) {
		ldap->told[ldap->next_told].code = failure->code;
		ldap->told[ldap->next_told].base = base;
		ldap->told[ldap->next_told].told_ms = now;
		ldap->next_told = (ldap->next_told + 1) % MXW__LDAP_TOLD;
	}
	pthread_mutex_unlock(&ldap->lock);
	if (!was_told)
		mxw__noticef(&ldap->noticer, failure->outcome == MXW_MISCONFIGURED, "%s: search below \"%s\": %s%s%s",
			     uri, base, failure->text, *failure->detail ? " " : "", failure->detail);
}

/* ---- the source ---- */

/* One question for each base. */
struct search {
	size_t n;
	char *bases[MXW__LDAP_BASES_MAX], *filters[MXW__LDAP_BASES_MAX];
	struct mxw__ldap_question *questions[MXW__LDAP_BASES_MAX]; /* NULL: no memory */
	struct mxw__ldap_conn *conns[MXW__LDAP_BASES_MAX];         /* to be sent there by us, unless NULL */
};

static char *fill(const char *tmpl, mxw__ldap_escape_t how, const struct mxw__address *address)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, TEXT_MAX);
	mxw__ldap_template_fill(&buf, tmpl, how, address);
	return mxw__buf_take(&buf);
}

static void free_texts(struct search *search)
{
	for (size_t i = 0; i < search->n; i++) {
		free(search->bases[i]);
		free(search->filters[i]);
	}
}

static bool fill_all(const struct mxw__ldap *ldap, const struct mxw__address *address, struct search *ret_search)
{
	*ret_search = (struct search){.n = ldap->conf->bases.n};
	for (size_t i = 0; i < ret_search->n; i++) {
		ret_search->bases[i] = fill(ldap->conf->bases.v[i], MXW__LDAP_DN, address);
		ret_search->filters[i] = fill(ldap->conf->filter, MXW__LDAP_FILTER, address);
		if (!ret_search->bases[i] || !ret_search->filters[i]) {
			free_texts(ret_search);
			return false;
		}
	}
	return true;
}

static int weight(mxw_outcome_t outcome)
{
	return outcome == MXW_TEMPORARY ? 2 : outcome == MXW_MISCONFIGURED ? 1 : 0;
}

/* What the bases say together. Found in one is found; not found takes all of them. */
struct verdict {
	bool is_found;
	struct mxw__rcpt_settings settings;
	struct mxw__rcpt_result other; /* of those that did not find: the one that weighs most */
};

static void add_answer(struct verdict *verdict, const struct mxw__rcpt_result *one)
{
	if (one->outcome != MXW_FOUND) {
		if (weight(one->outcome) > weight(verdict->other.outcome))
			verdict->other = *one;
		return;
	}
	if (verdict->is_found)
		mxw__rcpt_settings_add(&verdict->settings, &one->settings);
	else
		verdict->settings = one->settings;
	verdict->is_found = true;
}

static void settle(const struct verdict *verdict, struct mxw__rcpt_result *ret_result)
{
	/* Disabled here, but a base that did not answer may have the same address in use: no positive fact. */
	bool is_doubtful = verdict->settings.is_disabled && weight(verdict->other.outcome) > 0;

	if (!verdict->is_found || is_doubtful) {
		mxw__rcpt_answerf(ret_result, verdict->other.outcome, "%s", verdict->other.reason);
		return;
	}
	mxw__rcpt_answer(ret_result, MXW_FOUND);
	ret_result->settings = verdict->settings;
}

static void join_all_locked(struct mxw__ldap *ldap, struct search *search)
{
	for (size_t i = 0; i < search->n; i++)
		search->questions[i] = mxw__ldap_join_locked(ldap, ldap->conf->bases.v[i], search->bases[i],
							     search->filters[i], &search->conns[i]);
}

/* All are asked before any is waited for. */
static void ask_all(struct mxw__ldap *ldap, struct search *search, int64_t end_ms, struct mxw__rcpt_result *ret_result)
{
	struct verdict verdict = {.other.outcome = MXW_NOT_FOUND};

	for (size_t i = 0; i < search->n; i++)
		if (search->conns[i])
			mxw__ldap_direct_ask(search->conns[i], search->questions[i], search->n == 1 ? end_ms : 0);
	for (size_t i = 0; i < search->n; i++) {
		struct mxw__rcpt_result one = {.outcome = MXW_TEMPORARY};
		/* Where existence is enough the others are no longer waited for. */
		int64_t until_ms = verdict.is_found && ldap->size_limit == 1 ? 0 : end_ms;
		if (search->questions[i])
			mxw__ldap_await(ldap, search->questions[i], until_ms, &one);
		else
			mxw__rcpt_answerf(&one, MXW_TEMPORARY, "out of memory");
		add_answer(&verdict, &one);
	}
	settle(&verdict, ret_result);
}

static void ldap_lookup(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	struct mxw__ldap *ldap = self;
	int64_t left = query->deadline_ms - mxw__now_ms(ldap->clock);
	struct search search;

	if (left <= 0) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "no time was left");
		return;
	}
	if (left > (int64_t)ldap->conf->timeout_ms)
		left = (int64_t)ldap->conf->timeout_ms;
	if (!fill_all(ldap, query->address, &search)) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "out of memory");
		return;
	}
	int64_t end_ms = mxw__ldap_now_ms() + left;

	pthread_mutex_lock(&ldap->lock);
	bool is_full = ldap->nquestions >= QUESTIONS_MAX;
	if (!is_full)
		join_all_locked(ldap, &search);
	pthread_mutex_unlock(&ldap->lock);
	if (is_full) {
		free_texts(&search);
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "too many look-ups are waiting");
	} else {
		ask_all(ldap, &search, end_ms, ret_result);
	}
}

static void ldap_close(void *self)
{
	struct mxw__ldap *ldap = self;
	struct mxw__ldap_question *q;

	pthread_mutex_lock(&ldap->lock);
	ldap->is_stopping = true;
	while ((q = TAILQ_FIRST(&ldap->pending))) {
		TAILQ_REMOVE(&ldap->pending, q, in_queue);
		mxw__ldap_finish_locked(ldap, q, MXW_TEMPORARY, "the directory is being closed");
	}
	pthread_cond_broadcast(&ldap->changed);
	pthread_mutex_unlock(&ldap->lock);
	for (size_t i = 0; i < ldap->nconns; i++)
		mxw__ldap_link_cancel(&ldap->conns[i].link);
	for (size_t i = 0; i < ldap->nservers; i++)
		mxw__ldap_link_cancel(&ldap->servers[i].probe_link);
	for (size_t i = 0; i < ldap->nconns; i++) {
		if (ldap->conns[i].has_thread)
			pthread_join(ldap->conns[i].thread, NULL);
		mxw__ldap_link_fini(&ldap->conns[i].link);
		pthread_cond_destroy(&ldap->conns[i].led_no_more);
		pthread_mutex_destroy(&ldap->conns[i].handle);
	}
	mxw__ldap_servers_fini(ldap);
	mxw__ldap_entries_fini(ldap);
	if (ldap->has_pull_link)
		mxw__ldap_link_fini(&ldap->pull_link);
	free(ldap->conns);
	mxw__jobs_unref(ldap->jobs);
	pthread_cond_destroy(&ldap->changed);
	pthread_mutex_destroy(&ldap->lock);
	free(ldap);
}

static mxw_status_t check_conf(struct mxw__ldap *ldap, struct mxw_error *err)
{
	static const struct {
		const char *name;
		int scope;
	} scopes[] = {{"sub", LDAP_SCOPE_SUBTREE}, {"one", LDAP_SCOPE_ONELEVEL}, {"base", LDAP_SCOPE_BASE}};
	const struct mxw__directory_conf *conf = ldap->conf;
	mxw_status_t status = MXW_OK;
	bool has_dn = conf->bind_dn && *conf->bind_dn, has_password = conf->bind_password && *conf->bind_password;

	/* A name without a password is an anonymous bind that looks like one with a name (RFC 4513 section 5.1.2). */
	if (conf->bind_external && has_dn)
		return mxw__fail(err, MXW_ERR_CONF, "bind-dn is for simple binds only");
	if (has_dn != has_password)
		return mxw__fail(err, MXW_ERR_CONF, has_dn ? "bind-dn is given without a password"
							   : "a password is given without bind-dn");
	if (conf->bases.n < 1 || conf->bases.n > MXW__LDAP_BASES_MAX)
		return mxw__fail(err, MXW_ERR_CONF, "1 to %d bases were expected", MXW__LDAP_BASES_MAX);
	status = mxw__ldap_template_check(conf->filter, MXW__LDAP_FILTER, err);
	for (size_t i = 0; i < conf->bases.n && status == MXW_OK; i++)
		status = mxw__ldap_template_check(conf->bases.v[i], MXW__LDAP_DN, err);
	if (status != MXW_OK)
		return status;
	for (size_t i = 0; i < MXW_ARRAY_LEN(scopes); i++)
		if (strcmp(conf->scope, scopes[i].name) == 0) {
			ldap->scope = scopes[i].scope;
			return MXW_OK;
		}
	return mxw__fail(err, MXW_ERR_CONF, "scope %s: sub, one or base was expected", conf->scope);
}

/* These locks are held for a moment only: to try again a few times is quicker than to sleep and be woken. */
static int init_short_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;
	int rc = pthread_mutexattr_init(&attr);

	if (rc != 0)
		return rc;
#ifdef PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
	rc = pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return rc;
}

static mxw_status_t init_conn(struct mxw__ldap_conn *conn, struct mxw__ldap *ldap, struct mxw_error *err)
{
	mxw_status_t status = mxw__ldap_link_init(&conn->link, ldap->jobs, err);

	if (status != MXW_OK)
		return status;
	int rc = init_short_lock(&conn->handle);
	if (rc == 0) {
		rc = mxw__cond_init(&conn->led_no_more);
		if (rc != 0)
			pthread_mutex_destroy(&conn->handle);
	}
	if (rc != 0) {
		mxw__ldap_link_fini(&conn->link);
		return mxw__fail(err, MXW_ERR_SYSTEM, "no lock: %s", strerror(rc));
	}
	conn->ldap = ldap;
	TAILQ_INIT(&conn->queue);
	TAILQ_INIT(&conn->sent);
	TAILQ_INIT(&conn->settled);
	return MXW_OK;
}

static mxw_status_t make_conns(struct mxw__ldap *ldap, struct mxw_error *err)
{
	size_t n = ldap->conf->connections;

	if (n < 1 || n > CONNECTIONS_MAX)
		n = n < 1 ? 1 : CONNECTIONS_MAX;
	ldap->conns = mxw__calloc(n, sizeof *ldap->conns);
	if (!ldap->conns)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct mxw__ldap_conn *conn = &ldap->conns[i];
		mxw_status_t status = init_conn(conn, ldap, err);
		if (status != MXW_OK)
			return status;
		ldap->nconns++;
	}
	return MXW_OK;
}

static mxw_status_t init_locks(struct mxw__ldap *ldap, struct mxw_error *err)
{
	int rc = init_short_lock(&ldap->lock);

	if (rc == 0) {
		rc = mxw__cond_init(&ldap->changed);
		if (rc != 0)
			pthread_mutex_destroy(&ldap->lock);
	}
	return rc == 0 ? MXW_OK : mxw__fail(err, MXW_ERR_SYSTEM, "no lock: %s", strerror(rc));
}

/* Threads are started last: until then there is nothing that runs. */
static mxw_status_t start(struct mxw__ldap *ldap, struct mxw_error *err)
{
	int ignored;

	/* libldap makes its globals at its first call, and two first calls at one time get in each other's way. */
	ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &ignored);
	mxw_status_t status = mxw__ldap_servers_start(ldap, err);
	for (size_t i = 0; i < ldap->nconns && status == MXW_OK; i++)
		status = mxw__ldap_conn_start(&ldap->conns[i], err);
	return status;
}

static mxw_status_t ldap_open_source(const struct mxw__directory_env *env, void **ret_self, struct mxw_error *err)
{
	const struct mxw__directory_conf *conf = env->conf;
	struct mxw__ldap *ldap = calloc(1, sizeof *ldap);

	if (!ldap)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	ldap->conf = conf;
	ldap->clock = env->clock;
	ldap->domains = env->domains;
	ldap->noticer = (struct mxw__noticer){env->notice, env->notice_ctx, conf->name, "directory"};
	mxw__hashkey_random(&ldap->key);
	TAILQ_INIT(&ldap->pending);
	mxw_status_t status = init_locks(ldap, err);
	if (status != MXW_OK) {
		free(ldap);
		return status;
	}
	ldap->jobs = mxw__jobs_new(RESOLVING_MAX);
	status = ldap->jobs ? check_conf(ldap, err) : mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	if (status == MXW_OK)
		status = mxw__ldap_entries_init(ldap, err);
	if (status == MXW_OK)
		status = mxw__ldap_servers_init(ldap, err);
	if (status == MXW_OK)
		status = make_conns(ldap, err);
	if (status == MXW_OK)
		status = mxw__ldap_link_init(&ldap->pull_link, ldap->jobs, err);
	ldap->has_pull_link = status == MXW_OK;
	if (status == MXW_OK)
		status = start(ldap, err);
	if (status != MXW_OK) {
		ldap_close(ldap);
		return status;
	}
	*ret_self = ldap;
	return MXW_OK;
}

const struct mxw__directory_ops mxw__directory_ldap = {
	.type = "ldap",
	.is_remote = true,
	.open = ldap_open_source,
	.lookup = ldap_lookup,
	.enumerate = mxw__ldap_enumerate,
	.interrupt = mxw__ldap_interrupt,
	.close = ldap_close,
};
