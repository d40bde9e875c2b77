/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which domains are ours. A name is looked for in this order: as a name or host of a domain section; as a line of the
 * sections' files, in the order of the sections; below a "*.example.net" of a section; below one in a file.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/directory/set.h"

/* A list of names that is kept in a file. */
struct mxw__domain_file {
	struct mxw__noticer noticer;
	struct mxw__domain_match match; /* what its names are to us */
	mxw__watch_t *watch;
};

/* The number of a name in the table: its section, and whether it is a host. */
static uint32_t number_of(size_t section, bool is_host)
{
	return (uint32_t)section * 2 + is_host;
}

static struct mxw__domain_match match_of(const struct mxw_conf *conf, uint32_t number)
{
	return (struct mxw__domain_match){.conf = &conf->domains[number / 2], .is_host = number % 2};
}

/* "*.example.net" is kept as ".example.net", which no name is. */
static mxw_status_t add_name(mxw__names_t *names, const char *name, uint32_t number)
{
	if (name[0] == '*')
		name++;
	return mxw__names_add(names, name, strlen(name), number);
}

static mxw_status_t add_list(mxw__names_t *names, const struct mxw__strings *list, uint32_t number, struct mxw_error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		mxw_status_t status = add_name(names, list->v[i], number);
		if (status != MXW_OK)
			return mxw__fail(err, status, "domain %s: %s", list->v[i], mxw_status_name(status));
	}
	return MXW_OK;
}

/* ---- lists in files ---- */

/* ".example.net" is how relay_domains and sendmail's maps say "*.example.net". */
static const char *read_name(const char *word, size_t len, char ret_name[MXW__DOMAIN_MAX + 1])
{
	char pattern[MXW__DOMAIN_MAX + 2] = "*";
	mxw_status_t status = MXW_ERR_INVALID;

	if (len > 1 && word[0] == '.' && len < sizeof pattern - 1) {
		memcpy(pattern + 1, word, len);
		status = mxw__domain_pattern_to_ascii(pattern, len + 1, ret_name);
	} else {
		status = mxw__domain_pattern_to_ascii(word, len, ret_name);
	}
	return status == MXW_OK ? NULL : "not a domain name";
}

/*
 * One name on a line: its first word, as sendmail reads such files. What follows is the value of a map, which means nothing
 * here.
 */
static mxw_status_t parse_domains_file(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names)
{
	char *rest = data, *line;
	size_t n;
	mxw_status_t status = MXW_OK;

	for (unsigned long number = 1; status == MXW_OK && (line = mxw__next_line(&rest, data + len, &n)); number++) {
		char name[MXW__DOMAIN_MAX + 1];
		size_t from = 0, to;
		while (from < n && mxw__ascii_isspace(line[from]))
			from++;
		for (to = from; to < n && !mxw__ascii_isspace(line[to]);)
			to++;
		if (from == to || line[from] == '#')
			continue;
		const char *complaint = read_name(line + from, to - from, name);
		if (complaint)
			mxw__reading_bad_line(reading, number, complaint);
		else
			status = add_name(names, name, 0);
	}
	return status;
}

static mxw_status_t open_files(mxw__directories_t *d, const struct mxw__domain_conf *conf, const struct mxw__strings *paths,
			       bool is_host, struct mxw_error *err)
{
	for (size_t i = 0; i < paths->n; i++) {
		struct mxw__domain_file *file = &d->domain_files[d->ndomain_files];
		file->noticer = (struct mxw__noticer){d->env.notice, d->env.notice_ctx, conf->names.n ? conf->names.v[0] : "", "domain"};
		file->match = (struct mxw__domain_match){.conf = conf, .is_host = is_host};
		mxw_status_t status = mxw__watch_new(paths->v[i], d->env.clock, &file->noticer, parse_domains_file, NULL,
						     &file->watch);
		if (status != MXW_OK)
			return mxw__fail(err, status, "%s: %s", paths->v[i], mxw_status_name(status));
		d->ndomain_files++;
	}
	return MXW_OK;
}

/* ---- the set ---- */

mxw_status_t mxw__domains_init(mxw__directories_t *directories, struct mxw_error *err)
{
	const struct mxw_conf *conf = directories->conf;
	size_t nfiles = 0;
	mxw_status_t status = MXW_OK;

	for (size_t i = 0; i < conf->ndomains; i++)
		nfiles += conf->domains[i].domains_files.n + conf->domains[i].hosts_files.n;
	directories->domains = mxw__names_new();
	directories->domain_files = mxw__calloc(nfiles + 1, sizeof *directories->domain_files);
	if (!directories->domains || !directories->domain_files)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	for (size_t i = 0; status == MXW_OK && i < conf->ndomains; i++) {
		const struct mxw__domain_conf *d = &conf->domains[i];
		for (size_t j = 0; j < d->hosts.n; j++)
			directories->has_wildcards |= d->hosts.v[j][0] == '*';
		status = add_list(directories->domains, &d->names, number_of(i, false), err);
		if (status == MXW_OK)
			status = add_list(directories->domains, &d->hosts, number_of(i, true), err);
		if (status == MXW_OK)
			status = open_files(directories, d, &d->domains_files, false, err);
		if (status == MXW_OK)
			status = open_files(directories, d, &d->hosts_files, true, err);
	}
	return status;
}

void mxw__domains_fini(mxw__directories_t *directories)
{
	for (size_t i = 0; i < directories->ndomain_files; i++)
		mxw__watch_free(directories->domain_files[i].watch);
	free(directories->domain_files);
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

/* ---- look-ups ---- */

/* Is there a ".example.net" for this name? The nearest one counts. */
static bool find_wildcard(const mxw__names_t *names, const char *name, uint32_t *ret_number)
{
	for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
		if (mxw__names_find(names, dot, strlen(dot), ret_number))
			return true;
	return false;
}

/* In the files. TEMPORARY, with the section of the file, if one that was never read might have it. */
static mxw_outcome_t find_in_files(const mxw__directories_t *d, const char *name, bool is_exact,
				   struct mxw__domain_match *ret_match)
{
	mxw_outcome_t outcome = MXW_NOT_FOUND;

	for (size_t i = 0; i < d->ndomain_files; i++) {
		const struct mxw__domain_file *file = &d->domain_files[i];
		mxw__names_t *names = mxw__watch_content(file->watch, NULL);
		bool is_found = names && (is_exact ? mxw__names_find(names, name, strlen(name), NULL) :
						     find_wildcard(names, name, NULL));
		if (is_found || (!names && outcome == MXW_NOT_FOUND)) {
			*ret_match = file->match;
			ret_match->is_below = !is_exact;
		}
		if (!names)
			outcome = MXW_TEMPORARY;
		mxw__names_unref(names);
		if (is_found)
			return MXW_FOUND;
	}
	return outcome;
}

mxw_outcome_t mxw__directories_match(const mxw__directories_t *directories, const char *domain,
				     struct mxw__domain_match *ret_match)
{
	uint32_t number;
	struct mxw__domain_match match = {0};

	*ret_match = (struct mxw__domain_match){0};
	if (!*domain || *domain == '.')
		return MXW_NOT_FOUND;
	if (mxw__names_find(directories->domains, domain, strlen(domain), &number)) {
		*ret_match = match_of(directories->conf, number);
		return MXW_FOUND;
	}
	if (directories->ndomain_files == 0 && !directories->has_wildcards)
		return MXW_NOT_FOUND;
	mxw_outcome_t outcome = find_in_files(directories, domain, true, &match);
	if (outcome != MXW_FOUND && directories->has_wildcards && *domain != '[' &&
	    find_wildcard(directories->domains, domain, &number)) {
		match = match_of(directories->conf, number);
		match.is_below = true;
		outcome = MXW_FOUND;
	}
	if (outcome == MXW_NOT_FOUND && *domain != '[')
		outcome = find_in_files(directories, domain, false, &match);
	*ret_match = match;
	return outcome;
}

const struct mxw__domain_conf *mxw__directories_domain(const mxw__directories_t *directories, const char *domain)
{
	struct mxw__domain_match match;

	return mxw__directories_match(directories, domain, &match) == MXW_FOUND ? match.conf : NULL;
}

bool mxw__directories_has_name(const mxw__directories_t *directories, const char *domain)
{
	struct mxw__domain_match match;

	return mxw__directories_match(directories, domain, &match) == MXW_FOUND && !match.is_below;
}

mxw_outcome_t mxw__directories_domain_of(const mxw__directories_t *directories, const struct mxw__address *address,
					 const struct mxw__domain_conf **ret_domain)
{
	const struct mxw_conf *conf = directories->conf;
	struct mxw__domain_match match = {0};
	mxw_outcome_t outcome = MXW_NOT_FOUND;

	if (*address->domain) {
		outcome = mxw__directories_match(directories, address->domain, &match);
	} else if (mxw__ascii_casecmp(address->local, "postmaster") == 0) {
		for (size_t i = 0; i < conf->ndomains && !match.conf; i++)
			if (conf->domains[i].postmaster == MXW__POSTMASTER_ACCEPT)
				match.conf = &conf->domains[i];
		outcome = match.conf ? MXW_FOUND : MXW_NOT_FOUND;
	}
	*ret_domain = match.conf;
	return outcome;
}
