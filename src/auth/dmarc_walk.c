/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc_walk.c: tree walks, and which domains belong together.
 *
 * Two walks meet: the names above both domains are the same for both. Each of two domains belongs to an organisational domain at
 * or below the place where its walk would stop, so the two are the same domain if and only if neither walk stops
 * before they meet and something marks an organisation at or above that place. That is how agreement is found here: it says
 * what there is to be known even where an answer is missing, and asks less than two whole walks would.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/auth/dmarc_walk.h"

/* RFC 9989 section 4.10 step 4: below the domain itself, no name of more labels is asked for. */
enum { LABELS_MAX = 7 };

static void add_step(struct mxw__dmarc_walk *walk, unsigned offset, unsigned nlabels)
{
	struct mxw__dmarc_step *step = &walk->steps[walk->nsteps++];

	step->offset = offset;
	step->nlabels = nlabels;
	step->state = MXW__DMARC_STEP_NEW;
}

bool mxw__dmarc_walk_init(struct mxw__dmarc_walk *walk, const char *domain)
{
	walk->nsteps = 0;
	walk->is_waiting = false;
	if (mxw__domain_to_ascii(domain, strlen(domain), walk->domain) != MXW_OK || walk->domain[0] == '[' ||
	    !mxw__domain_is_valid(walk->domain))
		return false;
	unsigned nlabels = 1;
	for (const char *c = walk->domain; *c; c++)
		nlabels += *c == '.';
	walk->nlabels = nlabels;
	add_step(walk, 0, nlabels);
	for (const char *dot = strchr(walk->domain, '.'); dot; dot = strchr(dot + 1, '.'))
		if (--nlabels <= LABELS_MAX)
			add_step(walk, (unsigned)(dot + 1 - walk->domain), nlabels);
	return true;
}

const char *mxw__dmarc_step_name(const struct mxw__dmarc_walk *walk, size_t i)
{
	return walk->domain + walk->steps[i].offset;
}

/* ---- asking ---- */

/* Several records at one name are as good as none (section 4.10 steps 2 and 6). */
static void read_answer(const mxw_dns_answer_t *answer, struct mxw__dmarc_step *step)
{
	const struct mxw_dns_rr *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < answer->nrecords; i++) {
		if (mxw__dmarc_record_is_dmarc(answer->records[i].data, answer->records[i].len)) {
			found = &answer->records[i];
			n++;
		}
	}
	step->state = MXW__DMARC_STEP_NONE;
	if (n == 1 && mxw__dmarc_record_parse(found->data, found->len, &step->record))
		step->state = MXW__DMARC_STEP_RECORD;
}

static mxw_dns_answer_t *ask(const struct mxw__dmarc_dns *dns, const char *name)
{
	if (dns->gather)
		return mxw__gather_ask(dns->gather, name, MXW_DNS_TXT);
	return mxw_resolver_ask(dns->resolver, name, MXW_DNS_TXT, dns->deadline_ms, dns->budget);
}

mxw__dmarc_state_t mxw__dmarc_step_state(struct mxw__dmarc_walk *walk, size_t i, const struct mxw__dmarc_dns *dns)
{
	struct mxw__dmarc_step *step = &walk->steps[i];
	char name[sizeof "_dmarc." + MXW__DOMAIN_MAX];

	if (step->state != MXW__DMARC_STEP_NEW)
		return step->state;
	snprintf(name, sizeof name, "_dmarc.%s", mxw__dmarc_step_name(walk, i));
	mxw_dns_answer_t *answer = ask(dns, name);
	step->state = MXW__DMARC_STEP_UNKNOWN;
	walk->is_waiting |= !answer;
	if (answer && answer->outcome == MXW_FOUND)
		read_answer(answer, step);
	else if (answer && answer->outcome == MXW_NOT_FOUND)
		step->state = MXW__DMARC_STEP_NONE;
	mxw_dns_answer_unref(answer);
	return step->state;
}

bool mxw__dmarc_walk_has(const struct mxw__dmarc_walk *walk, mxw__dmarc_state_t state)
{
	for (size_t i = 0; i < walk->nsteps; i++)
		if (walk->steps[i].state == state)
			return true;
	return false;
}

/* ---- what one walk says ---- */

/* Psd=y: the organisational domain is one label below; it has a record only if the step before found one there. */
static size_t psd_policy(const struct mxw__dmarc_walk *walk, size_t i)
{
	const struct mxw__dmarc_step *below = &walk->steps[i - 1];
	bool is_org = below->nlabels == walk->steps[i].nlabels + 1;

	return is_org && below->state == MXW__DMARC_STEP_RECORD ? i - 1 : i;
}

mxw__dmarc_tri_t mxw__dmarc_walk_policy(struct mxw__dmarc_walk *walk, const struct mxw__dmarc_dns *dns, size_t *ret_step)
{
	mxw__dmarc_tri_t found = MXW__DMARC_NO;

	for (size_t i = 0; i < walk->nsteps; i++) {
		mxw__dmarc_state_t state = mxw__dmarc_step_state(walk, i, dns);
		if (state == MXW__DMARC_STEP_UNKNOWN)
			return MXW__DMARC_MAYBE;
		if (state != MXW__DMARC_STEP_RECORD)
			continue;
		found = MXW__DMARC_YES;
		*ret_step = i;
		mxw__dmarc_psd_t psd = walk->steps[i].record.psd;
		/* The author's own record goes before all others. */
		if (i == 0 || psd == MXW__DMARC_PSD_NO)
			break;
		if (psd == MXW__DMARC_PSD_YES) {
			*ret_step = psd_policy(walk, i);
			break;
		}
	}
	return found;
}

/* The last `nlabels` labels. */
static const char *suffix(const struct mxw__dmarc_walk *walk, unsigned nlabels)
{
	const char *name = walk->domain;

	for (unsigned n = walk->nlabels; n > nlabels; n--)
		name = strchr(name, '.') + 1;
	return name;
}

const char *mxw__dmarc_walk_org(struct mxw__dmarc_walk *walk, const struct mxw__dmarc_dns *dns)
{
	const char *org = walk->domain;

	for (size_t i = 0; i < walk->nsteps; i++) {
		mxw__dmarc_state_t state = mxw__dmarc_step_state(walk, i, dns);
		if (state == MXW__DMARC_STEP_UNKNOWN)
			return NULL;
		if (state != MXW__DMARC_STEP_RECORD)
			continue;
		mxw__dmarc_psd_t psd = walk->steps[i].record.psd;
		/* Where the walk started, psd=y only ends it. */
		if (psd == MXW__DMARC_PSD_YES && i > 0)
			return suffix(walk, walk->steps[i].nlabels + 1);
		org = mxw__dmarc_step_name(walk, i);
		if (psd != MXW__DMARC_PSD_UNKNOWN)
			break;
	}
	return org;
}

/* ---- what two say together ---- */

/* How many labels at the end do both have in common? */
static unsigned common_labels(const struct mxw__dmarc_walk *a, const struct mxw__dmarc_walk *b)
{
	unsigned n = a->nlabels < b->nlabels ? a->nlabels : b->nlabels;

	while (n && strcmp(suffix(a, n), suffix(b, n)) != 0)
		n--;
	return n;
}

/* Two walks, and where they meet. */
struct pair {
	struct mxw__dmarc_walk *a, *b;
	unsigned ncommon;
	const struct mxw__dmarc_dns *dns;
};

/* Is this step of `a` one of both? A long name is cut, so that one walk may pass over what is the other's start. */
static bool is_shared(const struct pair *p, const struct mxw__dmarc_walk *other, unsigned nlabels)
{
	return nlabels <= p->ncommon && (nlabels <= LABELS_MAX || nlabels == other->nlabels);
}

/* Does something at or above the meeting place hold both together? */
static mxw__dmarc_tri_t is_held(const struct pair *p)
{
	mxw__dmarc_tri_t held = MXW__DMARC_NO;

	for (size_t i = 0; i < p->a->nsteps; i++) {
		unsigned nlabels = p->a->steps[i].nlabels;
		if (!is_shared(p, p->b, nlabels))
			continue;
		mxw__dmarc_state_t state = mxw__dmarc_step_state(p->a, i, p->dns);
		bool is_meeting_place = nlabels == p->ncommon;
		/* Psd=y there would part them; any other record there, and any above, holds them. */
		if (state == MXW__DMARC_STEP_RECORD)
			return is_meeting_place && p->a->steps[i].record.psd == MXW__DMARC_PSD_YES ? MXW__DMARC_NO
												   : MXW__DMARC_YES;
		if (state != MXW__DMARC_STEP_UNKNOWN)
			continue;
		if (is_meeting_place)
			return MXW__DMARC_MAYBE;
		held = MXW__DMARC_MAYBE;
	}
	return held;
}

static mxw__dmarc_tri_t lesser(mxw__dmarc_tri_t a, mxw__dmarc_tri_t b)
{
	return a < b ? a : b;
}

/*
 * A walk may start at the meeting place, and the other pass over it since it is cut. Is it the domain below a psd=y? Then
 * the other comes back to it, whatever stands there itself.
 */
static mxw__dmarc_tri_t is_below_psd(const struct pair *p, struct mxw__dmarc_walk *walk, size_t i)
{
	if (walk->steps[i].nlabels != p->ncommon || i + 1 == walk->nsteps || walk->steps[i + 1].nlabels + 1 != p->ncommon)
		return MXW__DMARC_NO;
	mxw__dmarc_state_t state = mxw__dmarc_step_state(walk, i + 1, p->dns);
	if (state == MXW__DMARC_STEP_UNKNOWN)
		return MXW__DMARC_MAYBE;
	return state == MXW__DMARC_STEP_RECORD && walk->steps[i + 1].record.psd == MXW__DMARC_PSD_YES ? MXW__DMARC_YES
												       : MXW__DMARC_NO;
}

/* Does the walk get there, or is there a boundary before? */
static mxw__dmarc_tri_t arrives(const struct pair *p, struct mxw__dmarc_walk *walk, const struct mxw__dmarc_walk *other)
{
	mxw__dmarc_tri_t result = MXW__DMARC_YES;

	for (size_t i = 0; i < walk->nsteps; i++) {
		if (is_shared(p, other, walk->steps[i].nlabels))
			continue;
		mxw__dmarc_state_t state = mxw__dmarc_step_state(walk, i, p->dns);
		mxw__dmarc_tri_t one = MXW__DMARC_YES;
		if (state == MXW__DMARC_STEP_RECORD && walk->steps[i].record.psd != MXW__DMARC_PSD_UNKNOWN)
			one = is_below_psd(p, walk, i);
		else if (state == MXW__DMARC_STEP_UNKNOWN)
			one = is_below_psd(p, walk, i) == MXW__DMARC_YES ? MXW__DMARC_YES : MXW__DMARC_MAYBE;
		result = lesser(result, one);
	}
	return result;
}

mxw__dmarc_tri_t mxw__dmarc_walks_agree(struct mxw__dmarc_walk *a, struct mxw__dmarc_walk *b, const struct mxw__dmarc_dns *dns)
{
	struct pair p = {a, b, common_labels(a, b), dns};

	if (strcmp(a->domain, b->domain) == 0)
		return MXW__DMARC_YES;
	mxw__dmarc_tri_t result = is_held(&p);
	if (result != MXW__DMARC_NO)
		result = lesser(result, arrives(&p, a, b));
	if (result != MXW__DMARC_NO)
		result = lesser(result, arrives(&p, b, a));
	return result;
}

void mxw__dmarc_walks_gather(struct mxw__dmarc_walk *a, struct mxw__dmarc_walk *b, const struct mxw__dmarc_dns *dns)
{
	struct pair p = {a, b, common_labels(a, b), dns};

	if (strcmp(a->domain, b->domain) == 0)
		return;
	mxw__dmarc_tri_t held = lesser(is_held(&p), arrives(&p, a, b));
	if (held == MXW__DMARC_NO || (a->is_waiting && !mxw__same_org_domain(a->domain, b->domain)))
		return;
	arrives(&p, b, a);
}
