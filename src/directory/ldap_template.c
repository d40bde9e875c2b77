/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/directory/ldap_pool.h"

static const struct {
	const char *name;
	size_t len;
	bool in_dn;
} placeholders[] = {
	{"{addr}", 6, false},
	{"{user}", 6, false},
	{"{domain}", 8, true},
};

static bool is_plain(unsigned char c, mxw__ldap_escape_t how)
{
	if (mxw__ascii_isalnum((char)c))
		return true;
	if (how == MXW__LDAP_DN)
		return c == '.' || c == '-' || c == '_';
	return c >= ' ' && c < 0x7f && c != '*' && c != '(' && c != ')' && c != '\\';
}

void mxw__ldap_add_escaped(struct mxw__buf *buf, mxw__ldap_escape_t how, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (is_plain(c, how))
			mxw__buf_addc(buf, (char)c);
		else
			mxw__buf_addf(buf, "\\%02x", c);
	}
}

/* Which placeholder `s` begins with; the number of them if none. */
static size_t find_placeholder(const char *s)
{
	size_t i;

	for (i = 0; i < MXW_ARRAY_LEN(placeholders); i++)
		if (strncmp(s, placeholders[i].name, placeholders[i].len) == 0)
			break;
	return i;
}

mxw_status_t mxw__ldap_template_check(const char *tmpl, mxw__ldap_escape_t how, struct mxw_error *err)
{
	for (const char *p = strchr(tmpl, '{'); p; p = strchr(p + 1, '{')) {
		size_t i = find_placeholder(p);
		if (i == MXW_ARRAY_LEN(placeholders))
			return mxw__fail(err, MXW_ERR_CONF, "\"%s\": {addr}, {user} or {domain} was expected at \"%s\"",
					 tmpl, p);
		if (how == MXW__LDAP_DN && !placeholders[i].in_dn)
			return mxw__fail(err, MXW_ERR_CONF, "\"%s\": a base may hold {domain} only", tmpl);
	}
	return MXW_OK;
}

static const char *value_of(size_t placeholder, const struct mxw__address *address)
{
	switch (placeholder) {
	case 0:
		return address->text;
	case 1:
		return address->local;
	default:
		return address->domain;
	}
}

void mxw__ldap_template_fill(struct mxw__buf *buf, const char *tmpl, mxw__ldap_escape_t how,
			     const struct mxw__address *address)
{
	for (const char *p = tmpl; *p;) {
		size_t i = *p == '{' ? find_placeholder(p) : MXW_ARRAY_LEN(placeholders);
		if (i == MXW_ARRAY_LEN(placeholders)) {
			mxw__buf_addc(buf, *p++);
			continue;
		}
		const char *value = value_of(i, address);
		mxw__ldap_add_escaped(buf, how, value, strlen(value));
		p += placeholders[i].len;
	}
}
