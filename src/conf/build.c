/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree into struct mxw_conf: sections, what they must have, and what they say of each other. */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "src/conf/build.h"
#include "src/mail/mail.h"
#include "src/policy/fact_set.h"
#include "src/sql/sql.h"
#include "src/track/key.h"

enum { DIRECTORIES_MAX = 1000, OPTIONS_MAX = 96, TRY_QUERY_MS = 500 };

void *mxw__build_alloc(struct mxw__build *b, size_t n, size_t size)
{
	size_t bytes;
	void *p = mxw__mul_size(n ? n : 1, size, &bytes) ? mxw__arena_alloc(b->values.arena, bytes) : NULL;

	if (!p)
		b->values.out_of_memory = true;
	return p;
}

/* ---- finding sections ---- */

bool mxw__is_section(const struct mxw__node *node, mxw__section_id_t id)
{
	return node->name && node->is_section && strcmp(node->name, mxw__sections[id].name) == 0;
}

size_t mxw__count_sections(const struct mxw__build *b, mxw__section_id_t id)
{
	size_t n = 0;

	for (const struct mxw__node *node = b->root->first; node; node = node->next)
		n += mxw__is_section(node, id);
	return n;
}

bool mxw__is_broken(const struct mxw__node *body)
{
	for (const struct mxw__node *node = body->first; node; node = node->next)
		if (!node->name)
			return true;
	return false;
}

/* ---- sections that there is one of ---- */

static void read_single(struct mxw__build *b, mxw__section_id_t id, struct mxw__pos *pos)
{
	size_t n = mxw__count_sections(b, id), i = 0;
	struct mxw__node **bodies = mxw__build_alloc(b, n, sizeof(struct mxw__node *));

	if (!bodies)
		return;
	for (struct mxw__node *node = b->root->first; node; node = node->next)
		if (mxw__is_section(node, id))
			bodies[i++] = node;
	mxw__values_read(&b->values, &mxw__sections[id], bodies, n, b->conf, pos);
}

/* "root" and "none" are no servers, and stand alone. */
static void settle_forward(struct mxw__build *b, const struct mxw__pos *pos)
{
	struct mxw__resolver_conf *r = &b->conf->resolver;

	for (size_t i = 0; i < r->forward.n; i++) {
		r->from_root |= strcmp(r->forward.v[i], "root") == 0;
		r->local_only |= strcmp(r->forward.v[i], "none") == 0;
	}
	if (!r->from_root && !r->local_only)
		return;
	if (r->forward.n > 1)
		mxw__complain(b->values.complaints, pos, "'forward %s' stands alone; no other server can be named beside it",
			      r->from_root ? "root" : "none");
	r->forward = (struct mxw__strings){0};
}

static void settle_keys(struct mxw__build *b)
{
	struct mxw__tracker_conf *t = &b->conf->tracker;

	for (size_t i = 0; i < t->keys.n; i++)
		for (mxw__key_kind_t kind = MXW__KEY_ADDRESS; kind < MXW__KEY_KINDS; kind++)
			if (strcmp(t->keys.v[i], mxw__key_kind_name(kind)) == 0)
				t->key_kinds |= 1u << kind;
}

static void check_greylist(struct mxw__build *b, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_GREYLIST];
	const struct mxw__greylist_conf *g = &b->conf->greylist;
	const struct mxw__pos *delay = mxw__option_pos(s, pos, "delay"), *window = mxw__option_pos(s, pos, "retry-window");
	const struct mxw__pos *client_delay = mxw__option_pos(s, pos, "client-delay");

	if (g->delay_ms >= g->retry_window_ms)
		mxw__complain(b->values.complaints, delay->file ? delay : window,
			      "a 'delay' that is not shorter than 'retry-window': nobody could ever pass");
	if (g->client_delay_ms >= g->retry_window_ms)
		mxw__complain(b->values.complaints, client_delay->file ? client_delay : window,
			      "a 'client-delay' that is not shorter than 'retry-window': nobody could ever pass by it");
}

void mxw__build_addresses(struct mxw__build *b, struct mxw__strings *list)
{
	char text[MXW__LOCAL_MAX + MXW__DOMAIN_MAX + 2], name[MXW__DOMAIN_MAX + 1];
	const char **v = mxw__build_alloc(b, list->n, sizeof *v);
	size_t n = 0;

	for (size_t i = 0; v && i < list->n; i++) {
		const char *at = strrchr(list->v[i], '@');
		if (!at || mxw__domain_to_ascii(at + 1, strlen(at + 1), name) != MXW_OK)
			continue;
		snprintf(text, sizeof text, "%.*s@%s", (int)(at - list->v[i]), list->v[i], name);
		mxw__ascii_lower_str(text);
		char *copy = mxw__arena_strdup(b->values.arena, text);
		b->values.out_of_memory |= !copy;
		if (copy)
			v[n++] = copy;
	}
	*list = (struct mxw__strings){n, v};
}

/* ---- directories ---- */

/* Until it has been read. */
#define NO_TYPE ((mxw__directory_type_t)99)

static bool has_type(const struct mxw__option *o, mxw__directory_type_t type)
{
	return o->types == 0 || (o->types >> type & 1);
}

/* Options of another type mean nothing here, and those this type needs must be there. */
static void check_type(struct mxw__build *b, const struct mxw__node *node, mxw__directory_type_t type,
		       const struct mxw__pos *pos)
{
	static const char *const names[] = {"file", "system", "ldap", "sqlite", "call-ahead"};
	const struct mxw__section *section = &mxw__sections[MXW__SECTION_DIRECTORY];

	for (size_t i = 0; i < section->noptions; i++) {
		const struct mxw__option *o = &section->options[i];
		if (pos[i].file && !has_type(o, type))
			mxw__complain(b->values.complaints, &pos[i], "'%s' means nothing in a directory of type %s", o->name,
				      names[type]);
		if (!pos[i].file && (o->flags & MXW__OPT_REQUIRED) && has_type(o, type) && !mxw__is_broken(node))
			mxw__complain(b->values.complaints, &node->pos, "a directory of type %s needs '%s'", names[type], o->name);
	}
}

const struct mxw__pos *mxw__option_pos(const struct mxw__section *section, const struct mxw__pos *pos, const char *name)
{
	for (size_t i = 0; i < section->noptions; i++)
		if (strcmp(section->options[i].name, name) == 0)
			return &pos[i];
	return pos;
}

/* Tries the query. A database that is locked, or unwell, is for later to complain of. */
static void check_sqlite(struct mxw__build *b, const struct mxw__directory_conf *d, const struct mxw__pos *pos)
{
	struct mxw__sql_limit limit = {.deadline_ms = mxw__now_ms(mxw_clock_system()) + TRY_QUERY_MS};
	char reason[MXW__SQL_REASON_MAX];
	mxw__sql_t *sql = mxw__sql_new(d->database, d->query);

	if (!sql)
		b->values.out_of_memory = true;
	else if (mxw__sql_ready(sql, &limit, reason) == MXW_MISCONFIGURED)
		mxw__complain(b->values.complaints, pos, "%s: %s", d->database, reason);
	mxw__sql_free(sql);
}

static void check_call_ahead(struct mxw__build *b, const struct mxw__directory_conf *d, const struct mxw__pos *pos)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_DIRECTORY];
	const struct mxw__pos *hosts = mxw__option_pos(s, pos, "hosts"), *ca = mxw__option_pos(s, pos, "tls-ca-file");

	if (d->hosts.n > MXW__CALL_HOSTS_MAX)
		mxw__complain(b->values.complaints, hosts, "more than %d hosts", MXW__CALL_HOSTS_MAX);
	if (ca->file && d->tls != MXW__TLS_REQUIRE)
		mxw__complain(b->values.complaints, ca, "'tls-ca-file' needs 'tls require' beside it");
}

static void read_directory(struct mxw__build *b, struct mxw__node *node, struct mxw__directory_conf *d)
{
	struct mxw__pos pos[OPTIONS_MAX];

	*d = (struct mxw__directory_conf){.name = node->args ? node->args->text : "", .pos = node->pos, .bind_password = "",
					  .type = NO_TYPE};
	if (node->args)
		mxw__check_name(b->values.complaints, node->args);
	mxw__values_read(&b->values, &mxw__sections[MXW__SECTION_DIRECTORY], &node, 1, d, pos);
	if (d->type == NO_TYPE) {
		/* Without a type nothing can be said of the rest. */
		if (!pos[0].file && !mxw__is_broken(node))
			mxw__complain(b->values.complaints, &node->pos, "a directory needs 'type': file, system, ldap, sqlite or call-ahead");
		return;
	}
	check_type(b, node, d->type, pos);
	if (d->type == MXW__DIRECTORY_SQLITE && d->database[0] && d->query[0])
		check_sqlite(b, d, mxw__option_pos(&mxw__sections[MXW__SECTION_DIRECTORY], pos, "query"));
	if (d->type == MXW__DIRECTORY_LDAP)
		mxw__build_ldap(b, d, pos);
	if (d->type == MXW__DIRECTORY_CALL_AHEAD)
		check_call_ahead(b, d, pos);
	mxw__directory_identify(d);
}

static void read_directories(struct mxw__build *b)
{
	size_t n = mxw__count_sections(b, MXW__SECTION_DIRECTORY);
	struct mxw__directory_conf *list = mxw__build_alloc(b, n, sizeof *list);
	size_t k = 0;

	for (struct mxw__node *node = b->root->first; list && node; node = node->next) {
		if (!mxw__is_section(node, MXW__SECTION_DIRECTORY))
			continue;
		if (k == DIRECTORIES_MAX) {
			mxw__complain(b->values.complaints, &node->pos, "more than %d directories", DIRECTORIES_MAX);
			break;
		}
		read_directory(b, node, &list[k]);
		for (size_t i = 0; i < k && list[k].name[0]; i++)
			if (strcmp(list[i].name, list[k].name) == 0)
				mxw__complain(b->values.complaints, &node->args->pos,
					      "there is a directory '%s' already, at %s:%u", list[k].name, list[i].pos.file,
					      list[i].pos.line);
		k++;
	}
	b->conf->directories = list;
	b->conf->ndirectories = list ? k : 0;
}

/* ---- domains ---- */

static bool find_directory(const struct mxw_conf *conf, const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < conf->ndirectories; i++) {
		if (strcmp(conf->directories[i].name, name) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static void complain_no_directory(struct mxw__build *b, const struct mxw__arg *arg)
{
	const char *near = NULL;
	unsigned best = UINT_MAX;

	for (size_t i = 0; i < b->conf->ndirectories; i++)
		if (mxw__name_is_nearer(arg->text, b->conf->directories[i].name, &best))
			near = b->conf->directories[i].name;
	mxw__complain(b->values.complaints, &arg->pos, "there is no directory '%s'%s%s%s", arg->text,
		      near ? "; did you mean '" : "; a section 'directory NAME { ... }' was expected", near ? near : "",
		      near ? "'?" : "");
}

/* `recipients` as indexes. The names are taken from the tree again, for their positions. */
static void resolve_directories(struct mxw__build *b, const struct mxw__node *node, struct mxw__domain_conf *d)
{
	size_t *indexes = mxw__build_alloc(b, d->directories.n, sizeof *indexes);

	d->recipients = indexes;
	for (const struct mxw__node *e = node->first; indexes && e; e = e->next) {
		if (!e->name || strcmp(e->name, "recipients") != 0)
			continue;
		for (const struct mxw__arg *arg = e->args; arg && d->nrecipients < d->directories.n; arg = arg->next) {
			size_t index = 0;
			bool is_double = false;
			if (!find_directory(b->conf, arg->text, &index)) {
				complain_no_directory(b, arg);
				continue;
			}
			for (size_t i = 0; i < d->nrecipients; i++)
				is_double |= indexes[i] == index;
			if (is_double)
				mxw__complain(b->values.complaints, &arg->pos, "directory '%s' is named twice", arg->text);
			else
				indexes[d->nrecipients++] = index;
		}
	}
}

static void read_domain(struct mxw__build *b, struct mxw__node *node, struct mxw__domain_conf *d)
{
	struct mxw__pos pos[OPTIONS_MAX];
	const char **names = mxw__build_alloc(b, mxw__count_args(node), sizeof *names);
	size_t n = 0;

	*d = (struct mxw__domain_conf){.pos = node->pos};
	for (const struct mxw__arg *arg = node->args; names && arg; arg = arg->next) {
		char name[MXW__DOMAIN_MAX + 1];
		if (!mxw__check_mail_domain(b->values.complaints, arg))
			continue;
		bool ok = mxw__domain_to_ascii(arg->text, strlen(arg->text), name) == MXW_OK;
		names[n] = ok ? mxw__arena_strdup(b->values.arena, name) : NULL;
		if (!names[n]) {
			b->values.out_of_memory = true;
			return;
		}
		n++;
	}
	d->names = (struct mxw__strings){n, names};
	mxw__values_read(&b->values, &mxw__sections[MXW__SECTION_DOMAIN], &node, 1, d, pos);
	if (!pos[0].file && !mxw__is_broken(node))
		mxw__complain(b->values.complaints, &node->pos,
			      "a domain needs 'recipients': the directories that know its recipients");
	resolve_directories(b, node, d);
}

struct named {
	const char *name;
	const struct mxw__pos *pos;
	size_t seq;
};

static int by_name(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	int order = strcmp(a->name, b->name);
	return order ? order : a->seq < b->seq ? -1 : 1;
}

static size_t add_named(struct named *all, size_t k, const struct mxw__strings *names, const struct mxw__pos *pos)
{
	for (size_t i = 0; i < names->n; i++)
		all[k + i] = (struct named){names->v[i], pos, k + i};
	return k + names->n;
}

/* Each domain and host in one place only. Positions are those of the sections. */
static void check_domains_differ(struct mxw__build *b)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < b->conf->ndomains; i++)
		n += b->conf->domains[i].names.n + b->conf->domains[i].hosts.n;
	struct named *all = mxw__calloc(n, sizeof *all);
	if (!all) {
		b->values.out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < b->conf->ndomains; i++) {
		const struct mxw__domain_conf *d = &b->conf->domains[i];
		k = add_named(all, k, &d->names, &d->pos);
		k = add_named(all, k, &d->hosts, &d->pos);
	}
	if (n > 1)
		qsort(all, n, sizeof *all, by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(all[i - 1].name, all[i].name) == 0)
			mxw__complain(b->values.complaints, all[i].pos, "domain '%s' has been given already, at %s:%u", all[i].name,
				      all[i - 1].pos->file, all[i - 1].pos->line);
	free(all);
}

static void read_domains(struct mxw__build *b)
{
	size_t n = mxw__count_sections(b, MXW__SECTION_DOMAIN), k = 0;
	struct mxw__domain_conf *list = mxw__build_alloc(b, n, sizeof *list);

	for (struct mxw__node *node = b->root->first; list && node; node = node->next)
		if (mxw__is_section(node, MXW__SECTION_DOMAIN))
			read_domain(b, node, &list[k++]);
	b->conf->domains = list;
	b->conf->ndomains = k;
	check_domains_differ(b);
}

/* ---- listeners ---- */

static void read_listeners(struct mxw__build *b)
{
	size_t n = mxw__count_sections(b, MXW__SECTION_LISTENER), k = 0;
	struct mxw__listener_conf *list = mxw__build_alloc(b, n, sizeof *list);
	struct mxw__pos pos[OPTIONS_MAX];

	for (struct mxw__node *node = b->root->first; list && node; node = node->next) {
		if (!mxw__is_section(node, MXW__SECTION_LISTENER))
			continue;
		struct mxw__listener_conf *l = &list[k++];
		*l = (struct mxw__listener_conf){.name = node->args ? node->args->text : ""};
		if (node->args)
			mxw__check_name(b->values.complaints, node->args);
		mxw__values_read(&b->values, &mxw__sections[MXW__SECTION_LISTENER], &node, 1, l, pos);
		if (l->port == 0 && !l->daemon_name[0] && !mxw__is_broken(node))
			mxw__complain(b->values.complaints, &node->pos, "a listener needs 'port', 'daemon-name' or both");
		for (size_t i = 0; i + 1 < k && node->args; i++)
			if (strcmp(list[i].name, l->name) == 0)
				mxw__complain(b->values.complaints, &node->args->pos, "there is a listener '%s' already", l->name);
	}
	b->conf->listeners = list;
	b->conf->nlisteners = k;
}

/* ---- all ---- */

bool mxw__build(struct mxw__build *b)
{
	static const mxw__section_id_t single[] = {
		MXW__SECTION_NETWORKS, MXW__SECTION_RESOLVER, MXW__SECTION_TIMEOUTS, MXW__SECTION_LIMITS,
		MXW__SECTION_SPF, MXW__SECTION_DKIM, MXW__SECTION_DMARC, MXW__SECTION_TRACKER, MXW__SECTION_GREYLIST,
		MXW__SECTION_RATES, MXW__SECTION_OUTBOUND, MXW__SECTION_BOUNCE_PROOF,
		MXW__SECTION_RECIPIENT_CACHE, MXW__SECTION_REDIS,
	};
	struct mxw__pos pos[OPTIONS_MAX];

	mxw__check_sections(b);
	mxw__values_read(&b->values, &mxw__sections[MXW__SECTION_TOP], &b->root, 1, b->conf, pos);
	for (size_t i = 0; i < MXW_ARRAY_LEN(single); i++) {
		read_single(b, single[i], pos);
		if (single[i] == MXW__SECTION_RESOLVER)
			settle_forward(b, mxw__option_pos(&mxw__sections[MXW__SECTION_RESOLVER], pos, "forward"));
		if (single[i] == MXW__SECTION_GREYLIST)
			check_greylist(b, pos);
		if (single[i] == MXW__SECTION_BOUNCE_PROOF)
			mxw__build_bounce(b, pos);
		if (single[i] == MXW__SECTION_OUTBOUND)
			mxw__build_outbound(b, pos);
		if (single[i] == MXW__SECTION_REDIS)
			mxw__build_redis(b, pos);
	}
	settle_keys(b);
	mxw__build_addresses(b, &b->conf->tracker.traps);
	mxw__build_rates(b);
	b->conf->daemon.max_sessions = (unsigned)b->conf->limits.sessions;
	b->conf->daemon.header_frame_bytes = (unsigned)b->conf->limits.header_field_bytes;
	read_directories(b);
	read_domains(b);
	read_listeners(b);
	mxw__build_lists(b);
	mxw__build_rules(b);
	return !b->values.out_of_memory;
}
