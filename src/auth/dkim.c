/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim.c: libopendkim in a wrapper that judges each signature by itself.
 *
 * Which signatures it sees, in order: those that dkim_sig.c has accepted, up to the limit. The n-th of them is the n-th of
 * its list, because DKIM_LIBFLAGS_BADSIGHANDLES keeps also those that it finds malformed (which are then ignored), and
 * keeps it from giving up on a From field that it can't read. With DKIM_LIBFLAGS_DELAYSIGPROC keys are asked for at the end
 * of the message only. The status of dkim_eom() says nothing of a single signature and is not looked at.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/dkim_verifier.h"

#define SIGNATURE "DKIM-Signature"

/* ---- life ---- */

mxw_status_t mxw__dkim_lib_new(const struct mxw__dkim_options *options, mxw__dkim_lib_t **ret_lib, struct mxw_error *err)
{
	unsigned flags = DKIM_LIBFLAGS_DELAYSIGPROC | DKIM_LIBFLAGS_BADSIGHANDLES;
	/* We look at the size of a key ourselves: one that is too small is a matter of policy, not of validity. */
	unsigned min_bits = 0;
	struct mxw__dkim_lib *lib = mxw__calloc(1, sizeof(*lib));

	if (!lib || !(lib->lib = dkim_init(NULL, NULL))) {
		free(lib);
		return mxw__fail(err, MXW_ERR_NOMEM, "libopendkim does not start: out of memory");
	}
	lib->options = *options;
	if (dkim_options(lib->lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof(flags)) != DKIM_STAT_OK ||
	    dkim_options(lib->lib, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &min_bits, sizeof(min_bits)) != DKIM_STAT_OK ||
	    dkim_set_key_lookup(lib->lib, mxw__dkim_on_key_lookup) != DKIM_STAT_OK) {
		mxw__dkim_lib_free(lib);
		return mxw__fail(err, MXW_ERR_SYSTEM, "libopendkim does not take its options");
	}
	*ret_lib = lib;
	return MXW_OK;
}

void mxw__dkim_lib_free(mxw__dkim_lib_t *lib)
{
	if (!lib)
		return;
	dkim_close(lib->lib);
	free(lib);
}

mxw_status_t mxw__dkim_new(mxw__dkim_lib_t *lib, const char *id, mxw_resolver_t *resolver, struct mxw_dns_budget *budget,
			   mxw__dkim_t **ret_dkim)
{
	struct mxw__dkim *self = mxw__calloc(1, sizeof(*self));
	DKIM_STAT status;

	if (!self)
		return MXW_ERR_NOMEM;
	self->lib = lib;
	self->resolver = resolver;
	self->budget = budget;
	self->max_length = -1;
	snprintf(self->id, sizeof(self->id), "%s", id);
	self->reports = mxw__calloc((size_t)lib->options.max_signatures + 1, sizeof(*self->reports));
	self->sigs = mxw__calloc((size_t)lib->options.max_signatures + 1, sizeof(*self->sigs));
	self->dkim = dkim_verify(lib->lib, (const unsigned char *)self->id, NULL, &status);
	if (!self->reports || !self->sigs || !self->dkim) {
		mxw__dkim_free(self);
		return MXW_ERR_NOMEM;
	}
	dkim_set_user_context(self->dkim, self);
	*ret_dkim = self;
	return MXW_OK;
}

void mxw__dkim_free(mxw__dkim_t *self)
{
	if (!self)
		return;
	if (self->dkim)
		dkim_free(self->dkim);
	for (unsigned i = 0; i < self->nsigs; i++)
		free(self->sigs[i].key);
	free(self->reports);
	free(self->sigs);
	free(self);
}

/* ---- header fields ---- */

/* The field as it was on the wire: lines end in CRLF, whatever the MTA made of them. */
static void build_field(struct mxw__buf *field, const char *name, const char *value, size_t len)
{
	mxw__buf_adds(field, name);
	mxw__buf_addc(field, ':');
	while (len && (value[len - 1] == '\n' || value[len - 1] == '\r'))
		len--;
	for (size_t done = 0; done < len;) {
		const char *lf = memchr(value + done, '\n', len - done);
		size_t n = lf ? (size_t)(lf - value) - done : len - done;
		if (lf && n && lf[-1] == '\r')
			n--;
		mxw__buf_add(field, value + done, n);
		if (!lf)
			return;
		mxw__buf_adds(field, "\r\n");
		done = (size_t)(lf - value) + 1;
	}
}

static DKIM_STAT feed_header(struct mxw__dkim *self, const char *name, const char *value)
{
	size_t len = strlen(value);
	struct mxw__buf field;
	DKIM_STAT status = DKIM_STAT_NORESOURCE;

	mxw__buf_init(&field, 2 * (strlen(name) + len) + 16);
	build_field(&field, name, value, len);
	self->nfields++;
	if (!field.failed)
		status = dkim_header(self->dkim, (unsigned char *)field.data, field.len);
	mxw__buf_fini(&field);
	/* A field whose name is none, in libopendkim's eyes, is left out: no signature can cover it. */
	if (status == DKIM_STAT_NORESOURCE || status == DKIM_STAT_INTERNAL)
		self->has_failed = true;
	return status;
}

/* The obsolete syntax has blanks before the colon (RFC 5322 section 4.5.8). */
static size_t name_length(const char *name)
{
	size_t len = strlen(name);

	while (len && mxw__ascii_isspace(name[len - 1]))
		len--;
	return len;
}

static void take_signature(struct mxw__dkim *self, const char *name, const char *value)
{
	const struct mxw_clock *clock = self->lib->options.clock;
	struct mxw__dkim_entry *s;

	if (self->nsigs == self->lib->options.max_signatures) {
		self->nbeyond++;
		self->nwithheld++;
		return;
	}
	s = &self->sigs[self->nsigs];
	s->info.sig = &self->reports[self->nsigs++];
	s->is_judged = mxw__dkim_read_signature(value, strlen(value), clock->wall_ms(clock->ctx) / 1000, &s->info);
	/* Such a name libopendkim does not take for that of a signature. */
	if (s->is_judged && strlen(name) != strcspn(name, "\t\r\n")) {
		s->is_judged = false;
		mxw__dkim_set_result(s->info.sig, MXW__DKIM_NEUTRAL, "malformed field name");
	}
	if (!s->is_judged) {
		self->nwithheld++;
		return;
	}
	s->is_malformed = feed_header(self, name, value) != DKIM_STAT_OK;
}

mxw_status_t mxw__dkim_header(mxw__dkim_t *self, const char *name, const char *value)
{
	if (self->is_past_headers)
		return MXW_ERR_USAGE;
	size_t len = name_length(name);
	int singleton = mxw__dkim_find_singleton(name, len);
	if (singleton >= 0)
		self->nsingletons[singleton]++;
	if (len == strlen(SIGNATURE) && !mxw__ascii_ncasecmp(name, SIGNATURE, len))
		take_signature(self, name, value);
	else
		feed_header(self, name, value);
	return self->has_failed ? MXW_ERR_NOMEM : MXW_OK;
}

/* ---- the end of the header ---- */

/*
 * libopendkim writes beyond its list of fields where h= has more names when all fields of the message are used up: a
 * stranger's message of three fields crashes it. So there is one field more, which no h= that we let through can name: it
 * is too long for that.
 */
static void feed_guard(struct mxw__dkim *self)
{
	char name[MXW__DKIM_MAX_H + 2];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	if (feed_header(self, name, "") != DKIM_STAT_OK)
		self->has_failed = true;
}

/* Finds our signatures in libopendkim's list. False if it is another list than ours. */
static bool match_handles(struct mxw__dkim *self)
{
	DKIM_SIGINFO **list;
	int n, at = 0;

	if (dkim_getsiglist(self->dkim, &list, &n) != DKIM_STAT_OK)
		return false;
	for (unsigned i = 0; i < self->nsigs; i++) {
		struct mxw__dkim_entry *s = &self->sigs[i];
		if (!s->is_judged)
			continue;
		if (at == n)
			return false;
		s->handle = list[at++];
		const unsigned char *domain = dkim_sig_getdomain(s->handle);
		if (s->is_malformed)
			dkim_sig_ignore(s->handle);
		else if (!domain || mxw__ascii_casecmp((const char *)domain, s->info.sig->domain) != 0)
			return false;
	}
	return at == n;
}

static void drop_all(struct mxw__dkim *self, mxw__dkim_result_t result, const char *reason)
{
	for (unsigned i = 0; i < self->nsigs; i++) {
		struct mxw__dkim_entry *s = &self->sigs[i];
		if (s->is_judged)
			mxw__dkim_set_result(s->info.sig, result, reason);
		s->is_judged = false;
	}
}

/* libopendkim compares each name with each field. No message has so many of both, but one that is to keep us busy. */
static bool is_flood(const struct mxw__dkim *self)
{
	uint64_t names = 0;

	for (unsigned i = 0; i < self->nsigs; i++) {
		if (self->sigs[i].is_judged)
			names += self->sigs[i].info.nnames;
	}
	return names * self->nfields > MXW__DKIM_MAX_MATCHES;
}

/* Signatures that can't be judged for what is known by now. */
static void drop_some(struct mxw__dkim *self)
{
	for (unsigned i = 0; i < self->nsigs; i++) {
		struct mxw__dkim_entry *s = &self->sigs[i];
		const char *why = NULL;
		if (!s->is_judged)
			continue;
		if (s->is_malformed)
			why = "malformed signature";
		else if (s->info.covers_signatures && self->nwithheld)
			why = "covers signatures that were not examined";
		if (!why) {
			self->is_active = true;
			if (s->info.length > self->max_length)
				self->max_length = s->info.length;
			continue;
		}
		mxw__dkim_set_result(s->info.sig, MXW__DKIM_NEUTRAL, why);
		s->is_judged = false;
		dkim_sig_ignore(s->handle);
	}
}

static bool any_judged(const struct mxw__dkim *self)
{
	for (unsigned i = 0; i < self->nsigs; i++) {
		if (self->sigs[i].is_judged)
			return true;
	}
	return false;
}

bool mxw__dkim_end_of_headers(mxw__dkim_t *self)
{
	if (self->is_past_headers)
		return self->is_active;
	self->is_past_headers = true;
	feed_guard(self);
	if (self->has_failed) {
		drop_all(self, MXW__DKIM_TEMPERROR, "out of memory");
		return false;
	}
	/* Which of several would a reader see? RFC 6376 section 8.15. */
	if (self->nsingletons[0] != 1)
		drop_all(self, MXW__DKIM_NEUTRAL, self->nsingletons[0] ? "several From fields" : "no From field");
	if (is_flood(self))
		drop_all(self, MXW__DKIM_NEUTRAL, "too many header fields");
	if (!any_judged(self))
		return false;
	if (dkim_eoh(self->dkim) != DKIM_STAT_OK || !match_handles(self)) {
		drop_all(self, MXW__DKIM_TEMPERROR, "libopendkim gave up");
		return false;
	}
	drop_some(self);
	return self->is_active;
}

/* ---- the body ---- */

/* Is it known by now that there is more than any l= covers? */
static bool is_beyond(const struct mxw__dkim *self)
{
	return mxw__dkim_length_get(&self->length, false) > (uint64_t)self->max_length &&
	       mxw__dkim_length_get(&self->length, true) > (uint64_t)self->max_length;
}

bool mxw__dkim_body(mxw__dkim_t *self, const unsigned char *data, size_t len)
{
	if (!self->is_active || !len)
		return self->is_active;
	if (self->max_length >= 0)
		mxw__dkim_length_add(&self->length, data, len);
	/* 0: each signature has an l=, and all of that has been read. */
	if (!self->is_hashed && !dkim_minbody(self->dkim))
		self->is_hashed = true;
	if (self->is_hashed) {
		self->is_active = !is_beyond(self);
		return self->is_active;
	}
	/* It takes a length without sign for a number of type int in places; parts of a gigabyte do not come from a milter. */
	dkim_body(self->dkim, (unsigned char *)(uintptr_t)data, len);
	self->has_body = true;
	self->last[0] = len > 1 ? (char)data[len - 2] : self->last[1];
	self->last[1] = (char)data[len - 1];
	return true;
}

/* libopendkim does not add the newline that both canonicalizations end a body with (RFC 6376 section 3.4.3). */
static void end_body(struct mxw__dkim *self)
{
	static unsigned char crlf[] = "\r\n";

	if (self->has_body && (self->last[0] != '\r' || self->last[1] != '\n'))
		dkim_body(self->dkim, crlf, 2);
}

/* ---- the end of the message ---- */

/* The smaller, the more it counts. */
static int rank(mxw__dkim_result_t result)
{
	static const int ranks[] = {
		[MXW__DKIM_NONE] = 6,    [MXW__DKIM_PASS] = 0,    [MXW__DKIM_FAIL] = 2,      [MXW__DKIM_POLICY] = 3,
		[MXW__DKIM_NEUTRAL] = 4, [MXW__DKIM_TEMPERROR] = 1, [MXW__DKIM_PERMERROR] = 5,
	};

	return ranks[result];
}

/*
 * Whatever was not looked at is said in one entry. Nothing is known of it: it must not be held against the
 * message that its good signature was the last of many.
 */
static size_t report_rest(struct mxw__dkim *self)
{
	struct mxw__dkim_signature *rest = &self->reports[self->nsigs];

	if (!self->nbeyond)
		return self->nsigs;
	rest->result = MXW__DKIM_TEMPERROR;
	snprintf(rest->reason, sizeof(rest->reason), "too many signatures: %u not examined", self->nbeyond);
	return (size_t)self->nsigs + 1;
}

/* Those without a key have their result, and libopendkim is not to look at them. */
static void load_keys(struct mxw__dkim *self)
{
	for (unsigned i = 0; i < self->nsigs; i++) {
		struct mxw__dkim_entry *s = &self->sigs[i];
		if (!s->is_judged || mxw__dkim_load_key(self, s))
			continue;
		s->is_judged = false;
		dkim_sig_ignore(s->handle);
	}
}

/* libopendkim's part of the end of the message. */
static void verify_all(struct mxw__dkim *self)
{
	end_body(self);
	dkim_eom(self->dkim, NULL);
	for (unsigned i = 0; i < self->nsigs; i++) {
		if (self->sigs[i].is_judged)
			mxw__dkim_judge(self, &self->sigs[i]);
	}
}

mxw__dkim_result_t mxw__dkim_finish(mxw__dkim_t *self, int64_t deadline_ms,
				    const struct mxw__dkim_signature **ret_signatures, size_t *ret_n)
{
	size_t n = report_rest(self);

	mxw__dkim_end_of_headers(self);
	if (!self->is_finished && any_judged(self)) {
		self->deadline_ms = deadline_ms;
		load_keys(self);
		if (any_judged(self))
			verify_all(self);
	}
	self->is_finished = true;
	self->result = MXW__DKIM_NONE;
	for (size_t i = 0; i < n; i++) {
		const struct mxw__dkim_signature *sig = &self->reports[i];
		/* RFC 6376 section 3.6.1: in test mode a message whose signature fails is as good as one without. */
		if (rank(sig->result) < rank(self->result) && (!sig->is_testing || sig->result == MXW__DKIM_PASS))
			self->result = sig->result;
	}
	*ret_signatures = self->reports;
	*ret_n = n;
	return self->result;
}
