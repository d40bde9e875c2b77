/* SPDX-License-Identifier: BSD-2-Clause */
/* arc.c: what is signed in a chain, and whether it is so. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/arc_sets.h"
#include "src/auth/arc_verify.h"
#include "src/mail/authres_read.h"

enum { ARENA_BYTES = 8 * 1024 * 1024 }; /* more than the tags of as many fields can take */

const char *mxw__arc_result_name(mxw__arc_result_t result)
{
	static const char *const names[] = {
		[MXW__ARC_NONE] = "none",
		[MXW__ARC_PASS] = "pass",
		[MXW__ARC_FAIL] = "fail",
		[MXW__ARC_TEMPERROR] = "temperror",
	};

	return (size_t)result < MXW_ARRAY_LEN(names) ? names[result] : "none";
}

/* Nothing more can change the result. */
static void decide(struct mxw__arc *arc, mxw__arc_result_t result)
{
	arc->is_decided = true;
	arc->result = result;
}

mxw_status_t mxw__arc_new(const struct mxw__field *fields, const struct mxw__arc_options *options, mxw__arc_t **ret_arc)
{
	struct mxw__arc *arc = mxw__calloc(1, sizeof(*arc));

	if (!arc || !(arc->arena = mxw__arena_new(ARENA_BYTES))) {
		free(arc);
		return MXW_ERR_NOMEM;
	}
	arc->fields = fields;
	arc->options = *options;
	if (!mxw__arc_read_sets(arc))
		decide(arc, MXW__ARC_FAIL);
	else if (arc->nsets == 0)
		decide(arc, MXW__ARC_NONE);
	if (arc->is_short) {
		mxw__arc_free(arc);
		return MXW_ERR_NOMEM;
	}
	*ret_arc = arc;
	return MXW_OK;
}

void mxw__arc_free(mxw__arc_t *arc)
{
	if (!arc)
		return;
	if (arc->has_body_hash)
		mxw__digest_fini(&arc->body.digest);
	mxw__arena_free(arc->arena);
	free(arc);
}

/* ---- what is signed ---- */

/* The sets up to this one, oldest first (RFC 8617 section 5.1.1). */
static void hash_sets(const struct mxw__arc *arc, unsigned last, struct mxw__digest *digest)
{
	for (unsigned i = 0; i <= last; i++) {
		mxw__canon_field(digest, arc->sets[i].results, true, false);
		mxw__canon_field(digest, arc->sets[i].message, true, false);
		mxw__canon_field(digest, arc->sets[i].seal, true, i == last);
	}
}

/* The field that an h= means by its `nth` mention of a name: they count from the bottom. NULL: so many there are not. */
static const struct mxw__field *find_field(const struct mxw__arc *arc, const char *name, size_t len, unsigned nth)
{
	unsigned total = 0, at = 0;

	for (const struct mxw__field *f = arc->fields; f; f = f->next)
		total += f != arc->message.field && mxw__arc_name_is(f->name, name, len);
	for (const struct mxw__field *f = arc->fields; f && nth < total; f = f->next)
		if (f != arc->message.field && mxw__arc_name_is(f->name, name, len) && at++ == total - nth - 1)
			return f;
	return NULL;
}

/* How often the name at `at` stands in the list before. */
static unsigned count_before(const char *list, const char *at, size_t len)
{
	unsigned n = 0;

	while (list < at) {
		size_t other = strcspn(list, ":");
		n += other == len && mxw__ascii_ncasecmp(list, at, len) == 0;
		list += other + 1;
	}
	return n;
}

static void hash_header(const struct mxw__arc *arc, struct mxw__digest *digest)
{
	for (const char *name = arc->h;; name++) {
		size_t len = strcspn(name, ":");
		const struct mxw__field *f = find_field(arc, name, len, count_before(arc->h, name, len));
		if (f)
			mxw__canon_field(digest, f, arc->is_header_relaxed, false);
		name += len;
		if (!*name)
			break;
	}
	mxw__canon_field(digest, arc->message.field, arc->is_header_relaxed, true);
}

/* ---- keys ---- */

/* `sig` is of set `i`: its seal, or the signature of the message. */
static mxw_outcome_t verify(const struct mxw__arc *arc, const struct mxw__arc_signature *sig, unsigned i,
			    const mxw_dns_answer_t *answer)
{
	unsigned char hash[MXW__SHA256_SIZE];
	struct mxw__digest digest;

	mxw__digest_init(&digest);
	if (sig == &arc->message)
		hash_header(arc, &digest);
	else
		hash_sets(arc, i, &digest);
	if (!mxw__digest_final(&digest, hash))
		return MXW_TEMPORARY;
	return mxw__arc_verify(answer, sig->algorithm, arc->options.min_key_bits, hash, sig->b);
}

/* False: the key is not known yet. */
static bool try(struct mxw__arc *arc, struct mxw__arc_signature *sig, unsigned i, mxw__arc_ask_fn ask, void *ctx)
{
	if (sig->state != MXW__ARC_PENDING || arc->is_decided)
		return true;
	mxw_dns_answer_t *answer = ask(ctx, sig->key_name);
	if (!answer)
		return false;
	mxw_outcome_t outcome = answer->outcome == MXW_FOUND ? verify(arc, sig, i, answer) : answer->outcome;
	mxw_dns_answer_unref(answer);
	sig->state = outcome == MXW_FOUND ? MXW__ARC_GOOD : MXW__ARC_NO_ANSWER;
	if (outcome == MXW_NOT_FOUND)
		decide(arc, MXW__ARC_FAIL);
	return true;
}

bool mxw__arc_walk(mxw__arc_t *arc, mxw__arc_ask_fn ask, void *ctx)
{
	bool is_complete, has_all = true;

	if (arc->is_decided)
		return true;
	unsigned last = arc->nsets - 1;
	struct mxw__arc_signature *seal = &arc->sets[last].signature;
	is_complete = try(arc, seal, last, ask, ctx);
	if (seal->state == MXW__ARC_GOOD) {
		is_complete &= try(arc, &arc->message, last, ask, ctx);
		for (unsigned i = last; i-- > 0;) {
			is_complete &= try(arc, &arc->sets[i].signature, i, ask, ctx);
			has_all &= arc->sets[i].signature.state == MXW__ARC_GOOD;
		}
	}
	arc->is_verified = has_all && seal->state == MXW__ARC_GOOD && arc->message.state == MXW__ARC_GOOD;
	if (is_complete && !arc->is_decided && !arc->is_verified)
		decide(arc, MXW__ARC_TEMPERROR);
	return is_complete || arc->is_decided;
}

/* ---- the body ---- */

bool mxw__arc_wants_body(const mxw__arc_t *arc)
{
	return !arc->is_decided && arc->has_body_hash;
}

bool mxw__arc_body(mxw__arc_t *arc, const unsigned char *data, size_t len)
{
	if (mxw__arc_wants_body(arc))
		mxw__body_hash_add(&arc->body, data, len);
	return mxw__arc_wants_body(arc);
}

static mxw__arc_result_t judge_body(struct mxw__arc *arc)
{
	unsigned char hash[MXW__SHA256_SIZE], wanted[MXW__SHA256_SIZE];
	size_t len;

	if (!mxw__body_hash_final(&arc->body, hash))
		return MXW__ARC_TEMPERROR;
	bool is_same = mxw__base64_decode(arc->bh, wanted, sizeof(wanted), &len) && len == sizeof(hash) &&
		       memcmp(hash, wanted, sizeof(hash)) == 0;
	return is_same ? MXW__ARC_PASS : MXW__ARC_FAIL;
}

mxw__arc_result_t mxw__arc_finish(mxw__arc_t *arc)
{
	if (!arc->is_decided && arc->is_verified)
		decide(arc, judge_body(arc));
	return arc->is_decided ? arc->result : MXW__ARC_TEMPERROR;
}

const char *mxw__arc_says(mxw__arc_t *arc, const char *method)
{
	const struct mxw__field *field = arc->nsets ? arc->sets[arc->nsets - 1].results : NULL;

	return field ? mxw__authres_result(arc->arena, field->value, strlen(field->value), MXW__AUTHRES_ARC, method) : NULL;
}
