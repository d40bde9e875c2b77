/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SPF record of any content is read or refused, and libspf2 compiles what we write in its place to exactly the terms
 * that were kept. The first octet chooses the client's family; names expand to what a question may hold.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <spf2/spf.h>

#include "src/auth/spf_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *validated(void *ctx MXW_UNUSED, const char *current)
{
	return current;
}

static void expand_all(const struct mxw__spf_record *record, const struct mxw_ip *client)
{
	const struct mxw__spf_macros macros = {
		.local = "a-b+c", .domain = "d.example", .helo = "h\\.example", .current = "c.example",
		.client = *client, .validated = validated,
	};
	char name[MXW__SPF_MAX_NAME + 1];

	for (size_t i = 0; i < record->nterms; i++) {
		mxw__spf_expand(&macros, record->terms[i].spec, record->terms[i].spec_len, name);
		if (strlen(name) > MXW__SPF_MAX_NAME)
			abort();
	}
}

static void compile(const struct mxw__spf_record *record, uint8_t family)
{
	static SPF_dns_server_t dns; /* never asked */
	SPF_server_t *server = SPF_server_new_dns(&dns, 0);
	SPF_response_t *response = SPF_response_new(NULL);
	SPF_record_t *compiled = NULL;
	struct mxw__buf text;

	mxw__buf_init(&text, 1024);
	mxw__spf_record_write(record, MXW__SPF_MAX_TERMS, family, &text);
	if (text.failed || SPF_record_compile(server, response, &compiled, mxw__buf_str(&text)) != SPF_E_SUCCESS)
		abort();
	/* One more asks whether it came so far; a redirect does that itself. */
	bool has_redirect = record->nterms && record->terms[record->nterms - 1].kind == MXW__SPF_REDIRECT;
	if (compiled->num_mech != record->nterms + !has_redirect || SPF_response_messages(response))
		abort();
	mxw__buf_fini(&text);
	SPF_record_free(compiled);
	SPF_response_free(response);
	SPF_server_free(server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mxw__spf_record record;
	struct mxw_error err = {0};

	if (size < 1)
		return 0;
	struct mxw_ip client = {.family = data[0] & 1 ? 6 : 4, .bytes = {192, 0, 2, 10}};
	if (mxw__spf_record_parse(data + 1, size - 1, &client, &record, &err) != MXW_OK) {
		if (!err.text[0])
			abort();
		return 0;
	}
	if (!mxw__spf_record_is_spf(data + 1, size - 1))
		abort();
	expand_all(&record, &client);
	compile(&record, client.family);
	return 0;
}
