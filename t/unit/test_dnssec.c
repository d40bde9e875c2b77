/* SPDX-License-Identifier: BSD-2-Clause */
/* What the resolver says of signed answers, with a real DNS server (nsd) that has a signed zone, t/data/dnssec. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

enum { LONG_MS = 20000, START_MS = 120000, SKIPPED = 77 };

static const char *const programs[] = {"/usr/sbin/nsd", "/usr/local/sbin/nsd"};
static const char anchor[] = MXW_TESTDATA "/data/dnssec/signed.key";

static struct scratch scratch;
static const char *program;
static pid_t server;
static unsigned port;
static char address[64];

static int64_t now(void)
{
	return mxw__now_ms(mxw_clock_system());
}

/* ---- the server ---- */

/* 0: the port is in use. */
static unsigned bind_to(int type, unsigned wanted)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY), .sin_port = htons((uint16_t)wanted)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	bool is_free = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 && getsockname(fd, (struct sockaddr *)&sa, &len) == 0;

	close(fd);
	return is_free ? ntohs(sa.sin_port) : 0;
}

/* Resolvers of other suites have hundreds of UDP ports for a while. */
static unsigned free_port(void)
{
	unsigned found = 0;

	for (int i = 0; i < 100 && (found == 0 || bind_to(SOCK_DGRAM, found) == 0); i++)
		found = bind_to(SOCK_STREAM, 0);
	ck_assert_uint_ne(found, 0);
	return found;
}

static void write_conf(const char *path)
{
	static const char *const zones[] = {"signed", "plain"};
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "server:\n ip-address: 127.0.0.1@%u\n do-ip6: no\n username: \"\"\n chroot: \"\"\n database: \"\"\n"
		" zonesdir: \"%s/data/dnssec\"\n zonelistfile: \"%s/zone.list\"\n pidfile: \"%s/nsd.pid\"\n"
		" xfrdfile: \"%s/xfrd.state\"\n xfrdir: \"%s\"\n server-count: 1\n rrl-ratelimit: 0\n",
		port, MXW_TESTDATA, scratch.dir, scratch.dir, scratch.dir, scratch.dir);
	for (size_t i = 0; i < MXW_ARRAY_LEN(zones); i++)
		fprintf(f, "zone:\n name: \"%s.example\"\n zonefile: \"%s.zone\"\n", zones[i], zones[i]);
	ck_assert_int_eq(fclose(f), 0);
}

static void exec_server(const char *conf, const char *log)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	/* It must not outlive a test program that crashed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execl(program, program, "-d", "-c", conf, (char *)NULL);
	_exit(127);
}

static mxw_resolver_t *make_resolver(const char *trust_anchor_file)
{
	const char *forward = address;
	struct mxw_resolver_options options = {.size = sizeof(options), .forward = &forward, .nforward = 1,
					       .timeout_ms = LONG_MS, .trust_anchor_file = trust_anchor_file};
	struct mxw_error err = {0};
	mxw_resolver_t *made = NULL;

	ck_assert_msg(mxw_resolver_new(&options, &made, &err) == MXW_OK, "%s", err.text);
	return made;
}

static mxw_dns_answer_t *ask(mxw_resolver_t *resolver, const char *name, enum mxw_dns_type type)
{
	return mxw_resolver_ask(resolver, name, type, now() + LONG_MS, NULL);
}

static bool has_started(void)
{
	mxw_resolver_t *resolver = make_resolver(NULL);
	mxw_dns_answer_t *answer = ask(resolver, "www.plain.example", MXW_DNS_A);
	bool is_there = answer->outcome == MXW_FOUND;

	mxw_dns_answer_unref(answer);
	mxw_resolver_unref(resolver);
	return is_there;
}

static bool has_ended(void)
{
	return waitpid(server, NULL, WNOHANG) == server;
}

/* Another program may have taken the port meanwhile: then it ends at once, and is tried with another. */
static void start_server(void)
{
	char *conf = scratch_path(&scratch, "nsd.conf"), *log = scratch_path(&scratch, "nsd.log");
	int64_t give_up = now() + START_MS;

	do {
		ck_assert_msg(now() < give_up, "nsd does not start");
		port = free_port();
		snprintf(address, sizeof(address), "127.0.0.1@%u", port);
		write_conf(conf);
		server = fork();
		if (server == 0)
			exec_server(conf, log);
		while (!has_started() && !has_ended())
			ck_assert_msg(now() < give_up, "nsd does not start");
		/* It is gone when it was waited for. */
	} while (kill(server, 0) != 0);
	free(conf);
	free(log);
}

static void setup(void)
{
	scratch_init(&scratch);
	start_server();
}

static void teardown(void)
{
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	scratch_fini(&scratch);
}

/* ---- what is said ---- */

static const struct {
	const char *name;
	enum mxw_dns_type type;
	mxw_outcome_t outcome;
	int rcode;
	bool is_secure, is_bogus;
	mxw_outcome_t unvalidated; /* where nobody looks at signatures */
} rows[] = {
	{"www.signed.example", MXW_DNS_A, MXW_FOUND, 0, true, false, MXW_FOUND},
	{"x.y.wild.signed.example", MXW_DNS_TXT, MXW_FOUND, 0, true, false, MXW_FOUND},
	{"www.signed.example", MXW_DNS_TXT, MXW_NOT_FOUND, 0, true, false, MXW_NOT_FOUND},
	{"nosuch.signed.example", MXW_DNS_A, MXW_NOT_FOUND, 3, true, false, MXW_NOT_FOUND},
	{"alias.signed.example", MXW_DNS_A, MXW_FOUND, 0, true, false, MXW_FOUND},
	{"www.plain.example", MXW_DNS_A, MXW_FOUND, 0, false, false, MXW_FOUND},
	/* The whole way must be signed. */
	{"leaves.signed.example", MXW_DNS_A, MXW_FOUND, 0, false, false, MXW_FOUND},
	{"into.plain.example", MXW_DNS_A, MXW_FOUND, 0, false, false, MXW_FOUND},
	{"forged.signed.example", MXW_DNS_A, MXW_TEMPORARY, 2, false, true, MXW_FOUND},
	{"stripped.signed.example", MXW_DNS_A, MXW_TEMPORARY, 2, false, true, MXW_FOUND},
};

START_TEST(signatures_are_looked_at_with_a_trust_anchor)
{
	mxw_resolver_t *resolver = make_resolver(anchor);
	mxw_dns_answer_t *answer = ask(resolver, rows[_i].name, rows[_i].type);

	ck_assert_msg(answer->outcome == rows[_i].outcome, "%s: %s", rows[_i].name, mxw_outcome_name(answer->outcome));
	ck_assert_int_eq(answer->rcode, rows[_i].rcode);
	ck_assert_int_eq(answer->is_secure, rows[_i].is_secure);
	ck_assert_int_eq(answer->is_bogus, rows[_i].is_bogus);
	/* Nothing of what was found invalid is handed out. */
	ck_assert(answer->outcome == MXW_FOUND || answer->nrecords == 0);
	/* And so it is remembered. */
	mxw_dns_answer_t *again = mxw_resolver_peek(resolver, rows[_i].name, rows[_i].type);
	ck_assert_ptr_eq(again, answer);
	struct mxw_resolver_stats stats = {.size = sizeof(stats)};
	mxw_resolver_get_stats(resolver, &stats);
	ck_assert_uint_eq(stats.bogus, rows[_i].is_bogus);
	mxw_dns_answer_unref(again);
	mxw_dns_answer_unref(answer);
	mxw_resolver_unref(resolver);
}
END_TEST

START_TEST(nothing_is_secure_or_bogus_without_one)
{
	mxw_resolver_t *resolver = make_resolver(NULL);
	mxw_dns_answer_t *answer = ask(resolver, rows[_i].name, rows[_i].type);

	ck_assert_int_eq(answer->outcome, rows[_i].unvalidated);
	ck_assert(!answer->is_secure && !answer->is_bogus);
	mxw_dns_answer_unref(answer);
	mxw_resolver_unref(resolver);
}
END_TEST

START_TEST(a_wrong_trust_anchor_file_is_named)
{
	static const struct {
		const char *path;
		mxw_status_t status;
	} files[] = {
		{"/nonexistent/root.key", MXW_ERR_CONF},
		{MXW_TESTDATA "/unit/test_dnssec.c", MXW_ERR_SYSTEM},
	};

	for (size_t i = 0; i < MXW_ARRAY_LEN(files); i++) {
		struct mxw_resolver_options options = {.size = sizeof(options), .trust_anchor_file = files[i].path};
		struct mxw_error err = {0};
		mxw_resolver_t *made = NULL;
		ck_assert_int_eq(mxw_resolver_new(&options, &made, &err), files[i].status);
		ck_assert_msg(i > 0 || strstr(err.text, files[i].path), "%s", err.text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dnssec");
	TCase *tcase = tcase_create("dnssec");

	for (size_t i = 0; i < MXW_ARRAY_LEN(programs) && !program; i++)
		if (access(programs[i], X_OK) == 0)
			program = programs[i];
	if (!program) {
		fprintf(stderr, "nsd is not installed\n");
		return getenv("MXW_CHECK_ALL") ? EXIT_FAILURE : SKIPPED;
	}
	tcase_add_unchecked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, signatures_are_looked_at_with_a_trust_anchor, 0, MXW_ARRAY_LEN(rows));
	tcase_add_loop_test(tcase, nothing_is_secure_or_bogus_without_one, 0, MXW_ARRAY_LEN(rows));
	tcase_add_test(tcase, a_wrong_trust_anchor_file_is_named);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
