/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of keys: finding them, and what to say of those that do not exist. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "src/conf/schema.h"

const struct mxw__option *mxw__option_find(const struct mxw__section *section, const char *name)
{
	for (size_t i = 0; i < section->noptions; i++)
		if (strcmp(section->options[i].name, name) == 0)
			return &section->options[i];
	return NULL;
}

static const char *nearest_key(const struct mxw__section *section, const char *name)
{
	const char *near = NULL;
	unsigned best = UINT_MAX;

	for (size_t i = 0; i < section->noptions; i++)
		if (mxw__name_is_nearer(name, section->options[i].name, &best))
			near = section->options[i].name;
	if (section->name[0])
		return near;
	for (size_t s = 1; s < MXW__SECTION_COUNT; s++)
		if (mxw__name_is_nearer(name, mxw__sections[s].name, &best))
			near = mxw__sections[s].name;
	return near;
}

static const char *owner_of_key(const struct mxw__section *section, const char *name)
{
	for (size_t s = 0; s < MXW__SECTION_COUNT; s++)
		if (&mxw__sections[s] != section && mxw__option_find(&mxw__sections[s], name))
			return mxw__sections[s].name;
	return NULL;
}

/* A short section lists what it has. */
static void complain_no_hint(struct mxw__complaints *complaints, const struct mxw__section *section,
			     const struct mxw__node *node, const char *what, const char *where)
{
	struct mxw__buf buf;

	mxw__buf_init(&buf, 200);
	for (size_t i = 0; section->noptions <= 10 && i < section->noptions; i++)
		mxw__buf_addf(&buf, "%s%s", i ? ", " : "", section->options[i].name);
	mxw__complain(complaints, &node->pos, buf.len ? "unknown %s '%s'%s; one of these was expected: %s" :
		      "unknown %s '%s'%s; mxward.conf(5) lists them all%s", what, node->name, where, mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
}

void mxw__complain_unknown_key(struct mxw__complaints *complaints, const struct mxw__section *section,
			       const struct mxw__node *node)
{
	const char *what = node->is_section ? "section" : "key";
	const char *near = nearest_key(section, node->name), *owner = owner_of_key(section, node->name);
	char where[64] = "";

	if (section->name[0])
		snprintf(where, sizeof where, " in section '%s'", section->name);
	if (near)
		mxw__complain(complaints, &node->pos, "unknown %s '%s'%s; did you mean '%s'?", what, node->name, where, near);
	else if (owner && !node->is_section)
		mxw__complain(complaints, &node->pos, "unknown key '%s'%s; it belongs %s%s%s", node->name, where,
			      owner[0] ? "into section '" : "to the top level", owner, owner[0] ? "'" : "");
	else
		complain_no_hint(complaints, section, node, what, where);
}
