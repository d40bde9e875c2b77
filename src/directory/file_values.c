/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the value of an entry says of a recipient. Only what the MTA refuses for good is "refused": an entry that puts
 * mail off (4xx), throws it away or looks at it more closely names an address that mail is sent to.
 */
#include "config.h"

#include <string.h>

#include "src/directory/file_form.h"

/* What is left of a value. */
struct text {
	const char *s;
	size_t len;
};

static void skip(struct text *t, size_t n)
{
	t->s += n;
	t->len -= n;
}

static void skip_blanks(struct text *t)
{
	while (t->len && mxw__ascii_isspace(*t->s))
		skip(t, 1);
}

/* Takes a word off the front, in any case, that is not the beginning of a longer one. */
static bool take_word(struct text *t, const char *word)
{
	size_t len = strlen(word);

	if (t->len < len || mxw__ascii_ncasecmp(t->s, word, len) != 0)
		return false;
	if (t->len > len && (mxw__ascii_isalnum(t->s[len]) || t->s[len] == '_' || t->s[len] == '-'))
		return false;
	skip(t, len);
	return true;
}

/* "550", "5.1.1": what class of code stands at the front ('4', '5'), having taken it; 0 if there is none. */
static char take_code(struct text *t)
{
	size_t n = 0;

	while (n < t->len && (mxw__ascii_isdigit(t->s[n]) || t->s[n] == '.'))
		n++;
	bool is_enhanced = n >= 5 && t->s[1] == '.' && t->s[n - 1] != '.';
	bool is_plain = n == 3 && !memchr(t->s, '.', n);
	if (!is_enhanced && !is_plain)
		return 0;
	char class = *t->s;
	skip(t, n);
	return class;
}

/* "5.1.1:550 text", "450 text", "text": is it for good? RFC 3463: what begins with 4 is not. */
static bool is_permanent(struct text t)
{
	for (int i = 0; i < 2; i++) {
		skip_blanks(&t);
		if (take_code(&t) == '4')
			return false;
		skip_blanks(&t);
		if (t.len && *t.s == ':')
			skip(&t, 1);
	}
	return true;
}

mxw__file_meaning_t mxw__postfix_map_value(const char *value, size_t len, bool is_wide)
{
	/* virtual(5): "@domain @other" keeps the local part. */
	return is_wide && len > 1 && *value == '@' ? MXW__FILE_UNVERIFIABLE : MXW__FILE_FOUND;
}

/* Of what an access table lets through: a domain that mail is taken or relayed for is no list of its recipients. */
static mxw__file_meaning_t let_through(struct text t, bool is_domain)
{
	return !is_domain || take_word(&t, "DISCARD") ? MXW__FILE_FOUND : MXW__FILE_SILENT;
}

mxw__file_meaning_t mxw__postfix_access_value(const char *value, size_t len, bool is_domain)
{
	struct text t = {value, len};

	/*
	 * A domain that is refused says no more than that its addresses are not found: those without their detail
	 * come before it, and only Postfix knows its recipient_delimiter. More than three digits are a time
	 * stamp, which is "OK"; take_code() does not take them.
	 */
	if (take_word(&t, "REJECT") || take_code(&t) == '5')
		return is_domain ? MXW__FILE_SILENT : MXW__FILE_REFUSED;
	return let_through((struct text){value, len}, is_domain);
}

mxw__file_meaning_t mxw__access_value(const char *value, size_t len, bool is_domain)
{
	struct text t = {value, len};

	if (take_word(&t, "REJECT") && t.len == 0)
		return MXW__FILE_REFUSED;
	t = (struct text){value, len};
	if (take_word(&t, "ERROR") && t.len && *t.s == ':') {
		skip(&t, 1);
		/* Mail that is put off is not refused: this names an address as much as any. */
		return is_permanent(t) ? MXW__FILE_REFUSED : let_through(t, is_domain);
	}
	t = (struct text){value, len};
	return take_code(&t) == '5' ? MXW__FILE_REFUSED : let_through((struct text){value, len}, is_domain);
}

/* "error:nouser 550 text", "error:5.1.1:550 text": the first word is a name of sendmail's (or of sysexits.h) or a code. */
static bool is_error(struct text t, bool *ret_is_permanent)
{
	skip_blanks(&t);
	if (!take_word(&t, "error"))
		return false;
	skip_blanks(&t);
	if (!t.len || *t.s != ':')
		return false;
	skip(&t, 1);
	skip_blanks(&t);
	/* EX_TEMPFAIL is 75. */
	if (take_word(&t, "tempfail") || take_word(&t, "75")) {
		*ret_is_permanent = false;
		return true;
	}
	if (t.len && !mxw__ascii_isdigit(*t.s))
		while (t.len && mxw__ascii_isalnum(*t.s))
			skip(&t, 1);
	*ret_is_permanent = is_permanent(t);
	return true;
}

mxw__file_meaning_t mxw__virtusertable_value(const char *value, size_t len, bool is_wide)
{
	struct text t = {value, len};
	bool is_for_good = false;

	if (is_error(t, &is_for_good))
		return is_for_good ? MXW__FILE_REFUSED : MXW__FILE_FOUND;
	/* %0 is the whole address and %1 its local part: it lives on elsewhere. */
	for (size_t i = 0; is_wide && i + 1 < len; i++)
		if (value[i] == '%' && (value[i + 1] == '0' || value[i + 1] == '1'))
			return MXW__FILE_UNVERIFIABLE;
	return MXW__FILE_FOUND;
}
