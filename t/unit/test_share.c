/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts that share through a real Redis: each is a table and a toy sort with a mxw__share_t of its own. */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/share/share.h"
#include "src/track/table.h"
#include "t/fakes/notices.h"
#include "t/fakes/redisd.h"
#include "t/fakes/suite.h"

enum { WAIT_MS = 10000 };

static struct redisd redisd;
static struct notices notices;

/* ---- hosts ---- */

struct host {
	mxw__table_t *table;
	mxw__share_t *share;
	struct mxw_clock clock;
	int64_t skew_ms;
};

static int64_t skewed_wall_ms(void *ctx)
{
	const struct host *h = ctx;
	const struct mxw_clock *system = mxw_clock_system();

	return system->wall_ms(system->ctx) + h->skew_ms;
}

static int64_t plain_monotonic_ms(void *ctx)
{
	return mxw__now_ms(mxw_clock_system());
}

static int64_t now_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

static void take_notice(void *ctx, const char *text)
{
	notices_take(ctx, false, text);
}

static struct mxw__redis_conf a_conf(const char *const *servers, size_t n)
{
	return (struct mxw__redis_conf){
		.servers = {n, servers},
		.user = "",
		.password = "",
		.prefix = "mxward:",
		.tls_ca_file = "",
		.tls_certificate_file = "",
		.tls_key_file = "",
		.wait_ms = 1000,
		.timeout_ms = 2000,
		.connect_timeout_ms = 2000,
		.retry_ms = 100,
		.push_interval_ms = 60000,
	};
}

static void host_init(struct host *h, const struct mxw__redis_conf *conf, int64_t skew_ms)
{
	*h = (struct host){.skew_ms = skew_ms};
	h->clock = (struct mxw_clock){.monotonic_ms = plain_monotonic_ms, .wall_ms = skewed_wall_ms, .ctx = h};
	struct mxw__table_options options = {.max_entries = 1000, .half_life_ms = 3600000, .history_half_life_ms = 86400000,
					     .credit = 50, .clock = &h->clock};
	ck_assert_int_eq(mxw__table_new(&options, &h->table), MXW_OK);
	struct mxw__state states[] = {{&mxw__table_sort, h->table}};
	struct mxw__share_env env = {.clock = &h->clock, .notice = take_notice, .notice_ctx = &notices, .states = states, .nstates = 1};
	ck_assert_int_eq(mxw__share_new(&env, conf, &h->share), MXW_OK);
}

static void host_fini(struct host *h)
{
	mxw__share_free(h->share);
	mxw__table_free(h->table);
}

static bool is_up(struct host *h)
{
	struct mxw__share_stats stats;

	mxw__share_get_stats(h->share, &stats);
	return stats.is_up;
}

static void wait_up(struct host *h, bool is_wanted)
{
	int64_t end_ms = now_ms() + WAIT_MS;

	while (is_up(h) != is_wanted && now_ms() < end_ms)
		poll(NULL, 0, 2);
	ck_assert_int_eq(is_up(h), is_wanted);
}

static struct mxw__key key_of(const char *address)
{
	struct mxw_ip ip;

	ck_assert_int_eq(mxw_ip_parse(address, &ip), MXW_OK);
	return mxw__key_of_ip(MXW__KEY_ADDRESS, &ip);
}

static void add(struct host *h, const char *address, double points)
{
	struct mxw__key key = key_of(address);

	mxw__table_add(h->table, &key, MXW__EVENT_UNKNOWN_RCPT, 1, points, now_ms());
}

static double score(struct host *h, const char *address)
{
	struct mxw__key key = key_of(address);

	return mxw__table_score(h->table, &key, now_ms());
}

static void flush(struct host *h)
{
	ck_assert(mxw__share_flush(h->share, WAIT_MS));
}

static bool want(struct host *h, const char *key)
{
	struct mxw__wants wants = {0};

	mxw__wants_add(&wants, &mxw__table_sort, key);
	return mxw__share_want(h->share, &wants);
}

static void setup(void)
{
	redisd_init(&redisd);
	notices_init(&notices);
}

static void teardown(void)
{
	notices_fini(&notices);
	redisd_fini(&redisd);
}

/* ---- cases ---- */

START_TEST(what_one_host_sees_the_other_knows)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);
	struct host a, b;

	host_init(&a, &conf, 0);
	host_init(&b, &conf, 0);
	wait_up(&a, true);
	wait_up(&b, true);
	add(&a, "192.0.2.1", 30);
	flush(&a);
	ck_assert(want(&b, "192.0.2.1"));
	ck_assert_double_eq_tol(score(&b, "192.0.2.1"), 30, 0.1);
	add(&b, "192.0.2.1", 12);
	flush(&b);
	add(&a, "192.0.2.1", 1);
	flush(&a);
	ck_assert_double_eq_tol(score(&a, "192.0.2.1"), 43, 0.1);
	host_fini(&a);
	host_fini(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("share");
	TCase *tc = tcase_create("share");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, what_one_host_sees_the_other_knows);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
