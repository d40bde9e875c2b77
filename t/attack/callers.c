/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * callers.c: honest ones who come to look or to ask, or whose mail something else puts off, and a few who send in ways of their own. They
 * notice more than a mail server: a check that is answered late, or with anything but what it was answered yesterday, wakes somebody up. They
 * come at the same pace all the time, from six hours before the rest.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "t/attack/sim.h"

enum { MANY = 100 };
/* What they do has added up to whatever it comes to. */
#define EARLIER_MS (6 * HOUR_MS)

struct caller;

/* What it does in a session that has said HELO; the first code that is not 250, or 250. */
typedef int caller_does(struct sim *sim, const struct caller *caller, mxw_session_t *s);

static caller_does say_no_more, ask_postmaster, verify_one, verify_five, give_up_the_message, send_to_many, send_many;

static const struct kind {
	const char *name, *ip, *helo;
	int64_t every_ms;
	caller_does *does;       /* NULL: it closes before HELO */
} kinds[] = {
	{"health check of a load balancer", "19.0.1.1", "", 2 * SECOND_MS, NULL},
	{"monitor, EHLO and QUIT", "19.0.2.1", "monitor.example", MINUTE_MS, say_no_more},
	{"monitor, MAIL and RCPT", "19.0.3.1", "watch.example", MINUTE_MS, ask_postmaster},
	{"address verification", "19.0.4.1", "verifier.example", MINUTE_MS, verify_one},
	{"a relay that calls ahead", "19.0.5.1", "ahead.example", 2 * MINUTE_MS, verify_five},
	{"451 by something else", "19.0.6.1", "unlucky.example", 5 * MINUTE_MS, give_up_the_message},
	{"Exchange, wrong HELO", "19.0.7.1", "EXCH01.local", 10 * MINUTE_MS, send_many},
	{"100 recipients a message", "19.0.8.1", "big.lists.example", HOUR_MS, send_to_many},
};

struct caller {
	const struct kind *kind;
	struct honest *count;
	struct client client;
};

static int say_no_more(struct sim *sim, const struct caller *caller, mxw_session_t *s)
{
	(void)sim, (void)caller, (void)s;
	return 250;
}

static int ask(struct sim *sim, const struct caller *caller, mxw_session_t *s, const char *sender)
{
	char address[RCPT_MAX];
	int code = sim_mail(s, &caller->client, sender);

	sim_address(sim->valid[sim_draw(sim, VALID)], address);
	if (code == 250)
		code = sim_rcpt(s, address);
	mxw_session_abort(s);
	return code;
}

static int ask_postmaster(struct sim *sim, const struct caller *caller, mxw_session_t *s)
{
	(void)sim;
	int code = sim_mail(s, &caller->client, "check@watch.example");

	if (code == 250)
		code = sim_rcpt(s, "postmaster@site.example");
	mxw_session_abort(s);
	return code;
}

static int verify_one(struct sim *sim, const struct caller *caller, mxw_session_t *s)
{
	return ask(sim, caller, s, "");
}

static int verify_five(struct sim *sim, const struct caller *caller, mxw_session_t *s)
{
	int code = 250;

	for (int i = 0; i < 5 && code == 250; i++)
		code = ask(sim, caller, s, "someone@author.example");
	return code;
}

/* What comes behind us in the MTA, or before, did not want it: all that is seen here is that the transaction ends. */
static int give_up_the_message(struct sim *sim, const struct caller *caller, mxw_session_t *s)
{
	char address[RCPT_MAX];
	int code = sim_mail(s, &caller->client, "someone@unlucky.example");
	struct mxw_verdict v;

	sim_address(sim->valid[0], address);
	if (code == 250)
		code = sim_rcpt(s, address);
	if (code == 250)
		mxw_session_data(s, &v);
	mxw_session_abort(s);
	return code;
}

static int send_one(struct sim *sim, const struct caller *caller, mxw_session_t *s, unsigned nrcpts)
{
	struct letter letter = {.from_domain = caller->client.helo};
	char address[RCPT_MAX], sender[128];

	snprintf(sender, sizeof sender, "someone@%s", caller->client.helo);
	int code = sim_mail(s, &caller->client, sender);
	for (unsigned i = 0; i < nrcpts && code == 250; i++) {
		sim_address(sim->valid[i], address);
		code = sim_rcpt(s, address);
	}
	return code == 250 ? sim_data(sim, s, &letter) : code;
}

static int send_to_many(struct sim *sim, const struct caller *caller, mxw_session_t *s)
{
	return send_one(sim, caller, s, MANY);
}

static int send_many(struct sim *sim, const struct caller *caller, mxw_session_t *s)
{
	int code = 250;

	for (int i = 0; i < MANY && code == 250; i++)
		code = send_one(sim, caller, s, 1);
	return code;
}

/* Each of them has something to write once an hour: a report, a notice, or what comes through the same NAT. */
static int write_something(struct sim *sim, const struct caller *caller)
{
	struct client client = caller->client;
	struct caller writer = {caller->kind, caller->count, client};

	if (!*client.helo)
		snprintf(writer.client.helo, sizeof client.helo, "mail.example");
	mxw_session_t *s = sim_call(sim, &writer.client);
	int code = s ? send_one(sim, &writer, s, 1) : 421;
	mxw_session_free(s);
	return code;
}

/* Connects, and goes. */
static int knock(struct sim *sim, const struct caller *caller)
{
	struct mxw_connect_info info = {.client = caller->client.ip, .client_name = "lb.example", .daemon_port = 25};
	struct mxw_verdict v;
	mxw_session_t *s;

	if (mxw_session_new(sim->engine, &s) != MXW_OK)
		return 0;
	mxw_session_connect(s, &info, &v);
	mxw_session_free(s);
	return v.action == MXW_ACTION_CONTINUE ? 250 : 421;
}

static void come(struct sim *sim, void *what)
{
	const struct caller *caller = what;
	struct honest *h = caller->count;
	int64_t began_ms = sim_now(sim);
	int code = 421;

	if (!caller->kind->does) {
		code = knock(sim, caller);
	} else {
		mxw_session_t *s = sim_call(sim, &caller->client);
		if (s)
			code = caller->kind->does(sim, caller, s);
		mxw_session_free(s);
	}
	if (code == 250 && sim_now(sim) / HOUR_MS != (sim_now(sim) - caller->kind->every_ms) / HOUR_MS)
		code = write_something(sim, caller);
	h->deliveries++;
	h->delivered += code == 250;
	h->refused += code >= 500;
	h->put_off += code < 500 && (code != 250 || sim_now(sim) > began_ms);
	if (sim_now(sim) - began_ms > h->worst_ms)
		h->worst_ms = sim_now(sim) - began_ms;
	sim_after(sim, caller->kind->every_ms, come, what);
}

void callers_begin(struct sim *sim)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(kinds); i++) {
		struct caller *caller = sim_alloc(sim, sizeof *caller);
		*caller = (struct caller){&kinds[i], honest_count(sim, kinds[i].name), client_make(kinds[i].ip, kinds[i].helo, true)};
		caller->count->is_caller = true;
		sim_at(sim, sim->calm_ms - EARLIER_MS, come, caller);
	}
}
