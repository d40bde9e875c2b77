/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each kind of LDAP directory puts in the place of the options' defaults. "custom" is not here: its values are
 * the defaults in schema.c.
 */
#include "config.h"

#include <string.h>

#include "src/conf/schema.h"

static const struct {
	mxw__preset_t preset;
	const char *option, *value;
} values[] = {
	/* inetOrgPerson, qmail-ldap's and Postfix's usual attributes, and the aliases of misc.schema. */
	{MXW__PRESET_OPENLDAP, "filter",
		"(|(mail={addr})(mailAlternateAddress={addr})(&(objectClass=nisMailAlias)(|(cn={addr})(cn={user}))))"},
	{MXW__PRESET_OPENLDAP, "disabled-attribute", "accountStatus"},
	{MXW__PRESET_OPENLDAP, "copy-filter", "(|(mail=*)(mailAlternateAddress=*)(objectClass=nisMailAlias))"},
	{MXW__PRESET_OPENLDAP, "address-attributes", "mail mailAlternateAddress nisMailAlias/cn"},

	/* proxyAddresses compares without regard to case: SMTP:, the primary address, is smtp:, too. */
	{MXW__PRESET_ACTIVE_DIRECTORY, "filter", "(|(proxyAddresses=smtp:{addr})(mail={addr})(userPrincipalName={addr}))"},
	{MXW__PRESET_ACTIVE_DIRECTORY, "disabled-attribute", "userAccountControl"},
	{MXW__PRESET_ACTIVE_DIRECTORY, "internal-only-attribute", "msExchRequireAuthToSendTo"},
	{MXW__PRESET_ACTIVE_DIRECTORY, "copy-filter", "(|(proxyAddresses=smtp:*)(mail=*)(userPrincipalName=*))"},
	{MXW__PRESET_ACTIVE_DIRECTORY, "address-attributes", "proxyAddresses=smtp: mail userPrincipalName"},

	/* Groups have their addresses where people have them (objectClass mailGroup). */
	{MXW__PRESET_389DS, "filter", "(|(mail={addr})(mailAlternateAddress={addr}))"},
	{MXW__PRESET_389DS, "disabled-attribute", "nsAccountLock"},
	{MXW__PRESET_389DS, "copy-filter", "(|(mail=*)(mailAlternateAddress=*))"},
	{MXW__PRESET_389DS, "address-attributes", "mail mailAlternateAddress"},

	/* Lists whose name is the local part or the whole address, and whose members are in rfc822MailMember. */
	{MXW__PRESET_RFC822_MAIL_MEMBER, "filter", "(&(objectClass=nisMailAlias)(|(cn={addr})(cn={user})))"},
	{MXW__PRESET_RFC822_MAIL_MEMBER, "copy-filter", "(objectClass=nisMailAlias)"},
	{MXW__PRESET_RFC822_MAIL_MEMBER, "address-attributes", "cn"},
};

const char *mxw__preset_value(mxw__preset_t preset, const char *option)
{
	for (size_t i = 0; i < MXW_ARRAY_LEN(values); i++)
		if (values[i].preset == preset && strcmp(values[i].option, option) == 0)
			return values[i].value;
	return NULL;
}
