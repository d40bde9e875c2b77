/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/auth/authres.h"
#include "src/mail/authres_read.h"
#include "t/fakes/suite.h"

static mxw__arena_t *arena;

static void setup(void)
{
	arena = mxw__arena_new(1 << 18);
}

static void teardown(void)
{
	mxw__arena_free(arena);
}

/* As programs will read it: by the letter of the standard. */
static const char *reread(const char *field, struct mxw__authres *ret)
{
	ck_assert_ptr_nonnull(field);
	ck_assert_msg(mxw__authres_read(arena, field, strlen(field), MXW__AUTHRES_STRICT, ret) == MXW_OK, "%s", field);
	ck_assert_str_eq(ret->id, "mx.example.net");
	return field;
}

static const char *compose(const struct mxw__authres_input *in, struct mxw__authres *ret)
{
	return reread(mxw__authres_compose(arena, in), ret);
}

START_TEST(every_method_is_listed_in_the_standard_syntax)
{
	struct mxw__dkim_signature sigs[2] = {
		{.result = MXW__DKIM_PASS, .domain = "example.org", .selector = "k1", .algorithm = "rsa-sha256", .b8 = "AbC+/=12",
		 .identity = "@example.org"},
		{.result = MXW__DKIM_FAIL, .domain = "list.example", .selector = "s", .algorithm = "ed25519-sha256",
		 .identity = "bob@sub.list.example", .reason = "body hash (did not) verify"},
	};
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net", .auth_user = "anna", .iprev = "pass", .client = "2001:db8::1", .has_spf = true, .spf = MXW__SPF_SOFTFAIL,
		.sender = "bob@example.org", .has_spf_helo = true, .spf_helo = MXW__SPF_PERMERROR,
		.spf_helo_reason = "two records", .helo = "mail.example.org", .has_dkim = true, .signatures = sigs, .nsignatures = 2,
		.dmarc = "fail", .author_domain = "news.example.org", .dmarc_policy = "none", .dmarc_p = "reject",
		.dmarc_domain = "example.org", .arc = "pass", .arc_sealer = "list.example",
	};
	struct mxw__authres a;

	ck_assert_str_eq(compose(&in, &a),
			 " mx.example.net;\n"
			 "\tauth=pass smtp.auth=anna;\n"
			 "\tiprev=pass policy.iprev=\"2001:db8::1\";\n"
			 "\tspf=softfail smtp.mailfrom=bob@example.org;\n"
			 "\tspf=permerror reason=\"two records\" smtp.helo=mail.example.org;\n"
			 "\tdkim=pass header.d=example.org header.s=k1 header.a=rsa-sha256\n"
			 "\t\theader.b=\"AbC+/=12\";\n"
			 "\tdkim=fail reason=\"body hash (did not) verify\" header.d=list.example\n"
			 "\t\theader.s=s header.a=ed25519-sha256\n\t\theader.i=bob@sub.list.example;\n"
			 "\tdmarc=fail header.from=news.example.org policy.dmarc=none\n"
			 "\t\tpolrec.p=reject polrec.domain=example.org;\n"
			 "\tarc=pass reason=list.example smtp.remote-ip=\"2001:db8::1\"");
	ck_assert_uint_eq(a.nitems, 8);
}
END_TEST

START_TEST(a_null_sender_shows_the_helo_identity_once)
{
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net", .has_spf = true, .spf = MXW__SPF_PASS, .has_spf_helo = true, .spf_helo = MXW__SPF_PASS,
		.helo = "mail.example.org",
	};
	struct mxw__authres a;

	ck_assert_str_eq(compose(&in, &a), " mx.example.net;\n\tspf=pass smtp.helo=mail.example.org");
}
END_TEST

START_TEST(nothing_checked_is_said_as_none)
{
	struct mxw__authres_input in = {.authserv_id = "mx.example.net"};
	struct mxw__authres a;

	ck_assert_str_eq(compose(&in, &a), " mx.example.net; none");
	in.has_dkim = true;
	ck_assert_str_eq(compose(&in, &a), " mx.example.net;\n\tdkim=none");
}
END_TEST

/* What a peer gave as sender, and what the field says in an ordinary message and in an internationalised one; NULL: nothing. */
static const struct {
	const char *sender, *ascii, *utf8;
} senders[] = {
	{"a@b.example", "a@b.example", "a@b.example"},
	{"a.b+c@b.example", "a.b+c@b.example", "a.b+c@b.example"},
	{"prvs=1=u@b.example", "\"prvs=1=u@b.example\"", "\"prvs=1=u@b.example\""},
	{"\"a b\"@b.example", "\"\\\"a b\\\"@b.example\"", "\"\\\"a b\\\"@b.example\""},
	{"a;dkim=pass@b.example", "\"a;dkim=pass@b.example\"", "\"a;dkim=pass@b.example\""},
	{"a..b@b.example", "\"a..b@b.example\"", "\"a..b@b.example\""},
	{".a@b.example", "\".a@b.example\"", "\".a@b.example\""},
	{"a@[192.0.2.1]", "\"a@[192.0.2.1]\"", "\"a@[192.0.2.1]\""},
	{"a@b@c.example", "\"a@b@c.example\"", "\"a@b@c.example\""},
	{"(c)@b.example", "\"(c)@b.example\"", "\"(c)@b.example\""},
	{"j\xc3\xbcrg@b.example", "b.example", "j\xc3\xbcrg@b.example"},
	{"j\xc3\xbcrg@b\xc3\xbc" "cher.example", "xn--bcher-kva.example", "\"j\xc3\xbcrg@b\xc3\xbc" "cher.example\""},
	{"\xff@b.example", "b.example", "b.example"},
	{"a\r\nX: y@b.example", "b.example", "b.example"},
	{"a\x01@b.example", "b.example", "b.example"},
	{"a@\xff.example", NULL, NULL},
	{"\xc3\xbc", NULL, "\xc3\xbc"},
	{"postmaster", "postmaster", "postmaster"},
};

START_TEST(a_sender_stands_as_it_is_or_not_at_all)
{
	for (int is_utf8 = 0; is_utf8 < 2; is_utf8++) {
		struct mxw__authres_input in = {
			.authserv_id = "mx.example.net", .is_utf8 = is_utf8, .has_spf = true, .spf = MXW__SPF_PASS, .sender = senders[_i].sender,
		};
		const char *wanted = is_utf8 ? senders[_i].utf8 : senders[_i].ascii;
		struct mxw__authres a;
		char text[300];

		snprintf(text, sizeof text, " mx.example.net;\n\tspf=pass%s%s", wanted ? " smtp.mailfrom=" : "", wanted ? wanted : "");
		ck_assert_str_eq(compose(&in, &a), text);
		ck_assert_uint_eq(a.nitems, 1);
	}
}
END_TEST

/* Names of hosts and signers are in A-labels where they have any, in any message. */
START_TEST(names_beyond_ascii_are_in_a_labels)
{
	struct mxw__dkim_signature sig = {
		.result = MXW__DKIM_PASS, .domain = "b\xc3\xbc" "cher.example", .selector = "s\xc3\xbc",
		.identity = "j\xc3\xbcrg@b\xc3\xbc" "cher.example",
	};
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net", .has_spf = true, .helo = "b\xc3\xbc" "cher.example", .has_dkim = true, .signatures = &sig, .nsignatures = 1,
	};
	struct mxw__authres a;

	ck_assert_str_eq(compose(&in, &a), " mx.example.net;\n\tspf=none smtp.helo=xn--bcher-kva.example;\n"
			 "\tdkim=pass header.d=xn--bcher-kva.example header.s=xn--s-eha\n"
			 "\t\theader.i=xn--bcher-kva.example");
	in.is_utf8 = true;
	ck_assert_ptr_nonnull(strstr(compose(&in, &a), "header.i=\"j\xc3\xbcrg@b\xc3\xbc" "cher.example\""));
}
END_TEST

/* Each of these in each place where a peer's words come to stand. */
static const char *const injections[] = {
	"x; dmarc=pass", "x\"; dmarc=pass", "x\\", "\"", "\\\"; dmarc=pass", "(", ")", "x) dmarc=pass (", "x\r\n dmarc=pass",
	"x\n\nbody", "x\tdmarc=pass", "x;", " ", "=", "@", "@;dmarc=pass", "a@", ".", "x\x7f", "x\x1b[0m", "<x>", "x,y", "\xc3\xbc;",
	"\xc2\x85", "\xe2\x80\xa8; dmarc=pass", "\xc3",
};

START_TEST(a_peer_cannot_inject_a_result)
{
	const char *evil = injections[_i];
	struct mxw__dkim_signature sig = {.result = MXW__DKIM_FAIL};
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net", .auth_user = evil, .iprev = "fail", .client = "192.0.2.1", .has_spf = true, .spf_reason = evil, .sender = evil,
		.has_spf_helo = true, .helo = evil, .has_dkim = true, .signatures = &sig, .nsignatures = 1, .dmarc = "fail",
		.author_domain = evil, .dmarc_domain = evil, .dmarc_policy = "none", .arc = "fail", .arc_sealer = evil,
	};
	struct mxw__authres a;

	snprintf(sig.domain, sizeof sig.domain, "%s", evil);
	snprintf(sig.selector, sizeof sig.selector, "%s", evil);
	snprintf(sig.algorithm, sizeof sig.algorithm, "%s", evil);
	snprintf(sig.b8, sizeof sig.b8, "%.8s", evil);
	snprintf(sig.identity, sizeof sig.identity, "%s", evil);
	snprintf(sig.reason, sizeof sig.reason, "%s", evil);
	for (int is_utf8 = 0; is_utf8 < 2; is_utf8++) {
		in.is_utf8 = is_utf8;
		const char *field = compose(&in, &a);
		ck_assert_ptr_null(strchr(field, '\r'));
		ck_assert_uint_eq(a.nitems, 7);
		for (size_t i = 0; i < a.nitems; i++)
			ck_assert_str_ne(a.items[i].result, i == 0 ? "fail" : "pass");
	}
}
END_TEST

static const struct {
	const char *value;
	bool forged;
} fields[] = {
	{" mx.example.net; spf=pass", true},
	{" MX.EXAMPLE.NET; spf=pass", true},
	{" mx.example.net. ; spf=pass", true},
	{" a.mx.example.net; spf=pass", true},
	{" (x) \"mx.example.net\" 1; none", true},
	{"", true},
	{" ;", true},
	{" example.net; spf=pass", false},
	{" notmx.example.net; spf=pass", false},
	{" mx.example.net.evil.example; spf=pass", false},
	{" mx.example.net..; spf=pass", true},
	{" MX.Example.(c)NET; spf=pass", true},
	{" \"mx\".example.net; spf=pass", true},
	{" mx.example.net 7; spf=pass", true},
	{" mx.example.net\x0b; spf=pass", true},
	{" =?utf-8?q?mx.example.net?=; spf=pass", true},
	{" mx\xe3\x80\x82" "example.net; spf=pass", true},                       /* another full stop */
	{" \xef\xbd\x8d\xef\xbd\x98.example.net; spf=pass", true},              /* wide letters */
	{" mx.ex\xc2\xad" "ample.net; spf=pass", true},                          /* a soft hyphen */
	{" mx.\xff.example; spf=pass", true},                                   /* nothing that could be read */
	{" mx.b\xc3\xbc" "cher.example; spf=pass", false},
	{" mx1; spf=pass", false},
};

START_TEST(fields_that_claim_our_id_are_forged)
{
	ck_assert_int_eq(mxw__authres_is_forged(arena, fields[_i].value, "mx.example.net"), fields[_i].forged);
}
END_TEST

/* Our own name in U-labels is our name. */
START_TEST(fields_that_claim_our_id_in_another_script_are_forged)
{
	static const char ours[] = "mx.xn--bcher-kva.example";

	ck_assert(mxw__authres_is_forged(arena, " mx.b\xc3\xbc" "cher.example; spf=pass", ours));
	ck_assert(mxw__authres_is_forged(arena, " mx.B\xc3\x9c" "CHER.example; spf=pass", ours));
	ck_assert(mxw__authres_is_forged(arena, " mx.XN--BCHER-KVA.example.; spf=pass", ours));
	ck_assert(mxw__authres_is_forged(arena, " \"mx.bu\xcc\x88" "cher.example\"; spf=pass", ours));
	ck_assert(!mxw__authres_is_forged(arena, " mx.bucher.example; spf=pass", ours));
}
END_TEST

static size_t longest_line(const char *field)
{
	size_t longest = 0;

	for (const char *p = field; *p; p += strspn(p, "\n")) {
		size_t n = strcspn(p, "\n");
		longest = n > longest ? n : longest;
		p += n;
	}
	return longest;
}

/* RFC 5322 section 2.1.1: an MTA breaks a line of more than 998 octets somewhere. */
START_TEST(the_field_is_bounded_whatever_peers_say)
{
	char user[1025], sender[520];
	struct mxw__dkim_signature sigs[101];
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net", .auth_user = user, .has_spf = true, .spf = MXW__SPF_PERMERROR, .spf_reason = "why", .sender = sender,
		.has_dkim = true, .signatures = sigs, .nsignatures = MXW_ARRAY_LEN(sigs),
	};
	struct mxw__authres a;

	memset(user, '"', sizeof user - 1);
	user[sizeof user - 1] = '\0';
	memset(sender, 'x', sizeof sender - 1);
	memcpy(sender + 255, "@a.example.bank.example.", 24);
	strcpy(sender + sizeof sender - 9, ".example");
	for (size_t i = 0; i < MXW_ARRAY_LEN(sigs); i++) {
		sigs[i] = (struct mxw__dkim_signature){.result = MXW__DKIM_NEUTRAL, .reason = "no valid d= tag", .b8 = "12345678"};
		memset(sigs[i].domain, '\\', sizeof sigs[i].domain - 1);
		memset(sigs[i].selector, '"', sizeof sigs[i].selector - 1);
		memset(sigs[i].identity, '"', sizeof sigs[i].identity - 1);
	}
	const char *field = compose(&in, &a);
	ck_assert_uint_le(longest_line(field) + strlen("Authentication-Results:"), 998);
	ck_assert_uint_le(strlen(field), 20 * 1024);
	/* A domain that is cut is another domain. */
	ck_assert_ptr_nonnull(strstr(field, "smtp.mailfrom=a.example.bank.example."));
	ck_assert_ptr_nonnull(strstr(field, "x.example;"));
	/* A name that is too long is left out. */
	ck_assert_uint_eq(a.items[0].nproperties, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("authres");
	TCase *tc = tcase_create("authres");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_method_is_listed_in_the_standard_syntax);
	tcase_add_test(tc, a_null_sender_shows_the_helo_identity_once);
	tcase_add_test(tc, nothing_checked_is_said_as_none);
	tcase_add_loop_test(tc, fields_that_claim_our_id_are_forged, 0, MXW_ARRAY_LEN(fields));
	tcase_add_test(tc, fields_that_claim_our_id_in_another_script_are_forged);
	tcase_add_loop_test(tc, a_sender_stands_as_it_is_or_not_at_all, 0, MXW_ARRAY_LEN(senders));
	tcase_add_test(tc, names_beyond_ascii_are_in_a_labels);
	tcase_add_loop_test(tc, a_peer_cannot_inject_a_result, 0, MXW_ARRAY_LEN(injections));
	tcase_add_test(tc, the_field_is_bounded_whatever_peers_say);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
