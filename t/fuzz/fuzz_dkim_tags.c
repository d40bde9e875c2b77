/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is read before libopendkim sees it: by the first octet a DKIM-Signature field ('s'), a key record for an RSA ('r') or an
 * Ed25519 signature ('e'), or a body whose length l= is compared with ('l', the second octet gives the size of its parts).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/dkim_length.h"
#include "src/auth/dkim_sig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *s, size_t max)
{
	must(strlen(s) < max);
	for (; *s; s++)
		must(*s >= 0x20 && *s <= 0x7e);
}

static void read_signature(const char *text, size_t size)
{
	struct mxw__dkim_signature sig = {.result = MXW__DKIM_NONE};
	struct mxw__dkim_signature_info info = {.sig = &sig};
	bool is_good = mxw__dkim_read_signature(text, size, 1767225600, &info);

	check_text(sig.domain, sizeof(sig.domain));
	check_text(sig.selector, sizeof(sig.selector));
	check_text(sig.algorithm, sizeof(sig.algorithm));
	check_text(sig.b8, sizeof(sig.b8));
	check_text(sig.identity, sizeof(sig.identity));
	check_text(sig.reason, sizeof(sig.reason));
	must(is_good == (sig.result == MXW__DKIM_NONE));
	must(is_good || sig.reason[0]);
	if (is_good)
		must(sig.domain[0] && sig.selector[0] && sig.b8[0] && info.named[0] && info.length >= -1);
}

static void read_key(const char *text, size_t size, const char *algorithm)
{
	struct mxw__dkim_signature sig = {.result = MXW__DKIM_NONE};
	struct mxw__dkim_signature_info info = {.sig = &sig, .is_subdomain = size % 2};
	struct mxw_dns_rr *rr;
	char key[MXW__DKIM_MAX_KEY];
	uint8_t *bytes;
	mxw_dns_answer_t *answer = mxw_dns_answer_new(MXW_FOUND, 0, 2, size, &rr, &bytes);

	strcpy(sig.algorithm, algorithm);
	memcpy(bytes, text, size);
	/* The first half is a record of its own. */
	rr[0] = (struct mxw_dns_rr){.data = bytes, .len = size / 2};
	rr[1] = (struct mxw_dns_rr){.data = bytes, .len = size};
	const struct mxw__dkim_key found = mxw__dkim_read_key(answer, &info, key, sizeof(key));
	must((found.result == MXW__DKIM_NONE) == !found.reason);
	if (found.result == MXW__DKIM_NONE)
		check_text(key, sizeof(key));
	mxw_dns_answer_unref(answer);
}

/* The parts do not matter, and nothing but blanks and ends of lines can be left out. */
static void measure(const unsigned char *data, size_t size)
{
	struct mxw__dkim_length parts = {0}, whole = {0};
	size_t part = *data++ % 17 + 1;

	size--;
	mxw__dkim_length_add(&whole, data, size);
	for (size_t at = 0; at < size; at += part) {
		mxw__dkim_length_add(&parts, data + at, size - at < part ? size - at : part);
		must(mxw__dkim_length_get(&parts, false) <= mxw__dkim_length_get(&whole, false));
	}
	for (int is_relaxed = 0; is_relaxed < 2; is_relaxed++) {
		must(mxw__dkim_length_get(&parts, is_relaxed) == mxw__dkim_length_get(&whole, is_relaxed));
		must(mxw__dkim_length_get(&whole, is_relaxed) <= size + 2);
	}
	must(mxw__dkim_length_get(&whole, true) <= mxw__dkim_length_get(&whole, false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	/* A copy of its own: reading beyond it is seen. */
	char *text = malloc(size);
	must(text);
	memcpy(text, data + 1, size - 1);
	switch (data[0]) {
	case 's':
		read_signature(text, size - 1);
		break;
	case 'r':
		read_key(text, size - 1, "rsa-sha256");
		break;
	case 'e':
		read_key(text, size - 1, "ed25519-sha256");
		break;
	case 'l':
		measure((const unsigned char *)text, size - 1);
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
