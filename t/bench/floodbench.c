/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floodbench: many sessions whose senders have names below one zone, each another, and a few others beside them. It is
 * linked to the library's internals for their small helpers only; t/bench/dnsflood runs it and a DNS server beside it.
 *
 *	floodbench CONF SESSIONS THREADS CLIENTS
 *
 * The engine with the configuration of CONF; SESSIONS sessions of one message each, on THREADS threads, from CLIENTS addresses.
 * Every 20 ms, before that for a second and then beside it, one session of somebody else, whose sender has a zone of its own
 * ("probes"). One line of JSON says what became of them.
 */
#include "config.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <mxward/mxward.h>

#include "src/base/base.h"

enum { THREADS_MAX = 256, PROBES_MAX = 100000, PROBE_PAUSE_US = 20000, ALONE_MS = 1000 };

static struct {
	mxw_engine_t *engine;
	unsigned nsessions, nclients;
	uint64_t seed;
	atomic_uint next;
	atomic_uint accepted, deferred, refused, warnings;
	atomic_bool stop, is_flooding;
	pthread_mutex_t lock; /* for the line */
	char counters[1024];
} bench;

struct probes {
	unsigned n, unanswered;
	double ms[PROBES_MAX];
};

static _Noreturn void die(const char *fmt, ...) MXW_PRINTF(1, 2);
static _Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("floodbench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(EXIT_FAILURE);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void tell(void *ctx, mxw_level_t level, const char *line)
{
	if (level <= MXW_LEVEL_WARNING) {
		atomic_fetch_add(&bench.warnings, 1);
		fprintf(stderr, "floodbench: %s\n", line);
	} else if (strncmp(line, "event=resolver ", 15) == 0) {
		pthread_mutex_lock(&bench.lock);
		snprintf(bench.counters, sizeof bench.counters, "%s", line + 15);
		pthread_mutex_unlock(&bench.lock);
	}
}

static void complain(void *ctx, const struct mxw_error *error)
{
	fprintf(stderr, "floodbench: %s:%u: %s\n", error->file, error->line, error->text);
}

/* ---- sessions ---- */

/* One message from beginning to end; its final code, and what SPF said of it. */
static int send_message(const struct mxw_ip *client, const char *sender, char ret_spf[32])
{
	struct mxw_verdict verdict;
	const struct mxw_edit *edits;
	mxw_session_t *session;
	size_t nedits;
	char from[160];

	snprintf(from, sizeof from, " <%s>", sender);
	if (mxw_session_new(bench.engine, &session) != MXW_OK)
		die("no session");
	mxw_session_connect(session, &(struct mxw_connect_info){.client = *client}, &verdict);
	mxw_session_helo(session, "mail.host.example", &verdict);
	mxw_session_mail(session, &(struct mxw_mail_info){.sender = sender}, &verdict);
	if (!verdict.code)
		mxw_session_rcpt(session, &(struct mxw_rcpt_info){.rcpt = "anna@bench.example"}, &verdict);
	if (!verdict.code) {
		mxw_session_header(session, "From", from);
		mxw_session_header(session, "Date", " Mon, 2 Mar 2026 12:00:00 +0000");
		mxw_session_end_of_headers(session);
		mxw_session_eom(session, &verdict, &edits, &nedits);
	}
	const char *spf = mxw_facts_get(mxw_session_facts(session), mxw_fact_find("spf"));
	snprintf(ret_spf, 32, "%s", spf ? spf : "");
	mxw_session_free(session);
	return verdict.code;
}

static void *flood(void *arg)
{
	char sender[128], spf[32];
	unsigned n;

	while ((n = atomic_fetch_add(&bench.next, 1)) < bench.nsessions) {
		uint64_t random = (bench.seed + n) * UINT64_C(0x9e3779b97f4a7c15);
		unsigned from = n % bench.nclients;
		struct mxw_ip client = {4, {198, 18, (uint8_t)(from >> 8), (uint8_t)from}};
		snprintf(sender, sizeof sender, "user@r%016llx.flood.example.com", (unsigned long long)random);
		int code = send_message(&client, sender, spf);
		atomic_fetch_add(code >= 500 ? &bench.refused : code >= 400 ? &bench.deferred : &bench.accepted, 1);
	}
	return NULL;
}

static void probe(struct probes *probes, unsigned number)
{
	struct mxw_ip client = {4, {198, 19, (uint8_t)(number >> 8), (uint8_t)number}};
	char sender[128], spf[32];

	snprintf(sender, sizeof sender, "user@p%u-%08x.example", number, (unsigned)bench.seed);
	double start = now_ms();
	int code = send_message(&client, sender, spf);
	probes->ms[probes->n++] = now_ms() - start;
	/* An answer that did not come in time, or was not asked for. */
	if (code || strcmp(spf, "pass") != 0)
		probes->unanswered++;
}

static void *probe_always(void *arg)
{
	struct probes *probes = arg;

	for (unsigned number = 0; !atomic_load(&bench.stop) && probes[0].n + probes[1].n < PROBES_MAX; number++) {
		probe(&probes[atomic_load(&bench.is_flooding)], number);
		usleep(PROBE_PAUSE_US);
	}
	return NULL;
}

/* ---- what is said of it ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_probes(const char *name, struct probes *probes)
{
	qsort(probes->ms, probes->n, sizeof probes->ms[0], compare);
	printf(", \"%s\": {\"n\": %u, \"unanswered\": %u, \"median_ms\": %.2f, \"worst_ms\": %.2f}", name, probes->n,
	       probes->unanswered, probes->n ? probes->ms[probes->n / 2] : 0, probes->n ? probes->ms[probes->n - 1] : 0);
}

static void print_counters(void)
{
	char *rest = NULL;

	printf(", \"resolver\": {");
	const char *comma = "";
	for (char *word = strtok_r(bench.counters, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		char *is = strchr(word, '=');
		if (!is)
			continue;
		*is = '\0';
		printf("%s\"%s\": %s", comma, word, is + 1);
		comma = ", ";
	}
	printf("}");
}

/* ---- start ---- */

static void make_engine(const char *path)
{
	struct mxw_engine_options options = {.size = sizeof options, .log = tell};
	struct mxw_error err = {0};
	mxw_conf_t *conf = NULL;

	if (mxw_conf_load(path, complain, NULL, &conf) != MXW_OK)
		die("%s can't be used", path);
	if (mxw_engine_new(conf, &options, &bench.engine, &err) != MXW_OK)
		die("%s", err.text);
	mxw_conf_unref(conf);
}

static double run_flood(unsigned nthreads)
{
	pthread_t threads[THREADS_MAX];
	double start = now_ms();

	atomic_store(&bench.is_flooding, true);
	for (unsigned i = 0; i < nthreads; i++)
		if (pthread_create(&threads[i], NULL, flood, NULL) != 0)
			die("no thread");
	for (unsigned i = 0; i < nthreads; i++)
		pthread_join(threads[i], NULL);
	return (now_ms() - start) / 1e3;
}

static unsigned number(const char *text, uint64_t max)
{
	uint64_t value;

	if (!mxw__parse_u64(text, &value) || value < 1 || value > max)
		die("%s is out of range", text);
	return (unsigned)value;
}

int main(int argc, char **argv)
{
	static struct probes probes[2];
	struct rlimit files;
	pthread_t prober;

	if (argc != 5)
		die("usage: floodbench CONF SESSIONS THREADS CLIENTS");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	pthread_mutex_init(&bench.lock, NULL);
	bench.nsessions = number(argv[2], 100000000);
	unsigned nthreads = number(argv[3], THREADS_MAX);
	bench.nclients = number(argv[4], 65536);
	bench.seed = mxw__random_u64();
	make_engine(argv[1]);
	if (pthread_create(&prober, NULL, probe_always, probes) != 0)
		die("no thread");
	usleep(ALONE_MS * 1000);
	double seconds = run_flood(nthreads);
	atomic_store(&bench.stop, true);
	pthread_join(prober, NULL);
	mxw_engine_free(bench.engine);
	printf("{\"sessions\": %u, \"seconds\": %.3f, \"accepted\": %u, \"deferred\": %u, \"refused\": %u, \"warnings\": %u",
	       bench.nsessions, seconds, atomic_load(&bench.accepted), atomic_load(&bench.deferred),
	       atomic_load(&bench.refused), atomic_load(&bench.warnings));
	print_probes("alone", &probes[0]);
	print_probes("beside", &probes[1]);
	print_counters();
	printf("}\n");
	return 0;
}
