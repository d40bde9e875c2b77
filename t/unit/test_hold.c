/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies that come later: how many may wait, who does not, and what ends it. */
#include "config.h"

#include <stdio.h>

#include <mxward/mxward.h>

#include "src/session/engine.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/suite.h"

enum { LIMIT = 2 };

static struct fake_clock fake;
static mxw_engine_t *engine;

static void start(const char *more)
{
	struct mxw_engine_options options = {.size = sizeof options, .clock = &fake.clock};
	char text[1000];
	mxw_conf_t *conf;

	fake_clock_init(&fake);
	snprintf(text, sizeof text,
		 "authserv-id mx.example.net\nresolver { forward none }\nspf { enabled no }\ndkim { enabled no }\n"
		 "limits { held-sessions %d }\nrule slow {\n at helo\n tarpit 5s\n}\n%s", LIMIT, more);
	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &conf), MXW_OK);
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
}

/* How long the step took; what the verdict says of it. */
static int64_t helo(unsigned *ret_delay_ms)
{
	struct mxw_connect_info info = {.client_name = "[192.0.2.1]"};
	struct mxw_verdict v;
	mxw_session_t *s;

	mxw_ip_parse("192.0.2.1", &info.client);
	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	mxw_session_connect(s, &info, &v);
	ck_assert_uint_eq(v.delay_ms, 0);
	int64_t began_ms = mxw__now_ms(&fake.clock);
	mxw_session_helo(s, "x.example", &v);
	*ret_delay_ms = v.delay_ms;
	int64_t took_ms = mxw__now_ms(&fake.clock) - began_ms;
	mxw_session_free(s);
	return took_ms;
}

static void expect(int64_t delay_ms)
{
	unsigned said_ms;

	ck_assert_int_eq(helo(&said_ms), delay_ms);
	ck_assert_uint_eq(said_ms, (unsigned)delay_ms);
}

START_TEST(no_more_wait_than_the_limit_and_each_gives_its_place_back)
{
	start("");
	for (unsigned taken = 0; taken < 4; taken++) {
		atomic_store(&engine->held_sessions, taken);
		expect(taken < LIMIT ? 5000 : 0);
		ck_assert_uint_eq(atomic_load(&engine->held_sessions), taken);
	}
	ck_assert_uint_eq(atomic_load(&engine->concealed_sessions), 0);
	mxw_engine_free(engine);
}
END_TEST

START_TEST(nobody_waits_when_it_ends)
{
	start("");
	expect(5000);
	mxw_engine_hurry(engine);
	expect(0);
	mxw_engine_free(engine);
}
END_TEST

START_TEST(nobody_waits_where_nothing_is_enforced)
{
	start("mode observe\n");
	expect(0);
	mxw_engine_free(engine);
}
END_TEST

START_TEST(no_step_takes_longer_than_its_time)
{
	start("timeouts { before-data 3s }\n");
	expect(3000);
	mxw_engine_free(engine);
}
END_TEST

START_TEST(a_clock_that_can_not_be_waited_on_is_not_waited_on)
{
	start("");
	engine->clock.sleep_until_ms = NULL;
	expect(0);
	mxw_engine_free(engine);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hold");
	TCase *tc = tcase_create("hold");

	tcase_add_test(tc, no_more_wait_than_the_limit_and_each_gives_its_place_back);
	tcase_add_test(tc, nobody_waits_when_it_ends);
	tcase_add_test(tc, nobody_waits_where_nothing_is_enforced);
	tcase_add_test(tc, no_step_takes_longer_than_its_time);
	tcase_add_test(tc, a_clock_that_can_not_be_waited_on_is_not_waited_on);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
