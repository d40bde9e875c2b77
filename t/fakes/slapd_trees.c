/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "t/fakes/slapd_trees.h"

#define ROOT "dc=example,dc=net"
#define MANY 12

/* Attributes as the products' own schemas have them, so far as a look-up can see it. */
static const struct {
	const char *name, *rest;
} attributes[] = {
	{"mailAlternateAddress", "EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch "
				 "SYNTAX 1.3.6.1.4.1.1466.115.121.1.26"},
	{"accountStatus", "EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 SINGLE-VALUE"},
	{"proxyAddresses", "EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15"},
	{"userPrincipalName", "EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch "
			      "SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE"},
	{"sAMAccountName", "EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE"},
	{"userAccountControl", "EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE"},
	{"groupType", "EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE"},
	{"msExchRequireAuthToSendTo", "EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE"},
	{"msExchRecipientTypeDetails", "EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE"},
	{"nsAccountLock", "EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE"},
};

#define AD_MAY "mail $ proxyAddresses $ userPrincipalName $ sAMAccountName $ userAccountControl $ groupType $ " \
	"msExchRequireAuthToSendTo $ msExchRecipientTypeDetails $ member"

static const struct {
	const char *name, *rest;
} classes[] = {
	{"qmailUser", "SUP top AUXILIARY MAY ( mailAlternateAddress $ accountStatus )"},
	{"user", "SUP top STRUCTURAL MUST cn MAY ( " AD_MAY " )"},
	{"group", "SUP top STRUCTURAL MUST cn MAY ( " AD_MAY " )"},
	{"contact", "SUP top STRUCTURAL MUST cn MAY ( " AD_MAY " )"},
	{"nsAccount", "SUP top AUXILIARY MAY ( nsAccountLock $ mailAlternateAddress )"},
	{"mailGroup", "SUP top AUXILIARY MAY ( mail $ mailAlternateAddress )"},
};

void slapd_write_schema(FILE *f)
{
	/* Below OpenLDAP's arc for experiments. */
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		fprintf(f, "attributetype ( 1.3.6.1.4.1.4203.666.99.1.%zu NAME '%s' %s )\n", i + 1, attributes[i].name,
			attributes[i].rest);
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		fprintf(f, "objectclass ( 1.3.6.1.4.1.4203.666.99.2.%zu NAME '%s' %s )\n", i + 1, classes[i].name, classes[i].rest);
}

static void unit(FILE *f, const char *ou)
{
	fprintf(f, "dn: ou=%s," ROOT "\nobjectClass: organizationalUnit\nou: %s\n\n", ou, ou);
}

/* ---- openldap ---- */

static void person(FILE *f, const char *ou, const char *uid, const char *class, const char *more)
{
	fprintf(f, "dn: uid=%s,ou=%s," ROOT "\nobjectClass: inetOrgPerson\nobjectClass: %s\nuid: %s\ncn: %s\nsn: x\n%s\n", uid, ou,
		class, uid, uid, more);
}

static void alias(FILE *f, const char *ou, const char *cn)
{
	fprintf(f, "dn: cn=%s,ou=%s," ROOT "\nobjectClass: nisMailAlias\ncn: %s\nrfc822MailMember: anna@openldap.example\n\n", cn,
		ou, cn);
}

static void write_openldap(FILE *f)
{
	char uid[32];

	unit(f, "qmail");
	person(f, "qmail", "anna", "qmailUser", "mail: anna@openldap.example\nmailAlternateAddress: anna.alt@openldap.example\n"
						"accountStatus: active\n");
	person(f, "qmail", "off", "qmailUser", "mail: off@openldap.example\naccountStatus: disabled\n");
	person(f, "qmail", "gone", "qmailUser", "mail: gone@openldap.example\naccountStatus: deleted\n");
	person(f, "qmail", "noaccess", "qmailUser", "mail: noaccess@openldap.example\naccountStatus: noaccess\n");
	person(f, "qmail", "vip", "qmailUser", "mail: vip@openldap.example\nemployeeType: vip\n");
	person(f, "qmail", "odd", "qmailUser", "mail: odd@openldap.example\n"
					       "employeeType: a class with more than 31 characters\n");
	person(f, "qmail", "twice1", "qmailUser", "mail: twice@openldap.example\naccountStatus: disabled\n");
	person(f, "qmail", "twice2", "qmailUser", "mail: twice@openldap.example\nemployeeType: second\n");
	person(f, "qmail", "twiceoff1", "qmailUser", "mail: twice-off@openldap.example\naccountStatus: disabled\n");
	person(f, "qmail", "twiceoff2", "qmailUser", "mail: twice-off@openldap.example\naccountStatus: deleted\n");
	for (int i = 0; i < MANY; i++) {
		snprintf(uid, sizeof uid, "many%d", i);
		person(f, "qmail", uid, "qmailUser", "mail: many@openldap.example\naccountStatus: disabled\n");
	}
	alias(f, "qmail", "staff");
	alias(f, "qmail", "press@openldap.example");
	unit(f, "second");
	person(f, "second", "anna2", "qmailUser", "mail: anna2@openldap.example\n");
	person(f, "second", "anna", "qmailUser", "mail: anna@openldap.example\nemployeeType: second\n");
	person(f, "second", "off", "qmailUser", "mail: off@openldap.example\naccountStatus: active\n");
}

/* ---- Active Directory ---- */

static void ad(FILE *f, const char *cn, const char *class, const char *more)
{
	fprintf(f, "dn: cn=%s,ou=ad," ROOT "\nobjectClass: %s\ncn: %s\nproxyAddresses: SMTP:%s@ad.example\nmail: %s@ad.example\n%s\n",
		cn, class, cn, cn, cn, more);
}

static void write_ad(FILE *f)
{
	unit(f, "ad");
	ad(f, "anna", "user", "proxyAddresses: smtp:a.nna@ad.example\nproxyAddresses: SIP:talk@ad.example\n"
			      "proxyAddresses: X500:/o=x/cn=anna\nuserAccountControl: 512\nmsExchRecipientTypeDetails: 1\n");
	fputs("dn: cn=bob,ou=ad," ROOT "\nobjectClass: user\ncn: bob\nmail: bob@ad.example\nuserPrincipalName: bob.upn@ad.example\n"
	      "userAccountControl: 66048\n\n", f);
	ad(f, "off", "user", "userAccountControl: 514\nmsExchRecipientTypeDetails: 1\n");
	ad(f, "off-plain", "user", "userAccountControl: 66050\n");
	ad(f, "shared", "user", "userAccountControl: 514\nmsExchRecipientTypeDetails: 4\n");
	ad(f, "room", "user", "userAccountControl: 514\nmsExchRecipientTypeDetails: 16\n");
	ad(f, "equipment", "user", "userAccountControl: 514\nmsExchRecipientTypeDetails: 32\n");
	ad(f, "linked", "user", "userAccountControl: 514\nmsExchRecipientTypeDetails: 2\n");
	ad(f, "cloud", "user", "userAccountControl: 514\nmsExchRecipientTypeDetails: 34359738368\n");
	ad(f, "cloud-room", "user", "userAccountControl: 514\nmsExchRecipientTypeDetails: 8589934592\n");
	ad(f, "unknown-type", "user", "userAccountControl: 514\nmsExchRecipientTypeDetails: 9007199254740992\n");
	ad(f, "leaver", "user", "userAccountControl: 514\nmsExchRecipientTypeDetails: 2147483648\n");
	ad(f, "all", "group", "groupType: -2147483640\nmsExchRequireAuthToSendTo: TRUE\nmsExchRecipientTypeDetails: 256\n");
	ad(f, "open", "group", "groupType: -2147483640\nmsExchRequireAuthToSendTo: FALSE\nmsExchRecipientTypeDetails: 256\n");
	ad(f, "old", "group", "groupType: -2147483640\n");
	ad(f, "partner", "contact", "msExchRecipientTypeDetails: 64\n");
}

/* ---- 389ds and lists ---- */

static void write_others(FILE *f)
{
	unit(f, "ds");
	person(f, "ds", "anna", "nsAccount", "mail: anna@ds.example\nmailAlternateAddress: anna.alt@ds.example\n");
	person(f, "ds", "locked", "nsAccount", "mail: locked@ds.example\nnsAccountLock: true\n");
	person(f, "ds", "unlocked", "nsAccount", "mail: unlocked@ds.example\nnsAccountLock: false\n");
	fputs("dn: cn=team,ou=ds," ROOT "\nobjectClass: groupOfNames\nobjectClass: mailGroup\ncn: team\n"
	      "member: uid=anna,ou=ds," ROOT "\nmail: team@ds.example\n\n", f);
	unit(f, "lists");
	alias(f, "lists", "announce");
	alias(f, "lists", "board@lists.example");
	person(f, "lists", "announcer", "nsAccount", "");
}

void slapd_write_trees(FILE *f)
{
	write_openldap(f);
	write_ad(f);
	write_others(f);
}
