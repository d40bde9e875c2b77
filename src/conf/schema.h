/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema.h: every option of every section, in tables. Parsing, defaults, ranges, the dump and the test of the manual
 * page all go by them.
 *
 * Who may call: conf only.
 * Threads: the tables are immutable.
 */
#ifndef MXW_SRC_CONF_SCHEMA_H
#define MXW_SRC_CONF_SCHEMA_H

#include "src/conf/tree.h"

typedef enum mxw__option_type {
	MXW__OPT_TEXT,     /* const char * */
	MXW__OPT_PATH,     /* const char *, made absolute from the file that names it */
	MXW__OPT_WORD,     /* const char *, one of `words` */
	MXW__OPT_CHOICE,   /* an enum or bool: the index into `words` */
	MXW__OPT_NUMBER,   /* unsigned of any width, as the next three */
	MXW__OPT_SIZE,
	MXW__OPT_DURATION, /* milliseconds */
	MXW__OPT_MODE,     /* octal */
	MXW__OPT_RATE,     /* struct mxw__rate_conf */
	MXW__OPT_LIST,     /* struct mxw__strings */
	MXW__OPT_PATHS,    /* struct mxw__strings of paths */
	MXW__OPT_NETWORKS, /* struct mxw__networks */
	MXW__OPT_ROWS,     /* entries of more than one value, any number of them; the section's own reader reads them */
	MXW__OPT_OTHER     /* build.c and rules.c read it; here for names only */
} mxw__option_type_t;

enum {
	MXW__OPT_REQUIRED = 1, /* (of a directory: by those of its types) */
	MXW__OPT_READABLE = 2, /* the file must exist and be readable */
	MXW__OPT_COMPUTED = 4, /* `deflt` only says what stands there; conf.c fills it in */
	MXW__OPT_LOWER = 8,    /* kept in lower case, without a final dot */
	MXW__OPT_SAME_ANSWERS = 16, /* of a directory: says how it is asked, and changes no answer */
	MXW__OPT_IDN = 32,     /* a domain name, kept as mxw__domain_pattern_to_ascii() makes it */
	MXW__OPT_PRESET = 64,  /* another default may come from the directory's preset */
};

/* Says no to a value, having said why. */
typedef bool (*mxw__value_check_fn)(struct mxw__complaints *complaints, const struct mxw__arg *arg);

struct mxw__option {
	const char *name;
	mxw__option_type_t type;
	const char *deflt;     /* as it would be written; NULL: none */
	uint64_t min, max;
	const char *words;     /* separated by blanks */
	size_t offset, size;   /* of the field in the section's struct */
	unsigned flags;
	unsigned types;        /* directory: bit per mxw__directory_type_t it belongs to; 0: all */
	mxw__value_check_fn check;
};

struct mxw__section {
	const char *name;      /* "" is the top level */
	unsigned min_args, max_args;
	const char *args;      /* what stands after the name, for complaints */
	const struct mxw__option *options;
	size_t noptions;
};

typedef enum mxw__section_id {
	MXW__SECTION_TOP,
	MXW__SECTION_NETWORKS,
	MXW__SECTION_RESOLVER,
	MXW__SECTION_TIMEOUTS,
	MXW__SECTION_LIMITS,
	MXW__SECTION_SPF,
	MXW__SECTION_DKIM,
	MXW__SECTION_DMARC,
	MXW__SECTION_TRACKER,
	MXW__SECTION_GREYLIST,
	MXW__SECTION_RATES,
	MXW__SECTION_BOUNCE_PROOF,
	MXW__SECTION_OUTBOUND,
	MXW__SECTION_RECIPIENT_CACHE,
	MXW__SECTION_REDIS,
	MXW__SECTION_DIRECTORY,
	MXW__SECTION_DOMAIN,
	MXW__SECTION_LISTENER,
	MXW__SECTION_DNSBL,
	MXW__SECTION_LIST,
	MXW__SECTION_RULE,
	MXW__SECTION_COUNT
} mxw__section_id_t;

extern const struct mxw__section mxw__sections[MXW__SECTION_COUNT];

/* ---- values.c ---- */

/* Where values are put. */
struct mxw__values {
	mxw__arena_t *arena;
	struct mxw__complaints *complaints;
	bool out_of_memory;
};

/*
 * Reads the entries of a section into the struct at `base`: all that `bodies` have, which are the nodes of one section
 * (it may be written in parts). Options that are not given get their defaults. `ret_pos`, one for each option, gets
 * where it was given, file NULL where not. Says all that is wrong with single values.
 */
void mxw__values_read(struct mxw__values *values, const struct mxw__section *section, struct mxw__node *const *bodies,
		      size_t nbodies, void *base, struct mxw__pos *ret_pos);

/* Puts `text` into the field of one option of the section, as another default of it would. */
void mxw__values_set_default(struct mxw__values *values, const struct mxw__section *section,
			     const struct mxw__option *option, const char *text, void *base);

/* "1h", "500ms": the largest unit that divides it. */
char *mxw__duration_text(uint64_t ms, char text[32]);
char *mxw__size_text(uint64_t bytes, char text[32]);
/* "60/1m", at most `max` in 1s to 30d, or "none". False, having complained of the value of `name`. */
bool mxw__rate_read(struct mxw__complaints *complaints, const char *name, const struct mxw__arg *arg, uint64_t max,
		    struct mxw__rate_conf *ret_rate);
/* ---- presets.c ---- */

/* What a preset puts in the place of an option's default; NULL: nothing. */
const char *mxw__preset_value(mxw__preset_t preset, const char *option);

/* ---- hints.c ---- */

/* NULL if the section has no such option. */
const struct mxw__option *mxw__option_find(const struct mxw__section *section, const char *name);
/* Complains of a key that `section` does not have, with a hint. */
void mxw__complain_unknown_key(struct mxw__complaints *complaints, const struct mxw__section *section,
			       const struct mxw__node *node);

/* ---- checks*.c ---- */

/* For the checks. Starts with the prefix; `ret_rest` is what follows it. */
bool mxw__has_prefix(const char *s, const char *prefix, const char **ret_rest);
/* A decimal number from 1 to 65535. */
bool mxw__is_port(const char *s);

bool mxw__check_socket(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_control_socket(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_authserv_id(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_domain(struct mxw__complaints *complaints, const struct mxw__arg *arg);
/* A domain or an address literal. */
bool mxw__check_mail_domain(struct mxw__complaints *complaints, const struct mxw__arg *arg);
/* A name, "*.example.net" or an address literal. */
bool mxw__check_host(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_name(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_forward(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_address_file(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_sql_query(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_ldap_uri(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_ldap_base(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_ldap_filter(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_ldap_copy_filter(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_ldap_attribute(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_ldap_address_attribute(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_host_port(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_local_part(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_delimiters(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_dnsbl_zone(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_dnsbl_test_point(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_dnsbl_points(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_dnsbl_codes(struct mxw__complaints *complaints, const struct mxw__arg *arg);
/* "local@domain", "@domain". */
bool mxw__check_address_pattern(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_trap(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_key_kind(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_redis_server(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_redis_prefix(struct mxw__complaints *complaints, const struct mxw__arg *arg);
/* One that needs no quotes. */
bool mxw__check_mail_address(struct mxw__complaints *complaints, const struct mxw__arg *arg);
bool mxw__check_length(struct mxw__complaints *complaints, const struct mxw__arg *arg);

#endif
