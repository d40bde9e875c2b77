/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <mxward/mxward.h>

#include "milter/explain.h"

enum { NOT_FOUND = 1 };

/* "3 h 12 min" */
static const char *age_text(int64_t ms, char text[40])
{
	int64_t s = ms / 1000;

	if (s < 60)
		snprintf(text, 40, "%" PRId64 " s", s);
	else if (s < 3600)
		snprintf(text, 40, "%" PRId64 " min", s / 60);
	else if (s < 86400)
		snprintf(text, 40, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
	else
		snprintf(text, 40, "%" PRId64 " d %" PRId64 " h", s / 86400, s % 86400 / 3600);
	return text;
}

/* Where an answer comes from, in words. */
static void print_origin(const struct mxw_recipient_answer *a)
{
	char age[40];

	switch (a->origin) {
	case MXW_RECIPIENT_LIVE:
		printf("asked just now");
		break;
	case MXW_RECIPIENT_CACHE:
		printf("remembered, it said so %s ago", age_text(a->age_ms, age));
		break;
	case MXW_RECIPIENT_STALE:
		printf("it can't answer now, but said so %s ago", age_text(a->age_ms, age));
		break;
	case MXW_RECIPIENT_COPY:
		printf("it can't answer now, but its offline copy of %s ago has the address", age_text(a->age_ms, age));
		break;
	}
}

static const char *outcome_text(const struct mxw_recipient_answer *a)
{
	switch (a->outcome) {
	case MXW_FOUND:
		return a->is_unverifiable ? "can't tell" : "found";
	case MXW_NOT_FOUND:
		return "not found";
	case MXW_MISCONFIGURED:
		return "misconfigured";
	case MXW_TEMPORARY:
		break;
	}
	return "no answer";
}

static void print_settings(const struct mxw_recipient_answer *a, const char *asked_for)
{
	if (strcmp(a->address, asked_for) != 0)
		printf("  %-12s%s\n", "found as", a->address);
	if (a->directory[0])
		printf("  %-12s%s\n", "directory", a->directory);
	if (a->policy_class[0])
		printf("  %-12s%s\n", "class", a->policy_class);
	if (a->is_disabled)
		printf("  %-12s%s\n", "disabled", "yes, the account is switched off");
	if (a->is_internal_only)
		printf("  %-12s%s\n", "internal", "yes, it takes no mail from outside");
}

static void print_asked(const struct mxw_recipient *r)
{
	size_t n = r->nasked < MXW_RECIPIENT_ASKED_MAX ? r->nasked : MXW_RECIPIENT_ASKED_MAX;

	if (n > 0)
		printf("\n");
	for (size_t i = 0; i < n; i++) {
		const struct mxw_recipient_answer *a = &r->asked[i];
		printf("  %-16s %-32s %s (", a->directory, a->address, outcome_text(a));
		if (a->outcome == MXW_FOUND || a->outcome == MXW_NOT_FOUND)
			print_origin(a);
		else
			printf("%s", a->reason[0] ? a->reason : "no reason given");
		printf(")\n");
		if (a->copy == MXW_RECIPIENT_COPY_ABSENT || a->copy == MXW_RECIPIENT_COPY_OLD)
			printf("  %-16s %-32s %s\n", "", "",
			       a->copy == MXW_RECIPIENT_COPY_OLD ? "its offline copy is too old to say more" :
								   "its offline copy does not have the address");
	}
	if (r->nasked > n)
		printf("  and %zu more\n", r->nasked - n);
}

static const char *headline(const struct mxw_recipient *r)
{
	if (strcmp(r->word, "invalid") == 0)
		return "this is no address of a recipient";
	if (strcmp(r->word, "foreign") == 0)
		return "not in a domain of ours that has directories";
	if (r->answer.outcome == MXW_TEMPORARY && r->nasked == 0)
		return "can't be said now: a list of domains can't be read";
	switch (r->answer.outcome) {
	case MXW_FOUND:
		return r->answer.is_unverifiable ? "a directory takes every address and can't tell" : "found";
	case MXW_NOT_FOUND:
		return "unknown: every directory was asked and none has it";
	case MXW_MISCONFIGURED:
		return "can't be said: a directory is misconfigured";
	case MXW_TEMPORARY:
		break;
	}
	return "can't be said now: a directory does not answer";
}

static int print(const struct mxw_recipient *r, const char *address)
{
	printf("%s: %s\n", address, headline(r));
	if (r->answer.outcome == MXW_FOUND)
		print_settings(&r->answer, address);
	print_asked(r);
	if (fflush(stdout) != 0) {
		perror("mxward");
		return EX_IOERR;
	}
	if (r->answer.outcome == MXW_FOUND)
		return r->answer.is_unverifiable ? EX_TEMPFAIL : EX_OK;
	return r->answer.outcome == MXW_NOT_FOUND ? NOT_FOUND : EX_TEMPFAIL;
}

int mwd_explain(mxw_conf_t *conf, const char *address, bool ignores_cache)
{
	/* No log: what is wrong with a directory is part of the answer. */
	struct mxw_engine_options engine_options = {
		.size = sizeof engine_options,
		.state_dir = mxw_conf_daemon(conf)->state_dir,
		.state_is_read_only = true,
	};
	struct mxw_lookup_options options = {.size = sizeof options, .ignores_cache = ignores_cache};
	struct mxw_recipient *recipient = calloc(1, sizeof *recipient);
	mxw_engine_t *engine = NULL;
	struct mxw_error err = {.text = "out of memory"};
	int rc = EX_TEMPFAIL;

	if (recipient && mxw_engine_new(conf, &engine_options, &engine, &err) == MXW_OK &&
	    mxw_engine_lookup(engine, address, &options, recipient, &err) == MXW_OK)
		rc = print(recipient, address);
	else
		fprintf(stderr, "mxward: %s\n", err.text);
	mxw_engine_free(engine);
	free(recipient);
	return rc;
}
