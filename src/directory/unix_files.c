/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names in aliases(5) and passwd(5) files. Keys are in the form for comparison, lower case: both MTAs look aliases
 * and local users up without regard to case.
 */
#include "config.h"

#include <string.h>

#include "src/directory/source.h"

enum { NAME_MAX_LEN = MXW__LOCAL_MAX };

static mxw_status_t add_name(mxw__names_t *names, const char *name, size_t len)
{
	char key[MXW__LOCAL_MAX + 1];

	return mxw__names_add(names, key, mxw__local_canonical(name, len, key), 0);
}

/* ---- aliases ---- */

/* One logical line: its name, until a value was seen for it. */
struct alias {
	char *name;
	size_t len;
	unsigned long line;
	bool has_value;
};

static bool has_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!mxw__ascii_isspace(s[i]))
			return s[i] != '#';
	return false;
}

/* Takes the name off the front of "name: value"; false if there is none. Quotes are removed in place. */
static bool read_alias_name(char *s, size_t len, struct alias *alias, char **ret_value)
{
	char *end = s + len, *out = s, *in = s;
	bool is_quoted = *s == '"';

	if (is_quoted)
		in++;
	for (; in < end; in++) {
		unsigned char c = (unsigned char)*in;
		if (is_quoted ? c == '"' : (c == ':' || c == ' ' || c == '\t'))
			break;
		if (is_quoted && c == '\\' && in + 1 < end)
			c = (unsigned char)*++in;
		if (c < ' ' || c == 0x7f || (!is_quoted && strchr("\"(),;<>[\\]@", c)))
			return false;
		*out++ = (char)c;
	}
	if (is_quoted && in++ >= end)
		return false;
	while (in < end && mxw__ascii_isspace(*in))
		in++;
	alias->name = s;
	alias->len = (size_t)(out - s);
	*ret_value = in + 1;
	return in < end && *in == ':' && alias->len > 0 && alias->len <= NAME_MAX_LEN;
}

static mxw_status_t end_alias(struct mxw__reading *reading, struct alias *alias, mxw__names_t *names)
{
	mxw_status_t status = MXW_OK;

	if (alias->name && alias->has_value)
		status = add_name(names, alias->name, alias->len);
	else if (alias->name)
		mxw__reading_bad_line(reading, alias->line, "an alias without a value");
	*alias = (struct alias){0};
	return status;
}

mxw_status_t mxw__parse_aliases_file(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names)
{
	char *rest = data;
	char *line;
	size_t n;
	struct alias alias = {0};
	mxw_status_t status = MXW_OK;

	for (unsigned long number = 1; status == MXW_OK && (line = mxw__next_line(&rest, data + len, &n)); number++) {
		if (!has_text(line, n))
			continue;
		if (mxw__ascii_isspace(*line)) {
			alias.has_value = true;
			continue;
		}
		status = end_alias(reading, &alias, names);
		char *value;
		if (!read_alias_name(line, n, &alias, &value)) {
			/* What continues this line must not be taken as the value of an alias before it. */
			alias = (struct alias){0};
			mxw__reading_bad_line(reading, number, "\"name: value\" was expected");
			continue;
		}
		alias.line = number;
		alias.has_value = has_text(value, (size_t)(line + n - value));
	}
	if (status == MXW_OK)
		status = end_alias(reading, &alias, names);
	return status;
}

/* ---- passwd ---- */

/* "name:password:uid:...": the name's length and the uid. */
static bool read_passwd_line(char *line, size_t n, size_t *ret_len, uint64_t *ret_uid)
{
	char *end = line + n;
	char *password = memchr(line, ':', n);
	char *uid = password ? memchr(password + 1, ':', (size_t)(end - password - 1)) : NULL;
	char *gid = uid ? memchr(uid + 1, ':', (size_t)(end - uid - 1)) : NULL;

	/* "+" and "-" are NIS: they name users that are elsewhere. */
	if (!gid || password == line || strchr("+-", *line))
		return false;
	*gid = '\0';
	*ret_len = (size_t)(password - line);
	return *ret_len <= NAME_MAX_LEN && mxw__parse_u64(uid + 1, ret_uid);
}

mxw_status_t mxw__parse_passwd_file(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names)
{
	const uint64_t *min_uid = reading->ctx;
	char *rest = data;
	char *line;
	size_t n;
	mxw_status_t status = MXW_OK;

	for (unsigned long number = 1; status == MXW_OK && (line = mxw__next_line(&rest, data + len, &n)); number++) {
		size_t name_len;
		uint64_t uid;
		if (!has_text(line, n))
			continue;
		if (!read_passwd_line(line, n, &name_len, &uid))
			mxw__reading_bad_line(reading, number, "not an entry of a passwd file");
		else if (uid >= *min_uid)
			status = add_name(names, line, name_len);
	}
	return status;
}
