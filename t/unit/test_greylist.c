/* SPDX-License-Identifier: BSD-2-Clause */
/* The greylist by itself, and what sessions make of it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "src/session/engine.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/suite.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static struct fake_clock fake;

/* ---- the memory ---- */

static mxw__greylist_t *list;

static struct mxw__greylist_options options(size_t max_entries)
{
	return (struct mxw__greylist_options){max_entries, 5 * MINUTE, 2 * DAY, 35 * DAY, 3 * DAY, 1, &fake.clock};
}

static mxw__greylist_t *new_list(size_t max_entries)
{
	struct mxw__greylist_options o = options(max_entries);
	mxw__greylist_t *made;

	ck_assert_int_eq(mxw__greylist_new(&o, &made), MXW_OK);
	return made;
}

static void list_setup(void)
{
	fake_clock_init(&fake);
	list = new_list(10000);
}

static void list_teardown(void)
{
	mxw__greylist_free(list);
}

static struct mxw__greylist_attempt attempt(const char *identity, const char *sender, const char *rcpt)
{
	struct mxw__greylist_attempt a;

	mxw__greylist_attempt_make(identity, sender, rcpt, &a);
	return a;
}

static const char *look(mxw__greylist_t *in, const struct mxw__greylist_attempt *a)
{
	return mxw__greylist_answer_name(mxw__greylist_look(in, a, mxw__now_ms(&fake.clock)));
}

static void put_off(const struct mxw__greylist_attempt *a)
{
	mxw__greylist_put_off(list, a, mxw__now_ms(&fake.clock));
}

static void taken(const struct mxw__greylist_attempt *a)
{
	mxw__greylist_taken(list, a, mxw__now_ms(&fake.clock));
}

START_TEST(who_comes_again_after_the_delay_has_passed_and_is_known_when_the_message_was_taken)
{
	struct mxw__greylist_attempt a = attempt("domain:x.example", "a@x.example", "anna@example.net");
	struct mxw__greylist_attempt other = attempt("domain:x.example", "b@x.example", "otto@example.net");

	ck_assert_str_eq(look(list, &a), "new");
	put_off(&a);
	fake_clock_advance(&fake, 5 * MINUTE - 1);
	ck_assert_str_eq(look(list, &a), "waiting");
	put_off(&a);
	fake_clock_advance(&fake, 1);
	ck_assert_str_eq(look(list, &a), "passed");
	ck_assert_str_eq(look(list, &other), "new");
	taken(&a);
	ck_assert_str_eq(look(list, &other), "known");
}
END_TEST

START_TEST(an_attempt_may_have_a_delay_of_its_own)
{
	struct mxw__greylist_attempt a = attempt("address:192.0.2.1", "a@x.example", "anna@example.net");

	a.delay_ms = HOUR;
	put_off(&a);
	fake_clock_advance(&fake, 6 * MINUTE);
	ck_assert_str_eq(look(list, &a), "waiting");
	/* Taken for another reason meanwhile: it has not passed by that. */
	taken(&a);
	ck_assert_str_eq(look(list, &a), "waiting");
	fake_clock_advance(&fake, 54 * MINUTE);
	ck_assert_str_eq(look(list, &a), "passed");
	taken(&a);
	ck_assert_str_eq(look(list, &a), "known");
	ck_assert(mxw__greylist_has_waited(list, &a, mxw__now_ms(&fake.clock)));
	/* Known, but another attempt of it has not waited; nor is it old. */
	struct mxw__greylist_attempt other = attempt("address:192.0.2.1", "b@x.example", "anna@example.net");
	ck_assert_str_eq(look(list, &other), "known");
	ck_assert(!mxw__greylist_has_waited(list, &other, mxw__now_ms(&fake.clock)));
	ck_assert(!mxw__greylist_is_old(list, &other, mxw__now_ms(&fake.clock)));
	fake_clock_advance(&fake, 3 * DAY);
	ck_assert(mxw__greylist_is_old(list, &other, mxw__now_ms(&fake.clock)));
}
END_TEST

START_TEST(a_mark_lasts_as_long_as_an_attempt)
{
	struct mxw__greylist_attempt a = attempt("mistaken:192.0.2.1", "", ""), b = attempt("mistaken:192.0.2.2", "", "");

	ck_assert(!mxw__greylist_has_mark(list, &a, mxw__now_ms(&fake.clock)));
	mxw__greylist_mark(list, &a, mxw__now_ms(&fake.clock));
	fake_clock_advance(&fake, 2 * DAY);
	ck_assert(mxw__greylist_has_mark(list, &a, mxw__now_ms(&fake.clock)));
	ck_assert(!mxw__greylist_has_mark(list, &b, mxw__now_ms(&fake.clock)));
	fake_clock_advance(&fake, 1);
	ck_assert(!mxw__greylist_has_mark(list, &a, mxw__now_ms(&fake.clock)));
	mxw__greylist_mark(list, &a, mxw__now_ms(&fake.clock));
	ck_assert(mxw__greylist_has_mark(list, &a, mxw__now_ms(&fake.clock)));
}
END_TEST

START_TEST(what_comes_too_late_is_new)
{
	struct mxw__greylist_attempt a = attempt("domain:x.example", "a@x.example", "anna@example.net");

	put_off(&a);
	fake_clock_advance(&fake, 2 * DAY);
	ck_assert_str_eq(look(list, &a), "passed");
	fake_clock_advance(&fake, 1);
	ck_assert_str_eq(look(list, &a), "new");
	put_off(&a);
	ck_assert_str_eq(look(list, &a), "waiting");
}
END_TEST

START_TEST(who_is_known_stays_so_for_as_long_as_he_comes)
{
	struct mxw__greylist_attempt a = attempt("domain:x.example", "a@x.example", "anna@example.net");
	struct mxw__greylist_attempt other = attempt("domain:x.example", "b@x.example", "otto@example.net");

	put_off(&a);
	fake_clock_advance(&fake, HOUR);
	taken(&a);
	for (int i = 0; i < 5; i++) {
		fake_clock_advance(&fake, 35 * DAY);
		ck_assert_str_eq(look(list, &other), "known");
		taken(&other);
	}
	fake_clock_advance(&fake, 35 * DAY + 1);
	ck_assert_str_eq(look(list, &other), "new");
}
END_TEST

START_TEST(what_has_not_been_put_off_before_makes_nobody_known_at_once)
{
	struct mxw__greylist_attempt a = attempt("domain:x.example", "a@x.example", "anna@example.net");

	taken(&a);
	ck_assert_str_eq(look(list, &a), "new");
	put_off(&a);
	taken(&a);
	ck_assert_str_eq(look(list, &a), "waiting");
}
END_TEST

START_TEST(whose_mail_has_been_taken_for_days_is_known)
{
	struct mxw__greylist_attempt a = attempt("domain:x.example", "a@x.example", "anna@example.net");
	struct mxw__greylist_attempt other = attempt("domain:x.example", "b@x.example", "otto@example.net");

	taken(&a);
	fake_clock_advance(&fake, 3 * DAY - 1);
	taken(&a);
	ck_assert_str_eq(look(list, &other), "new");
	fake_clock_advance(&fake, 1);
	ck_assert_str_eq(look(list, &other), "known");
	fake_clock_advance(&fake, 35 * DAY);
	ck_assert_str_eq(look(list, &other), "new");
}
END_TEST

START_TEST(so_many_different_attempts_as_auto_allow_says_must_have_passed)
{
	struct mxw__greylist_options o = options(10000);
	struct mxw__greylist_attempt a[3];

	o.auto_allow = 3;
	mxw__greylist_configure(list, &o);
	for (int i = 0; i < 3; i++) {
		char rcpt[32];
		snprintf(rcpt, sizeof rcpt, "anna%d@example.net", i);
		a[i] = attempt("network:192.0.2.0/24", "a@x.example", rcpt);
		put_off(&a[i]);
	}
	fake_clock_advance(&fake, HOUR);
	for (int i = 0; i < 10; i++)
		taken(&a[0]);
	taken(&a[1]);
	ck_assert_str_eq(look(list, &a[0]), "passed");
	taken(&a[2]);
	ck_assert_str_eq(look(list, &a[0]), "known");
}
END_TEST

static const struct {
	const char *one, *other;
	bool same;
} senders[] = {
	{"a@x.example", "A@X.EXAMPLE", true},
	{"a@x.example", "b@x.example", false},
	{"bounce-1234-anna=example.net@x.example", "bounce-98765-anna=example.net@x.example", true},
	{"bounce-1234@x1.example", "bounce-1234@x2.example", false},
	{"", "a@x.example", false},
};

START_TEST(numbers_in_a_senders_local_part_do_not_make_another_sender)
{
	struct mxw__greylist_attempt a = attempt("domain:x.example", senders[_i].one, "anna@example.net");
	struct mxw__greylist_attempt b = attempt("domain:x.example", senders[_i].other, "anna@example.net");

	ck_assert_int_eq(memcmp(&a, &b, sizeof a) == 0, senders[_i].same);
}
END_TEST

START_TEST(a_flood_of_attempts_pushes_out_attempts_and_takes_no_more_room)
{
	struct mxw__greylist_attempt known[100];
	struct mxw__greylist_stats stats;
	char text[64];

	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof text, "domain:x%d.example", i);
		known[i] = attempt(text, "a@x.example", "anna@example.net");
		put_off(&known[i]);
	}
	fake_clock_advance(&fake, HOUR);
	for (int i = 0; i < 100; i++)
		taken(&known[i]);
	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof text, "flood%dx@y.example", i);
		struct mxw__greylist_attempt a = attempt("network:192.0.2.0/24", "a@y.example", text);
		put_off(&a);
	}
	mxw__greylist_get_stats(list, &stats);
	ck_assert_uint_le(stats.entries, stats.max_entries);
	ck_assert_uint_le(stats.max_entries, 10000);
	ck_assert_uint_le(stats.bytes, (size_t)10000 * 40 + 16384);
	ck_assert_uint_gt(stats.evictions, 0);
	for (int i = 0; i < 100; i++)
		ck_assert_str_eq(look(list, &known[i]), "known");
}
END_TEST

/* ---- as state ---- */

/* What one has changed since, handed to the other. Returns how many records. */
static size_t hand_over(mxw__greylist_t *from, mxw__greylist_t *to, mxw__state_reader_t reader)
{
	struct mxw__state_record records[16];
	size_t n, all = 0;

	while ((n = mxw__greylist_sort.take(from, reader, records, MXW_ARRAY_LEN(records))) > 0) {
		for (size_t i = 0; i < n; i++)
			mxw__greylist_sort.put(to, reader, &records[i]);
		all += n;
	}
	return all;
}

START_TEST(a_retry_to_another_host_or_after_a_restart_is_one)
{
	mxw__greylist_t *other = new_list(10000);
	struct mxw__greylist_attempt a = attempt("domain:x.example", "a@x.example", "anna@example.net");
	struct mxw__greylist_attempt b = attempt("domain:x.example", "b@x.example", "otto@example.net");
	mxw__state_reader_t reader = _i ? MXW__STATE_SHARE : MXW__STATE_DISK;

	put_off(&a);
	ck_assert_uint_eq(hand_over(list, other, reader), 1);
	ck_assert_uint_eq(hand_over(list, other, reader), 0);
	ck_assert_str_eq(look(other, &a), "waiting");
	fake_clock_advance(&fake, 5 * MINUTE);
	ck_assert_str_eq(look(other, &a), "passed");
	taken(&a);
	ck_assert_uint_eq(hand_over(list, other, reader), 2);
	ck_assert_str_eq(look(other, &b), "known");
	mxw__greylist_sort.mark_all(list, reader);
	ck_assert_uint_eq(hand_over(list, other, reader), 2);
	mxw__greylist_free(other);
}
END_TEST

START_TEST(a_wall_clock_that_was_set_back_makes_nobody_younger_than_new)
{
	mxw__greylist_t *other = new_list(10000);
	struct mxw__greylist_attempt a = attempt("domain:x.example", "a@x.example", "anna@example.net");
	struct mxw__state_record record;

	put_off(&a);
	ck_assert_uint_eq(mxw__greylist_sort.take(list, MXW__STATE_DISK, &record, 1), 1);
	atomic_fetch_sub(&fake.wall_ms, DAY);
	mxw__greylist_sort.put(other, MXW__STATE_DISK, &record);
	ck_assert_str_eq(look(other, &a), "waiting");
	fake_clock_advance(&fake, 5 * MINUTE);
	ck_assert_str_eq(look(other, &a), "passed");
	/* The clock of this process jumps: nothing that it remembers moves. */
	put_off(&a);
	atomic_fetch_add(&fake.wall_ms, 100 * DAY);
	ck_assert_str_eq(look(list, &a), "passed");
	mxw__greylist_free(other);
}
END_TEST

/* Of a host whose clock is a year behind; Redis keeps the smaller `first` for good, and gives it back after each push. */
START_TEST(a_host_with_a_wrong_clock_does_not_keep_a_sender_waiting_for_ever)
{
	struct mxw__greylist_attempt a = attempt("domain:x.example", "a@x.example", "anna@example.net");
	struct mxw__state_record record;

	put_off(&a);
	ck_assert_uint_eq(mxw__greylist_sort.take(list, MXW__STATE_SHARE, &record, 1), 1);
	record.values[0] -= 365 * DAY;
	record.values[1] -= _i * 365 * DAY;
	record.expires_ms += 10 * DAY;
	mxw__greylist_sort.put(list, MXW__STATE_SHARE, &record);
	for (int i = 0; i < 2; i++) {
		put_off(&a);
		mxw__greylist_sort.put(list, MXW__STATE_SHARE, &record);
		fake_clock_advance(&fake, 5 * MINUTE);
		mxw__greylist_sort.put(list, MXW__STATE_SHARE, &record);
	}
	ck_assert_str_eq(look(list, &a), "passed");
}
END_TEST

START_TEST(what_was_not_written_is_given_again)
{
	struct mxw__greylist_attempt a = attempt("domain:x.example", "a@x.example", "anna@example.net");
	struct mxw__state_record record, again;

	put_off(&a);
	ck_assert_uint_eq(mxw__greylist_sort.take(list, MXW__STATE_DISK, &record, 1), 1);
	mxw__greylist_sort.give_back(list, MXW__STATE_DISK, &record);
	ck_assert_uint_eq(mxw__greylist_sort.take(list, MXW__STATE_DISK, &again, 1), 1);
	ck_assert_str_eq(again.key, record.key);
	ck_assert_uint_eq(mxw__greylist_sort.take(list, MXW__STATE_DISK, &again, 1), 0);
}
END_TEST

static const char *const wrong_keys[] = {"", "try:", "known:zz", "try:0123456789abcdef0123456789ABCDEF",
					 "known:0123456789abcdef0123456789abcdef0"};

START_TEST(a_damaged_record_is_passed_over)
{
	struct mxw__state_record record = {.expires_ms = INT64_MAX};
	struct mxw__greylist_stats stats;

	snprintf(record.key, sizeof record.key, "%s", wrong_keys[_i]);
	mxw__greylist_sort.put(list, MXW__STATE_DISK, &record);
	mxw__greylist_sort.give_back(list, MXW__STATE_DISK, &record);
	mxw__greylist_get_stats(list, &stats);
	ck_assert_uint_eq(stats.entries, 0);
}
END_TEST

/* ---- sessions ---- */

static fake_resolver_t *resolver;
static mxw_engine_t *engine;

static void start(const char *rules)
{
	struct mxw_engine_options eo = {.size = sizeof eo};
	mxw_conf_t *conf = NULL;
	char text[2048];

	fake_clock_init(&fake);
	resolver = fake_resolver_new(&fake);
	fake_resolver_script(resolver, "pool.example TXT \"v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 -all\"\n"
				       "all.example TXT \"v=spf1 +all\"\n"
				       "slow.example TXT !delay=1500ms\n"
				       "slow.example TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"
				       "mail.pool.example TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n");
	snprintf(text, sizeof text,
		 "authserv-id mx.example.net\n"
		 "networks { internal 10.0.0.0/8\n relays 10.1.0.0/16 }\n"
		 "directory everybody {\n type file\n path \"" MXW_TESTDATA "/unit/everybody\"\n}\n"
		 "listener submission { port 587 }\n"
		 "domain example.net { recipients everybody }\n%s", rules);
	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &conf), MXW_OK);
	eo.clock = &fake.clock;
	eo.resolver = &resolver->resolver;
	ck_assert_int_eq(mxw_engine_new(conf, &eo, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
}

static void stop(void)
{
	mxw_engine_free(engine);
	mxw_resolver_unref(&resolver->resolver);
}

struct mail {
	const char *client, *sender, *rcpt, *user;
	uint16_t port;
};

/* How long the recipient of the last one took. */
static int64_t rcpt_ms;

/* "new", ... as the rule found it; "taken" if the message was; "-" for anything else. */
static const char *send(const struct mail *m)
{
	static const char *const words[] = {"new", "waiting", "passed", "known"};
	struct mxw_connect_info info = {.daemon_port = m->port};
	const struct mxw_edit *edits;
	struct mxw_verdict rcpt, v;
	int64_t began = mxw__now_ms(&fake.clock);
	mxw_session_t *s;
	size_t n;

	ck_assert_int_eq(mxw_ip_parse(m->client, &info.client), MXW_OK);
	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, "mail.pool.example", &v);
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = m->sender, .auth_user = m->user}, &v);
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = m->rcpt ? m->rcpt : "<anna@example.net>"}, &rcpt);
	rcpt_ms = mxw__now_ms(&fake.clock) - began;
	if (rcpt.action == MXW_ACTION_CONTINUE) {
		mxw_session_header(s, "From", " a@nobody.example");
		mxw_session_end_of_headers(s);
		mxw_session_eom(s, &v, &edits, &n);
	}
	mxw_session_free(s);
	for (size_t i = 0; i < MXW_ARRAY_LEN(words); i++)
		if (rcpt.action != MXW_ACTION_CONTINUE && strstr(rcpt.text, words[i]))
			return words[i];
	return rcpt.action == MXW_ACTION_CONTINUE && v.action == MXW_ACTION_CONTINUE ? "taken" : "-";
}

#define PUT_OFF "rule grey { when greylist in new waiting\n defer \"451 4.7.1 {greylist} {greylist.identity}\" }\n"

START_TEST(a_pool_for_which_SPF_passes_is_one_and_then_known)
{
	start(PUT_OFF);
	ck_assert_str_eq(send(&(struct mail){"192.0.2.1", "<a@pool.example>", NULL, NULL, 0}), "new");
	ck_assert_str_eq(send(&(struct mail){"198.51.100.9", "<a@pool.example>", NULL, NULL, 0}), "waiting");
	fake_clock_advance(&fake, 10 * MINUTE);
	ck_assert_str_eq(send(&(struct mail){"198.51.100.9", "<a@pool.example>", NULL, NULL, 0}), "taken");
	ck_assert_str_eq(send(&(struct mail){"192.0.2.77", "<b@pool.example>", "<otto@example.net>", NULL, 0}), "taken");
	/* Neighbours who are somebody else are not known by that. */
	ck_assert_str_eq(send(&(struct mail){"198.51.100.9", "<a@y.example>", NULL, NULL, 0}), "new");
	stop();
}
END_TEST

START_TEST(where_SPF_does_not_pass_the_network_is_who_it_is)
{
	const char *sender = _i ? "<a@all.example>" : "<a@none.example>";

	start(PUT_OFF);
	ck_assert_str_eq(send(&(struct mail){"192.0.2.1", sender, NULL, NULL, 0}), "new");
	ck_assert_str_eq(send(&(struct mail){"198.51.100.9", sender, NULL, NULL, 0}), "new");
	fake_clock_advance(&fake, 10 * MINUTE);
	ck_assert_str_eq(send(&(struct mail){"203.0.113.1", sender, NULL, NULL, 0}), "new");
	ck_assert_str_eq(send(&(struct mail){"192.0.2.200", sender, NULL, NULL, 0}), "taken");
	stop();
}
END_TEST

START_TEST(a_null_sender_is_the_HELO_name_that_passes)
{
	start(PUT_OFF);
	ck_assert_str_eq(send(&(struct mail){"192.0.2.1", "<>", NULL, NULL, 0}), "new");
	fake_clock_advance(&fake, 10 * MINUTE);
	ck_assert_str_eq(send(&(struct mail){"192.0.2.2", "<>", NULL, NULL, 0}), "taken");
	stop();
}
END_TEST

START_TEST(a_recipient_that_does_not_exist_is_put_off_like_any_other_first)
{
	struct mail unknown = {"192.0.2.1", "<a@pool.example>", "<nobody@example.net>", NULL, 0};

	start(PUT_OFF "rule nobody { when rcpt.address = nobody@example.net\n reject \"550 5.1.1 no\" }\n");
	ck_assert_str_eq(send(&unknown), "new");
	fake_clock_advance(&fake, 10 * MINUTE);
	ck_assert_str_eq(send(&unknown), "-");
	/* And by being refused nobody becomes known. */
	ck_assert_str_eq(send(&(struct mail){"192.0.2.1", "<a@pool.example>", NULL, NULL, 0}), "new");
	stop();
}
END_TEST

static const struct mail exempt[] = {
	{"10.0.0.1", "<a@y.example>", NULL, NULL, 0},     /* inside */
	{"10.1.0.1", "<a@y.example>", NULL, NULL, 0},     /* a relay */
	{"192.0.2.1", "<a@y.example>", NULL, "anna", 0},  /* authenticated */
	{"192.0.2.1", "<a@y.example>", NULL, NULL, 587},  /* where users log in */
};

START_TEST(our_own_people_are_not_greylisted)
{
	start(PUT_OFF);
	ck_assert_str_eq(send(&exempt[_i]), "taken");
	stop();
}
END_TEST

START_TEST(where_no_rule_hangs_on_it_SPF_is_not_waited_for)
{
	struct mail m = {"192.0.2.1", "<a@slow.example>", NULL, NULL, 0};

	start("rule grey { when greylist in new waiting and client.score >= 50\n defer \"451 4.7.1 {greylist}\" }\n");
	ck_assert_str_eq(send(&m), "taken");
	ck_assert_int_eq(rcpt_ms, 0);
	stop();
	start(PUT_OFF);
	ck_assert_str_eq(send(&m), "new");
	ck_assert_int_eq(rcpt_ms, 1500);
	stop();
}
END_TEST

static void add_list(Suite *suite)
{
	TCase *tc = tcase_create("memory");

	tcase_add_checked_fixture(tc, list_setup, list_teardown);
	tcase_add_test(tc, who_comes_again_after_the_delay_has_passed_and_is_known_when_the_message_was_taken);
	tcase_add_test(tc, an_attempt_may_have_a_delay_of_its_own);
	tcase_add_test(tc, a_mark_lasts_as_long_as_an_attempt);
	tcase_add_test(tc, what_comes_too_late_is_new);
	tcase_add_test(tc, who_is_known_stays_so_for_as_long_as_he_comes);
	tcase_add_test(tc, what_has_not_been_put_off_before_makes_nobody_known_at_once);
	tcase_add_test(tc, whose_mail_has_been_taken_for_days_is_known);
	tcase_add_test(tc, so_many_different_attempts_as_auto_allow_says_must_have_passed);
	tcase_add_loop_test(tc, numbers_in_a_senders_local_part_do_not_make_another_sender, 0, MXW_ARRAY_LEN(senders));
	tcase_add_test(tc, a_flood_of_attempts_pushes_out_attempts_and_takes_no_more_room);
	tcase_add_loop_test(tc, a_retry_to_another_host_or_after_a_restart_is_one, 0, 2);
	tcase_add_test(tc, a_wall_clock_that_was_set_back_makes_nobody_younger_than_new);
	tcase_add_test(tc, what_was_not_written_is_given_again);
	tcase_add_loop_test(tc, a_host_with_a_wrong_clock_does_not_keep_a_sender_waiting_for_ever, 0, 2);
	tcase_add_loop_test(tc, a_damaged_record_is_passed_over, 0, MXW_ARRAY_LEN(wrong_keys));
	suite_add_tcase(suite, tc);
}

int main(void)
{
	Suite *suite = suite_create("greylist");
	TCase *tc = tcase_create("sessions");

	add_list(suite);
	tcase_add_test(tc, a_pool_for_which_SPF_passes_is_one_and_then_known);
	tcase_add_loop_test(tc, where_SPF_does_not_pass_the_network_is_who_it_is, 0, 2);
	tcase_add_test(tc, a_null_sender_is_the_HELO_name_that_passes);
	tcase_add_test(tc, a_recipient_that_does_not_exist_is_put_off_like_any_other_first);
	tcase_add_loop_test(tc, our_own_people_are_not_greylisted, 0, MXW_ARRAY_LEN(exempt));
	tcase_add_test(tc, where_no_rule_hangs_on_it_SPF_is_not_waited_for);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
