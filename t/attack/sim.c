/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/policy/policy.h"
#include "src/session/engine.h"
#include "t/attack/sim.h"
#include "t/fakes/dkim_signer.h"

struct event {
	int64_t at_ms;
	uint64_t seq;            /* of two at one time the one that was made first comes first */
	void (*run)(struct sim *sim, void *what);
	void *what;
};

static void die(const char *what)
{
	fprintf(stderr, "attack: %s\n", what);
	abort();
}

/* What was made lately first; all that is left goes with the simulation. */
struct owned {
	struct owned *next, **link;
	_Alignas(max_align_t) unsigned char data[];
};

void *sim_alloc(struct sim *sim, size_t size)
{
	struct owned *o = calloc(1, sizeof *o + size);

	if (!o)
		die("out of memory");
	o->next = sim->owned;
	o->link = &sim->owned;
	if (o->next)
		o->next->link = &o->next;
	sim->owned = o;
	return o->data;
}

void sim_drop(void *p)
{
	struct owned *o = p ? (struct owned *)(void *)((unsigned char *)p - offsetof(struct owned, data)) : NULL;

	if (!o)
		return;
	*o->link = o->next;
	if (o->next)
		o->next->link = o->link;
	free(o);
}

/* ---- chance ---- */

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t draw64(struct sim *sim)
{
	uint64_t z = sim->chance += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

unsigned sim_draw(struct sim *sim, unsigned n)
{
	return (unsigned)((draw64(sim) >> 32) % n);
}

int64_t sim_jitter(struct sim *sim, int64_t ms)
{
	return ms / 2 + (int64_t)(draw64(sim) >> 1) % (ms ? ms : 1);
}

/* ---- events ---- */

static bool is_earlier(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static void swap(struct event *a, struct event *b)
{
	struct event t = *a;

	*a = *b;
	*b = t;
}

void sim_at(struct sim *sim, int64_t at_ms, void (*run)(struct sim *sim, void *what), void *what)
{
	if (sim->nevents == sim->room) {
		sim->room = sim->room ? 2 * sim->room : 1024;
		sim->heap = realloc(sim->heap, sim->room * sizeof *sim->heap);
		if (!sim->heap)
			die("out of memory");
	}
	size_t i = sim->nevents++;
	sim->heap[i] = (struct event){at_ms, sim->seq++, run, what};
	for (; i && is_earlier(&sim->heap[i], &sim->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&sim->heap[i], &sim->heap[(i - 1) / 2]);
}

void sim_after(struct sim *sim, int64_t ms, void (*run)(struct sim *sim, void *what), void *what)
{
	sim_at(sim, sim_now(sim) + ms, run, what);
}

static struct event take_first(struct sim *sim)
{
	struct event first = sim->heap[0];

	sim->heap[0] = sim->heap[--sim->nevents];
	for (size_t i = 0, least = 0;; i = least) {
		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < sim->nevents; c++)
			if (is_earlier(&sim->heap[c], &sim->heap[least]))
				least = c;
		if (least == i)
			return first;
		swap(&sim->heap[i], &sim->heap[least]);
	}
}

int64_t sim_now(const struct sim *sim)
{
	return atomic_load(&sim->clock.mono_ms);
}

void sim_run(struct sim *sim)
{
	while (sim->nevents && sim->heap[0].at_ms <= sim->end_ms) {
		struct event e = take_first(sim);
		if (e.at_ms > sim_now(sim))
			fake_clock_advance(&sim->clock, e.at_ms - sim_now(sim));
		e.run(sim, e.what);
		/* A reply that was given later has kept one session waiting, not the world. */
		if (sim_now(sim) > e.at_ms)
			fake_clock_advance(&sim->clock, e.at_ms - sim_now(sim));
	}
}

/* ---- the site ---- */

void sim_address(uint32_t name, char ret_address[RCPT_MAX])
{
	snprintf(ret_address, RCPT_MAX, "n%05u@site.example", name);
}

/* 2,000 of the 20,000 names are recipients; both they and the order of the guesses are as good as random. */
static void shuffle_names(struct sim *sim)
{
	for (uint32_t i = 0; i < NAMES; i++)
		sim->dictionary[i] = i;
	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = NAMES - 1; i > 0; i--) {
			uint32_t k = sim_draw(sim, i + 1), t = sim->dictionary[i];
			sim->dictionary[i] = sim->dictionary[k];
			sim->dictionary[k] = t;
		}
		for (uint32_t i = 0; round == 0 && i < VALID; i++) {
			sim->valid[i] = sim->dictionary[i];
			sim->is_valid[sim->dictionary[i]] = true;
		}
	}
}

static char *write_people(struct sim *sim)
{
	char *path = scratch_path(&sim->scratch, "people"), address[RCPT_MAX];
	struct mxw__buf people;

	mxw__buf_init(&people, 1 << 20);
	for (unsigned i = 0; i < VALID; i++) {
		sim_address(sim->valid[i], address);
		mxw__buf_addf(&people, "%s\n", address);
	}
	scratch_replace(path, mxw__buf_str(&people));
	mxw__buf_fini(&people);
	return path;
}

static void log_line(void *ctx, mxw_level_t level, const char *line)
{
	const struct sim *sim = ctx;

	if (sim->is_verbose)
		fprintf(stderr, "%8.1f s %s\n", (double)(sim_now(sim) - sim->began_ms) / 1e3, line);
}

static void complain(void *ctx, const struct mxw_error *err)
{
	fprintf(stderr, "attack: %s:%u:%u: %s\n", err->file, err->line, err->column, err->text);
}

static void start_engine(struct sim *sim, const char *conf_text)
{
	struct mxw_engine_options options = {.size = sizeof options, .log = log_line, .log_ctx = sim, .session_seed = 1};
	char text[4096], *people = write_people(sim);
	mxw_conf_t *conf = NULL;
	struct mxw_error err;

	snprintf(text, sizeof text,
		 "authserv-id mx.site.example\n"
		 "networks { internal 127.0.0.0/8 10.0.0.0/8 }\n"
		 "directory people {\n type file\n path \"%s\"\n}\n"
		 "domain site.example { recipients people }\n"
		 "listener submission { port 587 }\n"
		 "listener backup { port 26\n backup yes }\n%s", people, conf_text);
	free(people);
	if (mxw_conf_load_text("attack.conf", text, complain, NULL, &conf) != MXW_OK)
		die("the configuration is not valid");
	mxw__hashkey_foresee(1);
	options.clock = &sim->clock.clock;
	options.resolver = &sim->resolver->resolver;
	if (mxw_engine_new(conf, &options, &sim->engine, &err) != MXW_OK)
		die(err.text);
	mxw_conf_unref(conf);
}

struct sim *sim_new(const char *conf, int64_t calm_ms, int64_t attack_ms)
{
	struct sim *sim = calloc(1, sizeof *sim);

	if (!sim)
		die("out of memory");
	fake_clock_init(&sim->clock);
	sim->resolver = fake_resolver_new(&sim->clock);
	sim->chance = 5;
	sim->began_ms = sim_now(sim);
	sim->calm_ms = sim->began_ms + 49 * HOUR_MS;
	sim->attack_ms = sim->calm_ms + calm_ms;
	sim->end_ms = sim->attack_ms + attack_ms;
	scratch_init(&sim->scratch);
	shuffle_names(sim);
	start_engine(sim, conf);
	return sim;
}

void sim_free(struct sim *sim)
{
	mxw_engine_free(sim->engine);
	mxw_resolver_unref(&sim->resolver->resolver);
	scratch_fini(&sim->scratch);
	while (sim->owned)
		sim_drop(sim->owned->data);
	free(sim->heap);
	free(sim);
}

/* ---- SMTP ---- */

struct client client_make(const char *ip, const char *helo, bool has_name)
{
	struct client c = {.has_name = has_name, .port = 25};

	if (mxw_ip_parse(ip, &c.ip) != MXW_OK)
		die(ip);
	snprintf(c.helo, sizeof c.helo, "%s", helo);
	return c;
}

/* The code of a reply; a client that is cut off hears nothing more. */
static int code_of(const struct mxw_verdict *v)
{
	return v->action == MXW_ACTION_CONTINUE || v->action == MXW_ACTION_ACCEPT ? 250 : v->code;
}

mxw_session_t *sim_call(struct sim *sim, const struct client *client)
{
	struct mxw_connect_info info = {.client = client->ip, .daemon_port = client->port};
	struct mxw_verdict v;
	mxw_session_t *s;

	info.client_name = client->has_name ? client->helo : "unknown";
	if (mxw_session_new(sim->engine, &s) != MXW_OK)
		die("no session");
	mxw_session_connect(s, &info, &v);
	if (code_of(&v) == 250)
		mxw_session_helo(s, client->helo, &v);
	if (code_of(&v) == 250)
		return s;
	mxw_session_free(s);
	return NULL;
}

int sim_mail(mxw_session_t *s, const struct client *client, const char *sender)
{
	struct mxw_verdict v;
	char path[128];

	snprintf(path, sizeof path, "<%s>", sender);
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = path, .auth_user = client->user}, &v);
	return code_of(&v);
}

static void rcpt(mxw_session_t *s, const char *address, struct mxw_verdict *ret_verdict)
{
	char path[RCPT_MAX + 4];

	snprintf(path, sizeof path, "<%s>", address);
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = path}, ret_verdict);
}

int sim_rcpt(mxw_session_t *s, const char *address)
{
	struct mxw_verdict v;

	rcpt(s, address, &v);
	return code_of(&v);
}

/* Would a recipient that does not exist have got another reply? Asks the policy again, with all else as it was. */
static bool does_tell(mxw_session_t *s, const struct mxw_verdict *v)
{
	struct mxw_decision d;

	mxw_facts_set(s->facts, MXW__FACT_RCPT, "unknown");
	mxw_facts_set(s->facts, MXW__FACT_RCPT_OURS, "yes");
	mxw_facts_set(s->facts, MXW__FACT_RCPT_DOMAIN, "site.example");
	mxw_policy_decide(s->snapshot->conf->policy, MXW_STAGE_RCPT, s->facts, &d);
	mxw__stage_clear(s, MXW_SCOPE_RCPT);
	return d.action != v->decided || d.rule != v->rule;
}

int sim_guess(struct sim *sim, mxw_session_t *s, uint32_t name)
{
	struct loot *loot = &sim->loot;
	char address[RCPT_MAX];
	struct mxw_verdict v;

	sim_address(name, address);
	rcpt(s, address, &v);
	loot->asked++;
	bool tells = does_tell(s, &v);
	if (!sim->is_valid[name]) {
		loot->told += v.rule && strcmp(v.rule, "unknown-recipient") == 0;
		return code_of(&v);
	}
	loot->told += tells;
	if (tells && !loot->is_disclosed[name]) {
		loot->is_disclosed[name] = true;
		loot->disclosed++;
	}
	return code_of(&v);
}

/* Signed once for each domain: a signature costs more than all the rest. */
static const char *signature_of(const char *domain)
{
	static struct {
		char domain[80];
		char *value;
	} cache[16];
	char from[128], template[256], *pem;
	const char *fields[] = {from};
	size_t i = 0, len;

	while (i < MXW_ARRAY_LEN(cache) - 1 && cache[i].value && strcmp(cache[i].domain, domain) != 0)
		i++;
	if (cache[i].value && strcmp(cache[i].domain, domain) == 0)
		return cache[i].value;
	if (mxw__file_read(MXW_TESTDATA "/data/dkim-test-rsa.pem", 65536, &pem, &len, NULL) != MXW_OK)
		die("no key");
	snprintf(from, sizeof from, "From: someone@%s", domain);
	snprintf(template, sizeof template, " v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s1; h=from; bh=@BH@; b=@B@", domain);
	char *field = dkim_signer_sign(pem, template, fields, 1, "hello\r\n", 7);
	free(pem);
	free(cache[i].value);
	snprintf(cache[i].domain, sizeof cache[i].domain, "%s", domain);
	cache[i].value = strdup(strchr(field, ':') + 1);
	free(field);
	return cache[i].value;
}

int sim_data(struct sim *sim, mxw_session_t *s, const struct letter *letter)
{
	static const char body[] = "hello\r\n";
	const struct mxw_edit *edits;
	struct mxw_verdict v;
	char from[128];
	size_t n;

	mxw_session_data(s, &v);
	if (code_of(&v) != 250)
		return code_of(&v);
	if (letter->is_signed)
		mxw_session_header(s, "DKIM-Signature", signature_of(letter->from_domain));
	snprintf(from, sizeof from, " someone@%s", letter->from_domain);
	mxw_session_header(s, "From", from);
	if (letter->list_id)
		mxw_session_header(s, "List-Id", letter->list_id);
	mxw_session_end_of_headers(s);
	mxw_session_body(s, (const unsigned char *)body, sizeof body - 1);
	mxw_session_eom(s, &v, &edits, &n);
	return code_of(&v);
}
