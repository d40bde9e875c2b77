/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rates.c: the limits of the section `rates`.
 *
 * A limit of connections or sessions counts a session once, as soon as its key is known, and what came of it holds until the session
 * ends. The others count as things happen; a limit that a message has passed counts no more of it, and holds for the rest
 * of it. What is known only afterwards, octets and recipients that failed, is counted then and holds for what comes next.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/session/part.h"
#include "src/session/rates.h"
#include "src/share/share.h"

enum { DIFFERENT_PER_ENTRY = 8, FOR_EVERYBODY = 2 };

/* ---- the engine's ---- */

static void name_rates(mxw_engine_t *engine, const struct mxw__rates_conf *conf)
{
	const char *names[MXW__LIMITS_MAX + FOR_EVERYBODY] = {MXW__OUTBOUND_RATE_MESSAGES, MXW__OUTBOUND_RATE_RCPTS};

	for (size_t i = 0; i < conf->nlimits; i++)
		names[FOR_EVERYBODY + i] = conf->limits[i].name;
	if (mxw__rates_configure(engine->rates, names, FOR_EVERYBODY + conf->nlimits) != MXW_OK)
		mxw__engine_warn(engine, "rates", "event=rates text=\"no memory: what is known of new limits is not kept\"");
}

static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	size_t max = (size_t)conf->rates.max_entries;
	mxw_status_t status = mxw__rates_new(max, &engine->clock, &engine->rates);

	if (status == MXW_OK)
		status = mxw__opens_new(&engine->opens);
	if (status == MXW_OK)
		status = mxw__distinct_new(max / DIFFERENT_PER_ENTRY, &engine->different_rcpts);
	if (status != MXW_OK)
		return mxw__fail(err, status, "no memory for rates max-entries %zu", max);
	name_rates(engine, &conf->rates);
	return MXW_OK;
}

static void configure(mxw_engine_t *engine, const struct mxw_conf *conf)
{
	name_rates(engine, &conf->rates);
}

static void free_all(mxw_engine_t *engine)
{
	mxw__rates_free(engine->rates);
	mxw__opens_free(engine->opens);
	mxw__distinct_free(engine->different_rcpts);
}

static size_t states(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max)
{
	if (max < 1)
		return 0;
	ret_states[0] = (struct mxw__state){&mxw__rates_sort, engine->rates};
	return 1;
}

/* ---- whom a limit is for ---- */

/* No relay, which brings what many have sent, and no local submission. */
static unsigned class_of(const mxw_session_t *s)
{
	if (s->env.client_class != MXW__CLIENT_OUTSIDE && s->env.client_class != MXW__CLIENT_INTERNAL)
		return 0;
	if (s->has_authenticated)
		return MXW__FOR_AUTHENTICATED;
	return s->env.client_class == MXW__CLIENT_INTERNAL ? MXW__FOR_INTERNAL : MXW__FOR_OUTSIDE;
}

static bool is_for(const mxw_session_t *s, const struct mxw__limit_conf *limit)
{
	return limit->classes & class_of(s);
}

static bool spf_passes(const mxw_session_t *s)
{
	const char *spf = mxw_facts_get(s->facts, MXW__FACT_SPF);

	return spf && strcmp(spf, "pass") == 0;
}

/* False: there is none, or it is not known yet. */
static bool find_key(const mxw_session_t *s, const struct mxw__limit_conf *limit, struct mxw__key *ret_key)
{
	*ret_key = (struct mxw__key){0};
	switch (limit->key) {
	case MXW__KEY_ADDRESS:
	case MXW__KEY_NETWORK:
	case MXW__KEY_WIDE:
		*ret_key = mxw__key_of_ip(limit->key, &s->env.client);
		break;
	case MXW__KEY_HELO:
		*ret_key = mxw__key_of_name(MXW__KEY_HELO, s->env.helo);
		break;
	case MXW__KEY_DOMAIN:
		/* Anybody can name any domain. */
		if (s->env.sender_is_valid && spf_passes(s))
			*ret_key = mxw__key_of_name(MXW__KEY_DOMAIN, s->env.sender.domain);
		break;
	case MXW__KEY_USER:
		*ret_key = mxw__key_of_name(MXW__KEY_USER, s->env.auth_user);
		break;
	default:
		return true;
	}
	return ret_key->kind != MXW__KEY_NONE;
}

/* ---- counting ---- */

static bool enter(mxw_session_t *s, unsigned i, const struct mxw__key *key)
{
	const struct mxw__limit_conf *limit = &s->snapshot->conf->rates.limits[i];
	struct mxw__rates_session *r = &s->rates;
	struct mxw__open *open;

	if (!mxw__opens_enter(s->engine->opens, limit->rate.id, key, limit->rate.count, &open))
		return false;
	if (open) {
		r->held[r->nheld].limit = i;
		r->held[r->nheld++].open = open;
	}
	return true;
}

/* Gives back the sessions counted under limits that do not hold, or with `all` under any. */
static void leave(mxw_session_t *s, bool all)
{
	const struct mxw__limit_conf *limits = s->snapshot->conf->rates.limits;
	struct mxw__rates_session *r = &s->rates;
	size_t n = 0;

	for (size_t i = 0; i < r->nheld; i++) {
		if (all || !is_for(s, &limits[r->held[i].limit]))
			mxw__opens_leave(s->engine->opens, r->held[i].open);
		else
			r->held[n++] = r->held[i];
	}
	r->nheld = n;
}

/* Of the different recipients of a key. */
struct different_key {
	uint64_t id;
	struct mxw__key key;
};

static struct mxw__limit_use use_of_bucket(mxw__rates_t *rates, const struct mxw__rate *rate, const struct mxw__key *key, int64_t now_ms)
{
	struct mxw__limit_use use = {.used = mxw__rates_level(rates, rate, key, now_ms), .max = (double)rate->burst};

	use.is_full = !mxw__rates_has_room(rates, rate, key, now_ms);
	if (use.is_full)
		use.free_in_ms = (int64_t)ceil((use.used + 1 - use.max) * (double)rate->window_ms / (double)rate->count);
	return use;
}

struct mxw__limit_use mxw__rates_use(mxw_engine_t *engine, const struct mxw__limit_conf *limit, const struct mxw__key *key)
{
	int64_t now_ms = mxw__now_ms(&engine->clock);
	struct different_key both = {limit->rate.id, *key};
	struct mxw__limit_use use = {.max = (double)limit->rate.count};

	if (limit->what == MXW__LIMITED_SESSIONS)
		use.used = (double)mxw__opens_count(engine->opens, limit->rate.id, key);
	else if (limit->what == MXW__LIMITED_DIFFERENT_RCPTS)
		use.used = (double)mxw__distinct_count(engine->different_rcpts, &both, sizeof both, now_ms, limit->rate.window_ms);
	else
		return use_of_bucket(engine->rates, &limit->rate, key, now_ms);
	use.is_full = use.used >= use.max;
	return use;
}

bool mxw__rates_forgive_key(mxw_engine_t *engine, const struct mxw__key *key)
{
	struct mxw__snapshot *snapshot = mxw__engine_snapshot(engine);
	const struct mxw__rates_conf *conf = &snapshot->conf->rates;
	bool was_used = false;

	for (size_t i = 0; i < conf->nlimits; i++) {
		const struct mxw__limit_conf *limit = &conf->limits[i];
		struct different_key both = {limit->rate.id, *key};
		/* Sessions that are open are open. */
		if (limit->key != (mxw__key_kind_t)key->kind || limit->what == MXW__LIMITED_SESSIONS)
			continue;
		was_used |= mxw__rates_use(engine, limit, key).used > 0;
		mxw__rates_forgive(engine->rates, &limit->rate, key, mxw__now_ms(&engine->clock));
		mxw__distinct_forget(engine->different_rcpts, &both, sizeof both);
	}
	mxw__snapshot_unref(snapshot);
	return was_used;
}

/* Those that were seen in the time pass, so that who tries them again is not put off for it. */
static bool is_within_different(mxw_session_t *s, const struct mxw__limit_conf *limit, const struct mxw__key *key)
{
	mxw__distinct_t *different = s->engine->different_rcpts;
	int64_t now_ms = mxw__now_ms(&s->engine->clock);
	struct different_key both = {limit->rate.id, *key};
	uint32_t hash = (uint32_t)mxw__distinct_hash(different, s->env.rcpt_is_valid ? s->env.rcpt.key_text : s->env.rcpt_path);

	if (mxw__distinct_count(different, &both, sizeof both, now_ms, limit->rate.window_ms) >= limit->rate.count &&
	    !mxw__distinct_has(different, &both, sizeof both, hash, now_ms, limit->rate.window_ms))
		return false;
	mxw__distinct_add(different, &both, sizeof both, hash, now_ms, limit->rate.window_ms);
	return true;
}

/* Is it within the limit? Counts what is. */
static bool is_within(mxw_session_t *s, unsigned i, const struct mxw__key *key)
{
	const struct mxw__limit_conf *limit = &s->snapshot->conf->rates.limits[i];
	int64_t now_ms = mxw__now_ms(&s->engine->clock);

	switch (limit->what) {
	case MXW__LIMITED_SESSIONS:
		return enter(s, i, key);
	case MXW__LIMITED_DIFFERENT_RCPTS:
		return is_within_different(s, limit, key);
	case MXW__LIMITED_BYTES:
	case MXW__LIMITED_FAILED_RCPTS:
		return mxw__rates_has_room(s->engine->rates, &limit->rate, key, now_ms);
	default:
		return mxw__rates_take(s->engine->rates, &limit->rate, key, 1, now_ms);
	}
}

static bool is_of_session(mxw__limited_t what)
{
	return what == MXW__LIMITED_CONNECTIONS || what == MXW__LIMITED_SESSIONS;
}

/* Does a limit look at this stage? */
static bool is_due(const mxw_session_t *s, mxw_stage_t stage, mxw__limited_t what)
{
	switch (what) {
	case MXW__LIMITED_CONNECTIONS:
	case MXW__LIMITED_SESSIONS:
		return stage <= MXW_STAGE_MAIL;
	case MXW__LIMITED_MESSAGES:
	case MXW__LIMITED_BYTES:
		return stage == MXW_STAGE_MAIL;
	case MXW__LIMITED_NULL_MESSAGES:
		return stage == MXW_STAGE_MAIL && s->env.sender_is_valid && s->env.sender.is_null;
	default:
		return stage == MXW_STAGE_RCPT;
	}
}

static void note_over(mxw_session_t *s, uint64_t *over, uint64_t bit)
{
	*over |= bit;
	if (s->rates.noted & bit)
		return;
	s->rates.noted |= bit;
	mxw__track_event(s, MXW__EVENT_OVER_LIMIT);
}

static void look_at(mxw_session_t *s, mxw_stage_t stage, unsigned i)
{
	const struct mxw__limit_conf *limit = &s->snapshot->conf->rates.limits[i];
	struct mxw__rates_session *r = &s->rates;
	uint64_t bit = UINT64_C(1) << i, *over = is_of_session(limit->what) ? &r->over : &r->message_over;
	struct mxw__key key;

	if (!is_due(s, stage, limit->what) || !is_for(s, limit) || (*over & bit) || (r->counted & bit) || !find_key(s, limit, &key))
		return;
	if (is_of_session(limit->what))
		r->counted |= bit;
	if (!is_within(s, i, &key))
		note_over(s, over, bit);
}

/* ---- what is stated ---- */

/* Who has authenticated is free of what was for strangers. */
static void state(mxw_session_t *s, mxw_fact_id_t fact, uint64_t over)
{
	const struct mxw__rates_conf *conf = &s->snapshot->conf->rates;

	if (mxw_facts_has(s->facts, fact))
		mxw__facts_forget(s->facts, fact);
	for (size_t i = 0; over && i < conf->nlimits; i++)
		if ((over >> i & 1) && is_for(s, &conf->limits[i]))
			mxw_facts_set(s->facts, fact, conf->limits[i].name);
}

/* Sessions and different recipients are counted for each host alone. */
static void wants(mxw_session_t *s, mxw_stage_t stage, struct mxw__wants *wants)
{
	const struct mxw__rates_conf *conf = &s->snapshot->conf->rates;
	char text[MXW__STATE_KEY_MAX];
	struct mxw__key key;

	for (size_t i = 0; i < conf->nlimits; i++) {
		const struct mxw__limit_conf *limit = &conf->limits[i];
		if (limit->what == MXW__LIMITED_SESSIONS || limit->what == MXW__LIMITED_DIFFERENT_RCPTS ||
		    !is_due(s, stage, limit->what) || !is_for(s, limit) || !find_key(s, limit, &key))
			continue;
		mxw__rates_record_key(limit->name, &key, text);
		mxw__wants_add(wants, &mxw__rates_sort, text);
	}
}

static void before(mxw_session_t *s, mxw_stage_t stage)
{
	const struct mxw__rates_conf *conf = &s->snapshot->conf->rates;

	if (conf->nlimits == 0)
		return;
	if (stage == MXW_STAGE_MAIL) {
		s->rates.message_over = 0;
		leave(s, false);
	}
	for (unsigned i = 0; i < conf->nlimits; i++)
		look_at(s, stage, i);
	state(s, MXW__FACT_CONNECTION_OVER_LIMIT, s->rates.over);
	if (stage >= MXW_STAGE_MAIL)
		state(s, MXW__FACT_MESSAGE_OVER_LIMIT, s->rates.message_over);
}

/* ---- what is known afterwards ---- */

static void count_afterwards(mxw_session_t *s, mxw__limited_t what, uint64_t n)
{
	const struct mxw__rates_conf *conf = &s->snapshot->conf->rates;
	int64_t now_ms = mxw__now_ms(&s->engine->clock);
	struct mxw__key key;

	for (size_t i = 0; (conf->kinds >> what & 1) && i < conf->nlimits; i++) {
		const struct mxw__limit_conf *limit = &conf->limits[i];
		if (limit->what != what || !is_for(s, limit) || !find_key(s, limit, &key))
			continue;
		/* A message that is larger than what is left of a limit was taken already. */
		if (what == MXW__LIMITED_BYTES)
			mxw__rates_charge(s->engine->rates, &limit->rate, &key, n, now_ms);
		else
			mxw__rates_take(s->engine->rates, &limit->rate, &key, n, now_ms);
	}
}

static void after(mxw_session_t *s, mxw_stage_t stage)
{
	const char *rcpt = mxw_facts_get(s->facts, MXW__FACT_RCPT);

	if (stage != MXW_STAGE_RCPT)
		return;
	if (s->env.rcpt_refused_by_mta ? !s->env.rcpt_deferred_by_mta : rcpt && strcmp(rcpt, "unknown") == 0)
		count_afterwards(s, MXW__LIMITED_FAILED_RCPTS, 1);
}

/* Of a concealed recipient nothing may be told: each of ours counts as one that does not exist. */
static void decided(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict)
{
	if (stage == MXW_STAGE_RCPT && verdict->decided == MXW_ACTION_CONCEAL && !s->snapshot->conf->observe && s->env.rcpt_domain)
		count_afterwards(s, MXW__LIMITED_FAILED_RCPTS, 1);
}

static void message(mxw_session_t *s, const struct mxw_verdict *verdict)
{
	count_afterwards(s, MXW__LIMITED_BYTES, s->env.header_bytes + s->env.body_bytes);
}

static void close_session(mxw_session_t *s)
{
	leave(s, true);
}

const struct mxw__part mxw__part_rates = {
	.name = "rates",
	.make = make,
	.configure = configure,
	.free = free_all,
	.states = states,
	.wants = wants,
	.before = before,
	.after = after,
	.decided = decided,
	.message = message,
	.close = close_session,
};
