/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scratch.h: a directory of a test's own, and files in it.
 */
#ifndef MXW_T_FAKES_SCRATCH_H
#define MXW_T_FAKES_SCRATCH_H

#include <stddef.h>

struct scratch {
	char dir[64];
};

/* Makes it under $TMPDIR or /tmp; ends the test program when that fails. */
void scratch_init(struct scratch *scratch);
/* Removes it with all that is in it. */
void scratch_fini(struct scratch *scratch);
/* "DIR/name", to be freed. */
char *scratch_path(const struct scratch *scratch, const char *name);
/* Writes a file whole: in place, or beside and renamed; the latter is a minute old, as nobody is writing it any more. */
void scratch_write(const char *path, const char *text, size_t len);
void scratch_replace(const char *path, const char *text);

#endif
