/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/auth/authres.h"
#include "t/fakes/suite.h"

static mxw__arena_t *arena;

static void setup(void)
{
	arena = mxw__arena_new(65536);
}

static void teardown(void)
{
	mxw__arena_free(arena);
}

START_TEST(every_method_is_listed_in_the_standard_syntax)
{
	struct mxw__dkim_signature sigs[2] = {
		{.result = MXW__DKIM_PASS, .domain = "example.org", .selector = "k1", .algorithm = "rsa-sha256", .b8 = "AbC+/=12"},
		{.result = MXW__DKIM_FAIL, .domain = "list.example", .selector = "s", .algorithm = "ed25519-sha256",
		 .reason = "body hash (did not) verify"},
	};
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net", .auth_user = "", .has_spf = true, .spf = MXW__SPF_SOFTFAIL, .spf_reason = "",
		.sender = "bob@example.org", .has_spf_helo = true, .spf_helo = MXW__SPF_NONE, .helo = "mail.example.org",
		.has_dkim = true, .signatures = sigs, .nsignatures = 2,
	};

	ck_assert_str_eq(mxw__authres_compose(arena, &in),
			 " mx.example.net;\n\tspf=softfail smtp.mailfrom=bob@example.org;\n\tspf=none smtp.helo=mail.example.org;\n\t"
			 "dkim=pass header.d=example.org header.s=k1 header.a=rsa-sha256 header.b=\"AbC+/=12\";\n\t"
			 "dkim=fail (body hash  did not  verify) header.d=list.example header.s=s header.a=ed25519-sha256");
}
END_TEST

START_TEST(a_null_sender_shows_the_helo_identity_once)
{
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net", .auth_user = "", .has_spf = true, .spf = MXW__SPF_PASS, .spf_reason = "",
		.sender = "", .has_spf_helo = true, .spf_helo = MXW__SPF_PASS, .helo = "mail.example.org",
	};

	ck_assert_str_eq(mxw__authres_compose(arena, &in), " mx.example.net;\n\tspf=pass smtp.helo=mail.example.org");
}
END_TEST

START_TEST(nothing_checked_is_said_as_none)
{
	struct mxw__authres_input in = {.authserv_id = "mx.example.net", .auth_user = "", .sender = "", .helo = ""};

	ck_assert_str_eq(mxw__authres_compose(arena, &in), " mx.example.net; none");
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

START_TEST(a_peer_cannot_inject_a_result)
{
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net", .auth_user = "u; dkim=pass", .has_spf = true, .spf = MXW__SPF_PERMERROR,
		.spf_reason = "bad) dkim=pass (x\r\n", .sender = "\"x\r\n dkim=pass\"@a", .helo = "",
	};
	const char *field = mxw__authres_compose(arena, &in);

	ck_assert_ptr_null(strstr(field, "\r"));
	ck_assert_str_eq(field, " mx.example.net;\n\tauth=pass smtp.auth=\"u; dkim=pass\";\n\t"
				"spf=permerror (bad  dkim=pass  x  ) smtp.mailfrom=\"\\\"x?? dkim=pass\\\"@a\"");
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
START_TEST(no_line_is_too_long_whatever_peers_say)
{
	char user[1025], sender[520];
	struct mxw__dkim_signature sigs[32];
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net", .auth_user = user, .has_spf = true, .spf = MXW__SPF_PERMERROR, .spf_reason = "why",
		.sender = sender, .helo = "", .has_dkim = true, .signatures = sigs, .nsignatures = 32,
	};

	memset(user, '"', sizeof user - 1);
	user[sizeof user - 1] = '\0';
	memset(sender, 'x', sizeof sender - 1);
	memcpy(sender + 255, "@a.example.bank.example.", 24);
	strcpy(sender + sizeof sender - 9, ".example");
	for (size_t i = 0; i < MXW_ARRAY_LEN(sigs); i++) {
		sigs[i] = (struct mxw__dkim_signature){.result = MXW__DKIM_NEUTRAL, .reason = "no valid d= tag", .b8 = "12345678"};
		memset(sigs[i].domain, '\\', sizeof sigs[i].domain - 1);
		memset(sigs[i].selector, '"', sizeof sigs[i].selector - 1);
	}
	const char *field = mxw__authres_compose(arena, &in);
	ck_assert_ptr_nonnull(field);
	ck_assert_uint_le(longest_line(field) + strlen("Authentication-Results:"), 998);
	/* A domain that is cut is another domain. */
	ck_assert_ptr_nonnull(strstr(field, "smtp.mailfrom=a.example.bank.example."));
	ck_assert_ptr_nonnull(strstr(field, "x.example;"));
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
	tcase_add_test(tc, a_peer_cannot_inject_a_result);
	tcase_add_test(tc, no_line_is_too_long_whatever_peers_say);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
