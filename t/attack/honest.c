/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * honest.c: the site's everyday mail, which an attack must not touch. Servers that are put off try again as Postfix does: after five to
 * ten minutes, then after twice the time, up to a bit over an hour, from another address if they have several, and give up after five days.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/attack/sim.h"

enum { JOB_RCPTS = 20, NETS = 20 };

#define QUEUE_MS (5 * 24 * HOUR_MS)

/* Who sends. */
struct source {
	struct honest *count;
	struct letter letter;
	char sender[96];         /* its local part is numbered if it has a %u */
	char spf_domain[64];
	unsigned nclients;
	struct client *clients;
	unsigned dead_percent;
	unsigned nrcpts;         /* in one message */
	int64_t every_ms;        /* messages, or, of those who send in bursts, bursts */
	unsigned burst;          /* recipients of one burst; 0: one message at a time */
	unsigned left;           /* messages or bursts that it will send; UINT32_MAX: no end */
	unsigned first_typos;    /* of the first messages, so many go to names that are wrong */
};

struct job {
	const struct source *source;
	char sender[96];
	unsigned n;
	struct {
		char address[RCPT_MAX];
		bool is_dead, is_done, was_put_off;
	} rcpts[JOB_RCPTS];
	int64_t began_ms, wait_ms;
	bool is_begun;
};

/* ---- one message ---- */

static void note(struct sim *sim, struct job *job, unsigned i, int code)
{
	struct honest *h = job->source->count;
	int64_t took_ms = sim_now(sim) - job->began_ms;

	/* What stays put off comes back to its author. */
	if (code >= 400 && code < 500 && took_ms >= QUEUE_MS)
		code = 500;
	bool is_over = code < 400 || code >= 500;
	job->rcpts[i].is_done = is_over;
	if (job->rcpts[i].is_dead)
		return;
	if (!is_over && !job->rcpts[i].was_put_off) {
		job->rcpts[i].was_put_off = true;
		h->put_off++;
	}
	h->delivered += code == 250;
	h->refused += code >= 500;
	if (took_ms > h->worst_ms)
		h->worst_ms = took_ms;
}

/* The codes of all recipients that are left. */
static void transact(struct sim *sim, struct job *job, const struct client *client, int codes[JOB_RCPTS])
{
	mxw_session_t *s = sim_call(sim, client);
	int code = s ? sim_mail(s, client, job->sender) : 421;
	bool any = false;

	for (unsigned i = 0; i < job->n; i++) {
		if (job->rcpts[i].is_done)
			continue;
		if (code == 250)
			codes[i] = sim_rcpt(s, job->rcpts[i].address);
		else
			codes[i] = code;
		any |= codes[i] == 250;
		if (codes[i] == 421)
			code = 421;
	}
	if (any && code == 250)
		code = sim_data(sim, s, &job->source->letter);
	for (unsigned i = 0; i < job->n && code != 250; i++)
		if (codes[i] == 250)
			codes[i] = code;
	if (s && !any)
		mxw_session_abort(s);
	mxw_session_free(s);
}

static void run_job(struct sim *sim, void *what)
{
	struct job *job = what;
	const struct source *source = job->source;
	int codes[JOB_RCPTS] = {0};
	bool is_left = false;

	for (unsigned i = 0; i < job->n && !job->is_begun; i++)
		source->count->deliveries += !job->rcpts[i].is_dead;
	if (!job->is_begun)
		job->began_ms = sim_now(sim);
	job->is_begun = true;
	transact(sim, job, &source->clients[sim_draw(sim, source->nclients)], codes);
	for (unsigned i = 0; i < job->n; i++) {
		if (!job->rcpts[i].is_done)
			note(sim, job, i, codes[i]);
		is_left |= !job->rcpts[i].is_done;
	}
	if (!is_left) {
		sim_drop(job);
		return;
	}
	sim_after(sim, job->wait_ms + (int64_t)sim_draw(sim, 300) * SECOND_MS, run_job, job);
	job->wait_ms = job->wait_ms < 2000 * SECOND_MS ? 2 * job->wait_ms : 4000 * SECOND_MS;
}

static struct job *new_job(struct sim *sim, const struct source *source)
{
	struct job *job = sim_alloc(sim, sizeof *job);
	const char *number = strchr(source->sender, '#');

	*job = (struct job){.source = source, .began_ms = sim_now(sim), .wait_ms = 300 * SECOND_MS};
	if (number)
		snprintf(job->sender, sizeof job->sender, "%.*s%u%s", (int)(number - source->sender), source->sender,
			 sim_draw(sim, 1000000), number + 1);
	else
		snprintf(job->sender, sizeof job->sender, "%s", source->sender);
	return job;
}

static void add_rcpt(struct sim *sim, struct job *job, unsigned k, bool is_dead)
{
	const struct source *source = job->source;
	unsigned i = job->n++;

	job->rcpts[i].is_dead = is_dead;
	/* Dead addresses are always the same few, and in no dictionary. */
	if (is_dead)
		snprintf(job->rcpts[i].address, RCPT_MAX, "gone%u.%.20s@site.example", k % 200, source->spf_domain);
	else
		sim_address(sim->valid[k % VALID], job->rcpts[i].address);
}

/* ---- sources ---- */

static void send_one(struct sim *sim, struct source *source)
{
	struct job *job = new_job(sim, source);
	bool is_typo = source->first_typos > 0;

	source->first_typos -= is_typo;
	for (unsigned i = 0; i < source->nrcpts; i++)
		add_rcpt(sim, job, sim_draw(sim, VALID), is_typo || sim_draw(sim, 100) < source->dead_percent);
	run_job(sim, job);
}

/* The same recipients each time, in the same order, the dead ones spread among them. */
static void send_burst(struct sim *sim, struct source *source)
{
	for (unsigned at = 0; at < source->burst; at += source->nrcpts) {
		struct job *job = new_job(sim, source);
		for (unsigned i = at; i < at + source->nrcpts && i < source->burst; i++)
			add_rcpt(sim, job, i, i * 37 % 100 < source->dead_percent);
		sim_after(sim, (int64_t)(at / source->nrcpts) * 2 * SECOND_MS, run_job, job);
	}
}

static void tick(struct sim *sim, void *what)
{
	struct source *source = what;

	if (!source->left)
		return;
	source->left--;
	if (source->burst)
		send_burst(sim, source);
	else
		send_one(sim, source);
	sim_after(sim, sim_jitter(sim, source->every_ms), tick, source);
}

struct honest *honest_count(struct sim *sim, const char *name)
{
	for (size_t i = 0; i < sim->nhonest; i++)
		if (strcmp(sim->honest[i].name, name) == 0)
			return &sim->honest[i];
	if (sim->nhonest == HONEST_MAX)
		abort();
	sim->honest[sim->nhonest].name = name;
	return &sim->honest[sim->nhonest++];
}

static struct source *new_source(struct sim *sim, const char *kind, const char *domain, bool is_signed)
{
	struct source *source = sim_alloc(sim, sizeof *source);
	char *kept = sim_alloc(sim, strlen(domain) + 1);

	memcpy(kept, domain, strlen(domain));
	*source = (struct source){.count = honest_count(sim, kind), .nrcpts = 1, .left = UINT32_MAX, .letter = {kept, is_signed, NULL}};
	snprintf(source->sender, sizeof source->sender, "someone@%s", domain);
	snprintf(source->spf_domain, sizeof source->spf_domain, "%s", domain);
	return source;
}

static void add_client_called(struct sim *sim, struct source *source, const char *ip, const char *helo, bool has_name)
{
	struct client *clients = sim_alloc(sim, (source->nclients + 1) * sizeof *clients);
	if (source->nclients)
		memcpy(clients, source->clients, source->nclients * sizeof *clients);
	sim_drop(source->clients);
	source->clients = clients;
	source->clients[source->nclients++] = client_make(ip, helo, has_name);
}

static void add_client(struct sim *sim, struct source *source, const char *ip, bool has_name)
{
	char helo[80];

	snprintf(helo, sizeof helo, "mail%u.%s", source->nclients + 1, source->spf_domain);
	add_client_called(sim, source, ip, helo, has_name);
}

static void script(struct sim *sim, const char *domain, const char *spf, bool has_key)
{
	static char *key;
	char line[2048];
	size_t len;

	if (spf) {
		snprintf(line, sizeof line, "%s TXT \"v=spf1 %s\"\n", domain, spf);
		fake_resolver_script(sim->resolver, line);
	}
	if (!has_key)
		return;
	if (!key && mxw__file_read(MXW_TESTDATA "/data/dkim-test-rsa.txt", 65536, &key, &len, NULL) != MXW_OK)
		abort();
	size_t n = strcspn(key, "\r\n");
	snprintf(line, sizeof line, "s1._domainkey.%s TXT \"%.200s\" \"%.*s\"\n", domain, key, (int)(n - 200), key + 200);
	fake_resolver_script(sim->resolver, line);
}

/* ---- who there is ---- */

/* 500 addresses in 20 networks; signed, aligned; 2 % of its users' recipients are gone. */
static void add_pool(struct sim *sim)
{
	struct source *source = new_source(sim, "provider, 500 addresses", "bigmail.example", true);
	char ip[40];

	script(sim, "bigmail.example", "ip4:11.0.0.0/16 -all", true);
	for (unsigned i = 0; i < 500; i++) {
		snprintf(ip, sizeof ip, "11.0.%u.%u", i % NETS, 1 + i / NETS);
		add_client(sim, source, ip, true);
	}
	source->dead_percent = 2;
	source->every_ms = 6 * SECOND_MS;
	sim_at(sim, sim->calm_ms, tick, source);
}

/* Three that write from the beginning on, three that come for the first time during the attack: 200 subscribers, 5 % dead. */
static void add_lists(struct sim *sim)
{
	char domain[40], ip[40];

	for (unsigned i = 0; i < 6; i++) {
		snprintf(domain, sizeof domain, "lists%u.example", i);
		snprintf(ip, sizeof ip, "12.0.%u.10", i);
		struct source *source = new_source(sim, i < 3 ? "list server" : "list server, new", domain, i % 2);
		script(sim, domain, "ip4:12.0.0.0/16 -all", i % 2);
		add_client(sim, source, ip, true);
		snprintf(source->sender, sizeof source->sender, "list-bounces+#@%s", domain);
		source->letter.list_id = " a list <l.lists.example>";
		source->dead_percent = 5;
		source->nrcpts = JOB_RCPTS;
		source->burst = 200;
		source->every_ms = 2 * HOUR_MS;
		sim_at(sim, i < 3 ? sim->calm_ms + i * 5 * MINUTE_MS : sim->attack_ms + (i - 2) * 20 * MINUTE_MS, tick, source);
	}
}

/* One message for each of 1,000 readers, each with a sender of its own; 3 % are gone. Once in the calm, once during the attack. */
static void add_newsletters(struct sim *sim)
{
	char domain[40], ip[40];

	for (unsigned i = 0; i < 2; i++) {
		snprintf(domain, sizeof domain, "news%u.example", i);
		snprintf(ip, sizeof ip, "14.0.%u.5", i);
		struct source *source = new_source(sim, "newsletter", domain, true);
		script(sim, domain, "ip4:14.0.0.0/16 -all", true);
		add_client(sim, source, ip, true);
		snprintf(source->sender, sizeof source->sender, "bounce-#@%s", domain);
		source->dead_percent = 3;
		source->burst = 1000;
		source->every_ms = 6 * HOUR_MS;
		sim_at(sim, i ? sim->attack_ms + 40 * MINUTE_MS : sim->calm_ms + 10 * MINUTE_MS, tick, source);
	}
}

/* What others have written, sent on from one address: under their names, so that SPF fails and the signature is whole, or under its own. */
static void add_forwarders(struct sim *sim)
{
	struct source *plain = new_source(sim, "forwarder", "author.example", true);
	struct source *srs = new_source(sim, "forwarder with SRS", "alumni.example", false);

	script(sim, "author.example", "ip4:16.0.0.1 -all", true);
	script(sim, "alumni.example", "ip4:13.0.1.1 -all", false);
	add_client(sim, plain, "13.0.0.1", true);
	add_client(sim, srs, "13.0.1.1", true);
	snprintf(srs->sender, sizeof srs->sender, "SRS0=ab#=cd=author.example=someone@alumni.example");
	srs->letter = plain->letter;
	plain->dead_percent = srs->dead_percent = 1;
	plain->every_ms = srs->every_ms = MINUTE_MS;
	sim_at(sim, sim->calm_ms, tick, plain);
	sim_at(sim, sim->calm_ms, tick, srs);
}

/* Small servers, eight to a network as hosting companies have them, that have been writing for days. */
static void add_correspondents(struct sim *sim)
{
	char domain[40], ip[40];

	for (unsigned i = 0; i < 200; i++) {
		snprintf(domain, sizeof domain, "small%u.example", i);
		snprintf(ip, sizeof ip, "15.0.%u.%u", i / 8, 10 + i % 8);
		struct source *source = new_source(sim, "correspondents", domain, false);
		if (i % 10)
			script(sim, domain, "ip4:15.0.0.0/16 -all", false);
		add_client(sim, source, ip, i % 20 != 0);
		source->dead_percent = 1;
		source->every_ms = 3 * HOUR_MS;
		sim_after(sim, (int64_t)sim_draw(sim, 60) * MINUTE_MS, tick, source);
	}
}

/*
 * Those who write for the first time, one each four minutes, and some times more in the hours after. One in ten lives in a network of the
 * attackers', as hosting goes; of a hundred 85 have SPF and a name, 8 no name, 5 no SPF, 2 neither.
 */
static void add_newcomers(struct sim *sim)
{
	unsigned n = (unsigned)((sim->end_ms - sim->calm_ms) / (4 * MINUTE_MS));
	char domain[40], ip[40];

	for (unsigned i = 0; i < n; i++) {
		unsigned kind = i * 37 % 100;
		snprintf(domain, sizeof domain, "new%u.example", i);
		if (i % 20 == 3)
			snprintf(ip, sizeof ip, "21.0.%u.200", i % 200);
		else if (i % 20 == 13)
			snprintf(ip, sizeof ip, "2a0b:cd%02x:%x::25", i % 256, i);
		else
			snprintf(ip, sizeof ip, "17.%u.%u.25", i / 250, i % 250);
		struct source *source = new_source(sim, "first-time writers", domain, false);
		if (kind < 93)
			script(sim, domain, "ip4:17.0.0.0/8 ip4:21.0.0.0/16 ip6:2a0b:cd00::/24 -all", false);
		add_client(sim, source, ip, kind < 85 || (kind >= 93 && kind < 98));
		source->left = 1 + i % 3;
		source->every_ms = HOUR_MS;
		sim_at(sim, sim->calm_ms + i * 4 * MINUTE_MS + (int64_t)sim_draw(sim, 240) * SECOND_MS, tick, source);
	}
}

/* Each gets one or two names wrong, is told so, and then gets it right. */
static void add_mistypers(struct sim *sim)
{
	unsigned n = (unsigned)((sim->end_ms - sim->calm_ms) / (20 * MINUTE_MS));
	char domain[40], ip[40];

	for (unsigned i = 0; i < n; i++) {
		snprintf(domain, sizeof domain, "typo%u.example", i);
		snprintf(ip, sizeof ip, "18.0.%u.25", i % 250);
		struct source *source = new_source(sim, "people who mistype", domain, false);
		if (i % 10)
			script(sim, domain, "ip4:18.0.0.0/16 -all", false);
		add_client(sim, source, ip, true);
		source->first_typos = 1 + i % 2;
		source->left = 5;
		source->every_ms = 5 * MINUTE_MS;
		sim_at(sim, sim->calm_ms + i * 20 * MINUTE_MS, tick, source);
	}
}

/*
 * Small servers without SPF and signatures among the attackers' addresses, some messages a day, one in thirty mistyped: under a name of their own, under
 * one that the network's owner gives to all who live there, or without a name; some have been writing for days, some begin during the attack.
 */
static void add_neighbours(struct sim *sim)
{
	static const struct {
		const char *old, *new;
		bool is_v6, has_name, is_own_name;
		unsigned nold, nnew;
	} kinds[] = {
		{"neighbour, own name", "neighbour, own name, new", false, true, true, 4, 2},
		{"neighbour, hoster's name", "neighbour, hoster's name, new", false, true, false, 4, 2},
		{"neighbour without a name", "neighbour without a name, new", false, false, false, 2, 1},
		{"neighbour, IPv6, own name", "neighbour, IPv6, own name, new", true, true, true, 2, 1},
		{"neighbour, IPv6, hoster's name", "neighbour, IPv6, hoster's, new", true, true, false, 2, 1},
	};
	char domain[40], helo[80], ip[64];

	for (unsigned k = 0, n = 0; k < MXW_ARRAY_LEN(kinds); k++) {
		for (unsigned i = 0; i < kinds[k].nold + kinds[k].nnew; i++, n++) {
			bool is_new = i >= kinds[k].nold;
			snprintf(domain, sizeof domain, "neighbour%u.example", n);
			if (kinds[k].is_own_name)
				snprintf(helo, sizeof helo, "mail.%s", domain);
			else
				snprintf(helo, sizeof helo, "static%u.dsl.example", n);
			if (kinds[k].is_v6)
				snprintf(ip, sizeof ip, "2a0b:cd00:1:%x::25", 7 * n + 3);
			else
				snprintf(ip, sizeof ip, "21.0.%u.100", 7 * n + 3);
			struct source *source = new_source(sim, is_new ? kinds[k].new : kinds[k].old, domain, false);
			add_client_called(sim, source, ip, helo, kinds[k].has_name);
			source->dead_percent = 3;
			source->every_ms = 3 * HOUR_MS;
			sim_at(sim, is_new ? sim->attack_ms + (1 + i % 2) * 20 * MINUTE_MS : sim->began_ms + n * 5 * MINUTE_MS, tick, source);
		}
	}
}

void honest_begin(struct sim *sim)
{
	add_pool(sim);
	add_lists(sim);
	add_newsletters(sim);
	add_forwarders(sim);
	add_correspondents(sim);
	add_newcomers(sim);
	add_mistypers(sim);
	add_neighbours(sim);
	callers_begin(sim);
}
