/* SPDX-License-Identifier: BSD-2-Clause */
/* Under which addresses a recipient is looked for. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/directory/set.h"

/* RFC 5321 section 4.5.1 and RFC 2142: who has to complain must be able to. */
static bool is_role(const struct mxw__address *address)
{
	return mxw__ascii_casecmp(address->local, "postmaster") == 0 || mxw__ascii_casecmp(address->local, "abuse") == 0;
}

/*
 * Makes "anna@example.net" of "anna+list@example.net" in `text`, `local` of it in `local`. False if the address has no
 * delimiter behind its first octet, or does not fit (nothing that long is in a directory).
 */
static bool strip_detail(const struct mxw__domain_conf *domain, const struct mxw__address *address, char *local, char *text,
			 size_t size)
{
	size_t len = *address->local ? 1 + strcspn(address->local + 1, domain->delimiters) : 0;

	if (!address->local[len])
		return false;
	int n = snprintf(text, size, "%.*s@%s", (int)len, address->local, address->domain);
	if (n < 0 || (size_t)n >= size)
		return false;
	memcpy(local, text, len);
	local[len] = '\0';
	return true;
}

void mxw__directories_lookup(mxw__directories_t *directories, const struct mxw__domain_conf *domain,
			     const struct mxw__rcpt_query *query, struct mxw__rcpt_result *ret_result)
{
	char text[640], local[sizeof text];
	struct mxw__address base = *query->address;

	if (domain->postmaster == MXW__POSTMASTER_ACCEPT && is_role(query->address)) {
		*ret_result = (struct mxw__rcpt_result){.outcome = MXW_FOUND, .source = "postmaster"};
		return;
	}
	mxw__directories_ask(directories, domain, query, ret_result);
	/* Only what is certain not to be there as a whole is looked for without its detail. */
	if (ret_result->outcome != MXW_NOT_FOUND || !domain->delimiters || !*domain->delimiters ||
	    !strip_detail(domain, query->address, local, text, sizeof text))
		return;
	base.text = text;
	base.local = local;
	struct mxw__rcpt_query again = *query;
	again.address = &base;
	mxw__directories_ask(directories, domain, &again, ret_result);
}
