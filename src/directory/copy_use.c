/* SPDX-License-Identifier: BSD-2-Clause */
/* The offline copy that is in use: how old it is, what it is worth, what it says of an address. */
#include "config.h"

#include <string.h>

#include "src/directory/copy_inside.h"

/* So many addresses that it finds and the list does not have, and more than one for ten that the list has. */
enum { MISSED_MIN = 3, MISSED_SHARE = 10 };

int64_t mxw__copy_wall_ms(const mxw__copy_t *copy)
{
	return copy->env->clock->wall_ms(copy->env->clock->ctx);
}

int64_t mxw__copy_mono_ms(const mxw__copy_t *copy)
{
	return mxw__now_ms(copy->env->clock);
}

/* ---- how old ---- */

int64_t mxw__copy_age_of(const mxw__copy_t *copy, const struct mxw__copy_in_use *list)
{
	int64_t wall = mxw__copy_wall_ms(copy) - mxw__copy_map_view(list->map)->head.completed_ms;
	int64_t mono = list->age_ms + mxw__copy_mono_ms(copy) - list->since_ms;

	return wall > mono ? wall : mono;
}

bool mxw__copy_is_partial(const struct mxw__copy_in_use *list)
{
	if (list->nmissed >= MISSED_MIN)
		return list->disagreed * MISSED_SHARE > list->agreed;
	return mxw__copy_map_view(list->map)->head.is_partial && list->agreed == 0;
}

static bool is_fresh(const mxw__copy_t *copy, const struct mxw__copy_in_use *list)
{
	return !list->is_clock_suspect && mxw__copy_map_view(list->map)->head.doubts == 0 && !mxw__copy_is_partial(list) &&
	       mxw__copy_age_of(copy, list) <= (int64_t)copy->env->conf->copy_max_age_ms;
}

void mxw__copy_put_in_use(mxw__copy_t *copy, const struct mxw__copy_in_use *list)
{
	pthread_mutex_lock(&copy->lock);
	mxw__copy_map_t *old = copy->in_use.map;
	copy->in_use = *list;
	pthread_mutex_unlock(&copy->lock);
	mxw__copy_map_unref(old);
}

bool mxw__copy_has_domain_bases(const struct mxw__directory_conf *conf)
{
	for (size_t i = 0; i < conf->bases.n; i++)
		if (strchr(conf->bases.v[i], '{'))
			return true;
	return false;
}

/* Was the domain's part of the directory listed? Domains that are read from files are not known when the list is made. */
static bool is_listed(const mxw__copy_t *copy, const char *domain)
{
	const struct mxw__strings *domains = &copy->env->domains;
	bool is_listed = !mxw__copy_has_domain_bases(copy->env->conf);

	for (size_t i = 0; i < domains->n && !is_listed; i++)
		is_listed = strcmp(domains->v[i], domain) == 0;
	return is_listed;
}

/* ---- look-ups ---- */

struct hashes {
	unsigned char address[MXW__COPY_HASH_SIZE], local[MXW__COPY_HASH_SIZE];
};

/* The list in use, and what to look for in it; NULL: it can't be asked. The caller lets go of it. */
static mxw__copy_map_t *prepare(mxw__copy_t *copy, const struct mxw__address *address, struct mxw__copy_in_use *ret_list,
				struct hashes *ret_hashes)
{
	const char *text = address->key_text ? address->key_text : address->text;
	const char *local = address->key_local ? address->key_local : address->local;

	pthread_mutex_lock(&copy->lock);
	*ret_list = copy->in_use;
	mxw__copy_map_ref(ret_list->map);
	pthread_mutex_unlock(&copy->lock);
	if (ret_list->map && mxw__copy_map_is_whole(ret_list->map) && mxw__copy_hash(&copy->keys, text, ret_hashes->address) &&
	    mxw__copy_hash_local(&copy->keys, local ? local : "", ret_hashes->local))
		return ret_list->map;
	mxw__copy_map_unref(ret_list->map);
	return NULL;
}

/* Under the address, or under a local part that is good in every domain. */
static bool find(const mxw__copy_map_t *map, const struct hashes *hashes, struct mxw__rcpt_settings *ret_settings)
{
	const struct mxw__copy_view *view = mxw__copy_map_view(map);

	return mxw__copy_view_find(view, hashes->address, ret_settings) ||
	       mxw__copy_view_find(view, hashes->local, ret_settings);
}

void mxw__copy_consult(mxw__copy_t *copy, const struct mxw__address *address, struct mxw__rcpt_result *result)
{
	struct mxw__rcpt_settings settings;
	struct hashes hashes;
	struct mxw__copy_in_use list;

	if (!copy || !prepare(copy, address, &list, &hashes))
		return;
	int64_t age = mxw__copy_age_of(copy, &list);
	result->age_ms = age > 0 ? age : 0;
	if (find(list.map, &hashes, &settings)) {
		result->outcome = MXW_FOUND;
		result->origin = MXW__ORIGIN_COPY;
		result->copy = MXW__COPY_KNOWN;
		result->settings = settings;
		result->is_unverifiable = false;
	} else {
		bool is_sure = is_fresh(copy, &list) && is_listed(copy, address->domain);
		result->copy = is_sure ? MXW__COPY_ABSENT : MXW__COPY_OLD;
	}
	mxw__copy_map_unref(list.map);
}

/* True if that makes the list partial. */
static bool add_missed_locked(struct mxw__copy_in_use *list, const unsigned char *hash)
{
	bool was_partial = mxw__copy_is_partial(list);
	size_t i = 0;

	while (i < list->nmissed && memcmp(list->missed[i], hash, MXW__COPY_HASH_SIZE) != 0)
		i++;
	if (i == list->nmissed && i < MXW__COPY_MISSED_MAX)
		memcpy(list->missed[list->nmissed++], hash, MXW__COPY_HASH_SIZE);
	list->disagreed++;
	return !was_partial && mxw__copy_is_partial(list);
}

void mxw__copy_compare(mxw__copy_t *copy, const struct mxw__address *address)
{
	struct mxw__rcpt_settings settings;
	struct hashes hashes;
	struct mxw__copy_in_use list;
	bool is_news = false;

	if (!copy || !prepare(copy, address, &list, &hashes))
		return;
	bool is_found = find(list.map, &hashes, &settings);
	pthread_mutex_lock(&copy->lock);
	/* A list that came in between has its own say. */
	if (copy->in_use.map == list.map && is_found)
		copy->in_use.agreed++;
	else if (copy->in_use.map == list.map)
		is_news = add_missed_locked(&copy->in_use, hashes.address);
	pthread_mutex_unlock(&copy->lock);
	mxw__copy_map_unref(list.map);
	if (is_news)
		mxw__noticef(&copy->noticer, true, "recipients that are found are not in the offline copy: does it list what is "
			     "searched for? Until it has them no address is taken for absent");
}
