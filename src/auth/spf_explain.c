/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_explain.c: what a domain has to say about those who fail its SPF.
 *
 * A stranger wrote it, and it changes nothing: whatever goes wrong here, there is no explanation, and the result stays. libspf2
 * takes no part in it (CVE-2023-42118 is its expansion of these texts).
 *
 * Standards: RFC 7208 section 6.2.
 */
#include "config.h"

#include "src/auth/spf_eval.h"

/* The text of the one TXT record. Several, or none, or one with octets beyond printable ASCII are no explanation. */
static const struct mxw_dns_rr *find_text(const mxw_dns_answer_t *answer)
{
	if (answer->outcome != MXW_FOUND || answer->nrecords != 1)
		return NULL;
	const struct mxw_dns_rr *rr = &answer->records[0];
	return mxw__spf_explanation_is_valid((const char *)rr->data, rr->len) ? rr : NULL;
}

static void expand(struct mxw__spf_eval *eval, char *ret_text, size_t size)
{
	const struct mxw__spf_query *query = eval->query;
	struct mxw__spf_macros macros = mxw__spf_eval_macros(eval, eval->root);
	char name[MXW__SPF_MAX_NAME + 1], escaped[2 * MXW__SPF_MAX_NAME + 1];

	macros.receiver = query->receiver;
	macros.now_s = query->clock->wall_ms(query->clock->ctx) / 1000;
	mxw__spf_expand(&macros, eval->root->record.exp, eval->root->record.exp_len, name);
	if (!*name || eval->is_decided)
		return;
	mxw_dns_answer_t *answer = mxw_resolver_ask(query->resolver, mxw__spf_escape(name, escaped), MXW_DNS_TXT,
						    query->deadline_ms, query->budget);
	const struct mxw_dns_rr *rr = find_text(answer);
	macros.is_explanation = true;
	if (rr && (!mxw__spf_expand_explanation(&macros, (const char *)rr->data, rr->len, ret_text, size) ||
		   eval->is_decided))
		ret_text[0] = '\0';
	mxw_dns_answer_unref(answer);
}

void mxw__spf_explain(struct mxw__spf_eval *eval)
{
	const struct mxw__spf_query *query = eval->query;
	struct mxw__spf_query hurried = *query;
	struct mxw__spf_answer *answer = eval->answer, failed = {0};
	int64_t latest_ms = mxw__now_ms(query->clock) + MXW__SPF_EXPLANATION_WAIT_MS;

	if (!eval->root->record.exp_len)
		return;
	if (hurried.deadline_ms > latest_ms)
		hurried.deadline_ms = latest_ms;
	/* A failure to find the client's names for the macro p ends the explanation, not the evaluation. */
	eval->query = &hurried;
	eval->answer = &failed;
	expand(eval, answer->explanation, sizeof(answer->explanation));
	eval->query = query;
	eval->answer = answer;
	eval->is_decided = false;
}
