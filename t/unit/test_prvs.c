/* SPDX-License-Identifier: BSD-2-Clause */
/* Tags of envelope senders. The vectors were made with another implementation of HMAC. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/mail/prvs.h"
#include "t/fakes/suite.h"

static const char *const keys[] = {"0123456789abcdef first key", "an older key, still alive"};

static const struct {
	const char *name;
	size_t key;
	uint64_t expires;
	const char *local, *address;
	const char *tagged;
} vectors[] = {
	{"today and a week", 0, 20468, "anna", "anna@example.net", "prvs=946877a4fe=anna"},
	{"the number goes with the key", 1, 20461, "anna", "anna@example.net", "prvs=1461271dbd=anna"},
	{"the last day of a thousand", 0, 999, "anna+list", "anna+list@example.net", "prvs=99997a9606=anna+list"},
	{"and the first one", 0, 1000, "a", "a@b.example", "prvs=9000f81af4=a"},
	{"the address is signed in lower case, the rest is left alone", 0, 20468, "Anna", "anna@example.net", "prvs=946877a4fe=Anna"},
};

START_TEST(tags_are_what_the_draft_says)
{
	char tagged[80];
	struct mxw__prvs prvs;

	ck_assert_msg(mxw__prvs_write(tagged, sizeof tagged, vectors[_i].local, vectors[_i].address, keys[vectors[_i].key],
				      vectors[_i].expires), "%s", vectors[_i].name);
	ck_assert_str_eq(tagged, vectors[_i].tagged);
	ck_assert(mxw__prvs_parse(tagged, &prvs));
	ck_assert_str_eq(prvs.local, vectors[_i].local);
	ck_assert_uint_eq(prvs.day, vectors[_i].expires % 1000);
	ck_assert_int_eq(mxw__prvs_verify(&prvs, vectors[_i].address, keys, 2, vectors[_i].expires - 7), MXW__PRVS_VALID);
	/* For this address, by this key. */
	ck_assert_int_eq(mxw__prvs_verify(&prvs, "bob@example.net", keys, 2, vectors[_i].expires), MXW__PRVS_FORGED);
	ck_assert_int_eq(mxw__prvs_verify(&prvs, vectors[_i].address, &keys[1 - vectors[_i].key], 1, vectors[_i].expires),
			 MXW__PRVS_FORGED);
	ck_assert_int_eq(mxw__prvs_verify(&prvs, vectors[_i].address, keys, 0, vectors[_i].expires), MXW__PRVS_FORGED);
	ck_assert(!mxw__prvs_write(tagged, strlen(vectors[_i].tagged), vectors[_i].local, vectors[_i].address, keys[0], 1));
}
END_TEST

START_TEST(a_tag_lives_until_its_day_is_over_and_none_comes_from_far_ahead)
{
	static const struct {
		uint64_t today;
		mxw__prvs_state_t state;
	} days[] = {
		{20468 - 31, MXW__PRVS_VALID}, {20467, MXW__PRVS_VALID}, {20468, MXW__PRVS_VALID}, {20469, MXW__PRVS_EXPIRED},
		{20468 + 500, MXW__PRVS_EXPIRED},
		/* No right clock gives a tag such a day; what expired years ago can't be told from it. */
		{20468 - 32, MXW__PRVS_AHEAD}, {20468 - 499, MXW__PRVS_AHEAD}, {20468 + 900, MXW__PRVS_AHEAD},
	};
	struct mxw__prvs prvs;

	ck_assert(mxw__prvs_parse("prvs=946877a4fe=anna", &prvs));
	for (size_t i = 0; i < MXW_ARRAY_LEN(days); i++)
		ck_assert_msg(mxw__prvs_verify(&prvs, "anna@example.net", keys, 2, days[i].today) == days[i].state, "%llu",
			      (unsigned long long)days[i].today);
}
END_TEST

START_TEST(each_changed_character_of_a_tag_makes_it_forged)
{
	const char *tagged = "prvs=946877a4fe=anna";
	struct mxw__prvs prvs;

	for (size_t i = 5; i < 15; i++) {
		char copy[40];
		snprintf(copy, sizeof copy, "%s", tagged);
		copy[i] = copy[i] == '1' ? '2' : '1';
		ck_assert(mxw__prvs_parse(copy, &prvs));
		ck_assert_int_eq(mxw__prvs_verify(&prvs, "anna@example.net", keys, 2, 20468), MXW__PRVS_FORGED);
	}
	/* But case is not change. */
	ck_assert(mxw__prvs_parse("PRVS=946877A4FE=anna", &prvs));
	ck_assert_int_eq(mxw__prvs_verify(&prvs, "anna@example.net", keys, 2, 20468), MXW__PRVS_VALID);
}
END_TEST

START_TEST(what_is_no_tag_is_none)
{
	static const char *const none[] = {
		"", "anna", "prvs", "prvs=", "prvs=946877a4fe", "prvs=946877a4fe=", "prvs=946877a4f=anna", "prvs=946877a4fef=anna",
		"prvs=946877a4fg=anna", "prvs=x46877a4fe=anna", "prvs=9a6877a4fe=anna", "prvs= 46877a4fe=anna", "xprvs=946877a4fe=anna",
		"prvs=anna/946877a4fe", "prvs-946877a4fe-anna",
	};
	struct mxw__prvs prvs;

	for (size_t i = 0; i < MXW_ARRAY_LEN(none); i++)
		ck_assert_msg(!mxw__prvs_parse(none[i], &prvs), "%s", none[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("prvs");
	TCase *tc = tcase_create("prvs");

	tcase_add_loop_test(tc, tags_are_what_the_draft_says, 0, MXW_ARRAY_LEN(vectors));
	tcase_add_test(tc, a_tag_lives_until_its_day_is_over_and_none_comes_from_far_ahead);
	tcase_add_test(tc, each_changed_character_of_a_tag_makes_it_forged);
	tcase_add_test(tc, what_is_no_tag_is_none);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
