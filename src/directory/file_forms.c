/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forms of address files.
 *
 *     plain           one address on a line; "#" begins a comment, also behind an entry
 *     postfix         "key value", as postmap(1) reads it: relay_recipient_maps, virtual_mailbox_maps, virtual_alias_maps
 *     postfix-access  "key action", access(5)
 *     virtusertable   "key target", as makemap(8) reads it
 *     access          "Tag:key action", sendmail's access_db
 *
 * Where a key stands twice the first one counts: so do postmap and makemap.
 */
#include "config.h"

#include <string.h>

#include "src/directory/file_form.h"

static const char no_value[] = "\"key value\" was expected";

static void strip(const char **s, size_t *len)
{
	while (*len && mxw__ascii_isspace(**s)) {
		(*s)++;
		(*len)--;
	}
	while (*len && mxw__ascii_isspace((*s)[*len - 1]))
		(*len)--;
}

static mxw_status_t add_key(mxw__names_t *names, const char *key, mxw__file_meaning_t meaning)
{
	return mxw__names_add(names, key, strlen(key), (uint32_t)meaning);
}

/* ---- plain ---- */

/* Takes blanks and a comment off both ends. */
static const char *trim_plain(const char *s, size_t *len)
{
	bool is_quoted = false;

	strip(&s, len);
	for (size_t i = 0; i < *len; i++) {
		if (s[i] == '"')
			is_quoted = !is_quoted;
		else if (s[i] == '\\' && is_quoted)
			i++;
		else if (s[i] == '#' && !is_quoted && (i == 0 || mxw__ascii_isspace(s[i - 1])))
			*len = i;
	}
	strip(&s, len);
	return s;
}

mxw_status_t mxw__parse_plain_file(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names)
{
	char *rest = data;
	char *line;
	size_t n;
	mxw_status_t status = MXW_OK;

	for (unsigned long number = 1; status == MXW_OK && (line = mxw__next_line(&rest, data + len, &n)); number++) {
		char key[MXW__FILE_KEY_MAX];
		const char *entry = trim_plain(line, &n);
		if (n == 0)
			continue;
		const char *complaint = mxw__file_key_read(entry, n, key);
		if (complaint)
			mxw__reading_bad_line(reading, number, complaint);
		else
			status = add_key(names, key, MXW__FILE_FOUND);
	}
	return status;
}

/* ---- "key value" ---- */

/* Reads one entry into `names`; what is wrong with it goes to `ret_complaint`. */
typedef mxw_status_t (*read_entry_fn)(mxw__names_t *names, const char *key, size_t klen, const char *value, size_t vlen,
				      const char **ret_complaint);

/* Cuts an entry at its first blank; in quotes, if they are minded, a blank is part of the key. */
static const char *split(const char *s, size_t len, bool minds_quotes, size_t *ret_klen, const char **ret_value,
			 size_t *ret_vlen)
{
	bool is_quoted = false;
	size_t i;

	if (memchr(s, '\0', len))
		return "a NUL in the line";
	for (i = 0; i < len && (is_quoted || !mxw__ascii_isspace(s[i])); i++) {
		if (minds_quotes && s[i] == '\\' && i + 1 < len)
			i++;
		else if (minds_quotes && s[i] == '"')
			is_quoted = !is_quoted;
	}
	if (is_quoted)
		return "a quote that is not closed";
	*ret_klen = i;
	*ret_value = s + i;
	*ret_vlen = len - i;
	strip(ret_value, ret_vlen);
	return i && *ret_vlen ? NULL : no_value;
}

static mxw_status_t read_line(struct mxw__reading *reading, unsigned long number, const char *s, size_t len, bool minds_quotes,
			      read_entry_fn read_entry, mxw__names_t *names)
{
	size_t klen, vlen;
	const char *value;
	mxw_status_t status = MXW_OK;
	const char *complaint = split(s, len, minds_quotes, &klen, &value, &vlen);

	if (!complaint)
		status = read_entry(names, s, klen, value, vlen, &complaint);
	if (complaint)
		mxw__reading_bad_line(reading, number, complaint);
	return status;
}

static bool is_blank_or_comment(const char *s, size_t len)
{
	strip(&s, &len);
	return len == 0 || *s == '#';
}

/* ---- Postfix ---- */

/*
 * Logical lines as postmap(1) has them: a line that begins with a blank continues the one before, over blank lines and
 * comments between. They are put together in place.
 */
static mxw_status_t parse_logical_lines(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names,
					read_entry_fn read_entry)
{
	char *rest = data, *line, *whole = NULL;
	size_t n, whole_len = 0;
	unsigned long whole_number = 0;
	mxw_status_t status = MXW_OK;

	for (unsigned long number = 1; status == MXW_OK && (line = mxw__next_line(&rest, data + len, &n)); number++) {
		if (is_blank_or_comment(line, n))
			continue;
		if (!mxw__ascii_isspace(*line)) {
			if (whole)
				status = read_line(reading, whole_number, whole, whole_len, true, read_entry, names);
			whole = line;
			whole_len = n;
			whole_number = number;
		} else if (whole) {
			memmove(whole + whole_len, line, n);
			whole_len += n;
		} else {
			mxw__reading_bad_line(reading, number, "continues no line");
		}
	}
	if (whole && status == MXW_OK)
		status = read_line(reading, whole_number, whole, whole_len, true, read_entry, names);
	return status;
}

/* What is often given by mistake. */
static const char *odd_key(const char *key, size_t klen)
{
	if (klen > 1 && *key == '/')
		return "a regular expression; only lists of addresses can be read";
	if (klen > 1 && key[klen - 1] == ':')
		return "\"name: value\" is the form of aliases(5), for a directory of type system";
	return NULL;
}

static mxw_status_t read_map_entry(mxw__names_t *names, const char *key, size_t klen, const char *value, size_t vlen,
				   const char **ret_complaint)
{
	char name[MXW__FILE_KEY_MAX];

	*ret_complaint = odd_key(key, klen);
	if (!*ret_complaint)
		*ret_complaint = mxw__file_key_read(key, klen, name);
	if (*ret_complaint)
		return MXW_OK;
	return add_key(names, name, mxw__postfix_map_value(value, vlen, *name == MXW__FILE_CATCH_ALL));
}

mxw_status_t mxw__parse_postfix_map(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names)
{
	return parse_logical_lines(reading, data, len, names, read_map_entry);
}

/*
 * "user@domain", "user@" (of any domain) and "domain"; `name` is "" for what is to be passed over: ".domain" means something
 * only with settings that are not in the file.
 */
static const char *read_access_key(const char *key, size_t klen, char name[MXW__FILE_KEY_MAX])
{
	size_t at = klen;

	while (at && key[at - 1] != '@')
		at--;
	*name = '\0';
	if (!at)
		return klen && *key == '.' ? NULL : mxw__file_key_read_domain(key, klen, name);
	if (at == 1)
		return "\"@domain\" is no key here: \"domain\" is";
	return mxw__file_key_read(key, at == klen ? klen - 1 : klen, name);
}

static mxw_status_t read_postfix_access(mxw__names_t *names, const char *key, size_t klen, const char *value, size_t vlen,
					const char **ret_complaint)
{
	char name[MXW__FILE_KEY_MAX];

	/* The null sender. */
	if (klen == 2 && memcmp(key, "<>", 2) == 0)
		return MXW_OK;
	*ret_complaint = odd_key(key, klen);
	if (!*ret_complaint)
		*ret_complaint = read_access_key(key, klen, name);
	if (*ret_complaint || !*name)
		return MXW_OK;
	return add_key(names, name, mxw__postfix_access_value(value, vlen, *name == MXW__FILE_TO_DOMAIN));
}

mxw_status_t mxw__parse_postfix_access(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names)
{
	return parse_logical_lines(reading, data, len, names, read_postfix_access);
}

/* ---- sendmail ---- */

/* Lines as makemap(8) has them: none continues another, and none begins with a blank. */
static mxw_status_t parse_makemap_lines(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names,
					read_entry_fn read_entry)
{
	char *rest = data, *line;
	size_t n;
	mxw_status_t status = MXW_OK;

	for (unsigned long number = 1; status == MXW_OK && (line = mxw__next_line(&rest, data + len, &n)); number++) {
		if (is_blank_or_comment(line, n))
			continue;
		if (mxw__ascii_isspace(*line))
			mxw__reading_bad_line(reading, number, "begins with a blank, which makemap(8) does not take");
		else
			status = read_line(reading, number, line, n, false, read_entry, names);
	}
	return status;
}

/* "+*@domain" and "++@domain" are the catch-alls of addresses with a detail. */
static bool is_wide(const char *name)
{
	return *name == MXW__FILE_CATCH_ALL || strncmp(name, "A+*@", 4) == 0 || strncmp(name, "A++@", 4) == 0;
}

static mxw_status_t read_virtuser(mxw__names_t *names, const char *key, size_t klen, const char *value, size_t vlen,
				  const char **ret_complaint)
{
	char name[MXW__FILE_KEY_MAX];

	*ret_complaint = mxw__file_key_read(key, klen, name);
	if (!*ret_complaint && *name == MXW__FILE_LOCAL)
		*ret_complaint = "\"user@domain\" or \"@domain\" was expected";
	if (*ret_complaint)
		return MXW_OK;
	return add_key(names, name, mxw__virtusertable_value(value, vlen, is_wide(name)));
}

mxw_status_t mxw__parse_virtusertable(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names)
{
	return parse_makemap_lines(reading, data, len, names, read_virtuser);
}

/* The length of "To:", "Connect:" and the like with the colon; 0 if there is none. "IPv6:" is an address, but no tag of ours either. */
static size_t tag_len(const char *key, size_t klen)
{
	size_t i = 0;

	while (i < klen && (mxw__ascii_isalnum(key[i]) || key[i] == '_'))
		i++;
	return i && i < klen && key[i] == ':' ? i + 1 : 0;
}

/* "192.0.2", "10": a network, which only says something of clients. */
static bool is_network(const char *key, size_t klen)
{
	for (size_t i = 0; i < klen; i++)
		if (!mxw__ascii_isdigit(key[i]) && key[i] != '.')
			return false;
	return klen > 0;
}

static mxw_status_t read_access(mxw__names_t *names, const char *key, size_t klen, const char *value, size_t vlen,
				const char **ret_complaint)
{
	char name[MXW__FILE_KEY_MAX];
	size_t tag = tag_len(key, klen);
	bool is_to = tag == 3 && mxw__ascii_ncasecmp(key, "To:", 3) == 0;

	if (tag && !is_to)
		return MXW_OK;
	key += tag;
	klen -= tag;
	/* Without a tag a domain may be there for what it sends. */
	if (!is_to && !memchr(key, '@', klen))
		return MXW_OK;
	if (is_to && is_network(key, klen))
		return MXW_OK;
	*ret_complaint = read_access_key(key, klen, name);
	if (*ret_complaint || !*name)
		return MXW_OK;
	if (is_to && *name == MXW__FILE_ADDRESS)
		*name = MXW__FILE_TO_ADDRESS;
	else if (is_to && *name == MXW__FILE_LOCAL)
		*name = MXW__FILE_TO_LOCAL;
	return add_key(names, name, mxw__access_value(value, vlen, *name == MXW__FILE_TO_DOMAIN));
}

mxw_status_t mxw__parse_access(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names)
{
	return parse_makemap_lines(reading, data, len, names, read_access);
}
