/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies: from a template ("550 5.1.1 <{rcpt}>: no such recipient here") to code, enhanced code and text.
 *
 * Standards: RFC 5321 section 4.2 (reply codes, 512 octets in a line), RFC 3463 (enhanced codes).
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/policy/rules.h"

enum {
	VALUE_MAX = 80,         /* of one filled in value, octets */
	EXPLANATION_MAX = 240,  /* of one that is a sentence; the line has room for one such */
	TEXT_MAX = 480,         /* code, enhanced code and CRLF must fit into the line too */
	TEMPLATE_MAX = 400,
	NAME_LEN_MAX = 40,
	LOG_VALUE_MAX = 64,
	SEVERAL_MAX = 120,      /* of a fact in the log, from where on no further value of it is shown */
};

static const struct {
	int code;
	const char *enhanced;
	const char *text;
	char class;
} defaults[] = {
	[MXW_ACTION_DEFER] = {451, "4.7.1", "Temporarily refused, try again later ({session})", '4'},
	[MXW_ACTION_REJECT] = {550, "5.7.1", "Refused by local policy ({session})", '5'},
	[MXW_ACTION_DISCONNECT] = {421, "4.7.0", "Closing the connection, try again later ({session})", '4'},
	[MXW_ACTION_DISCARD] = {0, "", "", 0},
	[MXW_ACTION_CONCEAL] = {451, "4.7.1", "Temporarily refused, try again later ({session})", '4'},
	[MXW_ACTION_GREYLIST] = {450, "4.7.1", "Greylisted, try again later ({session})", '4'},
	/* Nobody is told but the MTA: a reason. */
	[MXW_ACTION_HOLD] = {0, "", "Held by local policy ({session})", 0},
};

static bool has_reply(mxw_action_t action)
{
	return (size_t)action < MXW_ARRAY_LEN(defaults) && defaults[action].code != 0;
}

/* ---- reading a template ---- */

struct parts {
	int code;               /* 0: none given */
	char enhanced[12];      /* "": none given */
	const char *text;       /* what follows them */
};

/* "550" before a blank or the end. */
static const char *read_code(const char *s, int *ret_code)
{
	if (!mxw__ascii_isdigit(s[0]) || !mxw__ascii_isdigit(s[1]) || !mxw__ascii_isdigit(s[2]) ||
	    (s[3] != ' ' && s[3] != '\0'))
		return s;
	*ret_code = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
	return s + 3 + strspn(s + 3, " ");
}

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* "5.1.1": class, subject of 1 to 3 digits, detail of 1 to 3 digits. */
static const char *read_enhanced(const char *s, char enhanced[12])
{
	size_t n = digits(s);
	if (n != 1 || s[n] != '.')
		return s;
	size_t m = digits(s + n + 1);
	if (m < 1 || m > 3 || s[n + 1 + m] != '.')
		return s;
	size_t k = digits(s + n + m + 2);
	size_t len = n + m + k + 2;
	if (k < 1 || k > 3 || (s[len] != ' ' && s[len] != '\0'))
		return s;
	memcpy(enhanced, s, len);
	enhanced[len] = '\0';
	return s + len + strspn(s + len, " ");
}

static void split(const char *template, struct parts *ret)
{
	*ret = (struct parts){0};
	ret->text = read_code(template, &ret->code);
	ret->text = read_enhanced(ret->text, ret->enhanced);
}

/* What comes next in a text. */
enum piece { PIECE_END, PIECE_CHAR, PIECE_NAME, PIECE_BAD };

/* Reads one character, "{{", "}}" or "{name}" and moves on. */
static enum piece next_piece(const char **s, char *ret_char, char name[NAME_LEN_MAX + 1])
{
	const char *p = *s;

	if (!*p)
		return PIECE_END;
	if ((*p == '{' || *p == '}') && p[1] == *p) {
		*ret_char = *p;
		*s = p + 2;
		return PIECE_CHAR;
	}
	if (*p == '}')
		return PIECE_BAD;
	if (*p != '{') {
		*ret_char = *p;
		*s = p + 1;
		return PIECE_CHAR;
	}
	size_t len = strcspn(p + 1, "{}");
	if (len == 0 || len > NAME_LEN_MAX || p[1 + len] != '}')
		return PIECE_BAD;
	memcpy(name, p + 1, len);
	name[len] = '\0';
	*s = p + len + 2;
	return PIECE_NAME;
}

static const char *const var_names[] = {"client", "helo", "sender", "rcpt", "session"};

static const char *var_value(const struct mxw__reply_vars *vars, size_t i)
{
	const char *const values[] = {vars->client, vars->helo, vars->sender, vars->rcpt, vars->session};
	return values[i] ? values[i] : "";
}

/* The index of a variable; its number if there is none. A variable hides the fact of the same name. */
static size_t find_var(const char *name)
{
	size_t i = 0;

	while (i < MXW_ARRAY_LEN(var_names) && strcmp(var_names[i], name) != 0)
		i++;
	return i;
}

/* ---- checking ---- */

static mxw_status_t check_name(const char *name, struct mxw_error *err)
{
	const char *near = NULL;
	unsigned best = UINT_MAX;

	if (find_var(name) < MXW_ARRAY_LEN(var_names) || mxw_fact_find(name) != MXW_FACT_NONE)
		return MXW_OK;
	for (size_t i = 0; i < MXW_ARRAY_LEN(var_names); i++)
		if (mxw__name_is_nearer(name, var_names[i], &best))
			near = var_names[i];
	for (mxw_fact_id_t id = 0; id < MXW__FACT_COUNT; id++)
		if (mxw__name_is_nearer(name, mxw__fact_table[id].name, &best))
			near = mxw__fact_table[id].name;
	if (near)
		return mxw__fail(err, MXW_ERR_CONF, "there is no variable or fact '%s'; did you mean '{%s}'?", name, near);
	return mxw__fail(err, MXW_ERR_CONF,
			 "there is no variable or fact '%s'; {client}, {helo}, {sender}, {rcpt}, {session} or a fact was expected",
			 name);
}

mxw_status_t mxw__text_check(const char *text, struct mxw_error *err)
{
	char c = 0, name[NAME_LEN_MAX + 1];

	for (;;) {
		switch (next_piece(&text, &c, name)) {
		case PIECE_END:
			return MXW_OK;
		case PIECE_CHAR:
			if ((unsigned char)c < ' ' || (unsigned char)c >= 0x7f)
				return mxw__fail(err, MXW_ERR_CONF, "a reply has printable ASCII characters only");
			break;
		case PIECE_NAME: {
			mxw_status_t status = check_name(name, err);
			if (status != MXW_OK)
				return status;
			break;
		}
		case PIECE_BAD:
			return mxw__fail(err, MXW_ERR_CONF,
					 "a brace without its pair at '%.20s'; write {name}, or {{ and }} for braces", text);
		}
	}
}

static mxw_status_t check_code(mxw_action_t action, const struct parts *parts, struct mxw_error *err)
{
	int code = parts->code;

	if (action == MXW_ACTION_REJECT && (code < 500 || code > 559))
		return mxw__fail(err, MXW_ERR_CONF, "%d is no code to reject with; 5xx was expected", code);
	if (action == MXW_ACTION_DISCONNECT && code != 421)
		return mxw__fail(err, MXW_ERR_CONF, "%d is no code to disconnect with; 421 was expected", code);
	bool is_deferral = action == MXW_ACTION_DEFER || action == MXW_ACTION_GREYLIST;
	if (is_deferral && code == 421)
		return mxw__fail(err, MXW_ERR_CONF,
				 "421 makes the MTA close the connection: that is 'disconnect'; another 4xx was expected");
	if (is_deferral && (code < 400 || code > 459))
		return mxw__fail(err, MXW_ERR_CONF, "%d is no code to defer with; 4xx was expected", code);
	if (action == MXW_ACTION_CONCEAL && (code == 421 || code < 400 || (code > 459 && code < 500) || code > 559))
		return mxw__fail(err, MXW_ERR_CONF, "%d is no code to conceal with; 4xx but 421, or 5xx, was expected", code);
	return MXW_OK;
}

mxw_status_t mxw__reply_check(mxw_action_t action, const char *reply, struct mxw_error *err)
{
	struct parts parts;

	if (action == MXW_ACTION_HOLD && strlen(reply) <= TEMPLATE_MAX)
		return mxw__text_check(reply, err);
	if (!has_reply(action) && action != MXW_ACTION_HOLD)
		return mxw__fail(err, MXW_ERR_CONF, "'%s' takes no reply", mxw_action_name(action));
	if (strlen(reply) > TEMPLATE_MAX)
		return mxw__fail(err, MXW_ERR_CONF, "a reply has at most %d characters", TEMPLATE_MAX);
	split(reply, &parts);
	mxw_status_t status = parts.code ? check_code(action, &parts, err) : MXW_OK;
	if (status != MXW_OK)
		return status;
	/* A concealing rule may go either way: as its code says. */
	char class = action == MXW_ACTION_CONCEAL && parts.code >= 500 ? '5' : defaults[action].class;
	if (parts.enhanced[0] && parts.enhanced[0] != class)
		return mxw__fail(err, MXW_ERR_CONF, "enhanced code %s does not belong to '%s'; %c.x.y was expected",
				 parts.enhanced, mxw_action_name(action), class);
	return mxw__text_check(parts.text, err);
}

bool mxw__reply_is_late(const char *reply)
{
	struct parts parts = {0};

	if (reply)
		split(reply, &parts);
	return parts.code >= 500;
}

void mxw__reply_facts(const char *reply, struct mxw__fact_bits *bits)
{
	struct parts parts;
	char c, name[NAME_LEN_MAX + 1];

	split(reply, &parts);
	for (;;) {
		enum piece piece = next_piece(&parts.text, &c, name);
		if (piece == PIECE_END || piece == PIECE_BAD)
			return;
		if (piece == PIECE_NAME && find_var(name) == MXW_ARRAY_LEN(var_names)) {
			mxw_fact_id_t id = mxw_fact_find(name);
			if (id != MXW_FACT_NONE)
				mxw__fact_bits_add(bits, id);
		}
	}
}

/* ---- making ---- */

/* All that is known of a fact that may be stated several times: "zen, own". NULL: not more than one. To be freed. */
static char *join_values(const mxw_facts_t *facts, mxw_fact_id_t id)
{
	struct mxw__buf all;
	size_t n = 0;

	mxw__buf_init(&all, 2 * VALUE_MAX);
	for (size_t i = mxw__facts_index(facts, id, 0); i < facts->n; i = mxw__facts_index(facts, id, i + 1)) {
		if (facts->values[i].is_unavailable)
			continue;
		mxw__buf_adds(&all, n++ ? ", " : "");
		mxw__buf_adds(&all, mxw__fact_text(facts, &facts->values[i]));
	}
	char *text = n > 1 ? strdup(mxw__buf_str(&all)) : NULL;
	mxw__buf_fini(&all);
	return text;
}

static void add_value(struct mxw__buf *buf, const char *name, const mxw_facts_t *facts,
		      const struct mxw__reply_vars *vars)
{
	size_t i = find_var(name);
	char *joined = NULL;
	const char *value = i < MXW_ARRAY_LEN(var_names) ? var_value(vars, i) : NULL;

	if (!value) {
		mxw_fact_id_t id = mxw_fact_find(name);
		joined = id != MXW_FACT_NONE ? join_values(facts, id) : NULL;
		value = joined ? joined : id != MXW_FACT_NONE ? mxw_facts_get(facts, id) : NULL;
	}
	if (!value)
		return;
	size_t room = buf->max - buf->len, max = strcmp(name, "spf.explanation") == 0 ? EXPLANATION_MAX : VALUE_MAX;
	mxw__buf_add_reply(buf, value, room < max ? room : max);
	if (strlen(value) > max && buf->max - buf->len >= 3)
		mxw__buf_adds(buf, "...");
	free(joined);
}

void mxw__text_expand(const char *text, const mxw_facts_t *facts, const struct mxw__reply_vars *vars, size_t max,
		      struct mxw__buf *ret_buf)
{
	char c, name[NAME_LEN_MAX + 1];

	mxw__buf_init(ret_buf, max);
	for (;;) {
		enum piece piece = next_piece(&text, &c, name);
		if (piece == PIECE_END || piece == PIECE_BAD)
			break;
		if (piece == PIECE_NAME)
			add_value(ret_buf, name, facts, vars);
		else
			mxw__buf_add_reply(ret_buf, (const char[]){c, '\0'}, 1);
	}
	/* A value at the end may be absent. */
	while (ret_buf->len && ret_buf->data[ret_buf->len - 1] == ' ')
		ret_buf->data[--ret_buf->len] = '\0';
}

static void expand(const char *text, const mxw_facts_t *facts, const struct mxw__reply_vars *vars, char *ret_text)
{
	struct mxw__buf buf;

	mxw__text_expand(text, facts, vars, TEXT_MAX, &buf);
	snprintf(ret_text, MXW_REPLY_MAX, "%s", mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
}

void mxw__reply_make(const struct mxw_decision *decision, const mxw_facts_t *facts, const struct mxw__reply_vars *vars,
		     struct mxw_verdict *ret_verdict)
{
	struct mxw_verdict v = {.action = decision->action, .decided = decision->action, .rule = decision->rule,
				.file = decision->file, .line = decision->line};
	struct mxw__buf buf;

	if (vars->session)
		snprintf(v.session, sizeof v.session, "%s", vars->session);
	mxw__buf_init(&buf, sizeof v.facts - 1);
	mxw__decision_facts(decision, facts, &buf);
	snprintf(v.facts, sizeof v.facts, "%s", mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
	if (decision->action == MXW_ACTION_HOLD)
		expand(decision->reply ? decision->reply : defaults[MXW_ACTION_HOLD].text, facts, vars, v.text);
	if (has_reply(decision->action)) {
		struct parts parts;
		split(decision->reply ? decision->reply : "", &parts);
		v.code = parts.code ? parts.code : defaults[decision->action].code;
		/* Only a concealing rule may have a code of another class than its action's default. */
		bool is_late = decision->action == MXW_ACTION_CONCEAL && v.code >= 500;
		mxw_action_t like = is_late ? MXW_ACTION_REJECT : decision->action;
		snprintf(v.enhanced, sizeof v.enhanced, "%s", parts.enhanced[0] ? parts.enhanced : defaults[like].enhanced);
		expand(parts.text[0] ? parts.text : defaults[like].text, facts, vars, v.text);
	}
	*ret_verdict = v;
}

static void add_statement(struct mxw__buf *buf, const mxw_facts_t *facts, const struct mxw__fact_value *v)
{
	const char *text = mxw__fact_text(facts, v);

	if (v->is_unavailable)
		mxw__buf_addc(buf, '?');
	if (!v->is_unavailable || v->len)
		mxw__buf_add_logvalue(buf, text, v->len, LOG_VALUE_MAX);
}

/*
 * One fact as "name=value", or "name=value,?value" if it was stated several times, as far as they are short; '?' before one that is
 * unavailable, '-' for one that nobody stated.
 */
static void add_fact(struct mxw__buf *buf, const mxw_facts_t *facts, mxw_fact_id_t id)
{
	size_t i = mxw__facts_index(facts, id, 0);

	mxw__buf_addf(buf, "%s=", mxw__fact_table[id].name);
	if (i == facts->n) {
		mxw__buf_addc(buf, mxw_facts_is_unavailable(facts, id) ? '?' : '-');
		return;
	}
	add_statement(buf, facts, &facts->values[i]);
	while ((i = mxw__facts_index(facts, id, i + 1)) < facts->n) {
		if (buf->len + 4 * facts->values[i].len > SEVERAL_MAX) {
			mxw__buf_adds(buf, ",...");
			return;
		}
		mxw__buf_addc(buf, ',');
		add_statement(buf, facts, &facts->values[i]);
	}
}

void mxw__decision_facts(const struct mxw_decision *decision, const mxw_facts_t *facts, struct mxw__buf *buf)
{
	struct mxw__buf one;

	/* Longest: a name, and each octet of the value as \xHH. What does not fit is left out whole. */
	mxw__buf_init(&one, NAME_LEN_MAX + 4 * LOG_VALUE_MAX + 16);
	for (size_t i = 0; i < decision->nfacts; i++) {
		mxw__buf_clear(&one);
		if (buf->len)
			mxw__buf_addc(&one, ' ');
		add_fact(&one, facts, decision->facts[i]);
		if (one.failed || one.len > buf->max - buf->len)
			break;
		mxw__buf_add(buf, one.data, one.len);
	}
	mxw__buf_fini(&one);
}
