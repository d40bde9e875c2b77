/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <ctype.h>
#include <libmilter/mfdef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/bench/conn.h"
#include "t/bench/macros.h"

/* What each step is on the wire, and the flags that leave it or its reply out. */
static const struct {
	char command;
	uint32_t unwanted;
	uint32_t unanswered;
	bool is_client_command; /* the SMTP client's own, so it may think before it */
} steps[MLOAD_END] = {
	[MLOAD_NEGOTIATE] = {SMFIC_OPTNEG, 0, 0, false},
	[MLOAD_CONNECT] = {SMFIC_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN, false},
	[MLOAD_HELO] = {SMFIC_HELO, SMFIP_NOHELO, SMFIP_NR_HELO, true},
	[MLOAD_UNKNOWN] = {SMFIC_UNKNOWN, SMFIP_NOUNKNOWN, SMFIP_NR_UNKN, true},
	[MLOAD_MAIL] = {SMFIC_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL, true},
	[MLOAD_RCPT] = {SMFIC_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT, true},
	[MLOAD_DATA] = {SMFIC_DATA, SMFIP_NODATA, SMFIP_NR_DATA, true},
	[MLOAD_HEADER] = {SMFIC_HEADER, SMFIP_NOHDRS, SMFIP_NR_HDR, false},
	[MLOAD_EOH] = {SMFIC_EOH, SMFIP_NOEOH, SMFIP_NR_EOH, false},
	[MLOAD_BODY] = {SMFIC_BODY, SMFIP_NOBODY, SMFIP_NR_BODY, false},
	[MLOAD_EOM] = {SMFIC_BODYEOB, 0, 0, true},
};

void mload_conn_start(struct mload_conn *conn, const struct mload_row *row, unsigned session, unsigned messages)
{
	mload_buf_clear(&conn->in);
	mload_buf_clear(&conn->out);
	mload_negotiated_fini(&conn->nego);
	conn->row = row;
	conn->session = session;
	conn->messages_left = messages;
	conn->message_number = session * messages;
	conn->step = MLOAD_NEGOTIATE;
	conn->index = 0;
	conn->is_open = conn->is_waiting = conn->has_queue_id = false;
	memset(conn->skips, 0, sizeof conn->skips);
	conn->result->sessions++;
}

void mload_conn_fini(struct mload_conn *conn)
{
	mload_buf_fini(&conn->in);
	mload_buf_fini(&conn->out);
	mload_negotiated_fini(&conn->nego);
}

void mload_conn_fail(struct mload_conn *conn, const char *what)
{
	struct mload_result *result = conn->result;

	if (result->errors++ == 0)
		snprintf(result->first_error, sizeof result->first_error, "%s (session %u, step %s)", what,
			 conn->session, conn->step < MLOAD_END ? mload_step_name(conn->step) : "end");
}

/* ---- moving on ---- */

/* How many items the step has: recipients, header fields, octets of the body. */
static size_t step_items(const struct mload_conn *conn)
{
	if (conn->skips[conn->step])
		return 0;
	switch (conn->step) {
	case MLOAD_UNKNOWN: return conn->row->unknowns;
	case MLOAD_RCPT: return conn->row->nrcpts;
	case MLOAD_HEADER: return conn->row->message->nheaders;
	case MLOAD_BODY: return conn->row->message->body_len;
	default: return 1;
	}
}

static bool is_rcpt_refused_by_mta(const struct mload_conn *conn)
{
	return conn->step == MLOAD_RCPT && conn->row->rcpts[conn->index][0] == '!';
}

static void record_outcome(struct mload_conn *conn, int outcome)
{
	int expect = conn->row->expect;
	bool is_other = expect != MLOAD_OUTCOME_NONE && expect != outcome;

	conn->result->outcomes[outcome]++;
	conn->result->unexpected += is_other;
	conn->result->row_outcomes[is_other][conn->row - conn->result->rows]++;
}

static void begin_transaction(struct mload_conn *conn)
{
	conn->is_open = true;
	conn->has_queue_id = false;
	conn->accepted_rcpts = 0;
	conn->outcome = MLOAD_OUTCOME_NONE;
	memset(conn->skips, 0, sizeof conn->skips);
	conn->result->messages++;
}

/* Both MTAs send an abort after every transaction, however it ended. */
static void end_transaction(struct mload_conn *conn)
{
	mload_packet_empty(&conn->out, SMFIC_ABORT);
	conn->result->packets++;
	record_outcome(conn, conn->outcome);
	conn->is_open = false;
	conn->messages_left--;
	conn->message_number++;
	conn->index = 0;
	conn->step = conn->messages_left > 0 ? MLOAD_MAIL : MLOAD_END;
}

/* Nothing of this session will be heard of any more; what was still to come has this outcome. */
static void end_session(struct mload_conn *conn, int outcome)
{
	if (conn->is_open) {
		conn->outcome = outcome;
		end_transaction(conn);
	}
	for (; conn->messages_left > 0; conn->messages_left--) {
		conn->result->messages++;
		record_outcome(conn, outcome);
	}
	conn->step = MLOAD_END;
}

static void next_step(struct mload_conn *conn)
{
	if (conn->step == MLOAD_RCPT) {
		if (conn->accepted_rcpts > 0)
			conn->outcome = MLOAD_OUTCOME_ACCEPT;
		if (conn->accepted_rcpts == 0 || !conn->row->message) {
			end_transaction(conn);
			return;
		}
	} else if (conn->step == MLOAD_EOM) {
		end_transaction(conn);
		return;
	}
	conn->step++;
	conn->index = 0;
}

static size_t body_part(const struct mload_conn *conn)
{
	size_t left = conn->row->message->body_len - conn->index;

	return left < MILTER_CHUNK_SIZE ? left : MILTER_CHUNK_SIZE;
}

static void settle_continue(struct mload_conn *conn)
{
	if (is_rcpt_refused_by_mta(conn)) {
		conn->outcome = 550;
	} else if (conn->step == MLOAD_RCPT) {
		conn->accepted_rcpts++;
		conn->has_queue_id = true;
	}
	conn->index += conn->step == MLOAD_BODY ? body_part(conn) : 1;
}

static void settle_refused(struct mload_conn *conn, int code)
{
	if (code == 421 || conn->step <= MLOAD_HELO) {
		end_session(conn, code);
	} else if (conn->step == MLOAD_UNKNOWN || conn->step == MLOAD_RCPT) {
		conn->outcome = code;
		conn->index++;
	} else {
		conn->outcome = code;
		end_transaction(conn);
	}
}

/* The milter's answer to the step, or the MTA's own where none is asked for. */
static void settle(struct mload_conn *conn, char reply, int code)
{
	switch (reply) {
	case SMFIR_SKIP:
		conn->skips[conn->step] = true;
		break;
	case SMFIR_ACCEPT:
	case SMFIR_DISCARD:
		code = reply == SMFIR_ACCEPT ? MLOAD_OUTCOME_ACCEPT : MLOAD_OUTCOME_DISCARD;
		if (conn->is_open) {
			conn->outcome = code;
			end_transaction(conn);
		} else {
			end_session(conn, code);
		}
		break;
	case SMFIR_REJECT: settle_refused(conn, 550); break;
	case SMFIR_TEMPFAIL: settle_refused(conn, 451); break;
	case SMFIR_REPLYCODE: settle_refused(conn, code); break;
	case SMFIR_SHUTDOWN:
	case SMFIR_CONN_FAIL: settle_refused(conn, 421); break;
	default: settle_continue(conn); break;
	}
}

/* ---- sending ---- */

static bool is_told(const struct mload_conn *conn)
{
	if (is_rcpt_refused_by_mta(conn) && !(conn->nego.steps & SMFIP_RCPT_REJ))
		return false;
	return !(conn->nego.steps & steps[conn->step].unwanted);
}

static void put_string(struct mload_conn *conn, const char *format)
{
	char text[1024];

	mload_packet_string(&conn->out,
			    mload_expand(format, conn->session, conn->message_number, text, sizeof text));
}

static void put_connect(struct mload_conn *conn)
{
	const char *client = conn->row->client;
	char family = strchr(client, ':') ? SMFIA_INET6 : strchr(client, '/') ? SMFIA_UNIX : SMFIA_INET;

	put_string(conn, conn->row->ptr);
	mload_buf_add(&conn->out, &family, 1);
	mload_packet_u16(&conn->out, family == SMFIA_UNIX ? 0 : 40000);
	put_string(conn, client);
}

static void put_mail(struct mload_conn *conn)
{
	char size[32];

	put_string(conn, conn->row->sender);
	if (!conn->row->message)
		return;
	snprintf(size, sizeof size, "SIZE=%zu", conn->row->message->body_len);
	mload_packet_string(&conn->out, size);
}

static void put_header(struct mload_conn *conn)
{
	const struct mload_header *header = &conn->row->message->headers[conn->index];
	bool keeps_blank = conn->nego.steps & SMFIP_HDR_LEADSPC;

	mload_packet_string(&conn->out, header->name);
	mload_packet_string(&conn->out, header->value + (!keeps_blank && header->value[0] == ' '));
}

static void put_step(struct mload_conn *conn)
{
	char command = steps[conn->step].command;

	if (conn->step == MLOAD_NEGOTIATE) {
		mload_packet_offer(&conn->out, MLOAD_VERSION, conn->offered_actions, conn->offered_steps);
		conn->result->packets++;
		return;
	}
	mload_macros_write(conn, command);
	size_t mark = mload_packet_begin(&conn->out, command);
	switch (conn->step) {
	case MLOAD_CONNECT: put_connect(conn); break;
	case MLOAD_HELO: put_string(conn, conn->row->helo); break;
	case MLOAD_UNKNOWN: mload_packet_string(&conn->out, "NOSUCH"); break;
	case MLOAD_MAIL: put_mail(conn); break;
	case MLOAD_RCPT: put_string(conn, conn->row->rcpts[conn->index] + is_rcpt_refused_by_mta(conn)); break;
	case MLOAD_HEADER: put_header(conn); break;
	case MLOAD_BODY:
		mload_buf_add(&conn->out, conn->row->message->body + conn->index, body_part(conn));
		break;
	default: break;
	}
	mload_packet_end(&conn->out, mark);
	conn->result->packets++;
}

mload_advance_t mload_conn_advance(struct mload_conn *conn, bool may_pause, uint64_t now_us)
{
	while (conn->step != MLOAD_END) {
		if (conn->index >= step_items(conn)) {
			next_step(conn);
			continue;
		}
		if (may_pause && steps[conn->step].is_client_command)
			return MLOAD_ADVANCE_PAUSE;
		may_pause = true;
		if (conn->step == MLOAD_MAIL)
			begin_transaction(conn);
		bool is_sent = is_told(conn);
		if (is_sent)
			put_step(conn);
		if (is_sent && !(conn->nego.steps & steps[conn->step].unanswered)) {
			conn->is_waiting = true;
			/* The negotiation is timed from the connect() on. */
			if (conn->step != MLOAD_NEGOTIATE)
				conn->sent_us = now_us;
			return MLOAD_ADVANCE_WAIT;
		}
		settle(conn, SMFIR_CONTINUE, 0);
	}
	mload_packet_empty(&conn->out, SMFIC_QUIT);
	conn->result->packets++;
	return MLOAD_ADVANCE_END;
}

/* ---- receiving ---- */

/* "550 5.1.1 text": the code, or 0 if an MTA could not use it. '%' must come doubled (both MTAs unescape it). */
static int reply_code(const struct mload_packet *packet)
{
	const unsigned char *p = packet->data;

	if (packet->len < 5 || p[packet->len - 1] != '\0' || memchr(p, '\0', packet->len - 1))
		return 0;
	if ((p[0] != '4' && p[0] != '5') || !isdigit(p[1]) || !isdigit(p[2]) || (p[3] != ' ' && p[3] != '-'))
		return 0;
	for (size_t i = 4; i + 1 < packet->len; i++) {
		if (p[i] == '%' && p[++i] != '%')
			return 0;
		if ((p[i] < ' ' && p[i] != '\r' && p[i] != '\n' && p[i] != '\t') || p[i] > '~')
			return 0;
	}
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

/* The action that allows a change to the message; 0 if the letter is none. */
static uint32_t needed_action(char reply)
{
	switch (reply) {
	case SMFIR_ADDHEADER:
	case SMFIR_INSHEADER: return 0x01;
	case SMFIR_REPLBODY: return 0x02;
	case SMFIR_ADDRCPT: return 0x04;
	case SMFIR_DELRCPT: return 0x08;
	case SMFIR_CHGHEADER: return 0x10;
	case SMFIR_QUARANTINE: return 0x20;
	case SMFIR_CHGFROM: return 0x40;
	case SMFIR_ADDRCPT_PAR: return 0x80;
	default: return 0;
	}
}

/* 1: the step is settled; 0: more will come; -1: broken. */
static int take_reply(struct mload_conn *conn, const struct mload_packet *packet)
{
	char reply = packet->command;
	uint32_t action = needed_action(reply);
	int code = reply == SMFIR_REPLYCODE ? reply_code(packet) : 0;

	if ((unsigned char)reply >= 128) {
		mload_conn_fail(conn, "unknown reply");
		return -1;
	}
	conn->result->replies[conn->step][(unsigned char)reply]++;
	if (reply == SMFIR_PROGRESS)
		return 0;
	if (action != 0) {
		if (conn->step == MLOAD_EOM && (conn->nego.actions & action))
			return 0;
		mload_conn_fail(conn, "a change that was not agreed on");
		return -1;
	}
	if (!strchr("acdrtysf4", reply) || (reply == SMFIR_REPLYCODE && code == 0)) {
		mload_conn_fail(conn, reply == SMFIR_REPLYCODE ? "malformed reply text" : "unknown reply");
		return -1;
	}
	if (reply == SMFIR_REJECT || reply == SMFIR_TEMPFAIL)
		conn->result->codes[reply == SMFIR_REJECT ? 550 : 451]++;
	else if (code > 0)
		conn->result->codes[code]++;
	settle(conn, reply, code);
	return 1;
}

static int take_negotiation(struct mload_conn *conn, const struct mload_packet *packet)
{
	const char *wrong =
		mload_negotiated_parse(packet, conn->offered_actions, conn->offered_steps, &conn->nego);

	if (wrong) {
		mload_conn_fail(conn, wrong);
		return -1;
	}
	conn->result->actions = conn->nego.actions;
	conn->result->steps = conn->nego.steps;
	settle(conn, SMFIR_CONTINUE, 0);
	return 1;
}

int mload_conn_receive(struct mload_conn *conn, uint64_t now_us)
{
	struct mload_packet packet;
	int got;

	while ((got = mload_packet_next(&conn->in, &packet)) > 0) {
		if (!conn->is_waiting) {
			mload_conn_fail(conn, "a reply that nobody awaits");
			return -1;
		}
		enum mload_step step = conn->step;
		int settled = step == MLOAD_NEGOTIATE ? take_negotiation(conn, &packet) : take_reply(conn, &packet);
		if (settled < 0)
			return -1;
		if (settled == 0)
			continue;
		conn->is_waiting = false;
		mload_histogram_add(&conn->result->latency[step], now_us - conn->sent_us);
		if (mload_buf_pending(&conn->in) == 0)
			return 1;
		mload_conn_fail(conn, "two replies to one step");
		return -1;
	}
	if (got < 0)
		mload_conn_fail(conn, "a packet of impossible length");
	return got;
}
