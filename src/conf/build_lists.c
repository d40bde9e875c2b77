/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections of lists: those in the DNS, and those that the postmaster keeps. */
#include "config.h"

#include <string.h>

#include "src/conf/build.h"
#include "src/lists/file.h"

enum { OPTIONS_MAX = 96 };

/* 127.0.1 is where the largest list of domains has its codes, and 127.0.1.255 says that it was asked for an address. */
#define DOMAIN_CODES "127.0.0.2-127.0.0.254 127.0.1.2-127.0.1.254"

/* ---- in the DNS ---- */

/* One row: CODE[-CODE] NAME [POINTS]. */
static bool read_result(struct mxw__build *b, const struct mxw__node *node, const struct mxw__dnsbl_conf *l, struct mxw__dnsbl_result *r)
{
	struct mxw__complaints *complaints = b->values.complaints;
	const struct mxw__arg *code = node->args, *name = code ? code->next : NULL, *points = name ? name->next : NULL;

	if (!name || (points && points->next)) {
		mxw__complain(complaints, &node->pos, "result CODE[-CODE] NAME [POINTS] was expected");
		return false;
	}
	*r = (struct mxw__dnsbl_result){.name = name->text};
	if (!mxw__check_dnsbl_codes(complaints, code) || !mxw__check_name(complaints, name) ||
	    (points && !mxw__check_dnsbl_points(complaints, points)))
		return false;
	mxw__dnsbl_range_parse(code->text, &r->range);
	if (points)
		mxw__dnsbl_points_parse(points->text, &r->points);
	r->value = mxw__arena_printf(b->values.arena, "%s:%s", l->name, r->name);
	b->values.out_of_memory |= !r->value;
	return r->value;
}

static void read_results(struct mxw__build *b, const struct mxw__node *body, struct mxw__dnsbl_conf *l)
{
	struct mxw__dnsbl_result *results = mxw__build_alloc(b, MXW__DNSBL_RESULTS_MAX, sizeof *results);

	l->results = results;
	for (const struct mxw__node *node = body->first; results && node; node = node->next) {
		if (!node->name || node->is_section || strcmp(node->name, "result") != 0)
			continue;
		if (l->nresults == MXW__DNSBL_RESULTS_MAX) {
			mxw__complain(b->values.complaints, &node->pos, "more than %d results of one list", MXW__DNSBL_RESULTS_MAX);
			return;
		}
		l->nresults += read_result(b, node, l, &results[l->nresults]);
	}
}

static bool is_word(const char *text)
{
	return mxw__ascii_casecmp(text, "yes") == 0 || mxw__ascii_casecmp(text, "no") == 0;
}

/* yes | no | LISTED [NOT-LISTED] */
static void settle_test_points(struct mxw__build *b, const struct mxw__pos *pos, struct mxw__dnsbl_conf *l)
{
	const struct mxw__strings *v = &l->test_points;
	bool is_one_word = v->n == 1 && is_word(v->v[0]), has_word = false;

	l->check_test_points = !is_one_word || mxw__ascii_casecmp(v->v[0], "yes") == 0;
	for (size_t i = 0; i < v->n; i++)
		has_word |= is_word(v->v[i]);
	if (is_one_word || v->n == 0)
		return;
	if (has_word || v->n > 2) {
		mxw__complain(b->values.complaints, pos, "'test-points' takes yes, no, or a name that the list has and perhaps one that it lacks");
	} else if (l->kind != MXW__DNSBL_OF_DOMAINS) {
		mxw__complain(b->values.complaints, pos, "a list of addresses has the test points of all such lists; yes or no was expected");
	} else {
		l->test_listed = v->v[0];
		l->test_unlisted = v->n > 1 ? v->v[1] : NULL;
	}
}

static void settle_points(struct mxw__dnsbl_conf *l)
{
	mxw__dnsbl_points_parse(l->points_text, &l->points);
	l->least_points = l->points;
	for (size_t i = 0; i < l->nresults; i++)
		if (l->results[i].points < l->least_points)
			l->least_points = l->results[i].points;
}

static void read_dnsbl(struct mxw__build *b, struct mxw__node *node, struct mxw__dnsbl_conf *l)
{
	struct mxw__pos pos[OPTIONS_MAX];

	*l = (struct mxw__dnsbl_conf){.name = node->args ? node->args->text : "", .pos = node->pos};
	if (node->args)
		mxw__check_name(b->values.complaints, node->args);
	mxw__values_read(&b->values, &mxw__sections[MXW__SECTION_DNSBL], &node, 1, l, pos);
	if (!pos[0].file && !mxw__is_broken(node))
		mxw__complain(b->values.complaints, &node->pos, "a dnsbl needs 'zone': the domain in which the list is");
	const struct mxw__section *section = &mxw__sections[MXW__SECTION_DNSBL];
	if (l->kind == MXW__DNSBL_OF_DOMAINS && !mxw__option_pos(section, pos, "codes")->file)
		mxw__values_set_default(&b->values, section, mxw__option_find(section, "codes"), DOMAIN_CODES, l);
	struct mxw__dnsbl_range *ranges = mxw__build_alloc(b, l->codes.n, sizeof *ranges);
	l->ranges = ranges;
	for (size_t i = 0; ranges && i < l->codes.n; i++)
		if (mxw__dnsbl_range_parse(l->codes.v[i], &ranges[l->nranges]))
			l->nranges++;
	read_results(b, node, l);
	settle_points(l);
	settle_test_points(b, mxw__option_pos(section, pos, "test-points"), l);
}

static void read_dnsbls(struct mxw__build *b)
{
	size_t n = mxw__count_sections(b, MXW__SECTION_DNSBL), k = 0;
	struct mxw__dnsbl_conf *list = mxw__build_alloc(b, n, sizeof *list);

	for (struct mxw__node *node = b->root->first; list && node; node = node->next) {
		if (!mxw__is_section(node, MXW__SECTION_DNSBL))
			continue;
		if (k == MXW__DNSBLS_MAX) {
			mxw__complain(b->values.complaints, &node->pos, "more than %d sections dnsbl", MXW__DNSBLS_MAX);
			break;
		}
		read_dnsbl(b, node, &list[k++]);
		for (size_t i = 0; i + 1 < k && node->args; i++)
			if (strcmp(list[i].name, list[k - 1].name) == 0)
				mxw__complain(b->values.complaints, &node->args->pos, "there is a dnsbl '%s' already, at %s:%u",
					      list[i].name, list[i].pos.file, list[i].pos.line);
	}
	b->conf->dnsbls = list;
	b->conf->ndnsbls = list ? k : 0;
}

/* ---- kept here ---- */

struct lines {
	struct mxw__complaints *complaints;
	const char *file;
};

static void warn_of_line(void *ctx, unsigned line, const char *what)
{
	const struct lines *lines = ctx;
	struct mxw__pos pos = {lines->file, line, 1};

	mxw__warn(lines->complaints, &pos, "%s; the line is ignored", what);
}

static void read_list(struct mxw__build *b, struct mxw__node *node, struct mxw__list_conf *l)
{
	struct mxw__pos pos[OPTIONS_MAX];

	*l = (struct mxw__list_conf){.name = node->args ? node->args->text : "", .pos = node->pos};
	if (node->args)
		mxw__check_name(b->values.complaints, node->args);
	mxw__values_read(&b->values, &mxw__sections[MXW__SECTION_LIST], &node, 1, l, pos);
	struct lines lines = {b->values.complaints, l->file};
	if (l->file[0])
		mxw__list_file_check(l, warn_of_line, &lines);
}

static void read_lists(struct mxw__build *b)
{
	size_t n = mxw__count_sections(b, MXW__SECTION_LIST), k = 0;
	struct mxw__list_conf *list = mxw__build_alloc(b, n, sizeof *list);

	for (struct mxw__node *node = b->root->first; list && node; node = node->next) {
		if (!mxw__is_section(node, MXW__SECTION_LIST))
			continue;
		if (k == MXW__LISTS_MAX) {
			mxw__complain(b->values.complaints, &node->pos, "more than %d sections list", MXW__LISTS_MAX);
			break;
		}
		read_list(b, node, &list[k++]);
		for (size_t i = 0; i + 1 < k && node->args; i++)
			if (strcmp(list[i].name, list[k - 1].name) == 0)
				mxw__complain(b->values.complaints, &node->args->pos, "there is a list '%s' already, at %s:%u",
					      list[i].name, list[i].pos.file, list[i].pos.line);
	}
	b->conf->lists = list;
	b->conf->nlists = list ? k : 0;
}

void mxw__build_lists(struct mxw__build *b)
{
	read_dnsbls(b);
	read_lists(b);
}
