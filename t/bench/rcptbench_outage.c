/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rcptbench outage: what sessions are told while the directory is away.
 *
 *	rcptbench outage CONF STATE-DIR PEOPLE FIRST-LATE LATE THREADS
 *
 * The engine with the configuration of CONF, and sessions on many threads, each a client of its own network that tries a
 * few recipients of these kinds:
 *
 *	cached     known, looked up before
 *	copied     known, never looked up before: the offline copy alone has them
 *	late       known, never looked up before, and added to the directory after the copy was made
 *	unknown    nobody
 *
 * It says on stdout "copied" when the offline copy is there, waits for a line on stdin (late ones are added now), looks up
 * who is to be cached and says "ready". Then lines on stdin say what happens: "down" (the directory is about to be
 * stopped), "up" (it is back), "end". After "up" it says "recovered MS" when the first late one was accepted, counted from
 * when "up" was read. Last it writes one line of JSON.
 *
 * The rules on those who guess recipients are in force, as at a real site, and must decide nothing here: no network tries
 * more than one that nobody has, and of all that are tried fewer are unknown than where the site counts as harvested.
 */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "t/bench/rcptbench.h"
#include "t/fakes/fake_resolver.h"

enum { THREADS_MAX = 256, PAUSE_US = 2000, COPY_WAIT_MS = 60000, RECOVERY_WAIT_MS = 30000, TOLD_MAX = 600, SLEEP_US = 5000 };
/* Of all people this part is to be cached; the others are in the copy only. */
enum { ONE_CACHED_IN = 20 };

typedef enum kind { CACHED, COPIED, LATE, UNKNOWN, KINDS } kind_t;
static const char *const kind_names[KINDS] = {"cached", "copied", "late", "unknown"};
/* What a client tries, from anywhere in it on; from a fifth of unknown ones on a site counts as harvested. */
static const kind_t tried[] = {CACHED, LATE, COPIED, CACHED, UNKNOWN, COPIED, LATE, CACHED};
enum { RECIPIENTS = MXW_ARRAY_LEN(tried) };

typedef enum answer { ACCEPTED, DEFERRED, REFUSED, ANSWERS } answer_t;
typedef enum phase { BEFORE, DOWN, BACK, PHASES } phase_t;
static const char *const phase_names[PHASES] = {"before", "down", "back"};

struct tally {
	atomic_ulong n[ANSWERS];
};

static struct {
	mxw_engine_t *engine;
	unsigned npeople, ncached, first_late, nlate;
	atomic_uint clients, next_copied, next_late, next_unknown;
	atomic_bool stop;
	atomic_int phase;
	atomic_llong up_ms, recovered_ms;
	atomic_llong slowest_us, overslept_us;
	struct tally tally[PHASES][KINDS];
	atomic_bool is_told;
	char told[TOLD_MAX]; /* the first answer that should not have been, and why; once is_told */
} bench;

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void tell(void *ctx, mxw_level_t level, const char *line)
{
	if (level <= MXW_LEVEL_WARNING && getenv("RCPTBENCH_LOG"))
		fprintf(stderr, "rcptbench: %s\n", line);
}

/* ---- who is asked for ---- */

static void choose(kind_t kind, uint64_t *random, char ret_address[PEOPLE_ADDRESS_MAX])
{
	unsigned ncopied = bench.npeople - bench.ncached;

	switch (kind) {
	case CACHED:
		people_address(people_random(random) % bench.ncached, ret_address);
		return;
	case COPIED:
		people_address(bench.ncached + atomic_fetch_add(&bench.next_copied, 1) % ncopied, ret_address);
		return;
	case LATE:
		people_address(bench.first_late + atomic_fetch_add(&bench.next_late, 1) % bench.nlate, ret_address);
		return;
	default:
		people_stranger(atomic_fetch_add(&bench.next_unknown, 1), ret_address);
		return;
	}
}

/* ---- sessions ---- */

static void time_step(int64_t start_us)
{
	long long took = now_us() - start_us, slowest = atomic_load(&bench.slowest_us);

	while (took > slowest && !atomic_compare_exchange_weak(&bench.slowest_us, &slowest, took))
		;
}

/* Each client is new, and so is its network: who guesses is not to be put off for that here. */
static mxw_session_t *begin(void)
{
	unsigned n = atomic_fetch_add(&bench.clients, 1);
	struct mxw_connect_info info = {.client = {4, {(uint8_t)(11 + (n >> 16) % 100), (uint8_t)(n >> 8), (uint8_t)n, 25}}};
	mxw_session_t *session;
	struct mxw_verdict verdict;

	if (mxw_session_new(bench.engine, &session) != MXW_OK)
		die("no session");
	mxw_session_connect(session, &info, &verdict);
	mxw_session_helo(session, "mail.sender.example", &verdict);
	mxw_session_mail(session, &(struct mxw_mail_info){.sender = "<news@sender.example>"}, &verdict);
	return session;
}

static answer_t try_recipient(mxw_session_t *session, const char *address, struct mxw_verdict *ret_verdict)
{
	int64_t start = now_us();

	mxw_session_rcpt(session, &(struct mxw_rcpt_info){.rcpt = address}, ret_verdict);
	time_step(start);
	return ret_verdict->code >= 500 ? REFUSED : ret_verdict->code >= 400 ? DEFERRED : ACCEPTED;
}

/* Whoever exists is not refused, and not put off where that is known here. */
static bool is_wrong(kind_t kind, answer_t answer)
{
	return (answer == REFUSED && kind != UNKNOWN) || (answer == DEFERRED && (kind == CACHED || kind == COPIED));
}

/* The rule that said so is what one wants to know of a goal that was missed. Its facts have no octet that JSON minds but these two. */
static void tell_first(phase_t phase, kind_t kind, const struct mxw_verdict *verdict)
{
	if (atomic_exchange(&bench.is_told, true))
		return;
	snprintf(bench.told, sizeof bench.told, "%s, %s: %d by %s (%s)", kind_names[kind], phase_names[phase], verdict->code,
		 verdict->rule ? verdict->rule : "no rule", verdict->facts);
	for (char *c = bench.told; *c; c++)
		if (*c == '"' || *c == '\\')
			*c = '\'';
}

static void note(phase_t phase, kind_t kind, answer_t answer, const struct mxw_verdict *verdict)
{
	long long none = 0;

	atomic_fetch_add(&bench.tally[phase][kind].n[answer], 1);
	if (is_wrong(kind, answer))
		tell_first(phase, kind, verdict);
	if (kind == LATE && answer == ACCEPTED && phase == BACK)
		atomic_compare_exchange_strong(&bench.recovered_ms, &none, now_us() / 1000);
}

static void *send_mail(void *arg)
{
	uint64_t random = (uint64_t)(uintptr_t)arg + 1;
	char address[PEOPLE_ADDRESS_MAX];
	struct mxw_verdict verdict;

	while (!atomic_load(&bench.stop)) {
		mxw_session_t *session = begin();
		unsigned first = people_random(&random);
		for (unsigned i = 0; i < RECIPIENTS && !atomic_load(&bench.stop); i++) {
			kind_t kind = tried[(first + i) % RECIPIENTS];
			/* A late one that was found would be in the cache when it is needed. */
			if (kind == LATE && atomic_load(&bench.phase) == BEFORE)
				kind = CACHED;
			choose(kind, &random, address);
			phase_t phase = atomic_load(&bench.phase);
			note(phase, kind, try_recipient(session, address, &verdict), &verdict);
			usleep(PAUSE_US);
		}
		mxw_session_free(session);
	}
	return NULL;
}

/* What the machine adds to a wait. */
static void *only_sleep(void *arg)
{
	while (!atomic_load(&bench.stop)) {
		int64_t start = now_us();
		usleep(SLEEP_US);
		long long over = now_us() - start - SLEEP_US;
		if (over > atomic_load(&bench.overslept_us))
			atomic_store(&bench.overslept_us, over);
	}
	return NULL;
}

/* ---- preparations ---- */

static mxw_resolver_t *make_resolver(void)
{
	static struct fake_clock clock;

	fake_clock_init(&clock);
	fake_resolver_t *resolver = fake_resolver_new(&clock);
	fake_resolver_script(resolver, "sender.example MX 10 mail.sender.example\nmail.sender.example A 198.18.0.1\n");
	return &resolver->resolver;
}

static void make_engine(const char *conf_path, const char *state_dir)
{
	struct mxw_engine_options options = {.size = sizeof options, .log = tell, .state_dir = state_dir};
	struct mxw_error err = {0};
	mxw_conf_t *conf = load_conf(conf_path);

	options.resolver = make_resolver();
	if (mxw_engine_new(conf, &options, &bench.engine, &err) != MXW_OK)
		die("%s", err.text);
	mxw_resolver_unref(options.resolver);
	mxw_conf_unref(conf);
}

/* The list takes a while. It is there when its file has its name. */
static void await_copy(const char *state_dir)
{
	char path[512];
	int64_t end = now_us() + COPY_WAIT_MS * 1000;

	snprintf(path, sizeof path, "%s/copy-staff", state_dir);
	while (access(path, R_OK) != 0) {
		if (now_us() > end)
			die("no offline copy was made");
		usleep(20000);
	}
}

static void fill_cache(void)
{
	char address[PEOPLE_ADDRESS_MAX];
	struct mxw_verdict verdict;
	mxw_session_t *session = begin();

	for (unsigned i = 0; i < bench.ncached; i++) {
		people_address(i, address);
		if (i % RECIPIENTS == 0) {
			mxw_session_free(session);
			session = begin();
		}
		if (try_recipient(session, address, &verdict) != ACCEPTED)
			die("%s was not accepted while the directory was there: %s", address,
			    verdict.rule ? verdict.rule : verdict.text);
	}
	mxw_session_free(session);
}

/* ---- the report ---- */

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

static void await_recovery(void)
{
	int64_t start = now_us() / 1000;
	long long recovered = 0;

	while ((recovered = atomic_load(&bench.recovered_ms)) == 0 && now_us() / 1000 - start < RECOVERY_WAIT_MS)
		usleep(1000);
	/* Somebody may have been served before we were told that it is back. */
	atomic_store(&bench.up_ms, recovered == 0 ? -1 : recovered < start ? 0 : recovered - start);
	printf("recovered %lld\n", (long long)atomic_load(&bench.up_ms));
	fflush(stdout);
}

static void report(void)
{
	printf("{\"slowest_ms\": %.1f, \"machine_ms\": %.1f, \"recovery_ms\": %lld, \"first_wrong\": \"%s\"",
	       (double)atomic_load(&bench.slowest_us) / 1000, (double)atomic_load(&bench.overslept_us) / 1000, (long long)atomic_load(&bench.up_ms), bench.told);
	for (int phase = 0; phase < PHASES; phase++) {
		printf(", \"%s\": {", phase_names[phase]);
		for (int kind = 0; kind < KINDS; kind++) {
			struct tally *t = &bench.tally[phase][kind];
			printf("%s\"%s\": [%lu, %lu, %lu]", kind ? ", " : "", kind_names[kind],
			       atomic_load(&t->n[ACCEPTED]), atomic_load(&t->n[DEFERRED]), atomic_load(&t->n[REFUSED]));
		}
		printf("}");
	}
	say("}");
}

static void serve(void)
{
	char line[64];

	while (fgets(line, sizeof line, stdin)) {
		/* What is tried from "down" to "coming" finds no directory, for sure. */
		if (strcmp(line, "down\n") == 0) {
			atomic_store(&bench.phase, DOWN);
		} else if (strcmp(line, "coming\n") == 0) {
			atomic_store(&bench.phase, BACK);
			say("coming");
		} else if (strcmp(line, "up\n") == 0) {
			await_recovery();
		} else {
			return;
		}
	}
}

int measure_outage(int argc, char **argv)
{
	static pthread_t threads[THREADS_MAX], sleeper;
	char line[64];

	if (argc != 7 || atoi(argv[6]) < 1 || atoi(argv[6]) > THREADS_MAX)
		die("usage: rcptbench outage CONF STATE-DIR PEOPLE FIRST-LATE LATE THREADS");
	bench.npeople = (unsigned)atoi(argv[3]);
	bench.ncached = bench.npeople / ONE_CACHED_IN;
	bench.first_late = (unsigned)atoi(argv[4]);
	bench.nlate = (unsigned)atoi(argv[5]);
	unsigned nthreads = (unsigned)atoi(argv[6]);
	make_engine(argv[1], argv[2]);
	await_copy(argv[2]);
	say("copied");
	if (!fgets(line, sizeof line, stdin))
		die("nobody is there");
	fill_cache();
	atomic_store(&bench.slowest_us, 0);
	if (pthread_create(&sleeper, NULL, only_sleep, NULL) != 0)
		die("no thread");
	for (uintptr_t i = 0; i < nthreads; i++)
		if (pthread_create(&threads[i], NULL, send_mail, (void *)i) != 0)
			die("no thread");
	say("ready");
	serve();
	atomic_store(&bench.stop, true);
	for (unsigned i = 0; i < nthreads; i++)
		pthread_join(threads[i], NULL);
	pthread_join(sleeper, NULL);
	mxw_engine_free(bench.engine);
	report();
	return EXIT_SUCCESS;
}
