/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which entries are looked up: from the most special on, as the programs do it that the forms come from.
 *
 *     plain, postfix  user@domain, user, @domain
 *     postfix-access  user@domain, domain and those above it, user@
 *     virtusertable   user+detail@, user++@, user+*@, user@; then the same without user
 *     access          user+detail@domain, user+*@domain, user@domain; the same for "user@"; domain and those above it;
 *                     each with "To:" first, then without a tag
 */
#include "config.h"

#include <string.h>

#include "src/directory/file_form.h"

/* An address in the form of keys. */
struct wanted {
	const mxw__names_t *names;
	char local[MXW__LOCAL_MAX + 1];
	const char *domain;
	size_t user_len;    /* without "+detail" */
	bool has_plus;
	bool has_detail;    /* that is not empty */
	mxw__file_meaning_t meaning;
};

static bool find(struct wanted *w, mxw__file_kind_t kind, const char *local, const char *domain)
{
	char key[MXW__FILE_KEY_MAX];
	uint32_t number;

	if (!mxw__file_key(key, kind, local, domain) || !mxw__names_find(w->names, key, strlen(key), &number))
		return false;
	w->meaning = (mxw__file_meaning_t)number;
	return true;
}

/* The user's name, or nothing, with `suffix` in place of the detail. */
static bool find_with(struct wanted *w, mxw__file_kind_t kind, size_t user_len, const char *suffix, const char *domain)
{
	char local[MXW__LOCAL_MAX + 3];

	memcpy(local, w->local, user_len);
	strcpy(local + user_len, suffix);
	return find(w, kind, local, domain);
}

/* The domain, then those above it. */
static bool find_domain(struct wanted *w)
{
	for (const char *s = w->domain; s; s = *s == '[' ? NULL : strchr(s, '.')) {
		s += *s == '.';
		if (find(w, MXW__FILE_TO_DOMAIN, "", s))
			return true;
	}
	return false;
}

static bool find_plain(struct wanted *w)
{
	return find(w, MXW__FILE_ADDRESS, w->local, w->domain) || find(w, MXW__FILE_LOCAL, w->local, "") ||
	       find(w, MXW__FILE_CATCH_ALL, "", w->domain);
}

static bool find_postfix_access(struct wanted *w)
{
	return find(w, MXW__FILE_ADDRESS, w->local, w->domain) || find_domain(w) || find(w, MXW__FILE_LOCAL, w->local, "");
}

static bool find_virtuser(struct wanted *w)
{
	const char *d = w->domain;

	if (find(w, MXW__FILE_ADDRESS, w->local, d))
		return true;
	if (w->has_plus) {
		for (size_t i = 0; i < 2; i++) {
			size_t len = i == 0 ? w->user_len : 0;
			if (w->has_detail && find_with(w, MXW__FILE_ADDRESS, len, "++", d))
				return true;
			if (find_with(w, MXW__FILE_ADDRESS, len, "+*", d))
				return true;
			if (i == 0 && find_with(w, MXW__FILE_ADDRESS, len, "", d))
				return true;
		}
	}
	return find(w, MXW__FILE_CATCH_ALL, "", d);
}

/* sendmail's lookups F (with the domain) and U (without). */
static bool find_user(struct wanted *w, mxw__file_kind_t to, mxw__file_kind_t untagged, const char *domain)
{
	if (find(w, to, w->local, domain) || find(w, untagged, w->local, domain))
		return true;
	if (!w->has_plus)
		return false;
	return find_with(w, to, w->user_len, "+*", domain) || find_with(w, untagged, w->user_len, "+*", domain) ||
	       find_with(w, to, w->user_len, "", domain) || find_with(w, untagged, w->user_len, "", domain);
}

static bool find_access(struct wanted *w)
{
	return find_user(w, MXW__FILE_TO_ADDRESS, MXW__FILE_ADDRESS, w->domain) ||
	       find_user(w, MXW__FILE_TO_LOCAL, MXW__FILE_LOCAL, "") || find_domain(w);
}

bool mxw__file_find(mxw__file_format_t format, const mxw__names_t *names, const struct mxw__address *address,
		    mxw__file_meaning_t *ret_meaning)
{
	static bool (*const finders[])(struct wanted *w) = {
		[MXW__FILE_PLAIN] = find_plain,
		[MXW__FILE_POSTFIX] = find_plain,
		[MXW__FILE_POSTFIX_ACCESS] = find_postfix_access,
		[MXW__FILE_VIRTUSERTABLE] = find_virtuser,
		[MXW__FILE_ACCESS] = find_access,
	};
	struct wanted w = {.names = names, .domain = address->domain};
	char domain[MXW__DOMAIN_MAX + 1];
	const char *local = address->key_local ? address->key_local : address->local;
	size_t len = strlen(local);

	/* No entry is that long. */
	if (len > MXW__LOCAL_MAX || strlen(address->domain) > MXW__DOMAIN_MAX)
		return false;
	mxw__local_canonical(local, len, w.local);
	strcpy(domain, address->domain);
	mxw__ascii_lower_str(domain);
	w.domain = domain;
	/* A detail has a user before it. */
	const char *plus = w.local[0] ? strchr(w.local + 1, '+') : NULL;
	w.has_plus = plus != NULL;
	w.has_detail = plus && plus[1];
	w.user_len = plus ? (size_t)(plus - w.local) : 0;
	if (!finders[format](&w))
		return false;
	*ret_meaning = w.meaning;
	return true;
}
