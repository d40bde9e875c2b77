/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rcptbench.h: the parts of rcptbench, which t/bench/recipients runs.
 */
#ifndef MXW_T_BENCH_RCPTBENCH_H
#define MXW_T_BENCH_RCPTBENCH_H

#include "src/directory/directory.h"
#include "t/bench/people.h"

/* Ends the program with a message. */
_Noreturn void die(const char *fmt, ...) MXW_PRINTF(1, 2);
mxw_conf_t *load_conf(const char *path);

/* argv[0] is the measurement's name. Each returns an exit status and writes one line of JSON to stdout. */
int measure_uncached(int argc, char **argv);
int measure_cached(int argc, char **argv);
int measure_outage(int argc, char **argv);

#endif
