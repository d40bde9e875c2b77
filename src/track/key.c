/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mxward/net.h>

#include "src/track/key.h"

enum {
	HASH = 17,                          /* '~' and 16 digits */
	NAME_TEXT = MXW__KEY_TEXT_MAX - 8   /* of a name, below "domain:", with what must be escaped */
};

static const char *const names[MXW__KEY_KINDS] = {
	[MXW__KEY_NONE] = "none", [MXW__KEY_ADDRESS] = "address", [MXW__KEY_NETWORK] = "network", [MXW__KEY_WIDE] = "wide",
	[MXW__KEY_HELO] = "helo", [MXW__KEY_DOMAIN] = "domain", [MXW__KEY_USER] = "user",
};

const char *mxw__key_kind_name(mxw__key_kind_t kind)
{
	return (size_t)kind < MXW_ARRAY_LEN(names) ? names[kind] : "none";
}

/* Octets of the prefix; 0: there is none of that kind. */
static size_t prefix_octets(mxw__key_kind_t kind, int family)
{
	switch (kind) {
	case MXW__KEY_ADDRESS:
		return family == 4 ? 4 : 8;
	case MXW__KEY_NETWORK:
		return family == 4 ? 3 : 7;
	case MXW__KEY_WIDE:
		return family == 4 ? 0 : 6;
	default:
		return 0;
	}
}

struct mxw__key mxw__key_of_ip(mxw__key_kind_t kind, const struct mxw_ip *ip)
{
	struct mxw__key key = {0};
	size_t n = ip->family ? prefix_octets(kind, ip->family) : 0;

	if (n == 0)
		return key;
	key.kind = (uint8_t)kind;
	key.len = (uint8_t)(n + 1);
	key.data[0] = ip->family;
	memcpy(key.data + 1, ip->bytes, n);
	return key;
}

static bool is_plain(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != '%';
}

static size_t text_octets(uint8_t c)
{
	return is_plain(c) ? 1 : 3;
}

/* Without memory of its own, however long the name is: each piece is hashed with the hash of what is before it. */
static uint64_t hash_name(const char *name, size_t len)
{
	static const struct mxw__hashkey fixed = {UINT64_C(0x6d78776172640001), UINT64_C(0x6b65792e68000002)};
	enum { OF_HASH = 8, PIECE = 248 };
	uint8_t octets[OF_HASH + PIECE];
	uint64_t h = 0;

	for (size_t at = 0; at < len;) {
		size_t n = 0;
		for (; n < OF_HASH; n++)
			octets[n] = (uint8_t)(h >> (8 * n));
		for (; n < sizeof octets && at < len; at++)
			octets[n++] = (uint8_t)mxw__ascii_lower(name[at]);
		h = mxw__hash(&fixed, octets, n);
	}
	return h;
}

/* How many octets of the name fit into so many of a key and of its text. */
static size_t count_fitting(const char *name, size_t len, size_t octets, size_t text)
{
	size_t n = 0;

	for (; n < len && n < octets; n++) {
		size_t more = text_octets((uint8_t)name[n]);
		if (more > text)
			break;
		text -= more;
	}
	return n;
}

struct mxw__key mxw__key_of_name(mxw__key_kind_t kind, const char *name)
{
	struct mxw__key key = {0};
	size_t len = strlen(name);
	char hash[HASH + 1];

	/* All of them: of what is left the text must give the same key. */
	while (kind != MXW__KEY_USER && len && name[len - 1] == '.')
		len--;
	if (len == 0)
		return key;
	size_t head = count_fitting(name, len, MXW__KEY_DATA, NAME_TEXT);
	if (head < len)
		head = count_fitting(name, len, MXW__KEY_DATA - HASH, NAME_TEXT - HASH);
	key.kind = (uint8_t)kind;
	key.len = (uint8_t)head;
	for (size_t i = 0; i < head; i++)
		key.data[i] = (uint8_t)mxw__ascii_lower(name[i]);
	if (head == len)
		return key;
	snprintf(hash, sizeof hash, "~%016" PRIx64, hash_name(name, len));
	memcpy(key.data + head, hash, HASH);
	key.len = (uint8_t)(head + HASH);
	return key;
}

/* ---- text ---- */

static void ip_text(const struct mxw__key *key, char *ret_text)
{
	struct mxw_ip ip = {.family = key->data[0]};
	char text[MXW_IP_TEXT_MAX];
	size_t n = key->len - 1u;

	memcpy(ip.bytes, key->data + 1, n);
	mxw_ip_format(&ip, text);
	if (ip.family == 4 && n == 4)
		snprintf(ret_text, MXW__KEY_TEXT_MAX, "%s", text);
	else
		snprintf(ret_text, MXW__KEY_TEXT_MAX, "%s/%zu", text, n * 8);
}

char *mxw__key_text(const struct mxw__key *key, char ret_text[MXW__KEY_TEXT_MAX])
{
	size_t at = 0;

	ret_text[0] = '\0';
	if (key->kind == MXW__KEY_NONE || key->kind >= MXW__KEY_KINDS)
		return ret_text;
	if (key->kind <= MXW__KEY_WIDE) {
		ip_text(key, ret_text);
		return ret_text;
	}
	at = (size_t)snprintf(ret_text, MXW__KEY_TEXT_MAX, "%s:", names[key->kind]);
	for (size_t i = 0; i < key->len && at + text_octets(key->data[i]) < MXW__KEY_TEXT_MAX; i++) {
		if (is_plain(key->data[i]))
			ret_text[at++] = (char)key->data[i];
		else
			at += (size_t)snprintf(ret_text + at, MXW__KEY_TEXT_MAX - at, "%%%02X", key->data[i]);
	}
	ret_text[at] = '\0';
	return ret_text;
}

static bool parse_ip(const char *text, struct mxw__key *ret_key)
{
	struct mxw_network net;

	if (!strchr(text, '/')) {
		struct mxw_ip ip;
		if (mxw_ip_parse(text, &ip) != MXW_OK || !ip.family)
			return false;
		*ret_key = mxw__key_of_ip(MXW__KEY_ADDRESS, &ip);
		return true;
	}
	if (mxw_network_parse(text, &net) != MXW_OK)
		return false;
	for (mxw__key_kind_t kind = MXW__KEY_ADDRESS; kind <= MXW__KEY_WIDE; kind++) {
		if (prefix_octets(kind, net.ip.family) * 8 != net.bits)
			continue;
		*ret_key = mxw__key_of_ip(kind, &net.ip);
		return true;
	}
	return false;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False for a '%' that is followed by no octet, or by 00. */
static bool unescape(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; *text; text++) {
		int c = (unsigned char)*text;
		if (c == '%') {
			if (hex(text[1]) < 0 || hex(text[2]) < 0)
				return false;
			c = hex(text[1]) * 16 + hex(text[2]);
			text += 2;
		}
		if (c == 0 || n + 1 >= size)
			return false;
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return n > 0;
}

bool mxw__key_parse(const char *text, struct mxw__key *ret_key)
{
	char name[1024];

	for (mxw__key_kind_t kind = MXW__KEY_HELO; kind < MXW__KEY_KINDS; kind++) {
		size_t len = strlen(names[kind]);
		if (strncmp(text, names[kind], len) != 0 || text[len] != ':')
			continue;
		if (!unescape(text + len + 1, name, sizeof name))
			return false;
		struct mxw__key key = mxw__key_of_name(kind, name);
		if (key.kind != MXW__KEY_NONE)
			*ret_key = key;
		return key.kind != MXW__KEY_NONE;
	}
	return parse_ip(text, ret_key);
}
