/* SPDX-License-Identifier: BSD-2-Clause */
/* arc.c: the sets of a chain, and what is signed in them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/arc.h"
#include "src/auth/arc_verify.h"
#include "src/auth/dkim_sig.h"
#include "src/mail/authres_read.h"

enum {
	SETS_MAX = 50,                    /* RFC 8617 section 5.1.1.1 */
	ARENA_BYTES = 8 * 1024 * 1024,    /* more than the tags of as many fields can take */
	KEY_NAME_MAX = 253
};

/* A seal, or the signature of the message, before and after its key is known. */
struct signature {
	const struct mxw__field *field;
	const char *algorithm, *b, *key_name;
	enum { PENDING, GOOD, NO_ANSWER } state;
};

struct set {
	const struct mxw__field *results, *message, *seal;
	struct signature signature; /* the seal's */
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
	struct set sets[SETS_MAX];  /* the first is instance 1 */
	struct signature message;   /* of the last set */
	bool is_header_relaxed;
	const char *h, *bh;
	bool has_body_hash;
	struct mxw__body_hash body;
};

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

/* ---- fields and tags ---- */

/* Blanks may stand before the colon (RFC 5322 section 4.5.8). */
static bool name_is(const char *name, const char *wanted, size_t wanted_len)
{
	size_t len = strlen(name);

	while (len && mxw__ascii_isspace(name[len - 1]))
		len--;
	return len == wanted_len && mxw__ascii_ncasecmp(name, wanted, len) == 0;
}

#define NAME_IS(field, literal) name_is((field)->name, literal, sizeof(literal) - 1)

/* The value of a tag without any blanks; NULL: there is none. */
static char *get_tag(mxw__arena_t *arena, const struct mxw__field *field, const char *tag)
{
	size_t len = strlen(field->value), n = 0;
	char *value = len <= MXW__DKIM_MAX_FIELD ? mxw__taglist_get(arena, field->value, len, tag) : NULL;

	for (const char *s = value; s && *s; s++)
		if (!mxw__ascii_isspace(*s))
			value[n++] = *s;
	if (value)
		value[n] = '\0';
	return value;
}

/* The same, and it is noticed if memory is what was missing. */
static char *tag_of(struct mxw__arc *arc, const struct mxw__field *field, const char *tag)
{
	char *value = get_tag(arc->arena, field, tag);
	void *probe = value ? NULL : malloc(strlen(field->value) + 1);

	arc->is_short |= !value && !probe;
	free(probe);
	return value;
}

/* i=, 1 to 50; 0: there is none. */
static unsigned read_instance(mxw__arena_t *scratch, const struct mxw__field *field)
{
	const char *i = get_tag(scratch, field, "i");
	uint64_t n;

	return i && i[0] != '0' && mxw__parse_u64(i, &n) && n <= SETS_MAX ? (unsigned)n : 0;
}

/* "i = 12;" at the beginning of an ARC-Authentication-Results field, the rest of which may be anything (section 4.1.1). */
static unsigned read_results_instance(const struct mxw__field *field)
{
	const char *s = field->value, *end = s + strlen(s);
	unsigned n = 0;

	s = mxw__cfws_skip(s, end);
	if (!s || *s != 'i' || !(s = mxw__cfws_skip(s + 1, end)) || *s != '=' || !(s = mxw__cfws_skip(s + 1, end)) || *s == '0')
		return 0;
	for (; mxw__ascii_isdigit(*s) && n <= SETS_MAX; s++)
		n = n * 10 + (unsigned)(*s - '0');
	s = mxw__cfws_skip(s, end);
	return s && *s == ';' && n <= SETS_MAX ? n : 0;
}

mxw_outcome_t mxw__arc_last_sealer(const struct mxw__field *fields, char ret_domain[MXW__DOMAIN_MAX + 1])
{
	mxw__arena_t *scratch = NULL;
	unsigned last = 0;

	for (const struct mxw__field *f = fields; f; f = f->next) {
		if (!NAME_IS(f, "ARC-Seal"))
			continue;
		if (!scratch && !(scratch = mxw__arena_new(4 * MXW__DKIM_MAX_FIELD)))
			return MXW_TEMPORARY;
		mxw__arena_reset(scratch);
		unsigned i = read_instance(scratch, f);
		const char *d = i > last ? get_tag(scratch, f, "d") : NULL;
		if (i <= last)
			continue;
		last = i;
		if (!d || mxw__domain_to_ascii(d, strlen(d), ret_domain) != MXW_OK)
			*ret_domain = '\0';
	}
	mxw__arena_free(scratch);
	return last && *ret_domain ? MXW_FOUND : MXW_NOT_FOUND;
}

/* ---- reading ---- */

/* Nothing more can change the result. */
static void decide(struct mxw__arc *arc, mxw__arc_result_t result)
{
	arc->is_decided = true;
	arc->result = result;
}

/* Puts a field of instance `i` in its place. False: there is one already, or it is out of range. */
static bool place(struct mxw__arc *arc, unsigned i, const struct mxw__field *field, size_t member)
{
	if (i == 0)
		return false;
	const struct mxw__field **slot = (const struct mxw__field **)((char *)&arc->sets[i - 1] + member);
	if (*slot)
		return false;
	*slot = field;
	if (i > arc->nsets)
		arc->nsets = i;
	return true;
}

/* False: a field is malformed, or one too many, or missing. */
static bool collect(struct mxw__arc *arc)
{
	for (const struct mxw__field *f = arc->fields; f; f = f->next) {
		bool is_placed = true;
		if (NAME_IS(f, "ARC-Seal"))
			is_placed = place(arc, read_instance(arc->arena, f), f, offsetof(struct set, seal));
		else if (NAME_IS(f, "ARC-Message-Signature"))
			is_placed = place(arc, read_instance(arc->arena, f), f, offsetof(struct set, message));
		else if (NAME_IS(f, "ARC-Authentication-Results"))
			is_placed = place(arc, read_results_instance(f), f,
					  offsetof(struct set, results));
		if (!is_placed)
			return false;
	}
	for (unsigned i = 0; i < arc->nsets; i++)
		if (!arc->sets[i].seal || !arc->sets[i].message || !arc->sets[i].results)
			return false;
	return true;
}

/* What seals and signatures have in common. False: it can't be good. */
static bool read_signature(struct mxw__arc *arc, const struct mxw__field *field, struct signature *sig)
{
	const char *d = tag_of(arc, field, "d"), *s = tag_of(arc, field, "s");

	sig->field = field;
	sig->algorithm = tag_of(arc, field, "a");
	sig->b = tag_of(arc, field, "b");
	if (!d || !s || !*d || !*s || !sig->b || !sig->algorithm)
		return false;
	if (strcmp(sig->algorithm, "rsa-sha256") != 0 && strcmp(sig->algorithm, "ed25519-sha256") != 0)
		return false;
	sig->key_name = mxw__arena_printf(arc->arena, "%s._domainkey.%s", s, d);
	if (!sig->key_name)
		arc->is_short = true;
	return sig->key_name && strlen(sig->key_name) <= KEY_NAME_MAX && mxw__domain_is_valid(sig->key_name);
}

static bool read_seal(struct mxw__arc *arc, unsigned i)
{
	const struct mxw__field *field = arc->sets[i].seal;
	const char *cv = tag_of(arc, field, "cv");

	/* RFC 8617 section 4.1.3: what is sealed is fixed, and h= has no place there. */
	if (!cv || strcmp(cv, i == 0 ? "none" : "pass") != 0 || tag_of(arc, field, "h"))
		return false;
	return read_signature(arc, field, &arc->sets[i].signature);
}

/* Simple where nothing is said (RFC 6376 section 3.5). */
static bool read_canon(struct mxw__arc *arc, const char *c, bool *ret_is_body_relaxed)
{
	size_t len = c ? strcspn(c, "/") : 0;
	const char *body = c && c[len] ? c + len + 1 : "simple";

	arc->is_header_relaxed = len == 7 && memcmp(c, "relaxed", len) == 0;
	*ret_is_body_relaxed = strcmp(body, "relaxed") == 0;
	return (!c || arc->is_header_relaxed || (len == 6 && memcmp(c, "simple", len) == 0)) &&
	       (*ret_is_body_relaxed || strcmp(body, "simple") == 0);
}

/* From must be signed, seals must not be. */
static bool names_are_valid(const char *h)
{
	unsigned n = 0;
	bool has_from = false;

	if (strlen(h) > MXW__DKIM_MAX_H)
		return false;
	for (;; h++) {
		size_t len = strcspn(h, ":");
		if (name_is("arc-seal", h, len) || ++n > MXW__DKIM_MAX_NAMES)
			return false;
		has_from |= name_is("from", h, len);
		h += len;
		if (!*h)
			return has_from;
	}
}

static bool is_expired(struct mxw__arc *arc, const struct mxw__field *field)
{
	const char *x = tag_of(arc, field, "x");
	uint64_t expires;

	return x && (!mxw__parse_u64(x, &expires) || expires <= (uint64_t)arc->options.now_s);
}

/* The signature of the last set. One with l= leaves a part of the body to anybody. */
static bool read_message(struct mxw__arc *arc)
{
	const struct mxw__field *field = arc->sets[arc->nsets - 1].message;
	bool is_body_relaxed;

	arc->h = tag_of(arc, field, "h");
	arc->bh = tag_of(arc, field, "bh");
	if (!arc->h || !arc->bh || !names_are_valid(arc->h) || !read_canon(arc, tag_of(arc, field, "c"), &is_body_relaxed))
		return false;
	if (tag_of(arc, field, "l") || is_expired(arc, field) || !read_signature(arc, field, &arc->message))
		return false;
	mxw__body_hash_init(&arc->body, is_body_relaxed);
	arc->has_body_hash = true;
	return true;
}

static bool read_sets(struct mxw__arc *arc)
{
	bool is_good = collect(arc);

	if (is_good && arc->nsets == 0) {
		decide(arc, MXW__ARC_NONE);
		return true;
	}
	for (unsigned i = 0; i < arc->nsets && is_good; i++)
		is_good = read_seal(arc, i);
	return is_good && read_message(arc);
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
	if (!read_sets(arc))
		decide(arc, MXW__ARC_FAIL);
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
		total += f != arc->message.field && name_is(f->name, name, len);
	for (const struct mxw__field *f = arc->fields; f && nth < total; f = f->next)
		if (f != arc->message.field && name_is(f->name, name, len) && at++ == total - nth - 1)
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
static mxw_outcome_t verify(const struct mxw__arc *arc, const struct signature *sig, unsigned i,
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
static bool try(struct mxw__arc *arc, struct signature *sig, unsigned i, mxw__arc_ask_fn ask, void *ctx)
{
	if (sig->state != PENDING || arc->is_decided)
		return true;
	mxw_dns_answer_t *answer = ask(ctx, sig->key_name);
	if (!answer)
		return false;
	mxw_outcome_t outcome = answer->outcome == MXW_FOUND ? verify(arc, sig, i, answer) : answer->outcome;
	mxw_dns_answer_unref(answer);
	sig->state = outcome == MXW_FOUND ? GOOD : NO_ANSWER;
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
	struct signature *seal = &arc->sets[last].signature;
	is_complete = try(arc, seal, last, ask, ctx);
	if (seal->state == GOOD) {
		is_complete &= try(arc, &arc->message, last, ask, ctx);
		for (unsigned i = last; i-- > 0;) {
			is_complete &= try(arc, &arc->sets[i].signature, i, ask, ctx);
			has_all &= arc->sets[i].signature.state == GOOD;
		}
	}
	arc->is_verified = has_all && seal->state == GOOD && arc->message.state == GOOD;
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
