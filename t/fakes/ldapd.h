/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ldapd.h: an LDAP server that behaves as badly as a test wants. It takes every bind and answers every search with
 * what was set, on 127.0.0.1.
 *
 * Threads: one of its own; the settings may be changed while it runs.
 */
#ifndef MXW_T_FAKES_LDAPD_H
#define MXW_T_FAKES_LDAPD_H

#include <stdatomic.h>

struct ldapd;

enum ldapd_mode {
	LDAPD_ANSWER,  /* as set below */
	LDAPD_SILENT,  /* reads and says nothing, not even to a bind */
	LDAPD_GARBAGE, /* octets that are no LDAP */
	LDAPD_HALF,    /* the first half of an answer, and nothing more */
	LDAPD_DROP     /* closes the connection on a search */
};

struct ldapd_settings {
	_Atomic enum ldapd_mode mode;
	atomic_int delay_ms;    /* of the answer to a search */
	atomic_int code;        /* of the result */
	atomic_int nentries;
	/* If set, a search that has this text in it finds one entry more, and is answered later by this time. */
	_Atomic(const char *) known;
	atomic_int known_delay_ms;
	_Atomic(const char *) reference; /* a continuation reference before the result; NULL: none */
	atomic_int drops;       /* so many searches close their connection, then mode counts */
	atomic_uint gathers;    /* nothing is answered before so many searches are there; then it is 0 */
};

struct ldapd_counts {
	atomic_uint connections;
	atomic_uint binds;
	atomic_uint searches;
};

/* Ends the test program when it can't be started. */
struct ldapd *ldapd_start(void);
void ldapd_stop(struct ldapd *server);
struct ldapd_settings *ldapd_settings(struct ldapd *server);
struct ldapd_counts *ldapd_counts(struct ldapd *server);
/* "ldap://127.0.0.1:PORT". Borrowed. */
const char *ldapd_uri(const struct ldapd *server);
/* Closes every connection, as a server does with idle ones; returns when it is done. */
void ldapd_drop_all(struct ldapd *server);
/* Answers now what is gathered. */
void ldapd_let_go(struct ldapd *server);

#endif
