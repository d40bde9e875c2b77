/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "src/journal/dmarc_copy.h"

#define TEXT(member) offsetof(struct mxw__dmarc_evaluation, member)
static const size_t texts[] = {
	TEXT(session), TEXT(source), TEXT(author_domain), TEXT(policy_domain), TEXT(p), TEXT(sp), TEXT(np), TEXT(fo), TEXT(rua),
	TEXT(adkim), TEXT(aspf), TEXT(result), TEXT(disposition), TEXT(override), TEXT(spf_domain), TEXT(spf_scope),
	TEXT(spf_result), TEXT(envelope_from), TEXT(envelope_to),
};

static const char **text_at(struct mxw__dmarc_evaluation *e, size_t i)
{
	return (const char **)((char *)e + texts[i]);
}

static size_t size_of(const char *text)
{
	return text ? strnlen(text, MXW__DMARC_KEPT_TEXT_MAX) + 1 : 1;
}

/* Moves the text to `*at`, as printable ASCII. */
static void take_text(const char **text, char **at)
{
	const char *from = *text;
	size_t len = size_of(from) - 1;

	*text = *at;
	for (size_t i = 0; i < len; i++)
		*(*at)++ = from[i] >= ' ' && from[i] < 0x7f ? from[i] : '?';
	*(*at)++ = '\0';
}

struct mxw__dmarc_evaluation *mxw__dmarc_evaluation_copy(const struct mxw__dmarc_evaluation *e)
{
	size_t nsignatures = e->nsignatures < MXW__DMARC_KEPT_SIGNATURES ? e->nsignatures : MXW__DMARC_KEPT_SIGNATURES;
	struct mxw__dmarc_evaluation copied = *e;
	size_t size = sizeof copied + nsignatures * sizeof *e->signatures;

	for (size_t i = 0; i < MXW_ARRAY_LEN(texts); i++)
		size += size_of(*text_at(&copied, i));
	for (size_t i = 0; i < nsignatures; i++)
		size += size_of(e->signatures[i].domain) + size_of(e->signatures[i].selector) + size_of(e->signatures[i].result);
	struct mxw__dmarc_evaluation *copy = malloc(size);
	if (!copy)
		return NULL;
	*copy = copied;
	struct mxw__dmarc_kept_signature *signatures = (struct mxw__dmarc_kept_signature *)(copy + 1);
	char *at = (char *)(signatures + nsignatures);
	for (size_t i = 0; i < MXW_ARRAY_LEN(texts); i++)
		take_text(text_at(copy, i), &at);
	for (size_t i = 0; i < nsignatures; i++) {
		signatures[i] = e->signatures[i];
		take_text(&signatures[i].domain, &at);
		take_text(&signatures[i].selector, &at);
		take_text(&signatures[i].result, &at);
	}
	copy->nsignatures = nsignatures;
	copy->signatures = signatures;
	return copy;
}
