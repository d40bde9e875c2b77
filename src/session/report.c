/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c: the one line a message or a refused session leaves in the log. The keys are described in mxward(8),
 * and a test compares both.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/session/bounce.h"
#include "src/session/engine.h"
#include "src/share/share.h"

/* Each octet of a peer may take four: the line has room for the longest values of all, so that nobody can keep the verdict out. */
enum { LINE_MAX_BYTES = 8000, VALUE_MAX = 200, RCPT_MAX = 80, REFUSED_MAX = 300, LISTED_MAX = 400 };

static void add_key(struct mxw__buf *line, const char *key)
{
	mxw__buf_addc(line, ' ');
	mxw__buf_adds(line, key);
	mxw__buf_addc(line, '=');
}

static void add(struct mxw__buf *line, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	add_key(line, key);
	mxw__buf_add_logvalue(line, value, strlen(value), VALUE_MAX);
}

static void add_number(struct mxw__buf *line, const char *key, uint64_t value)
{
	mxw__buf_addf(line, " %s=%llu", key, (unsigned long long)value);
}

static void add_client(struct mxw__buf *line, const mxw_session_t *s)
{
	add(line, "session", s->id);
	add(line, "client", s->env.client.family ? s->env.client_text : "local");
	add(line, "name", s->env.client_name);
	add(line, "helo", s->env.helo);
}

static void add_verdict(struct mxw__buf *line, const mxw_session_t *s, const struct mxw_verdict *v)
{
	struct mxw__buf at;

	add(line, "verdict", mxw_action_name(v->decided));
	if (s->snapshot->conf->observe)
		add(line, "mode", "observe");
	if (v->code)
		add_number(line, "code", (uint64_t)v->code);
	add(line, "status", v->enhanced);
	add(line, "rule", v->rule);
	if (v->file) {
		mxw__buf_init(&at, VALUE_MAX);
		mxw__buf_addf(&at, "%s:%u", v->file, v->line);
		add(line, "at", mxw__buf_str(&at));
		mxw__buf_fini(&at);
	}
	if (*v->facts) {
		/* Escaped already, value by value; only the whole needs its quotes. */
		mxw__buf_adds(line, " facts=");
		mxw__buf_add_logvalue(line, v->facts, strlen(v->facts), sizeof v->facts);
	}
}

static void add_refused(struct mxw__buf *line, const struct mxw__message_record *r)
{
	struct mxw__buf list;

	if (r->nrefused_shown == 0)
		return;
	mxw__buf_init(&list, LINE_MAX_BYTES);
	for (size_t i = 0; i < r->nrefused_shown; i++) {
		mxw__buf_addf(&list, "%s%s:", i ? " " : "", r->refused[i].rule);
		/* By itself, so that a blank in an address does not begin another one. */
		mxw__buf_add_logvalue(&list, r->refused[i].rcpt, strlen(r->refused[i].rcpt), RCPT_MAX);
	}
	if (r->rcpts_refused > r->nrefused_shown)
		mxw__buf_addf(&list, " +%zu", r->rcpts_refused - r->nrefused_shown);
	mxw__buf_adds(line, " refused-rcpts=");
	mxw__buf_add_logvalue(line, mxw__buf_str(&list), list.len, REFUSED_MAX);
	mxw__buf_fini(&list);
}

static void add_observed(struct mxw__buf *line, const struct mxw__message_record *r)
{
	if (r->nobserved == 0)
		return;
	mxw__buf_adds(line, " observed=\"");
	for (size_t i = 0; i < r->nobserved; i++)
		mxw__buf_addf(line, "%s%s:%s", i ? " " : "", r->observed[i].rule,
			      mxw_action_name(r->observed[i].action));
	mxw__buf_addc(line, '"');
}

/* Of the sender of a message of ours, or of the last recipient of one without a sender. NULL: neither. */
static const char *bounce_tag(const struct mxw__message_record *r)
{
	if (r->is_sender_tagged)
		return mxw__bounce_tag_word(MXW__BOUNCE_TAGGED);
	return r->bounce_rcpts && r->bounce_rcpts->is_bounce ? mxw__bounce_tag_word(r->bounce_rcpts->tag) : NULL;
}

/* What rules did besides deciding. */
static void add_measures(struct mxw__buf *line, const struct mxw__message_record *r)
{
	if (r->tarpit_ms) {
		add_number(line, "tarpit-ms", r->tarpit_ms);
		add(line, "tarpit-rule", r->tarpit_rule);
	}
	add(line, "bounce-tag", bounce_tag(r));
	if (!r->ntags || !r->has_ended)
		return;
	add_key(line, "tags");
	for (size_t i = 0; i < r->ntags; i++)
		mxw__buf_addf(line, "%s%s", i ? "," : "", r->tags[i].name);
}

/* What the client has earned since its last line. It is told once. */
static void add_events(struct mxw__buf *line, mxw_session_t *s)
{
	struct mxw__tally *tally = s->track.since_line;
	size_t n = 0;

	for (size_t i = 0; i < MXW__EVENT_COUNT; i++) {
		if (tally[i].times > 0)
			mxw__buf_addf(line, "%s%s:%+lld", n++ ? " " : " events=\"", mxw__event_name((mxw__event_t)i),
				      llround(tally[i].points));
		tally[i] = (struct mxw__tally){0};
	}
	if (n)
		mxw__buf_addc(line, '"');
}

static void add_scores(struct mxw__buf *line, mxw_session_t *s)
{
	const char *network = mxw_facts_get(s->facts, MXW__FACT_CLIENT_NETWORK_SCORE);

	add(line, "score", mxw_facts_get(s->facts, MXW__FACT_CLIENT_SCORE));
	if (network && strcmp(network, "0") != 0)
		add(line, "network-score", network);
	add_events(line, s);
}

/* Whoever is on a list of ours, by which entry, and what the postmaster has written beside it. */
static void add_listed(struct mxw__buf *line, const mxw_session_t *s)
{
	const struct mxw__listed *l = &s->listed;
	char all[3 * MXW__LISTED_MAX + 8];

	snprintf(all, sizeof all, "%s%s%s%s%s", l->client, *l->client && *l->helo ? "; " : "", l->helo,
		 (*l->client || *l->helo) && *l->sender ? "; " : "", l->sender);
	if (!*all)
		return;
	add_key(line, "listed");
	mxw__buf_add_logvalue(line, all, strlen(all), LISTED_MAX);
}

static void emit(mxw_session_t *s, struct mxw__buf *line)
{
	mxw__engine_log(s->engine, MXW_LEVEL_INFO, mxw__buf_str(line));
	mxw__buf_fini(line);
}

static void add_results(struct mxw__buf *line, mxw_session_t *s)
{
	char origin[MXW_IP_TEXT_MAX];

	add(line, "spf", mxw_facts_get(s->facts, MXW__FACT_SPF));
	add(line, "dkim", mxw_facts_get(s->facts, MXW__FACT_DKIM));
	add(line, "dmarc", mxw_facts_get(s->facts, MXW__FACT_DMARC));
	/* Whom a relay has it from; of other clients the address is there already. */
	if (s->env.client_class == MXW__CLIENT_RELAY)
		add(line, "origin", mxw_ip_format(&s->env.origin, origin));
	add_scores(line, s);
}

void mxw__report_message(mxw_session_t *s)
{
	const struct mxw__message_record *r = &s->record;
	const struct mxw__envelope *env = &s->env;
	struct mxw__buf line;

	if (!s->engine->log)
		return;
	mxw__buf_init(&line, LINE_MAX_BYTES);
	mxw__buf_adds(&line, "event=message");
	add_client(&line, s);
	add(&line, "queue", r->queue_id);
	mxw__buf_adds(&line, " sender=");
	const char *sender = env->sender_is_valid ? env->sender.text : env->sender_path;
	mxw__buf_add_logvalue(&line, sender, strlen(sender), VALUE_MAX);
	add(&line, "user", env->auth_user);
	const char *outbound = mxw_facts_get(s->facts, MXW__FACT_OUTBOUND);
	if (outbound && strcmp(outbound, "ok") != 0)
		add(&line, "outbound", outbound);
	add_number(&line, "rcpts", r->rcpts);
	if (r->rcpts_refused)
		add_number(&line, "refused", r->rcpts_refused);
	if (r->rcpts_refused_by_mta)
		add_number(&line, "mta-refused", r->rcpts_refused_by_mta);
	if (r->concealed) {
		add_number(&line, "concealed", r->concealed);
		add_number(&line, "concealed-found", r->concealed_found);
	}
	if (r->has_ended)
		add_verdict(&line, s, &r->verdict);
	else if (r->refusal.decided != MXW_ACTION_CONTINUE)
		add_verdict(&line, s, &r->refusal);
	else
		add(&line, "verdict", "aborted");
	add_refused(&line, r);
	add_observed(&line, r);
	add_measures(&line, r);
	add_listed(&line, s);
	add_results(&line, s);
	if (r->has_ended)
		add_number(&line, "size", env->header_bytes + env->body_bytes);
	add_number(&line, "time-ms", (uint64_t)r->spent_ms);
	emit(s, &line);
}

void mxw__report_refused_session(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict)
{
	struct mxw__buf line;

	if (!s->engine->log)
		return;
	mxw__buf_init(&line, LINE_MAX_BYTES);
	mxw__buf_adds(&line, "event=session");
	add_client(&line, s);
	add(&line, "stage", mxw_stage_name(stage));
	add_verdict(&line, s, verdict);
	add_listed(&line, s);
	add_measures(&line, &s->record);
	add_scores(&line, s);
	add_number(&line, "time-ms", (uint64_t)s->record.spent_ms);
	emit(s, &line);
}

void mxw__report_share(mxw_engine_t *engine)
{
	struct mxw__share_stats stats;
	struct mxw__buf line;

	mxw__share_get_stats(engine->share, &stats);
	if (!engine->log || !stats.is_on)
		return;
	mxw__buf_init(&line, LINE_MAX_BYTES);
	mxw__buf_adds(&line, "event=share");
	add(&line, "server", stats.server);
	add(&line, "up", stats.is_up ? "yes" : "no");
	add_number(&line, "pushed", stats.pushed);
	add_number(&line, "pulled", stats.pulled);
	add_number(&line, "late", stats.late);
	add_number(&line, "longest-us", stats.longest_us);
	add_number(&line, "lost", stats.failed);
	add_number(&line, "dropped", stats.dropped);
	mxw__engine_log(engine, MXW_LEVEL_INFO, mxw__buf_str(&line));
	mxw__buf_fini(&line);
}

void mxw__report_resolver(mxw_engine_t *engine, mxw_resolver_t *resolver)
{
	struct mxw_resolver_stats stats = {.size = sizeof stats};
	struct mxw__buf line;

	mxw_resolver_get_stats(resolver, &stats);
	if (!engine->log || !stats.asked)
		return;
	mxw__buf_init(&line, LINE_MAX_BYTES);
	mxw__buf_adds(&line, "event=resolver");
	add_number(&line, "asked", stats.asked);
	add_number(&line, "cached", stats.cache_hits);
	add_number(&line, "joined", stats.coalesced);
	add_number(&line, "sent", stats.sent);
	add_number(&line, "failed", stats.failures);
	add_number(&line, "bogus", stats.bogus);
	add_number(&line, "timeouts", stats.timeouts);
	add_number(&line, "over-session", stats.over_session);
	add_number(&line, "over-client", stats.over_client);
	add_number(&line, "over-zone", stats.over_zone);
	add_number(&line, "over-cap", stats.over_cap);
	mxw__engine_log(engine, MXW_LEVEL_INFO, mxw__buf_str(&line));
	mxw__buf_fini(&line);
}
