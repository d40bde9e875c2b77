/* SPDX-License-Identifier: BSD-2-Clause */
/* Many sessions on many threads, moved from thread to thread, while configurations are swapped under them. */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "src/session/engine.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

enum { THREADS = 8, SESSIONS_PER_THREAD = 40, RELOADS = 30 };

static struct fake_clock fake;
static fake_resolver_t *resolver;
static mxw_engine_t *engine;
static atomic_uint lines, accepted, refused;

static void count_line(void *ctx, mxw_level_t level, const char *line)
{
	if (strstr(line, "event=message"))
		atomic_fetch_add(&lines, 1);
}

static mxw_conf_t *load(const char *extra)
{
	char text[2048];
	mxw_conf_t *conf = NULL;

	snprintf(text, sizeof text,
		 "authserv-id mx.example.net\n"
		 "directory everybody {\n type file\n path \"" MXW_TESTDATA "/unit/everybody\"\n}\n"
		 "domain example.net { recipients everybody }\n%s", extra);
	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &conf), MXW_OK);
	return conf;
}

static void setup(void)
{
	struct mxw_engine_options options = {.size = sizeof options, .log = count_line};
	mxw_conf_t *conf = load("");

	fake_clock_init(&fake);
	resolver = fake_resolver_new(&fake);
	fake_resolver_script(resolver, "x.example TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n");
	options.clock = &fake.clock;
	options.resolver = &resolver->resolver;
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
}

static void teardown(void)
{
	mxw_engine_free(engine);
	mxw_resolver_unref(&resolver->resolver);
}

static void one_message(mxw_session_t *s, const char *sender)
{
	static const char body[] = "hello\r\n";
	struct mxw_verdict v;
	const struct mxw_edit *edits;
	size_t nedits;

	mxw_session_mail(s, &(struct mxw_mail_info){.sender = sender}, &v);
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = "<anna@example.net>"}, &v);
	mxw_session_header(s, "From", " a@x.example");
	mxw_session_header(s, "Authentication-Results", " mx.example.net; dkim=pass");
	mxw_session_end_of_headers(s);
	mxw_session_body(s, (const unsigned char *)body, sizeof body - 1);
	mxw_session_eom(s, &v, &edits, &nedits);
	atomic_fetch_add(v.action == MXW_ACTION_CONTINUE ? &accepted : &refused, 1);
}

static void one_session(unsigned n)
{
	mxw_session_t *s;
	struct mxw_connect_info info = {.client = {4, {192, 0, (uint8_t)(2 + n % 2), (uint8_t)n}}};
	struct mxw_verdict v;

	if (mxw_session_new(engine, &s) != MXW_OK)
		return;
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, "mail.x.example", &v);
	one_message(s, "<a@x.example>");
	mxw_session_unknown(s, "NOSUCH", &v);
	one_message(s, "<>");
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = "<b@x.example>"}, &v);
	mxw_session_abort(s);
	mxw_session_free(s);
}

static void *many_sessions(void *arg)
{
	unsigned first = *(unsigned *)arg;

	for (unsigned i = 0; i < SESSIONS_PER_THREAD; i++)
		one_session(first + i);
	return NULL;
}

START_TEST(sessions_and_reloads_do_not_disturb_one_another)
{
	pthread_t threads[THREADS];
	unsigned first[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		first[i] = i * SESSIONS_PER_THREAD;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, many_sessions, &first[i]), 0);
	}
	for (int i = 0; i < RELOADS; i++) {
		mxw_conf_t *conf = load(i % 2 ? "limits { recipients 100 }\n" : "mode enforce\n");
		ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
		mxw_conf_unref(conf);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* Two messages and one given up in each session; half of the clients are no senders for x.example. */
	ck_assert_uint_eq(atomic_load(&lines), THREADS * SESSIONS_PER_THREAD * 3);
	ck_assert_uint_eq(atomic_load(&accepted) + atomic_load(&refused), THREADS * SESSIONS_PER_THREAD * 2);
	ck_assert_uint_gt(atomic_load(&refused), 0);
	ck_assert_uint_gt(atomic_load(&accepted), atomic_load(&refused));
}
END_TEST

static mxw_session_t *passed_on;

static void *go_on_elsewhere(void *arg)
{
	struct mxw_verdict v;

	mxw_session_rcpt(passed_on, &(struct mxw_rcpt_info){.rcpt = "<anna@example.net>"}, &v);
	return v.action == MXW_ACTION_CONTINUE ? arg : NULL;
}

START_TEST(a_session_has_no_memory_of_its_thread)
{
	struct mxw_verdict v;
	static char yes[] = "yes";
	pthread_t thread;
	void *ok;

	ck_assert_int_eq(mxw_session_new(engine, &passed_on), MXW_OK);
	mxw_session_connect(passed_on, &(struct mxw_connect_info){.client = {4, {192, 0, 2, 1}}}, &v);
	mxw_session_mail(passed_on, &(struct mxw_mail_info){.sender = "<a@x.example>"}, &v);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, go_on_elsewhere, yes), 0);
		pthread_join(thread, &ok);
		ck_assert_ptr_nonnull(ok);
	}
	ck_assert_uint_eq(mxw_facts_get_number(mxw_session_facts(passed_on), mxw_fact_find("rcpt.count")), 5);
	mxw_session_free(passed_on);
}
END_TEST

START_TEST(session_ids_are_short_and_all_different)
{
	mxw_session_t *a, *b;

	ck_assert_int_eq(mxw_session_new(engine, &a), MXW_OK);
	ck_assert_int_eq(mxw_session_new(engine, &b), MXW_OK);
	ck_assert_uint_eq(strlen(mxw_session_id(a)), 10);
	ck_assert_str_ne(mxw_session_id(a), mxw_session_id(b));
	mxw_session_free(a);
	mxw_session_free(b);
}
END_TEST

static struct mxw_needs needs_of(const char *extra)
{
	mxw_conf_t *conf = load(extra);
	mxw_session_t *s;
	struct mxw_needs needs;

	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	mxw_conf_unref(conf);
	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	mxw_session_needs(s, &needs);
	mxw_session_free(s);
	return needs;
}

START_TEST(a_policy_that_needs_no_body_asks_for_none)
{
	struct mxw_needs all = needs_of("");
	struct mxw_needs few = needs_of("authentication-results no\ndkim { enabled no }\ndmarc { enabled no }\n"
					"spf { enabled no }\ntracker { enabled no }\noutbound { enabled no }\n"
					"rule authres-flood off\nrule header-too-large off\nrule own-domain-forged off\n"
					"rule own-domain-forged-observe off\n"
					"rule from-ambiguous off\nrule from-several off\nrule from-missing off\n"
					"rule from-invalid off\n"
					"rule header-repeated off\nrule body-smuggled off\n");

	ck_assert(all.body && all.header && all.unknown && all.rejected_rcpt && all.edits_headers);
	ck_assert(!few.body && !few.unknown && !few.rejected_rcpt);
	/* Forged fields are taken out in any case. */
	ck_assert(few.header && few.edits_headers);
	ck_assert(few.rcpt && few.mail);
}
END_TEST

static unsigned nreports;

static void count_report(void *ctx, mxw_level_t level, const char *line)
{
	if (level == MXW_LEVEL_INFO && strncmp(line, "event=resolver asked=", 21) == 0 && strstr(line, " over-zone=0 "))
		nreports++;
}

START_TEST(the_resolvers_counters_are_logged_now_and_then)
{
	struct mxw_engine_options options = {.size = sizeof options, .log = count_report, .clock = &fake.clock};
	mxw_conf_t *conf = load("resolver { forward none }\n");
	mxw_engine_t *shared = engine;

	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	one_session(1);
	one_session(2);
	ck_assert_uint_eq(nreports, 0);
	fake_clock_advance(&fake, 3600000);
	one_session(3);
	one_session(4);
	ck_assert_uint_eq(nreports, 1);
	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	ck_assert_uint_eq(nreports, 2);
	mxw_engine_free(engine);
	ck_assert_uint_eq(nreports, 3);
	engine = shared;
	mxw_conf_unref(conf);
}
END_TEST

/* Each by a value of its own, so that none stands in another's place. */
static const struct {
	const char *line;
	size_t offset, size;
	uint64_t value;
} resolver_lines[] = {
#define FIELD(line, field, value) {line, offsetof(struct mxw_resolver_options, field), sizeof((struct mxw_resolver_options){0}.field), value}
	FIELD("forward root", from_root, 1),
	FIELD("forward none", local_only, 1),
	FIELD("forward 192.0.2.1 192.0.2.2", nforward, 2),
	FIELD("timeout 1700ms", timeout_ms, 1700),
	FIELD("max-open 17", max_open, 17),
	FIELD("cache-entries 170", cache_entries, 170),
	FIELD("client-rate 18", client_rate, 18),
	FIELD("client-burst 19", client_burst, 19),
	FIELD("zone-rate 20", zone_rate, 20),
	FIELD("zone-burst 21", zone_burst, 21),
	FIELD("unlimited-zones a.example b.example", nunlimited_zones, 3),
	FIELD("positive-lifetime-max 22s", positive_max_s, 22),
	FIELD("negative-lifetime-max 23s", negative_max_s, 23),
	FIELD("failure-lifetime-max 24s", failure_max_s, 24),
#undef FIELD
};

static uint64_t field_of(const struct mxw_resolver_options *options, int i)
{
	const void *field = (const char *)options + resolver_lines[i].offset;

	if (resolver_lines[i].size == sizeof(bool))
		return *(const bool *)field;
	return resolver_lines[i].size == sizeof(unsigned) ? *(const unsigned *)field : *(const size_t *)field;
}

START_TEST(each_line_of_the_section_resolver_has_its_effect)
{
	struct mxw_resolver_options options;
	char text[256];

	snprintf(text, sizeof text, "dnsbl list { zone list.example }\nresolver { %s }\n", resolver_lines[_i].line);
	mxw_conf_t *plain = load("dnsbl list { zone list.example }\n"), *conf = load(text);
	const char **zones = mxw__resolver_options_of(plain, &options);
	ck_assert_ptr_nonnull(zones);
	ck_assert_uint_ne(field_of(&options, _i), resolver_lines[_i].value);
	free(zones);
	zones = mxw__resolver_options_of(conf, &options);
	ck_assert_ptr_nonnull(zones);
	ck_assert_uint_eq(field_of(&options, _i), resolver_lines[_i].value);
	ck_assert_str_eq(zones[options.nunlimited_zones - 1], "list.example");
	free(zones);
	/* A reload makes another one of it, and only then. */
	ck_assert(!mxw__same_resolver(plain, conf) && mxw__same_resolver(conf, conf));
	mxw_conf_unref(conf);
	mxw_conf_unref(plain);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine");
	TCase *tc = tcase_create("engine");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sessions_and_reloads_do_not_disturb_one_another);
	tcase_add_test(tc, a_session_has_no_memory_of_its_thread);
	tcase_add_test(tc, session_ids_are_short_and_all_different);
	tcase_add_test(tc, a_policy_that_needs_no_body_asks_for_none);
	tcase_add_test(tc, the_resolvers_counters_are_logged_now_and_then);
	tcase_add_loop_test(tc, each_line_of_the_section_resolver_has_its_effect, 0, MXW_ARRAY_LEN(resolver_lines));
	suite_add_tcase(s, tc);
	return run_suite(s);
}
