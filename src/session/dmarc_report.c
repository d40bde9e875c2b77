/* SPDX-License-Identifier: BSD-2-Clause */
/* dmarc_report.c: what is kept of a DMARC evaluation, for the aggregate reports that its domain asks for (RFC 9990). */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/session/engine.h"

/* Is the domain among those of a list with blanks? */
static bool is_listed(const char *list, const char *domain)
{
	size_t len = strlen(domain);

	for (const char *at = list; (at = strstr(at, domain)); at++)
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

void mxw__dmarc_note_rcpt(mxw_session_t *s)
{
	char *list = s->record.rcpt_domains;
	size_t used = strlen(list);

	if (!s->env.rcpt_is_valid || !*s->env.rcpt.domain || is_listed(list, s->env.rcpt.domain))
		return;
	/* A domain is kept whole or not at all. */
	if (used + strlen(s->env.rcpt.domain) + 2 <= sizeof s->record.rcpt_domains)
		snprintf(list + used, sizeof s->record.rcpt_domains - used, "%s%s", used ? " " : "", s->env.rcpt.domain);
}

static bool fact_is(const mxw_session_t *s, mxw_fact_id_t fact, const char *word)
{
	const char *value = mxw_facts_get(s->facts, fact);
	return value && strcmp(value, word) == 0;
}

/* As the built-in rules have it. */
static bool is_forwarded(const mxw_session_t *s)
{
	return fact_is(s, MXW__FACT_CLIENT_FORWARDER, "yes") ||
	       (fact_is(s, MXW__FACT_ARC, "pass") && fact_is(s, MXW__FACT_ARC_DMARC, "pass"));
}

/* Why a message is taken although its author's domain would have it otherwise (RFC 9990, PolicyOverrideType). */
static const char *why_taken(const mxw_session_t *s, const struct mxw__dmarc_answer *a)
{
	const struct mxw__dmarc_published *pub = &a->published;
	bool is_weakened = a->is_testing && (pub->p != MXW__DMARC_POLICY_NONE || pub->sp != MXW__DMARC_POLICY_NONE);

	if (a->result != MXW__DMARC_FAIL || (a->policy == MXW__DMARC_POLICY_NONE && !is_weakened))
		return "";
	if (is_weakened)
		return "policy_test_mode";
	if (is_forwarded(s))
		return "trusted_forwarder";
	return mxw_facts_get(s->facts, MXW__FACT_MESSAGE_LIST_ID) ? "mailing_list" : "local_policy";
}

static void describe_disposition(const mxw_session_t *s, const struct mxw_verdict *v, struct mxw__dmarc_evaluation *e)
{
	const struct mxw__dmarc_answer *a = &s->results.dmarc;
	bool is_asked_for = a->result == MXW__DMARC_FAIL && a->policy == MXW__DMARC_POLICY_REJECT;

	if (v->action == MXW_ACTION_REJECT || v->action == MXW_ACTION_DISCARD) {
		e->disposition = "reject";
		e->override = is_asked_for ? "" : "other";
	} else if (v->action == MXW_ACTION_HOLD) {
		e->disposition = "quarantine";
		e->override = a->result == MXW__DMARC_FAIL && a->policy == MXW__DMARC_POLICY_QUARANTINE ? "" : "other";
	} else {
		e->disposition = "none";
		e->override = why_taken(s, a);
	}
}

static void describe_published(const struct mxw__dmarc_published *pub, struct mxw__dmarc_evaluation *e)
{
	e->p = mxw__dmarc_policy_name(pub->p);
	e->sp = pub->has_sp ? mxw__dmarc_policy_name(pub->sp) : "";
	e->np = pub->has_np ? mxw__dmarc_policy_name(pub->np) : "";
	e->adkim = pub->is_adkim_strict ? "s" : "r";
	e->aspf = pub->is_aspf_strict ? "s" : "r";
	e->is_testing = pub->is_testing;
	e->fo = pub->fo;
	e->rua = pub->rua;
}

static void describe_spf(const mxw_session_t *s, struct mxw__dmarc_evaluation *e)
{
	const char *domain = mxw__spf_domain(&s->env);

	if (!s->results.has_spf || !domain)
		return;
	e->spf_domain = domain;
	e->spf_scope = s->env.sender.is_null ? "helo" : "mfrom";
	e->spf_result = mxw__spf_result_name(s->results.spf.result);
}

/* By what is known: nothing is asked for any more. */
static bool is_aligned(const mxw_session_t *s, const char *domain)
{
	const struct mxw__dmarc_answer *a = &s->results.dmarc;
	struct mxw__dmarc_dns dns = {.resolver = s->snapshot->resolver};

	if (mxw__ascii_casecmp(domain, a->author_domain) == 0)
		return true;
	return !a->published.is_adkim_strict && mxw__dmarc_same_organisation(domain, a->author_domain, &dns) == MXW__DMARC_YES;
}

static void describe_signatures(const mxw_session_t *s, struct mxw__dmarc_kept_signature kept[MXW__DMARC_KEPT_SIGNATURES],
				struct mxw__dmarc_evaluation *e)
{
	for (size_t i = 0; i < s->results.nsignatures && e->nsignatures < MXW__DMARC_KEPT_SIGNATURES; i++) {
		const struct mxw__dkim_signature *sig = &s->results.signatures[i];
		if (*sig->domain)
			kept[e->nsignatures++] = (struct mxw__dmarc_kept_signature){
				sig->domain, sig->selector, mxw__dkim_result_name(sig->result), is_aligned(s, sig->domain)};
	}
	e->signatures = kept;
}

/* A message that is put off comes again, and is evaluated again. */
static bool is_final(const struct mxw_verdict *v)
{
	return v->action != MXW_ACTION_DEFER && v->action != MXW_ACTION_DISCONNECT;
}

void mxw__dmarc_report(mxw_session_t *s, const struct mxw_verdict *verdict)
{
	const struct mxw__dmarc_answer *a = &s->results.dmarc;
	const struct mxw_clock *clock = &s->engine->clock;
	struct mxw__dmarc_kept_signature signatures[MXW__DMARC_KEPT_SIGNATURES];
	char source[MXW_IP_TEXT_MAX];

	if (!s->results.has_dmarc || !a->has_record || !is_final(verdict) || !mxw__dmarc_store_is_on(s->engine->dmarc_store))
		return;
	struct mxw__dmarc_evaluation e = {
		.at_s = clock->wall_ms(clock->ctx) / 1000,
		.session = s->id,
		.source = source,
		.author_domain = a->author_domain,
		.policy_domain = a->policy_domain,
		.result = mxw__dmarc_result_name(a->result),
		.dkim_aligned = a->dkim_aligned,
		.spf_aligned = a->spf_aligned,
		.envelope_from = s->env.sender_is_valid ? s->env.sender.domain : "",
		.envelope_to = s->record.rcpt_domains,
	};
	mxw_ip_format(s->env.origin.family ? &s->env.origin : &s->env.client, source);
	describe_published(&a->published, &e);
	describe_disposition(s, verdict, &e);
	describe_spf(s, &e);
	describe_signatures(s, signatures, &e);
	mxw__dmarc_store_add(s->engine->dmarc_store, &e);
}
