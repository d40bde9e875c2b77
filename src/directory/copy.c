/* SPDX-License-Identifier: BSD-2-Clause */
/* The offline copy of one directory: when it is made, what it is worth, what it says. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/directory/copy.h"

/* So many addresses that it finds and the list does not have, and more than one for ten that the list has. */
enum { MISSED_MIN = 3, MISSED_MAX = 16, MISSED_SHARE = 10 };
enum { FIRST_SPREAD_MS = 2000, RETRY_MS = 10000, TOUCH_MS = 300000, CLOCK_SLACK_MS = 60000, PATH_SIZE = 4096 };

/* A list in use, and what tells its age. */
struct in_use {
	mxw__copy_map_t *map;  /* NULL: there is none */
	int64_t since_ms;      /* monotonic: when it came into use */
	int64_t age_ms;        /* what it was then */
	bool is_clock_suspect; /* how old it is can't be known */
	/* What the directory has found since: */
	uint64_t agreed;       /* so often what the list has */
	uint64_t disagreed;    /* so often what it has not */
	size_t nmissed;        /* the first few different addresses of these */
	unsigned char missed[MISSED_MAX][MXW__COPY_HASH_SIZE];
};

struct mxw__copy {
	const struct mxw__directory_env *env;
	const struct mxw__directory_ops *ops;
	void *self;
	struct mxw__noticer noticer;
	char path[PATH_SIZE];
	/* of the thread, after mxw__copy_start() */
	bool is_ready;       /* key and file have been looked at */
	struct mxw__copy_keys keys;
	unsigned char print[MXW__COPY_PRINT_SIZE];
	unsigned failures;   /* one after the other */
	char told[200];
	int64_t due_ms;      /* monotonic */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under lock */
	bool is_stopping;
	struct in_use in_use; /* changed by the thread alone, but for what the directory has found */
};

static int64_t wall_ms(const mxw__copy_t *copy)
{
	return copy->env->clock->wall_ms(copy->env->clock->ctx);
}

static int64_t mono_ms(const mxw__copy_t *copy)
{
	return mxw__now_ms(copy->env->clock);
}

/* Something up to `max`, so that several hosts do not ask at one time. */
static int64_t some_of(int64_t max)
{
	return max > 0 ? (int64_t)(mxw__random_u64() % (uint64_t)max) : 0;
}

/* ---- how old ---- */

/* By both clocks, whichever says more: one does not run while the machine sleeps, the other can be set back. */
static int64_t age_of(const mxw__copy_t *copy, const struct in_use *list)
{
	int64_t wall = wall_ms(copy) - mxw__copy_map_view(list->map)->head.completed_ms;
	int64_t mono = list->age_ms + mono_ms(copy) - list->since_ms;

	return wall > mono ? wall : mono;
}

/* Nothing is known of a list that was partial until the directory finds something. */
static bool is_partial(const struct in_use *list)
{
	if (list->nmissed >= MISSED_MIN)
		return list->disagreed * MISSED_SHARE > list->agreed;
	return mxw__copy_map_view(list->map)->head.is_partial && list->agreed == 0;
}

static bool is_fresh(const mxw__copy_t *copy, const struct in_use *list)
{
	return !list->is_clock_suspect && mxw__copy_map_view(list->map)->head.doubts == 0 && !is_partial(list) &&
	       age_of(copy, list) <= (int64_t)copy->env->conf->copy_max_age_ms;
}

static void put_in_use(mxw__copy_t *copy, const struct in_use *list)
{
	pthread_mutex_lock(&copy->lock);
	mxw__copy_map_t *old = copy->in_use.map;
	copy->in_use = *list;
	pthread_mutex_unlock(&copy->lock);
	mxw__copy_map_unref(old);
}

/* Leaves a mark of the time, which a clock that is set back can't be before. */
static void touch(mxw__copy_t *copy)
{
	int64_t now = wall_ms(copy);

	if (copy->env->is_read_only)
		return;
	if (copy->in_use.map && !copy->in_use.is_clock_suspect && now > mxw__copy_map_seen(copy->in_use.map))
		mxw__copy_map_touch(copy->in_use.map, now);
}

/* ---- start ---- */

static void add_text(struct mxw__buf *buf, const char *name, const char *text)
{
	mxw__buf_addf(buf, "%s=%zu:%s\n", name, text ? strlen(text) : 0, text ? text : "");
}

static void add_texts(struct mxw__buf *buf, const char *name, const struct mxw__strings *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		add_text(buf, name, texts->v[i]);
}

static bool has_domain_bases(const struct mxw__directory_conf *conf)
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
	bool is_listed = !has_domain_bases(copy->env->conf);

	for (size_t i = 0; i < domains->n && !is_listed; i++)
		is_listed = strcmp(domains->v[i], domain) == 0;
	return is_listed;
}

/* What the list depends on; not how the directory is reached: a server put in the place of a dead one has the same. */
static bool make_print(mxw__copy_t *copy)
{
	const struct mxw__directory_conf *conf = copy->env->conf;
	unsigned char hash[32];
	struct mxw__buf buf;

	mxw__buf_init(&buf, 16 * 1024 * 1024);
	add_text(&buf, "type", copy->ops->type);
	add_text(&buf, "path", conf->path);
	add_texts(&buf, "base", &conf->bases);
	add_text(&buf, "scope", conf->scope);
	add_text(&buf, "filter", conf->copy_filter);
	add_texts(&buf, "address", &conf->address_attributes);
	add_text(&buf, "class", conf->class_attribute);
	add_text(&buf, "internal-only", conf->internal_only_attribute);
	add_text(&buf, "disabled", conf->disabled_attribute);
	if (has_domain_bases(conf))
		add_texts(&buf, "domain", &copy->env->domains);
	bool ok = !buf.failed && mxw__copy_hmac(copy->keys.settings, mxw__buf_str(&buf), buf.len, hash);
	mxw__buf_fini(&buf);
	if (ok)
		memcpy(copy->print, hash, sizeof copy->print);
	return ok;
}

static void set_aside(const mxw__copy_t *copy, const char *why)
{
	char aside[PATH_SIZE + 16];

	snprintf(aside, sizeof aside, "%s.damaged", copy->path);
	if (!copy->env->is_read_only && rename(copy->path, aside) == 0)
		mxw__noticef(&copy->noticer, true, "the offline copy is not used: %.200s; it was renamed to %.200s", why, aside);
	else
		mxw__noticef(&copy->noticer, true, "the offline copy is not used: %.200s", why);
}

static void load_file(mxw__copy_t *copy)
{
	struct in_use list = {.since_ms = mono_ms(copy)};
	struct mxw_error err = {0};
	int64_t now = wall_ms(copy);

	mxw_status_t status = mxw__copy_map_open(copy->path, &copy->keys, &list.map, &err);
	if (status == MXW_ERR_INVALID)
		set_aside(copy, err.text);
	else if (status != MXW_OK)
		mxw__noticef(&copy->noticer, true, "the offline copy is not used: %s", err.text);
	if (status != MXW_OK || !list.map)
		return;
	const struct mxw__copy_head *head = &mxw__copy_map_view(list.map)->head;
	if (memcmp(head->print, copy->print, sizeof copy->print) != 0) {
		set_aside(copy, "it was made with other settings of this directory");
		mxw__copy_map_unref(list.map);
		return;
	}
	list.age_ms = now > head->completed_ms ? now - head->completed_ms : 0;
	list.is_clock_suspect = now < head->completed_ms - CLOCK_SLACK_MS ||
				now < mxw__copy_map_seen(list.map) - CLOCK_SLACK_MS;
	if (list.is_clock_suspect)
		mxw__noticef(&copy->noticer, false, "the clock is before the time the offline copy was last in use: until the "
			     "next list it does not say that an address is absent");
	put_in_use(copy, &list);
}

/* False: `ret_err` says why there can't be a copy yet. */
static bool get_ready(mxw__copy_t *copy, struct mxw_error *ret_err)
{
	if (copy->is_ready)
		return true;
	if (!copy->env->state_dir || !*copy->env->state_dir) {
		mxw__fail(ret_err, MXW_ERR_CONF, "there is no state-dir to keep it in");
		return false;
	}
	if (mxw__copy_keys_load(copy->env->state_dir, copy->env->is_read_only, &copy->keys, ret_err) != MXW_OK)
		return false;
	if (!make_print(copy)) {
		mxw__fail(ret_err, MXW_ERR_NOMEM, "out of memory");
		return false;
	}
	if (!copy->env->is_read_only)
		mxw__copy_file_tidy(copy->path);
	load_file(copy);
	copy->is_ready = true;
	return true;
}

/* The directory's name, with all that has a meaning in a path written as %XX. */
static bool make_path(mxw__copy_t *copy)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, sizeof copy->path - 16);
	mxw__buf_addf(&buf, "%s/copy-", copy->env->state_dir ? copy->env->state_dir : "");
	for (const char *p = copy->env->conf->name; *p; p++)
		if (mxw__ascii_isalnum(*p) || *p == '-' || *p == '_')
			mxw__buf_addc(&buf, *p);
		else
			mxw__buf_addf(&buf, "%%%02x", (unsigned)(unsigned char)*p);
	bool ok = !buf.failed;
	snprintf(copy->path, sizeof copy->path, "%s", mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
	return ok;
}

/* ---- listing ---- */

struct listing {
	mxw__copy_t *copy;
	mxw__copy_list_t *list;
	const char *why; /* it was stopped; NULL: it was not */
};

static bool visit(void *ctx, const char *address, size_t len, const struct mxw__rcpt_settings *settings)
{
	struct listing *listing = ctx;

	return mxw__copy_list_add(listing->list, address, len, settings, &listing->why);
}

static bool may_stop(void *ctx)
{
	struct listing *listing = ctx;

	pthread_mutex_lock(&listing->copy->lock);
	bool is_stopping = listing->copy->is_stopping;
	pthread_mutex_unlock(&listing->copy->lock);
	return is_stopping;
}

/* Tells it, unless that was the last thing told. */
static void complain(mxw__copy_t *copy, const char *why)
{
	if (strncmp(copy->told, why, sizeof copy->told - 1) != 0)
		mxw__noticef(&copy->noticer, true, "the offline copy can't be made: %s", why);
	snprintf(copy->told, sizeof copy->told, "%.199s", why);
}

static bool is_near(uint64_t a, uint64_t b)
{
	uint64_t more = a > b ? a : b, less = a > b ? b : a;

	return more - less <= more / 10;
}

/* What the list before had not, and this one has not either; what both have counts for less as time goes by. */
static void carry_over(mxw__copy_t *copy, struct in_use *next)
{
	pthread_mutex_lock(&copy->lock);
	struct in_use before = copy->in_use;
	pthread_mutex_unlock(&copy->lock);
	struct mxw__rcpt_settings settings;

	next->agreed = before.agreed / 2;
	for (size_t i = 0; i < before.nmissed; i++)
		if (!mxw__copy_view_find(mxw__copy_map_view(next->map), before.missed[i], &settings))
			memcpy(next->missed[next->nmissed++], before.missed[i], MXW__COPY_HASH_SIZE);
	if (before.nmissed > 0)
		next->disagreed = before.disagreed / 2 * next->nmissed / before.nmissed + next->nmissed;
}

/* Writes a list and puts it in use. */
static bool use(mxw__copy_t *copy, const struct mxw__copy_content *content, int64_t age_ms, bool is_clock_suspect)
{
	struct in_use next = {.since_ms = mono_ms(copy), .age_ms = age_ms, .is_clock_suspect = is_clock_suspect};
	struct mxw_error err = {0};

	if (mxw__copy_file_write(copy->path, &copy->keys, content, &next.map, &err) != MXW_OK) {
		complain(copy, err.text);
		return false;
	}
	mxw__copy_map_touch(next.map, is_clock_suspect ? mxw__copy_map_seen(copy->in_use.map) : wall_ms(copy));
	carry_over(copy, &next);
	put_in_use(copy, &next);
	return true;
}

static bool was_partial(mxw__copy_t *copy)
{
	pthread_mutex_lock(&copy->lock);
	struct in_use before = copy->in_use;
	pthread_mutex_unlock(&copy->lock);
	return before.map && is_partial(&before);
}

/* The list there is stays, and with it the word that it is in doubt. */
static bool keep_in_doubt(mxw__copy_t *copy, uint64_t count, uint32_t doubts)
{
	const struct mxw__copy_view *view = mxw__copy_map_view(copy->in_use.map);
	struct mxw__copy_settings *settings = calloc(1, sizeof *settings);
	struct mxw__copy_content content = {.head = view->head, .settings = settings, .records = view->records};

	if (doubts == 1)
		mxw__noticef(&copy->noticer, true, "the list has %llu addresses, the one before had %llu: it is not used until "
			     "%llu of them in a row agree, and no address is taken for absent",
			     (unsigned long long)count, (unsigned long long)view->head.count,
			     (unsigned long long)copy->env->conf->copy_confirmations);
	content.head.is_partial = was_partial(copy);
	content.head.doubts = doubts;
	content.head.doubt_count = count;
	bool ok = settings && mxw__copy_map_is_whole(copy->in_use.map);
	if (ok)
		mxw__copy_view_settings(view, settings);
	if (ok)
		ok = use(copy, &content, age_of(copy, &copy->in_use), copy->in_use.is_clock_suspect);
	free(settings);
	return ok;
}

static mxw__copy_pull_t judge(mxw__copy_t *copy, const mxw__copy_list_t *list)
{
	struct mxw__copy_content content = {
		.head = {.completed_ms = wall_ms(copy), .count = mxw__copy_list_count(list), .is_partial = was_partial(copy)},
		.settings = mxw__copy_list_settings(list),
		.records = mxw__copy_list_records(list),
	};
	const struct mxw__copy_head *before = copy->in_use.map ? &mxw__copy_map_view(copy->in_use.map)->head : NULL;
	uint64_t count = content.head.count;

	if (count == 0) {
		/* As good as always a missing right to read. */
		complain(copy, "the list is empty");
		return MXW__COPY_FAILED;
	}
	bool is_short = before && count < before->count / 2 + before->count % 2;
	uint32_t doubts = !is_short ? 0 : before->doubts > 0 && is_near(count, before->doubt_count) ? before->doubts + 1 : 1;
	if (is_short && doubts < copy->env->conf->copy_confirmations)
		return keep_in_doubt(copy, count, doubts) ? MXW__COPY_DOUBTED : MXW__COPY_FAILED;
	bool was_doubted = before && before->doubts > 0;
	memcpy(content.head.print, copy->print, sizeof copy->print);
	if (!use(copy, &content, 0, false))
		return MXW__COPY_FAILED;
	if (was_doubted || *copy->told)
		mxw__noticef(&copy->noticer, false, "the offline copy is up to date again, with %llu addresses",
			     (unsigned long long)count);
	copy->told[0] = '\0';
	return MXW__COPY_USED;
}

mxw__copy_pull_t mxw__copy_pull(mxw__copy_t *copy)
{
	struct listing listing = {.copy = copy};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
	struct mxw_error err = {0};
	mxw__copy_pull_t pull = MXW__COPY_FAILED;

	if (!get_ready(copy, &err)) {
		complain(copy, err.text);
		return MXW__COPY_FAILED;
	}
	listing.list = mxw__copy_list_new(&copy->keys, copy->env->conf->copy_max_addresses);
	if (!listing.list) {
		complain(copy, "out of memory");
		return MXW__COPY_FAILED;
	}
	copy->ops->enumerate(copy->self, visit, may_stop, &listing, &result);
	bool is_stopping = may_stop(&listing);
	if (listing.why) {
		complain(copy, listing.why);
	} else if (result.outcome != MXW_FOUND && !is_stopping) {
		complain(copy, *result.reason ? result.reason : "the list is not complete");
	} else if (result.outcome == MXW_FOUND) {
		mxw__copy_list_finish(listing.list);
		pull = judge(copy, listing.list);
	}
	mxw__copy_list_free(listing.list);
	return pull;
}

/* ---- the thread ---- */

static void plan_next(mxw__copy_t *copy, mxw__copy_pull_t pull)
{
	int64_t interval = (int64_t)copy->env->conf->copy_interval_ms, pause = RETRY_MS;

	copy->failures = pull == MXW__COPY_FAILED ? copy->failures + 1 : 0;
	for (unsigned i = 1; i < copy->failures && pause < interval; i++)
		pause *= 2;
	/* A doubtful list is not tried sooner: what is being restored takes its time. */
	if (pull != MXW__COPY_FAILED || pause > interval)
		pause = interval;
	copy->due_ms = mono_ms(copy) + pause - some_of(pause / 10);
}

static void plan_first(mxw__copy_t *copy)
{
	int64_t interval = (int64_t)copy->env->conf->copy_interval_ms, left = 0;

	if (copy->in_use.map && !copy->in_use.is_clock_suspect && copy->in_use.age_ms < interval)
		left = interval - copy->in_use.age_ms;
	copy->due_ms = mono_ms(copy) + left + some_of(FIRST_SPREAD_MS);
}

int64_t mxw__copy_pause(mxw__copy_t *copy)
{
	int64_t left = copy->due_ms - mono_ms(copy);

	return left > 0 ? left : 0;
}

static void *copy_main(void *arg)
{
	mxw__copy_t *copy = arg;

	pthread_mutex_lock(&copy->lock);
	while (!copy->is_stopping) {
		int64_t left = mxw__copy_pause(copy);
		if (left > 0)
			mxw__cond_wait_ms(&copy->changed, &copy->lock, left < TOUCH_MS ? left : TOUCH_MS);
		bool is_due = left == 0 && !copy->is_stopping;
		pthread_mutex_unlock(&copy->lock);
		if (is_due)
			plan_next(copy, mxw__copy_pull(copy));
		touch(copy);
		pthread_mutex_lock(&copy->lock);
	}
	pthread_mutex_unlock(&copy->lock);
	return NULL;
}

mxw_status_t mxw__copy_start(mxw__copy_t *copy, struct mxw_error *err)
{
	int rc = mxw__quiet_thread(&copy->thread, copy_main, copy);

	if (rc != 0)
		return mxw__fail(err, MXW_ERR_SYSTEM, "no thread: %s", strerror(rc));
	copy->has_thread = true;
	return MXW_OK;
}

mxw_status_t mxw__copy_new(const struct mxw__directory_env *env, const struct mxw__directory_ops *ops, void *self,
			   mxw__copy_t **ret_copy, struct mxw_error *err)
{
	mxw__copy_t *copy = calloc(1, sizeof *copy);
	struct mxw_error why = {0};

	if (!copy)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	copy->env = env;
	copy->ops = ops;
	copy->self = self;
	copy->noticer = (struct mxw__noticer){env->notice, env->notice_ctx, env->conf->name, "directory"};
	int rc = pthread_mutex_init(&copy->lock, NULL);
	if (rc == 0 && (rc = mxw__cond_init(&copy->changed)) != 0)
		pthread_mutex_destroy(&copy->lock);
	if (rc != 0 || !make_path(copy)) {
		free(copy);
		return mxw__fail(err, MXW_ERR_SYSTEM, "no offline copy: %s", rc ? strerror(rc) : "the name is too long");
	}
	if (!get_ready(copy, &why))
		complain(copy, why.text);
	plan_first(copy);
	*ret_copy = copy;
	return MXW_OK;
}

void mxw__copy_free(mxw__copy_t *copy)
{
	if (!copy)
		return;
	pthread_mutex_lock(&copy->lock);
	copy->is_stopping = true;
	pthread_cond_broadcast(&copy->changed);
	pthread_mutex_unlock(&copy->lock);
	if (copy->ops->interrupt && copy->self)
		copy->ops->interrupt(copy->self);
	if (copy->has_thread)
		pthread_join(copy->thread, NULL);
	touch(copy);
	mxw__copy_map_unref(copy->in_use.map);
	mxw__wipe(&copy->keys, sizeof copy->keys);
	pthread_cond_destroy(&copy->changed);
	pthread_mutex_destroy(&copy->lock);
	free(copy);
}

/* ---- look-ups ---- */

struct hashes {
	unsigned char address[MXW__COPY_HASH_SIZE], local[MXW__COPY_HASH_SIZE];
};

/* The list in use, and what to look for in it; NULL: it can't be asked. The caller lets go of it. */
static mxw__copy_map_t *prepare(mxw__copy_t *copy, const struct mxw__address *address, struct in_use *ret_list,
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
	struct in_use list;

	if (!copy || !prepare(copy, address, &list, &hashes))
		return;
	int64_t age = age_of(copy, &list);
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
static bool add_missed_locked(struct in_use *list, const unsigned char *hash)
{
	bool was_partial = is_partial(list);
	size_t i = 0;

	while (i < list->nmissed && memcmp(list->missed[i], hash, MXW__COPY_HASH_SIZE) != 0)
		i++;
	if (i == list->nmissed && i < MISSED_MAX)
		memcpy(list->missed[list->nmissed++], hash, MXW__COPY_HASH_SIZE);
	list->disagreed++;
	return !was_partial && is_partial(list);
}

void mxw__copy_compare(mxw__copy_t *copy, const struct mxw__address *address)
{
	struct mxw__rcpt_settings settings;
	struct hashes hashes;
	struct in_use list;
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
