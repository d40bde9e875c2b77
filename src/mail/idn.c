/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names beyond ASCII: domains between U-labels and A-labels, local parts in one form for comparison.
 *
 * libidn2 is asked about U-labels only. What comes as an A-label stays what it is, whatever IDNA2008 thinks of it: there are
 * registered domains that IDNA2003 allowed and IDNA2008 does not.
 */
#include "config.h"

#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "src/mail/mail.h"

static bool is_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] >= 0x80)
			return false;
	return true;
}

/* [192.0.2.1], [IPv6:2001:db8::1], [ipv6:2001:DB8:0::1]: each address has one text. */
static mxw_status_t normalise_literal(const char *name, size_t len, char ret_name[MXW__DOMAIN_MAX + 1])
{
	char inner[64], text[MXW_IP_TEXT_MAX];
	struct mxw_ip ip;

	if (len < 3 || name[len - 1] != ']' || len - 2 >= sizeof inner)
		return MXW_ERR_INVALID;
	memcpy(inner, name + 1, len - 2);
	inner[len - 2] = '\0';
	if (memchr(inner, '\0', len - 2) || mxw_ip_parse(inner, &ip) != MXW_OK)
		return MXW_ERR_INVALID;
	mxw_ip_format(&ip, text);
	snprintf(ret_name, MXW__DOMAIN_MAX + 1, "[%s%s]", strchr(text, ':') ? "ipv6:" : "", text);
	return MXW_OK;
}

/* A name in the making. */
struct name {
	char text[MXW__DOMAIN_MAX + 1];
	size_t len;
};

static mxw_status_t add(struct name *name, const char *s, size_t len)
{
	if (len > MXW__DOMAIN_MAX - name->len)
		return MXW_ERR_INVALID;
	memcpy(name->text + name->len, s, len);
	name->len += len;
	return MXW_OK;
}

/* One label beyond ASCII; the mapping may make several of it, since there are other full stops. */
static mxw_status_t add_converted(struct name *name, const char *label, size_t len)
{
	char copy[MXW__DOMAIN_MAX + 1];
	uint8_t *ascii = NULL;

	if (len > MXW__DOMAIN_MAX)
		return MXW_ERR_INVALID;
	memcpy(copy, label, len);
	copy[len] = '\0';
	int rc = idn2_lookup_u8((const uint8_t *)copy, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK)
		return rc == IDN2_MALLOC ? MXW_ERR_NOMEM : MXW_ERR_INVALID;
	mxw_status_t status = add(name, (const char *)ascii, strlen((const char *)ascii));
	idn2_free(ascii);
	return status;
}

/* Label by label: what libidn2 thinks of the ASCII ones must not matter. */
static mxw_status_t convert_to_ascii(const char *utf8, char ret_name[MXW__DOMAIN_MAX + 1])
{
	struct name name = {.len = 0};
	mxw_status_t status = MXW_OK;

	for (const char *s = utf8; status == MXW_OK && *s;) {
		size_t len = strcspn(s, ".");
		status = is_ascii(s, len) ? add(&name, s, len) : add_converted(&name, s, len);
		s += len;
		if (*s && status == MXW_OK)
			status = add(&name, s++, 1);
	}
	if (status != MXW_OK)
		return status;
	/* The mapping of UTS 46 makes ASCII of some characters: what comes out must be a name, too. */
	name.text[name.len] = '\0';
	if (!mxw__domain_is_valid(name.text))
		return MXW_ERR_INVALID;
	if (name.text[name.len - 1] == '.')
		name.text[--name.len] = '\0';
	mxw__ascii_lower_str(name.text);
	memcpy(ret_name, name.text, name.len + 1);
	return MXW_OK;
}

mxw_status_t mxw__domain_to_ascii(const char *name, size_t len, char ret_name[MXW__DOMAIN_MAX + 1])
{
	char copy[MXW__DOMAIN_MAX + 2];

	if (len > 0 && name[0] == '[')
		return normalise_literal(name, len, ret_name);
	if (len == 0 || len > MXW__DOMAIN_MAX + 1 || memchr(name, '\0', len))
		return MXW_ERR_INVALID;
	memcpy(copy, name, len);
	copy[len] = '\0';
	if (!is_ascii(copy, len))
		return convert_to_ascii(copy, ret_name);
	if (!mxw__domain_is_valid(copy))
		return MXW_ERR_INVALID;
	if (copy[len - 1] == '.')
		copy[--len] = '\0';
	mxw__ascii_lower_str(copy);
	memcpy(ret_name, copy, len + 1);
	return MXW_OK;
}

mxw_status_t mxw__domain_pattern_to_ascii(const char *name, size_t len, char ret_name[MXW__DOMAIN_MAX + 1])
{
	char below[MXW__DOMAIN_MAX + 1];

	if (len < 2 || name[0] != '*' || name[1] != '.')
		return mxw__domain_to_ascii(name, len, ret_name);
	if (name[2] == '[')
		return MXW_ERR_INVALID;
	mxw_status_t status = mxw__domain_to_ascii(name + 2, len - 2, below);
	if (status == MXW_OK && snprintf(NULL, 0, "*.%s", below) > MXW__DOMAIN_MAX)
		status = MXW_ERR_INVALID;
	if (status == MXW_OK)
		snprintf(ret_name, MXW__DOMAIN_MAX + 1, "*.%.*s", MXW__DOMAIN_MAX - 2, below);
	return status;
}

static bool has_a_label(const char *name)
{
	for (const char *s = name; s; s = strchr(s, '.')) {
		s += *s == '.';
		if (strncmp(s, "xn--", 4) == 0)
			return true;
	}
	return false;
}

bool mxw__domain_to_utf8(const char *name, char ret_name[MXW__DOMAIN_MAX + 1])
{
	char back[MXW__DOMAIN_MAX + 1];
	char *utf8 = NULL;

	if (!has_a_label(name) || idn2_to_unicode_8z8z(name, &utf8, 0) != IDN2_OK)
		return false;
	size_t len = strlen(utf8);
	/* Only what leads back is another form of the same name. */
	bool ok = len <= MXW__DOMAIN_MAX && strcmp(utf8, name) != 0 && convert_to_ascii(utf8, back) == MXW_OK &&
		  strcmp(back, name) == 0;
	if (ok)
		memcpy(ret_name, utf8, len + 1);
	idn2_free(utf8);
	return ok;
}

bool mxw__utf8_is_clean(const char *s)
{
	size_t len = strlen(s);

	if (u8_check((const uint8_t *)s, len))
		return false;
	/* U+0080 to U+009F are controls. */
	for (size_t i = 0; i + 1 < len; i++)
		if ((unsigned char)s[i] == 0xc2 && (unsigned char)s[i + 1] < 0xa0)
			return false;
	return true;
}

size_t mxw__local_canonical(const char *local, size_t len, char ret_local[MXW__LOCAL_MAX + 1])
{
	uint8_t store[MXW__LOCAL_MAX];
	size_t n = sizeof store;

	if (len > MXW__LOCAL_MAX)
		len = MXW__LOCAL_MAX;
	if (!is_ascii(local, len) && !u8_check((const uint8_t *)local, len)) {
		uint8_t *lower = u8_tolower((const uint8_t *)local, len, NULL, UNINORM_NFC, store, &n);
		bool fits = lower && n <= MXW__LOCAL_MAX;
		if (fits) {
			memcpy(ret_local, lower, n);
			ret_local[n] = '\0';
		}
		if (lower != store)
			free(lower);
		if (fits)
			return n;
	}
	for (size_t i = 0; i < len; i++)
		ret_local[i] = mxw__ascii_lower(local[i]);
	ret_local[len] = '\0';
	return len;
}
