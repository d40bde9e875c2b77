/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message of any content goes through the verifier: fields and body in parts whose length the first octet gives. Every key
 * is found; the second octet chooses which. An empty line ends the header. What is reported must be bounded and
 * printable.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/dkim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RSA_KEY \
	"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/" \
	"byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"

static const char *const keys[] = {
	RSA_KEY,
	"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
	"k=rsa; t=y:s; p=",
	"v=DKIM1; p=AAAA; h=sha256; s=email",
	"v=DKIM1; p=====; n=x",
};

struct fuzz_resolver {
	mxw_resolver_t resolver;
	const char *key; /* NULL: no answer in time */
};

static mxw_dns_answer_t *fuzz_ask(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type MXW_UNUSED,
				  int64_t deadline_ms MXW_UNUSED, struct mxw_dns_budget *budget MXW_UNUSED)
{
	const struct fuzz_resolver *self = (struct fuzz_resolver *)resolver;
	/* Those of RFC 8463 have the right keys. */
	const char *key = strncmp(name, "brisbane.", 9) ? self->key : keys[1];
	struct mxw_dns_rr *rr;
	uint8_t *bytes;
	mxw_dns_answer_t *answer;

	if (!key)
		return mxw_dns_answer_new(MXW_TEMPORARY, 2, 0, 0, NULL, NULL);
	answer = mxw_dns_answer_new(MXW_FOUND, 0, 1, strlen(key), &rr, &bytes);
	memcpy(bytes, key, strlen(key));
	rr[0] = (struct mxw_dns_rr){.data = bytes, .len = strlen(key)};
	return answer;
}

static void fuzz_prefetch(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type MXW_UNUSED,
			  struct mxw_dns_budget *budget MXW_UNUSED)
{
	if (!resolver || strlen(name) > 253)
		abort();
}

static void fuzz_destroy(mxw_resolver_t *resolver MXW_UNUSED)
{
}

static int64_t fuzz_time(void *ctx MXW_UNUSED)
{
	return INT64_C(1767225600000);
}

static void check_text(const char *s, size_t max)
{
	if (strlen(s) >= max)
		abort();
	for (; *s; s++) {
		if (*s < 0x20 || *s > 0x7e)
			abort();
	}
}

static void check_report(const struct mxw__dkim_signature *sig)
{
	check_text(sig->domain, sizeof(sig->domain));
	check_text(sig->selector, sizeof(sig->selector));
	check_text(sig->algorithm, sizeof(sig->algorithm));
	check_text(sig->b8, sizeof(sig->b8));
	check_text(sig->identity, sizeof(sig->identity));
	check_text(sig->reason, sizeof(sig->reason));
	if (sig->result == MXW__DKIM_NONE || (sig->result != MXW__DKIM_PASS && !sig->reason[0]))
		abort();
}

/* Hands over a field; a line without colon is one with an odd name. */
static void give_field(mxw__dkim_t *dkim, mxw_resolver_t *resolver, const mxw__dkim_lib_t *lib, char *field)
{
	char *colon = strchr(field, ':');
	const char *value = "";

	if (colon) {
		*colon = '\0';
		value = colon + 1;
	}
	if (!mxw__ascii_casecmp(field, "dkim-signature"))
		mxw__dkim_prefetch_key(lib, resolver, NULL, value);
	if (*field && mxw__dkim_header(dkim, field, value) != MXW_OK)
		abort();
}

/* Splits the header at newlines that no blank follows. Returns where the body begins. */
static char *give_header(mxw__dkim_t *dkim, mxw_resolver_t *resolver, const mxw__dkim_lib_t *lib, char *text)
{
	while (*text && *text != '\n') {
		char *end = text;
		do
			end += strcspn(end, "\n");
		while (*end && (end[1] == ' ' || end[1] == '\t') && ++end);
		bool is_last = !*end;
		*end = '\0';
		give_field(dkim, resolver, lib, text);
		if (is_last)
			return end;
		text = end + 1;
	}
	return *text ? text + 1 : text;
}

static void verify(mxw__dkim_lib_t *lib, struct fuzz_resolver *resolver, char *text, size_t size, size_t part)
{
	const struct mxw__dkim_signature *sigs;
	mxw__dkim_t *dkim;
	size_t n;

	if (mxw__dkim_new(lib, "fuzz", &resolver->resolver, NULL, &dkim) != MXW_OK)
		abort();
	const char *end = text + size;
	char *at = give_header(dkim, &resolver->resolver, lib, text);
	bool more = mxw__dkim_end_of_headers(dkim);
	for (; more && at < end; at += part) {
		size_t len = (size_t)(end - at) < part ? (size_t)(end - at) : part;
		more = mxw__dkim_body(dkim, (const unsigned char *)at, len);
		if ((size_t)(end - at) <= part)
			break;
	}
	mxw__dkim_finish(dkim, 0, &sigs, &n);
	for (size_t i = 0; i < n; i++)
		check_report(&sigs[i]);
	mxw__dkim_free(dkim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mxw_clock clock = {fuzz_time, fuzz_time, NULL, NULL};
	static const struct mxw_resolver_ops ops = {.ask = fuzz_ask, .prefetch = fuzz_prefetch, .destroy = fuzz_destroy};
	const struct mxw__dkim_options options = {.max_signatures = 4, .min_key_bits = 1024, .clock = &clock};
	struct fuzz_resolver resolver = {.key = NULL};
	mxw__dkim_lib_t *lib;

	if (size < 2)
		return 0;
	mxw_resolver_init(&resolver.resolver, &ops);
	if (data[1] % 8 < MXW_ARRAY_LEN(keys))
		resolver.key = keys[data[1] % 8];
	char *text = malloc(size - 1);
	if (!text || mxw__dkim_lib_new(&options, &lib, NULL) != MXW_OK)
		abort();
	memcpy(text, data + 2, size - 2);
	text[size - 2] = '\0';
	verify(lib, &resolver, text, size - 2, (size_t)data[0] + 1);
	mxw__dkim_lib_free(lib);
	free(text);
	return 0;
}
