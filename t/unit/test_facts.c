/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/check/check.h"
#include "src/policy/fact_set.h"
#include "t/fakes/suite.h"

/* The row each name of facts.h must have; a fact added to one place only shows here. */
static const struct {
	mxw_fact_id_t id;
	const char *name;
} rows[] = {
	{MXW__FACT_CLIENT_ADDRESS, "client.address"}, {MXW__FACT_CLIENT_NAME, "client.name"},
	{MXW__FACT_CLIENT_CLASS, "client.class"},
	{MXW__FACT_CLIENT_FORWARDER, "client.forwarder"},
	{MXW__FACT_CLIENT_DNSBL, "client.dnsbl"},
	{MXW__FACT_CLIENT_DNSBL_RESULT, "client.dnsbl.result"},
	{MXW__FACT_CLIENT_DNSBL_POINTS, "client.dnsbl.points"},
	{MXW__FACT_CLIENT_LIST, "client.list"},
	{MXW__FACT_CLIENT_NAT, "client.nat"},
	{MXW__FACT_IPREV, "iprev"},
	{MXW__FACT_IPREV_NAME, "iprev.name"},
	{MXW__FACT_IPREV_DNSBL, "iprev.dnsbl"},
	{MXW__FACT_IPREV_DNSBL_RESULT, "iprev.dnsbl.result"},
	{MXW__FACT_IPREV_DNSBL_POINTS, "iprev.dnsbl.points"}, {MXW__FACT_CLIENT_SCORE, "client.score"},
	{MXW__FACT_CLIENT_NETWORK_SCORE, "client.network.score"},
	{MXW__FACT_CLIENT_GOOD, "client.good"},
	{MXW__FACT_CLIENT_NETWORK_GOOD, "client.network.good"},
	{MXW__FACT_CLIENT_UNKNOWN_RCPTS, "client.unknown-rcpts"},
	{MXW__FACT_CLIENT_UNKNOWN_SHARE, "client.unknown-share"},
	{MXW__FACT_CLIENT_NETWORK_UNKNOWN_RCPTS, "client.network.unknown-rcpts"},
	{MXW__FACT_CLIENT_NETWORK_UNKNOWN_SHARE, "client.network.unknown-share"},
	{MXW__FACT_SITE_UNKNOWN_RCPTS, "site.unknown-rcpts"},
	{MXW__FACT_SITE_HARVESTED, "site.harvested"},
	{MXW__FACT_CLIENT_BACKUP_FIRST, "client.backup-first"},
	{MXW__FACT_CONNECTION_OVER_LIMIT, "connection.over-limit"},
	{MXW__FACT_LISTENER, "listener"}, {MXW__FACT_HELO, "helo"}, {MXW__FACT_HELO_SYNTAX, "helo.syntax"},
	{MXW__FACT_HELO_FORGED, "helo.forged"},
	{MXW__FACT_HELO_SCORE, "helo.score"},
	{MXW__FACT_HELO_LIST, "helo.list"},
	{MXW__FACT_HELO_DNSBL, "helo.dnsbl"},
	{MXW__FACT_HELO_DNSBL_RESULT, "helo.dnsbl.result"},
	{MXW__FACT_HELO_DNSBL_POINTS, "helo.dnsbl.points"}, {MXW__FACT_SPF_HELO, "spf.helo"},
	{MXW__FACT_SESSION_UNKNOWN_COMMANDS, "session.unknown-commands"},
	{MXW__FACT_SESSION_ABORTS, "session.aborts"}, {MXW__FACT_SESSION_MESSAGES, "session.messages"},
	{MXW__FACT_AUTH, "auth"}, {MXW__FACT_AUTH_USER, "auth.user"},
	{MXW__FACT_AUTH_SCORE, "auth.score"},
	{MXW__FACT_MESSAGE_OVER_LIMIT, "message.over-limit"},
	{MXW__FACT_OUTBOUND, "outbound"},
	{MXW__FACT_OUTBOUND_QUOTA, "outbound.quota"}, {MXW__FACT_TLS, "tls"},
	{MXW__FACT_SENDER, "sender"}, {MXW__FACT_SENDER_DOMAIN, "sender.domain"},
	{MXW__FACT_SENDER_SYNTAX, "sender.syntax"}, {MXW__FACT_SENDER_OURS, "sender.ours"},
	{MXW__FACT_SENDER_MX, "sender.mx"},
	{MXW__FACT_SENDER_DOMAIN_SCORE, "sender.domain.score"},
	{MXW__FACT_SENDER_LIST, "sender.list"},
	{MXW__FACT_SENDER_DNSBL, "sender.dnsbl"},
	{MXW__FACT_SENDER_DNSBL_RESULT, "sender.dnsbl.result"},
	{MXW__FACT_SENDER_DNSBL_POINTS, "sender.dnsbl.points"}, {MXW__FACT_SPF, "spf"},
	{MXW__FACT_SPF_MECHANISM, "spf.mechanism"},
	{MXW__FACT_SPF_EXPLANATION, "spf.explanation"},
	{MXW__FACT_SPF_BREADTH, "spf.breadth"},
	{MXW__FACT_SPF_OVER_BROAD, "spf.over-broad"},
	{MXW__FACT_SPF_DANGLING, "spf.dangling"},
	{MXW__FACT_RCPT, "rcpt"}, {MXW__FACT_RCPT_ADDRESS, "rcpt.address"}, {MXW__FACT_RCPT_DOMAIN, "rcpt.domain"},
	{MXW__FACT_RCPT_OURS, "rcpt.ours"}, {MXW__FACT_RCPT_SOURCE, "rcpt.source"},
	{MXW__FACT_RCPT_ORIGIN, "rcpt.origin"},
	{MXW__FACT_RCPT_COPY, "rcpt.copy"},
	{MXW__FACT_RCPT_CLASS, "rcpt.class"},
	{MXW__FACT_RCPT_TRAP, "rcpt.trap"},
	{MXW__FACT_RCPT_DISABLED, "rcpt.disabled"},
	{MXW__FACT_RCPT_INTERNAL_ONLY, "rcpt.internal-only"},
	{MXW__FACT_RCPT_ON_FAILURE, "rcpt.on-failure"}, {MXW__FACT_RCPT_MTA, "rcpt.mta"},
	{MXW__FACT_BOUNCE_TAG, "bounce.tag"},
	{MXW__FACT_BOUNCE_PROOF, "bounce.proof"},
	{MXW__FACT_BOUNCE_UNPROVEN, "bounce.unproven"},
	{MXW__FACT_RCPT_COUNT, "rcpt.count"},
	{MXW__FACT_GREYLIST, "greylist"},
	{MXW__FACT_GREYLIST_IDENTITY, "greylist.identity"},
	{MXW__FACT_GREYLIST_CLIENT, "greylist.client"},
	{MXW__FACT_ORIGIN, "origin"},
	{MXW__FACT_ORIGIN_ADDRESS, "origin.address"},
	{MXW__FACT_ORIGIN_DNSBL, "origin.dnsbl"},
	{MXW__FACT_ORIGIN_DNSBL_RESULT, "origin.dnsbl.result"},
	{MXW__FACT_ORIGIN_DNSBL_POINTS, "origin.dnsbl.points"},
	{MXW__FACT_ORIGIN_SCORE, "origin.score"}, {MXW__FACT_HEADER_SIZE, "header.size"},
	{MXW__FACT_HEADER_OVERFLOW, "header.overflow"},
	{MXW__FACT_HEADER_REPEATED, "header.repeated"},
	{MXW__FACT_FROM, "from"},
	{MXW__FACT_FROM_FLAW, "from.flaw"},
	{MXW__FACT_FROM_ADDRESS, "from.address"},
	{MXW__FACT_FROM_DOMAIN, "from.domain"},
	{MXW__FACT_FROM_OURS, "from.ours"},
	{MXW__FACT_OWN_DOMAIN_FORGED, "own-domain.forged"},
	{MXW__FACT_MESSAGE_LIST_ID, "message.list-id"},
	{MXW__FACT_BODY_SMUGGLED, "body.smuggled"}, {MXW__FACT_AUTHRES_FORGED, "authres.forged"},
	{MXW__FACT_DKIM, "dkim"}, {MXW__FACT_DKIM_DOMAIN, "dkim.domain"},
	{MXW__FACT_DKIM_SIGNATURES, "dkim.signatures"},
	{MXW__FACT_DKIM_UNCOVERED, "dkim.uncovered"},
	{MXW__FACT_DKIM_LENGTH_LIMITED, "dkim.length-limited"},
	{MXW__FACT_DKIM_ALIGNED, "dkim.aligned"},
	{MXW__FACT_DKIM_ALTERED, "dkim.altered"},
	{MXW__FACT_DMARC, "dmarc"},
	{MXW__FACT_DMARC_POLICY, "dmarc.policy"},
	{MXW__FACT_DMARC_DOMAIN, "dmarc.domain"},
	{MXW__FACT_DMARC_TESTING, "dmarc.testing"},
	{MXW__FACT_DMARC_ALIGNED, "dmarc.aligned"},
	{MXW__FACT_ARC, "arc"},
	{MXW__FACT_ARC_SEALER, "arc.sealer"},
	{MXW__FACT_ARC_DMARC, "arc.dmarc"}, {MXW__FACT_MESSAGE_SIZE, "message.size"},
};

START_TEST(each_name_has_its_row_in_the_table)
{
	ck_assert_uint_eq(mxw_fact_count(), MXW_ARRAY_LEN(rows));
	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++) {
		ck_assert_uint_eq(rows[i].id, i);
		ck_assert_str_eq(mxw_fact_info(rows[i].id)->name, rows[i].name);
		ck_assert_uint_eq(mxw_fact_find(rows[i].name), i);
	}
	ck_assert_ptr_null(mxw_fact_info(MXW__FACT_COUNT));
	ck_assert_uint_eq(mxw_fact_find("no.such"), MXW_FACT_NONE);
}
END_TEST

START_TEST(rows_of_the_table_are_complete)
{
	for (mxw_fact_id_t id = 0; id < MXW__FACT_COUNT; id++) {
		const struct mxw_fact_info *info = mxw_fact_info(id);
		ck_assert_msg((info->type == MXW_FACT_WORD) == (info->words != NULL), "%s: words", info->name);
		ck_assert_msg(info->meaning && info->meaning[0], "%s: meaning", info->name);
		ck_assert_msg(info->meaning[strlen(info->meaning) - 1] != '.', "%s: full stop", info->name);
		ck_assert_msg(info->scope != MXW_SCOPE_RCPT || info->stage == MXW_STAGE_RCPT, "%s: scope", info->name);
		/* A word is a bit of 64 in a compiled comparison. */
		ck_assert_msg(!info->words || mxw__word_index(info->words, "") == MXW__NO_WORD, "%s", info->name);
	}
}
END_TEST

START_TEST(what_the_directory_check_states_tells_existence)
{
	unsigned n = 0;

	for (size_t i = 0; i < mxw__check_directory.nfacts; i++)
		ck_assert_msg(mxw__fact_tells_existence(mxw__check_directory.facts[i]), "%s",
			      mxw_fact_info(mxw__check_directory.facts[i])->name);
	for (mxw_fact_id_t id = 0; id < MXW__FACT_COUNT; id++)
		n += mxw__fact_tells_existence(id);
	ck_assert_uint_eq(n, mxw__check_directory.nfacts);
}
END_TEST

START_TEST(values_must_fit_the_type)
{
	struct mxw_ip none = {0}, ip;
	mxw_facts_t *facts;

	ck_assert_int_eq(mxw_ip_parse("192.0.2.1", &ip), MXW_OK);
	ck_assert_int_eq(mxw_facts_new(10, 1000, &facts), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF, "pass"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF, "passed"), MXW_ERR_USAGE);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF, ""), MXW_ERR_USAGE);
	ck_assert_str_eq(mxw_facts_get(facts, MXW__FACT_SPF), "pass");
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_AUTH, "yes"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_AUTH, "true"), MXW_ERR_USAGE);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_CLIENT_SCORE, "5"), MXW_ERR_USAGE);
	ck_assert_int_eq(mxw_facts_set_number(facts, MXW__FACT_CLIENT_SCORE, 5), MXW_OK);
	ck_assert_int_eq(mxw_facts_set_number(facts, MXW__FACT_SPF, 5), MXW_ERR_USAGE);
	ck_assert_int_eq(mxw_facts_set_ip(facts, MXW__FACT_CLIENT_ADDRESS, &none), MXW_ERR_USAGE);
	ck_assert_int_eq(mxw_facts_set_ip(facts, MXW__FACT_CLIENT_ADDRESS, &ip), MXW_OK);
	ck_assert_str_eq(mxw_facts_get(facts, MXW__FACT_CLIENT_ADDRESS), "192.0.2.1");
	ck_assert_int_eq(mxw_facts_set_unavailable(facts, MXW__FACT_SPF, "dead"), MXW_ERR_USAGE);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_COUNT, "x"), MXW_ERR_USAGE);
	ck_assert_int_eq(mxw_facts_set_unavailable(facts, MXW_FACT_NONE, NULL), MXW_ERR_USAGE);
	mxw_facts_free(facts);
}
END_TEST

START_TEST(a_new_statement_replaces_the_old_one_unless_the_fact_is_multi)
{
	mxw_facts_t *facts;

	ck_assert_int_eq(mxw_facts_new(10, 1000, &facts), MXW_OK);
	ck_assert_int_eq(mxw_facts_set_unavailable(facts, MXW__FACT_SPF, "temperror"), MXW_OK);
	ck_assert(mxw_facts_is_unavailable(facts, MXW__FACT_SPF));
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF, "pass"), MXW_OK);
	ck_assert(!mxw_facts_is_unavailable(facts, MXW__FACT_SPF));
	ck_assert_int_eq(mxw_facts_set_number(facts, MXW__FACT_RCPT_COUNT, 1), MXW_OK);
	ck_assert_int_eq(mxw_facts_set_number(facts, MXW__FACT_RCPT_COUNT, 123456), MXW_OK);
	ck_assert_uint_eq(mxw_facts_get_number(facts, MXW__FACT_RCPT_COUNT), 123456);
	ck_assert_str_eq(mxw_facts_get(facts, MXW__FACT_RCPT_COUNT), "123456");
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_DKIM_DOMAIN, "a.example"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_DKIM_DOMAIN, "b.example"), MXW_OK);
	ck_assert_str_eq(mxw_facts_get(facts, MXW__FACT_DKIM_DOMAIN), "a.example");
	ck_assert_uint_eq(facts->n, 4);
	mxw_facts_free(facts);
}
END_TEST

START_TEST(clearing_forgets_a_scope_and_the_narrower_ones)
{
	mxw_facts_t *facts;

	ck_assert_int_eq(mxw_facts_new(10, 1000, &facts), MXW_OK);
	for (int i = 0; i < 3; i++) {
		mxw_fact_scope_t scope = (mxw_fact_scope_t)i;
		ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_HELO, "mx.example"), MXW_OK);
		ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SENDER, "a@b.example"), MXW_OK);
		ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_RCPT, "found"), MXW_OK);
		mxw_facts_clear(facts, scope);
		ck_assert(!mxw_facts_has(facts, MXW__FACT_RCPT));
		ck_assert_int_eq(mxw_facts_has(facts, MXW__FACT_SENDER), scope > MXW_SCOPE_MESSAGE);
		ck_assert_int_eq(mxw_facts_has(facts, MXW__FACT_HELO), scope > MXW_SCOPE_SESSION);
	}
	mxw_facts_free(facts);
}
END_TEST

START_TEST(a_set_is_bounded_in_number_and_bytes_for_ever)
{
	char big[64];
	mxw_facts_t *facts;

	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	ck_assert_int_eq(mxw_facts_new(2, 100, &facts), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_HELO, big), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SENDER, big), MXW_ERR_LIMIT);
	ck_assert(!mxw_facts_has(facts, MXW__FACT_SENDER));
	/* Replacing needs no more room than the new value, however often. */
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_HELO, i % 2 ? big : "short"), MXW_OK);
	ck_assert_uint_le(facts->pool_cap, 1024);
	ck_assert_str_eq(mxw_facts_get(facts, MXW__FACT_HELO), big);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF, "pass"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_DKIM, "pass"), MXW_ERR_LIMIT);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF, "fail"), MXW_OK);
	mxw_facts_free(facts);
}
END_TEST

START_TEST(a_statement_that_finds_no_room_leaves_the_fact_unavailable)
{
	char big[128];
	mxw_facts_t *facts;

	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	ck_assert_int_eq(mxw_facts_new(2, 100, &facts), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_HELO, "old"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_HELO, big), MXW_ERR_LIMIT);
	ck_assert(!mxw_facts_has(facts, MXW__FACT_HELO));
	ck_assert(mxw_facts_is_unavailable(facts, MXW__FACT_HELO));
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_HELO, "new"), MXW_OK);
	ck_assert(!mxw_facts_is_unavailable(facts, MXW__FACT_HELO));
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SENDER, big), MXW_ERR_LIMIT);
	mxw_facts_clear(facts, MXW_SCOPE_MESSAGE);
	ck_assert(!mxw_facts_is_unavailable(facts, MXW__FACT_SENDER));
	mxw_facts_free(facts);
}
END_TEST

static void write_fact(void *ctx, mxw_fact_id_t id, const char *value, bool is_unavailable)
{
	struct mxw__buf *buf = ctx;
	mxw__buf_addf(buf, "%s=%s%s;", mxw_fact_info(id)->name, is_unavailable ? "?" : "", value);
}

START_TEST(statements_are_visited_in_their_order)
{
	struct mxw__buf buf;
	mxw_facts_t *facts;

	mxw__buf_init(&buf, 1000);
	ck_assert_int_eq(mxw_facts_new(10, 1000, &facts), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_DKIM, "none"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF, "fail"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set_unavailable(facts, MXW__FACT_DKIM, "temperror"), MXW_OK);
	mxw_facts_each(facts, write_fact, &buf);
	ck_assert_str_eq(mxw__buf_str(&buf), "spf=fail;dkim=?temperror;");
	mxw__buf_fini(&buf);
	mxw_facts_free(facts);
}
END_TEST

START_TEST(a_number_stated_again_is_the_number_it_says)
{
	static const struct {
		uint64_t number;
		const char *text;
	} said[] = {
		{0, "0"}, {0, "0"}, {9, "9"}, {10, "10"}, {10, "10"}, {0, "0"}, {UINT64_MAX, "18446744073709551615"},
	};
	mxw_facts_t *facts;

	ck_assert_int_eq(mxw_facts_new(3, 1000, &facts), MXW_OK);
	for (size_t i = 0; i < MXW_ARRAY_LEN(said); i++) {
		ck_assert_int_eq(mxw_facts_set_number(facts, MXW__FACT_CLIENT_SCORE, said[i].number), MXW_OK);
		ck_assert_uint_eq(mxw_facts_get_number(facts, MXW__FACT_CLIENT_SCORE), said[i].number);
		ck_assert_str_eq(mxw_facts_get(facts, MXW__FACT_CLIENT_SCORE), said[i].text);
	}
	/* What was not to be had carries the number 0, but says nothing. */
	ck_assert_int_eq(mxw_facts_set_unavailable(facts, MXW__FACT_CLIENT_SCORE, NULL), MXW_OK);
	ck_assert_int_eq(mxw_facts_set_number(facts, MXW__FACT_CLIENT_SCORE, 0), MXW_OK);
	ck_assert(!mxw_facts_is_unavailable(facts, MXW__FACT_CLIENT_SCORE));
	ck_assert_str_eq(mxw_facts_get(facts, MXW__FACT_CLIENT_SCORE), "0");
	mxw_facts_free(facts);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("facts");
	TCase *tc = tcase_create("facts");

	tcase_add_test(tc, each_name_has_its_row_in_the_table);
	tcase_add_test(tc, rows_of_the_table_are_complete);
	tcase_add_test(tc, what_the_directory_check_states_tells_existence);
	tcase_add_test(tc, values_must_fit_the_type);
	tcase_add_test(tc, a_new_statement_replaces_the_old_one_unless_the_fact_is_multi);
	tcase_add_test(tc, clearing_forgets_a_scope_and_the_narrower_ones);
	tcase_add_test(tc, a_set_is_bounded_in_number_and_bytes_for_ever);
	tcase_add_test(tc, a_statement_that_finds_no_room_leaves_the_fact_unavailable);
	tcase_add_test(tc, statements_are_visited_in_their_order);
	tcase_add_test(tc, a_number_stated_again_is_the_number_it_says);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
