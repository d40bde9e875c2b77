/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnsbl_probe.c: looks after the health of the lists in the DNS: when the engine is made, with each session that begins, and, where time
 * is the system's own, every few seconds whether there are sessions or not.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/session/engine.h"

enum { LOOK_MS = 5000 };

struct mxw__prober {
	mxw__dnsbl_health_t *health;
	pthread_mutex_t mutex;         /* guards the rest; a leaf */
	pthread_cond_t wake;
	pthread_t thread;
	bool has_thread, is_ending;
};

static void tell(void *ctx, const char *line)
{
	mxw__engine_log(ctx, MXW_LEVEL_WARNING, line);
}

/* False: there are no lists. */
static bool tick(mxw_engine_t *engine)
{
	struct mxw__snapshot *snap = mxw__engine_snapshot(engine);
	bool has_lists = snap->conf->ndnsbls > 0;

	if (has_lists)
		mxw__dnsbl_health_tick(engine->prober->health, snap->conf, snap->resolver);
	mxw__snapshot_unref(snap);
	return has_lists;
}

void mxw__prober_tick(mxw_engine_t *engine)
{
	tick(engine);
}

static bool wait_a_while(struct mxw__prober *prober)
{
	pthread_mutex_lock(&prober->mutex);
	if (!prober->is_ending)
		mxw__cond_wait_ms(&prober->wake, &prober->mutex, LOOK_MS);
	bool goes_on = !prober->is_ending;
	pthread_mutex_unlock(&prober->mutex);
	return goes_on;
}

static void *run(void *arg)
{
	mxw_engine_t *engine = arg;

	while (wait_a_while(engine->prober))
		tick(engine);
	return NULL;
}

mxw_status_t mxw__prober_new(mxw_engine_t *engine)
{
	struct mxw__dnsbl_health_env env = {.clock = engine->clock, .warn = mxw__engine_warn, .tell = tell, .ctx = engine};
	struct mxw__prober *prober = calloc(1, sizeof *prober);

	if (!prober)
		return MXW_ERR_NOMEM;
	prober->health = mxw__dnsbl_health_new(&env);
	if (!prober->health || pthread_mutex_init(&prober->mutex, NULL) != 0) {
		mxw__dnsbl_health_free(prober->health);
		free(prober);
		return MXW_ERR_NOMEM;
	}
	if (mxw__cond_init(&prober->wake) != 0) {
		pthread_mutex_destroy(&prober->mutex);
		mxw__dnsbl_health_free(prober->health);
		free(prober);
		return MXW_ERR_SYSTEM;
	}
	engine->prober = prober;
	return MXW_OK;
}

/* Without a thread it is the sessions that look after it. */
void mxw__prober_start(mxw_engine_t *engine)
{
	struct mxw__prober *prober = engine->prober;

	if (tick(engine) && engine->clock.monotonic_ms == mxw_clock_system()->monotonic_ms && !prober->has_thread)
		prober->has_thread = mxw__quiet_thread(&prober->thread, run, engine) == 0;
}

mxw__dnsbl_health_t *mxw__prober_health(mxw_engine_t *engine)
{
	return engine->prober->health;
}

void mxw__prober_free(mxw_engine_t *engine)
{
	struct mxw__prober *prober = engine->prober;

	if (!prober)
		return;
	if (prober->has_thread) {
		pthread_mutex_lock(&prober->mutex);
		prober->is_ending = true;
		pthread_cond_signal(&prober->wake);
		pthread_mutex_unlock(&prober->mutex);
		pthread_join(prober->thread, NULL);
	}
	pthread_cond_destroy(&prober->wake);
	pthread_mutex_destroy(&prober->mutex);
	mxw__dnsbl_health_free(prober->health);
	free(prober);
	engine->prober = NULL;
}
