/* SPDX-License-Identifier: BSD-2-Clause */
/* A zone-style file of any content is read or refused; every name it gives can be looked up. */
#include "config.h"

#include <stdlib.h>

#include "src/dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static mxw_status_t add_record(void *ctx, const struct mxw__zone_rr *rr, struct mxw_error *err)
{
	char rest[MXW__DNS_TEXT_MAX];
	mxw_status_t status = mxw__localdata_add(ctx, rr, err);

	if (status != MXW_OK)
		return status;
	mxw_dns_answer_t *answer = mxw__localdata_find(ctx, rr->owner, rr->type, false, rest);
	/* Nothing that was read is malformed. */
	if (!answer || answer->outcome != MXW_FOUND)
		abort();
	mxw_dns_answer_unref(answer);
	return MXW_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mxw_error err = {0};
	mxw__localdata_t *local = mxw__localdata_new();
	const struct mxw__zone_sink sink = {.record = add_record, .ctx = local};

	if (!local)
		abort();
	mxw_status_t status = mxw__zone_parse("f", (const char *)data, size, &sink, &err);
	if (status != MXW_OK && (err.line == 0 || err.text[0] == '\0'))
		abort();
	mxw__localdata_free(local);
	return 0;
}
