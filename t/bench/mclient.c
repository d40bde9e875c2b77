/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mclient: speaks the milter protocol as an MTA does, many sessions at once, and counts.
 *
 * See usage() for the options and scenario.h for scenario files. Exit status: 0 if all went as expected,
 * 1 if something asked for was not met or a connection failed, 64 for a wrong option.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "t/bench/load.h"

#define EXPECT_MAX 16

struct settings {
	struct mload_options load;
	struct mload_simple simple;
	const char *scenario;
	const char *json;
	bool is_quiet;
	bool fails_on_unexpected;
	bool expects_accept;
	uint64_t expect_accept;
	unsigned max_seconds;
	unsigned max_burst_ms;
	size_t ncodes;
	struct {
		int code;
		uint64_t count;
	} codes[EXPECT_MAX];
};

enum option_letter {
	OPT_MILTER = 256, OPT_CONNECTIONS, OPT_SESSIONS, OPT_MESSAGES, OPT_HOSTILE, OPT_FIRST, OPT_THINK, OPT_BURST,
	OPT_SEED, OPT_SCENARIO, OPT_CORPUS, OPT_SIZE, OPT_RCPTS, OPT_SENDERS, OPT_HELO, OPT_CLIENT, OPT_UNKNOWN,
	OPT_ACTIONS, OPT_STEPS, OPT_JSON, OPT_QUIET, OPT_ACCEPT, OPT_CODE, OPT_SECONDS, OPT_BURST_MS, OPT_EXPECTED,
	OPT_HELP
};

static const struct option options[] = {
	{"milter", required_argument, NULL, OPT_MILTER},
	{"connections", required_argument, NULL, OPT_CONNECTIONS},
	{"sessions", required_argument, NULL, OPT_SESSIONS},
	{"messages", required_argument, NULL, OPT_MESSAGES},
	{"hostile", required_argument, NULL, OPT_HOSTILE},
	{"first", required_argument, NULL, OPT_FIRST},
	{"think", required_argument, NULL, OPT_THINK},
	{"burst", required_argument, NULL, OPT_BURST},
	{"seed", required_argument, NULL, OPT_SEED},
	{"scenario", required_argument, NULL, OPT_SCENARIO},
	{"corpus", required_argument, NULL, OPT_CORPUS},
	{"size", required_argument, NULL, OPT_SIZE},
	{"rcpts", required_argument, NULL, OPT_RCPTS},
	{"senders", required_argument, NULL, OPT_SENDERS},
	{"helo", required_argument, NULL, OPT_HELO},
	{"client-ip", required_argument, NULL, OPT_CLIENT},
	{"unknown", required_argument, NULL, OPT_UNKNOWN},
	{"actions", required_argument, NULL, OPT_ACTIONS},
	{"steps", required_argument, NULL, OPT_STEPS},
	{"json", required_argument, NULL, OPT_JSON},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{"expect-accept", required_argument, NULL, OPT_ACCEPT},
	{"expect-code", required_argument, NULL, OPT_CODE},
	{"max-seconds", required_argument, NULL, OPT_SECONDS},
	{"max-burst-ms", required_argument, NULL, OPT_BURST_MS},
	{"expect-rows", no_argument, NULL, OPT_EXPECTED},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static void usage(FILE *out)
{
	fputs("usage: mclient --milter ADDRESS [option...]\n"
	      "  --milter ADDRESS        unix:/path or inet:port@host\n"
	      "  --connections N         open at the same time (1)\n"
	      "  --sessions N            in all (as many as connections)\n"
	      "  --messages M            in each session (1)\n"
	      "  --hostile N             hostile sessions besides: broken packets, any order, cut connections\n"
	      "  --seed N                of the order of sessions and of the hostile ones (1)\n"
	      "  --first N               number of the first session (0)\n"
	      "  --think MS              before each command of the client (0)\n"
	      "  --burst STEP            all connections wait before helo, unknown, mail, rcpt, data or eom and go on at once\n"
	      "  --scenario FILE         kinds of sessions, see t/bench/scenario.h; instead of the next seven:\n"
	      "  --corpus DIR            its *.eml are the messages; else one message of\n"
	      "  --size BYTES            (2000)\n"
	      "  --rcpts A,B             recipients; after a '!' one that the MTA itself refuses\n"
	      "  --senders TEMPLATE      %d: session, %m: message\n"
	      "  --helo TEMPLATE\n"
	      "  --client-ip TEMPLATE    %h and %l: two low octets of the session's number\n"
	      "  --unknown N             unknown commands before each MAIL (0)\n"
	      "  --actions N, --steps N  what is offered in the negotiation (all there is)\n"
	      "  --json FILE             the figures; '-' is standard output\n"
	      "  --quiet                 no table\n"
	      "fail (exit status 1) unless\n"
	      "  --expect-accept N       so many messages were accepted\n"
	      "  --expect-code C,N       the code C came N times as a reply\n"
	      "  --expect-rows           each session ended as its line in the scenario expects\n"
	      "  --max-seconds S         everything took at most so long (also the end of all patience; 120)\n"
	      "  --max-burst-ms MS       every reply to a burst came within so long\n",
	      out);
}

static unsigned number(const char *name, const char *text)
{
	char *end;

	errno = 0;
	unsigned long value = strtoul(text, &end, 0);
	if (*text < '0' || *text > '9' || *end || errno || value > UINT32_MAX) {
		fprintf(stderr, "mclient: --%s: \"%s\" is no number\n", name, text);
		exit(EX_USAGE);
	}
	return (unsigned)value;
}

static enum mload_step burst_step(const char *text)
{
	enum mload_step step = mload_step_find(text);

	if (step < MLOAD_HELO || step == MLOAD_HEADER || step == MLOAD_EOH || step == MLOAD_BODY ||
	    step == MLOAD_END) {
		fprintf(stderr, "mclient: --burst: no step \"%s\" at which a client can wait\n", text);
		exit(EX_USAGE);
	}
	return step;
}

static void add_code(struct settings *s, const char *text)
{
	int code;
	uint64_t count;

	if (s->ncodes == EXPECT_MAX || sscanf(text, "%d,%" SCNu64, &code, &count) != 2 || code < 400 || code > 599) {
		fprintf(stderr, "mclient: --expect-code: write CODE,COUNT\n");
		exit(EX_USAGE);
	}
	s->codes[s->ncodes].code = code;
	s->codes[s->ncodes++].count = count;
}

static void set_option(struct settings *s, int letter, const char *name, const char *arg)
{
	switch (letter) {
	case OPT_MILTER: s->load.address = arg; break;
	case OPT_CONNECTIONS: s->load.connections = number(name, arg); break;
	case OPT_SESSIONS: s->load.sessions = number(name, arg); break;
	case OPT_MESSAGES: s->load.messages = number(name, arg); break;
	case OPT_HOSTILE: s->load.hostile = number(name, arg); break;
	case OPT_FIRST: s->load.first_session = number(name, arg); break;
	case OPT_THINK: s->load.think_ms = number(name, arg); break;
	case OPT_BURST: s->load.burst = burst_step(arg); break;
	case OPT_SEED: s->load.seed = number(name, arg); break;
	case OPT_SCENARIO: s->scenario = arg; break;
	case OPT_CORPUS: s->simple.corpus = arg; break;
	case OPT_SIZE: s->simple.size = number(name, arg); break;
	case OPT_RCPTS: s->simple.rcpts = arg; break;
	case OPT_SENDERS: s->simple.sender = arg; break;
	case OPT_HELO: s->simple.helo = arg; break;
	case OPT_CLIENT: s->simple.client = arg; break;
	case OPT_UNKNOWN: s->simple.unknowns = number(name, arg); break;
	case OPT_ACTIONS: s->load.actions = number(name, arg); break;
	case OPT_STEPS: s->load.steps = number(name, arg); break;
	case OPT_JSON: s->json = arg; break;
	case OPT_QUIET: s->is_quiet = true; break;
	case OPT_ACCEPT:
		s->expects_accept = true;
		s->expect_accept = number(name, arg);
		break;
	case OPT_CODE: add_code(s, arg); break;
	case OPT_SECONDS: s->max_seconds = number(name, arg); break;
	case OPT_BURST_MS: s->max_burst_ms = number(name, arg); break;
	case OPT_EXPECTED: s->fails_on_unexpected = true; break;
	case OPT_HELP: usage(stdout); exit(EX_OK);
	default: usage(stderr); exit(EX_USAGE);
	}
}

static void parse_options(struct settings *s, int argc, char **argv)
{
	int letter, which = 0;

	while ((letter = getopt_long(argc, argv, "", options, &which)) != -1)
		set_option(s, letter, options[which].name, optarg);
	if (!s->load.address || optind != argc || s->load.connections == 0 || s->load.messages == 0) {
		usage(stderr);
		exit(EX_USAGE);
	}
	s->load.max_ms = s->max_seconds * 1000;
}

static bool complain(const char *what, uint64_t got, uint64_t wanted)
{
	fprintf(stderr, "mclient: %s: %" PRIu64 ", expected %" PRIu64 "\n", what, got, wanted);
	return false;
}

static bool is_as_expected(const struct settings *s, const struct mload_result *result)
{
	bool is_good = true;

	if (result->errors > 0) {
		fprintf(stderr, "mclient: %" PRIu64 " connections failed, first: %s\n", result->errors,
			result->first_error);
		is_good = false;
	}
	if (result->is_timed_out) {
		fprintf(stderr, "mclient: not done after %u seconds\n", s->max_seconds);
		is_good = false;
	}
	if (s->expects_accept && result->outcomes[MLOAD_OUTCOME_ACCEPT] != s->expect_accept)
		is_good = complain("messages accepted", result->outcomes[MLOAD_OUTCOME_ACCEPT], s->expect_accept);
	for (size_t i = 0; i < s->ncodes; i++) {
		char what[32];
		snprintf(what, sizeof what, "replies with %d", s->codes[i].code);
		if (result->codes[s->codes[i].code] != s->codes[i].count)
			is_good = complain(what, result->codes[s->codes[i].code], s->codes[i].count);
	}
	if (s->fails_on_unexpected && result->unexpected > 0)
		is_good = complain("messages that ended otherwise than the scenario says", result->unexpected, 0);
	if (s->max_burst_ms > 0 && result->burst_us > s->max_burst_ms * UINT64_C(1000)) {
		fprintf(stderr, "mclient: a burst took %" PRIu64 " ms, allowed are %u\n", result->burst_us / 1000,
			s->max_burst_ms);
		is_good = false;
	}
	return is_good;
}

static bool write_json(const struct settings *s, const struct mload_result *result,
		       const struct mload_scenario *scenario)
{
	FILE *out = strcmp(s->json, "-") == 0 ? stdout : fopen(s->json, "we");

	if (!out) {
		fprintf(stderr, "mclient: %s: %s\n", s->json, strerror(errno));
		return false;
	}
	mload_result_json(result, scenario, out);
	bool is_written = !ferror(out);
	if (out != stdout)
		is_written = fclose(out) == 0 && is_written;
	return is_written;
}

/* Thousands of connections need as many descriptors. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	struct settings s = {
		.load = {.connections = 1, .messages = 1, .burst = MLOAD_END, .seed = 1},
		.simple = {.client = "192.0.2.1", .helo = "client.example", .sender = "<sender@client.example>",
			   .rcpts = "<rcpt@bench.example>", .size = 2000},
		.max_seconds = 120,
	};

	parse_options(&s, argc, argv);
	raise_descriptor_limit();
	struct mload_scenario *scenario = s.scenario ? mload_scenario_read(s.scenario, s.load.seed)
						      : mload_scenario_simple(&s.simple, s.load.seed);
	if (!scenario)
		return EX_NOINPUT;
	struct mload_result *result = calloc(1, sizeof *result);
	if (!result || mload_run(&s.load, scenario, result) < 0) {
		free(result);
		mload_scenario_free(scenario);
		return EX_UNAVAILABLE;
	}
	if (!s.is_quiet)
		mload_result_print(result, stderr);
	bool is_good = is_as_expected(&s, result);
	if (s.json)
		is_good = write_json(&s, result, scenario) && is_good;
	mload_result_fini(result);
	free(result);
	mload_scenario_free(scenario);
	return is_good ? EX_OK : 1;
}
