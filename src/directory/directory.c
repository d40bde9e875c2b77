/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/set.h"

/* Every type there is, by mxw__directory_type_t. */
static const struct mxw__directory_ops *const types[] = {
	[MXW__DIRECTORY_FILE] = &mxw__directory_file,
	[MXW__DIRECTORY_SYSTEM] = &mxw__directory_system,
	[MXW__DIRECTORY_LDAP] = &mxw__directory_ldap,
	[MXW__DIRECTORY_SQLITE] = &mxw__directory_sqlite,
	[MXW__DIRECTORY_CALL_AHEAD] = &mxw__directory_call_ahead,
};

/* One that can't be opened may still have a copy from better days. */
static mxw_status_t open_copy(struct mxw__opened *source, struct mxw_error *err)
{
	const struct mxw__directory_conf *conf = source->env.conf;
	struct mxw_error why = {0};

	if (!conf->offline_copy || !source->ops->enumerate)
		return MXW_OK;
	mxw_status_t status = mxw__copy_new(&source->env, source->ops, source->self, &source->copy, &why);
	if (status == MXW_OK && source->self && !source->env.is_read_only)
		status = mxw__copy_start(source->copy, &why);
	return status == MXW_OK ? MXW_OK : mxw__fail(err, status, "directory %s: %.400s", conf->name, why.text);
}

/* A source that can't be opened answers every question with why; only without memory the whole set fails. */
static mxw_status_t open_source(mxw__directories_t *directories, size_t index, struct mxw_error *err)
{
	const struct mxw__directory_conf *conf = &directories->conf->directories[index];
	const struct mxw__directories_env *env = &directories->env;
	struct mxw__opened *source = &directories->sources[index];
	struct mxw__noticer noticer = {env->notice, env->notice_ctx, conf->name, "directory"};
	struct mxw_error why = {0};

	if ((size_t)conf->type >= MXW_ARRAY_LEN(types))
		return mxw__fail(err, MXW_ERR_CONF, "directory %s: no such type", conf->name);
	source->ops = types[conf->type];
	source->env = (struct mxw__directory_env){
		.conf = conf,
		.clock = env->clock,
		.notice = env->notice,
		.notice_ctx = env->notice_ctx,
		.state_dir = env->state_dir,
		.is_read_only = env->is_read_only,
	};
	source->domains = mxw__domains_of_directory(directories->conf, index, &source->env.domains.n);
	source->env.domains.v = source->domains;
	if (!source->domains)
		return mxw__fail(err, MXW_ERR_NOMEM, "directory %s: out of memory", conf->name);
	mxw__kept_init(source, env->cache);
	mxw_status_t status = source->ops->open(&source->env, &source->self, &why);
	if (status == MXW_OK)
		return open_copy(source, err);
	if (status == MXW_ERR_NOMEM)
		return mxw__fail(err, status, "directory %s: %s", conf->name, why.text);
	source->self = NULL;
	mxw__rcpt_answerf(&source->failure, status == MXW_ERR_CONF ? MXW_MISCONFIGURED : MXW_TEMPORARY, "%.150s",
			  why.text);
	mxw__noticef(&noticer, true, "%s", why.text);
	return open_copy(source, err);
}

mxw_status_t mxw__directories_new(const struct mxw_conf *conf, const struct mxw__directories_env *env,
				  mxw__directories_t **ret_directories, struct mxw_error *err)
{
	mxw__directories_t *directories = calloc(1, sizeof *directories);
	mxw_status_t status;

	if (!directories)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	directories->conf = conf;
	directories->env = *env;
	status = mxw__domains_init(directories, err);
	if (status != MXW_OK)
		goto failed;
	directories->sources = mxw__calloc(conf->ndirectories, sizeof *directories->sources);
	if (!directories->sources) {
		status = mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
		goto failed;
	}
	for (size_t i = 0; i < conf->ndirectories; i++) {
		directories->nsources++;
		status = open_source(directories, i, err);
		if (status != MXW_OK)
			goto failed;
	}
	for (size_t i = 0; i < conf->ndirectories && !directories->refresher; i++)
		if (directories->sources[i].is_kept)
			directories->refresher = mxw__refresher_new(directories);
	*ret_directories = directories;
	return MXW_OK;
failed:
	mxw__directories_free(directories);
	return status;
}

void mxw__directories_free(mxw__directories_t *directories)
{
	if (!directories)
		return;
	mxw__refresher_free(directories->refresher);
	for (size_t i = 0; i < directories->nsources; i++) {
		struct mxw__opened *source = &directories->sources[i];
		mxw__copy_free(source->copy);
		if (source->self)
			source->ops->close(source->self);
		free(source->domains);
	}
	free(directories->sources);
	mxw__domains_fini(directories);
	free(directories);
}

void mxw__source_ask(const struct mxw__opened *source, const struct mxw__rcpt_query *query,
		     struct mxw__rcpt_result *ret_one)
{
	*ret_one = (struct mxw__rcpt_result){.outcome = MXW_TEMPORARY};
	if (source->self)
		source->ops->lookup(source->self, query, ret_one);
	else
		*ret_one = source->failure;
	ret_one->source = source->env.conf->name;
}

/* What is kept, else the source, or, where it can't answer, what may stand in for it. */
static void ask_source(mxw__directories_t *directories, size_t index, const struct mxw__rcpt_query *query,
		       struct mxw__rcpt_result *ret_one)
{
	struct mxw__opened *source = &directories->sources[index];
	struct mxw__kept kept;

	if (!mxw__kept_answer(directories, source, query, &kept, ret_one)) {
		mxw__source_ask(source, query, ret_one);
		mxw__kept_learn(directories, source, query, &kept, ret_one);
		if (ret_one->outcome == MXW_FOUND && ret_one->origin == MXW__ORIGIN_LIVE && !ret_one->is_unverifiable)
			mxw__copy_compare(source->copy, query->address);
	}
	if (ret_one->outcome == MXW_TEMPORARY || ret_one->outcome == MXW_MISCONFIGURED)
		mxw__copy_consult(source->copy, query->address, ret_one);
	if (query->told)
		query->told(query->told_ctx, query, ret_one);
}

void mxw__directories_ask(mxw__directories_t *directories, const struct mxw__domain_conf *domain,
			  const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	struct mxw__rcpt_result all = {.outcome = MXW_NOT_FOUND};

	if (domain->nrecipients == 0)
		mxw__rcpt_answerf(&all, MXW_MISCONFIGURED, "the domain names no directory");
	struct mxw__rcpt_result one = {.outcome = MXW_TEMPORARY};
	for (size_t i = 0; i < domain->nrecipients && (all.outcome != MXW_FOUND || all.is_unverifiable) && !one.is_refused; i++) {
		if (query->is_respelt && directories->sources[domain->recipients[i]].ops->ignores_text)
			continue;
		ask_source(directories, domain->recipients[i], query, &one);
		mxw__rcpt_merge(&all, &one);
	}
	*ret_result = all;
}
