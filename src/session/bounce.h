/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.h: bounces are taken to addresses only that our own mail was sent with: senders of outgoing mail get a tag (prvs.h), and what
 * comes for a tagged address is looked up and delivered without it.
 *
 * Who may call: session only.
 * Threads: counts lock for themselves, the rest belongs to the session.
 */
#ifndef MXW_SRC_SESSION_BOUNCE_H
#define MXW_SRC_SESSION_BOUNCE_H

#include "src/mail/prvs.h"
#include "src/session/engine.h"

/* What a bounce's recipient has to show; the words of the fact bounce.tag. */
typedef enum mxw__bounce_tag {
	MXW__BOUNCE_VALID,
	MXW__BOUNCE_EXPIRED,
	MXW__BOUNCE_FORGED,
	MXW__BOUNCE_MISSING,
	MXW__BOUNCE_EXEMPT,
	MXW__BOUNCE_TAGGED,    /* none of them: a message of ours that went out */
	MXW__BOUNCE_COUNT
} mxw__bounce_tag_t;
const char *mxw__bounce_tag_word(mxw__bounce_tag_t tag);
/* A bounce to it would have to be refused. */
bool mxw__bounce_is_unproven(mxw__bounce_tag_t tag);

/* A recipient that was accepted, of a domain of the section: with a tag, or of a message without a sender, or both. */
struct mxw__bounce_rcpt {
	struct mxw__bounce_rcpt *next;
	const char *path;      /* as the client wrote it, without brackets; NULL: there was no tag */
	const char *address;   /* without the tag */
	const char *params;    /* "NOTIFY=... ORCPT=...", as the client wrote them */
	const char *domain;
	bool is_bounce;
	mxw__bounce_tag_t tag;
};

/* The recipient of this step has been read: takes the tag away, if there is one. `params` are borrowed until the step ends; may be NULL. */
void mxw__bounce_read_rcpt(mxw_session_t *s, const char *const *params);
/* How many changes of the envelope there are at most, and these changes. */
size_t mxw__bounce_nedits(const mxw_session_t *s);
/* False without memory. */
bool mxw__bounce_edit(mxw_session_t *s, struct mxw_edit *edits, size_t *n);
/* Does the section ask for changes of senders, and of recipients? */
bool mxw__bounce_changes_sender(const struct mxw_conf *conf);
bool mxw__bounce_changes_rcpts(const struct mxw_conf *conf);

/* ---- dsn.c ---- */

/*
 * NOTIFY and ORCPT among the parameters of a recipient (RFC 3461 section 4), in the arena, for the one that comes into its place; others
 * are the MTA's business. `params` may be NULL. "": there are none; NULL without memory.
 */
const char *mxw__dsn_params(mxw__arena_t *arena, const char *const *params);

/* ---- bounce_count.c: what was seen, for each domain ---- */

struct mxw__bounce_counts;
struct mxw__bounce_counts *mxw__bounce_counts_new(const struct mxw_clock *clock);
void mxw__bounce_counts_free(struct mxw__bounce_counts *counts);
void mxw__bounce_count(struct mxw__bounce_counts *counts, const char *domain, mxw__bounce_tag_t tag);
/* Writes a line for each domain once an hour, or `now`, and begins anew. */
void mxw__bounce_report(mxw_engine_t *engine, bool now);

#endif
