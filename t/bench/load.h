/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.h: many SMTP sessions at once against one milter, from one thread.
 *
 * Who may call: mclient and tests.
 * Threads: a run belongs to the thread that calls it; several runs may be under way in different threads.
 * Memory:  options and scenario are borrowed for the call; the result is the caller's, see mload_result_fini().
 * Errors:  what goes wrong on a connection is counted in the result; the run goes on.
 */
#ifndef MXW_T_BENCH_LOAD_H
#define MXW_T_BENCH_LOAD_H

#include "t/bench/scenario.h"
#include "t/bench/stats.h"

struct mload_options {
	const char *address;       /* "unix:/path", "/path", "inet:port@host", "inet6:port@host" */
	unsigned connections;      /* open at the same time */
	unsigned sessions;         /* in all; 0: as many as connections */
	unsigned messages;         /* in each session */
	unsigned hostile;          /* hostile sessions besides, spread among the others */
	unsigned first_session;    /* the number of the first session, which templates show */
	unsigned think_ms;         /* before each command of the client */
	enum mload_step burst;     /* all connections wait before this step, then send at once; MLOAD_END: no burst */
	unsigned max_ms;           /* give up after so long */
	unsigned seed;
	uint32_t actions, steps;   /* to be offered; 0: everything there is */
};

/* Runs until every session is over. Returns 0, or -1 with a complaint on standard error if it could not begin. */
int mload_run(const struct mload_options *options, const struct mload_scenario *scenario,
	      struct mload_result *ret_result);
void mload_result_fini(struct mload_result *result);

#endif
