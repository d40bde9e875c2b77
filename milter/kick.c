/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "milter/kick.h"

#define TICK_MS 10      /* a callback that is in progress for longer than this blocks its worker */
#define PAUSE_MAX_MS 160 /* between kicks that are not worth it */
#define BATCH_MAX 64
#define PATIENCE 3      /* ticks to wait for a batch to be served */
#define WORTH_MS 20

/* When this thread of libmilter's served a kick; says nothing about a session, only about the pool. */
static _Thread_local int64_t served_ms;

void mwd_kick_served(struct mwd_kicker *kicker)
{
	served_ms = mwd_now_ms();
	atomic_fetch_add_explicit(&kicker->served, 1, memory_order_relaxed);
}

void mwd_kick_working(struct mwd_kicker *kicker)
{
	if (served_ms == 0)
		return;
	if (mwd_now_ms() - served_ms < WORTH_MS)
		atomic_fetch_add_explicit(&kicker->worth, 1, memory_order_relaxed);
	served_ms = 0;
}

/* The state of the kicker's own thread. */
struct pace {
	unsigned batch;
	int pause_ms;   /* until the next batch */
	int waited_ms;  /* since the last one */
	unsigned sent;  /* in the last batch */
	uint64_t served, worth; /* before the last batch */
};

static void learn(struct pace *pace, uint64_t worth)
{
	if (pace->sent == 0)
		return;
	if (2 * worth >= pace->sent) {
		pace->batch = pace->batch * 2 > BATCH_MAX ? BATCH_MAX : pace->batch * 2;
		pace->pause_ms = TICK_MS;
	} else if (4 * worth < pace->sent) {
		pace->batch = 1;
		pace->pause_ms = pace->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : pace->pause_ms * 2;
	}
	pace->sent = 0;
}

/* One tick while callbacks are blocked. */
static void tick(struct mwd_kicker *kicker, struct pace *pace)
{
	uint64_t served = atomic_load_explicit(&kicker->served, memory_order_relaxed);
	uint64_t worth = atomic_load_explicit(&kicker->worth, memory_order_relaxed);

	pace->waited_ms += TICK_MS;
	if (served - pace->served >= pace->sent || pace->waited_ms >= PATIENCE * TICK_MS)
		learn(pace, worth - pace->worth);
	else
		return;
	if (pace->waited_ms < pace->pause_ms)
		return;
	pace->waited_ms = 0;
	pace->served = served;
	pace->worth = worth;
	pace->sent = mwd_listener_kick(kicker->listener, pace->batch);
	atomic_fetch_add_explicit(&kicker->sent, pace->sent, memory_order_relaxed);
}

static void *run(void *arg)
{
	struct mwd_kicker *kicker = arg;
	struct pace pace = {.batch = 1, .pause_ms = TICK_MS};
	int quiet_ms = 0;

	/* While there is traffic a tick is cheaper than a wake-up by each callback. */
	while (mwd_gate_watch(kicker->gate, TICK_MS, quiet_ms >= 1000)) {
		if (mwd_gate_nblocked(kicker->gate, TICK_MS, 1) > 0) {
			tick(kicker, &pace);
			quiet_ms = 0;
		} else if (quiet_ms < 1000) {
			quiet_ms += TICK_MS;
		} else {
			pace = (struct pace){.batch = 1, .pause_ms = TICK_MS};
			quiet_ms = 0;
		}
	}
	return NULL;
}

bool mwd_kicker_start(struct mwd_kicker *kicker, mwd_gate_t *gate, struct mwd_listener *listener)
{
	kicker->gate = gate;
	kicker->listener = listener;
	kicker->has_thread = pthread_create(&kicker->thread, NULL, run, kicker) == 0;
	return kicker->has_thread;
}

void mwd_kicker_stop(struct mwd_kicker *kicker)
{
	if (!kicker->has_thread)
		return;
	mwd_gate_stop_watcher(kicker->gate);
	pthread_join(kicker->thread, NULL);
	kicker->has_thread = false;
}
