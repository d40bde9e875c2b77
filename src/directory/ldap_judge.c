/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "src/directory/ldap_pool.h"

void mxw__ldap_fail(struct mxw__ldap_failure *failure, mxw_outcome_t outcome, int code, const char *text,
		    const char *diagnostic)
{
	struct mxw__buf buf;

	failure->outcome = outcome;
	failure->code = code;
	snprintf(failure->text, sizeof failure->text, "%s", text);
	failure->detail[0] = '\0';
	failure->base = NULL;
	if (!diagnostic || !*diagnostic)
		return;
	mxw__buf_init(&buf, sizeof failure->detail - 1);
	mxw__buf_add_logvalue(&buf, diagnostic, strlen(diagnostic), 120);
	snprintf(failure->detail, sizeof failure->detail, "%s", mxw__buf_str(&buf));
	mxw__buf_fini(&buf);
}

mxw_outcome_t mxw__ldap_judge_bind(int code)
{
	switch (code) {
	case LDAP_PROTOCOL_ERROR: /* also: StartTLS is not supported */
	case LDAP_AUTH_METHOD_NOT_SUPPORTED:
	case LDAP_STRONG_AUTH_REQUIRED:
	case LDAP_CONFIDENTIALITY_REQUIRED:
	case LDAP_UNAVAILABLE_CRITICAL_EXTENSION:
	case LDAP_REFERRAL:
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_INVALID_DN_SYNTAX:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_UNWILLING_TO_PERFORM:
		return MXW_MISCONFIGURED;
	default:
		return MXW_TEMPORARY;
	}
}

mxw_outcome_t mxw__ldap_judge_search(int code, unsigned nentries, bool is_elsewhere)
{
	/* An entry is an entry, whatever kept the server from sending more of them. */
	if (nentries > 0)
		return MXW_FOUND;
	switch (code) {
	case LDAP_SUCCESS:
		return is_elsewhere ? MXW_MISCONFIGURED : MXW_NOT_FOUND;
	/* The base does not exist or is on another server: that says nothing about the recipient. */
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_REFERRAL:
	case LDAP_INVALID_DN_SYNTAX:
	case LDAP_ALIAS_PROBLEM:
	case LDAP_ALIAS_DEREF_PROBLEM:
	/* The filter. */
	case LDAP_PROTOCOL_ERROR:
	case LDAP_FILTER_ERROR:
	case LDAP_UNDEFINED_TYPE:
	case LDAP_INAPPROPRIATE_MATCHING:
	case LDAP_INVALID_SYNTAX:
	/* Who we are. */
	case LDAP_STRONG_AUTH_REQUIRED:
	case LDAP_CONFIDENTIALITY_REQUIRED:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INSUFFICIENT_ACCESS:
		return MXW_MISCONFIGURED;
	default:
		return MXW_TEMPORARY;
	}
}

bool mxw__ldap_reference_counts(const char *url)
{
	static const char *const harmless[] = {"DC=DomainDnsZones,", "DC=ForestDnsZones,", "CN=Configuration,"};
	LDAPURLDesc *desc;
	bool counts = true;

	if (ldap_url_parse(url, &desc) != LDAP_URL_SUCCESS)
		return true;
	for (size_t i = 0; desc->lud_dn && i < MXW_ARRAY_LEN(harmless); i++)
		if (mxw__ascii_ncasecmp(desc->lud_dn, harmless[i], strlen(harmless[i])) == 0)
			counts = false;
	ldap_free_urldesc(desc);
	return counts;
}
