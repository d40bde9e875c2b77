/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.h: mxward -l: what is known of a recipient, and why, for people.
 *
 * Threads: one, before there are others.
 */
#ifndef MXW_MILTER_EXPLAIN_H
#define MXW_MILTER_EXPLAIN_H

#include <mxward/conf.h>

#include "milter/mwd.h"

/*
 * Looks an address up as the daemon would and prints what came of it to standard output.
 * What the daemon has on disk is read and left alone. Returns the exit code: 0 found, 1 not found, EX_TEMPFAIL for
 * what can't be said.
 */
int mwd_explain(mxw_conf_t *conf, const char *address, bool ignores_cache);

#endif
