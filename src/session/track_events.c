/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/session/track.h"

/* Messages given up in one session. Who asks for several mailboxes over one connection has some. */
enum { ABORTS_FLOOD = 10 };

static const struct mxw__tracker_conf *conf_of(const mxw_session_t *s)
{
	return &s->snapshot->conf->tracker;
}

/* False where it is not known. */
static bool fact_is(const mxw_session_t *s, mxw_fact_id_t fact, const char *word)
{
	const char *value = mxw_facts_get(s->facts, fact);

	return value && strcmp(value, word) == 0 && !mxw_facts_is_unavailable(s->facts, fact);
}

/* ---- noting ---- */

/* What the sender's domain answers for as well. */
static bool is_of_message(mxw__event_t event)
{
	switch (event) {
	case MXW__EVENT_UNKNOWN_RCPT:
	case MXW__EVENT_REJECTED_RCPT:
	case MXW__EVENT_TRAP_RCPT:
	case MXW__EVENT_RELAY_ATTEMPT:
	case MXW__EVENT_OVER_LIMIT:
	case MXW__EVENT_OWN_DOMAIN_FORGED:
	case MXW__EVENT_DMARC_FAIL:
	case MXW__EVENT_FROM_BAD:
	case MXW__EVENT_BOUNCE_FORGED:
		return true;
	default:
		return false;
	}
}

/* Who has logged in answers for what is sent, and for nothing that a stranger could not help. */
static bool is_of_user(mxw__event_t event)
{
	switch (event) {
	case MXW__EVENT_UNKNOWN_RCPT:
	case MXW__EVENT_REJECTED_RCPT:
	case MXW__EVENT_TRAP_RCPT:
	case MXW__EVENT_OVER_LIMIT:
		return true;
	default:
		return false;
	}
}

static void add_tally(struct mxw__tally *tally, double times, double points)
{
	tally->times += times;
	tally->points += points;
}

/* `points` for each account; they bring no score beyond `most`. `ret_added` (may be `points`) is what each has got. */
static void note_each(mxw_session_t *s, const struct mxw__track_keys *accounts, mxw__event_t event, double times,
		      const double points[MXW__TRACK_KEYS], double most, double ret_added[MXW__TRACK_KEYS])
{
	int64_t now_ms = mxw__now_ms(&s->engine->clock);

	if (accounts->n && accounts->keys[0].kind == MXW__KEY_USER && !is_of_user(event))
		return;
	/* Where nobody has an account here, the sender's domain may. */
	double first = points[0];
	for (size_t i = 0; i < accounts->n; i++)
		ret_added[i] = mxw__table_add_within(s->engine->table, &accounts->keys[i], event, times, points[i], most, now_ms);
	if (accounts->n)
		first = ret_added[0];
	add_tally(&s->track.since_line[event], times, first);
	if (s->record.is_open && is_of_message(event))
		add_tally(&s->track.of_message[event], times, first);
}

static void note(mxw_session_t *s, const struct mxw__track_keys *accounts, mxw__event_t event, double times, double points)
{
	double each[MXW__TRACK_KEYS];

	points *= (double)conf_of(s)->weights[event] * (mxw__event_is_good(event) ? -1 : 1);
	for (size_t i = 0; i < MXW__TRACK_KEYS; i++)
		each[i] = points;
	note_each(s, accounts, event, times, each, (double)INFINITY, each);
}

void mxw__track_event_points(mxw_session_t *s, mxw__event_t event, double times, double points)
{
	struct mxw__track_keys accounts;

	mxw__track_accounts(s, &accounts);
	/* Where of a stranger's keys only the domain is kept, it is its message that earns them. */
	if (accounts.n || mxw__track_is_tracked(s))
		note(s, &accounts, event, times, points);
}

void mxw__track_event(mxw_session_t *s, mxw__event_t event)
{
	mxw__track_event_points(s, event, 1, 1);
}

/*
 * Nothing came of it: a session, or a message that was given up. Who watches whether we answer, or asks whether a mailbox exists, does so
 * for good, each minute, and so does a server whose message something else puts off; what they do alone must not come to anything.
 */
static void unfinished(mxw_session_t *s, mxw__event_t event, double withheld[MXW__TRACK_KEYS])
{
	double weight = (double)conf_of(s)->weights[event], added[MXW__TRACK_KEYS] = {weight, weight, weight, weight};
	struct mxw__track_keys accounts;

	mxw__track_accounts(s, &accounts);
	if (accounts.n)
		note_each(s, &accounts, event, 1, added, (double)conf_of(s)->unfinished_most, added);
	for (size_t i = 0; i < MXW__TRACK_KEYS; i++)
		withheld[i] += weight - added[i];
}

/* One after the other in one session that is no question but a flood, and then all of them count. */
void mxw__track_given_up(mxw_session_t *s)
{
	double weight = (double)conf_of(s)->weights[MXW__EVENT_ABORT], *withheld = s->track.aborts_withheld;
	struct mxw__track_keys accounts;

	if (s->aborts < ABORTS_FLOOD) {
		unfinished(s, MXW__EVENT_ABORT, withheld);
		return;
	}
	mxw__track_accounts(s, &accounts);
	for (size_t i = 0; i < MXW__TRACK_KEYS; i++)
		withheld[i] += weight;
	if (accounts.n)
		note_each(s, &accounts, MXW__EVENT_ABORT, 1, withheld, (double)INFINITY, withheld);
	memset(withheld, 0, sizeof s->track.aborts_withheld);
}

/* Somebody answers for the message, if only by the domain of its sender. */
static bool has_sender(const mxw_session_t *s, const struct mxw__track_keys *accounts)
{
	return accounts->n || mxw__track_is_tracked(s) || (mxw__track_is_relayed(s) && s->env.origin.family);
}

/* What the message as a whole has earned: on whoever has sent it. */
static void sender_event(mxw_session_t *s, mxw__event_t event)
{
	struct mxw__track_keys accounts;

	mxw__track_sender_accounts(s, &accounts);
	if (has_sender(s, &accounts))
		note(s, &accounts, event, 1, 1);
}

/* ---- recipients ---- */

static const char *rcpt_text(const mxw_session_t *s)
{
	return s->env.rcpt_is_valid ? s->env.rcpt.key_text : s->env.rcpt_path;
}

/* What a recipient is tried as is a thing for each, so that one does not stand for the other. */
enum { AS_GUESS = 1, AS_TRAP, AS_RELAY };

/* The account has not tried it, as that, in the last window. A stranger without one goes by its address. */
static bool is_first(mxw_session_t *s, unsigned as)
{
	struct mxw__track_keys accounts;
	struct {
		uint64_t as, mailbox;
	} thing = {as, mxw__track_mailbox(s)};

	mxw__track_accounts(s, &accounts);
	if (accounts.n == 0 && mxw__track_is_tracked(s))
		accounts.keys[accounts.n++] = mxw__key_of_ip(MXW__KEY_ADDRESS, &s->env.client);
	return accounts.n && mxw__track_is_first(s, &accounts.keys[0], mxw__seen_hash(s->engine->seen, &thing, sizeof thing));
}

bool mxw__track_guess(mxw_session_t *s)
{
	if (mxw__track_is_tracked(s))
		return mxw__track_guess_of(s, &s->env.client, rcpt_text(s));
	return is_first(s, AS_GUESS);
}

/*
 * Nothing is known of it, and it counts as a guess that failed, or the share of such would fall while a harvester is kept in the dark. The
 * client gets no points, which would show; the sender's domain does, for it may have other clients.
 */
void mxw__track_concealed(mxw_session_t *s)
{
	struct mxw__track_keys accounts;

	if (!mxw__track_is_tracked(s))
		return;
	if (mxw__track_is_of_spread(s, &s->env.client))
		mxw__spread_try(s->engine->spread, mxw__now_ms(&s->engine->clock), conf_of(s)->harvest_window_ms);
	if (!mxw__track_guess(s))
		return;
	mxw__track_accounts(s, &accounts);
	for (size_t i = 0; i < accounts.n; i++)
		mxw__table_add(s->engine->table, &accounts.keys[i], MXW__EVENT_UNKNOWN_RCPT, 1, 0, mxw__now_ms(&s->engine->clock));
	add_tally(&s->track.of_message[MXW__EVENT_UNKNOWN_RCPT], 1, (double)conf_of(s)->weights[MXW__EVENT_UNKNOWN_RCPT]);
}

/* It is known at the end of the message only who has tried it. */
static void keep_relayed(mxw_session_t *s, mxw__event_t event)
{
	struct mxw__session_track *t = &s->track;

	if (!t->relayed)
		t->relayed = calloc(MXW__RELAYED_MAX, sizeof *t->relayed);
	if (!t->relayed || t->nrelayed == MXW__RELAYED_MAX)
		return;
	char *rcpt = strdup(rcpt_text(s));
	if (rcpt)
		t->relayed[t->nrelayed++] = (struct mxw__relayed){event, rcpt};
}

static void feed_relayed(mxw_session_t *s)
{
	struct mxw__session_track *t = &s->track;

	for (size_t i = 0; i < t->nrelayed; i++)
		if (s->env.origin.family && mxw__track_guess_of(s, &s->env.origin, t->relayed[i].rcpt))
			sender_event(s, t->relayed[i].event);
}

/* One dead address, repeated by an honest server, counts once. */
static void no_such_rcpt(mxw_session_t *s, mxw__event_t event)
{
	if (mxw__track_is_relayed(s))
		keep_relayed(s, event);
	else if (mxw__track_guess(s))
		mxw__track_event(s, event);
}

/* It is a trap, whether it exists or not; a guess it is only if it does not. */
static void trapped(mxw_session_t *s, bool is_guess)
{
	s->track.has_trap = true;
	if (mxw__track_is_relayed(s)) {
		keep_relayed(s, MXW__EVENT_TRAP_RCPT);
		return;
	}
	if (is_guess)
		mxw__track_guess(s);
	if (is_first(s, AS_TRAP))
		mxw__track_event(s, MXW__EVENT_TRAP_RCPT);
}

/* Of no domain of ours, as far as they are known at all. */
static bool is_elsewhere(const mxw_session_t *s)
{
	return s->snapshot->conf->ndomains && s->env.rcpt_is_valid && s->env.rcpt_domain_is_known && !s->env.rcpt_domain &&
	       *s->env.rcpt.domain;
}

static void relay_attempt(mxw_session_t *s)
{
	if (mxw__track_is_tracked(s) && is_first(s, AS_RELAY))
		mxw__track_event(s, MXW__EVENT_RELAY_ATTEMPT);
}

static void feed_rcpt(mxw_session_t *s)
{
	bool is_refused_by_mta = s->env.rcpt_refused_by_mta && !s->env.rcpt_deferred_by_mta;

	if (mxw__track_is_tracked(s) && mxw__track_is_of_spread(s, &s->env.client))
		mxw__spread_try(s->engine->spread, mxw__now_ms(&s->engine->clock), conf_of(s)->harvest_window_ms);
	if (fact_is(s, MXW__FACT_RCPT_TRAP, "yes") && !s->env.rcpt_deferred_by_mta) {
		trapped(s, is_refused_by_mta || fact_is(s, MXW__FACT_RCPT, "unknown"));
		return;
	}
	/* What the MTA itself takes, for itself or to hand it on, is no attempt; it is if the MTA or a rule says no. */
	if (is_refused_by_mta && is_elsewhere(s))
		relay_attempt(s);
	else if (is_refused_by_mta)
		no_such_rcpt(s, MXW__EVENT_REJECTED_RCPT);
	else if (!s->env.rcpt_refused_by_mta && fact_is(s, MXW__FACT_RCPT, "unknown"))
		no_such_rcpt(s, MXW__EVENT_UNKNOWN_RCPT);
}

static void helo_forged(mxw_session_t *s)
{
	if (s->helo_forged_counted || !fact_is(s, MXW__FACT_HELO_FORGED, "yes"))
		return;
	s->helo_forged_counted = true;
	mxw__track_event(s, MXW__EVENT_HELO_FORGED);
}

void mxw__track_feed(mxw_session_t *s, mxw_stage_t stage)
{
	/* Not before MAIL: only then is it known whether the client has authenticated, and a user's computer may well go by
	 * an address that is inside here as well. */
	if (stage >= MXW_STAGE_MAIL)
		helo_forged(s);
	if (stage == MXW_STAGE_RCPT)
		feed_rcpt(s);
}

void mxw__track_decided(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict)
{
	if (stage < MXW_STAGE_MAIL && mxw__is_refusal(verdict->action))
		s->track.is_refused = true;
	/* Who is refused for good here never comes to MAIL. */
	if (stage == MXW_STAGE_HELO && verdict->action == MXW_ACTION_REJECT)
		helo_forged(s);
	if (stage != MXW_STAGE_RCPT || s->env.rcpt_refused_by_mta)
		return;
	if (verdict->decided == MXW_ACTION_REJECT && is_elsewhere(s))
		relay_attempt(s);
	else if (!mxw__is_refusal(verdict->decided))
		mxw__track_credit(s);
}

/* ---- messages ---- */

/* Somebody we trust has it from somebody else, or has seen it before it was altered. */
static bool is_forwarded(const mxw_session_t *s)
{
	return fact_is(s, MXW__FACT_CLIENT_FORWARDER, "yes") ||
	       (fact_is(s, MXW__FACT_ARC, "pass") && fact_is(s, MXW__FACT_ARC_DMARC, "pass"));
}

/* Not known to be no list, by what the rule dmarc-reject goes by: lists alter what they send on, and stand for it themselves. */
static bool may_be_list(const mxw_session_t *s)
{
	return mxw_facts_get(s->facts, MXW__FACT_MESSAGE_LIST_ID) &&
	       (fact_is(s, MXW__FACT_DKIM_ALTERED, "yes") || mxw_facts_is_unavailable(s->facts, MXW__FACT_DKIM_ALTERED)) &&
	       (fact_is(s, MXW__FACT_SPF, "pass") || fact_is(s, MXW__FACT_DKIM, "pass") ||
		mxw_facts_is_unavailable(s->facts, MXW__FACT_SPF) || mxw_facts_is_unavailable(s->facts, MXW__FACT_DKIM));
}

/*
 * A forwarder breaks SPF and leaves a signature whole: that is no abuse, however much of it there is. The signature must speak for
 * the author or the sender; one of anybody's own says nothing. A DMARC pass beside an SPF failure stands on such a one.
 */
static bool is_spf_failure(const mxw_session_t *s)
{
	return fact_is(s, MXW__FACT_SPF, "fail") && !fact_is(s, MXW__FACT_DKIM_ALIGNED, "yes") &&
	       !mxw_facts_is_unavailable(s->facts, MXW__FACT_DKIM_ALIGNED) && !is_forwarded(s);
}

static bool is_dmarc_failure(const mxw_session_t *s)
{
	return fact_is(s, MXW__FACT_DMARC, "fail") && !is_forwarded(s) && !may_be_list(s) &&
	       (fact_is(s, MXW__FACT_DMARC_POLICY, "quarantine") || fact_is(s, MXW__FACT_DMARC_POLICY, "reject"));
}

static bool is_own_domain_forged(const mxw_session_t *s)
{
	return fact_is(s, MXW__FACT_OWN_DOMAIN_FORGED, "yes") && !is_forwarded(s) && !may_be_list(s);
}

static bool is_from_bad(const mxw_session_t *s)
{
	return (fact_is(s, MXW__FACT_FROM, "several") || fact_is(s, MXW__FACT_FROM, "ambiguous")) && !is_forwarded(s);
}

/* SPF or DKIM passes for the author's domain. Without a DMARC record it is asked here, without a look-up. */
static bool is_aligned(const mxw_session_t *s)
{
	const struct mxw__auth_results *res = &s->results;
	const char *author = s->env.from.domain;

	if (fact_is(s, MXW__FACT_DMARC, "pass") || mxw_facts_has(s->facts, MXW__FACT_DMARC_ALIGNED))
		return true;
	if (!*author || fact_is(s, MXW__FACT_DMARC, "fail") || mxw_facts_is_unavailable(s->facts, MXW__FACT_DMARC))
		return false;
	if (fact_is(s, MXW__FACT_SPF, "pass") && s->env.sender_is_valid && mxw__same_org_domain(s->env.sender.domain, author))
		return true;
	for (size_t i = 0; i < res->nsignatures; i++)
		if (mxw__dkim_counts(&s->ctx, &res->signatures[i]) && mxw__same_org_domain(res->signatures[i].domain, author))
			return true;
	return false;
}

/* Points go only once in a window for each author's organisation: who may send to one mailbox here could wash himself clean by doing so. */
static void add_aligned(mxw_session_t *s, const struct mxw__key *key, int64_t now_ms)
{
	char org[MXW__DOMAIN_MAX + 1];
	double points = (double)conf_of(s)->weights[MXW__EVENT_ALIGNED_MESSAGE];

	if (key->kind == MXW__KEY_NONE)
		return;
	mxw__org_domain(s->env.from.domain, org);
	if (!mxw__track_is_first(s, key, mxw__seen_hash(s->engine->seen, org, strlen(org))))
		points = 0;
	mxw__table_add(s->engine->table, key, MXW__EVENT_ALIGNED_MESSAGE, 1, -points, now_ms);
	if (key->kind == MXW__KEY_DOMAIN || key->kind <= MXW__KEY_WIDE)
		mxw__table_add_good(s->engine->table, key, 1, now_ms);
	if (key->kind == MXW__KEY_ADDRESS)
		add_tally(&s->track.since_line[MXW__EVENT_ALIGNED_MESSAGE], 1, -points);
}

/* ... of an accepted message. Nothing good comes of one to a trap, and a backup is not where history is made. */
static void feed_good(mxw_session_t *s)
{
	struct mxw__key domain = mxw__track_domain(s);
	int64_t now_ms = mxw__now_ms(&s->engine->clock);
	struct mxw__track_keys accounts;

	if (!is_aligned(s) || s->track.has_trap || mxw__backup_is_here(s))
		return;
	mxw__track_sender_accounts(s, &accounts);
	if (!has_sender(s, &accounts) || (accounts.n && accounts.keys[0].kind == MXW__KEY_USER))
		return;
	for (size_t i = 0; i < accounts.n; i++)
		add_aligned(s, &accounts.keys[i], now_ms);
	add_aligned(s, &domain, now_ms);
}

/* What the message has earned so far, now that it is known whether its sender is who it says. */
static void feed_domain(mxw_session_t *s)
{
	const struct mxw__tally *tally = s->track.of_message;
	struct mxw__key domain = mxw__track_domain(s);

	for (size_t i = 0; i < MXW__EVENT_COUNT; i++)
		if (tally[i].times > 0 && domain.kind != MXW__KEY_NONE)
			mxw__table_add(s->engine->table, &domain, (mxw__event_t)i, tally[i].times, tally[i].points,
				       mxw__now_ms(&s->engine->clock));
}

/* What somebody has to look at first speaks for nobody. */
static bool is_accepted(const struct mxw_verdict *verdict)
{
	return verdict && !mxw__is_refusal(verdict->decided) && verdict->decided != MXW_ACTION_HOLD;
}

void mxw__track_message(mxw_session_t *s, const struct mxw_verdict *verdict)
{
	feed_relayed(s);
	if (is_spf_failure(s))
		sender_event(s, MXW__EVENT_SPF_FAIL);
	if (is_dmarc_failure(s))
		sender_event(s, MXW__EVENT_DMARC_FAIL);
	if (is_own_domain_forged(s))
		sender_event(s, MXW__EVENT_OWN_DOMAIN_FORGED);
	if (is_from_bad(s))
		sender_event(s, MXW__EVENT_FROM_BAD);
	if (is_accepted(verdict))
		feed_good(s);
	feed_domain(s);
	mxw__track_settle_credit(s, is_accepted(verdict));
}

/* A client whose message or recipients were refused does right to give up; but that it was refused may say something. */
void mxw__track_aborted(mxw_session_t *s)
{
	if (mxw__is_refusal(s->record.refusal.decided) && is_spf_failure(s))
		sender_event(s, MXW__EVENT_SPF_FAIL);
	feed_domain(s);
	mxw__track_settle_credit(s, false);
}

/* Who was sent away has not gone by itself. */
void mxw__track_close(mxw_session_t *s)
{
	if (s->is_connected && s->messages == 0 && !s->track.is_refused)
		unfinished(s, MXW__EVENT_NO_MESSAGE, (double[MXW__TRACK_KEYS]){0});
	mxw__track_end_message(s);
}

/* ---- from outside ---- */

static struct mxw_ip address_of(const struct mxw__key *key)
{
	struct mxw_ip ip = {.family = key->data[0]};

	memcpy(ip.bytes, key->data + 1, key->len - 1u);
	return ip;
}

mxw_status_t mxw__track_report(mxw_engine_t *engine, const char *key, mxw__event_t event, unsigned times, struct mxw_error *err)
{
	struct mxw__key first;
	mxw_status_t status = MXW_OK;

	if (!mxw__key_parse(key, &first))
		return mxw__fail(err, MXW_ERR_INVALID, "no address, network or name with its kind");
	if ((size_t)event >= MXW__EVENT_COUNT || !mxw__event_is_reportable(event))
		return mxw__fail(err, MXW_ERR_INVALID, "%s can't be reported", mxw__event_name(event));
	if (times < 1 || times > 1000)
		return mxw__fail(err, MXW_ERR_INVALID, "1 to 1000 at once");
	struct mxw__snapshot *snap = mxw__engine_snapshot(engine);
	const struct mxw__tracker_conf *tc = &snap->conf->tracker;
	double points = (double)tc->weights[event] * times;
	if (!tc->enabled || !(tc->key_kinds >> first.kind & 1))
		status = mxw__fail(err, MXW_ERR_INVALID, "nothing is kept of keys of the kind %s", mxw__key_kind_name(first.kind));
	if (status == MXW_OK)
		mxw__table_add(engine->table, &first, event, times, points, mxw__now_ms(&engine->clock));
	for (unsigned kind = first.kind + 1u; status == MXW_OK && first.kind <= MXW__KEY_WIDE && kind <= MXW__KEY_WIDE; kind++) {
		struct mxw_ip ip = address_of(&first);
		struct mxw__key wider = mxw__key_of_ip((mxw__key_kind_t)kind, &ip);
		if (tc->key_kinds >> kind & 1)
			mxw__table_add(engine->table, &wider, event, times, points, mxw__now_ms(&engine->clock));
	}
	mxw__snapshot_unref(snap);
	return status;
}
