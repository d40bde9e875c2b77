/* SPDX-License-Identifier: BSD-2-Clause */
/* lists.c: who and what is on the lists that the postmaster keeps. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/session/lists.h"

/* ---- the engine's ---- */

static void notice(void *ctx, bool is_error, const char *text)
{
	mxw_engine_t *engine = ctx;
	struct mxw__buf line;

	mxw__buf_init(&line, 1024);
	mxw__buf_adds(&line, "event=list text=");
	mxw__buf_add_logvalue(&line, text, strlen(text), 800);
	mxw__engine_log(engine, is_error ? MXW_LEVEL_ERROR : MXW_LEVEL_WARNING, mxw__buf_str(&line));
	mxw__buf_fini(&line);
}

void mxw__list_files_unref(struct mxw__list_files *files)
{
	if (!files || atomic_fetch_sub(&files->refs, 1) != 1)
		return;
	for (size_t i = 0; i < files->n; i++)
		mxw__list_file_unref(files->files[i]);
	free(files);
}

struct mxw__list_files *mxw__list_files_ref(struct mxw__lists *lists)
{
	pthread_mutex_lock(&lists->mutex);
	struct mxw__list_files *files = lists->files;
	atomic_fetch_add(&files->refs, 1);
	pthread_mutex_unlock(&lists->mutex);
	return files;
}

/* One that was open before stays so: what was read of it serves on, even if it can't be read any more. */
static mxw_status_t open_file(struct mxw__lists *lists, const struct mxw__list_conf *conf, const struct mxw__list_files *old,
			      mxw__list_file_t **ret_file)
{
	for (size_t i = 0; old && i < old->n; i++) {
		if (old->files[i] && mxw__list_file_is_of(old->files[i], conf)) {
			*ret_file = mxw__list_file_ref(old->files[i]);
			return MXW_OK;
		}
	}
	return conf->file[0] ? mxw__list_file_new(conf, &lists->clock, lists->notice, lists->notice_ctx, ret_file) : MXW_OK;
}

static struct mxw__list_files *open_files(struct mxw__lists *lists, const struct mxw_conf *conf, const struct mxw__list_files *old)
{
	struct mxw__list_files *files = calloc(1, sizeof *files);
	mxw_status_t status = files ? MXW_OK : MXW_ERR_NOMEM;

	if (!files)
		return NULL;
	atomic_init(&files->refs, 1);
	files->n = conf->nlists;
	for (size_t i = 0; status == MXW_OK && i < conf->nlists; i++)
		status = open_file(lists, &conf->lists[i], old, &files->files[i]);
	if (status == MXW_OK)
		return files;
	mxw__list_files_unref(files);
	return NULL;
}

static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	struct mxw__lists *lists = calloc(1, sizeof *lists);

	if (!lists || pthread_mutex_init(&lists->mutex, NULL) != 0) {
		free(lists);
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	}
	engine->lists = lists;
	lists->clock = engine->clock;
	lists->notice = notice;
	lists->notice_ctx = engine;
	mxw__lists_know_sections(lists, conf);
	lists->files = open_files(lists, conf, NULL);
	return lists->files ? MXW_OK : mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
}

static void configure(mxw_engine_t *engine, const struct mxw_conf *conf)
{
	struct mxw__lists *lists = engine->lists;
	struct mxw__list_files *old = mxw__list_files_ref(lists), *fresh = open_files(lists, conf, old);

	mxw__list_files_unref(old);
	mxw__lists_know_sections(lists, conf);
	if (!fresh) {
		notice(engine, true, "no memory for the lists of the new configuration; those of the old one stay in use");
		return;
	}
	pthread_mutex_lock(&lists->mutex);
	old = lists->files;
	lists->files = fresh;
	pthread_mutex_unlock(&lists->mutex);
	mxw__list_files_unref(old);
}

static void free_all(mxw_engine_t *engine)
{
	struct mxw__lists *lists = engine->lists;

	if (!lists)
		return;
	mxw__list_files_unref(lists->files);
	for (size_t i = 0; i < lists->nadded; i++)
		mxw__list_set_unref(lists->added[i].set);
	pthread_mutex_destroy(&lists->mutex);
	free(lists);
	engine->lists = NULL;
}

static size_t states(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max)
{
	if (max < 1)
		return 0;
	ret_states[0] = (struct mxw__state){&mxw__lists_sort, engine->lists};
	return 1;
}

/* ---- looking ---- */

const struct mxw__list_item *mxw__lists_find(const mxw__list_set_t *set, const struct mxw__sought *what, int64_t wall_ms)
{
	const struct mxw__list_item *item = what->ip ? mxw__list_set_find_ip(set, what->ip, wall_ms) : NULL;

	if (!item && what->mailbox)
		item = mxw__list_set_find_mailbox(set, what->mailbox, wall_ms);
	if (!item && what->name && *what->name)
		item = mxw__list_set_find_name(set, what->name, wall_ms);
	return item;
}

/* Behind what is there: "block:192.0.2.0/24 by anna: spam run". */
static void note(char *listed, const char *list, const struct mxw__list_item *item)
{
	size_t n = strlen(listed);

	snprintf(listed + n, MXW__LISTED_MAX - n, "%s%s:%s%s%s%s%s", n ? "; " : "", list, item->entry, *item->author ? " by " : "",
		 item->author, *item->reason ? ": " : "", item->reason);
}

static bool find_added(struct mxw__lists *lists, const char *list, const struct mxw__sought *what, int64_t wall_ms, char *listed)
{
	const struct mxw__list_item *item = NULL;

	if (!atomic_load(&lists->has_any))
		return false;
	pthread_mutex_lock(&lists->mutex);
	struct mxw__added_list *added = mxw__lists_find_locked(lists, list, 0);
	if (added)
		item = mxw__lists_find(added->set, what, wall_ms);
	if (item)
		note(listed, list, item);
	pthread_mutex_unlock(&lists->mutex);
	return item;
}

static mxw_outcome_t find_in_file(mxw__list_file_t *file, const char *list, const struct mxw__sought *what, int64_t wall_ms, char *listed)
{
	mxw__list_set_t *set = file ? mxw__list_file_content(file) : NULL;
	const struct mxw__list_item *item = set ? mxw__lists_find(set, what, wall_ms) : NULL;

	if (item)
		note(listed, list, item);
	mxw__list_set_unref(set);
	return item ? MXW_FOUND : set || !file ? MXW_NOT_FOUND : MXW_TEMPORARY;
}

/* Sections that a reload has brought meanwhile are not those of this session: their files are found by their names. */
mxw__list_file_t *mxw__list_files_find(const struct mxw__list_files *files, const struct mxw__list_conf *conf)
{
	for (size_t i = 0; i < files->n; i++)
		if (files->files[i] && mxw__list_file_is_of(files->files[i], conf))
			return files->files[i];
	return NULL;
}

/* States the fact anew. Of a list whose file could never be read nothing is known. */
static void look(mxw_session_t *s, mxw_fact_id_t fact, const struct mxw__sought *what, char *listed)
{
	struct mxw__lists *lists = s->engine->lists;
	const struct mxw_conf *conf = s->snapshot->conf;
	int64_t wall_ms = lists->clock.wall_ms(lists->clock.ctx);

	mxw__facts_forget(s->facts, fact);
	listed[0] = '\0';
	if (!conf->nlists)
		return;
	struct mxw__list_files *files = mxw__list_files_ref(lists);
	for (size_t i = 0; i < conf->nlists; i++) {
		const char *name = conf->lists[i].name;
		mxw_outcome_t outcome = MXW_FOUND;
		if (!find_added(lists, name, what, wall_ms, listed))
			outcome = find_in_file(mxw__list_files_find(files, &conf->lists[i]), name, what, wall_ms, listed);
		if (outcome == MXW_FOUND)
			mxw_facts_set(s->facts, fact, name);
		else if (outcome == MXW_TEMPORARY)
			mxw_facts_set_unavailable(s->facts, fact, name);
	}
	mxw__list_files_unref(files);
}

/* As names are compared; "" if it is none. */
static const char *ascii_of(const char *name, char ret_name[MXW__DOMAIN_MAX + 1])
{
	if (!*name || *name == '[' || mxw__domain_to_ascii(name, strlen(name), ret_name) != MXW_OK)
		ret_name[0] = '\0';
	return ret_name;
}

static void look_for_client(mxw_session_t *s)
{
	char name[MXW__DOMAIN_MAX + 1];
	struct mxw__sought what = {.ip = &s->env.client, .name = ascii_of(s->env.client_name, name)};

	look(s, MXW__FACT_CLIENT_LIST, &what, s->listed.client);
}

static void look_for_helo(mxw_session_t *s)
{
	char name[MXW__DOMAIN_MAX + 1];
	struct mxw__sought what = {.name = ascii_of(s->env.helo, name)};

	if (s->env.helo_ip.family)
		what = (struct mxw__sought){.ip = &s->env.helo_ip};
	look(s, MXW__FACT_HELO_LIST, &what, s->listed.helo);
}

static void look_for_sender(mxw_session_t *s)
{
	const struct mxw__address *sender = &s->env.sender;
	bool has_address = s->env.sender_is_valid && !sender->is_null;
	struct mxw__sought what = {
		.mailbox = has_address ? (sender->key_text ? sender->key_text : sender->text) : NULL,
		.name = has_address && !sender->is_literal ? sender->domain : NULL,
	};

	look(s, MXW__FACT_SENDER_LIST, &what, s->listed.sender);
}

/* ---- points of lists in the DNS ---- */

/* Once in a session for each: of whoever has logged in by then nothing counts. What could not be asked for comes with the next session. */
static void feed_points(mxw_session_t *s)
{
	static const mxw_fact_id_t facts[] = {
		MXW__FACT_CLIENT_DNSBL_POINTS, MXW__FACT_HELO_DNSBL_POINTS, MXW__FACT_IPREV_DNSBL_POINTS};
	uint64_t points;

	for (size_t i = 0; i < MXW_ARRAY_LEN(facts); i++) {
		const char *sum = s->points_fed >> i & 1 ? NULL : mxw_facts_get(s->facts, facts[i]);
		if (!sum || mxw_facts_is_unavailable(s->facts, facts[i]) || !mxw__parse_u64(sum, &points))
			continue;
		s->points_fed |= 1u << i;
		if (points)
			mxw__track_event_points(s, MXW__EVENT_LISTED, 1, (double)points);
	}
}

static void before(mxw_session_t *s, mxw_stage_t stage)
{
	if (stage == MXW_STAGE_CONNECT)
		look_for_client(s);
	else if (stage == MXW_STAGE_HELO)
		look_for_helo(s);
	else if (stage == MXW_STAGE_MAIL)
		look_for_sender(s);
	if (stage >= MXW_STAGE_MAIL)
		feed_points(s);
}

/* Who is sent away here never comes to MAIL. Who is put off, by a limit for one, comes again, and must not earn them each time. */
static void decided(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict)
{
	if (stage < MXW_STAGE_MAIL && (verdict->action == MXW_ACTION_REJECT || verdict->action == MXW_ACTION_DISCONNECT))
		feed_points(s);
}

const struct mxw__part mxw__part_lists = {
	.name = "lists",
	.make = make,
	.configure = configure,
	.free = free_all,
	.states = states,
	.before = before,
	.decided = decided,
};
