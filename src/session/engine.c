/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/source.h"
#include "src/journal/store.h"
#include "src/session/bounce.h"
#include "src/session/engine.h"
#include "src/share/share.h"

enum { REPORT_INTERVAL_MS = 3600000, LAST_FLUSH_MS = 3000 };

void mxw__engine_log(mxw_engine_t *engine, mxw_level_t level, const char *line)
{
	if (engine->log)
		engine->log(engine->log_ctx, level, line);
}

void mxw__engine_tick(mxw_engine_t *engine)
{
	int64_t now = mxw__now_ms(&engine->clock), due = atomic_load(&engine->next_report_ms);

	mxw__prober_tick(engine);
	if (now < due || !atomic_compare_exchange_strong(&engine->next_report_ms, &due, now + REPORT_INTERVAL_MS))
		return;
	struct mxw__snapshot *snap = mxw__engine_snapshot(engine);
	mxw__report_resolver(engine, snap->resolver);
	mxw__report_share(engine);
	mxw__snapshot_unref(snap);
}

static void notice(mxw_engine_t *engine, mxw_level_t level, const char *event, const char *text)
{
	struct mxw__buf line;

	mxw__buf_init(&line, 1024);
	mxw__buf_addf(&line, "event=%s text=", event);
	mxw__buf_add_logvalue(&line, text, strlen(text), 800);
	mxw__engine_log(engine, level, mxw__buf_str(&line));
	mxw__buf_fini(&line);
}

/* A directory's word on its own health. */
static void directory_notice(void *ctx, bool is_error, const char *text)
{
	notice(ctx, is_error ? MXW_LEVEL_ERROR : MXW_LEVEL_WARNING, "directory", text);
}

/* The same of the kept evaluations. */
static void dmarc_notice(void *ctx, bool is_error, const char *text)
{
	notice(ctx, is_error ? MXW_LEVEL_ERROR : MXW_LEVEL_WARNING, "dmarc", text);
}

void mxw__engine_notice_tracker(void *engine, bool is_error, const char *text)
{
	notice(engine, is_error ? MXW_LEVEL_ERROR : MXW_LEVEL_WARNING, "tracker", text);
}

static void resolver_notice(void *ctx, const char *text)
{
	notice(ctx, MXW_LEVEL_WARNING, "resolver", text);
}

static mxw_status_t make_resolver(mxw_engine_t *engine, const struct mxw_conf *conf, mxw_resolver_t **ret_resolver,
				  struct mxw_error *err)
{
	struct mxw_resolver_options options;

	if (engine->given_resolver) {
		*ret_resolver = mxw_resolver_ref(engine->given_resolver);
		return MXW_OK;
	}
	const char **zones = mxw__resolver_options_of(conf, &options);
	if (!zones)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	options.clock = &engine->clock;
	options.notice = resolver_notice;
	options.notice_ctx = engine;
	mxw_status_t status = mxw_resolver_new(&options, ret_resolver, err);
	free(zones);
	return status;
}

static uint32_t bit_of(const struct mxw__check *check)
{
	for (size_t c = 0; mxw__check_list[c]; c++)
		if (mxw__check_list[c] == check)
			return UINT32_C(1) << c;
	return 0;
}

/* What one check needs is wanted with it. Those needed come earlier in the list, so one way through from its end finds all. */
static uint32_t with_needs(uint32_t wanted)
{
	for (size_t c = MXW__CHECKS_MAX; c-- > 0;) {
		if (!(wanted >> c & 1) || !mxw__check_list[c]->needs)
			continue;
		for (const struct mxw__check *const *need = mxw__check_list[c]->needs; *need; need++)
			wanted |= bit_of(*need);
	}
	return wanted;
}

/* Which lazy checks each stage's rules need, by the facts they name. */
static void plan(struct mxw__snapshot *snap)
{
	const struct mxw_conf *conf = snap->conf;

	for (size_t c = 0; mxw__check_list[c]; c++) {
		const struct mxw__check *check = mxw__check_list[c];
		if (check->is_enabled && !check->is_enabled(conf))
			continue;
		snap->enabled |= UINT32_C(1) << c;
		for (int stage = 0; stage < MXW_STAGE_COUNT; stage++)
			for (size_t f = 0; f < check->nfacts; f++)
				if (mxw_policy_needs(conf->policy, (mxw_stage_t)stage, check->facts[f]))
					snap->wanted[stage] |= UINT32_C(1) << c;
	}
	/* The tracker's, which stands on one. At RCPT it asks for it itself, where it matters: honest mail should not wait for it there. */
	for (int stage = 0; stage < MXW_STAGE_COUNT; stage++)
		if (stage != MXW_STAGE_RCPT && mxw_policy_needs(conf->policy, (mxw_stage_t)stage, MXW__FACT_SENDER_DOMAIN_SCORE))
			snap->wanted[stage] |= bit_of(&mxw__check_spf);
	/* A limit per sender's domain counts under those that SPF passes for, from MAIL on. */
	if (conf->rates.key_kinds >> MXW__KEY_DOMAIN & 1)
		snap->wanted[MXW_STAGE_MAIL] |= bit_of(&mxw__check_spf);
	/* What lists say goes into the score before recipients are decided upon. */
	if (mxw__dnsbl_feeds_tracker(conf, MXW__DNSBL_OF_ADDRESSES))
		snap->wanted[MXW_STAGE_RCPT] |= bit_of(&mxw__check_client_dnsbl);
	if (mxw__dnsbl_feeds_tracker(conf, MXW__DNSBL_OF_DOMAINS))
		snap->wanted[MXW_STAGE_RCPT] |= bit_of(&mxw__check_helo_dnsbl) | bit_of(&mxw__check_iprev_dnsbl);
	for (int stage = 0; stage < MXW_STAGE_COUNT; stage++)
		snap->wanted[stage] = with_needs(snap->wanted[stage]) & snap->enabled;
}

static bool needs_any(const struct mxw_conf *conf, mxw_stage_t stage, const mxw_fact_id_t *facts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mxw_policy_needs(conf->policy, stage, facts[i]))
			return true;
	return false;
}

/* At the end of the message. */
static bool is_wanted(const struct mxw__snapshot *snap, const struct mxw__check *check)
{
	return snap->wanted[MXW_STAGE_EOM] & bit_of(check);
}

static void compute_needs(struct mxw__snapshot *snap)
{
	static const mxw_fact_id_t body_facts[] = {MXW__FACT_MESSAGE_SIZE, MXW__FACT_BODY_SMUGGLED};
	const struct mxw_conf *conf = snap->conf;
	bool results = conf->auth.add_results;
	bool dkim = conf->auth.dkim_enabled && (results || is_wanted(snap, &mxw__check_dkim));
	bool arc = conf->dmarc.arc_sealers.n && (results || is_wanted(snap, &mxw__check_arc));
	bool body = needs_any(conf, MXW_STAGE_EOM, body_facts, MXW_ARRAY_LEN(body_facts)) || (conf->rates.kinds >> MXW__LIMITED_BYTES & 1);
	bool mta_rcpt = mxw_policy_needs(conf->policy, MXW_STAGE_RCPT, MXW__FACT_RCPT_MTA);
	bool commands = false;

	for (int stage = 0; stage < MXW_STAGE_COUNT; stage++)
		commands |= mxw_policy_needs(conf->policy, (mxw_stage_t)stage, MXW__FACT_SESSION_UNKNOWN_COMMANDS);
	snap->needs = (struct mxw_needs){
		/* HELO and MAIL are part of every log line. */
		.helo = true,
		.mail = true,
		.rcpt = true,
		.data = mxw_policy_has_stage(conf->policy, MXW_STAGE_DATA),
		.unknown = conf->tracker.enabled || commands,
		/* Forged Authentication-Results fields are always taken out. */
		.header = true,
		.body = dkim || arc || body,
		.rejected_rcpt = conf->tracker.enabled || mta_rcpt || (conf->rates.kinds >> MXW__LIMITED_FAILED_RCPTS & 1) ||
				 conf->outbound.enabled,
		.edits_headers = true,
		.replies_connect = mxw_policy_has_stage(conf->policy, MXW_STAGE_CONNECT),
		.replies_helo = mxw_policy_has_stage(conf->policy, MXW_STAGE_HELO),
		.quarantines = mxw__policy_may_hold(conf->policy),
		.changes_sender = mxw__bounce_changes_sender(conf),
		.changes_rcpts = mxw__bounce_changes_rcpts(conf),
	};
}

static void snapshot_free(struct mxw__snapshot *snap)
{
	mxw__dkim_lib_free(snap->dkim_lib);
	mxw__directories_free(snap->directories);
	mxw_resolver_unref(snap->resolver);
	mxw_conf_unref(snap->conf);
	free(snap);
}

void mxw__snapshot_unref(struct mxw__snapshot *snapshot)
{
	if (snapshot && atomic_fetch_sub(&snapshot->refs, 1) == 1)
		snapshot_free(snapshot);
}

static mxw_status_t snapshot_new(mxw_engine_t *engine, mxw_conf_t *conf, const struct mxw__snapshot *old,
				 struct mxw__snapshot **ret_snapshot, struct mxw_error *err)
{
	struct mxw__snapshot *snap = calloc(1, sizeof *snap);
	mxw_status_t status;

	if (!snap)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	atomic_init(&snap->refs, 1);
	snap->conf = mxw_conf_ref(conf);
	if (old && mxw__same_resolver(old->conf, conf)) {
		snap->resolver = mxw_resolver_ref(old->resolver);
		status = MXW_OK;
	} else {
		status = make_resolver(engine, conf, &snap->resolver, err);
	}
	struct mxw__directories_env env = {
		.clock = &engine->clock,
		.notice = directory_notice,
		.notice_ctx = engine,
		.state_dir = engine->state_dir,
		.is_read_only = engine->state_is_read_only,
		.cache = mxw__rcpt_keeper_cache(engine->keeper),
	};
	if (status == MXW_OK)
		status = mxw__directories_new(conf, &env, &snap->directories, err);
	if (status == MXW_OK) {
		struct mxw__dkim_options options = {(unsigned)conf->limits.signatures,
						    (unsigned)conf->auth.dkim_min_key_bits,
						    conf->auth.dkim_ignore_testing, &engine->clock};
		status = mxw__dkim_lib_new(&options, &snap->dkim_lib, err);
	}
	if (status != MXW_OK) {
		snapshot_free(snap);
		return status;
	}
	plan(snap);
	compute_needs(snap);
	*ret_snapshot = snap;
	return MXW_OK;
}

/* Members that a caller built against an older header does not have are NULL to us. */
#define HAS(options, member) \
	((options)->size >= offsetof(struct mxw_engine_options, member) + sizeof((options)->member))

static mxw_status_t copy_options(mxw_engine_t *engine, const struct mxw_engine_options *options)
{
	engine->clock = *mxw_clock_system();
	if (!options)
		return MXW_OK;
	if (options->clock)
		engine->clock = *options->clock;
	if (options->resolver)
		engine->given_resolver = mxw_resolver_ref(options->resolver);
	engine->log = options->log;
	engine->log_ctx = options->log_ctx;
	engine->id_seed = options->session_seed;
	atomic_init(&engine->id_next, options->session_seed);
	if (HAS(options, state_dir) && options->state_dir && options->state_dir[0]) {
		engine->state_dir = strdup(options->state_dir);
		if (!engine->state_dir)
			return MXW_ERR_NOMEM;
	}
	engine->state_is_read_only = HAS(options, state_is_read_only) && options->state_is_read_only;
	return MXW_OK;
}

static mxw_status_t make_keeper(mxw_engine_t *engine, const mxw_conf_t *conf, struct mxw_error *err)
{
	struct mxw__rcpt_keeper_env env = {
		.state_dir = engine->state_dir,
		.is_read_only = engine->state_is_read_only,
		.clock = &engine->clock,
		.notice = directory_notice,
		.notice_ctx = engine,
		.max_entries = (size_t)conf->recipient_cache.entries,
		.save_interval_ms = conf->recipient_cache.save_interval_ms,
	};
	mxw_status_t status = mxw__rcpt_keeper_new(&env, &engine->keeper);

	if (status != MXW_OK)
		mxw__fail(err, status, "no memory for recipient-cache entries %llu",
			  (unsigned long long)conf->recipient_cache.entries);
	return status;
}

static mxw_status_t make_dmarc_store(mxw_engine_t *engine, const struct mxw__dmarc_conf *conf, struct mxw_error *err)
{
	struct mxw__dmarc_store_env env = {
		.state_dir = engine->state_dir,
		.is_read_only = engine->state_is_read_only,
		.clock = &engine->clock,
		.notice = dmarc_notice,
		.notice_ctx = engine,
		.keep_ms = conf->keep_evaluations_ms,
		.max_evaluations = conf->max_evaluations,
	};
	mxw_status_t status = mxw__dmarc_store_new(&env, &engine->dmarc_store);

	return status == MXW_OK ? status : mxw__fail(err, status, "out of memory");
}

mxw_status_t mxw_engine_new(mxw_conf_t *conf, const struct mxw_engine_options *options, mxw_engine_t **ret_engine,
			    struct mxw_error *err)
{
	mxw_engine_t *engine = calloc(1, sizeof *engine);

	if (!engine)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	if (pthread_mutex_init(&engine->mutex, NULL) != 0) {
		free(engine);
		return mxw__fail(err, MXW_ERR_SYSTEM, "no mutex to be had");
	}
	pthread_mutex_init(&engine->warnings.mutex, NULL);
	mxw__hashkey_random(&engine->id_key);
	mxw__org_domain_load();
	mxw_status_t status = copy_options(engine, options);
	if (status != MXW_OK)
		mxw__fail(err, status, "out of memory");
	engine->jobs = mxw__jobs_new(UINT_MAX); /* concealed.c has its own bound, which a reload may change */
	if (status == MXW_OK && !engine->jobs)
		status = mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	if (status == MXW_OK)
		status = mxw__parts_make(engine, conf, err);
	if (status == MXW_OK)
		status = make_keeper(engine, conf, err);
	if (status == MXW_OK)
		status = make_dmarc_store(engine, &conf->dmarc, err);
	if (status == MXW_OK)
		status = snapshot_new(engine, conf, NULL, &engine->current, err);
	if (status == MXW_OK)
		status = mxw__prober_new(engine);
	atomic_init(&engine->next_report_ms, mxw__now_ms(&engine->clock) + REPORT_INTERVAL_MS);
	if (status != MXW_OK) {
		mxw_engine_free(engine);
		return status;
	}
	mxw__prober_start(engine);
	*ret_engine = engine;
	return MXW_OK;
}

struct mxw__snapshot *mxw__engine_snapshot(mxw_engine_t *engine)
{
	pthread_mutex_lock(&engine->mutex);
	struct mxw__snapshot *snap = engine->current;
	atomic_fetch_add(&snap->refs, 1);
	pthread_mutex_unlock(&engine->mutex);
	return snap;
}

mxw_status_t mxw_engine_reload(mxw_engine_t *engine, mxw_conf_t *conf, struct mxw_error *err)
{
	struct mxw__snapshot *fresh, *old = mxw__engine_snapshot(engine);
	mxw_status_t status = snapshot_new(engine, conf, old, &fresh, err);

	mxw__snapshot_unref(old);
	if (status != MXW_OK)
		return status;
	if (mxw__rcpt_keeper_configure(engine->keeper, (size_t)conf->recipient_cache.entries,
				       conf->recipient_cache.save_interval_ms) != MXW_OK)
		mxw__engine_log(engine, MXW_LEVEL_WARNING,
				"event=directory text=\"recipient cache: no memory for its new size\"");
	mxw__parts_configure(engine, conf);
	mxw__dmarc_store_configure(engine->dmarc_store, conf->dmarc.keep_evaluations_ms, conf->dmarc.max_evaluations);
	pthread_mutex_lock(&engine->mutex);
	old = engine->current;
	engine->current = fresh;
	pthread_mutex_unlock(&engine->mutex);
	mxw__report_resolver(engine, old->resolver);
	mxw__snapshot_unref(old);
	mxw__prober_start(engine);
	return MXW_OK;
}

mxw_conf_t *mxw_engine_conf(mxw_engine_t *engine)
{
	struct mxw__snapshot *snap = mxw__engine_snapshot(engine);
	mxw_conf_t *conf = mxw_conf_ref(snap->conf);

	mxw__snapshot_unref(snap);
	return conf;
}

/* Something of it may still be used, and stays; what it knows is to be saved all the same. */
static void abandon(mxw_engine_t *engine)
{
	mxw__store_flush(engine->store, LAST_FLUSH_MS);
	mxw__dmarc_store_flush(engine->dmarc_store, LAST_FLUSH_MS);
	mxw__share_flush(engine->share, LAST_FLUSH_MS);
}

void mxw_engine_free(mxw_engine_t *engine)
{
	if (!engine)
		return;
	if (atomic_load(&engine->is_left)) {
		abandon(engine);
		return;
	}
	mxw__prober_free(engine);
	if (engine->current)
		mxw__report_resolver(engine, engine->current->resolver);
	mxw__snapshot_unref(engine->current);
	mxw__rcpt_keeper_free(engine->keeper);
	mxw__dmarc_store_free(engine->dmarc_store);
	mxw_resolver_unref(engine->given_resolver);
	mxw__parts_free(engine);
	mxw__jobs_unref(engine->jobs);
	pthread_mutex_destroy(&engine->warnings.mutex);
	pthread_mutex_destroy(&engine->mutex);
	free(engine->state_dir);
	free(engine);
}

/*
 * Ten characters of base 32: a counter behind a keyed hash, so that a client can neither guess the id of
 * somebody else's session nor count our traffic.
 */
void mxw__engine_next_id(mxw_engine_t *engine, char *ret_id)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t n = atomic_fetch_add(&engine->id_next, 1);
	uint64_t v = engine->id_seed ? n : mxw__hash(&engine->id_key, &n, sizeof n);

	for (int i = 9; i >= 0; i--) {
		ret_id[i] = digits[v & 31];
		v >>= 5;
	}
	ret_id[10] = '\0';
}
