/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, zone-style files, local data, records from their octets: all of src/dns that asks nobody. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/dns/dns.h"
#include "t/fakes/suite.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"
#define L61 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1"

static const struct {
	const char *in, *out; /* NULL: no such name can exist */
} names[] = {
	{"Example.ORG", "example.org"},
	{"example.org.", "example.org"},
	{"", ""},
	{".", ""},
	{"..", NULL},
	{".org", NULL},
	{"a..b", NULL},
	{"a.b..", NULL},
	{L63 ".org", L63 ".org"},
	{L63 "x.org", NULL},
	{L63 "." L63 "." L63 "." L61, L63 "." L63 "." L63 "." L61},
	{L63 "." L63 "." L63 "." L61 ".", L63 "." L63 "." L63 "." L61},
	{L63 "." L63 "." L63 "." L61 "x", NULL},
	{"a b.org", "a\\032b.org"},
	{"\xc3\xa4.org", "\\195\\164.org"},
	{"a\\.b.org", "a\\046b.org"},
	{"a\\046b.org", "a\\046b.org"},
	{"\\097.org", "a.org"},
	{"\\000.org", "\\000.org"},
	{"a\\\\b.org", "a\\092b.org"},
	{"a\\256.org", NULL},
	{"a\\25", NULL},
	{"a\\", NULL},
	{"_dmarc.example.org", "_dmarc.example.org"},
	{"@.example", "@.example"},
};

START_TEST(names_have_one_form)
{
	char text[MXW__DNS_TEXT_MAX];
	bool ok = mxw__dns_name_normalise(names[_i].in, text);

	ck_assert_int_eq(ok, names[_i].out != NULL);
	if (ok)
		ck_assert_str_eq(text, names[_i].out);
}
END_TEST

START_TEST(malformed_wire_names_are_refused)
{
	static const struct {
		size_t len;
		const char *wire;
	} rows[] = {
		{0, ""}, {1, "\1"}, {2, "\1a"}, {3, "\300\14"}, {4, "\100abc"}, {3, "\3ab"},
	};
	char text[MXW__DNS_TEXT_MAX];
	uint8_t longest[300];
	size_t used;

	for (size_t i = 0; i < MXW_ARRAY_LEN(rows); i++)
		ck_assert(!mxw__dns_name_from_wire((const uint8_t *)rows[i].wire, rows[i].len, text, &used));
	memset(longest, 1, sizeof(longest));
	ck_assert(!mxw__dns_name_from_wire(longest, sizeof(longest), text, &used));
	longest[254] = 0;
	ck_assert(mxw__dns_name_from_wire(longest, sizeof(longest), text, &used));
	ck_assert_uint_eq(used, 255);
}
END_TEST

START_TEST(the_name_above_is_found)
{
	const char *name = "a\\046b.example.org";

	ck_assert_str_eq(name = mxw__dns_name_parent(name), "example.org");
	ck_assert_str_eq(name = mxw__dns_name_parent(name), "org");
	ck_assert_str_eq(name = mxw__dns_name_parent(name), "");
	ck_assert_ptr_null(mxw__dns_name_parent(name));
}
END_TEST

/* ---- zone-style files ---- */

static mxw_status_t collect(void *ctx, const struct mxw__zone_rr *rr, struct mxw_error *err)
{
	mxw__buf_addf(ctx, "%s %u %s ", rr->owner, rr->ttl_s, mxw__dns_type_name(rr->type));
	for (size_t i = 0; i < rr->rdlen; i++)
		mxw__buf_addf(ctx, "%02x", rr->rdata[i]);
	mxw__buf_addc(ctx, '\n');
	return MXW_OK;
}

static const struct {
	const char *what, *text, *out;
} zones[] = {
	{"plain", "example.org A 192.0.2.1\n", "example.org 3600 A c0000201\n"},
	{"no newline at the end", "example.org A 192.0.2.1", "example.org 3600 A c0000201\n"},
	{"ttl and class", "a 60 IN A 192.0.2.1\nb IN 1h30m A 192.0.2.2\n", "a 60 A c0000201\nb 5400 A c0000202\n"},
	{"$TTL and $ORIGIN", "$TTL 5m\n$ORIGIN Example.\na A 192.0.2.1\n@ A 192.0.2.2\nb.test. A 192.0.2.3\n",
	 "a.example 300 A c0000201\nexample 300 A c0000202\nb.test 300 A c0000203\n"},
	{"relative $ORIGIN", "$ORIGIN example.\n$ORIGIN sub\na A 192.0.2.1\n", "a.sub.example 3600 A c0000201\n"},
	{"owner of the record before", "a A 192.0.2.1\n\n ; remark\n\tA 192.0.2.2 ; remark\n",
	 "a 3600 A c0000201\na 3600 A c0000202\n"},
	{"MX and names", "$ORIGIN e.\n@ MX 10 m\n@ MX 0 .\n1 PTR M.E.\n",
	 "e 3600 MX 000a016d016500\ne 3600 MX 000000\n1.e 3600 PTR 016d016500\n"},
	{"TXT of several strings", "t TXT \"a;(b\" c \"\" \"d\\\"\\000\\255\"\n",
	 "t 3600 TXT 04613b286201630004642200ff\n"},
	{"AAAA", "a AAAA 2001:db8::1\na AAAA ::ffff:192.0.2.1\n",
	 "a 3600 AAAA 20010db8000000000000000000000001\na 3600 AAAA 00000000000000000000ffffc0000201\n"},
	{"parentheses", "e SOA n r ( 1 ; serial\n 1h 2 3\n 4 )\na A 192.0.2.1\n",
	 "e 3600 SOA 016e0001720000000001" "00000e10" "00000002" "00000003" "00000004" "\na 3600 A c0000201\n"},
	{"CRLF", "a A 192.0.2.1\r\nb A 192.0.2.2\r\n", "a 3600 A c0000201\nb 3600 A c0000202\n"},
	{"escaped dot", "a\\.b A 192.0.2.1\nx\\. A 192.0.2.1\n", "a\\046b 3600 A c0000201\nx\\046 3600 A c0000201\n"},
	{"empty", "; nothing\n\n", ""},
};

START_TEST(zone_files_are_read)
{
	struct mxw__buf buf;
	struct mxw_error err = {0};
	const struct mxw__zone_sink sink = {.record = collect, .ctx = &buf};

	mxw__buf_init(&buf, 10000);
	mxw_status_t status = mxw__zone_parse("z", zones[_i].text, strlen(zones[_i].text), &sink, &err);
	ck_assert_msg(status == MXW_OK, "%s: %u:%u %s", zones[_i].what, err.line, err.column, err.text);
	ck_assert_msg(strcmp(mxw__buf_str(&buf), zones[_i].out) == 0, "%s: got %s", zones[_i].what,
		      mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
}
END_TEST

static const struct {
	const char *text;
	unsigned line, column;
	const char *part; /* of the complaint */
} bad_zones[] = {
	{"a A 192.0.2.1\nb A 192.0.2\n", 2, 5, "not an IPv4 address"},
	{"a A 2001:db8::1\n", 1, 5, "not an IPv4 address"},
	{"a AAAA 192.0.2.1\n", 1, 8, "not an IPv6 address"},
	{"a AAAA 1234567890123456789012345678901234567890123456789012345\n", 1, 8, "not an IPv6 address"},
	{"a SRV 1 2 3 b\n", 1, 3, "unknown type"},
	{"a\n", 1, 1, "without a type"},
	{"a A\n", 1, 3, "data is missing"},
	{"a A 192.0.2.1 x\n", 1, 15, "more than"},
	{" A 192.0.2.1\n", 1, 2, "no owner"},
	{"a..b A 192.0.2.1\n", 1, 1, "not a domain name"},
	{"a MX x y\n", 1, 6, "not a number"},
	{"a MX 65536 y\n", 1, 6, "too large"},
	{"a MX 10 y..z\n", 1, 9, "not a domain name"},
	{"a TXT \"b\n", 1, 7, "without its end"},
	{"a TXT \\300\n", 1, 7, "over 255"},
	{"a TXT \\3\n", 1, 7, "three digits"},
	{"a TXT (b\n", 2, 1, "inside parentheses"},
	{"a TXT b)\n", 1, 8, "without an opening"},
	{"a TXT ((b))\n", 1, 8, "inside parentheses"},
	{"$INCLUDE x\n", 1, 1, "unknown directive"},
	{"$TTL x\n", 1, 6, "not a TTL"},
	{"$TTL 99999999999\n", 1, 6, "not a TTL"},
	{"a TXT !timeout\n", 1, 7, "not the data"},
	{"a CH TXT b\n", 1, 3, "unknown type"},
};

START_TEST(mistakes_in_zone_files_are_named_with_their_place)
{
	struct mxw__buf buf;
	struct mxw_error err = {0};
	const struct mxw__zone_sink sink = {.record = collect, .ctx = &buf};

	mxw__buf_init(&buf, 10000);
	ck_assert_int_eq(mxw__zone_parse("z", bad_zones[_i].text, strlen(bad_zones[_i].text), &sink, &err),
			 MXW_ERR_CONF);
	ck_assert_str_eq(err.file, "z");
	ck_assert_uint_eq(err.line, bad_zones[_i].line);
	ck_assert_msg(err.column == bad_zones[_i].column && strstr(err.text, bad_zones[_i].part), "%s -> %u: %s",
		      bad_zones[_i].text, err.column, err.text);
	mxw__buf_fini(&buf);
}
END_TEST

START_TEST(a_string_holds_255_octets_and_no_more)
{
	struct mxw__buf buf;
	char text[400];
	const struct mxw__zone_sink sink = {.record = collect, .ctx = &buf};

	mxw__buf_init(&buf, 10000);
	memset(text, 'x', sizeof(text));
	memcpy(text, "a TXT ", 6);
	ck_assert_int_eq(mxw__zone_parse("z", text, 6 + 255, &sink, NULL), MXW_OK);
	ck_assert_int_eq(mxw__zone_parse("z", text, 6 + 256, &sink, NULL), MXW_ERR_CONF);
	mxw__buf_fini(&buf);
}
END_TEST

/* ---- local data ---- */

static const char local_zone[] =
	"$ORIGIN example.\n"
	"@ SOA ns host 1 2 3 4 5\n"
	"@ MX 20 mx2\n"
	"@ MX 10 MX1\n"
	"mx1 A 192.0.2.1\n"
	"mx1 A 192.0.2.2\n"
	"mx1 A 192.0.2.1\n"
	"www CNAME mx1\n"
	"far CNAME elsewhere.test.\n"
	"loop1 CNAME loop2\n"
	"loop2 CNAME loop1\n"
	"a.b.deep TXT x\n"
	"*.wild 60 A 192.0.2.9\n"
	"here.wild TXT y\n";

static mxw_status_t add_record(void *ctx, const struct mxw__zone_rr *rr, struct mxw_error *err)
{
	return mxw__localdata_add(ctx, rr, err);
}

static mxw__localdata_t *make_local(const char *text)
{
	mxw__localdata_t *local = mxw__localdata_new();
	const struct mxw__zone_sink sink = {.record = add_record, .ctx = local};

	ck_assert_ptr_nonnull(local);
	ck_assert_int_eq(mxw__zone_parse("z", text, strlen(text), &sink, NULL), MXW_OK);
	return local;
}

static const struct {
	const char *name;
	uint16_t type;
	mxw_outcome_t outcome;
	int rcode;
	size_t n;
	const char *elsewhere; /* what remains to be asked when others may be asked; NULL: nothing */
} local_rows[] = {
	{"mx1.example", MXW_DNS_A, MXW_FOUND, 0, 2, NULL},
	{"example", MXW_DNS_MX, MXW_FOUND, 0, 2, NULL},
	{"example", MXW_DNS_TXT, MXW_NOT_FOUND, 0, 0, NULL},
	{"www.example", MXW_DNS_A, MXW_FOUND, 0, 2, NULL},
	{"www.example", MXW_DNS_CNAME, MXW_FOUND, 0, 1, NULL},
	{"www.example", MXW_DNS_TXT, MXW_NOT_FOUND, 0, 0, NULL},
	{"far.example", MXW_DNS_A, MXW_NOT_FOUND, 3, 0, "elsewhere.test"},
	{"loop1.example", MXW_DNS_A, MXW_TEMPORARY, 2, 0, NULL},
	{"nosuch.example", MXW_DNS_A, MXW_NOT_FOUND, 3, 0, "nosuch.example"},
	{"b.deep.example", MXW_DNS_A, MXW_NOT_FOUND, 0, 0, "b.deep.example"},
	{"x.wild.example", MXW_DNS_A, MXW_FOUND, 0, 1, NULL},
	{"x.y.wild.example", MXW_DNS_A, MXW_FOUND, 0, 1, NULL},
	{"x.wild.example", MXW_DNS_TXT, MXW_NOT_FOUND, 0, 0, NULL},
	{"here.wild.example", MXW_DNS_A, MXW_NOT_FOUND, 0, 0, NULL},
	{"wild.example", MXW_DNS_A, MXW_NOT_FOUND, 0, 0, "wild.example"},
	{"", MXW_DNS_NS, MXW_NOT_FOUND, 0, 0, ""},
};

START_TEST(local_data_answers_as_a_server_would)
{
	char rest[MXW__DNS_TEXT_MAX];
	mxw__localdata_t *local = make_local(local_zone);
	mxw_dns_answer_t *answer = mxw__localdata_find(local, local_rows[_i].name, local_rows[_i].type, true, rest);

	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(answer->outcome, local_rows[_i].outcome);
	ck_assert_int_eq(answer->rcode, local_rows[_i].rcode);
	ck_assert_uint_eq(answer->nrecords, local_rows[_i].n);
	mxw_dns_answer_unref(answer);

	answer = mxw__localdata_find(local, local_rows[_i].name, local_rows[_i].type, false, rest);
	if (local_rows[_i].elsewhere) {
		ck_assert_ptr_null(answer);
		ck_assert_str_eq(rest, local_rows[_i].elsewhere);
	} else {
		ck_assert_ptr_nonnull(answer);
	}
	mxw_dns_answer_unref(answer);
	mxw__localdata_free(local);
}
END_TEST

START_TEST(local_records_have_their_values)
{
	char rest[MXW__DNS_TEXT_MAX];
	mxw__localdata_t *local = make_local(local_zone);
	mxw_dns_answer_t *answer = mxw__localdata_find(local, "example", MXW_DNS_MX, true, rest);

	ck_assert_uint_eq(answer->records[0].preference, 20);
	ck_assert_str_eq(answer->records[1].name, "mx1.example");
	ck_assert_uint_eq(answer->ttl_s, 3600);
	mxw_dns_answer_unref(answer);
	answer = mxw__localdata_find(local, "q.wild.example", MXW_DNS_A, true, rest);
	ck_assert_uint_eq(answer->ttl_s, 60);
	ck_assert_mem_eq(answer->records[0].data, "\300\0\2\11", 4);
	mxw_dns_answer_unref(answer);
	mxw__localdata_free(local);
}
END_TEST

START_TEST(a_cname_beside_other_data_is_a_mistake)
{
	char path[] = "/tmp/mxw-dns-XXXXXX";
	int fd = mkstemp(path);
	const char text[] = "a A 192.0.2.1\n\na CNAME b\n";
	struct mxw_error err = {0};
	mxw__localdata_t *local = mxw__localdata_new();

	ck_assert_int_eq(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	ck_assert_int_eq(mxw__localdata_load(local, path, &err), MXW_ERR_CONF);
	ck_assert_str_eq(err.file, path);
	ck_assert_uint_eq(err.line, 3);
	unlink(path);
	ck_assert_int_eq(mxw__localdata_load(local, path, &err), MXW_ERR_CONF);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	mxw__localdata_free(local);
}
END_TEST

START_TEST(a_thousand_names_are_all_found)
{
	char rest[MXW__DNS_TEXT_MAX], name[64];
	mxw__localdata_t *local = mxw__localdata_new();
	const uint8_t ip[4] = {192, 0, 2, 1};

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		struct mxw__zone_rr rr = {name, MXW_DNS_A, 60, ip, 4};
		ck_assert_int_eq(mxw__localdata_add(local, &rr, NULL), MXW_OK);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		mxw_dns_answer_t *answer = mxw__localdata_find(local, name, MXW_DNS_A, true, rest);
		ck_assert_int_eq(answer->outcome, MXW_FOUND);
		mxw_dns_answer_unref(answer);
	}
	mxw__localdata_free(local);
}
END_TEST

/* ---- records from octets ---- */

#define ITEM(s) {(const uint8_t *)(s), sizeof(s) - 1}

static const struct {
	const char *what;
	uint16_t type;
	struct mxw__rdata item;
	bool ok;
	const char *name;
	size_t len;
} rdata_rows[] = {
	{"A", MXW_DNS_A, ITEM("\300\0\2\1"), true, NULL, 4},
	{"short A", MXW_DNS_A, ITEM("\300\0\2"), false, NULL, 0},
	{"long A", MXW_DNS_A, ITEM("\300\0\2\1\1"), false, NULL, 0},
	{"PTR", MXW_DNS_PTR, ITEM("\4MaIl\3org\0"), true, "mail.org", 0},
	{"PTR to a strange label", MXW_DNS_PTR, ITEM("\3a.b\3o\0g\0"), true, "a\\046b.o\\000g", 0},
	{"PTR with a rest", MXW_DNS_PTR, ITEM("\1a\0x"), false, NULL, 0},
	{"PTR with a pointer", MXW_DNS_PTR, ITEM("\1a\300\14"), false, NULL, 0},
	{"MX", MXW_DNS_MX, ITEM("\0\12\1a\0"), true, "a", 0},
	{"null MX", MXW_DNS_MX, ITEM("\0\0\0"), true, "", 0},
	{"MX without name", MXW_DNS_MX, ITEM("\0\12"), false, NULL, 0},
	{"TXT", MXW_DNS_TXT, ITEM("\2ab\0\3c\0d"), true, NULL, 5},
	{"empty TXT", MXW_DNS_TXT, ITEM("\0"), true, NULL, 0},
	{"TXT without string", MXW_DNS_TXT, ITEM(""), false, NULL, 0},
	{"TXT cut short", MXW_DNS_TXT, ITEM("\2ab\3cd"), false, NULL, 0},
};

START_TEST(records_are_read_strictly)
{
	mxw_dns_answer_t *answer = mxw__dns_answer_from_rdata(rdata_rows[_i].type, &rdata_rows[_i].item, 1, 60);

	ck_assert_msg(answer->outcome == (rdata_rows[_i].ok ? MXW_FOUND : MXW_TEMPORARY), "%s", rdata_rows[_i].what);
	if (rdata_rows[_i].ok) {
		ck_assert_uint_eq(answer->records[0].len, rdata_rows[_i].len);
		if (rdata_rows[_i].name)
			ck_assert_str_eq(answer->records[0].name, rdata_rows[_i].name);
		else
			ck_assert_ptr_null(answer->records[0].name);
	}
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(malformed_records_do_not_hide_good_ones)
{
	static const struct mxw__rdata items[] = {ITEM("\4ab"), ITEM("\2ab\2cd"), ITEM(""), ITEM("\1x")};
	mxw_dns_answer_t *answer = mxw__dns_answer_from_rdata(MXW_DNS_TXT, items, MXW_ARRAY_LEN(items), 60);

	ck_assert_uint_eq(answer->nrecords, 2);
	ck_assert_mem_eq(answer->records[0].data, "abcd", 5);
	ck_assert_mem_eq(answer->records[1].data, "x", 2);
	mxw_dns_answer_unref(mxw_dns_answer_ref(answer));
	mxw_dns_answer_unref(answer);
}
END_TEST

START_TEST(fixed_answers_survive_any_unref)
{
	for (int i = 0; i < 3; i++)
		mxw_dns_answer_unref(mxw__dns_answer_static(MXW__DNS_OVER_BUDGET));
	ck_assert(mxw__dns_answer_static(MXW__DNS_OVER_BUDGET)->is_over_budget);
	ck_assert_int_eq(mxw__dns_answer_static(MXW__DNS_NO_MEMORY)->outcome, MXW_TEMPORARY);
	mxw_dns_answer_unref(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_data");
	TCase *tcase = tcase_create("names");

	tcase_add_loop_test(tcase, names_have_one_form, 0, MXW_ARRAY_LEN(names));
	tcase_add_test(tcase, malformed_wire_names_are_refused);
	tcase_add_test(tcase, the_name_above_is_found);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("zone files");
	tcase_add_loop_test(tcase, zone_files_are_read, 0, MXW_ARRAY_LEN(zones));
	tcase_add_loop_test(tcase, mistakes_in_zone_files_are_named_with_their_place, 0, MXW_ARRAY_LEN(bad_zones));
	tcase_add_test(tcase, a_string_holds_255_octets_and_no_more);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("local data");
	tcase_add_loop_test(tcase, local_data_answers_as_a_server_would, 0, MXW_ARRAY_LEN(local_rows));
	tcase_add_test(tcase, local_records_have_their_values);
	tcase_add_test(tcase, a_cname_beside_other_data_is_a_mistake);
	tcase_add_test(tcase, a_thousand_names_are_all_found);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("records");
	tcase_add_loop_test(tcase, records_are_read_strictly, 0, MXW_ARRAY_LEN(rdata_rows));
	tcase_add_test(tcase, malformed_records_do_not_hide_good_ones);
	tcase_add_test(tcase, fixed_answers_survive_any_unref);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
