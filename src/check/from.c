/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * from.c: the author of a message, and fields that are there more than once.
 *
 * The fields are counted and kept here, whatever becomes of the rest of a header that is too large: a forger would only have to
 * make it large. What is known of the author is in env->from from the end of the header on.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/check/check.h"

/* RFC 5322 section 3.6, RFC 2045 section 3: at most one of each. */
static const char *const singletons[] = {
	"date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject",
	"mime-version", "content-type", "content-transfer-encoding", "content-id", "content-description", "content-disposition",
};
enum { NFROM = 1 }; /* its place among them */

/* The words of from.flaw in the order of the bits. */
static const char *const flaw_words[] = {
	"repeated", "empty", "group", "addresses", "encoded", "control", "quotes", "brackets", "comment", "route", "long",
	"line-ends", "utf8", "syntax", "name",
};

struct mxw__from_work {
	uint32_t seen, repeated;         /* one bit for each of the singletons */
	size_t n;                        /* From fields; of these, `values` has the first ones */
	size_t bytes;
	char *values[MXW__FROM_FIELDS];
	bool is_short;                   /* of memory: one could not be kept */
	bool is_read;
};

static struct mxw__from_work *work_of(struct mxw__check_ctx *ctx)
{
	if (!ctx->from_work)
		ctx->from_work = calloc(1, sizeof *ctx->from_work);
	return ctx->from_work;
}

/* With the blanks that may stand before the colon (RFC 5322 section 4.5), where a fold may be, too. */
static bool is_name(const char *name, size_t len, const char *wanted)
{
	return len == strlen(wanted) && mxw__ascii_ncasecmp(name, wanted, len) == 0;
}

static void keep_from(struct mxw__from_work *work, const char *value)
{
	size_t len = strlen(value), i = work->n++;

	/* One octet more than is looked at shows that there was more. */
	size_t room = MXW__FROM_OCTETS + 1 - work->bytes;
	if (i >= MXW__FROM_FIELDS)
		return;
	work->values[i] = strndup(value, len < room ? len : room);
	work->is_short |= !work->values[i];
	work->bytes += len < room ? len : room;
}

static void header(struct mxw__check_ctx *ctx, const char *name, const char *value)
{
	struct mxw__from_work *work = work_of(ctx);
	size_t len = strlen(name);

	if (!work)
		return;
	while (len && mxw__ascii_isspace(name[len - 1]))
		len--;
	for (size_t i = 0; i < MXW_ARRAY_LEN(singletons); i++) {
		if (!is_name(name, len, singletons[i]))
			continue;
		work->repeated |= work->seen & UINT32_C(1) << i;
		work->seen |= UINT32_C(1) << i;
		if (i == NFROM)
			keep_from(work, value);
		return;
	}
}

static void end_of_headers(struct mxw__check_ctx *ctx)
{
	struct mxw__from_work *work = work_of(ctx);
	struct mxw__from *from = &ctx->env->from;

	*from = (struct mxw__from){.is_unknown = true, .address = "", .domain = ""};
	if (!work || work->is_short)
		return;
	work->is_read = true;
	mxw_status_t status = mxw__from_read(ctx->message_arena, (const char *const *)work->values,
					     work->n < MXW__FROM_FIELDS ? work->n : MXW__FROM_FIELDS, from);
	if (status != MXW_OK)
		*from = (struct mxw__from){.is_unknown = true, .address = "", .domain = ""};
	else if (work->n > MXW__FROM_FIELDS)
		mxw__from_too_many(from);
}

static void state_ours(struct mxw__check_ctx *ctx)
{
	const struct mxw__from *from = &ctx->env->from;
	const struct mxw__domain_conf *domain;
	bool is_ours = false, is_known = true;

	for (size_t i = 0; i < from->ndomains && !is_ours; i++) {
		struct mxw__address address = {.text = "", .local = "", .domain = from->domains[i]};
		mxw_outcome_t outcome = mxw__directories_domain_of(ctx->directories, &address, &domain);
		is_ours = outcome == MXW_FOUND;
		is_known &= outcome == MXW_FOUND || outcome == MXW_NOT_FOUND;
	}
	if (is_ours || is_known)
		mxw_facts_set(ctx->facts, MXW__FACT_FROM_OURS, is_ours ? "yes" : "no");
	else
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_FROM_OURS, "unavailable");
}

static void state_author(struct mxw__check_ctx *ctx)
{
	static const char *const kinds[] = {"valid", "missing", "invalid", "several", "ambiguous"};
	const struct mxw__from *from = &ctx->env->from;

	mxw_facts_set(ctx->facts, MXW__FACT_FROM, kinds[from->kind]);
	for (size_t i = 0; i < MXW_ARRAY_LEN(flaw_words); i++)
		if (from->flaws & 1u << i)
			mxw_facts_set(ctx->facts, MXW__FACT_FROM_FLAW, flaw_words[i]);
	if (*from->address)
		mxw_facts_set(ctx->facts, MXW__FACT_FROM_ADDRESS, from->address);
	if (*from->domain)
		mxw_facts_set(ctx->facts, MXW__FACT_FROM_DOMAIN, from->domain);
	state_ours(ctx);
}

static void state_unknown(struct mxw__check_ctx *ctx)
{
	static const mxw_fact_id_t ids[] = {MXW__FACT_FROM, MXW__FACT_FROM_FLAW, MXW__FACT_FROM_ADDRESS, MXW__FACT_FROM_DOMAIN,
					    MXW__FACT_FROM_OURS};

	for (size_t i = 0; i < MXW_ARRAY_LEN(ids); i++)
		mxw_facts_set_unavailable(ctx->facts, ids[i], NULL);
}

static void run(struct mxw__check_ctx *ctx)
{
	const struct mxw__from_work *work = ctx->from_work;

	/* No header has been asked for, so none has come. */
	if (!work && !ctx->env->from.is_unknown)
		return;
	if (ctx->env->from.is_unknown)
		state_unknown(ctx);
	else if (work->is_read)
		state_author(ctx);
	if (!work) {
		mxw_facts_set_unavailable(ctx->facts, MXW__FACT_HEADER_REPEATED, NULL);
		return;
	}
	for (size_t i = 0; i < MXW_ARRAY_LEN(singletons); i++)
		if (work->repeated & UINT32_C(1) << i)
			mxw_facts_set(ctx->facts, MXW__FACT_HEADER_REPEATED, singletons[i]);
}

static void reset(struct mxw__check_ctx *ctx)
{
	struct mxw__from_work *work = ctx->from_work;

	for (size_t i = 0; work && i < MXW__FROM_FIELDS; i++)
		free(work->values[i]);
	free(work);
	ctx->from_work = NULL;
}

static const mxw_fact_id_t facts[] = {
	MXW__FACT_FROM, MXW__FACT_FROM_FLAW, MXW__FACT_FROM_ADDRESS, MXW__FACT_FROM_DOMAIN, MXW__FACT_FROM_OURS,
	MXW__FACT_HEADER_REPEATED,
};

const struct mxw__check mxw__check_from = {
	.name = "from",
	.stage = MXW_STAGE_EOM,
	.scope = MXW_SCOPE_MESSAGE,
	.nfacts = MXW_ARRAY_LEN(facts),
	.facts = facts,
	.run = run,
	.header = header,
	.end_of_headers = end_of_headers,
	.reset = reset,
};
