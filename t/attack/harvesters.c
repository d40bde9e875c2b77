/* SPDX-License-Identifier: BSD-2-Clause */
/* All of them share one dictionary: a name that got no answer goes to the next one, until each name was answered. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "t/attack/harvesters.h"

enum { GUESSES_MAX = 100, TRIES_MAX = 3, KNOWN_MAX = 20 };

struct campaign {
	const struct harvest *harvest;
	uint32_t names[2 * NAMES]; /* a ring */
	size_t first, n;
	unsigned nsessions;
};

struct bot {
	struct campaign *campaign;
	struct client client;
	char sender[96], domain[64];
	unsigned number;
};

/* What was put off, and will be tried again. */
struct retry {
	struct bot bot;
	uint32_t name;
	unsigned tries;
};

static void give_back(struct campaign *c, uint32_t name)
{
	c->names[(c->first + c->n++) % MXW_ARRAY_LEN(c->names)] = name;
}

static uint32_t take_name(struct campaign *c)
{
	uint32_t name = c->names[c->first];

	c->first = (c->first + 1) % MXW_ARRAY_LEN(c->names);
	c->n--;
	return name;
}

static void put_address(struct sim *sim, struct bot *bot)
{
	const struct harvest *h = bot->campaign->harvest;
	unsigned a = sim_draw(sim, 65536), b = sim_draw(sim, 65536);
	char ip[64], helo[80];

	if (h->hop == HOP_NONE)
		snprintf(ip, sizeof ip, "21.0.%u.%u", bot->number / 5 % 200, 1 + bot->number % 5);
	else if (h->hop == HOP_ONE)
		snprintf(ip, sizeof ip, "22.0.0.1");
	else if (h->hop == HOP_64)
		snprintf(ip, sizeof ip, "2a0b:cd00:1:%x::1", 0x8000 | a);
	else if (h->hop == HOP_40)
		snprintf(ip, sizeof ip, "2a0b:cd00:%x:%x::1", a & 0xff, b);
	else
		snprintf(ip, sizeof ip, "2a0b:cd00:%x:%x::1", a, b);
	snprintf(helo, sizeof helo, "h%u-%u.dsl.example", bot->number, h->hop > HOP_ONE ? bot->campaign->nsessions : 0);
	bot->client = client_make(ip, helo, h->has_names);
}

static void put_sender(struct sim *sim, struct bot *bot)
{
	unsigned n = bot->campaign->harvest->domains, k = sim_draw(sim, n ? n : 1);

	snprintf(bot->domain, sizeof bot->domain, "%s%u.example", n ? "throwaway" : "victim", k);
	snprintf(bot->sender, sizeof bot->sender, "info@%s", bot->domain);
}

static void retry(struct sim *sim, void *what);

static void put_off(struct sim *sim, const struct bot *bot, uint32_t name, unsigned tries)
{
	if (!bot->campaign->harvest->retries || tries == TRIES_MAX) {
		give_back(bot->campaign, name);
		return;
	}
	struct retry *r = sim_alloc(sim, sizeof *r);
	*r = (struct retry){*bot, name, tries + 1};
	if (bot->campaign->harvest->patience_ms)
		sim_after(sim, sim_jitter(sim, bot->campaign->harvest->patience_ms), retry, r);
	else
		sim_after(sim, 6 * MINUTE_MS + (int64_t)sim_draw(sim, 540) * SECOND_MS, retry, r);
}

/* True: the session goes on. */
static bool guess(struct sim *sim, mxw_session_t *s, const struct bot *bot, uint32_t name, unsigned tries, bool *found)
{
	int code = sim_guess(sim, s, name);

	*found |= code == 250;
	if (code >= 400 && code < 500)
		put_off(sim, bot, name, tries);
	return code != 421;
}

static void end_session(struct sim *sim, mxw_session_t *s, const struct bot *bot, bool found, bool is_over)
{
	struct letter letter = {.from_domain = bot->domain};

	if (is_over)
		sim->loot.cut_off++;
	else if (found && bot->campaign->harvest->delivers)
		sim->loot.delivered += sim_data(sim, s, &letter) == 250;
	else
		mxw_session_abort(s);
	mxw_session_free(s);
}

static mxw_session_t *begin_session(struct sim *sim, const struct bot *bot)
{
	mxw_session_t *s = sim_call(sim, &bot->client);

	sim->loot.sessions++;
	if (s && sim_mail(s, &bot->client, bot->sender) == 250)
		return s;
	sim->loot.cut_off++;
	mxw_session_free(s);
	return NULL;
}

static void retry(struct sim *sim, void *what)
{
	struct retry *r = what;
	mxw_session_t *s = begin_session(sim, &r->bot);
	bool found = false;

	if (s) {
		bool goes_on = guess(sim, s, &r->bot, r->name, r->tries, &found);
		end_session(sim, s, &r->bot, found, !goes_on);
	} else {
		put_off(sim, &r->bot, r->name, r->tries);
	}
	sim_drop(r);
}

/* A message to people whom the attacker knows, as a good sender would write it. */
static bool write_to_known(struct sim *sim, mxw_session_t *s, const struct bot *bot)
{
	struct letter letter = {.from_domain = bot->domain};
	char address[RCPT_MAX];
	bool any = false;

	for (unsigned i = 0; i < bot->campaign->harvest->known; i++) {
		sim_address(sim->valid[sim_draw(sim, KNOWN_MAX)], address);
		int code = sim_rcpt(s, address);
		if (code == 421)
			return false;
		any |= code == 250;
	}
	if (any)
		sim->loot.delivered += sim_data(sim, s, &letter) == 250;
	return sim_mail(s, &bot->client, bot->sender) == 250;
}

static void work(struct sim *sim, void *what)
{
	struct bot *bot = what;
	struct campaign *c = bot->campaign;
	bool found = false, goes_on = true;

	sim_after(sim, sim_jitter(sim, c->harvest->every_ms), work, bot);
	c->nsessions++;
	if (c->harvest->hop > HOP_ONE)
		put_address(sim, bot);
	put_sender(sim, bot);
	mxw_session_t *s = c->n ? begin_session(sim, bot) : NULL;
	if (!s)
		return;
	if (c->harvest->known)
		goes_on = write_to_known(sim, s, bot);
	for (unsigned i = 0; goes_on && c->n && i < c->harvest->guesses; i++)
		goes_on = guess(sim, s, bot, take_name(c), 0, &found);
	end_session(sim, s, bot, found, !goes_on);
}

void harvest_begin(struct sim *sim, const struct harvest *harvest)
{
	struct campaign *c = sim_alloc(sim, sizeof *c);
	char line[160];

	c->harvest = harvest;
	for (size_t i = 0; i < NAMES; i++)
		give_back(c, sim->dictionary[i]);
	for (unsigned i = 0; i < harvest->domains; i++) {
		snprintf(line, sizeof line, "throwaway%u.example TXT \"v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 ip6:2000::/3 -all\"\n", i);
		fake_resolver_script(sim->resolver, line);
	}
	for (unsigned i = 0; i < harvest->nbots; i++) {
		struct bot *bot = sim_alloc(sim, sizeof *bot);
		bot->campaign = c;
		bot->number = i;
		put_address(sim, bot);
		sim_at(sim, sim->attack_ms + (int64_t)(harvest->every_ms * i / harvest->nbots), work, bot);
	}
}
