/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why buckets are shared by hash and not kept per zone: what strangers send must not make a table grow, nor push the
 * bucket of a zone under attack out of it. Each zone has a bucket in two rows, at places that a keyed hash gives, and has a
 * token as long as one of the two has: so another zone is hurt only if floods have emptied both of its buckets.
 *
 * A bucket is one number: the time at which it will be full again. Taking a token moves that by the time in which one
 * comes back; there is none if it would lie further ahead than the burst takes to come back.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/dns/dns.h"
#include "src/mail/mail.h"

enum { ROWS = 2, PLACES = 8192, WARN_INTERVAL_MS = 60000 };

struct buckets {
	struct mxw__dns_rate rate;
	int64_t interval_ns;  /* in which a token comes back; 0: no limit */
	int64_t room_ns;      /* in which all do */
	pthread_mutex_t lock; /* guards full_ns; a leaf */
	int64_t full_ns[ROWS][PLACES];
};

struct mxw__dns_budgets {
	struct mxw__hashkey hashkey;
	size_t nunlimited;
	char **unlimited;     /* in their one form */
	void (*notice)(void *ctx, const char *text);
	void *notice_ctx;
	_Atomic int64_t warn_after_ms[MXW__REFUSALS];
	_Atomic uint64_t unwarned[MXW__REFUSALS], refused[MXW__REFUSALS];
	struct buckets zones, clients;
};

/* ---- buckets ---- */

static void buckets_init(struct buckets *buckets, const struct mxw__dns_rate *rate)
{
	pthread_mutex_init(&buckets->lock, NULL);
	buckets->rate = *rate;
	if (!rate->per_s)
		return;
	buckets->interval_ns = INT64_C(1000000000) / rate->per_s;
	buckets->room_ns = buckets->interval_ns * (rate->burst ? rate->burst : 1);
}

static int64_t *bucket(struct buckets *buckets, int row, uint64_t hash)
{
	return &buckets->full_ns[row][(row ? hash >> 32 : hash) % PLACES];
}

static int64_t full_with_one_less(const struct buckets *buckets, int64_t full_ns, int64_t now_ns)
{
	return (full_ns > now_ns ? full_ns : now_ns) + buckets->interval_ns;
}

static bool take(struct buckets *buckets, uint64_t hash, int64_t now_ns)
{
	int64_t *full_ns[ROWS];
	bool has_token = false;

	if (!buckets->interval_ns)
		return true;
	pthread_mutex_lock(&buckets->lock);
	for (int row = 0; row < ROWS; row++) {
		full_ns[row] = bucket(buckets, row, hash);
		has_token |= full_with_one_less(buckets, *full_ns[row], now_ns) <= now_ns + buckets->room_ns;
	}
	for (int row = 0; row < ROWS && has_token; row++) {
		int64_t less = full_with_one_less(buckets, *full_ns[row], now_ns);
		/* The one that is empty is in debt, and no more than that. */
		if (less <= now_ns + 2 * buckets->room_ns)
			*full_ns[row] = less;
	}
	pthread_mutex_unlock(&buckets->lock);
	return has_token;
}

static void give_back(struct buckets *buckets, uint64_t hash)
{
	pthread_mutex_lock(&buckets->lock);
	for (int row = 0; row < ROWS; row++)
		*bucket(buckets, row, hash) -= buckets->interval_ns;
	pthread_mutex_unlock(&buckets->lock);
}

/* ---- whose tokens ---- */

const char *mxw__dns_zone(const char *name)
{
	size_t i = strlen(name), labels = 4;

	if (mxw__domain_is_below(name, "ip6.arpa"))
		labels = 10;
	else if (!mxw__domain_is_below(name, "in-addr.arpa"))
		return mxw__operator_domain(name);
	for (; i > 0; i--)
		if (name[i - 1] == '.' && --labels == 0)
			break;
	return name + i;
}

static bool is_unlimited(const mxw__dns_budgets_t *budgets, const char *name)
{
	for (size_t i = 0; i < budgets->nunlimited; i++)
		if (mxw__domain_is_below(name, budgets->unlimited[i]))
			return true;
	return false;
}

/* A site has a /64 of IPv6 at least. */
static size_t client_octets(const struct mxw_ip *client)
{
	return client->family == 4 ? 4 : client->family == 6 ? 8 : 0;
}

mxw__dns_refusal_t mxw__dns_budgets_take(mxw__dns_budgets_t *budgets, const char *name, uint64_t zone_hash,
					 const struct mxw_ip *client, int64_t now_ms)
{
	int64_t now_ns = now_ms * 1000000;
	size_t octets = client ? client_octets(client) : 0;
	uint64_t client_hash = octets ? mxw__hash(&budgets->hashkey, client->bytes, octets) : 0;

	if (octets && !take(&budgets->clients, client_hash, now_ns))
		return MXW__REFUSED_CLIENT;
	if (is_unlimited(budgets, name) || take(&budgets->zones, zone_hash, now_ns))
		return MXW__REFUSED_NOT;
	if (octets)
		give_back(&budgets->clients, client_hash);
	return MXW__REFUSED_ZONE;
}

/* ---- what is said of it ---- */

static void say(mxw__dns_budgets_t *budgets, mxw__dns_refusal_t why, const char *name, const struct mxw_ip *client,
		uint64_t times)
{
	char text[MXW__DNS_TEXT_MAX + 256], address[MXW_IP_TEXT_MAX];
	unsigned long long n = times;

	if (why == MXW__REFUSED_ZONE)
		snprintf(text, sizeof(text), "zone %s: over its budget of %u DNS questions a second (zone-rate); %llu were not "
			 "asked for such zones since the last warning", mxw__dns_zone(name), budgets->zones.rate.per_s, n);
	else if (why == MXW__REFUSED_CLIENT)
		snprintf(text, sizeof(text), "client %s: over its budget of %u DNS questions a second (client-rate); %llu were "
			 "not asked for such clients since the last warning", mxw_ip_format(client, address),
			 budgets->clients.rate.per_s, n);
	else
		snprintf(text, sizeof(text), "too many DNS questions are unanswered (max-open, or a quarter of that for zone %s); "
			 "%llu were not asked since the last warning", mxw__dns_zone(name), n);
	budgets->notice(budgets->notice_ctx, text);
}

void mxw__dns_budgets_note(mxw__dns_budgets_t *budgets, mxw__dns_refusal_t why, const char *name,
			   const struct mxw_ip *client, int64_t now_ms)
{
	int64_t after = atomic_load_explicit(&budgets->warn_after_ms[why], memory_order_relaxed);

	atomic_fetch_add_explicit(&budgets->refused[why], 1, memory_order_relaxed);
	/* One session over its own budget is that session's matter. */
	if (!budgets->notice || why == MXW__REFUSED_SESSION)
		return;
	atomic_fetch_add_explicit(&budgets->unwarned[why], 1, memory_order_relaxed);
	if (now_ms >= after && atomic_compare_exchange_strong(&budgets->warn_after_ms[why], &after,
							      now_ms + WARN_INTERVAL_MS))
		say(budgets, why, name, client, atomic_exchange(&budgets->unwarned[why], 0));
}

uint64_t mxw__dns_budgets_refused(const mxw__dns_budgets_t *budgets, mxw__dns_refusal_t why)
{
	return atomic_load_explicit(&budgets->refused[why], memory_order_relaxed);
}

/* ---- life ---- */

static bool add_unlimited(mxw__dns_budgets_t *budgets, const char *zone)
{
	char text[MXW__DNS_TEXT_MAX];

	/* What is no name is above none. */
	if (!mxw__dns_name_normalise(zone, text))
		return true;
	budgets->unlimited[budgets->nunlimited] = strdup(text);
	return budgets->unlimited[budgets->nunlimited++] != NULL;
}

mxw__dns_budgets_t *mxw__dns_budgets_new(const struct mxw__dns_budgets_options *options,
					 const struct mxw__hashkey *hashkey)
{
	mxw__dns_budgets_t *budgets = calloc(1, sizeof(*budgets));
	bool ok = true;

	if (!budgets)
		return NULL;
	budgets->hashkey = *hashkey;
	budgets->notice = options->notice;
	budgets->notice_ctx = options->notice_ctx;
	buckets_init(&budgets->zones, &options->zone);
	buckets_init(&budgets->clients, &options->client);
	for (int i = 0; i < MXW__REFUSALS; i++)
		atomic_init(&budgets->warn_after_ms[i], INT64_MIN);
	budgets->unlimited = mxw__calloc(options->nunlimited + 1, sizeof(char *));
	for (size_t i = 0; budgets->unlimited && ok && i < options->nunlimited; i++)
		ok = add_unlimited(budgets, options->unlimited[i]);
	if (budgets->unlimited && ok)
		return budgets;
	mxw__dns_budgets_free(budgets);
	return NULL;
}

void mxw__dns_budgets_free(mxw__dns_budgets_t *budgets)
{
	if (!budgets)
		return;
	for (size_t i = 0; i < budgets->nunlimited; i++)
		free(budgets->unlimited[i]);
	free(budgets->unlimited);
	pthread_mutex_destroy(&budgets->zones.lock);
	pthread_mutex_destroy(&budgets->clients.lock);
	free(budgets);
}
