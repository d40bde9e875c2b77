/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "src/base/base.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* RFC 4291 section 2.5.5.2: a client that came over a mapped address is an IPv4 client. */
static struct mxw_ip from_v6(const uint8_t bytes[16])
{
	struct mxw_ip ip = {.family = 6};

	if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
		ip.family = 4;
		memcpy(ip.bytes, bytes + 12, 4);
	} else {
		memcpy(ip.bytes, bytes, 16);
	}
	return ip;
}

mxw_status_t mxw_ip_parse(const char *text, struct mxw_ip *ret_ip)
{
	uint8_t bytes[16];

	if (mxw__ascii_ncasecmp(text, "IPv6:", 5) == 0)
		text += 5;
	if (inet_pton(AF_INET, text, bytes) == 1) {
		struct mxw_ip ip = {.family = 4};
		memcpy(ip.bytes, bytes, 4);
		*ret_ip = ip;
		return MXW_OK;
	}
	if (inet_pton(AF_INET6, text, bytes) == 1) {
		*ret_ip = from_v6(bytes);
		return MXW_OK;
	}
	return MXW_ERR_INVALID;
}

struct mxw_ip mxw_ip_from_sockaddr(const struct sockaddr *sa)
{
	struct mxw_ip ip = {0};

	if (sa && sa->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof in);
		ip.family = 4;
		memcpy(ip.bytes, &in.sin_addr, 4);
	} else if (sa && sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof in6);
		ip = from_v6(in6.sin6_addr.s6_addr);
	}
	return ip;
}

char *mxw_ip_format(const struct mxw_ip *ip, char *ret_text)
{
	ret_text[0] = '\0';
	if (ip->family == 4)
		inet_ntop(AF_INET, ip->bytes, ret_text, MXW_IP_TEXT_MAX);
	else if (ip->family == 6)
		inet_ntop(AF_INET6, ip->bytes, ret_text, MXW_IP_TEXT_MAX);
	return ret_text;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (uint8_t)((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

mxw_status_t mxw_network_parse(const char *text, struct mxw_network *ret_network)
{
	char addr[64];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct mxw_network net = {0};
	uint64_t bits;

	if (len >= sizeof addr)
		return MXW_ERR_INVALID;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (mxw_ip_parse(addr, &net.ip) != MXW_OK)
		return MXW_ERR_INVALID;
	unsigned width = net.ip.family == 4 ? 32 : 128;
	if (!slash) {
		net.bits = (uint8_t)width;
	} else {
		/* "::ffff:192.0.2.0/120" was written as IPv6 and means 24 bits of IPv4. */
		unsigned offset = width == 32 && strchr(addr, ':') ? 96 : 0;
		if (!mxw__parse_u64(slash + 1, &bits) || bits < offset || bits > width + offset)
			return MXW_ERR_INVALID;
		net.bits = (uint8_t)(bits - offset);
	}
	for (unsigned i = net.bits; i < width; i++)
		if (net.ip.bytes[i / 8] & (0x80u >> (i % 8)))
			return MXW_ERR_INVALID;
	*ret_network = net;
	return MXW_OK;
}

bool mxw_network_contains(const struct mxw_network *network, const struct mxw_ip *ip)
{
	return ip->family != 0 && ip->family == network->ip.family &&
	       bits_equal(network->ip.bytes, ip->bytes, network->bits);
}

bool mxw__ip_from_bytes(const uint8_t *bytes, size_t len, struct mxw_ip *ret_ip)
{
	if (len != 4 && len != 16)
		return false;
	if (len == 16) {
		*ret_ip = from_v6(bytes);
		return true;
	}
	*ret_ip = (struct mxw_ip){.family = 4};
	memcpy(ret_ip->bytes, bytes, len);
	return true;
}

char *mxw__ip_reversed(const struct mxw_ip *ip, char ret_text[MXW__IP_REVERSED_MAX])
{
	static const char hex[] = "0123456789abcdef";
	char *out = ret_text;

	*out = '\0';
	if (ip->family == 4)
		snprintf(ret_text, MXW__IP_REVERSED_MAX, "%u.%u.%u.%u", ip->bytes[3], ip->bytes[2], ip->bytes[1], ip->bytes[0]);
	if (ip->family != 6)
		return ret_text;
	for (int i = 15; i >= 0; i--) {
		*out++ = hex[ip->bytes[i] & 15];
		*out++ = '.';
		*out++ = hex[ip->bytes[i] >> 4];
		*out++ = '.';
	}
	out[-1] = '\0';
	return ret_text;
}

char *mxw__ip_reverse_name(const struct mxw_ip *ip, char ret_name[MXW__REVERSE_NAME_MAX])
{
	char reversed[MXW__IP_REVERSED_MAX];

	ret_name[0] = '\0';
	if (ip->family)
		snprintf(ret_name, MXW__REVERSE_NAME_MAX, "%s.%s", mxw__ip_reversed(ip, reversed),
			 ip->family == 4 ? "in-addr.arpa" : "ip6.arpa");
	return ret_name;
}

static const struct {
	uint8_t family;
	uint8_t bits;
	uint8_t bytes[16];
	mxw__ip_reach_t reach;
} special[] = {
	{4, 8, {127}, MXW__IP_LOOPBACK},
	{4, 8, {0}, MXW__IP_PRIVATE},
	{4, 8, {10}, MXW__IP_PRIVATE},
	{4, 10, {100, 64}, MXW__IP_PRIVATE},
	{4, 16, {169, 254}, MXW__IP_PRIVATE},
	{4, 12, {172, 16}, MXW__IP_PRIVATE},
	{4, 24, {192, 0, 0}, MXW__IP_PRIVATE},
	{4, 24, {192, 0, 2}, MXW__IP_PRIVATE},
	{4, 24, {192, 88, 99}, MXW__IP_PRIVATE},
	{4, 16, {192, 168}, MXW__IP_PRIVATE},
	{4, 15, {198, 18}, MXW__IP_PRIVATE},
	{4, 24, {198, 51, 100}, MXW__IP_PRIVATE},
	{4, 24, {203, 0, 113}, MXW__IP_PRIVATE},
	{4, 3, {224}, MXW__IP_PRIVATE}, /* multicast, class E, broadcast */
	{6, 128, {[15] = 1}, MXW__IP_LOOPBACK},
	{6, 8, {0}, MXW__IP_PRIVATE},                     /* "::", and forms of IPv4 addresses that nobody routes */
	{6, 64, {0x01, 0x00}, MXW__IP_PRIVATE},           /* discarded */
	{6, 32, {0x20, 0x01, 0x0d, 0xb8}, MXW__IP_PRIVATE}, /* documentation */
	{6, 20, {0x3f, 0xff}, MXW__IP_PRIVATE},           /* documentation */
	{6, 7, {0xfc}, MXW__IP_PRIVATE},                  /* unique local */
	{6, 9, {0xfe, 0x80}, MXW__IP_PRIVATE},            /* link-local and the former site-local */
	{6, 8, {0xff}, MXW__IP_PRIVATE},                  /* multicast */
};

mxw__ip_reach_t mxw__ip_reach(const struct mxw_ip *ip)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(special); i++)
		if (special[i].family == ip->family && bits_equal(special[i].bytes, ip->bytes, special[i].bits))
			return special[i].reach;
	return ip->family ? MXW__IP_PUBLIC : MXW__IP_PRIVATE;
}
