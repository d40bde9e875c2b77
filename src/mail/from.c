/* SPDX-License-Identifier: BSD-2-Clause */
/* from.c: what the two readings of the From field come to. */
#include "config.h"

#include <string.h>
#include <unistr.h>

#include "src/mail/from_parts.h"

/* Both readings of all fields. */
struct readings {
	struct mxw__from_reading strict, lenient;
	bool is_strict;          /* all have the syntax */
	bool is_over;            /* too much to be looked at */
	unsigned flaws;
};

/* What octets alone tell. */
static unsigned octet_flaws(const char *value, size_t len)
{
	unsigned flaws = len > MXW__FROM_LONG_OCTETS ? MXW__FROM_LONG : 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];
		if (c == '\r' && value[i + 1] != '\n')
			flaws |= MXW__FROM_LINE_ENDS;
		else if (c == '\n' && value[i + 1] != ' ' && value[i + 1] != '\t')
			flaws |= MXW__FROM_LINE_ENDS;
		else if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
			flaws |= MXW__FROM_CONTROL;
	}
	if (u8_check((const uint8_t *)value, len))
		flaws |= MXW__FROM_UTF8;
	return flaws;
}

static void read_field(struct readings *r, const char *value)
{
	size_t len = strlen(value);
	struct mxw__from_reading strict = r->strict;

	r->flaws |= octet_flaws(value, len);
	if (mxw__from_read_strictly(value, len, &strict)) {
		r->flaws |= strict.nmailboxes == r->strict.nmailboxes ? MXW__FROM_EMPTY : 0;
		r->strict = strict;
	} else {
		/* What was read up to the fault is no reading. */
		r->is_strict = false;
		r->flaws |= strict.flaws;
		r->strict.is_short |= strict.is_short;
	}
	mxw__from_read_leniently(value, len, &r->lenient);
}

static void read_fields(struct readings *r, const char *const *values, size_t n)
{
	size_t total = 0;

	*r = (struct readings){.is_strict = true};
	r->flaws = n > 1 ? MXW__FROM_REPEATED : 0;
	for (size_t i = 0; i < n && !r->is_over; i++) {
		total += strlen(values[i]);
		r->is_over = total > MXW__FROM_OCTETS;
		if (!r->is_over)
			read_field(r, values[i]);
	}
	/* What the strict reading takes, some program takes. */
	for (size_t i = 0; i < r->strict.domains.n; i++)
		mxw__from_add_domain(&r->lenient, r->strict.domains.names[i], strlen(r->strict.domains.names[i]), NULL);
	r->is_over |= r->strict.domains.is_over || r->lenient.domains.is_over;
	r->flaws |= r->strict.flaws | r->lenient.flaws;
	if (total > MXW__FROM_LONG_OCTETS)
		r->flaws |= MXW__FROM_LONG;
	if (!r->is_strict)
		r->flaws |= MXW__FROM_SYNTAX;
}

static mxw__from_kind_t judge_strict(const struct readings *r)
{
	const struct mxw__from_domains *strict = &r->strict.domains, *all = &r->lenient.domains;

	if (all->has_several_orgs && all->n > strict->n)
		return MXW__FROM_AMBIGUOUS;
	return strict->n > 1 ? MXW__FROM_SEVERAL : MXW__FROM_VALID;
}

static mxw__from_kind_t judge(const struct readings *r, size_t n)
{
	const struct mxw__from_domains *all = &r->lenient.domains;

	if (n == 0)
		return MXW__FROM_MISSING;
	if (r->is_over)
		return MXW__FROM_AMBIGUOUS;
	if (r->is_strict && r->strict.naddresses > 0)
		return judge_strict(r);
	if (all->n == 0)
		return MXW__FROM_INVALID;
	if (all->has_several_orgs)
		return MXW__FROM_AMBIGUOUS;
	return n > 1 && all->n > 1 ? MXW__FROM_SEVERAL : MXW__FROM_VALID;
}

/* In the form of the envelope, if it is one that could be written to. */
static mxw_status_t state_address(mxw__arena_t *arena, const char *text, const char *domain, struct mxw__from *ret)
{
	struct mxw__address address;
	mxw_status_t status = mxw__address_parse(arena, text, &address);

	if (status == MXW_OK && !address.is_null && strcmp(address.domain, domain) == 0 && mxw__utf8_is_clean(address.text))
		ret->address = address.text;
	return status == MXW_ERR_INVALID ? MXW_OK : status;
}

static mxw_status_t state_author(mxw__arena_t *arena, const struct readings *r, struct mxw__from *ret)
{
	bool is_strict = r->is_strict && r->strict.naddresses > 0;
	const struct mxw__from_reading *from = is_strict ? &r->strict : &r->lenient;
	const char *domain = *from->domain ? from->domain : r->lenient.domains.names[0];
	size_t n = is_strict || from->nangles == 0 ? from->naddresses : from->nangles;

	ret->domain = mxw__arena_strdup(arena, domain);
	if (!ret->domain)
		return MXW_ERR_LIMIT;
	if (n > 1 || from->domains.n > 1)
		ret->flaws |= MXW__FROM_ADDRESSES;
	return n == 1 ? state_address(arena, from->address, domain, ret) : MXW_OK;
}

static mxw_status_t state_domains(mxw__arena_t *arena, const struct mxw__from_domains *all, struct mxw__from *ret)
{
	for (size_t i = 0; i < all->n; i++) {
		const char *copy = mxw__arena_strdup(arena, all->names[i]);
		if (!copy)
			return MXW_ERR_LIMIT;
		ret->domains[ret->ndomains++] = copy;
	}
	return MXW_OK;
}

/* Somebody else's address, in the name or in a comment. */
static mxw_status_t look_at_names(const char *const *values, size_t n, struct mxw__from *ret)
{
	char org[MXW__DOMAIN_MAX + 1];
	mxw_status_t status = MXW_OK;

	mxw__org_domain(ret->domain, org);
	for (size_t i = 0; i < n && status == MXW_OK; i++) {
		struct mxw__buf decoded;
		size_t len = strlen(values[i]);
		mxw__buf_init(&decoded, len + 1);
		bool shows = mxw__from_shows_other(values[i], len, org);
		if (mxw__from_decode_words(values[i], len, &decoded))
			shows |= mxw__from_shows_other(mxw__buf_str(&decoded), decoded.len, org);
		if (decoded.failed)
			status = MXW_ERR_NOMEM;
		mxw__buf_fini(&decoded);
		ret->flaws |= shows ? MXW__FROM_NAME : 0;
	}
	return status;
}

mxw_status_t mxw__from_read(mxw__arena_t *arena, const char *const *values, size_t n, struct mxw__from *ret_from)
{
	struct mxw__from from = {.address = "", .domain = ""};
	struct readings r;

	read_fields(&r, values, n);
	if (r.strict.is_short || r.lenient.is_short)
		return MXW_ERR_NOMEM;
	from.kind = judge(&r, n);
	from.flaws = r.flaws;
	if (from.kind == MXW__FROM_SEVERAL || r.strict.naddresses > 1)
		from.flaws |= MXW__FROM_ADDRESSES;
	mxw_status_t status = state_domains(arena, &r.lenient.domains, &from);
	if (status == MXW_OK && from.kind == MXW__FROM_VALID)
		status = state_author(arena, &r, &from);
	if (status == MXW_OK && from.kind == MXW__FROM_VALID)
		status = look_at_names(values, n, &from);
	if (status == MXW_OK && from.kind == MXW__FROM_VALID && strncmp(from.address, "=?", 2) == 0)
		from.flaws |= MXW__FROM_ENCODED;
	if (status == MXW_OK)
		*ret_from = from;
	return status;
}

void mxw__from_too_many(struct mxw__from *from)
{
	from->flaws |= MXW__FROM_REPEATED | MXW__FROM_ADDRESSES;
	from->address = from->domain = "";
	if (from->kind != MXW__FROM_AMBIGUOUS)
		from->kind = MXW__FROM_SEVERAL;
}
