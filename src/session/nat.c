/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat.c: are there strangers behind an internal address?
 *
 * Where a NAT, a container's bridge or a proxy stands in front of the mail server, every client has its address. If that is one of
 * `networks internal`, strangers are trusted like the site's own hosts: the server relays for all the world. What gives it away are the
 * HELO names: mail servers of many organisations from one address of ours.
 *
 * What counts is one name for each session that comes as far as a recipient without having authenticated: users who log in
 * from anywhere say what they like, and who only says HELO moves nothing. Of the name the registrable domain counts, so that
 * the PCs of an office are one. Not counted are single labels and literals (PCs say "WIN-1234" and their own address), names under no
 * public suffix (printer.lan, macbook.local: each would be a domain of its own), and our own domains: a web server that sends for many of
 * them says the name of each.
 *
 * Nobody outside can bring it about for a host of ours, for he has no address of ours: if his sessions come from one, then
 * that is what is to be found out. One of our own can, with as many sessions as names, each with a message begun, from the address
 * he shares with others: it is in the log with his names, mail for our own domains goes on, and who authenticates is not touched. It
 * costs him more than it gives; to look into names any closer (do they lead to another address?) would cost a look-up
 * for each, and help against nobody who takes names that do.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/session/engine.h"

static bool is_watched(const mxw_session_t *s)
{
	const struct mxw__tracker_conf *tc = &s->snapshot->conf->tracker;

	return tc->enabled && tc->nat_helo_names && s->env.client_class == MXW__CLIENT_INTERNAL;
}

/* A name or domain of this site. */
static bool is_ours(const mxw_session_t *s, const char *name, const char *org)
{
	const struct mxw_conf *conf = s->snapshot->conf;

	for (size_t i = 0; i < conf->helo_names.n; i++)
		if (mxw__same_org_domain(conf->helo_names.v[i], org))
			return true;
	return mxw__directories_has_name(s->snapshot->directories, name) ||
	       mxw__directories_has_name(s->snapshot->directories, org);
}

static void warn(mxw_session_t *s, uint64_t names)
{
	char key[MXW_IP_TEXT_MAX + 4], line[512];

	snprintf(key, sizeof key, "nat:%s", s->env.client_text);
	snprintf(line, sizeof line,
		 "event=nat client=%s names=%" PRIu64 " text=\"so many unrelated HELO names from this internal address: a NAT or "
		 "proxy in front makes strangers look internal. Relaying is refused to it (rule nat-relay). Let it hand on their "
		 "addresses, or take it out of networks internal; a mail filter or another mail server belongs into networks relays\"",
		 s->env.client_text, names);
	mxw__engine_warn(s->engine, key, line);
}

static void note(mxw_session_t *s)
{
	const struct mxw__tracker_conf *tc = &s->snapshot->conf->tracker;
	int64_t now_ms = mxw__now_ms(&s->engine->clock);
	char name[MXW__DOMAIN_MAX + 1], org[MXW__DOMAIN_MAX + 1];

	s->helo_noted = true;
	if (s->env.helo_kind != MXW__HELO_DOMAIN || mxw__domain_to_ascii(s->env.helo, strlen(s->env.helo), name) != MXW_OK ||
	    !mxw__has_public_suffix(name))
		return;
	mxw__org_domain(name, org);
	if (is_ours(s, name, org))
		return;
	mxw__nat_add(s->engine->nat, &s->env.client, org, now_ms, tc->nat_window_ms);
	uint64_t names = mxw__nat_count(s->engine->nat, &s->env.client, now_ms, tc->nat_window_ms);
	if (names >= tc->nat_helo_names)
		warn(s, names);
}

void mxw__nat_watch(mxw_session_t *s, mxw_stage_t stage)
{
	const struct mxw__tracker_conf *tc = &s->snapshot->conf->tracker;

	if (!is_watched(s))
		return;
	if (stage == MXW_STAGE_RCPT && !s->helo_noted && !*s->env.auth_user && !s->has_authenticated)
		note(s);
	if (stage < MXW_STAGE_HELO)
		return;
	uint64_t names = mxw__nat_count(s->engine->nat, &s->env.client, mxw__now_ms(&s->engine->clock), tc->nat_window_ms);
	mxw_facts_set(s->facts, MXW__FACT_CLIENT_NAT, names >= tc->nat_helo_names ? "yes" : "no");
}
