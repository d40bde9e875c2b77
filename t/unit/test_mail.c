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

#define BUECHER_A "xn--bcher-kva.example"
#define BUECHER_U "b\xc3\xbc" "cher.example"

static const struct {
	const char *path, *text, *local, *domain;
} good_paths[] = {
	{"<Anna@Example.NET>", "Anna@example.net", "Anna", "example.net"},
	{"anna@example.net", "anna@example.net", "anna", "example.net"},
	{"<>", "", "", ""},
	{"", "", "", ""},
	{"<postmaster>", "postmaster", "postmaster", ""},
	{"<\"john doe\"@example.net>", "\"john doe\"@example.net", "john doe", "example.net"},
	{"<\"a\\\"b\"@example.net>", "\"a\\\"b\"@example.net", "a\"b", "example.net"},
	{"<\"a@b\"@example.net>", "\"a@b\"@example.net", "a@b", "example.net"},
	{"<@relay.example,@two.example:x@example.net>", "x@example.net", "x", "example.net"},
	{"<x@example.net.>", "x@example.net", "x", "example.net"},
	{"<x@[192.0.2.1]>", "x@[192.0.2.1]", "x", "[192.0.2.1]"},
	{"<x@[IPv6:2001:db8::1]>", "x@[ipv6:2001:db8::1]", "x", "[ipv6:2001:db8::1]"},
	{"<a..b@example.net>", "a..b@example.net", "a..b", "example.net"},
	{"<*()\\00@example.net>", NULL, NULL, NULL},
	{"<\"anna\"@example.net>", "anna@example.net", "anna", "example.net"},
	{"<\"an\\na\"@example.net>", "anna@example.net", "anna", "example.net"},
	{"<\"a\\\\b\"@example.net>", "\"a\\\\b\"@example.net", "a\\b", "example.net"},
	{"<x@[192.000.002.001]>", NULL, NULL, NULL},
	{"<x@[ipV6:2001:0DB8:0:0::01]>", "x@[ipv6:2001:db8::1]", "x", "[ipv6:2001:db8::1]"},
	{"<j\xc3\xbcrgen@b\xc3\xbc" "cher.example>", "j\xc3\xbcrgen@" BUECHER_A, "j\xc3\xbcrgen", BUECHER_A},
	{"<x@B\xc3\x9c" "CHER.Example.>", "x@" BUECHER_A, "x", BUECHER_A},
	{"<x@bu\xcc\x88" "cher.example>", "x@" BUECHER_A, "x", BUECHER_A},
	{"<x@b\xc3\xbc" "cher\xe3\x80\x82" "example>", "x@" BUECHER_A, "x", BUECHER_A},
	{"<x@\xef\xbd\x85xample.net>", "x@example.net", "x", "example.net"},
	{"<x@stra\xc3\x9f" "e.example>", "x@xn--strae-oqa.example", "x", "xn--strae-oqa.example"},
	/* No A-label of today: names in ASCII stay, and one that only libidn2 does not know is not refused for it. */
	{"<x@xn--99999999.example>", "x@xn--99999999.example", "x", "xn--99999999.example"},
	{"<x@xn--i-7iq.example>", "x@xn--i-7iq.example", "x", "xn--i-7iq.example"},
	{"<x@ab--c.example>", "x@ab--c.example", "x", "ab--c.example"},
	{"<x@_dmarc.-a-.example>", "x@_dmarc.-a-.example", "x", "_dmarc.-a-.example"},
	{"<x@xn--99999999.b\xc3\xbc" "cher.example>", "x@xn--99999999." BUECHER_A, "x", "xn--99999999." BUECHER_A},
	{"<x@a\xe2\x80\x8d" "b.example>", "x@a\xe2\x80\x8d" "b.example", "x", "a\xe2\x80\x8d" "b.example"},
	/* No UTF-8, controls, and characters that map to what no name may have. */
	{"<x@b\xfc" "cher.example>", NULL, NULL, NULL},
	{"<x@b\xc2\x85.example>", NULL, NULL, NULL},
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

static const struct {
	const char *path, *domain_utf8, *key_local, *key_text;
} forms[] = {
	{"<anna@example.net>", NULL, NULL, NULL},
	{"<Anna@Example.NET>", NULL, "anna", "anna@example.net"},
	{"<\"Anna B\"@example.net>", NULL, "anna b", "\"anna b\"@example.net"},
	{"<x@xn--bcher-kva.example>", BUECHER_U, NULL, NULL},
	{"<x@XN--bcher-KVA.example>", BUECHER_U, NULL, NULL},
	{"<X@" BUECHER_U ">", BUECHER_U, "x", "x@" BUECHER_A},
	{"<x@xn--99999999.example>", NULL, NULL, NULL},
	{"<JU\xcc\x88RGEN@example.net>", NULL, "j\xc3\xbcrgen", "j\xc3\xbcrgen@example.net"},
	{"<j\xc3\x9crgen@example.net>", NULL, "j\xc3\xbcrgen", "j\xc3\xbcrgen@example.net"},
	{"<stra\xc3\x9f" "e@example.net>", NULL, NULL, NULL},
	{"<J\xfcrgen@example.net>", NULL, "j\xfcrgen", "j\xfcrgen@example.net"},
	{"<Postmaster>", NULL, "postmaster", "postmaster"},
	{"<x@[192.0.2.1]>", NULL, NULL, NULL},
};

START_TEST(each_address_has_one_form_for_comparison)
{
	struct mxw__address a;

	ck_assert_int_eq(mxw__address_parse(arena, forms[_i].path, &a), MXW_OK);
	if (forms[_i].domain_utf8)
		ck_assert_str_eq(a.domain_utf8, forms[_i].domain_utf8);
	else
		ck_assert_ptr_eq(a.domain_utf8, a.domain);
	if (forms[_i].key_local) {
		ck_assert_str_eq(a.key_local, forms[_i].key_local);
		ck_assert_str_eq(a.key_text, forms[_i].key_text);
	} else {
		ck_assert_ptr_eq(a.key_local, a.local);
		ck_assert_ptr_eq(a.key_text, a.text);
	}
}
END_TEST

/* What is written is read back as the same address. */
START_TEST(an_address_that_is_written_is_the_same_again)
{
	struct mxw__address a, b;

	if (!good_paths[_i].text || !*good_paths[_i].text)
		return;
	ck_assert_int_eq(mxw__address_parse(arena, good_paths[_i].path, &a), MXW_OK);
	ck_assert_int_eq(mxw__address_parse(arena, a.text, &b), MXW_OK);
	ck_assert_str_eq(a.text, b.text);
	ck_assert_str_eq(a.local, b.local);
	ck_assert_str_eq(a.domain, b.domain);
	ck_assert_str_eq(a.key_text, b.key_text);
}
END_TEST

START_TEST(an_address_is_written_whole_or_not_at_all)
{
	char out[32];

	for (size_t size = 1; size < sizeof out; size++) {
		bool ok = mxw__address_write(out, size, "a\"b", "example.net");
		ck_assert_int_eq(ok, size > strlen("\"a\\\"b\"@example.net"));
		ck_assert_str_eq(out, ok ? "\"a\\\"b\"@example.net" : "");
	}
	ck_assert(mxw__address_write(out, sizeof out, "postmaster", ""));
	ck_assert_str_eq(out, "postmaster");
	ck_assert(mxw__address_write(out, sizeof out, "", "example.net"));
	ck_assert_str_eq(out, "\"\"@example.net");
}
END_TEST

START_TEST(a_local_part_that_would_grow_too_long_is_left_as_it_is)
{
	/* U+0130 in lower case is one octet longer. */
	char local[MXW__LOCAL_MAX + 1] = "", out[MXW__LOCAL_MAX + 1];

	for (size_t i = 0; i + 2 < sizeof local; i += 2)
		memcpy(local + i, "\xc4\xb0", 2);
	local[MXW__LOCAL_MAX - 1] = 'X';
	ck_assert_uint_eq(mxw__local_canonical(local, MXW__LOCAL_MAX, out), MXW__LOCAL_MAX);
	local[MXW__LOCAL_MAX - 1] = 'x';
	ck_assert_mem_eq(out, local, sizeof out);
}
END_TEST

static const struct {
	const char *name, *ascii;
} names[] = {
	{"Example.NET.", "example.net"},
	{BUECHER_U, BUECHER_A},
	{"[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]"},
	{"[192.0.2.1]", "[192.0.2.1]"},
	{"", NULL}, {".", NULL}, {"a..b", NULL}, {"*.example.net", NULL}, {"[a]", NULL}, {"[", NULL},
	{"a b", NULL}, {"b\xfc" "cher.example", NULL}, {"a\xe2\x84\x80" "b.example", NULL},
	{"\xe2\x80\x8d.example", NULL},
};

START_TEST(names_of_domains_have_one_form)
{
	char out[MXW__DOMAIN_MAX + 1] = "untouched";
	mxw_status_t status = mxw__domain_to_ascii(names[_i].name, strlen(names[_i].name), out);

	ck_assert_int_eq(status, names[_i].ascii ? MXW_OK : MXW_ERR_INVALID);
	ck_assert_str_eq(out, names[_i].ascii ? names[_i].ascii : "untouched");
}
END_TEST

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const bad_paths[] = {
	"<", "<a@b", "<@>", "<a@>", "<@example.net>", "a b@example.net", "<a@b@c>", "<a@exa mple.net>", "<a@.net>",
	"<a@b..c>", "<a@b..>", "<\"a@example.net>", "<\"a\"b@example.net>", "<a@[192.0.2]>", "<a@[>", "<a\r\nb@example.net>",
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

int main(void)
{
	Suite *s = suite_create("mail");
	TCase *tc = tcase_create("mail");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, paths_are_taken_apart, 0, MXW_ARRAY_LEN(good_paths));
	tcase_add_loop_test(tc, each_address_has_one_form_for_comparison, 0, MXW_ARRAY_LEN(forms));
	tcase_add_loop_test(tc, an_address_that_is_written_is_the_same_again, 0, MXW_ARRAY_LEN(good_paths));
	tcase_add_test(tc, an_address_is_written_whole_or_not_at_all);
	tcase_add_test(tc, a_local_part_that_would_grow_too_long_is_left_as_it_is);
	tcase_add_loop_test(tc, names_of_domains_have_one_form, 0, MXW_ARRAY_LEN(names));
	tcase_add_loop_test(tc, what_is_no_path_is_refused, 0, MXW_ARRAY_LEN(bad_paths));
	tcase_add_test(tc, long_local_parts_are_taken);
	tcase_add_test(tc, a_full_arena_is_no_bad_syntax);
	tcase_add_test(tc, an_endless_path_is_refused);
	tcase_add_loop_test(tc, helo_arguments_are_classified, 0, MXW_ARRAY_LEN(helos));
	tcase_add_loop_test(tc, tag_lists_give_a_tag_or_nothing, 0, MXW_ARRAY_LEN(tags));
	suite_add_tcase(s, tc);
	return run_suite(s);
}
