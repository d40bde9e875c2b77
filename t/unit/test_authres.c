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
};

START_TEST(fields_that_claim_our_id_are_forged)
{
	ck_assert_int_eq(mxw__authres_is_forged(arena, fields[_i].value, "mx.example.net"), fields[_i].forged);
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

int main(void)
{
	Suite *s = suite_create("authres");
	TCase *tc = tcase_create("authres");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_method_is_listed_in_the_standard_syntax);
	tcase_add_test(tc, a_null_sender_shows_the_helo_identity_once);
	tcase_add_test(tc, nothing_checked_is_said_as_none);
	tcase_add_loop_test(tc, fields_that_claim_our_id_are_forged, 0, MXW_ARRAY_LEN(fields));
	tcase_add_test(tc, a_peer_cannot_inject_a_result);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
