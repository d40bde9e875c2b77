/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/track/key.h"
#include "t/fakes/suite.h"

static struct mxw__key of_ip(mxw__key_kind_t kind, const char *text)
{
	struct mxw_ip ip;

	ck_assert_int_eq(mxw_ip_parse(text, &ip), MXW_OK);
	return mxw__key_of_ip(kind, &ip);
}

static void check_same(const struct mxw__key *one, const struct mxw__key *other)
{
	ck_assert_mem_eq(one, other, sizeof *one);
}

/* The text of a key is the key's, and nothing in it would be misread by a shell, a log or a person. */
static void check_round(const struct mxw__key *key, const char *wanted)
{
	char text[MXW__KEY_TEXT_MAX];
	struct mxw__key back;

	mxw__key_text(key, text);
	if (wanted)
		ck_assert_str_eq(text, wanted);
	for (const char *c = text; *c; c++)
		ck_assert(*c > ' ' && *c < 0x7f);
	ck_assert_msg(mxw__key_parse(text, &back), "%s", text);
	check_same(&back, key);
}

static const struct {
	mxw__key_kind_t kind;
	const char *ip, *text;
} addresses[] = {
	{MXW__KEY_ADDRESS, "192.0.2.1", "192.0.2.1"},
	{MXW__KEY_NETWORK, "192.0.2.1", "192.0.2.0/24"},
	{MXW__KEY_WIDE, "192.0.2.1", ""},
	{MXW__KEY_ADDRESS, "0.0.0.0", "0.0.0.0"},
	{MXW__KEY_NETWORK, "255.255.255.255", "255.255.255.0/24"},
	{MXW__KEY_ADDRESS, "::ffff:192.0.2.1", "192.0.2.1"},
	{MXW__KEY_NETWORK, "::ffff:192.0.2.1", "192.0.2.0/24"},
	{MXW__KEY_ADDRESS, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
	{MXW__KEY_NETWORK, "2001:db8:1:2ff:3:4:5:6", "2001:db8:1:200::/56"},
	{MXW__KEY_WIDE, "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
	{MXW__KEY_ADDRESS, "::1", "::/64"},
	{MXW__KEY_HELO, "192.0.2.1", ""},
	{MXW__KEY_NONE, "192.0.2.1", ""},
};

START_TEST(addresses_have_a_text_for_each_kind)
{
	struct mxw__key key = of_ip(addresses[_i].kind, addresses[_i].ip);

	if (*addresses[_i].text) {
		check_round(&key, addresses[_i].text);
		return;
	}
	char text[MXW__KEY_TEXT_MAX];
	ck_assert_int_eq(key.kind, MXW__KEY_NONE);
	ck_assert_str_eq(mxw__key_text(&key, text), "");
}
END_TEST

static const struct {
	mxw__key_kind_t kind;
	const char *name, *text;
} names_tried[] = {
	{MXW__KEY_HELO, "MX.Example.ORG", "helo:mx.example.org"},
	{MXW__KEY_HELO, "mx.example.org.", "helo:mx.example.org"},
	{MXW__KEY_HELO, "mx.example.org...", "helo:mx.example.org"},
	{MXW__KEY_HELO, "[192.0.2.1]", "helo:[192.0.2.1]"},
	{MXW__KEY_DOMAIN, "Example.org", "domain:example.org"},
	{MXW__KEY_USER, "Anna", "user:anna"},
	{MXW__KEY_USER, "Anna@Example.org", "user:anna@example.org"},
	{MXW__KEY_USER, "dot.", "user:dot."},
	{MXW__KEY_USER, "helo:x", "user:helo:x"},
	{MXW__KEY_HELO, "two words", "helo:two%20words"},
	{MXW__KEY_HELO, "100%", "helo:100%25"},
	{MXW__KEY_HELO, "a\tb\r\n\x7f", "helo:a%09b%0D%0A%7F"},
	{MXW__KEY_DOMAIN, "m\xc3\xbcller.example", "domain:m%C3%BCller.example"},
	{MXW__KEY_USER, "\xff", "user:%FF"},
	/* 54 octets, and one more. */
	{MXW__KEY_HELO, "aaaaaaaaabbbbbbbbbcccccccccdddddddddeeeeeeeeefffffffff",
	 "helo:aaaaaaaaabbbbbbbbbcccccccccdddddddddeeeeeeeeefffffffff"},
	{MXW__KEY_HELO, "aaaaaaaaabbbbbbbbbcccccccccdddddddddeeeeeeeeefffffffffG", NULL},
};

START_TEST(names_have_a_text)
{
	struct mxw__key key = mxw__key_of_name(names_tried[_i].kind, names_tried[_i].name);

	ck_assert_int_eq(key.kind, names_tried[_i].kind);
	check_round(&key, names_tried[_i].text);
}
END_TEST

START_TEST(a_name_of_nothing_is_no_key)
{
	for (mxw__key_kind_t kind = MXW__KEY_HELO; kind < MXW__KEY_KINDS; kind++)
		ck_assert_int_eq(mxw__key_of_name(kind, "").kind, MXW__KEY_NONE);
	ck_assert_int_eq(mxw__key_of_name(MXW__KEY_HELO, ".").kind, MXW__KEY_NONE);
	ck_assert_int_eq(mxw__key_of_name(MXW__KEY_DOMAIN, "..").kind, MXW__KEY_NONE);
}
END_TEST

/* Of every length, with octets that take one or three in the text, and a little of both. */
static const char *const fillers[] = {"x", "\xc3", "x\xc3", "xxx\x01", "%"};

START_TEST(names_of_any_length_keep_apart_and_come_back)
{
	char name[1200], other[1200];

	for (size_t len = 1; len < sizeof name - 1; len++) {
		for (size_t i = 0; i < len; i++)
			name[i] = fillers[_i][i % strlen(fillers[_i])];
		name[len] = '\0';
		memcpy(other, name, len + 1);
		other[len - 1] = 'q';
		for (mxw__key_kind_t kind = MXW__KEY_HELO; kind < MXW__KEY_KINDS; kind++) {
			struct mxw__key one = mxw__key_of_name(kind, name), two = mxw__key_of_name(kind, other);
			check_round(&one, NULL);
			check_round(&two, NULL);
			ck_assert(memcmp(&one, &two, sizeof one) != 0);
		}
	}
}
END_TEST

START_TEST(a_long_name_is_the_same_on_every_host_and_in_either_case)
{
	const char *name = "A-Very-Long-Name-That-Nobody-Would-Want-To-Type.Twice-Or-Even-Once.example.org";
	struct mxw__key helo = mxw__key_of_name(MXW__KEY_HELO, name), user = mxw__key_of_name(MXW__KEY_USER, name);
	char lower[100], text[MXW__KEY_TEXT_MAX];

	snprintf(lower, sizeof lower, "%s.", name);
	mxw__ascii_lower_str(lower);
	struct mxw__key again = mxw__key_of_name(MXW__KEY_HELO, lower);
	check_same(&helo, &again);
	ck_assert_str_eq(mxw__key_text(&helo, text), "helo:a-very-long-name-that-nobody-would-wa~bbdb4b900798986d");
	ck_assert_str_eq(mxw__key_text(&user, text), "user:a-very-long-name-that-nobody-would-wa~bbdb4b900798986d");
}
END_TEST

/* What people may type for a key. */
static const struct {
	const char *typed, *text;
} forms[] = {
	{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
	{"2001:DB8:1:2::/64", "2001:db8:1:2::/64"},
	{"::ffff:192.0.2.1", "192.0.2.1"},
	{"192.0.2.1/32", "192.0.2.1"},
	{"helo:MX.Example.ORG.", "helo:mx.example.org"},
	{"user:%41nna", "user:anna"},
	{"domain:m%c3%bcller.example", "domain:m%C3%BCller.example"},
	{"helo:a b", "helo:a%20b"},
	{"helo:m\xc3\xbcller.example", "helo:m%C3%BCller.example"},
};

START_TEST(people_may_type_other_forms)
{
	char text[MXW__KEY_TEXT_MAX];
	struct mxw__key key;

	ck_assert(mxw__key_parse(forms[_i].typed, &key));
	ck_assert_str_eq(mxw__key_text(&key, text), forms[_i].text);
	check_round(&key, forms[_i].text);
}
END_TEST

static const char *const bad[] = {
	"", " ", "192.0.2", "192.0.2.256", "192.0.2.1/24", "192.0.2.0/25", "192.0.0.0/16", "192.0.2.0/", "192.0.2.0/24x", "2001:db8::/32",
	"2001:db8::1/64", "2001:db8:1:2::/48", "2001:db8:1:2::/56x", "helo:", "helo", "HELO:x", "helo:.", "user:", "list:x", "address:192.0.2.1",
	"helo:%", "helo:%4", "helo:%4g", "helo:a%00b", "none:x", "192.0.2.1 ", "example.org", "/", ":", "%",
};

START_TEST(other_texts_are_no_keys)
{
	struct mxw__key key = {.kind = MXW__KEY_USER, .len = 1, .data = "x"}, was = key;

	ck_assert_msg(!mxw__key_parse(bad[_i], &key), "%s", bad[_i]);
	check_same(&key, &was);
}
END_TEST

START_TEST(an_endless_name_is_no_key)
{
	static char text[100000] = "helo:";
	struct mxw__key key;

	memset(text + 5, 'x', sizeof text - 6);
	ck_assert(!mxw__key_parse(text, &key));
}
END_TEST

START_TEST(kinds_have_names)
{
	ck_assert_str_eq(mxw__key_kind_name(MXW__KEY_ADDRESS), "address");
	ck_assert_str_eq(mxw__key_kind_name(MXW__KEY_USER), "user");
	ck_assert_str_eq(mxw__key_kind_name(MXW__KEY_KINDS), "none");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("key");
	TCase *tc = tcase_create("key");

	tcase_add_loop_test(tc, addresses_have_a_text_for_each_kind, 0, MXW_ARRAY_LEN(addresses));
	tcase_add_loop_test(tc, names_have_a_text, 0, MXW_ARRAY_LEN(names_tried));
	tcase_add_test(tc, a_name_of_nothing_is_no_key);
	tcase_add_loop_test(tc, names_of_any_length_keep_apart_and_come_back, 0, MXW_ARRAY_LEN(fillers));
	tcase_add_test(tc, a_long_name_is_the_same_on_every_host_and_in_either_case);
	tcase_add_loop_test(tc, people_may_type_other_forms, 0, MXW_ARRAY_LEN(forms));
	tcase_add_loop_test(tc, other_texts_are_no_keys, 0, MXW_ARRAY_LEN(bad));
	tcase_add_test(tc, an_endless_name_is_no_key);
	tcase_add_test(tc, kinds_have_names);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
