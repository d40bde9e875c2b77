/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which hosts take every recipient of a domain, and whom each of them accepted last. A table of fixed size: a host that
 * is asked for more domains than fit is tried more often, that is all. Its caller has the lock.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/callahead.h"

enum { TRUSTS_MAX = 2048, BUCKETS = 512, KNOWN_MS = 3600 * 1000, UNDECIDED_MS = 60 * 1000 };

struct trust {
	LIST_ENTRY(trust) in_bucket;
	TAILQ_ENTRY(trust) in_age; /* the one used longest ago first */
	uint64_t hash;
	size_t rank;
	mxw__call_trust_t trust;
	int64_t until_ms;
	char domain[256];
	char accepted[MXW__CALL_ACCEPTED_MAX + 1]; /* a path; "": none */
};

struct mxw__call_trusts {
	struct mxw__hashkey key;
	size_t n;
	TAILQ_HEAD(, trust) ages;
	LIST_HEAD(, trust) buckets[BUCKETS];
};

struct mxw__call_trusts *mxw__call_trusts_new(void)
{
	struct mxw__call_trusts *trusts = calloc(1, sizeof *trusts);

	if (!trusts)
		return NULL;
	mxw__hashkey_random(&trusts->key);
	TAILQ_INIT(&trusts->ages);
	return trusts;
}

static void drop(struct mxw__call_trusts *trusts, struct trust *trust)
{
	LIST_REMOVE(trust, in_bucket);
	TAILQ_REMOVE(&trusts->ages, trust, in_age);
	trusts->n--;
	mxw__wipe(trust, sizeof *trust);
	free(trust);
}

void mxw__call_trusts_free(struct mxw__call_trusts *trusts)
{
	struct trust *trust;

	if (!trusts)
		return;
	while ((trust = TAILQ_FIRST(&trusts->ages)))
		drop(trusts, trust);
	free(trusts);
}

static struct trust *find(const struct mxw__call_trusts *trusts, size_t rank, const char *domain, uint64_t hash)
{
	struct trust *trust;

	LIST_FOREACH(trust, &trusts->buckets[hash % BUCKETS], in_bucket)
		if (trust->hash == hash && trust->rank == rank && strcmp(trust->domain, domain) == 0)
			return trust;
	return NULL;
}

static uint64_t hash_of(const struct mxw__call_trusts *trusts, size_t rank, const char *domain)
{
	return mxw__hash(&trusts->key, domain, strlen(domain)) + rank;
}

mxw__call_trust_t mxw__call_trusts_get(struct mxw__call_trusts *trusts, size_t rank, const char *domain, int64_t now_ms)
{
	const struct trust *trust = find(trusts, rank, domain, hash_of(trusts, rank, domain));

	return trust && now_ms < trust->until_ms ? trust->trust : MXW__CALL_NOT_TRIED;
}

/* The entry, or a new one, as the one used last. NULL: no memory, or no domain name. */
static struct trust *touch(struct mxw__call_trusts *trusts, size_t rank, const char *domain)
{
	uint64_t hash = hash_of(trusts, rank, domain);
	struct trust *trust = find(trusts, rank, domain, hash);

	if (trust) {
		TAILQ_REMOVE(&trusts->ages, trust, in_age);
		TAILQ_INSERT_TAIL(&trusts->ages, trust, in_age);
		return trust;
	}
	if (strlen(domain) >= sizeof trust->domain)
		return NULL;
	while (trusts->n >= TRUSTS_MAX)
		drop(trusts, TAILQ_FIRST(&trusts->ages));
	trust = calloc(1, sizeof *trust);
	if (!trust)
		return NULL;
	trust->hash = hash;
	trust->rank = rank;
	snprintf(trust->domain, sizeof trust->domain, "%s", domain);
	LIST_INSERT_HEAD(&trusts->buckets[hash % BUCKETS], trust, in_bucket);
	TAILQ_INSERT_TAIL(&trusts->ages, trust, in_age);
	trusts->n++;
	return trust;
}

void mxw__call_trusts_set(struct mxw__call_trusts *trusts, size_t rank, const char *domain, mxw__call_trust_t what,
			  int64_t now_ms)
{
	struct trust *trust = touch(trusts, rank, domain);

	if (!trust)
		return;
	trust->trust = what;
	trust->until_ms = now_ms + (what == MXW__CALL_UNDECIDED ? UNDECIDED_MS : KNOWN_MS);
}

void mxw__call_trusts_accept(struct mxw__call_trusts *trusts, size_t rank, const char *domain, const char *path)
{
	struct trust *trust = strlen(path) <= MXW__CALL_ACCEPTED_MAX ? touch(trusts, rank, domain) : NULL;

	if (trust)
		snprintf(trust->accepted, sizeof trust->accepted, "%s", path);
}

bool mxw__call_trusts_accepted(const struct mxw__call_trusts *trusts, size_t rank, const char *domain,
			       char ret_path[MXW__CALL_ACCEPTED_MAX + 1])
{
	const struct trust *trust = find(trusts, rank, domain, hash_of(trusts, rank, domain));

	if (!trust || !*trust->accepted)
		return false;
	memcpy(ret_path, trust->accepted, sizeof trust->accepted);
	return true;
}

void mxw__call_trusts_forget(struct mxw__call_trusts *trusts, size_t rank, const char *domain, const char *path)
{
	struct trust *trust = find(trusts, rank, domain, hash_of(trusts, rank, domain));

	if (trust && strcmp(trust->accepted, path) == 0)
		mxw__wipe(trust->accepted, sizeof trust->accepted);
}

size_t mxw__call_trusts_count(const struct mxw__call_trusts *trusts)
{
	return trusts->n;
}
