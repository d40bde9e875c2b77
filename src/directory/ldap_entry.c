/* SPDX-License-Identifier: BSD-2-Clause */
/* What an entry says: of its recipient, and which addresses it has. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/directory/ldap_pool.h"

/* Entries that have one address; more than a few are a mistake, and not all of them need be seen. */
enum { ENTRIES_MAX = 8 };

/* Active Directory's way to say it: a bit in a number, which means nothing for mailboxes that nobody logs in to. */
static const char account_control[] = "userAccountControl", type_details[] = "msExchRecipientTypeDetails";
enum { ACCOUNT_DISABLE = 2 };

/* ---- which attributes ---- */

static bool is_empty(const char *s)
{
	return !s || !*s;
}

static bool is_account_control(const struct mxw__directory_conf *conf)
{
	return !is_empty(conf->disabled_attribute) &&
	       mxw__ascii_casecmp(conf->disabled_attribute, account_control) == 0;
}

static void add_name(const char **names, size_t *n, const char *name)
{
	if (is_empty(name) || *n == MXW__LDAP_ATTRIBUTES_MAX)
		return;
	for (size_t i = 0; i < *n; i++)
		if (mxw__ascii_casecmp(names[i], name) == 0)
			return;
	names[(*n)++] = name;
}

static size_t add_meaning(const struct mxw__directory_conf *conf, const char **names)
{
	size_t n = 0;

	add_name(names, &n, conf->class_attribute);
	add_name(names, &n, conf->internal_only_attribute);
	add_name(names, &n, conf->disabled_attribute);
	if (is_account_control(conf))
		add_name(names, &n, type_details);
	return n;
}

/* Cuts CLASS/NAME=PREFIX into its parts. */
static bool parse_address_attribute(const char *text, struct mxw__ldap_address_attribute *ret)
{
	char *copy = strdup(text);

	if (!copy)
		return false;
	*ret = (struct mxw__ldap_address_attribute){.text = copy, .class = "", .name = copy, .prefix = ""};
	char *at = strpbrk(copy, "/=");
	if (at && *at == '/') {
		*at++ = '\0';
		ret->class = copy;
		ret->name = at;
		at = strchr(at, '=');
	}
	if (at) {
		*at++ = '\0';
		ret->prefix = at;
	}
	return true;
}

mxw_status_t mxw__ldap_entries_init(struct mxw__ldap *ldap, struct mxw_error *err)
{
	const struct mxw__strings *specs = &ldap->conf->address_attributes;
	size_t n = add_meaning(ldap->conf, ldap->attributes);
	bool is_existence = n == 0;

	if (is_existence)
		add_name(ldap->attributes, &n, LDAP_NO_ATTRS);
	ldap->size_limit = is_existence ? 1 : ENTRIES_MAX;
	ldap->address_attributes = mxw__calloc(specs->n ? specs->n : 1, sizeof *ldap->address_attributes);
	if (!ldap->address_attributes)
		return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
	n = add_meaning(ldap->conf, ldap->copy_attributes);
	for (size_t i = 0; i < specs->n; i++) {
		struct mxw__ldap_address_attribute *attribute = &ldap->address_attributes[i];
		if (!parse_address_attribute(specs->v[i], attribute))
			return mxw__fail(err, MXW_ERR_NOMEM, "out of memory");
		ldap->naddress_attributes++;
		add_name(ldap->copy_attributes, &n, attribute->name);
		if (*attribute->class)
			add_name(ldap->copy_attributes, &n, "objectClass");
	}
	return MXW_OK;
}

void mxw__ldap_entries_fini(struct mxw__ldap *ldap)
{
	for (size_t i = 0; i < ldap->naddress_attributes; i++)
		free(ldap->address_attributes[i].text);
	free(ldap->address_attributes);
}

/* ---- what a value says ---- */

static bool is_word(const struct berval *value, const char *word)
{
	return value->bv_len == strlen(word) && mxw__ascii_ncasecmp(value->bv_val, word, value->bv_len) == 0;
}

static bool is_one_of(const struct berval *value, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_word(value, words[i]))
			return true;
	return false;
}

static bool is_yes(const struct berval *value)
{
	static const char *const words[] = {"TRUE", "yes", "on", "1"};

	return is_one_of(value, words, MXW_ARRAY_LEN(words));
}

/* Words that nobody uses for an account in use. "noaccess" and "nopop" of qmail-ldap's accountStatus are not among
 * them: such an account gets mail, and so does one with a word that we do not know. */
static bool is_off(const struct berval *value)
{
	static const char *const words[] = {"disabled", "inactive", "deleted"};

	return is_yes(value) || is_one_of(value, words, MXW_ARRAY_LEN(words));
}

static bool parse_number(const struct berval *value, uint64_t *ret)
{
	char text[24];

	if (value->bv_len == 0 || value->bv_len >= sizeof text)
		return false;
	memcpy(text, value->bv_val, value->bv_len);
	text[value->bv_len] = '\0';
	return mxw__parse_u64(text, ret);
}

static bool is_disabled_account(const struct berval *value)
{
	uint64_t flags;

	return parse_number(value, &flags) && (flags & ACCOUNT_DISABLE);
}

/*
 * msExchRecipientTypeDetails: shared, room, equipment, linked mailboxes and others belong to accounts that are
 * disabled because nobody logs in to them, and get mail. Named here are those of people. Of a type that is not known
 * a disabled account says nothing.
 */
static bool is_of_a_person(const struct berval *value)
{
	static const uint64_t types[] = {
		1,          /* UserMailbox */
		8,          /* LegacyMailbox */
		65536,      /* User */
		2097152,    /* DisabledUser */
		2147483648, /* RemoteUserMailbox */
	};
	uint64_t type;

	if (!parse_number(value, &type))
		return false;
	for (size_t i = 0; i < MXW_ARRAY_LEN(types); i++)
		if (types[i] == type)
			return true;
	return false;
}

/* ---- entries ---- */

/* Is there a value of the attribute that `test` says yes to? `ret_has_any`: is there one at all (may be NULL). */
static bool any_value(LDAP *ld, LDAPMessage *entry, const char *name, bool (*test)(const struct berval *),
		      bool *ret_has_any)
{
	struct berval **values = is_empty(name) ? NULL : ldap_get_values_len(ld, entry, name);
	bool found = false;

	for (size_t i = 0; values && values[i] && !found; i++)
		found = test(values[i]);
	if (ret_has_any)
		*ret_has_any = values && values[0];
	ldap_value_free_len(values);
	return found;
}

static bool read_disabled(const struct mxw__directory_conf *conf, LDAP *ld, LDAPMessage *entry)
{
	bool has_type;

	if (!is_account_control(conf))
		return any_value(ld, entry, conf->disabled_attribute, is_off, NULL);
	if (!any_value(ld, entry, account_control, is_disabled_account, NULL))
		return false;
	return any_value(ld, entry, type_details, is_of_a_person, &has_type) || !has_type;
}

/* One that rules can compare with and logs can show. */
static bool is_class(const struct berval *value)
{
	if (value->bv_len == 0 || value->bv_len > MXW__RCPT_CLASS_MAX)
		return false;
	for (size_t i = 0; i < value->bv_len; i++)
		if (value->bv_val[i] < ' ' || value->bv_val[i] > '~')
			return false;
	return true;
}

static void read_class(struct mxw__ldap *ldap, LDAP *ld, LDAPMessage *entry, char *ret_class)
{
	const char *name = ldap->conf->class_attribute;
	struct berval **values = is_empty(name) ? NULL : ldap_get_values_len(ld, entry, name);
	bool is_bad = false;

	for (size_t i = 0; values && values[i] && !*ret_class; i++) {
		if (is_class(values[i]))
			memcpy(ret_class, values[i]->bv_val, values[i]->bv_len);
		else
			is_bad = true;
	}
	ldap_value_free_len(values);
	if (is_bad && !atomic_exchange(&ldap->has_told_class, true))
		mxw__noticef(&ldap->noticer, false, "an entry's %s is not used as a class: 1 to %d printable ASCII "
			     "characters were expected", name, MXW__RCPT_CLASS_MAX);
}

void mxw__ldap_read_settings(struct mxw__ldap *ldap, LDAP *ld, LDAPMessage *entry,
			     struct mxw__rcpt_settings *ret_settings)
{
	*ret_settings = (struct mxw__rcpt_settings){0};
	ret_settings->is_disabled = read_disabled(ldap->conf, ld, entry);
	ret_settings->is_internal_only = any_value(ld, entry, ldap->conf->internal_only_attribute, is_yes, NULL);
	read_class(ldap, ld, entry, ret_settings->class);
}

static bool has_class(LDAP *ld, LDAPMessage *entry, const char *class)
{
	struct berval **values = *class ? ldap_get_values_len(ld, entry, "objectClass") : NULL;
	bool found = !*class;

	for (size_t i = 0; values && values[i] && !found; i++)
		found = is_word(values[i], class);
	ldap_value_free_len(values);
	return found;
}

bool mxw__ldap_is_address(const struct mxw__ldap *ldap, LDAP *ld, LDAPMessage *entry, const char *attribute,
			  const struct berval *value, struct berval *ret_address)
{
	struct berval name = {.bv_len = strcspn(attribute, ";"), .bv_val = (char *)(uintptr_t)attribute};

	for (size_t i = 0; i < ldap->naddress_attributes; i++) {
		const struct mxw__ldap_address_attribute *a = &ldap->address_attributes[i];
		size_t len = strlen(a->prefix);
		if (!is_word(&name, a->name) || value->bv_len <= len ||
		    mxw__ascii_ncasecmp(value->bv_val, a->prefix, len) != 0 || !has_class(ld, entry, a->class))
			continue;
		*ret_address = (struct berval){.bv_len = value->bv_len - len, .bv_val = value->bv_val + len};
		return true;
	}
	return false;
}
