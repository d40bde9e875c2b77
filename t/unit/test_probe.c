/* SPDX-License-Identifier: BSD-2-Clause */
/* Which domains are ours, and under which addresses a recipient is looked for: a source writes down what it is asked. */
#include "config.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/directory/set.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/notices.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

#define BUECHER_A "xn--bcher-kva.example"
#define BUECHER_U "b\xc3\xbc" "cher.example"
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Answers by the text of the address; what is not named is not found. */
static struct fake_source {
	const char *found, *temporary, *unverifiable, *absent, *old;
	char asked[8192];
	unsigned n;
} fake_source;

static struct scratch scratch;
static struct fake_clock fake;
static struct notices notices;
static mxw__arena_t *arena;
static char *file;

static void set_up(void)
{
	scratch_init(&scratch);
	fake_clock_init(&fake);
	notices_init(&notices);
	arena = mxw__arena_new(65536);
	fake_source = (struct fake_source){0};
	file = scratch_path(&scratch, "file");
	scratch_replace(file, "");
}

static void tear_down(void)
{
	free(file);
	mxw__arena_free(arena);
	notices_fini(&notices);
	scratch_fini(&scratch);
}

static bool is_text(const char *given, const struct mxw__address *a)
{
	return given && (strcmp(given, "*") == 0 || strcmp(given, a->text) == 0);
}

static void fake_lookup(void *self, const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	struct fake_source *source = self;
	const struct mxw__address *a = query->address;

	ck_assert_int_eq(query->deadline_ms, 12345);
	size_t len = strlen(source->asked);
	snprintf(source->asked + len, sizeof source->asked - len, "%s%s", len ? " | " : "", a->text);
	source->n++;
	mxw__rcpt_answer(ret_result, MXW_NOT_FOUND);
	if (is_text(source->found, a) || is_text(source->unverifiable, a)) {
		mxw__rcpt_answer(ret_result, MXW_FOUND);
		ret_result->is_unverifiable = is_text(source->unverifiable, a);
	} else if (is_text(source->temporary, a) || is_text(source->absent, a) || is_text(source->old, a)) {
		mxw__rcpt_answerf(ret_result, MXW_TEMPORARY, "slow");
		ret_result->copy = is_text(source->absent, a) ? MXW__COPY_ABSENT :
				   is_text(source->old, a) ? MXW__COPY_OLD : MXW__COPY_NONE;
	}
}

static void fake_close(void *self)
{
}

static const struct mxw__directory_ops fake_ops = {.type = "fake", .lookup = fake_lookup, .close = fake_close};

static const char *const names[] = {"example.net", BUECHER_A, "[192.0.2.1]", "[ipv6:2001:db8::1]"};
static const char *const hosts[] = {"mx1.example.net", "*.hosts.example", "[192.0.2.2]", "xn--99999999.example"};
static const size_t first[] = {0};

struct site {
	struct mxw__directory_conf directory;
	struct mxw__domain_conf domains[2];
	struct mxw_conf conf;
	mxw__directories_t *set;
};

static void site_init(struct site *site)
{
	static const char *const other[] = {"other.example"};

	*site = (struct site){
		.directory = {.name = "one", .type = MXW__DIRECTORY_FILE, .path = file},
		.domains = {
			{.names = {MXW_ARRAY_LEN(names), names}, .hosts = {MXW_ARRAY_LEN(hosts), hosts}, .nrecipients = 1,
			 .recipients = first, .delimiters = "+"},
			{.names = {1, other}, .nrecipients = 1, .recipients = first, .delimiters = "+-",
			 .postmaster = MXW__POSTMASTER_LOOK_UP, .catch_all = true},
		},
		.conf = {.ndirectories = 1, .ndomains = 2},
	};
	site->conf.directories = &site->directory;
	site->conf.domains = site->domains;
}

/* Opens the set, and puts the fake in the place of the source. */
static void site_open(struct site *site)
{
	struct mxw__directories_env env = {.clock = &fake.clock, .notice = notices_take, .notice_ctx = &notices};
	struct mxw_error err;

	ck_assert_int_eq(mxw__directories_new(&site->conf, &env, &site->set, &err), MXW_OK);
	struct mxw__opened *source = &site->set->sources[0];
	source->ops->close(source->self);
	source->ops = &fake_ops;
	source->self = &fake_source;
}

static struct mxw__rcpt_result look_up(const struct site *site, const char *path)
{
	struct mxw__address a;
	const struct mxw__domain_conf *domain;
	struct mxw__rcpt_result result;

	ck_assert_int_eq(mxw__address_parse(arena, path, &a), MXW_OK);
	ck_assert_int_eq(mxw__directories_domain_of(site->set, &a, &domain), MXW_FOUND);
	mxw__directories_lookup(site->set, domain, &(struct mxw__rcpt_query){.address = &a, .deadline_ms = 12345}, &result);
	return result;
}

/* ---- probes ---- */

static const struct {
	const char *name, *path, *asked;
} unknown[] = {
	{"plain", "<anna@example.net>", "anna@example.net"},
	{"domain in capitals", "<anna@Example.NET.>", "anna@example.net"},
	{"capitals", "<Anna@example.net>", "anna@example.net | Anna@example.net"},
	{"detail", "<anna+x@example.net>", "anna+x@example.net | anna@example.net"},
	{"only the first delimiter counts", "<a+b+c@example.net>", "a+b+c@example.net | a@example.net"},
	{"an empty detail", "<anna+@example.net>", "anna+@example.net | anna@example.net"},
	{"a delimiter in front is none", "<+anna@example.net>", "+anna@example.net"},
	{"another delimiter is none here", "<anna-x@example.net>", "anna-x@example.net"},
	{"capitals and detail", "<Anna+X@example.net>",
	 "anna+x@example.net | Anna+X@example.net | anna@example.net | Anna@example.net"},
	{"capitals in the detail only", "<anna+X@example.net>",
	 "anna+x@example.net | anna+X@example.net | anna@example.net"},
	{"A-label", "<anna@" BUECHER_A ">", "anna@" BUECHER_A " | anna@" BUECHER_U},
	{"U-label", "<anna@" BUECHER_U ">", "anna@" BUECHER_A " | anna@" BUECHER_U},
	{"U-label in capitals, decomposed", "<anna@BU\xcc\x88" "CHER.example>", "anna@" BUECHER_A " | anna@" BUECHER_U},
	{"everything", "<A+b@" BUECHER_U ">",
	 "a+b@" BUECHER_A " | A+b@" BUECHER_A " | a+b@" BUECHER_U " | A+b@" BUECHER_U " | "
	 "a@" BUECHER_A " | A@" BUECHER_A " | a@" BUECHER_U " | A@" BUECHER_U},
	{"UTF-8, decomposed", "<j\x75\xcc\x88rgen@example.net>",
	 "j\xc3\xbcrgen@example.net | j\x75\xcc\x88rgen@example.net"},
	{"no UTF-8", "<j\xfcrgen@example.net>", "j\xfcrgen@example.net"},
	{"quotes for nothing", "<\"anna\"@example.net>", "anna@example.net"},
	{"quoted blank", "<\"a b\"@example.net>", "\"a b\"@example.net | a b@example.net"},
	{"quoted at", "<\"a@b\"@example.net>", "\"a@b\"@example.net | a@b@example.net"},
	{"quoted capitals", "<\"A b\"@example.net>",
	 "\"a b\"@example.net | \"A b\"@example.net | a b@example.net | A b@example.net"},
	{"what has quotes in it is asked for in quotes only", "<\"\\\"a b\\\"\"@example.net>", "\"\\\"a b\\\"\"@example.net"},
	{"quoted detail", "<\"a+b c\"@example.net>", "\"a+b c\"@example.net | a+b c@example.net | a@example.net"},
	{"literal", "<anna@[192.0.2.1]>", "anna@[192.0.2.1]"},
	{"literal, IPv6", "<anna@[IPv6:2001:DB8:0::1]>", "anna@[ipv6:2001:db8::1]"},
	{"host", "<anna@mx1.example.net>", "anna@example.net"},
	{"host by a wildcard", "<Anna@a.b.Hosts.example>", "anna@example.net | Anna@example.net"},
	{"host by a literal", "<anna@[192.0.2.2]>", "anna@example.net"},
	{"host in A-labels that are none", "<anna@xn--99999999.example>", "anna@example.net"},
	{"catch-all", "<anna@other.example>", "anna@other.example | @other.example"},
	{"catch-all comes last", "<a-b@other.example>", "a-b@other.example | a@other.example | @other.example"},
	{"postmaster, if looked up", "<postmaster@other.example>", "postmaster@other.example | @other.example"},
	{"nobody is like postmaster", "<postmasters@example.net>", "postmasters@example.net"},
	{"metacharacters are only characters", "<\"*)(mail=*\"@example.net>",
	 "\"*)(mail=*\"@example.net | *)(mail=*@example.net"},
};

START_TEST(an_unknown_recipient_has_been_looked_for_everywhere)
{
	struct site site;

	site_init(&site);
	site_open(&site);
	struct mxw__rcpt_result result = look_up(&site, unknown[_i].path);
	ck_assert_msg(strcmp(fake_source.asked, unknown[_i].asked) == 0, "%s: %s instead of %s", unknown[_i].name,
		      fake_source.asked, unknown[_i].asked);
	ck_assert_int_eq(result.outcome, MXW_NOT_FOUND);
	ck_assert_str_eq(result.source, "one");
	mxw__directories_free(site.set);
}
END_TEST

static const struct {
	const char *name, *path;
	struct fake_source source;
	unsigned asked;
	mxw_outcome_t outcome;
	bool is_unverifiable;
	mxw__rcpt_copy_t copy;
} answers[] = {
	{"the first answer is the last question", "<A+b@" BUECHER_U ">", {.found = "a+b@" BUECHER_A}, 1, MXW_FOUND, false, 0},
	{"as it was written", "<A+b@" BUECHER_U ">", {.found = "A+b@" BUECHER_A}, 2, MXW_FOUND, false, 0},
	{"U-labels", "<A+b@" BUECHER_U ">", {.found = "a+b@" BUECHER_U}, 3, MXW_FOUND, false, 0},
	{"without detail", "<A+b@" BUECHER_U ">", {.found = "a@" BUECHER_A}, 5, MXW_FOUND, false, 0},
	{"catch-all", "<a-b@other.example>", {.found = "@other.example"}, 3, MXW_FOUND, false, 0},
	{"no catch-all where none was asked for", "<a@example.net>", {.found = "@example.net"}, 1, MXW_NOT_FOUND, false, 0},
	{"unquoted in the directory", "<\"a b\"@example.net>", {.found = "a b@example.net"}, 2, MXW_FOUND, false, 0},
	{"a failure of the first", "<a+b@example.net>", {.temporary = "a+b@example.net"}, 2, MXW_TEMPORARY, false, 0},
	{"a failure of a later one", "<a+b@example.net>", {.temporary = "a@example.net"}, 2, MXW_TEMPORARY, false, 0},
	{"found after a failure", "<a+b@example.net>", {.temporary = "a+b@example.net", .found = "a@example.net"}, 2,
	 MXW_FOUND, false, 0},
	{"who can't tell ends it", "<a+b@example.net>", {.unverifiable = "*"}, 1, MXW_FOUND, true, 0},
	{"who can't tell does not make up for a failure", "<a+b@example.net>",
	 {.temporary = "a+b@example.net", .unverifiable = "a@example.net"}, 2, MXW_TEMPORARY, false, 0},
	{"absent from the copy", "<a+b@example.net>", {.absent = "*"}, 2, MXW_TEMPORARY, false, MXW__COPY_ABSENT},
	{"absent, and not there", "<a+b@example.net>", {.absent = "a+b@example.net"}, 2, MXW_TEMPORARY, false,
	 MXW__COPY_ABSENT},
	{"absent, and an old copy", "<a+b@example.net>", {.absent = "a+b@example.net", .old = "a@example.net"}, 2,
	 MXW_TEMPORARY, false, MXW__COPY_OLD},
	{"an old copy, and absent", "<a+b@example.net>", {.absent = "a@example.net", .old = "a+b@example.net"}, 2,
	 MXW_TEMPORARY, false, MXW__COPY_OLD},
	{"absent, and no copy", "<a+b@example.net>", {.absent = "a+b@example.net", .temporary = "a@example.net"}, 2,
	 MXW_TEMPORARY, false, MXW__COPY_NONE},
	{"no copy, and absent", "<a+b@example.net>", {.absent = "a@example.net", .temporary = "a+b@example.net"}, 2,
	 MXW_TEMPORARY, false, MXW__COPY_NONE},
};

START_TEST(the_first_that_is_found_decides_and_a_failure_is_no_answer)
{
	struct site site;

	site_init(&site);
	site_open(&site);
	fake_source = answers[_i].source;
	struct mxw__rcpt_result result = look_up(&site, answers[_i].path);
	ck_assert_msg(result.outcome == answers[_i].outcome && fake_source.n == answers[_i].asked &&
		      result.is_unverifiable == answers[_i].is_unverifiable && result.copy == answers[_i].copy,
		      "%s: outcome %d, %u questions, copy %d", answers[_i].name, (int)result.outcome, fake_source.n,
		      (int)result.copy);
	mxw__directories_free(site.set);
}
END_TEST

START_TEST(questions_are_few_whatever_is_sent)
{
	struct site site;
	static const char *const bucher[] = {BUECHER_A};

	site_init(&site);
	site.domains[1].names = (struct mxw__strings){1, bucher};
	site.domains[0].names.n = 1;
	site_open(&site);
	/* Quotes, capitals, U-labels, detail and catch-all at once. */
	look_up(&site, "<\"A B+C D-" A50 A50 "+@\"@" BUECHER_U ">");
	ck_assert_uint_eq(fake_source.n, 18);
	mxw__directories_free(site.set);
}
END_TEST

/* A source that goes by the local part and the domain in A-labels is not asked for the same ones again. */
START_TEST(a_source_that_takes_no_notice_of_spelling_is_asked_once_for_each)
{
	static const struct mxw__directory_ops by_parts = {.type = "fake", .lookup = fake_lookup, .close = fake_close,
							   .ignores_text = true};
	struct site site;

	site_init(&site);
	site_open(&site);
	site.set->sources[0].ops = &by_parts;
	struct mxw__rcpt_result result = look_up(&site, "<\"a+B c\"@" BUECHER_U ">");
	ck_assert_str_eq(fake_source.asked, "\"a+b c\"@" BUECHER_A " | \"a+B c\"@" BUECHER_A " | a@" BUECHER_A);
	ck_assert_int_eq(result.outcome, MXW_NOT_FOUND);
	ck_assert_str_eq(result.source, "one");
	mxw__directories_free(site.set);
}
END_TEST

static const struct {
	const char *path;
	bool is_accepted;
} roles[] = {
	{"<postmaster@example.net>", true}, {"<PostMaster@mx1.example.net>", true}, {"<abuse@[192.0.2.1]>", true},
	{"<\"postmaster\"@example.net>", true}, {"<postmaster+x@example.net>", true}, {"<Abuse+@example.net>", true},
	{"<postmaster>", true}, {"<POSTMASTER>", true},
	{"<postmaster-x@example.net>", false}, {"<postmaste@example.net>", false}, {"<abuse@other.example>", false},
	{"<abuses@example.net>", false},
};

START_TEST(postmaster_and_abuse_are_known_without_asking)
{
	struct site site;

	site_init(&site);
	site_open(&site);
	struct mxw__rcpt_result result = look_up(&site, roles[_i].path);
	ck_assert_int_eq(result.outcome, roles[_i].is_accepted ? MXW_FOUND : MXW_NOT_FOUND);
	ck_assert_int_eq(fake_source.n > 0, !roles[_i].is_accepted);
	ck_assert_str_eq(result.source, roles[_i].is_accepted ? "postmaster" : "one");
	mxw__directories_free(site.set);
}
END_TEST

START_TEST(a_local_part_alone_is_not_ours_but_for_postmaster)
{
	struct site site;
	struct mxw__address a;
	const struct mxw__domain_conf *domain;

	site_init(&site);
	site_open(&site);
	ck_assert_int_eq(mxw__address_parse(arena, "<anna>", &a), MXW_OK);
	ck_assert_int_eq(mxw__directories_domain_of(site.set, &a, &domain), MXW_NOT_FOUND);
	ck_assert_ptr_null(domain);
	site.domains[0].postmaster = MXW__POSTMASTER_LOOK_UP;
	ck_assert_int_eq(mxw__address_parse(arena, "<postmaster>", &a), MXW_OK);
	ck_assert_int_eq(mxw__directories_domain_of(site.set, &a, &domain), MXW_NOT_FOUND);
	mxw__directories_free(site.set);
}
END_TEST

/* ---- domains ---- */

static const struct {
	const char *domain;
	int section; /* -1: not ours */
	bool is_host, has_name;
} ours[] = {
	{"example.net", 0, false, true}, {BUECHER_A, 0, false, true}, {"[192.0.2.1]", 0, false, true},
	{"mx1.example.net", 0, true, true}, {"[192.0.2.2]", 0, true, true}, {"a.hosts.example", 0, true, false},
	{"a.b.hosts.example", 0, true, false}, {"other.example", 1, false, true},
	{"hosts.example", -1, false, false}, {"mx2.example.net", -1, false, false}, {"net", -1, false, false},
	{"", -1, false, false}, {".hosts.example", -1, false, false},
	{"xhosts.example", -1, false, false}, {"[192.0.2.3]", -1, false, false},
	/* from files */
	{"files.example", 1, false, true}, {"xn--mller-kva.example", 1, false, true}, {"a.files.example", -1, false, false},
	{"host.example", 1, true, true}, {"x.below.example", 1, true, false}, {"below.example", -1, false, false},
	{"y.dotted.example", 1, true, false}, {"[ipv6:2001:db8::9]", 1, true, true},
	/* what is named wins over what is below a name, and sections win over files */
	{"named.hosts.example", 1, false, true},
	{"second.example", 1, false, true}, {"#", -1, false, false}, {"relay:", -1, false, false},
};

static const char *const domains_file =
	"# relay_domains\n"
	"files.example\tOK\n"
	"M\xc3\xbcller.example. RELAY\r\n"
	"\n"
	"  second.example  # a comment\n"
	"named.hosts.example\n"
	"example.net  # in a section, too\n"
	"not/a/domain\n"
	"relay:host.example\n";
static const char *const hosts_file =
	"host.example\n"
	"*.below.example x\n"
	".dotted.example\n"
	"[IPv6:2001:DB8::9]\n";

static void open_with_files(struct site *site, const char *const *domains_path, const char *const *hosts_path)
{
	site_init(site);
	site->domains[1].domains_files = (struct mxw__strings){1, domains_path};
	site->domains[1].hosts_files = (struct mxw__strings){1, hosts_path};
	site_open(site);
}

START_TEST(a_name_is_ours_by_section_file_or_wildcard)
{
	struct site site;
	struct mxw__domain_match match;
	const char *path1 = scratch_path(&scratch, "domains"), *path2 = scratch_path(&scratch, "hosts");

	scratch_replace(path1, domains_file);
	scratch_replace(path2, hosts_file);
	open_with_files(&site, &path1, &path2);
	ck_assert(notices_have(&notices, "domain other.example: "));
	for (size_t i = 0; i < MXW_ARRAY_LEN(ours); i++) {
		mxw_outcome_t outcome = mxw__directories_match(site.set, ours[i].domain, &match);
		mxw_outcome_t expected = ours[i].section < 0 ? MXW_NOT_FOUND : MXW_FOUND;
		ck_assert_msg(outcome == expected, "%s: outcome %d", ours[i].domain,
			      (int)outcome);
		ck_assert_msg(match.conf == (ours[i].section < 0 ? NULL : &site.domains[ours[i].section]), "%s", ours[i].domain);
		ck_assert_msg(match.is_host == ours[i].is_host, "%s", ours[i].domain);
		ck_assert_msg(mxw__directories_has_name(site.set, ours[i].domain) == ours[i].has_name, "%s", ours[i].domain);
	}
	look_up(&site, "<x@host.example>");
	look_up(&site, "<x@files.example>");
	ck_assert_str_eq(fake_source.asked, "x@other.example | @other.example | x@files.example | @files.example");
	mxw__directories_free(site.set);
	free((char *)(uintptr_t)path1);
	free((char *)(uintptr_t)path2);
}
END_TEST

START_TEST(lists_of_domains_are_read_again_and_outlive_their_files)
{
	struct site site;
	struct mxw__domain_match match;
	const char *path1 = scratch_path(&scratch, "domains"), *path2 = scratch_path(&scratch, "hosts");

	scratch_replace(path1, "one.example\n");
	open_with_files(&site, &path1, &path2);
	/* The other was never there: it may have the name, but what is elsewhere is found. */
	ck_assert_int_eq(mxw__directories_match(site.set, "one.example", &match), MXW_FOUND);
	ck_assert_int_eq(mxw__directories_match(site.set, "a.hosts.example", &match), MXW_FOUND);
	ck_assert_ptr_eq(match.conf, &site.domains[0]);
	ck_assert_int_eq(mxw__directories_match(site.set, "two.example", &match), MXW_TEMPORARY);
	ck_assert_ptr_eq(match.conf, &site.domains[1]);
	ck_assert_ptr_null(mxw__directories_domain(site.set, "two.example"));
	scratch_replace(path2, "\n");
	scratch_replace(path1, "two.example\n");
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(mxw__directories_match(site.set, "two.example", &match), MXW_FOUND);
	ck_assert_int_eq(mxw__directories_match(site.set, "one.example", &match), MXW_NOT_FOUND);
	ck_assert_int_eq(remove(path1), 0);
	fake_clock_advance(&fake, 1000);
	ck_assert_int_eq(mxw__directories_match(site.set, "two.example", &match), MXW_FOUND);
	mxw__directories_free(site.set);
	free((char *)(uintptr_t)path1);
	free((char *)(uintptr_t)path2);
}
END_TEST

struct asker {
	mxw__directories_t *set;
	atomic_bool stop;
	atomic_uint asked, wrong;
};

static void *ask_on(void *arg)
{
	struct asker *asker = arg;

	for (unsigned i = 0; !atomic_load(&asker->stop); i++) {
		bool ok = mxw__directories_domain(asker->set, "always.example") &&
			  mxw__directories_domain(asker->set, "a.below.example") &&
			  mxw__directories_domain(asker->set, "example.net") &&
			  !mxw__directories_domain(asker->set, "never.example");
		atomic_fetch_add(&asker->wrong, !ok);
		atomic_fetch_add(&asker->asked, 1);
		fake_clock_advance(&fake, 100);
	}
	return NULL;
}

START_TEST(threads_ask_for_names_while_their_lists_are_replaced)
{
	struct site site;
	struct asker asker = {.set = NULL};
	pthread_t threads[3];
	char text[100];
	const char *path1 = scratch_path(&scratch, "domains"), *path2 = scratch_path(&scratch, "hosts");

	scratch_replace(path1, "always.example\n");
	scratch_replace(path2, "*.below.example\n");
	open_with_files(&site, &path1, &path2);
	asker.set = site.set;
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_on, &asker), 0);
	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof text, "other%d.example\nalways.example\n", i);
		scratch_replace(path1, text);
		snprintf(text, sizeof text, "*.below.example\nother%d.example\n", i);
		scratch_replace(path2, text);
	}
	while (atomic_load(&asker.asked) < 500)
		sched_yield();
	atomic_store(&asker.stop, true);
	for (size_t i = 0; i < MXW_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(atomic_load(&asker.wrong), 0);
	mxw__directories_free(site.set);
	free((char *)(uintptr_t)path1);
	free((char *)(uintptr_t)path2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("probe");
	TCase *probes = tcase_create("probes");
	TCase *domains = tcase_create("domains");

	tcase_add_checked_fixture(probes, set_up, tear_down);
	tcase_add_loop_test(probes, an_unknown_recipient_has_been_looked_for_everywhere, 0, MXW_ARRAY_LEN(unknown));
	tcase_add_loop_test(probes, the_first_that_is_found_decides_and_a_failure_is_no_answer, 0, MXW_ARRAY_LEN(answers));
	tcase_add_test(probes, questions_are_few_whatever_is_sent);
	tcase_add_test(probes, a_source_that_takes_no_notice_of_spelling_is_asked_once_for_each);
	tcase_add_loop_test(probes, postmaster_and_abuse_are_known_without_asking, 0, MXW_ARRAY_LEN(roles));
	tcase_add_test(probes, a_local_part_alone_is_not_ours_but_for_postmaster);
	suite_add_tcase(s, probes);
	tcase_add_checked_fixture(domains, set_up, tear_down);
	tcase_add_test(domains, a_name_is_ours_by_section_file_or_wildcard);
	tcase_add_test(domains, threads_ask_for_names_while_their_lists_are_replaced);
	tcase_add_test(domains, lists_of_domains_are_read_again_and_outlive_their_files);
	suite_add_tcase(s, domains);
	return run_suite(s);
}
