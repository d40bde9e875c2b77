/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proto.h: packets of the milter protocol (version 6), seen from the MTA's side.
 *
 * A packet is a length of four octets in network order, a command or reply letter, and its data. The letters
 * and flags are those of <libmilter/mfdef.h>.
 *
 * Who may call: the load client (load.h) and tests.
 * Threads: no state; a buffer has one owner at a time.
 * Memory:  without memory the program ends: this is a tool of the tests.
 */
#ifndef MXW_T_BENCH_PROTO_H
#define MXW_T_BENCH_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* realloc() and strdup() that end the program when memory is gone. */
void *mload_realloc(void *p, size_t n, size_t size);
char *mload_strdup(const char *s);

/* A queue of octets: added at the end, taken at `pos`. */
struct mload_buf {
	unsigned char *data;
	size_t pos;
	size_t len;
	size_t cap;
};
void mload_buf_fini(struct mload_buf *buf);
void mload_buf_clear(struct mload_buf *buf);
/* Makes room for `len` more octets and says where they go; add them to buf->len. */
unsigned char *mload_buf_room(struct mload_buf *buf, size_t len);
void mload_buf_add(struct mload_buf *buf, const void *data, size_t len);
static inline size_t mload_buf_pending(const struct mload_buf *buf)
{
	return buf->len - buf->pos;
}

/* Starts a packet; what it returns goes to mload_packet_end(), which fills in the length. */
size_t mload_packet_begin(struct mload_buf *out, char command);
void mload_packet_u16(struct mload_buf *out, uint16_t value);
void mload_packet_u32(struct mload_buf *out, uint32_t value);
/* With its final NUL. */
void mload_packet_string(struct mload_buf *out, const char *s);
void mload_packet_end(struct mload_buf *out, size_t mark);
/* A packet with no data. */
void mload_packet_empty(struct mload_buf *out, char command);

/* A packet received; `data` is borrowed from the buffer until something is added to it. */
struct mload_packet {
	char command;
	const unsigned char *data;
	size_t len;
};

#define MLOAD_REPLY_MAX (1024u * 1024)

/* Takes the next packet out of `in`. 1: taken; 0: more octets are needed; -1: the length is impossible. */
int mload_packet_next(struct mload_buf *in, struct mload_packet *ret_packet);

/* ---- negotiation ---- */

#define MLOAD_VERSION 6
#define MLOAD_ALL_ACTIONS 0x1ffu
/* Every step flag there is, and frames of 256 KB and 1 MB. */
#define MLOAD_ALL_STEPS 0x301fffffu
#define MLOAD_SYMLISTS 7 /* connect, helo, mail, rcpt, data, eom, eoh: SMFIM_* */

struct mload_negotiated {
	uint32_t version;
	uint32_t actions;
	uint32_t steps;
	char *symlist[MLOAD_SYMLISTS]; /* names separated by blanks; NULL: the MTA's default */
};
void mload_negotiated_fini(struct mload_negotiated *nego);
void mload_packet_offer(struct mload_buf *out, uint32_t version, uint32_t actions, uint32_t steps);
/* Reads the milter's answer. Returns NULL, or what is wrong with it. Static text. */
const char *mload_negotiated_parse(const struct mload_packet *packet, uint32_t offered_actions,
				   uint32_t offered_steps, struct mload_negotiated *ret_nego);

#endif
