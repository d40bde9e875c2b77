/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/base/base.h"

static const char *const status_names[] = {
	[MXW_OK] = "success",
	[MXW_ERR_NOMEM] = "out of memory",
	[MXW_ERR_INVALID] = "invalid syntax",
	[MXW_ERR_LIMIT] = "limit reached",
	[MXW_ERR_CONF] = "configuration error",
	[MXW_ERR_SYSTEM] = "system error",
	[MXW_ERR_USAGE] = "not possible in this state",
};

static const char *const outcome_names[] = {
	[MXW_FOUND] = "found",
	[MXW_NOT_FOUND] = "not-found",
	[MXW_TEMPORARY] = "temporary",
	[MXW_MISCONFIGURED] = "misconfigured",
};

const char *mxw_status_name(mxw_status_t status)
{
	return (size_t)status < MXW_ARRAY_LEN(status_names) ? status_names[status] : "unknown status";
}

const char *mxw_outcome_name(mxw_outcome_t outcome)
{
	return (size_t)outcome < MXW_ARRAY_LEN(outcome_names) ? outcome_names[outcome] : "unknown outcome";
}

const char *mxw_version(void)
{
	return PACKAGE_VERSION;
}

static void fill(struct mxw_error *err, mxw_status_t status, const char *file, unsigned line, unsigned column,
		 const char *fmt, va_list ap) MXW_PRINTF(6, 0);

static void fill(struct mxw_error *err, mxw_status_t status, const char *file, unsigned line, unsigned column,
		 const char *fmt, va_list ap)
{
	if (!err)
		return;
	/* The text is made first: an argument may point into the error that is being replaced. */
	char text[MXW_ERROR_TEXT_MAX];
	vsnprintf(text, sizeof text, fmt, ap);
	char name[MXW_ERROR_FILE_MAX];
	snprintf(name, sizeof name, "%s", file);
	memcpy(err->text, text, sizeof text);
	memcpy(err->file, name, sizeof name);
	err->status = status;
	err->line = line;
	err->column = column;
}

mxw_status_t mxw__fail(struct mxw_error *err, mxw_status_t status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, status, "", 0, 0, fmt, ap);
	va_end(ap);
	return status;
}

mxw_status_t mxw__fail_at(struct mxw_error *err, mxw_status_t status, const char *file, unsigned line,
			  unsigned column, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(err, status, file, line, column, fmt, ap);
	va_end(ap);
	return status;
}
