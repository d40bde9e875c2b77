/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Has the header declare the larger frames, which libmilter of 8.14 and later knows how to negotiate. */
#define _FFR_MDS_NEGOTIATE 1
#include <libmilter/mfapi.h>

#include "milter/changes.h"
#include "milter/conn.h"
#include "milter/glue.h"
#include "milter/negotiate.h"
#include "milter/reply.h"

/* The smallest frame of the protocol; a body comes in chunks of this size. */
#define FRAME_MIN 65535
#define FRAME_MAX (1024 * 1024 * 16)

/* libmilter hands no argument to its callbacks. */
static struct mwd_glue *the_glue;

/* ---- the frame of every callback ---- */

struct step {
	struct mwd_call call;
	SMFICTX *ctx;
	struct mwd_conn *conn;
	mxw_session_t *session; /* NULL: answer with step_refuse() */
	unsigned long no_reply; /* SMFIP_NR_* of this step */
};

/* False: the process ends, nothing may be touched; the answer is SMFIS_TEMPFAIL. */
static bool step_begin(struct step *step, SMFICTX *ctx, unsigned long no_reply)
{
	if (!mwd_gate_enter(&the_glue->gate, &step->call))
		return false;
	mwd_kick_working(&the_glue->kicker);
	step->ctx = ctx;
	step->no_reply = no_reply;
	step->conn = smfi_getpriv(ctx);
	if (!step->conn)
		step->conn = mwd_conn_unnegotiated(the_glue, ctx);
	step->session = step->conn ? step->conn->session : NULL;
	return true;
}

static sfsistat step_end(struct step *step, sfsistat status)
{
	if (step->conn && (step->conn->terms.steps & step->no_reply))
		status = SMFIS_NOREPLY;
	mwd_gate_leave(&the_glue->gate, &step->call);
	return status;
}

static sfsistat step_refuse(struct step *step)
{
	struct mxw_verdict verdict = {.action = MXW_ACTION_DEFER, .code = 451, .enhanced = "4.3.2"};

	snprintf(verdict.text, sizeof verdict.text, "The mail filter is short of resources, try again later");
	if (step->conn && step->conn->refusal == MWD_REFUSAL_FULL) {
		verdict.action = MXW_ACTION_DISCONNECT;
		verdict.code = 421;
		snprintf(verdict.text, sizeof verdict.text, "Too many sessions, try again later");
	}
	return step_end(step, mwd_reply_send(step->ctx, &verdict, false));
}

static sfsistat step_reply(struct step *step, const struct mxw_verdict *verdict, bool may_discard)
{
	return step_end(step, mwd_reply_send(step->ctx, verdict, may_discard));
}

/* The queue id comes at MAIL from sendmail, from Postfix with the second recipient or DATA. */
static void note_queue_id(struct step *step)
{
	const char *id;

	if (step->conn->has_queue_id)
		return;
	id = mwd_macro(step->ctx, "i");
	if (id)
		mxw_session_queue_id(step->session, id);
	step->conn->has_queue_id = id != NULL;
}

/* ---- callbacks ---- */

static void note_lacks(const struct mxw_needs *needs, const struct mwd_terms *terms)
{
	struct mxw_abilities abilities;

	mwd_terms_abilities(terms, &abilities);
	if (needs->edits_headers && !mwd_terms_allow_edits(terms))
		mwd_lack_note(&the_glue->lacks, the_glue->log, MWD_LACK_EDITS);
	if (needs->quarantines && !abilities.quarantines)
		mwd_lack_note(&the_glue->lacks, the_glue->log, MWD_LACK_QUARANTINE);
	if ((needs->changes_sender && !abilities.changes_sender) || (needs->changes_rcpts && !abilities.changes_rcpts))
		mwd_lack_note(&the_glue->lacks, the_glue->log, MWD_LACK_ENVELOPE);
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2, unsigned long f3,
			     unsigned long *pf0, unsigned long *pf1, unsigned long *pf2, unsigned long *pf3)
{
	struct step step;
	struct mxw_needs needs;
	struct mwd_terms offered = {f0, f1};

	if (!mwd_gate_enter(&the_glue->gate, &step.call))
		return SMFIS_REJECT;
	mwd_kick_working(&the_glue->kicker);
	struct mwd_conn *conn = smfi_getpriv(ctx);
	if (!conn)
		conn = mwd_conn_new(the_glue, ctx);
	if (!conn) {
		/* Without a connection there is no answer but to hang up: the MTA defers. */
		mwd_gate_leave(&the_glue->gate, &step.call);
		return SMFIS_REJECT;
	}
	mwd_conn_needs(conn, &needs);
	conn->terms = mwd_negotiate(&needs, &offered);
	/* libmilter takes the frame size from the latest negotiation, of any connection. */
	(void)smfi_setmaxdatasize(atomic_load(&the_glue->frame_bytes));
	if (conn->terms.actions & SMFIF_SETSYMLIST)
		mwd_macros_request(ctx);
	else
		mwd_lack_note(&the_glue->lacks, the_glue->log, MWD_LACK_SYMLIST);
	note_lacks(&needs, &conn->terms);
	if (conn->session)
		mwd_conn_remember(the_glue, conn, &needs);
	*pf0 = conn->terms.actions;
	*pf1 = conn->terms.steps;
	*pf2 = 0;
	*pf3 = 0;
	mwd_gate_leave(&the_glue->gate, &step.call);
	return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *hostname, struct sockaddr *sa)
{
	struct step step;
	struct mxw_connect_info info;
	struct mxw_verdict verdict = {0};

	if (!step_begin(&step, ctx, SMFIP_NR_CONN))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	mwd_macros_connect(ctx, hostname, sa, &the_glue->lacks, the_glue->log, &info);
	mxw_session_connect(step.session, &info, &verdict);
	return step_reply(&step, &verdict, false);
}

static sfsistat on_helo(SMFICTX *ctx, char *helo)
{
	struct step step;
	struct mxw_verdict verdict = {0};

	if (!step_begin(&step, ctx, SMFIP_NR_HELO))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	mxw_session_helo(step.session, helo ? helo : "", &verdict);
	return step_reply(&step, &verdict, false);
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
	struct step step;
	struct mxw_verdict verdict = {0};

	if (!step_begin(&step, ctx, SMFIP_NR_MAIL))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	struct mxw_mail_info info = {
		.sender = argv && argv[0] ? argv[0] : "",
		.params = argv && argv[0] ? (const char *const *)argv + 1 : NULL,
		.auth_user = mwd_macro(ctx, "{auth_authen}"),
		.tls_version = mwd_macro(ctx, "{tls_version}"),
		.queue_id = mwd_macro(ctx, "i"),
	};
	step.conn->has_queue_id = info.queue_id != NULL;
	mxw_session_mail(step.session, &info, &verdict);
	return step_reply(&step, &verdict, true);
}

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
	struct step step;
	struct mxw_verdict verdict = {0};

	if (!step_begin(&step, ctx, SMFIP_NR_RCPT))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	note_queue_id(&step);
	struct mxw_rcpt_info info = {
		.rcpt = argv && argv[0] ? argv[0] : "",
		.params = argv && argv[0] ? (const char *const *)argv + 1 : NULL,
	};

	mwd_macros_refused_rcpt(ctx, &the_glue->lacks, the_glue->log, &info);
	mxw_session_rcpt(step.session, &info, &verdict);
	if (info.is_refused_by_mta)
		return step_end(&step, SMFIS_CONTINUE);
	return step_reply(&step, &verdict, true);
}

static sfsistat on_data(SMFICTX *ctx)
{
	struct step step;
	struct mxw_verdict verdict = {0};

	if (!step_begin(&step, ctx, SMFIP_NR_DATA))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	note_queue_id(&step);
	mxw_session_data(step.session, &verdict);
	return step_reply(&step, &verdict, true);
}

static sfsistat on_unknown(SMFICTX *ctx, const char *line)
{
	struct step step;
	struct mxw_verdict verdict = {0};

	if (!step_begin(&step, ctx, SMFIP_NR_UNKN))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	mxw_session_unknown(step.session, line ? line : "", &verdict);
	return step_reply(&step, &verdict, false);
}

/* Without SMFIP_HDR_LEADSPC the MTA has taken one blank away; where there was none it can't be known. */
static void header_with_blank(mxw_session_t *session, const char *name, const char *value)
{
	size_t len = strlen(value);
	char *copy = malloc(len + 2);

	if (copy) {
		copy[0] = ' ';
		memcpy(copy + 1, value, len + 1);
	}
	mxw_session_header(session, name, copy ? copy : value);
	free(copy);
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	struct step step;

	if (!step_begin(&step, ctx, SMFIP_NR_HDR))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	if (step.conn->terms.steps & SMFIP_HDR_LEADSPC)
		mxw_session_header(step.session, name ? name : "", value ? value : "");
	else
		header_with_blank(step.session, name ? name : "", value ? value : "");
	return step_end(&step, SMFIS_CONTINUE);
}

static sfsistat on_eoh(SMFICTX *ctx)
{
	struct step step;

	if (!step_begin(&step, ctx, SMFIP_NR_EOH))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	note_queue_id(&step);
	mxw_session_end_of_headers(step.session);
	return step_end(&step, SMFIS_CONTINUE);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	struct step step;

	if (!step_begin(&step, ctx, SMFIP_NR_BODY))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	bool goes_on = mxw_session_body(step.session, data, len);
	/*
	 * Only after a full chunk, when more may come. If an MTA sends the last piece with the end of the
	 * message and this is not SMFIS_CONTINUE, libmilter leaves xxfi_eom out.
	 */
	bool may_skip = !goes_on && len >= FRAME_MIN && (step.conn->terms.steps & SMFIP_SKIP);
	return step_end(&step, may_skip ? SMFIS_SKIP : SMFIS_CONTINUE);
}

static sfsistat on_eom(SMFICTX *ctx)
{
	struct step step;
	struct mxw_verdict verdict = {0};
	const struct mxw_edit *edits = NULL;
	size_t nedits = 0;

	if (!step_begin(&step, ctx, 0))
		return SMFIS_TEMPFAIL;
	if (!step.session)
		return step_refuse(&step);
	note_queue_id(&step);
	if (!step.conn->has_queue_id)
		mwd_lack_note(&the_glue->lacks, the_glue->log, MWD_LACK_QUEUE_ID);
	mxw_session_eom(step.session, &verdict, &edits, &nedits);
	if (!mwd_changes_make(ctx, &step.conn->terms, &verdict, edits, nedits)) {
		mwd_logf(the_glue->log, MXW_LEVEL_WARNING,
			 "session=%s: the MTA did not take the changes to the message, which is deferred",
			 mxw_session_id(step.session));
		return step_end(&step, SMFIS_TEMPFAIL);
	}
	return step_reply(&step, &verdict, true);
}

static sfsistat on_abort(SMFICTX *ctx)
{
	struct mwd_call call;

	if (!mwd_gate_enter(&the_glue->gate, &call))
		return SMFIS_CONTINUE;
	struct mwd_conn *conn = smfi_getpriv(ctx);
	if (conn && conn->session)
		mxw_session_abort(conn->session);
	if (conn)
		conn->has_queue_id = false;
	mwd_gate_leave(&the_glue->gate, &call);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	struct mwd_call call;
	struct mwd_conn *conn = smfi_getpriv(ctx);

	if (!conn) {
		mwd_kick_served(&the_glue->kicker);
		return SMFIS_CONTINUE;
	}
	if (!mwd_gate_enter(&the_glue->gate, &call))
		return SMFIS_CONTINUE;
	(void)smfi_setpriv(ctx, NULL);
	mwd_gate_remove_conn(&the_glue->gate, &conn->link);
	mwd_conn_free(conn);
	mwd_gate_leave(&the_glue->gate, &call);
	return SMFIS_CONTINUE;
}

/* ---- the process's side ---- */

void mwd_glue_init(struct mwd_glue *glue, mwd_log_t *log)
{
	memset(glue, 0, sizeof *glue);
	glue->log = log;
	mwd_gate_init(&glue->gate);
	atomic_init(&glue->common_needs, ~0u);
}

void mwd_glue_fini(struct mwd_glue *glue)
{
	mwd_gate_fini(&glue->gate);
}

void mwd_glue_configure(struct mwd_glue *glue, const struct mxw_daemon_settings *settings)
{
	size_t frame = settings->header_frame_bytes;

	/* A field's name, a NUL each, and a little. */
	frame = frame < FRAME_MIN ? FRAME_MIN : frame > FRAME_MAX ? FRAME_MAX : frame + 1024;
	atomic_store(&glue->frame_bytes, frame);
	atomic_store(&glue->max_sessions, settings->max_sessions);
}

bool mwd_glue_register(struct mwd_glue *glue)
{
	struct smfiDesc desc = {
		.xxfi_version = SMFI_VERSION,
		/* What may be asked for; what is, each negotiation says. */
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST | SMFIF_QUARANTINE | SMFIF_CHGFROM |
			      SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_eoh,
		.xxfi_body = on_body,
		.xxfi_eom = on_eom,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_unknown = on_unknown,
		.xxfi_data = on_data,
		.xxfi_negotiate = on_negotiate,
	};
	char name[] = "mxward"; /* libmilter copies it */

	desc.xxfi_name = name;
	the_glue = glue;
	return smfi_register(desc) == MI_SUCCESS && smfi_setmaxdatasize(atomic_load(&glue->frame_bytes)) > 0;
}

void mwd_glue_end_all(struct mwd_glue *glue)
{
	struct mwd_link *link;

	while ((link = mwd_gate_take_conn(&glue->gate)) != NULL)
		mwd_conn_free((struct mwd_conn *)link);
}
