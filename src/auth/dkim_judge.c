/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_judge.c: keys, and what libopendkim's findings mean.
 */
#include "config.h"

#include <stdio.h>
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

void mxw__dkim_prefetch_key(mxw__arena_t *scratch, mxw_resolver_t *resolver, struct mxw_dns_budget *budget,
			    const char *value, size_t len)
{
	char name[254];

	if (len > MXW__DKIM_MAX_FIELD)
		return;
	char *domain = mxw__taglist_get(scratch, value, len, "d");
	char *selector = domain ? mxw__taglist_get(scratch, value, len, "s") : NULL;
	if (selector && key_name(selector, domain, name, sizeof(name)))
		mxw_resolver_prefetch(resolver, name, MXW_DNS_TXT, budget);
}

static DKIM_CBSTAT key_problem(struct mxw__dkim_entry *s, mxw__dkim_result_t result, const char *reason)
{
	s->has_key_problem = true;
	mxw__dkim_set_result(s->info.sig, result, reason);
	return result == MXW__DKIM_TEMPERROR ? DKIM_CBSTAT_TRYAGAIN : DKIM_CBSTAT_NOTFOUND;
}

static const char *temporary_reason(const mxw_dns_answer_t *answer)
{
	if (answer->is_over_budget)
		return "key not asked for: over the budget of DNS questions";
	return answer->is_bogus ? "key failed DNSSEC validation" : "key not available: no answer from DNS";
}

static DKIM_CBSTAT ask_key(struct mxw__dkim *self, struct mxw__dkim_entry *s, char *buf, size_t size)
{
	char name[254];
	DKIM_CBSTAT status = DKIM_CBSTAT_CONTINUE;

	if (!key_name(s->info.sig->selector, s->info.sig->domain, name, sizeof(name)))
		return key_problem(s, MXW__DKIM_PERMERROR, "no such key");
	mxw_dns_answer_t *answer = mxw_resolver_ask(self->resolver, name, MXW_DNS_TXT, self->deadline_ms, self->budget);
	if (answer->outcome == MXW_NOT_FOUND)
		status = key_problem(s, MXW__DKIM_PERMERROR, "no such key");
	else if (answer->outcome != MXW_FOUND)
		status = key_problem(s, MXW__DKIM_TEMPERROR, temporary_reason(answer));
	else if (!mxw__dkim_read_key(answer, buf, size))
		status = key_problem(s, MXW__DKIM_PERMERROR, "malformed key");
	mxw_dns_answer_unref(answer);
	return status;
}

DKIM_CBSTAT mxw__dkim_on_key_lookup(DKIM *dkim, DKIM_SIGINFO *handle, unsigned char *buf, size_t size)
{
	struct mxw__dkim *self = dkim_get_user_context(dkim);

	for (unsigned i = 0; i < self->nsigs; i++) {
		if (self->sigs[i].handle == handle)
			return ask_key(self, &self->sigs[i], (char *)buf, size);
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

static void judge_error(struct mxw__dkim_entry *s, int error)
{
	const char *text = dkim_sig_geterrorstr(error);

	if (error == DKIM_SIGERROR_BADSIG)
		text = dkim_sig_getbh(s->handle) == DKIM_SIGBH_MISMATCH ? "the body was altered" : "signature mismatch";
	mxw__dkim_set_result(s->info.sig, result_of_error(error), text ? text : "libopendkim gave no reason");
}

/* One that verifies. What lies beyond l= is said, since nobody signed it. */
static void judge_good(const struct mxw__dkim *self, struct mxw__dkim_entry *s)
{
	struct mxw__dkim_signature *sig = s->info.sig;
	ssize_t length, canon, signed_len;
	unsigned bits = 0;

	if (strcmp(sig->algorithm, "ed25519-sha256") != 0 &&
	    (dkim_sig_getkeysize(s->handle, &bits) != DKIM_STAT_OK || bits < self->lib->options.min_key_bits)) {
		sig->result = MXW__DKIM_POLICY;
		snprintf(sig->reason, sizeof(sig->reason), "key of %u bits", bits);
		return;
	}
	sig->result = MXW__DKIM_PASS;
	if (s->info.has_length && dkim_sig_getcanonlen(self->dkim, s->handle, &length, &canon, &signed_len) == DKIM_STAT_OK)
		snprintf(sig->reason, sizeof(sig->reason), "only the first %zd octets of the body are signed", signed_len);
}

void mxw__dkim_judge(const struct mxw__dkim *self, struct mxw__dkim_entry *s)
{
	struct mxw__dkim_signature *sig = s->info.sig;
	unsigned flags = dkim_sig_getflags(s->handle);
	int error = dkim_sig_geterror(s->handle);
	unsigned char identity[sizeof(sig->identity)];

	sig->is_testing = (flags & DKIM_SIGFLAG_TESTKEY) != 0;
	if (dkim_sig_getidentity(self->dkim, s->handle, identity, sizeof(identity)) == DKIM_STAT_OK)
		mxw__dkim_copy(sig->identity, sizeof(sig->identity), (const char *)identity, strlen((const char *)identity), false);
	if (s->has_key_problem)
		return;
	if ((flags & DKIM_SIGFLAG_PASSED) && dkim_sig_getbh(s->handle) == DKIM_SIGBH_MATCH && error == DKIM_SIGERROR_OK)
		judge_good(self, s);
	else if (error == DKIM_SIGERROR_UNKNOWN || error == DKIM_SIGERROR_OK)
		mxw__dkim_set_result(sig, MXW__DKIM_TEMPERROR, "libopendkim gave no result");
	else
		judge_error(s, error);
}
