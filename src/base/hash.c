/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "src/base/base.h"

uint64_t mxw__random_u64(void)
{
	uint64_t v = 0;
	unsigned char *p = (unsigned char *)&v;
	size_t have = 0;

	while (have < sizeof v) {
		ssize_t n = getrandom(p + have, sizeof v - have, 0);
		if (n > 0)
			have += (size_t)n;
	}
	return v;
}

void mxw__hashkey_random(struct mxw__hashkey *ret_key)
{
	ret_key->k0 = mxw__random_u64();
	ret_key->k1 = mxw__random_u64();
}

static uint64_t rotl(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* Octets in little-endian order, as the algorithm wants them on every machine. */
static uint64_t load_le(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint64_t mxw__hash(const struct mxw__hashkey *key, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
			 key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL};
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8) {
		uint64_t m = load_le(p, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	uint64_t m = load_le(p, left) | (uint64_t)len << 56;
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
