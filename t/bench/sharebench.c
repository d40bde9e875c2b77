/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sharebench: what sharing through Redis adds to sessions, while Redis is well, killed, frozen and restarted.
 *
 *	sharebench [--check] [--short]
 *
 * A redis-server of its own, and the engine with the default rules; sessions of one message each from ever new addresses on some threads.
 * Each phase is told apart by what Redis does in it; "without" has no section redis, in the same run on the same machine. A session's time
 * is that of all its steps. "waited" is the longest that a step waited for other hosts' knowledge, as the library counts it, "late" how often it
 * waited in vain.
 *
 * The goal: no session is delayed by more than 10 ms. What the machine does to whoever waits for anything is not sharing's: beside the load, in each
 * phase, something else sleeps for 5 ms again and again, and the longest that it overslept, "machine", is taken off, as is the slowest
 * session without sharing. "delay" is what is left. What else runs on the machine makes sessions slower and never faster: a phase that misses the goal
 * is tried again, a phase "without" before it, up to three times in all; its least delay counts.
 * Exit status: 0; 1 if something failed or, with --check, a phase missed the goal each time.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "src/session/engine.h"
#include "src/share/share.h"
#include "t/bench/stats.h"
#include "t/fakes/redisd.h"

enum { THREADS = 4, PAUSE_US = 500, SLEEP_US = 5000, GOAL_US = 10000, TRIES = 3 };

static struct redisd redisd;
static mxw_engine_t *engine;
static atomic_uint next_client, refused;
static atomic_bool is_over;
static unsigned phase_ms;

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "sharebench: %s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- load ---- */

/* The time of all steps; what lies between them is the client's. */
static int64_t one_session(unsigned client)
{
	char address[32], helo[48], sender[64];
	struct mxw_connect_info info = {.client_name = "unknown"};
	struct mxw_verdict v;
	mxw_session_t *s;

	snprintf(address, sizeof address, "198.%u.%u.%u", 18 + client / 65536 % 2, client / 256 % 256, client % 256);
	snprintf(helo, sizeof helo, "host%u.sender.example", client % 5000);
	snprintf(sender, sizeof sender, "<user%u@sender%u.example>", client, client % 1000);
	mxw_ip_parse(address, &info.client);
	int64_t began_us = now_us();
	if (mxw_session_new(engine, &s) != MXW_OK)
		die("no memory");
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, helo, &v);
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = sender}, &v);
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = client % 10 ? "<anna@bench.example>" : "<nobody@bench.example>"}, &v);
	atomic_fetch_add(&refused, v.action == MXW_ACTION_REJECT);
	mxw_session_data(s, &v);
	mxw_session_free(s);
	return now_us() - began_us;
}

static void *load_main(void *arg)
{
	struct mload_histogram *histogram = arg;

	while (!atomic_load(&is_over)) {
		int64_t us = one_session(atomic_fetch_add(&next_client, 1));
		mload_histogram_add(histogram, (uint64_t)us);
		usleep(PAUSE_US);
	}
	return NULL;
}

/* What the machine adds to a wait of as long as a session's. */
static void *sleeper_main(void *arg)
{
	uint64_t *overslept_us = arg;

	while (!atomic_load(&is_over)) {
		int64_t began_us = now_us();
		usleep(SLEEP_US);
		int64_t over_us = now_us() - began_us - SLEEP_US;
		if (over_us > (int64_t)*overslept_us)
			*overslept_us = (uint64_t)over_us;
	}
	return NULL;
}

static void sleep_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* ---- phases ---- */

struct phase {
	const char *name;
	void (*disturb)(void); /* in the midst of the load */
	void (*mend)(void);
};

static void kill_redis(void) { redisd_kill(&redisd); }
static void start_redis(void) { redisd_start(&redisd); }
static void freeze(void) { redisd_signal(&redisd, SIGSTOP); }
static void thaw(void) { redisd_signal(&redisd, SIGCONT); }

static void restart(void)
{
	kill_redis();
	start_redis();
}

/* Stops answering for some milliseconds, again and again: the worst there is, since it is believed again each time. */
static void stutter(void)
{
	for (unsigned spent_ms = 0; spent_ms < phase_ms; spent_ms += 60) {
		freeze();
		sleep_ms(30);
		thaw();
		sleep_ms(30);
	}
}

static const struct phase phases[] = {
	{"shared", NULL, NULL},
	{"killed", kill_redis, start_redis},
	{"frozen", freeze, thaw},
	{"restarted", restart, NULL},
	{"stuttering", stutter, NULL},
};

struct figures {
	const char *name;
	uint64_t sessions, p50_us, p99_us, max_us, late, waited_us, machine_us;
};

static struct mxw__share_stats stats_now(void)
{
	struct mxw__share_stats stats;

	mxw__share_get_stats(engine->share, &stats);
	return stats;
}

static void run_phase(const struct phase *phase, const char *name, struct figures *ret)
{
	static struct mload_histogram histograms[THREADS];
	struct mload_histogram all = {0};
	pthread_t threads[THREADS], sleeper;
	uint64_t late = stats_now().late, overslept_us = 0;

	memset(histograms, 0, sizeof histograms);
	atomic_store(&is_over, false);
	if (pthread_create(&sleeper, NULL, sleeper_main, &overslept_us) != 0)
		die("no thread");
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, load_main, &histograms[i]) != 0)
			die("no thread");
	sleep_ms(phase_ms / 2);
	if (phase && phase->disturb)
		phase->disturb();
	sleep_ms(phase_ms);
	if (phase && phase->mend) {
		phase->mend();
		sleep_ms(phase_ms);
	}
	atomic_store(&is_over, true);
	pthread_join(sleeper, NULL);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		all.count += histograms[i].count;
		all.max_us = histograms[i].max_us > all.max_us ? histograms[i].max_us : all.max_us;
		for (size_t k = 0; k < MLOAD_BUCKETS; k++)
			all.buckets[k] += histograms[i].buckets[k];
	}
	*ret = (struct figures){name, all.count, mload_histogram_at(&all, 500), mload_histogram_at(&all, 990), all.max_us,
				stats_now().late - late, stats_now().longest_us, overslept_us};
}

static void make_engine(bool is_shared)
{
	char text[1024];
	struct mxw_engine_options options = {.size = sizeof options};
	struct mxw_error err = {0};
	mxw_conf_t *conf = NULL;

	snprintf(text, sizeof text,
		 "authserv-id mx.bench.example\nmode observe\nresolver { forward none }\nspf { enabled no }\n"
		 "directory people {\n type file\n path \"%s/people\"\n}\ndomain bench.example { recipients people }\n"
		 "%s%s%s", redisd.scratch.dir, is_shared ? "redis { servers " : "", is_shared ? redisd.server : "", is_shared ? "\n}\n" : "");
	if (mxw_conf_load_text("bench.conf", text, NULL, NULL, &conf) != MXW_OK)
		die("the configuration is no good");
	if (mxw_engine_new(conf, &options, &engine, &err) != MXW_OK)
		die(err.text);
	mxw_conf_unref(conf);
	for (int i = 0; is_shared && !stats_now().is_up && i < 500; i++)
		sleep_ms(10);
	if (is_shared && !stats_now().is_up)
		die("no connection to redis-server");
}

/* How much the slowest session of the phase was slower than the slowest without sharing, but for the machine. */
static int64_t delay_of(const struct figures *f, const struct figures *without)
{
	return (int64_t)f->max_us - (int64_t)without->max_us - (int64_t)f->machine_us;
}

static void print(const struct figures *f, const struct figures *without)
{
	printf("%-12s %9llu %9.2f %9.2f %9.2f %7.2f %9.2f %6llu %9.2f", f->name, (unsigned long long)f->sessions, (double)f->p50_us / 1000,
	       (double)f->p99_us / 1000, (double)f->max_us / 1000, (double)f->p99_us / (double)without->p99_us,
	       (double)f->waited_us / 1000, (unsigned long long)f->late, (double)f->machine_us / 1000);
	if (f != without)
		printf(" %9.2f", (double)delay_of(f, without) / 1000);
	putchar('\n');
	fflush(stdout);
}

static void run_without(struct figures *ret)
{
	make_engine(false);
	run_phase(NULL, "without", ret);
	print(ret, ret);
	mxw_engine_free(engine);
}

/* The least delay of some tries, none after one that met the goal. */
static int64_t try_phase(const struct phase *phase, struct figures *without)
{
	int64_t least_us = INT64_MAX;
	struct figures f;

	for (int i = 0; i < TRIES && least_us > GOAL_US; i++) {
		if (i > 0)
			run_without(without);
		make_engine(true);
		run_phase(phase, phase->name, &f);
		print(&f, without);
		mxw_engine_free(engine);
		least_us = delay_of(&f, without) < least_us ? delay_of(&f, without) : least_us;
	}
	if (least_us > GOAL_US)
		printf("goal missed: %s delays sessions by more than %d ms, %d times of %d\n", phase->name, GOAL_US / 1000, TRIES, TRIES);
	return least_us;
}

static int64_t run_all(void)
{
	struct figures without;
	int64_t worst_us = INT64_MIN;

	printf("%-12s %9s %9s %9s %9s %7s %9s %6s %9s %9s\n", "times in ms", "sessions", "median", "p99", "max", "p99 x", "waited", "late", "machine",
	       "delay");
	run_without(&without);
	for (size_t i = 0; i < MXW_ARRAY_LEN(phases); i++) {
		int64_t delay_us = try_phase(&phases[i], &without);
		worst_us = delay_us > worst_us ? delay_us : worst_us;
	}
	printf("the slowest session was %.2f ms slower than the slowest without sharing, but for what the machine adds; the goal is %d ms\n",
	       (double)worst_us / 1000, GOAL_US / 1000);
	return worst_us;
}

int main(int argc, char **argv)
{
	bool is_check = false;
	char *people;

	phase_ms = 4000;
	for (int i = 1; i < argc; i++) {
		is_check |= strcmp(argv[i], "--check") == 0;
		if (strcmp(argv[i], "--short") == 0)
			phase_ms = 600;
	}
	redisd_init(&redisd);
	people = scratch_path(&redisd.scratch, "people");
	scratch_replace(people, "anna@bench.example\n");
	free(people);
	bool is_met = run_all() <= GOAL_US;
	redisd_fini(&redisd);
	return is_check && !is_met ? EXIT_FAILURE : EXIT_SUCCESS;
}
