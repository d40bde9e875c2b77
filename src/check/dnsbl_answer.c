/* SPDX-License-Identifier: BSD-2-Clause */
/* dnsbl_answer.c: questions to lists in the DNS, and what the answers say. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/check/dnsbl.h"
#include "src/mail/mail.h"

enum { ERRORS_FIRST = 0x7fffff00, TOO_MUCH = 0x7f0000ff, REFUSED = 0x7f000001, NAME_OCTETS_MAX = 253 };

/* Lists know nothing of them, and need not hear of them. */
static const struct mxw_network unasked[] = {
	{{4, {10}}, 8}, {{4, {127}}, 8}, {{4, {169, 254}}, 16}, {{4, {172, 16}}, 12}, {{4, {192, 168}}, 16},
	{{4, {100, 64}}, 10}, {{6, {[15] = 1}}, 128}, {{6, {0xfc}}, 7}, {{6, {0xfe, 0x80}}, 10},
};

/* Top-level names that are nobody's outside: RFC 6761, RFC 6762, and what else people call their networks. */
static const char *const private_names[] = {
	"arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain", "localhost", "onion", "private", "test",
};

/* Several labels, and no address without its brackets: lists of domains answer to addresses with an error. */
static bool is_public_name(const char *domain)
{
	const char *last = strrchr(domain, '.');

	if (!last || mxw__ascii_isdigit(last[1]) || !mxw__domain_is_valid(domain))
		return false;
	for (size_t i = 0; i < MXW_ARRAY_LEN(private_names); i++)
		if (mxw__ascii_casecmp(last + 1, private_names[i]) == 0)
			return false;
	return true;
}

bool mxw__dnsbl_has_subject(const struct mxw__dnsbl_conf *list, const struct mxw__dnsbl_subject *subject)
{
	const struct mxw_ip *ip = &subject->ip;

	if (list->kind == MXW__DNSBL_OF_DOMAINS)
		return subject->domain && is_public_name(subject->domain);
	for (size_t i = 0; i < MXW_ARRAY_LEN(unasked); i++)
		if (mxw_network_contains(&unasked[i], ip))
			return false;
	if (ip->family == 4)
		return list->addresses != MXW__DNSBL_IPV6;
	return ip->family == 6 && list->addresses != MXW__DNSBL_IPV4;
}

bool mxw__dnsbl_name(const struct mxw__dnsbl_conf *list, const struct mxw__dnsbl_subject *subject, char ret_name[MXW__DNSBL_NAME_MAX])
{
	char first[MXW__DOMAIN_MAX + 1];

	if (list->kind == MXW__DNSBL_OF_ADDRESSES)
		mxw__ip_reversed(&subject->ip, first);
	else if (list->ask == MXW__DNSBL_ASK_ORGANIZATIONAL)
		mxw__org_domain(subject->domain, first);
	else
		snprintf(first, sizeof first, "%s", subject->domain);
	int n = snprintf(ret_name, MXW__DNSBL_NAME_MAX, "%s.%s", first, list->zone);
	return *first && n > 0 && n <= NAME_OCTETS_MAX;
}

void mxw__dnsbl_test_name(const struct mxw__dnsbl_conf *list, bool is_present, char ret_name[MXW__DNSBL_NAME_MAX])
{
	uint8_t last = is_present ? 2 : 1;
	struct mxw__dnsbl_subject subject = {.ip = {4, {127, 0, 0, last}}};

	if (list->kind == MXW__DNSBL_OF_DOMAINS) {
		const char *own = is_present ? list->test_listed : list->test_unlisted;
		snprintf(ret_name, MXW__DNSBL_NAME_MAX, "%s.%s", own ? own : is_present ? "test" : "invalid", list->zone);
		return;
	}
	if (list->addresses == MXW__DNSBL_IPV6)
		subject.ip = (struct mxw_ip){6, {[10] = 0xff, 0xff, 127, 0, 0, last}};
	mxw__dnsbl_name(list, &subject, ret_name);
}

/* ---- answers ---- */

static bool is_in(const struct mxw__dnsbl_range *range, uint32_t code)
{
	return code >= range->first && code <= range->last;
}

static bool is_code(const struct mxw__dnsbl_conf *list, uint32_t code)
{
	for (size_t i = 0; i < list->nresults; i++)
		if (is_in(&list->results[i].range, code))
			return true;
	for (size_t i = 0; i < list->nranges; i++)
		if (is_in(&list->ranges[i], code))
			return true;
	return false;
}

static uint32_t code_of(const struct mxw_dns_rr *rr)
{
	return (uint32_t)rr->data[0] << 24 | (uint32_t)rr->data[1] << 16 | (uint32_t)rr->data[2] << 8 | rr->data[3];
}

static const char *find_trouble(const struct mxw__dnsbl_conf *list, const mxw_dns_answer_t *answer)
{
	for (size_t i = 0; i < answer->nrecords; i++) {
		const struct mxw_dns_rr *rr = &answer->records[i];
		if (rr->len != 4)
			continue;
		uint32_t code = code_of(rr);
		if (rr->data[0] != 127)
			return "its answers are no codes of a list: is the zone right, and does a resolver make up answers?";
		if (code >= ERRORS_FIRST)
			return "it answers with an error code: it does not serve this resolver (a public one, or too many questions)";
		if ((code == TOO_MUCH || code == REFUSED) && !is_code(list, code))
			return "it refuses this resolver: its answers are 127.0.0.1 or 127.0.0.255";
	}
	return NULL;
}

/* A code has the points of each result that it is; one without a name has those of the list, which count once. */
static void add_code(const struct mxw__dnsbl_conf *list, uint32_t code, struct mxw__dnsbl_finding *f, bool *has_unnamed)
{
	bool is_named = false;

	for (size_t i = 0; i < list->nresults; i++) {
		if (!is_in(&list->results[i].range, code))
			continue;
		is_named = true;
		if (f->results >> i & 1)
			continue;
		f->results |= UINT32_C(1) << i;
		f->points += list->results[i].points;
	}
	f->listing = MXW__DNSBL_LISTED;
	if (!is_named && !*has_unnamed)
		f->points += list->points;
	*has_unnamed |= !is_named;
}

struct mxw__dnsbl_finding mxw__dnsbl_judge(const struct mxw__dnsbl_conf *list, const mxw_dns_answer_t *answer)
{
	struct mxw__dnsbl_finding f = {.listing = MXW__DNSBL_NOT_LISTED};
	bool has_unnamed = false;

	if (answer->outcome != MXW_FOUND) {
		f.listing = answer->outcome == MXW_NOT_FOUND ? MXW__DNSBL_NOT_LISTED : MXW__DNSBL_UNKNOWN;
		return f;
	}
	f.trouble = find_trouble(list, answer);
	if (f.trouble) {
		f.listing = MXW__DNSBL_UNKNOWN;
		return f;
	}
	for (size_t i = 0; i < answer->nrecords; i++)
		if (answer->records[i].len == 4 && is_code(list, code_of(&answer->records[i])))
			add_code(list, code_of(&answer->records[i]), &f, &has_unnamed);
	return f;
}

/* Any code will do for a test point: those of the list may be a choice of what it has. */
static mxw__dnsbl_listing_t judge_test(const struct mxw__dnsbl_conf *list, const mxw_dns_answer_t *answer, const char **trouble)
{
	if (!answer || (answer->outcome != MXW_FOUND && answer->outcome != MXW_NOT_FOUND))
		return MXW__DNSBL_UNKNOWN;
	if (answer->outcome == MXW_NOT_FOUND)
		return MXW__DNSBL_NOT_LISTED;
	const char *why = find_trouble(list, answer);
	if (why)
		*trouble = why;
	return why ? MXW__DNSBL_UNKNOWN : MXW__DNSBL_LISTED;
}

mxw__dnsbl_state_t mxw__dnsbl_test(const struct mxw__dnsbl_conf *list, const mxw_dns_answer_t *present, const mxw_dns_answer_t *absent,
				   const char **ret_why)
{
	bool has_domains = list->kind == MXW__DNSBL_OF_DOMAINS;
	const char *trouble = NULL;
	mxw__dnsbl_listing_t has = judge_test(list, present, &trouble), lacks = judge_test(list, absent, &trouble);

	*ret_why = trouble;
	if (!list->check_test_points)
		return trouble ? MXW__DNSBL_AWAY : has != MXW__DNSBL_UNKNOWN ? MXW__DNSBL_SOUND : MXW__DNSBL_UNTESTED;
	if (lacks == MXW__DNSBL_LISTED) {
		*ret_why = list->test_unlisted ? "it lists what it should not, its second test point, and so perhaps everything: it is not used for now" :
			   has_domains ? "it lists INVALID, and so perhaps everything: it is not used for now" :
					 "it lists 127.0.0.1, and so perhaps everything: it is not used for now";
		return MXW__DNSBL_SICK;
	}
	if (has == MXW__DNSBL_NOT_LISTED) {
		*ret_why = list->test_listed ? "it does not list the test point that it is said to have: it is not used for now" :
			   has_domains ? "it does not list its test domain TEST: it is not used for now" :
					 "it does not list its test address 127.0.0.2: it is not used for now";
		return MXW__DNSBL_SICK;
	}
	if (trouble)
		return MXW__DNSBL_AWAY;
	return has == MXW__DNSBL_LISTED && lacks == MXW__DNSBL_NOT_LISTED ? MXW__DNSBL_SOUND : MXW__DNSBL_UNTESTED;
}
