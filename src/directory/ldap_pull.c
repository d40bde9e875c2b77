/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists all addresses of a directory, in pages (RFC 2696), over a connection of its own. The list is complete only when
 * every page of every base came from one server and ended with success; all else says nothing.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/ldap_pool.h"

/* A page is allowed so many times what one look-up is. */
enum { PAGE_ENTRIES = 1000, PAGE_TIMEOUTS = 10, STOP_LOOK_MS = 500, EMPTY_PAGES_MAX = 1000, MORE_MS = 3600000 };
enum { BASE_MAX = 16384, VALUE_MAX = 1024, NAME_MAX_OCTETS = 255 };
#define BYTES_MAX ((uint64_t)8 << 30)

struct pull {
	struct mxw__ldap *ldap;
	struct mxw__ldap_server *server;
	mxw__rcpt_visit_fn visit;
	bool (*may_stop)(void *ctx);
	void *ctx;
	struct mxw__rcpt_result *result;
	const char *template; /* borrowed from the configuration */
	const char *base, *domain; /* NULL: the base is the same for all domains */
	struct berval cookie;
	uint64_t bytes;
	unsigned empty_pages; /* one after the other */
	size_t nentries;      /* of this page */
	bool is_elsewhere;
	bool has_ended;       /* the last page of this base was complete */
	int64_t end_ms;
};

static bool fail(struct pull *pull, mxw_outcome_t outcome, const char *what)
{
	mxw__rcpt_answerf(pull->result, outcome, "%.60s: %.90s", pull->server ? pull->server->uri : "list", what);
	return false;
}

static bool is_stopped(const struct pull *pull)
{
	return mxw__ldap_link_is_cancelled(&pull->ldap->pull_link) || (pull->may_stop && pull->may_stop(pull->ctx));
}

/* ---- entries ---- */

static bool give(struct pull *pull, const char *address, size_t len, const struct mxw__rcpt_settings *settings)
{
	return pull->visit(pull->ctx, address, len, settings) || fail(pull, MXW_TEMPORARY, "the list is not taken");
}

/* A local part alone is good in every domain, or in that of the base. */
static bool take_address(struct pull *pull, const struct berval *value, const struct mxw__rcpt_settings *settings)
{
	char text[2 * VALUE_MAX];

	pull->bytes += value->bv_len;
	if (pull->bytes > BYTES_MAX)
		return fail(pull, MXW_TEMPORARY, "the list is larger than 8 GiB");
	if (value->bv_len == 0 || value->bv_len > VALUE_MAX)
		return true;
	if (!pull->domain || memchr(value->bv_val, '@', value->bv_len))
		return give(pull, value->bv_val, value->bv_len, settings);
	int n = snprintf(text, sizeof text, "%.*s@%s", (int)value->bv_len, value->bv_val, pull->domain);
	return n < 0 || (size_t)n >= sizeof text || give(pull, text, (size_t)n, settings);
}

static bool take_values(struct pull *pull, LDAPMessage *entry, const char *name, const struct berval *values,
			const struct mxw__rcpt_settings *settings)
{
	struct berval address;
	bool ok = true;

	for (const struct berval *value = values; ok && value && value->bv_val; value++) {
		if (!mxw__ldap_is_address(pull->ldap, pull->ldap->pull_link.ld, entry, name, value, &address))
			continue;
		/* Active Directory gives 1500 values at a time, and leaves the others to be asked for. */
		ok = !strstr(name, ";range=") ? take_address(pull, &address, settings) :
			fail(pull, MXW_MISCONFIGURED, "an entry has more addresses than the server gives at one time");
	}
	return ok;
}

/* The next attribute of the entry, as it came: a server may give one in several pieces. `ret_more`: there was one. */
static bool take_attribute(struct pull *pull, LDAPMessage *entry, BerElement *ber, const struct mxw__rcpt_settings *settings,
			   bool *ret_more)
{
	struct berval description = {0}, *values = NULL;
	char name[NAME_MAX_OCTETS + 1];

	int rc = ldap_get_attribute_ber(pull->ldap->pull_link.ld, entry, ber, &description, &values);
	*ret_more = rc == LDAP_SUCCESS && description.bv_val;
	if (rc == LDAP_SUCCESS && !description.bv_val)
		return true;
	if (rc != LDAP_SUCCESS || description.bv_len > NAME_MAX_OCTETS) {
		ber_memfree(values);
		return fail(pull, MXW_TEMPORARY, "an entry can't be read");
	}
	memcpy(name, description.bv_val, description.bv_len);
	name[description.bv_len] = '\0';
	bool ok = take_values(pull, entry, name, values, settings);
	ber_memfree(values);
	return ok;
}

static bool take_entry(struct pull *pull, LDAPMessage *entry)
{
	LDAP *ld = pull->ldap->pull_link.ld;
	struct mxw__rcpt_settings settings;
	struct berval dn;
	BerElement *ber = NULL;
	bool more = true, ok = true;

	pull->nentries++;
	if (ldap_get_dn_ber(ld, entry, &ber, &dn) != LDAP_SUCCESS)
		return fail(pull, MXW_TEMPORARY, "an entry can't be read");
	mxw__ldap_read_settings(pull->ldap, ld, entry, &settings);
	while (ok && more)
		ok = take_attribute(pull, entry, ber, &settings, &more);
	ber_free(ber, 0);
	return ok;
}

/* ---- the end of a page ---- */

static void take_reference(struct pull *pull, LDAPMessage *msg)
{
	char **urls = NULL;

	if (ldap_parse_reference(pull->ldap->pull_link.ld, msg, &urls, NULL, 0) != LDAP_SUCCESS || !urls) {
		pull->is_elsewhere = true;
		return;
	}
	for (size_t i = 0; urls[i]; i++)
		if (mxw__ldap_reference_counts(urls[i]))
			pull->is_elsewhere = true;
	ber_memvfree((void **)urls);
}

/* Looks where the next page begins. False: the server did not say. */
static bool take_cookie(struct pull *pull, LDAPControl **controls)
{
	LDAP *ld = pull->ldap->pull_link.ld;
	LDAPControl *control = controls ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL) : NULL;
	struct berval cookie = {0};
	ber_int_t estimate = 0;

	if (!control || ldap_parse_pageresponse_control(ld, control, &estimate, &cookie) != LDAP_SUCCESS)
		return false;
	ber_memfree(pull->cookie.bv_val);
	pull->cookie = cookie;
	pull->has_ended = cookie.bv_len == 0;
	return true;
}

static bool fail_page(struct pull *pull, int code, const char *diagnostic)
{
	struct mxw__ldap_failure failure;
	mxw_outcome_t outcome = mxw__ldap_judge_search(code, 0, pull->is_elsewhere);
	const char *text = ldap_err2string(code);

	if (outcome == MXW_FOUND || outcome == MXW_NOT_FOUND)
		outcome = MXW_TEMPORARY;
	if (code == LDAP_SUCCESS)
		text = "part of the base is on another server, which is not asked";
	else if (code == LDAP_NO_SUCH_OBJECT)
		text = "the base does not exist";
	else if (code == LDAP_SIZELIMIT_EXCEEDED)
		text = "the server's size limit does not let the whole list through";
	else if (code == LDAP_UNAVAILABLE_CRITICAL_EXTENSION)
		text = "the server does not list in pages (RFC 2696)";
	mxw__ldap_fail(&failure, outcome, code, text, diagnostic);
	failure.base = pull->template;
	mxw__ldap_complain(pull->ldap, &failure, pull->server->uri);
	return fail(pull, outcome, text);
}

static bool take_result(struct pull *pull, LDAPMessage *msg)
{
	LDAPControl **controls = NULL;
	char *diagnostic = NULL;
	int code = LDAP_OTHER;
	bool ok;

	if (ldap_parse_result(pull->ldap->pull_link.ld, msg, &code, NULL, &diagnostic, NULL, &controls, 0) != LDAP_SUCCESS)
		code = LDAP_OTHER;
	if (code != LDAP_SUCCESS || pull->is_elsewhere)
		ok = fail_page(pull, code, diagnostic);
	else
		ok = take_cookie(pull, controls) || fail(pull, MXW_TEMPORARY, "the server does not say whether the list is complete");
	ldap_memfree(diagnostic);
	ldap_controls_free(controls);
	return ok;
}

/* ---- one page ---- */

static int64_t page_ms(const struct pull *pull)
{
	return (int64_t)pull->ldap->conf->timeout_ms * PAGE_TIMEOUTS;
}

static bool ask_page(struct pull *pull, int *ret_msgid)
{
	LDAP *ld = pull->ldap->pull_link.ld;
	LDAPControl *page = NULL;

	int rc = ldap_create_page_control(ld, PAGE_ENTRIES, pull->cookie.bv_val ? &pull->cookie : NULL, 'T', &page);
	if (rc == LDAP_SUCCESS) {
		LDAPControl *controls[] = {page, NULL};
		struct timeval tv = {(time_t)(page_ms(pull) / 1000 + 1), 0};
		/* libldap does not change them. */
		rc = ldap_search_ext(ld, pull->base, pull->ldap->scope, pull->ldap->conf->copy_filter,
				     (char **)(uintptr_t)pull->ldap->copy_attributes, 0, controls, NULL, &tv, LDAP_NO_LIMIT,
				     ret_msgid);
	}
	if (page)
		ldap_control_free(page);
	return rc == LDAP_SUCCESS || fail(pull, MXW_TEMPORARY, ldap_err2string(rc));
}

/* The next message of the search; NULL: why is in the result. */
static LDAPMessage *next_message(struct pull *pull, int msgid, int64_t deadline_ms)
{
	struct mxw__ldap_link *link = &pull->ldap->pull_link;

	for (;;) {
		struct timeval now = {0, 0};
		LDAPMessage *msg = NULL;
		int type = ldap_result(link->ld, msgid, LDAP_MSG_ONE, &now, &msg);
		if (type > 0)
			return msg;
		int64_t left = deadline_ms - mxw__ldap_now_ms();
		const char *why = type < 0 ? "the connection was lost" : left <= 0 ? "no answer in time" :
				  is_stopped(pull) ? "the directory is being closed" : NULL;
		if (why) {
			fail(pull, MXW_TEMPORARY, why);
			return NULL;
		}
		mxw__ldap_link_wait(link, link->fd, POLLIN, left < STOP_LOOK_MS ? left : STOP_LOOK_MS);
	}
}

static bool take_message(struct pull *pull, LDAPMessage *msg, bool *ret_is_last)
{
	switch (ldap_msgtype(msg)) {
	case LDAP_RES_SEARCH_ENTRY:
		return take_entry(pull, msg);
	case LDAP_RES_SEARCH_REFERENCE:
		take_reference(pull, msg);
		return true;
	case LDAP_RES_SEARCH_RESULT:
		*ret_is_last = true;
		return take_result(pull, msg);
	default:
		return true;
	}
}

static bool read_page(struct pull *pull)
{
	int64_t deadline_ms = mxw__ldap_now_ms() + page_ms(pull);
	bool is_last = false, ok;
	int msgid;

	pull->nentries = 0;
	if (!ask_page(pull, &msgid))
		return false;
	do {
		LDAPMessage *msg = next_message(pull, msgid, deadline_ms);
		if (!msg)
			return false;
		ok = take_message(pull, msg, &is_last);
		ldap_msgfree(msg);
	} while (ok && !is_last);
	pull->empty_pages = pull->nentries ? 0 : pull->empty_pages + 1;
	if (ok && (pull->empty_pages > EMPTY_PAGES_MAX || mxw__ldap_now_ms() > pull->end_ms))
		return fail(pull, MXW_TEMPORARY, "the list does not come to its end");
	if (ok && is_stopped(pull))
		return fail(pull, MXW_TEMPORARY, "the directory is being closed");
	return ok;
}

/* ---- bases and servers ---- */

static bool read_base(struct pull *pull, const char *base)
{
	bool ok = true;

	pull->base = base;
	pull->has_ended = false;
	pull->is_elsewhere = false;
	while (ok && !pull->has_ended)
		ok = read_page(pull);
	ber_memfree(pull->cookie.bv_val);
	pull->cookie = (struct berval){0};
	return ok;
}

/* A base with {domain} is as many bases as there are domains. */
static bool read_template(struct pull *pull, const char *tmpl)
{
	const struct mxw__strings *domains = &pull->ldap->domains;
	bool ok = true;

	pull->template = tmpl;
	pull->domain = NULL;
	if (!strchr(tmpl, '{'))
		return read_base(pull, tmpl);
	for (size_t i = 0; ok && i < domains->n; i++) {
		/* What "*.example.net" stands for can't be listed, and is never taken for absent. */
		if (*domains->v[i] == '*')
			continue;
		struct mxw__address address = {.text = "", .local = "", .domain = domains->v[i]};
		struct mxw__buf buf;
		mxw__buf_init(&buf, BASE_MAX);
		mxw__ldap_template_fill(&buf, tmpl, MXW__LDAP_DN, &address);
		pull->domain = domains->v[i];
		ok = buf.failed ? fail(pull, MXW_TEMPORARY, "out of memory") : read_base(pull, mxw__buf_str(&buf));
		mxw__buf_fini(&buf);
	}
	return ok;
}

/* Is this one set aside? Then why is in `ret_failure`. */
static bool is_set_aside(struct mxw__ldap_server *server, struct mxw__ldap_failure *ret_failure)
{
	pthread_mutex_lock(&server->ldap->lock);
	bool is_failed = server->is_failed;
	if (is_failed)
		*ret_failure = server->failure;
	pthread_mutex_unlock(&server->ldap->lock);
	return is_failed;
}

/* The first server that works. The result tells of the last that was tried; with none, of one that may come back by itself. */
static bool open_link(struct pull *pull)
{
	struct mxw__ldap *ldap = pull->ldap;
	bool is_tried = false, is_temporary = false;

	for (size_t i = 0; i < ldap->nservers; i++) {
		struct mxw__ldap_server *server = &ldap->servers[i];
		struct mxw__ldap_failure failure = {.outcome = MXW_TEMPORARY};
		if (is_stopped(pull))
			return fail(pull, MXW_TEMPORARY, "the directory is being closed");
		if (is_set_aside(server, &failure)) {
			if (is_tried || is_temporary)
				continue;
			is_temporary = failure.outcome == MXW_TEMPORARY;
		} else if (mxw__ldap_link_open(&ldap->pull_link, ldap->conf, server->uri, server->url, &failure)) {
			pull->server = server;
			return true;
		} else {
			is_tried = true;
		}
		pull->server = server;
		fail(pull, failure.outcome, failure.text);
	}
	return false;
}

void mxw__ldap_enumerate(void *self, mxw__rcpt_visit_fn visit, bool (*may_stop)(void *ctx), void *ctx,
			 struct mxw__rcpt_result *ret_result)
{
	struct mxw__ldap *ldap = self;
	struct pull pull = {
		.ldap = ldap,
		.visit = visit,
		.may_stop = may_stop,
		.ctx = ctx,
		.result = ret_result,
		.end_ms = mxw__ldap_now_ms() + MORE_MS,
	};

	if (!open_link(&pull))
		return;
	bool ok = true;
	for (size_t i = 0; ok && i < ldap->conf->bases.n; i++)
		ok = read_template(&pull, ldap->conf->bases.v[i]);
	mxw__ldap_link_close(&ldap->pull_link, !ok);
	if (ok)
		mxw__rcpt_answer(ret_result, MXW_FOUND);
}

void mxw__ldap_interrupt(void *self)
{
	struct mxw__ldap *ldap = self;

	mxw__ldap_link_cancel(&ldap->pull_link);
}
