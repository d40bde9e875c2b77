/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking recipients up through the engine, and what it remembers of them over reloads and restarts. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mxward/mxward.h>

#include "src/base/base.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/ldapd.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

static struct scratch scratch;
static struct fake_clock fake;
static fake_resolver_t *resolver;
static struct ldapd *ldapd;
static mxw_engine_t *engine;
static struct mxw_recipient found;

static mxw_conf_t *load(const char *more)
{
	char *list = scratch_path(&scratch, "list"), *gone = scratch_path(&scratch, "gone");
	struct mxw__buf text;
	mxw_conf_t *conf = NULL;

	mxw__buf_init(&text, 4000);
	scratch_replace(list, "anna\nj.smith@example.net\n");
	scratch_replace(gone, "");
	mxw__buf_addf(&text, "directory list { type file\n path \"%s\" }\ndirectory gone { type file\n path \"%s\" }\n", list,
		      gone);
	mxw__buf_addf(&text, "directory staff { type ldap\n uri \"%s\"\n base dc=x\n timeout 9s\n connect-timeout 9s\n %s }\n", ldapd_uri(ldapd),
		      more);
	mxw__buf_adds(&text, "domain example.net { recipients list }\ndomain example.org { recipients gone list staff }\n");
	ck_assert_int_eq(mxw_conf_load_text("test.conf", mxw__buf_str(&text), NULL, NULL, &conf), MXW_OK);
	unlink(gone);
	mxw__buf_fini(&text);
	free(list);
	free(gone);
	return conf;
}

static void start(bool is_read_only)
{
	struct mxw_engine_options options = {.size = sizeof options, .resolver = &resolver->resolver,
		.state_dir = scratch.dir, .state_is_read_only = is_read_only};
	mxw_conf_t *conf = load("");

	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
}

static void stop(void)
{
	mxw_engine_free(engine);
	engine = NULL;
}

static void set_up(void)
{
	scratch_init(&scratch);
	fake_clock_init(&fake);
	resolver = fake_resolver_new(&fake);
	ldapd = ldapd_start();
	atomic_store(&ldapd_settings(ldapd)->nentries, 1);
	start(false);
}

static void tear_down(void)
{
	stop();
	ldapd_stop(ldapd);
	mxw_resolver_unref(&resolver->resolver);
	scratch_fini(&scratch);
}

static const struct mxw_recipient *look_up(const char *address)
{
	memset(&found, 0x55, sizeof found);
	ck_assert_int_eq(mxw_engine_lookup(engine, address, NULL, &found, NULL), MXW_OK);
	return &found;
}

static const struct mxw_recipient *look_up_live(const char *address)
{
	struct mxw_lookup_options options = {.size = sizeof options, .ignores_cache = true, .timeout_ms = 9000};

	ck_assert_int_eq(mxw_engine_lookup(engine, address, &options, &found, NULL), MXW_OK);
	return &found;
}

static const struct {
	const char *address, *word, *found_as, *directory;
	mxw_outcome_t outcome;
} words[] = {
	{"anna@example.net", "found", "anna@example.net", "list", MXW_FOUND},
	{"<anna@example.net>", "found", "anna@example.net", "list", MXW_FOUND},
	{"anna+list@example.net", "found", "anna@example.net", "list", MXW_FOUND},
	{"j.smith@EXAMPLE.net", "found", "j.smith@example.net", "list", MXW_FOUND},
	{"bert@example.net", "unknown", "bert@example.net", "list", MXW_NOT_FOUND},
	{"abuse@example.net", "found", "abuse@example.net", NULL, MXW_FOUND},
	{"anna@example.com", "foreign", "anna@example.com", "", MXW_NOT_FOUND},
	{"", "invalid", "", "", MXW_NOT_FOUND},
	{"<>", "invalid", "<>", "", MXW_NOT_FOUND},
	{"no address", "invalid", "no address", "", MXW_NOT_FOUND},
};

START_TEST(a_lookup_says_what_rcpt_would)
{
	const struct mxw_recipient *r = look_up(words[_i].address);

	ck_assert_str_eq(r->word, words[_i].word);
	ck_assert_int_eq(r->answer.outcome, words[_i].outcome);
	ck_assert_str_eq(r->answer.address, words[_i].found_as);
	if (words[_i].directory)
		ck_assert_str_eq(r->answer.directory, words[_i].directory);
}
END_TEST

START_TEST(a_lookup_says_what_each_directory_said)
{
	atomic_store(&ldapd_settings(ldapd)->nentries, 0);
	const struct mxw_recipient *r = look_up("bert@example.org");

	/* `gone` can't be read: nobody knows. */
	ck_assert_str_eq(r->word, "unavailable");
	ck_assert_int_eq(r->answer.outcome, MXW_TEMPORARY);
	ck_assert_str_eq(r->answer.directory, "gone");
	ck_assert_str_ne(r->answer.reason, "");
	ck_assert_uint_ge(r->nasked, 3);
	ck_assert_str_eq(r->asked[0].directory, "gone");
	ck_assert_int_eq(r->asked[0].outcome, MXW_TEMPORARY);
	ck_assert_str_eq(r->asked[1].directory, "list");
	ck_assert_int_eq(r->asked[1].outcome, MXW_NOT_FOUND);
	ck_assert_str_eq(r->asked[2].directory, "staff");
	ck_assert_int_eq(r->asked[2].outcome, MXW_NOT_FOUND);
	ck_assert_str_eq(r->asked[2].address, "bert@example.org");
	r = look_up("anna@example.org");
	ck_assert_str_eq(r->word, "found");
	ck_assert_uint_eq(r->nasked, 2);
}
END_TEST

START_TEST(an_address_is_remembered_until_it_is_flushed)
{
	struct mxw_recipient_stats stats = {.size = sizeof stats};
	size_t n = 99;

	ck_assert_int_eq(look_up("bert@example.org")->answer.origin, MXW_RECIPIENT_LIVE);
	ck_assert_int_eq(look_up("carl@example.org")->answer.origin, MXW_RECIPIENT_LIVE);
	const struct mxw_recipient *r = look_up("bert@example.org");
	ck_assert_int_eq(r->answer.origin, MXW_RECIPIENT_CACHE);
	ck_assert_str_eq(r->answer.directory, "staff");
	ck_assert_int_ge(r->answer.age_ms, 0);
	ck_assert_uint_eq(atomic_load(&ldapd_counts(ldapd)->searches), 2);
	mxw_engine_recipient_stats(engine, &stats);
	ck_assert_uint_eq(stats.hits, 1);
	ck_assert_uint_eq(stats.misses, 2);
	ck_assert_uint_eq(stats.entries, 2);
	ck_assert_uint_eq(stats.known_good, 2);
	ck_assert_uint_ge(stats.max_entries, 90000);
	ck_assert_uint_ge(stats.bytes, 64 * stats.max_entries);

	ck_assert_int_eq(look_up_live("bert@example.org")->answer.origin, MXW_RECIPIENT_LIVE);
	ck_assert_int_eq(mxw_engine_flush_recipients(engine, "bert@example.org", &n, NULL), MXW_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(look_up("bert@example.org")->answer.origin, MXW_RECIPIENT_LIVE);
	ck_assert_int_eq(look_up("carl@example.org")->answer.origin, MXW_RECIPIENT_CACHE);
	/* A sub-address may be found without its detail. */
	ck_assert_int_eq(mxw_engine_flush_recipients(engine, "<carl+x@example.org>", &n, NULL), MXW_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(mxw_engine_flush_recipients(engine, "x@foreign.example", &n, NULL), MXW_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(mxw_engine_flush_recipients(engine, "<>", &n, NULL), MXW_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(mxw_engine_flush_recipients(engine, NULL, &n, NULL), MXW_OK);
	ck_assert_uint_eq(n, 1);
	mxw_engine_recipient_stats(engine, &stats);
	ck_assert_uint_eq(stats.entries, 0);
}
END_TEST

START_TEST(an_older_caller_gets_what_it_has_room_for)
{
	struct mxw_recipient_stats stats;

	memset(&stats, 0x55, sizeof stats);
	stats.size = offsetof(struct mxw_recipient_stats, misses);
	mxw_engine_recipient_stats(engine, &stats);
	ck_assert_uint_eq(stats.hits, 0);
	ck_assert_uint_eq(stats.misses, UINT64_C(0x5555555555555555));
}
END_TEST

START_TEST(a_restart_or_reload_forgets_nothing_while_ldap_is_away)
{
	look_up("bert@example.org");
	stop();
	atomic_store(&ldapd_settings(ldapd)->mode, LDAPD_DROP);
	start(false);
	ck_assert_int_eq(look_up("bert@example.org")->answer.origin, MXW_RECIPIENT_CACHE);

	/* Other limits keep it, another filter does not. */
	mxw_conf_t *conf = load("positive-lifetime 0\n negative-lifetime 1m");
	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	mxw_conf_unref(conf);
	const struct mxw_recipient *r = look_up("bert@example.org");
	ck_assert_int_eq(r->answer.outcome, MXW_FOUND);
	ck_assert_int_eq(r->answer.origin, MXW_RECIPIENT_STALE);
	ck_assert_int_eq(look_up("dora@example.org")->answer.outcome, MXW_TEMPORARY);
	conf = load("filter \"(uid={user})\"");
	ck_assert_int_eq(mxw_engine_reload(engine, conf, NULL), MXW_OK);
	mxw_conf_unref(conf);
	ck_assert_int_eq(look_up("bert@example.org")->answer.outcome, MXW_TEMPORARY);
}
END_TEST

START_TEST(a_look_beside_a_daemon_sees_what_it_knows_and_changes_nothing)
{
	char *path = scratch_path(&scratch, "recipients.cache");
	char *before, *after;
	size_t before_len, after_len;

	look_up("bert@example.org");
	stop();
	ck_assert_int_eq(mxw__file_read(path, 1 << 20, &before, &before_len, NULL), MXW_OK);
	start(true);
	ck_assert_int_eq(look_up("bert@example.org")->answer.origin, MXW_RECIPIENT_CACHE);
	look_up("carl@example.org");
	mxw_engine_flush_recipients(engine, NULL, NULL, NULL);
	stop();
	ck_assert_int_eq(mxw__file_read(path, 1 << 20, &after, &after_len, NULL), MXW_OK);
	ck_assert_uint_eq(before_len, after_len);
	ck_assert_mem_eq(before, after, before_len);
	free(before);
	free(after);
	free(path);
	start(false);
}
END_TEST

START_TEST(words_for_origins_and_copies)
{
	ck_assert_str_eq(mxw_recipient_origin_name(MXW_RECIPIENT_LIVE), "live");
	ck_assert_str_eq(mxw_recipient_origin_name(MXW_RECIPIENT_CACHE), "cache");
	ck_assert_str_eq(mxw_recipient_origin_name(MXW_RECIPIENT_STALE), "stale");
	ck_assert_str_eq(mxw_recipient_origin_name(MXW_RECIPIENT_COPY), "copy");
	ck_assert_str_eq(mxw_recipient_copy_name(MXW_RECIPIENT_COPY_NONE), "");
	ck_assert_str_eq(mxw_recipient_copy_name(MXW_RECIPIENT_COPY_KNOWN), "known");
	ck_assert_str_eq(mxw_recipient_copy_name(MXW_RECIPIENT_COPY_ABSENT), "absent");
	ck_assert_str_eq(mxw_recipient_copy_name(MXW_RECIPIENT_COPY_OLD), "old");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lookup");
	TCase *tc = tcase_create("lookup");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_lookup_says_what_rcpt_would, 0, MXW_ARRAY_LEN(words));
	tcase_add_test(tc, a_lookup_says_what_each_directory_said);
	tcase_add_test(tc, an_address_is_remembered_until_it_is_flushed);
	tcase_add_test(tc, an_older_caller_gets_what_it_has_room_for);
	tcase_add_test(tc, a_restart_or_reload_forgets_nothing_while_ldap_is_away);
	tcase_add_test(tc, a_look_beside_a_daemon_sees_what_it_knows_and_changes_nothing);
	tcase_add_test(tc, words_for_origins_and_copies);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
