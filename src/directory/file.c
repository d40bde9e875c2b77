/* SPDX-License-Identifier: BSD-2-Clause */
/* directory type "file": a list of addresses, in one of the forms of file_forms.c. */
#include "config.h"

#include <stdlib.h>

#include "src/directory/file_form.h"

struct file_source {
	const struct mxw__directory_conf *conf;
	struct mxw__noticer noticer;
	mxw__watch_t *watch;
};

static const mxw__watch_parse_fn parsers[] = {
	[MXW__FILE_PLAIN] = mxw__parse_plain_file,
	[MXW__FILE_POSTFIX] = mxw__parse_postfix_map,
	[MXW__FILE_POSTFIX_ACCESS] = mxw__parse_postfix_access,
	[MXW__FILE_VIRTUSERTABLE] = mxw__parse_virtusertable,
	[MXW__FILE_ACCESS] = mxw__parse_access,
};

static void file_close(void *self)
{
	struct file_source *source = self;

	mxw__watch_free(source->watch);
	free(source);
}

static mxw_status_t file_open(const struct mxw__directory_env *env, void **ret_self, struct mxw_error *err)
{
	const struct mxw__directory_conf *conf = env->conf;
	struct file_source *source = calloc(1, sizeof *source);

	if (!source)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	source->conf = conf;
	source->noticer = (struct mxw__noticer){env->notice, env->notice_ctx, conf->name, "directory"};
	mxw_status_t status =
		mxw__watch_new(conf->path, env->clock, &source->noticer, parsers[conf->format], NULL, &source->watch);
	if (status != MXW_OK) {
		file_close(source);
		return mxw__fail(err, status, "%s: %s", conf->path, mxw_status_name(status));
	}
	*ret_self = source;
	return MXW_OK;
}

static void answer(const struct file_source *source, const mxw__names_t *names, bool is_settling,
		   const struct mxw__address *address, struct mxw__rcpt_result *ret_result)
{
	mxw__file_meaning_t meaning = MXW__FILE_SILENT;

	mxw__file_find(source->conf->format, names, address, &meaning);
	if (meaning == MXW__FILE_FOUND || meaning == MXW__FILE_UNVERIFIABLE) {
		mxw__rcpt_answer(ret_result, MXW_FOUND);
		ret_result->is_unverifiable = meaning == MXW__FILE_UNVERIFIABLE;
	} else if (is_settling) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "%s is being written", source->conf->path);
	} else {
		mxw__rcpt_answer(ret_result, MXW_NOT_FOUND);
		ret_result->is_refused = meaning == MXW__FILE_REFUSED;
	}
}

static void file_lookup(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	struct file_source *source = self;
	bool is_settling;
	mxw__names_t *names = mxw__watch_content(source->watch, &is_settling);

	if (!names) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "%s can't be read", source->conf->path);
		return;
	}
	answer(source, names, is_settling, query->address, ret_result);
	mxw__names_unref(names);
}

const struct mxw__directory_ops mxw__directory_file = {
	.type = "file",
	.ignores_text = true,
	.open = file_open,
	.lookup = file_lookup,
	.close = file_close,
};
