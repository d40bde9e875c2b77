/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of lists, and of limits, in the conditions of rules. */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "src/conf/build.h"

/* Facts whose values are names of lists, of results that lists give, or of limits. */
typedef enum mxw__list_names { NAMES_OF_DNSBLS, NAMES_OF_RESULTS, NAMES_OF_LISTS, NAMES_OF_LIMITS } mxw__list_names_t;
static const struct {
	const char *fact;
	mxw__list_names_t names;
} list_facts[] = {
	{"client.dnsbl", NAMES_OF_DNSBLS}, {"client.dnsbl.result", NAMES_OF_RESULTS}, {"client.list", NAMES_OF_LISTS},
	{"iprev.dnsbl", NAMES_OF_DNSBLS}, {"iprev.dnsbl.result", NAMES_OF_RESULTS}, {"helo.list", NAMES_OF_LISTS},
	{"helo.dnsbl", NAMES_OF_DNSBLS}, {"helo.dnsbl.result", NAMES_OF_RESULTS}, {"sender.list", NAMES_OF_LISTS},
	{"sender.dnsbl", NAMES_OF_DNSBLS}, {"sender.dnsbl.result", NAMES_OF_RESULTS},
	{"origin.dnsbl", NAMES_OF_DNSBLS}, {"origin.dnsbl.result", NAMES_OF_RESULTS},
	{"connection.over-limit", NAMES_OF_LIMITS}, {"message.over-limit", NAMES_OF_LIMITS},
};
static const struct {
	const char *section, *form;
} list_words[] = {
	[NAMES_OF_DNSBLS] = {"dnsbl", "a section 'dnsbl NAME { ... }'"},
	[NAMES_OF_RESULTS] = {"result", "LIST:NAME, by a row 'result CODE NAME' of the section dnsbl LIST,"},
	[NAMES_OF_LISTS] = {"list", "a section 'list NAME { ... }'"},
	[NAMES_OF_LIMITS] = {"limit", "a row 'limit NAME ...' of the section rates"},
};

/* The name that is looked for, and the nearest that there is. */
struct name_search {
	const char *text, *near;
	unsigned best;
	bool is_found;
};

static void try_name(struct name_search *search, const char *name)
{
	search->is_found |= mxw__ascii_casecmp(name, search->text) == 0;
	if (name[0] && mxw__name_is_nearer(search->text, name, &search->best))
		search->near = name;
}

static void search_names(const struct mxw_conf *conf, mxw__list_names_t names, struct name_search *search)
{
	for (size_t i = 0; names == NAMES_OF_LISTS && i < conf->nlists; i++)
		try_name(search, conf->lists[i].name);
	for (size_t i = 0; names == NAMES_OF_DNSBLS && i < conf->ndnsbls; i++)
		try_name(search, conf->dnsbls[i].name);
	for (size_t i = 0; names == NAMES_OF_LIMITS && i < conf->rates.nlimits; i++)
		try_name(search, conf->rates.limits[i].name);
	for (size_t i = 0; names == NAMES_OF_RESULTS && i < conf->ndnsbls; i++)
		for (size_t r = 0; r < conf->dnsbls[i].nresults; r++)
			try_name(search, conf->dnsbls[i].results[r].value);
}

static bool check_name(struct mxw__build *b, const struct mxw__arg *arg, mxw__list_names_t names)
{
	struct name_search search = {.text = arg->text, .best = UINT_MAX};

	/* Default rules go by these, and stand in every dump, whether there are such lists or not. */
	if (names == NAMES_OF_LISTS && (strcmp(arg->text, "block") == 0 || strcmp(arg->text, "allow") == 0))
		return true;
	search_names(b->conf, names, &search);
	if (search.is_found)
		return true;
	if (search.near)
		mxw__complain(b->values.complaints, &arg->pos, "there is no %s '%s'; did you mean '%s'?",
			      list_words[names].section, arg->text, search.near);
	else
		mxw__complain(b->values.complaints, &arg->pos, "there is no %s '%s'; %s was expected", list_words[names].section,
			      arg->text, list_words[names].form);
	return false;
}

bool mxw__check_list_names(struct mxw__build *b, const struct mxw__cond *cond)
{
	bool ok = true;

	for (size_t i = 0; cond->op != MXW__OP_MATCHES && i < MXW_ARRAY_LEN(list_facts); i++)
		if (strcmp(cond->fact->text, list_facts[i].fact) == 0)
			for (const struct mxw__arg *arg = cond->values; arg; arg = arg->next)
				ok &= check_name(b, arg, list_facts[i].names);
	return ok;
}
