/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * changes.h: what is done to a message at its end, as libmilter calls.
 *
 * Threads: no state.
 */
#ifndef MXW_MILTER_CHANGES_H
#define MXW_MILTER_CHANGES_H

#include <libmilter/mfapi.h>

#include "milter/negotiate.h"

/*
 * Makes the changes of a message that goes on, and has it held where the verdict says so. False: the message is not as it should be,
 * and must not go on like that.
 */
bool mwd_changes_make(SMFICTX *ctx, const struct mwd_terms *terms, const struct mxw_verdict *verdict, const struct mxw_edit *edits,
		      size_t nedits);

#endif
