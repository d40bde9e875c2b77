/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_record.c: the strict reader of SPF records, and the record that libspf2 gets in their place.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "src/auth/spf_record.h"

static const char version[] = "v=spf1";

/* Some text inside the record; not terminated. */
struct slice {
	const char *at;
	size_t len;
};

struct parser {
	const struct mxw_ip *client;
	const struct mxw__spf_networks *networks; /* NULL: nobody wants them */
	struct mxw__spf_record *record;
	struct mxw_error *err;
	bool is_closed;    /* what follows can't count */
	bool has_redirect;
	bool has_exp;
	struct slice redirect;
};

static bool slice_is(struct slice s, const char *word)
{
	return s.len == strlen(word) && !mxw__ascii_ncasecmp(s.at, word, s.len);
}

/* A complaint that shows the term, its octets made safe and its length bounded. */
static mxw_status_t bad_term(const struct parser *p, struct slice term, const char *what)
{
	char shown[41];
	size_t n = term.len < sizeof(shown) - 1 ? term.len : sizeof(shown) - 1;

	for (size_t i = 0; i < n; i++)
		shown[i] = term.at[i] >= 0x20 && term.at[i] < 0x7f ? term.at[i] : '?';
	shown[n] = '\0';
	return mxw__fail(p->err, MXW_ERR_INVALID, "%s in \"%s\"%s", what, shown, n < term.len ? " ..." : "");
}

bool mxw__spf_record_is_spf(const uint8_t *data, size_t len)
{
	const size_t n = sizeof(version) - 1;

	return len >= n && !mxw__ascii_ncasecmp((const char *)data, version, n) && (len == n || data[n] == ' ');
}

/* ---- prefix lengths ---- */

/* Takes "/24" off the end of the text. False if there is none; a malformed one stays and fails as a name. */
static bool take_length(struct slice *text, unsigned max_digits, unsigned *ret_bits)
{
	size_t start = text->len;
	unsigned bits = 0;

	while (start && mxw__ascii_isdigit(text->at[start - 1]))
		start--;
	size_t digits = text->len - start;
	if (!start || text->at[start - 1] != '/' || !digits || digits > max_digits)
		return false;
	if (text->at[start] == '0' && digits > 1)
		return false;
	for (size_t i = start; i < text->len; i++)
		bits = bits * 10 + (unsigned)(text->at[i] - '0');
	*ret_bits = bits;
	text->len = start - 1;
	return true;
}

/* dual-cidr-length: takes "/24", "//64" or "/24//64" off the end. False if a length is out of range. */
static bool take_dual_length(struct slice *text, unsigned *ret_bits4, unsigned *ret_bits6)
{
	struct slice rest = *text;
	unsigned bits;

	*ret_bits4 = 32;
	*ret_bits6 = 128;
	if (take_length(&rest, 3, &bits) && rest.len && rest.at[rest.len - 1] == '/') {
		rest.len--;
		*text = rest;
		*ret_bits6 = bits;
	}
	if (take_length(text, 2, &bits))
		*ret_bits4 = bits;
	return *ret_bits4 <= 32 && *ret_bits6 <= 128;
}

/* ---- mechanisms ---- */

bool mxw__spf_prefix_holds(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

/* Keeps a term unless nothing after what is kept already can count. */
static void keep_term(struct parser *p, struct mxw__spf_term term)
{
	struct mxw__spf_record *record = p->record;

	if (p->is_closed)
		return;
	record->terms[record->nterms++] = term;
	/* One more than allowed: evaluation ends there, if it comes so far. */
	if (term.kind == MXW__SPF_ALL || record->nterms > MXW__SPF_MAX_TERMS)
		p->is_closed = true;
}

static mxw_status_t read_all(struct parser *p, struct slice term, char qualifier, struct slice value)
{
	if (value.len)
		return bad_term(p, term, "\"all\" takes no value");
	keep_term(p, (struct mxw__spf_term){.kind = MXW__SPF_ALL, .name = "all", .qualifier = qualifier});
	return MXW_OK;
}

/* ip4 and ip6 are settled here: one that holds for the client is an "all" from now on, any other is nothing. */
static mxw_status_t read_address(struct parser *p, struct slice term, char qualifier, struct slice value, uint8_t family)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct mxw_ip ip = {.family = family};
	unsigned max = family == 4 ? 32 : 128, bits = max;

	if (!value.len || value.at[0] != ':')
		return bad_term(p, term, "no address");
	value.at++;
	value.len--;
	take_length(&value, family == 4 ? 2 : 3, &bits);
	if (bits > max || value.len >= sizeof(text))
		return bad_term(p, term, "no valid network");
	memcpy(text, value.at, value.len);
	text[value.len] = '\0';
	if (inet_pton(family == 4 ? AF_INET : AF_INET6, text, ip.bytes) != 1)
		return bad_term(p, term, "no valid address");
	if (p->networks && !p->is_closed)
		p->networks->add(p->networks->ctx, &ip, bits, qualifier);
	if (p->client->family == family && mxw__spf_prefix_holds(ip.bytes, p->client->bytes, bits))
		keep_term(p, (struct mxw__spf_term){
			.kind = MXW__SPF_ALL,
			.name = family == 4 ? "ip4" : "ip6",
			.qualifier = qualifier,
		});
	return MXW_OK;
}

static const struct mechanism {
	const char *name;
	mxw__spf_kind_t kind;
	bool needs_domain;
	bool has_length;
} mechanisms[] = {
	{"include", MXW__SPF_INCLUDE, true, false},
	{"a", MXW__SPF_A, false, true},
	{"mx", MXW__SPF_MX, false, true},
	{"ptr", MXW__SPF_PTR, false, false},
	{"exists", MXW__SPF_EXISTS, true, false},
};

static mxw_status_t read_mechanism(struct parser *p, struct slice term, char qualifier, const struct mechanism *mech,
				   struct slice value)
{
	unsigned bits4 = 32, bits6 = 128;

	if (mech->has_length && !take_dual_length(&value, &bits4, &bits6))
		return bad_term(p, term, "prefix length out of range");
	if (value.len) {
		if (value.at[0] != ':' || !mxw__spf_domain_spec_is_valid(value.at + 1, value.len - 1))
			return bad_term(p, term, "no valid domain-spec");
		value.at++;
		value.len--;
	} else if (mech->needs_domain) {
		return bad_term(p, term, "no domain-spec");
	}
	keep_term(p, (struct mxw__spf_term){
		.kind = mech->kind,
		.name = mech->name,
		.qualifier = qualifier,
		.bits = (uint8_t)(p->client->family == 6 ? bits6 : bits4),
		.bits4 = (uint8_t)bits4,
		.bits6 = (uint8_t)bits6,
		.spec = value.at,
		.spec_len = value.len,
	});
	return MXW_OK;
}

static mxw_status_t read_directive(struct parser *p, struct slice term)
{
	struct slice name = term, value;
	char qualifier = '+';

	if (strchr("+-~?", term.at[0])) {
		qualifier = term.at[0];
		name.at++;
		name.len--;
	}
	value = name;
	for (name.len = 0; name.len < value.len && mxw__ascii_isalnum(name.at[name.len]);)
		name.len++;
	value.at += name.len;
	value.len -= name.len;
	if (slice_is(name, "all"))
		return read_all(p, term, qualifier, value);
	if (slice_is(name, "ip4"))
		return read_address(p, term, qualifier, value, 4);
	if (slice_is(name, "ip6"))
		return read_address(p, term, qualifier, value, 6);
	for (size_t i = 0; i < MXW_ARRAY_LEN(mechanisms); i++) {
		if (slice_is(name, mechanisms[i].name))
			return read_mechanism(p, term, qualifier, &mechanisms[i], value);
	}
	return bad_term(p, term, "unknown mechanism");
}

/* ---- modifiers ---- */

/* The length of the name if the term has the form name=..., else 0. */
static size_t modifier_name(struct slice term)
{
	size_t i = 0;

	if (!mxw__ascii_isalnum(term.at[0]) || mxw__ascii_isdigit(term.at[0]))
		return 0;
	while (i < term.len && (mxw__ascii_isalnum(term.at[i]) || (term.at[i] && strchr("-_.", term.at[i]))))
		i++;
	return i < term.len && term.at[i] == '=' ? i : 0;
}

static mxw_status_t read_domain_modifier(struct parser *p, struct slice term, struct slice value, bool *seen)
{
	if (*seen)
		return bad_term(p, term, "modifier given twice");
	*seen = true;
	if (!mxw__spf_domain_spec_is_valid(value.at, value.len))
		return bad_term(p, term, "no valid domain-spec");
	return MXW_OK;
}

static mxw_status_t read_modifier(struct parser *p, struct slice term, size_t name_len)
{
	struct slice name = {term.at, name_len};
	struct slice value = {term.at + name_len + 1, term.len - name_len - 1};

	if (slice_is(name, "redirect")) {
		p->redirect = value;
		return read_domain_modifier(p, term, value, &p->has_redirect);
	}
	if (slice_is(name, "exp")) {
		p->record->exp = value.at;
		p->record->exp_len = value.len;
		return read_domain_modifier(p, term, value, &p->has_exp);
	}
	if (!mxw__spf_macro_string_is_valid(value.at, value.len))
		return bad_term(p, term, "no valid macro-string");
	return MXW_OK;
}

static mxw_status_t read_term(struct parser *p, struct slice term)
{
	for (size_t i = 0; i < term.len; i++) {
		if (term.at[i] < 0x21 || term.at[i] > 0x7e)
			return bad_term(p, term, "forbidden octet");
	}
	size_t name_len = modifier_name(term);
	return name_len ? read_modifier(p, term, name_len) : read_directive(p, term);
}

/* A redirect counts after all mechanisms, wherever it stands (section 6.1). */
static void append_redirect(struct parser *p)
{
	if (!p->has_redirect || p->is_closed)
		return;
	keep_term(p, (struct mxw__spf_term){
		.kind = MXW__SPF_REDIRECT,
		.name = "redirect",
		.qualifier = '+',
		.spec = p->redirect.at,
		.spec_len = p->redirect.len,
	});
}

static mxw_status_t parse(const uint8_t *data, size_t len, const struct mxw_ip *client,
			  const struct mxw__spf_networks *networks, struct mxw__spf_record *ret_record, struct mxw_error *err)
{
	struct mxw__spf_record record = {.nterms = 0};
	struct parser p = {.client = client, .networks = networks, .record = &record, .err = err};
	const char *text = (const char *)data;
	mxw_status_t status = MXW_OK;

	if (!mxw__spf_record_is_spf(data, len))
		return mxw__fail(err, MXW_ERR_INVALID, "no version section");
	if (len > MXW__SPF_MAX_RECORD)
		return mxw__fail(err, MXW_ERR_INVALID, "record of %zu octets", len);
	for (size_t i = sizeof(version) - 1; i < len && status == MXW_OK;) {
		size_t end = i;
		while (end < len && text[end] != ' ')
			end++;
		if (end > i)
			status = read_term(&p, (struct slice){text + i, end - i});
		i = end + 1;
	}
	if (status != MXW_OK)
		return status;
	append_redirect(&p);
	*ret_record = record;
	return MXW_OK;
}

mxw_status_t mxw__spf_record_parse(const uint8_t *data, size_t len, const struct mxw_ip *client,
				   struct mxw__spf_record *ret_record, struct mxw_error *err)
{
	return parse(data, len, client, NULL, ret_record, err);
}

mxw_status_t mxw__spf_record_survey(const uint8_t *data, size_t len, const struct mxw__spf_networks *networks,
				    struct mxw__spf_record *ret_record, struct mxw_error *err)
{
	const struct mxw_ip nobody = {.family = 0};

	return parse(data, len, &nobody, networks, ret_record, err);
}

/* ---- what libspf2 gets ---- */

/*
 * libspf2 takes a length of 0 for a mistake. Such a term holds for any address of the client's family, which is what
 * "exists" asks when the look-up hook knows what the token means. A ptr term is answered in the same way, because
 * libspf2 calls more than ten names an error, where RFC 7208 section 4.6.4 wants the first ten used.
 */
static const char *name_for_libspf2(const struct mxw__spf_term *term)
{
	switch (term->kind) {
	case MXW__SPF_INCLUDE:
		return "include";
	case MXW__SPF_A:
		return term->bits ? "a" : "exists";
	case MXW__SPF_MX:
		return term->bits ? "mx" : "exists";
	case MXW__SPF_PTR:
	case MXW__SPF_EXISTS:
		return "exists";
	case MXW__SPF_ALL:
	case MXW__SPF_REDIRECT:
		break;
	}
	return "all";
}

void mxw__spf_record_write(const struct mxw__spf_record *record, unsigned frame, uint8_t family, struct mxw__buf *buf)
{
	bool has_end = false;

	mxw__buf_adds(buf, version);
	for (size_t i = 0; i < record->nterms; i++) {
		const struct mxw__spf_term *term = &record->terms[i];
		if (term->kind == MXW__SPF_REDIRECT) {
			mxw__buf_addf(buf, " redirect=t%zu.f%u.x", i, frame);
			has_end = true;
			continue;
		}
		if (term->kind == MXW__SPF_ALL) {
			mxw__buf_addf(buf, " exists:e.f%u.x %call", frame, term->qualifier);
			has_end = true;
			continue;
		}
		mxw__buf_addf(buf, " %c%s:t%zu.f%u.x", term->qualifier, name_for_libspf2(term), i, frame);
		if ((term->kind == MXW__SPF_A || term->kind == MXW__SPF_MX) && term->bits)
			mxw__buf_addf(buf, "%s%u", family == 6 ? "//" : "/", (unsigned)term->bits);
	}
	if (!has_end)
		mxw__buf_addf(buf, " exists:e.f%u.x", frame);
}
