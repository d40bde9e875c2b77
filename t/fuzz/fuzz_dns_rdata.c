/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as a stranger's name server sends them: a type, then records with their lengths in front. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/dns/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ITEMS_MAX = 64 };

/* Whole labels of the name's end. */
static void check_zone(const char *name)
{
	const char *zone = mxw__dns_zone(name);

	if (zone < name || zone > name + strlen(name) || (zone > name && zone[-1] != '.'))
		abort();
}

/* What an answer promises: terminated names in their one form, octets that can all be read. */
static void check_answer(const mxw_dns_answer_t *answer)
{
	char again[MXW__DNS_TEXT_MAX];
	unsigned sum = 0;

	if ((answer->outcome == MXW_FOUND) != (answer->nrecords > 0))
		abort();
	for (size_t i = 0; i < answer->nrecords; i++) {
		const struct mxw_dns_rr *rr = &answer->records[i];
		for (size_t j = 0; j <= rr->len; j++)
			sum += rr->data[j];
		if (rr->name && (!mxw__dns_name_normalise(rr->name, again) || strcmp(rr->name, again) != 0))
			abort();
		if (rr->name)
			check_zone(rr->name);
	}
	(void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mxw__rdata items[ITEMS_MAX];
	size_t n = 0, in = 1;

	if (size < 1)
		return 0;
	while (n < ITEMS_MAX && size - in >= 2) {
		size_t len = (size_t)data[in] << 8 | data[in + 1];
		in += 2;
		if (len > size - in)
			len = size - in;
		items[n++] = (struct mxw__rdata){data + in, len};
		in += len;
	}
	mxw_dns_answer_t *answer = mxw__dns_answer_from_rdata(data[0], items, n, 60);
	check_answer(answer);
	mxw_dns_answer_unref(answer);
	return 0;
}
