/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdatomic.h>
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

/* 0: as it should be outside of simulations. */
static _Atomic uint64_t foreseen;

void mxw__hashkey_foresee(uint64_t seed)
{
	atomic_store(&foreseen, seed);
}

void mxw__hashkey_random(struct mxw__hashkey *ret_key)
{
	if (atomic_load(&foreseen)) {
		uint64_t n = atomic_fetch_add(&foreseen, 1);
		*ret_key = (struct mxw__hashkey){n, n * UINT64_C(0x9e3779b97f4a7c15)};
		return;
	}
	ret_key->k0 = mxw__random_u64();
	ret_key->k1 = mxw__random_u64();
}

static uint64_t rotl(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}

struct sip {
	uint64_t v0, v1, v2, v3;
};

/* By value, so that all of it stays in registers. */
static inline struct sip sip_round(struct sip s)
{
	s.v0 += s.v1;
	s.v1 = rotl(s.v1, 13) ^ s.v0;
	s.v0 = rotl(s.v0, 32);
	s.v2 += s.v3;
	s.v3 = rotl(s.v3, 16) ^ s.v2;
	s.v0 += s.v3;
	s.v3 = rotl(s.v3, 21) ^ s.v0;
	s.v2 += s.v1;
	s.v1 = rotl(s.v1, 17) ^ s.v2;
	s.v2 = rotl(s.v2, 32);
	return s;
}

/* Octets in little-endian order, as the algorithm wants them on every machine. */
static uint64_t load_le(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/* A whole word at once, where the machine has them in that order. */
static uint64_t load_word(const unsigned char *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
#else
	return load_le(p, sizeof(uint64_t));
#endif
}

static inline struct sip sip_word(struct sip s, uint64_t m)
{
	s.v3 ^= m;
	s = sip_round(s);
	s.v0 ^= m;
	return s;
}

uint64_t mxw__hash(const struct mxw__hashkey *key, const void *data, size_t len)
{
	const unsigned char *p = data;
	struct sip s = {key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
			key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL};
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8)
		s = sip_word(s, load_word(p));
	s = sip_word(s, load_le(p, left) | (uint64_t)len << 56);
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		s = sip_round(s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
