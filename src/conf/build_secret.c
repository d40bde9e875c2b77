/* SPDX-License-Identifier: BSD-2-Clause */
/* Passwords and keys, which nobody else may be able to read. */
#include "config.h"

#include "src/conf/build.h"

const char *mxw__build_secret(struct mxw__build *build, const char *path, const struct mxw__pos *pos)
{
	struct mxw__secret *keep = mxw__arena_alloc(build->values.arena, sizeof *keep);
	struct mxw_error err;

	if (!keep)
		build->values.out_of_memory = true;
	if (!keep || !path[0])
		return "";
	if (mxw__file_read_secret(path, &keep->text, &err) != MXW_OK) {
		mxw__complain(build->values.complaints, pos, "%s", err.text);
		return "";
	}
	keep->next = build->conf->priv->secrets;
	build->conf->priv->secrets = keep;
	return keep->text;
}

void mxw__build_check_key(struct mxw__build *build, const char *path, const struct mxw__pos *pos)
{
	struct mxw_error err;
	char *text = NULL;

	if (!path[0])
		return;
	if (mxw__file_read_secret(path, &text, &err) != MXW_OK)
		mxw__complain(build->values.complaints, pos, "%s", err.text);
	else
		mxw__free_secret(text);
}
