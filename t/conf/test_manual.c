/* SPDX-License-Identifier: BSD-2-Clause */
/* mxward.conf(5) has every option, fact and default rule there is, and none that there is not; README shows what is logged. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/conf/conf.h"
#include "src/policy/facts.h"
#include "src/session/engine.h"
#include "t/fakes/fake_clock.h"
#include "t/fakes/fake_resolver.h"
#include "t/fakes/scratch.h"
#include "t/fakes/suite.h"

enum { ITEMS_MAX = 400 };

/* One ".It Cm name" or ".It Ic name" with what follows it up to the next item. */
struct item {
	char heading[40];    /* .Sh */
	char section[40];    /* of the file, from "The NAME section" */
	char name[60];
	char text[4000];     /* words, separated by single blanks */
	bool is_known;
};

static struct item items[ITEMS_MAX];
static size_t nitems;
static char *page;

/* Appends the words of a line, without macros and roff's escapes. */
static void add_text(struct item *item, const char *line)
{
	size_t len = strlen(item->text);

	for (; *line; line++) {
		if (*line == '\\' && line[1] == '&') {
			line++;
			continue;
		}
		if (len + 1 < sizeof item->text)
			item->text[len++] = *line;
	}
	if (len + 1 < sizeof item->text)
		item->text[len++] = ' ';
	item->text[len] = '\0';
}

static void new_item(const char *heading, const char *section, const char *line)
{
	ck_assert_uint_lt(nitems, ITEMS_MAX);
	struct item *item = &items[nitems++];
	memset(item, 0, sizeof *item);
	snprintf(item->heading, sizeof item->heading, "%.39s", heading);
	snprintf(item->section, sizeof item->section, "%.39s", section);
	snprintf(item->name, sizeof item->name, "%.*s", (int)strcspn(line + 7, " "), line + 7);
	add_text(item, line);
}

static void read_line(const char *line)
{
	static char heading[80], section[80];

	if (strncmp(line, ".Sh ", 4) == 0) {
		snprintf(heading, sizeof heading, "%.70s", line + 4);
	} else if (strncmp(line, ".Ss ", 4) == 0) {
		if (sscanf(line, ".Ss The %39s section", section) != 1)
			section[0] = '\0';
	} else if (strncmp(line, ".It Cm ", 7) == 0 || strncmp(line, ".It Ic ", 7) == 0) {
		new_item(heading, section, line);
	} else if (strncmp(line, ".El", 3) != 0 && nitems) {
		add_text(&items[nitems - 1], line);
	}
}

static void setup(void)
{
	struct mxw_error err;
	char *copy, *save = NULL;
	size_t len;

	mxw_status_t status = mxw__file_read(MXW_TESTDATA "/../man/mxward.conf.5", 1 << 20, &page, &len, &err);
	ck_assert_msg(status == MXW_OK, "%s", err.text);
	copy = strdup(page);
	ck_assert_ptr_nonnull(copy);
	nitems = 0;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		read_line(line);
	free(copy);
}

static void teardown(void)
{
	free(page);
}

static struct item *find_item(const char *heading, const char *section, const char *name)
{
	for (size_t i = 0; i < nitems; i++)
		if (strcmp(items[i].heading, heading) == 0 && strcmp(items[i].section, section) == 0 &&
		    strcmp(items[i].name, name) == 0)
			return &items[i];
	return NULL;
}

/* Each item of a heading stands for something. */
static void assert_all_known(const char *heading)
{
	for (size_t i = 0; i < nitems; i++)
		if (strcmp(items[i].heading, heading) == 0)
			ck_assert_msg(items[i].is_known, "the page has '%s' in '%s %s', the program has not", items[i].name,
				      heading, items[i].section);
}

static void check_option(void *ctx, const char *section, const char *option, const char *deflt)
{
	struct item *item = find_item("OPTIONS", section, option);

	(void)ctx;
	ck_assert_msg(item, "the page lacks option '%s' of section '%s'", option, section);
	ck_assert_msg(!item->is_known, "the page has '%s' twice", option);
	item->is_known = true;
	/* Paths depend on how the package was built. */
	if (!deflt || !deflt[0] || deflt[0] == '/' || strncmp(deflt, "unix:", 5) == 0)
		return;
	const char *at = strstr(item->text, "Default");
	ck_assert_msg(at && strstr(at, deflt), "the page does not say that the default of '%s' is '%s'", option, deflt);
}

START_TEST(the_page_has_every_option_with_its_default_and_no_other)
{
	mxw_conf_each_option(check_option, NULL);
	assert_all_known("OPTIONS");
}
END_TEST

START_TEST(the_page_has_every_fact_with_stage_and_words_and_no_other)
{
	for (mxw_fact_id_t id = 0; id < mxw_fact_count(); id++) {
		const struct mxw_fact_info *info = mxw_fact_info(id);
		struct item *item = find_item("FACTS", "", info->name);
		char words[200], *save = NULL;

		ck_assert_msg(item, "the page lacks fact '%s'", info->name);
		item->is_known = true;
		ck_assert_msg(strstr(item->text, mxw_stage_name(info->stage)), "the page lacks the stage of '%s'", info->name);
		snprintf(words, sizeof words, "%s", info->words ? info->words : "");
		for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
			ck_assert_msg(strstr(item->text, w), "the page lacks '%s = %s'", info->name, w);
	}
	assert_all_known("FACTS");
}
END_TEST

static void complain(void *ctx, const struct mxw_error *error)
{
	/* The files of the examples are not on this machine. */
	if (strstr(error->text, "/etc/mxward/") || strstr(error->text, ": No such file or directory"))
		return;
	fprintf(stderr, "%s:%u:%u: %s\n", error->file, error->line, error->column, error->text);
	++*(unsigned *)ctx;
}

START_TEST(the_page_has_every_default_rule_and_no_other)
{
	char *text = NULL, *save = NULL, name[65];
	mxw_conf_t *conf = NULL;
	unsigned n = 0, rules = 0;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(mxw_conf_load_text("empty", "", complain, &n, &conf), MXW_OK);
	ck_assert_int_eq(mxw_conf_dump(conf, out), MXW_OK);
	fclose(out);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "rule %64s", name) != 1)
			continue;
		struct item *item = find_item("DEFAULT RULES", "", name);
		ck_assert_msg(item, "the page lacks the default rule '%s'", name);
		item->is_known = true;
		rules++;
	}
	ck_assert_uint_gt(rules, 5);
	assert_all_known("DEFAULT RULES");
	mxw_conf_unref(conf);
	free(text);
}
END_TEST

START_TEST(the_examples_of_the_page_are_good)
{
	char *examples = strstr(page, ".Sh EXAMPLES"), *save = NULL;
	struct mxw__buf text;
	mxw_conf_t *conf = NULL;
	unsigned complaints = 0;
	bool is_literal = false;

	ck_assert_ptr_nonnull(examples);
	mxw__buf_init(&text, 1 << 16);
	for (char *line = strtok_r(examples, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, ".Bd -literal", 12) == 0)
			is_literal = true;
		else if (strcmp(line, ".Ed") == 0)
			is_literal = false;
		else if (is_literal)
			mxw__buf_addf(&text, "%s\n", line);
	}
	ck_assert_uint_gt(text.len, 500);
	mxw_conf_load_text("example", mxw__buf_str(&text), complain, &complaints, &conf);
	ck_assert_uint_eq(complaints, 0);
	mxw_conf_unref(conf);
	mxw__buf_fini(&text);
}
END_TEST

/* ---- README ---- */

static char *last_line;

static void keep_line(MXW_UNUSED void *ctx, MXW_UNUSED mxw_level_t level, const char *line)
{
	if (strncmp(line, "event=message ", 14) != 0)
		return;
	free(last_line);
	last_line = strdup(line);
}

/* The session of the example: a stranger who writes as a bank that says who may. */
static void speak(mxw_engine_t *engine)
{
	struct mxw_connect_info info = {0};
	struct mxw_verdict v;
	const struct mxw_edit *edits;
	size_t nedits;
	mxw_session_t *s;

	ck_assert_int_eq(mxw_session_new(engine, &s), MXW_OK);
	ck_assert_int_eq(mxw_ip_parse("203.0.113.66", &info.client), MXW_OK);
	mxw_session_connect(s, &info, &v);
	mxw_session_helo(s, "host.stranger.example", &v);
	mxw_session_mail(s, &(struct mxw_mail_info){.sender = "<service@bank.example>", .queue_id = "CF35310A4C8"}, &v);
	mxw_session_rcpt(s, &(struct mxw_rcpt_info){.rcpt = "<anna@example.net>"}, &v);
	mxw_session_data(s, &v);
	mxw_session_header(s, "From", " Bank <service@bank.example>");
	mxw_session_end_of_headers(s);
	mxw_session_body(s, (const unsigned char *)"Click here.\r\n", 13);
	mxw_session_eom(s, &v, &edits, &nedits);
	mxw_session_free(s);
}

static void log_the_example(void)
{
	static const char dns[] = "bank.example TXT \"v=spf1 -all\"\nbank.example MX 10 mx.bank.example\nmx.bank.example A 9.9.9.9\n";
	struct fake_clock clock;
	struct scratch scratch;
	struct mxw__buf text;
	mxw_conf_t *conf;
	mxw_engine_t *engine;

	fake_clock_init(&clock);
	scratch_init(&scratch);
	fake_resolver_t *resolver = fake_resolver_new(&clock);
	fake_resolver_script(resolver, dns);
	struct mxw_engine_options options = {
		.size = sizeof options, .clock = &clock.clock, .resolver = &resolver->resolver, .log = keep_line};
	char *people = scratch_path(&scratch, "people");
	scratch_replace(people, "anna@example.net\n");
	mxw__buf_init(&text, 1000);
	mxw__buf_addf(&text, "directory people { type file\n path %s }\ndomain example.net { recipients people }\n", people);
	ck_assert_int_eq(mxw_conf_load_text("test", mxw__buf_str(&text), NULL, NULL, &conf), MXW_OK);
	ck_assert_int_eq(mxw_engine_new(conf, &options, &engine, NULL), MXW_OK);
	mxw_conf_unref(conf);
	speak(engine);
	mxw_engine_free(engine);
	mxw_resolver_unref(&resolver->resolver);
	mxw__buf_fini(&text);
	free(people);
	scratch_fini(&scratch);
}

/* What differs each time, and where the line is broken, does not count. */
static void normalize(char *line)
{
	static const char *const varying[] = {" session=", " size=", " time-ms="};
	char *to = line;

	for (const char *from = line; *from; from++) {
		bool is_blank = *from == ' ' || *from == '\n';
		if (!is_blank || (to > line && to[-1] != ' '))
			*to++ = is_blank ? ' ' : *from;
	}
	while (to > line && to[-1] == ' ')
		to--;
	*to = '\0';
	for (size_t i = 0; i < MXW_ARRAY_LEN(varying); i++) {
		char *value = strstr(line, varying[i]);
		if (!value)
			continue;
		value += strlen(varying[i]);
		size_t len = strcspn(value, " ");
		memmove(value, value + len, strlen(value + len) + 1);
	}
}

START_TEST(the_log_line_of_the_readme_is_what_is_logged)
{
	struct mxw_error err;
	char *readme;
	size_t len;

	mxw_status_t status = mxw__file_read(MXW_TESTDATA "/../README", 1 << 20, &readme, &len, &err);
	ck_assert_msg(status == MXW_OK, "%s", err.text);
	char *example = strstr(readme, "    event=message "), *end = example ? strstr(example, "\n\n") : NULL;
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	log_the_example();
	ck_assert_ptr_nonnull(last_line);
	normalize(example);
	normalize(last_line);
	ck_assert_str_eq(example, last_line);
	free(last_line);
	free(readme);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("manual");
	TCase *tc = tcase_create("manual");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_page_has_every_option_with_its_default_and_no_other);
	tcase_add_test(tc, the_page_has_every_fact_with_stage_and_words_and_no_other);
	tcase_add_test(tc, the_page_has_every_default_rule_and_no_other);
	tcase_add_test(tc, the_examples_of_the_page_are_good);
	tcase_add_test(tc, the_log_line_of_the_readme_is_what_is_logged);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
