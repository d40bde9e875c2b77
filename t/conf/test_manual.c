/* SPDX-License-Identifier: BSD-2-Clause */
/* mxward.conf(5) has every option, fact and default rule there is, and none that there is not. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/conf/conf.h"
#include "src/policy/facts.h"
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

int main(void)
{
	Suite *s = suite_create("manual");
	TCase *tc = tcase_create("manual");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_page_has_every_option_with_its_default_and_no_other);
	tcase_add_test(tc, the_page_has_every_fact_with_stage_and_words_and_no_other);
	tcase_add_test(tc, the_page_has_every_default_rule_and_no_other);
	tcase_add_test(tc, the_examples_of_the_page_are_good);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
