/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/auth/authres.h"
#include "src/mail/authres_read.h"
#include "src/mail/mail.h"

/* A value may double for its quotes and must still fit into a line of 998 octets (RFC 5322 section 2.1.1). */
enum { VALUE_MAX = 480, LINE_MAX_OCTETS = 250, FIELD_MAX = 48 * 1024, SIGNATURES_MAX = 32 };

/* A result that is not pass says why, in a comment: our own words, printable, without parentheses. */
static void add_reason(struct mxw__buf *buf, const char *reason)
{
	if (!reason || !*reason)
		return;
	mxw__buf_adds(buf, " (");
	for (const char *p = reason; *p; p++)
		mxw__buf_addc(buf, *p < ' ' || *p >= 0x7f || strchr("()\\\"", *p) ? ' ' : *p);
	mxw__buf_addc(buf, ')');
}

/* Octets since the last fold. */
static size_t line_length(const struct mxw__buf *buf)
{
	size_t n = 0;

	while (n < buf->len && buf->data[buf->len - 1 - n] != '\n')
		n++;
	return n;
}

static void add_property(struct mxw__buf *buf, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	if (line_length(buf) + strlen(name) + strlen(value) > LINE_MAX_OCTETS)
		mxw__buf_adds(buf, "\n\t");
	else
		mxw__buf_addc(buf, ' ');
	mxw__buf_addf(buf, "%s=", name);
	mxw__buf_add_authres_value(buf, value, VALUE_MAX);
}

/* Without its local part if it is too long: a domain must not be cut, it would be another one. */
static void add_sender(struct mxw__buf *buf, const char *sender)
{
	const char *at = strlen(sender) > VALUE_MAX ? strrchr(sender, '@') : NULL;

	add_property(buf, "smtp.mailfrom", at ? at + 1 : sender);
}

static void add_spf(struct mxw__buf *buf, const struct mxw__authres_input *in)
{
	if (in->has_spf) {
		mxw__buf_addf(buf, ";\n\tspf=%s", mxw__spf_result_name(in->spf));
		add_reason(buf, in->spf_reason);
		if (*in->sender)
			add_sender(buf, in->sender);
		else
			add_property(buf, "smtp.helo", in->helo);
	}
	/* For the null sender both identities are the HELO name: once is enough. */
	if (in->has_spf_helo && !(in->has_spf && !*in->sender)) {
		mxw__buf_addf(buf, ";\n\tspf=%s", mxw__spf_result_name(in->spf_helo));
		add_property(buf, "smtp.helo", in->helo);
	}
}

static void add_dkim(struct mxw__buf *buf, const struct mxw__authres_input *in)
{
	if (in->nsignatures == 0)
		mxw__buf_adds(buf, ";\n\tdkim=none");
	for (size_t i = 0; i < in->nsignatures && i < SIGNATURES_MAX; i++) {
		const struct mxw__dkim_signature *sig = &in->signatures[i];
		mxw__buf_addf(buf, ";\n\tdkim=%s", mxw__dkim_result_name(sig->result));
		if (sig->result != MXW__DKIM_PASS)
			add_reason(buf, sig->reason);
		else if (sig->is_testing)
			add_reason(buf, "test mode");
		add_property(buf, "header.d", sig->domain);
		add_property(buf, "header.s", sig->selector);
		add_property(buf, "header.a", sig->algorithm);
		add_property(buf, "header.b", sig->b8);
	}
}

char *mxw__authres_compose(mxw__arena_t *arena, const struct mxw__authres_input *input)
{
	struct mxw__buf buf;
	bool any = input->has_spf || input->has_spf_helo || input->has_dkim || *input->auth_user;

	mxw__buf_init(&buf, FIELD_MAX);
	mxw__buf_addc(&buf, ' ');
	mxw__buf_add_authres_value(&buf, input->authserv_id, VALUE_MAX);
	if (*input->auth_user) {
		mxw__buf_adds(&buf, ";\n\tauth=pass");
		add_property(&buf, "smtp.auth", input->auth_user);
	}
	add_spf(&buf, input);
	if (input->has_dkim)
		add_dkim(&buf, input);
	if (!any)
		mxw__buf_adds(&buf, "; none");
	char *field = buf.failed ? NULL : mxw__arena_strndup(arena, mxw__buf_str(&buf), buf.len);
	mxw__buf_fini(&buf);
	return field;
}

static bool is_ascii(const char *s)
{
	while (*s && (unsigned char)*s < 0x80)
		s++;
	return *s == '\0';
}

/* In one form, as names of hosts are. What is no such name is compared as it is, and beyond ASCII it is not to be trusted. */
static bool is_or_is_below(const char *id, const char *ours)
{
	char name[MXW__DOMAIN_MAX + 1];
	size_t len = strlen(id);

	while (len && id[len - 1] == '.')
		len--;
	if (mxw__domain_to_ascii(id, len, name) == MXW_OK)
		return mxw__domain_is_below(name, ours);
	return !is_ascii(id) || (len == strlen(ours) && mxw__ascii_ncasecmp(id, ours, len) == 0);
}

bool mxw__authres_is_forged(mxw__arena_t *scratch, const char *value, const char *authserv_id)
{
	const char *id;

	/* What can't be read by us might be read by somebody behind us: RFC 8601 section 5 lets us remove it. */
	if (mxw__authres_id(scratch, value, strlen(value), &id) != MXW_OK)
		return true;
	return is_or_is_below(id, authserv_id);
}
