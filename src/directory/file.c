/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directory type "file": one address per line.
 *
 *     info@example.net          this address
 *     postmaster                this local part in any domain that asks this directory
 *     @example.org              every address of this domain
 *     "john smith"@example.net  a quoted local part
 *     # a comment               also after an entry, behind a blank
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/source.h"

enum { ENTRY_MAX = 255 + 1 + 255, KEY_MAX = ENTRY_MAX + 2 };

/* The first octet of a key says what it is, so that a quoted local part with an '@' is no address. */
enum { KEY_ADDRESS = 'A', KEY_LOCAL = 'L', KEY_DOMAIN = 'D' };

struct file_source {
	struct mxw__noticer noticer;
	mxw__watch_t *watch;
};

static bool is_domain_octet(unsigned char c)
{
	return c > ' ' && c != 0x7f && !strchr("@\"(),:;<>[\\]", c);
}

/* Without a final dot; no empty label. Octets beyond ASCII may stand in it (RFC 6531). */
static bool is_domain(const char *s, size_t len)
{
	bool is_literal = len > 2 && s[0] == '[' && s[len - 1] == ']';

	if (is_literal)
		return strspn(s + 1, "0123456789abcdefABCDEFIPv:.-") == len - 2;
	if (len == 0 || len > 255)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool is_dot = s[i] == '.';
		if (is_dot && (i == 0 || i + 1 == len || s[i - 1] == '.'))
			return false;
		if (!is_domain_octet((unsigned char)s[i]))
			return false;
	}
	return true;
}

/* Reads the local part, unquoted, to `out`; returns what follows it, or NULL. */
static const char *read_local(const char *s, const char *end, char *out)
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
		*out++ = mxw__ascii_lower((char)c);
	}
	*out = '\0';
	if (is_quoted)
		return s < end ? s + 1 : NULL;
	return s;
}

/* One entry to its key; an explanation if it is none. */
static const char *read_entry(const char *s, size_t len, char key[KEY_MAX])
{
	const char *end = s + len;

	if (len > ENTRY_MAX)
		return "longer than an address can be";
	const char *rest = read_local(s, end, key + 1);
	if (!rest)
		return "not an address";
	size_t at = strlen(key + 1) + 1;
	if (rest == end) {
		key[0] = KEY_LOCAL;
		return at > 1 ? NULL : "not an address";
	}
	if (*rest != '@')
		return "one address was expected, something follows it";
	size_t dlen = (size_t)(end - rest - 1);
	if (dlen > 1 && end[-1] == '.')
		dlen--;
	if (!is_domain(rest + 1, dlen))
		return "not a domain behind the '@'";
	bool is_catch_all = rest == s;
	if (!is_catch_all && at == 1)
		return "not an address";
	key[0] = is_catch_all ? KEY_DOMAIN : KEY_ADDRESS;
	if (!is_catch_all)
		key[at++] = '@';
	for (size_t i = 0; i < dlen; i++)
		key[at++] = mxw__ascii_lower(rest[1 + i]);
	key[at] = '\0';
	return NULL;
}

/* Takes blanks and a comment off both ends. */
static char *trim(char *s, size_t *len)
{
	size_t n = *len;
	bool is_quoted = false;

	while (n > 0 && mxw__ascii_isspace(*s)) {
		s++;
		n--;
	}
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			is_quoted = !is_quoted;
		else if (s[i] == '\\' && is_quoted)
			i++;
		else if (s[i] == '#' && !is_quoted && (i == 0 || mxw__ascii_isspace(s[i - 1])))
			n = i;
	}
	while (n > 0 && mxw__ascii_isspace(s[n - 1]))
		n--;
	*len = n;
	return s;
}

mxw_status_t mxw__parse_address_file(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names)
{
	char *rest = data;
	char *line;
	size_t n;
	mxw_status_t status = MXW_OK;

	for (unsigned long number = 1; status == MXW_OK && (line = mxw__next_line(&rest, data + len, &n)); number++) {
		char key[KEY_MAX];
		line = trim(line, &n);
		if (n == 0)
			continue;
		const char *complaint = read_entry(line, n, key);
		if (complaint)
			mxw__reading_bad_line(reading, number, complaint);
		else
			status = mxw__names_add(names, key, strlen(key), 0);
	}
	return status;
}

static void file_close(void *self)
{
	struct file_source *source = self;

	mxw__watch_free(source->watch);
	free(source);
}

static mxw_status_t file_open(const struct mxw__directory_env *env, void **ret_self, struct mxw_error *err)
{
	const struct mxw__directory_conf *conf = env->conf;
	struct file_source *source = calloc(1, sizeof *source);

	if (!source)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	source->noticer = (struct mxw__noticer){env->notice, env->notice_ctx, conf->name};
	mxw_status_t status =
		mxw__watch_new(conf->path, env->clock, &source->noticer, mxw__parse_address_file, NULL, &source->watch);
	if (status != MXW_OK) {
		file_close(source);
		return mxw__fail(err, status, "%s: %s", conf->path, mxw_status_name(status));
	}
	*ret_self = source;
	return MXW_OK;
}

static void file_lookup(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	struct file_source *source = self;
	const struct mxw__address *a = query->address;
	/* One more than an entry of the file can have: what is cut here is still longer than any of them. */
	char address[KEY_MAX + 1], local[KEY_MAX + 1], domain[KEY_MAX + 1];

	snprintf(address, sizeof address, "%c%s@%s", KEY_ADDRESS, a->local, a->domain);
	snprintf(local, sizeof local, "%c%s", KEY_LOCAL, a->local);
	snprintf(domain, sizeof domain, "%c%s", KEY_DOMAIN, a->domain);
	mxw__ascii_lower_str(address + 1);
	mxw__ascii_lower_str(local + 1);
	mxw__ascii_lower_str(domain + 1);
	mxw__watch_lookup(source->watch, (const char *const[]){address, local, domain}, 3, ret_result);
}

const struct mxw__directory_ops mxw__directory_file = {
	.type = "file",
	.open = file_open,
	.lookup = file_lookup,
	.close = file_close,
};
