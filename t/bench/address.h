/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address.h: where a milter listens, in libmilter's notation.
 *
 * Threads: no state; mload_address_parse() asks the system's resolver.
 */
#ifndef MXW_T_BENCH_ADDRESS_H
#define MXW_T_BENCH_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

struct mload_address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/* "unix:/path", "local:/path", "/path", "inet:port@host", "inet6:port@host". False with a complaint on standard error. */
bool mload_address_parse(const char *text, struct mload_address *ret_address);

#endif
