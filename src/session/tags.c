/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tags.c: header fields that rules add to a message. Whoever reads them must be able to believe them: fields of these names that a
 * stranger's message brings along are taken out.
 */
#include "config.h"

#include <string.h>

#include "src/session/engine.h"

/* A message with more of them does not go on. */
enum { FORGED_MAX = 1000 };

static bool is_noted(const struct mxw__message_record *r, const char *field)
{
	for (size_t i = 0; i < r->ntags; i++)
		if (r->tags[i].field == field)
			return true;
	return false;
}

void mxw__tags_note(mxw_session_t *s, const struct mxw_decision *decision, const struct mxw__reply_vars *vars)
{
	struct mxw__message_record *r = &s->record;

	for (size_t i = 0; i < decision->ntags; i++) {
		const char *field = decision->tags[i].field;
		if (s->snapshot->conf->observe)
			mxw__note_observed(s, decision->tags[i].rule, MXW_ACTION_TAG);
		else if (!is_noted(r, field) && r->ntags < MXW_TAGS_MAX) {
			const char *name = mxw__tag_name(s->message_arena, field);
			const char *value = mxw__tag_value(s->message_arena, field, s->facts, vars);
			if (!name || !value) {
				r->has_lost_tag = true;
				continue;
			}
			r->tags[r->ntags].field = field;
			r->tags[r->ntags].name = name;
			r->tags[r->ntags++].value = value;
		}
	}
}

/* With the blanks that may stand before the colon (RFC 5322 section 4.5.8). */
static bool is_named(const char *name, const char *tag)
{
	size_t len = strlen(name);

	while (len && mxw__ascii_isspace(name[len - 1]))
		len--;
	return len == strlen(tag) && mxw__ascii_ncasecmp(name, tag, len) == 0;
}

void mxw__tags_count(mxw_session_t *s, const char *name)
{
	size_t n;
	const char *const *names = mxw__policy_tag_names(s->snapshot->conf->policy, &n);

	for (size_t i = 0; i < n; i++)
		if (is_named(name, names[i]))
			s->record.tag_fields[i]++;
}

static size_t nforged(const mxw_session_t *s)
{
	size_t n = 0;

	for (size_t i = 0; i < MXW_TAGS_MAX && mxw__session_is_stranger(s); i++)
		n += s->record.tag_fields[i];
	return n;
}

size_t mxw__tags_nedits(const mxw_session_t *s)
{
	size_t n = nforged(s);

	return (n < FORGED_MAX ? n : FORGED_MAX) + s->record.ntags;
}

bool mxw__tags_edit(mxw_session_t *s, struct mxw_edit *edits, size_t *n)
{
	const struct mxw__message_record *r = &s->record;
	size_t nnames;
	const char *const *names = mxw__policy_tag_names(s->snapshot->conf->policy, &nnames);

	if (r->has_lost_tag || nforged(s) > FORGED_MAX)
		return false;
	/* Highest first, so that an index still means what it meant when it was counted. */
	for (size_t i = 0; i < nnames && mxw__session_is_stranger(s); i++)
		for (unsigned index = r->tag_fields[i]; index > 0; index--)
			edits[(*n)++] = (struct mxw_edit){MXW_EDIT_DELETE_HEADER, names[i], NULL, index, NULL};
	/* The last one comes to stand on top: they are in the order of the rules then. */
	for (size_t i = r->ntags; i > 0; i--)
		edits[(*n)++] = (struct mxw_edit){MXW_EDIT_INSERT_HEADER, r->tags[i - 1].name, r->tags[i - 1].value, 0, NULL};
	return true;
}
