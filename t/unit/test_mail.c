/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/mail/mail.h"
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

static const struct {
	const char *path, *text, *local, *domain;
} good_paths[] = {
	{"<Anna@Example.NET>", "Anna@example.net", "Anna", "example.net"},
	{"anna@example.net", "anna@example.net", "anna", "example.net"},
	{"<>", "", "", ""},
	{"", "", "", ""},
	{"<postmaster>", "postmaster", "postmaster", ""},
	{"<\"john doe\"@example.net>", "john doe@example.net", "john doe", "example.net"},
	{"<\"a\\\"b\"@example.net>", "a\"b@example.net", "a\"b", "example.net"},
	{"<\"a@b\"@example.net>", "a@b@example.net", "a@b", "example.net"},
	{"<@relay.example,@two.example:x@example.net>", "x@example.net", "x", "example.net"},
	{"<x@example.net.>", "x@example.net", "x", "example.net"},
	{"<x@[192.0.2.1]>", "x@[192.0.2.1]", "x", "[192.0.2.1]"},
	{"<x@[IPv6:2001:db8::1]>", "x@[ipv6:2001:db8::1]", "x", "[ipv6:2001:db8::1]"},
	{"<a..b@example.net>", "a..b@example.net", "a..b", "example.net"},
	{"<*()\\00@example.net>", NULL, NULL, NULL},
	{"<j\xc3\xbcrgen@b\xc3\xbc" "cher.example>", "j\xc3\xbcrgen@b\xc3\xbc" "cher.example", "j\xc3\xbcrgen",
	 "b\xc3\xbc" "cher.example"},
};

START_TEST(paths_are_taken_apart)
{
	struct mxw__address a;
	mxw_status_t status = mxw__address_parse(arena, good_paths[_i].path, &a);

	if (!good_paths[_i].text) {
		ck_assert_int_eq(status, MXW_ERR_INVALID);
		return;
	}
	ck_assert_int_eq(status, MXW_OK);
	ck_assert_str_eq(a.text, good_paths[_i].text);
	ck_assert_str_eq(a.local, good_paths[_i].local);
	ck_assert_str_eq(a.domain, good_paths[_i].domain);
	ck_assert_int_eq(a.is_null, *good_paths[_i].text == '\0');
}
END_TEST

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const bad_paths[] = {
	"<", "<a@b", "<@>", "<a@>", "<@example.net>", "a b@example.net", "<a@b@c>", "<a@exa mple.net>", "<a@.net>",
	"<a@b..c>", "<\"a@example.net>", "<\"a\"b@example.net>", "<a@[192.0.2]>", "<a@[>", "<a\r\nb@example.net>",
	"<\"a\r\nRCPT\"@example.net>", "<a@example.net\n>", "<a(c)@example.net>", "<,@example.net>",
	"<" A64 A64 A64 A64 "@example.net>",
};

/* RFC 5321 section 4.5.3.1: more than 64 octets of a local part are nothing to refuse mail for. */
START_TEST(long_local_parts_are_taken)
{
	struct mxw__address a;

	ck_assert_int_eq(mxw__address_parse(arena, "<" A64 A64 "b@example.net>", &a), MXW_OK);
	ck_assert_str_eq(a.local, A64 A64 "b");
}
END_TEST

/* No room is no fact about the path. */
START_TEST(a_full_arena_is_no_bad_syntax)
{
	mxw__arena_t *small = mxw__arena_new(20);
	struct mxw__address a;

	ck_assert_int_eq(mxw__address_parse(small, "<anna@example.net>", &a), MXW_ERR_LIMIT);
	mxw__arena_free(small);
}
END_TEST

START_TEST(what_is_no_path_is_refused)
{
	struct mxw__address a;

	ck_assert_int_eq(mxw__address_parse(arena, bad_paths[_i], &a), MXW_ERR_INVALID);
}
END_TEST

START_TEST(an_endless_path_is_refused)
{
	static char path[100000];
	struct mxw__address a;

	memset(path, 'a', sizeof path - 1);
	ck_assert_int_eq(mxw__address_parse(arena, path, &a), MXW_ERR_INVALID);
	ck_assert_uint_lt(mxw__arena_used(arena), 1000);
}
END_TEST

static const struct {
	const char *helo;
	mxw__helo_kind_t kind;
} helos[] = {
	{"mail.example.net", MXW__HELO_DOMAIN}, {"mail.example.net.", MXW__HELO_DOMAIN},
	{"localhost", MXW__HELO_SINGLE_LABEL}, {"host.", MXW__HELO_SINGLE_LABEL},
	{"[192.0.2.1]", MXW__HELO_LITERAL}, {"[IPv6:2001:db8::1]", MXW__HELO_LITERAL},
	{"192.0.2.1", MXW__HELO_BARE_ADDRESS}, {"2001:db8::1", MXW__HELO_BARE_ADDRESS},
	{"", MXW__HELO_INVALID}, {"[]", MXW__HELO_INVALID}, {"[192.0.2.1", MXW__HELO_INVALID},
	{"a b", MXW__HELO_INVALID}, {"a..b", MXW__HELO_INVALID}, {".", MXW__HELO_INVALID},
	{"ex%ample.net", MXW__HELO_INVALID}, {"win_box.example", MXW__HELO_DOMAIN},
};

START_TEST(helo_arguments_are_classified)
{
	struct mxw_ip ip;

	ck_assert_int_eq(mxw__helo_classify(helos[_i].helo, &ip), helos[_i].kind);
	ck_assert_int_eq(ip.family != 0,
			 helos[_i].kind == MXW__HELO_LITERAL || helos[_i].kind == MXW__HELO_BARE_ADDRESS);
}
END_TEST

static const struct {
	const char *list, *tag, *value;
} tags[] = {
	{"v=1; a=rsa-sha256; d=example.net; s=k1", "d", "example.net"},
	{" v=1;\r\n\td = Example.NET ;\r\n\ts=k1;", "d", "Example.NET"},
	{"b=abc\r\n\tdef\n ghi; d=x", "b", "abcdefghi"},
	{"d=a; d=b", "d", NULL},
	{"d=", "d", ""},
	{"v=1; garbage; d=x", "d", NULL},
	{"v=1;; d=x", "d", NULL},
	{"1x=1; d=x", "d", NULL},
	{"", "d", NULL},
	{"bh=x; h=d:s", "d", NULL},
};

START_TEST(tag_lists_give_a_tag_or_nothing)
{
	char *value = mxw__taglist_get(arena, tags[_i].list, strlen(tags[_i].list), tags[_i].tag);

	if (tags[_i].value)
		ck_assert_pstr_eq(value, tags[_i].value);
	else
		ck_assert_ptr_null(value);
}
END_TEST

static const struct {
	const char *value, *id;
} ids[] = {
	{" mx.example.net; spf=pass", "mx.example.net"},
	{"MX.Example.NET 1; none", "mx.example.net"},
	{"(a (nested) \\) comment) mx.example.net (x); none", "mx.example.net"},
	{"\r\n\t\"mx.example.net\"; none", "mx.example.net"},
	{"\"mx.\\example.net\"; none", "mx.example.net"},
	{"mx.example.net", "mx.example.net"},
	{"(never ends mx.example.net; none", NULL},
	{"\"mx.example.net; none", NULL},
	{"", NULL},
	{"; spf=pass", NULL},
	{"mx.example.net spf=pass", NULL},
};

START_TEST(authserv_ids_are_read_through_comments_and_quotes)
{
	char *id = NULL;
	mxw_status_t status = mxw__authres_id(arena, ids[_i].value, strlen(ids[_i].value), &id);

	if (ids[_i].id) {
		ck_assert_int_eq(status, MXW_OK);
		ck_assert_str_eq(id, ids[_i].id);
	} else {
		ck_assert_int_eq(status, MXW_ERR_INVALID);
	}
}
END_TEST

static const struct {
	const char *in, *out;
} values[] = {
	{"example.net", "example.net"},
	{"a@example.net", "a@example.net"},
	{"a;dkim=pass", "\"a;dkim=pass\""},
	{"a\r\nX: y", "\"a??X: y\""},
	{"q\"\\", "\"q\\\"\\\\\""},
	{"(c)", "\"(c)\""},
	{"", "\"\""},
	{"j\xc3\xbc", "\"j??\""},
};

START_TEST(nothing_can_be_injected_into_authentication_results)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, 1000);
	mxw__buf_add_authres_value(&buf, values[_i].in, 100);
	ck_assert_str_eq(mxw__buf_str(&buf), values[_i].out);
	mxw__buf_fini(&buf);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mail");
	TCase *tc = tcase_create("mail");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, paths_are_taken_apart, 0, MXW_ARRAY_LEN(good_paths));
	tcase_add_loop_test(tc, what_is_no_path_is_refused, 0, MXW_ARRAY_LEN(bad_paths));
	tcase_add_test(tc, long_local_parts_are_taken);
	tcase_add_test(tc, a_full_arena_is_no_bad_syntax);
	tcase_add_test(tc, an_endless_path_is_refused);
	tcase_add_loop_test(tc, helo_arguments_are_classified, 0, MXW_ARRAY_LEN(helos));
	tcase_add_loop_test(tc, tag_lists_give_a_tag_or_nothing, 0, MXW_ARRAY_LEN(tags));
	tcase_add_loop_test(tc, authserv_ids_are_read_through_comments_and_quotes, 0, MXW_ARRAY_LEN(ids));
	tcase_add_loop_test(tc, nothing_can_be_injected_into_authentication_results, 0, MXW_ARRAY_LEN(values));
	suite_add_tcase(s, tc);
	return run_suite(s);
}
