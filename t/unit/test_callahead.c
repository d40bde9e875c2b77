/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directory type "call-ahead" against a mail server that misbehaves on order.
 */
#include "config.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/directory/callahead.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/notices.h"
#include "t/fakes/smtpd.h"
#include "t/fakes/suite.h"

/* What a sanitizer and a busy machine add to every step. */
#if defined(MXW_WITH_TSAN) || defined(MXW_WITH_ASAN)
enum { SLACK_MS = 1500 };
#else
enum { SLACK_MS = 700 };
#endif
/* Where an answer is expected it is waited for: the machine may be busy. */
enum { PATIENCE_MS = 60000 };
#define OK "250 2.1.5 fine"
#define OUR_NAME "gateway.example.net"

static struct smtpd *server;
static struct notices notices;
static const char *hosts[2];
static struct mxw__directory_conf conf;
static const struct mxw_clock *clock_used;

static int64_t now_ms(void)
{
	return mxw__now_ms(mxw_clock_system());
}

static void pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* ---- one directory ---- */

static void set_up(void)
{
	notices_init(&notices);
	server = smtpd_start();
	smtpd_rcpt(server, "anna@", OK);
	smtpd_rcpt(server, "postmaster@", OK);
	smtpd_rcpt(server, "helpdesk@", OK);
	hosts[0] = smtpd_host(server);
	clock_used = mxw_clock_system();
	conf = (struct mxw__directory_conf){
		.name = "inner",
		.type = MXW__DIRECTORY_CALL_AHEAD,
		.hosts = {1, hosts},
		.helo_name = OUR_NAME,
		.reference_recipient = "helpdesk",
		.tls = MXW__TLS_OPPORTUNISTIC,
		.tls_ca_file = smtpd_ca_file(server),
		.accept_all_check = true,
		.connections = 2,
		.timeout_ms = PATIENCE_MS / 2,
		.connect_timeout_ms = PATIENCE_MS / 2,
		.retry_ms = 100,
	};
}

static void tear_down(void)
{
	ck_assert_uint_eq(atomic_load(&smtpd_counts(server)->others), 0);
	smtpd_stop(server);
	notices_fini(&notices);
}

static void *open_call(void)
{
	void *self = NULL;
	struct mxw_error err = {0};
	struct mxw__directory_env env = {
		.conf = &conf, .clock = clock_used, .notice = notices_take, .notice_ctx = &notices};

	ck_assert_msg(mxw__directory_call_ahead.open(&env, &self, &err) == MXW_OK, "%s", err.text);
	return self;
}

static void close_call(void *self)
{
	int64_t start = now_ms();

	mxw__directory_call_ahead.close(self);
	ck_assert_int_lt(now_ms() - start, 1000 + SLACK_MS);
}

static struct mxw__rcpt_result ask_within(void *self, const char *text, int ms)
{
	char store[600];
	snprintf(store, sizeof store, "%s", text);
	char *at = strrchr(store, '@');
	struct mxw__address a = {.text = text, .local = store, .domain = at ? at + 1 : ""};
	if (at)
		*at = '\0';
	struct mxw__rcpt_query query = {.address = &a, .deadline_ms = mxw__now_ms(clock_used) + ms};
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};

	mxw__directory_call_ahead.lookup(self, &query, &result);
	return result;
}

static struct mxw__rcpt_result ask(void *self, const char *text)
{
	return ask_within(self, text, PATIENCE_MS);
}

static void ck_outcome_is(const struct mxw__rcpt_result *result, mxw_outcome_t expected, const char *what)
{
	ck_assert_msg(result->outcome == expected, "%s: %s, %s was expected: %s\n%s", what,
		      mxw_outcome_name(result->outcome), mxw_outcome_name(expected), result->reason,
		      mxw__buf_str(&notices.text));
}

static void ck_ask(void *self, const char *who, mxw_outcome_t expected)
{
	struct mxw__rcpt_result result = ask(self, who);

	ck_outcome_is(&result, expected, who);
	ck_assert_msg(!result.is_unverifiable, "%s is unverifiable", who);
}

static void ck_unverifiable(void *self, const char *who)
{
	struct mxw__rcpt_result result = ask(self, who);

	ck_outcome_is(&result, MXW_FOUND, who);
	ck_assert_msg(result.is_unverifiable, "%s is found", who);
}

/* Notices are told beside the look-ups. */
static void ck_told(const char *part)
{
	for (int i = 0; i < PATIENCE_MS / 10 && !notices_have(&notices, part); i++)
		pause_ms(10);
	ck_assert_msg(notices_have(&notices, part), "\"%s\" not in:\n%s", part, mxw__buf_str(&notices.text));
}

/* Asks until the outcome is this one. */
static void ck_until(void *self, const char *who, mxw_outcome_t expected)
{
	struct mxw__rcpt_result result = {.outcome = MXW_TEMPORARY};
	int64_t start = now_ms();

	do {
		result = ask_within(self, who, 2000);
		if (result.outcome == expected)
			return;
		pause_ms(10);
	} while (now_ms() - start < PATIENCE_MS);
	ck_outcome_is(&result, expected, who);
}

/* ---- reading replies ---- */

static const struct {
	const char *name, *octets;
	mxw__call_read_t end;
	unsigned code, enhanced[3];
} replies[] = {
	{"one line", "250 fine\r\n", MXW__CALL_DONE, 250, {0}},
	{"only the code", "250\r\n", MXW__CALL_DONE, 250, {0}},
	{"a code and a blank", "250 \r\n", MXW__CALL_DONE, 250, {0}},
	{"without CR", "250 fine\n", MXW__CALL_DONE, 250, {0}},
	{"enhanced", "550 5.1.1 <x>: unknown\r\n", MXW__CALL_DONE, 550, {5, 1, 1}},
	{"enhanced and nothing else", "550 5.1.1\r\n", MXW__CALL_DONE, 550, {5, 1, 1}},
	{"three digits", "550 5.7.133 no\r\n", MXW__CALL_DONE, 550, {5, 7, 133}},
	{"four digits", "550 5.7.1330 no\r\n", MXW__CALL_DONE, 550, {0}},
	{"an address is no code", "550 5.1.1.2 is blocked\r\n", MXW__CALL_DONE, 550, {0}},
	{"of another class", "550 4.1.1 no\r\n", MXW__CALL_DONE, 550, {0}},
	{"not at the beginning", "550 no 5.1.1\r\n", MXW__CALL_DONE, 550, {0}},
	{"several lines", "550-5.1.1 a\r\n550-5.1.1 b\r\n550 5.1.1 c\r\n", MXW__CALL_DONE, 550, {5, 1, 1}},
	{"further lines without", "550-5.1.1 a\r\n550 see http://x\r\n", MXW__CALL_DONE, 550, {5, 1, 1}},
	{"lines that disagree", "550-5.1.1 a\r\n550 5.7.1 b\r\n", MXW__CALL_DONE, 550, {0}},
	{"first without, then with", "550-sorry\r\n550 5.1.1 b\r\n", MXW__CALL_DONE, 550, {0}},
	{"codes that disagree", "550-5.1.1 a\r\n250 b\r\n", MXW__CALL_GARBAGE, 0, {0}},
	{"not complete", "550-5.1.1 a\r\n550 5", MXW__CALL_MORE, 0, {0}},
	{"no code", "fine\r\n", MXW__CALL_GARBAGE, 0, {0}},
	{"a code of two digits", "25 fine\r\n", MXW__CALL_GARBAGE, 0, {0}},
	{"a code of four digits", "2500 fine\r\n", MXW__CALL_GARBAGE, 0, {0}},
	{"no reply has this code", "150 fine\r\n", MXW__CALL_GARBAGE, 0, {0}},
	{"nor this", "650 fine\r\n", MXW__CALL_GARBAGE, 0, {0}},
	{"empty line", "\r\n", MXW__CALL_GARBAGE, 0, {0}},
	{"HTTP", "HTTP/1.1 400 Bad Request\r\n", MXW__CALL_GARBAGE, 0, {0}},
};

static void ck_reply(const struct mxw__call_reader *reader, mxw__call_read_t end, int row)
{
	const struct mxw__call_reply *r = &reader->reply;

	ck_assert_msg(end == replies[row].end, "%s: %d", replies[row].name, (int)end);
	if (end != MXW__CALL_DONE)
		return;
	ck_assert_uint_eq(r->code, replies[row].code);
	ck_assert_msg(r->has_enhanced == (replies[row].enhanced[0] != 0), "%s", replies[row].name);
	if (r->has_enhanced)
		ck_assert_mem_eq(r->enhanced, replies[row].enhanced, sizeof r->enhanced);
}

START_TEST(replies_are_read_whole_and_in_pieces)
{
	const char *octets = replies[_i].octets;
	struct mxw__call_reader reader;
	mxw__call_read_t end = MXW__CALL_MORE;
	size_t used, len = strlen(octets);

	mxw__call_reader_init(&reader);
	end = mxw__call_reader_feed(&reader, octets, len, &used);
	ck_reply(&reader, end, _i);
	if (end == MXW__CALL_DONE)
		ck_assert_uint_eq(used, len);

	mxw__call_reader_init(&reader);
	end = MXW__CALL_MORE;
	for (size_t i = 0; i < len && end == MXW__CALL_MORE; i++)
		end = mxw__call_reader_feed(&reader, octets + i, 1, &used);
	ck_reply(&reader, end, _i);
}
END_TEST

START_TEST(a_reply_ends_where_it_ends)
{
	static const char two[] = "250 first\r\n550 5.1.1 second\r\n";
	struct mxw__call_reader reader;
	size_t used;

	mxw__call_reader_init(&reader);
	ck_assert_int_eq(mxw__call_reader_feed(&reader, two, sizeof two - 1, &used), MXW__CALL_DONE);
	ck_assert_uint_eq(used, 11);
	ck_assert_uint_eq(reader.reply.code, 250);
	ck_assert_str_eq(reader.reply.name, "first");
}
END_TEST

START_TEST(replies_without_end_and_with_nul_are_garbage)
{
	char line[MXW__CALL_LINE_MAX + 2];
	struct mxw__call_reader reader;
	mxw__call_read_t end = MXW__CALL_MORE;
	size_t used;
	unsigned n = 0;

	memset(line, '2', sizeof line);
	mxw__call_reader_init(&reader);
	ck_assert_int_eq(mxw__call_reader_feed(&reader, line, sizeof line, &used), MXW__CALL_GARBAGE);
	mxw__call_reader_init(&reader);
	for (; end == MXW__CALL_MORE && n < 10000; n++)
		end = mxw__call_reader_feed(&reader, "250-x\r\n", 7, &used);
	ck_assert_int_eq(end, MXW__CALL_GARBAGE);
	ck_assert_uint_eq(n, MXW__CALL_LINES_MAX + 1);
	mxw__call_reader_init(&reader);
	ck_assert_int_eq(mxw__call_reader_feed(&reader, "250 \0\r\n", 7, &used), MXW__CALL_GARBAGE);
}
END_TEST

/* ---- writing paths ---- */

static const struct {
	const char *local, *domain, *path; /* NULL: can't be written */
} paths[] = {
	{"anna", "example.net", "anna@example.net"},
	{"anna.b+c", "example.net", "anna.b+c@example.net"},
	{"anna b", "example.net", "\"anna b\"@example.net"},
	{"a\"b\\c", "example.net", "\"a\\\"b\\\\c\"@example.net"},
	{".anna", "example.net", "\".anna\"@example.net"},
	{"a..b", "example.net", "\"a..b\"@example.net"},
	{"a.", "example.net", "\"a.\"@example.net"},
	{"a>b", "example.net", "\"a>b\"@example.net"},
	{"a@b", "example.net", "\"a@b\"@example.net"},
	{"m\xc3\xbcller", "example.net", "m\xc3\xbcller@example.net"},
	{"anna", "[192.0.2.1]", "anna@[192.0.2.1]"},
	{"postmaster", "", "postmaster"},
	{"a\r\nRSET", "example.net", NULL},
	{"a\nb", "example.net", NULL},
	{"a\x7f", "example.net", NULL},
	{"a\tb", "example.net", NULL},
	{"", "example.net", NULL},
	{"anna", "example.net> SIZE=1", NULL},
	{"anna", "example.net\r\nRSET", NULL},
};

START_TEST(a_path_is_one_path_or_none)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, 900);
	ck_assert_int_eq(mxw__call_add_path(&buf, paths[_i].local, paths[_i].domain), paths[_i].path != NULL);
	if (paths[_i].path)
		ck_assert_str_eq(mxw__buf_str(&buf), paths[_i].path);
	mxw__buf_fini(&buf);
}
END_TEST

static const struct {
	const char *text, *host; /* NULL: is none */
	unsigned port;
} host_ports[] = {
	{"inner.example.net", "inner.example.net", 25},
	{"inner", "inner", 25},
	{"192.0.2.1:2525", "192.0.2.1", 2525},
	{"[2001:db8::1]", "2001:db8::1", 25},
	{"[2001:db8::1]:24", "2001:db8::1", 24},
	{"2001:db8::1", NULL, 0},
	{"[192.0.2.1]", NULL, 0},
	{"[2001:db8::1", NULL, 0},
	{"[2001:db8::1]24", NULL, 0},
	{"host:", NULL, 0},
	{"host:0", NULL, 0},
	{"host:65536", NULL, 0},
	{"", NULL, 0},
	{":25", NULL, 0},
	{"a b", NULL, 0},
};

START_TEST(hosts_and_ports_are_told_apart)
{
	char host[256];
	uint16_t port = 0;
	bool ok = mxw__host_port_parse(host_ports[_i].text, 25, host, sizeof host, &port);

	ck_assert_msg(ok == (host_ports[_i].host != NULL), "%s", host_ports[_i].text);
	if (ok) {
		ck_assert_str_eq(host, host_ports[_i].host);
		ck_assert_uint_eq(port, host_ports[_i].port);
	}
}
END_TEST

/* ---- what is remembered of hosts ---- */

START_TEST(what_is_remembered_of_hosts_is_bounded_and_ages)
{
	struct mxw__call_trusts *trusts = mxw__call_trusts_new();
	char domain[32];

	mxw__call_trusts_set(trusts, 0, "a.example", MXW__CALL_ACCEPTS_ALL, 1000);
	ck_assert_int_eq(mxw__call_trusts_get(trusts, 0, "a.example", 1001), MXW__CALL_ACCEPTS_ALL);
	ck_assert_int_eq(mxw__call_trusts_get(trusts, 1, "a.example", 1001), MXW__CALL_NOT_TRIED);
	ck_assert_int_eq(mxw__call_trusts_get(trusts, 0, "b.example", 1001), MXW__CALL_NOT_TRIED);
	ck_assert_int_eq(mxw__call_trusts_get(trusts, 0, "a.example", 1000 + 3600 * 1000), MXW__CALL_NOT_TRIED);
	mxw__call_trusts_set(trusts, 0, "a.example", MXW__CALL_UNDECIDED, 1000);
	ck_assert_int_eq(mxw__call_trusts_get(trusts, 0, "a.example", 1001), MXW__CALL_UNDECIDED);
	ck_assert_int_eq(mxw__call_trusts_get(trusts, 0, "a.example", 61000), MXW__CALL_NOT_TRIED);
	ck_assert_uint_eq(mxw__call_trusts_count(trusts), 1);
	for (int i = 0; i < 5000; i++) {
		snprintf(domain, sizeof domain, "d%d.example", i);
		mxw__call_trusts_set(trusts, 0, domain, MXW__CALL_REFUSES_SOME, 1000);
	}
	ck_assert_uint_le(mxw__call_trusts_count(trusts), 2048);
	ck_assert_int_eq(mxw__call_trusts_get(trusts, 0, "d4999.example", 1001), MXW__CALL_REFUSES_SOME);
	mxw__call_trusts_free(trusts);
}
END_TEST

START_TEST(the_last_accepted_recipient_is_remembered_beside_it)
{
	struct mxw__call_trusts *trusts = mxw__call_trusts_new();
	char domain[32], path[MXW__CALL_ACCEPTED_MAX + 1], longer[MXW__CALL_ACCEPTED_MAX + 2];

	mxw__call_trusts_set(trusts, 0, "a.example", MXW__CALL_REFUSES_SOME, 1000);
	ck_assert(!mxw__call_trusts_accepted(trusts, 0, "a.example", path));
	mxw__call_trusts_accept(trusts, 0, "a.example", "anna@a.example");
	mxw__call_trusts_accept(trusts, 0, "a.example", "bert@a.example");
	ck_assert(mxw__call_trusts_accepted(trusts, 0, "a.example", path));
	ck_assert_str_eq(path, "bert@a.example");
	ck_assert(!mxw__call_trusts_accepted(trusts, 1, "a.example", path));
	ck_assert_int_eq(mxw__call_trusts_get(trusts, 0, "a.example", 1001), MXW__CALL_REFUSES_SOME);
	/* Neither takes the other away. */
	mxw__call_trusts_set(trusts, 0, "a.example", MXW__CALL_UNDECIDED, 1000);
	ck_assert(mxw__call_trusts_accepted(trusts, 0, "a.example", path));
	mxw__call_trusts_forget(trusts, 0, "a.example", "anna@a.example");
	ck_assert(mxw__call_trusts_accepted(trusts, 0, "a.example", path));
	mxw__call_trusts_forget(trusts, 0, "a.example", "bert@a.example");
	ck_assert(!mxw__call_trusts_accepted(trusts, 0, "a.example", path));
	ck_assert_int_eq(mxw__call_trusts_get(trusts, 0, "a.example", 1001), MXW__CALL_UNDECIDED);
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	mxw__call_trusts_accept(trusts, 0, "a.example", longer);
	ck_assert(!mxw__call_trusts_accepted(trusts, 0, "a.example", path));
	for (int i = 0; i < 5000; i++) {
		snprintf(domain, sizeof domain, "d%d.example", i);
		mxw__call_trusts_accept(trusts, 0, domain, "x@x");
	}
	ck_assert_uint_le(mxw__call_trusts_count(trusts), 2048);
	mxw__call_trusts_free(trusts);
}
END_TEST

/* ---- replies to RCPT and what becomes of them ---- */

#define UNVERIFIABLE 1
#define DISABLED 2
#define INTERNAL 4

static const struct {
	const char *reply, *reference; /* to the reference recipient */
	mxw_outcome_t outcome;
	unsigned flags;
	const char *told;
} outcomes[] = {
	{"250 2.1.5 fine", OK, MXW_FOUND, 0, NULL},
	{"250 fine", OK, MXW_FOUND, 0, NULL},
	{"251 will forward", OK, MXW_FOUND, 0, NULL},
	{"252 2.0.0 can't say", OK, MXW_FOUND, UNVERIFIABLE, NULL},
	{"253 what is this", OK, MXW_FOUND, UNVERIFIABLE, NULL},
	/* the mailbox, and it is said */
	{"550 5.1.1 no such user", "550 5.1.1 no", MXW_NOT_FOUND, 0, NULL},
	{"550-5.1.1 no such\r\n550 5.1.1 user", "550 5.1.1 no", MXW_NOT_FOUND, 0, NULL},
	{"553 5.1.3 bad address", "550 5.1.1 no", MXW_NOT_FOUND, 0, NULL},
	{"501 5.1.3 bad address syntax", "550 5.1.1 no", MXW_NOT_FOUND, 0, NULL},
	{"550 5.1.10 RESOLVER.ADR.RecipientNotFound", "550 5.1.1 no", MXW_NOT_FOUND, 0, NULL},
	{"554 5.1.1 no such user", "550 5.1.1 no", MXW_NOT_FOUND, 0, NULL},
	{"550 5.2.1 disabled", "550 5.1.1 no", MXW_FOUND, DISABLED, NULL},
	{"552 5.2.2 full", "550 5.1.1 no", MXW_FOUND, 0, NULL},
	{"550 5.7.133 SenderNotAuthenticatedForGroup", "550 5.1.1 no", MXW_FOUND, INTERNAL, NULL},
	/* refused, and the reference recipient decides */
	{"550 no such user", OK, MXW_NOT_FOUND, 0, NULL},
	{"551 not here", OK, MXW_NOT_FOUND, 0, NULL},
	{"553 no such user", OK, MXW_NOT_FOUND, 0, NULL},
	{"550 5.1.0 address rejected", OK, MXW_NOT_FOUND, 0, NULL},
	{"550 5.1.6 moved", OK, MXW_NOT_FOUND, 0, NULL},
	{"550-5.1.1 no\r\n550 5.7.1 such user", OK, MXW_NOT_FOUND, 0, NULL},
	{"550 access denied", "550 access denied", MXW_MISCONFIGURED, 0, "access denied"},
	{"550 relaying denied", "550 relaying denied", MXW_MISCONFIGURED, 0, "relaying denied"},
	{"551 we do not relay", "550 5.7.1 no", MXW_MISCONFIGURED, 0, "do not relay"},
	{"553 sorry", "252 perhaps", MXW_MISCONFIGURED, 0, "sorry"},
	{"550 5.1.0 sender denied", "550 5.1.0 sender denied", MXW_MISCONFIGURED, 0, "sender denied"},
	{"550-5.1.1 no\r\n550 5.7.1 denied", "550 5.7.1 denied", MXW_MISCONFIGURED, 0, NULL},
	{"550 no such user", "450 4.2.0 later", MXW_TEMPORARY, 0, "later"},
	{"550 no such user", "452 4.5.3 too many", MXW_TEMPORARY, 0, NULL},
	/* us */
	{"550 5.7.1 relaying denied", OK, MXW_MISCONFIGURED, 0, "relaying denied"},
	{"554 5.7.1 blocked using zen", OK, MXW_MISCONFIGURED, 0, "blocked using zen"},
	{"554 5.7.606 banned", OK, MXW_MISCONFIGURED, 0, NULL},
	{"550 5.1.8 sender domain", OK, MXW_MISCONFIGURED, 0, NULL},
	{"553 5.1.8 <> not welcome", OK, MXW_MISCONFIGURED, 0, NULL},
	{"550 5.1.2 bad destination system", OK, MXW_MISCONFIGURED, 0, NULL},
	{"550 5.4.1 access denied", OK, MXW_MISCONFIGURED, 0, NULL},
	{"554 no", OK, MXW_MISCONFIGURED, 0, NULL},
	{"500 what", OK, MXW_MISCONFIGURED, 0, NULL},
	{"501 bad syntax", OK, MXW_MISCONFIGURED, 0, NULL},
	{"503 5.1.1 need MAIL", OK, MXW_MISCONFIGURED, 0, NULL},
	{"530 5.7.0 STARTTLS first", OK, MXW_MISCONFIGURED, 0, "STARTTLS first"},
	{"530 5.1.1 authentication required", OK, MXW_MISCONFIGURED, 0, NULL},
	{"555 5.5.4 parameters", OK, MXW_MISCONFIGURED, 0, NULL},
	{"556 5.1.10 null MX", OK, MXW_MISCONFIGURED, 0, NULL},
	/* later */
	{"450 4.1.1 unverified", OK, MXW_TEMPORARY, 0, "unverified"},
	{"450 4.7.1 greylisted", OK, MXW_TEMPORARY, 0, "greylisted"},
	{"451 no", OK, MXW_TEMPORARY, 0, NULL},
	{"452 4.2.2 full", OK, MXW_TEMPORARY, 0, NULL},
	{"452 4.5.3 too many", OK, MXW_TEMPORARY, 0, NULL},
	{"450 5.1.1 which one", OK, MXW_TEMPORARY, 0, NULL},
	{"550 4.1.1 which one", "550 4.1.1 which one", MXW_MISCONFIGURED, 0, NULL},
	{"552 too much", OK, MXW_TEMPORARY, 0, NULL},
	{"550 5.5.3 too many", OK, MXW_TEMPORARY, 0, NULL},
	{"421 4.3.2 shutting down", OK, MXW_TEMPORARY, 0, NULL},
	{"354 go ahead", OK, MXW_TEMPORARY, 0, NULL},
	/* what is no SMTP */
	{"hello", OK, MXW_TEMPORARY, 0, NULL},
	{"250-5.1.1 a\r\n550 5.1.1 b", OK, MXW_TEMPORARY, 0, NULL},
	{"5.1.1 no such user", OK, MXW_TEMPORARY, 0, NULL},
};

START_TEST(replies_to_rcpt_become_outcomes)
{
	void *self;
	struct mxw__rcpt_result result;

	smtpd_rcpt(server, "asked@", outcomes[_i].reply);
	smtpd_rcpt(server, "helpdesk@", outcomes[_i].reference);
	self = open_call();
	result = ask(self, "asked@example.net");
	ck_outcome_is(&result, outcomes[_i].outcome, outcomes[_i].reply);
	ck_assert_msg(result.is_unverifiable == !!(outcomes[_i].flags & UNVERIFIABLE), "%s", outcomes[_i].reply);
	ck_assert_int_eq(result.settings.is_disabled, !!(outcomes[_i].flags & DISABLED));
	ck_assert_int_eq(result.settings.is_internal_only, !!(outcomes[_i].flags & INTERNAL));
	ck_assert_int_eq(*result.reason == '\0', result.outcome == MXW_FOUND || result.outcome == MXW_NOT_FOUND);
	if (outcomes[_i].told)
		ck_told(outcomes[_i].told);
	close_call(self);
}
END_TEST

START_TEST(the_words_of_a_reply_are_escaped_and_stay_out_of_reasons)
{
	void *self;

	smtpd_rcpt(server, "asked@", "554 5.7.1 go\x1b[31m\"away\xff postmaster{rcpt}");
	self = open_call();
	struct mxw__rcpt_result result = ask(self, "asked@example.net");

	ck_outcome_is(&result, MXW_MISCONFIGURED, "asked");
	ck_assert_ptr_nonnull(strstr(result.reason, "554 5.7.1"));
	ck_assert_ptr_null(strstr(result.reason, "away"));
	ck_told("\\x1b[31m\\\"away\\xff");
	unsigned before = notices_count(&notices);
	ck_ask(self, "asked@example.net", MXW_MISCONFIGURED);
	ck_ask(self, "asked@example.net", MXW_MISCONFIGURED);
	ck_assert_uint_eq(notices_count(&notices), before);
	close_call(self);
}
END_TEST

/* ---- refusals of the session ---- */

static const struct {
	const char *name, *greeting, *ehlo, *helo, *mail;
	mxw_outcome_t outcome;
} sessions[] = {
	{"greeting over lines", "220-inner.example.net\r\n220 ESMTP", NULL, NULL, NULL, MXW_FOUND},
	{"greeting of nothing", "220", NULL, NULL, NULL, MXW_FOUND},
	{"554 as greeting", "554 5.7.1 go away", NULL, NULL, NULL, MXW_MISCONFIGURED},
	{"521 as greeting", "521 no mail here", NULL, NULL, NULL, MXW_MISCONFIGURED},
	{"421 as greeting", "421 4.7.0 busy", NULL, NULL, NULL, MXW_TEMPORARY},
	{"250 as greeting", "250 fine", NULL, NULL, NULL, MXW_TEMPORARY},
	{"garbage as greeting", "SSH-2.0-OpenSSH_9.2", NULL, NULL, NULL, MXW_TEMPORARY},
	{"EHLO is not known", NULL, "502 5.5.1 what?", NULL, NULL, MXW_FOUND},
	{"HELO is refused, too", NULL, "550 no", "550 no", NULL, MXW_MISCONFIGURED},
	{"EHLO later", NULL, "421 busy", NULL, NULL, MXW_TEMPORARY},
	{"HELO later", NULL, "500 what?", "450 busy", NULL, MXW_TEMPORARY},
	{"null sender refused", NULL, NULL, NULL, "550 5.7.1 <>: sender refused", MXW_MISCONFIGURED},
	{"null sender refused like a mailbox", NULL, NULL, NULL, "550 5.1.1 unknown", MXW_MISCONFIGURED},
	{"TLS wanted", NULL, NULL, NULL, "530 5.7.0 must issue STARTTLS", MXW_MISCONFIGURED},
	{"no space", NULL, NULL, NULL, "452 4.3.1 no space", MXW_TEMPORARY},
	{"our name in the greeting", "220 " OUR_NAME " ESMTP", NULL, NULL, NULL, MXW_MISCONFIGURED},
	{"our name with a dot", "220 Gateway.EXAMPLE.net.", NULL, NULL, NULL, MXW_MISCONFIGURED},
	{"our name after EHLO", NULL, "250-" OUR_NAME "\r\n250 SIZE", NULL, NULL, MXW_MISCONFIGURED},
	{"our name as the beginning of another", "220 " OUR_NAME ".example", NULL, NULL, NULL, MXW_FOUND},
	{"greeted by name of ours as a guest", NULL, "250-inner hello " OUR_NAME "\r\n250 SIZE", NULL, NULL, MXW_FOUND},
};

START_TEST(who_refuses_the_session_says_nothing_of_recipients)
{
	struct smtpd_settings *s = smtpd_settings(server);
	void *self;

	atomic_store(&s->greeting, sessions[_i].greeting);
	atomic_store(&s->ehlo, sessions[_i].ehlo);
	atomic_store(&s->helo, sessions[_i].helo);
	atomic_store(&s->mail, sessions[_i].mail);
	self = open_call();
	ck_ask(self, "anna@example.net", sessions[_i].outcome);
	if (sessions[_i].outcome == MXW_FOUND)
		ck_ask(self, "nobody@example.net", MXW_NOT_FOUND);
	else
		ck_told(smtpd_host(server));
	close_call(self);
}
END_TEST

/* ---- hosts that do not answer ---- */

static const struct {
	const char *name;
	enum smtpd_mode mode;
	bool takes_time;
} modes[] = {
	{"mute", SMTPD_MUTE, true},
	{"hangs up", SMTPD_HANG_UP, false},
	{"silent after RCPT", SMTPD_RCPT_SILENT, true},
	{"drops at RCPT", SMTPD_RCPT_DROP, false},
	{"half a reply", SMTPD_RCPT_HALF, true},
	{"half a reply, then the end", SMTPD_RCPT_HALF_DROP, false},
	{"a reply without end", SMTPD_RCPT_ENDLESS, false},
	{"a line without end", SMTPD_RCPT_HUGE, false},
	{"an octet now and then", SMTPD_RCPT_DRIP, true},
};

START_TEST(who_gives_no_whole_answer_makes_it_temporary_in_time)
{
	void *self;

	atomic_store(&smtpd_settings(server)->mode, modes[_i].mode);
	conf.timeout_ms = conf.connect_timeout_ms = 400;
	self = open_call();
	int64_t start = now_ms();
	ck_ask(self, "anna@example.net", MXW_TEMPORARY);
	ck_assert_msg(now_ms() - start < 900 + SLACK_MS, "%s: %d ms", modes[_i].name, (int)(now_ms() - start));
	start = now_ms();
	struct mxw__rcpt_result result = ask_within(self, "bert@example.net", 100);
	ck_outcome_is(&result, MXW_TEMPORARY, modes[_i].name);
	ck_assert_int_lt(now_ms() - start, 150 + SLACK_MS);
	close_call(self);
}
END_TEST

START_TEST(it_closes_within_a_second_while_everything_hangs)
{
	void *self;

	atomic_store(&smtpd_settings(server)->mode, modes[_i].mode);
	conf.timeout_ms = conf.connect_timeout_ms = 9000;
	conf.connections = 4;
	self = open_call();
	for (int i = 0; i < 4; i++) {
		char who[64];
		snprintf(who, sizeof who, "user%d@example.net", i);
		struct mxw__rcpt_result result = ask_within(self, who, 50);
		ck_outcome_is(&result, MXW_TEMPORARY, modes[_i].name);
	}
	close_call(self);
}
END_TEST

START_TEST(a_host_that_answers_again_is_soon_asked_again)
{
	struct smtpd_settings *s = smtpd_settings(server);
	void *self;

	atomic_store(&s->greeting, "421 4.3.2 not yet");
	self = open_call();
	ck_ask(self, "anna@example.net", MXW_TEMPORARY);
	int64_t start = now_ms();
	ck_ask(self, "anna@example.net", MXW_TEMPORARY);
	ck_assert_int_lt(now_ms() - start, 50 + SLACK_MS);
	atomic_store(&s->greeting, NULL);
	ck_until(self, "anna@example.net", MXW_FOUND);
	ck_told("answers again");
	ck_ask(self, "nobody@example.net", MXW_NOT_FOUND);
	close_call(self);
}
END_TEST

START_TEST(a_host_that_stops_answering_is_set_aside_and_comes_back)
{
	struct smtpd_settings *s = smtpd_settings(server);
	void *self;

	conf.timeout_ms = conf.connect_timeout_ms = 200;
	self = open_call();
	ck_until(self, "anna@example.net", MXW_FOUND);
	atomic_store(&s->mode, SMTPD_RCPT_DROP);
	for (int i = 0; i < 4; i++)
		ck_ask(self, "anna@example.net", MXW_TEMPORARY);
	ck_told("no host is left");
	atomic_store(&s->mode, SMTPD_ANSWER);
	ck_until(self, "anna@example.net", MXW_FOUND);
	close_call(self);
}
END_TEST

START_TEST(the_next_host_is_asked_while_the_first_is_away)
{
	struct smtpd *second = smtpd_start();
	void *self;

	smtpd_rcpt(second, "bert@", OK);
	hosts[1] = smtpd_host(second);
	conf.hosts.n = 2;
	atomic_store(&smtpd_settings(server)->greeting, "421 4.3.2 not yet");
	self = open_call();
	ck_ask(self, "bert@example.net", MXW_FOUND);
	ck_ask(self, "anna@example.net", MXW_NOT_FOUND);
	atomic_store(&smtpd_settings(server)->greeting, NULL);
	ck_until(self, "anna@example.net", MXW_FOUND);
	ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	close_call(self);
	ck_assert_uint_eq(atomic_load(&smtpd_counts(second)->others), 0);
	smtpd_stop(second);
}
END_TEST

START_TEST(what_is_said_unasked_answers_nothing)
{
	void *self;

	/* The reply to one is "250", and "550 5.1.1" follows, as if it were for the next. */
	smtpd_rcpt(server, "carl@", OK);
	conf.connections = 1;
	conf.accept_all_check = false;
	atomic_store(&smtpd_settings(server)->mode, SMTPD_RCPT_TWICE);
	self = open_call();
	ck_ask(self, "anna@example.net", MXW_FOUND);
	pause_ms(50);
	for (int i = 0; i < 5; i++) {
		struct mxw__rcpt_result result = ask(self, "carl@example.net");
		ck_assert_int_ne(result.outcome, MXW_NOT_FOUND);
		pause_ms(50);
	}
	close_call(self);
}
END_TEST

/* ---- who accepts everybody ---- */

START_TEST(a_host_that_accepts_everybody_can_not_tell)
{
	struct smtpd_counts *counts = smtpd_counts(server);
	void *self;

	smtpd_rcpt(server, "gone@", "550 5.1.1 gone");
	smtpd_rcpt(server, "", OK);
	self = open_call();
	ck_unverifiable(self, "anna@example.net");
	ck_unverifiable(self, "nobody@example.net");
	ck_told("takes every recipient of example.net");
	/* The unlikely one was tried once. */
	ck_assert_uint_eq(atomic_load(&counts->rcpts), 3);
	ck_assert(smtpd_heard(server, "RCPT TO:<mxwardprobe"));
	ck_ask(self, "gone@example.net", MXW_NOT_FOUND);
	/* For each domain anew. */
	ck_unverifiable(self, "anna@example.org");
	ck_assert_uint_eq(atomic_load(&counts->rcpts), 6);
	close_call(self);
}
END_TEST

START_TEST(an_unlikely_recipient_is_tried_once_where_it_is_refused)
{
	struct smtpd_counts *counts = smtpd_counts(server);
	void *self = open_call();

	for (int i = 0; i < 3; i++)
		ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_assert_uint_eq(atomic_load(&counts->rcpts), 4);
	close_call(self);
}
END_TEST

START_TEST(without_a_decision_an_acceptance_is_not_believed_until_there_is_one)
{
	struct fake_clock clock;
	void *self;

	fake_clock_init(&clock);
	clock_used = &clock.clock;
	smtpd_rcpt(server, "mxwardprobe", "450 4.2.0 greylisted");
	self = open_call();
	ck_unverifiable(self, "anna@example.net");
	smtpd_rcpt(server, "mxwardprobe", "550 5.1.1 no");
	ck_unverifiable(self, "anna@example.net");
	fake_clock_advance(&clock, 61000);
	ck_ask(self, "anna@example.net", MXW_FOUND);
	/* An hour later it takes everybody. */
	smtpd_rcpt(server, "mxwardprobe", OK);
	ck_ask(self, "anna@example.net", MXW_FOUND);
	fake_clock_advance(&clock, 3601000);
	ck_unverifiable(self, "anna@example.net");
	close_call(self);
}
END_TEST

START_TEST(the_check_can_be_switched_off)
{
	void *self;

	conf.accept_all_check = false;
	smtpd_rcpt(server, "", OK);
	self = open_call();
	ck_ask(self, "nobody@example.net", MXW_FOUND);
	ck_assert(!smtpd_heard(server, "mxwardprobe"));
	close_call(self);
}
END_TEST

/* ---- the reference recipient ---- */

START_TEST(a_refusal_is_checked_each_time)
{
	void *self;

	smtpd_rcpt(server, "bert@", "550 sorry");
	self = open_call();
	ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	ck_assert(smtpd_heard(server, "RCPT TO:<helpdesk@example.net>"));
	/* From now on it denies us everything. */
	smtpd_rcpt(server, "helpdesk@", "550 access denied");
	ck_ask(self, "bert@example.net", MXW_MISCONFIGURED);
	smtpd_rcpt(server, "helpdesk@", OK);
	ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	close_call(self);
}
END_TEST

START_TEST(the_reference_recipient_itself_is_never_unknown_without_a_code)
{
	void *self;

	smtpd_rcpt(server, "helpdesk@", "550 no such user");
	self = open_call();
	ck_ask(self, "helpdesk@example.net", MXW_MISCONFIGURED);
	close_call(self);
}
END_TEST

/* No reference recipient is configured, or one that hosts may spare. */
static const char *const no_references[] = {"postmaster", "Postmaster", "abuse", "postmaster+x", "", NULL};

static void *open_without_reference(const char *unknown)
{
	conf.reference_recipient = "postmaster";
	smtpd_rcpt(server, "bert@", unknown);
	return open_call();
}

START_TEST(a_host_that_spares_only_role_addresses_makes_nobody_unknown)
{
	void *self;

	conf.reference_recipient = no_references[_i];
	smtpd_rcpt(server, "anna@", "550 access denied");
	smtpd_rcpt(server, "helpdesk@", "550 access denied");
	smtpd_rcpt(server, "abuse", OK);
	smtpd_rcpt(server, "postmaster", OK);
	smtpd_rcpt(server, "", "550 access denied");
	self = open_call();
	ck_ask(self, "anna@example.net", MXW_TEMPORARY);
	ck_told("set reference-recipient");
	ck_assert_uint_eq(atomic_load(&smtpd_counts(server)->rcpts), 1);
	/* That these are accepted proves nothing of others. */
	ck_ask(self, "postmaster@example.net", MXW_FOUND);
	ck_ask(self, "Abuse+spam@example.net", MXW_TEMPORARY);
	ck_ask(self, "abuse@example.net", MXW_FOUND);
	ck_ask(self, "postmaster+x@example.net", MXW_FOUND);
	ck_ask(self, "anna@example.net", MXW_TEMPORARY);
	ck_ask(self, "nobody@example.net", MXW_TEMPORARY);
	ck_assert_uint_eq(notices_count(&notices), 1);
	close_call(self);
}
END_TEST

static const char *const doubtful[] = {"550 no such user", "551 not here", "553 sorry", "550 5.1.0 rejected",
				       "550 5.1.6 moved"};

START_TEST(a_recipient_accepted_before_is_asked_again_after_a_refusal)
{
	void *self = open_without_reference(doubtful[_i]);

	ck_ask(self, "bert@example.net", MXW_TEMPORARY);
	ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	ck_assert(smtpd_heard(server, "RCPT TO:<bert@example.net>\nRCPT TO:<anna@example.net>"));
	/* Of another domain nothing is known yet. */
	ck_ask(self, "bert@example.org", MXW_TEMPORARY);
	ck_assert(!smtpd_heard(server, "RCPT TO:<bert@example.org>\nRCPT TO"));
	/* What says itself that the mailbox is meant needs none. */
	ck_ask(self, "nobody@example.org", MXW_NOT_FOUND);
	close_call(self);
}
END_TEST

START_TEST(what_one_host_accepted_says_nothing_of_another)
{
	struct smtpd *second = smtpd_start();
	void *self;

	smtpd_rcpt(second, "", "550 access denied");
	hosts[1] = smtpd_host(second);
	conf.hosts.n = 2;
	conf.retry_ms = 60000;
	self = open_without_reference("550 no such user");
	ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	atomic_store(&smtpd_settings(server)->greeting, "421 4.3.2 not now");
	smtpd_drop_all(server);
	ck_ask(self, "bert@example.net", MXW_TEMPORARY);
	ck_ask(self, "carl@example.net", MXW_TEMPORARY);
	ck_assert(smtpd_heard(second, "RCPT TO:<carl@example.net>"));
	close_call(self);
	smtpd_stop(second);
}
END_TEST

START_TEST(a_deleted_reference_is_forgotten_until_the_next_is_accepted)
{
	void *self = open_without_reference("550 no such user");

	smtpd_rcpt(server, "carl@", OK);
	ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	smtpd_rcpt(server, "anna@", "550 no such user");
	ck_ask(self, "bert@example.net", MXW_TEMPORARY);
	ck_told("set reference-recipient");
	unsigned before = atomic_load(&smtpd_counts(server)->rcpts);
	ck_ask(self, "bert@example.net", MXW_TEMPORARY);
	ck_assert_uint_eq(atomic_load(&smtpd_counts(server)->rcpts), before + 1);
	ck_ask(self, "carl@example.net", MXW_FOUND);
	ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	ck_ask(self, "anna@example.net", MXW_NOT_FOUND);
	/* It is no proof against itself. */
	smtpd_rcpt(server, "carl@", "550 no such user");
	ck_ask(self, "carl@example.net", MXW_TEMPORARY);
	ck_ask(self, "bert@example.net", MXW_TEMPORARY);
	close_call(self);
}
END_TEST

START_TEST(a_reference_put_off_is_kept)
{
	void *self = open_without_reference("550 no such user");

	ck_ask(self, "anna@example.net", MXW_FOUND);
	smtpd_rcpt(server, "anna@", "450 4.2.0 later");
	ck_ask(self, "bert@example.net", MXW_TEMPORARY);
	smtpd_rcpt(server, "anna@", OK);
	ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	close_call(self);
}
END_TEST

START_TEST(asking_the_reference_keeps_the_limits)
{
	struct smtpd_counts *counts = smtpd_counts(server);
	void *self;

	conf.connections = 1;
	conf.timeout_ms = 3000;
	self = open_without_reference("550 no such user");
	ck_ask(self, "anna@example.net", MXW_FOUND);
	/* The unlikely one was refused, too: eight refusals, eight more, one. */
	for (int i = 0; i < 16; i++)
		ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	ck_assert_uint_eq(atomic_load(&counts->connections), 3);
	ck_assert_uint_eq(atomic_load(&counts->rcpts), 2 + 2 * 16);
	/* Both have the time of one. */
	atomic_store(&smtpd_settings(server)->delay_ms, 2000);
	int64_t start = now_ms();
	ck_ask(self, "bert@example.net", MXW_TEMPORARY);
	ck_assert_int_lt(now_ms() - start, 3000 + SLACK_MS);
	atomic_store(&smtpd_settings(server)->delay_ms, 0);
	ck_ask(self, "bert@example.net", MXW_NOT_FOUND);
	close_call(self);
}
END_TEST

START_TEST(a_recipient_accepted_like_everybody_is_unverifiable_and_the_unlikely_no_reference)
{
	void *self = open_without_reference("550 no such user");

	smtpd_rcpt(server, "", OK);
	ck_unverifiable(self, "postmaster@example.net");
	ck_assert(smtpd_heard(server, "RCPT TO:<mxwardprobe"));
	ck_ask(self, "bert@example.net", MXW_TEMPORARY);
	ck_assert(!smtpd_heard(server, "RCPT TO:<bert@example.net>\nRCPT TO"));
	close_call(self);
}
END_TEST

/* ---- connections ---- */

struct asker {
	pthread_t thread;
	void *self;
	const char *who;
	char own[64];
	struct mxw__rcpt_result result;
};

static void *ask_main(void *arg)
{
	struct asker *asker = arg;

	asker->result = ask(asker->self, asker->who ? asker->who : asker->own);
	return NULL;
}

static void begin_all(struct asker *askers, size_t n, void *self, const char *who)
{
	for (size_t i = 0; i < n; i++) {
		askers[i] = (struct asker){.self = self, .who = who};
		snprintf(askers[i].own, sizeof askers[i].own, "user%zu@example.net", i);
		ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_main, &askers[i]), 0);
	}
}

static void end_all(struct asker *askers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pthread_join(askers[i].thread, NULL);
}

/* How many wait for an answer. */
static size_t nwaiters(struct mxw__call *call)
{
	struct mxw__call_question *q;
	size_t n = 0;

	pthread_mutex_lock(&call->lock);
	for (size_t i = 0; i < MXW__CALL_TABLE; i++)
		LIST_FOREACH(q, &call->table[i], in_table)
			n += q->waiters;
	pthread_mutex_unlock(&call->lock);
	return n;
}

/* The server sees it some time after the connection was closed. */
static void ck_quits_once(void)
{
	for (int i = 0; i < PATIENCE_MS / 10 && atomic_load(&smtpd_counts(server)->quits) == 0; i++)
		pause_ms(10);
	ck_assert_uint_eq(atomic_load(&smtpd_counts(server)->quits), 1);
}

START_TEST(connections_are_no_more_than_configured)
{
	struct asker askers[40];
	void *self;

	conf.connections = 3;
	smtpd_rcpt(server, "user1", OK);
	smtpd_rcpt(server, "user2", "550 5.1.1 no");
	smtpd_rcpt(server, "user", "451 later");
	atomic_store(&smtpd_settings(server)->delay_ms, 10);
	self = open_call();
	begin_all(askers, MXW_ARRAY_LEN(askers), self, NULL);
	end_all(askers, MXW_ARRAY_LEN(askers));
	for (size_t i = 0; i < MXW_ARRAY_LEN(askers); i++) {
		char c = askers[i].own[4];
		ck_outcome_is(&askers[i].result, c == '1' ? MXW_FOUND : c == '2' ? MXW_NOT_FOUND : MXW_TEMPORARY,
			      askers[i].own);
	}
	/* One that hangs up may be counted until the server has seen it. */
	ck_assert_uint_le(atomic_load(&smtpd_counts(server)->open_most), 2 * 3);
	close_call(self);
}
END_TEST

START_TEST(one_question_at_a_time_needs_one_connection)
{
	void *self;

	conf.connections = 4;
	self = open_call();
	for (int i = 0; i < 10; i++)
		ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_assert_uint_eq(atomic_load(&smtpd_counts(server)->connections), 1);
	ck_assert_uint_eq(atomic_load(&smtpd_counts(server)->mails), 1);
	close_call(self);
	ck_quits_once();
}
END_TEST

START_TEST(an_idle_connection_is_closed_in_good_order)
{
	struct smtpd_counts *counts = smtpd_counts(server);
	void *self = open_call();

	atomic_store(&((struct mxw__call *)self)->idle_ms, 50);
	ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_quits_once();
	ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_assert_uint_eq(atomic_load(&counts->connections), 2);
	ck_assert_uint_eq(notices_count(&notices), 0);
	close_call(self);
}
END_TEST

START_TEST(equal_questions_in_flight_are_asked_once)
{
	struct asker askers[16];
	void *self;

	conf.accept_all_check = false;
	atomic_store(&smtpd_settings(server)->is_held, true);
	self = open_call();
	begin_all(askers, MXW_ARRAY_LEN(askers), self, "anna@example.net");
	for (int i = 0; i < PATIENCE_MS / 10 && nwaiters(self) < MXW_ARRAY_LEN(askers); i++)
		pause_ms(10);
	ck_assert_uint_eq(nwaiters(self), MXW_ARRAY_LEN(askers));
	atomic_store(&smtpd_settings(server)->is_held, false);
	end_all(askers, MXW_ARRAY_LEN(askers));
	for (size_t i = 0; i < MXW_ARRAY_LEN(askers); i++)
		ck_outcome_is(&askers[i].result, MXW_FOUND, "anna");
	ck_assert_uint_eq(atomic_load(&smtpd_counts(server)->rcpts), 1);
	close_call(self);
}
END_TEST

START_TEST(transactions_and_connections_are_used_up)
{
	struct smtpd_counts *counts = smtpd_counts(server);
	void *self = open_call();

	for (int i = 0; i < 120; i++)
		ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_assert_uint_eq(atomic_load(&counts->mails), 3);
	ck_assert_uint_eq(atomic_load(&counts->rsets), 2);
	ck_assert_uint_eq(atomic_load(&counts->connections), 1);
	for (int i = 0; i < 16; i++)
		ck_ask(self, "nobody@example.net", MXW_NOT_FOUND);
	ck_assert_uint_eq(atomic_load(&counts->connections), 3);
	close_call(self);
}
END_TEST

START_TEST(too_many_recipients_begin_a_new_transaction)
{
	void *self;

	atomic_store(&smtpd_settings(server)->max_rcpts, 3);
	self = open_call();
	for (int i = 0; i < 10; i++)
		ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_assert_uint_ge(atomic_load(&smtpd_counts(server)->mails), 3);
	close_call(self);
}
END_TEST

START_TEST(too_many_transactions_begin_a_new_connection)
{
	void *self;

	atomic_store(&smtpd_settings(server)->max_rcpts, 2);
	atomic_store(&smtpd_settings(server)->max_mails, 2);
	self = open_call();
	for (int i = 0; i < 12; i++)
		ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_assert_uint_ge(atomic_load(&smtpd_counts(server)->connections), 2);
	ck_assert_uint_eq(notices_count(&notices), 0);
	close_call(self);
}
END_TEST

START_TEST(a_question_survives_a_lost_connection)
{
	void *self = open_call();

	ck_ask(self, "anna@example.net", MXW_FOUND);
	atomic_store(&smtpd_settings(server)->drops, 1);
	ck_ask(self, "anna@example.net", MXW_FOUND);
	for (int i = 0; i < 3; i++) {
		smtpd_drop_all(server);
		ck_ask(self, "anna@example.net", MXW_FOUND);
	}
	ck_assert_uint_eq(notices_count(&notices), 0);
	close_call(self);
}
END_TEST

/* ---- all at once ---- */

struct worker {
	pthread_t thread;
	void *self;
	atomic_bool *stop;
	atomic_uint *nanswers;
	unsigned nwrong;
};

static void *work_main(void *arg)
{
	struct worker *worker = arg;
	char who[64];

	for (unsigned i = 0; !atomic_load(worker->stop); i++) {
		bool is_known = i % 2;
		snprintf(who, sizeof who, "%s%u@example.net", is_known ? "known" : "nobody", i % 7);
		struct mxw__rcpt_result result = ask_within(worker->self, who, 500);
		if (result.outcome == MXW_TEMPORARY)
			continue;
		atomic_fetch_add(worker->nanswers, 1);
		worker->nwrong += result.outcome != (is_known ? MXW_FOUND : MXW_NOT_FOUND) || result.is_unverifiable;
	}
	return NULL;
}

START_TEST(no_weather_makes_a_wrong_answer)
{
	static const enum smtpd_mode weather[] = {SMTPD_ANSWER, SMTPD_RCPT_DROP, SMTPD_ANSWER, SMTPD_RCPT_HALF_DROP,
						  SMTPD_ANSWER, SMTPD_MUTE, SMTPD_ANSWER, SMTPD_RCPT_SILENT, SMTPD_ANSWER,
						  SMTPD_RCPT_ENDLESS, SMTPD_ANSWER, SMTPD_HANG_UP, SMTPD_ANSWER};
	struct worker workers[8];
	atomic_bool stop;
	atomic_uint nanswers;

	smtpd_rcpt(server, "known", OK);
	conf.connections = 3;
	conf.timeout_ms = conf.connect_timeout_ms = 400;
	atomic_store(&smtpd_settings(server)->tls, SMTPD_TLS_GOOD);
	atomic_store(&smtpd_settings(server)->max_rcpts, 5);
	atomic_init(&stop, false);
	atomic_init(&nanswers, 0);
	void *self = open_call();
	ck_until(self, "known0@example.net", MXW_FOUND);
	for (size_t i = 0; i < MXW_ARRAY_LEN(workers); i++) {
		workers[i] = (struct worker){.self = self, .stop = &stop, .nanswers = &nanswers};
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work_main, &workers[i]), 0);
	}
	for (int i = 0; i < PATIENCE_MS / 10 && atomic_load(&nanswers) == 0; i++)
		pause_ms(10);
	ck_assert_uint_gt(atomic_load(&nanswers), 0);
	for (size_t i = 0; i < MXW_ARRAY_LEN(weather); i++) {
		/* Who is silent is given up before the connection is lost. */
		bool is_silent = weather[i] == SMTPD_MUTE || weather[i] == SMTPD_RCPT_SILENT;
		atomic_store(&smtpd_settings(server)->mode, weather[i]);
		pause_ms(is_silent ? 600 : 150);
		smtpd_drop_all(server);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < MXW_ARRAY_LEN(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		ck_assert_uint_eq(workers[i].nwrong, 0);
	}
	ck_until(self, "known0@example.net", MXW_FOUND);
	close_call(self);
}
END_TEST

/* ---- TLS ---- */

static const struct {
	const char *name;
	mxw__tls_use_t use;
	enum smtpd_tls tls;
	bool is_other_ca;
	mxw_outcome_t outcome;
	bool is_encrypted;
} encryptions[] = {
	{"used when offered", MXW__TLS_OPPORTUNISTIC, SMTPD_TLS_GOOD, true, MXW_FOUND, true},
	{"not offered", MXW__TLS_OPPORTUNISTIC, SMTPD_TLS_NONE, false, MXW_FOUND, false},
	{"offered and refused", MXW__TLS_OPPORTUNISTIC, SMTPD_TLS_REFUSED, false, MXW_FOUND, false},
	{"offered and broken", MXW__TLS_OPPORTUNISTIC, SMTPD_TLS_BROKEN, false, MXW_FOUND, false},
	{"offered and mute", MXW__TLS_OPPORTUNISTIC, SMTPD_TLS_MUTE, false, MXW_FOUND, false},
	{"injected replies", MXW__TLS_OPPORTUNISTIC, SMTPD_TLS_JUNK, false, MXW_FOUND, true},
	{"switched off", MXW__TLS_NO, SMTPD_TLS_GOOD, false, MXW_FOUND, false},
	{"required and good", MXW__TLS_REQUIRE, SMTPD_TLS_GOOD, false, MXW_FOUND, true},
	{"required, injected replies", MXW__TLS_REQUIRE, SMTPD_TLS_JUNK, false, MXW_FOUND, true},
	{"required, a stranger", MXW__TLS_REQUIRE, SMTPD_TLS_GOOD, true, MXW_MISCONFIGURED, false},
	{"required, not offered", MXW__TLS_REQUIRE, SMTPD_TLS_NONE, false, MXW_MISCONFIGURED, false},
	{"required, refused", MXW__TLS_REQUIRE, SMTPD_TLS_REFUSED, false, MXW_TEMPORARY, false},
	{"required, broken", MXW__TLS_REQUIRE, SMTPD_TLS_BROKEN, false, MXW_TEMPORARY, false},
	{"required, mute", MXW__TLS_REQUIRE, SMTPD_TLS_MUTE, false, MXW_TEMPORARY, false},
};

START_TEST(tls_is_used_as_configured)
{
	struct smtpd *other = smtpd_start();
	void *self;

	conf.tls = encryptions[_i].use;
	if (encryptions[_i].is_other_ca)
		conf.tls_ca_file = smtpd_ca_file(other);
	if (encryptions[_i].tls == SMTPD_TLS_MUTE)
		conf.connect_timeout_ms = 2000;
	atomic_store(&smtpd_settings(server)->tls, encryptions[_i].tls);
	self = open_call();
	struct mxw__rcpt_result result = ask(self, "anna@example.net");
	ck_outcome_is(&result, encryptions[_i].outcome, encryptions[_i].name);
	/* Again, and not over a connection that can't be made. */
	result = ask(self, "anna@example.net");
	ck_outcome_is(&result, encryptions[_i].outcome, encryptions[_i].name);
	ck_assert_msg((atomic_load(&smtpd_counts(server)->handshakes) > 0) == encryptions[_i].is_encrypted, "%s",
		      encryptions[_i].name);
	if (encryptions[_i].is_encrypted)
		ck_assert_uint_eq(atomic_load(&smtpd_counts(server)->ehlos), 2);
	else if (encryptions[_i].use == MXW__TLS_REQUIRE)
		ck_assert(!smtpd_heard(server, "MAIL"));
	close_call(self);
	smtpd_stop(other);
}
END_TEST

START_TEST(a_certificate_for_another_name_is_refused)
{
	char host[32];
	void *self;

	conf.tls = MXW__TLS_REQUIRE;
	atomic_store(&smtpd_settings(server)->tls, SMTPD_TLS_GOOD);
	snprintf(host, sizeof host, "localhost%s", strchr(smtpd_host(server), ':'));
	hosts[0] = host;
	self = open_call();
	ck_ask(self, "anna@example.net", MXW_MISCONFIGURED);
	ck_told("certificate is not accepted");
	close_call(self);
}
END_TEST

START_TEST(tls_that_hangs_ends_with_the_directory)
{
	void *self;

	conf.connect_timeout_ms = 9000;
	atomic_store(&smtpd_settings(server)->tls, SMTPD_TLS_MUTE);
	self = open_call();
	struct mxw__rcpt_result result = ask_within(self, "anna@example.net", 100);
	ck_outcome_is(&result, MXW_TEMPORARY, "anna");
	close_call(self);
}
END_TEST

/* ---- addresses ---- */

START_TEST(utf8_is_asked_for_only_where_it_is_understood)
{
	static const char who[] = "m\xc3\xbcller@example.net";
	void *self = open_call();

	smtpd_rcpt(server, "m\xc3\xbcller@", OK);
	ck_unverifiable(self, who);
	ck_assert_uint_eq(atomic_load(&smtpd_counts(server)->rcpts), 0);
	close_call(self);

	atomic_store(&smtpd_settings(server)->has_smtputf8, true);
	self = open_call();
	ck_ask(self, "anna@example.net", MXW_FOUND);
	ck_assert(!smtpd_heard(server, "SMTPUTF8"));
	ck_ask(self, who, MXW_FOUND);
	ck_assert(smtpd_heard(server, "MAIL FROM:<> SMTPUTF8\nRCPT TO:<m\xc3\xbcller@example.net>"));
	ck_ask(self, "\xc3\xb6@example.net", MXW_NOT_FOUND);
	ck_ask(self, "anna@example.net", MXW_FOUND);
	close_call(self);
}
END_TEST

START_TEST(local_parts_are_quoted_where_they_must_be)
{
	void *self = open_call();

	smtpd_rcpt(server, "\"anna b\"@", OK);
	ck_ask(self, "anna b@example.net", MXW_FOUND);
	ck_ask(self, "a> SIZE=1 <b@example.net", MXW_NOT_FOUND);
	ck_assert(smtpd_heard(server, "RCPT TO:<\"a> SIZE=1 <b\"@example.net>"));
	ck_ask(self, "a\r\nRSET@example.net", MXW_MISCONFIGURED);
	ck_assert(!smtpd_heard(server, "RSET"));
	close_call(self);
}
END_TEST

START_TEST(a_mail_store_is_not_asked_for_a_catch_all)
{
	void *self = open_call();

	ck_ask(self, "@example.net", MXW_NOT_FOUND);
	ck_assert(!smtpd_heard(server, "RCPT"));
	close_call(self);
}
END_TEST

/* ---- configuration ---- */

START_TEST(a_wrong_configuration_is_refused)
{
	static const char *const wrong[] = {"host:0", "2001:db8::1", ""};
	struct mxw__directory_env env = {.conf = &conf, .clock = mxw_clock_system()};
	struct mxw_error err = {0};
	void *self = NULL;

	for (size_t i = 0; i < MXW_ARRAY_LEN(wrong); i++) {
		hosts[0] = wrong[i];
		ck_assert_int_eq(mxw__directory_call_ahead.open(&env, &self, &err), MXW_ERR_CONF);
	}
	conf.hosts.n = 0;
	ck_assert_int_eq(mxw__directory_call_ahead.open(&env, &self, &err), MXW_ERR_CONF);
	conf.hosts.n = 1;
	hosts[0] = smtpd_host(server);
	conf.tls = MXW__TLS_REQUIRE;
	conf.tls_ca_file = "/nonexistent/ca.pem";
	ck_assert_int_eq(mxw__directory_call_ahead.open(&env, &self, &err), MXW_ERR_CONF);
	ck_assert_ptr_null(self);
}
END_TEST

START_TEST(a_host_without_a_server_is_temporary)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sin;
	char host[64];
	void *self;

	/* Taken, so that no other program listens there. */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sin, sizeof sin), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	snprintf(host, sizeof host, "127.0.0.1:%u", (unsigned)ntohs(sin.sin_port));
	hosts[0] = host;
	self = open_call();
	ck_ask(self, "anna@example.net", MXW_TEMPORARY);
	ck_told("Connection refused");
	close_call(self);
	close(fd);
	/* A machine without a network may not say so for a while. */
	conf.connect_timeout_ms = 2000;
	hosts[0] = "no-such-host.invalid";
	self = open_call();
	ck_ask(self, "anna@example.net", MXW_TEMPORARY);
	close_call(self);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("callahead");
	TCase *pure = tcase_create("text");

	tcase_add_loop_test(pure, replies_are_read_whole_and_in_pieces, 0, MXW_ARRAY_LEN(replies));
	tcase_add_test(pure, a_reply_ends_where_it_ends);
	tcase_add_test(pure, replies_without_end_and_with_nul_are_garbage);
	tcase_add_loop_test(pure, a_path_is_one_path_or_none, 0, MXW_ARRAY_LEN(paths));
	tcase_add_loop_test(pure, hosts_and_ports_are_told_apart, 0, MXW_ARRAY_LEN(host_ports));
	tcase_add_test(pure, what_is_remembered_of_hosts_is_bounded_and_ages);
	tcase_add_test(pure, the_last_accepted_recipient_is_remembered_beside_it);
	suite_add_tcase(suite, pure);

	TCase *judged = add_case(suite, "replies");
	tcase_add_loop_test(judged, replies_to_rcpt_become_outcomes, 0, MXW_ARRAY_LEN(outcomes));
	tcase_add_test(judged, the_words_of_a_reply_are_escaped_and_stay_out_of_reasons);
	tcase_add_loop_test(judged, who_refuses_the_session_says_nothing_of_recipients, 0, MXW_ARRAY_LEN(sessions));

	TCase *failing = add_case(suite, "failures");
	tcase_add_loop_test(failing, who_gives_no_whole_answer_makes_it_temporary_in_time, 0, MXW_ARRAY_LEN(modes));
	tcase_add_loop_test(failing, it_closes_within_a_second_while_everything_hangs, 0, MXW_ARRAY_LEN(modes));
	tcase_add_test(failing, a_host_that_answers_again_is_soon_asked_again);
	tcase_add_test(failing, a_host_that_stops_answering_is_set_aside_and_comes_back);
	tcase_add_test(failing, the_next_host_is_asked_while_the_first_is_away);
	tcase_add_test(failing, what_is_said_unasked_answers_nothing);
	tcase_add_test(failing, a_host_without_a_server_is_temporary);

	TCase *trust = add_case(suite, "trust");
	tcase_add_test(trust, a_host_that_accepts_everybody_can_not_tell);
	tcase_add_test(trust, an_unlikely_recipient_is_tried_once_where_it_is_refused);
	tcase_add_test(trust, without_a_decision_an_acceptance_is_not_believed_until_there_is_one);
	tcase_add_test(trust, the_check_can_be_switched_off);
	tcase_add_test(trust, a_refusal_is_checked_each_time);
	tcase_add_test(trust, the_reference_recipient_itself_is_never_unknown_without_a_code);
	tcase_add_loop_test(trust, a_host_that_spares_only_role_addresses_makes_nobody_unknown, 0,
			    MXW_ARRAY_LEN(no_references));
	tcase_add_loop_test(trust, a_recipient_accepted_before_is_asked_again_after_a_refusal, 0, MXW_ARRAY_LEN(doubtful));
	tcase_add_test(trust, what_one_host_accepted_says_nothing_of_another);
	tcase_add_test(trust, a_deleted_reference_is_forgotten_until_the_next_is_accepted);
	tcase_add_test(trust, a_reference_put_off_is_kept);
	tcase_add_test(trust, asking_the_reference_keeps_the_limits);
	tcase_add_test(trust, a_recipient_accepted_like_everybody_is_unverifiable_and_the_unlikely_no_reference);

	TCase *pool = add_case(suite, "connections");
	tcase_add_test(pool, connections_are_no_more_than_configured);
	tcase_add_test(pool, one_question_at_a_time_needs_one_connection);
	tcase_add_test(pool, an_idle_connection_is_closed_in_good_order);
	tcase_add_test(pool, equal_questions_in_flight_are_asked_once);
	tcase_add_test(pool, transactions_and_connections_are_used_up);
	tcase_add_test(pool, too_many_recipients_begin_a_new_transaction);
	tcase_add_test(pool, too_many_transactions_begin_a_new_connection);
	tcase_add_test(pool, a_question_survives_a_lost_connection);
	tcase_add_test(pool, no_weather_makes_a_wrong_answer);

	TCase *tls = add_case(suite, "tls");
	tcase_add_loop_test(tls, tls_is_used_as_configured, 0, MXW_ARRAY_LEN(encryptions));
	tcase_add_test(tls, a_certificate_for_another_name_is_refused);
	tcase_add_test(tls, tls_that_hangs_ends_with_the_directory);

	TCase *addresses = add_case(suite, "addresses");
	tcase_add_test(addresses, utf8_is_asked_for_only_where_it_is_understood);
	tcase_add_test(addresses, local_parts_are_quoted_where_they_must_be);
	tcase_add_test(addresses, a_mail_store_is_not_asked_for_a_catch_all);
	tcase_add_test(addresses, a_wrong_configuration_is_refused);
	return run_suite(suite);
}
