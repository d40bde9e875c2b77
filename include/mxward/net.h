/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h: IP addresses and networks.
 *
 * Threads: plain values, no state.
 * Standards: RFC 5952 (text form of IPv6), RFC 4291 section 2.5.5.2 (mapped IPv4 is IPv4 here).
 */
#ifndef MXWARD_NET_H
#define MXWARD_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mxward/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sockaddr;

/* An address; family 4 or 6, or 0 when there is none (a client on a unix socket). */
struct mxw_ip {
	uint8_t family;
	uint8_t bytes[16]; /* network order; IPv4 uses the first four */
};

/* An address and the number of leading bits that count. */
struct mxw_network {
	struct mxw_ip ip;
	uint8_t bits;
};

#define MXW_IP_TEXT_MAX 46

/* Reads "192.0.2.1", "2001:db8::1" or "IPv6:2001:db8::1"; a mapped IPv4 address becomes IPv4. */
mxw_status_t mxw_ip_parse(const char *text, struct mxw_ip *ret_ip);

/* Takes the address out of an AF_INET or AF_INET6 socket address; any other family gives family 0. */
struct mxw_ip mxw_ip_from_sockaddr(const struct sockaddr *sa);

/* Writes the address as text, "" for none. `ret_text` has room for MXW_IP_TEXT_MAX bytes. Returns it. */
char *mxw_ip_format(const struct mxw_ip *ip, char *ret_text);

/* Reads "192.0.2.0/24", "2001:db8::/32" or a single address. Bits set beyond the prefix are an error. */
mxw_status_t mxw_network_parse(const char *text, struct mxw_network *ret_network);

/* Is the address inside the network? False for addresses of another family and for none. */
bool mxw_network_contains(const struct mxw_network *network, const struct mxw_ip *ip);

#ifdef __cplusplus
}
#endif
#endif
