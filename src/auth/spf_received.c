/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spf_received.c: the Received-SPF field.
 *
 * Standards: RFC 7208 section 9.1.
 */
#include "config.h"

#include <string.h>

#include "src/auth/spf.h"

/* A value may double for its quotes and must still fit into a line of 998 octets (RFC 5322 section 2.1.1). */
enum { VALUE_MAX = 480, FIELD_MAX = 8192 };

static bool is_dot_atom(const char *value)
{
	for (const char *p = value; *p; p++) {
		if (*p == '.' && (p == value || p[1] == '.' || !p[1]))
			return false;
		if (*p != '.' && *p != '-' && *p != '_' && !mxw__ascii_isalnum(*p))
			return false;
	}
	return *value != '\0';
}

/* Printable ASCII only: what a peer made of anything else is left out as a whole, since half a name is another name. */
static void add_pair(struct mxw__buf *buf, const char *key, const char *value)
{
	if (!value || !*value || strlen(value) > VALUE_MAX)
		return;
	for (const char *p = value; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			return;
	mxw__buf_addf(buf, ";\n\t%s=", key);
	if (is_dot_atom(value)) {
		mxw__buf_adds(buf, value);
		return;
	}
	mxw__buf_addc(buf, '"');
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			mxw__buf_addc(buf, '\\');
		mxw__buf_addc(buf, *p);
	}
	mxw__buf_addc(buf, '"');
}

char *mxw__received_spf_compose(mxw__arena_t *arena, const struct mxw__received_spf_input *input)
{
	const struct mxw__spf_answer *answer = input->answer;
	char ip[MXW_IP_TEXT_MAX];
	struct mxw__buf buf;

	mxw__buf_init(&buf, FIELD_MAX);
	mxw__buf_addf(&buf, " %s identity=%s", mxw__spf_result_name(answer->result), *input->sender ? "mailfrom" : "helo");
	add_pair(&buf, "receiver", input->receiver);
	add_pair(&buf, "client-ip", mxw_ip_format(input->client, ip));
	add_pair(&buf, "helo", input->helo);
	add_pair(&buf, "envelope-from", input->sender);
	add_pair(&buf, "mechanism", answer->mechanism);
	add_pair(&buf, "problem", answer->reason);
	char *field = buf.failed ? NULL : mxw__arena_strndup(arena, mxw__buf_str(&buf), buf.len);
	mxw__buf_fini(&buf);
	return field;
}
