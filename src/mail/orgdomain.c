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

static bool is_lower_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80 || (*s >= 'A' && *s <= 'Z'))
			return false;
	return true;
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

	if (len > MXW__DOMAIN_MAX + 1 || len == 0) {
		ret_domain[0] = '\0';
		return;
	}
	if (is_address(domain, len) || !is_lower_ascii(domain) || domain[len - 1] == '.') {
		if (mxw__domain_to_ascii(domain, len, name) == MXW_OK)
			domain = name;
		else if (len > MXW__DOMAIN_MAX)
			domain = "";
	}
	mxw__org_domain_load();
	const char *org = NULL;
	len = strlen(domain);
	if (len > 0 && !is_address(domain, len))
		org = the_list ? psl_registrable_domain(the_list, domain) : last_two_labels(domain);
	/* A public suffix, or a single label: nobody is above it. */
	memmove(ret_domain, org ? org : domain, strlen(org ? org : domain) + 1);
}

bool mxw__has_public_suffix(const char *domain)
{
	const psl_ctx_t *psl = psl_builtin();
	const char *dot = strrchr(domain, '.');

	return psl && psl_is_public_suffix2(psl, dot ? dot + 1 : domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
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
