/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "t/bench/address.h"
#include "t/bench/conn.h"
#include "t/bench/hostile.h"
#include "t/bench/load.h"

#define RETRY_US 5000          /* after a full listen queue */
#define HOSTILE_LINGER_US 300000
#define READ_SIZE 16384

enum slot_state {
	SLOT_FREE,
	SLOT_CONNECTING, /* or about to, when the timer says so */
	SLOT_ACTIVE, /* a reply is awaited */
	SLOT_THINK,  /* the timer says when to go on */
	SLOT_HELD,   /* for the burst */
	SLOT_QUIT,   /* QUIT is being sent */
	SLOT_HOSTILE
};

/* One connection after the other. */
struct slot {
	struct mload_conn conn;
	int fd;
	enum slot_state state;
	bool wants_write;
	bool is_bursting; /* the reply of this slot ends the burst */
	bool was_held;    /* in this session */
	enum mload_hostile_end hostile_end;
	uint64_t due_us;  /* 0: no timer */
	size_t heap;      /* its place among the timers */
};

struct run {
	const struct mload_options *options;
	const struct mload_scenario *scenario;
	struct mload_result *result;
	struct mload_address address;
	struct slot *slots;
	struct slot **timers; /* a heap, the soonest first */
	size_t ntimers;
	int epoll;
	unsigned started;     /* sessions, hostile ones included */
	unsigned total;
	unsigned normal_started;
	unsigned live;
	unsigned held;
	unsigned bursting;
	uint64_t burst_start_us;
	uint64_t random;
};

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* ---- timers ---- */

static void place(struct run *run, struct slot *slot, size_t i)
{
	run->timers[i] = slot;
	slot->heap = i;
}

static void sift_up(struct run *run, struct slot *slot, size_t i)
{
	for (; i > 0 && run->timers[(i - 1) / 2]->due_us > slot->due_us; i = (i - 1) / 2)
		place(run, run->timers[(i - 1) / 2], i);
	place(run, slot, i);
}

static void sift_down(struct run *run, struct slot *slot, size_t i)
{
	for (size_t child; (child = 2 * i + 1) < run->ntimers; i = child) {
		if (child + 1 < run->ntimers && run->timers[child + 1]->due_us < run->timers[child]->due_us)
			child++;
		if (run->timers[child]->due_us >= slot->due_us)
			break;
		place(run, run->timers[child], i);
	}
	place(run, slot, i);
}

static void timer_clear(struct run *run, struct slot *slot)
{
	if (slot->due_us == 0)
		return;
	slot->due_us = 0;
	struct slot *last = run->timers[--run->ntimers];
	if (last == slot)
		return;
	sift_down(run, last, slot->heap);
	sift_up(run, last, last->heap);
}

static void timer_set(struct run *run, struct slot *slot, uint64_t due_us)
{
	timer_clear(run, slot);
	slot->due_us = due_us;
	sift_up(run, slot, run->ntimers++);
}

/* ---- a slot's connection ---- */

static void start_session(struct run *run, struct slot *slot);

static void watch(struct run *run, struct slot *slot, bool wants_write)
{
	struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = slot};

	if (slot->wants_write == wants_write)
		return;
	slot->wants_write = wants_write;
	epoll_ctl(run->epoll, EPOLL_CTL_MOD, slot->fd, &event);
}

static void close_slot(struct run *run, struct slot *slot)
{
	if (slot->fd >= 0)
		close(slot->fd);
	slot->fd = -1;
	run->held -= slot->state == SLOT_HELD;
	slot->state = SLOT_FREE;
	timer_clear(run, slot);
	if (slot->is_bursting) {
		slot->is_bursting = false;
		run->bursting--;
	}
	run->live--;
	if (run->started < run->total)
		start_session(run, slot);
}

static void fail_slot(struct run *run, struct slot *slot, const char *what)
{
	mload_conn_fail(&slot->conn, what);
	close_slot(run, slot);
}

/* Sends what is pending. 1: all; 0: not yet; -1: the connection is gone. */
static int flush(struct run *run, struct slot *slot)
{
	struct mload_buf *out = &slot->conn.out;

	while (mload_buf_pending(out) > 0) {
		ssize_t n = send(slot->fd, out->data + out->pos, mload_buf_pending(out), MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			watch(run, slot, true);
			return 0;
		}
		if (n < 0)
			return -1;
		out->pos += (size_t)n;
	}
	watch(run, slot, false);
	return 1;
}

static void hold(struct run *run, struct slot *slot)
{
	slot->state = SLOT_HELD;
	slot->was_held = true;
	run->held++;
}

/* Goes on with the conversation until it has to wait for something. */
static void go_on(struct run *run, struct slot *slot, bool is_resumed)
{
	struct mload_conn *conn = &slot->conn;
	bool may_pause = !is_resumed && (run->options->think_ms > 0 || run->options->burst != MLOAD_END);
	mload_advance_t next = mload_conn_advance(conn, may_pause, now_us());

	while (next == MLOAD_ADVANCE_PAUSE) {
		if (conn->step == run->options->burst && !slot->was_held) {
			hold(run, slot);
			break;
		}
		if (run->options->think_ms > 0) {
			slot->state = SLOT_THINK;
			timer_set(run, slot, now_us() + run->options->think_ms * 1000ull);
			break;
		}
		next = mload_conn_advance(conn, false, now_us());
	}
	if (next == MLOAD_ADVANCE_WAIT)
		slot->state = SLOT_ACTIVE;
	else if (next == MLOAD_ADVANCE_END)
		slot->state = SLOT_QUIT;
	int sent = flush(run, slot);
	if (slot->state == SLOT_QUIT && sent != 0)
		close_slot(run, slot);
	else if (sent < 0)
		fail_slot(run, slot, "the milter closed the connection");
}

static void end_burst_reply(struct run *run, struct slot *slot)
{
	slot->is_bursting = false;
	if (--run->bursting > 0)
		return;
	uint64_t took = now_us() - run->burst_start_us;
	if (took > run->result->burst_us)
		run->result->burst_us = took;
}

static void release_burst(struct run *run)
{
	if (run->held == 0 || run->held < run->live || run->bursting > 0)
		return;
	run->burst_start_us = now_us();
	run->bursting = run->held;
	run->held = 0;
	for (unsigned i = 0; i < run->options->connections; i++)
		if (run->slots[i].state == SLOT_HELD) {
			run->slots[i].is_bursting = true;
			go_on(run, &run->slots[i], true);
		}
}

/* ---- beginning ---- */

/* Hostile sessions come evenly between the others. */
static bool next_is_hostile(const struct run *run)
{
	uint64_t due = (uint64_t)run->options->hostile * (run->started + 1) / run->total;

	return due > run->started - run->normal_started;
}

static void prepare(struct run *run, struct slot *slot)
{
	const struct mload_scenario *scenario = run->scenario;
	bool is_hostile = next_is_hostile(run);
	unsigned number = run->options->first_session + run->normal_started;
	const struct mload_row *row = &scenario->rows[scenario->schedule[number % scenario->nschedule]];

	run->started++;
	slot->was_held = false;
	if (is_hostile) {
		slot->state = SLOT_HOSTILE;
		slot->conn.row = row;
		slot->conn.step = MLOAD_END;
		mload_buf_clear(&slot->conn.in);
		mload_buf_clear(&slot->conn.out);
		slot->hostile_end = mload_hostile_fill(&slot->conn.out, row, &run->random);
		run->result->hostile++;
		return;
	}
	run->normal_started++;
	slot->state = SLOT_CONNECTING;
	mload_conn_start(&slot->conn, row, number, run->options->messages);
}

static void try_connect(struct run *run, struct slot *slot)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = slot};

	slot->conn.sent_us = slot->conn.sent_us ? slot->conn.sent_us : now_us();
	slot->fd = socket(run->address.sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (slot->fd < 0) {
		fail_slot(run, slot, strerror(errno));
		return;
	}
	if (connect(slot->fd, (const struct sockaddr *)&run->address.sa, run->address.len) < 0 &&
	    errno != EINPROGRESS) {
		if (errno != EAGAIN) {
			fail_slot(run, slot, strerror(errno));
			return;
		}
		close(slot->fd);
		slot->fd = -1;
		timer_set(run, slot, now_us() + RETRY_US);
		return;
	}
	slot->wants_write = true;
	epoll_ctl(run->epoll, EPOLL_CTL_ADD, slot->fd, &event);
}

static void start_session(struct run *run, struct slot *slot)
{
	run->live++;
	prepare(run, slot);
	slot->conn.sent_us = 0;
	/* Not at once: this may be deep inside the end of another session. */
	timer_set(run, slot, now_us());
}

static void on_connected(struct run *run, struct slot *slot)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0) {
		fail_slot(run, slot, strerror(error));
		return;
	}
	go_on(run, slot, false);
}

static void on_hostile(struct run *run, struct slot *slot)
{
	struct mload_buf *in = &slot->conn.in;
	ssize_t n;

	mload_buf_clear(in);
	n = recv(slot->fd, mload_buf_room(in, READ_SIZE), READ_SIZE, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != ENOTCONN)) {
		close_slot(run, slot);
		return;
	}
	bool had_pending = mload_buf_pending(&slot->conn.out) > 0;
	int sent = flush(run, slot);
	if (sent < 0 || (sent > 0 && slot->hostile_end == MLOAD_HOSTILE_CUT)) {
		close_slot(run, slot);
		return;
	}
	if (sent == 0 || !had_pending)
		return;
	if (slot->hostile_end == MLOAD_HOSTILE_WAIT)
		shutdown(slot->fd, SHUT_WR);
	else
		timer_set(run, slot, now_us() + HOSTILE_LINGER_US);
}

static void on_readable(struct run *run, struct slot *slot)
{
	struct mload_conn *conn = &slot->conn;
	ssize_t n = recv(slot->fd, mload_buf_room(&conn->in, READ_SIZE), READ_SIZE, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		if (slot->state == SLOT_QUIT)
			close_slot(run, slot);
		else
			fail_slot(run, slot, "the milter closed the connection");
		return;
	}
	conn->in.len += (size_t)n;
	int got = mload_conn_receive(conn, now_us());
	if (got < 0) {
		close_slot(run, slot);
		return;
	}
	if (got == 0)
		return;
	if (slot->is_bursting)
		end_burst_reply(run, slot);
	go_on(run, slot, false);
}

static void on_event(struct run *run, struct slot *slot, uint32_t events)
{
	if (slot->fd < 0)
		return;
	if (slot->state == SLOT_HOSTILE) {
		on_hostile(run, slot);
		return;
	}
	if (slot->state == SLOT_CONNECTING) {
		on_connected(run, slot);
		return;
	}
	if (events & EPOLLOUT) {
		int sent = flush(run, slot);
		if (sent < 0) {
			fail_slot(run, slot, "the milter closed the connection");
			return;
		}
		if (sent > 0 && slot->state == SLOT_QUIT) {
			close_slot(run, slot);
			return;
		}
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		on_readable(run, slot);
}

static void run_timers(struct run *run)
{
	uint64_t now = now_us();

	while (run->ntimers > 0 && run->timers[0]->due_us <= now) {
		struct slot *slot = run->timers[0];
		timer_clear(run, slot);
		if (slot->fd < 0)
			try_connect(run, slot);
		else if (slot->state == SLOT_HOSTILE)
			close_slot(run, slot);
		else
			go_on(run, slot, true);
	}
}

/* How long to sleep: until the next timer, at most until the end of patience. */
static int patience_ms(const struct run *run, uint64_t end_us)
{
	uint64_t now = now_us(), until = end_us;

	if (run->ntimers > 0 && run->timers[0]->due_us < until)
		until = run->timers[0]->due_us;
	return until <= now ? 0 : (int)((until - now + 999) / 1000);
}

static void serve(struct run *run)
{
	struct epoll_event events[256];
	uint64_t end_us = now_us() + run->options->max_ms * 1000ull;

	while (run->live > 0) {
		int n = epoll_wait(run->epoll, events, 256, patience_ms(run, end_us));
		for (int i = 0; i < n; i++)
			on_event(run, events[i].data.ptr, events[i].events);
		run_timers(run);
		release_burst(run);
		if (now_us() >= end_us && run->live > 0) {
			run->result->is_timed_out = true;
			return;
		}
	}
}

static void result_init(struct mload_result *result, const struct mload_scenario *scenario)
{
	*result = (struct mload_result){.nrows = scenario->nrows, .rows = scenario->rows};
	for (int i = 0; i < 2; i++) {
		size_t size = sizeof *result->row_outcomes[i];
		result->row_outcomes[i] = mload_realloc(NULL, scenario->nrows, size);
		memset(result->row_outcomes[i], 0, scenario->nrows * size);
	}
}

void mload_result_fini(struct mload_result *result)
{
	free(result->row_outcomes[0]);
	free(result->row_outcomes[1]);
	*result = (struct mload_result){0};
}

static void begin(struct run *run)
{
	const struct mload_options *options = run->options;
	unsigned n = options->connections;

	run->slots = mload_realloc(NULL, n, sizeof *run->slots);
	run->timers = mload_realloc(NULL, n, sizeof *run->timers);
	memset(run->slots, 0, n * sizeof *run->slots);
	for (unsigned i = 0; i < n; i++) {
		struct mload_conn *conn = &run->slots[i].conn;
		run->slots[i].fd = -1;
		conn->result = run->result;
		conn->offered_actions = options->actions ? options->actions : MLOAD_ALL_ACTIONS;
		conn->offered_steps = options->steps ? options->steps : MLOAD_ALL_STEPS;
		if (run->started < run->total)
			start_session(run, &run->slots[i]);
	}
}

static void end(struct run *run)
{
	for (unsigned i = 0; i < run->options->connections; i++) {
		if (run->slots[i].fd >= 0)
			close(run->slots[i].fd);
		mload_conn_fini(&run->slots[i].conn);
	}
	free(run->slots);
	free(run->timers);
	close(run->epoll);
}

int mload_run(const struct mload_options *options, const struct mload_scenario *scenario,
	      struct mload_result *ret_result)
{
	unsigned sessions = options->sessions ? options->sessions : options->connections;
	struct run run = {.options = options, .scenario = scenario, .result = ret_result,
			  .total = sessions + options->hostile, .random = options->seed};

	if (!mload_address_parse(options->address, &run.address))
		return -1;
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (run.epoll < 0) {
		perror("epoll_create1");
		return -1;
	}
	result_init(ret_result, scenario);
	uint64_t start = now_us();
	begin(&run);
	serve(&run);
	ret_result->elapsed_us = now_us() - start;
	end(&run);
	return 0;
}
