/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/mail/from.h"
#include "src/mail/smuggle.h"
#include "t/fakes/suite.h"

static mxw__arena_t *arena;

static void setup(void)
{
	arena = mxw__arena_new(1 << 20);
}

static void teardown(void)
{
	mxw__arena_free(arena);
}

/* In the order of the bits. */
static const char *const flaw_words[] = {
	"repeated", "empty", "group", "addresses", "encoded", "control", "quotes", "brackets", "comment", "route", "long",
	"line-ends", "utf8", "syntax", "name",
};

static const char *const kinds[] = {"valid", "missing", "invalid", "several", "ambiguous"};

static void flaws_to_text(unsigned flaws, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < MXW_ARRAY_LEN(flaw_words); i++)
		if (flaws & 1u << i)
			snprintf(out + strlen(out), size - strlen(out), "%s%s", *out ? " " : "", flaw_words[i]);
}

#define VALID     MXW__FROM_VALID
#define INVALID   MXW__FROM_INVALID
#define SEVERAL   MXW__FROM_SEVERAL
#define AMBIGUOUS MXW__FROM_AMBIGUOUS

struct row {
	const char *value;
	mxw__from_kind_t kind;
	const char *author;      /* an address, or "@domain" where there is only that; NULL: neither */
	const char *flaws;       /* NULL: whatever they are */
};

static void check_row(const char *const *values, size_t n, const struct row *row)
{
	struct mxw__from from;
	char flaws[256], author[1024];

	ck_assert_int_eq(mxw__from_read(arena, values, n, &from), MXW_OK);
	flaws_to_text(from.flaws, flaws, sizeof flaws);
	snprintf(author, sizeof author, "%s%s", *from.address ? from.address : *from.domain ? "@" : "",
		 *from.address ? "" : from.domain);
	ck_assert_msg(from.kind == row->kind, "<<%s>>: %s, not %s (%s; %s)", values[0], kinds[from.kind], kinds[row->kind],
		      author, flaws);
	ck_assert_msg(strcmp(author, row->author ? row->author : "") == 0, "<<%s>>: author %s", values[0], author);
	ck_assert_msg(!row->flaws || strcmp(flaws, row->flaws) == 0, "<<%s>>: flaws %s", values[0], flaws);
	if (*from.address)
		ck_assert_msg(strcmp(from.domain, strrchr(from.address, '@') + 1) == 0, "<<%s>>", values[0]);
}

/* As programs, lists, forms and ticket systems write it; none of these may be several or ambiguous. */
static const struct row honest[] = {
	{" Anna <anna@example.org\\>", VALID, "@example.org", NULL},
	/* A wide space, and a family of three. */
	{" Sale@\xe6\xa5\xbd\xe5\xa4\xa9\xe3\x80\x80\xe5\xb8\x82\xe5\xa0\xb4.\xe5\xba\x97 <anna@example.org>", VALID, "anna@example.org",
	 NULL},
	{" Sale@\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 <anna@example.org>", VALID, "anna@example.org",
	 NULL},
	{" anna@example.org", VALID, "anna@example.org", ""},
	{" <anna@example.org>", VALID, "anna@example.org", ""},
	{"<anna@example.org>", VALID, "anna@example.org", ""},
	{" Anna Berg <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"Anna Berg\" <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"Berg, Anna\" <anna@example.org>", VALID, "anna@example.org", ""},
	{" anna@example.org (Anna Berg)", VALID, "anna@example.org", ""},
	{" Anna Berg <anna@example.org> (office)", VALID, "anna@example.org", ""},
	{" Anna (the boss) Berg <anna@example.org>", VALID, "anna@example.org", ""},
	{" Anna B. Berg <anna@example.org>", VALID, "anna@example.org", ""},
	{" J. R. R. Berg <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"Anna\" \"Berg\" <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"\" <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"Anna Berg\"\r\n <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"Anna Berg\"\n\t<anna@example.org>", VALID, "anna@example.org", ""},
	{"\r\n Anna\r\n Berg\r\n <anna@example.org>\r\n ", VALID, "anna@example.org", ""},
	{" Anna<anna@example.org>", VALID, "anna@example.org", ""},
	{" Anna <Anna@EXAMPLE.org>", VALID, "Anna@example.org", ""},
	{" =?utf-8?q?J=C3=BCrgen?= <j@example.org>", VALID, "j@example.org", ""},
	{" =?utf-8?q?" "?= <j@example.org>", VALID, "j@example.org", ""},
	{" =?utf-8?q?" "?=", INVALID, NULL, "syntax"},
	{" =?UTF-8?B?SsO8cmdlbg==?= =?UTF-8?B?IEJlcmc=?= <j@example.org>", VALID, "j@example.org", ""},
	{" =?iso-8859-1?Q?J=FCrgen_Berg,_Firma?= <j@example.org>", VALID, "j@example.org", "syntax"},
	{" \"=?utf-8?q?J=C3=BCrgen?=\" <j@example.org>", VALID, "j@example.org", ""},
	{" J\xc3\xbcrgen Berg <j@example.org>", VALID, "j@example.org", ""},
	{" \"J\xc3\xbcrgen Berg\" <j\xc3\xbcrgen@b\xc3\xbc" "cher.example>", VALID, "j\xc3\xbcrgen@xn--bcher-kva.example", ""},
	{" \xe5\xb1\xb1\xe7\x94\xb0 <yamada@example.jp>", VALID, "yamada@example.jp", ""},
	/* Lists and ticket systems. */
	{" \"anna@example.org via List\" <list@lists.example.net>", VALID, "list@lists.example.net", "name"},
	{" \"'anna@example.org' via Group\" <group@example.net>", VALID, "group@example.net", "name"},
	{" 'Anna Berg' via Group <group@example.net>", VALID, "group@example.net", ""},
	{" \"'Anna Berg' via Group\" <group@example.net>", VALID, "group@example.net", ""},
	{" Anna Berg via Mailop <mailop@lists.example.net>", VALID, "mailop@lists.example.net", ""},
	{" Anna Berg via discuss <discuss=40lists.example.net@dmarc.lists.example.net>", VALID,
	 "discuss=40lists.example.net@dmarc.lists.example.net", ""},
	{" anna=40example.org@dmarc.lists.example.net", VALID, "anna=40example.org@dmarc.lists.example.net", ""},
	{" \"Anna Berg (JIRA)\" <jira@example.net>", VALID, "jira@example.net", ""},
	{" \"anna@example.org (via tickets)\" <tickets@example.net>", VALID, "tickets@example.net", "name"},
	{" =?utf-8?q?anna=40example=2Eorg_via_Liste?= <list@lists.example.net>", VALID, "list@lists.example.net", "name"},
	{" =?utf-8?B?YW5uYUBleGFtcGxlLm9yZw==?= <list@lists.example.net>", VALID, "list@lists.example.net", "name"},
	{" \"anna@example.org\" <list@lists.example.net>", VALID, "list@lists.example.net", "name"},
	{" \"anna@example.org\" <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"'anna@example.org'\" <anna@example.org>", VALID, "anna@example.org", ""},
	{" Anna Berg (anna@example.org) <list@lists.example.net>", VALID, "list@lists.example.net", "name"},
	{" list@lists.example.net (anna@example.org via List)", VALID, "list@lists.example.net", "name"},
	{" \"\\\"Example, Inc.\\\"\" <orders@example.org>", VALID, "orders@example.org", ""},
	{" \"\\\"Anna\\\" Berg\" <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"Anna \\\\ Berg\" <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"Example (Support)\" <support@example.org>", VALID, "support@example.org", ""},
	{" \"Example: news; offers\" <news@example.org>", VALID, "news@example.org", ""},
	{" \"<< News >>\" <news@example.org>", VALID, "news@example.org", ""},
	{" \"anna@example.org <anna@example.org>\" <anna@example.org>", VALID, "anna@example.org", ""},
	{" \"Anna <anna@example.org> via List\" <list@lists.example.net>", VALID, "list@lists.example.net", "name"},
	{" \"Sales @ Example.org\" <news@example.com>", VALID, "news@example.com", ""},
	{" bounces+anna=example.org@mail.example.net", VALID, "bounces+anna=example.org@mail.example.net", ""},
	{" \"anna berg\"@example.org", VALID, "\"anna berg\"@example.org", ""},
	{" Anna <\"anna.berg\"@example.org>", VALID, "anna.berg@example.org", ""},
	{" Mail Delivery System <MAILER-DAEMON@mx.example.org>", VALID, "MAILER-DAEMON@mx.example.org", ""},
	{" MAILER-DAEMON@mx.example.org (Mail Delivery System)", VALID, "MAILER-DAEMON@mx.example.org", ""},
	{" root@host.example.org (Cron Daemon)", VALID, "root@host.example.org", ""},
	{" \"(Cron Daemon)\" <root@host.example.org>", VALID, "root@host.example.org", ""},
	{" root@localhost", VALID, "root@localhost", ""},
	{" anna@[192.0.2.1]", VALID, "anna@[192.0.2.1]", ""},
	{" Anna <anna@[IPv6:2001:db8::1]>", VALID, "anna@[ipv6:2001:db8::1]", ""},
	{" anna+tag@sub.example.co.uk", VALID, "anna+tag@sub.example.co.uk", ""},
	{" anna@xn--bcher-kva.example", VALID, "anna@xn--bcher-kva.example", ""},
	{" \"no-reply@example.org\" <no-reply@mail.example.org>", VALID, "no-reply@mail.example.org", ""},
	/* Against the syntax, and read in one way by all. */
	{" Berg, Anna <anna@example.org>", VALID, "anna@example.org", "syntax"},
	{" Example: Support <support@example.org>", VALID, "support@example.org", "group syntax"},
	{" Example [Support] <support@example.org>", VALID, "support@example.org", "syntax"},
	{" anna@example.org <anna@example.org>", VALID, "anna@example.org", "syntax"},
	{" anna@mail.example.org <anna@example.org>", VALID, "anna@example.org", "addresses syntax"},
	{" 'anna@example.org' <anna@example.org>", VALID, "anna@example.org", "syntax"},
	{" Anna Berg <anna@example.org", VALID, "anna@example.org", "brackets syntax"},
	{" anna@example.org>", VALID, "anna@example.org", "brackets syntax"},
	{" Anna Berg anna@example.org>", VALID, "anna@example.org", "brackets syntax"},
	{" Anna Berg anna@example.org", VALID, "anna@example.org", "syntax"},
	{" Anna Berg [anna@example.org]", VALID, "anna@example.org", "syntax"},
	{" \"anna@example.org\"", VALID, "@example.org", "syntax"},
	{" =?utf-8?q?anna=40example=2Eorg?=", VALID, "@example.org", "encoded syntax"},
	{" <<anna@example.org>>", VALID, "anna@example.org", "empty brackets syntax"},
	{" \"Anna Berg <anna@example.org>", VALID, "anna@example.org", "quotes syntax"},
	{" Anna \"Berg\" B\" <anna@example.org>", VALID, "anna@example.org", "quotes syntax"},
	{" Anna (Berg <anna@example.org>", VALID, "anna@example.org", "comment syntax"},
	{" Anna :) <anna@example.org>", VALID, "anna@example.org", "group syntax"},
	{" Anna <anna@example.org>;", VALID, "anna@example.org", "syntax"},
	{" <anna@example.org>,", VALID, "anna@example.org", ""},
	{" Anna <anna@example.org> via Example", VALID, "anna@example.org", "syntax"},
	{" Anna <mailto:anna@example.org>", VALID, "anna@example.org", "syntax"},
	{" Anna <anna@example.org.>", VALID, "anna@example.org", "syntax"},
	{" anna..berg.@example.org", VALID, "anna..berg.@example.org", "syntax"},
	{" Anna <anna berg@example.org>", VALID, "@example.org", "syntax"},
	{" Anna <Berg> <anna@example.org>", VALID, "anna@example.org", "syntax"},
	{" @anna on Example <news@example.org>", VALID, "news@example.org", "syntax"},
	{" Anna@Work <anna@example.org>", VALID, "anna@example.org", "syntax"},
	{" Caf\xe9 Berg <cafe@example.org>", VALID, "cafe@example.org", "utf8"},
	{" Sales Team @ Example.com <news@example.org>", VALID, "news@example.org", "syntax"},
	{" Anna Berg anna@example.org <form@example.org>", VALID, "form@example.org", "syntax"},
	{" \"Anna Berg\", <anna@example.org>", VALID, "anna@example.org", "syntax"},
	{" \"Anna Berg\" anna@example.org", VALID, "anna@example.org", "syntax"},
	{" Anna Berg, anna@example.org", VALID, "anna@example.org", "syntax"},
	{" anna@example.org, berg@example.org", VALID, "@example.org", "addresses"},
	{" Anna <anna@example.org>, Berg <berg@example.org>", VALID, "@example.org", "addresses"},
	{" anna@example.org; berg@example.org", VALID, "@example.org", "addresses syntax"},
	{" \"<anna@example.net>\\\"\" <list@example.org>", VALID, "list@example.org", "name"},
	{" Staff: anna@example.org;", VALID, "anna@example.org", "group"},
	{" Staff: anna@example.org, berg@example.org;", VALID, "@example.org", "group addresses"},
	{" anna(the boss)@example.org", VALID, "anna@example.org", "comment"},
	{" <anna@example\r\n .org>", VALID, "anna@example.org", ""},
	{" <anna@example\n .org", VALID, "@example.org", "brackets syntax"},
	{" anna @ example . org", VALID, "anna@example.org", ""},
	{" <@relay.example.org:anna@example.org>", VALID, "anna@example.org", "route"},
	{" host.example!anna@example.org", VALID, "host.example!anna@example.org", "route"},
	{" anna%host.example@example.org", VALID, "anna%host.example@example.org", "route"},
	/* Nobody in particular. */
	{"", INVALID, NULL, "empty"},
	{" ", INVALID, NULL, "empty"},
	{" <>", INVALID, NULL, "empty syntax"},
	{" \"Mail Delivery System\" <>", INVALID, NULL, "empty syntax"},
	{" (nobody)", INVALID, NULL, "empty"},
	{" ,", INVALID, NULL, "empty"},
	{" undisclosed:;", INVALID, NULL, "empty group"},
	{" =?utf-8?q?J=C3=BCrgen?= :;", INVALID, NULL, "empty group"},
	{" MAILER-DAEMON", INVALID, NULL, "syntax"},
	{" root", INVALID, NULL, "syntax"},
	{" Anna Berg", INVALID, NULL, "syntax"},
	{" anna@", INVALID, NULL, "syntax"},
	{" @example.org", INVALID, NULL, "syntax"},
	{" anna@exa$mple.org", INVALID, NULL, "syntax"},
	{" <anna@example..org>", INVALID, NULL, "syntax"},
	{" <anna at example dot org>", INVALID, NULL, "syntax"},
};

START_TEST(honest_fields_have_an_author)
{
	check_row(&honest[_i].value, 1, &honest[_i]);
}
END_TEST

#define ATTACK "x@attack.example"
#define LEGIT  "ceo@legit.example"

/* "Composition Kills" and others: somebody is checked, and somebody else is shown. */
#define UNSEEN "\xe2\x80\x8d"
#define UNSEEN_10 UNSEEN UNSEEN UNSEEN UNSEEN UNSEEN UNSEEN UNSEEN UNSEEN UNSEEN UNSEEN
#define UNSEEN_100 UNSEEN_10 UNSEEN_10 UNSEEN_10 UNSEEN_10 UNSEEN_10 UNSEEN_10 UNSEEN_10 UNSEEN_10 UNSEEN_10 UNSEEN_10
static const struct row forged[] = {
	{" <" ATTACK ">, <" LEGIT ">", SEVERAL, NULL, "addresses"},
	{" " LEGIT ", <" ATTACK ">", SEVERAL, NULL, "addresses"},
	{" <" ATTACK ">, " LEGIT, SEVERAL, NULL, "addresses"},
	{" a@one.legit.example, b@two.legit.example", SEVERAL, NULL, "addresses"},
	{" Staff: " LEGIT ", " ATTACK ";", SEVERAL, NULL, "group addresses"},
	{" One: " LEGIT ";, Two: " ATTACK ";", SEVERAL, NULL, "group addresses"},
	{" <" ATTACK "> <" LEGIT ">", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK "><" LEGIT ">", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK ">" LEGIT, AMBIGUOUS, NULL, NULL},
	{" <" ATTACK "> " LEGIT, AMBIGUOUS, NULL, NULL},
	{" " LEGIT " <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" " LEGIT "<" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" " LEGIT " via form <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" " LEGIT " (x) <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" ceo @ legit.example <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"ceo\"@legit.example <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" " LEGIT "; " ATTACK, AMBIGUOUS, NULL, NULL},
	{" " LEGIT " " ATTACK, AMBIGUOUS, NULL, NULL},
	{" <" LEGIT ">\\,<" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"a\\\" <" LEGIT ">, \"b\" <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"<" LEGIT "> <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"" LEGIT " <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"x <" ATTACK ">\" <" LEGIT ">\"", AMBIGUOUS, NULL, NULL},
	{" (<" LEGIT ">) <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK "(><" LEGIT ">)>", AMBIGUOUS, NULL, NULL},
	{" (\\) <" LEGIT ">) <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" (" LEGIT " <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" <ceo@legit.example(@attack.example)>", AMBIGUOUS, NULL, NULL},
	{" <ceo@legit.example@attack.example>", AMBIGUOUS, NULL, NULL},
	{" ceo@legit.example@attack.example", AMBIGUOUS, NULL, NULL},
	{" \"ceo@legit.example\"@attack.example", AMBIGUOUS, NULL, NULL},
	{" <\"" LEGIT "\"@attack.example>", AMBIGUOUS, NULL, NULL},
	{" \"Ceo <" LEGIT ">\"@attack.example", AMBIGUOUS, NULL, NULL},
	{" <@attack.example,@other.example:" LEGIT ">", AMBIGUOUS, NULL, NULL},
	{" <@legit.example:" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" " LEGIT ": " ATTACK ";", AMBIGUOUS, NULL, NULL},
	{" =?utf-8?B?PGNlb0BsZWdpdC5leGFtcGxlPg==?=,<" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" =?utf-8?B?PGNlb0BsZWdpdC5leGFtcGxlPg==?= <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" =?utf-8?Q?ceo=40legit=2Eexample?=, <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" =?utf-8?Q?ceo=40legit=2Eexample=2C?= <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" =?utf-8?Q?=3Cceo=40legit?= =?utf-8?Q?=2Eexample=3E?= <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"=?utf-8?Q?=22_=3Cceo=40legit=2Eexample=3E?=\" <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" =?utf-16be?B?ADwAYwBlAG8AQABsAGUAZwBpAHQALgBlAHgAYQBtAHAAbABlAD4=?= <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" <=?utf-8?Q?ceo=40legit=2Eexample?=> <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK "\x01.legit.example>", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK "\r\n .legit.example>", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK ".\r\n legit.example>", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK " legit.example>", VALID, "@attack.example", "brackets syntax"},
	{" x@attack.example\x01.legit.example", AMBIGUOUS, NULL, NULL},
	{" " ATTACK "\rFrom: " LEGIT, AMBIGUOUS, NULL, NULL},
	{" " ATTACK "\nFrom: " LEGIT, AMBIGUOUS, NULL, NULL},
	{" <" ATTACK " <" LEGIT ">", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK ", " LEGIT ">", AMBIGUOUS, NULL, NULL},
	{" ," LEGIT " <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" Anna " LEGIT " <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" List of " LEGIT " via form <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"" LEGIT "\", <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"" LEGIT "\"] <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"" LEGIT "\"><" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" \"" LEGIT "\" (<" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" =?utf-8?Q?ceo=40legit=2Eexample?=\\ <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK "> \"" LEGIT "\"", AMBIGUOUS, NULL, NULL},
	{" Anna\"" LEGIT "\"@ attack.example", AMBIGUOUS, NULL, NULL},
	{" <" ATTACK ">Ceo  @legit.example", AMBIGUOUS, NULL, NULL},
	{" \"\"" LEGIT "<" ATTACK ">", AMBIGUOUS, NULL, NULL},
	{" Ceo, " LEGIT " <" ATTACK ">", AMBIGUOUS, NULL, NULL},
	/* Characters that nobody sees. */
	{" a@exam\xe2\x80\x8c" "ple.net", VALID, "a@example.net", "control"},
	{" Anna <a@exam\xe2\x80\x8d" "ple.net>", VALID, "a@example.net", "control"},
	{" a@exam\xe2\x80\xae" "ple.net", VALID, "a@example.net", "control"},
	{" <a@\xe2\x80\x8f" "example.net>", VALID, "a@example.net", "control"},
	{" a@example.net\xc2\xa0", VALID, "a@example.net", "control"},
	{" a@ex\xe3\x85\xa4" "ample.net", VALID, "a@example.net", "control"},
	{" a@legit\x07.example", AMBIGUOUS, NULL, NULL},
	{" Anna <a@legit\\.example>", AMBIGUOUS, NULL, NULL},
	{" a@le\\git.example", AMBIGUOUS, NULL, NULL},
	{" a@example." UNSEEN_100 "net", AMBIGUOUS, NULL, NULL},
};

START_TEST(forged_fields_are_found_out)
{
	check_row(&forged[_i].value, 1, &forged[_i]);
}
END_TEST

static const struct {
	const char *values[4];
	struct row row;
} fields[] = {
	{{" " ATTACK, " " LEGIT}, {NULL, SEVERAL, NULL, "repeated addresses"}},
	{{" " ATTACK, "", " " LEGIT}, {NULL, SEVERAL, NULL, NULL}},
	{{" " ATTACK, " \"" LEGIT}, {NULL, AMBIGUOUS, NULL, NULL}},
	{{" anna@example.org", " anna@example.org"}, {NULL, VALID, "anna@example.org", "repeated"}},
	{{" Anna <anna@example.org>", " anna@example.org"}, {NULL, VALID, "anna@example.org", "repeated"}},
	{{" anna@example.org", " berg@example.org"}, {NULL, VALID, "@example.org", "repeated addresses"}},
	{{" anna@example.org", ""}, {NULL, VALID, "anna@example.org", "repeated empty"}},
	{{"", " anna@example.org"}, {NULL, VALID, "anna@example.org", "repeated empty"}},
	{{" anna@example.org", " Anna"}, {NULL, VALID, "anna@example.org", "repeated syntax"}},
	{{" a@one.legit.example", " b@two.legit.example"}, {NULL, SEVERAL, NULL, NULL}},
	{{" a@one.legit.example", " \"b@two.legit.example"}, {NULL, SEVERAL, NULL, NULL}},
	{{" Anna", " Berg"}, {NULL, INVALID, NULL, "repeated syntax"}},
};

START_TEST(several_fields_are_one_author_at_most)
{
	size_t n = 0;

	while (fields[_i].values[n])
		n++;
	check_row(fields[_i].values, n, &fields[_i].row);
}
END_TEST

START_TEST(no_field_is_missing)
{
	struct mxw__from from;

	ck_assert_int_eq(mxw__from_read(arena, NULL, 0, &from), MXW_OK);
	ck_assert_int_eq(from.kind, MXW__FROM_MISSING);
	ck_assert_uint_eq(from.flaws, 0);
	ck_assert_uint_eq(from.ndomains, 0);
}
END_TEST

/* What parsers have choked on, again and again up to a megabyte. */
static const char *const nasty[] = {
	"(", ")", "((", "(\\", "\"", "\"\\", "<", ">", "<\"", "<>", "@", "@ ", "@a", "a@", "a@b.c", "a@b.c,", "<a@b.c>", "<a@b.c>,", "<@a:",
	"=?", "=?a?q?", "=?a?q?a?=", "=?a?b?YUBiLmM=?=", "=?a?q?=40?= ", "\\", "\r", "\n", "\r\n ", " ", "\t(", "\x01", ".", "a.", "a@a.", "@.",
	". ", "a:", "a:;", ";", ",", "[", "a@[", "\xc3\xbc", "a@\xc3\xbc.\xc3\xbc,", "\xef\xbc\xa0", "\xff", "\"a@b.c\"@", "(a@b.c)", "<a <b@c.d",
	"a@b.c <", "a@1.b,a@2.c,a@3.d,", "<a@b\x01c.d>", "a@b. c. d. ",
};

/* Sanitizers count each step, and take ten times as long. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SECONDS_AT_MOST 10.0
#else
#define SECONDS_AT_MOST 1.0
#endif

START_TEST(a_megabyte_takes_no_second)
{
	size_t size = MXW__FROM_OCTETS - 2, len = strlen(nasty[_i]);
	char *value = malloc(size + 1);
	struct mxw__from from;

	ck_assert_ptr_nonnull(value);
	for (size_t i = 0; i < size; i++)
		value[i] = nasty[_i][i % len];
	value[size] = '\0';
	for (int n = 0; n < 3; n++) {
		clock_t began = clock();
		ck_assert_int_eq(mxw__from_read(arena, (const char *const *)&value, 1, &from), MXW_OK);
		double s = (double)(clock() - began) / CLOCKS_PER_SEC;
		ck_assert_msg(s < SECONDS_AT_MOST, "<<%s>>: %.3f s", nasty[_i], s);
		ck_assert(from.flaws & MXW__FROM_LONG);
		/* The same between quotes, and in a comment. */
		value[0] = n == 0 ? '"' : '(';
		value[size - 1] = n == 0 ? '"' : ')';
	}
	free(value);
}
END_TEST

START_TEST(too_much_is_ambiguous_without_a_look)
{
	size_t size = MXW__FROM_OCTETS + 1;
	char *value = malloc(size + 1);
	struct mxw__from from;

	ck_assert_ptr_nonnull(value);
	memset(value, ' ', size);
	value[size] = '\0';
	memcpy(value, "anna@example.org", 16);
	ck_assert_int_eq(mxw__from_read(arena, (const char *const *)&value, 1, &from), MXW_OK);
	ck_assert_int_eq(from.kind, MXW__FROM_AMBIGUOUS);
	ck_assert(from.flaws & MXW__FROM_LONG);
	free(value);
}
END_TEST

START_TEST(a_full_arena_says_nothing)
{
	mxw__arena_t *small = mxw__arena_new(8);
	const char *value = " anna@example.org";
	struct mxw__from from = {.kind = MXW__FROM_INVALID};

	ck_assert_int_eq(mxw__from_read(small, &value, 1, &from), MXW_ERR_LIMIT);
	ck_assert_int_eq(from.kind, MXW__FROM_INVALID);
	mxw__arena_free(small);
}
END_TEST

static const struct {
	const char *domain, *org;
} orgs[] = {
	{"example.org", "example.org"}, {"mx.example.org", "example.org"}, {"a.b.c.example.org", "example.org"},
	{"example.co.uk", "example.co.uk"}, {"mx.example.co.uk", "example.co.uk"}, {"co.uk", "co.uk"}, {"uk", "uk"},
	{"com", "com"}, {"localhost", "localhost"}, {"example.com", "example.com"}, {"x.com", "x.com"},
	/* *.ck and !www.ck */
	{"bar.ck", "bar.ck"}, {"foo.bar.ck", "foo.bar.ck"}, {"baz.foo.bar.ck", "foo.bar.ck"}, {"www.ck", "www.ck"},
	{"mx.www.ck", "www.ck"},
	{"user.github.io", "user.github.io"}, {"a.user.github.io", "user.github.io"},
	/* Not in the list. */
	{"mx.example.nosuchtld", "example.nosuchtld"},
	{"b\xc3\xbc" "cher.de", "xn--bcher-kva.de"}, {"MX.B\xc3\x9c" "CHER.DE", "xn--bcher-kva.de"},
	{"mx.xn--bcher-kva.de", "xn--bcher-kva.de"}, {"xn--55qx5d.cn", "xn--55qx5d.cn"},
	{"a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn"}, {"a.b.\xe5\x85\xac\xe5\x8f\xb8.cn", "b.xn--55qx5d.cn"},
	{"Mx.EXAMPLE.Co.UK", "example.co.uk"}, {"mx.example.org.", "example.org"}, {"MX.Example.Org.", "example.org"},
	{"[192.0.2.1]", "[192.0.2.1]"}, {"[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"}, {"192.0.2.1", "192.0.2.1"},
	{"", ""}, {".", "."}, {"a..b", "a..b"}, {"..", ".."},
};

START_TEST(a_domain_belongs_to_an_organisation)
{
	char org[MXW__DOMAIN_MAX + 1];

	mxw__org_domain(orgs[_i].domain, org);
	ck_assert_str_eq(org, orgs[_i].org);
	ck_assert_int_eq(mxw__same_org_domain(orgs[_i].domain, orgs[_i].org), *orgs[_i].domain != '\0');
	/* In place. */
	snprintf(org, sizeof org, "%s", orgs[_i].domain);
	mxw__org_domain(org, org);
	ck_assert_str_eq(org, orgs[_i].org);
}
END_TEST

START_TEST(names_that_nobody_gives_out_have_no_public_suffix)
{
	ck_assert(mxw__has_public_suffix("mx.example.co.uk"));
	ck_assert(mxw__has_public_suffix("example.com"));
	ck_assert(!mxw__has_public_suffix("macbook.local"));
	ck_assert(!mxw__has_public_suffix("printer.lan"));
	ck_assert(!mxw__has_public_suffix("localhost.localdomain"));
	ck_assert(!mxw__has_public_suffix("pc.corp.internal"));
	ck_assert(!mxw__has_public_suffix("x.example"));
	ck_assert(!mxw__has_public_suffix("192.0.2.1"));
	ck_assert(!mxw__has_public_suffix(""));
}
END_TEST

START_TEST(organisations_differ)
{
	char name[400];

	ck_assert(!mxw__same_org_domain("a.co.uk", "b.co.uk"));
	ck_assert(!mxw__same_org_domain("x.com", "attacker.com"));
	ck_assert(!mxw__same_org_domain("foo.bar.ck", "baz.bar.ck"));
	ck_assert(!mxw__same_org_domain("com", "example.com"));
	ck_assert(mxw__same_org_domain("a.example.com", "b.EXAMPLE.com."));
	ck_assert(!mxw__same_org_domain("", ""));
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ck_assert(!mxw__same_org_domain(name, name));
}
END_TEST

#define ENVELOPE(end) "MAIL FROM:<a@x.example>" end "RCPT TO:<b@x.example>" end

static const struct {
	const char *text;
	size_t len;
	bool is_found;
} bodies[] = {
#define BODY(text, is_found) {text, sizeof(text) - 1, is_found}
	BODY("x\r\n.\r\n" ENVELOPE("\r\n") "DATA\r\n", true),
	BODY("x\n.\n" ENVELOPE("\n"), true),
	BODY("x\n.\r\n" ENVELOPE("\r\n"), true),
	BODY("x\r\n.\n" ENVELOPE("\r\n"), true),
	BODY("x\r.\r" ENVELOPE("\r"), true),
	BODY("x\r.\r\n" ENVELOPE("\r\n"), true),
	BODY("x\r\n.\r" ENVELOPE("\r\n"), true),
	BODY("x\r\n.\r\r\n" ENVELOPE("\r\r\n"), true),
	BODY("x\n\n.\n\n" ENVELOPE("\n\n"), true),
	BODY("x\r\n\0.\r\n" ENVELOPE("\r\n"), true),
	BODY("x\r\n.\0\r\n" ENVELOPE("\r\n"), true),
	BODY("x\r\n. \r\n" ENVELOPE("\r\n"), true),
	BODY("x\r\n\0\0.\0\r\0\n\0M\0AIL FROM:<>\r\nRCPT TO:<b>\r\n", true),
	BODY(".\r\n" ENVELOPE("\r\n"), true),
	BODY("\r\n.\r\n" ENVELOPE("\r\n"), true),
	BODY("x\r\n.\r\nehlo x\r\n" ENVELOPE("\r\n"), true),
	BODY("x\r\n.\r\nHELO a.very.long.name.of.some.host.example\r\nRSET\r\nnoop\r\n" ENVELOPE("\r\n"), true),
	BODY("x\r\n.\r\nmail from:<> SIZE=100000 BODY=8BITMIME\r\nrcpt to:<b>", true),
	BODY("x\r\n.\r\n.\r\n" ENVELOPE("\r\n"), true),
	BODY("x.\r\n..\r\n...\r\n.\r\n" ENVELOPE("\r\n"), true),
	BODY("a.b.c\r\n.\r\nx\r\n.\r\n" ENVELOPE("\r\n"), true),
	/* Honest, or at least nothing of the kind. */
	BODY("", false),
	BODY("x\r\n.\r\n", false),
	BODY("x.\r\n" ENVELOPE("\r\n"), false),
	BODY("x\r\n..\r\n" ENVELOPE("\r\n"), false),
	BODY("x\r\n.x\r\n" ENVELOPE("\r\n"), false),
	BODY("x\r\n .\r\n" ENVELOPE("\r\n"), false),
	BODY(ENVELOPE("\r\n") "DATA\r\n.\r\nQUIT\r\n", false),
	BODY("x\r\n.\r\ntext\r\n" ENVELOPE("\r\n"), false),
	BODY("x\r\n.\r\n250 Ok\r\nMAIL FROM:<a>\r\n250 Ok\r\nRCPT TO:<b>\r\n", false),
	BODY("x\r\n.\r\nMAIL FROM:<a>\r\n250 Ok\r\nRCPT TO:<b>\r\n", false),
	BODY("x\r\n.\r\nRCPT TO:<b>\r\nMAIL FROM:<a>\r\n", false),
	BODY("x\r\n.\r\nMAIL FROM:<a>\r\n.\r\nRCPT TO:<b>\r\n", false),
	BODY("+.\r\n+MAIL FROM:<a>\r\n+RCPT TO:<b>\r\n", false),
	BODY("> .\r\n> MAIL FROM:<a>\r\n> RCPT TO:<b>\r\n", false),
	BODY("C: .\r\nC: MAIL FROM:<a>\r\nC: RCPT TO:<b>\r\n", false),
	BODY("x\r\n.\r\nMAIL FROM: is a command, and\r\nRCPT TO: another.\r\n", true),
	BODY("x\r\n.\r\nMail from a friend\r\n", false),
	BODY("x\r\n.\r\nmail fro\r\nm:<a>\r\nrcpt to:<b>\r\n", false),
#undef BODY
};

/* However the body is cut: whole, in single octets, and at every place once. */
START_TEST(the_rest_of_a_smuggled_message_is_found)
{
	const unsigned char *text = (const unsigned char *)bodies[_i].text;
	size_t len = bodies[_i].len;

	for (size_t cut = 0; cut <= len; cut++) {
		struct mxw__smuggle s = {0};
		mxw__smuggle_scan(&s, text, cut);
		ck_assert_msg(mxw__smuggle_scan(&s, text + cut, len - cut) == bodies[_i].is_found, "%d, cut at %zu", _i, cut);
	}
	struct mxw__smuggle s = {0};
	for (size_t i = 0; i < len; i++)
		mxw__smuggle_scan(&s, text + i, 1);
	ck_assert_int_eq(s.is_found, bodies[_i].is_found);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("from");
	TCase *tc = tcase_create("from");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, honest_fields_have_an_author, 0, MXW_ARRAY_LEN(honest));
	tcase_add_loop_test(tc, forged_fields_are_found_out, 0, MXW_ARRAY_LEN(forged));
	tcase_add_loop_test(tc, several_fields_are_one_author_at_most, 0, MXW_ARRAY_LEN(fields));
	tcase_add_test(tc, no_field_is_missing);
	tcase_add_loop_test(tc, a_domain_belongs_to_an_organisation, 0, MXW_ARRAY_LEN(orgs));
	tcase_add_test(tc, organisations_differ);
	tcase_add_test(tc, names_that_nobody_gives_out_have_no_public_suffix);
	tcase_add_loop_test(tc, a_megabyte_takes_no_second, 0, MXW_ARRAY_LEN(nasty));
	tcase_add_test(tc, too_much_is_ambiguous_without_a_look);
	tcase_add_test(tc, a_full_arena_says_nothing);
	tcase_add_loop_test(tc, the_rest_of_a_smuggled_message_is_found, 0, MXW_ARRAY_LEN(bodies));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
