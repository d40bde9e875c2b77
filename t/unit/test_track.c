/* SPDX-License-Identifier: BSD-2-Clause */
/* What replay scenarios can't say of the tracker: reports from outside, traps by the word of a directory, and many threads at once. */
#include "config.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxward/mxward.h>

#include "src/session/engine.h"
#include "src/track/sightings.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

static struct fake_clock fake;
static struct scratch scratch;
static fake_resolver_t *resolver;
static mxw_engine_t *engine;
static char *database;

static mxw_conf_t *load(const char *tracker)
{
	char text[2048];
	mxw_conf_t *conf = NULL;

	snprintf(text, sizeof text,
		 "authserv-id mx.example.net\n"
		 "directory people {\n type sqlite\n database \"%s\"\n class-column yes\n"
		 " query \"SELECT class FROM people WHERE address = :addr\"\n}\n"
		 "domain example.net { recipients people }\ntracker { %s }\n",
		 database, tracker);
	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &conf), MXW_OK);
	return conf;
}

static void fill_database(void)
{
	sqlite3 *db;

	database = scratch_path(&scratch, "people.sqlite");
	ck_assert_int_eq(sqlite3_open(database, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db,
				      "CREATE TABLE people (address TEXT PRIMARY KEY, class TEXT);"
				      "INSERT INTO people VALUES ('anna@example.net', 'staff'), ('seller@example.net', 'trap');",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
}

static void setup(void)
{
	struct mxw_engine_options options = {.size = sizeof options};

	scratch_init(&scratch);
	fill_database();
	fake_clock_init(&fake);
	resolver = fake_resolver_new(&fake);
	options.clock = &fake.clock;
	options.resolver = &resolver->resolver;
	mxw_conf_t *conf = load("");
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
}

static void teardown(void)
{
	mxw_engine_free(engine);
	mxw_resolver_unref(&resolver->resolver);
	free(database);
	scratch_fini(&scratch);
}

static double score(const char *text)
{
	struct mxw__key key;

	ck_assert(mxw__key_parse(text, &key));
	return mxw__table_score(engine->table, &key, mxw__now_ms(&fake.clock));
}

static void reload(const char *tracker)
{
	mxw_conf_t *conf = load(tracker);

	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	mxw_conf_unref(conf);
}

START_TEST(a_report_goes_on_the_key_and_its_networks)
{
	ck_assert_int_eq(mxw__track_report(engine, "192.0.2.1", MXW__EVENT_AUTH_FAILURE, 3, NULL), MXW_OK);
	ck_assert_double_eq_tol(score("192.0.2.1"), 30, 0.1);
	ck_assert_double_eq_tol(score("192.0.2.0/24"), 30, 0.1);
	ck_assert_int_eq(mxw__track_report(engine, "2001:db8:1:203::7", MXW__EVENT_SPAM, 1, NULL), MXW_OK);
	ck_assert_double_eq_tol(score("2001:db8:1:203::/64"), 20, 0.1);
	ck_assert_double_eq_tol(score("2001:db8:1:200::/56"), 20, 0.1);
	ck_assert_double_eq_tol(score("2001:db8:1::/48"), 20, 0.1);
	ck_assert_int_eq(mxw__track_report(engine, "2001:db8:1:200::/56", MXW__EVENT_SPAM, 1, NULL), MXW_OK);
	ck_assert_double_eq_tol(score("2001:db8:1:203::/64"), 20, 0.1);
	ck_assert_double_eq_tol(score("2001:db8:1::/48"), 40, 0.1);
	ck_assert_int_eq(mxw__track_report(engine, "user:Anna", MXW__EVENT_REPORTED, 1, NULL), MXW_OK);
	ck_assert_double_eq_tol(score("user:Anna"), 10, 0.1);
	ck_assert_double_eq_tol(score("user:anna"), 10, 0.1);
	ck_assert_int_eq(mxw__track_report(engine, "helo:a.example", MXW__EVENT_REPORTED, 1, NULL), MXW_OK);
	ck_assert_double_eq_tol(score("helo:a.example"), 10, 0.1);
}
END_TEST

static const struct {
	const char *name, *tracker, *key;
	mxw__event_t event;
	unsigned times;
} bad_reports[] = {
	{"no key", "", "192.0.2", MXW__EVENT_SPAM, 1},
	{"a network of another size", "", "192.0.2.0/25", MXW__EVENT_SPAM, 1},
	{"what only mxward sees", "", "192.0.2.1", MXW__EVENT_TRAP_RCPT, 1},
	{"what is good", "", "192.0.2.1", MXW__EVENT_ALIGNED_MESSAGE, 1},
	{"no event at all", "", "192.0.2.1", MXW__EVENT_COUNT, 1},
	{"none of them", "", "192.0.2.1", MXW__EVENT_SPAM, 0},
	{"too many", "", "192.0.2.1", MXW__EVENT_SPAM, 1001},
	{"a kind that is not kept", "keys network user", "192.0.2.1", MXW__EVENT_SPAM, 1},
	{"no tracker", "enabled no", "192.0.2.1", MXW__EVENT_SPAM, 1},
};

START_TEST(what_can_not_be_reported)
{
	struct mxw_error err = {0};

	reload(bad_reports[_i].tracker);
	ck_assert_int_eq(mxw__track_report(engine, bad_reports[_i].key, bad_reports[_i].event, bad_reports[_i].times, &err),
			 MXW_ERR_INVALID);
	ck_assert_msg(err.text[0], "%s", bad_reports[_i].name);
	ck_assert_double_eq_tol(score("192.0.2.1"), 0, 0.1);
}
END_TEST

static mxw_session_t *begin(const char *client)
{
	struct mxw_connect_info info = {0};
	struct mxw_verdict v;
	mxw_session_t *s;

	ck_assert_int_eq(mxw_ip_parse(client, &info.client), MXW_OK);
	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, "a.example", &v);
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = "<a@a.example>"}, &v);
	return s;
}

static mxw_action_t rcpt(mxw_session_t *s, const char *path)
{
	struct mxw_verdict v;

	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = path}, &v);
	return v.decided;
}

static mxw_action_t end(mxw_session_t *s)
{
	const struct mxw_edit *edits;
	struct mxw_verdict v;
	size_t n;

	mxw_session_header(s, "From", " a@a.example");
	mxw_session_end_of_headers(s);
	mxw_session_eom(s, &v, &edits, &n);
	return v.decided;
}

START_TEST(a_trap_by_the_word_of_a_directory_takes_mail_and_earns_nothing_good)
{
	reload("trap-recipient 4");
	mxw_session_t *s = begin("203.0.113.1");
	ck_assert_int_eq(rcpt(s, "<seller@example.net>"), MXW_ACTION_CONTINUE);
	ck_assert_double_eq_tol(score("203.0.113.1"), 4, 0.1);
	ck_assert_int_eq(rcpt(s, "<seller@example.net>"), MXW_ACTION_CONTINUE);
	ck_assert_int_eq(end(s), MXW_ACTION_CONTINUE);
	ck_assert_double_eq_tol(score("203.0.113.1"), 4, 0.1);
	/* It exists: it was not guessed. */
	ck_assert_uint_eq(mxw_facts_get_number(mxw_session_facts(s), MXW__FACT_CLIENT_UNKNOWN_RCPTS), 0);
	mxw_session_free(s);
}
END_TEST

START_TEST(a_session_may_end_anywhere)
{
	for (unsigned where = 0; where < 5; where++) {
		struct mxw_verdict v;
		mxw_session_t *s;
		ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
		if (where >= 1)
			mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = "<anna@example.net>"}, &v);
		if (where >= 2)
			mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = "not <an> address"}, &v);
		if (where >= 3)
			mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = "<x@example.net>", .is_refused_by_mta = true}, &v);
		if (where >= 4)
			end(s);
		mxw_session_free(s);
	}
}
END_TEST

/* ---- a primary and a backup on two hosts ---- */

static mxw_engine_t *new_host(const char *listener)
{
	struct mxw_engine_options options = {.size = sizeof options, .clock = &fake.clock, .resolver = &resolver->resolver};
	mxw_conf_t *conf = NULL;
	mxw_engine_t *host;
	char text[256];

	snprintf(text, sizeof text, "authserv-id mx.example.net\nlistener mx { %s }\nlistener other { port 26\n backup yes }\n", listener);
	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &conf), MXW_OK);
	ck_assert_int_eq(mxw_engine_new(conf, &options, &host, NULL), MXW_OK);
	mxw_conf_unref(conf);
	return host;
}

/* "yes", "no", or "" where the fact is absent. */
static const char *come(mxw_engine_t *host, const char *client)
{
	struct mxw_connect_info info = {.daemon_port = 25};
	struct mxw_verdict v;
	mxw_session_t *s;

	ck_assert_int_eq(mxw_ip_parse(client, &info.client), MXW_OK);
	ck_assert_int_eq(mxw_session_new(host, &s), MXW_OK);
	mxw_session_connect(s, &info, &v);
	const char *value = mxw_facts_get(mxw_session_facts(s), MXW__FACT_CLIENT_BACKUP_FIRST);
	const char *ret = value ? (strcmp(value, "yes") == 0 ? "yes" : "no") : "";
	mxw_session_free(s);
	return ret;
}

static void share_sightings(mxw_engine_t *from, mxw_engine_t *to)
{
	static struct mxw__state_record records[64];
	size_t n = mxw__sightings_sort.take(from->sightings, MXW__STATE_SHARE, records, MXW_ARRAY_LEN(records));

	for (size_t i = 0; i < n; i++)
		mxw__sightings_sort.put(to->sightings, MXW__STATE_SHARE, &records[i]);
}

START_TEST(a_backup_knows_who_was_at_the_primary_by_what_the_hosts_share)
{
	mxw_engine_t *primary = new_host("port 25"), *backup = new_host("port 25\n backup yes");

	for (unsigned minute = 0; minute < 12; minute++) {
		ck_assert_str_eq(come(primary, "192.0.2.1"), "");
		fake_clock_advance(&fake, 60000);
	}
	/* Nothing came from there. */
	ck_assert_str_eq(come(backup, "203.0.113.1"), "");
	share_sightings(primary, backup);
	ck_assert_str_eq(come(backup, "203.0.113.1"), "yes");
	ck_assert_str_eq(come(backup, "192.0.2.1"), "no");
	/* The connection between the hosts is lost: after a while nothing is known. */
	fake_clock_advance(&fake, 121000);
	ck_assert_str_eq(come(primary, "192.0.2.1"), "");
	ck_assert_str_eq(come(backup, "203.0.113.1"), "");
	/* A client was turned away there. */
	for (unsigned minute = 0; minute < 12; minute++) {
		come(primary, "192.0.2.1");
		fake_clock_advance(&fake, 60000);
	}
	share_sightings(primary, backup);
	ck_assert_str_eq(come(backup, "203.0.113.1"), "yes");
	mxw_engine_turned_away(primary);
	share_sightings(primary, backup);
	ck_assert_str_eq(come(backup, "203.0.113.1"), "");
	mxw_engine_free(primary);
	mxw_engine_free(backup);
}
END_TEST

enum { THREADS = 4, ROUNDS = 100 };

static void *work(void *arg)
{
	char client[32], path[64];

	for (unsigned i = 0; i < ROUNDS; i++) {
		/* Some of one address, some of one network. */
		snprintf(client, sizeof client, "203.0.113.%u", i % 5);
		mxw_session_t *s = begin(client);
		snprintf(path, sizeof path, "<x%u@example.net>", i);
		rcpt(s, path);
		rcpt(s, "<anna@example.net>");
		rcpt(s, "<seller@example.net>");
		if (i % 2)
			end(s);
		mxw__track_report(engine, client, MXW__EVENT_SPAM, 1, NULL);
		mxw_session_free(s);
	}
	return NULL;
}

START_TEST(threads_share_it)
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < 10; i++)
		reload(i % 2 ? "keys network user" : "half-life 2h");
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_double_gt(score("203.0.113.0/24"), 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("track");
	TCase *tc = tcase_create("track");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_report_goes_on_the_key_and_its_networks);
	tcase_add_loop_test(tc, what_can_not_be_reported, 0, MXW_ARRAY_LEN(bad_reports));
	tcase_add_test(tc, a_trap_by_the_word_of_a_directory_takes_mail_and_earns_nothing_good);
	tcase_add_test(tc, a_session_may_end_anywhere);
	tcase_add_test(tc, a_backup_knows_who_was_at_the_primary_by_what_the_hosts_share);
	tcase_add_test(tc, threads_share_it);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
