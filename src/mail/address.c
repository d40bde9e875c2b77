/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/mail/mail.h"

/*
 * RFC 5321 section 4.5.3.1.1 names 64 octets for a local part, and asks not to insist on it: bounce addresses that hold
 * another address are longer, and the MTAs let them pass.
 */
enum { LOCAL_MAX = 255, DOMAIN_MAX = 255, PATH_MAX_OCTETS = 1024 };

/* RFC 5321 atext and the dot; octets beyond ASCII by RFC 6531. */
static bool is_dot_string_char(unsigned char c)
{
	return mxw__ascii_isalnum((char)c) || c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~.", c));
}

/*
 * Takes the local part off the front of `*s` and writes it unquoted to `out`. Dots may stand anywhere: the MTAs let
 * "a..b" pass and the directory knows best whether such a mailbox exists.
 */
static mxw_status_t read_local(const char **s, struct mxw__buf *out)
{
	const char *p = *s;

	if (*p != '"') {
		while (is_dot_string_char((unsigned char)*p))
			mxw__buf_addc(out, *p++);
	} else {
		for (p++; *p && *p != '"'; p++) {
			if (*p == '\\' && p[1])
				p++;
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				return MXW_ERR_INVALID;
			mxw__buf_addc(out, *p);
		}
		if (*p++ != '"')
			return MXW_ERR_INVALID;
	}
	*s = p;
	if (out->failed)
		return out->len == out->max ? MXW_ERR_INVALID : MXW_ERR_NOMEM;
	return MXW_OK;
}

bool mxw__domain_is_valid(const char *name)
{
	size_t len = strlen(name), label = 0;

	if (len && name[len - 1] == '.')
		len--;
	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!mxw__ascii_isalnum(c) && c != '-' && c != '_') {
			return false;
		} else if (++label > 63) {
			return false;
		}
	}
	return label > 0;
}

/* What may stand after the @: a name (U-labels are let through as they are) or an address literal. */
static mxw_status_t check_domain(const char *domain, bool *ret_is_literal)
{
	size_t len = strlen(domain);

	if (domain[0] == '[') {
		struct mxw_ip ip;
		char inner[64];
		if (len < 3 || domain[len - 1] != ']' || len - 2 >= sizeof inner)
			return MXW_ERR_INVALID;
		memcpy(inner, domain + 1, len - 2);
		inner[len - 2] = '\0';
		*ret_is_literal = true;
		return mxw_ip_parse(inner, &ip);
	}
	if (len == 0 || len > DOMAIN_MAX || domain[0] == '.')
		return MXW_ERR_INVALID;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)domain[i];
		if (!mxw__ascii_isalnum((char)c) && c < 0x80 && c != '-' && c != '_' && c != '.')
			return MXW_ERR_INVALID;
		if (c == '.' && domain[i + 1] == '.')
			return MXW_ERR_INVALID;
	}
	return MXW_OK;
}

/* RFC 5321 section 4.1.1.3: a source route is to be ignored. */
static const char *skip_route(const char *s)
{
	const char *colon = *s == '@' ? strchr(s, ':') : NULL;
	return colon ? colon + 1 : s;
}

static bool has_utf8(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return true;
	return false;
}

static mxw_status_t parse_mailbox(mxw__arena_t *arena, const char *s, struct mxw__address *a)
{
	struct mxw__buf local;
	char *domain = NULL;

	mxw__buf_init(&local, LOCAL_MAX);
	s = skip_route(s);
	mxw_status_t status = read_local(&s, &local);
	if (status != MXW_OK)
		goto done;
	status = MXW_ERR_INVALID;
	if (*s == '@') {
		domain = mxw__arena_strdup(arena, s + 1);
		if (!domain) {
			status = MXW_ERR_LIMIT;
			goto done;
		}
		mxw__ascii_lower_str(domain);
		size_t len = strlen(domain);
		if (len > 1 && domain[len - 1] == '.')
			domain[len - 1] = '\0';
		if (check_domain(domain, &a->is_literal) != MXW_OK)
			goto done;
	} else if (*s) {
		goto done;
	}
	if (local.len == 0)
		goto done;
	a->local = mxw__arena_strdup(arena, mxw__buf_str(&local));
	a->domain = domain ? domain : "";
	a->text = domain ? mxw__arena_printf(arena, "%s@%s", mxw__buf_str(&local), domain) : a->local;
	status = a->local && a->text ? MXW_OK : MXW_ERR_LIMIT;
done:
	mxw__buf_fini(&local);
	return status;
}

mxw_status_t mxw__address_parse(mxw__arena_t *arena, const char *path, struct mxw__address *ret_address)
{
	struct mxw__address a = {.text = "", .local = "", .domain = ""};
	size_t len = strlen(path);

	if (len > PATH_MAX_OCTETS)
		return MXW_ERR_INVALID;
	if (path[0] == '<') {
		if (len < 2 || path[len - 1] != '>')
			return MXW_ERR_INVALID;
		path++;
		len -= 2;
	}
	char *s = mxw__arena_strndup(arena, path, len);
	if (!s)
		return MXW_ERR_LIMIT;
	if (len == 0) {
		a.is_null = true;
	} else {
		mxw_status_t status = parse_mailbox(arena, s, &a);
		if (status != MXW_OK)
			return status;
		a.is_utf8 = has_utf8(a.text);
	}
	*ret_address = a;
	return MXW_OK;
}

static mxw__helo_kind_t classify_literal(const char *helo, size_t len, struct mxw_ip *ret_ip)
{
	char inner[64];

	if (len < 3 || helo[len - 1] != ']' || len - 2 >= sizeof inner)
		return MXW__HELO_INVALID;
	memcpy(inner, helo + 1, len - 2);
	inner[len - 2] = '\0';
	return mxw_ip_parse(inner, ret_ip) == MXW_OK ? MXW__HELO_LITERAL : MXW__HELO_INVALID;
}

mxw__helo_kind_t mxw__helo_classify(const char *helo, struct mxw_ip *ret_ip)
{
	size_t len = strlen(helo);

	*ret_ip = (struct mxw_ip){0};
	if (helo[0] == '[')
		return classify_literal(helo, len, ret_ip);
	if (mxw_ip_parse(helo, ret_ip) == MXW_OK)
		return MXW__HELO_BARE_ADDRESS;
	if (!mxw__domain_is_valid(helo))
		return MXW__HELO_INVALID;
	const char *dot = strchr(helo, '.');
	return dot && dot[1] ? MXW__HELO_DOMAIN : MXW__HELO_SINGLE_LABEL;
}
