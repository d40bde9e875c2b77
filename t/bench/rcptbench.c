/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rcptbench: how fast recipients are looked up, and what becomes of them while their directory is gone. It is linked to
 * the library's internals; t/bench/recipients runs it and a slapd beside it.
 *
 *	rcptbench ldif PEOPLE
 *	rcptbench uncached CONF PEOPLE IN-FLIGHT MS SEED
 *	rcptbench cached CONF STATE-DIR KNOWN UNKNOWN THREADS MS
 *	rcptbench outage CONF STATE-DIR PEOPLE FIRST-LATE LATE THREADS
 */
#include "config.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "src/directory/cache.h"
#include "src/mail/mail.h"
#include "t/bench/rcptbench.h"

enum { IN_FLIGHT_MAX = 1024, FAR_MS = 3600000, LOOKUP_MS = 5000, FILLERS = 32, BATCH = 1000, DRAWN = 65536, ARENA_MAX = 256 << 20 };

_Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("rcptbench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(EXIT_FAILURE);
}

static void complain(void *ctx, const struct mxw_error *error)
{
	fprintf(stderr, "rcptbench: %s:%u: %s\n", error->file, error->line, error->text);
}

mxw_conf_t *load_conf(const char *path)
{
	mxw_conf_t *conf = NULL;

	if (mxw_conf_load(path, complain, NULL, &conf) != MXW_OK)
		die("%s can't be used", path);
	return conf;
}

static void tell(void *ctx, bool is_error, const char *text)
{
	fprintf(stderr, "rcptbench: %s\n", text);
}

static int64_t now_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

static double thread_cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double process_cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* An address as the session would have it. */
struct person {
	bool is_known;
	struct mxw__address address;
};

static void settle(struct person *person, mxw__arena_t *arena, const char *text)
{
	if (mxw__address_parse(arena, text, &person->address) != MXW_OK)
		die("%s is no address", text);
}

/* ---- uncached: the LDAP source alone, a thread that waits for each operation in flight ---- */

struct asker {
	pthread_t thread;
	void *source;
	const struct person *people;
	unsigned npeople;
	int64_t end_ms;
	unsigned long answered, wrong;
};

/* Sessions have read their addresses before they look them up: so these are read before the clock starts. */
static struct person *draw_people(mxw__arena_t *arena, uint64_t random, unsigned n, unsigned nall)
{
	struct person *people = mxw__calloc(n, sizeof *people);
	char text[PEOPLE_ADDRESS_MAX];

	if (!people)
		die("out of memory");
	for (unsigned i = 0; i < n; i++) {
		people[i].is_known = people_ask(&random, nall, text);
		settle(&people[i], arena, text);
	}
	return people;
}

static void *ask_on(void *arg)
{
	struct asker *asker = arg;
	int64_t now;

	for (unsigned i = 0; (now = now_ms()) < asker->end_ms; i = (i + 1) % asker->npeople) {
		const struct person *person = &asker->people[i];
		struct mxw__rcpt_query query = {.address = &person->address, .deadline_ms = now + LOOKUP_MS};
		struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
		mxw__directory_ldap.lookup(asker->source, &query, &result);
		asker->answered++;
		asker->wrong += result.outcome != (person->is_known ? MXW_FOUND : MXW_NOT_FOUND);
	}
	return NULL;
}

/* Connections are made in the background: they are all there before the clock starts. */
static void warm_up(void *source, const struct person *people, unsigned n)
{
	struct asker asker = {.source = source, .people = people, .npeople = n, .end_ms = now_ms() + 300};

	ask_on(&asker);
	if (asker.wrong > 0)
		die("the directory does not answer as it should");
}

int measure_uncached(int argc, char **argv)
{
	static struct asker askers[IN_FLIGHT_MAX];
	void *source = NULL;
	struct mxw_error err = {0};
	unsigned long answered = 0, wrong = 0;

	if (argc != 6 || atoi(argv[3]) < 1 || atoi(argv[3]) > IN_FLIGHT_MAX)
		die("usage: rcptbench uncached CONF PEOPLE IN-FLIGHT MS SEED");
	mxw_conf_t *conf = load_conf(argv[1]);
	unsigned n = (unsigned)atoi(argv[3]), ms = (unsigned)atoi(argv[4]);
	mxw__arena_t *arena = mxw__arena_new(ARENA_MAX);
	struct person *people = draw_people(arena, strtoull(argv[5], NULL, 10), DRAWN, (unsigned)atoi(argv[2]));
	struct mxw__directory_env env = {.conf = &conf->directories[0], .clock = mxw_clock_system(), .notice = tell};
	if (mxw__directory_ldap.open(&env, &source, &err) != MXW_OK)
		die("%s", err.text);
	warm_up(source, people, DRAWN);

	double cpu = process_cpu_seconds();
	struct timespec start, end;
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned i = 0; i < n; i++) {
		askers[i] = (struct asker){.source = source, .people = people + i * (DRAWN / n), .npeople = DRAWN / n,
					   .end_ms = now_ms() + ms};
		if (pthread_create(&askers[i].thread, NULL, ask_on, &askers[i]) != 0)
			die("no thread");
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(askers[i].thread, NULL);
		answered += askers[i].answered;
		wrong += askers[i].wrong;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	cpu = process_cpu_seconds() - cpu;
	mxw__directory_ldap.close(source);
	mxw_conf_unref(conf);
	free(people);
	mxw__arena_free(arena);
	printf("{\"lookups\": %lu, \"wrong\": %lu, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", answered, wrong,
	       (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9, cpu);
	return wrong > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- cached: through all that is above the sources ---- */

struct crowd {
	mxw__directories_t *directories;
	const struct mxw__domain_conf *domain;
	struct person *people;
	unsigned npeople;
};

struct reader {
	pthread_t thread;
	const struct crowd *crowd;
	uint64_t random;
	unsigned first, step; /* of the people that this one asks for first */
	unsigned ms;
	unsigned long lookups, hits, wrong;
	double cpu;
};

static void look_up(const struct crowd *crowd, const struct person *person, int64_t deadline_ms, struct reader *reader)
{
	struct mxw__rcpt_query query = {.address = &person->address, .deadline_ms = deadline_ms};
	struct mxw__rcpt_result result;

	mxw__directories_lookup(crowd->directories, crowd->domain, &query, &result);
	reader->lookups++;
	reader->hits += result.origin == MXW__ORIGIN_CACHE;
	reader->wrong += result.outcome != (person->is_known ? MXW_FOUND : MXW_NOT_FOUND);
}

static void *fill_cache(void *arg)
{
	struct reader *reader = arg;

	for (unsigned i = reader->first; i < reader->crowd->npeople; i += reader->step)
		look_up(reader->crowd, &reader->crowd->people[i], now_ms() + LOOKUP_MS, reader);
	return NULL;
}

static void *read_cache(void *arg)
{
	struct reader *reader = arg;
	const struct crowd *crowd = reader->crowd;
	int64_t end = now_ms() + reader->ms;
	double cpu = thread_cpu_seconds();

	while (now_ms() < end)
		for (unsigned i = 0; i < BATCH; i++)
			look_up(crowd, &crowd->people[people_random(&reader->random) % crowd->npeople], end + FAR_MS, reader);
	reader->cpu = thread_cpu_seconds() - cpu;
	return NULL;
}

/* Returns the sum of all. */
static struct reader run_readers(const struct crowd *crowd, void *(*run)(void *), unsigned n, unsigned ms)
{
	static struct reader readers[IN_FLIGHT_MAX];
	struct reader all = {.ms = ms};

	for (unsigned i = 0; i < n; i++) {
		readers[i] = (struct reader){.crowd = crowd, .random = i + 1, .first = i, .step = n, .ms = ms};
		if (pthread_create(&readers[i].thread, NULL, run, &readers[i]) != 0)
			die("no thread");
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(readers[i].thread, NULL);
		all.lookups += readers[i].lookups;
		all.hits += readers[i].hits;
		all.wrong += readers[i].wrong;
		all.cpu += readers[i].cpu;
	}
	return all;
}

static struct person *make_people(mxw__arena_t *arena, unsigned nknown, unsigned nunknown)
{
	char text[PEOPLE_ADDRESS_MAX];
	struct person *people = mxw__calloc(nknown + nunknown, sizeof *people);

	if (!people)
		die("out of memory");
	for (unsigned i = 0; i < nknown + nunknown; i++) {
		people[i].is_known = i < nknown;
		if (people[i].is_known)
			people_address(i, text);
		else
			people_stranger(i - nknown, text);
		settle(&people[i], arena, text);
	}
	return people;
}

int measure_cached(int argc, char **argv)
{
	struct mxw__directories_env env = {.clock = mxw_clock_system(), .notice = tell};
	struct crowd crowd = {0};
	struct mxw_error err = {0};

	if (argc != 7 || atoi(argv[5]) < 1 || atoi(argv[5]) > IN_FLIGHT_MAX)
		die("usage: rcptbench cached CONF STATE-DIR KNOWN UNKNOWN THREADS MS");
	mxw_conf_t *conf = load_conf(argv[1]);
	env.state_dir = argv[2];
	crowd.npeople = (unsigned)atoi(argv[3]) + (unsigned)atoi(argv[4]);
	mxw__arena_t *arena = mxw__arena_new(ARENA_MAX);
	crowd.people = make_people(arena, (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]));
	env.cache = mxw__rcpt_cache_new(conf->recipient_cache.entries, NULL);
	if (!env.cache)
		die("out of memory");
	if (mxw__directories_new(conf, &env, &crowd.directories, &err) != MXW_OK)
		die("%s", err.text);
	crowd.domain = mxw__directories_domain(crowd.directories, PEOPLE_DOMAIN);
	if (!crowd.domain)
		die("the configuration does not have the domain " PEOPLE_DOMAIN);
	struct reader filled = run_readers(&crowd, fill_cache, FILLERS, 0);
	if (filled.wrong > 0)
		die("%lu of %lu first look-ups had a wrong answer", filled.wrong, filled.lookups);
	struct reader all = run_readers(&crowd, read_cache, (unsigned)atoi(argv[5]), (unsigned)atoi(argv[6]));
	mxw__directories_free(crowd.directories);
	mxw__rcpt_cache_free(env.cache);
	mxw_conf_unref(conf);
	free(crowd.people);
	mxw__arena_free(arena);
	printf("{\"lookups\": %lu, \"hits\": %lu, \"wrong\": %lu, \"cpu_seconds\": %.6f}\n", all.lookups, all.hits, all.wrong,
	       all.cpu);
	return all.wrong > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- */

static int write_ldif(int argc, char **argv)
{
	if (argc != 2)
		die("usage: rcptbench ldif PEOPLE");
	for (unsigned i = 0; i < (unsigned)atoi(argv[1]); i++)
		people_write_ldif(stdout, i);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} all[] = {
		{"ldif", write_ldif},
		{"uncached", measure_uncached},
		{"cached", measure_cached},
		{"outage", measure_outage},
	};

	for (size_t i = 0; argc > 1 && i < MXW_ARRAY_LEN(all); i++)
		if (strcmp(argv[1], all[i].name) == 0)
			return all[i].run(argc - 1, argv + 1);
	die("usage: rcptbench ldif|uncached|cached|outage ...");
}
