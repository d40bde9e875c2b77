/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slapd_trees.h: what the trees of the products that there are presets for look like, for slapd.c. All are below
 * dc=example,dc=net, with addresses in the domain of the tree's name:
 *
 * ou=qmail     openldap.example: anna (mail), anna.alt (mailAlternateAddress), off, gone, noaccess (accountStatus disabled,
 *              deleted, noaccess), vip (employeeType "vip"), odd (employeeType too long), the aliases staff (cn, any domain) and
 *              "press@openldap.example" (cn); twice@ has two entries, one of them disabled, twice-off@ two disabled ones; many@
 *              has 12, all disabled.
 * ou=ad        ad.example: anna (SMTP: primary, smtp:a.nna, SIP:, X500:), bob (mail and userPrincipalName alone), off (disabled
 *              user), shared, room, equipment, linked, cloud (remote shared): disabled accounts that get mail;
 *              unknown-type: disabled, with a type nobody knows; leaver (disabled, remote user mailbox), all@ (a group closed
 *              to the outside), open@ (a group that is not), partner@ (a contact).
 * ou=ds        ds.example: anna, anna.alt, locked (nsAccountLock true), unlocked (false), team@ (mailGroup).
 * ou=lists     nisMailAlias: cn=announce, cn=board@lists.example; and a person called cn=announcer.
 * ou=second    anna2@openldap.example, and again anna@openldap.example, here with employeeType "second".
 */
#ifndef MXW_T_FAKES_SLAPD_TREES_H
#define MXW_T_FAKES_SLAPD_TREES_H

#include <stdio.h>

/* In slapd.conf's form. */
void slapd_write_schema(FILE *f);
/* In LDIF, to follow the entry of dc=example,dc=net. */
void slapd_write_trees(FILE *f);

#endif
