/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim.h: a site under attack, in simulated time. The real engine with the default configuration, a clock that only events move, DNS from a
 * script, recipients from a file; everything else that happens is an event in one queue, in an order that a seed settles.
 *
 * Who may call: t/attack only.
 * Threads: one.
 * Memory:  what an event is about belongs to its owner; aborts when memory is gone.
 */
#ifndef MXW_T_ATTACK_SIM_H
#define MXW_T_ATTACK_SIM_H

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/scratch.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)

/* The dictionary of the harvesters, and how many of its names are recipients here. */
enum { NAMES = 20000, VALID = 2000, RCPT_MAX = 64 };

/* Of a kind of honest traffic: deliveries to recipients that exist. */
struct honest {
	const char *name;
	unsigned deliveries, delivered, put_off, refused;
	int64_t worst_ms;        /* the longest time from the first attempt to delivery, or to the end */
	bool is_caller;          /* callers.c: none of what it does may be put off, and it is no part of the share that may */
};
enum { HONEST_MAX = 32 };

/* What attackers got. */
struct loot {
	unsigned asked;          /* guesses made */
	unsigned told;           /* refused as unknown, or told to exist: guesses that were answered */
	unsigned disclosed;      /* different recipients that exist and are known to since */
	unsigned delivered;      /* messages that were taken */
	unsigned commands;       /* until the client was cut off the first time; 0: never */
	unsigned sessions, cut_off;
	bool is_disclosed[NAMES];
};

struct sim {
	struct fake_clock clock;
	fake_resolver_t *resolver;
	mxw_engine_t *engine;
	struct scratch scratch;
	uint64_t chance;
	struct event *heap;
	size_t nevents, room;
	uint64_t seq;
	int64_t began_ms, calm_ms, attack_ms, end_ms; /* small servers write from the first on, all honest mail from the second */
	uint32_t dictionary[NAMES]; /* in the order in which it is tried */
	bool is_valid[NAMES];
	uint32_t valid[VALID];
	struct honest honest[HONEST_MAX];
	size_t nhonest;
	struct loot loot;
	bool is_verbose;
	struct owned *owned;     /* see sim_alloc() */
};

/*
 * `conf`: what is added to the default configuration; "" for nothing. It begins two days before the calm, which lasts for `calm_ms`, as the
 * attack then does for `attack_ms`.
 */
struct sim *sim_new(const char *conf, int64_t calm_ms, int64_t attack_ms);
void sim_free(struct sim *sim);
/* Until the time is over. */
void sim_run(struct sim *sim);
int64_t sim_now(const struct sim *sim);
void sim_at(struct sim *sim, int64_t at_ms, void (*run)(struct sim *sim, void *what), void *what);
void sim_after(struct sim *sim, int64_t ms, void (*run)(struct sim *sim, void *what), void *what);
/* A number below `n`, and a time between half and one and a half of `ms`. */
unsigned sim_draw(struct sim *sim, unsigned n);
int64_t sim_jitter(struct sim *sim, int64_t ms);
/* Zeroed; it lasts until it is dropped, or as long as the simulation. */
void *sim_alloc(struct sim *sim, size_t size);
void sim_drop(void *p);

/* ---- SMTP ---- */

struct client {
	struct mxw_ip ip;
	char helo[80];
	bool has_name;           /* its HELO name is that of its address */
	const char *user;        /* NULL: has not authenticated */
	uint16_t port;
};
struct client client_make(const char *ip, const char *helo, bool has_name);

/* A message: its author's domain, and whether it is signed in that name. */
struct letter {
	const char *from_domain;
	bool is_signed;
	const char *list_id;
};

/* Replies are codes: 250, 421, 451, 550 ... After 421 the session is over. NULL: cut off at connect or HELO. */
mxw_session_t *sim_call(struct sim *sim, const struct client *client);
int sim_mail(mxw_session_t *s, const struct client *client, const char *sender);
int sim_rcpt(mxw_session_t *s, const char *rcpt);
/*
 * A guess: a name of the dictionary. What an attacker can tell is noted: a recipient is disclosed if the reply differs from the one that
 * a recipient which does not exist would have got in its place.
 */
int sim_guess(struct sim *sim, mxw_session_t *s, uint32_t name);
int sim_data(struct sim *sim, mxw_session_t *s, const struct letter *letter);
void sim_address(uint32_t name, char ret_address[RCPT_MAX]);

/* ---- who is there: honest.c, callers.c, harvesters.c, abuse.c ---- */

void honest_begin(struct sim *sim);
void callers_begin(struct sim *sim);
/* What is counted of a kind of honest traffic. */
struct honest *honest_count(struct sim *sim, const char *name);

#endif
