/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Under which addresses a recipient is looked for, in this order, each one once:
 *
 *     1. in the form for comparison: local part in lower case, domain in A-labels;
 *     2. as it was written: a store may tell upper from lower case;
 *     3. both with the domain in U-labels, if it has any;
 *     4. if the local part needs quotes, all of these with the local part as it is inside of the quotes: RFC 4524
 *        wants "john smith"@example.net in a directory, and many have it without;
 *     5. all of these without the detail, which begins at the first delimiter, as Postfix and sendmail have it;
 *     6. @domain, in A-labels and U-labels, where the domain section says catch-all.
 *
 * That makes 18 at the most, and one or two for nearly every recipient there is.
 * A recipient of a host is looked for in the first domain of its section. Not found needs every one of them to be not found.
 * Nearly all look-ups end with the first, which is the address as mxw__address_parse() left it.
 */
#include "config.h"

#include <string.h>

#include "src/directory/set.h"

/* A look-up under way. */
struct search {
	mxw__directories_t *directories;
	const struct mxw__domain_conf *domain;
	const struct mxw__rcpt_query *query;
	const char *ascii, *utf8; /* the domain; the same pointer if it has no U-labels */
	unsigned nasked;
	struct mxw__rcpt_result all;
};

static const char *or_else(const char *s, const char *other)
{
	return s ? s : other;
}

static bool is_failure(const struct mxw__rcpt_result *result)
{
	return result->outcome == MXW_TEMPORARY || result->outcome == MXW_MISCONFIGURED;
}

/* What the copies say of a recipient: "not there" holds only if it holds for each address that could not be asked for. */
static mxw__rcpt_copy_t merge_copies(const struct mxw__rcpt_result *a, const struct mxw__rcpt_result *b)
{
	if (!is_failure(a) || !is_failure(b))
		return is_failure(a) ? a->copy : b->copy;
	if (a->copy == MXW__COPY_NONE || b->copy == MXW__COPY_NONE)
		return MXW__COPY_NONE;
	return a->copy > b->copy ? a->copy : b->copy;
}

/* Adds the answer for one address. True: it is found, or refused, and that is the end. */
static bool ask(struct search *s, const struct mxw__address *address, bool is_respelt)
{
	struct mxw__rcpt_query query = *s->query;
	struct mxw__rcpt_result one;

	query.address = address;
	query.is_respelt = is_respelt;
	mxw__directories_ask(s->directories, s->domain, &query, &one);
	if (s->nasked++ == 0) {
		s->all = one;
	} else {
		mxw__rcpt_copy_t copy = merge_copies(&s->all, &one);
		mxw__rcpt_merge(&s->all, &one);
		if (is_failure(&s->all))
			s->all.copy = copy;
	}
	return s->all.outcome == MXW_FOUND || one.is_refused;
}

/*
 * The postmaster's names, with a detail or without one. RFC 5321 section 4.5.1 and RFC 2142: who has to complain must be
 * able to.
 */
static bool is_role(const struct mxw__domain_conf *domain, const char *local)
{
	static const char *const names[] = {"postmaster", "abuse"};

	for (size_t i = 0; i < MXW_ARRAY_LEN(names); i++) {
		size_t len = strlen(names[i]);
		if (mxw__ascii_ncasecmp(local, names[i], len) == 0 &&
		    (!local[len] || (domain->delimiters && strchr(domain->delimiters, local[len]))))
			return true;
	}
	return false;
}

/* local@domain with the local part as it is, or "@domain" for an empty one. */
static bool write_bare(char *out, size_t size, const char *local, const char *domain)
{
	size_t len = strlen(local), dlen = strlen(domain);

	if (len + 1 + dlen >= size)
		return false;
	memcpy(out, local, len);
	out[len] = '@';
	memcpy(out + len + 1, domain, dlen + 1);
	return true;
}

/* Asks for one spelling of the local part at one spelling of the domain. */
static bool ask_text(struct search *s, const char *local, const char *domain, bool is_bare)
{
	char text[MXW__ADDRESS_MAX + 1];
	struct mxw__address a = *s->query->address;

	if (!(is_bare ? write_bare(text, sizeof text, local, domain) :
			mxw__address_write(text, sizeof text, local, domain)))
		return false;
	a.text = a.key_text = text;
	a.local = a.key_local = local;
	a.domain = s->ascii;
	a.domain_utf8 = s->utf8;
	return ask(s, &a, domain != s->ascii || (is_bare && *local));
}

/* All spellings of a local part. */
static bool ask_spellings(struct search *s, const char *key, const char *written, bool is_first_asked)
{
	bool is_same = strcmp(key, written) == 0;
	/* With a quote or backslash in it, the text without quotes could be taken for another local part in quotes. */
	unsigned nforms = mxw__local_is_plain(key) || strpbrk(key, "\"\\") ? 1 : 2;

	for (unsigned form = 0; form < nforms; form++) {
		for (unsigned u = 0; u < (s->utf8 != s->ascii ? 2u : 1u); u++) {
			const char *domain = u ? s->utf8 : s->ascii;
			if (!(is_first_asked && form == 0 && u == 0) && ask_text(s, key, domain, form == 1))
				return true;
			if (!is_same && ask_text(s, written, domain, form == 1))
				return true;
		}
	}
	return false;
}

/* The length of a local part without its detail; 0 if it has none. Its first octet begins no detail. */
static size_t base_len(const struct mxw__domain_conf *domain, const char *local)
{
	size_t len = domain->delimiters && *local ? 1 + strcspn(local + 1, domain->delimiters) : 0;

	return len && local[len] ? len : 0;
}

static bool ask_without_detail(struct search *s, const char *key, const char *written)
{
	char key_base[MXW__LOCAL_MAX + 1], written_base[MXW__LOCAL_MAX + 1];
	size_t key_len = base_len(s->domain, key), written_len = base_len(s->domain, written);

	/* A letter in lower case is no delimiter: both have one or none. */
	if (!key_len || !written_len || key_len > MXW__LOCAL_MAX || written_len > MXW__LOCAL_MAX)
		return false;
	memcpy(key_base, key, key_len);
	key_base[key_len] = '\0';
	memcpy(written_base, written, written_len);
	written_base[written_len] = '\0';
	return ask_spellings(s, key_base, written_base, false);
}

/* Where the recipients of this name are looked for: in its own domain, or for a host in the section's first. */
static const char *home_of(const struct search *s, const char *name)
{
	const struct mxw__domain_conf *domain = s->domain;
	struct mxw__domain_match match;

	if (domain->hosts.n == 0 && domain->hosts_files.n == 0)
		return name;
	for (size_t i = 0; i < domain->names.n; i++)
		if (strcmp(name, domain->names.v[i]) == 0)
			return name;
	bool is_domain = mxw__directories_match(s->directories, name, &match) == MXW_FOUND && !match.is_host;
	return is_domain || domain->names.n == 0 ? name : domain->names.v[0];
}

/* All but the first address. */
static void search_on(struct search *s, const char *key, const char *written, bool is_first_asked)
{
	if (ask_spellings(s, key, written, is_first_asked) || ask_without_detail(s, key, written) || !s->domain->catch_all)
		return;
	if (!ask_text(s, "", s->ascii, true) && s->utf8 != s->ascii)
		ask_text(s, "", s->utf8, true);
}

void mxw__directories_lookup(mxw__directories_t *directories, const struct mxw__domain_conf *domain,
			     const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	const struct mxw__address *address = query->address;
	const char *key = or_else(address->key_local, address->local);
	struct search s = {.directories = directories, .domain = domain, .query = query, .all = {.outcome = MXW_NOT_FOUND}};
	char utf8[MXW__DOMAIN_MAX + 1];

	if (domain->postmaster == MXW__POSTMASTER_ACCEPT && is_role(domain, address->local)) {
		*ret_result = (struct mxw__rcpt_result){.outcome = MXW_FOUND, .source = "postmaster"};
		return;
	}
	s.ascii = home_of(&s, address->domain);
	s.utf8 = or_else(address->domain_utf8, address->domain);
	bool is_at_home = s.ascii == address->domain;
	if (is_at_home) {
		struct mxw__address first = *address;
		first.local = first.key_local = key;
		first.text = first.key_text = or_else(address->key_text, address->text);
		if (ask(&s, &first, false)) {
			*ret_result = s.all;
			return;
		}
	} else {
		s.utf8 = mxw__domain_to_utf8(s.ascii, utf8) ? utf8 : s.ascii;
	}
	search_on(&s, key, address->local, is_at_home);
	*ret_result = s.all;
}
