/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/base.h"

void mxw__buf_init(struct mxw__buf *buf, size_t max)
{
	*buf = (struct mxw__buf){.max = max};
}

void mxw__buf_fini(struct mxw__buf *buf)
{
	free(buf->data);
	*buf = (struct mxw__buf){0};
}

void mxw__buf_clear(struct mxw__buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Makes room for `more` bytes and the NUL. */
static bool reserve(struct mxw__buf *buf, size_t more)
{
	if (buf->failed || more > buf->max - buf->len) {
		buf->failed = true;
		return false;
	}
	size_t need = buf->len + more + 1;
	if (need <= buf->cap)
		return true;
	size_t cap = buf->cap ? buf->cap : 64;
	while (cap < need)
		cap *= 2;
	char *data = realloc(buf->data, cap);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void mxw__buf_add(struct mxw__buf *buf, const void *data, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void mxw__buf_adds(struct mxw__buf *buf, const char *s)
{
	mxw__buf_add(buf, s, strlen(s));
}

void mxw__buf_addc(struct mxw__buf *buf, char c)
{
	mxw__buf_add(buf, &c, 1);
}

void mxw__buf_addf(struct mxw__buf *buf, const char *fmt, ...)
{
	/* It nearly always fits into what there is; where it does not, this tells how much it takes. */
	size_t room = buf->data ? buf->cap - buf->len : 0;
	va_list ap;

	va_start(ap, fmt);
	int len = vsnprintf(room ? buf->data + buf->len : NULL, room, fmt, ap);
	va_end(ap);
	if (len < 0 || !reserve(buf, (size_t)len)) {
		buf->failed = true;
		if (room)
			buf->data[buf->len] = '\0';
		return;
	}
	if ((size_t)len >= room) {
		va_start(ap, fmt);
		vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, ap);
		va_end(ap);
	}
	buf->len += (size_t)len;
}

const char *mxw__buf_str(const struct mxw__buf *buf)
{
	return buf->data ? buf->data : "";
}

char *mxw__buf_take(struct mxw__buf *buf)
{
	char *data = NULL;

	if (!buf->failed) {
		if (!buf->data)
			reserve(buf, 0);
		data = buf->data;
		if (data)
			data[buf->len] = '\0';
		buf->data = NULL;
	}
	size_t max = buf->max;
	mxw__buf_fini(buf);
	buf->max = max;
	return data;
}

static bool is_bare(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
			return false;
	}
	return len > 0;
}

void mxw__buf_add_logvalue(struct mxw__buf *buf, const char *s, size_t len, size_t max)
{
	bool cut = len > max;
	if (cut)
		len = max;
	if (!cut && is_bare(s, len)) {
		mxw__buf_add(buf, s, len);
		return;
	}
	mxw__buf_addc(buf, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '"' || c == '\\')
			mxw__buf_addf(buf, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			mxw__buf_addf(buf, "\\x%02x", c);
		else
			mxw__buf_addc(buf, (char)c);
	}
	mxw__buf_adds(buf, cut ? "...\"" : "\"");
}

void mxw__buf_add_reply(struct mxw__buf *buf, const char *s, size_t max)
{
	for (size_t i = 0; s[i] && i < max; i++) {
		unsigned char c = (unsigned char)s[i];
		mxw__buf_addc(buf, c < ' ' || c >= 0x7f ? '?' : (char)c);
	}
}
