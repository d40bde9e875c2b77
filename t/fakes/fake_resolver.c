/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/base.h"
#include "src/dns/dns.h"
#include "t/fakes/fake_resolver.h"

enum { TYPE_ANY = 255, NEVER = -1, CLIENTS_MAX = 64, BUCKETS = 4096 };

/* How an answer comes. */
struct manner {
	int64_t delay_ms; /* NEVER: no answer at all */
	bool is_servfail, is_bogus, is_over_budget, is_secure;
};

/* How many questions may be begun; of those of one client, if it is for each client. */
struct allowance {
	uint64_t limit;
	bool is_scripted, is_for_each_client;
	unsigned nclients;
	struct mxw_ip clients[CLIENTS_MAX]; /* [0] stands for all if it is not */
	uint64_t used[CLIENTS_MAX];
};

struct behaviour {
	struct behaviour *next;
	int type;
	struct manner manner;
	struct allowance allowance;
	char name[];
};

/* One different question, kept from when it was begun. */
struct question {
	struct question *next;
	int type;
	int64_t begun_ms;
	bool is_begun, is_answered;
	unsigned asks, sent;
	char name[];
};

struct fake_resolver_state {
	pthread_mutex_t lock;
	mxw__localdata_t *data;
	struct behaviour *behaviours;
	struct question *questions[BUCKETS];
};

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

/* ---- the script ---- */

static mxw_status_t add_record(void *ctx, const struct mxw__zone_rr *rr, struct mxw_error *err)
{
	struct fake_resolver_state *state = ctx;
	return mxw__localdata_add(state->data, rr, err);
}

static mxw_status_t add_behaviour(void *ctx, const char *owner, uint16_t type, const char *word,
				  struct mxw_error *err)
{
	struct fake_resolver_state *state = ctx;
	struct manner made = {0};
	struct allowance allowance = {0};
	uint64_t delay;

	if (strncmp(word, "!delay=", 7) == 0 && mxw__parse_duration(word + 7, &delay))
		made.delay_ms = (int64_t)delay;
	else if (strcmp(word, "!timeout") == 0)
		made.delay_ms = NEVER;
	else if (strcmp(word, "!servfail") == 0)
		made.is_servfail = true;
	else if (strcmp(word, "!bogus") == 0)
		made.is_bogus = true;
	else if (strcmp(word, "!overbudget") == 0)
		made.is_over_budget = true;
	else if (strcmp(word, "!secure") == 0)
		made.is_secure = true;
	else if (strncmp(word, "!budget=", 8) == 0 && mxw__parse_u64(word + 8, &allowance.limit))
		allowance.is_scripted = true;
	else if (strncmp(word, "!client-budget=", 15) == 0 && mxw__parse_u64(word + 15, &allowance.limit))
		allowance.is_scripted = allowance.is_for_each_client = true;
	else
		return mxw__fail(err, MXW_ERR_CONF, "an unknown behaviour");
	struct behaviour *behaviour = must(malloc(sizeof(*behaviour) + strlen(owner) + 1));
	behaviour->type = type;
	behaviour->manner = made;
	behaviour->allowance = allowance;
	memcpy(behaviour->name, owner, strlen(owner) + 1);
	behaviour->next = state->behaviours;
	state->behaviours = behaviour;
	return MXW_OK;
}

mxw_status_t fake_resolver_add(fake_resolver_t *fake, const char *source, const char *text, struct mxw_error *err)
{
	const struct mxw__zone_sink sink = {add_record, add_behaviour, fake->state};

	pthread_mutex_lock(&fake->state->lock);
	mxw_status_t status = mxw__zone_parse(source, text, strlen(text), &sink, err);
	pthread_mutex_unlock(&fake->state->lock);
	return status;
}

void fake_resolver_script(fake_resolver_t *fake, const char *text)
{
	struct mxw_error err = {0};

	if (fake_resolver_add(fake, "script", text, &err) != MXW_OK) {
		fprintf(stderr, "fake_resolver: %s:%u:%u: %s\n", err.file, err.line, err.column, err.text);
		abort();
	}
}

static bool name_matches(const char *pattern, const char *name)
{
	if (strcmp(pattern, "*") == 0)
		return true;
	if (strncmp(pattern, "*.", 2) == 0)
		return mxw__domain_is_below(name, pattern + 2) && strcmp(name, pattern + 2) != 0;
	return strcmp(pattern, name) == 0;
}

/* All that was scripted for the question, put together. */
static struct manner manner_of(const struct fake_resolver_state *state, const char *name, int type)
{
	struct manner sum = {0};

	for (const struct behaviour *b = state->behaviours; b; b = b->next) {
		if ((b->type != type && b->type != TYPE_ANY) || !name_matches(b->name, name))
			continue;
		if (b->manner.delay_ms == NEVER || sum.delay_ms == NEVER)
			sum.delay_ms = NEVER;
		else if (b->manner.delay_ms > sum.delay_ms)
			sum.delay_ms = b->manner.delay_ms;
		sum.is_servfail |= b->manner.is_servfail;
		sum.is_bogus |= b->manner.is_bogus;
		sum.is_over_budget |= b->manner.is_over_budget;
		sum.is_secure |= b->manner.is_secure;
	}
	return sum;
}

/* ---- asking ---- */

static size_t bucket_of(const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h % BUCKETS;
}

static struct question *question_of(struct fake_resolver_state *state, const char *name, int type)
{
	struct question **bucket = &state->questions[bucket_of(name)], *question = *bucket;

	while (question && (question->type != type || strcmp(question->name, name) != 0))
		question = question->next;
	if (question)
		return question;
	question = must(calloc(1, sizeof(*question) + strlen(name) + 1));
	question->type = type;
	memcpy(question->name, name, strlen(name) + 1);
	question->next = *bucket;
	*bucket = question;
	return question;
}

static int64_t now_ms(const fake_resolver_t *fake)
{
	return mxw__now_ms(&fake->clock->clock);
}

/* What the client has used; NULL if it is nobody's account, which is not limited. */
static uint64_t *used_by(struct allowance *allowance, const struct mxw_ip *client)
{
	static const struct mxw_ip everybody;

	if (!allowance->is_for_each_client)
		client = &everybody;
	else if (!client || !client->family)
		return NULL;
	for (unsigned i = 0; i < allowance->nclients; i++)
		if (memcmp(&allowance->clients[i], client, sizeof(*client)) == 0)
			return &allowance->used[i];
	if (allowance->nclients == CLIENTS_MAX)
		abort();
	allowance->clients[allowance->nclients] = *client;
	return &allowance->used[allowance->nclients++];
}

/* Takes from every allowance that was scripted for the question, or, to look, from none. */
static bool take(struct fake_resolver_state *state, const struct question *question, const struct mxw_dns_budget *budget,
		 bool is_look)
{
	for (struct behaviour *b = state->behaviours; b; b = b->next) {
		if (!b->allowance.is_scripted || (b->type != question->type && b->type != TYPE_ANY) ||
		    !name_matches(b->name, question->name))
			continue;
		uint64_t *used = used_by(&b->allowance, budget ? &budget->client : NULL);
		if (used && *used >= b->allowance.limit)
			return false;
		if (used && !is_look)
			++*used;
	}
	return true;
}

/* Begins the question if that has not happened; false if a budget does not allow it. */
static bool begin(fake_resolver_t *fake, struct question *question, struct mxw_dns_budget *budget)
{
	if (question->is_begun)
		return true;
	if (budget && budget->limit && budget->asked >= budget->limit)
		return false;
	if (manner_of(fake->state, question->name, question->type).is_over_budget ||
	    !take(fake->state, question, budget, true))
		return false;
	take(fake->state, question, budget, false);
	if (budget)
		budget->asked++;
	question->is_begun = true;
	question->begun_ms = now_ms(fake);
	question->sent++;
	return true;
}

/* Lets time pass until the answer arrives; false if the deadline was first. */
static bool wait_for(fake_resolver_t *fake, struct question *question, int64_t delay_ms, int64_t deadline_ms)
{
	int64_t now = now_ms(fake);
	int64_t arrival = question->begun_ms + delay_ms;

	if (question->is_answered || (delay_ms != NEVER && arrival <= now)) {
		question->is_answered = true;
		return true;
	}
	bool in_time = delay_ms != NEVER && arrival <= deadline_ms;
	int64_t until = in_time ? arrival : deadline_ms;
	if (until > now)
		fake_clock_advance(fake->clock, until - now);
	question->is_answered = in_time;
	return in_time;
}

static mxw_dns_answer_t *answer_locked(fake_resolver_t *fake, const char *name, enum mxw_dns_type type,
				       int64_t deadline_ms, struct mxw_dns_budget *budget)
{
	char target[MXW__DNS_TEXT_MAX];
	struct question *question = question_of(fake->state, name, (int)type);
	struct manner manner = manner_of(fake->state, name, (int)type);

	question->asks++;
	if (!begin(fake, question, budget))
		return mxw__dns_answer_static(MXW__DNS_OVER_BUDGET);
	if (!wait_for(fake, question, manner.delay_ms, deadline_ms))
		return mxw__dns_answer_static(MXW__DNS_TIMED_OUT);
	if (manner.is_servfail || manner.is_bogus) {
		mxw_dns_answer_t *answer = mxw__dns_answer_empty(MXW_TEMPORARY, 2, 5);
		answer->is_bogus = manner.is_bogus;
		return answer;
	}
	mxw_dns_answer_t *answer = mxw__localdata_find(fake->state->data, name, (uint16_t)type, true, target);
	answer->is_secure = manner.is_secure && answer->outcome != MXW_TEMPORARY;
	return answer;
}

static mxw_dns_answer_t *fake_ask(mxw_resolver_t *resolver, const char *raw_name, enum mxw_dns_type type,
				  int64_t deadline_ms, struct mxw_dns_budget *budget)
{
	fake_resolver_t *fake = (fake_resolver_t *)resolver;
	char name[MXW__DNS_TEXT_MAX];

	if (!mxw__dns_name_normalise(raw_name, name))
		return mxw__dns_answer_static(MXW__DNS_NO_SUCH_NAME);
	pthread_mutex_lock(&fake->state->lock);
	mxw_dns_answer_t *answer = answer_locked(fake, name, type, deadline_ms, budget);
	pthread_mutex_unlock(&fake->state->lock);
	return answer;
}

static void fake_prefetch(mxw_resolver_t *resolver, const char *raw_name, enum mxw_dns_type type,
			  struct mxw_dns_budget *budget)
{
	fake_resolver_t *fake = (fake_resolver_t *)resolver;
	char name[MXW__DNS_TEXT_MAX];

	if (!mxw__dns_name_normalise(raw_name, name))
		return;
	pthread_mutex_lock(&fake->state->lock);
	begin(fake, question_of(fake->state, name, (int)type), budget);
	pthread_mutex_unlock(&fake->state->lock);
}

static struct question *find_question(const struct fake_resolver_state *state, const char *name, int type)
{
	struct question *q = state->questions[bucket_of(name)];

	while (q && (q->type != type || strcmp(q->name, name) != 0))
		q = q->next;
	return q;
}

/* What has arrived by now. */
static mxw_dns_answer_t *fake_peek(mxw_resolver_t *resolver, const char *raw_name, enum mxw_dns_type type)
{
	fake_resolver_t *fake = (fake_resolver_t *)resolver;
	mxw_dns_answer_t *answer = NULL;
	char name[MXW__DNS_TEXT_MAX];

	if (!mxw__dns_name_normalise(raw_name, name))
		return mxw__dns_answer_static(MXW__DNS_NO_SUCH_NAME);
	pthread_mutex_lock(&fake->state->lock);
	struct question *question = find_question(fake->state, name, (int)type);
	struct manner manner = manner_of(fake->state, name, (int)type);
	if (question && question->is_begun &&
	    (question->is_answered || (manner.delay_ms != NEVER && question->begun_ms + manner.delay_ms <= now_ms(fake)))) {
		answer = answer_locked(fake, name, type, now_ms(fake), NULL);
		question->asks--; /* who peeks does not ask */
	}
	pthread_mutex_unlock(&fake->state->lock);
	return answer;
}

/* ---- life ---- */

static void forget(struct fake_resolver_state *state)
{
	struct behaviour *behaviour;

	while ((behaviour = state->behaviours)) {
		state->behaviours = behaviour->next;
		free(behaviour);
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct question *q = state->questions[i], *next; q; q = next) {
			next = q->next;
			free(q);
		}
		state->questions[i] = NULL;
	}
	mxw__localdata_free(state->data);
	state->data = NULL;
}

static void fake_destroy(mxw_resolver_t *resolver)
{
	fake_resolver_t *fake = (fake_resolver_t *)resolver;

	forget(fake->state);
	pthread_mutex_destroy(&fake->state->lock);
	free(fake->state);
	free(fake);
}

fake_resolver_t *fake_resolver_new(struct fake_clock *clock)
{
	static const struct mxw_resolver_ops ops = {fake_ask, fake_prefetch, fake_peek, fake_destroy};
	fake_resolver_t *fake = must(calloc(1, sizeof(*fake)));

	mxw_resolver_init(&fake->resolver, &ops);
	fake->clock = clock;
	fake->state = must(calloc(1, sizeof(*fake->state)));
	fake->state->data = must(mxw__localdata_new());
	pthread_mutex_init(&fake->state->lock, NULL);
	return fake;
}

void fake_resolver_reset(fake_resolver_t *fake)
{
	pthread_mutex_lock(&fake->state->lock);
	forget(fake->state);
	fake->state->data = must(mxw__localdata_new());
	pthread_mutex_unlock(&fake->state->lock);
}

/* ---- counts ---- */

/* Sums up over the questions of `raw_name` (NULL: any) and `type` (0: any). */
static void count(fake_resolver_t *fake, const char *raw_name, int type, unsigned *ret_asks, unsigned *ret_sent)
{
	char name[MXW__DNS_TEXT_MAX] = "";

	*ret_asks = *ret_sent = 0;
	if (raw_name && !mxw__dns_name_normalise(raw_name, name))
		return;
	pthread_mutex_lock(&fake->state->lock);
	for (size_t i = 0; i < BUCKETS; i++) {
		for (const struct question *q = fake->state->questions[i]; q; q = q->next) {
			if ((raw_name && strcmp(q->name, name) != 0) || (type && q->type != type))
				continue;
			*ret_asks += q->asks;
			*ret_sent += q->sent;
		}
	}
	pthread_mutex_unlock(&fake->state->lock);
}

unsigned fake_resolver_asks(fake_resolver_t *fake, const char *name, int type)
{
	unsigned asks, sent;

	count(fake, name, type, &asks, &sent);
	return asks;
}

unsigned fake_resolver_sent(fake_resolver_t *fake, const char *name, int type)
{
	unsigned asks, sent;

	count(fake, name, type, &asks, &sent);
	return sent;
}

unsigned fake_resolver_total_asks(fake_resolver_t *fake)
{
	return fake_resolver_asks(fake, NULL, 0);
}

unsigned fake_resolver_total_sent(fake_resolver_t *fake)
{
	return fake_resolver_sent(fake, NULL, 0);
}
