/* SPDX-License-Identifier: BSD-2-Clause */
/* Results in the words of facts, replies and explanations. */
#include "config.h"

#include "src/directory/directory.h"

const char *mxw__rcpt_outcome_word(const struct mxw__rcpt_result *result)
{
	switch (result->outcome) {
	case MXW_FOUND:
		return result->is_unverifiable ? "unverifiable" : "found";
	case MXW_NOT_FOUND:
		return "unknown";
	case MXW_MISCONFIGURED:
		return "misconfigured";
	case MXW_TEMPORARY:
		break;
	}
	return "unavailable";
}

const char *mxw__rcpt_origin_word(mxw__rcpt_origin_t origin)
{
	switch (origin) {
	case MXW__ORIGIN_LIVE:
		return "live";
	case MXW__ORIGIN_CACHE:
		return "cache";
	case MXW__ORIGIN_STALE:
		return "stale";
	case MXW__ORIGIN_COPY:
		return "copy";
	}
	return "";
}

const char *mxw__rcpt_copy_word(mxw__rcpt_copy_t copy)
{
	switch (copy) {
	case MXW__COPY_NONE:
		return "";
	case MXW__COPY_KNOWN:
		return "known";
	case MXW__COPY_ABSENT:
		return "absent";
	case MXW__COPY_OLD:
		return "old";
	}
	return "";
}
