/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arc_sets.h: a chain under verification, as arc_sets.c reads it and arc.c verifies it.
 *
 * Who may call: these two.
 * Threads: a verifier has one owner at a time.
 */
#ifndef MXW_SRC_AUTH_ARC_SETS_H
#define MXW_SRC_AUTH_ARC_SETS_H

#include "src/auth/arc.h"
#include "src/auth/arc_canon.h"

enum { MXW__ARC_SETS_MAX = 50 }; /* RFC 8617 section 5.1.1.1 */

/* A seal, or the signature of the message, before and after its key is known. */
struct mxw__arc_signature {
	const struct mxw__field *field;
	const char *algorithm, *b, *key_name;
	enum { MXW__ARC_PENDING, MXW__ARC_GOOD, MXW__ARC_NO_ANSWER } state;
};

struct mxw__arc_set {
	const struct mxw__field *results, *message, *seal;
	struct mxw__arc_signature signature; /* the seal's */
};

struct mxw__arc {
	const struct mxw__field *fields;
	struct mxw__arc_options options;
	mxw__arena_t *arena;
	bool is_short;              /* of memory */
	bool is_decided;
	bool is_verified;           /* all that is signed, the body aside */
	mxw__arc_result_t result;
	unsigned nsets;
	struct mxw__arc_set sets[MXW__ARC_SETS_MAX];  /* the first is instance 1 */
	struct mxw__arc_signature message;   /* of the last set */
	bool is_header_relaxed;
	const char *h, *bh;
	bool has_body_hash;
	struct mxw__body_hash body;
};

/* Is it this name, written in another case or with blanks before the colon? */
bool mxw__arc_name_is(const char *name, const char *wanted, size_t wanted_len);

/* Reads all sets of `fields`. False: the chain can't be good. `is_short`: that is not known. */
bool mxw__arc_read_sets(struct mxw__arc *arc);

#endif
