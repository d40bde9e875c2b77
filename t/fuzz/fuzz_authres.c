/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Authentication-Results: reading those of others, and writing ours of what peers say. The first octet says which: 'r' for a field
 * to be read, 'w' for the words of peers, each on a line.
 */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/auth/authres.h"
#include "src/mail/authres_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the strict reading understands, the lenient one understands in the same way. */
static void read_field(mxw__arena_t *arena, const char *s, size_t len)
{
	struct mxw__authres strict, loose;
	unsigned arc = len && s[0] == 'i' ? MXW__AUTHRES_ARC : 0;
	bool is_strict = mxw__authres_read(arena, s, len, MXW__AUTHRES_STRICT | arc, &strict) == MXW_OK;
	bool is_loose = mxw__authres_read(arena, s, len, arc, &loose) == MXW_OK;
	const char *id;

	mxw__authres_result(arena, s, len, arc, "dmarc");
	if (!is_strict)
		return;
	/* Unless there was no room for it twice. */
	assert(is_loose || mxw__arena_used(arena) > 1 << 18);
	if (!is_loose)
		return;
	assert(strict.nitems == loose.nitems && strcmp(strict.id, loose.id) == 0);
	for (size_t i = 0; i < strict.nitems; i++) {
		assert(strcmp(strict.items[i].method, loose.items[i].method) == 0);
		assert(strcmp(strict.items[i].result, loose.items[i].result) == 0);
		assert(strict.items[i].nproperties == loose.items[i].nproperties);
	}
	assert(arc || (mxw__authres_id(arena, s, len, &id) == MXW_OK && strcmp(id, strict.id) == 0));
}

/* Removing forgeries sees what programs see that read by the letter. */
static void find_forgery(mxw__arena_t *arena, const char *s)
{
	struct mxw__authres a;
	bool is_ours = mxw__authres_read(arena, s, strlen(s), MXW__AUTHRES_STRICT, &a) == MXW_OK &&
		       mxw__domain_is_below(a.id, "mx.example.net");

	assert(mxw__authres_is_forged(arena, s, "mx.example.net") || !is_ours);
}

/* The next line, at most `max` octets of it; what is beyond the last one is "". */
static const char *next_line(char **rest, size_t max)
{
	char *line = *rest;
	size_t len = strcspn(line, "\n");

	*rest += len + (line[len] != '\0');
	line[len < max ? len : max] = '\0';
	return line;
}

#define NEXT(field, rest) snprintf(field, sizeof(field), "%s", next_line(rest, sizeof(field) - 1))

static void take_signature(struct mxw__dkim_signature *sig, char **rest)
{
	const char *result = next_line(rest, 16);

	*sig = (struct mxw__dkim_signature){.result = (mxw__dkim_result_t)(*result % 7), .is_testing = *result == 'p'};
	NEXT(sig->domain, rest);
	NEXT(sig->selector, rest);
	NEXT(sig->algorithm, rest);
	NEXT(sig->b8, rest);
	NEXT(sig->identity, rest);
	NEXT(sig->reason, rest);
}

static void check_lines(const char *field)
{
	for (const char *s = field; *s;) {
		size_t len = strcspn(s, "\n");
		assert(len <= 998 - strlen("Authentication-Results:") && !memchr(s, '\r', len));
		/* No line that is blank, and none that begins a field. */
		assert(len > 2 && (s[0] == ' ' || s[0] == '\t') && s[strspn(s, " \t")] != '\n');
		s += len + (s[len] == '\n');
	}
}

/*
 * What was written is read to the letter, and has what was put in: so many results, of these methods, whatever peers say. All
 * results are "neutral" or worse here, so that a "pass" would be somebody else's.
 */
static void check_field(mxw__arena_t *arena, const struct mxw__authres_input *in, const char *field)
{
	static const char *const methods[] = {"auth", "iprev", "spf", "spf", "dkim", "dkim", "dmarc", "arc"};
	struct mxw__authres a;
	size_t m = 0;

	assert(field && strlen(field) < 20 * 1024);
	check_lines(field);
	assert(mxw__authres_read(arena, field, strlen(field), MXW__AUTHRES_STRICT, &a) == MXW_OK);
	assert(strcmp(a.id, "mx.example.net") == 0);
	for (size_t i = 0; i < a.nitems; i++) {
		for (; m < MXW_ARRAY_LEN(methods) && strcmp(methods[m], a.items[i].method) != 0; m++)
			;
		assert(m++ < MXW_ARRAY_LEN(methods));
		assert(strcmp(a.items[i].result, "pass") != 0 || strcmp(a.items[i].method, "auth") == 0 ||
		       strcmp(a.items[i].method, "dkim") == 0);
		for (size_t p = 0; p < a.items[i].nproperties; p++)
			for (const char *s = a.items[i].properties[p].value; !in->is_utf8 && *s; s++)
				assert((unsigned char)*s < 0x80);
	}
}

static void write_field(mxw__arena_t *arena, char *s)
{
	struct mxw__dkim_signature sigs[2];
	const char *head = next_line(&s, 8);
	struct mxw__authres_input in = {
		.authserv_id = "mx.example.net",
		.is_utf8 = *head & 1,
		.auth_user = next_line(&s, 2000),
		.iprev = "fail",
		.client = next_line(&s, 45),
		.has_spf = true,
		.spf = MXW__SPF_NEUTRAL,
		.spf_reason = next_line(&s, 127),
		.sender = next_line(&s, 600),
		.has_spf_helo = true,
		.spf_helo = MXW__SPF_FAIL,
		.spf_helo_reason = next_line(&s, 127),
		.helo = next_line(&s, 1024),
		.has_dkim = true,
		.signatures = sigs,
		.dmarc = "fail",
		.dmarc_reason = next_line(&s, 95),
		.author_domain = next_line(&s, 255),
		.dmarc_policy = "reject",
		.dmarc_domain = next_line(&s, 255),
		.arc = "fail",
		.arc_sealer = next_line(&s, 255),
	};

	for (; in.nsignatures < MXW_ARRAY_LEN(sigs) && *s; in.nsignatures++)
		take_signature(&sigs[in.nsignatures], &s);
	check_field(arena, &in, mxw__authres_compose(arena, &in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mxw__arena_t *arena = mxw__arena_new(1 << 20);
	/* An exact copy, so that a read beyond the end is seen. */
	char *s = malloc(size ? size : 1);

	if (!s || !arena)
		abort();
	if (size > 0) {
		memcpy(s, data + 1, size - 1);
		s[size - 1] = '\0';
	}
	if (size > 0 && data[0] == 'w') {
		write_field(arena, s);
	} else if (size > 0) {
		read_field(arena, s, size - 1);
		find_forgery(arena, s);
	}
	free(s);
	mxw__arena_free(arena);
	return 0;
}
