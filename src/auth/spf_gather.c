/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_gather.c: walks through the records as an evaluation will, and asks for all it will want.
 *
 * Where an answer is not known yet, the walk goes on with the term after it, as far as the limit of ten terms allows: so all
 * includes of a record are under way at one time. It ends at a term that matches in any case. It decides nothing; where it
 * errs, a question was asked in vain or is asked later.
 */
#include "config.h"

#include <string.h>

#include "src/auth/spf_eval.h"

/* What is known of a record or term. */
enum known {
	KNOWN_NO,     /* it does not match; of a record: any result but pass and fail */
	KNOWN_PASS,   /* it matches; of a record: pass */
	KNOWN_FAIL,   /* of a record only */
	KNOWN_LATER,  /* not yet */
	KNOWN_ENDED   /* the evaluation ends here, with an error */
};

struct walk {
	struct mxw__gather *gather;
	const struct mxw__spf_identity *who;
	unsigned nterms, nvoid;
	bool is_waiting;   /* some answer is under way */
};

static enum known walk_record(struct walk *walk, const char *domain, bool wants_explanation);

static mxw_dns_answer_t *ask(struct walk *walk, const char *name, enum mxw_dns_type type)
{
	char text[2 * MXW__SPF_MAX_NAME + 1];

	if (!*name)
		return mxw_dns_answer_new(MXW_NOT_FOUND, 3, 0, 0, NULL, NULL);
	/* What comes behind the first answer that is not known may not be wanted when that has come: it is asked for, not waited for. */
	const char *asked = mxw__spf_escape(name, text);
	mxw_dns_answer_t *answer = walk->is_waiting ? mxw__gather_hint(walk->gather, asked, type)
						    : mxw__gather_ask(walk->gather, asked, type);
	walk->is_waiting |= !answer;
	return answer;
}

static enum mxw_dns_type address_type(const struct walk *walk)
{
	return walk->who->client.family == 6 ? MXW_DNS_AAAA : MXW_DNS_A;
}

static enum known judge(struct walk *walk, const mxw_dns_answer_t *answer, bool counts_void)
{
	if (!answer)
		return KNOWN_LATER;
	if (answer->outcome == MXW_FOUND)
		return KNOWN_PASS;
	if (answer->outcome != MXW_NOT_FOUND)
		return KNOWN_ENDED;
	return counts_void && ++walk->nvoid > MXW__SPF_MAX_VOID ? KNOWN_ENDED : KNOWN_NO;
}

/* ---- terms ---- */

static enum known walk_addresses(struct walk *walk, const char *name, unsigned bits, bool counts_void)
{
	const struct mxw_ip *client = &walk->who->client;
	size_t len = client->family == 6 ? 16 : 4;
	mxw_dns_answer_t *answer = ask(walk, name, address_type(walk));
	enum known known = judge(walk, answer, counts_void);

	if (known == KNOWN_PASS)
		known = KNOWN_NO;
	for (size_t i = 0; answer && i < answer->nrecords; i++)
		if (answer->records[i].len == len && mxw__spf_prefix_holds(answer->records[i].data, client->bytes, bits))
			known = KNOWN_PASS;
	mxw_dns_answer_unref(answer);
	return known;
}

static enum known walk_hosts(struct walk *walk, const mxw_dns_answer_t *names, unsigned bits)
{
	enum known sum = KNOWN_NO;

	for (size_t i = 0; i < names->nrecords && i < MXW__SPF_MAX_HOSTS; i++) {
		enum known known = walk_addresses(walk, names->records[i].name, bits, false);
		if (known == KNOWN_PASS && sum == KNOWN_NO)
			return KNOWN_PASS;
		if (known != KNOWN_NO)
			sum = KNOWN_LATER;
	}
	return sum;
}

static enum known walk_mx(struct walk *walk, const char *domain, unsigned bits)
{
	mxw_dns_answer_t *answer = ask(walk, domain, MXW_DNS_MX);
	enum known known = judge(walk, answer, true);

	if (known == KNOWN_PASS)
		known = answer->nrecords > MXW__SPF_MAX_HOSTS ? KNOWN_ENDED : walk_hosts(walk, answer, bits);
	mxw_dns_answer_unref(answer);
	return known;
}

/* Whether a name counts is left to the evaluation. */
static enum known walk_ptr(struct walk *walk)
{
	char name[MXW__REVERSE_NAME_MAX];

	mxw__ip_reverse_name(&walk->who->client, name);
	mxw_dns_answer_t *answer = ask(walk, name, MXW_DNS_PTR);
	if (answer)
		walk_hosts(walk, answer, walk->who->client.family == 6 ? 128 : 32);
	mxw_dns_answer_unref(answer);
	return KNOWN_LATER;
}

static enum known walk_exists(struct walk *walk, const char *name)
{
	mxw_dns_answer_t *answer = ask(walk, name, MXW_DNS_A);
	enum known known = judge(walk, answer, true);

	mxw_dns_answer_unref(answer);
	return known;
}

static enum known walk_include(struct walk *walk, const char *domain)
{
	enum known known = walk_record(walk, domain, false);

	return known == KNOWN_FAIL ? KNOWN_NO : known;
}

static enum known walk_term(struct walk *walk, const struct mxw__spf_macros *macros, const struct mxw__spf_term *term)
{
	char name[MXW__SPF_MAX_NAME + 1];

	if (term->kind == MXW__SPF_PTR)
		return walk_ptr(walk);
	/* Not asked for on a guess: the names of a client may be many, and slow. */
	if (mxw__spf_has_ptr_macro(term->spec, term->spec_len))
		return KNOWN_LATER;
	mxw__spf_expand_term(macros, term, name);
	switch (term->kind) {
	case MXW__SPF_A:
		return walk_addresses(walk, name, term->bits, true);
	case MXW__SPF_MX:
		return walk_mx(walk, name, term->bits);
	case MXW__SPF_EXISTS:
		return walk_exists(walk, name);
	default:
		return walk_include(walk, name);
	}
}

/* ---- records ---- */

/* Nobody waits for it here: it is worth less than any fact. */
static void prefetch_explanation(struct walk *walk, const struct mxw__spf_macros *macros, const struct mxw__spf_record *record)
{
	char name[MXW__SPF_MAX_NAME + 1], text[2 * MXW__SPF_MAX_NAME + 1];

	if (!record->exp_len || mxw__spf_has_ptr_macro(record->exp, record->exp_len))
		return;
	mxw__spf_expand(macros, record->exp, record->exp_len, name);
	if (*name)
		mxw_resolver_prefetch(walk->gather->resolver, mxw__spf_escape(name, text), MXW_DNS_TXT, walk->gather->budget);
}

/* The result that a term gives when it matches. */
static enum known result_of(char qualifier)
{
	if (qualifier == '+')
		return KNOWN_PASS;
	return qualifier == '-' ? KNOWN_FAIL : KNOWN_NO;
}

/* The result is known if each term is, up to the one that matches. */
static enum known walk_terms(struct walk *walk, const struct mxw__spf_macros *macros, const struct mxw__spf_record *record,
			     bool wants_explanation)
{
	bool is_unsure = false;

	for (size_t i = 0; i < record->nterms; i++) {
		const struct mxw__spf_term *term = &record->terms[i];
		enum known known = KNOWN_PASS;
		char name[MXW__SPF_MAX_NAME + 1];
		if (term->kind != MXW__SPF_ALL && ++walk->nterms > MXW__SPF_MAX_TERMS)
			return is_unsure ? KNOWN_LATER : KNOWN_ENDED;
		if (term->kind == MXW__SPF_REDIRECT && !mxw__spf_has_ptr_macro(term->spec, term->spec_len)) {
			mxw__spf_expand_term(macros, term, name);
			known = walk_record(walk, name, wants_explanation && !is_unsure);
			return is_unsure ? KNOWN_LATER : known;
		}
		if (term->kind != MXW__SPF_ALL)
			known = walk_term(walk, macros, term);
		if (known == KNOWN_LATER)
			is_unsure = true;
		else if (known == KNOWN_ENDED || (known == KNOWN_PASS && is_unsure))
			return is_unsure ? KNOWN_LATER : KNOWN_ENDED;
		else if (known == KNOWN_PASS) {
			if (term->qualifier == '-' && wants_explanation)
				prefetch_explanation(walk, macros, record);
			return result_of(term->qualifier);
		}
	}
	return is_unsure ? KNOWN_LATER : KNOWN_NO;
}

static enum known walk_text(struct walk *walk, const char *domain, const mxw_dns_answer_t *txt, bool wants_explanation)
{
	const struct mxw__spf_macros macros = mxw__spf_macros_of(walk->who, domain);
	struct mxw__spf_record record;
	struct mxw_error err = {0};
	bool has_several;
	const struct mxw_dns_rr *rr = mxw__spf_select(txt, &has_several);

	if (!rr || mxw__spf_record_parse(rr->data, rr->len, &walk->who->client, &record, &err) != MXW_OK)
		return KNOWN_ENDED;
	return walk_terms(walk, &macros, &record, wants_explanation);
}

static enum known walk_record(struct walk *walk, const char *domain, bool wants_explanation)
{
	mxw_dns_answer_t *txt = ask(walk, domain, MXW_DNS_TXT);
	enum known known = KNOWN_LATER;

	if (txt)
		known = walk_text(walk, domain, txt, wants_explanation);
	mxw_dns_answer_unref(txt);
	return known;
}

bool mxw__spf_gather(const struct mxw__spf_query *query, struct mxw__gather *gather)
{
	struct mxw__spf_identity who;
	struct walk walk = {.gather = gather, .who = &who};

	if (!mxw__spf_identity_init(&who, query))
		walk_record(&walk, who.domain, query->wants_explanation);
	return walk.is_waiting;
}
