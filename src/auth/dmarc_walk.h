/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc_walk.h: the tree walk: which DMARC records a domain and the domains above it have, and what follows from them.
 *
 * A walk has at most eight steps, the domain itself first. Steps are asked for when they are looked at, so that a walk costs no more than
 * the question needs; the resolver's cache is the cache.
 *
 * Who may call: auth (dmarc.c).
 * Threads: one owner.
 * Memory:  none but the struct.
 * Standards: RFC 9989 sections 4.10, 4.10.1, 4.10.2.
 */
#ifndef MXW_SRC_AUTH_DMARC_WALK_H
#define MXW_SRC_AUTH_DMARC_WALK_H

#include "src/auth/dmarc_record.h"

enum { MXW__DMARC_STEPS_MAX = 8 };

typedef enum mxw__dmarc_state {
	MXW__DMARC_STEP_NEW = 0,
	MXW__DMARC_STEP_NONE,    /* no record, or several */
	MXW__DMARC_STEP_RECORD,
	MXW__DMARC_STEP_UNKNOWN  /* no answer yet, or none to be had */
} mxw__dmarc_state_t;

struct mxw__dmarc_step {
	unsigned offset;         /* of the name in the walk's domain */
	unsigned nlabels;
	mxw__dmarc_state_t state;
	struct mxw__dmarc_record record;
};

struct mxw__dmarc_walk {
	char domain[MXW__DOMAIN_MAX + 1];
	unsigned nlabels;
	bool is_waiting;         /* for answers that were asked for by gathering */
	size_t nsteps;
	struct mxw__dmarc_step steps[MXW__DMARC_STEPS_MAX];
};

/* Prepares a walk from `domain`, which is brought into A-labels. False: it is no domain name. */
bool mxw__dmarc_walk_init(struct mxw__dmarc_walk *walk, const char *domain);

/* A step's name; its state, asked for if need be. */
const char *mxw__dmarc_step_name(const struct mxw__dmarc_walk *walk, size_t i);
mxw__dmarc_state_t mxw__dmarc_step_state(struct mxw__dmarc_walk *walk, size_t i, const struct mxw__dmarc_dns *dns);

/* The step whose record applies to an author of the walk's domain. YES: it is in `ret_step`; NO: there is none. */
mxw__dmarc_tri_t mxw__dmarc_walk_policy(struct mxw__dmarc_walk *walk, const struct mxw__dmarc_dns *dns, size_t *ret_step);

/* The organisational domain, part of the walk's domain; NULL if it is not known. */
const char *mxw__dmarc_walk_org(struct mxw__dmarc_walk *walk, const struct mxw__dmarc_dns *dns);

/* Have both the same organisational domain? No more is asked for than that needs. */
mxw__dmarc_tri_t mxw__dmarc_walks_agree(struct mxw__dmarc_walk *a, struct mxw__dmarc_walk *b, const struct mxw__dmarc_dns *dns);

/*
 * Asks for all steps of `b` that the above might look at, given what is known of `a` by now. Nothing, as long as
 * the steps of `a` leave it open and the domains seem to have nothing to do with each other.
 */
void mxw__dmarc_walks_gather(struct mxw__dmarc_walk *a, struct mxw__dmarc_walk *b, const struct mxw__dmarc_dns *dns);

/* Has one of the steps that were looked at so far a record, or no answer? */
bool mxw__dmarc_walk_has(const struct mxw__dmarc_walk *walk, mxw__dmarc_state_t state);

#endif
