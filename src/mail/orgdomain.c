/* SPDX-License-Identifier: BSD-2-Clause */
/* orgdomain.c: who runs a domain, by the Public Suffix List. */
#include "config.h"

#include <libpsl.h>
#include <pthread.h>
#include <string.h>

#include "src/mail/mail.h"

/* More than any entry of the list has. */
enum { SUFFIX_LABELS_MAX = 10 };

/* Read once, then immutable, and never freed: its users have no end that is known here. */
static const psl_ctx_t *the_list;
static pthread_once_t list_once = PTHREAD_ONCE_INIT;

/* The file that the system keeps, if it is newer than what was built into libpsl. */
static void load_list(void)
{
	the_list = psl_latest(NULL);
}

void mxw__org_domain_load(void)
{
	pthread_once(&list_once, load_list);
}

/* "192.0.2.1" and "[192.0.2.1]" are nobody's names. */
static bool is_address(const char *domain, size_t len)
{
	struct mxw_ip ip;

	return domain[0] == '[' || (mxw__ascii_isdigit(domain[len - 1]) && mxw_ip_parse(domain, &ip) == MXW_OK);
}

/* Without a list at all, what it says of a domain under a suffix that it does not have: the last two labels. */
static const char *last_two_labels(const char *domain)
{
	const char *last = strrchr(domain, '.');

	if (!last || last == domain)
		return NULL;
	while (last > domain && last[-1] != '.')
		last--;
	return last;
}

void mxw__org_domain(const char *domain, char ret_domain[MXW__DOMAIN_MAX + 1])
{
	size_t len = strlen(domain);
	char name[MXW__DOMAIN_MAX + 1];
	const char *org = NULL;

	if (mxw__domain_to_ascii(domain, len, name) != MXW_OK) {
		memmove(ret_domain, len <= MXW__DOMAIN_MAX ? domain : "", len <= MXW__DOMAIN_MAX ? len + 1 : 1);
		return;
	}
	mxw__org_domain_load();
	if (!is_address(name, strlen(name)))
		org = the_list ? psl_registrable_domain(the_list, name) : last_two_labels(name);
	/* A public suffix, or a single label: nobody is above it. */
	memcpy(ret_domain, org ? org : name, strlen(org ? org : name) + 1);
}

bool mxw__has_public_suffix(const char *domain)
{
	const char *dot = strrchr(domain, '.');

	mxw__org_domain_load();
	return the_list && psl_is_public_suffix2(the_list, dot ? dot + 1 : domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

bool mxw__same_org_domain(const char *a, const char *b)
{
	char org_a[MXW__DOMAIN_MAX + 1], org_b[MXW__DOMAIN_MAX + 1];

	mxw__org_domain(a, org_a);
	mxw__org_domain(b, org_b);
	return *org_a && mxw__ascii_casecmp(org_a, org_b) == 0;
}

const char *mxw__operator_domain(const char *domain)
{
	const char *at = domain + strlen(domain);

	mxw__org_domain_load();
	for (int labels = 0; labels < SUFFIX_LABELS_MAX && at > domain; labels++) {
		at--; /* from the start of a label over the dot before it, or from the end into the last one */
		while (at > domain && at[-1] != '.')
			at--;
		if (the_list ? !psl_is_public_suffix2(the_list, at, PSL_TYPE_ICANN) : labels > 0)
			return at;
	}
	return domain;
}
