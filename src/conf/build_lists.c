/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections of lists: those in the DNS, and those that the postmaster keeps. */
#include "config.h"

#include <string.h>

#include "src/conf/build.h"
#include "src/lists/file.h"

enum { OPTIONS_MAX = 96 };

/* ---- in the DNS ---- */

static void read_dnsbl(struct mxw__build *b, struct mxw__node *node, struct mxw__dnsbl_conf *l)
{
	struct mxw__pos pos[OPTIONS_MAX];

	*l = (struct mxw__dnsbl_conf){.name = node->args ? node->args->text : "", .pos = node->pos};
	if (node->args)
		mxw__check_name(b->values.complaints, node->args);
	mxw__values_read(&b->values, &mxw__sections[MXW__SECTION_DNSBL], &node, 1, l, pos);
	if (!pos[0].file && !mxw__is_broken(node))
		mxw__complain(b->values.complaints, &node->pos, "a dnsbl needs 'zone': the domain in which the list is");
	struct mxw__dnsbl_range *ranges = mxw__build_alloc(b, l->codes.n, sizeof *ranges);
	l->ranges = ranges;
	for (size_t i = 0; ranges && i < l->codes.n; i++)
		if (mxw__dnsbl_range_parse(l->codes.v[i], &ranges[l->nranges]))
			l->nranges++;
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
