/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the daemon that are pure functions, or nearly so. */
#include "config.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/un.h>
#include <sysexits.h>

#include <libmilter/mfapi.h>

#include "milter/gate.h"
#include "milter/listener.h"
#include "milter/negotiate.h"
#include "milter/reply.h"
#include "t/fakes/suite.h"

#define ALL_ACTIONS 0x1ffUL
#define ALL_STEPS 0x1fffffUL
#define NO_MESSAGE (SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY)

static const struct {
	const char *name;
	struct mxw_needs needs;
	struct mwd_terms offered;
	unsigned long actions, set, clear; /* steps that must be asked for, and must not */
} terms[] = {
	{"everything",
	 {.helo = 1, .mail = 1, .rcpt = 1, .data = 1, .unknown = 1, .header = 1, .body = 1, .rejected_rcpt = 1,
	  .edits_headers = 1, .replies_connect = 1, .replies_helo = 1, .replies_header = 1},
	 {ALL_ACTIONS, ALL_STEPS},
	 SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST,
	 SMFIP_SKIP | SMFIP_RCPT_REJ | SMFIP_HDR_LEADSPC | SMFIP_NR_EOH,
	 NO_MESSAGE | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_NOCONNECT |
		 SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA | SMFIP_NR_HDR |
		 SMFIP_NR_BODY},
	{"nothing", {.helo = 0}, {ALL_ACTIONS, ALL_STEPS}, SMFIF_SETSYMLIST,
	 NO_MESSAGE | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_NR_CONN,
	 SMFIP_NOCONNECT | SMFIP_SKIP | SMFIP_RCPT_REJ},
	{"header without body", {.mail = 1, .rcpt = 1, .header = 1}, {ALL_ACTIONS, ALL_STEPS}, SMFIF_SETSYMLIST,
	 SMFIP_NOBODY | SMFIP_NR_HDR | SMFIP_NR_EOH, SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_SKIP},
	{"what changes the envelope", {.quarantines = 1, .changes_sender = 1}, {ALL_ACTIONS, ALL_STEPS},
	 SMFIF_SETSYMLIST | SMFIF_QUARANTINE | SMFIF_CHGFROM, 0, 0},
	{"recipients are added and deleted", {.changes_rcpts = 1}, {ALL_ACTIONS & ~SMFIF_CHGFROM, ALL_STEPS},
	 SMFIF_SETSYMLIST | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT, 0, 0},
	{"without parameters", {.changes_rcpts = 1}, {ALL_ACTIONS & ~SMFIF_ADDRCPT_PAR, ALL_STEPS},
	 SMFIF_SETSYMLIST | SMFIF_ADDRCPT | SMFIF_DELRCPT, 0, 0},
	{"half of the edits is none", {.edits_headers = 1}, {SMFIF_ADDHDRS, ALL_STEPS}, 0, 0, 0},
	{"an old MTA", {.body = 1, .rejected_rcpt = 1, .edits_headers = 1}, {0xf, 0x3f}, 0,
	 SMFIP_NOHELO | SMFIP_NOHDRS, SMFIP_SKIP | SMFIP_RCPT_REJ | SMFIP_HDR_LEADSPC | SMFIP_NODATA},
};

START_TEST(no_more_is_asked_for_than_is_needed_and_offered)
{
	struct mwd_terms got = mwd_negotiate(&terms[_i].needs, &terms[_i].offered);

	ck_assert_msg(got.actions == terms[_i].actions, "%s: actions %lx", terms[_i].name, got.actions);
	ck_assert_msg((got.steps & terms[_i].set) == terms[_i].set, "%s: steps %lx", terms[_i].name, got.steps);
	ck_assert_msg((got.steps & terms[_i].clear) == 0, "%s: steps %lx", terms[_i].name, got.steps);
	ck_assert_msg((got.steps & ~terms[_i].offered.steps) == 0, "%s: steps %lx", terms[_i].name, got.steps);
}
END_TEST

START_TEST(needs_differ_in_their_bits)
{
	struct mxw_needs a = {.helo = true, .body = true}, b = {.helo = true};

	ck_assert_uint_ne(mwd_needs_bits(&a), mwd_needs_bits(&b));
	ck_assert_uint_eq(mwd_needs_bits(&b) & ~mwd_needs_bits(&a), 0);
	ck_assert_uint_ne(mwd_needs_bits(&a) & ~mwd_needs_bits(&b), 0);
}
END_TEST

static const struct {
	const char *name;
	struct mxw_verdict verdict;
	bool may_discard;
	sfsistat status;
	const char *code, *enhanced, *line;
} replies[] = {
	{"continue", {.action = MXW_ACTION_CONTINUE}, true, SMFIS_CONTINUE, "", "", ""},
	{"accept goes on, for the log line", {.action = MXW_ACTION_ACCEPT}, true, SMFIS_CONTINUE, "", "", ""},
	{"reject", {.action = MXW_ACTION_REJECT, .code = 550, .enhanced = "5.1.1", .text = "no"}, true, SMFIS_REJECT, "550",
	 "5.1.1", "no"},
	{"defer", {.action = MXW_ACTION_DEFER, .code = 451, .enhanced = "4.3.0", .text = "later"}, true, SMFIS_TEMPFAIL,
	 "451", "4.3.0", "later"},
	{"disconnect", {.action = MXW_ACTION_DISCONNECT, .code = 421, .enhanced = "4.7.0", .text = "bye"}, false,
	 SMFIS_TEMPFAIL, "421", "4.7.0", "bye"},
	{"percent", {.action = MXW_ACTION_REJECT, .code = 550, .text = "100% %s"}, true, SMFIS_REJECT, "550", "",
	 "100%% %%s"},
	{"the code decides", {.action = MXW_ACTION_REJECT, .code = 450, .text = "x"}, true, SMFIS_TEMPFAIL, "450", "", "x"},
	{"codes of two classes", {.action = MXW_ACTION_REJECT, .code = 550, .enhanced = "4.1.1", .text = "x"}, true,
	 SMFIS_REJECT, "550", "", "x"},
	{"no code", {.action = MXW_ACTION_REJECT, .text = "x"}, true, SMFIS_REJECT, "", "", ""},
	{"no line breaks", {.action = MXW_ACTION_REJECT, .code = 550, .text = "a\r\nb\x80"}, true, SMFIS_REJECT, "550", "",
	 "a??b?"},
	{"discard", {.action = MXW_ACTION_DISCARD}, true, SMFIS_DISCARD, "", "", ""},
	{"a message that is held is accepted", {.action = MXW_ACTION_HOLD, .text = "why"}, true, SMFIS_CONTINUE, "", "", ""},
	{"no message to discard", {.action = MXW_ACTION_DISCARD}, false, SMFIS_CONTINUE, "", "", ""},
};

START_TEST(verdicts_become_replies)
{
	struct mwd_reply reply;

	mwd_reply_prepare(&replies[_i].verdict, replies[_i].may_discard, &reply);
	ck_assert_msg(reply.status == replies[_i].status, "%s: status %d", replies[_i].name, reply.status);
	ck_assert_str_eq(reply.code, replies[_i].code);
	ck_assert_str_eq(reply.enhanced, replies[_i].enhanced);
	ck_assert_str_eq(reply.line[0], replies[_i].line);
	ck_assert_str_eq(reply.line[1], "");
}
END_TEST

START_TEST(long_replies_are_broken_at_a_blank_and_stay_within_a_line_each)
{
	struct mxw_verdict verdict = {.action = MXW_ACTION_REJECT, .code = 550};
	struct mwd_reply reply;

	memset(verdict.text, '%', sizeof verdict.text - 1);
	verdict.text[470] = ' ';
	mwd_reply_prepare(&verdict, true, &reply);
	ck_assert_uint_eq(strlen(reply.line[0]), 2 * 470);
	ck_assert_uint_eq(strlen(reply.line[1]), 2 * (sizeof verdict.text - 1 - 471));
	verdict.text[470] = 'x';
	mwd_reply_prepare(&verdict, true, &reply);
	ck_assert_uint_eq(strlen(reply.line[0]), 2 * MWD_REPLY_LINE - 1);
	ck_assert_uint_le(strlen(reply.line[0]), 980);
}
END_TEST

static const struct {
	const char *spec;
	int rc;
	int family;
	const char *path;
	int port;
} addresses[] = {
	{"unix:/run/mxward/s", 0, AF_UNIX, "/run/mxward/s", 0},
	{"local:/run/mxward/s", 0, AF_UNIX, "/run/mxward/s", 0},
	{"/run/mxward/s", 0, AF_UNIX, "/run/mxward/s", 0},
	{"inet:8891@127.0.0.1", 0, AF_INET, NULL, 8891},
	{"inet:8891@[127.0.0.1]", 0, AF_INET, NULL, 8891},
	{"inet:8891@localhost", 0, AF_INET, NULL, 8891},
	{"inet:8891", 0, AF_INET, NULL, 8891},
	{"inet6:8891@[::1]", 0, AF_INET6, NULL, 8891},
	{"inet6:8891", 0, AF_INET6, NULL, 8891},
	{"unix:", EX_CONFIG, 0, NULL, 0},
	{"inet:@127.0.0.1", EX_CONFIG, 0, NULL, 0},
	{"inet:8891@", EX_CONFIG, 0, NULL, 0},
	{"inet:8891@[]", EX_CONFIG, 0, NULL, 0},
	{"inet:8891@[not-an-address]", EX_CONFIG, 0, NULL, 0},
	{"fd:3", EX_CONFIG, 0, NULL, 0},
	{"", EX_CONFIG, 0, NULL, 0},
	{"unix:/a-path-that-is-longer-than-the-hundred-and-eight-octets-which-a-unix-socket-can-have-for-its-name-on-this-"
	 "system/sock",
	 EX_CONFIG, 0, NULL, 0},
};

START_TEST(addresses_are_read_as_libmilter_reads_them)
{
	struct mwd_address address;
	struct mwd_problem problem = {0};
	int rc = mwd_address_parse(addresses[_i].spec, &address, &problem);

	ck_assert_msg(rc == addresses[_i].rc, "%s: %d %s", addresses[_i].spec, rc, problem.text);
	if (rc != 0) {
		ck_assert_msg(strstr(problem.text, addresses[_i].spec) != NULL, "%s", problem.text);
		return;
	}
	ck_assert_int_eq(address.sa.ss_family, addresses[_i].family);
	if (addresses[_i].path)
		ck_assert_str_eq(address.path, addresses[_i].path);
	else if (address.sa.ss_family == AF_INET)
		ck_assert_int_eq(ntohs(((struct sockaddr_in *)&address.sa)->sin_port), addresses[_i].port);
	else
		ck_assert_int_eq(ntohs(((struct sockaddr_in6 *)&address.sa)->sin6_port), addresses[_i].port);
}
END_TEST

START_TEST(closed_gate_lets_nobody_in_and_those_inside_out)
{
	mwd_gate_t gate;
	struct mwd_call inside, late;
	struct mwd_link conns[3];

	mwd_gate_init(&gate);
	ck_assert(mwd_gate_enter(&gate, &inside));
	ck_assert(mwd_gate_add_conn(&gate, &conns[0], 2));
	ck_assert(mwd_gate_add_conn(&gate, &conns[1], 2));
	ck_assert(!mwd_gate_add_conn(&gate, &conns[2], 2));
	ck_assert_uint_eq(mwd_gate_nconns(&gate), 3);
	mwd_gate_close(&gate);
	ck_assert(!mwd_gate_enter(&gate, &late));
	ck_assert_uint_eq(mwd_gate_ncalls(&gate), 1);
	ck_assert_uint_eq(mwd_gate_nblocked(&gate, 0, 10), 1);
	ck_assert_uint_eq(mwd_gate_nblocked(&gate, 3600000, 10), 0);
	mwd_gate_remove_conn(&gate, &conns[1]);
	mwd_gate_leave(&gate, &inside);
	ck_assert_uint_eq(mwd_gate_ncalls(&gate), 0);
	ck_assert_ptr_eq(mwd_gate_take_conn(&gate), &conns[0]);
	ck_assert_ptr_eq(mwd_gate_take_conn(&gate), &conns[2]);
	ck_assert_ptr_null(mwd_gate_take_conn(&gate));
	mwd_gate_fini(&gate);
}
END_TEST

static void *watch_for_a_call(void *arg)
{
	mwd_gate_t *gate = arg;

	while (mwd_gate_watch(gate, 0, true))
		continue;
	return NULL;
}

START_TEST(watcher_ends_when_told_whether_calls_come_or_not)
{
	for (int with_calls = 0; with_calls < 2; with_calls++) {
		mwd_gate_t gate;
		struct mwd_call call;
		pthread_t watcher;

		mwd_gate_init(&gate);
		ck_assert_int_eq(pthread_create(&watcher, NULL, watch_for_a_call, &gate), 0);
		for (int i = 0; with_calls && i < 1000; i++) {
			ck_assert(mwd_gate_enter(&gate, &call));
			mwd_gate_leave(&gate, &call);
		}
		mwd_gate_stop_watcher(&gate);
		ck_assert_int_eq(pthread_join(watcher, NULL), 0);
		mwd_gate_fini(&gate);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("milter");
	TCase *tc = tcase_create("parts");

	tcase_add_loop_test(tc, no_more_is_asked_for_than_is_needed_and_offered, 0, (int)MWD_ARRAY_LEN(terms));
	tcase_add_test(tc, needs_differ_in_their_bits);
	tcase_add_loop_test(tc, verdicts_become_replies, 0, (int)MWD_ARRAY_LEN(replies));
	tcase_add_test(tc, long_replies_are_broken_at_a_blank_and_stay_within_a_line_each);
	tcase_add_loop_test(tc, addresses_are_read_as_libmilter_reads_them, 0, (int)MWD_ARRAY_LEN(addresses));
	tcase_add_test(tc, closed_gate_lets_nobody_in_and_those_inside_out);
	tcase_add_test(tc, watcher_ends_when_told_whether_calls_come_or_not);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
