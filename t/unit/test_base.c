/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/base.h"
#include "t/fakes/suite.h"

START_TEST(arena_gives_zeroed_memory_up_to_its_limit)
{
	mxw__arena_t *arena = mxw__arena_new(10000);
	unsigned char *p = mxw__arena_alloc(arena, 100);

	ck_assert_ptr_nonnull(p);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(p[i], 0);
	ck_assert_ptr_nonnull(mxw__arena_alloc(arena, 9000));
	ck_assert_ptr_null(mxw__arena_alloc(arena, 901));
	ck_assert_ptr_nonnull(mxw__arena_alloc(arena, 900));
	ck_assert_ptr_null(mxw__arena_alloc(arena, SIZE_MAX));
	mxw__arena_reset(arena);
	ck_assert_uint_eq(mxw__arena_used(arena), 0);
	ck_assert_str_eq(mxw__arena_printf(arena, "%s-%d", "a", 7), "a-7");
	mxw__arena_free(arena);
}
END_TEST

START_TEST(buffer_keeps_what_it_had_when_it_is_full)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, 5);
	mxw__buf_adds(&buf, "abc");
	mxw__buf_adds(&buf, "def");
	ck_assert(buf.failed);
	ck_assert_str_eq(mxw__buf_str(&buf), "abc");
	ck_assert_ptr_null(mxw__buf_take(&buf));
	mxw__buf_addf(&buf, "%d", 12345);
	char *s = mxw__buf_take(&buf);
	ck_assert_str_eq(s, "12345");
	free(s);
	mxw__buf_fini(&buf);
}
END_TEST

START_TEST(formatted_text_fits_whatever_room_was_left)
{
	char expected[200], text[160];

	/* The room that a buffer has left over grows in steps: all lengths around them. */
	for (int before = 0; before < 150; before++) {
		for (int len = 0; len < 40; len++) {
			struct mxw__buf buf;
			memset(text, 'a', (size_t)before);
			text[before] = '\0';
			mxw__buf_init(&buf, (size_t)before + 20);
			mxw__buf_adds(&buf, text);
			mxw__buf_addf(&buf, "%0*d", len, 0);
			int digits = len ? len : 1;
			ck_assert_int_eq(buf.failed, digits > 20);
			snprintf(expected, sizeof expected, "%s%0*d", text, len, 0);
			ck_assert_str_eq(mxw__buf_str(&buf), buf.failed ? text : expected);
			ck_assert_uint_eq(buf.len, strlen(mxw__buf_str(&buf)));
			mxw__buf_fini(&buf);
		}
	}
}
END_TEST

static const struct {
	const char *in, *out;
} log_values[] = {
	{"plain", "plain"},
	{"", "\"\""},
	{"two words", "\"two words\""},
	{"a=b", "\"a=b\""},
	{"q\"b\\", "\"q\\\"b\\\\\""},
	{"x\r\nfake=1", "\"x\\x0d\\x0afake=1\""},
	{"\xff\x1b[0m", "\"\\xff\\x1b[0m\""},
};

START_TEST(log_values_cannot_forge_a_key_or_a_line)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, 1000);
	mxw__buf_add_logvalue(&buf, log_values[_i].in, strlen(log_values[_i].in), 100);
	ck_assert_str_eq(mxw__buf_str(&buf), log_values[_i].out);
	mxw__buf_fini(&buf);
}
END_TEST

START_TEST(log_values_are_cut)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, 1000);
	mxw__buf_add_logvalue(&buf, "abcdef", 6, 3);
	ck_assert_str_eq(mxw__buf_str(&buf), "\"abc...\"");
	mxw__buf_fini(&buf);
}
END_TEST

static const struct {
	const char *text, *canonical;
	bool ok;
} networks[] = {
	{"192.0.2.0/24", "192.0.2.0", true},
	{"192.0.2.1", "192.0.2.1", true},
	{"0.0.0.0/0", "0.0.0.0", true},
	{"2001:db8::/32", "2001:db8::", true},
	{"::ffff:192.0.2.0/120", "192.0.2.0", true},
	{"192.0.2.1/24", NULL, false},
	{"192.0.2.0/33", NULL, false},
	{"192.0.2.0/", NULL, false},
	{"192.0.2.0/-1", NULL, false},
	{"2001:db8::1/32", NULL, false},
	{"192.0.2", NULL, false},
	{"", NULL, false},
};

START_TEST(networks_are_read_strictly)
{
	struct mxw_network net;
	char text[MXW_IP_TEXT_MAX];
	mxw_status_t status = mxw_network_parse(networks[_i].text, &net);

	ck_assert_int_eq(status, networks[_i].ok ? MXW_OK : MXW_ERR_INVALID);
	if (networks[_i].ok)
		ck_assert_str_eq(mxw_ip_format(&net.ip, text), networks[_i].canonical);
}
END_TEST

static const struct {
	const char *net, *ip;
	bool inside;
} members[] = {
	{"192.0.2.0/24", "192.0.2.255", true},
	{"192.0.2.0/24", "192.0.3.0", false},
	{"192.0.2.128/25", "192.0.2.127", false},
	{"0.0.0.0/0", "203.0.113.9", true},
	{"0.0.0.0/0", "2001:db8::1", false},
	{"2001:db8::/33", "2001:db8:7fff::1", true},
	{"2001:db8::/33", "2001:db8:8000::1", false},
	{"192.0.2.0/24", "::ffff:192.0.2.7", true},
};

START_TEST(network_membership)
{
	struct mxw_network net;
	struct mxw_ip ip;

	ck_assert_int_eq(mxw_network_parse(members[_i].net, &net), MXW_OK);
	ck_assert_int_eq(mxw_ip_parse(members[_i].ip, &ip), MXW_OK);
	ck_assert_int_eq(mxw_network_contains(&net, &ip), members[_i].inside);
}
END_TEST

START_TEST(units_are_required_and_overflow_is_refused)
{
	uint64_t v = 42;

	ck_assert(mxw__parse_duration("3s", &v) && v == 3000);
	ck_assert(mxw__parse_duration("500ms", &v) && v == 500);
	ck_assert(mxw__parse_duration("2w", &v) && v == 1209600000);
	ck_assert(mxw__parse_duration("0", &v) && v == 0);
	ck_assert(!mxw__parse_duration("3", &v));
	ck_assert(!mxw__parse_duration("-3s", &v));
	ck_assert(!mxw__parse_duration("s", &v));
	ck_assert(!mxw__parse_duration("99999999999999999999s", &v));
	ck_assert(!mxw__parse_duration("18446744073709551615w", &v));
	ck_assert(mxw__parse_size("10M", &v) && v == 10485760);
	ck_assert(mxw__parse_size("7", &v) && v == 7);
	ck_assert(!mxw__parse_size("7k", &v));
	ck_assert(!mxw__parse_size("7MB", &v));
}
END_TEST

START_TEST(hash_is_siphash_1_3)
{
	/* Values of the reference implementation for key 00 01 .. 0f and input 00 01 .. n-1. */
	struct mxw__hashkey key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
	unsigned char in[16];

	for (unsigned i = 0; i < sizeof in; i++)
		in[i] = (unsigned char)i;
	ck_assert_uint_eq(mxw__hash(&key, in, 0), 0xabac0158050fc4dcULL);
	ck_assert_uint_eq(mxw__hash(&key, in, 1), 0xc9f49bf37d57ca93ULL);
	ck_assert_uint_ne(mxw__hash(&key, in, 15), mxw__hash(&key, in, 16));
}
END_TEST

START_TEST(a_secret_that_others_may_read_is_refused_by_path)
{
	char path[] = "/tmp/mxw-secret-XXXXXX";
	int fd = mkstemp(path);
	char *secret = NULL;
	struct mxw_error err;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "hunter2\nrest", 12), 12);
	ck_assert_int_eq(fchmod(fd, 0640), 0);
	ck_assert_int_eq(mxw__file_read_secret(path, &secret, &err), MXW_OK);
	ck_assert_str_eq(secret, "hunter2");
	mxw__free_secret(secret);
	secret = NULL;
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	ck_assert_int_eq(mxw__file_read_secret(path, &secret, &err), MXW_ERR_CONF);
	ck_assert_ptr_null(secret);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_ptr_null(strstr(err.text, "hunter2"));
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(domains_match_at_label_boundaries)
{
	ck_assert(mxw__domain_is_below("example.net", "EXAMPLE.net"));
	ck_assert(mxw__domain_is_below("mx.example.net", "example.net"));
	ck_assert(!mxw__domain_is_below("badexample.net", "example.net"));
	ck_assert(!mxw__domain_is_below("net", "example.net"));
}
END_TEST

static const struct {
	const char *address, *name;
} reverse_names[] = {
	{"192.0.2.1", "1.2.0.192.in-addr.arpa"},
	{"255.255.255.255", "255.255.255.255.in-addr.arpa"},
	{"::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa"},
	{"2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
};

START_TEST(the_reverse_name_of_an_address)
{
	char name[MXW__REVERSE_NAME_MAX];
	struct mxw_ip ip;

	ck_assert_int_eq(mxw_ip_parse(reverse_names[_i].address, &ip), MXW_OK);
	ck_assert_str_eq(mxw__ip_reverse_name(&ip, name), reverse_names[_i].name);
}
END_TEST

START_TEST(no_address_has_no_reverse_name)
{
	char name[MXW__REVERSE_NAME_MAX], reversed[MXW__IP_REVERSED_MAX];
	struct mxw_ip none = {0};

	ck_assert_str_eq(mxw__ip_reverse_name(&none, name), "");
	ck_assert_str_eq(mxw__ip_reversed(&none, reversed), "");
}
END_TEST

static const struct {
	const char *address;
	mxw__ip_reach_t reach;
} reaches[] = {
	{"127.0.0.1", MXW__IP_LOOPBACK}, {"127.255.0.9", MXW__IP_LOOPBACK}, {"::1", MXW__IP_LOOPBACK},
	{"::ffff:127.0.0.1", MXW__IP_LOOPBACK}, {"0.0.0.0", MXW__IP_PRIVATE}, {"10.1.2.3", MXW__IP_PRIVATE},
	{"100.64.0.1", MXW__IP_PRIVATE}, {"100.128.0.1", MXW__IP_PUBLIC}, {"169.254.1.1", MXW__IP_PRIVATE},
	{"172.16.0.1", MXW__IP_PRIVATE}, {"172.32.0.1", MXW__IP_PUBLIC}, {"192.168.9.9", MXW__IP_PRIVATE},
	{"192.0.0.8", MXW__IP_PRIVATE}, {"192.0.2.8", MXW__IP_PRIVATE}, {"192.0.1.8", MXW__IP_PUBLIC},
	{"198.19.255.255", MXW__IP_PRIVATE}, {"198.51.100.1", MXW__IP_PRIVATE}, {"203.0.113.7", MXW__IP_PRIVATE},
	{"224.0.0.1", MXW__IP_PRIVATE}, {"240.0.0.1", MXW__IP_PRIVATE}, {"255.255.255.255", MXW__IP_PRIVATE},
	{"223.255.255.1", MXW__IP_PUBLIC}, {"8.8.8.8", MXW__IP_PUBLIC}, {"::", MXW__IP_PRIVATE},
	{"64:ff9b::1", MXW__IP_PRIVATE}, {"100::1", MXW__IP_PRIVATE}, {"fc00::1", MXW__IP_PRIVATE},
	{"fdff::1", MXW__IP_PRIVATE}, {"fe80::1", MXW__IP_PRIVATE}, {"fec0::1", MXW__IP_PRIVATE},
	{"ff02::1", MXW__IP_PRIVATE}, {"2001:db8::1", MXW__IP_PRIVATE}, {"3fff:fff::1", MXW__IP_PRIVATE},
	{"2001:500::1", MXW__IP_PUBLIC}, {"2a00::1", MXW__IP_PUBLIC},
};

START_TEST(which_addresses_hosts_elsewhere_can_have)
{
	struct mxw_ip ip;

	ck_assert_int_eq(mxw_ip_parse(reaches[_i].address, &ip), MXW_OK);
	ck_assert_msg(mxw__ip_reach(&ip) == reaches[_i].reach, "%s", reaches[_i].address);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *tc = tcase_create("base");

	tcase_add_test(tc, arena_gives_zeroed_memory_up_to_its_limit);
	tcase_add_test(tc, buffer_keeps_what_it_had_when_it_is_full);
	tcase_add_test(tc, formatted_text_fits_whatever_room_was_left);
	tcase_add_loop_test(tc, log_values_cannot_forge_a_key_or_a_line, 0, MXW_ARRAY_LEN(log_values));
	tcase_add_test(tc, log_values_are_cut);
	tcase_add_loop_test(tc, networks_are_read_strictly, 0, MXW_ARRAY_LEN(networks));
	tcase_add_loop_test(tc, network_membership, 0, MXW_ARRAY_LEN(members));
	tcase_add_loop_test(tc, the_reverse_name_of_an_address, 0, MXW_ARRAY_LEN(reverse_names));
	tcase_add_test(tc, no_address_has_no_reverse_name);
	tcase_add_loop_test(tc, which_addresses_hosts_elsewhere_can_have, 0, MXW_ARRAY_LEN(reaches));
	tcase_add_test(tc, units_are_required_and_overflow_is_refused);
	tcase_add_test(tc, hash_is_siphash_1_3);
	tcase_add_test(tc, a_secret_that_others_may_read_is_refused_by_path);
	tcase_add_test(tc, domains_match_at_label_boundaries);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
