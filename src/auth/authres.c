/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/auth/authres.h"
#include "src/mail/authres_read.h"
#include "src/mail/mail.h"

enum {
	/* A value may double for its quotes and must still fit into a line of 998 octets (RFC 5322 section 2.1.1). */
	VALUE_MAX = 480,
	LINE_SHOULD_MAX = 78,
	FIELD_MAX = 48 * 1024,
	/* Further signatures are left out: some MTAs take no header of more than 32 KB. */
	SIGNATURES_BYTES = 16 * 1024
};

struct writer {
	struct mxw__buf buf;
	bool is_utf8;
};

static bool is_ascii(const char *s)
{
	while (*s && (unsigned char)*s < 0x80)
		s++;
	return *s == '\0';
}

static bool is_printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

/* Columns since the last fold, a tab for eight. */
static size_t column(const struct mxw__buf *buf)
{
	size_t n = 0;

	for (size_t i = buf->len; i > 0 && buf->data[i - 1] != '\n'; i--)
		n += buf->data[i - 1] == '\t' ? 8 : 1;
	return n;
}

static void add_quoted(struct mxw__buf *buf, const char *value)
{
	mxw__buf_addc(buf, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			mxw__buf_addc(buf, '\\');
		mxw__buf_addc(buf, *value);
	}
	mxw__buf_addc(buf, '"');
}

/* In a property, but not in a reason, an address may stand bare: [ [ local-part ] "@" ] domain-name (RFC 8601 section 2.2). */
static bool needs_quotes(const char *name, const char *value)
{
	const char *at = strchr(value, '@');

	for (const char *s = value; *s; s++)
		if (!mxw__is_token_char(*s) && s != at)
			return true;
	/* Of local parts with dots, those of RFC 5321. */
	bool has_odd_dot = value[0] == '.' || (at > value && at[-1] == '.') || strstr(value, "..");
	return at && (strcmp(name, "reason") == 0 || has_odd_dot || !mxw__domain_is_valid(at + 1));
}

/* name=value on the line, or on the next if this one would get long. */
static void add_text(struct writer *w, const char *name, const char *value)
{
	struct mxw__buf pair;

	mxw__buf_init(&pair, 3 * VALUE_MAX);
	mxw__buf_addf(&pair, "%s=", name);
	if (needs_quotes(name, value))
		add_quoted(&pair, value);
	else
		mxw__buf_adds(&pair, value);
	mxw__buf_adds(&w->buf, column(&w->buf) + 1 + pair.len > LINE_SHOULD_MAX ? "\n\t\t" : " ");
	mxw__buf_add(&w->buf, mxw__buf_str(&pair), pair.len);
	w->buf.failed |= pair.failed;
	mxw__buf_fini(&pair);
}

/* May the field hold it as it is? */
static bool can_stand(const struct writer *w, const char *value)
{
	return value && *value && strlen(value) <= VALUE_MAX && is_printable(value) &&
	       (is_ascii(value) || (w->is_utf8 && mxw__utf8_is_clean(value)));
}

/* Not cut, and nothing in it replaced: half a name is another name. */
static void add_plain(struct writer *w, const char *name, const char *value)
{
	if (can_stand(w, value))
		add_text(w, name, value);
}

static void add_domain(struct writer *w, const char *name, const char *domain)
{
	char ascii[MXW__DOMAIN_MAX + 1];

	if (domain && !is_ascii(domain) && mxw__domain_to_ascii(domain, strlen(domain), ascii) == MXW_OK)
		domain = ascii;
	add_plain(w, name, domain);
}

/* Where the local part can't stand, the domain alone does. */
static void add_address(struct writer *w, const char *name, const char *address)
{
	const char *at = strrchr(address, '@');

	if (can_stand(w, address))
		add_text(w, name, address);
	else if (at)
		add_domain(w, name, at + 1);
}

static void add_method(struct writer *w, const char *method, const char *result, const char *reason)
{
	mxw__buf_addf(&w->buf, ";\n\t%s=%s", method, result);
	add_plain(w, "reason", reason);
}

static void add_auth(struct writer *w, const struct mxw__authres_input *in)
{
	add_method(w, "auth", "pass", NULL);
	add_plain(w, "smtp.auth", in->auth_user);
}

static void add_iprev(struct writer *w, const struct mxw__authres_input *in)
{
	add_method(w, "iprev", in->iprev, NULL);
	add_plain(w, "policy.iprev", in->client);
}

static void add_spf(struct writer *w, const struct mxw__authres_input *in)
{
	bool has_sender = in->sender && *in->sender;

	if (in->has_spf) {
		add_method(w, "spf", mxw__spf_result_name(in->spf), in->spf_reason);
		if (has_sender)
			add_address(w, "smtp.mailfrom", in->sender);
		else
			add_domain(w, "smtp.helo", in->helo);
	}
	/* For the null sender both identities are the HELO name: once is enough. */
	if (in->has_spf_helo && (has_sender || !in->has_spf)) {
		add_method(w, "spf", mxw__spf_result_name(in->spf_helo), in->spf_helo_reason);
		add_domain(w, "smtp.helo", in->helo);
	}
}

/* i= says something of its own if it is more than the domain of d=. */
static bool has_identity(const struct mxw__dkim_signature *sig)
{
	return *sig->identity && !(sig->identity[0] == '@' && mxw__ascii_casecmp(sig->identity + 1, sig->domain) == 0);
}

static void add_signature(struct writer *w, const struct mxw__dkim_signature *sig)
{
	const char *reason = sig->result == MXW__DKIM_PASS && sig->is_testing ? "test mode" : sig->reason;

	add_method(w, "dkim", mxw__dkim_result_name(sig->result), reason);
	add_domain(w, "header.d", sig->domain);
	add_domain(w, "header.s", sig->selector);
	add_plain(w, "header.a", sig->algorithm);
	add_plain(w, "header.b", sig->b8);
	if (has_identity(sig))
		add_address(w, "header.i", sig->identity);
}

static void add_dkim(struct writer *w, const struct mxw__authres_input *in)
{
	size_t began = w->buf.len;

	if (in->nsignatures == 0)
		add_method(w, "dkim", "none", NULL);
	for (size_t i = 0; i < in->nsignatures && w->buf.len - began < SIGNATURES_BYTES; i++)
		add_signature(w, &in->signatures[i]);
}

static void add_dmarc(struct writer *w, const struct mxw__authres_input *in)
{
	add_method(w, "dmarc", in->dmarc, in->dmarc_reason);
	add_domain(w, "header.from", in->author_domain);
	add_plain(w, "policy.dmarc", in->dmarc_policy);
	add_plain(w, "polrec.p", in->dmarc_p);
	if (in->dmarc_domain && in->author_domain && mxw__ascii_casecmp(in->dmarc_domain, in->author_domain) != 0)
		add_domain(w, "polrec.domain", in->dmarc_domain);
}

static void add_arc(struct writer *w, const struct mxw__authres_input *in)
{
	add_method(w, "arc", in->arc, NULL);
	/* There is no property for it. */
	add_domain(w, "reason", in->arc_sealer);
	add_plain(w, "smtp.remote-ip", in->client);
}

char *mxw__authres_compose(mxw__arena_t *arena, const struct mxw__authres_input *input)
{
	struct writer w = {.is_utf8 = input->is_utf8};

	mxw__buf_init(&w.buf, FIELD_MAX);
	mxw__buf_addc(&w.buf, ' ');
	mxw__buf_adds(&w.buf, input->authserv_id);
	size_t head = w.buf.len;
	if (input->auth_user && *input->auth_user)
		add_auth(&w, input);
	if (input->iprev)
		add_iprev(&w, input);
	add_spf(&w, input);
	if (input->has_dkim)
		add_dkim(&w, input);
	if (input->dmarc)
		add_dmarc(&w, input);
	if (input->arc)
		add_arc(&w, input);
	if (w.buf.len == head)
		mxw__buf_adds(&w.buf, "; none");
	char *field = w.buf.failed ? NULL : mxw__arena_strndup(arena, mxw__buf_str(&w.buf), w.buf.len);
	mxw__buf_fini(&w.buf);
	return field;
}

/* In one form, as names of hosts are. False for what is no such name. */
static bool read_name(const char *id, char ret_name[MXW__DOMAIN_MAX + 1])
{
	size_t len = strlen(id);

	while (len && id[len - 1] == '.')
		len--;
	return mxw__domain_to_ascii(id, len, ret_name) == MXW_OK;
}

bool mxw__authres_is_forged(mxw__arena_t *scratch, const char *value, const char *authserv_id)
{
	char name[MXW__DOMAIN_MAX + 1], ours[MXW__DOMAIN_MAX + 1];
	const char *id;

	/* What can't be read by us might be read by somebody behind us: RFC 8601 section 5 lets us remove it. */
	if (mxw__authres_id(scratch, value, strlen(value), &id) != MXW_OK)
		return true;
	if (!read_name(authserv_id, ours))
		return mxw__ascii_casecmp(id, authserv_id) == 0;
	return read_name(id, name) ? mxw__domain_is_below(name, ours) : !is_ascii(id);
}

bool mxw__authres_is_of(mxw__arena_t *scratch, const char *value, const char *name)
{
	char host[MXW__DOMAIN_MAX + 1];
	const char *id;

	return mxw__authres_id(scratch, value, strlen(value), &id) == MXW_OK && read_name(id, host) &&
	       mxw__ascii_casecmp(host, name) == 0;
}
