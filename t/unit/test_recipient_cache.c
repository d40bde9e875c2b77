/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept of directories' answers: how long, for whom, and over a restart. */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mxward/conf.h>

#include "src/directory/set.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/notices.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

enum { PATIENCE_MS = 20000 };

static struct scratch scratch;
static struct fake_clock fake;
static struct notices notices;

/* ---- a source that does as it is told ---- */

/* HANGS: until its time is over. WAITS: until it is released, in whatever time. */
enum answer { SAYS_FOUND, SAYS_NOT_FOUND, SAYS_UNVERIFIABLE, SAYS_DISABLED, FAILS, IS_MISCONFIGURED, HANGS, WAITS };

static struct {
	_Atomic enum answer answer;
	atomic_uint asked;
	atomic_uint waiting;
	atomic_bool is_released;
} staff;

static bool wait_for(bool (*is_so)(void))
{
	for (int i = 0; i < PATIENCE_MS; i++) {
		if (is_so())
			return true;
		usleep(1000);
	}
	return false;
}

static mxw_status_t staff_open(const struct mxw__directory_env *env, void **ret_self, struct mxw_error *err)
{
	*ret_self = &staff;
	return MXW_OK;
}

/* By the real clock: the fake one stands still. */
static void hang(int64_t ms)
{
	int64_t end = mxw__now_ms(mxw_clock_system()) + ms;

	atomic_fetch_add(&staff.waiting, 1);
	while (!atomic_load(&staff.is_released) && mxw__now_ms(mxw_clock_system()) < end)
		usleep(1000);
	atomic_fetch_sub(&staff.waiting, 1);
}

static void staff_lookup(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	atomic_fetch_add(&staff.asked, 1);
	enum answer answer = atomic_load(&staff.answer);
	if (answer == HANGS || answer == WAITS) {
		hang(answer == HANGS ? query->deadline_ms - mxw__now_ms(&fake.clock) : PATIENCE_MS);
		answer = atomic_load(&staff.is_released) ? SAYS_FOUND : FAILS;
	}
	switch (answer) {
	case SAYS_UNVERIFIABLE:
		ret_result->is_unverifiable = true;
		ret_result->outcome = MXW_FOUND;
		break;
	case SAYS_FOUND:
		ret_result->outcome = MXW_FOUND;
		ret_result->settings.is_internal_only = true;
		memcpy(ret_result->settings.class, "board", sizeof "board");
		break;
	case SAYS_DISABLED:
		ret_result->outcome = MXW_FOUND;
		ret_result->settings.is_disabled = true;
		break;
	case SAYS_NOT_FOUND:
		ret_result->outcome = MXW_NOT_FOUND;
		break;
	case IS_MISCONFIGURED:
		mxw__rcpt_answerf(ret_result, MXW_MISCONFIGURED, "no such base");
		break;
	default:
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "no answer");
	}
}

static void staff_close(void *self)
{
}

static const struct mxw__directory_ops staff_ops = {
	.type = "staff",
	.is_remote = true,
	.open = staff_open,
	.lookup = staff_lookup,
	.close = staff_close,
};

/* ---- a set that asks it ---- */

static struct mxw__directory_conf directory;
static struct mxw__domain_conf domain;
static struct mxw_conf conf;
static mxw__rcpt_keeper_t *keeper;
static mxw__rcpt_cache_t *cache;
static mxw__directories_t *set;

static void open_set(void)
{
	static const char *const names[] = {"example.net"};
	static const size_t order[] = {0};
	struct mxw__directories_env env = {.clock = &fake.clock, .cache = cache};

	domain = (struct mxw__domain_conf){.names = {1, names}, .nrecipients = 1, .recipients = order, .delimiters = "+"};
	conf = (struct mxw_conf){.ndirectories = 1, .directories = &directory, .ndomains = 1, .domains = &domain};
	ck_assert_int_eq(mxw__directories_new(&conf, &env, &set, NULL), MXW_OK);
	/* The real source gives way to ours. */
	struct mxw__opened *source = &set->sources[0];
	source->ops->close(source->self);
	source->ops = &staff_ops;
	source->self = &staff;
}

static void open_keeper(const char *state_dir)
{
	struct mxw__rcpt_keeper_env env = {
		.state_dir = state_dir, .clock = &fake.clock, .notice = notices_take, .notice_ctx = &notices,
		.max_entries = 1024, .save_interval_ms = HOUR,
	};

	ck_assert_int_eq(mxw__rcpt_keeper_new(&env, &keeper), MXW_OK);
	cache = mxw__rcpt_keeper_cache(keeper);
}

static void close_all(void)
{
	mxw__directories_free(set);
	set = NULL;
	mxw__rcpt_keeper_free(keeper);
	keeper = NULL;
}

static void open_all(const char *state_dir)
{
	open_keeper(state_dir);
	open_set();
}

static void set_up(void)
{
	static const char *const uris[] = {"ldapi://%2Fnonexistent"}, *const bases[] = {"dc=x"};

	scratch_init(&scratch);
	fake_clock_init(&fake);
	notices_init(&notices);
	atomic_store(&staff.answer, SAYS_FOUND);
	atomic_store(&staff.asked, 0);
	atomic_store(&staff.is_released, false);
	/* As read from a file, so that every setting has its default. */
	directory = (struct mxw__directory_conf){.name = "staff", .type = MXW__DIRECTORY_LDAP, .uris = {1, uris},
		.bases = {1, bases}, .filter = "(mail={addr})", .scope = "sub", .bind_dn = "", .bind_password = "",
		.tls_ca_file = "", .connections = 1, .timeout_ms = 1000, .connect_timeout_ms = 1000, .retry_ms = 1000,
		.positive_lifetime_ms = HOUR, .negative_lifetime_ms = 2 * MINUTE, .stale_lifetime_ms = 7 * DAY,
		.answers_id = 1};
	open_all(NULL);
}

static void tear_down(void)
{
	atomic_store(&staff.is_released, true);
	close_all();
	notices_fini(&notices);
	scratch_fini(&scratch);
}

static struct mxw__rcpt_result ask_as(const char *local, mxw__rcpt_asking_t asking)
{
	char text[300];
	struct mxw__address address = {.text = text, .local = local, .domain = "example.net"};
	struct mxw__rcpt_query query = {.address = &address, .deadline_ms = mxw__now_ms(&fake.clock) + 8000, .asking = asking};
	struct mxw__rcpt_result result;

	snprintf(text, sizeof text, "%s@example.net", local);
	mxw__directories_lookup(set, mxw__directories_domain(set, "example.net"), &query, &result);
	return result;
}

static struct mxw__rcpt_result ask(const char *local)
{
	return ask_as(local, MXW__ASK_ANY);
}

/* What the source says from now on. */
static void says(enum answer answer)
{
	atomic_store(&staff.answer, answer);
}

static uint64_t events(mxw__rcpt_event_t event)
{
	struct mxw__rcpt_cache_stats stats;

	mxw__rcpt_cache_get_stats(cache, &stats);
	return stats.events[event];
}

#define ck_assert_result(result, expected_outcome, expected_origin) \
	do { \
		struct mxw__rcpt_result r_ = (result); \
		ck_assert_int_eq(r_.outcome, expected_outcome); \
		ck_assert_int_eq(r_.origin, expected_origin); \
	} while (0)

/* ---- lifetimes ---- */

static const struct {
	const char *name;
	enum answer first, then;
	int64_t pause_ms;
	mxw_outcome_t outcome;
	mxw__rcpt_origin_t origin;
	unsigned asked;
} lifetimes[] = {
	{"found is kept", SAYS_FOUND, SAYS_NOT_FOUND, HOUR / 2, MXW_FOUND, MXW__ORIGIN_CACHE, 1},
	{"found is asked again when its time is over", SAYS_FOUND, SAYS_FOUND, HOUR, MXW_FOUND, MXW__ORIGIN_LIVE, 2},
	{"not found is kept", SAYS_NOT_FOUND, SAYS_FOUND, 2 * MINUTE - 1, MXW_NOT_FOUND, MXW__ORIGIN_CACHE, 1},
	{"not found is asked again when its time is over", SAYS_NOT_FOUND, SAYS_FOUND, 2 * MINUTE, MXW_FOUND,
		MXW__ORIGIN_LIVE, 2},
	{"a cached not found is given while the source fails", SAYS_NOT_FOUND, FAILS, MINUTE, MXW_NOT_FOUND,
		MXW__ORIGIN_CACHE, 1},
	{"an old not found is no answer when the source fails", SAYS_NOT_FOUND, FAILS, 2 * MINUTE, MXW_TEMPORARY,
		MXW__ORIGIN_LIVE, 2},
	{"can't tell is kept for a short time", SAYS_UNVERIFIABLE, FAILS, 2 * MINUTE - 1, MXW_FOUND, MXW__ORIGIN_CACHE, 1},
	{"can't tell is not good for long", SAYS_UNVERIFIABLE, FAILS, 2 * MINUTE, MXW_TEMPORARY, MXW__ORIGIN_LIVE, 2},
	{"known good while the source fails", SAYS_FOUND, FAILS, HOUR, MXW_FOUND, MXW__ORIGIN_STALE, 2},
	{"known good while the source is misconfigured", SAYS_FOUND, IS_MISCONFIGURED, 2 * DAY, MXW_FOUND, MXW__ORIGIN_STALE, 2},
	{"known good to the end of that time", SAYS_FOUND, FAILS, 7 * DAY - 1, MXW_FOUND, MXW__ORIGIN_STALE, 2},
	{"and no longer", SAYS_FOUND, FAILS, 7 * DAY, MXW_TEMPORARY, MXW__ORIGIN_LIVE, 2},
	{"a misconfiguration stays one", SAYS_FOUND, IS_MISCONFIGURED, 7 * DAY, MXW_MISCONFIGURED, MXW__ORIGIN_LIVE, 2},
	{"a live not found replaces found", SAYS_FOUND, SAYS_NOT_FOUND, HOUR, MXW_NOT_FOUND, MXW__ORIGIN_LIVE, 2},
	{"a failure is not kept", FAILS, SAYS_FOUND, 0, MXW_FOUND, MXW__ORIGIN_LIVE, 2},
};

START_TEST(an_answer_is_good_for_its_time)
{
	says(lifetimes[_i].first);
	ask("anna");
	says(lifetimes[_i].then);
	fake_clock_advance(&fake, lifetimes[_i].pause_ms);
	struct mxw__rcpt_result r = ask("anna");
	ck_assert_msg(r.outcome == lifetimes[_i].outcome && r.origin == lifetimes[_i].origin &&
		      atomic_load(&staff.asked) == lifetimes[_i].asked, "%s: %s, origin %d, asked %u", lifetimes[_i].name,
		      mxw_outcome_name(r.outcome), (int)r.origin, atomic_load(&staff.asked));
	ck_assert_str_eq(r.source, "staff");
	if (r.origin != MXW__ORIGIN_LIVE)
		ck_assert_int_eq(r.age_ms, lifetimes[_i].pause_ms);
	if (r.outcome == MXW_FOUND && !r.is_unverifiable) {
		ck_assert(r.settings.is_internal_only && !r.settings.is_disabled);
		ck_assert_str_eq(r.settings.class, "board");
	}
	ck_assert_int_eq(r.is_unverifiable, lifetimes[_i].first == SAYS_UNVERIFIABLE && r.origin == MXW__ORIGIN_CACHE);
}
END_TEST

static const struct {
	int64_t positive, negative, stale;
	enum answer first;
	mxw_outcome_t outcome; /* when asked again at once, and the source fails */
} switched_off[] = {
	{0, 2 * MINUTE, DAY, SAYS_FOUND, MXW_FOUND},
	{HOUR, 2 * MINUTE, 0, SAYS_FOUND, MXW_FOUND},
	{0, 2 * MINUTE, 0, SAYS_FOUND, MXW_TEMPORARY},
	{HOUR, 0, DAY, SAYS_NOT_FOUND, MXW_TEMPORARY},
	{HOUR, 0, DAY, SAYS_UNVERIFIABLE, MXW_TEMPORARY},
	{0, 0, 0, SAYS_FOUND, MXW_TEMPORARY},
};

START_TEST(a_lifetime_of_0_switches_it_off)
{
	mxw__directories_free(set);
	directory.positive_lifetime_ms = (uint64_t)switched_off[_i].positive;
	directory.negative_lifetime_ms = (uint64_t)switched_off[_i].negative;
	directory.stale_lifetime_ms = (uint64_t)switched_off[_i].stale;
	open_set();
	says(switched_off[_i].first);
	ask("anna");
	says(FAILS);
	ck_assert_int_eq(ask("anna").outcome, switched_off[_i].outcome);
	says(SAYS_NOT_FOUND);
	ask_as("anna", MXW__ASK_SOURCE);
	says(FAILS);
	/* What the source denied is not good any more, kept or not. */
	ck_assert_int_ne(ask("anna").outcome, MXW_FOUND);
}
END_TEST

START_TEST(a_failure_takes_nothing_away)
{
	ask("anna");
	says(FAILS);
	for (int i = 0; i < 50; i++) {
		fake_clock_advance(&fake, 3 * HOUR);
		ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_STALE);
	}
	/* Nor adds anything. */
	fake_clock_advance(&fake, DAY);
	ck_assert_int_eq(ask("anna").outcome, MXW_TEMPORARY);
}
END_TEST

START_TEST(disabled_is_kept_no_longer_than_not_found)
{
	says(SAYS_DISABLED);
	ck_assert(ask("anna").settings.is_disabled);
	says(SAYS_FOUND);
	fake_clock_advance(&fake, MINUTE);
	struct mxw__rcpt_result r = ask("anna");
	ck_assert(r.origin == MXW__ORIGIN_CACHE && r.settings.is_disabled);
	fake_clock_advance(&fake, MINUTE);
	r = ask("anna");
	ck_assert(r.origin == MXW__ORIGIN_LIVE && !r.settings.is_disabled);
	/* With nobody to ask it is known, and known to be old. */
	says(SAYS_DISABLED);
	fake_clock_advance(&fake, HOUR);
	ask("anna");
	says(FAILS);
	fake_clock_advance(&fake, 2 * MINUTE);
	r = ask("anna");
	ck_assert(r.origin == MXW__ORIGIN_STALE && r.settings.is_disabled);
}
END_TEST

START_TEST(can_t_tell_takes_nothing_from_the_known_good)
{
	ask("anna");
	fake_clock_advance(&fake, HOUR);
	says(SAYS_UNVERIFIABLE);
	struct mxw__rcpt_result r = ask("anna");
	ck_assert(r.outcome == MXW_FOUND && r.is_unverifiable);
	says(FAILS);
	r = ask("anna");
	ck_assert(r.outcome == MXW_FOUND && !r.is_unverifiable);
	ck_assert_int_eq(r.origin, MXW__ORIGIN_STALE);
}
END_TEST

START_TEST(the_cache_can_be_passed_by)
{
	ask("anna");
	says(SAYS_NOT_FOUND);
	ck_assert_result(ask_as("anna", MXW__ASK_SOURCE), MXW_NOT_FOUND, MXW__ORIGIN_LIVE);
	/* And learns from it. */
	ck_assert_result(ask("anna"), MXW_NOT_FOUND, MXW__ORIGIN_CACHE);
	says(FAILS);
	ck_assert_result(ask_as("anna", MXW__ASK_SOURCE), MXW_TEMPORARY, MXW__ORIGIN_LIVE);
}
END_TEST

static unsigned ntold, nforgotten;

static void count_told(void *ctx, const struct mxw__rcpt_query *query, const struct mxw__rcpt_result *one)
{
	ntold++;
	nforgotten += one->origin == MXW__ORIGIN_CACHE;
}

START_TEST(forgetting_covers_what_a_recipient_may_be_found_under)
{
	struct mxw__address address = {.text = "anna+x@example.net", .local = "anna+x", .domain = "example.net"};
	struct mxw__rcpt_query query = {.address = &address, .asking = MXW__ASK_FORGET, .told = count_told};
	struct mxw__rcpt_result result;

	ask("anna");
	ask("bert");
	says(SAYS_NOT_FOUND);
	ask("anna+x");
	ntold = nforgotten = 0;
	unsigned asked = atomic_load(&staff.asked);
	mxw__directories_lookup(set, &domain, &query, &result);
	ck_assert_int_eq(result.outcome, MXW_NOT_FOUND);
	ck_assert_uint_ge(ntold, 2);
	ck_assert_uint_eq(nforgotten, 2);
	ck_assert_uint_eq(atomic_load(&staff.asked), asked);
	ck_assert_result(ask("anna"), MXW_NOT_FOUND, MXW__ORIGIN_LIVE);
	ck_assert_result(ask("bert"), MXW_FOUND, MXW__ORIGIN_CACHE);
	ck_assert_uint_eq(mxw__rcpt_cache_clear(cache), 2);
	ck_assert_result(ask("bert"), MXW_NOT_FOUND, MXW__ORIGIN_LIVE);
}
END_TEST

/* ---- in the background ---- */

static bool nobody_waits(void)
{
	return events(MXW__RCPT_REFRESHED) + events(MXW__RCPT_REFRESH_FAILED) > 0;
}

static bool somebody_waits(void)
{
	return atomic_load(&staff.waiting) > 0;
}

START_TEST(a_hit_late_in_its_life_is_asked_again_once)
{
	ask("anna");
	says(WAITS);
	fake_clock_advance(&fake, HOUR / 4 * 3 - 1);
	ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_CACHE);
	fake_clock_advance(&fake, 1);
	for (int i = 0; i < 100; i++)
		ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_CACHE);
	ck_assert(wait_for(somebody_waits));
	ck_assert_uint_eq(atomic_load(&staff.asked), 2);
	atomic_store(&staff.is_released, true);
	ck_assert(wait_for(nobody_waits));
	/* It has begun another life. */
	fake_clock_advance(&fake, HOUR / 2);
	ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_CACHE);
	ck_assert_uint_eq(atomic_load(&staff.asked), 2);
	ck_assert_uint_eq(events(MXW__RCPT_REFRESHED), 1);
}
END_TEST

START_TEST(who_is_gone_is_learned_in_the_background)
{
	ask("anna");
	says(SAYS_NOT_FOUND);
	fake_clock_advance(&fake, HOUR - 1);
	ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_CACHE);
	ck_assert(wait_for(nobody_waits));
	ck_assert_result(ask("anna"), MXW_NOT_FOUND, MXW__ORIGIN_CACHE);
}
END_TEST

START_TEST(that_no_time_was_left_makes_no_source_unwell)
{
	struct mxw__address late = {.text = "late@example.net", .local = "late", .domain = "example.net"};
	struct mxw__rcpt_query query = {.address = &late, .deadline_ms = mxw__now_ms(&fake.clock) + 2 * HOUR};
	struct mxw__rcpt_result result;

	ask("anna");
	fake_clock_advance(&fake, 2 * HOUR);
	says(FAILS);
	mxw__directories_lookup(set, mxw__directories_domain(set, "example.net"), &query, &result);
	ck_assert_int_eq(result.outcome, MXW_TEMPORARY);
	says(SAYS_NOT_FOUND);
	ck_assert_result(ask("anna"), MXW_NOT_FOUND, MXW__ORIGIN_LIVE);
}
END_TEST

START_TEST(while_a_source_fails_nobody_waits_for_who_is_known)
{
	char name[20];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "user%d", i);
		ask(name);
	}
	fake_clock_advance(&fake, 2 * HOUR);
	says(FAILS);
	ck_assert_result(ask("user0"), MXW_FOUND, MXW__ORIGIN_STALE);
	unsigned asked = atomic_load(&staff.asked);
	says(WAITS);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "user%d", i);
		int64_t began = mxw__now_ms(mxw_clock_system());
		ck_assert_result(ask(name), MXW_FOUND, MXW__ORIGIN_STALE);
		/* A question would wait for PATIENCE_MS. */
		ck_assert_int_lt(mxw__now_ms(mxw_clock_system()) - began, PATIENCE_MS / 2);
	}
	/* One probe in the background, since the clock stands still. */
	ck_assert(wait_for(somebody_waits));
	ck_assert_uint_eq(atomic_load(&staff.asked), asked + 1);
	/* It is well again: that is found out in the background, and then asked as ever. */
	says(SAYS_NOT_FOUND);
	atomic_store(&staff.is_released, true);
	ck_assert(wait_for(nobody_waits));
	ck_assert_result(ask("user7"), MXW_NOT_FOUND, MXW__ORIGIN_LIVE);
}
END_TEST

START_TEST(a_set_ends_soon_though_a_server_hangs)
{
	char name[20];

	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof name, "user%d", i);
		ask(name);
	}
	fake_clock_advance(&fake, HOUR - 1);
	says(HANGS);
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof name, "user%d", i);
		ask(name);
	}
	ck_assert(wait_for(somebody_waits));
	int64_t began = mxw__now_ms(mxw_clock_system());
	mxw__directories_free(set);
	set = NULL;
	ck_assert_int_lt(mxw__now_ms(mxw_clock_system()) - began, 6000);
	/* What was waiting may be asked again by the next set. */
	says(SAYS_FOUND);
	open_set();
	uint64_t refreshed = events(MXW__RCPT_REFRESHED) + events(MXW__RCPT_REFRESH_FAILED);
	ask("user29");
	for (int i = 0; i < PATIENCE_MS && events(MXW__RCPT_REFRESHED) + events(MXW__RCPT_REFRESH_FAILED) == refreshed; i++)
		usleep(1000);
	ck_assert_uint_eq(events(MXW__RCPT_REFRESHED) + events(MXW__RCPT_REFRESH_FAILED), refreshed + 1);
}
END_TEST

START_TEST(more_than_can_wait_is_dropped_and_asked_for_at_the_next_hit)
{
	enum { MANY = 700 };
	char name[20];

	/* Room for all of them, so that none has to be asked for live. */
	ck_assert_int_eq(mxw__rcpt_cache_resize(cache, 65536), MXW_OK);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "user%d", i);
		ask(name);
	}
	fake_clock_advance(&fake, HOUR - 1);
	says(WAITS);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "user%d", i);
		ck_assert_result(ask(name), MXW_FOUND, MXW__ORIGIN_CACHE);
	}
	uint64_t dropped = events(MXW__RCPT_REFRESH_DROPPED);
	ck_assert_uint_gt(dropped, 0);
	ck_assert_uint_lt(dropped, MANY);
	/* All that waits is done, and what was dropped is asked for now. */
	says(SAYS_FOUND);
	atomic_store(&staff.is_released, true);
	for (int i = 0; i < PATIENCE_MS && events(MXW__RCPT_REFRESHED) < MANY - dropped; i++)
		usleep(1000);
	ck_assert_uint_eq(events(MXW__RCPT_REFRESHED), MANY - dropped);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "user%d", i);
		ck_assert_result(ask(name), MXW_FOUND, MXW__ORIGIN_CACHE);
	}
	for (int i = 0; i < PATIENCE_MS && events(MXW__RCPT_REFRESHED) < MANY; i++)
		usleep(1000);
	ck_assert_uint_eq(events(MXW__RCPT_REFRESHED), MANY);
}
END_TEST

/* ---- sets ---- */

START_TEST(a_reload_keeps_what_is_known_and_a_changed_directory_does_not_see_it)
{
	ask("anna");
	says(FAILS);
	mxw__directories_free(set);
	open_set();
	ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_CACHE);
	mxw__directories_free(set);
	directory.answers_id = 2;
	open_set();
	ck_assert_int_eq(ask("anna").outcome, MXW_TEMPORARY);
}
END_TEST

static const struct {
	const char *change;
	bool is_other;
} changes[] = {
	{"", false},
	{"positive-lifetime 1m\n", false},
	{"stale-lifetime 1m\n negative-lifetime 0\n", false},
	{"filter \"(mail={addr})\"\n", false},
	{"filter \"(uid={user})\"\n", true},
	{"base dc=y\n", true},
	{"uri ldap://127.0.0.2\n", true},
	{"scope one\n", true},
	{"bind-dn cn=x\n", true},
};

static uint64_t id_of(const char *name, const char *change)
{
	char text[500], *secret = scratch_path(&scratch, "secret");
	mxw_conf_t *c = NULL;
	bool has_base = strstr(change, "base") != NULL, has_dn = strstr(change, "bind-dn") != NULL;

	scratch_replace(secret, "opensesame\n");
	chmod(secret, 0600);
	snprintf(text, sizeof text, "directory %s { type ldap\n uri ldap://127.0.0.1\n %s%s%s%s\n }\n", name,
		 has_base ? "" : "base dc=x\n", change, has_dn ? "bind-password-file " : "", has_dn ? secret : "");
	ck_assert_int_eq(mxw_conf_load_text("test.conf", text, NULL, NULL, &c), MXW_OK);
	uint64_t id = c->directories[0].answers_id;
	mxw_conf_unref(c);
	free(secret);
	return id;
}

START_TEST(settings_that_change_answers_make_another_directory)
{
	uint64_t id = id_of("a", "");

	ck_assert_msg((id_of("b", changes[_i].change) != id) == changes[_i].is_other, "%s", changes[_i].change);
}
END_TEST

/* ---- room ---- */

static const struct mxw__rcpt_lifetimes hour = {HOUR, HOUR, DAY};

static struct mxw__rcpt_cache_key key_of(const char *who, int n)
{
	struct mxw__rcpt_cache_keys keys;
	char text[40];

	snprintf(text, sizeof text, "%s%d@example.net", who, n);
	mxw__rcpt_cache_keys(cache, 7, &keys);
	return mxw__rcpt_cache_key(&keys, text);
}

static void put(const char *who, int n, mxw_outcome_t outcome)
{
	struct mxw__rcpt_result result = {.outcome = outcome};

	mxw__rcpt_cache_put(cache, key_of(who, n), mxw__now_ms(&fake.clock), &hour, &result);
}

static bool is_kept(const char *who, int n)
{
	struct mxw__rcpt_known known;

	return mxw__rcpt_cache_get(cache, key_of(who, n), mxw__now_ms(&fake.clock), &hour, &known) == MXW__RCPT_FRESH;
}

static int count_kept(const char *who, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
		kept += is_kept(who, i);
	return kept;
}

START_TEST(a_flood_of_invented_addresses_pushes_out_no_good_one)
{
	struct mxw__rcpt_cache_stats stats;

	for (int i = 0; i < 400; i++)
		put("user", i, MXW_FOUND);
	int before = count_kept("user", 400);
	/* A set of 16 may have more than its share of the 400, but hardly one or two. */
	ck_assert_int_ge(before, 390);
	for (int i = 0; i < 50000; i++)
		put("invented", i, MXW_NOT_FOUND);
	ck_assert_int_eq(count_kept("user", 400), before);
	mxw__rcpt_cache_get_stats(cache, &stats);
	ck_assert_uint_le(stats.entries, 1024);
	ck_assert_uint_eq(stats.known_good, (uint64_t)before);
	ck_assert_uint_eq(stats.max_entries, 1024);
	/* The newest of the flood are kept, and at most half of the room is theirs. */
	ck_assert_uint_le(stats.entries - stats.known_good, 512);
	ck_assert(is_kept("invented", 49999));
}
END_TEST

START_TEST(a_good_one_takes_the_place_of_a_bad_one_and_then_of_the_oldest)
{
	struct mxw__rcpt_cache_stats stats;

	for (int i = 0; i < 5000; i++)
		put("invented", i, MXW_NOT_FOUND);
	for (int i = 0; i < 20000; i++) {
		put("user", i, MXW_FOUND);
		fake_clock_advance(&fake, 1);
	}
	mxw__rcpt_cache_get_stats(cache, &stats);
	ck_assert_uint_eq(stats.entries, 1024);
	ck_assert_uint_eq(stats.known_good, 1024);
	ck_assert_uint_eq(stats.events[MXW__RCPT_EVICTED], 20000 - 1024);
	ck_assert(is_kept("user", 19999));
	ck_assert_int_eq(count_kept("user", 10000), 0);
}
END_TEST

START_TEST(another_size_keeps_what_fits)
{
	struct mxw__rcpt_cache_stats stats;

	for (int i = 0; i < 400; i++)
		put("user", i, MXW_FOUND);
	int before = count_kept("user", 400);
	ck_assert_int_eq(mxw__rcpt_cache_resize(cache, 100000), MXW_OK);
	ck_assert_int_eq(count_kept("user", 400), before);
	for (int i = 0; i < 30000; i++)
		put("more", i, MXW_FOUND);
	ck_assert_int_ge(count_kept("more", 30000), 29990);
	ck_assert_int_eq(mxw__rcpt_cache_resize(cache, 1024), MXW_OK);
	mxw__rcpt_cache_get_stats(cache, &stats);
	ck_assert_uint_eq(stats.entries, 1024);
	ck_assert_uint_eq(stats.known_good, 1024);
}
END_TEST

/* ---- over a restart ---- */

static void restart(void)
{
	close_all();
	open_all(scratch.dir);
}

START_TEST(what_is_known_outlives_the_process)
{
	close_all();
	open_all(scratch.dir);
	ask("anna");
	says(SAYS_NOT_FOUND);
	ask("nobody");
	says(FAILS);
	fake_clock_advance(&fake, MINUTE);
	restart();
	struct mxw__rcpt_result r = ask("anna");
	ck_assert_result(r, MXW_FOUND, MXW__ORIGIN_CACHE);
	ck_assert_int_eq(r.age_ms, MINUTE);
	ck_assert_str_eq(r.settings.class, "board");
	ck_assert_result(ask("nobody"), MXW_NOT_FOUND, MXW__ORIGIN_CACHE);
	/* The time between counts, by the wall clock: the monotonic one begins anew. */
	close_all();
	atomic_fetch_add(&fake.wall_ms, DAY);
	atomic_store(&fake.mono_ms, 5);
	open_all(scratch.dir);
	r = ask("anna");
	ck_assert_result(r, MXW_FOUND, MXW__ORIGIN_STALE);
	ck_assert_int_eq(r.age_ms, DAY + MINUTE);
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

START_TEST(a_clock_set_back_makes_nothing_fresh_and_takes_no_good_one)
{
	close_all();
	open_all(scratch.dir);
	ask("anna");
	says(SAYS_NOT_FOUND);
	ask("nobody");
	close_all();
	atomic_fetch_sub(&fake.wall_ms, 400 * DAY);
	open_all(scratch.dir);
	says(FAILS);
	ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_STALE);
	ck_assert_int_eq(ask("nobody").outcome, MXW_TEMPORARY);
	says(SAYS_FOUND);
	ck_assert_result(ask_as("anna", MXW__ASK_SOURCE), MXW_FOUND, MXW__ORIGIN_LIVE);
	ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_CACHE);
}
END_TEST

START_TEST(files_are_private_and_hold_no_address)
{
	char *path = scratch_path(&scratch, "recipients.cache"), *key = scratch_path(&scratch, "recipients.key");
	struct stat st;
	char *data;
	size_t len;

	close_all();
	open_all(scratch.dir);
	ask("annabella");
	close_all();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(key, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(mxw__file_read(path, 1 << 20, &data, &len, NULL), MXW_OK);
	ck_assert_ptr_null(memmem(data, len, "annabella", 9));
	ck_assert_ptr_null(memmem(data, len, "example", 7));
	free(data);
	free(path);
	free(key);
}
END_TEST

enum damage { CUT, CUT_HEADER, FLIP_FIRST, FLIP_MIDDLE, FLIP_LAST, LONGER, OTHER_KEY, BAD_KEY, FOREIGN, FOLDER, EMPTY, DAMAGES };

static void damage(enum damage how, const char *path, const char *key)
{
	char *data;
	size_t len;

	ck_assert_int_eq(mxw__file_read(path, 1 << 20, &data, &len, NULL), MXW_OK);
	char *more = realloc(data, len + 10);
	ck_assert_ptr_nonnull(more);
	memset(more + len, 0, 10);
	more[how == FLIP_FIRST ? 30 : how == FLIP_MIDDLE ? len / 2 : len - 1] ^=
		(char)(how == FLIP_FIRST || how == FLIP_MIDDLE || how == FLIP_LAST ? 1 : 0);
	scratch_write(path, more, how == CUT ? len / 2 : how == CUT_HEADER ? 20 : how == LONGER ? len + 10 : how == EMPTY ? 0 : len);
	free(more);
	if (how == OTHER_KEY)
		ck_assert_int_eq(unlink(key), 0);
	if (how == BAD_KEY)
		scratch_write(key, "short", 5);
	if (how == FOREIGN)
		scratch_write(path, "anna@example.net\nbert@example.net and so on, longer than a header\n", 65);
	if (how == FOLDER) {
		ck_assert_int_eq(unlink(path), 0);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
}

START_TEST(a_damaged_file_is_set_aside_and_the_cache_begins_empty)
{
	char *path = scratch_path(&scratch, "recipients.cache"), *key = scratch_path(&scratch, "recipients.key");
	char *bad = scratch_path(&scratch, _i == BAD_KEY ? "recipients.key.bad" : "recipients.cache.bad");
	struct mxw__rcpt_cache_stats stats;
	char name[20];

	close_all();
	open_all(scratch.dir);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "user%d", i);
		ask(name);
	}
	close_all();
	damage((enum damage)_i, path, key);
	open_all(scratch.dir);
	mxw__rcpt_cache_get_stats(cache, &stats);
	ck_assert_uint_eq(stats.entries, 0);
	ck_assert_int_eq(access(bad, F_OK), 0);
	ck_assert(notices_have(&notices, "it is set aside, and the cache begins empty"));
	/* And it goes on from there. */
	notices_clear(&notices);
	ask("anna");
	restart();
	ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_CACHE);
	ck_assert_uint_eq(notices_count(&notices), 0);
	free(path);
	free(key);
	free(bad);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_told_once)
{
	char *temporary = scratch_path(&scratch, "recipients.cache.new"), *inside = scratch_path(&scratch, "recipients.cache.new/x");

	close_all();
	open_all(scratch.dir);
	/* Not even root can write where a folder is. */
	ck_assert_int_eq(mkdir(temporary, 0700), 0);
	scratch_write(inside, "", 0);
	for (int i = 0; i < 3; i++) {
		char name[20];
		snprintf(name, sizeof name, "user%d", i);
		ask(name);
		mxw__rcpt_keeper_save_soon(keeper);
		for (int k = 0; k < PATIENCE_MS && notices_count(&notices) == 0; k++)
			usleep(1000);
	}
	ck_assert_result(ask("user1"), MXW_FOUND, MXW__ORIGIN_CACHE);
	close_all();
	ck_assert_uint_eq(notices_count(&notices), 1);
	ck_assert(notices_have(&notices, "can't be written"));
	ck_assert_int_eq(unlink(inside), 0);
	ck_assert_int_eq(rmdir(temporary), 0);
	open_all(scratch.dir);
	free(temporary);
	free(inside);
}
END_TEST

START_TEST(a_look_beside_a_daemon_writes_nothing)
{
	char *path = scratch_path(&scratch, "recipients.cache"), *key = scratch_path(&scratch, "recipients.key");
	struct mxw__rcpt_keeper_env env = {.state_dir = scratch.dir, .is_read_only = true, .clock = &fake.clock,
		.notice = notices_take, .notice_ctx = &notices, .max_entries = 1024, .save_interval_ms = HOUR};
	struct stat before, after;

	/* Where nothing was kept. */
	close_all();
	ck_assert_int_eq(mxw__rcpt_keeper_new(&env, &keeper), MXW_OK);
	cache = mxw__rcpt_keeper_cache(keeper);
	open_set();
	ask("anna");
	close_all();
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_ne(access(key, F_OK), 0);
	/* And where something is. */
	open_all(scratch.dir);
	ask("anna");
	close_all();
	ck_assert_int_eq(stat(path, &before), 0);
	ck_assert_int_eq(mxw__rcpt_keeper_new(&env, &keeper), MXW_OK);
	cache = mxw__rcpt_keeper_cache(keeper);
	open_set();
	ck_assert_result(ask("anna"), MXW_FOUND, MXW__ORIGIN_CACHE);
	ask("bert");
	close_all();
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	open_all(NULL);
	free(path);
	free(key);
}
END_TEST

/* ---- many at once ---- */

static atomic_bool is_over;

static void *ask_around(void *arg)
{
	unsigned n = *(unsigned *)arg;
	char name[20];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof name, "user%u", (i * 7 + n) % 97);
		mxw_outcome_t outcome = ask(name).outcome;
		ck_assert(outcome == MXW_FOUND || outcome == MXW_NOT_FOUND || outcome == MXW_TEMPORARY);
		if (i % 61 == 0)
			fake_clock_advance(&fake, 5 * MINUTE);
		if (i % 97 == 0)
			says((enum answer)((i + n) % 4));
		if (i % 501 == 0)
			ask_as(name, MXW__ASK_FORGET);
	}
	return NULL;
}

static void *disturb(void *arg)
{
	struct mxw__rcpt_cache_stats stats;

	while (!atomic_load(&is_over)) {
		mxw__rcpt_keeper_configure(keeper, 2048, HOUR);
		mxw__rcpt_cache_get_stats(cache, &stats);
		mxw__rcpt_keeper_save_soon(keeper);
		usleep(2000);
		mxw__rcpt_keeper_configure(keeper, 1024, HOUR);
		mxw__rcpt_cache_clear(cache);
		usleep(2000);
	}
	return NULL;
}

START_TEST(threads_ask_while_it_is_resized_saved_and_cleared)
{
	pthread_t threads[5];
	unsigned numbers[4] = {0, 1, 2, 3};

	close_all();
	open_all(scratch.dir);
	atomic_store(&is_over, false);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_around, &numbers[i]), 0);
	ck_assert_int_eq(pthread_create(&threads[4], NULL, disturb, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&is_over, true);
	pthread_join(threads[4], NULL);
	ck_assert_uint_eq(notices_count(&notices), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recipient cache");
	TCase *tc = tcase_create("kept");
	TCase *disk = tcase_create("disk");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, an_answer_is_good_for_its_time, 0, MXW_ARRAY_LEN(lifetimes));
	tcase_add_loop_test(tc, a_lifetime_of_0_switches_it_off, 0, MXW_ARRAY_LEN(switched_off));
	tcase_add_test(tc, a_failure_takes_nothing_away);
	tcase_add_test(tc, can_t_tell_takes_nothing_from_the_known_good);
	tcase_add_test(tc, disabled_is_kept_no_longer_than_not_found);
	tcase_add_test(tc, the_cache_can_be_passed_by);
	tcase_add_test(tc, forgetting_covers_what_a_recipient_may_be_found_under);
	tcase_add_test(tc, a_hit_late_in_its_life_is_asked_again_once);
	tcase_add_test(tc, who_is_gone_is_learned_in_the_background);
	tcase_add_test(tc, while_a_source_fails_nobody_waits_for_who_is_known);
	tcase_add_test(tc, that_no_time_was_left_makes_no_source_unwell);
	tcase_add_test(tc, a_set_ends_soon_though_a_server_hangs);
	tcase_add_test(tc, more_than_can_wait_is_dropped_and_asked_for_at_the_next_hit);
	tcase_add_test(tc, a_reload_keeps_what_is_known_and_a_changed_directory_does_not_see_it);
	tcase_add_loop_test(tc, settings_that_change_answers_make_another_directory, 0, MXW_ARRAY_LEN(changes));
	tcase_add_test(tc, a_flood_of_invented_addresses_pushes_out_no_good_one);
	tcase_add_test(tc, a_good_one_takes_the_place_of_a_bad_one_and_then_of_the_oldest);
	tcase_add_test(tc, another_size_keeps_what_fits);
	suite_add_tcase(s, tc);

	tcase_add_checked_fixture(disk, set_up, tear_down);
	tcase_set_timeout(disk, 120);
	tcase_add_test(disk, what_is_known_outlives_the_process);
	tcase_add_test(disk, a_clock_set_back_makes_nothing_fresh_and_takes_no_good_one);
	tcase_add_test(disk, files_are_private_and_hold_no_address);
	tcase_add_loop_test(disk, a_damaged_file_is_set_aside_and_the_cache_begins_empty, 0, DAMAGES);
	tcase_add_test(disk, a_file_that_cannot_be_written_is_told_once);
	tcase_add_test(disk, a_look_beside_a_daemon_writes_nothing);
	tcase_add_test(disk, threads_ask_while_it_is_resized_saved_and_cleared);
	suite_add_tcase(s, disk);
	return run_suite(s);
}
