/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnsbl.h: what is asked of a list in the DNS, and what its answers say.
 *
 * A list is asked for an address, last part first, or for a domain, and answers with codes in 127.0.0.0/8, or that there is no such
 * name. Anything else is the list's own trouble and says nothing about who was asked for: codes of 127.255.255.0/24 (its server
 * does not talk to us), addresses elsewhere (the domain was sold, or a resolver makes up answers).
 *
 * Who may call: check, and session for the health of the lists.
 * Threads: functions without state; struct mxw__dnsbl_health locks for itself: one mutex, a leaf, under which nobody is asked or told.
 * Memory:  health: so many lists as there may be sections, of two configurations.
 * Standards: RFC 5782.
 */
#ifndef MXW_SRC_CHECK_DNSBL_H
#define MXW_SRC_CHECK_DNSBL_H

#include <mxward/dns.h>

#include "src/conf/conf.h"

/* ---- dnsbl_answer.c ---- */

enum { MXW__DNSBL_NAME_MAX = 256 };

/* Who is asked for: an address, or a domain in A-labels. Family 0 and "": nobody. */
struct mxw__dnsbl_subject {
	struct mxw_ip ip;
	const char *domain;
};

typedef enum mxw__dnsbl_listing { MXW__DNSBL_NOT_LISTED, MXW__DNSBL_LISTED, MXW__DNSBL_UNKNOWN } mxw__dnsbl_listing_t;

/* What an answer says. */
struct mxw__dnsbl_finding {
	mxw__dnsbl_listing_t listing;
	int points;
	uint32_t results;              /* a bit for each of the list's that it has */
	const char *trouble;           /* why it says nothing (static); NULL: it is that of a list that works */
};

/* Does the list have such subjects? It need not hear of addresses and names that are nobody's outside. */
bool mxw__dnsbl_has_subject(const struct mxw__dnsbl_conf *list, const struct mxw__dnsbl_subject *subject);
/* The name that is asked for. False: it would be too long, and so does not exist. */
bool mxw__dnsbl_name(const struct mxw__dnsbl_conf *list, const struct mxw__dnsbl_subject *subject,
		     char ret_name[MXW__DNSBL_NAME_MAX]);
struct mxw__dnsbl_finding mxw__dnsbl_judge(const struct mxw__dnsbl_conf *list, const mxw_dns_answer_t *answer);

/*
 * What every list must have and must not have (RFC 5782 section 5): 127.0.0.2 and 127.0.0.1, in a list of IPv6 addresses
 * ::FFFF:7F00:2 and ::FFFF:7F00:1, in one of domains TEST and INVALID, or what its section says.
 */
void mxw__dnsbl_test_name(const struct mxw__dnsbl_conf *list, bool is_present, char ret_name[MXW__DNSBL_NAME_MAX]);

/* What the answers to both say of a list. */
typedef enum mxw__dnsbl_state {
	MXW__DNSBL_UNTESTED,           /* not known, yet or for now: an answer is missing */
	MXW__DNSBL_SOUND,
	MXW__DNSBL_SICK,               /* it has everything, or nothing: it is not asked, and has nobody */
	MXW__DNSBL_AWAY                /* it gives no answers, to us at least: it is not asked, and whom it has is not known */
} mxw__dnsbl_state_t;

/* Either answer may be NULL. `ret_why`: what is wrong with one that is SICK or AWAY (static). */
mxw__dnsbl_state_t mxw__dnsbl_test(const struct mxw__dnsbl_conf *list, const mxw_dns_answer_t *present, const mxw_dns_answer_t *absent,
				   const char **ret_why);

/* ---- dnsbl_health.c ---- */

typedef struct mxw__dnsbl_health mxw__dnsbl_health_t;

struct mxw__dnsbl_health_env {
	struct mxw_clock clock;
	/* A warning that is given once an hour for each key; and one that is always given. */
	void (*warn)(void *ctx, const char *key, const char *line);
	void (*tell)(void *ctx, const char *line);
	void *ctx;
};

/* NULL without memory. */
mxw__dnsbl_health_t *mxw__dnsbl_health_new(const struct mxw__dnsbl_health_env *env);
void mxw__dnsbl_health_free(mxw__dnsbl_health_t *health);

/* UNTESTED for a list that is not known. */
mxw__dnsbl_state_t mxw__dnsbl_health_of(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list);
/*
 * A client's question was answered, or not. A list that answers nobody for a while is AWAY, until it answers such questions again, some
 * of which are asked from time to time.
 */
void mxw__dnsbl_health_note(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, const char *name, bool is_answered);
/* A client's question to a list that is AWAY, which was not asked. */
void mxw__dnsbl_health_skip(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, const char *name);
/* The test points say so; warns of what is wrong, and tells when it is over. */
void mxw__dnsbl_health_set(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, mxw__dnsbl_state_t state, const char *why);

/*
 * Asks the lists of `conf` whose time has come for their test points, and goes by the answers that are there; never waits. To be called
 * every now and then. A list that is set aside is asked once a minute.
 */
void mxw__dnsbl_health_tick(mxw__dnsbl_health_t *health, const struct mxw_conf *conf, mxw_resolver_t *resolver);

#endif
