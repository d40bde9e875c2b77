/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tags: a header field for a message that goes on, for whoever comes behind: a filter, a mailbox, a mail program.
 *
 * Standards: RFC 5322 sections 2.1.1, 2.2 and 2.2.3.
 */
#include "config.h"

#include <string.h>

#include "src/policy/rules.h"

enum {
	NAME_MAX_LEN = 60,
	FIELD_MAX = 400,        /* as written */
	VALUE_MAX = 480,        /* filled in, without what folding adds */
	LINE_LEN = 76
};

/*
 * Fields that mean something to servers and mail programs. Those of a stranger's message that have the name of a tag are taken out of
 * it: a tag must not be able to take these, nor to be a second one.
 */
static const char *const reserved[] = {
	"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References", "Subject", "Date", "Comments",
	"Keywords", "Return-Path", "Received", "Delivered-To", "MIME-Version", "DKIM-Signature", "DomainKey-Signature",
	"Authentication-Results", "X-Original-Authentication-Results", "Received-SPF", "Auto-Submitted", "Return-Receipt-To",
	"Disposition-Notification-To",
};

static const char *const reserved_beginnings[] = {"Resent-", "Content-", "ARC-", "List-"};

static size_t name_len(const char *field)
{
	return strcspn(field, ":");
}

static bool is_reserved(const char *name, size_t len)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(reserved); i++)
		if (strlen(reserved[i]) == len && mxw__ascii_ncasecmp(reserved[i], name, len) == 0)
			return true;
	for (size_t i = 0; i < MXW_ARRAY_LEN(reserved_beginnings); i++) {
		size_t begin = strlen(reserved_beginnings[i]);
		if (len >= begin && mxw__ascii_ncasecmp(reserved_beginnings[i], name, begin) == 0)
			return true;
	}
	return false;
}

mxw_status_t mxw__tag_check(const char *field, struct mxw_error *err)
{
	size_t len = name_len(field);
	bool is_valid = len > 0 && len <= NAME_MAX_LEN && field[len] == ':';

	for (size_t i = 0; i < len && is_valid; i++)
		is_valid = mxw__ascii_isalnum(field[i]) || field[i] == '-' || field[i] == '_';
	if (!is_valid)
		return mxw__fail(err, MXW_ERR_CONF, "a tag is a header field, \"NAME: VALUE\", whose name has 1 to %d letters, digits, "
				 "'-' and '_'", NAME_MAX_LEN);
	if (is_reserved(field, len))
		return mxw__fail(err, MXW_ERR_CONF, "'%.*s' is a field that servers and mail programs go by, and no name for a tag",
				 (int)len, field);
	if (strlen(field) > FIELD_MAX)
		return mxw__fail(err, MXW_ERR_CONF, "a tag has at most %d characters", FIELD_MAX);
	return mxw__text_check(field + len + 1, err);
}

const char *mxw__tag_name(mxw__arena_t *arena, const char *field)
{
	return mxw__arena_strndup(arena, field, name_len(field));
}

/* Breaks the line at the last blank before it gets too long, if there is one. `column` is where the text begins. */
static void fold(struct mxw__buf *out, const char *text, size_t column)
{
	while (*text) {
		size_t blank = strspn(text, " "), word = strcspn(text + blank, " ");
		if (blank && column + blank + word > LINE_LEN) {
			mxw__buf_adds(out, "\n\t");
			column = 8;
		} else {
			mxw__buf_add(out, text, blank);
			column += blank;
		}
		mxw__buf_add(out, text + blank, word);
		column += word;
		text += blank + word;
	}
}

const char *mxw__tag_value(mxw__arena_t *arena, const char *field, const mxw_facts_t *facts, const struct mxw__reply_vars *vars)
{
	const char *text = field + name_len(field) + 1;
	struct mxw__buf value, folded;

	mxw__text_expand(text + strspn(text, " "), facts, vars, VALUE_MAX, &value);
	mxw__buf_init(&folded, 2 * VALUE_MAX);
	mxw__buf_addc(&folded, ' ');
	/* What it names may be absent; a field without a body is none. */
	fold(&folded, value.len ? mxw__buf_str(&value) : "-", name_len(field) + 2);
	const char *copy = folded.failed ? NULL : mxw__arena_strdup(arena, mxw__buf_str(&folded));
	mxw__buf_fini(&value);
	mxw__buf_fini(&folded);
	return copy;
}
