/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.h: a list in a file, one entry on a line, which is read again when it changed. Lines that can't be read are told, and the rest
 * serves; while the file can't be read, what was read last does.
 *
 * Who may call: session, conf.
 * Threads: any.
 * Memory:  counted references.
 */
#ifndef MXW_SRC_LISTS_FILE_H
#define MXW_SRC_LISTS_FILE_H

#include "src/conf/conf.h"
#include "src/lists/set.h"

typedef struct mxw__list_file mxw__list_file_t;

/*
 * `notice` is told of lines that can't be read and the like, "list NAME: ..."; it and the clock must outlive the file. All of `conf` that
 * is needed is copied. MXW_ERR_NOMEM, MXW_ERR_SYSTEM.
 */
mxw_status_t mxw__list_file_new(const struct mxw__list_conf *conf, const struct mxw_clock *clock,
				void (*notice)(void *ctx, bool is_error, const char *text), void *notice_ctx,
				mxw__list_file_t **ret_file);
mxw__list_file_t *mxw__list_file_ref(mxw__list_file_t *file);
void mxw__list_file_unref(mxw__list_file_t *file);
/* It is the file of this section, with the same kind and bound: what was read of it stays good. */
bool mxw__list_file_is_of(const mxw__list_file_t *file, const struct mxw__list_conf *conf);

/* What it has; at most once a second, and by one caller only, the file is looked at first. NULL: it could never be read. */
mxw__list_set_t *mxw__list_file_content(mxw__list_file_t *file);

/* Reads a file once, and tells `complain` of every line that is none. For those who check a configuration. */
void mxw__list_file_check(const struct mxw__list_conf *conf, void (*complain)(void *ctx, unsigned line, const char *what), void *ctx);

#endif
