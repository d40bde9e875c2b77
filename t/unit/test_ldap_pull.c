/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listing a whole LDAP directory, and what its offline copy does for it: against a real slapd with 10,000 entries, and
 * against a server that misbehaves on order.
 */
#include "config.h"

#include <ldap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/directory/ldap_pool.h"
#include "src/directory/set.h"
#include "t/fakes/ldapd.h"
#include "t/fakes/notices.h"
#include "t/fakes/slapd.h"
#include "t/fakes/suite.h"

enum { MORE = 10000, WAIT_TRIES = 3000 };
#define PASSWORD "opensesame"

static struct slapd slapd;
static struct scratch state;
static struct notices notices;
static const char *uris[2], *bases[2], *address_attributes[2];
static struct mxw__directory_conf conf;

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* ---- a server with many entries ---- */

static void run_in_slapd(const char *command)
{
	char line[512];

	snprintf(line, sizeof line, "cd '%s' && %s", slapd.scratch.dir, command);
	int rc = system(line);
	ck_assert_msg(rc == 0, "%s: %d", command, rc);
}

static void add_entries(void)
{
	char *path = scratch_path(&slapd.scratch, "more.ldif");
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs("dn: ou=many,dc=example,dc=net\nobjectClass: organizationalUnit\nou: many\n\n"
	      "dn: ou=example.org,dc=example,dc=net\nobjectClass: organizationalUnit\nou: example.org\n\n"
	      "dn: ou=example.com,dc=example,dc=net\nobjectClass: organizationalUnit\nou: example.com\n\n"
	      "dn: uid=o,ou=example.org,dc=example,dc=net\nobjectClass: inetOrgPerson\nuid: o\ncn: o\nsn: o\n"
	      "mail: anna@example.org\n\n"
	      "dn: uid=c,ou=example.com,dc=example,dc=net\nobjectClass: inetOrgPerson\nuid: c\ncn: c\nsn: c\n"
	      "mail: Berta@Example.COM\nmail: berta.b@example.com\n\n", f);
	for (int i = 0; i < MORE; i++)
		fprintf(f, "dn: uid=many%d,ou=many,dc=example,dc=net\nobjectClass: inetOrgPerson\nuid: many%d\ncn: m\nsn: m\n"
			   "mail: many%d@example.net\n\n", i, i, i);
	ck_assert_int_eq(fclose(f), 0);
	free(path);
	slapd_kill(&slapd);
	run_in_slapd("./slapd -T add -q -f slapd.conf -l more.ldif >add.log 2>&1");
	/* Without it slapd gives nobody more than 500 entries. */
	run_in_slapd("cp slapd.conf limited.conf && "
		     "echo 'limits dn.exact=\"cn=mxward,dc=example,dc=net\" size.prtotal=unlimited' >>slapd.conf");
	slapd_start(&slapd);
}

static void start_slapd(void)
{
	slapd_init(&slapd);
	add_entries();
}

static void end_slapd(void)
{
	slapd_fini(&slapd);
	slapd = (struct slapd){0};
}

static void restart_slapd(void)
{
	slapd_kill(&slapd);
	slapd_start(&slapd);
}

static void set_up(void)
{
	notices_init(&notices);
	scratch_init(&state);
	if (slapd.scratch.dir[0] && slapd.pid == 0)
		slapd_start(&slapd);
	uris[0] = slapd.ldap_uri;
	bases[0] = "dc=example,dc=net";
	address_attributes[0] = "mail";
	conf = (struct mxw__directory_conf){
		.name = "staff",
		.type = MXW__DIRECTORY_LDAP,
		.uris = {1, uris},
		.bases = {1, bases},
		.copy_filter = "(mail=*)",
		.address_attributes = {1, address_attributes},
		.filter = "(mail={addr})",
		.scope = "sub",
		.bind_dn = "cn=mxward,dc=example,dc=net",
		.bind_password = PASSWORD,
		.tls_ca_file = slapd.ca_file,
		.connections = 1,
		.timeout_ms = 9000,
		.connect_timeout_ms = 9000,
		.retry_ms = 200,
		.path = "",
		.offline_copy = true,
		.copy_interval_ms = 3600000,
		.copy_max_age_ms = 86400000,
		.copy_max_addresses = 1000000,
		.copy_confirmations = 3,
	};
}

static void tear_down(void)
{
	ck_assert_msg(!notices_have(&notices, PASSWORD), "%s", mxw__buf_str(&notices.text));
	notices_fini(&notices);
	scratch_fini(&state);
}

/* ---- listing ---- */

static const char *const domains[] = {"example.org", "*.example.org", "example.com"};

static void *open_ldap(void)
{
	static struct mxw__directory_env env;
	void *self = NULL;
	struct mxw_error err = {0};

	env = (struct mxw__directory_env){
		.conf = &conf,
		.clock = mxw_clock_system(),
		.notice = notices_take,
		.notice_ctx = &notices,
		.domains = {3, domains},
	};
	mxw_status_t status = mxw__directory_ldap.open(&env, &self, &err);
	ck_assert_msg(status == MXW_OK, "%s", err.text);
	return self;
}

/* What was listed. */
static struct {
	size_t n, stop_after;
	char last[64];
	bool has_seen[MORE];
	size_t distinct; /* of many0@example.net .. */
	void (*at_first)(void);
} seen;

static bool visit(void *ctx, const char *address, size_t len, const struct mxw__rcpt_settings *settings)
{
	unsigned i;

	(void)ctx;
	(void)settings;
	snprintf(seen.last, sizeof seen.last, "%.*s", (int)len, address);
	if (seen.n++ == 0 && seen.at_first)
		seen.at_first();
	if (sscanf(seen.last, "many%u@example.net", &i) == 1 && i < MORE && !seen.has_seen[i]) {
		seen.has_seen[i] = true;
		seen.distinct++;
	}
	return seen.n != seen.stop_after;
}

static struct mxw__rcpt_result list_with(void (*at_first)(void))
{
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
	void *self = open_ldap();

	memset(&seen, 0, sizeof seen);
	seen.at_first = at_first;
	mxw__directory_ldap.enumerate(self, visit, NULL, NULL, &result);
	mxw__directory_ldap.close(self);
	return result;
}

static struct mxw__rcpt_result list(void)
{
	return list_with(NULL);
}

static void expect_outcome(struct mxw__rcpt_result result, mxw_outcome_t outcome, const char *reason)
{
	ck_assert_msg(result.outcome == outcome, "outcome %d: %s", (int)result.outcome, result.reason);
	ck_assert_msg(strstr(result.reason, reason), "%s", result.reason);
}

START_TEST(ten_thousand_entries_are_listed_in_pages)
{
	expect_outcome(list(), MXW_FOUND, "");
	ck_assert_uint_eq(seen.distinct, MORE);
	ck_assert_uint_gt(seen.n, MORE + 300);
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

START_TEST(a_base_with_the_domain_is_listed_for_each)
{
	bases[0] = "ou={domain},dc=example,dc=net";
	expect_outcome(list(), MXW_FOUND, "");
	ck_assert_uint_eq(seen.n, 3);
}
END_TEST

START_TEST(the_server_s_size_limit_makes_it_incomplete)
{
	run_in_slapd("mv slapd.conf unlimited.conf && cp limited.conf slapd.conf");
	restart_slapd();
	struct mxw__rcpt_result result = list();
	run_in_slapd("mv unlimited.conf slapd.conf");
	restart_slapd();
	expect_outcome(result, MXW_TEMPORARY, "size limit");
	ck_assert(notices_have(&notices, "size limit"));
}
END_TEST

START_TEST(a_base_that_does_not_exist_makes_it_incomplete)
{
	bases[0] = "dc=nothing,dc=example,dc=net";
	expect_outcome(list(), MXW_MISCONFIGURED, "the base does not exist");
	ck_assert_uint_eq(seen.n, 0);
}
END_TEST

START_TEST(a_wrong_password_makes_it_incomplete)
{
	conf.bind_password = "wrong";
	expect_outcome(list(), MXW_MISCONFIGURED, "Invalid credentials");
}
END_TEST

static void kill_slapd(void)
{
	slapd_kill(&slapd);
}

START_TEST(a_server_that_dies_makes_it_incomplete)
{
	expect_outcome(list_with(kill_slapd), MXW_TEMPORARY, "the connection was lost");
	ck_assert_uint_lt(seen.n, MORE);
	expect_outcome(list(), MXW_TEMPORARY, "");
}
END_TEST

START_TEST(the_next_server_is_asked_when_the_first_is_gone)
{
	uris[0] = "ldap://127.0.0.1:9";
	uris[1] = slapd.ldap_uri;
	conf.uris.n = 2;
	expect_outcome(list(), MXW_FOUND, "");
	ck_assert_uint_eq(seen.distinct, MORE);
}
END_TEST

static void *interrupt_soon(void *self)
{
	pause_ms(300);
	mxw__directory_ldap.interrupt(self);
	return NULL;
}

START_TEST(a_list_can_be_interrupted)
{
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
	void *self = open_ldap();
	pthread_t thread;
	int64_t start = mxw__ldap_now_ms();

	memset(&seen, 0, sizeof seen);
	slapd_signal(&slapd, SIGSTOP);
	ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_soon, self), 0);
	mxw__directory_ldap.enumerate(self, visit, NULL, NULL, &result);
	pthread_join(thread, NULL);
	slapd_signal(&slapd, SIGCONT);
	ck_assert_int_lt(mxw__ldap_now_ms() - start, 8000);
	ck_assert_int_eq(result.outcome, MXW_TEMPORARY);
	/* For good. */
	mxw__directory_ldap.enumerate(self, visit, NULL, NULL, &result);
	ck_assert_int_eq(result.outcome, MXW_TEMPORARY);
	ck_assert_uint_eq(seen.n, 0);
	mxw__directory_ldap.close(self);
}
END_TEST

START_TEST(who_takes_the_list_may_stop_it)
{
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
	void *self = open_ldap();

	memset(&seen, 0, sizeof seen);
	seen.stop_after = 1500;
	mxw__directory_ldap.enumerate(self, visit, NULL, NULL, &result);
	ck_assert_int_eq(result.outcome, MXW_TEMPORARY);
	ck_assert_uint_eq(seen.n, 1500);
	mxw__directory_ldap.close(self);
}
END_TEST

/* ---- a server that does as it likes ---- */

static const struct {
	const char *what;
	enum ldapd_mode mode;
	int code;
	const char *reference;
	mxw_outcome_t outcome;
} answers[] = {
	{"no paging", LDAPD_ANSWER, LDAP_SUCCESS, NULL, MXW_TEMPORARY},
	{"busy", LDAPD_ANSWER, LDAP_BUSY, NULL, MXW_TEMPORARY},
	{"unavailable critical extension", LDAPD_ANSWER, LDAP_UNAVAILABLE_CRITICAL_EXTENSION, NULL, MXW_TEMPORARY},
	{"size limit", LDAPD_ANSWER, LDAP_SIZELIMIT_EXCEEDED, NULL, MXW_TEMPORARY},
	{"time limit", LDAPD_ANSWER, LDAP_TIMELIMIT_EXCEEDED, NULL, MXW_TEMPORARY},
	{"referral", LDAPD_ANSWER, LDAP_REFERRAL, NULL, MXW_MISCONFIGURED},
	{"reference", LDAPD_ANSWER, LDAP_SUCCESS, "ldap://other.example/dc=example,dc=net", MXW_MISCONFIGURED},
	{"half an answer", LDAPD_HALF, LDAP_SUCCESS, NULL, MXW_TEMPORARY},
	{"garbage", LDAPD_GARBAGE, LDAP_SUCCESS, NULL, MXW_TEMPORARY},
	{"closed", LDAPD_DROP, LDAP_SUCCESS, NULL, MXW_TEMPORARY},
};

START_TEST(nothing_else_than_success_on_every_page_is_complete)
{
	struct ldapd *fake = ldapd_start();
	struct ldapd_settings *settings = ldapd_settings(fake);

	atomic_store(&settings->nentries, 1);
	atomic_store(&settings->code, answers[_i].code);
	atomic_store(&settings->reference, answers[_i].reference);
	atomic_store(&settings->mode, answers[_i].mode);
	uris[0] = ldapd_uri(fake);
	/* Which makes it temporary. */
	if (answers[_i].outcome == MXW_TEMPORARY)
		conf.timeout_ms = 300;
	conf.bind_dn = conf.bind_password = "";
	struct mxw__rcpt_result result = list();
	ck_assert_msg(result.outcome == answers[_i].outcome, "%s: outcome %d: %s", answers[_i].what, (int)result.outcome,
		      result.reason);
	ck_assert_msg(*result.reason, "%s", answers[_i].what);
	ldapd_stop(fake);
}
END_TEST

/* ---- look-ups while slapd is gone ---- */

static struct mxw_conf whole;
static size_t recipients[] = {0};
static const char *const names[] = {"example.net"};
static struct mxw__domain_conf domain_conf;

static mxw__directories_t *open_set(void)
{
	struct mxw__directories_env env = {
		.clock = mxw_clock_system(),
		.notice = notices_take,
		.notice_ctx = &notices,
		.state_dir = state.dir,
	};
	mxw__directories_t *set = NULL;
	struct mxw_error err = {0};

	domain_conf = (struct mxw__domain_conf){
		.names = {1, names},
		.nrecipients = 1,
		.recipients = recipients,
		.delimiters = "+",
		.postmaster = MXW__POSTMASTER_ACCEPT,
	};
	whole = (struct mxw_conf){.ndirectories = 1, .directories = &conf, .ndomains = 1, .domains = &domain_conf};
	mxw_status_t status = mxw__directories_new(&whole, &env, &set, &err);
	ck_assert_msg(status == MXW_OK, "%s", err.text);
	return set;
}

static struct mxw__rcpt_result look_up(mxw__directories_t *set, const char *text)
{
	mxw__arena_t *arena = mxw__arena_new(65536);
	struct mxw__address address;
	struct mxw__rcpt_result result = {.outcome = MXW_MISCONFIGURED};

	ck_assert_int_eq(mxw__address_parse(arena, text, &address), MXW_OK);
	struct mxw__rcpt_query query = {.address = &address, .deadline_ms = mxw__ldap_now_ms() + 9000};
	mxw__directories_lookup(set, &domain_conf, &query, &result);
	mxw__arena_free(arena);
	return result;
}

static void wait_for_copy(void)
{
	char *path = scratch_path(&state, "copy-staff");

	for (int i = 0; i < WAIT_TRIES && access(path, F_OK) != 0; i++)
		pause_ms(10);
	ck_assert_msg(access(path, F_OK) == 0, "%s", mxw__buf_str(&notices.text));
	free(path);
}

static const struct {
	const char *address;
	mxw_outcome_t outcome;
	mxw__rcpt_copy_t copy;
} offline[] = {
	{"many9999@example.net", MXW_FOUND, MXW__COPY_KNOWN},
	{"USER17@example.net", MXW_FOUND, MXW__COPY_KNOWN},
	{"many1+list@example.net", MXW_FOUND, MXW__COPY_KNOWN},
	{"a*b@example.net", MXW_FOUND, MXW__COPY_KNOWN},
	{"\"(p)\"@example.net", MXW_FOUND, MXW__COPY_KNOWN},
	{"many10000@example.net", MXW_TEMPORARY, MXW__COPY_ABSENT},
	{"nobody+list@example.net", MXW_TEMPORARY, MXW__COPY_ABSENT},
	{"*@example.net", MXW_TEMPORARY, MXW__COPY_ABSENT},
};

static void expect_offline(mxw__directories_t *set)
{
	/* The file is there a moment before it is in use. */
	for (int i = 0; i < WAIT_TRIES && look_up(set, offline[0].address).copy == MXW__COPY_NONE; i++)
		pause_ms(10);
	for (size_t i = 0; i < MXW_ARRAY_LEN(offline); i++) {
		struct mxw__rcpt_result result = look_up(set, offline[i].address);
		ck_assert_msg(result.outcome == offline[i].outcome && result.copy == offline[i].copy, "%s: outcome %d, copy %d: %s",
			      offline[i].address, (int)result.outcome, (int)result.copy, result.reason);
		if (result.outcome == MXW_FOUND)
			ck_assert_int_eq(result.origin, MXW__ORIGIN_COPY);
		ck_assert_str_eq(result.source, "staff");
	}
}

START_TEST(without_the_server_the_copy_answers)
{
	mxw__directories_t *set = open_set();

	wait_for_copy();
	slapd_kill(&slapd);
	expect_offline(set);
	mxw__directories_free(set);
	/* The same after a start without it. */
	set = open_set();
	expect_offline(set);
	mxw__directories_free(set);
	/* And while the server is there nobody asks the copy. */
	slapd_start(&slapd);
	set = open_set();
	struct mxw__rcpt_result result = look_up(set, "nobody@example.net");
	ck_assert_int_eq(result.outcome, MXW_NOT_FOUND);
	ck_assert_int_eq(result.copy, MXW__COPY_NONE);
	mxw__directories_free(set);
}
END_TEST

START_TEST(a_directory_that_can_t_be_opened_has_its_copy)
{
	mxw__directories_t *set = open_set();

	wait_for_copy();
	mxw__directories_free(set);
	/* As after the password file was lost. */
	conf.bind_password = "";
	set = open_set();
	struct mxw__rcpt_result known = look_up(set, "many1@example.net"), other = look_up(set, "nobody@example.net");
	ck_assert_int_eq(known.outcome, MXW_FOUND);
	ck_assert_int_eq(known.copy, MXW__COPY_KNOWN);
	ck_assert_int_eq(other.outcome, MXW_MISCONFIGURED);
	ck_assert_int_eq(other.copy, MXW__COPY_ABSENT);
	mxw__directories_free(set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ldap_pull");
	TCase *real = tcase_create("slapd"), *fake = tcase_create("ldapd");

	/* Outside of this test lists are made by threads that take no signals. */
	signal(SIGPIPE, SIG_IGN);
	tcase_add_unchecked_fixture(real, start_slapd, end_slapd);
	tcase_add_checked_fixture(real, set_up, tear_down);
	tcase_set_timeout(real, 180);
	tcase_add_test(real, ten_thousand_entries_are_listed_in_pages);
	tcase_add_test(real, a_base_with_the_domain_is_listed_for_each);
	tcase_add_test(real, the_server_s_size_limit_makes_it_incomplete);
	tcase_add_test(real, a_base_that_does_not_exist_makes_it_incomplete);
	tcase_add_test(real, a_wrong_password_makes_it_incomplete);
	tcase_add_test(real, a_server_that_dies_makes_it_incomplete);
	tcase_add_test(real, the_next_server_is_asked_when_the_first_is_gone);
	tcase_add_test(real, a_list_can_be_interrupted);
	tcase_add_test(real, who_takes_the_list_may_stop_it);
	tcase_add_test(real, without_the_server_the_copy_answers);
	tcase_add_test(real, a_directory_that_can_t_be_opened_has_its_copy);
	suite_add_tcase(suite, real);
	tcase_add_checked_fixture(fake, set_up, tear_down);
	tcase_set_timeout(fake, 120);
	tcase_add_loop_test(fake, nothing_else_than_success_on_every_page_is_complete, 0, MXW_ARRAY_LEN(answers));
	suite_add_tcase(suite, fake);
	return run_suite(suite);
}
