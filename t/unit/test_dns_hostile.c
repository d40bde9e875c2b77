/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of any content, as packets through libunbound: none of them may hurt, and none become what it is not. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "t/fakes/dnsd.h"
#include "t/fakes/suite.h"

enum { LONG_MS = 20000, MANY = 300, STRINGS = 250, STRING = 255, CHAIN = 60 };

static dnsd_t *server;
static mxw_resolver_t *resolver;

static int64_t now(void)
{
	return mxw__now_ms(mxw_clock_system());
}

static const char zone[] =
	"$TTL 60\n"
	"www.example A 192.0.2.1\n"
	"ring1.example CNAME ring2.example\n"
	"ring2.example CNAME ring1.example\n"
	"self.example CNAME self.example\n"
	"mixed.example CNAME WWW.Example\n"
	"Strange.example PTR A\\000B\\.C\\\".Example\n"
	"a\\000b.example A 192.0.2.2\n"
	"strings.example TXT \"\" \"a\" \"\" \"\\000\" \"b\" \"\"\n"
	"empty.example TXT \"\"\n"
	"loop.example ANY !loop\n"
	"pointer.example ANY !rdata-loop\n"
	"cut.example A 192.0.2.4\n"
	"cut.example A !cut\n"
	"junk.example ANY !junk\n"
	"lie.example A 192.0.2.4\n"
	"lie.example A !lie\n"
	"stray.example A !stray\n"
	"id.example A 192.0.2.4\n"
	"id.example A !wrong-id\n"
	"short.example A !rdata=c00002\n"
	"short.example AAAA !rdata=20010db8\n"
	"long.example A !rdata=c000020100\n"
	"over.example TXT !rdata=ff4142\n"
	"none.example MX !rdata=00\n"
	"half.example MX !rdata=000a\n"
	"forward.example MX !rdata=000ac3ff\n"
	"label.example PTR !rdata=8041\n"
	"open.example PTR !rdata=0341\n"
	"tail.example PTR !rdata=01410042\n"
	"late.example A 192.0.2.7\n"
	"late.example A !delay=450ms\n";

static void add_large(struct mxw__buf *text)
{
	char string[STRING + 1];

	memset(string, 'x', STRING);
	string[STRING] = '\0';
	mxw__buf_adds(text, "huge.example TXT");
	for (int i = 0; i < STRINGS; i++)
		mxw__buf_addf(text, " %s", string);
	mxw__buf_adds(text, "\n");
	for (int i = 0; i < MANY; i++)
		mxw__buf_addf(text, "many.example A 192.0.%d.%d\nmany.example TXT \"v=spf1 include:n%d.example -all\"\n", i / 256,
			      i % 256, i);
	for (int i = 0; i < CHAIN; i++)
		mxw__buf_addf(text, "c%d.example CNAME c%d.example\n", i, i + 1);
	mxw__buf_addf(text, "c%d.example A 192.0.2.9\n", CHAIN);
}

static void setup(void)
{
	struct mxw_resolver_options options = {.size = sizeof(options), .nforward = 1, .timeout_ms = LONG_MS};
	struct mxw_error err = {0};
	struct mxw__buf text;

	mxw__buf_init(&text, 1 << 20);
	mxw__buf_adds(&text, zone);
	add_large(&text);
	server = dnsd_start(mxw__buf_str(&text));
	mxw__buf_fini(&text);
	const char *forward = dnsd_address(server);
	options.forward = &forward;
	ck_assert_msg(mxw_resolver_new(&options, &resolver, &err) == MXW_OK, "%s", err.text);
}

static void teardown(void)
{
	mxw_resolver_unref(resolver);
	dnsd_stop(server);
}

static mxw_dns_answer_t *ask(const char *name, enum mxw_dns_type type)
{
	return mxw_resolver_ask(resolver, name, type, now() + LONG_MS, NULL);
}

/* ---- what must not become an answer ---- */

static const struct {
	const char *name;
	enum mxw_dns_type type;
	mxw_outcome_t outcome;
	int rcode;
	size_t n;
} rows[] = {
	{"ring1.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"self.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"c0.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"c52.example", MXW_DNS_A, MXW_FOUND, 0, 1},
	{"mixed.example", MXW_DNS_A, MXW_FOUND, 0, 1},
	{"a\\000b.EXAMPLE", MXW_DNS_A, MXW_FOUND, 0, 1},
	{"a\\000c.example", MXW_DNS_A, MXW_NOT_FOUND, 3, 0},
	{"loop.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"loop.example", MXW_DNS_TXT, MXW_TEMPORARY, 2, 0},
	{"pointer.example", MXW_DNS_MX, MXW_TEMPORARY, 2, 0},
	{"pointer.example", MXW_DNS_PTR, MXW_TEMPORARY, 2, 0},
	{"pointer.example", MXW_DNS_CNAME, MXW_TEMPORARY, 2, 0},
	{"pointer.example", MXW_DNS_NS, MXW_TEMPORARY, 2, 0},
	{"cut.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"junk.example", MXW_DNS_MX, MXW_TEMPORARY, 2, 0},
	{"lie.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"id.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"short.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"short.example", MXW_DNS_AAAA, MXW_TEMPORARY, 2, 0},
	{"long.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0},
	{"over.example", MXW_DNS_TXT, MXW_TEMPORARY, 2, 0},
	{"none.example", MXW_DNS_MX, MXW_TEMPORARY, 2, 0},
	{"half.example", MXW_DNS_MX, MXW_TEMPORARY, 2, 0},
	{"forward.example", MXW_DNS_MX, MXW_TEMPORARY, 2, 0},
	{"label.example", MXW_DNS_PTR, MXW_TEMPORARY, 2, 0},
	{"open.example", MXW_DNS_PTR, MXW_TEMPORARY, 2, 0},
	{"tail.example", MXW_DNS_PTR, MXW_TEMPORARY, 2, 0},
};

START_TEST(what_is_malformed_is_no_answer)
{
	mxw_dns_answer_t *answer = ask(rows[_i].name, rows[_i].type);

	ck_assert_msg(answer->outcome == rows[_i].outcome, "%s: %s", rows[_i].name, mxw_outcome_name(answer->outcome));
	ck_assert_int_eq(answer->rcode, rows[_i].rcode);
	ck_assert_uint_eq(answer->nrecords, rows[_i].n);
	mxw_dns_answer_unref(answer);
	/* It still answers. */
	answer = ask("www.example", MXW_DNS_A);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(what_was_not_asked_is_not_believed)
{
	mxw_dns_answer_t *answer = ask("stray.example", MXW_DNS_A);

	ck_assert_int_ne(answer->outcome, MXW_FOUND);
	mxw_dns_answer_unref(answer);
	answer = ask("victim.example", MXW_DNS_A);
	ck_assert_int_eq(answer->outcome, MXW_NOT_FOUND);
	mxw_dns_answer_unref(answer);
}
END_TEST

/* ---- what is large or strange, and good ---- */

START_TEST(a_record_of_64_kb_arrives_whole)
{
	mxw_dns_answer_t *answer = ask("huge.example", MXW_DNS_TXT);

	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	ck_assert_uint_eq(answer->records[0].len, STRINGS * STRING);
	ck_assert_int_eq(answer->records[0].data[STRINGS * STRING], 0);
	ck_assert_uint_eq(strspn((const char *)answer->records[0].data, "x"), STRINGS * STRING);
	mxw_dns_answer_unref(answer);
	answer = mxw_resolver_peek(resolver, "huge.example", MXW_DNS_TXT);
	ck_assert_ptr_nonnull(answer);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(all_of_many_records_arrive)
{
	static const enum mxw_dns_type types[] = {MXW_DNS_A, MXW_DNS_TXT};

	for (size_t t = 0; t < MXW_ARRAY_LEN(types); t++) {
		mxw_dns_answer_t *answer = ask("many.example", types[t]);
		ck_assert_uint_eq(answer->nrecords, MANY);
		/* None of them twice. */
		for (size_t i = 1; i < answer->nrecords; i++)
			ck_assert(answer->records[i].len != answer->records[0].len ||
				  memcmp(answer->records[i].data, answer->records[0].data, answer->records[0].len) != 0);
		mxw_dns_answer_unref(answer);
	}
}
END_TEST

START_TEST(octets_that_are_no_text_keep_their_place)
{
	mxw_dns_answer_t *answer = ask("strange.example", MXW_DNS_PTR);

	ck_assert_str_eq(answer->records[0].name, "a\\000b\\046c\".example");
	mxw_dns_answer_unref(answer);
	answer = ask("strings.example", MXW_DNS_TXT);
	ck_assert_uint_eq(answer->records[0].len, 3);
	ck_assert_mem_eq(answer->records[0].data, "a\0b", 4);
	mxw_dns_answer_unref(answer);
	answer = ask("empty.example", MXW_DNS_TXT);
	ck_assert_int_eq(answer->outcome, MXW_FOUND);
	ck_assert_uint_eq(answer->records[0].len, 0);
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(a_server_that_thinks_is_not_asked_again)
{
	unsigned queries = 0;

	/* On a machine that is busy it may well be, but not each time. Servers are met anew with each resolver. */
	for (int i = 0; i < 4 && queries != 1; i++) {
		if (i > 0) {
			teardown();
			setup();
		}
		mxw_dns_answer_t *answer = ask("late.example", MXW_DNS_A);
		ck_assert_int_eq(answer->outcome, MXW_FOUND);
		mxw_dns_answer_unref(answer);
		queries = dnsd_queries(server, "late.example", MXW_DNS_A);
	}
	ck_assert_uint_eq(queries, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_hostile");
	TCase *tcase = tcase_create("answers");

	tcase_add_unchecked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	/* First: of a server that it has just met libunbound expects little patience. */
	tcase_add_test(tcase, a_server_that_thinks_is_not_asked_again);
	tcase_add_loop_test(tcase, what_is_malformed_is_no_answer, 0, MXW_ARRAY_LEN(rows));
	tcase_add_test(tcase, what_was_not_asked_is_not_believed);
	tcase_add_test(tcase, a_record_of_64_kb_arrives_whole);
	tcase_add_test(tcase, all_of_many_records_arrive);
	tcase_add_test(tcase, octets_that_are_no_text_keep_their_place);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
