/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <libmilter/mfdef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "t/bench/proto.h"

void *mload_realloc(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n > 0 ? n : 1, size);

	if (!q) {
		fputs("out of memory\n", stderr);
		exit(EX_OSERR);
	}
	return q;
}

char *mload_strdup(const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(mload_realloc(NULL, len, 1), s, len);
}

void mload_buf_fini(struct mload_buf *buf)
{
	free(buf->data);
	*buf = (struct mload_buf){0};
}

void mload_buf_clear(struct mload_buf *buf)
{
	buf->pos = buf->len = 0;
}

unsigned char *mload_buf_room(struct mload_buf *buf, size_t len)
{
	if (buf->pos == buf->len)
		mload_buf_clear(buf);
	if (!buf->data || buf->cap - buf->len < len) {
		buf->cap = (buf->len + len) * 2;
		buf->data = mload_realloc(buf->data, buf->cap, 1);
	}
	return buf->data + buf->len;
}

void mload_buf_add(struct mload_buf *buf, const void *data, size_t len)
{
	unsigned char *room = mload_buf_room(buf, len);

	if (len > 0)
		memcpy(room, data, len);
	buf->len += len;
}

static void put_u32(unsigned char *p, uint32_t value)
{
	p[0] = (unsigned char)(value >> 24);
	p[1] = (unsigned char)(value >> 16);
	p[2] = (unsigned char)(value >> 8);
	p[3] = (unsigned char)value;
}

static uint32_t get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

size_t mload_packet_begin(struct mload_buf *out, char command)
{
	/* Counted from what is pending: adding may move what was sent already out of the buffer. */
	size_t mark = mload_buf_pending(out);

	mload_packet_u32(out, 0);
	mload_buf_add(out, &command, 1);
	return mark;
}

void mload_packet_u16(struct mload_buf *out, uint16_t value)
{
	unsigned char octets[2] = {(unsigned char)(value >> 8), (unsigned char)value};

	mload_buf_add(out, octets, sizeof octets);
}

void mload_packet_u32(struct mload_buf *out, uint32_t value)
{
	unsigned char octets[4];

	put_u32(octets, value);
	mload_buf_add(out, octets, sizeof octets);
}

void mload_packet_string(struct mload_buf *out, const char *s)
{
	mload_buf_add(out, s, strlen(s) + 1);
}

void mload_packet_end(struct mload_buf *out, size_t mark)
{
	unsigned char *start = out->data + out->pos + mark;

	put_u32(start, (uint32_t)(out->len - out->pos - mark - 4));
}

void mload_packet_empty(struct mload_buf *out, char command)
{
	mload_packet_end(out, mload_packet_begin(out, command));
}

int mload_packet_next(struct mload_buf *in, struct mload_packet *ret_packet)
{
	size_t have = mload_buf_pending(in);

	if (have < 4)
		return 0;
	uint32_t len = get_u32(in->data + in->pos);
	if (len == 0 || len > MLOAD_REPLY_MAX)
		return -1;
	if (have - 4 < len)
		return 0;
	const unsigned char *p = in->data + in->pos + 4;
	*ret_packet = (struct mload_packet){.command = (char)p[0], .data = p + 1, .len = len - 1};
	in->pos += 4 + len;
	return 1;
}

/* ---- negotiation ---- */

void mload_negotiated_fini(struct mload_negotiated *nego)
{
	for (size_t i = 0; i < MLOAD_SYMLISTS; i++)
		free(nego->symlist[i]);
	*nego = (struct mload_negotiated){0};
}

void mload_packet_offer(struct mload_buf *out, uint32_t version, uint32_t actions, uint32_t steps)
{
	size_t mark = mload_packet_begin(out, SMFIC_OPTNEG);

	mload_packet_u32(out, version);
	mload_packet_u32(out, actions);
	mload_packet_u32(out, steps);
	mload_packet_end(out, mark);
}

/* What follows the three numbers: pairs of a stage and its macro names. */
static const char *parse_symlists(const unsigned char *p, size_t len, struct mload_negotiated *nego)
{
	while (len > 0) {
		if (len < 5)
			return "short list of macros";
		uint32_t stage = get_u32(p);
		const unsigned char *end = memchr(p + 4, '\0', len - 4);
		if (!end)
			return "list of macros without an end";
		if (stage >= MLOAD_SYMLISTS)
			return "list of macros for an unknown stage";
		free(nego->symlist[stage]);
		nego->symlist[stage] = mload_strdup((const char *)p + 4);
		len -= (size_t)(end + 1 - p);
		p = end + 1;
	}
	return NULL;
}

const char *mload_negotiated_parse(const struct mload_packet *packet, uint32_t offered_actions,
				   uint32_t offered_steps, struct mload_negotiated *ret_nego)
{
	struct mload_negotiated nego = {0};

	if (packet->command != SMFIC_OPTNEG)
		return "no answer to the negotiation";
	if (packet->len < MILTER_OPTLEN)
		return "short answer to the negotiation";
	nego.version = get_u32(packet->data);
	nego.actions = get_u32(packet->data + 4);
	nego.steps = get_u32(packet->data + 8);
	if (nego.version < 2 || nego.version > MLOAD_VERSION)
		return "unknown protocol version";
	if (nego.actions & ~offered_actions)
		return "actions that were not offered";
	if (nego.steps & ~offered_steps)
		return "steps that were not offered";
	const char *wrong = parse_symlists(packet->data + MILTER_OPTLEN, packet->len - MILTER_OPTLEN, &nego);
	if (wrong) {
		mload_negotiated_fini(&nego);
		return wrong;
	}
	*ret_nego = nego;
	return NULL;
}
