/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "src/mail/prvs.h"

enum {
	DAYS = 1000,
	/* Further ahead no tag is made (bounce-proof lifetime), with a day for clocks that differ. */
	DAYS_AHEAD_MAX = 31
};

static int hex_value(char c)
{
	c = mxw__ascii_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool mxw__prvs_parse(const char *local, struct mxw__prvs *ret_prvs)
{
	struct mxw__prvs prvs = {0};

	if (mxw__ascii_ncasecmp(local, "prvs=", 5) != 0)
		return false;
	const char *tag = local + 5;
	for (size_t i = 0; i < 4; i++)
		if (!mxw__ascii_isdigit(tag[i]))
			return false;
	prvs.key_number = tag[0];
	for (size_t i = 1; i < 4; i++)
		prvs.day = prvs.day * 10 + (unsigned)(tag[i] - '0');
	for (size_t i = 0; i < 6; i++) {
		int value = hex_value(tag[4 + i]);
		if (value < 0)
			return false;
		prvs.mac[i / 2] = (unsigned char)(prvs.mac[i / 2] << 4 | value);
	}
	if (tag[10] != '=' || !tag[11])
		return false;
	prvs.local = tag + 11;
	*ret_prvs = prvs;
	return true;
}

/* False: no MAC is to be had. */
static bool make_mac(const char *key, const char *text, size_t len, unsigned char ret_mac[EVP_MAX_MD_SIZE])
{
	unsigned mac_len = 0;

	return HMAC(EVP_sha1(), key, (int)strlen(key), (const unsigned char *)text, len, ret_mac, &mac_len) && mac_len >= 3;
}

static bool sign(char key_number, unsigned day, const char *address, const char *key, unsigned char ret_mac[3])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	struct mxw__buf text;

	mxw__buf_init(&text, 4096);
	mxw__buf_addf(&text, "%c%03u%s", key_number, day, address);
	bool ok = !text.failed && make_mac(key, text.data, text.len, mac);
	mxw__buf_fini(&text);
	if (ok)
		memcpy(ret_mac, mac, 3);
	return ok;
}

mxw__prvs_state_t mxw__prvs_verify(const struct mxw__prvs *prvs, const char *address, const char *const *keys, size_t nkeys,
				   uint64_t today)
{
	unsigned char mac[3];
	bool is_ours = false;

	for (size_t i = 0; i < nkeys; i++)
		if (sign(prvs->key_number, prvs->day, address, keys[i], mac))
			is_ours |= CRYPTO_memcmp(mac, prvs->mac, sizeof mac) == 0;
	if (!is_ours)
		return MXW__PRVS_FORGED;
	unsigned ahead = (prvs->day + DAYS - (unsigned)(today % DAYS)) % DAYS;
	if (ahead <= DAYS_AHEAD_MAX)
		return MXW__PRVS_VALID;
	return ahead < DAYS / 2 ? MXW__PRVS_AHEAD : MXW__PRVS_EXPIRED;
}

/* The same for a key wherever it stands among the others, so that a new one can go before it. */
static bool number_of(const char *key, char *ret_number)
{
	static const char text[] = "key number";
	unsigned char mac[EVP_MAX_MD_SIZE];

	if (!make_mac(key, text, strlen(text), mac))
		return false;
	*ret_number = (char)('0' + mac[0] % 10);
	return true;
}

bool mxw__prvs_write(char *out, size_t size, const char *local, const char *address, const char *key, uint64_t expires)
{
	unsigned day = (unsigned)(expires % DAYS);
	unsigned char mac[3];
	char number;

	if (!number_of(key, &number) || !sign(number, day, address, key, mac))
		return false;
	int n = snprintf(out, size, "prvs=%c%03u%02x%02x%02x=%s", number, day, mac[0], mac[1], mac[2], local);
	return n > 0 && (size_t)n < size;
}
