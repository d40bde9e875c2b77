/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/source.h"

struct opened {
	const struct mxw__directory_ops *ops;
	void *self;
	/* Of a source that could not be opened: what it answers. */
	struct mxw__rcpt_result failure;
};

struct mxw__directories {
	const struct mxw_conf *conf;
	mxw__names_t *domains; /* name to index into conf->domains */
	size_t nsources;
	struct opened *sources;
};

/* Every type there is, by mxw__directory_type_t. */
static const struct mxw__directory_ops *const types[] = {
	[MXW__DIRECTORY_FILE] = &mxw__directory_file,
	[MXW__DIRECTORY_SYSTEM] = &mxw__directory_system,
	[MXW__DIRECTORY_LDAP] = &mxw__directory_ldap,
};

static mxw_status_t add_domains(mxw__directories_t *directories, struct mxw_error *err)
{
	const struct mxw_conf *conf = directories->conf;

	directories->domains = mxw__names_new();
	if (!directories->domains)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < conf->ndomains; i++) {
		const struct mxw__strings *names = &conf->domains[i].names;
		for (size_t j = 0; j < names->n; j++) {
			mxw_status_t status = mxw__names_add(directories->domains, names->v[j],
							     strlen(names->v[j]), (uint32_t)i);
			if (status != MXW_OK)
				return mxw__fail(err, status, "domain %s: %s", names->v[j], mxw_status_name(status));
		}
	}
	return MXW_OK;
}

/* A source that can't be opened answers every question with why; only without memory the whole set fails. */
static mxw_status_t open_source(struct opened *source, const struct mxw__directory_conf *conf,
				const struct mxw_clock *clock, mxw__notice_fn notice, void *notice_ctx,
				struct mxw_error *err)
{
	struct mxw__noticer noticer = {notice, notice_ctx, conf->name};
	struct mxw_error why = {0};

	if ((size_t)conf->type >= MXW_ARRAY_LEN(types))
		return mxw__fail(err, MXW_ERR_CONF, "directory %s: no such type", conf->name);
	source->ops = types[conf->type];
	mxw_status_t status = source->ops->open(conf, clock, notice, notice_ctx, &source->self, &why);
	if (status == MXW_OK)
		return MXW_OK;
	if (status == MXW_ERR_NOMEM)
		return mxw__fail(err, status, "directory %s: %s", conf->name, why.text);
	source->self = NULL;
	mxw__rcpt_answerf(&source->failure, status == MXW_ERR_CONF ? MXW_MISCONFIGURED : MXW_TEMPORARY, "%.150s",
			  why.text);
	mxw__noticef(&noticer, true, "%s", why.text);
	return MXW_OK;
}

mxw_status_t mxw__directories_new(const struct mxw_conf *conf, const struct mxw_clock *clock, mxw__notice_fn notice,
				  void *notice_ctx, mxw__directories_t **ret_directories, struct mxw_error *err)
{
	mxw__directories_t *directories = calloc(1, sizeof *directories);
	mxw_status_t status;

	if (!directories)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	directories->conf = conf;
	status = add_domains(directories, err);
	if (status != MXW_OK)
		goto failed;
	directories->sources = mxw__calloc(conf->ndirectories, sizeof *directories->sources);
	if (!directories->sources) {
		status = mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
		goto failed;
	}
	for (size_t i = 0; i < conf->ndirectories; i++) {
		status = open_source(&directories->sources[i], &conf->directories[i], clock, notice, notice_ctx, err);
		if (status != MXW_OK)
			goto failed;
		directories->nsources++;
	}
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
	for (size_t i = 0; i < directories->nsources; i++)
		if (directories->sources[i].self)
			directories->sources[i].ops->close(directories->sources[i].self);
	free(directories->sources);
	mxw__names_unref(directories->domains);
	free(directories);
}

const struct mxw__domain_conf *mxw__directories_domain(const mxw__directories_t *directories, const char *domain)
{
	uint32_t i;

	if (!mxw__names_find(directories->domains, domain, strlen(domain), &i))
		return NULL;
	return &directories->conf->domains[i];
}

/* Asks the directories of a domain for one address, as it is. */
static void ask_all(mxw__directories_t *directories, const struct mxw__domain_conf *domain,
		    const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	struct mxw__rcpt_result all = {.outcome = MXW_NOT_FOUND};

	if (domain->nrecipients == 0)
		mxw__rcpt_answerf(&all, MXW_MISCONFIGURED, "the domain names no directory");
	for (size_t i = 0; i < domain->nrecipients && all.outcome != MXW_FOUND; i++) {
		size_t index = domain->recipients[i];
		struct opened *source = &directories->sources[index];
		struct mxw__rcpt_result one = {.outcome = MXW_TEMPORARY};
		if (source->self)
			source->ops->lookup(source->self, query, &one);
		else
			one = source->failure;
		one.source = directories->conf->directories[index].name;
		mxw__rcpt_merge(&all, &one);
	}
	*ret_result = all;
}

/* RFC 5321 section 4.5.1 and RFC 2142: who has to complain must be able to. */
static bool is_role(const struct mxw__address *address)
{
	return mxw__ascii_casecmp(address->local, "postmaster") == 0 || mxw__ascii_casecmp(address->local, "abuse") == 0;
}

/*
 * Makes "anna@example.net" of "anna+list@example.net" in `text`, `local` of it in `local`. False if the address has no
 * delimiter behind its first octet, or does not fit (nothing that long is in a directory).
 */
static bool strip_detail(const struct mxw__domain_conf *domain, const struct mxw__address *address, char *local, char *text,
			 size_t size)
{
	size_t len = *address->local ? 1 + strcspn(address->local + 1, domain->delimiters) : 0;

	if (!address->local[len])
		return false;
	int n = snprintf(text, size, "%.*s@%s", (int)len, address->local, address->domain);
	if (n < 0 || (size_t)n >= size)
		return false;
	memcpy(local, text, len);
	local[len] = '\0';
	return true;
}

void mxw__directories_lookup(mxw__directories_t *directories, const struct mxw__domain_conf *domain,
			     const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	char text[640], local[sizeof text];
	struct mxw__address base = *query->address;

	if (domain->postmaster == MXW__POSTMASTER_ACCEPT && is_role(query->address)) {
		*ret_result = (struct mxw__rcpt_result){.outcome = MXW_FOUND, .source = "postmaster"};
		return;
	}
	ask_all(directories, domain, query, ret_result);
	/* Only what is certain not to be there as a whole is looked for without its detail. */
	if (ret_result->outcome != MXW_NOT_FOUND || !domain->delimiters || !*domain->delimiters ||
	    !strip_detail(domain, query->address, local, text, sizeof text))
		return;
	base.text = text;
	base.local = local;
	ask_all(directories, domain, &(struct mxw__rcpt_query){&base, query->deadline_ms}, ret_result);
}
