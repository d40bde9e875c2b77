/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/session/engine.h"
#include "t/attack/abuse.h"

enum {
	ROUND_TRIP_MS = 50,
	/* Commands until the client is put off: fifty messages begun and given up have its score at 100, twenty unknown commands. */
	FLOOD_MOST = 110,
	BOTS = 200,
	/* What mxward.conf(5) says under "The outbound section". */
	STOLEN_MESSAGES = 360, STOLEN_RCPTS = 860, STOLEN_RCPTS_OF_ONE = 10
};

/* ---- floods ---- */

static struct client flooder(void)
{
	return client_make("23.0.0.1", "flood.example", false);
}

/* The first command that is not answered as it was before: put off, cut off, or kept waiting. */
static void note_command(struct sim *sim, bool is_resisted)
{
	sim->loot.asked++;
	if (is_resisted && !sim->loot.commands)
		sim->loot.commands = sim->loot.asked;
}

static void abort_some(struct sim *sim, void *what)
{
	struct client client = flooder();
	mxw_session_t *s = sim_call(sim, &client);

	note_command(sim, !s);
	for (int i = 0; s && i < 20; i++) {
		int64_t said_ms = sim_now(sim);
		int code = sim_mail(s, &client, "a@flood.example");
		note_command(sim, code != 250 || sim_now(sim) > said_ms);
		mxw_session_abort(s);
		note_command(sim, false);
	}
	mxw_session_free(s);
	sim_after(sim, 42 * ROUND_TRIP_MS, abort_some, what);
}

void flood_of_aborts_begin(struct sim *sim)
{
	sim_at(sim, sim->attack_ms, abort_some, NULL);
}

static void say_nonsense(struct sim *sim, void *what)
{
	struct client client = flooder();
	mxw_session_t *s = sim_call(sim, &client);
	struct mxw_verdict v;

	for (int i = 0; s && i < 20; i++) {
		int64_t said_ms = sim_now(sim);
		mxw_session_unknown(s, "XYZZY", &v);
		note_command(sim, v.action != MXW_ACTION_CONTINUE || sim_now(sim) > said_ms);
	}
	mxw_session_free(s);
	sim_after(sim, 22 * ROUND_TRIP_MS, say_nonsense, what);
}

void flood_of_unknown_begin(struct sim *sim)
{
	sim_at(sim, sim->attack_ms, say_nonsense, NULL);
}

bool flood_is_stopped(const struct sim *sim)
{
	double hours = (double)(sim->end_ms - sim->attack_ms) / (double)HOUR_MS;

	printf("           . put off or kept waiting from command %u on; %.0f commands an hour, %.0f could be\n", sim->loot.commands,
	       sim->loot.asked / hours, 1.0 * HOUR_MS / ROUND_TRIP_MS);
	return sim->loot.commands && sim->loot.commands <= FLOOD_MOST;
}

/* ---- backup first ---- */

struct backup_bot {
	struct client client;
	char sender[64], domain[40];
};

static void come_to_backup(struct sim *sim, void *what)
{
	struct backup_bot *bot = what;
	struct letter letter = {.from_domain = bot->domain};
	mxw_session_t *s = sim_call(sim, &bot->client);
	char address[RCPT_MAX];

	sim->loot.sessions++;
	sim_address(sim->valid[sim_draw(sim, VALID)], address);
	if (s && sim_mail(s, &bot->client, bot->sender) == 250 && sim_rcpt(s, address) == 250)
		sim->loot.delivered += sim_data(sim, s, &letter) == 250;
	else if (s)
		mxw_session_abort(s);
	mxw_session_free(s);
	sim_after(sim, sim_jitter(sim, 20 * MINUTE_MS), come_to_backup, bot);
}

static struct client backup_client(unsigned number)
{
	char ip[40], helo[80];

	snprintf(ip, sizeof ip, "24.0.%u.%u", number / 5, 1 + number % 5);
	snprintf(helo, sizeof helo, "b%u.bots%u.example", number, number % 50);
	struct client client = client_make(ip, helo, true);
	client.port = 26;
	return client;
}

void backup_first_begin(struct sim *sim)
{
	char line[160];

	for (unsigned i = 0; i < BOTS; i++) {
		struct backup_bot *bot = sim_alloc(sim, sizeof *bot);
		bot->client = backup_client(i);
		snprintf(bot->domain, sizeof bot->domain, "bots%u.example", i % 50);
		snprintf(bot->sender, sizeof bot->sender, "offers@%s", bot->domain);
		if (i < 50) {
			snprintf(line, sizeof line, "%s TXT \"v=spf1 ip4:24.0.0.0/16 -all\"\n", bot->domain);
			fake_resolver_script(sim->resolver, line);
		}
		sim_at(sim, sim->attack_ms + i * 5 * SECOND_MS, come_to_backup, bot);
	}
}

bool backup_first_has_earned(const struct sim *sim)
{
	unsigned bad = 0, good = 0;

	for (unsigned i = 0; i < BOTS; i++) {
		struct client client = backup_client(i);
		struct mxw__key key = mxw__key_of_ip(MXW__KEY_ADDRESS, &client.ip);
		struct mxw__standing standing;
		mxw__table_get(sim->engine->table, &key, sim_now(sim), &standing);
		bad += standing.score >= 1;
		good += standing.good > 0;
	}
	printf("           . %u sessions; of %d bots %u have points, %u a good history; %u messages were taken\n", sim->loot.sessions, BOTS, bad,
	       good, sim->loot.delivered);
	return bad == BOTS && good == 0;
}

/* ---- a stolen account ---- */

static void send_as_user(struct sim *sim, void *what)
{
	struct client client = client_make("25.0.0.1", "laptop", false);
	struct letter letter = {.from_domain = "site.example"};
	char address[RCPT_MAX];
	unsigned taken = 0;

	client.user = "anna";
	client.port = 587;
	mxw_session_t *s = sim_call(sim, &client);
	if (s && sim_mail(s, &client, "anna@site.example") == 250) {
		for (unsigned i = 0; i < STOLEN_RCPTS_OF_ONE; i++) {
			snprintf(address, sizeof address, "victim%u@elsewhere.example", sim->loot.asked++);
			taken += sim_rcpt(s, address) == 250;
		}
		/* What is held is not sent. */
		if (taken && sim_data(sim, s, &letter) == 250) {
			sim->loot.delivered++;
			sim->loot.told += taken;
		} else if (!taken) {
			mxw_session_abort(s);
		}
	}
	mxw_session_free(s);
	sim_after(sim, ROUND_TRIP_MS * (3 + STOLEN_RCPTS_OF_ONE), send_as_user, what);
}

void stolen_account_begin(struct sim *sim)
{
	sim_at(sim, sim->attack_ms, send_as_user, NULL);
}

bool stolen_account_is_stopped(const struct sim *sim)
{
	printf("           . %u messages to %u recipients went through; the manual says: less than %d and %d\n", sim->loot.delivered,
	       sim->loot.told, STOLEN_MESSAGES, STOLEN_RCPTS);
	return sim->loot.delivered < STOLEN_MESSAGES && sim->loot.told < STOLEN_RCPTS;
}
