/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * macros.h: the macro packets before each step, as Postfix sends them.
 *
 * Threads: no state beyond the connection's.
 */
#ifndef MXW_T_BENCH_MACROS_H
#define MXW_T_BENCH_MACROS_H

#include "t/bench/conn.h"

/* Writes the macros that go with `command` (SMFIC_*), if any has a value. */
void mload_macros_write(struct mload_conn *conn, char command);

#endif
