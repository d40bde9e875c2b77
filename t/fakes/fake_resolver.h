/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_resolver.h: a resolver that answers from lines of text, on a fake clock.
 *
 * The lines are records as in a zone file (src/dns/dns.h says which syntax), names below the root:
 *
 *	example.org             MX   10 mail.example.org
 *	example.org         60  TXT  "v=spf1 ip4:192.0.2.0/24 " "-all"
 *	*.dnsbl.example         A    127.0.0.2
 *
 * and, for one type of a name or for ANY, how the answer comes:
 *
 *	slow.example.org   TXT  !delay=1500ms    the answer (whatever it is) comes that late
 *	dead.example.org   ANY  !timeout         it never comes
 *	sick.example.org   MX   !servfail        the server fails
 *	bad.example.org    A    !bogus           the answer fails validation
 *	full.example.org   A    !overbudget      a cap was used up
 *	safe.example.org   ANY  !secure          the answer (whatever it is) has been validated
 *	*.flood.example    ANY  !budget=10       so many different questions, then a budget is used up: the zone's
 *	*                  ANY  !client-budget=5 so many for each client that has an account (struct mxw_dns_budget)
 *
 * Several may be given for one name (!delay with !servfail). "*.example.org ANY !timeout" is for all names
 * below, "*" for all there are. Everything that is not scripted does not exist (NXDOMAIN).
 *
 * Time: an answer that takes a while advances the fake clock to its arrival, or to the asker's deadline if that
 * is earlier (MXW_TEMPORARY then). It is counted from when the question was first asked or prefetched: so what a
 * prefetch hides can be measured. Answers that came are kept: asking again takes no time. A timeout advances to
 * the deadline, each time.
 * Budget: each different question costs one, when it is first asked or prefetched, as in the real one.
 * Threads: every function may be called from any thread.
 * Memory:  fake_resolver_new() gives one reference, mxw_resolver_unref(&fake->resolver) lets go of it.
 */
#ifndef MXW_T_FAKES_FAKE_RESOLVER_H
#define MXW_T_FAKES_FAKE_RESOLVER_H

#include <mxward/dns.h>

#include "t/fakes/fake_clock.h"

typedef struct fake_resolver {
	mxw_resolver_t resolver; /* hand out &fake->resolver */
	struct fake_clock *clock;
	struct fake_resolver_state *state;
} fake_resolver_t;

/* `clock` is borrowed for the resolver's life. Aborts when memory is gone. */
fake_resolver_t *fake_resolver_new(struct fake_clock *clock);

/* Adds lines; `source` and the line within `text` stand in complaints. MXW_ERR_CONF is a malformed line. */
mxw_status_t fake_resolver_add(fake_resolver_t *fake, const char *source, const char *text, struct mxw_error *err);
/* The same for tests: prints the complaint and aborts. */
void fake_resolver_script(fake_resolver_t *fake, const char *text);
/* Forgets lines, answers and counts. */
void fake_resolver_reset(fake_resolver_t *fake);

/* How often ask() was called for the name; type 0 sums up all types. A prefetch does not count here. */
unsigned fake_resolver_asks(fake_resolver_t *fake, const char *name, int type);
/* How many different questions of the name were begun, by asking or prefetching: what would have been sent. */
unsigned fake_resolver_sent(fake_resolver_t *fake, const char *name, int type);
/* The same over all names. */
unsigned fake_resolver_total_asks(fake_resolver_t *fake);
unsigned fake_resolver_total_sent(fake_resolver_t *fake);

#endif
