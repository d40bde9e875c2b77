/* SPDX-License-Identifier: BSD-2-Clause */
/* The settings in force, in the syntax in which they are read. What is empty is left out: that is what its absence means. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/conf/build.h"
#include "src/mail/mail.h"

static const void *field(const void *base, const struct mxw__option *o)
{
	return (const char *)base + o->offset;
}

static uint64_t number(const void *base, const struct mxw__option *o)
{
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64 = 0;

	switch (o->size) {
	case 1:
		memcpy(&v8, field(base, o), 1);
		return v8;
	case 2:
		memcpy(&v16, field(base, o), 2);
		return v16;
	case 4:
		memcpy(&v32, field(base, o), 4);
		return v32;
	default:
		memcpy(&v64, field(base, o), 8);
		return v64;
	}
}

static void dump_name(const char *indent, const struct mxw__option *o, FILE *out)
{
	fprintf(out, "%s%-*s", indent, indent[0] ? 20 : 24, o->name);
}

/* The U-labels of a name, as a comment. */
static void dump_utf8(const char *indent, const char *name, FILE *out)
{
	char utf8[MXW__DOMAIN_MAX + 1];
	bool is_pattern = strncmp(name, "*.", 2) == 0;

	if (mxw__domain_to_utf8(is_pattern ? name + 2 : name, utf8))
		fprintf(out, "%s# %s: %s%s\n", indent, name, is_pattern ? "*." : "", utf8);
}

static void dump_text(const char *indent, const struct mxw__option *o, const char *text, FILE *out)
{
	if (!text[0])
		return;
	dump_name(indent, o, out);
	fputc(' ', out);
	mxw__word_dump(text, out);
	fputc('\n', out);
}

static void dump_empty(const char *indent, const struct mxw__option *o, FILE *out)
{
	dump_name(indent, o, out);
	fputs(" \"\"\n", out);
}

static void dump_strings(const char *indent, const struct mxw__option *o, const struct mxw__strings *list, FILE *out)
{
	/* Empty in place of a default. */
	if (list->n == 1 && !list->v[0][0])
		fprintf(out, "%s%s \"\"\n", indent, o->name);
	for (size_t i = 0; i < list->n; i++) {
		if (o->flags & MXW__OPT_IDN)
			dump_utf8(indent, list->v[i], out);
		dump_text(indent, o, list->v[i], out);
	}
}

static void dump_networks(const char *indent, const struct mxw__option *o, const struct mxw__networks *list, FILE *out)
{
	char text[MXW_IP_TEXT_MAX];

	/* Only a list with a default has to say that it is empty. */
	if (list->n == 0 && o->deflt)
		dump_text(indent, o, "none", out);
	for (size_t i = 0; i < list->n; i++) {
		dump_name(indent, o, out);
		fprintf(out, " %s/%u\n", mxw_ip_format(&list->v[i].ip, text), list->v[i].bits);
	}
}

/* The n-th of a list of words. */
static void dump_choice(const char *indent, const struct mxw__option *o, uint64_t index, FILE *out)
{
	const char *w = o->words;

	for (; index; index--)
		w += strcspn(w, " ") + 1;
	dump_name(indent, o, out);
	fprintf(out, " %.*s\n", (int)strcspn(w, " "), w);
}

static void dump_number(const char *indent, const struct mxw__option *o, uint64_t v, FILE *out)
{
	char text[32];

	dump_name(indent, o, out);
	if (o->type == MXW__OPT_MODE)
		fprintf(out, " %04" PRIo64 "\n", v);
	else if (o->type == MXW__OPT_DURATION)
		fprintf(out, " %s\n", mxw__duration_text(v, text));
	else if (o->type == MXW__OPT_SIZE)
		fprintf(out, " %s\n", mxw__size_text(v, text));
	else
		fprintf(out, " %" PRIu64 "\n", v);
}

static void dump_option(const char *indent, const struct mxw__option *o, const void *base, FILE *out)
{
	const char *text;

	switch (o->type) {
	case MXW__OPT_TEXT:
	case MXW__OPT_PATH:
	case MXW__OPT_WORD:
		memcpy(&text, field(base, o), sizeof text);
		/* An empty text with a default, or what may be one, has to be said. */
		if (text[0] || (!(o->flags & MXW__OPT_PRESET) && (!o->deflt || !o->deflt[0])))
			dump_text(indent, o, text, out);
		else
			dump_empty(indent, o, out);
		break;
	case MXW__OPT_CHOICE:
		dump_choice(indent, o, number(base, o), out);
		break;
	case MXW__OPT_NUMBER:
	case MXW__OPT_SIZE:
	case MXW__OPT_DURATION:
	case MXW__OPT_MODE:
		dump_number(indent, o, number(base, o), out);
		break;
	case MXW__OPT_RATE:
		dump_name(indent, o, out);
		fputc(' ', out);
		mxw__dump_rate(field(base, o), out);
		fputc('\n', out);
		break;
	case MXW__OPT_LIST:
	case MXW__OPT_PATHS:
		dump_strings(indent, o, field(base, o), out);
		break;
	case MXW__OPT_NETWORKS:
		dump_networks(indent, o, field(base, o), out);
		break;
	case MXW__OPT_ROWS:
	case MXW__OPT_OTHER:
		break;
	}
}

static void dump_section(mxw__section_id_t id, const void *base, FILE *out)
{
	for (size_t i = 0; i < mxw__sections[id].noptions; i++)
		dump_option(id == MXW__SECTION_TOP ? "" : "\t", &mxw__sections[id].options[i], base, out);
}

static void dump_directory(const struct mxw__directory_conf *d, FILE *out)
{
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_DIRECTORY];

	fputs("directory ", out);
	mxw__word_dump(d->name, out);
	fputs(" {\n", out);
	for (size_t i = 0; i < s->noptions; i++)
		if (s->options[i].types == 0 || (s->options[i].types >> d->type & 1))
			dump_option("\t", &s->options[i], d, out);
	fputs("}\n", out);
}

/*
 * A hash of what would be dumped, but for what changes no answer. Its key is no secret: it only has to be the same
 * tomorrow.
 */
void mxw__directory_identify(struct mxw__directory_conf *d)
{
	static const struct mxw__hashkey key = {0x6d787761726431, 0x616e7377657273};
	const struct mxw__section *s = &mxw__sections[MXW__SECTION_DIRECTORY];
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	d->answers_id = mxw__random_u64();
	if (!out)
		return;
	for (size_t i = 0; i < s->noptions; i++)
		if ((s->options[i].types == 0 || (s->options[i].types >> d->type & 1)) &&
		    !(s->options[i].flags & MXW__OPT_SAME_ANSWERS))
			dump_option("", &s->options[i], d, out);
	bool is_whole = !ferror(out);
	if (fclose(out) == 0 && is_whole)
		d->answers_id = mxw__hash(&key, text, len);
	free(text);
}

static void dump_domain(const struct mxw__domain_conf *d, FILE *out)
{
	for (size_t i = 0; i < d->names.n; i++)
		dump_utf8("", d->names.v[i], out);
	fputs("domain", out);
	for (size_t i = 0; i < d->names.n; i++) {
		fputc(' ', out);
		mxw__word_dump(d->names.v[i], out);
	}
	fputs(" {\n", out);
	dump_section(MXW__SECTION_DOMAIN, d, out);
	fputs("}\n", out);
}

static void dump_code(uint32_t code, FILE *out)
{
	fprintf(out, "%u.%u.%u.%u", code >> 24, code >> 16 & 0xff, code >> 8 & 0xff, code & 0xff);
}

static void dump_results(const struct mxw__dnsbl_conf *l, FILE *out)
{
	for (size_t i = 0; i < l->nresults; i++) {
		const struct mxw__dnsbl_result *r = &l->results[i];
		fputs("\tresult               ", out);
		dump_code(r->range.first, out);
		fputc('-', out);
		dump_code(r->range.last, out);
		fprintf(out, " %s %d\n", r->name, r->points);
	}
}

mxw_status_t mxw_conf_dump(const mxw_conf_t *conf, FILE *out)
{
	static const mxw__section_id_t single[] = {
		MXW__SECTION_NETWORKS, MXW__SECTION_RESOLVER, MXW__SECTION_TIMEOUTS, MXW__SECTION_LIMITS,
		MXW__SECTION_SPF, MXW__SECTION_DKIM, MXW__SECTION_DMARC, MXW__SECTION_TRACKER, MXW__SECTION_GREYLIST,
		MXW__SECTION_RATES, MXW__SECTION_OUTBOUND, MXW__SECTION_BOUNCE_PROOF,
		MXW__SECTION_RECIPIENT_CACHE, MXW__SECTION_REDIS,
	};

	dump_section(MXW__SECTION_TOP, conf, out);
	for (size_t i = 0; i < MXW_ARRAY_LEN(single); i++) {
		/* Without servers it is not there. */
		if (single[i] == MXW__SECTION_REDIS && !conf->redis.servers.n)
			continue;
		fprintf(out, "%s {\n", mxw__sections[single[i]].name);
		if (single[i] == MXW__SECTION_RESOLVER && (conf->resolver.from_root || conf->resolver.local_only))
			fprintf(out, "\t%-20s %s\n", "forward", conf->resolver.from_root ? "root" : "none");
		dump_section(single[i], conf, out);
		if (single[i] == MXW__SECTION_RATES)
			mxw__dump_limits(&conf->rates, out);
		if (single[i] == MXW__SECTION_OUTBOUND)
			mxw__dump_quotas(&conf->outbound, out);
		fputs("}\n", out);
	}
	for (size_t i = 0; i < conf->ndirectories; i++)
		dump_directory(&conf->directories[i], out);
	for (size_t i = 0; i < conf->ndomains; i++)
		dump_domain(&conf->domains[i], out);
	for (size_t i = 0; i < conf->nlisteners; i++) {
		fputs("listener ", out);
		mxw__word_dump(conf->listeners[i].name, out);
		fputs(" {\n", out);
		dump_section(MXW__SECTION_LISTENER, &conf->listeners[i], out);
		fputs("}\n", out);
	}
	for (size_t i = 0; i < conf->ndnsbls; i++) {
		fputs("dnsbl ", out);
		mxw__word_dump(conf->dnsbls[i].name, out);
		fputs(" {\n", out);
		dump_section(MXW__SECTION_DNSBL, &conf->dnsbls[i], out);
		dump_results(&conf->dnsbls[i], out);
		fputs("}\n", out);
	}
	for (size_t i = 0; i < conf->nlists; i++) {
		fputs("list ", out);
		mxw__word_dump(conf->lists[i].name, out);
		fputs(" {\n", out);
		dump_section(MXW__SECTION_LIST, &conf->lists[i], out);
		fputs("}\n", out);
	}
	for (size_t i = 0; i < conf->priv->off_rules.n; i++)
		fprintf(out, "rule %s off\n", conf->priv->off_rules.v[i]);
	mxw__policy_dump(conf->policy, out);
	return ferror(out) ? MXW_ERR_SYSTEM : MXW_OK;
}
