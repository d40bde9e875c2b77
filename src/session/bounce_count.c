/* SPDX-License-Identifier: BSD-2-Clause */
/* bounce_count.c: bounces by domain and by what their tags said; in learning mode that is what would have been refused. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/session/bounce.h"

enum {
	REPORT_INTERVAL_MS = 3600000,
	DOMAINS_MAX = 1000     /* of one hour; further ones are counted together */
};

struct domain {
	char *name;            /* "*": all that have no room of their own */
	uint64_t counts[MXW__BOUNCE_COUNT];
};

struct mxw__bounce_counts {
	struct mxw_clock clock;
	_Atomic int64_t due_ms;
	pthread_mutex_t mutex; /* guards the rest; a leaf */
	size_t n, cap;
	struct domain *domains;
};

struct mxw__bounce_counts *mxw__bounce_counts_new(const struct mxw_clock *clock)
{
	struct mxw__bounce_counts *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	if (pthread_mutex_init(&c->mutex, NULL) != 0) {
		free(c);
		return NULL;
	}
	c->clock = *clock;
	atomic_init(&c->due_ms, mxw__now_ms(clock) + REPORT_INTERVAL_MS);
	return c;
}

static void free_domains(struct domain *domains, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(domains[i].name);
	free(domains);
}

void mxw__bounce_counts_free(struct mxw__bounce_counts *counts)
{
	if (!counts)
		return;
	free_domains(counts->domains, counts->n);
	pthread_mutex_destroy(&counts->mutex);
	free(counts);
}

/* NULL without memory. */
static struct domain *add_locked(struct mxw__bounce_counts *c, const char *name)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 8;
		struct domain *domains = realloc(c->domains, cap * sizeof *domains);
		if (!domains)
			return NULL;
		c->domains = domains;
		c->cap = cap;
	}
	char *copy = strdup(name);
	if (!copy)
		return NULL;
	c->domains[c->n] = (struct domain){.name = copy};
	return &c->domains[c->n++];
}

static struct domain *find_locked(struct mxw__bounce_counts *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->domains[i].name, name) == 0)
			return &c->domains[i];
	if (c->n == DOMAINS_MAX)
		return &c->domains[DOMAINS_MAX - 1];
	return add_locked(c, c->n == DOMAINS_MAX - 1 ? "*" : name);
}

void mxw__bounce_count(struct mxw__bounce_counts *counts, const char *domain, mxw__bounce_tag_t tag)
{
	pthread_mutex_lock(&counts->mutex);
	struct domain *d = find_locked(counts, domain);
	if (d)
		d->counts[tag]++;
	pthread_mutex_unlock(&counts->mutex);
}

static void report_domain(mxw_engine_t *engine, const struct domain *d)
{
	uint64_t seen = 0, unproven = 0;
	struct mxw__buf line;

	mxw__buf_init(&line, 2000);
	mxw__buf_adds(&line, "event=bounce-proof domain=");
	mxw__buf_add_logvalue(&line, d->name, strlen(d->name), MXW__DOMAIN_MAX);
	for (mxw__bounce_tag_t tag = 0; tag < MXW__BOUNCE_COUNT; tag++) {
		mxw__buf_addf(&line, " %s=%llu", mxw__bounce_tag_word(tag), (unsigned long long)d->counts[tag]);
		seen += tag == MXW__BOUNCE_TAGGED ? 0 : d->counts[tag];
		unproven += mxw__bounce_is_unproven(tag) ? d->counts[tag] : 0;
	}
	mxw__buf_addf(&line, " bounces=%llu unproven=%llu", (unsigned long long)seen, (unsigned long long)unproven);
	mxw__engine_log(engine, MXW_LEVEL_INFO, mxw__buf_str(&line));
	mxw__buf_fini(&line);
}

void mxw__bounce_report(mxw_engine_t *engine, bool now)
{
	struct mxw__bounce_counts *c = engine->bounces;
	int64_t now_ms = mxw__now_ms(&c->clock), due_ms = atomic_load(&c->due_ms);

	if (!now && (now_ms < due_ms || !atomic_compare_exchange_strong(&c->due_ms, &due_ms, now_ms + REPORT_INTERVAL_MS)))
		return;
	pthread_mutex_lock(&c->mutex);
	struct domain *domains = c->domains;
	size_t n = c->n;
	c->domains = NULL;
	c->n = c->cap = 0;
	pthread_mutex_unlock(&c->mutex);
	for (size_t i = 0; i < n; i++)
		report_domain(engine, &domains[i]);
	free_domains(domains, n);
}
