/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What says who wrote a message. The first octet says which: the two readings of From, whose fields are separated by NUL; a body
 * with the rest of a smuggled message, whole and in pieces; the organisation of a domain.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/mail/from_parts.h"
#include "src/mail/smuggle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIELDS = 20, TIMED_OCTETS = 1 << 16, OCTETS_PER_S = 50000 };

static void assert_no_controls(const char *s)
{
	for (; *s; s++)
		assert((unsigned char)*s >= ' ' && *s != 0x7f);
}

static void check_author(mxw__arena_t *arena, const struct mxw__from *from)
{
	char ascii[MXW__DOMAIN_MAX + 1];
	struct mxw__address address;
	bool is_listed = false;

	assert(*from->domain && mxw__domain_to_ascii(from->domain, strlen(from->domain), ascii) == MXW_OK);
	assert(strcmp(ascii, from->domain) == 0);
	for (size_t i = 0; i < from->ndomains; i++) {
		is_listed |= strcmp(from->domains[i], from->domain) == 0;
		assert(mxw__same_org_domain(from->domains[i], from->domain));
	}
	assert(is_listed);
	if (!*from->address)
		return;
	assert_no_controls(from->address);
	assert(mxw__utf8_is_clean(from->address));
	assert(mxw__address_parse(arena, from->address, &address) == MXW_OK);
	assert(strcmp(address.text, from->address) == 0 && strcmp(address.domain, from->domain) == 0);
}

/* What the strict reading takes the lenient one must have, and what it accepts is no syntax error. */
static void check_strict(const char *value, const struct mxw__from *from)
{
	struct mxw__from_reading strict = {0};

	if (!mxw__from_read_strictly(value, strlen(value), &strict) || from->kind == MXW__FROM_AMBIGUOUS)
		return;
	for (size_t i = 0; i < strict.domains.n; i++) {
		bool is_listed = false;
		for (size_t k = 0; k < from->ndomains; k++)
			is_listed |= strcmp(strict.domains.names[i], from->domains[k]) == 0;
		assert(is_listed);
	}
	assert(strict.naddresses == 0 || from->kind == MXW__FROM_VALID || from->kind == MXW__FROM_SEVERAL);
}

static void fuzz_from(char *s, size_t len)
{
	const char *values[FIELDS];
	size_t n = 0;
	struct mxw__from from;
	mxw__arena_t *arena = mxw__arena_new(1 << 16);

	for (char *at = s; at <= s + len && n < FIELDS; at += strlen(at) + 1)
		values[n++] = at;
	clock_t began = clock();
	assert(arena && mxw__from_read(arena, values, n, &from) == MXW_OK);
	assert(len < TIMED_OCTETS || clock() - began < (clock_t)(len / OCTETS_PER_S + 1) * CLOCKS_PER_SEC);
	assert(from.kind != MXW__FROM_MISSING && from.ndomains <= MXW__FROM_DOMAINS && !from.is_unknown);
	assert(from.flaws < MXW__FROM_NAME << 1);
	for (size_t i = 0; i < from.ndomains; i++)
		assert_no_controls(from.domains[i]);
	if (from.kind == MXW__FROM_VALID)
		check_author(arena, &from);
	else
		assert(!*from.address && !*from.domain);
	assert(from.kind != MXW__FROM_INVALID || from.ndomains == 0);
	if (n == 1)
		check_strict(values[0], &from);
	mxw__arena_free(arena);
}

/* How a body is cut makes no difference. */
static void fuzz_smuggle(const char *s, size_t len)
{
	const unsigned char *body = (const unsigned char *)s;
	struct mxw__smuggle whole = {0}, octets = {0}, halves = {0};

	mxw__smuggle_scan(&whole, body, len);
	for (size_t i = 0; i < len; i++)
		mxw__smuggle_scan(&octets, body + i, 1);
	mxw__smuggle_scan(&halves, body, len / 2);
	mxw__smuggle_scan(&halves, body + len / 2, len - len / 2);
	assert(whole.is_found == octets.is_found && whole.is_found == halves.is_found);
}

static void fuzz_org(const char *s)
{
	char org[MXW__DOMAIN_MAX + 1], again[MXW__DOMAIN_MAX + 1];

	mxw__org_domain(s, org);
	mxw__org_domain(org, again);
	assert(strlen(org) <= MXW__DOMAIN_MAX && strcmp(org, again) == 0);
	assert(!*org || mxw__same_org_domain(s, org));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	/* An exact copy, so that a read beyond the end is seen. */
	char *s = malloc(size);
	if (!s)
		abort();
	memcpy(s, data + 1, size - 1);
	s[size - 1] = '\0';
	if (data[0] == 's')
		fuzz_smuggle(s, size - 1);
	else if (data[0] == 'o')
		fuzz_org(s);
	else
		fuzz_from(s, size - 1);
	free(s);
	return 0;
}
