/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/base.h"
#include "src/check/gather.h"

struct mxw__gather_question {
	char name[256];
	enum mxw_dns_type type;
	mxw_dns_answer_t *answer; /* NULL until it was waited for */
};

void mxw__gather_init(struct mxw__gather *gather, mxw_resolver_t *resolver, struct mxw_dns_budget *budget)
{
	*gather = (struct mxw__gather){.resolver = resolver, .budget = budget};
}

void mxw__gather_fini(struct mxw__gather *gather)
{
	for (size_t i = 0; i < gather->n; i++)
		mxw_dns_answer_unref(gather->questions[i].answer);
	free(gather->questions);
	gather->questions = NULL;
	gather->n = gather->nwaited = 0;
}

static struct mxw__gather_question *find(const struct mxw__gather *gather, const char *name, enum mxw_dns_type type)
{
	for (size_t i = 0; i < gather->n; i++)
		if (gather->questions[i].type == type && strcmp(gather->questions[i].name, name) == 0)
			return &gather->questions[i];
	return NULL;
}

/* Remembers a question that is to be waited for. One that can't be is waited for by whoever wants its answer. */
static void add(struct mxw__gather *gather, const char *name, enum mxw_dns_type type)
{
	size_t n = gather->n, len = strlen(name);

	if (n == MXW__GATHER_MAX || len >= sizeof gather->questions->name)
		return;
	/* Grows at powers of two. */
	if ((n & (n - 1)) == 0) {
		void *more = realloc(gather->questions, (n ? 2 * n : 1) * sizeof *gather->questions);
		if (!more)
			return;
		gather->questions = more;
	}
	struct mxw__gather_question *q = &gather->questions[gather->n++];
	memcpy(q->name, name, len + 1);
	q->type = type;
	q->answer = NULL;
}

/* What is known; NULL: it is under way, and `ret_is_new` whether it is to be remembered. */
static mxw_dns_answer_t *look_up(struct mxw__gather *gather, const char *name, enum mxw_dns_type type, bool *ret_is_new)
{
	const struct mxw__gather_question *q = find(gather, name, type);

	*ret_is_new = !q;
	if (q)
		return q->answer ? mxw_dns_answer_ref(q->answer) : NULL;
	mxw_dns_answer_t *answer = mxw_resolver_peek(gather->resolver, name, type);
	if (!answer)
		mxw_resolver_prefetch(gather->resolver, name, type, gather->budget);
	return answer;
}

mxw_dns_answer_t *mxw__gather_ask(struct mxw__gather *gather, const char *name, enum mxw_dns_type type)
{
	bool is_new;
	mxw_dns_answer_t *answer = look_up(gather, name, type, &is_new);

	if (!answer && is_new)
		add(gather, name, type);
	return answer;
}

mxw_dns_answer_t *mxw__gather_hint(struct mxw__gather *gather, const char *name, enum mxw_dns_type type)
{
	bool is_new;

	return look_up(gather, name, type, &is_new);
}

bool mxw__gather_wait(struct mxw__gather *gather, int64_t deadline_ms)
{
	if (gather->nwaited == gather->n)
		return false;
	for (; gather->nwaited < gather->n; gather->nwaited++) {
		struct mxw__gather_question *q = &gather->questions[gather->nwaited];
		q->answer = mxw_resolver_ask(gather->resolver, q->name, q->type, deadline_ms, gather->budget);
	}
	return true;
}
