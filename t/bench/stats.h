/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats.h: what the load client counted: latencies by step, replies by kind, outcomes.
 *
 * Threads: one owner.
 */
#ifndef MXW_T_BENCH_STATS_H
#define MXW_T_BENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "t/bench/scenario.h"

/* The steps of the conversation, in their order. */
enum mload_step {
	MLOAD_NEGOTIATE, /* from the connect() on */
	MLOAD_CONNECT,
	MLOAD_HELO,
	MLOAD_UNKNOWN,
	MLOAD_MAIL,
	MLOAD_RCPT,
	MLOAD_DATA,
	MLOAD_HEADER,
	MLOAD_EOH,
	MLOAD_BODY,
	MLOAD_EOM,
	MLOAD_END
};
const char *mload_step_name(enum mload_step step);
/* MLOAD_END if there is none of that name. */
enum mload_step mload_step_find(const char *name);

/* Microseconds in buckets 3 % wide. */
#define MLOAD_BUCKETS 1024
struct mload_histogram {
	uint64_t count;
	uint64_t sum_us;
	uint64_t max_us;
	uint64_t buckets[MLOAD_BUCKETS];
};
void mload_histogram_add(struct mload_histogram *histogram, uint64_t us);
/* `permille` of all were not slower than this; 0 if nothing was counted. */
uint64_t mload_histogram_at(const struct mload_histogram *histogram, unsigned permille);

#define MLOAD_ERROR_MAX 128

struct mload_result {
	uint64_t sessions;
	uint64_t hostile;    /* sessions whose only aim was to do harm */
	uint64_t messages;   /* transactions begun */
	uint64_t outcomes[1000]; /* of transactions, by MLOAD_OUTCOME_* or code */
	uint64_t codes[1000];    /* of refusing replies of any step */
	uint64_t replies[MLOAD_END][128]; /* by reply letter; 'y' comes with a code */
	uint64_t unexpected; /* transactions that ended otherwise than their row expects */
	uint64_t errors;     /* connections lost or refused, breaches of the protocol */
	char first_error[MLOAD_ERROR_MAX];
	struct mload_histogram latency[MLOAD_END];
	uint64_t packets;    /* sent, macros included */
	uint64_t burst_us;   /* the longest time from a burst to its last reply */
	uint64_t elapsed_us;
	bool is_timed_out;
	uint32_t actions, steps; /* as negotiated last */
	const struct mload_row *rows; /* what row_outcomes[] counts for */
	uint64_t *row_outcomes[2];    /* by row: as expected, otherwise */
	size_t nrows;
};

/* One object, keys as above; times in microseconds. */
void mload_result_json(const struct mload_result *result, const struct mload_scenario *scenario, FILE *out);
/* A table for people. */
void mload_result_print(const struct mload_result *result, FILE *out);

#endif
