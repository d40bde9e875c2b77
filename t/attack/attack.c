/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attack.c: what attackers get, and what honest mail pays for it, with the default configuration.
 *
 *	attack [--check] [--hours N] [--verbose] [SCENARIO...]
 *
 * One line for each scenario. With --check fewer of them run, for less time, and the program fails if a goal is missed.
 *
 * A recipient counts as disclosed as soon as the attacker can tell: when the reply to his guess is not the one that a recipient which does
 * not exist would have got in its place, at this moment, whatever the reply is: accepted where others are refused, but also put off where others are
 * refused. The policy is asked twice to see that. What is refused or put off like any other discloses nothing.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/attack/abuse.h"
#include "t/attack/harvesters.h"

enum when {
	ALWAYS,                  /* also where it takes many times as long, under ThreadSanitizer */
	USUALLY,
	LONG                     /* not for "make check" */
};

struct scenario {
	const char *name, *text;
	struct harvest harvest;
	double goal_percent;     /* of all recipients, disclosed */
	enum when when;
	void (*begin)(struct sim *sim); /* of what is no harvest, and what must be true in the end */
	bool (*is_well)(const struct sim *sim);
};

static const struct scenario scenarios[] = {
	{"none", "nobody attacks", {0}, 0, USUALLY, NULL, NULL},
	{"a", "one harvester, a guess each 2 s", {1, 60 * SECOND_MS, 30, HOP_ONE, 0, false, false, 0, false, 0}, 1, USUALLY, NULL, NULL},
	{"a-retries", "the same, tries again what was put off", {1, 60 * SECOND_MS, 30, HOP_ONE, 1, true, true, 0, false, 0}, 1, LONG, NULL, NULL},
	{"a-known", "the same, writes to known people in between", {1, 60 * SECOND_MS, 30, HOP_ONE, 1, true, true, 10, true, 0}, 1, USUALLY, NULL, NULL},
	{"b", "1,000 addresses in 200 networks, 3 guesses an hour", {1000, HOUR_MS, 3, HOP_NONE, 0, false, false, 0, false, 0}, 5, ALWAYS, NULL, NULL},
	{"b-spf1", "the same with SPF of one domain, tries again", {1000, HOUR_MS, 3, HOP_NONE, 1, true, true, 0, false, 0}, 5, LONG, NULL, NULL},
	{"b-spf50", "the same with 50 domains", {1000, HOUR_MS, 3, HOP_NONE, 50, true, true, 0, false, 0}, 5, USUALLY, NULL, NULL},
	{"b-deliver", "the same, delivers what it can", {1000, HOUR_MS, 3, HOP_NONE, 50, true, true, 0, true, 0}, 5, LONG, NULL, NULL},
	{"b-known", "the same, writes to known people in between", {1000, HOUR_MS, 3, HOP_NONE, 50, true, true, 5, true, 0}, 5, USUALLY, NULL, NULL},
	{"b-patient", "without SPF, tries again for hours", {1000, HOUR_MS, 3, HOP_NONE, 0, false, true, 0, false, HOUR_MS}, 5, LONG, NULL, NULL},
	{"b-patient2", "the same, writes to known people in between", {1000, HOUR_MS, 3, HOP_NONE, 0, true, true, 5, true, HOUR_MS}, 5, LONG, NULL, NULL},
	{"c-64", "a new /64 of one /48 for each guess", {1, 4 * SECOND_MS, 1, HOP_64, 0, false, false, 0, false, 0}, 5, USUALLY, NULL, NULL},
	{"c-40", "a new /48 of one /40 for each guess", {1, 4 * SECOND_MS, 1, HOP_40, 0, false, false, 0, false, 0}, 5, LONG, NULL, NULL},
	{"c-32", "a new /48 of one /32 for each guess", {1, 4 * SECOND_MS, 1, HOP_32, 0, false, false, 0, false, 0}, 5, USUALLY, NULL, NULL},
	{"c-40-spf", "of a /40, with 50 domains, tries again", {1, 4 * SECOND_MS, 1, HOP_40, 50, true, true, 0, true, 0}, 5, LONG, NULL, NULL},
	{"c-32-spf", "of a /32, with 50 domains, tries again", {1, 4 * SECOND_MS, 1, HOP_32, 50, true, true, 0, true, 0}, 5, USUALLY, NULL, NULL},
	{"c-patient", "of a /48, tries again for hours", {1, 4 * SECOND_MS, 1, HOP_64, 0, false, true, 0, true, HOUR_MS}, 5, LONG, NULL, NULL},
	{"c-patient2", "of a /32, the same", {1, 4 * SECOND_MS, 1, HOP_32, 0, false, true, 0, true, HOUR_MS}, 5, USUALLY, NULL, NULL},
	{"d-abort", "messages begun and given up", {0}, 0, USUALLY, flood_of_aborts_begin, flood_is_stopped},
	{"d-unknown", "unknown commands", {0}, 0, USUALLY, flood_of_unknown_begin, flood_is_stopped},
	{"e", "200 bots that come to the backup MX first", {0}, 0, USUALLY, backup_first_begin, backup_first_has_earned},
	{"f", "a stolen account", {0}, 0, ALWAYS, stolen_account_begin, stolen_account_is_stopped},
};

#ifdef MXW_WITH_TSAN
static const enum when most = ALWAYS;
#else
static const enum when most = USUALLY;
#endif

struct how {
	int64_t calm_ms, attack_ms;
	bool is_check, is_verbose;
};

static void add_up(const struct sim *sim, struct honest *all)
{
	for (size_t i = 0; i < sim->nhonest; i++) {
		if (sim->honest[i].is_caller)
			continue;
		all->deliveries += sim->honest[i].deliveries;
		all->delivered += sim->honest[i].delivered;
		all->put_off += sim->honest[i].put_off;
		all->refused += sim->honest[i].refused;
		if (sim->honest[i].worst_ms > all->worst_ms)
			all->worst_ms = sim->honest[i].worst_ms;
	}
}

/* None of them is answered late, or with another word than ever. */
static bool are_callers_well(const struct sim *sim)
{
	bool ok = true;

	for (size_t i = 0; i < sim->nhonest; i++)
		if (sim->honest[i].is_caller)
			ok &= sim->honest[i].deliveries && sim->honest[i].delivered == sim->honest[i].deliveries && !sim->honest[i].put_off;
	return ok;
}

static double percent(unsigned part, unsigned whole)
{
	return whole ? 100.0 * part / whole : 0;
}

static void print_head(void)
{
	printf("%-10s %-50s %7s %6s %16s %7s %8s %15s %8s\n", "scenario", "", "guesses", "told", "disclosed", "honest", "refused",
	       "put off", "longest");
}

static void print_line(const struct scenario *c, const struct sim *sim, const struct honest *all)
{
	const struct loot *l = &sim->loot;

	printf("%-10s %-50s %7u %6u %6u (%5.2f %%) %7u %8u %5u (%5.3f %%) %6.1f m\n", c->name, c->text, l->asked, l->told, l->disclosed,
	       percent(l->disclosed, VALID), all->deliveries, all->refused, all->put_off, percent(all->put_off, all->deliveries),
	       (double)all->worst_ms / 60e3);
}

static void print_honest(const struct sim *sim)
{
	for (size_t i = 0; i < sim->nhonest; i++) {
		const struct honest *h = &sim->honest[i];
		if (h->put_off || h->refused)
			printf("           . %-48s %7u deliveries, %u refused, %u put off, %u still are, at most %.1f min\n", h->name,
			       h->deliveries, h->refused, h->put_off, h->deliveries - h->delivered - h->refused, (double)h->worst_ms / 60e3);
	}
}

static bool run(const struct scenario *c, const struct how *how)
{
	struct sim *sim = sim_new("", how->calm_ms, how->attack_ms);
	struct honest all = {0};

	sim->is_verbose = how->is_verbose;
	honest_begin(sim);
	if (c->harvest.nbots)
		harvest_begin(sim, &c->harvest);
	if (c->begin)
		c->begin(sim);
	sim_run(sim);
	add_up(sim, &all);
	print_line(c, sim, &all);
	print_honest(sim);
	bool is_well = !c->is_well || c->is_well(sim);
	fflush(stdout);
	bool ok = is_well && are_callers_well(sim) && all.refused == 0 && all.put_off * 1000 < all.deliveries &&
		  (!c->harvest.nbots || percent(sim->loot.disclosed, VALID) < c->goal_percent);
	if (!ok)
		printf("           ! %s is no good; the goals are: under %.0f %% disclosed, no honest mail refused, under 0.1 %% put off, of callers nothing\n", c->name,
		       c->goal_percent);
	sim_free(sim);
	return ok;
}

static bool is_asked_for(const char *name, char **names)
{
	for (char **n = names; *n; n++)
		if (strcmp(*n, name) == 0)
			return true;
	return !*names;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"check", no_argument, NULL, 'c'}, {"hours", required_argument, NULL, 'h'},
						{"verbose", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};
	struct how how = {2 * HOUR_MS, 24 * HOUR_MS, false, false};
	bool ok = true;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'c') {
			how = (struct how){HOUR_MS, 2 * HOUR_MS, true, how.is_verbose};
		} else if (o == 'h') {
			how.attack_ms = atoi(optarg) * HOUR_MS;
		} else if (o == 'v') {
			how.is_verbose = true;
		} else {
			return 2;
		}
	}
	print_head();
	for (size_t i = 0; i < MXW_ARRAY_LEN(scenarios); i++)
		if (is_asked_for(scenarios[i].name, argv + optind) && !(how.is_check && scenarios[i].when > most))
			ok &= run(&scenarios[i], &how);
	return how.is_check && !ok ? 1 : 0;
}
