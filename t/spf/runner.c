/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs every table of t/spf, or those named as arguments. A table holds zones and cases:
 *
 *	zone <<END                 what the DNS says from here on (t/fakes/fake_resolver.h), instead of what it said before
 *	d.example TXT "v=spf1 -all exp=why.d.example"
 *	END
 *	record v=spf1 a -all       the record of d.example, for one case, beside the zone
 *	client 192.0.2.1           who is looked at; each holds for the cases that follow until given anew
 *	helo mail.example
 *	mail user@d.example        "" for a null sender
 *	case says-no               a name
 *	= fail                     the result; fail|permerror where the RFC leaves the choice
 *	explanation go away        the text, to the end of the line; if not given there must be none
 *	mechanism all
 *	reason several             a part of the reason
 *	breadth 65536
 *	dangling yes
 *	late                       the evaluation asks what could not be foreseen
 *	asks 3                     questions that all of it may cause at most
 *
 * client, helo and mail may also stand inside a case, before its result. Each case is evaluated twice, the second time after gathering: with
 * the same outcome, and without any question that was not asked before unless it is `late`.
 */
#include "config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/spf.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"

struct table {
	const char *path;
	unsigned line;
	char *zone;
	char record[4096];
	char client[128], helo[512], mail[1024];
	unsigned passed, failed;
	/* the case */
	char name[128], result[32], explanation[1024], mechanism[16], reason[128], dangling[8];
	unsigned long long breadth;
	unsigned asks;
	bool has_breadth, is_late;
};

struct run {
	struct fake_clock clock;
	fake_resolver_t *dns;
	struct mxw_dns_budget budget;
	struct mxw__spf_query query;
	struct mxw__spf_answer answer;
	char local[1024], domain[1024];
};

static void fail(struct table *t, const char *what, const char *got, const char *wanted)
{
	printf("%s:%u: %s: %s is \"%s\", not \"%s\"\n", t->path, t->line, t->name, what, got, wanted);
	t->failed++;
}

static void begin(struct run *run, const struct table *t)
{
	const char *at = strrchr(t->mail, '@');
	char line[sizeof(t->record) + 32];

	*run = (struct run){.local = "postmaster"};
	fake_clock_init(&run->clock);
	run->dns = fake_resolver_new(&run->clock);
	fake_resolver_script(run->dns, t->zone ? t->zone : "");
	if (*t->record) {
		snprintf(line, sizeof(line), "d.example TXT \"%s\"\n", t->record);
		fake_resolver_script(run->dns, line);
	}
	if (*t->mail)
		snprintf(run->local, sizeof(run->local), "%.*s", at ? (int)(at - t->mail) : 0, t->mail);
	snprintf(run->domain, sizeof(run->domain), "%s", !*t->mail ? t->helo : at ? at + 1 : t->mail);
	run->query = (struct mxw__spf_query){
		.helo = t->helo,
		.local = run->local,
		.domain = run->domain,
		.receiver = "receiver.example.net",
		.resolver = &run->dns->resolver,
		.budget = &run->budget,
		.clock = &run->clock.clock,
		.deadline_ms = run->clock.clock.monotonic_ms(run->clock.clock.ctx) + 20000,
		.wants_explanation = true,
	};
	if (mxw_ip_parse(t->client, &run->query.client) != MXW_OK) {
		printf("%s:%u: no client address: \"%s\"\n", t->path, t->line, t->client);
		exit(EXIT_FAILURE);
	}
}

/* "fail" or "fail|permerror". */
static bool is_one_of(const char *word, const char *words)
{
	size_t len = strlen(word);
	const char *at = strstr(words, word);

	return at && (at == words || at[-1] == '|') && (!at[len] || at[len] == '|');
}

static void compare(struct table *t, const struct mxw__spf_answer *answer, const char *when)
{
	char got[300];
	const char *result = mxw__spf_result_name(answer->result);

	snprintf(got, sizeof(got), "%s (%s)%s", result, answer->reason, when);
	if (!is_one_of(result, t->result))
		fail(t, "the result", got, t->result);
	if (strcmp(answer->explanation, t->explanation) != 0)
		fail(t, "the explanation", answer->explanation, t->explanation);
	if (*t->mechanism && (!answer->mechanism || strcmp(answer->mechanism, t->mechanism) != 0))
		fail(t, "the mechanism", answer->mechanism ? answer->mechanism : "(none)", t->mechanism);
	if (*t->reason && !strstr(answer->reason, t->reason))
		fail(t, "the reason", answer->reason, t->reason);
}

static void check_plainly(struct table *t)
{
	struct run run;

	begin(&run, t);
	mxw__spf_check(&run.query, &run.answer);
	compare(t, &run.answer, "");
	mxw_resolver_unref(&run.dns->resolver);
}

static void check_survey(struct table *t, struct run *run)
{
	struct mxw__spf_survey survey = {0};
	char got[32], wanted[32];

	mxw_outcome_t outcome = mxw__spf_survey(&run->query, &survey);
	snprintf(got, sizeof(got), outcome == MXW_FOUND ? "%llu" : "none", (unsigned long long)survey.breadth);
	snprintf(wanted, sizeof(wanted), "%llu", t->breadth);
	if (t->has_breadth && strcmp(got, wanted) != 0)
		fail(t, "the breadth", got, wanted);
	if (*t->dangling && strcmp(t->dangling, outcome != MXW_FOUND ? "none" : survey.is_dangling ? "yes" : "no") != 0)
		fail(t, "dangling", survey.is_dangling ? "yes" : "no", t->dangling);
}

static void check_gathered(struct table *t)
{
	struct run run;
	struct mxw__gather gather;
	char got[32];

	begin(&run, t);
	mxw__gather_init(&gather, run.query.resolver, run.query.budget);
	for (int i = 0; i < MXW__GATHER_ROUNDS; i++) {
		mxw__spf_gather(&run.query, &gather);
		if (!mxw__gather_wait(&gather, run.query.deadline_ms))
			break;
	}
	mxw__gather_fini(&gather);
	unsigned sent = fake_resolver_total_sent(run.dns);
	mxw__spf_check(&run.query, &run.answer);
	compare(t, &run.answer, " after gathering");
	unsigned late = fake_resolver_total_sent(run.dns) - sent;
	snprintf(got, sizeof(got), "%u", late);
	if (!t->is_late && late)
		fail(t, "the number of late questions", got, "0");
	snprintf(got, sizeof(got), "%u", sent + late);
	if (t->asks && sent + late > t->asks)
		fail(t, "the number of questions", got, "less");
	check_survey(t, &run);
	mxw_resolver_unref(&run.dns->resolver);
}

static void end_case(struct table *t)
{
	unsigned failed = t->failed;

	if (*t->name) {
		check_plainly(t);
		check_gathered(t);
		t->passed += failed == t->failed;
	}
	t->name[0] = t->record[0] = t->result[0] = t->explanation[0] = t->mechanism[0] = t->reason[0] = t->dangling[0] = '\0';
	t->has_breadth = t->is_late = false;
	t->asks = 0;
}

/* ---- reading ---- */

static void read_zone(struct table *t, FILE *file)
{
	size_t size = 0, n = 0;
	char *line = NULL;
	FILE *zone;

	free(t->zone);
	zone = open_memstream(&t->zone, &n);
	while (zone && getline(&line, &size, file) > 0 && strcmp(line, "END\n") != 0) {
		t->line++;
		fputs(line, zone);
	}
	t->line++;
	if (zone)
		fclose(zone);
	free(line);
}

#define KEEP(member, value) snprintf(t->member, sizeof(t->member), "%s", value)

static bool read_expectation(struct table *t, const char *word, const char *rest)
{
	if (strcmp(word, "=") == 0)
		KEEP(result, rest);
	else if (strcmp(word, "explanation") == 0)
		KEEP(explanation, rest);
	else if (strcmp(word, "mechanism") == 0)
		KEEP(mechanism, rest);
	else if (strcmp(word, "reason") == 0)
		KEEP(reason, rest);
	else if (strcmp(word, "dangling") == 0)
		KEEP(dangling, rest);
	else if (strcmp(word, "late") == 0)
		t->is_late = true;
	else if (strcmp(word, "asks") == 0)
		t->asks = (unsigned)atoi(rest);
	else if (strcmp(word, "breadth") == 0)
		t->has_breadth = true, t->breadth = strtoull(rest, NULL, 10);
	else
		return false;
	return true;
}

static void read_line(struct table *t, FILE *file, char *line)
{
	char *rest = line + strcspn(line, " ");

	if (*rest)
		*rest++ = '\0';
	if (*t->result && (strcmp(line, "client") == 0 || strcmp(line, "helo") == 0 || strcmp(line, "mail") == 0))
		end_case(t);
	if (strcmp(line, "zone") == 0) {
		end_case(t);
		read_zone(t, file);
	} else if (strcmp(line, "case") == 0) {
		end_case(t);
		KEEP(name, rest);
	} else if (strcmp(line, "record") == 0) {
		KEEP(record, rest);
	} else if (strcmp(line, "client") == 0) {
		KEEP(client, rest);
	} else if (strcmp(line, "helo") == 0) {
		KEEP(helo, rest);
	} else if (strcmp(line, "mail") == 0) {
		KEEP(mail, strcmp(rest, "\"\"") == 0 ? "" : rest);
	} else if (!read_expectation(t, line, rest)) {
		fail(t, "a line", line, "known");
	}
}

static bool run_table(const char *path)
{
	struct table t = {.path = path, .client = "192.0.2.1", .helo = "mail.example", .mail = "user@d.example"};
	FILE *file = fopen(path, "r");
	size_t size = 0;
	char *line = NULL;

	if (!file) {
		perror(path);
		return false;
	}
	while (getline(&line, &size, file) > 0) {
		t.line++;
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			read_line(&t, file, line);
	}
	end_case(&t);
	fclose(file);
	free(line);
	free(t.zone);
	const char *name = strrchr(path, '/');
	printf("%-20s %3u passed, %u failed\n", name ? name + 1 : path, t.passed, t.failed);
	return t.passed && !t.failed;
}

int main(int argc, char **argv)
{
	bool ok = true;
	glob_t found = {0};

	if (argc < 2 && glob(MXW_TESTDATA "/spf/*.t", 0, NULL, &found) != 0)
		return EXIT_FAILURE;
	for (int i = 1; i < argc; i++)
		ok &= run_table(argv[i]);
	for (size_t i = 0; i < found.gl_pathc; i++)
		ok &= run_table(found.gl_pathv[i]);
	globfree(&found);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
