/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnsbl_health.c: which lists in the DNS can be believed, and which are worth waiting for.
 *
 * A list that has died often lists everything, and one whose data are gone lists nothing. So each has two names that it must,
 * and must not have, and is asked for them at the start, and from time to time, whether there are clients or not.
 * One that gives no answers to many clients in a row is not asked for a while: each of them would wait for it in vain. That its test
 * points answer does not bring it back, they may lie in a cache, or on the one server that is left: it has to answer some of the
 * questions that clients have for it as well, which are asked as the test points are, with nobody waiting. If clients get no answers
 * again soon after, the next trial is later than the last one.
 */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/check/dnsbl.h"

enum {
	LISTS_MAX = 2 * MXW__DNSBLS_MAX,
	FAILURES_MAX = 10,             /* clients in a row that got no answer, over FAILING_MS at least */
	FAILING_MS = 30 * 1000,
	PROBE_MS = 15 * 1000,          /* an answer to a probe that has not come by then does not come */
	SILENT_PROBES_MAX = 3,
	RETRY_MS = 60 * 1000,          /* a list that is set aside is asked so often */
	TRIALS = 3,                    /* questions of clients that one has to answer which gave clients no answers */
	PROBATION_MAX = 3,             /* clients in a row without an answer, of one that is back and has answered none yet */
	RELAPSE_MS = 60 * 60 * 1000,   /* who gives no answers again so soon after coming back is tried later each time, */
	DOUBLINGS_MAX = 5              /* up to half an hour */
};

struct list_health {
	char zone[MXW__DNSBL_NAME_MAX];
	mxw__dnsbl_kind_t kind;
	mxw__dnsbl_addresses_t addresses;
	bool check_test_points;
	char test_listed[MXW__DNSBL_NAME_MAX], test_unlisted[MXW__DNSBL_NAME_MAX]; /* "": those of all lists */
	mxw__dnsbl_state_t state;
	bool is_asked;                 /* a probe is under way */
	int64_t asked_ms, next_ms;     /* when it was, and when the next one is due */
	unsigned silent_probes;
	unsigned failures;
	int64_t failing_since_ms;
	/* Of one that is AWAY since it gave clients no answers, and after: */
	bool is_mute, is_on_probation;
	unsigned doublings;
	int64_t back_ms;               /* when it came back; 0: it never was away so */
	size_t ntrials;                /* all that were noted; the last ones are kept: */
	char trials[TRIALS][MXW__DNSBL_NAME_MAX];
	int64_t used_ms;
};

struct mxw__dnsbl_health {
	struct mxw__dnsbl_health_env env;
	atomic_flag is_ticking;        /* somebody looks after the probes: the others go on */
	pthread_mutex_t mutex;         /* guards the rest; a leaf */
	size_t n;
	struct list_health lists[LISTS_MAX];
};

mxw__dnsbl_health_t *mxw__dnsbl_health_new(const struct mxw__dnsbl_health_env *env)
{
	mxw__dnsbl_health_t *health = calloc(1, sizeof *health);

	if (!health || pthread_mutex_init(&health->mutex, NULL) != 0) {
		free(health);
		return NULL;
	}
	health->env = *env;
	atomic_flag_clear(&health->is_ticking);
	return health;
}

void mxw__dnsbl_health_free(mxw__dnsbl_health_t *health)
{
	if (!health)
		return;
	pthread_mutex_destroy(&health->mutex);
	free(health);
}

static bool is_same(const char *have, const char *name)
{
	return strcmp(have, name ? name : "") == 0;
}

static struct list_health *find_locked(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list)
{
	for (size_t i = 0; i < health->n; i++) {
		struct list_health *h = &health->lists[i];
		if (h->kind == list->kind && h->addresses == list->addresses && h->check_test_points == list->check_test_points &&
		    strcmp(h->zone, list->zone) == 0 && is_same(h->test_listed, list->test_listed) &&
		    is_same(h->test_unlisted, list->test_unlisted))
			return h;
	}
	return NULL;
}

/* A place for a new one: that of the list which nobody has asked for longest, if there is no other. */
static struct list_health *need_locked(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, int64_t now_ms)
{
	struct list_health *h = find_locked(health, list);

	if (!h) {
		h = &health->lists[health->n < LISTS_MAX ? health->n++ : 0];
		for (size_t i = 0; i < health->n; i++)
			if (!health->lists[i].zone[0] || (h->zone[0] && health->lists[i].used_ms < h->used_ms))
				h = &health->lists[i];
		*h = (struct list_health){.kind = list->kind, .addresses = list->addresses, .next_ms = now_ms,
					  .check_test_points = list->check_test_points};
		snprintf(h->zone, sizeof h->zone, "%s", list->zone);
		snprintf(h->test_listed, sizeof h->test_listed, "%s", list->test_listed ? list->test_listed : "");
		snprintf(h->test_unlisted, sizeof h->test_unlisted, "%s", list->test_unlisted ? list->test_unlisted : "");
	}
	h->used_ms = now_ms;
	return h;
}

mxw__dnsbl_state_t mxw__dnsbl_health_of(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list)
{
	pthread_mutex_lock(&health->mutex);
	const struct list_health *h = find_locked(health, list);
	mxw__dnsbl_state_t state = h ? h->state : MXW__DNSBL_UNTESTED;
	pthread_mutex_unlock(&health->mutex);
	return state;
}

/* ---- telling ---- */

static void write_line(const struct mxw__dnsbl_conf *list, const char *what, char *line, size_t size)
{
	snprintf(line, size, "event=dnsbl list=%s zone=%s text=\"%s\"", list->name, list->zone, what);
}

static void warn(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, const char *what)
{
	char key[128], line[640];

	snprintf(key, sizeof key, "dnsbl:%s:%.20s", list->name, what);
	write_line(list, what, line, sizeof line);
	health->env.warn(health->env.ctx, key, line);
}

static void tell(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, mxw__dnsbl_state_t old, mxw__dnsbl_state_t state,
		 const char *why)
{
	bool was_aside = old == MXW__DNSBL_SICK || old == MXW__DNSBL_AWAY;
	char line[640];

	if (state == MXW__DNSBL_SICK || state == MXW__DNSBL_AWAY) {
		warn(health, list, why ? why : "it gives no answers: nobody waits for it for now");
	} else if (was_aside && state == MXW__DNSBL_SOUND) {
		write_line(list, "it is sound again, and in use", line, sizeof line);
		health->env.tell(health->env.ctx, line);
	}
}

/* ---- what is learnt ---- */

static bool is_aside(mxw__dnsbl_state_t state)
{
	return state == MXW__DNSBL_SICK || state == MXW__DNSBL_AWAY;
}

static void set_locked(struct list_health *h, mxw__dnsbl_state_t state, uint64_t interval_ms, int64_t now_ms)
{
	uint64_t pause_ms = is_aside(state) && interval_ms > RETRY_MS ? (uint64_t)RETRY_MS : interval_ms;

	h->state = state;
	h->failures = 0;
	h->is_asked = false;
	h->next_ms = now_ms + (int64_t)pause_ms;
}

/* A question that one who asks it anew does not get an answer to, for all we know. Not while they are being asked. */
static void note_trial_locked(struct list_health *h, const char *name)
{
	if (h->is_mute && h->is_asked)
		return;
	for (size_t i = 0; i < TRIALS; i++)
		if (strcmp(h->trials[i], name) == 0)
			return;
	snprintf(h->trials[h->ntrials++ % TRIALS], sizeof h->trials[0], "%s", name);
}

static int64_t mute_pause(const struct list_health *h)
{
	return (int64_t)RETRY_MS << h->doublings;
}

/* Nobody waits for it until it has answered what is asked on trial. */
static void set_mute_locked(struct list_health *h, uint64_t interval_ms, int64_t now_ms)
{
	bool is_relapse = h->back_ms && now_ms - h->back_ms < RELAPSE_MS;

	h->doublings = !is_relapse ? 0 : h->doublings < DOUBLINGS_MAX ? h->doublings + 1 : h->doublings;
	set_locked(h, MXW__DNSBL_AWAY, interval_ms, now_ms);
	h->is_mute = true;
	h->is_on_probation = false;
	h->next_ms = now_ms + mute_pause(h);
}

void mxw__dnsbl_health_set(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, mxw__dnsbl_state_t state, const char *why)
{
	int64_t now_ms = mxw__now_ms(&health->env.clock);

	pthread_mutex_lock(&health->mutex);
	struct list_health *h = need_locked(health, list, now_ms);
	mxw__dnsbl_state_t old = h->state;
	h->silent_probes = 0;
	set_locked(h, state, list->probe_interval_ms, now_ms);
	if (h->is_mute && state == MXW__DNSBL_SOUND) {
		h->is_on_probation = true;
		h->back_ms = now_ms;
	}
	h->is_mute &= state == MXW__DNSBL_AWAY;
	pthread_mutex_unlock(&health->mutex);
	tell(health, list, old, state, why);
}

static bool has_failed_locked(const struct list_health *h, int64_t now_ms)
{
	if (h->is_on_probation)
		return h->failures >= PROBATION_MAX;
	return h->failures >= FAILURES_MAX && now_ms - h->failing_since_ms >= FAILING_MS;
}

void mxw__dnsbl_health_note(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, const char *name, bool is_answered)
{
	int64_t now_ms = mxw__now_ms(&health->env.clock);
	bool is_away = false;

	pthread_mutex_lock(&health->mutex);
	struct list_health *h = need_locked(health, list, now_ms);
	if (is_answered) {
		h->failures = 0;
		h->is_on_probation = false;
	} else {
		if (h->failures++ == 0)
			h->failing_since_ms = now_ms;
		note_trial_locked(h, name);
		is_away = !is_aside(h->state) && has_failed_locked(h, now_ms);
	}
	if (is_away)
		set_mute_locked(h, list->probe_interval_ms, now_ms);
	pthread_mutex_unlock(&health->mutex);
	if (is_away)
		tell(health, list, MXW__DNSBL_UNTESTED, MXW__DNSBL_AWAY, NULL);
}

void mxw__dnsbl_health_skip(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, const char *name)
{
	pthread_mutex_lock(&health->mutex);
	struct list_health *h = find_locked(health, list);
	if (h && h->is_mute)
		note_trial_locked(h, name);
	pthread_mutex_unlock(&health->mutex);
}

/* ---- probes ---- */

/* Is there a probe to look after? It begins where none is under way. */
static bool begin_probe(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, int64_t now_ms, bool *ret_is_late)
{
	pthread_mutex_lock(&health->mutex);
	struct list_health *h = need_locked(health, list, now_ms);
	bool is_due = h->is_asked || now_ms >= h->next_ms;
	if (is_due && !h->is_asked) {
		h->is_asked = true;
		h->asked_ms = now_ms;
	}
	*ret_is_late = is_due && now_ms - h->asked_ms >= PROBE_MS;
	pthread_mutex_unlock(&health->mutex);
	return is_due;
}

/* No answer, or only one: it is what it was, unless that goes on. */
static void end_silent_probe(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, int64_t now_ms)
{
	pthread_mutex_lock(&health->mutex);
	struct list_health *h = need_locked(health, list, now_ms);
	mxw__dnsbl_state_t old = h->state;
	bool is_away = ++h->silent_probes >= SILENT_PROBES_MAX && old != MXW__DNSBL_SICK;
	set_locked(h, is_away ? MXW__DNSBL_AWAY : old, list->probe_interval_ms, now_ms);
	if (h->next_ms > now_ms + RETRY_MS)
		h->next_ms = now_ms + RETRY_MS;
	pthread_mutex_unlock(&health->mutex);
	if (is_away)
		tell(health, list, old, MXW__DNSBL_AWAY, NULL);
}

/* Asked and not waited for; NULL: the answer is not there yet. */
static mxw_dns_answer_t *ask(mxw_resolver_t *resolver, const char *name)
{
	mxw_dns_answer_t *answer = mxw_resolver_peek(resolver, name, MXW_DNS_A);

	if (answer)
		return answer;
	mxw_resolver_prefetch(resolver, name, MXW_DNS_A, NULL);
	return mxw_resolver_peek(resolver, name, MXW_DNS_A);
}

/* What it has to answer before it is believed to be back; 0: nothing. */
static size_t get_trials(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, char ret_names[TRIALS][MXW__DNSBL_NAME_MAX])
{
	size_t n = 0;

	pthread_mutex_lock(&health->mutex);
	const struct list_health *h = find_locked(health, list);
	for (size_t i = 0; h && h->is_mute && i < TRIALS; i++)
		if (h->trials[i][0])
			memcpy(ret_names[n++], h->trials[i], sizeof h->trials[i]);
	pthread_mutex_unlock(&health->mutex);
	return n;
}

/* SOUND: all are answered; AWAY: one is not; UNTESTED: not yet. */
static mxw__dnsbl_state_t try_out(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, mxw_resolver_t *resolver)
{
	char names[TRIALS][MXW__DNSBL_NAME_MAX];
	size_t n = get_trials(health, list, names);
	mxw__dnsbl_state_t state = MXW__DNSBL_SOUND;

	for (size_t i = 0; i < n; i++) {
		mxw_dns_answer_t *answer = ask(resolver, names[i]);
		if (!answer && state == MXW__DNSBL_SOUND)
			state = MXW__DNSBL_UNTESTED;
		else if (answer && answer->outcome != MXW_FOUND && answer->outcome != MXW_NOT_FOUND)
			state = MXW__DNSBL_AWAY;
		mxw_dns_answer_unref(answer);
	}
	return state;
}

/* Its test points answer, but not what clients want to know: it is what it was, and other questions may be noted for the next trial. */
static void fail_trial(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, int64_t now_ms)
{
	pthread_mutex_lock(&health->mutex);
	struct list_health *h = need_locked(health, list, now_ms);
	set_locked(h, MXW__DNSBL_AWAY, list->probe_interval_ms, now_ms);
	h->next_ms = now_ms + mute_pause(h);
	pthread_mutex_unlock(&health->mutex);
	warn(health, list, "its test points answer, but not what is asked for clients: nobody waits for it for now");
}

static void probe(mxw__dnsbl_health_t *health, const struct mxw__dnsbl_conf *list, mxw_resolver_t *resolver, int64_t now_ms)
{
	char present[MXW__DNSBL_NAME_MAX], absent[MXW__DNSBL_NAME_MAX];
	const char *why;
	bool is_late;

	if (!begin_probe(health, list, now_ms, &is_late))
		return;
	mxw__dnsbl_test_name(list, true, present);
	mxw__dnsbl_test_name(list, false, absent);
	mxw_dns_answer_t *has = ask(resolver, present), *lacks = ask(resolver, absent);
	mxw__dnsbl_state_t state = mxw__dnsbl_test(list, has, lacks, &why);
	mxw__dnsbl_state_t trial = state == MXW__DNSBL_SOUND ? try_out(health, list, resolver) : MXW__DNSBL_SOUND;
	if (trial == MXW__DNSBL_AWAY || (trial == MXW__DNSBL_UNTESTED && is_late))
		fail_trial(health, list, now_ms);
	else if (trial == MXW__DNSBL_SOUND && state != MXW__DNSBL_UNTESTED)
		mxw__dnsbl_health_set(health, list, state, why);
	else if (trial == MXW__DNSBL_SOUND && (is_late || (has && lacks)))
		end_silent_probe(health, list, now_ms);
	mxw_dns_answer_unref(has);
	mxw_dns_answer_unref(lacks);
}

void mxw__dnsbl_health_tick(mxw__dnsbl_health_t *health, const struct mxw_conf *conf, mxw_resolver_t *resolver)
{
	int64_t now_ms = mxw__now_ms(&health->env.clock);

	if (atomic_flag_test_and_set(&health->is_ticking))
		return;
	for (size_t i = 0; i < conf->ndnsbls; i++)
		probe(health, &conf->dnsbls[i], resolver, now_ms);
	atomic_flag_clear(&health->is_ticking);
}
