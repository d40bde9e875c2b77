/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trackbench: what it costs to remember clients.
 *
 *    t/bench/trackbench [--check] [--short] [--entries N]
 *
 * In a build directory `make bench-track` does it; `make bench` too. How to read the figures:
 *
 * - A million addresses in a table with some room to spare. Then events of addresses drawn by chance from these, so that nearly none is
 *   in a cache. "update, read": each is an update that returns the score after it (mxw__table_add). "in two calls": the score is read again
 *   by a call of its own (mxw__table_score), as when another step of the session asks for it.
 * - "bytes each": all that the table takes, for each entry that it has when far more addresses came than it has room for.
 * - Times are of the processor (as the system counts it for the thread), the best of several rounds: other work on the machine makes
 *   single rounds slower, and none faster.
 * - "memory" is one read from a place drawn by chance of memory as large as the table, on large pages where there are any, each place
 *   known only when the one before was read: what a single wait for memory takes on this machine now. "look-up" is that, with the hash of
 *   the key and one mutex: the least that a look-up in any shared table takes.
 * - "two threads": how many updates and reads two threads do in the time in which one does one. By wall time if both processors were free
 *   for it, else by processor time, which leaves out only what they waited for a lock.
 *
 * --check: each of both at most 300 ns (or, where one wait for memory takes more than 150 ns, as on a virtual machine with busy neighbours,
 * two of these), 1.7 times as many with two threads, 200 bytes for an entry. Exit status: 0; 1 if a goal was missed.
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "src/track/table.h"

enum { ENTRIES = 1000000, THREADS = 2, TRIES = 5, ROUNDS = 9, ROUNDS_SHORT = 4, OPS = 1000000, OPS_SHORT = 400000, HUGE_PAGE = 2 << 20 };

enum { LOCKS = 64, KEYS = 256 };
static const double goal_ns = 300, goal_waits = 2, goal_threads = 1.7, goal_bytes = 200;

static double seconds_of(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "trackbench: %s\n", what);
	exit(1);
}

/* xorshift64 (Marsaglia 2003). */
static uint64_t draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static struct mxw__key numbered(uint32_t i)
{
	struct mxw_ip ip = {.family = 4, .bytes = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16), 10}};

	return mxw__key_of_ip(MXW__KEY_ADDRESS, &ip);
}

/* ---- the table ---- */

struct worker {
	pthread_t thread;
	mxw__table_t *table;
	uint64_t random;
	uint32_t naddresses, ops;
	int64_t now_ms;
	bool reads;
	double cpu, sum;
};

/* A session makes its keys when it learns of them, long before it uses them: so many are made at once. */
struct drawn {
	struct mxw__key keys[KEYS];
	uint32_t numbers[KEYS];
};

static void draw_keys(struct drawn *d, uint64_t *random, uint32_t naddresses)
{
	for (size_t i = 0; i < KEYS; i++) {
		d->numbers[i] = (uint32_t)(draw(random) >> 32) % naddresses;
		d->keys[i] = numbered(d->numbers[i]);
	}
}

/* Some kinds of events, as one client has. */
static void *work(void *arg)
{
	struct worker *w = arg;
	/* What is written again and again stays on this thread's stack: beside the other worker's it would be fought for. */
	struct worker own = *w;
	struct drawn drawn;
	double began = seconds_of(CLOCK_THREAD_CPUTIME_ID);

	for (uint32_t i = 0; i < own.ops; i++) {
		if (i % KEYS == 0)
			draw_keys(&drawn, &own.random, own.naddresses);
		const struct mxw__key *key = &drawn.keys[i % KEYS];
		/* Some seconds between two events of one address: each makes its numbers older. */
		int64_t now_ms = own.now_ms + i / 20;
		mxw__event_t event = (mxw__event_t)((drawn.numbers[i % KEYS] + i % 4) % MXW__EVENT_COUNT);
		own.sum += mxw__table_add(own.table, key, event, 1, 5, now_ms);
		if (own.reads)
			own.sum += mxw__table_score(own.table, key, now_ms);
	}
	w->sum = own.sum;
	w->cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID) - began;
	return NULL;
}

struct run {
	double wall_ns, cpu_ns; /* of one thread, for one update and read */
};

static struct run run_workers(mxw__table_t *table, unsigned n, bool reads, uint32_t naddresses, uint32_t ops, int64_t now_ms)
{
	struct worker workers[THREADS];
	struct run run = {0};
	double began = seconds_of(CLOCK_MONOTONIC);

	for (unsigned i = 0; i < n; i++) {
		workers[i] = (struct worker){.table = table, .random = (uint64_t)now_ms * THREADS + i + 1, .naddresses = naddresses, .ops = ops,
					     .now_ms = now_ms, .reads = reads};
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			die("no thread");
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
		run.cpu_ns += workers[i].cpu * 1e9 / ops / n;
	}
	run.wall_ns = (seconds_of(CLOCK_MONOTONIC) - began) * 1e9 / ops;
	return run;
}

/* ---- what it is measured by ---- */

struct ground {
	char *memory;
	size_t bytes;
	struct mxw__hashkey hashkey;
	struct {
		_Alignas(64) pthread_mutex_t mutex;
	} *locks; /* as many as a table has */
	uint64_t last; /* that was read: so that all of it is */
};

static void make_ground(struct ground *g, size_t bytes)
{
	g->bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	g->memory = aligned_alloc(HUGE_PAGE, g->bytes);
	if (!g->memory)
		die("out of memory");
#ifdef MADV_HUGEPAGE
	madvise(g->memory, g->bytes, MADV_HUGEPAGE);
#endif
	memset(g->memory, 1, g->bytes);
	mxw__hashkey_random(&g->hashkey);
	g->locks = aligned_alloc(64, LOCKS * sizeof *g->locks);
	if (!g->locks)
		die("out of memory");
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&g->locks[i].mutex, NULL);
}

static double measure_memory(struct ground *g, bool is_lookup, uint32_t ops)
{
	uint64_t random = 88172645463325252, last = 0, word;
	struct drawn drawn;
	double began = seconds_of(CLOCK_THREAD_CPUTIME_ID);

	for (uint32_t i = 0; i < ops; i++) {
		uint64_t h = is_lookup ? 0 : draw(&random);
		if (is_lookup) {
			if (i % KEYS == 0)
				draw_keys(&drawn, &random, UINT32_MAX);
			const struct mxw__key *key = &drawn.keys[i % KEYS];
			h = mxw__hash(&g->hashkey, key, sizeof key->kind + sizeof key->len + key->len);
			pthread_mutex_lock(&g->locks[h % LOCKS].mutex);
		}
		memcpy(&word, g->memory + (h + last) % (g->bytes / 64) * 64, sizeof word);
		last = word & 1;
		if (is_lookup)
			pthread_mutex_unlock(&g->locks[h % LOCKS].mutex);
	}
	g->last += last;
	return (seconds_of(CLOCK_THREAD_CPUTIME_ID) - began) * 1e9 / ops;
}

struct waiter {
	pthread_t thread;
	struct ground ground;
	uint32_t ops;
	double ns;
};

static void *look_up(void *arg)
{
	struct waiter *w = arg;

	w->ns = measure_memory(&w->ground, true, w->ops);
	return NULL;
}

/* A bare look-up, while another thread does the same: what the machine has to give to two who take a lock each time. */
static double measure_two(const struct ground *ground, uint32_t ops)
{
	struct waiter waiters[THREADS];
	double ns = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		waiters[i] = (struct waiter){.ground = *ground, .ops = ops};
		if (pthread_create(&waiters[i].thread, NULL, look_up, &waiters[i]) != 0)
			die("no thread");
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(waiters[i].thread, NULL);
		ns += waiters[i].ns / THREADS;
	}
	return ns;
}

static void lower(double *best, double value)
{
	if (*best <= 0 || value < *best)
		*best = value;
}

/* ---- */

struct figures {
	double memory_ns, lookup_two_ns, lookup_ns, returned_ns, one_ns, one_wall_ns, two_ns, two_wall_ns, bytes;
	unsigned long long entries;
};

static void fill(mxw__table_t *table, uint32_t first, uint32_t n, int64_t now_ms)
{
	for (uint32_t i = first; i < first + n; i++) {
		struct mxw__key key = numbered(i);
		mxw__table_add(table, &key, MXW__EVENT_UNKNOWN_RCPT, 1, 10, now_ms);
	}
}

static void measure(struct figures *f, uint32_t entries, unsigned rounds, uint32_t ops)
{
	const int64_t hour_ms = 3600000;
	struct mxw__table_options options = {.max_entries = entries + entries / 8, .half_life_ms = (uint64_t)hour_ms, .credit = 50,
					     .history_half_life_ms = 14 * 24 * (uint64_t)hour_ms, .clock = mxw_clock_system()};
	struct mxw__table_stats stats;
	struct ground ground;
	mxw__table_t *table;
	int64_t now_ms = 1000;

	if (mxw__table_new(&options, &table) != MXW_OK)
		die("out of memory");
	fill(table, 0, entries, now_ms);
	mxw__table_get_stats(table, &stats);
	make_ground(&ground, stats.bytes);
	for (unsigned r = 0; r < rounds; r++, now_ms += hour_ms / 10) {
		lower(&f->memory_ns, measure_memory(&ground, false, ops));
		lower(&f->lookup_two_ns, measure_two(&ground, ops));
		lower(&f->lookup_ns, measure_memory(&ground, true, ops));
		struct run returned = run_workers(table, 1, false, entries, ops, now_ms);
		/* Later, so that each makes its numbers older. */
		now_ms += hour_ms / 10;
		struct run one = run_workers(table, 1, true, entries, ops, now_ms);
		struct run two = run_workers(table, THREADS, true, entries, ops, now_ms);
		lower(&f->returned_ns, returned.cpu_ns);
		lower(&f->one_ns, one.cpu_ns);
		lower(&f->one_wall_ns, one.wall_ns);
		lower(&f->two_ns, two.cpu_ns);
		lower(&f->two_wall_ns, two.wall_ns);
	}
	fill(table, entries, entries, now_ms);
	mxw__table_get_stats(table, &stats);
	f->entries = stats.entries;
	f->bytes = (double)stats.bytes / (double)stats.entries;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&ground.locks[i].mutex);
	free(ground.locks);
	free(ground.memory);
	mxw__table_free(table);
}

static double max_of(double a, double b)
{
	return a > b ? a : b;
}

static int report(const struct figures *f, bool checks)
{
	double by_wall = THREADS * f->one_wall_ns / f->two_wall_ns, by_cpu = THREADS * f->one_ns / f->two_ns;
	double goal = max_of(goal_ns, goal_waits * f->memory_ns), threads = max_of(by_wall, by_cpu);
	double machine = THREADS * f->lookup_ns / f->lookup_two_ns, goal_two = machine < THREADS ? goal_threads * machine / THREADS : goal_threads;
	bool is_ok = f->returned_ns <= goal && f->one_ns <= goal && threads >= goal_threads && f->bytes <= goal_bytes;

	printf("entries       %8llu, %.1f bytes each (goal %.0f)\n", f->entries, f->bytes, goal_bytes);
	printf("memory        %8.0f ns\n", f->memory_ns);
	printf("look-up       %8.0f ns\n", f->lookup_ns);
	printf("update, read  %8.0f ns (goal %.0f), %.2f waits for memory, %.2f look-ups\n", f->returned_ns, goal, f->returned_ns / f->memory_ns,
	       f->returned_ns / f->lookup_ns);
	printf("in two calls  %8.0f ns, %.2f waits for memory, %.2f look-ups\n", f->one_ns, f->one_ns / f->memory_ns, f->one_ns / f->lookup_ns);
	printf("two threads   %8.2f times as many (goal %.2f, %.2f beside bare look-ups that have %.2f): %.2f by wall time, %.2f by processor time\n",
	       threads, goal_threads, goal_two, machine, by_wall, by_cpu);
	if (checks && !is_ok)
		fprintf(stderr, "trackbench: a goal was missed\n");
	return checks && !is_ok;
}

int main(int argc, char **argv)
{
	struct figures figures = {0};
	bool checks = false, is_short = false;
	unsigned long entries = ENTRIES;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--check") == 0)
			checks = true;
		else if (strcmp(argv[i], "--short") == 0)
			is_short = true;
		else if (strcmp(argv[i], "--entries") == 0 && i + 1 < argc)
			entries = strtoul(argv[++i], NULL, 10);
		else
			entries = 0;
	}
	if (entries < 1000 || entries > 10 * ENTRIES)
		die("usage: trackbench [--check] [--short] [--entries N]");
	/* How two threads get along depends on where the memory of a process lies, too: a check may look again. */
	for (unsigned i = 0; i < TRIES; i++) {
		figures = (struct figures){0};
		measure(&figures, (uint32_t)entries, is_short ? ROUNDS_SHORT : ROUNDS, is_short ? OPS_SHORT : OPS);
		if (report(&figures, checks) == 0)
			return 0;
	}
	return 1;
}
