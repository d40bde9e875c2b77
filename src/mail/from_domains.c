/* SPDX-License-Identifier: BSD-2-Clause */
/* from_domains.c: names of domains in the text of a From field, and the set of those that were found. */
#include "config.h"

#include <string.h>
#include <unictype.h>
#include <unistr.h>

#include "src/mail/from_parts.h"

enum { TRIES_MAX = 4096, SHOWN_MAX = 64 };

bool mxw__from_is_domain_octet(unsigned char c)
{
	return mxw__ascii_isalnum((char)c) || c == '-' || c == '_' || c == '.' || c >= 0x80;
}

bool mxw__from_is_word_octet(unsigned char c)
{
	return c == '.' || mxw__from_is_atext(c);
}

/* Blanks are seen, and part a name from what follows; at its end nobody sees them. */
static size_t cut_blanks(const uint8_t *s, size_t len)
{
	ucs4_t c;

	for (const uint8_t *last; (last = len ? u8_prev(&c, s + len, s) : NULL) && uc_is_property_white_space(c);)
		len = (size_t)(last - s);
	return len;
}

/*
 * A name that is none for the sake of characters that nobody sees is shown as if they were not there. Writes what is seen
 * and says whether that is anything else.
 */
static bool drop_unseen(const char *name, size_t len, char ret_seen[MXW__DOMAIN_MAX + 2], size_t *ret_len)
{
	size_t trimmed = cut_blanks((const uint8_t *)name, len), n = 0;
	const uint8_t *s = (const uint8_t *)name, *end = s + trimmed;
	bool is_other = trimmed < len;
	ucs4_t c;

	for (int step; s < end; s += step) {
		step = u8_mbtouc(&c, s, (size_t)(end - s));
		if (c >= 0x80 && (uc_is_property_default_ignorable_code_point(c) || uc_is_property_bidi_control(c))) {
			is_other = true;
		} else if (n + (size_t)step <= MXW__DOMAIN_MAX + 1) {
			memcpy(ret_seen + n, s, (size_t)step);
			n += (size_t)step;
		}
	}
	*ret_len = n;
	return is_other;
}

static mxw_status_t read_name(struct mxw__from_reading *reading, const char *name, size_t len, char ret_name[MXW__DOMAIN_MAX + 1])
{
	char seen[MXW__DOMAIN_MAX + 2];
	size_t n;
	mxw_status_t status = mxw__domain_to_ascii(name, len, ret_name);

	if (status != MXW_ERR_INVALID || !drop_unseen(name, len, seen, &n))
		return status;
	/* What a longer one is cut to would be another name. Where nearly all is unseen, that is what it is for. */
	if (len > MXW__DOMAIN_MAX + 1) {
		reading->domains.is_over |= n < len / 4;
		return MXW_ERR_INVALID;
	}
	status = mxw__domain_to_ascii(seen, n, ret_name);
	if (status == MXW_OK)
		reading->flaws |= MXW__FROM_CONTROL;
	return status;
}

bool mxw__from_add_domain(struct mxw__from_reading *reading, const char *name, size_t len, char *ret_name)
{
	struct mxw__from_domains *d = &reading->domains;
	char ascii[MXW__DOMAIN_MAX + 1], org[MXW__DOMAIN_MAX + 1];

	if (++d->ntries > TRIES_MAX) {
		d->is_over = true;
		return false;
	}
	mxw_status_t status = read_name(reading, name, len, ascii);
	if (status == MXW_ERR_NOMEM)
		reading->is_short = true;
	if (status != MXW_OK)
		return false;
	if (ret_name)
		memcpy(ret_name, ascii, strlen(ascii) + 1);
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->names[i], ascii) == 0)
			return true;
	mxw__org_domain(ascii, org);
	if (d->n == 0)
		memcpy(d->org, org, sizeof org);
	else if (strcmp(d->org, org) != 0)
		d->has_several_orgs = true;
	if (d->n == MXW__FROM_DOMAINS)
		d->is_over = true;
	else
		memcpy(d->names[d->n++], ascii, sizeof ascii);
	return true;
}

struct mxw__from_span mxw__from_domain_at(const char *s, const char *end)
{
	struct mxw__from_span d = {s, s};

	if (end - s > MXW__DOMAIN_MAX + 2)
		end = s + MXW__DOMAIN_MAX + 2;
	if (s < end && *s == '[') {
		const char *close = memchr(s, ']', (size_t)(end - s));
		d.end = close ? close + 1 : s;
		return d;
	}
	while (d.end < end && mxw__from_is_domain_octet((unsigned char)*d.end))
		d.end++;
	return d;
}

bool mxw__from_add_span(struct mxw__from_reading *reading, struct mxw__from_span d, char *ret_name)
{
	while (d.end > d.s && d.end[-1] == '.')
		d.end--;
	while (d.s < d.end && *d.s == '.')
		d.s++;
	return d.end > d.s && mxw__from_add_domain(reading, d.s, (size_t)(d.end - d.s), ret_name);
}

/* U+FF20 and U+FE6B look like an @. */
static size_t at_len(const char *s, const char *end)
{
	if (*s == '@')
		return 1;
	if (end - s >= 3 && (memcmp(s, "\xef\xbc\xa0", 3) == 0 || memcmp(s, "\xef\xb9\xab", 3) == 0))
		return 3;
	return 0;
}

void mxw__from_take_anything(const char *s, size_t len, struct mxw__from_reading *reading)
{
	const char *start = s, *end = s + len;
	size_t left = SHOWN_MAX;

	for (; s < end && left > 0 && !reading->domains.is_over; s++) {
		size_t n = at_len(s, end);
		if (n == 0 || s == start || !mxw__from_is_word_octet((unsigned char)s[-1]))
			continue;
		struct mxw__from_span d = mxw__from_domain_at(s + n, end);
		if (memchr(d.s, '.', (size_t)(d.end - d.s))) {
			mxw__from_add_span(reading, d, NULL);
			left--;
		}
	}
}

bool mxw__from_shows_other(const char *value, size_t len, const char *org)
{
	struct mxw__from_reading shown = {0};

	mxw__from_take_anything(value, len, &shown);
	return shown.domains.has_several_orgs || (shown.domains.n > 0 && strcmp(shown.domains.org, org) != 0);
}
