/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmarc_record.c: the tags of a DMARC policy record.
 *
 * The version is read strictly: it must come first, and its value in this case, or there is no record (RFC 9989 section
 * 4.7). What follows is read leniently: unknown tags are passed over, and so are those with a value that can't be read, which
 * then have their default (section 4.8). Names are compared without case, as the formal definition has them. Where a tag stands
 * twice the first one counts; pct, rf and ri of older records are unknown tags.
 */
#include "config.h"

#include <string.h>

#include "src/auth/dmarc_record.h"

/* Part of the record; not terminated, any octets. */
struct span {
	const char *at;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
	while (s.len && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

static bool is_word(struct span s, const char *word)
{
	return s.len == strlen(word) && mxw__ascii_ncasecmp(s.at, word, s.len) == 0;
}

/* Takes what is before the next `separator` off `rest`. False: nothing is left. */
static bool take_part(struct span *rest, char separator, struct span *ret_part)
{
	if (!rest->at)
		return false;
	const char *end = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->at) : rest->len;

	*ret_part = (struct span){rest->at, len};
	*rest = end ? (struct span){end + 1, rest->len - len - 1} : (struct span){0};
	return true;
}

/* "name = value". False for what is no tag. */
static bool split_tag(struct span part, struct span *ret_name, struct span *ret_value)
{
	const char *equals = part.len ? memchr(part.at, '=', part.len) : NULL;

	if (!equals)
		return false;
	size_t len = (size_t)(equals - part.at);
	*ret_name = trim((struct span){part.at, len});
	*ret_value = trim((struct span){equals + 1, part.len - len - 1});
	return ret_name->len > 0;
}

static bool is_version(struct span part)
{
	struct span name, value;

	/* Nothing may come before the v, not even a blank. */
	if (part.len == 0 || is_blank(part.at[0]) || !split_tag(part, &name, &value))
		return false;
	return is_word(name, "v") && value.len == 6 && memcmp(value.at, "DMARC1", 6) == 0;
}

bool mxw__dmarc_record_is_dmarc(const uint8_t *text, size_t len)
{
	struct span rest = {(const char *)text, len}, part;

	return take_part(&rest, ';', &part) && is_version(part);
}

/* ---- values ---- */

static bool read_policy(struct span value, mxw__dmarc_policy_t *ret_policy)
{
	for (int p = MXW__DMARC_POLICY_NONE; p <= MXW__DMARC_POLICY_REJECT; p++) {
		if (is_word(value, mxw__dmarc_policy_name((mxw__dmarc_policy_t)p))) {
			*ret_policy = (mxw__dmarc_policy_t)p;
			return true;
		}
	}
	return false;
}

/* `word` or `other`; anything else leaves the default. */
static void read_either(struct span value, const char *word, const char *other, bool *ret_is_word)
{
	if (is_word(value, word))
		*ret_is_word = true;
	else if (is_word(value, other))
		*ret_is_word = false;
}

static void read_psd(struct span value, mxw__dmarc_psd_t *ret_psd)
{
	if (is_word(value, "y"))
		*ret_psd = MXW__DMARC_PSD_YES;
	else if (is_word(value, "n"))
		*ret_psd = MXW__DMARC_PSD_NO;
}

static bool is_fo_option(struct span option)
{
	return is_word(option, "0") || is_word(option, "1") || is_word(option, "d") || is_word(option, "s");
}

static void read_fo(struct span value, char *out, size_t size)
{
	struct span rest = value, option;
	char text[16] = "";
	size_t n = 0;

	while (take_part(&rest, ':', &option)) {
		option = trim(option);
		if (!is_fo_option(option) || n + 3 > sizeof text)
			return;
		if (n)
			text[n++] = ':';
		text[n++] = mxw__ascii_lower(option.at[0]);
	}
	if (n < size)
		memcpy(out, text, n + 1);
}

static bool is_scheme(struct span s)
{
	if (s.len == 0 || !mxw__ascii_isalnum(s.at[0]) || mxw__ascii_isdigit(s.at[0]))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!mxw__ascii_isalnum(s.at[i]) && !memchr("+-.", s.at[i], 3))
			return false;
	return true;
}

/* RFC 3986 in outline: a scheme and something after it, of characters that a URI may have. "!10m" at its end is obsolete, and allowed. */
static bool is_uri(struct span uri)
{
	const char *colon = uri.len ? memchr(uri.at, ':', uri.len) : NULL;

	if (!colon)
		return false;
	size_t len = (size_t)(colon - uri.at);
	struct span rest = {colon + 1, uri.len - len - 1};
	if (!is_scheme((struct span){uri.at, len}) || rest.len == 0)
		return false;
	for (size_t i = 0; i < rest.len; i++)
		if (rest.at[i] <= ' ' || rest.at[i] > '~' || memchr("\"<>\\^`{|}", rest.at[i], 9))
			return false;
	if (!is_word((struct span){uri.at, len}, "mailto"))
		return true;
	const char *at = memchr(rest.at, '@', rest.len);
	return at && at != rest.at && at + 1 < rest.at + rest.len;
}

/* Keeps the URIs that can be read, as many as fit; true if there is one. */
static bool read_uris(struct span value, char *out, size_t size)
{
	struct span rest = value, uri;
	size_t n = 0;
	bool has_uri = false, is_full = false;

	while (take_part(&rest, ',', &uri)) {
		uri = trim(uri);
		if (!is_uri(uri))
			continue;
		has_uri = true;
		is_full |= n + (n > 0) + uri.len >= size;
		if (is_full)
			continue;
		if (n)
			out[n++] = ',';
		memcpy(out + n, uri.at, uri.len);
		n += uri.len;
		out[n] = '\0';
	}
	return has_uri;
}

/* ---- the record ---- */

typedef enum tag { TAG_P, TAG_SP, TAG_NP, TAG_ADKIM, TAG_ASPF, TAG_T, TAG_PSD, TAG_FO, TAG_RUA, TAG_COUNT } tag_t;

static tag_t find_tag(struct span name)
{
	static const char *const names[TAG_COUNT] = {
		[TAG_P] = "p",       [TAG_SP] = "sp", [TAG_NP] = "np",   [TAG_ADKIM] = "adkim", [TAG_ASPF] = "aspf",
		[TAG_T] = "t",       [TAG_PSD] = "psd", [TAG_FO] = "fo", [TAG_RUA] = "rua",
	};
	int t = 0;

	while (t < TAG_COUNT && !is_word(name, names[t]))
		t++;
	return (tag_t)t;
}

struct reading {
	struct mxw__dmarc_record *record;
	unsigned seen;        /* bits of tags */
	bool is_broken;       /* p, sp or np can't be read */
	bool has_uri;
};

static void read_tag(struct reading *r, struct span name, struct span value)
{
	struct mxw__dmarc_published *pub = &r->record->published;
	tag_t tag = find_tag(name);

	if (tag == TAG_COUNT || r->seen >> tag & 1)
		return;
	r->seen |= 1u << tag;
	switch (tag) {
	case TAG_P:
		r->is_broken |= !read_policy(value, &pub->p);
		break;
	case TAG_SP:
		r->is_broken |= !(pub->has_sp = read_policy(value, &pub->sp));
		break;
	case TAG_NP:
		r->is_broken |= !(pub->has_np = read_policy(value, &pub->np));
		break;
	case TAG_ADKIM:
		read_either(value, "s", "r", &pub->is_adkim_strict);
		break;
	case TAG_ASPF:
		read_either(value, "s", "r", &pub->is_aspf_strict);
		break;
	case TAG_T:
		read_either(value, "y", "n", &pub->is_testing);
		break;
	case TAG_PSD:
		read_psd(value, &r->record->psd);
		break;
	case TAG_FO:
		read_fo(value, pub->fo, sizeof pub->fo);
		break;
	case TAG_RUA:
		r->has_uri = read_uris(value, pub->rua, sizeof pub->rua);
		break;
	case TAG_COUNT:
		break;
	}
}

/*
 * RFC 9989 section 4.10.1: without p, or with a policy that can't be read, the record counts as p=none if somebody wants
 * reports of it; else nothing is asked for. What is broken is taken as p=none altogether: half of it might be a mistake.
 */
static void settle(struct reading *r)
{
	struct mxw__dmarc_published *pub = &r->record->published;
	bool has_p = r->seen >> TAG_P & 1;

	if (r->is_broken) {
		pub->p = MXW__DMARC_POLICY_NONE;
		pub->has_sp = pub->has_np = false;
	}
	if ((r->is_broken || !has_p) && !r->has_uri)
		r->record->use = r->is_broken ? MXW__DMARC_USE_BROKEN : MXW__DMARC_USE_NONE;
	if (!pub->has_sp)
		pub->sp = pub->p;
	if (!pub->has_np)
		pub->np = pub->sp;
}

bool mxw__dmarc_record_parse(const uint8_t *text, size_t len, struct mxw__dmarc_record *ret_record)
{
	struct span rest = {(const char *)text, len}, part, name, value;
	struct reading reading = {.record = ret_record};

	if (!take_part(&rest, ';', &part) || !is_version(part))
		return false;
	*ret_record = (struct mxw__dmarc_record){0};
	while (take_part(&rest, ';', &part))
		if (split_tag(part, &name, &value))
			read_tag(&reading, name, value);
	settle(&reading);
	return true;
}
