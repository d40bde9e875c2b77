/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backup.c: who came to a backup MX without having tried the primary.
 *
 * Honest clients take mail exchangers in the order of their preference, and come to the backup when the primary did not answer, or
 * put them off. Robots go there first, since it is often guarded less. So the primary remembers who came to it, and the backup asks;
 * on another host through what the hosts share, on the same one at once.
 *
 * A client is a host, its network, the domain of the name that the MTA has verified, of its HELO, and the sender's domain if SPF
 * passes for it: a large provider may try the primary from one host of its pool and the backup from another. It costs a robot
 * nothing to say somebody else's HELO; but it has to know whose, of those who were here just now.
 *
 * Nothing is said where it is not known: while the primary is not known to be up, and to have been for a while.
 * What is said early may be taken back; the points come at the end of the first message.
 */
#include "config.h"

#include <string.h>

#include "src/session/engine.h"
#include "src/share/share.h"
#include "src/track/sightings.h"

/* ---- the engine's ---- */

static struct mxw__sightings_options options_of(const mxw_engine_t *engine, const struct mxw__tracker_conf *conf)
{
	return (struct mxw__sightings_options){
		.max_entries = (size_t)conf->sightings,
		.window_ms = conf->sighting_window_ms,
		.alive_ms = conf->primary_alive_ms,
		.clock = &engine->clock,
	};
}

static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	struct mxw__sightings_options options = options_of(engine, &conf->tracker);
	mxw_status_t status = mxw__sightings_new(&options, &engine->sightings);

	if (status != MXW_OK)
		return mxw__fail(err, status, "no memory for tracker sightings %llu", (unsigned long long)conf->tracker.sightings);
	return MXW_OK;
}

static void configure(mxw_engine_t *engine, const struct mxw_conf *conf)
{
	struct mxw__sightings_options options = options_of(engine, &conf->tracker);

	mxw__sightings_configure(engine->sightings, &options);
}

static void free_all(mxw_engine_t *engine)
{
	mxw__sightings_free(engine->sightings);
}

static size_t states(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max)
{
	if (max < 1)
		return 0;
	ret_states[0] = (struct mxw__state){&mxw__sightings_sort, engine->sightings};
	return 1;
}

/* ---- where and who ---- */

static const struct mxw__listener_conf *listener_of(const mxw_session_t *s)
{
	const struct mxw_conf *conf = s->snapshot->conf;
	const char *name = mxw_facts_get(s->facts, MXW__FACT_LISTENER);

	for (size_t i = 0; name && i < conf->nlisteners; i++)
		if (strcmp(conf->listeners[i].name, name) == 0)
			return &conf->listeners[i];
	return NULL;
}

bool mxw__backup_is_here(const mxw_session_t *s)
{
	const struct mxw__listener_conf *listener = listener_of(s);

	return listener && listener->is_backup;
}

/* Somebody may want to know who comes here: a backup of our own, or on another host. */
static bool is_primary(const mxw_session_t *s)
{
	const struct mxw_conf *conf = s->snapshot->conf;
	const struct mxw__listener_conf *listener = listener_of(s);
	bool is_wanted = conf->redis.servers.n > 0;

	for (size_t i = 0; i < conf->nlisteners; i++)
		is_wanted |= conf->listeners[i].is_backup;
	if (listener && (listener->is_backup || strcmp(listener->name, "submission") == 0 || strcmp(listener->name, "submissions") == 0))
		return false;
	return is_wanted;
}

static bool is_looked_at(const mxw_session_t *s)
{
	return s->snapshot->conf->tracker.enabled && mxw__session_is_stranger(s);
}

enum { WHO_MAX = 6 };

static void add_name(struct mxw__key *keys, size_t *n, mxw__key_kind_t kind, const char *name)
{
	char ascii[MXW__DOMAIN_MAX + 1], org[MXW__DOMAIN_MAX + 1];

	if (!*name || mxw__domain_to_ascii(name, strlen(name), ascii) != MXW_OK)
		return;
	mxw__org_domain(ascii, org);
	keys[(*n)++] = mxw__key_of_name(kind, org);
}

/* All that is known of it by this stage. Of HELO names under no public suffix everybody may have the same: localhost.localdomain. */
static size_t who(const mxw_session_t *s, struct mxw__key keys[WHO_MAX])
{
	const char *spf = mxw_facts_get(s->facts, MXW__FACT_SPF);
	char helo[MXW__DOMAIN_MAX + 1];
	size_t n = 0;

	keys[n++] = mxw__key_of_ip(MXW__KEY_ADDRESS, &s->env.client);
	keys[n++] = mxw__key_of_ip(MXW__KEY_NETWORK, &s->env.client);
	add_name(keys, &n, MXW__KEY_HELO, s->env.client_name);
	if (s->env.helo_kind == MXW__HELO_DOMAIN && mxw__domain_to_ascii(s->env.helo, strlen(s->env.helo), helo) == MXW_OK &&
	    mxw__has_public_suffix(helo))
		add_name(keys, &n, MXW__KEY_HELO, helo);
	if (s->env.sender_is_valid && !s->env.sender.is_literal && spf && strcmp(spf, "pass") == 0)
		add_name(keys, &n, MXW__KEY_DOMAIN, s->env.sender.domain);
	return n;
}

/* ---- at the primary ---- */

static void see(mxw_session_t *s, mxw_stage_t stage)
{
	int64_t now_ms = mxw__now_ms(&s->engine->clock);
	struct mxw__key keys[WHO_MAX];
	size_t n = who(s, keys);

	/* Once for each thing that a stage may bring: of thousands of recipients the first will do. */
	if (stage == MXW_STAGE_RCPT && s->record.rcpts > 1)
		return;
	for (size_t i = 0; i < n; i++)
		mxw__sightings_see(s->engine->sightings, &keys[i], now_ms);
	if (stage == MXW_STAGE_CONNECT)
		mxw__sightings_mark_primary(s->engine->sightings, now_ms);
}

void mxw_engine_turned_away(mxw_engine_t *engine)
{
	mxw__sightings_turned_away(engine->sightings, mxw__now_ms(&engine->clock));
}

/* ---- at the backup ---- */

static void judge(mxw_session_t *s)
{
	int64_t now_ms = mxw__now_ms(&s->engine->clock);
	struct mxw__key keys[WHO_MAX];
	size_t n = who(s, keys);
	bool is_seen = false;

	for (size_t i = 0; i < n; i++)
		is_seen |= mxw__sightings_has(s->engine->sightings, &keys[i], now_ms);
	if (is_seen)
		mxw_facts_set(s->facts, MXW__FACT_CLIENT_BACKUP_FIRST, "no");
	else if (mxw__sightings_primary_is_up(s->engine->sightings, now_ms))
		mxw_facts_set(s->facts, MXW__FACT_CLIENT_BACKUP_FIRST, "yes");
	else
		mxw__facts_forget(s->facts, MXW__FACT_CLIENT_BACKUP_FIRST);
}

bool mxw__backup_is_first(const mxw_session_t *s)
{
	const char *value = mxw_facts_get(s->facts, MXW__FACT_CLIENT_BACKUP_FIRST);

	return value && strcmp(value, "yes") == 0;
}

static void wants(mxw_session_t *s, mxw_stage_t stage, struct mxw__wants *wants)
{
	struct mxw__key keys[WHO_MAX];
	char text[MXW__KEY_TEXT_MAX];

	if (!is_looked_at(s) || !mxw__backup_is_here(s))
		return;
	size_t n = who(s, keys);
	mxw__wants_add(wants, &mxw__sightings_sort, MXW__SIGHTINGS_PRIMARY);
	for (size_t i = 0; i < n; i++)
		mxw__wants_add(wants, &mxw__sightings_sort, mxw__key_text(&keys[i], text));
}

/* ---- both ---- */

static void look(mxw_session_t *s, mxw_stage_t stage)
{
	if (!is_looked_at(s))
		mxw__facts_forget(s->facts, MXW__FACT_CLIENT_BACKUP_FIRST);
	else if (mxw__backup_is_here(s))
		judge(s);
	else if (is_primary(s))
		see(s, stage);
}

/* Of who brings mail, once; what other hosts know has had the time of a session to come. */
static void count(mxw_session_t *s)
{
	if (!mxw__backup_is_first(s) || s->backup_first_counted)
		return;
	s->backup_first_counted = true;
	mxw__track_event(s, MXW__EVENT_BACKUP_FIRST);
}

/* At the end it is known whether SPF passes for the sender. */
static void message(mxw_session_t *s, const struct mxw_verdict *verdict)
{
	look(s, MXW_STAGE_EOM);
	count(s);
}

static void aborted(mxw_session_t *s)
{
	look(s, MXW_STAGE_EOM);
	count(s);
}

const struct mxw__part mxw__part_backup = {
	.name = "backup",
	.make = make,
	.configure = configure,
	.free = free_all,
	.states = states,
	.wants = wants,
	.before = look,
	.message = message,
	.aborted = aborted,
};
