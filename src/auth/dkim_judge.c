/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_judge.c: keys, and what libopendkim's findings mean.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/dkim_verifier.h"
#include "src/mail/mail.h"

#define KEY_LABEL "._domainkey."

const char *mxw__dkim_result_name(mxw__dkim_result_t result)
{
	static const char *const names[] = {
		[MXW__DKIM_NONE] = "none",           [MXW__DKIM_PASS] = "pass",
		[MXW__DKIM_FAIL] = "fail",           [MXW__DKIM_POLICY] = "policy",
		[MXW__DKIM_NEUTRAL] = "neutral",     [MXW__DKIM_TEMPERROR] = "temperror",
		[MXW__DKIM_PERMERROR] = "permerror",
	};

	return (size_t)result < MXW_ARRAY_LEN(names) ? names[result] : "none";
}

void mxw__dkim_set_result(struct mxw__dkim_signature *sig, mxw__dkim_result_t result, const char *reason)
{
	sig->result = result;
	mxw__dkim_copy(sig->reason, sizeof(sig->reason), reason, strlen(reason), false);
}

/* ---- keys ---- */

static bool key_name(const char *selector, const char *domain, char *ret_name, size_t size)
{
	int len = snprintf(ret_name, size, "%s" KEY_LABEL "%s", selector, domain);

	return len > 0 && (size_t)len < size && mxw__domain_is_valid(ret_name);
}

void mxw__dkim_prefetch_key(const mxw__dkim_lib_t *lib, mxw_resolver_t *resolver, struct mxw_dns_budget *budget,
			    const char *value)
{
	const struct mxw_clock *clock = lib->options.clock;
	struct mxw__dkim_signature sig = {.result = MXW__DKIM_NONE};
	struct mxw__dkim_signature_info info = {.sig = &sig};
	char name[254];

	if (mxw__dkim_read_signature(value, strlen(value), clock->wall_ms(clock->ctx) / 1000, &info) &&
	    key_name(sig.selector, sig.domain, name, sizeof(name)))
		mxw_resolver_prefetch(resolver, name, MXW_DNS_TXT, budget);
}

void mxw__dkim_gather(const mxw__dkim_t *self, struct mxw__gather *gather)
{
	char name[254];

	for (unsigned i = 0; i < self->nsigs && self->is_past_headers && !self->is_finished; i++) {
		const struct mxw__dkim_signature *sig = self->sigs[i].info.sig;
		if (self->sigs[i].is_judged && key_name(sig->selector, sig->domain, name, sizeof(name)))
			mxw_dns_answer_unref(mxw__gather_ask(gather, name, MXW_DNS_TXT));
	}
}

static const char *temporary_reason(const mxw_dns_answer_t *answer)
{
	if (answer->is_over_budget)
		return "key not asked for: over the budget of DNS questions";
	return answer->is_bogus ? "key failed DNSSEC validation" : "key not available: no answer from DNS";
}

static void take_key(struct mxw__dkim_entry *s, const mxw_dns_answer_t *answer)
{
	char text[MXW__DKIM_MAX_KEY];
	const struct mxw__dkim_key key = mxw__dkim_read_key(answer, &s->info, text, sizeof(text));

	if (key.result != MXW__DKIM_NONE) {
		mxw__dkim_set_result(s->info.sig, key.result, key.reason);
		return;
	}
	s->info.sig->is_testing = key.is_testing;
	s->key = strdup(text);
	if (!s->key)
		mxw__dkim_set_result(s->info.sig, MXW__DKIM_TEMPERROR, "out of memory");
}

/*
 * libopendkim takes the key of an earlier signature for all that name it, whatever their kind. Where we would take another,
 * because several records are there (RFC 6376 section 3.6.2.2: nobody knows what that means), there is none.
 */
static bool is_other_key(const struct mxw__dkim *self, const struct mxw__dkim_entry *s)
{
	for (const struct mxw__dkim_entry *e = self->sigs; e < s; e++) {
		if (e->key && !strcmp(e->info.sig->selector, s->info.sig->selector) &&
		    !strcmp(e->info.sig->domain, s->info.sig->domain))
			return strcmp(e->key, s->key) != 0;
	}
	return false;
}

bool mxw__dkim_load_key(struct mxw__dkim *self, struct mxw__dkim_entry *s)
{
	struct mxw__dkim_signature *sig = s->info.sig;
	char name[254];

	if (!key_name(sig->selector, sig->domain, name, sizeof(name))) {
		mxw__dkim_set_result(sig, MXW__DKIM_PERMERROR, "no such key");
		return false;
	}
	mxw_dns_answer_t *answer = mxw_resolver_ask(self->resolver, name, MXW_DNS_TXT, self->deadline_ms, self->budget);
	if (answer->outcome == MXW_NOT_FOUND)
		mxw__dkim_set_result(sig, MXW__DKIM_PERMERROR, "no such key");
	else if (answer->outcome != MXW_FOUND)
		mxw__dkim_set_result(sig, MXW__DKIM_TEMPERROR, temporary_reason(answer));
	else
		take_key(s, answer);
	mxw_dns_answer_unref(answer);
	if (s->key && is_other_key(self, s)) {
		mxw__dkim_set_result(sig, MXW__DKIM_PERMERROR, "several keys under one name");
		sig->is_testing = false;
		free(s->key);
		s->key = NULL;
	}
	return s->key != NULL;
}

DKIM_CBSTAT mxw__dkim_on_key_lookup(DKIM *dkim, DKIM_SIGINFO *handle, unsigned char *buf, size_t size)
{
	const struct mxw__dkim *self = dkim_get_user_context(dkim);

	for (unsigned i = 0; i < self->nsigs; i++) {
		const struct mxw__dkim_entry *s = &self->sigs[i];
		if (s->handle == handle && s->key && (size_t)snprintf((char *)buf, size, "%s", s->key) < size)
			return DKIM_CBSTAT_CONTINUE;
	}
	return DKIM_CBSTAT_ERROR;
}

/* ---- judging ---- */

static mxw__dkim_result_t result_of_error(int error)
{
	switch (error) {
	case DKIM_SIGERROR_BADSIG:
	case DKIM_SIGERROR_EXPIRED:
	case DKIM_SIGERROR_TOOLARGE_L:
		return MXW__DKIM_FAIL;
	case DKIM_SIGERROR_KEYFAIL:
		return MXW__DKIM_TEMPERROR;
	case DKIM_SIGERROR_NOKEY:
	case DKIM_SIGERROR_DNSSYNTAX:
	case DKIM_SIGERROR_SUBDOMAIN:
	case DKIM_SIGERROR_MULTIREPLY:
	case DKIM_SIGERROR_KEYVERSION:
	case DKIM_SIGERROR_KEYUNKNOWNHASH:
	case DKIM_SIGERROR_KEYHASHMISMATCH:
	case DKIM_SIGERROR_NOTEMAILKEY:
	case DKIM_SIGERROR_KEYTYPEMISSING:
	case DKIM_SIGERROR_KEYTYPEUNKNOWN:
	case DKIM_SIGERROR_KEYREVOKED:
	case DKIM_SIGERROR_KEYDECODE:
		return MXW__DKIM_PERMERROR;
	case DKIM_SIGERROR_KEYTOOSMALL:
		return MXW__DKIM_POLICY;
	default:
		return MXW__DKIM_NEUTRAL;
	}
}

/* The body hash is compared with bh=, which the header hash covers. */
static void judge_error(struct mxw__dkim_entry *s, int error)
{
	struct mxw__dkim_signature *sig = s->info.sig;
	const char *text = dkim_sig_geterrorstr(error);

	if (error == DKIM_SIGERROR_BADSIG) {
		bool is_body = dkim_sig_getbh(s->handle) == DKIM_SIGBH_MISMATCH;
		text = is_body ? "the body was altered" : "signature mismatch";
		sig->is_altered = !sig->is_testing;
		sig->is_header_whole = sig->is_altered && is_body && (dkim_sig_getflags(s->handle) & DKIM_SIGFLAG_PASSED);
	}
	mxw__dkim_set_result(sig, result_of_error(error), text ? text : "libopendkim gave no reason");
}

/* Names in h= beyond those in the message do no harm: they say that there are no more. */
static uint32_t find_uncovered(const struct mxw__dkim *self, const struct mxw__dkim_signature_info *info)
{
	uint32_t uncovered = 0;

	for (unsigned i = 0; i < MXW__DKIM_SINGLETONS; i++) {
		if (info->named[i] && self->nsingletons[i] > info->named[i])
			uncovered |= UINT32_C(1) << i;
	}
	return uncovered;
}

/* One that verifies. What lies beyond l= is said, since nobody signed it. */
static void judge_good(const struct mxw__dkim *self, struct mxw__dkim_entry *s)
{
	struct mxw__dkim_signature *sig = s->info.sig;
	int64_t length = s->info.length;

	if (sig->is_testing && self->lib->options.ignore_testing) {
		mxw__dkim_set_result(sig, MXW__DKIM_NEUTRAL, "key in test mode");
		return;
	}
	sig->result = MXW__DKIM_PASS;
	sig->uncovered = find_uncovered(self, &s->info);
	sig->is_length_limited = length >= 0 && mxw__dkim_length_get(&self->length, s->info.is_relaxed) > (uint64_t)length;
	if (sig->is_length_limited)
		snprintf(sig->reason, sizeof(sig->reason), "only the first %lld octets of the body are signed",
			 (long long)length);
}

/* RFC 8301: what a key that is too short has signed is not looked at any further. */
static bool key_is_too_short(const struct mxw__dkim *self, struct mxw__dkim_entry *s)
{
	struct mxw__dkim_signature *sig = s->info.sig;
	unsigned bits = 0;

	if (!strcmp(sig->algorithm, "ed25519-sha256") || dkim_sig_getkeysize(s->handle, &bits) != DKIM_STAT_OK || !bits ||
	    bits >= self->lib->options.min_key_bits)
		return false;
	sig->result = MXW__DKIM_POLICY;
	snprintf(sig->reason, sizeof(sig->reason), "key of %u bits", bits);
	return true;
}

void mxw__dkim_judge(const struct mxw__dkim *self, struct mxw__dkim_entry *s)
{
	struct mxw__dkim_signature *sig = s->info.sig;
	unsigned flags = dkim_sig_getflags(s->handle);
	int error = dkim_sig_geterror(s->handle);

	if (key_is_too_short(self, s))
		return;
	if ((flags & DKIM_SIGFLAG_PASSED) && dkim_sig_getbh(s->handle) == DKIM_SIGBH_MATCH && error == DKIM_SIGERROR_OK)
		judge_good(self, s);
	else if (error == DKIM_SIGERROR_UNKNOWN || error == DKIM_SIGERROR_OK)
		mxw__dkim_set_result(sig, MXW__DKIM_TEMPERROR, "libopendkim gave no result");
	else
		judge_error(s, error);
}
