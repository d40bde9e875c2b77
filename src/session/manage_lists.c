/* SPDX-License-Identifier: BSD-2-Clause */
/* manage_lists.c: local lists, for those who look after them. */
#include "config.h"

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
	void (*visit)(void *ctx, const struct mxw_list_entry *entry);
	void *ctx;
};

static void visit_entry(void *ctx, const struct mxw__list_view *view)
{
	const struct list_visit *v = ctx;

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

void mxw_list_each(mxw_engine_t *engine, void (*visit)(void *ctx, const struct mxw_list_entry *entry), void *ctx)
{
	struct list_visit v = {visit, ctx};

	mxw__lists_each(engine, visit_entry, &v);
}
