/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * set.c: a table of chains that grows by one chain at a time (linear hashing), so that no addition takes much longer than another: others may
 * wait for it. The chains lie in segments, each as long as all before it; when there are n chains, 2^k <= n < 2^(k+1), the first
 * n - 2^k of the 2^k have been split, and an entry is in the chain of the k + 1 lowest bits of its hash if there is one, else of the k lowest.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "src/lists/set.h"

enum { FIRST_BITS = 6, FIRST_BUCKETS = 1 << FIRST_BITS, SEGMENTS = 40, LENGTHS = 129 };

struct mxw__list_set {
	atomic_uint refs;
	struct mxw__hashkey hashkey;
	size_t max, count;
	size_t nbuckets;
	size_t nwhole;               /* the power of two that is not above it */
	struct mxw__list_item **segments[SEGMENTS];
	/* How many entries there are of each length of prefix, and of each sort of name: what there is none of is not looked for. */
	size_t nipv4[LENGTHS], nipv6[LENGTHS], nnames, nbelow, nmailboxes;
};

static size_t segment_of(size_t bucket)
{
	return bucket < FIRST_BUCKETS ? 0 : (size_t)(63 - __builtin_clzll(bucket)) - FIRST_BITS + 1;
}

static struct mxw__list_item **head_of(const mxw__list_set_t *set, size_t bucket)
{
	size_t segment = segment_of(bucket), first = segment ? (size_t)FIRST_BUCKETS << (segment - 1) : 0;

	return &set->segments[segment][bucket - first];
}

static size_t bucket_of(const mxw__list_set_t *set, uint64_t hash)
{
	size_t bucket = hash & (2 * set->nwhole - 1);

	return bucket < set->nbuckets ? bucket : hash & (set->nwhole - 1);
}

mxw__list_set_t *mxw__list_set_new(size_t max)
{
	mxw__list_set_t *set = calloc(1, sizeof *set);

	if (!set)
		return NULL;
	set->segments[0] = mxw__calloc(FIRST_BUCKETS, sizeof(struct mxw__list_item *));
	if (!set->segments[0]) {
		free(set);
		return NULL;
	}
	atomic_init(&set->refs, 1);
	mxw__hashkey_random(&set->hashkey);
	set->nbuckets = set->nwhole = FIRST_BUCKETS;
	set->max = max;
	return set;
}

mxw__list_set_t *mxw__list_set_ref(mxw__list_set_t *set)
{
	atomic_fetch_add(&set->refs, 1);
	return set;
}

void mxw__list_set_unref(mxw__list_set_t *set)
{
	if (!set || atomic_fetch_sub(&set->refs, 1) != 1)
		return;
	for (size_t i = 0; i < set->nbuckets; i++) {
		for (struct mxw__list_item *item = *head_of(set, i), *next; item; item = next) {
			next = item->next;
			free(item);
		}
	}
	for (size_t i = 0; i < SEGMENTS; i++)
		free(set->segments[i]);
	free(set);
}

size_t mxw__list_set_count(const mxw__list_set_t *set)
{
	return set->count;
}

/* ---- filling ---- */

static size_t *counter_of(mxw__list_set_t *set, const uint8_t *key)
{
	switch (key[0]) {
	case MXW__LIST_KEY_IPV4:
		return &set->nipv4[key[1]];
	case MXW__LIST_KEY_IPV6:
		return &set->nipv6[key[1]];
	case MXW__LIST_KEY_NAME:
		return &set->nnames;
	case MXW__LIST_KEY_BELOW:
		return &set->nbelow;
	default:
		return &set->nmailboxes;
	}
}

static struct mxw__list_item **find_place(const mxw__list_set_t *set, const struct mxw__list_key *key, uint64_t hash)
{
	struct mxw__list_item **place = head_of(set, bucket_of(set, hash));

	while (*place && ((*place)->hash != hash || (*place)->key_len != key->len || memcmp((*place)->key, key->data, key->len) != 0))
		place = &(*place)->next;
	return place;
}

static uint64_t hash_of(const mxw__list_set_t *set, const struct mxw__list_key *key)
{
	return mxw__hash(&set->hashkey, key->data, key->len);
}

/* One chain more, with what belongs there of the one that is split. Without memory the chains get longer, that is all. */
static void grow(mxw__list_set_t *set)
{
	size_t segment = segment_of(set->nbuckets);

	/* The first of a segment is the first beyond a power of two: it is as long as all that there are. */
	if (segment >= SEGMENTS)
		return;
	if (!set->segments[segment])
		set->segments[segment] = mxw__calloc(set->nbuckets, sizeof(struct mxw__list_item *));
	if (!set->segments[segment])
		return;
	struct mxw__list_item **place = head_of(set, set->nbuckets - set->nwhole), **to = head_of(set, set->nbuckets);
	while (*place) {
		struct mxw__list_item *item = *place;
		if (!(item->hash & set->nwhole)) {
			place = &item->next;
			continue;
		}
		*place = item->next;
		item->next = NULL;
		*to = item;
		to = &item->next;
	}
	if (++set->nbuckets == 2 * set->nwhole)
		set->nwhole = set->nbuckets;
}

static char *append(char *to, const char *text, const char **ret_copy)
{
	size_t size = strlen(text) + 1;

	memcpy(to, text, size);
	*ret_copy = to;
	return to + size;
}

static struct mxw__list_item *make_item(const struct mxw__list_line *line, uint64_t hash, unsigned number)
{
	size_t size = line->key.len + strlen(line->entry) + strlen(line->author) + strlen(line->reason) + 3;
	struct mxw__list_item *item = calloc(1, sizeof *item + size);

	if (!item)
		return NULL;
	item->hash = hash;
	item->until_ms = line->until_ms;
	item->line = number;
	item->key_len = (uint16_t)line->key.len;
	memcpy(item->key, line->key.data, line->key.len);
	char *to = (char *)item->key + line->key.len;
	to = append(to, line->entry, &item->entry);
	to = append(to, line->author, &item->author);
	append(to, line->reason, &item->reason);
	return item;
}

mxw_status_t mxw__list_set_add(mxw__list_set_t *set, const struct mxw__list_line *line, unsigned number,
			       struct mxw__list_item **ret_item)
{
	uint64_t hash = hash_of(set, &line->key);
	struct mxw__list_item **place = find_place(set, &line->key, hash), *old = *place;

	if (!old && set->count >= set->max)
		return MXW_ERR_LIMIT;
	struct mxw__list_item *item = make_item(line, hash, number);
	if (!item)
		return MXW_ERR_NOMEM;
	item->next = old ? old->next : NULL;
	*place = item;
	if (!old) {
		++*counter_of(set, item->key);
		if (++set->count > set->nbuckets)
			grow(set);
	}
	free(old);
	if (ret_item)
		*ret_item = item;
	return MXW_OK;
}

struct mxw__list_item *mxw__list_set_get(mxw__list_set_t *set, const struct mxw__list_key *key)
{
	return *find_place(set, key, hash_of(set, key));
}

void mxw__list_set_remove(mxw__list_set_t *set, struct mxw__list_item *item)
{
	struct mxw__list_item **place = head_of(set, bucket_of(set, item->hash));

	while (*place && *place != item)
		place = &(*place)->next;
	if (!*place)
		return;
	*place = item->next;
	--*counter_of(set, item->key);
	set->count--;
	free(item);
}

struct mxw__list_item *mxw__list_set_next(mxw__list_set_t *set, size_t *cursor, struct mxw__list_item *after)
{
	if (after && after->next)
		return after->next;
	while (*cursor < set->nbuckets) {
		struct mxw__list_item *first = *head_of(set, (*cursor)++);
		if (first)
			return first;
	}
	return NULL;
}

struct mxw__list_item *mxw__list_set_chain(mxw__list_set_t *set, size_t at)
{
	return at < set->nbuckets ? *head_of(set, at) : NULL;
}

size_t mxw__list_set_nchains(const mxw__list_set_t *set)
{
	return set->nbuckets;
}

/* ---- finding ---- */

static const struct mxw__list_item *find_live(const mxw__list_set_t *set, const struct mxw__list_key *key, int64_t wall_ms)
{
	const struct mxw__list_item *item = *find_place(set, key, hash_of(set, key));

	return item && !item->is_removed && (!item->until_ms || wall_ms < item->until_ms) ? item : NULL;
}

const struct mxw__list_item *mxw__list_set_find_ip(const mxw__list_set_t *set, const struct mxw_ip *ip, int64_t wall_ms)
{
	const size_t *counts = ip->family == 4 ? set->nipv4 : set->nipv6;
	const struct mxw__list_item *found = NULL;
	struct mxw__list_key key;

	if (!ip->family)
		return NULL;
	for (unsigned bits = (ip->family == 4 ? 32 : 128) + 1; !found && bits-- > 0;) {
		if (!counts[bits])
			continue;
		mxw__list_key_of_ip(ip, bits, &key);
		found = find_live(set, &key, wall_ms);
	}
	return found;
}

static const struct mxw__list_item *find_text(const mxw__list_set_t *set, mxw__list_key_type_t type, const char *text,
					      int64_t wall_ms)
{
	struct mxw__list_key key;

	return mxw__list_key_of_name(type, text, strlen(text), &key) ? find_live(set, &key, wall_ms) : NULL;
}

const struct mxw__list_item *mxw__list_set_find_name(const mxw__list_set_t *set, const char *name, int64_t wall_ms)
{
	const struct mxw__list_item *found = set->nnames ? find_text(set, MXW__LIST_KEY_NAME, name, wall_ms) : NULL;

	if (!set->nbelow)
		return found;
	for (const char *dot = strchr(name, '.'); dot && !found; dot = strchr(dot + 1, '.'))
		found = find_text(set, MXW__LIST_KEY_BELOW, dot + 1, wall_ms);
	return found;
}

const struct mxw__list_item *mxw__list_set_find_mailbox(const mxw__list_set_t *set, const char *address, int64_t wall_ms)
{
	return set->nmailboxes ? find_text(set, MXW__LIST_KEY_MAILBOX, address, wall_ms) : NULL;
}
