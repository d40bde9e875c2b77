/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * received.c: a Received field as a whole.
 *
 * It is cut into words, comments and things in angle brackets, and these must come as
 *
 *	from HOST comments  by NAME comments  [via X] [with X] [id X] [for X] ...  ; date
 *
 * with every part once: a stranger who puts the rest of a field into his HELO name can't take away the real rest that the server
 * writes behind it, so there is then a part too many, a parenthesis or bracket too few, or something behind the date.
 */
#include "config.h"

#include <string.h>

#include "src/mail/received.h"

enum { COMMENTS_MAX = 8, DATE_MAX = 100 };

/* ---- the field, cut up ---- */

struct field {
	struct mxw__span host;         /* behind "from" */
	struct mxw__span comments[COMMENTS_MAX];
	size_t ncomments;
	struct mxw__span by;
	char protocol[MXW__RECEIVED_PROTOCOL_MAX + 1];
	bool is_exim, is_communigate;  /* by what stands behind "by", where no client's words are */
	bool is_from_browser;
};

static bool read_from(const char **s, struct field *f)
{
	struct mxw__item item = mxw__item_next(s);

	if (!mxw__item_is_word(&item, "from"))
		return false;
	item = mxw__item_next(s);
	if (item.kind != MXW__ITEM_WORD || mxw__span_is(item.text, "by"))
		return false;
	f->host = item.text;
	while ((item = mxw__item_next(s)).kind == MXW__ITEM_COMMENT && f->ncomments < COMMENTS_MAX)
		f->comments[f->ncomments++] = item.text;
	if (!mxw__item_is_word(&item, "by"))
		return false;
	item = mxw__item_next(s);
	f->by = item.text;
	return item.kind == MXW__ITEM_WORD;
}

static void read_by_comment(struct field *f, struct mxw__span text)
{
	f->is_exim |= mxw__span_begins(text, "Exim ");
	f->is_communigate |= mxw__span_begins(text, "CommuniGate Pro");
}

static void add_protocol(struct field *f, struct mxw__span word)
{
	size_t n = strlen(f->protocol);

	if (n + word.len + 2 > sizeof f->protocol)
		return;
	if (n)
		f->protocol[n++] = ' ';
	memcpy(f->protocol + n, word.s, word.len);
	f->protocol[n + word.len] = '\0';
}

/* What the clauses behind "by" are in the midst of. */
enum clause { CLAUSE_BY, CLAUSE_VIA, CLAUSE_WITH, CLAUSE_ID, CLAUSE_FOR };

/* The clause that a word begins; -1 if it begins none. */
static int clause_of(struct mxw__span word)
{
	static const char *const words[] = {[CLAUSE_VIA] = "via", [CLAUSE_WITH] = "with", [CLAUSE_ID] = "id", [CLAUSE_FOR] = "for"};

	for (int c = CLAUSE_VIA; c <= CLAUSE_FOR; c++)
		if (mxw__span_is(word, words[c]))
			return c;
	return -1;
}

static bool is_of_mail(struct mxw__span word)
{
	return mxw__span_has(word, "SMTP") || mxw__span_has(word, "LMTP");
}

static void read_clause_word(struct field *f, enum clause clause, struct mxw__span word)
{
	if (clause == CLAUSE_WITH)
		add_protocol(f, word);
	else if (clause == CLAUSE_VIA && (mxw__span_is(word, "HTTP") || mxw__span_is(word, "HTTPS")))
		f->is_from_browser = true;
}

/* Everything from "by NAME" to the date. */
static bool read_clauses(const char **s, struct field *f)
{
	enum clause clause = CLAUSE_BY;
	unsigned seen = 0;
	bool wants_value = false;

	for (;;) {
		struct mxw__item item = mxw__item_next(s);
		if (item.kind == MXW__ITEM_SEMICOLON)
			return !wants_value;
		if (item.kind == MXW__ITEM_BAD || item.kind == MXW__ITEM_END)
			return false;
		/* "id" and "for" are followed by their value, and by nothing of which a client's HELO name may have cut them off. */
		if (wants_value && item.kind == MXW__ITEM_COMMENT)
			return false;
		if (item.kind == MXW__ITEM_COMMENT)
			read_by_comment(f, item.text);
		bool is_value = wants_value;
		wants_value = false;
		if (item.kind != MXW__ITEM_WORD || is_value)
			continue;
		if (mxw__item_is_word(&item, "from") || mxw__item_is_word(&item, "by"))
			return false;
		int begun = clause_of(item.text);
		if (begun < 0) {
			read_clause_word(f, clause, item.text);
			continue;
		}
		/* "with ESMTP with STARTTLS": Mimecast. All others come once. */
		if (begun != CLAUSE_WITH && (seen >> begun & 1))
			return false;
		seen |= 1u << begun;
		clause = (enum clause)begun;
		wants_value = clause == CLAUSE_ID || clause == CLAUSE_FOR;
	}
}

/* Nothing but a date, and perhaps the name of its zone. */
static bool is_date(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,:+-. \t\r\n";
	size_t n = strspn(s, allowed);

	if (n == 0 || n > DATE_MAX)
		return false;
	s += n;
	if (*s == '(') {
		/* "(CEST)", "(GMT+01:00)": no colons and dots enough for an address. */
		n = strcspn(++s, ")");
		if (s[n] != ')' || n > 40 || strspn(s, allowed) != n || memchr(s, '.', n))
			return false;
		s += n + 1;
		s += strspn(s, " \t\r\n");
	}
	return *s == '\0';
}

/* ---- what it says ---- */

static void copy(char *to, struct mxw__span from, size_t max)
{
	size_t n = from.len < max ? from.len : max;

	memcpy(to, from.s, n);
	to[n] = '\0';
}

/* The comments behind the host, understood. */
struct comments {
	unsigned nhosts, nfirst, nhelos, naccounts, nexim;
	struct mxw_ip ip;
	struct mxw__span name, helo;
	bool is_helo_first, has_others;
	bool is_authenticated;
};

/* One that has no address and no name. Those that say who the client is come first. */
static bool read_other(const struct mxw__span text, bool is_first, struct comments *c)
{
	c->has_others = true;
	c->is_authenticated |= mxw__span_begins(text, "authenticated") || mxw__span_begins(text, "User authenticated") ||
			       mxw__span_begins(text, "AUTH");
	return !is_first;
}

static bool read_comment_of(const struct mxw__span text, bool is_first, struct comments *c)
{
	struct mxw_ip ip = {0};
	struct mxw__span name, helo;
	mxw__received_comment_t kind = mxw__received_comment(text, &ip, &name, &helo);

	if (kind == MXW__RECEIVED_UNKNOWN)
		return false;
	if (kind == MXW__RECEIVED_OTHER)
		return read_other(text, is_first, c);
	c->nhosts += kind == MXW__RECEIVED_HOST;
	c->nfirst += kind == MXW__RECEIVED_HOST_FIRST;
	c->nhelos += kind == MXW__RECEIVED_HELO;
	c->naccounts += kind == MXW__RECEIVED_ACCOUNT;
	c->nexim += kind == MXW__RECEIVED_EXIM;
	c->is_helo_first |= kind == MXW__RECEIVED_HELO && is_first;
	if (ip.family)
		c->ip = ip;
	if (name.len)
		c->name = name;
	if (helo.len)
		c->helo = helo;
	return !c->has_others;
}

static bool read_comments(const struct field *f, struct comments *c)
{
	for (size_t i = 0; i < f->ncomments; i++)
		if (!read_comment_of(f->comments[i], i == 0, c))
			return false;
	return true;
}

static bool same_ip(const struct mxw_ip *a, const struct mxw_ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* NAME (HELO word) (ADDRESS): the host is the server's own word, a name, or the very address. */
static bool take_helo_form(const struct field *f, struct comments *c)
{
	struct mxw_ip ip;

	if (c->nhosts != 1 || c->nhelos != 1 || !c->is_helo_first)
		return false;
	if (mxw__received_address(f->host, false, &ip))
		return same_ip(&ip, &c->ip);
	c->name = mxw__span_is(f->host, "unknown") ? (struct mxw__span){f->host.s, 0} : f->host;
	return true;
}

/*
 * [ADDRESS], with a comment that has no address of its own. Where that is a server's form and not the client's HELO name, is
 * known of two only.
 */
static bool take_host_form(const struct field *f, struct comments *c)
{
	unsigned n = c->nhelos + c->naccounts + c->nexim;

	if (n > 1 || !mxw__received_address(f->host, true, &c->ip))
		return false;
	return c->nhelos || c->naccounts ? f->is_communigate : f->is_exim;
}

static bool take_address(const struct field *f, struct comments *c)
{
	unsigned nhosts = c->nhosts + c->nfirst, nhelos = c->nhelos + c->naccounts + c->nexim;

	/* Where the HELO name stands behind the address, nothing follows it: what does may be the client's own. */
	if (c->has_others && !c->nhosts)
		return false;
	if (nhosts == 0)
		return take_host_form(f, c);
	if (nhosts > 1 || nhelos > 1)
		return false;
	if (nhelos)
		return take_helo_form(f, c);
	if (c->nhosts) {
		c->helo = f->host;
	} else {
		/* The server has looked the name up. Without another one, it is the HELO name, too. */
		c->name = f->host;
		if (!c->helo.len)
			c->helo = f->host;
	}
	return true;
}

/* SMTP in one of its kinds. What was fetched, or written with a browser, came from no client. */
static bool is_mail_protocol(const char *protocol)
{
	struct mxw__span p = {protocol, strlen(protocol)};

	return p.len == 0 || is_of_mail(p) || mxw__span_begins(p, "Trustwave SEG") || mxw__span_begins(p, "MailMarshal");
}

/*
 * RFC 3848, RFC 6531: ESMTPA, ESMTPSA, UTF8SMTPSA; Exim has them in lower case. Only the first such word counts: a sender's address may come
 * behind it.
 */
static bool says_authenticated(const char *protocol)
{
	size_t n = strcspn(protocol, " /");
	struct mxw__span p = {protocol, n};

	return n > 5 && is_of_mail(p) && mxw__ascii_lower(protocol[n - 1]) == 'a';
}

/* "(qmail 1234 invoked from network); date": qmail has the client in the next field. */
static bool is_queue_note(const char *s)
{
	struct mxw__item item = mxw__item_next(&s);
	static const char network[] = "invoked from network";

	if (item.kind != MXW__ITEM_COMMENT || !mxw__span_begins(item.text, "qmail "))
		return false;
	size_t digits = 0;
	while (6 + digits < item.text.len && mxw__ascii_isdigit(item.text.s[6 + digits]))
		digits++;
	struct mxw__span rest = {item.text.s + 6 + digits, item.text.len - 6 - digits};
	if (!digits || rest.len < 2 || *rest.s != ' ' || !mxw__span_is((struct mxw__span){rest.s + 1, rest.len - 1}, network))
		return false;
	return mxw__item_next(&s).kind == MXW__ITEM_SEMICOLON && is_date(s);
}

static bool is_readable(const char *value)
{
	size_t len = strnlen(value, MXW__RECEIVED_MAX + 1);

	if (len > MXW__RECEIVED_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)value[i] < ' ' && !mxw__ascii_isspace(value[i])) || value[i] == 0x7f)
			return false;
	return true;
}

void mxw__received_parse(const char *value, struct mxw__received *ret_received)
{
	struct mxw__received *r = ret_received;
	struct field f = {0};
	struct comments c = {.name = {value, 0}, .helo = {value, 0}};
	const char *s = value;

	*r = (struct mxw__received){.kind = MXW__RECEIVED_UNREADABLE};
	if (!is_readable(value))
		return;
	if (is_queue_note(value)) {
		r->kind = MXW__RECEIVED_QUEUE;
		return;
	}
	if (!read_from(&s, &f) || !read_clauses(&s, &f) || !is_date(s) || !read_comments(&f, &c))
		return;
	if (!take_address(&f, &c) || f.is_from_browser || !is_mail_protocol(f.protocol))
		return;
	r->kind = MXW__RECEIVED_CLIENT;
	r->address = c.ip;
	r->is_authenticated = c.naccounts || c.is_authenticated || says_authenticated(f.protocol);
	copy(r->helo, c.helo, MXW__RECEIVED_NAME_MAX);
	copy(r->name, c.name, MXW__RECEIVED_NAME_MAX);
	copy(r->by, f.by, MXW__RECEIVED_NAME_MAX);
	memcpy(r->protocol, f.protocol, sizeof r->protocol);
}
