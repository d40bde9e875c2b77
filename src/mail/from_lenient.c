/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * from_lenient.c: every address that a mail program might take for the author.
 *
 * The field is read several times, each time as one kind of program would; from.h says where the border is. Each pass is one
 * walk from left to right that never goes back: a quote or a comment that is not closed is found once, and from there on none is
 * looked for.
 */
#include "config.h"

#include <string.h>

#include "src/mail/from_parts.h"

/* How a program reads. */
enum {
	KNOWS_QUOTES = 1 << 0,
	KNOWS_BACKSLASHES = 1 << 1,
	KNOWS_COMMENTS = 1 << 2,
	TAKES_BARE = 1 << 3,       /* an address without quotes, whatever is beside it */
	TAKES_LISTED = 1 << 4,     /* an address that is all of an entry */
	PREFERS = 1 << 5           /* notes the address that most would take */
};

struct scan {
	const char *s, *end;
	unsigned ways;
	/* Of the entry. */
	size_t nwords;
	bool has_angle;
	struct mxw__from_span quoted;        /* a quoted string; `end` NULL: none yet */
	struct mxw__from_span word;          /* the last one; `end` NULL: none */
	struct mxw__from_span domain;        /* of the last @ */
	unsigned flaws;
	struct mxw__from_reading *reading;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_blanks(const char *s, const char *end)
{
	while (s < end && is_blank(*s))
		s++;
	return s;
}

/* The one that most would take: the first in brackets, or the first if none is. */
static void prefer(struct scan *c, const char *s, const char *end, const char *domain, bool is_angle)
{
	struct mxw__from_reading *r = c->reading;

	if (!(c->ways & PREFERS))
		return;
	size_t before = is_angle ? r->nangles++ : r->nangles + r->naddresses++;
	if (before > 0)
		return;
	memcpy(r->domain, domain, strlen(domain) + 1);
	s = skip_blanks(s, end);
	while (end > s && is_blank(end[-1]))
		end--;
	r->address[0] = '\0';
	if ((size_t)(end - s) < sizeof r->address) {
		memcpy(r->address, s, (size_t)(end - s));
		r->address[end - s] = '\0';
	}
}

/* Quotes and comments are passed over in one go; NULL if they are not closed. */
static const char *close_of_quoted(const char *s, const char *end, bool knows_backslashes)
{
	for (s++; s < end; s++) {
		if (*s == '"')
			return s;
		if (knows_backslashes && *s == '\\' && s + 1 < end)
			s++;
	}
	return NULL;
}

static const char *close_of_comment(const char *s, const char *end, bool knows_backslashes)
{
	size_t depth = 0;

	for (; s < end; s++) {
		if (*s == '(')
			depth++;
		else if (*s == ')' && --depth == 0)
			return s;
		else if (knows_backslashes && *s == '\\' && s + 1 < end)
			s++;
	}
	return NULL;
}

/* What stands between quotes or brackets and has the form of an address, or several. */
static void take_all(struct scan *c, const char *s, const char *end)
{
	for (; (s = memchr(s, '@', (size_t)(end - s))); s++)
		mxw__from_add_span(c->reading, mxw__from_domain_at(skip_blanks(s + 1, end), end), NULL);
}

/* "example\r\n .org": to those who take white space out of it the name goes on, and nobody takes it for "example". */
static bool goes_on(struct mxw__from_span d, const char *end)
{
	const char *next = skip_blanks(d.end, end);

	return next > d.end && next < end && *next == '.' && !memchr(d.s, '.', (size_t)(d.end - d.s));
}

/*
 * The domain as it is to those who take controls or backslashes out of it, and white space beside a dot; false if there is
 * none of that.
 */
static bool take_cleaned(struct scan *c, const char *s, const char *end, char *ret_name)
{
	char name[MXW__DOMAIN_MAX + 1];
	size_t n = 0;
	bool is_cleaned = false;

	for (s = skip_blanks(s, end); s < end && n < sizeof name; s++) {
		if (mxw__from_is_domain_octet((unsigned char)*s)) {
			name[n++] = *s;
			continue;
		}
		const char *next = skip_blanks(s, end);
		if (next > s && (next == end || (*next != '.' && (n == 0 || name[n - 1] != '.'))))
			break;
		if (next == s && (unsigned char)*s >= ' ' && *s != 0x7f && *s != '\\')
			break;
		is_cleaned = true;
		s = next > s ? next - 1 : s;
	}
	return is_cleaned && n > 0 && mxw__from_add_span(c->reading, (struct mxw__from_span){name, name + n}, ret_name);
}

/* What stands between < and >, or the end of the field, or another <. */
static void take_angle(struct scan *c, const char *s, const char *end)
{
	char domain[MXW__DOMAIN_MAX + 1];
	const char *last = NULL, *start = skip_blanks(s, end);

	if (start == end)
		c->flaws |= MXW__FROM_EMPTY;
	for (const char *p = s; p < end; p++)
		if (*p == '@')
			last = p;
	if (!last)
		return;
	take_all(c, s, last);
	if (end - start > 7 && mxw__ascii_ncasecmp(start, "mailto:", 7) == 0)
		start += 7;
	struct mxw__from_span d = mxw__from_domain_at(skip_blanks(last + 1, end), end);
	if (!goes_on(d, end) && mxw__from_add_span(c->reading, d, domain))
		prefer(c, start, end, domain, true);
	if (take_cleaned(c, last + 1, end, domain) && goes_on(d, end))
		prefer(c, start, end, domain, true);
}

/* False if it is not closed: then none is looked for any more. */
static bool skip_closed(struct scan *c, bool is_comment)
{
	bool knows_backslashes = c->ways & KNOWS_BACKSLASHES;
	const char *close = is_comment ? close_of_comment(c->s, c->end, knows_backslashes)
				       : close_of_quoted(c->s, c->end, knows_backslashes);

	if (!close) {
		c->flaws |= is_comment ? MXW__FROM_COMMENT : MXW__FROM_QUOTES;
		c->ways &= ~(unsigned)(is_comment ? KNOWS_COMMENTS : KNOWS_QUOTES);
		return false;
	}
	if (!is_comment) {
		c->word = (struct mxw__from_span){c->s, close + 1};
		c->nwords++;
		if (c->has_angle && (c->ways & TAKES_BARE))
			take_all(c, c->s, close);
		else if (!c->quoted.end)
			c->quoted = c->word;
	}
	c->s = close + 1;
	return true;
}

/* At a <. The end is the next > or < that is not in quotes. */
static void read_angle(struct scan *c)
{
	const char *s = c->s + 1;
	bool quotes = c->ways & KNOWS_QUOTES;

	for (c->s = s; c->s < c->end && *c->s != '>' && *c->s != '<'; c->s++) {
		if (*c->s != '"' || !quotes)
			continue;
		const char *close = close_of_quoted(c->s, c->end, c->ways & KNOWS_BACKSLASHES);
		if (close)
			c->s = close;
		else
			quotes = false;
	}
	if (!quotes && (c->ways & KNOWS_QUOTES)) {
		c->ways &= ~(unsigned)KNOWS_QUOTES;
		c->flaws |= MXW__FROM_QUOTES;
	}
	take_angle(c, s, c->s);
	if (c->s < c->end && *c->s == '>')
		c->s++;
	else
		c->flaws |= MXW__FROM_BRACKETS;
	c->has_angle = true;
	c->nwords = 0;
	c->word.end = NULL;
}

/* Is the address from the last word to `d` one that this kind of program takes? */
static bool is_taken(const struct scan *c, struct mxw__from_span d)
{
	const char *next = skip_blanks(d.end, c->end);
	bool is_all = next == c->end || (*next && strchr(",;[]\\)>", *next));

	/* "'anna@example.net' via": what follows belongs to it, and makes no name of a domain. */
	if (d.end < c->end && mxw__from_is_atext((unsigned char)*d.end))
		return false;
	if (c->ways & TAKES_LISTED)
		return c->nwords == 1 && is_all;
	/* To those who take controls or backslashes out, the name goes on. */
	unsigned char after = d.end < c->end ? (unsigned char)*d.end : ' ';
	bool is_cut = c->nwords == 1 && (after == 0x7f || after == '\\' || (after < ' ' && !is_blank((char)after)));
	/* "me@home <anna@example.net>" names nobody's domain. */
	return (c->ways & TAKES_BARE) && (is_all || is_cut || *d.s == '[' || memchr(d.s, '.', (size_t)(d.end - d.s)));
}

/* At an @ that is in no brackets. */
static void read_at(struct scan *c)
{
	char domain[MXW__DOMAIN_MAX + 1];
	const char *at = c->s++;
	bool is_chained = c->domain.end == at;

	/* "Events @ Example.net <news@example.com>" is an address to programs that know blanks around an @; after several words
	 * they would have to be taken for one, and honest names have that form. */
	bool has_local = c->word.end && (c->word.end == at || c->nwords == 1);
	struct mxw__from_span d = mxw__from_domain_at(has_local ? skip_blanks(c->s, c->end) : c->s, c->end);
	if (d.s == d.end || (!has_local && !is_chained))
		return;
	if (is_chained || is_taken(c, d)) {
		if (c->word.end && *c->word.s == '"' && c->word.s < at)
			take_all(c, c->word.s, c->word.end);
		if (mxw__from_add_span(c->reading, d, domain))
			prefer(c, is_chained || !c->word.end ? at : c->word.s, d.end, domain, false);
		take_cleaned(c, at + 1, c->end, NULL);
	}
	c->s = d.end;
	c->domain = d;
	c->nwords++;
}

/* A quoted string that is all of an entry, or stands behind brackets, is no name of anything: some take it for the address. */
static void end_entry(struct scan *c)
{
	if (c->quoted.end && !c->has_angle && (c->ways & TAKES_BARE))
		take_all(c, c->quoted.s, c->quoted.end);
}

static void begin_entry(struct scan *c)
{
	end_entry(c);
	c->nwords = 0;
	c->has_angle = false;
	c->word.end = c->quoted.end = NULL;
	c->s++;
}

static void read_word(struct scan *c)
{
	c->word.s = c->s;
	while (c->s < c->end && mxw__from_is_word_octet((unsigned char)*c->s))
		c->s++;
	c->word.end = c->s;
	c->nwords++;
}

/* What has no place here ends the name, for some: '"a@one.example"] <b@two.example>'. */
static void read_other(struct scan *c, unsigned char o)
{
	if (c->quoted.end && !is_blank((char)o)) {
		end_entry(c);
		c->quoted.end = NULL;
	}
	c->flaws |= o == '>' ? MXW__FROM_BRACKETS : 0;
	c->s++;
}

static unsigned scan(const char *value, size_t len, unsigned ways, struct mxw__from_reading *reading)
{
	struct scan c = {.s = value, .end = value + len, .ways = ways, .reading = reading};

	while (c.s < c.end && !reading->domains.is_over && !reading->is_short) {
		unsigned char o = (unsigned char)*c.s;
		if (o == '"' && (c.ways & KNOWS_QUOTES) && skip_closed(&c, false))
			continue;
		if (o == '(' && (c.ways & KNOWS_COMMENTS) && skip_closed(&c, true))
			continue;
		if (o == '<') {
			read_angle(&c);
		} else if (o == '@') {
			read_at(&c);
		} else if (o == ',' || o == ';' || o == ':') {
			begin_entry(&c);
		} else if (mxw__from_is_word_octet(o)) {
			read_word(&c);
		} else {
			read_other(&c, o);
		}
	}
	end_entry(&c);
	return c.flaws;
}

void mxw__from_read_leniently(const char *value, size_t len, struct mxw__from_reading *reading)
{
	const unsigned knows_all = KNOWS_QUOTES | KNOWS_BACKSLASHES | KNOWS_COMMENTS;
	const unsigned prefers = reading->nangles + reading->naddresses ? 0 : PREFERS;
	struct mxw__buf decoded;

	unsigned flaws = scan(value, len, knows_all | TAKES_BARE | prefers, reading);
	if (memchr(value, '(', len))
		scan(value, len, KNOWS_QUOTES | KNOWS_BACKSLASHES | (flaws & MXW__FROM_COMMENT ? TAKES_BARE : 0), reading);
	if (memchr(value, '\\', len))
		scan(value, len, KNOWS_QUOTES | KNOWS_COMMENTS, reading);
	if (flaws & MXW__FROM_QUOTES)
		scan(value, len, KNOWS_COMMENTS | TAKES_BARE, reading);
	mxw__buf_init(&decoded, len + 1);
	if (mxw__from_decode_words(value, len, &decoded)) {
		size_t n = reading->domains.n;
		scan(mxw__buf_str(&decoded), decoded.len, knows_all | TAKES_LISTED, reading);
		if (reading->domains.n == 0)
			mxw__from_take_anything(mxw__buf_str(&decoded), decoded.len, reading);
		flaws |= reading->domains.n > n ? MXW__FROM_ENCODED : 0;
	}
	/* "Anna Berg anna@example.net" has no address where one belongs, and some would find it all the same. */
	if (reading->domains.n == 0)
		mxw__from_take_anything(value, len, reading);
	reading->is_short |= decoded.failed;
	mxw__buf_fini(&decoded);
	reading->flaws |= flaws;
}
