/* SPDX-License-Identifier: BSD-2-Clause */
/* What clients guess, as all hosts know it together and over restarts, by real engines. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

enum { HOSTS = 3, FLUSH_MS = 60000, WINDOW = 3600000, QUARTER = WINDOW / 4 };

static struct fake_clock fake;
static fake_resolver_t *resolver;
static struct scratch scratch;
static struct redisd redisd; /* with a port: there is one */
static mxw_engine_t *hosts[HOSTS];

/* There are friend1 to friend40 and anna. */
static char *people;

static void fill_people(void)
{
	char text[4000] = "anna@example.net\n";

	for (unsigned i = 1; i <= 40; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "friend%u@example.net\n", i);
	people = scratch_path(&scratch, "people");
	scratch_write(people, text, strlen(text));
}

static mxw_engine_t *start(const char *dir, const char *more)
{
	char text[1000];

	struct mxw_engine_options options = {.size = sizeof options, .clock = &fake.clock, .resolver = &resolver->resolver, .state_dir = dir};
	mxw_engine_t *engine = NULL;
	mxw_conf_t *conf = NULL;

	snprintf(text, sizeof text, "authserv-id mx.example.net\ndirectory people {\ntype file\npath \"%s\"\n}\n"
		 "domain example.net { recipients people }\n%s", people, more);
	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &conf), MXW_OK);
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
	return engine;
}

static void setup(void)
{
	fake_clock_init(&fake);
	resolver = fake_resolver_new(&fake);
	scratch_init(&scratch);
	fill_people();
	redisd = (struct redisd){0};
	memset(hosts, 0, sizeof hosts);
}

static void teardown(void)
{
	for (size_t h = 0; h < HOSTS; h++)
		mxw_engine_free(hosts[h]);
	if (redisd.port)
		redisd_fini(&redisd);
	mxw_resolver_unref(&resolver->resolver);
	free(people);
	scratch_fini(&scratch);
}

/* What a busy Redis may take is not what the tests are about: who loses the connection to it tells all that he knows when it is back. */
#define PATIENT "timeout 10s\nconnect-timeout 10s\n"

static void tell(mxw_engine_t *engine)
{
	ck_assert(mxw__share_flush(engine->share, FLUSH_MS));
}

/* They tell each other when it is said to them, and not before: the round that begins as soon as one is connected is over. */
static mxw_engine_t *start_host(void)
{
	char conf[200];

	snprintf(conf, sizeof conf, "redis { servers %s\n" PATIENT "push-interval 1m }\n", redisd.server);
	mxw_engine_t *engine = start(NULL, conf);
	tell(engine);
	return engine;
}

static void start_hosts(size_t n)
{
	redisd_init(&redisd);
	for (size_t h = 0; h < n; h++)
		hosts[h] = start_host();
}

static struct mxw_ip ip(const char *text)
{
	struct mxw_ip addr;

	ck_assert_int_eq(mxw_ip_parse(text, &addr), MXW_OK);
	return addr;
}

static mxw_session_t *meet(mxw_engine_t *engine, const char *client)
{
	struct mxw_connect_info info = {.client = ip(client)};
	struct mxw_verdict v;
	mxw_session_t *s;

	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	mxw_session_connect(s, &info, &v);
	return s;
}

static void try_many(mxw_session_t *s, const char *name, unsigned first, unsigned last)
{
	struct mxw_verdict v;
	char rcpt[64];

	for (unsigned i = first; i <= last; i++) {
		snprintf(rcpt, sizeof rcpt, "<%s%u@example.net>", name, i);
		mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = rcpt}, &v);
	}
}

static mxw_session_t *begin(mxw_engine_t *engine, const char *client)
{
	struct mxw_verdict v;

	mxw_session_t *s = meet(engine, client);
	mxw_session_helo(s, "bot.example", &v);
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = "<a@bot.example>"}, &v);
	return s;
}

/* Names number `first` to `last` are tried, and nothing is sent. */
static void guess(mxw_engine_t *engine, const char *client, unsigned first, unsigned last)
{
	mxw_session_t *s = begin(engine, client);

	try_many(s, "guess", first, last);
	mxw_session_free(s);
}

/* A message to all who exist, and to some who do not. */
static void send_to_all(mxw_engine_t *engine, const char *client, unsigned first_dead, unsigned last_dead)
{
	const struct mxw_edit *edits;
	struct mxw_verdict v;
	size_t nedits;

	mxw_session_t *s = begin(engine, client);
	try_many(s, "friend", 1, 40);
	try_many(s, "guess", first_dead, last_dead);
	mxw_session_header(s, "From", " a@bot.example");
	mxw_session_end_of_headers(s);
	mxw_session_eom(s, &v, &edits, &nedits);
	ck_assert_int_eq(v.action, MXW_ACTION_CONTINUE);
	mxw_session_free(s);
}

static struct mxw__harvest_counts counts(mxw_engine_t *engine, const char *client)
{
	struct mxw__harvest_counts c;
	struct mxw_ip addr = ip(client);

	mxw__track_guesses(engine, &addr, WINDOW, &c);
	return c;
}

static bool is_put_off(mxw_engine_t *engine, const char *client, const char *rule)
{
	struct mxw_verdict v;

	mxw_session_t *s = begin(engine, client);
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = "<anna@example.net>"}, &v);
	mxw_session_free(s);
	return v.action == MXW_ACTION_DEFER && v.rule && strstr(v.rule, rule);
}

/* The client comes to that host again, which asks, until it knows of so many guesses of it and its network. */
static void await(mxw_engine_t *engine, const char *client, uint64_t own, uint64_t network)
{
	struct mxw__harvest_counts c = {0};

	for (int i = 0; i < 2000; i++) {
		mxw_session_free(meet(engine, client));
		c = counts(engine, client);
		if (c.client >= own && c.network >= network)
			return;
		/* What was just asked for is not asked for again. */
		fake_clock_advance(&fake, 1000);
		usleep(10000);
		atomic_fetch_sub(&fake.wall_ms, 1000);
	}
	ck_abort_msg("%s: %u guesses of it are known, %u of its network", client, (unsigned)c.client, (unsigned)c.network);
}

/* ---- restarts ---- */

/* Nothing is stopped in good order: there is what was on disk by then. */
static void copy_disk(const char *from, char ret_to[128])
{
	char copy[400];

	snprintf(ret_to, 128, "%s/copy", scratch.dir);
	snprintf(copy, sizeof copy, "cp -r %s %s", from, ret_to);
	ck_assert_int_eq(system(copy), 0);
}

static const char *const clients[][2] = {{"192.0.2.1", "192.0.2.200"}, {"2001:db8:1:2::1", "2001:db8:1:ffff::1"}};

START_TEST(guesses_are_remembered_when_the_machine_stops_at_once)
{
	const char *client = clients[_i][0], *neighbour = clients[_i][1];
	char dir[100], copy[128];

	snprintf(dir, sizeof dir, "%s/a", scratch.dir);
	ck_assert_int_eq(system(strcat(strcpy(copy, "mkdir "), dir)), 0);
	hosts[0] = start(dir, "");
	guess(hosts[0], client, 1, 6);
	struct mxw__harvest_counts before = counts(hosts[0], client);
	ck_assert_uint_eq(before.client, 6);
	ck_assert_uint_eq(before.network, 4);
	ck_assert(mxw__store_flush(hosts[0]->store, FLUSH_MS));
	copy_disk(dir, copy);
	hosts[1] = start(copy, "");
	for (int i = 0; i < 2000 && !mxw__store_has_loaded(hosts[1]->store); i++)
		usleep(10000);
	struct mxw__harvest_counts after = counts(hosts[1], client);
	ck_assert_uint_ge(after.client, 5);
	ck_assert_uint_le(after.client, 6);
	ck_assert_uint_ge(after.network, 3);
	ck_assert_uint_le(after.network, 4);
	ck_assert_uint_eq(counts(hosts[1], neighbour).client, 0);
	ck_assert_uint_eq(counts(hosts[1], neighbour).network, after.network);
	ck_assert(is_put_off(hosts[1], client, "harvester-defer"));
	ck_assert(!is_put_off(hosts[1], neighbour, "harvester"));
	/* What it tries again is no other one; of whether anna exists it was told nothing. */
	guess(hosts[1], client, 1, 6);
	ck_assert_uint_eq(counts(hosts[1], client).client, 7);
	ck_assert_uint_le(counts(hosts[1], client).network, 4);
	fake_clock_advance(&fake, WINDOW + QUARTER);
	ck_assert_uint_eq(counts(hosts[1], client).client, 0);
	ck_assert_uint_eq(counts(hosts[1], client).network, 0);
}
END_TEST

/* ---- several hosts ---- */

START_TEST(what_is_guessed_at_one_host_counts_at_the_other)
{
	const char *client = clients[_i][0], *neighbour = clients[_i][1];

	start_hosts(2);
	guess(hosts[0], client, 1, 3);
	guess(hosts[1], client, 3, 6);
	ck_assert_uint_eq(counts(hosts[1], client).client, 4);
	tell(hosts[0]);
	tell(hosts[1]);
	for (size_t h = 0; h < 2; h++) {
		await(hosts[h], client, 5, 3);
		ck_assert_uint_le(counts(hosts[h], client).client, 6);
		ck_assert_uint_le(counts(hosts[h], client).network, 4);
		ck_assert(is_put_off(hosts[h], client, "harvester-defer"));
		ck_assert(!is_put_off(hosts[h], neighbour, "harvester"));
	}
	/* One that has never seen it asks. */
	hosts[2] = start_host();
	await(hosts[2], client, 5, 3);
	ck_assert(is_put_off(hosts[2], client, "harvester-defer"));
}
END_TEST

/* It guesses a little at each host; most of what it sends has somebody to get it, only not at the host where it comes last. */
START_TEST(an_honest_server_with_an_old_list_is_put_off_at_no_host)
{
	start_hosts(2);
	send_to_all(hosts[0], "192.0.2.1", 1, 6);
	tell(hosts[0]);
	await(hosts[1], "192.0.2.1", 5, 3);
	ck_assert(!is_put_off(hosts[1], "192.0.2.1", ""));
	guess(hosts[1], "192.0.2.1", 7, 7);
	ck_assert(!is_put_off(hosts[1], "192.0.2.1", ""));
	ck_assert(!is_put_off(hosts[1], "192.0.2.2", ""));
	tell(hosts[1]);
	await(hosts[0], "192.0.2.1", 6, 3);
	ck_assert(!is_put_off(hosts[0], "192.0.2.1", ""));
}
END_TEST

/* At all hosts at one time, before any of them has heard of another. */
START_TEST(one_client_at_all_hosts_does_not_make_its_neighbours_suspect)
{
	const char *client = clients[_i][0], *neighbour = clients[_i][1];

	start_hosts(HOSTS);
	for (size_t h = 0; h < HOSTS; h++)
		guess(hosts[h], client, 1 + 10 * (unsigned)h, 10 + 10 * (unsigned)h);
	for (size_t h = 0; h < HOSTS; h++)
		tell(hosts[h]);
	for (size_t h = 0; h < HOSTS; h++) {
		await(hosts[h], client, 24, 3);
		ck_assert_uint_le(counts(hosts[h], client).client, 30);
		ck_assert_uint_le(counts(hosts[h], neighbour).network, 4);
		ck_assert(!is_put_off(hosts[h], neighbour, "harvester"));
	}
	/* Nor when it goes on. */
	for (unsigned quarter = 0; quarter < 6; quarter++) {
		fake_clock_advance(&fake, QUARTER);
		for (size_t h = 0; h < HOSTS; h++) {
			guess(hosts[h], client, 100 + quarter * 10 + (unsigned)h, 100 + quarter * 10 + (unsigned)h);
			tell(hosts[h]);
			await(hosts[h], client, 3, 3);
			ck_assert_uint_le(counts(hosts[h], neighbour).network, 4);
		}
	}
}
END_TEST

START_TEST(a_network_of_many_who_guess_little_is_seen_whatever_hosts_they_go_to)
{
	char client[40];

	start_hosts(2);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(client, sizeof client, "192.0.2.%u", i);
		guess(hosts[i % 2], client, i, i);
	}
	tell(hosts[0]);
	tell(hosts[1]);
	for (size_t h = 0; h < 2; h++) {
		await(hosts[h], "192.0.2.77", 0, 8);
		ck_assert_uint_le(counts(hosts[h], "192.0.2.77").network, 10);
		ck_assert_uint_eq(counts(hosts[h], "192.0.2.77").client, 0);
		ck_assert(is_put_off(hosts[h], "192.0.2.77", "harvester-network-defer"));
	}
}
END_TEST

/* A provider's hosts, each of which brings the same dead address, at any of ours. */
START_TEST(one_dead_address_tried_by_many_neighbours_counts_once)
{
	char client[40];

	start_hosts(2);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(client, sizeof client, "192.0.2.%u", i);
		guess(hosts[i % 2], client, 1, 1);
	}
	tell(hosts[0]);
	tell(hosts[1]);
	for (size_t h = 0; h < 2; h++) {
		await(hosts[h], "192.0.2.1", 1, 1);
		await(hosts[h], "192.0.2.2", 1, 1);
		ck_assert_uint_eq(counts(hosts[h], "192.0.2.1").network, 1);
	}
}
END_TEST

/* Where it is forgiven nobody need have seen it. */
START_TEST(what_is_forgiven_at_one_host_is_forgiven_at_all)
{
	const char *key = _i ? "192.0.2.0/24" : "192.0.2.1";

	start_hosts(HOSTS);
	guess(hosts[0], "192.0.2.1", 1, 6);
	guess(hosts[1], "192.0.2.1", 7, 9);
	tell(hosts[0]);
	tell(hosts[1]);
	await(hosts[1], "192.0.2.1", 8, 3);
	mxw_status_t status = mxw_track_forgive(hosts[1], key, NULL);
	ck_assert_int_eq(status, MXW_OK);
	ck_assert_uint_eq(_i ? counts(hosts[1], "192.0.2.1").network : counts(hosts[1], "192.0.2.1").client, 0);
	tell(hosts[1]);
	uint64_t left = 1;
	for (int i = 0; i < 2000 && left; i++) {
		mxw_session_free(meet(hosts[0], "192.0.2.1"));
		struct mxw__harvest_counts c = counts(hosts[0], "192.0.2.1");
		left = _i ? c.network : c.client;
		fake_clock_advance(&fake, 1000);
		atomic_fetch_sub(&fake.wall_ms, 1000);
		usleep(10000);
	}
	ck_assert_uint_eq(left, 0);
	/* And it begins anew, also for who had never heard of it. */
	guess(hosts[0], "192.0.2.1", 20, 21);
	tell(hosts[0]);
	await(hosts[2], "192.0.2.1", 1, 1);
	ck_assert_uint_le(_i ? counts(hosts[2], "192.0.2.1").network : counts(hosts[2], "192.0.2.1").client, 4);
}
END_TEST

START_TEST(a_host_that_knows_nothing_of_it_can_forgive_it)
{
	start_hosts(2);
	guess(hosts[0], "192.0.2.1", 1, 6);
	tell(hosts[0]);
	mxw_track_forgive(hosts[1], "192.0.2.1", NULL);
	tell(hosts[1]);
	for (int i = 0; i < 2000 && counts(hosts[0], "192.0.2.1").client; i++) {
		mxw_session_free(meet(hosts[0], "192.0.2.1"));
		fake_clock_advance(&fake, 1000);
		atomic_fetch_sub(&fake.wall_ms, 1000);
		usleep(10000);
	}
	ck_assert_uint_eq(counts(hosts[0], "192.0.2.1").client, 0);
}
END_TEST

START_TEST(what_redis_has_of_guesses_expires)
{
	start_hosts(1);
	guess(hosts[0], "192.0.2.1", 1, 2);
	tell(hosts[0]);
	char *keys = REDISD_ASK(&redisd, "KEYS", "mxward:guessed:*");
	unsigned n = 0;
	char *at = keys, *end;
	for (; *at && (end = strchr(at, '\n')); at = end + 1, n++) {
		*end = '\0';
		char *ttl = REDISD_ASK(&redisd, "PTTL", at);
		ck_assert_msg(atoll(ttl) > 0 && atoll(ttl) <= WINDOW, "%s expires in %s", at, ttl);
		free(ttl);
	}
	ck_assert_uint_eq(n, 3);
	free(keys);
	char *found = REDISD_ASK(&redisd, "EXISTS", "mxward:guessed:g:900:1963584:192.0.2.1", "mxward:guessed:g:900:1963584:192.0.2.0/24",
				 "mxward:guessed:p:900:1963584:192.0.2.0/24");
	ck_assert_str_eq(found, "3");
	free(found);
}
END_TEST

/* ---- floods ---- */

START_TEST(a_flood_of_addresses_pushes_out_neither_those_who_guess_nor_accounts)
{
	struct mxw__key anna = mxw__key_of_name(MXW__KEY_USER, "anna");
	static struct mxw__state_record records[64];
	char rcpt[40];

	hosts[0] = start(NULL, "");
	mxw__unions_t *accounts = hosts[0]->outbound->all;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(rcpt, sizeof rcpt, "to%u@far.example", i);
		mxw__unions_add(accounts, &anna, 'r', rcpt, 86400000);
	}
	uint64_t sent = mxw__unions_count(accounts, &anna, 'r', 86400000);
	ck_assert_uint_ge(sent, 18);
	guess(hosts[0], "192.0.2.1", 1, 6);
	for (unsigned i = 0; i < 1000000; i++) {
		struct mxw_ip addr = {.family = 4, .bytes = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
		mxw__guessed_add(hosts[0]->guessed, &addr, "dead@example.net", 1, WINDOW);
	}
	struct mxw__harvest_counts c = {0};
	struct mxw_ip addr = ip("192.0.2.1");
	mxw__guessed_raise(hosts[0]->guessed, &addr, WINDOW, &c);
	ck_assert_uint_ge(c.client, 5);
	ck_assert_uint_ge(c.network, 3);
	ck_assert_uint_eq(mxw__unions_count(accounts, &anna, 'r', 86400000), sent);
	/* So many as the settings say, four for each of the 20000. */
	struct mxw__state state = mxw__guessed_state(hosts[0]->guessed);
	size_t n, all = 0;
	do {
		n = state.sort->take(state.store, MXW__STATE_DISK, records, MXW_ARRAY_LEN(records));
		all += n;
	} while (n == MXW_ARRAY_LEN(records));
	ck_assert_uint_le(all, 80000);
	ck_assert_uint_gt(all, 60000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("guesses");
	TCase *tc = tcase_create("guesses");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, guesses_are_remembered_when_the_machine_stops_at_once, 0, MXW_ARRAY_LEN(clients));
	tcase_add_loop_test(tc, what_is_guessed_at_one_host_counts_at_the_other, 0, MXW_ARRAY_LEN(clients));
	tcase_add_test(tc, an_honest_server_with_an_old_list_is_put_off_at_no_host);
	tcase_add_loop_test(tc, one_client_at_all_hosts_does_not_make_its_neighbours_suspect, 0, MXW_ARRAY_LEN(clients));
	tcase_add_test(tc, a_network_of_many_who_guess_little_is_seen_whatever_hosts_they_go_to);
	tcase_add_test(tc, one_dead_address_tried_by_many_neighbours_counts_once);
	tcase_add_loop_test(tc, what_is_forgiven_at_one_host_is_forgiven_at_all, 0, 2);
	tcase_add_test(tc, a_host_that_knows_nothing_of_it_can_forgive_it);
	tcase_add_test(tc, what_redis_has_of_guesses_expires);
	tcase_add_test(tc, a_flood_of_addresses_pushes_out_neither_those_who_guess_nor_accounts);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
