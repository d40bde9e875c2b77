/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts.h: names for the rows of the fact table, so that checks state facts without looking up names.
 *
 * The rows themselves, with type, stage and meaning, are in fact_table.c, in the same order; a test compares both.
 *
 * Who may call: check, session, policy.
 */
#ifndef MXW_SRC_POLICY_FACTS_H
#define MXW_SRC_POLICY_FACTS_H

#include <mxward/fact.h>

enum mxw__fact {
	MXW__FACT_CLIENT_ADDRESS,
	MXW__FACT_CLIENT_NAME,
	MXW__FACT_CLIENT_CLASS,
	MXW__FACT_CLIENT_SCORE,
	MXW__FACT_CLIENT_UNKNOWN_RCPTS,
	MXW__FACT_CLIENT_NETWORK_UNKNOWN_RCPTS,
	MXW__FACT_SITE_UNKNOWN_RCPTS,
	MXW__FACT_LISTENER,
	MXW__FACT_HELO,
	MXW__FACT_HELO_SYNTAX,
	MXW__FACT_HELO_FORGED,
	MXW__FACT_SPF_HELO,
	MXW__FACT_SESSION_UNKNOWN_COMMANDS,
	MXW__FACT_SESSION_ABORTS,
	MXW__FACT_SESSION_MESSAGES,
	MXW__FACT_AUTH,
	MXW__FACT_AUTH_USER,
	MXW__FACT_TLS,
	MXW__FACT_SENDER,
	MXW__FACT_SENDER_DOMAIN,
	MXW__FACT_SENDER_SYNTAX,
	MXW__FACT_SENDER_OURS,
	MXW__FACT_SPF,
	MXW__FACT_RCPT,
	MXW__FACT_RCPT_ADDRESS,
	MXW__FACT_RCPT_DOMAIN,
	MXW__FACT_RCPT_OURS,
	MXW__FACT_RCPT_SOURCE,
	MXW__FACT_RCPT_ORIGIN,
	MXW__FACT_RCPT_COPY,
	MXW__FACT_RCPT_CLASS,
	MXW__FACT_RCPT_DISABLED,
	MXW__FACT_RCPT_INTERNAL_ONLY,
	MXW__FACT_RCPT_ON_FAILURE,
	MXW__FACT_RCPT_MTA,
	MXW__FACT_RCPT_COUNT,
	MXW__FACT_HEADER_SIZE,
	MXW__FACT_HEADER_OVERFLOW,
	MXW__FACT_AUTHRES_FORGED,
	MXW__FACT_DKIM,
	MXW__FACT_DKIM_DOMAIN,
	MXW__FACT_DKIM_SIGNATURES,
	MXW__FACT_MESSAGE_SIZE,
	MXW__FACT_COUNT
};

extern const struct mxw_fact_info mxw__fact_table[MXW__FACT_COUNT];

/* Does it depend on whether the recipient exists? Those that the check "directory" states: a test compares both. */
bool mxw__fact_tells_existence(mxw_fact_id_t id);

/* Forgets what was stated of one fact. */
void mxw__facts_forget(mxw_facts_t *facts, mxw_fact_id_t id);

#endif
