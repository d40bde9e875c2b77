/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track.h: what the tracker keeps of a session, and what its files have of one another.
 *
 *    track.c           the part: what is made, and when what is called
 *    track_accounts.c  on whose accounts something goes, and credit for recipients that were accepted
 *    track_events.c    what the facts of a step say of the client's behaviour
 *    track_guesses.c   recipients that do not exist
 *    track_facts.c     what is known of those who are here
 *
 * Accounts. What a stranger does is put on its address, its network, the widest network and its HELO name; what a message earns, in
 * the end also on the sender's domain, if SPF passes for it: nobody may ruin another's. Who has authenticated has one account, the
 * user's; inside hosts and relays have none. What comes through a relay goes on the accounts of whom the relay has it from, at the
 * end of the message, when that is known.
 *
 * Credit. A recipient that was accepted takes points away at once, since an honest server with an old list may bring all of it in
 * one transaction. But only for good if the message then comes to an accepted end, and once in a window for each different
 * mailbox: who guesses and never delivers, or knows one address and repeats it, gains nothing.
 *
 * Who may call: session only.
 */
#ifndef MXW_SRC_SESSION_TRACK_H
#define MXW_SRC_SESSION_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include <mxward/session.h>

#include "src/track/event.h"
#include "src/track/harvest.h"
#include "src/track/key.h"

struct mxw__wants;

enum {
	MXW__TRACK_KEYS = 4,
	MXW__CREDITS_MAX = 4096, /* recipients of one message that may earn credit */
	MXW__RELAYED_MAX = 32    /* unknown recipients of one message that are kept until its origin is known */
};

struct mxw__track_keys {
	size_t n;
	struct mxw__key keys[MXW__TRACK_KEYS];
};

/* An event and what it has earned. */
struct mxw__tally {
	double times, points;
};

/* A recipient that was accepted; a bit for each account on which it counts. */
struct mxw__credit {
	uint64_t rcpt;
	unsigned accounts;
};

struct mxw__relayed {
	mxw__event_t event;
	char *rcpt; /* malloc'ed */
};

struct mxw__session_track {
	struct mxw__tally since_line[MXW__EVENT_COUNT];  /* the last one in the log */
	struct mxw__tally of_message[MXW__EVENT_COUNT];  /* for the sender's domain */
	bool is_refused;                                 /* at connect or HELO: it had no choice but to go */
	double aborts_withheld[MXW__TRACK_KEYS];         /* points of each account for messages given up that were too few to count in full */
	bool has_trap;                                   /* among the recipients of this message */
	/* Credit of this message: on which accounts, and how much of it each has got. */
	struct mxw__track_keys credited;
	double given[MXW__TRACK_KEYS], counted[MXW__TRACK_KEYS];
	struct mxw__credit *credits;                     /* malloc'ed */
	size_t ncredits, max_credits;
	struct mxw__relayed *relayed;                    /* malloc'ed */
	size_t nrelayed;
};

/* ---- track_accounts.c ---- */

/* Its behaviour counts: a stranger's. */
bool mxw__track_is_tracked(const mxw_session_t *s);
/* Mail from somebody else, which a relay of ours hands on: it is not yet known, or known by now, who that is. */
bool mxw__track_is_relayed(const mxw_session_t *s);
/* Those of whoever does what is done now; none if nobody's behaviour counts. */
void mxw__track_accounts(const mxw_session_t *s, struct mxw__track_keys *ret_accounts);
/* The same of whoever has sent the message, at its end. */
void mxw__track_sender_accounts(const mxw_session_t *s, struct mxw__track_keys *ret_accounts);
/* The sender's domain, if SPF passes for it; kind NONE if not, and with domains not kept. */
struct mxw__key mxw__track_domain(const mxw_session_t *s);
/* Kind NONE if accounts of that kind are not kept. */
struct mxw__key mxw__track_key(const mxw_session_t *s, struct mxw__key key);
/* The network of an address, the widest that is kept. */
struct mxw__key mxw__track_widest(const mxw_session_t *s, const struct mxw_ip *ip);
/* This thing, a hash of mxw__seen_hash(), was not there on that account in the last harvest-window. */
bool mxw__track_is_first(mxw_session_t *s, const struct mxw__key *key, uint64_t thing);

/* A hash of the recipient's mailbox. */
uint64_t mxw__track_mailbox(const mxw_session_t *s);
void mxw__track_credit(mxw_session_t *s);
/* The message was accepted, or not: credit stays, or is taken back. */
void mxw__track_settle_credit(mxw_session_t *s, bool is_accepted);
/* Forgets what was of the message. */
void mxw__track_end_message(mxw_session_t *s);

/* ---- track_events.c ---- */

void mxw__track_feed(mxw_session_t *s, mxw_stage_t stage);
void mxw__track_decided(mxw_session_t *s, mxw_stage_t stage, const struct mxw_verdict *verdict);
void mxw__track_message(mxw_session_t *s, const struct mxw_verdict *verdict);
void mxw__track_aborted(mxw_session_t *s);
void mxw__track_close(mxw_session_t *s);

/* ---- track_guesses.c ---- */

/* A client tried a recipient that does not exist, or may not; true if it did not try this one before. */
bool mxw__track_guess_of(mxw_session_t *s, const struct mxw_ip *client, const char *rcpt);
/* Does what it tries say anything of a harvest that is spread out? */
bool mxw__track_is_of_spread(mxw_session_t *s, const struct mxw_ip *client);
/* What this host has counted and what all have, whichever is more; of the site what this one has. */
void mxw__track_guesses(mxw_engine_t *engine, const struct mxw_ip *client, uint64_t window_ms, struct mxw__harvest_counts *ret_counts);
/* An address or network has guessed nothing, here and on every host that shares. False: nor had it here. */
bool mxw__track_forgive_guesses(mxw_engine_t *engine, const struct mxw__key *key);
/* What other hosts know of the guesses of a stranger; for part.h. */
void mxw__track_wants(mxw_session_t *s, mxw_stage_t stage, struct mxw__wants *wants);

/* ---- track_facts.c ---- */

void mxw__track_state(mxw_session_t *s, mxw_stage_t stage);
/* A rule on the current recipient hangs on the score of the sender's domain, and SPF, which says whether it has one here, has not run. */
bool mxw__track_wants_domain(mxw_session_t *s);
void mxw__track_state_trap(mxw_session_t *s);
/* Good is known of its network: this much. */
bool mxw__track_has_history(const mxw_session_t *s, const struct mxw_ip *client);
#define MXW__TRACK_GOOD_ENOUGH 2.0

#endif
