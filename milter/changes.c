/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "milter/changes.h"
#include "milter/macros.h"

/*
 * Postfix counts the fields that it has shown and that are still there. sendmail counts those of its own configuration file before
 * them, which nobody here knows: there it is the top.
 */
static int insert_position(SMFICTX *ctx, unsigned index)
{
	return mwd_macros_is_postfix(ctx) ? (int)index : 0;
}

/* libmilter takes no const. */
static int change_header(SMFICTX *ctx, const struct mwd_terms *terms, const struct mxw_edit *edit, char *value)
{
	char *name = strdup(edit->name);
	int rc = MI_FAILURE;

	if (name && edit->kind == MXW_EDIT_DELETE_HEADER) {
		rc = smfi_chgheader(ctx, name, (int)edit->index, NULL);
	} else if (name && value) {
		/* With leading blanks negotiated the MTA adds none of its own. */
		bool has_blank = value[0] == ' ' && !(terms->steps & SMFIP_HDR_LEADSPC);
		rc = smfi_insheader(ctx, insert_position(ctx, edit->index), name, value + (has_blank ? 1 : 0));
	}
	free(name);
	return rc;
}

/* What the sender wants to be told of this recipient is lost where the MTA does not take it. */
static int add_rcpt(SMFICTX *ctx, const struct mwd_terms *terms, char *path, const char *params)
{
	if (!params || !*params || !(terms->actions & SMFIF_ADDRCPT_PAR))
		return smfi_addrcpt(ctx, path);
	char *copy = strdup(params);
	int rc = copy ? smfi_addrcpt_par(ctx, path, copy) : MI_FAILURE;
	free(copy);
	return rc;
}

static int change_envelope(SMFICTX *ctx, const struct mwd_terms *terms, const struct mxw_edit *edit)
{
	const char *address = edit->value;
	size_t len = strlen(address);
	char *path = malloc(len + 3);
	int rc = MI_FAILURE;

	if (!path)
		return MI_FAILURE;
	path[0] = '<';
	memcpy(path + 1, address, len);
	memcpy(path + 1 + len, ">", 2);
	if (edit->kind == MXW_EDIT_CHANGE_SENDER)
		rc = smfi_chgfrom(ctx, path, NULL);
	else if (edit->kind == MXW_EDIT_ADD_RCPT)
		rc = add_rcpt(ctx, terms, path, edit->params);
	else if (edit->kind == MXW_EDIT_DELETE_RCPT)
		rc = smfi_delrcpt(ctx, path);
	free(path);
	return rc;
}

static bool apply(SMFICTX *ctx, const struct mwd_terms *terms, const struct mxw_edit *edit)
{
	bool is_header = edit->kind == MXW_EDIT_INSERT_HEADER || edit->kind == MXW_EDIT_DELETE_HEADER;

	if (!is_header)
		return edit->value && change_envelope(ctx, terms, edit) == MI_SUCCESS;
	/* Without them the message goes on as it is; that is said once. */
	if (!mwd_terms_allow_edits(terms))
		return true;
	char *value = edit->value ? strdup(edit->value) : NULL;
	int rc = change_header(ctx, terms, edit, value);
	free(value);
	return rc == MI_SUCCESS;
}

static bool hold(SMFICTX *ctx, const char *why)
{
	char *reason = strdup(*why ? why : "held");
	int rc = reason ? smfi_quarantine(ctx, reason) : MI_FAILURE;

	free(reason);
	return rc == MI_SUCCESS;
}

bool mwd_changes_make(SMFICTX *ctx, const struct mwd_terms *terms, const struct mxw_verdict *verdict, const struct mxw_edit *edits,
		      size_t nedits)
{
	bool is_held = verdict->action == MXW_ACTION_HOLD;

	if (!is_held && verdict->action != MXW_ACTION_CONTINUE && verdict->action != MXW_ACTION_ACCEPT)
		return true;
	for (size_t i = 0; i < nedits; i++)
		if (!apply(ctx, terms, &edits[i]))
			return false;
	return !is_held || hold(ctx, verdict->text);
}
