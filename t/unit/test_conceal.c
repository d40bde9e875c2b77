/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a concealed client can learn: nothing. Thousands of probes by many clients at once, on the system's clock, with a file
 * and a slow server of which the time to answer depends on whether the recipient exists, with and without the cache in between.
 * In random order half of the recipients exist. If neither the replies nor their times carry information, then
 * which is which is as good as chance, and the two distributions of times differ by chance only: that is what the test of
 * Kolmogorov and Smirnov looks at, the bound being passed by chance less than once in ten million runs.
 */
#include "config.h"

#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "src/conf/conf.h"
#include "src/session/engine.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/ldapd.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

enum { THREADS = 64, PROBES = 40, GUESSES = 5, POOL = 20, HOLD_MS = 100 };

/* What a client sees of one message to one recipient. */
struct seen {
	bool exists;
	struct mxw_verdict rcpt, end;
	double rcpt_ms, end_ms;
};

struct prober {
	pthread_t thread;
	unsigned number;
	uint64_t chance;
	struct seen seen[PROBES];
};

static struct scratch scratch;
static struct ldapd *server;
static mxw_engine_t *engine;
static struct prober probers[THREADS];

/* `rule` is the one that conceals, or not. */
static mxw_conf_t *load(const char *rule)
{
	char text[4096], *people = scratch_path(&scratch, "people");
	mxw_conf_t *conf = NULL;

	snprintf(text, sizeof text,
		 "authserv-id mx.example.net\n"
		 "authentication-results no\n"
		 "resolver { forward none }\n"
		 "spf { enabled no }\ndkim { enabled no }\n"
		 "tracker { unknown-recipient 0 }\n"
		 "timeouts { concealed-reply %dms }\n"
		 "limits { concealed-sessions 1000 }\n"
		 "directory people {\n type file\n path \"%s\"\n}\n"
		 "directory staff {\n type ldap\n uri %s\n base dc=example\n}\n"
		 "domain file.example { recipients people }\n"
		 "domain ldap.example { recipients staff }\n"
		 "rule harvester-defer off\nrule harvester-network-defer off\nrule harvest-domain-defer off\n"
		 "rule harvest-hopper-defer off\nrule greylist-suspicious off\n"
		 "rule hide { when client.unknown-rcpts >= %d\n %s\n}\n",
		 HOLD_MS, people, ldapd_uri(server), GUESSES, rule);
	free(people);
	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &conf), MXW_OK);
	return conf;
}

static void start(const char *rule, int known_delay_ms)
{
	struct mxw_engine_options options = {.size = sizeof options};
	struct mxw_error err = {0};
	mxw_conf_t *conf;

	scratch_init(&scratch);
	char *path = scratch_path(&scratch, "people");
	struct mxw__buf people;
	mxw__buf_init(&people, 65536);
	for (unsigned i = 0; i < 1000; i++)
		mxw__buf_addf(&people, "known%u@file.example\n", i);
	scratch_replace(path, mxw__buf_str(&people));
	mxw__buf_fini(&people);
	free(path);
	server = ldapd_start();
	atomic_store(&ldapd_settings(server)->known, "known");
	atomic_store(&ldapd_settings(server)->known_delay_ms, known_delay_ms);
	conf = load(rule);
	ck_assert_msg(mxw_engine_new(conf, &options, &engine, &err) == MXW_OK, "%s", err.text);
	mxw_conf_unref(conf);
}

static void stop(void)
{
	mxw_engine_free(engine);
	ldapd_stop(server);
	scratch_fini(&scratch);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* A number below `n` (xorshift64; no cryptography is needed here). */
static unsigned draw(struct prober *p, unsigned n)
{
	p->chance ^= p->chance << 13;
	p->chance ^= p->chance >> 7;
	p->chance ^= p->chance << 17;
	return (unsigned)((p->chance >> 32) % n);
}

static mxw_session_t *begin_session(const struct prober *p)
{
	struct mxw_connect_info info = {.client_name = "unknown"};
	struct mxw_verdict v;
	mxw_session_t *s;
	char address[40];

	snprintf(address, sizeof address, "10.%u.0.1", p->number);
	mxw_ip_parse(address, &info.client);
	if (mxw_session_new(engine, &s) != MXW_OK)
		return NULL;
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, "probe.example", &v);
	return s;
}

/* A client asks at a time of its own: up to two milliseconds, as any network adds. */
static void think(struct prober *p)
{
	struct timespec ts = {.tv_nsec = (long)draw(p, 2000) * 1000L};

	nanosleep(&ts, NULL);
}

static void one_message(struct prober *p, mxw_session_t *s, const char *rcpt, struct seen *seen)
{
	const struct mxw_edit *edits;
	struct mxw_verdict v;
	size_t nedits;

	mxw_session_mail(s, &(struct mxw_mail_info){.sender = "<a@probe.example>"}, &v);
	think(p);
	double began = now();
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = rcpt}, &seen->rcpt);
	seen->rcpt_ms = now() - began;
	mxw_session_data(s, &v);
	mxw_session_header(s, "From", " a@x.example");
	mxw_session_end_of_headers(s);
	think(p);
	began = now();
	mxw_session_eom(s, &seen->end, &edits, &nedits);
	seen->end_ms = now() - began;
}

/* Every second one is of few, which are asked for again and again: the cache has them. The others are new each time. */
static void draw_recipient(struct prober *p, unsigned turn, struct seen *seen, char *ret_rcpt, size_t size)
{
	unsigned number = draw(p, 2) ? draw(p, POOL) : POOL + p->number * PROBES + turn;

	seen->exists = draw(p, 2);
	bool is_file = draw(p, 4) == 0;
	snprintf(ret_rcpt, size, "<%s%u@%s.example>", seen->exists ? "known" : "guess", is_file ? number % 1000 : number,
		 is_file ? "file" : "ldap");
}

static void *probe(void *arg)
{
	struct prober *p = arg;
	mxw_session_t *s = begin_session(p);
	char rcpt[80];

	for (unsigned i = 0; s && i < GUESSES; i++) {
		struct seen ignored;
		snprintf(rcpt, sizeof rcpt, "<first%u@file.example>", i);
		one_message(p, s, rcpt, &ignored);
	}
	for (unsigned i = 0; s && i < PROBES; i++) {
		draw_recipient(p, i, &p->seen[i], rcpt, sizeof rcpt);
		one_message(p, s, rcpt, &p->seen[i]);
	}
	mxw_session_free(s);
	return NULL;
}

static void run_probes(void)
{
	memset(probers, 0, sizeof probers);
	for (unsigned i = 0; i < THREADS; i++) {
		probers[i].number = i;
		probers[i].chance = mxw__random_u64() | 1;
		ck_assert_int_eq(pthread_create(&probers[i].thread, NULL, probe, &probers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(probers[i].thread, NULL);
}

/* ---- the statistic ---- */

struct sample {
	double ms;
	bool exists;
};

static int by_time(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	return (x->ms > y->ms) - (x->ms < y->ms);
}

/* The greatest distance of the two distributions, in units in which it is above 2.9 by chance once in ten million times. */
static double distance(double (*time_of)(const struct seen *seen))
{
	static struct sample all[THREADS * PROBES];
	size_t n = 0, found = 0, seen[2] = {0, 0};
	double greatest = 0;

	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < PROBES; k++) {
			all[n++] = (struct sample){time_of(&probers[i].seen[k]), probers[i].seen[k].exists};
			found += probers[i].seen[k].exists;
		}
	ck_assert_uint_gt(found, n / 4);
	ck_assert_uint_lt(found, n * 3 / 4);
	qsort(all, n, sizeof all[0], by_time);
	for (size_t i = 0; i < n; i++) {
		seen[all[i].exists]++;
		if (i + 1 < n && all[i + 1].ms <= all[i].ms)
			continue;
		double d = fabs((double)seen[1] / (double)found - (double)seen[0] / (double)(n - found));
		greatest = d > greatest ? d : greatest;
	}
	return greatest * sqrt((double)found * (double)(n - found) / (double)n);
}

static double rcpt_time(const struct seen *seen)
{
	return seen->rcpt_ms;
}

static double end_time(const struct seen *seen)
{
	return seen->end_ms;
}

#define BOUND 2.9

/* The text without the session's id. */
static void plain_text(const struct mxw_verdict *v, char ret[MXW_REPLY_MAX])
{
	const char *id = *v->session ? strstr(v->text, v->session) : NULL;
	size_t n = id ? (size_t)(id - v->text) : strlen(v->text);

	snprintf(ret, MXW_REPLY_MAX, "%.*s%s", (int)n, v->text, id ? id + strlen(v->session) : "");
}

static bool same_reply(const struct mxw_verdict *a, const struct mxw_verdict *b)
{
	char one[MXW_REPLY_MAX], other[MXW_REPLY_MAX];

	plain_text(a, one);
	plain_text(b, other);
	return a->action == b->action && a->code == b->code && strcmp(a->enhanced, b->enhanced) == 0 &&
	       strcmp(one, other) == 0;
}

/* How many probes were answered otherwise than the first. */
static unsigned different_replies(void)
{
	const struct seen *first = &probers[0].seen[0];
	unsigned n = 0;

	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < PROBES; k++)
			n += !same_reply(&probers[i].seen[k].rcpt, &first->rcpt) ||
			     !same_reply(&probers[i].seen[k].end, &first->end);
	return n;
}

static double least_time(void)
{
	double least = 1e9;

	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < PROBES; k++)
			least = probers[i].seen[k].rcpt_ms < least ? probers[i].seen[k].rcpt_ms : least;
	return least;
}

/* ---- the cases ---- */

static const struct {
	const char *rule;
	int known_delay_ms; /* the second: the answer comes after the reply is due */
	mxw_action_t rcpt, end;
} ways[] = {
	{"conceal \"451 4.7.1 Try again later ({session})\"", 15, MXW_ACTION_DEFER, MXW_ACTION_CONTINUE},
	{"conceal \"550 5.7.1 No mail from you ({session})\"", 3 * HOLD_MS, MXW_ACTION_CONTINUE, MXW_ACTION_REJECT},
};

START_TEST(neither_reply_nor_time_tells_whether_a_recipient_exists)
{
	start(ways[_i].rule, ways[_i].known_delay_ms);
	run_probes();
	ck_assert_int_eq(probers[0].seen[0].rcpt.action, ways[_i].rcpt);
	ck_assert_int_eq(probers[0].seen[0].end.action, ways[_i].end);
	ck_assert_uint_eq(different_replies(), 0);
	/* The look-ups were made all the same. */
	ck_assert_uint_gt(atomic_load(&ldapd_counts(server)->searches), THREADS * PROBES / 8);
	/* The time is that of the beginning in whole milliseconds, and the hold. */
	ck_assert_double_ge(least_time(), HOLD_MS - 1.5);
	double rcpt = distance(rcpt_time), end = distance(end_time);
	printf("concealed, way %d: distance of reply times %.2f, at the end %.2f (bound %.1f)\n", _i, rcpt, end, BOUND);
	ck_assert_double_lt(rcpt, BOUND);
	ck_assert_double_lt(end, BOUND);
	stop();
}
END_TEST

/* On a machine where every reply is kept waiting for a processor a look-up must take longer than that to be seen. */
START_TEST(without_concealing_both_tell)
{
	static const int delays_ms[] = {15, 60, 240};
	double rcpt = 0;

	for (size_t i = 0; i < MXW_ARRAY_LEN(delays_ms) && rcpt <= 2 * BOUND; i++) {
		start("at data\n accept", delays_ms[i]);
		run_probes();
		ck_assert_uint_gt(different_replies(), THREADS * PROBES / 4);
		rcpt = distance(rcpt_time);
		printf("not concealed, %d ms: distance of reply times %.2f (bound %.1f)\n", delays_ms[i], rcpt, BOUND);
		stop();
	}
	ck_assert_double_gt(rcpt, 2 * BOUND);
}
END_TEST

/* More may not wait than the limit says: the reply comes at once then, and nothing is looked up, or the time would tell. */
START_TEST(beyond_the_limit_nothing_is_looked_up)
{
	start(ways[0].rule, 15);
	mxw_conf_t *conf = load(ways[0].rule);
	((struct mxw_conf *)conf)->limits.concealed_sessions = 0;
	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	mxw_conf_unref(conf);
	run_probes();
	ck_assert_uint_eq(different_replies(), 0);
	ck_assert_uint_eq(atomic_load(&ldapd_counts(server)->searches), 0);
	double rcpt = distance(rcpt_time);
	printf("beyond the limit: distance of reply times %.2f (bound %.1f)\n", rcpt, BOUND);
	ck_assert_double_lt(rcpt, BOUND);
	stop();
}
END_TEST

/* The look-up goes on beside the session, which waits as long as it has to and no longer. */
static bool is_looked_up(unsigned before)
{
	for (int i = 0; i < 1000 && atomic_load(&ldapd_counts(server)->searches) == before; i++)
		poll(NULL, 0, 10);
	return atomic_load(&ldapd_counts(server)->searches) > before;
}

/* One that has waited gives its place back. */
START_TEST(a_place_is_taken_while_a_session_waits_only)
{
	struct prober p = {.number = 1, .chance = 1};
	struct seen seen;

	start(ways[0].rule, 0);
	mxw_conf_t *conf = load(ways[0].rule);
	((struct mxw_conf *)conf)->limits.concealed_sessions = 2;
	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	mxw_conf_unref(conf);
	mxw_session_t *s = begin_session(&p);
	ck_assert_ptr_nonnull(s);
	for (unsigned i = 0; i < GUESSES; i++) {
		char rcpt[80];
		snprintf(rcpt, sizeof rcpt, "<first%u@file.example>", i);
		one_message(&p, s, rcpt, &seen);
	}
	for (unsigned taken = 0; taken < 4; taken++) {
		unsigned before = atomic_load(&ldapd_counts(server)->searches);
		char rcpt[80];
		atomic_store(&engine->concealed_sessions, taken);
		snprintf(rcpt, sizeof rcpt, "<known%u@ldap.example>", taken);
		one_message(&p, s, rcpt, &seen);
		ck_assert_int_eq(seen.rcpt.decided, MXW_ACTION_CONCEAL);
		ck_assert_uint_eq(atomic_load(&engine->concealed_sessions), taken);
		if (taken < 2)
			ck_assert_double_ge(seen.rcpt_ms, HOLD_MS - 1.5);
		if (taken < 2)
			ck_assert(is_looked_up(before));
		else
			ck_assert_uint_eq(atomic_load(&ldapd_counts(server)->searches), before);
	}
	atomic_store(&engine->concealed_sessions, 0);
	mxw_session_free(s);
	stop();
}
END_TEST

/* Whose clock can't be waited on decides at once, likewise without a look-up. */
START_TEST(a_clock_that_does_not_sleep_is_not_waited_on)
{
	struct mxw_engine_options options = {.size = sizeof options};
	struct fake_clock fake;
	struct prober p = {.number = 1, .chance = 1};
	struct seen seen;

	start(ways[0].rule, 0);
	mxw_engine_free(engine);
	fake_clock_init(&fake);
	fake.clock.sleep_until_ms = NULL;
	options.clock = &fake.clock;
	mxw_conf_t *conf = load(ways[0].rule);
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
	mxw_session_t *s = begin_session(&p);
	ck_assert_ptr_nonnull(s);
	for (unsigned i = 0; i < GUESSES; i++) {
		char rcpt[80];
		snprintf(rcpt, sizeof rcpt, "<first%u@file.example>", i);
		one_message(&p, s, rcpt, &seen);
		ck_assert_int_eq(seen.rcpt.action, MXW_ACTION_REJECT);
	}
	one_message(&p, s, "<known1@ldap.example>", &seen);
	ck_assert_int_eq(seen.rcpt.action, MXW_ACTION_DEFER);
	ck_assert_int_eq(seen.rcpt.decided, MXW_ACTION_CONCEAL);
	ck_assert_uint_eq(atomic_load(&ldapd_counts(server)->searches), 0);
	mxw_session_free(s);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conceal");
	TCase *tc = tcase_create("conceal");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, neither_reply_nor_time_tells_whether_a_recipient_exists, 0, MXW_ARRAY_LEN(ways));
	tcase_add_test(tc, without_concealing_both_tell);
	tcase_add_test(tc, beyond_the_limit_nothing_is_looked_up);
	tcase_add_test(tc, a_place_is_taken_while_a_session_waits_only);
	tcase_add_test(tc, a_clock_that_does_not_sleep_is_not_waited_on);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
