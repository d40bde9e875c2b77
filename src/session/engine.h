/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h: what sessions share, and what one session is made of.
 *
 * One query walks like this: the caller's step (session.c) copies what the client said into the envelope,
 * stage.c starts look-ups, runs the checks whose facts the stage's rules name, feeds the tracker, states the client's score and
 * asks the policy; the decision becomes a verdict with its reply; report.c writes the line when a message or a refused
 * session is over. engine.c makes and swaps snapshots.
 *
 * Who may call: within src/session only; everybody else uses <mxward/session.h>.
 * Threads: a snapshot is immutable and counted; engine->mutex guards only the pointer to the one in force. A session
 *          has one owner at a time.
 * Memory:  a session has three arenas, one for its life, one for each message and one for each recipient, all bounded, so
 *          that what a client says at one step never takes the room of another. Where memory is short all the same, the
 *          step is deferred: half of what was said must not be taken for the whole.
 */
#ifndef MXW_SRC_SESSION_ENGINE_H
#define MXW_SRC_SESSION_ENGINE_H

#include <stdatomic.h>

#include <mxward/session.h>

#include "src/auth/dkim.h"
#include "src/base/base.h"
#include "src/check/check.h"
#include "src/conf/conf.h"
#include "src/directory/cache.h"
#include "src/directory/directory.h"
#include "src/journal/dmarc_store.h"
#include "src/mail/mail.h"
#include "src/mail/prvs.h"
#include "src/policy/policy.h"
#include "src/session/outbound.h"
#include "src/session/part.h"
#include "src/session/rates.h"
#include "src/session/track.h"
#include "src/track/distinct.h"
#include "src/track/greylist.h"
#include "src/track/guessed.h"
#include "src/track/harvest.h"
#include "src/track/leaps.h"
#include "src/track/nat.h"
#include "src/track/seen.h"
#include "src/track/spread.h"
#include "src/track/table.h"

/* Everything that follows from one configuration. */
struct mxw__snapshot {
	atomic_uint refs;
	mxw_conf_t *conf;
	mxw_resolver_t *resolver;
	mxw__directories_t *directories;
	mxw__dkim_lib_t *dkim_lib;
	struct mxw_needs needs;
	/* One bit per check of the list. */
	uint32_t enabled;
	uint32_t wanted[MXW_STAGE_COUNT]; /* lazy checks whose facts this stage's rules name */
};

/* Warnings that were given lately. Shared; bounded: of too many, one may be given again before the hour is over. */
struct mxw__warnings {
	pthread_mutex_t mutex;           /* guards the rest; a leaf */
	struct mxw__told {
		uint64_t key;
		int64_t at_ms;
		bool is_used;
	} told[64];
};

struct mxw_engine {
	struct mxw_clock clock;
	void (*log)(void *ctx, mxw_level_t level, const char *line);
	void *log_ctx;
	mxw_resolver_t *given_resolver;  /* NULL: each configuration says */
	/* Of the parts (part.h). */
	mxw__table_t *table;
	mxw__harvest_t *harvest;         /* guesses, as this host sees them */
	mxw__guessed_t *guessed;         /* as all do */
	mxw__spread_t *spread;
	mxw__seen_t *seen;               /* recipients of each account that have earned their credit, and the like */
	mxw__nat_t *nat;
	struct mxw__sightings *sightings; /* backup.c */
	mxw__rates_t *rates;
	mxw__opens_t *opens;             /* rates.c, as the next */
	mxw__distinct_t *different_rcpts;
	struct mxw__bounce_counts *bounces; /* bounce.c, as the next */
	mxw__leaps_t *leaps;
	mxw__accounts_t *accounts;       /* outbound.c, as the next */
	struct mxw__outbound *outbound;
	struct mxw__lists *lists;
	mxw__greylist_t *greylist;
	struct mxw__store *store;
	struct mxw__share *share;
	struct mxw__prober *prober;      /* of the lists in the DNS */
	struct mxw__warnings warnings;
	_Atomic int64_t next_report_ms;  /* of the resolver's counters */
	atomic_uint concealed_sessions;  /* that wait for the time of their reply */
	struct mxw__jobs *jobs;          /* concealed.c */
	atomic_uint concealed_lookups;   /* that go on */
	atomic_bool is_left;             /* a look-up that does not end may still use what the engine has */
	atomic_uint held_sessions;       /* the same of a tarpit's */
	atomic_bool is_hurried;          /* tarpits wait no more */
	char *state_dir;                 /* NULL: nothing is kept on disk */
	bool state_is_read_only;
	mxw__rcpt_keeper_t *keeper;      /* of what directories have said */
	mxw__dmarc_store_t *dmarc_store; /* of evaluations */
	struct mxw__hashkey id_key;
	uint64_t id_seed;
	_Atomic uint64_t id_next;
	pthread_mutex_t mutex;           /* guards `current`; a leaf */
	struct mxw__snapshot *current;
};

struct mxw__snapshot *mxw__engine_snapshot(mxw_engine_t *engine);
void mxw__snapshot_unref(struct mxw__snapshot *snapshot);
/* `ret_id` has room for MXW_SESSION_ID_MAX. */
void mxw__engine_next_id(mxw_engine_t *engine, char *ret_id);
void mxw__engine_log(mxw_engine_t *engine, mxw_level_t level, const char *line);
/* A warning that is given once an hour, by its key. `engine` is a mxw_engine_t *. */
void mxw__engine_warn(void *engine, const char *key, const char *line);
/* What those who keep and share what is remembered say of their health. `engine` is a mxw_engine_t *. */
void mxw__engine_notice_tracker(void *engine, bool is_error, const char *text);
/* What is due from time to time; called with each session that begins. */
void mxw__engine_tick(mxw_engine_t *engine);

#define MXW__REFUSED_SHOWN 4
#define MXW__WORD_MAX 1024 /* octets kept of one HELO argument, address or name */

/* What the log line of a message tells beside its facts. */
struct mxw__message_record {
	bool is_open;                    /* MAIL was seen, the line is still to be written */
	bool has_ended;                  /* end of message was seen */
	char queue_id[40];
	unsigned rcpts, rcpts_refused, rcpts_refused_by_mta;
	struct mxw_verdict refusal;      /* the last one that refused something, action CONTINUE if none */
	struct mxw_verdict verdict;      /* the final one */
	struct mxw_verdict late;         /* for the end of a message with concealed recipients; CONTINUE if there are none */
	char rcpt_domains[1024];         /* of recipients that were accepted, separated by blanks, each once */
	unsigned concealed, concealed_found; /* recipients; of these, those that were looked for and found in time */
	size_t nrefused_shown;
	struct {
		char rcpt[81];
		const char *rule;
	} refused[MXW__REFUSED_SHOWN];
	size_t nobserved;
	struct {
		const char *rule;
		mxw_action_t action;
	} observed[MXW_OBSERVED_MAX];
	int64_t spent_ms;
	const char *tarpit_rule;         /* the last one that delayed a reply */
	uint64_t tarpit_ms;              /* of all replies */
	/* For the section bounce-proof (bounce.h): */
	struct mxw__bounce_rcpt *bounce_rcpts;
	bool are_bounces_counted;
	bool has_foreign_rcpt;           /* one that was accepted is not ours */
	bool has_untagged_rcpt;          /* mail for one that was accepted must not have a tag */
	bool is_sender_tagged;
	bool has_lost_tag;               /* one that holds could not be kept */
	size_t ntags;
	struct {
		const char *field;       /* the policy's: which one it is */
		const char *name, *value;
	} tags[MXW_TAGS_MAX];
	unsigned tag_fields[MXW_TAGS_MAX]; /* that came with the message, for each name of the policy's tags */
};

enum { MXW__GREYLIST_IDENTITIES = 4 };

/* What greylist.c knows of the current recipient, or, at the end, of the message. */
struct mxw__greylisting {
	bool is_stated;
	size_t n;                        /* identities of the client, the best one first */
	struct mxw__greylist_attempt attempts[MXW__GREYLIST_IDENTITIES];
	const char *rcpt;                /* the first one that was accepted; NULL: none */
	struct mxw__greylist_attempt taken; /* what it was at RCPT */
	bool has_taken;
};

/* What greylist_client.c knows of the client's address. */
struct mxw__greylist_client {
	bool is_stated;                  /* for the current recipient: a rule hangs on it */
	mxw__greylist_answer_t answer;
	struct mxw__greylist_attempt attempt;
	bool has_taken;                  /* of the message's recipients one was accepted: the first one was this attempt */
	struct mxw__greylist_attempt taken;
};

enum { MXW__LISTED_MAX = 240 };

/* Which entries of our lists have the client, its HELO name, the sender: for the log. "" for none. */
struct mxw__listed {
	char client[MXW__LISTED_MAX], helo[MXW__LISTED_MAX], sender[MXW__LISTED_MAX];
};

struct mxw_session {
	mxw_engine_t *engine;
	struct mxw__snapshot *snapshot;
	char id[MXW_SESSION_ID_MAX];
	mxw__arena_t *session_arena, *message_arena, *rcpt_arena;
	bool is_short[MXW_SCOPE_RCPT + 1]; /* of memory: something of that scope could not be kept */
	char helo[MXW__WORD_MAX + 1];
	mxw_facts_t *facts;
	struct mxw__envelope env;
	struct mxw__auth_results results;
	struct mxw_dns_budget budget;
	struct mxw__rates_session rates;
	struct mxw__outbound_session outbound;
	struct mxw__check_ctx ctx;
	uint32_t done;                   /* checks that have run and whose scope lasts */
	bool is_connected;               /* the connect step was taken */
	bool session_accepted, message_accepted;
	bool is_refused_logged;
	unsigned unknown_commands, aborts, messages;
	bool has_authenticated;          /* in a message before: it lasts as long as the session */
	bool helo_forged_counted;
	struct mxw__session_track track;
	bool backup_first_counted;
	bool helo_noted;                 /* for the NAT that may be in front */
	struct mxw__listed listed;
	unsigned points_fed;             /* a bit for each sum of points that the tracker has been told of */
	struct mxw__message_record record;
	struct mxw__greylisting greylisting;
	struct mxw__greylist_client greylist_client;
	int64_t share_spent_us;          /* that it has waited for what other hosts know (share.h) */
	struct mxw__concealed *concealed; /* concealed.c: a look-up that goes on; NULL: none */
	int64_t step_began_ms;
	int64_t hold_until_ms;           /* the time of the step's reply; 0: it need not wait */
	atomic_uint *hold_count;         /* in which the wait is counted: engine->concealed_sessions or held_sessions */
	struct mxw_abilities abilities;
	mxw__prvs_state_t rcpt_prvs;     /* the tag that the current recipient came with */
	const char *const *rcpt_params;  /* its parameters, the caller's; NULL: none, or the step is over */
	struct mxw_edit *edits;          /* malloc'ed */
	mxw__arena_t *edits_arena;       /* NULL until there are any; the texts of fields that are inserted */
};

/* stage.c */
void mxw__stage_begin(mxw_session_t *s);
/* Asks for what will be wanted, as far as it is known by now; does not wait. */
void mxw__stage_gather(mxw_session_t *s, mxw_stage_t stage);
/* The message's line will show a rule that only observed, or did so because nothing is enforced. */
void mxw__note_observed(mxw_session_t *s, const char *rule, mxw_action_t action);
/* Runs the stage and fills in the verdict. */
void mxw__stage_decide(mxw_session_t *s, mxw_stage_t stage, struct mxw_verdict *ret_verdict);
/* A verdict to defer, of the engine's own; `rule` is static. */
void mxw__stage_defer(const mxw_session_t *s, int code, const char *enhanced, const char *text, const char *rule,
		      struct mxw_verdict *ret_verdict);
/* The same where memory or another resource of ours is short. */
void mxw__stage_defer_short(const mxw_session_t *s, struct mxw_verdict *ret_verdict);
/* Runs a check that a part has to know now, if it has not run yet; one without needs of its own. */
void mxw__stage_need_check(mxw_session_t *s, mxw_stage_t stage, const struct mxw__check *check);
/* Runs lazy checks of the list that have not run yet, whatever the rules name. */
void mxw__stage_finish_checks(mxw_session_t *s);
/* Forgets what belonged to the message or recipient. */
void mxw__stage_clear(mxw_session_t *s, mxw_fact_scope_t scope);

/* Outside, and not authenticated: also between messages, once it was. */
bool mxw__session_is_stranger(const mxw_session_t *s);
bool mxw__is_refusal(mxw_action_t action);

/* track_events.c; see track.h */
/* The client has done that: its weight goes on each of its accounts. Nothing is noted of those whose behaviour does not count. */
void mxw__track_event(mxw_session_t *s, mxw__event_t event);
/* A message was, which the session has counted already. */
void mxw__track_given_up(mxw_session_t *s);
/* The same `times` times, with `points` times the weight in all. */
void mxw__track_event_points(mxw_session_t *s, mxw__event_t event, double times, double points);
/* The client tried a recipient that does not exist, or may not; true if it did not try this one before. */
bool mxw__track_guess(mxw_session_t *s);
/* It tried one that is concealed. */
void mxw__track_concealed(mxw_session_t *s);
/*
 * An event from outside, of those that may be reported, for a key as key.h writes it; what is reported of an address goes on its networks, too.
 * MXW_ERR_INVALID if it is no key, none that is kept, no such event, or `times` is not 1 to 1000.
 */
mxw_status_t mxw__track_report(mxw_engine_t *engine, const char *key, mxw__event_t event, unsigned times, struct mxw_error *err);

/* greylist.c */
/* The greylist has something to say of this client at all. */
bool mxw__greylist_is_subject(const mxw_session_t *s);
/* SPF has passed, for a domain that knows the client. */
bool mxw__greylist_has_domain(const mxw_session_t *s);

/* backup.c */
/* The session is at a listener that is a backup. */
bool mxw__backup_is_here(const mxw_session_t *s);
/* The fact client.backup-first holds. */
bool mxw__backup_is_first(const mxw_session_t *s);

/* greylist_client.c */
/* The recipients that do not exist which it was told of count no more. False: it was told of none lately. */
bool mxw__greylist_forgive(mxw_engine_t *engine, const struct mxw__key *key);

/* share.c */
/* Has what other hosts know of these brought, and waits for it, so far as the session has not waited enough already (share.h). For what only
 * turns out to be wanted after the parts' `wants` were called. */
void mxw__session_want(mxw_session_t *s, const struct mxw__wants *wants);

/* nat.c: is the internal client more than one? Notes its name, and states the fact. */
void mxw__nat_watch(mxw_session_t *s, mxw_stage_t stage);

/* hold.c: replies that come later */
/* From here on the step's reply has the fixed time of a concealed one. False: it can't wait, and is to be given at once. */
bool mxw__hold_concealed(mxw_session_t *s);
/* The reply is to come after the delay that the policy decided, as far as that may be; says so in the verdict. */
void mxw__hold_delayed(mxw_session_t *s, mxw_stage_t stage, const struct mxw_decision *decision, struct mxw_verdict *verdict);
/* To be called last in a step: waits for the time of the reply, if it has one. */
void mxw__hold(mxw_session_t *s);
/* Gives the reply without waiting. */
void mxw__hold_drop(mxw_session_t *s);

/* concealed.c: concealed recipients are looked for beside the session */
/* Begins to look for the current recipient, by the context's deadline, unless one look-up of the session, or `limits concealed-sessions` of all, go on. */
void mxw__concealed_look_up(mxw_session_t *s);
/* Puts into the record which recipients of this message have been found by now. It does not wait: the time would tell. */
void mxw__concealed_count(mxw_session_t *s);
/* What is found from now on is of a message that was told. */
void mxw__concealed_end_message(mxw_session_t *s);
/* Waits for a look-up that still goes on, not for ever. False: it did not end, and uses the session's snapshot and the engine. */
bool mxw__concealed_end(mxw_session_t *s);

/* tags.c: header fields that rules add */
/* Keeps what the decision says, for the end of the message. */
void mxw__tags_note(mxw_session_t *s, const struct mxw_decision *decision, const struct mxw__reply_vars *vars);
/* A field of the message: is it one of ours? */
void mxw__tags_count(mxw_session_t *s, const char *name);
/* How many changes they make at most. */
size_t mxw__tags_nedits(const mxw_session_t *s);
/* Takes out those of the names of tags that a stranger's message brought, and adds ours. False: it can't go on like that. */
bool mxw__tags_edit(mxw_session_t *s, struct mxw_edit *edits, size_t *n);

/* edits.c */
/*
 * The changes to the header of a message that goes on, in the order in which they are to be made. False where that can't be
 * done: a message with a forged field must not go on with it. They last until the next call or mxw__edits_free().
 */
bool mxw__edits_make(mxw_session_t *s, const struct mxw_edit **ret_edits, size_t *ret_n);
void mxw__edits_free(mxw_session_t *s);

/* dnsbl_probe.c */
mxw_status_t mxw__prober_new(mxw_engine_t *engine);
/* There is a configuration: begins to look after its lists. After a reload, too. */
void mxw__prober_start(mxw_engine_t *engine);
void mxw__prober_tick(mxw_engine_t *engine);
mxw__dnsbl_health_t *mxw__prober_health(mxw_engine_t *engine);
/* To be called while there is a configuration: ends its thread. */
void mxw__prober_free(mxw_engine_t *engine);

/* report.c */
void mxw__report_message(mxw_session_t *s);
void mxw__report_refused_session(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict);
/* The resolver's counters, if it was asked anything. */
void mxw__report_resolver(mxw_engine_t *engine, mxw_resolver_t *resolver);
/* Those of sharing, if there is any. */
void mxw__report_share(mxw_engine_t *engine);

/* resolver_conf.c */
/*
 * What a configuration says of the resolver; clock and notices are the caller's. All is borrowed from `conf`, but for the list of
 * zones without limit, which is returned and to be freed; NULL without memory.
 */
const char **mxw__resolver_options_of(const struct mxw_conf *conf, struct mxw_resolver_options *ret_options);

/* A resolver made of one of them serves for the other, and keeps its cache. */
bool mxw__same_resolver(const struct mxw_conf *a, const struct mxw_conf *b);

/* dmarc_report.c */
/* The current recipient was accepted. */
void mxw__dmarc_note_rcpt(mxw_session_t *s);
/* To be called when the verdict on a message is final: keeps the evaluation, if there was one of a record. */
void mxw__dmarc_report(mxw_session_t *s, const struct mxw_verdict *verdict);

#endif
