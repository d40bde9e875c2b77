/* SPDX-License-Identifier: BSD-2-Clause */
/* What a message leaves in STATE_DIR/dmarc.db. */
#include "config.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

static struct scratch scratch;
static struct fake_clock fake;
static fake_resolver_t *resolver;
static mxw_engine_t *engine;
static char *path;

static const char zone[] =
	"x.example TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n"
	"_dmarc.x.example TXT \"v=DMARC1; p=reject; sp=quarantine; aspf=s; fo=1:d; rua=mailto:r@x.example\"\n"
	"_dmarc.t.example TXT \"v=DMARC1; p=reject; t=y\"\n"
	"_dmarc.tn.example TXT \"v=DMARC1; p=none; t=y\"\n"
	"_dmarc.n.example TXT \"v=DMARC1; p=none\"\n"
	"_dmarc.slow.example TXT !timeout\n"
	"mail.x.example TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n";

static mxw_conf_t *load(const char *extra)
{
	char text[4096];
	mxw_conf_t *conf = NULL;
	struct mxw_error err;

	snprintf(text, sizeof text,
		 "authserv-id mx.example.net\n"
		 "directory people {\n type file\n path \"%s/people\"\n}\n"
		 "domain example.net example.org { recipients people }\n%s", scratch.dir, extra);
	ck_assert_msg(mxw_conf_load_text("test.conf", text, NULL, &err, &conf) == MXW_OK, "%s", err.text);
	return conf;
}

static void begin(const char *extra, bool is_read_only)
{
	struct mxw_engine_options options = {.size = sizeof options, .state_dir = scratch.dir, .state_is_read_only = is_read_only};
	mxw_conf_t *conf = load(extra);

	options.clock = &fake.clock;
	options.resolver = &resolver->resolver;
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
}

static void setup(void)
{
	static const char people[] = "anna@example.net\nanna@example.org\n";

	scratch_init(&scratch);
	path = scratch_path(&scratch, "people");
	scratch_write(path, people, sizeof people - 1);
	free(path);
	path = scratch_path(&scratch, "dmarc.db");
	fake_clock_init(&fake);
	resolver = fake_resolver_new(&fake);
	fake_resolver_script(resolver, zone);
}

static void teardown(void)
{
	mxw_resolver_unref(&resolver->resolver);
	free(path);
	scratch_fini(&scratch);
}

static void rcpt(mxw_session_t *s, const char *to)
{
	struct mxw_verdict v;
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = to}, &v);
}

static mxw_action_t send(const char *client, const char *sender, const char *from, const char *field)
{
	static const char body[] = "hello\r\n";
	struct mxw_connect_info info = {0};
	const struct mxw_edit *edits;
	struct mxw_verdict v;
	mxw_session_t *s;
	size_t nedits;

	ck_assert_int_eq(mxw_ip_parse(client, &info.client), MXW_OK);
	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, "mail.x.example", &v);
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = sender}, &v);
	rcpt(s, "<anna@example.net>");
	rcpt(s, "<anna@EXAMPLE.org>");
	rcpt(s, "<nobody@example.org>");
	rcpt(s, "<anna@example.net>");
	mxw_session_header(s, "From", from);
	if (field)
		mxw_session_header(s, field, " a list <l.list.example>");
	mxw_session_end_of_headers(s);
	mxw_session_body(s, (const unsigned char *)body, sizeof body - 1);
	mxw_session_eom(s, &v, &edits, &nedits);
	mxw_session_free(s);
	return v.action;
}

/* The first row; "" if there is none, or no file. */
static void ck_row(const char *sql, const char *wanted)
{
	struct mxw__buf text;
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db;

	/* At its end all has been written. */
	mxw_engine_free(engine);
	mxw__buf_init(&text, 10000);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(stmt); i++)
			mxw__buf_addf(&text, "%s%s", i ? "|" : "", (const char *)sqlite3_column_text(stmt, i));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	ck_assert_str_eq(mxw__buf_str(&text), wanted);
	mxw__buf_fini(&text);
}

START_TEST(a_message_leaves_its_evaluation)
{
	begin("", false);
	ck_assert_int_eq(send("192.0.2.1", "<b@x.example>", " Bob <bob@x.example>", NULL), MXW_ACTION_CONTINUE);
	ck_row("SELECT at, length(session), source, author_domain, policy_domain, p, sp, np, adkim, aspf, testing, fo, rua, result,"
	       " dkim_aligned, spf_aligned, disposition, override, spf_domain, spf_scope, spf_result, envelope_from, envelope_to"
	       " FROM evaluation",
	       "1767225600|10|192.0.2.1|x.example|x.example|reject|quarantine||r|s|0|1:d|mailto:r@x.example|pass|0|1|none||"
	       "x.example|mfrom|pass|x.example|example.net example.org");
}
END_TEST

START_TEST(a_null_sender_is_known_by_its_helo)
{
	begin("", false);
	send("192.0.2.1", "<>", " Bob <bob@sub.x.example>", NULL);
	ck_row("SELECT spf_domain, spf_scope, spf_result, envelope_from, result, author_domain, policy_domain FROM evaluation",
	       "mail.x.example|helo|pass||fail|sub.x.example|x.example");
}
END_TEST

static const struct {
	const char *what, *conf, *from, *field;
	mxw_action_t action;
	const char *row;
} fates[] = {
	{"refused as it is asked for", "", " a@x.example", NULL, MXW_ACTION_REJECT, "reject||fail"},
	{"taken", "rule dmarc-reject off\n", " a@x.example", NULL, MXW_ACTION_CONTINUE, "none|local_policy|fail"},
	{"only watched", "mode observe\n", " a@x.example", NULL, MXW_ACTION_CONTINUE, "none|local_policy|fail"},
	{"a list", "rule dmarc-reject off\n", " a@x.example", "List-Id", MXW_ACTION_CONTINUE, "none|mailing_list|fail"},
	{"a forwarder", "networks { forwarders 198.51.100.1 }\n", " a@x.example", NULL, MXW_ACTION_CONTINUE,
	 "none|trusted_forwarder|fail"},
	{"quarantine there is none", "", " a@sub.x.example", NULL, MXW_ACTION_CONTINUE, "none|local_policy|fail"},
	{"testing", "", " a@t.example", NULL, MXW_ACTION_CONTINUE, "none|policy_test_mode|fail"},
	{"testing nothing", "", " a@tn.example", NULL, MXW_ACTION_CONTINUE, "none||fail"},
	{"nothing is asked for", "", " a@n.example", NULL, MXW_ACTION_CONTINUE, "none||fail"},
	{"refused for another reason", "rule r {\n when header.size > 0\n reject\n}\n", " a@n.example", NULL, MXW_ACTION_REJECT,
	 "reject|other|fail"},
	{"thrown away", "rule r {\n when header.size > 0\n discard\n}\n", " a@n.example", NULL, MXW_ACTION_DISCARD,
	 "reject|other|fail"},
	{"put off", "rule r {\n when header.size > 0\n defer\n}\n", " a@x.example", NULL, MXW_ACTION_DEFER, ""},
	{"without record", "", " a@y.example", NULL, MXW_ACTION_CONTINUE, ""},
	{"nothing known", "rule dmarc-reject off\n", " a@slow.example", NULL, MXW_ACTION_CONTINUE, ""},
	{"no evaluation", "dmarc { enabled no }\n", " a@x.example", NULL, MXW_ACTION_CONTINUE, ""},
	{"none kept", "dmarc { keep-evaluations 0 }\n", " a@x.example", NULL, MXW_ACTION_REJECT, ""},
};

START_TEST(what_became_of_it_is_kept)
{
	begin(fates[_i].conf, false);
	ck_assert_msg(send("198.51.100.1", "<b@y.example>", fates[_i].from, fates[_i].field) == fates[_i].action, "%s",
		      fates[_i].what);
	ck_row("SELECT disposition, override, result FROM evaluation", fates[_i].row);
}
END_TEST

START_TEST(nothing_is_written_beside_a_daemon)
{
	begin("", true);
	send("192.0.2.1", "<b@x.example>", " bob@x.example", NULL);
	mxw_engine_free(engine);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_reload_keeps_what_is_there)
{
	mxw_conf_t *conf = load("dmarc { max-evaluations 5000 }\n");

	begin("", false);
	send("192.0.2.1", "<b@x.example>", " bob@x.example", NULL);
	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	send("192.0.2.1", "<b@x.example>", " bob@x.example", NULL);
	mxw_conf_unref(conf);
	ck_row("SELECT count(*), count(DISTINCT session) FROM evaluation", "2|2");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dmarc_report");
	TCase *tc = tcase_create("dmarc_report");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_message_leaves_its_evaluation);
	tcase_add_test(tc, a_null_sender_is_known_by_its_helo);
	tcase_add_loop_test(tc, what_became_of_it_is_kept, 0, MXW_ARRAY_LEN(fates));
	tcase_add_test(tc, nothing_is_written_beside_a_daemon);
	tcase_add_test(tc, a_reload_keeps_what_is_there);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
