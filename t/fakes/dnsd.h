/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnsd.h: a small DNS server on 127.0.0.1, UDP and TCP on one free port, in a thread of the test.
 *
 * It answers from records in zone file form (src/dns/dns.h), follows CNAMEs and wildcards of one level, and claims to
 * be recursive, so that a resolver may forward to it. How it answers can be told per name and type or ANY, also for
 * "*.name" (all names below):
 *
 *	slow.example   A    !delay=200ms
 *	dead.example   ANY  !drop        no answer
 *	sick.example   ANY  !servfail    rcode 2
 *	shut.example   ANY  !refuse      rcode 5
 *	big.example    TXT  !truncate    TC over UDP, the answer over TCP
 *	odd.example    A    !loop        a compression pointer that leads to itself
 *	cut.example    A    !cut         a message that ends within its answer
 *	junk.example   A    !junk        octets that are no DNS message
 *	lies.example   A    !lie         a header that announces 65535 records
 *	mine.example   A    !stray       a record of another name, victim.example
 *	id.example     A    !wrong-id    an answer to another question's number
 *	ptr.example    MX   !rdata-loop  data that is a compression pointer to itself
 *	hex.example    A    !rdata=c000  one record with this data
 *
 * Everything else does not exist: NXDOMAIN with an SOA record whose minimum is 60 s.
 *
 * Threads: every function may be called from any thread.
 * Memory:  dnsd_stop() ends the thread and frees all.
 * Standards: RFC 1035, RFC 2308, RFC 6891 (a payload of 1232 octets).
 */
#ifndef MXW_T_FAKES_DNSD_H
#define MXW_T_FAKES_DNSD_H

#include <stdbool.h>

typedef struct dnsd dnsd_t;

/* Starts it; a mistake in the text or a refusal of the system prints and aborts. */
dnsd_t *dnsd_start(const char *zone_text);
/* "127.0.0.1@5353": what struct mxw_resolver_options wants as `forward`. Borrowed. */
const char *dnsd_address(const dnsd_t *server);
/* Queries seen for the name (NULL: all) and type (0: all), repetitions included. */
unsigned dnsd_queries(dnsd_t *server, const char *name, int type);
/* From now on answers nothing (true), or as scripted again. */
void dnsd_set_silent(dnsd_t *server, bool is_silent);
void dnsd_stop(dnsd_t *server);

#endif
