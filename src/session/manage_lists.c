/* SPDX-License-Identifier: BSD-2-Clause */
/* manage_lists.c: local lists, for those who look after them. */
#include "config.h"

#include <string.h>

#include <mxward/track.h>

#include "src/session/engine.h"
#include "src/session/lists.h"

mxw_status_t mxw_list_add(mxw_engine_t *engine, const char *list, const char *entry, uint64_t for_ms, const char *author,
			  const char *reason, struct mxw_error *err)
{
	int64_t until_ms = for_ms ? engine->clock.wall_ms(engine->clock.ctx) + (int64_t)for_ms : 0;

	return mxw__lists_add(engine, list, entry, until_ms, author, reason, err);
}

mxw_status_t mxw_list_remove(mxw_engine_t *engine, const char *list, const char *entry, struct mxw_error *err)
{
	return mxw__lists_remove(engine, list, entry, err);
}

struct list_visit {
	const char *list; /* NULL: any */
	void (*visit)(void *ctx, const struct mxw_list_entry *entry);
	void *ctx;
};

static void visit_entry(void *ctx, const struct mxw__list_view *view)
{
	const struct list_visit *v = ctx;

	if (v->list && strcmp(v->list, view->list) != 0)
		return;
	v->visit(v->ctx, &(struct mxw_list_entry){
		.list = view->list,
		.entry = view->entry,
		.added_ms = view->added_ms,
		.until_ms = view->until_ms,
		.author = view->author,
		.reason = view->reason,
		.line = view->line,
	});
}

/* The address as it is written, an IPv6 one not as the /64 that stands for it elsewhere. */
static bool find_subject(const char *text, struct mxw_ip *ip, struct mxw__key *key, struct mxw__sought *ret_what)
{
	const char *name = strchr(text, ':');

	*ret_what = (struct mxw__sought){0};
	if (mxw_ip_parse(text, ip) == MXW_OK)
		ret_what->ip = ip;
	else if (!mxw__key_parse(text, key))
		return false;
	else if (key->kind == MXW__KEY_HELO || key->kind == MXW__KEY_DOMAIN)
		ret_what->name = name + 1;
	return true;
}

mxw_status_t mxw_list_find(mxw_engine_t *engine, const char *key, void (*visit)(void *ctx, const struct mxw_list_entry *entry), void *ctx,
			   struct mxw_error *err)
{
	struct list_visit v = {NULL, visit, ctx};
	char ascii[MXW__DOMAIN_MAX + 1];
	struct mxw__sought what;
	struct mxw__key k;
	struct mxw_ip ip;

	if (!find_subject(key, &ip, &k, &what))
		return mxw__fail(err, MXW_ERR_INVALID, "that is no key");
	if (what.name)
		what.name = mxw__domain_to_ascii(what.name, strlen(what.name), ascii) == MXW_OK ? ascii : NULL;
	if (what.ip || what.name)
		mxw__lists_each_with(engine, &what, visit_entry, &v);
	return MXW_OK;
}

mxw_status_t mxw_list_each(mxw_engine_t *engine, const char *list, void (*visit)(void *ctx, const struct mxw_list_entry *entry),
			   void *ctx, struct mxw_error *err)
{
	struct list_visit v = {list && *list ? list : NULL, visit, ctx};
	mxw_conf_t *conf = mxw_engine_conf(engine);
	bool is_there = !v.list || mxw__lists_section(conf, v.list, err);

	mxw_conf_unref(conf);
	if (!is_there)
		return MXW_ERR_INVALID;
	mxw__lists_each(engine, visit_entry, &v);
	return MXW_OK;
}
