/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build.h: from the tree to struct mxw_conf.
 *
 * Who may call: conf only.
 * Memory:  everything that is built lies in the configuration's arena; secrets are apart, so that they can be wiped.
 */
#ifndef MXW_SRC_CONF_BUILD_H
#define MXW_SRC_CONF_BUILD_H

#include <stdatomic.h>
#include <stdio.h>

#include "src/conf/schema.h"

struct mxw__secret {
	char *text;
	struct mxw__secret *next;
};

struct mxw__conf_private {
	atomic_uint refs;
	mxw__arena_t *arena;
	struct mxw__secret *secrets;
	struct mxw__strings off_rules;  /* built-in rules that were switched off */
};

struct mxw__build {
	struct mxw__values values;
	struct mxw_conf *conf;
	struct mxw__node *root;
	struct mxw__node *builtin;      /* the default policy */
};

/* The whole tree. All complaints are made; false only without memory. */
bool mxw__build(struct mxw__build *build);
/* The first step of it: sections that do not exist, stand in others or have the wrong number of names. */
void mxw__check_sections(struct mxw__build *build);
size_t mxw__count_args(const struct mxw__node *node);
/* Fills in answers_id. Without memory it stands for nothing else, so that nothing kept is found. */
void mxw__directory_identify(struct mxw__directory_conf *directory);
/* Memory for n things, 1 at least; NULL, and that noted, without. */
void *mxw__build_alloc(struct mxw__build *build, size_t n, size_t size);
bool mxw__is_section(const struct mxw__node *node, mxw__section_id_t id);
size_t mxw__count_sections(const struct mxw__build *build, mxw__section_id_t id);
/* Something in it could not be read: what is missing may have stood there. */
bool mxw__is_broken(const struct mxw__node *body);
/* Lists in the DNS, and those that the postmaster keeps. */
void mxw__build_lists(struct mxw__build *build);
/* A directory of type ldap, after its values were read: fills in its preset and secrets, says what does not fit. */
void mxw__build_ldap(struct mxw__build *build, struct mxw__directory_conf *directory, const struct mxw__pos *pos);
/* Addresses ("local@domain", "@domain") in the form in which they are compared. Those that are none were complained of. */
void mxw__build_addresses(struct mxw__build *build, struct mxw__strings *list);
/* The section bounce-proof: reads its keys, says what does not fit. */
void mxw__build_bounce(struct mxw__build *build, const struct mxw__pos *pos);
/* The section redis, likewise. */
void mxw__build_redis(struct mxw__build *build, const struct mxw__pos *pos);
/* Reads a secret, which is wiped with the configuration. "" if there is no `path`, or it is no good, which is then told. */
const char *mxw__build_secret(struct mxw__build *build, const char *path, const struct mxw__pos *pos);
/* Complains of a key for a library to read, if others can read it as well. */
void mxw__build_check_key(struct mxw__build *build, const char *path, const struct mxw__pos *pos);
/* The rows of the section `rates`. */
void mxw__build_rates(struct mxw__build *build);
void mxw__dump_limits(const struct mxw__rates_conf *rates, FILE *out);
/* The section `outbound`, with its rows. */
void mxw__build_outbound(struct mxw__build *build, const struct mxw__pos *pos);
void mxw__dump_rate(const struct mxw__rate_conf *rate, FILE *out);
void mxw__dump_quotas(const struct mxw__outbound_conf *outbound, FILE *out);
/* The position of an option in `pos`, as mxw__values_read() filled it. */
const struct mxw__pos *mxw__option_pos(const struct mxw__section *section, const struct mxw__pos *pos, const char *name);
/* A list that has no section would never have anybody, and nobody would see why: complains of its name in a condition, and says no. */
bool mxw__check_list_names(struct mxw__build *build, const struct mxw__cond *cond);
/* The last: compiles the rules into conf->policy. */
void mxw__build_rules(struct mxw__build *build);

/* default-policy.conf, made into C by the Makefile. */
extern const char mxw__default_policy[];
#define MXW__DEFAULT_POLICY_NAME "default-policy.conf"

#endif
