/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h: one SMTP session, from connect to close, and the engine that serves them all.
 *
 * The engine holds what outlives a session: the snapshot in force (configuration, policy, directories),
 * the resolver and the tracker. A session pins the snapshot that was in force when it began. At each step
 * the caller says what the client did and gets a verdict.
 *
 * Threads: an engine is shared. A session has one owner at a time and no memory of the thread
 *          it was called on: every call may come from another thread.
 * Memory:  everything a session keeps is bounded by the `limits` section of the configuration.
 * Errors:  a call that comes in no sensible order (MAIL before connect) is served as well as it can
 *          be: it never crashes and never refuses mail for that. A step function always fills in a verdict.
 * Deadlines: a step returns within the `timeouts` of the configuration.
 * Standards: RFC 5321, RFC 3463, RFC 5248, RFC 7372, RFC 8601.
 */
#ifndef MXWARD_SESSION_H
#define MXWARD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mxward/clock.h>
#include <mxward/conf.h>
#include <mxward/dns.h>
#include <mxward/fact.h>
#include <mxward/net.h>
#include <mxward/policy.h>
#include <mxward/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mxw_engine mxw_engine_t;
typedef struct mxw_session mxw_session_t;

/* ---- engine ---- */

typedef enum mxw_level { MXW_LEVEL_ERROR, MXW_LEVEL_WARNING, MXW_LEVEL_INFO, MXW_LEVEL_DEBUG } mxw_level_t;

/* What the engine is given from outside. Zero and NULL take the defaults. */
struct mxw_engine_options {
	size_t size;                      /* sizeof(struct mxw_engine_options) */
	const struct mxw_clock *clock;    /* default: the system's */
	mxw_resolver_t *resolver;         /* default: as the configuration says; the engine takes its own reference */
	/*
	 * A line for the log: a message or refused session (MXW_LEVEL_INFO), degraded service (warning),
	 * something that needs a person (error). `line` is printable ASCII, without a newline. Repeated
	 * warnings are rate-limited before they come here. Called from any thread; must not block for long.
	 */
	void (*log)(void *ctx, mxw_level_t level, const char *line);
	void *log_ctx;
	uint64_t session_seed;            /* other than 0: session ids count from here (tests) */
	/*
	 * The folder in which is kept what is to outlive the process: what is known of recipients, offline copies. It must exist and
	 * belong to this process alone. NULL or "": nothing is kept. Copied; a reload does not change it.
	 */
	const char *state_dir;
	bool state_is_read_only;          /* what is kept there is read, and nothing written: for a look beside a daemon */
};

/* Builds what the configuration describes. Errors: MXW_ERR_CONF, MXW_ERR_SYSTEM, MXW_ERR_NOMEM. */
mxw_status_t mxw_engine_new(mxw_conf_t *conf, const struct mxw_engine_options *options,
			    mxw_engine_t **ret_engine, struct mxw_error *err);
/*
 * Puts another configuration in force for sessions that begin from now on. On failure the old one stays.
 * The tracker's memory is kept, and what is known of recipients; the resolver is made anew only if its section
 * changed.
 */
mxw_status_t mxw_engine_reload(mxw_engine_t *engine, mxw_conf_t *conf, struct mxw_error *err);
/*
 * From now on no reply is delayed by a tarpit, and those that are come at once: for an end that is not to wait for them. Replies that
 * conceal whether a recipient exists keep their time.
 */
void mxw_engine_hurry(mxw_engine_t *engine);
/*
 * A client was turned away before it got a session. It may go to a backup MX now, and must not be blamed there for not having been
 * here.
 */
void mxw_engine_turned_away(mxw_engine_t *engine);
/* The configuration in force; the caller gets a reference of its own. */
mxw_conf_t *mxw_engine_conf(mxw_engine_t *engine);
/* Ends it. Every session must have been freed. NULL is allowed. */
void mxw_engine_free(mxw_engine_t *engine);

/* ---- verdicts ---- */

#define MXW_REPLY_MAX 512
#define MXW_SESSION_ID_MAX 16

/* The answer to one step. */
struct mxw_verdict {
	/*
	 * What to tell the client. In observe mode always MXW_ACTION_CONTINUE; `decided` says what it would have been. Never
	 * MXW_ACTION_CONCEAL: a concealed recipient is deferred, or accepted (continue) and the message rejected at its end; nor
	 * MXW_ACTION_GREYLIST, which is a deferral. MXW_ACTION_HOLD is for the end of a message: `text` says why.
	 */
	mxw_action_t action;
	mxw_action_t decided;
	int code;                      /* 0 for continue and accept, else 421, 450..., 550... */
	char enhanced[12];             /* "5.1.1" or "" */
	char text[MXW_REPLY_MAX];      /* printable ASCII, no CR or LF; '%' stands for itself */
	char session[MXW_SESSION_ID_MAX];
	const char *rule;              /* borrowed from the session's snapshot; NULL if no rule decided */
	const char *file;
	unsigned line;
	char facts[512];               /* "spf=fail dkim=none", escaped as in the log */
	unsigned delay_ms;             /* for so long the step was held before it returned, because a rule said so */
};

/* ---- what the MTA's side must deliver ---- */

/* What the snapshot pinned by a session needs to see; anything else may be left out of the protocol. */
struct mxw_needs {
	bool helo, mail, rcpt, data, unknown, header, body;
	bool rejected_rcpt;     /* recipients that the MTA itself refused */
	bool edits_headers;     /* may add and delete header fields */
	bool replies_connect, replies_helo, replies_header; /* a verdict may come from these steps */
	bool quarantines;       /* a message may have to be held */
	bool changes_sender;    /* the envelope sender may have to be changed */
	bool changes_rcpts;     /* envelope recipients may have to be added and deleted */
};

/* What the MTA's side can do; what it can't is not asked of it. */
struct mxw_abilities {
	bool quarantines, changes_sender, changes_rcpts;
};

/* ---- session ---- */

/* Begins a session: pins the snapshot, gives it an id. */
mxw_status_t mxw_session_new(mxw_engine_t *engine, mxw_session_t **ret_session);
/* Ends it; writes the log line of a refused session. NULL is allowed. */
void mxw_session_free(mxw_session_t *session);

void mxw_session_needs(const mxw_session_t *session, struct mxw_needs *ret_needs);
/* To be called before the first step. Without it everything is taken for possible. A message that can't be held is deferred. */
void mxw_session_abilities(mxw_session_t *session, const struct mxw_abilities *abilities);
/* The id that stands in replies and log lines. Borrowed. */
const char *mxw_session_id(const mxw_session_t *session);
/* The facts as they stand. Borrowed; for tests and explanation. */
const mxw_facts_t *mxw_session_facts(const mxw_session_t *session);

/* Strings may be NULL where the MTA said nothing; they are copied. */
struct mxw_connect_info {
	struct mxw_ip client;       /* family 0: local submission or a unix socket */
	const char *client_name;    /* the MTA's view of the reverse name; "[192.0.2.1]" or "unknown" if there is none */
	bool client_name_is_forged; /* the MTA found that forward and reverse DNS disagree */
	uint16_t client_port;
	const char *daemon_name;    /* {daemon_name}, "smtpd", "MTA-v4"... */
	uint16_t daemon_port;       /* 0: not told */
};
void mxw_session_connect(mxw_session_t *session, const struct mxw_connect_info *info,
			 struct mxw_verdict *ret_verdict);

void mxw_session_helo(mxw_session_t *session, const char *helo, struct mxw_verdict *ret_verdict);

struct mxw_mail_info {
	const char *sender;         /* with or without <>; "" or "<>" is the null sender */
	const char *const *params;  /* ESMTP parameters, NULL-terminated; may be NULL */
	const char *auth_user;      /* {auth_authen}; NULL or "": not authenticated */
	const char *tls_version;    /* {tls_version}; NULL or "": no TLS */
	const char *queue_id;       /* may come later, see mxw_session_queue_id() */
};
void mxw_session_mail(mxw_session_t *session, const struct mxw_mail_info *info, struct mxw_verdict *ret_verdict);

struct mxw_rcpt_info {
	const char *rcpt;           /* with or without <> */
	const char *const *params;
	bool is_refused_by_mta;     /* the MTA has refused it already; the verdict is of no effect */
	bool is_deferred_by_mta;    /* and only for now, with 4xx (greylisting, a full disk): that counts against nobody */
};
void mxw_session_rcpt(mxw_session_t *session, const struct mxw_rcpt_info *info, struct mxw_verdict *ret_verdict);

/* Tells the MTA's queue id as soon as it is known; only for the log and the journal. */
void mxw_session_queue_id(mxw_session_t *session, const char *queue_id);

void mxw_session_data(mxw_session_t *session, struct mxw_verdict *ret_verdict);
/* A command that the MTA does not know; `line` as the MTA gives it (Postfix: the verb only). */
void mxw_session_unknown(mxw_session_t *session, const char *line, struct mxw_verdict *ret_verdict);

/*
 * A header field. `value` is as in the message after the colon, leading blanks included, folded lines
 * separated by LF or CRLF. A message whose header fields exceed the limit is passed on; what was
 * established about it is then marked as unavailable.
 */
void mxw_session_header(mxw_session_t *session, const char *name, const char *value);
void mxw_session_end_of_headers(mxw_session_t *session);
/* Part of the body. Returns false when no further part is needed. */
bool mxw_session_body(mxw_session_t *session, const unsigned char *data, size_t len);

typedef enum mxw_edit_kind {
	/* `index` 0: at the top of the message, above the MTA's own; else in the place of that field, counted from 1 over all
	 * that the MTA gave, or, where the MTA can't be told such a place, at the top. */
	MXW_EDIT_INSERT_HEADER,
	MXW_EDIT_DELETE_HEADER, /* the `index`-th field of that name, counted from 1 as the MTA gave them */
	/* Of the envelope: `value` is the address, without brackets. */
	MXW_EDIT_CHANGE_SENDER,
	MXW_EDIT_ADD_RCPT,
	MXW_EDIT_DELETE_RCPT    /* as the client wrote it */
} mxw_edit_kind_t;

struct mxw_edit {
	mxw_edit_kind_t kind;
	const char *name;  /* of a header field, else NULL */
	const char *value; /* insert: starts with a blank, folded with "\n\t"; NULL for delete */
	unsigned index;
	const char *params; /* of a recipient that is added: "NOTIFY=NEVER ORCPT=rfc822;...", or ""; else NULL */
};

/*
 * The end of the message: final verdict, and, where the message goes on, the changes to be made to it in
 * the order given. Deletions of one name come with the highest index first. `ret_edits` is borrowed until
 * the next call on this session.
 */
void mxw_session_eom(mxw_session_t *session, struct mxw_verdict *ret_verdict,
		     const struct mxw_edit **ret_edits, size_t *ret_nedits);
/*
 * The message ended without its end being seen (RSET, a new HELO, QUIT, connection lost). The MTAs also say
 * so after a message that was delivered or refused: then it is no event.
 */
void mxw_session_abort(mxw_session_t *session);

#ifdef __cplusplus
}
#endif
#endif
