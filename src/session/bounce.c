/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.c: bounces are taken to addresses only that our own mail was sent with.
 *
 * Who calls back to see whether a sender exists (RCPT without a sender, then RSET) asks for the address without a tag, and takes no for an
 * answer: mail of ours would be refused elsewhere. So nothing is refused before DATA, and no bounce counted.
 */
#include "config.h"

#include <string.h>

#include "src/journal/store.h"
#include "src/session/bounce.h"

#define DAY_MS INT64_C(86400000)

static const char *const words[] = {
	[MXW__BOUNCE_VALID] = "valid",
	[MXW__BOUNCE_EXPIRED] = "expired",
	[MXW__BOUNCE_FORGED] = "forged",
	[MXW__BOUNCE_MISSING] = "missing",
	[MXW__BOUNCE_EXEMPT] = "exempt",
	[MXW__BOUNCE_TAGGED] = "tagged",
};

const char *mxw__bounce_tag_word(mxw__bounce_tag_t tag)
{
	return words[tag];
}

bool mxw__bounce_is_unproven(mxw__bounce_tag_t tag)
{
	return tag == MXW__BOUNCE_EXPIRED || tag == MXW__BOUNCE_FORGED || tag == MXW__BOUNCE_MISSING;
}

/* ---- the engine's ---- */

static void configure(mxw_engine_t *engine, const struct mxw_conf *conf)
{
	mxw__leaps_keep(engine->leaps, conf->bounce.keys.n > 0);
}

static mxw_status_t make(mxw_engine_t *engine, const struct mxw_conf *conf, struct mxw_error *err)
{
	engine->bounces = mxw__bounce_counts_new(&engine->clock);
	engine->leaps = mxw__leaps_new(&engine->clock);
	if (!engine->bounces || !engine->leaps)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	configure(engine, conf);
	return MXW_OK;
}

static size_t states(mxw_engine_t *engine, struct mxw__state *ret_states, size_t max)
{
	if (max < 1)
		return 0;
	ret_states[0] = (struct mxw__state){&mxw__leaps_sort, engine->leaps};
	return 1;
}

static void free_all(mxw_engine_t *engine)
{
	if (engine->bounces)
		mxw__bounce_report(engine, true);
	mxw__bounce_counts_free(engine->bounces);
	mxw__leaps_free(engine->leaps);
}

bool mxw__bounce_changes_sender(const struct mxw_conf *conf)
{
	return conf->bounce.keys.n > 0 && conf->bounce.mode != MXW__BOUNCE_PROOF_OFF && !conf->observe;
}

bool mxw__bounce_changes_rcpts(const struct mxw_conf *conf)
{
	return conf->bounce.keys.n > 0;
}

/* ---- whose addresses ---- */

static bool is_covered(const struct mxw__bounce_conf *conf, const char *domain)
{
	for (size_t i = 0; conf->keys.n && i < conf->domains.n; i++)
		if (strcmp(conf->domains.v[i], domain) == 0)
			return true;
	return false;
}

/* "anna@example.net", "@example.net" for all of it; in lower case, as the key is. */
static bool is_listed(const struct mxw__strings *list, const struct mxw__address *address)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *entry = list->v[i], *at = strrchr(entry, '@');
		if (strcmp(at + 1, address->domain) == 0 && (at == entry || mxw__ascii_casecmp(entry, address->key_text) == 0))
			return true;
	}
	return false;
}

/* Whom RFC 5321 section 4.5.1 and RFC 2142 want to be reached, by programs as well. */
static bool is_role(const char *local)
{
	static const char *const roles[] = {"postmaster", "abuse", "hostmaster", "noc", "security"};

	for (size_t i = 0; i < MXW_ARRAY_LEN(roles); i++)
		if (mxw__ascii_casecmp(local, roles[i]) == 0)
			return true;
	return false;
}

/* No message of ours has this sender with a tag. */
static bool is_never_tagged(const struct mxw__bounce_conf *conf, const struct mxw__address *address)
{
	return strlen(address->local) > MXW__PRVS_LOCAL_MAX || is_listed(&conf->exempt_senders, address);
}

static uint64_t today(const mxw_session_t *s)
{
	int64_t wall_ms = s->engine->clock.wall_ms(s->engine->clock.ctx);

	return wall_ms > 0 ? (uint64_t)(wall_ms / DAY_MS) : 0;
}

/* ---- a recipient ---- */

/* The address behind the tag. False if it is none, or could not be kept. */
static bool read_untagged(mxw_session_t *s, const char *local, struct mxw__address *ret_address)
{
	char text[MXW__ADDRESS_MAX + 3] = "<";
	mxw_status_t status = MXW_ERR_INVALID;

	if (mxw__address_write(text + 1, sizeof text - 2, local, s->env.rcpt.domain)) {
		memcpy(text + strlen(text), ">", 2);
		status = mxw__address_parse(s->rcpt_arena, text, ret_address);
	}
	if (status == MXW_ERR_LIMIT || status == MXW_ERR_NOMEM)
		s->is_short[MXW_SCOPE_RCPT] = true;
	return status == MXW_OK;
}

void mxw__bounce_read_rcpt(mxw_session_t *s, const char *const *params)
{
	const struct mxw__bounce_conf *conf = &s->snapshot->conf->bounce;
	struct mxw__envelope *env = &s->env;
	struct mxw__address address;
	struct mxw__prvs prvs;

	s->rcpt_prvs = MXW__PRVS_NONE;
	s->rcpt_params = params;
	if (!env->rcpt_is_valid || !is_covered(conf, env->rcpt.domain) || !mxw__prvs_parse(env->rcpt.local, &prvs) ||
	    !read_untagged(s, prvs.local, &address))
		return;
	s->rcpt_prvs = mxw__prvs_verify(&prvs, address.key_text, conf->keys.v, conf->keys.n, today(s));
	env->rcpt = address;
}

static bool is_exempt(const mxw_session_t *s)
{
	const struct mxw__bounce_conf *conf = &s->snapshot->conf->bounce;

	return !mxw__session_is_stranger(s) || mxw__in_networks(&conf->exempt_networks, &s->env.client) ||
	       is_role(s->env.rcpt.local) || is_never_tagged(conf, &s->env.rcpt);
}

static mxw__bounce_tag_t tag_of(const mxw_session_t *s)
{
	if (s->rcpt_prvs == MXW__PRVS_VALID)
		return MXW__BOUNCE_VALID;
	if (is_exempt(s))
		return MXW__BOUNCE_EXEMPT;
	return s->rcpt_prvs == MXW__PRVS_EXPIRED || s->rcpt_prvs == MXW__PRVS_AHEAD ? MXW__BOUNCE_EXPIRED :
	       s->rcpt_prvs == MXW__PRVS_FORGED ? MXW__BOUNCE_FORGED : MXW__BOUNCE_MISSING;
}

static bool has_no_sender(const mxw_session_t *s)
{
	return s->env.sender_is_valid && s->env.sender.is_null;
}

/* Was each tag that has expired by this clock made after its last leap, or is it that old? A tag is good for its lifetime and the rest of a day. */
static bool tells_days(const mxw_session_t *s)
{
	uint64_t lifetime_ms = s->snapshot->conf->bounce.lifetime_ms + (uint64_t)DAY_MS;

	return mxw__store_has_loaded(s->engine->store) && mxw__leaps_calm_ms(s->engine->leaps) >= lifetime_ms;
}

/* It has expired by a clock that was set meanwhile, or is of a day that no right clock could have given it: nobody knows. */
static bool is_doubtful(const mxw_session_t *s, mxw__bounce_tag_t tag)
{
	return tag == MXW__BOUNCE_EXPIRED && (s->rcpt_prvs == MXW__PRVS_AHEAD || !tells_days(s));
}

static void before(mxw_session_t *s, mxw_stage_t stage)
{
	static const char *const modes[] = {"off", "learn", "enforce"};
	const struct mxw__bounce_conf *conf = &s->snapshot->conf->bounce;

	if (stage == MXW_STAGE_CONNECT) {
		mxw__bounce_report(s->engine, false);
		/* So that a leap is seen soon, although nobody asks. */
		if (conf->keys.n)
			(void)mxw__leaps_calm_ms(s->engine->leaps);
	}
	if (stage != MXW_STAGE_RCPT || !s->env.rcpt_is_valid || !is_covered(conf, s->env.rcpt.domain))
		return;
	mxw_facts_set(s->facts, MXW__FACT_BOUNCE_PROOF, modes[conf->mode]);
	if (!has_no_sender(s))
		return;
	mxw__bounce_tag_t tag = tag_of(s);
	if (is_doubtful(s, tag))
		mxw_facts_set_unavailable(s->facts, MXW__FACT_BOUNCE_TAG, NULL);
	else
		mxw_facts_set(s->facts, MXW__FACT_BOUNCE_TAG, words[tag]);
}

/* ---- a recipient that was accepted ---- */

/* "<a@example.net>" without its brackets, in the arena of the message. */
static const char *keep_path(mxw_session_t *s, const char *path)
{
	const char *begin = *path == '<' ? path + 1 : path, *end = strrchr(begin, '>');

	return mxw__arena_strndup(s->message_arena, begin, *path == '<' && end ? (size_t)(end - begin) : strlen(begin));
}

static struct mxw__bounce_rcpt *keep_rcpt(mxw_session_t *s)
{
	struct mxw__bounce_rcpt *r = mxw__arena_alloc(s->message_arena, sizeof *r);
	bool has_tag = s->rcpt_prvs != MXW__PRVS_NONE;

	if (!r)
		return NULL;
	*r = (struct mxw__bounce_rcpt){
		.next = s->record.bounce_rcpts,
		.path = has_tag ? keep_path(s, s->env.rcpt_path) : NULL,
		.address = mxw__arena_strdup(s->message_arena, s->env.rcpt.text),
		.params = has_tag ? mxw__dsn_params(s->message_arena, s->rcpt_params) : "",
		.domain = mxw__arena_strdup(s->message_arena, s->env.rcpt.domain),
		.is_bounce = has_no_sender(s),
		.tag = tag_of(s),
	};
	return r->address && r->params && r->domain && (r->path || !has_tag) ? r : NULL;
}

/* It is put off. Nothing is, where nothing would be refused. */
static void doubt(mxw_session_t *s)
{
	mxw_facts_set_unavailable(s->facts, MXW__FACT_BOUNCE_UNPROVEN, NULL);
	if (s->rcpt_prvs != MXW__PRVS_AHEAD)
		mxw__engine_warn(s->engine, "clock",
				 "event=bounce-proof text=\"the clock was set, or mxward was stopped, for half a day or more: "
				 "bounces to tags that are out of date are put off, not refused, for the lifetime of a tag\"");
}

static void note_covered(mxw_session_t *s)
{
	const struct mxw__bounce_conf *conf = &s->snapshot->conf->bounce;

	if (s->rcpt_prvs == MXW__PRVS_NONE && !has_no_sender(s))
		return;
	struct mxw__bounce_rcpt *r = keep_rcpt(s);
	if (!r) {
		s->is_short[MXW_SCOPE_MESSAGE] = true;
		return;
	}
	s->record.bounce_rcpts = r;
	if (!r->is_bounce || !mxw__bounce_is_unproven(r->tag) || conf->mode == MXW__BOUNCE_PROOF_OFF)
		return;
	if (!is_doubtful(s, r->tag))
		mxw_facts_set(s->facts, MXW__FACT_BOUNCE_UNPROVEN, conf->mode == MXW__BOUNCE_PROOF_LEARN ? "learn" : "enforce");
	else if (conf->mode == MXW__BOUNCE_PROOF_ENFORCE)
		doubt(s);
}

static void note_rcpt(mxw_session_t *s)
{
	const struct mxw__bounce_conf *conf = &s->snapshot->conf->bounce;

	if (!s->env.rcpt_is_valid)
		return;
	if (is_covered(conf, s->env.rcpt.domain))
		note_covered(s);
	else
		s->record.has_foreign_rcpt |= !s->env.rcpt_domain && s->env.rcpt_domain_is_known;
	s->record.has_untagged_rcpt |= is_listed(&conf->exempt_recipients, &s->env.rcpt);
}

/* ---- a message whose data comes ---- */

static void count(mxw_session_t *s)
{
	bool is_unproven = false;

	if (s->record.are_bounces_counted)
		return;
	s->record.are_bounces_counted = true;
	for (const struct mxw__bounce_rcpt *r = s->record.bounce_rcpts; r; r = r->next) {
		if (!r->is_bounce)
			continue;
		mxw__bounce_count(s->engine->bounces, r->domain, r->tag);
		is_unproven |= mxw__bounce_is_unproven(r->tag) && !is_doubtful(s, r->tag);
	}
	if (is_unproven && s->snapshot->conf->bounce.mode == MXW__BOUNCE_PROOF_ENFORCE)
		mxw__track_event(s, MXW__EVENT_BOUNCE_FORGED);
}

static void decided(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict)
{
	if (!s->snapshot->conf->bounce.keys.n)
		return;
	if (stage == MXW_STAGE_RCPT && !mxw__is_refusal(verdict->action) && !s->env.rcpt_refused_by_mta)
		note_rcpt(s);
	else if (stage >= MXW_STAGE_DATA)
		count(s);
}

/* ---- changes ---- */

/* Ours, on its way to others. */
static bool is_to_be_tagged(const mxw_session_t *s)
{
	const struct mxw__bounce_conf *conf = &s->snapshot->conf->bounce;
	const struct mxw__envelope *env = &s->env;
	bool is_ours = *env->auth_user || env->client_class == MXW__CLIENT_INTERNAL || env->client_class == MXW__CLIENT_LOCAL;
	struct mxw__prvs prvs;

	return is_ours && s->abilities.changes_sender && mxw__bounce_changes_sender(s->snapshot->conf) &&
	       s->record.has_foreign_rcpt && !s->record.has_untagged_rcpt && env->sender_is_valid && !env->sender.is_null &&
	       is_covered(conf, env->sender.domain) && !mxw__prvs_parse(env->sender.local, &prvs) &&
	       !is_never_tagged(conf, &env->sender);
}

/* NULL without memory. */
static const char *tagged_sender(mxw_session_t *s)
{
	const struct mxw__bounce_conf *conf = &s->snapshot->conf->bounce;
	const struct mxw__address *sender = &s->env.sender;
	char local[MXW__PRVS_LEN + MXW__PRVS_LOCAL_MAX + 1], text[MXW__ADDRESS_MAX + 1];
	uint64_t expires = today(s) + conf->lifetime_ms / (uint64_t)DAY_MS;

	if (!mxw__prvs_write(local, sizeof local, sender->local, sender->key_text, conf->keys.v[0], expires) ||
	    !mxw__address_write(text, sizeof text, local, sender->domain))
		return NULL;
	return mxw__arena_strdup(s->edits_arena, text);
}

size_t mxw__bounce_nedits(const mxw_session_t *s)
{
	size_t n = 1;

	for (const struct mxw__bounce_rcpt *r = s->record.bounce_rcpts; r; r = r->next)
		n += 2;
	return n;
}

bool mxw__bounce_edit(mxw_session_t *s, struct mxw_edit *edits, size_t *n)
{
	/* One that the MTA does not let us change is left as it is: the MTA may know what to do with it. */
	for (const struct mxw__bounce_rcpt *r = s->abilities.changes_rcpts ? s->record.bounce_rcpts : NULL; r; r = r->next) {
		if (!r->path)
			continue;
		edits[(*n)++] = (struct mxw_edit){MXW_EDIT_DELETE_RCPT, NULL, r->path, 0, NULL};
		edits[(*n)++] = (struct mxw_edit){MXW_EDIT_ADD_RCPT, NULL, r->address, 0, r->params};
	}
	if (!is_to_be_tagged(s))
		return true;
	const char *sender = tagged_sender(s);
	if (!sender)
		return false;
	edits[(*n)++] = (struct mxw_edit){MXW_EDIT_CHANGE_SENDER, NULL, sender, 0, NULL};
	mxw__bounce_count(s->engine->bounces, s->env.sender.domain, MXW__BOUNCE_TAGGED);
	s->record.is_sender_tagged = true;
	return true;
}

const struct mxw__part mxw__part_bounce = {
	.name = "bounce",
	.make = make,
	.configure = configure,
	.free = free_all,
	.states = states,
	.before = before,
	.decided = decided,
};
