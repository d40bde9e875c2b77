/* SPDX-License-Identifier: BSD-2-Clause */
/* What the options of a directory of type ldap say of each other, its preset and its secrets. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/conf/build.h"

static void check_starttls(struct mxw__build *b, const struct mxw__directory_conf *d, const struct mxw__pos *pos)
{
	for (size_t i = 0; d->starttls && i < d->uris.n; i++) {
		const char *uri = d->uris.v[i];
		if (strncmp(uri, "ldap://", 7) == 0)
			continue;
		mxw__complain(b->values.complaints, pos, "'starttls' is for ldap:// only, and '%s' %s", uri,
			      strncmp(uri, "ldaps:", 6) == 0 ? "is encrypted from the start" : "stays on this machine");
		return;
	}
}

/* What was not given comes from the preset, if it has it. */
static void apply_preset(struct mxw__build *b, struct mxw__directory_conf *d, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_DIRECTORY];

	for (size_t i = 0; i < s->noptions; i++) {
		const char *value = mxw__preset_value(d->preset, s->options[i].name);
		if (value && !pos[i].file)
			mxw__values_set_default(&b->values, s, &s->options[i], value, d);
	}
}

static bool has_tls(const struct mxw__directory_conf *d)
{
	bool has = d->starttls;

	for (size_t i = 0; i < d->uris.n; i++)
		has |= strncmp(d->uris.v[i], "ldaps:", 6) == 0;
	return has;
}

static void check_certificate(struct mxw__build *b, const struct mxw__directory_conf *d, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_DIRECTORY];
	const struct mxw__pos *cert = mxw__option_pos(s, pos, "tls-certificate-file"), *key = mxw__option_pos(s, pos, "tls-key-file");

	if (cert->file && !key->file)
		mxw__complain(b->values.complaints, cert, "'tls-certificate-file' needs 'tls-key-file' beside it");
	if (key->file && !cert->file)
		mxw__complain(b->values.complaints, key, "'tls-key-file' needs 'tls-certificate-file' beside it");
	if (cert->file && key->file && d->uris.n && !has_tls(d))
		mxw__complain(b->values.complaints, cert,
			      "'tls-certificate-file' needs a connection with TLS: ldaps:// or 'starttls yes' was expected");
	/* libldap reads the key itself. */
	mxw__build_check_key(b, d->tls_key_file, key);
}

/* Who we are has to come from somewhere: each server's socket, or our certificate. */
static void check_external(struct mxw__build *b, const struct mxw__directory_conf *d, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_DIRECTORY];
	const struct mxw__pos *method = mxw__option_pos(s, pos, "bind-method"), *dn = mxw__option_pos(s, pos, "bind-dn");
	/* A file that is no good has been told. */
	bool has_certificate = mxw__option_pos(s, pos, "tls-certificate-file")->file != NULL;

	if (dn->file)
		mxw__complain(b->values.complaints, dn, "'bind-dn' is for 'bind-method simple' only");
	for (size_t i = 0; i < d->uris.n; i++) {
		const char *uri = d->uris.v[i];
		if (strncmp(uri, "ldapi:", 6) == 0 ||
		    (has_certificate && (d->starttls || strncmp(uri, "ldaps:", 6) == 0)))
			continue;
		mxw__complain(b->values.complaints, method,
			      "'bind-method external' needs ldapi://, or TLS with 'tls-certificate-file', for '%s'", uri);
		return;
	}
}

/* Two filters that do not find the same: one of them was changed alone. */
static void check_copy_filter(struct mxw__build *b, const struct mxw__directory_conf *d, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_DIRECTORY];
	const struct mxw__pos *filter = mxw__option_pos(s, pos, "filter");
	const char *usual = mxw__preset_value(d->preset, "filter");

	if (!usual)
		usual = mxw__option_find(s, "filter")->deflt;
	if (d->offline_copy && filter->file && strcmp(d->filter, usual) != 0 && !mxw__option_pos(s, pos, "copy-filter")->file)
		mxw__complain(b->values.complaints, filter,
			      "a 'filter' of your own with 'offline-copy yes' needs a 'copy-filter' that finds all it can find");
}

/* A copy that is old before it is made again says nothing half of the time. */
static void check_copy(struct mxw__build *b, const struct mxw__directory_conf *d, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_DIRECTORY];
	const struct mxw__pos *age = mxw__option_pos(s, pos, "copy-max-age");

	if (d->offline_copy && d->copy_max_age_ms < d->copy_interval_ms)
		mxw__complain(b->values.complaints, age->file ? age : mxw__option_pos(s, pos, "copy-interval"),
			      "'copy-max-age' is shorter than 'copy-interval'");
	check_copy_filter(b, d, pos);
}

void mxw__build_ldap(struct mxw__build *b, struct mxw__directory_conf *d, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_DIRECTORY];
	const struct mxw__pos *dn = mxw__option_pos(s, pos, "bind-dn"), *file = mxw__option_pos(s, pos, "bind-password-file");
	const struct mxw__pos *filter = mxw__option_pos(s, pos, "filter"), *copy = mxw__option_pos(s, pos, "copy-filter");

	apply_preset(b, d, pos);
	if (filter->file && !d->filter[0])
		mxw__complain(b->values.complaints, filter, "'filter' must not be empty");
	if (copy->file && !d->copy_filter[0])
		mxw__complain(b->values.complaints, copy, "'copy-filter' must not be empty");
	if (d->bases.n > MXW__LDAP_BASES_MAX)
		mxw__complain(b->values.complaints, mxw__option_pos(s, pos, "base"), "more than %d bases", MXW__LDAP_BASES_MAX);
	if (d->bind_external)
		check_external(b, d, pos);
	else if (dn->file && !file->file)
		mxw__complain(b->values.complaints, dn, "'bind-dn' needs 'bind-password-file' beside it");
	if (file->file && !dn->file)
		mxw__complain(b->values.complaints, file, "'bind-password-file' needs 'bind-dn' beside it");
	check_starttls(b, d, mxw__option_pos(s, pos, "starttls"));
	check_certificate(b, d, pos);
	check_copy(b, d, pos);
	d->bind_password = mxw__build_secret(b, d->bind_password_file, file);
}
