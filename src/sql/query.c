/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be said of a query without its database. */
#include "config.h"

#include <string.h>

#include "src/sql/sql.h"

static bool is_name_octet(char c)
{
	return mxw__ascii_isalnum(c) || c == '_' || (unsigned char)c >= 0x80;
}

/* What follows a string, quoted name or comment that begins at `s`; `s` if none does; NULL if it has no end. */
static const char *skip_quoted(const char *s)
{
	const char *end;

	if (s[0] == '-' && s[1] == '-')
		return s + strcspn(s, "\n");
	if (s[0] == '/' && s[1] == '*')
		return (end = strstr(s + 2, "*/")) ? end + 2 : NULL;
	if (*s == '[')
		return (end = strchr(s, ']')) ? end + 1 : NULL;
	if (*s != '\'' && *s != '"' && *s != '`')
		return s;
	/* Doubled quotes stand for one: they end one string and begin the next. */
	return (end = strchr(s + 1, *s)) ? end + 1 : NULL;
}

const char *mxw__sql_skip_blanks(const char *s)
{
	while (*s) {
		const char *next = mxw__ascii_isspace(*s) ? s + 1 : (*s == '-' || *s == '/') ? skip_quoted(s) : s;
		if (!next || next == s)
			break;
		s = next;
	}
	return s;
}

static bool is_word(const char *s, const char *word)
{
	size_t len = strlen(word);
	return mxw__ascii_ncasecmp(s, word, len) == 0 && !is_name_octet(s[len]);
}

/* The length of ":addr" and its like; 0 for another one. */
static size_t parameter_len(const char *s)
{
	static const char *const known[] = {":addr", ":user", ":domain"};

	for (size_t i = 0; i < MXW_ARRAY_LEN(known); i++) {
		size_t len = strlen(known[i]);
		if (strncmp(s, known[i], len) == 0 && !is_name_octet(s[len]) && s[len] != ':' && s[len] != '(')
			return len;
	}
	return 0;
}

/* A '?', or one of the others with a name behind it, begins a parameter. */
static bool begins_parameter(const char *s)
{
	return *s == '?' || (strchr(":@$#", *s) && is_name_octet(s[1]));
}

const char *mxw__sql_query_fault(const char *query, const char **ret_at)
{
	const char *s = mxw__sql_skip_blanks(query);
	unsigned parameters = 0;

	*ret_at = query;
	if (strlen(query) > MXW__SQL_QUERY_MAX)
		return "is longer than 4096 octets";
	if (!is_word(s, "SELECT") && !is_word(s, "WITH"))
		return "does not begin with SELECT";
	while (*s) {
		*ret_at = s;
		const char *next = skip_quoted(s);
		if (!next)
			return "has no end";
		if (next != s) {
			s = next;
		} else if (*s == ';') {
			if (*mxw__sql_skip_blanks(s + 1))
				return "follows the query; one SELECT was expected";
			break;
		} else if (begins_parameter(s)) {
			size_t len = parameter_len(s);
			if (len == 0)
				return "is no parameter; :addr, :user or :domain was expected";
			parameters++;
			s += len;
		} else if (is_name_octet(*s)) {
			/* A '$' may stand within a name. */
			while (is_name_octet(*s) || *s == '$')
				s++;
		} else {
			s++;
		}
	}
	*ret_at = query;
	return parameters ? NULL : "would find the same for every recipient; :addr, :user or :domain was expected";
}
