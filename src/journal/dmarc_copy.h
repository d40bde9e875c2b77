/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc_copy.h: evaluations of a life of their own.
 *
 * Who may call: dmarc_store.c.
 * Threads: no state.
 */
#ifndef MXW_SRC_JOURNAL_DMARC_COPY_H
#define MXW_SRC_JOURNAL_DMARC_COPY_H

#include "src/journal/dmarc_store.h"

/* A copy with all its texts in one block, to be freed with free(). No text is NULL, none has more than printable ASCII. NULL: no
 * memory. */
struct mxw__dmarc_evaluation *mxw__dmarc_evaluation_copy(const struct mxw__dmarc_evaluation *evaluation);

#endif
