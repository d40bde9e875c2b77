/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/dns/dns.h"

enum { LABEL_MAX = 63 };

/* Reads one octet of a label, escaped or not; returns how many characters it took, 0 if it is no octet. */
static size_t read_octet(const char *s, size_t len, uint8_t *ret)
{
	if (s[0] != '\\') {
		*ret = (uint8_t)s[0];
		return 1;
	}
	if (len < 2)
		return 0;
	if (!mxw__ascii_isdigit(s[1])) {
		*ret = (uint8_t)s[1];
		return 2;
	}
	if (len < 4 || !mxw__ascii_isdigit(s[2]) || !mxw__ascii_isdigit(s[3]))
		return 0;
	int value = (s[1] - '0') * 100 + (s[2] - '0') * 10 + (s[3] - '0');
	if (value > 255)
		return 0;
	*ret = (uint8_t)value;
	return 4;
}

bool mxw__dns_name_to_wire(const char *text, size_t len, uint8_t ret_wire[MXW__DNS_WIRE_MAX], size_t *ret_len)
{
	size_t out = 1, label = 0; /* where the label's length goes */

	if (len == 1 && text[0] == '.')
		len = 0;
	for (size_t i = 0; i < len;) {
		if (text[i] == '.') {
			if (out - label == 1 || out >= MXW__DNS_WIRE_MAX)
				return false;
			ret_wire[label] = (uint8_t)(out - label - 1);
			label = out++;
			i++;
			continue;
		}
		uint8_t octet = 0;
		size_t n = read_octet(text + i, len - i, &octet);
		if (n == 0 || out - label - 1 >= LABEL_MAX || out >= MXW__DNS_WIRE_MAX)
			return false;
		ret_wire[out++] = (uint8_t)mxw__ascii_lower((char)octet);
		i += n;
	}
	ret_wire[label] = (uint8_t)(out - label - 1);
	/* Without a final dot the root label is still to come. */
	if (out - label > 1) {
		if (out >= MXW__DNS_WIRE_MAX)
			return false;
		ret_wire[out++] = 0;
	}
	*ret_len = out;
	return true;
}

static size_t write_octet(uint8_t octet, char *out)
{
	if (octet > 0x20 && octet < 0x7f && octet != '.' && octet != '\\') {
		out[0] = mxw__ascii_lower((char)octet);
		return 1;
	}
	out[0] = '\\';
	out[1] = (char)('0' + octet / 100);
	out[2] = (char)('0' + octet / 10 % 10);
	out[3] = (char)('0' + octet % 10);
	return 4;
}

bool mxw__dns_name_from_wire(const uint8_t *wire, size_t len, char ret_text[MXW__DNS_TEXT_MAX], size_t *ret_used)
{
	size_t in = 0, out = 0;

	for (;;) {
		if (in >= len || in >= MXW__DNS_WIRE_MAX)
			return false;
		size_t label = wire[in++];
		if (label == 0)
			break;
		if (label > LABEL_MAX || label > len - in || in + label >= MXW__DNS_WIRE_MAX)
			return false;
		if (out > 0)
			ret_text[out++] = '.';
		for (size_t i = 0; i < label; i++)
			out += write_octet(wire[in + i], ret_text + out);
		in += label;
	}
	ret_text[out] = '\0';
	*ret_used = in;
	return true;
}

bool mxw__dns_name_normalise(const char *name, char ret_text[MXW__DNS_TEXT_MAX])
{
	uint8_t wire[MXW__DNS_WIRE_MAX];
	size_t len, used;

	return mxw__dns_name_to_wire(name, strlen(name), wire, &len) &&
	       mxw__dns_name_from_wire(wire, len, ret_text, &used);
}

const char *mxw__dns_name_parent(const char *name)
{
	if (!*name)
		return NULL;
	/* In the one form every dot separates labels. */
	const char *dot = strchr(name, '.');
	return dot ? dot + 1 : name + strlen(name);
}

static const struct {
	uint16_t type;
	const char *name;
} types[] = {
	{MXW_DNS_A, "A"},
	{MXW_DNS_NS, "NS"},
	{MXW_DNS_CNAME, "CNAME"},
	{MXW_DNS_SOA, "SOA"},
	{MXW_DNS_PTR, "PTR"},
	{MXW_DNS_MX, "MX"},
	{MXW_DNS_TXT, "TXT"},
	{MXW_DNS_AAAA, "AAAA"},
};

const char *mxw__dns_type_name(uint16_t type)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

uint16_t mxw__dns_type_find(const char *name, size_t len)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(types); i++)
		if (strlen(types[i].name) == len && mxw__ascii_ncasecmp(types[i].name, name, len) == 0)
			return types[i].type;
	return 0;
}
