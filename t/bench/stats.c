/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "t/bench/stats.h"

static const char *const step_names[MLOAD_END] = {
	[MLOAD_NEGOTIATE] = "negotiate", [MLOAD_CONNECT] = "connect", [MLOAD_HELO] = "helo",
	[MLOAD_UNKNOWN] = "unknown",     [MLOAD_MAIL] = "mail",       [MLOAD_RCPT] = "rcpt",
	[MLOAD_DATA] = "data",           [MLOAD_HEADER] = "header",   [MLOAD_EOH] = "eoh",
	[MLOAD_BODY] = "body",           [MLOAD_EOM] = "eom",
};

const char *mload_step_name(enum mload_step step)
{
	return step_names[step];
}

enum mload_step mload_step_find(const char *name)
{
	int step = 0;

	while (step < MLOAD_END && strcmp(step_names[step], name) != 0)
		step++;
	return (enum mload_step)step;
}

/* Values below 32 have a bucket each; above, each power of two is split into 32. */
static size_t bucket_of(uint64_t us)
{
	unsigned shift = 0;

	while (us >> shift >= 64)
		shift++;
	size_t bucket = us < 32 ? us : (size_t)shift * 32 + (us >> shift);
	return bucket < MLOAD_BUCKETS ? bucket : MLOAD_BUCKETS - 1;
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_top(size_t bucket)
{
	if (bucket < 64)
		return bucket;
	unsigned shift = (unsigned)(bucket / 32 - 1);
	return ((uint64_t)(bucket % 32 + 33) << shift) - 1;
}

void mload_histogram_add(struct mload_histogram *histogram, uint64_t us)
{
	histogram->count++;
	histogram->sum_us += us;
	if (us > histogram->max_us)
		histogram->max_us = us;
	histogram->buckets[bucket_of(us)]++;
}

uint64_t mload_histogram_at(const struct mload_histogram *histogram, unsigned permille)
{
	uint64_t want = (histogram->count * permille + 999) / 1000, seen = 0;

	for (size_t i = 0; i < MLOAD_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= want && seen > 0) {
			uint64_t top = bucket_top(i);
			return top < histogram->max_us ? top : histogram->max_us;
		}
	}
	return histogram->max_us;
}

/* ---- JSON ---- */

static const struct {
	char letter;
	const char *name;
} reply_names[] = {
	{'c', "continue"},       {'a', "accept"},        {'r', "reject"},        {'t', "tempfail"},
	{'y', "code"},           {'d', "discard"},       {'s', "skip"},          {'f', "conn_fail"},
	{'4', "shutdown"},       {'p', "progress"},      {'h', "add_header"},    {'i', "insert_header"},
	{'m', "change_header"},  {'b', "replace_body"},  {'e', "change_sender"}, {'+', "add_rcpt"},
	{'2', "add_rcpt_par"},   {'-', "delete_rcpt"},   {'q', "quarantine"},
};

static void print_replies(const struct mload_result *result, FILE *out)
{
	const char *outer = "";

	fputs("  \"replies\": {", out);
	for (int step = 0; step < MLOAD_END; step++) {
		const char *inner = "";
		bool is_open = false;
		for (size_t i = 0; i < sizeof reply_names / sizeof *reply_names; i++) {
			uint64_t n = result->replies[step][(unsigned char)reply_names[i].letter];
			if (n == 0)
				continue;
			if (!is_open)
				fprintf(out, "%s\n    \"%s\": {", outer, step_names[step]);
			is_open = true;
			outer = ",";
			fprintf(out, "%s\"%s\": %" PRIu64, inner, reply_names[i].name, n);
			inner = ", ";
		}
		if (is_open)
			fputs("}", out);
	}
	fputs("\n  },\n", out);
}

static void print_numbers(const char *name, const uint64_t *numbers, FILE *out)
{
	const char *comma = "";

	fprintf(out, "  \"%s\": {", name);
	for (int i = 1; i < 1000; i++)
		if (numbers[i] > 0) {
			fprintf(out, "%s\"%d\": %" PRIu64, comma, i, numbers[i]);
			comma = ", ";
		}
	fputs("},\n", out);
}

static void print_latency(const struct mload_result *result, FILE *out)
{
	const char *comma = "";

	fputs("  \"latency_us\": {", out);
	for (int step = 0; step < MLOAD_END; step++) {
		const struct mload_histogram *h = &result->latency[step];
		if (h->count == 0)
			continue;
		fprintf(out,
			"%s\n    \"%s\": {\"count\": %" PRIu64 ", \"mean\": %" PRIu64 ", \"p50\": %" PRIu64
			", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"max\": %" PRIu64 "}",
			comma, step_names[step], h->count, h->sum_us / h->count, mload_histogram_at(h, 500),
			mload_histogram_at(h, 900), mload_histogram_at(h, 990), h->max_us);
		comma = ",";
	}
	fputs("\n  },\n", out);
}

static void print_text(const char *s, FILE *out)
{
	putc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putc('\\', out);
		putc((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e ? '?' : *s, out);
	}
	putc('"', out);
}

static void print_rows(const struct mload_result *result, const struct mload_scenario *scenario, FILE *out)
{
	fputs("  \"rows\": [", out);
	for (size_t i = 0; i < result->nrows; i++) {
		fprintf(out, "%s\n    {\"name\": ", i > 0 ? "," : "");
		print_text(scenario->rows[i].name, out);
		fprintf(out, ", \"expected\": %" PRIu64 ", \"unexpected\": %" PRIu64 "}",
			result->row_outcomes[0][i], result->row_outcomes[1][i]);
	}
	fputs("\n  ]\n", out);
}

void mload_result_json(const struct mload_result *result, const struct mload_scenario *scenario, FILE *out)
{
	fprintf(out,
		"{\n  \"sessions\": %" PRIu64 ", \"hostile\": %" PRIu64 ", \"messages\": %" PRIu64
		", \"packets\": %" PRIu64 ",\n  \"elapsed_us\": %" PRIu64 ", \"burst_us\": %" PRIu64
		", \"unexpected\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"timed_out\": %s,\n"
		"  \"actions\": %" PRIu32 ", \"steps\": %" PRIu32 ",\n  \"first_error\": ",
		result->sessions, result->hostile, result->messages, result->packets, result->elapsed_us,
		result->burst_us, result->unexpected, result->errors, result->is_timed_out ? "true" : "false",
		result->actions, result->steps);
	print_text(result->first_error, out);
	fputs(",\n", out);
	print_numbers("outcomes", result->outcomes, out);
	print_numbers("codes", result->codes, out);
	print_replies(result, out);
	print_latency(result, out);
	print_rows(result, scenario, out);
	fputs("}\n", out);
}

void mload_result_print(const struct mload_result *result, FILE *out)
{
	fprintf(out, "%" PRIu64 " sessions, %" PRIu64 " messages, %" PRIu64 " packets in %" PRIu64 " ms; accepted %" PRIu64,
		result->sessions, result->messages, result->packets, result->elapsed_us / 1000,
		result->outcomes[MLOAD_OUTCOME_ACCEPT]);
	for (int code = 400; code < 600; code++)
		if (result->outcomes[code] > 0)
			fprintf(out, ", refused with %d %" PRIu64, code, result->outcomes[code]);
	fprintf(out, "; unexpected %" PRIu64 ", errors %" PRIu64 "%s%s\n", result->unexpected, result->errors,
		result->first_error[0] ? ": " : "", result->first_error);
	if (result->burst_us > 0)
		fprintf(out, "longest burst: %" PRIu64 " ms\n", result->burst_us / 1000);
	fprintf(out, "%-10s %9s %9s %9s %9s %9s  us\n", "step", "count", "p50", "p90", "p99", "max");
	for (int step = 0; step < MLOAD_END; step++) {
		const struct mload_histogram *h = &result->latency[step];
		if (h->count > 0)
			fprintf(out, "%-10s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n",
				step_names[step], h->count, mload_histogram_at(h, 500),
				mload_histogram_at(h, 900), mload_histogram_at(h, 990), h->max_us);
	}
}
