/* SPDX-License-Identifier: BSD-2-Clause */
/* dmarc.c: from records and authenticated identifiers to a result (RFC 9989 section 5.3). */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/auth/dmarc_walk.h"

const char *mxw__dmarc_result_name(mxw__dmarc_result_t result)
{
	static const char *const names[] = {
		[MXW__DMARC_NONE] = "none",           [MXW__DMARC_PASS] = "pass",           [MXW__DMARC_FAIL] = "fail",
		[MXW__DMARC_TEMPERROR] = "temperror", [MXW__DMARC_PERMERROR] = "permerror",
	};

	return (size_t)result < MXW_ARRAY_LEN(names) ? names[result] : "none";
}

const char *mxw__dmarc_policy_name(mxw__dmarc_policy_t policy)
{
	static const char *const names[] = {
		[MXW__DMARC_POLICY_NONE] = "none",
		[MXW__DMARC_POLICY_QUARANTINE] = "quarantine",
		[MXW__DMARC_POLICY_REJECT] = "reject",
	};

	return (size_t)policy < MXW_ARRAY_LEN(names) ? names[policy] : "none";
}

static MXW_PRINTF(3, 4) void end(struct mxw__dmarc_answer *answer, mxw__dmarc_result_t result, const char *reason, ...)
{
	va_list ap;

	answer->result = result;
	va_start(ap, reason);
	vsnprintf(answer->reason, sizeof answer->reason, reason, ap);
	va_end(ap);
}

/* ---- alignment ---- */

struct evaluation {
	const struct mxw__dmarc_query *query;
	struct mxw__dmarc_walk author;
	mxw__dmarc_tri_t has_record;
	const struct mxw__dmarc_record *record; /* if it has one */
};

/*
 * Is the domain aligned with the author's? An equal one is, in both modes; so is the result as long as the mode is not known.
 */
static mxw__dmarc_tri_t align(struct evaluation *e, const char *domain, bool is_strict)
{
	struct mxw__dmarc_walk walk;

	if (!mxw__dmarc_walk_init(&walk, domain))
		return MXW__DMARC_NO;
	if (strcmp(walk.domain, e->author.domain) == 0)
		return MXW__DMARC_YES;
	if (is_strict)
		return MXW__DMARC_NO;
	mxw__dmarc_tri_t agree = mxw__dmarc_walks_agree(&e->author, &walk, &e->query->dns);
	return agree == MXW__DMARC_YES && e->has_record != MXW__DMARC_YES ? MXW__DMARC_MAYBE : agree;
}

/* Does it pass, and for the author's domain? */
static mxw__dmarc_tri_t speaks(struct evaluation *e, const struct mxw__dmarc_identifier *id, bool is_strict)
{
	if (!id->domain || id->passes == MXW__DMARC_NO)
		return MXW__DMARC_NO;
	mxw__dmarc_tri_t aligned = align(e, id->domain, is_strict);
	return aligned < id->passes ? aligned : id->passes;
}

static mxw__dmarc_tri_t dkim_speaks(struct evaluation *e, bool is_strict)
{
	mxw__dmarc_tri_t best = e->query->is_dkim_unknown ? MXW__DMARC_MAYBE : MXW__DMARC_NO;

	for (size_t i = 0; i < e->query->ndkim && best != MXW__DMARC_YES; i++) {
		mxw__dmarc_tri_t one = speaks(e, &e->query->dkim[i], is_strict);
		if (one > best)
			best = one;
	}
	return best;
}

/* ---- the policy ---- */

/*
 * RFC 8020: a name of which any question says NXDOMAIN does not exist, nor does anything below. MX is what may well have
 * been asked already, to see whether the sender's domain takes mail.
 */
static mxw__dmarc_tri_t author_exists(struct evaluation *e)
{
	const struct mxw__dmarc_dns *dns = &e->query->dns;
	mxw__dmarc_tri_t exists = MXW__DMARC_MAYBE;
	mxw_dns_answer_t *answer =
		dns->gather ? mxw__gather_ask(dns->gather, e->author.domain, MXW_DNS_MX)
			    : mxw_resolver_ask(dns->resolver, e->author.domain, MXW_DNS_MX, dns->deadline_ms, dns->budget);

	if (answer && (answer->outcome == MXW_FOUND || answer->outcome == MXW_NOT_FOUND))
		exists = answer->outcome == MXW_NOT_FOUND && answer->rcode == 3 ? MXW__DMARC_NO : MXW__DMARC_YES;
	mxw_dns_answer_unref(answer);
	return exists;
}

/* Whether the author's domain exists is asked only where it makes a difference. */
static mxw__dmarc_tri_t find_policy(struct evaluation *e, bool is_own, mxw__dmarc_policy_t *ret_policy)
{
	const struct mxw__dmarc_published *pub = &e->record->published;

	*ret_policy = is_own ? pub->p : pub->sp;
	if (is_own || pub->np == pub->sp)
		return MXW__DMARC_YES;
	mxw__dmarc_tri_t exists = author_exists(e);
	if (exists == MXW__DMARC_NO)
		*ret_policy = pub->np;
	return exists == MXW__DMARC_MAYBE ? MXW__DMARC_MAYBE : MXW__DMARC_YES;
}

/* t=y: one step weaker (section 4.7). */
static mxw__dmarc_policy_t weaken(mxw__dmarc_policy_t policy)
{
	return policy == MXW__DMARC_POLICY_REJECT ? MXW__DMARC_POLICY_QUARANTINE : MXW__DMARC_POLICY_NONE;
}

static void apply_record(struct evaluation *e, size_t step, struct mxw__dmarc_answer *answer)
{
	const struct mxw__dmarc_published *pub = &e->record->published;

	answer->has_record = true;
	answer->published = *pub;
	answer->is_testing = pub->is_testing;
	snprintf(answer->policy_domain, sizeof answer->policy_domain, "%s", mxw__dmarc_step_name(&e->author, step));
	answer->is_policy_unknown = find_policy(e, step == 0, &answer->policy) != MXW__DMARC_YES;
	if (pub->is_testing)
		answer->policy = weaken(answer->policy);
}

/* ---- the result ---- */

static void conclude(const struct evaluation *e, mxw__dmarc_tri_t passes, struct mxw__dmarc_answer *answer)
{
	if (e->has_record == MXW__DMARC_MAYBE)
		end(answer, MXW__DMARC_TEMPERROR, "a DMARC record could not be looked up");
	else if (passes == MXW__DMARC_YES)
		answer->result = MXW__DMARC_PASS;
	else if (passes == MXW__DMARC_MAYBE)
		end(answer, MXW__DMARC_TEMPERROR, "what passes, or is aligned, could not be looked up");
	else if (e->query->is_incomplete)
		end(answer, MXW__DMARC_PERMERROR, "not both of SPF and DKIM are checked here");
	else
		answer->result = MXW__DMARC_FAIL;
}

static void judge(struct evaluation *e, struct mxw__dmarc_answer *answer)
{
	const struct mxw__dmarc_published *pub = e->record ? &e->record->published : NULL;
	mxw__dmarc_tri_t spf = speaks(e, &e->query->spf, pub && pub->is_aspf_strict);
	mxw__dmarc_tri_t dkim = dkim_speaks(e, pub && pub->is_adkim_strict);

	answer->spf_aligned = spf == MXW__DMARC_YES;
	answer->dkim_aligned = dkim == MXW__DMARC_YES;
	answer->is_alignment_unknown = spf == MXW__DMARC_MAYBE || dkim == MXW__DMARC_MAYBE;
	conclude(e, spf > dkim ? spf : dkim, answer);
}

static void evaluate_author(const struct mxw__dmarc_query *query, const char *author, struct mxw__dmarc_answer *answer)
{
	struct evaluation e = {.query = query};
	size_t step = 0;

	*answer = (struct mxw__dmarc_answer){.result = MXW__DMARC_NONE};
	if (!mxw__dmarc_walk_init(&e.author, author)) {
		end(answer, MXW__DMARC_NONE, "the author has no domain name");
		return;
	}
	snprintf(answer->author_domain, sizeof answer->author_domain, "%s", e.author.domain);
	e.has_record = mxw__dmarc_walk_policy(&e.author, &query->dns, &step);
	if (e.has_record == MXW__DMARC_YES)
		e.record = &e.author.steps[step].record;
	const char *org = mxw__dmarc_walk_org(&e.author, &query->dns);
	snprintf(answer->org_domain, sizeof answer->org_domain, "%s", org ? org : "");
	answer->is_policy_unknown = e.has_record == MXW__DMARC_MAYBE;
	if (e.has_record == MXW__DMARC_NO)
		return;
	if (e.record && e.record->use == MXW__DMARC_USE_NONE)
		return;
	if (e.record && e.record->use == MXW__DMARC_USE_BROKEN) {
		end(answer, MXW__DMARC_PERMERROR, "the policy in the DMARC record can't be read");
		return;
	}
	if (e.record)
		apply_record(&e, step, answer);
	judge(&e, answer);
}

/* How bad an answer is. A policy that is not known might be the strictest. */
static int badness(const struct mxw__dmarc_answer *a)
{
	static const int ranks[] = {
		[MXW__DMARC_PASS] = 0, [MXW__DMARC_NONE] = 1, [MXW__DMARC_PERMERROR] = 2, [MXW__DMARC_TEMPERROR] = 5,
	};

	if (a->result != MXW__DMARC_FAIL)
		return ranks[a->result];
	if (a->is_policy_unknown)
		return 6;
	return a->policy == MXW__DMARC_POLICY_REJECT ? 7 : 3 + (a->policy == MXW__DMARC_POLICY_QUARANTINE);
}

void mxw__dmarc_evaluate(const struct mxw__dmarc_query *query, struct mxw__dmarc_answer *ret_answer)
{
	struct mxw__dmarc_answer one;

	*ret_answer = (struct mxw__dmarc_answer){0};
	if (query->nauthors == 0)
		end(ret_answer, MXW__DMARC_PERMERROR, "no author's domain can be read");
	for (size_t i = 0; i < query->nauthors; i++) {
		evaluate_author(query, query->authors[i], &one);
		if (i == 0 || badness(&one) > badness(ret_answer))
			*ret_answer = one;
	}
	if (query->has_more_authors && badness(ret_answer) < 2)
		end(ret_answer, MXW__DMARC_PERMERROR, "too many authors");
}

/* ---- asking early ---- */

static void gather_identifier(struct evaluation *e, const struct mxw__dmarc_identifier *id, bool is_strict)
{
	struct mxw__dmarc_walk walk;

	if (id->domain && id->passes != MXW__DMARC_NO && !is_strict && mxw__dmarc_walk_init(&walk, id->domain))
		mxw__dmarc_walks_gather(&e->author, &walk, &e->query->dns);
}

static void gather_author(const struct mxw__dmarc_query *query, const char *author)
{
	struct evaluation e = {.query = query};
	mxw__dmarc_policy_t policy;
	size_t step = 0;

	if (!mxw__dmarc_walk_init(&e.author, author))
		return;
	for (size_t i = 0; i < e.author.nsteps; i++)
		mxw__dmarc_step_state(&e.author, i, &query->dns);
	if (mxw__dmarc_walk_policy(&e.author, &query->dns, &step) == MXW__DMARC_YES) {
		e.record = &e.author.steps[step].record;
		find_policy(&e, step == 0, &policy);
	}
	gather_identifier(&e, &query->spf, e.record && e.record->published.is_aspf_strict);
	for (size_t i = 0; i < query->ndkim; i++)
		gather_identifier(&e, &query->dkim[i], e.record && e.record->published.is_adkim_strict);
}

void mxw__dmarc_gather(const struct mxw__dmarc_query *query)
{
	for (size_t i = 0; i < query->nauthors; i++)
		gather_author(query, query->authors[i]);
}

/* ---- beyond DMARC ---- */

static bool is_open(const struct mxw__dmarc_walk *a, const struct mxw__dmarc_walk *b)
{
	return strcmp(a->domain, b->domain) != 0 && mxw__same_org_domain(a->domain, b->domain);
}

void mxw__dmarc_gather_organisations(const char *a, const char *b, const struct mxw__dmarc_dns *dns)
{
	struct mxw__dmarc_walk one, other;

	if (!mxw__dmarc_walk_init(&one, a) || !mxw__dmarc_walk_init(&other, b) || !is_open(&one, &other))
		return;
	for (size_t i = 0; i < one.nsteps; i++)
		mxw__dmarc_step_state(&one, i, dns);
	mxw__dmarc_walks_gather(&one, &other, dns);
}

mxw__dmarc_tri_t mxw__dmarc_same_organisation(const char *a, const char *b, const struct mxw__dmarc_dns *dns)
{
	struct mxw__dmarc_walk one, other;

	if (!mxw__dmarc_walk_init(&one, a) || !mxw__dmarc_walk_init(&other, b))
		return MXW__DMARC_NO;
	if (!is_open(&one, &other))
		return strcmp(one.domain, other.domain) == 0 ? MXW__DMARC_YES : MXW__DMARC_NO;
	mxw__dmarc_tri_t agree = mxw__dmarc_walks_agree(&one, &other, dns);
	bool has_record = mxw__dmarc_walk_has(&one, MXW__DMARC_STEP_RECORD) || mxw__dmarc_walk_has(&other, MXW__DMARC_STEP_RECORD);
	return agree == MXW__DMARC_NO && !has_record ? MXW__DMARC_YES : agree;
}
