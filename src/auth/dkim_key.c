/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_key.c: the strict reader of key records. All that a record says of its use is judged here; libopendkim gets nothing but the
 * key itself.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "src/auth/dkim_tags.h"
#include "src/mail/mail.h"

enum { ED25519_OCTETS = 32 };

static bool is_ed25519(const struct mxw__dkim_signature_info *info)
{
	return !strcmp(info->sig->algorithm, "ed25519-sha256");
}

/* Of valid base64. */
static size_t octets_of(const char *base64)
{
	return strcspn(base64, "=") * 3 / 4;
}

/* Why a key record is not for this signature; NULL if it is. The order is that of RFC 6376 section 6.1.2. */
static const char *find_misuse(const struct mxw__dkim_tags *tags, const struct mxw__dkim_signature_info *info)
{
	const char *k = tags->value[TAG_K] ? tags->value[TAG_K] : "rsa";

	if (tags->value[TAG_S] && !mxw__dkim_list_has(tags->value[TAG_S], "*") &&
	    !mxw__dkim_list_has(tags->value[TAG_S], "email"))
		return "key is not for mail";
	if (tags->value[TAG_H] && !mxw__dkim_list_has(tags->value[TAG_H], "sha256"))
		return "key is not for this hash";
	if (!*tags->value[TAG_P])
		return "key revoked";
	if (strcmp(k, is_ed25519(info) ? "ed25519" : "rsa") != 0)
		return "key of another kind";
	if (tags->value[TAG_T] && mxw__dkim_list_has(tags->value[TAG_T], "s") && info->is_subdomain)
		return "key is not for subdomains";
	return NULL;
}

static struct mxw__dkim_key refuse(mxw__dkim_result_t result, const char *reason)
{
	return (struct mxw__dkim_key){.result = result, .reason = reason};
}

/* A record is a key if it has p=, and if v=, where there is one, comes first and is the one we know. */
static bool is_key(const struct mxw__dkim_tags *tags)
{
	const char *v = tags->value[TAG_V];

	return tags->value[TAG_P] && (!v || (tags->first == TAG_V && !strcmp(v, "DKIM1")));
}

/* Tag and length of a DER value; returns how many octets that takes. */
static size_t put_der_header(unsigned char *to, unsigned char tag, size_t len)
{
	size_t n = 0;

	to[n++] = tag;
	if (len >= 0x80)
		to[n++] = len < 0x100 ? 0x81 : 0x82;
	if (len >= 0x100)
		to[n++] = (unsigned char)(len >> 8);
	to[n++] = (unsigned char)len;
	return n;
}

/* A SEQUENCE that begins with an INTEGER: an RSAPublicKey. */
static bool is_bare_key(const unsigned char *der, size_t len)
{
	size_t head = len > 4 && der[1] >= 0x80 ? 2 + (der[1] & 0x7fu) : 2;

	return len > 6 && der[0] == 0x30 && head <= 4 && der[head] == 0x02;
}

/*
 * RFC 6376 has a bare RSAPublicKey in p=, everybody, and so libopendkim, a SubjectPublicKeyInfo around one (erratum 3017).
 * Makes the latter of the former; false if it is none. What is wrong within OpenSSL finds.
 */
static bool wrap_rsa_key(const char *p, char ret_p[MXW__DKIM_MAX_KEY])
{
	static const unsigned char algorithm[] = {
		0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
	};
	unsigned char der[MXW__DKIM_MAX_KEY], whole[MXW__DKIM_MAX_KEY], bits[4];
	size_t len = strlen(p), n = 0;

	/* The result is longer by some forty octets. */
	if (len % 4 || len > MXW__DKIM_MAX_KEY - 100 || EVP_DecodeBlock(der, (const unsigned char *)p, (int)len) < 0)
		return false;
	len = octets_of(p);
	if (!is_bare_key(der, len))
		return false;
	size_t bits_len = put_der_header(bits, 0x03, 1 + len);
	n += put_der_header(whole, 0x30, sizeof(algorithm) + bits_len + 1 + len);
	memcpy(whole + n, algorithm, sizeof(algorithm));
	n += sizeof(algorithm);
	memcpy(whole + n, bits, bits_len);
	n += bits_len;
	whole[n++] = 0;
	memcpy(whole + n, der, len);
	EVP_EncodeBlock((unsigned char *)ret_p, whole, (int)(n + len));
	return true;
}

static struct mxw__dkim_key read_record(const struct mxw__dkim_tags *tags, const struct mxw__dkim_signature_info *info,
					char *ret_text, size_t size)
{
	const char *p = tags->value[TAG_P];
	const char *misuse = find_misuse(tags, info);
	char wrapped[MXW__DKIM_MAX_KEY];

	if (misuse)
		return refuse(MXW__DKIM_PERMERROR, misuse);
	if (!mxw__dkim_is_base64(p))
		return refuse(MXW__DKIM_PERMERROR, "malformed key");
	/* libopendkim would not look. */
	if (is_ed25519(info) && octets_of(p) != ED25519_OCTETS)
		return refuse(MXW__DKIM_PERMERROR, "key of a wrong size");
	if (!is_ed25519(info) && wrap_rsa_key(p, wrapped))
		p = wrapped;
	int len = snprintf(ret_text, size, "v=DKIM1; k=%s; p=%s", is_ed25519(info) ? "ed25519" : "rsa", p);
	/* There is room for RSA keys of 4,096 bits, the longest that RFC 8301 wants verified. */
	if (len < 0 || (size_t)len >= size)
		return refuse(MXW__DKIM_POLICY, "key too large");
	return (struct mxw__dkim_key){
		.is_testing = tags->value[TAG_T] && mxw__dkim_list_has(tags->value[TAG_T], "y"),
	};
}

struct mxw__dkim_key mxw__dkim_read_key(const mxw_dns_answer_t *answer, const struct mxw__dkim_signature_info *info,
					char *ret_text, size_t size)
{
	struct mxw__dkim_tags *tags = malloc(sizeof(*tags));
	struct mxw__dkim_key found = refuse(MXW__DKIM_PERMERROR, "malformed key");
	bool is_first = true;

	if (!tags)
		return refuse(MXW__DKIM_TEMPERROR, "out of memory");
	for (size_t i = 0; i < answer->nrecords && found.result != MXW__DKIM_NONE; i++) {
		const struct mxw_dns_rr *rr = &answer->records[i];
		if (rr->len > MXW__DKIM_MAX_FIELD || !mxw__dkim_tags_read(tags, (const char *)rr->data, rr->len) ||
		    !is_key(tags))
			continue;
		struct mxw__dkim_key key = read_record(tags, info, ret_text, size);
		/* Of several that can't be used the first says why. */
		if (is_first || key.result == MXW__DKIM_NONE)
			found = key;
		is_first = false;
	}
	free(tags);
	return found;
}
