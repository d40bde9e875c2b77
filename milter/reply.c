/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "milter/reply.h"

/* Both MTAs read "%%" as '%', and sendmail drops a text with a single one. */
static void double_percent(const char *text, size_t len, char *ret)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		/* libmilter refuses a text with CR or LF; the library promises printable ASCII, this makes sure. */
		*ret++ = c >= ' ' && c <= '~' ? c : '?';
		if (c == '%')
			*ret++ = '%';
	}
	*ret = '\0';
}

/* Splits at a blank where it can. */
static void split(const char *text, struct mwd_reply *reply)
{
	size_t len = strlen(text);
	size_t first = len;

	if (len > MWD_REPLY_LINE) {
		first = MWD_REPLY_LINE;
		while (first > MWD_REPLY_LINE / 2 && text[first] != ' ')
			first--;
		if (text[first] != ' ')
			first = MWD_REPLY_LINE;
	}
	double_percent(text, first, reply->line[0]);
	while (text[first] == ' ')
		first++;
	size_t rest = len > first ? len - first : 0;
	double_percent(text + first, rest > MWD_REPLY_LINE ? MWD_REPLY_LINE : rest, reply->line[1]);
}

static sfsistat status_of(const struct mxw_verdict *verdict, bool may_discard)
{
	switch (verdict->action) {
	case MXW_ACTION_REJECT:
		/* The code decides: libmilter takes a 5xx text with SMFIS_REJECT only. */
		return verdict->code >= 400 && verdict->code <= 499 ? SMFIS_TEMPFAIL : SMFIS_REJECT;
	case MXW_ACTION_DISCONNECT:
	case MXW_ACTION_DEFER:
		return verdict->code >= 500 && verdict->code <= 599 ? SMFIS_REJECT : SMFIS_TEMPFAIL;
	case MXW_ACTION_DISCARD:
		return may_discard ? SMFIS_DISCARD : SMFIS_CONTINUE;
	case MXW_ACTION_ACCEPT:
		/* The session goes on being told what happens, for its log line and the tracker. */
	case MXW_ACTION_CONTINUE:
	/* The message is accepted, and the MTA told to hold it. */
	case MXW_ACTION_HOLD:
	/* What is to be told of these comes as one of the others. */
	case MXW_ACTION_CONCEAL:
	case MXW_ACTION_GREYLIST:
	case MXW_ACTION_TARPIT:
	case MXW_ACTION_TAG:
		break;
	}
	return SMFIS_CONTINUE;
}

void mwd_reply_prepare(const struct mxw_verdict *verdict, bool may_discard, struct mwd_reply *ret_reply)
{
	struct mwd_reply *reply = ret_reply;

	memset(reply, 0, sizeof *reply);
	reply->status = status_of(verdict, may_discard);
	if (reply->status != SMFIS_REJECT && reply->status != SMFIS_TEMPFAIL)
		return;
	if (verdict->code < 400 || verdict->code > 599)
		return;
	snprintf(reply->code, sizeof reply->code, "%d", verdict->code);
	/* libmilter refuses a reply whose two codes are of different classes. */
	if (verdict->enhanced[0] == reply->code[0])
		snprintf(reply->enhanced, sizeof reply->enhanced, "%s", verdict->enhanced);
	split(verdict->text, reply);
}

sfsistat mwd_reply_send(SMFICTX *ctx, const struct mxw_verdict *verdict, bool may_discard)
{
	struct mwd_reply reply;

	mwd_reply_prepare(verdict, may_discard, &reply);
	if (reply.code[0] == '\0')
		return reply.status;
	char *enhanced = reply.enhanced[0] ? reply.enhanced : NULL;
	/* If libmilter does not like the text, the MTA's own reply of the same class goes out. */
	if (reply.line[1][0])
		(void)smfi_setmlreply(ctx, reply.code, enhanced, reply.line[0], reply.line[1], NULL);
	else
		(void)smfi_setreply(ctx, reply.code, enhanced, reply.line[0]);
	return reply.status;
}
