/* SPDX-License-Identifier: BSD-2-Clause */
/* Making policies and replies. What rules decide is tested as data, in t/policy. */
#include "config.h"

#include <string.h>

#include "src/policy/facts.h"
#include "src/policy/policy.h"
#include "t/fakes/suite.h"

static mxw__policy_builder_t *builder;
static mxw_facts_t *facts;
static struct mxw_error err;

static void setup(void)
{
	ck_assert_int_eq(mxw__policy_builder_new(&builder), MXW_OK);
	ck_assert_int_eq(mxw_facts_new(50, 5000, &facts), MXW_OK);
	memset(&err, 0, sizeof err);
}

static void teardown(void)
{
	mxw__policy_builder_free(builder);
	builder = NULL;
	mxw_facts_free(facts);
}

static mxw__expr_t *compare(const char *fact, mxw__op_t op, const char *value)
{
	return mxw__expr_compare(builder, fact, op, &value, 1, &err);
}

static mxw_status_t add(const char *name, mxw_action_t action, mxw__expr_t *when, const char *reply)
{
	struct mxw__rule rule = {.name = name, .file = "f", .line = 7, .action = action, .when = when, .reply = reply};
	return mxw__policy_builder_add(builder, &rule, &err);
}

static mxw_policy_t *finish(void)
{
	mxw_policy_t *policy = NULL;

	ck_assert_int_eq(mxw__policy_builder_finish(builder, &policy), MXW_OK);
	builder = NULL;
	return policy;
}

/* ---- conditions ---- */

static const struct {
	const char *fact;
	mxw__op_t op;
	const char *value;
	const char *complaint; /* NULL: good */
} conditions[] = {
	{"spf", MXW__OP_EQ, "fail", NULL},
	{"spf", MXW__OP_EQ, "failed", "'spf' is never 'failed'; it is one of: none neutral pass"},
	{"sfp", MXW__OP_EQ, "fail", "there is no fact 'sfp'; did you mean 'spf'?"},
	{"clientscore", MXW__OP_GE, "1", "did you mean 'client.score'?"},
	{"zzzzzzzz", MXW__OP_EQ, "1", "mxward.conf(5) lists them"},
	{"spf", MXW__OP_GE, "fail", "'spf' is a word and can't be compared with '>='"},
	{"spf", MXW__OP_MATCHES, "f*", "can't be compared with 'matches'"},
	{"helo", MXW__OP_MATCHES, "*.example.net", NULL},
	{"client.score", MXW__OP_GE, "100", NULL},
	{"message.size", MXW__OP_GT, "10M", NULL},
	{"client.score", MXW__OP_GE, "many", "'client.score' is a number; 'many' is none"},
	{"client.score", MXW__OP_GE, "-1", "'-1' is none"},
	{"client.address", MXW__OP_IN, "192.0.2.0/24", NULL},
	{"client.address", MXW__OP_EQ, "192.0.2.1/24", "is no address and no network"},
	{"auth", MXW__OP_EQ, "yes", NULL},
	{"auth", MXW__OP_EQ, "maybe", "'auth' is never 'maybe'; it is one of: no yes"},
	{"auth", MXW__OP_IN, "yes", "can't be compared with 'in'"},
};

START_TEST(conditions_are_checked_against_the_table)
{
	mxw__expr_t *e = compare(conditions[_i].fact, conditions[_i].op, conditions[_i].value);

	if (!conditions[_i].complaint) {
		ck_assert_ptr_nonnull(e);
		return;
	}
	ck_assert_ptr_null(e);
	ck_assert_msg(strstr(err.text, conditions[_i].complaint), "%s", err.text);
}
END_TEST

START_TEST(only_yesno_facts_stand_alone)
{
	ck_assert_ptr_nonnull(mxw__expr_is(builder, "helo.forged", &err));
	ck_assert_ptr_null(mxw__expr_is(builder, "spf", &err));
	ck_assert_msg(strstr(err.text, "after it '=', '!=' or 'in' and a value were expected"), "%s", err.text);
}
END_TEST

START_TEST(long_chains_are_fine_and_deep_nesting_is_refused)
{
	mxw__expr_t *chain = mxw__expr_is(builder, "auth", &err), *deep = mxw__expr_is(builder, "auth", &err);

	for (int i = 0; i < 5000; i++)
		chain = mxw__expr_and(builder, chain, mxw__expr_is(builder, "tls", &err));
	ck_assert_int_eq(add("chain", MXW_ACTION_ACCEPT, chain, NULL), MXW_OK);
	for (int i = 0; i < 40; i++)
		deep = mxw__expr_not(builder, deep);
	ck_assert_int_eq(add("deep", MXW_ACTION_ACCEPT, deep, NULL), MXW_ERR_CONF);
	ck_assert_msg(strstr(err.text, "nested deeper"), "%s", err.text);
}
END_TEST

/* ---- stages ---- */

START_TEST(a_rule_is_tried_from_the_stage_of_its_last_fact_on)
{
	ck_assert_int_eq(add("r", MXW_ACTION_REJECT,
			     mxw__expr_and(builder, compare("client.class", MXW__OP_EQ, "outside"),
					   compare("spf", MXW__OP_EQ, "fail")), "550 {dkim}"), MXW_OK);
	mxw_policy_t *policy = finish();
	for (mxw_stage_t s = MXW_STAGE_CONNECT; s < MXW_STAGE_COUNT; s++) {
		ck_assert_int_eq(mxw_policy_has_stage(policy, s), s >= MXW_STAGE_MAIL);
		ck_assert_int_eq(mxw_policy_needs(policy, s, MXW__FACT_SPF), s >= MXW_STAGE_MAIL);
		ck_assert_int_eq(mxw_policy_needs(policy, s, MXW__FACT_CLIENT_CLASS), s >= MXW_STAGE_MAIL);
		ck_assert(!mxw_policy_needs(policy, s, MXW__FACT_RCPT));
	}
	ck_assert(mxw_policy_needs(policy, MXW_STAGE_EOM, MXW__FACT_DKIM));
	ck_assert(!mxw_policy_needs(policy, MXW_STAGE_EOM, MXW_FACT_NONE));
	ck_assert(!mxw_policy_has_stage(policy, MXW_STAGE_COUNT));
	mxw_policy_unref(policy);
}
END_TEST

START_TEST(rules_on_recipients_are_tried_at_rcpt_only)
{
	ck_assert_int_eq(add("r", MXW_ACTION_REJECT, compare("rcpt", MXW__OP_EQ, "unknown"), NULL), MXW_OK);
	mxw_policy_t *policy = finish();
	for (mxw_stage_t s = MXW_STAGE_CONNECT; s < MXW_STAGE_COUNT; s++)
		ck_assert_int_eq(mxw_policy_has_stage(policy, s), s == MXW_STAGE_RCPT);
	mxw_policy_unref(policy);
}
END_TEST

START_TEST(stages_that_cannot_know_the_facts_are_refused)
{
	struct mxw__rule rule = {.name = "r", .action = MXW_ACTION_REJECT, .at_stages = 1u << MXW_STAGE_MAIL,
				 .when = compare("dkim", MXW__OP_EQ, "fail")};

	ck_assert_int_eq(mxw__policy_builder_add(builder, &rule, &err), MXW_ERR_CONF);
	ck_assert_str_eq(err.text, "can't be tried at mail: 'dkim' is known from eom on");
	rule.when = compare("rcpt", MXW__OP_EQ, "unknown");
	rule.at_stages = 1u << MXW_STAGE_EOM;
	ck_assert_int_eq(mxw__policy_builder_add(builder, &rule, &err), MXW_ERR_CONF);
	ck_assert_str_eq(err.text, "can't be tried at eom: 'rcpt' is about one recipient and known at rcpt only");
	rule.at_stages = 0;
	rule.when = mxw__expr_and(builder, rule.when, compare("dkim", MXW__OP_EQ, "fail"));
	ck_assert_int_eq(mxw__policy_builder_add(builder, &rule, &err), MXW_ERR_CONF);
	ck_assert_msg(strstr(err.text, "can never be tried"), "%s", err.text);
	rule.action = MXW_ACTION_DISCARD;
	rule.when = compare("rcpt", MXW__OP_EQ, "unknown");
	ck_assert_int_eq(mxw__policy_builder_add(builder, &rule, &err), MXW_ERR_CONF);
	ck_assert_msg(strstr(err.text, "'discard' takes a whole message"), "%s", err.text);
	rule.when = compare("client.class", MXW__OP_EQ, "outside");
	rule.at_stages = 1u << MXW_STAGE_CONNECT;
	ck_assert_int_eq(mxw__policy_builder_add(builder, &rule, &err), MXW_ERR_CONF);
	ck_assert_msg(strstr(err.text, "at mail, data or eom"), "%s", err.text);
}
END_TEST

START_TEST(two_rules_of_one_name_are_refused)
{
	ck_assert_int_eq(add("r", MXW_ACTION_REJECT, NULL, NULL), MXW_OK);
	ck_assert_int_eq(add("r", MXW_ACTION_DEFER, NULL, NULL), MXW_ERR_CONF);
	ck_assert_str_eq(err.text, "there is a rule 'r' already, at f:7");
	ck_assert_int_eq(add("two words", MXW_ACTION_DEFER, NULL, NULL), MXW_ERR_CONF);
	ck_assert_int_eq(add("", MXW_ACTION_DEFER, NULL, NULL), MXW_ERR_CONF);
	ck_assert_int_eq(add("none", MXW_ACTION_CONTINUE, NULL, NULL), MXW_ERR_CONF);
}
END_TEST

/* ---- replies ---- */

static const struct {
	mxw_action_t action;
	const char *reply;
	const char *complaint;
} templates[] = {
	{MXW_ACTION_REJECT, "550 5.1.1 <{rcpt}>: no such recipient here", NULL},
	{MXW_ACTION_REJECT, "No code at all", NULL},
	{MXW_ACTION_REJECT, "", NULL},
	{MXW_ACTION_REJECT, "554", NULL},
	{MXW_ACTION_REJECT, "{{not a name}}", NULL},
	{MXW_ACTION_REJECT, "score {client.score}", NULL},
	{MXW_ACTION_REJECT, "450 later", "450 is no code to reject with; 5xx was expected"},
	{MXW_ACTION_REJECT, "599 odd", "599 is no code to reject with"},
	{MXW_ACTION_REJECT, "550 4.7.1 odd", "enhanced code 4.7.1 does not belong to 'reject'; 5.x.y was expected"},
	{MXW_ACTION_DEFER, "550 5.7.1 no", "550 is no code to defer with; 4xx was expected"},
	{MXW_ACTION_DEFER, "421 4.7.0 bye", "that is 'disconnect'"},
	{MXW_ACTION_DISCONNECT, "450 4.7.0 bye", "421 was expected"},
	{MXW_ACTION_DISCONNECT, "421 4.7.0 {client}: bye", NULL},
	{MXW_ACTION_ACCEPT, "250 ok", "'accept' takes no reply"},
	{MXW_ACTION_DISCARD, "250 ok", "'discard' takes no reply"},
	{MXW_ACTION_CONCEAL, "451 4.7.1 {client}: later", NULL},
	{MXW_ACTION_CONCEAL, "550 5.7.1 {client}: no", NULL},
	{MXW_ACTION_CONCEAL, "550", NULL},
	{MXW_ACTION_CONCEAL, "Later", NULL},
	{MXW_ACTION_CONCEAL, "421 4.7.0 bye", "421 is no code to conceal with; 4xx but 421, or 5xx, was expected"},
	{MXW_ACTION_CONCEAL, "499 odd", "499 is no code to conceal with"},
	{MXW_ACTION_CONCEAL, "250 ok", "250 is no code to conceal with"},
	{MXW_ACTION_CONCEAL, "550 4.7.1 odd", "enhanced code 4.7.1 does not belong to 'conceal'; 5.x.y was expected"},
	{MXW_ACTION_CONCEAL, "451 5.7.1 odd", "enhanced code 5.7.1 does not belong to 'conceal'; 4.x.y was expected"},
	{MXW_ACTION_CONCEAL, "451 {rcpt.origin}", "'conceal' can't hang on 'rcpt.origin'"},
	{MXW_ACTION_REJECT, "{sesion}", "there is no variable or fact 'sesion'; did you mean '{session}'?"},
	{MXW_ACTION_REJECT, "{qqqqqqqqqq}", "{session} or a fact was expected"},
	{MXW_ACTION_REJECT, "open {rcpt", "a brace without its pair at '{rcpt'"},
	{MXW_ACTION_REJECT, "shut } here", "a brace without its pair at '} here'"},
	{MXW_ACTION_REJECT, "{}", "a brace without its pair"},
	{MXW_ACTION_REJECT, "line\r\nbreak", "printable ASCII"},
	{MXW_ACTION_REJECT, "gr\xc3\xbc\xc3\x9f" "e", "printable ASCII"},
};

START_TEST(reply_templates_are_checked)
{
	mxw_status_t status = add("r", templates[_i].action, NULL, templates[_i].reply);

	ck_assert_int_eq(status, templates[_i].complaint ? MXW_ERR_CONF : MXW_OK);
	if (templates[_i].complaint)
		ck_assert_msg(strstr(err.text, templates[_i].complaint), "%s", err.text);
}
END_TEST

static const struct {
	mxw_action_t action;
	const char *reply;
	int code;
	const char *enhanced, *text;
} replies[] = {
	{MXW_ACTION_REJECT, NULL, 550, "5.7.1", "Refused by local policy (s1)"},
	{MXW_ACTION_DEFER, NULL, 451, "4.7.1", "Temporarily refused, try again later (s1)"},
	{MXW_ACTION_DISCONNECT, NULL, 421, "4.7.0", "Closing the connection, try again later (s1)"},
	{MXW_ACTION_CONCEAL, NULL, 451, "4.7.1", "Temporarily refused, try again later (s1)"},
	{MXW_ACTION_CONCEAL, "452 <{rcpt}>", 452, "4.7.1", "<a@example.net>"},
	{MXW_ACTION_CONCEAL, "554", 554, "5.7.1", "Refused by local policy (s1)"},
	{MXW_ACTION_CONCEAL, "554 5.1.1 no", 554, "5.1.1", "no"},
	{MXW_ACTION_ACCEPT, NULL, 0, "", ""},
	{MXW_ACTION_DISCARD, NULL, 0, "", ""},
	{MXW_ACTION_CONTINUE, NULL, 0, "", ""},
	{MXW_ACTION_REJECT, "554 5.1.1 <{rcpt}>: 100% unknown", 554, "5.1.1", "<a@example.net>: 100% unknown"},
	{MXW_ACTION_REJECT, "554 only a code", 554, "5.7.1", "only a code"},
	{MXW_ACTION_REJECT, "5.1.2 only enhanced", 550, "5.1.2", "only enhanced"},
	{MXW_ACTION_REJECT, "5500 is no code", 550, "5.7.1", "5500 is no code"},
	{MXW_ACTION_REJECT, "550 5.1 is no enhanced code", 550, "5.7.1", "5.1 is no enhanced code"},
	{MXW_ACTION_REJECT, "550 5.1.1", 550, "5.1.1", "Refused by local policy (s1)"},
	{MXW_ACTION_REJECT, "{client} {helo} {sender} {{x}}", 550, "5.7.1", "192.0.2.1 evil??Bcc: x  {x}"},
	{MXW_ACTION_REJECT, "no {spf.explanation}", 550, "5.7.1", "no"},
	{MXW_ACTION_REJECT, "no {helo} {spf.explanation}.", 550, "5.7.1", "no evil??Bcc: x ."},
	{MXW_ACTION_REJECT, "{client.score}/{spf}/{dkim}/{tls}", 550, "5.7.1", "37/fail/temperror/"},
};

static const struct mxw__reply_vars vars = {
	.client = "192.0.2.1", .helo = "evil\r\nBcc: x", .rcpt = "a@example.net", .session = "s1",
};

START_TEST(replies_are_made_and_safe)
{
	struct mxw_decision d = {.action = replies[_i].action, .rule = "r", .reply = replies[_i].reply};
	struct mxw_verdict v;

	ck_assert_int_eq(mxw_facts_set_number(facts, MXW__FACT_CLIENT_SCORE, 37), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF, "fail"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set_unavailable(facts, MXW__FACT_DKIM, "temperror"), MXW_OK);
	mxw__reply_make(&d, facts, &vars, &v);
	ck_assert_int_eq(v.action, d.action);
	ck_assert_int_eq(v.code, replies[_i].code);
	ck_assert_str_eq(v.enhanced, replies[_i].enhanced);
	ck_assert_str_eq(v.text, replies[_i].text);
	ck_assert_str_eq(v.session, "s1");
}
END_TEST

START_TEST(replies_never_outgrow_a_line)
{
	char big[3000], template[390];
	struct mxw__reply_vars long_vars = {.helo = big};
	struct mxw_decision d = {.action = MXW_ACTION_REJECT, .reply = template};
	struct mxw_verdict v;

	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	template[0] = '\0';
	while (strlen(template) + 7 < sizeof template)
		strcat(template, "{helo}");
	mxw__reply_make(&d, facts, &long_vars, &v);
	ck_assert_uint_le(strlen(v.text), 480);
	ck_assert_uint_ge(strlen(v.text), 400);
	d.reply = "{helo}.";
	mxw__reply_make(&d, facts, &long_vars, &v);
	ck_assert_uint_eq(strlen(v.text), 84);
	/* A sentence has more room than a name, and no more than the line. */
	big[300] = '\0';
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF_EXPLANATION, big), MXW_OK);
	d.reply = "{spf.explanation}.";
	mxw__reply_make(&d, facts, &long_vars, &v);
	ck_assert_uint_eq(strlen(v.text), 244);
	d.reply = "{helo}{helo}{helo}{helo}{spf.explanation}";
	mxw__reply_make(&d, facts, &long_vars, &v);
	ck_assert_uint_le(strlen(v.text), 480);
	d.reply = "{spf.explanation}{spf.explanation}{spf.explanation}";
	mxw__reply_make(&d, facts, &long_vars, &v);
	ck_assert_uint_le(strlen(v.text), 480);
}
END_TEST

START_TEST(facts_of_a_decision_are_escaped_and_cut_whole)
{
	struct mxw_decision d = {.nfacts = 4, .facts = {MXW__FACT_SPF, MXW__FACT_HELO, MXW__FACT_DKIM, MXW__FACT_AUTH}};
	struct mxw__buf buf;

	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_SPF, "fail"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(facts, MXW__FACT_HELO, "a\n rule=x"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set_unavailable(facts, MXW__FACT_DKIM, NULL), MXW_OK);
	mxw__buf_init(&buf, 500);
	mxw__decision_facts(&d, facts, &buf);
	ck_assert_str_eq(mxw__buf_str(&buf), "spf=fail helo=\"a\\x0a rule=x\" dkim=? auth=-");
	mxw__buf_fini(&buf);
	mxw__buf_init(&buf, 20);
	mxw__decision_facts(&d, facts, &buf);
	ck_assert_str_eq(mxw__buf_str(&buf), "spf=fail");
	mxw__buf_fini(&buf);
}
END_TEST

/* For want of memory or room: a rule must not decide as if the fact had never been stated. */
START_TEST(a_fact_that_was_lost_defers_where_it_could_matter)
{
	struct mxw_decision d;
	mxw_facts_t *small;

	ck_assert_int_eq(add("r", MXW_ACTION_REJECT,
			     mxw__expr_and(builder, compare("spf", MXW__OP_EQ, "fail"),
					   mxw__expr_not(builder, compare("dkim.domain", MXW__OP_EQ, "a.example"))), NULL),
			 MXW_OK);
	mxw_policy_t *policy = finish();
	ck_assert_int_eq(mxw_facts_new(2, 1000, &small), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(small, MXW__FACT_SPF, "fail"), MXW_OK);
	ck_assert_int_eq(mxw_facts_set(small, MXW__FACT_DKIM_DOMAIN, "b.example"), MXW_OK);
	mxw_policy_decide(policy, MXW_STAGE_EOM, small, &d);
	ck_assert_int_eq(d.action, MXW_ACTION_REJECT);
	ck_assert_int_eq(mxw_facts_set(small, MXW__FACT_DKIM_DOMAIN, "a.example"), MXW_ERR_LIMIT);
	mxw_policy_decide(policy, MXW_STAGE_EOM, small, &d);
	ck_assert_int_eq(d.action, MXW_ACTION_DEFER);
	ck_assert(d.is_undetermined);
	mxw_facts_clear(small, MXW_SCOPE_MESSAGE);
	ck_assert_int_eq(mxw_facts_set(small, MXW__FACT_SPF, "fail"), MXW_OK);
	mxw_policy_decide(policy, MXW_STAGE_EOM, small, &d);
	ck_assert_int_eq(d.action, MXW_ACTION_REJECT);
	mxw_facts_free(small);
	mxw_policy_unref(policy);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("policy");
	TCase *tc = tcase_create("policy");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, conditions_are_checked_against_the_table, 0, MXW_ARRAY_LEN(conditions));
	tcase_add_test(tc, only_yesno_facts_stand_alone);
	tcase_add_test(tc, long_chains_are_fine_and_deep_nesting_is_refused);
	tcase_add_test(tc, a_rule_is_tried_from_the_stage_of_its_last_fact_on);
	tcase_add_test(tc, rules_on_recipients_are_tried_at_rcpt_only);
	tcase_add_test(tc, stages_that_cannot_know_the_facts_are_refused);
	tcase_add_test(tc, two_rules_of_one_name_are_refused);
	tcase_add_loop_test(tc, reply_templates_are_checked, 0, MXW_ARRAY_LEN(templates));
	tcase_add_loop_test(tc, replies_are_made_and_safe, 0, MXW_ARRAY_LEN(replies));
	tcase_add_test(tc, replies_never_outgrow_a_line);
	tcase_add_test(tc, facts_of_a_decision_are_escaped_and_cut_whole);
	tcase_add_test(tc, a_fact_that_was_lost_defers_where_it_could_matter);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
