/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/lists/entry.h"
#include "src/mail/mail.h"

/* Larger networks are a mistake of the pen: a tenth of the world on a list. */
enum { BITS_MIN_IPV4 = 8, BITS_MIN_IPV6 = 16 };

/* ---- keys ---- */

void mxw__list_key_of_ip(const struct mxw_ip *ip, unsigned bits, struct mxw__list_key *ret_key)
{
	size_t len = ip->family == 4 ? 4 : 16;

	ret_key->len = 2 + len;
	ret_key->data[0] = (uint8_t)(ip->family == 4 ? MXW__LIST_KEY_IPV4 : MXW__LIST_KEY_IPV6);
	ret_key->data[1] = (uint8_t)bits;
	for (size_t i = 0; i < len; i++) {
		unsigned left = bits > 8 * i ? bits - 8 * (unsigned)i : 0;
		ret_key->data[2 + i] = left >= 8 ? ip->bytes[i] : (uint8_t)(ip->bytes[i] & ~(0xffu >> left));
	}
}

bool mxw__list_key_of_name(mxw__list_key_type_t type, const char *name, size_t len, struct mxw__list_key *ret_key)
{
	if (len == 0 || len >= MXW__LIST_KEY_MAX)
		return false;
	ret_key->len = 1 + len;
	ret_key->data[0] = (uint8_t)type;
	for (size_t i = 0; i < len; i++)
		ret_key->data[1 + i] = (uint8_t)mxw__ascii_lower(name[i]);
	return true;
}

/* ---- entries ---- */

static const char *parse_network(const char *text, struct mxw__list_key *ret_key, char *ret_entry)
{
	char ip[MXW_IP_TEXT_MAX];
	struct mxw_network network;

	if (mxw_network_parse(text, &network) != MXW_OK)
		return "is no address and no network, or has bits beyond the prefix";
	if (network.bits < (network.ip.family == 4 ? BITS_MIN_IPV4 : BITS_MIN_IPV6))
		return "is larger than an IPv4 /8 or an IPv6 /16";
	mxw__list_key_of_ip(&network.ip, network.bits, ret_key);
	bool is_whole = network.bits == (network.ip.family == 4 ? 32 : 128);
	mxw_ip_format(&network.ip, ip);
	if (is_whole)
		snprintf(ret_entry, MXW__LIST_ENTRY_MAX, "%s", ip);
	else
		snprintf(ret_entry, MXW__LIST_ENTRY_MAX, "%s/%u", ip, network.bits);
	return NULL;
}

/* Figures, dots and colons alone, or a prefix behind them: what was meant for an address is never read as a name. */
static bool looks_like_network(const char *text)
{
	size_t n = strspn(text, "0123456789.");

	return strchr(text, ':') || text[n] == '\0' || text[n] == '/';
}

static const char *parse_name(const char *text, size_t len, struct mxw__list_key *ret_key, char *ret_entry)
{
	char name[MXW__DOMAIN_MAX + 1];
	bool is_below = text[0] == '.' || (text[0] == '*' && text[1] == '.');
	size_t skip = !is_below ? 0 : text[0] == '.' ? 1 : 2;

	if (memchr(text + skip, '[', len - skip) || mxw__domain_to_ascii(text + skip, len - skip, name) != MXW_OK)
		return "is no domain name";
	size_t name_len = strlen(name);
	if (looks_like_network(name))
		return "is no domain name";
	if (name_len + 2 > MXW__LIST_ENTRY_MAX)
		return "is too long";
	mxw__list_key_of_name(is_below ? MXW__LIST_KEY_BELOW : MXW__LIST_KEY_NAME, name, name_len, ret_key);
	snprintf(ret_entry, MXW__LIST_ENTRY_MAX, "%s%s", is_below ? "." : "", name);
	return NULL;
}

static const char *parse_mailbox(const char *text, struct mxw__list_key *ret_key, char *ret_entry)
{
	enum { BYTES = 16 * 1024 };
	mxw__arena_t *arena = mxw__arena_new(BYTES);
	struct mxw__address address;
	const char *complaint = NULL;
	mxw_status_t status = arena ? mxw__address_parse(arena, text, &address) : MXW_ERR_NOMEM;

	if (status != MXW_OK || address.is_null || !*address.domain || strchr(text, '<')) {
		complaint = "is no mail address";
	} else if (strlen(address.text) + 1 > MXW__LIST_ENTRY_MAX || strpbrk(address.text, " \t\"")) {
		complaint = "is too long, or needs quotes";
	} else {
		const char *key = address.key_text ? address.key_text : address.text;
		if (!mxw__list_key_of_name(MXW__LIST_KEY_MAILBOX, key, strlen(key), ret_key))
			complaint = "is too long";
		snprintf(ret_entry, MXW__LIST_ENTRY_MAX, "%s", address.text);
	}
	mxw__arena_free(arena);
	return complaint;
}

const char *mxw__list_entry_parse(const char *text, size_t len, mxw__list_kind_t kind, struct mxw__list_key *ret_key,
				  char ret_entry[MXW__LIST_ENTRY_MAX])
{
	char copy[MXW__LIST_ENTRY_MAX];

	*ret_key = (struct mxw__list_key){0};
	if (len == 0)
		return "is empty";
	if (len >= sizeof copy || memchr(text, '\0', len))
		return "is too long";
	memcpy(copy, text, len);
	copy[len] = '\0';
	bool is_mailbox = strchr(copy, '@');
	if (!is_mailbox && looks_like_network(copy))
		return kind == MXW__LIST_NAMES ? "is an address, and this is a list of names" :
						 parse_network(copy, ret_key, ret_entry);
	if (kind == MXW__LIST_ADDRESSES)
		return "is no address, and this is a list of addresses";
	return is_mailbox ? parse_mailbox(copy, ret_key, ret_entry) : parse_name(copy, len, ret_key, ret_entry);
}

bool mxw__list_text_is_good(const char *text, size_t max)
{
	for (const char *s = text; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return strlen(text) < max && mxw__utf8_is_clean(text);
}
