/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_form.h: the forms that directory type "file" reads, each into the same set of names.
 *
 * A name is a key: an octet that says what kind of entry it is, then the address, local part or domain in the form in
 * which addresses are compared. Its number says what the entry means. file_key.c makes keys, file_forms.c reads
 * entries, file_values.c says what the value of an entry means, file.c looks up.
 *
 * Who may call: file*.c, and the tests of these.
 * Threads: no state.
 * Standards: RFC 5321 section 4.1.2 (quoted local parts); Postfix's postmap(1), access(5), virtual(5);
 *            sendmail's makemap(8) and cf/README (virtusertable, access_db, blocklist_recipients).
 */
#ifndef MXW_SRC_DIRECTORY_FILE_FORM_H
#define MXW_SRC_DIRECTORY_FILE_FORM_H

#include "src/directory/source.h"

/* ---- keys ---- */

enum { MXW__FILE_KEY_MAX = 1 + MXW__LOCAL_MAX + 1 + MXW__DOMAIN_MAX + 1 };

/* The first octet of a key. A quoted local part with an '@' is no address because of it. */
typedef enum mxw__file_kind {
	MXW__FILE_ADDRESS = 'A',
	MXW__FILE_LOCAL = 'L',        /* in any domain that asks the directory */
	MXW__FILE_CATCH_ALL = 'D',    /* every address of a domain */
	MXW__FILE_TO_ADDRESS = 'a',   /* sendmail's access: with the tag "To:", which is looked up before the one without */
	MXW__FILE_TO_LOCAL = 'l',
	MXW__FILE_TO_DOMAIN = 'd'     /* and the domains below it */
} mxw__file_kind_t;

/* Writes a key of what is known to be in its form; false (and "") if it does not fit: no entry is that long. */
bool mxw__file_key(char ret_key[MXW__FILE_KEY_MAX], mxw__file_kind_t kind, const char *local, const char *domain);
/* One entry, "user@domain", "user" or "@domain", to its key; an explanation if it is none. */
const char *mxw__file_key_read(const char *s, size_t len, char ret_key[MXW__FILE_KEY_MAX]);
/* The same for a domain alone. */
const char *mxw__file_key_read_domain(const char *s, size_t len, char ret_key[MXW__FILE_KEY_MAX]);

/* ---- what an entry means ---- */

typedef enum mxw__file_meaning {
	MXW__FILE_FOUND,
	MXW__FILE_REFUSED,      /* there is no such recipient, whatever less special entries say */
	MXW__FILE_UNVERIFIABLE, /* it takes every address, and passes the local part on to where it may not exist */
	MXW__FILE_SILENT        /* says nothing of recipients, and ends the look-up */
} mxw__file_meaning_t;

/* `value` is without blanks around it. `is_wide`: the entry is for many local parts; `is_domain`: for a domain. */
mxw__file_meaning_t mxw__postfix_map_value(const char *value, size_t len, bool is_wide);
mxw__file_meaning_t mxw__postfix_access_value(const char *value, size_t len, bool is_domain);
mxw__file_meaning_t mxw__virtusertable_value(const char *value, size_t len, bool is_wide);
mxw__file_meaning_t mxw__access_value(const char *value, size_t len, bool is_domain);

/* ---- parsers (mxw__watch_parse_fn), by mxw__file_format_t ---- */

mxw_status_t mxw__parse_plain_file(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names);
mxw_status_t mxw__parse_postfix_map(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names);
mxw_status_t mxw__parse_postfix_access(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names);
mxw_status_t mxw__parse_virtusertable(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names);
mxw_status_t mxw__parse_access(struct mxw__reading *reading, char *data, size_t len, mxw__names_t *names);

/* ---- looking up ---- */

/*
 * What the most special entry for an address means, as the program that the form belongs to looks entries up.
 * False: there is none.
 */
bool mxw__file_find(mxw__file_format_t format, const mxw__names_t *names, const struct mxw__address *address,
		    mxw__file_meaning_t *ret_meaning);

#endif
