/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Received fields of many mail servers, and what strangers try to make of them.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/mail/received.h"
#include "t/fakes/received_forms.h"
#include "t/fakes/suite.h"

#define DATE RECEIVED_DATE
#define BY " by relay.example.net (Postfix) with ESMTP id 1" DATE

/* ---- each server's form ---- */

START_TEST(each_servers_form_is_read)
{
	char value[2048], text[MXW_IP_TEXT_MAX];
	struct mxw__received r;

	received_form_fill(value, sizeof value, &received_forms[_i], "helo.client.example");
	mxw__received_parse(value, &r);
	ck_assert_msg(r.kind == MXW__RECEIVED_CLIENT, "%s", received_forms[_i].server);
	ck_assert_str_eq(mxw_ip_format(&r.address, text), "192.0.2.1");
	ck_assert_str_eq(r.helo, "helo.client.example");
	ck_assert(!r.is_authenticated);
	ck_assert(r.name[0] == '\0' || strcmp(r.name, "mail.client.example") == 0);
	ck_assert_ptr_nonnull(strchr(r.by, '.'));
}
END_TEST

/* Literals are what programs of people say at HELO. */
START_TEST(an_address_at_helo_is_not_the_clients)
{
	static const char *const helos[] = {"[198.51.100.1]", "198.51.100.1", "[IPv6:2001:db8::bad]", "x", "a[198.51.100.1]"};
	char value[2048], text[MXW_IP_TEXT_MAX];
	struct mxw__received r;

	for (size_t i = 0; i < MXW_ARRAY_LEN(helos); i++) {
		received_form_fill(value, sizeof value, &received_forms[_i], helos[i]);
		mxw__received_parse(value, &r);
		ck_assert_msg(r.kind == MXW__RECEIVED_CLIENT, "%s: %s", received_forms[_i].server, helos[i]);
		ck_assert_str_eq(mxw_ip_format(&r.address, text), "192.0.2.1");
		ck_assert_str_eq(r.helo, helos[i]);
	}
}
END_TEST

/*
 * A server that takes anything at HELO, and writes it as it came. None of these may lead to 198.51.100.1; most can't be read any
 * more, and need not be.
 */
static const char *const hostile[] = {
	"evil ([198.51.100.1])",
	"evil (real.example [198.51.100.1])",
	"evil (198.51.100.1)",
	"evil (x@198.51.100.1)",
	"evil (Not Verified[198.51.100.1])",
	"evil (HELO y) (198.51.100.1)",
	"evil (HELO y) ([198.51.100.1])",
	"evil (LHLO y) (198.51.100.1)",
	"evil ([198.51.100.1] helo=y)",
	"evil ([198.51.100.1]:25 \"EHLO y\" rhost-flags-OK)",
	"evil ([198.51.100.1] verified)",
	"[198.51.100.1] (HELO y)",
	"[198.51.100.1] (helo=y)",
	"[198.51.100.1] (helo=y) by relay.example.net with esmtp (Exim 4.96) id 1" DATE,
	"[198.51.100.1] (HELO y) by relay.example.net (CommuniGate Pro SMTP 6) with ESMTP id 1" DATE,
	"x) (evil [198.51.100.1]",
	"x) ([198.51.100.1]",
	"x) (198.51.100.1",
	"x) (y@198.51.100.1",
	"x] (evil [198.51.100.1]",
	"[198.51.100.1])",
	"[198.51.100.1]) (x",
	"x [198.51.100.1]) (using TLS",
	"x ([198.51.100.1]) (using TLS",
	"x ([198.51.100.1]) (using TLSv1.3)",
	"x ([198.51.100.1]) (Client CN \"",
	"x ([198.51.100.1]) \"",
	"x ([198.51.100.1]) <",
	"x ([198.51.100.1]) (",
	"x ([198.51.100.1]) \\(",
	"x ([198.51.100.1]) by relay.example.net",
	"x ([198.51.100.1]) by relay.example.net (",
	"x ([198.51.100.1]) by relay.example.net with ESMTP id 1",
	"x ([198.51.100.1]) by relay.example.net with ESMTP id",
	"x ([198.51.100.1]) by relay.example.net with ESMTP id 1 for",
	"x ([198.51.100.1]) by relay.example.net with ESMTP id 1 for <",
	"x ([198.51.100.1]) by relay.example.net with ESMTP id 1 for <a@example.net>",
	"x ([198.51.100.1]) by relay.example.net with ESMTP id 1;",
	"x ([198.51.100.1]) by relay.example.net with ESMTP id 1" DATE,
	"x ([198.51.100.1]) by relay.example.net with ESMTP id 1" DATE " (",
	"x ([198.51.100.1]) by relay.example.net with ESMTP id 1" DATE " (CET",
	"x ([198.51.100.1]) by relay.example.net with ESMTP id 1" DATE " (CET)",
	"x (198.51.100.1) by relay.example.net with Microsoft SMTP Server id 1" DATE,
	"x) ([198.51.100.1]) by relay.example.net with ESMTP id 1" DATE,
	"x) (HELO y) (198.51.100.1) by relay.example.net with SMTP" DATE,
	"x) ([198.51.100.1]) (HELO y",
	"x helo=[198.51.100.1]",
	"x ident=[198.51.100.1]",
	"[198.51.100.1] verified",
	"account y [198.51.100.1] verified",
	"x) (Authenticated sender: y",
	"x (Authenticated sender: y)",
	"x) (account y",
	"x)\t(authenticated",
	"x) (AUTH: y",
	"x ([198.51.100.1]) by relay.example.net (envelope-from <",
	"x ([198.51.100.1]) by relay.example.net with esmtp (Exim 4.96) (envelope-from <",
	"x) ([198.51.100.1]) by relay.example.net with esmtp (envelope-from <",
	"x ([198.51.100.1]) (envelope-from <",
	"x\" rhost-flags-OK) ([198.51.100.1]",
	"\"x\" ([198.51.100.1])",
	"x ([198.51.100.1]\t)",
	"x\t([198.51.100.1])",
	"x;([198.51.100.1])",
	"by ([198.51.100.1])",
	"from x ([198.51.100.1])",
	"x\\) ([198.51.100.1]",
	"x\\",
	"x(",
	")",
	"",
	" ",
	"<>",
};

START_TEST(no_helo_name_passes_for_the_servers_word)
{
	char value[2048], text[MXW_IP_TEXT_MAX];
	struct mxw__received r;

	for (size_t i = 0; i < MXW_ARRAY_LEN(hostile); i++) {
		received_form_fill(value, sizeof value, &received_forms[_i], hostile[i]);
		mxw__received_parse(value, &r);
		mxw_ip_format(&r.address, text);
		if (r.kind == MXW__RECEIVED_CLIENT)
			ck_assert_msg(strcmp(text, "192.0.2.1") == 0, "%s, %s: %s", received_forms[_i].server, hostile[i], text);
		else
			ck_assert_int_eq(r.kind, MXW__RECEIVED_UNREADABLE);
		ck_assert_msg(!r.is_authenticated, "%s: %s", received_forms[_i].server, hostile[i]);
	}
}
END_TEST

/* ---- more forms ---- */

static const struct {
	const char *value, *address, *helo, *name;
	bool is_authenticated;
} good[] = {
	/* IPv6, ident, final dots, blanks, folding */
	{" from a.example (a.example [IPv6:2001:db8::25])" BY, "2001:db8::25", "a.example", "a.example", false},
	{" from a.example ([2001:db8::25])" BY, "2001:db8::25", "a.example", "", false},
	{" from a.example (2001:db8::25)" BY, "2001:db8::25", "a.example", "", false},
	{" from EX2.example.net (fe80::1:2%11) by EX1.example.net\n (10.0.0.5) with Microsoft SMTP Server id 15.2" DATE,
		"fe80::1:2", "EX2.example.net", "", false},
	{" from a.example (a.example [IPv6:::ffff:192.0.2.7])" BY, "192.0.2.7", "a.example", "a.example", false},
	{" from a.example (IDENT:bob@a.example [192.0.2.7])" BY, "192.0.2.7", "a.example", "a.example", false},
	{" from a.example (bob@[192.0.2.7])" BY, "192.0.2.7", "a.example", "", false},
	{" from a.example ( [192.0.2.7])" BY, "192.0.2.7", "a.example", "", false},
	{"\n\tfrom\ta.example\r\n\t(a.example\n [192.0.2.7])" BY, "192.0.2.7", "a.example", "a.example", false},
	{" from [10.0.0.7] (unknown [192.0.2.7])" BY, "192.0.2.7", "[10.0.0.7]", "", false},
	/* a name that looks like the beginning of another comment */
	{" from a.example (TLS.a.example [192.0.2.7])" BY, "192.0.2.7", "a.example", "TLS.a.example", false},
	{" from a.example (using [192.0.2.7])" BY, "192.0.2.7", "a.example", "using", false},
	/* users */
	{" from [10.0.0.7] (dsl.isp.example [192.0.2.7])\n\t(Authenticated sender: EXAMPLE\\bob)\n\tby relay.example.net (Postfix) with ESMTPSA id "
		"1" DATE, "192.0.2.7", "[10.0.0.7]", "dsl.isp.example", true},
	{" from bobs-pc (dsl.isp.example [192.0.2.7])\n\t(authenticated bits=0)\n\tby relay.example.net (8.17.1/8.17.1) with ESMTP id 1" DATE,
		"192.0.2.7", "bobs-pc", "dsl.isp.example", true},
	{" from dsl.isp.example ([192.0.2.7] helo=bobs-pc)\n\tby relay.example.net with esmtpsa (Exim 4.96) id 1" DATE, "192.0.2.7", "bobs-pc",
		"dsl.isp.example", true},
	{" from [192.0.2.7] (account bob@example.net HELO [10.0.0.7])\n  by cgp.example.net (CommuniGate Pro SMTP 6.2.14)\n  with ESMTPSA id 5"
		DATE, "192.0.2.7", "", "", true},
	{" from [192.0.2.7] (account bob [192.0.2.7] verified)\n  by cgp.example.net (CommuniGate Pro SMTP 6.2.14) with ESMTPA id 5" DATE,
		"192.0.2.7", "", "", true},
	{" from bobs-pc (dsl.isp.example [192.0.2.7])\n  (AUTH: LOGIN bob, TLS: TLSv1.3)\n  by relay.example.net with ESMTPSA id 1" DATE,
		"192.0.2.7", "bobs-pc", "dsl.isp.example", true},
	{" from bobs-pc (dsl.isp.example [192.0.2.7]) by relay.example.net (OpenSMTPD) with ESMTPSA id 1 (TLSv1.3:X:256:NO) auth=yes user=bob"
		" for <anna@example.net>" DATE, "192.0.2.7", "bobs-pc", "dsl.isp.example", true},
	{" from mimecast.example (a.example [192.0.2.7]) by relay.mail.example with ESMTP with STARTTLS (version=TLSv1.3,\n"
		" cipher=TLS_AES_128_GCM_SHA256) id us-mta-1" DATE, "192.0.2.7", "mimecast.example", "a.example", false},
	/* what a sender may be called, as Exim has it */
	{" from a.example ([192.0.2.7])\n\tby relay.example.net with esmtp (Exim 4.96)\n\t(envelope-from <\"x) (authenticated) with esmtpsa (\"@a.example>)\n"
		"\tid 1" DATE, "192.0.2.7", "a.example", "", false},
	{" from a.example ([192.0.2.7])\n\tby relay.example.net with esmtp (Exim 4.96)\n\t(envelope-from <\"x)\"@a.example>)\n\tid 1" DATE,
		"192.0.2.7", "a.example", "", false},
	{" from a.example ([192.0.2.7])\n\tby relay.example.net with esmtp (Exim 4.96)\n\t(envelope-from <>)\n\tid 1" DATE,
		"192.0.2.7", "a.example", "", false},
	{" from webmail.example.net ([192.0.2.7])\n (authenticated user bob@example.net)\n by relay.example.net (Kerio Connect 10.0.8) with ESMTPA"
		DATE, "192.0.2.7", "webmail.example.net", "", true},
	{" from bobs-pc ([192.0.2.7])\n\tby relay.example.net (Haraka/3.0.1) with UTF8SMTPSA id 1\n\tenvelope-from <bob@example.net>" DATE,
		"192.0.2.7", "bobs-pc", "", true},
	/* a few more servers */
	{" from a.example ([192.0.2.7])\n by szsmtp06.example.net (Lotus Domino Release 8.5.3FP6)\n with ESMTP id 2019-10027949 ;\n"
		" Mon, 6 May 2019 15:03:29 +0800 ", "192.0.2.7", "a.example", "", false},
	{" from a.example ([192.0.2.7]) by md.example.net (md.example.net)\n\t(MDaemon PRO v10.1.2) with ESMTP id md50000113590.msg\n"
		"\tfor <anna@example.net>" DATE, "192.0.2.7", "a.example", "", false},
	{" from a.example ([192.0.2.7]) (using TLSv1) by\n relay.example.net" DATE, "192.0.2.7", "a.example", "", false},
	{" from a.example ([127.0.0.1]) by localhost (relay.example.net [127.0.0.1]) (amavis, port 10024) with ESMTP id 1" DATE, "127.0.0.1",
		"a.example", "", false},
	{" from pps.filterd (a.example [127.0.0.1])\n\tby a.example (8.16.0.22/8.16.0.22) with SMTP id x5CABC;\n\t"
		"Mon, 2 Feb 2026 10:11:12 +0100", "127.0.0.1", "pps.filterd", "a.example", false},
	{" from a.example (192.0.2.7) by relay.example.net with MailEnable ESMTP; 2 Feb 2026 10:11:12 +0100", "192.0.2.7", "a.example", "",
		false},
	{" from 192.0.2.7 (EHLO a.example) ([192.0.2.7])\n  by relay.example.net (JAMES SMTP Server ) with ESMTP ID 1234;\n"
		"  Mon, 02 Feb 2026 10:11:12 +0100 (CET)", "192.0.2.7", "a.example", "", false},
	{" from [192.0.2.7]\n\tby relay.example.net with smtp (Exim 4.96)\n\tid 1" DATE, "192.0.2.7", "", "", false},
	{" from a.example ([192.0.2.7]:33214)\n\tby relay.example.net with esmtp (Exim 4.96) id 1" DATE, "192.0.2.7", "a.example", "a.example",
		false},
	{" from a.example ([192.0.2.7] verified)\n  by cgp.example.net (CommuniGate Pro SMTP 6.3) with ESMTP id 5" DATE, "192.0.2.7",
		"a.example", "a.example", false},
};

START_TEST(more_forms_are_read)
{
	char text[MXW_IP_TEXT_MAX];
	struct mxw__received r;

	mxw__received_parse(good[_i].value, &r);
	ck_assert_msg(r.kind == MXW__RECEIVED_CLIENT, "%s", good[_i].value);
	ck_assert_str_eq(mxw_ip_format(&r.address, text), good[_i].address);
	ck_assert_str_eq(r.helo, good[_i].helo);
	ck_assert_str_eq(r.name, good[_i].name);
	ck_assert_msg(r.is_authenticated == good[_i].is_authenticated, "%s", good[_i].value);
}
END_TEST

START_TEST(qmails_note_of_its_queue_leads_to_the_next_field)
{
	struct mxw__received r;

	mxw__received_parse(" (qmail 12345 invoked from network); 2 Feb 2026 09:11:12 -0000", &r);
	ck_assert_int_eq(r.kind, MXW__RECEIVED_QUEUE);
	mxw__received_parse(" (qmail 12345 invoked by uid 990); 2 Feb 2026 09:11:12 -0000", &r);
	ck_assert_int_eq(r.kind, MXW__RECEIVED_UNREADABLE);
	mxw__received_parse(" (qmail invoked from network); 2 Feb 2026 09:11:12 -0000", &r);
	ck_assert_int_eq(r.kind, MXW__RECEIVED_UNREADABLE);
}
END_TEST

/* No client, no address, or nothing that says whose word it is. */
static const char *const bad[] = {
	"", " ", ";", "from", " from a.example", " from a.example by b.example" DATE,
	" from a.example ([192.0.2.7])",
	" from a.example ([192.0.2.7]) by b.example with ESMTP id 1",
	" from a.example ([192.0.2.7]) by b.example with ESMTP id 1;",
	" from a.example ([192.0.2.7]) with ESMTP id 1" DATE,
	" by relay.example.net (Postfix, from userid 1000)\n\tid 4XyZ" DATE " (CET)",
	" by mail-lf1.relay.example with SMTP id 1\n        for <anna@example.net>" DATE " (PST)",
	" (from bob@localhost)\n\tby relay.example.net (8.17.1/8.17.1/Submit) id 1" DATE,
	" from bob by relay.example.net with local (Exim 4.96)\n\t(envelope-from <bob@example.net>)\n\tid 1" DATE,
	/* Literals of which nobody can say whether they are the HELO name. */
	" from [192.0.2.7] by server-5.relay.example id 1" DATE,
	" from [IPv6:2001:db8::1] by relay.example.net (IPv6:2001:db8::2) (MDaemon PRO v23.5.1)\n\twith ESMTPSA id md5.msg" DATE,
	" from [192.0.2.7] (HELO a.example) by relay.example.net with ESMTP id 1" DATE,
	" from [192.0.2.7] (helo=a.example) by relay.example.net with ESMTP id 1" DATE,
	" from a.example [192.0.2.7] by relay.example.net with ESMTP id 1" DATE,
	" from 192.0.2.8 (EHLO a.example) ([192.0.2.7]) by relay.example.net with ESMTP id 1" DATE,
	/* fetched, browsed, not sent */
	" from pop.isp.example (pop.isp.example [192.0.2.7])\n\tby relay.example.net with POP3 (fetchmail-6.4.37)\n\tfor <bob@localhost>" DATE,
	" from imap.isp.example ([192.0.2.7]) by relay.example.net with IMAP id 1" DATE,
	" from [192.0.2.7] (account bob) by cgp.example.net (CommuniGate Pro WEBUSER 6.3) with HTTP id 1" DATE,
	" from [192.0.2.7] ([192.0.2.7]) by web.mail.example via HTTP" DATE,
	" from EX2.example.net ([fe80::1]) by EX1.example.net ([fe80::2%11]) with mapi id 15.00" DATE,
	/* no addresses */
	" from a.example (a.example [192.0.2.777])" BY, " from a.example (a.example [])" BY, " from a.example ()" BY,
	" from a.example (unknown)" BY, " from a.example (a.example [192.0.2.7 ])" BY, " from a.example (192.0.2.7:25)" BY,
	" from a.example ([192.0.2.7]:)" BY, " from a.example ([192.0.2.7]:123456)" BY, " from a.example ([192.0.2.7]x)" BY,
	" from a.example ([192.0.2.7] said so)" BY, " from a.example (a b [192.0.2.7])" BY, " from a.example (192.0.2.7%1)" BY,
	/* not whole, not alone, or something between */
	" from a.example (a.example [192.0.2.7]) (b.example [192.0.2.8])" BY,
	" from a.example (a.example [192.0.2.7]) (whatever)" BY,
	" from a.example (using TLS) (a.example [192.0.2.7])" BY,
	" from a.example (a.example [192.0.2.7]) (using x [192.0.2.8])" BY,
	" from a.example ([192.0.2.7]) (HELO b.example)" BY,
	" from a.example (HELO b) (HELO c) (192.0.2.7)" BY,
	" from a.example (a.example [192.0.2.7]) x" BY,
	" from a.example (a.example [192.0.2.7])" BY " x y (1.2.3.4)",
	" from a.example (a.example [192.0.2.7])" BY ";" ,
	" from \"a.example\" (a.example [192.0.2.7])" BY,
	" from a.example (a.example [192.0.2.7]\\)" BY,
	" from a.example ([192.0.2.7])\n\tby relay.example.net with esmtp (Exim 4.96)\n\t(envelope-from <\"x<\"@a.example>) id 1" DATE,
	" from a.example ([192.0.2.7])\n\tby relay.example.net with esmtp (Exim 4.96)\n\t(envelope-from <x) id 1" DATE,
	" from a.example ([192.0.2.7]) by relay.example.net with ESMTP id 1 id 2" DATE,
	" from a.example ([192.0.2.7]) by relay.example.net with ESMTP for <a@x> for <b@x>" DATE,
	" from a.example ((a.example [192.0.2.7]))" BY,
	" from a.example (((((((((a.example [192.0.2.7])))))))))" BY,
	" from a.example (a.example [192.0.2.7]" BY,
	" from a\x01.example (a.example [192.0.2.7])" BY,
	" from a.example (a.example [192.0.2.7])" BY " \x7f",
	" from a.example (a) (b) (c) (d) (e) (f) (g) (h) (i) ([192.0.2.7])" BY,
};

START_TEST(what_has_another_form_is_not_read)
{
	struct mxw__received r;

	mxw__received_parse(bad[_i], &r);
	ck_assert_msg(r.kind == MXW__RECEIVED_UNREADABLE, "%s", bad[_i]);
	ck_assert_int_eq(r.address.family, 0);
}
END_TEST

START_TEST(a_long_field_is_not_read_and_long_words_are_cut)
{
	static char value[20000];
	struct mxw__received r;

	char helo[601];
	memset(helo, 'x', sizeof helo - 1);
	helo[sizeof helo - 1] = '\0';
	received_form_fill(value, sizeof value, &received_forms[0], helo);
	mxw__received_parse(value, &r);
	ck_assert_int_eq(r.kind, MXW__RECEIVED_CLIENT);
	ck_assert_uint_eq(strlen(r.helo), MXW__RECEIVED_NAME_MAX);
	snprintf(value, sizeof value, " from %*s ([192.0.2.7])" BY, 10000, "x");
	mxw__received_parse(value, &r);
	ck_assert_int_eq(r.kind, MXW__RECEIVED_UNREADABLE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("received");
	TCase *tc = tcase_create("received");

	tcase_add_loop_test(tc, each_servers_form_is_read, 0, MXW_ARRAY_LEN(received_forms));
	tcase_add_loop_test(tc, an_address_at_helo_is_not_the_clients, 0, MXW_ARRAY_LEN(received_forms));
	tcase_add_loop_test(tc, no_helo_name_passes_for_the_servers_word, 0, MXW_ARRAY_LEN(received_forms));
	tcase_add_loop_test(tc, more_forms_are_read, 0, MXW_ARRAY_LEN(good));
	tcase_add_test(tc, qmails_note_of_its_queue_leads_to_the_next_field);
	tcase_add_loop_test(tc, what_has_another_form_is_not_read, 0, MXW_ARRAY_LEN(bad));
	tcase_add_test(tc, a_long_field_is_not_read_and_long_words_are_cut);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
