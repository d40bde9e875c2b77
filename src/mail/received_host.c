/* SPDX-License-Identifier: BSD-2-Clause */
/* received_host.c: the comment in which a Received field has the client's address, and those beside it. */
#include "config.h"

#include <string.h>

#include "src/mail/received.h"

enum { ADDRESS_TEXT_MAX = 63 };

/* ---- spans ---- */

bool mxw__span_is(struct mxw__span span, const char *word)
{
	return strlen(word) == span.len && mxw__ascii_ncasecmp(span.s, word, span.len) == 0;
}

bool mxw__span_begins(struct mxw__span span, const char *words)
{
	size_t n = strlen(words);
	return span.len >= n && mxw__ascii_ncasecmp(span.s, words, n) == 0;
}

bool mxw__span_has(struct mxw__span span, const char *word)
{
	for (; span.len; span.s++, span.len--)
		if (mxw__span_begins(span, word))
			return true;
	return false;
}

static struct mxw__span from(struct mxw__span span, size_t n)
{
	return (struct mxw__span){span.s + n, span.len - n};
}

static struct mxw__span trim(struct mxw__span span)
{
	while (span.len && mxw__ascii_isspace(*span.s))
		span = from(span, 1);
	while (span.len && mxw__ascii_isspace(span.s[span.len - 1]))
		span.len--;
	return span;
}

static bool has_char(struct mxw__span span, const char *chars)
{
	for (size_t i = 0; i < span.len; i++)
		if (strchr(chars, span.s[i]))
			return true;
	return false;
}

/* Where the character stands last; `len` if it does not. */
static size_t last(struct mxw__span span, char c)
{
	for (size_t i = span.len; i > 0; i--)
		if (span.s[i - 1] == c)
			return i - 1;
	return span.len;
}

static size_t first(struct mxw__span span, char c)
{
	const char *at = span.len ? memchr(span.s, c, span.len) : NULL;
	return at ? (size_t)(at - span.s) : span.len;
}

/* ---- addresses ---- */

bool mxw__received_address(struct mxw__span text, bool is_bracketed, struct mxw_ip *ret_ip)
{
	char copy[ADDRESS_TEXT_MAX + 1];

	if (text.len >= 2 && text.s[0] == '[' && text.s[text.len - 1] == ']')
		text = (struct mxw__span){text.s + 1, text.len - 2};
	else if (is_bracketed)
		return false;
	/* "fe80::1%11": which of its links it was is no concern of ours. Only IPv6 addresses have it. */
	size_t zone = first(text, '%');
	if (zone < text.len && first(text, ':') < zone)
		text.len = zone;
	if (text.len == 0 || text.len > ADDRESS_TEXT_MAX)
		return false;
	memcpy(copy, text.s, text.len);
	copy[text.len] = '\0';
	return mxw_ip_parse(copy, ret_ip) == MXW_OK;
}

/* What may stand before an address in brackets: a name, or IDENT and a name. No blanks, no brackets, nothing that folds. */
static bool is_name(struct mxw__span span)
{
	if (mxw__span_is(span, "<unknown>"))
		return true;
	return !has_char(span, " \t\r\n()[]<>\"\\;,");
}

/* The name alone, of IDENT@NAME, without a final dot; "" for what only says that there is none. */
static struct mxw__span clean_name(struct mxw__span name)
{
	size_t at = last(name, '@');

	if (at < name.len)
		name = from(name, at + 1);
	if (mxw__span_is(name, "unknown") || mxw__span_is(name, "<unknown>"))
		name.len = 0;
	if (name.len && name.s[name.len - 1] == '.')
		name.len--;
	return name;
}

/* ---- the client's address ---- */

static const char forged[] = "(may be forged)";

static struct mxw__span cut_forged(struct mxw__span c)
{
	size_t n = strlen(forged);

	if (c.len > n && mxw__span_begins(from(c, c.len - n), forged))
		c.len -= n;
	return trim(c);
}

/* "NAME [ADDRESS]", "[ADDRESS]", "NAME[ADDRESS]" and "Not Verified[ADDRESS]". */
static bool is_host(struct mxw__span c, struct mxw_ip *ret_ip, struct mxw__span *ret_name)
{
	c = cut_forged(c);
	size_t open = last(c, '[');
	if (open == c.len || !mxw__received_address(from(c, open), true, ret_ip))
		return false;
	struct mxw__span name = {c.s, open};
	if (mxw__span_is(name, "Not Verified")) {
		*ret_name = (struct mxw__span){c.s, 0};
		return true;
	}
	name = trim(name);
	if (!is_name(name))
		return false;
	*ret_name = clean_name(name);
	return true;
}

/* "ADDRESS" and "IDENT@ADDRESS". */
static bool is_bare_host(struct mxw__span c, struct mxw_ip *ret_ip, struct mxw__span *ret_name)
{
	size_t at = last(c, '@');
	if (at < c.len && !is_name((struct mxw__span){c.s, at}))
		return false;
	*ret_name = (struct mxw__span){c.s, 0};
	return mxw__received_address(at < c.len ? from(c, at + 1) : c, false, ret_ip);
}

/* The word at the beginning, up to a blank or a double quote. */
static struct mxw__span first_word(struct mxw__span c)
{
	for (size_t i = 0; i < c.len; i++)
		if (mxw__ascii_isspace(c.s[i]) || c.s[i] == '"')
			return (struct mxw__span){c.s, i};
	return c;
}

/* What Exim, ZMailer and CommuniGate write behind the address. The HELO name is the rest, whatever it is. */
static bool is_tail(struct mxw__span tail, struct mxw__span *ret_helo)
{
	static const char *const begins[] = {"\"HELO", "\"EHLO"};

	ret_helo->len = 0;
	if (tail.len == 0 || mxw__span_is(tail, "verified") || mxw__span_begins(tail, "ident="))
		return true;
	if (mxw__span_begins(tail, "helo=")) {
		*ret_helo = first_word(from(tail, 5));
		return true;
	}
	for (size_t i = 0; i < MXW_ARRAY_LEN(begins); i++) {
		if (!mxw__span_begins(tail, begins[i]) || tail.len < 6 || !mxw__ascii_isspace(tail.s[5]))
			continue;
		*ret_helo = first_word(trim(from(tail, 5)));
		return true;
	}
	return false;
}

/* "[ADDRESS] helo=HELO", "[ADDRESS]:PORT ...". */
static bool is_host_first(struct mxw__span c, struct mxw_ip *ret_ip, struct mxw__span *ret_helo)
{
	size_t close = first(c, ']');
	if (close == c.len || !mxw__received_address((struct mxw__span){c.s, close + 1}, true, ret_ip))
		return false;
	struct mxw__span rest = from(c, close + 1);
	if (rest.len && *rest.s == ':') {
		size_t n = 1;
		while (n < rest.len && mxw__ascii_isdigit(rest.s[n]))
			n++;
		if (n < 2 || n > 6)
			return false;
		rest = from(rest, n);
	}
	if (rest.len && !mxw__ascii_isspace(*rest.s))
		return false;
	return is_tail(trim(rest), ret_helo);
}

/* ---- the others ---- */

static bool begins_with_any(struct mxw__span c, const char *const *begins, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mxw__span_begins(c, begins[i]))
			return true;
	return false;
}

/* TLS and authentication, behind the host. With brackets inside it could be a host with a strange name: "(using x [192.0.2.1])". */
static bool is_other(struct mxw__span c)
{
	static const char *const begins[] = {
		"using ", "Client ", "No client certificate", "Authenticated ", "authenticated", "User authenticated",
		"version=", "cipher=", "TLS", "SSLv", "AUTH:", "AUTH ",
	};

	if (has_char(c, "[]"))
		return false;
	return begins_with_any(c, begins, MXW_ARRAY_LEN(begins));
}

static bool is_helo(struct mxw__span c, struct mxw__span *ret_helo)
{
	static const char *const begins[] = {"HELO ", "EHLO ", "LHLO "};

	if (!begins_with_any(c, begins, MXW_ARRAY_LEN(begins)))
		return false;
	*ret_helo = first_word(trim(from(c, 5)));
	return true;
}

/* "port=41234 helo=HELO ident=IDENT": each may be missing. */
static bool is_exim(struct mxw__span c, struct mxw__span *ret_helo)
{
	static const char *const begins[] = {"helo=", "port=", "ident="};

	if (!begins_with_any(c, begins, MXW_ARRAY_LEN(begins)))
		return false;
	if (mxw__span_begins(c, "port="))
		c = trim(from(c, first_word(c).len));
	if (mxw__span_begins(c, "helo="))
		*ret_helo = first_word(from(c, 5));
	return true;
}

mxw__received_comment_t mxw__received_comment(struct mxw__span comment, struct mxw_ip *ret_ip, struct mxw__span *ret_name,
					      struct mxw__span *ret_helo)
{
	static const char *const account[] = {"account "};

	comment = trim(comment);
	*ret_name = *ret_helo = (struct mxw__span){comment.s, 0};
	/* First those with the client's words in them: "HELO [198.51.100.1]" would be a host of that name. */
	if (is_helo(comment, ret_helo))
		return MXW__RECEIVED_HELO;
	if (begins_with_any(comment, account, MXW_ARRAY_LEN(account)))
		return MXW__RECEIVED_ACCOUNT;
	if (is_exim(comment, ret_helo))
		return MXW__RECEIVED_EXIM;
	if (is_host(comment, ret_ip, ret_name) || is_bare_host(comment, ret_ip, ret_name))
		return MXW__RECEIVED_HOST;
	if (is_host_first(comment, ret_ip, ret_helo))
		return MXW__RECEIVED_HOST_FIRST;
	return is_other(comment) ? MXW__RECEIVED_OTHER : MXW__RECEIVED_UNKNOWN;
}
