/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists that the postmaster keeps: what a line means, what is found, and what is added while running. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/journal/store.h"
#include "src/session/engine.h"
#include "src/session/lists.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

/* ---- lines ---- */

struct line_case {
	const char *text;
	const char *entry;     /* NULL: no entry */
	const char *until, *author, *reason;
	const char *complaint; /* a part of it */
};

static const struct line_case lines[] = {
	{"192.0.2.1", "192.0.2.1", "", "", "", ""},
	{"  192.0.2.0/24  # all of it", "192.0.2.0/24", "", "", "", ""},
	{"192.0.2.1/32", "192.0.2.1", "", "", "", ""},
	{"2001:DB8::/32 by=anna", "2001:db8::/32", "", "anna", "", ""},
	{"::ffff:192.0.2.1", "192.0.2.1", "", "", "", ""},
	{"Example.NET. reason=spam", "example.net", "", "", "spam", ""},
	{"*.example.net", ".example.net", "", "", "", ""},
	{".b\xc3\xbc" "cher.example", ".xn--bcher-kva.example", "", "", "", ""},
	{"Anna@Example.net", "Anna@example.net", "", "", "", ""},
	{"192.0.2.1 until=2026-12-31", "192.0.2.1", "2027-01-01T00:00:00Z", "", "", ""},
	{"192.0.2.1 until=2028-02-29T23:59:59Z", "192.0.2.1", "2028-02-29T23:59:59Z", "", "", ""},
	{"192.0.2.1 reason=\"a \\\"b\\\" \\\\ c\" by=\"Anna B\" until=2000-02-29", "192.0.2.1", "2000-03-01T00:00:00Z", "Anna B", "a \"b\" \\ c", ""},
	{"192.0.2.1 reason=\"M\xc3\xbcll\"", "192.0.2.1", "", "", "M\xc3\xbcll", ""},
	{"192.0.2.1 reason=\"\"", "192.0.2.1", "", "", "", ""},
	{"", NULL, "", "", "", ""},
	{"   # by=anna", NULL, "", "", "", ""},
	{"192.0.2.1/24", NULL, "", "", "", "beyond the prefix"},
	{"192.0.2.256", NULL, "", "", "", "no address"},
	{"10.0.0.0/7", NULL, "", "", "", "larger than"},
	{"0.0.0.0/0", NULL, "", "", "", "larger than"},
	{"2000::/3", NULL, "", "", "", "larger than"},
	{"192.0.2", NULL, "", "", "", "no address"},
	{"two..dots", NULL, "", "", "", "no domain name"},
	{"[192.0.2.1]", NULL, "", "", "", "no domain name"},
	{".", NULL, "", "", "", "no address"},
	{"@example.net", NULL, "", "", "", "no mail address"},
	{"anna@", NULL, "", "", "", "no mail address"},
	{"example.net until=2026-02-29", NULL, "", "", "", "until= takes"},
	{"example.net until=2026-13-01", NULL, "", "", "", "until= takes"},
	{"example.net until=2026-1-1", NULL, "", "", "", "until= takes"},
	{"example.net until=2026-12-31T24:00:00Z", NULL, "", "", "", "until= takes"},
	{"example.net until=1969-12-31", NULL, "", "", "", "until= takes"},
	{"example.net until=", NULL, "", "", "", "a value is empty"},
	{"example.net reason=\"open", NULL, "", "", "", "no closing quote"},
	{"example.net reason=\"a\"b", NULL, "", "", "", "a value"},
	{"example.net reason=\xff", NULL, "", "", "", "UTF-8"},
	{"example.net since=2026-01-01", NULL, "", "", "", "unknown key"},
	{"example.net spam", NULL, "", "", "", "was expected behind the entry"},
};

START_TEST(a_line_says_what_until_when_by_whom_and_why)
{
	const struct line_case *c = &lines[_i];
	char complaint[MXW__LIST_COMPLAINT_MAX], until[MXW__LIST_TIME_MAX];
	struct mxw__list_line line;
	bool ok = mxw__list_line_parse(c->text, strlen(c->text), MXW__LIST_ANY, &line, complaint);

	ck_assert_msg(ok == (c->entry != NULL), "%s: %s", c->text, complaint);
	ck_assert_msg(strstr(complaint, c->complaint) && (*c->complaint || !*complaint), "%s: %s", c->text, complaint);
	if (!ok)
		return;
	ck_assert_str_eq(line.entry, c->entry);
	ck_assert_str_eq(mxw__list_time_format(line.until_ms, until), c->until);
	ck_assert_str_eq(line.author, c->author);
	ck_assert_str_eq(line.reason, c->reason);
}
END_TEST

START_TEST(a_list_of_one_kind_takes_no_other)
{
	char complaint[MXW__LIST_COMPLAINT_MAX];
	struct mxw__list_line line;

	ck_assert(mxw__list_line_parse("192.0.2.1", 9, MXW__LIST_ADDRESSES, &line, complaint));
	ck_assert(!mxw__list_line_parse("192.0.2.1", 9, MXW__LIST_NAMES, &line, complaint));
	ck_assert(!mxw__list_line_parse("a.example", 9, MXW__LIST_ADDRESSES, &line, complaint));
	ck_assert(mxw__list_line_parse("a.example", 9, MXW__LIST_NAMES, &line, complaint));
}
END_TEST

/* Every day of four hundred years is written as it is read. */
START_TEST(times_are_read_as_they_are_written)
{
	char text[MXW__LIST_TIME_MAX];

	for (int64_t day = 0; day < 146097; day += 7) {
		int64_t ms = day * 86400000 + 3661000, back = 0;
		mxw__list_time_format(ms, text);
		ck_assert_msg(mxw__list_time_parse(text, strlen(text), &back) && back == ms, "%s", text);
	}
}
END_TEST

/* ---- finding ---- */

static void add(mxw__list_set_t *set, const char *text)
{
	char complaint[MXW__LIST_COMPLAINT_MAX];
	struct mxw__list_line line;

	ck_assert(mxw__list_line_parse(text, strlen(text), MXW__LIST_ANY, &line, complaint));
	ck_assert_int_eq(mxw__list_set_add(set, &line, 1, NULL), MXW_OK);
}

static const char *find_ip(mxw__list_set_t *set, const char *text, int64_t now)
{
	struct mxw_ip ip;

	ck_assert_int_eq(mxw_ip_parse(text, &ip), MXW_OK);
	const struct mxw__list_item *item = mxw__list_set_find_ip(set, &ip, now);
	return item ? item->entry : "";
}

static const char *find_name(mxw__list_set_t *set, const char *name)
{
	const struct mxw__list_item *item = mxw__list_set_find_name(set, name, 0);
	return item ? item->entry : "";
}

START_TEST(the_narrowest_network_in_force_is_found)
{
	mxw__list_set_t *set = mxw__list_set_new(100);

	add(set, "192.0.0.0/16");
	add(set, "192.0.2.0/25");
	add(set, "192.0.2.1 until=1970-01-02T00:00:00Z");
	add(set, "2001:db8::/32");
	add(set, "2001:db8::1");
	ck_assert_str_eq(find_ip(set, "192.0.2.1", 1000), "192.0.2.1");
	ck_assert_str_eq(find_ip(set, "192.0.2.1", 86400000), "192.0.2.0/25");
	ck_assert_str_eq(find_ip(set, "192.0.2.127", 0), "192.0.2.0/25");
	ck_assert_str_eq(find_ip(set, "192.0.2.128", 0), "192.0.0.0/16");
	ck_assert_str_eq(find_ip(set, "192.1.0.0", 0), "");
	ck_assert_str_eq(find_ip(set, "2001:db8::1", 0), "2001:db8::1");
	ck_assert_str_eq(find_ip(set, "2001:db8:ffff::1", 0), "2001:db8::/32");
	ck_assert_str_eq(find_ip(set, "2001:db9::1", 0), "");
	mxw__list_set_unref(set);
}
END_TEST

START_TEST(names_are_found_below_others_or_not)
{
	mxw__list_set_t *set = mxw__list_set_new(100);

	add(set, "example.net");
	add(set, ".example.org");
	add(set, "anna@example.com");
	ck_assert_str_eq(find_name(set, "example.net"), "example.net");
	ck_assert_str_eq(find_name(set, "EXAMPLE.net"), "example.net");
	ck_assert_str_eq(find_name(set, "mx.example.net"), "");
	ck_assert_str_eq(find_name(set, "example.org"), "");
	ck_assert_str_eq(find_name(set, "mx.example.org"), ".example.org");
	ck_assert_str_eq(find_name(set, "a.b.example.org"), ".example.org");
	ck_assert_str_eq(find_name(set, "notexample.org"), "");
	ck_assert_str_eq(find_name(set, "anna@example.com"), "");
	ck_assert(mxw__list_set_find_mailbox(set, "anna@example.com", 0));
	ck_assert(!mxw__list_set_find_mailbox(set, "ben@example.com", 0));
	mxw__list_set_unref(set);
}
END_TEST

START_TEST(a_set_keeps_to_its_bound_and_forgets)
{
	mxw__list_set_t *set = mxw__list_set_new(1000);
	char complaint[MXW__LIST_COMPLAINT_MAX], text[32];
	struct mxw__list_line line;

	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "10.0.%d.%d", i / 250, i % 250);
		add(set, text);
	}
	ck_assert(mxw__list_line_parse("10.1.1.1", 8, MXW__LIST_ANY, &line, complaint));
	ck_assert_int_eq(mxw__list_set_add(set, &line, 0, NULL), MXW_ERR_LIMIT);
	add(set, "10.0.0.7 by=anna");
	ck_assert_uint_eq(mxw__list_set_count(set), 1000);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "10.0.%d.%d", i / 250, i % 250);
		ck_assert(mxw__list_line_parse(text, strlen(text), MXW__LIST_ANY, &line, complaint));
		mxw__list_set_remove(set, mxw__list_set_get(set, &line.key));
	}
	ck_assert_uint_eq(mxw__list_set_count(set), 0);
	ck_assert_str_eq(find_ip(set, "10.0.0.7", 0), "");
	mxw__list_set_unref(set);
}
END_TEST

/* ---- while running ---- */

static struct scratch scratch;
static struct fake_clock fake;
static mxw_engine_t *engine;

static mxw_engine_t *new_engine_in(const char *text, const char *state_dir)
{
	struct mxw_engine_options options = {.size = sizeof options, .clock = &fake.clock, .state_dir = state_dir};
	mxw_engine_t *e;
	mxw_conf_t *conf;

	ck_assert_int_eq(mxw_conf_load_text("test", text, NULL, NULL, &conf), MXW_OK);
	ck_assert_int_eq(mxw_engine_new(conf, &options, &e, NULL), MXW_OK);
	mxw_conf_unref(conf);
	return e;
}

static mxw_engine_t *new_engine(const char *text)
{
	return new_engine_in(text, NULL);
}

#define LISTS "resolver { forward none }\nlist block { max-entries 10 }\nlist names { kind names }\n"

static void set_up(void)
{
	scratch_init(&scratch);
	fake_clock_init(&fake);
	engine = new_engine(LISTS);
}

static void tear_down(void)
{
	mxw_engine_free(engine);
	scratch_fini(&scratch);
}

/* The first value of client.list; "" if there is none. */
static void client_list(mxw_engine_t *e, const char *address, char ret_list[64])
{
	mxw_session_t *s;
	struct mxw_connect_info info = {0};
	struct mxw_verdict verdict;

	ck_assert_int_eq(mxw_session_new(e, &s), MXW_OK);
	ck_assert_int_eq(mxw_ip_parse(address, &info.client), MXW_OK);
	mxw_session_connect(s, &info, &verdict);
	const char *list = mxw_facts_get(mxw_session_facts(s), MXW__FACT_CLIENT_LIST);
	snprintf(ret_list, 64, "%s", list ? list : "");
	mxw_session_free(s);
}

static void assert_list(mxw_engine_t *e, const char *address, const char *list)
{
	char have[64];

	client_list(e, address, have);
	ck_assert_str_eq(have, list);
}

START_TEST(an_entry_is_added_and_removed_while_running)
{
	struct mxw_error err;
	int64_t now = fake.clock.wall_ms(fake.clock.ctx);

	assert_list(engine, "192.0.2.7", "");
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.0/24", 0, "anna", "spam", &err), MXW_OK);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "198.51.100.7", now + 60000, NULL, NULL, &err), MXW_OK);
	assert_list(engine, "192.0.2.7", "block");
	assert_list(engine, "198.51.100.7", "block");
	fake_clock_advance(&fake, 60000);
	assert_list(engine, "198.51.100.7", "");
	ck_assert_int_eq(mxw__lists_remove(engine, "block", "192.0.2.0/24", &err), MXW_OK);
	assert_list(engine, "192.0.2.7", "");
	ck_assert_int_eq(mxw__lists_remove(engine, "block", "192.0.2.0/24", &err), MXW_ERR_INVALID);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.0/24", 0, "ben", NULL, &err), MXW_OK);
	assert_list(engine, "192.0.2.7", "block");
}
END_TEST

START_TEST(what_is_no_entry_is_not_added)
{
	struct mxw_error err;
	char reason[MXW__LIST_REASON_MAX + 1];

	ck_assert_int_eq(mxw__lists_add(engine, "blocks", "192.0.2.1", 0, NULL, NULL, &err), MXW_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "no list 'blocks'"));
	ck_assert_int_eq(mxw__lists_add(engine, "names", "192.0.2.1", 0, NULL, NULL, &err), MXW_ERR_INVALID);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.1/24", 0, NULL, NULL, &err), MXW_ERR_INVALID);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.1", 0, "a\nb", NULL, &err), MXW_ERR_INVALID);
	memset(reason, 'x', sizeof reason);
	reason[sizeof reason - 1] = '\0';
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.1", 0, NULL, reason, &err), MXW_ERR_INVALID);
}
END_TEST

/* Ten are the bound; what nobody needs any more makes room. */
START_TEST(a_full_list_takes_no_more_until_something_expires)
{
	int64_t now = fake.clock.wall_ms(fake.clock.ctx);
	struct mxw_error err;
	char text[32];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof text, "192.0.2.%d", i);
		ck_assert_int_eq(mxw__lists_add(engine, "block", text, i == 3 ? now + 1000 : 0, NULL, NULL, &err), MXW_OK);
	}
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.10", 0, NULL, NULL, &err), MXW_ERR_LIMIT);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.9", 0, "anna", NULL, &err), MXW_OK);
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.10", 0, NULL, NULL, &err), MXW_OK);
	assert_list(engine, "192.0.2.10", "block");
	assert_list(engine, "192.0.2.3", "");
}
END_TEST

static void write_view(void *ctx, const struct mxw__list_view *view)
{
	mxw__buf_addf(ctx, "%s/%s by=%s reason=%s line=%u%s;", view->list, view->entry, view->author, view->reason, view->line,
		      view->until_ms ? " until" : "");
}

/* Also of what comes from a disk or another host, for lists of ours and of others. */
START_TEST(what_comes_from_elsewhere_keeps_to_the_bound)
{
	struct mxw__state_record r = {.at_ms = 1, .expires_ms = INT64_MAX, .values = {0, 1, 0}};
	int ours = 0, others = 0;

	for (int i = 0; i < 20; i++) {
		snprintf(r.key, sizeof r.key, "block/192.0.2.%d", i);
		mxw__lists_sort.put(engine->lists, MXW__STATE_DISK, &r);
		snprintf(r.key, sizeof r.key, "other/192.0.2.%d", i);
		mxw__lists_sort.put(engine->lists, MXW__STATE_DISK, &r);
	}
	struct mxw__state_record records[64];
	size_t n = mxw__lists_sort.take(engine->lists, MXW__STATE_SHARE, records, 64);
	for (size_t i = 0; i < n; i++) {
		ours += strncmp(records[i].key, "block/", 6) == 0;
		others += strncmp(records[i].key, "other/", 6) == 0;
	}
	ck_assert_int_eq(ours, 10);
	ck_assert_int_eq(others, 20);
	/* Another bound, by a reload, holds from then on. */
	mxw_conf_t *conf;
	ck_assert_int_eq(mxw_conf_load_text("test", "resolver { forward none }\nlist block { max-entries 11 }\n", NULL, NULL, &conf), MXW_OK);
	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	mxw_conf_unref(conf);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.100", 0, NULL, NULL, NULL), MXW_OK);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.101", 0, NULL, NULL, NULL), MXW_ERR_LIMIT);
}
END_TEST

START_TEST(all_entries_are_shown_those_of_files_first)
{
	struct mxw__buf all, text;
	char *path = scratch_path(&scratch, "block");

	scratch_replace(path, "203.0.113.0/24 by=ben reason=\"a b\"\n203.0.113.9 until=2020-01-01\n");
	mxw__buf_init(&text, 1000);
	mxw__buf_addf(&text, "resolver { forward none }\nlist block { file %s }\n", path);
	mxw_engine_t *e = new_engine(mxw__buf_str(&text));
	ck_assert_int_eq(mxw__lists_add(e, "block", "192.0.2.1", 0, "anna", "x", NULL), MXW_OK);
	ck_assert_int_eq(mxw__lists_add(e, "block", "192.0.2.2", 0, NULL, NULL, NULL), MXW_OK);
	ck_assert_int_eq(mxw__lists_remove(e, "block", "192.0.2.2", NULL), MXW_OK);
	mxw__buf_init(&all, 1000);
	mxw__lists_each(e, write_view, &all);
	ck_assert_str_eq(mxw__buf_str(&all), "block/203.0.113.0/24 by=ben reason=a b line=1;block/192.0.2.1 by=anna reason=x line=0;");
	struct mxw_error err;
	ck_assert_int_eq(mxw__lists_remove(e, "block", "203.0.113.0/24", &err), MXW_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	mxw__buf_fini(&all);
	mxw__buf_fini(&text);
	mxw_engine_free(e);
	free(path);
}
END_TEST

/* ---- kept and shared ---- */

static size_t hand_over(mxw_engine_t *from, mxw_engine_t *to, mxw__state_reader_t reader)
{
	struct mxw__state_record records[32];
	size_t n = mxw__lists_sort.take(from->lists, reader, records, 32);

	for (size_t i = 0; i < n; i++)
		mxw__lists_sort.put(to->lists, reader, &records[i]);
	return n;
}

START_TEST(what_was_added_is_known_elsewhere_and_after_a_start)
{
	mxw_engine_t *other = new_engine(LISTS);
	struct mxw__buf all;

	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.1", 0, "Anna \xc3\x84", "100 % \xc3\xbc" "bel", NULL), MXW_OK);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "2001:db8::/48", 9e12, NULL, "", NULL), MXW_OK);
	ck_assert_uint_eq(hand_over(engine, other, MXW__STATE_SHARE), 2);
	ck_assert_uint_eq(hand_over(engine, other, MXW__STATE_SHARE), 0);
	assert_list(other, "192.0.2.1", "block");
	assert_list(other, "2001:db8::7", "block");
	mxw__buf_init(&all, 1000);
	mxw__lists_each(other, write_view, &all);
	ck_assert_ptr_nonnull(strstr(mxw__buf_str(&all), "block/192.0.2.1 by=Anna \xc3\x84 reason=100 % \xc3\xbc" "bel line=0;"));
	ck_assert_ptr_nonnull(strstr(mxw__buf_str(&all), "block/2001:db8::/48 by= reason= line=0 until;"));
	mxw__buf_fini(&all);
	/* What came from there is not told there again, but kept here. */
	ck_assert_uint_eq(hand_over(other, engine, MXW__STATE_SHARE), 0);
	ck_assert_uint_eq(hand_over(other, engine, MXW__STATE_DISK), 2);
	mxw_engine_free(other);
}
END_TEST

START_TEST(what_was_added_is_there_after_a_restart)
{
	mxw_engine_t *e = new_engine_in(LISTS, scratch.dir);
	int64_t now = fake.clock.wall_ms(fake.clock.ctx);

	ck_assert_int_eq(mxw__lists_add(e, "block", "192.0.2.1", 0, "anna", "spam", NULL), MXW_OK);
	ck_assert_int_eq(mxw__lists_add(e, "block", "192.0.2.2", now + 60000, "anna", "spam", NULL), MXW_OK);
	ck_assert_int_eq(mxw__lists_add(e, "block", "192.0.2.3", 0, NULL, NULL, NULL), MXW_OK);
	fake_clock_advance(&fake, 1);
	ck_assert_int_eq(mxw__lists_remove(e, "block", "192.0.2.3", NULL), MXW_OK);
	/* Neither the end nor the beginning waits long for a busy disk. */
	ck_assert(mxw__store_flush(e->store, 60000));
	mxw_engine_free(e);
	e = new_engine_in(LISTS, scratch.dir);
	ck_assert(mxw__store_flush(e->store, 60000));
	assert_list(e, "192.0.2.1", "block");
	assert_list(e, "192.0.2.2", "block");
	assert_list(e, "192.0.2.3", "");
	fake_clock_advance(&fake, 60000);
	assert_list(e, "192.0.2.2", "");
	mxw_engine_free(e);
}
END_TEST

START_TEST(of_two_hosts_the_later_word_holds)
{
	mxw_engine_t *other = new_engine(LISTS);

	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.1", 0, NULL, NULL, NULL), MXW_OK);
	hand_over(engine, other, MXW__STATE_SHARE);
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(mxw__lists_remove(other, "block", "192.0.2.1", NULL), MXW_OK);
	ck_assert_uint_eq(hand_over(other, engine, MXW__STATE_SHARE), 1);
	assert_list(engine, "192.0.2.1", "");
	/* An old copy, from a disk for one, does not bring it back. */
	struct mxw__state_record old = {.key = "block/192.0.2.1", .at_ms = 1, .values = {0, 1, 0}, .text = "anna x"};
	mxw__lists_sort.put(engine->lists, MXW__STATE_DISK, &old);
	assert_list(engine, "192.0.2.1", "");
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.1", 0, NULL, NULL, NULL), MXW_OK);
	hand_over(engine, other, MXW__STATE_SHARE);
	assert_list(other, "192.0.2.1", "block");
	mxw_engine_free(other);
}
END_TEST

/* Added by a host whose clock is a year ahead: who takes it off the list here means it for everywhere. */
START_TEST(what_a_clock_that_is_ahead_has_added_can_be_removed)
{
	mxw_engine_t *other = new_engine(LISTS);

	atomic_fetch_add(&fake.wall_ms, INT64_C(365) * 86400000);
	ck_assert_int_eq(mxw__lists_add(other, "block", "192.0.2.1", 0, NULL, NULL, NULL), MXW_OK);
	atomic_fetch_sub(&fake.wall_ms, INT64_C(365) * 86400000);
	hand_over(other, engine, MXW__STATE_SHARE);
	assert_list(engine, "192.0.2.1", "block");
	ck_assert_int_eq(mxw__lists_remove(engine, "block", "192.0.2.1", NULL), MXW_OK);
	hand_over(engine, other, MXW__STATE_SHARE);
	assert_list(other, "192.0.2.1", "");
	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.1", 0, NULL, NULL, NULL), MXW_OK);
	hand_over(engine, other, MXW__STATE_SHARE);
	assert_list(other, "192.0.2.1", "block");
	mxw_engine_free(other);
}
END_TEST

START_TEST(records_that_are_none_do_no_harm)
{
	static const char *const keys[] = {"", "block", "block/", "/192.0.2.1", "block/192.0.2.1/7", "block/a b", "block/%"};
	struct mxw__state_record r = {.at_ms = 1, .values = {-1, 1e300, 5}};

	for (size_t i = 0; i < MXW_ARRAY_LEN(keys); i++) {
		snprintf(r.key, sizeof r.key, "%s", keys[i]);
		mxw__lists_sort.put(engine->lists, MXW__STATE_SHARE, &r);
		mxw__lists_sort.give_back(engine->lists, MXW__STATE_SHARE, &r);
	}
	memset(r.key, 'x', sizeof r.key - 1);
	mxw__lists_sort.put(engine->lists, MXW__STATE_SHARE, &r);
	assert_list(engine, "192.0.2.1", "");
}
END_TEST

START_TEST(what_did_not_get_there_is_handed_over_again)
{
	struct mxw__state_record records[4];

	ck_assert_int_eq(mxw__lists_add(engine, "block", "192.0.2.1", 0, NULL, NULL, NULL), MXW_OK);
	ck_assert_int_eq(mxw__lists_add(engine, "names", "a.example", 0, NULL, NULL, NULL), MXW_OK);
	ck_assert_uint_eq(mxw__lists_sort.take(engine->lists, MXW__STATE_DISK, records, 1), 1);
	mxw__lists_sort.give_back(engine->lists, MXW__STATE_DISK, &records[0]);
	ck_assert_uint_eq(mxw__lists_sort.take(engine->lists, MXW__STATE_DISK, records, 4), 2);
	ck_assert_uint_eq(mxw__lists_sort.take(engine->lists, MXW__STATE_DISK, records, 4), 0);
	mxw__lists_sort.mark_all(engine->lists, MXW__STATE_DISK);
	ck_assert_uint_eq(mxw__lists_sort.take(engine->lists, MXW__STATE_DISK, records, 4), 2);
}
END_TEST

/* ---- many ---- */

enum { MANY = 100000, BATCH = 256 };

static void count_view(void *ctx, MXW_UNUSED const struct mxw__list_view *view)
{
	++*(size_t *)ctx;
}

/* Of each ten, one ends in a second. */
static mxw_engine_t *new_engine_of_many(void)
{
	mxw_engine_t *e = new_engine("resolver { forward none }\nlist block { max-entries 100000 }\n");
	int64_t now = fake.clock.wall_ms(fake.clock.ctx);
	char text[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		ck_assert_int_eq(mxw__lists_add(e, "block", text, i % 10 ? 0 : now + 1000, NULL, NULL, NULL), MXW_OK);
	}
	return e;
}

static size_t take_all(mxw_engine_t *e, mxw__state_reader_t reader)
{
	struct mxw__state_record *records = calloc(BATCH, sizeof *records);
	size_t n, all = 0;

	ck_assert_ptr_nonnull(records);
	while ((n = mxw__lists_sort.take(e->lists, reader, records, BATCH)) > 0)
		all += n;
	free(records);
	return all;
}

/* Sessions wait for the same mutex: a few hundred look-ups in memory at a time are some tens of microseconds. */
static void assert_work(mxw_engine_t *e, uint64_t before, uint64_t most)
{
	ck_assert_uint_le(e->lists->most_work, 300);
	ck_assert_msg(e->lists->work - before <= most, "%llu looked at", (unsigned long long)(e->lists->work - before));
}

START_TEST(however_many_there_are_nobody_waits_long)
{
	mxw_engine_t *e = new_engine_of_many();
	size_t n = 0;

	/* Each chain and each entry once, and the chain at which a batch ends twice. */
	ck_assert_uint_eq(take_all(e, MXW__STATE_DISK), MANY);
	assert_work(e, 0, 3 * MANY + 32 * (MANY / BATCH));
	uint64_t before = e->lists->work;
	mxw__lists_sort.mark_all(e->lists, MXW__STATE_DISK);
	assert_work(e, before, 3 * MANY);
	ck_assert_uint_eq(take_all(e, MXW__STATE_DISK), MANY);
	before = e->lists->work;
	mxw__lists_each(e, count_view, &n);
	ck_assert_uint_eq(n, MANY);
	assert_work(e, before, 3 * MANY);
	mxw_engine_free(e);
}
END_TEST

/* What is full is searched for room once, and not again with each that wants in. */
START_TEST(room_is_looked_for_only_where_there_can_be_some)
{
	mxw_engine_t *e = new_engine_of_many();
	uint64_t before = e->lists->work;

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(mxw__lists_add(e, "block", "192.0.2.1", 0, NULL, NULL, NULL), MXW_ERR_LIMIT);
	assert_work(e, before, 0);
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(mxw__lists_add(e, "block", "192.0.2.1", 0, NULL, NULL, NULL), MXW_OK);
	assert_work(e, before, 3 * MANY);
	ck_assert_uint_eq(take_all(e, MXW__STATE_SHARE), MANY - MANY / 10 + 1);
	mxw_engine_free(e);
}
END_TEST

/* Those of a chain that is split are found in both. */
START_TEST(a_set_is_whole_at_each_size)
{
	mxw__list_set_t *set = mxw__list_set_new(5000);
	char text[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof text, "10.0.%d.%d", i / 250, i % 250);
		add(set, text);
		size_t n = 0;
		for (size_t at = 0; i % 61 == 0 && at < mxw__list_set_nchains(set); at++)
			for (struct mxw__list_item *item = mxw__list_set_chain(set, at); item; item = item->next)
				n++;
		ck_assert(i % 61 != 0 || n == (size_t)i + 1);
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof text, "10.0.%d.%d", i / 250, i % 250);
		ck_assert_str_eq(find_ip(set, text, 0), text);
	}
	ck_assert_uint_eq(mxw__list_set_nchains(set), 5000);
	mxw__list_set_unref(set);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("lists");
	TCase *reading = tcase_create("reading"), *finding = tcase_create("finding"), *running = tcase_create("running");

	tcase_add_loop_test(reading, a_line_says_what_until_when_by_whom_and_why, 0, MXW_ARRAY_LEN(lines));
	tcase_add_test(reading, a_list_of_one_kind_takes_no_other);
	tcase_add_test(reading, times_are_read_as_they_are_written);
	suite_add_tcase(suite, reading);
	tcase_add_test(finding, the_narrowest_network_in_force_is_found);
	tcase_add_test(finding, names_are_found_below_others_or_not);
	tcase_add_test(finding, a_set_keeps_to_its_bound_and_forgets);
	tcase_add_test(finding, a_set_is_whole_at_each_size);
	suite_add_tcase(suite, finding);
	tcase_add_checked_fixture(running, set_up, tear_down);
	tcase_add_test(running, an_entry_is_added_and_removed_while_running);
	tcase_add_test(running, what_is_no_entry_is_not_added);
	tcase_add_test(running, a_full_list_takes_no_more_until_something_expires);
	tcase_add_test(running, what_comes_from_elsewhere_keeps_to_the_bound);
	tcase_add_test(running, all_entries_are_shown_those_of_files_first);
	tcase_add_test(running, what_was_added_is_known_elsewhere_and_after_a_start);
	tcase_add_test(running, what_was_added_is_there_after_a_restart);
	tcase_add_test(running, of_two_hosts_the_later_word_holds);
	tcase_add_test(running, records_that_are_none_do_no_harm);
	tcase_add_test(running, what_a_clock_that_is_ahead_has_added_can_be_removed);
	tcase_add_test(running, what_did_not_get_there_is_handed_over_again);
	tcase_add_test(running, however_many_there_are_nobody_waits_long);
	tcase_add_test(running, room_is_looked_for_only_where_there_can_be_some);
	suite_add_tcase(suite, running);
	return suite;
}

int main(void)
{
	return run_suite(make_suite());
}
