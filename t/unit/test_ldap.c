/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directory type "ldap" against a real slapd, and against a server that misbehaves on order.
 */
#include "config.h"

#include <ldap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/directory/ldap_pool.h"
#include "t/fakes/lateness.h"
#include "t/fakes/ldapd.h"
#include "t/fakes/notices.h"
#include "t/fakes/slapd.h"
#include "t/fakes/suite.h"

/* What a sanitizer adds to every step; 0 in an ordinary build. (libldap makes room for the 4 GB that garbage announces: to give
 * that back takes half a second under ThreadSanitizer.) */
#if defined(MXW_WITH_TSAN) || defined(MXW_WITH_ASAN)
enum { SLACK_MS = 1000 };
#else
enum { SLACK_MS = 0 };
#endif
/* For what is not to be late, and ends as soon as it is there. */
enum { PATIENCE_MS = 20000 };
/* A look-up that waits for nothing. */
enum { FAST_US = 1000 + 10 * SLACK_MS };
#define PASSWORD "opensesame"

static struct slapd slapd;
static struct notices notices;
static const char *uris[2], *bases[3];
static struct mxw__directory_conf conf;

static int64_t now_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* ---- one directory ---- */

static void start_slapd(void)
{
	slapd_init(&slapd);
}

static void end_slapd(void)
{
	slapd_fini(&slapd);
}

static void set_up(void)
{
	notices_init(&notices);
	if (slapd.scratch.dir[0] && slapd.pid == 0)
		slapd_start(&slapd);
	uris[0] = slapd.ldap_uri;
	bases[0] = "dc=example,dc=net";
	conf = (struct mxw__directory_conf){
		.name = "staff",
		.type = MXW__DIRECTORY_LDAP,
		.uris = {1, uris},
		.bases = {1, bases},
		.filter = "(|(mail={addr})(description={addr}))",
		.scope = "sub",
		.bind_dn = "cn=mxward,dc=example,dc=net",
		.bind_password = PASSWORD,
		.tls_ca_file = slapd.ca_file,
		.connections = 2,
		.timeout_ms = PATIENCE_MS,
		.connect_timeout_ms = PATIENCE_MS,
		.retry_ms = 200,
	};
}

static void tear_down(void)
{
	ck_assert_msg(!notices_have(&notices, PASSWORD), "%s", mxw__buf_str(&notices.text));
	notices_fini(&notices);
}

static void use_fake(struct ldapd *fake)
{
	uris[0] = ldapd_uri(fake);
	conf.bind_dn = conf.bind_password = "";
}

static struct mxw__directory_env environment(void)
{
	return (struct mxw__directory_env){
		.conf = &conf,
		.clock = mxw_clock_system(),
		.notice = notices_take,
		.notice_ctx = &notices,
	};
}

static void *open_ldap(void)
{
	void *self = NULL;
	struct mxw_error err = {0};
	struct mxw__directory_env env = environment();
	mxw_status_t status = mxw__directory_ldap.open(&env, &self, &err);

	ck_assert_msg(status == MXW_OK, "%s", err.text);
	return self;
}

static void close_ldap(void *self)
{
	struct lateness_mark start = lateness_mark();

	mxw__directory_ldap.close(self);
	/* No time-out was waited for; on a busy machine threads take their time to end. */
	ck_assert_int_lt(lateness_took_ms(&start), 3000 + SLACK_MS);
}

static struct mxw__rcpt_result ask_within(void *self, const char *text, int ms)
{
	char store[400];
	snprintf(store, sizeof store, "%s", text);
	char *at = strrchr(store, '@');
	struct mxw__address a = {.text = text, .local = store, .domain = at ? at + 1 : ""};
	if (at)
		*at = '\0';
	struct mxw__rcpt_query query = {.address = &a, .deadline_ms = now_ms() + ms};
	struct mxw__rcpt_result result = {.outcome = MXW_MISCONFIGURED};

	mxw__directory_ldap.lookup(self, &query, &result);
	return result;
}

static struct mxw__rcpt_result ask(void *self, const char *text)
{
	return ask_within(self, text, PATIENCE_MS);
}

#define ck_outcome(result, expected)                                                                                          \
	do {                                                                                                                  \
		struct mxw__rcpt_result result_ = (result);                                                                   \
		ck_assert_msg(result_.outcome == (expected), "%s, %s was expected: %s\n%s", mxw_outcome_name(result_.outcome), \
			      mxw_outcome_name(expected), result_.reason, mxw__buf_str(&notices.text));                       \
	} while (0)

/* Notices are told after the look-ups were answered. */
static bool is_told_of(const char *part)
{
	for (int i = 0; i < 1000 && !notices_have(&notices, part); i++)
		pause_ms(10);
	return notices_have(&notices, part);
}

static void ck_told(const char *part)
{
	ck_assert_msg(is_told_of(part), "\"%s\" not in:\n%s", part, mxw__buf_str(&notices.text));
}

/* Asks until the outcome is this one, for at most `ms`; returns how long that took, -1 if it never was. What the machine took is
 * in neither. */
static int64_t until(void *self, const char *who, mxw_outcome_t outcome, int ms)
{
	struct lateness_mark start = lateness_mark();

	do {
		if (ask_within(self, who, 1000).outcome == outcome)
			return lateness_took_ms(&start);
		pause_ms(10);
	} while (lateness_took_ms(&start) < ms);
	return -1;
}

static bool comes_to(atomic_uint *count, unsigned least)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(count) < least; i++)
		pause_ms(1);
	return atomic_load(count) >= least;
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* None of a hundred look-ups waits for a server that is known to be away. One in ten may be kept waiting for a processor. */
static void ck_fails_fast(void *self, const char *who)
{
	int64_t took[100];

	for (size_t i = 0; i < MXW_ARRAY_LEN(took); i++) {
		int64_t start = now_us();
		ck_outcome(ask(self, who), MXW_TEMPORARY);
		took[i] = now_us() - start;
	}
	qsort(took, MXW_ARRAY_LEN(took), sizeof took[0], by_size);
	ck_assert_int_lt(took[MXW_ARRAY_LEN(took) * 9 / 10], FAST_US);
}

/* ---- escaping ---- */

static const struct {
	const char *in;
	size_t len;
	const char *filter, *dn;
} escapes[] = {
	{"plain.user-1_x", 14, "plain.user-1_x", "plain.user-1_x"},
	{"a*b", 3, "a\\2ab", "a\\2ab"},
	{"(x)", 3, "\\28x\\29", "\\28x\\29"},
	{"a\\b", 3, "a\\5cb", "a\\5cb"},
	{"a\0b", 3, "a\\00b", "a\\00b"},
	{"\xc3\xb6", 2, "\\c3\\b6", "\\c3\\b6"},
	{"a,b+c=d\"e#f;g<h>", 16, "a,b+c=d\"e#f;g<h>", "a\\2cb\\2bc\\3dd\\22e\\23f\\3bg\\3ch\\3e"},
	{" a ", 3, " a ", "\\20a\\20"},
	{"\x01\x7f\n", 3, "\\01\\7f\\0a", "\\01\\7f\\0a"},
	{"{addr}", 6, "{addr}", "\\7baddr\\7d"},
};

START_TEST(values_are_escaped_for_filters_and_names)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, 1000);
	mxw__ldap_add_escaped(&buf, MXW__LDAP_FILTER, escapes[_i].in, escapes[_i].len);
	ck_assert_str_eq(mxw__buf_str(&buf), escapes[_i].filter);
	mxw__buf_clear(&buf);
	mxw__ldap_add_escaped(&buf, MXW__LDAP_DN, escapes[_i].in, escapes[_i].len);
	ck_assert_str_eq(mxw__buf_str(&buf), escapes[_i].dn);
	mxw__buf_fini(&buf);
}
END_TEST

START_TEST(an_address_is_filled_in_once_and_as_a_value)
{
	struct mxw__address a = {.text = "{user}*@example.net", .local = "{user}*", .domain = "example.net"};
	struct mxw__buf buf;

	mxw__buf_init(&buf, 1000);
	mxw__ldap_template_fill(&buf, "(&(mail={addr})(uid={user})(dc={domain}))", MXW__LDAP_FILTER, &a);
	ck_assert_str_eq(mxw__buf_str(&buf), "(&(mail={user}\\2a@example.net)(uid={user}\\2a)(dc=example.net))");
	mxw__buf_fini(&buf);
}
END_TEST

/* As the parser of envelopes hands them over: {addr} is an address again, in quotes where it needs them, {user} never is. */
static const struct {
	const char *path, *filter;
} fillings[] = {
	{"<anna@example.net>", "anna@example.net|anna|example.net"},
	{"<\"anna\"@example.net>", "anna@example.net|anna|example.net"},
	{"<\"john smith\"@example.net>", "\"john smith\"@example.net|john smith|example.net"},
	{"<\"a@b\"@example.net>", "\"a@b\"@example.net|a@b|example.net"},
	{"<\"*)(uid=*\"@example.net>", "\"\\2a\\29\\28uid=\\2a\"@example.net|\\2a\\29\\28uid=\\2a|example.net"},
	{"<\"a\\\"b\\\\c\"@example.net>", "\"a\\5c\"b\\5c\\5cc\"@example.net|a\"b\\5cc|example.net"},
	{"<\"{addr}\"@example.net>", "{addr}@example.net|{addr}|example.net"},
	{"<x@b\xc3\xbc" "cher.example>", "x@xn--bcher-kva.example|x|xn--bcher-kva.example"},
	{"<\xc3\xbc@example.net>", "\\c3\\bc@example.net|\\c3\\bc|example.net"},
	{"<x@[192.0.2.1]>", "x@[192.0.2.1]|x|[192.0.2.1]"},
};

START_TEST(what_is_parsed_is_filled_in_escaped)
{
	mxw__arena_t *arena = mxw__arena_new(16384);
	struct mxw__address a;
	struct mxw__buf buf;

	ck_assert_int_eq(mxw__address_parse(arena, fillings[_i].path, &a), MXW_OK);
	mxw__buf_init(&buf, 1000);
	mxw__ldap_template_fill(&buf, "{addr}|{user}|{domain}", MXW__LDAP_FILTER, &a);
	ck_assert_str_eq(mxw__buf_str(&buf), fillings[_i].filter);
	mxw__buf_fini(&buf);
	mxw__arena_free(arena);
}
END_TEST

static const struct {
	const char *tmpl;
	mxw__ldap_escape_t how;
	bool ok;
} templates[] = {
	{"(mail={addr})", MXW__LDAP_FILTER, true},
	{"(&(uid={user})(o={domain}))", MXW__LDAP_FILTER, true},
	{"(mail=x)", MXW__LDAP_FILTER, true},
	{"(mail={address})", MXW__LDAP_FILTER, false},
	{"(mail={addr)", MXW__LDAP_FILTER, false},
	{"(mail={})", MXW__LDAP_FILTER, false},
	{"ou={domain},dc=example", MXW__LDAP_DN, true},
	{"uid={user},dc=example", MXW__LDAP_DN, false},
	{"mail={addr},dc=example", MXW__LDAP_DN, false},
};

START_TEST(placeholders_are_checked)
{
	struct mxw_error err;
	mxw_status_t status = mxw__ldap_template_check(templates[_i].tmpl, templates[_i].how, &err);

	ck_assert_int_eq(status, templates[_i].ok ? MXW_OK : MXW_ERR_CONF);
}
END_TEST

static const struct {
	const char *what;
	const char *uri, *filter, *base, *scope, *dn, *password;
	bool starttls;
} bad_confs[] = {
	{.what = "uri", .uri = "http://x"},
	{.what = "filter", .filter = "(mail={adr})"},
	{.what = "base", .base = "uid={user},dc=x"},
	{.what = "scope", .scope = "children"},
	{.what = "a name without a password", .password = ""},
	{.what = "a password without a name", .dn = ""},
	{.what = "StartTLS within TLS", .uri = "ldaps://localhost", .starttls = true},
	{.what = "StartTLS on a unix socket", .uri = "ldapi://%2Ftmp%2Fx", .starttls = true},
};

START_TEST(a_wrong_configuration_is_refused_and_shows_no_password)
{
	void *self = NULL;
	struct mxw_error err = {0};

	if (bad_confs[_i].uri)
		uris[0] = bad_confs[_i].uri;
	if (bad_confs[_i].filter)
		conf.filter = bad_confs[_i].filter;
	if (bad_confs[_i].base)
		bases[0] = bad_confs[_i].base;
	if (bad_confs[_i].scope)
		conf.scope = bad_confs[_i].scope;
	if (bad_confs[_i].dn)
		conf.bind_dn = bad_confs[_i].dn;
	if (bad_confs[_i].password)
		conf.bind_password = bad_confs[_i].password;
	conf.starttls = bad_confs[_i].starttls;
	struct mxw__directory_env env = environment();
	ck_assert_msg(mxw__directory_ldap.open(&env, &self, &err) ==
			      MXW_ERR_CONF, "%s", bad_confs[_i].what);
	ck_assert_ptr_null(strstr(err.text, PASSWORD));
	ck_assert_ptr_null(self);
}
END_TEST

/* ---- results ---- */

static const struct {
	int code;
	unsigned nentries;
	bool elsewhere;
	mxw_outcome_t outcome;
} judgements[] = {
	{LDAP_SUCCESS, 1, false, MXW_FOUND},
	{LDAP_SUCCESS, 0, false, MXW_NOT_FOUND},
	{LDAP_SUCCESS, 0, true, MXW_MISCONFIGURED},
	{LDAP_SUCCESS, 1, true, MXW_FOUND},
	{LDAP_SIZELIMIT_EXCEEDED, 1, false, MXW_FOUND},
	{LDAP_SIZELIMIT_EXCEEDED, 0, false, MXW_TEMPORARY},
	{LDAP_TIMELIMIT_EXCEEDED, 0, false, MXW_TEMPORARY},
	{LDAP_TIMELIMIT_EXCEEDED, 1, false, MXW_FOUND},
	{LDAP_ADMINLIMIT_EXCEEDED, 0, false, MXW_TEMPORARY},
	{LDAP_NO_SUCH_OBJECT, 0, false, MXW_MISCONFIGURED},
	{LDAP_REFERRAL, 0, false, MXW_MISCONFIGURED},
	{LDAP_INVALID_CREDENTIALS, 0, false, MXW_MISCONFIGURED},
	{LDAP_INSUFFICIENT_ACCESS, 0, false, MXW_MISCONFIGURED},
	{LDAP_INVALID_DN_SYNTAX, 0, false, MXW_MISCONFIGURED},
	{LDAP_FILTER_ERROR, 0, false, MXW_MISCONFIGURED},
	{LDAP_BUSY, 0, false, MXW_TEMPORARY},
	{LDAP_UNAVAILABLE, 0, false, MXW_TEMPORARY},
	{LDAP_OPERATIONS_ERROR, 0, false, MXW_TEMPORARY},
	{LDAP_NO_SUCH_ATTRIBUTE, 0, false, MXW_TEMPORARY},
	{LDAP_OTHER, 0, false, MXW_TEMPORARY},
	{LDAP_COMPARE_FALSE, 0, false, MXW_TEMPORARY},
	{4711, 0, false, MXW_TEMPORARY},
};

START_TEST(only_success_without_an_entry_is_not_found)
{
	ck_assert_int_eq(mxw__ldap_judge_search(judgements[_i].code, judgements[_i].nentries, judgements[_i].elsewhere),
			 judgements[_i].outcome);
}
END_TEST

static const struct {
	const char *url;
	bool counts;
} references[] = {
	{"ldap://DomainDnsZones.example.net/DC=DomainDnsZones,DC=example,DC=net", false},
	{"ldap://ForestDnsZones.example.net/dc=forestdnszones,DC=example,DC=net", false},
	{"ldap://example.net/CN=Configuration,DC=example,DC=net", false},
	{"ldap://child.example.net/DC=child,DC=example,DC=net", true},
	{"ldap://other.example.net/", true},
	{"ldap://other.example.net", true},
	{"no url", true},
};

START_TEST(references_out_of_the_mailboxes_do_not_count)
{
	ck_assert_int_eq(mxw__ldap_reference_counts(references[_i].url), references[_i].counts);
}
END_TEST

/* ---- a real server ---- */

static const struct {
	const char *who;
	mxw_outcome_t outcome;
} people[] = {
	{"user0@example.net", MXW_FOUND},
	{"user299@example.net", MXW_FOUND},
	{"USER7@Example.net", MXW_FOUND},
	{"user300@example.net", MXW_NOT_FOUND},
	{"", MXW_NOT_FOUND},
	{"a*b@example.net", MXW_FOUND},
	{"(p)@example.net", MXW_FOUND},
	{"back\\slash@example.net", MXW_FOUND},
	{"j\xc3\xb6rg@example.net", MXW_FOUND},
	{"*", MXW_NOT_FOUND},
	{"*@example.net", MXW_NOT_FOUND},
	{"user*@example.net", MXW_NOT_FOUND},
	{"a**b@example.net", MXW_NOT_FOUND},
	{"x)(mail=*", MXW_NOT_FOUND},
	{"x)(|(mail=*)@example.net", MXW_NOT_FOUND},
	{"*)(objectClass=*", MXW_NOT_FOUND},
	{"\\2a", MXW_NOT_FOUND},
	{"back\\5cslash@example.net", MXW_NOT_FOUND},
	{"j\xc3\xbcrg@example.net", MXW_NOT_FOUND},
	{"j\xc3*@example.net", MXW_NOT_FOUND},
	{"\xff\xfe@example.net", MXW_NOT_FOUND},
	{"user0@example.net\x01", MXW_NOT_FOUND},
};

START_TEST(people_are_found_and_metacharacters_find_nothing_more)
{
	void *self = open_ldap();

	for (size_t i = 0; i < MXW_ARRAY_LEN(people); i++) {
		struct mxw__rcpt_result r = ask(self, people[i].who);
		ck_assert_msg(r.outcome == people[i].outcome, "%s: %s %s", people[i].who,
			      mxw_outcome_name(r.outcome), r.reason);
	}
	ck_assert_uint_eq(notices_count(&notices), 0);
	close_ldap(self);
}
END_TEST

START_TEST(user_and_domain_may_stand_in_filter_and_base)
{
	conf.filter = "(uid={user})";
	bases[0] = "dc=open,dc=example,dc=net";
	void *self = open_ldap();
	ck_outcome(ask(self, "guest@whatever.example"), MXW_FOUND);
	ck_outcome(ask(self, "user1@example.net"), MXW_NOT_FOUND);
	close_ldap(self);

	bases[0] = "dc={domain},dc=example,dc=net";
	self = open_ldap();
	ck_outcome(ask(self, "guest@open"), MXW_FOUND);
	ck_outcome(ask(self, "nobody@open"), MXW_NOT_FOUND);
	/* No such base: that is no statement about the recipient. */
	ck_outcome(ask(self, "guest@shut"), MXW_MISCONFIGURED);
	ck_outcome(ask(self, "guest@open,dc=example,dc=net"), MXW_MISCONFIGURED);
	close_ldap(self);
}
END_TEST

static const struct {
	const char *what;
	size_t uri; /* offset in struct slapd */
	bool starttls, is_anonymous;
} ways[] = {
	{"ldap", offsetof(struct slapd, ldap_uri), false, false},
	{"a host name", offsetof(struct slapd, wrong_name_uri), false, false},
	{"ldapi", offsetof(struct slapd, ldapi_uri), false, false},
	{"ldaps", offsetof(struct slapd, ldaps_uri), false, false},
	{"StartTLS", offsetof(struct slapd, ldap_uri), true, false},
	{"anonymous", offsetof(struct slapd, ldap_uri), false, true},
};

START_TEST(every_way_to_the_server_works)
{
	uris[0] = (const char *)&slapd + ways[_i].uri;
	conf.starttls = ways[_i].starttls;
	if (ways[_i].is_anonymous) {
		conf.bind_dn = conf.bind_password = "";
		bases[0] = "dc=open,dc=example,dc=net";
	}
	void *self = open_ldap();
	ck_outcome(ask(self, "guest@example.net"), MXW_FOUND);
	for (int i = 0; i < 50; i++)
		ck_outcome(ask(self, "nobody@example.net"), MXW_NOT_FOUND);
	ck_assert_uint_eq(notices_count(&notices), 0);
	close_ldap(self);
}
END_TEST

static const struct {
	const char *what;
	size_t uri, ca;
	bool starttls;
} bad_tls[] = {
	{"another CA, ldaps", offsetof(struct slapd, ldaps_uri), offsetof(struct slapd, other_ca_file), false},
	{"another CA, StartTLS", offsetof(struct slapd, ldap_uri), offsetof(struct slapd, other_ca_file), true},
	{"another name, ldaps", offsetof(struct slapd, wrong_name_tls_uri), offsetof(struct slapd, ca_file), false},
	{"another name, StartTLS", offsetof(struct slapd, wrong_name_uri), offsetof(struct slapd, ca_file), true},
	{"the system's CAs", offsetof(struct slapd, ldaps_uri), 0, false},
};

START_TEST(a_server_with_a_wrong_certificate_is_not_used)
{
	uris[0] = (const char *)&slapd + bad_tls[_i].uri;
	conf.tls_ca_file = bad_tls[_i].ca ? (const char *)&slapd + bad_tls[_i].ca : "";
	conf.starttls = bad_tls[_i].starttls;
	void *self = open_ldap();
	ck_outcome(ask(self, "user1@example.net"), MXW_TEMPORARY);
	ck_told(uris[0]);
	close_ldap(self);
}
END_TEST

START_TEST(a_ca_file_that_is_missing_is_a_misconfiguration)
{
	uris[0] = slapd.ldaps_uri;
	conf.tls_ca_file = "/nonexistent/ca.pem";
	void *self = open_ldap();
	ck_outcome(ask(self, "user1@example.net"), MXW_MISCONFIGURED);
	ck_told("/nonexistent/ca.pem");
	close_ldap(self);
}
END_TEST

START_TEST(a_wrong_password_is_a_misconfiguration_and_never_shown)
{
	conf.bind_password = PASSWORD "-not";
	void *self = open_ldap();
	struct mxw__rcpt_result r = ask(self, "user1@example.net");
	ck_outcome(r, MXW_MISCONFIGURED);
	ck_assert_ptr_null(strstr(r.reason, PASSWORD));
	ck_outcome(ask(self, "nobody@example.net"), MXW_MISCONFIGURED);
	ck_told("error: directory staff: ");
	ck_told("Invalid credentials");
	pause_ms(700); /* it was tried again meanwhile */
	ck_assert_uint_eq(notices_count(&notices), 1);
	close_ldap(self);
}
END_TEST

static const struct {
	const char *what, *base, *filter;
} bad_searches[] = {
	{"no such base", "dc=nowhere", NULL},
	{"no such base below ours", "ou=none,dc=example,dc=net", NULL},
	{"a base that is no name", "what is this", NULL},
	{"an open filter", NULL, "(mail={addr}"},
	{"no filter", NULL, "mail={addr})("},
};

START_TEST(a_wrong_base_or_filter_is_a_misconfiguration)
{
	if (bad_searches[_i].base)
		bases[0] = bad_searches[_i].base;
	if (bad_searches[_i].filter)
		conf.filter = bad_searches[_i].filter;
	void *self = open_ldap();
	for (int i = 0; i < 20; i++)
		ck_outcome(ask(self, "user1@example.net"), MXW_MISCONFIGURED);
	ck_told("error: directory staff: ");
	ck_assert_uint_eq(notices_count(&notices), 1);
	close_ldap(self);
}
END_TEST

START_TEST(a_killed_server_fails_fast_and_is_used_again_within_two_seconds)
{
	void *self = open_ldap();

	ck_outcome(ask(self, "user1@example.net"), MXW_FOUND);
	slapd_kill(&slapd);
	ck_assert_int_ge(until(self, "user1@example.net", MXW_TEMPORARY, 1000), 0);
	/* Both connections have had time to see it. */
	pause_ms(100);
	ck_fails_fast(self, "user1@example.net");
	/* The pauses between attempts have grown by now. */
	pause_ms(2500);
	slapd_start(&slapd);
	int64_t took = until(self, "user1@example.net", MXW_FOUND, 5000);
	ck_assert_int_ge(took, 0);
	ck_assert_int_le(took, 2000);
	ck_outcome(ask(self, "nobody@example.net"), MXW_NOT_FOUND);
	ck_told("answers again");
	ck_assert_msg(notices_count(&notices) <= 3, "%s", mxw__buf_str(&notices.text));
	close_ldap(self);
}
END_TEST

/* At its deadline a look-up returns. A machine that is busy may be late once, but not each time. */
START_TEST(a_stopped_server_is_temporary_at_the_deadline_and_good_when_it_goes_on)
{
	void *self = open_ldap();
	struct mxw__rcpt_result r = {.outcome = MXW_TEMPORARY};
	int64_t took = INT64_MAX, passed = 0;

	ck_outcome(ask(self, "user1@example.net"), MXW_FOUND);
	slapd_signal(&slapd, SIGSTOP);
	for (int i = 0; i < 4 && r.outcome == MXW_TEMPORARY && took > 700 + 150 + SLACK_MS; i++) {
		struct lateness_mark start = lateness_mark();
		r = ask_within(self, "user1@example.net", 700);
		took = lateness_took_ms(&start);
		passed = now_ms() - start.at_ms;
	}
	slapd_signal(&slapd, SIGCONT);
	ck_outcome(r, MXW_TEMPORARY);
	ck_assert_int_ge(passed, 650);
	ck_assert_int_le(took, 700 + 150 + SLACK_MS);
	ck_assert_int_ge(until(self, "user1@example.net", MXW_FOUND, 2000), 0);
	ck_assert_uint_eq(notices_count(&notices), 0);
	close_ldap(self);
}
END_TEST

START_TEST(a_server_stopped_for_long_fails_fast_and_is_used_again_within_two_seconds)
{
	conf.timeout_ms = 400;
	conf.connect_timeout_ms = 500;
	void *self = open_ldap();

	ck_assert_int_ge(until(self, "user1@example.net", MXW_FOUND, 10000), 0);
	slapd_signal(&slapd, SIGSTOP);
	for (int i = 0; i < 8; i++)
		ck_outcome(ask_within(self, "user1@example.net", 1000), MXW_TEMPORARY);
	ck_fails_fast(self, "user1@example.net");
	slapd_signal(&slapd, SIGCONT);
	int64_t took = until(self, "user1@example.net", MXW_FOUND, 5000);
	ck_assert_int_ge(took, 0);
	ck_assert_int_le(took, 2000);
	close_ldap(self);
}
END_TEST

/* Asks, lets it be idle, and asks again while it says nothing; returns what that took. */
static int64_t ask_after_idling(void *self, int idle_ms)
{
	for (int i = 0; i < 3; i++) {
		ck_assert_int_ge(until(self, "user1@example.net", MXW_FOUND, 10000), 0);
		ck_assert_int_ge(until(self, "nobody@example.net", MXW_NOT_FOUND, 10000), 0);
		pause_ms(idle_ms);
	}
	slapd_signal(&slapd, SIGSTOP);
	struct lateness_mark start = lateness_mark();
	struct mxw__rcpt_result r = ask_within(self, "user1@example.net", 4000);
	int64_t took = lateness_took_ms(&start);
	/* It is told by the connection, which could be answered after all. */
	bool is_told = is_told_of("no answer within 400 ms");
	slapd_signal(&slapd, SIGCONT);
	ck_outcome(r, MXW_TEMPORARY);
	ck_assert_msg(is_told, "%s", mxw__buf_str(&notices.text));
	ck_assert_int_ge(until(self, "user1@example.net", MXW_FOUND, 2000), 0);
	return took;
}

/* After one time-out without a question a connection's thread sleeps until it is woken. */
START_TEST(a_server_that_was_idle_is_asked_again_and_missed_when_it_says_nothing)
{
	int64_t took = INT64_MAX;

	conf.connections = 1;
	conf.timeout_ms = 400;
	void *self = open_ldap();
	for (int i = 0; i < 3 && took > 400 + 400 + SLACK_MS; i++)
		took = ask_after_idling(self, _i == 1 ? 1000 : 100);
	ck_assert_int_le(took, 400 + 400 + SLACK_MS);
	close_ldap(self);
}
END_TEST

/* The last answer and the question come in the same millisecond, mostly. */
START_TEST(a_server_that_falls_silent_right_after_an_answer_is_missed)
{
	struct ldapd *fake = ldapd_start();

	use_fake(fake);
	conf.connections = 1;
	conf.timeout_ms = 300;
	atomic_store(&ldapd_settings(fake)->known, "slow");
	atomic_store(&ldapd_settings(fake)->known_delay_ms, 10000);
	void *self = open_ldap();
	/* A machine that is busy may keep an answer for 300 ms, and the server is missed: then it is asked until it is back. */
	for (int i = 0; i < 50; i++)
		ck_assert_int_ge(until(self, "nobody@example.net", MXW_NOT_FOUND, PATIENCE_MS), 0);
	/* The one connection has told of that before it was made again. */
	unsigned told = notices_count_of(&notices, "; no server is left");
	ck_outcome(ask_within(self, "slow@example.net", 4000), MXW_TEMPORARY);
	for (int i = 0; i < PATIENCE_MS && notices_count_of(&notices, "; no server is left") == told; i++)
		pause_ms(1);
	ck_assert_msg(notices_count_of(&notices, "; no server is left") == told + 1, "%s", mxw__buf_str(&notices.text));
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

/* Each of them alone, and so sent by the look-up itself, to a server that has just gone. */
START_TEST(a_server_that_goes_ends_no_program)
{
	conf.connections = 3;
	void *self = open_ldap();
	for (int i = 0; i < 5; i++) {
		ck_assert_int_ge(until(self, "user1@example.net", MXW_FOUND, 4000), 0);
		slapd_kill(&slapd);
		for (int j = 0; j < 6; j++)
			ck_outcome(ask_within(self, "user2@example.net", 1000), MXW_TEMPORARY);
		slapd_start(&slapd);
	}
	close_ldap(self);
}
END_TEST

START_TEST(closing_does_not_wait_for_a_stopped_server)
{
	conf.connect_timeout_ms = 30000;
	conf.starttls = _i == 1;
	uris[0] = _i == 2 ? slapd.ldaps_uri : slapd.ldap_uri;
	void *busy = open_ldap();
	ck_outcome(ask(busy, "user1@example.net"), MXW_FOUND);
	slapd_signal(&slapd, SIGSTOP);
	void *fresh = open_ldap();
	ck_outcome(ask_within(busy, "user1@example.net", 100), MXW_TEMPORARY);
	ck_outcome(ask_within(fresh, "user1@example.net", 100), MXW_TEMPORARY);
	struct lateness_mark start = lateness_mark();
	mxw__directory_ldap.close(busy);
	mxw__directory_ldap.close(fresh);
	int64_t took = lateness_took_ms(&start);
	slapd_signal(&slapd, SIGCONT);
	ck_assert_int_lt(took, 1500);
}
END_TEST

START_TEST(the_second_server_takes_over_and_the_first_is_used_again)
{
	struct ldapd *fake = ldapd_start();

	/* The fake one finds nobody: that tells who answered. */
	uris[1] = ldapd_uri(fake);
	conf.uris.n = 2;
	conf.retry_ms = 100;
	void *self = open_ldap();
	ck_outcome(ask(self, "user1@example.net"), MXW_FOUND);
	slapd_kill(&slapd);
	pause_ms(50);
	ck_outcome(ask(self, "user1@example.net"), MXW_NOT_FOUND);
	slapd_start(&slapd);
	/* Asked after pauses that grow: it may be away for as long again as slapd took to start. */
	ck_assert_int_ge(until(self, "user1@example.net", MXW_FOUND, 2 * PATIENCE_MS), 0);
	close_ldap(self);

	/* Down from the start. */
	slapd_kill(&slapd);
	self = open_ldap();
	ck_outcome(ask(self, "user1@example.net"), MXW_NOT_FOUND);
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

struct storm {
	void *self;
	atomic_bool stop;
	atomic_uint asked, wrong, late;
};

static void *ask_in_the_storm(void *arg)
{
	struct storm *storm = arg;
	char who[64];

	for (unsigned i = 0; !atomic_load(&storm->stop); i++) {
		bool is_known = i % 2;
		snprintf(who, sizeof who, "%s%u@example.net", is_known ? "user" : "none", i % 300);
		struct lateness_mark start = lateness_mark();
		mxw_outcome_t outcome = ask_within(storm->self, who, 500).outcome;
		if (outcome == (is_known ? MXW_NOT_FOUND : MXW_FOUND) || outcome == MXW_MISCONFIGURED)
			atomic_fetch_add(&storm->wrong, 1);
		if (lateness_took_ms(&start) > 500 + 250 + SLACK_MS)
			atomic_fetch_add(&storm->late, 1);
		atomic_fetch_add(&storm->asked, 1);
		pause_ms(2);
	}
	return NULL;
}

START_TEST(nobody_is_refused_by_mistake_while_the_server_is_killed_stopped_and_restarted)
{
	struct storm storm = {.stop = false};
	pthread_t threads[20];

	conf.timeout_ms = 400;
	conf.connect_timeout_ms = 400;
	conf.retry_ms = 50;
	storm.self = open_ldap();
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_in_the_storm, &storm), 0);
	for (int i = 0; i < 3; i++) {
		pause_ms(150);
		slapd_kill(&slapd);
		pause_ms(150);
		slapd_start(&slapd);
		pause_ms(150);
		slapd_signal(&slapd, SIGSTOP);
		pause_ms(i == 1 ? 900 : 100);
		slapd_signal(&slapd, SIGCONT);
	}
	pause_ms(300);
	bool are_enough = comes_to(&storm.asked, 501);
	atomic_store(&storm.stop, true);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert(are_enough);
	ck_assert_uint_eq(atomic_load(&storm.wrong), 0);
	ck_assert_uint_eq(atomic_load(&storm.late), 0);
	ck_assert_int_ge(until(storm.self, "user1@example.net", MXW_FOUND, 2000), 0);
	close_ldap(storm.self);
}
END_TEST

/* ---- a misbehaving server ---- */

enum { ASKERS = 200, TOGETHER_MS = 60000 };

struct asker {
	void *self;
	int number;
	bool all_same;
	struct mxw__rcpt_result result;
	pthread_t thread;
};
static struct asker askers[ASKERS];

static void *ask_one(void *arg)
{
	struct asker *asker = arg;
	char who[64];

	snprintf(who, sizeof who, "someone%d@example.net", asker->all_same ? 0 : asker->number);
	asker->result = ask_within(asker->self, who, TOGETHER_MS);
	return NULL;
}

static void begin_together(void *self, bool all_same)
{
	for (int i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){.self = self, .number = i, .all_same = all_same};
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_one, &askers[i]), 0);
	}
}

static void end_together(mxw_outcome_t expected)
{
	for (int i = 0; i < ASKERS; i++)
		pthread_join(askers[i].thread, NULL);
	for (int i = 0; i < ASKERS; i++)
		ck_outcome(askers[i].result, expected);
}

static unsigned count_waiting(struct mxw__ldap *ldap)
{
	struct mxw__ldap_question *q;
	unsigned n = 0;

	pthread_mutex_lock(&ldap->lock);
	for (size_t i = 0; i < MXW__LDAP_TABLE; i++)
		LIST_FOREACH(q, &ldap->table[i], in_table)
			n += q->waiters;
	pthread_mutex_unlock(&ldap->lock);
	return n;
}

/* No answer comes before all of them are asked. */
START_TEST(two_hundred_slow_lookups_share_two_connections)
{
	struct ldapd *fake = ldapd_start();

	use_fake(fake);
	conf.timeout_ms = TOGETHER_MS;
	atomic_store(&ldapd_settings(fake)->gathers, ASKERS);
	void *self = open_ldap();
	ck_assert(comes_to(&ldapd_counts(fake)->binds, 2));
	begin_together(self, false);
	end_together(MXW_NOT_FOUND);
	ck_assert_uint_eq(atomic_load(&ldapd_counts(fake)->searches), ASKERS);
	ck_assert_uint_eq(atomic_load(&ldapd_counts(fake)->connections), 2);
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

START_TEST(equal_questions_in_flight_are_asked_once)
{
	struct ldapd *fake = ldapd_start();

	use_fake(fake);
	conf.timeout_ms = TOGETHER_MS;
	atomic_store(&ldapd_settings(fake)->gathers, ASKERS);
	atomic_store(&ldapd_settings(fake)->nentries, 1);
	void *self = open_ldap();
	begin_together(self, true);
	for (int i = 0; i < PATIENCE_MS && count_waiting(self) < ASKERS; i++)
		pause_ms(1);
	ck_assert_uint_eq(count_waiting(self), ASKERS);
	struct lateness_mark start = lateness_mark();
	ldapd_let_go(fake);
	end_together(MXW_FOUND);
	ck_assert_int_lt(lateness_took_ms(&start), 2000 + SLACK_MS);
	ck_assert_uint_eq(atomic_load(&ldapd_counts(fake)->searches), 1);
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

static const struct {
	const char *what;
	int code, nentries;
	const char *reference;
	mxw_outcome_t outcome;
} replies[] = {
	{"nothing", 0, 0, NULL, MXW_NOT_FOUND},
	{"an entry", 0, 1, NULL, MXW_FOUND},
	{"many entries", 0, 100, NULL, MXW_FOUND},
	{"the size limit after an entry", LDAP_SIZELIMIT_EXCEEDED, 1, NULL, MXW_FOUND},
	{"the size limit and no entry", LDAP_SIZELIMIT_EXCEEDED, 0, NULL, MXW_TEMPORARY},
	{"busy", LDAP_BUSY, 0, NULL, MXW_TEMPORARY},
	{"unavailable", LDAP_UNAVAILABLE, 0, NULL, MXW_TEMPORARY},
	{"a referral", LDAP_REFERRAL, 0, NULL, MXW_MISCONFIGURED},
	{"no access", LDAP_INSUFFICIENT_ACCESS, 0, NULL, MXW_MISCONFIGURED},
	{"a reference elsewhere", 0, 0, "ldap://child.example.net/dc=child,dc=example,dc=net", MXW_MISCONFIGURED},
	{"a reference to DNS zones", 0, 0, "ldap://x/DC=DomainDnsZones,DC=example,DC=net", MXW_NOT_FOUND},
	{"an entry and a reference", 0, 1, "ldap://child.example.net/dc=child,dc=example,dc=net", MXW_FOUND},
};

START_TEST(each_reply_has_its_outcome)
{
	struct ldapd *fake = ldapd_start();

	use_fake(fake);
	void *self = open_ldap();
	for (size_t i = 0; i < MXW_ARRAY_LEN(replies); i++) {
		atomic_store(&ldapd_settings(fake)->code, replies[i].code);
		atomic_store(&ldapd_settings(fake)->nentries, replies[i].nentries);
		atomic_store(&ldapd_settings(fake)->reference, replies[i].reference);
		struct mxw__rcpt_result r = ask(self, "user1@example.net");
		ck_assert_msg(r.outcome == replies[i].outcome, "%s: %s", replies[i].what, mxw_outcome_name(r.outcome));
	}
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

START_TEST(dropped_idle_connections_are_made_again_in_silence)
{
	struct ldapd *fake = ldapd_start();

	use_fake(fake);
	void *self = open_ldap();
	for (unsigned i = 0; i < 5; i++) {
		ck_outcome(ask(self, "user1@example.net"), MXW_NOT_FOUND);
		/* Both are there and idle: one that is lost again and again while it binds is told. */
		ck_assert(comes_to(&ldapd_counts(fake)->binds, 2 * (i + 1)));
		ldapd_drop_all(fake);
		ck_outcome(ask(self, "user1@example.net"), MXW_NOT_FOUND);
	}
	ck_assert_uint_eq(notices_count(&notices), 0);
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

START_TEST(a_lookup_whose_connection_is_lost_is_asked_again)
{
	struct ldapd *fake = ldapd_start();

	use_fake(fake);
	atomic_store(&ldapd_settings(fake)->nentries, 1);
	void *self = open_ldap();
	ck_outcome(ask(self, "first@example.net"), MXW_FOUND);
	atomic_store(&ldapd_settings(fake)->drops, 1);
	ck_outcome(ask(self, "user1@example.net"), MXW_FOUND);
	ck_assert_uint_eq(atomic_load(&ldapd_counts(fake)->searches), 3);
	/* But not for ever. */
	atomic_store(&ldapd_settings(fake)->mode, LDAPD_DROP);
	ck_outcome(ask(self, "user1@example.net"), MXW_TEMPORARY);
	ck_assert_uint_le(atomic_load(&ldapd_counts(fake)->searches), 7);
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

static const struct {
	const char *what;
	enum ldapd_mode mode;
} misbehaviours[] = {
	{"garbage", LDAPD_GARBAGE},
	{"half an answer", LDAPD_HALF},
	{"silence", LDAPD_SILENT},
	{"a closed connection", LDAPD_DROP},
};

START_TEST(a_misbehaving_server_is_temporary_and_recovers)
{
	struct ldapd *fake = ldapd_start();

	use_fake(fake);
	conf.timeout_ms = 500;
	conf.connect_timeout_ms = 500;
	atomic_store(&ldapd_settings(fake)->mode, misbehaviours[_i].mode);
	void *self = open_ldap();
	int64_t tries[3];
	for (size_t i = 0; i < MXW_ARRAY_LEN(tries); i++) {
		struct lateness_mark start = lateness_mark();
		ck_outcome(ask_within(self, "user1@example.net", 1000), MXW_TEMPORARY);
		tries[i] = lateness_took_ms(&start);
	}
	qsort(tries, MXW_ARRAY_LEN(tries), sizeof tries[0], by_size);
	ck_assert_int_le(tries[1], 1150 + SLACK_MS);
	atomic_store(&ldapd_settings(fake)->mode, LDAPD_ANSWER);
	int64_t took = until(self, "user1@example.net", MXW_NOT_FOUND, 4000);
	ck_assert_msg(took >= 0 && took <= 2000 + SLACK_MS, "%s: %lld\n%s", misbehaviours[_i].what, (long long)took,
		      mxw__buf_str(&notices.text));
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

START_TEST(closing_interrupts_a_server_that_says_nothing)
{
	struct ldapd *fake = ldapd_start();

	use_fake(fake);
	conf.connect_timeout_ms = 30000;
	atomic_store(&ldapd_settings(fake)->mode, LDAPD_SILENT);
	void *self = open_ldap();
	ck_outcome(ask_within(self, "user1@example.net", 50), MXW_TEMPORARY);
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

START_TEST(a_host_that_has_no_address_is_temporary)
{
	uris[0] = "ldap://no-such-host.invalid";
	void *self = open_ldap();
	ck_outcome(ask_within(self, "user1@example.net", 4000), MXW_TEMPORARY);
	close_ldap(self);
}
END_TEST

START_TEST(a_passed_deadline_asks_nothing)
{
	struct ldapd *fake = ldapd_start();

	use_fake(fake);
	void *self = open_ldap();
	ck_outcome(ask_within(self, "user1@example.net", 0), MXW_TEMPORARY);
	ck_outcome(ask_within(self, "user1@example.net", -1000), MXW_TEMPORARY);
	ck_assert_uint_eq(atomic_load(&ldapd_counts(fake)->searches), 0);
	close_ldap(self);
	ldapd_stop(fake);
}
END_TEST

static TCase *add_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("ldap");
	TCase *pure = add_case(s, "pure");
	TCase *fake = add_case(s, "fake");
	TCase *real = add_case(s, "slapd");

	tcase_add_loop_test(pure, values_are_escaped_for_filters_and_names, 0, MXW_ARRAY_LEN(escapes));
	tcase_add_test(pure, an_address_is_filled_in_once_and_as_a_value);
	tcase_add_loop_test(pure, what_is_parsed_is_filled_in_escaped, 0, MXW_ARRAY_LEN(fillings));
	tcase_add_loop_test(pure, placeholders_are_checked, 0, MXW_ARRAY_LEN(templates));
	tcase_add_loop_test(pure, a_wrong_configuration_is_refused_and_shows_no_password, 0,
			    MXW_ARRAY_LEN(bad_confs));
	tcase_add_loop_test(pure, only_success_without_an_entry_is_not_found, 0, MXW_ARRAY_LEN(judgements));
	tcase_add_loop_test(pure, references_out_of_the_mailboxes_do_not_count, 0, MXW_ARRAY_LEN(references));

	tcase_add_test(fake, two_hundred_slow_lookups_share_two_connections);
	tcase_add_test(fake, equal_questions_in_flight_are_asked_once);
	tcase_add_loop_test(fake, a_server_that_falls_silent_right_after_an_answer_is_missed, 0, 5);
	tcase_add_test(fake, each_reply_has_its_outcome);
	tcase_add_test(fake, dropped_idle_connections_are_made_again_in_silence);
	tcase_add_test(fake, a_lookup_whose_connection_is_lost_is_asked_again);
	tcase_add_loop_test(fake, a_misbehaving_server_is_temporary_and_recovers, 0, MXW_ARRAY_LEN(misbehaviours));
	tcase_add_test(fake, closing_interrupts_a_server_that_says_nothing);
	tcase_add_test(fake, a_host_that_has_no_address_is_temporary);
	tcase_add_test(fake, a_passed_deadline_asks_nothing);

	tcase_add_unchecked_fixture(real, start_slapd, end_slapd);
	tcase_add_test(real, people_are_found_and_metacharacters_find_nothing_more);
	tcase_add_test(real, user_and_domain_may_stand_in_filter_and_base);
	tcase_add_loop_test(real, every_way_to_the_server_works, 0, MXW_ARRAY_LEN(ways));
	tcase_add_loop_test(real, a_server_with_a_wrong_certificate_is_not_used, 0, MXW_ARRAY_LEN(bad_tls));
	tcase_add_test(real, a_ca_file_that_is_missing_is_a_misconfiguration);
	tcase_add_test(real, a_wrong_password_is_a_misconfiguration_and_never_shown);
	tcase_add_loop_test(real, a_wrong_base_or_filter_is_a_misconfiguration, 0, MXW_ARRAY_LEN(bad_searches));
	tcase_add_test(real, a_killed_server_fails_fast_and_is_used_again_within_two_seconds);
	tcase_add_test(real, a_stopped_server_is_temporary_at_the_deadline_and_good_when_it_goes_on);
	tcase_add_test(real, a_server_stopped_for_long_fails_fast_and_is_used_again_within_two_seconds);
	tcase_add_loop_test(real, a_server_that_was_idle_is_asked_again_and_missed_when_it_says_nothing, 0, 2);
	tcase_add_test(real, a_server_that_goes_ends_no_program);
	tcase_add_loop_test(real, closing_does_not_wait_for_a_stopped_server, 0, 3);
	tcase_add_test(real, nobody_is_refused_by_mistake_while_the_server_is_killed_stopped_and_restarted);
	tcase_add_test(real, the_second_server_takes_over_and_the_first_is_used_again);
	lateness_start();
	int rc = run_suite(s);
	lateness_stop();
	return rc;
}
