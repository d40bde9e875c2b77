/* SPDX-License-Identifier: BSD-2-Clause */
/* What the values of a block list in the DNS must look like. */
#include "config.h"

#include <string.h>

#include "src/conf/conf.h"
#include "src/conf/schema.h"
#include "src/mail/mail.h"

bool mxw__check_dnsbl_zone(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	/* An IPv6 address before it takes 64 octets. */
	enum { ZONE_MAX = 253 - 64 };

	if (mxw__domain_is_valid(arg->text) && strlen(arg->text) <= ZONE_MAX)
		return true;
	mxw__complain(complaints, &arg->pos, "'%s' is no domain name; the zone of a list in the DNS was expected", arg->text);
	return false;
}

bool mxw__check_dnsbl_test_point(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	/* Behind it comes the zone. */
	enum { NAME_MAX_OCTETS = 63 };
	char name[MXW__DOMAIN_MAX + 1];

	if (mxw__domain_to_ascii(arg->text, strlen(arg->text), name) == MXW_OK && strlen(name) <= NAME_MAX_OCTETS)
		return true;
	mxw__complain(complaints, &arg->pos, "'%s' is no test point; yes, no, or a name of at most %d letters that the list has was expected",
		      arg->text, NAME_MAX_OCTETS);
	return false;
}

static bool parse_code(const char *text, size_t len, uint32_t *ret_code)
{
	char copy[16];
	struct mxw_ip ip;

	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (mxw_ip_parse(copy, &ip) != MXW_OK || ip.family != 4 || ip.bytes[0] != 127)
		return false;
	*ret_code = (uint32_t)ip.bytes[0] << 24 | (uint32_t)ip.bytes[1] << 16 | (uint32_t)ip.bytes[2] << 8 | ip.bytes[3];
	return true;
}

bool mxw__dnsbl_range_parse(const char *text, struct mxw__dnsbl_range *ret_range)
{
	size_t n = strcspn(text, "-");
	struct mxw__dnsbl_range r;

	if (!parse_code(text, n, &r.first))
		return false;
	r.last = r.first;
	if (text[n] && !parse_code(text + n + 1, strlen(text + n + 1), &r.last))
		return false;
	/* They end at 127.255.255.255: what reaches into the errors ends there, or is one of them. */
	if (r.first > r.last || r.last >= UINT32_C(0x7fffff00))
		return false;
	*ret_range = r;
	return true;
}

bool mxw__dnsbl_points_parse(const char *text, int *ret_points)
{
	uint64_t n;

	if (!mxw__parse_u64(text + (*text == '-'), &n) || n > MXW__DNSBL_POINTS_MAX)
		return false;
	*ret_points = *text == '-' ? -(int)n : (int)n;
	return true;
}

bool mxw__check_dnsbl_points(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	int points;

	if (mxw__dnsbl_points_parse(arg->text, &points))
		return true;
	mxw__complain(complaints, &arg->pos, "'%.40s' are no points; -%d to %d was expected", arg->text, MXW__DNSBL_POINTS_MAX,
		      MXW__DNSBL_POINTS_MAX);
	return false;
}

bool mxw__check_dnsbl_codes(struct mxw__complaints *complaints, const struct mxw__arg *arg)
{
	struct mxw__dnsbl_range range;

	if (mxw__dnsbl_range_parse(arg->text, &range))
		return true;
	mxw__complain(complaints, &arg->pos,
		      "'%s' is no code of a list; 127.0.0.2 or 127.0.0.2-127.0.0.11 was expected, below 127.255.255.0", arg->text);
	return false;
}
