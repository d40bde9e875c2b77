/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_macro.c: macro strings of SPF records.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/auth/spf_record.h"

#define DELIMITERS ".-+,/_="

/* A macro-expand: "%{d2r-.}" or one of %% %_ %-. */
struct macro {
	char letter;      /* lower case; '%', '_' or '-' for the short ones */
	bool is_escaped;  /* the letter was upper case */
	bool is_reversed;
	unsigned keep;    /* right-hand parts to keep; 0: all */
	char delimiters[sizeof(DELIMITERS)];
};

struct part {
	const char *start;
	size_t len;
};

/* The end of what the braces hold: [digits] ["r"] *delimiter "}". Returns the octets read, 0 if malformed. */
static size_t scan_transformers(const char *text, size_t len, struct macro *ret_macro)
{
	size_t i = 0;

	for (; i < len && mxw__ascii_isdigit(text[i]); i++) {
		/* Nothing has more than a thousand parts; a larger number means the same. */
		if (ret_macro->keep < 1000)
			ret_macro->keep = ret_macro->keep * 10 + (unsigned)(text[i] - '0');
	}
	/* "The DIGIT values must be nonzero", section 7.1. */
	if (i && !ret_macro->keep)
		return 0;
	if (i < len && mxw__ascii_lower(text[i]) == 'r') {
		ret_macro->is_reversed = true;
		i++;
	}
	for (; i < len && text[i] && strchr(DELIMITERS, text[i]); i++) {
		size_t n = strlen(ret_macro->delimiters);
		if (!strchr(ret_macro->delimiters, text[i]))
			ret_macro->delimiters[n] = text[i];
	}
	if (!ret_macro->delimiters[0])
		ret_macro->delimiters[0] = '.';
	return i < len && text[i] == '}' ? i + 1 : 0;
}

/* Reads a macro-expand; `text` is at its '%'. Returns the octets read, 0 if malformed. */
static size_t scan_macro(const char *text, size_t len, struct macro *ret_macro)
{
	memset(ret_macro, 0, sizeof(*ret_macro));
	if (len < 2)
		return 0;
	if (text[1] == '%' || text[1] == '_' || text[1] == '-') {
		ret_macro->letter = text[1];
		return 2;
	}
	if (len < 4 || text[1] != '{' || !text[2])
		return 0;
	ret_macro->letter = mxw__ascii_lower(text[2]);
	ret_macro->is_escaped = ret_macro->letter != text[2];
	if (!strchr("slodiphcrtv", ret_macro->letter))
		return 0;
	size_t n = scan_transformers(text + 3, len - 3, ret_macro);
	return n ? n + 3 : 0;
}

/* Checks a macro-string and tells where the literal text behind its last macro begins. */
static bool scan_string(const char *text, size_t len, const char *letters, size_t *ret_tail)
{
	struct macro macro;
	size_t tail = 0, i = 0;

	while (i < len) {
		if (text[i] != '%') {
			if (text[i] < 0x21 || text[i] > 0x7e)
				return false;
			i++;
			continue;
		}
		size_t n = scan_macro(text + i, len - i, &macro);
		if (!n || !strchr(letters, macro.letter))
			return false;
		i += n;
		tail = i;
	}
	*ret_tail = tail;
	return true;
}

bool mxw__spf_macro_string_is_valid(const char *text, size_t len)
{
	size_t tail;

	return scan_string(text, len, "slodiphcrtv%_-", &tail);
}

bool mxw__spf_explanation_is_valid(const char *text, size_t len)
{
	/* A blank can't stand inside a macro, so each word is a macro-string of its own. */
	for (size_t i = 0; i < len; i++) {
		const char *blank = memchr(text + i, ' ', len - i);
		size_t end = blank ? (size_t)(blank - text) : len;
		if (!mxw__spf_macro_string_is_valid(text + i, end - i))
			return false;
		i = end;
	}
	return true;
}

static bool toplabel_is_valid(const char *label, size_t len)
{
	bool is_number = true;

	if (!len || !mxw__ascii_isalnum(label[0]) || !mxw__ascii_isalnum(label[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!mxw__ascii_isalnum(label[i]) && label[i] != '-')
			return false;
		if (!mxw__ascii_isdigit(label[i]))
			is_number = false;
	}
	return !is_number;
}

bool mxw__spf_domain_spec_is_valid(const char *text, size_t len)
{
	size_t tail;

	/* c, r and t are for the text of explanations alone, section 7.2. */
	if (!len || !scan_string(text, len, "slodiphv%_-", &tail))
		return false;
	if (tail == len)
		return true;
	if (text[len - 1] == '.')
		len--;
	for (size_t i = len; i > tail; i--) {
		if (text[i - 1] == '.')
			return toplabel_is_valid(text + i, len - i);
	}
	return false;
}

bool mxw__spf_has_ptr_macro(const char *text, size_t len)
{
	struct macro macro;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%')
			continue;
		size_t n = scan_macro(text + i, len - i, &macro);
		if (n && macro.letter == 'p')
			return true;
		i += n ? n - 1 : 0;
	}
	return false;
}

/* "1.0.b.c...": the form of the macro i for IPv6, section 7.3. */
static void nibbles(const uint8_t *bytes, bool is_upper, struct mxw__buf *buf)
{
	for (int i = 0; i < 16; i++)
		mxw__buf_addf(buf, is_upper ? "%s%X.%X" : "%s%x.%x", i ? "." : "", bytes[i] >> 4, bytes[i] & 15);
}

static void add_value(const struct mxw__spf_macros *macros, char letter, struct mxw__buf *buf)
{
	char text[MXW_IP_TEXT_MAX];

	switch (letter) {
	case 's':
		mxw__buf_addf(buf, "%s@%s", macros->local, macros->domain);
		break;
	case 'l':
		mxw__buf_adds(buf, macros->local);
		break;
	case 'o':
		mxw__buf_adds(buf, macros->domain);
		break;
	case 'd':
		mxw__buf_adds(buf, macros->current);
		break;
	case 'h':
		mxw__buf_adds(buf, macros->helo);
		break;
	case 'p':
		mxw__buf_adds(buf, macros->validated(macros->ctx, macros->current));
		break;
	case 'v':
		mxw__buf_adds(buf, macros->client.family == 6 ? "ip6" : "in-addr");
		break;
	case 'c':
		mxw__buf_adds(buf, mxw_ip_format(&macros->client, text));
		break;
	case 'r':
		mxw__buf_adds(buf, *macros->receiver ? macros->receiver : "unknown");
		break;
	case 't':
		mxw__buf_addf(buf, "%lld", (long long)macros->now_s);
		break;
	case 'i':
		if (macros->client.family == 6)
			nibbles(macros->client.bytes, macros->is_explanation, buf);
		else
			mxw__buf_adds(buf, mxw_ip_format(&macros->client, text));
		break;
	default:
		break;
	}
}

/* RFC 3986 section 2.3: what needs no escape. */
static bool is_unreserved(char c)
{
	return mxw__ascii_isalnum(c) || (c && strchr("-._~", c));
}

static void add_part(const struct part *part, bool is_escaped, struct mxw__buf *out)
{
	for (size_t i = 0; i < part->len; i++) {
		char c = part->start[i];
		if (is_escaped && !is_unreserved(c))
			mxw__buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
		else
			mxw__buf_addc(out, c);
	}
}

/* Splits, keeps the right-hand parts asked for, perhaps in reverse order, and joins with dots. */
static void transform(const char *value, const struct macro *macro, struct mxw__buf *out)
{
	struct part parts[MXW__SPF_MAX_VALUE + 1];
	size_t n = 0;

	for (const char *p = value;; p++) {
		parts[n].start = p;
		parts[n].len = strcspn(p, macro->delimiters);
		p += parts[n++].len;
		if (!*p)
			break;
	}
	size_t keep = macro->keep && macro->keep < n ? macro->keep : n;
	for (size_t i = 0; i < keep; i++) {
		/* Reversal comes before the cut: the parts kept are those at the right of the reversed value. */
		size_t at = macro->is_reversed ? keep - 1 - i : n - keep + i;
		if (i)
			mxw__buf_addc(out, '.');
		add_part(&parts[at], macro->is_escaped, out);
	}
}

static void expand_macro(const struct mxw__spf_macros *macros, const struct macro *macro, struct mxw__buf *out)
{
	struct mxw__buf value;

	switch (macro->letter) {
	case '%':
		mxw__buf_addc(out, '%');
		return;
	case '_':
		mxw__buf_addc(out, ' ');
		return;
	case '-':
		mxw__buf_adds(out, "%20");
		return;
	default:
		break;
	}
	/* Twice the room, since a buffer takes an addition as a whole or not at all. */
	mxw__buf_init(&value, (size_t)2 * (MXW__SPF_MAX_VALUE + 1));
	add_value(macros, macro->letter, &value);
	if (value.len > MXW__SPF_MAX_VALUE)
		value.data[MXW__SPF_MAX_VALUE] = '\0';
	transform(mxw__buf_str(&value), macro, out);
	mxw__buf_fini(&value);
}

/* Only the end of a long name is ever asked for, so no more than that is kept. */
static void keep_tail(struct mxw__buf *out)
{
	const size_t keep = (size_t)2 * (MXW__SPF_MAX_NAME + 1);

	if (out->len <= 4 * keep)
		return;
	memmove(out->data, out->data + out->len - keep, keep + 1);
	out->len = keep;
}

static void finish_name(const char *text, size_t len, char *ret_name)
{
	if (len && text[len - 1] == '.')
		len--;
	while (len > MXW__SPF_MAX_NAME) {
		const char *dot = memchr(text, '.', len);
		size_t cut = dot ? (size_t)(dot - text) + 1 : len;
		text += cut;
		len -= cut;
	}
	memcpy(ret_name, text, len);
	ret_name[len] = '\0';
}

void mxw__spf_expand(const struct mxw__spf_macros *macros, const char *spec, size_t len, char *ret_name)
{
	struct mxw__buf out;
	struct macro macro;

	mxw__buf_init(&out, (size_t)64 << 10);
	for (size_t i = 0; i < len;) {
		size_t n = 1;
		if (spec[i] == '%' && (n = scan_macro(spec + i, len - i, &macro)) > 0)
			expand_macro(macros, &macro, &out);
		else
			mxw__buf_addc(&out, spec[i]);
		i += n ? n : 1;
		keep_tail(&out);
	}
	/* Without memory there is no name to ask for; an empty one does not exist. */
	finish_name(mxw__buf_str(&out), out.failed ? 0 : out.len, ret_name);
	mxw__buf_fini(&out);
}

static void copy_printable(const char *text, char *ret_text, size_t size)
{
	size_t n = 0;

	for (; text[n] && n < size - 1; n++)
		ret_text[n] = text[n] >= 0x20 && text[n] <= 0x7e ? text[n] : '?';
	ret_text[n] = '\0';
	if (text[n])
		memcpy(ret_text + size - 4, "...", 4);
}

bool mxw__spf_expand_explanation(const struct mxw__spf_macros *macros, const char *text, size_t len, char *ret_text,
				 size_t size)
{
	struct mxw__buf out;
	struct macro macro;

	/* It ends as soon as there is more than is wanted, so one macro's value is the most that is made in vain. */
	mxw__buf_init(&out, size + (size_t)8 * MXW__SPF_MAX_VALUE);
	for (size_t i = 0; i < len && out.len < size;) {
		size_t n = 1;
		if (text[i] == '%' && (n = scan_macro(text + i, len - i, &macro)) > 0)
			expand_macro(macros, &macro, &out);
		else
			mxw__buf_addc(&out, text[i]);
		i += n ? n : 1;
	}
	bool ok = !out.failed;
	if (ok)
		copy_printable(mxw__buf_str(&out), ret_text, size);
	mxw__buf_fini(&out);
	return ok;
}
