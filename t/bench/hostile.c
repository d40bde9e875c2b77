/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <libmilter/mfdef.h>
#include <stdio.h>
#include <string.h>

#include "t/bench/hostile.h"

#define HOSTILE_PACKETS_MAX 48

static unsigned below(uint64_t *state, unsigned n)
{
	return (unsigned)(mload_random(state) % n);
}

/* What a peer can put where a string is expected. */
static void put_nasty_string(struct mload_buf *out, const struct mload_row *row, uint64_t *state)
{
	static const char *const nasty[] = {
		"", "<>", "<", "<@>", "<@a,@b:c@d>", "a@b@c", "<\"a b\\\"\"@[IPv6:::1]>", "%s%n%d%%", "{client}",
		"<x@\xff\xfe.example>", "a\r\n250 ok", "\t \t", "127.0.0.1", "::ffff:192.0.2.1", "IPv6:fe80::1%eth0",
		"DKIM-Signature", "Authentication-Results", "From", "v=1; a=rsa-sha256; d=; s=; bh=; b=; h=",
		" mx.bench.example; spf=pass", "=?utf-8?q?=00?=", "(((((((((((((((((((((((((((((((", "\"", ",,,,;;;;",
	};
	unsigned pick = below(state, 40);

	if (pick < sizeof nasty / sizeof *nasty) {
		mload_packet_string(out, nasty[pick]);
	} else if (pick < 36) {
		mload_packet_string(out, pick & 1 ? row->sender : row->rcpts[0]);
	} else {
		/* Long, up to what one packet can hold. */
		size_t len = below(state, pick == 39 ? 60000 : 3000);
		unsigned char *room = mload_buf_room(out, len + 1);
		memset(room, "a.<\xc3"[below(state, 4)], len);
		room[len] = '\0';
		out->len += len + 1;
	}
}

static void put_random_octets(struct mload_buf *out, uint64_t *state)
{
	size_t len = below(state, 300);

	for (size_t i = 0; i < len; i++) {
		unsigned char octet = (unsigned char)mload_random(state);
		mload_buf_add(out, &octet, 1);
	}
}

static void put_strings(struct mload_buf *out, const struct mload_row *row, uint64_t *state, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put_nasty_string(out, row, state);
}

static void put_connect(struct mload_buf *out, const struct mload_row *row, uint64_t *state)
{
	char family = "46LUX\0"[below(state, 6)];
	char client[256];

	put_nasty_string(out, row, state);
	mload_buf_add(out, &family, 1);
	mload_packet_u16(out, (uint16_t)below(state, 65536));
	if (below(state, 3) == 0)
		put_nasty_string(out, row, state);
	else
		mload_packet_string(out, mload_expand(row->client, below(state, 1000), 0, client, sizeof client));
}

/* The data of a packet: mostly what its command asks for, with nasty contents. */
static void put_data(struct mload_buf *out, char command, const struct mload_row *row, uint64_t *state)
{
	static const char stages[] = "CHMRTLNBEUXA";

	if (below(state, 8) == 0) {
		put_random_octets(out, state);
		return;
	}
	switch (command) {
	case SMFIC_OPTNEG:
		mload_packet_u32(out, below(state, 8));
		mload_packet_u32(out, (uint32_t)mload_random(state));
		mload_packet_u32(out, (uint32_t)mload_random(state));
		break;
	case SMFIC_MACRO:
		mload_buf_add(out, &stages[below(state, sizeof stages - 1)], 1);
		put_strings(out, row, state, below(state, 9));
		break;
	case SMFIC_CONNECT: put_connect(out, row, state); break;
	case SMFIC_MAIL:
	case SMFIC_RCPT: put_strings(out, row, state, below(state, 30) == 0 ? 400 : 1 + below(state, 3)); break;
	case SMFIC_HEADER: put_strings(out, row, state, 2); break;
	case SMFIC_HELO:
	case SMFIC_UNKNOWN: put_nasty_string(out, row, state); break;
	case SMFIC_BODY:
	case SMFIC_BODYEOB: put_random_octets(out, state); break;
	default: break;
	}
}

/* A length that lies, or none of the known letters. */
static void put_broken_packet(struct mload_buf *out, uint64_t *state)
{
	static const uint32_t lengths[] = {0, 1, 5, 65535, 65536, 0x100000, 0x7fffffff, 0xffffffff};

	if (below(state, 2) == 0) {
		size_t mark = mload_packet_begin(out, (char)mload_random(state));
		put_random_octets(out, state);
		mload_packet_end(out, mark);
		return;
	}
	mload_packet_u32(out, lengths[below(state, sizeof lengths / sizeof *lengths)]);
	put_random_octets(out, state);
}

enum mload_hostile_end mload_hostile_fill(struct mload_buf *out, const struct mload_row *row, uint64_t *state)
{
	/* Weighted by how often a letter stands here. */
	static const char commands[] = "DDDCHMMRRRRTLLLLLLLLNBBEEAAAUUKQO";
	unsigned n = 1 + below(state, HOSTILE_PACKETS_MAX);

	/* A milter that was not negotiated with answers nothing: mostly it is. */
	if (below(state, 10) > 0)
		mload_packet_offer(out, MLOAD_VERSION, MLOAD_ALL_ACTIONS,
				   below(state, 3) > 0 ? MLOAD_ALL_STEPS : below(state, 0x80));
	bool is_in_order = below(state, 2) == 0;
	for (unsigned i = 0; i < n; i++) {
		/* In order, so that the deeper states are reached, or any order. */
		char command = is_in_order ? "CHMRRTLLLLNBEMRTLLNEMRRTLNBBEAMRQ"[i % 33]
					   : commands[below(state, sizeof commands - 1)];
		if (below(state, 60) == 0) {
			put_broken_packet(out, state);
			continue;
		}
		size_t mark = mload_packet_begin(out, command);
		put_data(out, command, row, state);
		mload_packet_end(out, mark);
	}
	/* Cut in the middle of a packet. */
	if (below(state, 4) == 0)
		out->len -= below(state, (unsigned)(mload_buf_pending(out) < 200 ? mload_buf_pending(out) : 200));
	return (enum mload_hostile_end)(below(state, 8) == 0 ? MLOAD_HOSTILE_LINGER
							      : below(state, 2) ? MLOAD_HOSTILE_CUT
										: MLOAD_HOSTILE_WAIT);
}
