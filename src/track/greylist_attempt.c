/* SPDX-License-Identifier: BSD-2-Clause */
/* greylist_attempt.c: what makes two attempts the same. */
#include "config.h"

#include <string.h>

#include <openssl/evp.h>

#include "src/mail/prvs.h"
#include "src/track/greylist.h"

enum { TEXT_MAX = 4096 };

/* What can't be hashed, for want of memory, is an id of its own: it is new each time, and put off at most. */
static void digest(const struct mxw__buf *text, uint8_t ret_id[MXW__GREYLIST_ID])
{
	uint8_t md[EVP_MAX_MD_SIZE] = {0};

	if (text->failed || EVP_Digest(mxw__buf_str(text), text->len, md, NULL, EVP_sha256(), NULL) != 1)
		for (size_t i = 0; i < MXW__GREYLIST_ID; i++)
			md[i] = (uint8_t)mxw__random_u64();
	memcpy(ret_id, md, MXW__GREYLIST_ID);
}

static void add_lower(struct mxw__buf *buf, const char *s)
{
	for (; *s; s++)
		mxw__buf_addc(buf, mxw__ascii_lower(*s));
}

/*
 * "bounce-1234-anna=example.net@lists.example" is "bounce-#-anna=example.net@lists.example". A tag that is another one each day (prvs.h)
 * is left out.
 */
static void add_sender(struct mxw__buf *buf, const char *sender)
{
	struct mxw__prvs prvs;

	if (mxw__prvs_parse(sender, &prvs))
		sender = prvs.local;
	const char *at = strrchr(sender, '@');
	size_t local = at ? (size_t)(at - sender) : strlen(sender);

	for (size_t i = 0; i < local; i++) {
		if (!mxw__ascii_isdigit(sender[i]))
			mxw__buf_addc(buf, mxw__ascii_lower(sender[i]));
		else if (i == 0 || !mxw__ascii_isdigit(sender[i - 1]))
			mxw__buf_addc(buf, '#');
	}
	add_lower(buf, sender + local);
}

void mxw__greylist_attempt_make(const char *identity, const char *sender, const char *rcpt, struct mxw__greylist_attempt *ret_attempt)
{
	struct mxw__buf text;

	ret_attempt->delay_ms = 0;
	mxw__buf_init(&text, TEXT_MAX);
	mxw__buf_adds(&text, "identity\n");
	add_lower(&text, identity);
	digest(&text, ret_attempt->identity);
	mxw__buf_addc(&text, '\n');
	add_sender(&text, sender);
	mxw__buf_addc(&text, '\n');
	add_lower(&text, rcpt);
	digest(&text, ret_attempt->attempt);
	mxw__buf_fini(&text);
}
