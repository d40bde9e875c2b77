/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "src/policy/facts.h"

#define SESSION MXW_SCOPE_SESSION
#define MESSAGE MXW_SCOPE_MESSAGE
#define RCPT    MXW_SCOPE_RCPT

#define SPF_WORDS "none neutral pass fail softfail temperror permerror"

/* The one list of facts. mxward.conf(5) describes the same, and a test compares them. */
const struct mxw_fact_info mxw__fact_table[MXW__FACT_COUNT] = {
	[MXW__FACT_CLIENT_ADDRESS] = {"client.address", MXW_FACT_ADDRESS, MXW_STAGE_CONNECT, SESSION, false, NULL,
		"address of the SMTP client; absent for local submission"},
	[MXW__FACT_CLIENT_NAME] = {"client.name", MXW_FACT_TEXT, MXW_STAGE_CONNECT, SESSION, false, NULL,
		"the client's name as the MTA verified it; absent if it has none"},
	[MXW__FACT_CLIENT_CLASS] = {"client.class", MXW_FACT_WORD, MXW_STAGE_CONNECT, SESSION, false,
		"outside internal relay local",
		"where the client stands: networks internal, networks relays, local submission, or outside"},
	[MXW__FACT_CLIENT_SCORE] = {"client.score", MXW_FACT_NUMBER, MXW_STAGE_CONNECT, SESSION, false, NULL,
		"points for abusive behaviour, decaying; see the tracker section"},
	[MXW__FACT_CLIENT_UNKNOWN_RCPTS] = {"client.unknown-rcpts", MXW_FACT_NUMBER, MXW_STAGE_CONNECT, SESSION, false, NULL,
		"different recipients that do not exist, as tried by this client in the last harvest-window"},
	[MXW__FACT_CLIENT_NETWORK_UNKNOWN_RCPTS] = {"client.network.unknown-rcpts", MXW_FACT_NUMBER, MXW_STAGE_CONNECT,
		SESSION, false, NULL, "the same for the client's network: an IPv4 /24 or IPv6 /48"},
	[MXW__FACT_SITE_UNKNOWN_RCPTS] = {"site.unknown-rcpts", MXW_FACT_NUMBER, MXW_STAGE_CONNECT, SESSION, false, NULL,
		"the same for all clients together"},
	[MXW__FACT_LISTENER] = {"listener", MXW_FACT_TEXT, MXW_STAGE_CONNECT, SESSION, false, NULL,
		"name of the listener section that matches the port or daemon name; absent if none does"},
	[MXW__FACT_HELO] = {"helo", MXW_FACT_TEXT, MXW_STAGE_HELO, SESSION, false, NULL,
		"argument of HELO or EHLO as the client sent it"},
	[MXW__FACT_HELO_SYNTAX] = {"helo.syntax", MXW_FACT_WORD, MXW_STAGE_HELO, SESSION, false,
		"domain single-label literal bare-address invalid", "what the HELO argument is"},
	[MXW__FACT_HELO_FORGED] = {"helo.forged", MXW_FACT_YESNO, MXW_STAGE_HELO, SESSION, false, NULL,
		"an outside client claims one of our names, domains or addresses"},
	[MXW__FACT_SPF_HELO] = {"spf.helo", MXW_FACT_WORD, MXW_STAGE_HELO, SESSION, false, SPF_WORDS,
		"SPF result for the HELO identity"},
	[MXW__FACT_SESSION_UNKNOWN_COMMANDS] = {"session.unknown-commands", MXW_FACT_NUMBER, MXW_STAGE_CONNECT, SESSION,
		false, NULL, "unknown commands in this session so far"},
	[MXW__FACT_SESSION_ABORTS] = {"session.aborts", MXW_FACT_NUMBER, MXW_STAGE_CONNECT, SESSION, false, NULL,
		"messages begun and given up in this session so far"},
	[MXW__FACT_SESSION_MESSAGES] = {"session.messages", MXW_FACT_NUMBER, MXW_STAGE_CONNECT, SESSION, false, NULL,
		"messages begun in this session, the current one included"},
	[MXW__FACT_AUTH] = {"auth", MXW_FACT_YESNO, MXW_STAGE_MAIL, MESSAGE, false, NULL,
		"the client has authenticated"},
	[MXW__FACT_AUTH_USER] = {"auth.user", MXW_FACT_TEXT, MXW_STAGE_MAIL, MESSAGE, false, NULL,
		"the authenticated user; absent without authentication"},
	[MXW__FACT_TLS] = {"tls", MXW_FACT_YESNO, MXW_STAGE_MAIL, MESSAGE, false, NULL,
		"the session is encrypted"},
	[MXW__FACT_SENDER] = {"sender", MXW_FACT_TEXT, MXW_STAGE_MAIL, MESSAGE, false, NULL,
		"envelope sender without brackets, its domain in A-labels; empty for the null sender"},
	[MXW__FACT_SENDER_DOMAIN] = {"sender.domain", MXW_FACT_TEXT, MXW_STAGE_MAIL, MESSAGE, false, NULL,
		"domain of the envelope sender, lower case, in A-labels; absent for the null sender"},
	[MXW__FACT_SENDER_SYNTAX] = {"sender.syntax", MXW_FACT_WORD, MXW_STAGE_MAIL, MESSAGE, false,
		"mailbox null bare invalid", "what the envelope sender is; bare is a local part without domain"},
	[MXW__FACT_SENDER_OURS] = {"sender.ours", MXW_FACT_YESNO, MXW_STAGE_MAIL, MESSAGE, false, NULL,
		"the sender's domain belongs to a domain section here"},
	[MXW__FACT_SPF] = {"spf", MXW_FACT_WORD, MXW_STAGE_MAIL, MESSAGE, false, SPF_WORDS,
		"SPF result for the envelope sender, or for the HELO name if the sender is null"},
	[MXW__FACT_RCPT] = {"rcpt", MXW_FACT_WORD, MXW_STAGE_RCPT, RCPT, false,
		"found unknown unverifiable unavailable misconfigured foreign invalid",
		"what the directories say of this recipient; unverifiable: they take every address; foreign: not in a "
		"domain of ours"},
	[MXW__FACT_RCPT_ADDRESS] = {"rcpt.address", MXW_FACT_TEXT, MXW_STAGE_RCPT, RCPT, false, NULL,
		"the recipient without brackets, its domain in A-labels, its local part in quotes only where it needs "
		"them"},
	[MXW__FACT_RCPT_DOMAIN] = {"rcpt.domain", MXW_FACT_TEXT, MXW_STAGE_RCPT, RCPT, false, NULL,
		"the recipient's domain, lower case, in A-labels"},
	[MXW__FACT_RCPT_OURS] = {"rcpt.ours", MXW_FACT_YESNO, MXW_STAGE_RCPT, RCPT, false, NULL,
		"the recipient's domain belongs to a domain section here"},
	[MXW__FACT_RCPT_SOURCE] = {"rcpt.source", MXW_FACT_TEXT, MXW_STAGE_RCPT, RCPT, false, NULL,
		"the directory that decided; postmaster if none was asked"},
	[MXW__FACT_RCPT_ORIGIN] = {"rcpt.origin", MXW_FACT_WORD, MXW_STAGE_RCPT, RCPT, false, "live cache stale copy",
		"where the answer comes from: the directory itself, what it said before, or its offline copy; stale and copy "
		"only while it can't answer"},
	[MXW__FACT_RCPT_COPY] = {"rcpt.copy", MXW_FACT_WORD, MXW_STAGE_RCPT, RCPT, false, "known absent old",
		"what the offline copy says while the directory can't answer; old: too old or too doubtful to say that an "
		"address is absent"},
	[MXW__FACT_RCPT_CLASS] = {"rcpt.class", MXW_FACT_TEXT, MXW_STAGE_RCPT, RCPT, false, NULL,
		"the class that the directory gives this recipient; absent if it gives none"},
	[MXW__FACT_RCPT_DISABLED] = {"rcpt.disabled", MXW_FACT_YESNO, MXW_STAGE_RCPT, RCPT, false, NULL,
		"the directory has the recipient, as an account that is switched off"},
	[MXW__FACT_RCPT_INTERNAL_ONLY] = {"rcpt.internal-only", MXW_FACT_YESNO, MXW_STAGE_RCPT, RCPT, false, NULL,
		"the directory says that this recipient takes no mail from outside"},
	[MXW__FACT_RCPT_ON_FAILURE] = {"rcpt.on-failure", MXW_FACT_WORD, MXW_STAGE_RCPT, RCPT, false, "defer accept",
		"what the recipient's domain section says for the case that no directory can answer"},
	[MXW__FACT_RCPT_MTA] = {"rcpt.mta", MXW_FACT_WORD, MXW_STAGE_RCPT, RCPT, false, "accepted rejected",
		"what the MTA itself decided about this recipient before it asked"},
	[MXW__FACT_RCPT_COUNT] = {"rcpt.count", MXW_FACT_NUMBER, MXW_STAGE_RCPT, MESSAGE, false, NULL,
		"recipients of this message so far, refused ones included"},
	[MXW__FACT_HEADER_SIZE] = {"header.size", MXW_FACT_NUMBER, MXW_STAGE_EOM, MESSAGE, false, NULL,
		"bytes of all header fields"},
	[MXW__FACT_HEADER_OVERFLOW] = {"header.overflow", MXW_FACT_YESNO, MXW_STAGE_EOM, MESSAGE, false, NULL,
		"the header is larger than limits header-bytes and was not examined"},
	[MXW__FACT_AUTHRES_FORGED] = {"authres.forged", MXW_FACT_NUMBER, MXW_STAGE_EOM, MESSAGE, false, NULL,
		"Authentication-Results fields that came in with our authserv-id and are removed"},
	[MXW__FACT_DKIM] = {"dkim", MXW_FACT_WORD, MXW_STAGE_EOM, MESSAGE, false,
		"none pass fail policy neutral temperror permerror",
		"DKIM result: pass if one signature passes, else the one worth most"},
	[MXW__FACT_DKIM_DOMAIN] = {"dkim.domain", MXW_FACT_TEXT, MXW_STAGE_EOM, MESSAGE, true, NULL,
		"signing domain (d=) of each signature that passes"},
	[MXW__FACT_DKIM_SIGNATURES] = {"dkim.signatures", MXW_FACT_NUMBER, MXW_STAGE_EOM, MESSAGE, false, NULL,
		"DKIM signatures in the message"},
	[MXW__FACT_MESSAGE_SIZE] = {"message.size", MXW_FACT_NUMBER, MXW_STAGE_EOM, MESSAGE, false, NULL,
		"bytes of header and body as far as they were seen"},
};

bool mxw__fact_tells_existence(mxw_fact_id_t id)
{
	switch (id) {
	case MXW__FACT_RCPT:
	case MXW__FACT_RCPT_SOURCE:
	case MXW__FACT_RCPT_ORIGIN:
	case MXW__FACT_RCPT_COPY:
	case MXW__FACT_RCPT_CLASS:
	case MXW__FACT_RCPT_DISABLED:
	case MXW__FACT_RCPT_INTERNAL_ONLY:
		return true;
	default:
		return false;
	}
}
