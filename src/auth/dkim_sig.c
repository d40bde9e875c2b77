/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_sig.c: the strict reader of DKIM-Signature fields and key records.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/dkim_sig.h"
#include "src/mail/mail.h"

/* The tags that matter, of signatures and of keys. */
enum tag { TAG_V, TAG_A, TAG_B, TAG_BH, TAG_C, TAG_D, TAG_H, TAG_I, TAG_K, TAG_L, TAG_P, TAG_Q, TAG_S, TAG_T, TAG_X, NTAGS };

static const char *const tag_names[NTAGS] = {
	"v", "a", "b", "bh", "c", "d", "h", "i", "k", "l", "p", "q", "s", "t", "x",
};

/* Values without any blanks, one behind the other in `buf`. */
struct tags {
	const char *value[NTAGS]; /* NULL: absent */
	bool is_odd;              /* libopendkim would take the wrong tag for b= */
	size_t used;
	char buf[MXW__DKIM_MAX_FIELD + NTAGS];
};

void mxw__dkim_copy(char *ret, size_t size, const char *text, size_t len, bool is_lowered)
{
	size_t n = len < size - 1 ? len : size - 1;

	for (size_t i = 0; i < n; i++) {
		char c = is_lowered ? mxw__ascii_lower(text[i]) : text[i];
		ret[i] = c >= 0x20 && c < 0x7f ? c : '?';
	}
	ret[n] = '\0';
}

/* ---- tag lists ---- */

static size_t trim(const char **text, size_t len)
{
	while (len && mxw__ascii_isspace(**text)) {
		(*text)++;
		len--;
	}
	while (len && mxw__ascii_isspace((*text)[len - 1]))
		len--;
	return len;
}

static bool is_tag_name(const char *name, size_t len)
{
	if (!len || !mxw__ascii_isalnum(name[0]) || mxw__ascii_isdigit(name[0]))
		return false;
	for (size_t i = 1; i < len; i++) {
		if (!mxw__ascii_isalnum(name[i]) && name[i] != '_')
			return false;
	}
	return true;
}

static int find_tag(const char *name, size_t len)
{
	for (int i = 0; i < NTAGS; i++) {
		if (strlen(tag_names[i]) == len && !mxw__ascii_ncasecmp(tag_names[i], name, len))
			return i;
	}
	return -1;
}

/* Keeps a value, blanks removed. False for octets that can't stand in any tag we use, or without room. */
static bool keep_value(struct tags *tags, int tag, const char *value, size_t len)
{
	char *to = tags->buf + tags->used;

	if (len >= sizeof(tags->buf) - tags->used)
		return false;
	tags->value[tag] = to;
	for (size_t i = 0; i < len; i++) {
		if (mxw__ascii_isspace(value[i]))
			continue;
		if (value[i] < 0x21 || value[i] > 0x7e)
			return false;
		*to++ = value[i];
	}
	*to++ = '\0';
	tags->used = (size_t)(to - tags->buf);
	return true;
}

/* One "name=value". A tag given twice makes the list invalid, also in another case: libopendkim would mix them up. */
static bool read_tag(struct tags *tags, const char *text, size_t len)
{
	const char *eq = memchr(text, '=', len);
	const char *name = text;

	if (!eq)
		return false;
	size_t name_len = trim(&name, (size_t)(eq - text));
	if (!is_tag_name(name, name_len))
		return false;
	int tag = find_tag(name, name_len);
	/* It blanks out what follows "b=" when it hashes the field, wherever that stands, and nothing after "b =". */
	if ((eq[-1] == 'b') != (tag == TAG_B))
		tags->is_odd = true;
	if (tag < 0)
		return true;
	if (tags->value[tag] || memcmp(name, tag_names[tag], name_len) != 0)
		return false;
	return keep_value(tags, tag, eq + 1, len - (size_t)(eq + 1 - text));
}

static bool read_tags(struct tags *tags, const char *text, size_t len)
{
	const char *end = text + len;

	memset(tags->value, 0, sizeof(tags->value));
	tags->is_odd = false;
	tags->used = 0;
	while (text < end) {
		const char *semi = memchr(text, ';', (size_t)(end - text));
		size_t n = (size_t)((semi ? semi : end) - text);
		const char *inside = text;
		/* Only the last tag may be missing, after a final semicolon. */
		if (!trim(&inside, n))
			return !semi;
		if (!read_tag(tags, text, n))
			return false;
		text += n + 1;
	}
	return true;
}

/* ---- values ---- */

static bool is_base64(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	size_t pad = strspn(s + n, "=");

	return n && pad <= 2 && !s[n + pad];
}

/* Up to fifteen digits: no overflow anywhere. An absent tag is -1. */
static bool read_number(const char *s, int64_t *ret)
{
	uint64_t n;

	*ret = -1;
	if (!s)
		return true;
	if (strlen(s) > 15 || !mxw__parse_u64(s, &n))
		return false;
	*ret = (int64_t)n;
	return true;
}

/* dkim-quoted-printable: '=' and two hexadecimal digits. */
static bool escapes_are_complete(const char *s)
{
	for (; (s = strchr(s, '=')); s += 3) {
		if (!s[1] || !s[2] || !strchr("0123456789ABCDEF", s[1]) || !strchr("0123456789ABCDEF", s[2]))
			return false;
	}
	return true;
}

/* Is any of the methods in q= the one there is? */
static bool query_is_known(const char *q)
{
	if (!q)
		return true;
	for (;; q++) {
		size_t len = strcspn(q, ":");
		if (len == 7 && !mxw__ascii_ncasecmp(q, "dns/txt", 7))
			return true;
		q += len;
		if (!*q)
			return false;
	}
}

static bool canon_is_known(const char *c)
{
	static const char *const known[] = {
		"simple", "relaxed", "simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed",
	};

	for (size_t i = 0; c && i < MXW_ARRAY_LEN(known); i++) {
		if (!strcmp(c, known[i]))
			return true;
	}
	return !c;
}

/* Looks through h=; false if it is beyond the limits. */
static bool read_names(const char *h, bool *ret_has_from, bool *ret_has_signature)
{
	unsigned n = 0;

	*ret_has_from = *ret_has_signature = false;
	if (strlen(h) > MXW__DKIM_MAX_H)
		return false;
	for (;; h++) {
		size_t len = strcspn(h, ":");
		if (len == 4 && !mxw__ascii_ncasecmp(h, "from", len))
			*ret_has_from = true;
		if (len == 14 && !mxw__ascii_ncasecmp(h, "dkim-signature", len))
			*ret_has_signature = true;
		if (++n > MXW__DKIM_MAX_NAMES)
			return false;
		h += len;
		if (!*h)
			return true;
	}
}

/* ---- signatures ---- */

static bool refuse(struct mxw__dkim_signature *sig, mxw__dkim_result_t result, const char *reason)
{
	sig->result = result;
	snprintf(sig->reason, sizeof(sig->reason), "%s", reason);
	return false;
}

static bool neutral(struct mxw__dkim_signature *sig, const char *reason)
{
	return refuse(sig, MXW__DKIM_NEUTRAL, reason);
}

/* What the field says of itself, also when it can't be judged. */
static void describe(const struct tags *tags, struct mxw__dkim_signature *sig)
{
	if (tags->value[TAG_D])
		mxw__dkim_copy(sig->domain, sizeof(sig->domain), tags->value[TAG_D], strlen(tags->value[TAG_D]), true);
	if (tags->value[TAG_S])
		mxw__dkim_copy(sig->selector, sizeof(sig->selector), tags->value[TAG_S], strlen(tags->value[TAG_S]), true);
	if (tags->value[TAG_A])
		mxw__dkim_copy(sig->algorithm, sizeof(sig->algorithm), tags->value[TAG_A], strlen(tags->value[TAG_A]), true);
	if (tags->value[TAG_B] && is_base64(tags->value[TAG_B]))
		mxw__dkim_copy(sig->b8, sizeof(sig->b8), tags->value[TAG_B], strlen(tags->value[TAG_B]), false);
	if (tags->value[TAG_I])
		mxw__dkim_copy(sig->identity, sizeof(sig->identity), tags->value[TAG_I], strlen(tags->value[TAG_I]), false);
	else if (sig->domain[0])
		snprintf(sig->identity, sizeof(sig->identity), "@%s", sig->domain);
}

/* A name that a key can be asked for, without a final dot. */
static bool name_is_valid(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	return len && name[len - 1] != '.' && mxw__domain_is_valid(name);
}

static bool check_names(const struct tags *tags, struct mxw__dkim_signature_info *info)
{
	struct mxw__dkim_signature *sig = info->sig;
	const char *h = tags->value[TAG_H];
	bool has_from;

	if (!name_is_valid(tags->value[TAG_D]))
		return neutral(sig, "no valid d= tag");
	if (!name_is_valid(tags->value[TAG_S]))
		return neutral(sig, "no valid s= tag");
	if (strlen(tags->value[TAG_D]) + strlen(tags->value[TAG_S]) + strlen("._domainkey.") > 253)
		return neutral(sig, "the name of the key is too long");
	if (tags->value[TAG_I] && (!strchr(tags->value[TAG_I], '@') || !escapes_are_complete(tags->value[TAG_I])))
		return neutral(sig, "no valid i= tag");
	if (!h || !*h)
		return neutral(sig, "no h= tag");
	if (!read_names(h, &has_from, &info->covers_signatures))
		return neutral(sig, "h= tag too long");
	return has_from || neutral(sig, "the From field is not signed");
}

static bool check_method(const struct tags *tags, struct mxw__dkim_signature *sig)
{
	if (!tags->value[TAG_V] || strcmp(tags->value[TAG_V], "1") != 0)
		return neutral(sig, "unknown version");
	if (!strcmp(sig->algorithm, "rsa-sha1"))
		return refuse(sig, MXW__DKIM_POLICY, "rsa-sha1 is not accepted");
	if (!tags->value[TAG_A] || (strcmp(tags->value[TAG_A], "rsa-sha256") != 0 &&
				    strcmp(tags->value[TAG_A], "ed25519-sha256") != 0))
		return neutral(sig, "unknown algorithm");
	if (!query_is_known(tags->value[TAG_Q]))
		return neutral(sig, "unknown query method");
	if (!canon_is_known(tags->value[TAG_C]))
		return neutral(sig, "unknown canonicalization");
	if (!tags->value[TAG_B] || !is_base64(tags->value[TAG_B]))
		return neutral(sig, "no valid b= tag");
	if (!tags->value[TAG_BH] || !is_base64(tags->value[TAG_BH]))
		return neutral(sig, "no valid bh= tag");
	return true;
}

static bool check_numbers(const struct tags *tags, int64_t now_s, struct mxw__dkim_signature_info *info)
{
	int64_t length, made, expires;

	if (!read_number(tags->value[TAG_L], &length) || !read_number(tags->value[TAG_T], &made) ||
	    !read_number(tags->value[TAG_X], &expires))
		return neutral(info->sig, "no valid l=, t= or x= tag");
	info->has_length = length >= 0;
	if (expires >= 0 && expires <= now_s)
		return refuse(info->sig, MXW__DKIM_FAIL, "signature expired");
	if (expires >= 0 && expires <= made)
		return neutral(info->sig, "expires before it was made");
	if (made > now_s + MXW__DKIM_FUTURE_S)
		return neutral(info->sig, "made in the future");
	return true;
}

bool mxw__dkim_read_signature(const char *value, size_t len, int64_t now_s, struct mxw__dkim_signature_info *info)
{
	struct tags *tags;
	bool is_good = false;

	if (len > MXW__DKIM_MAX_FIELD)
		return neutral(info->sig, "signature field too large");
	tags = mxw__calloc(1, sizeof(*tags));
	if (!tags)
		return refuse(info->sig, MXW__DKIM_TEMPERROR, "out of memory");
	bool is_list = read_tags(tags, value, len);
	describe(tags, info->sig);
	if (!is_list)
		neutral(info->sig, "malformed tag list");
	else if (tags->is_odd)
		neutral(info->sig, "unusual spelling of b= or a tag like it");
	else
		is_good = check_method(tags, info->sig) && check_names(tags, info) && check_numbers(tags, now_s, info);
	free(tags);
	return is_good;
}

/* ---- keys ---- */

/* Writes the tags libopendkim looks at; notes and unknown ones may be long and are left out. */
static bool write_key(const struct tags *tags, char *ret_key, size_t size)
{
	static const int wanted[] = {TAG_V, TAG_H, TAG_K, TAG_S, TAG_T, TAG_P};
	size_t n = 0;

	for (size_t i = 0; i < MXW_ARRAY_LEN(wanted); i++) {
		const char *value = tags->value[wanted[i]];
		if (!value)
			continue;
		int len = snprintf(ret_key + n, size - n, "%s%s=%s", n ? "; " : "", tag_names[wanted[i]], value);
		if (len < 0 || (size_t)len >= size - n)
			return false;
		n += (size_t)len;
	}
	return true;
}

bool mxw__dkim_read_key(const mxw_dns_answer_t *answer, char *ret_key, size_t size)
{
	struct tags *tags = mxw__calloc(1, sizeof(*tags));
	bool found = false;

	for (size_t i = 0; tags && !found && i < answer->nrecords; i++) {
		const struct mxw_dns_rr *rr = &answer->records[i];
		if (rr->len > MXW__DKIM_MAX_FIELD || !read_tags(tags, (const char *)rr->data, rr->len))
			continue;
		if (!tags->value[TAG_P] || (tags->value[TAG_V] && strcmp(tags->value[TAG_V], "DKIM1") != 0))
			continue;
		found = write_key(tags, ret_key, size);
	}
	free(tags);
	return found;
}
