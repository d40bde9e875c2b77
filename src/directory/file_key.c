/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of address files to keys. */
#include "config.h"

#include <string.h>

#include "src/directory/file_form.h"

enum { ENTRY_MAX = MXW__ADDRESS_MAX };

bool mxw__file_key(char ret_key[MXW__FILE_KEY_MAX], mxw__file_kind_t kind, const char *local, const char *domain)
{
	size_t llen = strlen(local), dlen = strlen(domain), at = 0;

	ret_key[0] = '\0';
	if (llen > MXW__LOCAL_MAX || dlen > MXW__DOMAIN_MAX)
		return false;
	ret_key[at++] = (char)kind;
	memcpy(ret_key + at, local, llen);
	at += llen;
	if (kind == MXW__FILE_ADDRESS || kind == MXW__FILE_TO_ADDRESS)
		ret_key[at++] = '@';
	memcpy(ret_key + at, domain, dlen + 1);
	return true;
}

static bool is_domain_octet(unsigned char c)
{
	return c > ' ' && c != 0x7f && !strchr("@\"(),:;<>[\\]", c);
}

/* Without a final dot; no empty label. Octets beyond ASCII may stand in it (RFC 6531). */
static bool is_domain(const char *s, size_t len)
{
	bool is_literal = len > 2 && s[0] == '[' && s[len - 1] == ']';

	if (len == 0 || len > MXW__DOMAIN_MAX)
		return false;
	if (is_literal)
		return strspn(s + 1, "0123456789abcdefABCDEFIPv:.-") == len - 2;
	for (size_t i = 0; i < len; i++) {
		bool is_dot = s[i] == '.';
		if (is_dot && (i == 0 || i + 1 == len || s[i - 1] == '.'))
			return false;
		if (!is_domain_octet((unsigned char)s[i]))
			return false;
	}
	return true;
}

/* The one form of a domain; a name that has none stays what it is, in lower case. */
static bool read_domain(const char *s, size_t len, char ret_domain[MXW__DOMAIN_MAX + 1])
{
	if (len > 1 && s[len - 1] == '.')
		len--;
	if (!is_domain(s, len))
		return false;
	if (mxw__domain_to_ascii(s, len, ret_domain) == MXW_OK)
		return true;
	memcpy(ret_domain, s, len);
	ret_domain[len] = '\0';
	mxw__ascii_lower_str(ret_domain);
	return true;
}

/* Reads the local part, unquoted, to `out`; returns what follows it, or NULL. */
static const char *read_local(const char *s, const char *end, char out[ENTRY_MAX + 1])
{
	bool is_quoted = s < end && *s == '"';

	if (is_quoted)
		s++;
	for (; s < end; s++) {
		unsigned char c = (unsigned char)*s;
		if (is_quoted ? c == '"' : (c == '@' || c == ' ' || c == '\t'))
			break;
		if (is_quoted && c == '\\' && ++s == end)
			return NULL;
		c = (unsigned char)*s;
		if (c < ' ' || c == 0x7f || (!is_quoted && strchr("\"(),:;<>[\\]", c)))
			return NULL;
		*out++ = (char)c;
	}
	*out = '\0';
	if (is_quoted)
		return s < end ? s + 1 : NULL;
	return s;
}

const char *mxw__file_key_read(const char *s, size_t len, char ret_key[MXW__FILE_KEY_MAX])
{
	static const char no_address[] = "not an address", too_long[] = "longer than an address can be";
	char raw[ENTRY_MAX + 1], local[MXW__LOCAL_MAX + 1], domain[MXW__DOMAIN_MAX + 1];
	const char *end = s + len;

	if (len > ENTRY_MAX)
		return too_long;
	const char *rest = read_local(s, end, raw);
	if (!rest)
		return no_address;
	size_t llen = strlen(raw);
	if (llen > MXW__LOCAL_MAX)
		return too_long;
	mxw__local_canonical(raw, llen, local);
	if (rest == end) {
		mxw__file_key(ret_key, MXW__FILE_LOCAL, local, "");
		return llen ? NULL : no_address;
	}
	if (*rest != '@')
		return "one address was expected, something follows it";
	if (!read_domain(rest + 1, (size_t)(end - rest - 1), domain))
		return "not a domain behind the '@'";
	bool is_catch_all = rest == s;
	if (!is_catch_all && llen == 0)
		return no_address;
	mxw__file_key(ret_key, is_catch_all ? MXW__FILE_CATCH_ALL : MXW__FILE_ADDRESS, local, domain);
	return NULL;
}

const char *mxw__file_key_read_domain(const char *s, size_t len, char ret_key[MXW__FILE_KEY_MAX])
{
	char domain[MXW__DOMAIN_MAX + 1];

	if (!read_domain(s, len, domain))
		return "not an address and not a domain";
	mxw__file_key(ret_key, MXW__FILE_TO_DOMAIN, "", domain);
	return NULL;
}
