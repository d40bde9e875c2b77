/* SPDX-License-Identifier: BSD-2-Clause */
/* What a peer says it wants to be told of a recipient goes on to the MTA as words of a command: no more than was said, and no other words. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/session/bounce.h"
#include "t/fakes/suite.h"

enum { PARAMS_MAX = 4 };

static const struct {
	const char *params[PARAMS_MAX + 1];
	const char *expected;
} rows[] = {
	{{NULL}, ""},
	{{"NOTIFY=NEVER"}, "NOTIFY=NEVER"},
	{{"orcpt=rfc822;anna+2Bx@old.example", "Notify=SUCCESS,DELAY"}, "Notify=SUCCESS,DELAY orcpt=rfc822;anna+2Bx@old.example"},
	{{"ORCPT=rfc822;a@old.example", "BY=120;R", "RRVS=2014-04-03T23:01:00Z"}, "ORCPT=rfc822;a@old.example"},
	/* The first of each; no MTA takes two. */
	{{"NOTIFY=NEVER", "NOTIFY=SUCCESS", "ORCPT=rfc822;a", "ORCPT=rfc822;b"}, "NOTIFY=NEVER ORCPT=rfc822;a"},
	{{"NOTIFY", "NOTIFYX=NEVER", "XNOTIFY=NEVER", "X=NOTIFY=NEVER"}, ""},
	/* One that would become two, or another line, is none. */
	{{"NOTIFY=NEVER RRVS=2014-04-03T23:01:00Z"}, ""},
	{{"NOTIFY=NEVER\tX=1", "ORCPT=rfc822;a\r\nRCPT TO:<b@far.example>"}, ""},
	{{"NOTIFY=NEVER\001", "ORCPT=rfc822;a\177"}, ""},
	{{"NOTIFY=NEVER ", "NOTIFY=NEVER\xc2\xa0X=1", "NOTIFY=FAILURE"}, "NOTIFY=FAILURE"},
	{{"ORCPT=utf-8;\xc3\xa9@old.example", "NOTIFY=FAILURE"}, "NOTIFY=FAILURE"},
};

START_TEST(what_the_sender_wants_to_be_told_is_kept_and_nothing_else)
{
	mxw__arena_t *arena = mxw__arena_new(4096);

	ck_assert_str_eq(mxw__dsn_params(arena, rows[_i].params), rows[_i].expected);
	mxw__arena_free(arena);
}
END_TEST

START_TEST(nothing_longer_than_there_may_be_is_kept)
{
	mxw__arena_t *arena = mxw__arena_new(4096);
	char orcpt[600] = "ORCPT=rfc822;";
	const char *const params[] = {orcpt, NULL};

	memset(orcpt + strlen(orcpt), 'x', 506 - strlen(orcpt));
	ck_assert_str_eq(mxw__dsn_params(arena, params), orcpt);
	orcpt[506] = 'x';
	ck_assert_str_eq(mxw__dsn_params(arena, params), "");
	mxw__arena_free(arena);
}
END_TEST

START_TEST(there_may_be_no_parameters_and_no_memory)
{
	mxw__arena_t *arena = mxw__arena_new(1);
	const char *const params[] = {"NOTIFY=NEVER", "ORCPT=rfc822;a@old.example", NULL};

	ck_assert_str_eq(mxw__dsn_params(arena, NULL), "");
	ck_assert_ptr_null(mxw__dsn_params(arena, params));
	mxw__arena_free(arena);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dsn");
	TCase *tc = tcase_create("dsn");

	tcase_add_loop_test(tc, what_the_sender_wants_to_be_told_is_kept_and_nothing_else, 0, MXW_ARRAY_LEN(rows));
	tcase_add_test(tc, nothing_longer_than_there_may_be_is_kept);
	tcase_add_test(tc, there_may_be_no_parameters_and_no_memory);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
