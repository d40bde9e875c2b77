/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_key.c: the strict reader of key records. All that a record says of its use is judged here; libopendkim gets nothing but the
 * key itself.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct mxw__dkim_key read_record(const struct mxw__dkim_tags *tags, const struct mxw__dkim_signature_info *info,
					char *ret_text, size_t size)
{
	const char *p = tags->value[TAG_P];
	const char *misuse = find_misuse(tags, info);

	if (misuse)
		return refuse(MXW__DKIM_PERMERROR, misuse);
	if (!mxw__dkim_is_base64(p))
		return refuse(MXW__DKIM_PERMERROR, "malformed key");
	/* libopendkim would not look. */
	if (is_ed25519(info) && octets_of(p) != ED25519_OCTETS)
		return refuse(MXW__DKIM_PERMERROR, "key of a wrong size");
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
