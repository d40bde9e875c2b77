/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sections there are: before any is read, those that stand in the wrong place are told, and put right. */
#include "config.h"

#include <string.h>

#include "src/conf/build.h"

size_t mxw__count_args(const struct mxw__node *node)
{
	size_t n = 0;

	for (const struct mxw__arg *arg = node->args; arg; arg = arg->next)
		n++;
	return n;
}

static const struct mxw__section *find_section(const char *name)
{
	for (size_t s = 1; name && s < MXW__SECTION_COUNT; s++)
		if (strcmp(mxw__sections[s].name, name) == 0)
			return &mxw__sections[s];
	return NULL;
}

/* Takes the sections out of `outer` and puts them behind it. */
static void lift_sections(struct mxw__build *b, struct mxw__node *outer)
{
	struct mxw__node *after = outer, **link = &outer->first;
	bool is_told = false;

	outer->last = NULL;
	while (*link) {
		struct mxw__node *node = *link;
		if (!node->is_section || !find_section(node->name)) {
			outer->last = node;
			link = &node->next;
			continue;
		}
		if (!is_told)
			mxw__complain(b->values.complaints, &node->pos,
				      "section '%s' inside of section '%s'; '}' was expected before it", node->name, outer->name);
		is_told = true;
		*link = node->next;
		node->next = after->next;
		after->next = node;
		after = node;
	}
}

/* No section stands in another: where one does, a '}' was forgotten, and what follows is read as it was meant. */
static void unnest_sections(struct mxw__build *b)
{
	for (struct mxw__node *node = b->root->first; node; node = node->next) {
		if (node->is_section)
			lift_sections(b, node);
		if (!node->next)
			b->root->last = node;
	}
}

/* Sections and entries that do not exist, or have the wrong number of names. */
static void check_top_level(struct mxw__build *b)
{
	for (const struct mxw__node *node = b->root->first; node; node = node->next) {
		const struct mxw__section *section = find_section(node->name);
		if (!node->name)
			continue;
		if (!section) {
			bool is_option = false;
			for (size_t i = 0; i < mxw__sections[MXW__SECTION_TOP].noptions; i++)
				is_option |= strcmp(mxw__sections[MXW__SECTION_TOP].options[i].name, node->name) == 0;
			if (node->is_section && is_option)
				mxw__complain(b->values.complaints, &node->pos, "'%s' is no section; a value was expected",
					      node->name);
			else if (node->is_section)
				mxw__complain_unknown_key(b->values.complaints, &mxw__sections[MXW__SECTION_TOP], node);
			continue;
		}
		size_t n = mxw__count_args(node);
		if (!node->is_section)
			continue;
		if (n < section->min_args || n > section->max_args)
			mxw__complain(b->values.complaints, &node->pos, "section '%s' takes %s before its '{'", node->name,
				      section->args ? section->args : "nothing");
	}
}

void mxw__check_sections(struct mxw__build *b)
{
	unnest_sections(b);
	check_top_level(b);
}
