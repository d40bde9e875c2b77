/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/spf.h"
#include "src/auth/spf_record.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

#define FOUR "192.0.2.10"
#define SIX "2001:db8::10"

struct world {
	struct fake_clock clock;
	fake_resolver_t *dns;
	struct mxw_dns_budget budget;
	int64_t patience_ms;
	struct mxw__spf_answer answer;
};

static void world_init(struct world *w)
{
	*w = (struct world){.patience_ms = 5000};
	fake_clock_init(&w->clock);
	w->dns = fake_resolver_new(&w->clock);
}

static void world_fini(struct world *w)
{
	mxw_resolver_unref(&w->dns->resolver);
}

static mxw__spf_result_t check(struct world *w, const char *client, const char *sender, const char *helo)
{
	char local[512];
	struct mxw__spf_query query = {
		.helo = helo,
		.local = local,
		.receiver = "mx.receiver.example",
		.resolver = &w->dns->resolver,
		.budget = &w->budget,
		.deadline_ms = mxw__now_ms(&w->clock.clock) + w->patience_ms,
		.clock = &w->clock.clock,
	};
	const char *at = strrchr(sender, '@');

	ck_assert_int_eq(mxw_ip_parse(client, &query.client), MXW_OK);
	snprintf(local, sizeof(local), "%.*s", (int)(at - sender), sender);
	query.domain = at + 1;
	mxw__spf_check(&query, &w->answer);
	for (const char *p = w->answer.reason; *p; p++)
		ck_assert(*p >= 0x20 && *p <= 0x7e);
	return w->answer.result;
}

/* ---- which domains are asked at all ---- */

static const struct {
	const char *sender, *result;
} domains[] = {
	{"a@d.example", "fail"},      {"a@D.Example.", "fail"}, {"a@localhost", "none"}, {"a@[192.0.2.1]", "none"},
	{"a@d..example", "none"},     {"a@.example", "none"},   {"a@", "none"},          {"a@.", "none"},
	{"@d.example", "fail"},
	{"a@a123456789012345678901234567890123456789012345678901234567890123.d.example", "none"},
};

START_TEST(a_domain_that_can_not_exist_has_no_result)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 -all\"\n");
	ck_assert_str_eq(mxw__spf_result_name(check(&w, FOUR, domains[_i].sender, "h.example")), domains[_i].result);
	if (!strcmp(domains[_i].result, "none"))
		ck_assert_uint_eq(fake_resolver_total_sent(w.dns), 0);
	world_fini(&w);
}
END_TEST

START_TEST(a_loopback_client_gets_no_free_pass)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 -all\"\n");
	ck_assert_int_eq(check(&w, "127.0.0.1", "a@d.example", "h.example"), MXW__SPF_FAIL);
	ck_assert_int_eq(check(&w, "::1", "a@d.example", "h.example"), MXW__SPF_FAIL);
	ck_assert_int_eq(check(&w, "127.0.0.1", "a@none.example", "h.example"), MXW__SPF_NONE);
	world_fini(&w);
}
END_TEST

/* ---- macros ---- */

static const char *validated(void *ctx MXW_UNUSED, const char *current MXW_UNUSED)
{
	return "mx.example.org";
}

/* RFC 7208 section 7.4. */
static const struct {
	const char *client, *spec, *expanded;
} macros[] = {
	{"192.0.2.3", "%{s}", "strong-bad@email.example.com"},
	{"192.0.2.3", "%{o}", "email.example.com"},
	{"192.0.2.3", "%{d}", "email.example.com"},
	{"192.0.2.3", "%{d4}", "email.example.com"},
	{"192.0.2.3", "%{d3}", "email.example.com"},
	{"192.0.2.3", "%{d2}", "example.com"},
	{"192.0.2.3", "%{d1}", "com"},
	{"192.0.2.3", "%{dr}", "com.example.email"},
	{"192.0.2.3", "%{d2r}", "example.email"},
	{"192.0.2.3", "%{l}", "strong-bad"},
	{"192.0.2.3", "%{l-}", "strong.bad"},
	{"192.0.2.3", "%{lr}", "strong-bad"},
	{"192.0.2.3", "%{lr-}", "bad.strong"},
	{"192.0.2.3", "%{l1r-}", "strong"},
	{"192.0.2.3", "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
	{"192.0.2.3", "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
	{"192.0.2.3", "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
	{"192.0.2.3", "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
	{"192.0.2.3", "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
	{"2001:db8::cb01", "%{ir}.%{v}._spf.%{d2}",
	 "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"},
	/* further ones */
	{"192.0.2.3", "%{S}", "strong-bad%40email.example.com"},
	{"192.0.2.3", "%{H}", "mail%2Bx.example.org"},
	{"192.0.2.3", "%{h2+.-}.x", "example.org.x"},
	{"192.0.2.3", "%{p}", "mx.example.org"},
	{"192.0.2.3", "%{L1R-}", "strong"},
	{"192.0.2.3", "%{d99999999999999999999}", "email.example.com"},
	{"192.0.2.3", "x.%{d}.example.", "x.email.example.com.example"},
	{"192.0.2.3", "x.%{d}.", NULL},
	{"192.0.2.3", "%%%_%-", "% %20"},
	{"192.0.2.3", "%{s2@}", NULL},
	{"192.0.2.3", "%{d2", NULL},
	{"192.0.2.3", "%{}", NULL},
	{"192.0.2.3", "%{i}%", NULL},
};

START_TEST(macros_expand_as_in_the_rfc)
{
	struct mxw__spf_macros values = {
		.local = "strong-bad",
		.domain = "email.example.com",
		.current = "email.example.com",
		.helo = "mail+x.example.org",
		.validated = validated,
	};
	char name[MXW__SPF_MAX_NAME + 1];
	const char *spec = macros[_i].spec;

	ck_assert_int_eq(mxw_ip_parse(macros[_i].client, &values.client), MXW_OK);
	ck_assert_int_eq(mxw__spf_domain_spec_is_valid(spec, strlen(spec)), macros[_i].expanded != NULL);
	if (!macros[_i].expanded)
		return;
	mxw__spf_expand(&values, spec, strlen(spec), name);
	ck_assert_str_eq(name, macros[_i].expanded);
}
END_TEST

START_TEST(a_long_name_loses_labels_at_its_left)
{
	struct mxw__spf_macros values = {.local = "l", .domain = "d", .helo = "h", .validated = validated};
	char name[MXW__SPF_MAX_NAME + 1], current[64], spec[4096] = "";

	memset(current, 'c', 50);
	strcpy(current + 50, ".example");
	values.current = current;
	for (int i = 0; i < 500; i++)
		strcat(spec, "%{d}.");
	strcat(spec, "end.example");
	mxw__spf_expand(&values, spec, strlen(spec), name);
	/* 11 octets for the end, 59 for each of the others with its dot: four fit. */
	ck_assert_uint_eq(strlen(name), 4 * 59 + 11);
	ck_assert_mem_eq(name, current, 58);
	memset(spec, 'x', 400);
	spec[400] = '\0';
	mxw__spf_expand(&values, spec, 400, name);
	ck_assert_str_eq(name, "");
}
END_TEST

/* ---- limits ---- */

START_TEST(ten_terms_are_counted_over_all_records)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "t10.example TXT \"v=spf1 a include:i.example ip4:192.0.2.10 -all\"\n"
				    "t11.example TXT \"v=spf1 a include:i.example a ip4:192.0.2.10 -all\"\n"
				    "i.example TXT \"v=spf1 a a a a a a a a\"\n"
				    "t10.example A 198.51.100.1\nt11.example A 198.51.100.1\ni.example A 198.51.100.1\n"
				    "loop.example TXT \"v=spf1 redirect=loop.example\"\n"
				    "ping.example TXT \"v=spf1 include:pong.example\"\n"
				    "pong.example TXT \"v=spf1 include:ping.example\"\n");
	ck_assert_int_eq(check(&w, FOUR, "a@t10.example", "h.example"), MXW__SPF_PASS);
	ck_assert_int_eq(check(&w, FOUR, "a@t11.example", "h.example"), MXW__SPF_PERMERROR);
	ck_assert_int_eq(check(&w, FOUR, "a@loop.example", "h.example"), MXW__SPF_PERMERROR);
	ck_assert_int_eq(check(&w, FOUR, "a@ping.example", "h.example"), MXW__SPF_PERMERROR);
	world_fini(&w);
}
END_TEST

START_TEST(a_tree_of_includes_causes_eleven_look_ups_at_most)
{
	struct world w;
	char line[256];

	world_init(&w);
	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof(line),
			 "n%d.example TXT \"v=spf1 include:n%d.example include:x%d.example include:y%d.example\"\n", i, i + 1, i, i);
		fake_resolver_script(w.dns, line);
	}
	ck_assert_int_eq(check(&w, FOUR, "a@n0.example", "h.example"), MXW__SPF_PERMERROR);
	ck_assert_uint_le(fake_resolver_total_asks(w.dns), 11);
	/* What is begun early stays within the same order. */
	ck_assert_uint_le(fake_resolver_total_sent(w.dns), 33);
	world_fini(&w);
}
END_TEST

START_TEST(two_terms_may_find_nothing)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "v2.example TXT \"v=spf1 a:n1.example mx:n2.example ?all\"\n"
				    "v3.example TXT \"v=spf1 a:n1.example mx:n2.example exists:n3.example ?all\"\n"
				    "v4.example TXT \"v=spf1 include:v5.example a:n3.example ?all\"\n"
				    "v5.example TXT \"v=spf1 ptr a/0 ?all\"\n");
	ck_assert_int_eq(check(&w, FOUR, "a@v2.example", "h.example"), MXW__SPF_NEUTRAL);
	ck_assert_int_eq(check(&w, FOUR, "a@v3.example", "h.example"), MXW__SPF_PERMERROR);
	ck_assert_int_eq(check(&w, FOUR, "a@v4.example", "h.example"), MXW__SPF_PERMERROR);
	world_fini(&w);
}
END_TEST

/* libspf2 alone silently drops what lies beyond 511 compiled octets, and counts mechanisms in eight bits. */
START_TEST(a_long_record_keeps_its_end)
{
	struct world w;
	struct mxw__buf zone;

	world_init(&w);
	mxw__buf_init(&zone, 100000);
	mxw__buf_adds(&zone, "d.example TXT");
	mxw__buf_adds(&zone, " \"v=spf1 \"");
	for (int i = 0; i < 300; i++)
		mxw__buf_addf(&zone, " \"ip4:198.51.%d.%d \"", i / 256, i % 256);
	mxw__buf_adds(&zone, " \"ip4:192.0.2.10 -all\"\n");
	fake_resolver_script(w.dns, mxw__buf_str(&zone));
	ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), MXW__SPF_PASS);
	ck_assert_int_eq(check(&w, "192.0.2.11", "a@d.example", "h.example"), MXW__SPF_FAIL);
	mxw__buf_fini(&zone);
	world_fini(&w);
}
END_TEST

START_TEST(a_record_that_is_too_long_is_an_error)
{
	static uint8_t data[MXW__SPF_MAX_RECORD + 1];
	struct mxw__spf_record record;
	struct mxw_ip client = {.family = 4};
	struct mxw_error err = {0};

	memset(data, ' ', sizeof(data));
	memcpy(data, "v=spf1", 6);
	ck_assert_int_eq(mxw__spf_record_parse(data, sizeof(data) - 1, &client, &record, &err), MXW_OK);
	ck_assert_int_eq(mxw__spf_record_parse(data, sizeof(data), &client, &record, &err), MXW_ERR_INVALID);
}
END_TEST

START_TEST(terms_of_thousands_of_octets_do_no_harm)
{
	struct world w;
	struct mxw__buf zone;

	world_init(&w);
	mxw__buf_init(&zone, 100000);
	mxw__buf_adds(&zone, "d.example TXT \"v=spf1 \" \"exists:\"");
	for (int i = 0; i < 400; i++)
		mxw__buf_adds(&zone, " \"%{sr-}.%{i}.%{H}.xxxxxxxx\"");
	mxw__buf_adds(&zone, " \".example -all\"\n");
	fake_resolver_script(w.dns, mxw__buf_str(&zone));
	ck_assert_int_eq(check(&w, FOUR, "a-b@d.example", "h.example"), MXW__SPF_FAIL);
	mxw__buf_fini(&zone);
	world_fini(&w);
}
END_TEST

/* The explanation that overruns a buffer of libspf2 1.2.10 (CVE-2023-42118): 127 macros and 16 letters. */
START_TEST(an_explanation_can_neither_crash_nor_matter)
{
	static const char *const records[] = {"v=spf1 exp=e.example -all", "v=spf1 ~all exp=e.example", "v=spf1 ?all exp=e.example"};
	static const mxw__spf_result_t results[] = {MXW__SPF_FAIL, MXW__SPF_SOFTFAIL, MXW__SPF_NEUTRAL};
	struct mxw__buf zone;

	for (size_t i = 0; i < MXW_ARRAY_LEN(records); i++) {
		struct world w;
		world_init(&w);
		mxw__buf_init(&zone, 100000);
		mxw__buf_addf(&zone, "d.example TXT \"%s\"\ne.example TXT", records[i]);
		for (int j = 0; j < 127; j++)
			mxw__buf_adds(&zone, " \"%{i}\"");
		mxw__buf_adds(&zone, " \"abcdefghijklmnop\"\n");
		fake_resolver_script(w.dns, mxw__buf_str(&zone));
		ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), results[i]);
		ck_assert_uint_eq(fake_resolver_total_sent(w.dns), 1);
		mxw__buf_fini(&zone);
		world_fini(&w);
	}
}
END_TEST

/* ---- time and budget ---- */

START_TEST(includes_are_waited_for_together)
{
	struct world w;

	world_init(&w);
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 include:i1.example include:i2.example mx a:x.example -all\"\n"
				    "i1.example TXT \"v=spf1 ?all\"\ni2.example TXT \"v=spf1 ?all\"\n"
				    "d.example MX 1 m1.example\nd.example MX 2 m2.example\nm1.example A 192.0.2.1\nm2.example A 192.0.2.2\n"
				    "x.example A 192.0.2.10\n*.example ANY !delay=50ms\n");
	int64_t begin = mxw__now_ms(&w.clock.clock);
	ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), MXW__SPF_PASS);
	/* The record, then all its terms, then the addresses of the exchangers. */
	ck_assert_int_eq(mxw__now_ms(&w.clock.clock) - begin, 150);
	world_fini(&w);
}
END_TEST

START_TEST(nothing_is_asked_after_the_deadline)
{
	struct world w;

	world_init(&w);
	w.patience_ms = 100;
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 include:i.example exists:x.example -all\"\n"
				    "i.example TXT !timeout\n");
	ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), MXW__SPF_TEMPERROR);
	ck_assert_uint_eq(fake_resolver_asks(w.dns, "x.example", 0), 0);
	ck_assert_ptr_nonnull(strstr(w.answer.reason, "i.example"));
	world_fini(&w);
}
END_TEST

START_TEST(a_used_up_budget_is_no_verdict)
{
	struct world w;

	world_init(&w);
	w.budget.limit = 1;
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 a:x.example -all\"\n");
	ck_assert_int_eq(check(&w, FOUR, "a@d.example", "h.example"), MXW__SPF_TEMPERROR);
	ck_assert_ptr_nonnull(strstr(w.answer.reason, "budget"));
	world_fini(&w);
}
END_TEST

/* ---- reading records ---- */

START_TEST(what_libspf2_gets_holds_no_text_of_a_peer)
{
	static const char text[] = "v=spf1 ip4:198.51.100.1 ?a:evil.example/24//48 mx/0 ptr:evil.example "
				   "~exists:%{l}.evil.example x=y redirect=evil.example exp=evil.example";
	struct mxw_ip client = {.family = 4, .bytes = {192, 0, 2, 10}};
	struct mxw__spf_record record;
	struct mxw_error err = {0};
	struct mxw__buf buf;

	ck_assert_int_eq(mxw__spf_record_parse((const uint8_t *)text, sizeof(text) - 1, &client, &record, &err), MXW_OK);
	mxw__buf_init(&buf, 1000);
	mxw__spf_record_write(&record, 3, 4, &buf);
	ck_assert_str_eq(mxw__buf_str(&buf), "v=spf1 ?a:t0.f3.x/24 +exists:t1.f3.x +exists:t2.f3.x ~exists:t3.f3.x "
					     "redirect=t4.f3.x");
	mxw__buf_clear(&buf);
	client.bytes[0] = 198, client.bytes[1] = 51, client.bytes[2] = 100, client.bytes[3] = 1;
	ck_assert_int_eq(mxw__spf_record_parse((const uint8_t *)text, sizeof(text) - 1, &client, &record, &err), MXW_OK);
	mxw__spf_record_write(&record, 0, 4, &buf);
	ck_assert_str_eq(mxw__buf_str(&buf), "v=spf1 exists:e.f0.x +all");
	mxw__buf_fini(&buf);
}
END_TEST

START_TEST(complaints_show_peer_data_safely)
{
	static const char text[] = "v=spf1 foo\r\n\x1b:0123456789012345678901234567890123456789012345678901234567890";
	struct mxw_ip client = {.family = 4};
	struct mxw__spf_record record;
	struct mxw_error err = {0};

	ck_assert_int_eq(mxw__spf_record_parse((const uint8_t *)text, sizeof(text) - 1, &client, &record, &err),
			 MXW_ERR_INVALID);
	ck_assert_mem_eq(err.text, "forbidden octet in \"foo???:0123", 31);
	for (const char *p = err.text; *p; p++)
		ck_assert(*p >= 0x20 && *p <= 0x7e);
	ck_assert_uint_lt(strlen(err.text), 100);
}
END_TEST

/* ---- threads ---- */

static void *check_often(void *ctx)
{
	struct world w = *(struct world *)ctx;

	for (int i = 0; i < 100; i++) {
		if (check(&w, i & 1 ? FOUR : SIX, "a@d.example", "h.example") != (i & 1 ? MXW__SPF_PASS : MXW__SPF_FAIL))
			return ctx;
	}
	return NULL;
}

START_TEST(evaluations_in_several_threads_do_not_meet)
{
	pthread_t threads[4];
	struct world w;
	void *failed;

	world_init(&w);
	fake_resolver_script(w.dns, "d.example TXT \"v=spf1 include:%{l}.example mx -all\"\na.example TXT \"v=spf1 ?all\"\n"
				    "d.example MX 1 m.example\nm.example A 192.0.2.10\n");
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, check_often, &w), 0);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++) {
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	world_fini(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spf");
	TCase *tc = tcase_create("spf");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_domain_that_can_not_exist_has_no_result, 0, MXW_ARRAY_LEN(domains));
	tcase_add_test(tc, a_loopback_client_gets_no_free_pass);
	tcase_add_loop_test(tc, macros_expand_as_in_the_rfc, 0, MXW_ARRAY_LEN(macros));
	tcase_add_test(tc, a_long_name_loses_labels_at_its_left);
	tcase_add_test(tc, ten_terms_are_counted_over_all_records);
	tcase_add_test(tc, a_tree_of_includes_causes_eleven_look_ups_at_most);
	tcase_add_test(tc, two_terms_may_find_nothing);
	tcase_add_test(tc, a_long_record_keeps_its_end);
	tcase_add_test(tc, a_record_that_is_too_long_is_an_error);
	tcase_add_test(tc, terms_of_thousands_of_octets_do_no_harm);
	tcase_add_test(tc, an_explanation_can_neither_crash_nor_matter);
	tcase_add_test(tc, includes_are_waited_for_together);
	tcase_add_test(tc, nothing_is_asked_after_the_deadline);
	tcase_add_test(tc, a_used_up_budget_is_no_verdict);
	tcase_add_test(tc, what_libspf2_gets_holds_no_text_of_a_peer);
	tcase_add_test(tc, evaluations_in_several_threads_do_not_meet);
	tcase_add_test(tc, complaints_show_peer_data_safely);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
