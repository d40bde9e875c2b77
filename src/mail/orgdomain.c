/* SPDX-License-Identifier: BSD-2-Clause */
/* orgdomain.c: who runs a domain, by the Public Suffix List. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <libpsl.h>

#include "src/mail/mail.h"

/* More than any entry of the list has. */
enum { SUFFIX_LABELS_MAX = 10 };

void mxw__org_domain(const char *domain, char ret_domain[MXW__DOMAIN_MAX + 1])
{
	/* Read once by the library, immutable. */
	const psl_ctx_t *psl = psl_builtin();
	const char *org = psl ? psl_registrable_domain(psl, domain) : NULL;

	/* A public suffix, or a single label: nobody is above it. */
	snprintf(ret_domain, MXW__DOMAIN_MAX + 1, "%s", org ? org : domain);
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
	const psl_ctx_t *psl = psl_builtin();
	const char *at = domain + strlen(domain);

	for (int labels = 0; labels < SUFFIX_LABELS_MAX && at > domain; labels++) {
		at--; /* from the start of a label over the dot before it, or from the end into the last one */
		while (at > domain && at[-1] != '.')
			at--;
		if (psl ? !psl_is_public_suffix2(psl, at, PSL_TYPE_ICANN) : labels > 0)
			return at;
	}
	return domain;
}
