/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists in the DNS: what is asked, what answers mean, and which lists are believed. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxward/session.h>

#include "src/check/dnsbl.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

static struct fake_clock fake;
static fake_resolver_t *resolver;
static mxw__dnsbl_health_t *health;
static struct mxw__buf told;
static mxw_conf_t *conf;

static void take_line(void *ctx, const char *line)
{
	mxw__buf_addf(&told, "%s\n", line);
}

static void take_warning(void *ctx, const char *key, const char *line)
{
	take_line(ctx, line);
}

static void load(const char *text)
{
	mxw_conf_unref(conf);
	conf = NULL;
	ck_assert_int_eq(mxw_conf_load_text("test", text, NULL, NULL, &conf), MXW_OK);
}

static void set_up(void)
{
	fake_clock_init(&fake);
	resolver = fake_resolver_new(&fake);
	mxw__buf_init(&told, 10000);
	struct mxw__dnsbl_health_env env = {.clock = fake.clock, .warn = take_warning, .tell = take_line};
	health = mxw__dnsbl_health_new(&env);
	ck_assert_ptr_nonnull(health);
	load("dnsbl zen {\n zone zen.example\n codes 127.0.0.2-127.0.0.11\n points 1\n result 127.0.0.2 a 10\n result 127.0.0.2-127.0.0.3 b 20\n"
	     "result 127.0.1.9 c -5\n}\n"
	     "dnsbl six { zone six.example\n addresses ipv6 }\ndnsbl org { zone org.example\n kind domains }\n"
	     "dnsbl full { zone full.example\n kind domains\n ask full }\n"
	     "dnsbl own { zone own.example\n kind domains\n test-points Own.test-point.example. }\n"
	     "dnsbl both { zone both.example\n kind domains\n test-points a.example b.example }\n");
}

static void tear_down(void)
{
	mxw_conf_unref(conf);
	conf = NULL;
	mxw__dnsbl_health_free(health);
	mxw_resolver_unref(&resolver->resolver);
	mxw__buf_fini(&told);
}

static const struct mxw__dnsbl_conf *list_of(const char *name)
{
	for (size_t i = 0; i < conf->ndnsbls; i++)
		if (strcmp(conf->dnsbls[i].name, name) == 0)
			return &conf->dnsbls[i];
	ck_abort_msg("no list %s", name);
	return NULL;
}

/* ---- questions ---- */

struct name_case {
	const char *list, *subject;
	const char *name; /* NULL: it is not asked */
};

static const struct name_case names[] = {
	{"zen", "192.0.2.1", "1.2.0.192.zen.example"},
	{"zen", "2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.example"},
	{"six", "2001:db8:567:89ab::7", "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.a.9.8.7.6.5.0.8.b.d.0.1.0.0.2.six.example"},
	{"six", "192.0.2.1", NULL},
	{"zen", "10.1.2.3", NULL},
	{"zen", "127.0.0.1", NULL},
	{"zen", "fe80::1", NULL},
	{"org", "mx.a.example.co.uk", "example.co.uk.org.example"},
	{"org", "example.com", "example.com.org.example"},
	{"full", "mx.a.example.co.uk", "mx.a.example.co.uk.full.example"},
	{"full", "localhost", NULL},
	{"full", "printer.lan", NULL},
	{"full", "192.0.2.1", NULL},
	{"full", "[192.0.2.1]", NULL},
	{"full", "a_b.example.com", "a_b.example.com.full.example"},
	{"full", "", NULL},
};

START_TEST(a_subject_is_asked_for_in_its_form)
{
	const struct name_case *c = &names[_i];
	const struct mxw__dnsbl_conf *list = list_of(c->list);
	struct mxw__dnsbl_subject subject = {0};
	char name[MXW__DNSBL_NAME_MAX] = "";

	if (list->kind == MXW__DNSBL_OF_DOMAINS)
		subject.domain = c->subject;
	else
		ck_assert_int_eq(mxw_ip_parse(c->subject, &subject.ip), MXW_OK);
	bool is_asked = mxw__dnsbl_has_subject(list, &subject) && mxw__dnsbl_name(list, &subject, name);
	ck_assert_msg(is_asked == (c->name != NULL), "%s", c->subject);
	if (c->name)
		ck_assert_str_eq(name, c->name);
}
END_TEST

START_TEST(a_name_that_would_be_too_long_is_not_asked)
{
	char domain[256], name[MXW__DNSBL_NAME_MAX];
	struct mxw__dnsbl_subject subject = {.domain = domain};

	memset(domain, 'a', sizeof domain);
	for (size_t i = 60; i < 240; i += 60)
		domain[i] = '.';
	memcpy(domain + 240, ".com", 5);
	ck_assert(mxw__dnsbl_has_subject(list_of("full"), &subject));
	ck_assert(!mxw__dnsbl_name(list_of("full"), &subject, name));
}
END_TEST

START_TEST(test_points_are_those_of_the_kind)
{
	static const struct {
		const char *list;
		const char *present, *absent;
	} cases[] = {
		{"zen", "2.0.0.127.zen.example", "1.0.0.127.zen.example"},
		{"six", "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.six.example",
			"1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.six.example"},
		{"org", "test.org.example", "invalid.org.example"},
		{"own", "own.test-point.example.own.example", "invalid.own.example"},
		{"both", "a.example.both.example", "b.example.both.example"},
	};
	char name[MXW__DNSBL_NAME_MAX];

	for (size_t i = 0; i < MXW_ARRAY_LEN(cases); i++) {
		mxw__dnsbl_test_name(list_of(cases[i].list), true, name);
		ck_assert_str_eq(name, cases[i].present);
		mxw__dnsbl_test_name(list_of(cases[i].list), false, name);
		ck_assert_str_eq(name, cases[i].absent);
	}
}
END_TEST

/* ---- answers ---- */

struct answer_case {
	const char *list, *codes; /* "": no such name; "?": no answer */
	mxw__dnsbl_listing_t listing;
	int points;
	uint32_t results;
	const char *trouble;
};

static const struct answer_case answers[] = {
	{"zen", "", MXW__DNSBL_NOT_LISTED, 0, 0, NULL},
	{"zen", "?", MXW__DNSBL_UNKNOWN, 0, 0, NULL},
	{"zen", "127.0.0.4", MXW__DNSBL_LISTED, 1, 0, NULL},
	{"zen", "127.0.0.4 127.0.0.5", MXW__DNSBL_LISTED, 1, 0, NULL},
	{"zen", "127.0.0.3", MXW__DNSBL_LISTED, 20, 2, NULL},
	{"zen", "127.0.0.2", MXW__DNSBL_LISTED, 30, 3, NULL},
	{"zen", "127.0.0.2 127.0.0.3 127.0.0.4", MXW__DNSBL_LISTED, 31, 3, NULL},
	{"zen", "127.0.1.9", MXW__DNSBL_LISTED, -5, 4, NULL},
	{"zen", "127.0.1.8", MXW__DNSBL_NOT_LISTED, 0, 0, NULL},
	{"zen", "127.255.255.254", MXW__DNSBL_UNKNOWN, 0, 0, "error code"},
	{"zen", "127.255.255.252", MXW__DNSBL_UNKNOWN, 0, 0, "error code"},
	{"zen", "127.255.255.255 127.0.0.2", MXW__DNSBL_UNKNOWN, 0, 0, "error code"},
	{"zen", "127.255.254.255", MXW__DNSBL_NOT_LISTED, 0, 0, NULL},
	{"zen", "192.0.2.1", MXW__DNSBL_UNKNOWN, 0, 0, "no codes"},
	{"zen", "126.255.255.255", MXW__DNSBL_UNKNOWN, 0, 0, "no codes"},
	{"zen", "128.0.0.0 127.0.0.2", MXW__DNSBL_UNKNOWN, 0, 0, "no codes"},
	{"zen", "127.0.0.1", MXW__DNSBL_UNKNOWN, 0, 0, "refuses"},
	{"zen", "127.0.0.255", MXW__DNSBL_UNKNOWN, 0, 0, "refuses"},
	{"org", "127.0.1.2", MXW__DNSBL_LISTED, 0, 0, NULL},
	{"org", "127.0.1.255", MXW__DNSBL_NOT_LISTED, 0, 0, NULL},
	{"six", "127.0.1.2", MXW__DNSBL_NOT_LISTED, 0, 0, NULL},
};

static mxw_dns_answer_t *make_answer(const char *codes)
{
	char line[256], copy[128], *save = NULL;

	fake_resolver_reset(resolver);
	if (strcmp(codes, "?") == 0)
		fake_resolver_script(resolver, "x.example ANY !servfail\n");
	snprintf(copy, sizeof copy, "%s", strcmp(codes, "?") == 0 ? "" : codes);
	for (char *code = strtok_r(copy, " ", &save); code; code = strtok_r(NULL, " ", &save)) {
		snprintf(line, sizeof line, "x.example A %s\n", code);
		fake_resolver_script(resolver, line);
	}
	return mxw_resolver_ask(&resolver->resolver, "x.example", MXW_DNS_A, mxw__now_ms(&fake.clock) + 1000, NULL);
}

START_TEST(an_answer_has_points_by_its_codes)
{
	const struct answer_case *c = &answers[_i];
	mxw_dns_answer_t *answer = make_answer(c->codes);
	struct mxw__dnsbl_finding f = mxw__dnsbl_judge(list_of(c->list), answer);

	ck_assert_int_eq(f.listing, c->listing);
	ck_assert_int_eq(f.points, c->points);
	ck_assert_uint_eq(f.results, c->results);
	ck_assert_msg(c->trouble ? f.trouble && strstr(f.trouble, c->trouble) : !f.trouble, "%s", f.trouble ? f.trouble : "none");
	mxw_dns_answer_unref(answer);
}
END_TEST

/* ---- health ---- */

#define ONE "dnsbl one { zone one.example\n probe-interval 10m }\n"
#define ONE_SOUND "2.0.0.127.one.example A 127.0.0.2\n"

static void tick(void)
{
	mxw__dnsbl_health_tick(health, conf, &resolver->resolver);
}

static void assert_state(mxw__dnsbl_state_t state)
{
	ck_assert_int_eq(mxw__dnsbl_health_of(health, &conf->dnsbls[0]), state);
}

/* What was told, once. */
static void assert_told(const char *part)
{
	ck_assert_msg(part ? strstr(mxw__buf_str(&told), part) != NULL : told.len == 0, "%s", mxw__buf_str(&told));
	mxw__buf_clear(&told);
}


START_TEST(a_list_is_probed_at_start_and_at_intervals)
{
	load(ONE);
	fake_resolver_script(resolver, ONE_SOUND);
	assert_state(MXW__DNSBL_UNTESTED);
	tick();
	assert_state(MXW__DNSBL_SOUND);
	ck_assert_uint_eq(fake_resolver_sent(resolver, "2.0.0.127.one.example", MXW_DNS_A), 1);
	ck_assert_uint_eq(fake_resolver_sent(resolver, "1.0.0.127.one.example", MXW_DNS_A), 1);
	/* Now it has everything; that is seen when its time has come, and not before. */
	fake_resolver_reset(resolver);
	fake_resolver_script(resolver, "*.one.example A 127.0.0.2\n");
	fake_clock_advance(&fake, 9 * 60000);
	tick();
	assert_state(MXW__DNSBL_SOUND);
	ck_assert_uint_eq(fake_resolver_total_sent(resolver), 0);
	assert_told(NULL);
	fake_clock_advance(&fake, 60000);
	tick();
	assert_state(MXW__DNSBL_SICK);
	assert_told("event=dnsbl list=one zone=one.example text=\"it lists 127.0.0.1");
}
END_TEST

START_TEST(a_list_that_is_sound_again_is_told_once)
{
	load(ONE);
	tick();
	assert_state(MXW__DNSBL_SICK);
	assert_told("it does not list its test address 127.0.0.2");
	fake_resolver_reset(resolver);
	fake_resolver_script(resolver, ONE_SOUND);
	fake_clock_advance(&fake, 59000);
	tick();
	assert_state(MXW__DNSBL_SICK);
	/* After a minute, not after ten. */
	fake_clock_advance(&fake, 1000);
	tick();
	assert_state(MXW__DNSBL_SOUND);
	assert_told("event=dnsbl list=one zone=one.example text=\"it is sound again, and in use\"");
	fake_clock_advance(&fake, 600000);
	tick();
	assert_told(NULL);
}
END_TEST

START_TEST(an_answer_that_takes_its_time_is_waited_for_by_nobody)
{
	load(ONE);
	fake_resolver_script(resolver, ONE_SOUND "2.0.0.127.one.example A !delay=2s\n");
	tick();
	assert_state(MXW__DNSBL_UNTESTED);
	fake_clock_advance(&fake, 1000);
	tick();
	assert_state(MXW__DNSBL_UNTESTED);
	fake_clock_advance(&fake, 1000);
	tick();
	assert_state(MXW__DNSBL_SOUND);
}
END_TEST

START_TEST(a_list_that_gives_no_answers_is_away_after_three_probes)
{
	load(ONE);
	fake_resolver_script(resolver, "*.one.example ANY !timeout\n");
	for (int i = 0; i < 2; i++) {
		tick();
		fake_clock_advance(&fake, 15000);
		tick();
		assert_state(MXW__DNSBL_UNTESTED);
		fake_clock_advance(&fake, 60000);
	}
	tick();
	fake_clock_advance(&fake, 15000);
	tick();
	assert_state(MXW__DNSBL_AWAY);
	assert_told("it gives no answers");
	fake_resolver_reset(resolver);
	fake_resolver_script(resolver, ONE_SOUND);
	fake_clock_advance(&fake, 60000);
	tick();
	assert_state(MXW__DNSBL_SOUND);
	assert_told("sound again");
}
END_TEST

START_TEST(a_list_that_does_not_serve_us_is_away)
{
	load(ONE);
	fake_resolver_script(resolver, "*.one.example A 127.255.255.254\n");
	tick();
	assert_state(MXW__DNSBL_AWAY);
	assert_told("error code");
}
END_TEST

/* Ten clients in a row, and not within a moment: a cut line is no fault of the list. */
START_TEST(a_list_that_answers_no_client_is_away)
{
	load(ONE);
	for (int i = 0; i < 100; i++)
		mxw__dnsbl_health_note(health, &conf->dnsbls[0], "a.one.example", false);
	assert_state(MXW__DNSBL_UNTESTED);
	fake_clock_advance(&fake, 29000);
	mxw__dnsbl_health_note(health, &conf->dnsbls[0], "a.one.example", true);
	fake_clock_advance(&fake, 1000);
	for (int i = 0; i < 9; i++) {
		mxw__dnsbl_health_note(health, &conf->dnsbls[0], "a.one.example", false);
		fake_clock_advance(&fake, 4000);
	}
	assert_state(MXW__DNSBL_UNTESTED);
	assert_told(NULL);
	mxw__dnsbl_health_note(health, &conf->dnsbls[0], "a.one.example", false);
	assert_state(MXW__DNSBL_AWAY);
	assert_told("it gives no answers");
}
END_TEST

/* Clients of 40 seconds, each with a question of its own. */
static void let_clients_ask(int n, int64_t pause_ms)
{
	char name[64];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof name, "%d.2.0.192.one.example", i + 1);
		mxw__dnsbl_health_note(health, &conf->dnsbls[0], name, false);
		fake_clock_advance(&fake, pause_ms);
	}
}

START_TEST(test_points_alone_do_not_bring_a_mute_list_back)
{
	load(ONE);
	fake_resolver_script(resolver, ONE_SOUND "*.2.0.192.one.example ANY !timeout\n");
	tick();
	assert_state(MXW__DNSBL_SOUND);
	let_clients_ask(10, 4000);
	assert_state(MXW__DNSBL_AWAY);
	assert_told("it gives no answers");
	for (int i = 0; i < 5; i++) {
		fake_clock_advance(&fake, 60000);
		tick();
		fake_clock_advance(&fake, 15000);
		tick();
		assert_state(MXW__DNSBL_AWAY);
		assert_told("its test points answer, but not what is asked for clients");
	}
	/* What clients would ask meanwhile is asked next. */
	mxw__dnsbl_health_skip(health, &conf->dnsbls[0], "99.2.0.192.one.example");
	fake_resolver_reset(resolver);
	fake_resolver_script(resolver, ONE_SOUND "*.2.0.192.one.example A 127.0.0.2\n");
	fake_clock_advance(&fake, 60000);
	tick();
	ck_assert_uint_eq(fake_resolver_sent(resolver, "99.2.0.192.one.example", MXW_DNS_A), 1);
	assert_state(MXW__DNSBL_SOUND);
	assert_told("sound again");
	/* It is asked for what it must have only, from then on. */
	fake_clock_advance(&fake, 600000);
	fake_resolver_reset(resolver);
	fake_resolver_script(resolver, ONE_SOUND);
	tick();
	ck_assert_uint_le(fake_resolver_total_sent(resolver), 2);
}
END_TEST

/* One that answers on trial, and clients not: each time it is believed later, and fewer wait for it. */
START_TEST(a_list_that_falls_mute_again_is_tried_later)
{
	static const int64_t pauses_s[] = {60, 120, 240, 480, 960, 1920, 1920};

	load(ONE);
	fake_resolver_script(resolver, ONE_SOUND);
	tick();
	let_clients_ask(10, 4000);
	for (size_t i = 0; i < MXW_ARRAY_LEN(pauses_s); i++) {
		assert_state(MXW__DNSBL_AWAY);
		fake_clock_advance(&fake, pauses_s[i] * 1000 - (i ? 1 : 4001));
		tick();
		assert_state(MXW__DNSBL_AWAY);
		fake_clock_advance(&fake, 1);
		tick();
		assert_state(MXW__DNSBL_SOUND);
		let_clients_ask(2, 0);
		assert_state(MXW__DNSBL_SOUND);
		let_clients_ask(1, 0);
	}
	assert_state(MXW__DNSBL_AWAY);
	/* One that has answered clients meanwhile has the patience of all again, and after an hour nothing is left of that. */
	fake_clock_advance(&fake, 1920000);
	tick();
	assert_state(MXW__DNSBL_SOUND);
	mxw__dnsbl_health_note(health, &conf->dnsbls[0], "a.one.example", true);
	let_clients_ask(9, 400000);
	assert_state(MXW__DNSBL_SOUND);
	let_clients_ask(1, 0);
	assert_state(MXW__DNSBL_AWAY);
	fake_clock_advance(&fake, 60000);
	tick();
	assert_state(MXW__DNSBL_SOUND);
}
END_TEST

START_TEST(a_list_without_test_points_is_only_asked_whether_it_answers)
{
	load("dnsbl own { zone one.example\n test-points no }\n");
	tick();
	assert_state(MXW__DNSBL_SOUND);
	assert_told(NULL);
}
END_TEST

START_TEST(a_list_of_domains_may_have_test_points_of_its_own)
{
	load("dnsbl own { zone one.example\n kind domains\n test-points point.example }\n");
	fake_resolver_script(resolver, "test.one.example A 127.0.0.2\n");
	tick();
	assert_state(MXW__DNSBL_SICK);
	assert_told("it does not list the test point that it is said to have");
	/* What is known of it with other test points says nothing. */
	load("dnsbl own { zone one.example\n kind domains\n test-points other.example none.example }\n");
	assert_state(MXW__DNSBL_UNTESTED);
	fake_resolver_reset(resolver);
	fake_resolver_script(resolver, "other.example.one.example A 127.0.0.2\n");
	tick();
	assert_state(MXW__DNSBL_SOUND);
	fake_resolver_reset(resolver);
	fake_resolver_script(resolver, "*.one.example A 127.0.0.2\n");
	fake_clock_advance(&fake, 600000);
	tick();
	assert_state(MXW__DNSBL_SICK);
	assert_told("second test point");
}
END_TEST

START_TEST(what_is_known_of_a_list_outlives_a_reload)
{
	load(ONE);
	tick();
	assert_state(MXW__DNSBL_SICK);
	load("dnsbl other { zone other.example }\n" ONE);
	ck_assert_int_eq(mxw__dnsbl_health_of(health, &conf->dnsbls[1]), MXW__DNSBL_SICK);
	ck_assert_int_eq(mxw__dnsbl_health_of(health, &conf->dnsbls[0]), MXW__DNSBL_UNTESTED);
}
END_TEST

/* The oldest go where there is no room, and nothing breaks. */
START_TEST(many_lists_of_many_configurations_are_no_harm)
{
	char text[128];

	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof text, "dnsbl one { zone z%d.example }\n", i);
		load(text);
		tick();
		assert_state(MXW__DNSBL_SICK);
		fake_clock_advance(&fake, 1000);
	}
}
END_TEST

/* On the system's clock it has a thread of its own, which ends with it at once; a reload may bring the first list. */
START_TEST(an_engine_ends_while_it_looks_after_its_lists)
{
	static const char *const texts[] = {"resolver { forward none }\n", "resolver { forward none }\n" ONE};
	mxw_engine_t *engine;
	mxw_session_t *s;

	load(texts[0]);
	ck_assert_int_eq(mxw_engine_new(conf, NULL, &engine, NULL), MXW_OK);
	load(texts[1]);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
		ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
		mxw_session_free(s);
	}
	int64_t began = mxw__now_ms(mxw_clock_system());
	mxw_engine_free(engine);
	ck_assert_int_lt(mxw__now_ms(mxw_clock_system()) - began, 4000);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("dnsbl");
	TCase *answering = tcase_create("answers"), *probing = tcase_create("health");

	tcase_add_checked_fixture(answering, set_up, tear_down);
	tcase_add_loop_test(answering, a_subject_is_asked_for_in_its_form, 0, MXW_ARRAY_LEN(names));
	tcase_add_test(answering, a_name_that_would_be_too_long_is_not_asked);
	tcase_add_test(answering, test_points_are_those_of_the_kind);
	tcase_add_loop_test(answering, an_answer_has_points_by_its_codes, 0, MXW_ARRAY_LEN(answers));
	suite_add_tcase(suite, answering);
	tcase_add_checked_fixture(probing, set_up, tear_down);
	tcase_add_test(probing, a_list_is_probed_at_start_and_at_intervals);
	tcase_add_test(probing, a_list_that_is_sound_again_is_told_once);
	tcase_add_test(probing, an_answer_that_takes_its_time_is_waited_for_by_nobody);
	tcase_add_test(probing, a_list_that_gives_no_answers_is_away_after_three_probes);
	tcase_add_test(probing, a_list_that_does_not_serve_us_is_away);
	tcase_add_test(probing, a_list_that_answers_no_client_is_away);
	tcase_add_test(probing, test_points_alone_do_not_bring_a_mute_list_back);
	tcase_add_test(probing, a_list_that_falls_mute_again_is_tried_later);
	tcase_add_test(probing, a_list_without_test_points_is_only_asked_whether_it_answers);
	tcase_add_test(probing, a_list_of_domains_may_have_test_points_of_its_own);
	tcase_add_test(probing, what_is_known_of_a_list_outlives_a_reload);
	tcase_add_test(probing, many_lists_of_many_configurations_are_no_harm);
	tcase_add_test(probing, an_engine_ends_while_it_looks_after_its_lists);
	suite_add_tcase(suite, probing);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
