/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of strings in two blocks of memory: the strings one after the other, and an open-addressed table of
 * where they begin. A hundred thousand addresses take some 4 MB and one cache miss or two per look-up.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/source.h"

enum { FIRST_SLOTS = 64, HEADER = 6 };

struct slot {
	uint32_t tag;   /* part of the hash */
	uint32_t where; /* offset of the entry + 1; 0: free */
};

struct mxw__names {
	atomic_uint refs;
	struct mxw__hashkey key;
	struct slot *slots;
	size_t nslots; /* a power of two */
	size_t count;
	unsigned char *store; /* entries: 2 octets length, 4 octets number, the name */
	size_t used;
	size_t cap;
};

mxw__names_t *mxw__names_new(void)
{
	mxw__names_t *names = calloc(1, sizeof *names);

	if (!names)
		return NULL;
	names->slots = mxw__calloc(FIRST_SLOTS, sizeof *names->slots);
	if (!names->slots) {
		free(names);
		return NULL;
	}
	names->nslots = FIRST_SLOTS;
	atomic_init(&names->refs, 1);
	mxw__hashkey_random(&names->key);
	return names;
}

mxw__names_t *mxw__names_ref(mxw__names_t *names)
{
	atomic_fetch_add_explicit(&names->refs, 1, memory_order_relaxed);
	return names;
}

void mxw__names_unref(mxw__names_t *names)
{
	if (!names || atomic_fetch_sub_explicit(&names->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(names->slots);
	free(names->store);
	free(names);
}

static bool entry_is(const mxw__names_t *names, const struct slot *slot, const char *name, size_t len)
{
	const unsigned char *entry = names->store + (slot->where - 1);
	uint16_t have;

	memcpy(&have, entry, sizeof have);
	return have == len && memcmp(entry + HEADER, name, len) == 0;
}

/* The slot of this name, or the free one where it belongs. */
static struct slot *find_slot(const mxw__names_t *names, uint64_t hash, const char *name, size_t len)
{
	size_t mask = names->nslots - 1;

	for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
		struct slot *slot = &names->slots[i];
		if (!slot->where || (slot->tag == (uint32_t)(hash >> 32) && entry_is(names, slot, name, len)))
			return slot;
	}
}

static bool grow_slots(mxw__names_t *names)
{
	size_t nslots = names->nslots * 2;
	struct slot *slots = mxw__calloc(nslots, sizeof *slots);

	if (!slots)
		return false;
	for (size_t i = 0; i < names->nslots; i++) {
		struct slot old = names->slots[i];
		if (!old.where)
			continue;
		uint16_t len;
		memcpy(&len, names->store + (old.where - 1), sizeof len);
		size_t at = (size_t)mxw__hash(&names->key, names->store + (old.where - 1) + HEADER, len);
		while (slots[at & (nslots - 1)].where)
			at++;
		slots[at & (nslots - 1)] = old;
	}
	free(names->slots);
	names->slots = slots;
	names->nslots = nslots;
	return true;
}

static bool grow_store(mxw__names_t *names, size_t need)
{
	size_t cap = names->cap ? names->cap : 4096;

	if (need <= names->cap)
		return true;
	while (cap < need)
		cap *= 2;
	unsigned char *store = realloc(names->store, cap);
	if (!store)
		return false;
	names->store = store;
	names->cap = cap;
	return true;
}

mxw_status_t mxw__names_add(mxw__names_t *names, const char *name, size_t len, uint32_t number)
{
	uint64_t hash = mxw__hash(&names->key, name, len);

	if (len > UINT16_MAX || names->used + HEADER + len >= UINT32_MAX)
		return MXW_ERR_LIMIT;
	struct slot *slot = find_slot(names, hash, name, len);
	if (slot->where)
		return MXW_OK;
	if (!grow_store(names, names->used + HEADER + len))
		return MXW_ERR_NOMEM;
	if (names->count * 2 >= names->nslots) {
		if (!grow_slots(names))
			return MXW_ERR_NOMEM;
		slot = find_slot(names, hash, name, len);
	}
	unsigned char *entry = names->store + names->used;
	uint16_t len16 = (uint16_t)len;
	memcpy(entry, &len16, sizeof len16);
	memcpy(entry + sizeof len16, &number, sizeof number);
	memcpy(entry + HEADER, name, len);
	*slot = (struct slot){(uint32_t)(hash >> 32), (uint32_t)names->used + 1};
	names->used += HEADER + len;
	names->count++;
	return MXW_OK;
}

bool mxw__names_find(const mxw__names_t *names, const char *name, size_t len, uint32_t *ret_number)
{
	const struct slot *slot = find_slot(names, mxw__hash(&names->key, name, len), name, len);

	if (!slot->where)
		return false;
	if (ret_number)
		memcpy(ret_number, names->store + (slot->where - 1) + sizeof(uint16_t), sizeof *ret_number);
	return true;
}

size_t mxw__names_count(const mxw__names_t *names)
{
	return names->count;
}
