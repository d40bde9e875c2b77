/* SPDX-License-Identifier: BSD-2-Clause */
/* from_strict.c: the From field by RFC 5322, with groups (RFC 6854), octets beyond ASCII (RFC 6532) and obsolete forms. */
#include "config.h"

#include <string.h>

#include "src/mail/from_parts.h"

/* A field on the way. `bad` is for good: nothing is read on. */
struct cursor {
	const char *s, *end;
	bool is_bad;
	size_t ncomments;
	struct mxw__from_reading *reading;
};

/* The words at the start of an entry of the list: they may turn out a display name, the name of a group, or a local part. */
struct words {
	char text[MXW__LOCAL_MAX + 1];   /* as a local part */
	size_t len;
	bool is_long;
	bool is_local;                   /* words and dots in turn */
	bool is_phrase;                  /* begins with a word */
	char last;                       /* 'w' word, '.' dot, 0 nothing yet */
	size_t ncomments;                /* seen before the first word */
};

bool mxw__from_is_atext(unsigned char c)
{
	return mxw__ascii_isalnum((char)c) || c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_control(unsigned char c)
{
	return (c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

static void fail(struct cursor *c, unsigned flaw)
{
	if (!c->is_bad)
		c->reading->flaws |= flaw | MXW__FROM_SYNTAX;
	c->is_bad = true;
}

static bool at(const struct cursor *c, char wanted)
{
	return !c->is_bad && c->s < c->end && *c->s == wanted;
}

/* CRLF or LF, and a blank or tab: MTAs hand a fold over in either form. */
static size_t fold_len(const struct cursor *c)
{
	size_t n = *c->s == '\r' ? 1 : 0;

	if (c->s + n < c->end && c->s[n] == '\n' && c->s + n + 1 < c->end && (c->s[n + 1] == ' ' || c->s[n + 1] == '\t'))
		return n + 1;
	return 0;
}

/* One octet of a comment or quoted string; a line end that is no fold, and a control, have no place there. */
static void step(struct cursor *c)
{
	if (*c->s == '\r' || *c->s == '\n') {
		size_t n = fold_len(c);
		if (n == 0)
			fail(c, MXW__FROM_LINE_ENDS);
		c->s += n;
		return;
	}
	if (is_control((unsigned char)*c->s))
		fail(c, MXW__FROM_CONTROL);
	c->s++;
}

static void skip_comment(struct cursor *c)
{
	size_t depth = 0;

	c->ncomments++;
	while (!c->is_bad && c->s < c->end) {
		if (*c->s == '(')
			depth++;
		else if (*c->s == ')' && --depth == 0)
			break;
		if (*c->s == '\\' && c->s + 1 < c->end)
			c->s++;
		step(c);
	}
	if (at(c, ')'))
		c->s++;
	else
		fail(c, MXW__FROM_COMMENT);
}

/* Comments and folding white space. */
static void skip_cfws(struct cursor *c)
{
	while (!c->is_bad && c->s < c->end) {
		if (*c->s == '(')
			skip_comment(c);
		else if (*c->s == ' ' || *c->s == '\t')
			c->s++;
		else if (*c->s == '\r' || *c->s == '\n')
			step(c);
		else
			break;
	}
}

static void add_to_words(struct words *w, char c)
{
	if (w->len < MXW__LOCAL_MAX)
		w->text[w->len++] = c;
	else
		w->is_long = true;
	w->text[w->len] = '\0';
}

static void read_quoted(struct cursor *c, struct words *w)
{
	for (c->s++; !c->is_bad && c->s < c->end && *c->s != '"';) {
		if (*c->s == '\\' && c->s + 1 < c->end)
			c->s++;
		const char *from = c->s;
		step(c);
		if (*from != '\r' && *from != '\n')
			add_to_words(w, *from);
	}
	if (at(c, '"'))
		c->s++;
	else
		fail(c, MXW__FROM_QUOTES);
}

static void read_word(struct cursor *c, struct words *w)
{
	if (w->last == 0)
		w->ncomments = c->ncomments;
	w->is_local &= w->last != 'w';
	w->last = 'w';
	if (*c->s == '"') {
		read_quoted(c, w);
		return;
	}
	while (c->s < c->end && mxw__from_is_atext((unsigned char)*c->s))
		add_to_words(w, *c->s++);
}

/* Words and dots, up to what says what they are. */
static void read_words(struct cursor *c, struct words *w)
{
	*w = (struct words){.is_local = true, .is_phrase = true};
	for (;;) {
		skip_cfws(c);
		if (c->is_bad || c->s == c->end)
			return;
		if (*c->s == '.') {
			w->is_local &= w->last == 'w';
			w->is_phrase &= w->last != 0;
			w->last = '.';
			add_to_words(w, *c->s++);
		} else if (*c->s == '"' || mxw__from_is_atext((unsigned char)*c->s)) {
			read_word(c, w);
		} else {
			return;
		}
	}
}

static size_t read_literal(struct cursor *c, char *out, size_t size)
{
	size_t n = 0;

	while (c->s < c->end && *c->s != ']' && n + 1 < size)
		out[n++] = *c->s++;
	if (at(c, ']') && n + 1 < size)
		out[n++] = *c->s++;
	else
		fail(c, 0);
	return n;
}

/* Atoms and dots; in the obsolete form there may be comments and blanks around each. What follows the last one is not taken. */
static size_t read_dots(struct cursor *c, char *out, size_t size)
{
	size_t n = 0;

	for (;;) {
		const char *start = c->s;
		for (; c->s < c->end && mxw__from_is_atext((unsigned char)*c->s); c->s++)
			if (n < size)
				out[n++] = *c->s;
		if (c->s == start || n == size) {
			fail(c, 0);
			return n;
		}
		struct cursor ahead = *c;
		skip_cfws(&ahead);
		if (!at(&ahead, '.'))
			return n;
		if (ahead.ncomments > c->ncomments)
			c->reading->flaws |= MXW__FROM_COMMENT;
		*c = ahead;
		out[n++] = *c->s++;
		size_t before = c->ncomments;
		skip_cfws(c);
		if (c->is_bad)
			return n;
		if (c->ncomments > before)
			c->reading->flaws |= MXW__FROM_COMMENT;
	}
}

/* From the @ on. `ret_name` in the form in which it is compared. */
static void read_domain(struct cursor *c, char ret_name[MXW__DOMAIN_MAX + 1])
{
	char text[MXW__DOMAIN_MAX + 1];
	size_t before = c->ncomments;

	c->s++;
	skip_cfws(c);
	if (c->is_bad)
		return;
	if (c->ncomments > before)
		c->reading->flaws |= MXW__FROM_COMMENT;
	size_t len = at(c, '[') ? read_literal(c, text, sizeof text) : read_dots(c, text, sizeof text);
	if (!c->is_bad && !mxw__from_add_domain(c->reading, text, len, ret_name))
		fail(c, 0);
}

/* "host.example!user" or "user%host.example". */
static bool has_hop(const char *local)
{
	const char *bang = strchr(local, '!'), *percent = strrchr(local, '%');

	return (bang && memchr(local, '.', (size_t)(bang - local))) || (percent && strchr(percent, '.'));
}

static void add_address(struct cursor *c, const struct words *w, const char *domain)
{
	struct mxw__from_reading *r = c->reading;
	char text[MXW__ADDRESS_MAX + 1];

	if (!mxw__address_write(text, sizeof text, w->text, domain) || w->is_long)
		text[0] = '\0';
	r->nmailboxes++;
	/* The same address again, in a second field for one, is still one. */
	if (r->naddresses == 0) {
		memcpy(r->address, text, sizeof text);
		memcpy(r->domain, domain, strlen(domain) + 1);
		r->naddresses = 1;
	} else if (strcmp(r->address, text) != 0 || !*text) {
		r->naddresses++;
	}
	if (has_hop(w->text))
		r->flaws |= MXW__FROM_ROUTE;
}

/* What stands before the @ is in `w`. */
static void read_addr_spec(struct cursor *c, const struct words *w)
{
	char domain[MXW__DOMAIN_MAX + 1];

	if (!w->is_local || w->last != 'w') {
		fail(c, 0);
		return;
	}
	if (c->ncomments > w->ncomments)
		c->reading->flaws |= MXW__FROM_COMMENT;
	read_domain(c, domain);
	if (!c->is_bad)
		add_address(c, w, domain);
}

/* @one,@two: */
static void read_route(struct cursor *c)
{
	char domain[MXW__DOMAIN_MAX + 1];
	struct mxw__from_reading *reading = c->reading, route = {0};

	c->reading = &route;
	while (!c->is_bad && c->s < c->end && *c->s != ':') {
		if (*c->s == '@')
			read_domain(c, domain);
		else if (*c->s == ',')
			c->s++;
		else
			fail(c, 0);
		skip_cfws(c);
	}
	if (at(c, ':'))
		c->s++;
	else
		fail(c, 0);
	c->reading = reading;
	c->reading->flaws |= MXW__FROM_ROUTE | route.flaws;
}

static void read_angle(struct cursor *c)
{
	struct words w;
	size_t before = c->ncomments;

	c->s++;
	skip_cfws(c);
	if (at(c, '@'))
		read_route(c);
	read_words(c, &w);
	if (at(c, '@'))
		read_addr_spec(c, &w);
	else
		fail(c, at(c, '>') && w.last == 0 ? MXW__FROM_EMPTY : 0);
	skip_cfws(c);
	if (c->ncomments > before)
		c->reading->flaws |= MXW__FROM_COMMENT;
	if (at(c, '>'))
		c->s++;
	else
		fail(c, MXW__FROM_BRACKETS);
}

/* One mailbox, or the head of a group; true for the latter. Empty entries are an obsolete form. */
static bool read_entry(struct cursor *c, bool in_group)
{
	struct words w;

	read_words(c, &w);
	if (c->is_bad)
		return false;
	if (at(c, '@')) {
		read_addr_spec(c, &w);
	} else if (at(c, '<') && w.is_phrase) {
		read_angle(c);
	} else if (at(c, ':') && !in_group && w.is_phrase && w.last) {
		c->s++;
		c->reading->flaws |= MXW__FROM_GROUP;
		return true;
	} else if (w.last) {
		fail(c, 0);
	}
	skip_cfws(c);
	return false;
}

bool mxw__from_read_strictly(const char *value, size_t len, struct mxw__from_reading *reading)
{
	struct cursor c = {.s = value, .end = value + len, .reading = reading};
	bool in_group = false;

	while (!c.is_bad && !reading->is_short) {
		if (read_entry(&c, in_group)) {
			in_group = true;
			continue;
		}
		if (at(&c, ';') && in_group) {
			in_group = false;
			c.s++;
			skip_cfws(&c);
		}
		if (c.is_bad || c.s == c.end)
			break;
		if (at(&c, ','))
			c.s++;
		else
			fail(&c, at(&c, '>') ? MXW__FROM_BRACKETS : 0);
	}
	if (in_group)
		fail(&c, 0);
	return !c.is_bad;
}
