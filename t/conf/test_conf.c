/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration files as tests, see Makefile.inc, and what needs more than a file. A line of an .expect file is
 * "line:column: text"; complaints about another file begin with its name. @DIR@ is the folder of the files.
 */
#include "config.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/conf/conf.h"
#include "t/fakes/suite.h"

#define DIR MXW_TESTDATA "/conf"

static glob_t good, bad;

/* ---- helpers ---- */

static void collect(void *ctx, const struct mxw_error *error)
{
	mxw__buf_addf(ctx, "%s:%u:%u: %s\n", error->file, error->line, error->column, error->text);
}

/* All complaints, with the folder as @DIR@ and without the main file's own name. */
static char *normal(const struct mxw__buf *raw, const char *path)
{
	struct mxw__buf buf;
	const char *s = mxw__buf_str(raw);
	bool at_start = true;

	mxw__buf_init(&buf, 1 << 20);
	while (*s) {
		size_t own = strlen(path), dir = strlen(DIR);
		if (at_start && strncmp(s, path, own) == 0 && s[own] == ':') {
			s += own + 1;
		} else if (strncmp(s, DIR, dir) == 0) {
			mxw__buf_adds(&buf, "@DIR@");
			s += dir;
		} else {
			mxw__buf_addc(&buf, *s);
			at_start = *s++ == '\n';
			continue;
		}
		at_start = false;
	}
	return mxw__buf_take(&buf);
}

static mxw_conf_t *load_text(const char *text)
{
	struct mxw__buf complaints;
	mxw_conf_t *conf = NULL;

	mxw__buf_init(&complaints, 1 << 20);
	mxw_status_t status = mxw_conf_load_text("test", text, collect, &complaints, &conf);
	ck_assert_msg(status == MXW_OK, "%s", mxw__buf_str(&complaints));
	mxw__buf_fini(&complaints);
	return conf;
}

static char *dump(const mxw_conf_t *conf)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(mxw_conf_dump(conf, out), MXW_OK);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void assert_dump_loads_the_same(const mxw_conf_t *conf)
{
	char *first = dump(conf);
	mxw_conf_t *again = load_text(first);
	char *second = dump(again);

	ck_assert_str_eq(first, second);
	mxw_conf_unref(again);
	free(first);
	free(second);
}

/* ---- files ---- */

START_TEST(good_files_load_and_their_dump_is_the_same_configuration)
{
	struct mxw__buf complaints;
	mxw_conf_t *conf = NULL;

	mxw__buf_init(&complaints, 1 << 20);
	mxw_status_t status = mxw_conf_load(good.gl_pathv[_i], collect, &complaints, &conf);
	ck_assert_msg(status == MXW_OK && complaints.len == 0, "%s", mxw__buf_str(&complaints));
	mxw__buf_fini(&complaints);
	assert_dump_loads_the_same(conf);
	mxw_conf_unref(conf);
}
END_TEST

START_TEST(bad_files_give_exactly_these_complaints)
{
	const char *path = bad.gl_pathv[_i];
	char expect[4200], *expected;
	struct mxw__buf complaints;
	mxw_conf_t *conf = NULL;
	struct mxw_error err;
	size_t len;

	snprintf(expect, sizeof expect, "%.*sexpect", (int)(strlen(path) - strlen("conf")), path);
	ck_assert_msg(mxw__file_read(expect, 1 << 20, &expected, &len, &err) == MXW_OK, "%s", err.text);
	mxw__buf_init(&complaints, 1 << 20);
	ck_assert_int_eq(mxw_conf_load(path, collect, &complaints, &conf), MXW_ERR_CONF);
	ck_assert_ptr_null(conf);
	char *got = normal(&complaints, path);
	ck_assert_ptr_nonnull(got);
	if (strcmp(got, expected) != 0)
		fprintf(stderr, "---- %s, expected:\n%s---- got:\n%s", path, expected, got);
	ck_assert(strcmp(got, expected) == 0);
	free(got);
	free(expected);
	mxw__buf_fini(&complaints);
}
END_TEST

/* ---- defaults ---- */

START_TEST(an_empty_configuration_is_good_and_has_the_documented_defaults)
{
	mxw_conf_t *conf = load_text("");

	ck_assert_uint_eq(conf->internal.n, 2);
	ck_assert_uint_eq(conf->relays.n, 0);
	ck_assert(!conf->observe);
	ck_assert(conf->auth.spf_enabled && conf->auth.dkim_enabled && conf->auth.add_results);
	ck_assert_uint_eq(conf->auth.dkim_min_key_bits, 1024);
	ck_assert_uint_eq(conf->timeouts.before_data_ms, 8000);
	ck_assert_uint_eq(conf->timeouts.end_of_message_ms, 20000);
	ck_assert_uint_eq(conf->resolver.timeout_ms, 3000);
	ck_assert(conf->tracker.enabled);
	ck_assert_uint_eq(conf->tracker.half_life_ms, 3600000);
	ck_assert_uint_eq(conf->tracker.weights[MXW__EVENT_UNKNOWN_RCPT], 10);
	ck_assert_uint_eq(conf->tracker.weights[MXW__EVENT_SPF_FAIL], 5);
	ck_assert_str_ne(conf->authserv_id, "");
	ck_assert_uint_eq(mxw_conf_daemon(conf)->socket_mode, 0660);
	ck_assert_uint_eq(mxw_conf_daemon(conf)->drain_timeout_ms, 10000);
	ck_assert_uint_eq(mxw_conf_daemon(conf)->max_sessions, conf->limits.sessions);
	ck_assert_uint_eq(mxw_conf_daemon(conf)->header_frame_bytes, 1024 * 1024);
	ck_assert_str_eq(mxw_conf_daemon(conf)->syslog_facility, "mail");
	ck_assert_str_eq(mxw_conf_daemon(conf)->log_level, "info");
	ck_assert_str_eq(mxw_conf_daemon(conf)->pid_file, "");
	ck_assert(mxw_policy_has_stage(mxw_conf_policy(conf), MXW_STAGE_HELO));
	ck_assert(mxw_policy_needs(mxw_conf_policy(conf), MXW_STAGE_EOM, mxw_fact_find("dkim")));
	assert_dump_loads_the_same(conf);
	mxw_conf_unref(conf);
}
END_TEST

START_TEST(values_reach_their_place)
{
	mxw_conf_t *conf = load_text(
		"mode observe\nauthserv-id MX1.Example.NET.\nhelo-names Mail.example.net mx1.example.net\n"
		"socket-mode 0600\ndrain-timeout 500ms\n"
		"networks { internal none\n relays 192.0.2.1\n relays 2001:db8::/32 }\n"
		"resolver { forward 127.0.0.1@5353 ::1\n timeout 2s }\nlimits { header-bytes 64K\n sessions 7 }\n"
		"tracker { enabled no\n abort 3 }\n"
		"directory a { type system\n aliases-file \"\" }\ndirectory b { type system\n aliases-file \"\" }\n"
		"domain Example.NET. b.example {\n recipients b a\n on-failure accept }\n"
		"listener submission { port 587 }\nlistener x { daemon-name \"a b\" }\n");

	ck_assert(conf->observe);
	ck_assert_str_eq(conf->authserv_id, "mx1.example.net");
	ck_assert_uint_ge(conf->helo_names.n, 2);
	ck_assert_str_eq(conf->helo_names.v[0], "mail.example.net");
	ck_assert_str_eq(conf->helo_names.v[1], "mx1.example.net");
	ck_assert_uint_eq(conf->internal.n, 0);
	ck_assert_uint_eq(conf->relays.n, 2);
	ck_assert_uint_eq(conf->relays.v[1].bits, 32);
	ck_assert_uint_eq(conf->resolver.forward.n, 2);
	ck_assert_str_eq(conf->resolver.forward.v[0], "127.0.0.1@5353");
	ck_assert_uint_eq(conf->limits.header_bytes, 65536);
	ck_assert_uint_eq(mxw_conf_daemon(conf)->max_sessions, 7);
	ck_assert_uint_eq(mxw_conf_daemon(conf)->socket_mode, 0600);
	ck_assert_uint_eq(mxw_conf_daemon(conf)->drain_timeout_ms, 500);
	ck_assert(!conf->tracker.enabled);
	ck_assert_uint_eq(conf->tracker.weights[MXW__EVENT_ABORT], 3);
	ck_assert_uint_eq(conf->ndirectories, 2);
	ck_assert_int_eq(conf->directories[0].type, MXW__DIRECTORY_SYSTEM);
	ck_assert_uint_eq(conf->directories[0].aliases_files.n, 1);
	ck_assert_str_eq(conf->directories[0].aliases_files.v[0], "");
	ck_assert_uint_eq(conf->ndomains, 1);
	ck_assert_uint_eq(conf->domains[0].names.n, 2);
	ck_assert_str_eq(conf->domains[0].names.v[0], "example.net");
	ck_assert_uint_eq(conf->domains[0].nrecipients, 2);
	ck_assert_uint_eq(conf->domains[0].recipients[0], 1);
	ck_assert_uint_eq(conf->domains[0].recipients[1], 0);
	ck_assert_int_eq(conf->domains[0].on_failure, MXW__ON_FAILURE_ACCEPT);
	ck_assert_uint_eq(conf->listeners[0].port, 587);
	ck_assert_str_eq(conf->listeners[1].daemon_name, "a b");
	assert_dump_loads_the_same(conf);
	mxw_conf_unref(conf);
}
END_TEST

static const struct {
	const char *text;
	bool from_root, local_only;
} forwards[] = {
	{"resolver { forward root }", true, false},
	{"resolver { forward none }", false, true},
	{"resolver { timeout 1s }", false, false},
};

START_TEST(forward_root_and_none_are_no_servers)
{
	mxw_conf_t *conf = load_text(forwards[_i].text);

	ck_assert_int_eq(conf->resolver.from_root, forwards[_i].from_root);
	ck_assert_int_eq(conf->resolver.local_only, forwards[_i].local_only);
	ck_assert_uint_eq(conf->resolver.forward.n, 0);
	assert_dump_loads_the_same(conf);
	mxw_conf_unref(conf);
}
END_TEST

START_TEST(conditions_survive_the_dump)
{
	static const char *const conditions[] = {
		"spf = fail", "not auth", "not (auth or tls)", "auth or tls and not sender.ours", "(auth or tls) and sender.ours",
		"not (not (auth and tls))", "helo matches \"*.a b\"", "helo in \"and\" \"not\" x \"q\\\"\\\\\"",
		"client.address in 192.0.2.0/24 2001:db8::/32", "(auth and (tls and sender.ours))", "sender = \"\"",
	};
	for (size_t i = 0; i < MXW_ARRAY_LEN(conditions); i++) {
		char text[200];
		snprintf(text, sizeof text, "rule r { when %s\n reject }", conditions[i]);
		mxw_conf_t *conf = load_text(text);
		assert_dump_loads_the_same(conf);
		mxw_conf_unref(conf);
	}
}
END_TEST

/* ---- complaints ---- */

static char *complaints_of(const char *text, size_t *ret_n)
{
	struct mxw__buf buf;
	mxw_conf_t *conf = NULL;

	mxw__buf_init(&buf, 4 << 20);
	ck_assert_int_eq(mxw_conf_load_text("t", text, collect, &buf, &conf), MXW_ERR_CONF);
	*ret_n = 0;
	for (const char *s = mxw__buf_str(&buf); *s; s++)
		*ret_n += *s == '\n';
	return mxw__buf_take(&buf);
}

START_TEST(bytes_that_are_no_text_are_told_by_position)
{
	size_t n;
	char *got = complaints_of("mode observe # gr\xc3\xbc\xc3\x9f" "e\n# bad \xff\nuser \x01x\n", &n);

	ck_assert_str_eq(got, "t:2:7: octet 0xff is not UTF-8\nt:3:6: unexpected control character 0x01\n"
			      "t:3:6: '?x' is no name; 1 to 64 letters, digits, '-', '_' and '.' were expected\n");
	free(got);
}
END_TEST

START_TEST(a_nul_byte_is_told)
{
	char path[] = "/tmp/mxw-conf-XXXXXX";
	struct mxw__buf buf;
	mxw_conf_t *conf = NULL;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "mode observe\nuser a\0b\n", 22), 22);
	close(fd);
	mxw__buf_init(&buf, 10000);
	ck_assert_int_eq(mxw_conf_load(path, collect, &buf, &conf), MXW_ERR_CONF);
	ck_assert_msg(strstr(mxw__buf_str(&buf), ":2:7: unexpected control character 0x00"), "%s", mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
	unlink(path);
}
END_TEST

START_TEST(long_lines_and_files_are_refused)
{
	size_t n;
	char *text = malloc(2 << 20);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', 9000);
	strcpy(text + 9000, "\nmode observe\n");
	char *got = complaints_of(text, &n);
	ck_assert_str_eq(got, "t:1:1: the line is longer than 8192 octets\n");
	free(got);
	memset(text, '\n', (2 << 20) - 1);
	text[(2 << 20) - 1] = '\0';
	got = complaints_of(text, &n);
	ck_assert_str_eq(got, "t:0:0: larger than 1048576 bytes\n");
	free(got);
	free(text);
}
END_TEST

START_TEST(complaints_are_bounded_and_the_rest_is_counted)
{
	struct mxw__buf text;
	size_t n;

	mxw__buf_init(&text, 1 << 20);
	for (int i = 0; i < 3000; i++)
		mxw__buf_adds(&text, "bogus 1\n");
	char *got = complaints_of(mxw__buf_str(&text), &n);
	ck_assert_uint_eq(n, 1001);
	ck_assert_ptr_nonnull(strstr(got, "2000 more complaints are not shown"));
	free(got);
	mxw__buf_fini(&text);
}
END_TEST

START_TEST(nesting_is_bounded)
{
	struct mxw__buf text;
	size_t n;

	mxw__buf_init(&text, 1 << 20);
	for (int i = 0; i < 5000; i++)
		mxw__buf_adds(&text, "a {\n");
	char *got = complaints_of(mxw__buf_str(&text), &n);
	ck_assert_ptr_nonnull(strstr(got, "nested too deeply"));
	free(got);
	mxw__buf_clear(&text);
	mxw__buf_adds(&text, "rule r {\nwhen ");
	for (int i = 0; i < 3000; i++)
		mxw__buf_adds(&text, "not (\n");
	mxw__buf_adds(&text, "auth");
	for (int i = 0; i < 3000; i++)
		mxw__buf_adds(&text, ")\n");
	mxw__buf_adds(&text, "\nreject\n}\n");
	got = complaints_of(mxw__buf_str(&text), &n);
	ck_assert_ptr_nonnull(strstr(got, "deep"));
	free(got);
	mxw__buf_fini(&text);
}
END_TEST

START_TEST(a_missing_file_is_a_system_error_and_named)
{
	struct mxw__buf buf;
	mxw_conf_t *conf = NULL;

	mxw__buf_init(&buf, 10000);
	ck_assert_int_eq(mxw_conf_load("/nonexistent/mxward.conf", collect, &buf, &conf), MXW_ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(mxw__buf_str(&buf), "/nonexistent/mxward.conf: No such file"));
	mxw__buf_fini(&buf);
}
END_TEST

/* ---- secrets and paths ---- */

static void write_file(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void remove_files(const char *dir)
{
	static const char *const names[] = {"main.conf", "pass", "a.conf", "b.conf"};
	char path[300];

	for (size_t i = 0; i < MXW_ARRAY_LEN(names); i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static const char ldap_conf[] =
	"directory d {\n type ldap\n uri ldap://localhost\n base dc=x\n bind-dn cn=x\n bind-password-file pass\n}\n";

START_TEST(a_secret_is_read_beside_its_file_and_never_dumped)
{
	char dir[] = "/tmp/mxw-conf-XXXXXX", path[300];
	struct mxw__buf buf;
	mxw_conf_t *conf = NULL;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/main.conf", dir);
	write_file(dir, "main.conf", ldap_conf, 0644);
	write_file(dir, "pass", "hunter2\n", 0600);
	mxw__buf_init(&buf, 10000);
	mxw_status_t status = mxw_conf_load(path, collect, &buf, &conf);
	ck_assert_msg(status == MXW_OK, "%s", mxw__buf_str(&buf));
	ck_assert_str_eq(conf->directories[0].bind_password, "hunter2");
	char *text = dump(conf);
	ck_assert_ptr_null(strstr(text, "hunter2"));
	/* The path was made absolute: the dump loads from anywhere. */
	ck_assert_ptr_nonnull(strstr(text, dir));
	free(text);
	assert_dump_loads_the_same(conf);
	mxw_conf_unref(conf);
	conf = NULL;
	write_file(dir, "pass", "hunter2\n", 0644);
	ck_assert_int_eq(mxw_conf_load(path, collect, &buf, &conf), MXW_ERR_CONF);
	ck_assert_ptr_nonnull(strstr(mxw__buf_str(&buf), "main.conf:6:2: "));
	ck_assert_ptr_nonnull(strstr(mxw__buf_str(&buf), "/pass: mode 0644 lets every user read this secret"));
	ck_assert_ptr_null(strstr(mxw__buf_str(&buf), "hunter2"));
	mxw__buf_fini(&buf);
	remove_files(dir);
}
END_TEST

static const char bounce_conf[] = "bounce-proof {\n domains example.net\n key-file pass\n mode enforce\n}\n";

START_TEST(bounces_can_be_refused_when_there_are_domains_and_a_key)
{
	char dir[] = "/tmp/mxw-conf-XXXXXX", path[300];
	struct mxw__buf buf;
	mxw_conf_t *conf = NULL;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/main.conf", dir);
	write_file(dir, "main.conf", bounce_conf, 0644);
	write_file(dir, "pass", "a key for bounces\n", 0600);
	mxw__buf_init(&buf, 10000);
	mxw_status_t status = mxw_conf_load(path, collect, &buf, &conf);
	ck_assert_msg(status == MXW_OK && buf.len == 0, "%s", mxw__buf_str(&buf));
	ck_assert_int_eq(conf->bounce.mode, MXW__BOUNCE_PROOF_ENFORCE);
	ck_assert_uint_eq(conf->bounce.keys.n, 1);
	assert_dump_loads_the_same(conf);
	mxw_conf_unref(conf);
	mxw__buf_fini(&buf);
	remove_files(dir);
}
END_TEST

static const char key_conf[] =
	"directory d {\n type ldap\n uri ldaps://localhost\n base dc=x\n bind-method external\n"
	" tls-certificate-file pass\n tls-key-file pass\n}\n";

START_TEST(a_key_that_others_can_read_is_refused)
{
	char dir[] = "/tmp/mxw-conf-XXXXXX", path[300];
	struct mxw__buf buf;
	mxw_conf_t *conf = NULL;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/main.conf", dir);
	write_file(dir, "main.conf", key_conf, 0644);
	write_file(dir, "pass", "-----BEGIN PRIVATE KEY-----\nsecret\n", 0600);
	mxw__buf_init(&buf, 10000);
	mxw_status_t status = mxw_conf_load(path, collect, &buf, &conf);
	ck_assert_msg(status == MXW_OK, "%s", mxw__buf_str(&buf));
	assert_dump_loads_the_same(conf);
	mxw_conf_unref(conf);
	conf = NULL;
	write_file(dir, "pass", "-----BEGIN PRIVATE KEY-----\nsecret\n", 0644);
	ck_assert_int_eq(mxw_conf_load(path, collect, &buf, &conf), MXW_ERR_CONF);
	ck_assert_ptr_nonnull(strstr(mxw__buf_str(&buf), "main.conf:7:2: "));
	ck_assert_ptr_nonnull(strstr(mxw__buf_str(&buf), "/pass: mode 0644 lets every user read this secret"));
	mxw__buf_fini(&buf);
	remove_files(dir);
}
END_TEST

/* ---- presets ---- */

static const struct {
	const char *preset, *option, *in_dump;
} presets[] = {
	{"custom", "", "filter               \"(mail={addr})\"\n"},
	{"custom", "", "address-attributes   mail\n"},
	{"openldap", "", "mailAlternateAddress={addr}"},
	{"openldap", "", "disabled-attribute   accountStatus\n"},
	{"openldap", "", "address-attributes   nisMailAlias/cn\n"},
	{"openldap", "filter \"(uid={user})\"", "filter               \"(uid={user})\"\n"},
	{"active-directory", "", "(proxyAddresses=smtp:{addr})"},
	{"active-directory", "", "disabled-attribute   userAccountControl\n"},
	{"active-directory", "", "internal-only-attribute msExchRequireAuthToSendTo\n"},
	{"active-directory", "", "address-attributes   \"proxyAddresses=smtp:\"\n"},
	{"active-directory", "disabled-attribute \"\"", "disabled-attribute   \"\"\n"},
	{"active-directory", "address-attributes x", "\taddress-attributes   x\n\tb"},
	{"389ds", "", "disabled-attribute   nsAccountLock\n"},
	{"rfc822-mail-member", "", "(objectClass=nisMailAlias)"},
	{"rfc822-mail-member", "class-attribute ou", "class-attribute      ou\n"},
};

START_TEST(a_preset_sets_what_is_not_given_and_the_dump_shows_it)
{
	char text[400];

	snprintf(text, sizeof text, "directory d {\n %s\n type ldap\n preset %s\n uri ldap://h\n base dc=x\n}\n",
		 presets[_i].option, presets[_i].preset);
	mxw_conf_t *conf = load_text(text);
	char *got = dump(conf);
	/* Quotes are put where they are needed; what is compared has none but where they are meant. */
	ck_assert_msg(strstr(got, presets[_i].in_dump), "no %s in\n%s", presets[_i].in_dump, strstr(got, "directory d"));
	assert_dump_loads_the_same(conf);
	free(got);
	mxw_conf_unref(conf);
}
END_TEST

START_TEST(a_loop_of_includes_is_told_where_it_closes)
{
	char dir[] = "/tmp/mxw-conf-XXXXXX", path[300];
	struct mxw__buf buf;
	mxw_conf_t *conf = NULL;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/main.conf", dir);
	write_file(dir, "main.conf", "mode observe\ninclude [ab].conf\n", 0644);
	write_file(dir, "a.conf", "user nobody\n", 0644);
	write_file(dir, "b.conf", "\n  include main.conf\nbogus 1\n", 0644);
	mxw__buf_init(&buf, 10000);
	ck_assert_int_eq(mxw_conf_load(path, collect, &buf, &conf), MXW_ERR_CONF);
	char expected[700];
	snprintf(expected, sizeof expected,
		 "%s/b.conf:2:11: %s/main.conf is being read already and can't include itself\n"
		 "%s/b.conf:3:1: unknown key 'bogus'; mxward.conf(5) lists them all\n", dir, dir, dir);
	ck_assert_str_eq(mxw__buf_str(&buf), expected);
	mxw__buf_fini(&buf);
	remove_files(dir);
}
END_TEST

static void count_option(void *ctx, const char *section, const char *option, const char *deflt)
{
	unsigned *n = ctx;

	(void)deflt;
	ck_assert_ptr_nonnull(section);
	ck_assert_str_ne(option, "");
	++*n;
}

START_TEST(every_option_can_be_visited)
{
	unsigned n = 0;

	mxw_conf_each_option(count_option, &n);
	ck_assert_uint_gt(n, 60);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conf");
	TCase *tc = tcase_create("conf");

	if (glob(DIR "/good.*.conf", 0, NULL, &good) != 0 || glob(DIR "/bad.*.conf", 0, NULL, &bad) != 0) {
		fprintf(stderr, "no files in %s\n", DIR);
		return EXIT_FAILURE;
	}
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, good_files_load_and_their_dump_is_the_same_configuration, 0, (int)good.gl_pathc);
	tcase_add_loop_test(tc, bad_files_give_exactly_these_complaints, 0, (int)bad.gl_pathc);
	tcase_add_test(tc, an_empty_configuration_is_good_and_has_the_documented_defaults);
	tcase_add_test(tc, values_reach_their_place);
	tcase_add_loop_test(tc, forward_root_and_none_are_no_servers, 0, MXW_ARRAY_LEN(forwards));
	tcase_add_test(tc, conditions_survive_the_dump);
	tcase_add_test(tc, bytes_that_are_no_text_are_told_by_position);
	tcase_add_test(tc, a_nul_byte_is_told);
	tcase_add_test(tc, long_lines_and_files_are_refused);
	tcase_add_test(tc, complaints_are_bounded_and_the_rest_is_counted);
	tcase_add_test(tc, nesting_is_bounded);
	tcase_add_test(tc, a_missing_file_is_a_system_error_and_named);
	tcase_add_test(tc, bounces_can_be_refused_when_there_are_domains_and_a_key);
	tcase_add_test(tc, a_key_that_others_can_read_is_refused);
	tcase_add_loop_test(tc, a_preset_sets_what_is_not_given_and_the_dump_shows_it, 0, MXW_ARRAY_LEN(presets));
	tcase_add_test(tc, a_secret_is_read_beside_its_file_and_never_dumped);
	tcase_add_test(tc, a_loop_of_includes_is_told_where_it_closes);
	tcase_add_test(tc, every_option_can_be_visited);
	suite_add_tcase(s, tc);
	int rc = run_suite(s);
	globfree(&good);
	globfree(&bad);
	return rc;
}
