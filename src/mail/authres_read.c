/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/mail/authres_read.h"

enum { INSTANCE_MAX = 50 }; /* RFC 8617 section 4.2.1 */

/* What is still to be read. */
struct reader {
	mxw__arena_t *arena;
	const char *s, *end;
	mxw_status_t status; /* why the last thing could not be read */
};

const char *mxw__cfws_skip(const char *s, const char *end)
{
	size_t depth = 0;

	for (; s < end; s++) {
		if (depth && *s == '\\' && s + 1 < end)
			s++;
		else if (*s == '(')
			depth++;
		else if (depth && *s == ')')
			depth--;
		else if (!depth && !mxw__ascii_isspace(*s))
			return s;
	}
	return depth ? NULL : s;
}

bool mxw__is_token_char(char c)
{
	unsigned char u = (unsigned char)c;

	return u > ' ' && u != 0x7f && !strchr("()<>@,;:\\\"/[]?=", c);
}

bool mxw__is_atom_char(char c)
{
	unsigned char u = (unsigned char)c;

	return u > ' ' && u != 0x7f && !strchr("()<>[]:;@\\,.\"", c);
}

static bool fail(struct reader *r, mxw_status_t status)
{
	r->status = status;
	return false;
}

static bool skip(struct reader *r)
{
	const char *s = mxw__cfws_skip(r->s, r->end);

	if (!s)
		return fail(r, MXW_ERR_INVALID);
	r->s = s;
	return true;
}

static bool is_at(const struct reader *r, char c)
{
	return r->s < r->end && *r->s == c;
}

/* The character, and blanks and comments on both sides of it. */
static bool take(struct reader *r, char c)
{
	if (!skip(r))
		return false;
	if (!is_at(r, c))
		return fail(r, MXW_ERR_INVALID);
	r->s++;
	return skip(r);
}

static bool keep(struct reader *r, const char *s, size_t len, bool is_lower, const char **ret_text)
{
	char *copy = mxw__arena_strndup(r->arena, s, len);

	if (!copy)
		return fail(r, MXW_ERR_LIMIT);
	if (is_lower)
		mxw__ascii_lower_str(copy);
	*ret_text = copy;
	return true;
}

/* RFC 5321 Keyword: letters, digits and hyphens; the last is no hyphen. */
static bool read_keyword(struct reader *r, const char **ret_text)
{
	const char *start = r->s;

	while (r->s < r->end && (mxw__ascii_isalnum(*r->s) || *r->s == '-'))
		r->s++;
	if (r->s == start || r->s[-1] == '-')
		return fail(r, MXW_ERR_INVALID);
	return keep(r, start, (size_t)(r->s - start), true, ret_text);
}

static bool read_number(struct reader *r, unsigned max, unsigned *ret_number)
{
	unsigned n = 0;

	if (r->s == r->end || !mxw__ascii_isdigit(*r->s))
		return fail(r, MXW_ERR_INVALID);
	for (; r->s < r->end && mxw__ascii_isdigit(*r->s); r->s++)
		if ((n = n * 10 + (unsigned)(*r->s - '0')) > max)
			return fail(r, MXW_ERR_INVALID);
	*ret_number = n;
	return true;
}

/* Control characters have no place in a quoted string; a fold in one is none of its characters. */
static bool read_quoted(struct reader *r, struct mxw__buf *buf)
{
	for (r->s++; r->s < r->end && *r->s != '"'; r->s++) {
		if (*r->s == '\r' || *r->s == '\n')
			continue;
		if (*r->s == '\\' && ++r->s == r->end)
			break;
		unsigned char c = (unsigned char)*r->s;
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return fail(r, MXW_ERR_INVALID);
		mxw__buf_addc(buf, *r->s);
	}
	if (r->s == r->end)
		return fail(r, MXW_ERR_INVALID);
	r->s++;
	return true;
}

static void read_run(struct reader *r, bool (*is_allowed)(char c), struct mxw__buf *buf)
{
	while (r->s < r->end && is_allowed(*r->s))
		mxw__buf_addc(buf, *r->s++);
}

/* A token or a quoted string (RFC 2045). */
static bool read_value_into(struct reader *r, struct mxw__buf *buf)
{
	const char *start = r->s;

	if (is_at(r, '"'))
		return read_quoted(r, buf);
	read_run(r, mxw__is_token_char, buf);
	return r->s > start || fail(r, MXW_ERR_INVALID);
}

static bool is_local_char(char c)
{
	return mxw__is_atom_char(c) || c == '.';
}

/* An address may stand bare: [ [ local-part ] "@" ] domain-name. Characters of local parts that tokens lack are allowed in one. */
static bool read_pvalue_into(struct reader *r, struct mxw__buf *buf)
{
	const char *start = r->s;

	if (is_at(r, '"')) {
		if (!read_quoted(r, buf))
			return false;
	} else {
		read_run(r, is_local_char, buf);
	}
	if (is_at(r, '@')) {
		mxw__buf_addc(buf, *r->s++);
		const char *domain = r->s;
		read_run(r, mxw__is_token_char, buf);
		return r->s > domain || fail(r, MXW_ERR_INVALID);
	}
	if (r->s == start)
		return fail(r, MXW_ERR_INVALID);
	for (const char *s = start; *start != '"' && s < r->s; s++)
		if (!mxw__is_token_char(*s))
			return fail(r, MXW_ERR_INVALID);
	return true;
}

static bool read_into(struct reader *r, bool (*read)(struct reader *r, struct mxw__buf *buf), bool is_lower,
		      const char **ret_text)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, (size_t)(r->end - r->s) + 1);
	bool ok = read(r, &buf) && (!buf.failed || fail(r, MXW_ERR_NOMEM)) &&
		  keep(r, mxw__buf_str(&buf), buf.len, is_lower, ret_text);
	mxw__buf_fini(&buf);
	return ok;
}

/* Or there is more of it, which should not be there. */
static bool ends_here(struct reader *r)
{
	bool ends = r->s == r->end || mxw__ascii_isspace(*r->s) || *r->s == '(' || *r->s == ';';

	return ends || fail(r, MXW_ERR_INVALID);
}

/* ptype.property=pvalue, with blanks and comments almost anywhere. */
static bool read_property(struct reader *r, const char *type, struct mxw__authres_property *ret_property)
{
	struct mxw__authres_property p = {.type = type};

	if (!take(r, '.') || !read_keyword(r, &p.name) || !take(r, '=') ||
	    !read_into(r, read_pvalue_into, false, &p.value) || !ends_here(r) || !skip(r))
		return false;
	*ret_property = p;
	return true;
}

/* What may follow a result: a reason, then properties. */
static bool read_details(struct reader *r, struct mxw__authres_item *item)
{
	struct mxw__authres_property found[MXW__AUTHRES_PROPERTIES_MAX];
	size_t n = 0;
	bool ok = true, has_reason = false;

	while (ok && r->s < r->end && *r->s != ';') {
		const char *word;
		ok = read_keyword(r, &word) && skip(r);
		if (ok && is_at(r, '=') && n == 0 && !has_reason && strcmp(word, "reason") == 0) {
			has_reason = true;
			ok = take(r, '=') && read_into(r, read_value_into, false, &item->reason) && ends_here(r) && skip(r);
		} else if (ok && n == MXW__AUTHRES_PROPERTIES_MAX) {
			ok = fail(r, MXW_ERR_LIMIT);
		} else if (ok) {
			ok = read_property(r, word, &found[n]);
			n += ok;
		}
	}
	if (n) {
		item->properties = mxw__arena_alloc(r->arena, n * sizeof *found);
		if (!item->properties)
			return fail(r, MXW_ERR_LIMIT);
		memcpy(item->properties, found, n * sizeof *found);
		item->nproperties = n;
	}
	return ok;
}

/* Goes to the next semicolon that is one, from `start`. */
static bool skip_details(struct reader *r, const char *start)
{
	struct mxw__buf ignored;

	mxw__buf_init(&ignored, 0);
	r->s = start;
	bool ok = skip(r);
	while (ok && r->s < r->end && *r->s != ';') {
		if (is_at(r, '"'))
			ok = read_quoted(r, &ignored);
		else
			r->s++;
		ok = ok && skip(r);
	}
	mxw__buf_fini(&ignored);
	return ok;
}

/* method [/version] = result */
static bool read_method(struct reader *r, struct mxw__authres_item *item)
{
	unsigned version;

	if (!read_keyword(r, &item->method) || !skip(r))
		return false;
	if (is_at(r, '/') && (!take(r, '/') || !read_number(r, 999, &version)))
		return false;
	return take(r, '=') && read_keyword(r, &item->result) && ends_here(r) && skip(r);
}

static bool read_item(struct reader *r, unsigned flags, struct mxw__authres_item *ret_item)
{
	struct mxw__authres_item item = {.reason = ""};

	if (!read_method(r, &item))
		return false;
	const char *details = r->s;
	if (!read_details(r, &item) &&
	    (r->status != MXW_ERR_INVALID || (flags & MXW__AUTHRES_STRICT) || !skip_details(r, details)))
		return false;
	*ret_item = item;
	return true;
}

/* "; none" */
static bool is_none(const struct reader *r)
{
	struct reader rest = *r;

	if (!take(&rest, ';') || rest.end - rest.s < 4 || mxw__ascii_ncasecmp(rest.s, "none", 4) != 0)
		return false;
	rest.s += 4;
	return skip(&rest) && rest.s == rest.end;
}

static bool read_items(struct reader *r, unsigned flags, struct mxw__authres *authres)
{
	size_t n = 0;

	if (is_none(r))
		return true;
	if (!is_at(r, ';'))
		return fail(r, MXW_ERR_INVALID);
	for (const char *s = r->s; s < r->end && n < MXW__AUTHRES_ITEMS_MAX; s++)
		n += *s == ';';
	authres->items = mxw__arena_alloc(r->arena, n * sizeof *authres->items);
	if (!authres->items)
		return fail(r, MXW_ERR_LIMIT);
	while (r->s < r->end) {
		if (!take(r, ';'))
			return false;
		/* A last semicolon with nothing behind it is common, and against the standard. */
		if (r->s == r->end && authres->nitems && !(flags & MXW__AUTHRES_STRICT))
			return true;
		if (authres->nitems == n)
			return fail(r, MXW_ERR_LIMIT);
		if (!read_item(r, flags, &authres->items[authres->nitems]))
			return false;
		authres->nitems++;
	}
	return true;
}

static bool read_head(struct reader *r, unsigned flags, struct mxw__authres *authres)
{
	unsigned version;

	if (!skip(r))
		return false;
	if (flags & MXW__AUTHRES_ARC) {
		if (!is_at(r, 'i') && !is_at(r, 'I'))
			return fail(r, MXW_ERR_INVALID);
		r->s++;
		if (!take(r, '=') || !read_number(r, INSTANCE_MAX, &authres->instance) || !take(r, ';'))
			return false;
	}
	if (!read_into(r, read_value_into, true, &authres->id) || !skip(r))
		return false;
	/* The one version there is. */
	return r->s == r->end || !mxw__ascii_isdigit(*r->s) || (read_number(r, 1, &version) && skip(r));
}

mxw_status_t mxw__authres_id(mxw__arena_t *arena, const char *value, size_t len, const char **ret_id)
{
	struct reader r = {.arena = arena, .s = value, .end = value + len, .status = MXW_ERR_INVALID};
	struct mxw__authres authres = {0};

	if (!read_head(&r, 0, &authres))
		return r.status;
	if (r.s < r.end && *r.s != ';')
		return MXW_ERR_INVALID;
	*ret_id = authres.id;
	return MXW_OK;
}

mxw_status_t mxw__authres_read(mxw__arena_t *arena, const char *value, size_t len, unsigned flags,
			       struct mxw__authres *ret_authres)
{
	struct reader r = {.arena = arena, .s = value, .end = value + len, .status = MXW_ERR_INVALID};
	struct mxw__authres authres = {0};

	if (!read_head(&r, flags, &authres) || !read_items(&r, flags, &authres))
		return r.status;
	*ret_authres = authres;
	return MXW_OK;
}

const char *mxw__authres_result(mxw__arena_t *arena, const char *value, size_t len, unsigned flags, const char *method)
{
	struct mxw__authres authres;
	const char *result = NULL;

	if (mxw__authres_read(arena, value, len, flags, &authres) != MXW_OK)
		return NULL;
	for (size_t i = 0; i < authres.nitems; i++) {
		const struct mxw__authres_item *item = &authres.items[i];
		if (strcmp(item->method, method) != 0)
			continue;
		if (result && strcmp(result, item->result) != 0)
			return NULL;
		result = item->result;
	}
	return result;
}
