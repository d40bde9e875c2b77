/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "src/auth/dkim_length.h"

/* An octet that is neither a blank nor part of a line's end. */
static void add_solid(struct mxw__dkim_length *l)
{
	l->simple_kept = ++l->simple;
	l->relaxed += l->has_blank ? 2 : 1;
	l->relaxed_kept = l->relaxed;
	l->has_blank = false;
}

static void end_line(struct mxw__dkim_length *l)
{
	l->simple += 2;
	l->relaxed += 2;
	l->has_cr = l->has_blank = false;
}

void mxw__dkim_length_add(struct mxw__dkim_length *l, const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (l->has_cr && data[i] == '\n') {
			end_line(l);
			continue;
		}
		/* A lone CR ends no line. */
		if (l->has_cr)
			add_solid(l);
		l->has_cr = data[i] == '\r';
		if (l->has_cr)
			continue;
		if (data[i] == ' ' || data[i] == '\t') {
			l->simple_kept = ++l->simple;
			l->has_blank = true;
		} else {
			add_solid(l);
		}
	}
}

uint64_t mxw__dkim_length_get(const struct mxw__dkim_length *l, bool is_relaxed)
{
	uint64_t kept = is_relaxed ? l->relaxed_kept : l->simple_kept;

	return kept ? kept + 2 : 0;
}
