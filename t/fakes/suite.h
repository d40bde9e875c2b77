/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suite.h: runs one module's Check cases as a program of the test suite.
 */
#ifndef MXW_T_FAKES_SUITE_H
#define MXW_T_FAKES_SUITE_H

#include <check.h>

/* Runs the suite and returns the exit code for main(). Threads and sanitizers want CK_NOFORK, which is set. */
int run_suite(Suite *suite);

#endif
