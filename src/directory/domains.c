/* SPDX-License-Identifier: BSD-2-Clause */
/* Which domains are ours. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/directory/set.h"

mxw_status_t mxw__domains_init(mxw__directories_t *directories, struct mxw_error *err)
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

void mxw__domains_fini(mxw__directories_t *directories)
{
	mxw__names_unref(directories->domains);
}

static bool asks(const struct mxw__domain_conf *domain, size_t index)
{
	for (size_t i = 0; i < domain->nrecipients; i++)
		if (domain->recipients[i] == index)
			return true;
	return false;
}

const char **mxw__domains_of_directory(const struct mxw_conf *conf, size_t index, size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->ndomains; i++)
		n += asks(&conf->domains[i], index) ? conf->domains[i].names.n : 0;
	const char **names = mxw__calloc(n + 1, sizeof *names);
	*ret_n = 0;
	for (size_t i = 0; names && i < conf->ndomains; i++)
		for (size_t j = 0; asks(&conf->domains[i], index) && j < conf->domains[i].names.n; j++)
			names[(*ret_n)++] = conf->domains[i].names.v[j];
	return names;
}

const struct mxw__domain_conf *mxw__directories_domain(const mxw__directories_t *directories, const char *domain)
{
	uint32_t i;

	if (!mxw__names_find(directories->domains, domain, strlen(domain), &i))
		return NULL;
	return &directories->conf->domains[i];
}
