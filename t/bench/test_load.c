/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load client against a milter that this test plays by hand: what it sends, what it makes of the replies.
 */
#include "config.h"

#include <libmilter/mfdef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/bench/conn.h"
#include "t/fakes/suite.h"

static struct mload_result result;
static uint64_t row_outcomes[2][1];
static struct mload_conn conn;
static char *rcpts[4];
static struct mload_row row;

static void setup(void)
{
	static const char text[] = "From: a@b\r\nSubject:  two\n blanks\n\nbody\n";

	memset(&result, 0, sizeof result);
	memset(row_outcomes, 0, sizeof row_outcomes);
	result.rows = &row;
	result.row_outcomes[0] = row_outcomes[0];
	result.row_outcomes[1] = row_outcomes[1];
	memset(&conn, 0, sizeof conn);
	conn.result = &result;
	conn.offered_actions = MLOAD_ALL_ACTIONS;
	conn.offered_steps = MLOAD_ALL_STEPS;
	row = (struct mload_row){.weight = 1, .rcpts = rcpts, .nrcpts = 1};
	row.client = mload_strdup("192.0.2.7");
	row.ptr = mload_strdup("mail.example.net");
	row.helo = mload_strdup("helo%d.example");
	row.sender = mload_strdup("<s%m@example.net>");
	row.message = mload_message_new("test", mload_strdup(text), strlen(text));
	rcpts[0] = mload_strdup("<r@example.org>");
}

static void teardown(void)
{
	mload_message_free((struct mload_message *)(uintptr_t)row.message);
	for (size_t i = 0; i < sizeof rcpts / sizeof *rcpts; i++) {
		free(rcpts[i]);
		rcpts[i] = NULL;
	}
	free(row.client);
	free(row.ptr);
	free(row.helo);
	free(row.sender);
	mload_conn_fini(&conn);
}

/* The letters of the packets that wait to be sent, which are then forgotten. */
static const char *sent(void)
{
	static char letters[512];
	struct mload_packet packet;
	size_t n = 0;

	while (mload_packet_next(&conn.out, &packet) > 0)
		letters[n++] = packet.command;
	letters[n] = '\0';
	ck_assert_uint_eq(mload_buf_pending(&conn.out), 0);
	return letters;
}

static int reply(char letter, const void *data, size_t len)
{
	size_t mark = mload_packet_begin(&conn.in, letter);

	mload_buf_add(&conn.in, data, len);
	mload_packet_end(&conn.in, mark);
	return mload_conn_receive(&conn, 2000);
}

static int negotiate(uint32_t actions, uint32_t steps)
{
	size_t mark;

	ck_assert_int_eq(mload_conn_advance(&conn, false, 1000), MLOAD_ADVANCE_WAIT);
	ck_assert_str_eq(sent(), "O");
	mark = mload_packet_begin(&conn.in, SMFIC_OPTNEG);
	mload_packet_u32(&conn.in, 6);
	mload_packet_u32(&conn.in, actions);
	mload_packet_u32(&conn.in, steps);
	mload_packet_end(&conn.in, mark);
	return mload_conn_receive(&conn, 2000);
}

/* Replies with each letter in turn and collects what was sent, a blank between. */
static const char *converse(const char *letters)
{
	static char all[2048];
	mload_advance_t next = MLOAD_ADVANCE_WAIT;

	all[0] = '\0';
	for (;; letters++) {
		next = mload_conn_advance(&conn, false, 1000);
		while (next == MLOAD_ADVANCE_PAUSE)
			next = mload_conn_advance(&conn, false, 1000);
		strcat(all, all[0] ? " " : "");
		strcat(all, sent());
		if (next == MLOAD_ADVANCE_END || !*letters)
			return all;
		ck_assert_int_eq(reply(*letters, "", 0), 1);
	}
}

START_TEST(a_whole_session_comes_in_order_with_macros)
{
	mload_conn_start(&conn, &row, 5, 1);
	ck_assert_int_eq(negotiate(0, 0), 1);
	/* No macro of HELO has a value without TLS. */
	ck_assert_str_eq(converse("ccccccccccccc"), "DC H DM DR DT DL DL DN DB DE AQ");
	ck_assert_uint_eq(result.outcomes[MLOAD_OUTCOME_ACCEPT], 1);
	ck_assert_uint_eq(result.errors, 0);
	ck_assert_uint_eq(result.latency[MLOAD_HEADER].count, 2);
}
END_TEST

START_TEST(steps_that_are_not_wanted_are_left_out)
{
	mload_conn_start(&conn, &row, 0, 1);
	ck_assert_int_eq(negotiate(0, SMFIP_NOHELO | SMFIP_NOBODY | SMFIP_NODATA | SMFIP_NOEOH), 1);
	ck_assert_str_eq(converse("ccccccc"), "DC DM DR DL DL DE AQ");
}
END_TEST

START_TEST(no_reply_is_awaited_where_none_was_promised)
{
	mload_conn_start(&conn, &row, 0, 1);
	ck_assert_int_eq(negotiate(0, SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY), 1);
	ck_assert_str_eq(converse("cccc"), "DCHDM DR DT DLDLDNDBDE AQ");
}
END_TEST

START_TEST(several_messages_share_one_connection)
{
	mload_conn_start(&conn, &row, 0, 2);
	ck_assert_int_eq(negotiate(0, SMFIP_NOHDRS | SMFIP_NOBODY | SMFIP_NODATA | SMFIP_NOEOH), 1);
	ck_assert_str_eq(converse("cccccccc"), "DC H DM DR DE ADM DR DE AQ");
	ck_assert_uint_eq(result.messages, 2);
}
END_TEST

START_TEST(message_goes_on_with_the_recipients_that_are_left)
{
	rcpts[1] = mload_strdup("<b@example.org>");
	rcpts[2] = mload_strdup("!<c@example.org>");
	row.nrcpts = 3;
	mload_conn_start(&conn, &row, 0, 1);
	ck_assert_int_eq(negotiate(0, SMFIP_RCPT_REJ | SMFIP_NOHDRS | SMFIP_NOBODY | SMFIP_NOEOH), 1);
	ck_assert_str_eq(converse("cccrcccccc"), "DC H DM DR DR DR DT DE AQ");
	ck_assert_uint_eq(result.codes[550], 1);
	ck_assert_uint_eq(result.outcomes[MLOAD_OUTCOME_ACCEPT], 1);
}
END_TEST

START_TEST(recipients_refused_by_the_mta_are_told_only_on_request)
{
	free(rcpts[0]);
	rcpts[0] = mload_strdup("!<c@example.org>");
	mload_conn_start(&conn, &row, 0, 1);
	ck_assert_int_eq(negotiate(0, 0), 1);
	ck_assert_str_eq(converse("ccc"), "DC H DM AQ");
	ck_assert_uint_eq(result.outcomes[550], 1);
}
END_TEST

START_TEST(a_refusal_ends_the_message_and_421_the_session)
{
	mload_conn_start(&conn, &row, 0, 3);
	ck_assert_int_eq(negotiate(0, 0), 1);
	ck_assert_str_eq(converse("cct"), "DC H DM ADM");
	ck_assert_int_eq(reply('y', "421 4.7.0 100%% off", 20), 1);
	ck_assert_str_eq(converse(""), "AQ");
	ck_assert_uint_eq(result.outcomes[451], 1);
	ck_assert_uint_eq(result.outcomes[421], 2);
	ck_assert_uint_eq(result.messages, 3);
}
END_TEST

START_TEST(skip_ends_a_kind_of_step_for_this_message)
{
	mload_conn_start(&conn, &row, 0, 1);
	ck_assert_int_eq(negotiate(0, 0), 1);
	ck_assert_str_eq(converse("cccccsccc"), "DC H DM DR DT DL DN DB DE AQ");
}
END_TEST

static const struct {
	const char *name;
	char letter;
	const char *data;
	size_t len;
} bad_replies[] = {
	{"unknown letter", 'Z', "", 0},
	{"change before the end", 'h', "A\0b", 4},
	{"code without text", 'y', "550", 4},
	{"code not ended", 'y', "550 5.1.1 x", 11},
	{"success as code", 'y', "250 2.0.0 ok", 13},
	{"single percent", 'y', "550 5.1.1 50% off", 18},
	{"control character", 'y', "550 5.1.1 \033[1m", 15},
	{"two replies", 'c', "\0\0\0\001c", 5},
};

START_TEST(a_milter_that_breaks_the_protocol_is_found_out)
{
	mload_conn_start(&conn, &row, 0, 1);
	ck_assert_int_eq(negotiate(MLOAD_ALL_ACTIONS, 0), 1);
	converse("cc");
	if (bad_replies[_i].letter == 'c') {
		mload_packet_empty(&conn.in, 'c');
		ck_assert_int_eq(reply('c', "", 0), -1);
	} else {
		ck_assert_int_eq(reply(bad_replies[_i].letter, bad_replies[_i].data, bad_replies[_i].len), -1);
	}
	ck_assert_msg(result.errors == 1, "%s", bad_replies[_i].name);
}
END_TEST

START_TEST(changes_are_taken_if_they_were_agreed_on)
{
	mload_conn_start(&conn, &row, 0, 1);
	ck_assert_int_eq(negotiate(0x11, SMFIP_NOHDRS | SMFIP_NOBODY | SMFIP_NOEOH | SMFIP_NODATA), 1);
	converse("cccc");
	ck_assert_int_eq(reply('i', "\0\0\0\0A\0b", 8), 0);
	ck_assert_int_eq(reply('m', "\0\0\0\001A\0", 7), 0);
	ck_assert_int_eq(reply('e', "<x@y>", 6), -1);
}
END_TEST

START_TEST(a_milter_can_not_take_what_was_not_offered)
{
	conn.offered_actions = 0x3f;
	mload_conn_start(&conn, &row, 0, 1);
	ck_assert_int_eq(negotiate(0x100, 0), -1);
	ck_assert_uint_eq(result.errors, 1);
}
END_TEST

START_TEST(header_fields_keep_their_folds_and_their_blank_on_request)
{
	ck_assert_uint_eq(row.message->nheaders, 2);
	ck_assert_str_eq(row.message->headers[1].name, "Subject");
	ck_assert_str_eq(row.message->headers[1].value, "  two\n blanks");
	ck_assert_uint_eq(row.message->body_len, 6);
	ck_assert_mem_eq(row.message->body, "body\r\n", 6);
}
END_TEST

START_TEST(templates_fill_in_the_numbers)
{
	char text[64];

	ck_assert_str_eq(mload_expand("198.18.%h.%l", 515, 0, text, sizeof text), "198.18.2.3");
	ck_assert_str_eq(mload_expand("s%d m%m %%", 5, 9, text, sizeof text), "s5 m9 %");
	ck_assert_str_eq(mload_expand("long %d", 123456, 0, text, 8), "long 12");
}
END_TEST

START_TEST(quantiles_are_exact_to_three_percent)
{
	static struct mload_histogram histogram;

	for (uint64_t us = 1; us <= 100000; us++)
		mload_histogram_add(&histogram, us);
	for (unsigned permille = 1; permille <= 1000; permille++) {
		uint64_t at = mload_histogram_at(&histogram, permille);
		ck_assert_uint_ge(at, permille * 100);
		ck_assert_uint_le(at, permille * 100 + permille * 4);
	}
	ck_assert_uint_eq(mload_histogram_at(&histogram, 1000), 100000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load client");
	TCase *tcase = tcase_create("conversation");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_whole_session_comes_in_order_with_macros);
	tcase_add_test(tcase, steps_that_are_not_wanted_are_left_out);
	tcase_add_test(tcase, no_reply_is_awaited_where_none_was_promised);
	tcase_add_test(tcase, several_messages_share_one_connection);
	tcase_add_test(tcase, message_goes_on_with_the_recipients_that_are_left);
	tcase_add_test(tcase, recipients_refused_by_the_mta_are_told_only_on_request);
	tcase_add_test(tcase, a_refusal_ends_the_message_and_421_the_session);
	tcase_add_test(tcase, skip_ends_a_kind_of_step_for_this_message);
	tcase_add_loop_test(tcase, a_milter_that_breaks_the_protocol_is_found_out, 0,
			    (int)(sizeof bad_replies / sizeof *bad_replies));
	tcase_add_test(tcase, changes_are_taken_if_they_were_agreed_on);
	tcase_add_test(tcase, a_milter_can_not_take_what_was_not_offered);
	tcase_add_test(tcase, header_fields_keep_their_folds_and_their_blank_on_request);
	tcase_add_test(tcase, templates_fill_in_the_numbers);
	tcase_add_test(tcase, quantiles_are_exact_to_three_percent);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
