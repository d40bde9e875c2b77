/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnswait: how long a message waits for the DNS when nothing is in any cache and every answer takes its time.
 *
 *	t/bench/dnswait [--check] [--rounds N] [--delay MS]
 *
 * A DNS server on the loopback address answers each question after 50 ms. A session with one message goes through the library
 * without a pause between its steps, as from a client that is as fast as it can be: its client has a name to be
 * confirmed and is looked up in two block lists, its sender an SPF record with two includes of which the second decides,
 * the message has a DKIM signature and its author's domain a DMARC record. Every fact of these is wanted. How to read the figures:
 *
 * - "one answer" is the time that one question takes through the same resolver: the delay, and what goes with it.
 * - "processing" is the same session again when all answers are known.
 * - "cold" is the session with an engine and a resolver that are new, all its steps summed up.
 * - "delays" is (cold - processing) / one answer: how many answers were waited for, one after the other. The median of the
 *   rounds; --check wants 3.0 at most. Two is the least that SPF's includes and a confirmed name allow.
 *
 * Exit status: 0; 1 if a fact was not what it should be or, with --check, the goal was missed; 2 for a wrong argument.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mxward/conf.h>
#include <mxward/session.h>

#include "src/base/base.h"
#include "t/fakes/dnsd.h"

#define GOAL 3.0
enum { ROUNDS = 9, ROUNDS_MAX = 101, STEPS = 8,
       ZONE_MAX = 16384, MESSAGE_MAX = 65536 };

static const char zone_text[] =
	"sender.example TXT \"v=spf1 include:one.spf.example include:two.spf.example -all\"\n"
	"sender.example MX 10 mail.sender.example\n"
	"mail.sender.example A 203.0.112.7\n"
	"one.spf.example TXT \"v=spf1 ip4:198.18.1.0/24 -all\"\n"
	"two.spf.example TXT \"v=spf1 ip4:203.0.112.0/24 -all\"\n"
	"_dmarc.sender.example TXT \"v=DMARC1; p=reject\"\n"
	"7.112.0.203.in-addr.arpa PTR mail.sender.example\n"
	"7.112.0.203.listed.one.example A 127.0.0.2\n"
	"2.0.0.127.listed.one.example A 127.0.0.2\n"
	"2.0.0.127.listed.two.example A 127.0.0.2\n"
	"*.question.example A 198.18.0.1\n";

static const char conf_text[] =
	"authserv-id mx.example.net\n"
	"resolver {\n  forward %s\n}\n"
	"directory people {\n  type file\n  path %s\n}\n"
	"domain example.net {\n  recipients people\n}\n"
	"dnsbl one {\n  zone listed.one.example\n}\n"
	"dnsbl two {\n  zone listed.two.example\n}\n"
	"rule bench-list observe {\n  at rcpt\n  when client.dnsbl = two\n  if-unknown skip\n  reject\n}\n"
	"rule bench-name observe {\n  at eom\n  when iprev = fail or dmarc = fail or spf = softfail\n  if-unknown skip\n  reject\n}\n";

static const struct {
	const char *fact, *value;
} wanted[] = {
	{"spf", "pass"}, {"dkim", "pass"}, {"dmarc", "pass"}, {"iprev", "pass"}, {"client.dnsbl", "one"},
};

static const char *const step_names[STEPS] = {"connect", "helo", "mail", "rcpt", "data", "header", "body", "eom"};

struct times {
	double step[STEPS];
	double total;
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "dnswait: %s: %s\n", what, why);
	exit(1);
}

static void complain(void *ctx, const struct mxw_error *error)
{
	(void)ctx;
	fprintf(stderr, "%s:%u: %s\n", error->file, error->line, error->text);
}

static mxw_engine_t *new_engine(const char *text)
{
	struct mxw_engine_options options = {.size = sizeof options};
	struct mxw_error err;
	mxw_engine_t *engine;
	mxw_conf_t *conf;

	if (mxw_conf_load_text("dnswait.conf", text, complain, NULL, &conf) != MXW_OK)
		die("configuration", "not understood");
	if (mxw_engine_new(conf, &options, &engine, &err) != MXW_OK)
		die("engine", err.text);
	mxw_conf_unref(conf);
	return engine;
}

/* ---- the message ---- */

static char message[MESSAGE_MAX];
static char *body;

static void read_message(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(message, 1, sizeof message - 1, file) : 0;

	if (!n)
		die(path, "can't be read");
	fclose(file);
	message[n] = '\0';
	body = strstr(message, "\n\n");
	if (!body)
		die(path, "has no body");
	body[1] = '\0';
	body += 2;
}

static void give_header(mxw_session_t *s)
{
	char *copy = strdup(message), *at = copy;

	while (at && *at) {
		char *end = at;
		do
			end += strcspn(end, "\n");
		while (*end && (end[1] == ' ' || end[1] == '\t') && ++end);
		char *next = *end ? end + 1 : end;
		*end = '\0';
		char *colon = strchr(at, ':');
		if (!colon)
			break;
		*colon = '\0';
		mxw_session_header(s, at, colon + 1);
		at = next;
	}
	free(copy);
	mxw_session_end_of_headers(s);
}

/* With the line ends that it has on the wire. */
static void give_body(mxw_session_t *s)
{
	for (const char *p = body; *p;) {
		size_t len = strcspn(p, "\n");
		mxw_session_body(s, (const unsigned char *)p, len);
		mxw_session_body(s, (const unsigned char *)"\r\n", 2);
		p += len + (p[len] == '\n');
	}
}

/* The record of the key that has signed the message, in strings of a zone file. */
static void add_key(struct mxw__buf *zone, const char *path)
{
	FILE *file = fopen(path, "r");
	char part[201];

	if (!file)
		die(path, "can't be read");
	mxw__buf_adds(zone, "rsa._domainkey.sender.example TXT");
	while (fgets(part, sizeof part, file)) {
		part[strcspn(part, "\n")] = '\0';
		if (*part)
			mxw__buf_addf(zone, " \"%s\"", part);
	}
	mxw__buf_adds(zone, "\n");
	fclose(file);
}

/* ---- one session ---- */

static void step(mxw_session_t *s, unsigned which, struct mxw_verdict *verdict)
{
	static const struct mxw_mail_info mail = {.sender = "<bob@sender.example>"};
	static const struct mxw_rcpt_info rcpt = {.rcpt = "<anna@example.net>"};
	struct mxw_connect_info client = {.client_name = "mail.sender.example"};
	const struct mxw_edit *edits;
	size_t n;

	switch (which) {
	case 0:
		mxw_ip_parse("203.0.112.7", &client.client);
		mxw_session_connect(s, &client, verdict);
		return;
	case 1:
		mxw_session_helo(s, "mail.sender.example", verdict);
		return;
	case 2:
		mxw_session_mail(s, &mail, verdict);
		return;
	case 3:
		mxw_session_rcpt(s, &rcpt, verdict);
		return;
	case 4:
		mxw_session_data(s, verdict);
		return;
	case 5:
		give_header(s);
		return;
	case 6:
		give_body(s);
		return;
	default:
		mxw_session_eom(s, verdict, &edits, &n);
		return;
	}
}

static void check_facts(mxw_session_t *s)
{
	const mxw_facts_t *facts = mxw_session_facts(s);

	for (size_t i = 0; i < MXW_ARRAY_LEN(wanted); i++) {
		const char *value = mxw_facts_get(facts, mxw_fact_find(wanted[i].fact));
		if (!value || strcmp(value, wanted[i].value) != 0)
			die(wanted[i].fact, value ? value : "absent");
	}
}

static void run_session(mxw_engine_t *engine, struct times *ret_times)
{
	struct mxw_verdict verdict = {0};
	mxw_session_t *s;

	if (mxw_session_new(engine, &s) != MXW_OK)
		die("session", "out of memory");
	ret_times->total = 0;
	for (unsigned i = 0; i < STEPS; i++) {
		double began = now_ms();
		step(s, i, &verdict);
		ret_times->step[i] = now_ms() - began;
		ret_times->total += ret_times->step[i];
		if (verdict.decided != MXW_ACTION_CONTINUE)
			die(step_names[i], verdict.text);
	}
	check_facts(s);
	mxw_session_free(s);
}

/* ---- rounds ---- */

static double one_answer(const char *address)
{
	struct mxw_resolver_options options = {.size = sizeof options, .forward = &address, .nforward = 1};
	mxw_resolver_t *resolver;
	struct mxw_error err;

	if (mxw_resolver_new(&options, &resolver, &err) != MXW_OK)
		die("resolver", err.text);
	double began = now_ms();
	mxw_dns_answer_t *answer = mxw_resolver_ask(resolver, "a.question.example", MXW_DNS_A,
						    (int64_t)began + 5000, NULL);
	double took = now_ms() - began;
	if (answer->outcome != MXW_FOUND)
		die("one answer", mxw_outcome_name(answer->outcome));
	mxw_dns_answer_unref(answer);
	mxw_resolver_unref(resolver);
	return took;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *values, unsigned n)
{
	qsort(values, n, sizeof *values, by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

struct figures {
	double one[ROUNDS_MAX], processing[ROUNDS_MAX], cold[ROUNDS_MAX], delays[ROUNDS_MAX];
	double step[STEPS][ROUNDS_MAX];
};

static void run_round(const char *conf, const char *address, unsigned i, struct figures *f)
{
	struct times cold, warm;
	mxw_engine_t *engine = new_engine(conf);

	run_session(engine, &cold);
	run_session(engine, &warm);
	mxw_engine_free(engine);
	f->one[i] = one_answer(address);
	f->cold[i] = cold.total;
	f->processing[i] = warm.total;
	f->delays[i] = (cold.total - warm.total) / f->one[i];
	for (unsigned s = 0; s < STEPS; s++)
		f->step[s][i] = cold.step[s];
}

static double report(struct figures *f, unsigned rounds)
{
	double delays = median(f->delays, rounds);

	printf("one answer   %7.1f ms\n", median(f->one, rounds));
	printf("processing   %7.1f ms\n", median(f->processing, rounds));
	printf("cold         %7.1f ms:", median(f->cold, rounds));
	for (unsigned s = 0; s < STEPS; s++)
		printf(" %s %.1f", step_names[s], median(f->step[s], rounds));
	printf("\ndelays       %7.2f (%.2f to %.2f), goal %.1f\n", delays, f->delays[0], f->delays[rounds - 1], GOAL);
	return delays;
}

/* ---- arguments ---- */

struct arguments {
	bool checks;
	unsigned rounds, delay_ms;
};

static unsigned number(const char *name, const char *text, unsigned max)
{
	char *end;
	unsigned long n = text ? strtoul(text, &end, 10) : 0;

	if (!text || *end || n < 1 || n > max) {
		fprintf(stderr, "dnswait: %s wants a number from 1 to %u\n", name, max);
		exit(2);
	}
	return (unsigned)n;
}

static struct arguments read_arguments(char **argv)
{
	struct arguments args = {.rounds = ROUNDS, .delay_ms = 50};

	for (argv++; *argv; argv++) {
		if (strcmp(*argv, "--check") == 0) {
			args.checks = true;
		} else if (strcmp(*argv, "--short") == 0) {
			args.rounds = 5;
		} else if (strcmp(*argv, "--rounds") == 0) {
			args.rounds = number("--rounds", argv[1], ROUNDS_MAX);
			argv++;
		} else if (strcmp(*argv, "--delay") == 0) {
			args.delay_ms = number("--delay", argv[1], 2000);
			argv++;
		} else {
			fprintf(stderr, "usage: dnswait [--check] [--short] [--rounds N] [--delay MS]\n");
			exit(2);
		}
	}
	return args;
}

/* A file with the one recipient. */
static void make_people(char *path)
{
	int fd = mkstemp(path);
	static const char text[] = "anna@example.net\n";

	if (fd < 0 || write(fd, text, sizeof text - 1) != (ssize_t)(sizeof text - 1) || close(fd) != 0)
		die(path, "can't be written");
}

int main(int argc, char **argv)
{
	struct arguments args = read_arguments(argv);
	static struct figures figures;
	char conf[4096], people[] = "/tmp/mxward-dnswait.XXXXXX";
	struct mxw__buf zone;

	(void)argc;
	read_message(MXW_BENCH_MESSAGE);
	make_people(people);
	mxw__buf_init(&zone, ZONE_MAX);
	mxw__buf_addf(&zone, "%s*.example ANY !delay=%ums\n*.arpa ANY !delay=%ums\n", zone_text, args.delay_ms,
		      args.delay_ms);
	add_key(&zone, MXW_BENCH_KEY);
	dnsd_t *server = dnsd_start(mxw__buf_str(&zone));
	mxw__buf_fini(&zone);
	snprintf(conf, sizeof conf, conf_text, dnsd_address(server), people);
	for (unsigned i = 0; i < args.rounds; i++)
		run_round(conf, dnsd_address(server), i, &figures);
	double delays = report(&figures, args.rounds);
	dnsd_stop(server);
	unlink(people);
	if (args.checks && delays > GOAL) {
		fprintf(stderr, "dnswait: %.2f delays are more than %.1f\n", delays, GOAL);
		return 1;
	}
	return 0;
}
