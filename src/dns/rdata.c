/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/dns/dns.h"

/* The same code measures (out == NULL) and writes; both passes see the same octets, so they agree. */
struct writer {
	uint8_t *out;
	size_t used;
};

static uint8_t *put(struct writer *writer, const void *data, size_t len)
{
	uint8_t *at = writer->out ? writer->out + writer->used : NULL;

	if (at && len)
		memcpy(at, data, len);
	writer->used += len;
	return at;
}

/* The octets as they are, with a NUL after them for those who look at them as text. */
static bool read_plain(const struct mxw__rdata *item, struct writer *writer, struct mxw_dns_rr *rr)
{
	rr->data = put(writer, item->data, item->len);
	rr->len = item->len;
	put(writer, "", 1);
	return true;
}

static bool read_address(const struct mxw__rdata *item, size_t len, struct writer *writer, struct mxw_dns_rr *rr)
{
	return item->len == len && read_plain(item, writer, rr);
}

/* A name that fills the rest of the record exactly. */
static bool read_name(const struct mxw__rdata *item, size_t skip, struct writer *writer, struct mxw_dns_rr *rr)
{
	char text[MXW__DNS_TEXT_MAX];
	size_t used;

	if (item->len <= skip || !mxw__dns_name_from_wire(item->data + skip, item->len - skip, text, &used) ||
	    used != item->len - skip)
		return false;
	rr->name = (const char *)put(writer, text, strlen(text) + 1);
	rr->data = (const uint8_t *)"";
	rr->len = 0;
	return true;
}

/* RFC 1035 section 3.3.14: one or more strings with their lengths in front. RFC 7208 section 3.3: joined without blanks. */
static bool read_txt(const struct mxw__rdata *item, struct writer *writer, struct mxw_dns_rr *rr)
{
	size_t start = writer->used, in = 0;

	if (item->len == 0)
		return false;
	/* Look before writing, so that a malformed record leaves no trace. */
	while (in < item->len)
		in += 1 + (size_t)item->data[in];
	if (in != item->len)
		return false;
	rr->data = writer->out ? writer->out + start : NULL;
	for (in = 0; in < item->len; in += 1 + (size_t)item->data[in])
		put(writer, item->data + in + 1, item->data[in]);
	rr->len = writer->used - start;
	put(writer, "", 1);
	return true;
}

static bool read_record(uint16_t type, const struct mxw__rdata *item, struct writer *writer, struct mxw_dns_rr *rr)
{
	switch (type) {
	case MXW_DNS_A:
		return read_address(item, 4, writer, rr);
	case MXW_DNS_AAAA:
		return read_address(item, 16, writer, rr);
	case MXW_DNS_NS:
	case MXW_DNS_CNAME:
	case MXW_DNS_PTR:
		return read_name(item, 0, writer, rr);
	case MXW_DNS_MX:
		if (item->len < 2)
			return false;
		rr->preference = (uint16_t)(item->data[0] << 8 | item->data[1]);
		return read_name(item, 2, writer, rr);
	case MXW_DNS_TXT:
		return read_txt(item, writer, rr);
	default:
		return read_plain(item, writer, rr);
	}
}

mxw_dns_answer_t *mxw__dns_answer_from_rdata(uint16_t type, const struct mxw__rdata *items, size_t n,
					     uint32_t ttl_s)
{
	struct writer writer = {0};
	struct mxw_dns_rr rr, *records;
	size_t good = 0;

	for (size_t i = 0; i < n; i++)
		if (read_record(type, &items[i], &writer, &rr))
			good++;
	if (good == 0)
		return mxw__dns_answer_empty(MXW_TEMPORARY, 2, 0);
	uint8_t *bytes;
	mxw_dns_answer_t *answer = mxw_dns_answer_new(MXW_FOUND, 0, good, writer.used, &records, &bytes);
	if (!answer)
		return mxw__dns_answer_static(MXW__DNS_NO_MEMORY);
	writer = (struct writer){.out = bytes};
	for (size_t i = 0; i < n; i++) {
		rr = (struct mxw_dns_rr){0};
		if (read_record(type, &items[i], &writer, &rr))
			*records++ = rr;
	}
	answer->ttl_s = ttl_s;
	return answer;
}
