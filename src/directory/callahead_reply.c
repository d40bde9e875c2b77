/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and judging SMTP replies, and writing paths. Pure functions on peer data. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/directory/callahead.h"

/* ---- reading ---- */

void mxw__call_reader_init(struct mxw__call_reader *reader)
{
	reader->len = 0;
	reader->nlines = 0;
	reader->disagrees = false;
	memset(&reader->reply, 0, sizeof reader->reply);
}

/* One to three digits; 1000 and more if there are none or too many. */
static unsigned read_number(const char **s, const char *end)
{
	const char *start = *s;
	unsigned n = 0;

	while (*s < end && mxw__ascii_isdigit(**s) && *s - start < 4)
		n = n * 10 + (unsigned)(*(*s)++ - '0');
	return *s > start && *s - start <= 3 ? n : 1000;
}

/* RFC 2034 section 4: class "." subject "." detail, then a blank or the end; the class is the code's first digit. */
static bool read_enhanced(const char *s, const char *end, unsigned code, unsigned ret_enhanced[3])
{
	unsigned n[3];

	for (int i = 0; i < 3; i++) {
		n[i] = read_number(&s, end);
		if (n[i] > 999 || (i < 2 && (s == end || *s++ != '.')))
			return false;
	}
	if ((s < end && *s != ' ' && *s != '\t') || n[0] != code / 100)
		return false;
	memcpy(ret_enhanced, n, sizeof n);
	return true;
}

static bool is_keyword(const char *text, size_t len, const char *keyword)
{
	size_t n = strlen(keyword);

	return len >= n && mxw__ascii_ncasecmp(text, keyword, n) == 0 && (len == n || text[n] == ' ');
}

static void take_first_line(struct mxw__call_reply *reply, const char *text, size_t len)
{
	size_t n = 0;

	reply->has_enhanced = read_enhanced(text, text + len, reply->code, reply->enhanced);
	while (n < len && n < sizeof reply->name - 1 && text[n] != ' ' && text[n] != '\t')
		n++;
	memcpy(reply->name, text, n);
	reply->name[n] = '\0';
	reply->text_len = len < sizeof reply->text ? len : sizeof reply->text;
	memcpy(reply->text, text, reply->text_len);
}

static void take_next_line(struct mxw__call_reader *reader, const char *text, size_t len)
{
	struct mxw__call_reply *reply = &reader->reply;
	unsigned enhanced[3];

	if (is_keyword(text, len, "STARTTLS"))
		reply->has_starttls = true;
	if (is_keyword(text, len, "SMTPUTF8"))
		reply->has_smtputf8 = true;
	/* A line may have none; but one that has must not say something else. */
	if (read_enhanced(text, text + len, reply->code, enhanced) &&
	    (!reply->has_enhanced || memcmp(enhanced, reply->enhanced, sizeof enhanced) != 0))
		reader->disagrees = true;
}

/* RFC 5321 section 4.2: three digits, then "-" for more, a blank, or nothing. */
static mxw__call_read_t take_line(struct mxw__call_reader *reader)
{
	const char *line = reader->line;
	size_t len = reader->len;

	while (len > 0 && line[len - 1] == '\r')
		len--;
	if (len < 3 || memchr(line, '\0', len) || line[0] < '2' || line[0] > '5' || !mxw__ascii_isdigit(line[1]) ||
	    !mxw__ascii_isdigit(line[2]) || (len > 3 && line[3] != ' ' && line[3] != '-'))
		return MXW__CALL_GARBAGE;
	unsigned code = (unsigned)(line[0] - '0') * 100 + (unsigned)(line[1] - '0') * 10 + (unsigned)(line[2] - '0');
	bool is_last = len == 3 || line[3] == ' ';
	const char *text = len > 4 ? line + 4 : "";
	size_t text_len = len > 4 ? len - 4 : 0;

	if (reader->nlines == 0) {
		reader->reply.code = code;
		take_first_line(&reader->reply, text, text_len);
	} else if (code != reader->reply.code) {
		return MXW__CALL_GARBAGE;
	} else {
		take_next_line(reader, text, text_len);
	}
	if (++reader->nlines > MXW__CALL_LINES_MAX)
		return MXW__CALL_GARBAGE;
	reader->len = 0;
	if (!is_last)
		return MXW__CALL_MORE;
	if (reader->disagrees)
		reader->reply.has_enhanced = false;
	return MXW__CALL_DONE;
}

mxw__call_read_t mxw__call_reader_feed(struct mxw__call_reader *reader, const char *data, size_t len, size_t *ret_used)
{
	mxw__call_read_t state = MXW__CALL_MORE;
	size_t used = 0;

	while (used < len && state == MXW__CALL_MORE) {
		const char *newline = memchr(data + used, '\n', len - used);
		size_t n = newline ? (size_t)(newline - data) - used : len - used;
		if (n > MXW__CALL_LINE_MAX - reader->len) {
			state = MXW__CALL_GARBAGE;
			break;
		}
		memcpy(reader->line + reader->len, data + used, n);
		reader->len += n;
		used += n;
		if (newline) {
			used++;
			state = take_line(reader);
		}
	}
	*ret_used = used;
	return state;
}

/* ---- judging ---- */

/* RFC 3463 section 3.2 and 3.3; the long details are Exchange's. */
static mxw__call_verdict_t judge_enhanced(const struct mxw__call_reply *reply)
{
	unsigned subject = reply->enhanced[1], detail = reply->enhanced[2];

	if (subject == 1) {
		switch (detail) {
		case 1:  /* bad destination mailbox address */
		case 3:  /* bad destination mailbox address syntax */
		case 10: /* Exchange: recipient not found */
			return MXW__CALL_UNKNOWN;
		case 0:  /* other address status: Postfix says so of senders, too */
		case 6:  /* mailbox has moved; Exchange: a domain of one label */
			return MXW__CALL_DOUBTFUL;
		default:
			return MXW__CALL_REFUSES_US;
		}
	}
	if (subject == 2) {
		switch (detail) {
		case 1:  /* mailbox disabled, not accepting messages */
			return MXW__CALL_DISABLED;
		case 2:  /* mailbox full */
		case 3:  /* message too long for it */
		case 4:  /* mailing list expansion problem */
			return MXW__CALL_EXISTS;
		default:
			return MXW__CALL_REFUSES_US;
		}
	}
	/* Exchange: the sender is not authenticated for this group, mailbox, public folder, mail user. */
	if (subject == 7 && detail >= 133 && detail <= 136)
		return MXW__CALL_INTERNAL;
	if (subject == 5 && detail == 3)
		return MXW__CALL_TOO_MANY;
	return MXW__CALL_REFUSES_US;
}

static mxw__call_verdict_t judge_permanent(const struct mxw__call_reply *reply)
{
	/* These speak of commands, of encryption, of us or of the domain, whatever else they say. */
	if (reply->code < 510 && reply->code != 501)
		return MXW__CALL_REFUSES_US;
	if ((reply->code >= 520 && reply->code < 550) || reply->code == 556)
		return MXW__CALL_REFUSES_US;
	if (reply->has_enhanced)
		return judge_enhanced(reply);
	switch (reply->code) {
	case 550:
	case 551:
	case 553:
		return MXW__CALL_DOUBTFUL;
	case 552: /* RFC 5321 section 4.5.3.1.10 */
		return MXW__CALL_TOO_MANY;
	default:
		return MXW__CALL_REFUSES_US;
	}
}

mxw__call_verdict_t mxw__call_judge_rcpt(const struct mxw__call_reply *reply)
{
	switch (reply->code / 100) {
	case 2:
		return reply->code == 250 || reply->code == 251 ? MXW__CALL_ACCEPTED : MXW__CALL_CANT_TELL;
	case 4:
		if (reply->code == 421)
			return MXW__CALL_CLOSING;
		if (reply->has_enhanced ? reply->enhanced[1] == 5 && reply->enhanced[2] == 3 : reply->code == 452)
			return MXW__CALL_TOO_MANY;
		return MXW__CALL_LATER;
	case 5:
		return judge_permanent(reply);
	default:
		return MXW__CALL_LATER;
	}
}

/* ---- writing ---- */

/* RFC 5321 section 4.1.2, with RFC 6531 section 3.3. */
static bool is_dot_string(const char *local)
{
	bool was_dot = true;

	for (const char *s = local; *s; s++) {
		if (*s == '.' ? was_dot : !mxw__ascii_isalnum(*s) && (unsigned char)*s < 0x80 &&
						  !strchr("!#$%&'*+-/=?^_`{|}~", *s))
			return false;
		was_dot = *s == '.';
	}
	return !was_dot;
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

bool mxw__call_add_path(struct mxw__buf *buf, const char *local, const char *domain)
{
	if (!*local || has_control(local) || has_control(domain) || strpbrk(domain, " <>\"\\@"))
		return false;
	if (is_dot_string(local)) {
		mxw__buf_adds(buf, local);
	} else {
		mxw__buf_addc(buf, '"');
		for (const char *s = local; *s; s++) {
			if (*s == '"' || *s == '\\')
				mxw__buf_addc(buf, '\\');
			mxw__buf_addc(buf, *s);
		}
		mxw__buf_addc(buf, '"');
	}
	if (*domain) {
		mxw__buf_addc(buf, '@');
		mxw__buf_adds(buf, domain);
	}
	return !buf->failed;
}

/* ---- telling ---- */

const char *mxw__call_code_text(const struct mxw__call_reply *reply, char text[32])
{
	if (reply->has_enhanced)
		snprintf(text, 32, "%u %u.%u.%u", reply->code, reply->enhanced[0], reply->enhanced[1],
			 reply->enhanced[2]);
	else
		snprintf(text, 32, "%u", reply->code);
	return text;
}

bool mxw__call_fail(struct mxw__call_failure *failure, mxw_outcome_t outcome, const struct mxw__call_reply *reply,
		    const char *fmt, ...)
{
	struct mxw__buf buf;
	va_list ap;

	*failure = (struct mxw__call_failure){.outcome = outcome};
	va_start(ap, fmt);
	vsnprintf(failure->text, sizeof failure->text, fmt, ap);
	va_end(ap);
	if (!reply)
		return false;
	mxw__buf_init(&buf, sizeof failure->detail - 1);
	mxw__buf_addf(&buf, "%u ", reply->code);
	mxw__buf_add_logvalue(&buf, reply->text, reply->text_len, 100);
	snprintf(failure->detail, sizeof failure->detail, "%s", mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
	return false;
}
