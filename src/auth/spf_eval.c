/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_eval.c: the look-ups of an SPF evaluation, their limits and what their failures mean.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/auth/spf_eval.h"

void mxw__spf_decide(struct mxw__spf_eval *eval, mxw__spf_result_t result, const char *fmt, ...)
{
	va_list ap;

	if (eval->is_decided)
		return;
	eval->is_decided = true;
	eval->answer->result = result;
	va_start(ap, fmt);
	vsnprintf(eval->answer->reason, sizeof(eval->answer->reason), fmt, ap);
	va_end(ap);
	for (char *p = eval->answer->reason; *p; p++) {
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	}
}

void mxw__spf_eval_fini(struct mxw__spf_eval *eval)
{
	for (unsigned i = 0; i < eval->nframes; i++)
		mxw_dns_answer_unref(eval->frames[i].txt);
	mxw_dns_answer_unref(eval->mx);
	mxw_dns_answer_unref(eval->ptr);
}

/* ---- who is asked about ---- */

/* Section 4.3: several labels, none of them empty or over 63 octets. The characters are the DNS's business. */
static bool domain_can_be_checked(const char *domain)
{
	size_t labels = 0, total = strlen(domain);

	if (domain[0] == '[')
		return false;
	for (const char *p = domain; *p; labels++) {
		size_t len = strcspn(p, ".");
		if (!len || len > 63)
			return false;
		p += len;
		p += *p == '.';
	}
	return labels > 1 && domain[total - 1] != '.';
}

/* Copies what fits; a final dot is dropped. */
static void copy_name(char *ret_name, size_t size, const char *name)
{
	size_t len = strlen(name);

	if (len && name[len - 1] == '.')
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(ret_name, name, len);
	ret_name[len] = '\0';
}

/* An IPv4 client seen through an IPv6 socket is an IPv4 client (section 5). */
static void unmap(struct mxw_ip *ip)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	if (ip->family != 6 || memcmp(ip->bytes, prefix, sizeof(prefix)) != 0)
		return;
	memmove(ip->bytes, ip->bytes + sizeof(prefix), 4);
	memset(ip->bytes + 4, 0, sizeof(ip->bytes) - 4);
	ip->family = 4;
}

const char *mxw__spf_identity_init(struct mxw__spf_identity *who, const struct mxw__spf_query *query)
{
	who->client = query->client;
	unmap(&who->client);
	snprintf(who->local, sizeof(who->local), "%s", *query->local ? query->local : "postmaster");
	copy_name(who->helo, sizeof(who->helo), query->helo);
	size_t len = strlen(query->domain);
	if (len && query->domain[len - 1] == '.')
		len--;
	copy_name(who->domain, sizeof(who->domain), len <= MXW__SPF_MAX_NAME ? query->domain : "");
	if (!who->client.family)
		return "the client has no address";
	if (!domain_can_be_checked(who->domain))
		return "no domain name of several labels";
	return NULL;
}

/* ---- asking ---- */

static const char *type_name(enum mxw_dns_type type)
{
	switch (type) {
	case MXW_DNS_A:
		return "A";
	case MXW_DNS_AAAA:
		return "AAAA";
	case MXW_DNS_MX:
		return "MX";
	case MXW_DNS_PTR:
		return "PTR";
	default:
		return "TXT";
	}
}

static enum mxw_dns_type address_type(const struct mxw__spf_eval *eval)
{
	return eval->who.client.family == 6 ? MXW_DNS_AAAA : MXW_DNS_A;
}

const char *mxw__spf_escape(const char *name, char *ret_text)
{
	size_t n = 0;

	if (!strchr(name, '\\'))
		return name;
	for (; *name; name++) {
		if (*name == '\\')
			ret_text[n++] = '\\';
		ret_text[n++] = *name;
	}
	ret_text[n] = '\0';
	return ret_text;
}

/* An answer, whatever it is; NULL for a name that can't be asked for: an empty one, which would be the root. */
static mxw_dns_answer_t *ask(struct mxw__spf_eval *eval, const char *name, enum mxw_dns_type type)
{
	const struct mxw__spf_query *query = eval->query;
	char text[2 * MXW__SPF_MAX_NAME + 1];

	if (!*name)
		return NULL;
	return mxw_resolver_ask(query->resolver, mxw__spf_escape(name, text), type, query->deadline_ms, query->budget);
}

static void decide_temporary(struct mxw__spf_eval *eval, const char *name, enum mxw_dns_type type,
			     const mxw_dns_answer_t *answer)
{
	const char *what = "no answer in time";

	if (answer->is_over_budget)
		what = "over the budget of DNS questions";
	else if (answer->is_bogus)
		what = "DNSSEC validation failed";
	/* What a server said has a lifetime; that there was no answer has none. */
	else if (answer->rcode == 2 && answer->ttl_s)
		what = "DNS server failure";
	mxw__spf_decide(eval, MXW__SPF_TEMPERROR, "%s: %.80s %s", what, name, type_name(type));
}

/* Asks for a term. NULL: it is decided. */
static mxw_dns_answer_t *ask_term(struct mxw__spf_eval *eval, const char *name, enum mxw_dns_type type, bool counts_void)
{
	if (eval->is_decided)
		return NULL;
	mxw_dns_answer_t *answer = ask(eval, name, type);
	if (answer && (answer->outcome == MXW_TEMPORARY || answer->outcome == MXW_MISCONFIGURED)) {
		decide_temporary(eval, name, type, answer);
		mxw_dns_answer_unref(answer);
		return NULL;
	}
	if (answer && answer->outcome == MXW_FOUND)
		return answer;
	if (counts_void && ++eval->nvoid > MXW__SPF_MAX_VOID) {
		mxw_dns_answer_unref(answer);
		mxw__spf_decide(eval, MXW__SPF_PERMERROR, "more than %d look-ups without an answer", MXW__SPF_MAX_VOID);
		return NULL;
	}
	if (answer)
		return answer;
	answer = mxw_dns_answer_new(MXW_NOT_FOUND, 3, 0, 0, NULL, NULL);
	if (!answer)
		mxw__spf_decide(eval, MXW__SPF_TEMPERROR, "out of memory");
	return answer;
}

mxw_dns_answer_t *mxw__spf_ask_addresses(struct mxw__spf_eval *eval, const char *name, bool counts_void)
{
	return ask_term(eval, name, address_type(eval), counts_void);
}

bool mxw__spf_ask_mx(struct mxw__spf_eval *eval, const char *domain)
{
	mxw_dns_answer_unref(eval->mx);
	eval->mx = ask_term(eval, domain, MXW_DNS_MX, true);
	if (!eval->mx)
		return false;
	if (eval->mx->nrecords > MXW__SPF_MAX_HOSTS) {
		mxw__spf_decide(eval, MXW__SPF_PERMERROR, "more than %d mail exchangers: %.80s", MXW__SPF_MAX_HOSTS, domain);
		return false;
	}
	for (size_t i = 0; i < eval->mx->nrecords; i++) {
		if (*eval->mx->records[i].name)
			mxw_resolver_prefetch(eval->query->resolver, eval->mx->records[i].name, address_type(eval),
					      eval->query->budget);
	}
	return true;
}

bool mxw__spf_count_term(struct mxw__spf_eval *eval)
{
	if (eval->is_decided)
		return false;
	if (++eval->nterms <= MXW__SPF_MAX_TERMS)
		return true;
	mxw__spf_decide(eval, MXW__SPF_PERMERROR, "more than %d terms that need look-ups", MXW__SPF_MAX_TERMS);
	return false;
}

/* ---- the client's names ---- */

/*
 * A server that fails for the reverse names says something about the client's network, not about the sender's:
 * the name is skipped (section 5.5). A time-out or a used-up budget is our own condition, and temperror; such an
 * answer may not be kept.
 */
static bool is_skipped(struct mxw__spf_eval *eval, const char *name, enum mxw_dns_type type,
		       const mxw_dns_answer_t *answer)
{
	if (answer->outcome == MXW_NOT_FOUND)
		return true;
	if (answer->outcome == MXW_FOUND)
		return false;
	if (answer->rcode != 2 || !answer->ttl_s || answer->is_over_budget)
		decide_temporary(eval, name, type, answer);
	eval->has_skipped = true;
	return true;
}

static bool has_client(const struct mxw__spf_eval *eval, const mxw_dns_answer_t *answer)
{
	const struct mxw_ip *client = &eval->who.client;
	size_t len = client->family == 6 ? 16 : 4;

	for (size_t i = 0; i < answer->nrecords; i++) {
		if (answer->records[i].len == len && !memcmp(answer->records[i].data, client->bytes, len))
			return true;
	}
	return false;
}

static bool name_is_validated(struct mxw__spf_eval *eval, const char *name)
{
	if (eval->is_decided || !*name)
		return false;
	mxw_dns_answer_t *answer = mxw_resolver_ask(eval->query->resolver, name, address_type(eval),
						    eval->query->deadline_ms, eval->query->budget);
	bool yes = !is_skipped(eval, name, address_type(eval), answer) && has_client(eval, answer);
	mxw_dns_answer_unref(answer);
	return yes;
}

static size_t names_used(const mxw_dns_answer_t *ptr)
{
	return ptr->nrecords < MXW__SPF_MAX_HOSTS ? ptr->nrecords : MXW__SPF_MAX_HOSTS;
}

/* Looks up the names of the client and finds those that lead back to it, once for an evaluation. */
static void find_client_names(struct mxw__spf_eval *eval)
{
	const struct mxw__spf_query *query = eval->query;
	char name[MXW__REVERSE_NAME_MAX];

	if (eval->ptr || eval->is_decided)
		return;
	mxw__ip_reverse_name(&eval->who.client, name);
	eval->ptr = mxw_resolver_ask(query->resolver, name, MXW_DNS_PTR, query->deadline_ms, query->budget);
	if (is_skipped(eval, name, MXW_DNS_PTR, eval->ptr))
		return;
	for (size_t i = 0; i < names_used(eval->ptr); i++) {
		if (*eval->ptr->records[i].name)
			mxw_resolver_prefetch(query->resolver, eval->ptr->records[i].name, address_type(eval), query->budget);
	}
	for (size_t i = 0; i < names_used(eval->ptr); i++)
		eval->is_validated[i] = name_is_validated(eval, eval->ptr->records[i].name);
}

/* The macro p: the domain itself if it is among the names, else one below it, else any (section 7.3). */
static const char *client_name(void *ctx, const char *current)
{
	struct mxw__spf_eval *eval = ctx;
	const char *below = NULL, *any = NULL;

	find_client_names(eval);
	for (size_t i = 0; eval->ptr && i < names_used(eval->ptr); i++) {
		const char *name = eval->ptr->records[i].name;
		if (!eval->is_validated[i])
			continue;
		if (!mxw__ascii_casecmp(name, current))
			return name;
		if (!below && mxw__domain_is_below(name, current))
			below = name;
		if (!any)
			any = name;
	}
	if (below)
		return below;
	return any ? any : "unknown";
}

static bool ptr_holds(struct mxw__spf_eval *eval, const char *domain)
{
	find_client_names(eval);
	if (eval->is_decided)
		return false;
	if (eval->ptr->outcome == MXW_NOT_FOUND && ++eval->nvoid > MXW__SPF_MAX_VOID) {
		mxw__spf_decide(eval, MXW__SPF_PERMERROR, "more than %d look-ups without an answer", MXW__SPF_MAX_VOID);
		return false;
	}
	for (size_t i = 0; i < names_used(eval->ptr); i++) {
		if (eval->is_validated[i] && mxw__domain_is_below(eval->ptr->records[i].name, domain))
			return true;
	}
	return false;
}

/* ---- terms ---- */

struct mxw__spf_macros mxw__spf_macros_of(const struct mxw__spf_identity *who, const char *current)
{
	return (struct mxw__spf_macros){
		.local = who->local,
		.domain = who->domain,
		.helo = who->helo,
		.current = current,
		.client = who->client,
		.receiver = "",
	};
}

struct mxw__spf_macros mxw__spf_eval_macros(struct mxw__spf_eval *eval, const struct mxw__spf_frame *frame)
{
	struct mxw__spf_macros macros = mxw__spf_macros_of(&eval->who, frame->domain);

	macros.validated = client_name;
	macros.ctx = eval;
	return macros;
}

void mxw__spf_expand_term(const struct mxw__spf_macros *macros, const struct mxw__spf_term *term, char *ret_name)
{
	if (term->spec_len)
		mxw__spf_expand(macros, term->spec, term->spec_len, ret_name);
	else
		memcpy(ret_name, macros->current, strlen(macros->current) + 1);
}

void mxw__spf_term_domain(struct mxw__spf_eval *eval, const struct mxw__spf_frame *frame,
			  const struct mxw__spf_term *term, char *ret_name)
{
	const struct mxw__spf_macros macros = mxw__spf_eval_macros(eval, frame);

	mxw__spf_expand_term(&macros, term, ret_name);
}

static bool any_mx_has_address(struct mxw__spf_eval *eval, const char *domain)
{
	if (!mxw__spf_ask_mx(eval, domain))
		return false;
	for (size_t i = 0; i < eval->mx->nrecords; i++) {
		mxw_dns_answer_t *answer = mxw__spf_ask_addresses(eval, eval->mx->records[i].name, false);
		if (!answer)
			return false;
		bool found = answer->outcome == MXW_FOUND;
		mxw_dns_answer_unref(answer);
		if (found)
			return true;
	}
	return false;
}

bool mxw__spf_term_holds(struct mxw__spf_eval *eval, const struct mxw__spf_frame *frame, const struct mxw__spf_term *term)
{
	char domain[MXW__SPF_MAX_NAME + 1];

	mxw__spf_term_domain(eval, frame, term, domain);
	if (term->kind == MXW__SPF_PTR)
		return ptr_holds(eval, domain);
	if (term->kind == MXW__SPF_MX)
		return any_mx_has_address(eval, domain);
	/* "exists" asks for A records whatever the client's family is (section 5.7). */
	mxw_dns_answer_t *answer = ask_term(eval, domain, term->kind == MXW__SPF_EXISTS ? MXW_DNS_A : address_type(eval), true);
	bool found = answer && answer->outcome == MXW_FOUND;
	mxw_dns_answer_unref(answer);
	return found;
}

/* ---- records ---- */

/* Starts the look-ups that the terms of a record will soon want, where that costs no other look-up first. */
static void prefetch_terms(struct mxw__spf_eval *eval, const struct mxw__spf_frame *frame)
{
	static const enum mxw_dns_type types[] = {
		[MXW__SPF_INCLUDE] = MXW_DNS_TXT, [MXW__SPF_REDIRECT] = MXW_DNS_TXT, [MXW__SPF_MX] = MXW_DNS_MX,
	};

	for (size_t i = 0; i < frame->record.nterms && eval->nterms + i < MXW__SPF_MAX_TERMS; i++) {
		const struct mxw__spf_term *term = &frame->record.terms[i];
		char name[MXW__SPF_MAX_NAME + 1], text[2 * MXW__SPF_MAX_NAME + 1];
		if (term->kind == MXW__SPF_ALL || term->kind == MXW__SPF_PTR || term->kind == MXW__SPF_EXISTS ||
		    mxw__spf_has_ptr_macro(term->spec, term->spec_len))
			continue;
		mxw__spf_term_domain(eval, frame, term, name);
		if (*name)
			mxw_resolver_prefetch(eval->query->resolver, mxw__spf_escape(name, text),
					      term->kind == MXW__SPF_A ? address_type(eval) : types[term->kind],
					      eval->query->budget);
	}
}

const struct mxw_dns_rr *mxw__spf_select(const mxw_dns_answer_t *txt, bool *ret_several)
{
	const struct mxw_dns_rr *found = NULL;

	*ret_several = false;
	for (size_t i = 0; i < txt->nrecords; i++) {
		const struct mxw_dns_rr *rr = &txt->records[i];
		if (!mxw__spf_record_is_spf(rr->data, rr->len))
			continue;
		if (found) {
			*ret_several = true;
			return NULL;
		}
		found = rr;
	}
	return found;
}

struct mxw__spf_frame *mxw__spf_open_frame(struct mxw__spf_eval *eval, const char *domain, bool is_first)
{
	struct mxw__spf_frame *frame = &eval->frames[eval->nframes];
	struct mxw_error err = {0};
	bool has_several;

	if (eval->is_decided || eval->nframes == MXW__SPF_MAX_FRAMES)
		return NULL;
	mxw_dns_answer_t *txt = ask_term(eval, domain, MXW_DNS_TXT, false);
	if (!txt)
		return NULL;
	eval->nframes++;
	frame->txt = txt;
	snprintf(frame->domain, sizeof(frame->domain), "%s", domain);
	/* An include or redirect to nothing is an error of who wrote it (sections 5.2, 6.1). */
	const struct mxw_dns_rr *rr = mxw__spf_select(txt, &has_several);
	if (has_several)
		mxw__spf_decide(eval, MXW__SPF_PERMERROR, "several SPF records: %.80s", domain);
	else if (!rr)
		mxw__spf_decide(eval, is_first ? MXW__SPF_NONE : MXW__SPF_PERMERROR, "no SPF record: %.80s", domain);
	if (!rr)
		return NULL;
	if (mxw__spf_record_parse(rr->data, rr->len, &eval->who.client, &frame->record, &err) != MXW_OK) {
		mxw__spf_decide(eval, MXW__SPF_PERMERROR, "%.60s: %s", domain, err.text);
		return NULL;
	}
	prefetch_terms(eval, frame);
	return frame;
}
