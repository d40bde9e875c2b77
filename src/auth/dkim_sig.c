/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_sig.c: the strict reader of DKIM-Signature fields.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/dkim_tags.h"
#include "src/mail/mail.h"

void mxw__dkim_copy(char *ret, size_t size, const char *text, size_t len, bool is_lowered)
{
	size_t n = len < size - 1 ? len : size - 1;

	for (size_t i = 0; i < n; i++) {
		char c = is_lowered ? mxw__ascii_lower(text[i]) : text[i];
		ret[i] = c >= 0x20 && c < 0x7f ? c : '?';
	}
	ret[n] = '\0';
}

/* ---- values ---- */

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

/* The singletons are those of RFC 5322 section 3.6 and of MIME. From is one that every signature names. */
static const char *const singletons[MXW__DKIM_SINGLETONS] = {
	"from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id", "in-reply-to", "references",
	"mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id",
	"content-description",
};

const char *mxw__dkim_singleton_name(unsigned i)
{
	return i < MXW__DKIM_SINGLETONS ? singletons[i] : NULL;
}

int mxw__dkim_find_singleton(const char *name, size_t len)
{
	for (int i = 0; i < MXW__DKIM_SINGLETONS; i++) {
		if (strlen(singletons[i]) == len && !mxw__ascii_ncasecmp(name, singletons[i], len))
			return i;
	}
	return -1;
}

/* Looks through h=; false if it is beyond the limits. */
static bool read_names(const char *h, struct mxw__dkim_signature_info *info)
{
	if (strlen(h) > MXW__DKIM_MAX_H)
		return false;
	for (;; h++) {
		size_t len = strcspn(h, ":");
		int i = mxw__dkim_find_singleton(h, len);
		if (i >= 0)
			info->named[i]++;
		if (len == 14 && !mxw__ascii_ncasecmp(h, "dkim-signature", len))
			info->covers_signatures = true;
		if (++info->nnames > MXW__DKIM_MAX_NAMES)
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
static void describe(const struct mxw__dkim_tags *tags, struct mxw__dkim_signature *sig)
{
	if (tags->value[TAG_D])
		mxw__dkim_copy(sig->domain, sizeof(sig->domain), tags->value[TAG_D], strlen(tags->value[TAG_D]), true);
	if (tags->value[TAG_S])
		mxw__dkim_copy(sig->selector, sizeof(sig->selector), tags->value[TAG_S], strlen(tags->value[TAG_S]), true);
	if (tags->value[TAG_A])
		mxw__dkim_copy(sig->algorithm, sizeof(sig->algorithm), tags->value[TAG_A], strlen(tags->value[TAG_A]), true);
	if (tags->value[TAG_B] && mxw__dkim_is_base64(tags->value[TAG_B]))
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

/* The local part may have escapes, the domain has none; it is the signing domain or one below. */
static bool check_identity(const char *i, const char *d, struct mxw__dkim_signature_info *info)
{
	const char *at = strrchr(i, '@');

	if (!at || !escapes_are_complete(i) || !name_is_valid(at + 1) || !mxw__domain_is_below(at + 1, d))
		return false;
	info->is_subdomain = strlen(at + 1) != strlen(d);
	return true;
}

static bool check_names(const struct mxw__dkim_tags *tags, struct mxw__dkim_signature_info *info)
{
	struct mxw__dkim_signature *sig = info->sig;
	const char *h = tags->value[TAG_H];

	if (!name_is_valid(tags->value[TAG_D]))
		return neutral(sig, "no valid d= tag");
	if (!name_is_valid(tags->value[TAG_S]))
		return neutral(sig, "no valid s= tag");
	if (strlen(tags->value[TAG_D]) + strlen(tags->value[TAG_S]) + strlen("._domainkey.") > 253)
		return neutral(sig, "the name of the key is too long");
	if (tags->value[TAG_I] && !check_identity(tags->value[TAG_I], tags->value[TAG_D], info))
		return neutral(sig, "no valid i= tag");
	if (!h || !*h)
		return neutral(sig, "no h= tag");
	if (!read_names(h, info))
		return neutral(sig, "h= tag too long");
	return info->named[0] || neutral(sig, "the From field is not signed");
}

static bool check_method(const struct mxw__dkim_tags *tags, struct mxw__dkim_signature_info *info)
{
	struct mxw__dkim_signature *sig = info->sig;

	if (!tags->value[TAG_V] || strcmp(tags->value[TAG_V], "1") != 0)
		return neutral(sig, "unknown version");
	if (!strcmp(sig->algorithm, "rsa-sha1"))
		return refuse(sig, MXW__DKIM_POLICY, "rsa-sha1 is not accepted");
	if (!tags->value[TAG_A] || (strcmp(tags->value[TAG_A], "rsa-sha256") != 0 &&
				    strcmp(tags->value[TAG_A], "ed25519-sha256") != 0))
		return neutral(sig, "unknown algorithm");
	if (tags->value[TAG_Q] && !mxw__dkim_list_has(tags->value[TAG_Q], "dns/txt"))
		return neutral(sig, "unknown query method");
	if (!canon_is_known(tags->value[TAG_C]))
		return neutral(sig, "unknown canonicalization");
	if (!tags->value[TAG_B] || !mxw__dkim_is_base64(tags->value[TAG_B]))
		return neutral(sig, "no valid b= tag");
	if (!tags->value[TAG_BH] || !mxw__dkim_is_base64(tags->value[TAG_BH]))
		return neutral(sig, "no valid bh= tag");
	const char *slash = tags->value[TAG_C] ? strchr(tags->value[TAG_C], '/') : NULL;
	info->is_relaxed = slash && !strcmp(slash, "/relaxed");
	return true;
}

static bool check_numbers(const struct mxw__dkim_tags *tags, int64_t now_s, struct mxw__dkim_signature_info *info)
{
	int64_t length, made, expires;

	if (!read_number(tags->value[TAG_L], &length) || !read_number(tags->value[TAG_T], &made) ||
	    !read_number(tags->value[TAG_X], &expires))
		return neutral(info->sig, "no valid l=, t= or x= tag");
	info->length = length;
	if (expires >= 0 && expires <= made)
		return neutral(info->sig, "expires before it was made");
	if (expires >= 0 && expires <= now_s)
		return refuse(info->sig, MXW__DKIM_FAIL, "signature expired");
	if (made > now_s + MXW__DKIM_FUTURE_S)
		return neutral(info->sig, "made in the future");
	return true;
}

bool mxw__dkim_read_signature(const char *value, size_t len, int64_t now_s, struct mxw__dkim_signature_info *info)
{
	struct mxw__dkim_tags *tags;
	bool is_good = false;

	if (len > MXW__DKIM_MAX_FIELD)
		return neutral(info->sig, "signature field too large");
	info->length = -1;
	tags = malloc(sizeof(*tags));
	if (!tags)
		return refuse(info->sig, MXW__DKIM_TEMPERROR, "out of memory");
	bool is_list = mxw__dkim_tags_read(tags, value, len);
	describe(tags, info->sig);
	if (!is_list && tags->is_beyond_ascii)
		/* RFC 8616 lets d=, s= and i= have U-labels; libopendkim does not read them. */
		neutral(info->sig, "names beyond ASCII can not be verified");
	else if (!is_list)
		neutral(info->sig, "malformed tag list");
	else if (tags->is_odd)
		neutral(info->sig, "unusual spelling of b= or a tag like it");
	else
		is_good = check_method(tags, info) && check_names(tags, info) && check_numbers(tags, now_s, info);
	free(tags);
	return is_good;
}
