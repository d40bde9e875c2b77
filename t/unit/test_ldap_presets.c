/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories of type ldap as mxward.conf describes them, against a real slapd with trees of several products: presets,
 * several bases, what attributes say of a recipient, who mxward is to the server, and several servers.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/directory/copy.h"
#include "src/directory/source.h"
#include "t/fakes/ldapd.h"
#include "t/fakes/notices.h"
#include "t/fakes/slapd.h"
#include "t/fakes/suite.h"

#define PASSWORD "opensesame"
#define SIMPLE "bind-dn \"cn=mxward,dc=example,dc=net\"\nbind-password-file @DIR@/secret\n"
#define GATEWAY "tls-certificate-file @DIR@/gateway.pem\ntls-key-file @DIR@/gateway.key\n"

#ifdef MXW_WITH_ASAN
/* libldap with GnuTLS forgets our own certificate and key when it has made a context of them. By library, since these have no
 * frame pointers: what the stack shows of them depends on the machine. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libgnutls.so\nleak:libtasn1.so\nleak:libgmp.so\n";
}
#endif

static struct slapd slapd;
static struct notices notices;
static mxw_conf_t *conf;
static void *self;
static const char *connect_timeout;

/* ---- one directory, from its options ---- */

static void start_slapd(void)
{
	char *secret;

	slapd_init(&slapd);
	secret = scratch_path(&slapd.scratch, "secret");
	scratch_replace(secret, PASSWORD "\n");
	ck_assert_int_eq(chmod(secret, 0600), 0);
	free(secret);
}

static void end_slapd(void)
{
	slapd_fini(&slapd);
}

static void set_up(void)
{
	notices_init(&notices);
	conf = NULL;
	self = NULL;
	connect_timeout = "9s";
}

static void close_directory(void)
{
	if (self)
		mxw__directory_ldap.close(self);
	self = NULL;
	mxw_conf_unref(conf);
	conf = NULL;
}

static void tear_down(void)
{
	close_directory();
	ck_assert_msg(!notices_have(&notices, PASSWORD), "%s", mxw__buf_str(&notices.text));
	notices_fini(&notices);
}

static void complain(void *ctx, const struct mxw_error *error)
{
	fprintf(stderr, "%s:%u: %s\n", error->file, error->line, error->text);
}

/* `options` with @LDAP@, @LDAPS@, @LDAPI@ for the server's addresses, @DIR@ for its directory. */
static void open_directory(const char *options)
{
	const char *const names[] = {"@LDAP@", "@LDAPS@", "@LDAPI@", "@DIR@"};
	const char *const values[] = {slapd.ldap_uri, slapd.ldaps_uri, slapd.ldapi_uri, slapd.scratch.dir};
	struct mxw__buf text;
	struct mxw_error err = {0};

	mxw__buf_init(&text, 10000);
	mxw__buf_adds(&text, "directory staff {\ntype ldap\nconnections 2\nretry 200ms\ntimeout 9s\n");
	while (*options) {
		size_t i = 0;
		while (i < MXW_ARRAY_LEN(names) && strncmp(options, names[i], strlen(names[i])) != 0)
			i++;
		if (i == MXW_ARRAY_LEN(names)) {
			mxw__buf_addc(&text, *options++);
		} else {
			mxw__buf_adds(&text, values[i]);
			options += strlen(names[i]);
		}
	}
	mxw__buf_addf(&text, "\nconnect-timeout %s\n}\n", connect_timeout);
	close_directory();
	ck_assert_msg(mxw_conf_load_text("test", mxw__buf_str(&text), complain, NULL, &conf) == MXW_OK, "%s", mxw__buf_str(&text));
	mxw__buf_fini(&text);
	struct mxw__directory_env env = {.conf = &conf->directories[0], .clock = mxw_clock_system(), .notice = notices_take,
					 .notice_ctx = &notices};
	ck_assert_msg(mxw__directory_ldap.open(&env, &self, &err) == MXW_OK, "%s", err.text);
}

static struct mxw__rcpt_result ask_within(const char *text, int ms)
{
	char local[400];
	snprintf(local, sizeof local, "%s", text);
	char *at = strrchr(local, '@');
	struct mxw__address address = {.text = text, .local = local, .domain = at ? at + 1 : ""};
	if (at)
		*at = '\0';
	struct mxw__rcpt_query query = {.address = &address, .deadline_ms = mxw__now_ms(mxw_clock_system()) + ms};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};

	mxw__directory_ldap.lookup(self, &query, &result);
	return result;
}

static struct mxw__rcpt_result ask(const char *text)
{
	return ask_within(text, 20000);
}

/* "found", with what is said of the recipient: "found disabled internal-only class=vip". */
static const char *describe(const struct mxw__rcpt_result *r, char text[200])
{
	snprintf(text, 200, "%s%s%s%s%s", mxw_outcome_name(r->outcome), r->settings.is_disabled ? " disabled" : "",
		 r->settings.is_internal_only ? " internal-only" : "", *r->settings.class ? " class=" : "", r->settings.class);
	return text;
}

static void ck_asked(const char *who, const char *expected)
{
	struct mxw__rcpt_result r = ask(who);
	char text[200];

	describe(&r, text);
	ck_assert_msg(strcmp(text, expected) == 0, "%s: %s, expected %s: %s\n%s", who, text, expected, r.reason,
		      mxw__buf_str(&notices.text));
	ck_assert_ptr_null(strstr(r.reason, PASSWORD));
}

static void ck_told(const char *part)
{
	for (int i = 0; i < 2000 && !notices_have(&notices, part); i++)
		poll(NULL, 0, 10);
	ck_assert_msg(notices_have(&notices, part), "\"%s\" not in:\n%s", part, mxw__buf_str(&notices.text));
}

/* ---- several entries ---- */

static const struct {
	struct mxw__rcpt_settings first, second, together;
} merged[] = {
	{{.is_disabled = true}, {.is_disabled = true}, {.is_disabled = true}},
	{{.is_disabled = true}, {.is_disabled = false}, {.is_disabled = false}},
	{{.is_disabled = false}, {.is_disabled = true}, {.is_disabled = false}},
	{{.is_internal_only = false}, {.is_internal_only = true}, {.is_internal_only = true}},
	{{.is_internal_only = true}, {.is_internal_only = false}, {.is_internal_only = true}},
	{{.class = "a"}, {.class = "b"}, {.class = "a"}},
	{{.class = ""}, {.class = "b"}, {.class = "b"}},
	{{.class = "a"}, {.class = ""}, {.class = "a"}},
};

START_TEST(several_entries_are_disabled_together_internal_by_one_and_of_the_first_class)
{
	struct mxw__rcpt_settings all = merged[_i].first;

	mxw__rcpt_settings_add(&all, &merged[_i].second);
	ck_assert_int_eq(all.is_disabled, merged[_i].together.is_disabled);
	ck_assert_int_eq(all.is_internal_only, merged[_i].together.is_internal_only);
	ck_assert_str_eq(all.class, merged[_i].together.class);
}
END_TEST

/* ---- presets ---- */

#define OPENLDAP "uri @LDAP@\npreset openldap\nbase \"ou=qmail,dc=example,dc=net\"\n" SIMPLE
#define AD "uri @LDAP@\npreset active-directory\nbase \"ou=ad,dc=example,dc=net\"\n" SIMPLE
#define DS "uri @LDAP@\npreset 389ds\nbase \"ou=ds,dc=example,dc=net\"\n" SIMPLE
#define CUSTOM "uri @LDAP@\nbase \"dc=example,dc=net\"\n" SIMPLE
#define LISTS "uri @LDAP@\npreset rfc822-mail-member\nbase \"ou=lists,dc=example,dc=net\"\n" SIMPLE

static const struct {
	const char *options, *who, *expected;
} people[] = {
	{OPENLDAP, "anna@openldap.example", "found"},
	{OPENLDAP, "Anna@OpenLDAP.example", "found"},
	{OPENLDAP, "anna.alt@openldap.example", "found"},
	{OPENLDAP, "staff@openldap.example", "found"},
	{OPENLDAP, "STAFF@other.example", "found"},
	{OPENLDAP, "press@openldap.example", "found"},
	{OPENLDAP, "press@other.example", "not-found"},
	{OPENLDAP, "off@openldap.example", "found disabled"},
	{OPENLDAP, "gone@openldap.example", "found disabled"},
	{OPENLDAP, "noaccess@openldap.example", "found"},
	{OPENLDAP, "twice@openldap.example", "found"},
	{OPENLDAP, "twice-off@openldap.example", "found disabled"},
	/* More entries than are looked at: one of the others may be in use. */
	{OPENLDAP, "many@openldap.example", "found"},
	{OPENLDAP, "vip@openldap.example", "found"},
	{OPENLDAP "class-attribute employeeType", "vip@openldap.example", "found class=vip"},
	{OPENLDAP "class-attribute employeeType", "odd@openldap.example", "found"},
	{OPENLDAP "class-attribute employeeType", "twice@openldap.example", "found class=second"},
	{OPENLDAP "class-attribute employeeType", "off@openldap.example", "found disabled"},
	{OPENLDAP "disabled-attribute \"\"", "off@openldap.example", "found"},
	{OPENLDAP "internal-only-attribute accountStatus", "off@openldap.example", "found disabled"},
	{OPENLDAP "filter \"(uid={user})\"", "many3@openldap.example", "found disabled"},
	{OPENLDAP "filter \"(uid={user})\"", "anna.alt@openldap.example", "not-found"},
	/* The name of a person is no alias. */
	{OPENLDAP, "twice1@openldap.example", "not-found"},
	{OPENLDAP, "nobody@openldap.example", "not-found"},

	/* Existence is enough: one entry is asked for, and the server says that there are more. */
	{CUSTOM, "twice@openldap.example", "found"},
	{CUSTOM, "many@openldap.example", "found"},
	{CUSTOM, "off@openldap.example", "found"},
	{CUSTOM, "anna.alt@openldap.example", "not-found"},

	{AD, "anna@ad.example", "found"},
	{AD, "ANNA@AD.EXAMPLE", "found"},
	{AD, "a.nna@ad.example", "found"},
	{AD, "bob@ad.example", "found"},
	{AD, "bob.upn@ad.example", "found"},
	{AD, "off@ad.example", "found disabled"},
	{AD, "off-plain@ad.example", "found disabled"},
	{AD, "leaver@ad.example", "found disabled"},
	{AD, "shared@ad.example", "found"},
	{AD, "room@ad.example", "found"},
	{AD, "equipment@ad.example", "found"},
	{AD, "linked@ad.example", "found"},
	{AD, "cloud@ad.example", "found"},
	{AD, "cloud-room@ad.example", "found"},
	{AD, "unknown-type@ad.example", "found"},
	{AD, "all@ad.example", "found internal-only"},
	{AD, "open@ad.example", "found"},
	{AD, "old@ad.example", "found"},
	{AD, "partner@ad.example", "found"},
	/* An address of another kind, and what is no address. */
	{AD, "talk@ad.example", "not-found"},
	{AD, "/o=x/cn=anna", "not-found"},
	{AD, "smtp:anna@ad.example", "not-found"},
	{AD, "nobody@ad.example", "not-found"},
	{AD "class-attribute groupType", "all@ad.example", "found internal-only class=-2147483640"},

	{DS, "anna@ds.example", "found"},
	{DS, "anna.alt@ds.example", "found"},
	{DS, "team@ds.example", "found"},
	{DS, "locked@ds.example", "found disabled"},
	{DS, "unlocked@ds.example", "found"},
	{DS, "nobody@ds.example", "not-found"},

	{LISTS, "announce@lists.example", "found"},
	{LISTS, "Announce@other.example", "found"},
	{LISTS, "board@lists.example", "found"},
	{LISTS, "board@other.example", "not-found"},
	{LISTS, "announcer@lists.example", "not-found"},
};

START_TEST(each_preset_finds_its_people_and_what_is_said_of_them)
{
	const char *options = "";

	for (size_t i = 0; i < MXW_ARRAY_LEN(people); i++) {
		if (strcmp(people[i].options, options) != 0)
			open_directory(people[i].options);
		options = people[i].options;
		ck_asked(people[i].who, people[i].expected);
	}
}
END_TEST

/* ---- their offline copies ---- */

static void consult(mxw__copy_t *copy, const char *text, struct mxw__rcpt_result *ret_result)
{
	char local[400];
	snprintf(local, sizeof local, "%s", text);
	char *at = strrchr(local, '@');
	struct mxw__address address = {.text = text, .local = local, .domain = at ? at + 1 : ""};
	if (at)
		*at = '\0';
	*ret_result = (struct mxw__rcpt_result){.outcome = MXW_TEMPORARY};
	mxw__copy_consult(copy, &address, ret_result);
}

/* The copy of the directory that is open; a new one for each. */
static mxw__copy_t *make_copy(const char *state_dir)
{
	static struct mxw__directory_env env;
	struct mxw_error err = {0};
	mxw__copy_t *copy = NULL;

	env = (struct mxw__directory_env){.conf = &conf->directories[0], .clock = mxw_clock_system(), .notice = notices_take,
					  .notice_ctx = &notices, .state_dir = state_dir};
	ck_assert_msg(mxw__copy_new(&env, &mxw__directory_ldap, self, &copy, &err) == MXW_OK, "%s", err.text);
	ck_assert_msg(mxw__copy_pull(copy) == MXW__COPY_USED, "%s", mxw__buf_str(&notices.text));
	return copy;
}

START_TEST(the_offline_copy_of_each_preset_says_the_same)
{
	const char *options = "";
	struct scratch state;
	mxw__copy_t *copy = NULL;

	scratch_init(&state);
	for (size_t i = 0; i < MXW_ARRAY_LEN(people); i++) {
		struct mxw__rcpt_result result;
		char text[200];
		/* A filter of one's own lists others; and of many entries with one address a look-up sees only the first few. */
		if (strstr(people[i].options, "filter") || strncmp(people[i].who, "many@", 5) == 0)
			continue;
		if (strcmp(people[i].options, options) != 0) {
			mxw__copy_free(copy);
			open_directory(people[i].options);
			copy = make_copy(state.dir);
		}
		options = people[i].options;
		consult(copy, people[i].who, &result);
		bool is_there = strncmp(people[i].expected, "found", 5) == 0;
		const char *got = is_there ? describe(&result, text) : mxw_outcome_name(result.outcome);
		ck_assert_msg(strcmp(got, is_there ? people[i].expected : mxw_outcome_name(MXW_TEMPORARY)) == 0,
			      "%s: %s, expected %s", people[i].who, got, people[i].expected);
		ck_assert_int_eq(result.copy, is_there ? MXW__COPY_KNOWN : MXW__COPY_ABSENT);
	}
	mxw__copy_free(copy);
	scratch_fini(&state);
}
END_TEST

/* Every preset, and addresses that would find somebody were they not taken as they are. */
static const char *const products[] = {OPENLDAP, AD, DS, LISTS, CUSTOM};
static const char *const tricks[] = {
	"*", "*@*", "a*@ad.example", "*@openldap.example", "ann\\61@ds.example", "\\2a", "\\2a@ds.example",
	"x)(mail=*", "x)(|(mail=*)", "*)(objectClass=*", "anna@ad.example)(cn=*", "(anna@ad.example)",
	"anna@openldap.example\\00", "anna@ds.example\x01", "*)(cn=*@lists.example", "announc?@lists.example",
	"\xc3\xa4nna@ad.example", "ann\xc3\xa1@openldap.example", "ann\xc3@ds.example", "\xff\xfe", "\xe2\x81\x8e@ad.example",
	"an\xef\xbc\x8a@ds.example", "a,ou=ad", "anna+x@ad.example", "",
};

START_TEST(metacharacters_find_nobody_under_any_preset)
{
	open_directory(products[_i]);
	for (size_t i = 0; i < MXW_ARRAY_LEN(tricks); i++)
		ck_asked(tricks[i], "not-found");
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

START_TEST(a_class_that_cannot_be_used_is_told_once_and_not_shown)
{
	open_directory(OPENLDAP "class-attribute employeeType");
	for (int i = 0; i < 5; i++)
		ck_asked("odd@openldap.example", "found");
	ck_told("employeeType is not used as a class");
	ck_assert_uint_eq(notices_count(&notices), 1);
	ck_assert(!notices_have(&notices, "a class with more"));
}
END_TEST

struct asker {
	pthread_t thread;
	struct mxw__rcpt_result result;
};

static void *ask_for_the_same(void *arg)
{
	struct asker *asker = arg;

	asker->result = ask("all@ad.example");
	return NULL;
}

START_TEST(all_who_ask_the_same_are_told_the_same_settings)
{
	struct asker askers[50];
	char text[200];

	open_directory(AD);
	ck_asked("anna@ad.example", "found");
	slapd_signal(&slapd, SIGSTOP);
	for (size_t i = 0; i < MXW_ARRAY_LEN(askers); i++)
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_for_the_same, &askers[i]), 0);
	poll(NULL, 0, 100);
	slapd_signal(&slapd, SIGCONT);
	for (size_t i = 0; i < MXW_ARRAY_LEN(askers); i++) {
		pthread_join(askers[i].thread, NULL);
		ck_assert_str_eq(describe(&askers[i].result, text), "found internal-only");
	}
}
END_TEST

/* ---- bases ---- */

#define TWO "uri @LDAP@\npreset openldap\nclass-attribute employeeType\n" SIMPLE \
	"base \"ou=qmail,dc=example,dc=net\" \"ou=second,dc=example,dc=net\"\n"
#define BAD_THIRD TWO "base \"ou=nowhere,dc=example,dc=net\"\n"
#define BY_DOMAIN "uri @LDAP@\nfilter \"(|(mail={addr})(proxyAddresses=smtp:{addr})(uid={user}))\"\n" SIMPLE \
	"base \"ou={domain},dc=example,dc=net\" \"ou=second,dc=example,dc=net\"\n"

static const struct {
	const char *options, *who, *expected;
} based[] = {
	{TWO, "vip@openldap.example", "found class=vip"},
	{TWO, "anna2@openldap.example", "found"},
	{TWO, "anna@openldap.example", "found class=second"},
	{TWO, "off@openldap.example", "found"},
	{TWO, "gone@openldap.example", "found disabled"},
	{TWO, "nobody@openldap.example", "not-found"},
	/* Found needs one answer, not found all of them; nor is anybody refused for half an answer. */
	{BAD_THIRD, "anna2@openldap.example", "found"},
	{BAD_THIRD, "nobody@openldap.example", "misconfigured"},
	{BAD_THIRD, "gone@openldap.example", "misconfigured"},
	{BAD_THIRD "disabled-attribute \"\"", "gone@openldap.example", "found"},
	{BY_DOMAIN, "anna@qmail", "found"},
	{BY_DOMAIN, "anna2@qmail", "found"},
	{BY_DOMAIN, "locked@ds", "found"},
	{BY_DOMAIN, "locked@qmail", "not-found"},
	{BY_DOMAIN, "locked@nowhere", "misconfigured"},
	{BY_DOMAIN, "anna2@nowhere", "found"},
	/* A domain is a value in a name, not a piece of one. */
	{BY_DOMAIN, "locked@ds,dc=example,dc=net", "misconfigured"},
	{BY_DOMAIN, "locked@*", "misconfigured"},
};

START_TEST(all_bases_are_searched)
{
	const char *options = "";

	for (size_t i = 0; i < MXW_ARRAY_LEN(based); i++) {
		if (strcmp(based[i].options, options) != 0)
			open_directory(based[i].options);
		options = based[i].options;
		ck_asked(based[i].who, based[i].expected);
	}
}
END_TEST

START_TEST(a_complaint_names_the_base_it_is_about)
{
	open_directory(BAD_THIRD);
	ck_asked("nobody@openldap.example", "misconfigured");
	ck_told("search below \"ou=nowhere,dc=example,dc=net\": the base does not exist");
	ck_asked("nobody2@openldap.example", "misconfigured");
	ck_assert_uint_eq(notices_count(&notices), 1);
}
END_TEST

START_TEST(a_base_that_answers_late_is_waited_for_and_a_missing_answer_is_temporary)
{
	struct ldapd *fake = ldapd_start();
	char options[300];

	snprintf(options, sizeof options, "uri %s\nbase dc=a dc=b dc=c dc=d", ldapd_uri(fake));
	atomic_store(&ldapd_settings(fake)->delay_ms, 1000);
	/* At the same time, not one after the other: or there is no answer at all. */
	atomic_store(&ldapd_settings(fake)->gathers, 4);
	open_directory(options);
	ck_asked("someone@example.net", "not-found");
	ck_assert_uint_eq(atomic_load(&ldapd_counts(fake)->searches), 4);
	ck_assert_int_eq(ask_within("another@example.net", 100).outcome, MXW_TEMPORARY);
	close_directory();
	ldapd_stop(fake);
}
END_TEST

START_TEST(a_referral_is_not_followed_and_is_a_misconfiguration)
{
	open_directory("uri @LDAP@\nbase dc=elsewhere\n" SIMPLE);
	ck_asked("anna@openldap.example", "misconfigured");
	ck_told("Referral");
}
END_TEST

/* ---- who we are ---- */

static const struct {
	const char *what, *options, *expected, *told;
	bool is_demanded;
} identities[] = {
	{"ldapi", "uri @LDAPI@\nbind-method external", "found", NULL, false},
	{"ldapi without it", "uri @LDAPI@", "misconfigured", NULL, false},
	{"ldaps", "uri @LDAPS@\nbind-method external\ntls-ca-file @DIR@/ca.pem\n" GATEWAY, "found", NULL, false},
	{"StartTLS", "uri @LDAP@\nstarttls yes\nbind-method external\ntls-ca-file @DIR@/ca.pem\n" GATEWAY, "found", NULL, false},
	{"a certificate and a password", "uri @LDAPS@\ntls-ca-file @DIR@/ca.pem\n" GATEWAY SIMPLE, "found", NULL, false},
	{"somebody else's certificate", "uri @LDAPS@\nbind-method external\ntls-ca-file @DIR@/ca.pem\n"
	 "tls-certificate-file @DIR@/stranger.pem\ntls-key-file @DIR@/stranger.key", "misconfigured", NULL, false},
	{"another key", "uri @LDAPS@\nbind-method external\ntls-ca-file @DIR@/ca.pem\n"
	 "tls-certificate-file @DIR@/gateway.pem\ntls-key-file @DIR@/stranger.key", "misconfigured",
	 "our certificate and key", false},
	{"a wrong password", "uri @LDAP@\nbind-dn \"cn=mxward,dc=example,dc=net\"\nbind-password-file @DIR@/wrong",
	 "misconfigured", "Invalid credentials", false},
	{"demanded and shown", "uri @LDAPS@\ntls-ca-file @DIR@/ca.pem\n" GATEWAY SIMPLE, "found", NULL, true},
	{"demanded and shown, StartTLS", "uri @LDAP@\nstarttls yes\nbind-method external\ntls-ca-file @DIR@/ca.pem\n" GATEWAY,
	 "found", NULL, true},
	{"demanded and missing", "uri @LDAPS@\ntls-ca-file @DIR@/ca.pem\n" SIMPLE, "temporary", "ldaps://", true},
	{"demanded, of another CA", "uri @LDAPS@\ntls-ca-file @DIR@/ca.pem\ntls-certificate-file @DIR@/other-ca.pem\n"
	 "tls-key-file @DIR@/ca.key\n" SIMPLE, "temporary", "ldaps://", true},
};

START_TEST(who_mxward_is_to_the_server)
{
	char options[800], *wrong = scratch_path(&slapd.scratch, "wrong");

	scratch_replace(wrong, PASSWORD "-not\n");
	ck_assert_int_eq(chmod(wrong, 0600), 0);
	free(wrong);
	if (identities[_i].is_demanded)
		slapd_demand_certificates(&slapd, true);
	snprintf(options, sizeof options, "base \"ou=ds,dc=example,dc=net\"\n%s", identities[_i].options);
	open_directory(options);
	ck_asked("anna@ds.example", identities[_i].expected);
	if (identities[_i].told)
		ck_told(identities[_i].told);
	close_directory();
	if (identities[_i].is_demanded)
		slapd_demand_certificates(&slapd, false);
}
END_TEST

/* Copies DIR/from to DIR/to, which takes the place of what was there. */
static void put_file(const char *from, const char *to)
{
	char *source = scratch_path(&slapd.scratch, from), *target = scratch_path(&slapd.scratch, to), *text = NULL;
	struct mxw_error err;
	size_t len;

	ck_assert_msg(mxw__file_read(source, 1 << 16, &text, &len, &err) == MXW_OK, "%s", err.text);
	scratch_replace(target, text);
	ck_assert_int_eq(chmod(target, 0600), 0);
	free(text);
	free(source);
	free(target);
}

START_TEST(a_connection_made_again_checks_as_the_first_did)
{
	open_directory("base \"ou=ds,dc=example,dc=net\"\nuri @LDAPS@\ntls-ca-file @DIR@/ca.pem\nbind-method external\n" GATEWAY);
	for (int i = 0; i < 5; i++) {
		ck_asked("anna@ds.example", "found");
		slapd_kill(&slapd);
		slapd_start(&slapd);
		for (int n = 0; n < 2000 && ask("anna@ds.example").outcome != MXW_FOUND; n++)
			poll(NULL, 0, 10);
	}
}
END_TEST

START_TEST(a_name_that_is_not_in_the_certificate_is_not_believed_however_often_it_is_tried)
{
	char options[300];

	snprintf(options, sizeof options, "base \"ou=ds,dc=example,dc=net\"\nuri %s\ntls-ca-file @DIR@/ca.pem\n" SIMPLE,
		 slapd.wrong_name_tls_uri);
	open_directory(options);
	for (int i = 0; i < 30; i++) {
		ck_assert_int_eq(ask("anna@ds.example").outcome, MXW_TEMPORARY);
		poll(NULL, 0, 100);
	}
}
END_TEST

START_TEST(a_renewed_certificate_is_used_without_a_restart)
{
	put_file("stranger.pem", "client.pem");
	put_file("stranger.key", "client.key");
	open_directory("base \"ou=ds,dc=example,dc=net\"\nuri @LDAPS@\ntls-ca-file @DIR@/ca.pem\nbind-method external\n"
		       "tls-certificate-file @DIR@/client.pem\ntls-key-file @DIR@/client.key");
	ck_asked("anna@ds.example", "misconfigured");
	put_file("gateway.pem", "client.pem");
	put_file("gateway.key", "client.key");
	slapd_kill(&slapd);
	slapd_start(&slapd);
	/* Tried after pauses that grow: it may take as long again as all this took. */
	for (int n = 0; n < 4000 && ask("anna@ds.example").outcome != MXW_FOUND; n++)
		poll(NULL, 0, 10);
	ck_asked("anna@ds.example", "found");
}
END_TEST

/* ---- several servers ---- */

struct servers {
	struct ldapd *fakes[3];
};

static void start_servers(struct servers *servers, const char *order)
{
	char options[400];

	for (size_t i = 0; i < 3; i++)
		servers->fakes[i] = ldapd_start();
	snprintf(options, sizeof options, "uri %s %s %s\nbase dc=x\nserver-order %s\n", ldapd_uri(servers->fakes[0]),
		 ldapd_uri(servers->fakes[1]), ldapd_uri(servers->fakes[2]), order);
	open_directory(options);
}

static void stop_servers(struct servers *servers)
{
	close_directory();
	for (size_t i = 0; i < 3; i++)
		ldapd_stop(servers->fakes[i]);
}

static unsigned searches(struct servers *servers, size_t i)
{
	return atomic_load(&ldapd_counts(servers->fakes[i])->searches);
}

/* Asks until server `i` has had a search more, or nothing for too long. */
static bool is_asked(struct servers *servers, size_t i)
{
	unsigned before = searches(servers, i);
	char who[64];

	for (int n = 0; n < 400 && searches(servers, i) == before; n++) {
		snprintf(who, sizeof who, "someone%d@example.net", n);
		ask_within(who, 1000);
		poll(NULL, 0, 10);
	}
	return searches(servers, i) > before;
}

START_TEST(failover_asks_the_first_and_spread_asks_as_many_as_there_are_connections)
{
	struct servers servers;

	start_servers(&servers, "failover");
	for (int i = 0; i < 20; i++)
		ck_asked("someone@example.net", "not-found");
	ck_assert_uint_ge(searches(&servers, 0), 20);
	ck_assert_uint_eq(searches(&servers, 1), 0);
	stop_servers(&servers);

	/* Two connections, three servers: the third is in reserve. */
	start_servers(&servers, "spread");
	ck_assert(is_asked(&servers, 0) || searches(&servers, 0) > 0);
	ck_assert_uint_eq(searches(&servers, 2), 0);
	stop_servers(&servers);
}
END_TEST

static void *ask_slowly(void *arg)
{
	struct asker *asker = arg;
	char who[64];

	snprintf(who, sizeof who, "someone%p@example.net", arg);
	asker->result = ask(who);
	return NULL;
}

/* So many at a time that every connection gets some. */
static void ask_many(void)
{
	struct asker askers[24];

	for (size_t i = 0; i < MXW_ARRAY_LEN(askers); i++)
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_slowly, &askers[i]), 0);
	for (size_t i = 0; i < MXW_ARRAY_LEN(askers); i++) {
		pthread_join(askers[i].thread, NULL);
		ck_assert_int_eq(askers[i].result.outcome, MXW_NOT_FOUND);
	}
}

/* Until servers 0 and 1 have both been asked. */
static bool are_both_asked(struct servers *servers)
{
	unsigned first = searches(servers, 0), second = searches(servers, 1);

	for (int i = 0; i < 1000; i++) {
		ask_many();
		if (searches(servers, 0) > first && searches(servers, 1) > second)
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

START_TEST(spread_shares_the_work_and_moves_it_from_a_server_that_fails_and_back)
{
	struct servers servers;

	/* Waited for while the first one is silent. */
	connect_timeout = "2s";
	start_servers(&servers, "spread");
	for (size_t i = 0; i < 3; i++)
		atomic_store(&ldapd_settings(servers.fakes[i])->delay_ms, 50);
	ck_assert(are_both_asked(&servers));
	atomic_store(&ldapd_settings(servers.fakes[0])->mode, LDAPD_SILENT);
	ldapd_drop_all(servers.fakes[0]);
	/* The second goes on alone, or with the third. */
	for (int i = 0; i < 5; i++) {
		unsigned before = searches(&servers, 1) + searches(&servers, 2);
		ck_assert_int_eq(ask("during@example.net").outcome, MXW_NOT_FOUND);
		ck_assert_uint_gt(searches(&servers, 1) + searches(&servers, 2), before);
	}
	atomic_store(&ldapd_settings(servers.fakes[0])->mode, LDAPD_ANSWER);
	ck_assert(are_both_asked(&servers));
	stop_servers(&servers);
}
END_TEST

static TCase *add_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("ldap_presets");
	TCase *fake = add_case(s, "fake");
	TCase *real = add_case(s, "slapd");

	tcase_add_loop_test(fake, several_entries_are_disabled_together_internal_by_one_and_of_the_first_class, 0,
			    MXW_ARRAY_LEN(merged));
	tcase_add_test(fake, a_base_that_answers_late_is_waited_for_and_a_missing_answer_is_temporary);
	tcase_add_test(fake, failover_asks_the_first_and_spread_asks_as_many_as_there_are_connections);
	tcase_add_test(fake, spread_shares_the_work_and_moves_it_from_a_server_that_fails_and_back);

	tcase_add_unchecked_fixture(real, start_slapd, end_slapd);
	tcase_add_test(real, each_preset_finds_its_people_and_what_is_said_of_them);
	tcase_add_test(real, the_offline_copy_of_each_preset_says_the_same);
	tcase_add_loop_test(real, metacharacters_find_nobody_under_any_preset, 0, MXW_ARRAY_LEN(products));
	tcase_add_test(real, a_class_that_cannot_be_used_is_told_once_and_not_shown);
	tcase_add_test(real, all_who_ask_the_same_are_told_the_same_settings);
	tcase_add_test(real, all_bases_are_searched);
	tcase_add_test(real, a_complaint_names_the_base_it_is_about);
	tcase_add_test(real, a_referral_is_not_followed_and_is_a_misconfiguration);
	tcase_add_test(real, a_connection_made_again_checks_as_the_first_did);
	tcase_add_test(real, a_name_that_is_not_in_the_certificate_is_not_believed_however_often_it_is_tried);
	tcase_add_test(real, a_renewed_certificate_is_used_without_a_restart);
	tcase_add_loop_test(real, who_mxward_is_to_the_server, 0, MXW_ARRAY_LEN(identities));
	return run_suite(s);
}
