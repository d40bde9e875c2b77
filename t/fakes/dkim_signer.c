/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "src/base/base.h"
#include "t/fakes/dkim_signer.h"

#define FIELD_NAME "DKIM-Signature"
enum { MESSAGE_MAX = 4 << 20, TAG_MAX = 8192, FIELDS_MAX = 1000 };

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "dkim_signer: %s\n", what);
	abort();
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The value of a tag without any white space; "" if it is not there. */
static void get_tag(const char *template, const char *tag, char value[TAG_MAX])
{
	size_t n = 0;

	for (const char *p = template; *p; p += strcspn(p, ";"), p += *p == ';') {
		const char *name = p + strspn(p, " \t\r\n");
		size_t len = strcspn(name, "= \t\r\n;");
		if (len != strlen(tag) || strncmp(name, tag, len) != 0)
			continue;
		const char *eq = strchr(name, '=');
		need(eq, "a tag without =");
		for (p = eq + 1; *p && *p != ';' && n < TAG_MAX - 1; p++) {
			if (!strchr(" \t\r\n", *p))
				value[n++] = *p;
		}
		break;
	}
	value[n] = '\0';
}

/* ---- canonicalization ---- */

static void relax_line(struct mxw__buf *out, const char *line, size_t len)
{
	while (len && is_blank(line[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++) {
		if (!is_blank(line[i]))
			mxw__buf_addc(out, line[i]);
		else if (i == 0 || !is_blank(line[i - 1]))
			mxw__buf_addc(out, ' ');
	}
}

static void canonicalize_body(struct mxw__buf *out, const char *body, size_t len, bool is_relaxed)
{
	const char *end = body + len;

	while (body < end) {
		const char *eol = body;
		while (eol < end && !(eol[0] == '\r' && eol + 1 < end && eol[1] == '\n'))
			eol++;
		if (is_relaxed)
			relax_line(out, body, (size_t)(eol - body));
		else
			mxw__buf_add(out, body, (size_t)(eol - body));
		mxw__buf_adds(out, "\r\n");
		body = eol + (eol < end ? 2 : 0);
	}
	while (out->len >= 4 && !memcmp(out->data + out->len - 4, "\r\n\r\n", 4))
		out->len -= 2;
	if (out->len == 2 && is_relaxed)
		out->len = 0;
	if (!out->len && !is_relaxed)
		mxw__buf_adds(out, "\r\n");
}

static void canonicalize_field(struct mxw__buf *out, const char *field, bool is_relaxed)
{
	struct mxw__buf unfolded;
	size_t name = strcspn(field, ":");
	const char *value = field + name + 1;

	if (!is_relaxed) {
		mxw__buf_adds(out, field);
		return;
	}
	while (name && is_blank(field[name - 1]))
		name--;
	for (size_t i = 0; i < name; i++)
		mxw__buf_addc(out, mxw__ascii_lower(field[i]));
	mxw__buf_addc(out, ':');
	mxw__buf_init(&unfolded, MESSAGE_MAX);
	for (; *value; value++) {
		if (*value != '\r' && *value != '\n')
			mxw__buf_addc(&unfolded, *value);
	}
	const char *text = mxw__buf_str(&unfolded);
	while (is_blank(*text))
		text++;
	relax_line(out, text, strlen(text));
	mxw__buf_fini(&unfolded);
}

static bool field_is(const char *field, const char *name, size_t len)
{
	size_t n = strcspn(field, ":");

	while (n && is_blank(field[n - 1]))
		n--;
	return n == len && !strncasecmp(field, name, len);
}

/* The fields of h=, each name from the bottom up. */
static void add_signed(struct mxw__buf *out, const char *h, const char *const *fields, size_t nfields, bool is_relaxed)
{
	bool used[FIELDS_MAX] = {false};

	need(nfields <= FIELDS_MAX, "too many fields");
	for (const char *name = h; *name; name += strcspn(name, ":"), name += *name == ':') {
		for (size_t i = nfields; i-- > 0;) {
			if (used[i] || !field_is(fields[i], name, strcspn(name, ":")))
				continue;
			used[i] = true;
			canonicalize_field(out, fields[i], is_relaxed);
			mxw__buf_adds(out, "\r\n");
			break;
		}
	}
}

/* ---- cryptography ---- */

static size_t digest(const EVP_MD *md, const struct mxw__buf *data, unsigned char *ret_hash)
{
	unsigned n;

	need(EVP_Digest(data->data ? data->data : "", data->len, ret_hash, &n, md, NULL) == 1, "no hash");
	return n;
}

static void encode(const unsigned char *data, size_t len, char *ret_text)
{
	EVP_EncodeBlock((unsigned char *)ret_text, data, (int)len);
}

/* RSA signs the data; Ed25519 signs the hash of the data (RFC 8463 section 3). */
static void make_signature(const char *pem, const EVP_MD *md, const struct mxw__buf *data, char *ret_text)
{
	unsigned char hash[EVP_MAX_MD_SIZE], signature[2048];
	size_t len = sizeof(signature), n = digest(md, data, hash);
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	need(key && ctx, "no key");
	bool is_ed = EVP_PKEY_base_id(key) == EVP_PKEY_ED25519;
	need(EVP_DigestSignInit(ctx, NULL, is_ed ? NULL : md, NULL, key) == 1, "no signature");
	need(EVP_DigestSign(ctx, signature, &len, is_ed ? hash : (unsigned char *)data->data, is_ed ? n : data->len) == 1,
	     "no signature");
	encode(signature, len, ret_text);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	BIO_free(bio);
}

/* ---- the field ---- */

static void replace(struct mxw__buf *out, const char *text, const char *mark, size_t mark_len, const char *with, size_t fold)
{
	const char *at = strstr(text, mark);

	if (!at) {
		mxw__buf_adds(out, text);
		return;
	}
	mxw__buf_add(out, text, (size_t)(at - text));
	for (size_t i = 0; with[i]; i++) {
		if (i && fold && i % fold == 0)
			mxw__buf_adds(out, "\r\n\t");
		mxw__buf_addc(out, with[i]);
	}
	mxw__buf_adds(out, at + mark_len);
}

static char *with_body_hash(const char *template, const EVP_MD *md, const char *body, size_t len)
{
	struct mxw__buf canonical, field;
	unsigned char hash[EVP_MAX_MD_SIZE];
	char c[TAG_MAX], l[TAG_MAX], text[128];

	get_tag(template, "c", c);
	get_tag(template, "l", l);
	mxw__buf_init(&canonical, MESSAGE_MAX);
	canonicalize_body(&canonical, body, len, strstr(c, "/relaxed") != NULL);
	if (*l && (size_t)atol(l) < canonical.len)
		canonical.len = (size_t)atol(l);
	encode(hash, digest(md, &canonical, hash), text);
	mxw__buf_init(&field, MESSAGE_MAX);
	mxw__buf_adds(&field, FIELD_NAME ":");
	replace(&field, template, "@BH@", 4, text, 0);
	mxw__buf_fini(&canonical);
	return mxw__buf_take(&field);
}

/* White space around the value goes with it. */
static void add_without_value(struct mxw__buf *out, const char *field, const char *mark, size_t mark_len)
{
	const char *end = mark;

	while (strchr(" \t\r\n", end[-1]))
		end--;
	mxw__buf_add(out, field, (size_t)(end - field));
	mxw__buf_adds(out, mark + mark_len + strspn(mark + mark_len, " \t\r\n"));
}

char *dkim_signer_sign(const char *pem, const char *template, const char *const *fields, size_t nfields, const char *body,
		       size_t len)
{
	struct mxw__buf data, empty, field;
	char a[TAG_MAX], c[TAG_MAX], h[TAG_MAX], text[4096];
	size_t fold = 0;

	get_tag(template, "a", a);
	get_tag(template, "c", c);
	get_tag(template, "h", h);
	const EVP_MD *md = strstr(a, "sha1") ? EVP_sha1() : EVP_sha256();
	bool is_relaxed = !strncmp(c, "relaxed", 7);
	char *hashed = with_body_hash(template, md, body, len);
	const char *mark = strstr(hashed, "@B");
	need(mark, "no @B@");
	if (mark[2] == '/')
		fold = (size_t)atol(mark + 3);
	size_t mark_len = strcspn(mark + 1, "@") + 2;
	mxw__buf_init(&empty, MESSAGE_MAX);
	add_without_value(&empty, hashed, mark, mark_len);
	mxw__buf_init(&data, MESSAGE_MAX);
	add_signed(&data, h, fields, nfields, is_relaxed);
	canonicalize_field(&data, mxw__buf_str(&empty), is_relaxed);
	make_signature(pem, md, &data, text);
	mxw__buf_init(&field, MESSAGE_MAX);
	replace(&field, hashed, "@B", mark_len, text, fold);
	mxw__buf_fini(&data);
	mxw__buf_fini(&empty);
	free(hashed);
	return mxw__buf_take(&field);
}
