/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/session/engine.h"
#include "src/session/track.h"

static const struct mxw__tracker_conf *conf_of(const mxw_session_t *s)
{
	return &s->snapshot->conf->tracker;
}

/* ---- whose ---- */

bool mxw__track_is_tracked(const mxw_session_t *s)
{
	return conf_of(s)->enabled && mxw__session_is_stranger(s);
}

bool mxw__track_is_relayed(const mxw_session_t *s)
{
	return conf_of(s)->enabled && s->env.client_class == MXW__CLIENT_RELAY && !*s->env.auth_user && !s->has_authenticated;
}

struct mxw__key mxw__track_key(const mxw_session_t *s, struct mxw__key key)
{
	return conf_of(s)->key_kinds >> key.kind & 1 ? key : (struct mxw__key){0};
}

static void add_account(const mxw_session_t *s, struct mxw__track_keys *accounts, struct mxw__key key)
{
	key = mxw__track_key(s, key);
	if (key.kind != MXW__KEY_NONE)
		accounts->keys[accounts->n++] = key;
}

static void add_client(const mxw_session_t *s, const struct mxw_ip *ip, const char *helo, struct mxw__track_keys *accounts)
{
	for (mxw__key_kind_t kind = MXW__KEY_ADDRESS; kind <= MXW__KEY_WIDE; kind++)
		add_account(s, accounts, mxw__key_of_ip(kind, ip));
	add_account(s, accounts, mxw__key_of_name(MXW__KEY_HELO, helo));
}

void mxw__track_accounts(const mxw_session_t *s, struct mxw__track_keys *ret_accounts)
{
	ret_accounts->n = 0;
	if (mxw__track_is_tracked(s))
		add_client(s, &s->env.client, s->env.helo, ret_accounts);
	else if (conf_of(s)->enabled && *s->env.auth_user)
		add_account(s, ret_accounts, mxw__key_of_name(MXW__KEY_USER, s->env.auth_user));
}

void mxw__track_sender_accounts(const mxw_session_t *s, struct mxw__track_keys *ret_accounts)
{
	mxw__track_accounts(s, ret_accounts);
	if (mxw__track_is_relayed(s) && s->env.origin.family)
		add_client(s, &s->env.origin, s->env.origin_helo, ret_accounts);
}

struct mxw__key mxw__track_domain(const mxw_session_t *s)
{
	const char *spf = mxw_facts_get(s->facts, MXW__FACT_SPF);
	bool is_known = s->env.sender_is_valid && !s->env.sender.is_null && !s->env.sender.is_literal && spf &&
			strcmp(spf, "pass") == 0 && !mxw_facts_is_unavailable(s->facts, MXW__FACT_SPF);

	if (!is_known || !(mxw__track_is_tracked(s) || mxw__track_is_relayed(s)))
		return (struct mxw__key){0};
	return mxw__track_key(s, mxw__key_of_name(MXW__KEY_DOMAIN, s->env.sender.domain));
}

struct mxw__key mxw__track_widest(const mxw_session_t *s, const struct mxw_ip *ip)
{
	struct mxw__key key = mxw__track_key(s, mxw__key_of_ip(MXW__KEY_WIDE, ip));

	return key.kind != MXW__KEY_NONE ? key : mxw__track_key(s, mxw__key_of_ip(MXW__KEY_NETWORK, ip));
}

bool mxw__track_is_first(mxw_session_t *s, const struct mxw__key *key, uint64_t thing)
{
	return mxw__seen_add(s->engine->seen, key, sizeof *key, thing, mxw__now_ms(&s->engine->clock),
			     conf_of(s)->harvest_window_ms);
}

/* ---- credit ---- */

/*
 * The mailbox: without the detail that anybody can add, and under one name of all the hosts that a pattern may stand for. Local parts
 * are without their case, as the directories were asked.
 */
uint64_t mxw__track_mailbox(const mxw_session_t *s)
{
	const struct mxw__domain_conf *section = s->env.rcpt_domain;
	const struct mxw__address *rcpt = &s->env.rcpt;
	const char *local = rcpt->key_local ? rcpt->key_local : rcpt->local, *domain = rcpt->domain;
	char text[MXW__ADDRESS_MAX + 1];

	if (!s->env.rcpt_is_valid)
		return mxw__seen_hash(s->engine->seen, s->env.rcpt_path, strlen(s->env.rcpt_path));
	size_t len = *local ? 1 + strcspn(local + 1, section && section->delimiters ? section->delimiters : "") : 0;
	if (section && !mxw__directories_has_name(s->snapshot->directories, domain) && section->names.n)
		domain = section->names.v[0];
	snprintf(text, sizeof text, "%.*s@%s", (int)len, local, domain);
	mxw__ascii_lower_str(text);
	return mxw__seen_hash(s->engine->seen, text, strlen(text));
}

/* Somebody is there, and to know that takes knowledge: everybody knows postmaster, and a catch-all takes what nobody has. */
static bool is_mailbox(const mxw_session_t *s)
{
	const char *word = mxw_facts_get(s->facts, MXW__FACT_RCPT), *source = mxw_facts_get(s->facts, MXW__FACT_RCPT_SOURCE);
	const struct mxw__domain_conf *section = s->env.rcpt_domain;

	return section && !section->catch_all && s->env.rcpt_is_valid && word && strcmp(word, "found") == 0 &&
	       !mxw_facts_is_unavailable(s->facts, MXW__FACT_RCPT) && !(source && strcmp(source, "postmaster") == 0);
}

static struct mxw__credit *new_credit(struct mxw__session_track *t)
{
	if (t->ncredits == t->max_credits) {
		size_t max = t->max_credits ? 2 * t->max_credits : 8;
		struct mxw__credit *more = max <= MXW__CREDITS_MAX ? realloc(t->credits, max * sizeof *more) : NULL;
		if (!more)
			return NULL;
		t->credits = more;
		t->max_credits = max;
	}
	return &t->credits[t->ncredits++];
}

/* How much of it was taken away: a score has an end below. (Others may change it meanwhile; then it is a point more or less.) */
static double give(mxw_session_t *s, const struct mxw__key *key, double points)
{
	int64_t now_ms = mxw__now_ms(&s->engine->clock);
	double before = mxw__table_score(s->engine->table, key, now_ms);
	double given = before - mxw__table_add(s->engine->table, key, MXW__EVENT_ACCEPTED_RCPT, 0, -points, now_ms);

	return given < 0 ? 0 : given > points ? points : given;
}

/*
 * Of a recipient behind a relay it is only kept that it was accepted: whose credit it is, the end of the message says. So it is of a
 * stranger's if only the sender's domain has an account.
 */
void mxw__track_credit(mxw_session_t *s)
{
	struct mxw__session_track *t = &s->track;
	double points = (double)conf_of(s)->weights[MXW__EVENT_ACCEPTED_RCPT];

	const char *trap = mxw_facts_get(s->facts, MXW__FACT_RCPT_TRAP);

	/* Who comes to the backup first gains nothing there. */
	if (!is_mailbox(s) || mxw__backup_is_first(s) || (trap && strcmp(trap, "yes") == 0))
		return;
	if (t->ncredits == 0)
		mxw__track_accounts(s, &t->credited);
	if (t->credited.n == 0 && !mxw__track_is_relayed(s) && !mxw__track_is_tracked(s))
		return;
	struct mxw__credit *credit = new_credit(t);
	if (!credit)
		return;
	*credit = (struct mxw__credit){.rcpt = mxw__track_mailbox(s)};
	for (size_t i = 0; i < t->credited.n; i++) {
		const struct mxw__key *key = &t->credited.keys[i];
		if (!mxw__track_is_first(s, key, credit->rcpt))
			continue;
		credit->accounts |= 1u << i;
		t->counted[i]++;
		t->given[i] += give(s, key, points);
	}
	if (credit->accounts & 1) {
		t->since_line[MXW__EVENT_ACCEPTED_RCPT].times++;
		t->since_line[MXW__EVENT_ACCEPTED_RCPT].points -= points;
	}
}

static void take_back(mxw_session_t *s)
{
	struct mxw__session_track *t = &s->track;
	int64_t now_ms = mxw__now_ms(&s->engine->clock);

	for (size_t i = 0; i < t->credited.n; i++)
		if (t->given[i] > 0)
			mxw__table_add(s->engine->table, &t->credited.keys[i], MXW__EVENT_ACCEPTED_RCPT, 0, t->given[i], now_ms);
	for (size_t c = 0; c < t->ncredits; c++)
		for (size_t i = 0; i < t->credited.n; i++)
			if (t->credits[c].accounts >> i & 1)
				mxw__seen_forget(s->engine->seen, &t->credited.keys[i], sizeof t->credited.keys[i],
						 t->credits[c].rcpt);
	t->since_line[MXW__EVENT_ACCEPTED_RCPT] = (struct mxw__tally){0};
}

/* On an account that was not known before the end: the sender's domain, and whoever stands behind a relay. */
static void credit_late(mxw_session_t *s, const struct mxw__key *key)
{
	struct mxw__session_track *t = &s->track;
	double n = 0;

	if (key->kind == MXW__KEY_NONE)
		return;
	for (size_t c = 0; c < t->ncredits; c++)
		n += mxw__track_is_first(s, key, t->credits[c].rcpt);
	if (n > 0)
		mxw__table_add(s->engine->table, key, MXW__EVENT_ACCEPTED_RCPT, n,
			       -n * (double)conf_of(s)->weights[MXW__EVENT_ACCEPTED_RCPT], mxw__now_ms(&s->engine->clock));
}

/* Counted only now: the counts are those of recipients that were delivered to. */
static void keep(mxw_session_t *s)
{
	struct mxw__session_track *t = &s->track;
	int64_t now_ms = mxw__now_ms(&s->engine->clock);
	struct mxw__key domain = mxw__track_domain(s);
	struct mxw__track_keys accounts;

	for (size_t i = 0; i < t->credited.n; i++)
		if (t->counted[i] > 0)
			mxw__table_add(s->engine->table, &t->credited.keys[i], MXW__EVENT_ACCEPTED_RCPT, t->counted[i], 0, now_ms);
	credit_late(s, &domain);
	if (!mxw__track_is_relayed(s))
		return;
	mxw__track_sender_accounts(s, &accounts);
	for (size_t i = 0; i < accounts.n; i++)
		credit_late(s, &accounts.keys[i]);
}

void mxw__track_settle_credit(mxw_session_t *s, bool is_accepted)
{
	struct mxw__session_track *t = &s->track;

	if (t->ncredits == 0)
		return;
	if (is_accepted)
		keep(s);
	else
		take_back(s);
	t->ncredits = 0;
	t->credited.n = 0;
	memset(t->given, 0, sizeof t->given);
	memset(t->counted, 0, sizeof t->counted);
}

void mxw__track_end_message(mxw_session_t *s)
{
	struct mxw__session_track *t = &s->track;

	mxw__track_settle_credit(s, false);
	for (size_t i = 0; i < t->nrelayed; i++)
		free(t->relayed[i].rcpt);
	free(t->relayed);
	free(t->credits);
	t->relayed = NULL;
	t->credits = NULL;
	t->nrelayed = t->max_credits = 0;
	memset(t->of_message, 0, sizeof t->of_message);
	t->has_trap = false;
}
