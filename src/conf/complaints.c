/* SPDX-License-Identifier: BSD-2-Clause */
/* Complaints are collected and told at the end, in the order of files and lines, whatever found them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/conf/tree.h"

enum { COMPLAINTS_MAX = 1000, WARNINGS_MAX = 200, FILES_MAX = 512 };

struct complaint {
	struct mxw_error error;
	unsigned file;  /* index into files */
	unsigned seq;
};

struct mxw__complaints {
	size_t n;
	size_t nwarnings; /* of these */
	size_t cap;
	size_t lost;    /* beyond the bound, or without memory */
	struct complaint *list;
	unsigned nfiles;
	const char *files[FILES_MAX];
};

struct mxw__complaints *mxw__complaints_new(void)
{
	return calloc(1, sizeof(struct mxw__complaints));
}

void mxw__complaints_free(struct mxw__complaints *complaints)
{
	if (!complaints)
		return;
	free(complaints->list);
	free(complaints);
}

bool mxw__complaints_any(const struct mxw__complaints *complaints)
{
	return complaints->n + complaints->lost > complaints->nwarnings;
}

/* Names of files are compared by pointer: each file read has one. */
static unsigned file_index(struct mxw__complaints *c, const char *file)
{
	for (unsigned i = 0; i < c->nfiles; i++)
		if (c->files[i] == file)
			return i;
	if (c->nfiles == FILES_MAX)
		return FILES_MAX;
	c->files[c->nfiles] = file;
	return c->nfiles++;
}

static struct complaint *next_slot(struct mxw__complaints *c)
{
	if (c->n == COMPLAINTS_MAX)
		return NULL;
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 8;
		struct complaint *list = realloc(c->list, cap * sizeof *list);
		if (!list)
			return NULL;
		c->list = list;
		c->cap = cap;
	}
	return &c->list[c->n];
}

MXW_PRINTF(4, 0)
static void note(struct mxw__complaints *complaints, mxw_status_t status, const struct mxw__pos *pos, const char *fmt, va_list ap)
{
	struct complaint *slot = next_slot(complaints);
	char text[MXW_ERROR_TEXT_MAX];

	if (!slot) {
		complaints->lost += status != MXW_OK;
		return;
	}
	vsnprintf(text, sizeof text, fmt, ap);
	/* What was written in the file may be anything; the complaint goes to terminals and logs. */
	for (char *s = text; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s == 0x7f)
			*s = '?';
	mxw__fail_at(&slot->error, status, pos->file, pos->line, pos->column, "%s", text);
	slot->file = file_index(complaints, pos->file);
	slot->seq = (unsigned)complaints->n++;
	complaints->nwarnings += status == MXW_OK;
}

void mxw__complain(struct mxw__complaints *complaints, const struct mxw__pos *pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(complaints, MXW_ERR_CONF, pos, fmt, ap);
	va_end(ap);
}

void mxw__warn(struct mxw__complaints *complaints, const struct mxw__pos *pos, const char *fmt, ...)
{
	va_list ap;

	/* A list with a thousand bad lines must not hide a mistake that stops. */
	if (complaints->nwarnings >= WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	note(complaints, MXW_OK, pos, fmt, ap);
	va_end(ap);
}

static int by_position(const void *x, const void *y)
{
	const struct complaint *a = x, *b = y;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->error.line != b->error.line)
		return a->error.line < b->error.line ? -1 : 1;
	if (a->error.column != b->error.column)
		return a->error.column < b->error.column ? -1 : 1;
	return a->seq < b->seq ? -1 : 1;
}

void mxw__complaints_tell(struct mxw__complaints *complaints, mxw_complain_fn complain, void *ctx)
{
	if (complaints->n > 1)
		qsort(complaints->list, complaints->n, sizeof *complaints->list, by_position);
	if (!complain)
		return;
	for (size_t i = 0; i < complaints->n; i++)
		complain(ctx, &complaints->list[i].error);
	if (complaints->lost) {
		struct mxw_error err;
		mxw__fail_at(&err, MXW_ERR_CONF, complaints->nfiles ? complaints->files[0] : "", 0, 0,
			     "%zu more complaints are not shown", complaints->lost);
		complain(ctx, &err);
	}
}
