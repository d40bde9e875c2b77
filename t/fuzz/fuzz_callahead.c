/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mail server replies to a call-ahead, in pieces; and, behind a first octet of 0xff, what is asked of it. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/callahead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static mxw__call_read_t read_in_pieces(struct mxw__call_reader *reader, const char *octets, size_t len, size_t piece,
				       size_t *ret_used)
{
	mxw__call_read_t state = MXW__CALL_MORE;
	size_t done = 0;

	mxw__call_reader_init(reader);
	while (done < len && state == MXW__CALL_MORE) {
		size_t n = len - done < piece ? len - done : piece, used = 0;
		/* An exact copy, so that a read beyond the end is seen. */
		char *copy = malloc(n);
		if (!copy)
			abort();
		memcpy(copy, octets + done, n);
		state = mxw__call_reader_feed(reader, copy, n, &used);
		free(copy);
		assert(used <= n && (state != MXW__CALL_MORE || used == n));
		done += used;
	}
	*ret_used = done;
	return state;
}

static void check_reply(const struct mxw__call_reply *reply)
{
	struct mxw__call_failure failure;
	char code[32];
	mxw__call_verdict_t verdict = mxw__call_judge_rcpt(reply);

	assert(reply->code >= 200 && reply->code <= 599);
	assert(strlen(reply->name) < sizeof reply->name && reply->text_len <= sizeof reply->text);
	assert(!reply->has_enhanced || reply->enhanced[0] == reply->code / 100);
	/* Nobody is unknown without a refusal that says so. */
	assert(verdict != MXW__CALL_UNKNOWN || (reply->code >= 500 && reply->has_enhanced && reply->enhanced[1] == 1));
	assert(verdict != MXW__CALL_DOUBTFUL || reply->code >= 500);
	assert(verdict != MXW__CALL_ACCEPTED || reply->code / 100 == 2);
	mxw__call_fail(&failure, MXW_TEMPORARY, reply, "%s to RCPT", mxw__call_code_text(reply, code));
	for (const char *s = failure.detail; *s; s++)
		assert((unsigned char)*s >= ' ' && (unsigned char)*s < 0x7f);
}

static void fuzz_reply(const char *octets, size_t len, size_t piece)
{
	struct mxw__call_reader whole, pieces;
	size_t used_whole, used_pieces;
	mxw__call_read_t one = read_in_pieces(&whole, octets, len, len ? len : 1, &used_whole);
	mxw__call_read_t other = read_in_pieces(&pieces, octets, len, piece, &used_pieces);

	assert(one == other);
	if (one != MXW__CALL_DONE)
		return;
	assert(used_whole == used_pieces);
	assert(memcmp(&whole.reply, &pieces.reply, sizeof whole.reply) == 0);
	check_reply(&whole.reply);
}

/* The local part and, behind a newline, the domain. */
static void fuzz_path(const char *octets, size_t len)
{
	struct mxw__buf buf;
	char *local = malloc(len + 1);
	char none[] = "";

	if (!local)
		abort();
	memcpy(local, octets, len);
	local[len] = '\0';
	char *newline = strchr(local, '\n');
	char *domain = newline ? newline + 1 : none;
	if (newline)
		*newline = '\0';
	mxw__buf_init(&buf, 900);
	if (mxw__call_add_path(&buf, local, domain)) {
		bool is_quoted = false;
		for (const char *s = mxw__buf_str(&buf); *s; s++) {
			assert((unsigned char)*s >= ' ' && *s != 0x7f);
			if (is_quoted && *s == '\\')
				s++;
			else if (*s == '"')
				is_quoted = !is_quoted;
			else
				assert(is_quoted || !strchr("<> ", *s));
		}
		assert(!is_quoted);
	}
	mxw__buf_fini(&buf);
	free(local);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 0xff)
		fuzz_path((const char *)data + 1, size - 1);
	else
		fuzz_reply((const char *)data + 1, size - 1, data[0] % 64 + 1u);
	return 0;
}
