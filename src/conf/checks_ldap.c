/* SPDX-License-Identifier: BSD-2-Clause */
/* What the values of an LDAP directory must look like. */
#include "config.h"

#include <string.h>

#include "src/conf/schema.h"

enum { ATTRIBUTE_MAX = 64 };

/* host, host:port, [v6], [v6]:port; a final slash may follow. */
static bool is_ldap_host(const char *s)
{
	size_t len = s[0] == '[' ? strcspn(s, "]") + 1 : strcspn(s, ":/");
	char port[8] = "";

	if (len == 0 || len > strlen(s) || strpbrk(s, " \t?#%"))
		return false;
	s += len;
	if (*s == ':') {
		size_t n = strcspn(++s, "/");
		if (n >= sizeof port)
			return false;
		memcpy(port, s, n);
		port[n] = '\0';
		if (!mxw__is_port(port))
			return false;
		s += n;
	}
	return *s == '\0' || strcmp(s, "/") == 0;
}

bool mxw__check_ldap_uri(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	const char *rest = "";

	if (mxw__has_prefix(arg->text, "ldapi://", &rest) && !strpbrk(rest, " \t?#/"))
		return true;
	if ((mxw__has_prefix(arg->text, "ldap://", &rest) || mxw__has_prefix(arg->text, "ldaps://", &rest)) && is_ldap_host(rest))
		return true;
	mxw__complain(complaints, &arg->pos,
		      "'%s' is no LDAP server; ldap://host, ldaps://host:port or ldapi://%%2fpath was expected", arg->text);
	return false;
}

/* The placeholder that starts at `s`; its length, or 0 if there is none of that name. */
static size_t placeholder_len(const char *s)
{
	static const char *const known[] = {"{addr}", "{user}", "{domain}"};

	for (size_t i = 0; i < MXW_ARRAY_LEN(known); i++)
		if (strncmp(s, known[i], strlen(known[i])) == 0)
			return strlen(known[i]);
	return 0;
}

/* What is wrong with a filter; NULL if nothing is. `ret_at` is where. */
static const char *filter_fault(const char *filter, bool has_recipient, const char **ret_at)
{
	unsigned depth = 0, placeholders = 0;

	for (const char *s = filter; *s; s++) {
		*ret_at = s;
		if (*s == '(') {
			depth++;
		} else if (*s == ')') {
			if (depth-- == 0)
				return "closes no '('";
			if (depth == 0 && s[1])
				return "ends the filter, but more follows";
		} else if (*s == '{') {
			size_t len = placeholder_len(s);
			if (!has_recipient)
				return "stands for a recipient, and this filter is to find all of them";
			if (len == 0)
				return "is no placeholder; {addr}, {user} or {domain} was expected";
			placeholders++;
			s += len - 1;
		} else if (*s == '}') {
			return "closes no '{'";
		} else if (depth == 0) {
			return "stands outside of parentheses; (mail={addr}) is a filter";
		}
	}
	*ret_at = filter;
	return depth ? "has a '(' that is not closed" :
	       has_recipient && placeholders == 0 ? "would find the same for every recipient; {addr}, {user} or {domain} was expected" : NULL;
}

static bool check_filter(struct mxw__complaints *complaints, const struct mxw__arg *arg, bool has_recipient)
{
	const char *at = arg->text;
	const char *fault = filter_fault(arg->text, has_recipient, &at);

	if (!mxw__check_length(complaints, arg))
		return false;
	if (!fault)
		return true;
	mxw__complain(complaints, &arg->pos, "%s: '%.40s' %s", has_recipient ? "filter" : "copy-filter", at, fault);
	return false;
}

bool mxw__check_ldap_filter(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	return check_filter(complaints, arg, true);
}

bool mxw__check_ldap_copy_filter(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	return check_filter(complaints, arg, false);
}

/* RFC 4512 section 1.4: a name (descr). No object identifier: the server would answer with the name. */
static bool is_attribute(const char *s, size_t len)
{
	if (len == 0 || len > ATTRIBUTE_MAX || !mxw__ascii_isalnum(s[0]) || mxw__ascii_isdigit(s[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!mxw__ascii_isalnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool mxw__check_ldap_attribute(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	if (is_attribute(arg->text, strlen(arg->text)))
		return true;
	mxw__complain(complaints, &arg->pos, "'%.40s' is no attribute; the name of one was expected", arg->text);
	return false;
}

/* NAME, CLASS/NAME, NAME=PREFIX, CLASS/NAME=PREFIX. */
bool mxw__check_ldap_address_attribute(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	const char *slash = arg->text + strcspn(arg->text, "/=");
	bool has_class = *slash == '/';
	const char *name = has_class ? slash + 1 : arg->text;
	size_t len = strcspn(name, "=");
	bool has_empty_prefix = name[len] == '=' && name[len + 1] == '\0';

	if (is_attribute(name, len) && !has_empty_prefix &&
	    (!has_class || is_attribute(arg->text, (size_t)(slash - arg->text))))
		return mxw__check_length(complaints, arg);
	mxw__complain(complaints, &arg->pos,
		      "'%.40s' is no attribute; mail, proxyAddresses=smtp: or nisMailAlias/cn was expected", arg->text);
	return false;
}

/* Where to search may depend on the domain, but not on the mailbox. */
bool mxw__check_ldap_base(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	static const char domain[] = "{domain}";

	if (!arg->text[0]) {
		mxw__complain(complaints, &arg->pos, "'base' must not be empty");
		return false;
	}
	if (!mxw__check_length(complaints, arg))
		return false;
	for (const char *s = strpbrk(arg->text, "{}"); s; s = strpbrk(s + sizeof domain - 1, "{}")) {
		if (strncmp(s, domain, sizeof domain - 1) == 0)
			continue;
		mxw__complain(complaints, &arg->pos, "base: '%.40s': no placeholder but {domain} may stand here", s);
		return false;
	}
	return true;
}
