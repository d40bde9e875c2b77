/* SPDX-License-Identifier: BSD-2-Clause */
/* Accounts of a real engine: how much a misused one sends with the default quotas, suspending by hand, restarts, notices. */
#include "config.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mxward/mxward.h>

#include "src/journal/store.h"
#include "src/session/engine.h"
#include "src/session/outbound.h"
#include "src/share/share.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/redisd.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

/* For a notice, which may have a minute itself. */
enum { FLUSH_MS = 60000 };

/* What a busy Redis may take is not what the tests are about. */
#define PATIENT "timeout 10s\nconnect-timeout 10s\n"

static struct fake_clock fake;
static fake_resolver_t *resolver;
static mxw_engine_t *engine;
static struct scratch scratch;
static const char *dir;
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static char log_text[65536];

static void keep_line(void *ctx, mxw_level_t level, const char *line)
{
	pthread_mutex_lock(&log_mutex);
	size_t len = strlen(log_text);
	if (!strstr(line, "event=message"))
		snprintf(log_text + len, sizeof log_text - len, "%s\n", line);
	pthread_mutex_unlock(&log_mutex);
}

static unsigned count_of(const char *in, const char *text)
{
	unsigned n = 0;

	for (const char *at = in; (at = strstr(at, text)); at += strlen(text))
		n++;
	return n;
}

static unsigned count_in_log(const char *text)
{
	pthread_mutex_lock(&log_mutex);
	unsigned n = count_of(log_text, text);
	pthread_mutex_unlock(&log_mutex);
	return n;
}

static void start(const char *text)
{
	struct mxw_engine_options options = {.size = sizeof options, .log = keep_line, .clock = &fake.clock,
					     .resolver = &resolver->resolver, .state_dir = dir};
	mxw_conf_t *conf = NULL;

	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &conf), MXW_OK);
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
}

static void setup(void)
{
	fake_clock_init(&fake);
	resolver = fake_resolver_new(&fake);
	scratch_init(&scratch);
	dir = scratch.dir;
	log_text[0] = '\0';
}

static void teardown(void)
{
	mxw_engine_free(engine);
	mxw_resolver_unref(&resolver->resolver);
	scratch_fini(&scratch);
}

/* ---- one who sends ---- */

struct sent {
	unsigned messages, held, rcpts, put_through;
	bool is_stopped;
};

static mxw_session_t *open_session(void)
{
	struct mxw_connect_info info = {.client = {4, {203, 0, 113, 5}}};
	struct mxw_verdict v;
	mxw_session_t *s;

	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, "pc.example", &v);
	return s;
}

/* Sends one message to `nrcpts` that nobody has written to before, if it can. */
static void send_one(mxw_session_t *s, const char *user, unsigned nrcpts, struct sent *sent)
{
	const struct mxw_edit *edits;
	struct mxw_verdict v;
	unsigned accepted = 0;
	size_t nedits;

	mxw_session_mail(s, &(struct mxw_mail_info){.sender = "<a@example.net>", .auth_user = user}, &v);
	for (unsigned i = 0; i < nrcpts && v.action == MXW_ACTION_CONTINUE; i++) {
		char rcpt[64];
		snprintf(rcpt, sizeof rcpt, "<to%u@far.example>", sent->rcpts++);
		mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = rcpt}, &v);
		accepted += v.action == MXW_ACTION_CONTINUE;
	}
	if (accepted == 0) {
		sent->is_stopped = true;
		mxw_session_abort(s);
		return;
	}
	mxw_session_header(s, "From", " a@example.net");
	mxw_session_end_of_headers(s);
	mxw_session_eom(s, &v, &edits, &nedits);
	sent->messages += v.action == MXW_ACTION_CONTINUE;
	sent->put_through += v.action == MXW_ACTION_CONTINUE ? accepted : 0;
	sent->held += v.action == MXW_ACTION_HOLD;
	sent->is_stopped = v.action == MXW_ACTION_REJECT;
}

static bool is_suspended(const char *user)
{
	struct mxw__key key = mxw__key_of_name(MXW__KEY_USER, user);

	return mxw__accounts_find(engine->accounts, &key, NULL);
}

/* Recipients of one message, and what gets through; the manual page says as much. */
static const struct {
	unsigned nrcpts;
	unsigned messages_max, rcpts_max, held_max;
} abuses[] = {
	{1, 299, 299, 110},
	{10, 80, 800, 40},
	{100, 8, 800, 6},
	{900, 0, 0, 1},
};

START_TEST(a_misused_account_stops_with_the_default_quotas)
{
	struct sent sent = {0};

	start("");
	for (unsigned i = 0; i < 10000 && !sent.is_stopped; i++) {
		mxw_session_t *s = open_session();
		send_one(s, "anna", abuses[_i].nrcpts, &sent);
		mxw_session_free(s);
	}
	ck_assert(sent.is_stopped);
	ck_assert(is_suspended("anna"));
	ck_assert_uint_eq(count_in_log("event=suspended"), 1);
	/* The tarpit takes its time, in which the quota fills up again: a little more than at once. */
	ck_assert_uint_le(sent.messages, abuses[_i].messages_max + 60);
	ck_assert_uint_le(sent.put_through, abuses[_i].rcpts_max + 60);
	ck_assert_uint_le(sent.held, abuses[_i].held_max + 60);
}
END_TEST

START_TEST(a_person_who_writes_a_lot_is_not_even_slowed)
{
	struct sent sent = {0};
	int64_t began = mxw__now_ms(&fake.clock);

	start("");
	/* Ten hours, a message every thirty seconds to one new recipient in ten and nine old ones. */
	mxw_session_t *s = open_session();
	for (unsigned i = 0; i < 1200; i++) {
		sent.rcpts = i / 10 * 5 % 400;
		send_one(s, "anna", 1, &sent);
		ck_assert(!sent.is_stopped);
		fake_clock_advance(&fake, 30000);
	}
	ck_assert_uint_eq(sent.messages, 1200);
	ck_assert_uint_eq(sent.held, 0);
	ck_assert_int_eq(mxw__now_ms(&fake.clock) - began, 1200 * 30000);
	mxw_session_free(s);
}
END_TEST

/* ---- by hand ---- */

static bool is_refused(const char *user)
{
	mxw_session_t *s = open_session();
	struct mxw_verdict v;

	mxw_session_mail(s, &(struct mxw_mail_info){.sender = "<a@example.net>", .auth_user = user}, &v);
	mxw_session_free(s);
	return v.action == MXW_ACTION_REJECT;
}

static void see(void *ctx, const struct mxw__account *account)
{
	char text[MXW__KEY_TEXT_MAX];

	mxw__buf_addf(ctx, "%s by %s: %s\n", mxw__key_text(&account->key, text), account->author, account->reason);
}

START_TEST(an_account_is_suspended_and_lifted_by_hand)
{
	struct mxw__buf seen;

	start("outbound { enabled no }");
	ck_assert_int_eq(mxw__outbound_suspend(engine, "", "x", "y", 0), MXW_ERR_INVALID);
	ck_assert_int_eq(mxw__outbound_suspend(engine, "helo:x", "x", "y", 0), MXW_ERR_INVALID);
	ck_assert_int_eq(mxw__outbound_suspend(engine, "anna", "x", "y", 1), MXW_ERR_INVALID);
	ck_assert_int_eq(mxw__outbound_suspend(engine, "anna", "phished\r\nyesterday", "the postmaster", 0), MXW_OK);
	ck_assert(is_refused("anna"));
	ck_assert(!is_refused("berta"));
	mxw__buf_init(&seen, 1000);
	ck_assert(mxw__outbound_each(engine, see, &seen));
	ck_assert_str_eq(mxw__buf_str(&seen), "user:anna by the_postmaster: phished??yesterday\n");
	mxw__buf_fini(&seen);
	ck_assert(!mxw__outbound_resume(engine, "berta", "postmaster"));
	ck_assert(mxw__outbound_resume(engine, "user:anna", "postmaster"));
	ck_assert(!is_refused("anna"));
	ck_assert_uint_eq(count_in_log("event=resumed account=user:anna author=postmaster"), 1);
}
END_TEST

START_TEST(after_lifting_the_quotas_begin_anew)
{
	struct sent sent = {0};

	/* The tarpit's clock must not run, or some of it leaks away. */
	start("outbound { messages 3/1h }\nrule outbound-slow off");
	mxw_session_t *s = open_session();
	while (!sent.is_stopped)
		send_one(s, "anna", 1, &sent);
	ck_assert_uint_eq(sent.messages + sent.held, 5);
	ck_assert(mxw__outbound_resume(engine, "anna", "postmaster"));
	sent = (struct sent){0};
	while (!sent.is_stopped)
		send_one(s, "anna", 1, &sent);
	ck_assert_uint_eq(sent.messages + sent.held, 5);
	mxw_session_free(s);
}
END_TEST

/* Who had good reason is let go on before it comes to a suspension; one that has come stays. */
START_TEST(forgiving_an_account_lets_its_quotas_begin_anew)
{
	struct sent sent = {0};

	start("outbound { messages 3/1h }\nrule outbound-slow off");
	mxw_session_t *s = open_session();
	while (!sent.held)
		send_one(s, "anna", 1, &sent);
	ck_assert_uint_eq(sent.messages, 4);
	ck_assert_int_eq(mxw_track_forgive(engine, "user:Anna", NULL), MXW_OK);
	ck_assert_int_eq(mxw_track_forgive(engine, "user:Anna", NULL), MXW_ERR_INVALID);
	sent = (struct sent){0};
	while (!sent.is_stopped)
		send_one(s, "anna", 1, &sent);
	ck_assert_uint_eq(sent.messages + sent.held, 5);
	mxw_track_forgive(engine, "user:anna", NULL);
	ck_assert(is_suspended("anna"));
	mxw_session_free(s);
}
END_TEST

/* Other things may be written before. */
static bool is_on_disk(const char *user)
{
	char path[300], sql[100];
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/tracker.db", dir);
	snprintf(sql, sizeof sql, "SELECT 1 FROM account WHERE key = 'user:%s'", user);
	bool is = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
		  sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return is;
}

/* Nothing is stopped in good order here: what is known by then must be on disk. */
START_TEST(who_is_suspended_stays_so_when_the_machine_stops_at_once)
{
	char copy[300];
	struct sent sent = {0};

	start("tracker { save-interval 1h }\noutbound { messages 1/1h }");
	mxw_session_t *s = open_session();
	while (!sent.is_stopped)
		send_one(s, "anna", 1, &sent);
	mxw_session_free(s);
	/* Long before the time of saving has come. */
	struct mxw__store_stats stats = {0};
	for (int i = 0; i < 2000 && !stats.written; i++) {
		usleep(10000);
		mxw__store_get_stats(engine->store, &stats);
	}
	ck_assert_uint_gt(stats.written, 0);
	for (int i = 0; i < 2000 && !is_on_disk("anna"); i++)
		usleep(10000);
	ck_assert(is_on_disk("anna"));
	snprintf(copy, sizeof copy, "cp -r %s %s-copy", dir, dir);
	ck_assert_int_eq(system(copy), 0);
	mxw_engine_free(engine);
	snprintf(copy, sizeof copy, "%s-copy", scratch.dir);
	dir = copy;
	start("");
	ck_assert(is_refused("anna"));
	mxw_engine_free(engine);
	engine = NULL;
	snprintf(log_text, sizeof log_text, "rm -r %s", copy);
	ck_assert_int_eq(system(log_text), 0);
	dir = scratch.dir;
}
END_TEST

/* ---- what outlives a process, and goes to other hosts ---- */

static void wait_loaded(void)
{
	for (int i = 0; i < 1000 && !mxw__store_has_loaded(engine->store); i++)
		usleep(10000);
	ck_assert(mxw__store_has_loaded(engine->store));
}

/* One message of anna's, number `n`, from a network and to a recipient of its own, which the MTA refuses if `fails`; is she suspended? */
static bool send_number(unsigned n, bool fails)
{
	struct mxw_connect_info info = {.client = {4, {203, 0, (uint8_t)n, 5}}};
	struct mxw_verdict v;
	mxw_session_t *s;
	char rcpt[64];

	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, "pc.example", &v);
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = "<a@example.net>", .auth_user = "anna"}, &v);
	snprintf(rcpt, sizeof rcpt, "<to%u@far.example>", n);
	if (v.action == MXW_ACTION_CONTINUE)
		mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = rcpt, .is_refused_by_mta = fails}, &v);
	mxw_session_free(s);
	return is_suspended("anna");
}

/* Suspended is who has used up twice the quota: how many messages that takes, whatever happens in between. */
#define NONE "rule outbound-slow off\noutbound { messages none\nrecipients none\n"
static const struct {
	const char *conf;
	bool fails;
	unsigned least, most;
	bool has_share;
} quotas[] = {
	{NONE "different-recipients 20/1d\nnetworks none\nunknown-share 0 }\n", false, 39, 44, false},
	{NONE "different-recipients none\nnetworks 6/1h\nunknown-share 0 }\n", false, 12, 13, false},
	/* All fail: known for what they are from the twentieth on, and counted when the next message comes. */
	{NONE "different-recipients none\nnetworks none\nunknown-share 30\nunknown-min 20 }\n", true, 20, 22, true},
	/* Unless they are few among many. */
	{NONE "different-recipients none\nnetworks none\nunknown-share 30\nunknown-min 20 }\n", false, 60, 60, true},
};

START_TEST(a_restart_gives_nobody_his_quotas_again)
{
	unsigned n = 0;

	start(quotas[_i].conf);
	while (n < 60 && !send_number(n, quotas[_i].fails)) {
		n++;
		/* The end does not wait long for a busy disk. */
		ck_assert(mxw__store_flush(engine->store, FLUSH_MS));
		mxw_engine_free(engine);
		start(quotas[_i].conf);
		wait_loaded();
	}
	n += n < 60;
	ck_assert_uint_ge(n, quotas[_i].least);
	ck_assert_uint_le(n, quotas[_i].most);
}
END_TEST

/* On a host that had no file yet. */
START_TEST(what_is_written_is_counted_once)
{
	unsigned n;

	start(quotas[_i].conf);
	for (n = 1; n < 60 && !send_number(n, quotas[_i].fails); n++)
		if (n >= quotas[_i].least / 2)
			ck_assert(mxw__store_flush(engine->store, FLUSH_MS));
	ck_assert_uint_ge(n, quotas[_i].least);
	ck_assert_uint_le(n, quotas[_i].most);
}
END_TEST

START_TEST(after_lifting_nothing_is_left_of_any_quota)
{
	unsigned n;

	start(quotas[_i].conf);
	for (int round = 0; round < 2; round++) {
		for (n = 1; n < 60 && !send_number(n, quotas[_i].fails); n++)
			;
		ck_assert_uint_ge(n, quotas[_i].least);
		ck_assert_uint_le(n, quotas[_i].most);
		if (n == 60)
			mxw__outbound_suspend(engine, "anna", "x", "y", 0);
		ck_assert(mxw__outbound_resume(engine, "anna", "postmaster"));
	}
	/* What went well before does not count in favour of what follows. */
	for (n = 1; quotas[_i].has_share && n < 60 && !send_number(n, true); n++)
		;
	ck_assert_uint_le(n, 22);
}
END_TEST

static uint64_t different_seen(mxw_engine_t *by)
{
	struct mxw__key key = mxw__key_of_name(MXW__KEY_USER, "anna");

	return mxw__unions_count(by->outbound->all, &key, mxw__outbound_kind(MXW__QUOTA_DIFFERENT_RCPTS), 86400000);
}

static double failed_seen(mxw_engine_t *by)
{
	struct mxw__key key = mxw__key_of_name(MXW__KEY_USER, "anna");

	return mxw__table_score(by->outbound->shares, &key, mxw__now_ms(&fake.clock));
}

START_TEST(hosts_that_share_count_a_user_together)
{
	mxw_engine_t *hosts[2];
	struct redisd redisd = {0};
	char conf[600];

	redisd_init(&redisd);
	snprintf(conf, sizeof conf, NONE "different-recipients 40/1d\nnetworks none\nunknown-share 60\nunknown-min 30 }\n"
		 "redis { servers %s\n" PATIENT "push-interval 20ms }\n", redisd.server);
	dir = NULL;
	start(conf);
	hosts[0] = engine;
	start(conf);
	hosts[1] = engine;
	/* Twenty recipients each, some of them the same, and half of them fail. */
	for (unsigned n = 0; n < 20; n++) {
		engine = hosts[n % 2];
		send_number(n / 2 * 2, n % 4 < 2);
		engine = hosts[(n + 1) % 2];
		send_number(100 + n, n % 4 < 2);
	}
	/* Each hears of the other when it has something to tell, or somebody asks. */
	for (int i = 0; i < 1000; i++) {
		if (different_seen(hosts[0]) >= 28 && different_seen(hosts[1]) >= 28 && failed_seen(hosts[0]) > 19 && failed_seen(hosts[1]) > 19)
			break;
		for (size_t h = 0; h < 2; h++) {
			engine = hosts[h];
			mxw_session_free(open_session());
			send_number(0, false);
		}
		usleep(10000);
		/* What was asked for is not asked for again in the same second: the other may have told nothing by then. */
		fake_clock_advance(&fake, 1001);
	}
	for (size_t h = 0; h < 2; h++) {
		ck_assert_uint_ge(different_seen(hosts[h]), 27);
		ck_assert_uint_le(different_seen(hosts[h]), 30);
		ck_assert(failed_seen(hosts[h]) > 19 && failed_seen(hosts[h]) < 20.5);
	}
	mxw_engine_free(hosts[0]);
	mxw_engine_free(hosts[1]);
	engine = NULL;
	dir = scratch.dir;
	redisd_fini(&redisd);
}
END_TEST

static double taken_seen(mxw_engine_t *by)
{
	struct mxw__key key = mxw__key_of_name(MXW__KEY_USER, "anna");
	struct mxw__standing standing = {0};

	mxw__table_get(by->outbound->shares, &key, mxw__now_ms(&fake.clock), &standing);
	return standing.good;
}

/* Sends messages of anna's by that host, each to a recipient of its own that is taken. */
static void send_many(mxw_engine_t *by, unsigned first, unsigned n)
{
	engine = by;
	for (unsigned i = 0; i < n; i++)
		send_number(first + i, false);
	ck_assert(mxw__share_flush(by->share, FLUSH_MS));
}

/* Two hosts count her out at one time, and one of them has all that was before still to tell. */
START_TEST(a_user_who_was_counted_out_by_two_hosts_begins_anew)
{
	struct mxw__key anna = mxw__key_of_name(MXW__KEY_USER, "anna");
	mxw_engine_t *hosts[3];
	struct redisd redisd = {0};
	char conf[600];

	redisd_init(&redisd);
	snprintf(conf, sizeof conf, NONE "different-recipients 1000/1d\nnetworks none\nunknown-share 60\nunknown-min 30 }\n"
		 "redis { servers %s\n" PATIENT "push-interval 20ms }\n", redisd.server);
	dir = NULL;
	for (size_t h = 0; h < 3; h++) {
		start(conf);
		hosts[h] = engine;
	}
	send_many(hosts[0], 0, 50);
	for (int i = 0; i < 1000 && (different_seen(hosts[1]) < 40 || different_seen(hosts[2]) < 40 || taken_seen(hosts[1]) < 40); i++) {
		send_many(hosts[1], 0, 1);
		send_many(hosts[2], 0, 1);
		usleep(5000);
	}
	ck_assert_uint_ge(different_seen(hosts[2]), 40);
	ck_assert(taken_seen(hosts[1]) > 40);
	/* Neither hears of the other before it has told what it did itself. */
	mxw__outbound_forget(hosts[0], &anna);
	mxw__outbound_forget(hosts[1], &anna);
	ck_assert(mxw__share_flush(hosts[0]->share, FLUSH_MS));
	ck_assert(mxw__share_flush(hosts[1]->share, FLUSH_MS));
	mxw__unions_sort.mark_all(hosts[2]->outbound->all, MXW__STATE_SHARE);
	ck_assert(mxw__share_flush(hosts[2]->share, FLUSH_MS));
	usleep(1100000);
	send_many(hosts[0], 100, 10);
	usleep(1100000);
	send_many(hosts[1], 110, 1);
	for (size_t h = 0; h < 2; h++) {
		ck_assert_uint_ge(different_seen(hosts[h]), 8);
		ck_assert_uint_le(different_seen(hosts[h]), 11);
		ck_assert(taken_seen(hosts[h]) > 9 && taken_seen(hosts[h]) < 11.5);
	}
	for (size_t h = 0; h < 3; h++)
		mxw_engine_free(hosts[h]);
	engine = NULL;
	dir = scratch.dir;
	redisd_fini(&redisd);
}
END_TEST

static uint64_t counted_alone(mxw_engine_t *by)
{
	struct mxw__outbound_counted key = {MXW__QUOTA_DIFFERENT_RCPTS, mxw__key_of_name(MXW__KEY_USER, "anna")};

	return mxw__distinct_count(by->outbound->different, &key, sizeof key, mxw__now_ms(&fake.clock), 86400000);
}

/* What a host has counted by itself must not count her out again on the next message. */
START_TEST(a_host_hears_that_the_quotas_of_a_user_began_anew_elsewhere)
{
	struct mxw__key anna = mxw__key_of_name(MXW__KEY_USER, "anna");
	mxw_engine_t *hosts[2];
	struct redisd redisd = {0};
	char conf[600];

	redisd_init(&redisd);
	snprintf(conf, sizeof conf, NONE "different-recipients 1000/1d\nnetworks none\nunknown-share 60\nunknown-min 30 }\n"
		 "redis { servers %s\n" PATIENT "push-interval 20ms }\n", redisd.server);
	dir = NULL;
	for (size_t h = 0; h < 2; h++) {
		start(conf);
		hosts[h] = engine;
	}
	send_many(hosts[1], 0, 50);
	ck_assert_uint_ge(counted_alone(hosts[1]), 45);
	for (int i = 0; i < 1000 && different_seen(hosts[0]) < 40; i++) {
		send_many(hosts[0], 0, 1);
		fake_clock_advance(&fake, 1001);
		usleep(5000);
	}
	ck_assert_uint_ge(different_seen(hosts[0]), 40);
	mxw__outbound_forget(hosts[0], &anna);
	ck_assert(mxw__share_flush(hosts[0]->share, FLUSH_MS));
	for (int i = 0; i < 1000 && counted_alone(hosts[1]) > 5; i++) {
		fake_clock_advance(&fake, 1001);
		send_many(hosts[1], 100, 1);
		usleep(5000);
	}
	ck_assert_uint_le(counted_alone(hosts[1]), 5);
	for (size_t h = 0; h < 2; h++)
		mxw_engine_free(hosts[h]);
	engine = NULL;
	dir = scratch.dir;
	redisd_fini(&redisd);
}
END_TEST

/* ---- notices ---- */

static void write_script(const char *name, const char *text, char ret_path[300])
{
	snprintf(ret_path, 300, "%s/%s", dir, name);
	FILE *f = fopen(ret_path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(ret_path, 0755), 0);
}

static char *read_out(void)
{
	char path[300], *text = NULL;
	size_t len;

	snprintf(path, sizeof path, "%s/out", dir);
	ck_assert_int_eq(mxw__file_read(path, 65536, &text, &len, NULL), MXW_OK);
	return text;
}

static void misuse(const char *user)
{
	struct sent sent = {0};
	mxw_session_t *s = open_session();

	while (!sent.is_stopped)
		send_one(s, user, 1, &sent);
	/* And again and again: that is no news. */
	for (int i = 0; i < 10; i++)
		send_one(s, user, 1, &sent);
	mxw_session_free(s);
}

static void start_with_command(const char *path, const char *timeout)
{
	char conf[1000];

	snprintf(conf, sizeof conf, "authserv-id mx.example.net\nrule outbound-slow off\noutbound { messages 1/1h\nnotice-timeout %s\n"
		 "notice-command %s \"two words\" '$(touch %s/trap)' }", timeout, path, dir);
	for (char *c = strchr(conf, '\''); c; c = strchr(c, '\''))
		*c = '"';
	start(conf);
}

START_TEST(one_command_is_run_for_each_suspension_with_its_data_as_data)
{
	char script[300], text[1000];

	snprintf(text, sizeof text, "#!/bin/sh\n{ echo \"$# [$1] [$2]\"; env | grep MXWARD | sort; cat; } >>%s/out\n", dir);
	write_script("tell", text, script);
	start_with_command(script, "1m");
	misuse("an$(touch x)na;`id`\"'\n|");
	ck_assert(mxw__notifier_flush(engine->outbound->notifier, FLUSH_MS));
	char *out = read_out();
	ck_assert_ptr_nonnull(strstr(out, "2 [two words] [$(touch "));
	ck_assert_ptr_nonnull(strstr(out, "MXWARD_ACCOUNT=user:an$(touch%20x)na;`id`\"'%0A|\n"));
	ck_assert_ptr_nonnull(strstr(out, "MXWARD_REASON=messages 2, quota 1 in 3600s\n"));
	ck_assert_ptr_nonnull(strstr(out, "MXWARD_UNTIL=0\n"));
	ck_assert_ptr_nonnull(strstr(out, "may not send mail any more.\n"));
	ck_assert_ptr_nonnull(strstr(out, "mxwardctl resume user:an"));
	ck_assert_uint_eq(count_of(out, "two words"), 1);
	ck_assert_uint_eq(count_in_log("notice-command"), 0);
	free(out);
}
END_TEST

static const struct {
	const char *script, *timeout, *complaint;
} failures[] = {
	{"#!/bin/sh\nexit 3\n", "1m", "it ended with status 3"},
	{"#!/bin/sh\nkill -9 $$\n", "1m", "it ended by signal 9"},
	{"#!/bin/sh\nsleep 60 & sleep 60\n", "1s", "it did not end in time"},
	{"#!/nowhere/sh\n", "1m", "can't be run"},
};

START_TEST(a_command_that_fails_is_told_and_holds_nothing_up)
{
	char script[300];

	write_script("tell", failures[_i].script, script);
	start_with_command(script, failures[_i].timeout);
	misuse("anna");
	ck_assert(mxw__notifier_flush(engine->outbound->notifier, FLUSH_MS));
	ck_assert_uint_eq(count_in_log(failures[_i].complaint), 1);
	ck_assert_uint_eq(count_in_log("user:anna is suspended"), 1);
	ck_assert(is_suspended("anna"));
}
END_TEST

START_TEST(only_so_many_notices_wait_and_the_end_waits_for_none)
{
	char script[300], user[16];

	write_script("tell", "#!/bin/sh\nsleep 60\n", script);
	start_with_command(script, "1m");
	for (int i = 0; i < 50; i++) {
		snprintf(user, sizeof user, "user%d", i);
		misuse(user);
	}
	ck_assert_uint_eq(count_in_log("too many notices wait"), 1);
	ck_assert_uint_eq(count_in_log("event=suspended"), 50);
	/* For the disk it does wait. */
	ck_assert(mxw__store_flush(engine->store, FLUSH_MS));
	int64_t began = mxw__now_ms(mxw_clock_system());
	mxw_engine_free(engine);
	engine = NULL;
	ck_assert_int_lt(mxw__now_ms(mxw_clock_system()) - began, 3000);
}
END_TEST

/* ---- a mail server, of which only the words matter ---- */

struct server {
	int fd;
	uint16_t port;
	const char *refuses;   /* the command that is refused; NULL: none */
	char got[8192];
};

static void *serve(void *arg)
{
	struct server *srv = arg;
	int fd = accept(srv->fd, NULL, NULL);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r+");
	char line[1100];
	bool is_data = false;

	if (!f)
		return NULL;
	fputs("220-mx\r\n220 ready\r\n", f);
	fflush(f);
	while (fgets(line, sizeof line, f)) {
		size_t len = strlen(srv->got);
		snprintf(srv->got + len, sizeof srv->got - len, "%s", line);
		is_data = is_data && strcmp(line, ".\r\n") != 0;
		if (is_data)
			continue;
		if (strncmp(line, "QUIT", 4) == 0)
			break;
		bool refuse = srv->refuses && strncmp(line, srv->refuses, strlen(srv->refuses)) == 0;
		is_data = strncmp(line, "DATA", 4) == 0 && !refuse;
		fseek(f, 0, SEEK_CUR);
		fputs(refuse ? "550 5.1.1 no\r\n" : is_data ? "354 go\r\n" : "250 ok\r\n", f);
		fflush(f);
	}
	fclose(f);
	return NULL;
}

static pthread_t listen_at(struct server *srv)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof addr;
	pthread_t thread;

	srv->fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(srv->fd, (struct sockaddr *)&addr, sizeof addr), 0);
	ck_assert_int_eq(listen(srv->fd, 1), 0);
	ck_assert_int_eq(getsockname(srv->fd, (struct sockaddr *)&addr, &len), 0);
	srv->port = ntohs(addr.sin_port);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, srv), 0);
	return thread;
}

static void start_with_mail(uint16_t port)
{
	char conf[500];

	snprintf(conf, sizeof conf, "authserv-id mx.example.net\noutbound { messages 1/1h\nsuspend-for 1d\nnotice-timeout 1m\n"
		 "notice-mail postmaster@example.net\nnotice-server 127.0.0.1:%u }", port);
	start(conf);
}

START_TEST(a_mail_is_sent_for_each_suspension)
{
	struct server srv = {0};
	pthread_t thread = listen_at(&srv);

	start_with_mail(srv.port);
	misuse("anna");
	ck_assert(mxw__notifier_flush(engine->outbound->notifier, FLUSH_MS));
	pthread_join(thread, NULL);
	close(srv.fd);
	ck_assert_ptr_nonnull(strstr(srv.got, "HELO mx.example.net\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster@example.net>\r\nDATA\r\n"));
	ck_assert_ptr_nonnull(strstr(srv.got, "\r\nSubject: user:anna is suspended\r\n"));
	ck_assert_ptr_nonnull(strstr(srv.got, "\r\nUntil:   2026-01-02 00:00:"));
	ck_assert_ptr_nonnull(strstr(srv.got, "\r\n.\r\n"));
	ck_assert_uint_eq(count_in_log("notice-mail"), 0);
}
END_TEST

static const struct {
	const char *refuses, *complaint;
} refusals[] = {
	{"RCPT", "the server says 550 5.1.1 no"}, {"DATA", "the server says 550"}, {"HELO", "the server says 550"},
	{NULL, "no connection"},
};

START_TEST(a_mail_that_is_not_taken_is_told)
{
	struct server srv = {.refuses = refusals[_i].refuses, .port = 1};
	pthread_t thread = 0;

	if (srv.refuses)
		thread = listen_at(&srv);
	start_with_mail(srv.port);
	misuse("anna");
	ck_assert(mxw__notifier_flush(engine->outbound->notifier, FLUSH_MS));
	ck_assert_uint_eq(count_in_log(refusals[_i].complaint), 1);
	if (srv.refuses) {
		pthread_join(thread, NULL);
		close(srv.fd);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("outbound");
	TCase *tc = tcase_create("outbound");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_misused_account_stops_with_the_default_quotas, 0, MXW_ARRAY_LEN(abuses));
	tcase_add_test(tc, a_person_who_writes_a_lot_is_not_even_slowed);
	tcase_add_test(tc, an_account_is_suspended_and_lifted_by_hand);
	tcase_add_test(tc, after_lifting_the_quotas_begin_anew);
	tcase_add_test(tc, forgiving_an_account_lets_its_quotas_begin_anew);
	tcase_add_test(tc, who_is_suspended_stays_so_when_the_machine_stops_at_once);
	tcase_add_loop_test(tc, a_restart_gives_nobody_his_quotas_again, 0, MXW_ARRAY_LEN(quotas));
	tcase_add_loop_test(tc, what_is_written_is_counted_once, 0, MXW_ARRAY_LEN(quotas));
	tcase_add_loop_test(tc, after_lifting_nothing_is_left_of_any_quota, 0, MXW_ARRAY_LEN(quotas));
	tcase_add_test(tc, hosts_that_share_count_a_user_together);
	tcase_add_test(tc, a_user_who_was_counted_out_by_two_hosts_begins_anew);
	tcase_add_test(tc, a_host_hears_that_the_quotas_of_a_user_began_anew_elsewhere);
	tcase_add_test(tc, one_command_is_run_for_each_suspension_with_its_data_as_data);
	tcase_add_loop_test(tc, a_command_that_fails_is_told_and_holds_nothing_up, 0, MXW_ARRAY_LEN(failures));
	tcase_add_test(tc, only_so_many_notices_wait_and_the_end_waits_for_none);
	tcase_add_test(tc, a_mail_is_sent_for_each_suspension);
	tcase_add_loop_test(tc, a_mail_that_is_not_taken_is_told, 0, MXW_ARRAY_LEN(refusals));
	suite_add_tcase(s, tc);
	return run_suite(s);
}
