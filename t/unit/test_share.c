/* SPDX-License-Identifier: BSD-2-Clause */
/* Hosts that share through a real Redis: each is a table and a toy sort with a mxw__share_t of its own. */
#include "config.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/share/share.h"
#include "src/track/table.h"
#include "t/fakes/notices.h"
#include "t/fakes/redisd.h"
#include "t/fakes/suite.h"

/* For what has to come, and for what has to be ended at all. */
enum { WAIT_MS = 60000, END_MS = 10000 };

static struct redisd redisd;
static struct notices notices;

/* ---- a sort with a field of each kind ---- */

enum { SUM, TOP, LOW, TAT, RESET, LAST, SET, COUNT, SECRET, TOY_FIELDS };
enum { TOYS = 64 };

/* What it is told to give it gives once; what it is given it keeps. */
struct toy {
	pthread_mutex_t mutex;
	size_t nqueued, nput, nmarked;
	int put_takes_ms;
	atomic_bool is_putting;
	struct mxw__state_record queued[TOYS], put;
};

static size_t toy_take(void *store, mxw__state_reader_t reader, struct mxw__state_record *ret_records, size_t max)
{
	struct toy *toy = store;

	pthread_mutex_lock(&toy->mutex);
	size_t n = toy->nqueued < max ? toy->nqueued : max;
	memcpy(ret_records, toy->queued, n * sizeof *ret_records);
	memmove(toy->queued, toy->queued + n, (toy->nqueued - n) * sizeof *toy->queued);
	toy->nqueued -= n;
	pthread_mutex_unlock(&toy->mutex);
	return n;
}

static void toy_put(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	struct toy *toy = store;

	atomic_store(&toy->is_putting, true);
	if (toy->put_takes_ms)
		poll(NULL, 0, toy->put_takes_ms);
	pthread_mutex_lock(&toy->mutex);
	toy->put = *record;
	toy->nput++;
	pthread_mutex_unlock(&toy->mutex);
	atomic_store(&toy->is_putting, false);
}

static bool toy_queue(struct toy *toy, const struct mxw__state_record *record)
{
	pthread_mutex_lock(&toy->mutex);
	bool has_room = toy->nqueued < TOYS;
	if (has_room)
		toy->queued[toy->nqueued++] = *record;
	pthread_mutex_unlock(&toy->mutex);
	return has_room;
}

static void toy_add(struct toy *toy, const struct mxw__state_record *record)
{
	ck_assert(toy_queue(toy, record));
}

/* On the share's thread, where nothing may be asserted: Check would jump to the test's stack. */
static void toy_give_back(void *store, mxw__state_reader_t reader, const struct mxw__state_record *record)
{
	toy_queue(store, record);
}

static void toy_mark_all(void *store, mxw__state_reader_t reader)
{
	struct toy *toy = store;

	pthread_mutex_lock(&toy->mutex);
	toy->nmarked++;
	pthread_mutex_unlock(&toy->mutex);
}

static size_t toy_puts(struct toy *toy, struct mxw__state_record *ret_last)
{
	pthread_mutex_lock(&toy->mutex);
	size_t n = toy->nput;
	*ret_last = toy->put;
	pthread_mutex_unlock(&toy->mutex);
	return n;
}

static size_t toy_marks(struct toy *toy)
{
	pthread_mutex_lock(&toy->mutex);
	size_t n = toy->nmarked;
	pthread_mutex_unlock(&toy->mutex);
	return n;
}

static const struct mxw__state_field toy_fields[] = {
	[SUM] = {"sum", MXW__MERGE_ADD, false},     [TOP] = {"top", MXW__MERGE_MAX, false},
	[LOW] = {"low", MXW__MERGE_MIN, false},     [TAT] = {"tat", MXW__MERGE_TIME, false},
	[RESET] = {"reset", MXW__MERGE_RESET, false}, [LAST] = {"last", MXW__MERGE_LATEST, false},
	[SET] = {"set", MXW__MERGE_BITS, false},    [COUNT] = {"count", MXW__MERGE_COUNT, false},
	[SECRET] = {"secret", MXW__MERGE_MAX, true},
};

#define TOY_SORT(name_, fields_, n, eager) { \
	.name = name_, .nfields = n, .fields = fields_, .has_text = true, .is_shared = true, .is_eager = eager, .take = toy_take, \
	.put = toy_put, .give_back = toy_give_back, .mark_all = toy_mark_all}
static const struct mxw__state_sort toy_sort = TOY_SORT("toy", toy_fields, TOY_FIELDS, false);
/* Of this one every host has all; nothing in it is a sum. */
static const struct mxw__state_field eager_fields[] = {{"last", MXW__MERGE_LATEST, false}};
static const struct mxw__state_sort eager_sort = TOY_SORT("eager", eager_fields, 1, true);

/* ---- hosts ---- */

struct host {
	mxw__table_t *table;
	struct toy toy, eager;
	mxw__share_t *share;
	struct mxw_clock clock;
	int64_t skew_ms;
	_Atomic int64_t stands_at_ms; /* 0: it goes */
};

/* Not on the stack of a test: one that fails is left in its midst, and their threads would go on in what is the stack of the next. */
static struct host a, b, c;
static struct redisd other;

static int64_t skewed_wall_ms(void *ctx)
{
	const struct host *h = ctx;
	const struct mxw_clock *system = mxw_clock_system();

	return system->wall_ms(system->ctx) + h->skew_ms;
}

static int64_t plain_monotonic_ms(void *ctx)
{
	struct host *h = ctx;
	int64_t stands_at_ms = atomic_load(&h->stands_at_ms);

	return stands_at_ms ? stands_at_ms : mxw__now_ms(mxw_clock_system());
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
		.wait_ms = WAIT_MS,
		.timeout_ms = WAIT_MS,
		.connect_timeout_ms = WAIT_MS,
		.retry_ms = 50,
		.push_interval_ms = 60000,
	};
}

static void host_init(struct host *h, const struct mxw__redis_conf *conf, int64_t skew_ms)
{
	memset(h, 0, sizeof *h);
	h->skew_ms = skew_ms;
	h->clock = (struct mxw_clock){.monotonic_ms = plain_monotonic_ms, .wall_ms = skewed_wall_ms, .ctx = h};
	pthread_mutex_init(&h->toy.mutex, NULL);
	pthread_mutex_init(&h->eager.mutex, NULL);
	struct mxw__table_options options = {.max_entries = 1000, .half_life_ms = 3600000, .history_half_life_ms = 86400000,
					     .credit = 50, .clock = &h->clock};
	ck_assert_int_eq(mxw__table_new(&options, &h->table), MXW_OK);
	struct mxw__state states[] = {{&mxw__table_sort, h->table}, {&toy_sort, &h->toy}, {&eager_sort, &h->eager}};
	struct mxw__share_env env = {.clock = &h->clock, .notice = take_notice, .notice_ctx = &notices, .states = states, .nstates = 3};
	ck_assert_int_eq(mxw__share_new(&env, conf, &h->share), MXW_OK);
}

/* May be called again. */
static void host_fini(struct host *h)
{
	if (!h->share)
		return;
	mxw__share_free(h->share);
	h->share = NULL;
	mxw__table_free(h->table);
	pthread_mutex_destroy(&h->toy.mutex);
	pthread_mutex_destroy(&h->eager.mutex);
}

static struct mxw__share_stats stats_of(struct host *h)
{
	struct mxw__share_stats stats;

	mxw__share_get_stats(h->share, &stats);
	return stats;
}

static void wait_up(struct host *h, bool is_wanted)
{
	int64_t end_ms = now_ms() + WAIT_MS;

	while (stats_of(h).is_up != is_wanted && now_ms() < end_ms)
		poll(NULL, 0, 2);
	ck_assert_int_eq(stats_of(h).is_up, is_wanted);
}

static void wait_notice(const char *part)
{
	int64_t end_ms = now_ms() + WAIT_MS;

	while (!notices_have(&notices, part) && now_ms() < end_ms)
		poll(NULL, 0, 2);
	ck_assert_msg(notices_have(&notices, part), "no notice of '%s' in:\n%s", part, mxw__buf_str(&notices.text));
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

static bool want_of(struct host *h, const struct mxw__state_sort *sort, const char *key)
{
	struct mxw__wants wants = {0};

	mxw__wants_add(&wants, sort, key);
	return mxw__share_want(h->share, &wants, NULL);
}

static bool want(struct host *h, const char *key)
{
	return want_of(h, &mxw__table_sort, key);
}

/* A record of the toy, `age_ms` old. */
static struct mxw__state_record a_record(const struct host *h, const char *key, int64_t age_ms)
{
	struct mxw__state_record r = {.half_life_ms = 3600000};

	snprintf(r.key, sizeof r.key, "%s", key);
	r.at_ms = skewed_wall_ms((void *)(uintptr_t)h) - age_ms;
	r.expires_ms = r.at_ms + 7200000;
	return r;
}

static size_t count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* How many there are before any test. */
static size_t own_threads;

static void *tell_number(void *arg)
{
	*(pid_t *)arg = (pid_t)syscall(SYS_gettid);
	return NULL;
}

/* A sanitizer makes a thread of its own with the first of others. This one, which was joined, may be seen for some time. */
static void count_own_threads(void)
{
	char path[64];
	pthread_t thread;
	pid_t number;

	ck_assert_int_eq(pthread_create(&thread, NULL, tell_number, &number), 0);
	pthread_join(thread, NULL);
	snprintf(path, sizeof path, "/proc/self/task/%d", (int)number);
	for (int64_t end_ms = now_ms() + WAIT_MS; access(path, F_OK) == 0 && now_ms() < end_ms;)
		poll(NULL, 0, 2);
	own_threads = count_threads();
}

static void setup(void)
{
	count_own_threads();
	redisd_init(&redisd);
	notices_init(&notices);
}

static void teardown(void)
{
	notices_fini(&notices);
	redisd_fini(&redisd);
}

/* Each test begins with an empty Redis that runs, whatever became of the one before. */
static void begin(void)
{
	redisd.keeps_data = false;
	redisd_signal(&redisd, SIGCONT);
	if (!redisd.pid)
		redisd_start(&redisd);
	free(REDISD_ASK(&redisd, "FLUSHALL"));
	notices_clear(&notices);
}

/* May be called again. */
static void other_fini(void)
{
	if (!*other.server)
		return;
	redisd_fini(&other);
	other = (struct redisd){0};
}

static void liar_fini(void);
static atomic_bool is_holding, is_held;

/* What a test that failed has left. */
static void end(void)
{
	atomic_store(&is_holding, false);
	host_fini(&a);
	host_fini(&b);
	host_fini(&c);
	liar_fini();
	other_fini();
}

/* ---- sharing ---- */

START_TEST(what_one_host_sees_the_other_knows)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

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
	ck_assert_uint_ge(stats_of(&a).pushed, 2);
	ck_assert_uint_eq(stats_of(&b).pulled, 1);
	ck_assert_uint_eq(notices_count(&notices), 0);
	host_fini(&a);
	host_fini(&b);
}
END_TEST

START_TEST(clocks_of_hosts_may_differ)
{
	const char *server = redisd.unix_server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	host_init(&a, &conf, -3600000);
	host_init(&b, &conf, 7200000);
	wait_up(&a, true);
	wait_up(&b, true);
	add(&a, "192.0.2.2", 30);
	flush(&a);
	add(&b, "192.0.2.2", 12);
	flush(&b);
	ck_assert_double_eq_tol(score(&b, "192.0.2.2"), 42, 0.1);
	ck_assert(want(&a, "192.0.2.2"));
	ck_assert_double_eq_tol(score(&a, "192.0.2.2"), 42, 0.1);
	host_fini(&a);
	host_fini(&b);
}
END_TEST

START_TEST(forgiving_reaches_every_host)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);
	struct mxw__key key = key_of("192.0.2.3");

	host_init(&a, &conf, 0);
	host_init(&b, &conf, 0);
	wait_up(&a, true);
	wait_up(&b, true);
	add(&a, "192.0.2.3", 100);
	flush(&a);
	ck_assert(want(&b, "192.0.2.3"));
	poll(NULL, 0, 5);
	ck_assert(mxw__table_forgive(b.table, &key, now_ms()));
	flush(&b);
	add(&a, "192.0.2.3", 1);
	flush(&a);
	ck_assert_double_lt(score(&a, "192.0.2.3"), 2);
	host_fini(&a);
	host_fini(&b);
}
END_TEST

START_TEST(what_was_asked_lately_is_not_asked_again)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	host_init(&a, &conf, 0);
	wait_up(&a, true);
	/* The round that begins as soon as it is up asks as well. */
	flush(&a);
	free(REDISD_ASK(&redisd, "CONFIG", "RESETSTAT"));
	atomic_store(&a.stands_at_ms, now_ms());
	ck_assert(want(&a, "192.0.2.4"));
	for (int i = 0; i < 100; i++)
		ck_assert(want(&a, "192.0.2.4"));
	char *info = REDISD_ASK(&redisd, "INFO", "commandstats");
	ck_assert_ptr_nonnull(strstr(info, "cmdstat_evalsha:calls=1,"));
	free(info);
	host_fini(&a);
}
END_TEST

START_TEST(local_fields_stay_here)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	host_init(&a, &conf, 0);
	wait_up(&a, true);
	struct mxw__state_record r = a_record(&a, "k", 0);
	r.values[SECRET] = 7;
	toy_add(&a.toy, &r);
	flush(&a);
	char *all = REDISD_ASK(&redisd, "HGETALL", "mxward:toy:k");
	ck_assert_ptr_nonnull(strstr(all, "f:sum"));
	ck_assert_ptr_null(strstr(all, "secret"));
	free(all);
	char *left = REDISD_ASK(&redisd, "PTTL", "mxward:toy:k");
	ck_assert_int_gt(atoll(left), 7100000);
	ck_assert_int_le(atoll(left), 7200000);
	free(left);
	host_fini(&a);
}
END_TEST

START_TEST(a_removal_is_heard_of_and_what_is_older_does_not_undo_it)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);
	struct mxw__state_record r, got;

	host_init(&a, &conf, 0);
	host_init(&b, &conf, 0);
	wait_up(&a, true);
	wait_up(&b, true);
	r = a_record(&a, "k", 100000);
	r.values[LAST] = 1;
	toy_add(&a.toy, &r);
	flush(&a);
	r = a_record(&a, "k", 50000);
	r.is_gone = true;
	toy_add(&a.toy, &r);
	flush(&a);
	ck_assert(want_of(&b, &toy_sort, "k"));
	ck_assert_uint_eq(toy_puts(&b.toy, &got), 1);
	ck_assert(got.is_gone);
	r = a_record(&b, "k", 80000);
	r.values[LAST] = 2;
	toy_add(&b.toy, &r);
	flush(&b);
	toy_puts(&b.toy, &got);
	ck_assert(got.is_gone);
	r = a_record(&b, "k", 0);
	r.values[LAST] = 3;
	toy_add(&b.toy, &r);
	flush(&b);
	toy_puts(&b.toy, &got);
	ck_assert(!got.is_gone);
	ck_assert_double_eq(got.values[LAST], 3);
	host_fini(&a);
	host_fini(&b);
}
END_TEST

static void wait_eager(struct host *h, double last, const char *text)
{
	int64_t end_ms = now_ms() + WAIT_MS;
	struct mxw__state_record got;

	while ((!toy_puts(&h->eager, &got) || got.values[0] < last) && now_ms() < end_ms)
		poll(NULL, 0, 2);
	ck_assert_double_eq(got.values[0], last);
	ck_assert_str_eq(got.text, text);
}

START_TEST(sorts_that_matter_at_once_come_without_being_asked_for)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	conf.push_interval_ms = 20;
	host_init(&a, &conf, 0);
	host_init(&b, &conf, 0);
	wait_up(&a, true);
	wait_up(&b, true);
	for (int i = 1; i <= 50; i++) {
		char key[16];
		/* Of those of one millisecond the index has the first in the alphabet first. */
		snprintf(key, sizeof key, "user:%02d", i);
		struct mxw__state_record r = a_record(&a, key, 0);
		r.values[0] = i;
		snprintf(r.text, sizeof r.text, "anna said %d", i);
		toy_add(&a.eager, &r);
	}
	wait_eager(&b, 50, "anna said 50");
	/* A host that comes later gets them all, and what follows. */
	host_init(&c, &conf, 0);
	wait_eager(&c, 50, "anna said 50");
	struct mxw__state_record r = a_record(&b, "user:01", 0), got;
	ck_assert_uint_ge(toy_puts(&c.eager, &got), 50);
	r.values[0] = 77;
	toy_add(&b.eager, &r);
	wait_eager(&a, 77, "");
	wait_eager(&c, 77, "");
	host_fini(&a);
	host_fini(&b);
	host_fini(&c);
}
END_TEST

/* ---- the script, beside a model of what state.h says ---- */

struct model {
	bool is_there, is_gone;
	double at_ms, values[TOY_FIELDS];
	char text[MXW__STATE_TEXT_MAX];
};

static double left_of(double ms)
{
	return ms > 0 ? exp2(-ms / 3600000) : 1;
}

static void model_merge(struct model *m, const struct mxw__state_record *r, double at_ms)
{
	double reset = m->values[RESET];

	if (m->is_there && ((m->is_gone && at_ms <= m->at_ms) || (r->is_gone && at_ms < m->at_ms)))
		return;
	if (!m->is_there || m->is_gone || r->is_gone) {
		*m = (struct model){.is_there = true, .is_gone = r->is_gone, .at_ms = at_ms};
		m->values[LOW] = (double)INFINITY;
		reset = 0;
	}
	bool is_newer = at_ms >= m->at_ms, is_reset = r->values[RESET] > reset, is_behind = r->values[RESET] < reset;
	bool is_late = is_behind && at_ms <= reset;
	double base_ms = is_newer ? at_ms : m->at_ms;
	if (is_reset)
		m->values[SUM] = m->values[COUNT] = m->values[SET] = m->values[TAT] = 0;
	m->values[SUM] = m->values[SUM] * left_of(base_ms - m->at_ms) + (is_late ? 0 : r->values[SUM]) * left_of(base_ms - at_ms);
	m->values[COUNT] = fmax(0, m->values[COUNT] * left_of(base_ms - m->at_ms) + (is_late ? 0 : r->values[COUNT]) * left_of(base_ms - at_ms));
	if (r->values[TAT] > 0 && !is_late)
		m->values[TAT] = fmax(m->values[TAT], at_ms) + r->values[TAT];
	m->values[TOP] = fmax(m->values[TOP], r->values[TOP]);
	m->values[LOW] = fmin(m->values[LOW], r->values[LOW]);
	m->values[RESET] = fmax(reset, r->values[RESET]);
	if (!is_behind)
		m->values[SET] = (double)((uint32_t)m->values[SET] | (uint32_t)r->values[SET]);
	if (is_newer) {
		m->values[LAST] = r->values[LAST];
		snprintf(m->text, sizeof m->text, "%s", r->text);
	}
	m->at_ms = base_ms;
}

/* So long a push may take on its way to Redis: to the model it takes no time. */
enum { WAY_MS = 50 };

/* What happened within so short a time may be in another order there. */
static bool is_order_clear(const struct model *m, double at_ms)
{
	return !m->is_there || (fabs(at_ms - m->at_ms) >= 4 * WAY_MS && fabs(at_ms - m->values[RESET]) >= 4 * WAY_MS);
}

static void forget(struct model *m, const char *key)
{
	char name[32];

	snprintf(name, sizeof name, "mxward:toy:%s", key);
	free(REDISD_ASK(&redisd, "DEL", name));
	*m = (struct model){0};
}

static void compare(const struct model *m, const struct mxw__state_record *got, int64_t skew_ms, int round)
{
	static const double tolerance[TOY_FIELDS] = {[SUM] = 0.1, [COUNT] = 0.1, [TAT] = 1000};

	ck_assert_msg(got->is_gone == m->is_gone, "round %d: gone is %d", round, got->is_gone);
	for (int f = 0; f < SECRET && !m->is_gone; f++) {
		double v = m->values[f] + (f == TAT && m->values[f] > 0 ? (double)skew_ms : 0);
		ck_assert_msg(fabs(v - got->values[f]) <= tolerance[f], "round %d: field %d is %.17g, not %.17g",
			      round, f, got->values[f], v);
	}
	ck_assert_msg(fabs(m->at_ms + (double)skew_ms - (double)got->at_ms) < 1000, "round %d: at %lld", round, (long long)got->at_ms);
	if (!m->is_gone)
		ck_assert_str_eq(m->text, got->text);
}

START_TEST(the_script_merges_as_state_h_says)
{
	static const int64_t ages[] = {0, 0, 0, 2000, 60000, 1800000};
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);
	struct model models[3] = {{0}};
	struct host *const hosts[] = {&a, &b};
	uint64_t seed = 5;
	unsigned compared = 0;

	host_init(&a, &conf, 0);
	host_init(&b, &conf, 90000);
	wait_up(&a, true);
	wait_up(&b, true);
#define ROLL(n) ((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33) % (n)
	for (int round = 0; compared < 300 && round < 4000; round++) {
		size_t k = ROLL(3);
		struct host *h = hosts[ROLL(2)];
		char key[8];
		snprintf(key, sizeof key, "key%zu", k);
		int64_t age_ms = ages[ROLL(6)];
		int64_t began_ms = now_ms();
		struct mxw__state_record r = a_record(h, key, age_ms), got;
		double at_ms = (double)(r.at_ms - h->skew_ms);
		if (age_ms && !is_order_clear(&models[k], at_ms))
			continue;
		r.is_gone = ROLL(20) == 0;
		r.values[SUM] = (double)(ROLL(1000)) / 8 - 30;
		r.values[COUNT] = (double)(ROLL(1000)) / 8 - 60;
		r.values[TOP] = ROLL(1000);
		r.values[LOW] = ROLL(1000);
		r.values[TAT] = ROLL(2) ? ROLL(100000) : 0;
		r.values[RESET] = ROLL(4) ? models[k].values[RESET] : ROLL(2) ? at_ms : 0;
		r.values[LAST] = ROLL(1000) + 0.5;
		r.values[SET] = ROLL(3) ? (double)(UINT32_C(1) << ROLL(32)) : 0;
		if (ROLL(3))
			snprintf(r.text, sizeof r.text, "text %d", round);
		toy_add(&h->toy, &r);
		flush(h);
		if (now_ms() - began_ms > WAY_MS) {
			forget(&models[k], key);
			continue;
		}
		model_merge(&models[k], &r, at_ms);
		ck_assert_uint_gt(toy_puts(&h->toy, &got), 0);
		compare(&models[k], &got, h->skew_ms, round);
		compared++;
		/* What is of one time to the model may be some milliseconds apart. */
		poll(NULL, 0, 5);
	}
	host_fini(&a);
	host_fini(&b);
}
END_TEST

/* ---- rounds, and the end of them ---- */

static unsigned calls_of(const char *command)
{
	char name[32], *info = REDISD_ASK(&redisd, "INFO", "commandstats");
	int len = snprintf(name, sizeof name, "cmdstat_%s:calls=", command);
	const char *found = strstr(info, name);
	unsigned n = found ? (unsigned)atoi(found + len) : 0;

	free(info);
	return n;
}

/* Each round looks at the epoch. It is seen that a round is answered whenever that is, not only when it is before the next question. */
START_TEST(a_flush_takes_one_round)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	host_init(&a, &conf, 0);
	wait_up(&a, true);
	flush(&a);
	free(REDISD_ASK(&redisd, "CONFIG", "RESETSTAT"));
	for (int i = 0; i < 20; i++) {
		if (i % 2)
			add(&a, "192.0.2.30", 1);
		flush(&a);
	}
	ck_assert_uint_eq(calls_of("get"), 20);
	host_fini(&a);
}
END_TEST

static void wait_threads(size_t n)
{
	int64_t end_ms = now_ms() + WAIT_MS;

	/* One that was joined may be seen for a moment. */
	while (count_threads() != n && now_ms() < end_ms)
		poll(NULL, 0, 2);
	ck_assert_uint_eq(count_threads(), n);
}

START_TEST(the_end_leaves_no_thread_behind)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	for (int i = 0; i < 5; i++) {
		host_init(&a, &conf, 0);
		wait_up(&a, true);
		flush(&a);
		add(&a, "192.0.2.31", 1);
		host_fini(&a);
		wait_threads(own_threads);
	}
	char *text = REDISD_ASK(&redisd, "HGET", "mxward:score:192.0.2.31", "f:score");
	ck_assert_double_eq_tol(atof(text), 5, 0.1);
	free(text);
}
END_TEST

START_TEST(the_end_waits_for_who_is_in_the_midst_of_a_state)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	conf.timeout_ms = conf.connect_timeout_ms = 2000;

	host_init(&a, &conf, 0);
	wait_up(&a, true);
	flush(&a);
	struct mxw__state_record r = a_record(&a, "k", 0);
	a.toy.put_takes_ms = 2500;
	toy_add(&a.toy, &r);
	mxw__share_flush(a.share, 1);
	int64_t end_ms = now_ms() + WAIT_MS;
	while (!atomic_load(&a.toy.is_putting) && now_ms() < end_ms)
		poll(NULL, 0, 2);
	ck_assert(atomic_load(&a.toy.is_putting));
	host_fini(&a);
	ck_assert(!atomic_load(&a.toy.is_putting));
	ck_assert_uint_eq(a.toy.nput, 1);
}
END_TEST

/* In place of the system's: it holds who asks for a certain name until he is let go. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret_list)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");

	memcpy(&real, &symbol, sizeof real);
	if (!name || strcmp(name, "held.test") != 0)
		return real(name, service, hints, ret_list);
	atomic_store(&is_held, true);
	while (atomic_load(&is_holding))
		poll(NULL, 0, 2);
	atomic_store(&is_held, false);
	return real("127.0.0.1", service, hints, ret_list);
}

static void wait_held(void)
{
	int64_t end_ms = now_ms() + WAIT_MS;

	while (!atomic_load(&is_held) && now_ms() < end_ms)
		poll(NULL, 0, 2);
	ck_assert(atomic_load(&is_held));
}

/* The last of it is seen under AddressSanitizer. */
START_TEST(the_end_does_not_wait_for_the_resolver)
{
	char text[64];
	const char *server = text;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	snprintf(text, sizeof text, "held.test:%u", redisd.tls_port);
	conf.tls = true;
	conf.tls_ca_file = redisd.ca_file;
	atomic_store(&is_holding, true);
	host_init(&a, &conf, 0);
	wait_held();
	int64_t began_ms = now_ms();
	host_fini(&a);
	ck_assert_int_lt(now_ms() - began_ms, END_MS);
	wait_threads(own_threads + 1);
	memset(&a, 0xa5, sizeof a);
	a.share = NULL;
	atomic_store(&is_holding, false);
	wait_threads(own_threads);
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

/* ---- who may ---- */

START_TEST(a_user_with_what_the_manual_asks_for_will_do)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);
	struct mxw__state_record got;

	conf.user = "mxward";
	conf.password = "opensesame";
	conf.database = 3;
	conf.push_interval_ms = 20;
	host_init(&a, &conf, 0);
	host_init(&b, &conf, 0);
	wait_up(&a, true);
	wait_up(&b, true);
	struct mxw__state_record r = a_record(&a, "k", 0);
	snprintf(r.text, sizeof r.text, "text");
	toy_add(&a.eager, &r);
	add(&a, "192.0.2.5", 5);
	flush(&a);
	r.text[0] = '\0';
	r.at_ms++;
	toy_add(&a.eager, &r);
	r.is_gone = true;
	r.at_ms++;
	toy_add(&a.eager, &r);
	flush(&a);
	ck_assert(want(&b, "192.0.2.5"));
	ck_assert_double_eq_tol(score(&b, "192.0.2.5"), 5, 0.1);
	flush(&b);
	ck_assert_uint_ge(toy_puts(&b.eager, &got), 1);
	/* What has expired leaves the index. */
	free(REDISD_ASK(&redisd, "FLUSHDB"));
	ck_assert_uint_eq(notices_count(&notices), 0);
	ck_assert_uint_eq(stats_of(&a).dropped, 0);
	host_fini(&a);
	host_fini(&b);
}
END_TEST

START_TEST(a_wrong_password_is_told_and_repeated_nowhere)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	conf.user = "mxward";
	conf.password = "wrongpassword";
	host_init(&a, &conf, 0);
	wait_notice("user or password is not accepted (WRONGPASS)");
	ck_assert(!notices_have(&notices, "wrongpassword"));
	ck_assert(!stats_of(&a).is_up);
	ck_assert(!want(&a, "192.0.2.6"));
	host_fini(&a);
}
END_TEST

/* The first that is seen of it is that the connection is lost. */
START_TEST(what_keeps_a_server_away_is_told)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	conf.user = "mxward";
	conf.password = "opensesame";
	host_init(&a, &conf, 0);
	wait_up(&a, true);
	free(REDISD_ASK(&redisd, "ACL", "SETUSER", "mxward", "resetpass", ">another"));
	free(REDISD_ASK(&redisd, "CLIENT", "KILL", "USER", "mxward"));
	wait_notice("user or password is not accepted (WRONGPASS)");
	/* Two words at most, however often it is tried: that it was lost is not told of a connection that had been there for some seconds. */
	for (uint64_t failed = stats_of(&a).failed; stats_of(&a).failed < failed + 2;)
		poll(NULL, 0, 2);
	unsigned nlost = notices_count_of(&notices, "the connection was lost");
	ck_assert_uint_le(nlost, 1);
	ck_assert_uint_eq(notices_count_of(&notices, "WRONGPASS"), 1);
	ck_assert_uint_eq(notices_count(&notices), nlost + 1);
	free(REDISD_ASK(&redisd, "ACL", "SETUSER", "mxward", "resetpass", ">opensesame"));
	wait_up(&a, true);
	wait_notice("is back after");
	ck_assert_uint_eq(notices_count(&notices), nlost + 2);
	host_fini(&a);
}
END_TEST

START_TEST(what_the_user_may_not_do_is_told)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	conf.user = "mxward";
	conf.password = "opensesame";
	free(REDISD_ASK(&redisd, "ACL", "SETUSER", "mxward", "-evalsha"));
	host_init(&a, &conf, 0);
	wait_notice("EVALSHA is refused: NOPERM");
	free(REDISD_ASK(&redisd, "ACL", "SETUSER", "mxward", "+evalsha"));
	wait_up(&a, true);
	host_fini(&a);
}
END_TEST

START_TEST(tls_is_spoken_to_who_has_the_right_certificate)
{
	const char *server = redisd.tls_server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	conf.tls = true;
	conf.tls_ca_file = redisd.ca_file;
	host_init(&a, &conf, 0);
	wait_up(&a, true);
	for (int i = 0; i < 50; i++)
		add(&a, "192.0.2.7", 1);
	flush(&a);
	host_fini(&a);
	/* Some other authority's. */
	conf.tls_ca_file = "";
	host_init(&a, &conf, 0);
	wait_notice("its certificate is not accepted");
	ck_assert(!stats_of(&a).is_up);
	host_fini(&a);
	notices_clear(&notices);
	server = redisd.wrong_name_server;
	conf.tls_ca_file = redisd.ca_file;
	host_init(&a, &conf, 0);
	wait_notice("its certificate is not accepted");
	host_fini(&a);
	notices_clear(&notices);
	conf.tls_ca_file = redisd.password_file;
	host_init(&a, &conf, 0);
	wait_notice("no certificates of authorities");
	host_fini(&a);
}
END_TEST

/* ---- trouble ---- */

START_TEST(what_changes_while_redis_is_away_is_pushed_when_it_is_back)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	redisd.keeps_data = true;
	redisd_kill(&redisd);
	redisd_start(&redisd);
	host_init(&a, &conf, 0);
	wait_up(&a, true);
	add(&a, "192.0.2.8", 10);
	flush(&a);
	size_t marks = toy_marks(&a.eager);
	redisd_kill(&redisd);
	wait_up(&a, false);
	wait_notice("nothing is shared with other hosts");
	add(&a, "192.0.2.8", 20);
	ck_assert(!want(&a, "192.0.2.8"));
	redisd_start(&redisd);
	wait_up(&a, true);
	wait_notice("is back");
	flush(&a);
	host_init(&b, &conf, 0);
	wait_up(&b, true);
	ck_assert(want(&b, "192.0.2.8"));
	ck_assert_double_eq_tol(score(&b, "192.0.2.8"), 30, 0.1);
	ck_assert_uint_eq(toy_marks(&a.eager), marks);
	ck_assert_uint_ge(stats_of(&a).failed, 1);
	host_fini(&a);
	host_fini(&b);
	redisd_kill(&redisd);
	redisd.keeps_data = false;
}
END_TEST

START_TEST(a_redis_that_lost_its_data_gets_it_from_the_first_that_comes_back)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	host_init(&a, &conf, 0);
	wait_up(&a, true);
	size_t toys = toy_marks(&a.toy), eagers = toy_marks(&a.eager);
	add(&a, "192.0.2.9", 10);
	flush(&a);
	redisd_kill(&redisd);
	wait_up(&a, false);
	redisd_start(&redisd);
	wait_up(&a, true);
	flush(&a);
	ck_assert_uint_eq(toy_marks(&a.toy), toys + 1);
	ck_assert_uint_eq(toy_marks(&a.eager), eagers + 1);
	/* Nor is a sum that begins anew the whole of it. */
	add(&a, "192.0.2.9", 1);
	flush(&a);
	ck_assert_double_eq_tol(score(&a, "192.0.2.9"), 11, 0.1);
	/* Emptied without a restart: it is seen with the next round. */
	free(REDISD_ASK(&redisd, "FLUSHALL"));
	mxw__share_flush(a.share, WAIT_MS);
	mxw__share_flush(a.share, WAIT_MS);
	ck_assert_uint_eq(toy_marks(&a.eager), eagers + 2);
	host_fini(&a);
}
END_TEST

/* Its GET is refused, so that it does not hear that the epoch is its own, as when the answer is lost. */
START_TEST(who_wrote_the_epoch_tells_the_sums_though_the_answer_was_lost)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	conf.user = "mxward";
	conf.password = "opensesame";
	free(REDISD_ASK(&redisd, "ACL", "SETUSER", "mxward", "-get"));
	host_init(&a, &conf, 0);
	wait_notice("GET is refused");
	ck_assert_uint_eq(toy_marks(&a.toy), 0);
	free(REDISD_ASK(&redisd, "ACL", "SETUSER", "mxward", "+get"));
	wait_up(&a, true);
	ck_assert_uint_eq(toy_marks(&a.toy), 1);
	ck_assert_uint_eq(toy_marks(&a.eager), 1);
	/* Others that come later do not. */
	host_init(&b, &conf, 0);
	wait_up(&b, true);
	ck_assert_uint_eq(toy_marks(&b.toy), 0);
	host_fini(&a);
	host_fini(&b);
}
END_TEST

START_TEST(a_frozen_redis_keeps_nobody_waiting)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);
	char key[32];

	conf.wait_ms = 5;
	conf.timeout_ms = 200;
	conf.connect_timeout_ms = 200;
	conf.push_interval_ms = 50;
	host_init(&a, &conf, 0);
	wait_up(&a, true);
	redisd_signal(&redisd, SIGSTOP);
	unsigned nslow = 0;
	for (int i = 0; i < 2000; i++) {
		int64_t began_ms = now_ms();
		snprintf(key, sizeof key, "10.0.%d.%d", i / 250, i % 250);
		want(&a, key);
		nslow += now_ms() - began_ms >= (int64_t)conf.wait_ms;
	}
	/* One has waited, and perhaps another before that was known. Others may have been kept waiting for a processor, but not many. */
	ck_assert_uint_le(stats_of(&a).late, 2);
	ck_assert_uint_le(nslow, 100);
	wait_up(&a, false);
	add(&a, "192.0.2.10", 9);
	redisd_signal(&redisd, SIGCONT);
	wait_up(&a, true);
	flush(&a);
	char *text = REDISD_ASK(&redisd, "HGET", "mxward:score:192.0.2.10", "f:score");
	ck_assert_double_eq_tol(atof(text), 9, 0.1);
	free(text);
	host_fini(&a);
}
END_TEST

/* The server does it, and its answer is lost: it is told again, and counts once. */
START_TEST(a_push_whose_answer_was_lost_counts_once)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	conf.timeout_ms = 200;
	conf.connect_timeout_ms = 200;
	host_init(&a, &conf, 0);
	wait_up(&a, true);
	int64_t began_ms = now_ms();
	for (int i = 0; i < 5; i++) {
		redisd_signal(&redisd, SIGSTOP);
		add(&a, "192.0.2.11", 10);
		mxw__share_flush(a.share, 1);
		wait_up(&a, false);
		redisd_signal(&redisd, SIGCONT);
		wait_up(&a, true);
		flush(&a);
	}
	char *text = REDISD_ASK(&redisd, "HGET", "mxward:score:192.0.2.11", "f:score");
	/* Less by as much as time has taken away, however often it was tried to connect. */
	ck_assert_double_lt(atof(text), 50.1);
	ck_assert_double_gt(atof(text), 50 * exp2(-(double)(now_ms() - began_ms) / 3600000) - 0.1);
	free(text);
	host_fini(&a);
}
END_TEST

START_TEST(scripts_that_were_flushed_are_loaded_again)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);

	host_init(&a, &conf, 0);
	wait_up(&a, true);
	free(REDISD_ASK(&redisd, "SCRIPT", "FLUSH"));
	add(&a, "192.0.2.12", 10);
	flush(&a);
	char *text = REDISD_ASK(&redisd, "HGET", "mxward:score:192.0.2.12", "f:score");
	ck_assert_double_eq_tol(atof(text), 10, 0.1);
	free(text);
	host_fini(&a);
}
END_TEST

START_TEST(a_name_that_somebody_else_uses_is_left_alone)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 1);
	char huge[2000];

	free(REDISD_ASK(&redisd, "SET", "mxward:score:192.0.2.13", "no hash"));
	memset(huge, 'x', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	free(REDISD_ASK(&redisd, "HSET", "mxward:score:192.0.2.14", "f:score", huge));
	free(REDISD_ASK(&redisd, "HSET", "mxward:score:192.0.2.15", "f:score", "nan", "at", "inf", "w", "x=y,=,1=99999999999999999999"));
	host_init(&a, &conf, 0);
	wait_up(&a, true);
	ck_assert(want(&a, "192.0.2.13"));
	ck_assert(want(&a, "192.0.2.14"));
	ck_assert(want(&a, "192.0.2.15"));
	ck_assert_double_eq(score(&a, "192.0.2.15"), 0);
	add(&a, "192.0.2.13", 1);
	add(&a, "192.0.2.15", 7);
	add(&a, "192.0.2.16", 8);
	flush(&a);
	ck_assert_uint_eq(stats_of(&a).dropped, 1);
	ck_assert(stats_of(&a).is_up);
	ck_assert_double_eq_tol(score(&a, "192.0.2.15"), 7, 0.1);
	host_fini(&a);
}
END_TEST

START_TEST(the_next_server_takes_over)
{
	redisd_init(&other);
	const char *servers[] = {redisd.server, other.unix_server};
	struct mxw__redis_conf conf = a_conf(servers, 2);
	host_init(&a, &conf, 0);
	wait_up(&a, true);
	ck_assert_str_eq(stats_of(&a).server, redisd.server);
	redisd_kill(&redisd);
	int64_t end_ms = now_ms() + WAIT_MS;
	while (strcmp(stats_of(&a).server, other.unix_server) != 0 && now_ms() < end_ms)
		poll(NULL, 0, 2);
	wait_up(&a, true);
	add(&a, "192.0.2.17", 10);
	flush(&a);
	char *text = REDISD_ASK(&other, "HGET", "mxward:score:192.0.2.17", "f:score");
	ck_assert_double_eq_tol(atof(text), 10, 0.1);
	free(text);
	host_fini(&a);
	other_fini();
}
END_TEST

START_TEST(a_replica_does_not_serve)
{
	char port[16];

	redisd_init(&other);
	snprintf(port, sizeof port, "%u", redisd.port);
	free(REDISD_ASK(&other, "REPLICAOF", "127.0.0.1", port));
	const char *servers[] = {other.server, redisd.server};
	struct mxw__redis_conf conf = a_conf(servers, 2);
	host_init(&a, &conf, 0);
	wait_up(&a, true);
	ck_assert_str_eq(stats_of(&a).server, redisd.server);
	host_fini(&a);
	other_fini();
}
END_TEST

START_TEST(settings_can_change_while_it_runs)
{
	const char *server = redisd.server;
	struct mxw__redis_conf conf = a_conf(&server, 0);

	host_init(&a, &conf, 0);
	ck_assert(!stats_of(&a).is_on);
	ck_assert(!want(&a, "192.0.2.18"));
	conf = a_conf(&server, 1);
	ck_assert_int_eq(mxw__share_configure(a.share, &conf), MXW_OK);
	wait_up(&a, true);
	conf.prefix = "other:";
	conf.servers.v = (const char *const[]){redisd.unix_server};
	ck_assert_int_eq(mxw__share_configure(a.share, &conf), MXW_OK);
	int64_t end_ms = now_ms() + WAIT_MS;
	while (strcmp(stats_of(&a).server, redisd.unix_server) != 0 && now_ms() < end_ms)
		poll(NULL, 0, 2);
	wait_up(&a, true);
	add(&a, "192.0.2.18", 10);
	flush(&a);
	char *text = REDISD_ASK(&redisd, "HGET", "other:score:192.0.2.18", "f:score");
	ck_assert_double_eq_tol(atof(text), 10, 0.1);
	free(text);
	conf = a_conf(&server, 0);
	ck_assert_int_eq(mxw__share_configure(a.share, &conf), MXW_OK);
	wait_up(&a, false);
	host_fini(&a);
}
END_TEST

/* ---- servers that are none ---- */

static struct liar {
	bool is_there;
	int fd;
	pthread_t thread;
	const char *greeting, *payload; /* the latter again and again */
	size_t payload_len;
	atomic_bool is_over;
} liar;

static void lie_to(int fd)
{
	char data[4096];

	MXW_UNUSED ssize_t n = send(fd, liar.greeting, strlen(liar.greeting), MSG_NOSIGNAL);
	for (size_t sent = 0; !atomic_load(&liar.is_over) && sent < 64u << 20;) {
		n = send(fd, liar.payload, liar.payload_len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return;
		sent += n > 0 ? (size_t)n : 0;
		while (recv(fd, data, sizeof data, MSG_DONTWAIT) > 0)
			;
		if (n < 0)
			poll(NULL, 0, 1);
	}
}

static void *liar_main(void *arg)
{
	while (!atomic_load(&liar.is_over)) {
		struct pollfd p = {.fd = liar.fd, .events = POLLIN};
		if (poll(&p, 1, 20) <= 0)
			continue;
		int fd = accept(liar.fd, NULL, NULL);
		lie_to(fd);
		close(fd);
	}
	return NULL;
}

static long resident_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* Three scripts, SET, GET, and EVALSHA as a try. */
#define SHA "$40\r\n0123456789012345678901234567890123456789\r\n"
#define GREETING SHA SHA SHA "+OK\r\n$4\r\nabcd\r\n*2\r\n:1\r\n*0\r\n"
static const struct {
	const char *greeting, *payload;
	size_t len;
} lies[] = {
#define LIE(greeting, text) {greeting, text, sizeof text - 1}
	LIE("", "HTTP/1.1 400 Bad Request\r\n\r\n"),
	LIE("", "\0\0\0\0\xff\xff"),
	LIE("", "+OK\r\n"),
	LIE("", "-ERR what\r\n"),
	LIE("$2147483647\r\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
	LIE("*2147483647\r\n", ":1\r\n"),
	LIE("*-7\r\n", "$-9\r\n"),
	LIE("", "*1000\r\n"),
	LIE("", "*1\r\n"),
	LIE(SHA SHA SHA "+OK\r\n", ":7\r\n"),
	LIE(SHA SHA "*0\r\n", ":7\r\n"),
	LIE(GREETING, ":7\r\n"),
	LIE(GREETING, "$-1\r\n"),
	LIE(GREETING, "$4\r\nabcd\r\n"),
	LIE(GREETING "$4\r\nabcd\r\n", "*0\r\n"),
	LIE(GREETING "$4\r\nabcd\r\n", "*2\r\n:5\r\n*-1\r\n"),
	LIE(GREETING "$4\r\nabcd\r\n", "*3\r\n:5\r\n:9\r\n*1\r\n*1\r\n:1\r\n"),
	LIE(GREETING "$4\r\nabcd\r\n", "*2\r\n:5\r\n*4\r\n$2\r\nat\r\n:6\r\n$7\r\nf:score\r\n$3\r\n1e9\r\n"),
	LIE(GREETING "$4\r\nabcd\r\n*4\r\n:5\r\n:32\r\n$14\r\nmxward:eager:k\r\n*2\r\n$2\r\nat\r\n$2\r\n-9\r\n", "*2\r\n:1\r\n:32\r\n"),
	LIE(GREETING "$4\r\nabcd\r\n", "*4\r\n:5\r\n:32\r\n$0\r\n\r\n*2\r\n$-1\r\n$2\r\n-9\r\n"),
};

static void liar_init(size_t i, char *ret_server, size_t size)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;

	liar = (struct liar){.greeting = lies[i].greeting, .payload = lies[i].payload, .payload_len = lies[i].len};
	liar.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(liar.fd, (const struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(getsockname(liar.fd, (struct sockaddr *)&sin, &len), 0);
	ck_assert_int_eq(listen(liar.fd, 5), 0);
	snprintf(ret_server, size, "127.0.0.1:%u", ntohs(sin.sin_port));
	ck_assert_int_eq(pthread_create(&liar.thread, NULL, liar_main, NULL), 0);
	liar.is_there = true;
}

/* May be called again. */
static void liar_fini(void)
{
	if (!liar.is_there)
		return;
	liar.is_there = false;
	atomic_store(&liar.is_over, true);
	pthread_join(liar.thread, NULL);
	close(liar.fd);
}

START_TEST(a_server_that_lies_costs_neither_memory_nor_time)
{
	char server_text[64], key[32];
	const char *server = server_text;
	struct mxw__redis_conf conf = a_conf(&server, 1);
	long before_kib = resident_kib();

	liar_init((size_t)_i, server_text, sizeof server_text);
	conf.wait_ms = 5;
	conf.timeout_ms = 50;
	conf.connect_timeout_ms = 50;
	conf.push_interval_ms = 20;
	host_init(&a, &conf, 0);
	int64_t began_ms = now_ms();
	for (int i = 0; now_ms() - began_ms < 250; i++) {
		snprintf(key, sizeof key, "10.%d.%d.1", i / 250 % 250, i % 250);
		want(&a, key);
		add(&a, key, 1);
		poll(NULL, 0, 1);
	}
	host_fini(&a);
	liar_fini();
	ck_assert_int_lt(now_ms() - began_ms, 5000);
	ck_assert_int_lt(resident_kib() - before_kib, 64 * 1024);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("share");
	TCase *tc = tcase_create("share");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, what_one_host_sees_the_other_knows);
	tcase_add_test(tc, clocks_of_hosts_may_differ);
	tcase_add_test(tc, forgiving_reaches_every_host);
	tcase_add_test(tc, what_was_asked_lately_is_not_asked_again);
	tcase_add_test(tc, local_fields_stay_here);
	tcase_add_test(tc, a_removal_is_heard_of_and_what_is_older_does_not_undo_it);
	tcase_add_test(tc, sorts_that_matter_at_once_come_without_being_asked_for);
	tcase_add_test(tc, the_script_merges_as_state_h_says);
	tcase_add_test(tc, a_flush_takes_one_round);
	tcase_add_test(tc, the_end_leaves_no_thread_behind);
	tcase_add_test(tc, the_end_waits_for_who_is_in_the_midst_of_a_state);
	tcase_add_test(tc, the_end_does_not_wait_for_the_resolver);
	tcase_add_test(tc, a_user_with_what_the_manual_asks_for_will_do);
	tcase_add_test(tc, a_wrong_password_is_told_and_repeated_nowhere);
	tcase_add_test(tc, what_keeps_a_server_away_is_told);
	tcase_add_test(tc, what_the_user_may_not_do_is_told);
	tcase_add_test(tc, tls_is_spoken_to_who_has_the_right_certificate);
	tcase_add_test(tc, what_changes_while_redis_is_away_is_pushed_when_it_is_back);
	tcase_add_test(tc, a_redis_that_lost_its_data_gets_it_from_the_first_that_comes_back);
	tcase_add_test(tc, who_wrote_the_epoch_tells_the_sums_though_the_answer_was_lost);
	tcase_add_test(tc, a_frozen_redis_keeps_nobody_waiting);
	tcase_add_test(tc, a_push_whose_answer_was_lost_counts_once);
	tcase_add_test(tc, scripts_that_were_flushed_are_loaded_again);
	tcase_add_test(tc, a_name_that_somebody_else_uses_is_left_alone);
	tcase_add_test(tc, the_next_server_takes_over);
	tcase_add_test(tc, a_replica_does_not_serve);
	tcase_add_test(tc, settings_can_change_while_it_runs);
	tcase_add_loop_test(tc, a_server_that_lies_costs_neither_memory_nor_time, 0, MXW_ARRAY_LEN(lies));
	suite_add_tcase(s, tc);
	return run_suite(s);
}
