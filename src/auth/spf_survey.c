/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_survey.c: how many addresses a domain's SPF record lets pass, and whether it counts on a domain that is gone.
 *
 * The walk asks for the records of includes and redirects only, ten at most, and for the registration of a domain whose name
 * is known not to exist. What a and mx terms stand for is taken from what the resolver knows by now.
 *
 * Memory: MAX_RANGES ranges of each family at one time; when there are more, those that there are are merged, and if
 *         that does not help, added up as they are.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/spf_eval.h"
#include "src/mail/mail.h"

enum { MAX_RANGES = 2048, SITE_BITS = 48 };

struct range {
	uint64_t first, last;
};

/* Numbers of which each counts once. */
struct set {
	struct range *ranges; /* malloc'ed */
	size_t n;
	uint64_t counted;     /* what was taken out of `ranges` to make room */
};

struct survey {
	const struct mxw__spf_query *query;
	struct mxw__gather *gather; /* NULL: answers are waited for */
	struct mxw__spf_identity who;
	struct set ip4, ip6;        /* addresses; networks of SITE_BITS bits */
	unsigned nterms;
	bool is_everything;
	bool is_incomplete;         /* some answer could not be had */
	bool is_dangling;
	bool is_waiting;            /* some answer is under way */
};

static void survey_record(struct survey *survey, const char *domain);

/* ---- sets ---- */

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static void merge(struct set *set)
{
	size_t n = 0;

	if (!set->n)
		return;
	qsort(set->ranges, set->n, sizeof(*set->ranges), compare_ranges);
	for (size_t i = 1; i < set->n; i++) {
		if (set->ranges[i].first > set->ranges[n].last)
			set->ranges[++n] = set->ranges[i];
		else if (set->ranges[i].last > set->ranges[n].last)
			set->ranges[n].last = set->ranges[i].last;
	}
	set->n = n + 1;
}

static uint64_t sum(const struct set *set)
{
	uint64_t total = set->counted;

	for (size_t i = 0; i < set->n; i++)
		total = add_saturating(total, set->ranges[i].last - set->ranges[i].first + 1);
	return total;
}

static void add_range(struct survey *survey, struct set *set, uint64_t first, uint64_t last)
{
	if (!set->ranges && !(set->ranges = mxw__calloc(MAX_RANGES, sizeof(*set->ranges)))) {
		survey->is_incomplete = true;
		return;
	}
	if (set->n == MAX_RANGES)
		merge(set);
	if (set->n == MAX_RANGES) {
		set->counted = sum(set);
		set->n = 0;
	}
	set->ranges[set->n++] = (struct range){first, last};
}

static void add_network(struct survey *survey, uint8_t family, const uint8_t *bytes, unsigned bits)
{
	unsigned width = family == 4 ? 32 : SITE_BITS;
	uint64_t number = 0;

	for (unsigned i = 0; i < width / 8; i++)
		number = number << 8 | bytes[i];
	/* What is smaller than a site counts as one. */
	uint64_t host = bits < width ? (UINT64_C(1) << (width - bits)) - 1 : 0;
	add_range(survey, family == 4 ? &survey->ip4 : &survey->ip6, number & ~host, number | host);
}

static void add_ip_term(void *ctx, const struct mxw_ip *ip, unsigned bits, char qualifier)
{
	if (qualifier == '+')
		add_network(ctx, ip->family, ip->bytes, bits);
}

/* ---- what is gone ---- */

static mxw_dns_answer_t *ask(struct survey *survey, const char *name, enum mxw_dns_type type)
{
	const struct mxw__spf_query *query = survey->query;
	char text[2 * MXW__SPF_MAX_NAME + 1];

	if (!*name)
		return NULL;
	name = mxw__spf_escape(name, text);
	if (survey->gather) {
		mxw_dns_answer_t *answer = mxw__gather_ask(survey->gather, name, type);
		survey->is_waiting |= !answer;
		return answer;
	}
	return mxw_resolver_ask(query->resolver, name, type, query->deadline_ms, query->budget);
}

static bool does_not_exist(const mxw_dns_answer_t *answer)
{
	return answer && answer->outcome == MXW_NOT_FOUND && answer->rcode == 3;
}

/* A name that does not exist may stand below a domain that does; nobody but its owner can make it up then. */
static void look_for_owner(struct survey *survey, const char *name)
{
	char lower[MXW__SPF_MAX_NAME + 1], domain[MXW__DOMAIN_MAX + 1];
	size_t i = 0;

	for (; name[i]; i++)
		lower[i] = mxw__ascii_lower(name[i]);
	lower[i] = '\0';
	if (survey->is_dangling || !mxw__domain_is_valid(lower))
		return;
	mxw__org_domain(lower, domain);
	/* A public suffix is nobody's to register. */
	if (!strchr(domain, '.'))
		return;
	mxw_dns_answer_t *answer = ask(survey, domain, MXW_DNS_NS);
	survey->is_dangling = does_not_exist(answer);
	mxw_dns_answer_unref(answer);
}

/* ---- terms ---- */

/* The addresses known of a name, each with its network; false if none is known. */
static bool add_host(struct survey *survey, const char *name, const struct mxw__spf_term *term)
{
	static const enum mxw_dns_type types[] = {MXW_DNS_A, MXW_DNS_AAAA};
	bool found = false, is_gone = false;
	char text[2 * MXW__SPF_MAX_NAME + 1];

	for (size_t t = 0; *name && t < MXW_ARRAY_LEN(types); t++) {
		bool is_ip4 = types[t] == MXW_DNS_A;
		mxw_dns_answer_t *answer = mxw_resolver_peek(survey->query->resolver, mxw__spf_escape(name, text), types[t]);
		is_gone |= does_not_exist(answer);
		for (size_t i = 0; answer && i < answer->nrecords; i++) {
			if (answer->records[i].len != (is_ip4 ? 4u : 16u))
				continue;
			add_network(survey, is_ip4 ? 4 : 6, answer->records[i].data, is_ip4 ? term->bits4 : term->bits6);
			found = true;
		}
		mxw_dns_answer_unref(answer);
	}
	if (is_gone)
		look_for_owner(survey, name);
	return found || is_gone;
}

/* Names whose addresses are not known are somewhere: one network, as near to nothing as its length allows. */
static void add_unknown(struct survey *survey, const struct mxw__spf_term *term)
{
	const uint8_t nowhere[16] = {0};

	add_network(survey, 4, nowhere, term->bits4);
	if (term->bits6 < SITE_BITS)
		add_network(survey, 6, nowhere, term->bits6);
}

static void survey_mx(struct survey *survey, const char *name, const struct mxw__spf_term *term)
{
	char text[2 * MXW__SPF_MAX_NAME + 1];
	mxw_dns_answer_t *answer = *name ? mxw_resolver_peek(survey->query->resolver, mxw__spf_escape(name, text), MXW_DNS_MX)
					 : NULL;
	bool found = answer && answer->outcome == MXW_NOT_FOUND;

	for (size_t i = 0; answer && i < answer->nrecords && i < MXW__SPF_MAX_HOSTS; i++)
		found |= add_host(survey, answer->records[i].name, term);
	if (!found)
		add_unknown(survey, term);
	if (does_not_exist(answer))
		look_for_owner(survey, name);
	mxw_dns_answer_unref(answer);
}

static void survey_exists(struct survey *survey, const char *name)
{
	char text[2 * MXW__SPF_MAX_NAME + 1];
	mxw_dns_answer_t *answer = *name ? mxw_resolver_peek(survey->query->resolver, mxw__spf_escape(name, text), MXW_DNS_A)
					 : NULL;

	if (does_not_exist(answer))
		look_for_owner(survey, name);
	mxw_dns_answer_unref(answer);
}

static void survey_term(struct survey *survey, const struct mxw__spf_macros *macros, const struct mxw__spf_term *term)
{
	char name[MXW__SPF_MAX_NAME + 1];

	/* Names of the client would have to be asked for. */
	if (mxw__spf_has_ptr_macro(term->spec, term->spec_len))
		return;
	mxw__spf_expand_term(macros, term, name);
	switch (term->kind) {
	case MXW__SPF_INCLUDE:
	case MXW__SPF_REDIRECT:
		survey_record(survey, name);
		return;
	case MXW__SPF_A:
		if (!add_host(survey, name, term))
			add_unknown(survey, term);
		return;
	case MXW__SPF_MX:
		survey_mx(survey, name, term);
		return;
	case MXW__SPF_EXISTS:
		survey_exists(survey, name);
		return;
	case MXW__SPF_PTR:
		return;
	case MXW__SPF_ALL:
		survey->is_everything = true;
		return;
	}
}

/* ---- records ---- */

/* False: it is none, or malformed. */
static bool survey_text(struct survey *survey, const char *domain, const mxw_dns_answer_t *txt)
{
	const struct mxw__spf_macros macros = mxw__spf_macros_of(&survey->who, domain);
	const struct mxw__spf_networks networks = {add_ip_term, survey};
	struct mxw__spf_record record;
	struct mxw_error err = {0};
	bool has_several;
	const struct mxw_dns_rr *rr = mxw__spf_select(txt, &has_several);

	/* Read twice, so that nothing is added of a record that proves to be malformed. */
	if (!rr || mxw__spf_record_parse(rr->data, rr->len, &survey->who.client, &record, &err) != MXW_OK ||
	    mxw__spf_record_survey(rr->data, rr->len, &networks, &record, &err) != MXW_OK)
		return false;
	/* What any other qualifier is for does not pass. */
	for (size_t i = 0; i < record.nterms; i++) {
		if (record.terms[i].kind != MXW__SPF_ALL && ++survey->nterms > MXW__SPF_MAX_TERMS)
			break;
		if (record.terms[i].qualifier == '+')
			survey_term(survey, &macros, &record.terms[i]);
	}
	return true;
}

static void survey_record(struct survey *survey, const char *domain)
{
	mxw_dns_answer_t *txt = ask(survey, domain, MXW_DNS_TXT);

	if (!txt || txt->outcome == MXW_TEMPORARY || txt->outcome == MXW_MISCONFIGURED)
		survey->is_incomplete = true;
	else if (does_not_exist(txt))
		look_for_owner(survey, domain);
	else
		survey_text(survey, domain, txt);
	mxw_dns_answer_unref(txt);
}

/* The identity's own record; that of a domain that does not exist is no record. */
static mxw_outcome_t survey_first(struct survey *survey)
{
	mxw_dns_answer_t *txt = ask(survey, survey->who.domain, MXW_DNS_TXT);
	mxw_outcome_t outcome = MXW_NOT_FOUND;

	if (!txt || txt->outcome == MXW_TEMPORARY || txt->outcome == MXW_MISCONFIGURED)
		outcome = MXW_TEMPORARY;
	else if (survey_text(survey, survey->who.domain, txt))
		outcome = survey->is_incomplete ? MXW_TEMPORARY : MXW_FOUND;
	mxw_dns_answer_unref(txt);
	return outcome;
}

static uint64_t breadth(struct survey *survey)
{
	if (survey->is_everything)
		return UINT64_MAX;
	merge(&survey->ip4);
	merge(&survey->ip6);
	return add_saturating(sum(&survey->ip4), sum(&survey->ip6));
}

mxw_outcome_t mxw__spf_survey(const struct mxw__spf_query *query, struct mxw__spf_survey *ret_survey)
{
	struct survey survey = {.query = query};
	mxw_outcome_t outcome = MXW_NOT_FOUND;

	if (!mxw__spf_identity_init(&survey.who, query))
		outcome = survey_first(&survey);
	if (outcome == MXW_FOUND)
		*ret_survey = (struct mxw__spf_survey){breadth(&survey), survey.is_dangling};
	free(survey.ip4.ranges);
	free(survey.ip6.ranges);
	return outcome;
}

bool mxw__spf_survey_gather(const struct mxw__spf_query *query, struct mxw__gather *gather)
{
	struct survey survey = {.query = query, .gather = gather};

	if (!mxw__spf_identity_init(&survey.who, query))
		survey_first(&survey);
	free(survey.ip4.ranges);
	free(survey.ip6.ranges);
	return survey.is_waiting;
}
