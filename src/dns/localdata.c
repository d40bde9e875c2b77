/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why not libunbound's own local zones: they do not follow a CNAME, know no wildcard within a zone, cost a round
 * trip to its thread, and its built-in zones (test., RFC 1918 reverse) stand in the way of the same names here.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/dns/dns.h"

enum {
	FILE_BYTES_MAX = 64 << 20,
	HOPS_MAX = 10,       /* CNAMEs followed, then it is a loop */
	LOOP_TTL_S = 5,      /* seconds */
	NEGATIVE_TTL_S = 300,
	FIRST_BUCKETS = 64
};

struct rrset {
	struct rrset *next;
	uint16_t type;
	uint32_t ttl_s;
	size_t n;
	struct mxw__rdata *items; /* each owns its octets */
};

/* A name with data, or one that has such names below it. */
struct node {
	struct node *next;
	struct rrset *sets;
	char name[];
};

struct mxw__localdata {
	struct mxw__hashkey key;
	struct node **buckets;
	size_t nbuckets, nnodes;
};

static size_t bucket_of(const mxw__localdata_t *local, const char *name, size_t nbuckets)
{
	return mxw__hash(&local->key, name, strlen(name)) & (nbuckets - 1);
}

mxw__localdata_t *mxw__localdata_new(void)
{
	mxw__localdata_t *local = calloc(1, sizeof(*local));

	if (!local)
		return NULL;
	mxw__hashkey_random(&local->key);
	local->nbuckets = FIRST_BUCKETS;
	local->buckets = calloc(local->nbuckets, sizeof(struct node *));
	if (!local->buckets) {
		free(local);
		return NULL;
	}
	return local;
}

static void node_free(struct node *node)
{
	struct rrset *set;

	while ((set = node->sets)) {
		node->sets = set->next;
		for (size_t i = 0; i < set->n; i++)
			free((void *)(uintptr_t)set->items[i].data);
		free(set->items);
		free(set);
	}
	free(node);
}

void mxw__localdata_free(mxw__localdata_t *local)
{
	struct node *node;

	if (!local)
		return;
	for (size_t i = 0; i < local->nbuckets; i++)
		while ((node = local->buckets[i])) {
			local->buckets[i] = node->next;
			node_free(node);
		}
	free(local->buckets);
	free(local);
}

static struct node *find_node(const mxw__localdata_t *local, const char *name)
{
	struct node *node = local->buckets[bucket_of(local, name, local->nbuckets)];

	while (node && strcmp(node->name, name) != 0)
		node = node->next;
	return node;
}

/* Doubles the table; without memory it stays as it is, only slower. */
static void grow(mxw__localdata_t *local)
{
	size_t nbuckets = local->nbuckets * 2;
	struct node **buckets = mxw__calloc(nbuckets, sizeof(*buckets)), *node;

	if (!buckets)
		return;
	for (size_t i = 0; i < local->nbuckets; i++)
		while ((node = local->buckets[i])) {
			local->buckets[i] = node->next;
			size_t b = bucket_of(local, node->name, nbuckets);
			node->next = buckets[b];
			buckets[b] = node;
		}
	free(local->buckets);
	local->buckets = buckets;
	local->nbuckets = nbuckets;
}

static struct node *make_node(mxw__localdata_t *local, const char *name)
{
	struct node *node = find_node(local, name);

	if (node)
		return node;
	if (local->nnodes >= local->nbuckets)
		grow(local);
	node = calloc(1, sizeof(*node) + strlen(name) + 1);
	if (!node)
		return NULL;
	memcpy(node->name, name, strlen(name) + 1);
	size_t b = bucket_of(local, name, local->nbuckets);
	node->next = local->buckets[b];
	local->buckets[b] = node;
	local->nnodes++;
	return node;
}

static struct rrset *find_set(const struct node *node, uint16_t type)
{
	struct rrset *set = node->sets;

	while (set && set->type != type)
		set = set->next;
	return set;
}

static bool set_has(const struct rrset *set, const struct mxw__zone_rr *rr)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i].len == rr->rdlen && memcmp(set->items[i].data, rr->rdata, rr->rdlen) == 0)
			return true;
	return false;
}

static bool add_to_set(struct rrset *set, const struct mxw__zone_rr *rr)
{
	uint8_t *octets = malloc(rr->rdlen ? rr->rdlen : 1);
	struct mxw__rdata *items = realloc(set->items, (set->n + 1) * sizeof(*items));

	if (items)
		set->items = items;
	if (!items || !octets) {
		free(octets);
		return false;
	}
	memcpy(octets, rr->rdata, rr->rdlen);
	set->items[set->n++] = (struct mxw__rdata){octets, rr->rdlen};
	return true;
}

static struct rrset *make_set(struct node *node, const struct mxw__zone_rr *rr)
{
	struct rrset *set = find_set(node, rr->type);

	if (set) {
		if (rr->ttl_s < set->ttl_s)
			set->ttl_s = rr->ttl_s;
		return set;
	}
	set = calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	set->type = rr->type;
	set->ttl_s = rr->ttl_s;
	set->next = node->sets;
	node->sets = set;
	return set;
}

mxw_status_t mxw__localdata_add(mxw__localdata_t *local, const struct mxw__zone_rr *rr, struct mxw_error *err)
{
	struct node *node = NULL;

	/* The names above exist, too, even if nothing is said about them. */
	for (const char *name = mxw__dns_name_parent(rr->owner); name; name = mxw__dns_name_parent(name))
		if (!make_node(local, name))
			return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	node = make_node(local, rr->owner);
	if (!node)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	struct rrset *cname = find_set(node, MXW_DNS_CNAME);
	if (rr->type == MXW_DNS_CNAME ? node->sets && (!cname || !set_has(cname, rr)) : cname != NULL)
		return mxw__fail(err, MXW_ERR_CONF, "a CNAME must be the only record of its name");
	struct rrset *set = make_set(node, rr);
	if (!set || (!set_has(set, rr) && !add_to_set(set, rr)))
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	return MXW_OK;
}

static mxw_status_t add_record(void *ctx, const struct mxw__zone_rr *rr, struct mxw_error *err)
{
	return mxw__localdata_add(ctx, rr, err);
}

mxw_status_t mxw__localdata_load(mxw__localdata_t *local, const char *path, struct mxw_error *err)
{
	const struct mxw__zone_sink sink = {.record = add_record, .ctx = local};
	char *text = NULL;
	size_t len = 0;
	mxw_status_t status = mxw__file_read(path, FILE_BYTES_MAX, &text, &len, err);

	if (status != MXW_OK) {
		if (err && status != MXW_ERR_NOMEM)
			err->status = MXW_ERR_CONF;
		return status == MXW_ERR_NOMEM ? status : MXW_ERR_CONF;
	}
	status = mxw__zone_parse(path, text, len, &sink, err);
	free(text);
	return status;
}

/* RFC 4592 section 3.3.1: the nearest name above that exists may have an asterisk below it. */
static const struct node *find_wildcard(const mxw__localdata_t *local, const char *name)
{
	char star[MXW__DNS_TEXT_MAX + 2];
	const char *above = mxw__dns_name_parent(name);

	while (above && !find_node(local, above))
		above = mxw__dns_name_parent(above);
	if (!above)
		return NULL;
	snprintf(star, sizeof(star), "*%s%s", *above ? "." : "", above);
	return find_node(local, star);
}

/* Where the name leads to by one CNAME; false if its record is not one name. */
static bool follow(const struct rrset *cname, char ret_name[MXW__DNS_TEXT_MAX])
{
	size_t used;

	return mxw__dns_name_from_wire(cname->items[0].data, cname->items[0].len, ret_name, &used);
}

mxw_dns_answer_t *mxw__localdata_find(const mxw__localdata_t *local, const char *name, uint16_t type, bool is_alone,
				      char ret_name[MXW__DNS_TEXT_MAX])
{
	uint32_t ttl_s = UINT32_MAX;

	if (ret_name != name)
		memmove(ret_name, name, strlen(name) + 1);
	for (int hop = 0; hop <= HOPS_MAX; hop++) {
		const struct node *exact = find_node(local, ret_name);
		const struct node *node = exact ? exact : find_wildcard(local, ret_name);
		if (!node || !node->sets) {
			if (!is_alone)
				return NULL;
			return mxw__dns_answer_empty(MXW_NOT_FOUND, node ? 0 : 3, NEGATIVE_TTL_S);
		}
		const struct rrset *set = find_set(node, type);
		if (set)
			return mxw__dns_answer_from_rdata(type, set->items, set->n,
							  set->ttl_s < ttl_s ? set->ttl_s : ttl_s);
		const struct rrset *cname = find_set(node, MXW_DNS_CNAME);
		if (!cname)
			return mxw__dns_answer_empty(MXW_NOT_FOUND, 0, NEGATIVE_TTL_S);
		if (cname->ttl_s < ttl_s)
			ttl_s = cname->ttl_s;
		if (!follow(cname, ret_name))
			break;
	}
	/* A loop of CNAMEs: as a server would, SERVFAIL, and not a failure of our own, which would have no lifetime. */
	return mxw__dns_answer_empty(MXW_TEMPORARY, 2, LOOP_TTL_S);
}
