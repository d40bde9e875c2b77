/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "src/auth/arc_canon.h"

/* ---- hashing ---- */

void mxw__digest_init(struct mxw__digest *digest)
{
	digest->n = 0;
	digest->md = EVP_MD_CTX_new();
	if (digest->md && EVP_DigestInit_ex(digest->md, EVP_sha256(), NULL) != 1)
		mxw__digest_fini(digest);
}

void mxw__digest_fini(struct mxw__digest *digest)
{
	EVP_MD_CTX_free(digest->md);
	digest->md = NULL;
}

static void flush(struct mxw__digest *digest)
{
	if (digest->md && EVP_DigestUpdate(digest->md, digest->buf, digest->n) != 1)
		mxw__digest_fini(digest);
	digest->n = 0;
}

static void add_octet(struct mxw__digest *digest, char c)
{
	if (digest->n == sizeof(digest->buf))
		flush(digest);
	digest->buf[digest->n++] = (unsigned char)c;
}

void mxw__digest_add(struct mxw__digest *digest, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		add_octet(digest, ((const char *)data)[i]);
}

bool mxw__digest_final(struct mxw__digest *digest, unsigned char ret_hash[MXW__SHA256_SIZE])
{
	flush(digest);
	bool is_done = digest->md && EVP_DigestFinal_ex(digest->md, ret_hash, NULL) == 1;
	mxw__digest_fini(digest);
	return is_done;
}

/* ---- the body ---- */

void mxw__body_hash_init(struct mxw__body_hash *body, bool is_relaxed)
{
	*body = (struct mxw__body_hash){.is_relaxed = is_relaxed};
	mxw__digest_init(&body->digest);
}

/* An octet that is no line end. What was held back before it was not at the end. */
static void add_content(struct mxw__body_hash *body, char c)
{
	for (; body->nlines; body->nlines--)
		mxw__digest_add(&body->digest, "\r\n", 2);
	if (body->has_blank)
		add_octet(&body->digest, ' ');
	body->has_blank = false;
	body->has_content = true;
	add_octet(&body->digest, c);
}

static void add_body_octet(struct mxw__body_hash *body, char c)
{
	if (body->has_cr) {
		body->has_cr = false;
		if (c == '\n') {
			body->has_blank = false;
			body->nlines++;
			return;
		}
		add_content(body, '\r');
	}
	if (c == '\r')
		body->has_cr = true;
	else if (body->is_relaxed && (c == ' ' || c == '\t'))
		body->has_blank = true;
	else
		add_content(body, c);
}

void mxw__body_hash_add(struct mxw__body_hash *body, const unsigned char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		add_body_octet(body, (char)data[i]);
}

bool mxw__body_hash_final(struct mxw__body_hash *body, unsigned char ret_hash[MXW__SHA256_SIZE])
{
	if (body->has_cr)
		add_content(body, '\r');
	/* An empty body is a line end in the one form, and nothing in the other. */
	if (body->has_content || !body->is_relaxed)
		mxw__digest_add(&body->digest, "\r\n", 2);
	return mxw__digest_final(&body->digest, ret_hash);
}

/* ---- header fields ---- */

/* Where the value of the b= tag begins, with its blanks; NULL: there is none. `ret_end` is where it ends. */
static const char *find_b(const char *value, const char **ret_end)
{
	for (;;) {
		const char *semi = value + strcspn(value, ";"), *name = value;
		while (name < semi && mxw__ascii_isspace(*name))
			name++;
		const char *eq = name + 1;
		while (eq < semi && mxw__ascii_isspace(*eq))
			eq++;
		if (eq < semi && *name == 'b' && *eq == '=') {
			*ret_end = semi;
			return eq + 1;
		}
		if (!*semi)
			return NULL;
		value = semi + 1;
	}
}

/* Passes a value on, octet by octet. */
struct value_writer {
	struct mxw__digest *digest;
	bool is_relaxed;
	bool has_blank, has_content;
};

static void add_relaxed(struct value_writer *w, const char *s, const char *end)
{
	for (; s < end; s++) {
		if (mxw__ascii_isspace(*s)) {
			w->has_blank = w->has_content;
			continue;
		}
		if (w->has_blank)
			add_octet(w->digest, ' ');
		w->has_blank = false;
		w->has_content = true;
		add_octet(w->digest, *s);
	}
}

/* Lines end in CRLF, whatever the MTA made of them. */
static void add_simple(struct value_writer *w, const char *s, const char *end)
{
	for (; s < end; s++) {
		if (*s == '\n')
			mxw__digest_add(w->digest, "\r\n", 2);
		else if (*s != '\r' || s + 1 == end || s[1] != '\n')
			add_octet(w->digest, *s);
	}
}

static void add_value(struct value_writer *w, const char *s, const char *end)
{
	if (w->is_relaxed)
		add_relaxed(w, s, end);
	else
		add_simple(w, s, end);
}

/* In lower case, and without the blanks that may stand before the colon. */
static void add_name(struct mxw__digest *digest, const char *name, bool is_relaxed)
{
	size_t len = strlen(name);

	while (is_relaxed && len && mxw__ascii_isspace(name[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		add_octet(digest, is_relaxed ? mxw__ascii_lower(name[i]) : name[i]);
	add_octet(digest, ':');
}

void mxw__canon_field(struct mxw__digest *digest, const struct mxw__field *field, bool is_relaxed, bool is_last)
{
	struct value_writer w = {.digest = digest, .is_relaxed = is_relaxed};
	const char *value = field->value, *end = value + strlen(value), *b, *b_end;

	while (end > value && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	add_name(digest, field->name, is_relaxed);
	b = is_last ? find_b(value, &b_end) : NULL;
	if (b && b < end) {
		add_value(&w, value, b);
		value = b_end < end ? b_end : end;
	}
	add_value(&w, value, end);
	if (!is_last)
		mxw__digest_add(digest, "\r\n", 2);
}
