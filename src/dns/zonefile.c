/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/dns/dns.h"

enum {
	RDATA_MAX = 65535,
	TOKENS_MAX = 8192, /* of one record: a TXT record of 64 KB has at most some hundreds */
	DEFAULT_TTL = 3600,
	TTL_MAX = 604800 * 4,
	TYPE_ANY = 255
};

struct token {
	const char *s;
	size_t len;
	unsigned line, column;
	bool is_quoted;
};

struct parser {
	const char *file, *p, *end, *line_start;
	unsigned line;
	const struct mxw__zone_sink *sink;
	struct mxw_error *err;

	struct token *tokens; /* of the record being read */
	size_t ntokens, cap;
	bool starts_blank;

	char origin[MXW__DNS_TEXT_MAX];
	char owner[MXW__DNS_TEXT_MAX]; /* of the record before */
	bool has_owner;
	uint32_t default_ttl;
	uint8_t rdata[RDATA_MAX];
	size_t rdlen;
};

static mxw_status_t complain(const struct parser *parser, const struct token *at, const char *text)
{
	unsigned line = at ? at->line : parser->line;
	unsigned column = at ? at->column : (unsigned)(parser->p - parser->line_start) + 1;

	if (!at || at->len == 0)
		return mxw__fail_at(parser->err, MXW_ERR_CONF, parser->file, line, column, "%s", text);
	struct mxw__buf shown;
	mxw__buf_init(&shown, 400);
	mxw__buf_add_logvalue(&shown, at->s, at->len, 60);
	mxw_status_t status = mxw__fail_at(parser->err, MXW_ERR_CONF, parser->file, line, column, "%s: %s", text,
					   mxw__buf_str(&shown));
	mxw__buf_fini(&shown);
	return status;
}

/* ---- from characters to the words of one record ---- */

static mxw_status_t add_token(struct parser *parser, const struct token *token)
{
	if (parser->ntokens == TOKENS_MAX)
		return complain(parser, token, "a record of too many words");
	if (parser->ntokens == parser->cap) {
		size_t cap = parser->cap ? parser->cap * 2 : 32;
		struct token *more = realloc(parser->tokens, cap * sizeof(*more));
		if (!more)
			return mxw__fail(parser->err, MXW_ERR_NOMEM, "%s: out of memory", parser->file);
		parser->tokens = more;
		parser->cap = cap;
	}
	parser->tokens[parser->ntokens++] = *token;
	return MXW_OK;
}

static bool ends_word(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '(' || c == ')' || c == '"';
}

/* Reads one word, quoted or bare. A backslash keeps the next character from meaning anything. */
static mxw_status_t read_word(struct parser *parser)
{
	struct token token = {
		.line = parser->line,
		.column = (unsigned)(parser->p - parser->line_start) + 1,
		.is_quoted = *parser->p == '"'
	};

	if (token.is_quoted)
		parser->p++;
	token.s = parser->p;
	while (parser->p < parser->end) {
		char c = *parser->p;
		if (c == '\n' || (token.is_quoted ? c == '"' : ends_word(c)))
			break;
		if (c == '\\' && parser->end - parser->p > 1 && parser->p[1] != '\n')
			parser->p++;
		parser->p++;
	}
	token.len = (size_t)(parser->p - token.s);
	if (token.is_quoted) {
		if (parser->p == parser->end || *parser->p != '"')
			return complain(parser, &token, "a quoted string without its end");
		parser->p++;
	}
	return add_token(parser, &token);
}

static void next_line(struct parser *parser)
{
	parser->p++;
	parser->line++;
	parser->line_start = parser->p;
}

/* Collects the words of one record, which ends with its line unless parentheses are open. */
static mxw_status_t read_entry(struct parser *parser)
{
	bool is_open = false;

	parser->ntokens = 0;
	parser->starts_blank = *parser->p == ' ' || *parser->p == '\t';
	while (parser->p < parser->end) {
		char c = *parser->p;
		mxw_status_t status = MXW_OK;
		if (c == '\n') {
			next_line(parser);
			if (!is_open)
				return MXW_OK;
		} else if (c == ';') {
			while (parser->p < parser->end && *parser->p != '\n')
				parser->p++;
		} else if (c == '(' || c == ')') {
			if (is_open == (c == '('))
				return complain(parser, NULL, is_open ? "a parenthesis inside parentheses" :
					        "a closing parenthesis without an opening one");
			is_open = !is_open;
			parser->p++;
		} else if (mxw__ascii_isspace(c)) {
			parser->p++;
		} else {
			status = read_word(parser);
		}
		if (status != MXW_OK)
			return status;
	}
	return is_open ? complain(parser, NULL, "the file ends inside parentheses") : MXW_OK;
}

/* ---- from words to values ---- */

/* "3600" or "1h30m". */
static bool read_ttl(const struct token *token, uint32_t *ret)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	uint64_t sum = 0, number = 0;
	bool has_digit = false;

	if (token->is_quoted || token->len == 0 || !mxw__ascii_isdigit(token->s[0]))
		return false;
	for (size_t i = 0; i < token->len; i++) {
		char c = mxw__ascii_lower(token->s[i]);
		if (mxw__ascii_isdigit(c)) {
			number = number * 10 + (uint64_t)(c - '0');
			has_digit = true;
		} else {
			size_t u = 0;
			while (u < MXW_ARRAY_LEN(units) && units[u].unit != c)
				u++;
			if (u == MXW_ARRAY_LEN(units) || !has_digit)
				return false;
			sum += number * units[u].seconds;
			number = 0;
			has_digit = false;
		}
		if (number > TTL_MAX || sum > TTL_MAX)
			return false;
	}
	sum += number;
	if (sum > TTL_MAX)
		return false;
	*ret = (uint32_t)sum;
	return true;
}

/* Does the name end with a dot that separates, not with an escaped one? */
static bool is_absolute(const struct token *token)
{
	size_t backslashes = 0;

	if (token->len == 0 || token->s[token->len - 1] != '.')
		return false;
	while (backslashes + 1 < token->len && token->s[token->len - 2 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2 == 0;
}

static mxw_status_t read_name(struct parser *parser, const struct token *token, char ret_text[MXW__DNS_TEXT_MAX])
{
	char text[2 * MXW__DNS_TEXT_MAX];

	if (token->len == 1 && token->s[0] == '@') {
		memcpy(ret_text, parser->origin, sizeof(parser->origin));
		return MXW_OK;
	}
	if (token->len == 0 || token->len >= MXW__DNS_TEXT_MAX)
		return complain(parser, token, "not a domain name");
	bool is_whole = is_absolute(token) || !*parser->origin;
	snprintf(text, sizeof(text), "%.*s%s%s", (int)token->len, token->s, is_whole ? "" : ".",
		 is_whole ? "" : parser->origin);
	/* A NUL in the file would end the name early. */
	if (memchr(token->s, '\0', token->len) || !mxw__dns_name_normalise(text, ret_text))
		return complain(parser, token, "not a domain name");
	return MXW_OK;
}

static bool put(struct parser *parser, const void *data, size_t len)
{
	if (len > sizeof(parser->rdata) - parser->rdlen)
		return false;
	memcpy(parser->rdata + parser->rdlen, data, len);
	parser->rdlen += len;
	return true;
}

static mxw_status_t put_name(struct parser *parser, const struct token *token)
{
	char text[MXW__DNS_TEXT_MAX];
	uint8_t wire[MXW__DNS_WIRE_MAX];
	size_t len;
	mxw_status_t status = read_name(parser, token, text);

	if (status != MXW_OK)
		return status;
	if (!mxw__dns_name_to_wire(text, strlen(text), wire, &len) || !put(parser, wire, len))
		return complain(parser, token, "not a domain name");
	return MXW_OK;
}

static mxw_status_t put_address(struct parser *parser, const struct token *token, int family)
{
	char text[MXW_IP_TEXT_MAX];
	struct mxw_ip ip;
	size_t len = family == 4 ? 4 : 16;
	/* "::ffff:192.0.2.1" is a good AAAA record, though the address it holds is an IPv4 one. */
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	snprintf(text, sizeof(text), "%.*s", (int)(token->len < sizeof(text) ? token->len : sizeof(text) - 1), token->s);
	bool has_colon = strchr(text, ':') != NULL;
	if (token->len >= sizeof(text) || has_colon != (family == 6) || mxw_ip_parse(text, &ip) != MXW_OK)
		return complain(parser, token, family == 4 ? "not an IPv4 address" : "not an IPv6 address");
	if (family == 6 && ip.family == 4) {
		put(parser, mapped, sizeof(mapped));
		len = 4;
	}
	put(parser, ip.bytes, len);
	return MXW_OK;
}

/* One string of a TXT record: \DDD and \X stand for one octet each, so that a NUL can be written. */
static mxw_status_t put_string(struct parser *parser, const struct token *token)
{
	uint8_t octets[256];
	size_t len = 0;

	for (size_t i = 0; i < token->len; i++) {
		char c = token->s[i];
		unsigned value = (uint8_t)c;
		if (c == '\\' && i + 1 < token->len) {
			const char *s = token->s + i + 1;
			value = (uint8_t)s[0];
			i++;
			if (mxw__ascii_isdigit(s[0])) {
				if (token->len - i < 3 || !mxw__ascii_isdigit(s[1]) || !mxw__ascii_isdigit(s[2]))
					return complain(parser, token, "\\ and a digit want three digits");
				value = (unsigned)((s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0'));
				i += 2;
			}
			if (value > 255)
				return complain(parser, token, "\\DDD over 255");
		}
		if (len == 255)
			return complain(parser, token, "a string over 255 octets");
		octets[++len] = (uint8_t)value;
	}
	octets[0] = (uint8_t)len;
	if (!put(parser, octets, len + 1))
		return complain(parser, token, "a record over 65535 octets");
	return MXW_OK;
}

static mxw_status_t put_number(struct parser *parser, const struct token *token, size_t octets)
{
	uint64_t value = 0, max = octets == 2 ? UINT16_MAX : UINT32_MAX;
	uint32_t ttl;

	/* The times of an SOA record may be written as TTLs are. */
	if (octets == 4 && read_ttl(token, &ttl)) {
		value = ttl;
	} else {
		for (size_t i = 0; i < token->len; i++) {
			if (!mxw__ascii_isdigit(token->s[i]) || value > max)
				return complain(parser, token, "not a number");
			value = value * 10 + (uint64_t)(token->s[i] - '0');
		}
		if (value > max || token->len == 0)
			return complain(parser, token, "too large a number");
	}
	uint8_t be[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
	put(parser, be + 4 - octets, octets);
	return MXW_OK;
}

/* One letter a word: a, 6 address; n name; s string (the last may repeat); 2, 4 octets of a number. */
static const char *layout_of(uint16_t type)
{
	switch (type) {
	case MXW_DNS_A:
		return "a";
	case MXW_DNS_AAAA:
		return "6";
	case MXW_DNS_NS:
	case MXW_DNS_CNAME:
	case MXW_DNS_PTR:
		return "n";
	case MXW_DNS_MX:
		return "2n";
	case MXW_DNS_SOA:
		return "nn44444";
	default:
		return "s";
	}
}

static mxw_status_t put_word(struct parser *parser, const struct token *token, char kind)
{
	switch (kind) {
	case 'a':
		return put_address(parser, token, 4);
	case '6':
		return put_address(parser, token, 6);
	case 'n':
		return put_name(parser, token);
	case 's':
		return put_string(parser, token);
	default:
		return put_number(parser, token, (size_t)(kind - '0'));
	}
}

static mxw_status_t read_rdata(struct parser *parser, uint16_t type, const struct token *type_token,
			       const struct token *words, size_t nwords)
{
	const char *layout = layout_of(type);
	size_t want = strlen(layout);
	bool repeats = layout[0] == 's';

	parser->rdlen = 0;
	if (nwords < want)
		return complain(parser, type_token, "data is missing after the type");
	if (nwords > want && !repeats)
		return complain(parser, &words[want], "more than this type of record has");
	for (size_t i = 0; i < nwords; i++) {
		mxw_status_t status = put_word(parser, &words[i], layout[repeats ? 0 : i]);
		if (status != MXW_OK)
			return status;
	}
	return MXW_OK;
}

/* ---- records and directives ---- */

static bool token_is(const struct token *token, const char *word)
{
	return !token->is_quoted && token->len == strlen(word) && mxw__ascii_ncasecmp(token->s, word, token->len) == 0;
}

static mxw_status_t read_directive(struct parser *parser)
{
	const struct token *word = parser->tokens;

	if (parser->ntokens != 2)
		return complain(parser, word, "a directive with one value was expected");
	if (token_is(word, "$ORIGIN")) {
		char origin[MXW__DNS_TEXT_MAX];
		mxw_status_t status = read_name(parser, &word[1], origin);
		if (status == MXW_OK)
			memcpy(parser->origin, origin, sizeof(origin));
		return status;
	}
	if (token_is(word, "$TTL"))
		return read_ttl(&word[1], &parser->default_ttl) ? MXW_OK : complain(parser, &word[1], "not a TTL");
	return complain(parser, word, "an unknown directive; $ORIGIN and $TTL are known");
}

static mxw_status_t call_behaviour(struct parser *parser, uint16_t type, const struct token *word)
{
	char text[64];
	struct mxw_error reason = {0};

	if (!parser->sink->behaviour || word->len >= sizeof(text))
		return complain(parser, word, "not the data of a record");
	memcpy(text, word->s, word->len);
	text[word->len] = '\0';
	mxw_status_t status = parser->sink->behaviour(parser->sink->ctx, parser->owner, type, text, &reason);
	return status == MXW_OK ? MXW_OK : complain(parser, word, reason.text);
}

static mxw_status_t call_record(struct parser *parser, uint16_t type, uint32_t ttl_s, const struct token *at)
{
	struct mxw_error reason = {0};
	struct mxw__zone_rr rr = {parser->owner, type, ttl_s, parser->rdata, parser->rdlen};
	mxw_status_t status = parser->sink->record(parser->sink->ctx, &rr, &reason);

	if (status == MXW_OK)
		return MXW_OK;
	return mxw__fail_at(parser->err, status, parser->file, at->line, at->column, "%s", reason.text);
}

static mxw_status_t read_record(struct parser *parser)
{
	size_t i = 0;
	mxw_status_t status;

	if (!parser->starts_blank) {
		status = read_name(parser, &parser->tokens[i++], parser->owner);
		if (status != MXW_OK)
			return status;
		parser->has_owner = true;
	} else if (!parser->has_owner) {
		return complain(parser, parser->tokens, "the first record has no owner name");
	}
	uint32_t ttl_s = parser->default_ttl;
	bool has_ttl = false, has_class = false;
	for (; i < parser->ntokens; i++) {
		const struct token *token = &parser->tokens[i];
		if (!has_ttl && read_ttl(token, &ttl_s))
			has_ttl = true;
		else if (!has_class && token_is(token, "IN"))
			has_class = true;
		else
			break;
	}
	if (i == parser->ntokens)
		return complain(parser, &parser->tokens[i - 1], "a record without a type");
	const struct token *type_token = &parser->tokens[i++];
	const struct token *words = &parser->tokens[i];
	size_t nwords = parser->ntokens - i;
	uint16_t type = type_token->is_quoted ? 0 : mxw__dns_type_find(type_token->s, type_token->len);
	if (nwords == 1 && !words->is_quoted && words->len > 0 && words->s[0] == '!' &&
	    (type || token_is(type_token, "ANY")))
		return call_behaviour(parser, type ? type : TYPE_ANY, words);
	if (!type)
		return complain(parser, type_token, "an unknown type; A AAAA MX TXT PTR NS CNAME SOA are known");
	status = read_rdata(parser, type, type_token, words, nwords);
	if (status != MXW_OK)
		return status;
	return call_record(parser, type, ttl_s, parser->tokens);
}

mxw_status_t mxw__zone_parse(const char *file, const char *text, size_t len, const struct mxw__zone_sink *sink,
			     struct mxw_error *err)
{
	mxw_status_t status = MXW_OK;
	struct parser *parser = calloc(1, sizeof(*parser));

	if (!parser)
		return mxw__fail(err, MXW_ERR_NOMEM, "%s: out of memory", file);
	parser->file = file;
	parser->p = parser->line_start = text;
	parser->end = text + len;
	parser->line = 1;
	parser->sink = sink;
	parser->err = err;
	parser->default_ttl = DEFAULT_TTL;
	while (status == MXW_OK && parser->p < parser->end) {
		status = read_entry(parser);
		if (status != MXW_OK || parser->ntokens == 0)
			continue;
		const struct token *first = parser->tokens;
		if (!first->is_quoted && first->len > 0 && first->s[0] == '$')
			status = read_directive(parser);
		else
			status = read_record(parser);
	}
	free(parser->tokens);
	free(parser);
	return status;
}
