/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key.h: under which key something is remembered. One form for memory, disk, other hosts and people: the key's text.
 *
 *    192.0.2.1                 an IPv4 address
 *    2001:db8:1:2::/64         an IPv6 client: a host has all of a /64 to choose from
 *    192.0.2.0/24, 2001:db8:1::/56, 2001:db8:1::/48    networks
 *    helo:mx.example.org  domain:example.org  user:anna  list:NAME
 *
 * A name that is too long, as it is or with what must be escaped, is kept as its beginning, '~' and a hash of the whole: the same on
 * every host and after each start. So the text of a key always gives that key.
 *
 * Who may call: session, track, and the public interface behind mxwardctl.
 * Threads: pure functions.
 */
#ifndef MXW_SRC_TRACK_KEY_H
#define MXW_SRC_TRACK_KEY_H

#include "src/base/base.h"

typedef enum mxw__key_kind {
	MXW__KEY_NONE,
	MXW__KEY_ADDRESS,  /* IPv4 address, IPv6 /64 */
	MXW__KEY_NETWORK,  /* IPv4 /24, IPv6 /56 */
	MXW__KEY_WIDE,     /* IPv6 /48 */
	MXW__KEY_HELO,
	MXW__KEY_DOMAIN,   /* a sender's */
	MXW__KEY_USER,     /* who has authenticated */
	MXW__KEY_KINDS
} mxw__key_kind_t;

enum { MXW__KEY_DATA = 54, MXW__KEY_TEXT_MAX = 80 };

/* Compared octet by octet: what is not used is 0. */
struct mxw__key {
	uint8_t kind;
	uint8_t len;
	uint8_t data[MXW__KEY_DATA]; /* address kinds: family, then octets of the prefix; else the name in lower case */
};

/* "address", "network", "wide", "helo", "domain", "user". Static. */
const char *mxw__key_kind_name(mxw__key_kind_t kind);

/* kind NONE if the address has none of that kind (a /48 of an IPv4 address), or no family. */
struct mxw__key mxw__key_of_ip(mxw__key_kind_t kind, const struct mxw_ip *ip);
/*
 * Of a name; lower case (ASCII), without final dots, which a user's keeps. kind NONE for "". Most servers log a user in however the name is
 * written, and some of them tell the MTA as it was: one account must not have as many quotas as it has spellings.
 */
struct mxw__key mxw__key_of_name(mxw__key_kind_t kind, const char *name);

/* The text of it. "" for NONE. Octets beyond printable ASCII are %XX. Returns `ret_text`. */
char *mxw__key_text(const struct mxw__key *key, char ret_text[MXW__KEY_TEXT_MAX]);
/* Back from it. False if it is none: also for an address with bits beyond the prefix that its kind has. A bare IPv6 address is its /64. */
bool mxw__key_parse(const char *text, struct mxw__key *ret_key);

#endif
