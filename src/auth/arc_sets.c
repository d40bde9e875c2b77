/* SPDX-License-Identifier: BSD-2-Clause */
/* arc_sets.c: the fields of a chain, read strictly. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/auth/arc_sets.h"
#include "src/auth/dkim_sig.h"
#include "src/mail/authres_read.h"

enum { KEY_NAME_MAX = 253 };

/* ---- fields and tags ---- */

/* Blanks may stand before the colon (RFC 5322 section 4.5.8). */
bool mxw__arc_name_is(const char *name, const char *wanted, size_t wanted_len)
{
	size_t len = strlen(name);

	while (len && mxw__ascii_isspace(name[len - 1]))
		len--;
	return len == wanted_len && mxw__ascii_ncasecmp(name, wanted, len) == 0;
}

#define NAME_IS(field, literal) mxw__arc_name_is((field)->name, literal, sizeof(literal) - 1)

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

	return i && i[0] != '0' && mxw__parse_u64(i, &n) && n <= MXW__ARC_SETS_MAX ? (unsigned)n : 0;
}

/* "i = 12;" at the beginning of an ARC-Authentication-Results field, the rest of which may be anything (section 4.1.1). */
static unsigned read_results_instance(const struct mxw__field *field)
{
	const char *s = field->value, *end = s + strlen(s);
	unsigned n = 0;

	s = mxw__cfws_skip(s, end);
	if (!s || *s != 'i' || !(s = mxw__cfws_skip(s + 1, end)) || *s != '=' || !(s = mxw__cfws_skip(s + 1, end)) || *s == '0')
		return 0;
	for (; mxw__ascii_isdigit(*s) && n <= MXW__ARC_SETS_MAX; s++)
		n = n * 10 + (unsigned)(*s - '0');
	s = mxw__cfws_skip(s, end);
	return s && *s == ';' && n <= MXW__ARC_SETS_MAX ? n : 0;
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
			is_placed = place(arc, read_instance(arc->arena, f), f, offsetof(struct mxw__arc_set, seal));
		else if (NAME_IS(f, "ARC-Message-Signature"))
			is_placed = place(arc, read_instance(arc->arena, f), f, offsetof(struct mxw__arc_set, message));
		else if (NAME_IS(f, "ARC-Authentication-Results"))
			is_placed = place(arc, read_results_instance(f), f,
					  offsetof(struct mxw__arc_set, results));
		if (!is_placed)
			return false;
	}
	for (unsigned i = 0; i < arc->nsets; i++)
		if (!arc->sets[i].seal || !arc->sets[i].message || !arc->sets[i].results)
			return false;
	return true;
}

/* What seals and signatures have in common. False: it can't be good. */
static bool read_signature(struct mxw__arc *arc, const struct mxw__field *field, struct mxw__arc_signature *sig)
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
		if (mxw__arc_name_is("arc-seal", h, len) || ++n > MXW__DKIM_MAX_NAMES)
			return false;
		has_from |= mxw__arc_name_is("from", h, len);
		h += len;
		if (!*h)
			return has_from;
	}
}

/* Which of several would a reader see? One of them is signed, and anybody may have added the others (RFC 6376 section 8.15). */
static bool has_one_author(const struct mxw__arc *arc)
{
	size_t n = 0;

	for (const struct mxw__field *f = arc->fields; f; f = f->next)
		n += mxw__arc_name_is(f->name, "from", strlen("from"));
	return n == 1;
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
	if (!has_one_author(arc))
		return false;
	if (!arc->h || !arc->bh || !names_are_valid(arc->h) || !read_canon(arc, tag_of(arc, field, "c"), &is_body_relaxed))
		return false;
	if (tag_of(arc, field, "l") || is_expired(arc, field) || !read_signature(arc, field, &arc->message))
		return false;
	mxw__body_hash_init(&arc->body, is_body_relaxed);
	arc->has_body_hash = true;
	return true;
}

bool mxw__arc_read_sets(struct mxw__arc *arc)
{
	bool is_good = collect(arc);

	if (is_good && arc->nsets == 0)
		return true;
	for (unsigned i = 0; i < arc->nsets && is_good; i++)
		is_good = read_seal(arc, i);
	return is_good && read_message(arc);
}
