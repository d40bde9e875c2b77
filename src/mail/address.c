/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/mail/mail.h"

/*
 * RFC 5321 section 4.5.3.1.1 names 64 octets for a local part, and asks not to insist on it: bounce addresses that hold
 * another address are longer, and the MTAs let them pass.
 */
enum { LOCAL_MAX = MXW__LOCAL_MAX, DOMAIN_MAX = MXW__DOMAIN_MAX, PATH_MAX_OCTETS = 1024 };

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

/* Octets that may stand in a name, beyond ASCII included, and no empty label. */
static bool looks_like_domain(const char *domain)
{
	size_t len = strlen(domain);

	if (len == 0 || len > DOMAIN_MAX || domain[0] == '.' || domain[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)domain[i];
		if (!mxw__ascii_isalnum((char)c) && c < 0x80 && c != '-' && c != '_' && c != '.')
			return false;
		if (c == '.' && domain[i + 1] == '.')
			return false;
	}
	return true;
}

static bool has_utf8(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return true;
	return false;
}

/* What stands after the @, which may be changed, in the forms it is known by: a name or an address literal. */
static mxw_status_t read_domain(mxw__arena_t *arena, char *domain, struct mxw__address *a)
{
	char name[DOMAIN_MAX + 1];
	size_t len = strlen(domain);

	a->is_literal = domain[0] == '[';
	a->domain = a->domain_utf8 = domain;
	if (!a->is_literal) {
		mxw__ascii_lower_str(domain);
		if (len > 1 && domain[len - 1] == '.')
			domain[--len] = '\0';
		if (!looks_like_domain(domain))
			return MXW_ERR_INVALID;
	}
	if (a->is_literal || has_utf8(domain)) {
		mxw_status_t status = mxw__domain_to_ascii(domain, len, name);
		if (status == MXW_ERR_INVALID && !a->is_literal && mxw__utf8_is_clean(domain))
			return MXW_OK;
		if (status != MXW_OK)
			return status;
		a->domain = a->domain_utf8 = mxw__arena_strdup(arena, name);
	}
	if (a->domain && mxw__domain_to_utf8(a->domain, name))
		a->domain_utf8 = mxw__arena_strdup(arena, name);
	return a->domain && a->domain_utf8 ? MXW_OK : MXW_ERR_LIMIT;
}

/* RFC 5321 section 4.1.1.3: a source route is to be ignored. */
static const char *skip_route(const char *s)
{
	const char *colon = *s == '@' ? strchr(s, ':') : NULL;
	return colon ? colon + 1 : s;
}

bool mxw__local_is_plain(const char *local)
{
	const char *s = local;

	while (is_dot_string_char((unsigned char)*s))
		s++;
	return !*s && s > local;
}

bool mxw__address_write(char *out, size_t size, const char *local, const char *domain)
{
	bool quote = !mxw__local_is_plain(local);
	size_t dlen = strlen(domain), n = 0, need = 2 + dlen + (quote ? 2 : 0);

	out[0] = '\0';
	for (const char *p = local; *p; p++)
		need += 1 + (quote && (*p == '"' || *p == '\\'));
	if (need > size)
		return false;
	if (quote)
		out[n++] = '"';
	for (const char *p = local; *p; p++) {
		if (quote && (*p == '"' || *p == '\\'))
			out[n++] = '\\';
		out[n++] = *p;
	}
	if (quote)
		out[n++] = '"';
	if (dlen)
		out[n++] = '@';
	memcpy(out + n, domain, dlen + 1);
	return true;
}

/* `text` and the forms for comparison, when the parts are known. */
static mxw_status_t write_texts(mxw__arena_t *arena, struct mxw__address *a)
{
	char local[LOCAL_MAX + 1], text[MXW__ADDRESS_MAX + 1];

	mxw__address_write(text, sizeof text, a->local, a->domain);
	a->text = a->key_text = mxw__arena_strdup(arena, text);
	a->key_local = a->local;
	mxw__local_canonical(a->local, strlen(a->local), local);
	if (strcmp(local, a->local) != 0) {
		mxw__address_write(text, sizeof text, local, a->domain);
		a->key_local = mxw__arena_strdup(arena, local);
		a->key_text = mxw__arena_strdup(arena, text);
	}
	return a->text && a->key_local && a->key_text ? MXW_OK : MXW_ERR_LIMIT;
}

static mxw_status_t parse_mailbox(mxw__arena_t *arena, char *s, struct mxw__address *a)
{
	struct mxw__buf local;
	const char *at = skip_route(s);

	mxw__buf_init(&local, LOCAL_MAX);
	mxw_status_t status = read_local(&at, &local);
	if (status == MXW_OK && (local.len == 0 || (*at && *at != '@')))
		status = MXW_ERR_INVALID;
	if (status == MXW_OK && *at)
		status = read_domain(arena, s + (at + 1 - s), a);
	if (status == MXW_OK) {
		a->local = mxw__arena_strdup(arena, mxw__buf_str(&local));
		status = a->local ? write_texts(arena, a) : MXW_ERR_LIMIT;
	}
	mxw__buf_fini(&local);
	return status;
}

mxw_status_t mxw__address_parse(mxw__arena_t *arena, const char *path, struct mxw__address *ret_address)
{
	struct mxw__address a = {.text = "", .local = "", .domain = "", .domain_utf8 = "", .key_local = "", .key_text = ""};
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
