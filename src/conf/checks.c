/* SPDX-License-Identifier: BSD-2-Clause */
/* What single values must look like. */
#include "config.h"

#include <string.h>

#include "src/conf/conf.h"
#include "src/conf/schema.h"
#include "src/mail/mail.h"
#include "src/track/key.h"
#include "src/sql/sql.h"

enum { UNIX_PATH_MAX = 107, NAME_LEN_MAX = 64, TEXT_MAX = 1024 };

bool mxw__has_prefix(const char *s, const char *prefix, const char **ret_rest)
{
	size_t n = strlen(prefix);

	if (strncmp(s, prefix, n) != 0)
		return false;
	*ret_rest = s + n;
	return true;
}

bool mxw__is_port(const char *s)
{
	uint64_t port;
	return mxw__parse_u64(s, &port) && port > 0 && port <= 65535;
}

/* "8891", "8891@127.0.0.1", "8891@[::1]", "8891@localhost". */
static bool is_inet(const char *s)
{
	char port[8];
	const char *at = strchr(s, '@');
	size_t len = at ? (size_t)(at - s) : strlen(s);

	if (len == 0 || len >= sizeof port || (at && (!at[1] || strpbrk(at, " \t"))))
		return false;
	memcpy(port, s, len);
	port[len] = '\0';
	return mxw__is_port(port);
}

bool mxw__check_socket(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	const char *rest = arg->text;

	if (mxw__has_prefix(arg->text, "inet:", &rest) || mxw__has_prefix(arg->text, "inet6:", &rest)) {
		if (is_inet(rest))
			return true;
	} else if (mxw__has_prefix(arg->text, "unix:", &rest) || mxw__has_prefix(arg->text, "local:", &rest)) {
		if (rest[0] == '/' && strlen(rest) <= UNIX_PATH_MAX)
			return true;
		if (rest[0] == '/') {
			mxw__complain(complaints, &arg->pos, "the path of a socket has at most %d octets", UNIX_PATH_MAX);
			return false;
		}
	}
	mxw__complain(complaints, &arg->pos,
		      "'%s' is no socket; unix:/path, inet:port@address or inet6:port@address was expected", arg->text);
	return false;
}

bool mxw__check_control_socket(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	const char *path = arg->text;

	if (strcmp(arg->text, "none") == 0)
		return true;
	if (mxw__has_prefix(arg->text, "unix:", &path) && path[0] == '/')
		return mxw__check_socket(complaints, arg);
	mxw__complain(complaints, &arg->pos, "'%s' is no socket for control; unix:/path or none was expected", arg->text);
	return false;
}

/* RFC 8601 section 2.2: a value; here what needs no quotes in it and is no domain at least looks like one. */
bool mxw__check_authserv_id(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	size_t len = strlen(arg->text);

	for (size_t i = 0; i < len; i++)
		if (!mxw__ascii_isalnum(arg->text[i]) && !strchr("-_.", arg->text[i]))
			len = 0;
	if (len > 0 && len <= 253)
		return true;
	mxw__complain(complaints, &arg->pos, "'%s' is no authserv-id; a name like mx1.example.net was expected", arg->text);
	return false;
}

static bool complain_domain(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	const char *why = strchr(arg->text, '@') ? "; the part after '@' was expected" : "";

	for (const char *s = arg->text; *s; s++)
		if ((unsigned char)*s >= 0x80)
			why = ": it can't be written in A-labels";
	mxw__complain(complaints, &arg->pos, "'%s' is no domain name%s", arg->text, why);
	return false;
}

bool mxw__check_domain(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	char name[MXW__DOMAIN_MAX + 1];

	if (arg->text[0] != '[' && mxw__domain_to_ascii(arg->text, strlen(arg->text), name) == MXW_OK)
		return true;
	return complain_domain(complaints, arg);
}

bool mxw__check_mail_domain(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	char name[MXW__DOMAIN_MAX + 1];

	if (mxw__domain_to_ascii(arg->text, strlen(arg->text), name) == MXW_OK)
		return true;
	if (arg->text[0] == '[')
		mxw__complain(complaints, &arg->pos, "'%s' is no address literal; [192.0.2.1] or [IPv6:2001:db8::1] was expected",
			      arg->text);
	else if (strncmp(arg->text, "*.", 2) == 0)
		mxw__complain(complaints, &arg->pos, "'%s' can't name a domain section; it may stand in its 'hosts'", arg->text);
	else
		return complain_domain(complaints, arg);
	return false;
}

bool mxw__check_host(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	char name[MXW__DOMAIN_MAX + 1];

	if (mxw__domain_pattern_to_ascii(arg->text, strlen(arg->text), name) == MXW_OK)
		return true;
	return strncmp(arg->text, "*.", 2) == 0 ? complain_domain(complaints, arg) : mxw__check_mail_domain(complaints, arg);
}

/* Names of sections, users and groups. */
bool mxw__check_name(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	size_t len = strlen(arg->text);

	for (size_t i = 0; i < len; i++)
		if (!mxw__ascii_isalnum(arg->text[i]) && (i == 0 || !strchr("-_.", arg->text[i])) && arg->text[i] != '_')
			len = 0;
	if (len > 0 && len <= NAME_LEN_MAX)
		return true;
	mxw__complain(complaints, &arg->pos, "'%s' is no name; 1 to %d letters, digits, '-', '_' and '.' were expected",
		      arg->text, NAME_LEN_MAX);
	return false;
}

bool mxw__check_forward(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	char addr[64];
	const char *at = strchr(arg->text, '@');
	size_t len = at ? (size_t)(at - arg->text) : strlen(arg->text);
	struct mxw_ip ip;

	if (strcmp(arg->text, "root") == 0 || strcmp(arg->text, "none") == 0)
		return true;
	if (len > 0 && len < sizeof addr) {
		memcpy(addr, arg->text, len);
		addr[len] = '\0';
		if (mxw_ip_parse(addr, &ip) == MXW_OK && (!at || mxw__is_port(at + 1)))
			return true;
	}
	mxw__complain(complaints, &arg->pos,
		      "'%s' is no DNS server; 192.0.2.1, 192.0.2.1@5353, root or none was expected", arg->text);
	return false;
}

/* The name that a map is given to Postfix by, and the file that the MTA makes of the text, are not the text. */
bool mxw__check_address_file(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	static const char *const maps[] = {"hash:", "texthash:", "btree:", "lmdb:", "cdb:", "dbm:"};
	static const char *const binary[] = {".db", ".cdb", ".lmdb", ".dir", ".pag"};
	const char *text = arg->text, *rest = text;
	size_t len = strlen(text), cut = len;

	for (size_t i = 0; i < MXW_ARRAY_LEN(maps) && rest == text; i++)
		mxw__has_prefix(text, maps[i], &rest);
	for (size_t i = 0; i < MXW_ARRAY_LEN(binary) && cut == len; i++)
		if (len > strlen(binary[i]) && strcmp(text + len - strlen(binary[i]), binary[i]) == 0)
			cut = len - strlen(binary[i]);
	if (rest == text && cut == len)
		return true;
	mxw__complain(complaints, &arg->pos, "'%s' is %s; its text was expected: %.*s", text,
		      cut < len ? "a map that the mail server made of a text" : "how Postfix names a map",
		      (int)(cut - (size_t)(rest - text)), rest);
	return false;
}

bool mxw__check_sql_query(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	const char *at = arg->text;
	const char *fault = mxw__sql_query_fault(arg->text, &at);

	if (!fault)
		return true;
	mxw__complain(complaints, &arg->pos, "query: '%.40s' %s", at, fault);
	return false;
}

bool mxw__check_length(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	if (strlen(arg->text) > TEXT_MAX) {
		mxw__complain(complaints, &arg->pos, "the value has more than %d octets", TEXT_MAX);
		return false;
	}
	return true;
}

/* Characters that may stand in an address, and that no name is made of. */
bool mxw__check_delimiters(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	static const char usable[] = "+-=_#~%!/";

	if (strlen(arg->text) < sizeof usable && arg->text[strspn(arg->text, usable)] == '\0')
		return true;
	mxw__complain(complaints, &arg->pos, "'%.20s' can't separate sub-addresses; characters of %s were expected", arg->text,
		      usable);
	return false;
}

bool mxw__host_port_parse(const char *text, uint16_t default_port, char *ret_host, size_t size, uint16_t *ret_port)
{
	bool is_v6 = text[0] == '[';
	const char *host = text + is_v6;
	size_t len = strcspn(host, is_v6 ? "]" : ":");
	const char *rest = host + len + (is_v6 && host[len] == ']');
	struct mxw_ip ip;
	uint64_t port = default_port;

	if (len == 0 || len >= size || (is_v6 && host[len] != ']') || (*rest && *rest != ':'))
		return false;
	if (*rest == ':' && (!mxw__is_port(rest + 1) || !mxw__parse_u64(rest + 1, &port)))
		return false;
	memcpy(ret_host, host, len);
	ret_host[len] = '\0';
	*ret_port = (uint16_t)port;
	return is_v6 ? mxw_ip_parse(ret_host, &ip) == MXW_OK && strchr(ret_host, ':') : mxw__domain_is_valid(ret_host);
}

bool mxw__check_host_port(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	char host[256];
	uint16_t port;

	if (mxw__host_port_parse(arg->text, 0, host, sizeof host, &port))
		return true;
	mxw__complain(complaints, &arg->pos, "'%s' is no host; host, host:port or [2001:db8::1]:port was expected", arg->text);
	return false;
}

/* One that needs no quotes. */
bool mxw__check_local_part(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	size_t len = strlen(arg->text);

	if (len == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if (!mxw__ascii_isalnum(arg->text[i]) && !strchr("-_+=", arg->text[i]) &&
		    (arg->text[i] != '.' || i == 0 || i == len - 1 || arg->text[i - 1] == '.'))
			len = 0;
	if (len > 0 && len <= NAME_LEN_MAX)
		return true;
	mxw__complain(complaints, &arg->pos, "'%s' is no mailbox name; the part before '@' was expected", arg->text);
	return false;
}

static bool is_address_pattern(const char *text)
{
	char name[MXW__DOMAIN_MAX + 1];
	const char *at = strrchr(text, '@');

	return at && at - text <= MXW__LOCAL_MAX && mxw__domain_to_ascii(at + 1, strlen(at + 1), name) == MXW_OK;
}

bool mxw__check_address_pattern(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	if (is_address_pattern(arg->text))
		return true;
	mxw__complain(complaints, &arg->pos, "'%s' is no address; anna@example.net or, for a whole domain, @example.net was expected",
		      arg->text);
	return false;
}

bool mxw__check_trap(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	if (is_address_pattern(arg->text))
		return true;
	mxw__complain(complaints, &arg->pos, "'%s' is no recipient; trap@example.net or, for a whole domain, @example.net was expected",
		      arg->text);
	return false;
}

bool mxw__check_key_kind(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	for (mxw__key_kind_t kind = MXW__KEY_ADDRESS; kind < MXW__KEY_KINDS; kind++)
		if (strcmp(arg->text, mxw__key_kind_name(kind)) == 0)
			return true;
	mxw__complain(complaints, &arg->pos, "'%s' is no kind of key; address, network, wide, helo, domain or user was expected",
		      arg->text);
	return false;
}

bool mxw__check_mail_address(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	static const char plain[] = "!#$%&'*+-/=?^_`{|}~.";
	const char *at = strrchr(arg->text, '@');
	bool is_good = at && at != arg->text && at - arg->text <= NAME_LEN_MAX && mxw__domain_is_valid(at + 1);

	for (const char *s = arg->text; is_good && s < at; s++)
		is_good = mxw__ascii_isalnum(*s) || strchr(plain, *s);
	if (!is_good)
		mxw__complain(complaints, &arg->pos, "'%s' is no mail address; name@domain was expected", arg->text);
	return is_good;
}
