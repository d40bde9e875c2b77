/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/directory/source.h"

enum { NOTICE_MAX = 512, BAD_LINES_TOLD = 10 };

void mxw__noticef(const struct mxw__noticer *noticer, bool is_error, const char *fmt, ...)
{
	char text[NOTICE_MAX];
	va_list ap;

	if (!noticer->fn)
		return;
	int n = snprintf(text, sizeof text, "%s %s: ", noticer->what, noticer->name);
	if (n < 0 || (size_t)n >= sizeof text)
		n = 0;
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
	va_end(ap);
	noticer->fn(noticer->ctx, is_error, text);
}

void mxw__rcpt_answer(struct mxw__rcpt_result *result, mxw_outcome_t outcome)
{
	result->outcome = outcome;
	result->reason[0] = '\0';
}

void mxw__rcpt_answerf(struct mxw__rcpt_result *result, mxw_outcome_t outcome, const char *fmt, ...)
{
	va_list ap;

	result->outcome = outcome;
	va_start(ap, fmt);
	vsnprintf(result->reason, sizeof result->reason, fmt, ap);
	va_end(ap);
}

static int weight(const struct mxw__rcpt_result *result)
{
	switch (result->outcome) {
	case MXW_FOUND:
		/* Who can't tell leaves it to another that may: a missing answer is waited for. */
		return result->is_unverifiable ? 1 : 5;
	case MXW_TEMPORARY:
		return 4;
	case MXW_MISCONFIGURED:
		return 3;
	case MXW_NOT_FOUND:
		return result->is_refused ? 2 : 0;
	}
	return 0;
}

/* How far it is from "there is no such recipient": the copy's word counts only while the source itself gives none. */
static int absence(const struct mxw__rcpt_result *result)
{
	if (result->outcome == MXW_NOT_FOUND)
		return 3;
	if (result->outcome == MXW_FOUND)
		return 0;
	return result->copy == MXW__COPY_ABSENT ? 2 : result->copy == MXW__COPY_OLD ? 1 : 0;
}

void mxw__rcpt_merge(struct mxw__rcpt_result *all, const struct mxw__rcpt_result *one)
{
	static const mxw__rcpt_copy_t copies[] = {MXW__COPY_NONE, MXW__COPY_OLD, MXW__COPY_ABSENT, MXW__COPY_NONE};
	int least = absence(all) < absence(one) ? absence(all) : absence(one);

	if (weight(one) > weight(all) || (!all->source && one->outcome == all->outcome))
		*all = *one;
	if (all->outcome != MXW_FOUND)
		all->copy = copies[least];
}

void mxw__rcpt_settings_add(struct mxw__rcpt_settings *all, const struct mxw__rcpt_settings *one)
{
	all->is_disabled &= one->is_disabled;
	all->is_internal_only |= one->is_internal_only;
	if (!*all->class)
		memcpy(all->class, one->class, sizeof all->class);
}

void mxw__reading_bad_line(struct mxw__reading *reading, unsigned long line, const char *what)
{
	reading->nbad++;
	if (reading->nbad <= BAD_LINES_TOLD)
		mxw__noticef(reading->noticer, false, "%s:%lu: %s; the line is ignored", reading->path, line, what);
}

char *mxw__next_line(char **rest, const char *end, size_t *ret_len)
{
	char *line = *rest;

	if (!line)
		return NULL;
	char *newline = memchr(line, '\n', (size_t)(end - line));
	size_t len = newline ? (size_t)(newline - line) : (size_t)(end - line);
	*rest = newline ? newline + 1 : NULL;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	*ret_len = len;
	return line;
}
