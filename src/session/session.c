/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/session/bounce.h"
#include "src/session/engine.h"

enum {
	SESSION_BYTES = 8 * 1024,  /* client and daemon name */
	MESSAGE_BYTES = 16 * 1024, /* beside the header, which takes up to twice its size, and tags: sender, user */
	RCPT_BYTES = 16 * 1024,
	/* Each fact once, and those that may be stated several times more often: dkim.domain once for each signature. */
	SEVERAL_VALUES = 192,
	FACTS_MAX = MXW__FACT_COUNT + SEVERAL_VALUES,
	FACTS_BYTES = 48 * 1024,
	SIGNATURE_BYTES = 256,
	LIST_BYTES = 136, /* "LIST:NAME" */
};

static size_t message_bytes(const struct mxw_conf *conf)
{
	/* Each rule that tags, if all have names of their own. */
	size_t tags = mxw__policy_ntags(conf->policy) * MXW__TAG_BYTES;

	return MESSAGE_BYTES + tags + 2 * (size_t)conf->limits.header_bytes;
}

/* What lists may state beside: each, and each of their results, of five subjects; the postmaster's own of three. */
static size_t list_facts(const struct mxw_conf *conf)
{
	size_t n = 5 * conf->ndnsbls + 3 * conf->nlists;

	for (size_t i = 0; i < conf->ndnsbls; i++)
		n += 5 * conf->dnsbls[i].nresults;
	return n;
}

/* A copy that is bounded, and "" where there is nothing or no room. */
static const char *keep(mxw_session_t *s, mxw_fact_scope_t scope, const char *text)
{
	mxw__arena_t *const arenas[] = {s->session_arena, s->message_arena, s->rcpt_arena};

	if (!text || !*text)
		return "";
	const char *copy = mxw__arena_strndup(arenas[scope], text, strnlen(text, MXW__WORD_MAX));
	if (!copy)
		s->is_short[scope] = true;
	return copy ? copy : "";
}

/* False if it is no address, or, which is another thing, could not be kept. */
static bool read_address(mxw_session_t *s, mxw_fact_scope_t scope, const char *path, struct mxw__address *ret_address)
{
	mxw__arena_t *arena = scope == MXW_SCOPE_RCPT ? s->rcpt_arena : s->message_arena;
	mxw_status_t status = mxw__address_parse(arena, path, ret_address);

	if (status != MXW_OK && status != MXW_ERR_INVALID)
		s->is_short[scope] = true;
	return status == MXW_OK;
}

static void clear_envelope_message(struct mxw__envelope *env)
{
	env->sender_path = env->auth_user = env->tls_version = env->rcpt_path = "";
	env->sender = env->rcpt = (struct mxw__address){.text = "", .local = "", .domain = ""};
	env->sender_is_valid = env->rcpt_is_valid = env->is_utf8 = false;
	env->rcpt_refused_by_mta = env->rcpt_deferred_by_mta = false;
	env->rcpt_domain = NULL;
	env->rcpt_domain_is_known = false;
	env->fields = NULL;
	env->fields_end = &env->fields;
	env->header_bytes = env->body_bytes = 0;
	env->header_overflow = env->header_is_too_large = env->has_signature = false;
	env->nsignatures = 0;
	env->from = (struct mxw__from){.kind = MXW__FROM_MISSING, .address = "", .domain = ""};
	env->origin = env->client_class == MXW__CLIENT_RELAY ? (struct mxw_ip){0} : env->client;
	env->origin_helo = env->origin_name = "";
}

static void fill_context(mxw_session_t *s)
{
	struct mxw__snapshot *snap = s->snapshot;

	s->ctx = (struct mxw__check_ctx){
		.conf = snap->conf,
		.clock = &s->engine->clock,
		.resolver = snap->resolver,
		.budget = &s->budget,
		.dnsbl_health = mxw__prober_health(s->engine),
		.directories = snap->directories,
		.dkim_lib = snap->dkim_lib,
		.session_id = s->id,
		.warn = mxw__engine_warn,
		.warn_ctx = s->engine,
		.facts = s->facts,
		.session_arena = s->session_arena,
		.message_arena = s->message_arena,
		.env = &s->env,
		.results = &s->results,
	};
}

mxw_status_t mxw_session_new(mxw_engine_t *engine, mxw_session_t **ret_session)
{
	mxw_session_t *s = calloc(1, sizeof *s);

	if (!s)
		return MXW_ERR_NOMEM;
	mxw__engine_tick(engine);
	s->engine = engine;
	s->snapshot = mxw__engine_snapshot(engine);
	const struct mxw__limits_conf *limits = &s->snapshot->conf->limits;
	size_t nsignatures = (size_t)limits->signatures, nlists = list_facts(s->snapshot->conf);
	mxw__engine_next_id(engine, s->id);
	s->session_arena = mxw__arena_new(SESSION_BYTES);
	s->message_arena = mxw__arena_new(message_bytes(s->snapshot->conf));
	s->rcpt_arena = mxw__arena_new(RCPT_BYTES);
	s->budget.limit = (unsigned)limits->session_dns;
	s->abilities = (struct mxw_abilities){true, true, true};
	s->env.client_name = s->env.daemon_name = s->env.helo = "";
	clear_envelope_message(&s->env);
	if (!s->session_arena || !s->message_arena || !s->rcpt_arena ||
	    mxw_facts_new(FACTS_MAX + nsignatures + nlists, FACTS_BYTES + nsignatures * SIGNATURE_BYTES + nlists * LIST_BYTES,
			  &s->facts) != MXW_OK) {
		mxw_session_free(s);
		return MXW_ERR_NOMEM;
	}
	fill_context(s);
	*ret_session = s;
	return MXW_OK;
}

bool mxw__is_refusal(mxw_action_t action)
{
	return action != MXW_ACTION_CONTINUE && action != MXW_ACTION_ACCEPT && action != MXW_ACTION_HOLD;
}

/* What belongs to the session stays. */
static void forget_message_results(struct mxw__auth_results *results)
{
	results->has_spf = results->has_dkim = results->has_dmarc = results->has_arc = false;
	results->signatures = NULL;
	results->nsignatures = 0;
}

static void end_message(mxw_session_t *s)
{
	if (s->record.is_open) {
		mxw__parts_aborted(s);
		mxw__concealed_count(s);
		mxw__report_message(s);
	}
	mxw__concealed_end_message(s);
	mxw__track_end_message(s);
	s->record = (struct mxw__message_record){0};
	for (size_t c = 0; mxw__check_list[c]; c++)
		if (mxw__check_list[c]->reset)
			mxw__check_list[c]->reset(&s->ctx);
	forget_message_results(&s->results);
	mxw__stage_clear(s, MXW_SCOPE_MESSAGE);
	clear_envelope_message(&s->env);
	s->message_accepted = false;
	mxw__edits_free(s);
	mxw__arena_reset(s->message_arena);
	mxw__arena_reset(s->rcpt_arena);
}

void mxw_session_free(mxw_session_t *session)
{
	if (!session)
		return;
	if (session->facts) {
		end_message(session);
		mxw__parts_close(session);
	}
	bool is_over = mxw__concealed_end(session);
	mxw_facts_free(session->facts);
	mxw__arena_free(session->session_arena);
	mxw__arena_free(session->message_arena);
	mxw__arena_free(session->rcpt_arena);
	if (is_over)
		mxw__snapshot_unref(session->snapshot);
	else
		atomic_store(&session->engine->is_left, true);
	free(session);
}

void mxw_session_needs(const mxw_session_t *session, struct mxw_needs *ret_needs)
{
	*ret_needs = session->snapshot->needs;
}

void mxw_session_abilities(mxw_session_t *session, const struct mxw_abilities *abilities)
{
	session->abilities = *abilities;
}

const char *mxw_session_id(const mxw_session_t *session)
{
	return session->id;
}

const mxw_facts_t *mxw_session_facts(const mxw_session_t *session)
{
	return session->facts;
}

/* A reply that is to be given later takes until then. */
static void spend(mxw_session_t *s)
{
	int64_t now_ms = mxw__now_ms(&s->engine->clock);

	s->record.spent_ms += (now_ms > s->hold_until_ms ? now_ms : s->hold_until_ms) - s->step_began_ms;
}

/* Before there is a message, a refusal is the session's and gets a line of its own. */
static void decide_for_session(mxw_session_t *s, mxw_stage_t stage, struct mxw_verdict *v)
{
	mxw__stage_decide(s, stage, v);
	spend(s);
	if (mxw__is_refusal(v->decided) && !s->is_refused_logged) {
		s->is_refused_logged = true;
		mxw__report_refused_session(s, stage, v);
	}
}

static void connect(mxw_session_t *session, const struct mxw_connect_info *info, struct mxw_verdict *ret_verdict)
{
	struct mxw__envelope *env = &session->env;

	mxw__stage_begin(session);
	mxw__stage_clear(session, MXW_SCOPE_SESSION);
	mxw__arena_reset(session->session_arena);
	session->session_accepted = false;
	env->client = info->client;
	mxw_ip_format(&env->client, env->client_text);
	const char *name = info->client_name ? info->client_name : "";
	/* What the MTA could not verify is no name: "[192.0.2.1]", "unknown", or one whose address differs. */
	bool has_name = *name && *name != '[' && !info->client_name_is_forged && strcmp(name, "unknown") != 0;
	env->client_name = has_name ? keep(session, MXW_SCOPE_SESSION, name) : "";
	env->daemon_name = keep(session, MXW_SCOPE_SESSION, info->daemon_name);
	env->daemon_port = info->daemon_port;
	session->helo_noted = false;
	session->is_connected = true;
	decide_for_session(session, MXW_STAGE_CONNECT, ret_verdict);
}

void mxw_session_connect(mxw_session_t *session, const struct mxw_connect_info *info, struct mxw_verdict *ret_verdict)
{
	connect(session, info, ret_verdict);
	mxw__hold(session);
}

/* A peer of the MTA may leave steps out; what follows then works on an unknown client. */
static void need_connect(mxw_session_t *s)
{
	struct mxw_verdict ignored;

	if (s->is_connected)
		return;
	connect(s, &(struct mxw_connect_info){0}, &ignored);
	mxw__hold_drop(s);
}

/* A second HELO replaces what the first one established. */
static void forget_helo(mxw_session_t *s)
{
	for (size_t c = 0; mxw__check_list[c]; c++) {
		const struct mxw__check *check = mxw__check_list[c];
		if (check->stage != MXW_STAGE_HELO)
			continue;
		s->done &= ~(UINT32_C(1) << c);
		for (size_t f = 0; f < check->nfacts; f++)
			mxw__facts_forget(s->facts, check->facts[f]);
	}
	s->results.has_spf_helo = false;
	s->helo_forged_counted = false;
}

void mxw_session_helo(mxw_session_t *session, const char *helo, struct mxw_verdict *ret_verdict)
{
	need_connect(session);
	mxw__stage_begin(session);
	helo = helo ? helo : "";
	/* STARTTLS is followed by a second EHLO with the same name: nothing new is to be learnt or counted. */
	bool again = *session->env.helo && strncmp(session->env.helo, helo, MXW__WORD_MAX) == 0;
	if (!again) {
		forget_helo(session);
		snprintf(session->helo, sizeof session->helo, "%s", helo);
		session->env.helo = session->helo;
	}
	decide_for_session(session, MXW_STAGE_HELO, ret_verdict);
	mxw__hold(session);
}

/* RFC 6531 section 3.4. */
static bool has_param(const char *const *params, const char *name)
{
	for (; params && *params; params++)
		if (mxw__ascii_casecmp(*params, name) == 0)
			return true;
	return false;
}

static void remember_refusal(mxw_session_t *s, const struct mxw_verdict *v)
{
	if (mxw__is_refusal(v->decided))
		s->record.refusal = *v;
}

void mxw_session_mail(mxw_session_t *session, const struct mxw_mail_info *info, struct mxw_verdict *ret_verdict)
{
	struct mxw__envelope *env = &session->env;
	int64_t began = mxw__now_ms(&session->engine->clock);

	need_connect(session);
	end_message(session);
	session->step_began_ms = began;
	session->messages++;
	session->record.is_open = true;
	env->sender_path = keep(session, MXW_SCOPE_MESSAGE, info->sender);
	env->sender_is_valid = read_address(session, MXW_SCOPE_MESSAGE, env->sender_path, &env->sender);
	env->auth_user = keep(session, MXW_SCOPE_MESSAGE, info->auth_user);
	env->tls_version = keep(session, MXW_SCOPE_MESSAGE, info->tls_version);
	env->is_utf8 = has_param(info->params, "SMTPUTF8");
	session->has_authenticated |= *env->auth_user != '\0';
	mxw_session_queue_id(session, info->queue_id);
	mxw__stage_decide(session, MXW_STAGE_MAIL, ret_verdict);
	remember_refusal(session, ret_verdict);
	spend(session);
	mxw__hold(session);
}

void mxw_session_queue_id(mxw_session_t *session, const char *queue_id)
{
	if (queue_id && *queue_id)
		snprintf(session->record.queue_id, sizeof session->record.queue_id, "%s", queue_id);
}

/* RFC 5321 section 4.5.3.1.10: 452, so that the client sends the rest in a further message. */
static void too_many_recipients(mxw_session_t *s, struct mxw_verdict *v)
{
	mxw__stage_defer(s, 452, "4.5.3", "too many recipients", "limits.recipients", v);
}

static void record_rcpt(mxw_session_t *s, const struct mxw_verdict *v)
{
	struct mxw__message_record *r = &s->record;

	if (s->env.rcpt_refused_by_mta) {
		r->rcpts_refused_by_mta++;
		return;
	}
	remember_refusal(s, v);
	if (!mxw__is_refusal(v->decided))
		mxw__dmarc_note_rcpt(s);
	/* Concealed, with the refusal to come at the end of the message. */
	if (!mxw__is_refusal(v->decided) || (v->decided == MXW_ACTION_CONCEAL && !v->code))
		return;
	r->rcpts_refused++;
	if (r->nrefused_shown < MXW__REFUSED_SHOWN) {
		const char *rcpt = s->env.rcpt_is_valid ? s->env.rcpt.text : s->env.rcpt_path;
		snprintf(r->refused[r->nrefused_shown].rcpt, sizeof r->refused[0].rcpt, "%s", rcpt);
		r->refused[r->nrefused_shown++].rule = v->rule ? v->rule : "";
	}
}

void mxw_session_rcpt(mxw_session_t *session, const struct mxw_rcpt_info *info, struct mxw_verdict *ret_verdict)
{
	struct mxw__envelope *env = &session->env;

	need_connect(session);
	mxw__stage_begin(session);
	mxw__stage_clear(session, MXW_SCOPE_RCPT);
	session->record.rcpts++;
	mxw_facts_set_number(session->facts, MXW__FACT_RCPT_COUNT, session->record.rcpts);
	env->rcpt_domain = NULL;
	env->rcpt_domain_is_known = false;
	env->rcpt_path = "";
	env->rcpt_is_valid = false;
	env->rcpt_refused_by_mta = info->is_refused_by_mta;
	env->rcpt_deferred_by_mta = info->is_refused_by_mta && info->is_deferred_by_mta;
	mxw__arena_reset(session->rcpt_arena);
	if (session->record.rcpts > session->snapshot->conf->limits.recipients) {
		too_many_recipients(session, ret_verdict);
		session->record.rcpts_refused++;
		remember_refusal(session, ret_verdict);
		spend(session);
		return;
	}
	env->rcpt_path = keep(session, MXW_SCOPE_RCPT, info->rcpt);
	env->rcpt_is_valid = read_address(session, MXW_SCOPE_RCPT, env->rcpt_path, &env->rcpt) && !env->rcpt.is_null;
	mxw__bounce_read_rcpt(session, info->params);
	mxw__stage_decide(session, MXW_STAGE_RCPT, ret_verdict);
	record_rcpt(session, ret_verdict);
	session->rcpt_params = NULL;
	/* What was said of one recipient must not count for the message as a whole. */
	mxw__stage_clear(session, MXW_SCOPE_RCPT);
	spend(session);
	mxw__hold(session);
}

void mxw_session_data(mxw_session_t *session, struct mxw_verdict *ret_verdict)
{
	need_connect(session);
	mxw__stage_begin(session);
	mxw__stage_decide(session, MXW_STAGE_DATA, ret_verdict);
	remember_refusal(session, ret_verdict);
	spend(session);
	mxw__hold(session);
}

void mxw_session_unknown(mxw_session_t *session, const char *line, struct mxw_verdict *ret_verdict)
{
	need_connect(session);
	mxw__stage_begin(session);
	session->unknown_commands++;
	mxw__track_event(session, MXW__EVENT_UNKNOWN_COMMAND);
	/* A message in progress keeps its facts; its own rules come to their turn at their stage. */
	decide_for_session(session, *session->env.helo ? MXW_STAGE_HELO : MXW_STAGE_CONNECT, ret_verdict);
	mxw__hold(session);
}

/* Without room for a field it is too large a header, of very many fields; without memory nothing is known of it. */
static void keep_field(mxw_session_t *s, const char *name, const char *value)
{
	size_t need = sizeof(struct mxw__field) + strlen(name) + strlen(value) + 2;
	bool has_room = need <= message_bytes(s->snapshot->conf) - mxw__arena_used(s->message_arena);
	struct mxw__envelope *env = &s->env;
	struct mxw__field *f = mxw__arena_alloc(s->message_arena, sizeof *f);

	if (f) {
		f->name = mxw__arena_strdup(s->message_arena, name);
		f->value = mxw__arena_strdup(s->message_arena, value);
	}
	if (!f || !f->name || !f->value) {
		env->header_overflow = true;
		env->header_is_too_large |= !has_room;
		return;
	}
	*env->fields_end = f;
	env->fields_end = &f->next;
}

void mxw_session_header(mxw_session_t *session, const char *name, const char *value)
{
	const struct mxw__snapshot *snap = session->snapshot;
	struct mxw__envelope *env = &session->env;

	need_connect(session);
	mxw__tags_count(session, name);
	env->header_bytes += strlen(name) + strlen(value) + 3;
	if (env->header_bytes > snap->conf->limits.header_bytes)
		env->header_overflow = env->header_is_too_large = true;
	for (size_t c = 0; mxw__check_list[c]; c++)
		if ((snap->enabled & (UINT32_C(1) << c)) && mxw__check_list[c]->header)
			mxw__check_list[c]->header(&session->ctx, name, value);
	if (!env->header_overflow)
		keep_field(session, name, value);
}

void mxw_session_end_of_headers(mxw_session_t *session)
{
	for (size_t c = 0; mxw__check_list[c]; c++)
		if ((session->snapshot->enabled & (UINT32_C(1) << c)) && mxw__check_list[c]->end_of_headers)
			mxw__check_list[c]->end_of_headers(&session->ctx);
	/* The header says what else will be wanted; the body takes its time to come. */
	mxw__stage_gather(session, MXW_STAGE_EOM);
}

bool mxw_session_body(mxw_session_t *session, const unsigned char *data, size_t len)
{
	const struct mxw_conf *conf = session->snapshot->conf;
	bool more = mxw_policy_needs(conf->policy, MXW_STAGE_EOM, MXW__FACT_MESSAGE_SIZE) ||
		    (conf->rates.kinds >> MXW__LIMITED_BYTES & 1);

	session->env.body_bytes += len;
	for (size_t c = 0; mxw__check_list[c]; c++)
		if ((session->snapshot->enabled & (UINT32_C(1) << c)) && mxw__check_list[c]->body)
			more |= mxw__check_list[c]->body(&session->ctx, data, len);
	return more;
}

/* The refusal that goes with concealed recipients; its time tells as little as its words. */
static void refuse_late(mxw_session_t *s, struct mxw_verdict *v)
{
	*v = s->record.late;
	if (s->snapshot->conf->observe)
		v->action = MXW_ACTION_CONTINUE;
	else
		mxw__hold_concealed(s);
}

void mxw_session_eom(mxw_session_t *session, struct mxw_verdict *ret_verdict, const struct mxw_edit **ret_edits,
		     size_t *ret_nedits)
{
	const struct mxw__auth_conf *auth = &session->snapshot->conf->auth;

	need_connect(session);
	mxw__stage_begin(session);
	*ret_edits = NULL;
	*ret_nedits = 0;
	session->record.has_ended = true;
	mxw__stage_decide(session, MXW_STAGE_EOM, ret_verdict);
	/* Whatever let the message pass: recipients were accepted for it that may not exist. */
	if (session->record.late.decided != MXW_ACTION_CONTINUE && !mxw__is_refusal(ret_verdict->decided))
		refuse_late(session, ret_verdict);
	if (!mxw__is_refusal(ret_verdict->action)) {
		if (auth->add_results || auth->spf_add_received)
			mxw__stage_finish_checks(session);
		if (!mxw__edits_make(session, ret_edits, ret_nedits))
			mxw__stage_defer_short(session, ret_verdict);
	}
	mxw__parts_message(session, ret_verdict);
	/* Who has brought mail that was taken may ask as much again: a long session of many senders is no flood. */
	if (!mxw__is_refusal(ret_verdict->decided))
		session->budget.asked = 0;
	mxw__dmarc_report(session, ret_verdict);
	session->record.verdict = *ret_verdict;
	session->record.is_open = true;
	spend(session);
	mxw__concealed_count(session);
	mxw__report_message(session);
	session->record.is_open = false;
	mxw__hold(session);
}

void mxw_session_abort(mxw_session_t *session)
{
	struct mxw__message_record *r = &session->record;

	/* A client whose message or recipients were refused does right to give up. */
	if (r->is_open && !r->has_ended && !mxw__is_refusal(r->refusal.decided) && !r->rcpts_refused_by_mta) {
		session->aborts++;
		mxw__track_given_up(session);
	}
	end_message(session);
}
